//! Rules of one's own: folders of files, conditions of a policy, Sigma; and what was usual before.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::command::bedtrail;
use crate::program::{ask, put, text};

const GUARDRAILS: &str = "fixtures/rules/BT051-guardrail-deleted";

/// A rule as a user writes it.
const OWN: &str = r#"-- title = "A guardrail was deleted by hand"
-- severity = "medium"
-- kind = "row"
-- columns = ["event_name", "user_agent"]
-- controls = { "house rules" = ["7"] }
-- why = "Guardrails are deployed, not edited."
-- fix = "Deploy it again."
-- false_positives = "None are known."
--
-- [parameters.names]
-- type = "list"
-- default = ["DeleteGuardrail", "DeleteGuardrailVersion", "DeleteEnforcedGuardrailConfiguration"]
-- meaning = "What deletes."
SELECT
  CASE WHEN event_name IN ($names) THEN 'violation' ELSE 'pass' END AS verdict,
  account_id AS account_id,
  aws_region AS aws_region,
  principal AS principal,
  event_name AS subject,
  'deleted by hand' AS reason,
  'a deployment' AS expected,
  event_name AS observed,
  event_time AS event_time,
  event_id AS event_id,
  outcome AS outcome
FROM events
WHERE record_kind = 'api_call'
"#;

/// Copies files, one level deep, to where a rule's examples are looked for.
fn examples(root: &Path, stem: &str) {
    for side in ["fires", "silent"] {
        for entry in fs::read_dir(Path::new(GUARDRAILS).join(side)).expect("examples") {
            let path = entry.expect("an entry").path();
            let name = path.file_name().and_then(|name| name.to_str()).expect("a name");
            put(root, &format!("{stem}/{side}/{name}"), fs::read(&path).expect("a file"));
        }
    }
}

fn findings(arguments: &[&str]) -> Vec<Value> {
    let sql = "SELECT rule_id, status, severity, principal, subject, frameworks, waiver_id FROM findings \
               WHERE NOT starts_with(rule_id, 'BT') ORDER BY rule_id, status, principal, subject";
    ask(sql, arguments).rows
}

#[test]
fn a_folder_of_rules_is_tested_listed_and_run() {
    let root = tempfile::tempdir().expect("a temporary folder");
    let folder = text(root.path());
    put(root.path(), "ACME100-guardrail-by-hand.sql", OWN);
    examples(root.path(), "ACME100-guardrail-by-hand");
    let tested = bedtrail(["rules", "test", folder]).run().exits(0);
    assert_eq!(tested.stdout, "2 passed, 0 failed\n");
    // What fires must not be among what stays silent.
    put(
        root.path(),
        "ACME101-all.sql",
        OWN.replace("event_name IN ($names)", "event_name NOT IN ($names) OR TRUE"),
    );
    examples(root.path(), "ACME101-all");
    let tested = bedtrail(["rules", "test", folder]).run().exits(1);
    assert!(tested.stderr.contains("FAILED ACME101 silent: "), "{}", tested.stderr);
    let listed = bedtrail(["rules", "list", "--format", "csv", "--rules", folder]).run().exits(0);
    assert!(
        listed.stdout.starts_with("rule_id")
            && listed.stdout.contains("\r\nACME100,guardrail-by-hand,medium")
    );
    let page = bedtrail(["rules", "explain", "acme100", "--rules", folder]).run().exits(0);
    assert!(page.stdout.contains("Guardrails are deployed, not edited."), "{}", page.stdout);
    let events = format!("{GUARDRAILS}/fires");
    let found = findings(&["-s", &events, "--rules", folder]);
    assert!(found.iter().any(|row| row["rule_id"] == "ACME100" && row["frameworks"] == "house rules: 7"));
    let out = root.path().join("out");
    bedtrail(["audit", "-s", &events, "--rules", folder, "--out", text(&out)]).run();
    let manifest: Value =
        serde_json::from_slice(&fs::read(out.join("manifest.json")).expect("a manifest")).expect("JSON");
    assert_eq!(manifest["rules"].as_array().map(Vec::len), Some(2), "{}", manifest["rules"]);
    assert_eq!(manifest["rules"][0]["rule"], "ACME100");
    assert_eq!(manifest["rules"][0]["sha256"].as_str().map(str::len), Some(64));
    put(root.path(), "bedtrail.toml", format!("sources = [{events:?}]\nrules = [{folder:?}]\n"));
    let config = root.path().join("bedtrail.toml");
    let ran = bedtrail(["audit", "--config", text(&config), "--format", "json"]).run();
    assert!(ran.stdout.contains("ACME100"), "{}", ran.stderr);
}

