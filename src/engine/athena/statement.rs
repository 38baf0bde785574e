//! A query of ours as one statement for Athena: views and small relations stand before it as WITH queries.
//!
//! ```text
//! WITH events AS (SELECT … FROM "db"."bedtrail_run_…_events"),   what was materialised, or some of it
//!      policy_allow AS (SELECT * FROM (VALUES …)),               literal, or a table of its own where it is large
//!      decisions AS (…),                                         a view's text, with all that it reads before it
//!      own AS (…)                                                the query's own
//! SELECT …
//! ```

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::sql::parser::{DFParser, Statement as Parsed};
use datafusion::sql::sqlparser::ast::{
    Expr, OrderBy, OrderByExpr, OrderByKind, OrderByOptions, Statement as Ast, Value,
};

use super::literal;
use crate::engine::era::POLICY;
use crate::engine::schema::schema;
use crate::engine::{Engine, Error, Result};
use crate::event::column::COLUMNS;

/// Bytes that a statement may have: Athena takes 262,144.
pub(super) const LONGEST: usize = 256_000;
/// Bytes of literal relations in one statement: what is beyond becomes tables.
const LITERALS: usize = 200_000;
/// How deep views may stand on views.
const DEPTH: usize = 16;

/// Which rows a statement sees.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Frame {
    /// Only events for which this condition is true.
    pub predicate: Option<String>,
    /// The policy's relations as that version of it has them.
    pub era: Option<usize>,
}

/// Tables that were made in Athena, by the relation that each stands for.
pub(super) type Made = BTreeMap<&'static str, Table>;

/// A table that was made in Athena.
#[derive(Clone, Debug)]
pub(super) struct Table {
    /// Its name, quoted as in a query.
    pub(super) quoted: String,
    /// The columns of the relation.
    pub(super) schema: SchemaRef,
    /// Those that the table has: no query of the run reads the others.
    pub(super) columns: BTreeSet<String>,
    /// Which of its rows are the relation's; all where there is none.
    pub(super) only: Option<String>,
}

/// A relation that travels with a statement.
#[derive(Clone, Debug)]
pub(super) struct Relation {
    /// Its name in the statement, which tells its version too.
    pub(super) name: String,
    pub(super) schema: SchemaRef,
    pub(super) batches: Vec<RecordBatch>,
    sql: String,
}

/// A statement that is not yet text: large relations may still become tables.
#[derive(Debug)]
pub(super) struct Statement {
    parts: Vec<Part>,
    body: String,
}

#[derive(Debug)]
enum Part {
    Query { name: String, sql: String },
    Relation(Relation),
}

impl Statement {
    /// The relations that are too large to stand in the text, the largest first.
    pub(super) fn large(&self) -> Vec<&Relation> {
        let mut relations: Vec<&Relation> = self.relations().collect();
        relations.sort_by(|a, b| b.sql.len().cmp(&a.sql.len()).then_with(|| a.name.cmp(&b.name)));
        let mut literals: usize = relations.iter().map(|relation| relation.sql.len()).sum();
        let mut rest = self.text(&BTreeMap::new()).len() - literals;
        relations
            .into_iter()
            .take_while(|relation| {
                let over = literals > LITERALS || literals + rest > LONGEST;
                literals -= relation.sql.len();
                rest += 64;
                over
            })
            .collect()
    }

    fn relations(&self) -> impl Iterator<Item = &Relation> {
        self.parts.iter().filter_map(|part| match part {
            Part::Relation(relation) => Some(relation),
            Part::Query { .. } => None,
        })
    }

