//! A store in a folder.
//!
//! Files are written aside, flushed and renamed; a log entry is hard-linked to its name, which fails if the name is
//! taken. The folder is flushed after both, so that what was said to be done survives a power cut.

use std::fs::{self, File, TryLockError};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::Duration;

use tempfile::NamedTempFile;

use super::medium::{Hold, Lying, Medium, MediumError};

/// Drafts, below the store; what is in it belongs to nobody once the lock is free.
const DRAFTS: &str = "_bedtrail/draft";
const LOCK: &str = "_bedtrail/lock";
/// How often a held lock is tried again.
const PAUSE: Duration = Duration::from_millis(100);

/// A folder.
#[derive(Debug)]
pub struct Folder {
    root: PathBuf,
}

impl Folder {
    /// A store in `root`, which need not exist yet.
    pub fn new(root: &Path) -> Self {
        Self { root: root.to_owned() }
    }

    fn at(&self, key: &str) -> PathBuf {
        let mut path = self.root.clone();
        path.extend(key.split('/').filter(|part| !part.is_empty()));
        path
    }

    fn failed<'a>(&'a self, what: &'static str, key: &'a str) -> impl Fn(io::Error) -> MediumError + 'a {
        move |error| MediumError::of(what, self.at(key).display().to_string(), &error)
    }

    /// Makes the folders above a key, each lasting.
    fn folders(&self, key: &str) -> io::Result<()> {
        let path = self.at(key);
        let Some(folder) = path.parent() else { return Ok(()) };
        // A relative path ends in an empty one, which is the working folder.
        let there = |folder: &Path| folder.as_os_str().is_empty() || folder.is_dir();
        let mut missing: Vec<&Path> = folder.ancestors().take_while(|folder| !there(folder)).collect();
        while let Some(folder) = missing.pop() {
            match fs::create_dir(folder) {
                Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
                _ => {}
            }
            if let Some(above) = folder.parent() {
                lasting(if above.as_os_str().is_empty() { Path::new(".") } else { above })?;
            }
        }
        Ok(())
    }
}

/// Keeps runs from changing the store in a folder for as long as the file is open; none if they do not end within `patience`,
/// or the folder knows no locks.
pub fn still(root: &Path, patience: Duration) -> Option<File> {
    let lock = File::open(Folder::new(root).at(LOCK)).ok()?;
    let mut waited = Duration::ZERO;
    loop {
        match lock.try_lock_shared() {
            Ok(()) => return Some(lock),
            Err(TryLockError::WouldBlock) if waited < patience => {
                sleep(PAUSE);
                waited += PAUSE;
            }
            Err(_) => return None,
        }
    }
}

/// The newest entry of the log of the store in a folder.
pub fn newest(root: &Path) -> Option<String> {
    let keys = Folder::new(root).list(super::log::LOG, None).ok()?;
    keys.into_iter().next_back()
}

/// Flushes a folder: a new name in it is lasting only then.
fn lasting(folder: &Path) -> io::Result<()> {
    if cfg!(unix) { File::open(folder)?.sync_all() } else { Ok(()) }
}

impl Medium for Folder {
    fn name(&self) -> String {
        self.root.display().to_string()
    }

    fn address(&self, key: &str) -> String {
        self.at(key).display().to_string()
    }

    fn draft(&self) -> Result<NamedTempFile, MediumError> {
        let make = || {
            self.folders(&format!("{DRAFTS}/x"))?;
            let mut builder = tempfile::Builder::new();
            #[cfg(unix)]
            builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
            builder.tempfile_in(self.at(DRAFTS))
        };
        make().map_err(self.failed("write into", DRAFTS))
    }

    fn place(&self, draft: NamedTempFile, key: &str) -> Result<u64, MediumError> {
        let put = || {
            draft.as_file().sync_all()?;
            let bytes = draft.as_file().metadata()?.len();
            self.folders(key)?;
            let path = self.at(key);
            draft.persist(&path).map_err(|error| error.error)?;
            path.parent().map_or(Ok(()), lasting)?;
            Ok(bytes)
        };
        put().map_err(self.failed("write", key))
    }

