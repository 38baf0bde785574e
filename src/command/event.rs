//! `bedtrail event`: one record as it was logged, read again from its object, and what was made of it.

use std::collections::BTreeMap;

use arrow::array::{Array, AsArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Int64Type};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::trail::{Prepared, query_failure};
use super::{Failure, print, say};
use crate::cli::{self, Input};
use crate::decode::record;
use crate::engine::{Answered, Engine};
use crate::event::column::COLUMNS;
use crate::event::content::redact_record;
use crate::event::scope::Scope;
use crate::evidence::trace::quoted;
use crate::exit::{Code, Conditions};
use crate::output::format;
use crate::output::{self, Answer, Options};
use crate::source::api::Api;
use crate::source::s3::{Buckets, Session, Url};
use crate::source::{Extent, LogObject, Place, local};

/// So many candidates are named.
const NAMED: usize = 20;

/// What is printed.
#[derive(Serialize)]
struct Document<'a> {
    schema: &'a str,
    event_id: &'a str,
    records: Vec<Shown>,
}

/// One record; null if it cannot be read again.
#[derive(Serialize)]
struct Shown {
    log_object: String,
    log_index: u64,
    record: Option<Box<RawValue>>,
    columns: Box<RawValue>,
}

/// Where a row comes from, and what of it is content.
#[derive(Deserialize)]
struct Origin {
    log_object: String,
    log_index: u64,
    event_source: String,
    activity: String,
}

/// Runs the subcommand.
pub(super) fn run(arguments: &cli::Event) -> Result<Code, Failure> {
    let input = &arguments.input;
    let prepared = Prepared::new(input)?;
    let queries = [candidates(&arguments.id), rows("x")];
    let trail = prepared.open(input, &queries, &[], false)?;
    let id = find(&trail.engine, &arguments.id)?;
    let rows = columns(&trail.engine, &id)?;
    trail.intact()?;
    let mut objects = Objects { input, now: trail.now, read: BTreeMap::new() };
    let mut lost = false;
    let mut records = Vec::new();
    for columns in rows {
        let origin: Origin = serde_json::from_str(columns.get()).map_err(Failure::failed)?;
        let record = match objects.record(&origin, &id) {
            Ok(record) => Some(record),
            Err(reason) => {
                let Origin { log_object, log_index, .. } = &origin;
                say(&format!("warning: record {log_index} of {log_object} cannot be shown: {reason}"));
                lost = true;
                None
            }
        };
        let Origin { log_object, log_index, .. } = origin;
        records.push(Shown { log_object, log_index, record, columns });
    }
    let document = Document { schema: "bedtrail/1", event_id: &id, records };
    print(&output::document(&serde_json::to_string(&document).map_err(Failure::failed)?))?;
    let conditions = Conditions { evidence_incomplete: lost || !trail.complete(), ..Conditions::default() };
    Ok(conditions.code())
}

/// Events that may be meant: by their own id, in full or its beginning, or by that of the request.
fn candidates(typed: &str) -> String {
    let typed = quoted(typed);
    format!(
        "SELECT event_id AS event_id, event_name AS event_name, MIN(event_time) AS event_time, \
         MAX(CASE WHEN event_id = {typed} THEN 2 WHEN request_id = {typed} THEN 1 ELSE 0 END) AS fit \
         FROM events WHERE starts_with(event_id, {typed}) OR request_id = {typed} \
         GROUP BY event_id, event_name ORDER BY event_time, event_id, event_name"
    )
}

/// Every row of an event.
fn rows(id: &str) -> String {
    let columns: Vec<String> =
        COLUMNS.iter().map(|column| format!("{} AS {}", column.name, column.name)).collect();
    let id = quoted(id);
    format!("SELECT {} FROM events WHERE event_id = {id} ORDER BY log_object, log_index", columns.join(", "))
}

/// The id of the one event that `typed` names.
fn find(engine: &Engine, typed: &str) -> Result<String, Failure> {
    let mut found: Vec<(i64, String, String)> = Vec::new();
    for batch in engine.run(&candidates(typed)).map_err(query_failure)? {
        let text = |at: usize| cast(batch.column(at), &DataType::Utf8View).map_err(Failure::failed);
        let (ids, names) = (text(0)?, text(1)?);
        let fits = cast(batch.column(3), &DataType::Int64).map_err(Failure::failed)?;
        for row in 0..batch.num_rows() {
            if ids.is_valid(row) {
                found.push((
                    fits.as_primitive::<Int64Type>().value(row),
                    ids.as_string_view().value(row).to_owned(),
                    names.as_string_view().value(row).to_owned(),
                ));
            }
        }
    }
    choose(typed, found)
}

fn choose(typed: &str, mut found: Vec<(i64, String, String)>) -> Result<String, Failure> {
    let best = found.iter().map(|(fit, ..)| *fit).max();
    found.retain(|(fit, ..)| Some(*fit) == best);
    let mut ids: Vec<&str> = found.iter().map(|(_, id, _)| id.as_str()).collect();
    ids.sort_unstable();
    ids.dedup();
    match ids[..] {
        [] => Err(Failure::failed(format!("no event of the trail has the id {typed:?}")).help(
            "only what concerns generative AI is kept, and what --scope agents adds; a wider --from may find it",
        )),
        [only] => Ok(only.to_owned()),
        _ => {
            let mut lines: Vec<String> = found.iter().map(|(_, id, name)| format!("{id} {name}")).collect();
            let more = lines.len().saturating_sub(NAMED);
            lines.truncate(NAMED);
            if more > 0 {
                lines.push(format!("and {more} more"));
            }
            let lines = lines.join("\n  ");
            Err(Failure::usage(format!("{typed:?} may be any of these; give more of the id:\n  {lines}")))
        }
    }
}

