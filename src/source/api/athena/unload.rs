//! Rows of a query as Parquet files that Athena writes to S3 (`UNLOAD`): many at a time, where pages hold a thousand rows.
//!
//! Source: <https://docs.aws.amazon.com/athena/latest/ug/unload.html>. The files are named in a manifest, which is there for a
//! query without rows, too.

use std::fs::File;
use std::io::{Seek as _, Write as _};

use arrow::array::{Array as _, AsArray, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::DataType;
use parquet::arrow::arrow_reader::{ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder};

use super::Service;
use crate::clock::{self, Clock as _};
use crate::source::api::{ApiError, quoted};
use crate::source::s3::{Action, S3Error, Session, Target, Url, url};

/// The folder of all runs below a workgroup's output location.
const FOLDER: &str = "bedtrail-run";
/// How often a file is asked for whose answer breaks off.
const TRIES: usize = 3;

/// Where files may be written.
#[derive(Debug)]
pub(super) struct Unload {
    session: Session,
    below: Url,
}

impl Unload {
    /// Below the place where the workgroup keeps results, or the one given; none where no place is known.
    pub(super) async fn find(session: &Session, service: &Service, target: &str) -> Option<Self> {
        let given = service.output().map(str::to_owned);
        let output = match service.workgroup(target).await {
            Ok(group) if group.enforced => group.output,
            Ok(group) => given.or(group.output),
            // It may be asked of by others only.
            Err(_) => given,
        };
        let place = Url::parse(&output?).ok()?;
        let prefix = place.prefix.trim_end_matches('/');
        let slash = if prefix.is_empty() { "" } else { "/" };
        // Two runs at the same time have folders of their own, and a folder must be empty.
        let run = format!("{:x}_{}", clock::System.now_micros(), std::process::id());
        let below = Url { bucket: place.bucket, prefix: format!("{prefix}{slash}{FOLDER}/{run}/") };
        Some(Self { session: session.clone(), below })
    }

    /// Where a part's files go.
    pub(super) fn place(&self, part: &str) -> Url {
        let plain = |letter: char| if letter.is_ascii_alphanumeric() { letter } else { '-' };
        let part: String = part.chars().map(plain).collect();
        Url { bucket: self.below.bucket.clone(), prefix: format!("{}{part}/", self.below.prefix) }
    }

    /// What writes the rows of a SELECT.
    pub(super) fn statement(select: &str, place: &Url) -> String {
        let place = quoted(&url::name(&place.bucket, &place.prefix));
        format!("UNLOAD ({select}) TO {place} WITH (format = 'PARQUET', compression = 'ZSTD')")
    }

    /// The files that a manifest names.
    pub(super) async fn files(&self, manifest: &str) -> Result<Vec<Url>, S3Error> {
        let url = Url::parse(manifest)?;
        let text = std::io::read_to_string(self.fetch(&url).await?);
        let unread = |error: std::io::Error| S3Error::Network {
            target: Target::new(&url.bucket, &url.prefix),
            message: format!("it is no text: {error}"),
        };
        text.map_err(unread)?.lines().map(str::trim).filter(|line| !line.is_empty()).map(Url::parse).collect()
    }

    /// The rows of a file; every value is made text.
    pub(super) async fn rows(&self, file: &Url, columns: usize) -> Result<Rows, ApiError> {
        let name = url::name(&file.bucket, &file.prefix);
        let file = self.fetch(file).await.map_err(|error| failed(&name, &error))?;
        let reader =
            ParquetRecordBatchReaderBuilder::try_new(file).and_then(ParquetRecordBatchReaderBuilder::build);
        Ok(Rows { reader: reader.map_err(|error| failed(&name, &error))?, name, columns })
    }

    /// Takes the files of a part away.
    pub(super) async fn empty(&self, place: &Url) -> Result<(), S3Error> {
        self.session.empty(place).await
    }

    /// An object as a file that is nobody else's; tried anew where the answer breaks off.
    async fn fetch(&self, url: &Url) -> Result<File, S3Error> {
        let mut tries = 1..TRIES;
        loop {
            match self.fetch_once(url).await {
                Err(error @ S3Error::Network { .. }) if tries.next().is_none() => return Err(error),
                Err(S3Error::Network { .. }) => {}
                done => return done,
            }
        }
    }

    async fn fetch_once(&self, url: &Url) -> Result<File, S3Error> {
        let target = Target::new(&url.bucket, &url.prefix);
        let bucket = self.session.bucket(&url.bucket).await?;
        let request = bucket.client.get_object().bucket(&url.bucket).key(&url.prefix);
        let answer = request.set_request_payer(bucket.payer.clone()).send().await;
        let mut body = answer.map_err(|error| S3Error::of(&error, Action::Get, &target))?.body;
        let broken = |error: &dyn std::fmt::Display| S3Error::Network {
            target: target.clone(),
            message: format!("the answer broke off: {error}"),
        };
        let mut file = tempfile::tempfile().map_err(|error| broken(&error))?;
        while let Some(chunk) = body.try_next().await.map_err(|error| broken(&error))? {
            file.write_all(&chunk).map_err(|error| broken(&error))?;
        }
        file.rewind().map_err(|error| broken(&error))?;
        Ok(file)
    }
}

/// The rows of one file.
#[derive(Debug)]
pub(super) struct Rows {
    reader: ParquetRecordBatchReader,
    name: String,
    columns: usize,
}

impl Rows {
    /// The next rows, by columns of texts.
    pub(super) fn next(&mut self) -> Result<Option<Texts>, ApiError> {
        let Some(batch) = self.reader.next() else { return Ok(None) };
        let texts = batch.and_then(|batch| Texts::of(&batch)).map_err(|error| failed(&self.name, &error))?;
        if texts.0.num_columns() != self.columns {
            let found = texts.0.num_columns();
            return Err(failed(
                &self.name,
                &format!("it has {found} columns where {} were asked for", self.columns),
            ));
        }
        Ok(Some(texts))
    }
}

/// Rows whose values are all texts.
pub(super) struct Texts(RecordBatch);

impl Texts {
    fn of(batch: &RecordBatch) -> Result<Self, arrow::error::ArrowError> {
        let columns = batch.columns().iter().map(|column| cast(column, &DataType::Utf8));
        let columns = columns.collect::<Result<Vec<_>, _>>()?;
        let named = batch.schema().fields().iter().map(|field| field.name().clone()).collect::<Vec<_>>();
        RecordBatch::try_from_iter_with_nullable(
            named.into_iter().zip(columns).map(|(name, column)| (name, column, true)),
        )
        .map(Self)
    }

    /// The rows, one after the other.
    pub(super) fn each(&self) -> impl Iterator<Item = Vec<Option<&str>>> {
        let columns: Vec<_> = self.0.columns().iter().map(AsArray::as_string::<i32>).collect();
        let cell = |column: &&'_ arrow::array::StringArray, row: usize| column.is_valid(row).then_some(row);
        (0..self.0.num_rows()).map(move |row| {
            columns.iter().map(|column| cell(column, row).map(|row| column.value(row))).collect()
        })
    }
}

fn failed(name: &str, error: &dyn std::fmt::Display) -> ApiError {
    ApiError::failed(name, "UNLOAD", &error.to_string())
}
