//! The rows of columns in codes.

use std::fmt;
use std::sync::Arc;

use datafusion::arrow::array::{Array, AsArray, RecordBatch, RecordBatchOptions};
use datafusion::arrow::datatypes::{FieldRef, Schema, SchemaRef};
use datafusion::common::config::ConfigOptions;
use datafusion::common::stats::Precision;
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::common::{Result, Statistics, internal_datafusion_err, internal_err};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::expressions::Column as PhysicalColumn;
use datafusion::physical_expr::utils::collect_columns;
use datafusion::physical_expr::{EquivalenceProperties, Partitioning, PhysicalExpr};
use datafusion::physical_expr_common::physical_expr::is_volatile;
use datafusion::physical_plan::execution_plan::{
    Boundedness, ChildrenPropertiesMode, EmissionType, ReplaceChildrenOptions,
};
use datafusion::physical_plan::filter_pushdown::{
    ChildPushdownResult, FilterPushdownPhase, FilterPushdownPropagation, PushedDown,
};
use datafusion::physical_plan::statistics::StatisticsArgs;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{DisplayAs, DisplayFormatType, ExecutionPlan, PlanProperties};
use futures_util::stream;

use super::column::{Column, Which};
use super::load::Files;

/// A condition on a column in codes.
#[derive(Clone, Debug)]
pub(super) struct Passing {
    pub(super) column: Arc<Column>,
    /// Whether it is true, by code.
    pub(super) passes: Vec<bool>,
}

impl Passing {
    /// A condition on the one column of `field`, which stands at 0; none if its values alone do not tell.
    pub(super) fn of(
        condition: &Arc<dyn PhysicalExpr>,
        field: &FieldRef,
        column: Arc<Column>,
    ) -> Option<Self> {
        let texts = column.texts()?;
        if is_volatile(condition) {
            return None;
        }
        let schema = Arc::new(Schema::new(vec![Arc::clone(field)]));
        let values = RecordBatch::try_new(schema, vec![Arc::clone(texts)]).ok()?;
        // It may fail on a value that rows have which another condition leaves out.
        let told = condition.evaluate(&values).and_then(|told| told.into_array(texts.len())).ok()?;
        let passes = told.as_boolean_opt()?.iter().map(|passes| passes == Some(true)).collect();
        Some(Self { column, passes })
    }
}

/// Where the values of a column are.
#[derive(Debug)]
pub(super) enum Source {
    Held(Arc<Column>),
    /// In the files, which are read for the rows that pass.
    Files,
}

/// What is read.
#[derive(Debug)]
pub(super) struct Wanted {
    pub(super) files: Arc<Files>,
    pub(super) schema: SchemaRef,
    /// Per field of the schema.
    pub(super) columns: Vec<Source>,
}

/// Rows of a file.
#[derive(Clone, Debug)]
enum Span {
    /// From, and to before, a place: of these those for which conditions are true.
    Within(usize, usize, usize),
    /// Those at these places.
    At(usize, Arc<[u32]>),
}

/// What yields the rows.
#[derive(Debug)]
pub(crate) struct CodedScan {
    wanted: Arc<Wanted>,
    /// Conditions that stood above.
    passing: Arc<[Passing]>,
    /// Per part that may run at once.
    spans: Vec<Vec<Span>>,
    /// How many rows will pass, roughly if there is a condition.
    rows: Precision<usize>,
    properties: Arc<PlanProperties>,
}

impl CodedScan {
    /// All rows.
    pub(super) fn all(wanted: Wanted, parts: usize) -> Self {
        let rows = Precision::Exact(wanted.files.rows().sum());
        let spans = spans(&wanted.files, parts.max(1));
        Self::new(wanted, spans, rows)
    }

    /// Rows that are known already, per file.
    pub(super) fn at(wanted: Wanted, places: Vec<Vec<u32>>) -> Self {
        let rows = Precision::Exact(places.iter().map(Vec::len).sum());
        let places = places.into_iter().enumerate().filter(|(_, places)| !places.is_empty());
        let spans = vec![places.map(|(file, places)| Span::At(file, places.into())).collect()];
        Self::new(wanted, spans, rows)
    }

