//! The same session set up otherwise: for few rows, for plans that cannot be made, for queries that do not fit into memory.

use datafusion::execution::session_state::{SessionState, SessionStateBuilder};
use datafusion::prelude::SessionConfig;

/// What a sort keeps back for merging where many sorts share the memory.
const FRUGAL_RESERVATION: usize = 1 << 20;

/// Rows of a batch where memory is short.
const FEW_ROWS: usize = 256;

/// Columns of a wide row, and such rows of a batch.
const WIDE: usize = 24;
const WIDE_ROWS: usize = 1024;

/// What a plan is right without; with few rows it takes longer than it saves.
const THOROUGH: &[&str] = &["FilterPushdown", "ProjectionPushdown"];

/// What a query that did not fit into memory is tried with, one after the other.
pub const THRIFTY: [fn(&SessionState) -> SessionState; 2] = [frugal, alone];

/// The same session with another configuration.
fn with(state: &SessionState, change: impl FnOnce(&mut SessionConfig)) -> SessionStateBuilder {
    // The catalog is there, with all tables.
    let mut config = state.config().clone().with_create_default_catalog_and_schema(false);
    change(&mut config);
    SessionStateBuilder::new_from_existing(state.clone())
        .with_session_id("bedtrail".to_owned())
        .with_config(config)
}

/// The same session, planning for few rows: one thread, no exchange of rows, no late improvements.
pub(super) fn quick(state: &SessionState) -> SessionState {
    let rules = state.physical_optimizers().iter().filter(|rule| !THOROUGH.contains(&rule.name()));
    let rules = rules.cloned().collect();
    with(state, |config| config.options_mut().execution.target_partitions = 1)
        .with_physical_optimizer_rules(rules)
        .build()
}

/// The same session, which sorts what it has brought together and not the parts.
pub(super) fn sorting_last(state: &SessionState) -> SessionState {
    with(state, |config| config.options_mut().optimizer.repartition_sorts = false).build()
}

/// The same session for a query that yields so many columns: merging holds a batch of each sorted run, and those of wide
/// rows are large.
pub(super) fn yielding(state: &SessionState, columns: usize) -> SessionState {
    if columns < WIDE {
        return state.clone();
    }
    with(state, |config| few_at_a_time(config, WIDE_ROWS)).build()
}

/// Batches of so few rows. What is sorted at one go would be cut into many of them, of which each counts for the texts of all:
/// they are sorted one by one and merged. A merge takes all memory that is free for its runs, so there is one only.
fn few_at_a_time(config: &mut SessionConfig, rows: usize) {
    *config = std::mem::take(config).with_batch_size(rows).with_sort_in_place_threshold_bytes(0);
    config.options_mut().optimizer.repartition_sorts = false;
}

/// The same session for a query that did not fit into memory: two sides that are both large it joins by sorting, which can
/// spill, in two parts, the fewest for which the planner does so.
pub(super) fn frugal(state: &SessionState) -> SessionState {
    with(state, |config| {
        let options = config.options_mut();
        options.execution.target_partitions = 2;
        options.optimizer.prefer_hash_join = false;
        options.execution.sort_spill_reservation_bytes =
            FRUGAL_RESERVATION.min(options.execution.sort_spill_reservation_bytes);
    })
    .build()
}

/// The same, in one part: as few operators as can be share the memory. A sort in one of two parts may find that the other
/// has taken what it needs to begin. Rows that are wide go a few at a time: merging holds a batch of each sorted run.
fn alone(state: &SessionState) -> SessionState {
    with(&frugal(state), |config| {
        config.options_mut().execution.target_partitions = 1;
        few_at_a_time(config, FEW_ROWS);
    })
    .build()
}
