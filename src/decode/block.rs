//! 64 bytes of JSON at a time: where brackets stand outside strings.
//!
//! AVX-512 or AVX2 is chosen at run time where the processor has it; the portable form gives the same answer,
//! and a property test holds all forms equal.
#![expect(unsafe_code, reason = "run-time dispatch; the property test holds all forms equal")]

/// Bytes that one [`Brackets`] describes.
pub(crate) const BLOCK: usize = 64;

/// Brackets outside strings; bit `i` stands for byte `i` of the block.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Brackets {
    /// `{` and `[`
    pub(crate) open: u64,
    /// `}` and `]`
    pub(crate) close: u64,
    /// How many open.
    pub(crate) opened: u32,
    /// How many close.
    pub(crate) closed: u32,
}

/// What one block leaves to the next, and what the text has shown so far.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Carry {
    /// Bit 0: the next byte is escaped.
    escaped: u64,
    /// All ones inside a string.
    pub(crate) in_string: u64,
    /// White space stands outside strings.
    pub(crate) spaced: bool,
    /// Bytes above 0x7f were seen.
    pub(crate) high: bool,
}

/// Where characters stand, strings not yet considered.
#[derive(Clone, Copy)]
struct Masks {
    backslash: u64,
    quote: u64,
    open: u64,
    close: u64,
    /// Bytes up to 0x20.
    space: u64,
    /// Bytes above 0x7f.
    high: u64,
}

/// Describes every whole block of `bytes`, as many as `out` takes.
pub(crate) fn brackets(bytes: &[u8], carry: &mut Carry, out: &mut [Brackets]) {
    #[cfg(target_arch = "x86_64")]
    if std::arch::is_x86_feature_detected!("avx512bw")
        && std::arch::is_x86_feature_detected!("popcnt")
        && std::arch::is_x86_feature_detected!("pclmulqdq")
    {
        // SAFETY: the features have just been detected.
        unsafe { avx512::brackets(bytes, carry, out) };
        return;
    }
    #[cfg(target_arch = "x86_64")]
    if std::arch::is_x86_feature_detected!("avx2")
        && std::arch::is_x86_feature_detected!("popcnt")
        && std::arch::is_x86_feature_detected!("pclmulqdq")
    {
        // SAFETY: the features have just been detected.
        unsafe { avx2::brackets(bytes, carry, out) };
        return;
    }
    portable(bytes, carry, out);
}

fn portable(bytes: &[u8], carry: &mut Carry, out: &mut [Brackets]) {
    for (block, brackets) in bytes.chunks_exact(BLOCK).zip(out) {
        let mut masks = Masks { backslash: 0, quote: 0, open: 0, close: 0, space: 0, high: 0 };
        for (index, &byte) in block.iter().enumerate() {
            let bit = |yes: bool| u64::from(yes) << index;
            masks.backslash |= bit(byte == b'\\');
            masks.quote |= bit(byte == b'"');
            masks.open |= bit(byte | 0x20 == b'{');
            masks.close |= bit(byte | 0x20 == b'}');
            masks.space |= bit(byte <= 0x20);
            masks.high |= bit(byte > 0x7f);
        }
        *brackets = outside_strings(masks, carry, prefix_xor);
    }
}

/// Takes strings out. Always inlined, so that it is compiled with its caller's processor features.
#[inline(always)]
#[expect(clippy::inline_always, reason = "compiled with the features of the function it is inlined into")]
fn outside_strings(masks: Masks, carry: &mut Carry, prefix_xor: impl Fn(u64) -> u64) -> Brackets {
    let escaped = escaped(masks.backslash, &mut carry.escaped);
    let in_string = prefix_xor(masks.quote & !escaped) ^ carry.in_string;
    carry.in_string = (in_string.cast_signed() >> 63).cast_unsigned();
    carry.high |= masks.high != 0;
    carry.spaced |= masks.space & !in_string != 0;
    let (open, close) = (masks.open & !in_string, masks.close & !in_string);
    Brackets { open, close, opened: open.count_ones(), closed: close.count_ones() }
}

/// Which bytes a backslash escapes, runs of backslashes and block borders included.
#[inline(always)]
fn escaped(backslash: u64, carry: &mut u64) -> u64 {
    const EVEN: u64 = 0x5555_5555_5555_5555;
    if backslash == 0 {
        return std::mem::take(carry);
    }
    let backslash = backslash & !*carry;
    let follows = backslash << 1 | *carry;
    let odd_starts = backslash & !EVEN & !follows;
    let (even_runs, overflow) = odd_starts.overflowing_add(backslash);
    *carry = u64::from(overflow);
    (EVEN ^ (even_runs << 1)) & follows
}

/// Bit `i` is the parity of the bits up to and including `i`.
fn prefix_xor(mut bits: u64) -> u64 {
    for shift in [1, 2, 4, 8, 16, 32] {
        bits ^= bits << shift;
    }
    bits
}

