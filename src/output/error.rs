//! What can go wrong while an answer is written.

use std::io;
use std::path::PathBuf;

/// Why an answer was not written.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The format spells one answer per stream.
    #[error(
        "{format} holds one report, and there are {count}; name a folder with --out to get a file for each"
    )]
    OneAnswer {
        /// The format's name.
        format: &'static str,
        /// How many there were.
        count: usize,
    },
    /// A binary format was asked for on a stream.
    #[error("{format} is a binary format and is not written to standard output; name a folder with --out")]
    Binary {
        /// The format's name.
        format: &'static str,
    },
    /// An answer's name is not fit for a file.
    #[error("{name:?} cannot name a file; use ASCII letters, digits, - and _")]
    Name {
        /// The name as given.
        name: String,
    },
    /// Two answers or formats would write one file.
    #[error("{file} would be written twice; give each report its own name")]
    Twice {
        /// The file's name in the folder.
        file: String,
    },
    /// The stream could not be written. A closed pipe is one, see [`Error::closed_pipe`].
    #[error("cannot write the output: {0}")]
    Write(#[from] io::Error),
    /// A file or folder could not be written.
    #[error("cannot write {}: {source}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A bucket could not be read or written.
    #[error(transparent)]
    Bucket(#[from] crate::source::s3::S3Error),
    /// A column holds what its type has no room for, or is not what the schema says.
    #[error("cannot spell column {column:?} of {answer:?}: {source}; cast it to text in the query")]
    Column {
        /// The column's name.
        column: String,
        /// The answer's name.
        answer: String,
        /// What Arrow says.
        source: arrow::error::ArrowError,
    },
    /// A batch has another number of columns than its answer's schema.
    #[error("{answer:?} has {expected} columns, but a batch of it has {found}")]
    Shape {
        /// The answer's name.
        answer: String,
        /// Columns of the schema.
        expected: usize,
        /// Columns of the batch.
        found: usize,
    },
    /// Batches could not be put together.
    #[error("cannot assemble the rows: {0}")]
    Arrow(#[from] arrow::error::ArrowError),
    /// The Parquet encoder failed.
    #[error("cannot encode Parquet: {0}")]
    Parquet(#[from] parquet::errors::ParquetError),
}

impl Error {
    /// Whether the reader went away, as `head` does; not a failure of ours.
    pub fn closed_pipe(&self) -> bool {
        matches!(self, Self::Write(error) if error.kind() == io::ErrorKind::BrokenPipe)
    }
}

impl From<serde_json::Error> for Error {
    fn from(error: serde_json::Error) -> Self {
        Self::Write(error.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_closed_pipe_is_told_from_a_full_disk() {
        assert!(Error::from(io::Error::from(io::ErrorKind::BrokenPipe)).closed_pipe());
        assert!(!Error::from(io::Error::from(io::ErrorKind::StorageFull)).closed_pipe());
    }
}
