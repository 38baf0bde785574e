//! Findings for other tools, held against the published schemas that `tests/data` has in part.

use std::sync::Arc;

use serde_json::Value;

use super::*;
use crate::finding::finding_id;
use crate::output::format::find;
use crate::output::{Answer, Options, sample};
use crate::rule;

const OCSF: &str = include_str!("../../../tests/data/ocsf-1.8.0.json");
const ASFF: &str = include_str!("../../../tests/data/asff.json");

const RUN: i64 = 1_793_491_200_000_000;
const ROLE: &str = "arn:aws:iam::111122223333:role/ops/Summariser";

/// A finding of a built-in rule with one sample event.
fn case(code: &str, status: Verdict) -> Case {
    let rule = rule::catalogue().unwrap().iter().find(|rule| rule.code == code).unwrap();
    let some = |text: &str| Some(text.to_owned());
    let waived = status == Verdict::Waived;
    let finding = Finding {
        finding_id: finding_id(code, Some("111122223333"), Some(ROLE), Some("anthropic.claude-sonnet-4")),
        rule_id: rule.code.clone(),
        rule_name: rule.name.clone(),
        rule_title: rule.title.clone(),
        severity: rule.severity,
        status,
        account_id: some("111122223333"),
        aws_region: some("eu-central-1"),
        environment: some("prod"),
        principal: some(ROLE),
        person: some("jane@acme.example"),
        subject: some("anthropic.claude-sonnet-4"),
        reason: some("no entry covers it"),
        expected: some("an allow entry"),
        observed: some("eu-central-1 (3 ok, 0 denied, 0 other)"),
        first_seen: Some(1_790_856_000_000_000),
        last_seen: Some(1_790_856_000_250_000),
        event_count: 3,
        population: 40,
        frameworks: rule.frameworks(),
        attack: some("T1078.004"),
        atlas: some("AML.T0040 AML.T0034.000 T9999"),
        not_assessed_reason: (status == Verdict::NotAssessed).then(|| "the model is not known".to_owned()),
        waiver_id: waived.then(|| "W-1".to_owned()),
        waiver_owner: waived.then(|| "team@acme.example".to_owned()),
        waiver_expires: waived.then_some(1_796_083_200_000_000),
        sample_event_ids: vec!["e-1".to_owned()],
        sample_records: vec!["logs/a.json.gz#7".to_owned()],
        rule_version: some("0123456789ab"),
        new_since_last_run: None,
    };
    let event = [
        ("event_id", "e-1"),
        ("event_time", "2026-10-01T12:00:00Z"),
        ("event_source", "bedrock.amazonaws.com"),
        ("event_name", "InvokeModel"),
        ("account_id", "111122223333"),
        ("aws_region", "eu-central-1"),
        ("outcome", "ok"),
        ("principal", ROLE),
        ("principal_type", "AssumedRole"),
        ("principal_arn", "arn:aws:sts::111122223333:assumed-role/Summariser/ana"),
        ("principal_account_id", "111122223333"),
        ("role_arn", ROLE),
        ("session_name", "ana"),
        ("access_key_id", "ASIAEXAMPLE"),
        ("mfa", "false"),
        ("source_ip", "203.0.113.7"),
        ("user_agent", "Boto3/1.40"),
        ("request_id", "r-1"),
        ("model_id", "anthropic.claude-sonnet-4"),
        ("resource_arn", "arn:aws:bedrock:eu-central-1::foundation-model/anthropic.claude-sonnet-4"),
        ("log_object", "logs/a.json.gz"),
        ("log_index", "7"),
    ];
    let event = Event::new(event.map(|(name, value)| (name, value.to_owned())));
    Case { finding, rule: Some(rule), events: vec![event] }
}

