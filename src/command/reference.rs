//! What stands behind references that name no model: the relation `aliases`, and the view made of it and of the trail.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray as _, RecordBatch, StringViewArray, TimestampMicrosecondArray};
use arrow::datatypes::Int64Type;

use super::Failure;
use super::history::{Asked, Baseline};
use super::trail::{Tables, put, query_failure};
use super::version::{Versions, unusable};
use crate::cli::Input;
use crate::engine::Engine;
use crate::ingest::store::Store;
use crate::policy::alias;
use crate::policy::{Alias, Period};

/// The view.
pub(super) const VIEW: &str = "model_references";

/// How many calls it knows nothing of.
pub(super) const OPEN: &str = "SELECT CAST(COUNT(*) AS BIGINT) AS calls FROM model_calls \
     WHERE model_known_by IS NULL AND model_requested IS NOT NULL";

/// An alias with who says so and when that one is in force.
struct Told<'a> {
    alias: &'a Alias,
    period: Period,
    known_by: &'static str,
    evidence: &'a str,
}

/// Puts the aliases into the engine; the view has no rows yet.
pub(super) fn register(engine: &Engine, versions: Option<&Versions>, input: &Input) -> Result<(), Failure> {
    let mut files = Vec::new();
    for path in &input.aliases {
        let aliases = alias::load(path).map_err(|problems| unusable_file(&problems))?;
        files.push((path.display().to_string(), aliases));
    }
    let mut told: Vec<Told<'_>> = Vec::new();
    for (policy, period) in versions.into_iter().flat_map(Versions::periods) {
        told.extend(policy.aliases().iter().map(|alias| Told {
            alias,
            period,
            known_by: "policy",
            evidence: policy.version(),
        }));
    }
    for (file, aliases) in &files {
        told.extend(aliases.iter().map(|alias| Told {
            alias,
            period: Period::default(),
            known_by: "file",
            evidence: file,
        }));
    }
    put(engine, "aliases", batch(&told)?)?;
    engine.hold(VIEW).map_err(Failure::failed)
}

fn unusable_file(problems: &[crate::policy::Problem]) -> Failure {
    let mut failure = unusable(problems).help("`bedtrail aliases import` writes such a file");
    failure.message = failure.message.replacen("the policy cannot", "the aliases cannot", 1);
    failure
}

fn batch(told: &[Told<'_>]) -> Result<RecordBatch, Failure> {
    let text = |of: fn(&Told<'_>) -> String| -> ArrayRef {
        Arc::new(told.iter().map(|one| Some(of(one))).collect::<StringViewArray>())
    };
    let time = |of: fn(&Told<'_>) -> Option<i64>| -> ArrayRef {
        Arc::new(told.iter().map(of).collect::<TimestampMicrosecondArray>())
    };
    RecordBatch::try_from_iter_with_nullable([
        ("reference", text(|one| one.alias.reference.clone()), true),
        ("model_id", text(|one| one.alias.model.clone()), true),
        ("since", time(|one| one.alias.since.map(|time| time.and_utc().timestamp_micros())), true),
        ("valid_from", time(|one| one.period.from), true),
        ("valid_to", time(|one| one.period.to), true),
        ("known_by", text(|one| one.known_by.to_owned()), true),
        ("evidence", text(|one| one.evidence.to_owned()), true),
    ])
    .map_err(Failure::failed)
}

/// The columns of the trail that the view reads, if a query of the run asks for it.
pub(super) fn scans(engine: &Engine, tables: &Tables) -> Result<Tables, Failure> {
    let sql = engine.view_sql(VIEW).filter(|_| tables.contains_key(VIEW));
    sql.map_or_else(|| Ok(BTreeMap::new()), |sql| engine.scans(&[sql, OPEN]).map_err(query_failure))
}

/// Fills the view, if a query asks for it. What was made before the window is looked for where calls of the window need
/// it and a past is at hand; the files of a store that were read for it are returned.
pub(super) fn fill(
    asked: &Asked<'_>,
    tables: &Tables,
    store: Option<&Store>,
    baseline: &mut Baseline,
) -> Result<Vec<PathBuf>, Failure> {
    if !tables.contains_key(VIEW) {
        return Ok(Vec::new());
    }
    asked.engine.keep(VIEW).map_err(Failure::failed)?;
    let past = asked.window.from.is_some() && (asked.input.history.is_some() || store.is_some());
    if !past || tables.contains_key("history") {
        return Ok(Vec::new());
    }
    if !open(&asked.engine.run(OPEN).map_err(query_failure)?) {
        return Ok(Vec::new());
    }
    let own = scans(asked.engine, tables)?;
    let found = asked.fill(&own, store)?;
    asked.engine.keep(VIEW).map_err(Failure::failed)?;
    baseline.other = found.other.or_else(|| baseline.other.take());
    Ok(found.files)
}

/// Whether [`OPEN`] found a call.
pub(super) fn open(batches: &[RecordBatch]) -> bool {
    batches.iter().any(|batch| {
        batch.num_rows() > 0
            && batch.column(0).as_primitive_opt::<Int64Type>().is_some_and(|n| n.value(0) > 0)
    })
}
