//! A finding in the AWS Security Finding Format, as `BatchImportFindings` takes it.
//!
//! Its own account and Region make the product's ARN, that of the account's default product. A finding that names no
//! account cannot be told in this format. Texts longer than the format allows end in a mark.

use serde_json::{Map, Value, json};

use super::{Case, object, partition, severity};
use crate::clock;
use crate::finding::Verdict;

/// What stands at the end of a text that was cut.
const CUT: &str = "… [shortened]";

/// The service's limit is 240 KB; whether that is 1000 or 1024 bytes is not said.
const MAX_BYTES: usize = 240_000;

/// Where a finding without a Region is imported.
const HOME: &str = "us-east-1";

/// Whether the format can tell the finding: it has an account of twelve digits.
pub(in crate::output) fn tells(case: &Case) -> bool {
    account(case).is_some()
}

fn account(case: &Case) -> Option<&str> {
    case.account().filter(|id| id.len() == 12 && id.bytes().all(|byte| byte.is_ascii_digit()))
}

/// The finding, if the format can tell it; `found_at` is when it was found, in microseconds.
pub(in crate::output) fn finding(case: &Case, found_at: i64) -> Option<Map<String, Value>> {
    let account = account(case)?;
    let mut finding = Map::new();
    for most in [2048, 512, 64] {
        finding = spelled(case, account, found_at, most);
        // Escapes may make a text six times as long: it is the spelled form that counts.
        let spelled = serde_json::to_string(&finding).unwrap_or_default();
        if super::super::text::json(&spelled).len() <= MAX_BYTES {
            break;
        }
    }
    Some(finding)
}

/// The Region of the finding, of a sample event, or the home.
fn region(case: &Case) -> &str {
    let fit = |name: &&str| {
        (1..=16).contains(&name.len())
            && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
    };
    let own = case.finding.aws_region.iter().flat_map(|regions| regions.split_whitespace());
    own.chain(case.events.iter().filter_map(|event| event.get("aws_region"))).find(fit).unwrap_or(HOME)
}

fn spelled(case: &Case, account: &str, found_at: i64, most: usize) -> Map<String, Value> {
    let finding = &case.finding;
    let region = region(case);
    let partition = partition(region);
    let (_, label) = severity(finding.severity);
    let severity = json!({"Label": label.to_uppercase(), "Original": finding.severity.name()});
    let types = json!([if case.detection() { "TTPs" } else { "Software and Configuration Checks" }]);
    let waived = finding.status == Verdict::Waived;
    let cut = |text: &str| short(text, most);
    let of = |text: &Option<String>| text.as_deref().map(cut);
    let time = clock::format_micros(found_at);
    let fields = json!({
        "rule_id": finding.rule_id,
        "rule_name": finding.rule_name,
        "rule_version": finding.rule_version,
        "status": finding.status.name(),
        "aws_region": of(&finding.aws_region),
        "environment": of(&finding.environment),
        "principal": of(&finding.principal),
        "person": of(&finding.person),
        "subject": of(&finding.subject),
        "expected": of(&finding.expected),
        "observed": of(&finding.observed),
        "event_count": finding.event_count.to_string(),
        "population": finding.population.to_string(),
        "attack": of(&finding.attack),
        "atlas": of(&finding.atlas),
        "waiver_id": of(&finding.waiver_id),
        "waiver_owner": of(&finding.waiver_owner),
        "waiver_expires": finding.waiver_expires.map(clock::format_micros),
        "sample_event_ids": cut(&finding.sample_event_ids.join(" ")),
        "sample_records": cut(&finding.sample_records.join(" ")),
    });
    let text = match finding.observed.as_deref().filter(|observed| !observed.trim().is_empty()) {
        Some(observed) => format!("{} Observed: {observed}", sentence(case.sentence())),
        None => case.sentence().to_owned(),
    };
    object(json!({
        "SchemaVersion": "2018-10-08",
        "Id": finding.finding_id,
        "ProductArn": format!("arn:{partition}:securityhub:{region}:{account}:product/{account}/default"),
        "ProductName": "bedtrail",
        "GeneratorId": format!("bedtrail/{}", short(&finding.rule_id, 256)),
        "AwsAccountId": account,
        "Types": types,
        "FirstObservedAt": finding.first_seen.map(clock::format_micros),
        "LastObservedAt": finding.last_seen.map(clock::format_micros),
        "CreatedAt": time,
        "UpdatedAt": time,
        "Severity": severity,
        "FindingProviderFields": {"Severity": severity, "Types": types},
        "Title": short(case.title(), 256),
        "Description": short(&text, most.min(1024)),
        "Remediation": case.rule.map(|rule| json!({"Recommendation": {"Text": short(&rule.fix, most.min(512))}})),
        "ProductFields": fields,
        "Resources": resources(case, account, region, most),
        "Compliance": compliance(case, most),
        "Workflow": {"Status": if waived { "SUPPRESSED" } else { "NEW" }},
        "RecordState": "ACTIVE",
    }))
}

