#!/usr/bin/env python3
"""Writes events.json, later.json and rings.json beside this file: the odd records that the unit tests of src/event hold, and one for
each user agent, model reference, address, error and caller that is told apart, so that both engines meet every case."""

import csv
import json
import re
from itertools import count
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[2]
number = count(1)


def record(**members):
    """A Converse of a role, but for these members; a member that is None is left out."""
    n = next(number)
    made = {
        "eventVersion": "1.11",
        "userIdentity": {
            "type": "AssumedRole", "principalId": "AROAEXAMPLE:worker", "arn": "arn:aws:sts::111122223333:assumed-role/app/worker",
            "accountId": "111122223333", "accessKeyId": "ASIAIOSFODNN7EXAMPLE",
            "sessionContext": {
                "sessionIssuer": {"type": "Role", "principalId": "AROAEXAMPLE", "arn": "arn:aws:iam::111122223333:role/team/app",
                                  "accountId": "111122223333", "userName": "app"},
                "attributes": {"creationDate": "2026-10-05T07:00:00Z", "mfaAuthenticated": "false"},
            },
        },
        "eventTime": f"2026-10-05T{n // 3600 % 24:02}:{n // 60 % 60:02}:{n % 60:02}Z",
        "eventSource": "bedrock.amazonaws.com", "eventName": "Converse", "awsRegion": "eu-central-1",
        "sourceIPAddress": "198.51.100.24", "userAgent": "Boto3/1.40.61 md/Botocore#1.40.61",
        "requestParameters": {"modelId": "amazon.nova-lite-v1:0"}, "responseElements": None,
        "requestID": f"request-{n}", "eventID": f"00000000-0000-4000-8000-{n:012}", "readOnly": True, "eventType": "AwsApiCall",
        "managementEvent": True, "recipientAccountId": "111122223333", "eventCategory": "Management",
    }
    for name, value in members.items():
        made[name] = value
        if value is None and name not in ("requestParameters", "responseElements"):
            del made[name]
    return made


def rust(file):
    return (ROOT / "src/event" / file).read_text()


def callers():
    """userIdentity of the tests of principal.rs, person.rs and credential.rs."""
    found = []
    for file in ("principal.rs", "person.rs", "credential.rs"):
        for text in re.findall(r'r#"(\{.*?\})"#', rust(file), re.S):
            text = text.replace("{{", "{").replace("}}", "}")
            try:
                found.append(json.loads(text))
            except ValueError:
                continue
    return [json.loads(text) for text in dict.fromkeys(json.dumps(one) for one in found)]


def models():
    tests = rust("model.rs").split("#[cfg(test)]")[1]
    found = re.findall(r'"((?:arn|[a-z][a-z0-9-]*)[.:%][^"{}\\ ]+)"', tests)
    account = "arn:aws:bedrock:us-east-1:111122223333:"
    found += [account + tail for tail in re.findall(r'"([a-z-]+/[^"{}]*)"', tests)]
    for row in csv.DictReader(open(ROOT / "queries/data/models.csv", newline="", encoding="utf-8")):
        found += [row["model_id"], f"eu.{row['model_id']}"]
    found += [
        " arn%3Aaws%3Abedrock%3Aeu-west-1%3A%3Afoundation-model%2Fanthropic.claude-3-haiku-20240307-v1%3A0 ",
        "arn%253Aaws%253Abedrock%253Aeu-west-1%253A%253Afoundation-model%252Famazon.nova-pro-v1%253A0",
        "amazon.nova+lite", "100%", "amazon.nova%zz", "", "HIDDEN_DUE_TO_SECURITY_REASONS", "us.newvendor.model-v1:0",
        "cohere.rerank-v3-5:0", "amazon.titan-embed-text-v2:0:8k", "openai.gpt-4o-2024-08-06", "anthropic.claude-3-haiku-20240307-v1:0:200k",
        "mistral.x-20240101", "amazon.-v1:0", "amazon.v1", "meta.llama:x", "x.y", "my_model", "us-gov.anthropic.claude-v2:1",
        account + "inference-profile/eu.newvendor.thing-v2:0", account + "inference-profile/anthropic.claude-v2", "arn:aws:bedrock:::x",
        "arn:aws:bedrock:us-east-1::foundation-model/eu.anthropic.claude-v2:1", "arn:aws:bedrock:us-east-1::foundation-model/eu.new.x",
        "arn:aws:bedrock:us-east-1::foundation-model/eu.us.anthropic.x", "arn:aws-cn:bedrock:cn-north-1::foundation-model/qwen.qwen3-32b-v1:0",
    ]
    return list(dict.fromkeys(found))


