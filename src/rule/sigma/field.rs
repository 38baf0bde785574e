//! CloudTrail's fields as Sigma names them, and what holds them here.

use crate::event::column::{Field, Kind};

/// Fields that have a column of their own with the same content, sorted by field.
const COLUMNS: &[(&str, Field)] = &[
    ("awsRegion", Field::AwsRegion),
    ("errorCode", Field::ErrorCode),
    ("errorMessage", Field::ErrorMessage),
    ("eventCategory", Field::EventCategory),
    ("eventID", Field::EventId),
    ("eventName", Field::EventName),
    ("eventSource", Field::EventSource),
    ("eventType", Field::EventType),
    ("readOnly", Field::ReadOnly),
    ("recipientAccountId", Field::AccountId),
    ("requestID", Field::RequestId),
    ("sharedEventID", Field::SharedEventId),
    ("sourceIPAddress", Field::SourceIp),
    ("tlsDetails.clientProvidedHostHeader", Field::EndpointHost),
    ("tlsDetails.tlsVersion", Field::TlsVersion),
    ("userAgent", Field::UserAgent),
    ("userIdentity.accessKeyId", Field::AccessKeyId),
    ("userIdentity.accountId", Field::PrincipalAccountId),
    ("userIdentity.arn", Field::PrincipalArn),
    ("userIdentity.invokedBy", Field::InvokedBy),
    ("userIdentity.principalId", Field::PrincipalId),
    ("userIdentity.sessionContext.sourceIdentity", Field::SourceIdentity),
    ("userIdentity.type", Field::PrincipalType),
    ("vpcEndpointId", Field::VpcEndpointId),
];

/// Fields that are JSON here, read by path; sorted.
const JSON: &[(&str, Field)] = &[
    ("addendum", Field::Addendum),
    ("additionalEventData", Field::AdditionalEventData),
    ("requestParameters", Field::RequestParameters),
    ("resources", Field::Resources),
    ("responseElements", Field::ResponseElements),
    ("serviceEventDetails", Field::ServiceEventDetails),
    ("userIdentity", Field::UserIdentity),
];

/// So many members of a list are looked at.
const MEMBERS: usize = 10;

/// Where a field of CloudTrail is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Held {
    /// The column.
    pub(super) column: Field,
    /// The path in it, if it is JSON and not meant as a whole.
    pub(super) path: Option<String>,
}

impl Held {
    /// The field's value as text; for a part of JSON that is an object or an array, null.
    pub(super) fn scalar(&self) -> String {
        let column = self.column.name();
        match &self.path {
            Some(path) => format!("json_extract_scalar({column}, '{path}')"),
            None => column.to_owned(),
        }
    }

    /// The same; for a part of JSON that is an object or an array, its text.
    pub(super) fn whole(&self) -> String {
        let column = self.column.name();
        match &self.path {
            Some(path) => {
                format!("COALESCE({}, json_format(json_extract({column}, '{path}')))", self.scalar())
            }
            None => column.to_owned(),
        }
    }

    /// The field in each member of a list: Sigma's paths pass over lists without a word. Empty where no step before the
    /// last could be one.
    pub(super) fn members(&self) -> Vec<Self> {
        let Some(path) = &self.path else { return Vec::new() };
        if self.column == Field::UserIdentity {
            return Vec::new();
        }
        let dots = path.match_indices('.').map(|(at, _)| at).skip(1);
        let inside = |at: usize, member: usize| {
            let path = Some(format!("{}[{member}]{}", &path[..at], &path[at..]));
            Self { column: self.column, path }
        };
        dots.flat_map(|at| (0..MEMBERS).map(move |member| inside(at, member))).collect()
    }

    /// Whether it is true or false, not text.
    pub(super) fn flag(&self) -> bool {
        self.path.is_none() && self.column.column().kind == Kind::Bool
    }
}

/// What holds a field.
pub(super) fn held(field: &str) -> Result<Held, String> {
    if let Some((_, column)) = COLUMNS.iter().find(|(name, _)| *name == field) {
        return Ok(Held { column: *column, path: None });
    }
    let (root, rest) = field.split_once('.').map_or((field, None), |(root, rest)| (root, Some(rest)));
    let Some((_, column)) = JSON.iter().find(|(name, _)| *name == root) else {
        let near = crate::query_file::nearest(field, COLUMNS.iter().chain(JSON).map(|(name, _)| *name));
        let near = near.map(|near| format!("; did you mean {near}?")).unwrap_or_default();
        return Err(format!("CloudTrail's field {} is in no column{near}", super::shown(field)));
    };
    let Some(rest) = rest else { return Ok(Held { column: *column, path: None }) };
    if *column == Field::Resources {
        return Err(
            "resources is a list, and its members have no path; match the text of resources".to_owned()
        );
    }
    let plain = |step: &str| {
        !step.is_empty() && step.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | ':'))
    };
    if !rest.split('.').all(plain) {
        return Err(format!("the path {} cannot be written", super::shown(field)));
    }
    Ok(Held { column: *column, path: Some(format!("$.{rest}")) })
}

/// The field that a column holds, if it is CloudTrail's own.
pub(super) fn named(column: &str) -> Option<&'static str> {
    COLUMNS.iter().chain(JSON).find(|(_, field)| field.name() == column).map(|(name, _)| *name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_are_sorted() {
        assert!(COLUMNS.is_sorted_by_key(|(name, _)| *name) && JSON.is_sorted_by_key(|(name, _)| *name));
    }

    #[test]
    fn fields_lead_to_columns_and_paths() {
        assert_eq!(held("eventName").unwrap().scalar(), "event_name");
        assert_eq!(held("requestParameters").unwrap().scalar(), "request_parameters");
        assert_eq!(
            held("userIdentity.sessionContext.sessionIssuer.type").unwrap().scalar(),
            "json_extract_scalar(user_identity, '$.sessionContext.sessionIssuer.type')"
        );
        for (wrong, told) in [
            ("eventNam", "did you mean eventName?"),
            ("status", "is in no column"),
            ("resources.ARN", "is a list"),
            ("requestParameters.a'b", "cannot be written"),
        ] {
            let error = held(wrong).unwrap_err();
            assert!(error.contains(told), "{error}");
        }
        assert_eq!(named("event_source"), Some("eventSource"));
        let members = held("requestParameters.containerDefinitions.command").unwrap().members();
        assert_eq!(members.len(), MEMBERS);
        assert_eq!(members[1].path.as_deref(), Some("$.containerDefinitions[1].command"));
        for single in
            ["eventName", "requestParameters.layers", "userIdentity.sessionContext.sessionIssuer.arn"]
        {
            assert_eq!(held(single).unwrap().members(), []);
        }
    }
}
