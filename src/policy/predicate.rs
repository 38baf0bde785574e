//! The SQL that a policy file may contain: one expression over the columns of `events`.
//!
//! The subset means the same in DataFusion and in Trino, and nothing outside it passes: no subquery, statement,
//! parameter or comment. So the check is both the portability test and the guard against injection.

use datafusion::sql::sqlparser::ast::{
    BinaryOperator, CastKind, DataType, DuplicateTreatment, Expr, Function, FunctionArg, FunctionArgExpr,
    FunctionArguments, Ident, Spanned as _, TimezoneInfo, UnaryOperator, Value,
};
use datafusion::sql::sqlparser::dialect::GenericDialect;
use datafusion::sql::sqlparser::parser::Parser;
use datafusion::sql::sqlparser::tokenizer::{Location, Token, TokenWithSpan, Tokenizer, Whitespace};

use super::activity::{ACTIVITIES, OUTCOMES, column, literal};
use super::problem::{nearest, quoted};
use super::typing;
use crate::event::column::{COLUMNS, Field};

/// Longer text than this is refused unread.
const LONGEST: usize = 8 * 1024;

/// Functions, with the fewest and the most arguments.
const FUNCTIONS: &[(&str, usize, usize)] = &[
    ("abs", 1, 1),
    ("coalesce", 2, 32),
    ("date_trunc", 2, 2),
    ("json_extract_scalar", 2, 2),
    ("length", 1, 1),
    ("lower", 1, 1),
    ("nullif", 2, 2),
    ("regexp_like", 2, 2),
    ("replace", 3, 3),
    ("split_part", 3, 3),
    ("starts_with", 2, 2),
    ("strpos", 2, 2),
    ("substr", 2, 3),
    ("trim", 1, 1),
    ("upper", 1, 1),
];

/// Aggregates, known in `having` only.
const AGGREGATES: &[&str] = &["count", "max", "min", "sum"];

/// Where in a policy file an expression stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place<'a> {
    /// `match` of a waiver, `when` of a custom rule: a condition on one event.
    Condition,
    /// An element of `group_by`.
    Group,
    /// `having`: a condition on a group, with what it is grouped by.
    Having(&'a [String]),
}

/// What is wrong, at a character of the expression (from 0).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Mistake {
    pub(super) at: usize,
    pub(super) message: String,
    pub(super) help: String,
}

/// Every mistake of an expression; empty when it may run.
pub(super) fn check(sql: &str, place: Place<'_>) -> Vec<Mistake> {
    let mut checker = Checker { sql, mistakes: Vec::new(), place, aggregate: false };
    if sql.trim().is_empty() {
        checker.mistake(Location::empty(), "an expression is empty", "");
    } else if sql.len() > LONGEST {
        checker.mistake(Location::empty(), "an expression is longer than 8 KiB", "");
    } else if let Some(tokens) = checker.tokens() {
        checker.parse(tokens);
    }
    checker.mistakes
}

struct Checker<'a> {
    sql: &'a str,
    mistakes: Vec<Mistake>,
    place: Place<'a>,
    /// Inside an aggregate's argument.
    aggregate: bool,
}

