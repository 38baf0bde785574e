//! Lenient reading of the free-form objects in a record: what services and callers put there may be of any type, and
//! a value of a type we do not expect is "not recorded".

use std::borrow::Cow;
use std::sync::OnceLock;

use memchr::memmem::Finder;
use serde::Deserialize;
use serde_json::value::RawValue;

/// The value as text; `None` for other types and for JSON null.
pub fn text(raw: Option<&RawValue>) -> Option<Cow<'_, str>> {
    let json = raw?.get();
    let inner = json.strip_prefix('"')?.strip_suffix('"')?;
    if inner.contains('\\') {
        return serde_json::from_str(json).ok().map(Cow::Owned);
    }
    (!inner.is_empty()).then_some(Cow::Borrowed(inner))
}

/// The JSON text with every half of a character that stands alone (`\ud800`) replaced by `\ufffd`, the sign for what cannot be
/// read. Parsers refuse such text, so that one escape of a caller's could make all parameters unreadable. Lengths stay.
pub fn whole(json: &str) -> Cow<'_, str> {
    let finders = HALVES.get_or_init(|| [Finder::new(b"\\ud"), Finder::new(b"\\uD")]);
    let bytes = json.as_bytes();
    let Some(first) = finders.iter().filter_map(|half| half.find(bytes)).min() else {
        return Cow::Borrowed(json);
    };
    // Backslashes before it may take its own away.
    let mut at = first - bytes[..first].iter().rev().take_while(|byte| **byte == b'\\').count();
    let mut out: Option<String> = None;
    let mut copied = 0;
    while let Some(found) = bytes.get(at..).and_then(|rest| memchr::memchr(b'\\', rest)) {
        let escape = at + found;
        at = escape + 2;
        match unit(bytes, escape) {
            Some(0xd800..=0xdbff) if matches!(unit(bytes, escape + 6), Some(0xdc00..=0xdfff)) => {
                at = escape + 12;
            }
            Some(0xd800..=0xdfff) => {
                let out = out.get_or_insert_default();
                out.push_str(&json[copied..escape]);
                out.push_str("\\ufffd");
                at = escape + 6;
                copied = at;
            }
            _ => {}
        }
    }
    match out {
        None => Cow::Borrowed(json),
        Some(out) => Cow::Owned(out + &json[copied..]),
    }
}

static HALVES: OnceLock<[Finder<'static>; 2]> = OnceLock::new();

/// The number of the escape `\uXXXX` that stands at `at`.
fn unit(bytes: &[u8], at: usize) -> Option<u32> {
    let hex = bytes.get(at..at + 6)?.strip_prefix(b"\\u")?;
    hex.iter().try_fold(0, |number, digit| Some(number << 4 | char::from(*digit).to_digit(16)?))
}

/// The value as an integer, given as a number or as digits in text; `12.0` and `1e3` are integers too.
pub fn int(raw: Option<&RawValue>) -> Option<i64> {
    /// Up to here every integer has a float of its own.
    const EXACT: f64 = 9_007_199_254_740_992.0;
    let text = raw?.get().trim_matches('"');
    text.parse().ok().or_else(|| {
        // What is no number in JSON, such as "nan" in text, is none here.
        let number = text.bytes().all(|byte| byte.is_ascii_digit() || b"+-.eE".contains(&byte));
        let value = text.parse().ok().filter(|value: &f64| value.fract() == 0.0 && value.abs() <= EXACT);
        #[expect(clippy::cast_possible_truncation, reason = "an integer that fits")]
        number.then_some(value?).map(|value| value as i64)
    })
}

/// The value as a flag, given as a boolean or as text.
pub fn flag(raw: Option<&RawValue>) -> Option<bool> {
    match raw?.get().trim_matches('"') {
        "true" => Some(true),
        "false" => Some(false),
        _ => None,
    }
}

/// The value as `T`, or nothing of it.
pub fn part<'a, T: Deserialize<'a> + Default>(raw: Option<&'a RawValue>) -> T {
    raw.filter(|raw| raw.get() != "null")
        .and_then(|raw| serde_json::from_str(raw.get()).ok())
        .unwrap_or_default()
}

/// Declares a view of a JSON object: the members we read, each raw, under its names in JSON. Unknown members are passed over, and of
/// a repeated one the last that is not null counts, as in most JSON readers.
macro_rules! view {
    ($(#[$meta:meta])* $name:ident { $($(#[$doc:meta])* $field:ident = $key:pat,)* }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, Default)]
        pub struct $name<'a> { $($(#[$doc])* pub $field: Option<&'a serde_json::value::RawValue>,)* }

        impl<'a> $name<'a> {
            /// The place of the member of this name in JSON.
            fn member(&mut self, key: &str) -> Option<&mut Option<&'a serde_json::value::RawValue>> {
                match key {
                    $($key => Some(&mut self.$field),)*
                    _ => None,
                }
            }
        }

        impl<'de: 'a, 'a> serde::Deserialize<'de> for $name<'a> {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                struct Visitor;
                impl<'de> serde::de::Visitor<'de> for Visitor {
                    type Value = $name<'de>;
                    fn expecting(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        out.write_str("an object")
                    }
                    fn visit_map<A: serde::de::MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                        let mut view = $name::default();
                        while let Some(key) = map.next_key::<$crate::event::record::Text<'de>>()? {
                            let Some(member) = view.member(&key) else {
                                map.next_value::<serde::de::IgnoredAny>()?;
                                continue;
                            };
                            let value = map.next_value::<&'de serde_json::value::RawValue>()?;
                            if value.get() != "null" {
                                *member = Some(value);
                            }
                        }
                        Ok(view)
                    }
                }
                deserializer.deserialize_map(Visitor)
            }
        }
    };
}
pub(crate) use view;

