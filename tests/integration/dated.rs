//! Policies of several versions, each in force for a time, and what `policy` says beside them.

use std::fs;
use std::path::Path;

use serde_json::Value;
use tempfile::TempDir;

use crate::command::{Run, bedtrail, only};
use crate::record::{ACCOUNT, call, write};

const TRAIL: &str = "fixtures/trail";
const ACME: &str = "fixtures/policy.toml";

/// The policy of the fixtures as two versions that say the same.
fn split(folder: &Path) {
    let acme = fs::read_to_string(ACME).expect("the policy");
    let earlier = acme.replace("version = \"2026.11\"", "version = \"2026.10\"");
    fs::write(folder.join("a.toml"), earlier).expect("a file can be written");
    let later = acme.replace("effective_from = 2026-10-01", "effective_from = 2026-10-15");
    fs::write(folder.join("b.toml"), later).expect("a file can be written");
}

/// The rows of reports of one audit.
fn rows<const N: usize>(reports: [&str; N], policy: &Path) -> [Value; N] {
    let out = tempfile::tempdir().expect("a temporary folder");
    bedtrail(["audit"]).source(TRAIL).policy(policy).format("json").out(out.path()).run().exits(1);
    reports.map(|report| {
        let text = fs::read_to_string(out.path().join(report).with_extension("json")).expect("a report");
        let file: Value = serde_json::from_str(&text).expect("JSON");
        file["reports"][0]["rows"].clone()
    })
}

#[test]
fn a_policy_cut_in_two_finds_what_the_whole_finds() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    split(folder.path());
    let reports = ["rules", "violations"];
    let whole = rows(reports, Path::new(ACME));
    assert!(whole.iter().all(|rows| rows.as_array().is_some_and(|rows| rows.len() > 5)));
    for ((report, cut), whole) in reports.into_iter().zip(rows(reports, folder.path())).zip(whole) {
        assert_eq!(cut, whole, "{report}");
    }
}

/// Records at noon of days of October, under versions of a policy.
struct Case(TempDir);

impl Case {
    fn new(days: &[u32], versions: &[&str]) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        fs::create_dir(folder.path().join("logs")).expect("a new folder");
        fs::create_dir(folder.path().join("policy")).expect("a new folder");
        let record = |day: &u32| {
            let mut record = call(*day);
            record["eventTime"] = format!("2026-10-{day:02}T12:00:00Z").into();
            record
        };
        write(&folder.path().join("logs"), "log", &days.iter().map(record).collect::<Vec<_>>());
        for (at, more) in versions.iter().enumerate() {
            let text = format!("schema = 1\nname = \"case\"\nversion = \"{at}\"\n{more}\n");
            fs::write(folder.path().join(format!("policy/{at}.toml")), text).expect("a file can be written");
        }
        Self(folder)
    }

    fn run(&self, words: &[&str]) -> Run {
        bedtrail(words).source(self.0.path().join("logs")).policy(self.0.path().join("policy"))
    }

    fn asked(&self, sql: &str) -> String {
        let text = self.run(&["query", sql]).args(only(sql)).format("csv").run().exits(0).stdout;
        text.split_once('\n')
            .map_or(String::new(), |(_, rows)| rows.replace("\r\n", "\n").trim_end().to_owned())
    }
}

fn environment(name: &str) -> String {
    format!("[[environment]]\nname = \"{name}\"\naccounts = [\"{ACCOUNT}\"]\n")
}

const EVERY: &str = "[[allow]]\nid = \"every\"\nroles = [\"*\"]\nmodels = [\"*\"]\n";
const NONE: &str = "[[allow]]\nid = \"none\"\nroles = [\"nobody\"]\nmodels = [\"*\"]\n";

