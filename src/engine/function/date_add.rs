//! `date_add(unit, count, time)`: a time so many units later; a negative count is earlier.
//!
//! For counts that a column holds: a written one is better put as `time + INTERVAL '90' DAY`.

use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, TimestampMicrosecondBuilder};
use datafusion::arrow::datatypes::{DataType, TimeUnit};
use datafusion::common::{Result, exec_err};
use datafusion::logical_expr::ScalarUDF;

use super::{Arguments, Plain, Takes};

const NAME: &str = "date_add";

pub(super) fn make() -> ScalarUDF {
    Plain {
        name: NAME,
        takes: &[Takes::Text, Takes::Int, Takes::Time],
        usage: "a unit, a count and a time, as in date_add('minute', 90, event_time)",
        returns: DataType::Timestamp(TimeUnit::Microsecond, None),
        answer,
    }
    .udf()
}

fn answer(args: &Arguments) -> Result<ArrayRef> {
    let (units, counts, times) = (args.text(0)?, args.int(1)?, args.time(2)?);
    let mut builder = TimestampMicrosecondBuilder::with_capacity(args.rows);
    for row in 0..args.rows {
        let (Some(unit), Some(count), Some(time)) = (units.get(row), counts.get(row), times.get(row)) else {
            builder.append_null();
            continue;
        };
        let micros = match unit.to_ascii_lowercase().as_str() {
            "second" => 1_000_000,
            "minute" => 60_000_000,
            "hour" => 3_600_000_000,
            "day" => 86_400_000_000,
            "week" => 604_800_000_000,
            _ => return exec_err!("{NAME} counts in second, minute, hour, day or week, not '{unit}'"),
        };
        match count.checked_mul(micros).and_then(|micros| time.checked_add(micros)) {
            Some(later) => builder.append_value(later),
            None => return exec_err!("{NAME}: {count} {unit}s later is beyond all times"),
        }
    }
    Ok(Arc::new(builder.finish()))
}
