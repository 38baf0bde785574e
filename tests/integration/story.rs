//! The trail of Acme, a made-up organisation, from 2026-10-05 to 2026-10-25: `fixtures/trail`.
//!
//! Acme's organisation trail (`o-acme123456`) covers three accounts: 111122223333 (prod), 111122224444 (prod-data)
//! and 555566667777 (sandbox). What happens in it:
//!
//! - **Every day.** `role/service/claims-bot` (prod) answers claims with Claude Sonnet 4.5 through the `eu.` profile,
//!   with a guardrail and through a VPC endpoint, and embeds text with Titan. `role/support-summarizer` (prod-data)
//!   uses Nova Pro and Nova Lite; half its tokens are only in the service events that follow its calls. Ada works
//!   with Codex on bedrock-mantle and Grace with Claude Code, both as Developer in the sandbox.
//! - **The agent.** `role/refund-api` calls the AgentCore runtime `refund-Xk29aLm3Qp`; its execution role
//!   `role/refund-agent-exec` calls Sonnet, reads and writes memory, gets tokens from `zendesk-oauth`, and has the
//!   Lambda function `refund-issue` called by AgentCore.
//! - **Waived.** Every night `role/legacy-batch` (prod) calls a `us.` profile in us-east-1 that runs in us-west-2
//!   (waiver W-2026-014).
//! - **10-09** support-summarizer tries a legacy model, three times in vain. **10-11** a VPC endpoint of prod turns
//!   another account away. **10-12, 10-19** support-summarizer calls an application inference profile, whose model the
//!   trail does not tell. **10-13** `role/marketing-site` (prod), which nobody approved, calls Nova Pro. **10-14**
//!   claims-bot is throttled. **10-15** claims-bot calls a `global.` profile twice: once it ran in us-east-2, once
//!   the record does not say. **10-16** prod's root user plays with Nova Lite in the console.
//! - **10-17, a Saturday: LLMjacking.** With the key of the sandbox user `ci-deploy` somebody lists models in three
//!   Regions, looks whether invocations are logged, opens model access, probes with invalid requests, is denied by
//!   the hundred, gets through to Claude Opus, deletes the invocation logging, and makes a user with a long-term
//!   Bedrock key, `BedrockAPIKey-x7k2`, that calls until an administrator takes it away on **10-19**.
//! - **10-20** an administrator deletes claims-bot's guardrail; from then on its calls name none. **10-21** a
//!   contractor is refused to stop prod-data's regional trail, and an administrator stops it.
//!
//! Around it: other services' records, 40 events in two files, an Insight file, an aggregated file, a network
//! activity file, and a digest that is right in shape only. [`truth`] counts all of it.
//!
//! The committed files are made here. `UPDATE_FIXTURES=1 cargo test --test integration story` rewrites them.

mod agent;
mod attack;
mod incident;
mod people;
mod usual;

use std::collections::BTreeMap;
use std::env;
use std::fmt::Write as _;
use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use crate::corpus::File;
use crate::corpus::layout::Layout;
use crate::corpus::noise;
use crate::corpus::random::Random;
use crate::corpus::record::{Event, october};
use crate::corpus::side;
use crate::corpus::store;
use crate::corpus::truth::{Fact, Truth};
use people::People;

pub const PROD: &str = "111122223333";
pub const DATA: &str = "111122224444";
pub const SANDBOX: &str = "555566667777";
pub const FRANKFURT: &str = "eu-central-1";
pub const IRELAND: &str = "eu-west-1";
pub const VIRGINIA: &str = "us-east-1";

/// First and last day, of October 2026.
const DAYS: std::ops::RangeInclusive<i64> = 5..=25;

/// The folder the trail is committed in.
pub fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/trail")
}

/// What is true of the committed trail.
pub fn truth() -> Truth {
    let mut truth = Truth::default();
    for file in files() {
        truth.merge(&file.truth);
    }
    truth
}

/// Saturdays and Sundays are quiet.
pub fn weekend(day: i64) -> bool {
    matches!(day % 7, 3 | 4)
}

/// The story while it is written.
pub struct Story {
    pub people: People,
    /// Records by account, Region and day.
    days: BTreeMap<(&'static str, &'static str, i64), Vec<Event>>,
}

impl Story {
    /// A stream of numbers for one scene, so that a change to one leaves the others as they are.
    pub fn random(scene: &str) -> Random {
        Random::new(20_261_005, scene)
    }

