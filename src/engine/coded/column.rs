//! A column of some files, in as few bytes as its values allow.

use std::sync::Arc;

use datafusion::arrow::array::{
    Array, ArrayRef, ArrowPrimitiveType, AsArray, Int32Array, PrimitiveArray, StringViewArray,
    StringViewBuilder, UInt8Array, UInt16Array, UInt32Array,
};
use datafusion::arrow::buffer::NullBuffer;
use datafusion::arrow::compute::{cast, take};
use datafusion::arrow::datatypes::{
    ArrowNativeType, DataType, Int32Type, Int64Type, UInt8Type, UInt16Type, UInt32Type,
};
use datafusion::common::Result;

use super::uuid;

/// The code of null.
pub(super) const NULL: u32 = 0;

/// A column of all files.
#[derive(Debug)]
pub(super) struct Column {
    /// The texts that codes stand for, each once, the first null; none of a column without codes.
    texts: Option<ArrayRef>,
    /// How many rows have each of these.
    counts: Vec<usize>,
    /// Per file.
    chunks: Vec<Chunk>,
}

/// The rows of one file.
#[derive(Debug)]
pub(super) enum Chunk {
    /// Which of the texts each row has, in the fewest bytes.
    One(UInt8Array),
    Two(UInt16Array),
    Four(UInt32Array),
    /// Texts that are UUIDs.
    Uuids(Vec<u128>, Option<NullBuffer>),
    /// Whole numbers that take half the bytes.
    Narrow(Int32Array),
    /// What is held as it is.
    Plain(ArrayRef),
}

/// Some rows of a file.
#[derive(Clone, Copy, Debug)]
pub(super) enum Which<'a> {
    /// So many from a place.
    Range(usize, usize),
    /// Those at these places.
    At(&'a [u32]),
}

impl Chunk {
    /// Codes.
    pub(super) fn coded(codes: Vec<u32>) -> Self {
        if let Ok(codes) = codes.iter().map(|code| u8::try_from(*code)).collect::<Result<Vec<_>, _>>() {
            return Self::One(codes.into());
        }
        if let Ok(codes) = codes.iter().map(|code| u16::try_from(*code)).collect::<Result<Vec<_>, _>>() {
            return Self::Two(codes.into());
        }
        Self::Four(codes.into())
    }

    /// Values of any type, in fewer bytes if that can be.
    pub(super) fn plain(values: ArrayRef) -> Result<Self> {
        if let Some(texts) = values.as_string_view_opt() {
            return Ok(match uuid::all(texts) {
                Some(ids) => Self::Uuids(ids, texts.nulls().cloned()),
                None => Self::Plain(Arc::new(texts.gc())),
            });
        }
        if let Some(numbers) = values.as_primitive_opt::<Int64Type>() {
            let fits = |number: Option<i64>| number.is_none_or(|number| i32::try_from(number).is_ok());
            if numbers.iter().all(fits) {
                return Ok(Self::Narrow(
                    cast(&values, &DataType::Int32)?.as_primitive::<Int32Type>().clone(),
                ));
            }
        }
        Ok(Self::Plain(values))
    }

    fn bytes(&self) -> usize {
        match self {
            Self::One(codes) => codes.get_array_memory_size(),
            Self::Two(codes) => codes.get_array_memory_size(),
            Self::Four(codes) => codes.get_array_memory_size(),
            Self::Uuids(ids, nulls) => {
                size_of_val(ids.as_slice()) + nulls.as_ref().map_or(0, |nulls| nulls.buffer().len())
            }
            Self::Narrow(numbers) => numbers.get_array_memory_size(),
            Self::Plain(values) => values.get_array_memory_size(),
        }
    }
}

impl Column {
    /// A column whose rows are held in codes, of which each stands for one of `texts`.
    pub(super) fn coded(texts: StringViewArray, counts: Vec<usize>, chunks: Vec<Chunk>) -> Self {
        Self { texts: Some(Arc::new(texts)), counts, chunks }
    }

    /// A column whose rows are held otherwise.
    pub(super) fn plain(chunks: Vec<Chunk>) -> Self {
        Self { texts: None, counts: Vec::new(), chunks }
    }

    /// The texts of a column in codes, by code.
    pub(super) fn texts(&self) -> Option<&ArrayRef> {
        self.texts.as_ref()
    }

