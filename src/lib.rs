//! bedtrail turns AWS CloudTrail into evidence of how an organisation uses generative AI on Amazon Bedrock.
//!
//! The walk of the data, and the floors it goes through; imports only point down.
//!
//! 1. A [`source`] lists log objects, pruned by what their names show, and yields their bytes.
//! 2. [`decode`] inflates an object, finds the exact span of every record, passes over those whose bytes prove
//!    that they do not concern us, and appends the rest to Arrow builders; what a record means is in [`event`].
//!    Only the columns that a query of the run reads are built. No I/O and no async here.
//! 3. [`ingest`] reads and decodes on threads, counts every record once, keeps a ledger row for every object,
//!    and goes to Parquet files where memory would not do.
//! 4. The [`engine`] is one DataFusion session over the tables, the relations of the [`policy`] and the reference
//!    data of [`data`].
//! 5. A [`report`] or a [`rule`] is one SQL file under `queries/`; see [`query_file`]. Rules yield
//!    [`finding`]s.
//! 6. [`output`] writes answers as tables, CSV, JSON or Parquet, and a manifest.
//! 7. [`command`] wires the floors for what was typed ([`cli`]) and ends with one of the codes of [`exit`].
//!
//! Run the queries against the empty tables first, take the union of the columns they read, ingest once,
//! then run them: that is why a report over a year of logs builds a handful of columns.

pub mod cli;
pub mod clock;
pub mod command;
pub mod config;
pub mod data;
pub mod decode;
pub mod engine;
pub mod event;
pub mod evidence;
pub mod exit;
pub mod finding;
pub mod ingest;
pub mod output;
pub mod policy;
pub mod query_file;
pub mod report;
pub mod rule;
pub mod source;
