//! Roles of agents, followed into other services.

use serde_json::json;

use crate::command::bedtrail;
use crate::odd::document;
use crate::program::{Answer, ask, put, text};

const EXEC: &str = "arn:aws:iam::111122223333:role/agents/refund-agent-exec";
const SERVICE_ROLE: &str =
    "arn:aws:iam::111122223333:role/service-role/AmazonBedrockExecutionRoleForAgents_Q7";

/// A call of a role; `path` is whether the record tells the role's path.
fn call(number: u32, role: &str, path: bool, source: &str, name: &str) -> String {
    let short = role.rsplit('/').next().expect("a name");
    let mut identity = json!({
        "type": "AssumedRole",
        "principalId": format!("AROAEXAMPLE:{short}-session"),
        "arn": format!("arn:aws:sts::111122223333:assumed-role/{short}/session"),
        "accountId": "111122223333",
    });
    if path {
        identity["sessionContext"] = json!({"sessionIssuer": {
            "type": "Role", "principalId": "AROAEXAMPLE", "arn": role, "accountId": "111122223333", "userName": short,
        }});
    }
    json!({
        "eventVersion": "1.11", "userIdentity": identity, "eventTime": "2026-10-05T10:00:00Z", "eventSource": source,
        "eventName": name, "awsRegion": "eu-central-1", "sourceIPAddress": "10.0.0.1", "userAgent": "aws-sdk",
        "requestParameters": {}, "responseElements": null, "eventID": format!("00000000-0000-4000-8000-{number:012}"),
        "eventType": "AwsApiCall", "managementEvent": true, "recipientAccountId": "111122223333",
        "eventCategory": "Management",
    })
    .to_string()
}

/// A Bedrock service assumes a role.
fn assumed(number: u32, role: &str) -> String {
    json!({
        "eventVersion": "1.11", "userIdentity": {"type": "AWSService", "invokedBy": "bedrock.amazonaws.com"},
        "eventTime": "2026-10-05T11:00:00Z", "eventSource": "sts.amazonaws.com", "eventName": "AssumeRole",
        "awsRegion": "eu-central-1", "sourceIPAddress": "bedrock.amazonaws.com", "userAgent": "bedrock.amazonaws.com",
        "requestParameters": {"roleArn": role, "roleSessionName": "session"}, "responseElements": null,
        "eventID": format!("00000000-0000-4000-8000-{number:012}"), "eventType": "AwsApiCall",
        "recipientAccountId": "111122223333", "eventCategory": "Management",
    })
    .to_string()
}

fn kept(answer: &Answer) -> Vec<(u64, String)> {
    answer
        .rows
        .iter()
        .map(|row| {
            let id = row["event_id"].as_str().expect("an id").rsplit('-').next().expect("a part").parse();
            (id.expect("a number"), row["activity"].as_str().expect("an activity").to_owned())
        })
        .collect()
}

const EVENTS: &str =
    "SELECT event_id, activity, (SELECT MAX(scope) FROM run) AS scope FROM events ORDER BY event_id";

#[test]
fn roles_of_the_policy_and_those_bedrock_assumes_are_followed() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let policy = folder.path().join("policy.toml");
    let rule = format!(
        "schema = 1\nname = \"p\"\nversion = \"1\"\n[[agent]]\nname = \"refund\"\nexecution_role = \"{EXEC}\"\n"
    );
    std::fs::write(&policy, rule).expect("the policy can be written");
    let stranger = "arn:aws:iam::111122223333:role/refund-agent";
    // The role that Bedrock assumes is seen at work before it is known.
    let first = [
        call(1, EXEC, true, "dynamodb.amazonaws.com", "DeleteTable"),
        call(2, EXEC, false, "s3.amazonaws.com", "GetObject").replace('/', "\\/"),
        call(3, SERVICE_ROLE, true, "lambda.amazonaws.com", "ListFunctions"),
        call(4, stranger, true, "dynamodb.amazonaws.com", "DeleteTable"),
        call(5, EXEC, true, "iam.amazonaws.com", "CreateUser"),
    ];
    let second =
        [assumed(6, SERVICE_ROLE), call(7, SERVICE_ROLE, false, "ec2.amazonaws.com", "RunInstances")];
    put(folder.path(), "logs/a.json", document(&first));
    put(folder.path(), "logs/b.json", document(&second));
    let logs = folder.path().join("logs");
    let source = text(&logs);
    let event = |number: u64, activity: &str| (number, activity.to_owned());

    let plain = ask(EVENTS, &["-s", source, "--policy", text(&policy)]);
    assert_eq!(kept(&plain), [event(5, "credential_admin"), event(6, "downstream")]);
    assert_eq!(plain.rows[0]["scope"], "default");

    let agents = ask(EVENTS, &["-s", source, "--policy", text(&policy), "--scope", "agents"]);
    assert_eq!(
        kept(&agents),
        [
            event(1, "downstream"),
            event(2, "downstream"),
            event(3, "downstream"),
            event(5, "credential_admin"),
            event(6, "downstream"),
            event(7, "downstream"),
        ]
    );
    assert_eq!(agents.rows[0]["scope"], "agents");
    assert!(agents.err.contains("reading again"), "{}", agents.err);
    assert!(agents.footer.iter().any(|line| line.contains("went to: 2.")), "{:?}", agents.footer);

    let without = ask(EVENTS, &["-s", source, "--scope", "agents"]);
    assert_eq!(kept(&without).iter().map(|(id, _)| *id).collect::<Vec<_>>(), [3, 5, 6, 7]);
}

