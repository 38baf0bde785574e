//! The ledger of a store: parts sorted by name, merged while they are read. Of two rows for one object, that of the
//! later commit holds, so that a correction is a row in a new part.

use arrow::array::{Array, AsArray, RecordBatch, StringViewArray};

use super::StoreError;
use super::entry::{Booked, Columns};
use super::log::{Part, PartKind, State};
use super::medium::Medium;
use super::part::{Batches, Reading};

/// A part being read.
struct Cursor {
    batches: Batches,
    batch: Option<RecordBatch>,
    row: usize,
}

impl Cursor {
    fn open(medium: &dyn Medium, part: &Part, columns: Option<&[&str]>) -> Result<Self, StoreError> {
        let reading = Reading::open(medium, part)?;
        let reading = match columns {
            Some(columns) => reading.columns(columns),
            None => reading,
        };
        let mut cursor = Self { batches: reading.batches()?, batch: None, row: 0 };
        cursor.fill()?;
        Ok(cursor)
    }

    fn fill(&mut self) -> Result<(), StoreError> {
        while self.batch.as_ref().is_none_or(|batch| self.row >= batch.num_rows()) {
            let Some(next) = self.batches.next() else {
                self.batch = None;
                return Ok(());
            };
            (self.batch, self.row) = (Some(next?), 0);
        }
        Ok(())
    }

    fn name(&self) -> Option<&str> {
        let names: &StringViewArray =
            self.batch.as_ref()?.column_by_name("log_object")?.as_string_view_opt()?;
        (self.row < names.len()).then(|| names.value(self.row))
    }
}

/// All objects of a store in the order of their names.
pub(super) struct Merged {
    /// Latest commit first.
    cursors: Vec<Cursor>,
    passed: Option<String>,
}

impl Merged {
    /// Reads these columns of the ledger, or all; `log_object` must be among them.
    pub(super) fn open(
        medium: &dyn Medium,
        state: &State,
        columns: Option<&[&str]>,
    ) -> Result<Self, StoreError> {
        let mut parts = state.of(PartKind::Ledger);
        parts.reverse();
        Self::over(medium, &parts, columns)
    }

    /// The same over some parts, latest first.
    pub(super) fn over(
        medium: &dyn Medium,
        parts: &[&Part],
        columns: Option<&[&str]>,
    ) -> Result<Self, StoreError> {
        let cursors = parts.iter().map(|part| Cursor::open(medium, part, columns));
        Ok(Self { cursors: cursors.collect::<Result<_, _>>()?, passed: None })
    }

    /// The next object: its batch and row.
    pub(super) fn next(&mut self) -> Result<Option<(&RecordBatch, usize)>, StoreError> {
        if let Some(passed) = self.passed.take() {
            for cursor in &mut self.cursors {
                if cursor.name() == Some(&passed) {
                    cursor.row += 1;
                    cursor.fill()?;
                }
            }
        }
        let mut first: Option<(usize, &str)> = None;
        for (at, cursor) in self.cursors.iter().enumerate() {
            if let Some(name) = cursor.name()
                && first.is_none_or(|(_, least)| name < least)
            {
                first = Some((at, name));
            }
        }
        let Some((at, name)) = first else { return Ok(None) };
        self.passed = Some(name.to_owned());
        let cursor = &self.cursors[at];
        Ok(cursor.batch.as_ref().map(|batch| (batch, cursor.row)))
    }
}

/// The rows of these objects; `names` is sorted.
pub(super) fn find(medium: &dyn Medium, state: &State, names: &[String]) -> Result<Vec<Booked>, StoreError> {
    let mut found = Vec::with_capacity(names.len());
    if names.is_empty() {
        return Ok(found);
    }
    let mut merged = Merged::open(medium, state, None)?;
    while let Some((batch, row)) = merged.next()? {
        let columns = Columns::of(batch);
        let name = columns.text("log_object", row).unwrap_or_default();
        if names.binary_search_by(|wanted| wanted.as_str().cmp(name)).is_ok() {
            found.push(columns.booked(row));
        }
    }
    Ok(found)
}
