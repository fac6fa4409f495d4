//! The thread that moves the epoch on, so that a guest which computes without end is interrupted.
//!
//! Owns that thread: an OS thread of its own, because a task would starve together with what it is to interrupt. It
//! keeps no engine alive and ends with its `Ticker`.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
};

use wasmtime::EngineWeak;

use crate::{error::SandboxError, limits};

/// The running thread; dropping it stops and joins it.
#[derive(Debug)]
pub(crate) struct Ticker {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Ticker {
    pub(crate) fn start(engine: EngineWeak) -> Result<Self, SandboxError> {
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let thread = thread::Builder::new()
            .name("sandbox-ticker".to_owned())
            .spawn(move || {
                while !stopped.load(Ordering::Acquire) {
                    thread::park_timeout(limits::TICK);
                    let Some(engine) = engine.upgrade() else { return };
                    engine.increment_epoch();
                }
            })
            .map_err(|error| SandboxError::Ticker(error.to_string()))?;
        Ok(Self { stop, thread: Some(thread) })
    }

    /// Does it still tick? Without it nothing stops a spinning guest.
    pub(crate) fn is_alive(&self) -> bool {
        self.thread.as_ref().is_some_and(|thread| !thread.is_finished())
    }
}

impl Drop for Ticker {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Release);
        if let Some(thread) = self.thread.take() {
            thread.thread().unpark();
            // It panics never; and if it did, there would be nothing left to stop.
            let _ = thread.join();
        }
    }
}
