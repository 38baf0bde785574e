//! The scan against a plain parser: whatever valid JSON records are made of, the rows and counts are those that
//! `serde_json::Value` and the rules of `decode::record` give.
//!
//! One difference is intended: a record none of whose bytes can make it ours is passed over as not ours, and not
//! checked for types, repeated keys or being a summary.

use std::collections::BTreeSet;
use std::fmt::{self, Write as _};

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::Int64Type;
use bedtrail::decode::filter::Filter;
use bedtrail::decode::record::{Counts, Decoder, Origin, Outcome, Shared, Wanted};
use bedtrail::decode::structure::Structure;
use bedtrail::event::builder::{EventBuilder, FieldSet};
use bedtrail::event::scope::Scope;
use proptest::prelude::*;
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::Value;

use crate::corpus::random::Random;

/// JSON as it is written: repeated keys stay, and order.
enum Json {
    Bare(String),
    Text(String),
    List(Vec<Json>),
    Object(Vec<(String, Json)>),
}

fn text(text: &str) -> Json {
    Json::Text(text.to_owned())
}

fn object(members: Vec<(&str, Json)>) -> Json {
    Json::Object(members.into_iter().map(|(key, value)| (key.to_owned(), value)).collect())
}

const SOURCES: &[&str] = &[
    "bedrock.amazonaws.com",
    "bedrock.amazonaws.com",
    "bedrock-agentcore.amazonaws.com",
    "bedrock-unheard-of.amazonaws.com",
    "aws-external-anthropic.amazonaws.com",
    "iam.amazonaws.com",
    "s3.amazonaws.com",
    "lambda.amazonaws.com",
    "ec2.amazonaws.com",
    "ec2.amazonaws.com",
    "cloudtrail.amazonaws.com",
    "",
];
const NAMES: &[&str] = &[
    "InvokeModel",
    "Converse",
    "StopLogging",
    "DeleteTrail",
    "CreateUser",
    "PutBucketPolicy",
    "ListBuckets",
    "RunInstances",
    "GetObject",
    "AssumeRole",
    "Invoke/Model",
    "",
];

/// Stands for half of a character, which no text of ours can hold.
const HALF: &str = "\u{e000}";

const PARTS: &[&str] = &[
    "{",
    "}",
    "[",
    "]",
    "\"",
    "\\",
    "\\\\",
    "\\\\\\\\\\\\\\\\\\",
    ",",
    ":",
    "eventName",
    "\"eventName\":\"DeleteTrail\"",
    "\"eventName\":",
    "bedrock",
    "Insight",
    "\\u00",
    "\n",
    " ",
    "é",
    "取引",
    "🦀",
    "anthropi",
    "agent-registry",
    "/",
    "\u{7f}",
    "\u{1}",
    HALF,
    "Records",
    "}]}",
    "{\"Records\":[{",
    "                                                    ",
];
const TELLING: &[&str] = &["bedrock.amazonaws.com", "Insight", "eventName", "\\"];

const USERS: &[&str] = &["BedrockAPIKey-ab12", "BedrockAPIKey-", "AeaApiKey-7", "BedrockAPIkey-1", "ana", ""];

/// What a record is made of. Quiet ones hold nothing that could make them ours.
#[derive(Clone, Copy)]
struct Words {
    sources: &'static [&'static str],
    names: &'static [&'static str],
    parts: &'static [&'static str],
    telling: &'static [&'static str],
    users: &'static [&'static str],
    errors: &'static [&'static str],
}

const LOUD: Words = Words {
    sources: SOURCES,
    names: NAMES,
    parts: PARTS,
    telling: TELLING,
    users: USERS,
    errors: &["VpceAccessDenied", "VpceAccessDenied", "AccessDenied", "VpceAccessDenie", ""],
};
const QUIET: Words = Words {
    sources: &["ec2.amazonaws.com", "s3.amazonaws.com", "sts.amazonaws.com"],
    names: &["RunInstances", "GetObject", "AssumeRole"],
    parts: &[
        "{",
        "}",
        "[",
        "]",
        "\"",
        "\\",
        "\\\\",
        ",",
        ":",
        "eventName",
        "\"eventName\":\"GetObject\"",
        " ",
        "é",
        "🦀",
        HALF,
        "Records",
    ],
    telling: &["bedroc", "insight", "\\", "}"],
    users: &["ana", "edrockAPIKey-1", "bedrockAPIKe", "aAeaApiKey-2", "APIKey-", "IKiKIKey-", ""],
    errors: &["AccessDenied", "Client.VpceAccessDenied", "VpceAccessDenie", "vpceAccessDenied", ""],
};

