//! What callers put in by hand (prompts, tool arguments, metadata, JWT claims) is kept only by its length.

use std::borrow::Cow;
use std::fmt::Write as _;

use serde_json::value::RawValue;

use super::outcome;
use super::record::Record;

mod names;
mod shape;
mod shown;
#[cfg(test)]
mod tests;

use names::{CONTENT, KNOWN};
use shape::{fits, identifier, plain};
use shown::{ADDED, ENDPOINT, HIDDEN, LISTS, NAMES, PARTS, SAID, SHOWN, WORDED};

/// Which members of a text are content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Content {
    /// Those that `CONTENT` names: of what has no part in a call of an AI service.
    Named,
    /// The same of settings; and texts that are no plain words, but where they are the setting (`WORDED`).
    Settings,
    /// All but those that `KNOWN` names: of what a caller asked, and was answered.
    Asked,
    /// All but those that `ADDED` names: of what AWS adds to a call.
    Added,
    /// All but those that `ENDPOINT` names: of a call to another service that a VPC endpoint refused.
    Refused,
}

impl Content {
    /// For `requestParameters` and `responseElements` of a record of the Bedrock family: settings are made by the operations that
    /// the catalogue knows to make them; whatever else is done, something is asked.
    pub fn of(activity: &str) -> Self {
        if activity.ends_with("_admin") || activity == "entitlement" { Self::Settings } else { Self::Asked }
    }

    /// For the request and answer of any record, and for what AWS adds to them; `None` where nothing is content: elsewhere the
    /// same names mean settings that rules read.
    pub fn of_parts(family: bool, network_activity: bool, activity: &str) -> Option<(Self, Self)> {
        match Self::of(activity) {
            content if family => Some((content, Self::Added)),
            Self::Asked if network_activity => Some((Self::Refused, Self::Refused)),
            _ => None,
        }
    }

    /// The members that are no content, where those are named.
    fn allowed(self) -> Option<&'static [&'static str]> {
        match self {
            Self::Named | Self::Settings => None,
            Self::Asked => Some(KNOWN),
            Self::Added => Some(ADDED),
            Self::Refused => Some(ENDPOINT),
        }
    }

    /// Whether the value of a member is hidden; `text` is it, or no more than the bracket that opens it.
    fn hides(self, key: &str, text: &str) -> bool {
        match (self.allowed(), text.as_bytes().first()) {
            (Some(allowed), Some(b'{')) => !among(allowed, key),
            (Some(allowed), Some(b'[')) => !(among(allowed, key) && among(LISTS, key)),
            (Some(allowed), _) => {
                !(among(allowed, key) && (among(WORDED, key) || fits(key, text)) || said(key, text))
            }
            (None, _) if among(CONTENT, key) => true,
            (None, Some(b'{' | b'[')) => self == Self::Settings && !identifier(key),
            (None, _) => self == Self::Settings && !(identifier(key) && (among(WORDED, key) || plain(text))),
        }
    }

    /// Whether an object of a caller or its tools is looked into: a JSON-RPC message, or a token that a gateway was shown.
    fn looks_into(self, part: &str) -> bool {
        if part == "body" { self.allowed().is_some() } else { self == Self::Added }
    }

    /// Whether the name of a member is shown.
    fn names(self, key: &str) -> bool {
        match self {
            Self::Named => true,
            Self::Settings => identifier(key),
            _ => [KNOWN, NAMES, CONTENT, ADDED, ENDPOINT].iter().any(|list| among(list, key)),
        }
    }
}

