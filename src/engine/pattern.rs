//! Regular expressions, compiled once for the session.

use std::collections::HashMap;
use std::hash::{Hash, Hasher};
use std::sync::{Arc, Mutex, PoisonError};

use datafusion::common::{DataFusionError, exec_datafusion_err};
use regex::Regex;

/// Beyond so many patterns the cache starts anew: a column of patterns may hold anything.
pub(super) const KEPT: usize = 4096;

/// The patterns compiled so far.
#[derive(Debug, Default)]
pub(super) struct Patterns(pub(super) Mutex<HashMap<String, Arc<Regex>>>);

// Two instances are one function: the cache changes no answer.
impl PartialEq for Patterns {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Patterns {}

impl Hash for Patterns {
    fn hash<H: Hasher>(&self, _: &mut H) {}
}

impl Patterns {
    pub(super) fn compile(&self, pattern: &str) -> Result<Arc<Regex>, DataFusionError> {
        let mut compiled = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(regex) = compiled.get(pattern) {
            return Ok(Arc::clone(regex));
        }
        let regex = Regex::new(pattern)
            .map_err(|error| exec_datafusion_err!("'{pattern}' is no regular expression: {error}"))?;
        if compiled.len() >= KEPT {
            compiled.clear();
        }
        let regex = Arc::new(regex);
        compiled.insert(pattern.to_owned(), Arc::clone(&regex));
        Ok(regex)
    }
}
