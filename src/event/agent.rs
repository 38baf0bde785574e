//! Which agent, runtime, gateway, memory, tool, provider, knowledge base, flow or project a call concerns: from its
//! parameters, else from the ARNs of its resources.

use std::borrow::Cow;

use super::arn::Arn;
use super::json;
use super::request::{Nested, Request, Resource, gateway_tool};

type Id<'a> = Option<Cow<'a, str>>;

/// What one record of the Bedrock family names.
#[derive(Clone, Copy, Debug)]
pub struct Agent<'a, 'r> {
    request: &'a Request<'r>,
    resources: &'a [Resource<'a>],
}

impl<'a, 'r: 'a> Agent<'a, 'r> {
    /// Of these parameters and resources.
    pub fn new(request: &'a Request<'r>, resources: &'a [Resource<'a>]) -> Self {
        Self { request, resources }
    }

    fn find<T>(&self, of: impl Fn(&'a str, Arn<'a>) -> Option<T>) -> Option<T> {
        self.resources.iter().find_map(|resource| {
            let text = resource.arn.as_deref()?;
            of(text, Arn::parse(text)?)
        })
    }

    fn id(&self, kind: &str) -> Id<'a> {
        self.find(|_, arn| arn.id(kind).map(Cow::Borrowed))
    }

    /// Bedrock agent, AgentCore runtime or harness.
    pub fn agent_id(&self) -> Id<'a> {
        let of_arn = |arn: &str| {
            let arn = Arn::parse(arn)?;
            arn.id("runtime").or_else(|| arn.id("harness")).map(str::to_owned)
        };
        json::text(self.request.agent_id)
            .or_else(|| json::text(self.request.runtime_id))
            // A runtime can be named by its id where an ARN is expected.
            .or_else(|| json::text(self.request.runtime_arn).map(|arn| of_arn(&arn).map_or(arn, Cow::Owned)))
            .or_else(|| ["agent-alias", "agent", "runtime", "harness"].iter().find_map(|kind| self.id(kind)))
    }

    /// Alias of an agent, endpoint of a runtime.
    pub fn alias_id(&self) -> Id<'a> {
        json::text(self.request.agent_alias_id).or_else(|| json::text(self.request.qualifier)).or_else(|| {
            self.find(|_, arn| match arn.resource.strip_prefix("agent-alias/") {
                Some(rest) => rest.split_once('/').map(|(_, alias)| Cow::Borrowed(alias)),
                None => arn.inner("runtime-endpoint").map(Cow::Borrowed),
            })
        })
    }

    /// Session the caller gave.
    pub fn session_id(&self) -> Id<'a> {
        json::text(self.request.runtime_session_id)
            .or_else(|| json::text(self.request.session_id))
            .or_else(|| self.id("session"))
    }

    /// ARN of an AgentCore runtime or harness, without its endpoint.
    pub fn runtime_arn(&self) -> Id<'a> {
        json::text(self.request.runtime_arn).filter(|arn| arn.starts_with("arn:")).or_else(|| {
            self.find(|text, arn| {
                arn.id("runtime").or_else(|| arn.id("harness"))?;
                let end = text.find("/runtime-endpoint/").unwrap_or(text.len());
                Some(Cow::Borrowed(&text[..end]))
            })
        })
    }

    /// ARN of an AgentCore gateway.
    pub fn gateway_arn(&self) -> Id<'a> {
        json::text(self.request.gateway)
            .filter(|gateway| gateway.starts_with("arn:"))
            .or_else(|| self.find(|text, arn| arn.id("gateway").map(|_| Cow::Borrowed(text))))
    }

    /// Whether the record is about an AgentCore gateway.
    pub fn is_gateway(&self) -> bool {
        self.find(|_, arn| arn.id("gateway")).is_some()
    }

    /// AgentCore or agent memory.
    pub fn memory_id(&self) -> Id<'a> {
        json::text(self.request.memory_id).or_else(|| self.id("memory"))
    }

    /// MCP tool, code interpreter or browser.
    pub fn tool_name(&self) -> Id<'a> {
        gateway_tool(self.request).or_else(|| json::text(self.request.tool)).or_else(|| {
            let kinds = ["code-interpreter", "code-interpreter-custom", "browser", "browser-custom"];
            kinds.iter().find_map(|kind| self.id(kind))
        })
    }

    /// Credential provider, of a vended token or as the thing that the call `event_name` makes or changes.
    pub fn credential_provider(&self, event_name: &str) -> Id<'a> {
        json::text(self.request.credential_provider)
            .or_else(|| {
                self.find(|_, arn| {
                    let kinds =
                        ["oauth2credentialprovider", "apikeycredentialprovider", "paymentcredentialprovider"];
                    kinds.iter().find_map(|kind| arn.inner(kind)).map(Cow::Borrowed)
                })
            })
            .or_else(|| json::text(self.request.name).filter(|_| event_name.ends_with("CredentialProvider")))
    }

    /// Knowledge base.
    pub fn knowledge_base_id(&self) -> Id<'a> {
        json::text(self.request.knowledge_base_id)
            .or_else(|| {
                let config: Nested<'r> = json::part(self.request.retrieve_and_generate);
                json::text(json::part::<Nested<'r>>(config.knowledge_base).knowledge_base_id)
            })
            .or_else(|| self.id("knowledge-base"))
    }

    /// Flow, by id also where the request gives its ARN.
    pub fn flow_id(&self) -> Id<'a> {
        let id =
            |flow: Cow<'a, str>| match Arn::parse(&flow).and_then(|arn| arn.id("flow").map(str::to_owned)) {
                Some(id) => Cow::Owned(id),
                None => flow,
            };
        json::text(self.request.flow).map(id).or_else(|| self.id("flow"))
    }

    /// Lambda function of an agent's action group.
    pub fn lambda_arn(&self) -> Id<'a> {
        let executor: Nested<'r> = json::part(self.request.action_group_executor);
        json::text(executor.lambda)
            .or_else(|| json::text(self.request.function_name).filter(|name| name.starts_with("arn:")))
            .or_else(|| self.find(|text, arn| (arn.service == "lambda").then_some(Cow::Borrowed(text))))
    }

    /// Mantle project.
    pub fn project_id(&self) -> Id<'a> {
        let of = |_, arn: Arn<'a>| (arn.service == "bedrock-mantle").then(|| arn.id("project")).flatten();
        json::text(self.request.project_id).or_else(|| self.find(of).map(Cow::Borrowed))
    }

    /// Guardrail of a call that names it only as resource.
    pub fn guardrail_id(&self) -> Id<'a> {
        self.id("guardrail")
    }
}

