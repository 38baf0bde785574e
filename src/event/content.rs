//! What callers put in by hand (prompts, tool arguments, metadata, JWT claims) is kept only by its length.

use std::borrow::Cow;
use std::fmt::Write as _;

/// Members whose value is content, at any depth; of `sensitive_fields` in queries/data/event-catalogue.csv those that callers
/// fill with what they ask, say, pay with or sign in with.
const CONTENT: &[&str] = &[
    "apiKey",
    "arguments",
    "body",
    "content",
    "customParameters",
    "customState",
    "documents",
    "environmentVariables",
    "evaluationInput",
    "evaluationReferenceInputs",
    "examples",
    "guardContent",
    "inlineSessionState",
    "input",
    "inputText",
    "inputs",
    "instruction",
    "messages",
    "metadata",
    "modelInput",
    "payload",
    "paymentInput",
    "paymentInstrumentDetails",
    "prompt",
    "promptVariables",
    "queries",
    "queryContent",
    "queryGenerationInput",
    "records",
    "requestMetadata",
    "retrievalQuery",
    "searchCriteria",
    "searchQuery",
    "sessionState",
    "sourceContent",
    "system",
    "systemPrompt",
    "userContext",
    "userIdentifier",
    "userToken",
    "workloadIdentityToken",
];

/// Members of a JSON-RPC message that are no content: who asks for what, and whether it went wrong. All else in it (arguments,
/// results, what a client adds of its own) comes from callers and their tools.
const RPC: &[&str] = &[
    "clientInfo",
    "code",
    "error",
    "id",
    "isError",
    "jsonrpc",
    "message",
    "method",
    "name",
    "params",
    "protocolVersion",
    "result",
    "serverInfo",
    "version",
];

/// Of these the ones that hold others; a bare value in their place is content.
const RPC_PARTS: &[&str] = &["clientInfo", "params", "result", "serverInfo"];

/// What AWS writes where it has already hidden a value; it is kept, for it says who hid it.
const HIDDEN: &[&str] =
    &["\"HIDDEN_DUE_TO_SECURITY_REASONS\"", "\"REDACTED\"", "\"***\"", "\"***OMITTED***\""];

/// The JSON text with content replaced by `"<N bytes>"`, N being the length of the text between the quotes or of the value as
/// logged. All else stays byte for byte.
///
/// Content is the value of a member in `CONTENT`, and every member of an object `claims` but `iss` and `sub`. A `body` that
/// is a JSON-RPC message is looked into instead, as its method and tool name are no content: there all is content but what `RPC`
/// names. `json` must be valid JSON, as
/// what serde has read is.
pub fn redact(json: &str) -> Cow<'_, str> {
    let bytes = json.as_bytes();
    let (mut out, mut copied, mut at) = (String::new(), 0, 0);
    let (mut claims_end, mut rpc_end) = (0, 0);
    while let Some(start) = memchr::memchr(b'"', &bytes[at..]).map(|found| at + found) {
        let end = string_end(bytes, start);
        at = end;
        let colon = skip_space(bytes, end);
        if bytes.get(colon) != Some(&b':') {
            continue;
        }
        let value = skip_space(bytes, colon + 1);
        at = value;
        let key = unescaped(&json[start..end]);
        let is_object = bytes.get(value) == Some(&b'{');
        if &*key == "claims" && is_object && value >= claims_end.max(rpc_end) {
            claims_end = value_end(bytes, value);
            continue;
        }
        let is_content = if value < claims_end {
            !matches!(&*key, "iss" | "sub")
        } else if value < rpc_end {
            RPC.binary_search(&&*key).is_err() || (!is_object && RPC_PARTS.contains(&&*key))
        } else {
            CONTENT.binary_search(&&*key).is_ok()
        };
        if !is_content {
            continue;
        }
        let end = value_end(bytes, value);
        let text = &json[value..end];
        if &*key == "body" && is_object && value >= rpc_end && is_rpc(text) {
            rpc_end = end;
            continue;
        }
        if text == "null" || HIDDEN.contains(&text) {
            continue;
        }
        let length = if text.starts_with('"') { text.len().saturating_sub(2) } else { text.len() };
        out.push_str(&json[copied..value]);
        // Writing to a string cannot fail.
        let _ = write!(out, "\"<{length} bytes>\"");
        (copied, at) = (end, end);
    }
    if copied == 0 {
        return Cow::Borrowed(json);
    }
    out.push_str(&json[copied..]);
    Cow::Owned(out)
}

/// A key without its quotes and escapes: an escaped letter must not hide content.
fn unescaped(quoted: &str) -> Cow<'_, str> {
    if quoted.contains('\\') {
        return serde_json::from_str(quoted).map_or(Cow::Borrowed(quoted), Cow::Owned);
    }
    Cow::Borrowed(quoted.get(1..quoted.len().saturating_sub(1)).unwrap_or_default())
}

/// Whether an object is a JSON-RPC message: it has that member at its own level.
fn is_rpc(text: &str) -> bool {
    #[derive(serde::Deserialize)]
    struct Rpc {
        jsonrpc: Option<serde::de::IgnoredAny>,
        method: Option<serde::de::IgnoredAny>,
    }
    serde_json::from_str::<Rpc>(text).is_ok_and(|rpc| rpc.jsonrpc.is_some() || rpc.method.is_some())
}

