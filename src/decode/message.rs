//! What a log event of CloudWatch Logs holds: a record of CloudTrail, several, or a line that somebody else wrote.
//!
//! Anybody may write to a log group, so a message counts as a record only if its own top-level keys say so. What begins as a
//! record and breaks off, as CloudWatch Logs cuts events at their largest size, is refused and not passed over.

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;

use memchr::memmem;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use crate::decode::shape::{Located, Quoted, Shape, ShapeError, Within};
use crate::decode::structure::{MAX_DEPTH, Structure};
use crate::event::json;

/// What becomes of a part of a message.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// It is to be read as a record.
    Read,
    /// It is no record, or one of a service that is not wanted.
    NotOurs,
    /// It is a record, or may be, and cannot be read.
    Refused(String),
}

/// A part of a message's text that counts once.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Part {
    /// Byte range in the text that [`Opened::open`] returned.
    pub(super) range: Range<usize>,
    pub(super) fate: Fate,
}

/// What the text of one log event holds; its buffers are reused from text to text.
#[derive(Default)]
pub(super) struct Opened {
    /// In their order, at least one.
    pub(super) parts: Vec<Part>,
    /// A document of Bedrock's model-invocation log is among them.
    pub(super) invocation_log: bool,
    located: Located,
}

impl Opened {
    /// Opens what stands at `quoted` in `text`: returns the text that the parts are ranges of.
    pub(super) fn open<'t>(
        &mut self,
        text: &'t [u8],
        quoted: &Quoted,
        structure: &mut Structure<'_>,
    ) -> Cow<'t, str> {
        self.parts.clear();
        self.invocation_log = false;
        let bytes = &text[quoted.range.clone()];
        let literal = quoted.within != Within::Line && bytes.starts_with(b"\"");
        let inner = match std::str::from_utf8(bytes) {
            Ok(valid) if !literal => Cow::Borrowed(valid),
            _ if literal => match unquoted(bytes) {
                Ok(inner) => Cow::Owned(inner),
                Err(error) => {
                    self.push(0..0, Fate::Refused(format!("not readable: {error}")));
                    return Cow::default();
                }
            },
            _ => String::from_utf8_lossy(bytes),
        };
        let whole = 0..inner.len();
        match quoted.within {
            Within::Odd => {
                self.push(
                    whole,
                    Fate::Refused("no log event of CloudWatch Logs: it has no message".to_owned()),
                );
            }
            Within::Event => self.event(inner.as_bytes(), structure),
            Within::Line if matches!(inner, Cow::Owned(_)) => {
                let refused = Claim::of(&inner) != Claim::None;
                self.push(whole, if refused { Fate::Refused("not UTF-8".to_owned()) } else { Fate::NotOurs });
            }
            Within::Message | Within::Line => self.message(&inner, structure),
        }
        inner
    }

    fn push(&mut self, range: Range<usize>, fate: Fate) {
        self.parts.push(Part { range, fate });
    }

    /// A record, whatever it says. Only once it is unescaped do its bytes prove that it is not wanted.
    fn event(&mut self, bytes: &[u8], structure: &mut Structure<'_>) {
        // Text that is broken is the record's own to say.
        let whole = structure.scan(bytes, 0).is_ok() && structure.spans.len() == 1;
        let fate = match structure.spans.first().filter(|_| whole) {
            Some(span) if span.too_deep => Fate::Refused(too_deep()),
            Some(span) if !span.parse && span.range == (0..bytes.len()) => Fate::NotOurs,
            _ => Fate::Read,
        };
        self.push(0..bytes.len(), fate);
    }

    fn message(&mut self, text: &str, structure: &mut Structure<'_>) {
        let whole = 0..text.len();
        if !may_hold(text) {
            return self.push(whole, Fate::NotOurs);
        }
        if text.trim_ascii_start().starts_with('"') {
            let claims =
                unquoted(text.trim_ascii().as_bytes()).is_ok_and(|inner| Claim::of(&inner) != Claim::None);
            return self.push(whole, if claims { Fate::Refused(nested()) } else { Fate::NotOurs });
        }
        let mut located = std::mem::take(&mut self.located);
        match located.locate(text.as_bytes(), structure) {
            // Without any sign of a log its elements count all the same.
            Ok(_) | Err(ShapeError::Foreign) => {
                self.invocation_log = located.shape == Some(Shape::InvocationLog);
                for span in located.spans.drain(..) {
                    let claim = || Claim::of(&text[span.range.clone()]);
                    let fate = if span.too_deep && claim() != Claim::None {
                        Fate::Refused(too_deep())
                    } else if span.too_deep || !span.parse || claim() == Claim::None {
                        Fate::NotOurs
                    } else {
                        Fate::Read
                    };
                    self.push(span.range, fate);
                }
                for quoted in located.quoted.drain(..) {
                    let bytes = &text.as_bytes()[quoted.range.clone()];
                    let inner = unquoted(bytes).unwrap_or_else(|_| text[quoted.range.clone()].to_owned());
                    let claims = Claim::of(&inner) != Claim::None;
                    self.push(quoted.range, if claims { Fate::Refused(nested()) } else { Fate::NotOurs });
                }
                if self.parts.is_empty() {
                    self.push(whole, Fate::NotOurs);
                }
            }
            Err(error) => {
                let fate = match Claim::of(text) {
                    Claim::None => Fate::NotOurs,
                    Claim::Begun | Claim::Record => Fate::Refused(format!("not readable: {error}")),
                };
                self.push(whole, fate);
            }
        }
        self.located = located;
    }
}

