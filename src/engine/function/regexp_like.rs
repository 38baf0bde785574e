//! `regexp_like(text, pattern)`: whether the pattern is found in the text.
//!
//! DataFusion's own compiles the patterns of a column anew for every batch; a policy's globs, joined against every
//! role and model, would be compiled thousands of times. This one keeps what it compiled for the session. It takes
//! two arguments, as Trino's: write `(?i)` into the pattern for what would be a flag.

use std::collections::HashMap;
use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, BooleanBuilder};
use datafusion::arrow::datatypes::DataType;
use datafusion::common::{Result, plan_err};
use datafusion::logical_expr::{
    ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};
use regex::Regex;

use super::{Arguments, text_type};
use crate::engine::pattern::Patterns;

const NAME: &str = "regexp_like";

pub(super) fn make() -> ScalarUDF {
    ScalarUDF::new_from_impl(RegexpLike {
        signature: Signature::user_defined(Volatility::Immutable),
        patterns: Patterns::default(),
    })
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct RegexpLike {
    signature: Signature,
    patterns: Patterns,
}

impl ScalarUDFImpl for RegexpLike {
    fn name(&self) -> &'static str {
        NAME
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, kinds: &[DataType]) -> Result<Vec<DataType>> {
        if kinds.len() != 2 {
            return plan_err!(
                "{NAME} takes a text and a pattern; flags go into the pattern, as in '(?i)claude'"
            );
        }
        kinds.iter().map(|kind| text_type(NAME, kind)).collect()
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Boolean)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let args = Arguments::new(&args)?;
        let (texts, patterns) = (args.text(0)?, args.text(1)?);
        let mut builder = BooleanBuilder::with_capacity(args.rows);
        // In front of the shared cache: the patterns of this batch, and the last of them.
        let mut batch: HashMap<&str, Arc<Regex>> = HashMap::new();
        let mut last: Option<(&str, Arc<Regex>)> = None;
        for row in 0..args.rows {
            let (Some(text), Some(pattern)) = (texts.get(row), patterns.get(row)) else {
                builder.append_null();
                continue;
            };
            let regex = match &last {
                Some((known, regex)) if *known == pattern => regex,
                _ => {
                    let regex = match batch.get(pattern) {
                        Some(regex) => Arc::clone(regex),
                        None => Arc::clone(batch.entry(pattern).or_insert(self.patterns.compile(pattern)?)),
                    };
                    &last.insert((pattern, regex)).1
                }
            };
            builder.append_value(regex.is_match(text));
        }
        let array: ArrayRef = Arc::new(builder.finish());
        args.answer(&array)
    }
}

#[cfg(test)]
mod tests {
    use datafusion::arrow::array::{Array, AsArray, StringViewArray};
    use datafusion::arrow::datatypes::Field;
    use datafusion::config::ConfigOptions;

    use super::*;
    use crate::engine::pattern::KEPT;

    fn invoke(
        function: &RegexpLike,
        texts: &[Option<&str>],
        patterns: &[Option<&str>],
    ) -> Result<Vec<Option<bool>>> {
        let column = |values: &[Option<&str>]| {
            ColumnarValue::Array(Arc::new(values.iter().collect::<StringViewArray>()) as ArrayRef)
        };
        let args = ScalarFunctionArgs {
            args: vec![column(texts), column(patterns)],
            arg_fields: Vec::new(),
            number_rows: texts.len(),
            return_field: Arc::new(Field::new("", DataType::Boolean, true)),
            config_options: Arc::new(ConfigOptions::default()),
        };
        let array = function.invoke_with_args(args)?.into_array(texts.len())?;
        Ok(array.as_boolean().iter().collect())
    }

    fn function() -> RegexpLike {
        RegexpLike {
            signature: Signature::user_defined(Volatility::Immutable),
            patterns: Patterns::default(),
        }
    }

    #[test]
    fn a_pattern_column_is_compiled_once_per_pattern_not_per_row() {
        let function = function();
        let pattern = |row: usize| format!(r"\A(?s:role-{}-.*)\z", row % 50);
        let texts: Vec<String> = (0..100_000).map(|row| format!("role-{}-x\ny", row % 49)).collect();
        let patterns: Vec<String> = (0..100_000).map(pattern).collect();
        let mut found = 0;
        for (texts, patterns) in texts.chunks(8192).zip(patterns.chunks(8192)) {
            let texts: Vec<_> = texts.iter().map(|text| Some(text.as_str())).collect();
            let patterns: Vec<_> = patterns.iter().map(|text| Some(text.as_str())).collect();
            found += invoke(&function, &texts, &patterns)
                .unwrap()
                .iter()
                .filter(|found| **found == Some(true))
                .count();
        }
        assert_eq!(found, (0..100_000).filter(|row| row % 49 == row % 50).count());
        assert_eq!(function.patterns.0.lock().unwrap().len(), 50);
    }

    #[test]
    fn null_in_null_out_and_the_pattern_is_searched_not_anchored() {
        let answer = invoke(
            &function(),
            &[None, Some("abc"), Some("abc"), Some("abc"), Some("")],
            &[Some("a"), None, Some("b"), Some(r"\Ab"), Some("")],
        );
        assert_eq!(answer.unwrap(), [None, None, Some(true), Some(false), Some(true)]);
    }

    #[test]
    fn a_wrong_pattern_is_named() {
        let error = invoke(&function(), &[Some("x")], &[Some("(")]).unwrap_err().to_string();
        assert!(error.contains("'(' is no regular expression"), "{error}");
    }

    #[test]
    fn the_cache_is_bounded() {
        let function = function();
        for number in 0..=KEPT {
            function.patterns.compile(&number.to_string()).unwrap();
        }
        assert_eq!(function.patterns.0.lock().unwrap().len(), 1);
        let empty: ArrayRef = Arc::new(StringViewArray::from(Vec::<&str>::new()));
        assert_eq!(empty.len(), 0);
    }
}
