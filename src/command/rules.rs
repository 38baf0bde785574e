//! `bedtrail rules`: list, explain, test.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, StringViewArray};

use super::deliver::Delivery;
use super::judge::Judgement;

use super::trail::{self, Prepared, load_policy, put};
use super::{Failure, print, say};
use crate::cli::{self, Input};
use crate::engine::{Engine, Limits};
use crate::event::scope::Scope;
use crate::exit::Code;
use crate::output::{Answer, shown};
use crate::policy;
use crate::rule::{self, Rule};

/// Runs the subcommand.
pub(super) fn run(arguments: &cli::Rules) -> Result<Code, Failure> {
    match arguments {
        cli::Rules::List { more, output } => {
            let delivery = Delivery::new(output, 1)?;
            if output.out.is_some() {
                return Err(Failure::usage("rules list writes to standard output only"));
            }
            let batch = listing(known(more)?)?;
            delivery.stream(&[Answer {
                name: "rules".to_owned(),
                title: String::new(),
                question: String::new(),
                preamble: Vec::new(),
                schema: batch.schema(),
                rows: batch.into(),
                glance: Vec::new(),
                footer: Vec::new(),
                findings: None,
            }])?;
            Ok(Code::Clean)
        }
        cli::Rules::Explain { rule, more } => {
            let rule = rule::find(known(more)?, rule).map_err(Failure::usage)?;
            // A rule of one's own, or of a policy, has a title that somebody else may have written.
            let page = rule::text::explain(rule);
            let lines: Vec<_> = page.lines().map(shown).collect();
            print(&(lines.join("\n") + "\n")).map(|()| Code::Clean)
        }
        cli::Rules::Import { files, code, out } => import(files, code, out.as_deref()),
        cli::Rules::Export { rule, more } => {
            let rule = rule::find(known(more)?, rule).map_err(Failure::usage)?;
            let text = rule::sigma::export(rule).map_err(Failure::usage)?;
            print(&text).map(|()| Code::Clean)
        }
        cli::Rules::Test { folder, rule, rules } => test(folder, rule.as_deref(), rules),
    }
}

/// The program's rules, and those given beside them.
fn known(more: &cli::MoreRules) -> Result<&'static [Rule], Failure> {
    if more.rules.is_empty() && more.policy.is_none() {
        return rule::catalogue().map_err(Failure::failed);
    }
    let own = rule::folder::read(&more.rules).map_err(Failure::usage)?;
    let policy = more.policy.as_deref().map(load_policy).transpose()?;
    trail::rules(&own, policy.as_ref(), &empty()?)
}

/// A session without a row.
fn empty() -> Result<Engine, Failure> {
    let engine =
        Engine::new(Limits { memory: 64 << 20, spill_dir: None, partitions: 1 }).map_err(Failure::failed)?;
    for (name, batch) in policy::empty_relations() {
        put(&engine, name, batch)?;
    }
    Ok(engine)
}

/// Makes rule files of Sigma rules: all of them, or none.
fn import(files: &[PathBuf], code: &str, out: Option<&Path>) -> Result<Code, Failure> {
    if files.len() > 1 && out.is_none() {
        return Err(Failure::usage("several rules are several files").help("name a folder with --out"));
    }
    let (letters, first) = numbered(code)?;
    let mut made = Vec::new();
    let mut wrong = Vec::new();
    for (file, number) in files.iter().zip(first..) {
        let text = std::fs::read_to_string(file)
            .map_err(|error| Failure::usage(format!("cannot read {}: {error}", file.display())))?;
        match rule::sigma::import(&text, &format!("{letters}{number:03}")) {
            Ok(imported) => made.push((file, imported)),
            Err(problem) => {
                let colon = if problem.line > 0 { ":" } else { ": " };
                wrong.push(format!("{}{colon}{problem}", file.display()));
            }
        }
    }
    if !wrong.is_empty() {
        return Err(Failure::usage(format!("the rules cannot be carried over\n{}", wrong.join("\n"))));
    }
    let scope = Scope::get();
    for (file, imported) in &made {
        let strange = imported.sources.iter().filter(|source| !scope.family(source));
        for source in strange {
            say(&format!(
                "note: {}: of {source} only some records are kept, or none: the rule may find nothing",
                file.display()
            ));
        }
    }
    let Some(folder) = out else {
        return print(&made.iter().map(|(_, imported)| imported.sql.as_str()).collect::<String>())
            .map(|()| Code::Clean);
    };
    let paths: Vec<PathBuf> =
        made.iter().map(|(_, imported)| folder.join(format!("{}.sql", imported.stem))).collect();
    if let Some(path) = paths.iter().find(|path| path.exists()) {
        return Err(Failure::usage(format!("{} is there already", path.display()))
            .help("remove it, or give another --code"));
    }
    let failed = |path: &Path, error| Failure::failed(format!("cannot write {}: {error}", path.display()));
    std::fs::create_dir_all(folder).map_err(|error| failed(folder, error))?;
    for ((_, imported), path) in made.iter().zip(&paths) {
        std::fs::write(path, &imported.sql).map_err(|error| failed(path, error))?;
        say(&format!("{} written", path.display()));
    }
    Ok(Code::Clean)
}

