//! Which parts of a query are worth answering once.
//!
//! The planner puts a common table expression in wherever it is named: a report that names one a dozen times, directly or
//! through others, would read the events a dozen times. Of a query of ours, such a part becomes a table ([`super::shared`])
//! if its rows are sure to be few beside the events: it groups them, or stands on nothing but such parts and small
//! relations.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;

use datafusion::sql::parser::Statement;
use datafusion::sql::sqlparser::ast::{
    self, Cte, Distinct, GroupByExpr, ObjectName, Query, Select, SetExpr, SetQuantifier, With,
    visit_relations,
};

use crate::data;

/// The common table expressions of a query that are worth a table of their own, by their places, in order. Of a query
/// that others stand on, the last of these is named by each of them.
pub(super) fn worthwhile(query: &Query, stood_on: bool) -> Vec<usize> {
    let Some(with) = query.with.as_ref().filter(|with| !with.recursive) else { return Vec::new() };
    let parts: Vec<Part> = with.cte_tables.iter().map(Part::of).collect();
    let places: BTreeMap<&str, usize> =
        parts.iter().enumerate().map(|(place, part)| (part.name.as_str(), place)).collect();
    let mut few: Vec<bool> = Vec::new();
    let mut reads: Vec<bool> = Vec::new();
    for (place, part) in parts.iter().enumerate() {
        let earlier = |name: &String| places.get(name.as_str()).copied().filter(|other| *other < place);
        few.push(
            part.grouped
                || part.named.iter().all(|name| earlier(name).map_or(small(name), |other| few[other])),
        );
        reads.push(part.named.iter().any(|name| earlier(name).map_or(!small(name), |other| reads[other])));
    }
    // How often the planner would put each part in; one that is a table asks for its own parts once.
    let mut copies = vec![0_usize; parts.len()];
    let mut chosen = Vec::new();
    let count = |names: &[String], before: usize, times: usize, copies: &mut Vec<usize>| {
        for place in
            names.iter().filter_map(|name| places.get(name.as_str())).filter(|place| **place < before)
        {
            copies[*place] = copies[*place].saturating_add(times);
        }
    };
    let mut body = query.clone();
    body.with = None;
    count(&named(&body), parts.len(), 1, &mut copies);
    for (place, part) in parts.iter().enumerate().rev() {
        let often = copies[place] > 1 || (stood_on && chosen.is_empty() && copies[place] > 0);
        let shared = part.plain && few[place] && reads[place] && often;
        if shared {
            chosen.push(place);
        }
        let times = if shared { 1 } else { copies[place] };
        count(&part.named, place, times, &mut copies);
    }
    chosen.reverse();
    chosen
}

/// The query that answers one part, with the parts it stands on.
pub(super) fn alone(with: &With, place: usize) -> Statement {
    let mut query = with.cte_tables[place].query.clone();
    let mut needed: BTreeSet<usize> = BTreeSet::new();
    let mut open = named(&query);
    while let Some(name) = open.pop() {
        let earlier = with.cte_tables[..place].iter().rposition(|cte| cte.alias.name.value == name);
        if let Some(earlier) = earlier.filter(|earlier| needed.insert(*earlier)) {
            open.extend(named(&with.cte_tables[earlier].query));
        }
    }
    if !needed.is_empty() {
        let mut before = with.clone();
        before.cte_tables = needed.into_iter().map(|place| with.cte_tables[place].clone()).collect();
        query.with = Some(before);
    }
    Statement::Statement(Box::new(ast::Statement::Query(query)))
}

/// One common table expression, as far as it matters here.
struct Part {
    name: String,
    /// The relations it names, once for each time.
    named: Vec<String>,
    /// Whether its rows are groups of others.
    grouped: bool,
    /// Whether it is a query without parts of its own.
    plain: bool,
}

impl Part {
    fn of(cte: &Cte) -> Self {
        Self {
            name: cte.alias.name.value.clone(),
            named: named(&cte.query),
            grouped: grouped(&cte.query.body),
            plain: cte.query.with.is_none() && cte.alias.columns.is_empty(),
        }
    }
}

fn named(query: &Query) -> Vec<String> {
    let mut names = Vec::new();
    let _ = visit_relations(query, |relation: &ObjectName| {
        if let [part] = relation.0.as_slice()
            && let Some(name) = part.as_ident()
        {
            names.push(name.value.clone());
        }
        ControlFlow::<()>::Continue(())
    });
    names
}

fn grouped(body: &SetExpr) -> bool {
    match body {
        SetExpr::Select(select) => groups(select),
        SetExpr::Query(query) => grouped(&query.body),
        // UNION without ALL leaves each row once.
        SetExpr::SetOperation { set_quantifier: SetQuantifier::None, .. } => true,
        SetExpr::SetOperation { left, right, .. } => grouped(left) && grouped(right),
        _ => false,
    }
}

fn groups(select: &Select) -> bool {
    let by = match &select.group_by {
        GroupByExpr::Expressions(keys, _) => !keys.is_empty(),
        GroupByExpr::All(_) => true,
    };
    by || matches!(select.distinct, Some(Distinct::Distinct))
}

/// Relations of the policy and of the program: never as many rows as there are events.
fn small(name: &str) -> bool {
    name.starts_with("policy_") || data::relation(name).is_some()
}
