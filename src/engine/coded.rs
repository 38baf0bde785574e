//! Parquet files as a table whose columns are held in memory once they were asked for, in codes.
//!
//! Eighty rules read the same dozen columns of the same files, and unpacking these takes longer than judging by them. Most
//! have few values: a role, a model, a Region. As codes they take a byte or two a row, and a condition on one is worked out
//! once per value. A column too wide for that, or for which there is no room, is read from the files as ever.

mod column;
mod load;
mod scan;
mod text;
mod uuid;

use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::thread;

use async_trait::async_trait;
use datafusion::arrow::datatypes::{DataType, Schema, SchemaRef};
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::{DFSchema, Result as PlanResult};
use datafusion::logical_expr::{Expr, TableProviderFilterPushDown, TableType};
use datafusion::physical_plan::ExecutionPlan;

use self::column::Column;
use self::load::Files;
pub(super) use self::scan::CodedScan;
use self::scan::{Passing, Source, Wanted, expected, places};

/// Of so many rows, one is few; and of so many, one may turn out to be.
const FEW: usize = 64;
const EXPECTED: usize = 16;

/// Where columns are held, of all tables together.
#[derive(Debug, Default)]
pub(super) struct Room {
    /// Bytes.
    limit: AtomicUsize,
    taken: AtomicUsize,
}

impl Room {
    /// Gives so many bytes; there are none until then.
    pub(super) fn open(&self, bytes: usize) {
        self.limit.store(bytes, Ordering::Relaxed);
    }

    /// Takes bytes, if there are as many.
    fn take(&self, bytes: usize) -> bool {
        let limit = self.limit.load(Ordering::Relaxed);
        let more = |taken: usize| taken.checked_add(bytes).filter(|taken| *taken <= limit);
        self.taken.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more).is_ok()
    }

    fn left(&self) -> usize {
        self.limit.load(Ordering::Relaxed).saturating_sub(self.taken.load(Ordering::Relaxed))
    }
}

/// The table.
#[derive(Debug)]
pub(super) struct Coded {
    /// The same table, which reads the files.
    files: Arc<dyn TableProvider>,
    schema: SchemaRef,
    paths: Vec<PathBuf>,
    /// The files, once they were opened; none if one cannot be, which who reads them will report.
    opened: OnceLock<Option<Arc<Files>>>,
    /// Those that were asked for; none for one that cannot be held.
    columns: Vec<OnceLock<Option<Arc<Column>>>>,
    room: Arc<Room>,
    threads: usize,
}

impl Coded {
    pub(super) fn new(
        files: Arc<dyn TableProvider>,
        paths: Vec<PathBuf>,
        room: Arc<Room>,
        threads: usize,
    ) -> Self {
        let schema = files.schema();
        let columns = schema.fields().iter().map(|_| OnceLock::new()).collect();
        Self { files, schema, paths, opened: OnceLock::new(), columns, room, threads }
    }

    /// The files, if columns are held at all.
    fn opened(&self) -> Option<&Arc<Files>> {
        if self.room.left() == 0 && self.columns.iter().all(|column| column.get().is_none()) {
            return None;
        }
        self.opened.get_or_init(|| Files::open(&self.paths).ok().map(Arc::new)).as_ref()
    }

    /// These columns, if all of them can be held.
    fn held(&self, files: &Files, wanted: &[usize]) -> Option<Vec<Arc<Column>>> {
        let mut cost = 0;
        let mut missing = Vec::new();
        for at in wanted {
            match self.columns[*at].get() {
                Some(None) => return None,
                Some(Some(_)) => {}
                None => {
                    cost += files.cost(self.schema.field(*at))?;
                    missing.push(*at);
                }
            }
        }
        if cost > self.room.left() {
            return None;
        }
        let next = AtomicUsize::new(0);
        let load = || {
            while let Some(at) = missing.get(next.fetch_add(1, Ordering::Relaxed)) {
                self.columns[*at].get_or_init(|| self.load(files, *at));
            }
        };
        thread::scope(|scope| {
            for _ in 1..self.threads.min(missing.len()) {
                scope.spawn(load);
            }
            load();
        });
        wanted.iter().map(|at| self.columns[*at].get().cloned().flatten()).collect()
    }

