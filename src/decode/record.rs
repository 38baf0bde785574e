//! One object's records: judged, counted and appended.

use crate::decode::canonical::Canonical;
use crate::decode::filter::Filter;
use crate::decode::id::{event_id, superseded_by};
use crate::decode::inflate::{InflateError, Inflater};
use crate::decode::message::{Fate, Opened, Part};
use crate::decode::shape::{Located, Shape, ShapeError};
use crate::decode::structure::{MAX_DEPTH, Structure};
use crate::event::account;
use crate::event::activity;
use crate::event::agent::Agent;
use crate::event::builder::{EventBuilder, FieldSet};
use crate::event::column::Field;
use crate::event::json;
use crate::event::principal::{Jwt, Principal};
use crate::event::record::{Identity, Record, Text};
use crate::event::request::{self, Request};
use crate::event::row::{Meaning, Provenance, RecordKind, Setting};
use crate::event::scope::Scope;
use crate::event::time;
use arrow::array::RecordBatch;
use arrow::error::ArrowError;

/// Refused records that are described one by one; more are only counted.
const DESCRIBED: usize = 1000;

/// Where a kept row came from and what tells it from others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Key {
    /// The event id, or the content's hash where the record has none.
    pub id: u128,
    /// Hash of the record: copies in another layout or order of members share it.
    pub content: u64,
    /// Which object of the listing.
    pub object: u32,
    /// Which record of the object.
    pub index: u32,
    /// How the row counts.
    pub kind: RecordKind,
    /// An `UPDATED_DATA` record under the id it had before: it supersedes the other rows of its own id.
    pub renewed: bool,
}

/// How far outside the time asked for a service event may lie and still tell of a call within: as long as a call may
/// take, in microseconds.
pub const NEARBY: i64 = 3_600_000_000;

/// What is told by a service event that lies just outside the time asked for.
const TOLD: [Field; 9] = [
    Field::EventId,
    Field::EventTime,
    Field::AccountId,
    Field::RequestId,
    Field::InferenceRegion,
    Field::InputTokens,
    Field::OutputTokens,
    Field::CacheReadTokens,
    Field::CacheWriteTokens,
];

/// That a record takes the place of another (`UPDATED_DATA`; CloudTrail record contents, `addendum`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Update {
    /// The id of the update.
    pub id: u128,
    /// The id that it names (`addendum.originalEventID`).
    pub of: u128,
    /// Its event time, microseconds UTC.
    pub time: i64,
}

/// How many records of an object met which fate.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Records in the object.
    pub seen: u32,
    /// Rows kept.
    pub kept: u32,
    /// Records of other services.
    pub not_ours: u32,
    /// Outside the time, accounts or Regions asked for.
    pub out_of_range: u32,
    /// Five-minute summaries that restate data events.
    pub aggregated: u32,
    /// CloudTrail Insights.
    pub insight: u32,
    /// Records that cannot be read.
    pub refused: u32,
}

/// What became of one object.
#[derive(Debug, Default)]
pub struct Outcome {
    /// What the object is, once known.
    pub shape: Option<Shape>,
    /// Size of its text after inflating, in bytes.
    pub inflated: u64,
    /// Its records.
    pub counts: Counts,
    /// Its rows by how they count, in the order of [`RecordKind::ALL`].
    pub kinds: [u32; RecordKind::ALL.len()],
    /// Refused records: index and reason.
    pub refusals: Vec<(u32, String)>,
    /// The updates among its records, also those outside what is asked for.
    pub updates: Vec<Update>,
    /// Earliest and latest event time of the rows kept, microseconds UTC.
    pub times: Option<(i64, i64)>,
    /// Messages of log events among its records are of Bedrock's model-invocation log.
    pub invocation_log: bool,
}

