//! What is said of what was read, as soon as it is known.

use super::trail::put;
use super::{Failure, say};
use crate::cli::Input;
use crate::config::Organization;
use crate::engine::Engine;
use crate::evidence::coverage::Coverage;
use crate::ingest::ledger::{Balance, Ledger};

/// Warnings said one by one; more are counted.
const WARNINGS: usize = 20;

/// Fills the relation `coverage` and tells who is silent that should not be.
pub(super) fn cover(
    engine: &Engine,
    coverage: &Coverage,
    organization: Option<&Organization>,
) -> Result<Vec<(String, String)>, Failure> {
    put(engine, "coverage", coverage.batch(organization).map_err(Failure::failed)?)?;
    let silent = organization.map(|organization| coverage.silent(organization)).unwrap_or_default();
    for (account, region) in silent.iter().take(WARNINGS) {
        say(&format!("warning: {account} delivered no log of {region} in the window"));
    }
    if silent.len() > WARNINGS {
        say(&format!(
            "warning: {} more accounts and Regions delivered no log; see the report coverage",
            silent.len() - WARNINGS
        ));
    }
    Ok(silent)
}

/// Says so if what was asked for leaves nothing of what is there: an empty report looks like peace.
pub(super) fn nothing_left(balance: &Balance, pruned: u64, input: &Input) {
    if input.quiet || balance.kept > 0 || balance.out_of_range == 0 && pruned == 0 {
        return;
    }
    let asked = [
        (input.from.is_some() || input.to.is_some(), "time"),
        (!input.accounts.is_empty(), "accounts"),
        (!input.regions.is_empty(), "Regions"),
    ];
    let asked: Vec<&str> = asked.into_iter().filter_map(|(given, what)| given.then_some(what)).collect();
    let pruned =
        if pruned > 0 { format!(", and {pruned} objects were not read for that") } else { String::new() };
    say(&format!(
        "warning: no event is left by the {} asked for: {} records lie outside{pruned}",
        asked.join(" and "),
        balance.out_of_range
    ));
}

/// Says that the model-invocation log lies among the messages of log groups, where nobody asked for it.
fn elsewhere(ledger: &Ledger, input: &Input) {
    let mut names = ledger.invocation_logs();
    let Some(first) = names.next().filter(|_| !input.quiet && input.invocation_logs.is_empty()) else {
        return;
    };
    let more = match names.count() {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let first = first.replace('\n', "\\n");
    say(&format!(
        "warning: {first}{more}: messages of the model-invocation log of Bedrock, counted as not ours; give it with \
         --invocation-logs to read its calls"
    ));
}

/// Says what could not be read, and what is to be read in another way.
pub(super) fn warn(ledger: &Ledger, input: &Input) {
    elsewhere(ledger, input);
    let quiet = input.quiet;
    let objects = ledger.refused_objects().map(|(name, reason)| format!("warning: {name} refused: {reason}"));
    let records = ledger
        .refused_records()
        .map(|(name, index, reason)| format!("warning: record {index} of {name} refused: {reason}"));
    let mut lines = objects.chain(records);
    if !quiet {
        // A name can hold a line break: each warning stays one line.
        lines.by_ref().take(WARNINGS).for_each(|line| say(&line.replace('\n', "\\n")));
    }
    let rest = lines.count();
    if rest > 0 {
        say(&format!(
            "warning: {rest} objects or records refused{}; see the tables objects and refusals",
            if quiet { "" } else { " more" }
        ));
    }
}
