//! A trace as a tree for people, and as JSON.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use serde_json::{Map, Value, json};

use super::{shown, text};
use crate::clock;
use crate::evidence::trace::{Caller, Row, Span, Step, Trace};

/// The tree: a line for each caller, and below it one for each record. `opening` goes first. Lines are broken to be no
/// longer than `width` characters, if there is one.
pub fn tree(trace: &Trace, opening: &str, width: Option<usize>) -> String {
    let mut tree = Tree { out: String::new(), width };
    let subject = &trace.subject;
    tree.line("", "", &format!("{} {}", subject.kind, subject.value));
    tree.line("", "", opening);
    for caller in &trace.callers {
        tree.out.push('\n');
        tree.line("", if caller.steps.is_empty() { "   " } else { "│  " }, &who(caller));
        tree.branches(&caller.steps, "");
    }
    tree.out.push('\n');
    for limit in &trace.limits {
        tree.line("", "", limit);
    }
    tree.out
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
    let from = addresses(&caller.steps);
    format!("{person} as {principal}{session}{from}  [{}: {}]", caller.link.word(), caller.link.by())
}

/// So many addresses of a caller are named.
const ADDRESSES: usize = 3;

/// Where somebody's calls came from.
fn addresses(steps: &[Step]) -> String {
    let all: BTreeSet<&str> = steps.iter().filter_map(|step| step.row.source_ip.as_deref()).collect();
    let some: Vec<&str> = all.iter().copied().take(ADDRESSES).collect();
    match all.len() - some.len() {
        _ if some.is_empty() => String::new(),
        0 => format!(", from {}", some.join(" ")),
        more => format!(", from {} and {more} more", some.join(" ")),
    }
}

/// What is written, line by line.
struct Tree {
    out: String,
    width: Option<usize>,
}

/// A line is broken only where so many characters of it are left.
const LEGIBLE: usize = 30;

impl Tree {
    /// One line after `first`; what does not fit goes on after `further`.
    fn line(&mut self, first: &str, further: &str, line: &str) {
        let line = shown(line);
        let width = |width: usize| width.saturating_sub(further.chars().count()).max(LEGIBLE);
        let line = self.width.map_or_else(|| line.to_string(), |all| text::wrapped(&line, width(all)));
        for (at, part) in line.split('\n').enumerate() {
            let _ = writeln!(self.out, "{}{}", if at == 0 { first } else { further }, part.trim_end());
        }
    }

    fn branches(&mut self, steps: &[Step], indent: &str) {
        for (at, step) in steps.iter().enumerate() {
            let last = at + 1 == steps.len();
            let (fork, below) = if last { ("└─ ", "   ") } else { ("├─ ", "│  ") };
            let ends = step.steps.is_empty() && step.spans.is_empty();
            let further = format!("{indent}{below}{}", if ends { "   " } else { "│  " });
            let link = step.link.as_ref();
            let link = link.map(|link| format!("  [{}: {}]", link.word(), link.by())).unwrap_or_default();
            self.line(&format!("{indent}{fork}"), &further, &format!("{}{link}", record(&step.row)));
            let indent = format!("{indent}{below}");
            for (name, content) in contents(&step.row) {
                let cut: String = content.chars().take(CONTENT).collect();
                let more = if cut.len() < content.len() { " …" } else { "" };
                self.line(&indent, &further, &format!("{name} {cut}{more}"));
            }
            self.spans(&step.spans, "request id", step.steps.is_empty(), &indent);
            self.branches(&step.steps, &indent);
        }
    }

