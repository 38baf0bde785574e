//! What the free-form parts of a record may hold that we read: `requestParameters`, `responseElements`, `additionalEventData`,
//! `serviceEventDetails` and `resources`.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::arn::Arn;
use super::json::{self, view};
use super::outcome::Answer;
use super::principal::Jwt;
use super::record::Text;
use super::scope::Scope;

view! {
    /// `requestParameters`. Names are those of the APIs; which of them are recorded differs by call and over time.
    Request {
        /// Model of runtime and control calls.
        model_id = "modelId",
        /// Model of mantle calls and harnesses.
        model = "model",
        /// Model of inline agents.
        foundation_model = "foundationModel",
        /// Model of customization, import, deployment, optimisation and profile calls.
        other_model = "baseModelIdentifier" | "targetModelId" | "modelIdentifier" | "desiredModelId",
        /// `modelSource.copyFrom`: what an application inference profile is made of.
        model_source = "modelSource",
        /// Model and knowledge base of RetrieveAndGenerate.
        retrieve_and_generate = "retrieveAndGenerateConfiguration",
        /// Model of Rerank.
        reranking = "rerankingConfiguration",
        /// Guardrail of a call.
        guardrail_identifier = "guardrailIdentifier",
        /// Its version.
        guardrail_version = "guardrailVersion",
        /// Guardrail of Converse, agents and knowledge bases, and of an account-wide enforcement.
        guardrail_config = "guardrailConfig" | "guardrailConfiguration" | "guardrailInferenceConfig",
        /// Whether a mantle call asked for a stream.
        stream = "stream",
        /// Whether a mantle call was made with an API key.
        call_with_bearer_token = "callWithBearerToken",
        /// Which kind of API key.
        bearer_token_type = "bearerTokenType",
        /// Bedrock agent.
        agent_id = "agentId",
        /// Its alias.
        agent_alias_id = "agentAliasId",
        /// Session the caller gave.
        session_id = "sessionId" | "sessionIdentifier",
        /// Session of an AgentCore runtime or harness.
        runtime_session_id = "runtimeSessionId",
        /// AgentCore runtime or harness.
        runtime_arn = "agentRuntimeArn" | "harnessArn",
        /// The same by id, in control calls.
        runtime_id = "agentRuntimeId" | "harnessId",
        /// Endpoint of a runtime or harness.
        qualifier = "qualifier",
        /// AgentCore or agent memory.
        memory_id = "memoryId",
        /// AgentCore gateway, by id or ARN.
        gateway = "gatewayIdentifier" | "gatewayArn",
        /// Code interpreter or browser.
        tool = "codeInterpreterIdentifier" | "browserIdentifier",
        /// Credential provider of a vended token.
        credential_provider = "resourceCredentialProviderName",
        /// Name of the thing a control call makes or changes.
        name = "name",
        /// Knowledge base.
        knowledge_base_id = "knowledgeBaseId",
        /// Flow, by id or ARN.
        flow = "flowIdentifier",
        /// Mantle project.
        project_id = "project_id",
        /// Lambda function, by name or ARN.
        function_name = "functionName",
        /// `actionGroupExecutor.lambda`: function of an agent's action group.
        action_group_executor = "actionGroupExecutor",
        /// JSON-RPC message of a gateway call.
        body = "body",
        /// True where CloudTrail left the parameters out for their size.
        omitted = "omitted",
    }
}

view! {
    /// `additionalEventData`, and the entries of a service event's twin of it.
    Additional {
        /// Where the model ran.
        inference_region = "inferenceRegion",
        /// Input tokens.
        input_tokens = "inputTokens" | "inputTokenCount",
        /// Output tokens.
        output_tokens = "outputTokens" | "outputTokenCount",
        /// Tokens read from the prompt cache.
        cache_read_tokens = "cacheReadInputTokens" | "cacheReadInputTokenCount" | "cacheReadTokens",
        /// Tokens written to the prompt cache.
        cache_write_tokens = "cacheWriteInputTokens" | "cacheWriteInputTokenCount" | "cacheWriteTokens",
        /// Whether a runtime or control call was made with an API key.
        call_with_bearer_token = "callWithBearerToken",
        /// Which kind of API key.
        bearer_token_type = "bearerTokenType",
        /// JWT an AgentCore gateway accepted.
        jwt = "jwt",
    }
}

