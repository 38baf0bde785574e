//! The model-invocation log beside the trail.

use serde_json::{Value, json};

use crate::command::bedtrail;
use crate::odd::{call, document};
use crate::program::{ask, put, text};

fn logged(request: &str, input: i64) -> Value {
    json!({
        "schemaType": "ModelInvocationLog", "schemaVersion": "1.0", "timestamp": "2026-10-05T10:00:00Z",
        "accountId": "111122223333", "region": "eu-central-1", "requestId": request, "operation": "Converse",
        "modelId": "anthropic.claude-sonnet-4-5-20250929-v1:0",
        "input": {"inputTokenCount": input, "cacheReadInputTokenCount": 30, "inputBodyJson": {"prompt": "a secret"}},
        "output": {"outputTokenCount": 10, "outputBodyJson": {"answer": "another secret"}},
    })
}

fn model_call(number: u32, request: &str, tokens: Option<i64>) -> String {
    let mut more = vec![
        ("requestID", format!("{request:?}")),
        ("requestParameters", r#"{"modelId":"anthropic.claude-sonnet-4-5-20250929-v1:0"}"#.to_owned()),
    ];
    if let Some(tokens) = tokens {
        more.push(("additionalEventData", format!(r#"{{"inputTokens":{tokens},"outputTokens":10}}"#)));
    }
    let more: Vec<(&str, &str)> = more.iter().map(|(name, value)| (*name, value.as_str())).collect();
    call(number, &more)
}

#[test]
fn both_sources_are_compared_call_by_call_and_no_word_of_a_prompt_is_kept() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let trail = [
        model_call(1, "both", Some(100)),
        model_call(2, "differs", Some(100)),
        model_call(3, "no-tokens", None),
        model_call(4, "trail-only", None),
    ];
    put(folder.path(), "trail/a.json", document(&trail));
    let lines = [logged("both", 100), logged("differs", 99), logged("no-tokens", 7), logged("log-only", 1)];
    let lines: Vec<String> = lines.iter().map(Value::to_string).collect();
    let place = "logs/AWSLogs/111122223333/BedrockModelInvocationLogs/eu-central-1/2026/10/05/10";
    put(folder.path(), &format!("{place}/20261005T100000000Z_0123456789abcdef.json"), lines.join("\n"));
    put(folder.path(), &format!("{place}/data/x_input.json"), "{\"prompt\":\"a secret\"}");
    put(folder.path(), "logs/amazon-bedrock-logs-permission-check", "");
    let (trail, logs) = (folder.path().join("trail"), folder.path().join("logs"));
    let sources = ["-s", text(&trail), "--invocation-logs", text(&logs)];

    let report = bedtrail(["report", "token-sources", "--format", "json"]).args(sources).run();
    assert_eq!(report.code, 0, "{}", report.stderr);
    let rows = &report.json()["reports"][0]["rows"];
    let row = &rows[0];
    for (column, value) in [
        ("calls", 5),
        ("in_both", 3),
        ("trail_only", 1),
        ("log_only", 1),
        ("differing", 1),
        ("input_tokens_trail", 200),
        ("input_tokens_log", 207),
    ] {
        assert_eq!(row[column], value, "{column} of {row}");
    }
    assert!(!report.stdout.contains("secret"));

    let tokens = ask(
        "SELECT request_id, input_tokens, cache_read_tokens, token_source FROM usage ORDER BY request_id",
        &sources,
    );
    let told: Vec<String> = tokens.rows.iter().map(Value::to_string).collect();
    assert_eq!(
        told,
        [
            r#"{"cache_read_tokens":30,"input_tokens":100,"request_id":"both","token_source":"cloudtrail+invocation_log"}"#,
            r#"{"cache_read_tokens":null,"input_tokens":100,"request_id":"differs","token_source":"cloudtrail"}"#,
            r#"{"cache_read_tokens":30,"input_tokens":7,"request_id":"no-tokens","token_source":"invocation_log"}"#,
            r#"{"cache_read_tokens":null,"input_tokens":null,"request_id":"trail-only","token_source":null}"#,
        ]
    );
    assert!(
        tokens.footer.iter().any(|line| line.starts_with("Model-invocation log: 1 objects read, 4 calls"))
    );

    let words = "SELECT input_content, output_content FROM invocation_logs WHERE request_id = 'both'";
    assert_eq!(ask(words, &sources).rows[0], json!({"input_content": null, "output_content": null}));
    let shown = [&sources[..], &["--show-content"][..]].concat();
    let row = &ask(words, &shown).rows[0];
    assert_eq!(row["input_content"], r#"{"prompt":"a secret"}"#, "{row}");
}

#[test]
fn the_region_that_the_log_names_is_where_the_model_ran() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let calls = ["sent-on", "stayed", "tokens-only"];
    let trail: Vec<String> =
        (1..).zip(calls).map(|(number, request)| model_call(number, request, None)).collect();
    let source = put(folder.path(), "trail/a.json", document(&trail));
    let mut away = logged("sent-on", 1);
    away["inferenceRegion"] = "us-west-2".into();
    // A log may know the Region and no tokens.
    for part in ["input", "output"] {
        away[part] = json!({});
    }
    let mut here = logged("stayed", 1);
    here["inferenceRegion"] = "".into();
    let lines = [away, here, logged("tokens-only", 1)].map(|line| line.to_string()).join("\n");
    let logs = put(folder.path(), "logs/a.json", lines);
    let policy = put(
        folder.path(),
        "policy.toml",
        "schema = 1\nname = 'p'\nversion = '1'\n[[environment]]\nname = 'e'\naccounts = ['*']\n\
         inference_geographies = ['eu']\n",
    );
    let sources = ["-s", &source, "--invocation-logs", &logs, "--policy", &policy];
    let rows = ask(
        "SELECT u.request_id, u.inference_region, u.input_tokens, f.observed FROM usage AS u \
         LEFT JOIN findings AS f ON f.rule_id = 'BT021' AND f.status = 'violation' \
         AND f.sample_event_ids LIKE '%' || u.event_id || '%' ORDER BY u.event_id",
        &sources,
    )
    .rows;
    let told: Vec<String> = rows.iter().map(Value::to_string).collect();
    assert_eq!(
        told,
        [
            r#"{"inference_region":"us-west-2","input_tokens":null,"observed":"called in eu-central-1, ran in us-west-2 (1 ok, 0 denied, 0 other)","request_id":"sent-on"}"#,
            r#"{"inference_region":null,"input_tokens":1,"observed":null,"request_id":"stayed"}"#,
            r#"{"inference_region":null,"input_tokens":1,"observed":null,"request_id":"tokens-only"}"#,
        ]
    );
}

#[test]
fn cost_is_tokens_times_the_price_given() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let source =
        put(folder.path(), "a.json", document(&[model_call(1, "r", Some(2000)), model_call(2, "s", None)]));
    let prices = "model_id,region_class,tier,input_usd_per_1k,output_usd_per_1k,cache_read_usd_per_1k,\
                  cache_write_usd_per_1k,source,as_of\n\
                  anthropic.claude-sonnet-4-5-20250929-v1:0,default,standard,0.5,2,,,our contract,2026-10-01\n";
    let file = put(folder.path(), "prices.csv", prices);
    let ran = bedtrail(["report", "cost", "--format", "json", "-s", &source, "--prices", &file]).run();
    let row = &ran.json()["reports"][0]["rows"][0];
    assert_eq!((&row["estimated_usd"], &row["unknown_share"]), (&json!(1.02), &json!(0.5)), "{row}");
    assert_eq!(row["price_source"], "our contract");

    let other = put(folder.path(), "other.csv", prices.replace("anthropic", "another"));
    let ran = bedtrail(["report", "cost", "--format", "json", "-s", &source, "--prices", &other]).run();
    let row = &ran.json()["reports"][0]["rows"][0];
    assert_eq!((&row["estimated_usd"], &row["price_source"]), (&Value::Null, &Value::Null), "{row}");

    let wrong = put(folder.path(), "wrong.csv", prices.replace("0.5", "half"));
    let ran = bedtrail(["report", "cost", "-s", &source, "--prices", &wrong]).run();
    assert_eq!(ran.code, 2);
    assert!(ran.stderr.contains("line 2: input_usd_per_1k is no decimal number"), "{}", ran.stderr);
}

#[test]
fn a_line_that_cannot_be_read_is_said_and_is_3() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let source = put(folder.path(), "trail/a.json", document(&[model_call(1, "r", None)]));
    let logs = put(folder.path(), "logs/a.json", format!("{}\n{{\"half\n", logged("r", 5)));
    let ran = bedtrail(["report", "token-sources", "-s", &source, "--invocation-logs", &logs]).run();
    assert_eq!(ran.code, 3);
    assert!(ran.stderr.contains("line 1 of"), "{}", ran.stderr);
}
