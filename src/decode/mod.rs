//! ① Bytes to rows: no I/O, no async.
//!
//! An object's bytes are inflated ([`inflate`]), its records located by their exact spans ([`shape`],
//! [`structure`]), the ones that cannot concern us passed over ([`filter`]), and the rest parsed, judged and
//! appended ([`record`]). Objects are all or nothing: a text that breaks anywhere gives no rows.

mod block;
mod canonical;
pub mod filter;
mod gunzip;
pub(crate) mod id;
pub mod inflate;
pub mod invocation;
mod message;
pub mod record;
pub mod shape;
pub mod structure;
