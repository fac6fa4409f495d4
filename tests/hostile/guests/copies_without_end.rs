//! Has its whole memory copied by single instructions that each take long.

use std::hint::black_box;

use hostile_guests::{Delivery, Hostile, Result};

/// The guest.
#[derive(Debug)]
pub struct CopiesWithoutEnd;

impl Hostile for CopiesWithoutEnd {
    fn handle(_: &Delivery<'_>) -> Result<()> {
        let mut memory = black_box(vec![1_u8; 30 << 20]);
        loop {
            memory.copy_within(1.., 0);
            black_box(&mut memory);
        }
    }
}

hostile_guests::guest!(CopiesWithoutEnd);
