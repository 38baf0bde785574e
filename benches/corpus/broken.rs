//! Objects that are not a plain log file: other shapes that must be read, and damage that must not pass.

use std::io::Write as _;

use flate2::{Compress, Compression, Crc, FlushCompress};
use serde_json::{Value, json};

use super::caller::Caller;
use super::cast::{BOTO, Cast};
use super::mix;
use super::model::Model;
use super::random::Random;
use super::record::{Event, october, quoted};
use super::runtime::Invoke;
use super::side;
use super::store::gzip;
use super::truth::Truth;

/// What a reader owes an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expect {
    /// It is read, and its `truth` holds.
    Read,
    /// The whole object is refused, and nothing of it counted.
    Refused,
    /// It is read, but this many of its records are refused; `truth` counts the others.
    RecordsRefused(u64),
}

/// An odd object.
#[derive(Clone, Debug)]
pub struct Odd {
    /// File name, unique.
    pub name: &'static str,
    pub bytes: Vec<u8>,
    pub expect: Expect,
    /// True of the object where it is read.
    pub truth: Truth,
    /// What is odd about it.
    pub why: &'static str,
}

/// Uncompressed size of the decompression bombs.
pub const BOMB: u64 = 200 * 1024 * 1024;

/// All odd objects. They share no event ids.
pub fn odd(seed: u64) -> Vec<Odd> {
    let mut maker = Maker { random: Random::new(seed, "odd"), odd: Vec::new() };
    maker.readable();
    maker.shapes();
    maker.beside();
    maker.damaged();
    maker.odd
}

struct Maker {
    random: Random,
    odd: Vec<Odd>,
}

impl Maker {
    /// Ten records, four of them of passers-by.
    fn events(&mut self) -> Vec<Event> {
        let random = &mut self.random;
        let cast = Cast::new(1, "111122223333", "eu-central-1", random);
        let time = october(12) + 36_000;
        let mut events = vec![];
        while events.len() < 6 {
            events.append(&mut mix::bedrock(&cast, time + events.len() as i64, random));
        }
        for passer in &cast.passers[..4] {
            events.push(super::noise::event(passer, time, &cast.region, random));
        }
        events
    }

    fn read(&mut self, name: &'static str, bytes: Vec<u8>, events: &[Event], why: &'static str) {
        self.read_as("cloudtrail", name, bytes, events, why);
    }

    fn read_as(
        &mut self,
        kind: &str,
        name: &'static str,
        bytes: Vec<u8>,
        events: &[Event],
        why: &'static str,
    ) {
        self.odd.push(Odd { name, bytes, expect: Expect::Read, truth: truth(kind, events), why });
    }

    fn refused(&mut self, name: &'static str, bytes: Vec<u8>, why: &'static str) {
        self.odd.push(Odd { name, bytes, expect: Expect::Refused, truth: Truth::default(), why });
    }

