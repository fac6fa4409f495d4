//! Refuses a request with a reason of forty million letters.

use hostile_guests::{Hostile, Problem, Request, Result, Verdict};

/// The guest.
#[derive(Debug)]
pub struct ComplainsAtLength;

impl Hostile for ComplainsAtLength {
    fn authenticate(_: &Request<'_>) -> Result<Verdict> {
        Err(Problem::rejected("too-long", "x".repeat(40 << 20)))
    }
}

hostile_guests::guest!(ComplainsAtLength);