/// Why an object gave nothing.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum DecodeError {
    /// Its bytes cannot be inflated.
    #[error(transparent)]
    Inflate(#[from] InflateError),
    /// Its text is no log.
    #[error(transparent)]
    Shape(#[from] ShapeError),
}

impl DecodeError {
    /// Whether the object is something else, rather than a log that was damaged.
    pub fn foreign(&self) -> bool {
        match self {
            Self::Inflate(error) => matches!(error, InflateError::Empty | InflateError::NotGzip),
            Self::Shape(error) => !matches!(error, ShapeError::Broken(_) | ShapeError::NotUtf8 { .. }),
        }
    }
}

/// Which events are asked for.
#[derive(Debug, Clone, Default)]
pub struct Wanted {
    /// First instant, microseconds UTC.
    pub from: Option<i64>,
    /// First instant not wanted any more, microseconds UTC.
    pub to: Option<i64>,
    /// Accounts; all if empty.
    pub accounts: Vec<String>,
    /// Regions; all if empty.
    pub regions: Vec<String>,
}

impl Wanted {
    /// Whether an instant lies outside the time asked for, by [`NEARBY`] at most.
    pub fn nearby(&self, time: i64) -> bool {
        let before = self.from.is_some_and(|from| time < from && time >= from.saturating_sub(NEARBY));
        let after = self.to.is_some_and(|to| time >= to && time < to.saturating_add(NEARBY));
        before || after
    }
}

/// Roles whose calls are kept whatever service they go to, and functions whose invocations are.
pub struct Followed<'s> {
    /// Whether a role is one of them, by its ARN.
    pub is: &'s (dyn Fn(&str) -> bool + Sync),
    /// Whether a Lambda function is one whose invocations and calls are kept, by its ARN with or without a version.
    pub function: &'s (dyn Fn(&str) -> bool + Sync),
    /// Takes in the ARN of each role that a Bedrock service is seen to assume, or that a change of an agent gives it.
    pub seen: &'s (dyn Fn(&str) + Sync),
}

/// The roles that `requestParameters` name: of `AssumeRole` the one assumed, of a change of an agent, flow, runtime,
/// gateway, memory or knowledge base those that it is to act with.
#[derive(Default, serde::Deserialize)]
#[serde(default)]
struct RolesNamed<'a> {
    #[serde(rename = "roleArn", borrow)]
    role: Option<Text<'a>>,
    #[serde(rename = "agentResourceRoleArn", borrow)]
    agent: Option<Text<'a>>,
    #[serde(rename = "executionRoleArn", borrow)]
    execution: Option<Text<'a>>,
    #[serde(rename = "memoryExecutionRoleArn", borrow)]
    memory: Option<Text<'a>>,
}

impl RolesNamed<'_> {
    fn each(&self) -> impl Iterator<Item = &str> {
        let all = [&self.role, &self.agent, &self.execution, &self.memory];
        all.into_iter().filter_map(Option::as_deref).filter(|arn| arn.contains(":role/"))
    }
}

/// The Lambda function that a record is an invocation of, by its ARN; the request may give the name alone, or the
/// account and the name.
fn invoked(record: &Record<'_>) -> Option<String> {
    let name = record.event_name.as_deref()?;
    if record.event_source.as_deref() != Some("lambda.amazonaws.com") || !name.starts_with("Invoke") {
        return None;
    }
    let request: Request<'_> = json::part(record.request_parameters);
    let resources = request::resources(record.resources);
    if let Some(arn) = Agent::new(&request, &resources).lambda_arn() {
        return Some(arn.into_owned());
    }
    let function = json::text(request.function_name)?;
    let function = function.rsplit_once("function:").map_or(&*function, |(_, function)| function);
    let account = record.recipient_account_id.as_deref().unwrap_or_default();
    let region = record.aws_region.as_deref().unwrap_or_default();
    Some(format!("arn:aws:lambda:{region}:{account}:function:{function}"))
}

/// The IAM user who called, if one did: for a session of a federated user the one who opened it.
fn user<'a>(identity: &'a Identity<'_>) -> Option<&'a str> {
    let kind = identity.kind.as_deref()?;
    if !matches!(kind, "IAMUser" | "FederatedUser") {
        return None;
    }
    let issuer = || identity.session_context.as_ref()?.session_issuer.as_ref()?.user_name.as_deref();
    identity.user_name.as_deref().filter(|name| !name.is_empty()).or_else(issuer)
}

/// Decodes objects one after the other; one per thread.
pub struct Decoder<'s> {
    scope: &'s Scope,
    wanted: &'s Wanted,
    environments: &'s (dyn Fn(&str, i64) -> Option<String> + Sync),
    keep_content: bool,
    followed: Option<&'s Followed<'s>>,
    meaning: Meaning,
    inflater: Inflater,
    structure: Structure<'s>,
    located: Located,
    opened: Opened,
    canonical: Canonical,
    nearby: EventBuilder,
    nearby_ids: Vec<u128>,
}

