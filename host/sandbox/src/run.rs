//! One run of an adapter: a fresh store, the limits around it, and how it ended.
//!
//! Owns the life of a run. A store serves one call and is dropped, whatever came of it; nothing of a run reaches the next
//! one.

pub(crate) mod book;
pub(crate) mod lane;
pub(crate) mod limiter;
pub(crate) mod state;

use std::{
    panic::AssertUnwindSafe,
    time::{Duration, Instant},
};

use futures_util::FutureExt as _;
use tokio::{
    sync::{Semaphore, SemaphorePermit},
    time::timeout,
};
use wasmtime::{PoolConcurrencyLimitError, Store, Trap, UpdateDeadline, WasmBacktrace, component::Resource};
use wasmtime_wasi::I32Exit;

use crate::{
    contract::{Everything, EverythingPre, bursar::adapter::types::Problem as WitProblem},
    error::{RunError, RunErrorKind},
    limits,
    run::state::{Phase, RunState},
    text,
};

/// What wasmtime puts before the words of a trap; ours say it already.
const TRAP_PREFIX: &str = "wasm trap: ";

/// Fuel of a run where it is counted: more than can be burnt. It measures; the epoch is what ends a run.
const FUEL: u64 = u64::MAX;

/// How the words begin that say that the adapter's functions are not those of the contract.
pub(crate) const OTHER_TYPES: &str = "its functions have other types: ";

/// What the adapter's function returned.
pub(crate) enum Returned {
    /// The position of a description.
    Description(u32),
    /// The position of a verdict.
    Verdict(Result<u32, WitProblem>),
    /// Handled, or not.
    Handled(Result<(), WitProblem>),
}

/// A run that ended by itself.
pub(crate) struct Finished {
    pub(crate) returned: Returned,
    pub(crate) state: RunState,
    pub(crate) wall: Duration,
}

/// A run needs a place of its shop, of its adapter, and of all together.
pub(crate) const PLACES: usize = 3;

/// Runs the function of the state's phase once there are places for it.
pub(crate) async fn run(
    pre: &EverythingPre<RunState>,
    places: [&Semaphore; PLACES],
    wall: Duration,
    state: RunState,
) -> Result<Finished, RunError> {
    let waiting = Instant::now();
    let Ok(Some(_held)) = timeout(wall, take(places)).await else {
        return Err(failed(RunErrorKind::Busy, None, state, Duration::ZERO));
    };
    let left = wall.saturating_sub(waiting.elapsed());
    let started = Instant::now();
    let mut store = store(pre, state);
    // The store is dropped, whatever state a panic left it in.
    let ended = AssertUnwindSafe(timeout(left, call(pre, &mut store))).catch_unwind().await;
    let fuel = if pre.engine().get_consume_fuel() { store.get_fuel().ok().map(|left| FUEL - left) } else { None };
    let mut state = store.into_data();
    state.fuel = fuel;
    state.close_printed();
    let took = started.elapsed();
    let Ok(ended) = ended else {
        return Err(failed(RunErrorKind::Host("it panicked".to_owned()), None, state, took));
    };
    match ended {
        Ok(Ok(returned)) => Ok(Finished { returned, state, wall: took }),
        Ok(Err(error)) => {
            let (kind, backtrace) = classify(error, &state);
            Err(failed(kind, backtrace, state, took))
        }
        Err(_) => Err(failed(RunErrorKind::Time(wall), None, state, took)),
    }
}

/// A place of each; none if nobody gives any out any more.
async fn take<'p>(places: [&'p Semaphore; PLACES]) -> Option<[SemaphorePermit<'p>; PLACES]> {
    let [of_shop, of_adapter, of_all] = places;
    // The narrowest first: whoever waits in a crowd of its own holds nothing that others need.
    Some([of_shop.acquire().await.ok()?, of_adapter.acquire().await.ok()?, of_all.acquire().await.ok()?])
}

fn store(pre: &EverythingPre<RunState>, state: RunState) -> Store<RunState> {
    let host_call_bytes = state.limits.host_call_bytes;
    let mut store = Store::new(pre.engine(), state);
    store.limiter(|state| &mut state.limiter);
    store.set_hostcall_fuel(host_call_bytes);
    if pre.engine().get_consume_fuel() {
        // Refused only by an engine that does not count.
        let _ = store.set_fuel(FUEL);
    }
    store.set_epoch_deadline(limits::FIRST_TICKS);
    store.epoch_deadline_callback(|mut store| {
        store.data_mut().tick()?;
        Ok(UpdateDeadline::YieldCustom(1, Box::pin(store.data().lane.next_turn())))
    });
    store
}

