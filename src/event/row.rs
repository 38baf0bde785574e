//! One record to one row of `events`: every column, but only those that some query reads.

use std::borrow::Cow;

use serde_json::value::RawValue;

use super::account;
use super::activity;
use super::address;
use super::agent::Agent;
use super::builder::EventBuilder;
use super::cache::Cache;
use super::client;
use super::column::Field;
use super::content::{Content, redact, redact_message};
use super::credential::{Bearer, credential};
use super::json;
use super::model::{Model, normalise};
use super::outcome::{Answer, outcome};
use super::person::person;
use super::principal::{Jwt, Principal};
use super::record::{Identity, Record, Text};
use super::refusal::Basics;
pub use super::refusal::Refusal;
use super::request::{self, Additional, Request, Resource, Service};
use super::scope::Scope;
use super::set::FieldSet;

/// Columns that need the caller derived.
const CALLER: FieldSet = FieldSet::of(&[
    Field::Principal,
    Field::PrincipalAccountId,
    Field::RoleArn,
    Field::RolePathKnown,
    Field::RoleName,
    Field::SessionName,
    Field::Person,
    Field::PersonBasis,
]);

const MODEL: FieldSet = FieldSet::of(&[
    Field::ModelRequested,
    Field::ModelId,
    Field::ModelVendor,
    Field::ModelFamily,
    Field::ModelVersion,
    Field::ModelKind,
    Field::ProfileScope,
]);

const AGENT: FieldSet = FieldSet::of(&[
    Field::AgentId,
    Field::AgentAliasId,
    Field::AgentSessionId,
    Field::RuntimeArn,
    Field::GatewayArn,
    Field::MemoryId,
    Field::ToolName,
    Field::CredentialProvider,
    Field::KnowledgeBaseId,
    Field::FlowId,
    Field::LambdaArn,
    Field::MantleProjectId,
    Field::GuardrailId,
    Field::GuardrailVersion,
]);

const USAGE: FieldSet = FieldSet::of(&[
    Field::InferenceRegion,
    Field::InputTokens,
    Field::OutputTokens,
    Field::CacheReadTokens,
    Field::CacheWriteTokens,
]);

const ANSWER: FieldSet = FieldSet::of(&[Field::Outcome, Field::GatewayStatus]);

/// Columns read from `requestParameters`.
const REQUEST: FieldSet =
    MODEL.union(AGENT).union(FieldSet::of(&[Field::Streaming, Field::Credential, Field::ParamsOmitted]));

/// Columns read from `additionalEventData`.
const ADDITIONAL: FieldSet =
    CALLER.union(USAGE).union(FieldSet::of(&[Field::JwtIssuer, Field::JwtSubject, Field::Credential]));

/// Columns read from `resources`.
const RESOURCES: FieldSet =
    MODEL.union(AGENT).union(ANSWER).union(FieldSet::of(&[Field::ResourceType, Field::ResourceArn]));

/// How a row counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum RecordKind {
    /// A call; the only kind that is counted as one.
    ApiCall,
    /// What a service says of its own accord (`AwsServiceEvent`), such as the twin of a model call.
    ServiceEvent,
    /// A call seen at a VPC endpoint.
    NetworkActivity,
    /// A copy of a call in another account than its owner's (see [`account::owner`]).
    SharedCopy,
}

impl RecordKind {
    /// Every kind.
    pub const ALL: [Self; 4] = [Self::ApiCall, Self::ServiceEvent, Self::NetworkActivity, Self::SharedCopy];

    /// The value of the column `record_kind`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ApiCall => "api_call",
            Self::ServiceEvent => "service_event",
            Self::NetworkActivity => "network_activity",
            Self::SharedCopy => "shared_copy",
        }
    }
}

/// Where a record was found.
#[derive(Clone, Copy, Debug)]
pub struct Provenance<'a> {
    /// The log object.
    pub log_object: &'a str,
    /// Position in it, from 0.
    pub log_index: i64,
    /// Delivery time in the object's name, microseconds UTC.
    pub delivered_at: Option<i64>,
}

/// What a record does not say of itself.
#[derive(Clone, Copy, Debug, Default)]
pub struct Setting<'a> {
    /// The policy's environment of the record's account.
    pub environment: Option<&'a str>,
    /// Whether what callers put in by hand is kept in the JSON columns.
    pub keep_content: bool,
    /// Whether the caller is a role whose calls are kept whatever service they go to.
    pub followed: bool,
}

/// What was appended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Appended {
    /// How the row counts.
    pub record_kind: RecordKind,
    /// `eventTime`, microseconds UTC.
    pub event_time: i64,
}

