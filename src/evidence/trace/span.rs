//! Spans of `OpenTelemetry`, hung under the records that share their request id.
//!
//! AWS SDKs put the id that the service gave a request into the attribute `aws.request_id`; CloudTrail writes the same as
//! `requestID`. Lines are spans as CloudWatch's log group `aws/spans` holds them, or documents of OTLP/JSON. Of a span
//! only its ids, name, times, status and a few attributes that hold no content are kept.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, BufRead};

use serde_json::Value;

use super::{Step, Trace};

/// Attributes that are shown: what was asked of which model, agent or tool.
const SHOWN: &[&str] = &[
    "gen_ai.agent.name",
    "gen_ai.operation.name",
    "gen_ai.request.model",
    "gen_ai.tool.name",
    "rpc.method",
    "rpc.service",
    "session.id",
];

/// Spans within spans deeper than this are left out.
const DEPTH: usize = 64;

/// A span.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Span {
    /// `traceId`.
    pub trace_id: String,
    /// `spanId`.
    pub span_id: String,
    /// `parentSpanId`; empty for a root.
    pub parent_id: String,
    /// `name`.
    pub name: String,
    /// When it began, microseconds UTC.
    pub start: Option<i64>,
    /// When it ended, microseconds UTC.
    pub end: Option<i64>,
    /// `status.code`, if it is not unset.
    pub status: Option<String>,
    /// `aws.request_id`.
    pub request_id: Option<String>,
    /// `SHOWN` attributes.
    pub attributes: BTreeMap<String, String>,
    /// Spans that name it as their parent.
    pub spans: Vec<Span>,
}

/// What a file of spans holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Spans {
    /// In the order of the file.
    pub all: Vec<Span>,
    /// Lines that are no spans.
    pub odd: u64,
}

impl Spans {
    /// Reads NDJSON.
    pub fn read(mut lines: impl BufRead) -> io::Result<Self> {
        let mut spans = Self::default();
        let mut line = Vec::new();
        while lines.read_until(b'\n', &mut line)? > 0 {
            if !line.trim_ascii().is_empty() {
                let before = spans.all.len();
                if let Ok(value) = serde_json::from_slice(&line) {
                    spans.take(&value, 0);
                }
                spans.odd += u64::from(spans.all.len() == before);
            }
            line.clear();
        }
        Ok(spans)
    }

    fn take(&mut self, value: &Value, depth: usize) {
        const NESTED: [&str; 6] = [
            "resourceSpans",
            "resource_spans",
            "scopeSpans",
            "scope_spans",
            "instrumentationLibrarySpans",
            "spans",
        ];
        for list in NESTED.iter().filter_map(|key| value[key].as_array()).filter(|_| depth < 4) {
            for inner in list {
                self.take(inner, depth + 1);
            }
        }
        self.all.extend(span(value));
    }

    /// Hangs spans under the steps whose request id they carry, and what they set off under them. What is left is told
    /// among the limits of the trace.
    pub fn hang(self, trace: &mut Trace) {
        let read = self.all.len();
        let mut by_request: BTreeMap<String, Vec<Span>> = BTreeMap::new();
        let mut by_parent: BTreeMap<(String, String), Vec<Span>> = BTreeMap::new();
        let mut wanted = BTreeSet::new();
        for caller in &trace.callers {
            requests(&caller.steps, &mut wanted);
        }
        for span in self.all {
            match span.request_id.as_ref().filter(|id| wanted.contains(*id)) {
                Some(id) => by_request.entry(id.clone()).or_default().push(span),
                None if span.parent_id.is_empty() => {}
                None => {
                    let parent = (span.trace_id.clone(), span.parent_id.clone());
                    by_parent.entry(parent).or_default().push(span);
                }
            }
        }
        let mut hung = 0;
        for caller in &mut trace.callers {
            under(&mut caller.steps, &mut by_request, &mut by_parent, &mut hung);
        }
        let mut limit = format!("{hung} of {read} spans belong to these records by their request id");
        if self.odd > 0 {
            limit = format!("{limit}; {} lines are no spans", self.odd);
        }
        trace.limits.push(limit + ".");
    }
}

fn requests(steps: &[Step], out: &mut BTreeSet<String>) {
    for step in steps {
        out.extend(step.row.request_id.clone());
        requests(&step.steps, out);
    }
}

type ByParent = BTreeMap<(String, String), Vec<Span>>;

/// A request may have more than one record: the first has its spans.
fn under(
    steps: &mut [Step],
    by_request: &mut BTreeMap<String, Vec<Span>>,
    by_parent: &mut ByParent,
    hung: &mut usize,
) {
    for step in steps {
        if let Some(spans) = step.row.request_id.as_ref().and_then(|id| by_request.remove(id)) {
            step.spans = spans.into_iter().map(|span| whole(span, by_parent, hung, 0)).collect();
            step.spans.sort_by(order);
        }
        under(&mut step.steps, by_request, by_parent, hung);
    }
}

