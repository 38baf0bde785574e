//! Answers in a bucket: written to a folder first, then put object by object, the manifest last.
//!
//! A manifest of an earlier run is removed before anything else, where that is allowed; what it lists and the new run does
//! not write goes after the new manifest stands. S3 puts an object whole or not at all.

use std::collections::BTreeMap;
use std::path::Path;

use aws_sdk_s3::error::ProvideErrorMetadata;
use aws_sdk_s3::primitives::ByteStream;

use super::folder::{Earlier, MANIFEST, MANIFEST_HASH, listed};
use super::{Error, Manifest};
use crate::source::s3::{Access, Action, Bucket, S3Error, Session, Target, Url};

/// Where an object's hash stands among its metadata: who replaces an object by hand loses it.
const HASH: &str = "sha256";

/// A prefix of a bucket.
#[derive(Debug)]
pub struct Upload {
    bucket: Bucket,
    /// Empty, or with a `/` at its end.
    prefix: String,
    // Last: the client works on its threads.
    session: Session,
}

impl Upload {
    /// Whether `place` is one.
    pub fn is(place: &Path) -> bool {
        place.to_str().is_some_and(Url::is)
    }

    /// `s3://bucket/prefix`.
    ///
    /// # Errors
    /// [`Error::Bucket`]: no such bucket, or no credentials.
    pub fn open(place: &Path, access: Access) -> Result<Self, Error> {
        let Url { bucket, prefix } = Url::parse(&place.to_string_lossy())?;
        let session = Session::open(access)?;
        let bucket = session.block_on(session.bucket(&bucket))?;
        let prefix = prefix.trim_matches('/');
        let prefix = if prefix.is_empty() { String::new() } else { format!("{prefix}/") };
        Ok(Self { bucket, prefix, session })
    }

    /// The bytes of an object below the prefix, or of the object that the prefix names where `name` is empty; none if
    /// there is no such object.
    ///
    /// # Errors
    /// [`Error::Bucket`].
    pub fn fetch(&self, name: &str) -> Result<Option<Vec<u8>>, Error> {
        let key = if name.is_empty() { self.prefix.trim_end_matches('/').to_owned() } else { self.key(name) };
        let target = Target::new(&self.bucket.name, &key);
        let request = self.bucket.client.get_object().bucket(&self.bucket.name).key(&key);
        self.session.block_on(async {
            let answer = match request.set_request_payer(self.bucket.payer.clone()).send().await {
                Ok(answer) => answer,
                Err(error) if error.code() == Some("NoSuchKey") => return Ok(None),
                Err(error) => return Err(S3Error::of(&error, Action::Get, &target).into()),
            };
            let broken = |error: &dyn std::error::Error| S3Error::Network {
                target: target.clone(),
                message: format!("the answer broke off: {error}"),
            };
            let body = answer.body.collect().await.map_err(|error| broken(&error))?;
            Ok(Some(body.to_vec()))
        })
    }

    /// Puts the files that `manifest` lists from `folder`, then the manifest, and removes those of the run before that are
    /// not among them. Returns the names of those that stay, because somebody replaced them or removing is forbidden.
    ///
    /// # Errors
    /// [`Error::Bucket`] with the object, [`Error::File`] with the file that failed.
    pub fn send(&self, folder: &Path, manifest: &Manifest) -> Result<Vec<String>, Error> {
        // Without leave to read there, nothing is known of it, and nothing of it is removed.
        let before = self.fetch(MANIFEST).ok().flatten().map(|json| listed(&json)).unwrap_or_default();
        self.remove(MANIFEST)?;
        for written in &manifest.outputs {
            self.put(folder, &written.file, &written.sha256)?;
        }
        self.put(folder, MANIFEST_HASH, "")?;
        self.put(folder, MANIFEST, "")?;
        let mut left = Vec::new();
        for Earlier { file, sha256 } in before {
            let again = manifest.outputs.iter().any(|new| new.file == file);
            let own = [MANIFEST, MANIFEST_HASH].contains(&file.as_str());
            if again || own || file.contains('/') {
                continue;
            }
            match self.hash(&file) {
                None => {}
                Some(found) if found == sha256 && self.remove(&file)? => {}
                Some(_) => left.push(file),
            }
        }
        left.sort();
        left.dedup();
        Ok(left)
    }

    fn key(&self, name: &str) -> String {
        format!("{}{name}", self.prefix)
    }

    fn put(&self, folder: &Path, name: &str, sha256: &str) -> Result<(), Error> {
        let key = self.key(name);
        let path = folder.join(name);
        self.session.block_on(async {
            let body = ByteStream::from_path(&path).await.map_err(|error| Error::File {
                path: path.clone(),
                source: std::io::Error::other(error.to_string()),
            })?;
            let mut request = self
                .bucket
                .client
                .put_object()
                .bucket(&self.bucket.name)
                .key(&key)
                .content_type(kind(name))
                .set_request_payer(self.bucket.payer.clone())
                .body(body);
            if !sha256.is_empty() {
                request = request
                    .set_metadata(Some(BTreeMap::from([(HASH, sha256)]).into_iter().map(owned).collect()));
            }
            let target = Target::new(&self.bucket.name, &key);
            request.send().await.map_err(|error| S3Error::of(&error, Action::Put, &target))?;
            Ok(())
        })
    }

    /// The hash that a run of ours put an object with; empty if it was put otherwise, none if there is none.
    fn hash(&self, name: &str) -> Option<String> {
        let request = self.bucket.client.head_object().bucket(&self.bucket.name).key(self.key(name));
        let found =
            self.session.block_on(request.set_request_payer(self.bucket.payer.clone()).send()).ok()?;
        Some(found.metadata().and_then(|metadata| metadata.get(HASH)).cloned().unwrap_or_default())
    }

    /// Removes an object; false where that is forbidden.
    fn remove(&self, name: &str) -> Result<bool, Error> {
        let key = self.key(name);
        let request = self.bucket.client.delete_object().bucket(&self.bucket.name).key(&key);
        match self.session.block_on(request.set_request_payer(self.bucket.payer.clone()).send()) {
            Ok(_) => Ok(true),
            Err(error) => {
                let status = error.raw_response().map(|response| response.status().as_u16());
                let target = Target::new(&self.bucket.name, &key);
                if status == Some(403) {
                    return Ok(false);
                }
                Err(S3Error::of(&error, Action::Delete, &target).into())
            }
        }
    }
}

fn owned((name, value): (&str, &str)) -> (String, String) {
    (name.to_owned(), value.to_owned())
}

/// The media type of a file.
fn kind(name: &str) -> &'static str {
    match name.rsplit('.').next() {
        Some("csv") => "text/csv; charset=utf-8",
        Some("json") => "application/json",
        Some("ndjson") => "application/x-ndjson",
        Some("html") => "text/html; charset=utf-8",
        Some("txt" | "sha256") => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}
