//! What an object's text is, told by its content, and where its records stand.
//!
//! Shapes: CloudTrail files (`{"Records":[…]}`), one record per line, a bare array or a single record,
//! LookupEvents output (`{"Events":[{"CloudTrailEvent":"…"}]}`), EventBridge envelopes (`{"detail":{…}}`), documents of
//! CloudWatch Logs (`{"logEvents":[{"message":"…"}]}`, `{"events":[{"message":"…"}]}`), digest files and
//! model-invocation logs. Everything is located before anything is decoded, so a broken object gives no rows at all.

use std::ops::Range;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::decode::structure::{Broken, MAX_OBJECTS, Span, Structure};

/// What an object holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Shape {
    /// `{"Records":[…]}`, as CloudTrail writes it.
    Records,
    /// One record after the other.
    Lines,
    /// A bare array of records.
    Array,
    /// `{"Events":[{"CloudTrailEvent":"…"}]}`, as LookupEvents answers.
    Lookup,
    /// Records inside `detail` (EventBridge) or `event`.
    Envelope,
    /// Log events of CloudWatch Logs, each with a record as the text of its `message`: what a subscription delivers
    /// (CloudWatch Logs user guide, "Real-time processing of log data with subscriptions") and what `FilterLogEvents` and
    /// `GetLogEvents` answer.
    LogEvents,
    /// A CloudTrail digest file.
    Digest,
    /// Bedrock model-invocation log.
    InvocationLog,
}

impl Shape {
    /// The name in the ledger.
    pub fn name(self) -> &'static str {
        match self {
            Self::Records => "records",
            Self::Lines => "lines",
            Self::Array => "array",
            Self::Lookup => "lookup",
            Self::Envelope => "envelope",
            Self::LogEvents => "log_events",
            Self::Digest => "digest",
            Self::InvocationLog => "invocation_log",
        }
    }
}

/// Why a text has no records to read.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum ShapeError {
    /// Brackets or strings do not close.
    #[error(transparent)]
    Broken(#[from] Broken),
    /// Only white space.
    #[error("the object holds no text")]
    Blank,
    /// Something stands where only separators may.
    #[error("unexpected text between records at byte {at}")]
    Stray {
        /// Offset in the inflated text.
        at: usize,
    },
    /// Text after the end of the document.
    #[error("unexpected text after the end of the document at byte {at}")]
    Trailing {
        /// Offset in the inflated text.
        at: usize,
    },
    /// A document that is no JSON inside, or repeats a key.
    #[error("no readable JSON document: {0}")]
    Json(String),
    /// Valid, but nothing CloudTrail or Bedrock writes.
    #[error("no CloudTrail log: neither records nor a digest nor a model-invocation log is in it")]
    Foreign,
    /// Bytes outside the records are no UTF-8.
    #[error("the text is not UTF-8 outside its records, at byte {at}")]
    NotUtf8 {
        /// Offset in the inflated text.
        at: usize,
    },
}

/// What a text within the text is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Within {
    /// The JSON string of a record, as LookupEvents answers.
    Event,
    /// The `message` of a log event: anybody may write to a log group, so it need not be a record. A JSON string, or what a
    /// processor on the way made of one: an object or an array.
    Message,
    /// The same as an export has it: the bytes of a line, or of several, after the time.
    Line,
    /// What stands among log events and is none.
    Odd,
}

/// A text that holds records, or may.
#[derive(Debug)]
pub struct Quoted {
    /// Byte range in the text, quotes included.
    pub range: Range<usize>,
    /// What it is.
    pub within: Within,
}

