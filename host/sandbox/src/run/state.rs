//! What a run remembers while it runs, and what it has used.
//!
//! Owns the counters and the rule that going over one ends the run. Made for one run and dropped with it.

use std::{sync::Arc, time::Duration};

use bursar_domain::Request;

use crate::{
    description::Draft,
    error::RunErrorKind,
    host::{lms_write::ChangeDraft, shop::CallDraft},
    limits::{self, Limits},
    outcome::{Answer, LogLevel, LogLine, Logs, Problem, Remedy, Usage},
    proof::FailedCheck,
    run::{book::Book, lane::Lane, limiter::Limiter},
    shop::{KnownLine, Origin, ShopContext, Surroundings},
    shop_api::ShopAnswer,
    text,
    wasi::Wasi,
};

/// Which of the adapter's functions runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    Describe,
    Authenticate,
    Handle,
}

/// What `handle` knows of the delivery besides its request.
pub(crate) struct DeliveryFacts {
    pub(crate) id: String,
    pub(crate) topic: String,
    pub(crate) origin: Origin,
    pub(crate) attempt: u32,
}

/// A verdict being made.
#[derive(Debug)]
pub(crate) struct VerdictDraft {
    pub(crate) kind: VerdictKind,
    pub(crate) subject: Option<String>,
    pub(crate) key: Option<String>,
    pub(crate) occurred_at: Option<u64>,
    /// The last answer given, or the problem with it.
    pub(crate) answer: Option<Result<Answer, Problem>>,
}

/// What a verdict says.
#[derive(Debug)]
pub(crate) enum VerdictKind {
    Accept { topic: String },
    Ignore { reason: String },
    Respond,
}

/// The state of one run.
pub(crate) struct RunState {
    pub(crate) phase: Phase,
    pub(crate) shop: Option<Arc<ShopContext>>,
    pub(crate) request: Option<Arc<Request>>,
    pub(crate) delivery: Option<DeliveryFacts>,
    pub(crate) surroundings: Option<Arc<dyn Surroundings>>,
    pub(crate) limits: Arc<Limits>,
    pub(crate) limiter: Limiter,
    pub(crate) lane: Lane,
    pub(crate) verified: bool,
    pub(crate) failed_check: Option<FailedCheck>,
    pub(crate) verdicts: Vec<VerdictDraft>,
    pub(crate) descriptions: Vec<Draft>,
    pub(crate) book: Book,
    pub(crate) known: Vec<KnownLine>,
    pub(crate) changes: Vec<ChangeDraft>,
    pub(crate) calls: Vec<Option<CallDraft>>,
    pub(crate) answers: Vec<Option<ShopAnswer>>,
    /// Made when the guest first calls WASI.
    pub(crate) wasi: Option<Box<Wasi>>,
    pub(crate) logs: Logs,
    /// Fuel used, where it is counted; known when the run has ended.
    pub(crate) fuel: Option<u64>,
    log_bytes: usize,
    host_calls: u64,
    host_bytes: u64,
    look_ups: u64,
    lms_calls: u64,
    shop_calls: u64,
    checks: u64,
    ticks: u32,
    ticks_max: u32,
    waited: bool,
}

impl RunState {
    pub(crate) fn new(phase: Phase, limits: Arc<Limits>, limiter: Limiter, lane: Lane, cpu: Duration) -> Self {
        Self {
            phase,
            shop: None,
            request: None,
            delivery: None,
            surroundings: None,
            limits,
            limiter,
            lane,
            verified: false,
            failed_check: None,
            verdicts: Vec::new(),
            descriptions: Vec::new(),
            book: Book::default(),
            known: Vec::new(),
            changes: Vec::new(),
            calls: Vec::new(),
            answers: Vec::new(),
            wasi: None,
            logs: Logs::default(),
            fuel: None,
            log_bytes: 0,
            host_calls: 0,
            host_bytes: 0,
            look_ups: 0,
            lms_calls: 0,
            shop_calls: 0,
            checks: 0,
            ticks: 0,
            ticks_max: whole_ticks(cpu),
            waited: false,
        }
    }

    /// Counts a host call that handed over `bytes`.
    pub(crate) fn count_call(&mut self, bytes: usize) -> Result<(), RunErrorKind> {
        self.host_calls += 1;
        if self.host_calls > self.limits.host_calls {
            return Err(RunErrorKind::Limit { what: "host calls", limit: self.limits.host_calls });
        }
        self.count_bytes(bytes)
    }

    /// Counts what a host call handed over, once it is known.
    pub(crate) fn count_bytes(&mut self, bytes: usize) -> Result<(), RunErrorKind> {
        self.host_bytes = self.host_bytes.saturating_add(u64::try_from(bytes).unwrap_or(u64::MAX));
        if self.host_bytes > self.limits.host_bytes {
            return Err(RunErrorKind::Limit { what: "bytes handed over", limit: self.limits.host_bytes });
        }
        Ok(())
    }

    /// Counts a look-up of the ledger or the catalog.
    pub(crate) fn count_look_up(&mut self) -> Result<(), RunErrorKind> {
        self.look_ups += 1;
        if self.look_ups > limits::LOOK_UPS {
            return Err(RunErrorKind::Limit { what: "look-ups", limit: limits::LOOK_UPS });
        }
        Ok(())
    }

    /// Counts a call of the LMS.
    pub(crate) fn count_lms_call(&mut self) -> Result<(), RunErrorKind> {
        self.lms_calls += 1;
        if self.lms_calls > limits::LMS_CALLS {
            return Err(RunErrorKind::Limit { what: "calls of the LMS", limit: limits::LMS_CALLS });
        }
        Ok(())
    }

