//! Records that are valid JSON and mean what they meant, written as nobody expects: shuffled, respelt, padded, and
//! full of look-alikes.

use super::caller::Caller;
use super::model::Model;
use super::random::Random;
use super::record::quoted;
use super::runtime::Invoke;

/// Depth that [`nasty`] nests to; with the record around it, below 100.
const DEPTH: u64 = 90;

/// Rewrites a record without changing what it says. Of its fields only the user agent, null response elements and a
/// passer-by's request parameters get other values.
pub fn mangle(record: &str, ours: bool, decoys: &Decoys, random: &mut Random) -> String {
    let mut fields: Vec<String> = fields(record).into_iter().map(str::to_owned).collect();
    let agent = random.chance(400).then(|| format!("\"userAgent\":{}", quoted(&agent(random))));
    let request =
        (!ours && random.chance(400)).then(|| format!("\"requestParameters\":{}", decoys.nasty(random)));
    let response = random.chance(150).then(|| format!("\"responseElements\":{}", decoys.nasty(random)));
    for field in &mut fields {
        let replacement = if field.starts_with("\"userAgent\"") {
            &agent
        } else if field.starts_with("\"requestParameters\"") {
            &request
        } else if field == "\"responseElements\":null" {
            &response
        } else {
            &None
        };
        if let Some(replacement) = replacement {
            field.clone_from(replacement);
        } else if let Some(tail) = field.strip_prefix("\"requestParameters\":{\"model\":")
            && random.chance(500)
        {
            // Mantle callers write what they like into their metadata.
            let metadata = decoys.nasty(random);
            *field = format!("\"requestParameters\":{{\"metadata\":{metadata},\"model\":{tail}");
        }
    }
    if random.chance(300) {
        fields.push(format!("\"annotation\":{}", decoys.nasty(random)));
    }
    if random.chance(600) {
        shuffle(&mut fields, random);
    }
    let text = format!("{{{}}}", fields.join(","));
    let most = if text.len() > 20_000 { 2 } else { 5 };
    let share = [0, 0, 5, 100, 1000][random.index(most)];
    let space = [0, 0, 300, 1000][random.index(4)];
    respell(&text, share, space, random)
}

/// Swaps the elements of `items` about.
pub fn shuffle<T>(items: &mut [T], random: &mut Random) {
    for last in (1..items.len()).rev() {
        items.swap(last, random.index(last + 1));
    }
}

/// Records that look like ours, to stand inside somebody's parameters.
#[derive(Clone, Debug)]
pub struct Decoys(Vec<String>);

impl Decoys {
    /// Decoys by a caller that exists nowhere else.
    pub fn new(random: &mut Random) -> Self {
        let caller = Caller::role("999988887777", "/", "decoy", "decoy", "Boto3/1.40.0", random);
        let model = Model::profile("eu", "anthropic.claude-sonnet-4-5-20250929-v1:0");
        let records = (0..8).map(|at| {
            let call = Invoke::new(
                &caller,
                super::record::october(6) + at,
                "eu-central-1",
                "InvokeModel",
                model.clone(),
            );
            call.draft(random).text()
        });
        Self(records.collect())
    }