    fn new(wanted: Wanted, spans: Vec<Vec<Span>>, rows: Precision<usize>) -> Self {
        let properties = PlanProperties::new(
            EquivalenceProperties::new(Arc::clone(&wanted.schema)),
            Partitioning::UnknownPartitioning(spans.len()),
            EmissionType::Incremental,
            Boundedness::Bounded,
        );
        let passing = Arc::new([]);
        Self { wanted: Arc::new(wanted), passing, spans, rows, properties: Arc::new(properties) }
    }

    /// What is true of a column in codes, of the conditions that stand above.
    fn passing(&self, condition: &Arc<dyn PhysicalExpr>) -> Option<Passing> {
        let columns = collect_columns(condition);
        let mut columns = columns.iter();
        let (Some(on), None) = (columns.next(), columns.next()) else { return None };
        let Source::Held(column) = self.wanted.columns.get(on.index())? else { return None };
        let alone = Arc::clone(condition).transform(|expr| {
            let first = expr.downcast_ref::<PhysicalColumn>().map(|one| PhysicalColumn::new(one.name(), 0));
            Ok(first.map_or_else(|| Transformed::no(expr), |first| Transformed::yes(Arc::new(first) as _)))
        });
        Passing::of(&alone.ok()?.data, &self.wanted.schema.fields()[on.index()], Arc::clone(column))
    }
}

/// How many rows conditions may be true for.
pub(super) fn expected(files: &Files, passing: &[Passing]) -> usize {
    let all: usize = files.rows().sum();
    let share = |rows: usize, one: &Passing| {
        let passing = one.column.count(&one.passes) as u128;
        usize::try_from(rows as u128 * passing / all.max(1) as u128).unwrap_or(rows)
    };
    passing.iter().fold(all, share)
}

/// The places of the rows of a file, from one to before another, for which conditions are true.
pub(super) fn places(file: usize, from: usize, to: usize, passing: &[Passing]) -> Vec<u32> {
    let mut passed = None;
    for one in passing {
        passed = Some(one.column.select(file, &one.passes, from, to, passed));
    }
    passed.unwrap_or_default()
}

/// The rows of all files, in parts of like size.
fn spans(files: &Files, parts: usize) -> Vec<Vec<Span>> {
    let each = files.rows().sum::<usize>().div_ceil(parts).max(1);
    let mut spans = vec![Vec::new(); parts];
    let (mut part, mut room) = (0, each);
    for (file, rows) in files.rows().enumerate() {
        let mut from = 0;
        while from < rows {
            let to = (from + room).min(rows);
            spans[part].push(Span::Within(file, from, to));
            room -= to - from;
            from = to;
            if room == 0 {
                part = (part + 1).min(parts - 1);
                room = each;
            }
        }
    }
    spans
}

/// The next rows of some spans, at most so many; none where none are left.
fn next(
    wanted: &Wanted,
    passing: &[Passing],
    spans: &mut [Span],
    rows: usize,
) -> Option<Result<RecordBatch>> {
    for span in spans {
        match span {
            Span::At(file, places) if !places.is_empty() => {
                let places = std::mem::take(places);
                return Some(wanted.batch(*file, Which::At(&places), places.len()));
            }
            Span::Within(file, from, to) => {
                if passing.is_empty() && from < to {
                    let begin = *from;
                    *from = (begin + rows).min(*to);
                    return Some(wanted.batch(*file, Which::Range(begin, *from - begin), *from - begin));
                }
                let mut found = Vec::new();
                // Few rows may pass: a batch is filled from as much of a file as it takes.
                while *from < *to && found.len() < rows {
                    let until = (*from + rows - found.len()).min(*to);
                    found.append(&mut places(*file, *from, until, passing));
                    *from = until;
                }
                if !found.is_empty() {
                    return Some(wanted.batch(*file, Which::At(&found), found.len()));
                }
            }
            Span::At(..) => {}
        }
    }
    None
}

