//! Rules at their borders: records made for one case each, every case in an account of its own, all judged in one run.

use std::fs;

use serde_json::{Value, json};

use crate::command::bedtrail;
use crate::record::write;

const SONNET: &str = "anthropic.claude-sonnet-4-5-20250929-v1:0";
const AGENTCORE: &str = "bedrock-agentcore.amazonaws.com";
const TRAIL: &str = "cloudtrail.amazonaws.com";
const KEY: &str = "arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab";

/// `effective` so that calls of the ninth are past the model's end and within the grace, those of the twelfth are not.
const POLICY: &str = r#"schema = 1
name = "borders"
version = "1"

[[environment]]
name = "prod"
accounts = ["9*"]
inference_geographies = ["eu"]
data_class = "personal"

[[environment]]
name = "test"
accounts = ["8*"]
inference_geographies = ["eu"]

[[model_end]]
model = "amazon.nova-pro-v1*"
after = 2026-10-08

[rules.BT003]
params = { grace_days = 3 }

[[agent]]
name = "refund"
runtime = "arn:aws-us-gov:bedrock:us-gov-west-1:*:agent/REFUND0001"
callers = ["arn:aws-us-gov:iam::*:role/refund-api"]

[logging]
log_buckets = ["arn:aws-us-gov:s3:::logs-*"]
invocation_log_targets = ["invocations"]
"#;

/// The records of all cases, and the rules that judge them by account.
#[derive(Default)]
struct Cases {
    records: Vec<Value>,
    rules: Vec<(String, &'static str, &'static str)>,
    account: String,
}

impl Cases {
    /// What follows happens in an account of its own and is a matter of this rule.
    fn case(&mut self, rule: &'static str, told: &'static str) {
        self.starting("9", rule, told);
    }

    fn starting(&mut self, digit: &str, rule: &'static str, told: &'static str) {
        self.account = format!("{digit}{:011}", self.rules.len());
        self.rules.push((self.account.clone(), rule, told));
    }

    /// One record; `more` replaces members of it.
    fn add(&mut self, source: &str, name: &str, time: &str, parameters: Value, more: Value) {
        let (account, number) = (&self.account, self.records.len());
        let mut record = json!({
            "eventVersion": "1.11",
            "userIdentity": {
                "type": "AssumedRole",
                "principalId": "AROAIOSFODNN7EXAMPLE:s",
                "arn": format!("arn:aws:sts::{account}:assumed-role/deploy/s"),
                "accountId": account,
                "accessKeyId": "ASIAIOSFODNN7EXAMPLE",
                "sessionContext": {"sessionIssuer": {
                    "type": "Role",
                    "principalId": "AROAIOSFODNN7EXAMPLE",
                    "arn": format!("arn:aws:iam::{account}:role/deploy"),
                    "accountId": account,
                    "userName": "deploy"
                }}
            },
            "eventTime": format!("2026-10-{time}Z"),
            "eventSource": source,
            "eventName": name,
            "awsRegion": "eu-central-1",
            "sourceIPAddress": "10.0.0.1",
            "userAgent": "Boto3/1.40.61",
            "responseElements": null,
            "requestID": format!("7a6b5c4d-0000-4000-8000-{number:012}"),
            // The later the record, the smaller its id: order has to come from the time.
            "eventID": format!("0f1e2d3c-0000-4000-8000-{:012}", 999_999 - number),
            "readOnly": false,
            "eventType": "AwsApiCall",
            "managementEvent": true,
            "recipientAccountId": account,
            "eventCategory": "Management"
        });
        record["requestParameters"] = parameters;
        if let (Some(members), Value::Object(more)) = (record.as_object_mut(), more) {
            members.extend(more);
        }
        self.records.push(record);
    }

    fn bedrock(&mut self, name: &str, time: &str, parameters: Value, more: Value) {
        self.add("bedrock.amazonaws.com", name, time, parameters, more);
    }

    fn call(&mut self, time: &str, model: &str, more: Value) {
        self.bedrock("Converse", time, json!({"modelId": model}), more);
    }
}