fn too_deep() -> String {
    format!("nested deeper than {MAX_DEPTH} levels")
}

fn nested() -> String {
    "a record in a text within the message of a log event, which is not read".to_owned()
}

/// The text that a JSON string stands for.
fn unquoted(literal: &[u8]) -> Result<String, serde_json::Error> {
    serde_json::from_str(&json::whole(&String::from_utf8_lossy(literal)))
}

/// Whether a text is worth a closer look. Most lines of other programs are not: the keys of every record begin so, unless
/// escapes hide their letters.
fn may_hold(text: &str) -> bool {
    let signs: [&[u8]; 3] = [b"event", b"\\u00", b"ModelInvocationLog"];
    text.trim_start_matches('\u{feff}').trim_ascii_start().starts_with(['{', '[', '"'])
        && signs.iter().any(|sign| memmem::find(text.as_bytes(), sign).is_some())
}

/// What the keys of a text say of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Claim {
    /// Nothing, or what other programs' objects say, too.
    None,
    /// It breaks off, after a key that CloudTrail writes.
    Begun,
    /// It is a record, or holds one where documents of records do.
    Record,
}

impl Claim {
    /// Looks at the top-level keys of an object, and of objects in arrays and under the keys that hold records. Linear, and
    /// without recursion beyond those.
    fn of(text: &str) -> Self {
        let text = json::whole(text.trim_start_matches('\u{feff}'));
        let mut found = Found::default();
        let mut reader = serde_json::Deserializer::from_str(&text);
        let look = Look { found: &mut found, depth: 4 };
        let whole = look.deserialize(&mut reader).and_then(|()| reader.end()).is_ok();
        match (found.record, found.begun && !whole) {
            (true, _) => Self::Record,
            (false, true) => Self::Begun,
            (false, false) => Self::None,
        }
    }
}

#[derive(Debug, Default)]
struct Found {
    record: bool,
    begun: bool,
}

/// The keys that tell a record, and those under which documents have their records.
#[derive(serde::Deserialize)]
#[serde(field_identifier)]
enum Key {
    #[serde(rename = "eventVersion")]
    Version,
    #[serde(rename = "eventSource")]
    Source,
    #[serde(rename = "eventName")]
    Name,
    // CloudTrail Insights have neither a source nor a name of their own.
    #[serde(rename = "eventCategory", alias = "insightDetails")]
    Category,
    #[serde(rename = "Records", alias = "detail", alias = "event", alias = "events")]
    Within,
    #[serde(other)]
    Other,
}

struct Look<'f> {
    found: &'f mut Found,
    depth: u8,
}

