//! JSON text, read as Trino reads it: paths, values by path, elements, and the text of a value.

use std::borrow::Cow;
use std::cell::Cell;
use std::fmt::{self, Write as _};

use datafusion::common::{DataFusionError, exec_err};
use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

/// One step of a path: a member by name, or an element where the name is a number.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Step<'a> {
    name: Cow<'a, str>,
    index: Option<usize>,
}

impl<'a> Step<'a> {
    fn new(name: Cow<'a, str>) -> Self {
        let index = name.parse().ok();
        Self { name, index }
    }
}

/// Parses `$`, `.name`, `["any name"]` and `[0]`.
pub(super) fn steps<'a>(function: &str, path: &'a str) -> Result<Vec<Step<'a>>, DataFusionError> {
    let fail = |at: &str| {
        let at = if at.is_empty() { "its end" } else { at };
        exec_err!(
            "{function}: the path '{path}' is wrong at {at}; paths look like $.a.b, $[\"a.b\"] and $.a[0]"
        )
    };
    let Some(mut rest) = path.strip_prefix('$') else { return fail(path) };
    let mut steps = Vec::new();
    while !rest.is_empty() {
        if let Some(after) = rest.strip_prefix('.') {
            let end = after.find(['.', '[']).unwrap_or(after.len());
            let (name, tail) = after.split_at(end);
            let plain = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | ':' | '$' | '@' | '/');
            if name.is_empty() || !name.chars().all(plain) {
                return fail(rest);
            }
            steps.push(Step::new(Cow::Borrowed(name)));
            rest = tail;
        } else if let Some(after) = rest.strip_prefix("[\"") {
            let Some((name, tail)) = quoted(after) else { return fail(rest) };
            steps.push(Step::new(name));
            rest = tail;
        } else if let Some(after) = rest.strip_prefix('[') {
            let Some((name, tail)) = after.split_once(']') else { return fail(rest) };
            if name.is_empty() || !name.bytes().all(|byte| byte.is_ascii_digit()) {
                return fail(rest);
            }
            steps.push(Step::new(Cow::Borrowed(name)));
            rest = tail;
        } else {
            return fail(rest);
        }
    }
    Ok(steps)
}

/// The name up to `"]`, where a backslash takes the next character as it is, and what follows.
fn quoted(text: &str) -> Option<(Cow<'_, str>, &str)> {
    let mut name = String::new();
    let mut chars = text.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '\\' => name.push(chars.next()?.1),
            '"' => {
                let tail = text[at + 1..].strip_prefix(']')?;
                let same = name.len() == at;
                return Some((if same { Cow::Borrowed(&text[..at]) } else { Cow::Owned(name) }, tail));
            }
            c => name.push(c),
        }
    }
    None
}

/// The text of the value at the end of the steps, as written. Only the way to it is parsed, the first of repeated keys
/// wins, and what follows it is not read.
pub(super) fn find<'a>(json: &'a str, steps: &[Step<'_>]) -> Option<&'a str> {
    let found = Cell::new(None);
    let mut reader = serde_json::Deserializer::from_str(json);
    // The walk stops with an error as soon as it has the value.
    let _ = Walk { steps, found: &found }.deserialize(&mut reader);
    found.into_inner()
}

/// What a scalar says: strings unquoted, numbers and booleans as written; null for all else.
pub(super) fn scalar(value: &str) -> Option<Cow<'_, str>> {
    match value.as_bytes().first() {
        Some(b'"') => serde_json::from_str::<Scalar<'_>>(value).ok().map(|scalar| scalar.0),
        Some(b'{' | b'[' | b'n') | None => None,
        Some(_) => Some(Cow::Borrowed(value)),
    }
}

/// The texts of an array's elements; none if the text holds no array. What follows the array is not read.
pub(super) fn elements(json: &str) -> Option<Vec<&RawValue>> {
    let mut reader = serde_json::Deserializer::from_str(json);
    Vec::<&RawValue>::deserialize(&mut reader).ok()
}

/// How many members an object has, repeated ones included; none if the text holds no object.
pub(super) fn members(json: &str) -> Option<usize> {
    struct Count;
    impl<'a> Visitor<'a> for Count {
        type Value = usize;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object")
        }

        fn visit_map<A: MapAccess<'a>>(self, mut map: A) -> Result<usize, A::Error> {
            let mut count = 0;
            while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {
                count += 1;
            }
            Ok(count)
        }
    }
    serde_json::Deserializer::from_str(json).deserialize_map(Count).ok()
}