/// Where the records of an object are.
#[derive(Default)]
pub struct Located {
    /// What the object is; `None` before a text was located.
    pub shape: Option<Shape>,
    /// Records as ranges of the text, ascending.
    pub spans: Vec<Span>,
    /// Texts that may hold records, after those of `spans`. They are opened one at a time, when they are read.
    pub quoted: Vec<Quoted>,
    /// Bytes above 0x7f are somewhere.
    pub high: bool,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Document<'a> {
    #[serde(borrow, rename = "Records")]
    records: Option<&'a RawValue>,
    #[serde(borrow, rename = "Events")]
    events: Option<&'a RawValue>,
    #[serde(borrow, rename = "CloudTrailEvent")]
    cloudtrail_event: Option<&'a RawValue>,
    #[serde(borrow, rename = "logEvents")]
    log_events: Option<&'a RawValue>,
    #[serde(borrow, rename = "events")]
    answered: Option<&'a RawValue>,
    #[serde(borrow, rename = "messageType")]
    message_type: Option<&'a RawValue>,
    #[serde(borrow, rename = "searchedLogStreams")]
    searched: Option<&'a RawValue>,
    #[serde(borrow, rename = "nextForwardToken")]
    next_forward: Option<&'a RawValue>,
    #[serde(borrow)]
    message: Option<&'a RawValue>,
    #[serde(borrow)]
    timestamp: Option<&'a RawValue>,
    #[serde(borrow)]
    detail: Option<&'a RawValue>,
    #[serde(borrow, rename = "detail-type")]
    detail_type: Option<&'a RawValue>,
    #[serde(borrow)]
    event: Option<&'a RawValue>,
    #[serde(borrow, rename = "eventName")]
    event_name: Option<&'a RawValue>,
    #[serde(borrow, rename = "eventSource")]
    event_source: Option<&'a RawValue>,
    #[serde(borrow, rename = "eventCategory")]
    event_category: Option<&'a RawValue>,
    #[serde(borrow, rename = "insightDetails")]
    insight_details: Option<&'a RawValue>,
    #[serde(borrow, rename = "schemaType")]
    schema_type: Option<&'a RawValue>,
    #[serde(borrow, rename = "digestStartTime")]
    digest_start_time: Option<&'a RawValue>,
}

impl<'a> Document<'a> {
    /// Whether a document without any log event is one of CloudWatch Logs all the same.
    fn told_by_logs(&self) -> bool {
        [self.message_type, self.searched, self.next_forward].iter().any(Option::is_some)
    }

    /// The message of a log event of CloudWatch Logs: within a document of them whatever it says, alone if it is of CloudTrail.
    fn log_event(&self, shape: Shape) -> Option<&'a RawValue> {
        let page = shape == Shape::LogEvents;
        let form: &[char] = if page { &['"', '{', '['] } else { &['"'] };
        let message = self.message.filter(|raw| raw.get().starts_with(form))?;
        (page || message.get().contains("eventVersion")).then_some(message)
    }
}

/// What stands between two documents, without blanks; joined files bring their byte-order marks along, and exports of
/// CloudWatch Logs (`CreateExportTask`) a time before each.
fn bare<'a>(gap: &'a [u8], separator: &[u8]) -> &'a [u8] {
    let mut gap = gap.trim_ascii();
    while let Some(rest) = gap.strip_prefix(b"\xef\xbb\xbf").filter(|_| separator.is_empty()) {
        gap = rest.trim_ascii();
    }
    if separator.is_empty() && is_time(gap) { b"" } else { gap }
}

/// The offset of the message in a text that begins as a line of an export does: a time and a blank.
pub(super) fn exported(text: &[u8]) -> Option<usize> {
    let (time, rest) = text.split_at_checked(TIME.len())?;
    (is_time(time) && rest.first().is_none_or(u8::is_ascii_whitespace)).then_some(TIME.len())
}

/// A time as CloudWatch Logs writes it, but for the digits.
const TIME: &[u8] = b"0000-00-00T00:00:00.000Z";

/// Whether a text is a time as CloudWatch Logs writes it: `2026-10-05T12:00:00.000Z`.
fn is_time(text: &[u8]) -> bool {
    let fits = |(byte, form): (&u8, &u8)| if *form == b'0' { byte.is_ascii_digit() } else { byte == form };
    text.len() == TIME.len() && text.iter().zip(TIME).all(fits)
}

/// Keys that tell a document from a record; a text without any of them is a record.
const DOCUMENT_KEYS: [&[u8]; 8] = [
    b"\"Records\"",
    // "Events", "events" and "logEvents"
    b"vents\"",
    b"\"CloudTrailEvent\"",
    b"\"detail\"",
    b"\"event\"",
    b"\"schemaType\"",
    b"\"digestStartTime\"",
    b"\\u00",
];

