//! Asks for random bytes without end.

use std::hint::black_box;

use hostile_guests::{Delivery, Hostile, Result, wasi::random::random};

/// The guest.
#[derive(Debug)]
pub struct FloodsWithRandomness;

impl Hostile for FloodsWithRandomness {
    fn handle(_: &Delivery<'_>) -> Result<()> {
        loop {
            black_box(random::get_random_bytes(60_000));
        }
    }
}

hostile_guests::guest!(FloodsWithRandomness);
