//! Files, folders, globs and standard input.

#[cfg(unix)]
use std::collections::HashMap;
use std::fs::File;
use std::io::Read;
use std::path::{Component, Path, PathBuf};

use crate::source::{Extent, Fate, Listing, LogObject, Place};

/// Why a local source cannot be listed.
#[derive(Debug, thiserror::Error)]
pub enum ListError {
    /// Nothing is there.
    #[error("{0} does not exist: give a CloudTrail file, a folder of them, a glob or - for standard input")]
    Missing(String),
    /// The glob matches nothing.
    #[error("nothing matches {0}")]
    NoMatch(String),
    /// The glob is none.
    #[error("{pattern} is no glob: {message}")]
    Pattern {
        /// As given.
        pattern: String,
        /// What is wrong.
        message: String,
    },
}

/// Lists what `given` names: `-`, a file, a folder or a glob.
pub fn list(given: &str, extent: &Extent) -> Result<Listing, ListError> {
    let (mut listing, mut objects) = (Listing::default(), Vec::new());
    each(given, extent, &mut listing, &mut |object| objects.push(object))?;
    Ok(Listing { objects, ..listing })
}

/// Hands every object of what `given` names to `take`; the rest goes into `listing`.
pub fn each(
    given: &str,
    extent: &Extent,
    listing: &mut Listing,
    take: &mut dyn FnMut(LogObject),
) -> Result<(), ListError> {
    if given == "-" {
        take(LogObject::new("-".to_owned(), Place::Stdin));
        return Ok(());
    }
    let path = Path::new(given);
    if path.is_dir() {
        folder(path, extent, listing, take);
    } else if path.exists() {
        take(object(path.to_owned()));
    } else if given.contains(['*', '?', '[']) {
        listing.linked = true;
        let pattern = |error: &glob::PatternError| ListError::Pattern {
            pattern: given.to_owned(),
            message: error.msg.to_owned(),
        };
        let mut any = false;
        for found in glob::glob(given).map_err(|error| pattern(&error))? {
            any = true;
            match found {
                Ok(path) if path.is_dir() => folder(&path, extent, listing, take),
                // Reading a pipe that nobody writes to would never end; one that is named outright is read.
                Ok(path) if path.metadata().is_ok_and(|found| !found.is_file()) => listing.skipped += 1,
                Ok(path) => take(object(path)),
                Err(error) => take(unreachable(error.path(), &error)),
            }
        }
        if !any {
            return Err(ListError::NoMatch(given.to_owned()));
        }
    } else {
        return Err(ListError::Missing(given.to_owned()));
    }
    Ok(())
}

fn folder(path: &Path, extent: &Extent, listing: &mut Listing, take: &mut dyn FnMut(LogObject)) {
    let mut hidden = 0;
    let visible = |entry: &walkdir::DirEntry| {
        // A store beside the logs that it was made of is none of them.
        if entry.depth() > 0 && entry.file_type().is_dir() && entry.path().join("_bedtrail/log").is_dir() {
            return false;
        }
        let shown = entry.depth() == 0 || !entry.file_name().as_encoded_bytes().starts_with(b".");
        // What is in a hidden folder is not looked at: it counts as one.
        hidden += u64::from(!shown);
        shown
    };
    for entry in walkdir::WalkDir::new(path).follow_links(true).into_iter().filter_entry(visible) {
        listing.linked |= entry.as_ref().is_ok_and(walkdir::DirEntry::path_is_symlink);
        match entry {
            Ok(entry) if entry.file_type().is_file() => {
                let object = object(entry.into_path());
                match extent.fate(&object.name) {
                    Fate::Skipped => listing.skipped += 1,
                    Fate::Pruned => listing.pruned += 1,
                    Fate::Read => take(object),
                }
            }
            Ok(entry) => listing.skipped += u64::from(!entry.file_type().is_dir()),
            Err(error) => {
                let at = error.path().unwrap_or(path).to_owned();
                take(unreachable(&at, &error));
            }
        }
    }
    listing.skipped += hidden;
}

/// Keeps one of the names by which one file is reached (links, `..`, sources that overlap): the first in the list. What is no
/// file, and what cannot be looked at, stays. Asked for where a listing is [`linked`](Listing::linked): hard links alone are
/// not, and their records count as duplicates.
pub fn once(objects: &mut Vec<LogObject>) {
    let mut seen = Seen::default();
    objects.retain(|object| match &object.place {
        Place::Named => !seen.again(Path::new(&object.name)),
        Place::Path(path) => !seen.again(path),
        _ => true,
    });
}

