//! From one row per judged event to the groups that the runner reads: `queries/fold.sql` around the rule's SELECT.

use datafusion::sql::sqlparser::ast::{
    Cte, Expr, Ident, Query, SelectItem, SetExpr, Statement, TableAlias,
    helpers::attached_token::AttachedToken,
};
use datafusion::sql::sqlparser::parser::ParserError;

use super::parameter;
use crate::finding::Severity;

/// The columns of a rule that returns one row per judged event, in order. The last, `severity`, may be left out.
pub const EVENT_COLUMNS: [&str; 12] = [
    "verdict",
    "account_id",
    "aws_region",
    "principal",
    "subject",
    "reason",
    "expected",
    "observed",
    "event_time",
    "event_id",
    "outcome",
    "severity",
];

/// What a row of a rule's SELECT stands for; told by the names of its columns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Grain {
    /// One judged event: [`EVENT_COLUMNS`]; the runner groups them.
    Event {
        /// Whether rows bring a severity of their own.
        severity: bool,
    },
    /// A group of events: [`super::ROW_COLUMNS`].
    Group,
}

/// The SQL around a rule that returns events: a SELECT from `judged`.
const FOLD: &str = include_str!("../../queries/fold.sql");

/// That an event is older than every version of the policy; one without a first day was always in force.
const UNRULED: &str = "COALESCE(event_time < (SELECT CASE WHEN COUNT(effective_from) = COUNT(*) THEN \
     MIN(effective_from) END AS in_force_from FROM policy_version), FALSE)";

/// The name under which [`FOLD`] reads the rule.
const JUDGED: &str = "judged";

/// What the rows of a SELECT stand for.
pub(super) fn grain(sql: &str) -> Grain {
    let names = query(sql).ok().and_then(|query| names(&query.body)).unwrap_or_default();
    match names.as_slice() {
        names if names == EVENT_COLUMNS => Grain::Event { severity: true },
        names if names == &EVENT_COLUMNS[..11] => Grain::Event { severity: false },
        _ => Grain::Group,
    }
}

/// Folds a SELECT of events, its parameters filled in, into groups: one SELECT again. Rows without a severity of their
/// own have that of the rule. A rule that judges `by_policy` assesses nothing from before its first day. Only events
/// for which `during` is true count, whatever else the rule looked at.
pub(super) fn wrap(
    judged: Box<Query>,
    own: bool,
    severity: Severity,
    by_policy: bool,
    during: Option<&str>,
) -> Result<String, parameter::Error> {
    let failed = |error| parameter::Error::Sql(parameter::message(error));
    // A severity is one of five words: it needs no quoting.
    let severity = if own { format!("COALESCE(severity, '{severity}')") } else { format!("'{severity}'") };
    let unruled = if by_policy { UNRULED } else { "FALSE" };
    let during = during.map(|condition| format!("WHERE {condition}")).unwrap_or_default();
    let fold = FOLD.replace("$severity", &severity).replace("$unruled", unruled).replace("$during", &during);
    let mut fold = query(&fold).map_err(failed)?;
    let judged = Cte {
        alias: TableAlias { explicit: false, name: Ident::new(JUDGED), columns: Vec::new(), at: None },
        query: judged,
        from: None,
        materialized: None,
        closing_paren_token: AttachedToken::empty(),
    };
    match &mut fold.with {
        Some(with) => with.cte_tables.insert(0, judged),
        None => return Err(parameter::Error::NotOneSelect),
    }
    Ok(fold.to_string())
}

fn query(sql: &str) -> Result<Box<Query>, ParserError> {
    match parameter::parser(sql)?.parse_statements()?.pop() {
        Some(Statement::Query(query)) => Ok(query),
        _ => Err(ParserError::ParserError("it is no SELECT".to_owned())),
    }
}

/// The names of the columns; none if one of them has no name of its own.
fn names(body: &SetExpr) -> Option<Vec<String>> {
    match body {
        SetExpr::Select(select) => select.projection.iter().map(name).collect(),
        SetExpr::Query(query) => names(&query.body),
        SetExpr::SetOperation { left, .. } => names(left),
        _ => None,
    }
}

fn name(item: &SelectItem) -> Option<String> {
    let name = match item {
        SelectItem::ExprWithAlias { alias, .. } => alias,
        SelectItem::UnnamedExpr(Expr::Identifier(name)) => name,
        SelectItem::UnnamedExpr(Expr::CompoundIdentifier(path)) => path.last()?,
        _ => return None,
    };
    Some(name.value.to_lowercase())
}

#[cfg(test)]
mod tests;
