//! The exact spans of the objects at one nesting level of a JSON text, without parsing it.
//!
//! A local anchor proves only "outside a string", never depth: an array of look-alike records inside someone's
//! request parameters passes every local test. So one pass follows strings and brackets through the whole text.
//! It does not judge what stands inside an object; whoever uses a span parses it.

use std::ops::Range;

use crate::decode::block::{BLOCK, Carry, Marks, Pairs, walk};
use crate::decode::filter::{Filter, Signs};

/// A record nested deeper than this is refused: nothing CloudTrail writes comes near, and parsers recurse.
pub const MAX_DEPTH: u32 = 128;

/// Where the structure of a text breaks.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum Broken {
    /// The text ends inside a string or before its brackets close.
    #[error("the JSON text ends before it is complete: the object is cut off at byte {at}")]
    Truncated {
        /// Length of the text.
        at: usize,
    },
    /// A closing bracket without an opening one.
    #[error("a closing bracket too many at byte {at}")]
    Unbalanced {
        /// Where it stands.
        at: usize,
    },
}

/// One object: its bytes, brackets included.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Span {
    /// Byte range in the text.
    pub range: Range<usize>,
    /// Nested deeper than [`MAX_DEPTH`].
    pub too_deep: bool,
    /// Nothing in its bytes proves that it is not wanted; see [`Filter`].
    pub parse: bool,
}

/// Finds spans; holds buffers that are reused from text to text.
#[derive(Default)]
pub struct Structure<'f> {
    /// The spans found by the last scan, in order.
    pub spans: Vec<Span>,
    /// Whether white space stands outside strings in the blocks scanned.
    pub spaced: bool,
    /// Whether there are bytes above 0x7f.
    pub high: bool,
    filter: Option<&'f Filter>,
}

struct State<'t> {
    text: &'t [u8],
    /// Where the block begins.
    base: usize,
    depth: u32,
    level: u32,
    start: usize,
    deepest: u32,
    /// What was found in the object so far.
    signs: Signs,
    /// Where the container closed, once it did.
    end: Result<Option<usize>, Broken>,
}

impl<'f> Structure<'f> {
    /// One that judges each object by a filter; without one every object is to be parsed.
    pub fn judging(filter: &'f Filter) -> Self {
        Self { filter: Some(filter), ..Self::default() }
    }

    /// Collects the objects that open at nesting depth `level` (0: the text's own top, 2: the records of
    /// `{"Records":[…]}`) and returns the offset just past the bracket that closes their container, or the
    /// text's length for level 0. Scanning stops there.
    pub fn scan(&mut self, bytes: &[u8], level: u32) -> Result<usize, Broken> {
        self.spans.clear();
        let mut carry = Carry::default();
        let mut state = State {
            text: bytes,
            base: 0,
            depth: 0,
            level,
            start: 0,
            deepest: 0,
            signs: Signs::default(),
            end: Ok(None),
        };
        let none = Pairs::default();
        let pairs = self.filter.map_or(&none, Filter::pairs);
        walk(bytes, pairs, &mut carry, |block| self.block(&mut state, &block));
        if matches!(state.end, Ok(None)) {
            // The last block, whole or not, is a copy: a block needs the byte after it. Digits are neither space nor
            // bracket nor quote, so they change nothing.
            let mut padded = [b'0'; BLOCK + 1];
            let tail = &bytes[state.base..];
            padded[..tail.len()].copy_from_slice(tail);
            walk(&padded, pairs, &mut carry, |block| self.block(&mut state, &block));
        }
        (self.spaced, self.high) = (carry.spaced, carry.high);
        match state.end? {
            Some(end) => Ok(end),
            None if state.depth == 0 && carry.in_string == 0 && level == 0 => Ok(bytes.len()),
            None => Err(Broken::Truncated { at: bytes.len() }),
        }
    }

    /// Takes one block in; false when there is nothing more to see.
    #[inline]
    fn block(&mut self, state: &mut State<'_>, block: &Marks) -> bool {
        // Far from both ends of a record, only the balance matters.
        if state.depth > state.level + block.closed && state.depth + block.opened <= state.level + MAX_DEPTH {
            state.depth = state.depth + block.opened - block.closed;
            if block.pair != 0 {
                self.pairs(state, block.pair);
            }
        } else {
            state.end = self.brackets(state, block);
            if !matches!(state.end, Ok(None)) {
                return false;
            }
        }
        state.base += BLOCK;
        true
    }

    /// Looks at the pairs of a block that stand in the object the block is in.
    fn pairs(&self, state: &mut State<'_>, mut pairs: u64) {
        let Some(filter) = self.filter else { return };
        while pairs != 0 {
            filter.look(state.text, state.base + pairs.trailing_zeros() as usize, &mut state.signs);
            pairs &= pairs - 1;
        }
    }

