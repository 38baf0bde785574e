//! ④ Whether the record is complete.

pub mod coverage;
