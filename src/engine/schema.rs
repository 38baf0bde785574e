//! The columns of the relations that ingestion fills beside `events`, and the Arrow schema of any such list.

use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};

use crate::event::column::{COLUMNS, Column, Kind};

const fn column(name: &'static str, kind: Kind, meaning: &'static str) -> Column {
    Column { name, kind, group: "", meaning }
}

/// `objects`, the ledger: one row per log object.
pub const OBJECTS: &[Column] = &[
    column("log_object", Kind::Text, "The object's name, as in `events.log_object`."),
    column("source", Kind::Text, "The source it came from."),
    column(
        "kind",
        Kind::Text,
        "cloudtrail, digest, insight, aggregated, network_activity, invocation_log or other.",
    ),
    column("shape", Kind::Text, "How its records are wrapped."),
    column("state", Kind::Text, "read, refused or skipped."),
    column("reason", Kind::Text, "Why it was refused or skipped."),
    column("size_bytes", Kind::Int, "Its size as stored."),
    column("inflated_bytes", Kind::Int, "Its size inflated."),
    column("sha256", Kind::Text, "SHA-256 of the stored bytes, in hexadecimal."),
    column("etag", Kind::Text, "What S3 calls its stored content."),
    column("account_id", Kind::Text, "The account in its name."),
    column("aws_region", Kind::Text, "The Region in its name."),
    column("delivered_at", Kind::Time, "The delivery time in its name, UTC."),
    column("seen", Kind::Int, "Records in it."),
    column("kept", Kind::Int, "Records that became events."),
    column("not_ours", Kind::Int, "Records that do not concern generative AI."),
    column("out_of_range", Kind::Int, "Records outside the time window, accounts or Regions asked for."),
    column("duplicate", Kind::Int, "Copies of a record kept from another object."),
    column("aggregated", Kind::Int, "Five-minute summaries, which restate events."),
    column("insight", Kind::Int, "Insight records."),
    column("refused", Kind::Int, "Records that could not be read; `refusals` says why."),
    column("superseded", Kind::Int, "Records replaced by a later, updated one."),
    column("api_calls", Kind::Int, "Kept records of kind api_call."),
    column("service_events", Kind::Int, "Kept records of kind service_event."),
    column("network_activity", Kind::Int, "Kept records of kind network_activity."),
    column("shared_copies", Kind::Int, "Kept records of kind shared_copy."),
    column("conflicts", Kind::Int, "Records whose event_id stands elsewhere with other content."),
    column("first_event_time", Kind::Time, "The earliest event in it, UTC."),
    column("last_event_time", Kind::Time, "The latest event in it, UTC."),
];

/// `refusals`: one row per record that could not be read.
pub const REFUSALS: &[Column] = &[
    column("log_object", Kind::Text, "The object it stands in."),
    column("log_index", Kind::Int, "Its position in that object, from 0."),
    column("reason", Kind::Text, "Why it was refused."),
];

/// `coverage`: one row per account and Region that delivered logs, or should have.
pub const COVERAGE: &[Column] = &[
    column("account_id", Kind::Text, "The account."),
    column("account_name", Kind::Text, "Its name, where the list of those expected gives one."),
    column("aws_region", Kind::Text, "The Region."),
    column("state", Kind::Text, "delivered, silent, quiet, not_expected or pruned."),
    column("objects", Kind::Int, "Log objects delivered in the window."),
    column("first_delivered", Kind::Time, "Delivery time of the first, UTC."),
    column("last_delivered", Kind::Time, "Delivery time of the last, UTC."),
    column("reason", Kind::Text, "Why nothing had to come, or what of it is not known any more."),
];

/// `invocation_logs`: one row per call in Bedrock's model-invocation log.
pub const INVOCATION_LOGS: &[Column] = &[
    column("request_id", Kind::Text, "The request's id, as in `events.request_id`."),
    column("account_id", Kind::Text, "The account."),
    column("aws_region", Kind::Text, "The Region called."),
    column("event_time", Kind::Time, "When, UTC."),
    column("operation", Kind::Text, "InvokeModel, Converse, …"),
    column("model_requested", Kind::Text, "The model as it was asked for."),
    column("model_id", Kind::Text, "Its base id."),
    column("identity_arn", Kind::Text, "Who called; a role's session, without the role's path."),
    column("inference_region", Kind::Text, "Where the model ran."),
    column("error_code", Kind::Text, "The error, if there was one."),
    column("input_tokens", Kind::Int, "Tokens in, without those of a cache."),
    column("output_tokens", Kind::Int, "Tokens out."),
    column("cache_read_tokens", Kind::Int, "Tokens read from a cache."),
    column("cache_write_tokens", Kind::Int, "Tokens written to a cache."),
    column(
        "input_content",
        Kind::Text,
        "What was asked, as JSON text or the place in S3 where it lies; with --show-content only.",
    ),
    column(
        "output_content",
        Kind::Text,
        "What was answered, as JSON text or the place in S3 where it lies; with --show-content only.",
    ),
    column("log_object", Kind::Text, "The object it stands in."),
    column("log_index", Kind::Int, "Its line, from 0."),
];