/// The files met so far.
#[cfg(unix)]
#[derive(Default)]
struct Seen(HashMap<(u64, u64), Vec<PathBuf>>);

#[cfg(unix)]
impl Seen {
    fn again(&mut self, path: &Path) -> bool {
        use std::os::unix::fs::MetadataExt as _;

        let Some(file) = path.metadata().ok().filter(std::fs::Metadata::is_file) else { return false };
        let same = self.0.entry((file.dev(), file.ino())).or_default();
        // Some file systems make numbers up, so these alone do not make two files one.
        let again = same.iter().any(|first| {
            let real = |path: &Path| path.canonicalize().ok();
            let linked = |first: std::fs::Metadata| {
                (first.nlink(), first.len(), first.mtime_nsec())
                    == (file.nlink(), file.len(), file.mtime_nsec())
            };
            real(first).is_some_and(|first| real(path) == Some(first))
                || file.nlink() > 1 && first.metadata().is_ok_and(linked)
        });
        if !again {
            same.push(path.to_owned());
        }
        again
    }
}

/// The files met so far.
#[cfg(not(unix))]
#[derive(Default)]
struct Seen(std::collections::HashSet<PathBuf>);

#[cfg(not(unix))]
impl Seen {
    fn again(&mut self, path: &Path) -> bool {
        path.canonicalize().is_ok_and(|real| !self.0.insert(real))
    }
}

/// Without `.` and empty parts, so that `logs`, `./logs` and `logs//` are one name.
fn plain(path: PathBuf) -> PathBuf {
    let bytes = path.as_os_str().as_encoded_bytes();
    let tidy = !bytes.starts_with(b"./")
        && memchr::memmem::find(bytes, b"//").is_none()
        && memchr::memmem::find(bytes, b"/./").is_none();
    if tidy { path } else { path.components().filter(|part| *part != Component::CurDir).collect() }
}

fn object(path: PathBuf) -> LogObject {
    let path = plain(path);
    match path.into_os_string().into_string() {
        Ok(name) => LogObject::new(name, Place::Named),
        Err(path) => LogObject::new(path.to_string_lossy().into_owned(), Place::Path(path.into())),
    }
}

fn unreachable(path: &Path, reason: &dyn std::fmt::Display) -> LogObject {
    LogObject::new(path.display().to_string(), Place::Unreachable(reason.to_string()))
}

/// Reads an object's stored bytes into `buffer`, at most `limit` of them; returns how many.
/// One open, as few reads as the size allows, one close.
pub fn read(object: &LogObject, limit: usize, buffer: &mut Vec<u8>) -> Result<usize, String> {
    match &object.place {
        Place::Named => fill(File::open(&object.name).map_err(|error| error.to_string())?, limit, buffer),
        Place::Path(path) => fill(File::open(path).map_err(|error| error.to_string())?, limit, buffer),
        Place::Stdin => fill(std::io::stdin().lock(), limit, buffer),
        Place::Fed => Err("internal error: its bytes did not come".to_owned()),
        Place::Unreachable(reason) => Err(reason.clone()),
    }
}

