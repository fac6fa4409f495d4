//! Amounts of money: decimal digits, read, compared and added up without ever becoming a float.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, Deserializer};
use serde_json::value::RawValue;

/// More digits than this are no amount of money.
const MAX_DIGITS: usize = 30;

/// An exact decimal: `units` of ten to the power of minus `places`.
#[derive(Debug, Clone, Copy)]
pub struct Amount {
    units: i128,
    places: u32,
}

impl Amount {
    /// Nothing.
    pub const ZERO: Self = Self { units: 0, places: 0 };

    /// Digits with at most one point, and a sign before them; none for anything else.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (negative, digits) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text.strip_prefix('+').unwrap_or(text)),
        };
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        // A zero that was left out before the point counts, because it is written again.
        let written = whole.len().max(1) + fraction.len();
        if whole.len() + fraction.len() == 0 || written > MAX_DIGITS {
            return None;
        }
        let mut units: i128 = 0;
        for byte in whole.bytes().chain(fraction.bytes()) {
            let digit = char::from(byte).to_digit(10)?;
            units = units * 10 + i128::from(digit);
        }
        Some(Self { units: if negative { -units } else { units }, places: u32::try_from(fraction.len()).ok()? })
    }

    /// What platforms that count in the smallest unit of a currency write: 4900 of two places is 49.00.
    #[must_use]
    pub fn of_smallest(units: u64, places: u32) -> Self {
        Self { units: i128::from(units), places }
    }

    /// The same without its sign.
    #[must_use]
    pub fn absolute(self) -> Self {
        Self { units: self.units.abs(), ..self }
    }

    /// The exact sum; none beyond all sense.
    #[must_use]
    pub fn plus(self, other: Self) -> Option<Self> {
        let places = self.places.max(other.places);
        Some(Self { units: self.at(places)?.checked_add(other.at(places)?)?, places })
    }

    /// The exact difference; none beyond all sense.
    #[must_use]
    pub fn minus(self, other: Self) -> Option<Self> {
        self.plus(Self { units: other.units.checked_neg()?, ..other })
    }

    /// Is it as much as the other, or more?
    #[must_use]
    pub fn covers(self, other: Self) -> bool {
        let places = self.places.max(other.places);
        matches!((self.at(places), other.at(places)), (Some(mine), Some(theirs)) if mine >= theirs)
    }

    /// Is it nothing?
    #[must_use]
    pub fn is_zero(self) -> bool {
        self.units == 0
    }

    fn at(self, places: u32) -> Option<i128> {
        self.units.checked_mul(10_i128.checked_pow(places.checked_sub(self.places)?)?)
    }
}

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.units < 0 { "-" } else { "" };
        let places = usize::try_from(self.places).unwrap_or_default();
        let digits = format!("{:0>width$}", self.units.unsigned_abs(), width = places + 1);
        let (whole, fraction) = digits.split_at(digits.len() - places);
        if fraction.is_empty() { write!(f, "{sign}{whole}") } else { write!(f, "{sign}{whole}.{fraction}") }
    }
}

/// An amount as a sender wrote it, as text or as a number, digit for digit: reading a number as a float would change it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written<'a>(Cow<'a, str>);

impl Written<'_> {
    /// The amount; none for what is no decimal, an exponent included.
    #[must_use]
    pub fn amount(&self) -> Option<Amount> {
        Amount::parse(&self.0)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Written<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = <&'de RawValue>::deserialize(deserializer)?.get();
        if raw.starts_with('"') {
            let text: String = serde_json::from_str(raw).map_err(serde::de::Error::custom)?;
            return Ok(Self(Cow::Owned(text.trim().to_owned())));
        }
        Ok(Self(Cow::Borrowed(raw)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn amount(text: &str) -> Amount {
        Amount::parse(text).unwrap()
    }

    #[test]
    fn cents_add_up_exactly() {
        let mut sum = Amount::ZERO;
        for _ in 0..10 {
            sum = sum.plus(amount("0.10")).unwrap();
        }
        assert_eq!(sum.to_string(), "1.00");
        assert!(sum.covers(amount("1")));
    }

    #[test]
    fn an_amount_is_read_digit_for_digit() {
        for (json, digits) in [
            ("10.10", "10.10"),
            ("0.1000000000000000055", "0.1000000000000000055"),
            ("\" 49.00 \"", "49.00"),
            ("7", "7"),
        ] {
            let written: Written<'_> = serde_json::from_str(json).unwrap();
            assert_eq!(written.amount().unwrap().to_string(), digits, "{json}");
        }
        for json in ["1e2", "null", "true", "\"\"", "\"a\"", "[1]", "{}"] {
            assert!(serde_json::from_str::<Written<'_>>(json).unwrap().amount().is_none(), "{json}");
        }
    }

    #[test]
    fn amounts_of_different_precision_compare_by_value() {
        assert!(amount("49").covers(amount("49.00")));
        assert!(amount("49.000").covers(amount("49.00")));
        assert!(!amount("48.999").covers(amount("49.00")));
    }

    #[test]
    fn a_sign_is_kept_and_can_be_dropped() {
        assert_eq!(amount("-79.90").to_string(), "-79.90");
        assert_eq!(amount("-79.90").absolute().to_string(), "79.90");
        assert_eq!(amount("-0.05").to_string(), "-0.05");
    }

    #[test]
    fn smallest_units_are_written_with_the_places_of_their_currency() {
        for (units, places, text) in [(4900, 2, "49.00"), (5, 2, "0.05"), (500, 0, "500"), (5120, 3, "5.120")] {
            assert_eq!(Amount::of_smallest(units, places).to_string(), text);
        }
    }

    #[test]
    fn zero_is_zero_in_every_spelling() {
        for text in ["0", "0.00", "-0.0", ".0", "0."] {
            assert!(amount(text).is_zero(), "{text}");
        }
    }

    #[test]
    fn what_is_no_amount_is_none() {
        for text in ["", "-", ".", "1,50", "1.2.3", "1e3", "12 EUR", "٣", "1234567890123456789012345678901"] {
            assert!(Amount::parse(text).is_none(), "{text}");
        }
    }

    #[test]
    fn what_is_read_is_written_so_that_it_reads_again() {
        let most = "7".repeat(MAX_DIGITS - 1);
        for text in [format!(".{most}"), format!("-0.{most}"), format!("7{most}"), format!("{most}7.")] {
            let written = amount(&text).to_string();
            assert_eq!(amount(&written).to_string(), written, "{text}");
        }
        assert!(Amount::parse(&format!(".7{most}")).is_none(), "with its zero it is too long");
    }

    #[test]
    fn the_longest_amounts_do_not_overflow() {
        let long = amount(&"9".repeat(MAX_DIGITS));
        assert!(long.plus(amount("0.000000000000000001")).is_none());
        assert!(!long.covers(amount("0.000000000000000001")));
    }
}
