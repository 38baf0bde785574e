//! Parameters of rules: typed values that take the place of `$name` in the parsed SQL, as literals.
//!
//! This is the only substitution there is. Text is quoted for both engines alike: quotes are doubled, and
//! nothing else has a meaning inside them.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{
    DataType, Expr, Query, Statement, TimezoneInfo, TypedString, Value as Literal, ValueWithSpan, VisitMut,
    VisitorMut,
};
use datafusion::sql::sqlparser::dialect::GenericDialect;
use datafusion::sql::sqlparser::parser::{Parser, ParserError, ParserOptions};
use serde::Deserialize;

use crate::{clock, query_file};

/// The largest whole number: so many days are still a time that can be reckoned with.
const MOST: i64 = 10_000_000;

/// The type of a parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Type {
    /// A whole number.
    Int,
    /// Text.
    Text,
    /// A time, UTC where it names no zone.
    Timestamp,
    /// Texts, or whole numbers; it may stand inside `IN (…)` only.
    List,
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Int => "int",
            Self::Text => "text",
            Self::Timestamp => "timestamp",
            Self::List => "list",
        })
    }
}

/// A value of such a type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// A whole number.
    Int(i64),
    /// Text.
    Text(String),
    /// Microseconds since the epoch, UTC.
    Timestamp(i64),
    /// Texts, or whole numbers.
    List(Vec<Value>),
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Int(number) => write!(f, "{number}"),
            Self::Text(text) => write!(f, "{text:?}"),
            Self::Timestamp(micros) => f.write_str(&clock::format_micros(*micros)),
            Self::List(list) => {
                let items: Vec<String> = list.iter().map(Self::to_string).collect();
                write!(f, "[{}]", items.join(", "))
            }
        }
    }
}

/// One parameter of a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parameter {
    /// Its name, without the `$`.
    pub name: String,
    /// Its type.
    pub r#type: Type,
    /// Its value where the policy gives none.
    pub default: Value,
    /// What it says.
    pub meaning: String,
}

/// A parameter or its value does not fit.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The SQL cannot be parsed.
    #[error("the SQL cannot be parsed: {0}")]
    Sql(String),
    /// The file holds something else than one SELECT.
    #[error("the file must hold one SELECT and nothing else")]
    NotOneSelect,
    /// A parameter's name.
    #[error("parameter `{0}`: a name is lower-case letters, digits and `_`, a letter first")]
    Name(String),
    /// A value of another type.
    #[error("parameter `{name}` takes {expected}, not {found}")]
    Mismatch {
        /// The parameter.
        name: String,
        /// What it takes.
        expected: &'static str,
        /// What was given.
        found: String,
    },
    /// A whole number that no count and no stretch of time has.
    #[error("parameter `{name}` takes a whole number from 0 to {MOST}, not {found}")]
    Range {
        /// The parameter.
        name: String,
        /// What was given.
        found: i64,
    },
    /// The policy sets a parameter that the rule does not have.
    #[error("there is no parameter `{name}`: the rule has {known}")]
    Unknown {
        /// The name given.
        name: String,
        /// The rule's parameters.
        known: String,
    },
    /// The SQL names a parameter that the header does not.
    #[error("`${0}` in the SQL has no [parameters.{0}] in the header")]
    Undeclared(String),
    /// The header names a parameter that the SQL does not.
    #[error("parameter `{0}` is nowhere in the SQL")]
    Unused(String),
    /// A list outside `IN (…)`.
    #[error("`${0}` is a list: it may stand inside IN (…) only")]
    ListOutsideIn(String),
    /// An interval of something else than a whole number.
    #[error("INTERVAL `{0}` takes a parameter of type int")]
    Interval(String),
    /// Another engine's way to write a placeholder, or a placeholder where no value can stand.
    #[error("`{0}` cannot stand there: a parameter is written $name, in the place of a value")]
    Placeholder(String),
}

