//! From whatever Arrow types a query returns to the few that every format spells alike.
//!
//! Text is Utf8, integers Int64, other numbers Float64 or Decimal128, instants microseconds in UTC; what has
//! no plain spelling (lists, structs, intervals) becomes text. Every column is nullable, so that a schema
//! does not depend on what a run happened to find.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch, StringArray};
use arrow::compute::{CastOptions, cast_with_options};
use arrow::datatypes::{
    DataType, Date32Type, Decimal128Type, Field, Float64Type, Int64Type, Schema, SchemaRef, TimeUnit,
    TimestampMicrosecondType,
};
use arrow::error::ArrowError;
use arrow::util::display::{ArrayFormatter, FormatOptions};
use chrono::{DateTime, Utc};

use super::{Answer, Error};

/// The key of a field's metadata under which its column's meaning is kept.
pub(super) const MEANING: &str = "meaning";

const UTC: &str = "UTC";

/// A cell's value.
pub(super) enum Value<'a> {
    Null,
    Bool(bool),
    Int(i64),
    Float(f64),
    /// Digits, with a point where there is a scale.
    Decimal(String),
    Text(&'a str),
    /// `2026-10-01T12:00:00Z`, or a date alone.
    Time(String),
}

impl<'a> Value<'a> {
    /// The value as characters; null as nothing.
    pub(super) fn plain(self) -> Cow<'a, str> {
        match self {
            Value::Null => Cow::Borrowed(""),
            Value::Bool(value) => Cow::Borrowed(if value { "true" } else { "false" }),
            Value::Int(value) => Cow::Owned(value.to_string()),
            Value::Float(value) => Cow::Owned(value.to_string()),
            Value::Decimal(value) | Value::Time(value) => Cow::Owned(value),
            Value::Text(value) => Cow::Borrowed(value),
        }
    }
}

/// The name of a type in our documents: text, bool, int, float, decimal, time or date.
pub fn kind(data_type: &DataType) -> &'static str {
    match data_type {
        DataType::Boolean => "bool",
        DataType::Int64 => "int",
        DataType::Float64 => "float",
        DataType::Decimal128(..) => "decimal",
        DataType::Timestamp(..) => "time",
        DataType::Date32 => "date",
        _ => "text",
    }
}

/// Whether a column's values are lined up by their last digit.
pub(super) fn numeric(data_type: &DataType) -> bool {
    matches!(kind(data_type), "int" | "float" | "decimal")
}

/// The answer's columns in plain types. A name that is there already, or among `taken`, gets `_2`, `_3`, …:
/// JSON and Parquet cannot tell two columns of one name apart.
pub(super) fn schema(answer: &Answer, taken: &[&str]) -> SchemaRef {
    let given: BTreeSet<&str> = answer.schema.fields().iter().map(|field| field.name().as_str()).collect();
    let mut names: BTreeSet<String> = taken.iter().map(|&name| name.to_owned()).collect();
    let fields: Vec<Field> = answer
        .schema
        .fields()
        .iter()
        .map(|field| {
            let mut name = field.name().clone();
            let mut count = 1;
            while names.contains(&name) || (count > 1 && given.contains(name.as_str())) {
                count += 1;
                name = format!("{}_{count}", field.name());
            }
            names.insert(name.clone());
            Field::new(name, plain(field.data_type()), true).with_metadata(field.metadata().clone())
        })
        .collect();
    Arc::new(Schema::new(fields))
}

fn plain(data_type: &DataType) -> DataType {
    match data_type {
        DataType::Boolean | DataType::Date32 | DataType::Decimal128(..) => data_type.clone(),
        DataType::Decimal32(_, scale) | DataType::Decimal64(_, scale) => DataType::Decimal128(38, *scale),
        _ if data_type.is_integer() => DataType::Int64,
        _ if data_type.is_floating() => DataType::Float64,
        DataType::Timestamp(..) => DataType::Timestamp(TimeUnit::Microsecond, Some(UTC.into())),
        DataType::Date64 => DataType::Date32,
        DataType::Dictionary(_, value) => plain(value),
        _ => DataType::Utf8,
    }
}

/// The answer's batches with the columns of `schema` (see [`schema()`]).
pub(super) fn batches<'a>(
    answer: &'a Answer,
    schema: &'a SchemaRef,
) -> impl Iterator<Item = Result<RecordBatch, Error>> + 'a {
    answer.rows.batches().map(move |batch| {
        let batch = batch?;
        let (expected, found) = (schema.fields().len(), batch.num_columns());
        if expected != found {
            return Err(Error::Shape { answer: answer.name.clone(), expected, found });
        }
        let columns = schema.fields().iter().zip(batch.columns());
        let columns: Result<Vec<ArrayRef>, Error> = columns
            .map(|(field, array)| {
                cast(array, field.data_type()).map_err(|source| Error::Column {
                    column: field.name().clone(),
                    answer: answer.name.clone(),
                    source,
                })
            })
            .collect();
        let rows = arrow::array::RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
        Ok(RecordBatch::try_new_with_options(Arc::clone(schema), columns?, &rows)?)
    })
}

