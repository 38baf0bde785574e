//! Answers as files of a folder, complete or not there.
//!
//! Every file is written under a temporary name beside its place and flushed to the disk before any of them
//! takes its name. A manifest of an earlier run is removed first and the new one comes last: a folder with
//! `manifest.json` is a finished one, and what it lists is all that runs have left in it: files of the
//! [`earlier`] run that the new one does not write are [`clear`]ed.

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use tempfile::TempPath;

use super::{Answer, Error, Format, Manifest, Options};

/// The manifest's name in the folder.
pub const MANIFEST: &str = "manifest.json";
/// The name of the file with the manifest's hash, as `sha256sum --check` reads it.
pub const MANIFEST_HASH: &str = "manifest.sha256";

/// A file that was written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Written {
    /// Its name in the folder.
    pub file: String,
    /// SHA-256 of its bytes, lower-case hexadecimal.
    pub sha256: String,
    /// Its size.
    pub bytes: u64,
    /// Rows of the answer in it.
    pub rows: u64,
}

/// The files that the manifest in `dir` lists: ask before writing anew, which removes it. None where there is no manifest, or
/// one that is not ours.
pub fn earlier(dir: &Path) -> Vec<Earlier> {
    fs::read(dir.join(MANIFEST)).ok().map(|json| listed(&json)).unwrap_or_default()
}

/// The files that a manifest lists, if it is one of ours.
pub(super) fn listed(json: &[u8]) -> Vec<Earlier> {
    #[derive(Deserialize)]
    struct Listed {
        schema: String,
        outputs: Vec<Earlier>,
    }
    let listed: Option<Listed> = serde_json::from_slice(json).ok();
    let ours = |listed: &Listed| listed.schema.starts_with("bedtrail-manifest/");
    listed.filter(ours).map(|listed| listed.outputs).unwrap_or_default()
}

/// A file that an earlier run wrote.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Earlier {
    pub(super) file: String,
    pub(super) sha256: String,
}

/// Removes from `dir` the files of an earlier run that are not among those written now, so that no stale report stands beside
/// the new ones. Only what still has the hash it was written with is removed; returns the names of the others, sorted.
pub fn clear(dir: &Path, earlier: Vec<Earlier>, written: &[Written]) -> Vec<String> {
    let mut left = BTreeSet::new();
    for Earlier { file, sha256 } in earlier {
        let path = dir.join(&file);
        // A manifest can be forged: it names files of its own folder only, and no folders or links.
        let inside = path.file_name().is_some_and(|name| name == file.as_str());
        let manifest = [MANIFEST, MANIFEST_HASH].iter().any(|name| file.eq_ignore_ascii_case(name));
        let again = written.iter().any(|new| new.file.eq_ignore_ascii_case(&file));
        if !inside || manifest || again || path.symlink_metadata().is_err() {
            continue;
        }
        let unchanged =
            path.symlink_metadata().is_ok_and(|found| found.is_file()) && hash(&path) == Some(sha256);
        if !unchanged || fs::remove_file(&path).is_err() {
            left.insert(file);
        }
    }
    left.into_iter().collect()
}

fn hash(path: &Path) -> Option<String> {
    let mut proof = Proof { inner: io::sink(), hash: Sha256::new(), bytes: 0 };
    io::copy(&mut fs::File::open(path).ok()?, &mut proof).ok()?;
    Some(format!("{:x}", proof.hash.finalize()))
}

/// Writes each answer in each format to `name.extension` in `dir`, which is made if need be. Files of those
/// names are replaced, others left alone; on an error before the first file takes its name, nothing changes.
///
/// # Errors
/// [`Error::Name`] and [`Error::Twice`] before anything is written; [`Error::File`] with the path that failed.
pub fn write_folder(
    dir: &Path,
    answers: &[Answer],
    formats: &[&dyn Format],
    options: &Options,
) -> Result<Vec<Written>, Error> {
    let mut files = Vec::new();
    let mut names = BTreeSet::from([MANIFEST.to_owned(), MANIFEST_HASH.to_owned()]);
    for answer in answers {
        let fit = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
        if answer.name.is_empty() || answer.name.len() > 200 || !answer.name.bytes().all(fit) {
            return Err(Error::Name { name: answer.name.clone() });
        }
        for format in formats {
            let Some(stem) = format.stem(answer) else { continue };
            let file = format!("{stem}.{}", format.extension());
            // Some file systems do not tell case apart.
            if !names.insert(file.to_ascii_lowercase()) {
                return Err(Error::Twice { file });
            }
            files.push((file, answer, format));
        }
    }
    fs::create_dir_all(dir).map_err(at(dir))?;
    let mut staged = Vec::new();
    for (file, answer, format) in files {
        staged.push(stage(dir, file, answer.rows(), |out| {
            format.write(std::slice::from_ref(answer), options, out)
        })?);
    }
    for name in [MANIFEST, MANIFEST_HASH] {
        let path = dir.join(name);
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(at(&path)(error)),
            _ => {}
        }
    }
    place(dir, staged)
}

