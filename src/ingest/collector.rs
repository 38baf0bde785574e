//! Gathers what the threads hand over, spills rows to Parquet past the memory limit, and settles at the end
//! which rows stay.

use std::fs::File;
use std::path::PathBuf;

use arrow::array::{Array, BooleanArray, RecordBatch, RecordBatchOptions};
use arrow::compute::{filter, filter_record_batch};
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::WriterProperties;

use crate::decode::record::Update;
use crate::ingest::duplicate::{Duplicates, Placed, Verdict};
use crate::ingest::ledger::{Entry, Ledger};
use crate::ingest::update::Superseded;
use crate::ingest::{IngestError, Ingested, Limits, Parcel, Rows};
use crate::source::LogObject;

/// The rows of one batch, in memory or as consecutive rows of a file.
struct Part {
    rows: usize,
    batch: Option<RecordBatch>,
    dropped: Vec<u32>,
}

pub(super) struct Collector {
    folder: PathBuf,
    memory: usize,
    held: usize,
    parts: Vec<Part>,
    /// Each file and the parts whose rows it holds, in order.
    files: Vec<(PathBuf, std::ops::Range<usize>)>,
    duplicates: Duplicates,
    updates: Vec<Update>,
    nearby: Vec<(Vec<u128>, RecordBatch)>,
    entries: Vec<Entry>,
    arrived: Vec<(u32, LogObject)>,
}

impl Collector {
    /// For as many objects as `objects`.
    pub(super) fn new(limits: &Limits, objects: usize) -> Self {
        let mut entries = Vec::new();
        entries.resize_with(objects, Entry::default);
        Self {
            folder: limits.folder.clone(),
            memory: limits.memory,
            held: 0,
            parts: Vec::new(),
            files: Vec::new(),
            duplicates: Duplicates::default(),
            updates: Vec::new(),
            nearby: Vec::new(),
            entries,
            arrived: Vec::new(),
        }
    }

    pub(super) fn take(&mut self, parcel: Parcel) -> Result<(), IngestError> {
        for (object, entry) in parcel.entries {
            let object = object as usize;
            if object >= self.entries.len() {
                self.entries.resize_with(object + 1, Entry::default);
            }
            self.entries[object] = entry;
        }
        self.arrived.extend(parcel.arrived);
        self.updates.extend(parcel.updates);
        self.nearby.extend(parcel.nearby);
        let Some(batch) = parcel.rows else { return Ok(()) };
        let part = u32::try_from(self.parts.len()).map_err(|_| internal("too many batches"))?;
        for (row, key) in (0..).zip(parcel.keys) {
            self.duplicates
                .push(Placed { key, part, row }, &self.folder)
                .map_err(|error| self.broken(&error))?;
        }
        self.held += parcel.bytes;
        self.parts.push(Part { rows: batch.num_rows(), batch: Some(batch), dropped: Vec::new() });
        if self.held > self.memory { self.spill() } else { Ok(()) }
    }

    /// Writes all batches held in memory to one file.
    fn spill(&mut self) -> Result<(), IngestError> {
        let first = self.files.last().map_or(0, |(_, parts)| parts.end);
        let path = self.folder.join(format!("events-{}.parquet", self.files.len()));
        let mut writer = None;
        for part in &mut self.parts[first..] {
            let Some(batch) = part.batch.take() else { continue };
            let writer = match &mut writer {
                Some(writer) => writer,
                none => none.insert(open(&path, &batch)?),
            };
            writer.write(&batch).map_err(|error| internal(&error))?;
        }
        if let Some(writer) = writer {
            writer.close().map_err(|error| self.broken(&error))?;
            self.files.push((path, first..self.parts.len()));
        }
        self.held = 0;
        Ok(())
    }

