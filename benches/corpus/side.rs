//! Records and objects that stand beside the calls: Insights, aggregated summaries, network activity, digests.

use super::caller::Caller;
use super::random::Random;
use super::record::{Draft, Event, quoted, stamp};
use super::truth::Fact;

/// A CloudTrail Insight about the rate of `name` calls.
pub fn insight(account: &str, region: &str, time: i64, name: &str, random: &mut Random) -> Event {
    let text = format!(
        r#"{{"eventVersion":"1.08","eventTime":"{}","awsRegion":"{region}","eventID":"{}","eventType":"AwsCloudTrailInsight","recipientAccountId":"{account}","sharedEventID":"{}","insightDetails":{{"state":"Start","eventSource":"bedrock.amazonaws.com","eventName":"{name}","insightType":"ApiCallRateInsight","insightContext":{{"statistics":{{"baseline":{{"average":0.0017}},"insight":{{"average":41}},"insightDuration":5,"baselineDuration":10080}}}}}},"eventCategory":"Insight"}}"#,
        stamp(time),
        random.uuid(),
        random.uuid(),
    );
    Event { text, fact: Fact::Insight, time }
}

/// Five minutes of data events, summed up by CloudTrail.
pub fn aggregated(account: &str, region: &str, time: i64, count: u64, random: &mut Random) -> Event {
    let text = format!(
        r#"{{"eventVersion":"1.0","accountId":"{account}","eventId":"{}","eventCategory":"Aggregated","eventType":"AwsAggregatedEvent","awsRegion":"{region}","eventSource":"bedrock-agentcore.amazonaws.com","timeWindow":{{"windowStart":"{}","windowEnd":"{}","windowSize":"PT5M"}},"summary":{{"primaryDimension":{{"dimension":"eventName","statistics":[{{"name":"InvokeAgentRuntime","value":{count}}}],"aggregationType":"Count"}},"details":[{{"dimension":"resourceARN","statistics":[{{"name":"arn:aws:bedrock-agentcore:{region}:{account}:runtime/refund-Xk2","value":{count}}}],"aggregationType":"Count"}}]}}}}"#,
        random.uuid(),
        stamp(time),
        stamp(time + 300),
    );
    Event { text, fact: Fact::Aggregated, time }
}

/// A call that the policy of a VPC endpoint of `owner` refused.
pub fn endpoint_denied(
    caller: &Caller,
    owner: &str,
    region: &str,
    time: i64,
    endpoint: &str,
    random: &mut Random,
) -> Event {
    let mut draft = Draft::new(caller, time, region, "bedrock.amazonaws.com", "InvokeModel", random)
        .error("VpceAccessDenied", "The request was denied due to a VPC endpoint policy");
    draft.version = "1.09";
    if caller.account != owner {
        // An endpoint's owner learns little about callers of other accounts.
        let Caller { unique_id, account, .. } = caller;
        draft.identity =
            format!(r#"{{"type":"AWSAccount","principalId":"{unique_id}","accountId":"{account}"}}"#);
    }
    owner.clone_into(&mut draft.recipient);
    draft.agent = None;
    draft.parameters = None;
    draft.response = None;
    draft.read_only = None;
    draft.management = None;
    draft.kind = "AwsVpceEvent";
    draft.shared_id = Some(random.uuid());
    draft.endpoint = Some(endpoint.to_owned());
    draft.category = "NetworkActivity";
    draft.host = None;
    draft.event(Fact::NetworkActivity)
}

/// A digest file's document for one log file. Its shape is right, its signature is not.
pub fn digest(account: &str, region: &str, time: i64, log: &str, random: &mut Random) -> String {
    let object = format!("AWSLogs/{account}/CloudTrail-Digest/{region}/digest.json.gz");
    format!(
        r#"{{"awsAccountId":"{account}","digestStartTime":"{}","digestEndTime":"{}","digestS3Bucket":"acme-cloudtrail","digestS3Object":"{object}","digestPublicKeyFingerprint":"{}","digestSignatureAlgorithm":"SHA256withRSA","newestEventTime":"{}","oldestEventTime":"{}","previousDigestS3Bucket":null,"previousDigestS3Object":null,"previousDigestHashValue":null,"previousDigestHashAlgorithm":null,"previousDigestSignature":null,"logFiles":[{{"s3Bucket":"acme-cloudtrail","s3Object":{},"hashValue":"{}","hashAlgorithm":"SHA-256","newestEventTime":"{}","oldestEventTime":"{}"}}]}}"#,
        stamp(time),
        stamp(time + 3600),
        random.hex(32),
        stamp(time + 3000),
        stamp(time + 60),
        quoted(log),
        random.hex(64),
        stamp(time + 3000),
        stamp(time + 60),
    )
}
