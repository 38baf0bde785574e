//! What the policy is taken to say: decisions, waivers and populations, on records made for one case each.

use std::fs;

use serde_json::Value;
use tempfile::TempDir;

use crate::command::{Run, bedtrail};
use crate::record::{ACCOUNT, call, write};

/// One environment, and what the case adds.
fn policy(more: &str) -> String {
    format!(
        "schema = 1\nname = \"case\"\nversion = \"1\"\n[[environment]]\nname = \"prod\"\n\
         accounts = [\"{ACCOUNT}\"]\ninference_geographies = [\"eu\"]\n{more}\n"
    )
}

/// A folder with one log, and a policy beside it.
struct Case(TempDir);

impl Case {
    fn new(records: &[Value], policy: &str) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        fs::create_dir(folder.path().join("logs")).expect("a new folder");
        write(&folder.path().join("logs"), "log", records);
        fs::write(folder.path().join("policy.toml"), policy).expect("a file can be written");
        Self(folder)
    }

    fn run(&self, words: &[&str]) -> Run {
        bedtrail(words).source(self.0.path().join("logs")).policy(self.0.path().join("policy.toml"))
    }

    /// The lines that a query gives, as CSV without its header.
    fn asked(&self, sql: &str) -> String {
        let text = self.run(&["query", sql]).format("csv").run().exits(0).stdout;
        text.split_once('\n')
            .map_or(String::new(), |(_, rows)| rows.replace("\r\n", "\n").trim_end().to_owned())
    }

    /// Of one rule: state, population, violating events, waived, passed and not assessed.
    fn counts(&self, rule: &str) -> String {
        self.asked(&format!(
            "SELECT state, population, violating_events, waived, passed, not_assessed FROM rule_results \
             WHERE rule_id = '{rule}'"
        ))
    }
}

fn with_model(number: u32, model: &str) -> Value {
    let mut record = call(number);
    record["requestParameters"]["modelId"] = model.into();
    record
}

/// A session whose record does not name its role's ARN, so that its path is lost.
fn pathless(number: u32, role: &str) -> Value {
    let mut record = call(number);
    record["userIdentity"]["arn"] = format!("arn:aws:sts::{ACCOUNT}:assumed-role/{role}/session").into();
    record["userIdentity"]["sessionContext"] = Value::Null;
    record
}

const DECISIONS: &str = "SELECT event_id, decision, grant_id, reason FROM decisions ORDER BY event_id";

#[test]
fn a_deny_entry_with_a_path_is_not_passed_over_where_the_path_is_lost() {
    let case = Case::new(
        &[call(1), pathless(2, "claims-bot"), pathless(3, "analyst"), pathless(4, "anybody")],
        &policy(
            "[[allow]]\nid = 'all'\nroles = ['arn:aws:iam::*:role/*']\nmodels = ['*']\n\
             [[deny]]\nid = 'service'\nroles = ['arn:aws:iam::*:role/service/claims-b?t']\nmodels = ['anthropic.*']\n\
             [[deny]]\nid = 'other'\nroles = ['arn:aws:iam::*:role/team/a*t']\nmodels = ['amazon.*']",
        ),
    );
    insta::assert_snapshot!(case.asked(DECISIONS), @r"
    0f1e2d3c-0000-4000-8000-000000000001,denied_entry,service,a deny entry covers it
    0f1e2d3c-0000-4000-8000-000000000002,not_assessed,,role path not recorded: a deny entry may mean this role
    0f1e2d3c-0000-4000-8000-000000000003,allowed,all,an allow entry covers it
    0f1e2d3c-0000-4000-8000-000000000004,allowed,all,an allow entry covers it
    ");
}

#[test]
fn a_profile_named_by_its_arn_has_its_prefix_too() {
    let arn = |id: &str| format!("arn:aws:bedrock:eu-central-1:{ACCOUNT}:inference-profile/{id}");
    let sonnet = "anthropic.claude-sonnet-4-5-20250929-v1:0";
    let case = Case::new(
        &[
            with_model(1, &arn(&format!("global.{sonnet}"))),
            with_model(2, &arn(&format!("eu.{sonnet}"))),
            with_model(3, &format!("eu.{sonnet}")),
            with_model(4, &arn("us.anthropic.claude-3-5-haiku-20241022-v1:0")),
            with_model(5, sonnet),
        ],
        &policy(
            "[[allow]]\nid = 'eu'\nroles = ['*']\nmodels = ['eu.anthropic.claude-sonnet-4-5-20250929']\n\
             [[deny]]\nid = 'global'\nmodels = ['global.*']\n[[deny]]\nid = 'us'\nmodels = ['us.anthropic.*']",
        ),
    );
    insta::assert_snapshot!(case.asked(DECISIONS), @r#"
    0f1e2d3c-0000-4000-8000-000000000001,denied_entry,global,a deny entry covers it
    0f1e2d3c-0000-4000-8000-000000000002,allowed,eu,an allow entry covers it
    0f1e2d3c-0000-4000-8000-000000000003,allowed,eu,an allow entry covers it
    0f1e2d3c-0000-4000-8000-000000000004,denied_entry,us,a deny entry covers it
    0f1e2d3c-0000-4000-8000-000000000005,uncovered,,"no allow entry covers this role, model and activity"
    "#);
}
