//! What is portable of queries, SELECTs and what stands behind FROM.

use std::ptr::from_ref;

use datafusion::sql::sqlparser::ast::{
    Distinct, Expr, GroupByExpr, JoinConstraint, JoinOperator, LimitClause, OrderByKind, Query, Select,
    SelectFlavor, SelectItem, SetExpr, SetOperator, SetQuantifier, TableFactor,
};

use super::Check;

impl Check {
    pub(super) fn query(&mut self, query: &Query) {
        self.at(query);
        self.object_if(
            query.with.as_ref().is_some_and(|with| with.recursive),
            "WITH RECURSIVE is not portable",
        );
        if let Some(order) = &query.order_by {
            let all = matches!(order.kind, OrderByKind::All(_));
            self.object_if(all || order.interpolate.is_some(), "ORDER BY takes a list of columns");
        }
        match &query.limit_clause {
            None => {}
            Some(LimitClause::LimitOffset { offset: None, limit_by, .. }) if limit_by.is_empty() => {
                self.object_if(
                    query.order_by.is_none(),
                    "LIMIT without ORDER BY gives other rows in every run",
                );
            }
            Some(_) => self.object("OFFSET and LIMIT BY are not portable: number the rows with row_number()"),
        }
        let odd = query.fetch.is_some()
            || !query.locks.is_empty()
            || query.for_clause.is_some()
            || query.settings.is_some()
            || query.format_clause.is_some()
            || !query.pipe_operators.is_empty();
        self.object_if(odd, "only WITH, SELECT, ORDER BY and LIMIT make a query");
        self.set(&query.body);
    }

    fn set(&mut self, body: &SetExpr) {
        match body {
            SetExpr::Select(_) | SetExpr::Query(_) | SetExpr::Values(_) => {}
            SetExpr::SetOperation { left, op, set_quantifier, right } => {
                let by_name = matches!(
                    set_quantifier,
                    SetQuantifier::ByName | SetQuantifier::AllByName | SetQuantifier::DistinctByName
                );
                self.object_if(*op == SetOperator::Minus, "MINUS is not portable: write EXCEPT");
                self.object_if(by_name, "BY NAME is not portable: put the columns in the same order");
                self.set(left);
                self.set(right);
                // The columns are named on the left.
                self.unname(right);
            }
            _ => self.object("only SELECT is allowed"),
        }
    }

    /// Nobody sees the names of these columns.
    pub(super) fn unname(&mut self, body: &SetExpr) {
        match body {
            SetExpr::Select(select) => {
                self.unnamed.insert(from_ref(select.as_ref()).addr());
            }
            SetExpr::Query(query) => self.unname(&query.body),
            SetExpr::SetOperation { left, right, .. } => {
                self.unname(left);
                self.unname(right);
            }
            _ => {}
        }
    }

    pub(super) fn select(&mut self, select: &Select) {
        self.at(select);
        let named = !self.unnamed.contains(&from_ref(select).addr());
        for item in &select.projection {
            self.at(item);
            match item {
                SelectItem::UnnamedExpr(Expr::Identifier(_) | Expr::CompoundIdentifier(_))
                | SelectItem::ExprWithAlias { .. } => {}
                SelectItem::UnnamedExpr(_) => {
                    self.object_if(
                        named,
                        "an expression needs a name: the engines make up different ones; add AS name",
                    );
                }
                SelectItem::Wildcard(_) | SelectItem::QualifiedWildcard(..) => {
                    self.object("SELECT * changes with the table: name the columns");
                }
                SelectItem::ExprWithAliases { .. } => self.object("one expression has one name"),
            }
        }
        self.at(select);
        self.object_if(
            select.qualify.is_some(),
            "QUALIFY is not portable: filter the window function in an outer SELECT",
        );
        self.object_if(matches!(select.distinct, Some(Distinct::On(_))), "DISTINCT ON is not portable");
        match &select.group_by {
            GroupByExpr::Expressions(_, modifiers) if modifiers.is_empty() => {}
            _ => self.object("GROUP BY takes a list of expressions"),
        }
        let odd = select.top.is_some()
            || select.exclude.is_some()
            || select.into.is_some()
            || !select.lateral_views.is_empty()
            || select.prewhere.is_some()
            || !select.connect_by.is_empty()
            || !select.cluster_by.is_empty()
            || !select.distribute_by.is_empty()
            || !select.sort_by.is_empty()
            || select.value_table_mode.is_some()
            || select.select_modifiers.is_some()
            || select.flavor != SelectFlavor::Standard
            || select.projection.is_empty();
        self.object_if(odd, "only FROM, WHERE, GROUP BY, HAVING and WINDOW stand in a SELECT");
        for join in select.from.iter().flat_map(|from| &from.joins) {
            self.at(&join.relation);
            match &join.join_operator {
                JoinOperator::Join(constraint)
                | JoinOperator::Inner(constraint)
                | JoinOperator::Left(constraint)
                | JoinOperator::LeftOuter(constraint)
                | JoinOperator::Right(constraint)
                | JoinOperator::RightOuter(constraint)
                | JoinOperator::FullOuter(constraint) => {
                    let stated = matches!(constraint, JoinConstraint::On(_) | JoinConstraint::Using(_));
                    self.object_if(!stated, "a join needs ON or USING, or is a CROSS JOIN");
                }
                JoinOperator::CrossJoin(JoinConstraint::None) => {}
                _ => self.object(
                    "this kind of join is not portable: use WHERE [NOT] EXISTS for semi and anti joins",
                ),
            }
            self.object_if(join.global, "GLOBAL is not portable");
        }
    }

    pub(super) fn table(&mut self, factor: &TableFactor) {
        self.at(factor);
        match factor {
            TableFactor::Table {
                args: None,
                with_hints,
                version: None,
                with_ordinality: false,
                partitions,
                json_path: None,
                sample: None,
                index_hints,
                ..
            } if with_hints.is_empty() && partitions.is_empty() && index_hints.is_empty() => {}
            TableFactor::Derived { lateral: false, sample: None, .. } | TableFactor::NestedJoin { .. } => {}
            _ => self.object("only tables, subqueries and joins stand behind FROM"),
        }
    }
}