/// `nearby_service_events`: service events just outside the time window, which may tell of calls within it.
pub const NEARBY_SERVICE_EVENTS: &[Column] = &[
    column("account_id", Kind::Text, "The account, as in `events.account_id`."),
    column("request_id", Kind::Text, "The request's id of the call that it tells of."),
    column("event_time", Kind::Time, "When, UTC."),
    column("inference_region", Kind::Text, "Where the model ran."),
    column("input_tokens", Kind::Int, "Tokens in."),
    column("output_tokens", Kind::Int, "Tokens out."),
    column("cache_read_tokens", Kind::Int, "Tokens read from a cache."),
    column("cache_write_tokens", Kind::Int, "Tokens written to a cache."),
];

/// `aliases`: what the policy and files say stands behind references.
pub const ALIASES: &[Column] = &[
    column("reference", Kind::Text, "The reference, as calls send it: an ARN, an id or a name."),
    column("model_id", Kind::Text, "The model it stands for."),
    column("since", Kind::Time, "The first instant at which it is known to hold, UTC; null: always."),
    column(
        "valid_from",
        Kind::Time,
        "When the version of the policy that says so begins, UTC; null: always.",
    ),
    column("valid_to", Kind::Time, "When it ends, UTC; null: never."),
    column("known_by", Kind::Text, "policy or file."),
    column("evidence", Kind::Text, "The version of the policy, or the file."),
];

/// `run`: one row about this run; queries take the time from here.
pub const RUN: &[Column] = &[
    column("run_time", Kind::Time, "When the run began, UTC."),
    column("window_from", Kind::Time, "The start of the time window, inclusive, UTC; null is open."),
    column("window_to", Kind::Time, "The end of the time window, exclusive, UTC; null is open."),
    column("policy_name", Kind::Text, "The policy's name."),
    column("policy_version", Kind::Text, "The policy's version."),
    column("policy_sha256", Kind::Text, "SHA-256 of the policy file, in hexadecimal."),
    column(
        "scope",
        Kind::Text,
        "What was kept: default, or agents where records of agents' roles were kept whatever service they call.",
    ),
    column("tool_version", Kind::Text, "The version of this program."),
];

/// The base tables that every session knows, empty until they are registered: name, what a row is, columns.
pub(super) const TABLES: &[(&str, &str, &[Column])] = &[
    ("events", "one row per CloudTrail record kept", COLUMNS),
    ("history", "one row per event before the window: what was usual, as far back as it is known", COLUMNS),
    ("objects", "the ledger: one row per log object", OBJECTS),
    ("refusals", "one row per record that could not be read", REFUSALS),
    ("coverage", "one row per account and Region that delivered logs, or should have", COVERAGE),
    (
        "invocation_logs",
        "one row per call in Bedrock's model-invocation log, if one is given",
        INVOCATION_LOGS,
    ),
    (
        "nearby_service_events",
        "one row per service event at most an hour outside the time window: it may tell of a call within",
        NEARBY_SERVICE_EVENTS,
    ),
    ("run", "one row about this run", RUN),
    (
        "aliases",
        "one row per alias of the policy and of files of aliases: a reference and the model it stands for",
        ALIASES,
    ),
];

/// The Arrow type of a column's values in memory.
pub fn data_type(kind: Kind) -> DataType {
    match kind {
        Kind::Text => DataType::Utf8View,
        Kind::Bool => DataType::Boolean,
        Kind::Int => DataType::Int64,
        Kind::Time => DataType::Timestamp(TimeUnit::Microsecond, None),
    }
}

/// The Arrow schema of a list of columns; every one is nullable.
pub fn schema(columns: &[Column]) -> SchemaRef {
    let field = |column: &Column| Field::new(column.name, data_type(column.kind), true);
    Arc::new(Schema::new(columns.iter().map(field).collect::<Vec<_>>()))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn columns_are_unique_and_described() {
        for (table, _, columns) in TABLES {
            let names: BTreeSet<_> = columns.iter().map(|column| column.name).collect();
            assert_eq!(names.len(), columns.len(), "{table}");
            for column in *columns {
                assert!(column.meaning.ends_with(['.', '…']), "{table}.{}", column.name);
            }
        }
    }

    #[test]
    fn time_is_microseconds_without_a_zone() {
        let schema = schema(RUN);
        assert_eq!(schema.field(0).data_type(), &DataType::Timestamp(TimeUnit::Microsecond, None));
        assert_eq!(schema.fields().len(), RUN.len());
    }
}
