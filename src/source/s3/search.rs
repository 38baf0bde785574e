//! Where in a bucket trails are: the prefixes that hold an `AWSLogs`, found by folder, never by walking.

use std::collections::VecDeque;
use std::sync::Arc;

use tokio::task::JoinSet;

use super::access::Bucket;
use super::error::S3Error;
use super::level::{Level, level};
use super::page::{Key, Page, page};
use super::tally::Tally;
use super::url;
use crate::source::{Extent, Fate, LogObject, Place};

/// How many folders deep `AWSLogs` is looked for.
const DEPTH: usize = 4;
/// How many folders are looked into.
const FOLDERS: usize = 256;
/// How many at a time.
const AT_ONCE: usize = 32;

/// What is listed of a bucket.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// Prefixes to list.
    pub(super) roots: Vec<String>,
    /// A key to read, whatever its name.
    pub(super) key: Option<LogObject>,
    /// What was left out, for people.
    pub(super) notes: Vec<String>,
}

/// Finds what to list for a prefix as given: one key, a folder in a trail, or a folder above trails.
pub(super) async fn search(
    bucket: &Arc<Bucket>,
    given: &str,
    extent: &Extent,
    tally: &Arc<Tally>,
) -> Result<Found, S3Error> {
    let folder = match folder(bucket, given, tally).await? {
        Given::Folder(folder) => folder,
        Given::Prefix(prefix) => return Ok(Found { roots: vec![prefix], ..Found::default() }),
        Given::Key(key) => return Ok(Found { key: Some(*key), ..Found::default() }),
    };
    if level(&folder) != Level::Outside {
        return Ok(Found { roots: vec![folder], ..Found::default() });
    }
    outside(bucket, folder, extent, tally).await
}

enum Given {
    /// A folder, with its `/`, or the whole bucket.
    Folder(String),
    /// The beginning of keys.
    Prefix(String),
    Key(Box<LogObject>),
}

/// `logs` means the key of that name, else the folder `logs/`, else all keys that begin so.
async fn folder(bucket: &Bucket, given: &str, tally: &Tally) -> Result<Given, S3Error> {
    if given.is_empty() || given.ends_with('/') {
        return Ok(Given::Folder(given.to_owned()));
    }
    let object = |size, etag| {
        let name = url::name(&bucket.name, given);
        Given::Key(Box::new(LogObject { name, place: Place::Fed, size, etag }))
    };
    let near = match page(bucket, given, None, true, tally).await {
        // One key can be read without leave to list.
        Err(S3Error::Denied { .. }) if extension(given) => return Ok(object(None, None)),
        near => near?,
    };
    if let Some(key) = near.keys.into_iter().find(|key| key.name == given) {
        return Ok(object(Some(key.size), key.etag));
    }
    let folder = format!("{given}/");
    Ok(if near.folders.contains(&folder) { Given::Folder(folder) } else { Given::Prefix(given.to_owned()) })
}

/// Whether the last part of a key has an ending, as files have.
fn extension(key: &str) -> bool {
    key.rsplit('/').next().is_some_and(|file| file.contains('.'))
}

/// What a search has come to.
struct Search<'a> {
    bucket: &'a str,
    extent: &'a Extent,
    roots: Vec<String>,
    queue: VecDeque<(String, usize)>,
    looked: usize,
    /// Folders not looked into, since they are too deep, too many or closed to us.
    left: usize,
    /// Objects above the trails that would be logs if no trail were found.
    beside: usize,
}

impl Search<'_> {
    fn take(&mut self, page: Page, depth: usize) {
        let read = |key: &Key| self.extent.fate(&url::name(self.bucket, &key.name)) == Fate::Read;
        self.beside += page.keys.iter().filter(|key| read(key)).count();
        self.left += usize::from(page.more.is_some());
        for folder in page.folders {
            match level(&folder) {
                Level::Outside if depth < DEPTH => self.queue.push_back((folder, depth + 1)),
                Level::Outside => self.left += 1,
                _ => self.roots.push(folder),
            }
        }
    }

    fn next(&mut self) -> Option<(String, usize)> {
        if self.looked >= FOLDERS {
            return None;
        }
        let next = self.queue.pop_front()?;
        self.looked += 1;
        Some(next)
    }

    fn found(mut self, given: String) -> Result<Found, S3Error> {
        let left = self.left + self.queue.len();
        let at = url::name(self.bucket, &given);
        let mut notes = Vec::new();
        if self.roots.is_empty() {
            if left > 0 && given.is_empty() {
                return Err(S3Error::NoTrail { bucket: self.bucket.to_owned(), looked: self.looked });
            }
            // No trail: what was given is listed as it is.
            return Ok(Found { roots: vec![given], ..Found::default() });
        }
        if left > 0 {
            notes.push(format!(
                "folders of {at} not searched for trails: {left}; name those that hold one with -s"
            ));
        }
        if self.beside > 0 {
            let beside = self.beside;
            notes.push(format!("objects of {at} outside its trails, not read: {beside}; name them with -s"));
        }
        self.roots.sort();
        Ok(Found { roots: self.roots, key: None, notes })
    }
}

/// Looks for trails below a folder, nearest first.
async fn outside(
    bucket: &Arc<Bucket>,
    given: String,
    extent: &Extent,
    tally: &Arc<Tally>,
) -> Result<Found, S3Error> {
    let top = page(bucket, &given, None, true, tally).await?;
    let mut search = Search {
        bucket: &bucket.name,
        extent,
        roots: Vec::new(),
        queue: VecDeque::new(),
        looked: 1,
        left: 0,
        beside: 0,
    };
    search.take(top, 1);
    let mut running = JoinSet::new();
    loop {
        while running.len() < AT_ONCE
            && let Some((folder, depth)) = search.next()
        {
            let (bucket, tally) = (Arc::clone(bucket), Arc::clone(tally));
            running.spawn(async move { (page(&bucket, &folder, None, true, &tally).await, depth) });
        }
        let Some(done) = running.join_next().await else { break };
        let (answer, depth) = done.map_err(|error| S3Error::Threads(error.to_string()))?;
        match answer {
            Ok(page) => search.take(page, depth),
            Err(error) if error.fatal() => return Err(error),
            // Somebody else's folder.
            Err(_) => search.left += 1,
        }
    }
    search.found(given)
}