    /// Adds records to the log of an account, Region and day.
    pub fn log(
        &mut self,
        account: &'static str,
        region: &'static str,
        events: impl IntoIterator<Item = Event>,
    ) {
        for event in events {
            let day = (event.time - october(1)).div_euclid(86_400) + 1;
            self.days.entry((account, region, day)).or_default().push(event);
        }
    }
}

/// Every object of the trail, by key.
fn files() -> Vec<File> {
    let mut story = Story { people: People::new(), days: BTreeMap::new() };
    for day in DAYS {
        story.people.new_sessions(day);
        usual::play(&mut story, day);
        agent::play(&mut story, day);
        incident::play(&mut story, day);
        attack::play(&mut story, day);
        others(&mut story, day);
    }
    let layout = Layout::Organisation("o-acme123456".to_owned());
    let mut random = Story::random("files");
    let mut files = Vec::new();
    for ((account, region, day), mut events) in story.days {
        events.sort_by_key(|event| event.time);
        let delivered = events.last().map_or(0, |event| event.time) + 600;
        let key = layout.key("CloudTrail", account, region, delivered, &mut random);
        if (account, region, day) == (PROD, FRANKFURT, 8) {
            files.push(repeated(&layout, &events, delivered + 900, &mut random));
        }
        files.push(File::of(key, "cloudtrail", &events));
    }
    files.append(&mut beside(&layout, &mut random));
    files.sort_by(|a, b| a.key.cmp(&b.key));
    files
}

/// The same forty records once more, delivered later to another Region's folder.
fn repeated(layout: &Layout, events: &[Event], delivered: i64, random: &mut Random) -> File {
    let again: Vec<Event> = events
        .iter()
        .filter(|event| !matches!(event.fact, Fact::NotOurs))
        .take(40)
        .map(|event| Event { fact: Fact::Duplicate, ..event.clone() })
        .collect();
    File::of(layout.key("CloudTrail", PROD, IRELAND, delivered, random), "cloudtrail", &again)
}

/// The objects beside the log files.
fn beside(layout: &Layout, random: &mut Random) -> Vec<File> {
    let attack = october(17) + 3 * 3600;
    let mut key = |folder: &str, account: &str, region: &str, time: i64| {
        layout.key(folder, account, region, time + 600, random)
    };
    let keys = [
        key("CloudTrail-Insight", SANDBOX, VIRGINIA, attack),
        key("CloudTrail-Aggregated", PROD, FRANKFURT, october(12) + 36_000),
        key("CloudTrail-NetworkActivity", PROD, FRANKFURT, october(11) + 50_000),
    ];
    let insight = [side::insight(SANDBOX, VIRGINIA, attack, "InvokeModel", random)];
    let sums = [
        side::aggregated(PROD, FRANKFURT, october(12) + 36_000, 3, random),
        side::aggregated(PROD, FRANKFURT, october(12) + 36_300, 5, random),
    ];
    let denied = [side::endpoint_denied(
        &incident::stranger(),
        PROD,
        FRANKFURT,
        october(11) + 50_000,
        people::ENDPOINT,
        random,
    )];
    let mut digested = Truth::default();
    digested.add_object("digest");
    let end = october(12) + 11 * 3600;
    let log = "AWSLogs/o-acme123456/111122223333/CloudTrail/eu-central-1/2026/10/12/x.json.gz";
    let digest = File {
        key: layout.digest_key(PROD, FRANKFURT, "acme-organisation", end),
        text: side::digest(PROD, FRANKFURT, end - 3600, log, random),
        truth: digested,
    };
    let [insights, aggregated, network] = keys;
    vec![
        File::of(insights, "insight", &insight),
        File::of(aggregated, "aggregated", &sums),
        File::of(network, "network_activity", &denied),
        digest,
    ]
}

/// What other services record.
fn others(story: &mut Story, day: i64) {
    let places = [
        (PROD, FRANKFURT, 20),
        (DATA, IRELAND, 12),
        (DATA, FRANKFURT, 6),
        (SANDBOX, FRANKFURT, 14),
        (PROD, VIRGINIA, 4),
    ];
    for (account, region, count) in places {
        let mut random = Story::random(&format!("others {account} {region} {day}"));
        let callers = story.people.others(account, day);
        let count = if weekend(day) { count / 3 } else { count };
        let events: Vec<Event> = (0..count)
            .map(|_| {
                let time = october(day) + random.seconds(3600, 82_000);
                noise::event(random.pick(&callers), time, region, &mut random)
            })
            .collect();
        story.log(account, region, events);
    }
}

