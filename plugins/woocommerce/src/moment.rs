//! Moments as WooCommerce writes them: `2026-11-23T08:31:24`, without a zone, in the `_gmt` fields.

use bursar_adapter::Instant;

/// Seconds in a day.
const DAY: u64 = 86_400;

/// Seconds since 1970; none for what is no moment from then on.
pub(crate) fn seconds(text: &str) -> Option<u64> {
    let (date, time) = text.strip_suffix('Z').unwrap_or(text).split_once('T')?;
    let [year, month, day] = numbers(date, '-')?;
    let [hour, minute, second] = numbers(time, ':')?;
    let sane = (1970..=9999).contains(&year) && (1..=12).contains(&month) && hour < 24 && minute < 60 && second < 60;
    if !sane || day < 1 || day > days_in(year, month) {
        return None;
    }
    Some(days_before(year, month, day) * DAY + hour * 3600 + minute * 60 + second)
}

/// Milliseconds since 1970.
pub(crate) fn instant(text: &str) -> Option<Instant> {
    seconds(text).map(|seconds| seconds * 1000)
}

fn numbers(text: &str, between: char) -> Option<[u64; 3]> {
    let mut parts = text.split(between).map(|part| {
        let digits = !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        if digits { part.parse().ok() } else { None }
    });
    let three = [parts.next()??, parts.next()??, parts.next()??];
    if parts.next().is_some() { None } else { Some(three) }
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

    #[test]
    fn moments_are_counted_from_1970_in_utc() {
        assert_eq!(seconds("1970-01-01T00:00:00"), Some(0));
        assert_eq!(seconds("2000-02-29T12:00:00"), Some(951_825_600));
        assert_eq!(seconds("2026-11-23T08:31:24"), Some(1_795_422_684));
        assert_eq!(seconds("2100-03-01T00:00:00Z"), Some(4_107_542_400));
        assert_eq!(instant("1970-01-01T00:00:01"), Some(1000));
    }

    #[test]
    fn what_is_no_moment_is_none() {
        for text in [
            "",
            "2026-11-23",
            "2026-11-23 08:31:24",
            "2026-02-29T00:00:00",
            "2026-13-01T00:00:00",
            "2026-00-01T00:00:00",
            "2026-01-00T00:00:00",
            "2026-01-01T24:00:00",
            "2026-01-01T00:60:00",
            "2026-01-01T00:00",
            "2026-01-01T00:00:00:00",
            "1969-12-31T23:59:59",
            "0000-00-00T00:00:00",
            "2026-11-23T+8:31:24",
            "99999999999999999999-01-01T00:00:00",
        ] {
            assert_eq!(seconds(text), None, "{text}");
        }
    }
}
