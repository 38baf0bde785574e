//! SQL functions under Trino's names, where DataFusion has none or one that behaves differently.
//!
//! One file per function and one line in [`FUNCTIONS`]. All of them work on text: arguments arrive as `Utf8View`
//! whatever the column is (plain, large or dictionary), and text results are `Utf8View`.

mod date_add;
mod day_of_week;
mod json_array_contains;
mod json_array_get;
mod json_array_length;
mod json_extract;
mod json_extract_scalar;
mod json_format;
mod json_size;
mod regexp_extract;
mod regexp_like;
mod split_part;
mod to_unixtime;

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, StringViewArray};
use datafusion::arrow::buffer::NullBuffer;
use datafusion::arrow::datatypes::{DataType, Int64Type, TimeUnit, TimestampMicrosecondType};
use datafusion::common::{DataFusionError, ScalarValue, exec_datafusion_err, exec_err, plan_err};
use datafusion::logical_expr::{
    ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};

use crate::engine::json::{self, Step};

/// A function and how to make it.
pub(super) struct Function {
    /// The name in SQL.
    #[cfg_attr(not(test), expect(dead_code, reason = "the laws read it"))]
    pub(super) name: &'static str,
    /// A fresh instance; caches inside live as long as the session.
    pub(super) make: fn() -> ScalarUDF,
}

/// Every function of ours, sorted by name.
pub(super) const FUNCTIONS: &[Function] = &[
    Function { name: "date_add", make: date_add::make },
    Function { name: "day_of_week", make: day_of_week::make },
    Function { name: "json_array_contains", make: json_array_contains::make },
    Function { name: "json_array_get", make: json_array_get::make },
    Function { name: "json_array_length", make: json_array_length::make },
    Function { name: "json_extract", make: json_extract::make },
    Function { name: "json_extract_scalar", make: json_extract_scalar::make },
    Function { name: "json_format", make: json_format::make },
    Function { name: "json_size", make: json_size::make },
    Function { name: "regexp_extract", make: regexp_extract::make },
    Function { name: "regexp_like", make: regexp_like::make },
    Function { name: "split_part", make: split_part::make },
    Function { name: "to_unixtime", make: to_unixtime::make },
];

/// `Utf8View` for anything that is text or null; the name goes into the message otherwise.
fn text_type(function: &str, kind: &DataType) -> Result<DataType, DataFusionError> {
    match kind {
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View | DataType::Null => Ok(DataType::Utf8View),
        DataType::Dictionary(_, value) => text_type(function, value),
        other => plan_err!("{function} wants text, not {other}; CAST the argument AS VARCHAR"),
    }
}

/// What a [`Plain`] function takes for an argument.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Takes {
    Text,
    Int,
    Time,
    /// A text, number or boolean.
    Scalar,
}

impl Takes {
    fn coerce(self, function: &str, kind: &DataType) -> Result<DataType, DataFusionError> {
        let time = DataType::Timestamp(TimeUnit::Microsecond, None);
        match self {
            Self::Int if kind.is_integer() || kind.is_null() => Ok(DataType::Int64),
            Self::Int => plan_err!("{function} wants a whole number, not {kind}"),
            Self::Time
                if matches!(kind, DataType::Timestamp(_, None) | DataType::Date32 | DataType::Null) =>
            {
                Ok(time)
            }
            Self::Time => plan_err!("{function} wants a time, not {kind}"),
            Self::Scalar if kind.is_integer() => Ok(DataType::Int64),
            Self::Scalar if kind.is_numeric() => Ok(DataType::Float64),
            Self::Scalar if *kind == DataType::Boolean => Ok(DataType::Boolean),
            Self::Text | Self::Scalar => text_type(function, kind),
        }
    }
}

/// A function that keeps nothing from one call to the next.
struct Plain {
    name: &'static str,
    takes: &'static [Takes],
    /// What it takes, in words.
    usage: &'static str,
    returns: DataType,
    /// One value for each row.
    answer: fn(&Arguments) -> Result<ArrayRef, DataFusionError>,
}

impl Plain {
    fn udf(self) -> ScalarUDF {
        ScalarUDF::new_from_impl(PlainFunction {
            plain: self,
            signature: Signature::user_defined(Volatility::Immutable),
        })
    }
}

#[derive(Debug)]
struct PlainFunction {
    plain: Plain,
    signature: Signature,
}

impl std::fmt::Debug for Plain {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name)
    }
}

// A name stands for one function.
impl PartialEq for PlainFunction {
    fn eq(&self, other: &Self) -> bool {
        self.plain.name == other.plain.name
    }
}

impl Eq for PlainFunction {}

impl Hash for PlainFunction {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.plain.name.hash(state);
    }
}