impl Parameter {
    /// A parameter with a default that fits its type.
    pub fn new(name: String, r#type: Type, default: &toml::Value, meaning: String) -> Result<Self, Error> {
        let sound =
            name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_');
        if !sound || !name.starts_with(|c: char| c.is_ascii_lowercase()) {
            return Err(Error::Name(name));
        }
        let default = typed(&name, r#type, default)?;
        Ok(Self { name, r#type, default, meaning })
    }
}

/// The value of every parameter: the policy's, checked against the type, else the default.
pub fn values(
    parameters: &[Parameter],
    overrides: &BTreeMap<String, toml::Value>,
) -> Result<BTreeMap<String, Value>, Error> {
    if let Some(name) = overrides.keys().find(|name| parameters.iter().all(|one| one.name != **name)) {
        let names: Vec<&str> = parameters.iter().map(|parameter| parameter.name.as_str()).collect();
        let known = match (query_file::nearest(name, names.iter().copied()), names.as_slice()) {
            (_, []) => "none".to_owned(),
            (Some(near), _) => format!("{}; did you mean `{near}`?", names.join(", ")),
            (None, _) => names.join(", "),
        };
        return Err(Error::Unknown { name: name.clone(), known });
    }
    parameters
        .iter()
        .map(|parameter| {
            let value = match overrides.get(&parameter.name) {
                Some(given) => typed(&parameter.name, parameter.r#type, given)?,
                None => parameter.default.clone(),
            };
            Ok((parameter.name.clone(), value))
        })
        .collect()
}

fn typed(name: &str, r#type: Type, given: &toml::Value) -> Result<Value, Error> {
    let mismatch = || Error::Mismatch {
        name: name.to_owned(),
        expected: match r#type {
            Type::Int => "a whole number",
            Type::Text => "a text",
            Type::Timestamp => "a time",
            Type::List => "a list of texts or of whole numbers",
        },
        found: shown(given),
    };
    let value = match (r#type, given) {
        (Type::Int, toml::Value::Integer(number)) if (0..=MOST).contains(number) => Value::Int(*number),
        (Type::Int, toml::Value::Integer(number)) => {
            return Err(Error::Range { name: name.to_owned(), found: *number });
        }
        (Type::Text, toml::Value::String(text)) => Value::Text(text.clone()),
        (Type::Timestamp, toml::Value::Datetime(time)) => {
            Value::Timestamp(clock::parse_absolute(&time.to_string()).ok_or_else(mismatch)?)
        }
        (Type::Timestamp, toml::Value::String(text)) => {
            Value::Timestamp(clock::parse_absolute(text).ok_or_else(mismatch)?)
        }
        (Type::List, toml::Value::Array(items)) => {
            let of = if items.iter().all(toml::Value::is_integer) { Type::Int } else { Type::Text };
            let list = items.iter().map(|item| typed(name, of, item).map_err(|_| mismatch()));
            Value::List(list.collect::<Result<_, _>>()?)
        }
        _ => return Err(mismatch()),
    };
    Ok(value)
}

fn shown(value: &toml::Value) -> String {
    match value {
        toml::Value::String(text) => format!("{text:?}"),
        toml::Value::Integer(number) => number.to_string(),
        toml::Value::Float(number) => number.to_string(),
        toml::Value::Boolean(answer) => answer.to_string(),
        toml::Value::Datetime(time) => time.to_string(),
        toml::Value::Array(items) => {
            let items: Vec<String> = items.iter().map(shown).collect();
            format!("[{}]", items.join(", "))
        }
        toml::Value::Table(_) => "a table".to_owned(),
    }
}

/// The SQL with each `$name` replaced by its value. Every value must be used, and every `$name` have one.
pub fn render(sql: &str, values: &BTreeMap<String, Value>) -> Result<String, Error> {
    fill(sql, values).map(|query| query.to_string())
}

/// The same as a tree.
pub(super) fn fill(sql: &str, values: &BTreeMap<String, Value>) -> Result<Box<Query>, Error> {
    let mut statements = parser(sql)
        .and_then(|mut parser| parser.parse_statements())
        .map_err(|error| Error::Sql(message(error)))?;
    let (Some(Statement::Query(mut query)), true) = (statements.pop(), statements.is_empty()) else {
        return Err(Error::NotOneSelect);
    };
    let mut replace = Replace { values, used: BTreeSet::new() };
    if let ControlFlow::Break(error) = query.visit(&mut replace) {
        return Err(error);
    }
    match values.keys().find(|name| !replace.used.contains(name.as_str())) {
        Some(name) => Err(Error::Unused(name.clone())),
        None => Ok(query),
    }
}

/// A parser that keeps text literals as they are written. sqlparser prints text without knowing whether its
/// quotes are doubled already, and guesses wrongly for text like `\'` or `''`: so all text in the tree is
/// doubled, which it prints unchanged.
pub(super) fn parser(sql: &str) -> Result<Parser<'static>, ParserError> {
    Parser::new(&GenericDialect {}).with_options(ParserOptions::new().with_unescape(false)).try_with_sql(sql)
}

pub(super) fn message(error: ParserError) -> String {
    match error {
        ParserError::TokenizerError(text) | ParserError::ParserError(text) => text,
        ParserError::RecursionLimitExceeded => "it is nested too deeply".to_owned(),
    }
}

/// A value as it is written in SQL, a list without its parentheses.
pub(super) fn written(value: &Value) -> String {
    match value {
        Value::List(all) => {
            all.iter().map(|one| literal(one.clone()).to_string()).collect::<Vec<_>>().join(", ")
        }
        one => literal(one.clone()).to_string(),
    }
}

/// A time as the literal both engines read: `2026-10-01 00:00:00.000000`.
pub(super) fn timestamp_text(micros: i64) -> String {
    clock::format_micros(micros).replace('T', " ").trim_end_matches('Z').to_owned()
}

struct Replace<'a> {
    values: &'a BTreeMap<String, Value>,
    used: BTreeSet<String>,
}

impl Replace<'_> {
    /// The value for an expression that is a placeholder, none for any other.
    fn value(&mut self, expr: &Expr) -> Option<Result<Value, Error>> {
        let Expr::Value(ValueWithSpan { value: Literal::Placeholder(text), .. }) = expr else { return None };
        let Some(name) = text.strip_prefix('$') else { return Some(Err(Error::Placeholder(text.clone()))) };
        self.used.insert(name.to_owned());
        Some(self.values.get(name).cloned().ok_or_else(|| Error::Undeclared(name.to_owned())))
    }

