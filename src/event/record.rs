//! One CloudTrail record as logged, borrowed from the bytes it was read from.
//!
//! Fields and versions: CloudTrail user guide, "CloudTrail record contents" and "userIdentity element".
//! Only what the columns need is typed. A field of CloudTrail's own with the wrong type is an error (the
//! record is refused); what services and callers put into the free-form objects is read
//! leniently: a value of another type there is "not recorded".

use std::borrow::Cow;
use std::marker::PhantomData;
use std::ops::Deref;

use serde::Deserialize;
use serde_json::value::RawValue;

/// Text borrowed from the buffer unless it holds escapes. A type of its own because serde makes an
/// `Option<Cow<str>>` owned even where it could borrow.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Text<'a>(pub Cow<'a, str>);

impl Deref for Text<'_> {
    type Target = str;
    fn deref(&self) -> &str {
        &self.0
    }
}

impl<'a> From<&'a str> for Text<'a> {
    fn from(text: &'a str) -> Self {
        Self(Cow::Borrowed(text))
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> serde::de::Visitor<'de> for Visitor {
            type Value = Text<'de>;
            fn expecting(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                out.write_str("text")
            }
            fn visit_borrowed_str<E>(self, value: &'de str) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Borrowed(value)))
            }
            fn visit_str<E>(self, value: &str) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Owned(value.to_owned())))
            }
        }
        deserializer.deserialize_str(Visitor)
    }
}

/// A record's top level. Unknown keys are passed over; a repeated key that is read here is an error.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Record<'a> {
    /// `eventVersion`; absent in some exports.
    #[serde(borrow)]
    pub event_version: Option<Text<'a>>,
    /// `userIdentity`, raw; see [`Identity`].
    #[serde(borrow, deserialize_with = "raw_object")]
    pub user_identity: Option<&'a RawValue>,
    /// `eventTime`, ISO 8601 UTC.
    #[serde(borrow)]
    pub event_time: Option<Text<'a>>,
    /// `eventSource`.
    #[serde(borrow)]
    pub event_source: Option<Text<'a>>,
    /// `eventName`.
    #[serde(borrow)]
    pub event_name: Option<Text<'a>>,
    /// `awsRegion`.
    #[serde(borrow)]
    pub aws_region: Option<Text<'a>>,
    /// `sourceIPAddress`.
    #[serde(borrow, rename = "sourceIPAddress")]
    pub source_ip_address: Option<Text<'a>>,
    /// `userAgent`.
    #[serde(borrow)]
    pub user_agent: Option<Text<'a>>,
    /// `errorCode`.
    #[serde(borrow)]
    pub error_code: Option<Text<'a>>,
    /// `errorMessage`.
    #[serde(borrow)]
    pub error_message: Option<Text<'a>>,
    /// `requestParameters`, raw.
    #[serde(borrow, deserialize_with = "raw_object")]
    pub request_parameters: Option<&'a RawValue>,
    /// `responseElements`, raw.
    #[serde(borrow, deserialize_with = "raw_object")]
    pub response_elements: Option<&'a RawValue>,
    /// `additionalEventData`, raw.
    #[serde(borrow, deserialize_with = "raw_object")]
    pub additional_event_data: Option<&'a RawValue>,
    /// `requestID`.
    #[serde(borrow, rename = "requestID")]
    pub request_id: Option<Text<'a>>,
    /// `eventID`; `eventId` in aggregated events.
    #[serde(borrow, rename = "eventID", alias = "eventId")]
    pub event_id: Option<Text<'a>>,
    /// `eventType`.
    #[serde(borrow)]
    pub event_type: Option<Text<'a>>,
    /// `managementEvent`.
    pub management_event: Option<bool>,
    /// `readOnly`.
    pub read_only: Option<bool>,
    /// `resources`, raw.
    #[serde(borrow, deserialize_with = "raw_array")]
    pub resources: Option<&'a RawValue>,
    /// `recipientAccountId`; `accountId` in aggregated events.
    #[serde(borrow, alias = "accountId")]
    pub recipient_account_id: Option<Text<'a>>,
    /// `serviceEventDetails`, raw.
    #[serde(borrow, deserialize_with = "raw_object")]
    pub service_event_details: Option<&'a RawValue>,
    /// `sharedEventID`.
    #[serde(borrow, rename = "sharedEventID")]
    pub shared_event_id: Option<Text<'a>>,
    /// `vpcEndpointId`.
    #[serde(borrow)]
    pub vpc_endpoint_id: Option<Text<'a>>,
    /// `eventCategory`.
    #[serde(borrow)]
    pub event_category: Option<Text<'a>>,
    /// `addendum`, raw.
    #[serde(borrow, deserialize_with = "raw_object")]
    pub addendum: Option<&'a RawValue>,
    /// `sessionCredentialFromConsole`: the text "true", or a boolean where an export made it one.
    pub session_credential_from_console: Option<Flag>,
    /// `tlsDetails`.
    #[serde(borrow, deserialize_with = "object")]
    pub tls_details: Option<TlsDetails<'a>>,
}

