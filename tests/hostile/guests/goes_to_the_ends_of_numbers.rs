//! States an order with the greatest numbers that there are.

use bursar_adapter::orders::{Cause, Payment};
use hostile_guests::{Delivery, Hostile, Result, orders};

/// The guest.
#[derive(Debug)]
pub struct GoesToTheEndsOfNumbers;

impl Hostile for GoesToTheEndsOfNumbers {
    fn handle(_: &Delivery<'_>) -> Result<()> {
        let order = orders::snapshot(u64::MAX, &[u64::MAX; 8]);
        order.number(&"9".repeat(10_000)).placed_at(u64::MAX).payment(Payment::Paid);
        order.refunded_amount(&"9".repeat(1_000), "EUR", "-0.000000000000000000000000000000000000001");
        order.refunded_amount("1e308", &"E".repeat(1_000), "NaN").hold(Cause::Disputed, "\u{202e}\0\u{1b}");
        let line = order.line(u64::MAX);
        line.quantity(u32::MAX).refunded_quantity(u32::MAX - 1).until(u64::MAX).parent(u64::MAX);
        line.course("course-v1:DemoX+CS101+2026", Some("verified"))?.learner_email("nobody@example.com")?;
        Ok(())
    }
}

hostile_guests::guest!(GoesToTheEndsOfNumbers);
