//! The relations that rules ask, in Athena: all of them, part of the events, or as one version of the policy has them.

use std::pin::pin;
use std::sync::Mutex;
use std::task::{Context, Poll, Waker};

use arrow::array::RecordBatch;
use datafusion::error::DataFusionError;
use datafusion::logical_expr::LogicalPlan;

use super::Asking;
use crate::command::Failure;
use crate::engine::Engine;
use crate::engine::athena::Frame;
use crate::rule;

/// What rules would ask: noted down, so that all of it can be asked at the same time.
pub(in crate::command) type Foreseen = Mutex<Vec<(String, String, Frame)>>;

/// The relations as one version of the policy has them, or as they are.
pub(in crate::command) struct Part<'t> {
    pub(in crate::command) engine: &'t Engine,
    pub(in crate::command) asking: &'t Asking,
    pub(in crate::command) era: Option<usize>,
    /// Where what would be asked is noted, in place of asking.
    pub(in crate::command) foreseen: Option<&'t Foreseen>,
}

/// All events or some.
pub(in crate::command) struct Relations<'t> {
    engine: &'t Engine,
    asking: &'t Asking,
    frame: Frame,
    foreseen: Option<&'t Foreseen>,
}

impl<'t> rule::Scope for Part<'t> {
    type Relations = Relations<'t>;

    fn context(&self) -> Relations<'t> {
        self.relations(None)
    }

    async fn context_where(&self, predicate: &str) -> Result<Relations<'t>, DataFusionError> {
        Ok(self.relations(Some(predicate.to_owned())))
    }
}

impl<'t> Part<'t> {
    fn relations(&self, predicate: Option<String>) -> Relations<'t> {
        Relations {
            engine: self.engine,
            asking: self.asking,
            frame: Frame { predicate, era: self.era },
            foreseen: self.foreseen,
        }
    }
}

impl rule::Relations for Relations<'_> {
    async fn rows(&self, name: &str, sql: &str) -> Result<Vec<RecordBatch>, DataFusionError> {
        let failed = |error: &dyn std::fmt::Display| DataFusionError::Execution(error.to_string());
        if let Some(foreseen) = self.foreseen {
            let asked = (name.to_owned(), sql.to_owned(), self.frame.clone());
            foreseen.lock().map_err(|error| failed(&error))?.push(asked);
            return self.engine.empty(sql).map_err(|error| failed(&error));
        }
        let rows = self.asking.athena.run(self.engine, name, sql, &self.frame);
        rows.map_err(|error| failed(&error))
    }

    async fn planned(&self, _plan: &LogicalPlan) -> Result<Vec<RecordBatch>, DataFusionError> {
        Err(DataFusionError::Internal("Athena takes statements, not plans".to_owned()))
    }

    async fn any(&self, relation: &str) -> Result<bool, DataFusionError> {
        let any = self.engine.any(relation, self.frame.era);
        any.map_err(|error| DataFusionError::Execution(error.to_string()))
    }

    fn unknowable(&self, sql: &str) -> Option<String> {
        self.asking.athena.unknowable(self.engine, sql)
    }
}

/// The outcome of a future that waits for nothing: all that it asks blocks.
pub(in crate::command) fn at_once<F: Future>(future: F) -> Result<F::Output, Failure> {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => Ok(output),
        Poll::Pending => Err(Failure::failed("internal error: a rule waited for what does not come")),
    }
}
