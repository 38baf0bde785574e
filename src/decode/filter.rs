//! Which records can be passed over without parsing, because nothing in them can make them ours.
//!
//! A record is passed over only if its bytes prove that it is not wanted: none of the needles that every
//! wanted service's records contain, no `\u00` escape that could hide letters, and every raw `"eventName"`
//! key (at least one) has a value without backslash that is not on the list. Everything else is parsed, and
//! then only the record's own top-level keys decide.

use aho_corasick::packed::Searcher;
use hashbrown::HashSet;
use memchr::memmem::Finder;

use crate::decode::structure::Span;

/// Bytes searched with all needles before going on, so that they stay in the processor's cache.
const GROUP: usize = 256 * 1024;

/// All needles in one pass where the processor can, else one pass each.
#[derive(Debug)]
enum Needles {
    Together(Box<Searcher>),
    Apart(Vec<Finder<'static>>),
}

impl Needles {
    fn new(needles: &[&str]) -> Self {
        Searcher::new(needles).map_or_else(
            || Self::Apart(needles.iter().map(|needle| Finder::new(needle).into_owned()).collect()),
            |searcher| Self::Together(Box::new(searcher)),
        )
    }

    /// Calls `found` with the place of every needle, ascending for each needle or for all of them.
    fn find(&self, bytes: &[u8], mut found: impl FnMut(usize)) {
        match self {
            Self::Together(searcher) => searcher.find_iter(bytes).for_each(|one| found(one.start())),
            Self::Apart(finders) => {
                for finder in finders {
                    finder.find_iter(bytes).for_each(&mut found);
                }
            }
        }
    }
}

/// The needles and names of one run.
#[derive(Debug)]
pub struct Filter {
    needles: Needles,
    key: Finder<'static>,
    names: HashSet<Box<[u8]>>,
}

impl Filter {
    /// `needles`: texts of letters, digits and hyphens; a record of a wanted service holds one of them.
    /// `names`: event names wanted from other services.
    pub fn new<'n>(needles: &[&str], names: impl IntoIterator<Item = &'n str>) -> Self {
        let needles: Vec<&str> = needles.iter().copied().chain(["\\u00", "Insight"]).collect();
        Self {
            needles: Needles::new(&needles),
            key: Finder::new(b"\"eventName\"").into_owned(),
            names: names.into_iter().map(|name| name.as_bytes().into()).collect(),
        }
    }

    /// For every span whether it must be parsed. `spans` are in ascending order and do not overlap.
    pub fn candidates(&self, bytes: &[u8], spans: &[Span], out: &mut Vec<bool>) {
        out.clear();
        // A record without any raw `"eventName"` key is parsed.
        out.resize(spans.len(), true);
        let mut from = 0;
        while from < spans.len() {
            let start = spans[from].range.start;
            let mut to = from + 1;
            while to < spans.len() && spans[to].range.end - start <= GROUP {
                to += 1;
            }
            self.group(&bytes[start..spans[to - 1].range.end], start, &spans[from..to], &mut out[from..to]);
            from = to;
        }
    }

    fn group(&self, bytes: &[u8], base: usize, spans: &[Span], out: &mut [bool]) {
        let mut current = 0;
        let mut parse = false;
        let mut named = false;
        let mut at = 0;
        while let Some(found) = self.key.find(&bytes[at..]) {
            let found = at + found;
            at = found + b"\"eventName\"".len();
            while base + found >= spans[current].range.end {
                out[current] = parse || !named;
                (parse, named) = (false, false);
                current += 1;
                if current == spans.len() {
                    return;
                }
            }
            if base + found < spans[current].range.start {
                continue;
            }
            named = true;
            parse |= self.wanted(&bytes[at..]);
        }
        out[current] = parse || !named;
        let mut current = 0;
        self.needles.find(bytes, |found| {
            let found = base + found;
            if spans.get(current).is_none_or(|span| found < span.range.start) {
                current = 0;
            }
            current += spans[current..].partition_point(|span| span.range.end <= found);
            if let Some(span) = spans.get(current)
                && found >= span.range.start
            {
                out[current] = true;
            }
        });
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
    use crate::decode::structure::Structure;

    fn candidates(records: &[&str]) -> Vec<bool> {
        let text = format!("{{\"Records\":[{}]}}", records.join(","));
        let mut structure = Structure::default();
        structure.scan(text.as_bytes(), 2).unwrap();
        let mut out = vec![];
        Filter::new(&["bedrock"], ["DeleteTrail"]).candidates(text.as_bytes(), &structure.spans, &mut out);
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
    fn groups_do_not_mix_records() {
        let long = format!(r#"{{"eventName":"RunInstances","pad":"{}"}}"#, "x".repeat(GROUP));
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