    /// Counts a call of the shop's API.
    pub(crate) fn count_shop_call(&mut self) -> Result<(), RunErrorKind> {
        self.shop_calls += 1;
        if self.shop_calls > self.limits.shop_calls {
            return Err(RunErrorKind::Limit { what: "calls of the shop's API", limit: self.limits.shop_calls });
        }
        Ok(())
    }

    /// Counts the check of a signature.
    pub(crate) fn count_check(&mut self) -> Result<(), RunErrorKind> {
        self.checks += 1;
        if self.checks > limits::CHECKS {
            return Err(RunErrorKind::Limit { what: "signature checks", limit: limits::CHECKS });
        }
        Ok(())
    }

    /// Waits for something outside the sandbox: the ticks that go by meanwhile are not the guest's, nor is a turn. A run that had
    /// one needs another one to compute on: else computing could hide between waits.
    pub(crate) async fn outside<T>(&mut self, wait: impl Future<Output = T>) -> T {
        let is_long = self.lane.leave();
        let came = wait.await;
        if is_long {
            self.lane.next_turn().await;
        }
        self.waited = true;
        came
    }

    /// Counts a tick of the epoch during which the guest ran.
    pub(crate) fn tick(&mut self) -> Result<(), RunErrorKind> {
        if std::mem::take(&mut self.waited) {
            return Ok(());
        }
        self.ticks += 1;
        if self.ticks > self.ticks_max {
            return Err(RunErrorKind::Cpu(limits::TICK * self.ticks_max));
        }
        Ok(())
    }

    /// Keeps a logged line, or counts it as dropped.
    pub(crate) fn log(&mut self, level: LogLevel, message: &str) {
        self.take_printed();
        self.keep(level, message);
    }

    /// Logs what the guest printed since it was last asked for.
    pub(crate) fn take_printed(&mut self) {
        for (level, line) in self.wasi.as_mut().map(|wasi| wasi.printed()).unwrap_or_default() {
            self.keep(level, &line);
        }
    }

    /// The run is over: what was printed without an end of line is a line too.
    pub(crate) fn close_printed(&mut self) {
        self.take_printed();
        for (level, line) in self.wasi.as_mut().map(|wasi| wasi.unfinished()).unwrap_or_default() {
            self.keep(level, &line);
        }
    }

    fn keep(&mut self, level: LogLevel, message: &str) {
        if self.logs.lines.len() >= self.limits.log_lines || self.log_bytes >= self.limits.log_bytes {
            self.logs.dropped += 1;
            return;
        }
        let room = limits::LOG_LINE.min(self.limits.log_bytes - self.log_bytes);
        let message = text::words(message, room);
        self.log_bytes += message.len();
        self.logs.lines.push(LogLine { level, message });
    }

    /// What the run has used, but for the wall clock.
    pub(crate) fn usage(&self) -> Usage {
        Usage {
            wall: Duration::ZERO,
            cpu: limits::TICK * self.ticks,
            memory_peak: u64::try_from(self.limiter.memory()).unwrap_or(u64::MAX),
            refused_growth: self.limiter.refused,
            host_calls: self.host_calls,
            host_bytes: self.host_bytes,
            logged_bytes: u64::try_from(self.log_bytes).unwrap_or(u64::MAX),
            shop_calls: self.shop_calls,
            lms_calls: self.lms_calls,
            fuel: self.fuel,
        }
    }
}

/// A problem in the host's own words.
pub(crate) fn problem(remedy: Remedy, code: &str, message: impl Into<String>) -> Problem {
    Problem { remedy, code: code.to_owned(), message: message.into(), retry_after: None }
}

fn whole_ticks(cpu: Duration) -> u32 {
    let ticks = cpu.as_millis().div_ceil(limits::TICK.as_millis());
    u32::try_from(ticks).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::lane::LongRuns;

    fn state() -> RunState {
        let limits = Arc::new(Limits::default());
        let limiter = Limiter::new(&limits, Arc::default());
        RunState::new(Phase::Handle, limits, limiter, LongRuns::new().lane(), Duration::from_millis(25))
    }

    #[test]
    fn guest_time_ends_after_its_last_whole_tick() {
        let mut state = state();
        for _ in 0..3 {
            state.tick().unwrap();
        }
        assert_eq!(state.tick(), Err(RunErrorKind::Cpu(Duration::from_millis(30))));
    }

    #[tokio::test]
    async fn waiting_for_the_host_costs_the_guest_no_tick() {
        let mut state = state();
        for _ in 0..10 {
            state.outside(async {}).await;
            state.tick().unwrap();
        }
        assert_eq!(state.usage().cpu, Duration::ZERO);
    }

    #[test]
    fn a_flood_of_log_lines_is_counted_and_dropped() {
        let mut state = state();
        for _ in 0..limits::LOG_LINES.default + 7 {
            state.log(LogLevel::Info, "line");
        }
        assert_eq!((state.logs.lines.len(), state.logs.dropped), (limits::LOG_LINES.default, 7));
    }

    #[test]
    fn logged_bytes_have_an_end_and_long_lines_are_cut() {
        let mut state = state();
        for _ in 0..20 {
            state.log(LogLevel::Error, &"x".repeat(2 * limits::LOG_LINE));
        }
        let kept: usize = state.logs.lines.iter().map(|line| line.message.len()).sum();
        assert_eq!((kept, state.logs.dropped), (limits::LOG_BYTES.default, 4));
    }
}
