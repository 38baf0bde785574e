//! The model-invocation log beside the trail: who counted how many tokens.

use super::listing::Sources;
use super::trail::{Tables, put, threads};
use super::{Failure, progress, say};
use crate::cli::Input;
use crate::clock::Window;
use crate::data;
use crate::decode::record::Wanted;
use crate::engine::{Engine, schema};
use crate::ingest::{Progress, invocation};

/// Warnings said one by one; more are counted.
const WARNINGS: usize = 20;

/// What was read of the log.
pub(super) struct Told {
    /// A line for the foot of reports.
    pub(super) line: String,
    /// Whether all of it could be read.
    pub(super) complete: bool,
}

/// Fills the relation `invocation_logs`, if a query asks for it and a log is given.
pub(super) fn fill(
    engine: &Engine,
    input: &Input,
    window: &Window,
    now: i64,
    tables: &Tables,
) -> Result<Option<Told>, Failure> {
    if input.invocation_logs.is_empty() || !tables.contains_key("invocation_logs") {
        return Ok(None);
    }
    let input = Input { sources: input.invocation_logs.clone(), store: None, ..input.clone() };
    let mut sources = Sources::open(&input, window, now)?;
    let wanted = Wanted {
        from: window.from,
        to: window.to,
        accounts: input.accounts.clone(),
        regions: input.regions.clone(),
    };
    let objects = std::mem::take(&mut sources.objects);
    let progress = Progress::default();
    let local = objects.len() as u64;
    let known = || sources.known(local);
    let feed = sources.remote.as_ref().map(|remote| &remote.feed);
    let logs = progress::shown(&progress, &known, input.quiet, || {
        let (limit, threads) = (input.max_object_size, threads(&input));
        invocation::read(&objects, feed, &wanted, limit, threads, input.keep_content, &progress)
    })
    .map_err(Failure::failed)?;
    if !input.quiet {
        logs.refused
            .iter()
            .take(WARNINGS)
            .for_each(|refused| say(&format!("warning: {}", refused.replace('\n', "\\n"))));
    }
    if logs.refused.len() > WARNINGS || input.quiet && !logs.refused.is_empty() {
        say(&format!("warning: {} objects or lines of the model-invocation log refused", logs.refused.len()));
    }
    let line = format!(
        "Model-invocation log: {} objects read, {} calls kept, {} out of range, {} refused.",
        logs.objects,
        logs.calls,
        logs.out_of_range,
        logs.refused.len()
    );
    let complete = logs.refused.is_empty();
    engine
        .register("invocation_logs", &schema::schema(schema::INVOCATION_LOGS), logs.batches)
        .map_err(Failure::failed)?;
    Ok(Some(Told { line, complete }))
}

/// Puts a user's prices in place of the program's.
pub(super) fn prices(engine: &Engine, input: &Input) -> Result<(), Failure> {
    let (Some(path), Some(relation)) = (&input.prices, data::relation("ref_price")) else { return Ok(()) };
    let wrong = |message: String| {
        Failure::usage(format!("the prices {} cannot be used: {message}", path.display()))
            .help("`bedtrail query --tables` tells the columns of ref_price; a first line names them")
    };
    let text = std::fs::read_to_string(path).map_err(|error| wrong(error.to_string()))?;
    check(&text).map_err(wrong)?;
    put(engine, "ref_price", relation.read_of(&text).map_err(|error| wrong(error.to_string()))?)
}

/// Whether every price is a decimal number.
fn check(text: &str) -> Result<(), String> {
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let headers = reader.headers().map_err(|error| error.to_string())?.clone();
    for (at, record) in reader.records().enumerate() {
        let record = record.map_err(|error| error.to_string())?;
        for (name, cell) in headers.iter().zip(&record).filter(|(name, _)| name.ends_with("_usd_per_1k")) {
            let digits = cell.bytes().filter(|byte| *byte != b'.').all(|byte| byte.is_ascii_digit());
            if !cell.is_empty() && (!digits || cell.matches('.').count() > 1 || cell.len() > 18) {
                return Err(format!("line {}: {name} is no decimal number: {cell:?}", at + 2));
            }
        }
    }
    Ok(())
}
