//! Objects of the model-invocation log, read concurrently into the rows of `invocation_logs`.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};

use arrow::array::{ArrayRef, Int64Builder, RecordBatch, StringViewBuilder, TimestampMicrosecondBuilder};
use arrow::error::ArrowError;

use super::queue::{Queue, Task};
use super::{IngestError, LARGE, Progress};
use crate::decode::inflate::Inflater;
use crate::decode::invocation::{self, Invocation};
use crate::decode::record::Wanted;
use crate::source::feed::Feed;
use crate::source::{LogObject, local};

/// Rows in a batch.
const ROWS: usize = 8192;

/// What the objects held.
#[derive(Debug, Default)]
pub struct InvocationLogs {
    /// The rows.
    pub batches: Vec<RecordBatch>,
    /// Objects read.
    pub objects: u64,
    /// Calls kept.
    pub calls: u64,
    /// Calls outside the time, accounts or Regions asked for.
    pub out_of_range: u64,
    /// Objects and lines that cannot be read, in words.
    pub refused: Vec<String>,
}

/// Reads all objects, and those that `feed` brings; prompts and answers if `content` asks for them.
pub fn read(
    objects: &[LogObject],
    feed: Option<&Feed>,
    wanted: &Wanted,
    limit: usize,
    threads: usize,
    content: bool,
    progress: &Progress,
) -> Result<InvocationLogs, IngestError> {
    let queue = Queue::new(objects, feed);
    let parts: Mutex<Vec<(usize, InvocationLogs)>> = Mutex::default();
    let failed: Mutex<Option<String>> = Mutex::default();
    std::thread::scope(|scope| {
        for _ in 0..threads.max(1) {
            scope.spawn(|| {
                let mut inflater = Inflater::default();
                let mut stored = Vec::new();
                loop {
                    let (name, bytes, ordinal) = match queue.take() {
                        Ok(None) => return,
                        Err(reason) => {
                            queue.close();
                            failed.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(reason);
                            return;
                        }
                        Ok(Some((Task::Local(object), ordinal))) => {
                            let read = local::read(object, limit, &mut stored);
                            (object.name.clone(), read.map(|length| stored[..length].to_vec()), ordinal)
                        }
                        Ok(Some((Task::Fed(arrival), ordinal))) => {
                            (arrival.object.name.clone(), arrival.bytes, ordinal)
                        }
                    };
                    progress.objects.fetch_add(1, Ordering::Relaxed);
                    let part = one(&mut inflater, &name, bytes, wanted, limit, content);
                    stored.truncate(LARGE);
                    parts.lock().unwrap_or_else(PoisonError::into_inner).push((ordinal, part));
                }
            });
        }
    });
    if let Some(reason) = failed.into_inner().unwrap_or_else(PoisonError::into_inner) {
        return Err(IngestError::Source(reason));
    }
    let mut parts = parts.into_inner().unwrap_or_else(PoisonError::into_inner);
    parts.sort_by_key(|(ordinal, _)| *ordinal);
    let mut all = InvocationLogs::default();
    for (_, part) in parts {
        all.objects += part.objects;
        all.calls += part.calls;
        all.out_of_range += part.out_of_range;
        all.refused.extend(part.refused);
        all.batches.extend(part.batches);
    }
    Ok(all)
}

fn one(
    inflater: &mut Inflater,
    name: &str,
    bytes: Result<Vec<u8>, String>,
    wanted: &Wanted,
    limit: usize,
    content: bool,
) -> InvocationLogs {
    let mut part = InvocationLogs { objects: 1, ..InvocationLogs::default() };
    let found = bytes.and_then(|bytes| {
        invocation::read(inflater, &bytes, name, limit, content).map_err(|error| error.to_string())
    });
    let mut found = match found {
        Ok(found) => found,
        Err(reason) => {
            part.refused.push(format!("{name} refused: {reason}"));
            return part;
        }
    };
    for (line, reason) in found.refused {
        part.refused.push(format!("line {line} of {name} refused: {reason}"));
    }
    if found.foreign > 0 && found.rows.is_empty() {
        part.refused.push(format!("{name} refused: no model-invocation log"));
    }
    let before = found.rows.len();
    found.rows.retain(|row| asked_for(row, wanted));
    part.out_of_range = (before - found.rows.len()) as u64;
    part.calls = found.rows.len() as u64;
    for rows in found.rows.chunks(ROWS) {
        match batch(rows, name) {
            Ok(batch) => part.batches.push(batch),
            Err(error) => part.refused.push(format!("{name} refused: {error}")),
        }
    }
    part
}

fn asked_for(row: &Invocation, wanted: &Wanted) -> bool {
    let among = |list: &[String], shown: Option<&String>| {
        list.is_empty() || shown.is_none_or(|shown| list.contains(shown))
    };
    row.event_time
        .is_none_or(|at| wanted.from.is_none_or(|from| at >= from) && wanted.to.is_none_or(|to| at < to))
        && among(&wanted.accounts, row.account_id.as_ref())
        && among(&wanted.regions, row.aws_region.as_ref())
}

fn batch(rows: &[Invocation], name: &str) -> Result<RecordBatch, ArrowError> {
    let text = |of: fn(&Invocation) -> Option<&String>| -> ArrayRef {
        let mut array = StringViewBuilder::with_capacity(rows.len());
        for row in rows {
            array.append_option(of(row));
        }
        Arc::new(array.finish())
    };
    let number = |of: fn(&Invocation) -> Option<i64>| -> ArrayRef {
        let mut array = Int64Builder::with_capacity(rows.len());
        for row in rows {
            array.append_option(of(row));
        }
        Arc::new(array.finish())
    };
    let mut time = TimestampMicrosecondBuilder::with_capacity(rows.len());
    for row in rows {
        time.append_option(row.event_time);
    }
    let mut object = StringViewBuilder::with_capacity(rows.len()).with_deduplicate_strings();
    for _ in rows {
        object.append_value(name);
    }
    RecordBatch::try_from_iter_with_nullable(
        [
            ("request_id", text(|row| row.request_id.as_ref())),
            ("account_id", text(|row| row.account_id.as_ref())),
            ("aws_region", text(|row| row.aws_region.as_ref())),
            ("event_time", Arc::new(time.finish()) as ArrayRef),
            ("operation", text(|row| row.operation.as_ref())),
            ("model_requested", text(|row| row.model_requested.as_ref())),
            ("model_id", text(|row| row.model_id.as_ref())),
            ("identity_arn", text(|row| row.identity_arn.as_ref())),
            ("inference_region", text(|row| row.inference_region.as_ref())),
            ("error_code", text(|row| row.error_code.as_ref())),
            ("input_tokens", number(|row| row.input_tokens)),
            ("output_tokens", number(|row| row.output_tokens)),
            ("cache_read_tokens", number(|row| row.cache_read_tokens)),
            ("cache_write_tokens", number(|row| row.cache_write_tokens)),
            ("input_content", text(|row| row.input_content.as_ref())),
            ("output_content", text(|row| row.output_content.as_ref())),
            ("log_object", Arc::new(object.finish()) as ArrayRef),
            ("log_index", number(|row| Some(i64::from(row.log_index)))),
        ]
        .map(|(name, array)| (name, array, true)),
    )
}
