//! Hands over a list in which one long text stands a thousand times.

use std::hint::black_box;

use hostile_guests::{Delivery, Hostile, Result, catalog};

/// The guest.
#[derive(Debug)]
pub struct HandsOverACrowd;

impl Hostile for HandsOverACrowd {
    fn handle(_: &Delivery<'_>) -> Result<()> {
        let text = "x".repeat(1 << 20);
        let crowd: Vec<(&str, &str)> = (0..1_000).map(|_| ("sku", text.as_str())).collect();
        black_box(catalog::courses(&crowd));
        Ok(())
    }
}

hostile_guests::guest!(HandsOverACrowd);
