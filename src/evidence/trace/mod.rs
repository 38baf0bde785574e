//! Who is behind an agent and what it did: one timeline from the caller down to the last call.
//!
//! CloudTrail ties few of these records together by an id. Each step says how it hangs on the one above: *recorded*,
//! an id stands in both; *derived*, the agent's role or a Bedrock service was at work about then; *unknown*, more than
//! one call could have been the cause. Ids are: the request's, the session's, a gateway's `downstreamRequestIds`, and the
//! access key that `AssumeRole` vended (`responseElements.credentials.accessKeyId`).

mod link;
mod row;
mod span;
mod subject;

use std::collections::{BTreeMap, BTreeSet};

use arrow::error::ArrowError;

pub use row::Row;
pub use span::{Span, Spans};
pub use subject::{Subject, quoted};

use crate::engine::{self, Engine};

/// Records of the subject itself that are looked at.
const CORE: usize = 5_000;
/// Records around them that are looked at.
const NEAR: usize = 10_000;

/// How a step hangs on the one above, and by what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Link {
    /// An id stands in both records.
    Recorded(String),
    /// Role or service, and time.
    Derived(String),
    /// There is more than one way it may have come about.
    Unknown(String),
}

impl Link {
    /// `recorded`, `derived` or `unknown`.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Recorded(_) => "recorded",
            Self::Derived(_) => "derived",
            Self::Unknown(_) => "unknown",
        }
    }

    /// By what.
    pub fn by(&self) -> &str {
        match self {
            Self::Recorded(by) | Self::Derived(by) | Self::Unknown(by) => by,
        }
    }
}

/// A record and what hangs on it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// How it hangs on the step above; none at the top.
    pub link: Option<Link>,
    /// The record.
    pub row: Row,
    /// What hangs on it, in the order of time.
    pub steps: Vec<Step>,
    /// Spans of its request, where a file of them was given.
    pub spans: Vec<Span>,
}

/// Somebody, and what they set off.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// `principal`.
    pub principal: Option<String>,
    /// `session_name`.
    pub session_name: Option<String>,
    /// The person or workload.
    pub person: Option<String>,
    /// How that is known: `person_basis`, as a link.
    pub link: Link,
    /// In the order of time.
    pub steps: Vec<Step>,
}

/// The whole timeline.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trace {
    /// What it is of.
    pub subject: Subject,
    /// In the order of their first step.
    pub callers: Vec<Caller>,
    /// What it cannot show, a sentence each.
    pub limits: Vec<String>,
}

