//! ⓪ What an event is: the columns, the record they come from, and what gives them meaning.

pub mod account;
pub mod activity;
pub mod address;
pub mod agent;
pub mod arn;
pub mod builder;
pub mod cache;
pub mod client;
pub mod column;
pub mod content;
pub mod credential;
pub mod json;
pub mod model;
pub mod named;
pub mod outcome;
pub mod person;
pub mod principal;
pub mod record;
pub mod refusal;
pub mod request;
pub mod row;
pub mod scope;
pub mod set;
pub mod time;

pub use builder::{EventBuilder, schema};
pub use column::{COLUMNS, Column, FIELDS, Field, Kind};
pub use set::FieldSet;