/// A finding that knows nothing but that a waiver has expired.
fn bare() -> Case {
    let full = case("BT001", Verdict::Violation).finding;
    let finding = Finding {
        finding_id: finding_id("WAIVER", None, None, Some("W-1")),
        rule_id: "WAIVER".to_owned(),
        account_id: None,
        aws_region: None,
        environment: None,
        principal: None,
        person: None,
        reason: None,
        expected: None,
        observed: None,
        first_seen: None,
        last_seen: None,
        event_count: 0,
        frameworks: None,
        attack: None,
        atlas: None,
        sample_event_ids: Vec::new(),
        sample_records: Vec::new(),
        rule_version: None,
        ..full
    };
    Case { finding, rule: None, events: Vec::new() }
}

/// A finding whose texts were written by somebody who means harm.
fn hostile(text: &str) -> Case {
    let mut case = case("BT001", Verdict::NotAssessed);
    let finding = &mut case.finding;
    let some = || Some(text.to_owned());
    (finding.principal, finding.subject, finding.reason) = (some(), some(), some());
    (finding.expected, finding.observed, finding.aws_region) = (some(), some(), some());
    (finding.environment, finding.not_assessed_reason, finding.waiver_owner) = (some(), some(), some());
    finding.rule_title = text.to_owned();
    finding.sample_event_ids = vec![text.to_owned(); 5];
    finding.sample_records = vec![text.to_owned(); 5];
    let names = case.events[0].0.keys().copied().collect::<Vec<_>>();
    case.events = vec![Event::new(names.into_iter().map(|name| (name, text.to_owned()))); 5];
    case
}

fn every() -> Vec<Case> {
    let statuses = [Verdict::Violation, Verdict::Waived, Verdict::NotAssessed];
    let mut all = vec![bare()];
    for rule in rule::catalogue().unwrap() {
        all.extend(statuses.map(|status| case(&rule.code, status)));
    }
    for text in ["", " ", "\u{1b}]0;x\u{7}\u{202e}", "\"},{\"class_uid\":1", "arn:", "a b", "::::::"] {
        all.push(hostile(text));
    }
    all
}

fn answer(cases: Vec<Case>) -> Answer {
    Answer { findings: Some(Arc::new(Findings { found_at: RUN, cases })), ..sample::texts(&["a"]) }
}

