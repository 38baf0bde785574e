//! The exact spans of the objects at one nesting level of a JSON text, without parsing it.
//!
//! A local anchor proves only "outside a string", never depth: an array of look-alike records inside someone's
//! request parameters passes every local test. So one pass follows strings and brackets through the whole text.
//! It does not judge what stands inside an object; whoever uses a span parses it.

use std::ops::Range;

use crate::decode::block::{BLOCK, Carry, Marks, Pairs, Visit, walk};
use crate::decode::filter::{Filter, Signs};

/// A record nested deeper than this is refused: nothing CloudTrail writes comes near, and parsers recurse.
pub const MAX_DEPTH: u32 = 128;

/// A text with more objects is refused: CloudTrail writes hundreds of bytes for each, and a small bomb of empty ones would
/// take a hundred times its inflated size.
pub const MAX_OBJECTS: usize = 1_000_000;

/// Where the structure of a text breaks.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum Broken {
    /// The text ends inside a string or before its brackets close.
    #[error("the JSON text ends before it is complete: the object is cut off at byte {at}")]
    Truncated {
        /// Length of the text.
        at: usize,
    },
    /// More objects than any log has.
    #[error("it holds more than {MAX_OBJECTS} records by byte {at}: no log that CloudTrail wrote")]
    Crowded {
        /// Where the first one too many ends.
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
    /// Whether there are bytes above 0x7f.
    pub high: bool,
    filter: Option<&'f Filter>,
}

/// How far a scan is.
struct State<'t> {
    text: &'t [u8],
    level: u32,
    start: usize,
    deepest: u32,
    /// What was found in the object so far.
    signs: Signs,
    /// Where the container closed, once it did.
    end: Result<Option<usize>, Broken>,
}

/// Follows the blocks of a text; where it is stays in registers.
struct Walker<'s, 'f, 't> {
    structure: &'s mut Structure<'f>,
    state: &'s mut State<'t>,
    /// Where the block begins.
    base: usize,
    depth: u32,
    level: u32,
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
        let signs = Signs::default();
        let mut state = State { text: bytes, level, start: 0, deepest: 0, signs, end: Ok(None) };
        let none = Pairs::default();
        let pairs = self.filter.map_or(&none, Filter::pairs);
        let walker = Walker { structure: self, state: &mut state, base: 0, depth: 0, level };
        let mut walker = walk(bytes, pairs, &mut carry, walker);
        if matches!(walker.state.end, Ok(None)) {
            // The last block, whole or not, is a copy: a block needs the byte after it. Digits are neither bracket nor
            // quote, so they change nothing.
            let mut padded = [b'0'; BLOCK + 1];
            let tail = &bytes[walker.base..];
            padded[..tail.len()].copy_from_slice(tail);
            walker = walk(&padded, pairs, &mut carry, walker);
        }
        let depth = walker.depth;
        self.high = carry.high != 0;
        match state.end? {
            Some(end) => Ok(end),
            None if depth == 0 && carry.in_string == 0 && level == 0 => Ok(bytes.len()),
            None => Err(Broken::Truncated { at: bytes.len() }),
        }
    }

    /// Looks at the pairs of a block that stand in the object the block is in.
    fn pairs(&self, state: &mut State<'_>, base: usize, mut pairs: u64) {
        let Some(filter) = self.filter else { return };
        while pairs != 0 {
            filter.look(state.text, base + pairs.trailing_zeros() as usize, &mut state.signs);
            pairs &= pairs - 1;
        }
    }

    /// Follows every bracket of a block; returns the depth after it.
    #[cold]
    fn brackets(
        &mut self,
        state: &mut State<'_>,
        block: &Marks,
        base: usize,
        mut depth: u32,
    ) -> Result<u32, Broken> {
        let mut both = block.open | block.close;
        let mut pairs = block.pair;
        while both != 0 {
            let at = base + both.trailing_zeros() as usize;
            let bit = both & both.wrapping_neg();
            both ^= bit;
            self.pairs(state, base, pairs & (bit - 1));
            pairs &= !(bit - 1);
            if block.open & bit != 0 {
                if depth == state.level {
                    state.start = at;
                    state.deepest = 0;
                    state.signs = Signs::default();
                }
                depth += 1;
                state.deepest = state.deepest.max(depth.saturating_sub(state.level));
            } else {
                if depth == 0 {
                    return Err(Broken::Unbalanced { at });
                }
                depth -= 1;
                if depth == state.level {
                    if self.spans.len() == MAX_OBJECTS {
                        return Err(Broken::Crowded { at });
                    }
                    let too_deep = state.deepest > MAX_DEPTH;
                    let parse = self.filter.is_none() || state.signs.parse();
                    self.spans.push(Span { range: state.start..at + 1, too_deep, parse });
                } else if depth + 1 == state.level {
                    state.end = Ok(Some(at + 1));
                    return Ok(depth);
                }
            }
        }
        self.pairs(state, base, pairs);
        Ok(depth)
    }
}

impl Visit for Walker<'_, '_, '_> {
    #[inline]
    fn block(&mut self, block: Marks) -> bool {
        // Far from both ends of a record, only the balance matters.
        if self.depth > self.level + block.closed && self.depth + block.opened <= self.level + MAX_DEPTH {
            self.depth = self.depth + block.opened - block.closed;
            if block.pair != 0 {
                self.structure.pairs(self.state, self.base, block.pair);
            }
        } else {
            match self.structure.brackets(self.state, &block, self.base, self.depth) {
                Ok(depth) => self.depth = depth,
                Err(broken) => self.state.end = Err(broken),
            }
            if !matches!(self.state.end, Ok(None)) {
                return false;
            }
        }
        self.base += BLOCK;
        true
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
    fn a_bomb_of_empty_objects_is_refused() {
        let text = format!("[{}{{}}]", "{},".repeat(MAX_OBJECTS));
        assert!(matches!(Structure::default().scan(text.as_bytes(), 1), Err(Broken::Crowded { .. })));
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
}
