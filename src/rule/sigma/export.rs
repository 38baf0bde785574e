//! A rule as Sigma, where the condition of its violations can be said there.

use std::fmt::Write as _;

use datafusion::sql::sqlparser::ast::{
    BinaryOperator as Op, Expr, FunctionArg, FunctionArgExpr, FunctionArguments, Query, Select, SelectItem,
    SetExpr, Statement, UnaryOperator, Value as Literal,
};

use super::field;
use crate::finding::Severity;
use crate::rule::header::{Kind, Rule};
use crate::rule::{Grain, parameter};

/// Why a rule cannot be said in Sigma.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("rule {code} cannot be said in Sigma: {reason}")]
pub struct Unsaid {
    /// The rule.
    pub code: String,
    /// What Sigma has no word for.
    pub reason: String,
}

/// A condition as Sigma has them.
#[derive(Clone, Debug, PartialEq)]
enum Test {
    All(Vec<Test>),
    Any(Vec<Test>),
    Not(Box<Test>),
    /// A field, how it is compared, and the values of which one fits; `None` is null.
    Is(String, &'static str, Vec<Option<String>>),
    Always(bool),
}

/// The rule as a Sigma file.
pub fn export(rule: &Rule) -> Result<String, Unsaid> {
    let test = said(rule).map_err(|reason| Unsaid { code: rule.code.clone(), reason })?;
    Ok(written(rule, &test))
}

fn said(rule: &Rule) -> Result<Test, String> {
    if rule.kind != Kind::Row || rule.grain == Grain::Group {
        return Err(format!("it is a {} rule, which looks at more than one event", rule.kind));
    }
    if let Some(need) = rule.needs.first() {
        return Err(format!("it judges by {need}, which Sigma does not have"));
    }
    let values = parameter::values(&rule.parameters, &std::collections::BTreeMap::new());
    let sql =
        values.and_then(|values| parameter::render(&rule.sql, &values)).map_err(|error| error.to_string())?;
    let statement = parameter::parser(&sql).and_then(|mut parser| parser.parse_statements());
    let Some(Statement::Query(query)) = statement.ok().and_then(|mut statements| statements.pop()) else {
        return Err("it is no plain SELECT".to_owned());
    };
    let select = plain(&query).ok_or("it is no plain SELECT from events")?;
    let verdict = select.projection.first().and_then(|item| match item {
        SelectItem::ExprWithAlias { expr, .. } => Some(expr),
        _ => None,
    });
    let mut all = vec![violated(verdict.ok_or("its verdict has no condition")?)?];
    if let Some(filter) = &select.selection {
        all.push(test(filter)?);
    }
    let test = simple(Test::All(all));
    match unsaid(&test) {
        Some(reason) => Err(reason),
        None if matches!(test, Test::Always(_)) => Err("its condition is always the same".to_owned()),
        None => Ok(test),
    }
}

/// A SELECT from `events` alone.
fn plain(query: &Query) -> Option<&Select> {
    let SetExpr::Select(select) = query.body.as_ref() else { return None };
    let [from] = select.from.as_slice() else { return None };
    let events = from.relation.to_string();
    let alone = events == "events" && from.joins.is_empty() && query.with.is_none();
    (alone && select.distinct.is_none() && select.having.is_none()).then_some(select.as_ref())
}

/// When the verdict is a violation: a WHEN of it holds and none before does.
fn violated(verdict: &Expr) -> Result<Test, String> {
    let word = |expr: &Expr| text(expr).map(|text| text == "violation");
    let Expr::Case { operand: None, conditions, else_result, .. } = verdict else {
        return match word(verdict) {
            Some(is) => Ok(Test::Always(is)),
            None => Err("its verdict is no CASE".to_owned()),
        };
    };
    let mut before = Vec::new();
    let mut any = Vec::new();
    for when in conditions {
        let mut all: Vec<Test> = before.clone();
        let is = word(&when.result).ok_or("its verdict is worked out")?;
        let condition = either(&when.condition);
        if is {
            all.push(condition);
            any.push(Test::All(all));
        } else {
            before.push(Test::Not(Box::new(condition)));
        }
    }
    if let Some(last) = else_result
        && word(last).ok_or("its verdict is worked out")?
    {
        any.push(Test::All(before));
    }
    Ok(Test::Any(any))
}

fn unsaid(test: &Test) -> Option<String> {
    match test {
        Test::All(all) | Test::Any(all) => all.iter().find_map(unsaid),
        Test::Not(inner) => unsaid(inner),
        Test::Is(reason, "unsaid", _) => Some(reason.clone()),
        _ => None,
    }
}

fn text(expr: &Expr) -> Option<String> {
    match expr {
        Expr::Nested(inner) => text(inner),
        Expr::Value(value) => match &value.value {
            // The parser keeps quotes doubled.
            Literal::SingleQuotedString(text) => Some(text.replace("''", "'")),
            _ => None,
        },
        _ => None,
    }
}

fn test(expr: &Expr) -> Result<Test, String> {
    let cannot = || format!("Sigma has no word for {}", short(expr));
    Ok(match expr {
        Expr::Nested(inner) => test(inner)?,
        Expr::BinaryOp { left, op: Op::And, right } => Test::All(vec![either(left), either(right)]),
        Expr::BinaryOp { left, op: Op::Or, right } => Test::Any(vec![either(left), either(right)]),
        Expr::UnaryOp { op: UnaryOperator::Not, expr: inner } => Test::Not(Box::new(test(inner)?)),
        Expr::IsNull(inner) => Test::Is(name(inner)?, "", vec![None]),
        Expr::IsNotNull(inner) => Test::Not(Box::new(Test::Is(name(inner)?, "", vec![None]))),
        Expr::BinaryOp { left, op: op @ (Op::Eq | Op::NotEq), right } => {
            let value = text(right).ok_or_else(cannot)?;
            equals(left, &[value], *op == Op::NotEq)?
        }
        Expr::BinaryOp { left, op: Op::Gt, right } if right.to_string() == "0" => match called(left) {
            Some((function, arguments)) if function == "strpos" => compared(&arguments, "|contains")?,
            _ => return Err(cannot()),
        },
        Expr::InList { expr: subject, list, negated } => {
            let values = list.iter().map(text).collect::<Option<Vec<String>>>().ok_or_else(cannot)?;
            equals(subject, &values, *negated)?
        }
        Expr::Function(_) => match called(expr) {
            Some((function, arguments)) if function == "starts_with" => compared(&arguments, "|startswith")?,
            Some((function, arguments)) if function == "regexp_like" => compared(&arguments, "|re")?,
            _ => return Err(cannot()),
        },
        _ => return Err(cannot()),
    })
}

/// A condition beside others: what cannot be said may turn out not to matter.
fn either(expr: &Expr) -> Test {
    test(expr).unwrap_or_else(|reason| Test::Is(reason, "unsaid", Vec::new()))
}

fn short(expr: &Expr) -> String {
    let text = expr.to_string();
    if text.chars().count() > 80 { format!("{}…", text.chars().take(80).collect::<String>()) } else { text }
}

/// A function and its arguments.
fn called(expr: &Expr) -> Option<(String, Vec<&Expr>)> {
    let Expr::Function(function) = expr else { return None };
    let FunctionArguments::List(list) = &function.args else { return None };
    let arguments = list.args.iter().map(|argument| match argument {
        FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) => Some(expr),
        _ => None,
    });
    Some((function.name.to_string().to_lowercase(), arguments.collect::<Option<_>>()?))
}