#[cfg(target_arch = "x86_64")]
mod avx512 {
    use std::arch::x86_64::{
        _mm_clmulepi64_si128, _mm_cvtsi64_si128, _mm_cvtsi128_si64, _mm_set1_epi8, _mm512_cmpeq_epi8_mask,
        _mm512_cmple_epu8_mask, _mm512_loadu_si512, _mm512_movepi8_mask, _mm512_or_si512, _mm512_set1_epi8,
    };

    use super::{BLOCK, Brackets, Carry, Masks, outside_strings};

    #[target_feature(enable = "avx512f,avx512bw,popcnt,pclmulqdq")]
    pub(super) fn brackets(bytes: &[u8], carry: &mut Carry, out: &mut [Brackets]) {
        let fold = _mm512_set1_epi8(0x20);
        let each = |byte: u8| _mm512_set1_epi8(byte.cast_signed());
        let (backslash, quote, open, close) = (each(b'\\'), each(b'"'), each(b'{'), each(b'}'));
        let prefix_xor = |bits: u64| {
            let (bits, ones) = (_mm_cvtsi64_si128(bits.cast_signed()), _mm_set1_epi8(-1));
            _mm_cvtsi128_si64(_mm_clmulepi64_si128::<0>(bits, ones)).cast_unsigned()
        };
        for (block, brackets) in bytes.chunks_exact(BLOCK).zip(out) {
            // SAFETY: the block is 64 bytes long and the load needs no alignment.
            let all = unsafe { _mm512_loadu_si512(block.as_ptr().cast()) };
            let folded = _mm512_or_si512(all, fold);
            let masks = Masks {
                backslash: _mm512_cmpeq_epi8_mask(all, backslash),
                quote: _mm512_cmpeq_epi8_mask(all, quote),
                open: _mm512_cmpeq_epi8_mask(folded, open),
                close: _mm512_cmpeq_epi8_mask(folded, close),
                space: _mm512_cmple_epu8_mask(all, fold),
                high: _mm512_movepi8_mask(all),
            };
            *brackets = outside_strings(masks, carry, prefix_xor);
        }
    }
}

#[cfg(target_arch = "x86_64")]
mod avx2 {
    use std::arch::x86_64::{
        __m256i, _mm_clmulepi64_si128, _mm_cvtsi64_si128, _mm_cvtsi128_si64, _mm_set1_epi8,
        _mm256_cmpeq_epi8, _mm256_loadu_si256, _mm256_max_epu8, _mm256_movemask_epi8, _mm256_or_si256,
        _mm256_set1_epi8,
    };

    use super::{BLOCK, Brackets, Carry, Masks, outside_strings};

    #[expect(clippy::cast_ptr_alignment, reason = "the load needs no alignment")]
    #[target_feature(enable = "avx2,popcnt,pclmulqdq")]
    pub(super) fn brackets(bytes: &[u8], carry: &mut Carry, out: &mut [Brackets]) {
        let fold = _mm256_set1_epi8(0x20);
        let prefix_xor = |bits: u64| {
            let (bits, ones) = (_mm_cvtsi64_si128(bits.cast_signed()), _mm_set1_epi8(-1));
            _mm_cvtsi128_si64(_mm_clmulepi64_si128::<0>(bits, ones)).cast_unsigned()
        };
        for (block, brackets) in bytes.chunks_exact(BLOCK).zip(out) {
            // SAFETY: the block is 64 bytes long and the load needs no alignment.
            let (low, high) = unsafe {
                let start = block.as_ptr().cast::<__m256i>();
                (_mm256_loadu_si256(start), _mm256_loadu_si256(start.add(1)))
            };
            let (low_folded, high_folded) = (_mm256_or_si256(low, fold), _mm256_or_si256(high, fold));
            let masks = Masks {
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
            *brackets = outside_strings(masks, carry, prefix_xor);
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
        fn all_forms_agree(bytes in proptest::collection::vec(
            prop_oneof![any::<u8>(), Just(b'"'), Just(b'\\'), Just(b'{'), Just(b']'), Just(b' ')], 0..1024,
        )) {
            let mut fast = vec![Brackets::default(); bytes.len() / BLOCK];
            let mut plain = fast.clone();
            let (mut fast_carry, mut plain_carry) = (Carry::default(), Carry::default());
            brackets(&bytes, &mut fast_carry, &mut fast);
            portable(&bytes, &mut plain_carry, &mut plain);
            prop_assert_eq!(&fast, &plain);
            prop_assert_eq!(fast_carry, plain_carry);
            #[cfg(target_arch = "x86_64")]
            if std::arch::is_x86_feature_detected!("avx2") {
                let mut narrow_carry = Carry::default();
                // SAFETY: the features have just been detected; every processor with AVX2 has the other two.
                unsafe { avx2::brackets(&bytes, &mut narrow_carry, &mut fast) };
                prop_assert_eq!(&fast, &plain);
                prop_assert_eq!(narrow_carry, plain_carry);
            }
        }
    }
}