    #[cold]
    fn brackets(&mut self, state: &mut State<'_>, block: &Marks) -> Result<Option<usize>, Broken> {
        let mut both = block.open | block.close;
        let mut pairs = block.pair;
        while both != 0 {
            let at = state.base + both.trailing_zeros() as usize;
            let bit = both & both.wrapping_neg();
            both ^= bit;
            self.pairs(state, pairs & (bit - 1));
            pairs &= !(bit - 1);
            if block.open & bit != 0 {
                if state.depth == state.level {
                    state.start = at;
                    state.deepest = 0;
                    state.signs = Signs::default();
                }
                state.depth += 1;
                state.deepest = state.deepest.max(state.depth.saturating_sub(state.level));
            } else {
                if state.depth == 0 {
                    return Err(Broken::Unbalanced { at });
                }
                state.depth -= 1;
                if state.depth == state.level {
                    let too_deep = state.deepest > MAX_DEPTH;
                    let parse = self.filter.is_none() || state.signs.parse();
                    self.spans.push(Span { range: state.start..at + 1, too_deep, parse });
                } else if state.depth + 1 == state.level {
                    return Ok(Some(at + 1));
                }
            }
        }
        self.pairs(state, pairs);
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The same by walking byte for byte.
    fn slow(bytes: &[u8], level: u32) -> Result<(Vec<Range<usize>>, usize), Broken> {
        let (mut depth, mut string, mut start, mut spans) = (0u32, false, 0, vec![]);
        let mut at = 0;
        while at < bytes.len() {
            match bytes[at] {
                b'\\' if string => at += 1,
                b'"' => string = !string,
                b'{' | b'[' if !string => {
                    if depth == level {
                        start = at;
                    }
                    depth += 1;
                }
                b'}' | b']' if !string => {
                    depth = depth.checked_sub(1).ok_or(Broken::Unbalanced { at })?;
                    if depth == level {
                        spans.push(start..at + 1);
                    } else if depth + 1 == level {
                        return Ok((spans, at + 1));
                    }
                }
                _ => {}
            }
            at += 1;
        }
        if depth != 0 || string || level != 0 {
            return Err(Broken::Truncated { at: bytes.len() });
        }
        Ok((spans, bytes.len()))
    }

    fn json() -> impl Strategy<Value = serde_json::Value> {
        let leaf = prop_oneof![
            any::<bool>().prop_map(serde_json::Value::from),
            any::<i32>().prop_map(serde_json::Value::from),
            r#"[ -~\\"{}\[\]]{0,90}"#.prop_map(serde_json::Value::from),
        ];
        leaf.prop_recursive(5, 64, 6, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..6).prop_map(serde_json::Value::from),
                proptest::collection::btree_map(r#"[a-z\\"{]{0,9}"#, inner, 0..6)
                    .prop_map(|map| serde_json::Value::Object(map.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn equals_the_slow_walk(value in json(), pretty: bool, level in 0u32..3) {
            let text = if pretty { serde_json::to_string_pretty(&value) } else { serde_json::to_string(&value) };
            let text = text.unwrap();
            let mut structure = Structure::default();
            let fast = structure.scan(text.as_bytes(), level);
            let slow = slow(text.as_bytes(), level);
            prop_assert_eq!(fast.is_ok(), slow.is_ok());
            if let (Ok(end), Ok((spans, slow_end))) = (fast, slow) {
                prop_assert_eq!(end, slow_end);
                prop_assert_eq!(structure.spans.iter().map(|span| span.range.clone()).collect::<Vec<_>>(), spans);
            }
        }

        #[test]
        fn a_cut_text_never_looks_whole(value in json(), cut in 1usize..40) {
            let text = format!(r#"{{"Records":[{value}]}}"#);
            let cut = &text.as_bytes()[..text.len() - cut.min(text.len() - 1)];
            prop_assert!(Structure::default().scan(cut, 0).is_err());
        }
    }

    #[test]
    fn depth_is_exact_at_the_limit() {
        for depth in [MAX_DEPTH - 1, MAX_DEPTH, MAX_DEPTH + 1, 4 * MAX_DEPTH] {
            let nested = depth as usize - 1;
            let text = format!(r#"{{"Records":[{{"a":{}{}}}]}}"#, "[".repeat(nested), "]".repeat(nested));
            let mut structure = Structure::default();
            structure.scan(text.as_bytes(), 2).unwrap();
            assert_eq!(structure.spans.len(), 1);
            assert_eq!(structure.spans[0].too_deep, depth > MAX_DEPTH, "{depth}");
        }
    }

    #[test]
    fn white_space_inside_strings_is_not_spacing() {
        let mut structure = Structure::default();
        structure.scan(br#"{"a":"b c"}"#, 0).unwrap();
        assert!(!structure.spaced);
        structure.scan(br#"{"a": "b c"}"#, 0).unwrap();
        assert!(structure.spaced);
    }
}