/// How a record is spelt.
struct Style {
    escapes: u64,
    spaces: u64,
}

impl Style {
    fn of(random: &mut Random) -> Self {
        Self { escapes: random.one(&[0, 0, 0, 30, 300, 1000]), spaces: random.one(&[0, 0, 200, 1000]) }
    }

    fn write(&self, json: &Json, random: &mut Random, out: &mut String) {
        match json {
            Json::Bare(bare) => out.push_str(bare),
            Json::Text(text) => self.string(text, random, out),
            Json::List(items) => {
                out.push('[');
                for (index, item) in items.iter().enumerate() {
                    self.separate(index, random, out);
                    self.write(item, random, out);
                }
                self.space(random, out);
                out.push(']');
            }
            Json::Object(members) => {
                out.push('{');
                for (index, (key, value)) in members.iter().enumerate() {
                    self.separate(index, random, out);
                    self.string(key, random, out);
                    self.space(random, out);
                    out.push(':');
                    self.space(random, out);
                    self.write(value, random, out);
                }
                self.space(random, out);
                out.push('}');
            }
        }
    }

    fn separate(&self, index: usize, random: &mut Random, out: &mut String) {
        if index > 0 {
            self.space(random, out);
            out.push(',');
        }
        self.space(random, out);
    }

    fn space(&self, random: &mut Random, out: &mut String) {
        if random.chance(self.spaces) {
            out.push_str(random.one(&[" ", "\n", "\t\r\n", "      ", "\n        "]));
        }
    }

    fn string(&self, text: &str, random: &mut Random, out: &mut String) {
        out.push('"');
        // Now and then one letter only: the hardest to see.
        let lone = random.chance(30).then(|| random.index(text.len().max(1)));
        for (at, letter) in text.char_indices() {
            let escape = lone == Some(at) || random.chance(self.escapes);
            match letter {
                '"' | '\\' if escape => unicode(letter, random, out),
                '"' | '\\' => out.extend(['\\', letter]),
                '/' if escape && random.chance(500) => out.push_str("\\/"),
                '\n' => out.push_str("\\n"),
                '\u{e000}' => {
                    out.push_str(
                        random.one(&["\\ud800", "\\uDBFF", "\\udc00", "\\uDfff", "\\ud83d", "\\ude00"]),
                    );
                }
                control if control < ' ' => unicode(control, random, out),
                _ if escape => unicode(letter, random, out),
                _ => out.push(letter),
            }
        }
        out.push('"');
    }
}

fn unicode(letter: char, random: &mut Random, out: &mut String) {
    for unit in letter.encode_utf16(&mut [0; 2]) {
        let _ = if random.chance(500) { write!(out, "\\u{unit:04x}") } else { write!(out, "\\u{unit:04X}") };
    }
}

/// Text made of what a scanner stumbles over.
fn babble(words: Words, random: &mut Random) -> String {
    let mut out = String::new();
    for _ in 0..random.below(24) {
        out.push_str(random.one(words.parts));
    }
    out
}

