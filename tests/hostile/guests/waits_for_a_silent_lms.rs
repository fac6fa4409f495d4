//! Asks an LMS that never answers, again and again.

use hostile_guests::{Delivery, Hostile, Result, lms_read};

/// The guest.
#[derive(Debug)]
pub struct WaitsForASilentLms;

impl Hostile for WaitsForASilentLms {
    fn handle(_: &Delivery<'_>) -> Result<()> {
        loop {
            let _ = lms_read::enrollments_of("ada");
        }
    }
}

hostile_guests::guest!(WaitsForASilentLms);
