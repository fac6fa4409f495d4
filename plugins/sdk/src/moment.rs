//! Moments as RFC 3339 writes them: `2026-03-02T10:00:41Z`, `2026-03-02 11:00:41.25+01:00`.
//!
//! Owns the calendar, so that no adapter needs one. Never looks at a clock.

use crate::Instant;

/// Seconds in a day.
const DAY: u64 = 86_400;

/// Digits of a fraction that count: nanoseconds. What is written beyond them is cut off.
const FRACTION: usize = 9;

/// A moment since 1970, as exact as it was written. The order of two is the order of the moments.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Moment {
    /// Whole seconds since 1970.
    pub seconds: u64,
    /// And this many nanoseconds, below 1,000,000,000.
    pub nanoseconds: u32,
}

impl Moment {
    /// None for what is no moment from 1970 on, and for what does not say its zone.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (date, time) = text.split_once(['T', 't', ' '])?;
        let [year, month, day] = numbers(date, '-', [4, 2, 2])?;
        let (time, east) = zone(time)?;
        let (time, fraction) = time.split_once('.').map_or((time, None), |(time, fraction)| (time, Some(fraction)));
        let [hour, minute, second] = numbers(time, ':', [2, 2, 2])?;
        let sane = year >= 1970 && (1..=12).contains(&month) && hour < 24 && minute < 60 && second <= 60;
        if !sane || day < 1 || day > days_in(year, month) {
            return None;
        }
        // A leap second is the last one of its minute here, as it is in the clocks of most machines.
        let local = days_before(year, month, day) * DAY + hour * 3600 + minute * 60 + second.min(59);
        let seconds = local.checked_add_signed(-east)?;
        Some(Self { seconds, nanoseconds: fraction.map_or(Some(0), nanoseconds)? })
    }

    /// Milliseconds since 1970.
    #[must_use]
    pub fn instant(self) -> Instant {
        self.seconds * 1000 + u64::from(self.nanoseconds / 1_000_000)
    }
}

/// Splits off the zone, as seconds that it is ahead of UTC.
fn zone(time: &str) -> Option<(&str, i64)> {
    if let Some(time) = time.strip_suffix(['Z', 'z']) {
        return Some((time, 0));
    }
    let (place, sign) = time.char_indices().find(|(_, sign)| "+-".contains(*sign))?;
    let (time, offset) = time.split_at(place);
    let [hours, minutes] = numbers(offset.get(1..)?, ':', [2, 2])?;
    if hours > 23 || minutes > 59 {
        return None;
    }
    let ahead = i64::try_from(hours * 3600 + minutes * 60).ok()?;
    Some((time, if sign == '-' { -ahead } else { ahead }))
}

fn nanoseconds(fraction: &str) -> Option<u32> {
    if fraction.is_empty() || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let digits: String = fraction.chars().chain(std::iter::repeat('0')).take(FRACTION).collect();
    digits.parse().ok()
}

/// As many numbers as lengths are given, each of that many digits.
fn numbers<const N: usize>(text: &str, between: char, lengths: [usize; N]) -> Option<[u64; N]> {
    let mut parts = text.split(between);
    let mut read = [0; N];
    for (number, length) in read.iter_mut().zip(lengths) {
        let part = parts.next()?;
        let digits = part.len() == length && part.bytes().all(|byte| byte.is_ascii_digit());
        *number = if digits { part.parse().ok()? } else { return None };
    }
    if parts.next().is_some() { None } else { Some(read) }
}

fn is_leap(year: u64) -> bool {
    year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
}

fn days_in(year: u64, month: u64) -> u64 {
    match month {
        2 if is_leap(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

fn days_before(year: u64, month: u64, day: u64) -> u64 {
    let leap_days = |year: u64| year / 4 - year / 100 + year / 400;
    let years = (year - 1970) * 365 + leap_days(year - 1) - leap_days(1969);
    let months: u64 = (1..month).map(|month| days_in(year, month)).sum();
    years + months + day - 1
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(text: &str) -> Option<u64> {
        Moment::parse(text).map(|moment| moment.seconds)
    }

    #[test]
    fn moments_are_counted_from_1970_in_utc() {
        assert_eq!(seconds("1970-01-01T00:00:00Z"), Some(0));
        assert_eq!(seconds("2000-02-29T12:00:00z"), Some(951_825_600));
        assert_eq!(seconds("2026-11-23t08:31:24+00:00"), Some(1_795_422_684));
        assert_eq!(seconds("2100-03-01 00:00:00Z"), Some(4_107_542_400));
        assert_eq!(seconds("2016-12-31T23:59:60Z"), seconds("2016-12-31T23:59:59Z"));
    }

    #[test]
    fn a_zone_ahead_of_utc_is_earlier_and_one_behind_it_later() {
        let noon = seconds("2026-03-02T12:00:00Z").unwrap();
        assert_eq!(seconds("2026-03-02T12:00:00+05:45"), Some(noon - 5 * 3600 - 45 * 60));
        assert_eq!(seconds("2026-03-02T12:00:00-08:00"), Some(noon + 8 * 3600));
        assert_eq!(seconds("1970-01-01T00:30:00+01:00"), None);
    }

    #[test]
    fn a_fraction_orders_moments_of_one_second() {
        let moment = |text| Moment::parse(text).unwrap();
        assert_eq!(moment("2026-03-02T10:00:41.25Z").nanoseconds, 250_000_000);
        assert_eq!(moment("2026-03-02T10:00:41.1234567899Z").nanoseconds, 123_456_789);
        assert!(moment("2026-03-02T10:00:41.000001Z") > moment("2026-03-02T10:00:41Z"));
        assert!(moment("2026-03-02T10:00:42Z") > moment("2026-03-02T10:00:41.999+00:00"));
        assert_eq!(moment("1970-01-01T00:00:01.5Z").instant(), 1500);
    }

    #[test]
    fn what_is_no_moment_or_names_no_zone_is_none() {
        for text in [
            "",
            "2026-11-23",
            "2026-11-23T08:31:24",
            "2026-11-23T08:31Z",
            "2026-11-23T08:31:24.Z",
            "2026-11-23T08:31:24.+01:00",
            "2026-11-23T08:31:24+0100",
            "2026-11-23T08:31:24+01",
            "2026-11-23T08:31:24+24:00",
            "2026-11-23T08:31:24 +01:00",
            "2026-11-23T08:31:24ZZ",
            "2026-02-29T00:00:00Z",
            "2026-13-01T00:00:00Z",
            "2026-01-00T00:00:00Z",
            "2026-01-01T24:00:00Z",
            "2026-1-1T00:00:00Z",
            "1969-12-31T23:59:59Z",
            "02026-01-01T00:00:00Z",
            "23.11.2026 08:31:24Z",
            "1795422684",
            "2026-11-23T٠٨:31:24Z",
        ] {
            assert_eq!(Moment::parse(text), None, "{text}");
        }
    }
}