/// Anything that may stand in parameters.
fn nasty(words: Words, random: &mut Random, depth: u64) -> Json {
    match random.below(if depth == 0 { 5 } else { 10 }) {
        0 => Json::Text(babble(words, random)),
        1 => text(random.one(words.sources)),
        2 => text(random.one(words.names)),
        3 => Json::Bare(
            random.one(&["null", "true", "false", "0", "-12.5E+3", "1e-7", "9007199254740993"]).to_owned(),
        ),
        4 => text(random.one(words.telling)),
        5 => Json::List((0..random.below(4)).map(|_| nasty(words, random, depth - 1)).collect()),
        6 => object(vec![(
            "Records",
            Json::List((0..random.below(3)).map(|_| decoy(words, random)).collect()),
        )]),
        7 => decoy(words, random),
        _ => {
            let keys = [
                "eventName",
                "eventSource",
                "a",
                "eventName ",
                "Event",
                "detail",
                "\"",
                "b\\",
                "é",
                "eventCategory",
                HALF,
            ];
            let members = (0..random.below(5)).map(|_| {
                let key =
                    if random.chance(150) { babble(words, random) } else { random.one(&keys).to_owned() };
                (key, nasty(words, random, depth - 1))
            });
            Json::Object(members.collect())
        }
    }
}

/// What looks like a record of ours.
fn decoy(words: Words, random: &mut Random) -> Json {
    object(vec![
        ("eventVersion", text("1.11")),
        ("eventSource", text(random.one(words.sources))),
        ("eventName", text(random.one(words.names))),
        ("eventTime", text("2026-10-05T12:00:00Z")),
        ("eventID", text("dec0dec0-0000-4000-8000-000000000000")),
        ("eventCategory", text(random.one(&["Management", "Data", "Aggregated"]))),
    ])
}

/// A record: usual, or wrong in one way or other.
fn record(random: &mut Random, id: usize) -> Json {
    let quiet = random.chance(400);
    let words = if quiet { QUIET } else { LOUD };
    let mut identity = vec![
        ("type", text("AssumedRole")),
        ("arn", text("arn:aws:sts::111122223333:assumed-role/app/one")),
        ("accountId", text("111122223333")),
    ];
    if random.chance(200) {
        identity.push((
            "invokedBy",
            text(random.one(&["bedrock.amazonaws.com", "lambda.amazonaws.com", "AWS Internal", ""])),
        ));
    }
    if random.chance(20) {
        identity.push(("userName", Json::Bare("7".to_owned())));
    } else if random.chance(200) {
        identity[0].1 = text(random.one(&["IAMUser", "IAMUser", "FederatedUser", "SAMLUser"]));
        identity.push(("userName", text(random.one(words.users))));
    }
    if random.chance(20) {
        identity.push(("sessionContext", Json::List(vec![])));
    } else if random.chance(100) {
        identity[0].1 = text(random.one(&["FederatedUser", "AssumedRole"]));
        let issuer = object(vec![("type", text("IAMUser")), ("userName", text(random.one(words.users)))]);
        identity.push(("sessionContext", object(vec![("sessionIssuer", issuer)])));
    }
    let mut fields = vec![
        ("userIdentity", object(identity)),
        ("eventTime", text(if random.chance(970) { "2026-10-05T12:00:00Z" } else { "2026-13-05T12:00:00Z" })),
        ("eventSource", text(random.one(words.sources))),
        ("eventName", text(random.one(words.names))),
        ("awsRegion", text("eu-central-1")),
        (
            "sourceIPAddress",
            text(random.one(&["192.0.2.1", "192.0.2.1", "bedrock.amazonaws.com", "ec2.amazonaws.com"])),
        ),
        ("userAgent", Json::Text(babble(words, random))),
        ("requestParameters", Json::Object(vec![("p".to_owned(), nasty(words, random, 3))])),
        ("responseElements", Json::Bare("null".to_owned())),
        ("eventID", Json::Text(format!("00000000-0000-4000-8000-{id:012x}"))),
        ("readOnly", Json::Bare(random.one(&["true", "false", "null"]).to_owned())),
        ("eventType", text("AwsApiCall")),
        ("recipientAccountId", text("111122223333")),
        (
            "eventCategory",
            text(if random.chance(940) { "Management" } else { random.one(&["Insight", "Aggregated"]) }),
        ),
    ];
    if random.chance(200) {
        fields.push(("errorCode", text(random.one(words.errors))));
        let (key, value) = random.one(&[
            ("eventCategory", "NetworkActivity"),
            ("eventType", "AwsVpceEvent"),
            ("eventType", "AwsVpceEvents"),
            ("eventType", "AwsApiCall"),
        ]);
        if let Some((_, field)) = fields.iter_mut().find(|(name, _)| *name == key) {
            *field = text(value);
        }
    }
    if random.chance(970) {
        fields.push(("eventVersion", text(random.one(&["1.11", "1.08", "1.0"]))));
    }
    match random.below(40) {
        0 => fields.retain(|(key, _)| *key != "eventName"),
        1 => fields.retain(|(key, _)| *key != "eventSource"),
        2 => fields.retain(|(key, _)| *key != "eventTime"),
        3 => fields.retain(|(key, _)| *key != "userIdentity"),
        4 => fields.retain(|(key, _)| *key != "eventID" && *key != "awsRegion"),
        5 => fields.push(("eventName", text(random.one(words.names)))),
        6 => fields.push(("eventVersion", text("2.0"))),
        7 => fields.push(("eventVersion", Json::Bare("1.1".to_owned()))),
        8 => fields[2].1 = Json::Bare(random.one(&["null", "5", "[]", "{}"]).to_owned()),
        9 => fields[3].1 = Json::Bare(random.one(&["null", "5", "[]", "{}"]).to_owned()),
        10 => fields[0].1 = Json::Bare(random.one(&["null", "5", "[]", "\"x\""]).to_owned()),
        11 => fields.push(("resources", nasty(words, random, 1))),
        12 => fields.push(("tlsDetails", nasty(words, random, 1))),
        13 => fields.push(("eventId", text("another"))),
        14 => fields.push(("additionalEventData", nasty(words, random, 1))),
        _ => {}
    }
    for _ in 0..random.below(3) {
        fields
            .push((random.one(&["annotation", "extra", "EventName", "eventname"]), nasty(words, random, 2)));
    }
    if random.chance(500) {
        crate::corpus::hostile::shuffle(&mut fields, random);
    }
    object(fields)
}

