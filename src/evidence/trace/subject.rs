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

/// What the column of a name in the policy is called, which is no column of events.
const POLICY: &str = "policy_agent";

/// The policy's agents by the names that records give them.
const AGENTS: &str = "SELECT DISTINCT p.agent AS agent, a.id AS id FROM (\
    SELECT DISTINCT COALESCE(runtime_arn, agent_id, gateway_arn, flow_id) AS id, resource_arn AS resource_arn FROM events \
    WHERE activity IN ('agent_invocation', 'flow', 'agent_admin') OR surface = 'gateway') AS a \
    JOIN policy_agent AS p ON regexp_like(a.id, p.runtime_re) OR regexp_like(a.resource_arn, p.runtime_re) \
    WHERE a.id IS NOT NULL ORDER BY agent, id";

/// Where the answer to the call that made a thing says what it is called: no other record of that call does.
const MADE: &[&str] = &[
    "agent.agentId",
    "agentRuntimeArn",
    "agentRuntimeId",
    "gatewayArn",
    "gatewayId",
    "memory.id",
    "knowledgeBase.knowledgeBaseId",
    "id",
];

/// So many candidates are named.
const NAMED: usize = 20;

/// What is traced.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Subject {
    /// `session`, `agent`, `request` or `person`.
    pub kind: String,
    /// As the records say it, or the policy.
    pub value: String,
    /// The columns that hold it.
    pub columns: Vec<String>,
    /// What they hold: of a name of the policy more than one text.
    ids: Vec<String>,
}

impl Subject {
    /// The statement whose rows are candidates: kind, column, value, how many records. `whole`: only what is called just so,
    /// which is much sooner found.
    pub(super) fn query(typed: &str, whole: bool) -> String {
        let literal = quoted(typed);
        let fits = |column: &str| {
            if whole { format!("{column} = {literal}") } else { format!("strpos({column}, {literal}) > 0") }
        };
        let parts: Vec<String> = COLUMNS
            .iter()
            .map(|(kind, column)| {
                format!(
                    "SELECT '{kind}' AS kind, '{column}' AS column_name, {column} AS value, COUNT(*) AS records FROM \
                     events WHERE {} GROUP BY {column}",
                    fits(column)
                )
            })
            .collect();
        format!(
            "SELECT kind AS kind, column_name AS column_name, value AS value, records AS records FROM ({} UNION ALL \
             SELECT 'agent' AS kind, '{POLICY}' AS column_name, agent AS value, COUNT(*) AS records FROM policy_agent \
             WHERE {} GROUP BY agent) AS candidates ORDER BY value, kind, column_name",
            parts.join(" UNION ALL "),
            fits("agent")
        )
    }

    /// Every statement that [`find`](Self::find) may run.
    pub(super) fn statements(typed: &str) -> [String; 3] {
        [Self::query(typed, true), Self::query(typed, false), AGENTS.to_owned()]
    }

    /// The one thing that `typed` names: in full, or by the beginning or the last part of its name. An ARN that no record
    /// carries is looked for by the id in it.
    pub(super) fn find(engine: &Engine, typed: &str) -> Result<Self, Error> {
        let candidates = |typed: &str| -> Result<Vec<Candidate>, Error> {
            let mut candidates = Vec::new();
            for whole in [true, false] {
                for batch in engine.query(&Self::query(typed, whole))? {
                    read(&batch?, &mut candidates)?;
                }
                // The whole name comes before its parts, so that these need not be asked for.
                if !candidates.is_empty() {
                    break;
                }
            }
            Ok(candidates)
        };
        let found = match (choose(typed, &candidates(typed)?), id_of(typed)) {
            (Err(Error::NoMatch { .. }), Some(id)) => choose(id, &candidates(id)?),
            (found, _) => found,
        };
        let mut subject = found.map_err(|error| match error {
            Error::NoMatch { .. } => Error::NoMatch { typed: typed.to_owned() },
            other => other,
        })?;
        if subject.columns.iter().any(|column| column == POLICY) {
            let only = subject.columns.len() == 1;
            subject.in_policy(super::pairs(engine, AGENTS)?);
            if only && subject.ids.len() == 1 {
                return Err(Error::NoMatch { typed: typed.to_owned() });
            }
        }
        Ok(subject)
    }

    /// Takes what the records call an agent of the policy for the name that the policy gives it.
    fn in_policy(&mut self, agents: Vec<(String, String)>) {
        let named = agents.into_iter().filter(|(agent, _)| *agent == self.value).map(|(_, id)| id);
        self.ids.extend(named);
        self.columns.retain(|column| column != POLICY);
        for column in ["runtime_arn", "agent_id", "gateway_arn", "flow_id"] {
            if !self.columns.iter().any(|one| one == column) {
                self.columns.push(column.to_owned());
            }
        }
    }

    /// The condition that a record is of it.
    pub(super) fn condition(&self) -> String {
        let literals = super::literals(self.ids.iter().map(String::as_str));
        let mut parts: Vec<String> =
            self.columns.iter().map(|column| format!("{column} IN ({literals})")).collect();
        if self.kind == "agent" {
            let made: Vec<String> = MADE
                .iter()
                .map(|path| format!("json_extract_scalar(response_elements, '$.{path}')"))
                .collect();
            let made = made.join(", ");
            parts.push(format!("(activity = 'agent_admin' AND COALESCE({made}) IN ({literals}))"));
        }
        parts.join(" OR ")
    }
}

