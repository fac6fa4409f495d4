//! Fills its verdict with control characters and the ends of all numbers.

use hostile_guests::{Hostile, Request, Result, Verdict, proven};

/// The guest.
#[derive(Debug)]
pub struct WearsOthersColours;

impl Hostile for WearsOthersColours {
    fn authenticate(request: &Request<'_>) -> Result<Verdict> {
        proven(request)?;
        let verdict = Verdict::accept("\u{1b}[2J\r\nHTTP/1.1 500 Broken\r\n\r\n").about("campus/1");
        Ok(verdict.occurred_at(u64::MAX))
    }
}

hostile_guests::guest!(WearsOthersColours);
