//! Shapes of values that are no prose: words, counts, kinds. All are judged as they are written in JSON.

use super::among;
use super::shown::{KINDS, NUMBERS};

/// Longest word but for ARNs and objects in S3, in bytes.
const WORD: usize = 256;
/// Longest ARN or S3 URI, in bytes.
const LONG: usize = 2_048;
/// Longest name of a member, and longest of a fixed set of values, in bytes.
const NAME: usize = 64;

/// Whether the value of a member that is no content has the shape that its name promises.
pub(super) fn fits(key: &str, text: &str) -> bool {
    let Some(inner) = quoted(text) else { return scalar(text) };
    if among(NUMBERS, key) {
        inner.len() <= 24 && inner.bytes().all(|byte| byte.is_ascii_digit() || b".eE+-".contains(&byte))
    } else if among(KINDS, key) {
        inner.len() <= NAME && inner.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte))
    } else {
        plain(text)
    }
}

/// Whether a value is a number, true, false, or one word: an id, a name, an ARN, a URI, a date.
pub(super) fn plain(text: &str) -> bool {
    let Some(inner) = quoted(text) else { return scalar(text) };
    let long = inner.starts_with("arn:") || inner.starts_with("s3://");
    inner.len() <= if long { LONG } else { WORD }
        && inner.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._:/@%+=,|*$-".contains(&byte))
}

/// Whether the name of a member looks like one of an API, not like something said.
pub(super) fn identifier(name: &str) -> bool {
    (1..=NAME).contains(&name.len())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._:/-".contains(&byte))
}

fn scalar(text: &str) -> bool {
    text.len() <= WORD && !text.starts_with(['{', '[', '"'])
}

fn quoted(text: &str) -> Option<&str> {
    text.strip_prefix('"')?.strip_suffix('"')
}
