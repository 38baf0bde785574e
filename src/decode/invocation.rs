//! Bedrock's model-invocation log: one JSON document per call, a line each, of which the counts are kept, and the prompts
//! and answers only where somebody asks for them.
//!
//! Bedrock user guide, "Monitor model invocation using CloudWatch Logs and Amazon S3": `schemaType` is
//! `ModelInvocationLog`; `inputTokenCount` leaves out what came from a cache. Converse repeats its counts in the body,
//! and the outer ones can then be 0.

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;

use crate::decode::inflate::{InflateError, Inflater};
use crate::decode::shape::exported;
use crate::event::record::Text;
use crate::event::{model, time};

/// One call as the log has it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Invocation {
    /// `requestId`, the `requestID` of its CloudTrail record.
    pub request_id: Option<String>,
    /// `accountId`.
    pub account_id: Option<String>,
    /// `region`.
    pub aws_region: Option<String>,
    /// `timestamp`, microseconds UTC.
    pub event_time: Option<i64>,
    /// `operation`: InvokeModel, Converse, …
    pub operation: Option<String>,
    /// `modelId`, as it was asked for.
    pub model_requested: Option<String>,
    /// Its base id.
    pub model_id: Option<String>,
    /// `identity.arn`.
    pub identity_arn: Option<String>,
    /// `inferenceRegion`.
    pub inference_region: Option<String>,
    /// `errorCode`.
    pub error_code: Option<String>,
    /// Tokens in.
    pub input_tokens: Option<i64>,
    /// Tokens out.
    pub output_tokens: Option<i64>,
    /// Tokens read from a cache.
    pub cache_read_tokens: Option<i64>,
    /// Tokens written to a cache.
    pub cache_write_tokens: Option<i64>,
    /// `inputBodyJson`, or where it lies apart; only where it is asked for.
    pub input_content: Option<String>,
    /// `outputBodyJson`, or where it lies apart; only where it is asked for.
    pub output_content: Option<String>,
    /// Its place in the object, from 0.
    pub log_index: u32,
}

