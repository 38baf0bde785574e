//! What the policy is taken to say: decisions, waivers and populations, on records made for one case each.

use std::fs;

use serde_json::Value;
use tempfile::TempDir;

use crate::command::{Run, audited, bedtrail, only};
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
        let text = self.run(&["query", sql]).args(only(sql)).format("csv").run().exits(0).stdout;
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

/// A call over the endpoint whose ids have no version.
fn with_mantle_model(number: u32, model: &str) -> Value {
    let mut record = mantle(number, "claims-bot", "CreateInference");
    record["requestParameters"] = serde_json::json!({ "model": model });
    record
}

#[test]
fn entries_and_ids_are_of_one_model_where_what_both_say_is_the_same() {
    let models = [
        "anthropic.claude-opus-4-6-v1",
        "us.anthropic.claude-opus-4-6-v1",
        "cohere.embed-multilingual-v3:0:512",
        "amazon.nova-pro-v1:0:24k",
        "anthropic.claude-3-haiku-20240307-v1",
        "amazon.nova-reel-v1:1",
        "anthropic.claude-opus-4-7-v1",
        "cohere.rerank-v3-5:0",
    ];
    let mut records: Vec<Value> =
        (1..).zip(models).map(|(number, model)| with_model(number, model)).collect();
    records.push(with_mantle_model(9, "openai.gpt-oss-120b"));
    records.push(with_mantle_model(10, "openai.gpt-oss-20b"));
    let entries = "['anthropic.claude-opus-4-6', 'cohere.embed-multilingual-v3', 'amazon.nova-pro-v1:0', \
                   'anthropic.claude-3-haiku-20240307-v1:0', 'amazon.nova-reel-v1:0', 'cohere.rerank-v3', \
                   'openai.gpt-oss-120b-1:0']";
    let deny = Case::new(
        &records,
        &policy(&format!(
            "[[allow]]\nid = 'all'\nroles = ['*']\nmodels = ['*']\n[[deny]]\nid = 'd'\nmodels = {entries}\n\
             [[model_end]]\nmodel = 'amazon.nova-pro-v1:0'\nafter = 2020-01-01\n\
             [[model_end]]\nmodel = 'openai.gpt-oss-120b-1:0'\nafter = 2020-01-01\n\
             [[model_end]]\nmodel = 'us.anthropic.claude-opus-4-6'\nafter = 2020-01-01"
        )),
    );
    let allow =
        Case::new(&records, &policy(&format!("[[allow]]\nid = 'a'\nroles = ['*']\nmodels = {entries}")));
    let decided = "SELECT model_requested, decision FROM decisions ORDER BY event_id";
    insta::assert_snapshot!(deny.asked(decided), @r"
    anthropic.claude-opus-4-6-v1,denied_entry
    us.anthropic.claude-opus-4-6-v1,denied_entry
    cohere.embed-multilingual-v3:0:512,denied_entry
    amazon.nova-pro-v1:0:24k,denied_entry
    anthropic.claude-3-haiku-20240307-v1,denied_entry
    amazon.nova-reel-v1:1,allowed
    anthropic.claude-opus-4-7-v1,allowed
    cohere.rerank-v3-5:0,allowed
    openai.gpt-oss-120b,denied_entry
    openai.gpt-oss-20b,allowed
    ");
    assert_eq!(
        deny.asked(decided).replace("denied_entry", "covered").replace("allowed", "not"),
        allow.asked(decided).replace("allowed", "covered").replace("uncovered", "not"),
        "deny and allow entries mean the same models"
    );
    insta::assert_snapshot!(
        deny.asked("SELECT subject, status FROM findings WHERE rule_id = 'BT003' ORDER BY subject, status"), @r"
    amazon.nova-pro-v1:0:24k,violation
    anthropic.claude-3-haiku-20240307-v1,violation
    anthropic.claude-opus-4-6-v1,violation
    openai.gpt-oss-120b,violation
    ");
    let unused = "SELECT subject FROM findings WHERE rule_id = 'BT004' ORDER BY subject";
    insta::assert_snapshot!(allow.asked(unused), @r"
    a: * on amazon.nova-reel-v1:0
    a: * on cohere.rerank-v3
    ");
    let granted = "SELECT COUNT(*) AS calls FROM allowances";
    insta::assert_snapshot!(allow.asked(granted), @"6");
}

/// A call in an account that no environment holds.
fn elsewhere(number: u32) -> Value {
    let mut record = call(number);
    record["recipientAccountId"] = "999999999999".into();
    record
}

/// A call whose record leaves out what was asked.
fn nameless(number: u32) -> Value {
    let mut record = call(number);
    record["requestParameters"] = Value::Null;
    record
}

fn opaque() -> Vec<Value> {
    let arn = |resource: &str| format!("arn:aws:bedrock:eu-central-1:{ACCOUNT}:{resource}");
    vec![
        nameless(11),
        with_model(12, &arn("prompt/ABCDEFGHIJ:1")),
        with_model(13, &arn("prompt-router/abcdefghijkl")),
        with_model(14, &arn("async-invoke/abcdefghijkl")),
        with_model(15, &arn("application-inference-profile/abcdefghijkl")),
    ]
}

#[test]
fn a_profile_that_is_not_recorded_is_not_assessed_wherever_it_is_asked_for() {
    let mut records = vec![call(1), with_model(2, "anthropic.claude-sonnet-4-5-20250929-v1:0"), elsewhere(3)];
    records.extend(opaque());
    let case = Case::new(&records, &policy(""));
    assert_eq!(case.counts("BT022"), "judged,7,0,0,1,6");
    assert_eq!(case.counts("BT021"), "judged,8,0,0,2,6");
    let reasons = "SELECT not_assessed_reason, SUM(event_count) AS events FROM findings WHERE rule_id = 'BT022' \
                   GROUP BY not_assessed_reason ORDER BY not_assessed_reason";
    insta::assert_snapshot!(case.asked(reasons), @r#"
    an application inference profile: the record does not say which Regions it reaches,1
    the account is in no environment of the policy,1
    the record does not name the profile behind this reference,3
    "the record names no model, so a profile may stand behind the call",1
    "#);
    let regions = case.run(&["report", "regions"]).format("json").run().exits(0).json();
    let rows = regions["reports"][0]["rows"].as_array().expect("rows").clone();
    let unknown: Vec<&Value> = rows.iter().filter(|row| row["run_basis"] == "unknown").collect();
    assert_eq!(unknown.len(), 1, "{rows:?}");
    assert_eq!(unknown[0]["calls"], 5);
    let blind = case.run(&["report", "not-assessed"]).format("json").run().exits(0).json();
    let rows = blind["reports"][0]["rows"].as_array().expect("rows").clone();
    let row = rows.iter().find(|row| row["topic"] == "processing Region").expect("the topic");
    assert_eq!((row["verdict"].as_str(), row["seen_events"].as_i64()), (Some("not_assessed"), Some(5)));
}

#[test]
fn where_there_are_deny_entries_only_the_other_calls_pass_or_are_not_assessed() {
    let mut records = vec![call(1), with_model(2, "amazon.nova-pro-v1:0")];
    records.extend(opaque());
    let mut refused = records.clone();
    for (at, record) in refused.iter_mut().enumerate() {
        record["errorCode"] = "AccessDenied".into();
        record["eventID"] = format!("0f1e2d3c-1111-4000-8000-{at:012}").into();
        record["requestID"] = format!("0f1e2d3c-2222-4000-8000-{at:012}").into();
    }
    records.extend(refused);
    let case = Case::new(&records, &policy("[[deny]]\nid = 'nova'\nmodels = ['amazon.nova*']"));
    for rule in ["BT001", "BT002"] {
        assert_eq!(case.counts(rule), "judged,7,1,0,1,5", "{rule}");
    }
    let case = Case::new(&records, &policy(""));
    assert_eq!(case.counts("BT001"), "not_applicable,0,0,0,0,0");
}

#[test]
fn a_call_without_an_account_or_an_environment_is_not_passed_over() {
    let mut lost = elsewhere(1);
    lost["userIdentity"] = serde_json::json!({});
    lost["eventSource"] = "bedrock-mantle.amazonaws.com".into();
    lost["eventName"] = "ListModels".into();
    let mut nowhere = lost.clone();
    nowhere["recipientAccountId"] = Value::Null;
    nowhere["eventID"] = "0f1e2d3c-3333-4000-8000-000000000001".into();
    let case = Case::new(&[call(2), lost, nowhere], &policy("credentials = { bearer_tokens = 'deny' }"));
    let credentials = "SELECT event_name, account_id, environment, credential FROM events ORDER BY event_id";
    insta::assert_snapshot!(case.asked(credentials), @r"
    ListModels,999999999999,,none
    Converse,111122223333,prod,temporary
    ListModels,,,none
    ");
    insta::assert_snapshot!(["BT030", "BT091"].map(|rule| case.counts(rule)).join("\n"), @r"
    judged,3,0,0,3,0
    judged,2,1,0,0,1
    ");
}

/// Violations, waived, passed and not assessed are the population: no rule drops what it cannot judge.
#[track_caller]
fn adds_up(audit: &Value) {
    let report =
        audit["reports"].as_array().expect("reports").iter().find(|report| report["name"] == "rules");
    for row in report.expect("the rules")["rows"].as_array().expect("rows") {
        let of = |name: &str| row[name].as_i64().expect("a number");
        let parts = of("violating_events") + of("waived") + of("passed") + of("not_assessed");
        assert_eq!(of("population"), parts, "{row}");
    }
}

#[test]
fn every_population_is_what_was_found_of_it() {
    adds_up(audited());
    let waiver = "[[waiver]]\nid = 'W'\nrules = ['BT001', 'BT021', 'BT022', 'BT030', 'BT035']\n\
                  match = \"event_id LIKE '%1'\"\nowner = 'o'\napprover = 'a'\nreason = 'r'\n\
                  created = 2026-01-01\nexpires = 2026-12-31";
    let more = "regions = ['eu-*']\ncredentials = { bearer_tokens = 'short_only', long_term_keys = 'warn' }\n\
                [[allow]]\nid = 'a'\nroles = ['*']\nmodels = ['amazon.*']\n\
                [[deny]]\nid = 'd'\nmodels = ['*preview*']\n";
    let mut records = vec![call(1), elsewhere(3)];
    records.extend(opaque());
    let case = Case::new(&records, &policy(&format!("{more}{waiver}")));
    // All that the rules' own fixtures hold, under one policy.
    let all =
        case.run(&["report", "rules", "--format", "json"]).source("fixtures/rules").run().exits(0).json();
    adds_up(&all);
}

fn waiver(rules: &str, condition: &str) -> String {
    format!(
        "[[waiver]]\nid = 'W-1'\nrules = [{rules}]\nmatch = \"{condition}\"\nowner = 'o'\napprover = 'a'\n\
         reason = 'r'\ncreated = 2026-01-01\nexpires = 2026-12-31\n"
    )
}

const NOVA: &str = "[[allow]]\nid = 'nova'\nroles = ['*']\nmodels = ['amazon.nova*']\n";

#[test]
fn a_condition_that_cannot_run_is_refused_before_anything_is_read() {
    for condition in [
        "principal = 5",
        "CAST('x' AS BIGINT) = 1",
        "principal / 2 = 1",
        "event_time > DATE 'soon'",
        "CAST('a' || 'b' AS BIGINT) = 1",
        "CAST(principal AS BIGINT) = 1",
    ] {
        let case = Case::new(&[call(1)], &policy(&format!("{NOVA}{}", waiver("'BT001'", condition))));
        case.run(&["audit"]).run().exits(2).prints_nothing().says("policy.toml:15:").says("match: ");
        let file = case.0.path().join("policy.toml");
        bedtrail(["policy", "check"]).args([file]).run().exits(2).says("policy.toml:15:");
    }
}

#[test]
fn a_waiver_cuts_no_call_from_the_records_that_tell_of_it() {
    let rule = std::path::Path::new("fixtures/rules/BT021-geography-left");
    let folder = tempfile::tempdir().expect("a temporary folder");
    let given = folder.path().join("policy.toml");
    let text = fs::read_to_string(rule.join("policy.toml")).expect("a policy");
    for condition in ["record_kind = 'service_event'", "invoked_by IS NOT NULL"] {
        fs::write(&given, format!("{text}\n{}", waiver("'BT021'", condition)))
            .expect("a file can be written");
        let run = bedtrail(["report", "violations", "--rule", "BT021"])
            .source(rule.join("fires-twin"))
            .policy(&given)
            .format("csv");
        let found = run.run().stdout;
        let lines = found.lines().filter(|line| line.contains(",BT021,") && line.contains(",violation,"));
        assert_eq!(lines.count(), 2, "{condition}: {found}");
    }
}

#[test]
fn a_waiver_that_fails_on_an_event_covers_nothing_and_stops_nothing() {
    // Constants are worked out before an event is read: that must not be the end either.
    for condition in ["1 / (1 - 1) = 1", "split_part(principal, '/', 0) = 'x'"] {
        let case =
            Case::new(&[call(1)], &policy(&format!("{NOVA}{}", waiver("'BT001', 'BT022'", condition))));
        let two = ["report", "violations", "--rule", "BT001", "--rule", "BT022"];
        let found = case.run(&two).format("json").run().exits(3);
        let found = found.says("warning: waiver W-1 could not be run, so it covers nothing: ").json();
        let rows = found["reports"][0]["rows"].as_array().expect("rows");
        let of = |rule: &str| rows.iter().find(|row| row["rule_id"] == rule).expect("a finding");
        assert_eq!(of("BT001")["status"], "violation");
        assert_eq!(of("WAIVER")["status"], "not_assessed");
        let reason = of("WAIVER")["not_assessed_reason"].as_str().expect("a reason");
        assert!(reason.starts_with("the waiver could not be run: "), "{reason}");
    }
    let case = Case::new(
        &[call(1)],
        &policy(&format!("{NOVA}{}", waiver("'BT001'", "split_part(principal, '/', 0) = 'x'"))),
    );
    case.run(&["audit", "--fail-on", "never"]).run().exits(3).says("1 violations");
}

/// The service event that belongs to a call and says these things of it.
fn twin_of(number: u32, says: &Value) -> Value {
    let mut record = call(number);
    record["eventType"] = "AwsServiceEvent".into();
    record["requestID"] = Value::Null;
    record["eventID"] = format!("0f1e2d3c-9999-4000-8000-{number:012}").into();
    record["serviceEventDetails"] = serde_json::json!({
        "parentRequestId": call(number)["requestID"],
        "AdditionalEventData": {"additionalEntries": says}
    });
    record
}

#[test]
fn a_twin_says_where_the_model_ran_of_every_record_of_its_call() {
    let sonnet = "anthropic.claude-sonnet-4-5-20250929-v1:0";
    let global = |number| with_model(number, &format!("global.{sonnet}"));
    let at = |region: &str| serde_json::json!({ "inferenceRegion": region });
    let mut again = call(2);
    again["userAgent"] = "another".into();
    let mut own = global(5);
    own["additionalEventData"] = at("eu-west-1");
    let records = [
        global(1),
        twin_of(1, &at("us-east-2")),
        call(2),
        again,
        twin_of(2, &at("us-west-2")),
        global(3),
        call(4),
        own,
        twin_of(5, &at("us-west-2")),
    ];
    let case = Case::new(&records, &policy(""));
    let placed = "SELECT event_id, inference_region, token_source FROM usage ORDER BY event_id, client";
    insta::assert_snapshot!(case.asked(placed), @r"
    0f1e2d3c-0000-4000-8000-000000000001,us-east-2,
    0f1e2d3c-0000-4000-8000-000000000002,us-west-2,
    0f1e2d3c-0000-4000-8000-000000000002,us-west-2,
    0f1e2d3c-0000-4000-8000-000000000003,,
    0f1e2d3c-0000-4000-8000-000000000004,,
    0f1e2d3c-0000-4000-8000-000000000005,eu-west-1,
    ");
    assert_eq!(case.counts("BT021"), "judged,6,3,0,2,1");
    assert_eq!(case.counts("BT023"), "judged,6,1,0,5,0");
    let report = |name: &str| case.run(&["report", name]).format("csv").run().exits(0).stdout;
    let regions = report("regions");
    let recorded = regions.lines().filter(|line| line.contains(",recorded,"));
    let ran_in: Vec<&str> = recorded.filter_map(|line| line.split(',').nth(4)).collect();
    assert_eq!(ran_in, ["eu-west-1", "us-east-2", "us-west-2"]);
    assert!(report("not-assessed").contains("processing Region,not_assessed,1,"));
    assert!(report("vendors").contains(",6,6,0,eu us,4,1,,,"));
}

#[test]
fn a_source_of_tokens_is_named_where_a_count_of_a_call_is_its() {
    let says = |input: Option<i64>, output: i64| match input {
        Some(input) => serde_json::json!({ "inputTokens": input, "outputTokens": output }),
        None => serde_json::json!({ "outputTokens": output }),
    };
    let mut half = call(1);
    half["additionalEventData"] = serde_json::json!({"inputTokens": 3});
    let mut whole = call(2);
    whole["additionalEventData"] = says(Some(3), 4);
    let mut absurd = call(3);
    absurd["additionalEventData"] = says(Some(i64::MAX), 4);
    let records = [
        half,
        twin_of(1, &says(Some(8), 9)),
        whole,
        twin_of(2, &says(Some(8), 9)),
        absurd,
        twin_of(3, &says(Some(8), 9)),
        call(4),
        twin_of(4, &says(None, 9)),
    ];
    insta::assert_snapshot!(
        Case::new(&records, &policy("")).asked(
            "SELECT event_id, input_tokens, output_tokens, token_source FROM usage ORDER BY event_id"
        ), @r"
    0f1e2d3c-0000-4000-8000-000000000001,3,9,cloudtrail+service_event
    0f1e2d3c-0000-4000-8000-000000000002,3,4,cloudtrail
    0f1e2d3c-0000-4000-8000-000000000003,8,4,cloudtrail+service_event
    0f1e2d3c-0000-4000-8000-000000000004,,9,service_event
    ");
}

#[test]
fn the_tokens_of_a_twin_count_once_and_absurd_ones_not_at_all() {
    let twin =
        |number, input: i64| twin_of(number, &serde_json::json!({"inputTokens": input, "outputTokens": 1}));
    let mut other = call(1);
    other["userAgent"] = "another".into();
    let mut huge = call(2);
    huge["additionalEventData"] = serde_json::json!({"inputTokens": i64::MAX, "outputTokens": -5});
    let mut huge_too = call(3);
    huge_too["additionalEventData"] = serde_json::json!({"inputTokens": i64::MAX, "outputTokens": 7});
    let case = Case::new(
        &[
            call(1),
            other,
            twin(1, 100),
            huge,
            huge_too,
            call(4),
            twin(4, -3),
            call(5),
            twin(5, 2_000_000_000_000),
        ],
        &policy(""),
    );
    insta::assert_snapshot!(case.asked(
        "SELECT event_id, client, input_tokens, output_tokens, token_source FROM usage ORDER BY event_id, client"
    ), @r"
    0f1e2d3c-0000-4000-8000-000000000001,boto3,100,1,service_event
    0f1e2d3c-0000-4000-8000-000000000001,,,,
    0f1e2d3c-0000-4000-8000-000000000002,boto3,,,
    0f1e2d3c-0000-4000-8000-000000000003,boto3,,7,cloudtrail
    0f1e2d3c-0000-4000-8000-000000000004,boto3,,1,service_event
    0f1e2d3c-0000-4000-8000-000000000005,boto3,,1,service_event
    ");
    let report = case.run(&["report", "usage-by-model"]).format("json").run().exits(0).json();
    let row = &report["reports"][0]["rows"][0];
    assert_eq!((row["input_tokens"].as_i64(), row["output_tokens"].as_i64()), (Some(100), Some(10)), "{row}");
}

#[test]
fn a_waiver_names_rules_that_there_are_or_will_be() {
    for (rule, code) in [("XBT001", 2), ("BT999", 2), ("ACME9", 2), ("BT100", 2), ("BT011", 0)] {
        let waiver = waiver(&format!("'{rule}'"), "mfa");
        let case = Case::new(&[call(1)], &policy(&waiver));
        if code == 2 {
            case.run(&["audit"]).run().exits(2).says(rule);
        }
        let file = case.0.path().join("policy.toml");
        bedtrail(["policy", "check"]).args([file]).run().exits(code).says(rule);
    }
    let off = "[rules.BT020]\nenabled = false\nreason = 'r'\nowner = 'o'\n";
    let case = Case::new(&[call(1)], &policy(&format!("{off}{}", waiver("'BT020'", "mfa"))));
    case.run(&["audit"]).run().exits(0).says("waiver W-1 (o): the policy turns its rules off");
    let case = Case::new(&[call(1)], &policy(&waiver("'BT011'", "mfa")));
    case.run(&["audit"]).run().exits(0).says("waiver W-1 (o): this version does not have its rules");
}

fn mantle(number: u32, role: &str, event: &str) -> Value {
    let mut record = call(number);
    record["eventSource"] = "bedrock-mantle.amazonaws.com".into();
    record["eventName"] = event.into();
    record["userIdentity"]["sessionContext"]["sessionIssuer"]["arn"] =
        format!("arn:aws:iam::{ACCOUNT}:role/{role}").into();
    record
}

#[test]
fn a_coverage_rule_is_waived_where_the_policy_says_so_openly() {
    let given = waiver("'BT091'", "role_arn LIKE '%role/lister'");
    let open = policy("").replace("[[env", "allow_tamper_waiver = true\n[[env") + &given;
    let refused = Case::new(&[call(1)], &(policy("") + &given));
    refused.run(&["audit"]).run().exits(2).says("BT091 guards the evidence itself");
    let count = |records: &[Value]| Case::new(records, &open).counts("BT091");
    assert_eq!(count(&[mantle(1, "lister", "ListModels")]), "judged,1,0,1,0,0");
    assert_eq!(
        count(&[mantle(1, "lister", "ListModels"), mantle(2, "other", "ListModels")]),
        "judged,2,2,0,0,0"
    );
    // The waiver covers the model calls: what remains has no call, and is no violation for that.
    assert_eq!(
        count(&[mantle(1, "lister", "CreateInference"), mantle(2, "other", "ListModels")]),
        "judged,2,0,0,2,0"
    );
}

fn logging(number: u32, region: &str, config: &Value) -> Value {
    let mut record = call(number);
    record["eventName"] = "PutModelInvocationLoggingConfiguration".into();
    record["awsRegion"] = region.into();
    record["requestParameters"] = serde_json::json!({ "loggingConfig": config });
    record
}

#[test]
fn a_log_target_is_known_in_every_partition_and_none_at_all_is_a_violation() {
    let bucket =
        |name: &str| serde_json::json!({"s3Config": {"bucketName": name}, "textDataDeliveryEnabled": true});
    let group = serde_json::json!({"cloudWatchConfig": {"logGroupName": "calls", "roleArn": "r"}});
    let case = Case::new(
        &[
            logging(1, "us-gov-west-1", &bucket("gov")),
            logging(2, "cn-north-1", &bucket("cn")),
            logging(3, "eu-west-1", &bucket("gov")),
            logging(4, "us-gov-west-1", &group),
            logging(5, "eu-west-1", &group),
            logging(6, "eu-west-2", &serde_json::json!({})),
            logging(7, "eu-west-3", &serde_json::json!({"textDataDeliveryEnabled": true})),
            logging(8, "eu-north-1", &"HIDDEN_DUE_TO_SECURITY_REASONS".into()),
        ],
        &policy(
            "[logging]\ninvocation_log_targets = ['arn:aws-us-gov:s3:::gov', 'arn:aws-cn:s3:::cn', \
             'arn:aws-us-gov:logs:*:*:log-group:calls']",
        ),
    );
    insta::assert_snapshot!(case.asked(
        "SELECT status, subject, reason, not_assessed_reason FROM findings WHERE rule_id = 'BT084' ORDER BY subject, status"
    ), @r"
    not_assessed,eu-north-1 set,,the record does not show what was set
    violation,eu-west-1 redirected,the destination is not an invocation log target of the policy,
    violation,eu-west-2 narrowed,logging is set without any destination,
    violation,eu-west-3 narrowed,logging is set without any destination,
    ");
    assert_eq!(case.counts("BT084"), "judged,8,4,0,3,1");
}

#[test]
fn before_the_first_day_of_the_policy_nothing_is_judged_by_it() {
    let mut before = call(1);
    before["eventTime"] = "2026-10-09T23:59:59Z".into();
    let mut records = vec![before, call(2)];
    for (at, role) in [(3, "user"), (4, "user")] {
        let mut record = call(at);
        if at == 3 {
            record["eventTime"] = "2026-10-09T12:00:00Z".into();
        }
        record["userIdentity"] = serde_json::json!({
            "type": "IAMUser", "principalId": "AIDAEXAMPLE", "arn": format!("arn:aws:iam::{ACCOUNT}:user/{role}"),
            "accountId": ACCOUNT, "accessKeyId": "AKIAIOSFODNN7EXAMPLE", "userName": role
        });
        records.push(record);
    }
    let more = "regions = ['eu-central-1']\ncredentials = { bearer_tokens = 'deny', long_term_keys = 'allow' }\n\
                [[allow]]\nid = 'all'\nroles = ['*']\nmodels = ['*']";
    let policy = policy(more).replace("version = \"1\"\n", "version = \"1\"\neffective_from = 2026-10-10\n");
    let case = Case::new(&records, &policy);
    insta::assert_snapshot!(case.asked(
        "SELECT event_id, decision, grant_id, policy_version, reason FROM decisions ORDER BY event_id"
    ), @r"
    0f1e2d3c-0000-4000-8000-000000000001,not_assessed,,,no policy was in force
    0f1e2d3c-0000-4000-8000-000000000002,allowed,all,1,an allow entry covers it
    0f1e2d3c-0000-4000-8000-000000000003,not_assessed,,,no policy was in force
    0f1e2d3c-0000-4000-8000-000000000004,allowed,all,1,an allow entry covers it
    ");
    for rule in ["BT001", "BT020", "BT021", "BT022"] {
        assert_eq!(case.counts(rule), "judged,4,0,0,2,2", "{rule}");
    }
    // A rule that needs no policy judges without it: the key that the policy allows is a violation before.
    assert_eq!(case.counts("BT034"), "judged,4,1,0,3,0");
    let reasons = "SELECT DISTINCT not_assessed_reason FROM findings WHERE status = 'not_assessed' \
                   AND rule_id IN ('BT001', 'BT020', 'BT021', 'BT022')";
    assert_eq!(case.asked(reasons), "no policy was in force");
}
