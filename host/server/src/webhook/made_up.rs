//! What a made-up order has and nobody gave: numbers, amounts and moments in the forms that several platforms share.
//!
//! Owns that the same order always gets the same ones.

use bursar_domain::Timestamp;
use rust_decimal::{Decimal, prelude::ToPrimitive as _};
use serde_json::Number;
use sha2::{Digest as _, Sha256};

use super::ImitationError;

/// Where numbers begin of what was named otherwise, and how many there are: far from those that shops give.
const NUMBERS: std::ops::Range<u64> = 900_000_000..1_000_000_000;

/// The number of what was named otherwise: always the same for the same name, because a shop's are.
#[must_use]
pub fn number(name: &str) -> u64 {
    let digest = Sha256::digest(name.as_bytes());
    let number = digest.iter().take(8).fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
    NUMBERS.start + number % (NUMBERS.end - NUMBERS.start)
}

/// A number in the form of a UUID.
#[must_use]
pub fn uuid(number: u64) -> String {
    format!("00000000-0000-4000-8000-{:012x}", number & 0xffff_ffff_ffff)
}

/// An amount as a number in JSON, digit for digit.
///
/// # Errors
/// When JSON has no such number.
pub fn json_number(amount: Decimal) -> Result<Number, ImitationError> {
    let text = amount.normalize().to_string();
    text.parse().map_err(|error| ImitationError::Unwritable(format!("amount {text}: {error}")))
}

/// An amount in hundredths.
#[must_use]
pub fn hundredths(amount: Decimal) -> i64 {
    (amount * Decimal::ONE_HUNDRED).round().to_i64().unwrap_or(i64::MAX)
}

/// Whole seconds since 1970.
#[must_use]
pub fn seconds(at: Timestamp) -> i64 {
    at.as_millis().div_euclid(1_000)
}

/// RFC 3339 in UTC with whole seconds.
#[must_use]
pub fn whole_seconds(at: Timestamp) -> String {
    match jiff::Timestamp::from_second(seconds(at)) {
        Ok(moment) => moment.to_string(),
        Err(_) => at.to_string(),
    }
}
