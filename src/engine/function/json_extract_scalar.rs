//! `json_extract_scalar(json, path)`: one scalar out of JSON text, as Trino gives it.
//!
//! Strings are unquoted, numbers and booleans are their text as written. Null for an object, an array, JSON null,
//! a path that leads nowhere, and text that is no JSON up to the value. Only the way to the value is parsed, the
//! first of repeated keys wins, and what follows the value is not read, as in Trino.

use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, StringViewBuilder};
use datafusion::arrow::datatypes::DataType;
use datafusion::common::Result;
use datafusion::logical_expr::ScalarUDF;

use super::{Arguments, Paths, Plain, Takes};
use crate::engine::json;

const NAME: &str = "json_extract_scalar";

pub(super) fn make() -> ScalarUDF {
    Plain {
        name: NAME,
        takes: &[Takes::Text, Takes::Text],
        usage: "JSON text and a path, as in json_extract_scalar(request_parameters, '$.modelId')",
        returns: DataType::Utf8View,
        answer,
    }
    .udf()
}

fn answer(args: &Arguments) -> Result<ArrayRef> {
    let json = args.text(0)?;
    let mut paths = Paths::new(NAME, args.text(1)?);
    let mut builder = StringViewBuilder::with_capacity(args.rows);
    for row in 0..args.rows {
        let found = match (json.get(row), paths.get(row)?) {
            (Some(json), Some(steps)) => json::find(json, steps).and_then(json::scalar),
            _ => None,
        };
        builder.append_option(found);
    }
    Ok(Arc::new(builder.finish()))
}