    /// Compressed otherwise, or not at all.
    fn readable(&mut self) {
        let events = self.events();
        let text = document(&events);
        let (front, back) = text.as_bytes().split_at(text.len() / 2);
        let halves = [gzip(front, 6), gzip(back, 6)].concat();
        self.read("two-members-one-document.json.gz", halves, &events, "two gzip members, one document");

        let (first, second) = (self.events(), self.events());
        let both = [first.clone(), second.clone()].concat();
        let members = [gzip(document(&first).as_bytes(), 6), gzip(document(&second).as_bytes(), 6)].concat();
        self.read(
            "two-members-two-documents.json.gz",
            members,
            &both,
            "two gzip members, a document in each",
        );

        let events = self.events();
        let mut header = flate2::GzBuilder::new()
            .mtime(1_790_000_000)
            .filename("a name.json")
            .comment("a comment")
            .extra("extra")
            .write(Vec::new(), Compression::best());
        let bytes = header.write_all(document(&events).as_bytes()).and_then(|()| header.finish());
        self.read(
            "full-header.json.gz",
            bytes.expect("to memory"),
            &events,
            "gzip with name, comment and extra",
        );

        let events = self.events();
        let text = document(&events).into_bytes();
        self.read("plain-under-gz.json.gz", text, &events, "not compressed, whatever its name says");

        let events = self.events();
        let packed = zstd::encode_all(document(&events).as_bytes(), 3).expect("to memory");
        self.read("packed.json.zst", packed, &events, "zstandard");

        let events = self.events();
        self.read("plain.json", document(&events).into_bytes(), &events, "not compressed");

        let events = self.events();
        let text = format!("\u{feff}{}", document(&events)).into_bytes();
        self.read("byte-order-mark.json", text, &events, "a byte order mark before the document");

        self.read("no-records.json.gz", gzip(br#"{"Records":[]}"#, 6), &[], "an empty log file");
    }

    /// Other shapes of the same records.
    fn shapes(&mut self) {
        let events = self.events();
        let lines: Vec<&str> = events.iter().map(|event| event.text.as_str()).collect();
        self.read("lines.ndjson", (lines.join("\n") + "\n").into_bytes(), &events, "one record a line");

        let events = self.events();
        let lines: Vec<&str> = events.iter().map(|event| event.text.as_str()).collect();
        let text = lines.join("\r\n").into_bytes();
        self.read("lines-crlf.ndjson", text, &events, "one record a line, CRLF, none after the last");

        let events = self.events();
        let lines: Vec<&str> = events.iter().map(|event| event.text.as_str()).collect();
        let text = format!("[{}]", lines.join(",")).into_bytes();
        self.read("array.json", text, &events, "a bare array of records");

        let events = self.events();
        let text = events[0].text.clone().into_bytes();
        self.read("object.json", text, &events[..1], "a single record");

        let events = self.events();
        let records: Vec<Value> = events.iter().map(value).collect();
        let text = serde_json::to_vec_pretty(&json!({ "Records": records })).expect("to memory");
        self.read("pretty.json", text, &events, "indented, keys in alphabetical order");

        let events = self.events();
        let wrapped: Vec<String> = events.iter().map(lookup).collect();
        let text = format!(r#"{{"Events":[{}],"NextToken":"AbCd"}}"#, wrapped.join(",")).into_bytes();
        self.read("lookup-events.json", text, &events, "the output of LookupEvents: each record is a string");

        let events = self.events();
        let wrapped: Vec<String> = events.iter().map(envelope).collect();
        let text = wrapped.join("\n").into_bytes();
        self.read("eventbridge.ndjson", text, &events, "EventBridge envelopes, the record in `detail`");
    }

    /// Files of the folders beside the log files.
    fn beside(&mut self) {
        let (account, region, time) = ("111122223333", "eu-central-1", october(12));
        let random = &mut self.random;
        let insight = [side::insight(account, region, time, "InvokeModel", random)];
        let sums = [side::aggregated(account, region, time, 99, random)];
        let caller = Caller::role(account, "/", "claims-bot", "bot", BOTO, random);
        let denied =
            [side::endpoint_denied(&caller, account, region, time, "vpce-0aaa1111bbb2222cc", random)];
        let digest = side::digest(account, region, time, "AWSLogs/x.json.gz", random);
        let packed = |events: &[Event]| gzip(document(events).as_bytes(), 6);
        self.read_as("insight", "insight.json.gz", packed(&insight), &insight, "a CloudTrail Insight");
        self.read_as("aggregated", "aggregated.json.gz", packed(&sums), &sums, "aggregated events");
        self.read_as(
            "network_activity",
            "network.json.gz",
            packed(&denied),
            &denied,
            "a VPC endpoint's denial",
        );
        self.read_as("digest", "digest.json.gz", gzip(digest.as_bytes(), 6), &[], "a digest file");
    }

    /// Damage.
    fn damaged(&mut self) {
        let text = document(&self.events());
        let packed = gzip(text.as_bytes(), 6);
        self.refused("truncated.json.gz", packed[..packed.len() / 2].to_vec(), "gzip cut in the middle");
        self.refused(
            "no-trailer.json.gz",
            packed[..packed.len() - 8].to_vec(),
            "gzip without checksum and size",
        );
        let mut flipped = packed.clone();
        flipped[packed.len() / 2] ^= 0x10;
        self.refused("flipped.json.gz", flipped, "one bit wrong in the compressed data");
        let mut checksum = packed.clone();
        checksum[packed.len() - 6] ^= 1;
        self.refused("checksum.json.gz", checksum, "the checksum does not match");
        let trailing = [packed.as_slice(), b"trailing bytes"].concat();
        self.refused("garbage-after-gzip.json.gz", trailing, "bytes after the last gzip member");
        let half = [packed.as_slice(), &packed[..packed.len() / 2]].concat();
        self.refused("second-member-cut.json.gz", half, "a whole member and half of another");
        let noise: Vec<u8> = (0..4096).map(|_| self.random.bits() as u8).collect();
        self.refused("not-gzip.json.gz", noise, "neither gzip nor text");
        self.refused("empty.json.gz", Vec::new(), "no bytes at all");
        self.refused("empty-gzip.json.gz", gzip(b"", 6), "gzip of nothing");
        let cut = &text.as_bytes()[..text.len() / 2];
        self.refused("half-a-document.json.gz", gzip(cut, 6), "whole gzip of half a document");
        let open = text.strip_suffix("]}").expect("a document").as_bytes();
        self.refused("not-closed.json.gz", gzip(open, 6), "all records are whole, the array is not closed");
        let after = format!("{text}{{\"Records\":");
        self.refused("garbage-after-document.json.gz", gzip(after.as_bytes(), 6), "more after the document");
        self.refused("bomb.json.gz", bomb(1), "200 MiB of spaces in one member");
        self.refused("bomb-of-members.json.gz", bomb(200), "200 MiB of spaces in 200 members");
        let page = b"<html><body>AccessDenied</body></html>";
        self.refused("page.json.gz", gzip(page, 6), "not JSON");

        let events = self.events();
        let victim = october(12);
        let caller = Caller::role("111122223333", "/", "claims-bot", "bot", "Mozilla", &mut self.random);
        let call =
            Invoke::new(&caller, victim, "eu-central-1", "InvokeModel", Model::base("amazon.nova-pro-v1:0"));
        let record = call.draft(&mut self.random).text();
        let broken: Vec<u8> =
            record.replace("Mozilla", "Moz\u{1}lla").bytes().map(|b| if b == 1 { 0xff } else { b }).collect();
        self.one_refused(
            "invalid-utf-8.json.gz",
            &broken,
            &events,
            "one byte that is not UTF-8 inside a string",
        );
        let events = self.events();
        let twice = record.replacen('{', r#"{"eventName":"ListFoundationModels","#, 1);
        self.one_refused("repeated-key.json.gz", twice.as_bytes(), &events, "a record with eventName twice");
        let events = self.events();
        let number = record.replacen(r#""eventName":"InvokeModel""#, r#""eventName":42"#, 1);
        self.one_refused(
            "wrong-type.json.gz",
            number.as_bytes(),
            &events,
            "a record whose eventName is a number",
        );
    }

    /// A file of `events` and one record that must be refused.
    fn one_refused(&mut self, name: &'static str, record: &[u8], events: &[Event], why: &'static str) {
        let text = document(events);
        let text = [b"{\"Records\":[", record, b",", &text.as_bytes()[12..]].concat();
        let mut truth = truth("cloudtrail", events);
        truth.records.seen += 1;
        let expect = Expect::RecordsRefused(1);
        self.odd.push(Odd { name, bytes: gzip(&text, 6), expect, truth, why });
    }
}

fn truth(kind: &str, events: &[Event]) -> Truth {
    let mut truth = Truth::default();
    truth.add_object(kind);
    for event in events {
        truth.add(&event.fact);
    }
    truth
}

fn document(events: &[Event]) -> String {
    super::File::of(String::new(), "cloudtrail", events).text
}

fn value(event: &Event) -> Value {
    serde_json::from_str(&event.text).expect("generated JSON")
}

/// An event as `aws cloudtrail lookup-events` prints it.
fn lookup(event: &Event) -> String {
    let record = value(event);
    let read_only = if record["readOnly"] == true { "true" } else { "false" };
    format!(
        r#"{{"EventId":{},"EventName":{},"ReadOnly":"{read_only}","EventTime":{},"EventSource":{},"Username":"session","Resources":[],"CloudTrailEvent":{}}}"#,
        record["eventID"],
        record["eventName"],
        record["eventTime"],
        record["eventSource"],
        quoted(&event.text)
    )
}

/// A record as EventBridge delivers it.
fn envelope(event: &Event) -> String {
    let record = value(event);
    format!(
        r#"{{"version":"0","id":{},"detail-type":"AWS API Call via CloudTrail","source":"aws.bedrock","account":{},"time":{},"region":{},"resources":[],"detail":{}}}"#,
        record["eventID"], record["recipientAccountId"], record["eventTime"], record["awsRegion"], event.text
    )
}

/// A gzip of [`BOMB`] spaces in so many members. One block is compressed once and repeated, which makes the
/// bytes in no time.
fn bomb(members: u64) -> Vec<u8> {
    const BLOCK: usize = 1024 * 1024;
    let block = vec![b' '; BLOCK];
    let mut packed = Vec::with_capacity(16 * 1024);
    Compress::new(Compression::best(), false)
        .compress_vec(&block, &mut packed, FlushCompress::Full)
        .expect("the buffer is large enough");
    let mut part = Crc::new();
    part.update(&block);
    let each = BOMB / BLOCK as u64 / members;
    let mut member = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff];
    let mut crc = Crc::new();
    for _ in 0..each {
        member.extend_from_slice(&packed);
        crc.combine(&part);
    }
    // An empty last block, then checksum and size.
    member.extend_from_slice(&[1, 0, 0, 0xff, 0xff]);
    member.extend_from_slice(&crc.sum().to_le_bytes());
    member.extend_from_slice(&crc.amount().to_le_bytes());
    member.repeat(members as usize)
}

/// Says what is expected of the odd objects, for programs outside.
pub fn expectations(odd: &[Odd]) -> Value {
    let rows = odd.iter().map(|odd| {
        let (state, refused) = match odd.expect {
            Expect::Read => ("read", 0),
            Expect::Refused => ("refused", 0),
            Expect::RecordsRefused(count) => ("read", count),
        };
        json!({ "name": odd.name, "why": odd.why, "state": state, "records_refused": refused, "truth": odd.truth })
    });
    rows.collect()
}
