//! `bedtrail rules`: list, explain, test.

use std::path::Path;
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, StringViewArray};

use super::deliver::Delivery;
use super::judge::Judgement;
use super::trail::Prepared;
use super::{Failure, print, say};
use crate::cli::{self, Input};
use crate::exit::Code;
use crate::output::Answer;
use crate::rule::{self, Rule};

/// Runs the subcommand.
pub(super) fn run(arguments: &cli::Rules) -> Result<Code, Failure> {
    let rules = rule::catalogue().map_err(Failure::failed)?;
    match arguments {
        cli::Rules::List { output } => {
            let delivery = Delivery::new(output, 1)?;
            if output.out.is_some() {
                return Err(Failure::usage("rules list writes to standard output only"));
            }
            let batch = listing(rules)?;
            delivery.stream(&[Answer {
                name: "rules".to_owned(),
                title: String::new(),
                question: String::new(),
                preamble: Vec::new(),
                schema: batch.schema(),
                batches: vec![batch],
                glance: Vec::new(),
                footer: Vec::new(),
            }])?;
            Ok(Code::Clean)
        }
        cli::Rules::Explain { rule } => {
            let rule = rule::find(rules, rule).map_err(Failure::usage)?;
            print(&rule::text::explain(rule)).map(|()| Code::Clean)
        }
        cli::Rules::Test { folder, rule, rules } => {
            test(super::trail::rules(rules)?, folder, rule.as_deref())
        }
    }
}

/// Code, name, severity, kind and title of each rule.
fn listing(rules: &[Rule]) -> Result<RecordBatch, Failure> {
    let column = |of: fn(&Rule) -> String| -> (ArrayRef, bool) {
        (Arc::new(rules.iter().map(|rule| Some(of(rule))).collect::<StringViewArray>()), true)
    };
    RecordBatch::try_from_iter_with_nullable(
        [
            ("rule_id", column(|rule| rule.code.clone())),
            ("rule_name", column(|rule| rule.name.clone())),
            ("severity", column(|rule| rule.severity.to_string())),
            ("kind", column(|rule| rule.kind.to_string())),
            ("needs", column(|rule| rule.needs.join(" "))),
            ("title", column(|rule| rule.title.clone())),
        ]
        .map(|(name, (array, nullable))| (name, array, nullable)),
    )
    .map_err(Failure::failed)
}

/// Runs each rule over its two fixture folders.
fn test(rules: &'static [Rule], folder: &Path, only: Option<&str>) -> Result<Code, Failure> {
    let only = only.map(|name| rule::find(rules, name).map_err(Failure::usage)).transpose()?;
    if !folder.is_dir() {
        return Err(Failure::failed(format!("{} is no folder", folder.display()))
            .help("give a folder laid out as <code>-<name>/{fires,silent}"));
    }
    let (mut passed, mut failed) = (0, 0);
    for rule in rules.iter().filter(|rule| only.is_none_or(|only| only.code == rule.code)) {
        let fixture = folder.join(rule.stem());
        for (side, fires) in [("fires", true), ("silent", false)] {
            let outcome = one(rule, &fixture, &fixture.join(side));
            match outcome {
                Ok(violations) if (violations > 0) == fires => passed += 1,
                Ok(violations) => {
                    failed += 1;
                    let expected = if fires { "at least one violation" } else { "none" };
                    say(&format!(
                        "FAILED {} {side}: {violations} violations, expected {expected}",
                        rule.code
                    ));
                }
                Err(failure) => {
                    failed += 1;
                    say(&format!("FAILED {} {side}: {}", rule.code, failure.message));
                }
            }
        }
    }
    print(&format!("{passed} passed, {failed} failed\n"))?;
    Ok(if failed == 0 { Code::Clean } else { Code::Violations })
}

/// How many violations a rule finds in a folder.
fn one(rule: &'static Rule, fixture: &Path, events: &Path) -> Result<i64, Failure> {
    let policy = fixture.join("policy.toml");
    let input = Input::folder(events, policy.exists().then_some(policy));
    let prepared = Prepared::new(&input)?;
    let judgement = Judgement::of(std::slice::from_ref(rule), &prepared)?;
    let trail = prepared.open(&input, &judgement.queries(), &Judgement::COLUMNS, false)?;
    if !trail.complete() {
        return Err(Failure::failed("a fixture record is refused"));
    }
    let found = judgement.run(&trail)?;
    if !found.complete() {
        return Err(Failure::failed("it could not be run"));
    }
    Ok(found.outcomes().iter().map(|outcome| outcome.violations).sum())
}
