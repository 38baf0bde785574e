//! Whole runs against the generator's truth: every row of usage by role and model, and every count of the ledger.

use std::collections::BTreeMap;

use crate::command::bedtrail;
use crate::corpus::layout::Layout;
use crate::corpus::truth::{Key, Records, Tally, Truth};
use crate::corpus::{Corpus, File, store};
use crate::program::{Answer, ask, int, put, text};

/// The columns of `objects` that hold counts, in the order of `Records` and what it lacks.
pub const COUNTS: &str = "log_object, kind, state, reason, seen, kept, not_ours, out_of_range, duplicate, aggregated, \
     insight, refused, superseded, api_calls, service_events, network_activity, shared_copies, conflicts";

/// The ledger of sources.
pub fn ledger(arguments: &[&str]) -> Answer {
    let answer = ask(&format!("SELECT {COUNTS} FROM objects ORDER BY log_object"), arguments);
    for row in &answer.rows {
        balanced(row);
    }
    answer
}

/// Both sums of a row of `objects`.
pub fn balanced(row: &serde_json::Value) {
    let sum = |columns: &[&str]| columns.iter().map(|column| int(row, column)).sum::<u64>();
    let fates =
        ["kept", "not_ours", "out_of_range", "duplicate", "superseded", "aggregated", "insight", "refused"];
    assert_eq!(int(row, "seen"), sum(&fates), "{row}");
    let kinds = ["api_calls", "service_events", "network_activity", "shared_copies"];
    assert_eq!(int(row, "kept"), sum(&kinds), "{row}");
}

/// A row's counts as the generator counts.
pub fn records(row: &serde_json::Value) -> Records {
    Records {
        seen: int(row, "seen"),
        kept: int(row, "kept"),
        not_ours: int(row, "not_ours"),
        duplicate: int(row, "duplicate"),
        aggregated: int(row, "aggregated"),
        insight: int(row, "insight"),
        api_calls: int(row, "api_calls"),
        service_events: int(row, "service_events"),
        network_activity: int(row, "network_activity"),
        shared_copies: int(row, "shared_copies"),
        outside_family: 0,
    }
}

/// Usage by role and model, as the program reports it.
pub fn usage(arguments: &[&str]) -> BTreeMap<Key, Tally> {
    let ran = bedtrail(["report", "usage-by-role-model", "--format", "csv"]).args(arguments).run();
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let mut reader = csv::Reader::from_reader(ran.stdout.as_bytes());
    let columns: Vec<String> = reader.headers().expect("a header").iter().map(str::to_owned).collect();
    let mut calls = BTreeMap::new();
    for row in reader.records() {
        let row = row.expect("well-formed CSV");
        let cell = |name: &str| {
            let at = columns.iter().position(|column| column == name).expect(name);
            Some(row[at].to_owned()).filter(|cell| !cell.is_empty())
        };
        let number = |name: &str| cell(name).map(|text| text.parse::<u64>().expect(name));
        let count = |name: &str| number(name).expect(name);
        let key = Key {
            account_id: cell("account_id").expect("an account"),
            principal: cell("principal").expect("a principal"),
            role_arn: cell("role_arn"),
            model_id: cell("model_id"),
        };
        let tally = Tally {
            calls: count("calls"),
            ok: count("ok"),
            denied: count("denied"),
            throttled: count("throttled"),
            invalid: count("invalid"),
            failed: count("failed"),
            streaming: count("streaming"),
            with_tokens: count("token_calls"),
            input_tokens: number("input_tokens"),
            output_tokens: number("output_tokens"),
        };
        assert!(calls.insert(key, tally).is_none(), "two rows of one role and model: {row:?}");
    }
    calls
}

fn same(found: &BTreeMap<Key, Tally>, truth: &BTreeMap<Key, Tally>, what: &str) {
    for (key, tally) in truth {
        assert_eq!(found.get(key), Some(tally), "{what}: {key:?}");
    }
    for key in found.keys() {
        assert!(truth.contains_key(key), "{what}: nobody made {key:?}");
    }
}

fn files(corpus: &Corpus) -> Vec<File> {
    (0..corpus.files).map(|index| corpus.file(index)).chain(corpus.side()).collect()
}

