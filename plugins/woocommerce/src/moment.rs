//! Moments as WooCommerce writes them: `2026-11-23T08:31:24`, without a zone, in the `_gmt` fields.

use bursar_adapter::Instant;
use bursar_adapter::moment::Moment;

/// Length of a moment that WooCommerce writes: no fraction, no zone.
const LENGTH: usize = "2026-11-23T08:31:24".len();

/// Seconds since 1970; none for what is no moment from then on.
pub(crate) fn seconds(text: &str) -> Option<u64> {
    let local = text.strip_suffix('Z').unwrap_or(text);
    // WordPress knows no leap seconds.
    let sane = local.len() == LENGTH && local.contains('T') && !local.ends_with(":60");
    if sane { Moment::parse(&format!("{local}Z")).map(|moment| moment.seconds) } else { None }
}

/// Milliseconds since 1970.
pub(crate) fn instant(text: &str) -> Option<Instant> {
    seconds(text).map(|seconds| seconds * 1000)
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