def agents():
    for row in csv.DictReader(open(ROOT / "queries/data/clients.csv", newline="", encoding="utf-8")):
        text = row["pattern"].replace("*", "31.4 x ")
        yield text
        yield text + "1.2.3 rest"
        yield text + "/4.5 (linux) z"
        yield "Mozilla/4.0 " + text + "#9"
    yield from ["", " ", "aws-cli/2.", "aws-cli/2.31.7 md/awscrt#0.27 exec-env/CloudShell", "x.amazonaws.com", "a b.amazonaws.com", "Boto3/" + "1" * 80]


ADDRESSES = [
    "10.1.2.3", "035.249.253.232", "1.2.3.256", "1.2.3", "172.16.0.1", "172.32.0.1", "192.168.0.1", "192.169.0.1", "127.0.0.1", "169.254.1.1",
    "100.64.0.1", "100.128.0.1", "0.0.0.0", "34.XXX.XXX.206", "AWS Internal", "AWS Internal/3", "bedrock.amazonaws.com", "x.amazonaws.com.cn",
    "2001:db8::1", "::1", "::", "fe80::1", "fd00::1", "fc00:1:2:3:4:5:6:7", "::ffff:10.0.0.1", "::ffff:8.8.8.8", "1:2:3:4:5:6:7:8", "1::8",
    "1:2:3:4:5:6:7:8:9", "12345::", ":::", "2001:DB8::A", "fe00::1", " 8.8.8.8 ", "8.8.8.8.8", "", "amazonaws.com",
]

ERRORS = [
    (code, None) for code in dict.fromkeys(re.findall(r'"([A-Z][A-Za-z]{6,40})"', rust("outcome.rs")))
] + [
    (prefix + code, message)
    for prefix in ("", "Client.")
    for code, message in [
        ("AccessDeniedException", "no"), ("ThrottlingException", None), ("ValidationException", "Access denied. x"), ("InternalServerException", "access DENIED"),
        ("ResourceNotFoundException", "Access denied. This Model is marked"), ("ServiceQuotaExceededException", None), ("SomeUnauthorizedThing", None),
    ]
] + [("", ""), ("", "failed"), (None, "x is not authorized to perform y"), (None, "Failed authentication: z"), ("Odd", "quotes is not authorized to perform")]