/// What one object held.
#[derive(Debug, Default)]
pub struct Invocations {
    /// Calls.
    pub rows: Vec<Invocation>,
    /// Lines that cannot be read: place and reason.
    pub refused: Vec<(u32, String)>,
    /// Documents that are something else.
    pub foreign: u32,
    /// The place of the next.
    next: u32,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Line<'a> {
    #[serde(borrow)]
    schema_type: Option<Text<'a>>,
    #[serde(borrow)]
    timestamp: Option<Text<'a>>,
    #[serde(borrow)]
    account_id: Option<Text<'a>>,
    #[serde(borrow)]
    region: Option<Text<'a>>,
    #[serde(borrow)]
    request_id: Option<Text<'a>>,
    #[serde(borrow)]
    operation: Option<Text<'a>>,
    #[serde(borrow)]
    model_id: Option<Text<'a>>,
    #[serde(borrow)]
    inference_region: Option<Text<'a>>,
    #[serde(borrow)]
    error_code: Option<Text<'a>>,
    #[serde(borrow)]
    identity: Option<Identity<'a>>,
    #[serde(borrow)]
    input: Option<Input<'a>>,
    #[serde(borrow)]
    output: Option<Output<'a>>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Identity<'a> {
    #[serde(borrow)]
    arn: Option<Text<'a>>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Input<'a> {
    #[serde(rename = "inputTokenCount")]
    fresh: Option<i64>,
    #[serde(rename = "cacheReadInputTokenCount")]
    read: Option<i64>,
    #[serde(rename = "cacheWriteInputTokenCount")]
    written: Option<i64>,
    #[serde(rename = "inputBodyJson", borrow)]
    body: Option<&'a RawValue>,
    #[serde(rename = "inputBodyS3Path", borrow)]
    apart: Option<Text<'a>>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Output<'a> {
    #[serde(rename = "outputTokenCount")]
    count: Option<i64>,
    #[serde(rename = "outputBodyJson", borrow)]
    body: Option<&'a RawValue>,
    #[serde(rename = "outputBodyS3Path", borrow)]
    apart: Option<Text<'a>>,
}

/// Counts in a body, under the names of Converse, Anthropic and OpenAI.
#[derive(Clone, Copy, Default, Deserialize)]
#[serde(default)]
struct Usage {
    #[serde(rename = "inputTokens", alias = "input_tokens", alias = "prompt_tokens")]
    input: Option<i64>,
    #[serde(rename = "outputTokens", alias = "output_tokens", alias = "completion_tokens")]
    output: Option<i64>,
    #[serde(
        rename = "cacheReadInputTokens",
        alias = "cacheReadInputTokenCount",
        alias = "cache_read_input_tokens"
    )]
    read: Option<i64>,
    #[serde(
        rename = "cacheWriteInputTokens",
        alias = "cacheWriteInputTokenCount",
        alias = "cache_creation_input_tokens"
    )]
    written: Option<i64>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Body {
    usage: Option<Usage>,
    metadata: Option<Metadata>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Metadata {
    usage: Option<Usage>,
}

/// Reads one object's stored bytes: a document a line, an array of them, or messages of CloudWatch Logs; prompts and answers if `content` asks for them.
pub fn read(
    inflater: &mut Inflater,
    stored: &[u8],
    name: &str,
    limit: usize,
    content: bool,
) -> Result<Invocations, InflateError> {
    let text = inflater.inflate(stored, name, limit)?;
    let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
    let mut found = Invocations::default();
    if text.trim_ascii_start().starts_with(b"[") {
        match serde_json::from_slice::<Vec<&RawValue>>(text) {
            Ok(documents) => documents.iter().for_each(|one| found.document(one.get().as_bytes(), content)),
            Err(error) => found.refused.push((0, format!("not readable: {error}"))),
        }
        return Ok(found);
    }
    let lines = text.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii).filter(|line| !line.is_empty());
    // Documents that are no lines: as Firehose joins them, or written over several.
    let first = lines.clone().next().unwrap_or_default();
    if first.starts_with(b"{") && serde_json::from_slice::<IgnoredAny>(first).is_err() {
        let documents = serde_json::Deserializer::from_slice(text).into_iter::<&RawValue>();
        if let Ok(documents) = documents.collect::<Result<Vec<_>, _>>() {
            for one in &documents {
                found.document(one.get().as_bytes(), content);
            }
            return Ok(found);
        }
    }
    lines.for_each(|line| found.document(exported(line).map_or(line, |at| &line[at..]), content));
    Ok(found)
}

/// Log events of CloudWatch Logs, as a subscription delivers them and as `FilterLogEvents` and `GetLogEvents` answer.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Logs<'a> {
    #[serde(borrow, rename = "logEvents", alias = "events")]
    events: Vec<&'a RawValue>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct LogEvent<'a> {
    #[serde(borrow)]
    message: Option<Text<'a>>,
}

impl Invocations {
    /// One document: a call, or log events of CloudWatch Logs with one in each message.
    fn document(&mut self, document: &[u8], content: bool) {
        if self.take(document, content) {
            return;
        }
        let Ok(Logs { events }) = serde_json::from_slice(document) else { return self.other() };
        if events.is_empty() {
            return self.other();
        }
        for event in events {
            let LogEvent { message } = serde_json::from_str(event.get()).unwrap_or_default();
            let message = message.filter(|message| message.trim_start().starts_with('{'));
            if !message.is_some_and(|message| self.take(message.as_bytes(), content)) {
                self.other();
            }
        }
    }

    /// Counts what is something else.
    fn other(&mut self) {
        self.foreign += 1;
        self.next += 1;
    }

