//! bedtrail turns AWS CloudTrail into evidence of how an organisation uses generative AI on Amazon Bedrock.

pub mod cli;
pub mod clock;
pub mod command;
pub mod data;
pub mod decode;
pub mod engine;
pub mod event;
pub mod exit;
pub mod finding;
pub mod ingest;
pub mod output;
pub mod policy;
pub mod query_file;
pub mod report;
pub mod rule;
pub mod source;