fn written(format: &str, cases: Vec<Case>) -> String {
    let mut out = Vec::new();
    let answers = [sample::usage(), answer(cases)];
    find(format).unwrap().write(&answers, &Options::default(), &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

fn pretty(line: &Map<String, Value>) -> String {
    serde_json::to_string_pretty(line).unwrap()
}

/// What of an OCSF object is not as the schema has it.
fn check_ocsf(schema: &Value, shape: &Value, value: &Value, path: &str, wrong: &mut Vec<String>) {
    let (Some(members), Some(attributes)) = (value.as_object(), shape["attributes"].as_object()) else {
        wrong.push(format!("{path}: no object, or none that is known"));
        return;
    };
    for (name, attribute) in attributes {
        if attribute["requirement"] == "required" && !members.contains_key(name) {
            wrong.push(format!("{path}.{name}: missing"));
        }
    }
    if let Some(names) = shape["constraints"]["at_least_one"].as_array()
        && !names.iter().any(|name| members.contains_key(name.as_str().unwrap()))
    {
        wrong.push(format!("{path}: none of {names:?}"));
    }
    for (name, value) in members {
        let path = format!("{path}.{name}");
        let Some(attribute) = attributes.get(name) else {
            wrong.push(format!("{path}: unknown"));
            continue;
        };
        if attribute.get("deprecated_since").is_some() {
            wrong.push(format!("{path}: deprecated"));
        }
        let list = match (attribute["array"] == true, value) {
            (true, Value::Array(list)) => list.iter().collect(),
            (false, one) => vec![one],
            (true, _) => {
                wrong.push(format!("{path}: no list"));
                continue;
            }
        };
        let kind = attribute["type"].as_str().unwrap();
        for one in list {
            let fits = match schema["types"][kind]["json"].as_str() {
                Some("string") => one.as_str().is_some_and(|text| !text.is_empty()),
                Some("integer") => one.is_i64(),
                Some("boolean") => one.is_boolean(),
                Some("object") => one.is_object(),
                _ => kind == "json_t",
            };
            if !fits || kind == "ip_t" && one.as_str().unwrap().parse::<std::net::IpAddr>().is_err() {
                wrong.push(format!("{path}: {one} is no {kind}"));
            }
            if attribute.get("enum").is_some_and(|known| known.get(one.to_string()).is_none()) {
                wrong.push(format!("{path}: {one} is not in its list"));
            }
            match attribute["object"].as_str() {
                Some("object") | None => {}
                Some(object) => check_ocsf(schema, &schema["objects"][object], one, &path, wrong),
            }
        }
        // A text beside a number is the number's caption, but for a missing result.
        let sibling = attribute["sibling"].as_str().and_then(|sibling| members.get(sibling));
        if let Some(sibling) = sibling.filter(|sibling| *sibling != "Not Assessed") {
            let known = &attribute["enum"][value.to_string()];
            let caption = known["caption"].as_str().or(known.as_str());
            if caption != sibling.as_str() {
                wrong.push(format!("{path}: {sibling} is not the caption {caption:?}"));
            }
        }
    }
}

#[test]
fn ocsf_events_keep_the_schema() {
    let schema: Value = serde_json::from_str(OCSF).unwrap();
    let classes = schema["classes"].as_object().unwrap();
    for case in every() {
        let event = Value::Object(ocsf::event(&case, RUN));
        let class = classes.values().find(|class| class["class_uid"] == event["class_uid"]).unwrap();
        let mut wrong = Vec::new();
        check_ocsf(&schema, class, &event, "", &mut wrong);
        assert!(wrong.is_empty(), "{}: {wrong:#?}", case.finding.rule_id);
        assert_eq!(event["finding_info"]["uid"], case.finding.finding_id.as_str());
    }
}

#[test]
fn the_schema_test_can_fail() {
    let schema: Value = serde_json::from_str(OCSF).unwrap();
    let mut event = ocsf::event(&case("BT001", Verdict::Violation), RUN);
    event.remove("finding_info");
    event.insert("severity_id".to_owned(), Value::from(7));
    event.insert("count".to_owned(), Value::from("3"));
    event.insert("mood".to_owned(), Value::from("3"));
    let mut wrong = Vec::new();
    check_ocsf(&schema, &schema["classes"]["compliance_finding"], &Value::Object(event), "", &mut wrong);
    insta::assert_snapshot!(wrong.join("\n"));
}

#[test]
fn every_recommended_attribute_that_is_known_is_told() {
    let schema: Value = serde_json::from_str(OCSF).unwrap();
    let mut absent = Vec::new();
    for (class, code) in [("compliance_finding", "BT001"), ("detection_finding", "BT070")] {
        let event = ocsf::event(&case(code, Verdict::Violation), RUN);
        for (name, attribute) in schema["classes"][class]["attributes"].as_object().unwrap() {
            let wanted =
                attribute["requirement"] == "recommended" && attribute.get("deprecated_since").is_none();
            if wanted && !event.contains_key(name) {
                absent.push(format!("{class}.{name}"));
            }
        }
    }
    // How sure a rule is, is not measured.
    insta::assert_snapshot!(absent.join("\n"));
}

#[test]
fn a_compliance_finding() {
    insta::assert_snapshot!(pretty(&ocsf::event(&case("BT001", Verdict::Violation), RUN)));
}

#[test]
fn a_detection_finding() {
    let mut case = case("BT070", Verdict::Waived);
    case.finding.new_since_last_run = Some(false);
    insta::assert_snapshot!(pretty(&ocsf::event(&case, RUN)));
}

#[test]
fn what_could_not_be_assessed_is_no_detection() {
    let event = ocsf::event(&case("BT070", Verdict::NotAssessed), RUN);
    assert_eq!((&event["class_uid"], event.get("is_alert")), (&Value::from(2003), None));
    let compliance = &event["compliance"];
    assert_eq!(
        (&compliance["status_id"], &compliance["status"]),
        (&Value::from(2), &Value::from("Not Assessed"))
    );
    assert_eq!(compliance.get("assessments"), None, "whether it meets the criteria is not known");
    assert_eq!(event["message"], "the model is not known");
}

#[test]
fn classes_go_by_family() {
    let class = |code: &str, attack: Option<&str>| {
        let mut case = bare();
        case.finding.rule_id = code.to_owned();
        case.finding.attack = attack.map(str::to_owned);
        case.detection()
    };
    for (code, attack, detection) in [
        ("BT050", None, true),
        ("BT079", None, true),
        ("BT084", None, true),
        ("BT001", Some("T1078"), false),
        ("BT091", Some("T1078"), false),
        ("WAIVER", None, false),
        ("ACME-1", None, false),
        ("ACME-1", Some("T1078"), true),
    ] {
        assert_eq!(class(code, attack), detection, "{code} {attack:?}");
    }
}

/// What of an object of the Security Finding Format is not as the service model has it.
fn check_asff(schema: &Value, shape: &Value, value: &Value, path: &str, wrong: &mut Vec<String>) {
    let members = value.as_object().unwrap();
    for name in shape["required"].as_array().unwrap() {
        if !members.contains_key(name.as_str().unwrap()) {
            wrong.push(format!("{path}.{name}: missing"));
        }
    }
    for (name, value) in members {
        let path = format!("{path}.{name}");
        match shape["members"].get(name) {
            Some(kind) => check_value(schema, kind, value, &path, wrong),
            None => wrong.push(format!("{path}: unknown")),
        }
    }
}

fn check_value(schema: &Value, kind: &Value, value: &Value, path: &str, wrong: &mut Vec<String>) {
    let limit = |name: &str| kind[name].as_u64().map(|limit| usize::try_from(limit).unwrap());
    let within = |size: usize, least: &str, most: &str| {
        limit(least).is_none_or(|least| size >= least) && limit(most).is_none_or(|most| size <= most)
    };
    let fits = match (kind["type"].as_str().unwrap(), value) {
        ("string", Value::String(text)) => {
            let listed = kind["enum"].as_array().is_none_or(|known| known.contains(value));
            let digits = kind["digits_only"] != true || text.bytes().all(|byte| byte.is_ascii_digit());
            let time = kind["format"] != "timestamp" || chrono::DateTime::parse_from_rfc3339(text).is_ok();
            listed
                && digits
                && time
                && !text.trim().is_empty()
                && within(text.chars().count(), "min_len", "max_len")
        }
        ("array", Value::Array(list)) => {
            for one in list {
                check_value(schema, &kind["items"], one, path, wrong);
            }
            within(list.len(), "min_items", "max_items")
        }
        ("map", Value::Object(pairs)) => {
            let key =
                pairs.keys().all(|key| key.chars().count() <= limit("max_key_len").unwrap_or(usize::MAX));
            let text = |value: &Value| {
                let text = value.as_str().unwrap_or_default();
                !text.trim().is_empty()
                    && text.chars().count() <= limit("max_value_len").unwrap_or(usize::MAX)
            };
            key && pairs.values().all(text) && within(pairs.len(), "min_pairs", "max_pairs")
        }
        ("object", Value::Object(_)) => {
            let shape = kind["shape"].as_str().unwrap();
            check_asff(schema, &schema["shapes"][shape], value, path, wrong);
            true
        }
        _ => false,
    };
    if !fits {
        wrong.push(format!("{path}: {value} does not fit {kind}"));
    }
}

#[test]
fn security_hub_takes_every_finding() {
    let schema: Value = serde_json::from_str(ASFF).unwrap();
    let long = "\u{e0041}\u{202e}ä ".repeat(20_000);
    let cases = every().into_iter().chain([hostile(&long), hostile(&"x".repeat(300_000))]);
    let most = usize::try_from(schema["limits"]["finding_max_bytes"].as_u64().unwrap()).unwrap();
    for case in cases {
        let Some(finding) = asff::finding(&case, RUN) else { continue };
        let spelled = super::super::text::json(&serde_json::to_string(&finding).unwrap()).len();
        assert!(spelled < most, "{spelled} bytes");
        let mut wrong = Vec::new();
        check_asff(&schema, &schema["finding"], &Value::Object(finding.clone()), "", &mut wrong);
        assert!(wrong.is_empty(), "{}: {wrong:#?}", case.finding.rule_id);
        let arn = finding["ProductArn"].as_str().unwrap();
        let parts: Vec<&str> = arn.split([':', '/']).collect();
        assert!(arn.starts_with("arn:aws:securityhub:") && parts[4] == parts[6], "{arn}");
    }
}

#[test]
fn a_finding_for_security_hub() {
    insta::assert_snapshot!(pretty(&asff::finding(&case("BT001", Verdict::Waived), RUN).unwrap()));
}

#[test]
fn statuses_for_security_hub() {
    let status = |status| {
        let finding = asff::finding(&case("BT001", status), RUN).unwrap();
        format!("{} {}", finding["Compliance"]["Status"], finding["Workflow"]["Status"])
    };
    assert_eq!(
        [Verdict::Violation, Verdict::Waived, Verdict::NotAssessed, Verdict::Pass].map(status),
        [
            "\"FAILED\" \"NEW\"",
            "\"WARNING\" \"SUPPRESSED\"",
            "\"NOT_AVAILABLE\" \"NEW\"",
            "\"PASSED\" \"NEW\""
        ]
    );
}

#[test]
fn region_and_account_are_checked_before_they_make_an_arn() {
    let arn = |region: Option<&str>, account: &str| {
        let mut case = bare();
        case.finding.aws_region = region.map(str::to_owned);
        case.finding.account_id = Some(account.to_owned());
        asff::finding(&case, RUN).map(|finding| finding["ProductArn"].as_str().unwrap().to_owned())
    };
    let mine = |partition: &str, region: &str| {
        Some(format!("arn:{partition}:securityhub:{region}:111122223333:product/111122223333/default"))
    };
    assert_eq!(arn(Some("cn-north-1 eu-west-1"), "111122223333"), mine("aws-cn", "cn-north-1"));
    assert_eq!(arn(Some("us-gov-west-1"), "111122223333"), mine("aws-us-gov", "us-gov-west-1"));
    assert_eq!(arn(Some("eu:west/1"), "111122223333"), mine("aws", "us-east-1"));
    assert_eq!(arn(None, "111122223333"), mine("aws", "us-east-1"));
    assert_eq!(arn(None, "11112222333"), None);
    assert_eq!(arn(None, "١١١٢٢٢٢٣٣٣٣"), None);
}

#[test]
fn one_line_each_and_nothing_of_other_answers() {
    let cases = || vec![case("BT001", Verdict::Violation), bare(), hostile("\u{202e}\n")];
    let ocsf = written("ocsf", cases());
    assert_eq!(ocsf.lines().count(), 3);
    assert!(ocsf.lines().all(|line| serde_json::from_str::<Value>(line).is_ok()));
    let asff = written("asff", cases());
    let list: Value = serde_json::from_str(&asff).unwrap();
    assert_eq!(list.as_array().unwrap().len(), 2, "one names no account");
    assert_eq!(answer(cases()).without_account(), 1);
    assert!(!ocsf.contains('\u{202e}') && !asff.contains('\u{202e}'), "a terminal may show it");
    assert_eq!(
        (written("ocsf", Vec::new()), written("asff", Vec::new())),
        (String::new(), "[]\n".to_owned())
    );
    assert_eq!(
        (written("ocsf", cases()), written("asff", cases())),
        (ocsf, asff),
        "same findings, same bytes"
    );
}