    /// The text, with relations that have become tables read from there.
    pub(super) fn text(&self, tables: &BTreeMap<String, String>) -> String {
        let mut sql = String::new();
        for part in &self.parts {
            sql.push_str(if sql.is_empty() { "WITH " } else { ",\n" });
            let _ = match part {
                Part::Query { name, sql: query } => write!(sql, "{name} AS (\n{query}\n)"),
                Part::Relation(relation) => match tables.get(&relation.name) {
                    Some(table) => write!(sql, "{} AS (SELECT * FROM {table})", relation.name),
                    None => write!(sql, "{} AS (\n{}\n)", relation.name, relation.sql),
                },
            };
        }
        let body = self.body.trim_start();
        match (sql.is_empty(), body.get(..4).filter(|word| word.eq_ignore_ascii_case("with"))) {
            (true, _) => body.to_owned(),
            (false, Some(_)) => format!("{sql},{}", &body[4..]),
            (false, None) => format!("{sql}\n{body}"),
        }
    }
}

impl Engine {
    /// The statement that asks Athena what `sql` asks here.
    pub(super) fn statement(&self, sql: &str, frame: &Frame, made: &Made) -> Result<Statement> {
        let mut builder = Builder { engine: self, frame, made, parts: Vec::new(), known: BTreeSet::new() };
        for name in self.relations(sql)? {
            builder.add(&name, 0)?;
        }
        Ok(Statement { parts: builder.parts, body: uncommented(sql).to_owned() })
    }

    /// The relations that a query names; those it defines itself are not among them.
    fn relations(&self, sql: &str) -> Result<Vec<String>> {
        let statement = one(sql)?;
        let state = self.context.state();
        let mut names: Vec<String> = state
            .resolve_table_references(&statement)?
            .into_iter()
            .map(|relation| relation.table().to_owned())
            .collect();
        names.sort_unstable();
        names.dedup();
        Ok(names)
    }

    /// A user's query with its rows in an order that does not change: an ORDER BY of its own is completed by all columns.
    pub(super) fn ordered(&self, sql: &str) -> Result<String> {
        let columns = self.plan(sql)?.schema().fields().len();
        let Parsed::Statement(statement) = one(sql)? else { return Err(Error::sql("there is no query")) };
        let Ast::Query(mut query) = *statement else { return Err(Error::sql("only SELECT can be run")) };
        let ordinal = |at: usize| OrderByExpr {
            expr: Expr::Value(Value::Number(at.to_string(), false).with_empty_span()),
            options: OrderByOptions { asc: None, nulls_first: None },
            with_fill: None,
        };
        let all = (1..=columns).map(ordinal);
        match &mut query.order_by {
            Some(OrderBy { kind: OrderByKind::Expressions(keys), .. }) => keys.extend(all),
            order => {
                *order = Some(OrderBy { kind: OrderByKind::Expressions(all.collect()), interpolate: None });
            }
        }
        Ok(query.to_string())
    }
}

/// The one statement of a text.
fn one(sql: &str) -> Result<Parsed> {
    DFParser::parse_sql(sql)?.pop_front().ok_or_else(|| Error::sql("there is no query"))
}

/// The text without the comments it opens with, so that its first word can be told, and without a semicolon at its end.
fn uncommented(sql: &str) -> &str {
    let mut rest = sql.trim_start();
    while let Some(comment) = rest.strip_prefix("--") {
        rest = comment.split_once('\n').map_or("", |(_, after)| after).trim_start();
    }
    rest.trim_end().trim_end_matches(';')
}

struct Builder<'e> {
    engine: &'e Engine,
    frame: &'e Frame,
    made: &'e Made,
    parts: Vec<Part>,
    known: BTreeSet<String>,
}

