//! Texts that repeat, and the codes that stand for them.

use std::collections::HashMap;

use datafusion::arrow::array::{AsArray, DictionaryArray, RecordBatch, StringViewArray, StringViewBuilder};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, Int32Type};
use datafusion::common::Result;

use super::column::NULL;

/// The type in which texts that repeat are read.
pub(super) fn coded() -> DataType {
    DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8))
}

/// Texts, each once, as they are met.
pub(super) struct Texts {
    known: HashMap<Box<str>, u32>,
    values: StringViewBuilder,
    counts: Vec<usize>,
}

impl Texts {
    pub(super) fn new() -> Self {
        let mut values = StringViewBuilder::new();
        values.append_null();
        Self { known: HashMap::new(), values, counts: vec![0] }
    }

    /// Adds the codes of the rows of a batch.
    pub(super) fn code(&mut self, batch: &RecordBatch, codes: &mut Vec<u32>) -> Result<()> {
        let coded = cast(batch.column(0), &coded())?;
        let coded: &DictionaryArray<Int32Type> = coded.as_dictionary();
        let texts = coded.values().as_string::<i32>();
        let of: Vec<u32> = texts.iter().map(|text| text.map_or(NULL, |text| self.number(text))).collect();
        let code = |key: Option<i32>| {
            key.and_then(|key| of.get(usize::try_from(key).ok()?)).copied().unwrap_or(NULL)
        };
        codes.extend(coded.keys().iter().map(code));
        Ok(())
    }

    /// How many there are, null among them.
    pub(super) fn len(&self) -> usize {
        self.counts.len()
    }

    /// The texts, and how many rows have each.
    pub(super) fn finish(mut self) -> (StringViewArray, Vec<usize>) {
        (self.values.finish(), self.counts)
    }

    fn number(&mut self, text: &str) -> u32 {
        if let Some(number) = self.known.get(text) {
            return *number;
        }
        let number = u32::try_from(self.counts.len()).unwrap_or(u32::MAX);
        self.known.insert(text.into(), number);
        self.values.append_value(text);
        self.counts.push(0);
        number
    }

    pub(super) fn count(&mut self, codes: &[u32]) {
        for code in codes {
            self.counts[*code as usize] += 1;
        }
    }
}
