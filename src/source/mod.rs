//! ① Where log objects come from: a source lists them, pruned by what their names show, and yields their bytes.

pub mod api;
pub mod feed;
pub mod layout;
pub mod local;
mod names;
pub mod s3;

use std::path::PathBuf;

pub use layout::{Folder, Layout};
pub use names::Names;

/// One log object: a file, an S3 object or standard input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogObject {
    /// The name in the ledger and in `log_object`.
    pub name: String,
    /// Where its bytes are.
    pub place: Place,
    /// Its stored size in bytes, if the listing tells.
    pub size: Option<u64>,
    /// What S3 calls its content, without quotes.
    pub etag: Option<Box<str>>,
}

impl LogObject {
    /// An object of which the listing tells no more.
    pub fn new(name: String, place: Place) -> Self {
        Self { name, place, size: None, etag: None }
    }
}

/// Where an object's bytes are.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// A local file whose path is the object's name.
    Named,
    /// A local file whose path is no UTF-8, so that the name is only its likeness.
    Path(PathBuf),
    /// Standard input.
    Stdin,
    /// A bucket: its bytes come by a [`feed`].
    Fed,
    /// Nowhere: the source could not reach it, for this reason.
    Unreachable(String),
}

/// What a source found.
#[derive(Debug, Default)]
pub struct Listing {
    /// Objects to read, sorted by name, each once.
    pub objects: Vec<LogObject>,
    /// Objects passed over because their names show another account, Region or time.
    pub pruned: u64,
    /// Objects passed over because their names show another service's log or no log at all.
    pub skipped: u64,
    /// Whether one file may have been reached by several names.
    pub linked: bool,
}

impl Listing {
    /// Adds what another source found.
    pub fn extend(&mut self, other: Self) {
        self.linked |= other.linked || !self.objects.is_empty() && !other.objects.is_empty();
        self.objects.extend(other.objects);
        self.pruned += other.pruned;
        self.skipped += other.skipped;
    }

    /// Sorts by name and keeps each object once.
    pub fn settle(&mut self) {
        self.objects.sort_unstable_by(|a, b| (&a.name, &a.place).cmp(&(&b.name, &b.place)));
        self.objects.dedup();
        // Looking at every file once more costs as much as reading small ones does.
        if self.linked {
            local::once(&mut self.objects);
        }
    }
}

/// Endings of files that hold logs; others in a folder are passed over and counted.
const ENDINGS: [&str; 7] = ["json", "jsonl", "ndjson", "gz", "zst", "log", "txt"];

/// Files without an ending that come with published logs and are none.
const NOTES: [&str; 8] = [
    "AUTHORS",
    "COPYING",
    "LICENCE",
    "LICENSE",
    "NOTICE",
    "README",
    // Bedrock writes it, empty, where it is told to log to.
    "amazon-bedrock-logs-permission-check",
    // CloudWatch Logs leaves it beside an export to S3 (its user guide, "Exporting log data to Amazon S3").
    "aws-logs-write-test",
];

/// What becomes of an object that was found in a folder, by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It is read.
    Read,
    /// Its name shows another account, Region or time.
    Pruned,
    /// Its name shows another service's log or no log at all.
    Skipped,
}

/// What may be passed over by name, and which events are asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Extent {
    /// First instant wanted, in microseconds UTC.
    pub from: Option<i64>,
    /// First instant not wanted any more, in microseconds UTC.
    pub to: Option<i64>,
    /// Accounts wanted; all if empty.
    pub accounts: Vec<String>,
    /// Regions wanted; all if empty.
    pub regions: Vec<String>,
    /// For how many days after `to` published files are still read, since delivery can be late.
    pub late_days: i64,
}

/// Whether what is shown is asked for; where nothing is shown, or nothing asked for, it is.
pub fn among(wanted: &[String], shown: Option<&str>) -> bool {
    wanted.is_empty() || shown.is_none_or(|shown| wanted.iter().any(|one| one == shown))
}

impl Extent {
    /// What becomes of an object of this name.
    pub fn fate(&self, name: &str) -> Fate {
        let layout = Layout::of(name);
        let file = name.rsplit(['/', '\\']).next().unwrap_or_default();
        let named = match file.rsplit_once('.') {
            Some((_, ending)) => ENDINGS.iter().any(|known| ending.eq_ignore_ascii_case(known)),
            // Delivery streams name objects without an ending.
            None => !NOTES.contains(&file),
        };
        // Bodies that Bedrock stores beside its invocation log are prompts and answers, never records.
        let body = layout.folder == Folder::InvocationLog && layout.is_body(name);
        let stored = name.contains("/_bedtrail/");
        if layout.folder == Folder::Other || body || stored || !named {
            Fate::Skipped
        } else if self.reads(&layout) {
            Fate::Read
        } else {
            Fate::Pruned
        }
    }

    /// Whether an object of this layout can hold events that are asked for.
    pub fn reads(&self, layout: &Layout<'_>) -> bool {
        const DAY: i64 = 86_400_000_000;
        // CloudTrail publishes after the fact: a file of one day holds no events of a later one. The day
        // before `from` is read too, since the service's and the caller's clocks may differ.
        let after = self.from.is_none_or(|from| layout.day.is_none_or(|day| day + 2 * DAY > from));
        let before = self.to.is_none_or(|to| layout.day.is_none_or(|day| day < to + self.late_days * DAY));
        among(&self.accounts, layout.account) && among(&self.regions, layout.region) && after && before
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: i64 = 86_400_000_000;

    #[test]
    fn publish_day_is_not_event_day() {
        let extent = Extent { from: Some(10 * DAY), to: Some(12 * DAY), late_days: 2, ..Extent::default() };
        let reads = |day: i64| extent.reads(&Layout { day: Some(day * DAY), ..Layout::default() });
        assert_eq!(
            (7..=15).map(reads).collect::<Vec<_>>(),
            [false, false, true, true, true, true, true, false, false]
        );
        assert!(extent.reads(&Layout::default()));
    }

    #[test]
    fn accounts_and_regions_prune_only_where_the_name_shows_them() {
        let extent = Extent {
            accounts: vec!["111122223333".to_owned()],
            regions: vec!["eu-west-1".to_owned()],
            ..Extent::default()
        };
        let layout = |account, region| Layout { account, region, ..Layout::default() };
        assert!(extent.reads(&layout(Some("111122223333"), Some("eu-west-1"))));
        assert!(extent.reads(&layout(None, None)));
        assert!(!extent.reads(&layout(Some("111122224444"), Some("eu-west-1"))));
        assert!(!extent.reads(&layout(Some("111122223333"), Some("us-east-1"))));
    }
}