fn models(cases: &mut Cases) {
    cases.case("BT003", "after its end, within the grace");
    cases.call("09T10:00:00", "amazon.nova-pro-v1:0", json!({}));
    cases.case("BT003", "after the grace");
    cases.call("12T10:00:00", "amazon.nova-pro-v1:0", json!({}));
    let away = || json!({"additionalEventData": {"inferenceRegion": "us-east-1"}});
    cases.case("BT021", "personal data ran elsewhere");
    cases.call("09T10:00:00", &format!("global.{SONNET}"), away());
    cases.starting("8", "BT021", "other data ran elsewhere");
    cases.call("09T10:00:00", &format!("global.{SONNET}"), away());
    cases.case("BT091", "models listed, no selector known");
    cases.add("bedrock-mantle.amazonaws.com", "ListModels", "09T10:00:00", json!({}), json!({}));
    cases.case("BT091", "models listed, selector set");
    cases.add("bedrock-mantle.amazonaws.com", "ListModels", "09T10:00:00", json!({}), json!({}));
    let field = |field: &str, value: &str| json!({"field": field, "equals": [value]});
    let selectors = json!([
        {"fieldSelectors": [field("eventCategory", "Management")]},
        {"fieldSelectors": [field("eventCategory", "Data"), field("resources.type", "AWS::BedrockMantle::Project")]}
    ]);
    let set = json!({"trailName": "t", "advancedEventSelectors": selectors});
    cases.add(TRAIL, "PutEventSelectors", "09T11:00:00", set, json!({}));
}

fn agents(cases: &mut Cases) {
    let runtime = |more: Value| {
        let mut parameters = json!({"agentRuntimeName": "refund"});
        if let (Some(members), Value::Object(more)) = (parameters.as_object_mut(), more) {
            members.extend(more);
        }
        parameters
    };
    cases.case("BT044", "made without a word about the network");
    cases.add(AGENTCORE, "CreateAgentRuntime", "09T10:00:00", runtime(json!({})), json!({}));
    cases.case("BT044", "the network is hidden");
    let hidden = json!({"networkConfiguration": "HIDDEN_DUE_TO_SECURITY_REASONS"});
    cases.add(AGENTCORE, "CreateAgentRuntime", "09T10:00:00", runtime(hidden), json!({}));
    cases.case("BT044", "no parameters recorded");
    cases.add(AGENTCORE, "CreateAgentRuntime", "09T10:00:00", Value::Null, json!({}));
    cases.case("BT044", "an update that says nothing");
    cases.add(AGENTCORE, "UpdateAgentRuntime", "09T10:00:00", json!({"agentRuntimeId": "r"}), json!({}));
    for (told, guarded) in
        [("prepared bare in the second of its creation", false), ("with a guardrail", true)]
    {
        cases.case("BT054", told);
        let mut settings = json!({"agentName": "a", "foundationModel": SONNET});
        if guarded {
            settings["guardrailConfiguration"] =
                json!({"guardrailIdentifier": "gr1", "guardrailVersion": "1"});
        }
        let made = json!({"responseElements": {"agent": {"agentId": "AGENT00001"}}});
        cases.bedrock("CreateAgent", "09T10:00:00", settings, made);
        cases.bedrock("PrepareAgent", "09T10:00:00", json!({"agentId": "AGENT00001"}), json!({}));
    }
    cases.case("BT060", "an agent of another partition, called by a stranger");
    let asked = json!({"agentId": "REFUND0001", "agentAliasId": "ALIAS00001", "sessionId": "s"});
    cases.bedrock(
        "InvokeAgent",
        "09T10:00:00",
        asked,
        json!({"awsRegion": "us-gov-west-1", "eventCategory": "Data"}),
    );
}

/// A guardrail of a strength, and one of another an hour later.
fn guardrail(cases: &mut Cases, before: &str, after: &str) {
    for (name, time, strength) in
        [("CreateGuardrail", "09T10:00:00", before), ("UpdateGuardrail", "09T11:00:00", after)]
    {
        let filter = json!({"type": "PROMPT_ATTACK", "inputStrength": strength, "outputStrength": "NONE"});
        let settings =
            json!({"guardrailIdentifier": "gr1", "contentPolicyConfig": {"filtersConfig": [filter]}});
        cases.bedrock(name, time, settings, json!({"responseElements": {"guardrailId": "gr1"}}));
    }
}