impl Located {
    /// Locates the records of `text`, which stays what the spans point into.
    pub fn locate(&mut self, text: &[u8], structure: &mut Structure<'_>) -> Result<Shape, ShapeError> {
        self.shape = None;
        self.spans.clear();
        self.quoted.clear();
        self.high = false;
        let start = if text.starts_with(b"\xef\xbb\xbf") { 3 } else { 0 };
        let start = start + (text.len() - start - text[start..].trim_ascii_start().len());
        let Some(first) = text.get(start) else { return Err(ShapeError::Blank) };
        if records_array(&text[start..]).is_some() && self.records_document(text, start, structure)? {
            return self.finish(text, Shape::Records);
        }
        if exported(&text[start..]).is_some() {
            self.export(text, start)?;
        } else if *first == b'[' {
            self.elements(text, start..text.len(), structure, Shape::Array)?;
        } else {
            self.top_level(text, start, structure)?;
        }
        let shape = self.shape.ok_or(ShapeError::Foreign)?;
        self.finish(text, shape)
    }

    fn finish(&mut self, text: &[u8], shape: Shape) -> Result<Shape, ShapeError> {
        self.shape = Some(shape);
        if self.high {
            let mut at = 0;
            for gap in self.spans.iter().map(|span| &span.range).chain([&(text.len()..text.len())]) {
                if let Err(error) = std::str::from_utf8(&text[at..gap.start]) {
                    return Err(ShapeError::NotUtf8 { at: at + error.valid_up_to() });
                }
                at = gap.end;
            }
        }
        Ok(shape)
    }

    /// The form CloudTrail writes, located in one pass. False if the document holds more than its records.
    fn records_document(
        &mut self,
        text: &[u8],
        start: usize,
        structure: &mut Structure<'_>,
    ) -> Result<bool, ShapeError> {
        let body = &text[start..];
        let end = structure.scan(body, 2)?;
        let Some(after) = body[end..].trim_ascii_start().strip_prefix(b"}") else { return Ok(false) };
        if !after.trim_ascii_start().is_empty() {
            return Ok(false);
        }
        let opening = records_array(body).unwrap_or_default();
        self.take(text, start, start + opening..start + end - 1, structure, b",")?;
        Ok(true)
    }

    /// The lines of an export of CloudWatch Logs. A line that does not begin with a time belongs to the one before it.
    fn export(&mut self, text: &[u8], start: usize) -> Result<(), ShapeError> {
        let mut opened: Option<usize> = None;
        let lines = memchr::memchr_iter(b'\n', &text[start..]).map(|at| start + at + 1);
        for line in std::iter::once(start).chain(lines).chain([text.len()]) {
            let message = exported(&text[line..]).map(|time| line + time);
            if message.is_none() && line < text.len() {
                continue;
            }
            if let Some(begun) = opened {
                if self.quoted.len() == MAX_OBJECTS {
                    return Err(Broken::Crowded { at: line }.into());
                }
                self.quoted.push(Quoted { range: begun..line, within: Within::Line });
            }
            opened = message;
        }
        self.shape = Some(Shape::Lines);
        Ok(())
    }

    /// One document or record after the other.
    fn top_level(
        &mut self,
        text: &[u8],
        start: usize,
        structure: &mut Structure<'_>,
    ) -> Result<(), ShapeError> {
        structure.scan(&text[start..], 0)?;
        let mut whole = Self::default();
        whole.take(text, start, start..text.len(), structure, b"")?;
        self.high |= whole.high;
        let alone = whole.spans.len() == 1;
        for span in whole.spans {
            self.one(text, span, structure, Shape::Lines, alone)?;
        }
        Ok(())
    }

    /// The elements of the array that `text[range]` begins with.
    fn elements(
        &mut self,
        text: &[u8],
        range: Range<usize>,
        structure: &mut Structure<'_>,
        shape: Shape,
    ) -> Result<(), ShapeError> {
        let end = structure.scan(&text[range.clone()], 1)?;
        let rest = &text[range.start + end..range.end];
        if !rest.trim_ascii().is_empty() {
            let blank = rest.len() - rest.trim_ascii_start().len();
            return Err(ShapeError::Trailing { at: range.start + end + blank });
        }
        if shape == Shape::LogEvents {
            return self.page(text, range.start..range.start + end, structure);
        }
        let mut inner = Self::default();
        inner.take(text, range.start, range.start + 1..range.start + end - 1, structure, b",")?;
        self.high |= inner.high;
        if matches!(shape, Shape::Records) || inner.spans.is_empty() {
            self.shape.get_or_insert(shape);
        }
        if matches!(shape, Shape::Records) {
            self.spans.append(&mut inner.spans);
            return Ok(());
        }
        for span in inner.spans {
            self.one(text, span, structure, shape, false)?;
        }
        Ok(())
    }

