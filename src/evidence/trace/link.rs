//! Records tied to one another: who belongs to which call of an agent, and how we know.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use super::row::Row;
use super::{Link, Step};

/// CloudTrail dates a call at its end, so that what an agent does comes before the call that made it; a call that
/// streams, or goes on by itself, has work after it, too.
pub(super) const AROUND: i64 = 15 * 60 * 1_000_000;

/// Steps within steps.
const DEPTH: usize = 24;

/// Roles of agents: agent, as records name it, to the ARNs of its roles.
pub(super) type Roles = BTreeMap<String, BTreeSet<String>>;

/// Makes a forest of `rows`, which are in the order of time; `core` are those that the trace is of.
pub(super) fn forest(rows: Vec<Row>, core: &BTreeSet<usize>, roles: &Roles) -> Vec<Step> {
    let parents = parents(&rows, roles);
    let mut kept: BTreeSet<usize> = core.clone();
    // What hangs on the core, and what the core hangs on.
    for &at in core {
        let mut above = at;
        while let Some((parent, _)) = &parents[above] {
            above = *parent;
            if !kept.insert(above) {
                break;
            }
        }
    }
    loop {
        let more: Vec<usize> = (0..rows.len())
            .filter(|at| {
                !kept.contains(at) && parents[*at].as_ref().is_some_and(|(parent, _)| kept.contains(parent))
            })
            .collect();
        if more.is_empty() {
            break;
        }
        kept.extend(more);
    }
    let mut children: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    let mut tops = Vec::new();
    for &at in &kept {
        match &parents[at] {
            Some((parent, _)) => children.entry(*parent).or_default().push(at),
            None => tops.push(at),
        }
    }
    let mut rows: Vec<Option<Row>> = rows.into_iter().map(Some).collect();
    tops.into_iter().filter_map(|at| step(at, &mut rows, &parents, &children)).collect()
}

type Parents = Vec<Option<(usize, Link)>>;

fn step(
    at: usize,
    rows: &mut [Option<Row>],
    parents: &Parents,
    children: &BTreeMap<usize, Vec<usize>>,
) -> Option<Step> {
    let row = rows[at].take()?;
    let below = children.get(&at).into_iter().flatten();
    let steps = below.filter_map(|child| step(*child, rows, parents, children)).collect();
    let link = parents[at].as_ref().map(|(_, link)| link.clone());
    Some(Step { link, row, steps, spans: Vec::new() })
}

/// Places of records in the order of time, which is that of their numbers.
type Places = Vec<usize>;

/// Where what may have set others off stands, by what ties others to it.
#[derive(Default)]
struct Causes<'r> {
    /// Calls of agents, flows and gateways by their request id.
    requests: BTreeMap<&'r str, usize>,
    /// Calls of gateways by the request ids that they name.
    downstream: BTreeMap<String, usize>,
    /// Who vended an access key.
    keys: BTreeMap<&'r str, usize>,
    /// Calls of agents that worked, by session.
    sessions: BTreeMap<&'r str, Places>,
    /// The same by the roles of the agent.
    roles: BTreeMap<&'r str, Around<'r>>,
    /// The same by account and Region.
    regions: BTreeMap<(Option<&'r str>, Option<&'r str>), Around<'r>>,
    /// Invocations of Lambda functions by the function.
    functions: BTreeMap<&'r str, Around<'r>>,
}

/// Which of some records lie around another one; asked of one record after the other, in the order of time.
#[derive(Default)]
struct Around<'r> {
    places: Places,
    /// Those around the record that was asked of last.
    window: Range<usize>,
    /// Their sessions, with how many of them each has.
    sessions: BTreeMap<Option<&'r str>, usize>,
}

impl<'r> Around<'r> {
    /// The one nearest to the record `at`, itself left out, and how many sessions lie around it.
    fn nearest(&mut self, rows: &'r [Row], at: usize) -> Option<(usize, usize)> {
        let time = rows[at].event_time;
        let session = |one: usize| rows[one].agent_session_id.as_deref().or(rows[one].request_id.as_deref());
        while let Some(&next) = self.places.get(self.window.end)
            && rows[next].event_time <= time.saturating_add(AROUND)
        {
            *self.sessions.entry(session(next)).or_default() += 1;
            self.window.end += 1;
        }
        while self.window.start < self.window.end
            && rows[self.places[self.window.start]].event_time < time.saturating_sub(AROUND)
        {
            let gone = session(self.places[self.window.start]);
            if let Some(count) = self.sessions.get_mut(&gone) {
                *count -= 1;
                if *count == 0 {
                    self.sessions.remove(&gone);
                }
            }
            self.window.start += 1;
        }
        let near = &self.places[self.window.clone()];
        let itself = near.binary_search(&at).is_ok();
        let alone = itself && self.sessions.get(&session(at)) == Some(&1);
        Some((nearest(rows, at, near)?, self.sessions.len() - usize::from(alone)))
    }
}

