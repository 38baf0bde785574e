//! ④ Whether the record is complete, and how records hang together.

pub mod coverage;
pub mod trace;