/// Somebody invokes a function; `named` is what the request says.
fn invoke(number: u32, role: &str, named: &str, resource: Option<&str>) -> String {
    let mut record: serde_json::Value =
        serde_json::from_str(&call(number, role, true, "lambda.amazonaws.com", "Invoke")).expect("JSON");
    record["requestParameters"] = json!({"functionName": named, "invocationType": "RequestResponse"});
    record["managementEvent"] = false.into();
    record["eventCategory"] = "Data".into();
    if let Some(arn) = resource {
        record["resources"] =
            json!([{"accountId": "111122223333", "type": "AWS::Lambda::Function", "ARN": arn}]);
    }
    record.to_string()
}

/// A call with the credentials that were issued to a function.
fn by_function(number: u32, arn: &str) -> String {
    let role = "arn:aws:iam::111122223333:role/any-function";
    let mut record: serde_json::Value =
        serde_json::from_str(&call(number, role, true, "dynamodb.amazonaws.com", "DeleteTable"))
            .expect("JSON");
    record["userIdentity"]["inScopeOf"] =
        json!({"issuerType": "AWS::Lambda::Function", "credentialsIssuedTo": arn});
    record.to_string()
}

#[test]
fn functions_of_agents_are_kept_whoever_calls_them_and_what_they_call() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let person =
        "arn:aws:iam::111122223333:role/aws-reserved/sso.amazonaws.com/AWSReservedSSO_Dev_0123456789abcdef";
    let arn = "arn:aws:lambda:eu-central-1:111122223333:function:refund-issue";
    let records = [
        invoke(1, person, arn, Some(arn)),
        invoke(2, person, "refund-issue", None),
        invoke(3, person, "111122223333:function:refund-issue:live", None),
        invoke(4, person, "weather", Some("arn:aws:lambda:eu-central-1:111122223333:function:weather")),
        invoke(5, person, "my-refund-issue", None),
        call(6, person, true, "lambda.amazonaws.com", "ListFunctions"),
        invoke(7, EXEC, "refund-issue", None),
        by_function(8, arn),
        by_function(9, "arn:aws:lambda:eu-central-1:111122223333:function:weather"),
    ];
    put(folder.path(), "logs/a.json", document(&records));
    let logs = folder.path().join("logs");
    for glob in [
        "arn:aws:lambda:eu-central-1:111122223333:function:refund-*",
        "arn:aws:lambda:*:111122223333:function:?efund-issue",
    ] {
        let policy = folder.path().join("policy.toml");
        let rule = format!(
            "schema = 1\nname = \"p\"\nversion = \"1\"\n[[agent]]\nname = \"refund\"\nexecution_role = \"{EXEC}\"\n\
             action_lambdas = [\"{glob}\"]\n"
        );
        std::fs::write(&policy, rule).expect("the policy can be written");
        let given = ["-s", text(&logs), "--policy", text(&policy), "--scope", "agents"];
        let event = |number: u64, activity: &str| (number, activity.to_owned());
        assert_eq!(
            kept(&ask(EVENTS, &given)),
            [1, 2, 3, 7, 8].map(|number| event(number, "downstream")),
            "{glob}"
        );
        assert!(kept(&ask(EVENTS, &given[..4])).is_empty());
    }
}

#[test]
fn users_made_for_api_keys_are_followed_in_every_scope() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let by = |number: u32, identity: serde_json::Value| {
        let mut record: serde_json::Value =
            serde_json::from_str(&call(number, EXEC, false, "s3.amazonaws.com", "ListBuckets"))
                .expect("JSON");
        record["userIdentity"] = identity;
        record.to_string()
    };
    let user = |kind: &str, name: &str| {
        json!({"type": kind, "arn": format!("arn:aws:iam::111122223333:user/{name}"), "accountId": "111122223333",
               "userName": name})
    };
    let federated = json!({"type": "FederatedUser", "arn": "arn:aws:sts::111122223333:federated-user/x",
        "accountId": "111122223333", "sessionContext": {"sessionIssuer": {"type": "IAMUser",
        "arn": "arn:aws:iam::111122223333:user/AeaApiKey-1", "userName": "AeaApiKey-1"}}});
    let records = [
        by(1, user("IAMUser", "BedrockAPIKey-ab12")),
        by(2, federated),
        by(3, user("IAMUser", "ana")),
        by(4, user("SAMLUser", "BedrockAPIKey-ab12")),
    ];
    put(folder.path(), "logs/a.json", document(&records));
    let logs = folder.path().join("logs");
    let answer = ask(EVENTS, &["-s", text(&logs)]);
    assert_eq!(kept(&answer).iter().map(|(id, _)| *id).collect::<Vec<_>>(), [1, 2]);
}

