//! One day of records, and how each service gives them back.

use std::path::Path;

use bedtrail::event::column::COLUMNS;
use serde_json::{Map, Value, json};

use crate::command::Outcome;

/// Calls as CloudTrail logs them, of every form that the services treat apart.
pub fn records() -> Vec<Value> {
    let mut records = Vec::new();
    let role = |name: &str| {
        json!({"type": "AssumedRole", "principalId": format!("AROA{name}:app"),
            "arn": format!("arn:aws:sts::111122223333:assumed-role/{name}/app"), "accountId": "111122223333",
            "accessKeyId": "ASIAEXAMPLE", "sessionContext": {"sessionIssuer": {"type": "Role", "principalId": format!("AROA{name}"),
            "arn": format!("arn:aws:iam::111122223333:role/apps/{name}"), "accountId": "111122223333", "userName": name},
            "attributes": {"creationDate": "2026-10-05T00:00:00Z", "mfaAuthenticated": "false"}}})
    };
    let mut add = |source: &str, name: &str, category: &str, region: &str, more: Value| {
        let number = records.len();
        let mut record = json!({
            "eventVersion": "1.10", "userIdentity": role("Support"),
            "eventTime": format!("2026-10-05T{:02}:{:02}:{:02}Z", number / 60 % 24, number % 60, number % 60),
            "eventSource": source, "eventName": name, "awsRegion": region, "sourceIPAddress": "203.0.113.7",
            "userAgent": "Boto3/1.40", "requestParameters": null, "responseElements": null,
            "requestID": format!("r-{number}"), "eventID": format!("00000000-0000-4000-8000-{number:012}"),
            "readOnly": true, "eventType": "AwsApiCall", "managementEvent": category == "Management",
            "recipientAccountId": "111122223333", "eventCategory": category,
            "tlsDetails": {"tlsVersion": "TLSv1.3", "cipherSuite": "TLS_AES_128_GCM_SHA256",
                "clientProvidedHostHeader": format!("bedrock-runtime.{region}.amazonaws.com")}
        });
        for (key, value) in more.as_object().expect("an object") {
            record[key] = value.clone();
        }
        records.push(record);
    };
    for number in 0..120 {
        let region = if number % 4 == 0 { "us-east-1" } else { "eu-west-1" };
        add(
            "bedrock.amazonaws.com",
            if number % 2 == 0 { "Converse" } else { "InvokeModel" },
            "Management",
            region,
            json!({"requestParameters": {"modelId": "eu.anthropic.claude-sonnet-4-20250514-v1:0",
                "guardrailConfig": {"guardrailIdentifier": "gr1", "guardrailVersion": "1"}},
                "additionalEventData": {"inputTokens": 100 + number, "outputTokens": 7, "inferenceRegion": "eu-central-1",
                    "callWithBearerToken": number % 3 == 0}}),
        );
    }
    let denied = json!({"errorCode": "AccessDenied", "errorMessage": "not authorized, it said: 'no', \"never\"",
        "requestParameters": {"modelId": "amazon.nova-pro-v1:0"}});
    add("bedrock.amazonaws.com", "InvokeModel", "Management", "eu-west-1", denied);
    add("bedrock.amazonaws.com", "ListFoundationModels", "Management", "eu-west-1", json!({}));
    let agreement = json!({"readOnly": false, "requestParameters": {"modelId": "amazon.nova-pro-v1"}});
    add("bedrock.amazonaws.com", "CreateFoundationModelAgreement", "Management", "us-east-1", agreement);
    let user = json!({"readOnly": false, "userIdentity": {"type": "IAMUser", "principalId": "AIDAEXAMPLE",
        "arn": "arn:aws:iam::111122223333:user/ann", "accountId": "111122223333", "userName": "ann"},
        "requestParameters": {"userName": "BedrockAPIKey-x", "serviceName": "bedrock.amazonaws.com"}});
    add("iam.amazonaws.com", "CreateServiceSpecificCredential", "Management", "us-east-1", user);
    let key = json!({"readOnly": false, "requestParameters": {"keyId": "k-1"},
        "resources": [{"accountId": "111122223333", "type": "AWS::KMS::Key", "ARN": "arn:aws:kms:eu-west-1:111122223333:key/k-1"}]});
    add("kms.amazonaws.com", "DisableKey", "Management", "eu-west-1", key);
    // Not ours: other calls of sources of which some are.
    add("kms.amazonaws.com", "Decrypt", "Management", "eu-west-1", json!({}));
    add("iam.amazonaws.com", "ListRoles", "Management", "us-east-1", json!({}));
    // Another source's of a name that is wanted.
    add("lambda.amazonaws.com", "DeleteAlias", "Management", "eu-west-1", json!({}));
    // Made by a Bedrock service in another one.
    let made = json!({"sourceIPAddress": "bedrock.amazonaws.com", "userAgent": "bedrock.amazonaws.com",
        "userIdentity": {"type": "AWSService", "invokedBy": "bedrock.amazonaws.com"}, "tlsDetails": null});
    add("sts.amazonaws.com", "AssumeRole", "Management", "eu-west-1", made);
    // Data events.
    let agent = json!({"requestParameters": {"agentId": "AGENT1", "agentAliasId": "ALIAS1", "sessionId": "s-1"},
        "resources": [{"accountId": "111122223333", "type": "AWS::Bedrock::AgentAlias",
            "ARN": "arn:aws:bedrock:eu-west-1:111122223333:agent-alias/AGENT1/ALIAS1"}]});
    add("bedrock.amazonaws.com", "InvokeAgent", "Data", "eu-west-1", agent);
    let mantle = json!({"readOnly": false, "requestParameters": {"model": "openai.gpt-oss-120b", "callWithBearerToken": true,
        "bearerTokenType": "SHORT_TERM", "stream": true}});
    add("bedrock-mantle.amazonaws.com", "CreateInference", "Data", "eu-west-1", mantle);
    records
}

