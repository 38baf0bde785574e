//! Which records can be passed over without parsing, because nothing in them can make them ours.
//!
//! A record is passed over only if its bytes prove that it is not wanted: none of the needles that every
//! wanted service's records contain, no `\u00` escape that could hide letters, and every raw `"eventName"`
//! key (at least one) has a value without backslash that is not on the list. Everything else is parsed, and
//! then only the record's own top-level keys decide.
//!
//! The pass that finds the records' spans notes where two neighbouring bytes of each needle stand; only there
//! is the needle itself compared.

use hashbrown::HashSet;

use crate::decode::block::Pairs;
use crate::decode::structure::{Span, Structure};

/// The key whose values are compared with the names wanted.
const KEY: &str = "\"eventName\"";

/// Bytes of CloudTrail logs from frequent to rare; what is not here is rarer still. Only speed depends on it.
const FREQUENT: &[u8] = b"\"eas:0-1itnr,2o.c4638m57/9dulApEpfbIvTRygCwhDSNPkUxML";

/// A text looked for by the two bytes at `at`.
#[derive(Debug)]
struct Needle {
    text: Box<[u8]>,
    at: usize,
}

impl Needle {
    fn new(text: &str) -> Self {
        let frequency = |byte: &u8| {
            FREQUENT.iter().position(|one| one == byte).map_or(0, |position| FREQUENT.len() - position)
        };
        let at = text
            .as_bytes()
            .windows(2)
            .enumerate()
            .min_by_key(|(_, both)| frequency(&both[0]) * frequency(&both[1]));
        Self { text: text.as_bytes().into(), at: at.map_or(0, |(at, _)| at) }
    }

    fn pair(&self) -> [u8; 2] {
        let byte = |at: usize| self.text.get(at).copied().unwrap_or(b'0');
        [byte(self.at), byte(self.at + 1)]
    }

    /// Where the needle begins whose pair begins at `pair`.
    fn begins(&self, bytes: &[u8], pair: usize) -> Option<usize> {
        let start = pair.checked_sub(self.at)?;
        bytes[start..].starts_with(&self.text).then_some(start)
    }
}

/// The needles and names of one run.
#[derive(Debug)]
pub struct Filter {
    needles: Vec<Needle>,
    key: Needle,
    names: HashSet<Box<[u8]>>,
}

impl Filter {
    /// `needles`: texts of at least two letters, digits and hyphens; a record of a wanted service holds one of
    /// them. `names`: event names wanted from other services.
    pub fn new<'n>(needles: &[&str], names: impl IntoIterator<Item = &'n str>) -> Self {
        let needles = needles.iter().copied().chain(["\\u00", "Insight"]);
        Self {
            needles: needles.map(Needle::new).collect(),
            key: Needle::new(KEY),
            names: names.into_iter().map(|name| name.as_bytes().into()).collect(),
        }
    }

    /// Passes over nothing: what every other filter is compared with.
    pub fn none() -> Self {
        Self { key: Needle::new("\0\0"), ..Self::new(&[], []) }
    }

    /// A structure that notes what [`candidates`](Self::candidates) needs.
    pub fn structure(&self) -> Structure {
        Structure::noting(Pairs::new(self.needles.iter().chain([&self.key]).map(Needle::pair)))
    }

    /// For every span whether it must be parsed. `spans` are in ascending order and do not overlap; `pairs_at`
    /// are the places of the pairs in `bytes`, ascending.
    pub fn candidates(&self, bytes: &[u8], spans: &[Span], pairs_at: &[usize], out: &mut Vec<bool>) {
        out.clear();
        let mut rest = pairs_at.iter().copied().peekable();
        for span in spans {
            let (start, end) = (span.range.start, span.range.end);
            while rest.next_if(|at| *at < start).is_some() {}
            let (mut parse, mut named) = (false, false);
            while let Some(at) = rest.next_if(|at| *at < end) {
                if let Some(found) = self.key.begins(bytes, at) {
                    named = true;
                    parse |= self.wanted(&bytes[found + KEY.len()..]);
                }
                parse |= self.needles.iter().any(|needle| needle.begins(bytes, at).is_some());
            }
            // A record without any raw `"eventName"` key is parsed.
            out.push(parse || !named);
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

#[cfg(test)]
mod tests {
    use super::*;

    fn candidates(records: &[&str]) -> Vec<bool> {
        let text = format!("{{\"Records\":[{}]}}", records.join(","));
        let filter = Filter::new(&["bedrock"], ["DeleteTrail"]);
        let mut structure = filter.structure();
        structure.scan(text.as_bytes(), 2).unwrap();
        let mut out = vec![];
        filter.candidates(text.as_bytes(), &structure.spans, &structure.pairs_at, &mut out);
        out
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