fn cast(array: &ArrayRef, to: &DataType) -> Result<ArrayRef, ArrowError> {
    // A value that does not fit is an error, never a silent null.
    let strict = CastOptions { safe: false, format_options: FormatOptions::new() };
    match (array.data_type(), to) {
        (from, to) if from == to => Ok(Arc::clone(array)),
        // The zone is only how an instant is shown; casting between zones would shift naive values.
        (DataType::Timestamp(_, zone), DataType::Timestamp(unit, _)) => {
            let array = cast_with_options(array, &DataType::Timestamp(*unit, zone.clone()), &strict)?;
            Ok(Arc::new(array.as_primitive::<TimestampMicrosecondType>().clone().with_timezone(UTC)))
        }
        (from, DataType::Utf8) if !textual(from) => {
            let options = FormatOptions::new().with_display_error(false).with_null("null");
            let formatter = ArrayFormatter::try_new(array, &options)?;
            let cells = (0..array.len())
                .map(|row| array.is_valid(row).then(|| formatter.value(row).try_to_string()).transpose());
            Ok(Arc::new(cells.collect::<Result<StringArray, _>>()?))
        }
        _ => cast_with_options(array, to, &strict),
    }
}

fn textual(data_type: &DataType) -> bool {
    match data_type {
        DataType::Dictionary(_, value) => textual(value),
        _ => data_type.is_string() || data_type.is_null(),
    }
}

/// The value at a row of a column that [`batches`] yielded.
pub(super) fn value(array: &dyn Array, row: usize) -> Value<'_> {
    if array.is_null(row) {
        return Value::Null;
    }
    match array.data_type() {
        DataType::Boolean => Value::Bool(array.as_boolean().value(row)),
        DataType::Int64 => Value::Int(array.as_primitive::<Int64Type>().value(row)),
        DataType::Float64 => Value::Float(array.as_primitive::<Float64Type>().value(row)),
        DataType::Decimal128(..) => {
            Value::Decimal(array.as_primitive::<Decimal128Type>().value_as_string(row))
        }
        DataType::Date32 => {
            let days = array.as_primitive::<Date32Type>().value(row);
            let date = DateTime::from_timestamp(i64::from(days) * 86_400, 0);
            Value::Time(date.map_or_else(|| days.to_string(), |date| date.format("%Y-%m-%d").to_string()))
        }
        DataType::Timestamp(..) => {
            Value::Time(instant(array.as_primitive::<TimestampMicrosecondType>().value(row)))
        }
        _ => Value::Text(array.as_string::<i32>().value(row)),
    }
}

/// RFC 3339 in UTC, with a fraction only where there is one; beyond the calendar, the microseconds.
fn instant(micros: i64) -> String {
    DateTime::<Utc>::from_timestamp_micros(micros)
        .map_or_else(|| micros.to_string(), |time| time.format("%Y-%m-%dT%H:%M:%S%.fZ").to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::sample;
    use arrow::array::{DictionaryArray, LargeStringArray, TimestampSecondArray, UInt64Array};
    use arrow::datatypes::Int32Type;

    fn spelled(array: ArrayRef) -> Result<Vec<String>, Error> {
        let answer = sample::answer("a", vec![("c", array)]);
        let schema = schema(&answer, &[]);
        let batch = batches(&answer, &schema).next().unwrap()?;
        Ok((0..batch.num_rows()).map(|row| value(batch.column(0), row).plain().into_owned()).collect())
    }

    #[test]
    fn one_spelling_whatever_the_array() {
        let dictionary: DictionaryArray<Int32Type> = ["a", "b", "a"].into_iter().collect();
        assert_eq!(spelled(Arc::new(dictionary)).unwrap(), ["a", "b", "a"]);
        assert_eq!(spelled(Arc::new(LargeStringArray::from(vec!["a"]))).unwrap(), ["a"]);
        let time = TimestampSecondArray::from(vec![1_790_856_000]);
        let zoned = time.clone().with_timezone("+02:00");
        for time in [time, zoned] {
            assert_eq!(spelled(Arc::new(time)).unwrap(), ["2026-10-01T12:00:00Z"]);
        }
    }

    #[test]
    fn what_does_not_fit_is_an_error_and_not_a_null() {
        let error = spelled(Arc::new(UInt64Array::from(vec![u64::MAX]))).unwrap_err();
        insta::assert_snapshot!(error, @r#"cannot spell column "c" of "a": Cast error: Can't cast value 18446744073709551615 to type Int64; cast it to text in the query"#);
    }

    #[test]
    fn a_batch_of_another_shape_is_refused() {
        let mut answer = sample::texts(&["a"]);
        answer.rows = sample::columns(&["x"]).rows;
        let schema = schema(&answer, &[]);
        let error = batches(&answer, &schema).next().unwrap().unwrap_err();
        insta::assert_snapshot!(error, @r#""texts" has 2 columns, but a batch of it has 1"#);
    }
}
