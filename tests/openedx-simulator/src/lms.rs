//! Owns the one running LMS behind its lock: site, clock, faults and the log of requests; must never know sockets.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::clock::Clock;
use crate::fault::{Endpoint, FaultKind, Faults, Plan};
use crate::http::answer::Answer;
use crate::http::request::Request;
use crate::site::Site;
use crate::snapshot::Received;

/// The running LMS. Whoever holds the lock is alone with it, as in one transaction.
#[derive(Debug)]
pub(crate) struct Lms {
    clock: Arc<dyn Clock>,
    core: Mutex<Core>,
}

/// What is behind the lock.
#[derive(Debug)]
pub(crate) struct Core {
    pub(crate) site: Site,
    pub(crate) faults: Faults,
    pub(crate) log: Vec<Received>,
    /// Raised when the log is emptied, so that a request under way does not write into somebody else's line.
    generation: u64,
}

/// The line of the log a request has.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Line {
    generation: u64,
    index: usize,
}

impl Lms {
    pub(crate) fn new(site: Site, clock: Arc<dyn Clock>) -> Self {
        let core = Core { site, faults: Faults::default(), log: Vec::new(), generation: 0 };
        Self { clock, core: Mutex::new(core) }
    }

    pub(crate) fn clock(&self) -> &Arc<dyn Clock> {
        &self.clock
    }

    /// The LMS, at the present moment.
    pub(crate) fn lock(&self) -> MutexGuard<'_, Core> {
        let mut core = self.core.lock().unwrap_or_else(PoisonError::into_inner);
        core.site.now = self.clock.now();
        core
    }

    /// Writes the request down and takes what is to be done to it.
    pub(crate) fn receive(&self, request: &Request) -> (Line, Plan) {
        let mut core = self.lock();
        let endpoint = Endpoint::of(&request.method, &request.path);
        let plan = core.faults.take(endpoint, &request.method);
        let query = request.raw_query.as_ref().map(|query| format!("?{query}")).unwrap_or_default();
        let line = Line { generation: core.generation, index: core.log.len() };
        let received = Received {
            endpoint,
            method: request.method.clone(),
            path: format!("{}{query}", request.raw_path),
            body: String::from_utf8_lossy(&request.body).into_owned(),
            at: crate::clock::wire(core.site.now),
            status: None,
            fault: plan.fault.as_ref().and_then(name),
        };
        core.log.push(received);
        (line, plan)
    }

    /// Answers the request as the LMS does.
    pub(crate) fn answer(&self, request: &Request) -> Answer {
        crate::http::answer(&mut self.lock().site, request)
    }

    /// Writes down how the request was answered.
    pub(crate) fn answered(&self, line: Line, status: u16) {
        let mut core = self.lock();
        if core.generation == line.generation
            && let Some(received) = core.log.get_mut(line.index)
        {
            received.status = Some(status);
        }
    }
}

impl Core {
    pub(crate) fn forget_requests(&mut self) {
        self.log.clear();
        self.generation = self.generation.saturating_add(1);
    }
}

/// What a fault is called on the control page.
fn name(fault: &FaultKind) -> Option<String> {
    serde_json::to_value(fault).ok()?.get("fault")?.as_str().map(str::to_owned)
}