/// CloudTrail's name of what an expression reads.
fn name(expr: &Expr) -> Result<String, String> {
    let cannot = || format!("{} is no field of CloudTrail", short(expr));
    match expr {
        Expr::Nested(inner) => name(inner),
        Expr::Identifier(column) => {
            field::named(&column.value.to_lowercase()).map(str::to_owned).ok_or_else(cannot)
        }
        _ => match called(expr) {
            Some((function, arguments)) if function == "json_extract_scalar" => {
                let [json, path] = arguments.as_slice() else { return Err(cannot()) };
                let path = text(path).and_then(|path| path.strip_prefix("$.").map(str::to_owned));
                let path = path.filter(|path| !path.contains(['[', '"'])).ok_or_else(cannot)?;
                Ok(format!("{}.{path}", name(json)?))
            }
            _ => Err(cannot()),
        },
    }
}

fn compared(arguments: &[&Expr], modifier: &'static str) -> Result<Test, String> {
    let [subject, value] = arguments else { return Err("a function lacks an argument".to_owned()) };
    let value = text(value).ok_or_else(|| format!("{} is worked out", short(value)))?;
    let value = if modifier == "|re" { value } else { escaped(&value) };
    Ok(Test::Is(name(subject)?, modifier, vec![Some(value)]))
}

