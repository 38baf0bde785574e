//! A finding in the Open Cybersecurity Schema Framework, version 1.8.0.
//!
//! Rules about abuse and tampering make a Detection Finding (2004), all others a Compliance Finding (2003). What
//! could not be assessed is always the latter: compliance status 2, Warning, which the schema has for a result that
//! is missing, and `Not Assessed` as its text. A waived finding is Suppressed.

use std::net::IpAddr;

use serde_json::{Map, Value, json};

use super::{Case, Event, object, partition, severity};
use crate::clock;
use crate::data;
use crate::finding::Verdict;

/// The version of the schema.
const VERSION: &str = "1.8.0";

/// The program, as the schema describes a product.
fn product() -> Value {
    json!({"name": "bedtrail", "vendor_name": "bedtrail", "version": env!("CARGO_PKG_VERSION")})
}

fn millis(micros: i64) -> i64 {
    micros.div_euclid(1000)
}

/// The finding as an event of the schema; `found_at` is when it was found, in microseconds.
pub(in crate::output) fn event(case: &Case, found_at: i64) -> Map<String, Value> {
    let finding = &case.finding;
    let detection = case.detection();
    let (class, class_name) =
        if detection { (2004, "Detection Finding") } else { (2003, "Compliance Finding") };
    let (activity, activity_name) =
        if finding.new_since_last_run == Some(false) { (2, "Update") } else { (1, "Create") };
    let waived = finding.status == Verdict::Waived;
    let (status_id, status) = if waived { (3, "Suppressed") } else { (1, "New") };
    let (severity_id, severity) = severity(finding.severity);
    let mut event = json!({
        "activity_id": activity,
        "activity_name": activity_name,
        "category_uid": 2,
        "category_name": "Findings",
        "class_uid": class,
        "class_name": class_name,
        "type_uid": class * 100 + activity,
        "type_name": format!("{class_name}: {activity_name}"),
        "severity_id": severity_id,
        "severity": severity,
        "status_id": status_id,
        "status": status,
        "status_code": finding.status.name(),
        "status_detail": finding.not_assessed_reason.as_ref().or(finding.reason.as_ref()),
        "time": millis(found_at),
        "timezone_offset": 0,
        "start_time": finding.first_seen.map(millis),
        "end_time": finding.last_seen.map(millis),
        "count": (finding.event_count > 0).then_some(finding.event_count),
        "message": case.sentence(),
        "comment": waiver(case),
        "metadata": {
            "version": VERSION,
            "product": product(),
            "reporter": {"name": "bedtrail"},
            "profiles": ["cloud"],
            "event_code": finding.rule_id,
            "log_name": "CloudTrail",
            "log_provider": "AWS",
            "original_time": finding.last_seen.map(clock::format_micros),
        },
        "cloud": {
            "provider": "AWS",
            "region": case.region(),
            "cloud_partition": case.region().map(partition),
            "account": case.account().map(account),
        },
        "finding_info": info(case),
        "evidences": case.events.iter().filter_map(evidence).collect::<Vec<_>>(),
        "resources": resources(case),
        "observables": observables(case),
        "remediation": case.rule.map(|rule| json!({"desc": rule.fix})),
        "unmapped": {
            "aws_region": finding.aws_region,
            "environment": finding.environment,
            "principal": finding.principal,
            "person": finding.person,
            "subject": finding.subject,
            "expected": finding.expected,
            "observed": finding.observed,
            "population": finding.population,
            "waiver_id": finding.waiver_id,
            "waiver_owner": finding.waiver_owner,
            "waiver_expires": finding.waiver_expires.map(clock::format_micros),
        },
    });
    if detection {
        event["is_alert"] = json!(!waived);
    } else {
        event["compliance"] = compliance(case);
    }
    object(event)
}

/// Who accepts it, and until when.
fn waiver(case: &Case) -> Option<String> {
    let finding = &case.finding;
    let id = finding.waiver_id.as_ref().filter(|_| finding.status == Verdict::Waived)?;
    let owner = finding.waiver_owner.as_deref().unwrap_or("nobody named");
    let expires = finding.waiver_expires.map(clock::format_micros).unwrap_or_default();
    Some(format!("Waived by {id}, owner {owner}, until {expires}."))
}

fn account(id: &str) -> Value {
    json!({"uid": id, "type": "AWS Account", "type_id": 10})
}

