//! The versions of a policy, each in force from its day until the next one's.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use arrow::array::RecordBatch;
use chrono::{DateTime, NaiveDateTime, Utc};

use super::problem::{Problem, ProblemKind};
use super::{Policy, Waiver, relation};

/// A policy's versions, oldest first; at least one.
#[derive(Clone, Debug)]
pub struct Timeline {
    versions: Vec<Policy>,
    /// Files whose day has not come by the time of the run, which judge nothing.
    pending: Vec<Policy>,
}

/// A half-open stretch of event time in microseconds, UTC; open where there is none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Period {
    /// The first instant inside.
    pub from: Option<i64>,
    /// The first instant outside.
    pub to: Option<i64>,
}

impl Timeline {
    /// Reads a policy file, or a folder of them. `now` is the run's time in microseconds: a version whose day is later
    /// is set aside.
    ///
    /// # Errors
    /// Every mistake found, file by file; files of one day, or more than one without, are told together.
    pub fn load(path: &Path, now: i64) -> Result<Self, Vec<Problem>> {
        if !path.is_dir() {
            return Ok(Self { versions: vec![Policy::load(path)?], pending: Vec::new() });
        }
        let files = files(path)?;
        let mut problems = Vec::new();
        let mut versions: Vec<Policy> = Vec::new();
        for file in files {
            match Policy::load(&file) {
                Ok(policy) => versions.push(policy),
                Err(more) => problems.extend(more),
            }
        }
        versions.sort_by_key(Policy::effective_from);
        for pair in versions.windows(2) {
            problems.extend(clash(&pair[0], &pair[1]));
        }
        if !problems.is_empty() {
            return Err(problems);
        }
        let (pending, mut versions): (Vec<_>, Vec<_>) =
            versions.into_iter().partition(|policy| begins(policy).is_some_and(|from| from > now));
        let mut pending = pending.into_iter();
        // With none in force, the first one says what will be: all before it is not assessed.
        if versions.is_empty() {
            versions.extend(pending.next());
        }
        Ok(Self { versions, pending: pending.collect() })
    }

    /// The versions whose day has come, oldest first.
    pub fn versions(&self) -> &[Policy] {
        &self.versions
    }

    /// The versions whose day has not come.
    pub fn pending(&self) -> &[Policy] {
        &self.pending
    }

    /// When a version is in force. The oldest also judges what was before: it says that nothing was in force.
    pub fn period(&self, at: usize) -> Period {
        let from = |at: usize| self.versions.get(at).and_then(begins);
        Period { from: if at == 0 { None } else { from(at) }, to: from(at + 1) }
    }

    /// The numbers of the versions that are in force within a window of event time.
    pub fn within(&self, window: Period) -> Vec<usize> {
        let meets = |at: &usize| {
            let period = self.period(*at);
            let before = |one: Option<i64>, other: Option<i64>| {
                one.zip(other).is_some_and(|(one, other)| one <= other)
            };
            !before(period.to, window.from) && !before(window.to, period.from)
        };
        let found: Vec<usize> = (0..self.versions.len()).filter(meets).collect();
        if found.is_empty() { vec![0] } else { found }
    }

    /// The environment of an account at a time, in microseconds.
    pub fn environment_of(&self, account: &str, time: i64) -> Option<&str> {
        let after = self.versions.iter().skip(1).filter_map(begins).take_while(|from| *from <= time).count();
        self.versions.get(after).and_then(|policy| policy.environment_of(account))
    }

    /// The waivers of all versions with the version they are from: the latest that names an id wins. By their ids.
    pub fn waivers(&self) -> Vec<(&Policy, &Waiver)> {
        let all =
            self.versions.iter().flat_map(|policy| policy.waivers().iter().map(move |one| (policy, one)));
        let latest: BTreeMap<&str, (&Policy, &Waiver)> =
            all.map(|(policy, waiver)| (waiver.id.as_str(), (policy, waiver))).collect();
        latest.into_values().collect()
    }

    /// A version as relations, with the waivers of all; `now` is the run's time.
    pub fn relations(&self, at: usize, now: DateTime<Utc>) -> Vec<(&'static str, RecordBatch)> {
        let Some(policy) = self.versions.get(at) else { return super::empty_relations() };
        let waivers: Vec<&Waiver> = self.waivers().into_iter().map(|(_, waiver)| waiver).collect();
        let told = relation::Told {
            policy,
            waivers: if self.versions.len() > 1 { waivers } else { policy.waivers().iter().collect() },
            until: self.versions.get(at + 1).and_then(Policy::effective_from),
        };
        relation::relations(Some(&told), now.naive_utc())
    }
}

/// The first instant that a policy is in force, in microseconds.
fn begins(policy: &Policy) -> Option<i64> {
    policy.effective_from().map(|from: NaiveDateTime| from.and_utc().timestamp_micros())
}

/// The policy files of a folder, by name.
fn files(folder: &Path) -> Result<Vec<PathBuf>, Vec<Problem>> {
    let failed = |message: String| {
        vec![Problem {
            kind: ProblemKind::Unreadable,
            file: folder.display().to_string(),
            line: 0,
            column: 0,
            message,
            help: Some("a folder of policies holds a *.toml for each version".to_owned()),
        }]
    };
    let entries = std::fs::read_dir(folder).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    let entries = entries.map_err(|error| failed(format!("the folder cannot be read: {error}")))?;
    let toml = |path: &PathBuf| {
        let hidden = path.file_name().is_none_or(|name| name.to_string_lossy().starts_with('.'));
        !hidden && path.extension().is_some_and(|extension| extension == "toml") && !path.is_dir()
    };
    let mut files: Vec<PathBuf> = entries.into_iter().map(|entry| entry.path()).filter(toml).collect();
    files.sort();
    if files.is_empty() {
        return Err(failed("the folder holds no policy".to_owned()));
    }
    Ok(files)
}

