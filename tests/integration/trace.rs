//! `trace`: from the caller to the last call.

use crate::command::bedtrail;
use crate::odd::{call, document};
use crate::program::put;

const STORY: [&str; 4] = ["-s", "fixtures/trail", "--policy", "fixtures/policy.toml"];

fn trace(subject: &str, more: &[&str]) -> crate::command::Outcome {
    bedtrail(["trace", subject]).args(STORY).args(more).run()
}

#[test]
fn a_session_is_told_from_its_caller_down() {
    let ran = trace("refund-00270950", &["--scope", "agents"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    insta::assert_snapshot!(ran.stdout);
}

#[test]
fn json_tells_the_same() {
    let whole = "refund-00270950-6716-49d8-8b41-6cb1b594169d";
    let document = trace(whole, &["--format", "json"]).json();
    assert_eq!((document["kind"].as_str(), document["subject"].as_str()), (Some("session"), Some(whole)));
    let call = &document["callers"][0]["steps"][0];
    assert_eq!(call["event_name"], "InvokeAgentRuntime");
    let steps = call["steps"].as_array().expect("steps");
    assert!(steps.iter().all(|step| step["link"] == "derived" || step["link"] == "recorded"), "{steps:?}");
    assert!(steps.iter().any(|step| step["credential_provider"] == "zendesk-oauth"));
}

#[test]
fn a_request_below_leads_up_to_the_person() {
    let document = trace("refund-00270950", &["--format", "json"]).json();
    let steps = document["callers"][0]["steps"][0]["steps"].as_array().expect("steps").clone();
    let below = steps.iter().find(|step| step["event_name"] == "ConverseStream").expect("a call of a model");
    let request = below["request_id"].as_str().expect("an id");
    let document = trace(request, &["--format", "json"]).json();
    assert_eq!(document["kind"], "request");
    assert_eq!(document["callers"][0]["principal"], "arn:aws:iam::111122223333:role/refund-api");
}

#[test]
fn what_is_not_there_and_what_may_be_many_is_said() {
    let none = trace("no-such-session", &[]);
    assert_eq!((none.code, none.stdout.as_str()), (4, ""));
    assert!(none.stderr.contains("no session, agent, request or person"), "{}", none.stderr);
    let many = trace("refund-", &[]);
    assert_eq!(many.code, 2);
    assert!(
        many.stderr.contains("session refund-00270950-6716-49d8-8b41-6cb1b594169d (2 records"),
        "{}",
        many.stderr
    );
    let hostile = trace("' OR 1 = 1 --", &[]);
    assert_eq!(hostile.code, 4);
}

#[test]
fn spans_hang_under_the_record_of_their_request() {
    let plain = trace("refund-00270950", &["--format", "json"]).json();
    let step = &plain["callers"][0]["steps"][0];
    let request = step["request_id"].as_str().expect("an id");
    let folder = tempfile::tempdir().expect("a temporary folder");
    let line = format!(
        r#"{{"traceId":"t1","spanId":"a","name":"invoke \u001b[31m","startTimeUnixNano":1790000000000000000,"endTimeUnixNano":1790000000012000000,"attributes":{{"aws.request_id":"{request}","gen_ai.prompt":"secret"}}}}"#
    );
    let spans = put(folder.path(), "spans.ndjson", line + "\nno span\n");
    let document = trace("refund-00270950", &["--format", "json", "--spans", &spans]).json();
    let span = &document["callers"][0]["steps"][0]["spans"][0];
    assert_eq!((span["trace_id"].as_str(), span["link"].as_str()), (Some("t1"), Some("recorded")));
    let tree = trace("refund-00270950", &["--spans", &spans]);
    assert!(tree.stdout.contains("12 ms, trace t1  [recorded: request id]"), "{}", tree.stdout);
    assert!(!tree.stdout.contains("secret") && !tree.stdout.contains('\u{1b}'), "{}", tree.stdout);
    assert!(tree.stdout.contains("1 of 1 spans belong to these records"), "{}", tree.stdout);
    assert_eq!(trace("refund-00270950", &["--spans", "no-such-file"]).code, 4);
}

#[test]
fn records_that_share_an_event_id_are_told_apart() {
    let gateway = |subject: &str| {
        let claims = format!(r#"{{"jwt":{{"claims":{{"iss":"https://idp.example","sub":"{subject}"}}}}}}"#);
        call(
            1,
            &[
                ("eventSource", r#""bedrock-agentcore.amazonaws.com""#),
                ("eventName", r#""InvokeGateway""#),
                ("eventCategory", r#""Data""#),
                ("userIdentity", r#"{"type":"AWSAccount","principalId":"","accountId":"anonymous"}"#),
                ("additionalEventData", &claims),
            ],
        )
    };
    let folder = tempfile::tempdir().expect("a temporary folder");
    let logs = put(folder.path(), "a.json", document(&[gateway("ana"), gateway("ben"), gateway("cy")]));
    let traced = bedtrail(["trace", "ben", "-s", &logs]).run().exits(0).stdout;
    assert_eq!(traced.matches("InvokeGateway").count(), 1, "{traced}");
    assert!(traced.contains("ben as ") && !traced.contains("ana as "), "{traced}");
}
