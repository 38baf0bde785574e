//! The types within an expression, held as strictly as Trino holds them: nothing turns into something else unasked.
//!
//! The other engine casts where it can, and fails in the middle of a run where it cannot. What cannot run is told here
//! instead, at its place in the file.

use chrono::{Datelike as _, NaiveDate, NaiveDateTime};
use datafusion::sql::sqlparser::ast::{
    BinaryOperator as Op, DataType, Expr, Function, FunctionArg, FunctionArgExpr, FunctionArguments,
    Spanned as _, UnaryOperator, Value,
};
use datafusion::sql::sqlparser::tokenizer::Location;

use super::predicate::short;
use super::problem::quoted;
use crate::event::column::{Field, Kind};

/// The type of an expression; `Unknown` is NULL, or told already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Type {
    Text,
    Int,
    Bool,
    Time,
    Day,
    Unknown,
}

impl Type {
    fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Int => "a whole number",
            Self::Bool => "true or false",
            Self::Time => "a time",
            Self::Day => "a day",
            Self::Unknown => "unknown",
        }
    }

    fn of(data_type: &DataType) -> Self {
        match data_type {
            DataType::Varchar(_) => Self::Text,
            DataType::BigInt(_) | DataType::Int(_) | DataType::Integer(_) => Self::Int,
            DataType::Boolean => Self::Bool,
            DataType::Date => Self::Day,
            DataType::Timestamp(..) => Self::Time,
            _ => Self::Unknown,
        }
    }

    /// What both are, if they can stand side by side.
    fn with(self, other: Self) -> Option<Self> {
        match (self, other) {
            (Self::Unknown, known) | (known, Self::Unknown) => Some(known),
            (Self::Day | Self::Time, Self::Time) | (Self::Time, Self::Day) => Some(Self::Time),
            (one, two) => (one == two).then_some(one),
        }
    }
}

/// Where types clash: the place, what is wrong, and what to do (may be empty).
pub(super) type Clash = (Location, String, String);

/// Every clash of an expression whose form is right; `condition` where it has to be true or false.
pub(super) fn check(expr: &Expr, condition: bool) -> Vec<Clash> {
    let mut typer = Typer { clashes: Vec::new(), guarded: false };
    if condition {
        typer.condition(expr);
    } else {
        typer.of(expr);
    }
    typer.clashes
}

struct Typer {
    clashes: Vec<Clash>,
    /// Within a branch of CASE, which is worked out only where its condition holds.
    guarded: bool,
}

impl Typer {
    fn clash(&mut self, expr: &Expr, message: String, help: &str) -> Type {
        self.clashes.push((expr.span().start, message, help.to_owned()));
        Type::Unknown
    }

    fn condition(&mut self, expr: &Expr) {
        if null(expr) {
            let help = "write TRUE or FALSE, or leave it out";
            self.clash(expr, "NULL is never true".to_owned(), help);
            return;
        }
        if !matches!(self.of(expr), Type::Bool | Type::Unknown) {
            let message = format!("no condition: {} is neither true nor false", named(expr));
            self.clash(expr, message, "compare it with something");
        }
    }

    /// Values that are compared: with NULL nothing is ever equal, and nothing different.
    fn compared(&mut self, exprs: &[&Expr]) {
        self.alike(exprs);
        if let Some(null) = exprs.iter().find(|expr| null(expr)) {
            let help = "write IS NULL or IS NOT NULL";
            self.clash(null, "a comparison with NULL is never true".to_owned(), help);
        }
    }

    fn expect(&mut self, expr: &Expr, want: Type) {
        let found = self.of(expr);
        if found.with(want) != Some(want) {
            let message = format!("{} is {}, not {}", named(expr), found.name(), want.name());
            self.clash(expr, message, help(found, want));
        }
    }