    /// An object that is hard on a scanner.
    pub fn nasty(&self, random: &mut Random) -> String {
        let decoy = random.pick(&self.0);
        match random.below(1000) {
            0..200 => {
                let records: Vec<&str> =
                    (0..random.between(1, 4)).map(|_| random.pick(&self.0).as_str()).collect();
                format!(r#"{{"Records":[{}],"entries":{{}}}}"#, records.join(","))
            }
            200..350 => format!(r#"{{"detail":{}}}"#, quoted(decoy)),
            350..450 => {
                let depth = random.between(1, DEPTH / 2) as usize;
                let open = r#"{"eventName":["#.repeat(depth);
                format!(r#"{open}"bedrock.amazonaws.com"{}"#, "]}".repeat(depth))
            }
            450..550 => {
                let length = random.between(1, 4096) as usize;
                format!(r#"{{"body":{}}}"#, quoted(&babble(length, random)))
            }
            550..800 => {
                // The number of backslashes decides whether the quote after them closes the string, and the
                // padding moves the run over the 64-byte blocks a scanner works in.
                let pad = "p".repeat(random.index(64));
                let run = "\\\\".repeat(random.index(70));
                let quote = if random.chance(500) { "\\\"" } else { "" };
                format!(r#"{{"{pad}":"{run}{quote}","path":"{pad}{run}{quote}{{\"eventName\":"}}"#)
            }
            800..900 => concat!(
                r#"{"eventName":"InvokeModel","eventSource":"bedrock.amazonaws.com","numbers":[-0,0.0,1e-7,"#,
                r#"-12.5E+3],"empty":[{},[],""],"text":"Übergröße 取引 \ud83e\udd80 \u2028 🦀","eventName ":null}"#
            )
            .to_owned(),
            900..997 => format!(r#"{{"eventName":{{"eventName":[{{"eventName":{decoy}}}]}}}}"#),
            // Close to the largest record CloudTrail writes.
            _ => {
                let length = random.between(100_000, 120_000) as usize;
                format!(r#"{{"body":{}}}"#, quoted(&babble(length, random)))
            }
        }
    }
}

/// A user agent as a caller may choose it.
fn agent(random: &mut Random) -> String {
    match random.below(6) {
        0 => "=HYPERLINK(\"http://example.com\")".to_owned(),
        1 => "\u{1b}[2J<script>alert(1)</script>' OR 1=1 --".to_owned(),
        2 => "ボット/1.0 (日本語; 🦀) Ünïcode".to_owned(),
        3 => format!("{}\\", "\\\"".repeat(random.index(40))),
        4 => r#"x","eventSource":"bedrock.amazonaws.com","eventName":"InvokeModel"},{"#.to_owned(),
        _ => babble(random.index(900), random),
    }
}

/// Text of the characters that JSON is made of.
fn babble(length: usize, random: &mut Random) -> String {
    const PARTS: &[&str] = &[
        "{",
        "}",
        "[",
        "]",
        "\"",
        "\\",
        ",",
        ":",
        "eventName",
        "bedrock",
        "\n",
        " ",
        "é",
        "🦀",
        "\\\"",
        "a",
    ];
    let mut out = String::with_capacity(length + 16);
    while out.len() < length {
        out.push_str(random.one(PARTS));
    }
    out
}

/// The fields of an object, each with its key.
fn fields(record: &str) -> Vec<&str> {
    let bytes = record.as_bytes();
    let (mut fields, mut start, mut depth, mut string) = (Vec::new(), 1, 0, false);
    let mut at = 0;
    while at < bytes.len() {
        match bytes[at] {
            b'\\' => at += 1,
            b'"' => string = !string,
            b'{' | b'[' if !string => depth += 1,
            b'}' | b']' if !string => depth -= 1,
            b',' if !string && depth == 1 => {
                fields.push(&record[start..at]);
                start = at + 1;
            }
            _ => {}
        }
        at += 1;
    }
    fields.push(&record[start..record.len() - 1]);
    fields
}

/// Spells JSON differently: `escape` in a thousand characters of strings as escapes, white space after `space` in a
/// thousand structural characters.
fn respell(json: &str, escape: u64, space: u64, random: &mut Random) -> String {
    let mut out = String::with_capacity(json.len() + json.len() / 4);
    let (mut string, mut escaped) = (false, 0);
    for letter in json.chars() {
        if escaped > 0 {
            // The rest of an escape stays; `\u` has four digits more.
            escaped = if letter == 'u' && escaped == 1 { 5 } else { escaped };
            escaped -= 1;
            out.push(letter);
            continue;
        }
        match letter {
            '"' => {
                string = !string;
                out.push(letter);
            }
            '\\' => {
                escaped = 1;
                out.push(letter);
            }
            _ if string && letter.is_ascii() && escape > 0 && random.chance(escape) => {
                out.push_str(&match letter {
                    '/' if random.chance(500) => "\\/".to_owned(),
                    _ if random.chance(500) => format!("\\u{:04X}", u32::from(letter)),
                    _ => format!("\\u{:04x}", u32::from(letter)),
                });
            }
            '{' | '}' | '[' | ']' | ',' | ':' if !string => {
                out.push(letter);
                if space > 0 && random.chance(space) {
                    out.push_str(random.one(&[" ", "\n", "\r\n", "\t", "  ", " \r\n\t "]));
                }
            }
            _ => out.push(letter),
        }
    }
    out
}