/// Gives records meaning; one per decoding thread, as it remembers what it has seen.
#[derive(Debug, Default)]
pub struct Meaning {
    models: Cache<Model<'static>>,
    clients: Cache<(Option<&'static str>, Option<String>)>,
}

impl Meaning {
    /// Appends the row of a record. A refused record appends nothing.
    pub fn append(
        &mut self,
        record: &Record<'_>,
        identity: &Identity<'_>,
        provenance: Provenance<'_>,
        setting: Setting<'_>,
        out: &mut EventBuilder,
    ) -> Result<Appended, Refusal> {
        let basics = Basics::of(record)?;
        let row = Row::new(record, identity, basics, setting.followed, out.wanted());
        let jwt = request::jwt(&row.additional);
        let shared = shared(record);
        let caller = (shared || out.wanted().intersects(CALLER)).then(|| Principal::of(identity, &jwt));
        let record_kind = row.kind(shared, caller.as_ref().and_then(|caller| caller.account_id));

        row.what(record_kind, setting.environment, out);
        row.outcome(setting.keep_content, out);
        if let Some(caller) = &caller {
            row.caller(caller, &jwt, out);
        }
        row.identity(&jwt, out);
        row.usage(out);
        row.agent(out);
        self.model(&row, out);
        self.origin(&row, out);
        row.raw(setting.keep_content, out);
        out.text(Field::LogObject, Some(provenance.log_object));
        out.int(Field::LogIndex, Some(provenance.log_index));
        out.time(Field::DeliveredAt, provenance.delivered_at);
        out.finish_row();
        Ok(Appended { record_kind, event_time: basics.event_time })
    }

    fn model(&mut self, row: &Row<'_, '_>, out: &mut EventBuilder) {
        if !row.family || !out.wanted().intersects(MODEL) {
            return;
        }
        let (source, name) = (row.basics.source, row.basics.name);
        let Some(requested) = request::model(source, name, &row.request, &row.resources) else { return };
        let model = self.models.get(&requested, |requested| normalise(requested).into_owned());
        out.text(Field::ModelRequested, Some(&requested));
        out.text(Field::ModelId, Some(&model.id));
        out.text(Field::ModelKind, Some(model.kind));
        out.text(Field::ModelVendor, model.vendor.as_deref());
        out.text(Field::ModelFamily, model.family.as_deref());
        out.text(Field::ModelVersion, model.version.as_deref());
        out.text(Field::ProfileScope, model.scope.as_deref());
    }

    fn origin(&mut self, row: &Row<'_, '_>, out: &mut EventBuilder) {
        let record = row.record;
        let source_ip = record.source_ip_address.as_deref();
        out.text(Field::SourceIp, source_ip);
        if out.wants(Field::SourceKind) {
            out.text(Field::SourceKind, source_ip.and_then(address::kind));
        }
        out.text(Field::VpcEndpointId, record.vpc_endpoint_id.as_deref());
        if let Some(tls) = &record.tls_details {
            out.text(Field::TlsVersion, tls.tls_version.as_deref());
            out.text(Field::EndpointHost, tls.client_provided_host_header.as_deref());
        }
        let Some(user_agent) = record.user_agent.as_deref() else { return };
        out.text(Field::UserAgent, Some(user_agent));
        if out.wants(Field::Client) || out.wants(Field::ClientVersion) {
            let (id, version) = self.clients.get(user_agent, |user_agent| {
                let found = client::client(user_agent);
                (found.map(|found| found.id), found.and_then(|found| found.version.map(str::to_owned)))
            });
            out.text(Field::Client, id.map(|id| client::in_console(id, row.from_console)));
            out.text(Field::ClientVersion, version.as_deref());
        }
    }
}

/// Whether copies of the record may have gone to other accounts.
fn shared(record: &Record<'_>) -> bool {
    record.shared_event_id.as_deref().is_some_and(|id| !id.is_empty())
}

/// A record's parts, read as far as the wanted columns need them.
struct Row<'r, 'a> {
    record: &'r Record<'a>,
    identity: &'r Identity<'a>,
    basics: Basics<'r>,
    meaning: activity::Meaning,
    family: bool,
    /// The service itself says in `requestParameters` whether a bearer token was used.
    request_says_bearer: bool,
    service_event: bool,
    from_console: bool,
    request: Request<'a>,
    additional: Additional<'a>,
    service: Service<'a>,
    resources: Vec<Resource<'a>>,
}

impl<'r, 'a> Row<'r, 'a> {
    fn new(
        record: &'r Record<'a>,
        identity: &'r Identity<'a>,
        basics: Basics<'r>,
        followed: bool,
        wanted: FieldSet,
    ) -> Self {
        let scope = Scope::get();
        let by_bedrock = [identity.invoked_by.as_deref(), record.source_ip_address.as_deref()]
            .into_iter()
            .flatten()
            .any(|service| scope.made_by(service));
        let service_event = record.event_type.as_deref() == Some("AwsServiceEvent");
        let mut row = Self {
            record,
            identity,
            basics,
            meaning: activity::meaning(basics.source, basics.name, by_bedrock || followed),
            family: scope.family(basics.source),
            request_says_bearer: matches!(
                basics.source,
                "bedrock-mantle.amazonaws.com" | "aws-external-anthropic.amazonaws.com"
            ),
            service_event,
            from_console: record.session_credential_from_console.is_some_and(|flag| flag.0),
            request: Request::default(),
            additional: Additional::default(),
            service: Service::default(),
            resources: Vec::new(),
        };
        if wanted.intersects(REQUEST) {
            row.request = json::part(record.request_parameters);
        }
        if wanted.intersects(ADDITIONAL) {
            row.additional = json::part(record.additional_event_data);
        }
        if service_event && wanted.intersects(USAGE.union(FieldSet::of(&[Field::RequestId]))) {
            row.service = json::part(record.service_event_details);
        }
        if wanted.intersects(RESOURCES) || shared(record) {
            row.resources = request::resources(record.resources);
        }
        row
    }

