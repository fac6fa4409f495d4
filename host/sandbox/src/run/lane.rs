//! The lane of long runs: guests that compute for longer than a moment take turns.
//!
//! Owns the turns. A run that ends within its first ticks, as nearly all do, never comes here. What is in the lane holds its
//! turn while it computes, gives it back while it waits for the host, and computes on only when it has another one. So a few
//! guests that compute without end cannot take every processor from requests that need a moment.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::limits;

/// Every run's way into the lane.
#[derive(Debug, Clone)]
pub(crate) struct LongRuns(Arc<Semaphore>);

impl LongRuns {
    /// As many turns at a time as leave processors for everything else.
    pub(crate) fn new() -> Self {
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        Self(Arc::new(Semaphore::new((processors / limits::LONG_RUNS_SHARE).max(1))))
    }

    pub(crate) fn lane(&self) -> Lane {
        Lane { runs: Arc::clone(&self.0), turn: Arc::default() }
    }
}

/// One run's place in the lane.
#[derive(Debug)]
pub(crate) struct Lane {
    runs: Arc<Semaphore>,
    turn: Arc<Mutex<Option<OwnedSemaphorePermit>>>,
}

impl Lane {
    /// Gives the turn back; says whether there was one.
    pub(crate) fn leave(&self) -> bool {
        held(&self.turn).take().is_some()
    }

    /// Goes to the end of the queue and waits for the next turn. Other work has the thread meanwhile.
    pub(crate) fn next_turn(&self) -> impl Future<Output = ()> + Send + 'static {
        self.leave();
        let (runs, turn) = (Arc::clone(&self.runs), Arc::clone(&self.turn));
        async move {
            tokio::task::yield_now().await;
            // Nobody closes it.
            let next = runs.acquire_owned().await.ok();
            *held(&turn) = next;
        }
    }
}

fn held(turn: &Mutex<Option<OwnedSemaphorePermit>>) -> MutexGuard<'_, Option<OwnedSemaphorePermit>> {
    turn.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_long_run_waits_until_another_leaves() {
        let runs = LongRuns(Arc::new(Semaphore::new(1)));
        let (one, other) = (runs.lane(), runs.lane());
        one.next_turn().await;
        let mut waiting = tokio::spawn(other.next_turn());
        assert!(tokio::time::timeout(std::time::Duration::from_millis(50), &mut waiting).await.is_err());
        one.leave();
        waiting.await.unwrap();
        assert_eq!(runs.0.available_permits(), 0);
        drop(other);
        assert_eq!(runs.0.available_permits(), 1, "a run that ends leaves");
    }
}
