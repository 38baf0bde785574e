//! The temporary folder of a run: gone when the run ends, also by an interrupt; what a killed run left is
//! removed by the next one.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use tempfile::TempDir;

use super::Failure;

const PREFIX: &str = "bedtrail-run-";
const LOCK: &str = "lock";

/// A folder that does not outlive the run.
pub(super) struct Scratch {
    folder: TempDir,
    // Held until the process ends, however it ends: that is how others know that the folder is in use.
    _lock: File,
}

impl Scratch {
    pub(super) fn new(parent: Option<&Path>) -> Result<Self, Failure> {
        let parent = parent.map_or_else(std::env::temp_dir, Path::to_owned);
        let failed = |error: std::io::Error| {
            Failure::failed(format!("cannot use the temporary folder {}: {error}", parent.display()))
                .help("choose another with --temp-dir")
        };
        sweep(&parent);
        let folder = tempfile::Builder::new().prefix(PREFIX).tempdir_in(&parent).map_err(failed)?;
        let lock = File::create(folder.path().join(LOCK)).map_err(failed)?;
        lock.try_lock().map_err(|error| failed(error.into()))?;
        on_interrupt(folder.path().to_owned());
        Ok(Self { folder, _lock: lock })
    }

    pub(super) fn path(&self) -> &Path {
        self.folder.path()
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // What fails now may fail of what the interrupt cancelled: the signal ends the run, and is all there is to tell.
        while INTERRUPTED.load(Ordering::Acquire) {
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

/// Removes folders whose run was killed: nobody holds their lock.
fn sweep(parent: &Path) {
    for entry in fs::read_dir(parent).into_iter().flatten().flatten() {
        if !entry.file_name().to_string_lossy().starts_with(PREFIX) {
            continue;
        }
        let lock = File::open(entry.path().join(LOCK));
        if lock.is_ok_and(|lock| lock.try_lock().is_ok()) {
            // Another run may be sweeping too; whoever comes second finds nothing.
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

/// Whether an interrupt is ending the run.
static INTERRUPTED: AtomicBool = AtomicBool::new(false);

/// What is done before an interrupt ends the run.
static BEFORE: Mutex<Vec<Box<dyn Fn() + Send>>> = Mutex::new(Vec::new());

/// Has something done before an interrupt ends the run.
pub(super) fn before_interrupt(act: impl Fn() + Send + 'static) {
    BEFORE.lock().unwrap_or_else(PoisonError::into_inner).push(Box::new(act));
}

fn on_interrupt(folder: PathBuf) {
    let Ok(mut signals) = signal_hook::iterator::Signals::new([SIGHUP, SIGINT, SIGTERM]) else { return };
    std::thread::spawn(move || {
        if let Some(signal) = signals.forever().next() {
            INTERRUPTED.store(true, Ordering::Release);
            BEFORE.lock().unwrap_or_else(PoisonError::into_inner).iter().for_each(|act| act());
            let _ = fs::remove_dir_all(&folder);
            let _ = signal_hook::low_level::emulate_default_handler(signal);
            // Only where the signal could not be raised: the run may end by itself.
            INTERRUPTED.store(false, Ordering::Release);
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_left_by_a_killed_run_is_removed_and_a_live_one_is_not() {
        let parent = tempfile::tempdir().unwrap();
        let left = parent.path().join(format!("{PREFIX}left"));
        fs::create_dir(&left).unwrap();
        fs::write(left.join(LOCK), "").unwrap();
        let live = Scratch::new(Some(parent.path())).ok().unwrap();
        assert!(!left.exists());
        let other = Scratch::new(Some(parent.path())).ok().unwrap();
        assert!(live.path().exists() && other.path().exists());
        let path = live.path().to_owned();
        drop(live);
        assert!(!path.exists());
    }
}