async fn call(pre: &EverythingPre<RunState>, store: &mut Store<RunState>) -> wasmtime::Result<Returned> {
    let instance = pre.instance_pre().instantiate_async(&mut *store).await?;
    // Wasmtime compares the types of what is exported only here.
    let everything = Everything::new(&mut *store, &instance).map_err(|error| {
        RunErrorKind::Misuse(format!("{OTHER_TYPES}{}", text::words(&format!("{error:#}"), limits::MESSAGE)))
    })?;
    let adapter = everything.bursar_adapter_adapter();
    Ok(match store.data().phase {
        Phase::Describe => Returned::Description(adapter.call_describe(store).await?.rep()),
        Phase::Authenticate => {
            let verdict = adapter.call_authenticate(store, Resource::new_own(0)).await?;
            Returned::Verdict(verdict.map(|verdict| verdict.rep()))
        }
        Phase::Handle => Returned::Handled(adapter.call_handle(store, Resource::new_own(0)).await?),
    })
}

fn failed(kind: RunErrorKind, backtrace: Option<String>, state: RunState, wall: Duration) -> RunError {
    let usage = crate::outcome::Usage { wall, ..state.usage() };
    RunError { kind, backtrace, logs: state.logs, usage }
}

/// What an error of wasmtime means. What is not known to be the host's doing is the guest's: most of it is handles and
/// pointers that are wrong.
fn classify(error: wasmtime::Error, state: &RunState) -> (RunErrorKind, Option<String>) {
    let backtrace = error.downcast_ref::<WasmBacktrace>().and_then(functions);
    if let Some(kind) = error.downcast_ref::<RunErrorKind>() {
        return (kind.clone(), backtrace);
    }
    if error.downcast_ref::<PoolConcurrencyLimitError>().is_some() {
        return (RunErrorKind::Busy, backtrace);
    }
    if let Some(I32Exit(status)) = error.downcast_ref::<I32Exit>() {
        return (RunErrorKind::Trap(format!("it called `exit` with status {status}")), backtrace);
    }
    let trap = error.downcast_ref::<Trap>();
    // A guest that runs out of memory says so by a trap of its own making, or never gets as far as running.
    if state.limiter.refused > 0 && trap.is_none_or(|trap| *trap == Trap::UnreachableCodeReached) {
        let kind = if state.limiter.refused_by_all {
            RunErrorKind::Busy
        } else {
            RunErrorKind::Memory(state.limiter.max_memory())
        };
        return (kind, backtrace);
    }
    let message = trap.map_or_else(|| error.root_cause().to_string(), |trap| trap.to_string());
    let message = message.strip_prefix(TRAP_PREFIX).unwrap_or(&message);
    (RunErrorKind::Trap(text::words(message, limits::MESSAGE)), backtrace)
}

/// The functions of a backtrace, the innermost first, one a line.
fn functions(backtrace: &WasmBacktrace) -> Option<String> {
    let mut text = String::new();
    for frame in backtrace.frames().iter().take(limits::BACKTRACE_FRAMES) {
        let module = frame.module().name().unwrap_or("<unknown>");
        let function = match frame.func_name() {
            Some(name) => readable(name),
            None => format!("<wasm function {}>", frame.func_index()),
        };
        let function = text::words(&format!("{module}!{function}"), limits::WORDS);
        if text.len() + function.len() >= limits::BACKTRACE_TEXT {
            break;
        }
        if !text.is_empty() {
            text.push('\n');
        }
        text.push_str(&function);
    }
    (!text.is_empty()).then_some(text)
}

/// A function's name as people read it, if it is one of Rust's. Those of C++ stay as they are, and wasmtime, which would make them
/// readable too, is not asked: a name of a few hundred bytes can stand for gigabytes. What Rust's can stand for is bounded by the
/// library, at a megabyte.
fn readable(name: &str) -> String {
    rustc_demangle::try_demangle(name).map_or_else(|_| name.to_owned(), |readable| format!("{readable:#}"))
}

impl Finished {
    /// What the run used.
    pub(crate) fn usage(&self) -> crate::outcome::Usage {
        crate::outcome::Usage { wall: self.wall, ..self.state.usage() }
    }
}
