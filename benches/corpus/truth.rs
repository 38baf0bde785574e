//! What is true of generated logs: counted while they are written, so that a test can compare exactly.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// How a model invocation ended. The names are those of the column `outcome`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    Ok,
    Denied,
    Throttled,
    Invalid,
    Failed,
}

/// One model invocation, as reports group it.
#[derive(Clone, Debug)]
pub struct Usage {
    /// The account that received the record.
    pub account_id: String,
    /// Role ARN, else user ARN, else `service:…`.
    pub principal: String,
    /// The role's own ARN; none for users, root and services.
    pub role_arn: Option<String>,
    /// The base model id; the reference as sent where it does not name a model; none where none is recorded.
    pub model_id: Option<String>,
    pub outcome: Outcome,
    pub streaming: bool,
    /// Input and output tokens from the best source: the record's own, else its twin's.
    pub tokens: Option<(u64, u64)>,
}

/// How a record counts.
#[derive(Clone, Debug)]
pub enum Fact {
    /// A call of the Bedrock family with its `activity`; model invocations carry their usage.
    Call(&'static str, Option<Usage>),
    /// A record of another service that concerns us: what an agent or Bedrock did elsewhere, keys, trails.
    Scope(&'static str),
    /// An `AwsServiceEvent` of the Bedrock family.
    ServiceEvent,
    /// A denied call at a VPC endpoint.
    NetworkActivity,
    /// A cross-account call, delivered to an account other than the caller's.
    SharedCopy,
    Aggregated,
    Insight,
    NotOurs,
    /// A second copy of a record with the same `eventID` and content.
    Duplicate,
}

/// Who called what: the key of [`Truth::calls`].
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Key {
    pub account_id: String,
    pub principal: String,
    pub role_arn: Option<String>,
    pub model_id: Option<String>,
}

/// What was called how often. `calls` is the sum of the five outcomes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    pub calls: u64,
    pub ok: u64,
    pub denied: u64,
    pub throttled: u64,
    pub invalid: u64,
    pub failed: u64,
    pub streaming: u64,
    /// Calls whose tokens are recorded, in the record or in its twin.
    pub with_tokens: u64,
    /// Null where no call of the group has tokens: not recorded is not zero.
    pub input_tokens: Option<u64>,
    pub output_tokens: Option<u64>,
}

impl Tally {
    fn add(&mut self, usage: &Usage) {
        self.calls += 1;
        *match usage.outcome {
            Outcome::Ok => &mut self.ok,
            Outcome::Denied => &mut self.denied,
            Outcome::Throttled => &mut self.throttled,
            Outcome::Invalid => &mut self.invalid,
            Outcome::Failed => &mut self.failed,
        } += 1;
        self.streaming += u64::from(usage.streaming);
        if let Some((input, output)) = usage.tokens {
            self.with_tokens += 1;
            *self.input_tokens.get_or_insert(0) += input;
            *self.output_tokens.get_or_insert(0) += output;
        }
    }

    fn merge(&mut self, other: &Self) {
        self.calls += other.calls;
        self.ok += other.ok;
        self.denied += other.denied;
        self.throttled += other.throttled;
        self.invalid += other.invalid;
        self.failed += other.failed;
        self.streaming += other.streaming;
        self.with_tokens += other.with_tokens;
        for (mine, theirs) in
            [(&mut self.input_tokens, other.input_tokens), (&mut self.output_tokens, other.output_tokens)]
        {
            if let Some(tokens) = theirs {
                *mine.get_or_insert(0) += tokens;
            }
        }
    }
}

/// The records of the logs: `seen = kept + not_ours + duplicate + aggregated + insight`, and
/// `kept = api_calls + service_events + network_activity + shared_copies`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Records {
    pub seen: u64,
    pub kept: u64,
    pub not_ours: u64,
    pub duplicate: u64,
    pub aggregated: u64,
    pub insight: u64,
    pub api_calls: u64,
    pub service_events: u64,
    pub network_activity: u64,
    pub shared_copies: u64,
    /// Of the API calls, those of services outside the Bedrock family.
    pub outside_family: u64,
}

