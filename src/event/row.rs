//! One record to one row of `events`: every column, but only those that some query reads.

use std::borrow::Cow;

use serde_json::value::RawValue;

use super::activity;
use super::address;
use super::agent::Agent;
use super::arn::is_account;
use super::builder::EventBuilder;
use super::cache::Cache;
use super::client;
use super::column::Field;
use super::content::redact;
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
    /// A copy of a call in another account than the caller's.
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
    /// Appends the row of a record. `environment` is the policy's environment of the record's account; `keep_content`
    /// keeps what callers put in by hand in the JSON columns. A refused record appends nothing.
    pub fn append(
        &mut self,
        record: &Record<'_>,
        identity: &Identity<'_>,
        provenance: Provenance<'_>,
        environment: Option<&str>,
        keep_content: bool,
        out: &mut EventBuilder,
    ) -> Result<Appended, Refusal> {
        let basics = Basics::of(record)?;
        let row = Row::new(record, identity, basics, out.wanted());
        let jwt = request::jwt(&row.additional);
        let shared = record.shared_event_id.as_deref().is_some_and(|id| !id.is_empty());
        let caller = (shared || out.wanted().intersects(CALLER)).then(|| Principal::of(identity, &jwt));
        let record_kind = row.kind(shared, caller.as_ref().and_then(|caller| caller.account_id));

        row.what(record_kind, environment, out);
        row.outcome(out);
        if let Some(caller) = &caller {
            row.caller(caller, &jwt, out);
        }
        row.identity(&jwt, out);
        row.usage(out);
        row.agent(out);
        self.model(&row, out);
        self.from_where(&row, out);
        row.raw(keep_content, out);
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
        let Some(requested) = request::model(&row.request, &row.resources) else { return };
        let model = self.models.get(&requested, |requested| normalise(requested).into_owned());
        out.text(Field::ModelRequested, Some(&requested));
        out.text(Field::ModelId, Some(&model.id));
        out.text(Field::ModelKind, Some(model.kind));
        out.text(Field::ModelVendor, model.vendor.as_deref());
        out.text(Field::ModelFamily, model.family.as_deref());
        out.text(Field::ModelVersion, model.version.as_deref());
        out.text(Field::ProfileScope, model.scope.as_deref());
    }

    fn from_where(&mut self, row: &Row<'_, '_>, out: &mut EventBuilder) {
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

/// A record's parts, read as far as the wanted columns need them.
struct Row<'r, 'a> {
    record: &'r Record<'a>,
    identity: &'r Identity<'a>,
    basics: Basics<'r>,
    meaning: activity::Meaning,
    family: bool,
    service_event: bool,
    from_console: bool,
    request: Request<'a>,
    additional: Additional<'a>,
    service: Service<'a>,
    resources: Vec<Resource<'a>>,
}

impl<'r, 'a> Row<'r, 'a> {
    fn new(record: &'r Record<'a>, identity: &'r Identity<'a>, basics: Basics<'r>, wanted: FieldSet) -> Self {
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
            meaning: activity::meaning(basics.source, basics.name, by_bedrock),
            family: scope.family(basics.source),
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
        if wanted.intersects(RESOURCES) || record.recipient_account_id.is_none() {
            row.resources = request::resources(record.resources);
        }
        row
    }

    fn kind(&self, shared: bool, caller: Option<&str>) -> RecordKind {
        let network = self.record.event_category.as_deref() == Some("NetworkActivity")
            || matches!(self.record.event_type.as_deref(), Some("AwsVpceEvent" | "AwsVpceEvents"));
        let recipient = self.record.recipient_account_id.as_deref();
        let elsewhere =
            caller.is_some_and(is_account) && recipient.is_some_and(|account| caller != Some(account));
        match () {
            () if self.service_event => RecordKind::ServiceEvent,
            () if network => RecordKind::NetworkActivity,
            () if shared && elsewhere => RecordKind::SharedCopy,
            () => RecordKind::ApiCall,
        }
    }

    fn what(&self, record_kind: RecordKind, environment: Option<&str>, out: &mut EventBuilder) {
        let record = self.record;
        let category = record.event_category.as_deref().or_else(|| {
            record.management_event.map(|management| if management { "Management" } else { "Data" })
        });
        out.text(Field::EventId, record.event_id.as_deref());
        out.time(Field::EventTime, Some(self.basics.event_time));
        out.text(Field::EventSource, Some(self.basics.source));
        out.text(Field::EventName, Some(self.basics.name));
        out.text(Field::EventCategory, category);
        out.text(Field::EventType, record.event_type.as_deref());
        out.text(Field::RecordKind, Some(record_kind.as_str()));
        out.flag(Field::ReadOnly, record.read_only);
        out.text(Field::AwsRegion, record.aws_region.as_deref());
        out.text(Field::AccountId, self.account_id());
        out.text(Field::Environment, environment);
        out.text(Field::Surface, Some(self.meaning.surface));
        out.text(Field::Activity, Some(self.meaning.activity));
        out.text(Field::SharedEventId, record.shared_event_id.as_deref());
        let parent = json::text(self.service.parent_request_id);
        out.text(Field::RequestId, parent.as_deref().or(record.request_id.as_deref()));
    }

    /// The account that received the record; where an export leaves that out, the caller's or the first resource's.
    fn account_id(&self) -> Option<&str> {
        let resource = || self.resources.first().and_then(Resource::parsed).map(|arn| arn.account);
        let given = self.record.recipient_account_id.as_deref().filter(|account| !account.is_empty());
        given
            .or_else(|| self.identity.account_id.as_deref().filter(|account| is_account(account)))
            .or_else(|| resource().filter(|account| is_account(account)))
    }

    fn outcome(&self, out: &mut EventBuilder) {
        let (code, message) = (self.record.error_code.as_deref(), self.record.error_message.as_deref());
        out.text(Field::ErrorCode, code);
        out.text(Field::ErrorMessage, message);
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
            let flags = [self.additional.call_with_bearer_token, self.request.call_with_bearer_token];
            let kind = json::text(self.request.bearer_token_type.or(self.additional.bearer_token_type));
            let bearer = Bearer {
                flag: flags.into_iter().any(|flag| json::flag(flag) == Some(true)),
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
        // Content stands in calls of the family only; elsewhere the same names mean settings that rules read.
        let keep = keep_content || !self.family;
        for (field, raw) in [
            (Field::RequestParameters, record.request_parameters),
            (Field::ResponseElements, record.response_elements),
            (Field::AdditionalEventData, record.additional_event_data),
            (Field::ServiceEventDetails, record.service_event_details),
        ] {
            if let Some(raw) = raw.filter(|_| out.wants(field)) {
                let text = if keep { Cow::Borrowed(raw.get()) } else { redact(raw.get()) };
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
