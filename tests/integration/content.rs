//! What callers put in by hand: shown by its length everywhere unless it is asked for, and harmless wherever it is shown.

use serde_json::{Value, json};

use crate::command::bedtrail;
use crate::odd::{call, document};
use crate::program::{put, text};

/// Stands in every place that holds nothing but content.
const SECRET: &str = "kept-to-myself";

/// A formula, a control sequence, a turn of direction, a tag, the end of an SQL literal, a line.
const HOSTILE: &str =
    "=cmd|' /C calc'!A0\u{1b}[2J\u{202e}\u{9b}31m<script>alert(1)</script>'; DROP TABLE events --\r\nx";

const GATEWAY: &str = "arn:aws:bedrock-agentcore:eu-central-1:111122223333:gateway/g-1";

/// Calls of every surface in which callers add what they like; `name` stands where a name is shown, `said` where content is.
fn records(name: &str, said: &str) -> Vec<String> {
    let resource =
        json!([{"accountId": "111122223333", "type": "AWS::BedrockAgentCore::Gateway", "ARN": GATEWAY}]);
    let extra = json!({"note": said, said: {"deep": [said]}});
    let calls = [
        (
            "bedrock-agentcore",
            "InvokeGateway",
            json!({
                "body": {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "extra": said,
                    "params": {"name": name, "arguments": {"ssn": said}, "_meta": {"who": said}, "message": said}},
                "more": extra,
            }),
        ),
        (
            "bedrock-agentcore",
            "InvokeAgentRuntime",
            json!({"agentRuntimeArn": "arn:aws:bedrock-agentcore:eu-central-1:111122223333:runtime/r-1",
                "runtimeSessionId": name, "runtimeUserId": name, "payload": said, "own": said, "traceParent": said}),
        ),
        (
            "bedrock-agentcore",
            "CreateEvent",
            json!({"memoryId": "m-1", "actorId": name, "namespace": name, "own": extra}),
        ),
        (
            "bedrock-mantle",
            "CreateInference",
            json!({"model": name, "metadata": {"user": said}, "Metadata": said, "user": said}),
        ),
        (
            "bedrock",
            "InvokeAgent",
            json!({"agentId": name, "sessionId": name, "inputText": said, "sessionState": extra}),
        ),
        ("bedrock", "SomethingNew", json!({"whatever": said})),
    ];
    let mut records: Vec<String> = (1..)
        .zip(calls)
        .map(|(id, (service, event, parameters))| {
            let source = Value::from(format!("{service}.amazonaws.com")).to_string();
            let agent = Value::from(name).to_string();
            call(
                id,
                &[
                    ("eventSource", &source),
                    ("eventName", &Value::from(event).to_string()),
                    ("eventCategory", "\"Data\""),
                    ("managementEvent", "false"),
                    ("userAgent", &agent),
                    ("requestParameters", &parameters.to_string()),
                ],
            )
        })
        .collect();
    let mut gateway: Value = serde_json::from_str(&records[0]).expect("JSON");
    gateway["userIdentity"] = json!({"type": "AWSAccount", "principalId": "", "accountId": "anonymous"});
    gateway["resources"] = resource;
    gateway["responseElements"] = json!({"statusCode": 200, "own": said, "body": {"jsonrpc": "2.0", "id": 1, "result":
        {"isError": false, "content": [{"text": said}], "structuredContent": {"a": said}}}});
    gateway["additionalEventData"] = json!({"targetId": "T", "jwt": {"raw": said, "type": "JWS",
        "headers": {"kid": "k", "x5c": [said]}, "claims": {"iss": name, "sub": name, "email": said, "nested": {"sub": said}}}});
    records[0] = gateway.to_string();
    records
}

