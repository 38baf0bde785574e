//! Calls on the bedrock-mantle endpoint: inference as data events, the model list as a management event.

use super::caller::Caller;
use super::model::{Failure, Model};
use super::random::Random;
use super::record::{Draft, Event, quoted};
use super::truth::{Fact, Outcome, Usage};

const SOURCE: &str = "bedrock-mantle.amazonaws.com";

/// A CreateInference. The record has no tokens and does not say which route was called.
#[derive(Clone, Debug)]
pub struct Inference<'a> {
    pub caller: &'a Caller,
    pub time: i64,
    pub region: &'a str,
    pub model: Model,
    pub stream: bool,
    /// `ABSK` or `SHORT_TERM` where a bearer token was used.
    pub bearer: Option<&'a str>,
    pub project: &'a str,
    /// The caller's own metadata, JSON.
    pub metadata: Option<String>,
    pub failure: Option<Failure>,
}

impl<'a> Inference<'a> {
    /// A plain successful call, streamed as coding agents do.
    pub fn new(caller: &'a Caller, time: i64, region: &'a str, model: Model) -> Self {
        Self {
            caller,
            time,
            region,
            model,
            stream: true,
            bearer: None,
            project: "default",
            metadata: None,
            failure: None,
        }
    }

    /// The record.
    pub fn event(&self, random: &mut Random) -> Event {
        let mut parameters = format!(
            r#"{{"model":{},"stream":{},"service_tier":"default""#,
            quoted(&self.model.requested),
            self.stream
        );
        if let Some(metadata) = &self.metadata {
            parameters += &format!(r#","metadata":{metadata}"#);
        }
        parameters += &bearer_fields(self.bearer);
        parameters.push('}');
        let account = &self.caller.account;
        let arn = format!("arn:aws:bedrock-mantle:{}:{account}:project/{}", self.region, self.project);
        let mut draft = draft(self.caller, self.time, self.region, "CreateInference", random)
            .data("AWS::BedrockMantle::Project", &arn)
            .write()
            .parameters(parameters);
        if let Some(failure) = &self.failure {
            draft = draft.error(failure.code, &failure.message);
        }
        draft.event(Fact::Call(
            "model_invocation",
            Some(Usage {
                account_id: account.clone(),
                principal: self.caller.principal(),
                role_arn: self.caller.role_arn(),
                model_id: Some(self.model.id.clone()),
                outcome: self.failure.as_ref().map_or(Outcome::Ok, |failure| failure.outcome),
                streaming: self.stream,
                tokens: None,
            }),
        ))
    }
}

/// The list of models, as clients ask for it when they start.
pub fn list_models(
    caller: &Caller,
    time: i64,
    region: &str,
    bearer: Option<&str>,
    random: &mut Random,
) -> Event {
    let fields = bearer_fields(bearer);
    draft(caller, time, region, "ListModels", random)
        .parameters(format!("{{{}}}", fields.trim_start_matches(',')))
        .event(Fact::Call("discovery", None))
}

fn draft(caller: &Caller, time: i64, region: &str, name: &str, random: &mut Random) -> Draft {
    let mut draft = Draft::new(caller, time, region, SOURCE, name, random);
    draft.host = Some(format!("bedrock-mantle.{region}.api.aws"));
    draft
}

fn bearer_fields(bearer: Option<&str>) -> String {
    match bearer {
        Some(kind) => format!(r#","callWithBearerToken":true,"bearerTokenType":"{kind}""#),
        None => r#","callWithBearerToken":false"#.to_owned(),
    }
}
