//! The columns of a CloudTrail table, asked for one value at a time, and rows turned back into the records they were made of.
//!
//! Catalogues know names in lower case only, and text of maps is text of no known grammar: so every value is selected on
//! its own, maps and arrays as JSON, and names get back the letters CloudTrail writes.

use serde_json::{Map, Value};

use super::hive::Type;

/// What a value is made into.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Text.
    Text,
    /// A time in SQL's spelling.
    Time,
    /// `true` or `false`.
    Flag,
    /// JSON in a text, as the service logged it.
    Logged,
    /// JSON made of a map whose values all are text.
    Map,
    /// JSON made by SQL.
    Json,
}

/// One value to select, and its place in the record.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Cell {
    expression: String,
    path: Vec<String>,
    kind: Kind,
}

/// What is selected of a table.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Selection {
    cells: Vec<Cell>,
}

/// CloudTrail's own spelling of the names in a record (record contents, userIdentity element), sorted.
const NAMES: &[&str] = &[
    "accessKeyId",
    "accountId",
    "addendum",
    "additionalEventData",
    "apiVersion",
    "arn",
    "assumedRoot",
    "attributes",
    "awsRegion",
    "cipherSuite",
    "clientProvidedHostHeader",
    "creationDate",
    "credentialId",
    "credentialsIssuedTo",
    "ec2IssuedInVpc",
    "ec2RoleDelivery",
    "edgeDeviceDetails",
    "errorCode",
    "errorMessage",
    "eventCategory",
    "eventContext",
    "eventID",
    "eventName",
    "eventSource",
    "eventTime",
    "eventType",
    "eventVersion",
    "federatedProvider",
    "identityProvider",
    "identityStoreArn",
    "inScopeOf",
    "insightDetails",
    "invokedBy",
    "invokedByDelegate",
    "issuerType",
    "keyExchange",
    "managementEvent",
    "mfaAuthenticated",
    "onBehalfOf",
    "originalEventID",
    "originalRequestID",
    "principalId",
    "readOnly",
    "reason",
    "recipientAccountId",
    "requestID",
    "requestParameters",
    "resources",
    "responseElements",
    "serviceEventDetails",
    "sessionContext",
    "sessionCredentialFromConsole",
    "sessionIssuer",
    "sharedEventID",
    "sourceAccount",
    "sourceArn",
    "sourceIdentity",
    "sourceIPAddress",
    "tlsDetails",
    "tlsVersion",
    "type",
    "updatedFields",
    "userAgent",
    "userId",
    "userIdentity",
    "userName",
    "vpcEndpointAccountId",
    "vpcEndpointId",
    "webIdFederationData",
];

/// Names that are spelt otherwise in AWS's own schemas.
const MISSPELT: &[(&str, &str)] = &[
    ("credentiaisissuedto", "credentialsIssuedTo"),
    ("vpcendpointaccountid", "vpcEndpointAccountId"),
    ("vpcendpointid", "vpcEndpointId"),
];

/// The name as CloudTrail writes it, if it is one of its.
pub fn known(name: &str) -> Option<&'static str> {
    let misspelt = MISSPELT.iter().find(|(wrong, _)| *wrong == name).map(|(_, right)| *right);
    misspelt.or_else(|| NAMES.iter().find(|known| known.eq_ignore_ascii_case(name)).copied())
}

impl Selection {
    /// Everything of `columns` (name and type) that CloudTrail writes. `quote` puts names into quotes.
    pub(super) fn of(columns: &[(String, Type)], quote: bool) -> Self {
        let mut selection = Self::default();
        for (name, kind) in columns {
            if let Some(known) = known(name) {
                selection.add(&identifier(name, quote), vec![known.to_owned()], kind, quote);
            }
        }
        selection
    }