/// The rows of an event, as objects by column.
fn columns(engine: &Engine, id: &str) -> Result<Vec<Box<RawValue>>, Failure> {
    #[derive(Deserialize)]
    struct Reports {
        reports: Vec<Rows>,
    }
    #[derive(Deserialize)]
    struct Rows {
        rows: Vec<Box<RawValue>>,
    }

    let batches = engine.run(&rows(id)).map_err(query_failure)?;
    let Some(schema) = batches.first().map(arrow::array::RecordBatch::schema) else { return Ok(Vec::new()) };
    let answer = Answer {
        name: "event".to_owned(),
        title: String::new(),
        question: String::new(),
        preamble: Vec::new(),
        rows: Answered::new(schema.clone(), batches),
        schema,
        glance: Vec::new(),
        findings: None,
        footer: Vec::new(),
    };
    // The same spelling as in every other document.
    let json = format::find("json").ok_or_else(|| Failure::failed("internal error: no JSON"))?;
    let mut text = Vec::new();
    json.write(&[answer], &Options::default(), &mut text)?;
    let document: Reports = serde_json::from_slice(&text).map_err(Failure::failed)?;
    Ok(document.reports.into_iter().flat_map(|report| report.rows).collect())
}

/// Objects read again, each once.
struct Objects<'i> {
    input: &'i Input,
    now: i64,
    read: BTreeMap<String, Result<Vec<u8>, String>>,
}

impl Objects<'_> {
    /// A record as it was logged, what callers put in by hand by its length.
    fn record(&mut self, origin: &Origin, id: &str) -> Result<Box<RawValue>, String> {
        let name = &*origin.log_object;
        if !self.read.contains_key(name) {
            let bytes = self.fetch(name);
            self.read.insert(name.to_owned(), bytes);
        }
        let bytes = match self.read.get(name) {
            Some(Ok(bytes)) => bytes,
            Some(Err(reason)) => return Err(reason.clone()),
            None => return Err("internal error: it was not read".to_owned()),
        };
        let index = usize::try_from(origin.log_index).map_err(|error| error.to_string())?;
        let text = record::raw(bytes, name, self.input.max_object_size, index)
            .map_err(|error| error.to_string())?
            .ok_or("the object has fewer records now")?;
        let family = Scope::get().family(&origin.event_source);
        let text =
            if self.input.keep_content { text } else { redact_record(&text, family, &origin.activity) };
        let record: serde_json::Value = serde_json::from_str(&text).map_err(|error| error.to_string())?;
        let found = ["eventID", "eventId"].iter().find_map(|key| record[key].as_str());
        match found {
            Some(found) if !found.is_empty() && found != id => {
                Err("another record stands there now: the object was changed".to_owned())
            }
            _ => RawValue::from_string(text).map_err(|error| error.to_string()),
        }
    }

    fn fetch(&self, name: &str) -> Result<Vec<u8>, String> {
        if name == "-" {
            return Err("standard input cannot be read again".to_owned());
        }
        if Api::is(name) {
            return Err(
                "what an API answered is not asked for again; the columns hold what was kept".to_owned()
            );
        }
        if !Url::is(name) {
            let mut bytes = Vec::new();
            let object = LogObject::new(name.to_owned(), Place::Named);
            let length = local::read(&object, self.input.max_object_size, &mut bytes)?;
            bytes.truncate(length);
            return Ok(bytes);
        }
        let session = Session::open(self.input.aws.access()).map_err(|error| error.to_string())?;
        let buckets = Buckets::find(&session, &[name.to_owned()], Extent::default(), self.now)
            .map_err(|error| error.to_string())?;
        let reader = buckets.reader(&session, self.input.max_object_size);
        let feed = reader.read(vec![LogObject::new(name.to_owned(), Place::Fed)]);
        match feed.next() {
            Some(Ok(arrival)) => arrival.bytes,
            Some(Err(reason)) => Err(reason),
            None => Err("the bucket gave nothing".to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_in_full_comes_before_a_request_and_that_before_a_beginning() {
        let event = |fit: i64, id: &str| (fit, id.to_owned(), "Converse".to_owned());
        assert_eq!(choose("ab", vec![event(0, "abc"), event(2, "ab")]).unwrap(), "ab");
        assert_eq!(choose("ab", vec![event(0, "abc"), event(1, "x")]).unwrap(), "x");
        assert_eq!(choose("ab", vec![event(0, "abc"), event(0, "abc")]).unwrap(), "abc");
        assert_eq!(choose("ab", Vec::new()).unwrap_err().code, Code::Failed);
        let many = choose("a", (0..30).map(|n| event(0, &format!("a{n}"))).collect()).unwrap_err();
        assert!(many.message.ends_with("and 10 more") && many.code == Code::Usage, "{}", many.message);
    }
}
