//! Lengths of time and numbers of bytes as people write them: `15m`, `1h30m`, `4 MiB`.
//!
//! Owns reading them, and writing durations back in the same form. Never guesses a unit: a bare number of seconds is
//! refused.

use std::time::Duration;

const DAY: u64 = 86_400;

/// Units of time, longest first: the order in which they are written.
const UNITS: [(&str, Duration); 5] = [
    ("d", Duration::from_secs(DAY)),
    ("h", Duration::from_secs(3_600)),
    ("m", Duration::from_secs(60)),
    ("s", Duration::from_secs(1)),
    ("ms", Duration::from_millis(1)),
];

/// Reads `15m`, `1h30m` or `2 d`; `None` if it is none of the kind or beyond all bounds.
#[must_use]
pub fn parse_duration(text: &str) -> Option<Duration> {
    let mut rest = text.trim();
    if rest.is_empty() {
        return None;
    }
    let mut total = Duration::ZERO;
    while !rest.is_empty() {
        let (number, after) = split(rest, |c| c.is_ascii_digit());
        let (unit, after) = split(after.trim_start(), |c| c.is_ascii_alphabetic());
        let (_, length) = UNITS.iter().find(|(name, _)| *name == unit)?;
        total = total.checked_add(length.checked_mul(number.parse().ok()?)?)?;
        rest = after.trim_start();
    }
    Some(total)
}

/// Writes a duration in the form that [`parse_duration`] reads, exactly: `1h30m`.
#[must_use]
pub fn format_duration(duration: Duration) -> String {
    let mut rest = duration.as_millis();
    let mut text = String::new();
    for (name, length) in UNITS {
        let count = rest / length.as_millis();
        if count > 0 {
            text.push_str(&format!("{count}{name}"));
            rest %= length.as_millis();
        }
    }
    if text.is_empty() { "0s".to_owned() } else { text }
}

/// Reads `4 MiB`, `512KiB` or `100 B`; `None` if it is none of the kind or beyond all bounds.
#[must_use]
pub fn parse_size(text: &str) -> Option<usize> {
    let (number, unit) = split(text.trim(), |c| c.is_ascii_digit());
    let factor: usize = match unit.trim() {
        "B" => 1,
        "KiB" => 1 << 10,
        "MiB" => 1 << 20,
        "GiB" => 1 << 30,
        _ => return None,
    };
    number.parse::<usize>().ok()?.checked_mul(factor)
}

/// Writes a number of bytes in the largest unit that it fills exactly: `4 MiB`.
#[must_use]
pub fn format_size(bytes: usize) -> String {
    let (count, unit) = [(30, "GiB"), (20, "MiB"), (10, "KiB")]
        .into_iter()
        .find(|(shift, _)| bytes > 0 && bytes.trailing_zeros() >= *shift)
        .map_or((bytes, "B"), |(shift, unit)| (bytes >> shift, unit));
    format!("{count} {unit}")
}

fn split(text: &str, belongs: impl Fn(char) -> bool) -> (&str, &str) {
    text.split_at(text.find(|c| !belongs(c)).unwrap_or(text.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_read_as_people_write_them() {
        for (text, seconds) in [("15m", 900), ("1h30m", 5_400), ("1h 30m", 5_400), ("2 d", 172_800), ("0s", 0)] {
            assert_eq!(parse_duration(text), Some(Duration::from_secs(seconds)), "{text}");
        }
        assert_eq!(parse_duration("250ms"), Some(Duration::from_millis(250)));
    }

    #[test]
    fn what_is_no_duration_is_refused() {
        for text in ["", "15", "m", "15 minutes", "-5m", "1.5h", "99999999999999999999s", "99999999999999999d"] {
            assert_eq!(parse_duration(text), None, "{text}");
        }
    }

    #[test]
    fn a_duration_is_written_as_it_is_read() {
        for text in ["15m", "1h30m", "30s", "0s", "1d", "250ms"] {
            assert_eq!(format_duration(parse_duration(text).unwrap()), text);
        }
    }

    #[test]
    fn sizes_read_and_write_in_binary_units() {
        assert_eq!(parse_size("4 MiB"), Some(4 << 20));
        assert_eq!(parse_size("512KiB"), Some(512 << 10));
        for text in ["", "4", "4 MB", "four MiB", "99999999999999999999 B", "-1 B"] {
            assert_eq!(parse_size(text), None, "{text}");
        }
        assert_eq!(format_size(4 << 20), "4 MiB");
        assert_eq!(format_size(1_500), "1500 B");
    }
}