#[cfg(test)]
mod tests {
    use serde_json::value::RawValue;

    use super::*;
    use crate::event::request::resources;

    fn of(request: &str, arn: &str, check: impl FnOnce(Agent<'_, '_>)) {
        let request: Request<'_> = serde_json::from_str(request).unwrap();
        let raw: Box<RawValue> =
            serde_json::value::to_raw_value(&[serde_json::json!({ "ARN": arn })]).unwrap();
        let resources = resources(Some(&raw));
        check(Agent::new(&request, &resources));
    }

    #[test]
    fn ids_from_parameters() {
        let core = "arn:aws:bedrock-agentcore:us-west-2:111122223333";
        of(r#"{"agentId":"A1","agentAliasId":"L1","sessionId":"s","memoryId":"m"}"#, "", |agent| {
            assert_eq!(agent.agent_id().as_deref(), Some("A1"));
            assert_eq!(agent.alias_id().as_deref(), Some("L1"));
            assert_eq!(agent.session_id().as_deref(), Some("s"));
            assert_eq!(agent.memory_id().as_deref(), Some("m"));
            assert_eq!(agent.runtime_arn(), None);
        });
        let json = format!(
            r#"{{"agentRuntimeArn":"{core}:runtime/r-1","qualifier":"live","runtimeSessionId":"s"}}"#
        );
        of(&json, "", |agent| {
            assert_eq!(agent.agent_id().as_deref(), Some("r-1"));
            assert_eq!(agent.runtime_arn().as_deref(), Some(&*format!("{core}:runtime/r-1")));
            assert_eq!(agent.alias_id().as_deref(), Some("live"));
        });
        of(
            r#"{"flowIdentifier":"arn:aws:bedrock:us-east-1:111122223333:flow/F1","browserIdentifier":"aws.browser.v1"}"#,
            "",
            |agent| {
                assert_eq!(agent.flow_id().as_deref(), Some("F1"));
                assert_eq!(agent.tool_name().as_deref(), Some("aws.browser.v1"));
            },
        );
        of(r#"{"name":"github","actionGroupExecutor":{"lambda":"arn:aws:lambda:x"}}"#, "", |agent| {
            assert_eq!(
                agent.credential_provider("CreateOauth2CredentialProvider").as_deref(),
                Some("github")
            );
            assert_eq!(agent.credential_provider("CreateGateway"), None);
            assert_eq!(agent.lambda_arn().as_deref(), Some("arn:aws:lambda:x"));
        });
    }

    #[test]
    fn ids_from_resources() {
        let core = "arn:aws:bedrock-agentcore:us-west-2:111122223333";
        let bedrock = "arn:aws:bedrock:us-west-2:111122223333";
        of("{}", &format!("{core}:runtime/r-1/runtime-endpoint/live"), |agent| {
            assert_eq!(agent.agent_id().as_deref(), Some("r-1"));
            assert_eq!(agent.alias_id().as_deref(), Some("live"));
            assert_eq!(agent.runtime_arn().as_deref(), Some(&*format!("{core}:runtime/r-1")));
            assert!(!agent.is_gateway());
        });
        of("{}", &format!("{core}:gateway/g-1"), |agent| {
            assert_eq!(agent.gateway_arn().as_deref(), Some(&*format!("{core}:gateway/g-1")));
            assert!(agent.is_gateway());
        });
        of("{}", &format!("{core}:token-vault/default/oauth2credentialprovider/p"), |agent| {
            assert_eq!(agent.credential_provider("GetResourceOauth2Token").as_deref(), Some("p"));
        });
        of(
            "{}",
            "arn:aws:bedrock-agentcore:us-west-2:aws:code-interpreter/aws.codeinterpreter.v1",
            |agent| {
                assert_eq!(agent.tool_name().as_deref(), Some("aws.codeinterpreter.v1"));
            },
        );
        of("{}", &format!("{bedrock}:agent-alias/A1/L1"), |agent| {
            assert_eq!(agent.agent_id().as_deref(), Some("A1"));
            assert_eq!(agent.alias_id().as_deref(), Some("L1"));
        });
        of("{}", &format!("{bedrock}:flow/F1/alias/L1"), |agent| {
            assert_eq!(agent.flow_id().as_deref(), Some("F1"));
        });
        of("{}", &format!("{bedrock}:knowledge-base/K1"), |agent| {
            assert_eq!(agent.knowledge_base_id().as_deref(), Some("K1"));
        });
        of("{}", "arn:aws:bedrock-mantle:us-east-1:111122223333:project/proj_1", |agent| {
            assert_eq!(agent.project_id().as_deref(), Some("proj_1"));
        });
        of("{}", &format!("{bedrock}:guardrail/g1"), |agent| {
            assert_eq!(agent.guardrail_id().as_deref(), Some("g1"));
        });
        of("{}", "arn:aws:lambda:us-east-1:111122223333:function:fn", |agent| {
            assert!(agent.lambda_arn().is_some());
        });
    }
}
