//! 64 bytes of JSON at a time: where brackets stand outside strings, and where two bytes follow each other.
//!
//! AVX-512 or AVX2 is chosen at run time where the processor has it; the portable form gives the same answer,
//! and a property test holds all forms equal.
#![expect(unsafe_code, reason = "run-time dispatch; the property test holds all forms equal")]

/// Bytes that one [`Marks`] describes.
pub(crate) const BLOCK: usize = 64;

/// What stands in a block; bit `i` stands for byte `i`.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Marks {
    /// `{` and `[` outside strings.
    pub(crate) open: u64,
    /// `}` and `]` outside strings.
    pub(crate) close: u64,
    /// How many open.
    pub(crate) opened: u32,
    /// How many close.
    pub(crate) closed: u32,
    /// One of the [`Pairs`] begins here, in a string or not.
    pub(crate) pair: u64,
}

/// Two-byte texts looked for along the way; every byte has one bit for each pair it begins, one for each it ends.
#[derive(Debug, Clone)]
pub(crate) struct Pairs {
    first: [u8; 128],
    second: [u8; 128],
}

impl Default for Pairs {
    fn default() -> Self {
        Self { first: [0; 128], second: [0; 128] }
    }
}

impl Pairs {
    /// ASCII pairs. Up to eight are told apart; of more, some are found where others would be, too.
    pub(crate) fn new(pairs: impl IntoIterator<Item = [u8; 2]>) -> Self {
        let mut made = Self::default();
        for (index, [first, second]) in pairs.into_iter().enumerate() {
            let bit = 1 << (index % 8);
            made.first[usize::from(first & 0x7f)] |= bit;
            made.second[usize::from(second & 0x7f)] |= bit;
        }
        made
    }

    fn is(&self, first: u8, second: u8) -> bool {
        let of = |table: &[u8; 128], byte: u8| table.get(usize::from(byte)).copied().unwrap_or(0);
        of(&self.first, first) & of(&self.second, second) != 0
    }
}

/// What one block leaves to the next, and what the text has shown so far.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Carry {
    /// Bit 0: the next byte is escaped.
    escaped: u64,
    /// All ones inside a string.
    pub(crate) in_string: u64,
    /// Not zero once bytes above 0x7f were seen.
    pub(crate) high: u64,
}

/// Where characters stand, strings not yet considered.
#[derive(Clone, Copy)]
struct Masks {
    backslash: u64,
    quote: u64,
    open: u64,
    close: u64,
    /// Bytes above 0x7f.
    high: u64,
    pair: u64,
}

/// Takes in blocks one after the other.
pub(crate) trait Visit {
    /// The next block; false to see no more.
    fn block(&mut self, marks: Marks) -> bool;
}

/// Shows `visitor` the blocks of `bytes` that are whole and have a byte after them, until it wants no more, and
/// returns it: owned, it lives in registers. The byte after a block decides whether a pair begins at its end.
pub(crate) fn walk<V: Visit>(bytes: &[u8], pairs: &Pairs, carry: &mut Carry, visitor: V) -> V {
    #[cfg(target_arch = "x86_64")]
    if avx512::available() {
        // SAFETY: the features have just been detected.
        return unsafe { avx512::walk(bytes, pairs, carry, visitor) };
    }
    #[cfg(target_arch = "x86_64")]
    if avx2::available() {
        // SAFETY: the features have just been detected.
        return unsafe { avx2::walk(bytes, pairs, carry, visitor) };
    }
    portable(bytes, pairs, carry, visitor)
}

/// Where the blocks begin that have a byte after them.
fn starts(bytes: &[u8]) -> impl Iterator<Item = usize> {
    (0..bytes.len().saturating_sub(1) / BLOCK).map(|block| block * BLOCK)
}

fn portable<V: Visit>(bytes: &[u8], pairs: &Pairs, shared: &mut Carry, mut visitor: V) -> V {
    let mut carry = *shared;
    for start in starts(bytes) {
        let block = &bytes[start..=start + BLOCK];
        let mut masks = Masks { backslash: 0, quote: 0, open: 0, close: 0, high: 0, pair: 0 };
        for (index, both) in block.windows(2).enumerate() {
            let (byte, next) = (both[0], both[1]);
            let bit = |yes: bool| u64::from(yes) << index;
            masks.backslash |= bit(byte == b'\\');
            masks.quote |= bit(byte == b'"');
            masks.open |= bit(byte | 0x20 == b'{');
            masks.close |= bit(byte | 0x20 == b'}');
            masks.high |= bit(byte > 0x7f);
            masks.pair |= bit(pairs.is(byte, next));
        }
        if !visitor.block(outside_strings(masks, &mut carry, prefix_xor)) {
            break;
        }
    }
    *shared = carry;
    visitor
}