view! {
    /// Members that stand one or two levels down.
    Nested {
        /// Model.
        model = "modelArn" | "modelId" | "copyFrom",
        /// Knowledge base part of RetrieveAndGenerate.
        knowledge_base = "knowledgeBaseConfiguration",
        /// Its other form, with documents of the caller.
        external_sources = "externalSourcesConfiguration",
        /// Knowledge base.
        knowledge_base_id = "knowledgeBaseId",
        /// Generation part of both.
        generation = "generationConfiguration",
        /// Model part of a rerank or harness configuration.
        configuration = "bedrockRerankingConfiguration" | "modelConfiguration" | "bedrockModelConfig",
        /// Guardrail part.
        guardrail = "guardrailConfig" | "guardrailConfiguration",
        /// Guardrail.
        guardrail_id = "guardrailIdentifier" | "guardrailId",
        /// Its version.
        guardrail_version = "guardrailVersion",
        /// Lambda function.
        lambda = "lambda",
        /// JSON-RPC method.
        method = "method",
        /// JSON-RPC parameters.
        params = "params",
        /// Name in JSON-RPC parameters.
        name = "name",
        /// Claims of a JWT.
        claims = "claims",
        /// Issuer.
        issuer = "iss",
        /// Subject.
        subject = "sub",
    }
}

view! {
    /// `responseElements` of an AgentCore gateway.
    Response {
        /// HTTP status.
        status_code = "statusCode",
        /// JSON-RPC answer.
        body = "body",
        /// Its error.
        error = "error",
        /// Error code.
        code = "code",
        /// Its result.
        result = "result",
        /// Whether the tool reported an error.
        is_error = "isError",
    }
}

view! {
    /// `serviceEventDetails` of the twin that a model call can leave.
    Service {
        /// The call's request id.
        parent_request_id = "parentRequestId",
        /// Holds `additionalEntries`.
        additional = "AdditionalEventData" | "additionalEventData",
        /// Tokens and Region: an object, or a list of keys and values.
        entries = "additionalEntries" | "AdditionalEntries",
    }
}

view! {
    /// One of `additionalEntries` where they are a list.
    Entry {
        /// Name of a member of [`Additional`].
        key = "key" | "Key" | "name" | "Name",
        /// Its value.
        value = "value" | "Value",
    }
}

/// One entry of `resources`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Resource<'a> {
    /// `ARN`; other spellings occur outside of log files.
    #[serde(borrow, alias = "ARN", alias = "arn", alias = "resourceARN")]
    pub arn: Option<Text<'a>>,
    /// `type`, e.g. `AWS::Bedrock::Model`.
    #[serde(borrow, rename = "type", alias = "resourceType")]
    pub kind: Option<Text<'a>>,
    /// `accountId`: who owns it.
    #[serde(borrow, rename = "accountId")]
    pub account_id: Option<&'a RawValue>,
}

impl Resource<'_> {
    /// Who owns it, as the record or else the ARN says.
    pub fn account(&self) -> Option<Cow<'_, str>> {
        json::text(self.account_id).or_else(|| self.parsed().map(|arn| Cow::Borrowed(arn.account)))
    }

    /// The ARN, taken apart.
    pub fn parsed(&self) -> Option<Arn<'_>> {
        Arn::parse(self.arn.as_deref()?)
    }
}

/// `resources`, entries that are no objects left out.
pub fn resources(raw: Option<&RawValue>) -> Vec<Resource<'_>> {
    let all: Result<Vec<Resource<'_>>, _> = serde_json::from_str(raw.map_or("[]", RawValue::get));
    all.unwrap_or_else(|_| {
        json::part::<Vec<&RawValue>>(raw).into_iter().map(|raw| json::part(Some(raw))).collect()
    })
}

/// Issuer and subject of the JWT in `additionalEventData`.
pub fn jwt<'a>(additional: &Additional<'a>) -> Jwt<'a> {
    let claims: Nested<'a> = json::part(json::part::<Nested<'a>>(additional.jwt).claims);
    Jwt { issuer: json::text(claims.issuer), subject: json::text(claims.subject) }
}