impl Wanted {
    fn batch(&self, file: usize, which: Which<'_>, rows: usize) -> Result<RecordBatch> {
        let sources = || self.columns.iter().zip(self.schema.fields());
        let late: Vec<_> = sources()
            .filter(|(source, _)| matches!(source, Source::Files))
            .map(|(_, field)| field.as_ref())
            .collect();
        let mut late = match which {
            Which::At(places) if !late.is_empty() => self.files.pick(file, &late, places)?.into_iter(),
            _ => Vec::new().into_iter(),
        };
        let columns = sources().map(|(source, field)| match source {
            Source::Held(column) => column.rows(file, which, field.data_type()),
            Source::Files => late.next().ok_or_else(|| internal_datafusion_err!("{field} is not held")),
        });
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        Ok(RecordBatch::try_new_with_options(
            Arc::clone(&self.schema),
            columns.collect::<Result<_>>()?,
            &options,
        )?)
    }
}

impl DisplayAs for CodedScan {
    fn fmt_as(&self, _: DisplayFormatType, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.wanted.schema.fields().iter().map(|field| field.name().as_str()).collect();
        write!(
            out,
            "CodedScan: parts={}, conditions={}, projection=[{}]",
            self.spans.len(),
            self.passing.len(),
            names.join(", ")
        )
    }
}

impl ExecutionPlan for CodedScan {
    fn name(&self) -> &'static str {
        "CodedScan"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        Vec::new()
    }

    fn apply_expressions(
        &self,
        _: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn replace_children(
        self: Arc<Self>,
        children: Vec<Arc<dyn ExecutionPlan>>,
        _: ReplaceChildrenOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        if children.is_empty() { Ok(self) } else { internal_err!("{} has no input", self.name()) }
    }

    fn with_new_children(
        self: Arc<Self>,
        children: Vec<Arc<dyn ExecutionPlan>>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        self.replace_children(children, ReplaceChildrenOptions::new(ChildrenPropertiesMode::Keep))
    }

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let (wanted, passing) = (Arc::clone(&self.wanted), Arc::clone(&self.passing));
        let mut spans = self.spans[partition].clone();
        let rows = context.session_config().batch_size();
        let batches = stream::iter(std::iter::from_fn(move || next(&wanted, &passing, &mut spans, rows)));
        Ok(Box::pin(RecordBatchStreamAdapter::new(Arc::clone(&self.wanted.schema), batches)))
    }

    /// Takes over conditions on one column in codes: each is worked out once per value.
    fn handle_child_pushdown_result(
        &self,
        phase: FilterPushdownPhase,
        above: ChildPushdownResult,
        _: &ConfigOptions,
    ) -> Result<FilterPushdownPropagation<Arc<dyn ExecutionPlan>>> {
        let all = self.spans.iter().flatten().all(|span| matches!(span, Span::Within(..)));
        if !matches!(phase, FilterPushdownPhase::Pre) || !all {
            return Ok(FilterPushdownPropagation::all_unsupported(above));
        }
        let mut passing = self.passing.to_vec();
        let taken = above.parent_filters.iter().map(|one| match self.passing(&one.filter) {
            Some(one) => {
                passing.push(one);
                PushedDown::Yes
            }
            None => PushedDown::No,
        });
        let taken = FilterPushdownPropagation::with_parent_pushdown_result(taken.collect());
        if passing.len() == self.passing.len() {
            return Ok(taken);
        }
        let rows = Precision::Inexact(expected(&self.wanted.files, &passing));
        let properties = Arc::clone(&self.properties);
        let (wanted, spans) = (Arc::clone(&self.wanted), self.spans.clone());
        let narrowed = Self { wanted, passing: passing.into(), spans, rows, properties };
        Ok(taken.with_updated_node(Arc::new(narrowed)))
    }

    fn statistics_from_inputs(&self, _: &[Arc<Statistics>], _: &StatisticsArgs) -> Result<Arc<Statistics>> {
        let told = Statistics { num_rows: self.rows, ..Statistics::new_unknown(&self.wanted.schema) };
        Ok(Arc::new(told))
    }
}