/// A column equal to one of some texts. A null is neither equal nor unequal, and Sigma knows no third.
fn equals(subject: &Expr, values: &[String], negated: bool) -> Result<Test, String> {
    let column = subject.to_string();
    let is = match column.as_str() {
        // Other kinds are no calls, or copies of calls.
        "record_kind" if values == ["api_call"] => {
            return Ok(Test::Not(Box::new(Test::Is(
                "eventType".to_owned(),
                "",
                vec![Some("AwsServiceEvent".to_owned()), Some("AwsVpceEvent".to_owned())],
            ))));
        }
        "outcome" => Test::Any(values.iter().map(|value| outcome(value)).collect::<Result<_, _>>()?),
        _ => Test::Is(name(subject)?, "", values.iter().map(|value| Some(escaped(value))).collect()),
    };
    Ok(match negated {
        false => is,
        true if column == "outcome" => Test::Not(Box::new(is)),
        true => Test::All(vec![
            Test::Not(Box::new(is)),
            Test::Not(Box::new(Test::Is(name(subject)?, "", vec![None]))),
        ]),
    })
}

/// How a call ended, by its error code.
fn outcome(value: &str) -> Result<Test, String> {
    let code = |modifier, values: &[&str]| {
        Test::Is(
            "errorCode".to_owned(),
            modifier,
            values.iter().map(|value| Some((*value).to_owned())).collect(),
        )
    };
    match value {
        "ok" => Ok(Test::Is("errorCode".to_owned(), "", vec![None])),
        "denied" => Ok(code("|contains", &["AccessDenied", "NotAuthorized", "Unauthorized"])),
        "throttled" => Ok(code("|startswith", &["Throttl", "TooManyRequests"])),
        "invalid" => Ok(code("|startswith", &["Validation", "InvalidParam", "BadRequest"])),
        other => Err(format!("the outcome {other} has no error code of its own")),
    }
}

/// Wildcards of Sigma as the characters they are.
fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('*', "\\*").replace('?', "\\?")
}

/// The same condition, flat, without what other parts of it imply.
fn simple(test: Test) -> Test {
    match test {
        Test::All(all) => {
            let flat = flat(all, true);
            if flat.contains(&Test::Always(false)) {
                return Test::Always(false);
            }
            // Any(a, b) says nothing beside a.
            let implied =
                |one: &Test| matches!(one, Test::Any(any) if any.iter().any(|part| flat.contains(part)));
            let mut left: Vec<Test> = Vec::new();
            for one in flat.iter().filter(|one| **one != Test::Always(true) && !implied(one)) {
                if !left.contains(one) {
                    left.push(one.clone());
                }
            }
            match left.len() {
                0 => Test::Always(true),
                1 => left.remove(0),
                _ => Test::All(left),
            }
        }
        Test::Any(any) => {
            let flat = flat(any, false);
            if flat.contains(&Test::Always(true)) {
                return Test::Always(true);
            }
            let mut left: Vec<Test> = flat.into_iter().filter(|one| *one != Test::Always(false)).collect();
            match left.len() {
                0 => Test::Always(false),
                1 => left.remove(0),
                _ => Test::Any(left),
            }
        }
        Test::Not(inner) => match simple(*inner) {
            Test::Not(inner) => *inner,
            Test::Always(is) => Test::Always(!is),
            inner => Test::Not(Box::new(inner)),
        },
        one => one,
    }
}

fn flat(tests: Vec<Test>, all: bool) -> Vec<Test> {
    let mut flat = Vec::new();
    for test in tests {
        match simple(test) {
            Test::All(inner) if all => flat.extend(inner),
            Test::Any(inner) if !all => flat.extend(inner),
            other => flat.push(other),
        }
    }
    flat
}

/// Writes the parts of a detection, and says how they are put together.
#[derive(Default)]
struct Parts {
    text: String,
    count: usize,
}

