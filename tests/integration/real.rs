//! Real and published records, which are not part of the repository: `BEDTRAIL_REAL_EVENTS` names the folder that
//! holds them (`trail-2023/*.json`, `published/*.json`). Without it nothing is checked, and that is said.

use std::path::PathBuf;

use serde_json::{Value, json};

use crate::command::bedtrail;
use crate::program::{ask, int, text};
use crate::truth::ledger;

/// The folder, or a line that says that there is none.
fn folder(name: &str) -> Option<PathBuf> {
    let Some(root) = std::env::var_os("BEDTRAIL_REAL_EVENTS") else {
        skipped("BEDTRAIL_REAL_EVENTS is not set");
        return None;
    };
    let folder = PathBuf::from(root).join(name);
    assert!(folder.is_dir(), "BEDTRAIL_REAL_EVENTS has no {name}");
    Some(folder)
}

#[expect(clippy::print_stderr, reason = "a test that checks nothing must say so")]
fn skipped(why: &str) {
    eprintln!("SKIPPED: real events are not checked: {why}");
}

#[test]
fn a_trail_of_2023_without_models() {
    let Some(folder) = folder("trail-2023") else { return };
    let source = ["-s", text(&folder)];
    let answer = ledger(&source);
    assert_eq!((answer.code, answer.rows.len(), answer.err.as_str()), (0, 55, ""));
    let sum = |column: &str| answer.rows.iter().map(|row| int(row, column)).sum::<u64>();
    assert_eq!((sum("seen"), sum("refused"), sum("duplicate"), sum("conflicts")), (2900, 0, 0, 0));
    assert_eq!(sum("kept") + sum("not_ours"), 2900);
    assert_eq!(ask("SELECT event_id FROM usage", &source).rows, Vec::<Value>::new());
    let sql = "SELECT event_name, outcome, COUNT(*) AS calls FROM events WHERE event_name IN ('DeleteTrail', 'StopLogging') \
        GROUP BY event_name, outcome ORDER BY event_name, outcome";
    let deleted = ask(sql, &source).rows;
    assert!(
        deleted.contains(&json!({"event_name": "DeleteTrail", "outcome": "ok", "calls": 2})),
        "{deleted:?}"
    );

    let sql = "SELECT subject, principal, event_count FROM findings WHERE status = 'violation' AND rule_id = 'BT080' ORDER BY subject";
    let violation = |trail: &str| {
        let principal = "arn:aws:iam::123837392027:user/bert-jan";
        json!({"subject": format!("DeleteTrail stratus-red-team-{trail}"), "principal": principal, "event_count": 1})
    };
    let expected = [violation("ctes-trail-qyxyekjbtk"), violation("ctlr-trail-zqfsvooxqj")];
    assert_eq!(ask(sql, &source).rows, expected);
    let audit = bedtrail(["audit"]).source(&folder).format("json").run();
    assert_eq!(audit.code, 1, "{}", audit.stderr);
}

/// The rows of one published file hold exactly these values, those null left out, and nothing else is refused.
fn published(file: &str, refused: u64, expected: &[Value]) {
    let Some(folder) = folder("published") else { return };
    let path = folder.join(file);
    let columns: Vec<&str> = expected
        .iter()
        .flat_map(|row| row.as_object().expect("an object").keys().map(String::as_str))
        .chain([
            "event_name",
            "principal",
            "model_id",
            "outcome",
            "input_tokens",
            "tool_name",
            "role_arn",
            "jwt_subject",
        ])
        .collect::<std::collections::BTreeSet<_>>()
        .into_iter()
        .collect();
    let sql = format!("SELECT {} FROM events ORDER BY log_index", columns.join(", "));
    let answer = ask(&sql, &["-s", text(&path)]);
    let found: Vec<Value> = answer
        .rows
        .iter()
        .map(|row| {
            row.as_object()
                .expect("an object")
                .clone()
                .into_iter()
                .filter(|(_, cell)| !cell.is_null())
                .collect()
        })
        .collect();
    assert_eq!(found, expected, "{file}");
    let rows = ledger(&["-s", text(&path), "-q"]).rows;
    assert_eq!(int(&rows[0], "refused"), refused, "{file}: {}", answer.err);
    assert_eq!(answer.code, if refused == 0 { 0 } else { 3 }, "{file}");
}

