//! Describes its settings as a nest of ten thousand lists.

use hostile_guests::{Description, Hostile, described};

/// The guest.
#[derive(Debug)]
pub struct DemandsImpossibleSettings;

impl Hostile for DemandsImpossibleSettings {
    fn describe(name: &str) -> Description {
        described(name).settings(&("[".repeat(10_000) + &"]".repeat(10_000)))
    }
}

hostile_guests::guest!(DemandsImpossibleSettings);
