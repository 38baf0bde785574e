//! What is portable of expressions, values and types.

use datafusion::sql::sqlparser::ast::{
    BinaryOperator, CastKind, DataType, DateTimeField, Expr, ExtractSyntax, Interval, UnaryOperator, Value,
};

use super::Check;

/// Types of CAST, as written, without precision.
const TYPES: &[&str] = &["BIGINT", "BOOLEAN", "DATE", "DECIMAL", "DOUBLE", "INTEGER", "TIMESTAMP", "VARCHAR"];

impl Check {
    pub(super) fn expression(&mut self, expression: &Expr) {
        match expression {
            Expr::Identifier(_)
            | Expr::CompoundIdentifier(_)
            | Expr::IsDistinctFrom(..)
            | Expr::IsNotDistinctFrom(..)
            | Expr::InList { .. }
            | Expr::Between { .. }
            | Expr::Nested(_)
            | Expr::Value(_)
            | Expr::Case { operand: None, .. }
            | Expr::GroupingSets(_)
            | Expr::Cube(_)
            | Expr::Rollup(_)
            | Expr::Position { .. }
            | Expr::UnaryOp { op: UnaryOperator::Plus | UnaryOperator::Minus | UnaryOperator::Not, .. }
            | Expr::Substring { .. }
            | Expr::Trim { trim_characters: None, .. } => {}
            Expr::Case { operand: Some(_), .. } => {
                self.object("CASE x WHEN y is not portable: Trino fails on some; write CASE WHEN x = y");
            }
            Expr::IsNull(inner) | Expr::IsNotNull(inner) => self.takes_json(inner),
            Expr::InSubquery { subquery, .. } | Expr::Exists { subquery, .. } | Expr::Subquery(subquery) => {
                self.unname(&subquery.body);
            }
            Expr::BinaryOp { op, .. } => self.operator(op),
            Expr::Like { any, pattern, escape_char, .. } => {
                self.object_if(*any, "LIKE ANY is not portable");
                self.object_if(escape_char.is_some(), "ESCAPE is not portable: use regexp_like or strpos");
                self.like(pattern);
            }
            Expr::ILike { .. } => self.object("ILIKE is not portable: compare lower(x)"),
            Expr::SimilarTo { .. } | Expr::RLike { .. } => self.object("use regexp_like(text, pattern)"),
            Expr::IsTrue(_)
            | Expr::IsNotTrue(_)
            | Expr::IsFalse(_)
            | Expr::IsNotFalse(_)
            | Expr::IsUnknown(_)
            | Expr::IsNotUnknown(_) => {
                self.object("IS TRUE, IS FALSE and IS UNKNOWN are not portable: write x, NOT x or x IS NULL, or COALESCE(x, false)");
            }
            Expr::Cast { kind, data_type, array, format, .. } => {
                match kind {
                    CastKind::Cast | CastKind::TryCast => {}
                    CastKind::DoubleColon => self.object(":: is not portable: write CAST(x AS type)"),
                    CastKind::SafeCast => self.object("SAFE_CAST is not portable: write TRY_CAST(x AS type)"),
                }
                self.object_if(*array || format.is_some(), "CAST takes a value and a type");
                self.data_type(data_type);
            }
            Expr::AtTimeZone { .. } => {
                self.object("AT TIME ZONE is not portable: times are UTC without a zone");
            }
            Expr::Extract { field, syntax, .. } => {
                let known = matches!(
                    field,
                    DateTimeField::Year
                        | DateTimeField::Quarter
                        | DateTimeField::Month
                        | DateTimeField::Day
                        | DateTimeField::Hour
                        | DateTimeField::Minute
                );
                self.object_if(
                    !known,
                    "EXTRACT is portable for YEAR, QUARTER, MONTH, DAY, HOUR and MINUTE only",
                );
                self.object_if(*syntax == ExtractSyntax::Comma, "write EXTRACT(field FROM x)");
            }
            Expr::TypedString(literal) => {
                let known = matches!(literal.data_type.to_string().as_str(), "DATE" | "TIMESTAMP");
                self.object_if(
                    !known || literal.uses_odbc_syntax,
                    "only DATE '…' and TIMESTAMP '…' are portable",
                );
            }
            Expr::Interval(interval) => self.interval(interval),
            Expr::Function(function) => self.function(function),
            _ => self.object("this construct does not run alike on both engines"),
        }
    }

    fn operator(&mut self, operator: &BinaryOperator) {
        match operator {
            BinaryOperator::Plus
            | BinaryOperator::Minus
            | BinaryOperator::Multiply
            | BinaryOperator::Divide
            | BinaryOperator::Modulo
            | BinaryOperator::StringConcat
            | BinaryOperator::Gt
            | BinaryOperator::Lt
            | BinaryOperator::GtEq
            | BinaryOperator::LtEq
            | BinaryOperator::Eq
            | BinaryOperator::NotEq
            | BinaryOperator::And
            | BinaryOperator::Or => {}
            other => self.object(format!("the operator {other} is not portable")),
        }
    }

    /// `_` stands in every role name and matches anything; a backslash escapes on one engine only.
    fn like(&mut self, pattern: &Expr) {
        match pattern {
            Expr::Value(value) => match &value.value {
                Value::SingleQuotedString(text) => {
                    self.object_if(
                        text.contains(['_', '\\']),
                        "LIKE with _ or a backslash does not mean what it seems: use starts_with, strpos or regexp_like",
                    );
                }
                _ => self.object("LIKE takes a text written in the query"),
            },
            _ => self.object(
                "LIKE takes a text written in the query: a value may hold _; use starts_with or regexp_like",
            ),
        }
    }

    fn interval(&mut self, interval: &Interval) {
        let text = matches!(
            interval.value.as_ref(),
            Expr::Value(value) if matches!(
                &value.value,
                Value::SingleQuotedString(text) if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
            ) || matches!(value.value, Value::Placeholder(_))
        );
        let unit = matches!(
            interval.leading_field,
            Some(
                DateTimeField::Year
                    | DateTimeField::Month
                    | DateTimeField::Day
                    | DateTimeField::Hour
                    | DateTimeField::Minute
                    | DateTimeField::Second
            )
        );
        let odd = interval.last_field.is_some()
            || interval.leading_precision.is_some()
            || interval.fractional_seconds_precision.is_some();
        self.object_if(
            !text || !unit || odd,
            "an interval is written INTERVAL '90' DAY: a quoted number and one unit",
        );
    }

    fn data_type(&mut self, data_type: &DataType) {
        let text = data_type.to_string().to_uppercase();
        let (name, precision) =
            text.split_once('(').map_or((text.as_str(), None), |(name, rest)| (name, Some(rest)));
        let known = TYPES.contains(&name.trim());
        let plain = precision.is_none() || matches!(name, "DECIMAL" | "TIMESTAMP");
        let zoned = text.contains("ZONE");
        if !known || !plain || zoned {
            self.object(format!("the type {data_type} is not portable; types are {}", TYPES.join(", ")));
        }
    }

    pub(super) fn value(&mut self, value: &Value) {
        match value {
            Value::Number(_, false) | Value::SingleQuotedString(_) | Value::Boolean(_) | Value::Null => {}
            Value::Placeholder(name) if name.len() > 1 && name.starts_with('$') => {}
            Value::Placeholder(_) => self.object("a parameter is written $name"),
            _ => self.object("text is written 'so', with '' for a quote in it"),
        }
    }
}