impl<'de> DeserializeSeed<'de> for Look<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        if self.depth == 0 {
            return deserializer.deserialize_ignored_any(IgnoredAny).map(|_| ());
        }
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Look<'_> {
    type Value = ();

    fn expecting(&self, form: &mut fmt::Formatter<'_>) -> fmt::Result {
        form.write_str("JSON")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let (mut version, mut source, mut name, mut category) = (false, false, false, false);
        while let Some(key) = map.next_key()? {
            match key {
                Key::Within => {
                    map.next_value_seed(Look { found: &mut *self.found, depth: self.depth - 1 })?;
                    continue;
                }
                Key::Version => version = true,
                Key::Source => source = true,
                Key::Name => name = true,
                Key::Category => category = true,
                Key::Other => {}
            }
            self.found.begun |= version || source;
            self.found.record |= name && (version || source) || version && category;
            map.next_value::<IgnoredAny>()?;
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        while seq.next_element_seed(Look { found: &mut *self.found, depth: self.depth - 1 })?.is_some() {}
        Ok(())
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    const RECORD: &str = r#"{"eventVersion":"1.11","userIdentity":{"type":"x"},"eventSource":"bedrock.amazonaws.com","eventName":"InvokeModel"}"#;

    /// The parts of a document: what is read, what is not ours (`-`) and what is refused (`!`).
    fn parts(text: &str) -> Vec<String> {
        let (mut located, mut structure) = (Located::default(), Structure::default());
        located.locate(text.as_bytes(), &mut structure).unwrap();
        assert!(located.spans.is_empty(), "{text}");
        let mut opened = Opened::default();
        let mut all = vec![];
        for quoted in &located.quoted {
            let inner = opened.open(text.as_bytes(), quoted, &mut structure);
            assert!(!opened.parts.is_empty());
            all.extend(opened.parts.iter().map(|part| match &part.fate {
                Fate::Read => inner[part.range.clone()].to_owned(),
                Fate::NotOurs => "-".to_owned(),
                Fate::Refused(_) => "!".to_owned(),
            }));
        }
        all
    }

    fn document(events: &[Value]) -> String {
        json!({"messageType": "DATA_MESSAGE", "logEvents": events}).to_string()
    }

    fn of(message: &str) -> Vec<String> {
        let told = parts(&document(&[json!({"id": "1", "message": message})]));
        let line = format!("2026-10-05T12:00:00.000Z {message}\n2026-10-05T12:00:01.000Z next\n");
        let mut exported = parts(&line);
        assert_eq!(exported.pop().as_deref(), Some("-"));
        assert_eq!(exported, told, "an export says the same of {message}");
        told
    }

    #[test]
    fn a_message_is_a_record_only_if_its_own_keys_say_so() {
        for noise in [
            "hello",
            "",
            "[",
            "{",
            "null",
            r#"{"eventName":"click","bedrock":1}"#,
            r#"{"eventVersion":2,"message":"saved"}"#,
            r#"{"eventSource":"aws:s3","size":3}"#,
            r#"{"eventCategory":"Sport","eventName":"final"}"#,
            r#"{"msg":"caf\u00e9 event"}"#,
            r#"{"log":"\u00e9 event" not json"#,
            r#"{"eventName":"click""#,
            r#"{"inner":{"eventVersion":"1","eventName":"A","eventSource":"b"}}"#,
            r#"{"detail-type":"EC2 Instance State-change Notification","detail":{"eventVersion":1,"eventName":"x"}}"#,
            r#"{"message":"the eventName","timestamp":1}"#,
            r#"{"events":[{"message":"an event","timestamp":1}]}"#,
            r#"["eventVersion","eventName"]"#,
            "[1,2] event",
            r#""an event in a text""#,
        ] {
            assert_eq!(of(noise), ["-"], "{noise}");
        }
        let insight = r#"{"eventVersion":"1.11","eventCategory":"Insight","insightDetails":{}}"#;
        let escaped = RECORD.replace("eventName", r"event\u004eame");
        let pretty = serde_json::to_string_pretty(&serde_json::from_str::<Value>(RECORD).unwrap()).unwrap();
        for record in [RECORD, insight, &escaped, &pretty, r#"{"eventSource":"b","eventName":"A"}"#] {
            assert_eq!(of(record), [record]);
        }
    }

    #[test]
    fn records_within_a_message_count_each() {
        assert_eq!(of(&format!("[{RECORD}, {RECORD}]")), [RECORD; 2]);
        assert_eq!(
            of(&format!(r#"{{"Records":[{RECORD},{RECORD},{{"a":"event"}}]}}"#)),
            [RECORD, RECORD, "-"]
        );
        assert_eq!(of(&format!("{RECORD}\n{RECORD}")), [RECORD; 2]);
        let detail = format!(r#"{{"detail-type":"AWS API Call via CloudTrail","detail":{RECORD}}}"#);
        assert_eq!(of(&detail), [RECORD]);
    }

    #[test]
    fn what_begins_as_a_record_and_cannot_be_read_is_refused() {
        for cut in [25, 60, 100, RECORD.len() - 1] {
            let cut = &RECORD[..cut];
            for broken in [cut.to_owned(), format!("[{RECORD},{cut}"), format!(r#"{{"Records":[{cut}"#)] {
                assert_eq!(of(&broken), ["!"], "{broken}");
            }
        }
        let deep =
            format!(r#"{{"eventVersion":"1","eventName":"x","a":{}{}}}"#, "[".repeat(200), "]".repeat(200));
        let text = serde_json::to_string(RECORD).unwrap();
        let document = document(&[json!({"timestamp": 1, "message": RECORD})]);
        let lookup = format!(r#"{{"Events":[{{"CloudTrailEvent":{text}}}]}}"#);
        for refused in [deep, text, document, lookup, format!("{RECORD} and more")] {
            assert_eq!(of(&refused), ["!"], "{refused}");
        }
        assert_eq!(of(&format!(r#"{{"a":{}{}}}"#, "[".repeat(200), "]".repeat(200))), ["-"]);
    }

    #[test]
    fn what_is_no_log_event_costs_only_itself() {
        let record: Value = serde_json::from_str(RECORD).unwrap();
        let text = document(&[
            json!(null),
            json!({"message": RECORD}),
            json!(5),
            json!("a, \"b\\"),
            json!({"id": "1"}),
            json!({"message": null}),
            json!({"message": record}),
            json!([1]),
            json!({"message": [record, record]}),
            json!({"message": {"level": "info", "eventName": "x"}}),
            json!(true),
        ]);
        let expected = ["!", RECORD, "!", "!", "!", "!", RECORD, "!", RECORD, RECORD, "-", "!"];
        let sorted = |text: &String| {
            serde_json::from_str::<Value>(text).map_or(text.clone(), |value| value.to_string())
        };
        let told: Vec<String> = parts(&text).iter().map(sorted).collect();
        assert_eq!(told, expected.map(|one| sorted(&one.to_owned())));
        assert_eq!(parts(&text.replace(",5,", " , 5 ,\n")).len(), expected.len());
    }

    #[test]
    fn lines_of_an_export_are_told_apart_by_their_times() {
        let time = "2026-10-05T12:00:00.000Z";
        let pretty = RECORD.replace(',', ",\n");
        let text = format!(
            "{time} hello there\r\n{time} {RECORD}\r\n{time}\n{time} Error\n  at x\n  at y\n{time} {pretty}\n{time} {RECORD}"
        );
        assert_eq!(parts(&text), ["-", RECORD, "-", "-", &pretty, RECORD]);
        for wrong in ["2026-10-05T12:00:00.000", "2026-10-05 12:00:00.000Z", "START"] {
            assert_eq!(parts(&format!("{time} {RECORD}\n{wrong} {RECORD}\n")), ["!"], "{wrong}");
        }
    }

    #[test]
    fn bytes_that_are_no_utf8_cost_only_their_line_of_an_export() {
        let time = b"2026-10-05T12:00:00.000Z ";
        let bad =
            RECORD.as_bytes().split_last().map(|(_, rest)| [rest, b",\"a\":\"\xff\"}"].concat()).unwrap();
        let text = [&time[..], b"\xff\n", time, &bad, b"\n", time, RECORD.as_bytes()].concat();
        let (mut located, mut structure) = (Located::default(), Structure::default());
        located.locate(&text, &mut structure).unwrap();
        let mut opened = Opened::default();
        let fates: Vec<Fate> = (located.quoted.iter())
            .flat_map(|quoted| {
                opened.open(&text, quoted, &mut structure);
                std::mem::take(&mut opened.parts).into_iter().map(|part| part.fate)
            })
            .collect();
        assert_eq!(fates, [Fate::NotOurs, Fate::Refused("not UTF-8".to_owned()), Fate::Read]);
    }

    #[test]
    fn the_model_invocation_log_is_told() {
        let call = r#"{"schemaType":"ModelInvocationLog","requestId":"r"}"#;
        let text = document(&[json!({"message": call})]);
        let mut located = Located::default();
        located.locate(text.as_bytes(), &mut Structure::default()).unwrap();
        let mut opened = Opened::default();
        opened.open(text.as_bytes(), &located.quoted[0], &mut Structure::default());
        assert!(opened.invocation_log);
        assert_eq!(opened.parts.len(), 1);
        assert_eq!(opened.parts[0].fate, Fate::NotOurs);
    }

    /// What plain parsing says of an object: a record or not.
    fn expected(value: &Value) -> &'static str {
        let has = |key: &str| value.get(key).is_some();
        let record = has("eventName") && (has("eventVersion") || has("eventSource"))
            || has("eventVersion") && (has("eventCategory") || has("insightDetails"));
        if record { "+" } else { "-" }
    }

    fn object() -> impl Strategy<Value = Value> {
        let key = prop_oneof![
            Just("eventVersion"),
            Just("eventName"),
            Just("eventSource"),
            Just("eventCategory"),
            Just("msg"),
            Just("requestParameters"),
        ];
        let value = prop_oneof![
            Just(json!("eventVersion")),
            Just(json!(null)),
            Just(json!({"eventName": "x", "eventSource": "y", "eventVersion": 1})),
            r#"[ -~\\"{}\[\],é]{0,20}"#.prop_map(Value::from),
        ];
        proptest::collection::btree_map(key, value, 1..6).prop_map(|map| json!(map))
    }

    /// An element of `logEvents` and what is to become of it.
    fn element() -> impl Strategy<Value = (Value, Vec<&'static str>)> {
        let message = |text: String, fates: Vec<&'static str>| (json!({"id": "1", "message": text}), fates);
        prop_oneof![
            4 => object().prop_map(move |one| message(one.to_string(), vec![expected(&one)])),
            2 => proptest::collection::vec(object(), 1..4)
                .prop_map(move |all| message(json!(all).to_string(), all.iter().map(expected).collect())),
            2 => proptest::collection::vec(object(), 1..4).prop_map(move |all| {
                message(json!({"Records": all}).to_string(), all.iter().map(expected).collect())
            }),
            1 => "[a-z, ]{0,30}".prop_map(move |noise| message(noise, vec!["-"])),
            1 => (30usize..100).prop_map(move |cut| message(RECORD[..cut].to_owned(), vec!["!"])),
            1 => prop_oneof![
                Just(json!(null)), Just(json!(7)), Just(json!({"id": "1"})), Just(json!([])),
                r#"[,"\\a-z\[{]{0,9}"#.prop_map(Value::from),
            ].prop_map(|odd| (odd, vec!["!"])),
        ]
    }

    proptest! {
        #[test]
        fn any_mix_counts_as_plain_parsing_does(mix in proptest::collection::vec(element(), 0..12), pretty: bool) {
            let (elements, fates): (Vec<Value>, Vec<_>) = mix.into_iter().unzip();
            let document = json!({"messageType": "DATA_MESSAGE", "logEvents": elements});
            let text = if pretty { format!("{document:#}") } else { document.to_string() };
            // How often lines of others count is not said: without a word of CloudTrail a message counts once.
            let told = parts(&text).into_iter().map(|one| if one.len() > 1 { "+".to_owned() } else { one });
            let (mut told, mut fates) = (told.collect::<Vec<_>>(), fates.concat());
            told.dedup_by(|next, one| one == "-" && next == "-");
            fates.dedup_by(|next, one| *one == "-" && *next == "-");
            prop_assert_eq!(told, fates, "{}", text);
        }
    }

    #[test]
    fn large_and_hostile_texts_take_linear_time() {
        let time = |text: &str, count: usize| {
            let begun = Instant::now();
            assert_eq!(parts(text).len(), count);
            begun.elapsed()
        };
        let noise = r#"{"event":[[{"eventName\u0020":"#.repeat(100_000);
        let closed = format!(r#"{{"event":{}1{}}}"#, "[".repeat(1_500_000), "]".repeat(1_500_000));
        let events = vec![json!({"timestamp": 1, "message": RECORD}); 20_000];
        let scalars = vec![json!(",\"\\"); 20_000];
        let lines = format!("2026-10-05T12:00:00.000Z {RECORD}\n").repeat(20_000);
        for (text, count) in [
            (document(&[json!({"message": noise})]), 1),
            (document(&[json!({"message": closed})]), 1),
            (format!("2026-10-05T12:00:00.000Z {noise}"), 1),
            (document(&events), 20_000),
            (document(&scalars), 20_000),
            (lines, 20_000),
        ] {
            let took = time(&text, count);
            assert!(took < Duration::from_secs(20), "{count} of {} bytes took {took:?}", text.len());
        }
    }
}
