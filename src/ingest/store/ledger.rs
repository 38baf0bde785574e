//! The ledger of a store: parts sorted by name, merged while they are read. Of two rows for one object, that of the
//! later commit holds, so that a correction is a row in a new part.

use super::StoreError;
use super::entry::{Booked, Columns};
use super::log::{Part, PartKind, State};
use super::medium::Medium;
use super::part::{Batches, Reading};

/// A part being read.
struct Cursor {
    batches: Batches,
    columns: Option<Columns>,
    row: usize,
}

impl Cursor {
    fn open(
        medium: &dyn Medium,
        part: &Part,
        columns: Option<&[&str]>,
        names: Option<(&str, &str)>,
    ) -> Result<Self, StoreError> {
        let mut reading = Reading::open(medium, part)?;
        if let Some(columns) = columns {
            reading = reading.columns(columns);
        }
        if let Some((first, last)) = names {
            reading = reading.between("log_object", first, last);
        }
        let mut cursor = Self { batches: reading.batches()?, columns: None, row: 0 };
        cursor.fill()?;
        Ok(cursor)
    }

    fn fill(&mut self) -> Result<(), StoreError> {
        while self.columns.as_ref().is_none_or(|columns| self.row >= columns.rows()) {
            let Some(next) = self.batches.next() else {
                self.columns = None;
                return Ok(());
            };
            (self.columns, self.row) = (Some(Columns::of(&next?)), 0);
        }
        Ok(())
    }

    fn name(&self) -> Option<&str> {
        self.columns.as_ref().map(|columns| columns.name(self.row))
    }
}

/// All objects of a store in the order of their names.
pub(super) struct Merged {
    /// Latest commit first.
    cursors: Vec<Cursor>,
    /// The object that was returned last; its name is kept in the same memory for each.
    passed: String,
    begun: bool,
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
        Self::over(medium, &parts, columns, None)
    }

    /// The same of objects whose names lie between two, both included; others may be among them.
    pub(super) fn between(
        medium: &dyn Medium,
        state: &State,
        columns: Option<&[&str]>,
        names: (&str, &str),
    ) -> Result<Self, StoreError> {
        let mut parts = state.of(PartKind::Ledger);
        parts.reverse();
        Self::over(medium, &parts, columns, Some(names))
    }

    /// The same over some parts, latest first.
    pub(super) fn over(
        medium: &dyn Medium,
        parts: &[&Part],
        columns: Option<&[&str]>,
        names: Option<(&str, &str)>,
    ) -> Result<Self, StoreError> {
        medium.expect(parts);
        let cursors = parts.iter().map(|part| Cursor::open(medium, part, columns, names));
        Ok(Self { cursors: cursors.collect::<Result<_, _>>()?, passed: String::new(), begun: false })
    }

    /// The next object: its columns and row.
    pub(super) fn next(&mut self) -> Result<Option<(&Columns, usize)>, StoreError> {
        if self.begun {
            for cursor in &mut self.cursors {
                if cursor.name() == Some(&self.passed) {
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
        self.begun = true;
        self.passed.clear();
        self.passed.push_str(name);
        let cursor = &self.cursors[at];
        Ok(cursor.columns.as_ref().map(|columns| (columns, cursor.row)))
    }
}

/// The rows of these objects; `names` is sorted.
pub(super) fn find(medium: &dyn Medium, state: &State, names: &[String]) -> Result<Vec<Booked>, StoreError> {
    let mut found = Vec::with_capacity(names.len());
    let (Some(first), Some(last)) = (names.first(), names.last()) else { return Ok(found) };
    let mut merged = Merged::between(medium, state, None, (first, last))?;
    while let Some((columns, row)) = merged.next()? {
        let name = columns.name(row);
        if names.binary_search_by(|wanted| wanted.as_str().cmp(name)).is_ok() {
            found.push(columns.booked(row));
        }
    }
    Ok(found)
}