    /// The one type of several expressions.
    fn alike(&mut self, exprs: &[&Expr]) -> Type {
        let mut all = Type::Unknown;
        let mut first = None;
        for expr in exprs {
            let found = self.of(expr);
            if let Some(both) = all.with(found) {
                if found != Type::Unknown {
                    first = first.or(Some(*expr));
                }
                all = both;
            } else {
                let other = first.map(named).unwrap_or_default();
                let (one, two) = (all.name(), found.name());
                let message = format!("{other} is {one} and {} is {two}", named(expr));
                self.clash(expr, message, help(found, all));
            }
        }
        all
    }

    fn of(&mut self, expr: &Expr) -> Type {
        match expr {
            Expr::Identifier(name) => {
                match Field::named(&name.value.to_ascii_lowercase()).map(|field| field.column().kind) {
                    Some(Kind::Text) => Type::Text,
                    Some(Kind::Int) => Type::Int,
                    Some(Kind::Bool) => Type::Bool,
                    Some(Kind::Time) => Type::Time,
                    None => Type::Unknown,
                }
            }
            Expr::Value(value) => match &value.value {
                Value::Number(..) => Type::Int,
                Value::SingleQuotedString(_) => Type::Text,
                Value::Boolean(_) => Type::Bool,
                _ => Type::Unknown,
            },
            Expr::TypedString(typed) => {
                let kind = Type::of(&typed.data_type);
                match &typed.value.value {
                    Value::SingleQuotedString(text) => self.literal(expr, text, &typed.data_type),
                    _ => kind,
                }
            }
            Expr::Nested(inner) => self.of(inner),
            Expr::IsNull(inner) | Expr::IsNotNull(inner) => {
                self.of(inner);
                Type::Bool
            }
            Expr::IsDistinctFrom(left, right) | Expr::IsNotDistinctFrom(left, right) => {
                self.alike(&[left, right]);
                Type::Bool
            }
            Expr::UnaryOp { op: UnaryOperator::Not, expr } => {
                self.condition(expr);
                Type::Bool
            }
            Expr::UnaryOp { expr, .. } => {
                self.expect(expr, Type::Int);
                Type::Int
            }
            Expr::BinaryOp { left, op, right } => self.operation(left, op, right),
            Expr::InList { expr, list, .. } => {
                let all: Vec<&Expr> = std::iter::once(&**expr).chain(list).collect();
                self.compared(&all);
                Type::Bool
            }
            Expr::Between { expr, low, high, .. } => {
                self.compared(&[expr, low, high]);
                Type::Bool
            }
            Expr::Like { expr, .. } => {
                self.expect(expr, Type::Text);
                Type::Bool
            }
            Expr::Case { operand, conditions, else_result, .. } => {
                match operand {
                    Some(operand) => {
                        let all: Vec<&Expr> = std::iter::once(&**operand)
                            .chain(conditions.iter().map(|when| &when.condition))
                            .collect();
                        self.alike(&all);
                    }
                    None => conditions.iter().for_each(|when| self.condition(&when.condition)),
                }
                let results: Vec<&Expr> =
                    conditions.iter().map(|when| &when.result).chain(else_result.as_deref()).collect();
                let guarded = std::mem::replace(&mut self.guarded, true);
                let all = self.alike(&results);
                self.guarded = guarded;
                all
            }
            Expr::Cast { expr: inner, data_type, .. } => self.cast(expr, inner, data_type),
            Expr::Substring { expr, substring_from, substring_for, .. } => {
                self.expect(expr, Type::Text);
                for number in substring_from.iter().chain(substring_for) {
                    self.expect(number, Type::Int);
                }
                Type::Text
            }
            Expr::Trim { expr, .. } => {
                self.expect(expr, Type::Text);
                Type::Text
            }
            Expr::Function(function) => self.function(expr, function),
            _ => Type::Unknown,
        }
    }

