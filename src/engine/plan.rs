//! From SQL text to a logical plan: one SELECT, over relations that exist, built as they are named.

use std::collections::BTreeSet;
use std::ops::ControlFlow;
use std::sync::Arc;

use datafusion::common::TableReference;
use datafusion::datasource::{MemTable, ViewTable};
use datafusion::execution::session_state::SessionState;
use datafusion::logical_expr::LogicalPlan;
use datafusion::prelude::SQLOptions;
use datafusion::sql::parser::{DFParser, Statement};
use datafusion::sql::sqlparser::ast::{self, ObjectName, Spanned, visit_relations};
use datafusion::sql::sqlparser::tokenizer::Location;

use super::error::nearest;
use super::shared::{Life, Room, Shared};
use super::{Engine, Error, Result, contained, locked, part};
use crate::data;

/// How deep views may stand on views; beyond it, one stands on itself.
const DEPTH: usize = 16;

/// Under what names parts of a query stand while it is planned, with a number.
const SHARED: &str = "bedtrail_shared_";

impl Engine {
    /// The plan of one SELECT, not yet optimised.
    pub(super) fn plan(&self, sql: &str) -> Result<LogicalPlan> {
        // Held until the plan stands: two queries must not build the same view.
        let mut built = locked(&self.built);
        self.plan_at(sql, &mut built, 0)
    }

    /// The same, optimised; parts that it names several times are answered once.
    pub(super) fn plan_sharing(&self, sql: &str) -> Result<LogicalPlan> {
        let mut built = locked(&self.built);
        let plan = self.plan_parts(sql, &mut built, 0, Life::Query)?;
        drop(built);
        self.optimised(&plan)
    }

    fn plan_at(&self, sql: &str, built: &mut BTreeSet<&'static str>, depth: usize) -> Result<LogicalPlan> {
        // A view is ours, and what many queries stand on.
        if depth > 0 {
            return self.plan_parts(sql, built, depth, Life::Tables);
        }
        self.plan_statement(parse(sql)?, built, depth)
    }

    /// A query's plan in which parts that it names several times are tables.
    fn plan_parts(
        &self,
        sql: &str,
        built: &mut BTreeSet<&'static str>,
        depth: usize,
        life: Life,
    ) -> Result<LogicalPlan> {
        let mut statement = parse(sql)?;
        let mut names = Vec::new();
        let shared = as_query(&mut statement)
            .map_or(Ok(()), |query| self.share(query, &mut names, built, depth, life));
        let plan = shared.and_then(|()| self.plan_statement(statement, built, depth));
        for name in names {
            self.context.deregister_table(name)?;
        }
        plan
    }

    /// Makes tables of the parts of a query that are worth it, each under a name of its own while the query is planned.
    fn share(
        &self,
        query: &mut ast::Query,
        names: &mut Vec<String>,
        built: &mut BTreeSet<&'static str>,
        depth: usize,
        life: Life,
    ) -> Result<()> {
        // The first part knows no other: what it is made of is a query by itself, as a rule's SELECT is.
        let first = query.with.as_mut().and_then(|with| with.cte_tables.first_mut());
        if let Some(first) = first.filter(|first| first.query.with.is_some()) {
            self.share(&mut first.query, names, built, depth, life)?;
        }
        for place in part::worthwhile(query, life == Life::Tables) {
            let Some(with) = &mut query.with else { break };
            let plan = self.plan_statement(part::alone(with, place), built, depth)?;
            let part = Arc::new(Shared::new(self.optimised(&plan)?, life, self.room(life)));
            let name = format!("{SHARED}{}", locked(&self.shared).add(&part));
            with.cte_tables[place].query = query_of(&format!("SELECT * FROM {name}"))?;
            self.context.register_table(name.as_str(), part)?;
            names.push(name);
        }
        Ok(())
    }

    /// Where a part's rows are held: few in memory of those that outlive their query, for there are many.
    fn room(&self, life: Life) -> Room {
        let memory = match life {
            Life::Query => self.limits.memory / 2,
            Life::Tables => self.limits.memory / 8,
        };
        Room {
            memory,
            together: self.limits.memory / 2,
            held: locked(&self.shared).held(),
            folder: self.limits.spill_dir.clone(),
        }
    }

    fn plan_statement(
        &self,
        statement: Statement,
        built: &mut BTreeSet<&'static str>,
        depth: usize,
    ) -> Result<LogicalPlan> {
        let state = self.context.state();
        for relation in state.resolve_table_references(&statement)? {
            self.build(&state, &relation, &statement, built, depth)?;
        }
        // The catalog is shared with this older state: relations built just now are in it.
        let plan = contained(|| Ok(self.runtime.block_on(state.statement_to_plan(statement))?))?;
        let refuse =
            SQLOptions::new().with_allow_ddl(false).with_allow_dml(false).with_allow_statements(false);
        refuse.verify_plan(&plan)?;
        Ok(plan)
    }