impl ScalarUDFImpl for PlainFunction {
    fn name(&self) -> &'static str {
        self.plain.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, kinds: &[DataType]) -> Result<Vec<DataType>, DataFusionError> {
        let Plain { name, takes, usage, .. } = &self.plain;
        if kinds.len() != takes.len() {
            return plan_err!("{name} takes {usage}");
        }
        takes.iter().zip(kinds).map(|(takes, kind)| takes.coerce(name, kind)).collect()
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType, DataFusionError> {
        Ok(self.plain.returns.clone())
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue, DataFusionError> {
        let args = Arguments::new(&args)?;
        args.answer(&(self.plain.answer)(&args)?)
    }
}

/// The arguments as arrays: one row if all are constants, else one for each row of the batch.
struct Arguments {
    arrays: Vec<ArrayRef>,
    constant: bool,
    rows: usize,
}

impl Arguments {
    fn new(args: &ScalarFunctionArgs) -> Result<Self, DataFusionError> {
        let constant = args.args.iter().all(|arg| matches!(arg, ColumnarValue::Scalar(_)));
        let rows = if constant { 1 } else { args.number_rows };
        let arrays = args
            .args
            .iter()
            .map(|arg| match arg {
                ColumnarValue::Array(array) => Ok(Arc::clone(array)),
                // A constant beside columns stays one row: `text` repeats it.
                ColumnarValue::Scalar(value) => value.to_array_of_size(1),
            })
            .collect::<Result<_, _>>()?;
        Ok(Self { arrays, constant, rows })
    }

    fn text(&self, index: usize) -> Result<Text<'_>, DataFusionError> {
        let Some(array) = self.arrays.get(index).and_then(|array| array.as_string_view_opt()) else {
            return exec_err!("argument {} is not text", index + 1);
        };
        Ok(Text { array, single: array.len() == 1 })
    }

    fn int(&self, index: usize) -> Result<Number<'_>, DataFusionError> {
        let Some(array) = self.value(index)?.as_primitive_opt::<Int64Type>() else {
            return exec_err!("argument {} is no whole number", index + 1);
        };
        Ok(Number { values: array.values(), nulls: array.nulls() })
    }

    fn time(&self, index: usize) -> Result<Number<'_>, DataFusionError> {
        let Some(array) = self.value(index)?.as_primitive_opt::<TimestampMicrosecondType>() else {
            return exec_err!("argument {} is no time", index + 1);
        };
        Ok(Number { values: array.values(), nulls: array.nulls() })
    }

    fn value(&self, index: usize) -> Result<&dyn Array, DataFusionError> {
        let missing = || exec_datafusion_err!("argument {} is missing", index + 1);
        self.arrays.get(index).map(AsRef::as_ref).ok_or_else(missing)
    }

    /// Wraps a result of `self.rows` rows: a constant again if everything was.
    fn answer(&self, array: &ArrayRef) -> Result<ColumnarValue, DataFusionError> {
        if self.constant {
            Ok(ColumnarValue::Scalar(ScalarValue::try_from_array(array, 0)?))
        } else {
            Ok(ColumnarValue::Array(Arc::clone(array)))
        }
    }
}

/// A text argument, constant or not.
struct Text<'a> {
    array: &'a StringViewArray,
    single: bool,
}

impl<'a> Text<'a> {
    fn get(&self, row: usize) -> Option<&'a str> {
        let row = if self.single { 0 } else { row };
        (!self.array.is_null(row)).then(|| self.array.value(row))
    }
}

/// Whole numbers, or times in microseconds, constant or not.
struct Number<'a> {
    values: &'a [i64],
    nulls: Option<&'a NullBuffer>,
}

impl Number<'_> {
    fn get(&self, row: usize) -> Option<i64> {
        let row = if self.values.len() == 1 { 0 } else { row };
        self.nulls.is_none_or(|nulls| nulls.is_valid(row)).then(|| self.values[row])
    }
}

/// Paths into JSON, constant or not; each is parsed once as long as it stays the same.
struct Paths<'a> {
    function: &'static str,
    texts: Text<'a>,
    parsed: Option<(&'a str, Vec<Step<'a>>)>,
}

impl<'a> Paths<'a> {
    fn new(function: &'static str, texts: Text<'a>) -> Self {
        Self { function, texts, parsed: None }
    }

    fn get(&mut self, row: usize) -> Result<Option<&[Step<'a>]>, DataFusionError> {
        let Some(path) = self.texts.get(row) else { return Ok(None) };
        if self.parsed.as_ref().is_none_or(|(known, _)| *known != path) {
            self.parsed = Some((path, json::steps(self.function, path)?));
        }
        Ok(self.parsed.as_ref().map(|(_, steps)| steps.as_slice()))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    use super::*;

    #[test]
    fn the_folder_and_the_registry_agree() {
        assert!(FUNCTIONS.is_sorted_by_key(|function| function.name));
        for function in FUNCTIONS {
            assert_eq!((function.make)().name(), function.name);
        }
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/engine/function");
        let files: BTreeSet<String> = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .filter(|name| name != "mod.rs")
            .collect();
        let names: BTreeSet<String> =
            FUNCTIONS.iter().map(|function| format!("{}.rs", function.name)).collect();
        assert_eq!(files, names);
    }

    #[test]
    fn numbers_are_refused_as_text() {
        assert!(text_type("f", &DataType::Int64).is_err());
        let dictionary = DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8));
        assert_eq!(text_type("f", &dictionary).unwrap(), DataType::Utf8View);
    }
}
