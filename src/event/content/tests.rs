//! What is hidden, by example and against a parsed tree.

use proptest::prelude::*;

use super::names::{CONTENT, KNOWN, PARTS, RUN_TIME, SHOWN};
use super::*;

#[test]
fn content_becomes_its_length() {
    for (json, want) in [
        (
            r#"{"model":"m","metadata":{"team":"a b"},"stream":true}"#,
            r#"{"model":"m","metadata":"<14 bytes>","stream":true}"#,
        ),
        (
            r#"{ "inputText" : "hello" , "agentId": "A" }"#,
            r#"{ "inputText" : "<5 bytes>" , "agentId": "A" }"#,
        ),
        (r#"{"a":[{"messages":[{"content":"x"}]},2]}"#, r#"{"a":[{"messages":"<17 bytes>"},2]}"#),
        (r#"{"pro\u006dpt":"a\"b"}"#, r#"{"pro\u006dpt":"<4 bytes>"}"#),
        (r#"{"system":7}"#, r#"{"system":"<1 bytes>"}"#),
        (r#"{"body":"{\"prompt\":\"x\"}"}"#, r#"{"body":"<18 bytes>"}"#),
        (r#"{"body":{"inputs":"x"}}"#, r#"{"body":"<14 bytes>"}"#),
    ] {
        assert_eq!(redact(json, Content::Named), want, "{json}");
    }
}

#[test]
fn of_messages_and_tokens_only_what_is_listed_is_shown_and_only_in_its_place() {
    for (json, want) in [
        (
            r#"{"body":{"jsonrpc":"2.0","method":"tools/call","params":{"name":"t","arguments":{"q":1}}}}"#,
            r#"{"body":{"jsonrpc":"2.0","method":"tools/call","params":{"name":"t","arguments":"<7 bytes>"}}}"#,
        ),
        (
            r#"{"body":{"jsonrpc":"2.0","id":1,"method":"tools/call","note":"n","params":{"name":"t","_meta":{"user":"u"}}},"model":"y"}"#,
            r#"{"body":{"jsonrpc":"2.0","id":1,"method":"tools/call","note":"<1 bytes>","params":{"name":"t","_meta":"<12 bytes>"}},"model":"y"}"#,
        ),
        (
            r#"{"body":{"jsonrpc":"2.0","result":{"structuredContent":{"a":1},"isError":true}}}"#,
            r#"{"body":{"jsonrpc":"2.0","result":{"structuredContent":"<7 bytes>","isError":true}}}"#,
        ),
        (
            r#"{"body":{"jsonrpc":"2.0","result":"secret","error":{"code":-32602,"message":"no such tool","data":{"q":1}}}}"#,
            r#"{"body":{"jsonrpc":"2.0","result":"<6 bytes>","error":{"code":-32602,"message":"no such tool","data":"<7 bytes>"}}}"#,
        ),
        // As agents write to agents: a message is what is asked.
        (
            r#"{"body":{"jsonrpc":"2.0","method":"message/send","params":{"message":"hello","code":7,"name":["a"],"params":{"name":"b"}}}}"#,
            r#"{"body":{"jsonrpc":"2.0","method":"message/send","params":{"message":"<5 bytes>","code":"<1 bytes>","name":"<5 bytes>","params":"<12 bytes>"}}}"#,
        ),
        (
            r#"{"body":{"method":"initialize","params":{"clientInfo":{"name":"mcp","version":"1","x":2},"clientInfo.name":"d"},"params.name":"d"}}"#,
            r#"{"body":{"method":"initialize","params":{"clientInfo":{"name":"mcp","version":"1","x":"<1 bytes>"},"clientInfo.name":"<1 bytes>"},"params.name":"<1 bytes>"}}"#,
        ),
    ] {
        assert_eq!(redact(json, Content::Named), want, "{json}");
        assert_eq!(redact(json, Content::Unknown), want, "{json}");
    }
    for (json, want) in [
        (
            r#"{"jwt":{"headers":{"kid":"k","x5c":["c"],"alg":"a"},"claims":{"sub":"s","email":"a@b","exp":1,"x":{"iss":2},"iss":"i"},"type":"JWS","raw":"e"}}"#,
            r#"{"jwt":{"headers":{"kid":"k","x5c":"<5 bytes>","alg":"a"},"claims":{"sub":"s","email":"<3 bytes>","exp":"<1 bytes>","x":"<9 bytes>","iss":"i"},"type":"JWS","raw":"<1 bytes>"}}"#,
        ),
        (
            r#"{"jwt":{"claims":{"sub":["s"],"iss":{"sub":1}}}}"#,
            r#"{"jwt":{"claims":{"sub":"<5 bytes>","iss":"<9 bytes>"}}}"#,
        ),
        (r#"{"jwt":"eyJ","targetId":"t"}"#, r#"{"jwt":"<3 bytes>","targetId":"t"}"#),
        (
            r#"{"claims":{"sub":"s","kid":"k"},"b":["claims"]}"#,
            r#"{"claims":{"sub":"s","kid":"<1 bytes>"},"b":["claims"]}"#,
        ),
        (r#"{"jwt":{"claims":["s"]}}"#, r#"{"jwt":{"claims":"<5 bytes>"}}"#),
    ] {
        assert_eq!(redact(json, Content::Named), want, "{json}");
    }
}

#[test]
fn of_what_callers_ask_only_what_is_known_is_shown() {
    for (json, want) in [
        (
            r#"{"agentRuntimeArn":"arn:x","payload":"p","myExtra":"e","Metadata":{"a":1},"stream":null,"n":5}"#,
            r#"{"agentRuntimeArn":"arn:x","payload":"<1 bytes>","myExtra":"<1 bytes>","Metadata":"<7 bytes>","stream":null,"n":"<1 bytes>"}"#,
        ),
        (
            r#"{"guardrailConfig":{"guardrailIdentifier":"g","note":"n"},"model":{"bedrockModelConfig":{"modelId":"m","x":1}}}"#,
            r#"{"guardrailConfig":{"guardrailIdentifier":"g","note":"<1 bytes>"},"model":{"bedrockModelConfig":{"modelId":"m","x":"<1 bytes>"}}}"#,
        ),
        (
            r#"{"jwt":{"claims":{"sub":"s"}},"claims":{"iss":"i"}}"#,
            r#"{"jwt":"<22 bytes>","claims":"<11 bytes>"}"#,
        ),
        (r#"{"x":"HIDDEN_DUE_TO_SECURITY_REASONS"}"#, r#"{"x":"HIDDEN_DUE_TO_SECURITY_REASONS"}"#),
    ] {
        assert_eq!(redact(json, Content::Unknown), want, "{json}");
    }
}

#[test]
fn what_is_asked_is_told_from_settings() {
    for (activity, category, want) in [
        ("tool", Some("Data"), Content::Unknown),
        ("token_vending", Some("Management"), Content::Unknown),
        ("model_invocation", None, Content::Unknown),
        ("other", Some("Data"), Content::Unknown),
        ("other", Some("Management"), Content::Named),
        ("agent_admin", Some("Data"), Content::Named),
        ("entitlement", Some("Data"), Content::Named),
        ("discovery", None, Content::Named),
    ] {
        assert_eq!(Content::of(activity, category), want, "{activity} {category:?}");
    }
}

#[test]
fn of_a_record_the_request_and_the_answer_are_what_was_asked() {
    let record = r#"{"eventName":"InvokeAgentRuntime","responseElements":{"x":"a","statusCode":200},
        "additionalEventData":{"targetId":"t","jwt":{"raw":"e"}}, "requestParameters" : {"x":"b","metadata":"cde"} ,"userAgent":"u"}"#;
    let want = record
        .replace(r#""x":"a""#, r#""x":"<1 bytes>""#)
        .replace(r#""raw":"e""#, r#""raw":"<1 bytes>""#)
        .replace(r#""metadata":"cde""#, r#""metadata":"<3 bytes>""#);
    assert_eq!(redact_record(record, Content::Unknown), want.replace(r#""x":"b""#, r#""x":"<1 bytes>""#));
    assert_eq!(redact_record(record, Content::Named), want.replace(r#""x":"<1 bytes>""#, r#""x":"a""#));
    assert!(!redact_record(r#"{"eventName":1,"x":"secret"}"#, Content::Named).contains("secret"));
}

#[test]
fn all_else_stays() {
    for json in [
        r#"{"modelId":"m","contentType":"application/json"}"#,
        r#"{"name":"prompt","content":null,"x":"\"prompt\":\"y\""}"#,
        r#"{"params":{"arguments":"REDACTED"},"instruction":"HIDDEN_DUE_TO_SECURITY_REASONS"}"#,
        "null",
        "[]",
        "\"body\"",
        "{}",
        "",
        "\"",
    ] {
        assert!(matches!(redact(json, Content::Named), Cow::Borrowed(same) if same == json), "{json}");
    }
}

#[test]
fn the_lists_are_sorted_and_say_different_things() {
    for list in [CONTENT, KNOWN, RUN_TIME, PARTS, SHOWN] {
        assert!(list.is_sorted());
    }
    assert!(CONTENT.iter().all(|name| KNOWN.binary_search(name).is_err()));
    let part = |name: &str| name.rsplit_once('.').is_none_or(|(part, _)| PARTS.contains(&part));
    assert!(PARTS.iter().chain(SHOWN).all(|name| part(name)));
}

/// Fields that the catalogue does not call sensitive, but whose values are what callers say or do by hand.
const SAID: &[&str] = &["agentName", "blueprints", "certificates", "checks", "name"];

#[test]
fn what_run_time_operations_of_the_catalogue_ask_for_is_known() {
    let catalogue = &include_bytes!("../../../queries/data/event-catalogue.csv")[..];
    let mut rows = csv::Reader::from_reader(catalogue);
    let scope = crate::event::scope::Scope::get();
    let mut seen = 0;
    for row in rows.records().map(|row| row.unwrap()) {
        let category = if &row[3] == "data" { "Data" } else { "Management" };
        if !scope.family(&row[0]) || Content::of(&row[8], Some(category)) != Content::Unknown {
            continue;
        }
        for field in row[9].split(';').filter(|field| !field.is_empty()) {
            let known = [KNOWN, CONTENT].iter().any(|list| list.binary_search(&field).is_ok());
            assert!(known || SAID.contains(&field), "{} {field}", &row[1]);
            seen += 1;
        }
    }
    assert!(seen > 200, "{seen}");
}

#[test]
fn depth_is_no_danger() {
    let json = format!("{{\"prompt\":{}{}}}", "[".repeat(500_000), "]".repeat(500_000));
    assert_eq!(redact(&json, Content::Named), "{\"prompt\":\"<1000000 bytes>\"}");
}

fn value() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<i32>().prop_map(serde_json::Value::from),
        "\\PC{0,6}|secret".prop_map(serde_json::Value::from),
    ];
    leaf.prop_recursive(5, 48, 6, |inner| {
        const NAMES: &[&str] = &[
            "body",
            "claims",
            "jwt",
            "headers",
            "content",
            "modelId",
            "iss",
            "kid",
            "method",
            "params",
            "name",
            "error",
            "code",
            "params.name",
        ];
        let key = prop_oneof![
            4 => proptest::sample::select(NAMES).prop_map(str::to_owned),
            1 => "[a-c\"\\\\]{1,2}",
        ];
        prop_oneof![
            1 => prop::collection::vec(inner.clone(), 0..4).prop_map(serde_json::Value::from),
            3 => prop::collection::btree_map(key, inner, 0..6).prop_map(|map| map.into_iter().collect()),
        ]
    })
}

/// The same by way of a parsed tree; `path` is the part, `None` outside of any.
fn oracle(value: &mut serde_json::Value, path: Option<&str>, content: Content) {
    use serde_json::Value;
    match value {
        Value::Array(items) => items.iter_mut().for_each(|item| oracle(item, None, content)),
        Value::Object(members) => {
            for (key, value) in members {
                let full = path.map_or_else(|| key.clone(), |path| format!("{path}/{key}"));
                let (slashed, is_object) = (full.replace('.', "\\").replace('/', "."), value.is_object());
                let enters = is_object
                    && PARTS.contains(&&*slashed)
                    && match &**key {
                        "body" => {
                            value.get("jsonrpc").is_some_and(|v| !v.is_null())
                                || value.get("method").is_some_and(|v| !v.is_null())
                        }
                        "jwt" | "claims" if path.is_none() => content == Content::Named,
                        _ => true,
                    };
                let is_content = match path {
                    Some(_) => !SHOWN.contains(&&*slashed) || is_object || value.is_array(),
                    None => content.is(key),
                };
                if enters {
                    oracle(value, Some(&full), content);
                } else if is_content && !value.is_null() {
                    let length = match &*value {
                        Value::String(text) => serde_json::to_string(text).unwrap().len() - 2,
                        other => other.to_string().len(),
                    };
                    *value = Value::from(format!("<{length} bytes>"));
                } else {
                    oracle(value, None, content);
                }
            }
        }
        _ => {}
    }
}

proptest! {
    #[test]
    fn agrees_with_a_parsed_tree(value in value()) {
        let json = value.to_string();
        for content in [Content::Named, Content::Unknown] {
            let done = redact(&json, content).into_owned();
            let mut tree = value.clone();
            oracle(&mut tree, None, content);
            prop_assert_eq!(done, tree.to_string());
        }
    }
}
