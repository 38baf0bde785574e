//! A set of event columns.

use super::column::{FIELDS, Field};

const _: () = assert!(FIELDS.len() < 128, "a set holds one bit per column, and one more");

/// The bit of [`FieldSet::raw_of_admin`].
const RAW_OF_ADMIN: u128 = 1 << 127;

/// Columns of `events`, one bit each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FieldSet(u128);

impl FieldSet {
    /// No column.
    pub const EMPTY: Self = Self(0);

    /// Every column.
    pub const fn all() -> Self {
        Self(u128::MAX >> (128 - FIELDS.len()))
    }

    /// These columns.
    pub const fn of(fields: &[Field]) -> Self {
        let mut bits = 0;
        let mut index = 0;
        while index < fields.len() {
            bits |= 1 << fields[index] as u8;
            index += 1;
        }
        Self(bits)
    }

    /// The columns of these names; names that are no column are passed over.
    pub fn named<'a>(names: impl IntoIterator<Item = &'a str>) -> Self {
        names.into_iter().filter_map(Field::named).collect()
    }

    /// Whether `field` is in the set.
    pub const fn contains(self, field: Field) -> bool {
        self.0 & (1 << field as u8) != 0
    }

    /// Whether a column is in both sets.
    pub const fn intersects(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// The columns in either set.
    #[must_use]
    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// The columns of this set that are not in `other`.
    #[must_use]
    pub const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// Adds a column; false where it was there.
    pub const fn insert(&mut self, field: Field) -> bool {
        let new = !self.contains(field);
        self.0 |= 1 << field as u8;
        new
    }

    /// The same, with what callers sent and got as JSON only of calls that make or change models and agents: a query that
    /// looks for what was made needs none of the many calls that use it.
    #[must_use]
    pub const fn raw_of_admin(self) -> Self {
        Self(self.0 | RAW_OF_ADMIN)
    }

    /// Whether the JSON of other calls is left out.
    pub const fn is_raw_of_admin(self) -> bool {
        self.0 & RAW_OF_ADMIN != 0
    }

    /// Whether the set holds nothing.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// How many columns it holds.
    pub const fn len(self) -> usize {
        (self.0 & !RAW_OF_ADMIN).count_ones() as usize
    }

    /// The columns in table order.
    pub fn iter(self) -> impl Iterator<Item = Field> {
        let mut bits = self.0;
        std::iter::from_fn(move || {
            let index = bits.trailing_zeros() as usize;
            bits &= bits.wrapping_sub(1);
            FIELDS.get(index).copied()
        })
    }
}

impl FromIterator<Field> for FieldSet {
    fn from_iter<I: IntoIterator<Item = Field>>(fields: I) -> Self {
        let mut set = Self::EMPTY;
        for field in fields {
            set.insert(field);
        }
        set
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn holds_what_was_put_in() {
        let set = FieldSet::named(["log_index", "event_id", "no_such_column"]);
        assert_eq!(set.iter().collect::<Vec<_>>(), [Field::EventId, Field::LogIndex]);
        assert_eq!(set, FieldSet::of(&[Field::LogIndex, Field::EventId]));
        assert!(set.contains(Field::EventId) && !set.contains(Field::EventTime));
        assert_eq!(set.union(FieldSet::of(&[Field::EventTime])).len(), 3);
        assert_eq!(set.without(FieldSet::of(&[Field::EventId])).len(), 1);
        assert!(!set.intersects(FieldSet::EMPTY) && FieldSet::EMPTY.is_empty());
    }

    #[test]
    fn less_json_is_no_column() {
        let set = FieldSet::of(&[Field::RequestParameters]);
        let less = set.raw_of_admin();
        assert!(less.is_raw_of_admin() && !set.is_raw_of_admin() && !FieldSet::all().is_raw_of_admin());
        assert_eq!((less.len(), less.iter().collect::<Vec<_>>()), (1, vec![Field::RequestParameters]));
    }

    #[test]
    fn all_is_every_column_in_order() {
        assert_eq!(FieldSet::all().iter().collect::<Vec<_>>(), FIELDS);
        assert_eq!(FieldSet::all().len(), FIELDS.len());
    }
}