impl Checker<'_> {
    fn mistake(&mut self, at: Location, message: impl Into<String>, help: impl Into<String>) {
        let line = usize::try_from(at.line).unwrap_or(0).saturating_sub(1);
        let column = usize::try_from(at.column).unwrap_or(0).saturating_sub(1);
        let lines: usize = self.sql.split_inclusive('\n').take(line).map(|line| line.chars().count()).sum();
        self.mistakes.push(Mistake { at: lines + column, message: message.into(), help: help.into() });
    }

    fn tokens(&mut self) -> Option<Vec<TokenWithSpan>> {
        let tokens = match Tokenizer::new(&GenericDialect {}, self.sql).tokenize_with_location() {
            Ok(tokens) => tokens,
            Err(error) => {
                self.mistake(error.location, format!("no SQL expression: {}", error.message), "");
                return None;
            }
        };
        for token in &tokens {
            let what = match &token.token {
                Token::SemiColon => "';'",
                Token::Placeholder(_) | Token::Question | Token::AtSign => "a parameter",
                Token::Whitespace(Whitespace::SingleLineComment { .. } | Whitespace::MultiLineComment(_)) => {
                    "a comment"
                }
                // Trino reads none of these, and the text is run as it stands.
                Token::DoubleEq => "'=='",
                Token::Word(word) if word.quote_style.is_none() && postfix(&word.value) => {
                    "ISNULL or NOTNULL"
                }
                _ => continue,
            };
            self.mistake(token.span.start, format!("{what} may not stand in an expression"), "");
        }
        self.mistakes.is_empty().then_some(tokens)
    }

    fn parse(&mut self, tokens: Vec<TokenWithSpan>) {
        let dialect = GenericDialect {};
        let mut parser = Parser::new(&dialect).with_tokens_with_locations(tokens);
        match parser.parse_expr() {
            Ok(expr) => {
                let next = parser.peek_token();
                if next.token != Token::EOF {
                    let text = quoted(&next.token.to_string());
                    self.mistake(next.span.start, format!("the expression ends before {text}"), "");
                    return;
                }
                self.value(&expr);
                if !self.mistakes.is_empty() {
                    return;
                }
                for (at, message, help) in typing::check(&expr, self.place != Place::Group) {
                    self.mistake(at, message, help);
                }
                if self.place == Place::Group && matches!(expr, Expr::Value(_)) {
                    // SQL reads a number here as the position of a column.
                    self.mistake(Location::empty(), "a constant groups nothing", "name a column");
                }
            }
            Err(error) => {
                let text = error.to_string();
                let text = text.strip_prefix("sql parser error: ").unwrap_or(&text);
                let (message, at) = text.rsplit_once(" at Line: ").unwrap_or((text, ""));
                let mut numbers = at.split(", Column: ").map(|number| number.trim().parse().unwrap_or(0));
                let at = Location { line: numbers.next().unwrap_or(0), column: numbers.next().unwrap_or(0) };
                self.mistake(at, format!("no SQL expression: {}", message.escape_debug()), "");
            }
        }
    }

    fn refuse(&mut self, expr: &Expr, what: &str) {
        self.mistake(
            expr.span().start,
            format!("{what} may not stand in an expression: {}", quoted(&short(&expr.to_string()))),
            "use comparisons, AND, OR, NOT, IN, BETWEEN, IS NULL, LIKE, CASE, CAST, arithmetic",
        );
    }

    fn value(&mut self, expr: &Expr) {
        if self.grouped(expr) {
            return;
        }
        match expr {
            Expr::Identifier(name) => self.column(name),
            Expr::Value(value) => match &value.value {
                Value::Number(digits, false) if digits.parse::<i64>().is_ok() => {}
                Value::Number(..) => {
                    self.mistake(value.span.start, "only whole numbers", "compare whole numbers");
                }
                Value::SingleQuotedString(_) | Value::Boolean(_) | Value::Null => {}
                _ => self.refuse(expr, "this kind of literal"),
            },
            Expr::TypedString(typed)
                if matches!(
                    typed.data_type,
                    DataType::Date | DataType::Timestamp(None, TimezoneInfo::None)
                ) => {}
            Expr::Nested(inner) | Expr::IsNull(inner) | Expr::IsNotNull(inner) => self.value(inner),
            Expr::IsDistinctFrom(left, right) | Expr::IsNotDistinctFrom(left, right) => {
                self.value(left);
                self.value(right);
                self.word(left, right);
            }
            Expr::UnaryOp { op: UnaryOperator::Not | UnaryOperator::Minus | UnaryOperator::Plus, expr } => {
                self.value(expr);
            }
            Expr::BinaryOp { left, op, right } => self.operation(expr, left, op, right),
            Expr::InList { expr, list, .. } => {
                self.value(expr);
                for element in list {
                    self.value(element);
                    self.word(expr, element);
                }
            }
            Expr::Between { expr, low, high, .. } => {
                for part in [expr, low, high] {
                    self.value(part);
                }
            }
            Expr::Like { any: false, expr: text, pattern, escape_char, .. } => {
                if escape_char.is_some() {
                    self.refuse(expr, "ESCAPE");
                }
                self.value(text);
                self.like(pattern);
            }
            Expr::Case { operand, conditions, else_result, .. } => {
                operand.iter().chain(else_result).for_each(|part| self.value(part));
                for when in conditions {
                    self.value(&when.condition);
                    self.value(&when.result);
                }
            }
            Expr::Cast { kind: CastKind::Cast, expr: inner, data_type, array: false, format: None } => {
                if !castable(data_type) {
                    self.refuse(expr, "a CAST to this type");
                }
                self.value(inner);
            }
            Expr::Substring {
                expr: text, substring_from: Some(from), substring_for, special: true, ..
            } => {
                self.value(text);
                self.value(from);
                if let Some(count) = substring_for {
                    self.value(count);
                }
            }
            Expr::Trim { trim_where: None, trim_what: None, expr, trim_characters: None } => self.value(expr),
            Expr::Function(function) => self.function(expr, function),
            Expr::Subquery(_) | Expr::InSubquery { .. } | Expr::Exists { .. } => {
                self.refuse(expr, "a subquery");
            }
            Expr::CompoundIdentifier(_) => self.refuse(expr, "a name with a dot"),
            _ => self.refuse(expr, "this construct"),
        }
    }

    /// Whether a condition on a group names what it is grouped by, which was checked there.
    fn grouped(&self, expr: &Expr) -> bool {
        let Place::Having(groups) = self.place else { return false };
        let text = expr.to_string();
        groups.iter().any(|group| group.trim().eq_ignore_ascii_case(&text))
    }

    fn column(&mut self, name: &Ident) {
        let at = name.span.start;
        if name.quote_style.is_some() {
            let help = format!("text stands in single quotes: '{}'", name.value.escape_debug());
            self.mistake(at, format!("a name in quotes: {}", quoted(&name.value)), help);
            return;
        }
        let lower = name.value.to_ascii_lowercase();
        if Field::named(&lower).is_some() {
            if matches!(self.place, Place::Having(_)) && !self.aggregate {
                let message = format!("{lower} differs within a group");
                self.mistake(at, message, "count it, or add it to group_by");
            }
            return;
        }
        let near = column(&lower).or_else(|| nearest(&lower, COLUMNS.iter().map(|column| column.name)));
        let help = near.map_or_else(
            || "the columns are those of the table events".to_owned(),
            |near| format!("did you mean {near}?"),
        );
        self.mistake(at, format!("unknown column {}", quoted(&name.value)), help);
    }

    fn operation(&mut self, expr: &Expr, left: &Expr, op: &BinaryOperator, right: &Expr) {
        use BinaryOperator as Op;
        match op {
            Op::And
            | Op::Or
            | Op::Gt
            | Op::Lt
            | Op::GtEq
            | Op::LtEq
            | Op::Plus
            | Op::Minus
            | Op::Multiply
            | Op::Divide
            | Op::Modulo
            | Op::StringConcat => {}
            Op::Eq | Op::NotEq => {
                self.word(left, right);
                self.word(right, left);
            }
            _ => self.refuse(expr, "this operator"),
        }
        self.value(left);
        self.value(right);
    }

    /// A literal compared with `activity` or `outcome` has to be one of its values, else it never matches.
    fn word(&mut self, left: &Expr, right: &Expr) {
        let (Expr::Identifier(name), Expr::Value(value)) = (left, right) else { return };
        let Value::SingleQuotedString(word) = &value.value else { return };
        let lower = name.value.to_ascii_lowercase();
        let name = column(&lower).unwrap_or(&lower);
        let known = match name {
            "activity" => ACTIVITIES,
            "outcome" => OUTCOMES,
            _ => return,
        };
        if known.contains(&word.as_str()) {
            return;
        }
        let near = literal(name, word).or_else(|| nearest(word, known.iter().copied()));
        let help = near
            .map_or_else(|| format!("one of {}", known.join(", ")), |near| format!("did you mean '{near}'?"));
        self.mistake(value.span.start, format!("{name} is never {}", quoted(word)), help);
    }

    fn like(&mut self, pattern: &Expr) {
        let Expr::Value(value) = pattern else { return self.refuse(pattern, "LIKE with no literal pattern") };
        let Value::SingleQuotedString(text) = &value.value else {
            return self.refuse(pattern, "LIKE with no literal pattern");
        };
        let mut characters = text.chars();
        while let Some(c) = characters.next() {
            let (message, help) = match c {
                '_' => (
                    "in LIKE, _ is any one character, and role names are full of it",
                    "write \\_ for an underscore, or use starts_with or regexp_like",
                ),
                '\\' if !matches!(characters.next(), Some('_' | '%' | '\\')) => {
                    ("in LIKE, a backslash stands before _, % or a backslash only", "")
                }
                _ => continue,
            };
            return self.mistake(value.span.start, message, help);
        }
    }

    fn function(&mut self, expr: &Expr, function: &Function) {
        let name = function.name.to_string().to_ascii_lowercase();
        let aggregate = AGGREGATES.contains(&name.as_str());
        let known = FUNCTIONS.iter().find(|(known, ..)| *known == name);
        if known.is_none() && !aggregate {
            let names = FUNCTIONS.iter().map(|(known, ..)| *known).chain(AGGREGATES.iter().copied());
            let help = match nearest(&name, names.clone()) {
                _ if name == "concat" => "use ||, which is null where a part is".to_owned(),
                Some(near) => format!("did you mean {near}?"),
                None => format!("allowed: {}", names.collect::<Vec<_>>().join(", ")),
            };
            return self.mistake(expr.span().start, format!("unknown function {}", quoted(&name)), help);
        }
        if aggregate && (!matches!(self.place, Place::Having(_)) || self.aggregate) {
            let help = "write the condition on the group as having = \"…\"";
            return self.mistake(
                expr.span().start,
                format!("{name}() counts over a group, not one event"),
                help,
            );
        }
        let FunctionArguments::List(list) = &function.args else { return self.refuse(expr, "this call") };
        let distinct = list.duplicate_treatment.is_some();
        let plain = !function.uses_odbc_syntax
            && function.parameters == FunctionArguments::None
            && function.filter.is_none()
            && function.null_treatment.is_none()
            && function.over.is_none()
            && function.within_group.is_empty()
            && list.clauses.is_empty()
            && (!distinct
                || (name == "count" && list.duplicate_treatment == Some(DuplicateTreatment::Distinct)));
        if !plain {
            return self.refuse(expr, "FILTER, OVER, ORDER BY or DISTINCT");
        }
        let (fewest, most) = known.map_or((1, 1), |(_, fewest, most)| (*fewest, *most));
        if list.args.len() < fewest || list.args.len() > most {
            let wants = if fewest == most { fewest.to_string() } else { format!("{fewest} to {most}") };
            let message = format!("{name}() takes {wants} argument(s), not {}", list.args.len());
            return self.mistake(expr.span().start, message, "");
        }
        self.aggregate |= aggregate;
        for argument in &list.args {
            match argument {
                FunctionArg::Unnamed(FunctionArgExpr::Expr(argument)) => self.value(argument),
                FunctionArg::Unnamed(FunctionArgExpr::Wildcard) if name == "count" && !distinct => {}
                _ => self.refuse(expr, "this argument"),
            }
        }
        self.aggregate &= !aggregate;
        if name == "regexp_like" {
            self.regex(expr, &list.args[1]);
        }
    }

    fn regex(&mut self, call: &Expr, argument: &FunctionArg) {
        let FunctionArg::Unnamed(FunctionArgExpr::Expr(Expr::Value(value))) = argument else {
            return self.refuse(call, "regexp_like with no literal pattern");
        };
        if let Value::SingleQuotedString(pattern) = &value.value
            && regex::Regex::new(pattern).is_err()
        {
            self.mistake(value.span.start, format!("no regular expression: {}", quoted(pattern)), "");
        }
    }
}

