//! Problems of policy files as SARIF 2.1.0, which code review shows at their lines.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::{Error, text};
use crate::policy::{Problem, ProblemKind};

/// Every sort of problem: its rule id, its level, and what it means.
const RULES: [(ProblemKind, &str, &str, &str); 5] = [
    (ProblemKind::Unreadable, "policy/unreadable", "error", "The policy file cannot be read."),
    (
        ProblemKind::Syntax,
        "policy/syntax",
        "error",
        "The policy is not TOML, a key is unknown, or a value has the wrong type.",
    ),
    (
        ProblemKind::Invalid,
        "policy/invalid",
        "error",
        "A value reads well but says something that cannot be.",
    ),
    (
        ProblemKind::Missing,
        "policy/missing",
        "error",
        "Something required is missing, or something named does not exist.",
    ),
    (ProblemKind::Note, "policy/note", "note", "No mistake, but worth knowing."),
];

/// One document, laid out for people; columns count characters.
///
/// # Errors
/// When it cannot be spelled as JSON, which does not happen.
pub fn document(problems: &[Problem]) -> Result<String, Error> {
    let rules: Vec<Value> = RULES
        .iter()
        .map(|(_, id, level, meaning)| {
            json!({"id": id, "shortDescription": {"text": meaning}, "defaultConfiguration": {"level": level}})
        })
        .collect();
    let document = json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {"name": "bedtrail", "version": env!("CARGO_PKG_VERSION"), "rules": rules}},
            "columnKind": "unicodeCodePoints",
            "results": problems.iter().map(result).collect::<Vec<_>>(),
        }],
    });
    Ok(text::json(&serde_json::to_string_pretty(&document)?).into_owned() + "\n")
}

fn result(problem: &Problem) -> Value {
    let at = RULES.iter().position(|(kind, ..)| *kind == problem.kind).unwrap_or_default();
    let (_, id, level, _) = RULES[at];
    let help = problem.help.as_ref().map(|help| format!(" (help: {help})")).unwrap_or_default();
    let mut place = json!({"artifactLocation": {"uri": uri(&problem.file)}});
    if problem.line > 0 {
        place["region"] = json!({"startLine": problem.line, "startColumn": problem.column.max(1)});
    }
    json!({
        "ruleId": id,
        "ruleIndex": at,
        "level": level,
        "message": {"text": format!("{}{help}", problem.message)},
        "locations": [{"physicalLocation": place}],
    })
}

/// A path as a URI: relative where the path is, so that it is found in a checkout.
fn uri(path: &str) -> String {
    let path = path.replace('\\', "/");
    let path = path.strip_prefix("./").unwrap_or(&path);
    let mut uri = String::from(if path.starts_with('/') { "file://" } else { "" });
    for byte in path.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => {
                uri.push(char::from(byte));
            }
            // Writing to a string cannot fail.
            _ => _ = write!(uri, "%{byte:02X}"),
        }
    }
    uri
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(kind: ProblemKind, file: &str, line: usize) -> Problem {
        let help = (line > 0).then(|| "write \"111122223333\"".to_owned());
        let message = "account ids are \u{202e}text".to_owned();
        Problem { kind, file: file.to_owned(), line, column: line * 4, message, help }
    }

    #[test]
    fn each_problem_has_its_place() {
        let problems = [
            problem(ProblemKind::Syntax, "./policies/a b.toml", 3),
            problem(ProblemKind::Unreadable, "/tmp/ü.toml", 0),
        ];
        let document = document(&problems).unwrap();
        let value: Value = serde_json::from_str(&document).unwrap();
        assert_eq!(value["version"], "2.1.0");
        assert!(!document.contains('\u{202e}'), "a terminal may show it");
        let results = serde_json::to_string_pretty(&value["runs"][0]["results"]).unwrap();
        insta::assert_snapshot!(text::shown(&results.replace('\n', "¶")).replace('¶', "\n"));
    }

    #[test]
    fn each_sort_has_a_rule_of_its_own() {
        for (at, (kind, id, level, _)) in RULES.into_iter().enumerate() {
            let result = result(&problem(kind, "p.toml", 1));
            assert_eq!(
                (result["ruleId"].as_str(), result["ruleIndex"].as_u64()),
                (Some(id), Some(at as u64))
            );
            assert_eq!(level == "note", kind == ProblemKind::Note);
        }
        let clean: Value = serde_json::from_str(&document(&[]).unwrap()).unwrap();
        assert_eq!(clean["runs"][0]["results"], json!([]), "an empty list says that it was checked");
    }
}