/// Somebody gives an agent, runtime or gateway a role.
fn configured(number: u32, name: &str, parameters: serde_json::Value, error: Option<&str>) -> String {
    let mut record: serde_json::Value = serde_json::from_str(&call(
        number,
        "arn:aws:iam::111122223333:role/builder",
        true,
        "bedrock-agentcore.amazonaws.com",
        name,
    ))
    .expect("JSON");
    record["requestParameters"] = parameters;
    if let Some(code) = error {
        record["errorCode"] = code.into();
    }
    record.to_string()
}

#[test]
fn roles_that_a_recorded_change_gives_an_agent_are_followed() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let role = |name: &str| format!("arn:aws:iam::111122223333:role/{name}");
    let at_work =
        |number: u32, name: &str| call(number, &role(name), true, "dynamodb.amazonaws.com", "DeleteTable");
    put(
        folder.path(),
        "logs/a.json",
        document(&[
            at_work(1, "runtime-exec"),
            at_work(2, "agent-exec"),
            at_work(3, "admin"),
            at_work(4, "job"),
            configured(5, "CreateAgentRuntime", json!({"roleArn": role("runtime-exec")}), None),
            configured(6, "UpdateAgentRuntime", json!({"roleArn": role("admin")}), Some("AccessDenied")),
            configured(7, "CreateAgent", json!({"agentResourceRoleArn": role("agent-exec")}), None)
                .replace("bedrock-agentcore", "bedrock"),
            configured(8, "CreateModelCustomizationJob", json!({"roleArn": role("job")}), None)
                .replace("bedrock-agentcore", "bedrock"),
        ]),
    );
    let logs = folder.path().join("logs");
    let agents = ask(EVENTS, &["-s", text(&logs), "--scope", "agents"]);
    assert_eq!(kept(&agents).iter().map(|(id, _)| *id).collect::<Vec<_>>(), [1, 2, 5, 6, 7, 8]);
}

#[test]
fn a_store_remembers_what_was_followed() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let policy = |name: &str, role: &str| {
        let rule = format!(
            "schema = 1\nname = \"p\"\nversion = \"1\"\n[[agent]]\nname = \"refund\"\nexecution_role = \"{role}\"\n"
        );
        put(folder.path(), name, rule)
    };
    let (first, other) =
        (policy("first.toml", EXEC), policy("other.toml", "arn:aws:iam::111122223333:role/x-exec"));
    put(
        folder.path(),
        "logs/a.json",
        document(&[
            call(1, EXEC, true, "dynamodb.amazonaws.com", "DeleteTable"),
            call(2, SERVICE_ROLE, true, "lambda.amazonaws.com", "ListFunctions"),
            assumed(3, SERVICE_ROLE),
        ]),
    );
    let (logs, store) = (folder.path().join("logs"), folder.path().join("store"));
    let collect =
        |more: &[&str]| bedtrail(["collect", "--store", text(&store)]).source(&logs).args(more).run();
    let agents = ["--scope", "agents", "--policy", &first];
    collect(&agents).exits(0).says("AmazonBedrockExecutionRoleForAgents_Q7");
    put(
        folder.path(),
        "logs/b.json",
        document(&[call(4, SERVICE_ROLE, true, "ec2.amazonaws.com", "RunInstances")]),
    );
    let again = collect(&agents).exits(0);
    assert!(!again.stderr.contains("were not followed"), "{}", again.stderr);
    let ids = |answer: &Answer| kept(answer).into_iter().map(|(id, _)| id).collect::<Vec<_>>();

    let read = ask(EVENTS, &["-s", text(&store), "--policy", &first]);
    assert_eq!(ids(&read), [1, 3, 4]);
    assert_eq!(read.rows[0]["scope"], "agents");
    assert!(read.err.contains("roles that came to be known later"), "{}", read.err);

    let known_now =
        bedtrail(["query", EVENTS, "--policy", &other]).source(&store).run().exits(3).says("x-exec");
    assert!(known_now.stderr.contains("were not followed in every object"), "{}", known_now.stderr);
    collect(&[]).exits(2).says("was collected with --scope agents");
    let plain = folder.path().join("plain");
    bedtrail(["collect", "--store", text(&plain)]).source(&logs).run().exits(0);
    bedtrail(["query", EVENTS, "--scope", "agents"])
        .source(&plain)
        .run()
        .exits(2)
        .says("in the default scope");
}
