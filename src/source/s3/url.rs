//! `s3://bucket/prefix` taken apart.

use super::error::S3Error;

/// What begins a source that is a bucket.
const SCHEME: &str = "s3://";

/// A bucket and a prefix in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Url {
    /// The bucket's name.
    pub bucket: String,
    /// The prefix or key, without a leading `/`; empty for the whole bucket.
    pub prefix: String,
}

impl Url {
    /// Whether `text` is meant as one.
    pub fn is(text: &str) -> bool {
        text.starts_with(SCHEME)
    }

    /// Reads one.
    pub fn parse(text: &str) -> Result<Self, S3Error> {
        let wrong = || S3Error::Url(text.to_owned());
        let rest = text.strip_prefix(SCHEME).ok_or_else(wrong)?;
        let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
        let sound = !bucket.is_empty()
            && bucket.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_'));
        if sound { Ok(Self { bucket: bucket.to_owned(), prefix: prefix.to_owned() }) } else { Err(wrong()) }
    }
}

/// The name of a key in the ledger.
pub fn name(bucket: &str, key: &str) -> String {
    // To the byte: there is one for every object of a run.
    let mut name = String::with_capacity(SCHEME.len() + bucket.len() + 1 + key.len());
    for part in [SCHEME, bucket, "/", key] {
        name.push_str(part);
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_names_a_bucket() {
        let parsed = |text: &str| Url::parse(text).map(|url| (url.bucket, url.prefix)).ok();
        let pair = |bucket: &str, prefix: &str| Some((bucket.to_owned(), prefix.to_owned()));
        assert_eq!(parsed("s3://logs"), pair("logs", ""));
        assert_eq!(parsed("s3://logs/"), pair("logs", ""));
        assert_eq!(parsed("s3://my.logs-1/a/b/"), pair("my.logs-1", "a/b/"));
        for wrong in ["s3://", "s3:///a", "s3://a b/c", "logs"] {
            assert!(Url::parse(wrong).is_err(), "{wrong}");
        }
    }
}
