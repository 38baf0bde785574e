//! The integration tests: one binary, since the query engine links slowly. One module per area.

#![expect(unreachable_pub, reason = "a test binary has no outside")]

#[path = "../../benches/corpus/mod.rs"]
mod corpus;
mod duplicate;
mod generator;
mod odd;
mod program;
mod real;
mod scan;
mod story;
mod truth;
mod window;
