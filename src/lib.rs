//! bedtrail turns AWS CloudTrail into evidence of how an organisation uses generative AI on Amazon Bedrock.

pub mod data;
pub mod engine;
pub mod event;
pub mod query_file;
