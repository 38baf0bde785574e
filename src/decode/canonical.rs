//! One text for one record: white space between tokens and the order of members say nothing, so records that differ in
//! nothing else have one canonical text. Exports write members in another order than CloudTrail does.

use memchr::memchr2;

/// Brings JSON objects to their canonical text; holds buffers that are reused from record to record.
#[derive(Debug, Default)]
pub(super) struct Canonical {
    out: Vec<u8>,
    open: Vec<Open>,
    members: Vec<Member>,
    aside: Vec<u8>,
}

/// A bracket that is not closed yet.
#[derive(Debug, Clone, Copy)]
enum Open {
    Array,
    /// An object, and its first among the members.
    Object(usize),
}

/// A member in the output: key, colon, value and a comma.
#[derive(Debug, Clone, Copy)]
struct Member {
    start: usize,
    key_end: usize,
    end: usize,
}

impl Canonical {
    /// The canonical text of a JSON value: no white space between tokens, the members of every object sorted by their keys as
    /// written (repeated keys in their order), each followed by a comma. Texts and numbers stay as written. For equality
    /// only; it is no JSON. Text that is no JSON gives some text.
    pub(super) fn text(&mut self, json: &[u8]) -> &[u8] {
        self.out.clear();
        self.open.clear();
        self.members.clear();
        self.out.reserve(json.len() + json.len() / 8);
        // Whether the next string is a key.
        let mut key = false;
        // What stands before this index is in the output.
        let mut copied = 0;
        let mut at = 0;
        while let Some(byte) = json.get(at) {
            match byte {
                b'"' => {
                    let end = string_end(json, at);
                    if key {
                        key = false;
                        let start = self.out.len() + at - copied;
                        self.members.push(Member { start, key_end: start + end - at, end: 0 });
                    }
                    at = end;
                    continue;
                }
                b' ' | b'\t' | b'\n' | b'\r' => {
                    self.out.extend_from_slice(&json[copied..at]);
                    copied = at + 1;
                }
                b'{' => {
                    self.open.push(Open::Object(self.members.len()));
                    key = true;
                }
                b'[' => {
                    self.open.push(Open::Array);
                    key = false;
                }
                b',' => {
                    if let Some(Open::Object(first)) = self.open.last().copied() {
                        self.end_member(first, at + 1 - copied);
                        key = true;
                    }
                }
                b'}' | b']' => {
                    if let Some(Open::Object(first)) = self.open.pop()
                        && self.members.len() > first
                    {
                        self.out.extend_from_slice(&json[copied..at]);
                        copied = at;
                        self.out.push(b',');
                        self.end_member(first, 0);
                        self.sort(first);
                    }
                    key = false;
                }
                _ => {}
            }
            at += 1;
        }
        self.out.extend_from_slice(&json[copied..]);
        &self.out
    }

    /// Ends the last member, of an object whose members begin at `first`, so many bytes past what is in the output.
    fn end_member(&mut self, first: usize, ahead: usize) {
        let end = self.out.len() + ahead;
        if let Some(member) = self.members[first..].last_mut() {
            member.end = end;
        }
    }

    /// Puts the members from `first` on, which end the output, into the order of their keys, and forgets them.
    fn sort(&mut self, first: usize) {
        let Self { out, members, aside, .. } = self;
        let own = &mut members[first..];
        let start = own.first().map_or(out.len(), |member| member.start);
        let order = |member: &Member| (&out[member.start..member.key_end], member.start);
        if !own.is_sorted_by(|a, b| order(a) <= order(b)) {
            own.sort_unstable_by(|a, b| order(a).cmp(&order(b)));
            aside.clear();
            for member in own {
                aside.extend_from_slice(&out[member.start..member.end]);
            }
            out.truncate(start);
            out.extend_from_slice(aside);
        }
        members.truncate(first);
    }
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

    fn of(json: &str) -> String {
        String::from_utf8(Canonical::default().text(json.as_bytes()).to_vec()).unwrap()
    }

    #[test]
    fn white_space_and_order_are_no_content_and_all_else_is() {
        let one = r#"{ "b" : "c \" } d" ,
            "a":[ {"y": 1 , "x":{}} , 2.0,[] ],"b\u0061":null}"#;
        let two = r#"{"b\u0061":null,"a":[{"x":{},"y":1},2.0,[]],"b":"c \" } d"}"#;
        assert_eq!(of(one), of(two));
        assert_eq!(of(two), r#"{"a":[{"x":{},"y":1,},2.0,[]],"b":"c \" } d","b\u0061":null,}"#);
        for other in [
            r#"{"b\u0061":null,"a":[2.0,{"x":{},"y":1},[]],"b":"c \" } d"}"#,
            r#"{"b\u0061":null,"a":[{"x":{},"y":1},2.0,[]],"b":"c \" }  d"}"#,
            r#"{"b\u0061":null,"a":[{"x":{}},{"y":1},2.0,[]],"b":"c \" } d"}"#,
            r#"{"b\u0061":null,"a":[{"x":{},"y":1},20,[]],"b":"c \" } d"}"#,
        ] {
            assert_ne!(of(one), of(other), "{other}");
        }
        assert_ne!(of(r#"{"a":1,"a":2}"#), of(r#"{"a":2,"a":1}"#), "the last of repeated keys counts");
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