#[test]
fn some_rules_alone_find_what_they_find_among_all() {
    let rule = "fixtures/rules/BT035-root-used";
    let root = tempfile::tempdir().expect("a temporary folder");
    let waiver = |id: &str, rule: &str| {
        format!(
            "[[waiver]]\nid = '{id}'\nrules = ['{rule}']\nowner = 'o'\napprover = 'a'\nreason = 'r'\n\
             match = \"event_id = 'none'\"\ncreated = 2026-01-01\nexpires = 2026-12-31\n"
        )
    };
    let policy = "schema = 1\nname = 'p'\nversion = '1'\n".to_owned()
        + &waiver("W1", "BT034")
        + &waiver("W2", "BT035");
    put(root.path(), "policy.toml", policy);
    let given = root.path().join("policy.toml");
    let (events, out) = (format!("{rule}/fires"), root.path().join("out"));
    let of = |report: &str, words: &[&str]| {
        let run = bedtrail(["report", report])
            .args(words)
            .source(&events)
            .policy(&given)
            .format("json")
            .run()
            .exits(0);
        run.json()["reports"][0].clone()
    };
    let two = ["--rule", "bt035", "--rule", "long-term-key-used"];
    let (all, some) = (of("rules", &[]), of("rules", &two));
    let of_two = all["rows"]
        .as_array()
        .expect("rows")
        .iter()
        .filter(|row| row["rule_id"] == "BT034" || row["rule_id"] == "BT035");
    assert_eq!(some["rows"], of_two.cloned().collect::<Value>());
    assert!(some.to_string().contains("Judged by BT034, BT035 alone, as --rule asks"), "{some}");
    assert!(!all.to_string().contains("--rule"), "{all}");
    assert!(of("controls", &two)["rows"].to_string().contains("not_assessed"));
    let audit = bedtrail(["audit", "--rule", "BT035", "--out", text(&out)])
        .source(&events)
        .policy(&given)
        .run()
        .exits(1);
    // The waiver of a rule that was not asked for may well have its use.
    audit.says("waiver W2 (o)").stderr.contains("W1").then(|| panic!("W1 is told of"));
    let manifest = fs::read_to_string(out.join("manifest.json")).expect("a manifest");
    assert!(manifest.contains("\"rule\": \"BT035\"") && !manifest.contains("BT070."), "{manifest}");
    let next = |words: &[&str]| {
        let next = bedtrail(["audit", "--rule", "BT035", "--previous", text(&out)]).args(words);
        next.source(&events).policy(&given).run().exits(1)
    };
    next(&["--rule", "BT034"]).says("--previous was judged by BT035 alone, as --rule asked");
    let same = next(&[]);
    assert!(!same.stderr.contains("--previous was judged"), "{}", same.stderr);
}

