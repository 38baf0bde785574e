//! The versions of the policy that a run judges by: one where a file was given, several where a folder was.

use std::path::Path;
use std::sync::Arc;

use super::{Failure, say};
use crate::clock::{self, Window};
use crate::engine::{ByAccount, Engine, Era};
use crate::event::column::Field;
use crate::output::{Caveat, manifest};
use crate::policy::{Period, Policy, Problem, Timeline};
use crate::rule::dated::condition;

/// The versions, and which of them are in force within the window.
#[derive(Clone, Debug)]
pub(super) struct Versions {
    timeline: Arc<Timeline>,
    used: Vec<usize>,
}

impl Versions {
    /// Loads a file or a folder, or says everything that is wrong with it.
    pub(super) fn load(path: &Path, window: &Window, now: i64) -> Result<Self, Failure> {
        let timeline = Timeline::load(path, now).map_err(|problems| unusable(&problems))?;
        for policy in timeline.pending() {
            let from = policy.effective_from().map(|from| from.date().to_string()).unwrap_or_default();
            say(&format!("note: {} is in force from {from} on: nothing is judged by it yet", policy.file()));
        }
        let window = Period { from: window.from, to: window.to.or(Some(now.saturating_add(1))) };
        let used = timeline.within(window);
        Ok(Self { timeline: Arc::new(timeline), used })
    }

    /// The policies that events of the window are judged by, oldest first.
    pub(super) fn used(&self) -> impl Iterator<Item = &Policy> {
        self.used.iter().filter_map(|at| self.timeline.versions().get(*at))
    }

    /// Every policy that was ever in force: the waivers of all of them hold.
    pub(super) fn all(&self) -> &[Policy] {
        self.timeline.versions()
    }

    /// The last one in force within the window.
    pub(super) fn latest(&self) -> Option<&Policy> {
        self.used().last()
    }

    /// Whether events of the window are judged by more than one.
    pub(super) fn several(&self) -> bool {
        self.used.len() > 1
    }

    /// Those used with the time for which each of them judges; open where there is only one.
    pub(super) fn periods(&self) -> impl Iterator<Item = (&Policy, Period)> {
        let period = |at: usize| if self.several() { self.timeline.period(at) } else { Period::default() };
        self.used().zip(self.used.iter().map(move |at| period(*at)))
    }

    /// The waivers of all versions.
    pub(super) fn timeline(&self) -> &Timeline {
        &self.timeline
    }

    /// The environment of an account at a time, in microseconds.
    pub(super) fn environment_of(&self, account: &str, time: i64) -> Option<String> {
        self.timeline.environment_of(account, time).map(str::to_owned)
    }

    /// The column `environment` of rows that were read before.
    pub(super) fn by_account(&self) -> Vec<ByAccount> {
        let one = |at: usize| {
            let timeline = Arc::clone(&self.timeline);
            let of = move |account: &str| {
                let policy = timeline.versions().get(at)?;
                policy.environment_of(account).map(str::to_owned)
            };
            ByAccount {
                column: Field::Environment.name(),
                before: self.timeline.period(at).to,
                lookup: Arc::new(of),
            }
        };
        (0..self.timeline.versions().len()).map(one).collect()
    }

    /// Puts the relations `policy_*` into the engine: those of the latest version, and those of each one in its time.
    pub(super) fn register(&self, engine: &mut Engine, now: i64) -> Result<(), Failure> {
        let now = chrono::DateTime::from_timestamp_micros(now).unwrap_or_default();
        let Some(last) = self.used.last() else { return Ok(()) };
        for (name, batch) in self.timeline.relations(*last, now) {
            super::trail::put(engine, name, batch)?;
        }
        if self.several() {
            let era = |at: &usize| Era {
                condition: condition(self.timeline.period(*at)).unwrap_or_else(|| "TRUE".to_owned()),
                relations: self.timeline.relations(*at, now),
            };
            engine.set_eras(self.used.iter().map(era).collect()).map_err(Failure::failed)?;
        }
        Ok(())
    }

    /// The policies for the manifest.
    pub(super) fn described(&self) -> Vec<manifest::Policy> {
        self.periods()
            .map(|(policy, period)| manifest::Policy {
                name: policy.name().to_owned(),
                version: policy.version().to_owned(),
                sha256: policy.sha256().to_owned(),
                from: self.from(policy),
                to: period.to.map(clock::format_micros),
            })
            .collect()
    }

    fn from(&self, policy: &Policy) -> Option<String> {
        let from = policy.effective_from().filter(|_| self.several())?;
        Some(clock::format_micros(from.and_utc().timestamp_micros()))
    }

    /// What every report says where there are several.
    pub(super) fn caveat(&self) -> Option<Caveat> {
        let one = |(policy, period): (&Policy, Period)| {
            let from = self.from(policy).map(|from| format!(" from {from}")).unwrap_or_default();
            let to = period.to.map(|to| format!(" to {}", clock::format_micros(to))).unwrap_or_default();
            let (name, version, sha256) = (policy.name(), policy.version(), policy.sha256());
            format!("{name} {version}{from}{to} (sha256 {sha256})")
        };
        self.several().then(|| {
            let all: Vec<String> = self.periods().map(one).collect();
            let meaning =
                format!("Each event is judged by the version in force at its time: {}.", all.join("; "));
            Caveat::new("policy versions", meaning)
        })
    }

    /// One text of each version used, for a cell.
    pub(super) fn joined(&self, of: fn(&Policy) -> &str) -> String {
        let mut texts: Vec<&str> = Vec::new();
        for text in self.used().map(of) {
            if !texts.contains(&text) {
                texts.push(text);
            }
        }
        texts.join(" ")
    }
}

/// Everything that is wrong with a policy.
pub(super) fn unusable(problems: &[Problem]) -> Failure {
    let lines: Vec<String> = problems.iter().map(ToString::to_string).collect();
    Failure::usage(format!("the policy cannot be used\n{}", lines.join("\n")))
        .problems(problems)
        .help("`bedtrail policy init` prints a policy with every key explained")
}
