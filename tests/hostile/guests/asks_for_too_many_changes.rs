//! Asks for ten thousand changes of the LMS.

use hostile_guests::{Delivery, Hostile, Result, lms_write};

/// The guest.
#[derive(Debug)]
pub struct AsksForTooManyChanges;

impl Hostile for AsksForTooManyChanges {
    fn handle(_: &Delivery<'_>) -> Result<()> {
        for number in 0..10_000 {
            lms_write::allow_enrollment(&number.to_string(), "eve@example.com", "course-v1:DemoX+CS101+2026", true)?;
        }
        Ok(())
    }
}

hostile_guests::guest!(AsksForTooManyChanges);