    fn kind(&self, shared: bool, caller: Option<&str>) -> RecordKind {
        let recipient = self.record.recipient_account_id.as_deref().filter(|account| !account.is_empty());
        let elsewhere = || {
            let owner = account::owner(caller, &self.resources);
            owner.zip(recipient).is_some_and(|(owner, recipient)| owner != recipient)
        };
        match () {
            () if self.service_event => RecordKind::ServiceEvent,
            () if self.record.is_network_activity() => RecordKind::NetworkActivity,
            () if shared && elsewhere() => RecordKind::SharedCopy,
            () => RecordKind::ApiCall,
        }
    }

    /// `eventCategory`, or what `managementEvent` says where an export lacks it.
    fn category(&self) -> Option<&str> {
        let record = self.record;
        record.event_category.as_deref().filter(|category| !category.is_empty()).or_else(|| {
            record.management_event.map(|management| if management { "Management" } else { "Data" })
        })
    }

    fn what(&self, record_kind: RecordKind, environment: Option<&str>, out: &mut EventBuilder) {
        let record = self.record;
        out.text(Field::EventId, record.event_id.as_deref());
        out.time(Field::EventTime, Some(self.basics.event_time));
        out.text(Field::EventSource, Some(self.basics.source));
        out.text(Field::EventName, Some(self.basics.name));
        out.text(Field::EventCategory, self.category());
        out.text(Field::EventType, record.event_type.as_deref());
        out.text(Field::RecordKind, Some(record_kind.as_str()));
        out.flag(Field::ReadOnly, record.read_only);
        out.text(Field::AwsRegion, record.aws_region.as_deref());
        out.text_with(Field::AccountId, || account::account(record, self.identity));
        out.text(Field::Environment, environment);
        out.text(Field::Surface, Some(self.meaning.surface));
        out.text(Field::Activity, Some(self.meaning.activity));
        out.text(Field::SharedEventId, record.shared_event_id.as_deref());
        let parent = json::text(self.service.parent_request_id);
        out.text(Field::RequestId, parent.as_deref().or(record.request_id.as_deref()));
    }

    fn outcome(&self, keep_content: bool, out: &mut EventBuilder) {
        let (code, message) = (self.record.error_code.as_deref(), self.record.error_message.as_deref());
        out.text(Field::ErrorCode, code);
        if let Some(message) = message.filter(|_| out.wants(Field::ErrorMessage)) {
            let keep = keep_content || !self.family;
            let text = if keep { Cow::Borrowed(message) } else { redact_message(code, message) };
            out.text(Field::ErrorMessage, Some(&text));
        }
        if !out.wanted().intersects(ANSWER) {
            return;
        }
        let answer = self.gateway_answer();
        out.int(Field::GatewayStatus, answer.and_then(|answer| answer.status));
        out.text(Field::Outcome, Some(outcome(code, message, answer)));
    }

    fn gateway_answer(&self) -> Option<Answer> {
        let response = self.record.response_elements?;
        let gateway = self.meaning.surface == "gateway"
            || (self.meaning.surface == "agentcore"
                && Agent::new(&self.request, &self.resources).is_gateway());
        gateway.then(|| request::answer(Some(response)))
    }