/// Takes strings out. Always inlined, so that it is compiled with its caller's processor features.
#[inline(always)]
#[expect(clippy::inline_always, reason = "compiled with the features of the function it is inlined into")]
fn outside_strings(masks: Masks, carry: &mut Carry, prefix_xor: impl Fn(u64) -> u64) -> Marks {
    let escaped = escaped(masks.backslash, &mut carry.escaped);
    let in_string = prefix_xor(masks.quote & !escaped) ^ carry.in_string;
    carry.in_string = (in_string.cast_signed() >> 63).cast_unsigned();
    carry.high |= masks.high;
    let (open, close) = (masks.open & !in_string, masks.close & !in_string);
    Marks { open, close, opened: open.count_ones(), closed: close.count_ones(), pair: masks.pair }
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
        __m512i, _mm_clmulepi64_si128, _mm_cvtsi64_si128, _mm_cvtsi128_si64, _mm_set1_epi8,
        _mm512_cmpeq_epi8_mask, _mm512_loadu_si512, _mm512_movepi8_mask, _mm512_or_si512,
        _mm512_permutex2var_epi8, _mm512_set1_epi8, _mm512_test_epi8_mask,
    };

    use super::{Carry, Masks, Pairs, Visit, outside_strings, starts};

    pub(super) fn available() -> bool {
        std::arch::is_x86_feature_detected!("avx512bw")
            && std::arch::is_x86_feature_detected!("avx512vbmi")
            && std::arch::is_x86_feature_detected!("popcnt")
            && std::arch::is_x86_feature_detected!("pclmulqdq")
    }

    #[target_feature(enable = "avx512f,avx512bw,avx512vbmi,popcnt,pclmulqdq")]
    pub(super) fn walk<V: Visit>(bytes: &[u8], pairs: &Pairs, shared: &mut Carry, mut visitor: V) -> V {
        let mut carry = *shared;
        let fold = _mm512_set1_epi8(0x20);
        let each = |byte: u8| _mm512_set1_epi8(byte.cast_signed());
        let (backslash, quote, open, close) = (each(b'\\'), each(b'"'), each(b'{'), each(b'}'));
        let (first, second) = (table(&pairs.first), table(&pairs.second));
        let prefix_xor = |bits: u64| {
            let (bits, ones) = (_mm_cvtsi64_si128(bits.cast_signed()), _mm_set1_epi8(-1));
            _mm_cvtsi128_si64(_mm_clmulepi64_si128::<0>(bits, ones)).cast_unsigned()
        };
        for start in starts(bytes) {
            // SAFETY: 65 bytes begin at `start`, and the loads need no alignment.
            let (all, next): (__m512i, __m512i) = unsafe {
                let block = bytes.as_ptr().add(start);
                (_mm512_loadu_si512(block.cast()), _mm512_loadu_si512(block.add(1).cast()))
            };
            let folded = _mm512_or_si512(all, fold);
            let high = _mm512_movepi8_mask(all);
            // The look-up takes seven bits of each byte, so what is no ASCII is taken out after it.
            let pair = _mm512_test_epi8_mask(
                _mm512_permutex2var_epi8(first[0], all, first[1]),
                _mm512_permutex2var_epi8(second[0], next, second[1]),
            );
            let masks = Masks {
                backslash: _mm512_cmpeq_epi8_mask(all, backslash),
                quote: _mm512_cmpeq_epi8_mask(all, quote),
                open: _mm512_cmpeq_epi8_mask(folded, open),
                close: _mm512_cmpeq_epi8_mask(folded, close),
                high,
                pair: pair & !(high | _mm512_movepi8_mask(next)),
            };
            if !visitor.block(outside_strings(masks, &mut carry, prefix_xor)) {
                break;
            }
        }
        *shared = carry;
        visitor
    }

    #[target_feature(enable = "avx512f")]
    fn table(bytes: &[u8; 128]) -> [__m512i; 2] {
        // SAFETY: both halves are 64 bytes long and the loads need no alignment.
        unsafe {
            [_mm512_loadu_si512(bytes.as_ptr().cast()), _mm512_loadu_si512(bytes.as_ptr().add(64).cast())]
        }
    }
}

#[cfg(target_arch = "x86_64")]
mod avx2 {
    use std::arch::x86_64::{
        __m256i, _mm_clmulepi64_si128, _mm_cvtsi64_si128, _mm_cvtsi128_si64, _mm_set1_epi8, _mm256_and_si256,
        _mm256_cmpeq_epi8, _mm256_loadu_si256, _mm256_movemask_epi8, _mm256_or_si256, _mm256_set1_epi8,
        _mm256_setzero_si256, _mm256_shuffle_epi8, _mm256_srli_epi16,
    };

    use super::{Carry, Masks, Pairs, Visit, outside_strings, starts};

    pub(super) fn available() -> bool {
        std::arch::is_x86_feature_detected!("avx2")
            && std::arch::is_x86_feature_detected!("popcnt")
            && std::arch::is_x86_feature_detected!("pclmulqdq")
    }

