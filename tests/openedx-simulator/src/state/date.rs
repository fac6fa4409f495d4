//! Owns dates as a state writes them; must never read a clock.

use std::time::Duration;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;

use super::StateError;

/// A moment: absolute, or so many days from the midnight before the start (`-400 d`), or so many hours, minutes or
/// seconds from the start itself (`+2 h`).
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct Date(String);

/// Seconds of a day; the LMS keeps its dates in UTC, where all days are alike.
const DAY: i64 = 24 * 3600;

impl Date {
    /// So many days after the midnight before the start, or before it when negative.
    #[must_use]
    pub fn days(days: i64) -> Self {
        Self(format!("{days:+} d"))
    }

    /// This moment.
    #[must_use]
    pub fn at(moment: Timestamp) -> Self {
        Self(moment.to_string())
    }

    /// The moment that is meant when the LMS starts at `start`.
    pub(crate) fn resolve(&self, start: Timestamp) -> Result<Timestamp, StateError> {
        let wrong = || StateError::Date(self.0.clone());
        let text = self.0.trim();
        if let Ok(moment) = text.parse::<Timestamp>() {
            return Ok(moment);
        }
        if let Ok(day) = text.parse::<jiff::civil::Date>() {
            return day.to_zoned(TimeZone::UTC).map(|day| day.timestamp()).map_err(|_| wrong());
        }
        let (amount, unit) = text.split_at(text.find(|letter: char| letter.is_ascii_alphabetic()).ok_or_else(wrong)?);
        let amount: i64 = amount.replace(' ', "").replace('−', "-").parse().map_err(|_| wrong())?;
        let (from, seconds) = match unit {
            "d" | "day" | "days" => (midnight(start), DAY),
            "h" | "hours" => (start, 3600),
            "m" | "min" | "minutes" => (start, 60),
            "s" | "seconds" => (start, 1),
            _ => return Err(wrong()),
        };
        let by = SignedDuration::from_secs(amount.checked_mul(seconds).ok_or_else(wrong)?);
        from.checked_add(by).map_err(|_| wrong())
    }
}

fn midnight(moment: Timestamp) -> Timestamp {
    let second = moment.as_second();
    Timestamp::from_second(second - second.rem_euclid(DAY)).unwrap_or(moment)
}

/// A length of time written in the same way, for tests that need one in the past.
pub(crate) fn ago(now: Timestamp, by: Duration) -> Timestamp {
    now.checked_sub(by).unwrap_or(Timestamp::MIN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_relative_date_counts_days_from_midnight() {
        let start: Timestamp = "2026-11-23T08:14:27Z".parse().unwrap();
        let on = |text: &str| Date(text.to_owned()).resolve(start).map(|at| at.to_string());
        assert_eq!(on("-30 d").unwrap(), "2026-10-24T00:00:00Z");
        assert_eq!(on("+300 d").unwrap(), "2027-09-19T00:00:00Z");
        assert_eq!(on("+2 h").unwrap(), "2026-11-23T10:14:27Z");
        assert_eq!(on("2026-01-31").unwrap(), "2026-01-31T00:00:00Z");
        assert!(on("soon").is_err());
    }
}
