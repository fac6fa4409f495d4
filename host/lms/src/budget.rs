//! The budget of calls: a steady pace below what the LMS allows one user, who goes first, and pauses that the LMS asks
//! for.
//!
//! Owns no clock: it lives on tokio's monotonic time, because the LMS measures with its own and only distances count.
//!
//! The pace is a generic cell rate: with `n` calls a minute, a call may go out every `60/n` s, up to [`BURST`] of them
//! early. So no 60 seconds ever hold more than `n + BURST` calls, whatever window the LMS slides over them.

use std::{
    collections::BTreeSet,
    num::NonZeroU32,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{
    sync::Notify,
    time::{Instant, sleep_until},
};

/// How many calls may go out at once after a quiet time: 90 and these stay below the LMS's 120 with room for others.
/// More makes a burst quicker and a 429 likelier.
const BURST: u32 = 10;

/// How often the pace may be halved when the LMS answers 429 although the pace was kept, which means that somebody else
/// uses the same account. At 90 a minute, the slowest is 11 a minute.
const SLOWEST: u32 = 3;

/// After how long without a 429 the pace doubles again.
const RECOVERY: Duration = Duration::from_secs(120);

const MINUTE: Duration = Duration::from_secs(60);

/// Who goes first when calls wait for a turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Priority {
    /// Somebody paid and waits.
    Purchase,
    /// Access that is to end.
    Removal,
    /// Looking after things: drift, waiting learners, doctors.
    #[default]
    Upkeep,
}

#[derive(Debug)]
struct State {
    /// When the next call would be due if calls went out at an even pace.
    due: Instant,
    paused_until: Instant,
    /// How often the pace is halved now.
    slowness: u32,
    slowed_at: Instant,
    waiting: BTreeSet<(Priority, u64)>,
    next_ticket: u64,
}

#[derive(Debug)]
pub(crate) struct Budget {
    /// Time between two calls; zero is no limit.
    interval: Duration,
    state: Mutex<State>,
    /// Something changed: whoever waits should look again.
    changed: Notify,
}

/// A place in the queue; leaves it when dropped, so that a caller who gave up blocks nobody.
struct Place<'a> {
    budget: &'a Budget,
    ticket: (Priority, u64),
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.budget.lock().waiting.remove(&self.ticket);
        self.budget.changed.notify_waiters();
    }
}

impl Budget {
    pub(crate) fn new(calls_per_minute: Option<NonZeroU32>) -> Self {
        let now = Instant::now();
        Self {
            interval: calls_per_minute.map_or(Duration::ZERO, |n| MINUTE / n.get()),
            state: Mutex::new(State {
                due: now,
                paused_until: now,
                slowness: 0,
                slowed_at: now,
                waiting: BTreeSet::new(),
                next_ticket: 0,
            }),
            changed: Notify::new(),
        }
    }

    /// Waits for a turn, at most `patience`; a turn that could not come in time is refused at once. The error is how long
    /// it would still take.
    pub(crate) async fn turn(&self, priority: Priority, patience: Duration) -> Result<(), Duration> {
        let deadline = Instant::now() + patience;
        let place = self.queue(priority);
        loop {
            // Made before looking, so that no change between looking and waiting is missed.
            let changed = self.changed.notified();
            let (earliest, first) = {
                let mut state = self.lock();
                let now = Instant::now();
                state.recover(now);
                let ahead = state.ahead_of(place.ticket);
                let earliest = state.earliest(self.interval);
                if ahead == 0 && earliest <= now {
                    let interval = self.interval * (1 << state.slowness);
                    state.due = state.due.max(now) + interval;
                    return Ok(());
                }
                (earliest + self.interval * ahead, ahead == 0)
            };
            if earliest > deadline || Instant::now() >= deadline {
                return Err(earliest.saturating_duration_since(Instant::now()).max(self.interval));
            }
            // Only the first may wake by time: the others would find the turn due and not theirs, again and again.
            tokio::select! {
                () = changed => {}
                () = sleep_until(if first { earliest } else { deadline }) => {}
            }
        }
    }

    /// The LMS answered 429: nobody goes until `after` has passed, and the pace is slower for a while.
    pub(crate) fn pause(&self, after: Duration) {
        let mut state = self.lock();
        let now = Instant::now();
        state.recover(now);
        if state.paused_until <= now {
            state.slowness = (state.slowness + 1).min(SLOWEST);
        }
        state.slowed_at = now;
        state.paused_until = state.paused_until.max(now + after);
        drop(state);
        self.changed.notify_waiters();
    }

