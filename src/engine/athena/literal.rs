//! A relation as SQL: what a policy or a reference table says travels inside the statement that asks for it.

use std::fmt::Write as _;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{
    DataType, Date32Type, Decimal128Type, Float64Type, Int64Type, SchemaRef, TimeUnit,
    TimestampMicrosecondType,
};

use crate::clock;
use crate::engine::{Error, Result};
use crate::source::api::quoted;

/// What a column's type is called in Athena.
pub(super) fn type_name(kind: &DataType) -> Result<String> {
    Ok(match kind {
        DataType::Utf8 | DataType::Utf8View | DataType::LargeUtf8 | DataType::Null => "VARCHAR".to_owned(),
        DataType::Dictionary(_, value) => type_name(value)?,
        DataType::Boolean => "BOOLEAN".to_owned(),
        DataType::Int8
        | DataType::Int16
        | DataType::Int32
        | DataType::Int64
        | DataType::UInt8
        | DataType::UInt16
        | DataType::UInt32 => "BIGINT".to_owned(),
        DataType::Float32 | DataType::Float64 => "DOUBLE".to_owned(),
        DataType::Timestamp(..) => "TIMESTAMP(3)".to_owned(),
        DataType::Date32 => "DATE".to_owned(),
        DataType::Decimal128(precision, scale) => format!("DECIMAL({precision}, {scale})"),
        other => return Err(Error::Internal(format!("a column of type {other} cannot be taken to Athena"))),
    })
}