/// Why there is no trace.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Nothing is called so.
    #[error("no session, agent, request or person of the trail is called {typed:?}")]
    NoMatch {
        /// What was typed.
        typed: String,
    },
    /// More than one thing is called so.
    #[error("{typed:?} may be any of these; give more of the name:\n  {candidates}")]
    Ambiguous {
        /// What was typed.
        typed: String,
        /// The things, a line each.
        candidates: String,
    },
    /// The events cannot be asked.
    #[error(transparent)]
    Engine(#[from] engine::Error),
    /// A bug of ours.
    #[error("internal error: {0}")]
    Arrow(#[from] ArrowError),
}

/// The statements that [`trace`] will run, or statements that read the same columns.
pub fn statements(typed: &str, content: bool) -> Vec<String> {
    let mut statements = Subject::statements(typed).to_vec();
    statements.extend([select("1 = 1", 1, content), ROLES.to_owned(), SCOPE.to_owned()]);
    statements
}

/// Traces what was typed; with `content` also what callers put in by hand, as far as it was kept.
pub fn trace(engine: &Engine, typed: &str, content: bool) -> Result<Trace, Error> {
    let subject = Subject::find(engine, typed)?;
    let mut core = rows(engine, &select(&subject.condition(), CORE + 1, content))?;
    let mut limits = Vec::new();
    if core.len() > CORE {
        core.truncate(CORE);
        limits.push(format!("Only the first {CORE} records are shown: narrow it with --from and --to."));
    }
    let sessions: BTreeSet<&str> = core.iter().filter_map(|row| row.agent_session_id.as_deref()).collect();
    if subject.kind == "request" && !sessions.is_empty() {
        let list = literals(sessions.iter().copied());
        core.extend(rows(engine, &select(&format!("agent_session_id IN ({list})"), CORE, content))?);
    }
    let roles = roles(engine)?;
    let (first, last) = core.iter().fold((i64::MAX, i64::MIN), |(first, last), row| {
        (first.min(row.event_time), last.max(row.event_time))
    });
    let mut all = core.clone();
    if first <= last {
        let near = rows(engine, &select(&around(&core, &roles, first, last), NEAR + 1, content))?;
        if near.len() > NEAR {
            limits.push(format!("More than {NEAR} records lie around it: narrow it with --from and --to."));
        }
        all.extend(near);
    }
    // Records of other content can share an event id; none shares its place.
    let order = |row: &Row| (row.event_time, row.event_id.clone(), row.log_object.clone(), row.log_index);
    all.sort_by_cached_key(order);
    all.dedup();
    let wanted: BTreeSet<(&Option<String>, Option<i64>)> =
        core.iter().map(|row| (&row.log_object, row.log_index)).collect();
    let core =
        (0..all.len()).filter(|at| wanted.contains(&(&all[*at].log_object, all[*at].log_index))).collect();
    let steps = link::forest(all, &core, &roles);
    if steps.iter().any(before) {
        let text = "A call is dated when it ended, so that what it set off may be dated before it.";
        limits.push(text.to_owned());
    }
    limits.extend(scope(engine)?);
    Ok(Trace { subject, callers: callers(steps), limits })
}

/// Whether something below a step is dated before what it hangs on.
fn before(step: &Step) -> bool {
    step.steps.iter().any(|below| below.row.event_time < step.row.event_time || before(below))
}

fn callers(steps: Vec<Step>) -> Vec<Caller> {
    let mut callers: Vec<Caller> = Vec::new();
    for step in steps {
        let row = &step.row;
        let same = |caller: &&mut Caller| {
            caller.principal == row.principal
                && caller.session_name == row.session_name
                && caller.person == row.person
        };
        if let Some(caller) = callers.iter_mut().find(same) {
            caller.steps.push(step);
            continue;
        }
        let basis = row.person_basis.clone();
        let link = match basis.as_deref() {
            // Whoever assumes a role chooses the session's name.
            Some("session_name") => Link::Derived("session name".to_owned()),
            Some(basis) => Link::Recorded(basis.replace('_', " ")),
            None => Link::Unknown("the record names nobody".to_owned()),
        };
        callers.push(Caller {
            principal: row.principal.clone(),
            session_name: row.session_name.clone(),
            person: row.person.clone(),
            link,
            steps: vec![step],
        });
    }
    callers
}

fn select(condition: &str, limit: usize, content: bool) -> String {
    format!(
        "SELECT {} FROM events WHERE record_kind IN ('api_call', 'network_activity') AND ({condition}) ORDER BY event_time, \
         event_id, log_object, log_index LIMIT {limit}",
        row::select(content)
    )
}

fn rows(engine: &Engine, sql: &str) -> Result<Vec<Row>, Error> {
    let mut rows = Vec::new();
    for batch in engine.query(sql)? {
        rows.extend(row::rows(&batch?)?);
    }
    Ok(rows)
}

fn literals<'t>(texts: impl Iterator<Item = &'t str>) -> String {
    texts.map(quoted).collect::<Vec<_>>().join(", ")
}

/// What may hang on the core, or the core on it.
fn around(core: &[Row], roles: &link::Roles, first: i64, last: i64) -> String {
    let time = |micros: i64| {
        let text = crate::clock::format_micros(micros);
        format!("TIMESTAMP '{}'", text.trim_end_matches('Z').replace('T', " "))
    };
    let mut any = vec![
        "activity IN ('agent_invocation', 'flow')".to_owned(),
        "surface = 'gateway'".to_owned(),
        "(activity = 'downstream' AND starts_with(invoked_by, 'bedrock'))".to_owned(),
        "strpos(credentials_issued_to, ':function:') > 0".to_owned(),
    ];
    let mut among = |column: &str, values: BTreeSet<&str>| {
        if !values.is_empty() {
            any.push(format!("{column} IN ({})", literals(values.into_iter())));
        }
    };
    among("session_name", core.iter().filter_map(|row| row.agent_session_id.as_deref()).collect());
    among("agent_session_id", core.iter().filter_map(|row| row.agent_session_id.as_deref()).collect());
    let downstream: Vec<String> = core.iter().flat_map(Row::downstream).collect();
    let requests = core.iter().filter_map(|row| row.request_id.as_deref());
    among("request_id", requests.chain(downstream.iter().map(String::as_str)).collect());
    among("access_key_id", core.iter().filter_map(|row| row.vended_key.as_deref()).collect());
    let agents: BTreeSet<&str> = core.iter().filter_map(Row::agent).collect();
    let roles =
        roles.iter().filter(|(agent, _)| agents.contains(agent.as_str())).flat_map(|(_, roles)| roles);
    among("role_arn", roles.map(String::as_str).collect());
    format!(
        "event_time >= {} AND event_time <= {} AND ({})",
        time(first.saturating_sub(link::AROUND)),
        time(last.saturating_add(link::AROUND)),
        any.join(" OR ")
    )
}