    /// Takes a call in, or notes that it cannot be read; false if it is something else.
    fn take(&mut self, line: &[u8], content: bool) -> bool {
        let at = self.next;
        let line: Line<'_> = match serde_json::from_slice(line) {
            Ok(line) => line,
            Err(error) => {
                self.refused.push((at, format!("not readable: {error}")));
                self.next += 1;
                return true;
            }
        };
        if line.schema_type.as_deref() != Some("ModelInvocationLog") {
            return false;
        }
        self.next += 1;
        let text =
            |text: Option<Text<'_>>| text.map(|text| text.0.into_owned()).filter(|text| !text.is_empty());
        let (input, output) = (line.input.unwrap_or_default(), line.output.unwrap_or_default());
        let told = |count: Option<i64>| count.filter(|count| *count > 0);
        // Only where a count is missing is a body looked into.
        let usage = match (told(input.fresh), told(output.count)) {
            (Some(_), Some(_)) => Usage::default(),
            _ => output.body.map(|body| usage(body.get())).unwrap_or_default(),
        };
        let count = |own: Option<i64>, body: Option<i64>| {
            told(own).or(body).or(own).filter(|count| (0..=1_000_000_000_000).contains(count))
        };
        let kept = |body: Option<&RawValue>, apart: Option<Text<'_>>| {
            body.map(|body| body.get().to_owned()).or_else(|| text(apart)).filter(|_| content)
        };
        let input_content = kept(input.body, input.apart);
        let output_content = kept(output.body, output.apart);
        let model_requested = text(line.model_id);
        self.rows.push(Invocation {
            request_id: text(line.request_id),
            account_id: text(line.account_id),
            aws_region: text(line.region),
            event_time: line.timestamp.as_deref().and_then(time::parse),
            operation: text(line.operation),
            model_id: model_requested.as_deref().map(|model| model::normalise(model).id.into_owned()),
            model_requested,
            identity_arn: line.identity.and_then(|identity| text(identity.arn)),
            inference_region: text(line.inference_region),
            error_code: text(line.error_code),
            input_tokens: count(input.fresh, usage.input),
            output_tokens: count(output.count, usage.output),
            cache_read_tokens: count(input.read, usage.read),
            cache_write_tokens: count(input.written, usage.written),
            input_content,
            output_content,
            log_index: at,
        });
        true
    }
}

