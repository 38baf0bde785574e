//! Rows that Athena hands back as texts, as the Arrow arrays that the local engine would have given.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, RecordBatch, StringBuilder};
use datafusion::arrow::compute::{CastOptions, cast_with_options};
use datafusion::arrow::datatypes::{DataType, SchemaRef};
use datafusion::arrow::util::display::FormatOptions;

use crate::engine::{Error, Result};

/// One page of rows as a batch.
pub(super) fn batch(schema: &SchemaRef, rows: &[Vec<Option<String>>]) -> Result<RecordBatch> {
    let mut columns = Vec::with_capacity(schema.fields().len());
    for (at, field) in schema.fields().iter().enumerate() {
        let mut texts = StringBuilder::new();
        for row in rows {
            let Some(cell) = row.get(at) else {
                return Err(Error::Internal(format!(
                    "Athena answered with {} columns where {} were asked for",
                    row.len(),
                    schema.fields().len()
                )));
            };
            texts.append_option(cell.as_deref());
        }
        columns.push(typed(&(Arc::new(texts.finish()) as ArrayRef), field.data_type(), field.name())?);
    }
    let schema = nullable(schema);
    let options = datafusion::arrow::array::RecordBatchOptions::new().with_row_count(Some(rows.len()));
    Ok(RecordBatch::try_new_with_options(schema, columns, &options)?)
}

/// The schema with every column nullable: another engine need not know what cannot be null.
pub(super) fn nullable(schema: &SchemaRef) -> SchemaRef {
    let fields = schema.fields().iter().map(|field| field.as_ref().clone().with_nullable(true));
    Arc::new(datafusion::arrow::datatypes::Schema::new(fields.collect::<Vec<_>>()))
}

fn typed(texts: &ArrayRef, kind: &DataType, name: &str) -> Result<ArrayRef> {
    // What does not fit is an error, never a null.
    let options = CastOptions { safe: false, format_options: FormatOptions::default() };
    let wrong = |error: &dyn std::fmt::Display| {
        Error::Internal(format!("Athena's column {name} cannot be read as {kind}: {error}"))
    };
    let target = match kind {
        DataType::Dictionary(_, value) => value.as_ref(),
        kind => kind,
    };
    if *target == DataType::Null {
        return Ok(datafusion::arrow::array::new_null_array(target, texts.len()));
    }
    let array = cast_with_options(texts, target, &options).map_err(|error| wrong(&error))?;
    if target == kind {
        Ok(array)
    } else {
        cast_with_options(&array, kind, &options).map_err(|error| wrong(&error))
    }
}

#[cfg(test)]
mod tests {
    use datafusion::arrow::datatypes::{Field, Schema, TimeUnit};
    use datafusion::arrow::util::pretty::pretty_format_batches;

    use super::*;

    fn schema() -> SchemaRef {
        let field = |name: &str, kind: DataType| Field::new(name, kind, false);
        Arc::new(Schema::new(vec![
            field("text", DataType::Utf8View),
            field("count", DataType::Int64),
            field("share", DataType::Float64),
            field("flag", DataType::Boolean),
            field("time", DataType::Timestamp(TimeUnit::Microsecond, None)),
            field("day", DataType::Date32),
        ]))
    }

    fn row(cells: [Option<&str>; 6]) -> Vec<Option<String>> {
        cells.into_iter().map(|cell| cell.map(str::to_owned)).collect()
    }

    #[test]
    fn texts_become_what_they_say() {
        let rows = [
            row([
                Some(""),
                Some("12"),
                Some("1.25E-1"),
                Some("true"),
                Some("2026-10-05 08:01:00.250"),
                Some("2026-10-05"),
            ]),
            row([None; 6]),
        ];
        let batch = batch(&schema(), &rows).unwrap();
        insta::assert_snapshot!(pretty_format_batches(&[batch]).unwrap(), @r"
        +------+-------+-------+------+-------------------------+------------+
        | text | count | share | flag | time                    | day        |
        +------+-------+-------+------+-------------------------+------------+
        |      | 12    | 0.125 | true | 2026-10-05T08:01:00.250 | 2026-10-05 |
        |      |       |       |      |                         |            |
        +------+-------+-------+------+-------------------------+------------+
        ");
    }

    #[test]
    fn what_does_not_fit_is_no_null() {
        let wrong = batch(&schema(), &[row([None, Some("many"), None, None, None, None])]).unwrap_err();
        assert!(wrong.to_string().contains("column count cannot be read as Int64"), "{wrong}");
        let short = batch(&schema(), &[vec![None]]).unwrap_err();
        assert!(short.to_string().contains("1 columns where 6"), "{short}");
    }
}
