//! The program as its users start it, and its answers as values.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;

/// A run that has ended.
#[derive(Debug)]
pub struct Ran {
    pub code: i32,
    pub out: String,
    pub err: String,
}

/// Starts the program with these arguments, and this on standard input.
pub fn run_with(arguments: &[&str], input: &[u8]) -> Ran {
    let mut command = Command::new(env!("CARGO_BIN_EXE_bedtrail"));
    let settings = std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("BEDTRAIL_"));
    settings.for_each(|(name, _)| {
        command.env_remove(name);
    });
    command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("the program starts");
    let mut pipe = child.stdin.take().expect("piped");
    // All that is given here fits into a pipe or is read before anything is answered.
    let written = pipe.write_all(input);
    drop(pipe);
    let output = child.wait_with_output().expect("it ends");
    written.expect("it reads what it is given");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("it writes UTF-8");
    Ran { code: output.status.code().expect("no signal"), out: text(output.stdout), err: text(output.stderr) }
}

/// Starts the program with these arguments.
pub fn run(arguments: &[&str]) -> Ran {
    run_with(arguments, b"")
}

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
    let ran = run_with(&[&["query", sql, "--format", "json"], arguments].concat(), input);
    let document: Value = serde_json::from_str(&ran.out)
        .unwrap_or_else(|error| panic!("no answer ({error}), exit {}: {}", ran.code, ran.err));
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
        err: ran.err,
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
