//! The ledger: one row per log object, and the balance line that must add up.

use std::fmt::{self, Write as _};
use std::sync::{Arc, LazyLock};

use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringViewArray, TimestampMicrosecondArray};
use arrow::error::ArrowError;
use sha2::{Digest, Sha256};

use crate::decode::record::{Counts, Outcome};
use crate::decode::shape::Shape;
use crate::event::row::RecordKind;
use crate::ingest::duplicate::Verdict;
use crate::source::api::Api;
use crate::source::s3::Url;
use crate::source::{Folder, Layout, LogObject};

/// SHA-256 of stored bytes.
pub fn sha256(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

/// What became of one object. A run can have hundreds of thousands, most of which hold nothing of ours.
#[derive(Debug, Default)]
pub struct Entry {
    pub(super) size: u64,
    pub(super) inflated: u64,
    pub(super) sha256: Option<Box<[u8; 32]>>,
    /// What there is to say of an object that was refused or holds more than records of other services.
    pub(super) found: Option<Box<Found>>,
    pub(super) seen: u32,
    pub(super) shape: Option<Shape>,
    pub(super) foreign: bool,
    /// Messages in it are of Bedrock's model-invocation log.
    pub(super) invocation_log: bool,
}

/// What was found in one object.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) counts: Counts,
    pub(super) duplicate: u32,
    pub(super) superseded: u32,
    pub(super) conflicts: u32,
    pub(super) kinds: [u32; RecordKind::ALL.len()],
    /// Holds network activity and nothing else.
    pub(super) network: bool,
    pub(super) times: Option<(i64, i64)>,
    pub(super) refused: Option<Box<str>>,
    pub(super) refusals: Box<[(u32, String)]>,
}

/// What is found in an object of other services' records, but for their number.
static NOTHING: LazyLock<Found> = LazyLock::new(Found::default);

impl Entry {
    /// An object that was read.
    pub(super) fn read(size: u64, sha256: Option<[u8; 32]>, outcome: Outcome) -> Self {
        let network = outcome.kinds[RecordKind::NetworkActivity as usize];
        let found = (outcome.counts.not_ours < outcome.counts.seen).then(|| {
            Box::new(Found {
                counts: outcome.counts,
                kinds: outcome.kinds,
                network: network > 0 && network == outcome.counts.seen,
                times: outcome.times,
                refusals: outcome.refusals.into_boxed_slice(),
                ..Found::default()
            })
        });
        Self {
            size,
            inflated: outcome.inflated,
            sha256: sha256.map(Box::new),
            found,
            seen: outcome.counts.seen,
            shape: outcome.shape,
            foreign: false,
            invocation_log: outcome.invocation_log,
        }
    }

    /// An object that could not be read at all.
    /// `foreign`: nothing about it suggests that it ever was a log.
    pub(super) fn refused(size: u64, sha256: Option<[u8; 32]>, reason: String, foreign: bool) -> Self {
        let found = Found { refused: Some(reason.into_boxed_str()), ..Found::default() };
        Self { size, sha256: sha256.map(Box::new), found: Some(Box::new(found)), foreign, ..Self::default() }
    }

    pub(super) fn found(&self) -> &Found {
        self.found.as_deref().unwrap_or(&NOTHING)
    }

    pub(super) fn counts(&self) -> Counts {
        let all_others = Counts { seen: self.seen, not_ours: self.seen, ..Counts::default() };
        self.found.as_ref().map_or(all_others, |found| found.counts)
    }

    pub(super) fn reason(&self) -> Option<&str> {
        self.found().refused.as_deref()
    }

    fn state(&self) -> &'static str {
        if self.reason().is_some() { "refused" } else { "read" }
    }
}

/// Every object of a run in the order of their names.
#[derive(Debug, Default)]
pub struct Ledger {
    objects: Vec<LogObject>,
    entries: Vec<Entry>,
}

/// The sums over all objects. `seen` is always the sum of what became of the records.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(default)]
pub struct Balance {
    /// Objects listed.
    pub objects: u64,
    /// Objects that could not be read.
    pub objects_refused: u64,
    /// Records in the objects read.
    pub seen: u64,
    /// Rows of `events`.
    pub kept: u64,
    /// Records of other services.
    pub not_ours: u64,
    /// Outside the time, accounts or Regions asked for.
    pub out_of_range: u64,
    /// Copies of rows kept.
    pub duplicate: u64,
    /// Records that a later `UPDATED_DATA` record replaces.
    pub superseded: u64,
    /// Five-minute summaries.
    pub aggregated: u64,
    /// CloudTrail Insights.
    pub insight: u64,
    /// Records that cannot be read.
    pub refused: u64,
    /// Rows that are calls.
    pub api_calls: u64,
    /// Rows that are service events.
    pub service_events: u64,
    /// Rows that are network-activity events.
    pub network_activity: u64,
    /// Rows that are copies delivered to another account.
    pub shared_copies: u64,
    /// Rows that share an event id with other content.
    pub conflicts: u64,
}

