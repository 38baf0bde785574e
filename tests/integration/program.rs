//! Questions to the program in SQL, and its answers as values.

use std::path::Path;

use serde_json::Value;

use crate::command::bedtrail;

/// What a query answers.
#[derive(Debug)]
pub struct Answer {
    pub code: i32,
    pub rows: Vec<Value>,
    pub footer: Vec<String>,
    pub err: String,
}

/// Asks `sql` of sources and options.
pub fn ask_with(sql: &str, arguments: &[&str], input: &[u8]) -> Answer {
    let ran = bedtrail(["query", sql, "--format", "json"]).args(arguments).stdin(input).run();
    let document = ran.json();
    let answer = &document["reports"][0];
    Answer {
        code: ran.code,
        rows: answer["rows"].as_array().expect("rows").clone(),
        footer: answer["footer"]
            .as_array()
            .expect("lines")
            .iter()
            .map(|line| line.as_str().expect("text").to_owned())
            .collect(),
        err: ran.stderr,
    }
}

/// Asks `sql` of sources and options.
pub fn ask(sql: &str, arguments: &[&str]) -> Answer {
    ask_with(sql, arguments, b"")
}

/// A path as an argument.
pub fn text(path: &Path) -> &str {
    path.to_str().expect("a path in UTF-8")
}

/// Writes a file below `root`, folders included, and returns its path as an argument.
pub fn put(root: &Path, name: &str, bytes: impl AsRef<[u8]>) -> String {
    let path = root.join(name);
    std::fs::create_dir_all(path.parent().expect("below the root")).expect("the folder can be made");
    std::fs::write(&path, bytes).expect("the file can be written");
    text(&path).to_owned()
}

/// A column of the rows as integers.
pub fn int(row: &Value, column: &str) -> u64 {
    row[column].as_u64().unwrap_or_else(|| panic!("{column} in {row}"))
}