fn skip_space(bytes: &[u8], mut at: usize) -> usize {
    while matches!(bytes.get(at), Some(b' ' | b'\t' | b'\n' | b'\r')) {
        at += 1;
    }
    at
}

/// The index after a string that begins at `start`.
fn string_end(bytes: &[u8], start: usize) -> usize {
    let mut at = start + 1;
    while let Some(found) = bytes.get(at..).and_then(|rest| memchr::memchr2(b'"', b'\\', rest)) {
        if bytes[at + found] == b'"' {
            return at + found + 1;
        }
        at += found + 2;
    }
    bytes.len()
}

/// The index after the value that begins at `start`, found without recursion: hostile text nests deep.
fn value_end(bytes: &[u8], start: usize) -> usize {
    let (mut at, mut depth) = (start, 0_usize);
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'"' => {
                at = string_end(bytes, at);
                if depth == 0 {
                    return at;
                }
                continue;
            }
            b'{' | b'[' => depth += 1,
            b'}' | b']' if depth <= 1 => return if depth == 1 { at + 1 } else { at },
            b'}' | b']' => depth -= 1,
            b',' | b' ' | b'\t' | b'\n' | b'\r' if depth == 0 => return at,
            _ => {}
        }
        at += 1;
    }
    bytes.len()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

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
            (
                r#"{"body":{"jsonrpc":"2.0","method":"tools/call","params":{"name":"t","arguments":{"q":1}}}}"#,
                r#"{"body":{"jsonrpc":"2.0","method":"tools/call","params":{"name":"t","arguments":"<7 bytes>"}}}"#,
            ),
            (
                r#"{"body":{"jsonrpc":"2.0","id":1,"method":"tools/call","note":"n","params":{"name":"t","_meta":{"user":"u"}}},"x":"y"}"#,
                r#"{"body":{"jsonrpc":"2.0","id":1,"method":"tools/call","note":"<1 bytes>","params":{"name":"t","_meta":"<12 bytes>"}},"x":"y"}"#,
            ),
            (
                r#"{"body":{"jsonrpc":"2.0","result":{"structuredContent":{"a":1},"isError":true}}}"#,
                r#"{"body":{"jsonrpc":"2.0","result":{"structuredContent":"<7 bytes>","isError":true}}}"#,
            ),
            (
                r#"{"body":{"jsonrpc":"2.0","result":"secret","error":{"code":-32602,"message":"no such tool","data":{"q":1}}}}"#,
                r#"{"body":{"jsonrpc":"2.0","result":"<6 bytes>","error":{"code":-32602,"message":"no such tool","data":"<7 bytes>"}}}"#,
            ),
            (
                r#"{"jwt":{"headers":{"kid":"k"},"claims":{"sub":"s","email":"a@b","exp":1,"x":{"iss":2},"iss":"i"},"type":"JWS"}}"#,
                r#"{"jwt":{"headers":{"kid":"k"},"claims":{"sub":"s","email":"<3 bytes>","exp":"<1 bytes>","x":"<9 bytes>","iss":"i"},"type":"JWS"}}"#,
            ),
        ] {
            assert_eq!(redact(json), want, "{json}");
        }
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
            assert!(matches!(redact(json), Cow::Borrowed(same) if same == json), "{json}");
        }
    }

    #[test]
    fn the_list_is_sorted() {
        assert!(CONTENT.is_sorted() && RPC.is_sorted());
    }

    #[test]
    fn depth_is_no_danger() {
        let json = format!("{{\"prompt\":{}{}}}", "[".repeat(500_000), "]".repeat(500_000));
        assert_eq!(redact(&json), "{\"prompt\":\"<1000000 bytes>\"}");
    }

    fn value() -> impl Strategy<Value = serde_json::Value> {
        let leaf = prop_oneof![
            Just(serde_json::Value::Null),
            any::<i32>().prop_map(serde_json::Value::from),
            "\\PC{0,6}|secret".prop_map(serde_json::Value::from),
        ];
        leaf.prop_recursive(4, 24, 4, |inner| {
            let key = prop_oneof![
                Just("body".to_owned()),
                Just("claims".to_owned()),
                Just("content".to_owned()),
                "[a-c\"\\\\]{1,2}"
            ];
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(serde_json::Value::from),
                prop::collection::btree_map(key, inner, 0..4).prop_map(|map| map.into_iter().collect()),
            ]
        })
    }

    /// The same by way of a parsed tree.
    fn oracle(value: &mut serde_json::Value, in_claims: bool) {
        use serde_json::Value;
        match value {
            Value::Array(items) => items.iter_mut().for_each(|item| oracle(item, false)),
            Value::Object(members) => {
                for (key, value) in members {
                    let content = CONTENT.contains(&&**key) || in_claims;
                    if content && !value.is_null() {
                        let length = match &*value {
                            Value::String(text) => serde_json::to_string(text).unwrap().len() - 2,
                            other => other.to_string().len(),
                        };
                        *value = Value::from(format!("<{length} bytes>"));
                    } else {
                        oracle(value, key == "claims");
                    }
                }
            }
            _ => {}
        }
    }

    proptest! {
        #[test]
        fn agrees_with_a_parsed_tree(mut value in value()) {
            let json = value.to_string();
            let done = redact(&json).into_owned();
            oracle(&mut value, false);
            prop_assert_eq!(done, value.to_string());
        }
    }
}