#[test]
fn published_model_calls() {
    let user = "arn:aws:iam::111122223333:user/userxyz";
    published(
        "bedrock-userguide-InvokeModel.json",
        0,
        &[json!({
            "event_name": "InvokeModel", "record_kind": "api_call", "activity": "model_invocation", "outcome": "ok", "principal": user,
            "credential": "long_term", "model_id": "stability.stable-diffusion-xl-v0", "model_vendor": "stability",
            "streaming": false, "aws_region": "us-west-2", "client": "boto3", "surface": "runtime",
            "event_id": "a1b2c3d4-5678-90ab-cdef-EXAMPLE11111 ",
        })],
    );
    published(
        "bedrock-mantle-CreateInference.json",
        0,
        &[json!({
            "event_name": "CreateInference", "record_kind": "api_call", "activity": "model_invocation", "outcome": "ok",
            "principal": user, "credential": "bearer_long", "model_id": "anthropic.claude-opus-4-7", "model_vendor": "anthropic",
            "streaming": true, "aws_region": "us-east-1", "client": "openai-python", "surface": "mantle",
            "mantle_project_id": "proj_abc123",
        })],
    );
    // Its date is blacked out: without a time there is no row.
    published("sysdig-llmjacking-InvokeModel-ValidationException.json", 1, &[]);
    published(
        "fragments.json",
        5,
        &[json!({
            "event_name": "ListWorkspaces", "record_kind": "api_call", "activity": "discovery", "outcome": "ok",
            "principal": "unknown", "credential": "bearer_short", "aws_region": "us-east-1",
        })],
    );
}

#[test]
fn published_gateway_calls() {
    let gateway = |id: &str| format!("arn:aws:bedrock-agentcore:us-west-2:XXXXXXXXXX:gateway/{id}");
    let issuer = "https://cognito-idp.us-west-2.amazonaws.com/us-west-2_Fxxxxxhtq";
    published(
        "agentcore-gateway-InvokeGateway.json",
        0,
        &[
            json!({
                "event_name": "InvokeGateway", "record_kind": "api_call", "activity": "tool", "outcome": "denied",
                "gateway_status": 401, "principal": "anonymous", "credential": "none", "surface": "gateway",
                "gateway_arn": gateway("test-openapi-gateway-b24f8c26-u9p3rjw8qw"), "source_ip": "34.XXX.XXX.206",
            }),
            json!({
                "event_name": "InvokeGateway", "record_kind": "api_call", "activity": "tool", "outcome": "ok",
                "gateway_status": 200, "principal": format!("{issuer}|4ammgxxxxxxxxxxxm3b8c"), "credential": "jwt",
                "jwt_issuer": issuer, "jwt_subject": "4ammgxxxxxxxxxxxm3b8c", "tool_name": "SmithyTarget___ListTables",
                "gateway_arn": gateway("test-gateway-65129e91-mtzoadyihf"), "source_ip": "35.88.103.184", "surface": "gateway",
            }),
        ],
    );
}

#[test]
fn published_calls_beside_models() {
    let role = "arn:aws:iam::111122223333:role/RoleForModelImport";
    published(
        "kms-CreateGrant-invokedBy-bedrock_and_agentcore-CreateRegistryRecord.json",
        0,
        &[
            json!({
                "event_name": "CreateGrant", "activity": "downstream", "outcome": "ok", "principal": role, "role_arn": role,
                "invoked_by": "bedrock.amazonaws.com", "source_kind": "aws_service", "session_name": "SampleUser01",
            }),
            json!({
                "event_name": "CreateRegistryRecord", "activity": "agent_admin", "outcome": "ok",
                "principal": "arn:aws:sts::<REDACTED>",
            }),
        ],
    );
    let admin = |name: &str, activity: &str, outcome: &str, principal: &str| json!({"event_name": name, "activity": activity, "outcome": outcome, "principal": principal});
    let user = |account: &str, name: &str| format!("arn:aws:iam::{account}:{name}");
    published(
        "aws-cloudtrail-and-athena-guide-events.json",
        0,
        &[
            admin("EnableMFADevice", "credential_admin", "ok", &user("111122223333", "root")),
            admin("ChangePassword", "credential_admin", "ok", &user("444455556666", "root")),
            admin("StartLogging", "trail_admin", "ok", &user("123456789012", "user/Mary_Major")),
            admin(
                "StartEventDataStoreIngestion",
                "trail_admin",
                "ok",
                &user("123456789012", "user/Paulo_Santos"),
            ),
            admin("CreateUser", "credential_admin", "ok", &user("888888888888", "user/Mary")),
            admin("AddUserToGroup", "credential_admin", "ok", &user("555555555555", "user/Paulo")),
            admin("CreateRole", "credential_admin", "ok", &user("777777777777", "user/Saanvi")),
            admin("UpdateTrail", "trail_admin", "failed", &user("111122223333", "user/Terry")),
        ],
    );
}
