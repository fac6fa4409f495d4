//! What enrollments that are dealt with together share: places at the LMS, and the news that it is away.
//!
//! Owns nothing that outlives them.

use std::sync::OnceLock;

use bursar_lms::LmsError;
use tokio::sync::{Semaphore, SemaphorePermit, watch};

use super::is_outage;

#[derive(Debug)]
pub(super) struct Together {
    places: Semaphore,
    outage: OnceLock<LmsError>,
    stop: watch::Receiver<bool>,
}

/// What came of waiting for a place at the LMS.
pub(super) enum Place<'a> {
    /// To be held during a call.
    Free(SemaphorePermit<'a>),
    /// Another one found meanwhile that the LMS is away.
    Outage(LmsError),
    /// The host stops: nothing more is begun.
    Stopping,
}

impl Together {
    pub(super) fn new(places: usize, stop: watch::Receiver<bool>) -> Self {
        Self { places: Semaphore::new(places), outage: OnceLock::new(), stop }
    }

    pub(super) fn stops(&self) -> bool {
        *self.stop.borrow()
    }

    pub(super) async fn place(&self) -> Place<'_> {
        match (self.places.acquire().await, self.outage()) {
            (_, Some(outage)) => Place::Outage(outage),
            (Ok(place), None) if !self.stops() => Place::Free(place),
            (Ok(_) | Err(_), None) => Place::Stopping,
        }
    }

    /// A failure that says something about the LMS is told to the others.
    pub(super) fn note(&self, failure: Option<&LmsError>) {
        if let Some(error) = failure.filter(|error| is_outage(error)) {
            self.outage.get_or_init(|| error.clone());
        }
    }

    pub(super) fn outage(&self) -> Option<LmsError> {
        self.outage.get().cloned()
    }
}
