//! A trace as a tree for people, and as JSON.

use std::fmt::Write as _;

use serde_json::{Map, Value, json};

use super::shown;
use crate::clock;
use crate::evidence::trace::{Caller, Row, Span, Step, Trace};

/// The tree: a line for each caller, and below it one for each record. `opening` goes first.
pub fn tree(trace: &Trace, opening: &str) -> String {
    let mut out = String::new();
    let subject = &trace.subject;
    let _ = writeln!(out, "{} {}", subject.kind, shown(&subject.value));
    let _ = writeln!(out, "{opening}");
    for caller in &trace.callers {
        let _ = writeln!(out, "\n{}", who(caller));
        branches(&caller.steps, "", &mut out);
    }
    out.push('\n');
    for limit in &trace.limits {
        let _ = writeln!(out, "{}", shown(limit));
    }
    out
}

/// So many characters of what callers put in by hand fit into the tree; JSON has it whole.
const CONTENT: usize = 1_000;

/// What callers put in by hand, if it was asked for.
fn contents(row: &Row) -> impl Iterator<Item = (&'static str, &str)> {
    [("request_parameters", &row.request_parameters), ("additional_event_data", &row.additional_event_data)]
        .into_iter()
        .filter_map(|(name, content)| Some((name, content.as_deref()?)))
        .filter(|(_, content)| !matches!(*content, "null" | "{}"))
}

fn who(caller: &Caller) -> String {
    let person = caller.person.as_deref().unwrap_or("nobody known");
    let principal = caller.principal.as_deref().unwrap_or("unknown");
    let session = caller.session_name.as_deref().filter(|session| *session != person);
    let session = session.map(|session| format!(", session {session}")).unwrap_or_default();
    let line = format!("{person} as {principal}{session}  [{}: {}]", caller.link.word(), caller.link.by());
    shown(&line).into_owned()
}

fn branches(steps: &[Step], indent: &str, out: &mut String) {
    for (at, step) in steps.iter().enumerate() {
        let last = at + 1 == steps.len();
        let (fork, below) = if last { ("└─ ", "   ") } else { ("├─ ", "│  ") };
        let link =
            step.link.as_ref().map(|link| format!("  [{}: {}]", link.word(), link.by())).unwrap_or_default();
        let line = format!("{}{link}", record(&step.row));
        let _ = writeln!(out, "{indent}{fork}{}", shown(&line));
        let indent = format!("{indent}{below}");
        for (name, content) in contents(&step.row) {
            let cut: String = content.chars().take(CONTENT).collect();
            let more = if cut.len() < content.len() { " …" } else { "" };
            let _ = writeln!(out, "{indent}{name} {}{more}", shown(&cut));
        }
        spans(&step.spans, "request id", step.steps.is_empty(), &indent, out);
        branches(&step.steps, &indent, out);
    }
}

/// Spans of a record, or of a span; `closes`: nothing follows them.
fn spans(list: &[Span], by: &str, closes: bool, indent: &str, out: &mut String) {
    for (at, span) in list.iter().enumerate() {
        let last = closes && at + 1 == list.len();
        let (fork, below) = if last { ("└─ ", "   ") } else { ("├─ ", "│  ") };
        let mut line = span.start.map(clock::format_micros).unwrap_or_default();
        let _ = write!(line, " span {}", span.name);
        if let Some(status) = &span.status {
            let _ = write!(line, " {status}");
        }
        if let (Some(start), Some(end)) = (span.start, span.end) {
            let _ = write!(line, ", {} ms", end.saturating_sub(start) / 1000);
        }
        for (name, value) in &span.attributes {
            let _ = write!(line, ", {name} {value}");
        }
        let _ = write!(line, ", trace {}  [recorded: {by}]", span.trace_id);
        let _ = writeln!(out, "{indent}{fork}{}", shown(line.trim_start()));
        spans(&span.spans, "parent span", true, &format!("{indent}{below}"), out);
    }
}

fn span_objects(list: &[Span], by: &str) -> Vec<Value> {
    list.iter()
        .map(|span| {
            let mut object = Map::new();
            for (name, value) in
                [("name", &span.name), ("trace_id", &span.trace_id), ("span_id", &span.span_id)]
            {
                object.insert(name.to_owned(), value.clone().into());
            }
            for (name, time) in [("start_time", span.start), ("end_time", span.end)] {
                if let Some(time) = time {
                    object.insert(name.to_owned(), clock::format_micros(time).into());
                }
            }
            if let Some(status) = &span.status {
                object.insert("status".to_owned(), status.clone().into());
            }
            object.insert("attributes".to_owned(), json!(span.attributes));
            object.insert("link".to_owned(), "recorded".into());
            object.insert("by".to_owned(), by.into());
            object.insert("spans".to_owned(), span_objects(&span.spans, "parent span").into());
            Value::Object(object)
        })
        .collect()
}

