//! Asks the LMS the same question without end.

use hostile_guests::{Delivery, Hostile, Result, lms_read};

/// The guest.
#[derive(Debug)]
pub struct FloodsTheLms;

impl Hostile for FloodsTheLms {
    fn handle(_: &Delivery<'_>) -> Result<()> {
        loop {
            let _ = lms_read::enrollments_of("ada");
        }
    }
}

hostile_guests::guest!(FloodsTheLms);
