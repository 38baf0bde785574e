//! What queries read, learnt from their plans: ingestion builds nothing else.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::thread;

use datafusion::catalog::TableProvider;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::datasource::source_as_provider;
use datafusion::logical_expr::{LogicalPlan, TableScan};

use super::shared::{Life, Shared};
use super::{Engine, Error, Result, locked};

/// So many queries read a column often enough that holding it pays: for this part of the memory that operators may use,
/// beside it.
const MANY: usize = 24;
const HELD: usize = 2;

/// Bytes of stack of a thread that plans: as many as the main thread commonly has.
const STACK: usize = 8 << 20;

impl Engine {
    /// The tables that queries read, views resolved, each with the columns read of it.
    ///
    /// Plans are made over what is registered, empty tables for the most part. A table of which only the rows are
    /// counted has no columns.
    pub fn scans(&self, queries: &[&str]) -> Result<BTreeMap<String, BTreeSet<String>>> {
        let mut scans: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for (sql, plan) in queries.iter().zip(self.plans_of(queries)) {
            let plan = plan?;
            look(&plan, &mut scans)?;
            locked(&self.plans).insert((*sql).to_owned(), plan);
        }
        if queries.len() >= MANY {
            self.room.open(self.limits.memory / HELD);
        }
        Ok(scans)
    }

    /// The plans of queries, made on all threads: one relation after the other is built, but most time goes into
    /// improving plans, each by itself.
    fn plans_of(&self, queries: &[&str]) -> Vec<Result<LogicalPlan>> {
        let plans: Vec<OnceLock<Result<LogicalPlan>>> = queries.iter().map(|_| OnceLock::new()).collect();
        let next = AtomicUsize::new(0);
        let work = || {
            while let Some((plan, sql)) = {
                let at = next.fetch_add(1, Ordering::Relaxed);
                plans.get(at).zip(queries.get(at))
            } {
                plan.get_or_init(|| self.planned(sql).map_or_else(|| self.plan_sharing(sql), Ok));
            }
        };
        thread::scope(|scope| {
            for _ in 1..self.limits.partitions.min(queries.len()) {
                // Where no further thread can be had, this one does it all.
                let _ = thread::Builder::new().stack_size(STACK).spawn_scoped(scope, work);
            }
            work();
        });
        let missing = || Err(Error::Internal("a query was not planned".to_owned()));
        plans.into_iter().map(|plan| plan.into_inner().unwrap_or_else(missing)).collect()
    }

    /// The optimised plan of a query that [`scans`](Self::scans) was asked about, if every table is still the same.
    pub fn planned(&self, sql: &str) -> Option<LogicalPlan> {
        locked(&self.plans).get(sql).cloned()
    }

    /// The same, to be run next.
    pub fn ready(&self, sql: &str) -> Option<LogicalPlan> {
        locked(&self.shared).forget(Life::Query);
        self.planned(sql)
    }

    /// The names of the columns that a query returns; it is planned, not run.
    pub fn columns(&self, sql: &str) -> Result<Vec<String>> {
        let plan = self.plan(sql)?;
        let names = plan.schema().fields().iter().map(|field| field.name().clone()).collect();
        self.optimised(&plan)?;
        Ok(names)
    }

    /// The columns of one table that queries read.
    pub fn columns_scanned(&self, queries: &[&str], table: &str) -> Result<BTreeSet<String>> {
        Ok(self.scans(queries)?.remove(table).unwrap_or_default())
    }

    /// The relations that queries name, directly or through views; they are not planned, and a part of a query may share
    /// its name with a table.
    pub fn named(&self, queries: &[&str]) -> Result<BTreeSet<String>> {
        let mut named = BTreeSet::new();
        let mut open: Vec<&str> = queries.to_vec();
        while let Some(sql) = open.pop() {
            for name in super::plan::named(sql)? {
                if let Some(sql) = self.views.get(name.as_str()).filter(|_| !named.contains(&name)) {
                    open.push(sql);
                }
                named.insert(name);
            }
        }
        Ok(named)
    }

    /// The tables that queries read, views resolved.
    pub fn tables_scanned(&self, queries: &[&str]) -> Result<BTreeSet<String>> {
        Ok(self.scans(queries)?.into_keys().collect())
    }
}

/// Lets go of the rows of a plan's parts that are the plan's only: it has been run.
pub fn end(plan: &LogicalPlan) -> Result<()> {
    for part in parts(plan, |_| ())?.iter().filter_map(|part| part.downcast_ref::<Shared>()) {
        part.end();
        end(part.plan())?;
    }
    Ok(())
}

/// Adds what a plan reads, and the plans of its shared parts.
fn look(plan: &LogicalPlan, scans: &mut BTreeMap<String, BTreeSet<String>>) -> Result<()> {
    let parts = parts(plan, |scan| {
        let columns = scans.entry(scan.table_name.table().to_owned()).or_default();
        columns.extend(scan.projected_schema.fields().iter().map(|field| field.name().clone()));
        let filtered = scan.filters.iter().flat_map(|filter| filter.column_refs());
        columns.extend(filtered.map(|column| column.name.clone()));
    })?;
    parts
        .iter()
        .filter_map(|part| part.downcast_ref::<Shared>())
        .try_for_each(|part| look(part.plan(), scans))
}

/// The shared parts that a plan names; every other table it reads is given to `other`.
fn parts(plan: &LogicalPlan, mut other: impl FnMut(&TableScan)) -> Result<Vec<Arc<dyn TableProvider>>> {
    let mut parts = Vec::new();
    plan.apply_with_subqueries(|node| {
        if let LogicalPlan::TableScan(scan) = node {
            let table = source_as_provider(&scan.source)?;
            if table.is::<Shared>() {
                parts.push(table);
            } else {
                other(scan);
            }
        }
        Ok(TreeNodeRecursion::Continue)
    })?;
    Ok(parts)
}
