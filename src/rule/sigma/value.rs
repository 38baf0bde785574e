//! One field against its values: modifiers, wildcards, null.

use super::field::{self, Held};
use super::yaml::{Node, Value};
use super::{Place, Problem, shown};
use crate::rule::custom::quoted;

/// How a text is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Equals,
    Contains,
    StartsWith,
    EndsWith,
    Regex,
    Field,
    Exists,
}

/// The condition that `key: values` stands for.
pub(super) fn test(key: &str, at: Place, values: &Node) -> Result<String, Problem> {
    let mut parts = key.split('|');
    let held = field::held(parts.next().unwrap_or_default()).map_err(|message| at.problem(message))?;
    let (mut kind, mut all, mut cased) = (Kind::Equals, false, false);
    for modifier in parts {
        let found = match modifier {
            "all" => {
                all = true;
                continue;
            }
            "cased" => {
                cased = true;
                continue;
            }
            "contains" => Kind::Contains,
            "startswith" => Kind::StartsWith,
            "endswith" => Kind::EndsWith,
            "re" => Kind::Regex,
            "fieldref" => Kind::Field,
            "exists" => Kind::Exists,
            other => {
                return Err(at.problem(format!(
                    "the modifier {} is not read; those read are all, cased, contains, startswith, endswith, re, \
                     fieldref, exists",
                    shown(other)
                )));
            }
        };
        if kind != Kind::Equals {
            return Err(at.problem(format!("{} has two ways to compare", shown(key))));
        }
        kind = found;
    }
    let nodes = match &values.value {
        Value::List(nodes) if nodes.is_empty() => return Err(values.place.problem("the list is empty")),
        Value::List(nodes) => nodes.iter().collect(),
        _ => vec![values],
    };
    if kind == Kind::Equals && !all && nodes.len() > 1 && !held.flag() {
        // A list of plain texts reads best as one IN.
        let plain: Option<Vec<String>> = nodes
            .iter()
            .map(|node| node.text().filter(|text| !wild(text)).map(|text| literal(text, cased)))
            .collect();
        if let Some(plain) = plain {
            return Ok(format!("{} IN ({})", folded(&held.scalar(), &plain, cased), plain.join(", ")));
        }
    }
    let each: Vec<String> =
        nodes.iter().map(|node| one(&held, kind, cased, node)).collect::<Result<_, _>>()?;
    Ok(match each.as_slice() {
        [only] => only.clone(),
        _ => format!("({})", each.join(if all { " AND " } else { " OR " })),
    })
}

/// One value; a text that is looked for in a part of JSON is looked for in the members of lists on the way, too.
fn one(held: &Held, kind: Kind, cased: bool, node: &Node) -> Result<String, Problem> {
    let alone = single(held, kind, cased, node)?;
    if !matches!(kind, Kind::Contains | Kind::StartsWith | Kind::EndsWith | Kind::Regex) {
        return Ok(alone);
    }
    let members = held.members();
    if members.is_empty() {
        return Ok(alone);
    }
    let members: Vec<String> =
        members.iter().map(|member| single(member, kind, cased, node)).collect::<Result<_, _>>()?;
    Ok(format!("({alone} OR {})", members.join(" OR ")))
}

fn single(held: &Held, kind: Kind, cased: bool, node: &Node) -> Result<String, Problem> {
    let subject = if kind == Kind::Equals { held.scalar() } else { held.whole() };
    let text = match (&node.value, kind) {
        (Value::Null, Kind::Equals) => return Ok(format!("{} IS NULL", held.whole())),
        (Value::Bool(there), Kind::Exists) => {
            return Ok(format!("{subject} IS {}NULL", if *there { "NOT " } else { "" }));
        }
        (_, Kind::Exists) => return Err(node.place.problem("exists takes true or false")),
        (Value::Bool(flag), Kind::Equals) if held.flag() => {
            return Ok(if *flag { subject } else { format!("NOT {subject}") });
        }
        (Value::Bool(flag), _) => flag.to_string(),
        (Value::Text(text), Kind::Equals) if held.flag() => match text.to_ascii_lowercase().as_str() {
            "true" => return Ok(subject),
            "false" => return Ok(format!("NOT {subject}")),
            _ => {
                return Err(node.place.problem(format!("{subject} is true or false, never {}", shown(text))));
            }
        },
        (Value::Text(text), _) => text.clone(),
        _ => return Err(node.place.problem("a value is text, a number, true, false or null")),
    };
    if text.is_empty() && kind != Kind::Equals {
        return Err(node.place.problem("the text is empty"));
    }
    let plain = [literal(&text, cased)];
    let [wanted] = &plain;
    let folded = folded(&subject, &plain, cased);
    Ok(match kind {
        Kind::Field => {
            let other = field::held(&text).map_err(|message| node.place.problem(message))?;
            format!("{subject} = {}", other.scalar())
        }
        Kind::Regex => {
            if let Err(error) = regex::Regex::new(&text) {
                let error = crate::query_file::one_line(&error);
                return Err(node
                    .place
                    .problem(format!("the pattern means nothing to both engines: {error}")));
            }
            format!("regexp_like({subject}, {})", quoted(&text))
        }
        Kind::Equals if wild(&text) => matching(&folded, "\\A(?s:", &text, ")\\z", cased),
        Kind::Equals => format!("{folded} = {wanted}"),
        Kind::Contains if wild(&text) => matching(&folded, "(?s:", &text, ")", cased),
        Kind::Contains => format!("strpos({folded}, {wanted}) > 0"),
        Kind::StartsWith if wild(&text) => matching(&folded, "\\A(?s:", &text, ")", cased),
        Kind::StartsWith => format!("starts_with({folded}, {wanted})"),
        Kind::EndsWith | Kind::Exists => matching(&folded, "(?s:", &text, ")\\z", cased),
    })
}

/// Whether a text has a wildcard or an escape.
fn wild(text: &str) -> bool {
    text.contains(['*', '?', '\\'])
}

/// The text as it is compared.
fn literal(text: &str, cased: bool) -> String {
    if cased { quoted(text) } else { quoted(&text.to_lowercase()) }
}

/// What it is compared with: case counts only where the rule says so, or no text has letters.
fn folded(subject: &str, texts: &[String], cased: bool) -> String {
    let letters = texts.iter().any(|text| text.contains(char::is_alphabetic));
    if cased || !letters { subject.to_owned() } else { format!("lower({subject})") }
}

/// `*` is any text, `?` any character, and a backslash before one of these, or itself, takes it as it is.
fn matching(subject: &str, open: &str, text: &str, close: &str, cased: bool) -> String {
    let text = if cased { text.to_owned() } else { text.to_lowercase() };
    let mut pattern = open.to_owned();
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '*' => pattern.push_str(".*"),
            '?' => pattern.push('.'),
            '\\' => match chars.peek() {
                Some('*' | '?' | '\\') => {
                    let taken = chars.next().unwrap_or_default();
                    pattern.push_str(&regex::escape(&taken.to_string()));
                }
                _ => pattern.push_str("\\\\"),
            },
            c => pattern.push_str(&regex::escape(c.encode_utf8(&mut [0; 4]))),
        }
    }
    pattern.push_str(close);
    format!("regexp_like({subject}, {})", quoted(&pattern))
}
