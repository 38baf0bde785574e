//! The short list of functions that both engines have and that answer alike.

use std::ptr::from_ref;

use datafusion::sql::sqlparser::ast::{
    DuplicateTreatment, Expr, Function, FunctionArg, FunctionArgExpr, FunctionArgumentClause,
    FunctionArgumentList, FunctionArguments, Value, WindowType,
};

use super::Check;

/// Functions that may be used, sorted.
pub(super) const FUNCTIONS: &[&str] = &[
    "array_agg",
    "array_join",
    "avg",
    "bool_and",
    "bool_or",
    "coalesce",
    "count",
    "date_add",
    "date_trunc",
    "day_of_week",
    "dense_rank",
    "first_value",
    "floor",
    "grouping",
    "json_array_contains",
    "json_array_get",
    "json_array_length",
    "json_extract",
    "json_extract_scalar",
    "json_format",
    "json_size",
    "lag",
    "last_value",
    "lead",
    "length",
    "lower",
    "max",
    "min",
    "min_by",
    "nullif",
    "rank",
    "regexp_extract",
    "regexp_like",
    "regexp_replace",
    "replace",
    "row_number",
    "split_part",
    "starts_with",
    "strpos",
    "substr",
    "substring",
    "sum",
    "to_unixtime",
    "trim",
    "upper",
];

/// Functions that come to mind and may not be used, with what to use; sorted.
const INSTEAD: &[(&str, &str)] = &[
    ("any_value", "it gives another value in every run; use MIN"),
    ("approx_distinct", "use COUNT(DISTINCT x)"),
    ("arbitrary", "it gives another value in every run; use MIN"),
    ("concat", "nulls are treated differently; use ||"),
    ("count_if", "use COUNT(*) FILTER (WHERE …)"),
    ("current_date", "take the time from the relation run"),
    ("current_time", "take the time from the relation run"),
    ("current_timestamp", "take the time from the relation run"),
    ("date_bin", "use date_trunc or a RANGE frame"),
    ("date_diff", "subtract an INTERVAL and compare"),
    ("date_part", "use EXTRACT(field FROM x)"),
    ("greatest", "nulls are treated differently; use CASE"),
    ("ifnull", "use COALESCE"),
    ("least", "nulls are treated differently; use CASE"),
    ("listagg", "use array_join(array_agg(x ORDER BY x), ' ')"),
    ("localtimestamp", "take the time from the relation run"),
    ("now", "take the time from the relation run"),
    ("nvl", "use COALESCE"),
    ("regexp_match", "use regexp_like"),
    ("string_agg", "use array_join(array_agg(x ORDER BY x), ' ')"),
];

/// Functions whose answer has the type JSON in Trino, which nothing but the functions of [`OF_JSON`] takes.
const JSON: &[&str] = &["json_array_get", "json_extract"];

/// Functions that take JSON, be it of the type JSON or text, as their first argument.
const OF_JSON: &[&str] = &[
    "json_array_contains",
    "json_array_get",
    "json_array_length",
    "json_extract",
    "json_extract_scalar",
    "json_format",
    "json_size",
];

/// Window functions whose answer is the order's.
const ORDERED: &[&str] = &["dense_rank", "first_value", "lag", "last_value", "lead", "rank", "row_number"];

