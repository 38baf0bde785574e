//! AWS APIs as sources: `lookup:` (Event history), `lake:` (CloudTrail Lake), `athena:` (a table). What they answer becomes log
//! objects, so that everything else works as for files.
//!
//! ```text
//! find ──targets──▶ list ──LogObject──▶ (known to the store?) ──▶ read ──Arrival──▶ Feed
//! ```

pub mod athena;
mod column;
mod error;
pub mod hive;
mod lake;
mod lookup;
mod part;
mod partition;
mod relevant;
mod slice;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::mpsc::Sender;

pub use column::known;
pub use error::ApiError;
pub use relevant::quoted;

use crate::source::feed::{Feed, Word};
use crate::source::layout::is_region;
use crate::source::s3::Session;
use crate::source::{Extent, LogObject};

/// How the names of objects begin that hold records put together from columns.
const REBUILT: &str = "rebuilt-";
/// Objects that wait to be decoded.
const DEPTH: usize = 16;

/// Which API a source is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Api {
    /// Event history.
    Lookup,
    /// An event data store.
    Lake,
    /// A table.
    Athena,
}

impl Api {
    /// What a source is, and what comes after its `:`.
    pub fn of(source: &str) -> Option<(Self, &str)> {
        let (scheme, rest) = source.split_once(':')?;
        let api = match scheme {
            "lookup" => Self::Lookup,
            "lake" => Self::Lake,
            "athena" => Self::Athena,
            _ => return None,
        };
        Some((api, rest))
    }

    /// Whether a source is one.
    pub fn is(source: &str) -> bool {
        Self::of(source).is_some()
    }

    /// The name in the ledger.
    pub fn name(self) -> &'static str {
        match self {
            Self::Lookup => "lookup",
            Self::Lake => "lake",
            Self::Athena => "athena",
        }
    }

    /// What such a source can never show, whatever it answers: what it is about, and what that means.
    pub fn blind(self) -> (&'static str, &'static str) {
        match self {
            Self::Lookup => (
                "Event history",
                "LookupEvents answers with management events of the last 90 days only: bedrock-mantle inference, calls of \
                 agents, flows, knowledge bases and guardrails, the AgentCore data plane and network activity are never among \
                 them. Nor is what a Bedrock service did in another service. That none is seen proves nothing.",
            ),
            Self::Lake => (
                "CloudTrail Lake",
                "An event data store holds what its event selectors chose: data events and other accounts only if it was \
                 configured so. That none is seen proves nothing.",
            ),
            Self::Athena => (
                "Athena table",
                "Records were put together from a table's columns: what the table has no column for is not recorded here, \
                 and files outside its location and partitions are not seen.",
            ),
        }
    }
}

/// How the services are asked.
#[derive(Debug, Clone)]
pub struct Setting {
    /// The present, in microseconds UTC.
    pub now: i64,
    /// Whether a slice is handed on only when all of it is there, day by day, as a store needs it.
    pub hold: bool,
    /// Calls of LookupEvents a second and Region.
    pub rate: f64,
    /// Bytes that queries may scan together.
    pub max_scan: Option<u64>,
    /// Days after the window in which late files are still looked for.
    pub late_days: i64,
    /// Athena's workgroup.
    pub workgroup: Option<String>,
    /// Where Athena writes results, `s3://…`.
    pub output: Option<String>,
    /// Athena's data catalogue.
    pub catalog: Option<String>,
}

/// A query under way.
#[derive(Debug, Clone)]
enum Running {
    Lake(lake::Query),
    Athena(athena::Query),
}

/// What all targets of a run share.
#[derive(Debug, Default)]
struct Shared {
    notes: Mutex<Vec<String>>,
    running: Mutex<(u64, BTreeMap<u64, Running>)>,
    total: AtomicU64,
    max_scan: Option<u64>,
}

/// Takes a query off the list of those to cancel, once it has ended.
struct Listed<'s>(&'s Shared, u64);

impl Drop for Listed<'_> {
    fn drop(&mut self) {
        lock(&self.0.running).1.remove(&self.1);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Shared {
    fn note(&self, note: String) {
        lock(&self.notes).push(note);
    }

    fn runs(&self, query: Running) -> Listed<'_> {
        let mut running = lock(&self.running);
        running.0 += 1;
        let number = running.0;
        running.1.insert(number, query);
        Listed(self, number)
    }

    /// Whether queries scan more than they may, with one that has scanned so much.
    fn over(&self, bytes: u64) -> bool {
        self.max_scan.is_some_and(|limit| self.total.load(Ordering::Relaxed) + bytes > limit)
    }

    /// Adds up what a query scanned that has ended.
    fn scanned(&self, bytes: u64, what: &str) {
        let total = self.total.fetch_add(bytes, Ordering::Relaxed) + bytes;
        self.note(format!("{what} {bytes} bytes; {total} in all"));
    }

    fn too_much(&self, name: &str) -> ApiError {
        let limit = self.max_scan.unwrap_or(0);
        let reason = format!(
            "queries scanned more than the {limit} bytes of --max-scan; ask for less time, or raise it"
        );
        ApiError::failed(name, "CANCELLED", &reason)
    }
}

/// Longer and longer waits.
#[derive(Debug)]
pub struct Wait {
    next: Duration,
    longest: Duration,
}

impl Wait {
    /// From the first to the longest.
    pub fn new(first: Duration, longest: Duration) -> Self {
        Self { next: first, longest }
    }

    /// Waits.
    pub async fn pass(&mut self) {
        tokio::time::sleep(self.next).await;
        self.next = (self.next * 3 / 2).min(self.longest);
    }
}

/// What is asked.
#[derive(Debug, Clone)]
enum Target {
    Lookup(Arc<lookup::Lookup>),
    Lake(Arc<lake::Lake>),
    Athena(Arc<athena::Athena>),
}

