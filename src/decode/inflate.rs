//! Stored bytes to plain bytes: gzip (every member), zstd (every frame) or as they are, told by their first
//! bytes, into a buffer that is reused and capped.

use std::io::Read;

use crate::decode::gunzip::{Gunzip, MemberError};

/// The first bytes of a gzip member (RFC 1952 §2.3.1).
const GZIP: &[u8] = &[0x1f, 0x8b];
/// The first bytes of a zstd frame (RFC 8878 §3.1.1).
const ZSTD: &[u8] = &[0x28, 0xb5, 0x2f, 0xfd];

/// Why stored bytes gave no plain ones.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum InflateError {
    /// There is nothing in the object.
    #[error("the object is empty")]
    Empty,
    /// It inflates past the limit of this attempt.
    #[error("it inflates to more than {limit} bytes; if it is a real log, raise --max-object-size")]
    TooLarge {
        /// The limit in bytes.
        limit: usize,
    },
    /// The compressed stream is damaged or cut off.
    #[error("{format} stream is damaged or cut off at member {member}")]
    Damaged {
        /// `gzip` or `zstd`.
        format: &'static str,
        /// Which member or frame, from 1.
        member: usize,
    },
    /// Bytes that are no gzip member follow the last one.
    #[error("{bytes} bytes follow the gzip stream at byte {at}: not part of a log CloudTrail wrote")]
    Trailing {
        /// Where they begin in the stored object.
        at: usize,
        /// How many there are.
        bytes: usize,
    },
    /// The name promises gzip, the content is something else.
    #[error("the name ends in .gz but the content is neither gzip nor JSON text")]
    NotGzip,
}

/// Inflates objects one after the other into one buffer.
#[derive(Default)]
pub struct Inflater {
    gunzip: Gunzip,
    buffer: Vec<u8>,
}

