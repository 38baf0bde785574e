//! A store in a bucket.
//!
//! An entry of the log is put with `If-None-Match: *`: S3 lets one run create it. A run that hears that the key is
//! taken reads it back, since a retried request of its own may have been the one that came first. Parts are read
//! through copies in a temporary folder.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{Seek as _, Write as _};
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread::sleep;
use std::time::Duration;

use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::ServerSideEncryption;
use sha2::{Digest, Sha256};
use tempfile::{NamedTempFile, TempDir};

use super::log::Part;
use super::medium::{Hold, Lying, Medium, MediumError};
use crate::clock::{Clock, System};
use crate::source::s3::{Action, Bucket, S3Error, Session, Target, Url};

/// What no commit names is removed only when it is older than this: another run may be about to name it. Until then other
/// readers count what a killed run has left, so it is no longer than a commit needs.
const ABANDONED: Duration = Duration::from_hours(1);
/// How often a write that met another one is tried again.
const ATTEMPTS: u32 = 8;
/// What only the store itself reads.
const OWN: &str = "_bedtrail/";
/// Objects read side by side.
const AT_ONCE: usize = 16;

/// What came of putting an object.
enum Answer {
    Done,
    /// Something lies there, and a condition forbids to replace it.
    Taken,
    Denied(MediumError),
}

/// A bucket and a prefix in it.
pub struct Place {
    bucket: Bucket,
    /// Empty, or with a `/` at its end.
    prefix: String,
    kms_key: Option<String>,
    cache: TempDir,
    cached: Mutex<BTreeSet<String>>,
    // Last: the client works on its threads.
    session: Session,
}

/// Bytes of an object, as they come.
trait Sink {
    /// Begins anew.
    fn clear(&mut self) -> std::io::Result<()>;
    fn push(&mut self, bytes: &[u8]) -> std::io::Result<()>;
}

impl Sink for Vec<u8> {
    fn clear(&mut self) -> std::io::Result<()> {
        self.clear();
        Ok(())
    }

    fn push(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        self.extend_from_slice(bytes);
        Ok(())
    }
}

impl Sink for File {
    fn clear(&mut self) -> std::io::Result<()> {
        self.set_len(0)?;
        self.rewind()
    }

    fn push(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        self.write_all(bytes)
    }
}

impl Place {
    /// A store at `s3://bucket/prefix`. Objects are encrypted under `kms_key` (id, ARN or alias) if one is given, else
    /// as the bucket says. `cache` is the folder for copies.
    pub fn open(
        url: &str,
        session: Session,
        kms_key: Option<String>,
        cache: Option<&std::path::Path>,
    ) -> Result<Self, S3Error> {
        let Url { bucket, prefix } = Url::parse(url)?;
        let bucket = session.block_on(session.bucket(&bucket))?;
        let prefix = prefix.trim_matches('/');
        let prefix = if prefix.is_empty() { String::new() } else { format!("{prefix}/") };
        let cache = match cache {
            Some(folder) => tempfile::tempdir_in(folder),
            None => tempfile::tempdir(),
        };
        let cache = cache.map_err(|error| S3Error::Threads(format!("no temporary folder: {error}")))?;
        Ok(Self { bucket, prefix, kms_key, cache, cached: Mutex::default(), session })
    }

    /// Whether something was collected into a store at `s3://bucket/prefix`; no where we may not look.
    pub fn is_at(url: &str, session: &Session) -> Result<bool, S3Error> {
        let Url { bucket, prefix } = Url::parse(url)?;
        let first = super::log::key(1);
        let prefix = prefix.trim_matches('/');
        let key = if prefix.is_empty() { first } else { format!("{prefix}/{first}") };
        session.block_on(async {
            let bucket = session.bucket(&bucket).await?;
            let request = bucket.client.head_object().bucket(&bucket.name).key(&key);
            match request.set_request_payer(bucket.payer.clone()).send().await {
                Ok(_) => Ok(true),
                Err(error) => {
                    let status = error.raw_response().map(|response| response.status().as_u16());
                    let target = Target::new(&bucket.name, &key);
                    match status {
                        // Also where listing is denied; what is wrong is said when the logs are read.
                        Some(400..500) => Ok(false),
                        _ => Err(S3Error::of(&error, Action::Get, &target)),
                    }
                }
            }
        })
    }

    fn key(&self, key: &str) -> String {
        format!("{}{key}", self.prefix)
    }

