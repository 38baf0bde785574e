//! Buckets: `s3://bucket/prefix`, listed as far as the window needs, read many objects at a time.

pub mod access;
pub mod error;

pub use access::{Access, Bucket, Session};
pub use error::{Action, S3Error, Target};
