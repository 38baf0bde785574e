//! ⓪ What an event is: the columns, the record they come from, and what gives them meaning.

pub mod column;
pub mod record;