/// The JSON text with content replaced by `"<N bytes>"`, N being the length of the text between the quotes or of the value as
/// logged, and names that callers may have made up by `"<hidden N>"`, N counting them. All else stays byte for byte.
///
/// `content` tells which members are content, at any depth. Where members are shown by a list, a `body` that is a JSON-RPC message
/// and, in what AWS adds, a `jwt` or its `claims` are looked into instead: of them only what `SHOWN` names is no content. `json`
/// must be valid JSON, as what serde has read is.
pub fn redact(json: &str, content: Content) -> Cow<'_, str> {
    if content.allowed().is_some()
        && let whole = json.trim_matches([' ', '\t', '\n', '\r'])
        && !whole.is_empty()
        && !whole.starts_with('{')
    {
        return if kept(whole) { Cow::Borrowed(json) } else { Cow::Owned(bytes_of(whole)) };
    }
    let bytes = json.as_bytes();
    let (mut out, mut copied, mut at) = (String::new(), 0, 0);
    let mut unnamed = 0_u32;
    // The parts that are open, and where each ends.
    let mut open: Vec<(&str, usize)> = Vec::new();
    while let Some(start) = memchr::memchr(b'"', &bytes[at..]).map(|found| at + found) {
        let end = string_end(bytes, start);
        at = end;
        let colon = skip_space(bytes, end);
        if bytes.get(colon) != Some(&b':') {
            let text = &json[start..end];
            if content != Content::Named && !plain(text) && !kept(text) {
                out.push_str(&json[copied..start]);
                out.push_str(&bytes_of(text));
                copied = end;
            }
            continue;
        }
        let value = skip_space(bytes, colon + 1);
        at = value;
        while open.last().is_some_and(|(_, end)| value >= *end) {
            open.pop();
        }
        let key = unescaped(&json[start..end]);
        if !content.names(&key) {
            unnamed += 1;
            out.push_str(&json[copied..start]);
            // Writing to a string cannot fail.
            let _ = write!(out, "\"<hidden {unnamed}>\"");
            copied = end;
        }
        let part = open.last().map(|(part, _)| *part);
        let opens = matches!(bytes.get(value), Some(b'{' | b'['));
        let text = if opens { &json[value..=value] } else { &json[value..value_end(bytes, value)] };
        let is_content = match part {
            Some(part) => opens || part_of(SHOWN, part, &key).is_none() || !plain(text),
            None => content.hides(&key, text),
        };
        if !is_content {
            if !opens {
                at = value + text.len();
            }
            continue;
        }
        let end = if opens { value_end(bytes, value) } else { value + text.len() };
        let text = &json[value..end];
        if text.starts_with('{')
            && let Some(inner) = part_of(PARTS, part.unwrap_or_default(), &key)
            && (part.is_some() || content.looks_into(inner) && (inner != "body" || is_rpc(text)))
        {
            open.push((inner, end));
            continue;
        }
        at = end;
        if kept(text) {
            continue;
        }
        out.push_str(&json[copied..value]);
        out.push_str(&bytes_of(text));
        copied = end;
    }
    if copied == 0 {
        return Cow::Borrowed(json);
    }
    out.push_str(&json[copied..]);
    Cow::Owned(out)
}

/// An error's message. What refuses a call is written by AWS, and says what is missing; other messages of the family quote what the
/// caller sent, or what tools and models made of it.
pub fn redact_message<'m>(code: Option<&str>, message: &'m str) -> Cow<'m, str> {
    if message.is_empty() || outcome::is_refusal(code, message) {
        return Cow::Borrowed(message);
    }
    Cow::Owned(format!("<{} bytes>", message.len()))
}

/// The same of a whole record, of the family or not, and of an activity.
pub fn redact_record(json: &str, family: bool, activity: &str) -> String {
    let record: Record<'_> = match serde_json::from_str(json) {
        Ok(record) => record,
        // What cannot be told apart is not shown.
        Err(_) => return redact(json, Content::Asked).into_owned(),
    };
    let (asked, added) = Content::of_parts(family, record.is_network_activity(), activity)
        .unwrap_or((Content::Named, Content::Named));
    let mut parts: Vec<(&str, Content)> = [
        (record.request_parameters, asked),
        (record.response_elements, asked),
        (record.additional_event_data, added),
        (record.service_event_details, added),
    ]
    .into_iter()
    .filter_map(|(raw, content)| Some((raw.map(RawValue::get)?, content)))
    .collect();
    // All stand in the text itself.
    let start = |part: &str| part.as_ptr().addr().saturating_sub(json.as_ptr().addr());
    parts.sort_unstable_by_key(|(part, _)| start(part));
    let (mut out, mut at) = (String::new(), 0);
    for (part, content) in parts {
        out.push_str(&redact(&json[at..start(part)], Content::Named));
        out.push_str(&redact(part, content));
        at = start(part) + part.len();
    }
    out.push_str(&redact(&json[at..], Content::Named));
    match record.error_message.as_deref().filter(|_| family) {
        Some(message) => with_message(&out, &redact_message(record.error_code.as_deref(), message)),
        None => out,
    }
}

/// The record with another `errorMessage`.
fn with_message(json: &str, message: &str) -> String {
    #[derive(serde::Deserialize)]
    struct Message<'a> {
        #[serde(borrow, rename = "errorMessage")]
        raw: Option<&'a RawValue>,
    }
    let Ok(Message { raw: Some(raw) }) = serde_json::from_str(json) else {
        return redact(json, Content::Asked).into_owned();
    };
    let start = raw.get().as_ptr().addr().saturating_sub(json.as_ptr().addr());
    let (before, after) = (&json[..start], &json[start + raw.get().len()..]);
    format!("{before}{}{after}", serde_json::Value::from(message))
}

fn bytes_of(text: &str) -> String {
    let length = if text.starts_with('"') { text.len().saturating_sub(2) } else { text.len() };
    format!("\"<{length} bytes>\"")
}

/// Whether a value says nothing.
fn kept(text: &str) -> bool {
    text == "null" || HIDDEN.contains(&text)
}

/// Whether a list, which is sorted, has a name.
fn among(list: &[&str], key: &str) -> bool {
    list.binary_search(&key).is_ok()
}

/// Whether a value is one that is shown under this name alone.
fn said(key: &str, text: &str) -> bool {
    let text = text.trim_matches('"');
    SAID.iter().any(|said| said.split_once('=') == Some((key, text)))
}

/// The entry of a list of names for the member `key` of a part; the outermost stand in no part.
fn part_of(list: &'static [&'static str], part: &str, key: &str) -> Option<&'static str> {
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