    fn operation(&mut self, left: &Expr, op: &Op, right: &Expr) -> Type {
        match op {
            Op::And | Op::Or => {
                self.condition(left);
                self.condition(right);
                Type::Bool
            }
            Op::Plus | Op::Minus | Op::Multiply | Op::Divide | Op::Modulo => {
                self.expect(left, Type::Int);
                self.expect(right, Type::Int);
                if matches!(op, Op::Divide | Op::Modulo) && zero(right) {
                    self.clash(right, "a division by zero".to_owned(), "");
                }
                Type::Int
            }
            Op::StringConcat => {
                self.expect(left, Type::Text);
                self.expect(right, Type::Text);
                Type::Text
            }
            _ => {
                self.compared(&[left, right]);
                Type::Bool
            }
        }
    }

    fn cast(&mut self, expr: &Expr, inner: &Expr, data_type: &DataType) -> Type {
        if let Expr::Value(value) = inner
            && let Value::SingleQuotedString(text) = &value.value
        {
            return self.literal(expr, text, data_type);
        }
        let (from, to) = (self.of(inner), Type::of(data_type));
        if from == Type::Text && to != Type::Text && !self.guarded {
            let message =
                format!("{} is text, and the run fails where it is not {}", named(inner), to.name());
            let help = "compare it with text in quotes, or guard it: \
                        CASE WHEN regexp_like(…, '…') THEN CAST(…) = … ELSE FALSE END";
            self.clash(expr, message, help);
            return to;
        }
        let good = match from {
            Type::Unknown | Type::Text => true,
            Type::Int | Type::Bool => matches!(to, Type::Int | Type::Bool | Type::Text),
            Type::Time | Type::Day => matches!(to, Type::Time | Type::Day | Type::Text),
        };
        if !good {
            return self.clash(
                expr,
                format!("{} is {} and never {}", named(inner), from.name(), to.name()),
                "",
            );
        }
        to
    }

    /// Text that stands for a value of another type.
    fn literal(&mut self, expr: &Expr, text: &str, data_type: &DataType) -> Type {
        let kind = Type::of(data_type);
        let (good, help) = match data_type {
            DataType::BigInt(_) => (text.parse::<i64>().is_ok(), "write digits"),
            DataType::Int(_) | DataType::Integer(_) => (text.parse::<i32>().is_ok(), "write digits"),
            DataType::Boolean => (matches!(text, "true" | "false"), "write true or false"),
            DataType::Date => (day(text), "write '2026-12-31'"),
            DataType::Timestamp(..) => (time(text), "write '2026-12-31 23:59:59'"),
            _ => (true, ""),
        };
        if good {
            kind
        } else {
            self.clash(expr, format!("{} is not {}", quoted(&short(text)), kind.name()), help)
        }
    }

    fn function(&mut self, call: &Expr, function: &Function) -> Type {
        use Type::{Bool, Int, Text, Time};
        let FunctionArguments::List(list) = &function.args else { return Type::Unknown };
        let arguments: Vec<&Expr> = list
            .args
            .iter()
            .filter_map(|argument| match argument {
                FunctionArg::Unnamed(FunctionArgExpr::Expr(argument)) => Some(argument),
                _ => None,
            })
            .collect();
        let name = function.name.to_string().to_ascii_lowercase();
        let (takes, gives): (&[Type], Type) = match name.as_str() {
            "coalesce" | "nullif" | "min" | "max" => return self.alike(&arguments),
            "count" => {
                for argument in &arguments {
                    self.of(argument);
                }
                return Int;
            }
            "abs" | "sum" => (&[Int], Int),
            "date_trunc" => (&[Text, Time], Time),
            "length" => (&[Text], Int),
            "strpos" => (&[Text, Text], Int),
            "regexp_like" | "starts_with" => (&[Text, Text], Bool),
            "split_part" => (&[Text, Text, Int], Text),
            "substr" => (&[Text, Int, Int], Text),
            _ => (&[Text, Text, Text], Text),
        };
        for (argument, want) in arguments.iter().zip(takes) {
            self.expect(argument, *want);
        }
        if let ("date_trunc" | "json_extract_scalar", Some(first), Some(second)) =
            (name.as_str(), arguments.first(), arguments.get(1))
        {
            let (argument, good, help): (&Expr, fn(&str) -> bool, &str) = if name == "date_trunc" {
                (first, unit, "one of 'second', 'minute', 'hour', 'day', 'week', 'month', 'quarter', 'year'")
            } else {
                (second, path, "paths look like $.a.b, $[\"a.b\"] and $.a[0]")
            };
            let text = match argument {
                Expr::Value(value) => match &value.value {
                    Value::SingleQuotedString(text) => Some(text.as_str()),
                    _ => None,
                },
                _ => None,
            };
            if !text.is_some_and(good) {
                return self.clash(call, format!("{name}() does not take {}", named(argument)), help);
            }
        }
        gives
    }
}

