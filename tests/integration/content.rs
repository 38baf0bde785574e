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

/// The entries of a list of names of `src/event/content`.
fn list(name: &str) -> Vec<&'static str> {
    let sources =
        [include_str!("../../src/event/content/names.rs"), include_str!("../../src/event/content/shown.rs")];
    let begins = format!("const {name}: &[&str] =");
    let (_, rest) = sources.iter().find_map(|source| source.split_once(&begins)).expect("a list");
    let (body, _) = rest.split_once("];").expect("its end");
    body.split('"').skip(1).step_by(2).collect()
}

/// One call of every kind of operation: source, name, category, type, and whether it makes settings.
const OPERATIONS: &[(&str, &str, &str, bool)] = &[
    ("bedrock", "Converse", "Management", false),
    ("bedrock", "InvokeAgent", "Data", false),
    ("bedrock", "Retrieve", "Data", false),
    ("bedrock", "ApplyGuardrail", "Data", false),
    ("bedrock", "InvokeFlow", "Data", false),
    ("bedrock", "PutInvocationStep", "Data", false),
    ("bedrock", "GetAgent", "Management", false),
    ("bedrock", "CreateModelInvocationJob", "Management", false),
    ("bedrock", "BrandNewInvoke", "Management", false),
    ("bedrock-mantle", "CreateInference", "Data", false),
    ("bedrock-agentcore", "InvokeAgentRuntime", "Data", false),
    ("bedrock-agentcore", "InvokeGateway", "Data", false),
    ("bedrock-agentcore", "InvokeCodeInterpreter", "Data", false),
    ("bedrock-agentcore", "CreateEvent", "Data", false),
    ("bedrock-agentcore", "GetWorkloadAccessToken", "Data", false),
    ("bedrock-agentcore", "BrandNewOperation", "Management", false),
    ("bedrock-websearch", "InvokeSearch", "Data", false),
    ("aws-external-anthropic", "CreateInference", "Data", false),
    ("lambda", "Invoke", "NetworkActivity", false),
    ("s3", "PutObject", "NetworkActivity", false),
    ("bedrock", "CreateAgent", "Management", true),
    ("bedrock", "CreateGuardrail", "Management", true),
    ("bedrock-agentcore", "CreateGateway", "Management", true),
    ("bedrock-agentcore", "UpdateMemory", "Management", true),
    ("bedrock-agentcore", "CreateApiKeyCredentialProvider", "Management", true),
];

/// A record of each operation, its parts being made of a function of whether the operation makes settings.
fn marked(mut part: impl FnMut(bool) -> Value) -> String {
    let records: Vec<String> = (1..)
        .zip(OPERATIONS)
        .map(|(id, (service, event, category, sets))| {
            let network = *category == "NetworkActivity";
            let mut parts = Vec::new();
            for name in
                ["requestParameters", "responseElements", "additionalEventData", "serviceEventDetails"]
            {
                let asked = matches!(name, "requestParameters" | "responseElements");
                parts.push((name, part(*sets && asked).to_string()));
            }
            let source = Value::from(format!("{service}.amazonaws.com")).to_string();
            let code = if network { "\"VpceAccessDenied\"" } else { "\"ValidationException\"" };
            let message = if network { "\"refused\"" } else { "\"Value 'MARKED' at 'input' is bad\"" };
            let mut changed = vec![
                ("eventSource", &*source),
                ("errorCode", code),
                ("errorMessage", message),
                ("managementEvent", if *category == "Management" { "true" } else { "false" }),
                ("eventType", if network { "\"AwsVpceEvent\"" } else { "\"AwsApiCall\"" }),
            ];
            let (event, category) = (Value::from(*event).to_string(), Value::from(*category).to_string());
            changed.extend([("eventName", &*event), ("eventCategory", &*category)]);
            changed.extend(parts.iter().map(|(name, text)| (*name, &**text)));
            call(id, &changed)
        })
        .collect();
    document(&records)
}

