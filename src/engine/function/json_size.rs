//! `json_size(json, path)`: how many members the object, or elements the array, at a path has.
//!
//! 0 for a scalar and for JSON null; null where the path leads nowhere.

use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, Int64Builder};
use datafusion::arrow::datatypes::DataType;
use datafusion::common::Result;
use datafusion::logical_expr::ScalarUDF;

use super::{Arguments, Paths, Plain, Takes};
use crate::engine::json;

const NAME: &str = "json_size";

pub(super) fn make() -> ScalarUDF {
    Plain {
        name: NAME,
        takes: &[Takes::Text, Takes::Text],
        usage: "JSON text and a path, as in json_size(request_parameters, '$.tools')",
        returns: DataType::Int64,
        answer,
    }
    .udf()
}

fn answer(args: &Arguments) -> Result<ArrayRef> {
    let json = args.text(0)?;
    let mut paths = Paths::new(NAME, args.text(1)?);
    let mut builder = Int64Builder::with_capacity(args.rows);
    for row in 0..args.rows {
        let found = match (json.get(row), paths.get(row)?) {
            (Some(json), Some(steps)) => json::find(json, steps),
            _ => None,
        };
        let size = found.map(|value| {
            json::elements(value).map(|all| all.len()).or_else(|| json::members(value)).unwrap_or(0)
        });
        builder.append_option(size.and_then(|size| i64::try_from(size).ok()));
    }
    Ok(Arc::new(builder.finish()))
}
