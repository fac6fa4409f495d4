//! Says of itself what no configuration could hold.

use hostile_guests::{Description, Hostile};

/// The guest.
#[derive(Debug)]
pub struct DescribesItselfBadly;

impl Hostile for DescribesItselfBadly {
    fn describe(_: &str) -> Description {
        Description::new("Not A Name", "one")
    }
}

hostile_guests::guest!(DescribesItselfBadly);
