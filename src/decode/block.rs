//! 64 bytes of JSON at a time as bit masks: where quotes, backslashes, brackets and white space stand.
//!
//! The masks say nothing about strings yet; [`super::structure`] does. AVX2 is chosen at run time where the
//! processor has it; the portable form gives the same masks.
#![expect(unsafe_code, reason = "run-time AVX2 dispatch; the property test holds both forms equal")]

/// Bytes that one [`Masks`] describes.
pub(crate) const BLOCK: usize = 64;

/// Bit `i` stands for byte `i` of the block.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Masks {
    /// `\`
    pub(crate) backslash: u64,
    /// `"`
    pub(crate) quote: u64,
    /// `{` and `[`
    pub(crate) open: u64,
    /// `}` and `]`
    pub(crate) close: u64,
    /// Space, tab, line feed, carriage return and the other bytes up to 0x20.
    pub(crate) space: u64,
    /// Bytes above 0x7f.
    pub(crate) high: u64,
}

/// The masks of every whole block of `bytes`, as many as `out` takes; the rest of the bytes is the caller's.
pub(crate) fn masks(bytes: &[u8], out: &mut [Masks]) {
    #[cfg(target_arch = "x86_64")]
    if std::arch::is_x86_feature_detected!("avx2") {
        // SAFETY: the feature has just been detected.
        unsafe { avx2::masks(bytes, out) };
        return;
    }
    portable(bytes, out);
}

fn portable(bytes: &[u8], out: &mut [Masks]) {
    for (block, masks) in bytes.chunks_exact(BLOCK).zip(out) {
        let mut found = Masks::default();
        for (index, &byte) in block.iter().enumerate() {
            let bit = |yes: bool| u64::from(yes) << index;
            found.backslash |= bit(byte == b'\\');
            found.quote |= bit(byte == b'"');
            found.open |= bit(byte | 0x20 == b'{');
            found.close |= bit(byte | 0x20 == b'}');
            found.space |= bit(byte <= 0x20);
            found.high |= bit(byte > 0x7f);
        }
        *masks = found;
    }
}

#[cfg(target_arch = "x86_64")]
mod avx2 {
    use std::arch::x86_64::{
        __m256i, _mm256_cmpeq_epi8, _mm256_loadu_si256, _mm256_max_epu8, _mm256_movemask_epi8,
        _mm256_or_si256, _mm256_set1_epi8,
    };

    use super::{BLOCK, Masks};

    #[expect(clippy::cast_ptr_alignment, reason = "the load needs no alignment")]
    #[target_feature(enable = "avx2")]
    pub(super) fn masks(bytes: &[u8], out: &mut [Masks]) {
        for (block, masks) in bytes.chunks_exact(BLOCK).zip(out) {
            // SAFETY: the block is 64 bytes long and the load needs no alignment.
            let (low, high) = unsafe {
                let start = block.as_ptr().cast::<__m256i>();
                (_mm256_loadu_si256(start), _mm256_loadu_si256(start.add(1)))
            };
            let fold = _mm256_set1_epi8(0x20);
            let (low_folded, high_folded) = (_mm256_or_si256(low, fold), _mm256_or_si256(high, fold));
            *masks = Masks {
                backslash: equal(low, high, b'\\'),
                quote: equal(low, high, b'"'),
                open: equal(low_folded, high_folded, b'{'),
                close: equal(low_folded, high_folded, b'}'),
                space: bits(
                    _mm256_cmpeq_epi8(_mm256_max_epu8(low, fold), fold),
                    _mm256_cmpeq_epi8(_mm256_max_epu8(high, fold), fold),
                ),
                high: bits(low, high),
            };
        }
    }

    #[target_feature(enable = "avx2")]
    fn equal(low: __m256i, high: __m256i, byte: u8) -> u64 {
        let wanted = _mm256_set1_epi8(byte.cast_signed());
        bits(_mm256_cmpeq_epi8(low, wanted), _mm256_cmpeq_epi8(high, wanted))
    }

    #[target_feature(enable = "avx2")]
    fn bits(low: __m256i, high: __m256i) -> u64 {
        u64::from(_mm256_movemask_epi8(low).cast_unsigned())
            | u64::from(_mm256_movemask_epi8(high).cast_unsigned()) << 32
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn both_forms_agree(bytes in proptest::collection::vec(any::<u8>(), 0..1024)) {
            let mut fast = vec![Masks::default(); bytes.len() / BLOCK];
            let mut plain = fast.clone();
            masks(&bytes, &mut fast);
            portable(&bytes, &mut plain);
            prop_assert_eq!(fast, plain);
        }
    }
}