    /// A column, if it turns out to be one that can be held.
    fn load(&self, files: &Files, at: usize) -> Option<Arc<Column>> {
        let column = files.load(self.schema.field(at)).ok().flatten()?;
        self.room.take(column.bytes()).then(|| Arc::new(column))
    }

    /// The column that a condition is on, if it is on one only, of texts.
    fn on(&self, condition: &Expr) -> Option<usize> {
        let columns = condition.column_refs();
        let mut columns = columns.into_iter();
        let (Some(column), None) = (columns.next(), columns.next()) else { return None };
        let (at, field) = self.schema.column_with_name(&column.name)?;
        (*field.data_type() == DataType::Utf8View).then_some(at)
    }

    /// For which rows a condition can be true, if that can be told by the values of a column that is held.
    fn passing(&self, condition: &Expr, files: &Files, state: &dyn Session) -> Option<Passing> {
        let at = self.on(condition)?;
        let column = self.held(files, &[at])?.pop()?;
        let schema = Schema::new(vec![Arc::clone(&self.schema.fields()[at])]);
        let schema = DFSchema::try_from(schema).ok()?;
        let condition = state.create_physical_expr(condition.clone(), &schema).ok()?;
        Passing::of(&condition, &self.schema.fields()[at], column)
    }

    /// The rows from columns in codes, if they can be. The filters say which rows will be asked for: whoever asks applies
    /// them again.
    fn coded(
        &self,
        state: &dyn Session,
        projection: &[usize],
        filters: &[Expr],
    ) -> PlanResult<Option<CodedScan>> {
        let Some(files) = self.opened() else { return Ok(None) };
        let schema = Arc::new(self.schema.project(projection)?);
        let wanted = |columns| Wanted { files: Arc::clone(files), schema, columns };
        let passing: Vec<_> =
            filters.iter().filter_map(|filter| self.passing(filter, files, state)).collect();
        if let Some(places) = few(files, &passing) {
            let columns = projection.iter().map(|at| match self.columns[*at].get() {
                Some(Some(column)) => Source::Held(Arc::clone(column)),
                _ => Source::Files,
            });
            return Ok(Some(CodedScan::at(wanted(columns.collect()), places)));
        }
        let Some(columns) = self.held(files, projection) else { return Ok(None) };
        let columns = columns.into_iter().map(Source::Held).collect();
        Ok(Some(CodedScan::all(wanted(columns), state.config().target_partitions())))
    }
}

/// The places of the rows for which conditions are true, per file, if they are so few that the files can be read for them
/// alone.
fn few(files: &Files, passing: &[Passing]) -> Option<Vec<Vec<u32>>> {
    let all: usize = files.rows().sum();
    if passing.is_empty() || expected(files, passing) > all / EXPECTED {
        return None;
    }
    let places: Vec<_> =
        files.rows().enumerate().map(|(file, rows)| places(file, 0, rows, passing)).collect();
    let found: usize = places.iter().map(Vec::len).sum();
    (found <= all / FEW).then_some(places)
}

#[async_trait]
impl TableProvider for Coded {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    fn supports_filters_pushdown(&self, filters: &[&Expr]) -> PlanResult<Vec<TableProviderFilterPushDown>> {
        self.files.supports_filters_pushdown(filters)
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> PlanResult<Arc<dyn ExecutionPlan>> {
        let columns = projection.cloned().unwrap_or_else(|| (0..self.columns.len()).collect());
        match self.coded(state, &columns, filters)? {
            Some(rows) => Ok(Arc::new(rows)),
            None => self.files.scan(state, projection, filters, limit).await,
        }
    }
}
