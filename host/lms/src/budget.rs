//! The budget of calls: for each service user a steady pace below what the LMS allows one user, who goes first, and
//! pauses that the LMS asks for.
//!
//! Owns no clock: it lives on tokio's monotonic time, because the LMS measures with its own and only distances count.
//!
//! The pace is a generic cell rate: with `n` calls a minute, a call may go out every `60/n` s, up to [`BURST`] of them
//! early. So no 60 seconds ever hold more than `n + BURST` calls of one user, whatever window the LMS slides over them.
//! All users have one queue: whoever is first in it goes as the user whose turn comes first.

use std::{
    collections::BTreeMap,
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

/// The pace of one user.
#[derive(Debug, Clone)]
struct Pace {
    /// When the next call would be due if calls went out at an even pace.
    due: Instant,
    paused_until: Instant,
    /// How often the pace is halved now.
    slowness: u32,
    slowed_at: Instant,
}

/// A place in the queue: the order of going.
type Ticket = (Priority, u64);

#[derive(Debug)]
struct State {
    /// One for each user.
    paces: Vec<Pace>,
    /// Who waits, and the user as whom they must go if it matters.
    waiting: BTreeMap<Ticket, Option<usize>>,
    next_ticket: u64,
}

#[derive(Debug)]
pub(crate) struct Budget {
    /// Time between two calls of one user; zero is no limit.
    interval: Duration,
    state: Mutex<State>,
    /// Something changed: whoever waits should look again.
    changed: Notify,
}

/// A place in the queue; leaves it when dropped, so that a caller who gave up blocks nobody.
struct Place<'a> {
    budget: &'a Budget,
    ticket: Ticket,
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.budget.lock().waiting.remove(&self.ticket);
        self.budget.changed.notify_waiters();
    }
}

impl Budget {
    /// A budget of so many calls a minute for each of so many users.
    pub(crate) fn new(calls_per_minute: Option<NonZeroU32>, users: usize) -> Self {
        let now = Instant::now();
        let pace = Pace { due: now, paused_until: now, slowness: 0, slowed_at: now };
        Self {
            interval: calls_per_minute.map_or(Duration::ZERO, |n| MINUTE / n.get()),
            state: Mutex::new(State { paces: vec![pace; users], waiting: BTreeMap::new(), next_ticket: 0 }),
            changed: Notify::new(),
        }
    }

    /// Is there a pace at all?
    pub(crate) fn is_limited(&self) -> bool {
        !self.interval.is_zero()
    }

    /// Waits for a turn, at most `patience`, and answers whose it is: of the user `only`, if it must be theirs. A turn
    /// that could not come in time is refused at once; the error is how long it would still take.
    pub(crate) async fn turn(
        &self,
        priority: Priority,
        patience: Duration,
        only: Option<usize>,
    ) -> Result<usize, Duration> {
        let deadline = Instant::now() + patience;
        let place = self.queue(priority, only);
        loop {
            // Made before looking, so that no change between looking and waiting is missed.
            let changed = self.changed.notified();
            let now = Instant::now();
            let due = {
                let mut state = self.lock();
                state.recover(now);
                let (user, due) = state.foresee(place.ticket, self.interval, now).ok_or(MINUTE)?;
                if due <= now {
                    if let Some(pace) = state.paces.get_mut(user) {
                        pace.take(self.interval, now);
                    }
                    return Ok(user);
                }
                due
            };
            if due > deadline || now >= deadline {
                return Err(due.saturating_duration_since(now).max(self.interval));
            }
            tokio::select! {
                () = changed => {}
                () = sleep_until(due) => {}
            }
        }
    }

    /// The LMS answered this user 429: nobody goes as this user until `after` has passed, and the user's pace is slower
    /// for a while.
    pub(crate) fn pause(&self, user: usize, after: Duration) {
        let now = Instant::now();
        let mut state = self.lock();
        state.recover(now);
        if let Some(pace) = state.paces.get_mut(user) {
            if pace.paused_until <= now {
                pace.slowness = (pace.slowness + 1).min(SLOWEST);
            }
            pace.slowed_at = now;
            pace.paused_until = pace.paused_until.max(now + after);
        }
        drop(state);
        self.changed.notify_waiters();
    }

