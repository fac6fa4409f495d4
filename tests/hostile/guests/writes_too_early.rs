//! Asks for a change of the LMS while the shop still waits.

use hostile_guests::{Hostile, Request, Result, Verdict, lms_write, proven};

/// The guest.
#[derive(Debug)]
pub struct WritesTooEarly;

impl Hostile for WritesTooEarly {
    fn authenticate(request: &Request<'_>) -> Result<Verdict> {
        proven(request)?;
        lms_write::EnrollmentChange::new("ada", "course-v1:DemoX+CS101+2026").active(false).submit("taken")?;
        Ok(Verdict::accept("attempt"))
    }
}

hostile_guests::guest!(WritesTooEarly);
