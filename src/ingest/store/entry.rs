//! Ledger entries as rows of a part, and back.

use std::fmt::Write as _;
use std::sync::{Arc, OnceLock};

use arrow::array::{
    Array, ArrayRef, BooleanArray, Int64Array, RecordBatch, StringViewArray, TimestampMicrosecondArray,
};
use arrow::datatypes::{DataType, Field as ArrowField, Schema, SchemaRef, TimeUnit};

use super::StoreError;
use crate::decode::record::Counts;
use crate::decode::shape::Shape;
use crate::event::row::RecordKind;
use crate::ingest::ledger::{Balance, Entry, Found};

/// Columns of counts.
const COUNTS: [&str; 16] = [
    "size_bytes",
    "inflated_bytes",
    "seen",
    "kept",
    "not_ours",
    "out_of_range",
    "aggregated",
    "insight",
    "refused",
    "duplicate",
    "superseded",
    "conflicts",
    "api_calls",
    "service_events",
    "network_activity",
    "shared_copies",
];
const TEXTS: [&str; 6] = ["log_object", "tag", "sha256", "shape", "reason", "refusals"];
/// Their places.
const NAME: usize = 0;
const TAG: usize = 1;
const SHA256: usize = 2;
const SHAPE: usize = 3;
const REASON: usize = 4;
const REFUSALS: usize = 5;
const FLAGS: [&str; 2] = ["foreign", "network"];
const FOREIGN: usize = 0;
const NETWORK: usize = 1;
const TIMES: [&str; 2] = ["first_event_time", "last_event_time"];

const SHAPES: [Shape; 8] = [
    Shape::Records,
    Shape::Lines,
    Shape::Array,
    Shape::Lookup,
    Shape::Envelope,
    Shape::Digest,
    Shape::InvocationLog,
    Shape::LogEvents,
];

/// The schema of a part of the ledger.
pub(super) fn schema() -> SchemaRef {
    static SCHEMA: OnceLock<SchemaRef> = OnceLock::new();
    Arc::clone(SCHEMA.get_or_init(|| {
        let time = DataType::Timestamp(TimeUnit::Microsecond, None);
        let of = |names: &'static [&'static str], kind: DataType| {
            names.iter().map(move |name| ArrowField::new(*name, kind.clone(), true))
        };
        let fields = of(&TEXTS, DataType::Utf8View)
            .chain(of(&COUNTS, DataType::Int64))
            .chain(of(&FLAGS, DataType::Boolean))
            .chain(of(&TIMES, time));
        Arc::new(Schema::new(fields.collect::<Vec<_>>()))
    }))
}

/// A ledger entry with all its fields side by side.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Flat {
    pub(super) size: u64,
    pub(super) inflated: u64,
    pub(super) sha256: Option<Box<[u8; 32]>>,
    pub(super) shape: Option<Shape>,
    pub(super) refused: Option<Box<str>>,
    pub(super) foreign: bool,
    pub(super) counts: Counts,
    pub(super) duplicate: u32,
    pub(super) superseded: u32,
    pub(super) conflicts: u32,
    pub(super) kinds: [u32; RecordKind::ALL.len()],
    pub(super) network: bool,
    pub(super) times: Option<(i64, i64)>,
    pub(super) refusals: Box<[(u32, String)]>,
}

impl From<Entry> for Flat {
    fn from(entry: Entry) -> Self {
        let counts = entry.counts();
        let found = entry.found.map(|found| *found).unwrap_or_default();
        Self {
            size: entry.size,
            inflated: entry.inflated,
            sha256: entry.sha256,
            shape: entry.shape,
            refused: found.refused,
            foreign: entry.foreign,
            counts,
            duplicate: found.duplicate,
            superseded: found.superseded,
            conflicts: found.conflicts,
            kinds: found.kinds,
            network: found.network,
            times: found.times,
            refusals: found.refusals,
        }
    }
}

impl From<Flat> for Entry {
    fn from(flat: Flat) -> Self {
        let nothing = flat.refused.is_none() && flat.counts.not_ours == flat.counts.seen;
        let seen = flat.counts.seen;
        let found = Found {
            counts: flat.counts,
            duplicate: flat.duplicate,
            superseded: flat.superseded,
            conflicts: flat.conflicts,
            kinds: flat.kinds,
            network: flat.network,
            times: flat.times,
            refused: flat.refused,
            refusals: flat.refusals,
        };
        Self {
            size: flat.size,
            inflated: flat.inflated,
            sha256: flat.sha256,
            found: (!nothing).then(|| Box::new(found)),
            seen,
            shape: flat.shape,
            foreign: flat.foreign,
            // Documents of the log by itself count no records.
            invocation_log: flat.shape == Some(Shape::InvocationLog) && seen > 0,
        }
    }
}

impl Flat {
    /// Adds the object to sums.
    pub(super) fn add_to(&self, balance: &mut Balance) {
        self.fold(balance, |sum, count| *sum += count);
    }