    fn caller(&self, caller: &Principal<'_>, jwt: &Jwt<'_>, out: &mut EventBuilder) {
        out.text(Field::Principal, Some(&caller.name));
        out.text(Field::PrincipalAccountId, caller.account_id);
        out.text(Field::RoleArn, caller.role_arn.as_deref());
        out.flag(Field::RolePathKnown, caller.role_path_known);
        out.text(Field::RoleName, caller.role_name);
        out.text(Field::SessionName, caller.session_name);
        if let Some(person) = person(self.identity, caller, jwt) {
            out.text(Field::Person, Some(person.name));
            out.text(Field::PersonBasis, Some(person.basis));
        }
    }

    fn identity(&self, jwt: &Jwt<'_>, out: &mut EventBuilder) {
        fn text<'b>(text: Option<&'b Text<'_>>) -> Option<&'b str> {
            text.map(|text| &**text)
        }
        let identity = self.identity;
        let context = identity.session_context.as_ref();
        let issuer = context.and_then(|context| context.session_issuer.as_ref());
        let kind = text(identity.kind.as_ref()).filter(|kind| !kind.is_empty());
        out.text(Field::PrincipalType, kind.or(self.service_event.then_some("ServiceEvent")));
        out.text(Field::PrincipalArn, text(identity.arn.as_ref()));
        out.text(Field::PrincipalId, text(identity.principal_id.as_ref()));
        let source_identity = context.and_then(|context| text(context.source_identity.as_ref()));
        out.text(Field::SourceIdentity, source_identity);
        let user_name = text(identity.user_name.as_ref()).filter(|name| !name.is_empty());
        out.text(Field::UserName, user_name.or_else(|| text(issuer?.user_name.as_ref())));
        out.text(Field::AccessKeyId, text(identity.access_key_id.as_ref()));
        out.flag(Field::FromConsole, self.from_console.then_some(true));
        let mfa = context.and_then(|context| text(context.attributes.as_ref()?.mfa_authenticated.as_ref()));
        out.flag(Field::Mfa, mfa.and_then(|mfa| mfa.parse().ok()));
        out.text(Field::InvokedBy, text(identity.invoked_by.as_ref()));
        let scope = identity.in_scope_of.as_ref();
        out.text(
            Field::CredentialsIssuedTo,
            scope.and_then(|scope| text(scope.credentials_issued_to.as_ref())),
        );
        let delegate = identity.invoked_by_delegate.as_ref();
        out.text(Field::DelegateAccountId, delegate.and_then(|delegate| text(delegate.account_id.as_ref())));
        out.text(Field::JwtIssuer, jwt.issuer.as_deref());
        out.text(Field::JwtSubject, jwt.subject.as_deref());
        if out.wants(Field::Credential) {
            // Only the OpenAI- and Anthropic-compatible endpoints write these into the request parameters themselves;
            // elsewhere whoever calls can put them there.
            let request = |raw| if self.request_says_bearer { raw } else { None };
            let said = [self.additional.call_with_bearer_token, request(self.request.call_with_bearer_token)]
                .map(json::flag);
            let kind =
                json::text(request(self.request.bearer_token_type).or(self.additional.bearer_token_type));
            let bearer = Bearer {
                flag: said
                    .contains(&Some(true))
                    .then_some(true)
                    .or_else(|| said.into_iter().flatten().next()),
                kind: kind.as_deref(),
            };
            let has_jwt = jwt.subject.is_some() || jwt.issuer.is_some();
            out.text(Field::Credential, Some(credential(identity, bearer, self.family, has_jwt)));
        }
    }

    fn usage(&self, out: &mut EventBuilder) {
        if !self.family || !out.wanted().intersects(USAGE) {
            return;
        }
        let entries =
            if self.service_event { request::entries(&self.service) } else { Additional::default() };
        let of = |own: Option<&'a RawValue>, entry: Option<&'a RawValue>| own.or(entry);
        let count = |raw| json::int(raw).filter(|count| *count >= 0);
        let own = &self.additional;
        let region = json::text(of(own.inference_region, entries.inference_region));
        out.text(Field::InferenceRegion, region.as_deref());
        out.int(Field::InputTokens, count(of(own.input_tokens, entries.input_tokens)));
        out.int(Field::OutputTokens, count(of(own.output_tokens, entries.output_tokens)));
        out.int(Field::CacheReadTokens, count(of(own.cache_read_tokens, entries.cache_read_tokens)));
        out.int(Field::CacheWriteTokens, count(of(own.cache_write_tokens, entries.cache_write_tokens)));
    }