    #[expect(clippy::cast_ptr_alignment, reason = "the loads need no alignment")]
    #[target_feature(enable = "avx2,popcnt,pclmulqdq")]
    pub(super) fn walk<V: Visit>(bytes: &[u8], pairs: &Pairs, shared: &mut Carry, mut visitor: V) -> V {
        let mut carry = *shared;
        let fold = _mm256_set1_epi8(0x20);
        let (first, second) = (nibbles(&pairs.first), nibbles(&pairs.second));
        let prefix_xor = |bits: u64| {
            let (bits, ones) = (_mm_cvtsi64_si128(bits.cast_signed()), _mm_set1_epi8(-1));
            _mm_cvtsi128_si64(_mm_clmulepi64_si128::<0>(bits, ones)).cast_unsigned()
        };
        for start in starts(bytes) {
            // SAFETY: 65 bytes begin at `start`, and the loads need no alignment.
            let [low, high, low_next, high_next] = unsafe {
                let at = |offset| _mm256_loadu_si256(bytes.as_ptr().add(start + offset).cast::<__m256i>());
                [at(0), at(32), at(1), at(33)]
            };
            let (low_folded, high_folded) = (_mm256_or_si256(low, fold), _mm256_or_si256(high, fold));
            let nowhere = bits(
                _mm256_cmpeq_epi8(both(low, low_next, first, second), _mm256_setzero_si256()),
                _mm256_cmpeq_epi8(both(high, high_next, first, second), _mm256_setzero_si256()),
            );
            let masks = Masks {
                backslash: equal(low, high, b'\\'),
                quote: equal(low, high, b'"'),
                open: equal(low_folded, high_folded, b'{'),
                close: equal(low_folded, high_folded, b'}'),
                high: bits(low, high),
                pair: !nowhere,
            };
            if !visitor.block(outside_strings(masks, &mut carry, prefix_xor)) {
                break;
            }
        }
        *shared = carry;
        visitor
    }

    /// The table by low and by high half of a byte: one bit means one byte, so both halves together are exact.
    #[target_feature(enable = "avx2")]
    fn nibbles(table: &[u8; 128]) -> [__m256i; 2] {
        let (mut low, mut high) = ([0u8; 32], [0u8; 32]);
        for (byte, bits) in table.iter().enumerate() {
            for lane in [0, 16] {
                low[lane + (byte & 15)] |= bits;
                high[lane + (byte >> 4)] |= bits;
            }
        }
        // SAFETY: both are 32 bytes long and the loads need no alignment.
        unsafe { [_mm256_loadu_si256((&raw const low).cast()), _mm256_loadu_si256((&raw const high).cast())] }
    }

    #[target_feature(enable = "avx2")]
    fn both(bytes: __m256i, next: __m256i, first: [__m256i; 2], second: [__m256i; 2]) -> __m256i {
        _mm256_and_si256(look_up(bytes, first), look_up(next, second))
    }

    #[target_feature(enable = "avx2")]
    fn look_up(bytes: __m256i, [low, high]: [__m256i; 2]) -> __m256i {
        // A byte above 0x7f looks up nothing: its own top bit makes the low half zero.
        let upper = _mm256_and_si256(_mm256_srli_epi16::<4>(bytes), _mm256_set1_epi8(15));
        _mm256_and_si256(_mm256_shuffle_epi8(low, bytes), _mm256_shuffle_epi8(high, upper))
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

    impl Visit for Vec<Marks> {
        fn block(&mut self, marks: Marks) -> bool {
            self.push(marks);
            true
        }
    }

    proptest! {
        #[test]
        fn all_forms_agree(bytes in proptest::collection::vec(
            prop_oneof![
                any::<u8>(), Just(b'"'), Just(b'\\'), Just(b'{'), Just(b']'), Just(b' '), Just(b'c'), Just(b'k'),
                Just(b'u'), Just(0xe3), Just(0xeb),
            ], 0..1024,
        )) {
            const PAIRS: [[u8; 2]; 8] = [*b"ck", *b"\\u", *b"kc", *b"uu", *b"-r", *b"hr", *b"gh", *b"\"c"];
            let pairs = Pairs::new(PAIRS);
            let mut plain_carry = Carry::default();
            let plain = portable(&bytes, &pairs, &mut plain_carry, vec![]);
            prop_assert_eq!(plain.len(), bytes.len().saturating_sub(1) / BLOCK);
            for (at, both) in bytes.windows(2).take(plain.len() * BLOCK).enumerate() {
                let pair = PAIRS.iter().any(|pair| both == pair);
                prop_assert_eq!(plain[at / BLOCK].pair >> (at % BLOCK) & 1 == 1, pair);
            }
            let mut fast_carry = Carry::default();
            let fast = walk(&bytes, &pairs, &mut fast_carry, vec![]);
            prop_assert_eq!(&fast, &plain);
            prop_assert_eq!(fast_carry, plain_carry);
            #[cfg(target_arch = "x86_64")]
            if avx2::available() {
                let mut narrow_carry = Carry::default();
                // SAFETY: the features have just been detected.
                let narrow = unsafe { avx2::walk(&bytes, &pairs, &mut narrow_carry, vec![]) };
                prop_assert_eq!(&narrow, &plain);
                prop_assert_eq!(narrow_carry, plain_carry);
            }
        }
    }
}