    /// Spans of a record, or of a span; `closes`: nothing follows them.
    fn spans(&mut self, list: &[Span], by: &str, closes: bool, indent: &str) {
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
            let further = format!("{indent}{below}{}", if span.spans.is_empty() { "   " } else { "│  " });
            self.line(&format!("{indent}{fork}"), &further, line.trim_start());
            self.spans(&span.spans, "parent span", true, &format!("{indent}{below}"));
        }
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

/// So many characters of a name fit into the tree.
const NAME: usize = 200;

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
    // An ARN says nothing that the id in it does not, but for account and Region, which are the record's.
    let last =
        |arn: &Option<String>| arn.as_deref().and_then(|arn| arn.rsplit('/').next().map(str::to_owned));
    let runtime = row.runtime_arn.clone().filter(|_| row.agent_id.is_none());
    for (name, value) in [
        ("", &row.model_id),
        ("agent", &row.agent_id),
        ("", &runtime),
        ("gateway", &last(&row.gateway_arn)),
        ("flow", &row.flow_id),
        ("session", &row.agent_session_id),
        ("tool", &row.tool_name),
        ("provider", &row.credential_provider),
        ("knowledge base", &row.knowledge_base_id),
        ("memory", &row.memory_id),
        ("", &row.lambda_arn),
        ("", &row.assumed_role),
        ("", &row.target),
    ] {
        if let Some(value) = value.as_deref().filter(|value| !line.ends_with(*value)) {
            let space = if name.is_empty() { "" } else { " " };
            let cut: String = value.chars().take(NAME).collect();
            let more = if cut.len() < value.len() { "…" } else { "" };
            let _ = write!(line, ", {name}{space}{cut}{more}");
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
                ("target", &row.target),
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::trace::{Link, Subject};

    fn step(name: &str, link: Option<Link>, steps: Vec<Step>) -> Step {
        let row = Row {
            event_source: Some("s3.amazonaws.com".to_owned()),
            event_name: Some(name.to_owned()),
            outcome: Some("ok".to_owned()),
            source_ip: Some("192.0.2.1".to_owned()),
            target: Some("bucket-of-receipts/2026/11/a-long-name-of-an-object\u{1b}[2J.pdf".to_owned()),
            ..Row::default()
        };
        Step { link, row, steps, spans: Vec::new() }
    }

    #[test]
    fn lines_are_broken_under_their_own_branch() {
        let by = || Some(Link::Derived("role and time".to_owned()));
        let below = vec![step("GetObject", by(), vec![]), step("PutObject", by(), vec![])];
        let caller = Caller {
            principal: Some("arn:aws:iam::111122223333:role/service/portal-api".to_owned()),
            session_name: None,
            person: None,
            link: Link::Unknown("the record names nobody".to_owned()),
            steps: vec![step("CopyObject", None, below)],
        };
        let mut subject = Subject::default();
        subject.kind.push_str("agent");
        subject.value.push('a');
        let trace = Trace { subject, callers: vec![caller], limits: Vec::new() };
        let narrow = tree(&trace, "Opening.", Some(50));
        assert!(narrow.lines().all(|line| line.chars().count() <= 50), "{narrow}");
        insta::assert_snapshot!(narrow, @r"
        agent a
        Opening.

        nobody known as arn:aws:iam::111122223333:role/
        │  service/portal-api, from 192.0.2.1  [unknown:
        │  the record names nobody]
        └─ 1970-01-01T00:00:00Z s3 CopyObject ok,
           │  bucket-of-receipts/2026/11/
           │  a-long-name-of-an-object\u{1b}[2J.pdf
           ├─ 1970-01-01T00:00:00Z s3 GetObject ok,
           │     bucket-of-receipts/2026/11/
           │     a-long-name-of-an-object\u{1b}[2J.pdf
           │     [derived: role and time]
           └─ 1970-01-01T00:00:00Z s3 PutObject ok,
                 bucket-of-receipts/2026/11/
                 a-long-name-of-an-object\u{1b}[2J.pdf
                 [derived: role and time]
        ");
        let wide = tree(&trace, "Opening.", None);
        assert_eq!(wide.lines().filter(|line| !line.is_empty()).count(), 6, "{wide}");
    }
}