    fn agent(&self, out: &mut EventBuilder) {
        let request = &self.request;
        if out.wants(Field::ParamsOmitted) {
            let omitted = self.record.request_parameters.map(|_| json::flag(request.omitted) == Some(true));
            out.flag(Field::ParamsOmitted, omitted);
        }
        if out.wants(Field::Streaming) && self.family {
            let named = activity::streaming(self.basics.source, self.basics.name);
            let asked = json::flag(request.stream).filter(|_| self.meaning.activity == "model_invocation");
            out.flag(Field::Streaming, named.filter(|named| *named).or(asked).or(named));
        }
        if !out.wanted().intersects(AGENT) {
            return;
        }
        let agent = Agent::new(request, &self.resources);
        if self.family || self.basics.source == "lambda.amazonaws.com" {
            out.text_with(Field::LambdaArn, || agent.lambda_arn());
        }
        if !self.family {
            return;
        }
        out.text_with(Field::AgentId, || agent.agent_id());
        out.text_with(Field::AgentAliasId, || agent.alias_id());
        out.text_with(Field::AgentSessionId, || agent.session_id());
        out.text_with(Field::RuntimeArn, || agent.runtime_arn());
        out.text_with(Field::GatewayArn, || agent.gateway_arn());
        out.text_with(Field::MemoryId, || agent.memory_id());
        out.text_with(Field::ToolName, || agent.tool_name());
        out.text_with(Field::CredentialProvider, || agent.credential_provider(self.basics.name));
        out.text_with(Field::KnowledgeBaseId, || agent.knowledge_base_id());
        out.text_with(Field::FlowId, || agent.flow_id());
        out.text_with(Field::MantleProjectId, || agent.project_id());
        if out.wants(Field::GuardrailId) || out.wants(Field::GuardrailVersion) {
            let (id, version) = request::guardrail(request);
            let id = id.or_else(|| agent.guardrail_id());
            out.text(Field::GuardrailId, id.as_deref());
            out.text(Field::GuardrailVersion, version.as_deref());
        }
    }