GATEWAY = {
    "eventSource": "bedrock-agentcore.amazonaws.com", "eventName": "InvokeGateway", "eventCategory": "Data", "managementEvent": False,
    "userIdentity": {"type": "AWSAccount", "principalId": "", "accountId": "anonymous"}, "sharedEventID": "s-1",
    "requestParameters": {"body": {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "T___Do", "arguments": {"q": "secret"}}}},
    "additionalEventData": {"jwt": {"headers": {"kid": "k"}, "claims": {"iss": "https://idp.example", "sub": "u1", "email": "a@example.com", "x": {"iss": 2}}, "type": "JWS"}},
    "resources": [{"accountId": "111122223333", "type": "AWS::BedrockAgentCore::Gateway", "ARN": "arn:aws:bedrock-agentcore:us-west-2:111122223333:gateway/g-1"}],
}
ANSWERS = [
    {"statusCode": 200, "body": {"jsonrpc": "2.0", "id": 1, "error": {"code": -32602, "message": "bad"}}}, {"statusCode": 401}, {"statusCode": 429},
    {"statusCode": 503}, {"statusCode": 404}, {"statusCode": "200"}, {"statusCode": 200, "body": {"error": {}}}, {"statusCode": 200, "body": {"error": None}},
    {"statusCode": 200, "body": {"result": {"isError": True}}}, {"statusCode": 200, "body": {"result": {"isError": "true"}}}, {"body": "text"}, {}, None,
    {"statusCode": 2e2}, {"statusCode": 200.5}, {"body": {"error": {"code": -32000}}},
]
CORE = "arn:aws:bedrock-agentcore:us-west-2:111122223333:"
BEDROCK = "arn:aws:bedrock:us-west-2:111122223333:"
ARNS = [
    [CORE + "runtime/r-1/runtime-endpoint/live:2"], [CORE + "harness/h-1"], [CORE + "gateway/g-1/target/t"], [CORE + "memory/m-1"],
    ["arn:aws:bedrock-agentcore:us-west-2:aws:code-interpreter/aws.codeinterpreter.v1"], [CORE + "browser-custom/b-1"],
    [CORE + "token-vault/default/oauth2credentialprovider/idp"], [CORE + "token-vault/default/apikeycredentialprovider/key"],
    [BEDROCK + "agent/A1"], [BEDROCK + "agent-alias/A1/B2"], [BEDROCK + "agent-alias/A1", BEDROCK + "agent/A2"], [BEDROCK + "session/S1"],
    [BEDROCK + "knowledge-base/K1"], [BEDROCK + "flow/F1/alias/x"], [BEDROCK + "guardrail/gr1:3"], ["arn:aws:lambda:us-west-2:111122223333:function:f:1"],
    ["arn:aws:bedrock-mantle:us-west-2:111122223333:project/proj_1"], ["arn:aws:bedrock:us-west-2::foundation-model/meta.llama3-8b-instruct-v1:0"],
    ["arn:aws:bedrock:us-west-2::foundation-model/meta.llama3-8b-instruct-v1:0", BEDROCK + "inference-profile/us.meta.llama3-8b-instruct-v1:0"],
    [BEDROCK + "application-inference-profile/abcdefghijkl", "arn:aws:bedrock:us-west-2::foundation-model/x.y"], ["<REDACTED>", CORE + "runtime/r-2"], [],
]
REQUESTS = [
    {"agentId": "A", "agentAliasId": "B", "sessionId": "S", "memoryId": "M", "foundationModel": "amazon.nova-pro-v1:0"},
    {"agentRuntimeArn": CORE + "runtime/r-9/runtime-endpoint/x", "qualifier": "live", "runtimeSessionId": "s"}, {"agentRuntimeArn": "r-plain"},
    {"harnessArn": CORE + "harness/h-9"}, {"harnessId": "h-3"}, {"agentRuntimeId": "rid"}, {"gatewayIdentifier": CORE + "gateway/g-7"}, {"gatewayIdentifier": "g-7"},
    {"knowledgeBaseId": "K"}, {"flowIdentifier": "F"}, {"flowIdentifier": BEDROCK + "flow/F7"}, {"project_id": "proj_2"}, {"name": "n"},
    {"resourceCredentialProviderName": "p"}, {"codeInterpreterIdentifier": "ci"}, {"browserIdentifier": "br"}, {"functionName": "arn:aws:lambda:::function:x"},
    {"functionName": "x"}, {"actionGroupExecutor": {"lambda": "arn:aws:lambda:us-west-2:111122223333:function:f"}}, {"guardrailIdentifier": "g", "guardrailVersion": "1"},
    {"guardrailConfig": {"guardrailIdentifier": "g2", "guardrailVersion": "DRAFT"}}, {"guardrailConfiguration": {"guardrailId": "g3", "guardrailVersion": "4"}},
    {"guardrailConfig": {"guardrailVersion": "9"}},
    {"retrieveAndGenerateConfiguration": {"type": "KNOWLEDGE_BASE", "knowledgeBaseConfiguration": {"knowledgeBaseId": "K2", "modelArn": "anthropic.claude-v2:1",
        "generationConfiguration": {"guardrailConfiguration": {"guardrailId": "g4", "guardrailVersion": "5"}}}}},
    {"retrieveAndGenerateConfiguration": {"externalSourcesConfiguration": {"modelArn": "i.j", "generationConfiguration": {"guardrailConfiguration": {"guardrailId": "g5"}}}}},
    {"modelSource": {"copyFrom": "meta.x"}}, {"rerankingConfiguration": {"bedrockRerankingConfiguration": {"modelConfiguration": {"modelArn": "cohere.rerank-v3-5:0"}}}},
    {"baseModelIdentifier": "amazon.titan-text-lite-v1"}, {"desiredModelId": "amazon.x"}, {"modelId": "a.b", "model": "c.d"}, {"model": {"bedrockModelConfig": {"modelId": "openai.gpt-5.5"}}},
    {"stream": True}, {"stream": "false"}, {"omitted": True}, {"omitted": "true"}, {"callWithBearerToken": True, "bearerTokenType": "SHORT_TERM"},
    {"callWithBearerToken": False}, {"bearerTokenType": "ABSK"}, {"bearerTokenType": "NEW"}, {},
    {"modelId": "amazon.nova-lite-v1:0", "messages": [{"role": "user", "content": [{"text": "say \"hi\" {[}] é"}]}], "system": "s", "inferenceConfig": {"maxTokens": 5}},
    {"inputText": "secret", "prompt": None, "instruction": "HIDDEN_DUE_TO_SECURITY_REASONS", "metadata": {"a": {"b": [{"c": {"d": 1}}]}}, "x": [{"messages": [1, {"y": "]"}]}]},
    {"body": "{\"prompt\":\"x\"}", "name": "prompt", "requestMetadata": 7}, {"body": {"inputs": "x", "prompt": "y"}},
]
# What callers add by hand; the names are shown where they belong, and nowhere else.
MESSAGES = [
    {"body": {"jsonrpc": "2.0", "id": "7", "method": "message/send", "params": {"message": {"role": "user", "name": "n"}, "name": ["a"], "code": 3}}},
    {"body": {"method": "initialize", "params": {"clientInfo": {"name": "mcp", "version": "1", "x": {"name": 2}}, "capabilities": {}, "clientInfo.name": "d"}, "params.name": "d"}},
    {"body": {"jsonrpc": None, "method": None, "params": {"name": "n"}}}, {"body": {"params": {"name": "n"}, "jsonrpc": "2.0"}, "body2": {"jsonrpc": "2.0"}},
    {"body": {"jsonrpc": "2.0", "result": {"isError": True, "serverInfo": {"name": "s", "body": {"jsonrpc": "2.0", "id": 1}}, "content": [{"text": "}{"}]}}},
    {"x": [{"body": {"jsonrpc": "2.0", "id": 1, "error": "no"}}], "body": [{"jsonrpc": "2.0"}], "session\"Id": "s", "model\"Id": "m", "\u006dodel": "m"},
    {"sessionId": {"who": "me", "sessionId": "s"}, "scopes": ["a", {"b": 1, "status": "c"}], "payload": "p", "myExtra": "é", "Metadata": {"a": [1, 2]}, "n": 5, "t": True, "z": None},
    {"jwt": {"claims": {"sub": "s"}}, "claims": {"iss": "i"}, "headers": {"kid": "k"}, "guardrailConfig": {"guardrailIdentifier": "g", "note": "n"}},
]
TOKENS = [
    {"jwt": {"headers": {"kid": "k", "typ": "JWT", "x5c": ["c"]}, "claims": {"sub": ["s"], "iss": {"sub": 1}, "kid": "k"}, "type": "JWS", "raw": "e"}, "targetId": "t"},
    {"jwt": "eyJ", "claims": ["sub"]}, {"claims": {"sub": "s", "type": "t", "claims": {"sub": "s"}}}, {"jwt": {"claims": "c", "headers": None, "jwt.claims": {"sub": 1}, "claims.sub": 2}},
    {"x": {"jwt": {"claims": {"iss": "i", "a": "b"}}}, "body": {"jsonrpc": "2.0", "jwt": {"claims": {"iss": "i"}}}},
]
SOURCES = [
    ("bedrock.amazonaws.com", "InvokeAgent"), ("bedrock-agentcore.amazonaws.com", "InvokeAgentRuntime"), ("bedrock-mantle.amazonaws.com", "CreateInference"),
    ("bedrock-runtime.amazonaws.com", "ConverseStream"), ("bedrock-agentcore-control.amazonaws.com", "CreateOauth2CredentialProvider"),
    ("bedrock-agentcore.amazonaws.com", "InvokeHarness"), ("bedrock.amazonaws.com", "RetrieveAndGenerate"), ("aws-external-anthropic.amazonaws.com", "CreateInference"),
    ("lambda.amazonaws.com", "Invoke20150331"), ("iam.amazonaws.com", "CreateUser"),
]
ENTRIES = [
    {"parentRequestId": "r-1", "AdditionalEventData": {"additionalEntries": {"inputTokens": "12", "outputTokens": 7, "inferenceRegion": "us-east-2"}}},
    {"parentRequestId": "r-2", "additionalEventData": {"additionalEntries": [{"key": "inputTokens", "value": "5"}, {"key": "outputTokens", "value": 6}, {"key": "inferenceRegion", "value": "eu-west-3"}, {"key": "z", "value": {"a": 1}}]}},
    {"parentRequestId": "r-3", "additionalEntries": [{"Name": "cacheReadInputTokens", "Value": "1e3"}]}, {"parentRequestId": "r-4", "AdditionalEventData": {"inputTokenCount": 3.0}},
    {"parentRequestId": None}, {},
]
ADDITIONAL = [
    {"inputTokens": 9, "outputTokens": 4, "cacheReadInputTokens": 3, "cacheWriteInputTokens": 0, "inferenceRegion": "us-west-2"}, {"inputTokens": "12"}, {"inputTokens": -1},
    {"inputTokens": 12.5}, {"inputTokens": "nan"}, {"inputTokenCount": 9007199254740993}, {"inputTokens": None}, {"cacheReadTokens": 1e3}, {"callWithBearerToken": True},
    {"callWithBearerToken": "false"}, {"bearerTokenType": "SHORT_TERM"}, {"inferenceRegion": ""}, {},
]


