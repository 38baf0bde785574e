//! Records and log files made by hand, for tests that need one thing and nothing else.

use std::path::Path;

use serde_json::{Value, json};

use crate::corpus::store::gzip;

pub const ACCOUNT: &str = "111122223333";

/// A Converse call of Acme's claims-bot, on the n-th second of 2026-10-10.
pub fn call(number: u32) -> Value {
    json!({
        "eventVersion": "1.11",
        "userIdentity": {
            "type": "AssumedRole",
            "principalId": "AROAIOSFODNN7EXAMPLE:claims",
            "arn": format!("arn:aws:sts::{ACCOUNT}:assumed-role/claims-bot/claims"),
            "accountId": ACCOUNT,
            "accessKeyId": "ASIAIOSFODNN7EXAMPLE",
            "sessionContext": {"sessionIssuer": {
                "type": "Role",
                "principalId": "AROAIOSFODNN7EXAMPLE",
                "arn": format!("arn:aws:iam::{ACCOUNT}:role/service/claims-bot"),
                "accountId": ACCOUNT,
                "userName": "claims-bot"
            }}
        },
        "eventTime": format!("2026-10-10T08:{:02}:{:02}Z", number / 60, number % 60),
        "eventSource": "bedrock.amazonaws.com",
        "eventName": "Converse",
        "awsRegion": "eu-central-1",
        "sourceIPAddress": "10.0.0.1",
        "userAgent": "Boto3/1.40.61",
        "requestParameters": {"modelId": "eu.anthropic.claude-sonnet-4-5-20250929-v1:0"},
        "responseElements": null,
        "requestID": format!("7a6b5c4d-0000-4000-8000-{number:012}"),
        "eventID": format!("0f1e2d3c-0000-4000-8000-{number:012}"),
        "readOnly": true,
        "eventType": "AwsApiCall",
        "managementEvent": true,
        "recipientAccountId": ACCOUNT,
        "eventCategory": "Management"
    })
}

/// A record of a service that is none of ours.
pub fn foreign(number: u32) -> Value {
    let mut record = call(number);
    record["eventSource"] = "kms.amazonaws.com".into();
    record["eventName"] = "Decrypt".into();
    record["requestParameters"] = Value::Null;
    record
}

/// What CloudTrail delivers for these records.
pub fn object(records: &[Value]) -> Vec<u8> {
    gzip(json!({"Records": records}).to_string().as_bytes(), 1)
}

/// Writes `name.json.gz` with these records.
pub fn write(folder: &Path, name: &str, records: &[Value]) {
    std::fs::write(folder.join(format!("{name}.json.gz")), object(records)).expect("a file can be written");
}
