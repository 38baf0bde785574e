//! Texts that are UUIDs (RFC 9562 §4, in small letters), as numbers and back: 16 bytes in place of 52.

use std::str::from_utf8;

use datafusion::arrow::array::StringViewArray;

/// Characters of one.
pub(super) const LENGTH: usize = 36;

/// Where its digits are; between them are hyphens.
const DIGITS_AT: [(usize, usize); 5] = [(0, 8), (9, 13), (14, 18), (19, 23), (24, 36)];

const DIGITS: &[u8; 16] = b"0123456789abcdef";

/// The text of one.
pub(super) struct Text([u8; LENGTH]);

impl Text {
    pub(super) fn as_str(&self) -> &str {
        from_utf8(&self.0).unwrap_or_default()
    }
}

/// The numbers of texts that all are UUIDs or null; null is 0.
pub(super) fn all(texts: &StringViewArray) -> Option<Vec<u128>> {
    texts.iter().map(|text| text.map_or(Some(0), number)).collect()
}

/// The number of a text that is a UUID.
pub(super) fn number(text: &str) -> Option<u128> {
    let text: &[u8; LENGTH] = text.as_bytes().try_into().ok()?;
    let mut number = 0;
    for (from, to) in DIGITS_AT {
        if to < LENGTH && text[to] != b'-' {
            return None;
        }
        for byte in &text[from..to] {
            let digit = match byte {
                b'0'..=b'9' => byte - b'0',
                b'a'..=b'f' => byte - b'a' + 10,
                _ => return None,
            };
            number = number << 4 | u128::from(digit);
        }
    }
    Some(number)
}

/// The text of a number.
pub(super) fn text(number: u128) -> Text {
    let mut text = [b'-'; LENGTH];
    let bytes = number.to_be_bytes();
    let mut bytes = bytes.iter();
    for (from, to) in DIGITS_AT {
        for (pair, byte) in text[from..to].chunks_exact_mut(2).zip(&mut bytes) {
            pair[0] = DIGITS[usize::from(byte >> 4)];
            pair[1] = DIGITS[usize::from(byte & 15)];
        }
    }
    Text(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_uuid_comes_back_as_it_was_and_nothing_else_is_taken_for_one() {
        for one in [
            "00000000-0000-0000-0000-000000000000",
            "0f3a5b7c-19d2-4e6f-8a0b-c1d2e3f40516",
            "ffffffff-ffff-ffff-ffff-ffffffffffff",
        ] {
            assert_eq!(text(number(one).unwrap()).as_str(), one);
        }
        for other in [
            "",
            "0f3a5b7c-19d2-4e6f-8a0b-c1d2e3f4051",
            "0F3A5B7C-19D2-4E6F-8A0B-C1D2E3F40516",
            "0f3a5b7c019d2-4e6f-8a0b-c1d2e3f40516",
            "0f3a5b7c-19d2-4e6f-8a0b-c1d2e3f4-516",
            "0f3a5b7c-19d2-4e6f-8a0b-c1d2e3f4051g",
            "0f3a5b7c-19d2-4e6f-8a0b-c1d2e3f405é",
        ] {
            assert_eq!(number(other), None, "{other}");
        }
    }
}
