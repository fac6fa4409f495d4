//! Whether an adapter may go on after it has failed again and again.
//!
//! Owns quarantine. An adapter that fails every time would use up the tries of everything that its shops send; so after some
//! failures in a row nothing more is given to it, and what comes waits. Now and then it is tried once more, because anybody can
//! send a request that an adapter fails on, and must not be able to switch it off with that. A person, or another version,
//! releases it at once.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use bursar_domain::Timestamp;

/// So many failures in a row, with no good end between them, and the adapter is quarantined.
pub const QUARANTINE_AFTER: u32 = 5;

/// How long a quarantined adapter rests before it is tried once more.
pub const REST: Duration = Duration::from_secs(5 * 60);

/// How an adapter has been doing since it was loaded.
#[derive(Debug, Default)]
pub struct Health(Mutex<Record>);

#[derive(Debug, Default)]
struct Record {
    failures: u32,
    quarantine: Option<Quarantine>,
}

/// An adapter that is given nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quarantine {
    /// Since when.
    pub since: Timestamp,
    /// When it is tried again.
    pub try_again_at: Timestamp,
    /// How it failed last: a stable word and a sentence.
    pub last_failure: (String, String),
}

/// What may be done with an adapter now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Permit {
    /// It runs.
    Run,
    /// It is quarantined, and this run is the one to see whether it still must be.
    Try(Quarantine),
    /// Nothing.
    No(Quarantine),
}

/// What the end of a run changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// Nothing that anybody need know.
    None,
    /// It is quarantined now.
    Quarantined(Quarantine),
    /// It is released.
    Released,
}

impl Quarantine {
    /// What a person should know, with a hint.
    #[must_use]
    pub fn words(&self) -> String {
        let (code, message) = &self.last_failure;
        format!(
            "failed {QUARANTINE_AFTER} times in a row, last as {code}: {message}; quarantined since {}, tried again at {}\n\
             hint: put a better version into the directory, or an earlier one back with `bursar adapter rollback`; \
             `bursar adapter release` tries it at once",
            self.since, self.try_again_at
        )
    }
}

impl Health {
    /// May it run now? Whoever is told [`Permit::Try`] is the only one for a while.
    pub fn permit(&self, now: Timestamp) -> Permit {
        let mut record = self.record();
        match &mut record.quarantine {
            None => Permit::Run,
            Some(quarantine) if now >= quarantine.try_again_at => {
                quarantine.try_again_at = now.plus(REST);
                Permit::Try(quarantine.clone())
            }
            Some(quarantine) => Permit::No(quarantine.clone()),
        }
    }

    /// A run came to an end of its own, whatever it said.
    pub fn ended(&self) -> Change {
        let mut record = self.record();
        record.failures = 0;
        match record.quarantine.take() {
            Some(_) => Change::Released,
            None => Change::None,
        }
    }

    /// A run failed, and the adapter is at fault.
    pub fn failed(&self, now: Timestamp, code: &str, message: &str) -> Change {
        let mut record = self.record();
        record.failures = record.failures.saturating_add(1);
        let last_failure = (code.to_owned(), message.to_owned());
        if let Some(quarantine) = &mut record.quarantine {
            quarantine.last_failure = last_failure;
            return Change::None;
        }
        if record.failures < QUARANTINE_AFTER {
            return Change::None;
        }
        let quarantine = Quarantine { since: now, try_again_at: now.plus(REST), last_failure };
        record.quarantine = Some(quarantine.clone());
        Change::Quarantined(quarantine)
    }

    /// The quarantine that it is in.
    #[must_use]
    pub fn quarantine(&self) -> Option<Quarantine> {
        self.record().quarantine.clone()
    }

    fn record(&self) -> MutexGuard<'_, Record> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_772_445_645_000);

    fn failing(times: u32) -> Health {
        let health = Health::default();
        for _ in 0..times {
            health.failed(NOW, "trap", "the adapter trapped");
        }
        health
    }

    #[test]
    fn failures_in_a_row_quarantine_and_a_good_end_between_them_does_not() {
        let health = failing(QUARANTINE_AFTER - 1);
        assert_eq!(health.permit(NOW), Permit::Run);
        assert_eq!(health.ended(), Change::None);
        for _ in 1..QUARANTINE_AFTER {
            assert_eq!(health.failed(NOW, "trap", ""), Change::None);
        }
        assert!(matches!(health.failed(NOW, "cpu", "too long"), Change::Quarantined(_)));
        let quarantine = health.quarantine().unwrap();
        assert_eq!((quarantine.since, quarantine.last_failure.0.as_str()), (NOW, "cpu"));
        assert!(matches!(health.permit(NOW), Permit::No(_)));
    }

    #[test]
    fn after_a_rest_one_run_tries_and_its_good_end_releases() {
        let health = failing(QUARANTINE_AFTER);
        let later = NOW.plus(REST);
        assert!(matches!(health.permit(later), Permit::Try(_)));
        assert!(matches!(health.permit(later), Permit::No(_)), "one at a time");
        assert_eq!(health.ended(), Change::Released);
        assert_eq!(health.permit(later), Permit::Run);
    }

    #[test]
    fn a_try_that_fails_leaves_it_quarantined_for_another_rest() {
        let health = failing(QUARANTINE_AFTER);
        let later = NOW.plus(REST);
        assert!(matches!(health.permit(later), Permit::Try(_)));
        assert_eq!(health.failed(later, "memory", "no"), Change::None);
        assert!(matches!(health.permit(later), Permit::No(_)));
        assert!(matches!(health.permit(later.plus(REST)), Permit::Try(_)));
        assert_eq!(health.quarantine().unwrap().last_failure.0, "memory");
    }
}
