//! SQL functions under Trino's names, where DataFusion has none or one that behaves differently.
//!
//! One file per function and one line in [`FUNCTIONS`]. All of them work on text: arguments arrive as `Utf8View`
//! whatever the column is (plain, large or dictionary), and text results are `Utf8View`.

mod json_extract_scalar;
mod regexp_like;
mod split_part;

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, StringViewArray};
use datafusion::arrow::datatypes::DataType;
use datafusion::common::{DataFusionError, ScalarValue, exec_err, plan_err};
use datafusion::logical_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDF};

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
    Function { name: "json_extract_scalar", make: json_extract_scalar::make },
    Function { name: "regexp_like", make: regexp_like::make },
    Function { name: "split_part", make: split_part::make },
];

/// `Utf8View` for anything that is text or null; the name goes into the message otherwise.
fn text_type(function: &str, kind: &DataType) -> Result<DataType, DataFusionError> {
    match kind {
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View | DataType::Null => Ok(DataType::Utf8View),
        DataType::Dictionary(_, value) => text_type(function, value),
        other => plan_err!("{function} wants text, not {other}; CAST the argument AS VARCHAR"),
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
