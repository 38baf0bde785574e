//! What is wrong with a policy file, and where.

use std::fmt;
use std::ops::Range;

/// A mistake (or, among [`crate::policy::Policy::notes`], a remark) at a place of the policy file.
///
/// It displays as `policy.toml:12:8: message (help: …)`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct Problem {
    /// What sort of mistake it is.
    pub kind: ProblemKind,
    /// The file's path as it was given.
    pub file: String,
    /// The line, from 1; 0 where the file as a whole is meant.
    pub line: usize,
    /// The column in characters, from 1; 0 where the file as a whole is meant.
    pub column: usize,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub help: Option<String>,
}

/// The sort of a [`Problem`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProblemKind {
    /// The file does not exist or cannot be read.
    Unreadable,
    /// It is not TOML, a key is unknown, or a value has the wrong type.
    Syntax,
    /// A value that reads well says something that cannot be.
    Invalid,
    /// Something required is missing, or something named does not exist; left out while [`Self::Syntax`]
    /// problems may be the cause.
    Missing,
    /// No mistake, but worth knowing.
    Note,
}

impl fmt::Display for Problem {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}", self.file.escape_debug())?;
        if self.line > 0 {
            write!(out, ":{}:{}", self.line, self.column)?;
        }
        write!(out, ": {}", self.message)?;
        match &self.help {
            Some(help) => write!(out, " (help: {help})"),
            None => Ok(()),
        }
    }
}

/// A file's name and text: turns byte offsets into lines and columns.
#[derive(Clone, Debug)]
pub(super) struct Source {
    pub(super) file: String,
    pub(super) text: String,
}

impl Source {
    /// Line and column (in characters), both from 1, of a byte offset.
    pub(super) fn place(&self, offset: usize) -> (usize, usize) {
        let mut offset = offset.min(self.text.len());
        while !self.text.is_char_boundary(offset) {
            offset -= 1;
        }
        let before = &self.text[..offset];
        let start = before.rfind('\n').map_or(0, |newline| newline + 1);
        (before.matches('\n').count() + 1, before[start..].chars().count() + 1)
    }

    /// A problem at a byte offset.
    pub(super) fn problem(&self, kind: ProblemKind, offset: usize, message: impl Into<String>) -> Problem {
        let (line, column) = self.place(offset);
        Problem { kind, file: self.file.clone(), line, column, message: message.into(), help: None }
    }
}

/// Why a word cannot be, and what to do about it (may be empty).
pub(super) type Flaw = (&'static str, &'static str);

/// Names and where they stand.
pub(super) type Named = Vec<(String, Range<usize>)>;

/// The problems found so far, in the order they were found.
pub(super) struct Collector<'a> {
    pub(super) source: &'a Source,
    pub(super) problems: Vec<Problem>,
    pub(super) notes: Vec<Problem>,
}

impl<'a> Collector<'a> {
    pub(super) fn new(source: &'a Source) -> Self {
        Self { source, problems: Vec::new(), notes: Vec::new() }
    }

    fn push(&mut self, kind: ProblemKind, span: &Range<usize>, message: String, help: &str) {
        let mut problem = self.source.problem(kind, span.start, message);
        problem.help = (!help.is_empty()).then(|| help.to_owned());
        self.problems.push(problem);
    }

    /// Reports a value that cannot be; `help` may be empty.
    pub(super) fn invalid(&mut self, span: &Range<usize>, message: impl Into<String>, help: &str) {
        self.push(ProblemKind::Invalid, span, message.into(), help);
    }

    /// Reports something required that is not there; `help` may be empty.
    pub(super) fn missing(&mut self, span: &Range<usize>, message: impl Into<String>, help: &str) {
        self.push(ProblemKind::Missing, span, message.into(), help);
    }

    /// Remarks on something legal.
    pub(super) fn note(&mut self, span: &Range<usize>, message: impl Into<String>) {
        self.notes.push(self.source.problem(ProblemKind::Note, span.start, message));
    }
}

/// Text of the file as it may stand in a message: quoted, without control characters.
pub(super) fn quoted(text: &str) -> String {
    format!("'{}'", text.escape_debug().to_string().replace("\\'", "'").replace("\\\"", "\""))
}

/// The candidate nearest to a mistyped word, if one is near enough.
pub(super) fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let limit = word.chars().count().div_ceil(3).min(3);
    candidates
        .into_iter()
        .map(|candidate| (strsim::levenshtein(&word.to_lowercase(), &candidate.to_lowercase()), candidate))
        .filter(|(distance, _)| *distance <= limit)
        .min()
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_count_characters_and_survive_offsets_inside_one() {
        let source = Source { file: "p".into(), text: "é = 1\r\nzü = 2".into() };
        assert_eq!(source.place(0), (1, 1));
        assert_eq!(source.place(1), (1, 1));
        assert_eq!(source.place(2), (1, 2));
        assert_eq!(source.place(source.text.find("= 2").unwrap()), (2, 4));
        assert_eq!(source.place(999), (2, 7));
    }

    #[test]
    fn the_nearest_word_is_near() {
        assert_eq!(nearest("acounts", ["regions", "accounts"]), Some("accounts"));
        assert_eq!(nearest("Role_ARN", ["role_arn"]), Some("role_arn"));
        assert_eq!(nearest("xyz", ["accounts"]), None);
    }

    #[test]
    fn control_characters_do_not_reach_the_terminal() {
        assert_eq!(quoted("a\u{1b}[2J'b"), "'a\\u{1b}[2J'b'");
    }
}
