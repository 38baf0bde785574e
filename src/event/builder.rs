//! Rows of `events` on their way into a record batch: one Arrow builder per column that some query reads.

use std::borrow::Cow;
use std::sync::{Arc, OnceLock};

use arrow::array::{
    ArrayRef, BooleanBuilder, Int64Builder, RecordBatch, RecordBatchOptions, StringViewBuilder,
    TimestampMicrosecondBuilder, new_null_array,
};
use arrow::datatypes::{DataType, Field as ArrowField, Schema, SchemaRef, TimeUnit};
use arrow::error::ArrowError;

use super::column::{COLUMNS, Field, Kind};
pub use super::set::FieldSet;

/// The Arrow type of a kind of column.
pub fn data_type(kind: Kind) -> DataType {
    match kind {
        Kind::Text => DataType::Utf8View,
        Kind::Bool => DataType::Boolean,
        Kind::Int => DataType::Int64,
        Kind::Time => DataType::Timestamp(TimeUnit::Microsecond, None),
    }
}

/// The schema of `events`: every column of [`COLUMNS`] in order, all nullable.
pub fn schema() -> SchemaRef {
    static SCHEMA: OnceLock<SchemaRef> = OnceLock::new();
    let make = || {
        let field =
            |column: &super::column::Column| ArrowField::new(column.name, data_type(column.kind), true);
        Arc::new(Schema::new(COLUMNS.iter().map(field).collect::<Vec<_>>()))
    };
    Arc::clone(SCHEMA.get_or_init(make))
}

/// Columns whose values seldom repeat: looking each one up to share its text would cost and save nothing.
const DISTINCT: FieldSet = FieldSet::of(&[
    Field::EventId,
    Field::RequestId,
    Field::SharedEventId,
    Field::RequestParameters,
    Field::ResponseElements,
    Field::AdditionalEventData,
    Field::ServiceEventDetails,
    Field::Addendum,
]);

/// Longer texts are not looked up either; of 1 KB and more, few repeat.
const SHARED_TEXT_MAX: u32 = 1024;

enum Slot {
    Unwanted,
    Text(StringViewBuilder),
    Bool(BooleanBuilder),
    Int(Int64Builder),
    Time(TimestampMicrosecondBuilder),
}

impl Slot {
    fn new(field: Field) -> Self {
        match field.column().kind {
            Kind::Text if DISTINCT.contains(field) => Self::Text(StringViewBuilder::new()),
            Kind::Text => Self::Text(
                StringViewBuilder::new()
                    .with_deduplicate_strings()
                    .with_max_deduplication_len(SHARED_TEXT_MAX),
            ),
            Kind::Bool => Self::Bool(BooleanBuilder::new()),
            Kind::Int => Self::Int(Int64Builder::new()),
            Kind::Time => Self::Time(TimestampMicrosecondBuilder::new()),
        }
    }

    fn append_null(&mut self) {
        match self {
            Self::Unwanted => {}
            Self::Text(builder) => builder.append_null(),
            Self::Bool(builder) => builder.append_null(),
            Self::Int(builder) => builder.append_null(),
            Self::Time(builder) => builder.append_null(),
        }
    }

    fn finish(&mut self) -> Option<ArrayRef> {
        Some(match self {
            Self::Unwanted => return None,
            Self::Text(builder) => Arc::new(builder.finish()),
            Self::Bool(builder) => Arc::new(builder.finish()),
            Self::Int(builder) => Arc::new(builder.finish()),
            Self::Time(builder) => Arc::new(builder.finish()),
        })
    }
}

/// Collects rows of `events`. Set the columns of a row in any order, each at most once, then call
/// [`finish_row`](Self::finish_row); what was not set is null. A second value for a column of the same row is ignored.
pub struct EventBuilder {
    wanted: FieldSet,
    set: FieldSet,
    slots: Vec<Slot>,
    rows: usize,
    text_bytes: usize,
}

impl EventBuilder {
    /// A builder that keeps the columns of `wanted`; all others are null in its batches.
    pub fn new(wanted: &FieldSet) -> Self {
        let slot = |field: &Field| if wanted.contains(*field) { Slot::new(*field) } else { Slot::Unwanted };
        let slots = super::column::FIELDS.iter().map(slot).collect();
        Self { wanted: *wanted, set: FieldSet::EMPTY, slots, rows: 0, text_bytes: 0 }
    }

    /// Whether some query reads this column, so that it is worth computing.
    pub fn wants(&self, field: Field) -> bool {
        self.wanted.contains(field)
    }

    /// The columns this builder keeps.
    pub fn wanted(&self) -> FieldSet {
        self.wanted
    }

    fn slot(&mut self, field: Field) -> Option<&mut Slot> {
        (self.wanted.contains(field) && self.set.insert(field)).then(|| &mut self.slots[field as usize])
    }

