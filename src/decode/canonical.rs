//! One hash for one record: white space between tokens and the order of members say nothing, so records that differ in
//! nothing else share it. Exports write members in another order than CloudTrail does.
//!
//! Members are hashed one by one and added up, so nothing is sorted or copied. The hash is kept beside event ids in
//! stores: it must not change. It is no cryptographic one: it only tells records apart that have the same event id,
//! which CloudTrail gives and no caller chooses.

use memchr::memchr2;

/// Multipliers without structure of their own: digits of pi.
const ONE: u64 = 0x2437_08ff_a3b1_9a13;
const TWO: u64 = 0x1319_8a2e_0370_7345;

/// Hashes JSON values; holds a buffer that is reused from record to record.
#[derive(Debug, Default)]
pub(super) struct Canonical {
    open: Vec<Open>,
}

/// A bracket that is not closed yet.
#[derive(Debug, Clone, Copy)]
struct Open {
    object: bool,
    /// The hash of the key whose value comes next; none where a key comes next.
    key: Option<u64>,
    /// An object's members added up, or an array's elements in their order.
    sum: u64,
}

impl Canonical {
    /// The hash of a JSON value under a seed. Numbers count as written, texts as read. Text that is no JSON has some hash.
    pub(super) fn hash(&mut self, json: &[u8], seed: u64) -> u64 {
        self.open.clear();
        let mut whole = seed;
        let mut at = 0;
        while let Some(byte) = json.get(at) {
            let start = at;
            at += 1;
            let value = match byte {
                b' ' | b'\t' | b'\n' | b'\r' | b':' | b',' => continue,
                b'{' | b'[' => {
                    self.open.push(Open { object: *byte == b'{', key: None, sum: seed });
                    continue;
                }
                b'}' | b']' => {
                    let Some(closed) = self.open.pop() else { continue };
                    mix(closed.sum, if closed.object { 1 } else { 2 })
                }
                b'"' => {
                    at = string_end(json, start);
                    let text = text(&json[start..at], seed);
                    match self.open.last_mut() {
                        Some(Open { object: true, key: key @ None, .. }) => {
                            *key = Some(text);
                            continue;
                        }
                        _ => text,
                    }
                }
                _ => {
                    let rest = json[at..].iter().position(|byte| b" \t\n\r:,{}[]\"".contains(byte));
                    at = rest.map_or(json.len(), |length| at + length);
                    bytes(&json[start..at], seed)
                }
            };
            match self.open.last_mut() {
                Some(Open { object: true, key, sum }) => {
                    *sum = sum.wrapping_add(mix(key.take().unwrap_or(seed), value));
                }
                Some(Open { sum, .. }) => *sum = mix(*sum, value),
                None => whole = mix(whole, value),
            }
        }
        self.open.iter().fold(whole, |hash, open| mix(hash, open.sum))
    }
}

/// The hash of a text in quotes: one that is written with other escapes is the same text.
fn text(quoted: &[u8], seed: u64) -> u64 {
    let plain = memchr::memchr(b'\\', quoted).and_then(|_| serde_json::from_slice::<String>(quoted).ok());
    plain.map_or_else(|| bytes(quoted, seed), |plain| bytes(format!("\"{plain}\"").as_bytes(), seed))
}

/// Both halves of a product, folded.
fn mix(a: u64, b: u64) -> u64 {
    let product = u128::from(a ^ ONE) * u128::from(b ^ TWO);
    let half = |number: u128| u64::try_from(number & u128::from(u64::MAX)).unwrap_or_default();
    half(product) ^ half(product >> 64)
}

/// Sixteen bytes at a time; the last may overlap the ones before.
fn bytes(text: &[u8], seed: u64) -> u64 {
    let eight = |at: usize| {
        text.get(at..).and_then(<[u8]>::first_chunk).map_or(0, |eight| u64::from_le_bytes(*eight))
    };
    let length = text.len();
    let start = mix(seed, length as u64);
    if length < 8 {
        let short = text.iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte));
        return mix(start, short);
    }
    let (whole, last) = (length.saturating_sub(1) / 16 * 16, length.saturating_sub(16));
    let hash = (0..whole).step_by(16).fold(start, |hash, at| mix(eight(at) ^ hash, eight(at + 8)));
    mix(eight(last) ^ hash, eight(length - 8))
}