fn info(case: &Case) -> Value {
    let finding = &case.finding;
    // A statistic is compared with a limit; every other rule decides by what single records say.
    let (kind_id, kind) = if finding.rule_id == "BT072" { (3, "Statistical") } else { (1, "Rule") };
    let related: Vec<Value> = case.events.iter().filter_map(related).collect();
    json!({
        "uid": finding.finding_id,
        "title": case.title(),
        "desc": case.sentence(),
        "product": product(),
        "data_sources": ["AWS CloudTrail"],
        "first_seen_time": finding.first_seen.map(millis),
        "last_seen_time": finding.last_seen.map(millis),
        "related_events": related,
        "related_events_count": finding.event_count,
        "analytic": {
            "uid": finding.rule_id,
            "name": finding.rule_name,
            "type_id": kind_id,
            "type": kind,
            "desc": case.rule.map(|rule| &rule.why),
            "version": finding.rule_version,
        },
        "attacks": attacks(case),
    })
}

/// A sample event, with its place in the logs.
fn related(event: &Event) -> Option<Value> {
    let id = event.get("event_id")?;
    Some(json!({"uid": id, "title": event.get("event_name"), "desc": event.place()}))
}

/// The techniques, those of older versions after those of today.
fn attacks(case: &Case) -> Vec<Value> {
    let finding = &case.finding;
    let mut ids: Vec<&str> = [&finding.attack, &finding.atlas]
        .into_iter()
        .flatten()
        .flat_map(|list| list.split_whitespace())
        .collect();
    ids.extend(case.rule.iter().flat_map(|rule| rule.attack_old.iter().map(String::as_str)));
    ids.into_iter().map(attack).collect()
}

fn attack(id: &str) -> Value {
    let known = data::technique(id);
    let (name, version) = match &known {
        Some(known) => (Some(known.name.as_str()), known.version.split_whitespace().next()),
        None => (None, None),
    };
    let page = if id.starts_with("AML.") {
        format!("https://atlas.mitre.org/techniques/{id}")
    } else {
        format!("https://attack.mitre.org/techniques/{}/", id.replace('.', "/"))
    };
    // T1078.004 and AML.T0034.000 are of T1078 and AML.T0034; `AML.T0034` itself is whole.
    let parent = id.rsplit_once('.').map(|(parent, _)| parent).filter(|parent| parent.contains('T'));
    let Some(parent) = parent else {
        return json!({"technique": {"uid": id, "name": name, "src_url": page}, "version": version});
    };
    let (of, own) = match name.and_then(|name| name.split_once(": ")) {
        Some((of, own)) => (Some(of), Some(own)),
        None => (None, name),
    };
    json!({
        "technique": {"uid": parent, "name": of},
        "sub_technique": {"uid": id, "name": own, "src_url": page},
        "version": version,
    })
}

fn compliance(case: &Case) -> Value {
    let finding = &case.finding;
    let (status_id, status) = match finding.status {
        Verdict::Violation | Verdict::Waived => (3, "Fail"),
        Verdict::NotAssessed => (2, "Not Assessed"),
        Verdict::Pass => (1, "Pass"),
        Verdict::NotApplicable => (99, "Not Applicable"),
    };
    let controls = case.controls();
    let standards: Vec<&str> = controls.iter().map(|(framework, _)| *framework).collect();
    let requirements: Vec<String> = controls
        .iter()
        .flat_map(|(framework, list)| list.iter().map(move |control| format!("{framework} {control}")))
        .collect();
    let (severity_id, severity) = severity(finding.severity);
    // Whether it meets the criteria is just what is not known of the others.
    let judged = matches!(finding.status, Verdict::Violation | Verdict::Waived | Verdict::Pass);
    let assessments = judged.then(|| {
        json!([{
            "uid": finding.rule_id,
            "name": finding.rule_name,
            "desc": finding.expected.as_ref().or(finding.reason.as_ref()),
            "meets_criteria": finding.status == Verdict::Pass,
        }])
    });
    json!({
        "control": finding.rule_id,
        "desc": finding.expected,
        "standards": standards,
        "requirements": requirements,
        "status_id": status_id,
        "status": status,
        "status_code": finding.status.name(),
        "status_details": [finding.not_assessed_reason, finding.reason, finding.observed],
        "checks": [{
            "uid": finding.rule_id,
            "name": finding.rule_name,
            "desc": finding.rule_title,
            "version": finding.rule_version,
            "standards": standards,
            "severity_id": severity_id,
            "severity": severity,
            "status_id": status_id,
            "status": status,
        }],
        "assessments": assessments,
    })
}