/// The counts in a body; of a stream's chunks, the last that has any.
fn usage(body: &str) -> Usage {
    let of = |text: &str| {
        let body: Body = serde_json::from_str(text).unwrap_or_default();
        body.usage.or_else(|| body.metadata.and_then(|metadata| metadata.usage))
    };
    if body.starts_with('[') {
        let chunks: Vec<&RawValue> = serde_json::from_str(body).unwrap_or_default();
        return chunks.iter().rev().find_map(|chunk| of(chunk.get())).unwrap_or_default();
    }
    of(body).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    const CALL: &str = r#"{"schemaType":"ModelInvocationLog","schemaVersion":"1.0","timestamp":"2026-10-05T10:00:00Z","accountId":"111122223333","identity":{"arn":"arn:aws:sts::111122223333:assumed-role/app/s"},"region":"eu-central-1","requestId":"r-1","operation":"Converse","modelId":"eu.anthropic.claude-sonnet-4-5-20250929-v1:0","input":{"inputContentType":"application/json","inputBodyJson":{"messages":[{"content":"secret"}]},"inputTokenCount":12,"cacheReadInputTokenCount":3},"output":{"outputBodyJson":{"usage":{"inputTokens":99,"outputTokens":7}},"outputTokenCount":5}}"#;

    fn of(text: &str) -> Invocations {
        read(&mut Inflater::default(), text.as_bytes(), "log.json", 1 << 20, false).unwrap()
    }

    #[test]
    fn words_are_kept_for_who_asks_and_a_place_where_they_lie_apart() {
        let text = CALL.replace(
            r#""outputBodyJson":{"usage":{"inputTokens":99,"outputTokens":7}}"#,
            r#""outputBodyS3Path":"s3://b/k""#,
        );
        let found = read(&mut Inflater::default(), text.as_bytes(), "log.json", 1 << 20, true).unwrap();
        let row = &found.rows[0];
        assert_eq!(row.input_content.as_deref(), Some(r#"{"messages":[{"content":"secret"}]}"#));
        assert_eq!(row.output_content.as_deref(), Some("s3://b/k"));
        assert_eq!(of(&text).rows[0].output_content, None);
    }

    #[test]
    fn counts_are_kept_and_words_are_not() {
        let found = of(CALL);
        let row = &found.rows[0];
        assert_eq!(row.model_id.as_deref(), Some("anthropic.claude-sonnet-4-5-20250929-v1:0"));
        assert_eq!((row.input_tokens, row.output_tokens), (Some(12), Some(5)));
        assert_eq!((row.cache_read_tokens, row.cache_write_tokens), (Some(3), None));
        assert!(!format!("{row:?}").contains("secret"));
    }

    #[test]
    fn a_count_of_nothing_is_looked_for_in_the_body() {
        let of = |input: &str, output: &str| {
            let found = of(&CALL
                .replace(r#""inputTokenCount":12"#, input)
                .replace(r#""outputTokenCount":5"#, output));
            (found.rows[0].input_tokens, found.rows[0].output_tokens)
        };
        assert_eq!(of(r#""inputTokenCount":0"#, r#""outputTokenCount":5"#), (Some(99), Some(5)));
        assert_eq!(of(r#""x":0"#, r#""y":5"#), (Some(99), Some(7)));
        let stream = CALL.replace(
            r#"{"usage":{"inputTokens":99,"outputTokens":7}},"outputTokenCount":5"#,
            r#"[{"type":"a"},{"usage":{"input_tokens":8,"output_tokens":9}},{"type":"end"}]"#,
        );
        assert_eq!(super::tests::of(&stream).rows[0].output_tokens, Some(9));
    }

    #[test]
    fn calls_are_read_from_messages_of_cloudwatch_logs() {
        let event = |message: &str| format!(r#"{{"timestamp":1,"message":{}}}"#, serde_json::json!(message));
        let told = |text: &str| {
            let found = of(text);
            assert!(found.rows.iter().all(|row| row.request_id.as_deref() == Some("r-1")), "{text}");
            let places = found.rows.iter().map(|row| row.log_index).collect::<Vec<_>>();
            (places, found.refused.len(), found.foreign)
        };
        let document = format!(
            r#"{{"messageType":"DATA_MESSAGE","logEvents":[{},null,{},{}]}}"#,
            event(CALL),
            event("hello"),
            event(CALL)
        );
        let pretty = serde_json::from_str::<serde_json::Value>(&document).unwrap();
        assert_eq!(told(&document), (vec![0, 3], 0, 2));
        assert_eq!(told(&format!("{pretty:#}")), (vec![0, 3], 0, 2));
        assert_eq!(told(&format!("[{document}]")), (vec![0, 3], 0, 2));
        assert_eq!(told(&format!("{document}{document}")), (vec![0, 3, 4, 7], 0, 4));
        assert_eq!(told(&format!("{document}\n{CALL}\n")), (vec![0, 3, 4], 0, 2));
        let answer = format!(r#"{{"events":[{},{}]}}"#, event(CALL), event(&CALL[..200]));
        assert_eq!(told(&answer), (vec![0], 1, 0));
        assert_eq!(told(&format!("2026-10-05T12:00:00.000Z {CALL}\n")), (vec![0], 0, 0));
    }

    #[test]
    fn one_bad_line_costs_only_itself() {
        let found = of(&format!("{CALL}\n{{\"schemaType\":\n\n{CALL}\n{{\"schemaType\":\"Other\"}}\n"));
        assert_eq!((found.rows.len(), found.refused.len(), found.foreign), (2, 1, 1));
        assert_eq!((found.refused[0].0, found.rows[1].log_index), (1, 2));
        assert_eq!(of(&format!("[{CALL},{CALL}]")).rows.len(), 2);
    }
}
