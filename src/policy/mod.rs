//! ⓪ The policy file: who may use what, which findings are waived, how rules are set.
//!
//! TOML, read with places so that every mistake can be shown where it stands, then validated into a [`Policy`] and
//! turned into the relations `policy_*` that rules join with `events`. Patterns are globs; conditions are a checked
//! subset of SQL.

mod activity;
pub mod alias;
mod check;
pub mod draft;
mod entry;
mod glob;
mod lifecycle;
mod model;
mod offset;
mod predicate;
mod problem;
mod read;
mod relation;
pub mod scp;
mod table;
mod timeline;
mod typing;
mod written;

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write as _;
use std::path::Path;

use arrow::array::RecordBatch;
use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, Utc};
use sha2::{Digest as _, Sha256};

pub use alias::Alias;
pub use entry::{
    Agent, Approved, BusinessHours, Custom, Defaults, Environment, Grant, Logging, ModelEnd, Parameter,
    RuleSetting, Waiver,
};
pub use glob::{glob_matches, glob_to_regex};
pub use problem::{Problem, ProblemKind};
pub use table::{ColumnDoc, TableDoc};
pub use timeline::{Period, Timeline};

use problem::{Collector, Named, Source, nearest, quoted};

/// A commented policy file with every key, which loads as it stands.
pub const TEMPLATE: &str = include_str!("../../queries/policy-template.toml");

/// A validated policy.
#[derive(Clone, Debug)]
pub struct Policy {
    source: Source,
    sha256: String,
    content: Content,
    notes: Vec<Problem>,
    accounts: Accounts,
}

/// What the file says, validated.
#[derive(Clone, Debug)]
struct Content {
    name: String,
    version: String,
    timezone: String,
    effective_from: Option<NaiveDate>,
    defaults: Defaults,
    environments: Vec<Environment>,
    allow: Vec<Grant>,
    deny: Vec<Grant>,
    model_ends: Vec<ModelEnd>,
    agents: Vec<Agent>,
    logging: Logging,
    approved: Approved,
    aliases: Vec<Alias>,
    rules: BTreeMap<String, RuleSetting>,
    customs: Vec<Custom>,
    waivers: Vec<Waiver>,
    /// Where the condition of each waiver stands, by its id.
    conditions: Named,
    /// Every place that names a rule.
    named_rules: Named,
}

/// Account patterns made fast to look up; the numbers are positions in the file and indexes of environments.
#[derive(Clone, Debug, Default)]
struct Accounts {
    exact: HashMap<String, (usize, usize)>,
    globs: Vec<(usize, usize, String)>,
}

impl Accounts {
    fn new(environments: &[Environment]) -> Self {
        let mut accounts = Self::default();
        let patterns = environments.iter().enumerate().flat_map(|(index, environment)| {
            environment.accounts.iter().map(move |pattern| (index, pattern))
        });
        for (position, (index, pattern)) in patterns.enumerate() {
            if pattern.contains(['*', '?']) {
                accounts.globs.push((position, index, pattern.clone()));
            } else {
                accounts.exact.entry(pattern.clone()).or_insert((position, index));
            }
        }
        accounts
    }

    fn find(&self, account: &str) -> Option<usize> {
        let exact = self.exact.get(account).copied();
        let before = exact.map_or(usize::MAX, |(position, _)| position);
        self.globs
            .iter()
            .take_while(|(position, ..)| *position < before)
            .find(|(_, _, pattern)| glob_matches(pattern, account))
            .map(|(_, index, _)| *index)
            .or(exact.map(|(_, index)| index))
    }
}

impl Policy {
    /// Reads and validates a policy file.
    ///
    /// # Errors
    /// Every mistake found, in file order; or the one of kind [`ProblemKind::Unreadable`] where there is no such file
    /// or it cannot be read.
    pub fn load(path: &Path) -> Result<Self, Vec<Problem>> {
        let file = path.display().to_string();
        match std::fs::read(path) {
            Ok(bytes) => Self::parse(&file, &bytes),
            Err(error) => Err(vec![Problem {
                kind: ProblemKind::Unreadable,
                file,
                line: 0,
                column: 0,
                message: format!("the policy cannot be read: {error}"),
                help: Some("`bedtrail policy init` prints a file to begin with".to_owned()),
            }]),
        }
    }

    /// Validates the bytes of a policy file; `file` is the name that problems carry.
    ///
    /// # Errors
    /// Every mistake found, in file order.
    pub fn parse(file: &str, bytes: &[u8]) -> Result<Self, Vec<Problem>> {
        let text = String::from_utf8_lossy(bytes).into_owned();
        let source = Source { file: file.to_owned(), text };
        if let Err(error) = std::str::from_utf8(bytes) {
            let message = "the file is not UTF-8";
            return Err(vec![source.problem(ProblemKind::Syntax, error.valid_up_to(), message)]);
        }
        let mut collector = Collector::new(&source);
        let written = read::read(&source, &mut collector);
        let content = check::check(written, &mut collector);
        let (mut problems, notes) = (collector.problems, collector.notes);
        if !problems.is_empty() {
            // What a mistake of form took away is not missing; and where the TOML does not parse, all is.
            if problems.iter().any(|problem| problem.kind == ProblemKind::Syntax) {
                problems.retain(|problem| problem.kind != ProblemKind::Missing);
            }
            problems.sort_by_key(|problem| (problem.line, problem.column));
            return Err(problems);
        }
        let mut sha256 = String::with_capacity(64);
        for byte in Sha256::digest(bytes) {
            write!(sha256, "{byte:02x}").unwrap_or_default();
        }
        let accounts = Accounts::new(&content.environments);
        Ok(Self { source, sha256, content, notes, accounts })
    }

