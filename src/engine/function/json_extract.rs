//! `json_extract(json, path)`: the part of JSON text at a path, as JSON text.
//!
//! Trino's answer has the type JSON; here it is the text that `json_format` makes of it there: no white space between
//! parts, strings with their quotes, JSON null as `null`. Numbers stay as written. Null where the path leads nowhere
//! and for text that is no JSON up to the value.

use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, StringViewBuilder};
use datafusion::arrow::datatypes::DataType;
use datafusion::common::Result;
use datafusion::logical_expr::ScalarUDF;

use super::{Arguments, Paths, Plain, Takes};
use crate::engine::json;

const NAME: &str = "json_extract";

pub(super) fn make() -> ScalarUDF {
    Plain {
        name: NAME,
        takes: &[Takes::Text, Takes::Text],
        usage: "JSON text and a path, as in json_extract(request_parameters, '$.tools')",
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
            (Some(json), Some(steps)) => json::find(json, steps).map(json::compact),
            _ => None,
        };
        builder.append_option(found);
    }
    Ok(Arc::new(builder.finish()))
}