/// Time, call, how it came out, and what it was about.
fn record(row: &Row) -> String {
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    let service = text(&row.event_source);
    let service = service.strip_suffix(".amazonaws.com").unwrap_or(&service);
    let outcome = match (&row.outcome, &row.error_code) {
        (Some(outcome), Some(code)) if outcome != "ok" => format!("{outcome} ({code})"),
        (outcome, _) => text(outcome),
    };
    let mut line =
        format!("{} {service} {} {outcome}", clock::format_micros(row.event_time), text(&row.event_name));
    for (name, value) in [
        ("", &row.model_id),
        ("agent", &row.agent_id),
        ("", &row.runtime_arn),
        ("", &row.gateway_arn),
        ("flow", &row.flow_id),
        ("session", &row.agent_session_id),
        ("tool", &row.tool_name),
        ("provider", &row.credential_provider),
        ("knowledge base", &row.knowledge_base_id),
        ("memory", &row.memory_id),
        ("", &row.lambda_arn),
        ("", &row.assumed_role),
    ] {
        if let Some(value) = value {
            let space = if name.is_empty() { "" } else { " " };
            let _ = write!(line, ", {name}{space}{value}");
        }
    }
    if let (Some(input), Some(output)) = (row.input_tokens, row.output_tokens) {
        let _ = write!(line, ", {input} tokens in, {output} out");
    }
    line
}

/// One document: `kind`, `subject`, `callers` with `steps` within `steps`, `limits`.
pub fn json(trace: &Trace) -> String {
    let callers: Vec<Value> = trace
        .callers
        .iter()
        .map(|caller| {
            json!({
                "principal": caller.principal, "session_name": caller.session_name, "person": caller.person,
                "link": caller.link.word(), "by": caller.link.by(), "steps": steps(&caller.steps),
            })
        })
        .collect();
    let document = json!({
        "kind": trace.subject.kind, "subject": trace.subject.value, "callers": callers, "limits": trace.limits,
    });
    super::document(&document.to_string())
}

fn steps(list: &[Step]) -> Vec<Value> {
    list.iter()
        .map(|step| {
            let row = &step.row;
            let mut object = Map::new();
            object.insert("event_time".to_owned(), clock::format_micros(row.event_time).into());
            for (name, value) in [
                ("event_id", &row.event_id),
                ("event_source", &row.event_source),
                ("event_name", &row.event_name),
                ("account_id", &row.account_id),
                ("aws_region", &row.aws_region),
                ("activity", &row.activity),
                ("outcome", &row.outcome),
                ("error_code", &row.error_code),
                ("principal", &row.principal),
                ("role_arn", &row.role_arn),
                ("session_name", &row.session_name),
                ("person", &row.person),
                ("person_basis", &row.person_basis),
                ("credential", &row.credential),
                ("access_key_id", &row.access_key_id),
                ("credentials_issued_to", &row.credentials_issued_to),
                ("source_ip", &row.source_ip),
                ("invoked_by", &row.invoked_by),
                ("client", &row.client),
                ("model_id", &row.model_id),
                ("agent", &row.agent().map(str::to_owned)),
                ("agent_session_id", &row.agent_session_id),
                ("tool_name", &row.tool_name),
                ("credential_provider", &row.credential_provider),
                ("knowledge_base_id", &row.knowledge_base_id),
                ("memory_id", &row.memory_id),
                ("lambda_arn", &row.lambda_arn),
                ("assumed_role", &row.assumed_role),
                ("request_id", &row.request_id),
                ("log_object", &row.log_object),
            ] {
                if let Some(value) = value {
                    object.insert(name.to_owned(), value.clone().into());
                }
            }
            for (name, content) in contents(row) {
                let content = serde_json::from_str(content).unwrap_or_else(|_| content.into());
                object.insert(name.to_owned(), content);
            }
            for (name, value) in [("input_tokens", row.input_tokens), ("output_tokens", row.output_tokens)] {
                if let Some(value) = value {
                    object.insert(name.to_owned(), value.into());
                }
            }
            if let Some(link) = &step.link {
                object.insert("link".to_owned(), link.word().into());
                object.insert("by".to_owned(), link.by().into());
            }
            if !step.spans.is_empty() {
                object.insert("spans".to_owned(), span_objects(&step.spans, "request id").into());
            }
            object.insert("steps".to_owned(), steps(&step.steps).into());
            Value::Object(object)
        })
        .collect()
}