    fn queue(&self, priority: Priority, only: Option<usize>) -> Place<'_> {
        let mut state = self.lock();
        let ticket = (priority, state.next_ticket);
        state.next_ticket += 1;
        state.waiting.insert(ticket, only);
        drop(state);
        Place { budget: self, ticket }
    }

    /// No code that holds the lock can fail half-way, so a poisoned lock guards a sound state.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Whose turn this ticket gets, and when, if those ahead of it take theirs as soon as they can.
    fn foresee(&self, ticket: Ticket, interval: Duration, now: Instant) -> Option<(usize, Instant)> {
        let mut paces = self.paces.clone();
        let mut turn = None;
        for only in self.waiting.range(..=ticket).map(|(_, only)| *only) {
            let open = paces.iter_mut().enumerate().filter(|(user, _)| only.is_none_or(|only| only == *user));
            // Among those who may go at once, the one who went longest ago: the load is spread.
            let (user, pace) = open.min_by_key(|(_, pace)| (pace.earliest(interval).max(now), pace.due))?;
            let at = pace.earliest(interval).max(now);
            pace.take(interval, at);
            turn = Some((user, at));
        }
        turn
    }

    fn recover(&mut self, now: Instant) {
        for pace in &mut self.paces {
            pace.recover(now);
        }
    }
}

impl Pace {
    fn earliest(&self, interval: Duration) -> Instant {
        let early = interval * (BURST - 1);
        let by_pace = self.due.checked_sub(early).unwrap_or(self.due);
        by_pace.max(self.paused_until)
    }

    fn take(&mut self, interval: Duration, now: Instant) {
        self.due = self.due.max(now) + interval * (1 << self.slowness);
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
        Arc::new(Budget::new(NonZeroU32::new(calls_per_minute), 1))
    }

    #[tokio::test(start_paused = true)]
    async fn no_window_of_a_minute_holds_more_than_the_budget_and_its_burst() {
        let budget = budget(90);
        let mut went = Vec::new();
        for _ in 0..300 {
            budget.turn(Priority::Purchase, PATIENCE, None).await.unwrap();
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
            budget.turn(Priority::Purchase, PATIENCE, None).await.unwrap();
        }
        assert_eq!(Instant::now(), start);
        budget.turn(Priority::Purchase, PATIENCE, None).await.unwrap();
        assert!(Instant::now() - start >= Duration::from_secs(1));
    }

