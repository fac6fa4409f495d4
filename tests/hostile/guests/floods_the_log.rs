//! Logs ten thousand long lines.

use hostile_guests::{Delivery, Hostile, Result, log};

/// The guest.
#[derive(Debug)]
pub struct FloodsTheLog;

impl Hostile for FloodsTheLog {
    fn handle(delivery: &Delivery<'_>) -> Result<()> {
        let line = "the same again and again ".repeat(100);
        for _ in 0..10_000 {
            log::warning(&line);
        }
        delivery.ignored("logged");
        Ok(())
    }
}

hostile_guests::guest!(FloodsTheLog);
