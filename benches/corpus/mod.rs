//! A generator of CloudTrail logs with Bedrock calls among them, and of the truth about what it wrote.
//!
//! Shared by benches, examples and tests through `#[path]`. The same options and seed give the same bytes. The
//! shapes follow real records where those were to be had and AWS's documentation where not; accounts, people and
//! ids are made up.

#![allow(dead_code, reason = "each program that includes the generator uses a part of it")]
#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_possible_wrap,
    reason = "random numbers cut to size, and times of this century"
)]
#![allow(
    clippy::format_push_string,
    clippy::format_collect,
    reason = "templates read best as format strings"
)]
#![allow(missing_docs, unreachable_pub, reason = "a module of a test or a bench, not an interface")]

pub mod agent;
pub mod broken;
pub mod caller;
pub mod cast;
pub mod control;
pub mod hostile;
pub mod layout;
pub mod mantle;
pub mod mix;
pub mod model;
pub mod noise;
pub mod random;
pub mod record;
pub mod runtime;
pub mod side;
pub mod store;
pub mod truth;

use std::ops::RangeInclusive;

use cast::Cast;
use hostile::Decoys;
use layout::Layout;
use random::Random;
use record::{Event, october};
use truth::{Fact, Truth};

/// What to generate. Set the fields that matter, then call [`Corpus::write`](store) or [`Corpus::file`].
#[derive(Clone, Debug)]
pub struct Corpus {
    pub seed: u64,
    /// Number of log files, side files not counted.
    pub files: usize,
    /// Records in a file. Twins, duplicates and copies come on top.
    pub records: RangeInclusive<u64>,
    /// Share of records of the Bedrock family, in a thousand.
    pub bedrock: u64,
    pub layout: Layout,
    /// Respell records and plant look-alikes; see [`hostile`].
    pub hostile: bool,
    /// Also write an Insight file, an aggregated file, a network activity file and a digest.
    pub side_files: bool,
}

/// A generated log object.
#[derive(Clone, Debug)]
pub struct File {
    /// The object's key, with forward slashes.
    pub key: String,
    /// The document before compression.
    pub text: String,
    pub truth: Truth,
}