impl Parts {
    fn part(&mut self, fields: &[(&str, &str, &[Option<String>])]) -> String {
        self.count += 1;
        let part = format!("part_{}", self.count);
        let _ = writeln!(self.text, "    {part}:");
        for (field, modifier, values) in fields {
            let _ = write!(self.text, "        {field}{modifier}:");
            match values {
                [one] => {
                    let _ = writeln!(self.text, " {}", scalar(one.as_deref()));
                }
                all => {
                    self.text.push('\n');
                    for one in *all {
                        let _ = writeln!(self.text, "            - {}", scalar(one.as_deref()));
                    }
                }
            }
        }
        part
    }

    fn put(&mut self, test: &Test) -> String {
        match test {
            Test::Is(field, modifier, values) => self.part(&[(field.as_str(), modifier, values.as_slice())]),
            Test::Not(inner) => format!("not {}", self.put(inner)),
            Test::Any(any) => {
                let any: Vec<String> = any.iter().map(|one| self.put(one)).collect();
                format!("({})", any.join(" or "))
            }
            Test::All(all) => {
                // Different fields that must fit go into one part.
                let mut together: Vec<(&str, &str, &[Option<String>])> = Vec::new();
                let mut rest = Vec::new();
                for one in all {
                    match one {
                        Test::Is(field, modifier, values)
                            if together.iter().all(|(taken, ..)| *taken != field.as_str()) =>
                        {
                            together.push((field.as_str(), modifier, values.as_slice()));
                        }
                        other => rest.push(other),
                    }
                }
                let mut names = Vec::new();
                if !together.is_empty() {
                    names.push(self.part(&together));
                }
                names.extend(rest.into_iter().map(|one| self.put(one)));
                format!("({})", names.join(" and "))
            }
            Test::Always(_) => self.part(&[("eventName", "|contains", &[Some("*".to_owned())])]),
        }
    }
}

/// A value in YAML.
fn scalar(value: Option<&str>) -> String {
    value.map_or_else(|| "null".to_owned(), quoted)
}

fn quoted(text: &str) -> String {
    format!("'{}'", text.split_whitespace().collect::<Vec<_>>().join(" ").replace('\'', "''"))
}

/// An id that stays the same for a rule: a UUID whose digits are a hash of the code.
fn id(code: &str) -> String {
    use sha2::Digest as _;
    let hash = format!("{:x}", sha2::Sha256::digest(format!("bedtrail rule {code}")));
    format!("{}-{}-8{}-a{}-{}", &hash[..8], &hash[8..12], &hash[13..16], &hash[17..20], &hash[20..32])
}

fn written(rule: &Rule, test: &Test) -> String {
    let mut parts = Parts::default();
    let condition = parts.put(test);
    let condition = match (condition.strip_prefix('(').and_then(|inner| inner.strip_suffix(')')), test) {
        (Some(inner), Test::All(_) | Test::Any(_)) => inner.to_owned(),
        _ => condition,
    };
    let level = match rule.severity {
        Severity::Info => "informational".to_owned(),
        other => other.to_string(),
    };
    let mut out = String::new();
    let _ = writeln!(out, "title: {}", quoted(&rule.title));
    let _ = writeln!(out, "id: {}", id(&rule.code));
    out.push_str("status: stable\n");
    let _ = writeln!(
        out,
        "description: {}",
        quoted(&format!("{} Rule {} of bedtrail {}.", rule.why, rule.code, env!("CARGO_PKG_VERSION")))
    );
    out.push_str("author: bedtrail\n");
    let attack = rule.attack.iter().map(|id| format!("attack.{}", id.to_lowercase()));
    let atlas = rule.atlas.iter().map(|id| format!("atlas.{}", id.to_lowercase()));
    let tags: Vec<String> = attack.chain(atlas).collect();
    if !tags.is_empty() {
        out.push_str("tags:\n");
        for tag in &tags {
            let _ = writeln!(out, "    - {tag}");
        }
    }
    out.push_str("logsource:\n    product: aws\n    service: cloudtrail\ndetection:\n");
    out.push_str(&parts.text);
    let _ = writeln!(out, "    condition: {condition}");
    let _ = writeln!(out, "falsepositives:\n    - {}", quoted(&rule.false_positives));
    let _ = writeln!(out, "level: {level}");
    out
}
