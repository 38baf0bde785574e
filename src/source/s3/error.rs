//! What S3 refuses, said for what it is: which bucket and key, what is missing, and what to do.

use std::error::Error;
use std::fmt;

use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};

use super::access::Access;

/// What was attempted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// `ListObjectsV2` or `HeadBucket`.
    List,
    /// `GetObject` or `HeadObject`.
    Get,
    /// `PutObject` or a multipart upload.
    Put,
    /// `DeleteObject`.
    Delete,
}

impl Action {
    /// The IAM permission that it needs.
    pub fn permission(self) -> &'static str {
        match self {
            Self::List => "s3:ListBucket",
            Self::Get => "s3:GetObject",
            Self::Put => "s3:PutObject",
            Self::Delete => "s3:DeleteObject",
        }
    }
}

/// What it was attempted on, shown as `s3://bucket/key`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    bucket: String,
    key: String,
}

impl Target {
    /// A key, or a prefix.
    pub fn new(bucket: &str, key: &str) -> Self {
        Self { bucket: bucket.to_owned(), key: key.to_owned() }
    }

    /// A whole bucket.
    pub fn bucket(bucket: &str) -> Self {
        Self::new(bucket, "")
    }
}

impl fmt::Display for Target {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "s3://{}/{}", self.bucket, self.key)
    }
}

/// Why S3 did not do what was asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum S3Error {
    /// No thread could be started.
    #[error("cannot start threads to wait for S3: {0}")]
    Threads(String),
    /// `s3://` without a bucket, or no such URL.
    #[error("{0} names no bucket: write s3://bucket or s3://bucket/prefix")]
    Url(String),
    /// The chain has no credentials, or getting them failed.
    #[error(
        "no AWS credentials{with}: {reason}; sign in (`aws sso login`), set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or name a profile with --aws-profile"
    )]
    NoCredentials {
        /// The profile or role they were wanted of.
        with: String,
        /// What the SDK said.
        reason: String,
    },
    /// AWS does not know the key, or the signature is wrong.
    #[error(
        "AWS rejects the credentials for {target} ({code}: {message}); check the profile or keys, and --aws-region if the account is in GovCloud or China"
    )]
    Rejected {
        /// What was asked for.
        target: Target,
        /// S3's code.
        code: String,
        /// S3's words.
        message: String,
    },
    /// The session is over and could not be renewed.
    #[error(
        "the AWS session expired while reading {target} ({code}); sign in again (`aws sso login`) or use a role that renews itself, then run again"
    )]
    Expired {
        /// What was asked for.
        target: Target,
        /// S3's code.
        code: String,
    },
    /// There is no such bucket.
    #[error(
        "there is no bucket {bucket} (asked in {region}); check the name, and --aws-region if it is in GovCloud or China"
    )]
    NoSuchBucket {
        /// Its name.
        bucket: String,
        /// Where it was asked for.
        region: String,
    },
    /// Nothing of CloudTrail near the top of a bucket that is too large to be walked.
    #[error(
        "no AWSLogs folder is among the first {looked} folders of s3://{bucket}/; give the prefix that holds it"
    )]
    NoTrail {
        /// Its name.
        bucket: String,
        /// How many folders were looked into.
        looked: usize,
    },
    /// A permission is missing.
    #[error("access denied to {target}: {permission} is missing ({message})")]
    Denied {
        /// What was asked for.
        target: Target,
        /// The IAM permission.
        permission: String,
        /// S3's words.
        message: String,
    },
    /// The bucket is elsewhere.
    #[error("{target} is in another Region ({message}); give it with --aws-region")]
    Elsewhere {
        /// What was asked for.
        target: Target,
        /// S3's words.
        message: String,
    },
    /// The clock here is wrong.
    #[error(
        "the clock of this machine differs too much from AWS's to sign a request for {target}; set it (NTP) and run again"
    )]
    Skew {
        /// What was asked for.
        target: Target,
    },
    /// S3 asks to slow down, still after all retries.
    #[error("S3 throttles requests for {target} ({code}), also after all retries; run again later")]
    Throttled {
        /// What was asked for.
        target: Target,
        /// S3's code.
        code: String,
    },
    /// There is no such key.
    #[error("{target} does not exist any more")]
    Missing {
        /// What was asked for.
        target: Target,
    },
    /// It changed between listing and reading.
    #[error("{target} was overwritten after it was listed; run again")]
    Changed {
        /// What was asked for.
        target: Target,
    },
    /// It has to be restored first.
    #[error("{target} is archived ({message}); restore it, then run again")]
    Archived {
        /// What was asked for.
        target: Target,
        /// S3's words.
        message: String,
    },
    /// Something that somebody else has already; a precondition does not hold.
    #[error("{target} exists already or was changed meanwhile ({code})")]
    Conflict {
        /// What was written.
        target: Target,
        /// S3's code.
        code: String,
    },
    /// No answer, or a broken one, also after all retries.
    #[error(
        "no sound answer for {target} after all retries: {message}; check network, proxy and --endpoint-url"
    )]
    Network {
        /// What was asked for.
        target: Target,
        /// What happened.
        message: String,
    },
    /// It is larger than is read.
    #[error("{target} holds {size} bytes; if it is a real log, raise --max-object-size")]
    TooLarge {
        /// What was asked for.
        target: Target,
        /// Its size.
        size: u64,
    },
    /// Anything else that S3 says.
    #[error("S3 refuses {target} ({code}: {message})")]
    Other {
        /// What was asked for.
        target: Target,
        /// S3's code.
        code: String,
        /// S3's words.
        message: String,
    },
}