/// The index after a string that begins at `start`.
fn string_end(json: &[u8], start: usize) -> usize {
    let mut at = start + 1;
    while let Some(found) = json.get(at..).and_then(|rest| memchr2(b'"', b'\\', rest)) {
        if json[at + found] == b'"' {
            return at + found + 1;
        }
        at += found + 2;
    }
    json.len()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;

    fn of(json: &str) -> u64 {
        Canonical::default().hash(json.as_bytes(), 0)
    }

    #[test]
    fn white_space_and_order_are_no_content_and_all_else_is() {
        let one = r#"{ "b" : "c \" } d" ,
            "a":[ {"y": 1 , "x":{}} , 2.0,[] ],"b\u0061":null}"#;
        let two = r#"{"b\u0061":null,"a":[{"x":{},"y":1},2.0,[]],"b":"c \" } d"}"#;
        assert_eq!(of(one), of(two));
        for other in [
            r#"{"b\u0061":null,"a":[2.0,{"x":{},"y":1},[]],"b":"c \" } d"}"#,
            r#"{"b\u0061":null,"a":[{"x":{},"y":1},2.0,[]],"b":"c \" }  d"}"#,
            r#"{"b\u0061":null,"a":[{"x":{}},{"y":1},2.0,[]],"b":"c \" } d"}"#,
            r#"{"b\u0061":null,"a":[{"x":{},"y":1},20,[]],"b":"c \" } d"}"#,
        ] {
            assert_ne!(of(one), of(other), "{other}");
        }
        assert_ne!(Canonical::default().hash(one.as_bytes(), 1), of(one));
        assert_eq!(
            of(r#"{"a":"\u003cb\/\u00e9"}"#),
            of(r#"{"\u0061":"<b/é"}"#),
            "escapes are a way of writing"
        );
    }

    #[test]
    fn it_is_the_same_in_every_version() {
        let record = r#"{"eventName":"InvokeModel","a":[1,"two",{"three":null}],"userAgent":"aws-cli/2.31.0 Python/3.13"}"#;
        assert_eq!(of(record), 4_841_733_992_034_734_462);
    }

    #[test]
    fn every_byte_of_a_text_counts() {
        let text: Vec<u8> = (0..100).collect();
        let mut hashes = std::collections::BTreeSet::new();
        let mut count = 0;
        for length in 0..text.len() {
            hashes.insert(bytes(&text[..length], 0));
            count += 1;
            for at in 0..length {
                let mut other = text[..length].to_vec();
                other[at] ^= 0x20;
                hashes.insert(bytes(&other, 0));
                count += 1;
            }
        }
        assert_eq!(hashes.len(), count);
    }

    #[test]
    fn what_is_no_json_is_no_danger() {
        for text in
            ["", "}", "]]", "{", "{\"", "{\"a\\", "{\"a\":1,}", "{,,}", "[{]}", "\"\\\"", "{\"a\"}{\"b\""]
        {
            of(text);
        }
        of(&"{\"a\":[".repeat(100_000));
    }

    fn value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            any::<i32>().prop_map(Value::from),
            "[a-b\"\\\\{},: ]{0,4}".prop_map(Value::from),
            Just(Value::Null),
        ];
        leaf.prop_recursive(4, 32, 5, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::btree_map("[a-c\"\\\\,]{0,2}", inner, 0..5)
                    .prop_map(|map| map.into_iter().collect()),
            ]
        })
    }

    /// The value with the members of every object the other way round, and spaced.
    fn reversed(value: &Value) -> String {
        match value {
            Value::Array(items) => {
                format!("[ {} ]", items.iter().map(reversed).collect::<Vec<_>>().join(" ,\n"))
            }
            Value::Object(members) => {
                let member = |(key, value): (&String, &Value)| {
                    format!("{} : {}", Value::from(key.as_str()), reversed(value))
                };
                let mut members: Vec<String> = members.iter().map(member).collect();
                members.reverse();
                format!("{{ {} }}", members.join(" , "))
            }
            other => other.to_string(),
        }
    }

    proptest! {
        #[test]
        fn two_texts_are_one_exactly_if_their_values_are(one in value(), two in value()) {
            let canonical = of(&one.to_string());
            prop_assert_eq!(&canonical, &of(&reversed(&one)));
            prop_assert_eq!(canonical == of(&reversed(&two)), one == two);
        }

        #[test]
        fn any_text_has_one(text in "[{}\\[\\]\",:a\\\\ ]{0,30}") {
            of(&text);
        }
    }
}