#[cfg(test)]
#[expect(unreachable_pub, reason = "the macro's types are public, but in no test")]
mod tests {
    use super::*;

    view! {
        /// A test's view.
        View {
            /// One.
            one = "one" | "uno",
            /// Two.
            two = "two",
        }
    }

    fn of(json: &str) -> (Option<String>, Option<i64>, Option<bool>) {
        let raw: &RawValue = serde_json::from_str(json).unwrap();
        let view: View<'_> = part(Some(raw));
        (text(view.one).map(Cow::into_owned), int(view.two), flag(view.two))
    }

    #[test]
    fn an_integer_is_one_however_it_is_written() {
        for (json, want) in [
            ("12", Some(12)),
            ("12.0", Some(12)),
            ("1e3", Some(1000)),
            ("\"1.5E+1\"", Some(15)),
            ("-7.00", Some(-7)),
            ("9223372036854775807", Some(i64::MAX)),
            ("12.5", None),
            ("1e-3", None),
            ("1e300", None),
            ("\"inf\"", None),
            ("\"nan\"", None),
            ("\"\"", None),
            ("null", None),
            ("true", None),
            ("[1]", None),
        ] {
            let raw: &RawValue = serde_json::from_str(json).unwrap();
            assert_eq!(int(Some(raw)), want, "{json}");
        }
    }

    #[test]
    fn half_a_character_is_replaced_and_all_else_stays() {
        for (json, want) in [
            (r#"{"\ud800":"a\uDFFFb"}"#, r#"{"\ufffd":"a\ufffdb"}"#),
            (r#""\ud83d\ude00 \uD83D\uDE00""#, r#""\ud83d\ude00 \uD83D\uDE00""#),
            (r#""\ud800\ud83d\ude00\ud800""#, r#""\ufffd\ud83d\ude00\ufffd""#),
            (r#""\ude00\ud83d""#, r#""\ufffd\ufffd""#),
            (r#""\ud83d\n\u00e9\ud83d\\ude00""#, r#""\ufffd\n\u00e9\ufffd\\ude00""#),
            (r#""\\ud800 \\\ud800 \\\\ud800""#, r#""\\ud800 \\\ufffd \\\\ud800""#),
            (r#""\ud80""#, r#""\ud80""#),
            (r#""\uD"#, r#""\uD"#),
            (r#""é\udcff取""#, r#""é\ufffd取""#),
        ] {
            assert_eq!(whole(json), want, "{json}");
            assert_eq!(whole(want), want, "nothing is left to replace");
        }
    }

    #[test]
    fn reads_leniently() {
        let one = |text: &str| Some(text.to_owned());
        assert_eq!(of(r#"{"one":"a","two":5,"three":{"one":[]}}"#), (one("a"), Some(5), None));
        assert_eq!(of(r#"{"uno":"\u0061\n","two":"7"}"#), (one("a\n"), Some(7), None));
        assert_eq!(of(r#"{"on\u0065":"a","two":"true"}"#), (one("a"), None, Some(true)));
        assert_eq!(of(r#"{"one":"a","one":"b","one":null,"two":false}"#), (one("b"), None, Some(false)));
        assert_eq!(of(r#"{"one":7,"two":1.5}"#), (None, None, None));
        assert_eq!(
            of(r#"{"one":"\ud800","two":9}"#),
            (None, Some(9), None),
            "half a character that was not replaced before spoils only itself"
        );
        for json in ["null", "[]", "\"text\"", "1", "{}", r#"{"one":""}"#, r#"{"one":null}"#] {
            assert_eq!(of(json), (None, None, None), "{json}");
        }
    }
}
