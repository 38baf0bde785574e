//! `json_format(json)`: JSON as text.
//!
//! In Trino it turns the type JSON into text; JSON is text here already, so that it changes nothing. Queries need it to
//! mean the same there.

use std::sync::Arc;

use datafusion::arrow::array::ArrayRef;
use datafusion::arrow::datatypes::DataType;
use datafusion::common::{Result, exec_datafusion_err};
use datafusion::logical_expr::ScalarUDF;

use super::{Arguments, Plain, Takes};

const NAME: &str = "json_format";

pub(super) fn make() -> ScalarUDF {
    Plain {
        name: NAME,
        takes: &[Takes::Text],
        usage: "JSON, as in json_format(json_extract(request_parameters, '$.tools'))",
        returns: DataType::Utf8View,
        answer,
    }
    .udf()
}

fn answer(args: &Arguments) -> Result<ArrayRef> {
    args.arrays.first().map(Arc::clone).ok_or_else(|| exec_datafusion_err!("{NAME} takes JSON"))
}
