//! Times, durations and sizes as people like to read them, and foreign text made harmless.
//!
//! Owns wording only; programs get exact values.

use std::time::Duration;

use bursar_domain::Timestamp;
use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

/// A moment to the second, in UTC: `2026-11-23 09:15:00 UTC`.
#[must_use]
pub fn moment(at: Timestamp) -> String {
    match jiff::Timestamp::from_millisecond(at.as_millis()) {
        Ok(moment) => moment.strftime("%Y-%m-%d %H:%M:%S UTC").to_string(),
        Err(_) => at.to_string(),
    }
}

/// How long ago, or in how long: `3 min ago`, `in 2 h`, `now`.
#[must_use]
pub fn relative(at: Timestamp, now: Timestamp) -> String {
    let (past, future) = (now.since(at), at.since(now));
    if past < Duration::from_secs(1) && future < Duration::from_secs(1) {
        "now".to_owned()
    } else if future.is_zero() {
        format!("{} ago", coarse(past))
    } else {
        format!("in {}", coarse(future))
    }
}

/// How long, to the two largest units: `394 µs`, `350 ms`, `12.3 s`, `4 min 5 s`, `2 h`, `3 d 4 h`.
#[must_use]
pub fn duration(duration: Duration) -> String {
    let seconds = duration.as_secs();
    match seconds {
        0 if duration < Duration::from_millis(1) => format!("{} µs", duration.as_micros()),
        0 => format!("{} ms", duration.as_millis()),
        1..MINUTE => format!("{seconds}.{} s", duration.subsec_millis() / 100),
        MINUTE..HOUR => two(seconds / MINUTE, "min", seconds % MINUTE, "s"),
        HOUR..DAY => two(seconds / HOUR, "h", seconds % HOUR / MINUTE, "min"),
        _ => two(seconds / DAY, "d", seconds % DAY / HOUR, "h"),
    }
}

fn two(large: u64, large_unit: &str, small: u64, small_unit: &str) -> String {
    if small == 0 { format!("{large} {large_unit}") } else { format!("{large} {large_unit} {small} {small_unit}") }
}

fn coarse(duration: Duration) -> String {
    match duration.as_secs() {
        seconds @ 0..MINUTE => format!("{} s", seconds.max(1)),
        seconds @ MINUTE..HOUR => format!("{} min", seconds / MINUTE),
        seconds @ HOUR..DAY => format!("{} h", seconds / HOUR),
        seconds => format!("{} d", seconds / DAY),
    }
}

/// How many bytes: `877 B`, `1.2 MB`.
#[must_use]
pub fn size(bytes: u64) -> String {
    let units = [(1_000_000_000, "GB"), (1_000_000, "MB"), (1_000, "kB")];
    match units.into_iter().find(|(unit, _)| bytes >= *unit) {
        Some((unit, name)) => format!("{}.{} {name}", bytes / unit, bytes % unit * 10 / unit),
        None => format!("{bytes} B"),
    }
}

/// How many: `877`, `1.2 k`, `34.5 M`.
#[must_use]
pub fn count(number: u64) -> String {
    let units = [(1_000_000_000, "G"), (1_000_000, "M"), (1_000, "k")];
    match units.into_iter().find(|(unit, _)| number >= *unit) {
        Some((unit, name)) => format!("{}.{} {name}", number / unit, number % unit * 10 / unit),
        None => number.to_string(),
    }
}

/// Text without anything that moves the cursor or hides text: control characters but line ends become `�`.
#[must_use]
pub fn printable(text: &str) -> String {
    // Marks of direction can make a line read as another one.
    let is_direction = |c| matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    text.chars()
        .map(|c| if (c.is_control() && c != '\n') || is_direction(c) { char::REPLACEMENT_CHARACTER } else { c })
        .collect()
}

/// Text within so many columns; `…` stands for what was cut off.
#[must_use]
pub fn fit(text: &str, columns: usize) -> String {
    if text.width() <= columns {
        return text.to_owned();
    }
    let mut fitted = String::new();
    let mut left = columns.saturating_sub(1);
    for c in text.chars() {
        let width = c.width().unwrap_or(0);
        if width > left {
            break;
        }
        left -= width;
        fitted.push(c);
    }
    fitted.push('…');
    fitted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_shown_in_their_two_largest_units() {
        for (millis, text) in
            [(350, "350 ms"), (12_345, "12.3 s"), (245_000, "4 min 5 s"), (7_200_000, "2 h"), (273_600_000, "3 d 4 h")]
        {
            assert_eq!(duration(Duration::from_millis(millis)), text);
        }
    }

    #[test]
    fn moments_are_shown_in_utc_and_relative_to_now() {
        let now = Timestamp::from_millis(1_795_422_685_198);
        assert_eq!(moment(now), "2026-11-23 08:31:25 UTC");
        assert_eq!(relative(now, now), "now");
        assert_eq!(relative(now, now.plus(Duration::from_secs(200))), "3 min ago");
        assert_eq!(relative(now.plus(Duration::from_secs(7_300)), now), "in 2 h");
    }

    #[test]
    fn sizes_are_shown_in_decimal_units() {
        assert_eq!(size(877), "877 B");
        assert_eq!(size(1_234_567), "1.2 MB");
    }

    #[test]
    fn text_that_would_command_a_terminal_is_made_harmless() {
        assert_eq!(printable("a\u{1b}[2Jb\tc\nd\u{202e}e"), "a�[2Jb�c\nd�e");
    }

    #[test]
    fn text_is_cut_by_columns_and_not_by_bytes() {
        assert_eq!(fit("short", 5), "short");
        assert_eq!(fit("Вступ до тестування", 8), "Вступ д…");
        assert_eq!(fit("日本語テスト", 6), "日本…");
        assert_eq!(fit("anything", 0), "…");
    }
}