/// What one sample event shows of who did it, what was called, and from where.
fn evidence(event: &Event) -> Option<Value> {
    let get = |name| event.get(name);
    let operation = get("event_name")?;
    let kind = get("principal_type").unwrap_or_default();
    let (type_id, type_name) = match kind {
        "IAMUser" | "IdentityCenterUser" | "SAMLUser" | "WebIdentityUser" | "FederatedUser" => (1, "User"),
        "Root" => (2, "Admin"),
        "AWSService" | "ServiceEvent" => (3, "System"),
        "AssumedRole" | "Role" => (4, "Service"),
        _ => (0, "Unknown"),
    };
    let uid = get("principal_arn").or(get("principal"));
    let user = uid.map(|uid| {
        json!({
            "uid": uid,
            "uid_alt": get("principal_id"),
            "name": get("person").or(get("session_name")).or(get("principal")),
            "type_id": type_id,
            "type": type_name,
            "has_mfa": get("mfa").map(|mfa| mfa == "true"),
            "account": get("principal_account_id").map(account),
        })
    });
    let session = json!({
        "uid": get("session_name"),
        "issuer": get("role_arn"),
        "credential_uid": get("access_key_id"),
    });
    let address = get("source_ip");
    let number = address.filter(|address| address.parse::<IpAddr>().is_ok());
    let source = address.or(get("vpc_endpoint_id")).map(|_| {
        json!({
            "ip": number,
            "svc_name": address.filter(|_| number.is_none()),
            "interface_uid": get("vpc_endpoint_id"),
        })
    });
    Some(json!({
        "uid": get("event_id"),
        "name": operation,
        "actor": {"user": user, "session": session, "invoked_by": get("invoked_by")},
        "api": {
            "operation": operation,
            "service": get("event_source").map(|source| json!({"name": source})),
            "request": get("request_id").map(|id| json!({"uid": id})),
            "response": get("error_code").map(|error| json!({"error": error})),
        },
        "src_endpoint": source,
        "http_request": get("user_agent").map(|agent| json!({"user_agent": agent})),
        "resources": get("resource_arn").map(|arn| json!([resource(arn, "Target")])),
        "data": {
            "event_time": get("event_time"),
            "aws_region": get("aws_region"),
            "outcome": get("outcome"),
            "model_id": get("model_id"),
            "log_object": get("log_object"),
            "log_index": get("log_index").and_then(|index| index.parse::<i64>().ok()),
        },
    }))
}

/// An AWS resource. `role`: Target or Actor.
fn resource(arn: &str, role: &str) -> Value {
    let mut parts = arn.splitn(6, ':').skip(1);
    let (partition, service, region) = (parts.next(), parts.next(), parts.next());
    json!({
        "uid": arn,
        "type": service,
        "provider": "AWS",
        "cloud_partition": partition,
        "region": region,
        "role_id": if role == "Actor" { 2 } else { 1 },
        "role": role,
    })
}

/// Who did it, and what it was done to.
fn resources(case: &Case) -> Vec<Value> {
    let mut all = Vec::new();
    if let Some(principal) =
        case.finding.principal.as_deref().filter(|principal| principal.starts_with("arn:"))
    {
        all.push(resource(principal, "Actor"));
    }
    let mut arns: Vec<&str> = case.events.iter().filter_map(|event| event.get("resource_arn")).collect();
    arns.sort_unstable();
    arns.dedup();
    all.extend(arns.into_iter().map(|arn| resource(arn, "Target")));
    if all.is_empty() {
        let whole = case.account().map(|id| {
            json!({"uid": format!("AWS::::Account:{id}"), "type": "AWS::Account", "provider": "AWS",
                   "role_id": 3, "role": "Affected"})
        });
        all.extend(whole);
    }
    all
}

/// The addresses and the caller, where a search looks for them.
fn observables(case: &Case) -> Vec<Value> {
    let mut addresses: Vec<&str> = case
        .events
        .iter()
        .filter_map(|event| event.get("source_ip"))
        .filter(|address| address.parse::<IpAddr>().is_ok())
        .collect();
    addresses.sort_unstable();
    addresses.dedup();
    let address =
        |ip| json!({"name": "evidences[].src_endpoint.ip", "type_id": 2, "type": "IP Address", "value": ip});
    let who = case.finding.principal.as_ref().map(|principal| {
        json!({"name": "unmapped.principal", "type_id": 10, "type": "Resource UID", "value": principal})
    });
    addresses.into_iter().map(address).chain(who).collect()
}
