//! Buckets: `s3://bucket/prefix`, listed as far as the window needs, read many objects at a time.
//!
//! ```text
//! search ──roots──▶ listing ──LogObject──▶ (filter) ──▶ fetch ──Arrival──▶ Feed ──▶ decoding threads
//! ```
//! Every arrow is a bounded channel: a bucket of any size takes the memory of a few pages and of the objects in flight.

pub mod access;
pub mod error;
mod fetch;
mod level;
mod listing;
mod page;
mod prefix;
mod search;
mod tally;
pub mod url;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::task::JoinHandle;

pub use access::{Access, Bucket, Session};
pub use error::{Action, S3Error, Target};
pub use tally::Tally;
pub use url::Url;

use crate::source::feed::{Feed, Word};
use crate::source::{Extent, LogObject, Place};
use fetch::Fetcher;
use listing::{Plan, Step};

/// Objects listed ahead of being fetched.
const AHEAD: usize = 4096;

/// Buckets that were found, and what is to be listed of them. Nothing is read yet.
#[derive(Debug)]
pub struct Buckets {
    found: BTreeMap<String, Arc<Bucket>>,
    steps: Vec<Step>,
    keys: Vec<LogObject>,
    plan: Plan,
    /// What was left out, for people.
    pub notes: Vec<String>,
}

impl Buckets {
    /// Finds the buckets of `sources` (`s3://…`) and what to list in them.
    /// `now` (microseconds UTC) only tells until when days can exist.
    pub fn find(session: &Session, sources: &[String], extent: Extent, now: i64) -> Result<Self, S3Error> {
        session.block_on(Self::found(session, sources, extent, now))
    }

    async fn found(session: &Session, sources: &[String], extent: Extent, now: i64) -> Result<Self, S3Error> {
        let tally = Arc::new(Tally::default());
        let mut buckets: BTreeMap<String, Arc<Bucket>> = BTreeMap::new();
        let (mut roots, mut keys, mut notes) = (BTreeSet::new(), BTreeMap::new(), Vec::new());
        for source in sources {
            let url = Url::parse(source)?;
            let bucket = match buckets.get(&url.bucket) {
                Some(bucket) => Arc::clone(bucket),
                None => Arc::new(session.bucket(&url.bucket).await?),
            };
            buckets.insert(url.bucket.clone(), Arc::clone(&bucket));
            let found = search::search(&bucket, &url.prefix, &extent, &tally).await?;
            roots.extend(found.roots.into_iter().map(|root| (url.bucket.clone(), root)));
            keys.extend(found.key.map(|key| (key.name.clone(), key)));
            notes.extend(found.notes);
        }
        let named = keys.keys().cloned().collect();
        let plan = Plan { extent, now, tally, named };
        let steps = outermost(roots)
            .into_iter()
            .filter_map(|(bucket, root)| Some(Step::given(buckets.get(&bucket)?, root)))
            .collect();
        Ok(Self { found: buckets, steps, keys: keys.into_values().collect(), plan, notes })
    }

    /// What the listing has come to, while it goes on.
    pub fn tally(&self) -> Arc<Tally> {
        Arc::clone(&self.plan.tally)
    }

    /// Lists without reading: every object that would be read, in no order. A prefix that cannot be listed comes as
    /// [`Place::Unreachable`].
    pub fn list(self, session: &Session) -> Listed {
        let (out, objects) = channel(AHEAD);
        let done = session.handle().spawn(self.listed(out));
        Listed { objects, done }
    }

    /// Lists and reads. `wanted` says which listed objects are read; stored objects above `limit` bytes are refused.
    /// The feed is filled by the session's threads: keep the session until the feed has ended.
    pub fn feed(
        self,
        session: &Session,
        limit: usize,
        wanted: impl Fn(&LogObject) -> bool + Send + Sync + 'static,
    ) -> Feed {
        let fetcher =
            Arc::new(Fetcher { buckets: self.found.clone(), limit: limit as u64, tally: self.tally() });
        let (words, feed) = Feed::new(fetch::AT_ONCE);
        let (listed, chosen, tally) = (channel(AHEAD), channel(fetch::AT_ONCE), self.tally());
        session.handle().spawn(choose(listed.1, chosen.0, tally, wanted));
        session.handle().spawn(fetch::fetch(fetcher, chosen.1, words.clone()));
        let listing = self.listed(listed.0);
        session.handle().spawn(async move {
            if let Err(error) = listing.await {
                let word: Word = Err(error.to_string());
                let _ = words.send(word).await;
            }
        });
        feed
    }