    /// The policy's name.
    pub fn name(&self) -> &str {
        &self.content.name
    }

    /// The policy's version.
    pub fn version(&self) -> &str {
        &self.content.version
    }

    /// SHA-256 of the file's bytes, in lower-case hexadecimal.
    pub fn sha256(&self) -> &str {
        &self.sha256
    }

    /// The file's path as it was given.
    pub fn file(&self) -> &str {
        &self.source.file
    }

    /// The first instant at which the policy is in force, UTC; `None` is always.
    pub fn effective_from(&self) -> Option<NaiveDateTime> {
        self.content.effective_from.map(|day| day.and_time(NaiveTime::MIN))
    }

    /// The IANA name of the zone that business hours are in; `UTC` where the file is silent.
    pub fn timezone(&self) -> &str {
        &self.content.timezone
    }

    /// `[defaults]`.
    pub fn defaults(&self) -> &Defaults {
        &self.content.defaults
    }

    /// `[[environment]]`, in file order.
    pub fn environments(&self) -> &[Environment] {
        &self.content.environments
    }

    /// The environment of an account: the first whose patterns match.
    pub fn environment_of(&self, account: &str) -> Option<&str> {
        self.accounts.find(account).map(|index| self.content.environments[index].name.as_str())
    }

    /// `[[allow]]`, in file order.
    pub fn allow(&self) -> &[Grant] {
        &self.content.allow
    }

    /// `[[agent]]`, in file order.
    pub fn agents(&self) -> &[Agent] {
        &self.content.agents
    }

    /// `[[alias]]` and `[aliases]`, by their references.
    pub fn aliases(&self) -> &[Alias] {
        &self.content.aliases
    }

    /// `[logging]`.
    pub fn logging(&self) -> &Logging {
        &self.content.logging
    }

    /// `[approved]`.
    pub fn approved(&self) -> &Approved {
        &self.content.approved
    }

    /// `[[waiver]]`, in file order.
    pub fn waivers(&self) -> &[Waiver] {
        &self.content.waivers
    }

    /// `[[custom]]`, in file order.
    pub fn customs(&self) -> &[Custom] {
        &self.content.customs
    }

    /// How the policy sets a rule, if it does.
    pub fn rule_setting(&self, code: &str) -> Option<&RuleSetting> {
        self.content.rules.get(code)
    }

    /// The parameters that the policy gives a rule, by name; `None` where it gives none.
    pub fn rule_parameters(&self, code: &str) -> Option<&BTreeMap<String, Parameter>> {
        self.rule_setting(code).map(|setting| &setting.parameters).filter(|parameters| !parameters.is_empty())
    }

    /// What is legal but worth knowing: overlapping environments, waivers without a condition.
    pub fn notes(&self) -> &[Problem] {
        &self.notes
    }

    /// The rules named that neither `known` nor `[[custom]]` has, with the places that name them, in file order.
    pub fn unknown_rules(&self, known: &[&str]) -> Vec<(String, Problem)> {
        let own: Vec<&str> = self.content.customs.iter().map(|custom| custom.id.as_str()).collect();
        let codes = || known.iter().copied().chain(own.iter().copied());
        let mut problems: Vec<(String, Problem)> = self
            .content
            .named_rules
            .iter()
            .filter(|(code, _)| !codes().any(|known| known == code))
            .map(|(code, at)| {
                let message = format!("no rule {}", quoted(code));
                let mut problem = self.source.problem(ProblemKind::Missing, at.start, message);
                // One digit off is no likeness among numbers.
                let near = if code.starts_with("BT") { None } else { nearest(code, codes()) };
                problem.help = Some(match near {
                    Some(near) => format!("did you mean {near}? `bedtrail rules list` shows all"),
                    None => "`bedtrail rules list` shows all".to_owned(),
                });
                (code.clone(), problem)
            })
            .collect();
        problems.sort_by_key(|(_, problem)| (problem.line, problem.column));
        problems
    }

    /// The code of every rule that the policy names, wherever it names it.
    pub fn named_rules(&self) -> impl Iterator<Item = &str> {
        self.content.named_rules.iter().map(|(code, _)| code.as_str())
    }

    /// A problem at the place where the policy sets a rule, for what only the rule itself can judge, such as a
    /// parameter it does not have.
    pub fn rule_problem(&self, code: &str, message: impl Into<String>) -> Problem {
        let at =
            self.content.named_rules.iter().find(|(named, _)| named == code).map_or(0, |(_, at)| at.start);
        self.source.problem(ProblemKind::Invalid, at, message)
    }

    /// A problem at the condition of a waiver, for what only the engine can judge.
    pub fn condition_problem(&self, waiver: &str, message: impl Into<String>) -> Problem {
        let at = self.content.conditions.iter().find(|(id, _)| id == waiver).map_or(0, |(_, at)| at.start);
        self.source.problem(ProblemKind::Invalid, at, message)
    }

    /// The policy as relations, one batch each, in the order of [`tables`]. `now` is the run's time, by which
    /// waivers are pending, active or expired.
    pub fn relations(&self, now: DateTime<Utc>) -> Vec<(&'static str, RecordBatch)> {
        let told = relation::Told { policy: self, waivers: self.waivers().iter().collect(), until: None };
        relation::relations(Some(&told), now.naive_utc())
    }
}

/// The relations where there is no policy: typed and empty, but for the built-in rows of `policy_model_end`.
pub fn empty_relations() -> Vec<(&'static str, RecordBatch)> {
    relation::relations(None, NaiveDateTime::default())
}

/// Names, columns and meanings of the relations, for discovery.
pub fn tables() -> &'static [TableDoc] {
    table::TABLES
}

#[cfg(test)]
mod tests;