    /// The log events of `text[array]`, which was just scanned and is valid JSON. What is none costs only itself.
    fn page(
        &mut self,
        text: &[u8],
        array: Range<usize>,
        structure: &mut Structure<'_>,
    ) -> Result<(), ShapeError> {
        self.high |= structure.high;
        let mut at = array.start + 1;
        for span in std::mem::take(&mut structure.spans) {
            let range = span.range.start + array.start..span.range.end + array.start;
            self.scalars(text, at..range.start)?;
            at = range.end;
            self.one(text, Span { range, ..span }, structure, Shape::LogEvents, false)?;
        }
        self.scalars(text, at..array.end - 1)
    }

    /// Numbers, texts and words between the elements of an array that are objects.
    fn scalars(&mut self, text: &[u8], gap: Range<usize>) -> Result<(), ShapeError> {
        let (mut begun, mut in_string, mut escaped) = (gap.start, false, false);
        for at in gap.clone().chain([gap.end]) {
            let byte = if at < gap.end { text[at] } else { b',' };
            if byte == b',' && !in_string {
                if !text[begun..at].trim_ascii().is_empty() {
                    if self.quoted.len() == MAX_OBJECTS {
                        return Err(Broken::Crowded { at }.into());
                    }
                    self.quoted.push(Quoted { range: begun..at, within: Within::Odd });
                }
                begun = at + 1;
            }
            in_string ^= byte == b'"' && !escaped;
            escaped = byte == b'\\' && !escaped;
        }
        Ok(())
    }

