//! The statement with which Amazon Athena reads a store in a bucket.

use std::fmt::Write as _;

use crate::event::column::{COLUMNS, Kind};

/// `CREATE EXTERNAL TABLE` over the events of a store, with the days found by their names rather than listed.
pub fn create(location: &str, table: &str) -> Result<String, String> {
    let wrong = |what: &str| format!("{what}: give the store as s3://bucket/prefix");
    let place =
        location.strip_prefix("s3://").ok_or_else(|| wrong(&format!("{location} is not in a bucket")))?;
    if place.contains(['\'', '\\', '\n']) {
        return Err(wrong("the location holds a quote or backslash"));
    }
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    if table.is_empty() || !table.bytes().all(fits) {
        return Err(format!("{table} is no name for a table: letters, digits and _ only"));
    }
    let place = place.trim_end_matches('/');
    let mut sql = format!("CREATE EXTERNAL TABLE {table} (\n");
    for (at, column) in COLUMNS.iter().enumerate() {
        let kind = match column.kind {
            Kind::Text => "string",
            Kind::Bool => "boolean",
            Kind::Int => "bigint",
            Kind::Time => "timestamp",
        };
        let comma = if at + 1 < COLUMNS.len() { "," } else { "" };
        let _ = writeln!(sql, "  `{}` {kind}{comma}", column.name);
    }
    let _ = write!(
        sql,
        ")\nPARTITIONED BY (`event_date` string)\nSTORED AS PARQUET\nLOCATION 's3://{place}/events/'\nTBLPROPERTIES (\n  \
         'parquet.compression' = 'ZSTD',\n  'projection.enabled' = 'true',\n  'projection.event_date.type' = 'date',\n  \
         'projection.event_date.format' = 'yyyy-MM-dd',\n  'projection.event_date.range' = '2023-01-01,NOW+1DAYS',\n  \
         'storage.location.template' = 's3://{place}/events/event_date=${{event_date}}'\n);\n"
    );
    Ok(sql)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_column_has_a_type_and_the_days_are_projected() {
        let sql = create("s3://audit/bedtrail/", "bedtrail_events").unwrap();
        assert!(sql.starts_with(
            "CREATE EXTERNAL TABLE bedtrail_events (\n  `event_id` string,\n  `event_time` timestamp,\n"
        ));
        assert!(sql.contains("  `delivered_at` timestamp\n)\nPARTITIONED BY (`event_date` string)\n"));
        assert!(sql.contains("'s3://audit/bedtrail/events/event_date=${event_date}'"));
        assert!(create("/var/store", "x").is_err() && create("s3://b/x'y", "x").is_err());
        assert!(create("s3://b", "x; DROP").is_err());
    }
}