/// All that is true of some logs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Truth {
    /// Log objects by kind, as in the ledger: cloudtrail, digest, insight, aggregated, network_activity.
    pub objects: BTreeMap<String, u64>,
    pub records: Records,
    /// API calls kept, by `activity`.
    pub activities: BTreeMap<String, u64>,
    /// Model invocations by account, principal, role and model.
    #[serde(with = "rows")]
    pub calls: BTreeMap<Key, Tally>,
}

impl Truth {
    /// Counts one record.
    pub fn add(&mut self, fact: &Fact) {
        let records = &mut self.records;
        records.seen += 1;
        let kept = match fact {
            Fact::Call(activity, usage) => {
                *self.activities.entry((*activity).to_owned()).or_default() += 1;
                if let Some(usage) = usage {
                    let key = Key {
                        account_id: usage.account_id.clone(),
                        principal: usage.principal.clone(),
                        role_arn: usage.role_arn.clone(),
                        model_id: usage.model_id.clone(),
                    };
                    self.calls.entry(key).or_default().add(usage);
                }
                &mut records.api_calls
            }
            Fact::Scope(activity) => {
                *self.activities.entry((*activity).to_owned()).or_default() += 1;
                records.outside_family += 1;
                &mut records.api_calls
            }
            Fact::ServiceEvent => &mut records.service_events,
            Fact::NetworkActivity => &mut records.network_activity,
            Fact::SharedCopy => &mut records.shared_copies,
            Fact::Aggregated => return records.aggregated += 1,
            Fact::Insight => return records.insight += 1,
            Fact::NotOurs => return records.not_ours += 1,
            Fact::Duplicate => return records.duplicate += 1,
        };
        *kept += 1;
        records.kept += 1;
    }

    /// Counts one log object.
    pub fn add_object(&mut self, kind: &str) {
        *self.objects.entry(kind.to_owned()).or_default() += 1;
    }

    /// Adds what is true of other logs.
    pub fn merge(&mut self, other: &Self) {
        for (kind, count) in &other.objects {
            *self.objects.entry(kind.clone()).or_default() += count;
        }
        for (activity, count) in &other.activities {
            *self.activities.entry(activity.clone()).or_default() += count;
        }
        for (key, tally) in &other.calls {
            self.calls.entry(key.clone()).or_default().merge(tally);
        }
        let (mine, theirs) = (&mut self.records, &other.records);
        mine.seen += theirs.seen;
        mine.kept += theirs.kept;
        mine.not_ours += theirs.not_ours;
        mine.duplicate += theirs.duplicate;
        mine.aggregated += theirs.aggregated;
        mine.insight += theirs.insight;
        mine.api_calls += theirs.api_calls;
        mine.service_events += theirs.service_events;
        mine.network_activity += theirs.network_activity;
        mine.shared_copies += theirs.shared_copies;
        mine.outside_family += theirs.outside_family;
    }

    /// The tallies of one principal summed over its models, `None` where it called none.
    pub fn of_principal(&self, principal: &str) -> Option<Tally> {
        let mut sum: Option<Tally> = None;
        for (_, tally) in self.calls.iter().filter(|(key, _)| key.principal == principal) {
            sum.get_or_insert_default().merge(tally);
        }
        sum
    }
}

/// JSON has no objects for keys: the map is written as rows of key and tally.
mod rows {
    use std::collections::BTreeMap;

    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use super::{Key, Tally};

    pub(super) fn serialize<S: Serializer>(map: &BTreeMap<Key, Tally>, out: S) -> Result<S::Ok, S::Error> {
        map.iter().collect::<Vec<_>>().serialize(out)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<BTreeMap<Key, Tally>, D::Error> {
        Ok(Vec::<(Key, Tally)>::deserialize(from)?.into_iter().collect())
    }
}