    /// One object that may be a record or hold some; `alone` if it is the whole text.
    fn one(
        &mut self,
        text: &[u8],
        span: Span,
        structure: &mut Structure<'_>,
        shape: Shape,
        alone: bool,
    ) -> Result<(), ShapeError> {
        let bytes = &text[span.range.clone()];
        let holds = |key: &[u8]| memchr::memmem::find(bytes, key).is_some();
        let event = || shape == Shape::LogEvents && holds(b"\"message\"");
        let plain = !DOCUMENT_KEYS.iter().any(|key| holds(key)) && !event();
        if plain && holds(b"\"eventName\"") {
            self.shape.get_or_insert(shape);
            self.spans.push(span);
            return Ok(());
        }
        // Left to the record's own check, which names what is wrong with it.
        let record = || Document { event_name: Some(RawValue::NULL), ..Document::default() };
        let document: Document<'_> = match std::str::from_utf8(bytes) {
            // Serde takes an array as a document's keys in their order.
            Ok(valid) if !valid.starts_with('{') => Document::default(),
            Ok(valid) => match serde_json::from_str(valid) {
                Ok(document) => document,
                Err(_) if !alone => record(),
                Err(error) => return Err(ShapeError::Json(error.to_string())),
            },
            Err(_) => record(),
        };
        if let Some(records) = document.records.filter(|raw| raw.get().starts_with('[')) {
            return self.elements(text, place(text, records), structure, Shape::Records);
        }
        // One level only: what a page of events holds are events, so nothing nests without end.
        let page = matches!(shape, Shape::Lookup | Shape::LogEvents);
        if let Some(events) = document.events.filter(|raw| !page && raw.get().starts_with('[')) {
            self.shape.get_or_insert(Shape::Lookup);
            return self.elements(text, place(text, events), structure, Shape::Lookup);
        }
        if let Some(event) = document.cloudtrail_event.filter(|raw| raw.get().starts_with('"')) {
            self.shape.get_or_insert(Shape::Lookup);
            self.quoted.push(Quoted { range: place(text, event), within: Within::Event });
            return Ok(());
        }
        let own =
            [document.event_name, document.event_source, document.event_category, document.insight_details];
        if own.iter().any(Option::is_some) {
            self.shape.get_or_insert(shape);
            self.spans.push(span);
            return Ok(());
        }
        // EventBridge carries events of every service; those of CloudTrail say so: "AWS API Call via CloudTrail".
        if document.detail_type.is_some_and(|kind| !kind.get().contains("CloudTrail"))
            && document.detail.is_some()
        {
            self.shape.get_or_insert(Shape::Envelope);
            self.spans.push(Span { parse: false, ..span });
            return Ok(());
        }
        if let Some(inner) = document.detail.or(document.event).filter(|raw| raw.get().starts_with('{')) {
            self.shape.get_or_insert(Shape::Envelope);
            self.spans.push(Span { range: place(text, inner), parse: true, ..span });
            return Ok(());
        }
        if let Some(events) =
            document.log_events.or(document.answered).filter(|raw| !page && raw.get().starts_with('['))
        {
            if document.told_by_logs() {
                self.shape.get_or_insert(Shape::LogEvents);
            }
            return self.elements(text, place(text, events), structure, Shape::LogEvents);
        }
        if let Some(message) = document.log_event(shape) {
            if document.timestamp.is_some() || message.get().contains("eventVersion") {
                self.shape.get_or_insert(Shape::LogEvents);
            }
            self.quoted.push(Quoted { range: place(text, message), within: Within::Message });
            return Ok(());
        }
        if document.digest_start_time.is_some() {
            self.shape.get_or_insert(Shape::Digest);
            return Ok(());
        }
        if document.schema_type.is_some_and(|kind| kind.get() == "\"ModelInvocationLog\"") {
            self.shape.get_or_insert(Shape::InvocationLog);
            return Ok(());
        }
        if shape == Shape::LogEvents && !span.too_deep {
            self.quoted.push(Quoted { range: span.range, within: Within::Odd });
            return Ok(());
        }
        // Among records it is one that cannot be read; if there are none, the whole object is something else.
        self.spans.push(span);
        Ok(())
    }

    /// Takes over the structure's spans (relative to `base`), checking that only separators stand between them.
    fn take(
        &mut self,
        text: &[u8],
        base: usize,
        within: Range<usize>,
        structure: &mut Structure<'_>,
        separator: &[u8],
    ) -> Result<(), ShapeError> {
        self.high |= structure.high;
        let mut at = within.start;
        self.spans.reserve(structure.spans.len());
        for (index, span) in structure.spans.drain(..).enumerate() {
            let range = span.range.start + base..span.range.end + base;
            let expected: &[u8] = if index == 0 { b"" } else { separator };
            let gap = &text[at..range.start];
            if gap != expected && bare(gap, separator) != expected {
                return Err(ShapeError::Stray { at });
            }
            at = range.end;
            self.spans.push(Span { range, ..span });
        }
        if !text[at..within.end].trim_ascii().is_empty() {
            return Err(ShapeError::Stray { at });
        }
        Ok(())
    }
}

/// The offset just past the `[` of a text that begins `{"Records":[`, white space allowed.
fn records_array(text: &[u8]) -> Option<usize> {
    let rest = text.strip_prefix(b"{")?.trim_ascii_start().strip_prefix(b"\"Records\"")?;
    let rest = rest.trim_ascii_start().strip_prefix(b":")?.trim_ascii_start().strip_prefix(b"[")?;
    Some(text.len() - rest.len())
}

/// Where a value borrowed from `text` stands in it.
fn place(text: &[u8], raw: &RawValue) -> Range<usize> {
    let start = raw.get().as_ptr().addr() - text.as_ptr().addr();
    start..start + raw.get().len()
}

#[cfg(test)]
mod tests {
    use super::*;

    const RECORD: &str = r#"{"eventName":"A","eventSource":"b"}"#;

    fn locate(text: &str) -> Result<(Shape, Vec<String>), ShapeError> {
        let mut located = Located::default();
        let shape = located.locate(text.as_bytes(), &mut Structure::default())?;
        let spans = located.spans.iter().map(|span| text[span.range.clone()].to_owned());
        let quoted = located.quoted.iter().map(|quoted| match &text[quoted.range.clone()] {
            line if quoted.within == Within::Line => line.trim().to_owned(),
            literal => serde_json::from_str(literal).unwrap(),
        });
        Ok((shape, spans.chain(quoted).collect()))
    }

    #[expect(clippy::unnecessary_wraps, reason = "it is compared with a result")]
    fn found(shape: Shape, count: usize) -> Result<(Shape, Vec<String>), ShapeError> {
        Ok((shape, vec![RECORD.to_owned(); count]))
    }

