//! `split_part(text, delimiter, n)`: the n-th part, from 1, as Trino gives it.
//!
//! DataFusion's own gives an empty text beyond the last part and counts negative numbers from the end; Trino gives
//! null and refuses them.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, StringViewBuilder};
use datafusion::arrow::datatypes::{DataType, Int64Type};
use datafusion::common::{Result, exec_datafusion_err, exec_err, plan_err};
use datafusion::logical_expr::{
    ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};

use super::{Arguments, text_type};

const NAME: &str = "split_part";

pub(super) fn make() -> ScalarUDF {
    ScalarUDF::new_from_impl(SplitPart { signature: Signature::user_defined(Volatility::Immutable) })
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct SplitPart {
    signature: Signature,
}

impl ScalarUDFImpl for SplitPart {
    fn name(&self) -> &'static str {
        NAME
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, kinds: &[DataType]) -> Result<Vec<DataType>> {
        let [text, delimiter, number] = kinds else {
            return plan_err!("{NAME} takes a text, a delimiter and the number of the part, from 1");
        };
        if !number.is_integer() && !number.is_null() {
            return plan_err!("{NAME} wants a whole number as its third argument, not {number}");
        }
        Ok(vec![text_type(NAME, text)?, text_type(NAME, delimiter)?, DataType::Int64])
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Utf8View)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let args = Arguments::new(&args)?;
        let (texts, delimiters) = (args.text(0)?, args.text(1)?);
        let numbers = args
            .arrays
            .get(2)
            .and_then(|array| array.as_primitive_opt::<Int64Type>())
            .ok_or_else(|| exec_datafusion_err!("{NAME} wants a whole number"))?;
        let mut builder = StringViewBuilder::with_capacity(args.rows);
        for row in 0..args.rows {
            let number_row = if numbers.len() == 1 { 0 } else { row };
            let (Some(text), Some(delimiter)) = (texts.get(row), delimiters.get(row)) else {
                builder.append_null();
                continue;
            };
            if numbers.is_null(number_row) {
                builder.append_null();
                continue;
            }
            let Some(skip) =
                numbers.value(number_row).checked_sub(1).and_then(|skip| usize::try_from(skip).ok())
            else {
                return exec_err!("{NAME} counts parts from 1");
            };
            // Trino splits by an empty delimiter between characters.
            let part = if delimiter.is_empty() {
                text.char_indices().nth(skip).map(|(at, c)| &text[at..at + c.len_utf8()])
            } else {
                text.split(delimiter).nth(skip)
            };
            builder.append_option(part);
        }
        let array: ArrayRef = Arc::new(builder.finish());
        args.answer(&array)
    }
}
