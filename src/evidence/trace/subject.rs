//! What a trace is of: a session, an agent, a request or a person, found by what was typed.

use arrow::array::{AsArray, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Int64Type};

use super::Error;
use crate::engine::Engine;

/// Columns by which something is found, and what it is then.
const COLUMNS: &[(&str, &str)] = &[
    ("request", "request_id"),
    ("request", "event_id"),
    ("session", "agent_session_id"),
    ("agent", "agent_id"),
    ("agent", "agent_alias_id"),
    ("agent", "runtime_arn"),
    ("agent", "gateway_arn"),
    ("agent", "memory_id"),
    ("agent", "knowledge_base_id"),
    ("agent", "flow_id"),
    ("person", "person"),
    ("person", "principal"),
    ("person", "role_name"),
    ("person", "session_name"),
    ("person", "source_identity"),
    ("person", "user_name"),
    ("person", "jwt_subject"),
];

/// So many candidates are named.
const NAMED: usize = 20;

/// What is traced.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Subject {
    /// `session`, `agent`, `request` or `person`.
    pub kind: String,
    /// As the records say it.
    pub value: String,
    /// The columns that hold it.
    pub columns: Vec<String>,
}

impl Subject {
    /// The statement whose rows are candidates: kind, column, value, how many records.
    pub(super) fn query(typed: &str) -> String {
        let literal = quoted(typed);
        let parts: Vec<String> = COLUMNS
            .iter()
            .map(|(kind, column)| {
                format!(
                    "SELECT '{kind}' AS kind, '{column}' AS column_name, {column} AS value, COUNT(*) AS records FROM \
                     events WHERE strpos({column}, {literal}) > 0 GROUP BY {column}"
                )
            })
            .collect();
        format!(
            "SELECT kind AS kind, column_name AS column_name, value AS value, records AS records FROM ({}) AS \
             candidates ORDER BY value, kind, column_name",
            parts.join(" UNION ALL ")
        )
    }

    /// The one thing that `typed` names: in full, or by the beginning or the last part of its name.
    pub(super) fn find(engine: &Engine, typed: &str) -> Result<Self, Error> {
        let mut candidates = Vec::new();
        for batch in engine.query(&Self::query(typed))? {
            read(&batch?, &mut candidates)?;
        }
        choose(typed, &candidates)
    }

    /// The condition that a record is of it.
    pub(super) fn condition(&self) -> String {
        let literal = quoted(&self.value);
        let parts: Vec<String> = self.columns.iter().map(|column| format!("{column} = {literal}")).collect();
        parts.join(" OR ")
    }
}

/// A text as an SQL literal. Both engines know one escape only: a quote is doubled.
pub fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

#[derive(Clone, Debug)]
struct Candidate {
    kind: String,
    column: String,
    value: String,
    records: i64,
}

fn read(batch: &RecordBatch, out: &mut Vec<Candidate>) -> Result<(), Error> {
    let text = |at: usize| cast(batch.column(at), &DataType::Utf8View);
    let (kinds, columns, values) = (text(0)?, text(1)?, text(2)?);
    let records = cast(batch.column(3), &DataType::Int64)?;
    for at in 0..batch.num_rows() {
        out.push(Candidate {
            kind: kinds.as_string_view().value(at).to_owned(),
            column: columns.as_string_view().value(at).to_owned(),
            value: values.as_string_view().value(at).to_owned(),
            records: records.as_primitive::<Int64Type>().value(at),
        });
    }
    Ok(())
}

fn choose(typed: &str, candidates: &[Candidate]) -> Result<Subject, Error> {
    // The stronger the match, the fewer things are meant by it.
    let fits: [&dyn Fn(&str) -> bool; 3] =
        [&|value| value == typed, &|value| value.rsplit(['/', ':']).next() == Some(typed), &|value| {
            value.starts_with(typed) || value.rsplit('/').next().is_some_and(|last| last.starts_with(typed))
        }];
    for fit in fits {
        let found: Vec<&Candidate> = candidates.iter().filter(|candidate| fit(&candidate.value)).collect();
        let mut values: Vec<&str> = found.iter().map(|candidate| candidate.value.as_str()).collect();
        values.dedup();
        match values.len() {
            0 => {}
            1 => {
                let kind = found.iter().map(|candidate| &candidate.kind).max_by_key(|kind| rank(kind));
                return Ok(Subject {
                    kind: kind.cloned().unwrap_or_default(),
                    value: values[0].to_owned(),
                    columns: found.iter().map(|candidate| candidate.column.clone()).collect(),
                });
            }
            _ => return Err(ambiguous(typed, &found)),
        }
    }
    Err(Error::NoMatch { typed: typed.to_owned() })
}

/// What a name is first of all where it is several things.
fn rank(kind: &str) -> usize {
    ["person", "agent", "session", "request"].iter().position(|one| *one == kind).unwrap_or_default()
}

fn ambiguous(typed: &str, found: &[&Candidate]) -> Error {
    let mut lines: Vec<String> = found
        .iter()
        .map(|one| format!("{} {} ({} records, {})", one.kind, one.value, one.records, one.column))
        .collect();
    let more = lines.len().saturating_sub(NAMED);
    lines.truncate(NAMED);
    if more > 0 {
        lines.push(format!("and {more} more"));
    }
    Error::Ambiguous { typed: typed.to_owned(), candidates: lines.join("\n  ") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(typed: &str, values: &[(&str, &str, &str)]) -> Result<Subject, String> {
        let candidates: Vec<Candidate> = values
            .iter()
            .map(|(kind, column, value)| Candidate {
                kind: (*kind).to_owned(),
                column: (*column).to_owned(),
                value: (*value).to_owned(),
                records: 2,
            })
            .collect();
        choose(typed, &candidates).map_err(|error| error.to_string())
    }

    #[test]
    fn the_whole_name_comes_before_its_last_part_and_that_before_its_beginning() {
        let runtime = "arn:aws:bedrock-agentcore:eu-central-1:111122223333:runtime/refund";
        let values = [
            ("agent", "runtime_arn", runtime),
            ("person", "role_name", "refund"),
            ("person", "session_name", "refund-2"),
        ];
        assert_eq!(of("refund", &values).unwrap().columns, ["role_name"]);
        assert_eq!(of("refund", &values[..1]).unwrap().value, runtime);
        assert_eq!(of("refund-", &values).unwrap().value, "refund-2");
        insta::assert_snapshot!(of("ref", &values).unwrap_err(), @r#"
        "ref" may be any of these; give more of the name:
          agent arn:aws:bedrock-agentcore:eu-central-1:111122223333:runtime/refund (2 records, runtime_arn)
          person refund (2 records, role_name)
          person refund-2 (2 records, session_name)
        "#);
        insta::assert_snapshot!(of("x", &[]).unwrap_err(), @r#"no session, agent, request or person of the trail is called "x""#);
    }

    #[test]
    fn one_name_in_several_columns_is_one_thing() {
        let found =
            of("ana", &[("person", "person", "ana"), ("session", "agent_session_id", "ana")]).unwrap();
        assert_eq!((found.kind.as_str(), found.columns.len()), ("session", 2));
        assert_eq!(found.condition(), "person = 'ana' OR agent_session_id = 'ana'");
    }

    #[test]
    fn quotes_in_a_name_are_text() {
        assert_eq!(quoted("o'neil'; --"), "'o''neil''; --'");
    }
}