/// Writes records as a trail does.
pub fn write(folder: &Path, records: &[Value]) {
    let path = folder.join("AWSLogs/111122223333/CloudTrail/eu-west-1/2026/10/05");
    std::fs::create_dir_all(&path).expect("a folder");
    let file = path.join("111122223333_CloudTrail_eu-west-1_20261005T2355Z_AAAAAAAAAAAAAAAA.json");
    std::fs::write(file, json!({ "Records": records }).to_string()).expect("it can be written");
}

/// Rows of `events` but for where they were read; of JSON, what it says, not how it is written.
pub fn events(ran: &Outcome, without: &[&str]) -> Vec<Value> {
    let mut rows = ran.json()["reports"][0]["rows"].as_array().expect("rows").clone();
    for row in &mut rows {
        let row = row.as_object_mut().expect("a row");
        for name in without {
            row.remove(*name);
        }
        for value in row.values_mut() {
            let parsed = value.as_str().filter(|text| text.starts_with(['{', '[']));
            if let Some(parsed) = parsed.and_then(|text| serde_json::from_str(text).ok()) {
                *value = parsed;
            }
        }
    }
    rows
}

/// Every column that does not tell where a row was read.
pub fn select(condition: &str) -> String {
    let names = COLUMNS.iter().map(|column| column.name);
    let names: Vec<&str> =
        names.filter(|name| !["log_object", "log_index", "delivered_at"].contains(name)).collect();
    format!("SELECT {} FROM events WHERE {condition} ORDER BY event_id", names.join(", "))
}

/// The values of a statement's list (`… AS c0, … AS c1`) for a record, as a Trino engine over a CloudTrail table gives them;
/// `text`: columns of free form are JSON in text, else maps of texts.
pub fn values(statement: &str, record: &Value, text: bool) -> Vec<Option<String>> {
    let list =
        statement.strip_prefix("SELECT ").and_then(|rest| rest.split_once(" FROM ")).expect("a list").0;
    let mut values = Vec::new();
    let mut rest = list;
    while let Some(end) = rest.find(&format!(" AS c{}", values.len())) {
        values.push(value(&rest[..end], record, text));
        let after = &rest[end..];
        rest = after.split_once(", ").map_or("", |(_, rest)| rest);
    }
    values
}

fn value(expression: &str, record: &Value, text: bool) -> Option<String> {
    let inner = |open: &str, close: &str| expression.strip_prefix(open)?.strip_suffix(close);
    if let Some(transform) = inner("json_format(CAST(transform(", ")) AS JSON))") {
        let array = field(transform.split(',').next()?, record)?.as_array()?.clone();
        let names: Vec<&str> = transform.split_once("map(ARRAY[")?.1.split_once(']')?.0.split(", ").collect();
        let object = |one: &Value| -> Value {
            names
                .iter()
                .map(|name| (name.trim_matches('\'').to_owned(), one[name.trim_matches('\'')].clone()))
                .collect::<Map<_, _>>()
                .into()
        };
        return Some(array.iter().map(object).collect::<Value>().to_string());
    }
    if let Some(path) = inner("json_format(CAST(", " AS JSON))") {
        let map = field(path, record)?.as_object()?.clone();
        let texts =
            map.into_iter().map(|(key, value)| (key, Value::String(plain(&value).unwrap_or_default())));
        return Some(Value::Object(texts.collect()).to_string());
    }
    if let Some(path) = inner("CAST(", " AS varchar)") {
        let found = plain(&field(path, record)?)?;
        // A time in SQL's spelling.
        return Some(if found.ends_with('Z') && !text {
            found.replace('T', " ").replace('Z', ".000")
        } else {
            found
        });
    }
    plain(&field(expression, record)?)
}

/// The value at `useridentity.arn`; catalogues know lower case only.
fn field(path: &str, record: &Value) -> Option<Value> {
    let mut at = record.clone();
    for name in path.replace('"', "").split('.') {
        let name = if name == "vpcendpointid" { "vpcEndpointId" } else { name };
        at = at.as_object()?.iter().find(|(key, _)| key.eq_ignore_ascii_case(name))?.1.clone();
    }
    Some(at).filter(|value| !value.is_null())
}

fn plain(value: &Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    }
}

/// Whether a statement that our program makes would find a record: its time bounds and the service's name.
pub fn finds(statement: &str, record: &Value) -> bool {
    let time = record["eventTime"].as_str().expect("a time");
    let time = if statement.contains("eventtime >= '") {
        time.replace('T', " ").replace('Z', "")
    } else {
        time.to_owned()
    };
    let bounds = statement.replace('"', "");
    let bound = |operator: &str| {
        let (_, rest) = bounds.split_once(&format!("eventtime {operator} '")).expect("a bound");
        rest.split('\'').next().expect("a quote").to_owned()
    };
    let (from, to) = (bound(">="), bound("<"));
    let bare = |time: &str| time.replace('T', " ").replace('Z', "");
    let among = |text: &Value| bounds.contains(&format!("'{}'", text.as_str().unwrap_or_default()));
    let made = record["userIdentity"]["invokedBy"].is_string();
    bare(&from) <= bare(&time)
        && bare(&time) < bare(&to)
        && (made
            || among(&record["eventSource"])
                && (among(&record["eventName"])
                    || record["eventSource"].as_str().is_some_and(|source| source.starts_with("bedrock"))))
}