#[test]
fn content_is_nowhere_unless_it_is_asked_for() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let logs = put(folder.path(), "logs/a.json", document(&records("plain", SECRET)));
    let all = "SELECT * FROM events";
    let query = |source: &str, more: &[&str]| {
        bedtrail(["query", all, "-s", source, "--format", "json"]).args(more).run().exits(0).stdout
    };
    assert!(query(&logs, &["--show-content"]).matches(SECRET).count() > 20);
    assert!(!query(&logs, &[]).contains(SECRET), "{}", query(&logs, &[]));
    let store = folder.path().join("store");
    bedtrail(["collect", "--store", text(&store), "-s", &logs]).run().exits(0);
    assert!(!query(text(&store), &[]).contains(SECRET), "what was not kept");
    let none = ["query", all, "-s", text(&store), "--show-content"];
    bedtrail(none).run().exits(2).says("it has no content to keep");
    for id in 1..=6 {
        let event = format!("00000000-0000-4000-8000-{id:012x}");
        let shown = bedtrail(["event", &event, "-s", &logs]).run().exits(0).stdout;
        assert!(shown.contains("bytes>") && !shown.contains(SECRET), "{shown}");
        let kept = bedtrail(["event", &event, "-s", &logs, "--show-content"]).run().exits(0).stdout;
        assert!(kept.contains(SECRET), "{kept}");
    }
    let traced = bedtrail(["trace", "plain", "-s", &logs, "--format", "json"]).run();
    assert!(traced.code == 0 && !traced.stdout.contains(SECRET), "{}", traced.stdout);
}

#[test]
fn hostile_text_is_harmless_in_every_format() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let logs = put(folder.path(), "logs/a.json", document(&records(HOSTILE, HOSTILE)));
    let out = folder.path().join("out");
    bedtrail(["audit", "-q", "-s", &logs, "--show-content", "--policy", "fixtures/policy.toml"])
        .out(&out)
        .format("table,csv,json,ndjson,ocsf,asff")
        .run();
    let (mut files, mut met) = (0, 0);
    for file in std::fs::read_dir(&out).expect("a folder").map(|file| file.expect("a file").path()) {
        let Ok(written) = std::fs::read_to_string(&file) else { continue };
        let ending = file.extension().and_then(|ending| ending.to_str()).unwrap_or_default().to_owned();
        let name = file.display();
        let acts = |c: char| (c.is_control() && c != '\n') || c == '\u{202e}';
        files += 1;
        met += usize::from(written.contains("calc"));
        if ending == "csv" {
            let mut rows = csv::ReaderBuilder::new().flexible(true).from_reader(written.as_bytes());
            for cell in rows
                .records()
                .flat_map(|row| row.expect("a row").iter().map(str::to_owned).collect::<Vec<_>>())
            {
                let number = cell.parse::<f64>().is_ok();
                assert!(number || !cell.starts_with(['=', '+', '-', '@', '\t', '\r']), "{name}: {cell}");
                assert!(
                    !cell.contains(|c: char| c.is_control() && !matches!(c, '\n' | '\t')),
                    "{name}: {cell:?}"
                );
            }
        } else {
            assert!(!written.contains(acts), "{name}: {written:?}");
        }
        if ending == "json" {
            for value in serde_json::Deserializer::from_str(&written).into_iter::<Value>() {
                value.unwrap_or_else(|error| panic!("{name}: {error}"));
            }
        }
    }
    assert!(files > 40 && met > 20, "{files} files, of which {met} hold it");
    for subject in ["r-1", "m-1", GATEWAY] {
        for shape in ["tree", "json"] {
            let traced =
                bedtrail(["trace", subject, "-s", &logs, "--format", shape, "--show-content"]).run().exits(0);
            let acts = |c: char| (c.is_control() && c != '\n') || c == '\u{202e}';
            assert!(!traced.stdout.contains(acts) && traced.stdout.contains("calc"), "{}", traced.stdout);
        }
    }
    // An answer of several names, and one of none.
    let lost = bedtrail(["trace", HOSTILE, "-s", &logs]).run();
    assert!(
        !lost.stdout.contains('\u{1b}') && !lost.stderr.contains('\u{1b}'),
        "{} {}",
        lost.stdout,
        lost.stderr
    );
}
