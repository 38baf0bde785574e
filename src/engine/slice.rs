//! The same relations over some of the events: what a waiver covers, and what none does.

use std::sync::Arc;

use datafusion::catalog::{
    CatalogProvider, CatalogProviderList, MemoryCatalogProvider, MemoryCatalogProviderList,
    MemorySchemaProvider, TableProvider,
};
use datafusion::error::{DataFusionError, Result as PlanResult};
use datafusion::execution::session_state::SessionStateBuilder;
use datafusion::prelude::SessionContext;

use super::{Engine, Era, Result, locked};
use crate::data;

/// What is told of a call by other records, of which a slice may hold the call alone.
const WHOLE: &[&str] = &["call_tokens"];

/// All relations of an engine, and contexts in which `events` is narrower.
pub struct Slices {
    base: SessionContext,
    views: Vec<(&'static str, &'static str)>,
}

impl Engine {
    /// Builds what is otherwise built when a query first names it.
    pub fn slices(&self) -> Result<Slices> {
        let relations =
            self.views.keys().copied().chain(data::RELATIONS.iter().map(|relation| relation.name));
        for name in relations {
            self.plan(&format!("SELECT 1 AS one FROM {name}"))?;
        }
        let kept = locked(&self.kept);
        let stand =
            |(name, _): &(&&'static str, &&'static str)| !kept.contains(**name) && !WHOLE.contains(*name);
        let views = self.views.iter().filter(stand).map(|(name, sql)| (*name, *sql)).collect();
        Ok(Slices { base: self.context.clone(), views })
    }

    /// Runs a future on the engine's threads.
    pub fn block_on<F: Future>(&self, future: F) -> F::Output {
        self.runtime.block_on(future)
    }
}

impl Slices {
    /// All events.
    pub fn all(&self) -> SessionContext {
        self.base.clone()
    }

    /// Only the events for which `predicate` is true; the views stand on these.
    pub async fn matching(&self, predicate: &str) -> PlanResult<SessionContext> {
        let events = self.base.sql(&format!("SELECT * FROM events WHERE {predicate}")).await?.into_view();
        let slice = beside(&self.base, &[("events", events)], &|name| self.is_view(name)).await?;
        self.stand(&slice).await?;
        Ok(slice)
    }

    /// The same relations as one version of the policy has them; the views stand on these.
    pub async fn era(&self, era: &Era) -> PlanResult<Self> {
        let tables = era.tables()?;
        let base = beside(&self.base, &tables, &|name| self.is_view(name)).await?;
        self.stand(&base).await?;
        Ok(Self { base, views: self.views.clone() })
    }

    fn is_view(&self, name: &str) -> bool {
        self.views.iter().any(|(view, _)| *view == name)
    }

    /// Plans the views over the tables of a context.
    async fn stand(&self, slice: &SessionContext) -> PlanResult<()> {
        let mut left = self.views.clone();
        while !left.is_empty() {
            let before = left.len();
            let mut waiting = Vec::new();
            let mut reason = None;
            for (name, sql) in left {
                match slice.sql(sql).await {
                    Ok(frame) => {
                        slice.register_table(name, frame.into_view())?;
                    }
                    // It may stand on a view that comes later.
                    Err(error) => {
                        reason = Some(error);
                        waiting.push((name, sql));
                    }
                }
            }
            if waiting.len() == before {
                return Err(reason.unwrap_or_else(|| DataFusionError::Internal("no view".to_owned())));
            }
            left = waiting;
        }
        Ok(())
    }
}

/// A context with the tables of another, but for `instead` and those left out.
pub(super) async fn beside(
    base: &SessionContext,
    instead: &[(&str, Arc<dyn TableProvider>)],
    without: &(dyn Fn(&str) -> bool + Sync),
) -> PlanResult<SessionContext> {
    let catalog = MemoryCatalogProvider::new();
    catalog.register_schema("public", Arc::new(MemorySchemaProvider::new()))?;
    let catalogs = MemoryCatalogProviderList::new();
    catalogs.register_catalog("datafusion".to_owned(), Arc::new(catalog));
    let state = SessionStateBuilder::new_from_existing(base.state())
        .with_catalog_list(Arc::new(catalogs))
        .with_session_id("bedtrail".to_owned());
    let context = SessionContext::new_with_state(state.build());
    for (name, table) in instead {
        context.register_table(*name, Arc::clone(table))?;
    }
    let names = base.catalog("datafusion").and_then(|all| all.schema("public"));
    for name in names.into_iter().flat_map(|schema| schema.table_names()) {
        if !without(&name) && instead.iter().all(|(other, _)| *other != name) {
            context.register_table(name.as_str(), base.table_provider(name.as_str()).await?)?;
        }
    }
    Ok(context)
}