/// A value without white space between its parts, its strings with no escape but the necessary ones; numbers stay as
/// they are written.
pub(super) fn compact(value: &str) -> Cow<'_, str> {
    if !value.bytes().any(|byte| matches!(byte, b' ' | b'\t' | b'\n' | b'\r' | b'\\')) {
        return Cow::Borrowed(value);
    }
    let mut text = String::with_capacity(value.len());
    let mut rest = value;
    while let Some(at) = rest.find(['"', ' ', '\t', '\n', '\r']) {
        text.push_str(&rest[..at]);
        rest = &rest[at..];
        if !rest.starts_with('"') {
            rest = &rest[1..];
            continue;
        }
        let (string, after) = rest.split_at(string_end(rest));
        match scalar(string) {
            Some(plain) if string.contains('\\') => quote(&plain, &mut text),
            _ => text.push_str(string),
        }
        rest = after;
    }
    text.push_str(rest);
    Cow::Owned(text)
}

/// Where the string ends that a text opens with.
fn string_end(text: &str) -> usize {
    let mut escaped = false;
    for (at, byte) in text.bytes().enumerate().skip(1) {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return at + 1,
            _ => {}
        }
    }
    text.len()
}

fn quote(plain: &str, text: &mut String) {
    text.push('"');
    for c in plain.chars() {
        match c {
            '"' => text.push_str("\\\""),
            '\\' => text.push_str("\\\\"),
            '\u{8}' => text.push_str("\\b"),
            '\u{c}' => text.push_str("\\f"),
            '\n' => text.push_str("\\n"),
            '\r' => text.push_str("\\r"),
            '\t' => text.push_str("\\t"),
            c if c < ' ' => {
                let _ = write!(text, "\\u{:04X}", u32::from(c));
            }
            c => text.push(c),
        }
    }
    text.push('"');
}

struct Walk<'w, 'a> {
    steps: &'w [Step<'w>],
    found: &'w Cell<Option<&'a str>>,
}

impl<'a> DeserializeSeed<'a> for Walk<'_, 'a> {
    type Value = ();

    fn deserialize<D: Deserializer<'a>>(self, reader: D) -> Result<(), D::Error> {
        if !self.steps.is_empty() {
            return reader.deserialize_any(self);
        }
        self.found.set(Some(<&RawValue>::deserialize(reader)?.get()));
        Err(D::Error::custom("done"))
    }
}

impl<'a> Visitor<'a> for Walk<'_, 'a> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object or an array")
    }

    fn visit_map<A: MapAccess<'a>>(self, mut map: A) -> Result<(), A::Error> {
        let Some((step, steps)) = self.steps.split_first() else { return Ok(()) };
        while let Some(key) = map.next_key::<Scalar<'a>>()? {
            if key.0 == step.name {
                map.next_value_seed(Walk { steps, found: self.found })?;
                return Err(A::Error::custom("done"));
            }
            map.next_value::<IgnoredAny>()?;
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'a>>(self, mut seq: A) -> Result<(), A::Error> {
        let Some((step, steps)) = self.steps.split_first() else { return Ok(()) };
        let Some(index) = step.index else { return Err(A::Error::custom("done")) };
        for _ in 0..index {
            if seq.next_element::<IgnoredAny>()?.is_none() {
                return Ok(());
            }
        }
        seq.next_element_seed(Walk { steps, found: self.found })?;
        Err(A::Error::custom("done"))
    }
}

