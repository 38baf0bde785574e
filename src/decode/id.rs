//! What an event is told from others by.

use sha2::{Digest, Sha256};

/// The number of a GUID as CloudTrail writes it; other ids by their hash.
pub(crate) fn event_id(text: &str) -> u128 {
    let bytes = text.as_bytes();
    let guid = bytes.len() == 36 && [8, 13, 18, 23].iter().all(|at| bytes[*at] == b'-');
    if guid {
        let mut number = 0u128;
        let digits = bytes.iter().filter(|byte| **byte != b'-').map(|byte| match byte {
            b'0'..=b'9' => Some(byte - b'0'),
            b'a'..=b'f' => Some(byte - b'a' + 10),
            _ => None,
        });
        let mut count = 0;
        for digit in digits {
            let Some(digit) = digit else { return first_bytes(&Sha256::digest(bytes)) };
            number = number << 4 | u128::from(digit);
            count += 1;
        }
        if count == 32 {
            return number;
        }
    }
    first_bytes(&Sha256::digest(bytes))
}

fn first_bytes(digest: &[u8]) -> u128 {
    digest.first_chunk::<16>().map_or(0, |bytes| u128::from_be_bytes(*bytes))
}

/// The event id that the text of an `UPDATED_DATA` addendum supersedes (CloudTrail record contents, `addendum`).
pub(crate) fn superseded_by(addendum: &str) -> Option<u128> {
    #[derive(serde::Deserialize)]
    struct Addendum {
        reason: Option<String>,
        #[serde(rename = "originalEventID")]
        original: Option<String>,
    }
    let addendum: Addendum = serde_json::from_str(addendum).ok()?;
    (addendum.reason.as_deref() == Some("UPDATED_DATA")).then_some(())?;
    Some(event_id(&addendum.original?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn event_ids_are_told_apart() {
        let guid = event_id("a1b2c3d4-5678-90ab-cdef-0123456789ab");
        assert_eq!(guid, 0xa1b2_c3d4_5678_90ab_cdef_0123_4567_89ab);
        let others = [
            "a1b2c3d4-5678-90ab-cdef-0123456789ac",
            "A1B2C3D4-5678-90AB-CDEF-0123456789AB",
            "a1b2c3d4-5678-90ab-cdef-0123456789ab ",
            "a1b2c3d4-5678-90ab-cdef-EXAMPLE11111",
            "a1b2c3d4-5678-90ab-cdef--123456789ab",
        ];
        let mut all: Vec<u128> = others.iter().map(|id| event_id(id)).chain([guid]).collect();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), 6);
    }
}