    fn create(&self, key: &str, bytes: &[u8]) -> Result<bool, MediumError> {
        let mut draft = self.draft()?;
        let mut put = || {
            draft.write_all(bytes)?;
            draft.as_file().sync_all()?;
            self.folders(key)?;
            let path = self.at(key);
            match fs::hard_link(draft.path(), &path) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Ok(false),
                linked => linked?,
            }
            path.parent().map_or(Ok(()), lasting)?;
            Ok(true)
        };
        put().map_err(self.failed("create", key))
    }

    fn read(&self, keys: &[String]) -> Result<Vec<Vec<u8>>, MediumError> {
        keys.iter().map(|key| fs::read(self.at(key)).map_err(self.failed("read", key))).collect()
    }

    fn path(&self, key: &str) -> Result<PathBuf, MediumError> {
        Ok(self.at(key))
    }

    fn list(&self, prefix: &str, after: Option<&str>) -> Result<Vec<String>, MediumError> {
        let mut keys = Vec::new();
        let mut folders = vec![prefix.trim_end_matches('/').to_owned()];
        while let Some(folder) = folders.pop() {
            let entries = match fs::read_dir(self.at(&folder)) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                entries => entries.map_err(self.failed("list", &folder))?,
            };
            for entry in entries {
                let entry = entry.map_err(self.failed("list", &folder))?;
                let key = format!("{folder}/{}", entry.file_name().to_string_lossy());
                if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                    folders.push(key);
                } else {
                    keys.push(key);
                }
            }
        }
        keys.retain(|key| after.is_none_or(|after| key.as_str() > after));
        keys.sort_unstable();
        Ok(keys)
    }

    fn lying(&self, prefix: &str) -> Result<Vec<Lying>, MediumError> {
        let keys = self.list(prefix, None)?.into_iter();
        // Whoever asks holds the lock.
        let lying = |key: String| {
            let bytes = fs::symlink_metadata(self.at(&key)).map_or(0, |found| found.len());
            Lying { key, bytes, settled: true }
        };
        Ok(keys.map(lying).collect())
    }

    fn delete(&self, key: &str) -> Result<bool, MediumError> {
        match fs::remove_file(self.at(key)) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(true),
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem
                ) =>
            {
                Ok(false)
            }
            Err(error) => Err(self.failed("remove", key)(error)),
        }
    }

    fn hold(&self, patience: Duration, waits: &dyn Fn()) -> Result<Hold, MediumError> {
        let open = || {
            self.folders(LOCK)?;
            File::options().create(true).append(true).open(self.at(LOCK))
        };
        let lock = open().map_err(self.failed("write", LOCK))?;
        let mut waited = Duration::ZERO;
        loop {
            match lock.try_lock() {
                Ok(()) => break,
                Err(TryLockError::WouldBlock) if waited >= patience => {
                    return Err(MediumError::Busy { name: self.name(), seconds: waited.as_secs() });
                }
                Err(TryLockError::WouldBlock) => {
                    if waited.is_zero() {
                        waits();
                    }
                    sleep(PAUSE);
                    waited += PAUSE;
                }
                // A file system without locks: the log is what keeps runs apart.
                Err(TryLockError::Error(_)) => return Ok(Hold { _lock: None, alone: false }),
            }
        }
        // Drafts of a run that was killed.
        for draft in self.list(&format!("{DRAFTS}/"), None)? {
            self.delete(&draft)?;
        }
        Ok(Hold { _lock: Some(lock), alone: true })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_created_once() {
        let root = tempfile::tempdir().unwrap();
        let folder = Folder::new(&root.path().join("new/store"));
        assert!(folder.create("_bedtrail/log/1.json", b"one").unwrap());
        assert!(!folder.create("_bedtrail/log/1.json", b"two").unwrap());
        assert_eq!(folder.read(&["_bedtrail/log/1.json".to_owned()]).unwrap(), [b"one"]);
        assert_eq!(folder.list("_bedtrail/log/", None).unwrap(), ["_bedtrail/log/1.json"]);
        assert!(folder.list("_bedtrail/draft/", None).unwrap().is_empty());
    }

    #[test]
    fn parts_are_placed_listed_and_removed() {
        let root = tempfile::tempdir().unwrap();
        let folder = Folder::new(root.path());
        for key in ["events/event_date=2026-10-05/b", "events/event_date=2026-10-05/a", "events/c"] {
            let mut draft = folder.draft().unwrap();
            draft.write_all(b"12345").unwrap();
            assert_eq!(folder.place(draft, key).unwrap(), 5);
        }
        let keys = folder.list("events/", None).unwrap();
        assert_eq!(keys, ["events/c", "events/event_date=2026-10-05/a", "events/event_date=2026-10-05/b"]);
        assert_eq!(folder.list("events/", Some("events/c")).unwrap(), keys[1..]);
        assert!(folder.delete("events/c").unwrap() && folder.delete("events/c").unwrap());
        assert_eq!(folder.list("events/", None).unwrap().len(), 2);
    }

    #[test]
    fn one_holds_and_a_killed_run_leaves_no_draft() {
        let root = tempfile::tempdir().unwrap();
        let folder = Folder::new(root.path());
        let (_, left) = folder.draft().unwrap().keep().unwrap();
        let hold = folder.hold(Duration::ZERO, &|| {}).unwrap();
        assert!(hold.alone && !left.exists());
        let busy = Folder::new(root.path()).hold(Duration::ZERO, &|| {}).unwrap_err();
        assert!(busy.to_string().contains("nothing is lost"), "{busy}");
        drop(hold);
        assert!(folder.hold(Duration::ZERO, &|| {}).unwrap().alone);
    }
}