/// What may not be shown, in words that could pass for ids: content, members that nobody knows, and whatever stands in them.
fn unshown(sets: bool) -> Value {
    let mut members = serde_json::Map::new();
    for name in list("CONTENT") {
        members.insert(name.to_owned(), json!("MARKED"));
    }
    members.insert("MARKED in a name".to_owned(), json!({"MARKED": ["MARKED"]}));
    members.insert("memoryId".to_owned(), json!("m-1"));
    members.insert("runtimeSessionId".to_owned(), json!("s-marked"));
    members.insert("body".to_owned(), json!({
        "jsonrpc": "2.0", "method": "tools/call", "MARKED": "MARKED",
        "params": {"name": "T", "arguments": {"MARKED": "MARKED"}, "_meta": "MARKED", "MARKED": 1},
        "error": {"code": 1, "message": "MARKED", "data": {"a": "MARKED"}}, "result": {"content": ["MARKED"]},
    }));
    if !sets {
        for name in list("NAMES") {
            members.insert(name.to_owned(), json!("MARKED"));
        }
        let lists = list("LISTS");
        for name in list("KINDS").into_iter().filter(|name| !lists.contains(name)) {
            members.insert(name.to_owned(), json!([["MARKED"]]));
        }
        members.insert("modelId".to_owned(), json!({"MARKED": "MARKED"}));
        members.insert("MARKED".to_owned(), json!("MARKED"));
        members.insert("invented".to_owned(), json!({"MARKED": {"deep": ["MARKED"]}}));
    }
    Value::Object(members)
}

/// What may be shown, but not as prose.
fn prose(sets: bool) -> Value {
    let worded = list("WORDED");
    let names = ["KNOWN", "ADDED", "ENDPOINT", "NAMES"].into_iter().flat_map(list);
    let members: serde_json::Map<String, Value> = names
        .filter(|name| !worded.contains(name))
        .map(|name| (name.to_owned(), json!("MARKED by words")))
        .chain([("list".to_owned(), json!(["MARKED by words"]))])
        .chain(sets.then(|| ("description".to_owned(), json!("MARKED by words"))))
        .collect();
    Value::Object(members)
}

#[test]
fn what_no_list_shows_comes_out_nowhere() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let logs = put(folder.path(), "logs/a.json", marked(unshown));
    let without = |what: &str, written: &[u8]| {
        let text = String::from_utf8_lossy(written);
        let at = text.find("MARKED").map(|at| text[..at].chars().rev().take(300).collect::<String>());
        assert_eq!(at.map(|before| before.chars().rev().collect::<String>()), None, "{what}");
    };
    let all = "SELECT * FROM events";
    let shown = bedtrail(["query", all, "-s", &logs, "--format", "json", "--show-content"]).run().exits(0);
    assert!(shown.stdout.matches("MARKED").count() > 1000);
    without(
        "query",
        bedtrail(["query", all, "-s", &logs, "--format", "json"]).run().exits(0).stdout.as_bytes(),
    );
    let store = folder.path().join("store");
    bedtrail(["collect", "--store", text(&store), "-s", &logs]).run().exits(0);
    without(
        "store",
        bedtrail(["query", all, "-s", text(&store), "--format", "csv"]).run().exits(0).stdout.as_bytes(),
    );
    let out = folder.path().join("out");
    bedtrail(["audit", "-q", "-s", &logs, "--scope", "agents", "--policy", "fixtures/policy.toml"])
        .out(&out)
        .format("table,csv,json,ndjson,ocsf,asff")
        .run();
    let mut files = 0;
    for file in std::fs::read_dir(&out).expect("a folder").map(|file| file.expect("a file").path()) {
        without(&file.display().to_string(), &std::fs::read(&file).expect("a file"));
        files += 1;
    }
    assert!(files > 40, "{files}");
    for (id, operation) in (1..).zip(OPERATIONS) {
        let event = format!("00000000-0000-4000-8000-{id:012x}");
        without(
            &format!("{operation:?}"),
            bedtrail(["event", &event, "-s", &logs]).run().exits(0).stdout.as_bytes(),
        );
    }
    for shape in ["tree", "json"] {
        let traced = bedtrail(["trace", "s-marked", "-s", &logs, "--format", shape]).run().exits(0);
        without(shape, traced.stdout.as_bytes());
    }
}

#[test]
fn what_is_shown_is_no_prose() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let logs = put(folder.path(), "logs/a.json", marked(prose));
    let sql = "SELECT event_name, request_parameters, response_elements, additional_event_data, service_event_details \
               FROM events ORDER BY event_id";
    let rows = bedtrail(["query", sql, "-s", &logs, "--format", "json"]).run().exits(0).json();
    let rows = rows["reports"][0]["rows"].as_array().expect("rows").clone();
    assert_eq!(rows.len(), OPERATIONS.len());
    for row in &rows {
        let text = row.to_string();
        assert!(text.matches("<15 bytes>").count() > 400 && !text.contains("MARKED"), "{text}");
    }
}