#[test]
fn mistakes_in_rules_are_told_before_a_log_is_read() {
    let root = tempfile::tempdir().expect("a temporary folder");
    let folder = text(root.path());
    put(root.path(), "ACME100-a.sql", OWN.replace("event_name AS subject", "event_nam AS subject"));
    put(root.path(), "ACME101-b.sql", OWN.replace("FROM events", "FROM evnts"));
    let ran = bedtrail(["audit", "-s", "/nowhere", "--rules", folder]).run().exits(2);
    assert!(ran.stderr.contains("ACME100-a.sql:19:3: there is no column 'event_nam'"), "{}", ran.stderr);
    assert!(ran.stderr.contains("ACME101-b.sql:26:6: there is no table 'evnts'"), "{}", ran.stderr);
    fs::remove_file(root.path().join("ACME101-b.sql")).expect("removed");
    put(root.path(), "ACME100-a.sql", OWN.replace("'a deployment' AS", "now() AS"));
    let ran = bedtrail(["rules", "list", "--rules", folder]).run().exits(2);
    assert!(ran.stderr.contains("ACME100-a.sql:21:3: the function now is not portable"), "{}", ran.stderr);
    put(root.path(), "ACME100-a.sql", OWN);
    put(root.path(), "ACME100-c.sql", OWN);
    let ran = bedtrail(["rules", "list", "--rules", folder]).run().exits(2);
    assert!(ran.stderr.contains("the code ACME100 is taken by rule ACME100-a"), "{}", ran.stderr);
}

/// A policy with rules of its own.
fn policy(root: &Path, when: &str) -> String {
    put(
        root,
        "policy.toml",
        format!(
            r#"schema = 1
name = "acme"
version = "1"

[[environment]]
name = "prod"
accounts = ["111122223333"]

[[custom]]
id = "ACME001"
title = "A guardrail was deleted in production"
severity = "low"
frameworks = ["SOC 2:CC6.1"]
when = "{when}"

[[custom]]
id = "ACME002"
title = "More than one change in a day"
severity = "medium"
when = "activity = 'guardrail_admin'"
group_by = ["principal", "CAST(date_trunc('day', event_time) AS DATE)"]
having = "COUNT(*) > 1"

[rules.ACME001]
severity = "high"

[[waiver]]
id = "W-1"
rules = ["ACME002"]
owner = "a@acme.example"
approver = "b@acme.example"
reason = "A day of rebuilding"
created = 2026-10-01
expires = 2026-12-31
"#
        ),
    )
}

#[test]
fn rules_of_a_policy_run_as_others_do() {
    let root = tempfile::tempdir().expect("a temporary folder");
    let events = format!("{GUARDRAILS}/fires");
    let file = policy(root.path(), "starts_with(event_name, 'Delete') AND environment = 'prod'");
    let found = findings(&["-s", &events, "--policy", &file]);
    let of = |rule: &str| -> Vec<&Value> { found.iter().filter(|row| row["rule_id"] == rule).collect() };
    assert!(!of("ACME001").is_empty() && !of("ACME002").is_empty(), "{found:?}");
    assert!(
        of("ACME001").iter().all(|row| row["status"] == "violation" && row["severity"] == "high"),
        "{found:?}"
    );
    assert!(of("ACME001").iter().all(|row| row["frameworks"] == "SOC 2: CC6.1"), "{found:?}");
    assert!(
        of("ACME002").iter().all(|row| row["status"] == "waived" && row["waiver_id"] == "W-1"),
        "{found:?}"
    );
    assert!(of("ACME002").iter().all(|row| row["subject"] == "2026-10-05"), "{found:?}");
    let page = bedtrail(["rules", "explain", "ACME002", "--policy", &file]).run().exits(0);
    assert!(page.stdout.contains("more-than-one-change-in-a-day"), "{}", page.stdout);
    let listed = bedtrail(["rules", "list", "--policy", &file, "--format", "csv"]).run().exits(0);
    assert!(listed.stdout.contains("\r\nACME001,"), "{}", listed.stdout);
}