    fn failed<E>(&self, what: &'static str, action: Action, key: &str, error: &SdkError<E>) -> MediumError
    where
        E: std::error::Error + ProvideErrorMetadata + 'static,
    {
        let target = Target::new(&self.bucket.name, &self.key(key));
        MediumError::of(what, target.to_string(), &S3Error::of(error, action, &target))
    }

    fn broken(&self, what: &'static str, key: &str, error: &dyn std::fmt::Display) -> MediumError {
        MediumError::of(what, Target::new(&self.bucket.name, &self.key(key)).to_string(), error)
    }

    /// Puts an object; false if it was to be new and is not.
    async fn put(&self, key: &str, body: ByteStream, new: bool) -> Result<bool, MediumError> {
        match self.try_put(key, body, new).await? {
            Answer::Done => Ok(true),
            Answer::Taken if new => Ok(false),
            Answer::Taken => Err(self.broken("write", key, &"S3 says that the key is taken")),
            Answer::Denied(error) => Err(error),
        }
    }

    async fn try_put(&self, key: &str, body: ByteStream, new: bool) -> Result<Answer, MediumError> {
        let mut request =
            self.bucket.client.put_object().bucket(&self.bucket.name).key(self.key(key)).body(body);
        if new {
            request = request.if_none_match("*");
        }
        if let Some(kms_key) = &self.kms_key {
            request = request.server_side_encryption(ServerSideEncryption::AwsKms).ssekms_key_id(kms_key);
        }
        match request.set_request_payer(self.bucket.payer.clone()).send().await {
            Ok(_) => Ok(Answer::Done),
            Err(error) => match error.raw_response().map(|response| response.status().as_u16()) {
                Some(409 | 412) => Ok(Answer::Taken),
                Some(403) => Ok(Answer::Denied(self.failed("write", Action::Put, key, &error))),
                _ => Err(self.failed("write", Action::Put, key, &error)),
            },
        }
    }

    /// Reads an object into a sink; false if there is no such key.
    async fn get(&self, key: &str, sink: &mut impl Sink) -> Result<bool, MediumError> {
        let request = self.bucket.client.get_object().bucket(&self.bucket.name).key(self.key(key));
        let mut again = 0;
        loop {
            let mut answer = match request.clone().set_request_payer(self.bucket.payer.clone()).send().await {
                Ok(answer) => answer,
                Err(error) if error.code() == Some("NoSuchKey") => return Ok(false),
                Err(error) => return Err(self.failed("read", Action::Get, key, &error)),
            };
            let kept = |error: std::io::Error| self.broken("keep a copy of", key, &error);
            sink.clear().map_err(kept)?;
            let broken = loop {
                match answer.body.next().await {
                    None => return Ok(true),
                    Some(Ok(bytes)) => sink.push(&bytes).map_err(kept)?,
                    Some(Err(error)) => break error,
                }
            };
            // A body that breaks off is no matter of the SDK's retries any more.
            if again == ATTEMPTS {
                return Err(self.broken("read", key, &broken));
            }
            again += 1;
        }
    }

    /// The local copy of an object, whether there is one or not.
    fn copy(&self, key: &str) -> PathBuf {
        self.cache.path().join(format!("{:x}.parquet", Sha256::digest(key)))
    }

    fn cached(&self) -> MutexGuard<'_, BTreeSet<String>> {
        self.cached.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Forgets the local copy of an object that is another one now, or none.
    fn forget(&self, key: &str) {
        if self.cached().remove(key) {
            let _ = std::fs::remove_file(self.copy(key));
        }
    }

    /// What lies below a prefix.
    async fn listed(&self, prefix: &str, after: Option<&str>) -> Result<Vec<Lying>, MediumError> {
        let age = i64::try_from(ABANDONED.as_micros()).unwrap_or(i64::MAX);
        let before = System.now_micros() - age;
        let mut keys = Vec::new();
        let mut next = None;
        loop {
            let page = self
                .bucket
                .client
                .list_objects_v2()
                .bucket(&self.bucket.name)
                .prefix(self.key(prefix))
                .set_start_after(after.map(|after| self.key(after)))
                .set_continuation_token(next)
                .set_request_payer(self.bucket.payer.clone())
                .send()
                .await
                .map_err(|error| self.failed("list", Action::List, prefix, &error))?;
            for object in page.contents() {
                let Some(key) = object.key().and_then(|key| key.strip_prefix(&self.prefix)) else { continue };
                let changed =
                    object.last_modified().map_or(i64::MAX, |time| time.secs().saturating_mul(1_000_000));
                let bytes = object.size().and_then(|size| u64::try_from(size).ok()).unwrap_or(0);
                keys.push(Lying { key: key.to_owned(), bytes, settled: changed < before });
            }
            next = page.next_continuation_token().map(str::to_owned);
            if next.is_none() {
                keys.sort_unstable_by(|a, b| a.key.cmp(&b.key));
                return Ok(keys);
            }
        }
    }
}

/// Does something with each of these side by side, since each waits for S3.
fn each<T: Sync>(all: &[T], work: impl Fn(&T) + Sync) {
    let next = AtomicUsize::new(0);
    let work = || {
        while let Some(one) = all.get(next.fetch_add(1, Ordering::Relaxed)) {
            work(one);
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE.min(all.len()) {
            scope.spawn(work);
        }
    });
}

impl Medium for Place {
    fn name(&self) -> String {
        format!("s3://{}/{}", self.bucket.name, self.prefix.trim_end_matches('/'))
    }

    fn address(&self, key: &str) -> String {
        format!("s3://{}/{}", self.bucket.name, self.key(key))
    }

