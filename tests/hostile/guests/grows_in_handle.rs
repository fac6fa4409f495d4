//! Takes memory until there is no more.

use std::hint::black_box;

use hostile_guests::{Delivery, Hostile, Result};

/// The guest.
#[derive(Debug)]
pub struct GrowsInHandle;

impl Hostile for GrowsInHandle {
    fn handle(_: &Delivery<'_>) -> Result<()> {
        let mut kept = Vec::new();
        loop {
            kept.push(black_box(vec![1_u8; 1 << 20]));
        }
    }
}

hostile_guests::guest!(GrowsInHandle);