impl Balance {
    /// Whether both sums add up.
    pub fn holds(&self) -> bool {
        self.seen
            == self.kept
                + self.not_ours
                + self.out_of_range
                + self.duplicate
                + self.superseded
                + self.aggregated
                + self.insight
                + self.refused
            && self.kept == self.api_calls + self.service_events + self.network_activity + self.shared_copies
    }
}

impl fmt::Display for Balance {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            out,
            "{} records seen = {} kept + {} not ours + {} out of range + {} duplicate + {} aggregated + {} insight + {} refused",
            self.seen,
            self.kept,
            self.not_ours,
            self.out_of_range,
            self.duplicate,
            self.aggregated,
            self.insight,
            self.refused,
        )?;
        if self.superseded > 0 {
            write!(out, " + {} superseded", self.superseded)?;
        }
        write!(
            out,
            "; {} kept = {} api calls + {} service events + {} network activity + {} shared copies",
            self.kept, self.api_calls, self.service_events, self.network_activity, self.shared_copies
        )
    }
}

impl Ledger {
    /// `entries` hold one for every object, in the objects' order.
    pub(super) fn new(objects: Vec<LogObject>, entries: Vec<Entry>) -> Self {
        Self { objects, entries }
    }

    /// Moves one row of an object from kept to what the comparison of all rows found.
    pub(super) fn settle(&mut self, object: u32, kind: RecordKind, verdict: Verdict) {
        let entry = self.entries.get_mut(object as usize);
        let Some(found) = entry.and_then(|entry| entry.found.as_deref_mut()) else { return };
        match verdict {
            Verdict::Conflict => {
                found.conflicts += 1;
                return;
            }
            Verdict::Duplicate => found.duplicate += 1,
            Verdict::Superseded => found.superseded += 1,
        }
        found.counts.kept -= 1;
        found.kinds[kind as usize] -= 1;
    }

    /// The sums over all objects.
    pub fn balance(&self) -> Balance {
        let mut sum = Balance { objects: self.objects.len() as u64, ..Balance::default() };
        for entry in &self.entries {
            let (counts, found) = (entry.counts(), entry.found());
            sum.objects_refused += u64::from(entry.reason().is_some());
            sum.seen += u64::from(counts.seen);
            sum.kept += u64::from(counts.kept);
            sum.not_ours += u64::from(counts.not_ours);
            sum.out_of_range += u64::from(counts.out_of_range);
            sum.duplicate += u64::from(found.duplicate);
            sum.superseded += u64::from(found.superseded);
            sum.aggregated += u64::from(counts.aggregated);
            sum.insight += u64::from(counts.insight);
            sum.refused += u64::from(counts.refused);
            sum.api_calls += u64::from(found.kinds[RecordKind::ApiCall as usize]);
            sum.service_events += u64::from(found.kinds[RecordKind::ServiceEvent as usize]);
            sum.network_activity += u64::from(found.kinds[RecordKind::NetworkActivity as usize]);
            sum.shared_copies += u64::from(found.kinds[RecordKind::SharedCopy as usize]);
            sum.conflicts += u64::from(found.conflicts);
        }
        sum
    }

