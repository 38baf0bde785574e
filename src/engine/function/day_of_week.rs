//! `day_of_week(time)`: 1 for Monday to 7 for Sunday.

use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, Int64Builder};
use datafusion::arrow::datatypes::DataType;
use datafusion::common::Result;
use datafusion::logical_expr::ScalarUDF;

use super::{Arguments, Plain, Takes};

/// Microseconds in a day.
const DAY: i64 = 86_400_000_000;

const NAME: &str = "day_of_week";

pub(super) fn make() -> ScalarUDF {
    Plain {
        name: NAME,
        takes: &[Takes::Time],
        usage: "a time, as in day_of_week(event_time)",
        returns: DataType::Int64,
        answer,
    }
    .udf()
}

fn answer(args: &Arguments) -> Result<ArrayRef> {
    let times = args.time(0)?;
    let mut builder = Int64Builder::with_capacity(args.rows);
    for row in 0..args.rows {
        // 1970 began on a Thursday.
        builder.append_option(times.get(row).map(|micros| (micros.div_euclid(DAY) + 3).rem_euclid(7) + 1));
    }
    Ok(Arc::new(builder.finish()))
}
