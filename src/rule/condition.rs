//! A policy's condition as both engines read it.
//!
//! `LIKE 'AWS\_%'` is the same text to two engines and not the same pattern: DataFusion takes the backslash as an escape,
//! Trino as itself, so that the condition would never hold there. What means it that way becomes a regular expression.
//! `CASE x WHEN y` becomes `CASE WHEN x = y`: Trino fails on some of the former.

use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{BinaryOperator, Expr, Value, VisitMut, VisitorMut};

use super::parameter;

/// The text of a condition in portable words. Text that is no expression stays: who reads it says what is wrong.
pub(super) fn portable(text: &str) -> String {
    if !text.contains('\\') && !text.to_lowercase().contains("case") {
        return text.to_owned();
    }
    match parameter::parser(text).and_then(|mut parser| parser.parse_expr()) {
        Ok(mut expr) => {
            rewrite(&mut expr);
            expr.to_string()
        }
        Err(_) => text.to_owned(),
    }
}

/// The same in a tree, which [`parameter::parser`] made.
pub(super) fn rewrite(expr: &mut Expr) {
    let _ = VisitMut::visit(expr, &mut Rewriter);
}

struct Rewriter;

impl VisitorMut for Rewriter {
    type Break = ();

    fn post_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<()> {
        if let Expr::Like { negated, any: false, expr: text, pattern, escape_char: None } = expr
            && let Expr::Value(value) = pattern.as_ref()
            && let Value::SingleQuotedString(like) = &value.value
            && like.contains('\\')
        {
            let not = if *negated { "NOT " } else { "" };
            let sql = format!("({not}regexp_like({text}, '{}'))", regex(like));
            if let Ok(instead) = parameter::parser(&sql).and_then(|mut parser| parser.parse_expr()) {
                *expr = instead;
            }
        }
        if let Expr::Case { operand, conditions, .. } = expr
            && let Some(operand) = operand.take()
        {
            let operand = Box::new(Expr::Nested(operand));
            for when in conditions {
                let value = Box::new(Expr::Nested(Box::new(when.condition.clone())));
                when.condition =
                    Expr::BinaryOp { left: operand.clone(), op: BinaryOperator::Eq, right: value };
            }
        }
        ControlFlow::Continue(())
    }
}

/// A pattern of `LIKE` as an anchored regular expression; quotes stay doubled.
fn regex(like: &str) -> String {
    let mut out = String::from(r"\A(?s:");
    let mut characters = like.chars();
    while let Some(c) = characters.next() {
        match c {
            '%' => out.push_str(".*"),
            '_' => out.push('.'),
            _ => {
                let meant = if c == '\\' { characters.next().unwrap_or(c) } else { c };
                if r"\.+*?()|[]{}^$".contains(meant) {
                    out.push('\\');
                }
                out.push(meant);
            }
        }
    }
    out.push_str(r")\z");
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_differs_is_said_in_other_words() {
        for (text, wanted) in [
            ("role_name LIKE 'AWS%'", "role_name LIKE 'AWS%'"),
            (r"role_name LIKE 'AWS\_%'", r"(regexp_like(role_name, '\A(?s:AWS_.*)\z'))"),
            (
                r"a = 1 OR lower(b) NOT LIKE 'it''s \% a.b\\%'",
                r"a = 1 OR (NOT regexp_like(lower(b), '\A(?s:it''s % a\.b\\.*)\z'))",
            ),
            (r"principal = 'a\_b'", r"principal = 'a\_b'"),
            (
                "'x' || CASE a || b WHEN 'c' THEN 'd' WHEN e THEN CASE f WHEN 1 THEN 'g' END ELSE h END = 'xd'",
                "'x' || CASE WHEN (a || b) = ('c') THEN 'd' WHEN (a || b) = (e) THEN CASE WHEN (f) = (1) THEN 'g' END ELSE h END = 'xd'",
            ),
            ("CASE WHEN a THEN 1 END = 1", "CASE WHEN a THEN 1 END = 1"),
            (r"a LIKE 'x\_%' AND (", r"a LIKE 'x\_%' AND ("),
        ] {
            assert_eq!(portable(text), wanted);
        }
    }
}
