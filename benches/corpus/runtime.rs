//! Model invocations on the bedrock-runtime endpoint, and the service events that follow some of them.

use super::caller::Caller;
use super::model::{Failure, Model};
use super::random::Random;
use super::record::{Draft, Event, quoted, resource};
use super::truth::{Fact, Outcome, Usage};

/// Where a record says which model was called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// `requestParameters.modelId`.
    Parameter,
    /// Only `resources[].ARN`; seen on some ConverseStream records.
    Resource,
    /// Nowhere.
    Nowhere,
}

/// A call of InvokeModel, Converse or their streaming forms.
#[derive(Clone, Debug)]
pub struct Invoke<'a> {
    pub caller: &'a Caller,
    pub time: i64,
    pub region: &'a str,
    pub operation: &'static str,
    pub model: Model,
    pub place: Place,
    pub failure: Option<Failure>,
    /// Input and output tokens in the record itself.
    pub tokens: Option<(u64, u64)>,
    /// As `tokens`, but only in the service event that follows.
    pub twin_tokens: Option<(u64, u64)>,
    /// Where the call was routed to, if the record says so.
    pub inference_region: Option<&'a str>,
    pub bearer: bool,
    /// Guardrail id and version.
    pub guardrail: Option<(&'a str, &'a str)>,
}

impl<'a> Invoke<'a> {
    /// A plain successful call.
    pub fn new(
        caller: &'a Caller,
        time: i64,
        region: &'a str,
        operation: &'static str,
        model: Model,
    ) -> Self {
        Self {
            caller,
            time,
            region,
            operation,
            model,
            place: Place::Parameter,
            failure: None,
            tokens: None,
            twin_tokens: None,
            inference_region: None,
            bearer: false,
            guardrail: None,
        }
    }

    /// What the call counts as.
    pub fn usage(&self) -> Usage {
        Usage {
            account_id: self.caller.account.clone(),
            principal: self.caller.principal(),
            role_arn: self.caller.role_arn(),
            model_id: (self.place != Place::Nowhere).then(|| self.model.id.clone()),
            outcome: self.failure.as_ref().map_or(Outcome::Ok, |failure| failure.outcome),
            streaming: self.operation.ends_with("Stream"),
            tokens: self.tokens.or(self.twin_tokens),
        }
    }

    /// The record before it is written.
    pub fn draft(&self, random: &mut Random) -> Draft {
        let mut draft =
            Draft::new(self.caller, self.time, self.region, "bedrock.amazonaws.com", self.operation, random);
        if draft.host.is_some() {
            draft.host = Some(format!("bedrock-runtime.{}.amazonaws.com", self.region));
        }
        match self.place {
            Place::Parameter => {
                let mut parameters = format!(r#"{{"modelId":{}"#, quoted(&self.model.requested));
                if let Some((id, version)) = self.guardrail {
                    let fields =
                        format!(r#""guardrailIdentifier":{},"guardrailVersion":"{version}""#, quoted(id));
                    parameters += &if self.operation.starts_with("Converse") {
                        format!(r#","guardrailConfig":{{{fields}}}"#)
                    } else {
                        format!(",{fields}")
                    };
                }
                if self.operation.starts_with("Converse") {
                    let limit = [1024, 2048, 4096, 8192][(self.time % 4) as usize];
                    parameters += &format!(r#","inferenceConfig":{{"maxTokens":{limit}}}"#);
                }
                parameters.push('}');
                draft.parameters = Some(parameters);
            }
            Place::Resource => {
                // What is an ARN already stands there as it is.
                let arn = if self.model.id.starts_with("arn:") {
                    self.model.id.clone()
                } else {
                    Model::arn(&self.model.id, self.region).requested
                };
                draft.resources = Some(resource(&self.caller.account, "AWS::Bedrock::Model", &arn));
            }
            Place::Nowhere => {}
        }
        let mut additional = Vec::new();
        if let Some(region) = self.inference_region {
            additional.push(format!(r#""inferenceRegion":"{region}""#));
        }
        if let Some((input, output)) = self.tokens {
            additional.push(format!(r#""inputTokens":{input},"outputTokens":{output}"#));
        }
        if self.bearer {
            additional.push(r#""callWithBearerToken":true"#.to_owned());
        }
        if !additional.is_empty() {
            draft.additional = Some(format!("{{{}}}", additional.join(",")));
        }
        draft.error = self.failure.as_ref().map(|failure| (failure.code.to_owned(), failure.message.clone()));
        draft
    }

    /// The call's record, followed by its service event if it has one.
    pub fn events(&self, random: &mut Random) -> Vec<Event> {
        let draft = self.draft(random);
        let mut events = vec![draft.event(Fact::Call("model_invocation", Some(self.usage())))];
        if let Some(tokens) = self.twin_tokens {
            events.push(twin(&draft, tokens, self.inference_region, random));
        }
        events
    }
}

/// The `AwsServiceEvent` that restates a call with its tokens. Its event name is not published; ours is the call's.
fn twin(call: &Draft, tokens: (u64, u64), inference_region: Option<&str>, random: &mut Random) -> Event {
    let mut draft = call.clone();
    let account = &call.recipient;
    draft.identity = format!(r#"{{"accountId":"{account}","invokedBy":"bedrock.amazonaws.com"}}"#);
    "bedrock.amazonaws.com".clone_into(&mut draft.ip);
    draft.agent = Some("bedrock.amazonaws.com".to_owned());
    draft.parameters = Some("null".to_owned());
    draft.additional = None;
    draft.request_id = None;
    draft.event_id = random.uuid();
    draft.kind = "AwsServiceEvent";
    draft.host = None;
    draft.console = false;
    draft.endpoint = None;
    draft.time += 1;
    let (input, output) = tokens;
    let region = inference_region.unwrap_or(&call.region);
    let parent = call.request_id.as_deref().expect("an API call has a request id");
    draft.details = Some(format!(
        r#"{{"parentRequestId":"{parent}","AdditionalEventData":{{"additionalEntries":{{"inputTokens":{input},"outputTokens":{output},"inferenceRegion":"{region}"}}}}}}"#
    ));
    draft.event(Fact::ServiceEvent)
}