    fn replace(&mut self, expr: &mut Expr) -> Result<(), Error> {
        match expr {
            Expr::InList { list, negated, .. } => {
                let mut filled = Vec::with_capacity(list.len());
                for item in list.drain(..) {
                    match self.value(&item).transpose()? {
                        Some(Value::List(values)) => filled.extend(values.into_iter().map(literal)),
                        Some(value) => filled.push(literal(value)),
                        None => filled.push(item),
                    }
                }
                *list = filled;
                if list.is_empty() {
                    // `IN ()` is no SQL; nothing is in an empty list.
                    *expr = Expr::Value(Literal::Boolean(*negated).with_empty_span());
                }
            }
            Expr::Interval(interval) => {
                // Trino takes an interval's number as text only.
                match self.value(&interval.value).transpose()? {
                    Some(Value::Int(number)) => *interval.value = text(&number.to_string()),
                    Some(_) => return Err(Error::Interval(interval.value.to_string())),
                    None => {}
                }
            }
            Expr::Value(ValueWithSpan { value: Literal::Placeholder(name), .. }) => {
                let name = name.trim_start_matches('$').to_owned();
                match self.value(expr).transpose()? {
                    Some(Value::List(_)) => return Err(Error::ListOutsideIn(name)),
                    Some(value) => *expr = literal(value),
                    None => {}
                }
            }
            _ => {}
        }
        Ok(())
    }
}

impl VisitorMut for Replace<'_> {
    type Break = Error;

    fn pre_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<Error> {
        match self.replace(expr) {
            Ok(()) => ControlFlow::Continue(()),
            Err(error) => ControlFlow::Break(error),
        }
    }

    fn pre_visit_value(&mut self, value: &mut ValueWithSpan) -> ControlFlow<Error> {
        match &value.value {
            Literal::Placeholder(text) => ControlFlow::Break(Error::Placeholder(text.clone())),
            _ => ControlFlow::Continue(()),
        }
    }
}

fn text(text: &str) -> Expr {
    Expr::Value(Literal::SingleQuotedString(text.replace('\'', "''")).with_empty_span())
}

fn literal(value: Value) -> Expr {
    match value {
        // A bare minus after another one would open a comment.
        Value::Int(number) if number < 0 => {
            Expr::Nested(Box::new(Expr::Value(Literal::Number(number.to_string(), false).with_empty_span())))
        }
        Value::Int(number) => Expr::Value(Literal::Number(number.to_string(), false).with_empty_span()),
        Value::Text(value) => text(&value),
        Value::Timestamp(micros) => Expr::TypedString(TypedString {
            data_type: DataType::Timestamp(None, TimezoneInfo::None),
            value: Literal::SingleQuotedString(timestamp_text(micros)).with_empty_span(),
            uses_odbc_syntax: false,
        }),
        Value::List(values) => Expr::Tuple(values.into_iter().map(literal).collect()),
    }
}

