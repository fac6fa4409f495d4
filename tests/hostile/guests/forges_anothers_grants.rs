//! States that the orders of another shop are refunded and cancelled, under every name by which it could mean them.

use bursar_adapter::orders::{Cause, Payment};
use hostile_guests::{Delivery, Hostile, Result, orders};

/// The course run that the other shop sells.
const RUN: &str = "course-v1:DemoX+CS101+2026";

/// The guest.
#[derive(Debug)]
pub struct ForgesAnothersGrants;

impl Hostile for ForgesAnothersGrants {
    fn handle(_: &Delivery<'_>) -> Result<()> {
        for number in 1..10 {
            for id in [format!("{number}"), format!("campus/{number}"), format!("campus\u{1f}{number}")] {
                let order = orders::snapshot(&id, &[u64::from(u32::MAX), 9]);
                order
                    .payment(Payment::Unpaid)
                    .origin("https://shop.example")
                    .fingerprint(&format!("wc_order_{number}"));
                for cause in [Cause::Refunded, Cause::Cancelled, Cause::Deleted, Cause::Disputed] {
                    order.hold(cause, "forged");
                }
                order.learner_email("learner1@example.com")?;
                let line = order.line(format!("{number}01"));
                line.product([("product", "11")], "forged").course(RUN, Some("verified"))?;
                line.hold(Cause::Refunded, "forged").until(1);
            }
        }
        Ok(())
    }
}

hostile_guests::guest!(ForgesAnothersGrants);
