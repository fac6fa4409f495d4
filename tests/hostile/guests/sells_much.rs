//! States one order of as many lines as a run may state, each of which sells a course run.

use bursar_adapter::orders::Payment;
use hostile_guests::{Delivery, Hostile, Result, orders};

/// Lines of the order.
const LINES: u32 = 5_000;

/// The guest.
#[derive(Debug)]
pub struct SellsMuch;

impl Hostile for SellsMuch {
    fn handle(_: &Delivery<'_>) -> Result<()> {
        let order = orders::snapshot("1", &[1]);
        order.payment(Payment::Paid).learner_email("nobody@example.com")?;
        for line in 0..LINES {
            let stated = order.line(line);
            stated.course(&format!("course-v1:A+B+{line}"), None)?;
        }
        Ok(())
    }
}

hostile_guests::guest!(SellsMuch);
