//! The integration tests: one binary, since the query engine links slowly. One module per area.

#![expect(unreachable_pub, reason = "a test binary has no outside")]

mod aws_athena;
mod aws_data;
mod aws_engine;
mod aws_lake;
mod aws_lookup;
mod aws_service;
mod border;
mod bucket;
mod command;
mod content;
#[path = "../../benches/corpus/mod.rs"]
mod corpus;
mod dated;
mod duplicate;
mod event;
mod exit_code;
mod follow;
mod generator;
mod help;
mod invocation;
mod judge;
mod law;
mod nordwind;
mod odd;
mod output;
mod program;
mod real;
mod record;
mod reference;
mod reports;
mod rules;
mod s3;
mod s3_fault;
mod scan;
mod store;
mod story;
mod trace;
mod truth;
mod window;