/// The letters and the number of a code.
fn numbered(code: &str) -> Result<(&str, u32), Failure> {
    let letters = code.trim_end_matches(|c: char| c.is_ascii_digit());
    let number = code[letters.len()..].parse();
    match number {
        Ok(number) if !letters.is_empty() && letters.bytes().all(|byte| byte.is_ascii_uppercase()) => {
            Ok((letters, number))
        }
        _ => Err(Failure::usage(format!("{code} is no code: capital letters and a number, like ACME001"))),
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

/// The folders of events beside a rule's policy: `fires` and `silent`, and further ones that begin like them.
fn cases(fixture: &Path) -> std::io::Result<BTreeSet<String>> {
    let mut cases = BTreeSet::from(["fires".to_owned(), "silent".to_owned()]);
    let entries = match std::fs::read_dir(fixture) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(cases),
        Err(error) => return Err(error),
    };
    for entry in entries {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let begins = name.starts_with("fires-") || name.starts_with("silent-");
        if begins && entry.path().is_dir() {
            cases.insert(name);
        }
    }
    Ok(cases)
}

fn failed_to_read(folder: &Path, error: &std::io::Error) -> Failure {
    Failure::failed(format!("{}: {error}", folder.display()))
}

/// Runs each rule over its folders of events. A folder that holds rules brings those to be tested.
fn test(folder: &Path, only: Option<&str>, folders: &[PathBuf]) -> Result<Code, Failure> {
    if !folder.is_dir() {
        return Err(Failure::failed(format!("{} is no folder", folder.display())).help(
            "give a folder laid out as <code>-<name>/{fires,silent}, and further fires-… and silent-…",
        ));
    }
    let mut folders = folders.to_vec();
    let own_only = rule::folder::has_rules(folder).map_err(Failure::usage)?;
    if own_only && !folders.iter().any(|given| given == folder) {
        folders.push(folder.to_owned());
    }
    let own = rule::folder::read(&folders).map_err(Failure::usage)?;
    let rules = trail::rules(&own, None, &empty()?)?;
    let only = only.map(|name| rule::find(rules, name).map_err(Failure::usage)).transpose()?;
    let tested = |rule: &&Rule| match only {
        Some(only) => only.code == rule.code,
        None => !own_only || own.iter().any(|own| own.rule.code == rule.code),
    };
    let (mut passed, mut failed) = (0, 0);
    for rule in rules.iter().filter(tested) {
        let fixture = folder.join(rule.stem());
        for case in cases(&fixture).map_err(|error| failed_to_read(&fixture, &error))? {
            let fires = case.starts_with("fires");
            let outcome = one(rule, &fixture, &fixture.join(&case));
            match outcome {
                Ok(violations) if (violations > 0) == fires => passed += 1,
                Ok(violations) => {
                    failed += 1;
                    let expected = if fires { "at least one violation" } else { "none" };
                    say(&format!(
                        "FAILED {} {case}: {violations} violations, expected {expected}",
                        rule.code
                    ));
                }
                Err(failure) => {
                    failed += 1;
                    say(&format!("FAILED {} {case}: {}", rule.code, failure.message));
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
    let mut input = Input::folder(events, policy.exists().then_some(policy));
    // What a rule about agents judges is kept only where their roles are followed.
    if rule.needs.iter().any(|relation| relation.starts_with("policy_agent")) {
        input.scope = cli::Scope::Agents;
    }
    let logs = events.join("invocation-logs");
    input.invocation_logs.extend(logs.is_dir().then(|| logs.display().to_string()));
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
