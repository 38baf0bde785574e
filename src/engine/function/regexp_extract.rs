//! `regexp_extract(text, pattern)`: the first part of a text that a pattern matches, or with a third argument the
//! group of that number in it; null where nothing matches.

use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, StringViewBuilder};
use datafusion::arrow::datatypes::DataType;
use datafusion::common::{Result, exec_err, plan_err};
use datafusion::logical_expr::{
    ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};

use super::{Arguments, text_type};
use crate::engine::pattern::Patterns;

const NAME: &str = "regexp_extract";

pub(super) fn make() -> ScalarUDF {
    ScalarUDF::new_from_impl(RegexpExtract {
        signature: Signature::user_defined(Volatility::Immutable),
        patterns: Patterns::default(),
    })
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct RegexpExtract {
    signature: Signature,
    patterns: Patterns,
}

impl ScalarUDFImpl for RegexpExtract {
    fn name(&self) -> &'static str {
        NAME
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, kinds: &[DataType]) -> Result<Vec<DataType>> {
        match kinds {
            [text, pattern] => Ok(vec![text_type(NAME, text)?, text_type(NAME, pattern)?]),
            [text, pattern, group] if group.is_integer() || group.is_null() => {
                Ok(vec![text_type(NAME, text)?, text_type(NAME, pattern)?, DataType::Int64])
            }
            _ => plan_err!("{NAME} takes a text, a pattern and, if need be, the number of a group"),
        }
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Utf8View)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let args = Arguments::new(&args)?;
        let (texts, patterns) = (args.text(0)?, args.text(1)?);
        let groups = if args.arrays.len() > 2 { Some(args.int(2)?) } else { None };
        let mut builder = StringViewBuilder::with_capacity(args.rows);
        let mut last = None;
        for row in 0..args.rows {
            let group = groups.as_ref().map_or(Some(0), |groups| groups.get(row));
            let (Some(text), Some(pattern), Some(group)) = (texts.get(row), patterns.get(row), group) else {
                builder.append_null();
                continue;
            };
            let regex = match &last {
                Some((known, regex)) if *known == pattern => regex,
                _ => &last.insert((pattern, self.patterns.compile(pattern)?)).1,
            };
            let Some(group) = usize::try_from(group).ok().filter(|group| *group < regex.captures_len())
            else {
                return exec_err!("{NAME}: the pattern '{pattern}' has no group {group}");
            };
            let found = if group == 0 {
                regex.find(text)
            } else {
                regex.captures(text).and_then(|groups| groups.get(group))
            };
            builder.append_option(found.map(|found| found.as_str()));
        }
        let array: ArrayRef = Arc::new(builder.finish());
        args.answer(&array)
    }
}