/// An object's members as a parser without a map sees them.
struct Members(Vec<(String, Value)>);

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Collect;
        impl<'de> Visitor<'de> for Collect {
            type Value = Members;
            fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members, A::Error> {
                let mut members = vec![];
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(Collect)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Kept,
    NotOurs,
    Aggregated,
    Insight,
    Refused,
}

const TEXTS: &[&str] = &[
    "eventVersion",
    "eventTime",
    "eventSource",
    "eventName",
    "awsRegion",
    "sourceIPAddress",
    "userAgent",
    "errorCode",
    "errorMessage",
    "requestID",
    "eventID",
    "eventType",
    "recipientAccountId",
    "sharedEventID",
    "vpcEndpointId",
    "eventCategory",
];
const FLAGS: &[&str] = &["readOnly", "managementEvent"];
const OBJECTS: &[&str] = &[
    "userIdentity",
    "tlsDetails",
    "requestParameters",
    "responseElements",
    "additionalEventData",
    "serviceEventDetails",
    "addendum",
];

/// The record as a parser reads it that takes texts for what they are, UTF-16 units, and replaces halves of characters.
fn plain(record: &str) -> String {
    let mut out = String::new();
    let mut letters = record.chars();
    let hex = |digits: &str| u16::from_str_radix(digits, 16).expect("four digits");
    while let Some(letter) = letters.next() {
        if letter != '"' {
            out.push(letter);
            continue;
        }
        let mut units: Vec<u16> = vec![];
        loop {
            let letter = letters.next().expect("valid JSON");
            if letter == '"' {
                break;
            }
            let escape = (letter == '\\').then(|| letters.next().expect("valid JSON"));
            let letter = match escape {
                None => letter,
                Some('u') => {
                    units.push(hex(&letters.by_ref().take(4).collect::<String>()));
                    continue;
                }
                Some('n') => '\n',
                Some(letter) => letter,
            };
            units.extend_from_slice(letter.encode_utf16(&mut [0; 2]));
        }
        out.push_str(&Value::from(String::from_utf16_lossy(&units)).to_string());
    }
    out
}

/// What must become of a record.
fn judge(record: &str) -> Fate {
    let Ok(Members(members)) = serde_json::from_str::<Members>(record) else { return Fate::Refused };
    let mut seen = BTreeSet::new();
    for (key, value) in &members {
        let key = match key.as_str() {
            "eventId" => "eventID",
            "accountId" => "recipientAccountId",
            key => key,
        };
        let fits = match key {
            key if TEXTS.contains(&key) => value.is_string(),
            key if FLAGS.contains(&key) => value.is_boolean(),
            key if OBJECTS.contains(&key) => value.is_object(),
            "resources" => value.is_array(),
            _ => continue,
        };
        if !seen.insert(key) || !(fits || value.is_null()) {
            return Fate::Refused;
        }
    }
    let field =
        |name: &str| members.iter().find(|(key, _)| key == name).map_or(&Value::Null, |(_, value)| value);
    let tls = field("tlsDetails");
    let optional = |value: &Value| value.is_null() || value.is_string();
    if !optional(&tls["tlsVersion"]) || !optional(&tls["clientProvidedHostHeader"]) {
        return Fate::Refused;
    }
    if field("eventCategory") == "Aggregated" || field("eventType") == "AwsAggregatedEvent" {
        return Fate::Aggregated;
    }
    if field("eventCategory") == "Insight" || field("eventType") == "AwsCloudTrailInsight" {
        return Fate::Insight;
    }
    let identity = field("userIdentity");
    let issuer = &identity["sessionContext"]["sessionIssuer"];
    if !optional(&identity["userName"])
        || !(identity["sessionContext"].is_null() || identity["sessionContext"].is_object())
    {
        return Fate::Refused;
    }
    let given = |name: &str| field(name).as_str().filter(|text| !text.is_empty());
    let (Some(source), Some(name)) = (given("eventSource"), given("eventName")) else { return Fate::Refused };
    let invoked_by = identity["invokedBy"].as_str().filter(|service| !service.is_empty());
    let made_by = invoked_by.or_else(|| field("sourceIPAddress").as_str());
    let named = |name: &'_ Value| name.as_str().filter(|name| !name.is_empty()).map(str::to_owned);
    let user = named(&identity["userName"]).or_else(|| named(&issuer["userName"]));
    let by_user = matches!(identity["type"].as_str(), Some("IAMUser" | "FederatedUser"))
        && user.is_some_and(|user| Scope::get().user(&user));
    let at_endpoint = (field("eventCategory") == "NetworkActivity"
        || matches!(field("eventType").as_str(), Some("AwsVpceEvent" | "AwsVpceEvents")))
        && field("errorCode") == "VpceAccessDenied"
        && matches!(source, "lambda.amazonaws.com" | "s3.amazonaws.com");
    if !Scope::get().ours(source, name, made_by) && !by_user && !at_endpoint {
        return Fate::NotOurs;
    }
    let version = field("eventVersion").as_str().unwrap_or("1.0");
    // The only wrong date that is made here has a thirteenth month.
    let dated = given("eventTime").is_some_and(|time| !time.contains("-13-"));
    if version.starts_with("1.") && dated { Fate::Kept } else { Fate::Refused }
}

/// Whether anything in a record speaks for it: a text that begins as a service's name does, or a wanted name under any
/// `eventName`.
fn speaks_for_itself(record: &Value) -> bool {
    let telling = |text: &str| {
        Scope::get().needles().iter().any(|needle| text.starts_with(needle))
            || ["Aggregated", "Insight"].iter().any(|sign| text.contains(sign))
    };
    match record {
        Value::String(text) => telling(text),
        Value::Array(items) => items.iter().any(speaks_for_itself),
        Value::Object(members) => members.iter().any(|(key, value)| {
            let wanted =
                key == "eventName" && value.as_str().is_none_or(|name| Scope::get().wanted_name(name));
            telling(key) || wanted || speaks_for_itself(value)
        }),
        _ => false,
    }
}

struct Decoded {
    outcome: Outcome,
    batch: RecordBatch,
    kept: Vec<u32>,
}

/// Decodes a text, passing over what `filter` can prove not to be ours.
fn decode(text: &str, filter: &Filter) -> Decoded {
    let wanted = Wanted::default();
    let shared = Shared {
        scope: Scope::get(),
        filter,
        wanted: &wanted,
        environments: &|_: &str, _: i64| None,
        keep_content: true,
        followed: None,
    };
    let mut rows = EventBuilder::new(&FieldSet::all());
    let mut keys = vec![];
    let origin = Origin { name: "x.json", ordinal: 0, delivered_at: None };
    let outcome = Decoder::new(&shared)
        .object(text.as_bytes(), origin, 1 << 30, &mut rows, &mut keys)
        .unwrap_or_else(|error| panic!("{error}: {text}"));
    let kept = keys.iter().map(|key| key.index).collect();
    Decoded { outcome, batch: rows.finish().expect("rows"), kept }
}

fn skipping() -> Filter {
    Filter::new(Scope::get().needles(), Scope::get().names())
}

/// Parses every record.
fn parsing() -> Filter {
    Filter::none()
}

/// The records in one of the shapes they come in.
fn shaped(records: &[String], shape: u64, random: &mut Random) -> String {
    let gap = random.one(&["", " ", "\n", "\r\n\t"]);
    let joined = |separator: &str| records.join(separator);
    let comma = format!("{gap},{gap}");
    match shape {
        0 | 1 => format!("{gap}{{{gap}\"Records\"{gap}:{gap}[{gap}{}{gap}]{gap}}}{gap}", joined(&comma)),
        2 => format!("[{gap}{}{gap}]{gap}", joined(&comma)),
        // Alone, an object with a repeated key could as well be a broken document, and is refused as one.
        3 => format!(r#"{}{{"eventName":"ListBuckets"}}"#, joined("\n") + "\n"),
        4 => {
            let wrapped: Vec<String> = records
                .iter()
                .map(|record| {
                    format!(r#"{{"EventId":"x","CloudTrailEvent":{}}}"#, Value::from(record.as_str()))
                })
                .collect();
            format!(r#"{{"Events":[{}],"NextToken":"x"}}"#, wrapped.join(&comma))
        }
        5 => {
            let wrapped: Vec<String> =
                records.iter().map(|record| format!(r#"{{"version":"0","detail":{record}}}"#)).collect();
            wrapped.join("\n")
        }
        _ => format!(r#"{{"x":[{{"Records":[]}}],"Records":[{}],"eventname":1}}"#, joined(",")),
    }
}

fn check(seeds: &[u64], shape: u64) -> Result<(), TestCaseError> {
    let mut records = vec![];
    for (id, seed) in seeds.iter().enumerate() {
        let mut random = Random::new(*seed, "record");
        let mut out = String::new();
        let style = Style::of(&mut random);
        let json = record(&mut random, id);
        style.write(&json, &mut random, &mut out);
        records.push(out);
    }
    let document = shaped(&records, shape, &mut Random::new(seeds[0], "shape"));
    if shape == 3 {
        records.push(r#"{"eventName":"ListBuckets"}"#.to_owned());
    }
    for record in &mut records {
        *record = plain(record);
    }
    let fates: Vec<Fate> = records.iter().map(|record| judge(record)).collect();
    let with = |fate: Fate| -> Vec<u32> {
        (0..).zip(&fates).filter(|(_, found)| **found == fate).map(|(index, _)| index).collect()
    };
    let few = |count: usize| u32::try_from(count).expect("a handful");
    let count = |fate: Fate| few(with(fate).len());
    let expected = Counts {
        seen: few(records.len()),
        kept: count(Fate::Kept),
        not_ours: count(Fate::NotOurs),
        out_of_range: 0,
        aggregated: count(Fate::Aggregated),
        insight: count(Fate::Insight),
        refused: count(Fate::Refused),
    };

    let all = decode(&document, &parsing());
    prop_assert_eq!(&all.kept, &with(Fate::Kept), "{}", document);
    let refused: Vec<u32> = all.outcome.refusals.iter().map(|(index, _)| *index).collect();
    prop_assert_eq!(&refused, &with(Fate::Refused), "{:?} {}", all.outcome.refusals, document);
    prop_assert_eq!(all.outcome.counts, expected, "{}", document);
    rows(&all, &records)?;

    let some = decode(&document, &skipping());
    prop_assert_eq!(&some.kept, &all.kept, "{}", document);
    prop_assert_eq!(&some.batch, &all.batch, "{}", document);
    let silent = |index: &&u32| {
        let record: Value = serde_json::from_str(&records[**index as usize]).expect("valid");
        !speaks_for_itself(&record)
    };
    let still: Vec<u32> = some.outcome.refusals.iter().map(|(index, _)| *index).collect();
    prop_assert!(still.iter().all(|index| refused.contains(index)));
    for index in refused.iter().filter(|index| !still.contains(index)) {
        prop_assert!(silent(&index), "passed over: {}", records[*index as usize]);
    }
    let counts = some.outcome.counts;
    let passed_over = few(with(Fate::Aggregated).iter().filter(silent).count());
    prop_assert!(
        counts.aggregated <= expected.aggregated && counts.aggregated + passed_over >= expected.aggregated
    );
    prop_assert_eq!(counts.insight, expected.insight, "{}", document);
    prop_assert_eq!(
        counts.seen,
        counts.kept + counts.not_ours + counts.aggregated + counts.insight + counts.refused
    );
    Ok(())
}

/// The rows hold what the records say.
fn rows(decoded: &Decoded, records: &[String]) -> Result<(), TestCaseError> {
    for (row, index) in decoded.kept.iter().enumerate() {
        let record: Value = serde_json::from_str(&records[*index as usize]).expect("valid");
        let column = |name: &str| decoded.batch.column_by_name(name).expect("a column of events");
        for (name, key) in [
            ("event_source", "eventSource"),
            ("event_name", "eventName"),
            ("aws_region", "awsRegion"),
            ("user_agent", "userAgent"),
            ("source_ip", "sourceIPAddress"),
        ] {
            let column = column(name).as_string_view();
            let cell = (!column.is_null(row)).then(|| column.value(row));
            prop_assert_eq!(
                cell,
                record[key].as_str().filter(|text| !text.is_empty()),
                "{} {}",
                name,
                record
            );
        }
        prop_assert_eq!(column("log_index").as_primitive::<Int64Type>().value(row), i64::from(*index));
        let parameters = column("request_parameters").as_string_view();
        if !parameters.is_null(row) {
            let kept: Value = serde_json::from_str(parameters.value(row)).expect("kept as it was");
            prop_assert_eq!(&kept, &record["requestParameters"]);
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(800) })]

    #[test]
    fn the_scan_finds_what_a_plain_parser_finds(seeds in proptest::collection::vec(any::<u64>(), 1..10), shape in 0u64..7) {
        check(&seeds, shape)?;
    }
}

#[test]
fn the_oracle_meets_every_fate() {
    let mut met = BTreeSet::new();
    let (mut passed_over, mut halves) = (0, 0);
    for seed in 0..4000 {
        let mut random = Random::new(seed, "record");
        let mut out = String::new();
        let style = Style::of(&mut random);
        style.write(&record(&mut random, 0), &mut random, &mut out);
        let plain = plain(&out);
        halves += u64::from(plain.contains('\u{fffd}'));
        let fate = judge(&plain);
        met.insert(format!("{fate:?}"));
        let value: Value = serde_json::from_str(&plain).expect("valid JSON");
        let document = format!(r#"{{"Records":[{out}]}}"#);
        let filter = skipping();
        let mut structure = Structure::judging(&filter);
        structure.scan(document.as_bytes(), 2).expect("whole");
        let taken: Vec<bool> = structure.spans.iter().map(|span| span.parse).collect();
        passed_over += u64::from(taken == [false]);
        assert!(taken == [true] || !speaks_for_itself(&value), "{out}");
    }
    assert_eq!(met.len(), 5, "{met:?}");
    // Else the test above would say nothing about passing over.
    assert!(passed_over > 100 && halves > 100, "{passed_over} {halves}");
}
