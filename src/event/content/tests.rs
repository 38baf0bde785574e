//! What is hidden, by example and against a parsed tree.

use proptest::prelude::*;

use super::names::{CONTENT, KNOWN};
use super::shape::{fits, identifier, plain};
use super::shown::{ADDED, ENDPOINT, KINDS, LISTS, NAMES, NUMBERS, PARTS, SAID, SHOWN, WORDED};
use super::*;

#[test]
fn content_of_settings_becomes_its_length() {
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
        (r#"{"body":{"jsonrpc":"2.0","said":1}}"#, r#"{"body":"<26 bytes>"}"#),
        (r#"{"body":{"method":"m"}}"#, r#"{"body":"<14 bytes>"}"#),
        (
            r#"{"clientSecret":"s","promptOverrideConfiguration":{"a":[1]},"environmentVariables":{"K":"v"}}"#,
            r#"{"clientSecret":"<1 bytes>","promptOverrideConfiguration":"<9 bytes>","environmentVariables":"<9 bytes>"}"#,
        ),
    ] {
        assert_eq!(redact(json, Content::Settings), want, "{json}");
        assert_eq!(redact(json, Content::Named), want, "{json}");
    }
}

#[test]
fn prose_is_no_setting_but_where_the_text_is_the_setting() {
    for (json, want) in [
        (
            r#"{"description":"what it does","tags":[{"key":"team","value":"the best"}],"instructionType":"do this"}"#,
            r#"{"description":"<12 bytes>","tags":[{"key":"team","value":"<8 bytes>"}],"instructionType":"<7 bytes>"}"#,
        ),
        (
            r#"{"policy":"{\"Version\": 1}","topics":[{"name":"medical advice","definition":"on ills"}]}"#,
            r#"{"policy":"{\"Version\": 1}","topics":[{"name":"medical advice","definition":"on ills"}]}"#,
        ),
        (
            r#"{"seen":["arn:aws:iam::111122223333:role/r","two words"],"networkMode":"VPC","n":0.5,"at":"2026-10-05T08:02:00Z"}"#,
            r#"{"seen":["arn:aws:iam::111122223333:role/r","<9 bytes>"],"networkMode":"VPC","n":0.5,"at":"2026-10-05T08:02:00Z"}"#,
        ),
        (r#"{"tell me":{"more of it":1},"a b":null}"#, r#"{"<hidden 1>":"<16 bytes>","<hidden 2>":null}"#),
        (r#"{"jwt":{"claims":{"sub":"s"}}}"#, r#"{"jwt":"<22 bytes>"}"#),
    ] {
        assert_eq!(redact(json, Content::Settings), want, "{json}");
    }
    let named = r#"{"userAgent":"a b","tell me":["a b"]}"#;
    assert_eq!(redact(named, Content::Named), named);
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
            r#"{"body":{"jsonrpc":"2.0","id":1,"method":"tools/call","<hidden 1>":"<1 bytes>","params":{"name":"t","_meta":"<12 bytes>"}},"model":"y"}"#,
        ),
        (
            r#"{"body":{"jsonrpc":"2.0","result":{"structuredContent":{"a":1},"isError":true}}}"#,
            r#"{"body":{"jsonrpc":"2.0","result":{"structuredContent":"<7 bytes>","isError":true}}}"#,
        ),
        (
            r#"{"body":{"jsonrpc":"2.0","result":"secret","error":{"code":-32602,"message":"no such tool","data":{"q":1}}}}"#,
            r#"{"body":{"jsonrpc":"2.0","result":"<6 bytes>","error":{"code":-32602,"message":"<12 bytes>","data":"<7 bytes>"}}}"#,
        ),
        // As agents write to agents: a message is what is asked.
        (
            r#"{"body":{"jsonrpc":"2.0","method":"message/send","params":{"message":"hello","code":7,"name":["a"],"params":{"name":"b"}}}}"#,
            r#"{"body":{"jsonrpc":"2.0","method":"message/send","params":{"message":"<5 bytes>","code":"<1 bytes>","name":"<5 bytes>","params":"<12 bytes>"}}}"#,
        ),
        (
            r#"{"body":{"method":"initialize","params":{"clientInfo":{"name":"mcp","version":"1","x":2},"clientInfo.name":"d"},"params.name":"d"}}"#,
            r#"{"body":{"method":"initialize","params":{"clientInfo":{"name":"mcp","version":"1","<hidden 1>":"<1 bytes>"},"<hidden 2>":"<1 bytes>"},"<hidden 3>":"<1 bytes>"}}"#,
        ),
        // Members are numbered through, but those that nobody sees.
        (
            r#"{"x":1,"body":{"y":1,"z":2},"body":{"y":1,"method":"do a thing"},"u":{"v":1}}"#,
            r#"{"<hidden 1>":"<1 bytes>","body":"<13 bytes>","body":{"<hidden 2>":"<1 bytes>","method":"<10 bytes>"},"<hidden 3>":"<7 bytes>"}"#,
        ),
    ] {
        assert_eq!(redact(json, Content::Asked), want, "{json}");
        if !json.contains("model") && !json.contains("\"x\":1") {
            assert_eq!(redact(json, Content::Added), want, "{json}");
        }
    }
    for (json, want) in [
        (
            r#"{"jwt":{"headers":{"kid":"k","x5c":["c"],"alg":"a"},"claims":{"sub":"s","email":"a@b","exp":1,"my claim":{"iss":2},"iss":"i"},"type":"JWS","raw":"e"}}"#,
            r#"{"jwt":{"headers":{"kid":"k","x5c":"<5 bytes>","alg":"a"},"claims":{"sub":"s","email":"<3 bytes>","exp":"<1 bytes>","<hidden 1>":"<9 bytes>","iss":"i"},"type":"JWS","raw":"<1 bytes>"}}"#,
        ),
        (
            r#"{"jwt":{"claims":{"sub":["s"],"iss":{"sub":1}}}}"#,
            r#"{"jwt":{"claims":{"sub":"<5 bytes>","iss":"<9 bytes>"}}}"#,
        ),
        (r#"{"jwt":"eyJ","targetId":"t"}"#, r#"{"jwt":"<3 bytes>","targetId":"t"}"#),
        (
            r#"{"claims":{"sub":"s","kid":"k"},"downstreamRequestIds":["claims"],"name":["claims"]}"#,
            r#"{"claims":{"sub":"s","kid":"<1 bytes>"},"downstreamRequestIds":["claims"],"name":"<10 bytes>"}"#,
        ),
        (r#"{"jwt":{"claims":["s"]}}"#, r#"{"jwt":{"claims":"<5 bytes>"}}"#),
    ] {
        assert_eq!(redact(json, Content::Added), want, "{json}");
    }
}

#[test]
fn of_what_callers_ask_only_what_is_known_is_shown() {
    for (json, want) in [
        (
            r#"{"agentRuntimeArn":"arn:x","payload":"p","myExtra":"e","Metadata":{"a":1},"stream":null,"n":5}"#,
            r#"{"agentRuntimeArn":"arn:x","payload":"<1 bytes>","<hidden 1>":"<1 bytes>","<hidden 2>":"<7 bytes>","stream":null,"<hidden 3>":"<1 bytes>"}"#,
        ),
        (
            r#"{"guardrailConfig":{"guardrailIdentifier":"g","note":"n"},"model":{"bedrockModelConfig":{"modelId":"m","x":1}}}"#,
            r#"{"guardrailConfig":{"guardrailIdentifier":"g","<hidden 1>":"<1 bytes>"},"model":{"bedrockModelConfig":{"modelId":"m","<hidden 2>":"<1 bytes>"}}}"#,
        ),
        (
            r#"{"jwt":{"claims":{"sub":"s"}},"claims":{"iss":"i"}}"#,
            r#"{"jwt":"<22 bytes>","claims":"<11 bytes>"}"#,
        ),
        (
            r#"{"x":"HIDDEN_DUE_TO_SECURITY_REASONS","name":"REDACTED"}"#,
            r#"{"<hidden 1>":"HIDDEN_DUE_TO_SECURITY_REASONS","name":"REDACTED"}"#,
        ),
        (
            r#"{"memoryId":"what I said","event":"e","reason":"because","trace":["t"],"file":"f-1","scopes":["a:b","I said"],"bytes":"x","type":[["y"]]}"#,
            r#"{"memoryId":"<11 bytes>","<hidden 1>":"<1 bytes>","reason":"<7 bytes>","trace":"<5 bytes>","file":"f-1","scopes":["a:b","<6 bytes>"],"bytes":"<1 bytes>","type":"<7 bytes>"}"#,
        ),
        (
            r#"{"omitted":true,"originalSize":131072,"reason":"requestParameters too large"}"#,
            r#"{"omitted":true,"originalSize":131072,"reason":"requestParameters too large"}"#,
        ),
        (r#"{"name":"executeCode"}"#, r#"{"name":"executeCode"}"#),
        (r#"{"name":"my session"}"#, r#"{"name":"<10 bytes>"}"#),
        (r#"{"language":"executeCode"}"#, r#"{"<hidden 1>":"<11 bytes>"}"#),
        (r#"[{"modelId":"m"}]"#, r#""<17 bytes>""#),
        (r#""said""#, r#""<4 bytes>""#),
    ] {
        assert_eq!(redact(json, Content::Asked), want, "{json}");
    }
}

#[test]
fn what_aws_adds_and_what_endpoints_refuse_are_lists_of_their_own() {
    let twin = r#"{"parentRequestId":"r-1","AdditionalEventData":{"additionalEntries":{"inputTokens":"12","inferenceRegion":"us-east-2"}}}"#;
    assert_eq!(redact(twin, Content::Added), twin);
    for (json, want) in [
        (r#"{"text":"t","modelId":"m"}"#, r#"{"text":"<1 bytes>","modelId":"<1 bytes>"}"#),
        (r#"{"inputTokens":"many","outputTokens":9}"#, r#"{"inputTokens":"<4 bytes>","outputTokens":9}"#),
        (
            r#"{"additionalEntries":[{"key":"inputTokens","value":"5"}]}"#,
            r#"{"additionalEntries":"<35 bytes>"}"#,
        ),
    ] {
        assert_eq!(redact(json, Content::Added), want, "{json}");
    }
    let object = r#"{"functionName":"f","bucketName":"b","key":"letters/to my mother.txt","versionId":"v"}"#;
    assert_eq!(redact(object, Content::Refused), object);
    assert_eq!(
        redact(r#"{"functionName":"f","clientContext":"c","payload":"p","mine":1}"#, Content::Refused),
        r#"{"functionName":"f","clientContext":"<1 bytes>","payload":"<1 bytes>","<hidden 1>":"<1 bytes>"}"#
    );
}

#[test]
fn what_is_asked_is_told_from_settings() {
    for (activity, want) in [
        ("tool", Content::Asked),
        ("model_invocation", Content::Asked),
        ("other", Content::Asked),
        ("discovery", Content::Asked),
        ("agent_admin", Content::Settings),
        ("entitlement", Content::Settings),
    ] {
        assert_eq!(Content::of(activity), want, "{activity}");
        assert_eq!(Content::of_parts(true, false, activity), Some((want, Content::Added)), "{activity}");
    }
    assert_eq!(Content::of_parts(false, false, "downstream"), None);
    assert_eq!(Content::of_parts(false, true, "downstream"), Some((Content::Refused, Content::Refused)));
    assert_eq!(Content::of_parts(false, true, "trail_admin"), None);
}

#[test]
fn a_message_is_shown_where_it_refuses_a_call() {
    assert_eq!(redact_message(Some("AccessDenied"), "no"), "no");
    assert_eq!(redact_message(Some("ValidationException"), "Value 'a' at 'inputText'"), "<24 bytes>");
    assert_eq!(redact_message(None, ""), "");
}

#[test]
fn of_a_record_every_part_is_judged_as_what_it_is() {
    let record = r#"{"eventName":"InvokeAgentRuntime","responseElements":{"x":"a","statusCode":200},"errorMessage":"\"b\" is bad",
        "additionalEventData":{"targetId":"t","jwt":{"raw":"e"}}, "requestParameters" : {"x":"b","metadata":"cde"} ,"userAgent":"u v"}"#;
    let want = record
        .replace(r#""raw":"e""#, r#""raw":"<1 bytes>""#)
        .replace(r#""metadata":"cde""#, r#""metadata":"<3 bytes>""#)
        .replace(r#""\"b\" is bad""#, r#""<10 bytes>""#);
    assert_eq!(
        redact_record(record, true, "other"),
        want.replace(r#""x":"a""#, r#""<hidden 1>":"<1 bytes>""#)
            .replace(r#""x":"b""#, r#""<hidden 1>":"<1 bytes>""#)
    );
    assert_eq!(redact_record(record, true, "agent_admin"), want);
    let elsewhere = redact_record(record, false, "downstream");
    assert!(elsewhere.contains(r#""metadata":"<3 bytes>""#) && elsewhere.contains("is bad"), "{elsewhere}");
    assert!(!redact_record(r#"{"eventName":1,"x":"secret"}"#, false, "other").contains("secret"));
}

#[test]
fn shapes() {
    let long = format!("\"{}\"", "a".repeat(257));
    let arn = format!("\"arn:{}\"", "a".repeat(2_000));
    for (text, want) in [
        ("\"eu.anthropic.claude-sonnet-4-5-20250929-v1:0\"", true),
        ("\"s3://bucket/a+b/c=d\"", true),
        ("\"ana@example.com\"", true),
        ("\"\"", true),
        ("true", true),
        ("-1.5e3", true),
        (&*arn, true),
        (&*long, false),
        ("\"two words\"", false),
        ("\"é\"", false),
        ("\"a\\u0041\"", false),
        ("\"https://x/?q=what\"", false),
        ("\"", false),
    ] {
        assert_eq!(plain(text), want, "{text}");
    }
    assert!(fits("bytes", "\"12\"") && !fits("bytes", "\"twelve\"") && fits("trace", "\"ENABLED\""));
    assert!(!fits("trace", "\"a.b\"") && !fits("modelId", "\"a b\"") && fits("modelId", "\"a.b\""));
    assert!(identifier("aws:PrincipalTag/x") && !identifier("") && !identifier("a b") && !identifier("é"));
}

#[test]
fn all_else_stays() {
    for json in [
        r#"{"modelId":"m","contentType":"application/json"}"#,
        r#"{"name":"prompt","content":null}"#,
        r#"{"params":{"arguments":"REDACTED"},"instruction":"HIDDEN_DUE_TO_SECURITY_REASONS"}"#,
        "null",
        "[]",
        "\"body\"",
        "{}",
        "",
    ] {
        assert!(matches!(redact(json, Content::Settings), Cow::Borrowed(same) if same == json), "{json}");
        assert!(matches!(redact(json, Content::Named), Cow::Borrowed(same) if same == json), "{json}");
    }
}

#[test]
fn the_lists_are_sorted_and_say_different_things() {
    for list in [CONTENT, KNOWN, ADDED, ENDPOINT, NUMBERS, KINDS, LISTS, WORDED, SAID, NAMES, PARTS, SHOWN] {
        assert!(list.is_sorted());
    }
    let shown = [KNOWN, ADDED, ENDPOINT];
    assert!(CONTENT.iter().chain(NAMES).all(|name| shown.iter().all(|list| !among(list, name))));
    let counts_and_kinds = NUMBERS.iter().chain(KINDS).chain(LISTS);
    assert!(counts_and_kinds.clone().all(|name| shown.iter().any(|list| among(list, name))));
    assert!(NUMBERS.iter().all(|name| !among(KINDS, name)));
    let part = |name: &str| name.rsplit_once('.').is_none_or(|(part, _)| PARTS.contains(&part));
    assert!(PARTS.iter().chain(SHOWN).all(|name| part(name)));
    for name in PARTS.iter().chain(SHOWN).flat_map(|name| name.split('.')) {
        assert!(Content::Asked.names(name), "{name}");
    }
}

/// Fields that the catalogue does not call sensitive, but whose values are what callers say or do by hand.
const BY_HAND: &[&str] =
    &["agentName", "blueprints", "certificates", "checks", "documentIdentifiers", "name"];

#[test]
fn what_operations_of_the_catalogue_ask_for_is_known() {
    let catalogue = &include_bytes!("../../../queries/data/event-catalogue.csv")[..];
    let mut rows = csv::Reader::from_reader(catalogue);
    let scope = crate::event::scope::Scope::get();
    let mut seen = 0;
    for row in rows.records().map(|row| row.unwrap()) {
        if !scope.family(&row[0]) {
            continue;
        }
        let asked = Content::of(&row[8]) == Content::Asked;
        for field in row[9].split(';').filter(|field| !field.is_empty() && asked) {
            let known = [KNOWN, CONTENT].iter().any(|list| among(list, field));
            assert!(known || BY_HAND.contains(&field), "{} {field}", &row[1]);
            seen += 1;
        }
        for field in row[10].split(';').filter(|field| !field.is_empty()) {
            let field = field.split('.').next().unwrap();
            assert!(Content::Asked.names(field), "{} {field}", &row[1]);
        }
    }
    assert!(seen > 400, "{seen}");
}

#[test]
fn depth_is_no_danger() {
    let json = format!("{{\"prompt\":{}{}}}", "[".repeat(500_000), "]".repeat(500_000));
    assert_eq!(redact(&json, Content::Settings), "{\"prompt\":\"<1000000 bytes>\"}");
}

fn value() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<i32>().prop_map(serde_json::Value::from),
        "\\PC{0,6}|secret|12|two words".prop_map(serde_json::Value::from),
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
            "scopes",
            "trace",
            "bytes",
            "targetId",
            "key",
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

/// The text of a value as it is written.
fn written(value: &serde_json::Value) -> String {
    value.to_string()
}

/// The same by way of a parsed tree, written anew; `path` is the part, `None` outside of any.
fn oracle(value: &serde_json::Value, path: Option<&str>, content: Content, unnamed: &mut u32) -> String {
    use serde_json::Value;
    let hidden = |value: &Value| {
        let text = written(value);
        format!("\"<{} bytes>\"", if value.is_string() { text.len() - 2 } else { text.len() })
    };
    match value {
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(|item| oracle(item, None, content, unnamed)).collect();
            format!("[{}]", items.join(","))
        }
        Value::String(_) if content != Content::Named && !plain(&written(value)) => hidden(value),
        Value::Object(members) => {
            let mut out = Vec::new();
            for (key, value) in members {
                let full = path.map_or_else(|| key.clone(), |path| format!("{path}/{key}"));
                let (slashed, is_object) = (full.replace('.', "\\").replace('/', "."), value.is_object());
                let has = |name: &str| value.get(name).is_some_and(|value| !value.is_null());
                let enters = is_object
                    && PARTS.contains(&&*slashed)
                    && match &**key {
                        "body" if path.is_none() => {
                            content.looks_into("body") && (has("jsonrpc") || has("method"))
                        }
                        "jwt" | "claims" if path.is_none() => content.looks_into(key),
                        _ => true,
                    };
                let text = written(value);
                let opens = is_object || value.is_array();
                let is_content = match path {
                    Some(_) => opens || !SHOWN.contains(&&*slashed) || !plain(&text),
                    None => content.hides(key, if opens { &text[..1] } else { &text }),
                };
                let label = if content.names(key) {
                    serde_json::to_string(key).unwrap()
                } else {
                    *unnamed += 1;
                    format!("\"<hidden {unnamed}>\"")
                };
                let value = if enters {
                    oracle(value, Some(&full), content, unnamed)
                } else if is_content && !value.is_null() {
                    hidden(value)
                } else if opens {
                    oracle(value, None, content, unnamed)
                } else {
                    text
                };
                out.push(format!("{label}:{value}"));
            }
            format!("{{{}}}", out.join(","))
        }
        _ => written(value),
    }
}

proptest! {
    #[test]
    fn agrees_with_a_parsed_tree(value in value()) {
        let json = value.to_string();
        for content in [Content::Named, Content::Settings, Content::Asked, Content::Added, Content::Refused] {
            if content.allowed().is_some() && !value.is_object() {
                continue;
            }
            prop_assert_eq!(redact(&json, content), oracle(&value, None, content, &mut 0), "{:?}", content);
        }
    }
}
