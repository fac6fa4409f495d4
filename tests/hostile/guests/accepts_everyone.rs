//! Calls every request genuine, without having had anything checked.

use hostile_guests::{Hostile, Request, Result, Verdict};

/// The guest.
#[derive(Debug)]
pub struct AcceptsEveryone;

impl Hostile for AcceptsEveryone {
    fn authenticate(_: &Request<'_>) -> Result<Verdict> {
        Ok(Verdict::accept("attempt"))
    }
}

hostile_guests::guest!(AcceptsEveryone);
