//! What the services refuse, said for what it is: what was asked, which permission is missing, and what to do.

use std::error::Error;

use aws_sdk_cloudtrail::error::{ProvideErrorMetadata, SdkError};

/// Why an API did not do what was asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ApiError {
    /// A source that is written wrongly.
    #[error("{given} is no source: write {form}")]
    Source {
        /// What was typed.
        given: String,
        /// What it should look like.
        form: &'static str,
    },
    /// A query without a beginning.
    #[error(
        "{source_name} needs --from: the service bills what a query scans, and without a beginning that is all there is"
    )]
    Endless {
        /// The source.
        source_name: String,
    },
    /// A Region that nobody asked for.
    #[error("{given} is not among the Regions given with --region")]
    Region {
        /// The source.
        given: String,
    },
    /// A permission is missing.
    #[error("access denied to {target}: {permission} is missing ({message})")]
    Denied {
        /// What was asked.
        target: String,
        /// The IAM permission.
        permission: String,
        /// The service's words.
        message: String,
    },
    /// AWS does not know the key; in a Region that has to be opted into, that it is not enabled.
    #[error("AWS rejects the credentials for {target} ({code}: {message}); check the profile or keys")]
    Rejected {
        /// What was asked.
        target: String,
        /// The service's code.
        code: String,
        /// The service's words.
        message: String,
    },
    /// The session is over and could not be renewed.
    #[error(
        "the AWS session expired while reading {target} ({code}); sign in again (`aws sso login`) or use a role that renews itself, then run again"
    )]
    Expired {
        /// What was asked.
        target: String,
        /// The service's code.
        code: String,
    },
    /// The service asks to slow down, still after all retries.
    #[error("{target} is throttled ({code}), also after all retries; run again later")]
    Throttled {
        /// What was asked.
        target: String,
        /// The service's code.
        code: String,
    },
    /// A place in an answer that the service does not know any more.
    #[error("{target}: the service rejects its own token for the next page ({message})")]
    Token {
        /// What was asked.
        target: String,
        /// The service's words.
        message: String,
    },
    /// No answer, or a broken one, also after all retries.
    #[error("no sound answer for {target} after all retries: {message}; check network, proxy and endpoints")]
    Network {
        /// What was asked.
        target: String,
        /// What happened.
        message: String,
    },
    /// An event data store that answers no query.
    #[error("the event data store {store} cannot be queried: {state}")]
    Store {
        /// Its id.
        store: String,
        /// Why.
        state: String,
    },
    /// A table that is none of CloudTrail's.
    #[error("{table} is no CloudTrail table: it lacks the columns {missing}")]
    Columns {
        /// The table.
        table: String,
        /// What it lacks.
        missing: String,
    },
    /// Anything else that a service says.
    #[error("{target} is refused ({code}: {message}){help}")]
    Other {
        /// What was asked.
        target: String,
        /// The service's code.
        code: String,
        /// The service's words.
        message: String,
        /// What to do, where that is known, after a semicolon.
        help: String,
    },
}

impl ApiError {
    /// What an error of the SDK means for a call that needs `permission`.
    pub(super) fn of<E>(error: &SdkError<E>, permission: &str, target: &str) -> Self
    where
        E: ProvideErrorMetadata + Error + 'static,
    {
        let status = error.raw_response().map(|response| response.status().as_u16());
        let Some(service) = error.as_service_error() else {
            let message = chain(error);
            let target = target.to_owned();
            return match status {
                Some(503 | 429) => Self::Throttled { target, code: "SlowDown".to_owned() },
                _ => Self::Network { target, message },
            };
        };
        let (code, message) = (service.code().unwrap_or_default(), service.message().unwrap_or_default());
        Self::said(code, message, status.unwrap_or(0), permission, target)
    }

    fn said(code: &str, message: &str, status: u16, permission: &str, target: &str) -> Self {
        let message = if message.is_empty() { "without a reason" } else { message };
        let (code, message, target) = (code.to_owned(), message.to_owned(), target.to_owned());
        match code.as_str() {
            "AccessDenied" | "AccessDeniedException" | "UnauthorizedOperation" | "NotAuthorized" => {
                let permission = missing(&message).unwrap_or(permission).to_owned();
                Self::Denied { target, permission, message }
            }
            "ExpiredToken" | "ExpiredTokenException" | "RequestExpired" => Self::Expired { target, code },
            "UnrecognizedClientException"
            | "InvalidClientTokenId"
            | "CloudTrailInvalidClientTokenIdException"
            | "AuthFailure"
            | "InvalidSignatureException"
            | "SignatureDoesNotMatch"
            | "MissingAuthenticationToken"
            | "OptInRequired" => Self::Rejected { target, code, message },
            "ThrottlingException"
            | "Throttling"
            | "TooManyRequestsException"
            | "RequestLimitExceeded"
            | "SlowDown"
            | "MaxConcurrentQueriesException" => Self::Throttled { target, code },
            "InvalidNextTokenException" => Self::Token { target, message },
            "InactiveEventDataStoreException"
            | "EventDataStoreNotFoundException"
            | "EventDataStoreARNInvalidException" => Self::Store { store: target, state: message },
            "InternalFailure"
            | "InternalError"
            | "InternalServerException"
            | "ServiceUnavailable"
            | "ServiceUnavailableException" => Self::Network { target, message: format!("{code} {message}") },
            _ if status >= 500 => Self::Network { target, message: format!("{code} {message}") },
            _ => {
                let help = help(&message);
                Self::Other { target, code, message, help }
            }
        }
    }

