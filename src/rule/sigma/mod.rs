//! Rules from Sigma, the format that security teams share detections in, and rules as Sigma.
//!
//! [`import`] reads the part of Sigma that rules on CloudTrail use and writes a rule file; [`export`] writes the rules
//! whose condition Sigma can say. What cannot be carried over is an error at its place, never left out.
//!
//! Sigma compares text without regard to case, and a field that a record lacks matches nothing; so does the SQL here.

mod condition;
mod export;
mod field;
mod import;
mod value;
mod yaml;

use std::fmt;

pub use export::{Unsaid, export};
pub use import::{Imported, import};

/// Where something stands in a file: line and column, from 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Place {
    line: usize,
    column: usize,
}

/// What of a Sigma file cannot be carried over.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct Problem {
    /// The line, from 1; 0 for the file as a whole.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
    /// What is wrong.
    pub message: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.line > 0 {
            write!(f, "{}:{}: ", self.line, self.column)?;
        }
        f.write_str(&self.message)
    }
}

impl Place {
    fn problem(self, message: impl Into<String>) -> Problem {
        Problem { line: self.line, column: self.column, message: message.into() }
    }
}

/// Text of a file as it may stand in a message.
fn shown(text: &str) -> String {
    let short: String = text.chars().take(60).collect();
    format!("`{}`", short.escape_debug())
}

#[cfg(test)]
mod tests;