impl S3Error {
    pub(super) fn credentials(access: &Access, error: Option<&dyn Error>) -> Self {
        let with = match (&access.role_arn, &access.profile) {
            (Some(role), _) => format!(" for role {role}"),
            (None, Some(profile)) => format!(" in profile {profile}"),
            (None, None) => String::new(),
        };
        let reason = error.map(chain).filter(|reason| !reason.contains("no credentials found in chain"));
        let nowhere = "neither environment, profile, web identity, container nor instance has any";
        let mut reason = reason.unwrap_or_else(|| nowhere.to_owned());
        // The SDK says so where the files of profiles have no such profile.
        if access.profile.is_some() && reason.starts_with("the credential provider was not enabled") {
            "the files of AWS's configuration have no such profile with credentials".clone_into(&mut reason);
        }
        Self::NoCredentials { with, reason }
    }

    /// What an error of the SDK means for `action` on `target`.
    pub fn of<E>(error: &SdkError<E>, action: Action, target: &Target) -> Self
    where
        E: ProvideErrorMetadata + Error + 'static,
    {
        let target = target.clone();
        let status = error.raw_response().map(|response| response.status().as_u16());
        let Some(service) = error.as_service_error() else {
            let message = chain(error);
            return match status {
                Some(503 | 429) => Self::Throttled { target, code: "SlowDown".to_owned() },
                _ if message.contains("credential") => {
                    Self::NoCredentials { with: String::new(), reason: message }
                }
                _ => Self::Network { target, message },
            };
        };
        let code = service.code().unwrap_or_default();
        let message = service.message().unwrap_or_default();
        Self::said(code, message, status.unwrap_or(0), action, target)
    }

    fn said(code: &str, message: &str, status: u16, action: Action, target: Target) -> Self {
        let message = if message.is_empty() { "without a reason" } else { message };
        let (owned, message) = (code.to_owned(), message.to_owned());
        match (code, status) {
            ("NoSuchBucket", _) => {
                Self::NoSuchBucket { bucket: target.bucket, region: "its Region".to_owned() }
            }
            ("NoSuchKey" | "NotFound", _) | ("", 404) => Self::Missing { target },
            ("ExpiredToken" | "TokenRefreshRequired" | "RequestExpired" | "ExpiredTokenException", _) => {
                Self::Expired { target, code: owned }
            }
            (
                "InvalidAccessKeyId"
                | "SignatureDoesNotMatch"
                | "InvalidToken"
                | "AuthFailure"
                | "NotSignedUp"
                | "UnrecognizedClientException"
                | "InvalidClientTokenId",
                _,
            ) => Self::Rejected { target, code: owned, message },
            ("RequestTimeTooSkewed", _) => Self::Skew { target },
            (
                "PermanentRedirect"
                | "AuthorizationHeaderMalformed"
                | "IllegalLocationConstraintException"
                | "TemporaryRedirect",
                _,
            )
            | (_, 301) => Self::Elsewhere { target, message },
            (
                "SlowDown"
                | "Throttling"
                | "ThrottlingException"
                | "RequestLimitExceeded"
                | "TooManyRequests",
                _,
            )
            | ("", 503 | 429) => Self::Throttled { target, code: owned },
            ("InvalidObjectState", _) => Self::Archived { target, message },
            ("PreconditionFailed" | "ConditionalRequestConflict", _) | (_, 412) => match action {
                Action::Get | Action::List => Self::Changed { target },
                Action::Put | Action::Delete => Self::Conflict { target, code: owned },
            },
            ("AccessDenied" | "AllAccessDisabled" | "Forbidden" | "AccessDeniedException", _) | (_, 403) => {
                let permission = permission(&message).unwrap_or(action.permission()).to_owned();
                Self::Denied { target, permission, message }
            }
            ("InternalError" | "ServiceUnavailable" | "RequestTimeout", _) | (_, 500..) => {
                Self::Network { target, message: format!("{owned} {message}") }
            }
            _ => Self::Other { target, code: owned, message },
        }
    }

