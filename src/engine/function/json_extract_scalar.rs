//! `json_extract_scalar(json, path)`: one scalar out of JSON text, as Trino gives it.
//!
//! Strings are unquoted, numbers and booleans are their text as written. Null for an object, an array, JSON null,
//! a path that leads nowhere, and text that is no JSON up to the value. Only the way to the value is parsed, the
//! first of repeated keys wins, and what follows the value is not read, as in Trino.

use std::borrow::Cow;
use std::cell::RefCell;
use std::fmt;
use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, StringViewBuilder};
use datafusion::arrow::datatypes::DataType;
use datafusion::common::{DataFusionError, Result, exec_err, plan_err};
use datafusion::logical_expr::{
    ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};
use serde::de::{DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::{Arguments, text_type};

const NAME: &str = "json_extract_scalar";

pub(super) fn make() -> ScalarUDF {
    ScalarUDF::new_from_impl(JsonExtractScalar { signature: Signature::user_defined(Volatility::Immutable) })
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct JsonExtractScalar {
    signature: Signature,
}

impl ScalarUDFImpl for JsonExtractScalar {
    fn name(&self) -> &'static str {
        NAME
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, kinds: &[DataType]) -> Result<Vec<DataType>> {
        if kinds.len() != 2 {
            return plan_err!(
                "{NAME} takes JSON text and a path, as in {NAME}(request_parameters, '$.modelId')"
            );
        }
        kinds.iter().map(|kind| text_type(NAME, kind)).collect()
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Utf8View)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let args = Arguments::new(&args)?;
        let (json, paths) = (args.text(0)?, args.text(1)?);
        let mut parsed: Option<(&str, Vec<Step<'_>>)> = None;
        let mut builder = StringViewBuilder::with_capacity(args.rows);
        for row in 0..args.rows {
            let (Some(json), Some(path)) = (json.get(row), paths.get(row)) else {
                builder.append_null();
                continue;
            };
            let steps = match &parsed {
                Some((known, steps)) if *known == path => steps,
                _ => &parsed.insert((path, steps(path)?)).1,
            };
            builder.append_option(extract(json, steps));
        }
        let array: ArrayRef = Arc::new(builder.finish());
        args.answer(&array)
    }
}

/// One step of a path: a member by name, or an element where the name is a number.
#[derive(Debug, PartialEq, Eq)]
struct Step<'a> {
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
fn steps(path: &str) -> Result<Vec<Step<'_>>, DataFusionError> {
    let fail = |at: &str| {
        let at = if at.is_empty() { "its end" } else { at };
        exec_err!("{NAME}: the path '{path}' is wrong at {at}; paths look like $.a.b, $[\"a.b\"] and $.a[0]")
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

/// The scalar at the end of the steps.
fn extract<'a>(json: &'a str, steps: &[Step<'_>]) -> Option<Cow<'a, str>> {
    let found = RefCell::new(None);
    let mut reader = serde_json::Deserializer::from_str(json);
    // The walk stops with an error as soon as it has the value.
    let _ = Walk { steps, found: &found }.deserialize(&mut reader);
    found.into_inner()
}

struct Walk<'w, 'a> {
    steps: &'w [Step<'w>],
    found: &'w RefCell<Option<Cow<'a, str>>>,
}

impl<'a> DeserializeSeed<'a> for Walk<'_, 'a> {
    type Value = ();

    fn deserialize<D: Deserializer<'a>>(self, reader: D) -> Result<(), D::Error> {
        if !self.steps.is_empty() {
            return reader.deserialize_any(self);
        }
        let raw = <&RawValue as serde::Deserialize>::deserialize(reader)?.get();
        *self.found.borrow_mut() = match raw.as_bytes().first() {
            Some(b'"') => serde_json::from_str::<Scalar<'a>>(raw).ok().map(|scalar| scalar.0),
            Some(b'{' | b'[' | b'n') | None => None,
            Some(_) => Some(Cow::Borrowed(raw)),
        };
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
        extract(json, &steps(path).unwrap()).map(Cow::into_owned)
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
            let error = steps(path).unwrap_err().to_string();
            assert!(error.contains("paths look like"), "{path}: {error}");
        }
        assert_eq!(steps(r#"$["a\"]b"]"#).unwrap()[0].name, "a\"]b");
    }

    fn json() -> impl Strategy<Value = serde_json::Value> {
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
            if let Ok(steps) = steps(&path) {
                let _ = extract(&json, &steps);
            }
        }
    }
}
