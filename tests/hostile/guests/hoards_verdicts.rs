//! Comes to a verdict again and again, and keeps them all.

use hostile_guests::{Hostile, Request, Result, Verdict, proven};

/// The guest.
#[derive(Debug)]
pub struct HoardsVerdicts;

impl Hostile for HoardsVerdicts {
    fn authenticate(request: &Request<'_>) -> Result<Verdict> {
        let mut kept = vec![proven(request)?];
        loop {
            kept.push(Verdict::accept("again"));
        }
    }
}

hostile_guests::guest!(HoardsVerdicts);