    fn raw(&self, keep_content: bool, out: &mut EventBuilder) {
        let record = self.record;
        if let Some(first) = self.resources.first() {
            out.text(Field::ResourceType, first.kind.as_deref());
            out.text(Field::ResourceArn, first.arn.as_deref());
        }
        let admin = matches!(self.meaning.activity, "model_admin" | "agent_admin");
        let made = |raw| if admin || !out.wanted().is_raw_of_admin() { raw } else { None };
        let (request, response) = (made(record.request_parameters), made(record.response_elements));
        let hidden = Content::of_parts(self.family, record.is_network_activity(), self.meaning.activity)
            .filter(|_| !keep_content);
        let (asked, added) = hidden.unzip();
        for (field, raw, content) in [
            (Field::RequestParameters, request, asked),
            (Field::ResponseElements, response, asked),
            (Field::AdditionalEventData, record.additional_event_data, added),
            (Field::ServiceEventDetails, record.service_event_details, added),
        ] {
            if let Some(raw) = raw.filter(|_| out.wants(field)) {
                let text = content.map_or(Cow::Borrowed(raw.get()), |content| redact(raw.get(), content));
                out.text(field, Some(&text));
            }
        }
        for (field, raw) in [
            (Field::UserIdentity, record.user_identity),
            (Field::Resources, record.resources),
            (Field::Addendum, record.addendum),
        ] {
            out.text(field, raw.map(RawValue::get));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use arrow::util::display::{ArrayFormatter, FormatOptions};

    use super::*;
    use crate::event::COLUMNS;

    type Cells = BTreeMap<&'static str, String>;

    fn append(json: &str, wanted: FieldSet, keep_content: bool) -> Result<(RecordKind, Cells), String> {
        let record: Record<'_> = serde_json::from_str(json).map_err(|error| error.to_string())?;
        let identity = record.user_identity.map_or("{}", RawValue::get);
        let identity: Identity<'_> = serde_json::from_str(identity).map_err(|error| error.to_string())?;
        let provenance = Provenance { log_object: "object", log_index: 3, delivered_at: Some(0) };
        let mut out = EventBuilder::new(&wanted);
        let appended = Meaning::default()
            .append(
                &record,
                &identity,
                provenance,
                Setting { environment: Some("prod"), keep_content, followed: false },
                &mut out,
            )
            .map_err(|refusal| refusal.to_string())?;
        let batch = out.finish().map_err(|error| error.to_string())?;
        let options = FormatOptions::default();
        let cells = COLUMNS.iter().zip(batch.columns()).filter(|(_, array)| array.logical_null_count() == 0);
        let cell = |array: &dyn arrow::array::Array| {
            ArrayFormatter::try_new(array, &options).unwrap().value(0).to_string()
        };
        Ok((appended.record_kind, cells.map(|(column, array)| (column.name, cell(array))).collect()))
    }

    fn cells(json: &str) -> Cells {
        append(json, FieldSet::all(), false).unwrap().1
    }

    #[track_caller]
    fn has(json: &str, want: &[(&'static str, &str)]) {
        let cells = cells(json);
        for (column, value) in want {
            assert_eq!(cells.get(column).map_or("(null)", |cell| cell), *value, "{column}");
        }
    }

    const CONVERSE: &str = r#"{"eventVersion":"1.11","userIdentity":{"type":"AssumedRole","principalId":"AROAEXAMPLE:ana@example.com",
        "arn":"arn:aws:sts::111122223333:assumed-role/AWSReservedSSO_Dev_0123456789abcdef/ana@example.com","accountId":"111122223333",
        "accessKeyId":"ASIAIOSFODNN7EXAMPLE","sessionContext":{"sessionIssuer":{"type":"Role","userName":"AWSReservedSSO_Dev_0123456789abcdef",
        "arn":"arn:aws:iam::111122223333:role/aws-reserved/sso.amazonaws.com/AWSReservedSSO_Dev_0123456789abcdef"},
        "attributes":{"mfaAuthenticated":"false"},"sourceIdentity":"ana"},"invokedByDelegate":{"accountId":"444455556666"},
        "inScopeOf":{"credentialsIssuedTo":"arn:aws:lambda:us-east-1:111122223333:function:f"}},
        "eventTime":"2026-05-01T10:00:00Z","eventSource":"bedrock.amazonaws.com","eventName":"ConverseStream","awsRegion":"us-east-1",
        "sourceIPAddress":"198.51.100.7","userAgent":"Boto3/1.42.1 md/Botocore#1.42.1","errorCode":"ThrottlingException","errorMessage":"Too many tokens",
        "requestParameters":{"modelId":"us.anthropic.claude-sonnet-4-5-20250929-v1:0","guardrailConfig":{"guardrailIdentifier":"g1","guardrailVersion":"2"}},
        "responseElements":null,"additionalEventData":{"inferenceRegion":"us-west-2","inputTokens":9,"outputTokens":4,"cacheReadInputTokens":3,"cacheWriteInputTokens":0},
        "requestID":"r-1","eventID":"e-1","readOnly":true,"eventType":"AwsApiCall","managementEvent":true,"recipientAccountId":"111122223333",
        "sessionCredentialFromConsole":"true","vpcEndpointId":"vpce-1","addendum":{"reason":"DELIVERY_DELAY"},
        "tlsDetails":{"tlsVersion":"TLSv1.3","clientProvidedHostHeader":"bedrock-runtime.us-east-1.amazonaws.com"}}"#;

    const GATEWAY: &str = r#"{"eventTime":"2026-05-01T10:00:00Z","eventSource":"bedrock-agentcore.amazonaws.com","eventName":"InvokeGateway",
        "userIdentity":{"type":"AWSAccount","principalId":"","accountId":"anonymous"},"recipientAccountId":"111122223333","sharedEventID":"s-1",
        "requestParameters":{"body":{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"T___Do","arguments":{"q":"secret"}}}},
        "responseElements":{"statusCode":200,"body":{"jsonrpc":"2.0","id":1,"error":{"code":-32602,"message":"bad"}}},
        "additionalEventData":{"jwt":{"claims":{"iss":"https://idp.example","sub":"u1","email":"a@example.com"}}},"eventCategory":"Data",
        "resources":[{"accountId":"111122223333","type":"AWS::BedrockAgentCore::Gateway","ARN":"arn:aws:bedrock-agentcore:us-west-2:111122223333:gateway/g-1"}]}"#;

    const TWIN: &str = r#"{"eventTime":"2026-05-01T10:00:01Z","eventSource":"bedrock.amazonaws.com","eventName":"InvokeModelMetering",
        "userIdentity":{"accountId":"111122223333","invokedBy":"bedrock.amazonaws.com"},"eventType":"AwsServiceEvent","requestID":null,
        "serviceEventDetails":{"parentRequestId":"r-1","AdditionalEventData":{"additionalEntries":{"inputTokens":"12","outputTokens":7,"inferenceRegion":"us-east-2"}}}}"#;

