//! One page of a listing, asked for until S3 answers.

use std::future::Future;
use std::time::Duration;

use super::access::Bucket;
use super::error::{Action, S3Error, Target};
use super::tally::Tally;

/// Waits between tries of ours, after those of the SDK; the long ones are for S3 asking to slow down.
const WAITS: [Duration; 5] = [
    Duration::from_millis(250),
    Duration::from_secs(1),
    Duration::from_secs(4),
    Duration::from_secs(15),
    Duration::from_secs(30),
];

/// What is no sound answer after waits shorter than this will not be one later.
const LONG: Duration = Duration::from_secs(10);

/// Keys and folders of one answer.
#[derive(Debug, Default)]
pub(super) struct Page {
    pub(super) keys: Vec<Key>,
    /// Folders, each with its `/`; only if a delimiter was asked for.
    pub(super) folders: Vec<String>,
    /// Where to go on, if there is more: a token where folders were asked for, else the last key.
    pub(super) more: Option<String>,
}

/// A key as listed.
#[derive(Debug)]
pub(super) struct Key {
    pub(super) name: String,
    pub(super) size: u64,
    pub(super) etag: Option<Box<str>>,
}

/// Lists `prefix` after `after`: by folder, or all keys.
pub(super) async fn page(
    bucket: &Bucket,
    prefix: &str,
    after: Option<&str>,
    folders: bool,
    tally: &Tally,
) -> Result<Page, S3Error> {
    patiently(|| once(bucket, prefix, after, folders, tally)).await
}

async fn once(
    bucket: &Bucket,
    prefix: &str,
    after: Option<&str>,
    folders: bool,
    tally: &Tally,
) -> Result<Page, S3Error> {
    Tally::add(&tally.lists, 1);
    let request = bucket
        .client
        .list_objects_v2()
        .bucket(&bucket.name)
        .prefix(prefix)
        .set_start_after(after.filter(|_| !folders).map(str::to_owned))
        .set_continuation_token(after.filter(|_| folders).map(str::to_owned))
        .set_delimiter(folders.then(|| "/".to_owned()))
        .set_request_payer(bucket.payer.clone());
    let answer = request
        .send()
        .await
        .map_err(|error| S3Error::of(&error, Action::List, &Target::new(&bucket.name, prefix)))?;
    let mut page = Page::default();
    for folder in answer.common_prefixes.unwrap_or_default() {
        page.folders.extend(folder.prefix);
    }
    for object in answer.contents.unwrap_or_default() {
        let Some(key) = object.key else { continue };
        let etag = object.e_tag.map(|etag| etag.trim_matches('"').into());
        page.keys.push(Key {
            name: key,
            size: object.size.and_then(|size| u64::try_from(size).ok()).unwrap_or(0),
            etag,
        });
    }
    if answer.is_truncated == Some(true) {
        page.more = if folders {
            answer.next_continuation_token
        } else {
            page.keys.last().map(|key| key.name.clone())
        };
    }
    Ok(page)
}

/// Tries again what may pass, with longer and longer waits.
pub(super) async fn patiently<T, F: Future<Output = Result<T, S3Error>>>(
    attempt: impl Fn() -> F,
) -> Result<T, S3Error> {
    for wait in WAITS {
        match attempt().await {
            Err(error) if error.passes() && (wait < LONG || matches!(error, S3Error::Throttled { .. })) => {
                tokio::time::sleep(wait).await;
            }
            done => return done,
        }
    }
    attempt().await
}