impl File {
    /// An object of the ledger's `kind` with these records.
    pub fn of(key: String, kind: &str, events: &[Event]) -> Self {
        let mut truth = Truth::default();
        truth.add_object(kind);
        for event in events {
            truth.add(&event.fact);
        }
        let records: Vec<&str> = events.iter().map(|event| event.text.as_str()).collect();
        Self { key, text: format!(r#"{{"Records":[{}]}}"#, records.join(",")), truth }
    }
}

impl Corpus {
    /// Twenty files of an organisation trail, 200 records each, 3 % of them ours.
    pub fn new(seed: u64) -> Self {
        Self {
            seed,
            files: 20,
            records: 200..=200,
            bedrock: 30,
            layout: Layout::Organisation("o-abc123".to_owned()),
            hostile: false,
            side_files: true,
        }
    }

    /// Many small files: one or two records each, as quiet accounts have them.
    pub fn small(seed: u64, files: usize) -> Self {
        Self { files, records: 1..=2, bedrock: 100, ..Self::new(seed) }
    }

    /// The file at `index`. Files can be made in any order, on any thread.
    pub fn file(&self, index: usize) -> File {
        let mut random = Random::new(self.seed, &format!("file {index}"));
        let cast = self.cast(index, &mut random);
        let delivered = self.delivered(index);
        let decoys = Decoys::new(&mut random);
        let count = random.between(*self.records.start(), *self.records.end());
        let mut events = Vec::with_capacity(count as usize + 64);
        while (events.len() as u64) < count {
            let time = delivered - 300 - random.seconds(0, 299);
            let mut made = if random.chance(self.bedrock) {
                mix::bedrock(&cast, time, &mut random)
            } else {
                vec![noise::event(random.pick(&cast.passers), time, &cast.region, &mut random)]
            };
            self.finish(&mut made, &decoys, &mut random);
            events.append(&mut made);
        }
        events.append(&mut self.shared_with_neighbour(index));
        hostile::shuffle(&mut events, &mut random);
        let key = self.layout.key("CloudTrail", &cast.account, &cast.region, delivered, &mut random);
        let mut file = File::of(key, "cloudtrail", &events);
        if self.hostile && random.chance(300) {
            file.text = format!(" \r\n{}\r\n\t", file.text);
        }
        file
    }

    /// The objects that stand beside the log files.
    pub fn side(&self) -> Vec<File> {
        if !self.side_files || self.files == 0 {
            return Vec::new();
        }
        let mut random = Random::new(self.seed, "side");
        let cast = self.cast(0, &mut random);
        let time = october(6) + 43_200;
        let Cast { account, region, .. } = &cast;
        let key = |folder: &str| {
            let mut random = Random::new(self.seed, folder);
            self.layout.key(folder, account, region, time + 600, &mut random)
        };
        let (insight, aggregated, network) =
            (key("CloudTrail-Insight"), key("CloudTrail-Aggregated"), key("CloudTrail-NetworkActivity"));
        let insights = [side::insight(account, region, time, "InvokeModel", &mut random)];
        let sums = [
            side::aggregated(account, region, time, 512, &mut random),
            side::aggregated(account, region, time + 300, 17, &mut random),
        ];
        let denied = [side::endpoint_denied(
            &cast.passers[0],
            account,
            region,
            time,
            "vpce-0aaa1111bbb2222cc",
            &mut random,
        )];
        let mut truth = Truth::default();
        truth.add_object("digest");
        let digest = File {
            key: self.layout.digest_key(account, region, "management", time),
            text: side::digest(account, region, time - 3600, &self.file(0).key, &mut random),
            truth,
        };
        vec![
            File::of(insight, "insight", &insights),
            File::of(aggregated, "aggregated", &sums),
            File::of(network, "network_activity", &denied),
            digest,
        ]
    }

    /// Delivery time of a file: they follow each other over twenty days.
    fn delivered(&self, index: usize) -> i64 {
        let span = 20 * 86_400 / self.files.max(1) as i64;
        october(5) + 600 + index as i64 * span
    }

    fn cast(&self, index: usize, random: &mut Random) -> Cast {
        let accounts = if self.layout == Layout::Account { 1 } else { cast::ACCOUNTS.len() };
        // Neighbours differ in account and Region, so that what they share lies in two folders.
        let account = cast::ACCOUNTS[index % accounts];
        let region = cast::REGIONS[(index / 2 + index) % cast::REGIONS.len()];
        Cast::new(self.seed, account, region, random)
    }

    /// Records that the files 2k and 2k+1 have in common: every third pair has the same records twice, every fourth
    /// one copies of the first account's calls in the second account.
    fn shared_with_neighbour(&self, index: usize) -> Vec<Event> {
        let (pair, second) = (index / 2, index % 2 == 1);
        if index ^ 1 >= self.files || (pair % 3 != 0 && pair % 4 != 1) {
            return Vec::new();
        }
        let mut random = Random::new(self.seed, &format!("pair {pair}"));
        let cast = self.cast(pair * 2, &mut random);
        let decoys = Decoys::new(&mut random);
        let time = self.delivered(pair * 2) - 450;
        let mut events = Vec::new();
        if pair % 3 == 0 {
            for _ in 0..self.records.end().div_ceil(50) {
                let mut made = if random.chance(700) {
                    mix::bedrock(&cast, time, &mut random)
                } else {
                    vec![noise::event(random.pick(&cast.passers), time, &cast.region, &mut random)]
                };
                self.finish(&mut made, &decoys, &mut random);
                events.append(&mut made);
            }
            for event in &mut events {
                if second && !matches!(event.fact, Fact::NotOurs) {
                    event.fact = Fact::Duplicate;
                }
            }
        }
        if pair % 4 == 1 && self.layout != Layout::Account {
            for _ in 0..self.records.end().div_ceil(50).min(3) {
                let neighbour = cast::ACCOUNTS[(pair * 2 + 1) % cast::ACCOUNTS.len()];
                let (original, copy) = mix::cross_account(&cast, neighbour, time, &mut random);
                events.push(if second { copy } else { original });
            }
        }
        events
    }

    fn finish(&self, events: &mut [Event], decoys: &Decoys, random: &mut Random) {
        if self.hostile {
            for event in events {
                let ours = !matches!(event.fact, Fact::NotOurs);
                event.text = hostile::mangle(&event.text, ours, decoys, random);
            }
        }
    }
}
