//! Generated logs on disk.

use std::fs;
use std::io::{self, Write as _};
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use flate2::{Compression, GzBuilder};

use super::truth::Truth;
use super::{Corpus, File};

/// The bytes as one gzip member without a time, so that the same text gives the same bytes.
pub fn gzip(text: &[u8], level: u32) -> Vec<u8> {
    let mut out = GzBuilder::new().mtime(0).write(Vec::new(), Compression::new(level));
    out.write_all(text).and_then(|()| out.finish()).expect("to memory")
}

/// Writes one object below `root`.
pub fn write_file(root: &Path, file: &File, level: u32) -> io::Result<()> {
    let path = root.join(&file.key);
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::write(path, gzip(file.text.as_bytes(), level))
}

impl Corpus {
    /// Writes the whole corpus below `root`, on all cores, and says what is true of it.
    pub fn write(&self, root: &Path) -> io::Result<Truth> {
        let next = AtomicUsize::new(0);
        let work = || -> io::Result<Truth> {
            let mut truth = Truth::default();
            loop {
                let index = next.fetch_add(1, Ordering::Relaxed);
                if index >= self.files {
                    return Ok(truth);
                }
                let file = self.file(index);
                write_file(root, &file, 6)?;
                truth.merge(&file.truth);
            }
        };
        let mut truth = thread::scope(|scope| -> io::Result<Truth> {
            let threads = thread::available_parallelism().map_or(1, usize::from);
            let workers: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
            let mut truth = Truth::default();
            for worker in workers {
                truth.merge(&worker.join().expect("a worker does not panic")?);
            }
            Ok(truth)
        })?;
        for file in self.side() {
            write_file(root, &file, 6)?;
            truth.merge(&file.truth);
        }
        Ok(truth)
    }

    /// What is true of the corpus, without writing it.
    pub fn truth(&self) -> Truth {
        let mut truth = Truth::default();
        for file in (0..self.files).map(|index| self.file(index)).chain(self.side()) {
            truth.merge(&file.truth);
        }
        truth
    }
}