#[test]
fn each_event_is_judged_by_the_version_of_its_time() {
    let case = Case::new(
        &[1, 4, 5, 9, 10, 11],
        &[
            &format!("effective_from = 2026-10-03\n{}{EVERY}", environment("first")),
            &format!("effective_from = 2026-10-05\n{}{NONE}", environment("second")),
            &format!(
                "effective_from = 2026-10-10\n{}{EVERY}[rules.BT001]\nenabled = false\nreason = \"r\"\nowner = \"o\"\n",
                environment("third")
            ),
        ],
    );
    insta::assert_snapshot!(case.asked(
        "SELECT event_time, environment, policy_version, decision, grant_id FROM decisions ORDER BY 1"
    ), @r"
    2026-10-01T12:00:00Z,first,,not_assessed,
    2026-10-04T12:00:00Z,first,0,allowed,every
    2026-10-05T12:00:00Z,second,1,uncovered,
    2026-10-09T12:00:00Z,second,1,uncovered,
    2026-10-10T12:00:00Z,third,2,allowed,every
    2026-10-11T12:00:00Z,third,2,allowed,every
    ");
    insta::assert_snapshot!(case.asked(
        "SELECT state, population, violating_events, passed, not_assessed, reason FROM rule_results \
         WHERE rule_id = 'BT001'"
    ), @"judged,4,2,1,1,turned off by the policy: r (o) (latest version)");
    insta::assert_snapshot!(case.asked(
        "SELECT status, environment, event_count, first_seen, last_seen FROM findings WHERE rule_id = 'BT001' \
         ORDER BY status"
    ), @r"
    not_assessed,first,1,2026-10-01T12:00:00Z,2026-10-01T12:00:00Z
    violation,second,2,2026-10-05T12:00:00Z,2026-10-09T12:00:00Z
    ");
    assert_eq!(case.asked("SELECT policy_version FROM run"), "0 1 2");
    let one = case.run(&["query", "SELECT policy_version FROM run"]).args([
        "--from",
        "2026-10-05",
        "--to",
        "2026-10-10",
    ]);
    assert_eq!(one.format("csv").run().exits(0).stdout.lines().last(), Some("1"));
    let audit = case.run(&["audit"]).format("json").run().stdout;
    assert!(
        audit.contains(
            "policy versions: Each event is judged by the version in force at its time: case 0 from"
        )
    );
}

#[test]
fn days_that_clash_end_the_run() {
    let case = Case::new(&[1], &["", ""]);
    case.run(&["report", "rules"]).run().exits(2).says("0.toml says effective_from");
    let empty = Case::new(&[1], &[]);
    empty.run(&["report", "rules"]).run().exits(2).says("the folder holds no policy");
}

#[test]
fn entries_that_cover_nothing_are_told() {
    let case = Case::new(
        &[1, 4],
        &[&format!("{EVERY}{NONE}[[allow]]\nid = \"all\"\nroles = [\"*\"]\nmodels = [\"*\"]\n")],
    );
    let (policy, logs) = (case.0.path().join("policy"), case.0.path().join("logs"));
    let told = bedtrail(["policy", "check"]).args([policy]).source(logs).run().exits(0).stdout;
    let told: Vec<&str> = told.lines().skip(1).collect();
    insta::assert_snapshot!(told.join("\n"), @r"
    allow every of version 0: 2 events, last 2026-10-04T12:00:00Z
    allow none of version 0: covers no event
    allow all of version 0: 2 events, last 2026-10-04T12:00:00Z
    2 events are covered by several allow entries of version 0: all, every
    ");
}

#[test]
fn a_policy_made_of_what_is_used_allows_it() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let text = bedtrail(["policy", "init", "--from-usage"]).source(TRAIL).run().exits(0).stdout;
    let path = folder.path().join("policy.toml");
    fs::write(&path, &text).expect("a file can be written");
    bedtrail(["policy", "check"]).args([&path]).run().exits(0);
    let rules = ["report", "rules", "--rule", "BT001"];
    let rules = bedtrail(rules).source(TRAIL).policy(&path).format("json").run().json();
    let rule = &rules["reports"][0]["rows"][0];
    assert_eq!((rule["state"].as_str(), rule["violations"].as_i64()), (Some("judged"), Some(0)));
}

#[test]
fn waivers_are_listed_by_what_is_left_of_them() {
    let waiver = |id: &str, created: &str, expires: &str| {
        format!(
            "[[waiver]]\nid = \"{id}\"\nrules = [\"BT001\"]\nmatch = \"principal = 'x'\"\nowner = \"o\"\n\
             approver = \"a\"\nreason = \"r\"\ncreated = {created}\nexpires = {expires}\n"
        )
    };
    let case = Case::new(
        &[1],
        &[&format!(
            "{}{}{}{}",
            waiver("W1", "2026-09-01", "2026-10-01"),
            waiver("W2", "2026-09-01", "2026-10-20"),
            waiver("W3", "2026-09-01", "2027-01-01"),
            waiver("W4", "2026-12-01", "2027-01-01")
        )],
    );
    let told =
        case.run(&["report", "waivers"]).args(["--now", "2026-10-10"]).format("csv").run().exits(0).stdout;
    let told: Vec<String> =
        told.lines().skip(1).map(|line| line.split(',').take(3).collect::<Vec<_>>().join(" ")).collect();
    assert_eq!(told.join("\n"), "W1 expired -9\nW2 expiring 10\nW3 in_force 83\nW4 not_yet 83");
}