    fn add(&mut self, expression: &str, path: Vec<String>, kind: &Type, quote: bool) {
        let name = path.last().map_or("", String::as_str);
        match kind {
            Type::Struct(fields) => {
                for (field, kind) in fields {
                    let mut below = path.clone();
                    below.push(known(field).map_or_else(|| field.clone(), str::to_owned));
                    self.add(&format!("{expression}.{}", identifier(field, quote)), below, kind, quote);
                }
            }
            Type::Scalar(scalar) => {
                let text = scalar == "string" || scalar.starts_with("varchar") || scalar.starts_with("char");
                let kind = match name {
                    "readOnly" | "managementEvent" => Kind::Flag,
                    "requestParameters"
                    | "responseElements"
                    | "additionalEventData"
                    | "serviceEventDetails"
                    | "resources"
                    | "addendum"
                    | "edgeDeviceDetails"
                    | "insightDetails"
                    | "eventContext"
                    | "tlsDetails"
                    | "userIdentity" => Kind::Logged,
                    _ if scalar.starts_with("timestamp") => Kind::Time,
                    _ => Kind::Text,
                };
                let expression =
                    if text { expression.to_owned() } else { format!("CAST({expression} AS varchar)") };
                self.cells.push(Cell { expression, path, kind });
            }
            Type::Map => {
                let expression = format!("json_format(CAST({expression} AS JSON))");
                self.cells.push(Cell { expression, path, kind: Kind::Map });
            }
            Type::Array(element) => {
                let expression = match &**element {
                    Type::Struct(fields) => {
                        let spelt = |field: &str| match (name, field) {
                            ("resources", "arn") => "'ARN'".to_owned(),
                            ("resources", "arnprefix") => "'ARNPrefix'".to_owned(),
                            _ => format!("'{}'", known(field).unwrap_or(field)),
                        };
                        let names: Vec<String> = fields.iter().map(|(field, _)| spelt(field)).collect();
                        let values: Vec<String> = fields
                            .iter()
                            .map(|(field, _)| format!("CAST(r.{} AS varchar)", identifier(field, quote)))
                            .collect();
                        format!(
                            "json_format(CAST(transform({expression}, r -> map(ARRAY[{}], ARRAY[{}])) AS JSON))",
                            names.join(", "),
                            values.join(", ")
                        )
                    }
                    _ => format!("json_format(CAST({expression} AS JSON))"),
                };
                self.cells.push(Cell { expression, path, kind: Kind::Json });
            }
        }
    }

    /// The list after SELECT: `a AS c0, b AS c1`.
    pub(super) fn list(&self) -> String {
        let one = |(at, cell): (usize, &Cell)| format!("{} AS c{at}", cell.expression);
        self.cells.iter().enumerate().map(one).collect::<Vec<_>>().join(", ")
    }

    /// How many values a row has.
    pub(super) fn len(&self) -> usize {
        self.cells.len()
    }

    /// The record that a row was made of.
    pub(super) fn record(&self, row: &[Option<&str>]) -> String {
        let mut record = Map::new();
        for (cell, value) in self.cells.iter().zip(row) {
            let Some(value) = value else { continue };
            let Some(value) = cell.kind.value(value) else { continue };
            put(&mut record, &cell.path, value);
        }
        Value::Object(record).to_string()
    }
}

fn put(record: &mut Map<String, Value>, path: &[String], value: Value) {
    match path {
        [] => {}
        [name] => {
            record.insert(name.clone(), value);
        }
        [name, rest @ ..] => {
            let below = record.entry(name.clone()).or_insert_with(|| Value::Object(Map::new()));
            if let Value::Object(below) = below {
                put(below, rest, value);
            }
        }
    }
}

impl Kind {
    fn value(self, text: &str) -> Option<Value> {
        let plain = || Value::String(text.to_owned());
        Some(match self {
            Self::Text => plain(),
            Self::Time => Value::String(time(text)),
            Self::Flag => match text {
                "true" => Value::Bool(true),
                "false" => Value::Bool(false),
                _ => plain(),
            },
            Self::Logged => match serde_json::from_str(text) {
                Ok(Value::Null) => return None,
                Ok(value @ (Value::Object(_) | Value::Array(_))) => value,
                _ if text.is_empty() => return None,
                // What a SerDe writes that knows no JSON is kept as it is.
                _ => plain(),
            },
            Self::Map => match serde_json::from_str(text) {
                Ok(Value::Object(map)) => {
                    map.into_iter().map(|(key, value)| (key.clone(), member(&key, value))).collect()
                }
                Ok(Value::Null) => return None,
                _ => plain(),
            },
            Self::Json => match serde_json::from_str(text) {
                Ok(Value::Null) => return None,
                Ok(value) => without_nulls(value),
                Err(_) => plain(),
            },
        })
    }
}

/// What a text in a map was before all values became text: flags and what is JSON inside, and counts by their names. Other
/// digits stay text: account ids and versions are logged as text.
fn member(key: &str, value: Value) -> Value {
    let Value::String(text) = &value else { return value };
    let number = || {
        let counts = ["Tokens", "Count", "Seconds", "tokens"].iter().any(|end| key.ends_with(end));
        text.parse::<i64>().ok().filter(|_| counts).map(Value::from)
    };
    match text.as_str() {
        "true" => Value::Bool(true),
        "false" => Value::Bool(false),
        text if text.starts_with(['{', '[']) => serde_json::from_str(text).unwrap_or(value),
        _ => number().unwrap_or(value),
    }
}