#[test]
fn a_wrong_condition_is_told_at_its_place() {
    let root = tempfile::tempdir().expect("a temporary folder");
    for (when, place, told) in [
        ("env = 'prod'", "14:9", "did you mean environment?"),
        ("op = 'invoke'", "14:9", "did you mean activity?"),
        ("human = 'x'", "14:9", "did you mean person?"),
        ("key_kind = 'x'", "14:9", "did you mean credential?"),
        ("bearer_token = 'x'", "14:9", "did you mean credential?"),
        ("user_name LIKE 'a_b%'", "14:24", "_ is any one character"),
        ("now() > event_time", "14:9", "unknown function 'now'"),
        ("principal IN (SELECT principal FROM events)", "14:9", "subquer"),
    ] {
        let file = policy(root.path(), when);
        let ran = bedtrail(["audit", "-s", "/nowhere", "--policy", &file]).run().exits(2);
        assert!(ran.stderr.contains(&format!("policy.toml:{place}: when: ")), "{when}: {}", ran.stderr);
        assert!(ran.stderr.contains(told), "{when}: {}", ran.stderr);
    }
}

#[test]
fn text_of_a_policy_is_hostile_too() {
    let root = tempfile::tempdir().expect("a temporary folder");
    let file = put(
        root.path(),
        "policy.toml",
        "schema = 1\nname = \"a\\u202Eb\\u001b[31m\\nc\"\nversion = \"1\\u200b2\"\n[[custom]]\nid = \"ACME001\"\n\
         title = \"x\\u202Ey\\u001b[31m\"\nseverity = \"high\"\nwhen = \"outcome = 'ok'\"\n",
    );
    for (words, told) in [
        (&["policy", "check", &file][..], "policy a\\u{202e}b\\u{1b}[31m\\nc version 1\\u{200b}2 is valid"),
        (&["rules", "explain", "ACME001", "--policy", &file], "x\\u{202e}y\\u{1b}[31m"),
        (&["rules", "list", "--policy", &file, "--format", "table"], "x\\u{202e}y\\u{1b}[31m"),
    ] {
        let ran = bedtrail(words).run().exits(0);
        assert!(ran.stdout.contains(told), "{words:?}: {}", ran.stdout);
        let acts = |c: char| c != '\n' && (c.is_control() || matches!(c, '\u{200b}' | '\u{202e}'));
        assert!(!ran.stdout.contains(acts), "{words:?}: {:?}", ran.stdout);
    }
}

#[test]
fn a_wrong_parameter_is_told_at_its_place() {
    let root = tempfile::tempdir().expect("a temporary folder");
    for (params, told) in [
        ("min_denie = 3", "there is no parameter `min_denie`"),
        ("min_denied = 'x'", "parameter `min_denied` takes a whole number, not \"x\""),
        ("min_denied = -1", "parameter `min_denied` takes a whole number from 0 to 10000000, not -1"),
        ("window_minutes = 999999999999", "from 0 to 10000000, not 999999999999"),
    ] {
        let text =
            format!("schema = 1\nname = 'p'\nversion = '1'\n\n[rules.BT070]\nparams = {{ {params} }}\n");
        let file = put(root.path(), "policy.toml", text);
        for words in [&["policy", "check", &file][..], &["audit", "-s", "/nowhere", "--policy", &file]] {
            let ran = bedtrail(words).run().exits(2);
            assert!(ran.stderr.contains("policy.toml:5:8: ") && ran.stderr.contains(told), "{}", ran.stderr);
        }
    }
}

#[test]
fn sigma_rules_become_rules() {
    let root = tempfile::tempdir().expect("a temporary folder");
    let folder = text(root.path());
    let files = ["fixtures/sigma/guardrail-taken-away.yml", "fixtures/sigma/root-signed-in.yml"];
    let ran = bedtrail(["rules", "import", files[0], files[1], "--out", folder]).run().exits(0);
    assert!(
        ran.stderr.contains("SIGMA002-the-root-user-asked-for-temporary-keys.sql written"),
        "{}",
        ran.stderr
    );
    let stem = "SIGMA001-a-guardrail-was-taken-away-outside-the-pipeline";
    examples(root.path(), stem);
    let tested = bedtrail(["rules", "test", folder, "--rule", "SIGMA001"]).run().exits(0);
    assert_eq!(tested.stdout, "2 passed, 0 failed\n");
    let again = bedtrail(["rules", "import", files[0], "--out", folder]).run().exits(2);
    assert!(again.stderr.contains("is there already"), "{}", again.stderr);
    let shown = bedtrail(["rules", "import", files[0], "--code", "ACME007"]).run().exits(0);
    let written = fs::read_to_string(root.path().join(format!("{stem}.sql"))).expect("the rule");
    assert_eq!(shown.stdout, written);
    let ran = bedtrail(["rules", "import", "fixtures/sigma/not-carried-over.yml"]).run().exits(2);
    assert!(
        ran.stderr.contains("fixtures/sigma/not-carried-over.yml:13:11: keywords in the whole record"),
        "{}",
        ran.stderr
    );
    assert_eq!(ran.stdout, "");
}