    /// Sets a text column; nothing and empty text are null.
    pub fn text(&mut self, field: Field, value: Option<&str>) {
        let Some(value) = value.filter(|value| !value.is_empty()) else { return };
        if let Some(Slot::Text(builder)) = self.slot(field) {
            builder.append_value(value);
            self.text_bytes += value.len();
        }
    }

    /// Sets a text column to what is computed only if some query reads it.
    pub fn text_with<'v>(&mut self, field: Field, value: impl FnOnce() -> Option<Cow<'v, str>>) {
        if self.wants(field) {
            self.text(field, value().as_deref());
        }
    }

    /// Sets a column of integers.
    pub fn int(&mut self, field: Field, value: Option<i64>) {
        let Some(value) = value else { return };
        if let Some(Slot::Int(builder)) = self.slot(field) {
            builder.append_value(value);
        }
    }

    /// Sets a column of booleans.
    pub fn flag(&mut self, field: Field, value: Option<bool>) {
        let Some(value) = value else { return };
        if let Some(Slot::Bool(builder)) = self.slot(field) {
            builder.append_value(value);
        }
    }

    /// Sets a column of times, in microseconds since the epoch, UTC.
    pub fn time(&mut self, field: Field, value: Option<i64>) {
        let Some(value) = value else { return };
        if let Some(Slot::Time(builder)) = self.slot(field) {
            builder.append_value(value);
        }
    }

    /// Ends the row: wanted columns that it did not set become null.
    pub fn finish_row(&mut self) {
        for field in self.wanted.without(self.set).iter() {
            self.slots[field as usize].append_null();
        }
        self.set = FieldSet::EMPTY;
        self.rows += 1;
    }

    /// Rows since the last batch.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// An upper estimate, in bytes, of the batch that [`finish`](Self::finish) would give now.
    pub fn bytes(&self) -> usize {
        self.text_bytes + self.rows * self.wanted.len() * size_of::<u128>()
    }

    /// The rows as a batch with the full [`schema`].
    ///
    /// # Errors
    /// Where Arrow refuses the columns, which the bookkeeping here rules out.
    pub fn finish(mut self) -> Result<RecordBatch, ArrowError> {
        let rows = self.rows;
        let mut absent: [Option<ArrayRef>; 4] = [const { None }; 4];
        let columns = self.slots.iter_mut().zip(COLUMNS).map(|(slot, column)| {
            slot.finish().unwrap_or_else(|| {
                let absent = &mut absent[column.kind as usize];
                Arc::clone(absent.get_or_insert_with(|| new_null_array(&data_type(column.kind), rows)))
            })
        });
        let columns = columns.collect();
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        RecordBatch::try_new_with_options(schema(), columns, &options)
    }
}

#[cfg(test)]
mod tests {
    use arrow::array::{Array, AsArray};
    use arrow::datatypes::Int64Type;

    use super::*;

    #[test]
    fn keeps_what_is_wanted_and_pads_the_rest() {
        let mut out = EventBuilder::new(&FieldSet::of(&[
            Field::EventId,
            Field::InputTokens,
            Field::Mfa,
            Field::EventTime,
            Field::UserAgent,
        ]));
        assert!(out.wants(Field::Mfa) && !out.wants(Field::Principal));
        out.text(Field::EventId, Some("one"));
        out.text(Field::EventId, Some("a second value is ignored"));
        out.text(Field::UserAgent, Some(""));
        out.text(Field::Principal, Some("not wanted"));
        out.int(Field::InputTokens, Some(7));
        out.finish_row();
        out.flag(Field::Mfa, Some(false));
        out.time(Field::EventTime, Some(1));
        out.text(Field::UserAgent, Some("an agent longer than twelve bytes"));
        out.finish_row();
        assert_eq!(out.rows(), 2);
        assert!(out.bytes() > 36);
        let batch = out.finish().unwrap();
        assert_eq!(batch.schema(), schema());
        assert_eq!(batch.num_rows(), 2);
        let column = |field: Field| batch.column(field as usize);
        assert_eq!(column(Field::EventId).as_string_view().value(0), "one");
        assert!(column(Field::EventId).is_null(1));
        assert!(column(Field::UserAgent).is_null(0), "empty text is null");
        assert_eq!(column(Field::InputTokens).as_primitive::<Int64Type>().value(0), 7);
        assert!(column(Field::Mfa).is_null(0) && !column(Field::Mfa).as_boolean().value(1));
        assert_eq!(column(Field::Principal).logical_null_count(), 2);
        assert!(Arc::ptr_eq(column(Field::Principal), column(Field::RoleArn)), "absent columns are shared");
        assert_eq!(EventBuilder::new(&FieldSet::all()).finish().unwrap().num_rows(), 0);
    }
}
