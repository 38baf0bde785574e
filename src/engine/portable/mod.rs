//! Whether a query means the same on DataFusion and on Trino (Amazon Athena).
//!
//! What is accepted is a list, not what is refused: the text is parsed by a narrow dialect and each construct must be
//! known to run alike on both engines. There is no translation from one to the other, so nothing else would do.

mod dialect;
mod expression;
mod function;
mod query;

use std::collections::BTreeSet;
use std::ops::ControlFlow;

use datafusion::common::DataFusionError;
use datafusion::sql::sqlparser::ast::{
    Expr, Query, Select, Spanned, Statement, TableFactor, ValueWithSpan, Visit, Visitor,
};
use datafusion::sql::sqlparser::parser::Parser;
use datafusion::sql::sqlparser::tokenizer::Location;

use self::dialect::Portable;
use super::Error;

/// One thing in a query that does not run alike on both engines.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Objection {
    /// The line of the text, from 1; 0 is unknown.
    pub line: u64,
    /// The column, from 1; 0 is unknown. Where the construct itself has no known place, that of what encloses it.
    pub column: u64,
    /// What is wrong and what to write instead.
    pub message: String,
}

/// Everything in a query, header included, that is not portable, by place; nothing for a portable one.
///
/// `$name` parameters are values like any other.
pub fn check_portable(sql: &str) -> Vec<Objection> {
    let statements = match Parser::parse_sql(&Portable, sql) {
        Ok(statements) => statements,
        Err(error) => {
            let (line, column, message) = match Error::from(DataFusionError::from(error)) {
                Error::Sql { message, line, column, .. } => (line, column, message),
                other => (None, None, other.to_string()),
            };
            return vec![Objection {
                line: line.unwrap_or_default(),
                column: column.unwrap_or_default(),
                message,
            }];
        }
    };
    let mut check = Check {
        objections: BTreeSet::new(),
        place: Location::empty(),
        unnamed: BTreeSet::new(),
        taken: BTreeSet::new(),
    };
    match statements.as_slice() {
        [Statement::Query(query)] => {
            let _ = query.visit(&mut check);
        }
        [] => check.object("there is no query"),
        [_] => check.object("only SELECT is allowed"),
        [_, second, ..] => {
            check.at(second);
            check.object("one query stands in one file: remove all after the first semicolon");
        }
    }
    check.objections.into_iter().collect()
}

/// The walk over a statement.
struct Check {
    objections: BTreeSet<Objection>,
    /// The place of the construct last seen that has one.
    place: Location,
    /// SELECTs, by address, whose columns nobody sees, so that they need no names.
    unnamed: BTreeSet<usize>,
    /// Functions, by address, that stand where JSON is taken.
    taken: BTreeSet<usize>,
}

impl Check {
    fn at(&mut self, node: &impl Spanned) {
        let start = node.span().start;
        if start.line > 0 {
            self.place = start;
        }
    }

    fn object(&mut self, message: impl Into<String>) {
        let Location { line, column } = self.place;
        self.objections.insert(Objection { line, column, message: message.into() });
    }

    fn object_if(&mut self, wrong: bool, message: &str) {
        if wrong {
            self.object(message);
        }
    }
}

impl Visitor for Check {
    type Break = ();

    fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<()> {
        self.query(query);
        ControlFlow::Continue(())
    }

    fn pre_visit_select(&mut self, select: &Select) -> ControlFlow<()> {
        self.select(select);
        ControlFlow::Continue(())
    }

    fn pre_visit_table_factor(&mut self, factor: &TableFactor) -> ControlFlow<()> {
        self.table(factor);
        ControlFlow::Continue(())
    }

    fn pre_visit_expr(&mut self, expression: &Expr) -> ControlFlow<()> {
        self.at(expression);
        self.expression(expression);
        ControlFlow::Continue(())
    }

    fn pre_visit_value(&mut self, value: &ValueWithSpan) -> ControlFlow<()> {
        self.at(value);
        self.value(&value.value);
        ControlFlow::Continue(())
    }
}

#[cfg(test)]
mod tests;
