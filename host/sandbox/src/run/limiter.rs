//! Memory and tables of a run, summed over all of them, and of all runs together.
//!
//! Owns the sums. A refused growth is remembered: a guest that traps afterwards ran out of memory.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use wasmtime::ResourceLimiter;

use crate::limits::{self, Limits};

/// Bytes of guest memory that all runs hold now.
#[derive(Debug, Default)]
pub(crate) struct SharedMemory(AtomicUsize);

impl SharedMemory {
    fn take(&self, bytes: usize, most: usize) -> bool {
        self.0
            .try_update(Ordering::Relaxed, Ordering::Relaxed, |held| {
                held.checked_add(bytes).filter(|held| *held <= most)
            })
            .is_ok()
    }

    fn give_back(&self, bytes: usize) {
        self.0.fetch_sub(bytes, Ordering::Relaxed);
    }

    /// Bytes held now.
    pub(crate) fn held(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }
}

/// The limiter of one run.
#[derive(Debug)]
pub(crate) struct Limiter {
    max_memory: usize,
    max_of_all: usize,
    max_elements: usize,
    shared: Arc<SharedMemory>,
    memory: usize,
    last_growth: usize,
    elements: usize,
    pub(crate) refused: u32,
    pub(crate) refused_by_all: bool,
}

impl Limiter {
    pub(crate) fn new(limits: &Limits, shared: Arc<SharedMemory>) -> Self {
        Self {
            max_memory: limits.memory,
            max_of_all: limits.memory_of_all_runs,
            max_elements: limits.table_elements,
            shared,
            memory: 0,
            last_growth: 0,
            elements: 0,
            refused: 0,
            refused_by_all: false,
        }
    }

    /// Bytes of all memories. They only ever grow, so it is the peak as well.
    pub(crate) fn memory(&self) -> usize {
        self.memory
    }

    /// The most bytes that there may be.
    pub(crate) fn max_memory(&self) -> usize {
        self.max_memory
    }

    fn refuse(&mut self) -> wasmtime::Result<bool> {
        self.refused = self.refused.saturating_add(1);
        Ok(false)
    }
}

impl Drop for Limiter {
    fn drop(&mut self) {
        self.shared.give_back(self.memory);
    }
}

impl ResourceLimiter for Limiter {
    fn memory_growing(&mut self, current: usize, desired: usize, maximum: Option<usize>) -> wasmtime::Result<bool> {
        let growth = desired.saturating_sub(current);
        self.last_growth = 0;
        // Growth beyond the memory's own maximum fails anyway, and is then not reported as failed.
        if maximum.is_some_and(|maximum| desired > maximum) || self.memory.saturating_add(growth) > self.max_memory {
            return self.refuse();
        }
        if !self.shared.take(growth, self.max_of_all) {
            self.refused_by_all = true;
            return self.refuse();
        }
        self.memory += growth;
        self.last_growth = growth;
        Ok(true)
    }

    fn memory_grow_failed(&mut self, _error: wasmtime::Error) -> wasmtime::Result<()> {
        self.shared.give_back(self.last_growth);
        self.memory -= self.last_growth;
        self.last_growth = 0;
        Ok(())
    }

    fn table_growing(&mut self, current: usize, desired: usize, _maximum: Option<usize>) -> wasmtime::Result<bool> {
        let elements = self.elements.saturating_add(desired.saturating_sub(current));
        if elements > self.max_elements {
            return self.refuse();
        }
        self.elements = elements;
        Ok(true)
    }

    fn instances(&self) -> usize {
        crate::run::book::index(limits::INSTANCES)
    }

    fn tables(&self) -> usize {
        crate::run::book::index(limits::TABLES)
    }

    fn memories(&self) -> usize {
        crate::run::book::index(limits::MEMORIES)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: usize = 64 << 10;

    fn limiter(memory: usize, shared: &Arc<SharedMemory>) -> Limiter {
        Limiter::new(&Limits { memory, ..Limits::default() }, Arc::clone(shared))
    }

    #[test]
    fn all_memories_of_a_run_count_together() {
        let shared = Arc::new(SharedMemory::default());
        let mut limiter = limiter(3 * PAGE, &shared);
        assert!(limiter.memory_growing(0, 2 * PAGE, None).unwrap());
        assert!(limiter.memory_growing(0, PAGE, None).unwrap());
        assert!(!limiter.memory_growing(PAGE, 2 * PAGE, None).unwrap());
        assert_eq!((limiter.memory(), limiter.refused, shared.held()), (3 * PAGE, 1, 3 * PAGE));
        drop(limiter);
        assert_eq!(shared.held(), 0);
    }

    #[test]
    fn all_runs_together_have_an_end_too() {
        let shared = Arc::new(SharedMemory::default());
        let mut limiters: Vec<_> = (0..5).map(|_| limiter(limits::MEMORY.most, &shared)).collect();
        let granted: Vec<_> =
            limiters.iter_mut().map(|limiter| limiter.memory_growing(0, limits::MEMORY.most, None).unwrap()).collect();
        assert_eq!(granted, [true, true, true, true, false]);
        assert!(limiters[4].refused_by_all);
    }

    #[test]
    fn growth_that_fails_after_all_is_given_back() {
        let shared = Arc::new(SharedMemory::default());
        let mut limiter = limiter(4 * PAGE, &shared);
        assert!(limiter.memory_growing(0, PAGE, None).unwrap());
        limiter.memory_grow_failed(wasmtime::Error::msg("no pages left")).unwrap();
        assert_eq!((limiter.memory(), shared.held()), (0, 0));
    }

    #[test]
    fn tables_count_together() {
        let mut limiter = limiter(PAGE, &Arc::default());
        assert!(limiter.table_growing(0, limits::TABLE_ELEMENTS.default - 1, None).unwrap());
        assert!(!limiter.table_growing(0, 2, None).unwrap());
    }
}