/// That two versions are in force from the same day.
fn clash(one: &Policy, two: &Policy) -> Option<Problem> {
    if one.effective_from() != two.effective_from() {
        return None;
    }
    let (kind, message, help) = match one.content.effective_from {
        Some(day) => (
            ProblemKind::Invalid,
            format!("effective_from = {day} stands in {} too", one.file().escape_debug()),
            "of two versions one is in force on a day",
        ),
        None => (
            ProblemKind::Missing,
            format!("neither this file nor {} says effective_from", one.file().escape_debug()),
            "only the oldest version may leave it out",
        ),
    };
    Some(Problem {
        kind,
        file: two.file().to_owned(),
        line: 0,
        column: 0,
        message,
        help: Some(help.to_owned()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (name, more) in files {
            let text = format!("schema = 1\nname = 'n'\nversion = '{name}'\n{more}\n");
            std::fs::write(folder.path().join(name), text).unwrap();
        }
        folder
    }

    fn micros(day: &str) -> i64 {
        format!("{day}T00:00:00Z").parse::<DateTime<Utc>>().unwrap().timestamp_micros()
    }

    fn load(files: &[(&str, &str)]) -> Result<Timeline, String> {
        let folder = folder(files);
        Timeline::load(folder.path(), micros("2026-11-23")).map_err(|problems| {
            let lines: Vec<String> = problems.iter().map(ToString::to_string).collect();
            lines.join("\n").replace(&folder.path().display().to_string(), "DIR")
        })
    }

    #[test]
    fn versions_follow_one_another() {
        let environment =
            |name: &str| format!("[[environment]]\nname = '{name}'\naccounts = ['111122223333']");
        let waiver = |reason: &str| {
            format!(
                "[[waiver]]\nid = 'W'\nrules = ['BT001']\nowner = 'o'\napprover = 'a'\nreason = '{reason}'\n\
                 created = 2026-10-01\nexpires = 2026-12-31"
            )
        };
        let timeline = load(&[
            ("b.toml", &format!("effective_from = 2026-10-01\n{}\n{}", environment("b"), waiver("old"))),
            ("a.toml", &format!("effective_from = 2026-11-01\n{}\n{}", environment("a"), waiver("new"))),
            ("c.toml", &environment("c")),
            ("later.toml", "effective_from = 2027-01-01"),
            (".draft.toml", "nonsense"),
            ("notes.txt", "nonsense"),
        ])
        .unwrap();
        let names: Vec<&str> = timeline.versions().iter().map(Policy::version).collect();
        assert_eq!(names, ["c.toml", "b.toml", "a.toml"]);
        assert_eq!(timeline.pending().len(), 1);
        assert_eq!(timeline.period(0), Period { from: None, to: Some(micros("2026-10-01")) });
        assert_eq!(timeline.period(2), Period { from: Some(micros("2026-11-01")), to: None });
        let at = |time| timeline.environment_of("111122223333", time);
        assert_eq!(at(micros("2026-10-01") - 1), Some("c"));
        assert_eq!(at(micros("2026-10-01")), Some("b"));
        assert_eq!(at(micros("2026-11-01")), Some("a"));
        let window =
            |from: &str, to: &str| timeline.within(Period { from: Some(micros(from)), to: Some(micros(to)) });
        assert_eq!(window("2026-10-01", "2026-11-01"), [1]);
        assert_eq!(window("2026-09-30", "2026-11-02"), [0, 1, 2]);
        assert_eq!(timeline.within(Period::default()), [0, 1, 2]);
        let waivers = timeline.waivers();
        assert_eq!((waivers.len(), waivers[0].1.reason.as_str()), (1, "new"));
    }

    #[test]
    fn days_that_clash_are_told_with_both_files() {
        let said = [
            load(&[]).unwrap_err(),
            load(&[("a.toml", ""), ("b.toml", "")]).unwrap_err(),
            load(&[("a.toml", "effective_from = 2026-10-01"), ("b.toml", "effective_from = 2026-10-01")])
                .unwrap_err(),
            load(&[("a.toml", "regions = 1"), ("b.toml", "x = 2")]).unwrap_err(),
        ];
        insta::assert_snapshot!(said.join("\n"), @r"
        DIR: the folder holds no policy (help: a folder of policies holds a *.toml for each version)
        DIR/b.toml: neither this file nor DIR/a.toml says effective_from (help: only the oldest version may leave it out)
        DIR/b.toml: effective_from = 2026-10-01 stands in DIR/a.toml too (help: of two versions one is in force on a day)
        DIR/a.toml:4:1: unknown key 'regions' (help: known here: schema, name, version, timezone, effective_from, allow_tamper_waiver, defaults, environment, allow, deny, model_end, agent, logging, approved, aliases, alias, rules, custom, waiver)
        DIR/b.toml:4:1: unknown key 'x' (help: known here: schema, name, version, timezone, effective_from, allow_tamper_waiver, defaults, environment, allow, deny, model_end, agent, logging, approved, aliases, alias, rules, custom, waiver)
        ");
    }

    #[test]
    fn a_version_of_the_future_alone_has_nothing_in_force_before_it() {
        let timeline = load(&[("a.toml", "effective_from = 2027-01-01")]).unwrap();
        assert_eq!((timeline.versions().len(), timeline.pending().len()), (1, 0));
    }
}