impl Record<'_> {
    /// Whether a VPC endpoint recorded it, rather than the service called. AWS's pages write its type both ways.
    pub fn is_network_activity(&self) -> bool {
        self.event_category.as_deref() == Some("NetworkActivity")
            || matches!(self.event_type.as_deref(), Some("AwsVpceEvent" | "AwsVpceEvents"))
    }
}

/// `tlsDetails`.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct TlsDetails<'a> {
    /// `tlsVersion`, e.g. `TLSv1.3`.
    #[serde(borrow)]
    pub tls_version: Option<Text<'a>>,
    /// `clientProvidedHostHeader`: the endpoint the client called.
    #[serde(borrow)]
    pub client_provided_host_header: Option<Text<'a>>,
}

/// `userIdentity`.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Identity<'a> {
    /// `type`: Root, IAMUser, AssumedRole, …; absent in service events.
    #[serde(borrow, rename = "type")]
    pub kind: Option<Text<'a>>,
    /// `principalId`.
    #[serde(borrow)]
    pub principal_id: Option<Text<'a>>,
    /// `arn`.
    #[serde(borrow)]
    pub arn: Option<Text<'a>>,
    /// `accountId`; `anonymous` for unsigned callers.
    #[serde(borrow)]
    pub account_id: Option<Text<'a>>,
    /// `accessKeyId`.
    #[serde(borrow)]
    pub access_key_id: Option<Text<'a>>,
    /// `userName`.
    #[serde(borrow)]
    pub user_name: Option<Text<'a>>,
    /// `sessionContext`.
    #[serde(borrow, deserialize_with = "object")]
    pub session_context: Option<SessionContext<'a>>,
    /// `invokedBy`.
    #[serde(borrow)]
    pub invoked_by: Option<Text<'a>>,
    /// `identityProvider` of SAML and web-identity users.
    #[serde(borrow)]
    pub identity_provider: Option<Text<'a>>,
    /// `onBehalfOf`: the IAM Identity Center user.
    #[serde(borrow, deserialize_with = "object")]
    pub on_behalf_of: Option<OnBehalfOf<'a>>,
    /// `inScopeOf`: the resource behind a role session.
    #[serde(borrow, deserialize_with = "object")]
    pub in_scope_of: Option<InScopeOf<'a>>,
    /// `invokedByDelegate`.
    #[serde(borrow, deserialize_with = "object")]
    pub invoked_by_delegate: Option<Delegate<'a>>,
}

/// `userIdentity.sessionContext`.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct SessionContext<'a> {
    /// `sessionIssuer`.
    #[serde(borrow, deserialize_with = "object")]
    pub session_issuer: Option<SessionIssuer<'a>>,
    /// `attributes`.
    #[serde(borrow, deserialize_with = "object")]
    pub attributes: Option<SessionAttributes<'a>>,
    /// `sourceIdentity`.
    #[serde(borrow)]
    pub source_identity: Option<Text<'a>>,
}

/// `sessionContext.sessionIssuer`: who the session was issued by, for roles with the path kept.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct SessionIssuer<'a> {
    /// `type`: Role, Root or IAMUser.
    #[serde(borrow, rename = "type")]
    pub kind: Option<Text<'a>>,
    /// `arn`.
    #[serde(borrow)]
    pub arn: Option<Text<'a>>,
    /// `accountId`.
    #[serde(borrow)]
    pub account_id: Option<Text<'a>>,
    /// `userName`.
    #[serde(borrow)]
    pub user_name: Option<Text<'a>>,
}