    const AGENT_CALLS: &str = r#"{"eventTime":"2026-05-01T10:00:00Z","eventSource":"bedrock-agentcore.amazonaws.com","eventName":"InvokeAgentRuntime",
        "userIdentity":{"type":"AWSService","invokedBy":"bedrock.amazonaws.com"},"recipientAccountId":"111122223333",
        "requestParameters":{"agentRuntimeArn":"arn:aws:bedrock-agentcore:us-west-2:111122223333:runtime/r-1","qualifier":"live","runtimeSessionId":"s",
        "memoryId":"m","resourceCredentialProviderName":"p","knowledgeBaseId":"k","flowIdentifier":"f",
        "actionGroupExecutor":{"lambda":"arn:aws:lambda:us-west-2:111122223333:function:f"},"project_id":"proj_1"}}"#;

    #[test]
    fn a_model_call() {
        has(
            CONVERSE,
            &[
                ("activity", "model_invocation"),
                ("outcome", "throttled"),
                ("event_category", "Management"),
                ("role_name", "Dev"),
                ("person", "ana"),
                ("person_basis", "source_identity"),
                ("credential", "temporary"),
                ("from_console", "true"),
                ("mfa", "false"),
                ("delegate_account_id", "444455556666"),
                ("model_id", "anthropic.claude-sonnet-4-5-20250929-v1:0"),
                ("model_version", "20250929/v1:0"),
                ("profile_scope", "us"),
                ("inference_region", "us-west-2"),
                ("streaming", "true"),
                ("guardrail_id", "g1"),
                ("guardrail_version", "2"),
                ("cache_write_tokens", "0"),
                ("client", "boto3"),
                ("source_kind", "public"),
                ("response_elements", "(null)"),
                ("environment", "prod"),
                ("params_omitted", "false"),
                ("log_index", "3"),
            ],
        );
    }

    #[test]
    fn a_call_that_says_it_used_no_api_key_is_believed() {
        let user = r#""userIdentity":{"type":"IAMUser","userName":"BedrockAPIKey-x","accessKeyId":"AKIAIOSFODNN7EXAMPLE"}"#;
        let call = |source: &str, parameters: &str, additional: &str| {
            format!(
                r#"{{"eventTime":"2026-05-01T10:00:00Z","eventSource":"{source}.amazonaws.com","eventName":"Converse",{user},
                "requestParameters":{{{parameters}}},"additionalEventData":{{{additional}}}}}"#
            )
        };
        let (yes, no) = (r#""callWithBearerToken":true"#, r#""callWithBearerToken":false"#);
        for (source, parameters, additional, want) in [
            ("bedrock", "", no, "long_term"),
            ("bedrock", "", yes, "bearer_long"),
            ("bedrock", yes, no, "long_term"),
            ("bedrock-mantle", no, "", "long_term"),
            ("bedrock-mantle", yes, "", "bearer_long"),
            ("bedrock-mantle", no, yes, "bearer_long"),
        ] {
            has(&call(source, parameters, additional), &[("credential", want)]);
        }
    }

    #[test]
    fn a_gateway_call() {
        has(
            GATEWAY,
            &[
                ("record_kind", "api_call"),
                ("surface", "gateway"),
                ("activity", "tool"),
                ("principal", "https://idp.example|u1"),
                ("principal_account_id", "(null)"),
                ("principal_id", "(null)"),
                ("credential", "jwt"),
                ("gateway_status", "200"),
                ("outcome", "invalid"),
                ("tool_name", "T___Do"),
                ("gateway_arn", "arn:aws:bedrock-agentcore:us-west-2:111122223333:gateway/g-1"),
            ],
        );
        let hidden = cells(GATEWAY);
        assert!(hidden["request_parameters"].contains(r#""name":"T___Do","arguments":"<14 bytes>""#));
        assert!(hidden["additional_event_data"].contains(r#""sub":"u1","email":"<13 bytes>""#));
        let (_, kept) = append(GATEWAY, FieldSet::all(), true).unwrap();
        assert!(kept["request_parameters"].contains(r#""arguments":{"q":"secret"}"#));
    }

    #[test]
    fn a_service_event_is_its_own_kind_and_names_its_call() {
        has(
            TWIN,
            &[
                ("record_kind", "service_event"),
                ("principal", "service:bedrock.amazonaws.com"),
                ("principal_type", "ServiceEvent"),
                ("credential", "service"),
                ("account_id", "111122223333"),
                ("request_id", "r-1"),
                ("input_tokens", "12"),
                ("inference_region", "us-east-2"),
                ("surface", "other"),
                ("params_omitted", "(null)"),
            ],
        );
    }

    #[test]
    fn copies_and_network_events_are_no_calls() {
        let kind = |json: &str| append(json, FieldSet::of(&[Field::EventId]), false).unwrap().0;
        let shared = CONVERSE.replace(r#""eventID":"e-1""#, r#""eventID":"e-1","sharedEventID":"s-1""#);
        assert_eq!(kind(CONVERSE), RecordKind::ApiCall);
        assert_eq!(kind(&shared), RecordKind::ApiCall, "the caller's own copy");
        let elsewhere = r#""recipientAccountId":"999988887777""#;
        let copy = shared.replace(r#""recipientAccountId":"111122223333""#, elsewhere);
        assert_eq!(kind(&copy), RecordKind::SharedCopy);
        let alone = CONVERSE.replace(r#""recipientAccountId":"111122223333""#, elsewhere);
        assert_eq!(kind(&alone), RecordKind::ApiCall, "not shared, so no other copy counts it");
        assert_eq!(
            kind(GATEWAY),
            RecordKind::ApiCall,
            "the caller is no account, and the gateway's owner got it"
        );
        let recipient = r#""recipientAccountId":"111122223333""#;
        assert_eq!(kind(&GATEWAY.replace(recipient, elsewhere)), RecordKind::SharedCopy);
        assert_eq!(kind(&GATEWAY.replace(recipient, r#""recipientAccountId":"""#)), RecordKind::ApiCall);
        let unowned = GATEWAY.replace(r#""accountId":"111122223333","#, "").replace(":111122223333:", "::");
        assert_eq!(kind(&unowned.replace(recipient, elsewhere)), RecordKind::ApiCall, "nobody can tell");
        for (from, to) in [
            ("\"AwsApiCall\"", "\"AwsVpceEvent\""),
            ("\"AwsApiCall\"", "\"AwsVpceEvents\""),
            ("\"AwsApiCall\"", "\"x\",\"eventCategory\":\"NetworkActivity\""),
        ] {
            assert_eq!(kind(&CONVERSE.replace(from, to)), RecordKind::NetworkActivity);
        }
        assert_eq!(kind(&CONVERSE.replace("AwsApiCall", "AwsConsoleAction")), RecordKind::ApiCall);
    }

    #[test]
    fn what_bedrock_does_elsewhere_has_no_model_and_keeps_its_parameters() {
        let json = r#"{"eventTime":"2026-05-01T10:00:00Z","eventSource":"s3.amazonaws.com","eventName":"PutObject","userIdentity":{},
            "sourceIPAddress":"bedrock.amazonaws.com","requestParameters":{"modelId":"anthropic.claude-v2","body":"x","omitted":true},
            "resources":[{"ARN":"arn:aws:s3:::b/k"},{"ARN":"arn:aws:bedrock:us-east-1::foundation-model/a.b"}]}"#;
        has(
            json,
            &[
                ("activity", "downstream"),
                ("model_id", "(null)"),
                ("account_id", "(null)"),
                ("principal", "unknown"),
                ("params_omitted", "true"),
                ("request_parameters", r#"{"modelId":"anthropic.claude-v2","body":"x","omitted":true}"#),
                ("source_kind", "aws_service"),
            ],
        );
    }

    #[test]
    fn an_export_without_recipient_still_has_an_account() {
        let base = r#"{"eventTime":"2026-05-01T10:00:00Z","eventSource":"bedrock.amazonaws.com","eventName":"Converse","userIdentity":{"accountId":"anonymous"},
            "resources":[{"ARN":"arn:aws:bedrock:us-east-1:111122223333:inference-profile/us.meta.llama3-8b-instruct-v1:0"}]}"#;
        has(base, &[("account_id", "111122223333"), ("model_id", "meta.llama3-8b-instruct-v1:0")]);
        has(&base.replace("anonymous", "444455556666"), &[("account_id", "444455556666")]);
        let empty = base.replace(r#""eventName""#, r#""recipientAccountId":"","eventName""#);
        has(&empty, &[("account_id", "111122223333")]);
    }

    #[test]
    fn every_column_has_a_record_that_fills_it_but_the_name_of_the_account() {
        let mut filled: FieldSet = FieldSet::EMPTY;
        for json in [CONVERSE, GATEWAY, TWIN, AGENT_CALLS] {
            filled = filled.union(FieldSet::named(cells(json).into_keys()));
        }
        let missing: Vec<_> = FieldSet::all().without(filled).iter().map(Field::name).collect();
        assert_eq!(missing, ["account_name"]);
    }

    #[test]
    fn a_cell_does_not_depend_on_what_else_is_wanted() {
        for json in [CONVERSE, GATEWAY, TWIN, AGENT_CALLS] {
            let all = cells(json);
            for field in FieldSet::all().iter() {
                let (_, alone) = append(json, FieldSet::of(&[field]), false).unwrap();
                assert_eq!(alone.get(field.name()), all.get(field.name()), "{}", field.name());
            }
        }
    }

    #[test]
    fn a_refused_record_leaves_no_half_a_row() {
        let record: Record<'_> =
            serde_json::from_str(r#"{"eventSource":"s","eventName":"n","eventTime":"never"}"#).unwrap();
        let provenance = Provenance { log_object: "object", log_index: 0, delivered_at: None };
        let mut out = EventBuilder::new(&FieldSet::all());
        let refused = Meaning::default().append(
            &record,
            &Identity::default(),
            provenance,
            Setting::default(),
            &mut out,
        );
        assert_eq!(refused, Err(Refusal::Time("never".to_owned())));
        assert_eq!((out.rows(), out.finish().unwrap().num_rows()), (0, 0));
    }
}