fn postfix(word: &str) -> bool {
    ["isnull", "notnull"].contains(&word.to_ascii_lowercase().as_str())
}

fn castable(data_type: &DataType) -> bool {
    matches!(
        data_type,
        DataType::Varchar(None)
            | DataType::BigInt(None)
            | DataType::Int(None)
            | DataType::Integer(None)
            | DataType::Boolean
            | DataType::Date
            | DataType::Timestamp(None, TimezoneInfo::None)
    )
}

/// At most the first 60 characters.
pub(super) fn short(text: &str) -> String {
    match text.char_indices().nth(60) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use datafusion::arrow::array::RecordBatch;
    use datafusion::arrow::datatypes::{DataType, Field, Schema, TimeUnit};

    use super::{COLUMNS, Mistake, Place, check};
    use crate::event::column::Kind;

    fn mistakes(sql: &str, place: Place<'_>) -> String {
        let line = |mistake: Mistake| match mistake.help.as_str() {
            "" => format!("{}: {}", mistake.at, mistake.message),
            help => format!("{}: {} ({help})", mistake.at, mistake.message),
        };
        check(sql, place).into_iter().map(line).collect::<Vec<_>>().join("\n")
    }

    const SUBSET: &[&str] = &[
        "role_arn LIKE 'arn:aws:iam::111122223333:role/legacy-batch%'",
        "Activity IN ('model_invocation', 'batch') AND NOT outcome = 'denied'",
        "event_time >= TIMESTAMP '2026-10-01 00:00:00' AND event_time < CAST('2026-11-01' AS TIMESTAMP)",
        "coalesce(model_id, '') <> '' OR (input_tokens + output_tokens) * 2 > 1000",
        "CASE WHEN mfa THEN 1 ELSE 0 END = 0",
        "input_tokens BETWEEN -1 AND 100 AND person IS NOT NULL",
        "starts_with(role_arn, 'arn:') AND regexp_like(role_name, '^a_b$')",
        "role_name LIKE 'AWSReservedSSO\\_%'",
        "substr(principal, 1, 3) = 'arn' AND trim(client) = 'x' AND split_part(model_id, '.', 1) = 'openai'",
        "json_extract_scalar(request_parameters, '$.modelId') IS NULL",
        "model_requested IS DISTINCT FROM model_id",
        "from_console",
        "CASE WHEN regexp_like(account_id, '^[0-9]+$') THEN CAST(account_id AS BIGINT) = 1 ELSE false END",
        "CAST(input_tokens AS VARCHAR) = '1' OR CAST('2' AS BIGINT) = input_tokens",
        "model_id IS DISTINCT FROM NULL",
    ];

    #[test]
    fn what_is_never_true_or_fails_on_an_event_is_refused() {
        let said = [
            "NULL",
            "(NULL)",
            "principal = NULL",
            "principal = 'a' AND NULL",
            "NOT (model_id <> CAST(NULL AS VARCHAR))",
            "principal IN ('a', NULL)",
            "input_tokens BETWEEN NULL AND 3",
            "CAST(account_id AS INT) = 1",
            "CAST(lower(mantle_project_id) AS DATE) = DATE '2026-01-01'",
        ]
        .map(|sql| format!("{sql}\n  {}", mistakes(sql, Place::Condition)));
        insta::assert_snapshot!(said.join("\n"), @r"
        NULL
          0: NULL is never true (write TRUE or FALSE, or leave it out)
        (NULL)
          1: NULL is never true (write TRUE or FALSE, or leave it out)
        principal = NULL
          12: a comparison with NULL is never true (write IS NULL or IS NOT NULL)
        principal = 'a' AND NULL
          20: NULL is never true (write TRUE or FALSE, or leave it out)
        NOT (model_id <> CAST(NULL AS VARCHAR))
          22: a comparison with NULL is never true (write IS NULL or IS NOT NULL)
        principal IN ('a', NULL)
          19: a comparison with NULL is never true (write IS NULL or IS NOT NULL)
        input_tokens BETWEEN NULL AND 3
          21: a comparison with NULL is never true (write IS NULL or IS NOT NULL)
        CAST(account_id AS INT) = 1
          5: 'account_id' is text, and the run fails where it is not a whole number (compare it with text in quotes, or guard it: CASE WHEN regexp_like(…, '…') THEN CAST(…) = … ELSE FALSE END)
        CAST(lower(mantle_project_id) AS DATE) = DATE '2026-01-01'
          5: 'lower(mantle_project_id)' is text, and the run fails where it is not a day (compare it with text in quotes, or guard it: CASE WHEN regexp_like(…, '…') THEN CAST(…) = … ELSE FALSE END)
        ");
    }

    #[test]
    fn the_subset_passes() {
        for sql in SUBSET {
            assert_eq!(mistakes(sql, Place::Condition), "", "{sql}");
        }
        assert_eq!(mistakes("CAST(date_trunc('day', event_time) AS DATE)", Place::Group), "");
        let groups = ["principal".to_owned(), "length(model_id)".to_owned()];
        for sql in [
            "COUNT(DISTINCT model_id) > 40 AND sum(length(client)) > 1",
            "count(*) >= 3 AND principal <> 'x' AND LENGTH(model_id) > 3",
        ] {
            assert_eq!(mistakes(sql, Place::Having(&groups)), "", "{sql}");
        }
    }

    #[test]
    fn groups_have_their_own_mistakes() {
        assert_eq!(mistakes("1", Place::Group), "0: a constant groups nothing (name a column)");
        let groups = ["principal".to_owned()];
        assert_eq!(
            mistakes("count(*) > 1 AND model_id = 'x'", Place::Having(&groups)),
            "17: model_id differs within a group (count it, or add it to group_by)"
        );
        assert!(mistakes("max(count(*)) > 1", Place::Having(&groups)).contains("counts over a group"));
    }

    /// What passes here has to plan in the engine, too.
    #[test]
    fn the_subset_plans() {
        let context = datafusion::prelude::SessionContext::new();
        let fields: Vec<Field> = COLUMNS
            .iter()
            .map(|column| {
                let kind = match column.kind {
                    Kind::Text => DataType::Utf8View,
                    Kind::Bool => DataType::Boolean,
                    Kind::Int => DataType::Int64,
                    Kind::Time => DataType::Timestamp(TimeUnit::Microsecond, None),
                };
                Field::new(column.name, kind, true)
            })
            .collect();
        let events = RecordBatch::new_empty(Arc::new(Schema::new(fields)));
        context.register_batch("events", events).unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        // The engine floor registers the one function that DataFusion lacks.
        for sql in SUBSET.iter().filter(|sql| !sql.contains("json_extract_scalar")) {
            let query = format!("SELECT event_id FROM events WHERE {sql}");
            let plan = runtime.block_on(async { context.sql(&query).await?.collect().await });
            assert!(plan.is_ok(), "{sql}: {plan:?}");
        }
    }

    #[test]
    fn all_else_is_refused_and_says_why() {
        let cases = [
            "op = 'invoke'",
            "activity = 'invoke' AND outcome IN ('ok', 'success')",
            "role_arn LIKE 'a_b' AND role_nam = 'x'",
            "role_arn LIKE 'a\\b'",
            "role_arn LIKE 'a!_b' ESCAPE '!'",
            "true; DROP TABLE events",
            "principal = $1",
            "principal = ?",
            "true -- and so on",
            "true /* hidden */",
            "principal IN (SELECT principal FROM events)",
            "EXISTS (SELECT 1)",
            "(SELECT 1) = 1",
            "events.principal = 'x'",
            "principal = \"x\"",
            "random() > 1",
            "lenght(principal) = 1",
            "length() = 1",
            "count(*) > 1",
            "input_tokens > 1.5",
            "principal ~ 'x'",
            "principal::int = 1",
            "TRY_CAST(principal AS BIGINT) = 1",
            "CAST(principal AS DOUBLE) = 1",
            "principal ILIKE 'x'",
            "mfa IS TRUE",
            "event_time > now()",
            "event_time AT TIME ZONE 'UTC' = event_time",
            "EXTRACT(hour FROM event_time) = 1",
            "event_time > event_time - INTERVAL '1' DAY",
            "regexp_like(principal, '(')",
            "principal == 'x'",
            "principal NOTNULL",
            "event_time > TIMESTAMP WITH TIME ZONE '2026-01-01 00:00:00Z'",
            "principal IN ()",
            "principal",
            "mfa AND principal",
            "true true",
            "principal =",
            "'open",
            "",
            "lower(principal) OVER ()",
        ];
        let text: Vec<String> = cases
            .iter()
            .map(|sql| format!("{sql}\n  {}", mistakes(sql, Place::Condition).replace('\n', "\n  ")))
            .collect();
        insta::assert_snapshot!(text.join("\n"), @r#"
        op = 'invoke'
          5: activity is never 'invoke' (did you mean 'model_invocation'?)
          0: unknown column 'op' (did you mean activity?)
        activity = 'invoke' AND outcome IN ('ok', 'success')
          11: activity is never 'invoke' (did you mean 'model_invocation'?)
          42: outcome is never 'success' (did you mean 'ok'?)
        role_arn LIKE 'a_b' AND role_nam = 'x'
          14: in LIKE, _ is any one character, and role names are full of it (write \_ for an underscore, or use starts_with or regexp_like)
          24: unknown column 'role_nam' (did you mean role_name?)
        role_arn LIKE 'a\b'
          14: in LIKE, a backslash stands before _, % or a backslash only
        role_arn LIKE 'a!_b' ESCAPE '!'
          0: ESCAPE may not stand in an expression: 'role_arn LIKE 'a!_b' ESCAPE '!'' (use comparisons, AND, OR, NOT, IN, BETWEEN, IS NULL, LIKE, CASE, CAST, arithmetic)
          14: in LIKE, _ is any one character, and role names are full of it (write \_ for an underscore, or use starts_with or regexp_like)
        true; DROP TABLE events
          4: ';' may not stand in an expression
        principal = $1
          12: a parameter may not stand in an expression
        principal = ?
          12: a parameter may not stand in an expression
        true -- and so on
          5: a comment may not stand in an expression
        true /* hidden */
          5: a comment may not stand in an expression
        principal IN (SELECT principal FROM events)
          0: a subquery may not stand in an expression: 'principal IN (SELECT principal FROM events)' (use comparisons, AND, OR, NOT, IN, BETWEEN, IS NULL, LIKE, CASE, CAST, arithmetic)
        EXISTS (SELECT 1)
          8: a subquery may not stand in an expression: 'EXISTS (SELECT 1)' (use comparisons, AND, OR, NOT, IN, BETWEEN, IS NULL, LIKE, CASE, CAST, arithmetic)
        (SELECT 1) = 1
          1: a subquery may not stand in an expression: '(SELECT 1)' (use comparisons, AND, OR, NOT, IN, BETWEEN, IS NULL, LIKE, CASE, CAST, arithmetic)
        events.principal = 'x'
          0: a name with a dot may not stand in an expression: 'events.principal' (use comparisons, AND, OR, NOT, IN, BETWEEN, IS NULL, LIKE, CASE, CAST, arithmetic)
        principal = "x"
          12: a name in quotes: 'x' (text stands in single quotes: 'x')
        random() > 1
          0: unknown function 'random' (allowed: abs, coalesce, date_trunc, json_extract_scalar, length, lower, nullif, regexp_like, replace, split_part, starts_with, strpos, substr, trim, upper, count, max, min, sum)
        lenght(principal) = 1
          0: unknown function 'lenght' (did you mean length?)
        length() = 1
          0: length() takes 1 argument(s), not 0
        count(*) > 1
          0: count() counts over a group, not one event (write the condition on the group as having = "…")
        input_tokens > 1.5
          15: only whole numbers (compare whole numbers)
        principal ~ 'x'
          0: this operator may not stand in an expression: 'principal ~ 'x'' (use comparisons, AND, OR, NOT, IN, BETWEEN, IS NULL, LIKE, CASE, CAST, arithmetic)
        principal::int = 1
          0: this construct may not stand in an expression: 'principal::INT' (use comparisons, AND, OR, NOT, IN, BETWEEN, IS NULL, LIKE, CASE, CAST, arithmetic)
        TRY_CAST(principal AS BIGINT) = 1
          9: this construct may not stand in an expression: 'TRY_CAST(principal AS BIGINT)' (use comparisons, AND, OR, NOT, IN, BETWEEN, IS NULL, LIKE, CASE, CAST, arithmetic)
        CAST(principal AS DOUBLE) = 1
          5: a CAST to this type may not stand in an expression: 'CAST(principal AS DOUBLE)' (use comparisons, AND, OR, NOT, IN, BETWEEN, IS NULL, LIKE, CASE, CAST, arithmetic)
        principal ILIKE 'x'
          0: this construct may not stand in an expression: 'principal ILIKE 'x'' (use comparisons, AND, OR, NOT, IN, BETWEEN, IS NULL, LIKE, CASE, CAST, arithmetic)
        mfa IS TRUE
          0: this construct may not stand in an expression: 'mfa IS TRUE' (use comparisons, AND, OR, NOT, IN, BETWEEN, IS NULL, LIKE, CASE, CAST, arithmetic)
        event_time > now()
          13: unknown function 'now' (allowed: abs, coalesce, date_trunc, json_extract_scalar, length, lower, nullif, regexp_like, replace, split_part, starts_with, strpos, substr, trim, upper, count, max, min, sum)
        event_time AT TIME ZONE 'UTC' = event_time
          0: this construct may not stand in an expression: 'event_time AT TIME ZONE 'UTC'' (use comparisons, AND, OR, NOT, IN, BETWEEN, IS NULL, LIKE, CASE, CAST, arithmetic)
        EXTRACT(hour FROM event_time) = 1
          18: this construct may not stand in an expression: 'EXTRACT(HOUR FROM event_time)' (use comparisons, AND, OR, NOT, IN, BETWEEN, IS NULL, LIKE, CASE, CAST, arithmetic)
        event_time > event_time - INTERVAL '1' DAY
          35: this construct may not stand in an expression: 'INTERVAL '1' DAY' (use comparisons, AND, OR, NOT, IN, BETWEEN, IS NULL, LIKE, CASE, CAST, arithmetic)
        regexp_like(principal, '(')
          23: no regular expression: '('
        principal == 'x'
          10: '==' may not stand in an expression
        principal NOTNULL
          10: ISNULL or NOTNULL may not stand in an expression
        event_time > TIMESTAMP WITH TIME ZONE '2026-01-01 00:00:00Z'
          38: this construct may not stand in an expression: 'TIMESTAMP WITH TIME ZONE '2026-01-01 00:00:00Z'' (use comparisons, AND, OR, NOT, IN, BETWEEN, IS NULL, LIKE, CASE, CAST, arithmetic)
        principal IN ()
          14: no SQL expression: Expected: an expression, found: )
        principal
          0: no condition: 'principal' is neither true nor false (compare it with something)
        mfa AND principal
          8: no condition: 'principal' is neither true nor false (compare it with something)
        true true
          5: the expression ends before 'true'
        principal =
          0: no SQL expression: Expected: an expression, found: EOF
        'open
          0: no SQL expression: Unterminated string literal

          0: an expression is empty
        lower(principal) OVER ()
          0: FILTER, OVER, ORDER BY or DISTINCT may not stand in an expression: 'lower(principal) OVER ()' (use comparisons, AND, OR, NOT, IN, BETWEEN, IS NULL, LIKE, CASE, CAST, arithmetic)
        "#);
    }

    #[test]
    fn a_mistake_on_a_later_line_is_found_there() {
        let sql = "outcome = 'ok'\n  AND modelid = 'x'";
        let mistakes = check(sql, Place::Condition);
        assert_eq!(mistakes[0].at, sql.find("modelid").unwrap());
    }

    #[test]
    fn deep_and_long_expressions_do_not_break() {
        assert!(
            !check(&format!("{}true{}", "(".repeat(2000), ")".repeat(2000)), Place::Condition).is_empty()
        );
        assert!(check(&vec!["mfa"; 900].join(" AND "), Place::Condition).is_empty());
        assert!(!check(&vec!["mfa"; 2000].join(" AND "), Place::Condition).is_empty());
    }
}
