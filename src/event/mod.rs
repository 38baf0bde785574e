//! ⓪ What an event is: the columns, the record they come from, and what gives them meaning.

pub mod activity;
pub mod address;
pub mod arn;
pub mod builder;
pub mod column;
pub mod credential;
pub mod outcome;
pub mod person;
pub mod principal;
pub mod record;
pub mod scope;
pub mod set;
pub mod time;

pub use builder::{EventBuilder, schema};
pub use column::{COLUMNS, Column, FIELDS, Field, Kind};
pub use set::FieldSet;