    /// Makes sure that a relation a query names exists.
    fn build(
        &self,
        state: &SessionState,
        relation: &TableReference,
        statement: &Statement,
        built: &mut BTreeSet<&'static str>,
        depth: usize,
    ) -> Result<()> {
        let name = relation.table();
        if self.context.table_exist(relation.clone())? || state.table_functions().contains_key(name) {
            return Ok(());
        }
        let view = self.views.get_key_value(name);
        if let Some((name, sql)) = view.filter(|_| relation.schema().is_none()) {
            if depth == DEPTH {
                return Err(Error::Internal(format!("the view {name} stands on itself")));
            }
            let plan = self.plan_at(sql, built, depth + 1).map_err(|error| of_view(name, error))?;
            if locked(&self.kept).contains(name) {
                // As many parts as `register` fills.
                let parts = vec![Vec::new(); self.context.copied_config().target_partitions().max(1)];
                let table =
                    Arc::new(MemTable::try_new(Arc::clone(self.optimised(&plan)?.schema().inner()), parts)?);
                self.context.register_table(*name, Arc::clone(&table) as _)?;
                locked(&self.tables).insert((*name).to_owned(), table);
                return Ok(());
            }
            let plan = self.plan_over_eras(sql)?.unwrap_or(plan);
            self.context.register_table(*name, Arc::new(ViewTable::new(plan, None)))?;
            built.insert(name);
            return Ok(());
        }
        if let Some(known) = data::relation(name).filter(|_| relation.schema().is_none()) {
            let batch = known.read().map_err(|error| Error::Internal(error.to_string()))?;
            let table = MemTable::try_new(known.schema(), vec![vec![batch]])?;
            self.context.register_table(known.name, Arc::new(table))?;
            return Ok(());
        }
        let names = self.names();
        let help = match nearest(name, names.iter().map(String::as_str)) {
            Some(near) => format!("did you mean '{near}'?"),
            None => format!("tables are {}", names.join(", ")),
        };
        Err(Error::at(place(statement, name), format!("there is no table '{relation}'"), Some(help)))
    }
}

/// The one statement of a text, which must be a query.
fn parse(sql: &str) -> Result<Statement> {
    let mut statements = DFParser::parse_sql(sql)?;
    let Some(first) = statements.pop_front() else {
        return Err(Error::sql("there is no query"));
    };
    if let Some(second) = statements.front() {
        let place = as_ast(second).map_or(Location::empty(), |statement| statement.span().start);
        let help = "remove all after the first semicolon".to_owned();
        return Err(Error::at(place, "only one query can be run at a time", Some(help)));
    }
    if !matches!(as_ast(&first), Some(ast::Statement::Query(_))) {
        let verb = first.to_string().split_whitespace().next().unwrap_or_default().to_uppercase();
        return Err(Error::sql(format!(
            "only SELECT can be run, not {verb}; the tables are never changed by SQL"
        )));
    }
    Ok(first)
}

fn as_ast(statement: &Statement) -> Option<&ast::Statement> {
    match statement {
        Statement::Statement(statement) => Some(statement),
        _ => None,
    }
}

fn as_query(statement: &mut Statement) -> Option<&mut ast::Query> {
    match statement {
        Statement::Statement(statement) => match statement.as_mut() {
            ast::Statement::Query(query) => Some(query),
            _ => None,
        },
        _ => None,
    }
}

pub(super) fn query_of(sql: &str) -> Result<Box<ast::Query>> {
    match parse(sql)? {
        Statement::Statement(statement) => match *statement {
            ast::Statement::Query(query) => Ok(query),
            _ => Err(Error::Internal(format!("no query: {sql}"))),
        },
        _ => Err(Error::Internal(format!("no query: {sql}"))),
    }
}

/// The relations that a query names.
pub(super) fn named(sql: &str) -> Result<BTreeSet<String>> {
    let mut names = BTreeSet::new();
    if let Some(statement) = as_ast(&parse(sql)?) {
        let _ = visit_relations(statement, |relation: &ObjectName| {
            let last = relation.0.last().and_then(|part| part.as_ident());
            names.extend(last.map(|name| name.value.to_lowercase()));
            ControlFlow::<()>::Continue(())
        });
    }
    Ok(names)
}

/// Where a relation is first named.
fn place(statement: &Statement, name: &str) -> Location {
    let mut place = Location::empty();
    if let Some(statement) = as_ast(statement) {
        let _ = visit_relations(statement, |relation: &ObjectName| {
            let last = relation.0.last().and_then(|part| part.as_ident());
            if last.is_some_and(|ident| ident.value.eq_ignore_ascii_case(name)) {
                place = relation.span().start;
                return ControlFlow::Break(());
            }
            ControlFlow::Continue(())
        });
    }
    place
}

/// A fault inside a view is not the asker's: it says whose it is, and its place is not one in their text.
fn of_view(view: &str, error: Error) -> Error {
    match error {
        Error::Sql { .. } => Error::Internal(format!("the view {view} cannot be planned: {error}")),
        other => other,
    }
}