/// `sessionContext.attributes`.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct SessionAttributes<'a> {
    /// `mfaAuthenticated`: the text "true" or "false".
    #[serde(borrow)]
    pub mfa_authenticated: Option<Text<'a>>,
}

/// `userIdentity.onBehalfOf`.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct OnBehalfOf<'a> {
    /// `userId` in the identity store.
    #[serde(borrow)]
    pub user_id: Option<Text<'a>>,
    /// `identityStoreArn`.
    #[serde(borrow)]
    pub identity_store_arn: Option<Text<'a>>,
}

/// `userIdentity.inScopeOf`.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct InScopeOf<'a> {
    /// `sourceArn`.
    #[serde(borrow)]
    pub source_arn: Option<Text<'a>>,
    /// `issuerType`, e.g. `AWS::Lambda::Function`.
    #[serde(borrow)]
    pub issuer_type: Option<Text<'a>>,
    /// `credentialsIssuedTo`.
    #[serde(borrow)]
    pub credentials_issued_to: Option<Text<'a>>,
}

/// `userIdentity.invokedByDelegate`.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Delegate<'a> {
    /// `accountId` of the partner.
    #[serde(borrow)]
    pub account_id: Option<Text<'a>>,
}

/// A flag that CloudTrail writes as text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Flag(pub bool);

impl<'de> Deserialize<'de> for Flag {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl serde::de::Visitor<'_> for Visitor {
            type Value = Flag;
            fn expecting(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                out.write_str("\"true\", \"false\" or a boolean")
            }
            fn visit_bool<E>(self, value: bool) -> Result<Flag, E> {
                Ok(Flag(value))
            }
            fn visit_str<E: serde::de::Error>(self, value: &str) -> Result<Flag, E> {
                match value {
                    "true" => Ok(Flag(true)),
                    "false" => Ok(Flag(false)),
                    _ => Err(E::invalid_value(serde::de::Unexpected::Str(value), &self)),
                }
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}

/// An object as `T`. Left to itself, serde also takes an array as the fields' values in their order.
fn object<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: serde::Deserializer<'de>,
    T: Deserialize<'de>,
{
    struct Visitor<T>(PhantomData<T>);
    impl<'de, T: Deserialize<'de>> serde::de::Visitor<'de> for Visitor<T> {
        type Value = Option<T>;
        fn expecting(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            out.write_str("an object")
        }
        fn visit_unit<E>(self) -> Result<Option<T>, E> {
            Ok(None)
        }
        fn visit_map<A: serde::de::MapAccess<'de>>(self, map: A) -> Result<Option<T>, A::Error> {
            T::deserialize(serde::de::value::MapAccessDeserializer::new(map)).map(Some)
        }
    }
    deserializer.deserialize_any(Visitor(PhantomData))
}

fn raw_object<'de: 'a, 'a, D>(deserializer: D) -> Result<Option<&'a RawValue>, D::Error>
where
    D: serde::Deserializer<'de>,
{
    raw(deserializer, '{', "an object")
}

fn raw_array<'de: 'a, 'a, D>(deserializer: D) -> Result<Option<&'a RawValue>, D::Error>
where
    D: serde::Deserializer<'de>,
{
    raw(deserializer, '[', "an array")
}

fn raw<'de: 'a, 'a, D>(
    deserializer: D,
    opens: char,
    expected: &'static str,
) -> Result<Option<&'a RawValue>, D::Error>
where
    D: serde::Deserializer<'de>,
{
    let value = <Option<&'a RawValue>>::deserialize(deserializer)?;
    match value.map(|value| value.get().chars().next().unwrap_or_default()) {
        None => Ok(None),
        Some(first) if first == opens => Ok(value),
        Some(first) => {
            use serde::de::{Error as _, Unexpected};
            let found = match first {
                '{' => Unexpected::Map,
                '[' => Unexpected::Seq,
                '"' => Unexpected::Other("string"),
                't' | 'f' => Unexpected::Other("boolean"),
                _ => Unexpected::Other("number"),
            };
            Err(D::Error::invalid_type(found, &expected))
        }
    }
}
