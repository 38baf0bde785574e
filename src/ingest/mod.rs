//! ② Objects to tables: read concurrently, decoded, counted once, written into a ledger, bounded in memory.

mod collector;
mod duplicate;
pub mod invocation;
pub mod ledger;
mod queue;
pub mod store;
mod update;

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};

use arrow::array::RecordBatch;

use crate::decode::inflate::InflateError;
use crate::decode::record::{DecodeError, Decoder, Key, Origin, Outcome, Shared, Update};
use crate::event::builder::{EventBuilder, FieldSet};
use crate::source::feed::{Arrival, Feed};
use crate::source::{Layout, LogObject, api, local};
use collector::Collector;
use ledger::{Entry, Ledger};
use queue::{Queue, Task};

/// Objects that inflate to more than this are decoded one at a time, whatever the number of threads.
const LARGE: usize = 32 << 20;
/// Rows and bytes at which a thread hands its rows over.
const BATCH_ROWS: usize = 8192;
const BATCH_BYTES: usize = 8 << 20;

/// What ingestion may use.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Largest inflated object, in bytes.
    pub object: usize,
    /// Rows kept in memory before they go to a file, in bytes.
    pub memory: usize,
    /// Threads that read and decode.
    pub threads: usize,
    /// Folder for rows that do not fit into memory; it outlives the returned tables and is the caller's to delete.
    pub folder: PathBuf,
    /// Whether each object's SHA-256 is taken.
    pub hash: bool,
}

/// How far a run is; read while it goes on.
#[derive(Debug, Default)]
pub struct Progress {
    /// Objects read so far.
    pub objects: AtomicU64,
    /// Stored bytes read so far.
    pub bytes: AtomicU64,
    /// Set to end the run early; what was read until then is returned.
    pub cancelled: AtomicBool,
}

/// Where the rows of `events` are.
#[derive(Debug)]
pub enum Rows {
    /// All in memory.
    Memory(Vec<RecordBatch>),
    /// In Parquet files, since they were too many.
    Files(Vec<PathBuf>),
}

/// What ingestion yields.
#[derive(Debug)]
pub struct Ingested {
    /// The rows of `events`.
    pub rows: Rows,
    /// Service events just outside the time asked for, which may tell of calls within: see [`NEARBY`](crate::decode::record::NEARBY).
    pub nearby: Vec<RecordBatch>,
    /// The rows of `objects`.
    pub ledger: Ledger,
}

/// Why ingestion as a whole failed. A bad object or record never is a reason.
#[derive(Debug, thiserror::Error)]
pub enum IngestError {
    /// The temporary folder cannot be written or read.
    #[error("cannot use the temporary folder {folder}: {message}; choose another with --temp-dir")]
    Folder {
        /// Which folder.
        folder: String,
        /// What the system said.
        message: String,
    },
    /// A source cannot go on.
    #[error("{0}")]
    Source(String),
    /// A bug of ours.
    #[error("internal error: {0}")]
    Internal(String),
}

/// Reads all objects, and those that `feed` brings, and returns the tables made of them. Which of two copies stays
/// depends on the objects' names only, never on what arrived first.
///
/// `wanted` are the columns to build: every one until it is set, so that reading need not wait for it.
pub fn ingest(
    objects: Vec<LogObject>,
    feed: Option<&Feed>,
    wanted: &OnceLock<FieldSet>,
    shared: &Shared<'_>,
    limits: &Limits,
    progress: &Progress,
) -> Result<Ingested, IngestError> {
    let collector = Mutex::new(Collector::new(limits, objects.len()));
    let take = |parcel| {
        collector.lock().unwrap_or_else(PoisonError::into_inner).take(parcel)?;
        Ok(true)
    };
    read(&objects, feed, wanted, shared, limits, progress, &take)?;
    collector.into_inner().unwrap_or_else(PoisonError::into_inner).finish(objects)
}

/// How far reading came.
struct Done {
    /// Objects of the listing that were read: the first so many.
    local: usize,
    /// Whether there is no more, in the listing and in the feed.
    all: bool,
}