/// Every file below a folder, by key.
fn committed(root: &Path) -> BTreeMap<String, Vec<u8>> {
    let files = walkdir::WalkDir::new(root).into_iter().filter_map(Result::ok);
    files
        .filter(|entry| entry.file_type().is_file())
        .map(|entry| {
            let key = entry.path().strip_prefix(root).expect("below the folder");
            let key = key.to_str().expect("names are ASCII").replace('\\', "/");
            (key, fs::read(entry.path()).expect("a committed file"))
        })
        .collect()
}

fn inflated(bytes: &[u8]) -> String {
    let mut text = String::new();
    flate2::read::GzDecoder::new(bytes).read_to_string(&mut text).expect("a gzip file");
    text
}

#[test]
fn the_committed_trail_is_the_story() {
    let (root, files) = (folder(), files());
    let mut found = committed(&root);
    // The text decides, not the compressed bytes, so that another compressor changes no file.
    let same = |file: &File, bytes: &Vec<u8>| inflated(bytes) == file.text;
    let stale: Vec<&File> = files
        .iter()
        .filter(|file| !found.remove(&file.key).is_some_and(|bytes| same(file, &bytes)))
        .collect();
    if env::var_os("UPDATE_FIXTURES").is_some_and(|value| value == "1") {
        for file in &stale {
            store::write_file(&root, file, 9).expect("fixtures can be written");
        }
        for key in found.keys() {
            fs::remove_file(root.join(key)).expect("fixtures can be removed");
        }
        return;
    }
    let stale: Vec<&str> = stale.iter().map(|file| file.key.as_str()).collect();
    assert!(
        stale.is_empty() && found.is_empty(),
        "fixtures/trail is not what the story says; run UPDATE_FIXTURES=1 cargo test --test integration story\n\
         differ or miss: {stale:#?}\nnobody's: {:#?}",
        found.keys()
    );
}

#[test]
fn the_trail_is_small_enough_to_commit() {
    let size: usize = committed(&folder()).values().map(Vec::len).sum();
    assert!(size <= 600 * 1024, "{size} bytes");
}

#[test]
fn the_records_add_up() {
    let Truth { records, activities, calls, .. } = truth();
    assert_eq!(
        records.seen,
        records.kept + records.not_ours + records.duplicate + records.aggregated + records.insight
    );
    assert_eq!(
        records.kept,
        records.api_calls + records.service_events + records.network_activity + records.shared_copies
    );
    assert_eq!(activities.values().sum::<u64>(), records.api_calls);
    assert_eq!(calls.values().map(|tally| tally.calls).sum::<u64>(), activities["model_invocation"]);
    assert_eq!(records.duplicate, 40);
}