#[test]
fn a_rule_goes_to_sigma_and_back() {
    let root = tempfile::tempdir().expect("a temporary folder");
    let written = bedtrail(["rules", "export", "BT051"]).run().exits(0);
    let file = put(root.path(), "bt051.yml", &written.stdout);
    bedtrail(["rules", "import", &file, "--out", text(root.path())]).run().exits(0);
    examples(root.path(), "SIGMA001-a-guardrail-or-its-enforcement-was-deleted");
    let tested = bedtrail(["rules", "test", text(root.path())]).run().exits(0);
    assert_eq!(tested.stdout, "2 passed, 0 failed\n");
    let ran = bedtrail(["rules", "export", "BT001"]).run().exits(2);
    assert!(ran.stderr.contains("rule BT001 cannot be said in Sigma: "), "{}", ran.stderr);
}

#[test]
fn history_is_what_was_before_the_window() {
    let root = tempfile::tempdir().expect("a temporary folder");
    let store = root.path().join("store");
    let (store, events) = (text(&store), "fixtures/rules/BT001-model-not-allowed/fires");
    bedtrail(["collect", "-s", events, "--store", store, "-q"]).run().exits(0);
    let sql = "SELECT (SELECT COUNT(*) FROM events) AS now, (SELECT COUNT(*) FROM history) AS before, \
               (SELECT COUNT(*) FROM usage) AS used, (SELECT MIN(environment) FROM history) AS environment";
    let policy = "fixtures/policy.toml";
    let window = ["--from", "2026-10-05T10:00:00Z", "--policy", policy];
    let line = "The baseline is 3 events from 2026-10-05T08:01:00Z to 2026-10-05T09:00:00Z, before the window; \
                they count nowhere else.";
    for source in [
        &["--store", store][..],
        &["-s", events, "--history", store],
        &["-s", events, "--history", events],
        &["--store", store, "--history", events],
    ] {
        let answer = ask(sql, &[source, &window].concat());
        let row = &answer.rows[0];
        assert_eq!((&row["now"], &row["before"]), (&2.into(), &3.into()), "{source:?}");
        assert!(row["used"].as_u64() <= Some(2) && row["environment"] == "prod", "{source:?}: {row}");
        assert!(answer.footer.iter().any(|told| told == line), "{source:?}: {:?}", answer.footer);
    }
    // Logs alone have no past, and without a beginning there is no before.
    assert_eq!(ask(sql, &[&["-s", events][..], &window].concat()).rows[0]["before"], 0);
    assert_eq!(ask(sql, &["--store", store, "--policy", policy]).rows[0]["before"], 0);
    let ran = bedtrail(["query", sql, "-s", events, "--history", store]).run().exits(2);
    assert!(ran.stderr.contains("say with --from where it begins"), "{}", ran.stderr);
    // Nothing earlier is no mistake, a place that is not there is one.
    let early = ["--from", "2026-10-01", "-s", events, "--history"];
    let answer = ask(sql, &[&early[..], &[events]].concat());
    assert!(
        answer.footer.iter().any(|told| told.starts_with("The baseline is empty")),
        "{:?}",
        answer.footer
    );
    bedtrail(["query", sql]).args(early).args(["/nowhere"]).run().exits(4);
}