    /// How many rows have a text for whose code `passes` is true.
    pub(super) fn count(&self, passes: &[bool]) -> usize {
        self.counts.iter().zip(passes).filter(|(_, passes)| **passes).map(|(count, _)| count).sum()
    }

    /// The bytes that it takes.
    pub(super) fn bytes(&self) -> usize {
        let texts = self.texts.as_ref().map_or(0, Array::get_array_memory_size);
        texts + self.chunks.iter().map(Chunk::bytes).sum::<usize>()
    }

    /// Leaves of some rows of a file, `from` to before `to` if none are given yet, those with a text for whose code
    /// `passes` is true.
    pub(super) fn select(
        &self,
        file: usize,
        passes: &[bool],
        from: usize,
        to: usize,
        among: Option<Vec<u32>>,
    ) -> Vec<u32> {
        match &self.chunks[file] {
            Chunk::One(codes) => select(codes.values(), passes, from, to, among),
            Chunk::Two(codes) => select(codes.values(), passes, from, to, among),
            Chunk::Four(codes) => select(codes.values(), passes, from, to, among),
            Chunk::Uuids(..) | Chunk::Narrow(_) | Chunk::Plain(_) => among.unwrap_or_default(),
        }
    }

    /// Some rows of a file, as `data_type`.
    pub(super) fn rows(&self, file: usize, which: Which<'_>, data_type: &DataType) -> Result<ArrayRef> {
        Ok(match (&self.chunks[file], &self.texts) {
            (Chunk::One(codes), Some(texts)) => take(texts, &some::<UInt8Type>(codes, which), None)?,
            (Chunk::Two(codes), Some(texts)) => take(texts, &some::<UInt16Type>(codes, which), None)?,
            (Chunk::Four(codes), Some(texts)) => take(texts, &some::<UInt32Type>(codes, which), None)?,
            (Chunk::Uuids(ids, nulls), _) => written(ids, nulls.as_ref(), which),
            (Chunk::Narrow(numbers), _) => cast(&picked(numbers, which)?, data_type)?,
            (Chunk::Plain(values), _) => picked(values.as_ref(), which)?,
            (Chunk::One(_) | Chunk::Two(_) | Chunk::Four(_), None) => {
                return datafusion::common::internal_err!("codes stand for texts");
            }
        })
    }
}

fn select<N: ArrowNativeType>(
    codes: &[N],
    passes: &[bool],
    from: usize,
    to: usize,
    among: Option<Vec<u32>>,
) -> Vec<u32> {
    let passing = |code: N| passes.get(code.as_usize()).copied().unwrap_or_default();
    match among {
        Some(mut among) => {
            among.retain(|at| passing(codes[*at as usize]));
            among
        }
        None => (from..to).filter(|at| passing(codes[*at])).filter_map(|at| u32::try_from(at).ok()).collect(),
    }
}

fn some<T: ArrowPrimitiveType>(codes: &PrimitiveArray<T>, which: Which<'_>) -> PrimitiveArray<T> {
    match which {
        Which::Range(from, rows) => codes.slice(from, rows),
        Which::At(places) => {
            let values = codes.values();
            PrimitiveArray::from_iter_values(places.iter().map(|at| values[*at as usize]))
        }
    }
}

fn picked(values: &dyn Array, which: Which<'_>) -> Result<ArrayRef> {
    Ok(match which {
        Which::Range(from, rows) => values.slice(from, rows),
        Which::At(places) => take(values, &UInt32Array::from_iter_values(places.iter().copied()), None)?,
    })
}

fn written(ids: &[u128], nulls: Option<&NullBuffer>, which: Which<'_>) -> ArrayRef {
    let rows = match which {
        Which::Range(_, rows) => rows,
        Which::At(places) => places.len(),
    };
    let block = u32::try_from(rows.max(1) * uuid::LENGTH).unwrap_or(u32::MAX);
    let mut texts = StringViewBuilder::with_capacity(rows).with_fixed_block_size(block);
    let mut write = |at: usize| {
        if nulls.is_some_and(|nulls| nulls.is_null(at)) {
            texts.append_null();
        } else {
            texts.append_value(uuid::text(ids[at]).as_str());
        }
    };
    match which {
        Which::Range(from, rows) => (from..from + rows).for_each(&mut write),
        Which::At(places) => places.iter().for_each(|at| write(*at as usize)),
    }
    Arc::new(texts.finish())
}
