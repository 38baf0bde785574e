//! A small seeded generator (SplitMix64): the same seed gives the same bytes on every machine and in every version.

/// A stream of pseudo-random numbers.
#[derive(Clone, Debug)]
pub struct Random(u64);

impl Random {
    /// The stream `name` of `seed`: streams of one seed are independent of each other.
    pub fn new(seed: u64, name: &str) -> Self {
        // FNV-1a, so that a stream keeps its numbers when other streams are added.
        let hash = name.bytes().fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
        let mut random = Self(seed ^ hash);
        random.bits();
        random
    }

    /// The next 64 bits.
    pub fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number in `0..bound` (`bound` > 0). The bias of the remainder does not matter here.
    pub fn below(&mut self, bound: u64) -> u64 {
        self.bits() % bound
    }

    /// An index in `0..bound`.
    pub fn index(&mut self, bound: usize) -> usize {
        self.below(bound as u64) as usize
    }

    /// A number in `low..=high`.
    pub fn between(&mut self, low: u64, high: u64) -> u64 {
        low + self.below(high - low + 1)
    }

    /// True `per_mille` times in a thousand.
    pub fn chance(&mut self, per_mille: u64) -> bool {
        self.below(1000) < per_mille
    }

    /// A number of seconds in `low..=high`.
    pub fn seconds(&mut self, low: i64, high: i64) -> i64 {
        low + self.below((high - low + 1) as u64) as i64
    }

    /// One of `choices`.
    pub fn pick<'a, T>(&mut self, choices: &'a [T]) -> &'a T {
        &choices[self.index(choices.len())]
    }

    /// One of `choices`, by value.
    pub fn one<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.index(choices.len())]
    }

    /// One of `choices`, each as often as its weight says.
    pub fn weighted<T: Copy>(&mut self, choices: &[(u64, T)]) -> T {
        let mut at = self.below(choices.iter().map(|(weight, _)| weight).sum());
        for (weight, choice) in choices {
            if at < *weight {
                return *choice;
            }
            at -= weight;
        }
        choices[0].1
    }

    fn letters(&mut self, count: usize, alphabet: &[u8]) -> String {
        (0..count).map(|_| char::from(self.one(alphabet))).collect()
    }

    /// `count` lower-case hexadecimal digits.
    pub fn hex(&mut self, count: usize) -> String {
        let mut out = String::with_capacity(count + 16);
        while out.len() < count {
            let bits = self.bits();
            for shift in 0..16 {
                out.push(char::from(b"0123456789abcdef"[(bits >> (shift * 4) & 15) as usize]));
            }
        }
        out.truncate(count);
        out
    }

    /// `count` letters and digits as CloudTrail writes them at the end of a file name.
    pub fn alphanumeric(&mut self, count: usize) -> String {
        self.letters(count, b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789")
    }

    /// `count` characters of the alphabet of IAM's unique ids.
    pub fn unique_id(&mut self, count: usize) -> String {
        self.letters(count, b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567")
    }

    /// `count` lower-case letters and digits.
    pub fn lower(&mut self, count: usize) -> String {
        self.letters(count, b"abcdefghijklmnopqrstuvwxyz0123456789")
    }

    /// A random (version 4) UUID.
    pub fn uuid(&mut self) -> String {
        let digits = self.hex(32);
        let variant = ["8", "9", "a", "b"][self.index(4)];
        let version = &digits[13..16];
        let tail = &digits[17..20];
        format!("{}-{}-4{version}-{variant}{tail}-{}", &digits[..8], &digits[8..12], &digits[20..])
    }
}