    /// Drops copies and superseded rows, and returns rows and ledger.
    pub(super) fn finish(mut self, objects: Vec<LogObject>) -> Result<Ingested, IngestError> {
        let (objects, ranks) = ranked(objects, std::mem::take(&mut self.arrived));
        let mut entries = std::mem::take(&mut self.entries);
        if let Some(ranks) = &ranks {
            let mut places: Vec<(u32, Entry)> = ranks.iter().copied().zip(entries).collect();
            places.sort_unstable_by_key(|(rank, _)| *rank);
            entries = places.into_iter().map(|(_, entry)| entry).collect();
        }
        let mut ledger = Ledger::new(objects, entries);
        let parts = &mut self.parts;
        let duplicates = std::mem::take(&mut self.duplicates);
        let superseded = Superseded::by(std::mem::take(&mut self.updates));
        let found = duplicates.finish(&superseded, ranks.as_deref(), |placed, verdict| {
            ledger.settle(placed.key.object, placed.key.kind, verdict);
            if verdict != Verdict::Conflict
                && let Some(part) = parts.get_mut(placed.part as usize)
            {
                part.dropped.push(placed.row);
            }
        });
        found.map_err(|error| self.broken(&error))?;
        let nearby = std::mem::take(&mut self.nearby).into_iter().map(|(ids, batch)| {
            let gone = |(row, id): (u32, &u128)| superseded.has(*id).then_some(row);
            without(batch, &(0..).zip(&ids).filter_map(gone).collect::<Vec<_>>())
        });
        let nearby = nearby.collect::<Result<_, _>>()?;
        if self.files.is_empty() {
            let mut batches = Vec::with_capacity(self.parts.len());
            for part in self.parts {
                let Some(batch) = part.batch else { continue };
                batches.push(without(batch, &part.dropped)?);
            }
            return Ok(Ingested { rows: Rows::Memory(batches), nearby, ledger });
        }
        self.spill()?;
        for (path, range) in &self.files {
            let parts = &self.parts[range.clone()];
            if parts.iter().any(|part| !part.dropped.is_empty()) {
                rewrite(path, parts).map_err(|error| self.broken(&error))?;
            }
        }
        let files = self.files.into_iter().map(|(path, _)| path).collect();
        Ok(Ingested { rows: Rows::Files(files), nearby, ledger })
    }

    fn broken(&self, error: &dyn std::fmt::Display) -> IngestError {
        IngestError::Folder { folder: self.folder.display().to_string(), message: error.to_string() }
    }
}

/// All objects in the order of their names, and each ordinal's place in it, if it is not its own.
fn ranked(objects: Vec<LogObject>, mut arrived: Vec<(u32, LogObject)>) -> (Vec<LogObject>, Option<Vec<u32>>) {
    if arrived.is_empty() {
        return (objects, None);
    }
    arrived.extend((0..).zip(objects));
    arrived.sort_unstable_by(|(_, a), (_, b)| (&a.name, &a.place).cmp(&(&b.name, &b.place)));
    let mut ranks = vec![0; arrived.len()];
    for (rank, (ordinal, _)) in (0..).zip(&arrived) {
        ranks[*ordinal as usize] = rank;
    }
    (arrived.into_iter().map(|(_, object)| object).collect(), Some(ranks))
}

fn internal(error: impl std::fmt::Display) -> IngestError {
    IngestError::Internal(error.to_string())
}

fn open(path: &PathBuf, batch: &RecordBatch) -> Result<ArrowWriter<File>, IngestError> {
    let folder = |error: &dyn std::fmt::Display| IngestError::Folder {
        folder: path.display().to_string(),
        message: error.to_string(),
    };
    let file = File::create(path).map_err(|error| folder(&error))?;
    let level = ZstdLevel::try_new(1).map_err(internal)?;
    let properties = WriterProperties::builder()
        .set_compression(Compression::ZSTD(level))
        .set_max_row_group_row_count(Some(128 * 1024))
        .build();
    ArrowWriter::try_new(file, batch.schema(), Some(properties)).map_err(|error| folder(&error))
}

fn without(batch: RecordBatch, dropped: &[u32]) -> Result<RecordBatch, IngestError> {
    if dropped.is_empty() {
        return Ok(batch);
    }
    let mut keep = vec![true; batch.num_rows()];
    for row in dropped {
        keep[*row as usize] = false;
    }
    let keep = BooleanArray::from(keep);
    let left = keep.true_count();
    // Most columns are those that no query reads: all null, and shared between batches.
    let columns = batch.columns().iter().map(|column| {
        if column.null_count() == column.len() { Ok(column.slice(0, left)) } else { filter(column, &keep) }
    });
    let columns = columns.collect::<Result<_, _>>().map_err(internal)?;
    let options = RecordBatchOptions::new().with_row_count(Some(left));
    RecordBatch::try_new_with_options(batch.schema(), columns, &options).map_err(internal)
}

/// Writes a spilled file anew without the rows its parts dropped.
fn rewrite(path: &PathBuf, parts: &[Part]) -> Result<(), Box<dyn std::error::Error>> {
    let total = parts.iter().map(|part| part.rows).sum();
    let mut keep = vec![true; total];
    let mut base = 0;
    for part in parts {
        part.dropped.iter().for_each(|row| keep[base + *row as usize] = false);
        base += part.rows;
    }
    let aside = path.with_extension("aside");
    let mut writer = None;
    let mut at = 0;
    for batch in ParquetRecordBatchReaderBuilder::try_new(File::open(path)?)?.build()? {
        let batch = batch?;
        let kept = BooleanArray::from(keep[at..at + batch.num_rows()].to_vec());
        at += batch.num_rows();
        let writer = match &mut writer {
            Some(writer) => writer,
            none => none.insert(open(&aside, &batch)?),
        };
        writer.write(&filter_record_batch(&batch, &kept)?)?;
    }
    if let Some(writer) = writer {
        writer.close()?;
        std::fs::rename(&aside, path)?;
    }
    Ok(())
}
