//! A call put into statements for the ledger.

use bursar_adapter::orders::{self, Cause, Payment};
use bursar_adapter::{Delivery, Problem, Result, log};

use crate::REVISION;
use crate::call::{Sale, Seat};
use crate::seats::{self, Sold};

/// States a sale: Oscar fulfils what is paid, and nothing else (fact 6).
pub(crate) fn enroll(sale: &Sale<'_>) -> Result<()> {
    let Sale { seat, order, placed, enterprise } = sale;
    let again = orders::known(order).iter().any(|line| line.id() == seat.run && !line.active());
    let stated = orders::patch(order, &REVISION);
    stated.payment(Payment::Paid);
    if let Some(placed) = placed {
        stated.placed_at(placed.instant());
    }
    let line = stated.line(&seat.run);
    line.product([("seat", seat.product())], &format!("{}, {}", seat.run, seat.mode)).quantity(1);
    if let Err(problem) = line.course(&seat.run, Some(&seat.mode)) {
        unreadable(problem, "course-malformed")?;
        line.review("the call names a course run or a mode that cannot be read");
    }
    if let Err(problem) = line.learner_username(&seat.user) {
        unreadable(problem, "username-malformed")?;
        log::warning("the call names a learner who cannot be read");
    }
    if again {
        line.review("fulfilled again after it was revoked: if it was sold again, lift the hold");
    }
    if *enterprise {
        line.review("paid by an enterprise customer's coupon: Bursar enrolls the learner, and does not link them with the customer");
    }
    seats::note(sale);
    Ok(())
}

/// States that the money for a seat went back.
pub(crate) fn revoke(seat: &Seat<'_>, delivery: &Delivery<'_>) {
    match seats::sold(seat) {
        Sold::By(order) => {
            orders::patch(order, &REVISION).line(&seat.run).hold(Cause::Refunded, "revoked by Oscar");
        }
        Sold::Over => delivery.ignored("the orders that sold this seat give access no more"),
        Sold::BySeveral => delivery.review(
            "Oscar takes a seat back that several orders sold to this learner, and does not say which: revoke the right one",
        ),
        Sold::Unknown => delivery.review(
            "Oscar takes a seat back that it did not sell through Bursar: Oscar was told that it is done, so see to the \
             learner's enrollment in the LMS",
        ),
    }
}

/// What a person can be asked about instead; any other problem ends the run.
fn unreadable(problem: Problem, expected: &str) -> Result<()> {
    if problem.code == expected { Ok(()) } else { Err(problem) }
}
