//! Takes memory until there is no more, while a shop waits.

use std::hint::black_box;

use hostile_guests::{Hostile, Request, Result, Verdict};

/// The guest.
#[derive(Debug)]
pub struct GrowsInAuthenticate;

impl Hostile for GrowsInAuthenticate {
    fn authenticate(_: &Request<'_>) -> Result<Verdict> {
        let mut kept = Vec::new();
        loop {
            kept.push(black_box(vec![1_u8; 1 << 20]));
        }
    }
}

hostile_guests::guest!(GrowsInAuthenticate);
