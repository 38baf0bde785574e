//! One record, written as CloudTrail writes it: the field order of real log files, one line, no white space.

use std::fmt::Write as _;

use chrono::DateTime;

use super::caller::Caller;
use super::random::Random;
use super::truth::Fact;

/// A record's text with what it counts as.
#[derive(Clone, Debug)]
pub struct Event {
    pub text: String,
    pub fact: Fact,
    /// Seconds since the epoch.
    pub time: i64,
}

/// A record about to be written. `None` leaves a field out; JSON fields hold JSON text.
#[derive(Clone, Debug)]
pub struct Draft {
    pub version: &'static str,
    pub identity: String,
    pub time: i64,
    pub source: String,
    pub name: String,
    pub region: String,
    pub ip: String,
    pub agent: Option<String>,
    pub error: Option<(String, String)>,
    pub parameters: Option<String>,
    pub response: Option<String>,
    pub additional: Option<String>,
    pub request_id: Option<String>,
    pub event_id: String,
    pub read_only: Option<bool>,
    pub resources: Option<String>,
    pub kind: &'static str,
    pub api_version: Option<&'static str>,
    pub management: Option<bool>,
    pub recipient: String,
    pub details: Option<String>,
    pub shared_id: Option<String>,
    pub endpoint: Option<String>,
    pub category: &'static str,
    /// `tlsDetails.clientProvidedHostHeader`; no `tlsDetails` without it.
    pub host: Option<String>,
    pub console: bool,
}

impl Draft {
    /// A management call by `caller`, with null parameters and response.
    pub fn new(
        caller: &Caller,
        time: i64,
        region: &str,
        source: &str,
        name: &str,
        random: &mut Random,
    ) -> Self {
        let host = source.strip_suffix(".amazonaws.com").unwrap_or(source);
        Self {
            version: "1.11",
            identity: caller.identity(),
            time,
            source: source.to_owned(),
            name: name.to_owned(),
            region: region.to_owned(),
            ip: caller.source_ip(),
            agent: Some(caller.user_agent()),
            error: None,
            parameters: Some("null".to_owned()),
            response: Some("null".to_owned()),
            additional: None,
            request_id: Some(random.uuid()),
            event_id: random.uuid(),
            read_only: Some(true),
            resources: None,
            kind: "AwsApiCall",
            api_version: None,
            management: Some(true),
            recipient: caller.account.clone(),
            details: None,
            shared_id: None,
            endpoint: caller.endpoint.clone(),
            category: "Management",
            host: caller.invoked_by.is_none().then(|| format!("{host}.{region}.amazonaws.com")),
            console: caller.console,
        }
    }

    /// Makes it a data event on a resource of this type.
    pub fn data(mut self, kind: &str, arn: &str) -> Self {
        self.management = Some(false);
        self.category = "Data";
        self.resources = Some(resource(&self.recipient, kind, arn));
        self
    }

    /// Sets `requestParameters`.
    pub fn parameters(mut self, json: impl Into<String>) -> Self {
        self.parameters = Some(json.into());
        self
    }

    /// Sets `responseElements`, and `readOnly` to false.
    pub fn response(mut self, json: impl Into<String>) -> Self {
        self.response = Some(json.into());
        self.write()
    }

    /// Sets `readOnly` to false.
    pub fn write(mut self) -> Self {
        self.read_only = Some(false);
        self
    }

    /// Makes the call fail.
    pub fn error(mut self, code: &str, message: &str) -> Self {
        self.error = Some((code.to_owned(), message.to_owned()));
        self
    }

    /// Writes the record.
    pub fn event(&self, fact: Fact) -> Event {
        Event { text: self.text(), fact, time: self.time }
    }

