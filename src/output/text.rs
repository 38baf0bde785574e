//! Text from logs is hostile: what is done to it before it reaches a terminal, a spreadsheet or a JSON reader.
//!
//! Three spellings of one danger. A terminal gets [`shown`]: nothing in it moves the cursor, reorders the
//! line or hides. A spreadsheet gets [`csv`]: nothing in it is a formula or an escape sequence. JSON gets
//! [`json`]: the same value to a reader, and nothing odd to a terminal that prints it raw.

use std::borrow::Cow;
use std::fmt::Write as _;

/// Whether a character can act on a terminal or cannot be seen there.
fn hostile(c: char) -> bool {
    c.is_control() || (!c.is_ascii() && unseen(c))
}

/// Characters beyond ASCII that are not seen but change what is: bidirectional controls, zero-width and
/// filler characters, line and paragraph separators, variation selectors, tags and noncharacters.
fn unseen(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
        | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fdd0}'..='\u{fdef}' | '\u{fe00}'..='\u{fe0f}'
        | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{1bca0}'..='\u{1bca3}'
        | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
        || u32::from(c) & 0xfffe == 0xfffe
}

/// Replaces each character for which `is` holds; borrows when there is none.
fn replace(text: &str, is: fn(char) -> bool, with: fn(char, &mut String)) -> Cow<'_, str> {
    let Some(first) = text.find(is) else { return Cow::Borrowed(text) };
    let mut out = String::with_capacity(text.len() + 16);
    out.push_str(&text[..first]);
    for c in text[first..].chars() {
        if is(c) { with(c, &mut out) } else { out.push(c) }
    }
    Cow::Owned(out)
}

fn visible(c: char, out: &mut String) {
    match c {
        '\n' => out.push_str("\\n"),
        '\r' => out.push_str("\\r"),
        '\t' => out.push_str("\\t"),
        // Writing to a string cannot fail.
        _ => _ = write!(out, "\\u{{{:x}}}", u32::from(c)),
    }
}

/// For a terminal: one line, each character that acts or hides written out (`\n`, `\u{202e}`).
/// A backslash that was there stays as it is: this is for reading, not for reading back.
pub fn shown(text: &str) -> Cow<'_, str> {
    replace(text, hostile, visible)
}

/// The text in lines of at most `width` characters, broken where ARNs and sentences have joints.
pub(super) fn wrapped(text: &str, width: usize) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    let mut rest = text;
    // A column of marks that take no room has no width, and still must get on.
    while let Some((end, _)) = rest.char_indices().nth(width.max(1)) {
        let line = &rest[..end];
        // A blank that the next line would begin with ends this one.
        let blank = if rest[end..].starts_with(' ') { Some(end) } else { line.rfind(' ') };
        let after =
            |joints: &[char], least: usize| line.rfind(joints).map(|at| at + 1).filter(|&at| at > least);
        let end = blank
            .filter(|&at| at > width / 3)
            .or_else(|| after(&['/', ':'], width / 2))
            .or_else(|| after(&['-', '.', ',', '_', '='], width / 3))
            .unwrap_or(end);
        out.push_str(&rest[..end]);
        out.push('\n');
        rest = rest[end..].strip_prefix(' ').unwrap_or(&rest[end..]);
    }
    out.push_str(rest);
    out
}

/// For a CSV cell, before quoting: control characters other than line feed and tab are written out
/// (`\u{1b}`), all else is kept. A `formula` start gets an apostrophe, by which spreadsheets know text.
pub(super) fn csv(text: &str) -> Cow<'_, str> {
    let safe = replace(
        text,
        |c| c.is_control() && c != '\n' && c != '\t',
        |c, out| _ = write!(out, "\\u{{{:x}}}", u32::from(c)),
    );
    if text.starts_with(formula) { Cow::Owned(format!("'{safe}")) } else { safe }
}

/// Whether a cell that begins so is a formula to some spreadsheet, the full-width forms included.
fn formula(c: char) -> bool {
    matches!(
        c,
        '=' | '+' | '-' | '@' | '\t' | '\r' | '\n' | '\u{ff1d}' | '\u{ff0b}' | '\u{ff0d}' | '\u{ff20}'
    )
}

/// For finished JSON: what can act on a terminal becomes `\uXXXX`. Control characters below U+0020 are
/// already escaped inside strings; the line feeds that are left lay the document out.
pub(super) fn json(text: &str) -> Cow<'_, str> {
    replace(
        text,
        |c| c != '\n' && hostile(c),
        |c, out| {
            for unit in c.encode_utf16(&mut [0; 2]) {
                _ = write!(out, "\\u{unit:04x}");
            }
        },
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_text_is_borrowed() {
        for text in ["", "arn:aws:iam::111122223333:role/Ops", "Zoë 数据 🚀 C:\\new"] {
            assert!(matches!(shown(text), Cow::Borrowed(same) if same == text));
            assert!(matches!(csv(text), Cow::Borrowed(same) if same == text));
            assert!(matches!(json(text), Cow::Borrowed(same) if same == text));
        }
    }

    #[test]
    fn a_terminal_sees_what_is_there() {
        insta::assert_snapshot!(shown("a\u{1b}[2Jb\r\n\tc\u{7f}\u{9b}1m"), @r"a\u{1b}[2Jb\r\n\tc\u{7f}\u{9b}1m");
        insta::assert_snapshot!(shown("u\u{202e}x\u{2066}\u{200f}\u{61c}\u{200b}\u{feff}"), @r"u\u{202e}x\u{2066}\u{200f}\u{61c}\u{200b}\u{feff}");
        insta::assert_snapshot!(shown("\u{2028}\u{ffff}\u{10fffe}\u{e0041}"), @r"\u{2028}\u{ffff}\u{10fffe}\u{e0041}");
    }

    #[test]
    fn a_spreadsheet_sees_no_formula() {
        for start in ["=1", "+1", "-1", "@A1", "\t=1", "\n=1", "\u{ff1d}1"] {
            assert_eq!(csv(start), format!("'{start}"));
        }
        assert_eq!(csv("\r=1"), "'\\u{d}=1");
        assert_eq!(csv("a=1\nb\t\u{1b}[0m\0"), "a=1\nb\t\\u{1b}[0m\\u{0}");
    }

    #[test]
    fn json_keeps_the_value() {
        let value = "\u{9b}\u{202e}\u{e0041}\u{7f}";
        let text = serde_json::to_string(value).unwrap();
        let safe = json(&text);
        assert_eq!(safe, r#""\u009b\u202e\udb40\udc41\u007f""#);
        assert_eq!(serde_json::from_str::<String>(&safe).unwrap(), value);
    }

    #[test]
    fn lines_break_at_joints() {
        let arn = "arn:aws:iam::111122223333:role/aws-reserved/sso.amazonaws.com/Developer";
        insta::assert_snapshot!(wrapped(arn, 26), @"
        arn:aws:iam::111122223333:
        role/aws-reserved/
        sso.amazonaws.com/
        Developer
        ");
        insta::assert_snapshot!(wrapped("called in us-east-1, ran in us-west-2", 20), @"
        called in us-east-1,
        ran in us-west-2
        ");
        assert_eq!(wrapped("xxxxxxxxxx", 4), "xxxx\nxxxx\nxx");
        assert_eq!(wrapped("ääää ää", 4), "ääää\nää");
        assert_eq!(wrapped("", 4), "");
        assert_eq!(wrapped("ab", 0), "a\nb");
    }
}