/// What every decoder of a run shares.
pub struct Shared<'s> {
    /// What is ours.
    pub scope: &'s Scope,
    /// What may be passed over.
    pub filter: &'s Filter,
    /// What is asked for.
    pub wanted: &'s Wanted,
    /// The policy's environment of an account, at a time in microseconds.
    pub environments: &'s (dyn Fn(&str, i64) -> Option<String> + Sync),
    /// Whether what callers put in by hand is kept as it is.
    pub keep_content: bool,
    /// Roles that are followed into other services.
    pub followed: Option<&'s Followed<'s>>,
}

/// The object being decoded.
#[derive(Debug, Clone, Copy)]
pub struct Origin<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its place in the listing.
    pub ordinal: u32,
    /// Delivery time its name shows, microseconds UTC.
    pub delivered_at: Option<i64>,
}

impl<'s> Decoder<'s> {
    /// A decoder with buffers of its own.
    pub fn new(shared: &Shared<'s>) -> Self {
        Self {
            scope: shared.scope,
            wanted: shared.wanted,
            environments: shared.environments,
            keep_content: shared.keep_content,
            followed: shared.followed,
            meaning: Meaning::default(),
            inflater: Inflater::default(),
            structure: Structure::judging(shared.filter),
            located: Located::default(),
            opened: Opened::default(),
            canonical: Canonical::default(),
            nearby: EventBuilder::new(&FieldSet::of(&TOLD)),
            nearby_ids: Vec::new(),
        }
    }

    /// Decodes one object's stored bytes: rows go to `rows`, their keys to `keys`, one for one.
    pub fn object(
        &mut self,
        stored: &[u8],
        origin: Origin<'_>,
        limit: usize,
        rows: &mut EventBuilder,
        keys: &mut Vec<Key>,
    ) -> Result<Outcome, DecodeError> {
        let mut inflater = std::mem::take(&mut self.inflater);
        let done = match inflater.inflate(stored, origin.name, limit) {
            Ok(text) => self.text(text, origin, rows, keys).map_err(DecodeError::from),
            Err(error) => Err(error.into()),
        };
        self.inflater = inflater;
        done
    }

    /// Gives memory back that one large object made the decoder take.
    pub fn shrink(&mut self, bytes: usize) {
        self.inflater.shrink(bytes);
    }

    /// Hands over the service events met just outside the time asked for, with their ids; few columns are filled.
    pub fn nearby(&mut self) -> Result<Option<(Vec<u128>, RecordBatch)>, ArrowError> {
        if self.nearby_ids.is_empty() {
            return Ok(None);
        }
        let rows = std::mem::replace(&mut self.nearby, EventBuilder::new(&FieldSet::of(&TOLD)));
        Ok(Some((std::mem::take(&mut self.nearby_ids), rows.finish()?)))
    }

    fn text(
        &mut self,
        text: &[u8],
        origin: Origin<'_>,
        rows: &mut EventBuilder,
        keys: &mut Vec<Key>,
    ) -> Result<Outcome, ShapeError> {
        let mut located = std::mem::take(&mut self.located);
        let shape = located.locate(text, &mut self.structure);
        let mut outcome = Outcome { inflated: text.len() as u64, ..Outcome::default() };
        if shape.is_ok() {
            outcome.shape = located.shape;
            for (index, span) in located.spans.iter().enumerate() {
                outcome.counts.seen += 1;
                let bytes = &text[span.range.clone()];
                let index = u32::try_from(index).unwrap_or(u32::MAX);
                if span.too_deep {
                    refuse(&mut outcome, index, &format!("nested deeper than {MAX_DEPTH} levels"));
                } else if located.high && std::str::from_utf8(bytes).is_err() {
                    refuse(&mut outcome, index, "not UTF-8");
                } else if span.parse {
                    self.record(bytes, index, origin, rows, keys, &mut outcome);
                } else {
                    outcome.counts.not_ours += 1;
                }
            }
            let mut opened = std::mem::take(&mut self.opened);
            for quoted in &located.quoted {
                let inner = opened.open(text, quoted, &mut self.structure);
                outcome.invocation_log |= opened.invocation_log;
                for Part { range, fate } in opened.parts.drain(..) {
                    let index = outcome.counts.seen;
                    outcome.counts.seen += 1;
                    match fate {
                        Fate::Read => {
                            self.record(&inner.as_bytes()[range], index, origin, rows, keys, &mut outcome);
                        }
                        Fate::NotOurs => outcome.counts.not_ours += 1,
                        Fate::Refused(reason) => refuse(&mut outcome, index, &reason),
                    }
                }
            }
            self.opened = opened;
            if outcome.invocation_log && outcome.counts.not_ours == outcome.counts.seen {
                outcome.shape = Some(Shape::InvocationLog);
            }
        }
        self.located = located;
        shape.map(|_| outcome)
    }