impl Target {
    fn list(&self) -> Vec<LogObject> {
        match self {
            Self::Lookup(lookup) => lookup.list(),
            Self::Lake(lake) => lake.list(),
            Self::Athena(athena) => athena.list(),
        }
    }
}

/// Sources that are APIs, found and ready to be asked.
#[derive(Debug, Clone)]
pub struct Queries {
    targets: Vec<Target>,
    shared: Arc<Shared>,
    handle: tokio::runtime::Handle,
}

impl Queries {
    /// What is wrong with how sources are written, before anybody is asked for credentials.
    pub fn check(sources: &[String], extent: &Extent) -> Result<(), ApiError> {
        for source in sources {
            let Some((api, rest)) = Api::of(source) else { continue };
            let wrong = |form| Err(ApiError::Source { given: source.clone(), form });
            match api {
                Api::Lookup
                    if !rest.is_empty()
                        && !extent.regions.is_empty()
                        && !extent.regions.iter().any(|region| region == rest) =>
                {
                    return Err(ApiError::Region { given: source.clone() });
                }
                // One that there is not would be asked for until every try has failed.
                Api::Lookup if !rest.is_empty() && !is_region(rest) => {
                    return wrong("lookup: or lookup:REGION, as lookup:eu-west-1");
                }
                Api::Lake if rest.is_empty() => {
                    return wrong("lake: and the id or ARN of an event data store");
                }
                Api::Athena if rest.split('.').count() != 2 || rest.split('.').any(str::is_empty) => {
                    return wrong("athena:DATABASE.TABLE");
                }
                Api::Lake | Api::Athena if extent.from.is_none() => {
                    return Err(ApiError::Endless { source_name: source.clone() });
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Finds out what there is to ask. No event is read yet.
    pub fn find(
        session: &Session,
        sources: &[String],
        extent: &Extent,
        setting: &Setting,
    ) -> Result<Self, ApiError> {
        Self::check(sources, extent)?;
        let shared = Arc::new(Shared {
            notes: Mutex::default(),
            running: Mutex::default(),
            total: AtomicU64::default(),
            max_scan: setting.max_scan,
        });
        let mut targets = Vec::new();
        let (mut apis, mut given) = (BTreeSet::new(), BTreeSet::new());
        for source in sources {
            let Some((api, rest)) = Api::of(source) else { continue };
            if !given.insert(source) {
                continue;
            }
            if apis.insert(api) {
                shared.note(api.blind().1.to_owned());
            }
            let own = Arc::clone(&shared);
            targets.push(match api {
                Api::Lookup => {
                    let region = Some(rest).filter(|region| !region.is_empty());
                    let lookup = lookup::Lookup::new(session, region, setting, extent, own);
                    shared.note(lookup.note());
                    Target::Lookup(Arc::new(lookup))
                }
                Api::Lake => {
                    let lake = session.block_on(lake::Lake::new(session, rest, setting, extent, own))?;
                    shared.note(lake.note());
                    Target::Lake(Arc::new(lake))
                }
                Api::Athena => {
                    let athena =
                        session.block_on(athena::Athena::new(session, rest, setting, extent, own))?;
                    Target::Athena(Arc::new(athena))
                }
            });
        }
        Ok(Self { targets, shared, handle: session.handle().clone() })
    }

    /// What was to be said since the last time, for people.
    pub fn notes(&self) -> Vec<String> {
        std::mem::take(&mut lock(&self.shared.notes))
    }

    /// What would be read, sorted by name: one object for each slice, which may turn out to be several.
    pub fn list(&self) -> Vec<LogObject> {
        let mut objects: Vec<LogObject> = self.targets.iter().flat_map(Target::list).collect();
        objects.sort_unstable_by(|a, b| a.name.cmp(&b.name));
        objects.dedup_by(|a, b| a.name == b.name);
        objects
    }

    /// Reads what was listed. The feed is filled by the session's threads: keep the session until it has ended.
    pub fn read(&self, objects: &[LogObject]) -> Feed {
        let (out, feed) = Feed::new(DEPTH);
        self.read_into(objects, &out);
        feed
    }

    /// The same, into a feed that others fill too.
    pub fn read_into(&self, objects: &[LogObject], out: &Sender<Word>) {
        let wanted: Arc<BTreeSet<String>> =
            Arc::new(objects.iter().map(|object| object.name.clone()).collect());
        for target in &self.targets {
            let (wanted, out) = (Arc::clone(&wanted), out.clone());
            match target.clone() {
                Target::Lookup(lookup) => self.handle.spawn(lookup.read(wanted, out)),
                Target::Lake(lake) => self.handle.spawn(lake.read(wanted, out)),
                Target::Athena(athena) => self.handle.spawn(athena.read(wanted, out)),
            };
        }
    }

    /// Cancels queries under way, which would go on scanning otherwise. Never call it where async code runs.
    pub fn cancel(&self) {
        let running: Vec<Running> = lock(&self.shared.running).1.values().cloned().collect();
        if running.is_empty() {
            return;
        }
        let (done, ended) = std::sync::mpsc::channel::<()>();
        self.handle.spawn(async move {
            for query in running {
                match query {
                    Running::Lake(query) => query.cancel().await,
                    Running::Athena(query) => query.cancel().await,
                }
            }
            drop(done);
        });
        // Somebody waits for the program to end.
        let _ = ended.recv_timeout(Duration::from_secs(10));
    }
}

/// Whether an object's records were put together from columns, so that their text is not what was logged.
pub fn rebuilt(object: &str) -> bool {
    matches!(Api::of(object), Some((Api::Lake | Api::Athena, _)))
        && object.rsplit('/').next().is_some_and(|part| part.starts_with(REBUILT))
}