/// A JSON string, borrowed where it has no escapes.
#[derive(serde::Deserialize)]
struct Scalar<'a>(#[serde(borrow)] Cow<'a, str>);

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use proptest::prelude::*;

    use super::*;

    fn get(json: &str, path: &str) -> Option<String> {
        find(json, &steps("f", path).unwrap()).and_then(scalar).map(Cow::into_owned)
    }

    #[test]
    fn scalars_come_as_text() {
        let json = r#"{"a":{"b":"x","n":1.50e3,"t":true,"f":false,"z":null,"o":{},"l":[]},"a.b":"dot","é\n":"u\u00e9"}"#;
        assert_eq!(get(json, "$.a.b").as_deref(), Some("x"));
        assert_eq!(get(json, "$.a.n").as_deref(), Some("1.50e3"));
        assert_eq!(get(json, "$.a.t").as_deref(), Some("true"));
        assert_eq!(get(json, "$.a.f").as_deref(), Some("false"));
        assert_eq!(get(json, r#"$["a.b"]"#).as_deref(), Some("dot"));
        assert_eq!(get(json, r#"$["a"]["b"]"#).as_deref(), Some("x"));
        for nothing in ["$", "$.a", "$.a.z", "$.a.o", "$.a.l", "$.missing", "$.a.b.c", "$.a.l[0]", "$.A.b"] {
            assert_eq!(get(json, nothing), None, "{nothing}");
        }
        assert_eq!(get("\"x\"", "$").as_deref(), Some("x"));
        assert_eq!(get(" 12 ", "$").as_deref(), Some("12"));
        assert_eq!(get(r#"{"k":"a\"\u00e9"}"#, "$.k").as_deref(), Some("a\"é"));
        assert_eq!(get(r#"{"\u006b":"escaped key"}"#, "$.k").as_deref(), Some("escaped key"));
    }

    #[test]
    fn elements_are_counted_from_zero() {
        let json = r#"{"l":[{"a":"x"},[1,2],"three"]}"#;
        assert_eq!(get(json, "$.l[0].a").as_deref(), Some("x"));
        assert_eq!(get(json, "$.l[1][1]").as_deref(), Some("2"));
        assert_eq!(get(json, "$.l.2").as_deref(), Some("three"));
        assert_eq!(get(json, "$.l[3]"), None);
        assert_eq!(get(json, "$.l.a"), None);
    }

    #[test]
    fn text_that_is_no_json_is_null() {
        for json in ["", "x", "{", r#"{"a""#, r#"{"b":tru,"a":1}"#, r#"{"a":tru}"#, "\u{0}"] {
            assert_eq!(get(json, "$.a"), None, "{json}");
        }
    }

    #[test]
    fn the_first_of_repeated_keys_wins_and_the_rest_is_not_read() {
        assert_eq!(get(r#"{"a":1,"a":2}"#, "$.a").as_deref(), Some("1"));
        assert_eq!(get(r#"{"a":{},"a":2}"#, "$.a"), None);
        assert_eq!(get(r#"{"a":"1","#, "$.a").as_deref(), Some("1"));
    }

    #[test]
    fn a_wrong_path_is_refused() {
        for path in
            ["", "a", "$a", "$.", "$..a", "$.*", "$[*]", "$[-1]", "$[", "$[\"a", "$[\"a\"", "$.a b", "$[1:2]"]
        {
            let error = steps("f", path).unwrap_err().to_string();
            assert!(error.contains("paths look like"), "{path}: {error}");
        }
        assert_eq!(steps("f", r#"$["a\"]b"]"#).unwrap()[0].name, "a\"]b");
    }

    #[test]
    fn compact_text_has_no_space_and_no_needless_escape() {
        assert_eq!(
            compact("{ \"a b\" : [ 1 , \"c\\/\\u00e9\\u0001\\\" \\\\\" ] }\n"),
            "{\"a b\":[1,\"c/é\\u0001\\\" \\\\\"]}"
        );
        assert_eq!(compact(r#"{"a":1.50e3}"#), r#"{"a":1.50e3}"#);
    }

    pub(in crate::engine) fn json() -> impl Strategy<Value = serde_json::Value> {
        let leaf = prop_oneof![
            Just(serde_json::Value::Null),
            any::<bool>().prop_map(Into::into),
            any::<i64>().prop_map(Into::into),
            ".{0,6}".prop_map(Into::into),
        ];
        leaf.prop_recursive(3, 24, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Into::into),
                prop::collection::btree_map("[ab.\"]{1,2}", inner, 0..4)
                    .prop_map(|map| serde_json::Value::Object(map.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn parts_are_those_of_a_full_parse(value in json()) {
            let pretty = serde_json::to_string_pretty(&value).unwrap();
            prop_assert_eq!(
                serde_json::from_str::<serde_json::Value>(&compact(&pretty)).unwrap(),
                value.clone()
            );
            prop_assert_eq!(elements(&pretty).map(|all| all.len()), value.as_array().map(Vec::len));
            prop_assert_eq!(members(&pretty), value.as_object().map(serde_json::Map::len));
        }

        #[test]
        fn agrees_with_a_full_parse(value in json(), path in prop::collection::vec("[ab.\"]{1,2}|[0-3]", 0..3)) {
            let mut text = "$".to_owned();
            let mut expected = Some(&value);
            for step in &path {
                let _ = write!(text, "[\"{}\"]", step.replace('"', "\\\""));
                expected = expected.and_then(|value| match value {
                    serde_json::Value::Array(list) => step.parse::<usize>().ok().and_then(|index| list.get(index)),
                    other => other.get(step),
                });
            }
            let expected = expected.and_then(|value| match value {
                serde_json::Value::String(text) => Some(text.clone()),
                serde_json::Value::Bool(_) | serde_json::Value::Number(_) => Some(value.to_string()),
                _ => None,
            });
            prop_assert_eq!(get(&value.to_string(), &text), expected);
        }

        #[test]
        fn never_panics(json in ".{0,40}", path in "[$.\\[\\]\"a0\\\\]{0,8}") {
            if let Ok(steps) = steps("f", &path) {
                let _ = find(&json, &steps).and_then(scalar);
            }
            let _ = (elements(&json), members(&json), compact(&json));
        }
    }
}