/// Reads objects in their order, and those that `feed` brings, and hands over what they hold, until there are no more
/// or `take` answers that it has enough. What was begun is handed over whole.
fn read(
    objects: &[LogObject],
    feed: Option<&Feed>,
    wanted: &OnceLock<FieldSet>,
    shared: &Shared<'_>,
    limits: &Limits,
    progress: &Progress,
    take: &(dyn Fn(Parcel) -> Result<bool, IngestError> + Sync),
) -> Result<Done, IngestError> {
    let queue = Queue::new(objects, feed);
    let large = Mutex::new(());
    let stop = AtomicBool::new(false);
    let all = AtomicBool::new(false);
    let failed: Mutex<Option<IngestError>> = Mutex::new(None);
    let fail = |error: IngestError| {
        stop.store(true, Ordering::Relaxed);
        queue.close();
        failed.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
    };
    let hand_over = |worker: &mut Worker<'_>| match worker.hand_over(take) {
        Ok(more) => {
            stop.fetch_or(!more, Ordering::Relaxed);
        }
        Err(error) => fail(error),
    };
    let threads = if feed.is_some() { limits.threads } else { limits.threads.min(objects.len()) };
    std::thread::scope(|scope| {
        for _ in 0..threads.max(1) {
            scope.spawn(|| {
                let mut worker = Worker::new(shared, wanted, limits, &large);
                while !stop.load(Ordering::Relaxed) && !progress.cancelled.load(Ordering::Relaxed) {
                    let bytes = match queue.take() {
                        Ok(Some((Task::Local(object), ordinal))) => worker.file(object, ordinal),
                        Ok(Some((Task::Fed(arrival), ordinal))) => worker.arrival(*arrival, ordinal),
                        Ok(None) => {
                            all.store(true, Ordering::Relaxed);
                            break;
                        }
                        Err(reason) => return fail(IngestError::Source(reason)),
                    };
                    progress.objects.fetch_add(1, Ordering::Relaxed);
                    progress.bytes.fetch_add(bytes, Ordering::Relaxed);
                    if worker.full() {
                        hand_over(&mut worker);
                    }
                }
                hand_over(&mut worker);
            });
        }
    });
    match failed.into_inner().unwrap_or_else(PoisonError::into_inner) {
        Some(error) => Err(error),
        None => Ok(Done { local: queue.handed_out(), all: all.into_inner() }),
    }
}

/// One thread's decoder and the rows it has not handed over yet.
struct Worker<'s> {
    decoder: Decoder<'s>,
    limits: &'s Limits,
    large: &'s Mutex<()>,
    wanted: &'s OnceLock<FieldSet>,
    /// Whether `rows` are of the columns wanted, not of all.
    settled: bool,
    rows: EventBuilder,
    keys: Vec<Key>,
    entries: Vec<(u32, Entry)>,
    arrived: Vec<(u32, LogObject)>,
    updates: Vec<Update>,
    stored: Vec<u8>,
}

/// What a thread hands over.
struct Parcel {
    rows: Option<RecordBatch>,
    /// Memory the rows take, about.
    bytes: usize,
    keys: Vec<Key>,
    entries: Vec<(u32, Entry)>,
    /// Objects that were not in the listing.
    arrived: Vec<(u32, LogObject)>,
    updates: Vec<Update>,
    /// Service events just outside the time asked for, with their ids.
    nearby: Option<(Vec<u128>, RecordBatch)>,
}

impl<'s> Worker<'s> {
    fn new(
        shared: &Shared<'s>,
        wanted: &'s OnceLock<FieldSet>,
        limits: &'s Limits,
        large: &'s Mutex<()>,
    ) -> Self {
        Self {
            decoder: Decoder::new(shared),
            limits,
            large,
            wanted,
            settled: wanted.get().is_some(),
            rows: EventBuilder::new(wanted.get().unwrap_or(&FieldSet::all())),
            keys: Vec::new(),
            entries: Vec::new(),
            arrived: Vec::new(),
            updates: Vec::new(),
            stored: Vec::new(),
        }
    }

