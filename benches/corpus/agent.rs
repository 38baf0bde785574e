//! Agents and what belongs to them: Bedrock agents and knowledge bases, AgentCore runtimes, memory, tokens, gateways.

use super::caller::Caller;
use super::random::Random;
use super::record::{Draft, Event, quoted};
use super::truth::Fact;

const BEDROCK: &str = "bedrock.amazonaws.com";
const AGENTCORE: &str = "bedrock-agentcore.amazonaws.com";

/// A call of a Bedrock agent's alias.
pub fn invoke_agent(
    caller: &Caller,
    time: i64,
    region: &str,
    agent: (&str, &str),
    session: &str,
    random: &mut Random,
) -> Event {
    let (agent, alias) = agent;
    let arn = format!("arn:aws:bedrock:{region}:{}:agent-alias/{agent}/{alias}", caller.account);
    runtime(caller, time, region, "InvokeAgent", random)
        .data("AWS::Bedrock::AgentAlias", &arn)
        .parameters(format!(
            r#"{{"agentId":"{agent}","agentAliasId":"{alias}","sessionId":{},"enableTrace":false,"endSession":false,"inputText":"HIDDEN_DUE_TO_SECURITY_REASONS"}}"#,
            quoted(session)
        ))
        .event(Fact::Call("agent_invocation", None))
}

/// A search in a knowledge base.
pub fn retrieve(caller: &Caller, time: i64, region: &str, base: &str, random: &mut Random) -> Event {
    let arn = format!("arn:aws:bedrock:{region}:{}:knowledge-base/{base}", caller.account);
    runtime(caller, time, region, "Retrieve", random)
        .data("AWS::Bedrock::KnowledgeBase", &arn)
        .parameters(format!(
            r#"{{"knowledgeBaseId":"{base}","retrievalQuery":"HIDDEN_DUE_TO_SECURITY_REASONS","retrievalConfiguration":{{"vectorSearchConfiguration":{{"numberOfResults":5}}}}}}"#
        ))
        .event(Fact::Call("retrieval", None))
}

/// A guardrail asked on its own.
pub fn apply_guardrail(
    caller: &Caller,
    time: i64,
    region: &str,
    guardrail: (&str, &str),
    random: &mut Random,
) -> Event {
    let (id, version) = guardrail;
    let arn = format!("arn:aws:bedrock:{region}:{}:guardrail/{id}", caller.account);
    let mut draft = runtime(caller, time, region, "ApplyGuardrail", random)
        .data("AWS::Bedrock::Guardrail", &arn)
        .parameters(format!(
            r#"{{"guardrailIdentifier":"{id}","guardrailVersion":"{version}","source":"INPUT","content":"HIDDEN_DUE_TO_SECURITY_REASONS"}}"#
        ));
    draft.host = Some(format!("bedrock-runtime.{region}.amazonaws.com"));
    draft.event(Fact::Call("guardrail_check", None))
}

fn runtime(caller: &Caller, time: i64, region: &str, name: &str, random: &mut Random) -> Draft {
    let mut draft = Draft::new(caller, time, region, BEDROCK, name, random);
    draft.host = Some(format!("bedrock-agent-runtime.{region}.amazonaws.com"));
    draft
}

/// A call of an AgentCore runtime: `runtime` is its id, `session` the runtime session.
pub fn invoke_runtime(
    caller: &Caller,
    time: i64,
    region: &str,
    runtime: &str,
    session: &str,
    random: &mut Random,
) -> Draft {
    let arn = format!("arn:aws:bedrock-agentcore:{region}:{}:runtime/{runtime}", caller.account);
    core(caller, time, region, "InvokeAgentRuntime", random)
        .data("AWS::BedrockAgentCore::Runtime", &arn)
        .write()
        .parameters(format!(
            r#"{{"agentRuntimeArn":"{arn}","qualifier":"DEFAULT","runtimeSessionId":{},"payload":"HIDDEN_DUE_TO_SECURITY_REASONS"}}"#,
            quoted(session)
        ))
}

/// A turn written to an AgentCore memory.
pub fn memory_event(
    caller: &Caller,
    time: i64,
    region: &str,
    memory: &str,
    session: &str,
    random: &mut Random,
) -> Event {
    memory_call(caller, time, region, "CreateEvent", memory, random)
        .write()
        .parameters(format!(
            r#"{{"memoryId":"{memory}","actorId":"customer","sessionId":{},"payload":"HIDDEN_DUE_TO_SECURITY_REASONS"}}"#,
            quoted(session)
        ))
        .event(Fact::Call("memory", None))
}

/// A search in an AgentCore memory.
pub fn memory_search(caller: &Caller, time: i64, region: &str, memory: &str, random: &mut Random) -> Event {
    memory_call(caller, time, region, "RetrieveMemoryRecords", memory, random)
        .parameters(format!(
            r#"{{"memoryId":"{memory}","namespace":"/strategies/facts/actors/customer","searchCriteria":"HIDDEN_DUE_TO_SECURITY_REASONS"}}"#
        ))
        .event(Fact::Call("memory", None))
}

