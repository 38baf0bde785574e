//! Records tied to one another: who belongs to which call of an agent, and how we know.

use std::collections::{BTreeMap, BTreeSet};

use super::row::Row;
use super::{Link, Step};

/// CloudTrail dates a call at its end, so that what an agent does comes before the call that made it; a call that
/// streams, or goes on by itself, has work after it, too.
pub(super) const AROUND: i64 = 15 * 60 * 1_000_000;

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

/// The record that each belongs to.
fn parents(rows: &[Row], roles: &Roles) -> Parents {
    // What was refused set nothing off.
    let worked = |row: &Row| {
        row.invokes() && !matches!(row.outcome.as_deref(), Some("denied" | "invalid" | "throttled"))
    };
    let invocations: Vec<usize> = (0..rows.len()).filter(|at| worked(&rows[*at])).collect();
    let mut requests: BTreeMap<&str, usize> = BTreeMap::new();
    let mut downstream: BTreeMap<String, usize> = BTreeMap::new();
    let mut keys: BTreeMap<&str, usize> = BTreeMap::new();
    for (at, row) in rows.iter().enumerate() {
        if row.invokes() {
            if let Some(id) = row.request_id.as_deref() {
                requests.entry(id).or_insert(at);
            }
            for id in row.downstream() {
                downstream.entry(id).or_insert(at);
            }
        }
        if let Some(key) = row.vended_key.as_deref() {
            keys.entry(key).or_insert(at);
        }
    }
    let mut parents: Parents = vec![None; rows.len()];
    for (at, row) in rows.iter().enumerate() {
        let known = |found: Option<usize>, by: &str| {
            found.filter(|parent| *parent != at).map(|parent| (parent, Link::Recorded(by.to_owned())))
        };
        let id = row.request_id.as_deref();
        let found =
            known(id.and_then(|id| downstream.get(id).copied()), "the gateway's downstream request id")
                .or_else(|| {
                    known(
                        id.and_then(|id| requests.get(id).copied()).filter(|_| !row.invokes()),
                        "request id",
                    )
                })
                .or_else(|| {
                    known(row.access_key_id.as_deref().and_then(|key| keys.get(key).copied()), "access key")
                })
                .or_else(|| known(session(rows, at, &invocations), "session id"))
                .or_else(|| known(named(rows, at, &invocations), "session name"))
                .or_else(|| by_role(rows, at, &invocations, roles))
                .or_else(|| by_service(rows, at, &invocations));
        if let Some((parent, link)) = found
            && !hangs_on(&parents, parent, at)
        {
            parents[at] = Some((parent, link));
        }
    }
    parents
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
fn session(rows: &[Row], at: usize, invocations: &[usize]) -> Option<usize> {
    let row = &rows[at];
    if row.invokes() {
        return None;
    }
    let session = row.agent_session_id.as_deref()?;
    nearest(
        rows,
        at,
        invocations.iter().copied().filter(|one| rows[*one].agent_session_id.as_deref() == Some(session)),
    )
}

/// The call of an agent whose session gave the name to the role's session.
fn named(rows: &[Row], at: usize, invocations: &[usize]) -> Option<usize> {
    let name = rows[at].session_name.as_deref()?;
    let of = |one: &usize| rows[*one].agent_session_id.as_deref() == Some(name);
    nearest(rows, at, invocations.iter().copied().filter(of))
}

fn nearest(rows: &[Row], at: usize, among: impl Iterator<Item = usize>) -> Option<usize> {
    let time = rows[at].event_time;
    among.min_by_key(|one| {
        let ended = rows[*one].event_time;
        (ended < time, (ended - time).abs(), *one)
    })
}

/// The call of an agent under whose role the record was made, or which took up that role, about then.
fn by_role(rows: &[Row], at: usize, invocations: &[usize], roles: &Roles) -> Option<(usize, Link)> {
    let row = &rows[at];
    let role = row.assumed_role.as_deref().or(row.role_arn.as_deref())?;
    let near: Vec<usize> = invocations
        .iter()
        .copied()
        .filter(|one| *one != at && (rows[*one].event_time - row.event_time).abs() <= AROUND)
        .filter(|one| {
            let agent = rows[*one].agent();
            agent.and_then(|agent| roles.get(agent)).is_some_and(|roles| roles.contains(role))
        })
        .collect();
    let parent = nearest(rows, at, near.iter().copied())?;
    let by = match sessions(rows, &near) {
        0 | 1 => "role and time".to_owned(),
        many => format!("role and time; {many} sessions of that role were at work"),
    };
    Some((parent, Link::Derived(by)))
}

/// The one call of an agent for which a Bedrock service may have made the record.
fn by_service(rows: &[Row], at: usize, invocations: &[usize]) -> Option<(usize, Link)> {
    let row = &rows[at];
    let service = row.invoked_by.as_deref().filter(|service| service.starts_with("bedrock"))?;
    if row.activity.as_deref() != Some("downstream") {
        return None;
    }
    let near: Vec<usize> = invocations
        .iter()
        .copied()
        .filter(|one| {
            let call = &rows[*one];
            *one != at
                && call.account_id == row.account_id
                && call.aws_region == row.aws_region
                && (call.event_time - row.event_time).abs() <= AROUND
        })
        .collect();
    let parent = nearest(rows, at, near.iter().copied())?;
    Some(match sessions(rows, &near) {
        0 | 1 => (parent, Link::Derived(format!("made by {service} at that time"))),
        many => (parent, Link::Unknown(format!("made by {service} while {many} sessions were at work"))),
    })
}

fn sessions(rows: &[Row], invocations: &[usize]) -> usize {
    let session = |at: &usize| rows[*at].agent_session_id.as_deref().or(rows[*at].request_id.as_deref());
    invocations.iter().map(session).collect::<BTreeSet<_>>().len()
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
    fn agents_that_call_each_other_end() {
        let mut one = invocation(1, "s1");
        one.role_arn = Some(EXEC.to_owned());
        let mut other = invocation(2, "s2");
        other.role_arn = Some(EXEC.to_owned());
        assert_eq!(told(vec![one, other], &[0, 1]).len(), 2);
    }
}
