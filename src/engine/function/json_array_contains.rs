//! `json_array_contains(json, value)`: whether a JSON array has an element equal to a text, number or boolean.
//!
//! Kinds must agree, as in Trino: a text equals strings only, a whole number equals numbers written without fraction
//! and exponent, another number those written with one. Null for what is no array.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, BooleanBuilder};
use datafusion::arrow::datatypes::{DataType, Float64Type, Int64Type};
use datafusion::common::Result;
use datafusion::logical_expr::ScalarUDF;
use serde_json::value::RawValue;

use super::{Arguments, Plain, Takes};
use crate::engine::json;

const NAME: &str = "json_array_contains";

pub(super) fn make() -> ScalarUDF {
    Plain {
        name: NAME,
        takes: &[Takes::Text, Takes::Scalar],
        usage: "the JSON text of an array and a value, as in json_array_contains(additional_event_data, 'x')",
        returns: DataType::Boolean,
        answer,
    }
    .udf()
}

fn answer(args: &Arguments) -> Result<ArrayRef> {
    let json = args.text(0)?;
    let values = args.value(1)?;
    let mut builder = BooleanBuilder::with_capacity(args.rows);
    for row in 0..args.rows {
        let at = if values.len() == 1 { 0 } else { row };
        let all = json.get(row).and_then(json::elements);
        let (Some(all), false) = (all, values.is_null(at)) else {
            builder.append_null();
            continue;
        };
        builder.append_value(all.iter().any(|element| equals(element, values, at)));
    }
    Ok(Arc::new(builder.finish()))
}

fn equals(element: &RawValue, values: &dyn Array, at: usize) -> bool {
    let text = element.get();
    let fraction = text.contains(['.', 'e', 'E']);
    match values.data_type() {
        DataType::Boolean => text == if values.as_boolean().value(at) { "true" } else { "false" },
        DataType::Int64 => {
            !fraction
                && text.parse::<i64>().is_ok_and(|it| it == values.as_primitive::<Int64Type>().value(at))
        }
        DataType::Float64 => {
            fraction
                && text
                    .parse::<f64>()
                    .is_ok_and(|it| it.total_cmp(&values.as_primitive::<Float64Type>().value(at)).is_eq())
        }
        _ => {
            text.starts_with('"')
                && json::scalar(text).is_some_and(|it| it == values.as_string_view().value(at))
        }
    }
}