    #[test]
    fn shapes_are_told_by_content() {
        let quoted = serde_json::to_string(RECORD).unwrap();
        for (text, shape, count) in [
            (format!(r#"{{"Records":[{RECORD},{RECORD}]}}"#), Shape::Records, 2),
            (format!("\u{feff} {{ \"Records\" : [ {RECORD} ,\n{RECORD} ] }}\n"), Shape::Records, 2),
            (r#"{"Records":[]}"#.to_owned(), Shape::Records, 0),
            (format!(r#"{{"more":{{"eventName":1}},"Records":[{RECORD}]}}"#), Shape::Records, 1),
            (format!(r#"{{"Records":[{RECORD}],"more":[{RECORD}]}}"#), Shape::Records, 1),
            (format!(r#"{{"Records":[{RECORD}]}}{{"Records":[{RECORD}]}}"#), Shape::Records, 2),
            (format!("{RECORD}\n{RECORD}\n"), Shape::Lines, 2),
            (RECORD.to_owned(), Shape::Lines, 1),
            (format!("[{RECORD}, {RECORD}]"), Shape::Array, 2),
            ("[]".to_owned(), Shape::Array, 0),
            (
                format!(r#"{{"Events":[{{"EventId":"1","CloudTrailEvent":{quoted}}}],"NextToken":"x"}}"#),
                Shape::Lookup,
                1,
            ),
            (r#"{"Events":[]}"#.to_owned(), Shape::Lookup, 0),
            (format!(r#"{{"version":"0","source":"aws.bedrock","detail":{RECORD}}}"#), Shape::Envelope, 1),
            (format!(r#"[{{"_origin":"x","event":{RECORD}}}]"#), Shape::Envelope, 1),
            (
                format!(
                    r#"{{"messageType":"DATA_MESSAGE","logEvents":[{{"timestamp":1,"message":{quoted}}}]}}"#
                ),
                Shape::LogEvents,
                1,
            ),
            (
                format!(
                    r#"{{"events":[{{"timestamp":1,"message":{quoted}}},{{"message":{quoted},"timestamp":2}}]}}"#
                ),
                Shape::LogEvents,
                2,
            ),
            (r#"{"messageType":"CONTROL_MESSAGE","logEvents":[]}"#.to_owned(), Shape::LogEvents, 0),
            (r#"{"events":[],"searchedLogStreams":[]}"#.to_owned(), Shape::LogEvents, 0),
            (r#"{"events":[],"nextForwardToken":"f/1"}"#.to_owned(), Shape::LogEvents, 0),
            (r#"{"awsAccountId":"1","digestStartTime":"x","logFiles":[]}"#.to_owned(), Shape::Digest, 0),
            (r#"{"schemaType":"ModelInvocationLog","requestId":"x"}"#.to_owned(), Shape::InvocationLog, 0),
        ] {
            assert_eq!(locate(&text), found(shape, count), "{text}");
        }
    }

    #[test]
    fn what_is_no_log_says_why() {
        let broken = |text: &str| locate(text).unwrap_err();
        assert_eq!(broken(" \n"), ShapeError::Blank);
        assert_eq!(broken("{}"), ShapeError::Foreign);
        assert_eq!(broken(r#"{"name":"package","version":"1"}"#), ShapeError::Foreign);
        for text in
            [r#"{"events":[]}"#, r#"{"events":[{"name":"x"}]}"#, r#"{"message":"hello","timestamp":1}"#]
        {
            assert_eq!(broken(text), ShapeError::Foreign, "{text}");
        }
        assert_eq!(broken("hello"), ShapeError::Stray { at: 0 });
        assert!(matches!(
            broken(r#"{"Records":[{"eventName":"A"}"#),
            ShapeError::Broken(Broken::Truncated { .. })
        ));
        assert!(matches!(broken(&format!(r#"{{"Records":[{RECORD} {RECORD}]}}"#)), ShapeError::Stray { .. }));
        assert!(matches!(broken(&format!(r#"{{"Records":[{RECORD},5]}}"#)), ShapeError::Stray { .. }));
        assert!(matches!(broken(&format!(r#"{{"Records":[{RECORD}]}} junk"#)), ShapeError::Stray { .. }));
        assert!(matches!(broken(&format!("[{RECORD}] junk")), ShapeError::Trailing { .. }));
        let half = locate(&format!("{RECORD}\n{{\"eventName\":\"A\",\"detail\":}}\n{RECORD}")).unwrap();
        assert_eq!((half.0, half.1.len()), (Shape::Lines, 3), "one bad line is that line's matter");
        let twice = format!(r#"{{"Records":[{RECORD}],"Records":[{RECORD}]}}"#);
        assert!(matches!(broken(&twice), ShapeError::Json(_)));
    }

    #[test]
    fn a_line_that_is_no_record_costs_only_itself_wherever_it_stands() {
        let note = r#"{"note":"export"}"#;
        for text in [format!("{note}\n{RECORD}\n{RECORD}"), format!("{RECORD}\n{RECORD}\n{note}")] {
            let (shape, found) = locate(&text).unwrap();
            assert_eq!((shape, found.len()), (Shape::Lines, 3), "{text}");
        }
        assert_eq!(locate(&format!("[{note},{RECORD}]")).unwrap().1.len(), 2);
    }

    #[test]
    fn events_of_other_services_on_a_bus_are_passed_over() {
        let of = |kind: &str| {
            let text =
                format!(r#"{{"detail-type":"{kind}","source":"aws.ec2","detail":{{"state":"bedrock"}}}}"#);
            let mut located = Located::default();
            located.locate(text.as_bytes(), &mut Structure::default()).unwrap();
            (located.shape, located.spans[0].parse)
        };
        assert_eq!(of("EC2 Instance State-change Notification"), (Some(Shape::Envelope), false));
        assert_eq!(of("AWS API Call via CloudTrail"), (Some(Shape::Envelope), true));
    }

    #[test]
    fn joined_files_bring_their_byte_order_marks_along() {
        let joined =
            format!("\u{feff}{RECORD}\n\u{feff}{RECORD}\u{feff}\r\n\u{feff}{{\"Records\":[{RECORD}]}}");
        assert_eq!(locate(&joined).unwrap().1.len(), 3);
        assert!(matches!(locate(&format!("[{RECORD},\u{feff}{RECORD}]")), Err(ShapeError::Stray { .. })));
    }

    #[test]
    fn an_export_of_cloudwatch_logs_has_a_time_before_each_record() {
        let time = "2026-10-05T12:00:00.000Z";
        assert_eq!(locate(&format!("{time} {RECORD}\n{time} {RECORD}\n")), found(Shape::Lines, 2));
        assert_eq!(locate(&format!("\u{feff}{time} hello\n{time} {RECORD}")).unwrap().1, ["hello", RECORD]);
        assert_eq!(locate(&format!("{RECORD}\n{time} {RECORD}\n")), found(Shape::Lines, 2));
        for wrong in ["2026-10-05T12:00:00.000", "2026-10-05 12:00:00.000Z", "START"] {
            let text = format!("{RECORD}\n{wrong} {RECORD}\n");
            assert!(matches!(locate(&text), Err(ShapeError::Stray { .. })), "{text}");
        }
        assert!(matches!(locate(&format!("[{RECORD}{time},{RECORD}]")), Err(ShapeError::Stray { .. })));
    }

    #[test]
    fn a_log_event_needs_no_time() {
        let record = RECORD.replace('{', r#"{"eventVersion":"1","#);
        let event = format!(r#"{{"message":{}}}"#, serde_json::to_string(&record).unwrap());
        for text in [event.clone(), format!("{event}\n"), format!(r#"{{"logEvents":[{event}]}}"#)] {
            assert_eq!(locate(&text), Ok((Shape::LogEvents, vec![record.clone()])), "{text}");
        }
    }

    #[test]
    fn pages_of_events_do_not_nest() {
        for page in [r#"{"Events":["#, r#"{"logEvents":["#, r#"{"Events":[{"events":["#] {
            let ends = if page.matches('[').count() == 2 { "]}]}" } else { "]}" };
            let deep = format!("{}{}", page.repeat(50_000), ends.repeat(50_000));
            let mut located = Located::default();
            let shape = located.locate(deep.as_bytes(), &mut Structure::default());
            let expected = if page.contains('E') && !page.contains("log") {
                Ok(Shape::Lookup)
            } else {
                Err(ShapeError::Foreign)
            };
            assert_eq!(shape, expected, "{page}");
            assert_eq!((located.spans.len(), located.spans[0].too_deep), (1, true));
        }
    }
}
