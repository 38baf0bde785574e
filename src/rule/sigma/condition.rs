//! `selection and not 1 of filter_*`: how the named parts of a detection are put together.

use super::{Place, Problem, shown};

/// The parts by name, as columns.
pub(super) type Parts = Vec<(String, String)>;

/// The condition in SQL over the columns of the parts.
pub(super) fn sql(text: &str, at: Place, parts: &Parts) -> Result<String, Problem> {
    if text.contains('|') {
        return Err(at.problem("aggregations in a condition are not read; write a rule of your own"));
    }
    let spaced = text.replace('(', " ( ").replace(')', " ) ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let mut reader = Reader { words: &words, at, parts, depth: 0 };
    let sql = reader.any()?;
    match reader.words.first() {
        None => Ok(sql),
        Some(word) => Err(at.problem(format!("the condition goes on with {}", shown(word)))),
    }
}

/// Conditions nest so deep at most.
const DEPTH: usize = 50;

struct Reader<'a> {
    words: &'a [&'a str],
    at: Place,
    parts: &'a Parts,
    depth: usize,
}

impl<'a> Reader<'a> {
    fn next(&mut self) -> Option<&'a str> {
        let (first, rest) = self.words.split_first()?;
        self.words = rest;
        Some(first)
    }

    fn takes(&mut self, word: &str) -> bool {
        let is = self.words.first().is_some_and(|first| first.eq_ignore_ascii_case(word));
        if is {
            self.words = &self.words[1..];
        }
        is
    }

    fn any(&mut self) -> Result<String, Problem> {
        let mut all = vec![self.all()?];
        while self.takes("or") {
            all.push(self.all()?);
        }
        Ok(joined(all, " OR "))
    }

    fn all(&mut self) -> Result<String, Problem> {
        let mut all = vec![self.one()?];
        while self.takes("and") {
            all.push(self.one()?);
        }
        Ok(joined(all, " AND "))
    }

    fn one(&mut self) -> Result<String, Problem> {
        self.depth += 1;
        if self.depth > DEPTH {
            return Err(self.at.problem("the condition nests too deep"));
        }
        let one = self.inner();
        self.depth -= 1;
        one
    }

    fn inner(&mut self) -> Result<String, Problem> {
        if self.takes("not") {
            return Ok(format!("NOT {}", self.one()?));
        }
        let Some(word) = self.next() else {
            return Err(self.at.problem("the condition ends where a name should stand"));
        };
        if word == "(" {
            let inner = self.any()?;
            if !self.takes(")") {
                return Err(self.at.problem("a parenthesis is not closed"));
            }
            return Ok(inner);
        }
        let joint = match word.to_ascii_lowercase().as_str() {
            "1" | "any" => Some(" OR "),
            "all" => Some(" AND "),
            _ => None,
        };
        if let Some(joint) = joint
            && self.takes("of")
        {
            let pattern = self.next().unwrap_or_default();
            let of: Vec<String> = self
                .parts
                .iter()
                .filter(|(name, _)| pattern == "them" && !name.starts_with('_') || like(name, pattern))
                .map(|(_, column)| column.clone())
                .collect();
            if of.is_empty() {
                return Err(self
                    .at
                    .problem(format!("the condition names {}, and no part is named so", shown(pattern))));
            }
            return Ok(joined(of, joint));
        }
        match self.parts.iter().find(|(name, _)| name == word) {
            Some((_, column)) => Ok(column.clone()),
            None => Err(self.at.problem(format!("the condition names {}, which is not there", shown(word)))),
        }
    }
}

fn joined(all: Vec<String>, joint: &str) -> String {
    if all.len() == 1 { all.into_iter().collect() } else { format!("({})", all.join(joint)) }
}

/// Whether a name fits a pattern with `*`.
fn like(name: &str, pattern: &str) -> bool {
    match pattern.split_once('*') {
        None => name == pattern,
        Some((start, rest)) => name.strip_prefix(start).is_some_and(|tail| {
            (0..=tail.len()).any(|at| tail.get(at..).is_some_and(|tail| like(tail, rest)))
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(text: &str) -> String {
        let parts: Parts = ["selection", "sel_a", "sel_b", "filter"]
            .map(|name| (name.to_owned(), name.to_uppercase()))
            .to_vec();
        sql(text, Place::default(), &parts).unwrap_or_else(|problem| problem.to_string())
    }

    #[test]
    fn conditions_become_sql() {
        let all = [
            "selection",
            "selection and not filter",
            "selection and not 1 of sel_* or filter",
            "(selection or filter) and all of sel_*",
            "1 of them",
            "not (selection and filter)",
            "selection and",
            "selection filter",
            "(selection",
            "other",
            "1 of x_*",
            "selection | count() > 5",
        ];
        insta::assert_snapshot!(all.map(told).join("\n"), @r"
    SELECTION
    (SELECTION AND NOT FILTER)
    ((SELECTION AND NOT (SEL_A OR SEL_B)) OR FILTER)
    ((SELECTION OR FILTER) AND (SEL_A AND SEL_B))
    (SELECTION OR SEL_A OR SEL_B OR FILTER)
    NOT (SELECTION AND FILTER)
    the condition ends where a name should stand
    the condition goes on with `filter`
    a parenthesis is not closed
    the condition names `other`, which is not there
    the condition names `x_*`, and no part is named so
    aggregations in a condition are not read; write a rule of your own
    ");
        assert!(told(&"not ".repeat(1000)).contains("too deep"));
    }

    #[test]
    fn stars_stand_for_any_text() {
        for (name, pattern, fits) in [
            ("sel_a", "sel_*", true),
            ("sel_a", "*_a", true),
            ("sel_a", "s*a*", true),
            ("sel_a", "sel", false),
            ("x", "*", true),
        ] {
            assert_eq!(like(name, pattern), fits, "{name} {pattern}");
        }
    }
}
