//! Which records can be passed over without parsing, because nothing in them can make them ours.
//!
//! A record is passed over only if its bytes prove that it is not wanted: no text in it begins with one of the needles,
//! as a text does in every wanted service's records, no `\u00` escape that could hide letters, and every raw `"eventName"`
//! key (at least one) has a value without backslash that is not on the list. Everything else is parsed, and
//! then only the record's own top-level keys decide. What is passed over is counted as not ours and not judged further:
//! a fault in a record of another service is that service's.
//!
//! The pass that finds the records' spans notes where two neighbouring bytes of each needle stand; only there
//! is the needle itself compared.

use hashbrown::HashSet;

use crate::decode::block::Pairs;

/// The key whose values are compared with the names wanted.
const KEY: &str = "\"eventName\"";

/// Bytes of CloudTrail logs from frequent to rare; what is not here is rarer still. Only speed depends on it.
const FREQUENT: &[u8] = b"\"eas:0-1itnr,2o.c4638m57/9dulApEpfbIvTRygCwhDSNPkUxML";

/// A text looked for by the two bytes at `at`.
#[derive(Debug)]
struct Needle {
    text: Box<[u8]>,
    at: usize,
    pair: [u8; 2],
    /// Its first eight bytes, and which of them are its own.
    first: u64,
    mask: u64,
}

impl Needle {
    fn new(text: &str) -> Self {
        let frequency =
            |byte: &u8| FREQUENT.iter().rev().position(|one| one == byte).map_or(0, |rank| rank + 1);
        let found = text
            .as_bytes()
            .windows(2)
            .enumerate()
            .min_by_key(|(_, both)| frequency(&both[0]) * frequency(&both[1]));
        let (at, pair) = found.map_or((0, [b'0'; 2]), |(at, pair)| (at, [pair[0], pair[1]]));
        let mut first = [0; 8];
        let mut mask = [0; 8];
        for (index, byte) in text.bytes().take(8).enumerate() {
            (first[index], mask[index]) = (byte, 0xff);
        }
        let (first, mask) = (u64::from_le_bytes(first), u64::from_le_bytes(mask));
        Self { text: text.as_bytes().into(), at, pair, first, mask }
    }

    /// Where the needle begins whose pair begins at `pair`.
    #[inline]
    fn begins(&self, bytes: &[u8], pair: usize) -> Option<usize> {
        if bytes.get(pair..pair + 2)? != self.pair {
            return None;
        }
        let start = pair.checked_sub(self.at)?;
        let rest = &bytes[start..];
        // Most are told apart by their first bytes, without a call.
        let first = rest.first_chunk().map(|first| u64::from_le_bytes(*first) & self.mask);
        (first.is_none_or(|first| first == self.first) && rest.starts_with(&self.text)).then_some(start)
    }
}

/// What was found in one record.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Signs {
    /// A raw `"eventName"` key.
    named: bool,
    /// A needle, or a name that may be wanted.
    wanted: bool,
}

impl Signs {
    /// Whether nothing proves that the record is not wanted: one without any raw `"eventName"` key is parsed.
    pub(crate) fn parse(self) -> bool {
        self.wanted || !self.named
    }
}

/// The needles and names of one run.
#[derive(Debug)]
pub struct Filter {
    pairs: Pairs,
    needles: Vec<Needle>,
    key: Needle,
    names: HashSet<Box<[u8]>>,
}