    /// Takes the object out of sums again.
    pub(super) fn take_from(&self, balance: &mut Balance) {
        self.fold(balance, |sum, count| *sum = sum.saturating_sub(count));
    }

    fn fold(&self, balance: &mut Balance, fold: impl Fn(&mut u64, u64)) {
        let counts = &self.counts;
        let kind = |kind: RecordKind| self.kinds[kind as usize];
        fold(&mut balance.objects, 1);
        for (sum, count) in [
            (&mut balance.objects_refused, u32::from(self.refused.is_some())),
            (&mut balance.seen, counts.seen),
            (&mut balance.kept, counts.kept),
            (&mut balance.not_ours, counts.not_ours),
            (&mut balance.out_of_range, counts.out_of_range),
            (&mut balance.duplicate, self.duplicate),
            (&mut balance.superseded, self.superseded),
            (&mut balance.aggregated, counts.aggregated),
            (&mut balance.insight, counts.insight),
            (&mut balance.refused, counts.refused),
            (&mut balance.api_calls, kind(RecordKind::ApiCall)),
            (&mut balance.service_events, kind(RecordKind::ServiceEvent)),
            (&mut balance.network_activity, kind(RecordKind::NetworkActivity)),
            (&mut balance.shared_copies, kind(RecordKind::SharedCopy)),
            (&mut balance.conflicts, self.conflicts),
        ] {
            fold(sum, u64::from(count));
        }
    }
}

/// One object of the ledger.
#[derive(Debug, Default)]
pub(super) struct Booked {
    pub(super) name: String,
    /// What tells whether the object is still the same: its ETag, or size and time of change.
    pub(super) tag: String,
    pub(super) entry: Flat,
}

/// Rows of a part; `rows` are sorted by name.
pub(super) fn batch(rows: &[Booked]) -> Result<RecordBatch, StoreError> {
    let text = |of: &dyn Fn(&Booked) -> Option<String>| -> ArrayRef {
        Arc::new(rows.iter().map(of).collect::<StringViewArray>())
    };
    let mut columns: Vec<ArrayRef> = vec![
        text(&|row| Some(row.name.clone())),
        text(&|row| Some(row.tag.clone())),
        text(&|row| row.entry.sha256.as_deref().map(hex)),
        text(&|row| row.entry.shape.map(|shape| shape.name().to_owned())),
        text(&|row| row.entry.refused.as_deref().map(str::to_owned)),
        text(&|row| {
            let refusals = &row.entry.refusals;
            (!refusals.is_empty()).then(|| serde_json::to_string(refusals).unwrap_or_default())
        }),
    ];
    for at in 0..COUNTS.len() {
        let counts = rows.iter().map(|row| i64::try_from(counts(&row.entry)[at]).unwrap_or(i64::MAX));
        columns.push(Arc::new(counts.collect::<Int64Array>()));
    }
    for flag in [|entry: &Flat| entry.foreign, |entry: &Flat| entry.network] {
        columns.push(Arc::new(rows.iter().map(|row| Some(flag(&row.entry))).collect::<BooleanArray>()));
    }
    for time in [|(first, _): (i64, i64)| first, |(_, last): (i64, i64)| last] {
        let times = rows.iter().map(|row| row.entry.times.map(time));
        columns.push(Arc::new(times.collect::<TimestampMicrosecondArray>()));
    }
    RecordBatch::try_new(schema(), columns).map_err(StoreError::internal)
}

/// In the order of [`COUNTS`].
fn counts(entry: &Flat) -> [u64; COUNTS.len()] {
    let counts = &entry.counts;
    let kind = |kind: RecordKind| u64::from(entry.kinds[kind as usize]);
    [
        entry.size,
        entry.inflated,
        counts.seen.into(),
        counts.kept.into(),
        counts.not_ours.into(),
        counts.out_of_range.into(),
        counts.aggregated.into(),
        counts.insight.into(),
        counts.refused.into(),
        entry.duplicate.into(),
        entry.superseded.into(),
        entry.conflicts.into(),
        kind(RecordKind::ApiCall),
        kind(RecordKind::ServiceEvent),
        kind(RecordKind::NetworkActivity),
        kind(RecordKind::SharedCopy),
    ]
}

/// A batch of the ledger by its columns; those that were not read are empty.
pub(super) struct Columns {
    rows: usize,
    texts: [Option<StringViewArray>; TEXTS.len()],
    counts: [Option<Int64Array>; COUNTS.len()],
    flags: [Option<BooleanArray>; FLAGS.len()],
    times: [Option<TimestampMicrosecondArray>; TIMES.len()],
}

/// Columns of one type by their names: once for each batch, since a ledger has a row for each object there ever was.
fn named<A: Array + Clone + 'static, const N: usize>(
    batch: &RecordBatch,
    names: [&str; N],
) -> [Option<A>; N] {
    names.map(|name| batch.column_by_name(name)?.as_any().downcast_ref::<A>().cloned())
}