impl<'r> Causes<'r> {
    fn of(rows: &'r [Row], roles: &'r Roles) -> Self {
        let mut causes = Self::default();
        for (at, row) in rows.iter().enumerate() {
            if let Some(key) = row.vended_key.as_deref() {
                causes.keys.entry(key).or_insert(at);
            }
            if let Some(function) = row.function().filter(|_| row.runs_function()) {
                causes.functions.entry(function).or_default().places.push(at);
            }
            if !row.invokes() {
                continue;
            }
            if let Some(id) = row.request_id.as_deref() {
                causes.requests.entry(id).or_insert(at);
            }
            for id in row.downstream() {
                causes.downstream.entry(id).or_insert(at);
            }
            // What was refused set nothing off.
            if matches!(row.outcome.as_deref(), Some("denied" | "invalid" | "throttled")) {
                continue;
            }
            if let Some(session) = row.agent_session_id.as_deref() {
                causes.sessions.entry(session).or_default().push(at);
            }
            for role in row.agent().and_then(|agent| roles.get(agent)).into_iter().flatten() {
                causes.roles.entry(role).or_default().places.push(at);
            }
            let place = (row.account_id.as_deref(), row.aws_region.as_deref());
            causes.regions.entry(place).or_default().places.push(at);
        }
        causes
    }
}

/// The record that each belongs to.
fn parents(rows: &[Row], roles: &Roles) -> Parents {
    let mut causes = Causes::of(rows, roles);
    let mut parents: Parents = vec![None; rows.len()];
    for (at, row) in rows.iter().enumerate() {
        let known = |found: Option<usize>, by: &str| {
            found.filter(|parent| *parent != at).map(|parent| (parent, Link::Recorded(by.to_owned())))
        };
        let id = row.request_id.as_deref();
        let found = known(
            id.and_then(|id| causes.downstream.get(id).copied()),
            "the gateway's downstream request id",
        )
        .or_else(|| {
            known(id.and_then(|id| causes.requests.get(id).copied()).filter(|_| !row.invokes()), "request id")
        })
        .or_else(|| {
            known(row.access_key_id.as_deref().and_then(|key| causes.keys.get(key).copied()), "access key")
        })
        .or_else(|| known(session(rows, at, &causes), "session id"))
        .or_else(|| known(named(rows, at, &causes), "session name"))
        .or_else(|| by_function(rows, at, &mut causes))
        .or_else(|| by_role(rows, at, &mut causes))
        .or_else(|| by_service(rows, at, &mut causes));
        if let Some((parent, link)) = found
            && !hangs_on(&parents, parent, at)
        {
            parents[at] = Some((parent, link));
        }
    }
    cut(&mut parents);
    parents
}

/// Takes chains apart that are longer than [`DEPTH`], which no agent needs: trees are walked by recursion.
fn cut(parents: &mut Parents) {
    for at in 0..parents.len() {
        let mut above = Some(at);
        for _ in 0..DEPTH {
            above = above.and_then(|one| parents[one].as_ref().map(|(parent, _)| *parent));
        }
        if above.is_some() {
            parents[at] = None;
        }
    }
}

/// Whether `below` hangs on `above`.
fn hangs_on(parents: &Parents, below: usize, above: usize) -> bool {
    let mut at = Some(below);
    while let Some(here) = at {
        if here == above {
            return true;
        }
        at = parents[here].as_ref().map(|(parent, _)| *parent);
    }
    false
}

/// The call of an agent in the same session: the first that ended no earlier, else the last before.
fn session(rows: &[Row], at: usize, causes: &Causes<'_>) -> Option<usize> {
    let row = &rows[at];
    if row.invokes() {
        return None;
    }
    nearest(rows, at, causes.sessions.get(row.agent_session_id.as_deref()?)?)
}

/// The call of an agent whose session gave the name to the role's session.
fn named(rows: &[Row], at: usize, causes: &Causes<'_>) -> Option<usize> {
    nearest(rows, at, causes.sessions.get(rows[at].session_name.as_deref()?)?)
}

/// Of places in the order of time the first that is no earlier than the record `at`, else the last before it, of equal
/// ones the first; never the record itself.
fn nearest(rows: &[Row], at: usize, among: &[usize]) -> Option<usize> {
    let time = rows[at].event_time;
    let later = among.partition_point(|one| rows[*one].event_time < time);
    if let Some(found) = among[later..].iter().find(|one| **one != at) {
        return Some(*found);
    }
    let before = &among[..later];
    let last = rows[*before.last()?].event_time;
    before.get(before.partition_point(|one| rows[*one].event_time < last)).copied()
}

