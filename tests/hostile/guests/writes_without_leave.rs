//! Changes enrollments, for a shop that does not grant it that.

use hostile_guests::{Delivery, Hostile, Result, lms_write};

/// The guest.
#[derive(Debug)]
pub struct WritesWithoutLeave;

impl Hostile for WritesWithoutLeave {
    fn handle(_: &Delivery<'_>) -> Result<()> {
        lms_write::EnrollmentChange::new("ada", "course-v1:DemoX+CS101+2026").active(false).submit("taken")
    }
}

hostile_guests::guest!(WritesWithoutLeave);