/// The id in the ARN of an agent, runtime, gateway, memory, knowledge base or flow, which most records carry alone.
fn id_of(typed: &str) -> Option<&str> {
    let resource = typed.strip_prefix("arn:")?.splitn(5, ':').nth(4)?;
    let (kind, rest) = resource.split_once('/')?;
    let id = match kind {
        "agent-alias" => rest.rsplit('/').next()?,
        "agent" | "flow" | "gateway" | "harness" | "knowledge-base" | "memory" | "runtime" => {
            rest.split('/').next()?
        }
        _ => return None,
    };
    (!id.is_empty()).then_some(id)
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
        let shorter = values.clone();
        values.retain(|value| !shorter.iter().any(|id| id != value && id_of(value) == Some(id)));
        match values.len() {
            0 => {}
            1 => {
                let kind = found.iter().map(|candidate| &candidate.kind).max_by_key(|kind| rank(kind));
                return Ok(Subject {
                    kind: kind.cloned().unwrap_or_default(),
                    value: values[0].to_owned(),
                    columns: found.iter().map(|candidate| candidate.column.clone()).collect(),
                    // The ARN of a thing beside its id is the same thing.
                    ids: shorter.into_iter().map(str::to_owned).collect(),
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
    // They come in the order of their values: what one name is in several columns is one thing.
    let mut lines: Vec<String> = found
        .chunk_by(|a, b| a.value == b.value)
        .filter_map(|same| {
            let kind = &same.iter().max_by_key(|one| rank(&one.kind))?.kind;
            let most = same.iter().map(|one| one.records).max()?;
            let records = if most == 1 { "record" } else { "records" };
            let columns: Vec<&str> = same.iter().map(|one| one.column.as_str()).collect();
            Some(format!("{kind} {} ({most} {records}, {})", same[0].value, columns.join(" and ")))
        })
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
            ("session", "agent_session_id", "refund-2"),
        ];
        assert_eq!(of("refund", &values).unwrap().columns, ["role_name"]);
        assert_eq!(of("refund", &values[..1]).unwrap().value, runtime);
        assert_eq!(of("refund-", &values).unwrap().value, "refund-2");
        insta::assert_snapshot!(of("ref", &values).unwrap_err(), @r#"
        "ref" may be any of these; give more of the name:
          agent arn:aws:bedrock-agentcore:eu-central-1:111122223333:runtime/refund (2 records, runtime_arn)
          person refund (2 records, role_name)
          session refund-2 (2 records, session_name and agent_session_id)
        "#);
        insta::assert_snapshot!(of("x", &[]).unwrap_err(), @r#"no session, agent, request or person of the trail is called "x""#);
    }

    #[test]
    fn one_name_in_several_columns_is_one_thing() {
        let found =
            of("ana", &[("person", "person", "ana"), ("session", "agent_session_id", "ana")]).unwrap();
        assert_eq!((found.kind.as_str(), found.columns.len()), ("session", 2));
        assert_eq!(found.condition(), "person IN ('ana') OR agent_session_id IN ('ana')");
    }

    #[test]
    fn the_arn_and_the_id_of_a_runtime_are_one_thing() {
        let runtime = "arn:aws:bedrock-agentcore:eu-central-1:111122223333:runtime/refund-1";
        let found =
            of("ref", &[("agent", "runtime_arn", runtime), ("agent", "agent_id", "refund-1")]).unwrap();
        assert_eq!(found.value, "refund-1");
        assert_eq!(found.ids, [runtime, "refund-1"]);
        assert!(of("ref", &[("agent", "runtime_arn", runtime), ("agent", "agent_id", "refund-2")]).is_err());
    }

    #[test]
    fn an_arn_is_looked_for_by_the_id_in_it() {
        let (bedrock, core) =
            ("arn:aws:bedrock:eu-west-1:111122223333", "arn:aws-us-gov:bedrock-agentcore:x:1");
        for (typed, id) in [
            (format!("{bedrock}:agent/A1"), Some("A1")),
            (format!("{bedrock}:agent-alias/A1/L1"), Some("L1")),
            (format!("{bedrock}:flow/F1/alias/L1"), Some("F1")),
            (format!("{core}:runtime/r-1/runtime-endpoint/live"), Some("r-1")),
            (format!("{bedrock}:foundation-model/a.b"), None),
            (format!("{bedrock}:agent/"), None),
            ("A1".to_owned(), None),
        ] {
            assert_eq!(id_of(&typed), id, "{typed}");
        }
    }

    #[test]
    fn an_agent_of_the_policy_is_what_the_records_call_it() {
        let mut found = of("refund", &[("agent", POLICY, "refund")]).unwrap();
        let pair = |agent: &str, id: &str| (agent.to_owned(), id.to_owned());
        found.in_policy(vec![pair("other", "o-1"), pair("refund", "r-1"), pair("refund", "r'2")]);
        assert_eq!((found.kind.as_str(), found.value.as_str()), ("agent", "refund"));
        assert!(found.condition().starts_with("runtime_arn IN ('refund', 'r-1', 'r''2') OR agent_id IN"));
    }

    #[test]
    fn quotes_in_a_name_are_text() {
        assert_eq!(quoted("o'neil'; --"), "'o''neil''; --'");
    }
}