    /// What reads listed objects of these buckets; stored objects above `limit` bytes are refused.
    pub fn reader(&self, session: &Session, limit: usize) -> Reader {
        let fetcher = Fetcher { buckets: self.found.clone(), limit: limit as u64, tally: self.tally() };
        Reader { fetcher: Arc::new(fetcher), handle: session.handle().clone() }
    }

    async fn listed(self, out: Sender<LogObject>) -> Result<(), S3Error> {
        for key in self.keys {
            let _ = out.send(key).await;
        }
        listing::list(Arc::new(self.plan), self.steps, out).await
    }
}

/// Passes on and counts what is wanted.
async fn choose(
    mut listed: Receiver<LogObject>,
    chosen: Sender<LogObject>,
    tally: Arc<Tally>,
    wanted: impl Fn(&LogObject) -> bool,
) {
    while let Some(object) = listed.recv().await {
        // What cannot be listed is told of, whatever is wanted.
        if matches!(object.place, Place::Unreachable(_)) || wanted(&object) {
            Tally::add(&tally.objects, 1);
            Tally::add(&tally.bytes, object.size.unwrap_or(0));
            if chosen.send(object).await.is_err() {
                return;
            }
        }
    }
}

/// Reads objects that were listed before.
#[derive(Debug)]
pub struct Reader {
    fetcher: Arc<Fetcher>,
    handle: tokio::runtime::Handle,
}

impl Reader {
    /// Reads these, many at a time.
    pub fn read(&self, objects: Vec<LogObject>) -> Feed {
        let (words, feed) = Feed::new(fetch::AT_ONCE);
        let (out, chosen) = channel(fetch::AT_ONCE);
        self.handle.spawn(fetch::fetch(Arc::clone(&self.fetcher), chosen, words));
        self.handle.spawn(async move {
            for object in objects {
                if out.send(object).await.is_err() {
                    return;
                }
            }
        });
        feed
    }
}

/// A listing under way.
#[derive(Debug)]
pub struct Listed {
    objects: Receiver<LogObject>,
    done: JoinHandle<Result<(), S3Error>>,
}

impl Listed {
    /// Waits for the next object; none at the end. The listing goes on only as far as it is listened to. Never call it where
    /// async code runs.
    pub fn wait(&mut self) -> Option<LogObject> {
        self.objects.blocking_recv()
    }

    /// Whether the listing came to its end.
    pub fn end(self, session: &Session) -> Result<(), S3Error> {
        drop(self.objects);
        session.block_on(self.done).map_err(|error| S3Error::Threads(error.to_string()))?
    }
}

/// Without prefixes that lie in others: listing those covers them.
fn outermost(roots: BTreeSet<(String, String)>) -> Vec<(String, String)> {
    let mut outer: Vec<(String, String)> = Vec::new();
    for (bucket, root) in roots {
        // In order, so that what contains a prefix comes before it.
        if !outer.iter().any(|(other, prefix)| *other == bucket && root.starts_with(prefix.as_str())) {
            outer.push((bucket, root));
        }
    }
    outer
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_lies_in_another_prefix_is_not_listed_twice() {
        let pair = |bucket: &str, prefix: &str| (bucket.to_owned(), prefix.to_owned());
        let roots = [
            pair("a", "AWSLogs/"),
            pair("a", "AWSLogs/111122223333/"),
            pair("b", "AWSLogs/111122223333/"),
            pair("a", "other/AWSLogs/"),
        ];
        assert_eq!(
            outermost(roots.into_iter().collect()),
            [pair("a", "AWSLogs/"), pair("a", "other/AWSLogs/"), pair("b", "AWSLogs/111122223333/")]
        );
    }
}
