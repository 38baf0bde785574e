//! `json_array_get(json, index)`: one element of a JSON array, from 0; from the end if the index is negative.
//!
//! As in Trino a string comes without its quotes, and JSON null as the text `null`; objects and arrays are JSON text.
//! Null beyond the array and for what is no array.

use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, StringViewBuilder};
use datafusion::arrow::datatypes::DataType;
use datafusion::common::Result;
use datafusion::logical_expr::ScalarUDF;

use super::{Arguments, Plain, Takes};
use crate::engine::json;

const NAME: &str = "json_array_get";

pub(super) fn make() -> ScalarUDF {
    Plain {
        name: NAME,
        takes: &[Takes::Text, Takes::Int],
        usage: "the JSON text of an array and an index from 0, as in json_array_get(resources, 0)",
        returns: DataType::Utf8View,
        answer,
    }
    .udf()
}

fn answer(args: &Arguments) -> Result<ArrayRef> {
    let (json, index) = (args.text(0)?, args.int(1)?);
    let mut builder = StringViewBuilder::with_capacity(args.rows);
    for row in 0..args.rows {
        let (Some(all), Some(index)) = (json.get(row).and_then(json::elements), index.get(row)) else {
            builder.append_null();
            continue;
        };
        let place = usize::try_from(index.unsigned_abs())
            .ok()
            .and_then(|distance| if index < 0 { all.len().checked_sub(distance) } else { Some(distance) });
        let element = place.and_then(|place| all.get(place)).map(|element| element.get());
        builder.append_option(element.map(|text| json::scalar(text).unwrap_or_else(|| json::compact(text))));
    }
    Ok(Arc::new(builder.finish()))
}
