//! The sample events of findings: where each of them is in the logs, who is behind it, and, for formats that show it,
//! what it says.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use arrow::array::{Array as _, ArrayRef, AsArray, StringViewArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, TimestampMicrosecondType};

use super::Failure;
use super::trail::Trail;
use crate::clock;
use crate::event::column::Field;
use crate::finding::Finding;
use crate::output::finding::Event;

/// What tells an event's place, and who is behind it.
const ALWAYS: [Field; 4] = [Field::EventId, Field::LogObject, Field::LogIndex, Field::Person];

/// What a finding's evidence shows of an event besides.
pub(super) const SHOWN: [Field; 23] = [
    Field::EventTime,
    Field::EventSource,
    Field::EventName,
    Field::AccountId,
    Field::AwsRegion,
    Field::Outcome,
    Field::ErrorCode,
    Field::Principal,
    Field::PrincipalType,
    Field::PrincipalArn,
    Field::PrincipalId,
    Field::PrincipalAccountId,
    Field::RoleArn,
    Field::SessionName,
    Field::AccessKeyId,
    Field::Mfa,
    Field::InvokedBy,
    Field::SourceIp,
    Field::VpcEndpointId,
    Field::UserAgent,
    Field::RequestId,
    Field::ModelId,
    Field::ResourceArn,
];

/// The sample events of the relation `findings` by their ids: their place and person, and with `shown` all of [`SHOWN`].
pub(super) fn events(trail: &Trail, shown: bool) -> Result<BTreeMap<String, Event>, Failure> {
    let also: &[Field] = if shown { &SHOWN } else { &[] };
    let names: Vec<&str> = ALWAYS.iter().chain(also).map(|field| field.name()).collect();
    let columns: Vec<String> = names.iter().map(|name| format!("e.{name} AS {name}")).collect();
    let sql = format!(
        "SELECT {} FROM events AS e JOIN (SELECT DISTINCT split_part(f.sample_event_ids, ' ', t.i) AS id \
         FROM findings AS f CROSS JOIN (VALUES (1), (2), (3), (4), (5)) AS t (i) \
         WHERE f.sample_event_ids IS NOT NULL) AS s ON s.id = e.event_id ORDER BY 1, 2, 3",
        columns.join(", ")
    );
    let mut events = BTreeMap::new();
    for batch in trail.run("sample events", &sql)? {
        let mut texts = Vec::with_capacity(names.len());
        for column in batch.columns() {
            texts.push(match column.data_type() {
                DataType::Timestamp(..) => column
                    .as_primitive_opt::<TimestampMicrosecondType>()
                    .map(|times| -> ArrayRef {
                        let texts = times.iter().map(|time| time.map(clock::format_micros));
                        Arc::new(texts.collect::<StringViewArray>())
                    })
                    .ok_or_else(|| Failure::failed("internal error: a time is in no microseconds"))?,
                _ => cast(column, &DataType::Utf8View).map_err(Failure::failed)?,
            });
        }
        for row in 0..batch.num_rows() {
            let cells = names.iter().zip(&texts).filter_map(|(name, column)| {
                let column = column.as_string_view();
                column.is_valid(row).then(|| (*name, column.value(row).to_owned()))
            });
            let event = Event::new(cells);
            // Of records that share an id, the first by place.
            let _ = event.get("event_id").map(str::to_owned).map(|id| events.entry(id).or_insert(event));
        }
    }
    Ok(events)
}

/// Gives each finding the places of its sample events, and who is behind them.
pub(super) fn locate(findings: &mut [Finding], events: &BTreeMap<String, Event>) {
    for finding in findings {
        let found = || finding.sample_event_ids.iter().filter_map(|id| events.get(id));
        let persons: BTreeSet<&str> = found().filter_map(|event| event.get("person")).collect();
        let persons: Vec<&str> = persons.into_iter().collect();
        let records = found().filter_map(Event::place).collect();
        finding.person = (!persons.is_empty()).then(|| persons.join(", "));
        finding.sample_records = records;
    }
}