impl Inflater {
    /// The plain bytes of an object, at most `limit` of them. `name` only words the error.
    pub fn inflate<'a>(
        &'a mut self,
        stored: &'a [u8],
        name: &str,
        limit: usize,
    ) -> Result<&'a [u8], InflateError> {
        if stored.is_empty() {
            return Err(InflateError::Empty);
        }
        if stored.starts_with(GZIP) {
            let mut length = self.members(stored, limit)?;
            // A delivery stream that compresses what CloudWatch Logs has compressed already.
            if self.buffer[..length].starts_with(GZIP) {
                let outer = std::mem::take(&mut self.buffer);
                length = self.members(&outer[..length], limit)?;
            }
            return Ok(&self.buffer[..length]);
        }
        if stored.starts_with(ZSTD) {
            self.frames(stored, limit)?;
            return Ok(&self.buffer);
        }
        let named_gzip = std::path::Path::new(name)
            .extension()
            .is_some_and(|extension| extension.eq_ignore_ascii_case("gz"));
        let first = stored.iter().find(|byte| !byte.is_ascii_whitespace());
        if named_gzip && !matches!(first, Some(b'{' | b'[' | 0xef)) {
            return Err(InflateError::NotGzip);
        }
        if stored.len() > limit {
            return Err(InflateError::TooLarge { limit });
        }
        Ok(stored)
    }

    /// Gives back what a single large object made the buffer grow to.
    pub fn shrink(&mut self, bytes: usize) {
        if self.buffer.capacity() > bytes {
            self.buffer.truncate(bytes);
            self.buffer.shrink_to(bytes);
        }
    }

    fn members(&mut self, stored: &[u8], limit: usize) -> Result<usize, InflateError> {
        let mut read = 0;
        let mut written = 0;
        let mut member = 1;
        while read < stored.len() {
            let rest = &stored[read..];
            if member > 1 && !rest.starts_with(GZIP) {
                return Err(InflateError::Trailing { at: read, bytes: rest.len() });
            }
            // The trailer's size is a hint that anybody can write: it sets the first guess, never the limit.
            let hint = rest.last_chunk::<4>().map_or(0, |size| u32::from_le_bytes(*size) as usize);
            let guess = hint.min(rest.len().saturating_mul(32)).max(rest.len().saturating_mul(4)).max(4096);
            if self.buffer.len() < (written + guess).min(limit) {
                self.buffer.resize((written + guess).min(limit), 0);
            }
            loop {
                match self.gunzip.member(rest, &mut self.buffer[written..]) {
                    Ok((consumed, produced)) => {
                        read += consumed;
                        written += produced;
                        member += 1;
                        break;
                    }
                    Err(MemberError::NoSpace) if self.buffer.len() >= limit => {
                        return Err(InflateError::TooLarge { limit });
                    }
                    Err(MemberError::NoSpace) => {
                        let larger = self.buffer.len().saturating_mul(2).max(4096).min(limit);
                        self.buffer.resize(larger, 0);
                    }
                    Err(MemberError::Damaged) => {
                        return Err(InflateError::Damaged { format: "gzip", member });
                    }
                }
            }
        }
        Ok(written)
    }

    fn frames(&mut self, stored: &[u8], limit: usize) -> Result<(), InflateError> {
        let damaged = InflateError::Damaged { format: "zstd", member: 1 };
        self.buffer.clear();
        let Ok(decoder) = zstd::stream::read::Decoder::with_buffer(stored) else { return Err(damaged) };
        match decoder.take(limit as u64 + 1).read_to_end(&mut self.buffer) {
            Err(_) => Err(damaged),
            Ok(length) if length > limit => Err(InflateError::TooLarge { limit }),
            Ok(_) => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn gzip(plain: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        encoder.write_all(plain).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn every_gzip_member_is_read() {
        let mut stored = gzip(b"{\"Records\":");
        stored.extend(gzip(b"{\"Records\":"));
        stored.extend(gzip(b"[]}"));
        let mut inflater = Inflater::default();
        assert_eq!(
            inflater.inflate(&stored, "a.json.gz", 1 << 20),
            Ok(&b"{\"Records\":{\"Records\":[]}"[..])
        );
    }

    #[test]
    fn what_was_compressed_twice_is_inflated_twice_and_no_further() {
        let once = [gzip(b"{\"Records\":"), gzip(b"[]}")].concat();
        let mut inflater = Inflater::default();
        assert_eq!(inflater.inflate(&gzip(&once), "a.gz", 1 << 20), Ok(&b"{\"Records\":[]}"[..]));
        let thrice = gzip(&gzip(&once));
        assert!(inflater.inflate(&thrice, "a.gz", 1 << 20).is_ok_and(|text| text.starts_with(GZIP)));
        let bomb = gzip(&gzip(&vec![b' '; 4 << 20]));
        assert_eq!(inflater.inflate(&bomb, "a.gz", 1 << 20), Err(InflateError::TooLarge { limit: 1 << 20 }));
    }

    #[test]
    fn a_bomb_stops_at_the_limit() {
        let stored = gzip(&vec![b' '; 4 << 20]);
        let mut inflater = Inflater::default();
        assert_eq!(
            inflater.inflate(&stored, "bomb.gz", 1 << 20),
            Err(InflateError::TooLarge { limit: 1 << 20 })
        );
        assert!(inflater.buffer.len() <= 1 << 20);
        assert_eq!(inflater.inflate(&stored, "bomb.gz", 4 << 20).map(<[u8]>::len), Ok(4 << 20));
    }

    #[test]
    fn damage_is_told_apart() {
        let whole = gzip(b"{\"Records\":[]}");
        let mut inflater = Inflater::default();
        let mut inflate =
            |stored: &[u8], name: &str| inflater.inflate(stored, name, 1 << 20).map(<[u8]>::to_vec);
        assert_eq!(inflate(b"", "a.gz"), Err(InflateError::Empty));
        assert_eq!(
            inflate(&whole[..whole.len() - 6], "a.gz"),
            Err(InflateError::Damaged { format: "gzip", member: 1 })
        );
        let mut flipped = whole.clone();
        flipped[whole.len() - 7] ^= 1;
        assert_eq!(inflate(&flipped, "a.gz"), Err(InflateError::Damaged { format: "gzip", member: 1 }));
        let mut trailing = whole.clone();
        trailing.extend(b"junk");
        assert_eq!(inflate(&trailing, "a.gz"), Err(InflateError::Trailing { at: whole.len(), bytes: 4 }));
        assert_eq!(inflate(b"hello", "a.gz"), Err(InflateError::NotGzip));
        assert_eq!(inflate(b"{}", "a.gz"), Ok(b"{}".to_vec()));
        let zstd = zstd::bulk::compress(b"[]", 3).unwrap();
        assert_eq!(inflate(&zstd, "a.zst"), Ok(b"[]".to_vec()));
        assert_eq!(
            inflate(&zstd[..zstd.len() - 3], "a.zst"),
            Err(InflateError::Damaged { format: "zstd", member: 1 })
        );
    }
}