    fn draft(&self) -> Result<NamedTempFile, MediumError> {
        NamedTempFile::new_in(self.cache.path())
            .map_err(|error| MediumError::of("write into", self.cache.path().display().to_string(), &error))
    }

    fn place(&self, draft: NamedTempFile, key: &str) -> Result<u64, MediumError> {
        let bytes = draft.as_file().metadata().map_err(|error| self.broken("write", key, &error))?.len();
        self.session.block_on(async {
            let body = ByteStream::from_path(draft.path())
                .await
                .map_err(|error| self.broken("write", key, &error))?;
            self.put(key, body, false).await
        })?;
        self.forget(key);
        // The ledger and the keys are read again for the next commit; rows of events seldom are.
        if key.starts_with(OWN) && draft.persist(self.copy(key)).is_ok() {
            self.cached().insert(key.to_owned());
        }
        Ok(bytes)
    }

    fn create(&self, key: &str, bytes: &[u8]) -> Result<bool, MediumError> {
        for attempt in 0..ATTEMPTS {
            let body = ByteStream::from(bytes.to_vec());
            if self.session.block_on(self.put(key, body, true))? {
                return Ok(true);
            }
            let mut there = Vec::new();
            if self.session.block_on(self.get(key, &mut there))? {
                // A retry of our own request met the first: the entry tells whose it is.
                return Ok(there == bytes);
            }
            // 409: another write was under way and did not come to anything.
            sleep(Duration::from_millis(100 << attempt));
        }
        Err(self.broken("create", key, &"S3 answers again and again that the key is being written"))
    }

    fn read(&self, keys: &[String]) -> Result<Vec<Vec<u8>>, MediumError> {
        let found: Vec<OnceLock<Result<Vec<u8>, MediumError>>> =
            keys.iter().map(|_| OnceLock::new()).collect();
        let pairs: Vec<_> = keys.iter().zip(&found).collect();
        each(&pairs, |(key, found)| {
            let mut bytes = Vec::new();
            let read = match self.session.block_on(self.get(key, &mut bytes)) {
                Ok(false) => Err(self.broken("read", key, &"there is no such object")),
                Ok(true) => Ok(bytes),
                Err(error) => Err(error),
            };
            let _ = found.set(read);
        });
        let lost = |key: &str| self.broken("read", key, &"it was not asked for");
        let each = found.into_iter().zip(keys);
        each.map(|(found, key)| found.into_inner().unwrap_or_else(|| Err(lost(key)))).collect()
    }

    fn path(&self, key: &str) -> Result<PathBuf, MediumError> {
        let path = self.copy(key);
        if self.cached().contains(key) {
            return Ok(path);
        }
        // Under a name of its own until it is whole.
        let mut draft = self.draft()?;
        if !self.session.block_on(self.get(key, draft.as_file_mut()))? {
            return Err(self.broken("read", key, &"there is no such object"));
        }
        draft
            .persist(&path)
            .map_err(|error| MediumError::of("write", path.display().to_string(), &error.error))?;
        self.cached().insert(key.to_owned());
        Ok(path)
    }

    fn expect(&self, parts: &[&Part]) {
        let lacking: Vec<&&Part> = parts.iter().filter(|part| !self.cached().contains(&part.key)).collect();
        each(&lacking, |part| drop(self.path(&part.key)));
    }

    fn list(&self, prefix: &str, after: Option<&str>) -> Result<Vec<String>, MediumError> {
        let keys = self.session.block_on(self.listed(prefix, after))?;
        Ok(keys.into_iter().map(|lying| lying.key).collect())
    }

    fn lying(&self, prefix: &str) -> Result<Vec<Lying>, MediumError> {
        self.session.block_on(self.listed(prefix, None))
    }

    fn grace(&self) -> Option<Duration> {
        Some(ABANDONED)
    }

    fn delete(&self, key: &str) -> Result<bool, MediumError> {
        self.forget(key);
        let request = self.bucket.client.delete_object().bucket(&self.bucket.name).key(self.key(key));
        let answer = self.session.block_on(request.set_request_payer(self.bucket.payer.clone()).send());
        match answer {
            Ok(_) => Ok(true),
            Err(error) => match self.failed("remove", Action::Delete, key, &error) {
                _ if error.raw_response().is_some_and(|response| response.status().as_u16() == 403) => {
                    Ok(false)
                }
                failed => Err(failed),
            },
        }
    }

    fn overwrite(&self, draft: NamedTempFile, key: &str) -> Result<bool, MediumError> {
        self.forget(key);
        self.session.block_on(async {
            let body = ByteStream::from_path(draft.path())
                .await
                .map_err(|error| self.broken("write", key, &error))?;
            self.try_put(key, body, false).await.map(|answer| matches!(answer, Answer::Done))
        })
    }

    fn hold(&self, _: Duration, _: &dyn Fn()) -> Result<Hold, MediumError> {
        // Only the log keeps runs apart here; what is removed as abandoned is old enough to be nobody's.
        Ok(Hold { _lock: None, alone: true })
    }
}