/// What a gateway answered.
pub fn answer(response: Option<&RawValue>) -> Answer {
    let response: Response<'_> = json::part(response);
    let body: Response<'_> = json::part(response.body);
    Answer {
        status: json::int(response.status_code),
        rpc_error: body
            .error
            .map(|error| json::int(json::part::<Response<'_>>(Some(error)).code).unwrap_or(0)),
        tool_error: json::flag(json::part::<Response<'_>>(body.result).is_error) == Some(true),
    }
}

/// The entries of a service event's twin, as if they were `additionalEventData`.
pub fn entries<'a>(service: &Service<'a>) -> Additional<'a> {
    let holder: Service<'a> = json::part(service.additional);
    let raw = holder.entries.or(service.entries).or(service.additional);
    if !raw.is_some_and(|raw| raw.get().starts_with('[')) {
        return json::part(raw);
    }
    let mut found = Additional::default();
    for entry in json::part::<Vec<&RawValue>>(raw) {
        let entry: Entry<'a> = json::part(Some(entry));
        if let Some(member) = json::text(entry.key).and_then(|key| found.member(&key)) {
            *member = entry.value.or(*member);
        }
    }
    found
}

/// The model as the caller sent it: parameters first, then the resource of type `AWS::Bedrock::Model` (some records have
/// no parameters).
pub fn model<'a>(
    source: &str,
    name: &str,
    request: &Request<'a>,
    resources: &'a [Resource<'_>],
) -> Option<Cow<'a, str>> {
    named_model(source, name, request).or_else(|| {
        let is_model = |resource: &&Resource<'_>| {
            let arn = resource.parsed().is_some_and(|arn| {
                let kind = arn.resource.split('/').next().unwrap_or_default();
                matches!(kind, "foundation-model" | "inference-profile" | "application-inference-profile")
            });
            arn || resource.kind.as_deref() == Some("AWS::Bedrock::Model")
        };
        // A profile says more than the model it leads to: it is what the caller sent.
        let mut models = resources.iter().filter(is_model).filter_map(|resource| resource.arn.as_deref());
        let first = models.next()?;
        let profile = |arn: &&str| arn.contains("inference-profile/");
        Some(Cow::Borrowed(Some(first).filter(profile).or_else(|| models.find(profile)).unwrap_or(first)))
    })
}

/// The model in the parameters, where the service's API has a member for one (`request_fields` in
/// queries/data/event-catalogue.csv). In other calls a member of that name is the caller's own and names nothing.
fn named_model<'a>(source: &str, name: &str, request: &Request<'a>) -> Option<Cow<'a, str>> {
    let nested = |raw| json::part::<Nested<'a>>(raw);
    match Scope::get().alias(source) {
        "bedrock.amazonaws.com" => json::text(request.model_id)
            .or_else(|| json::text(request.foundation_model))
            .or_else(|| {
                let config = nested(request.retrieve_and_generate);
                json::text(nested(config.knowledge_base).model)
                    .or_else(|| json::text(nested(config.external_sources).model))
            })
            .or_else(|| json::text(request.other_model))
            .or_else(|| json::text(nested(request.model_source).model))
            .or_else(|| {
                json::text(nested(nested(nested(request.reranking).configuration).configuration).model)
            }),
        "bedrock-mantle.amazonaws.com" | "aws-external-anthropic.amazonaws.com" => json::text(request.model),
        "bedrock-agentcore.amazonaws.com" if name.ends_with("Harness") => json::text(request.model)
            .or_else(|| json::text(nested(nested(request.model).configuration).model)),
        _ => None,
    }
}

/// Guardrail and version that the request names.
pub fn guardrail<'a>(request: &Request<'a>) -> (Option<Cow<'a, str>>, Option<Cow<'a, str>>) {
    let nested = |raw| json::part::<Nested<'a>>(raw);
    let of = |config: Nested<'a>| (json::text(config.guardrail_id), json::text(config.guardrail_version));
    let own = (json::text(request.guardrail_identifier), json::text(request.guardrail_version));
    let sources = [own, of(nested(request.guardrail_config))];
    sources.into_iter().find(|(id, _)| id.is_some()).unwrap_or_else(|| {
        let config = nested(request.retrieve_and_generate);
        let parts = [config.knowledge_base, config.external_sources];
        let mut generations =
            parts.into_iter().map(|part| of(nested(nested(nested(part).generation).guardrail)));
        generations.find(|(id, _)| id.is_some()).unwrap_or_default()
    })
}

