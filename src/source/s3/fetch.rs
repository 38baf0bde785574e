//! Objects read many at a time: so many requests wait that decoding, not latency, is the limit, and so few bytes are
//! held that memory does not grow.

use std::collections::BTreeMap;
use std::sync::Arc;

use aws_sdk_s3::operation::get_object::GetObjectOutput;
use tokio::sync::Semaphore;
use tokio::sync::mpsc::{Receiver, Sender};
use tokio::task::JoinSet;

use super::access::Bucket;
use super::error::{Action, S3Error, Target, chain};
use super::page::patiently;
use super::tally::Tally;
use super::url::Url;
use crate::source::feed::{Arrival, Word};
use crate::source::{LogObject, Place};

/// Objects asked for at a time. Of small ones so many are decoded in the time that one request takes; large ones are bounded by
/// the room for their bytes.
pub(super) const AT_ONCE: usize = 256;
/// Bytes held of objects that are not decoded yet.
const ROOM: u32 = 32 << 20;

/// What every fetch needs.
#[derive(Debug)]
pub(super) struct Fetcher {
    pub(super) buckets: BTreeMap<String, Arc<Bucket>>,
    /// Largest stored object that is read, in bytes.
    pub(super) limit: u64,
    pub(super) tally: Arc<Tally>,
}

/// Reads what is listed and puts it into the feed in the order of arrival, until either end is closed.
pub(super) async fn fetch(fetcher: Arc<Fetcher>, mut listed: Receiver<LogObject>, out: Sender<Word>) {
    let room = Arc::new(Semaphore::new(ROOM as usize));
    let mut running = JoinSet::new();
    loop {
        let listed = if running.len() < AT_ONCE { listed.recv().await } else { None };
        match listed {
            Some(object) => {
                let Some(object) = passed_on(object, &out).await else { continue };
                let size = object.size.unwrap_or(1 << 20).min(fetcher.limit).clamp(1, u64::from(ROOM));
                let size = u32::try_from(size).unwrap_or(ROOM);
                // Waiting for room here and not in the task: what waits holds no bytes and is no request.
                let Ok(held) = Arc::clone(&room).acquire_many_owned(size).await else { return };
                let (fetcher, out) = (Arc::clone(&fetcher), out.clone());
                running.spawn(async move {
                    let word = match fetcher.bytes(&object).await {
                        Ok(bytes) => Ok(Box::new(Arrival { object, bytes: Ok(bytes), room: Some(held) })),
                        Err(error) if error.fatal() => Err(error.to_string()),
                        Err(error) => {
                            Ok(Box::new(Arrival { object, bytes: Err(error.to_string()), room: None }))
                        }
                    };
                    out.send(word).await.is_ok()
                });
            }
            None => match running.join_next().await {
                // Nobody listens any more.
                Some(Ok(false)) | None => return,
                Some(_) => {}
            },
        }
    }
}

/// Hands on what cannot be fetched; returns what can.
async fn passed_on(object: LogObject, out: &Sender<Word>) -> Option<LogObject> {
    let Place::Unreachable(reason) = &object.place else { return Some(object) };
    let bytes = Err(reason.clone());
    let _ = out.send(Ok(Box::new(Arrival { object, bytes, room: None }))).await;
    None
}

impl Fetcher {
    async fn bytes(&self, object: &LogObject) -> Result<Vec<u8>, S3Error> {
        let url = Url::parse(&object.name)?;
        let bucket = self.buckets.get(&url.bucket).ok_or_else(|| S3Error::Url(object.name.clone()))?;
        let target = Target::new(&url.bucket, &url.prefix);
        let size = object.size;
        if let Some(size) = size.filter(|size| *size > self.limit) {
            return Err(S3Error::TooLarge { target, size });
        }
        patiently(|| self.once(bucket, &target, &url.prefix, object)).await
    }

    async fn once(
        &self,
        bucket: &Bucket,
        target: &Target,
        key: &str,
        object: &LogObject,
    ) -> Result<Vec<u8>, S3Error> {
        Tally::add(&self.tally.gets, 1);
        let request = bucket
            .client
            .get_object()
            .bucket(&bucket.name)
            .key(key)
            // What is read is what was listed, also if it takes several tries.
            .set_if_match(object.etag.as_ref().map(|etag| format!("\"{etag}\"")))
            .set_request_payer(bucket.payer.clone());
        let answer = request.send().await.map_err(|error| S3Error::of(&error, Action::Get, target))?;
        self.collect(answer, target, object.size).await
    }

    /// The whole body; one that ends early is no body.
    async fn collect(
        &self,
        mut answer: GetObjectOutput,
        target: &Target,
        listed: Option<u64>,
    ) -> Result<Vec<u8>, S3Error> {
        let stated = answer.content_length.and_then(|length| u64::try_from(length).ok());
        let expected = listed.or(stated);
        if let Some(size) = stated.filter(|size| *size > self.limit) {
            return Err(S3Error::TooLarge { target: target.clone(), size });
        }
        let limit = usize::try_from(self.limit).unwrap_or(usize::MAX);
        let room = expected.and_then(|length| usize::try_from(length).ok()).unwrap_or(0);
        let mut bytes = Vec::with_capacity(room.min(limit));
        while let Some(chunk) = answer.body.next().await {
            let broken = |error: &dyn std::error::Error| S3Error::Network {
                target: target.clone(),
                message: format!("the answer broke off: {}", chain(error)),
            };
            bytes.extend_from_slice(&chunk.map_err(|error| broken(&error))?);
            if bytes.len() > limit {
                return Err(S3Error::TooLarge { target: target.clone(), size: bytes.len() as u64 });
            }
        }
        match expected {
            Some(expected) if expected != bytes.len() as u64 => Err(S3Error::Network {
                target: target.clone(),
                message: format!("{} of {expected} bytes came", bytes.len()),
            }),
            _ => Ok(bytes),
        }
    }
}
