//! Nordwind (`fixtures/agents`): one story through every agent surface. Its README says what is true in it.

use serde_json::Value;

use crate::command::bedtrail;

/// The rows of a report as lines of these columns; null is `-`, and an ARN is shown by its last part.
fn told(report: &str, columns: &[&str]) -> Vec<String> {
    let document = bedtrail(["report", report, "--scope", "agents", "-q"])
        .source("fixtures/agents")
        .policy("fixtures/agents/policy.toml")
        .format("json")
        .run()
        .exits(0)
        .json();
    let cell = |row: &Value, column: &str| match &row[column] {
        Value::Null => "-".to_owned(),
        Value::String(text) if text.starts_with("arn:") && !text.contains(' ') => {
            text.rsplit(['/', ':']).next().unwrap_or_default().to_owned()
        }
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let line = |row: &Value| columns.iter().map(|column| cell(row, column)).collect::<Vec<_>>().join(" ");
    document["reports"][0]["rows"].as_array().expect("rows").iter().map(line).collect()
}

#[test]
fn every_agent_and_what_belongs_to_it_is_listed_and_held_against_the_policy() {
    let lines = told("agents", &["kind", "thing", "registered", "agent", "calls", "last_change"]);
    insta::assert_snapshot!(lines.join("\n"));
}

#[test]
fn what_the_agents_roles_did_is_told_with_the_destructive_first() {
    let lines = told("blast-radius", &["role_arn", "action", "effect", "boundary", "policy_says"]);
    assert_eq!(
        &lines[..2],
        [
            "refund-agent-exec dynamodb:DeleteTable destructive stopped forbidden",
            "refund-agent-exec s3:DeleteObject destructive passed forbidden",
        ]
    );
}

#[test]
fn the_api_of_mantle_is_inferred_and_marked_so() {
    let lines = told("mantle", &["aws_region", "api", "api_basis", "event_names", "client", "calls"]);
    assert_eq!(
        lines,
        [
            "us-west-2 models recorded ListModels codex-cli 1",
            "us-east-1 responses_or_chat_completions inferred CreateInference codex-cli 1",
            "us-east-1 responses_or_chat_completions inferred CreateInference codex-cli 2",
            "us-east-1 responses_or_chat_completions inferred CreateInference codex-vscode 1",
            "us-east-1 responses_or_chat_completions inferred CreateInference codex-cli 1",
        ]
    );
}

#[test]
fn what_the_records_cannot_show_is_told_with_the_selectors_that_would() {
    let lines = told("blind-spots", &["topic", "verdict", "aws_region", "signs", "records"]);
    assert_eq!(
        &lines[..5],
        [
            "bedrock-mantle calls not_assessed us-west-2 1 0",
            "requests inside batch jobs not_recordable eu-central-1 1 0",
            "prompts and answers of bedrock-mantle not_recordable us-east-1 5 0",
            "prompts and answers of bedrock-mantle not_recordable us-west-2 1 0",
            "making of short-term keys not_recordable us-east-1 1 0",
        ]
    );
    assert!(lines.contains(&"functions of agents recorded eu-central-1 1 3".to_owned()), "{lines:?}");
    assert!(lines.contains(&"refusals at VPC endpoints recorded eu-central-1 0 1".to_owned()), "{lines:?}");
    for selectors in told("blind-spots", &["selectors"]).iter().filter(|text| *text != "-") {
        let selectors: Value = serde_json::from_str(selectors).expect("JSON");
        for selector in selectors.as_array().expect("a list") {
            for field in selector["FieldSelectors"].as_array().expect("fields") {
                let values = field["Equals"].as_array().expect("values");
                assert_eq!(values.len(), 1, "one category and one type to a selector: {selector}");
            }
        }
    }
}

#[test]
fn calls_that_a_gateway_turned_away_set_nothing_off() {
    let lines = told("gateway-downstream", &["tool", "status", "link", "downstream_event"]);
    assert_eq!(
        lines,
        [
            "orders___find 200 recorded Invoke",
            "orders___find 200 recorded InvokeAgentRuntime",
            "orders___find 200 derived Invoke",
            "orders___refund 403 none -",
            "orders___find 401 none -",
            "orders___find 401 none -",
            "orders___find 401 none -",
        ]
    );
}

#[test]
fn the_steps_of_sessions_and_flows_are_told_in_the_order_of_time() {
    let sessions = told("sessions", &["event_name"]);
    assert_eq!(sessions, ["CreateSession", "PutInvocationStep", "EndSession"]);
    let flows = told("flow-executions", &["execution", "event_name"]);
    assert_eq!(flows, ["run-1 StartFlowExecution", "- InvokeFlow", "run-1 GetFlowExecution"]);
}

#[test]
fn operations_are_counted_whether_known_or_not() {
    let lines = told("operations", &["event_name", "known", "surface", "activity", "calls", "denied"]);
    assert!(lines.contains(&"InvokeGateway yes gateway tool 7 4".to_owned()), "{lines:?}");
    assert_eq!(lines.len(), 47);
}

#[test]
fn a_trace_leads_from_the_policys_agent_through_its_function_to_what_that_did() {
    let trace = |subject: &str, more: &[&str]| {
        bedtrail(["trace", subject, "--scope", "agents", "-q"])
            .source("fixtures/agents")
            .policy("fixtures/agents/policy.toml")
            .args(more)
            .run()
    };
    let tree = trace("claims-helper", &[]).exits(0).stdout;
    let at = |text: &str| tree.find(text).unwrap_or_else(|| panic!("{text} in {tree}"));
    let (function, query) = (at("lambda Invoke ok"), at("dynamodb Query ok"));
    assert!(function < query, "{tree}");
    assert!(
        tree[query..]
            .starts_with("dynamodb Query ok, claims  [derived: credentials of the function, and time]"),
        "{tree}"
    );
    assert!(!tree.contains("request_parameters"), "{tree}");
    assert!(at("bedrock CreateAgent ok") < at("bedrock UpdateAgent ok"), "its making, too: {tree}");
    assert!(tree.contains(", from 203.0.113.40  [recorded: source identity]"), "{tree}");
    assert!(
        tree.contains("\nA call is dated when it ended, so that what it set off may be dated before it.\n"),
        "{tree}"
    );
    let refund = trace("refund-session-20261103-0002", &[]).exits(0).stdout;
    assert!(
        refund.contains("dynamodb DeleteTable denied (AccessDenied), refunds  ["),
        "what it touched: {refund}"
    );
    assert!(
        refund.contains("s3 DeleteObject ok, nordwind-receipts/2026/11/r-1.pdf  ["),
        "what it touched: {refund}"
    );
    assert!(!refund.contains("A call is dated when it ended"), "{refund}");
    let by_arn = trace("arn:aws:bedrock:eu-central-1:111122223333:agent/CLAIMS01", &[]).exits(0).stdout;
    assert!(by_arn.starts_with("agent CLAIMS01\n") && by_arn.contains("dynamodb Query ok"), "{by_arn}");

    let hidden = trace("partner-agent-7", &["--format", "json"]).exits(0);
    assert!(!hidden.stdout.contains("additional_event_data"), "{}", hidden.stdout);
    let shown = trace("partner-agent-7", &["--format", "json", "--show-content"]).exits(0).json();
    let claims = &shown["callers"][0]["steps"][0]["additional_event_data"]["jwt"]["claims"];
    assert_eq!(claims["sub"], "partner-agent-7");
    assert!(claims["scope"].as_str().is_some_and(|scope| !scope.contains("bytes")), "{claims}");
}

#[test]
fn no_rows_are_explained_where_that_may_be_for_want_of_records() {
    let silent = |report: &str, source: &str| {
        let ran = bedtrail(["report", report, "-q"]).source(source).run().exits(0).stdout;
        (ran.contains("No rows."), ran.contains("Not assessed  no rows  "))
    };
    assert_eq!(silent("retrievals", "fixtures/trail"), (true, true));
    assert_eq!(silent("retrievals", "fixtures/agents"), (false, false));
    assert_eq!(silent("endpoint-denials", "fixtures/rules/BT051-guardrail-deleted/fires"), (true, true));
}