    /// Whether trying again may help.
    pub fn passes(&self) -> bool {
        matches!(self, Self::Throttled { .. } | Self::Network { .. })
    }

    /// Whether nothing else would succeed either, so that the run ends.
    pub fn fatal(&self) -> bool {
        matches!(
            self,
            Self::Threads(_)
                | Self::Url(_)
                | Self::NoCredentials { .. }
                | Self::Rejected { .. }
                | Self::Expired { .. }
                | Self::NoSuchBucket { .. }
                | Self::NoTrail { .. }
                | Self::Skew { .. }
        )
    }
}

/// The permission that IAM says is missing: `… is not authorized to perform: kms:Decrypt on resource: …`.
fn permission(message: &str) -> Option<&str> {
    let (_, rest) = message.split_once("perform: ")?;
    let name = rest.split([' ', ',']).next().unwrap_or_default();
    (name.contains(':') && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b':'))
        .then_some(name)
}

/// An error with its causes.
pub(super) fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let more = cause.to_string();
        if !text.contains(&more) {
            text = format!("{text}: {more}");
        }
        source = cause.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(code: &str, message: &str, status: u16) -> S3Error {
        S3Error::said(code, message, status, Action::Get, Target::new("logs", "AWSLogs/a.json.gz"))
    }

    #[test]
    fn a_missing_permission_is_named() {
        let plain = said("AccessDenied", "Access Denied", 403);
        assert_eq!(
            plain.to_string(),
            "access denied to s3://logs/AWSLogs/a.json.gz: s3:GetObject is missing (Access Denied)"
        );
        let kms = "User: arn:aws:sts::111122223333:assumed-role/audit/x is not authorized to perform: kms:Decrypt on resource: arn:aws:kms:eu-central-1:111122223333:key/1 because no identity-based policy allows the kms:Decrypt action";
        let S3Error::Denied { permission, .. } = said("AccessDenied", kms, 403) else { panic!("not denied") };
        assert_eq!(permission, "kms:Decrypt");
        assert_eq!(super::permission("perform: <script>"), None);
    }

    #[test]
    fn each_refusal_is_what_it_is() {
        for (code, status, fatal, passes) in [
            ("SlowDown", 503, false, true),
            ("InternalError", 500, false, true),
            ("ExpiredToken", 400, true, false),
            ("InvalidAccessKeyId", 403, true, false),
            ("SignatureDoesNotMatch", 403, true, false),
            ("RequestTimeTooSkewed", 403, true, false),
            ("NoSuchBucket", 404, true, false),
            ("NoSuchKey", 404, false, false),
            ("AccessDenied", 403, false, false),
            ("InvalidObjectState", 403, false, false),
            ("PermanentRedirect", 301, false, false),
            ("PreconditionFailed", 412, false, false),
            ("Weird", 400, false, false),
        ] {
            let error = said(code, "words", status);
            assert_eq!((error.fatal(), error.passes()), (fatal, passes), "{error:?}");
        }
        assert!(matches!(said("InvalidObjectState", "GLACIER", 403), S3Error::Archived { .. }));
        assert!(matches!(said("PreconditionFailed", "", 412), S3Error::Changed { .. }));
        assert!(matches!(said("RequestTimeTooSkewed", "", 403), S3Error::Skew { .. }));
    }
}