    /// The record's JSON text.
    pub fn text(&self) -> String {
        let mut out = String::with_capacity(2048);
        let mut field = |key: &str, json: &str| {
            out.push(if out.is_empty() { '{' } else { ',' });
            out.push('"');
            out.push_str(key);
            out.push_str("\":");
            out.push_str(json);
        };
        field("eventVersion", &quoted(self.version));
        field("userIdentity", &self.identity);
        field("eventTime", &quoted(&stamp(self.time)));
        field("eventSource", &quoted(&self.source));
        field("eventName", &quoted(&self.name));
        field("awsRegion", &quoted(&self.region));
        field("sourceIPAddress", &quoted(&self.ip));
        optional(&mut field, "userAgent", self.agent.as_deref());
        if let Some((code, message)) = &self.error {
            field("errorCode", &quoted(code));
            field("errorMessage", &quoted(message));
        }
        raw(&mut field, "requestParameters", self.parameters.as_deref());
        raw(&mut field, "responseElements", self.response.as_deref());
        raw(&mut field, "additionalEventData", self.additional.as_deref());
        optional(&mut field, "requestID", self.request_id.as_deref());
        field("eventID", &quoted(&self.event_id));
        raw(&mut field, "readOnly", self.read_only.map(boolean));
        raw(&mut field, "resources", self.resources.as_deref());
        field("eventType", &quoted(self.kind));
        optional(&mut field, "apiVersion", self.api_version);
        raw(&mut field, "managementEvent", self.management.map(boolean));
        field("recipientAccountId", &quoted(&self.recipient));
        raw(&mut field, "serviceEventDetails", self.details.as_deref());
        optional(&mut field, "sharedEventID", self.shared_id.as_deref());
        optional(&mut field, "vpcEndpointId", self.endpoint.as_deref());
        if self.endpoint.is_some() {
            field("vpcEndpointAccountId", &quoted(&self.recipient));
        }
        field("eventCategory", &quoted(self.category));
        if let Some(host) = &self.host {
            let tls = r#""tlsVersion":"TLSv1.3","cipherSuite":"TLS_AES_128_GCM_SHA256""#;
            field("tlsDetails", &format!(r#"{{{tls},"clientProvidedHostHeader":{}}}"#, quoted(host)));
        }
        if self.console {
            field("sessionCredentialFromConsole", r#""true""#);
        }
        out.push('}');
        out
    }
}

fn optional(field: &mut impl FnMut(&str, &str), key: &str, text: Option<&str>) {
    if let Some(text) = text {
        field(key, &quoted(text));
    }
}

fn raw(field: &mut impl FnMut(&str, &str), key: &str, json: Option<&str>) {
    if let Some(json) = json {
        field(key, json);
    }
}

fn boolean(value: bool) -> &'static str {
    if value { "true" } else { "false" }
}

/// The `resources` of a record with one resource.
pub fn resource(account: &str, kind: &str, arn: &str) -> String {
    format!(r#"[{{"accountId":"{account}","type":"{kind}","ARN":{}}}]"#, quoted(arn))
}

/// A JSON string.
pub fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    if text.bytes().all(|byte| byte >= b' ' && byte != b'"' && byte != b'\\') {
        out.push_str(text);
    } else {
        for letter in text.chars() {
            match letter {
                '"' => out.push_str("\\\""),
                '\\' => out.push_str("\\\\"),
                '\n' => out.push_str("\\n"),
                control if control < ' ' => {
                    write!(out, "\\u{:04x}", u32::from(control)).expect("to a string");
                }
                other => out.push(other),
            }
        }
    }
    out.push('"');
    out
}

/// Seconds since the epoch as CloudTrail writes a time.
pub fn stamp(time: i64) -> String {
    format_time(time, "%Y-%m-%dT%H:%M:%SZ")
}

/// Seconds since the epoch in a `strftime` pattern.
pub fn format_time(time: i64, pattern: &str) -> String {
    DateTime::from_timestamp(time, 0).expect("a time of this century").format(pattern).to_string()
}

/// Midnight UTC of a day of October 2026, where all generated logs play.
pub const fn october(day: i64) -> i64 {
    1_790_812_800 + (day - 1) * 86_400
}
