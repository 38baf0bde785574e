//! Lenient reading of the free-form objects in a record: what services and callers put there may be of any type, and
//! a value of a type we do not expect is "not recorded".

use std::borrow::Cow;

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

/// The value as an integer, given as a number or as digits in text.
pub fn int(raw: Option<&RawValue>) -> Option<i64> {
    raw?.get().trim_matches('"').parse().ok()
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
                            let member = match &*key {
                                $($key => &mut view.$field,)*
                                _ => {
                                    map.next_value::<serde::de::IgnoredAny>()?;
                                    continue;
                                }
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
            "half a character spoils only itself"
        );
        for json in ["null", "[]", "\"text\"", "1", "{}", r#"{"one":""}"#, r#"{"one":null}"#] {
            assert_eq!(of(json), (None, None, None), "{json}");
        }
    }
}