/// The invocation of the function that the record's credentials were issued to, about then. The id is the function's, not
/// the invocation's: which one it was is told by time.
fn by_function<'r>(rows: &'r [Row], at: usize, causes: &mut Causes<'r>) -> Option<(usize, Link)> {
    let (parent, runs) = causes.functions.get_mut(rows[at].issued_to()?)?.nearest(rows, at)?;
    let by = match runs {
        0 | 1 => "credentials of the function, and time".to_owned(),
        many => format!("credentials of the function, and time; it ran {many} times about then"),
    };
    Some((parent, Link::Derived(by)))
}

/// The call of an agent under whose role the record was made, or which took up that role, about then.
fn by_role<'r>(rows: &'r [Row], at: usize, causes: &mut Causes<'r>) -> Option<(usize, Link)> {
    let row = &rows[at];
    let role = row.assumed_role.as_deref().or(row.role_arn.as_deref())?;
    let (parent, sessions) = causes.roles.get_mut(role)?.nearest(rows, at)?;
    let by = match sessions {
        0 | 1 => "role and time".to_owned(),
        many => format!("role and time; {many} sessions of that role were at work"),
    };
    Some((parent, Link::Derived(by)))
}

/// The one call of an agent for which a Bedrock service may have made the record.
fn by_service<'r>(rows: &'r [Row], at: usize, causes: &mut Causes<'r>) -> Option<(usize, Link)> {
    let row = &rows[at];
    let service = row.invoked_by.as_deref().filter(|service| service.starts_with("bedrock"))?;
    if row.activity.as_deref() != Some("downstream") {
        return None;
    }
    let place = (row.account_id.as_deref(), row.aws_region.as_deref());
    let (parent, sessions) = causes.regions.get_mut(&place)?.nearest(rows, at)?;
    Some(match sessions {
        0 | 1 => (parent, Link::Derived(format!("made by {service} at that time"))),
        many => (parent, Link::Unknown(format!("made by {service} while {many} sessions were at work"))),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: i64 = 1_000_000;
    const EXEC: &str = "arn:aws:iam::111122223333:role/exec";

    fn row(second: i64, name: &str, set: impl FnOnce(&mut Row)) -> Row {
        let mut row = Row {
            event_time: second * SECOND,
            event_id: Some(format!("{name}-{second}")),
            event_name: Some(name.to_owned()),
            account_id: Some("111122223333".to_owned()),
            aws_region: Some("eu-central-1".to_owned()),
            outcome: Some("ok".to_owned()),
            activity: Some("other".to_owned()),
            ..Row::default()
        };
        set(&mut row);
        row
    }

    fn invocation(second: i64, session: &str) -> Row {
        row(second, "InvokeAgent", |row| {
            row.activity = Some("agent_invocation".to_owned());
            row.agent_id = Some("A1".to_owned());
            row.agent_session_id = Some(session.to_owned());
            row.request_id = Some(format!("r-{session}-{second}"));
        })
    }

    fn by_exec(second: i64, name: &str) -> Row {
        row(second, name, |row| row.role_arn = Some(EXEC.to_owned()))
    }

    /// Every step with what it hangs on and how, in the order of the tree.
    fn told(rows: Vec<Row>, core: &[usize]) -> Vec<String> {
        fn tell(steps: &[Step], above: &str, out: &mut Vec<String>) {
            for step in steps {
                let id = step.row.event_id.clone().unwrap_or_default();
                let link = step.link.as_ref().map(|link| format!(" {} by {}", link.word(), link.by()));
                out.push(format!("{above}{id}{}", link.unwrap_or_default()));
                tell(&step.steps, &format!("{above}  "), out);
            }
        }
        let roles = Roles::from([("A1".to_owned(), BTreeSet::from([EXEC.to_owned()]))]);
        let mut out = Vec::new();
        tell(&forest(rows, &core.iter().copied().collect(), &roles), "", &mut out);
        out
    }

    #[test]
    fn an_id_comes_before_role_and_time() {
        let rows = vec![
            row(1, "AssumeRole", |row| {
                row.assumed_role = Some(EXEC.to_owned());
                row.vended_key = Some("ASIA1".to_owned());
                row.invoked_by = Some("bedrock.amazonaws.com".to_owned());
            }),
            row(2, "GetItem", |row| {
                row.role_arn = Some(EXEC.to_owned());
                row.access_key_id = Some("ASIA1".to_owned());
            }),
            row(3, "CreateEvent", |row| row.agent_session_id = Some("s1".to_owned())),
            row(4, "Retrieve", |row| row.session_name = Some("s1".to_owned())),
            by_exec(5, "Converse"),
            by_exec(5000, "Converse"),
            invocation(10, "s1"),
        ];
        assert_eq!(
            told(rows, &[6]),
            [
                "InvokeAgent-10",
                "  AssumeRole-1 derived by role and time",
                "    GetItem-2 recorded by access key",
                "  CreateEvent-3 recorded by session id",
                "  Retrieve-4 recorded by session name",
                "  Converse-5 derived by role and time",
            ]
        );
    }

    #[test]
    fn two_sessions_at_once_are_said() {
        let rows = vec![
            by_exec(4, "Converse"),
            row(5, "Invoke", |row| {
                row.activity = Some("downstream".to_owned());
                row.invoked_by = Some("bedrock.amazonaws.com".to_owned());
            }),
            invocation(10, "s1"),
            invocation(12, "s2"),
        ];
        assert_eq!(
            told(rows, &[2]),
            [
                "InvokeAgent-10",
                "  Converse-4 derived by role and time; 2 sessions of that role were at work",
                "  Invoke-5 unknown by made by bedrock.amazonaws.com while 2 sessions were at work",
            ]
        );
    }

    #[test]
    fn a_call_is_traced_up_to_the_agent_and_its_brothers() {
        let rows = vec![by_exec(4, "Converse"), by_exec(5, "DeleteTable"), invocation(10, "s1")];
        assert_eq!(told(rows, &[1]).len(), 3);
    }

    #[test]
    fn what_was_refused_set_nothing_off() {
        let mut refused = invocation(5, "s1");
        refused.outcome = Some("denied".to_owned());
        let told = told(vec![by_exec(4, "Converse"), refused], &[1]);
        assert_eq!(told, ["InvokeAgent-5"]);
    }

    #[test]
    fn a_gateway_names_the_requests_it_made() {
        let rows = vec![
            row(1, "InvokeGateway", |row| {
                row.surface = Some("gateway".to_owned());
                row.gateway_data = Some(r#"{"downstreamRequestIds":["r-s1-2"]}"#.to_owned());
            }),
            invocation(2, "s1"),
            row(2, "Odd", |row| {
                row.surface = Some("gateway".to_owned());
                row.gateway_data = Some(r#"{"downstreamRequestIds":"r-s1-2"}"#.to_owned());
            }),
        ];
        assert_eq!(
            told(rows, &[0]),
            ["InvokeGateway-1", "  InvokeAgent-2 recorded by the gateway's downstream request id"]
        );
    }

    #[test]
    fn what_a_function_did_hangs_on_its_invocation() {
        const FUNCTION: &str = "arn:aws:lambda:eu-central-1:111122223333:function:refund";
        let run = |second: i64| {
            row(second, "Invoke", |row| {
                row.event_source = Some("lambda.amazonaws.com".to_owned());
                row.activity = Some("downstream".to_owned());
                row.invoked_by = Some("bedrock.amazonaws.com".to_owned());
                row.lambda_arn = Some(format!("{FUNCTION}:live"));
                row.request_id = Some(format!("r-{second}"));
            })
        };
        let did = |second: i64, function: &str| {
            row(second, "DeleteItem", |row| row.credentials_issued_to = Some(function.to_owned()))
        };
        let rows = vec![
            did(3, FUNCTION),
            run(4),
            did(4, "arn:aws:lambda:eu-central-1:1:function:other"),
            invocation(10, "s1"),
        ];
        assert_eq!(
            told(rows, &[3]),
            [
                "InvokeAgent-10",
                "  Invoke-4 derived by made by bedrock.amazonaws.com at that time",
                "    DeleteItem-3 derived by credentials of the function, and time",
            ]
        );
        let rows = vec![did(3, FUNCTION), run(4), run(5)];
        assert_eq!(
            told(rows, &[1])[1],
            "  DeleteItem-3 derived by credentials of the function, and time; it ran 2 times about then"
        );
    }

    #[test]
    fn a_chain_without_end_is_taken_apart() {
        let link = |second: i64| {
            row(second, "AssumeRole", |row| {
                row.access_key_id = Some(format!("ASIA{second}"));
                row.vended_key = Some(format!("ASIA{}", second + 1));
            })
        };
        let told = told((0..500).map(link).collect(), &(0..500).collect::<Vec<_>>());
        assert_eq!(told.len(), 500, "nothing is lost");
        assert!(
            told.iter().all(|line| line.len() - line.trim_start().len() < 2 * DEPTH),
            "and nothing is deep"
        );
    }

    #[test]
    fn agents_that_call_each_other_end() {
        let mut one = invocation(1, "s1");
        one.role_arn = Some(EXEC.to_owned());
        let mut other = invocation(2, "s2");
        other.role_arn = Some(EXEC.to_owned());
        assert_eq!(told(vec![one, other], &[0, 1]).len(), 2);
    }
}