/// The tool that a gateway call names: `params.name` of `tools/call`.
pub fn gateway_tool<'a>(request: &Request<'a>) -> Option<Cow<'a, str>> {
    let body: Nested<'a> = json::part(request.body);
    (json::text(body.method)? == "tools/call")
        .then(|| json::text(json::part::<Nested<'a>>(body.params).name))?
}

#[cfg(test)]
mod tests {
    use super::*;

    const RUNTIME: &str = "bedrock.amazonaws.com";

    fn request(json: &str) -> Request<'_> {
        serde_json::from_str(json).unwrap()
    }

    fn of(source: &str, name: &str, json: &str) -> Option<String> {
        model(source, name, &request(json), &[]).map(Cow::into_owned)
    }

    #[test]
    fn the_model_is_found_wherever_it_stands() {
        for (json, want) in [
            (r#"{"modelId":"a.b","model":"c.d"}"#, "a.b"),
            (r#"{"foundationModel":"e.f","actionGroups":[]}"#, "e.f"),
            (
                r#"{"retrieveAndGenerateConfiguration":{"knowledgeBaseConfiguration":{"modelArn":"g.h"}}}"#,
                "g.h",
            ),
            (
                r#"{"retrieveAndGenerateConfiguration":{"externalSourcesConfiguration":{"modelArn":"i.j"}}}"#,
                "i.j",
            ),
            (r#"{"modelSource":{"copyFrom":"k.l"}}"#, "k.l"),
            (
                r#"{"rerankingConfiguration":{"bedrockRerankingConfiguration":{"modelConfiguration":{"modelArn":"m.n"}}}}"#,
                "m.n",
            ),
        ] {
            assert_eq!(of(RUNTIME, "Any", json).as_deref(), Some(want), "{json}");
        }
        assert_eq!(of(RUNTIME, "Converse", r#"{"modelId":7,"messages":[]}"#), None);
    }

    #[test]
    fn a_member_is_a_model_only_where_the_api_has_it() {
        let (mantle, core) = ("bedrock-mantle.amazonaws.com", "bedrock-agentcore.amazonaws.com");
        let (model_id, model) = (r#"{"modelId":"a.b"}"#, r#"{"model":"c.d","stream":true}"#);
        let harness = r#"{"model":{"bedrockModelConfig":{"modelId":"h.m"}}}"#;
        for (source, name, json, want) in [
            (RUNTIME, "InvokeModel", model_id, Some("a.b")),
            ("bedrock-runtime.amazonaws.com", "InvokeModel", model_id, Some("a.b")),
            (RUNTIME, "InvokeModel", model, None),
            (mantle, "CreateInference", model, Some("c.d")),
            ("aws-external-anthropic.amazonaws.com", "CreateInference", model, Some("c.d")),
            (mantle, "CreateInference", model_id, None),
            (core, "InvokeHarness", harness, Some("h.m")),
            (core, "UpdateHarness", model, Some("c.d")),
            (core, "InvokeAgentRuntime", harness, None),
            (core, "InvokeAgentRuntime", model, None),
            (core, "InvokeGateway", model_id, None),
            ("agent-registry.amazonaws.com", "GetRecord", model_id, None),
        ] {
            assert_eq!(of(source, name, json).as_deref(), want, "{source} {name} {json}");
        }
    }

    #[test]
    fn the_model_can_stand_in_the_resources_alone() {
        let json = r#"[{"type":"AWS::S3::Object","ARN":"arn:aws:s3:::b/k"},
            {"accountId":"111122223333","type":"AWS::Bedrock::Model","ARN":"arn:aws:bedrock:us-west-2::foundation-model/a.b"},
            {"ARN":"arn:aws:bedrock:us-west-2:111122223333:inference-profile/us.a.b"}]"#;
        let raw: &RawValue = serde_json::from_str(json).unwrap();
        let all = resources(Some(raw));
        let of = |all| model(RUNTIME, "ConverseStream", &Request::default(), all);
        assert_eq!(of(&all[..2]).as_deref(), all[1].arn.as_deref());
        assert_eq!(of(&all).as_deref(), all[2].arn.as_deref());
        assert_eq!(of(&all[..1]), None);
        let mixed: &RawValue = serde_json::from_str(r#"[7,{"ARN":"x"},{"ARN":[]}]"#).unwrap();
        assert_eq!(resources(Some(mixed))[1].arn.as_deref(), Some("x"));
        assert!(resources(None).is_empty());
    }

    #[test]
    fn guardrails_stand_in_several_places() {
        for json in [
            r#"{"guardrailIdentifier":"g","guardrailVersion":"1"}"#,
            r#"{"guardrailConfig":{"guardrailIdentifier":"g","guardrailVersion":"1"}}"#,
            r#"{"guardrailConfiguration":{"guardrailId":"g","guardrailVersion":"1"}}"#,
            r#"{"retrieveAndGenerateConfiguration":{"knowledgeBaseConfiguration":{"generationConfiguration":{"guardrailConfiguration":{"guardrailId":"g","guardrailVersion":"1"}}}}}"#,
        ] {
            assert_eq!(guardrail(&request(json)), (Some("g".into()), Some("1".into())), "{json}");
        }
        assert_eq!(guardrail(&request("{}")), (None, None));
    }

    #[test]
    fn gateway_calls() {
        let call =
            r#"{"body":{"id":1,"method":"tools/call","params":{"name":"T___List","arguments":"REDACTED"}}}"#;
        assert_eq!(gateway_tool(&request(call)).as_deref(), Some("T___List"));
        let prompt = r#"{"body":{"method":"prompts/get","params":{"name":"p"}}}"#;
        assert_eq!(gateway_tool(&request(prompt)), None);
        let of = |json| {
            let raw: &RawValue = serde_json::from_str(json).unwrap();
            let answer = answer(Some(raw));
            (answer.status, answer.rpc_error, answer.tool_error)
        };
        assert_eq!(
            of(r#"{"statusCode":401,"body":{"error":{"code":-32001}}}"#),
            (Some(401), Some(-32001), false)
        );
        assert_eq!(of(r#"{"statusCode":200,"body":{"error":"odd"}}"#), (Some(200), Some(0), false));
        assert_eq!(
            of(r#"{"statusCode":200,"body":{"error":null,"result":{"isError":true}}}"#),
            (Some(200), None, true)
        );
        let json = r#"{"jwt":{"claims":{"iss":"https://idp.example","sub":"s","exp":1}}}"#;
        let additional: Additional<'_> = serde_json::from_str(json).unwrap();
        assert_eq!(
            jwt(&additional),
            Jwt { issuer: Some("https://idp.example".into()), subject: Some("s".into()) }
        );
    }

    #[test]
    fn entries_of_a_service_event() {
        for json in [
            r#"{"AdditionalEventData":{"additionalEntries":{"inputTokens":"12","inferenceRegion":"us-east-2"}}}"#,
            r#"{"additionalEventData":{"additionalEntries":[{"key":"inputTokens","value":12},{"key":"inferenceRegion","value":"us-east-2"}]}}"#,
            r#"{"AdditionalEventData":{"inputTokens":12,"inferenceRegion":"us-east-2"}}"#,
        ] {
            let found = entries(&serde_json::from_str(json).unwrap());
            assert_eq!(json::int(found.input_tokens), Some(12), "{json}");
            assert_eq!(json::text(found.inference_region).as_deref(), Some("us-east-2"), "{json}");
        }
        let list = r#"{"additionalEntries":[7,{"name":"cacheReadTokens","value":3},{"value":1},{"Key":"cacheWriteInputTokens","Value":"4"},
            {"key":"outputTokens","value":5},{"key":"outputTokens","value":null}]}"#;
        let found = entries(&serde_json::from_str(list).unwrap());
        let counts = [found.cache_read_tokens, found.cache_write_tokens, found.output_tokens];
        assert_eq!(counts.map(json::int), [Some(3), Some(4), Some(5)]);
    }
}