fn without_nulls(value: Value) -> Value {
    match value {
        Value::Array(values) => values.into_iter().map(without_nulls).collect(),
        Value::Object(map) => map.into_iter().filter(|(_, value)| !value.is_null()).collect(),
        other => other,
    }
}

/// `2026-10-01 12:00:00.000` as CloudTrail writes it.
fn time(text: &str) -> String {
    let text = text.trim_end_matches(" UTC");
    match text.split_once(' ') {
        Some((day, clock)) => {
            let seconds = clock.split_once('.').map_or(clock, |(seconds, _)| seconds);
            format!("{day}T{seconds}Z")
        }
        None => text.to_owned(),
    }
}

fn identifier(name: &str, quote: bool) -> String {
    if quote { format!("\"{}\"", name.replace('"', "\"\"")) } else { name.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn columns(list: &[(&str, &str)]) -> Vec<(String, Type)> {
        let read = |(name, kind): &(&str, &str)| ((*name).to_owned(), Type::parse(kind).expect("a type"));
        list.iter().map(read).collect()
    }

    #[test]
    fn values_are_selected_one_by_one() {
        let columns = columns(&[
            ("eventtime", "timestamp"),
            (
                "useridentity",
                "struct<arn:string,sessioncontext:struct<attributes:struct<creationdate:timestamp>>>",
            ),
            ("resources", "array<struct<accountid:string,arn:string>>"),
            ("requestparameters", "map<string,string>"),
            ("somebodys", "string"),
        ]);
        assert_eq!(
            Selection::of(&columns, false).list(),
            "CAST(eventtime AS varchar) AS c0, useridentity.arn AS c1, \
             CAST(useridentity.sessioncontext.attributes.creationdate AS varchar) AS c2, \
             json_format(CAST(transform(resources, r -> map(ARRAY['accountId', 'ARN'], ARRAY[CAST(r.accountid AS varchar), CAST(r.arn AS varchar)])) AS JSON)) AS c3, \
             json_format(CAST(requestparameters AS JSON)) AS c4"
        );
        assert!(Selection::of(&columns, true).list().contains("\"useridentity\".\"arn\" AS c1"));
    }

    #[test]
    fn a_row_becomes_the_record_it_was() {
        let columns = columns(&[
            ("eventtime", "timestamp"),
            (
                "useridentity",
                "struct<type:string,sessioncontext:struct<attributes:struct<creationdate:timestamp,mfaauthenticated:string>>>",
            ),
            ("readonly", "boolean"),
            ("requestparameters", "map<string,string>"),
            ("additionaleventdata", "string"),
            ("resources", "array<struct<arn:string,type:string>>"),
            ("sessioncredentialfromconsole", "string"),
            ("errorcode", "string"),
        ]);
        let row = [
            Some("2026-10-01 12:00:00.000"),
            Some("AssumedRole"),
            Some("2026-10-01 11:00:00.000"),
            Some("false"),
            Some("true"),
            Some(
                r#"{"modelId":"a.b","accountId":"111122223333","stream":"true","guard":"{\"id\":1}","broken":"{x","maxTokens":"5"}"#,
            ),
            Some(r#"{"inputTokens": 12}"#),
            Some(r#"[{"ARN":"arn:x","type":null}]"#),
            Some("true"),
            None,
        ];
        let record: Value = serde_json::from_str(&Selection::of(&columns, true).record(&row)).expect("JSON");
        assert_eq!(
            record,
            serde_json::json!({
                "eventTime": "2026-10-01T12:00:00Z",
                "userIdentity": {"type": "AssumedRole", "sessionContext": {"attributes":
                    {"creationDate": "2026-10-01T11:00:00Z", "mfaAuthenticated": "false"}}},
                "readOnly": true,
                "requestParameters": {"modelId": "a.b", "accountId": "111122223333", "stream": true,
                    "guard": {"id": 1}, "broken": "{x", "maxTokens": 5},
                "additionalEventData": {"inputTokens": 12},
                "resources": [{"ARN": "arn:x"}],
                "sessionCredentialFromConsole": "true"
            })
        );
    }

    #[test]
    fn names_are_sorted_and_unlike_but_for_their_letters() {
        let lower: Vec<String> = NAMES.iter().map(|name| name.to_ascii_lowercase()).collect();
        assert!(lower.is_sorted_by(|a, b| a < b), "{lower:?}");
        assert_eq!(known("eventid"), Some("eventID"));
        assert_eq!(known("useridentity"), Some("userIdentity"));
    }
}