/// Writes `manifest.json` and, beside it, `manifest.sha256`: call it last.
///
/// # Errors
/// [`Error::File`] with the path that failed.
pub fn write_manifest(dir: &Path, manifest: &Manifest) -> Result<Written, Error> {
    let json = manifest.to_json()?;
    let staged = stage(dir, MANIFEST.to_owned(), 0, |out| Ok(out.write_all(json.as_bytes())?))?;
    let line = format!("{}  {MANIFEST}\n", staged.1.sha256);
    let written = staged.1.clone();
    // The hash goes first, so that there is never a manifest that looks finished without one.
    place(dir, vec![stage(dir, MANIFEST_HASH.to_owned(), 0, |out| Ok(out.write_all(line.as_bytes())?))?])?;
    place(dir, vec![staged])?;
    Ok(written)
}

/// Counts and hashes what passes.
struct Proof<W> {
    inner: W,
    hash: Sha256,
    bytes: u64,
}

impl<W: Write> Write for Proof<W> {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        let written = self.inner.write(data)?;
        self.hash.update(&data[..written]);
        self.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

/// A finished file under its temporary name, which is removed if it is dropped.
fn stage(
    dir: &Path,
    file: String,
    rows: u64,
    write: impl FnOnce(&mut dyn Write) -> Result<(), Error>,
) -> Result<(TempPath, Written), Error> {
    let path = dir.join(&file);
    let mut builder = tempfile::Builder::new();
    builder.prefix(".bedtrail-").suffix(".tmp");
    // As any program would make it: the umask decides who may read.
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    let temporary = builder.tempfile_in(dir).map_err(at(&path))?;
    let mut out = BufWriter::new(Proof { inner: temporary.as_file(), hash: Sha256::new(), bytes: 0 });
    write(&mut out).map_err(|error| match error {
        Error::Write(source) => Error::File { path: path.clone(), source },
        other => other,
    })?;
    let Proof { hash, bytes, .. } = out.into_inner().map_err(|error| at(&path)(error.into_error()))?;
    temporary.as_file().sync_all().map_err(at(&path))?;
    let sha256 = format!("{:x}", hash.finalize());
    // Only the path is kept: a run has more files than a process may hold open.
    Ok((temporary.into_temp_path(), Written { file, sha256, bytes, rows }))
}

fn place(dir: &Path, staged: Vec<(TempPath, Written)>) -> Result<Vec<Written>, Error> {
    let mut written = Vec::with_capacity(staged.len());
    for (temporary, file) in staged {
        let path = dir.join(&file.file);
        temporary.persist(&path).map_err(|error| at(&path)(error.error))?;
        written.push(file);
    }
    // A rename is only lasting once its folder is.
    #[cfg(unix)]
    fs::File::open(dir).and_then(|folder| folder.sync_all()).map_err(at(dir))?;
    Ok(written)
}

fn at(path: &Path) -> impl Fn(io::Error) -> Error + use<> {
    let path: PathBuf = path.to_owned();
    move |source| Error::File { path: path.clone(), source }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::{FORMATS, format, manifest, sample};

    fn listing(dir: &Path) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(dir)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    fn hash(path: &Path) -> String {
        super::hash(path).unwrap()
    }

    #[test]
    fn every_answer_in_every_format() {
        let root = tempfile::tempdir().unwrap();
        let dir = root.path().join("new/folder");
        let answers = [sample::usage(), sample::texts(&["a"])];
        let written = write_folder(&dir, &answers, FORMATS, &Options::default()).unwrap();
        let mut names: Vec<&str> = written.iter().map(|file| file.file.as_str()).collect();
        names.sort_unstable();
        assert_eq!(listing(&dir), names);
        let general = FORMATS.iter().filter(|format| !format.findings_only()).count();
        assert_eq!(written.len(), answers.len() * general, "no file where there are no findings");
        for file in &written {
            let path = dir.join(&file.file);
            assert_eq!((file.sha256.clone(), file.bytes), (hash(&path), fs::metadata(&path).unwrap().len()));
            assert_eq!(file.rows, if file.file.starts_with("usage.") { 3 } else { 1 });
        }
        let again = write_folder(&dir, &answers, FORMATS, &Options::default()).unwrap();
        assert_eq!(again, written, "same answers, same bytes");
    }

    #[test]
    fn the_manifest_comes_last_and_goes_first() {
        let dir = tempfile::tempdir().unwrap();
        let csv = [format::find("csv").unwrap()];
        write_folder(dir.path(), &[sample::usage()], &csv, &Options::default()).unwrap();
        let written = write_manifest(dir.path(), &manifest::tests::sample()).unwrap();
        assert_eq!(written.sha256, hash(&dir.path().join(MANIFEST)));
        let line = fs::read_to_string(dir.path().join(MANIFEST_HASH)).unwrap();
        assert_eq!(line, format!("{}  manifest.json\n", written.sha256));
        assert_eq!(listing(dir.path()), [MANIFEST, MANIFEST_HASH, "usage.csv"]);
        write_folder(dir.path(), &[sample::usage()], &csv, &Options::default()).unwrap();
        assert_eq!(listing(dir.path()), ["usage.csv"]);
    }

    #[test]
    fn files_of_an_earlier_run_go_unless_somebody_changed_them() {
        let root = tempfile::tempdir().unwrap();
        let dir = root.path().join("out");
        let csv = [format::find("csv").unwrap()];
        let named = |name: &str| Answer { name: name.to_owned(), ..sample::texts(&["a"]) };
        let names = ["same", "gone", "changed", "stale", "linked"];
        let outputs = write_folder(&dir, &names.map(named), &csv, &Options::default()).unwrap();
        let mut manifest = Manifest { outputs, ..manifest::tests::sample() };
        for file in ["../outside.csv", "/", "", "..", "never.csv", MANIFEST_HASH, "folder"] {
            let sha256 = manifest.outputs[0].sha256.clone();
            manifest.outputs.push(Written { file: file.to_owned(), sha256, bytes: 0, rows: 0 });
        }
        write_manifest(&dir, &manifest).unwrap();
        fs::create_dir(dir.join("folder")).unwrap();
        fs::copy(dir.join("same.csv"), root.path().join("outside.csv")).unwrap();
        fs::remove_file(dir.join("gone.csv")).unwrap();
        fs::write(dir.join("changed.csv"), "notes").unwrap();
        fs::write(dir.join("mine.csv"), "mine").unwrap();

        let before = earlier(&dir);
        let again = write_folder(&dir, &["same", "new"].map(named), &csv, &Options::default()).unwrap();
        assert_eq!(clear(&dir, before, &again), ["changed.csv", "folder"]);
        assert_eq!(listing(&dir), ["changed.csv", "folder", "mine.csv", "new.csv", "same.csv"]);
        assert_eq!(listing(root.path()), ["out", "outside.csv"]);
        assert_eq!(earlier(&dir), [], "no manifest");
        fs::write(dir.join(MANIFEST), r#"{"schema":"x","outputs":[{"file":"mine.csv","sha256":""}]}"#)
            .unwrap();
        assert_eq!(earlier(&dir), [], "not ours");
    }

    #[test]
    fn a_failure_leaves_the_folder_as_it_was() {
        struct Broken;
        impl Format for Broken {
            fn name(&self) -> &'static str {
                "broken"
            }
            fn extension(&self) -> &'static str {
                "broken"
            }
            fn about(&self) -> &'static str {
                "Fails."
            }
            fn write(&self, _: &[Answer], _: &Options, _: &mut dyn Write) -> Result<(), Error> {
                Err(io::Error::from(io::ErrorKind::StorageFull).into())
            }
        }
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("usage.csv"), "old").unwrap();
        fs::write(dir.path().join(MANIFEST), "old").unwrap();
        let formats: [&dyn Format; 2] = [format::find("csv").unwrap(), &Broken];
        let error = write_folder(dir.path(), &[sample::usage()], &formats, &Options::default()).unwrap_err();
        assert!(error.to_string().contains("usage.broken"), "{error}");
        assert_eq!(listing(dir.path()), [MANIFEST, "usage.csv"]);
        assert_eq!(fs::read_to_string(dir.path().join("usage.csv")).unwrap(), "old");
    }

    #[test]
    fn names_stay_inside_the_folder_and_apart() {
        let dir = tempfile::tempdir().unwrap();
        let json = [format::find("json").unwrap()];
        let named = |name: &str| Answer { name: name.to_owned(), ..sample::texts(&[]) };
        for name in ["", "../up", "a/b", "a.b", "a\0", "ä"] {
            let error = write_folder(dir.path(), &[named(name)], &json, &Options::default()).unwrap_err();
            assert!(matches!(error, Error::Name { .. }), "{name:?}: {error}");
        }
        for names in [["a", "A"], ["b", "manifest"]] {
            let error = write_folder(dir.path(), &names.map(named), &json, &Options::default()).unwrap_err();
            assert!(matches!(error, Error::Twice { .. }), "{names:?}: {error}");
        }
        assert!(listing(dir.path()).is_empty());
    }

    #[cfg(unix)]
    #[test]
    fn the_umask_decides_who_may_read() {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().unwrap();
        let csv = [format::find("csv").unwrap()];
        write_folder(dir.path(), &[sample::usage()], &csv, &Options::default()).unwrap();
        let reference = dir.path().join("reference");
        fs::write(&reference, "").unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode();
        assert_eq!(mode(&dir.path().join("usage.csv")), mode(&reference));
    }
}
