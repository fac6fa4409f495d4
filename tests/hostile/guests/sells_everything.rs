//! States one order that sells more course runs than there are, as many as a run may name.

use bursar_adapter::orders::Payment;
use hostile_guests::{Delivery, Hostile, Result, orders};

/// Lines of the order, and course runs of each: as many calls of the host as a run may make, nearly.
const LINES: u32 = 900;
const RUNS: u32 = 200;

/// The guest.
#[derive(Debug)]
pub struct SellsEverything;

impl Hostile for SellsEverything {
    fn handle(_: &Delivery<'_>) -> Result<()> {
        let order = orders::snapshot("1", &[1]);
        order.payment(Payment::Paid).learner_email("nobody@example.com")?;
        for line in 0..LINES {
            let stated = order.line(line);
            for run in 0..RUNS {
                stated.course(&format!("course-v1:A+{line}+{run}"), None)?;
            }
        }
        Ok(())
    }
}

hostile_guests::guest!(SellsEverything);
