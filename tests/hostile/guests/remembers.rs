//! Remembers what it saw, to tell the next delivery of it.

use std::sync::atomic::{AtomicU32, Ordering};

use hostile_guests::{Delivery, Hostile, Result, tried};

/// The guest.
#[derive(Debug)]
pub struct Remembers;

impl Hostile for Remembers {
    fn handle(delivery: &Delivery<'_>) -> Result<()> {
        static SEEN: AtomicU32 = AtomicU32::new(0);
        let gained = (SEEN.fetch_add(1, Ordering::Relaxed) > 0).then(|| "an earlier delivery".to_owned());
        tried(delivery, gained.as_slice())
    }
}

hostile_guests::guest!(Remembers);
