//! What callers put in by hand (prompts, tool arguments, metadata, JWT claims) is kept only by its length.

use std::borrow::Cow;
use std::fmt::Write as _;

use serde_json::value::RawValue;

use super::record::Record;

mod names;
#[cfg(test)]
mod tests;

use names::{CONTENT, HIDDEN, KNOWN, PARTS, RUN_TIME, SHOWN};

/// Which members of a text are content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Content {
    /// Those that `CONTENT` names: of settings, and of what AWS adds to a record, the rest is what reports are about.
    Named,
    /// All but those that `KNOWN` names: of what a caller asked, and was answered.
    Unknown,
}

impl Content {
    /// For `requestParameters` and `responseElements` of a record of the Bedrock family: what is asked at run time is no setting.
    /// `category` is `eventCategory`, or what stands for it.
    pub fn of(activity: &str, category: Option<&str>) -> Self {
        let sets = activity.ends_with("_admin") || activity == "entitlement";
        let asks = category == Some("Data") || RUN_TIME.binary_search(&activity).is_ok();
        if asks && !sets { Self::Unknown } else { Self::Named }
    }

    fn is(self, key: &str) -> bool {
        match self {
            Self::Named => CONTENT.binary_search(&key).is_ok(),
            Self::Unknown => KNOWN.binary_search(&key).is_err(),
        }
    }
}

/// The JSON text with content replaced by `"<N bytes>"`, N being the length of the text between the quotes or of the value as
/// logged. All else stays byte for byte.
///
/// `content` tells which members are content, at any depth. A `body` that is a JSON-RPC message and, among settings, a `jwt`
/// or its `claims` are looked into instead: of them only what `SHOWN` names is no content. `json` must be valid JSON, as what
/// serde has read is.
pub fn redact(json: &str, content: Content) -> Cow<'_, str> {
    let bytes = json.as_bytes();
    let (mut out, mut copied, mut at) = (String::new(), 0, 0);
    // The parts that are open, and where each ends.
    let mut open: Vec<(&str, usize)> = Vec::new();
    while let Some(start) = memchr::memchr(b'"', &bytes[at..]).map(|found| at + found) {
        let end = string_end(bytes, start);
        at = end;
        let colon = skip_space(bytes, end);
        if bytes.get(colon) != Some(&b':') {
            continue;
        }
        let value = skip_space(bytes, colon + 1);
        at = value;
        while open.last().is_some_and(|(_, end)| value >= *end) {
            open.pop();
        }
        let key = unescaped(&json[start..end]);
        let part = open.last().map(|(part, _)| *part);
        let is_content = match part {
            Some(part) => among(SHOWN, part, &key).is_none() || matches!(bytes.get(value), Some(b'{' | b'[')),
            None => content.is(&key),
        };
        if !is_content {
            continue;
        }
        let end = value_end(bytes, value);
        let text = &json[value..end];
        if text.starts_with('{')
            && let Some(inner) = among(PARTS, part.unwrap_or_default(), &key)
            && (part.is_some() || if inner == "body" { is_rpc(text) } else { content == Content::Named })
        {
            open.push((inner, end));
            continue;
        }
        if text == "null" || HIDDEN.contains(&text) {
            continue;
        }
        let length = if text.starts_with('"') { text.len().saturating_sub(2) } else { text.len() };
        out.push_str(&json[copied..value]);
        // Writing to a string cannot fail.
        let _ = write!(out, "\"<{length} bytes>\"");
        (copied, at) = (end, end);
    }
    if copied == 0 {
        return Cow::Borrowed(json);
    }
    out.push_str(&json[copied..]);
    Cow::Owned(out)
}

/// The same of a whole record, `asked` being what its `requestParameters` and `responseElements` are.
pub fn redact_record(json: &str, asked: Content) -> String {
    let record: Record<'_> = match serde_json::from_str(json) {
        Ok(record) => record,
        // What cannot be told apart is not shown.
        Err(_) => return redact(json, Content::Unknown).into_owned(),
    };
    let raw = [record.request_parameters, record.response_elements];
    let mut parts: Vec<&str> = raw.into_iter().flatten().map(RawValue::get).collect();
    // Both stand in the text itself.
    let start = |part: &str| part.as_ptr().addr().saturating_sub(json.as_ptr().addr());
    parts.sort_unstable_by_key(|part| start(part));
    let (mut out, mut at) = (String::new(), 0);
    for part in parts {
        out.push_str(&redact(&json[at..start(part)], Content::Named));
        out.push_str(&redact(part, asked));
        at = start(part) + part.len();
    }
    out.push_str(&redact(&json[at..], Content::Named));
    out
}

/// The entry of a list of names for the member `key` of a part; the outermost stand in no part.
fn among(list: &'static [&'static str], part: &str, key: &str) -> Option<&'static str> {
    if key.contains('.') {
        return None;
    }
    list.iter().copied().find(|entry| match entry.strip_suffix(key) {
        Some("") => part.is_empty(),
        Some(before) => before.strip_suffix('.') == Some(part),
        None => false,
    })
}

/// A key without its quotes and escapes: an escaped letter must not hide content.
fn unescaped(quoted: &str) -> Cow<'_, str> {
    if quoted.contains('\\') {
        return serde_json::from_str(quoted).map_or(Cow::Borrowed(quoted), Cow::Owned);
    }
    Cow::Borrowed(quoted.get(1..quoted.len().saturating_sub(1)).unwrap_or_default())
}

/// Whether an object is a JSON-RPC message: it has that member at its own level.
fn is_rpc(text: &str) -> bool {
    #[derive(serde::Deserialize)]
    struct Rpc {
        jsonrpc: Option<serde::de::IgnoredAny>,
        method: Option<serde::de::IgnoredAny>,
    }
    serde_json::from_str::<Rpc>(text).is_ok_and(|rpc| rpc.jsonrpc.is_some() || rpc.method.is_some())
}

fn skip_space(bytes: &[u8], mut at: usize) -> usize {
    while matches!(bytes.get(at), Some(b' ' | b'\t' | b'\n' | b'\r')) {
        at += 1;
    }
    at
}

/// The index after a string that begins at `start`.
fn string_end(bytes: &[u8], start: usize) -> usize {
    let mut at = start + 1;
    while let Some(found) = bytes.get(at..).and_then(|rest| memchr::memchr2(b'"', b'\\', rest)) {
        if bytes[at + found] == b'"' {
            return at + found + 1;
        }
        at += found + 2;
    }
    bytes.len()
}

/// The index after the value that begins at `start`, found without recursion: hostile text nests deep.
fn value_end(bytes: &[u8], start: usize) -> usize {
    let (mut at, mut depth) = (start, 0_usize);
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'"' => {
                at = string_end(bytes, at);
                if depth == 0 {
                    return at;
                }
                continue;
            }
            b'{' | b'[' => depth += 1,
            b'}' | b']' if depth <= 1 => return if depth == 1 { at + 1 } else { at },
            b'}' | b']' => depth -= 1,
            b',' | b' ' | b'\t' | b'\n' | b'\r' if depth == 0 => return at,
            _ => {}
        }
        at += 1;
    }
    bytes.len()
}