/// A text that ends like a sentence.
fn sentence(text: &str) -> String {
    let text = text.trim_end();
    if text.ends_with(['.', '!', '?']) { text.to_owned() } else { format!("{text}.") }
}

/// At most so many characters, with a mark where some were cut.
fn short(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    let keep = most.saturating_sub(CUT.chars().count());
    text.chars().take(keep).chain(CUT.chars()).collect()
}

fn compliance(case: &Case, most: usize) -> Value {
    let finding = &case.finding;
    let status = match finding.status {
        Verdict::Violation => "FAILED",
        Verdict::Waived => "WARNING",
        Verdict::NotAssessed | Verdict::NotApplicable => "NOT_AVAILABLE",
        Verdict::Pass => "PASSED",
    };
    let controls = case.controls();
    let standards: Vec<Value> =
        controls.iter().map(|(name, _)| json!({"StandardsId": short(name, most)})).collect();
    let requirements: Vec<String> = controls
        .iter()
        .flat_map(|(name, list)| list.iter().map(move |control| short(&format!("{name} {control}"), most)))
        .take(32)
        .collect();
    let reason = match finding.status {
        Verdict::NotAssessed => Some(("NOT_ASSESSED", finding.not_assessed_reason.as_deref())),
        Verdict::Waived => Some(("WAIVED", finding.reason.as_deref())),
        _ => None,
    };
    let reasons = reason
        .map(|(code, text)| json!([{"ReasonCode": code, "Description": text.map(|text| short(text, most))}]));
    json!({
        "Status": status,
        "SecurityControlId": short(&finding.rule_id, most),
        "AssociatedStandards": standards,
        "RelatedRequirements": requirements,
        "StatusReasons": reasons,
    })
}

/// The caller where it is one of IAM's, and what was called; else the account.
fn resources(case: &Case, account: &str, region: &str, most: usize) -> Vec<Value> {
    let partition = partition(region);
    let one = |kind: &str, id: &str| json!({"Type": kind, "Id": short(id, most), "Partition": partition, "Region": region});
    let mut all = Vec::new();
    if let Some(principal) =
        case.finding.principal.as_deref().filter(|principal| principal.starts_with("arn:"))
    {
        let kind = match principal {
            _ if principal.contains(":role/") => "AwsIamRole",
            _ if principal.contains(":user/") => "AwsIamUser",
            _ => "Other",
        };
        all.push(one(kind, principal));
    }
    let mut arns: Vec<&str> = case.events.iter().filter_map(|event| event.get("resource_arn")).collect();
    arns.retain(|arn| arn.starts_with("arn:"));
    arns.sort_unstable();
    arns.dedup();
    all.extend(arns.into_iter().map(|arn| one("Other", arn)));
    all.push(one("AwsAccount", &format!("AWS::::Account:{account}")));
    all
}