    /// A query that the service gave up.
    pub fn failed(target: &str, state: &str, reason: &str) -> Self {
        let reason = if reason.is_empty() { "without a reason" } else { reason };
        Self::Other {
            target: target.to_owned(),
            code: state.to_owned(),
            message: reason.to_owned(),
            help: help(reason),
        }
    }

    /// Whether nothing else would succeed either, so that the run ends.
    pub fn fatal(&self) -> bool {
        matches!(self, Self::Rejected { .. } | Self::Expired { .. })
    }

    /// Whether the command line is at fault.
    pub fn usage(&self) -> bool {
        matches!(self, Self::Source { .. } | Self::Endless { .. } | Self::Region { .. })
    }
}

/// What helps against a refusal that names what it lacks, after a semicolon.
fn help(message: &str) -> String {
    let lower = message.to_ascii_lowercase();
    let has = |part: &str| lower.contains(part);
    let not_there = has("not found") || has("entitynotfound") || has("entity not found");
    let help = if has("lake formation") && has("create") {
        "; the catalogue is governed by Lake Formation: grant this role there what is required"
    } else if has("lake formation") {
        "; the table is governed by Lake Formation: grant this role SELECT and DESCRIBE on it there"
    } else if has("output location") || has("outputlocation") {
        "; name a place for results with --athena-output s3://bucket/prefix/, or a workgroup that has one"
    } else if has("glue") && has("not authorized") {
        match missing(message) {
            Some(permission) if !permission.starts_with("glue:Get") => {
                return format!("; the role needs {permission}");
            }
            _ => "; the role needs glue:GetDatabase, glue:GetTable and glue:GetPartitions",
        }
    } else if (has("access denied") || has("permission denied")) && has("s3") {
        "; the role needs s3:GetObject and s3:ListBucket where the logs lie, kms:Decrypt for their key, and s3:PutObject, s3:GetObject and s3:GetBucketLocation where results go"
    } else if has("bytes scanned limit") {
        "; this is the workgroup's limit for a query: ask for less time, or for another workgroup"
    } else if has("exhausted resources") {
        "; ask for less time, or for fewer accounts or Regions (--account, --region)"
    } else if has("workgroup") && (not_there || has("disabled")) {
        "; name another with --athena-workgroup, or its Region with --aws-region"
    } else if not_there {
        "; check its name, the Region (--aws-region) and the data catalogue (--athena-catalog)"
    } else {
        ""
    };
    help.to_owned()
}

/// The permission that IAM says is missing: `… is not authorized to perform: cloudtrail:LookupEvents on …`.
fn missing(message: &str) -> Option<&str> {
    let (_, rest) = message.split_once("perform: ")?;
    let name = rest.split([' ', ',']).next().unwrap_or_default();
    (name.contains(':') && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b":-".contains(&byte)))
        .then_some(name)
}

/// An error with its causes.
fn chain(error: &dyn Error) -> String {
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

    fn said(code: &str, message: &str) -> ApiError {
        ApiError::said(code, message, 400, "cloudtrail:LookupEvents", "lookup:eu-west-1")
    }

    #[test]
    fn a_missing_permission_is_named() {
        assert_eq!(
            said("AccessDeniedException", "").to_string(),
            "access denied to lookup:eu-west-1: cloudtrail:LookupEvents is missing (without a reason)"
        );
        let words =
            "User: arn:aws:iam::111122223333:user/x is not authorized to perform: kms:Decrypt on resource: *";
        let ApiError::Denied { permission, .. } = said("AccessDeniedException", words) else {
            panic!("not denied")
        };
        assert_eq!(permission, "kms:Decrypt");
    }

    #[test]
    fn each_refusal_is_what_it_is() {
        assert!(matches!(said("ThrottlingException", "Rate exceeded"), ApiError::Throttled { .. }));
        assert!(matches!(said("InvalidNextTokenException", ""), ApiError::Token { .. }));
        assert!(said("ExpiredTokenException", "").fatal());
        assert!(said("UnrecognizedClientException", "").fatal());
        assert!(!said("AccessDeniedException", "").fatal());
        let formation = ApiError::failed("athena:a.b", "FAILED", "Insufficient Lake Formation permission(s)");
        assert!(formation.to_string().ends_with("grant this role SELECT and DESCRIBE on it there"));
        for (message, remedy) in [
            ("No output location provided.", "--athena-output"),
            (
                "Insufficient Lake Formation permission(s): Required Create Database on Catalog",
                "what is required",
            ),
            ("Permission denied on S3 path: s3://acme-logs/AWSLogs/", "s3:GetObject and s3:ListBucket"),
            (
                "User is not authorized to perform: glue:CreateTable on resource: x",
                "; the role needs glue:CreateTable",
            ),
            ("User is not authorized to perform: glue:GetTable on resource: x", "glue:GetPartitions"),
            ("Query exhausted resources: Bytes scanned limit was exceeded", "the workgroup's limit"),
            ("Query exhausted resources at this scale factor", "ask for less time"),
            ("WorkGroup audit is not found.", "--athena-workgroup"),
            ("WorkGroup is disabled.", "--athena-workgroup"),
            ("EntityNotFoundException: Entity Not Found", "--athena-catalog"),
        ] {
            let told = said("InvalidRequestException", message).to_string();
            assert!(told.contains(remedy), "{told}");
        }
    }
}