/// A span with what it set off.
fn whole(mut span: Span, by_parent: &mut ByParent, hung: &mut usize, depth: usize) -> Span {
    *hung += 1;
    if depth < DEPTH {
        let own = (span.trace_id.clone(), span.span_id.clone());
        let below = by_parent.remove(&own).unwrap_or_default();
        span.spans = below.into_iter().map(|below| whole(below, by_parent, hung, depth + 1)).collect();
        span.spans.sort_by(order);
    }
    span
}

fn order(a: &Span, b: &Span) -> std::cmp::Ordering {
    (a.start, &a.span_id).cmp(&(b.start, &b.span_id))
}

/// A span, if the value is one.
fn span(value: &Value) -> Option<Span> {
    let text =
        |keys: [&str; 2]| keys.iter().find_map(|key| value[key].as_str()).unwrap_or_default().to_owned();
    let span_id = text(["spanId", "span_id"]);
    if span_id.is_empty() {
        return None;
    }
    let time = |keys: [&str; 2]| keys.iter().find_map(|key| nanos(&value[key])).map(|nanos| nanos / 1000);
    let attributes = &value["attributes"];
    let status = match &value["status"]["code"] {
        Value::String(code) if code != "UNSET" && code != "STATUS_CODE_UNSET" => Some(code.clone()),
        Value::Number(code) if code.as_i64() == Some(1) => Some("OK".to_owned()),
        Value::Number(code) if code.as_i64() == Some(2) => Some("ERROR".to_owned()),
        _ => None,
    };
    Some(Span {
        trace_id: text(["traceId", "trace_id"]),
        span_id,
        parent_id: text(["parentSpanId", "parent_span_id"]),
        name: text(["name", "name"]),
        start: time(["startTimeUnixNano", "start_time_unix_nano"]),
        end: time(["endTimeUnixNano", "end_time_unix_nano"]),
        status,
        request_id: attribute(attributes, "aws.request_id").filter(|id| !id.is_empty()),
        attributes: SHOWN
            .iter()
            .filter_map(|key| Some(((*key).to_owned(), attribute(attributes, key)?)))
            .collect(),
        spans: Vec::new(),
    })
}

/// An attribute, of an object or of OTLP's list of keys and values.
fn attribute(attributes: &Value, key: &str) -> Option<String> {
    let value = match attributes {
        Value::Array(list) => &list.iter().find(|one| one["key"] == *key)?["value"],
        other => &other[key],
    };
    let value = if value.is_object() { &value["stringValue"] } else { value };
    value.as_str().map(str::to_owned)
}

fn nanos(value: &Value) -> Option<i64> {
    value.as_i64().or_else(|| value.as_str()?.parse().ok())
}

#[cfg(test)]
mod tests {
    use super::super::{Caller, Link, Row, Subject};
    use super::*;

    const LINES: &str = r#"
        {"traceId":"t1","spanId":"a","name":"chat","startTimeUnixNano":2000,"endTimeUnixNano":5000,"attributes":{"aws.request_id":"r1","gen_ai.prompt":"secret","rpc.method":"Converse"},"status":{"code":"ERROR"}}
        {"traceId":"t1","spanId":"b","parentSpanId":"a","name":"http","attributes":{}}
        {"traceId":"t2","spanId":"b","parentSpanId":"a","name":"of another trace"}
        {"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":"t3","spanId":"c","parentSpanId":"c","name":"loop","startTimeUnixNano":"1000","attributes":[{"key":"aws.request_id","value":{"stringValue":"r1"}}]}]}]}]}
        {"spanId":"d","attributes":{"aws.request_id":"r9"}}
        not JSON
        {"message":"no span"}
        5
    "#;

    #[test]
    fn spans_hang_under_the_record_of_their_request() {
        let spans = Spans::read(LINES.as_bytes()).unwrap();
        assert_eq!((spans.all.len(), spans.odd), (5, 3));
        let row = Row { request_id: Some("r1".to_owned()), ..Row::default() };
        let step = Step { link: None, row, steps: Vec::new(), spans: Vec::new() };
        let caller = Caller {
            principal: None,
            session_name: None,
            person: None,
            link: Link::Unknown(String::new()),
            steps: vec![step.clone(), step],
        };
        let mut trace = Trace { subject: Subject::default(), callers: vec![caller], limits: Vec::new() };
        spans.hang(&mut trace);
        let steps = &trace.callers[0].steps;
        let names: Vec<&str> = steps[0].spans.iter().map(|span| span.name.as_str()).collect();
        assert_eq!(names, ["loop", "chat"]);
        let chat = &steps[0].spans[1];
        assert_eq!((chat.start, chat.end, chat.status.as_deref()), (Some(2), Some(5), Some("ERROR")));
        assert_eq!(chat.spans[0].name, "http");
        assert_eq!(chat.attributes.len(), 1, "no content: {chat:?}");
        assert!(steps[1].spans.is_empty());
        let told = "3 of 5 spans belong to these records by their request id; 3 lines are no spans.";
        assert_eq!(trace.limits, [told]);
    }
}