impl Builder<'_> {
    /// Puts a relation before the query, after all that it reads.
    fn add(&mut self, name: &str, depth: usize) -> Result<()> {
        if self.known.contains(name) {
            return Ok(());
        }
        if depth == DEPTH {
            return Err(Error::Internal(format!("the view {name} stands on itself")));
        }
        if let Some(table) = self.made.get(name) {
            let sql = self.made(name, table)?;
            self.query(name, sql);
            return Ok(());
        }
        let engine = self.engine;
        if let Some(view) = engine.views.get(name).copied() {
            let dated = self.frame.era.is_none() && !engine.eras.is_empty() && view.contains(POLICY);
            let sql = if dated { self.over_eras(view, depth)? } else { self.over_all(view, depth)? };
            self.query(name, sql);
            return Ok(());
        }
        let of_era = self.frame.era.and_then(|at| engine.eras.get(at));
        let of_era = of_era.and_then(|era| era.relations.iter().find(|(relation, _)| *relation == name));
        if let Some((_, batch)) = of_era {
            return self.relation(name, batch.schema(), vec![batch.clone()]);
        }
        let batches = engine.run(&format!("SELECT * FROM {name}"))?;
        let schema = batches.first().map(RecordBatch::schema).ok_or_else(|| nothing(name))?;
        self.relation(name, schema, batches)
    }

    fn query(&mut self, name: &str, sql: String) {
        self.known.insert(name.to_owned());
        self.parts.push(Part::Query { name: name.to_owned(), sql });
    }

    fn relation(&mut self, name: &str, schema: SchemaRef, batches: Vec<RecordBatch>) -> Result<()> {
        self.known.insert(name.to_owned());
        let sql = literal::relation(&schema, &batches)?;
        self.parts.push(Part::Relation(Relation { name: name.to_owned(), schema, batches, sql }));
        Ok(())
    }

    /// A table of ours: columns that no query of the run reads were not materialised, and are null.
    fn made(&self, name: &str, table: &Table) -> Result<String> {
        let mut list = Vec::with_capacity(table.schema.fields().len());
        for field in table.schema.fields() {
            let name = literal::name(field.name());
            list.push(if table.columns.contains(field.name()) {
                name
            } else {
                format!("CAST(NULL AS {}) AS {name}", literal::type_name(field.data_type())?)
            });
        }
        let some = self.frame.predicate.as_ref().filter(|_| name == "events");
        let all: Vec<String> =
            table.only.iter().chain(some).map(|condition| format!("({condition})")).collect();
        let some = if all.is_empty() { String::new() } else { format!("\nWHERE {}", all.join(" AND ")) };
        Ok(format!("SELECT {}\nFROM {}{some}", list.join(", "), table.quoted))
    }

    fn over_all(&mut self, view: &str, depth: usize) -> Result<String> {
        for other in self.engine.relations(view)? {
            self.add(&other, depth + 1)?;
        }
        Ok(uncommented(view).to_owned())
    }

    /// A view that judges each event by the version of the policy in force at its time.
    fn over_eras(&mut self, view: &str, depth: usize) -> Result<String> {
        let engine = self.engine;
        let names = engine.relations(view)?;
        let mut branches = Vec::with_capacity(engine.eras.len());
        for (at, era) in engine.eras.iter().enumerate() {
            let mut own = Vec::new();
            for name in &names {
                match era.relations.iter().find(|(relation, _)| relation == name) {
                    Some((relation, batch)) => {
                        let dated = format!("{relation}_{at}");
                        if !self.known.contains(&dated) {
                            self.relation(&dated, batch.schema(), vec![batch.clone()])?;
                        }
                        own.push(format!("{relation} AS (SELECT * FROM {dated})"));
                    }
                    None => self.add(name, depth + 1)?,
                }
            }
            let body = uncommented(view);
            let text = match body.get(..4).filter(|word| word.eq_ignore_ascii_case("with")) {
                _ if own.is_empty() => body.to_owned(),
                Some(_) => format!("WITH {},{}", own.join(", "), &body[4..]),
                None => format!("WITH {}\n{body}", own.join(", ")),
            };
            branches.push(format!("SELECT * FROM (\n{text}\n) AS era WHERE {}", era.condition));
        }
        Ok(branches.join("\nUNION ALL\n"))
    }
}

fn nothing(name: &str) -> Error {
    Error::Internal(format!("the relation {name} gave no batch"))
}

/// The columns of `events` and `history`.
pub(super) fn events() -> SchemaRef {
    schema(COLUMNS)
}
