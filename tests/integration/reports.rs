//! What single reports say, on records made for one case each.

use serde_json::{Value, json};

use crate::command::bedtrail;
use crate::program::text;
use crate::record::{self, ACCOUNT, call};

/// The rows of a report over these records, the named columns of each.
fn rows(report: &str, columns: &[&str], records: &[Value], more: &[&str]) -> Vec<String> {
    let folder = tempfile::tempdir().expect("a temporary folder");
    record::write(folder.path(), "a", records);
    let ran =
        bedtrail(["report", report, "--format", "json"]).args(["-s", text(folder.path())]).args(more).run();
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let cell = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let rows = ran.json()["reports"][0]["rows"].as_array().expect("rows").clone();
    rows.iter()
        .map(|row| columns.iter().map(|name| cell(&row[name])).collect::<Vec<_>>().join(" | "))
        .collect()
}

/// A call of a gateway's tool by a token's subject, and what the gateway answered.
fn gateway(number: u32, subject: &str, answer: Value) -> Value {
    let mut record = call(number);
    record["eventSource"] = "bedrock-agentcore.amazonaws.com".into();
    record["eventName"] = "InvokeGateway".into();
    record["userIdentity"] = json!({"type": "AWSAccount", "principalId": "", "accountId": "anonymous"});
    record["requestParameters"] =
        json!({"body": {"jsonrpc": "2.0", "method": "tools/call", "id": 1, "params": {"name": "T___x"}}});
    record["responseElements"] = answer;
    record["additionalEventData"] =
        json!({"jwt": {"claims": {"sub": subject, "iss": "https://idp.example"}}});
    record["managementEvent"] = false.into();
    record["eventCategory"] = "Data".into();
    record["resources"] = json!([{
        "accountId": ACCOUNT,
        "type": "AWS::BedrockAgentCore::Gateway",
        "ARN": format!("arn:aws:bedrock-agentcore:eu-central-1:{ACCOUNT}:gateway/g1")
    }]);
    record
}

#[test]
fn a_tools_error_is_one_in_an_answer_of_whatever_form_and_no_refusal() {
    let answer = |status: u32, body: Value| json!({"statusCode": status, "body": body});
    let mut throttled = gateway(8, "8 throttled", Value::Null);
    throttled["errorCode"] = "ThrottlingException".into();
    let records = [
        gateway(1, "1 no token", answer(401, json!({"error": {"code": -32001}}))),
        gateway(2, "2 no right", answer(403, json!({"error": {"code": -32002, "message": "no"}}))),
        gateway(3, "3 own error", answer(200, json!({"result": {"isError": true}}))),
        gateway(4, "4 no code", answer(200, json!({"error": {"message": "boom"}}))),
        gateway(5, "5 code", answer(200, json!({"error": {"code": -32603, "message": "boom"}}))),
        gateway(6, "6 answered", answer(200, json!({"result": "REDACTED"}))),
        gateway(7, "7 nothing", Value::Null),
        throttled,
        gateway(9, "9 no status", json!({"body": {"error": {"code": -32603}}})),
    ];
    let columns = ["subject", "status_class", "ok", "denied", "tool_errors"];
    let told = rows("gateway-callers", &columns, &records, &[]);
    assert_eq!(
        told,
        [
            "1 no token | not_authenticated | 0 | 1 | 0",
            "2 no right | not_authorised | 0 | 1 | 0",
            "3 own error | answered | 0 | 0 | 1",
            "4 no code | answered | 0 | 0 | 1",
            "5 code | answered | 0 | 0 | 1",
            "6 answered | answered | 1 | 0 | 0",
            "7 nothing | not_recorded | 1 | 0 | 0",
            "8 throttled | not_recorded | 0 | 0 | 0",
            "9 no status | not_recorded | 0 | 0 | 1",
        ]
    );
    assert_eq!(rows("gateway-callers", &columns, &records, &["--show-content"]), told);
}

#[test]
fn a_caller_without_a_name_is_told_and_why() {
    let by = |number, identity: Value| {
        let mut record = call(number);
        record["userIdentity"] = identity;
        record
    };
    let records = [
        by(1, json!({"type": "AWSAccount", "principalId": "", "accountId": "anonymous"})),
        by(2, json!({"type": "AssumedRole", "principalId": "AROAIOSFODNN7EXAMPLE:s", "accountId": ACCOUNT})),
        by(
            3,
            json!({"type": "AWSAccount", "principalId": "AROAIOSFODNN7EXAMPLE:s", "accountId": "444455556666"}),
        ),
        by(4, json!({"type": "Unknown"})),
        call(5),
    ];
    assert_eq!(
        rows("unresolved", &["kind", "principal", "reason"], &records, &[]),
        [
            format!("caller | account:{ACCOUNT} | a caller of this account: the record names neither role nor user"),
            "caller | account:444455556666 | a caller of another account: its own account has the record that names the role".to_owned(),
            "caller | anonymous | the call was not signed and carries no token subject".to_owned(),
            "caller | unknown | the record does not say who called".to_owned(),
        ]
    );
}

#[test]
fn a_shipped_report_asked_as_a_query_has_the_rows_of_the_report() {
    let reports = std::fs::read_dir("queries/reports")
        .expect("the reports")
        .map(|entry| entry.expect("an entry").path());
    let grouped = reports.filter(|path| {
        std::fs::read_to_string(path).is_ok_and(|sql| sql.contains("GROUPING SETS") || sql.contains("OVER ("))
    });
    let mut seen = 0;
    for path in grouped {
        let name = path.file_stem().and_then(|name| name.to_str()).expect("a name");
        let rows = |words: [&str; 2]| {
            let run = bedtrail(words).args(["-s", "fixtures/agents", "--quiet", "--format", "json"]).run();
            run.exits(0).json()["reports"][0]["rows"].clone()
        };
        assert_eq!(rows(["query", name]), rows(["report", name]), "{name}");
        seen += 1;
    }
    assert!(seen > 5, "{seen}");
}