/// A name in quotes.
pub(super) fn name(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// A SELECT that gives these rows, typed also where there is none.
pub(super) fn relation(schema: &SchemaRef, batches: &[RecordBatch]) -> Result<String> {
    let mut kinds = Vec::with_capacity(schema.fields().len());
    for field in schema.fields() {
        kinds.push(type_name(field.data_type())?);
    }
    let names: Vec<String> = schema.fields().iter().map(|field| name(field.name())).collect();
    let rows: usize = batches.iter().map(RecordBatch::num_rows).sum();
    if rows == 0 {
        let nothing = kinds.iter().zip(&names).map(|(kind, name)| format!("CAST(NULL AS {kind}) AS {name}"));
        return Ok(format!("SELECT {} WHERE FALSE", nothing.collect::<Vec<_>>().join(", ")));
    }
    let mut sql = String::from("SELECT * FROM (VALUES\n");
    let mut first = true;
    for batch in batches {
        let columns = batch.columns().iter().map(Cells::of).collect::<Result<Vec<_>>>()?;
        for row in 0..batch.num_rows() {
            sql.push_str(if first { "(" } else { ",\n(" });
            for (at, (column, kind)) in columns.iter().zip(&kinds).enumerate() {
                if at > 0 {
                    sql.push_str(", ");
                }
                let value = column.literal(row);
                // The first row gives every column its type.
                let _ = if first { write!(sql, "CAST({value} AS {kind})") } else { write!(sql, "{value}") };
            }
            sql.push(')');
            first = false;
        }
    }
    let _ = write!(sql, "\n) AS t ({})", names.join(", "));
    Ok(sql)
}

/// A column in one of the few forms that literals have.
enum Cells {
    Text(ArrayRef),
    Flag(ArrayRef),
    Whole(ArrayRef),
    Float(ArrayRef),
    Time(ArrayRef),
    Date(ArrayRef),
    Decimal(ArrayRef),
}

impl Cells {
    fn of(column: &ArrayRef) -> Result<Self> {
        let to = |kind: &DataType| cast(column, kind).map_err(Error::from);
        Ok(match column.data_type() {
            DataType::Boolean => Self::Flag(ArrayRef::clone(column)),
            DataType::Float32 | DataType::Float64 => Self::Float(to(&DataType::Float64)?),
            DataType::Timestamp(..) => Self::Time(to(&DataType::Timestamp(TimeUnit::Microsecond, None))?),
            DataType::Date32 => Self::Date(ArrayRef::clone(column)),
            DataType::Decimal128(..) => Self::Decimal(ArrayRef::clone(column)),
            kind if kind.is_integer() => Self::Whole(to(&DataType::Int64)?),
            _ => Self::Text(to(&DataType::Utf8)?),
        })
    }

    fn literal(&self, row: usize) -> String {
        let (Self::Text(array)
        | Self::Flag(array)
        | Self::Whole(array)
        | Self::Float(array)
        | Self::Time(array)
        | Self::Date(array)
        | Self::Decimal(array)) = self;
        if array.is_null(row) {
            return "NULL".to_owned();
        }
        match self {
            Self::Text(array) => quoted(array.as_string::<i32>().value(row)),
            Self::Flag(array) => if array.as_boolean().value(row) { "TRUE" } else { "FALSE" }.to_owned(),
            Self::Whole(array) => array.as_primitive::<Int64Type>().value(row).to_string(),
            Self::Float(array) => match array.as_primitive::<Float64Type>().value(row) {
                value if value.is_finite() => format!("{value:E}"),
                value if value.is_nan() => "nan()".to_owned(),
                value if value > 0.0 => "infinity()".to_owned(),
                _ => "-infinity()".to_owned(),
            },
            Self::Time(array) => time(array.as_primitive::<TimestampMicrosecondType>().value(row)),
            Self::Date(array) => {
                let date = array.as_primitive::<Date32Type>().value_as_date(row).unwrap_or_default();
                format!("DATE '{date}'")
            }
            Self::Decimal(array) => {
                format!("DECIMAL '{}'", array.as_primitive::<Decimal128Type>().value_as_string(row))
            }
        }
    }
}

/// A time as a literal: `TIMESTAMP '2026-10-05 08:01:00'`.
pub(super) fn time(micros: i64) -> String {
    format!("TIMESTAMP '{}'", clock::format_micros(micros).replace('T', " ").trim_end_matches('Z'))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use datafusion::arrow::array::{
        BooleanArray, Float64Array, Int64Array, StringViewArray, TimestampMicrosecondArray,
    };

    use super::*;

    fn batch(texts: Vec<Option<&str>>) -> RecordBatch {
        let rows = texts.len();
        RecordBatch::try_from_iter_with_nullable([
            ("t", Arc::new(StringViewArray::from(texts)) as ArrayRef, true),
            ("b", Arc::new(BooleanArray::from(vec![Some(true); rows])) as ArrayRef, true),
            ("i", Arc::new(Int64Array::from(vec![-3; rows])) as ArrayRef, true),
            ("f", Arc::new(Float64Array::from(vec![0.125; rows])) as ArrayRef, true),
            ("w", Arc::new(TimestampMicrosecondArray::from(vec![1_500_000; rows])) as ArrayRef, true),
        ])
        .unwrap()
    }

    #[test]
    fn rows_are_written_out_and_text_stays_text() {
        let rows = batch(vec![None, Some("o'y\n\\ x")]);
        insta::assert_snapshot!(relation(&rows.schema(), &[rows]).unwrap(), @r#"
        SELECT * FROM (VALUES
        (CAST(NULL AS VARCHAR), CAST(TRUE AS BOOLEAN), CAST(-3 AS BIGINT), CAST(1.25E-1 AS DOUBLE), CAST(TIMESTAMP '1970-01-01 00:00:01.500' AS TIMESTAMP(3))),
        ('o''y
        \ x', TRUE, -3, 1.25E-1, TIMESTAMP '1970-01-01 00:00:01.500')
        ) AS t ("t", "b", "i", "f", "w")
        "#);
    }

    #[test]
    fn no_rows_have_types_all_the_same() {
        let rows = batch(Vec::new());
        assert!(
            relation(&rows.schema(), &[])
                .unwrap()
                .starts_with("SELECT CAST(NULL AS VARCHAR) AS \"t\", CAST(NULL AS BOOLEAN)")
        );
        assert!(relation(&rows.schema(), &[rows]).unwrap().ends_with(" WHERE FALSE"));
    }
}
