//! The report's CSV against the truth.

use std::collections::BTreeMap;
use std::path::Path;

use super::corpus::truth::{Key, Tally, Truth};

/// A column of counts, and what it must hold.
type Count = (&'static str, fn(&Tally) -> Option<u64>);

/// The counts that are compared where the report has them; `calls` it must have.
const COUNTS: &[Count] = &[
    ("calls", |tally| Some(tally.calls)),
    ("ok", |tally| Some(tally.ok)),
    ("denied", |tally| Some(tally.denied)),
    ("throttled", |tally| Some(tally.throttled)),
    ("invalid", |tally| Some(tally.invalid)),
    ("failed", |tally| Some(tally.failed)),
    ("input_tokens", |tally| tally.input_tokens),
    ("output_tokens", |tally| tally.output_tokens),
];

/// A column of the key, and what it must hold.
type Part = (&'static str, fn(&Key) -> &str);

const PARTS: &[Part] = &[
    ("account_id", |key| &key.account_id),
    ("principal", |key| &key.principal),
    ("role_arn", |key| key.role_arn.as_deref().unwrap_or_default()),
    ("model_id", |key| key.model_id.as_deref().unwrap_or_default()),
];

/// Compares the report with the truth, in the columns that both have; how many groups agree.
pub fn check(csv: &Path, truth: &Truth) -> Result<usize, String> {
    let mut reader = csv::Reader::from_path(csv).map_err(|error| error.to_string())?;
    let header = reader.headers().map_err(|error| error.to_string())?.clone();
    let place = |name: &str| header.iter().position(|column| column == name);
    let parts: Vec<(usize, &Part)> = PARTS.iter().filter_map(|part| Some((place(part.0)?, part))).collect();
    let counts: Vec<(usize, &Count)> =
        COUNTS.iter().filter_map(|count| Some((place(count.0)?, count))).collect();
    let whom = place("principal").or(place("role_arn"));
    if whom.is_none() || place("model_id").is_none() || place("calls").is_none() {
        return Err(format!("it needs model_id, calls, and principal or role_arn; it has {header:?}"));
    }

    let mut expected = BTreeMap::<Vec<String>, Vec<u64>>::new();
    for (key, tally) in &truth.calls {
        let group = parts.iter().map(|(_, part)| part.1(key).to_owned()).collect();
        add(&mut expected, group, counts.iter().map(|(_, count)| count.1(tally).unwrap_or(0)).collect());
    }
    let mut found = BTreeMap::new();
    for row in reader.records() {
        let row = row.map_err(|error| error.to_string())?;
        let cell = |at: usize| row.get(at).unwrap_or_default();
        let group = parts.iter().map(|(at, _)| cell(*at).to_owned()).collect();
        let numbers = counts.iter().map(|(at, _)| match cell(*at) {
            "" => Ok(0),
            number => number.parse().map_err(|_| format!("{number:?} is not a count")),
        });
        add(&mut found, group, numbers.collect::<Result<_, _>>()?);
    }
    for (group, numbers) in &expected {
        match found.remove(group) {
            None => return Err(format!("{group:?} is missing")),
            Some(other) if &other != numbers => {
                let names: Vec<&str> = counts.iter().map(|(_, count)| count.0).collect();
                return Err(format!("{group:?}: {names:?} are {other:?}, not {numbers:?}"));
            }
            Some(_) => {}
        }
    }
    match found.into_keys().next() {
        Some(group) => Err(format!("{group:?} is nobody's")),
        None => Ok(expected.len()),
    }
}

fn add(groups: &mut BTreeMap<Vec<String>, Vec<u64>>, group: Vec<String>, numbers: Vec<u64>) {
    let sums = groups.entry(group).or_insert_with(|| vec![0; numbers.len()]);
    for (sum, number) in sums.iter_mut().zip(numbers) {
        *sum += number;
    }
}