impl Check {
    pub(super) fn function(&mut self, function: &Function) {
        let name = function.name.to_string().to_lowercase();
        if FUNCTIONS.binary_search(&name.as_str()).is_err() {
            let instead = INSTEAD.iter().find(|(known, _)| *known == name).map(|(_, instead)| *instead);
            let instead =
                instead.map_or_else(|| format!("functions are {}", FUNCTIONS.join(", ")), str::to_owned);
            self.object(format!("the function {name} is not portable: {instead}"));
            return;
        }
        let FunctionArguments::List(list) = &function.args else {
            self.object(format!("{name} takes its arguments in parentheses"));
            return;
        };
        let odd = function.uses_odbc_syntax
            || function.parameters != FunctionArguments::None
            || function.null_treatment.is_some()
            || !function.within_group.is_empty();
        self.object_if(odd, "a function takes arguments, FILTER (WHERE …) and OVER (…) only");
        self.arguments(&name, list);
        if OF_JSON.contains(&name.as_str())
            && let Some(FunctionArg::Unnamed(FunctionArgExpr::Expr(argument))) = list.args.first()
        {
            self.takes_json(argument);
        }
        if JSON.contains(&name.as_str()) && !self.taken.contains(&from_ref(function).addr()) {
            self.object(format!(
                "{name} gives a value of type JSON in Trino, and text here: put it into json_format(…) or another json function"
            ));
        }
        if name == "json_format"
            && !matches!(list.args.first(), Some(FunctionArg::Unnamed(FunctionArgExpr::Expr(Expr::Function(inner)))) if JSON.contains(&inner.name.to_string().to_lowercase().as_str()))
        {
            self.object("json_format takes a value of type JSON: json_format(json_extract(x, '$.a'))");
        }
        if let Some(window) = &function.over {
            let distinct = list.duplicate_treatment == Some(DuplicateTreatment::Distinct);
            self.object_if(distinct, "DISTINCT with OVER is not portable: group first");
            self.object_if(
                function.filter.is_some(),
                "FILTER with OVER is not portable: write COUNT(CASE WHEN … THEN 1 END) OVER (…)",
            );
            let unordered = matches!(
                window,
                WindowType::WindowSpec(spec) if spec.order_by.is_empty() && spec.window_name.is_none()
            );
            if unordered && ORDERED.contains(&name.as_str()) {
                self.object(format!("{name} without ORDER BY answers differently in every run"));
            }
        }
    }

    /// JSON may stand here.
    pub(super) fn takes_json(&mut self, expression: &Expr) {
        match expression {
            Expr::Nested(inner) => self.takes_json(inner),
            Expr::Function(function) => {
                self.taken.insert(from_ref(function).addr());
            }
            _ => {}
        }
    }

    fn arguments(&mut self, name: &str, list: &FunctionArgumentList) {
        for argument in &list.args {
            match argument {
                FunctionArg::Unnamed(FunctionArgExpr::Expr(_)) => {}
                FunctionArg::Unnamed(FunctionArgExpr::Wildcard) if name == "count" => {}
                _ => self.object(format!("{name} takes plain values")),
            }
        }
        let ordered = list.clauses.iter().any(|clause| matches!(clause, FunctionArgumentClause::OrderBy(_)));
        let other = list.clauses.iter().any(|clause| !matches!(clause, FunctionArgumentClause::OrderBy(_)));
        self.object_if(other, "of clauses after the arguments only ORDER BY is portable");
        self.object_if(ordered && name != "array_agg", "ORDER BY in the arguments is for array_agg");
        self.object_if(
            name == "regexp_replace"
                && !literal(list, 1).is_some_and(|pattern| pattern.ends_with("\\z") || begins(pattern)),
            "regexp_replace replaces every match in Trino and one in DataFusion: let the pattern begin with \\A or end in \\z",
        );
        self.object_if(
            name == "min_by" && literal(list, 2).is_none(),
            "min_by is portable with a number as its third argument: min_by(x, y, 5)",
        );
        self.object_if(
            name == "array_agg" && !ordered,
            "array_agg without ORDER BY answers differently in every run: array_agg(x ORDER BY x)",
        );
    }
}

/// Whether a pattern matches at the beginning of the text only.
fn begins(pattern: &str) -> bool {
    let mut depth = 0_i32;
    let mut escaped = false;
    pattern.starts_with("\\A")
        && !pattern.chars().any(|c| {
            match c {
                _ if escaped => {
                    escaped = false;
                    return false;
                }
                '\\' => escaped = true,
                '(' => depth += 1,
                ')' => depth -= 1,
                _ => {}
            }
            c == '|' && depth == 0
        })
}

/// The text or number written as an argument.
fn literal(list: &FunctionArgumentList, index: usize) -> Option<&str> {
    match list.args.get(index) {
        Some(FunctionArg::Unnamed(FunctionArgExpr::Expr(Expr::Value(value)))) => match &value.value {
            Value::SingleQuotedString(text) | Value::Number(text, _) => Some(text),
            _ => None,
        },
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_sorted_and_apart() {
        assert!(FUNCTIONS.is_sorted());
        assert!(INSTEAD.is_sorted());
        assert!(INSTEAD.iter().all(|(name, _)| !FUNCTIONS.contains(name)));
        assert!(ORDERED.iter().all(|name| FUNCTIONS.contains(name)));
    }
}