fn named(expr: &Expr) -> String {
    let text = expr.to_string();
    // What stands in quotes already needs no more of them.
    if text.starts_with('\'') {
        short(&text).escape_debug().to_string().replace("\\'", "'")
    } else {
        quoted(&short(&text))
    }
}

fn help(found: Type, want: Type) -> &'static str {
    match (found, want) {
        (Type::Text, Type::Time | Type::Day) | (Type::Time | Type::Day, Type::Text) => {
            "write a time as TIMESTAMP '2026-12-31 23:59:59'"
        }
        (Type::Int, Type::Text) => "write text in single quotes",
        (Type::Text, Type::Int) => "write a number without quotes, or CAST(… AS BIGINT)",
        _ => "",
    }
}

/// Whether an expression is NULL as it is written.
fn null(expr: &Expr) -> bool {
    match expr {
        Expr::Nested(inner) | Expr::Cast { expr: inner, .. } => null(inner),
        Expr::Value(value) => matches!(value.value, Value::Null),
        _ => false,
    }
}

fn zero(expr: &Expr) -> bool {
    match expr {
        Expr::Nested(inner) | Expr::UnaryOp { expr: inner, .. } => zero(inner),
        Expr::Value(value) => {
            matches!(&value.value, Value::Number(digits, _) if digits.parse() == Ok(0_i64))
        }
        _ => false,
    }
}

/// The years that both engines can hold to the nanosecond.
fn year(day: NaiveDate) -> bool {
    (1970..2262).contains(&day.year())
}

fn day(text: &str) -> bool {
    text.len() == 10 && NaiveDate::parse_from_str(text, "%Y-%m-%d").is_ok_and(year)
}