def main():
    records = [record(userIdentity=one) for one in callers()]
    records += [record(userIdentity=one, eventSource="bedrock-mantle.amazonaws.com", eventName="CreateInference",
                       requestParameters={"model": "openai.gpt-5.5", "callWithBearerToken": True}) for one in callers()]
    records += [record(userIdentity=one, eventSource="iam.amazonaws.com", eventName="CreateAccessKey", requestParameters=None) for one in callers()]
    records += [record(requestParameters={"modelId": one}) for one in models()]
    records += [record(userAgent=one) for one in dict.fromkeys(agents())]
    records += [record(userAgent="Mozilla/5.0 (X11)", sessionCredentialFromConsole="true"), record(userAgent=None)]
    records += [record(sourceIPAddress=one) for one in ADDRESSES]
    records += [record(errorCode=code, errorMessage=message) for code, message in ERRORS]
    records += [record(**{**GATEWAY, "responseElements": one}) for one in ANSWERS]
    records += [record(**GATEWAY, responseElements=ANSWERS[0], errorCode=code) for code in ("InternalServerException", "ValidationException")]
    records += [record(**{**GATEWAY, "recipientAccountId": one}) for one in ("999988887777", "", "111122223333")]
    records += [record(**{**GATEWAY, "recipientAccountId": "999988887777", "resources": one}) for one in ([], [{"ARN": "x"}], [{"ARN": ARNS[0][0]}])]
    records += [record(sharedEventID="s-2", recipientAccountId=one) for one in ("111122223333", "999988887777")]
    records += [record(eventSource=source, eventName=name, requestParameters=one, additionalEventData=None) for source, name in SOURCES for one in REQUESTS]
    records += [record(eventSource=source, eventName=name, requestParameters=None, resources=[{"ARN": arn, "accountId": "111122223333", "type": "T"} for arn in one])
                for source, name in SOURCES[:4] for one in ARNS]
    records += [record(requestParameters=None, resources=[{"ARN": "custom-thing", "type": "AWS::Bedrock::Model"}])]
    records += [record(eventType="AwsServiceEvent", eventName="InvokeModelMetering", requestID=None, requestParameters=None, serviceEventDetails=one,
                       userIdentity={"accountId": "111122223333", "invokedBy": "bedrock.amazonaws.com"}) for one in ENTRIES]
    records += [record(additionalEventData=one) for one in ADDITIONAL]
    for category, kind, management in [("Data", "AwsApiCall", False), (None, "AwsApiCall", True), (None, None, False), ("NetworkActivity", "AwsVpceEvent", None), ("", "AwsVpceEvents", None),
                                       ("Management", "AwsConsoleAction", True), ("Aggregated", "AwsAggregatedEvent", None), ("Insight", "AwsCloudTrailInsight", None)]:
        records.append(record(eventCategory=category, eventType=kind, managementEvent=management))
    for source in ("s3.amazonaws.com", "kms.amazonaws.com", "sts.amazonaws.com", "aws-marketplace.amazonaws.com"):
        for name in ("GetObject", "AssumeRole", "Decrypt", "Subscribe", "PutObject"):
            for by in ("bedrock.amazonaws.com", "bedrock-agentcore.amazonaws.com", "lambda.amazonaws.com", ""):
                identity = {"type": "AWSService", "invokedBy": by} if by else {"type": "AWSService"}
                records.append(record(eventSource=source, eventName=name, userIdentity=identity, sourceIPAddress=by or "bedrock-agentcore.amazonaws.com",
                                      requestParameters={"body": "x", "modelId": "anthropic.claude-v2"}))
    records += [record(recipientAccountId=None, userIdentity={"accountId": "anonymous"}, resources=[{"ARN": BEDROCK + "inference-profile/us.meta.llama3-8b-instruct-v1:0"}]),
                record(recipientAccountId="", userIdentity={"accountId": "444455556666"}), record(recipientAccountId=None, userIdentity={})]
    records += [record(eventTime="2026-10-05T10:00:00.5Z"), record(eventVersion="1.09"), record(tlsDetails={"tlsVersion": "TLSv1.3", "clientProvidedHostHeader": "h"}, vpcEndpointId="vpce-1")]
    gateway = {key: value for key, value in GATEWAY.items() if key != "additionalEventData"}
    for one in MESSAGES:
        records += [record(**{**gateway, "requestParameters": one, "responseElements": one}), record(eventName="CreateAgent", requestParameters=one)]
    records += [record(**{**gateway, "requestParameters": None, "additionalEventData": one}) for one in TOKENS]
    for source, code in [("s3", "VpceAccessDenied"), ("lambda", "VpceAccessDenied"), ("kms", "VpceAccessDenied"), ("s3", "AccessDenied"), ("s3", None)]:
        for category, kind in [("NetworkActivity", "AwsVpceEvent"), ("", "AwsVpceEvents"), ("Data", "AwsApiCall")]:
            records.append(record(eventSource=f"{source}.amazonaws.com", eventName="GetObject", errorCode=code, eventCategory=category, eventType=kind, vpcEndpointId="vpce-1"))
    # Copies, conflicts and updates, over two files.
    copy, conflict, old, renewed = record(), record(), record(), record()
    update = record(addendum={"reason": "UPDATED_DATA", "updatedFields": "responseElements", "originalEventID": old["eventID"]})
    late = record(addendum={"reason": "DELIVERY_DELAY"})
    again = {**renewed, "addendum": {"reason": "UPDATED_DATA", "originalEventID": renewed["eventID"]}, "errorCode": "ThrottlingException"}
    records += [copy, copy, conflict, old, renewed, late]
    later = [copy, {**conflict, "userAgent": "Boto3/2"}, update, again, again, old]
    # Updates that name each other in a ring, of two, three and four; of equal times; and one that another supersedes. Their
    # numbers are theirs alone.
    globals()["number"] = count(900001)
    rings = []
    for length, more in ((2, {}), (3, {}), (4, {}), (3, {"eventTime": "2026-10-05T20:00:00Z"}), (2, {})):
        first, ring = record(), [record(**more) for _ in range(length)]
        names = [one["eventID"] for one in ring]
        for one, name in zip(ring, names[1:] + names[:1]):
            one["requestID"] = first["requestID"]
            one["addendum"] = {"reason": "UPDATED_DATA", "originalRequestID": first["requestID"], "originalEventID": name}
        rings += [first, *ring]
    addendum = {"reason": "UPDATED_DATA", "originalRequestID": first["requestID"], "originalEventID": names[0]}
    rings.append(record(requestID=first["requestID"], addendum=addendum))
    for name, some in (("events.json", records), ("later.json", later), ("rings.json", rings)):
        text = ",\n".join(json.dumps(one, ensure_ascii=False) for one in some)
        (HERE / name).write_text('{"Records":[\n' + text + "\n]}\n", encoding="utf-8")
        print(name, len(some))


if __name__ == "__main__":
    main()