impl Columns {
    pub(super) fn of(batch: &RecordBatch) -> Self {
        Self {
            rows: batch.num_rows(),
            texts: named(batch, TEXTS),
            counts: named(batch, COUNTS),
            flags: named(batch, FLAGS),
            times: named(batch, TIMES),
        }
    }

    /// How many rows there are.
    pub(super) fn rows(&self) -> usize {
        self.rows
    }

    /// The object's name.
    pub(super) fn name(&self, row: usize) -> &str {
        self.text(NAME, row).unwrap_or_default()
    }

    /// What tells whether the object is still the same.
    pub(super) fn tag(&self, row: usize) -> Option<&str> {
        self.text(TAG, row)
    }

    /// Why the object was refused, if it was.
    pub(super) fn reason(&self, row: usize) -> Option<&str> {
        self.text(REASON, row)
    }

    fn text(&self, at: usize, row: usize) -> Option<&str> {
        let array = self.texts[at].as_ref()?;
        array.is_valid(row).then(|| array.value(row))
    }

    fn flag(&self, at: usize, row: usize) -> bool {
        self.flags[at].as_ref().is_some_and(|array| array.value(row))
    }

    fn time(&self, at: usize, row: usize) -> Option<i64> {
        let array = self.times[at].as_ref()?;
        array.is_valid(row).then(|| array.value(row))
    }

    /// The entry of a row.
    pub(super) fn entry(&self, row: usize) -> Flat {
        let count = |array: &Option<Int64Array>| {
            array.as_ref().map_or(0, |array| u64::try_from(array.value(row)).unwrap_or(0))
        };
        let small = |count: u64| u32::try_from(count).unwrap_or(u32::MAX);
        let [size, inflated, rest @ ..] = self.counts.each_ref().map(count);
        let [seen, kept, not_ours, out_of_range, aggregated, insight, refused, rest @ ..] = rest.map(small);
        let [duplicate, superseded, conflicts, kinds @ ..] = rest;
        Flat {
            size,
            inflated,
            sha256: self.text(SHA256, row).and_then(unhex).map(Box::new),
            shape: self
                .text(SHAPE, row)
                .and_then(|name| SHAPES.into_iter().find(|shape| shape.name() == name)),
            refused: self.reason(row).map(Into::into),
            foreign: self.flag(FOREIGN, row),
            counts: Counts { seen, kept, not_ours, out_of_range, aggregated, insight, refused },
            duplicate,
            superseded,
            conflicts,
            kinds,
            network: self.flag(NETWORK, row),
            times: self.time(0, row).zip(self.time(1, row)),
            refusals: self
                .text(REFUSALS, row)
                .and_then(|text| serde_json::from_str::<Vec<(u32, String)>>(text).ok())
                .unwrap_or_default()
                .into_boxed_slice(),
        }
    }

    /// The row as it was booked.
    pub(super) fn booked(&self, row: usize) -> Booked {
        Booked {
            name: self.name(row).to_owned(),
            tag: self.tag(row).unwrap_or_default().to_owned(),
            entry: self.entry(row),
        }
    }
}

pub(super) fn hex(hash: &[u8; 32]) -> String {
    hash.iter().fold(String::with_capacity(64), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn unhex(text: &str) -> Option<[u8; 32]> {
    let mut hash = [0; 32];
    for (at, byte) in hash.iter_mut().enumerate() {
        *byte = u8::from_str_radix(text.get(2 * at..2 * at + 2)?, 16).ok()?;
    }
    Some(hash)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_comes_back_as_it_was() {
        let mut entry = Flat {
            size: 5,
            inflated: 70,
            sha256: Some(Box::new([7; 32])),
            shape: Some(Shape::Lookup),
            duplicate: 2,
            superseded: 1,
            conflicts: 3,
            network: true,
            times: Some((1, 2)),
            refusals: Box::new([(4, "not \"readable\"".to_owned())]),
            ..Flat::default()
        };
        entry.counts.seen = 9;
        entry.counts.kept = 4;
        entry.kinds = [1, 2, 0, 1];
        let shown = format!("{entry:?}");
        let refused = Flat { refused: Some("broken".into()), foreign: true, ..Flat::default() };
        let told = format!("{refused:?}");
        let rows = [
            Booked { name: "a".to_owned(), tag: "5-1".to_owned(), entry },
            Booked { name: "b".to_owned(), tag: String::new(), entry: refused },
        ];
        let batch = batch(&rows).unwrap();
        let columns = Columns::of(&batch);
        assert_eq!(format!("{:?}", columns.entry(0)), shown);
        assert_eq!(format!("{:?}", columns.entry(1)), told);
        assert_eq!((columns.booked(0).name, columns.booked(0).tag), ("a".to_owned(), "5-1".to_owned()));
        assert_eq!((columns.reason(0), columns.reason(1)), (None, Some("broken")));
    }
}