/// Which role each agent runs under: of the policy, and of the calls that made or changed it.
const ROLES: &str = "
    SELECT DISTINCT e.agent AS agent, e.role AS role FROM (
      SELECT
        COALESCE(
          json_extract_scalar(response_elements, '$.agentRuntimeArn'),
          json_extract_scalar(response_elements, '$.agent.agentId'),
          json_extract_scalar(response_elements, '$.gatewayArn'),
          json_extract_scalar(response_elements, '$.id'),
          runtime_arn, agent_id, gateway_arn, flow_id
        ) AS agent,
        COALESCE(
          json_extract_scalar(request_parameters, '$.agentResourceRoleArn'),
          json_extract_scalar(request_parameters, '$.roleArn'),
          json_extract_scalar(request_parameters, '$.executionRoleArn')
        ) AS role
      FROM events
      WHERE activity = 'agent_admin' AND outcome = 'ok'
      UNION ALL
      SELECT a.agent AS agent, r.role_arn AS role
      FROM (
        SELECT DISTINCT COALESCE(runtime_arn, agent_id, gateway_arn, flow_id) AS agent, resource_arn AS resource_arn
        FROM events
        WHERE activity IN ('agent_invocation', 'flow') OR surface = 'gateway'
      ) AS a
      JOIN policy_agent AS p ON regexp_like(a.agent, p.runtime_re) OR regexp_like(a.resource_arn, p.runtime_re)
      JOIN (SELECT DISTINCT role_arn AS role_arn FROM events WHERE role_arn IS NOT NULL) AS r
        ON regexp_like(r.role_arn, p.execution_role_re)
    ) AS e
    WHERE e.agent IS NOT NULL AND e.role IS NOT NULL
    ORDER BY agent, role";

fn roles(engine: &Engine) -> Result<link::Roles, Error> {
    let mut roles: link::Roles = BTreeMap::new();
    for (agent, role) in pairs(engine, ROLES)? {
        roles.entry(agent).or_default().insert(role);
    }
    Ok(roles)
}

const SCOPE: &str = "
    SELECT 'scope' AS name, COALESCE(MAX(scope), 'default') AS value FROM run
    UNION ALL
    SELECT 'agents' AS name, CAST(COUNT(*) AS VARCHAR) AS value FROM events
    WHERE event_category = 'Data' AND surface IN ('agents', 'agentcore', 'gateway')
    ORDER BY name";

/// What the records cannot show.
fn scope(engine: &Engine) -> Result<Vec<String>, Error> {
    let known: BTreeMap<String, String> = pairs(engine, SCOPE)?.into_iter().collect();
    let mut limits = Vec::new();
    if known.get("scope").map(String::as_str) != Some("agents") {
        let text = "Calls of agents' roles to other services were not kept: --scope agents keeps them.";
        limits.push(text.to_owned());
    }
    if known.get("agents").map(String::as_str) == Some("0") {
        let text =
            "No data event of an agent is in the trail: calls of agents and what they used are not recorded.";
        limits.push(text.to_owned());
    }
    Ok(limits)
}

fn pairs(engine: &Engine, sql: &str) -> Result<Vec<(String, String)>, Error> {
    use arrow::array::AsArray as _;
    use arrow::compute::cast;
    use arrow::datatypes::DataType;

    let mut pairs = Vec::new();
    for batch in engine.query(sql)? {
        let batch = batch?;
        let text = |at: usize| cast(batch.column(at), &DataType::Utf8View);
        let (names, values) = (text(0)?, text(1)?);
        let (names, values) = (names.as_string_view(), values.as_string_view());
        pairs.extend(
            (0..batch.num_rows()).map(|at| (names.value(at).to_owned(), values.value(at).to_owned())),
        );
    }
    Ok(pairs)
}