fn memory_call(
    caller: &Caller,
    time: i64,
    region: &str,
    name: &str,
    memory: &str,
    random: &mut Random,
) -> Draft {
    let arn = format!("arn:aws:bedrock-agentcore:{region}:{}:memory/{memory}", caller.account);
    core(caller, time, region, name, random).data("AWS::BedrockAgentCore::Memory", &arn)
}

/// An agent's own access token.
pub fn workload_token(
    caller: &Caller,
    time: i64,
    region: &str,
    workload: &str,
    random: &mut Random,
) -> Event {
    let account = &caller.account;
    let arn = format!(
        "arn:aws:bedrock-agentcore:{region}:{account}:workload-identity-directory/default/workload-identity/{workload}"
    );
    core(caller, time, region, "GetWorkloadAccessTokenForUserId", random)
        .data("AWS::BedrockAgentCore::WorkloadIdentity", &arn)
        .write()
        .parameters(format!(r#"{{"workloadName":"{workload}","userId":"HIDDEN_DUE_TO_SECURITY_REASONS"}}"#))
        .event(Fact::Call("token_vending", None))
}

/// A token for another system from a credential provider. AWS's sample has `managementEvent` true.
pub fn oauth_token(caller: &Caller, time: i64, region: &str, provider: &str, random: &mut Random) -> Event {
    let account = &caller.account;
    let arn = format!(
        "arn:aws:bedrock-agentcore:{region}:{account}:token-vault/default/oauth2credentialprovider/{provider}"
    );
    let mut draft = core(caller, time, region, "GetResourceOauth2Token", random)
        .data("AWS::BedrockAgentCore::OAuth2CredentialProvider", &arn)
        .parameters(format!(
            r#"{{"workloadIdentityToken":"HIDDEN_DUE_TO_SECURITY_REASONS","resourceCredentialProviderName":"{provider}","scopes":["refunds:write"],"oauth2Flow":"M2M"}}"#
        ));
    draft.management = Some(true);
    draft.category = "Management";
    draft.event(Fact::Call("token_vending", None))
}

/// A tool called through an AgentCore gateway. Nobody of IAM calls it: the JWT says who, the response whether it went well.
pub fn gateway_tool(
    account: &str,
    time: i64,
    region: &str,
    gateway: &str,
    tool: &str,
    status: u16,
    random: &mut Random,
) -> Event {
    let mut nobody = Caller::service(account, "anonymous", random);
    nobody.invoked_by = None;
    "python-httpx/0.28.1".clone_into(&mut nobody.agent);
    nobody.ip = format!("203.0.113.{}", random.between(1, 254));
    let arn = format!("arn:aws:bedrock-agentcore:{region}:{account}:gateway/{gateway}");
    let answer = if status == 200 {
        r#"{"jsonrpc":"2.0","id":1,"result":{"isError":false,"content":"REDACTED"}}"#
    } else {
        r#"{"jsonrpc":"2.0","id":1,"error":{"code":-32001,"message":"Invalid Bearer token"}}"#
    };
    let mut draft = core(&nobody, time, region, "InvokeGateway", random)
        .data("AWS::BedrockAgentCore::Gateway", &arn)
        .parameters(format!(
            r#"{{"body":{{"id":1,"method":"tools/call","params":{{"name":"{tool}","arguments":"REDACTED"}},"jsonrpc":"2.0"}}}}"#
        ))
        .response(format!(r#"{{"body":{answer},"contentType":"application/json","statusCode":{status}}}"#));
    r#"{"type":"AWSAccount","principalId":"","accountId":"anonymous"}"#.clone_into(&mut draft.identity);
    draft.shared_id = Some(random.uuid());
    draft.host = Some(format!("{gateway}.gateway.bedrock-agentcore.{region}.amazonaws.com"));
    if status == 200 {
        draft.additional = Some(format!(
            r#"{{"targetId":"{}","jwt":{{"headers":{{"kid":"hGrcJwz5MX6hNeuL6jdXE4hjK7sT6oj","alg":"RS256"}},"claims":{{"sub":"4ammg0refunds0m3b8c","token_use":"access","scope":"refunds/write","iss":"https://cognito-idp.{region}.amazonaws.com/{region}_Fabcdefhq","version":2}},"type":"JWS"}}}}"#,
            random.unique_id(10)
        ));
    }
    draft.event(Fact::Call("tool", None))
}

fn core(caller: &Caller, time: i64, region: &str, name: &str, random: &mut Random) -> Draft {
    Draft::new(caller, time, region, AGENTCORE, name, random)
}

/// A Lambda function called by `service` for an agent with the execution role `caller`.
pub fn action_lambda(
    caller: &Caller,
    service: &str,
    time: i64,
    region: &str,
    function: &str,
    random: &mut Random,
) -> Event {
    let arn = format!("arn:aws:lambda:{region}:{}:function:{function}", caller.account);
    Draft::new(&caller.through(service), time, region, "lambda.amazonaws.com", "Invoke", random)
        .data("AWS::Lambda::Function", &arn)
        .write()
        .parameters(format!(r#"{{"functionName":"{arn}","invocationType":"RequestResponse"}}"#))
        .event(Fact::Scope("downstream"))
}