    /// Reads and decodes one file; returns its stored size.
    fn file(&mut self, object: &LogObject, ordinal: usize) -> u64 {
        let mut stored = std::mem::take(&mut self.stored);
        let read = local::read(object, self.limits.object, &mut stored);
        let size = self.object(&object.name, ordinal, read.map(|length| &stored[..length]));
        stored.truncate(LARGE);
        self.stored = stored;
        size
    }

    /// Decodes an object that came with its bytes; returns its stored size.
    fn arrival(&mut self, arrival: Arrival, ordinal: usize) -> u64 {
        let Arrival { object, bytes, room } = arrival;
        let size = self.object(&object.name, ordinal, bytes.as_deref().map_err(Clone::clone));
        drop((bytes, room));
        self.arrived.push((u32::try_from(ordinal).unwrap_or(u32::MAX), object));
        size
    }

    fn object(&mut self, name: &str, ordinal: usize, stored: Result<&[u8], String>) -> u64 {
        let ordinal = u32::try_from(ordinal).unwrap_or(u32::MAX);
        let length = stored.as_ref().map_or(0, |bytes| bytes.len() as u64);
        let entry = match stored {
            Err(reason) => Entry::refused(0, None, reason, false),
            Ok(bytes) => {
                let sha256 = (self.limits.hash && length > 0).then(|| ledger::sha256(bytes));
                let origin = Origin { name, ordinal, delivered_at: Layout::of(name).delivered_at };
                let had = self.keys.len();
                match self.decode(bytes, origin) {
                    Ok(mut outcome) => {
                        if api::rebuilt(name) {
                            self.keys[had..].iter_mut().for_each(|key| key.content = duplicate::REBUILT);
                        }
                        self.updates.append(&mut outcome.updates);
                        Entry::read(length, sha256, outcome)
                    }
                    Err(error) => Entry::refused(length, sha256, error.to_string(), error.foreign()),
                }
            }
        };
        self.entries.push((ordinal, entry));
        length
    }

    fn decode(&mut self, bytes: &[u8], origin: Origin<'_>) -> Result<Outcome, DecodeError> {
        let small = LARGE.min(self.limits.object);
        let first = self.decoder.object(bytes, origin, small, &mut self.rows, &mut self.keys);
        match first {
            Err(DecodeError::Inflate(InflateError::TooLarge { .. })) if small < self.limits.object => {
                let _alone = self.large.lock().unwrap_or_else(PoisonError::into_inner);
                let again =
                    self.decoder.object(bytes, origin, self.limits.object, &mut self.rows, &mut self.keys);
                self.decoder.shrink(LARGE);
                again
            }
            first => first,
        }
    }

    fn full(&self) -> bool {
        self.settled != self.wanted.get().is_some()
            || self.keys.len() >= BATCH_ROWS
            || self.entries.len() >= BATCH_ROWS
            || self.rows.bytes() >= BATCH_BYTES
    }

    fn hand_over(&mut self, take: &dyn Fn(Parcel) -> Result<bool, IngestError>) -> Result<bool, IngestError> {
        let bytes = self.rows.bytes();
        let settled = self.wanted.get();
        let rows = if self.keys.is_empty() && self.settled == settled.is_some() {
            None
        } else {
            let next = EventBuilder::new(settled.unwrap_or(&FieldSet::all()));
            self.settled = settled.is_some();
            let full = std::mem::replace(&mut self.rows, next);
            Some(full.finish().map_err(|error| IngestError::Internal(error.to_string()))?)
                .filter(|rows| rows.num_rows() > 0)
        };
        let parcel = Parcel {
            rows,
            bytes,
            keys: std::mem::take(&mut self.keys),
            entries: std::mem::take(&mut self.entries),
            arrived: std::mem::take(&mut self.arrived),
            updates: std::mem::take(&mut self.updates),
            nearby: self.decoder.nearby().map_err(|error| IngestError::Internal(error.to_string()))?,
        };
        take(parcel)
    }
}