fn time(text: &str) -> bool {
    day(text)
        || (text.len() <= 26
            && text.get(..10).is_some_and(day)
            && text.as_bytes().get(10) == Some(&b' ')
            && NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S%.f").is_ok())
}

fn unit(text: &str) -> bool {
    ["second", "minute", "hour", "day", "week", "month", "quarter", "year"].contains(&text)
}

/// Whether it is a path as `json_extract_scalar` reads it.
fn path(text: &str) -> bool {
    let form = r#"\A\$(?:\.[\p{Alphabetic}\p{N}_\-:$@/]+|\["(?:[^"\\]|\\.)*"\]|\[[0-9]+\])*\z"#;
    regex::Regex::new(form).is_ok_and(|form| form.is_match(text))
}

#[cfg(test)]
mod tests {
    use datafusion::sql::sqlparser::dialect::GenericDialect;
    use datafusion::sql::sqlparser::parser::Parser;

    use super::*;

    fn told(sql: &str) -> String {
        let expr = Parser::new(&GenericDialect {}).try_with_sql(sql).unwrap().parse_expr().unwrap();
        let line = |(at, message, help): Clash| match help.as_str() {
            "" => format!("{}: {message}", at.column),
            help => format!("{}: {message} ({help})", at.column),
        };
        check(&expr, true).into_iter().map(line).collect::<Vec<_>>().join("; ")
    }

    #[test]
    fn nothing_turns_into_something_else_unasked() {
        let cases = [
            "principal = 5",
            "input_tokens = '5'",
            "mfa = 'true'",
            "event_time > '2026-10-01'",
            "principal IN ('a', 5, 'b', true)",
            "input_tokens BETWEEN 1 AND 'x'",
            "principal / 2 = 1",
            "input_tokens / 0 = 1",
            "input_tokens % (-0) = 1",
            "-principal = 1",
            "principal || 5 = 'x'",
            "input_tokens LIKE '5%'",
            "(principal AND mfa) = true",
            "NOT principal",
            "principal",
            "CASE WHEN principal THEN 1 ELSE 0 END = 1",
            "CASE principal WHEN 5 THEN 1 ELSE 'x' END = 1",
            "CAST('abc' AS BIGINT) = 1",
            "CAST('3000000000' AS INT) = 1",
            "CAST('yes' AS BOOLEAN)",
            "CAST(input_tokens AS DATE) = DATE '2026-01-01'",
            "CAST(event_time AS BIGINT) = 1",
            "event_time > DATE '2026-13-01'",
            "event_time > TIMESTAMP '2026-10-01T00:00'",
            "event_time > CAST('soon' AS TIMESTAMP)",
            "event_time > TIMESTAMP '9999-12-31 00:00:00'",
            "date_trunc('fortnight', event_time) = event_time",
            "date_trunc(principal, event_time) = event_time",
            "json_extract_scalar(request_parameters, 'modelId') = 'x'",
            "length(input_tokens) = 1",
            "split_part(principal, '/', 'x') = 'y'",
            "coalesce(principal, 0) = 'x'",
            "coalesce(principal, 'x')",
            "starts_with(5, 'x')",
            "trim(mfa) = 'x'",
            "sum(principal) > 1",
        ];
        let text: Vec<String> = cases.iter().map(|sql| format!("{sql}\n  {}", told(sql))).collect();
        insta::assert_snapshot!(text.join("\n"), @r#"
        principal = 5
          13: 'principal' is text and '5' is a whole number (write text in single quotes)
        input_tokens = '5'
          16: 'input_tokens' is a whole number and '5' is text (write a number without quotes, or CAST(… AS BIGINT))
        mfa = 'true'
          7: 'mfa' is true or false and 'true' is text
        event_time > '2026-10-01'
          14: 'event_time' is a time and '2026-10-01' is text (write a time as TIMESTAMP '2026-12-31 23:59:59')
        principal IN ('a', 5, 'b', true)
          20: 'principal' is text and '5' is a whole number (write text in single quotes); 28: 'principal' is text and 'true' is true or false
        input_tokens BETWEEN 1 AND 'x'
          28: 'input_tokens' is a whole number and 'x' is text (write a number without quotes, or CAST(… AS BIGINT))
        principal / 2 = 1
          1: 'principal' is text, not a whole number (write a number without quotes, or CAST(… AS BIGINT))
        input_tokens / 0 = 1
          16: a division by zero
        input_tokens % (-0) = 1
          18: a division by zero
        -principal = 1
          2: 'principal' is text, not a whole number (write a number without quotes, or CAST(… AS BIGINT))
        principal || 5 = 'x'
          14: '5' is a whole number, not text (write text in single quotes)
        input_tokens LIKE '5%'
          1: 'input_tokens' is a whole number, not text (write text in single quotes)
        (principal AND mfa) = true
          2: no condition: 'principal' is neither true nor false (compare it with something)
        NOT principal
          5: no condition: 'principal' is neither true nor false (compare it with something)
        principal
          1: no condition: 'principal' is neither true nor false (compare it with something)
        CASE WHEN principal THEN 1 ELSE 0 END = 1
          11: no condition: 'principal' is neither true nor false (compare it with something)
        CASE principal WHEN 5 THEN 1 ELSE 'x' END = 1
          21: 'principal' is text and '5' is a whole number (write text in single quotes); 35: '1' is a whole number and 'x' is text (write a number without quotes, or CAST(… AS BIGINT))
        CAST('abc' AS BIGINT) = 1
          6: 'abc' is not a whole number (write digits)
        CAST('3000000000' AS INT) = 1
          6: '3000000000' is not a whole number (write digits)
        CAST('yes' AS BOOLEAN)
          6: 'yes' is not true or false (write true or false)
        CAST(input_tokens AS DATE) = DATE '2026-01-01'
          6: 'input_tokens' is a whole number and never a day
        CAST(event_time AS BIGINT) = 1
          6: 'event_time' is a time and never a whole number
        event_time > DATE '2026-13-01'
          19: '2026-13-01' is not a day (write '2026-12-31')
        event_time > TIMESTAMP '2026-10-01T00:00'
          24: '2026-10-01T00:00' is not a time (write '2026-12-31 23:59:59')
        event_time > CAST('soon' AS TIMESTAMP)
          19: 'soon' is not a time (write '2026-12-31 23:59:59')
        event_time > TIMESTAMP '9999-12-31 00:00:00'
          24: '9999-12-31 00:00:00' is not a time (write '2026-12-31 23:59:59')
        date_trunc('fortnight', event_time) = event_time
          1: date_trunc() does not take 'fortnight' (one of 'second', 'minute', 'hour', 'day', 'week', 'month', 'quarter', 'year')
        date_trunc(principal, event_time) = event_time
          1: date_trunc() does not take 'principal' (one of 'second', 'minute', 'hour', 'day', 'week', 'month', 'quarter', 'year')
        json_extract_scalar(request_parameters, 'modelId') = 'x'
          1: json_extract_scalar() does not take 'modelId' (paths look like $.a.b, $["a.b"] and $.a[0])
        length(input_tokens) = 1
          8: 'input_tokens' is a whole number, not text (write text in single quotes)
        split_part(principal, '/', 'x') = 'y'
          28: 'x' is text, not a whole number (write a number without quotes, or CAST(… AS BIGINT))
        coalesce(principal, 0) = 'x'
          21: 'principal' is text and '0' is a whole number (write text in single quotes)
        coalesce(principal, 'x')
          1: no condition: 'coalesce(principal, 'x')' is neither true nor false (compare it with something)
        starts_with(5, 'x')
          13: '5' is a whole number, not text (write text in single quotes)
        trim(mfa) = 'x'
          6: 'mfa' is true or false, not text
        sum(principal) > 1
          5: 'principal' is text, not a whole number (write a number without quotes, or CAST(… AS BIGINT))
        "#);
    }

    #[test]
    fn what_fits_passes() {
        for sql in [
            "principal IS NULL OR coalesce(NULL, principal) = 'x'",
            "event_time >= DATE '2026-10-01' AND event_time < CAST('2026-11-01' AS TIMESTAMP)",
            "event_time < TIMESTAMP '2026-10-01 10:00:00.123456'",
            "CAST(input_tokens AS VARCHAR) || 'x' = 'y' AND input_tokens > -1",
            "CASE WHEN mfa THEN 1 ELSE NULL END = 1 AND mfa = from_console",
            "json_extract_scalar(request_parameters, '$.a[\"b.c\"][0]') IS NULL",
            "CAST(date_trunc('day', event_time) AS DATE) IN (DATE '2026-01-01', TIMESTAMP '2026-01-01 00:00:00')",
            "substr(principal, 1, input_tokens) IS NOT NULL AND abs(input_tokens) % 2 = 0",
            "count(*) > 1 AND min(principal) = 'x' AND sum(length(client)) > 1",
        ] {
            assert_eq!(told(sql), "", "{sql}");
        }
    }
}
