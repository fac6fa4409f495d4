//! Computes without end while a shop waits.

use hostile_guests::{Hostile, Request, Result, Verdict, spin};

/// The guest.
#[derive(Debug)]
pub struct SpinsInAuthenticate;

impl Hostile for SpinsInAuthenticate {
    fn authenticate(_: &Request<'_>) -> Result<Verdict> {
        spin()
    }
}

hostile_guests::guest!(SpinsInAuthenticate);
