//! `json_array_length(json)`: how many elements a JSON array has; null for what is no array.

use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, Int64Builder};
use datafusion::arrow::datatypes::DataType;
use datafusion::common::Result;
use datafusion::logical_expr::ScalarUDF;

use super::{Arguments, Plain, Takes};
use crate::engine::json;

const NAME: &str = "json_array_length";

pub(super) fn make() -> ScalarUDF {
    Plain {
        name: NAME,
        takes: &[Takes::Text],
        usage: "the JSON text of an array, as in json_array_length(json_extract(request_parameters, '$.tools'))",
        returns: DataType::Int64,
        answer,
    }
    .udf()
}

fn answer(args: &Arguments) -> Result<ArrayRef> {
    let json = args.text(0)?;
    let mut builder = Int64Builder::with_capacity(args.rows);
    for row in 0..args.rows {
        let length = json.get(row).and_then(json::elements).map(|all| all.len());
        builder.append_option(length.and_then(|length| i64::try_from(length).ok()));
    }
    Ok(Arc::new(builder.finish()))
}