#[cfg(test)]
mod tests {
    use arrow::array::cast::AsArray;
    use arrow::array::types::Int64Type;
    use datafusion::prelude::SessionContext;
    use proptest::prelude::*;

    use super::*;

    fn given(toml: &str) -> BTreeMap<String, toml::Value> {
        toml::from_str(toml).unwrap()
    }

    fn declared(toml: &str, r#type: Type) -> Parameter {
        Parameter::new("p".to_owned(), r#type, &given(toml)["p"], "m".to_owned()).unwrap()
    }

    fn rendered(sql: &str, value: Value) -> String {
        render(sql, &BTreeMap::from([("p".to_owned(), value)])).unwrap_or_else(|error| error.to_string())
    }

    fn words(words: &[&str]) -> Value {
        Value::List(words.iter().map(|word| Value::Text((*word).to_owned())).collect())
    }

    #[test]
    fn values_become_literals() {
        let said = [
            rendered("SELECT a FROM t WHERE b = $p", Value::Text("it's".to_owned())),
            rendered("SELECT a FROM t WHERE b = $p", Value::Int(7)),
            rendered("SELECT a - $p, -$p FROM t", Value::Int(-7)),
            rendered("SELECT a FROM t WHERE b < $p", Value::Timestamp(1_790_000_000_250_000)),
            rendered("SELECT a FROM t WHERE b IN ($p)", words(&["x", "y'z"])),
            rendered("SELECT a FROM t WHERE b IN ('k', $p)", words(&["x"])),
            rendered("SELECT a FROM t WHERE b IN ($p)", words(&[])),
            rendered("SELECT a FROM t WHERE b NOT IN ($p)", words(&[])),
            rendered("SELECT a FROM t WHERE c > b - INTERVAL $p MINUTE", Value::Int(30)),
            rendered(
                "SELECT COUNT(a) OVER (ORDER BY b RANGE BETWEEN INTERVAL $p HOUR PRECEDING AND CURRENT ROW) FROM t",
                Value::Int(2),
            ),
            rendered("SELECT 'it''s', '\\', 'a\\''b', '$p' FROM t LIMIT $p", Value::Int(1)),
        ];
        insta::assert_snapshot!(said.join("\n"), @r"
        SELECT a FROM t WHERE b = 'it''s'
        SELECT a FROM t WHERE b = 7
        SELECT a - (-7), -(-7) FROM t
        SELECT a FROM t WHERE b < TIMESTAMP '2026-09-21 14:13:20.250'
        SELECT a FROM t WHERE b IN ('x', 'y''z')
        SELECT a FROM t WHERE b IN ('k', 'x')
        SELECT a FROM t WHERE false
        SELECT a FROM t WHERE true
        SELECT a FROM t WHERE c > b - INTERVAL '30' MINUTE
        SELECT COUNT(a) OVER (ORDER BY b RANGE BETWEEN INTERVAL '2' HOUR PRECEDING AND CURRENT ROW) FROM t
        SELECT 'it''s', '\', 'a\''b', '$p' FROM t LIMIT 1
        ");
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let one = || Value::Int(1);
        let said = [
            rendered("SELECT $q, $p FROM t", one()),
            rendered("SELECT a FROM t", one()),
            rendered("SELECT a FROM t WHERE b = $p", words(&["x"])),
            rendered("SELECT a FROM t WHERE b = ? AND c = $p", one()),
            rendered("SELECT a FROM t WHERE b < INTERVAL $p DAY", Value::Text("1".to_owned())),
            rendered("SELECT $p; DROP TABLE t", one()),
            rendered("DELETE FROM t WHERE a = $p", one()),
            rendered("SELECT $p FROM", one()),
        ];
        insta::assert_snapshot!(said.join("\n"), @r"
        `$q` in the SQL has no [parameters.q] in the header
        parameter `p` is nowhere in the SQL
        `$p` is a list: it may stand inside IN (…) only
        `?` cannot stand there: a parameter is written $name, in the place of a value
        INTERVAL `$p` takes a parameter of type int
        the file must hold one SELECT and nothing else
        the file must hold one SELECT and nothing else
        the SQL cannot be parsed: Expected: identifier, found: EOF
        ");
    }

    #[test]
    fn overrides_are_checked_against_the_header() {
        let set =
            |parameter: &Parameter, toml: &str| match values(std::slice::from_ref(parameter), &given(toml)) {
                Ok(values) => values["p"].to_string(),
                Err(error) => error.to_string(),
            };
        let (int, text) = (declared("p = 1", Type::Int), declared("p = 'x'", Type::Text));
        let (time, list) =
            (declared("p = 2026-10-01", Type::Timestamp), declared("p = ['a', 'b']", Type::List));
        let said = [
            set(&int, ""),
            set(&int, "p = 2"),
            set(&int, "p = 2.5"),
            set(&int, "p = '2'"),
            set(&int, "q = 2"),
            set(&text, "p = 2"),
            set(&text, "p = \"a\\n\""),
            set(&time, ""),
            set(&time, "p = 2026-10-01T12:00:00+02:00"),
            set(&time, "p = '2026-10'"),
            set(&time, "p = '30d'"),
            set(&time, "p = 12:00:00"),
            set(&list, "p = [1, 2]"),
            set(&list, "p = []"),
            set(&list, "p = [1, 'a']"),
            set(&list, "p = [[1]]"),
            set(&list, "p = 'a'"),
        ];
        insta::assert_snapshot!(said.join("\n"), @r#"
        1
        2
        parameter `p` takes a whole number, not 2.5
        parameter `p` takes a whole number, not "2"
        there is no parameter `q`: the rule has p
        parameter `p` takes a text, not 2
        "a\n"
        2026-10-01T00:00:00Z
        2026-10-01T10:00:00Z
        2026-10-01T00:00:00Z
        parameter `p` takes a time, not "30d"
        parameter `p` takes a time, not 12:00:00
        [1, 2]
        []
        parameter `p` takes a list of texts or of whole numbers, not [1, "a"]
        parameter `p` takes a list of texts or of whole numbers, not [[1]]
        parameter `p` takes a list of texts or of whole numbers, not "a"
        "#);
    }

    #[test]
    fn names_are_plain() {
        for name in ["", "P", "1p", "p-q", "_p", "p q"] {
            let made = Parameter::new(name.to_owned(), Type::Int, &toml::Value::Integer(1), "m".to_owned());
            assert_eq!(made, Err(Error::Name(name.to_owned())));
        }
    }

    /// Text that has a meaning somewhere in SQL, and any other.
    fn hostile() -> impl Strategy<Value = String> {
        let bits = prop::sample::select(vec![
            "'",
            "''",
            "\\",
            "\\'",
            "--",
            ";",
            "\n",
            "\r\n",
            "/*",
            "*/",
            "$p",
            "$$",
            "\"",
            "\0",
            "{{",
            "?",
            ":a",
            "%",
            "_",
            "U&'",
            "E'",
            "') OR (1=1",
            "é",
            "\u{202e}",
            "a",
            " ",
        ]);
        prop_oneof![prop::collection::vec(bits, 0..8).prop_map(|bits| bits.concat()), any::<String>(),]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(200))]

        #[test]
        fn any_text_comes_back_as_itself(
            text in hostile(),
            number in prop_oneof![any::<i64>(), Just(i64::MIN), Just(i64::MAX)],
        ) {
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            let values = BTreeMap::from([
                ("p".to_owned(), Value::Text(text.clone())),
                ("n".to_owned(), Value::Int(number)),
                ("l".to_owned(), Value::List(vec![Value::Text(text.clone())])),
            ]);
            let sql = render("SELECT $p AS p, $n AS n, 'a''b\\' AS q, $p IN ($l) AS l", &values).unwrap();
            let batches = runtime.block_on(async {
                SessionContext::new().sql(&sql).await.unwrap().collect().await.unwrap()
            });
            prop_assert_eq!(batches[0].column(0).as_string::<i32>().value(0), text.as_str());
            prop_assert_eq!(batches[0].column(1).as_primitive::<Int64Type>().value(0), number);
            prop_assert_eq!(batches[0].column(2).as_string::<i32>().value(0), "a'b\\");
            prop_assert!(batches[0].column(3).as_boolean().value(0));
        }
    }
}