fn guardrails(cases: &mut Cases) {
    for (told, before, after, called) in [
        ("weaker, then a call in the same second", "HIGH", "LOW", "09T11:00:00"),
        ("weaker, then a call on the last second", "HIGH", "LOW", "09T12:00:00"),
        ("weaker, then a call too late", "HIGH", "LOW", "09T12:00:01"),
        ("a call, then weaker", "HIGH", "LOW", "09T10:59:59"),
        ("stronger, then a call", "LOW", "HIGH", "09T11:30:00"),
    ] {
        cases.case("BT053", told);
        guardrail(cases, before, after);
        cases.call(called, SONNET, json!({}));
    }
}

fn trails(cases: &mut Cases) {
    let denied = "AccessDenied";
    for (told, made, asked, answered, error) in [
        ("the same key by its id", KEY, "1234abcd-12ab-34cd-56ef-1234567890ab", Some(KEY), None),
        ("the same key by its id, refused", KEY, "1234abcd-12ab-34cd-56ef-1234567890ab", None, Some(denied)),
        (
            "an alias that means another key now",
            "alias/trail",
            "alias/trail",
            Some("arn:aws:kms:x:1:key/2"),
            None,
        ),
        ("another key, refused", KEY, "alias/other", None, Some(denied)),
    ] {
        cases.case("BT082", told);
        let answer = |key: Option<&str>| json!({"responseElements": key.map(|key| json!({"name": "t", "kmsKeyId": key}))});
        let set = |key: &str| json!({"name": "t", "kmsKeyId": key});
        cases.add(TRAIL, "CreateTrail", "09T10:00:00", set(made), answer(Some(KEY)));
        let mut answered = answer(answered);
        if let Some(error) = error {
            answered["errorCode"] = error.into();
        }
        cases.add(TRAIL, "UpdateTrail", "09T11:00:00", set(asked), answered);
    }
    for name in ["PutBucketPolicy", "PutBucketAcl"] {
        cases.case("BT083", name);
        cases.add("s3.amazonaws.com", name, "09T10:00:00", json!({"bucketName": "logs-gov"}), json!({}));
    }
    let to = |bucket: &str| json!({"loggingConfig": {"textDataDeliveryEnabled": true, "s3Config": {"bucketName": bucket}}});
    let nowhere = json!({"loggingConfig": {"textDataDeliveryEnabled": true}});
    let (put, delete) =
        ("PutModelInvocationLoggingConfiguration", "DeleteModelInvocationLoggingConfiguration");
    for (told, name, parameters, error) in [
        ("switched off", delete, Value::Null, None),
        ("switched off, refused", delete, Value::Null, Some(denied)),
        ("no destination", put, nowhere, None),
        ("another destination", put, to("elsewhere"), None),
        ("another destination, refused", put, to("elsewhere"), Some(denied)),
        ("the listed destination", put, to("invocations"), None),
    ] {
        cases.case("BT084", told);
        let error = error.map_or_else(|| json!({}), |error| json!({"errorCode": error}));
        cases.bedrock(name, "09T10:00:00", parameters, error);
    }
}

#[test]
fn rules_at_their_borders() {
    let mut cases = Cases::default();
    models(&mut cases);
    agents(&mut cases);
    guardrails(&mut cases);
    trails(&mut cases);
    let folder = tempfile::tempdir().expect("a temporary folder");
    fs::create_dir(folder.path().join("logs")).expect("a new folder");
    write(&folder.path().join("logs"), "log", &cases.records);
    fs::write(folder.path().join("policy.toml"), POLICY).expect("a file can be written");
    let sql = "SELECT account_id, rule_id, status, severity, COALESCE(reason, not_assessed_reason) AS told, observed \
               FROM findings WHERE starts_with(rule_id, 'BT') ORDER BY account_id, rule_id, status, subject";
    let run =
        bedtrail(["query", sql]).source(folder.path().join("logs")).policy(folder.path().join("policy.toml"));
    let document = run.format("json").run().exits(0).json();
    let rows = document["reports"][0]["rows"].as_array().expect("rows");
    let mut lines = Vec::new();
    for (account, rule, told) in &cases.rules {
        lines.push(format!("{rule} {told}"));
        let of = |row: &&Value| row["account_id"] == account.as_str() && row["rule_id"] == *rule;
        for row in rows.iter().filter(of) {
            let text = |name: &str| row[name].as_str().unwrap_or_default().to_owned();
            lines.push(format!(
                "    {} {}: {} / {}",
                text("status"),
                text("severity"),
                text("told"),
                text("observed")
            ));
        }
    }
    insta::assert_snapshot!(lines.join("\n"));
}
