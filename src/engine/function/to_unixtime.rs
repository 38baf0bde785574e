//! `to_unixtime(time)`: seconds since 1970, with their fraction.
//!
//! DataFusion's own leaves out the fraction, and counts the seconds as whole numbers.

use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, Float64Builder};
use datafusion::arrow::datatypes::DataType;
use datafusion::common::Result;
use datafusion::logical_expr::ScalarUDF;

use super::{Arguments, Plain, Takes};

const NAME: &str = "to_unixtime";

pub(super) fn make() -> ScalarUDF {
    Plain {
        name: NAME,
        takes: &[Takes::Time],
        usage: "a time, as in to_unixtime(event_time)",
        returns: DataType::Float64,
        answer,
    }
    .udf()
}

#[expect(clippy::cast_precision_loss, reason = "microseconds of our times fit 53 bits until the year 2255")]
fn answer(args: &Arguments) -> Result<ArrayRef> {
    let times = args.time(0)?;
    let mut builder = Float64Builder::with_capacity(args.rows);
    for row in 0..args.rows {
        builder.append_option(times.get(row).map(|micros| micros as f64 / 1e6));
    }
    Ok(Arc::new(builder.finish()))
}
