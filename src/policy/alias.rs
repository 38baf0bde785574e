//! What stands behind model references: the aliases of a policy, and of files that hold nothing else.

pub mod listed;

use std::path::Path;

use chrono::NaiveDateTime;

use super::problem::{Collector, Problem, ProblemKind, Source, quoted};
use super::{check, read};

/// A reference and the model it stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alias {
    /// The reference as calls send it: an ARN, an id or a name.
    pub reference: String,
    /// The model: an id, with or without the prefix of an inference profile, or an ARN.
    pub model: String,
    /// The first instant at which it is known to hold, UTC; `None` is always.
    pub since: Option<NaiveDateTime>,
}

/// What a file of aliases may hold.
const KEYS: [&str; 2] = ["alias", "aliases"];

/// Reads a file of aliases: `[[alias]]` and `[aliases]` as a policy has them, and nothing else. By their references.
///
/// # Errors
/// Every mistake found, in file order.
pub fn load(path: &Path) -> Result<Vec<Alias>, Vec<Problem>> {
    let file = path.display().to_string();
    let text = std::fs::read_to_string(path).map_err(|error| {
        vec![Problem {
            kind: ProblemKind::Unreadable,
            file: file.clone(),
            line: 0,
            column: 0,
            message: format!("the aliases cannot be read: {error}"),
            help: Some("`bedtrail aliases import` writes such a file".to_owned()),
        }]
    })?;
    parse(&file, text)
}

fn parse(file: &str, text: String) -> Result<Vec<Alias>, Vec<Problem>> {
    let source = Source { file: file.to_owned(), text };
    let mut collector = Collector::new(&source);
    let document = toml::de::DeTable::parse_recoverable(&source.text).0;
    for key in document.get_ref().keys().filter(|key| !KEYS.contains(&key.get_ref().as_ref())) {
        let message = format!("a file of aliases has no {}", quoted(key.get_ref()));
        collector.invalid(
            &key.span(),
            message,
            "it has [[alias]] and [aliases]; the rest belongs into a policy",
        );
    }
    let written = read::read(&source, &mut collector);
    let aliases = check::aliases(&mut collector, written.aliases, written.alias);
    let mut problems = collector.problems;
    if problems.is_empty() {
        return Ok(aliases);
    }
    problems.sort_by_key(|problem| (problem.line, problem.column));
    Err(problems)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_of_aliases_holds_aliases_only() {
        let text = "[aliases]\nmine = 'amazon.nova-pro-v1:0'\n[[alias]]\nreference = 'arn'\n\
                    model_id = 'eu.amazon.nova-lite-v1:0'\nsince = 2026-05-01\n";
        let aliases = parse("a.toml", text.to_owned()).unwrap();
        assert_eq!(aliases.len(), 2);
        assert_eq!(aliases[0].reference, "arn");
        assert_eq!(aliases[0].since.map(|at| at.to_string()).as_deref(), Some("2026-05-01 00:00:00"));
        assert_eq!((aliases[1].model.as_str(), aliases[1].since), ("amazon.nova-pro-v1:0", None));
    }

    #[test]
    fn mistakes_are_told_with_their_places() {
        let said = |text: &str| {
            let problems = parse("a.toml", text.to_owned()).unwrap_err();
            problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
        };
        let lines = said("name = 'p'\n[[alias]]\nreference = 'r'\nsince = 12:00:00\n");
        let lines: Vec<&str> = lines.lines().collect();
        assert_eq!(lines.len(), 3, "{lines:#?}");
        assert!(lines[0].starts_with("a.toml:1:1: a file of aliases has no 'name'"), "{}", lines[0]);
        assert!(lines[1].starts_with("a.toml:2:1: [[alias]] has no model_id"), "{}", lines[1]);
        assert!(lines[2].starts_with("a.toml:4:9: since is a day, not '12:00:00'"), "{}", lines[2]);
        assert!(said("[[alias]").starts_with("a.toml:1:"), "{}", said("[[alias]"));
    }
}
