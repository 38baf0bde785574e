//! How the operators of a query share the memory.

use std::fmt;
use std::sync::Mutex;

use datafusion::common::{Result, resources_datafusion_err};
use datafusion::execution::memory_pool::{MemoryLimit, MemoryPool, MemoryReservation, human_readable_size};

use super::locked;

/// Of the memory, a part so small that any operator may have it while there is some.
const LEAST: usize = 64;

/// Lets an operator that can spill hold no more than what it leaves free: the next one finds half of the rest, and so on.
///
/// One who takes all makes another fail that has nothing to spill yet. An equal share for each, as the fair pool gives, is a
/// hundredth in the plan of a rule, and most who have one are idle. Operators that cannot spill take what is free.
#[derive(Debug)]
pub(super) struct Halving {
    limit: usize,
    used: Mutex<usize>,
}

impl Halving {
    /// Over so many bytes.
    pub(super) fn new(limit: usize) -> Self {
        Self { limit, used: Mutex::default() }
    }
}

impl MemoryPool for Halving {
    fn name(&self) -> &'static str {
        "halving"
    }

    fn grow(&self, _: &MemoryReservation, additional: usize) {
        let mut used = locked(&self.used);
        *used = used.saturating_add(additional);
    }

    fn shrink(&self, _: &MemoryReservation, shrink: usize) {
        let mut used = locked(&self.used);
        *used = used.saturating_sub(shrink);
    }

    fn try_grow(&self, reservation: &MemoryReservation, additional: usize) -> Result<()> {
        let mut used = locked(&self.used);
        let free = self.limit.saturating_sub(*used);
        let wanted = reservation.size().saturating_add(additional);
        let left = free.saturating_sub(additional);
        let modest = wanted <= left.max(self.limit / LEAST);
        if additional > free || (reservation.consumer().can_spill() && !modest) {
            return Err(resources_datafusion_err!(
                "{} more failed for {}, which holds {}: of {}, {} are free",
                human_readable_size(additional),
                reservation.consumer().name(),
                human_readable_size(reservation.size()),
                human_readable_size(self.limit),
                human_readable_size(free)
            ));
        }
        *used += additional;
        Ok(())
    }

    fn reserved(&self) -> usize {
        *locked(&self.used)
    }

    fn memory_limit(&self) -> MemoryLimit {
        MemoryLimit::Finite(self.limit)
    }
}

impl fmt::Display for Halving {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}(pool_size: {})", self.name(), human_readable_size(self.limit))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use datafusion::execution::memory_pool::MemoryConsumer;

    use super::*;
    use crate::engine::Error;

    #[test]
    fn what_can_spill_leaves_as_much_as_it_takes() {
        let pool: Arc<dyn MemoryPool> = Arc::new(Halving::new(640));
        let spilling = |name: &str| MemoryConsumer::new(name).with_can_spill(true).register(&pool);
        let (first, second) = (spilling("first"), spilling("second"));
        assert!(first.try_grow(321).is_err());
        assert!(first.try_grow(320).is_ok());
        assert!(first.try_grow(1).is_err(), "half of all is its most");
        assert!(second.try_grow(161).is_err());
        assert!(second.try_grow(160).is_ok());
        let held = MemoryConsumer::new("held").register(&pool);
        assert!(held.try_grow(150).is_ok(), "what cannot spill takes what is free");
        let late = spilling("late");
        assert!(late.try_grow(10).is_ok(), "a little is for all");
        assert_eq!(pool.reserved(), 640);
        let error = Error::from(late.try_grow(1).unwrap_err()).to_string();
        assert!(error.contains("--memory-limit") && error.contains("(late)"), "{error}");
        drop((first, second, held, late));
        assert_eq!(pool.reserved(), 0);
    }
}