/// Writes the corpus, runs the program over it and compares everything the truth knows.
fn check(corpus: &Corpus) {
    let what = format!("{corpus:?}");
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut truth = Truth::default();
    let mut per_object = BTreeMap::new();
    for file in files(corpus) {
        store::write_file(folder.path(), &file, 1).expect("it can be written");
        truth.merge(&file.truth);
        per_object.insert(file.key.clone(), file.truth);
    }
    let source = ["-s", text(folder.path())];
    same(&usage(&source), &truth.calls, &what);

    let answer = ledger(&source);
    assert_eq!((answer.code, answer.err.as_str()), (0, ""), "{what}");
    assert_eq!(answer.rows.len(), per_object.len(), "{what}");
    let mut kinds = BTreeMap::new();
    let mut sum = Records::default();
    // Which of two copies stays depends on the names, so that copies and what is kept are compared in all.
    for row in &answer.rows {
        let name = row["log_object"].as_str().expect("a name").replace('\\', "/");
        let key = per_object.keys().find(|key| name.ends_with(*key)).expect("an object of the corpus");
        let (found, expected) = (records(row), &per_object[key].records);
        assert_eq!(row["state"], "read", "{what}: {key}");
        assert_eq!((found.seen, found.not_ours), (expected.seen, expected.not_ours), "{what}: {key}");
        assert_eq!(found.kept + found.duplicate, expected.kept + expected.duplicate, "{what}: {key}");
        assert_eq!(
            (found.aggregated, found.insight),
            (expected.aggregated, expected.insight),
            "{what}: {key}"
        );
        *kinds.entry(row["kind"].as_str().expect("a kind").to_owned()).or_default() += 1;
        let mut all = Truth { records: sum, ..Truth::default() };
        all.merge(&Truth { records: found, ..Truth::default() });
        sum = all.records;
    }
    sum.outside_family = truth.records.outside_family;
    assert_eq!(sum, truth.records, "{what}");
    assert_eq!(kinds, truth.objects, "{what}");
    let Records { seen, kept, not_ours, duplicate, aggregated, insight, .. } = truth.records;
    let line = format!(
        "{seen} records seen = {kept} kept + {not_ours} not ours + 0 out of range + {duplicate} duplicate + \
         {aggregated} aggregated + {insight} insight + 0 refused; {kept} kept = {} api calls + {} service events + \
         {} network activity + {} shared copies.",
        truth.records.api_calls,
        truth.records.service_events,
        truth.records.network_activity,
        truth.records.shared_copies,
    );
    assert!(answer.footer.contains(&line), "{what}: {:?}", answer.footer);
    same_activities(&source, &truth, &what);
}

/// Calls by activity in the table of events.
fn same_activities(source: &[&str], truth: &Truth, what: &str) {
    let sql = "SELECT activity, COUNT(*) AS calls FROM events WHERE record_kind = 'api_call' GROUP BY activity ORDER BY activity";
    let found: BTreeMap<String, u64> = ask(sql, source)
        .rows
        .iter()
        .map(|row| (row["activity"].as_str().expect("an activity").to_owned(), int(row, "calls")))
        .collect();
    assert_eq!(found, truth.activities, "{what}");
}

#[test]
fn an_organisation_trail() {
    for seed in [11, 12] {
        check(&Corpus { files: 12, records: 60..=80, bedrock: 300, ..Corpus::new(seed) });
    }
}

#[test]
fn hostile_records_count_the_same() {
    for seed in [21, 22, 23, 24] {
        check(&Corpus { files: 12, records: 40..=60, bedrock: 400, hostile: true, ..Corpus::new(seed) });
    }
}

#[test]
fn one_account_and_several_without_an_organisation() {
    let corpus = Corpus { files: 8, records: 40..=60, bedrock: 400, ..Corpus::new(31) };
    check(&Corpus { layout: Layout::Account, ..corpus.clone() });
    check(&Corpus { layout: Layout::Accounts, hostile: true, ..corpus });
}

#[test]
fn many_small_files() {
    check(&Corpus::small(41, 300));
    check(&Corpus { hostile: true, bedrock: 600, ..Corpus::small(42, 200) });
}

#[test]
fn a_trail_without_any_call_of_ours() {
    let corpus = Corpus { files: 4, records: 30..=30, bedrock: 0, side_files: false, ..Corpus::new(51) };
    check(&corpus);
}

#[test]
fn the_same_records_in_another_place_change_nothing() {
    let corpus = Corpus { files: 6, records: 40..=40, bedrock: 400, side_files: false, ..Corpus::new(61) };
    let folder = tempfile::tempdir().expect("a temporary folder");
    let truth = corpus.write(folder.path()).expect("it can be written");
    // Without the folders and names that CloudTrail gives, and once more beside.
    for (index, file) in files(&corpus).into_iter().enumerate() {
        put(folder.path(), &format!("copies/{index}.json"), &file.text);
    }
    let source = ["-s", text(folder.path())];
    same(&usage(&source), &truth.calls, "twice");
    let found = ledger(&source).rows;
    let sum = |column: &str| found.iter().map(|row| int(row, column)).sum::<u64>();
    assert_eq!(sum("kept"), truth.records.kept);
    assert_eq!(sum("duplicate"), truth.records.kept + 2 * truth.records.duplicate);
    assert_eq!(sum("conflicts"), 0);
}