    fn queue(&self, priority: Priority) -> Place<'_> {
        let mut state = self.lock();
        let ticket = (priority, state.next_ticket);
        state.next_ticket += 1;
        state.waiting.insert(ticket);
        drop(state);
        Place { budget: self, ticket }
    }

    /// No code that holds the lock can fail half-way, so a poisoned lock guards a sound state.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn earliest(&self, interval: Duration) -> Instant {
        let early = interval * (BURST - 1);
        let by_pace = self.due.checked_sub(early).unwrap_or(self.due);
        by_pace.max(self.paused_until)
    }

    /// How many are ahead of this ticket.
    fn ahead_of(&self, ticket: (Priority, u64)) -> u32 {
        u32::try_from(self.waiting.range(..ticket).count()).unwrap_or(u32::MAX)
    }

    fn recover(&mut self, now: Instant) {
        while self.slowness > 0 && now.saturating_duration_since(self.slowed_at) >= RECOVERY {
            self.slowness -= 1;
            self.slowed_at += RECOVERY;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    const PATIENCE: Duration = Duration::from_secs(600);

    fn budget(calls_per_minute: u32) -> Arc<Budget> {
        Arc::new(Budget::new(NonZeroU32::new(calls_per_minute)))
    }

    #[tokio::test(start_paused = true)]
    async fn no_window_of_a_minute_holds_more_than_the_budget_and_its_burst() {
        let budget = budget(90);
        let mut went = Vec::new();
        for _ in 0..300 {
            budget.turn(Priority::Purchase, PATIENCE).await.unwrap();
            went.push(Instant::now());
        }
        for (index, start) in went.iter().enumerate() {
            let in_window = went[index..].iter().take_while(|at| **at - *start < MINUTE).count();
            assert!(in_window <= 100, "{in_window} calls in a minute");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn after_a_quiet_time_a_small_burst_goes_at_once() {
        let budget = budget(60);
        let start = Instant::now();
        for _ in 0..BURST {
            budget.turn(Priority::Purchase, PATIENCE).await.unwrap();
        }
        assert_eq!(Instant::now(), start);
        budget.turn(Priority::Purchase, PATIENCE).await.unwrap();
        assert!(Instant::now() - start >= Duration::from_secs(1));
    }

    #[tokio::test(start_paused = true)]
    async fn purchases_go_before_removals_and_removals_before_upkeep() {
        let budget = budget(60);
        for _ in 0..BURST {
            budget.turn(Priority::Upkeep, PATIENCE).await.unwrap();
        }
        let order = Arc::new(Mutex::new(Vec::new()));
        let mut tasks = Vec::new();
        for priority in [Priority::Upkeep, Priority::Removal, Priority::Purchase, Priority::Purchase] {
            let (budget, order) = (Arc::clone(&budget), Arc::clone(&order));
            tasks.push(tokio::spawn(async move {
                budget.turn(priority, PATIENCE).await.unwrap();
                order.lock().unwrap().push(priority);
            }));
            tokio::task::yield_now().await;
        }
        for task in tasks {
            task.await.unwrap();
        }
        let order = order.lock().unwrap().clone();
        assert_eq!(order, [Priority::Purchase, Priority::Purchase, Priority::Removal, Priority::Upkeep]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_pause_stops_everybody_and_slows_the_pace_for_a_while() {
        let budget = budget(60);
        let start = Instant::now();
        budget.pause(Duration::from_secs(30));
        for _ in 0..=BURST {
            budget.turn(Priority::Purchase, PATIENCE).await.unwrap();
        }
        assert!(Instant::now() - start >= Duration::from_secs(30));
        let (before, calls) = (Instant::now(), 5);
        for _ in 0..calls {
            budget.turn(Priority::Purchase, PATIENCE).await.unwrap();
        }
        assert!(Instant::now() - before >= Duration::from_secs(2 * calls), "the pace is not halved");
        tokio::time::sleep(RECOVERY * 2).await;
        assert_eq!(
            {
                let mut state = budget.lock();
                state.recover(Instant::now());
                state.slowness
            },
            0
        );
    }

    #[tokio::test(start_paused = true)]
    async fn a_turn_that_cannot_come_in_time_is_refused_at_once() {
        let budget = budget(60);
        budget.pause(Duration::from_secs(50));
        let start = Instant::now();
        let wait = budget.turn(Priority::Purchase, Duration::from_secs(30)).await.unwrap_err();
        assert_eq!(Instant::now(), start);
        assert!(wait > Duration::from_secs(49), "{wait:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_gives_up_blocks_nobody() {
        let budget = budget(60);
        budget.pause(Duration::from_secs(5));
        let other = Arc::clone(&budget);
        let task = tokio::spawn(async move { other.turn(Priority::Purchase, PATIENCE).await });
        tokio::task::yield_now().await;
        task.abort();
        budget.turn(Priority::Upkeep, PATIENCE).await.unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn without_a_limit_only_pauses_hold_a_call_back() {
        let budget = Arc::new(Budget::new(None));
        let start = Instant::now();
        for _ in 0..1_000 {
            budget.turn(Priority::Upkeep, PATIENCE).await.unwrap();
        }
        assert_eq!(Instant::now(), start);
        budget.pause(Duration::from_secs(3));
        budget.turn(Priority::Upkeep, PATIENCE).await.unwrap();
        assert!(Instant::now() - start >= Duration::from_secs(3));
    }
}