impl Filter {
    /// `needles`: letters, digits and hyphens; in a record of a wanted service some text begins with one of them. `names`: event names wanted from other services.
    pub fn new<'n>(needles: &[&str], names: impl IntoIterator<Item = &'n str>) -> Self {
        let beginning = needles.iter().map(|needle| format!("\"{needle}"));
        let anywhere = ["\\u00", "Aggregated", "Insight"].map(str::to_owned);
        let needles: Vec<Needle> = beginning.chain(anywhere).map(|text| Needle::new(&text)).collect();
        let key = Needle::new(KEY);
        Self {
            pairs: pairs(&needles, &key),
            needles,
            key,
            names: names.into_iter().map(|name| name.as_bytes().into()).collect(),
        }
    }

    /// The same, but a record is parsed, too, in which one of `texts` stands. Each is of two bytes or more, and of
    /// letters, digits and `:+=,.@_-`, which JSON writes in one way, but for `\u` escapes; before them `"` or `/` may stand.
    #[must_use]
    pub fn following(self, texts: impl IntoIterator<Item = String>) -> Self {
        let mut needles = self.needles;
        needles.extend(texts.into_iter().map(|text| Needle::new(&text)));
        Self { pairs: pairs(&needles, &self.key), needles, ..self }
    }

    /// Passes over nothing: what every other filter is compared with.
    pub fn none() -> Self {
        Self { key: Needle::new("\0\0"), ..Self::new(&[], []) }
    }

    /// The pairs at which [`look`](Self::look) must look.
    pub(crate) fn pairs(&self) -> &Pairs {
        &self.pairs
    }

    /// Looks at one of the pairs.
    pub(crate) fn look(&self, bytes: &[u8], at: usize, signs: &mut Signs) {
        if let Some(found) = self.key.begins(bytes, at) {
            signs.named = true;
            signs.wanted |= self.wanted(&bytes[found + KEY.len()..]);
        } else {
            signs.wanted |= self.needles.iter().any(|needle| needle.begins(bytes, at).is_some());
        }
    }

    /// Whether what follows the text `"eventName"` could be a wanted value, or is not a plain value at all.
    fn wanted(&self, rest: &[u8]) -> bool {
        let Some(rest) = rest.trim_ascii_start().strip_prefix(b":") else { return true };
        let Some(rest) = rest.trim_ascii_start().strip_prefix(b"\"") else { return true };
        let window = &rest[..rest.len().min(256)];
        let Some(end) = memchr::memchr2(b'"', b'\\', window) else { return true };
        window[end] == b'\\' || self.names.contains(&window[..end])
    }
}

/// The pairs of all needles.
fn pairs(needles: &[Needle], key: &Needle) -> Pairs {
    Pairs::new(needles.iter().chain([key]).map(|needle| needle.pair))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decode::structure::Structure;

    fn candidates(records: &[&str]) -> Vec<bool> {
        let text = format!("{{\"Records\":[{}]}}", records.join(","));
        let filter = Filter::new(&["bedrock"], ["DeleteTrail"]);
        let mut structure = Structure::judging(&filter);
        structure.scan(text.as_bytes(), 2).unwrap();
        structure.spans.iter().map(|span| span.parse).collect()
    }

    #[test]
    fn only_proof_of_absence_skips() {
        assert_eq!(
            candidates(&[
                r#"{"eventName":"RunInstances","eventSource":"ec2.amazonaws.com"}"#,
                r#"{"eventName":"DeleteTrail"}"#,
                r#"{"eventName" :
                    "DeleteTrail"}"#,
                r#"{"eventName":"Delete\u0054rail"}"#,
                r#"{"\u0065ventName":"DeleteTrail","x":{"eventName":"RunInstances"}}"#,
                r#"{"eventName":"RunInstances","x":{"eventName":"DeleteTrail"}}"#,
                r#"{"eventName":"RunInstances","eventName":"DeleteTrail"}"#,
                r#"{"eventSource":"ec2.amazonaws.com"}"#,
                r#"{"eventName":"RunInstances","userIdentity":{"invokedBy":"bedrock.amazonaws.com"}}"#,
                r#"{"eventName":"Run\/Instances"}"#,
                r#"{"eventName":5}"#,
                r#"{"x":"eventName","eventName":"RunInstances"}"#,
                r#"{"x":"\"eventName\":\"DeleteTrail\"","eventName":"RunInstances"}"#,
                r#"{"eventName":"ListBuckets","eventCategory":"Insight"}"#,
            ]),
            [false, true, true, true, true, true, true, true, true, true, true, true, false, true]
        );
    }

    #[test]
    fn records_do_not_mix() {
        let long = format!(r#"{{"eventName":"RunInstances","pad":"{}"}}"#, "x".repeat(256 * 1024));
        let mut records = vec![];
        let mut expected = vec![];
        for index in 0..400 {
            let (record, wanted) = match index % 4 {
                0 => (r#"{"eventName":"RunInstances"}"#, false),
                1 => (r#"{"eventName":"DeleteTrail"}"#, true),
                2 => (r#"{"a":"bedrock","eventName":"RunInstances"}"#, true),
                _ if index % 40 == 3 => (long.as_str(), false),
                _ => ("{}", true),
            };
            records.push(record);
            expected.push(wanted);
        }
        assert_eq!(candidates(&records), expected);
    }
}