fn fill(mut reader: impl Read, limit: usize, buffer: &mut Vec<u8>) -> Result<usize, String> {
    let mut length = 0;
    loop {
        if length == buffer.len() {
            if length > limit {
                return Err(format!(
                    "it is larger than {limit} bytes; if it is a real log, raise --max-object-size"
                ));
            }
            buffer.resize((length * 2).max(64 * 1024), 0);
        }
        match reader.read(&mut buffer[length..]) {
            Ok(0) => return Ok(length),
            Ok(count) => length += count,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error.to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_lists_logs_sorted_and_counts_the_rest() {
        let root = tempfile::tempdir().unwrap();
        let put = |name: &str| {
            let path = root.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, "x").unwrap();
        };
        for name in [
            "b.json",
            "a.json.gz",
            "c.ndjson",
            "README.md",
            "LICENSE",
            "export/aws-logs-write-test",
            ".hidden.json",
            ".git/x.json",
            "AWSLogs/111122223333/Config/eu-west-1/2026/10/05/x.json.gz",
            "AWSLogs/111122223333/CloudTrail/eu-west-1/2026/10/05/x.json.gz",
            "AWSLogs/111122223333/CloudTrail/us-east-1/2026/10/05/x.json.gz",
        ] {
            put(name);
        }
        let extent = Extent { regions: vec!["eu-west-1".to_owned()], ..Extent::default() };
        let mut listing = list(root.path().to_str().unwrap(), &extent).unwrap();
        listing.settle();
        let names: Vec<_> =
            listing.objects.iter().map(|object| object.name.rsplit(['/', '\\']).next().unwrap()).collect();
        assert_eq!(names, ["x.json.gz", "a.json.gz", "b.json", "c.ndjson"]);
        // README.md, LICENSE, a write test, Config, and what is hidden: a file and a folder.
        assert_eq!((listing.pruned, listing.skipped), (1, 6));
    }

    #[test]
    #[cfg(unix)]
    fn what_is_no_file_is_not_waited_for() {
        let root = tempfile::tempdir().unwrap();
        let _socket = std::os::unix::net::UnixListener::bind(root.path().join("a.json")).unwrap();
        std::fs::write(root.path().join("b.json"), "x").unwrap();
        for given in [root.path().to_owned(), root.path().join("*.json")] {
            let listing = list(given.to_str().unwrap(), &Extent::default()).unwrap();
            assert_eq!((listing.objects.len(), listing.skipped), (1, 1), "{}", given.display());
        }
    }

    #[test]
    #[cfg(unix)]
    fn a_file_reached_in_several_ways_is_one_under_its_smallest_name() {
        use std::os::unix::fs::symlink;

        let root = tempfile::tempdir().unwrap();
        let at = |name: &str| root.path().join(name);
        for folder in ["b", "b/c"] {
            std::fs::create_dir(at(folder)).unwrap();
        }
        for name in ["b/1.json", "b/c/2.json", "b/same.json"] {
            std::fs::write(at(name), "x").unwrap();
        }
        std::fs::write(at("b/other.json"), "x").unwrap();
        symlink(at("b/1.json"), at("a.json")).unwrap();
        symlink(at("b"), at("d")).unwrap();
        std::fs::hard_link(at("b/same.json"), at("b/c/z.json")).unwrap();
        let mut listing = Listing::default();
        for given in ["", "b/c/..", "d/c", "b/*.json"] {
            listing.extend(list(at(given).to_str().unwrap(), &Extent::default()).unwrap());
        }
        assert_eq!(listing.objects.len(), 11 + 5 + 2 + 3);
        listing.settle();
        let root = format!("{}/", root.path().display());
        let names: Vec<_> =
            listing.objects.iter().map(|object| object.name.strip_prefix(&root).unwrap()).collect();
        assert_eq!(names, ["a.json", "b/c/../c/2.json", "b/c/../c/z.json", "b/c/../other.json"]);
    }

    #[test]
    fn one_file_has_one_name() {
        for (given, name) in [
            ("./a/b.json", "a/b.json"),
            ("a//b.json", "a/b.json"),
            ("/a/./b.json", "/a/b.json"),
            ("../a/../b.json", "../a/../b.json"),
            (".a/b.json", ".a/b.json"),
        ] {
            assert_eq!(object(PathBuf::from(given)).name, name);
        }
    }

    #[test]
    #[cfg(unix)]
    fn names_that_are_no_text_are_two_objects_still() {
        use std::os::unix::ffi::OsStrExt as _;

        let root = tempfile::tempdir().unwrap();
        for name in [b"a\xfe.json", b"a\xff.json"] {
            std::fs::write(root.path().join(std::ffi::OsStr::from_bytes(name)), "x").unwrap();
        }
        std::fs::write(root.path().join("firehose-1-2026-05-01"), "x").unwrap();
        let mut listing = list(root.path().to_str().unwrap(), &Extent::default()).unwrap();
        listing.settle();
        assert_eq!((listing.objects.len(), listing.skipped), (3, 0));
    }

    #[test]
    fn what_is_not_there_is_an_error() {
        let missing = list("/no/such/folder", &Extent::default()).unwrap_err();
        assert_eq!(
            missing.to_string(),
            "/no/such/folder does not exist: give a CloudTrail file, a folder of them, a glob or - for standard input"
        );
        assert!(matches!(list("/no/such/*.json", &Extent::default()), Err(ListError::NoMatch(_))));
    }

    #[test]
    fn an_object_past_the_limit_is_not_read_whole() {
        let mut buffer = vec![];
        assert_eq!(fill(&[1u8; 100][..], 1000, &mut buffer), Ok(100));
        assert!(fill(std::io::repeat(1), 200_000, &mut buffer).is_err());
        assert!(buffer.len() <= 1 << 20);
    }
}
