//! How the DataFusion session is set up: limits, settings and functions.

use std::sync::Arc;

use datafusion::common::Result;
use datafusion::execution::disk_manager::{DiskManagerBuilder, DiskManagerMode};
use datafusion::execution::runtime_env::RuntimeEnvBuilder;
use datafusion::execution::session_state::SessionStateBuilder;
use datafusion::prelude::{SessionConfig, SessionContext};

use super::dense::Densely;
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
    rules.push(Arc::new(Densely));
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