    fn record(
        &mut self,
        bytes: &[u8],
        index: u32,
        origin: Origin<'_>,
        rows: &mut EventBuilder,
        keys: &mut Vec<Key>,
        outcome: &mut Outcome,
    ) {
        let Ok(text) = std::str::from_utf8(bytes) else { return refuse(outcome, index, "not UTF-8") };
        // Serde takes an array as a record's fields in their order.
        if !text.trim_ascii_start().starts_with('{') {
            return refuse(outcome, index, "not a JSON object");
        }
        let text = &*json::whole(text);
        let record: Record<'_> = match serde_json::from_str(text) {
            Ok(record) => record,
            Err(error) => return refuse(outcome, index, &format!("not readable: {error}")),
        };
        let category = record.event_category.as_deref();
        let event_type = record.event_type.as_deref();
        if category == Some("Aggregated") || event_type == Some("AwsAggregatedEvent") {
            outcome.counts.aggregated += 1;
            return;
        }
        if category == Some("Insight") || event_type == Some("AwsCloudTrailInsight") {
            outcome.counts.insight += 1;
            return;
        }
        let identity: Identity<'_> = match record.user_identity.map(|raw| serde_json::from_str(raw.get())) {
            None => Identity::default(),
            Some(Ok(identity)) => identity,
            Some(Err(error)) => {
                return refuse(outcome, index, &format!("userIdentity is not readable: {error}"));
            }
        };
        let (source, name) = (record.event_source.as_deref(), record.event_name.as_deref());
        let invoked_by = identity.invoked_by.as_deref().filter(|service| !service.is_empty());
        let made_by = invoked_by.or(record.source_ip_address.as_deref());
        let followed = self.followed.is_some_and(|followed| {
            // What was refused gave no agent a role.
            let configures = || {
                record.error_code.is_none()
                    && source.zip(name).is_some_and(|(source, name)| {
                        activity::meaning(source, name, false).activity == "agent_admin"
                    })
            };
            let assumes =
                name == Some("AssumeRole") && made_by.is_some_and(|service| self.scope.made_by(service));
            if assumes || configures() {
                let roles: RolesNamed<'_> = json::part(record.request_parameters);
                roles.each().for_each(followed.seen);
            }
            let issued_to =
                identity.in_scope_of.as_ref().and_then(|scope| scope.credentials_issued_to.as_deref());
            issued_to.is_some_and(|function| (followed.function)(function))
                || Principal::of(&identity, &Jwt::default()).role_arn.is_some_and(|role| (followed.is)(&role))
        });
        // What somebody else makes of an agent's function is no deed of the agent.
        let function = || {
            self.followed.is_some_and(|followed| {
                invoked(&record).is_some_and(|function| (followed.function)(&function))
            })
        };
        if let (Some(source), Some(name)) = (source, name)
            && !source.is_empty()
            && !name.is_empty()
            && !followed
            && !self.scope.ours(source, name, made_by)
            && !user(&identity).is_some_and(|user| self.scope.user(user))
            && !(record.is_network_activity()
                && self.scope.refused_at_endpoint(source, record.error_code.as_deref()))
            && !function()
        {
            outcome.counts.not_ours += 1;
            return;
        }
        let account = account::account(&record, &identity);
        let provenance = Provenance {
            log_object: origin.name,
            log_index: i64::from(index),
            delivered_at: origin.delivered_at,
        };
        if !self.asked_for(&record, account.as_deref()) {
            outcome.counts.out_of_range += 1;
            let Some(time) = record.event_time.as_deref().and_then(time::parse) else { return };
            // What it updates may lie within, and so may the call that it tells of.
            if let Some(of) = superseded(&record) {
                outcome.updates.push(Update { id: self.id(&record, bytes), of, time });
            }
            if event_type == Some("AwsServiceEvent")
                && self.wanted.nearby(time)
                && self.among(&record, account.as_deref())
            {
                let setting = Setting { environment: None, keep_content: false, followed: false };
                if self.meaning.append(&record, &identity, provenance, setting, &mut self.nearby).is_ok() {
                    let id = self.id(&record, bytes);
                    self.nearby_ids.push(id);
                }
            }
            return;
        }
        let at = || record.event_time.as_deref().and_then(time::parse);
        let environment = account.as_deref().and_then(|account| (self.environments)(account, at()?));
        let appended = self.meaning.append(
            &record,
            &identity,
            provenance,
            Setting { environment: environment.as_deref(), keep_content: self.keep_content, followed },
            rows,
        );
        match appended {
            Err(refusal) => refuse(outcome, index, &refusal.to_string()),
            Ok(row) => {
                let content = self.canonical.hash(bytes, 0);
                let id = self.id(&record, bytes);
                let superseded = superseded(&record);
                let renewed = superseded == Some(id);
                outcome.updates.extend(superseded.map(|of| Update { id, of, time: row.event_time }));
                keys.push(Key { id, content, object: origin.ordinal, index, kind: row.record_kind, renewed });
                outcome.counts.kept += 1;
                outcome.kinds[row.record_kind as usize] += 1;
                let (first, last) = outcome.times.unwrap_or((row.event_time, row.event_time));
                outcome.times = Some((first.min(row.event_time), last.max(row.event_time)));
            }
        }
    }

    /// The number of a record's id; of one without an id, that of its content.
    fn id(&mut self, record: &Record<'_>, bytes: &[u8]) -> u128 {
        match record.event_id.as_deref().filter(|id| !id.is_empty()) {
            Some(id) => event_id(id),
            None => {
                u128::from(self.canonical.hash(bytes, 0)) << 64 | u128::from(self.canonical.hash(bytes, 1))
            }
        }
    }

    /// Whether a record lies in the time, accounts and Regions asked for. One without a readable time or
    /// account is not judged here.
    fn asked_for(&self, record: &Record<'_>, account: Option<&str>) -> bool {
        let at = record.event_time.as_deref().and_then(time::parse);
        at.is_none_or(|at| {
            self.wanted.from.is_none_or(|from| at >= from) && self.wanted.to.is_none_or(|to| at < to)
        }) && self.among(record, account)
    }

    /// The same without the time.
    fn among(&self, record: &Record<'_>, account: Option<&str>) -> bool {
        let among = |wanted: &[String], shown: Option<&str>| {
            wanted.is_empty() || shown.is_none_or(|shown| wanted.iter().any(|one| one == shown))
        };
        among(&self.wanted.accounts, account) && among(&self.wanted.regions, record.aws_region.as_deref())
    }
}

