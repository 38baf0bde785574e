//! How the DataFusion session is set up: limits, settings and functions.

use std::sync::Arc;

use datafusion::common::Result;
use datafusion::execution::disk_manager::{DiskManagerBuilder, DiskManagerMode};
use datafusion::execution::runtime_env::RuntimeEnvBuilder;
use datafusion::execution::session_state::{SessionState, SessionStateBuilder};
use datafusion::prelude::{SessionConfig, SessionContext};

use super::dependence::Keyless;
use super::distinct_list::Sorted;
use super::function::FUNCTIONS;
use super::late_text::LateText;
use super::min_by;
use super::pool::Halving;
use super::{Limits, build_side};

/// Functions that answer differently from run to run, or tell of the engine: a report must not.
const REMOVED: &[&str] = &[
    "arrow_metadata",
    "current_date",
    "current_time",
    "file_row_index",
    "input_file_name",
    "now",
    "uuid",
    "version",
];

/// Rows in a batch.
const BATCH_ROWS: usize = 8192;

/// What a sort keeps back for merging where many sorts share the memory.
const FRUGAL_RESERVATION: usize = 1 << 20;

/// What a plan is right without; with few rows it takes longer than it saves.
const THOROUGH: &[&str] = &["FilterPushdown", "ProjectionPushdown"];

/// The same session, planning for few rows: one thread, no exchange of rows, no late improvements.
pub(super) fn quick(state: SessionState) -> SessionState {
    // The catalog is there, with all tables.
    let config =
        state.config().clone().with_target_partitions(1).with_create_default_catalog_and_schema(false);
    let rules = state.physical_optimizers().iter().filter(|rule| !THOROUGH.contains(&rule.name()));
    let rules = rules.cloned().collect();
    SessionStateBuilder::new_from_existing(state)
        .with_session_id("bedtrail".to_owned())
        .with_config(config)
        .with_physical_optimizer_rules(rules)
        .build()
}

/// The same session, which sorts what it has brought together and not the parts.
pub(super) fn sorting_last(state: &SessionState) -> SessionState {
    let mut config = state.config().clone().with_create_default_catalog_and_schema(false);
    config.options_mut().optimizer.repartition_sorts = false;
    SessionStateBuilder::new_from_existing(state.clone())
        .with_session_id("bedtrail".to_owned())
        .with_config(config)
        .build()
}

/// The same session for a query that did not fit into memory: two sides that are both large it joins by sorting, which can
/// spill, in two parts, the fewest for which the planner does so.
pub(super) fn frugal(state: &SessionState) -> SessionState {
    let mut config =
        state.config().clone().with_target_partitions(2).with_create_default_catalog_and_schema(false);
    let options = config.options_mut();
    options.optimizer.prefer_hash_join = false;
    options.execution.sort_spill_reservation_bytes =
        FRUGAL_RESERVATION.min(options.execution.sort_spill_reservation_bytes);
    SessionStateBuilder::new_from_existing(state.clone())
        .with_session_id("bedtrail".to_owned())
        .with_config(config)
        .build()
}

/// The same, in one part: as few operators as can be share the memory. A sort in one of two parts may find that the other
/// has taken what it needs to begin.
fn alone(state: &SessionState) -> SessionState {
    let state = frugal(state);
    let config =
        state.config().clone().with_target_partitions(1).with_create_default_catalog_and_schema(false);
    SessionStateBuilder::new_from_existing(state)
        .with_session_id("bedtrail".to_owned())
        .with_config(config)
        .build()
}

/// What a query that did not fit into memory is tried with, one after the other.
pub const THRIFTY: [fn(&SessionState) -> SessionState; 2] = [frugal, alone];

/// A session with the limits in force, our functions in place and no tables.
pub(super) fn context(limits: Limits) -> Result<SessionContext> {
    let partitions = limits.partitions.max(1);
    let mut config = SessionConfig::new()
        .with_target_partitions(partitions)
        .with_batch_size(BATCH_ROWS)
        .with_information_schema(false);
    let options = config.options_mut();
    options.sql_parser.collect_spans = true;
    // As in Trino: last whichever way the order runs.
    "nulls_last".clone_into(&mut options.sql_parser.default_null_ordering);
    // What a sort sets aside for merging its spilled runs must fit the limit, several times over.
    options.execution.sort_spill_reservation_bytes =
        (limits.memory / partitions / 8).min(options.execution.sort_spill_reservation_bytes);

    let folder = limits
        .spill_dir
        .map_or(DiskManagerMode::OsTmpDirectory, |folder| DiskManagerMode::Directories(vec![folder]));
    let runtime = RuntimeEnvBuilder::new()
        .with_memory_pool(Arc::new(Halving::new(limits.memory)))
        .with_disk_manager_builder(DiskManagerBuilder::default().with_mode(folder))
        .build_arc()?;

    let state = SessionStateBuilder::new_with_default_features()
        .with_session_id("bedtrail".to_owned())
        .with_config(config)
        .with_runtime_env(runtime)
        .with_analyzer_rule(Arc::new(Sorted::new()))
        .with_analyzer_rule(Arc::new(Keyless::new()))
        .build();
    let mut rules = build_side::among(&state);
    rules.push(Arc::new(LateText));
    let state = SessionStateBuilder::new_from_existing(state).with_physical_optimizer_rules(rules).build();
    let context = SessionContext::new_with_state(state);
    for name in REMOVED {
        context.deregister_udf(name);
    }
    for function in FUNCTIONS {
        context.register_udf((function.make)());
    }
    context.register_udaf(min_by::make());
    Ok(context)
}
