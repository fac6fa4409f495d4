//! Owns how many calls fit into a stretch of time; must never know what the calls are.

use std::collections::{HashMap, VecDeque};
use std::hash::Hash;
use std::time::Duration;

use jiff::Timestamp;

use crate::clock::later;

/// Calls counted over the stretch of time that ends now. A refused call does not count.
#[derive(Debug)]
pub(crate) struct Sliding<K> {
    length: Duration,
    calls: HashMap<K, VecDeque<Timestamp>>,
}

impl<K: Eq + Hash> Sliding<K> {
    pub(crate) fn new(length: Duration) -> Self {
        Self { length, calls: HashMap::new() }
    }

    /// Takes a place, or tells in how many seconds there will be one.
    pub(crate) fn take(&mut self, key: K, limit: usize, now: Timestamp) -> Result<(), u64> {
        let calls = self.calls.entry(key).or_default();
        while calls.front().is_some_and(|call| later(*call, self.length) <= now) {
            calls.pop_front();
        }
        if calls.len() < limit {
            calls.push_back(now);
            return Ok(());
        }
        let free_at = calls.front().map_or(now, |oldest| later(*oldest, self.length));
        let wait = Duration::try_from(free_at.duration_since(now)).unwrap_or_default();
        Err(wait.as_secs() + u64::from(wait.subsec_nanos() > 0))
    }
}

/// Calls counted from the first one on until the stretch of time is over. A refused call counts.
#[derive(Debug)]
pub(crate) struct Fixed<K> {
    length: Duration,
    windows: HashMap<K, (Timestamp, usize)>,
}

impl<K: Eq + Hash> Fixed<K> {
    pub(crate) fn new(length: Duration) -> Self {
        Self { length, windows: HashMap::new() }
    }

    /// Whether this call is within the limit.
    pub(crate) fn take(&mut self, key: K, limit: usize, now: Timestamp) -> bool {
        let window = self.windows.entry(key).or_insert((now, 0));
        if later(window.0, self.length) <= now {
            *window = (now, 0);
        }
        window.1 = window.1.saturating_add(1);
        window.1 <= limit
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn a_place_in_a_sliding_window_is_free_again_a_minute_after_it_was_taken() {
        let mut window = Sliding::new(MINUTE);
        assert_eq!(window.take("a", 2, at(0)), Ok(()));
        assert_eq!(window.take("a", 2, at(10)), Ok(()));
        assert_eq!(window.take("a", 2, at(20)), Err(40));
        assert_eq!(window.take("b", 2, at(20)), Ok(()));
        assert_eq!(window.take("a", 2, at(60)), Ok(()));
        assert_eq!(window.take("a", 2, at(60)), Err(10));
    }

    #[test]
    fn refused_calls_count_in_a_fixed_window() {
        let mut window = Fixed::new(MINUTE);
        assert_eq!([0, 1, 2, 59].map(|second| window.take("a", 2, at(second))), [true, true, false, false]);
        assert!(window.take("a", 2, at(60)));
    }
}