    #[tokio::test(start_paused = true)]
    async fn purchases_go_before_removals_and_removals_before_upkeep() {
        let budget = budget(60);
        for _ in 0..BURST {
            budget.turn(Priority::Upkeep, PATIENCE, None).await.unwrap();
        }
        let order = Arc::new(Mutex::new(Vec::new()));
        let mut tasks = Vec::new();
        for priority in [Priority::Upkeep, Priority::Removal, Priority::Purchase, Priority::Purchase] {
            let (budget, order) = (Arc::clone(&budget), Arc::clone(&order));
            tasks.push(tokio::spawn(async move {
                budget.turn(priority, PATIENCE, None).await.unwrap();
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
        budget.pause(0, Duration::from_secs(30));
        for _ in 0..=BURST {
            budget.turn(Priority::Purchase, PATIENCE, None).await.unwrap();
        }
        assert!(Instant::now() - start >= Duration::from_secs(30));
        let (before, calls) = (Instant::now(), 5);
        for _ in 0..calls {
            budget.turn(Priority::Purchase, PATIENCE, None).await.unwrap();
        }
        assert!(Instant::now() - before >= Duration::from_secs(2 * calls), "the pace is not halved");
        tokio::time::sleep(RECOVERY * 2).await;
        assert_eq!(
            {
                let mut state = budget.lock();
                state.recover(Instant::now());
                state.paces[0].slowness
            },
            0
        );
    }

    #[tokio::test(start_paused = true)]
    async fn a_turn_that_cannot_come_in_time_is_refused_at_once() {
        let budget = budget(60);
        budget.pause(0, Duration::from_secs(50));
        let start = Instant::now();
        let wait = budget.turn(Priority::Purchase, Duration::from_secs(30), None).await.unwrap_err();
        assert_eq!(Instant::now(), start);
        assert!(wait > Duration::from_secs(49), "{wait:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_gives_up_blocks_nobody() {
        let budget = budget(60);
        budget.pause(0, Duration::from_secs(5));
        let other = Arc::clone(&budget);
        let task = tokio::spawn(async move { other.turn(Priority::Purchase, PATIENCE, None).await });
        tokio::task::yield_now().await;
        task.abort();
        budget.turn(Priority::Upkeep, PATIENCE, None).await.unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn without_a_limit_only_pauses_hold_a_call_back() {
        let budget = Arc::new(Budget::new(None, 1));
        let start = Instant::now();
        for _ in 0..1_000 {
            budget.turn(Priority::Upkeep, PATIENCE, None).await.unwrap();
        }
        assert_eq!(Instant::now(), start);
        budget.pause(0, Duration::from_secs(3));
        budget.turn(Priority::Upkeep, PATIENCE, None).await.unwrap();
        assert!(Instant::now() - start >= Duration::from_secs(3));
    }

    /// Takes this many turns and counts whose they were.
    async fn shares(budget: &Budget, turns: usize, users: usize) -> Vec<usize> {
        let mut shares = vec![0; users];
        for _ in 0..turns {
            shares[budget.turn(Priority::Purchase, PATIENCE, None).await.unwrap()] += 1;
        }
        shares
    }

    #[tokio::test(start_paused = true)]
    async fn each_further_user_adds_its_own_budget_and_all_carry_the_same() {
        let budget = Budget::new(NonZeroU32::new(60), 3);
        let start = Instant::now();
        assert_eq!(shares(&budget, 210, 3).await, [70, 70, 70]);
        // The bursts of three at once, then sixty of each at their pace.
        assert_eq!((Instant::now() - start).as_secs(), 60);
    }

    #[tokio::test(start_paused = true)]
    async fn a_429_slows_the_user_that_it_struck_and_no_other() {
        let budget = Budget::new(NonZeroU32::new(60), 2);
        shares(&budget, 20, 2).await;
        budget.pause(0, Duration::from_secs(60));
        let start = Instant::now();
        assert_eq!(shares(&budget, 30, 2).await, [0, 30]);
        assert_eq!((Instant::now() - start).as_secs(), 30, "the other one was slowed as well");
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_that_must_go_as_one_user_waits_for_that_one_and_holds_nobody_up() {
        let budget = Arc::new(Budget::new(NonZeroU32::new(60), 2));
        budget.pause(1, Duration::from_secs(20));
        let start = Instant::now();
        let waiting = Arc::clone(&budget);
        let bound = tokio::spawn(async move { waiting.turn(Priority::Purchase, PATIENCE, Some(1)).await });
        tokio::task::yield_now().await;
        assert_eq!(budget.turn(Priority::Upkeep, PATIENCE, None).await, Ok(0));
        assert_eq!(Instant::now(), start);
        assert_eq!(bound.await.unwrap(), Ok(1));
        assert_eq!((Instant::now() - start).as_secs(), 20);
    }

    #[tokio::test(start_paused = true)]
    async fn who_goes_first_holds_over_all_users() {
        let budget = Arc::new(Budget::new(NonZeroU32::new(60), 2));
        shares(&budget, 20, 2).await;
        let order = Arc::new(Mutex::new(Vec::new()));
        let mut tasks = Vec::new();
        for priority in [Priority::Upkeep, Priority::Removal, Priority::Purchase].into_iter().cycle().take(12) {
            let (budget, order) = (Arc::clone(&budget), Arc::clone(&order));
            tasks.push(tokio::spawn(async move {
                budget.turn(priority, PATIENCE, None).await.unwrap();
                order.lock().unwrap().push(priority);
            }));
            tokio::task::yield_now().await;
        }
        for task in tasks {
            task.await.unwrap();
        }
        let order = order.lock().unwrap().clone();
        assert!(order.is_sorted(), "{order:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn who_cannot_be_served_in_time_is_told_so_whatever_stands_in_the_queue() {
        let budget = Arc::new(Budget::new(NonZeroU32::new(60), 2));
        shares(&budget, 20, 2).await;
        for _ in 0..20 {
            let budget = Arc::clone(&budget);
            tokio::spawn(async move { budget.turn(Priority::Purchase, PATIENCE, None).await });
        }
        tokio::task::yield_now().await;
        let wait = budget.turn(Priority::Upkeep, Duration::from_secs(5), None).await.unwrap_err();
        assert_eq!(wait.as_secs(), 11, "twenty others share two calls a second");
    }
}
