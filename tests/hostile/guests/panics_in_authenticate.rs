//! Panics, with words that the request brought.

use hostile_guests::{Hostile, Request, Result, Verdict};

/// The guest.
#[derive(Debug)]
pub struct PanicsInAuthenticate;

impl Hostile for PanicsInAuthenticate {
    fn authenticate(request: &Request<'_>) -> Result<Verdict> {
        panic!("{}", request.path())
    }
}

hostile_guests::guest!(PanicsInAuthenticate);