/// One line for each account, principal and model: what reports must find.
#[test]
fn who_called_which_model() {
    let truth = truth();
    let mut table =
        String::from("account principal model: calls ok denied throttled invalid failed, tokens in out\n");
    for (key, tally) in &truth.calls {
        let principal = key.principal.rsplit(':').next().unwrap_or_default();
        let model = key.model_id.as_deref().unwrap_or("-");
        let count = |tokens: Option<u64>| tokens.map_or("-".to_owned(), |tokens| tokens.to_string());
        writeln!(
            table,
            "{} {principal} {model}: {} {} {} {} {} {}, {} {}",
            key.account_id,
            tally.calls,
            tally.ok,
            tally.denied,
            tally.throttled,
            tally.invalid,
            tally.failed,
            count(tally.input_tokens),
            count(tally.output_tokens)
        )
        .expect("to a string");
    }
    writeln!(table, "{:?}", truth.records).expect("to a string");
    writeln!(table, "{:?}", truth.activities).expect("to a string");
    writeln!(table, "{:?}", truth.objects).expect("to a string");
    insta::assert_snapshot!(table, @r#"
    account principal model: calls ok denied throttled invalid failed, tokens in out
    111122223333 role/legacy-batch anthropic.claude-sonnet-4-5-20250929-v1:0: 105 105 0 0 0 0, 1514628 105144
    111122223333 role/marketing-site amazon.nova-pro-v1:0: 4 4 0 0 0 0, 2802 1413
    111122223333 role/refund-agent-exec anthropic.claude-sonnet-4-5-20250929-v1:0: 120 120 0 0 0 0, 258592 28531
    111122223333 role/service/claims-bot amazon.titan-embed-text-v2:0: 117 117 0 0 0 0, 15925 0
    111122223333 role/service/claims-bot anthropic.claude-sonnet-4-5-20250929-v1:0: 380 355 0 12 13 0, 1204924 174425
    111122223333 root amazon.nova-lite-v1:0: 2 2 0 0 0 0, - -
    111122224444 role/support-summarizer amazon.nova-lite-v1:0: 72 72 0 0 0 0, 381258 30277
    111122224444 role/support-summarizer amazon.nova-pro-v1:0: 132 132 0 0 0 0, 679995 52918
    111122224444 role/support-summarizer anthropic.claude-3-5-sonnet-20240620-v1:0: 3 0 3 0 0 0, - -
    111122224444 role/support-summarizer arn:aws:bedrock:eu-west-1:111122224444:application-inference-profile/a1b2c3d4e5f6: 10 10 0 0 0 0, 22418 2388
    555566667777 role/aws-reserved/sso.amazonaws.com/eu-central-1/AWSReservedSSO_Developer_7a2e41ea7191fcbd anthropic.claude-haiku-4-5-20251001-v1:0: 30 30 0 0 0 0, - -
    555566667777 role/aws-reserved/sso.amazonaws.com/eu-central-1/AWSReservedSSO_Developer_7a2e41ea7191fcbd anthropic.claude-sonnet-4-6: 105 105 0 0 0 0, - -
    555566667777 role/aws-reserved/sso.amazonaws.com/eu-central-1/AWSReservedSSO_Developer_7a2e41ea7191fcbd openai.gpt-5.6-luna: 45 45 0 0 0 0, - -
    555566667777 role/aws-reserved/sso.amazonaws.com/eu-central-1/AWSReservedSSO_Developer_7a2e41ea7191fcbd openai.gpt-5.6-sol: 90 90 0 0 0 0, - -
    555566667777 role/aws-reserved/sso.amazonaws.com/eu-central-1/AWSReservedSSO_Developer_7a2e41ea7191fcbd openai.gpt-5.6-terra: 15 15 0 0 0 0, - -
    555566667777 user/BedrockAPIKey-x7k2 anthropic.claude-opus-4-6-v1: 36 30 6 0 0 0, 1499739 161330
    555566667777 user/ci-deploy anthropic.claude-haiku-4-5-20251001-v1:0: 9 0 9 0 0 0, - -
    555566667777 user/ci-deploy anthropic.claude-opus-4-5-20251101-v1:0: 41 26 12 0 3 0, 1416418 133278
    555566667777 user/ci-deploy anthropic.claude-opus-4-6-v1: 32 17 12 0 3 0, 1013981 75343
    555566667777 user/ci-deploy anthropic.claude-opus-4-7: 32 17 12 0 3 0, 1007708 90949
    555566667777 user/ci-deploy anthropic.claude-sonnet-4-5-20250929-v1:0: 12 0 12 0 0 0, - -
    555566667777 user/ci-deploy anthropic.claude-sonnet-4-6: 12 0 12 0 0 0, - -
    555566667777 user/ci-deploy deepseek.v3.2: 9 0 9 0 0 0, - -
    555566667777 user/ci-deploy meta.llama4-maverick-17b-instruct-v1:0: 9 0 9 0 0 0, - -
    555566667777 user/ci-deploy mistral.ministral-3-14b-instruct: 9 0 9 0 0 0, - -
    555566667777 user/ci-deploy openai.gpt-oss-120b-1:0: 9 0 9 0 0 0, - -
    Records { seen: 2937, kept: 1951, not_ours: 943, duplicate: 40, aggregated: 2, insight: 1, api_calls: 1848, service_events: 102, network_activity: 1, shared_copies: 0, outside_family: 67 }
    {"agent_invocation": 60, "credential_admin": 5, "discovery": 32, "downstream": 60, "entitlement": 7, "guardrail_admin": 1, "logging_admin": 1, "memory": 120, "model_invocation": 1440, "token_vending": 120, "trail_admin": 2}
    {"aggregated": 1, "cloudtrail": 110, "digest": 1, "insight": 1, "network_activity": 1}
    "#);
}