/// The text of one record of an object, by its index; none if there are fewer.
pub fn raw(stored: &[u8], name: &str, limit: usize, index: usize) -> Result<Option<String>, DecodeError> {
    let mut inflater = Inflater::default();
    let text = inflater.inflate(stored, name, limit)?;
    let mut located = Located::default();
    located.locate(text, &mut Structure::default())?;
    if let Some(span) = located.spans.get(index) {
        let bytes = text.get(span.range.clone());
        return Ok(bytes.map(|bytes| json::whole(&String::from_utf8_lossy(bytes)).into_owned()));
    }
    let (mut opened, mut left) = (Opened::default(), index - located.spans.len());
    for quoted in &located.quoted {
        let inner = opened.open(text, quoted, &mut Structure::default());
        if let Some(part) = opened.parts.get(left) {
            let record = inner.get(part.range.clone()).unwrap_or_default();
            return Ok(Some(json::whole(record).into_owned()));
        }
        left -= opened.parts.len();
    }
    Ok(None)
}

fn refuse(outcome: &mut Outcome, index: u32, reason: &str) {
    outcome.counts.refused += 1;
    if outcome.refusals.len() < DESCRIBED {
        outcome.refusals.push((index, reason.chars().take(300).collect()));
    }
}

/// The event id that a record supersedes.
fn superseded(record: &Record<'_>) -> Option<u128> {
    superseded_by(record.addendum?.get())
}
