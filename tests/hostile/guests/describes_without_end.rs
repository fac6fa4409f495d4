//! Computes without end when it is to say what it is.

use hostile_guests::{Description, Hostile, spin};

/// The guest.
#[derive(Debug)]
pub struct DescribesWithoutEnd;

impl Hostile for DescribesWithoutEnd {
    fn describe(_: &str) -> Description {
        spin()
    }
}

hostile_guests::guest!(DescribesWithoutEnd);