    /// The objects' names, in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.objects.iter().map(|object| object.name.as_str())
    }

    /// Objects that could not be read: name and reason.
    pub fn refused_objects(&self) -> impl Iterator<Item = (&str, &str)> {
        let both = self.objects.iter().zip(&self.entries);
        both.filter_map(|(object, entry)| Some((object.name.as_str(), entry.reason()?)))
    }

    /// Objects of CloudWatch Logs that hold messages of Bedrock's model-invocation log.
    pub fn invocation_logs(&self) -> impl Iterator<Item = &str> {
        let both = self.objects.iter().zip(&self.entries);
        both.filter_map(|(object, entry)| entry.invocation_log.then_some(object.name.as_str()))
    }

    /// Records that could not be read: object, index and reason; at most a thousand an object.
    pub fn refused_records(&self) -> impl Iterator<Item = (&str, u32, &str)> {
        let both = self.objects.iter().zip(&self.entries);
        both.flat_map(|(object, entry)| {
            entry
                .found()
                .refusals
                .iter()
                .map(|(index, reason)| (object.name.as_str(), *index, reason.as_str()))
        })
    }

    /// How many objects are a CloudTrail log, digest or invocation log, or may have been one before they were damaged.
    pub fn recognised(&self) -> usize {
        self.entries.iter().filter(|entry| !entry.foreign).count()
    }

    /// The rows of `objects`.
    pub fn objects_batch(&self) -> Result<RecordBatch, ArrowError> {
        let layouts: Vec<Layout<'_>> = self.objects.iter().map(|object| Layout::of(&object.name)).collect();
        let both = || self.objects.iter().zip(&self.entries);
        let number = |of: fn(&Entry) -> u64| whole(self.entries.iter().map(of));
        let rows = |kind: RecordKind| {
            whole(self.entries.iter().map(|entry| entry.found().kinds[kind as usize].into()))
        };
        table([
            ("log_object", text(both().map(|(object, _)| Some(&object.name)))),
            ("source", text(both().map(|(object, _)| Some(source(object))))),
            (
                "kind",
                text(self.entries.iter().zip(&layouts).map(|(entry, layout)| Some(kind(entry, layout)))),
            ),
            ("shape", text(self.entries.iter().map(|entry| entry.shape.map(Shape::name)))),
            ("state", text(self.entries.iter().map(|entry| Some(entry.state())))),
            ("reason", text(self.entries.iter().map(|entry| entry.reason()))),
            ("size_bytes", number(|entry| entry.size)),
            ("inflated_bytes", number(|entry| entry.inflated)),
            ("sha256", text(self.entries.iter().map(|entry| entry.sha256.as_deref().map(hex)))),
            ("etag", text(both().map(|(object, _)| object.etag.as_deref()))),
            ("account_id", text(layouts.iter().map(|layout| layout.account))),
            ("aws_region", text(layouts.iter().map(|layout| layout.region))),
            ("delivered_at", instant(layouts.iter().map(|layout| layout.delivered_at))),
            ("seen", number(|entry| entry.counts().seen.into())),
            ("kept", number(|entry| entry.counts().kept.into())),
            ("not_ours", number(|entry| entry.counts().not_ours.into())),
            ("out_of_range", number(|entry| entry.counts().out_of_range.into())),
            ("duplicate", number(|entry| entry.found().duplicate.into())),
            ("aggregated", number(|entry| entry.counts().aggregated.into())),
            ("insight", number(|entry| entry.counts().insight.into())),
            ("refused", number(|entry| entry.counts().refused.into())),
            ("superseded", number(|entry| entry.found().superseded.into())),
            ("api_calls", rows(RecordKind::ApiCall)),
            ("service_events", rows(RecordKind::ServiceEvent)),
            ("network_activity", rows(RecordKind::NetworkActivity)),
            ("shared_copies", rows(RecordKind::SharedCopy)),
            ("conflicts", number(|entry| entry.found().conflicts.into())),
            (
                "first_event_time",
                instant(self.entries.iter().map(|entry| entry.found().times.map(|(first, _)| first))),
            ),
            (
                "last_event_time",
                instant(self.entries.iter().map(|entry| entry.found().times.map(|(_, last)| last))),
            ),
        ])
    }

    /// The rows of `refusals`.
    pub fn refusals_batch(&self) -> Result<RecordBatch, ArrowError> {
        table([
            ("log_object", text(self.refused_records().map(|(object, _, _)| Some(object)))),
            ("log_index", whole(self.refused_records().map(|(_, index, _)| u64::from(index)))),
            ("reason", text(self.refused_records().map(|(_, _, reason)| Some(reason)))),
        ])
    }
}

fn table<const N: usize>(columns: [(&str, ArrayRef); N]) -> Result<RecordBatch, ArrowError> {
    RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(name, array)| (name, array, true)))
}

fn text<T: AsRef<str>>(values: impl Iterator<Item = Option<T>>) -> ArrayRef {
    Arc::new(values.collect::<StringViewArray>())
}

fn whole(values: impl Iterator<Item = u64>) -> ArrayRef {
    Arc::new(values.map(|value| i64::try_from(value).unwrap_or(i64::MAX)).collect::<Int64Array>())
}

fn instant(values: impl Iterator<Item = Option<i64>>) -> ArrayRef {
    Arc::new(values.collect::<TimestampMicrosecondArray>())
}

fn hex(hash: &[u8; 32]) -> String {
    hash.iter().fold(String::with_capacity(64), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn source(object: &LogObject) -> &'static str {
    match object.name.as_str() {
        "-" => "stdin",
        name if Url::is(name) => "s3",
        name if let Some((api, _)) = Api::of(name) => api.name(),
        _ => "local",
    }
}

fn kind(entry: &Entry, layout: &Layout<'_>) -> &'static str {
    let counts = entry.counts();
    match (entry.shape, layout.folder) {
        (Some(Shape::Digest), _) | (None, Folder::Digest) => "digest",
        (Some(Shape::InvocationLog), _) | (None, Folder::InvocationLog) => "invocation_log",
        _ if counts.seen > 0 && counts.insight == counts.seen => "insight",
        _ if counts.seen > 0 && counts.aggregated == counts.seen => "aggregated",
        _ if entry.found().network => "network_activity",
        (_, Folder::Insight) => "insight",
        (_, Folder::Aggregated) => "aggregated",
        (_, Folder::NetworkActivity) => "network_activity",
        (Some(_), _) | (None, Folder::CloudTrail) => "cloudtrail",
        (None, _) => "other",
    }
}
