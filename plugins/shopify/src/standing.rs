//! Where an order stands: what its financial status, its cancellation and its refunds say about money and holds.
//!
//! A pure function of the order's own words and of whether it gives access already; the table is in the crate's
//! documentation.

use bursar_adapter::orders::{Cause, Payment};

/// What an order says about itself.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Signs<'a> {
    /// `financial_status`.
    pub(crate) status: &'a str,
    /// `cancelled_at` is filled in.
    pub(crate) cancelled: bool,
    /// The order lists a refund with which money or a line went back.
    pub(crate) refunds: bool,
    /// A line of it gives access, by what was said before.
    pub(crate) gives_access: bool,
}

/// What follows.
#[derive(Debug)]
pub(crate) struct Standing {
    pub(crate) payment: Payment,
    pub(crate) holds: Vec<(Cause, String)>,
    pub(crate) lifts: Vec<(Cause, String)>,
    /// Something is owed for an order that gives access: what was added to it since is not sold yet.
    pub(crate) owed_for_more: bool,
    /// Nobody knows what the status means, and nothing was given yet: somebody must say.
    pub(crate) unknown_status: bool,
}

/// Judges the signs.
pub(crate) fn judge(signs: Signs<'_>) -> Standing {
    let Signs { status, cancelled, refunds, gives_access } = signs;
    let owed_for_more = gives_access && matches!(status, "pending" | "authorized" | "partially_paid");
    let payment = match status {
        "paid" | "partially_refunded" => Payment::Paid,
        "voided" | "expired" => Payment::Unpaid,
        "pending" if !owed_for_more => Payment::Unpaid,
        _ => Payment::Undecided,
    };

    let evidence = format!("financial_status={status}");
    let mut holds = Vec::new();
    let mut lifts = Vec::new();
    if cancelled {
        holds.push((Cause::Cancelled, "cancelled_at is filled in".to_owned()));
    } else {
        lifts.push((Cause::Cancelled, "cancelled_at is empty".to_owned()));
    }
    match status {
        "refunded" => holds.push((Cause::Refunded, evidence)),
        "paid" if !refunds => lifts.push((Cause::Refunded, format!("{evidence}, nothing went back"))),
        _ => {}
    }

    let unknown_status = stage(status) == UNKNOWN && status != "pending" && !gives_access;
    Standing { payment, holds, lifts, owed_for_more, unknown_status }
}

/// The stage of a payment that has not begun, and of a status that nobody knows.
const UNKNOWN: u64 = 1;

/// How far the payment of a whole order has come. It tells states of one second apart: an order is placed and paid within
/// one, and the news of the two may come the other way round (fact 10).
pub(crate) fn stage(status: &str) -> u64 {
    match status {
        "authorized" => 2,
        "partially_paid" => 3,
        "paid" => 4,
        "voided" | "expired" => 5,
        "partially_refunded" => 6,
        "refunded" => 7,
        _ => UNKNOWN,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STATUSES: [&str; 8] =
        ["pending", "authorized", "partially_paid", "paid", "partially_refunded", "refunded", "voided", "expired"];

    fn judged(status: &str, gives_access: bool) -> Standing {
        judge(Signs { status, cancelled: false, refunds: false, gives_access })
    }

    fn causes(said: &[(Cause, String)]) -> Vec<Cause> {
        said.iter().map(|(cause, _)| *cause).collect()
    }

    #[test]
    fn only_money_that_is_there_counts_as_paid() {
        let paid: Vec<_> =
            STATUSES.into_iter().filter(|status| judged(status, false).payment == Payment::Paid).collect();
        assert_eq!(paid, ["paid", "partially_refunded"]);
    }

    #[test]
    fn no_status_takes_access_away_because_something_was_added_that_is_not_paid_yet() {
        for status in ["pending", "authorized", "partially_paid"] {
            let standing = judged(status, true);
            assert_eq!(standing.payment, Payment::Undecided, "{status}");
            assert!(standing.owed_for_more, "{status}");
        }
        assert_eq!(judged("pending", false).payment, Payment::Unpaid);
        assert!(!judged("paid", true).owed_for_more);
    }

    #[test]
    fn a_cancellation_holds_whatever_the_payment_and_its_absence_lifts() {
        for status in STATUSES {
            let cancelled = judge(Signs { status, cancelled: true, refunds: false, gives_access: true });
            assert!(causes(&cancelled.holds).contains(&Cause::Cancelled), "{status}");
            assert!(!causes(&cancelled.lifts).contains(&Cause::Cancelled), "{status}");
            assert!(causes(&judged(status, true).lifts).contains(&Cause::Cancelled), "{status}");
        }
    }

    #[test]
    fn a_refund_of_everything_is_lifted_only_by_a_paid_order_that_lists_no_refund() {
        for status in STATUSES {
            for refunds in [true, false] {
                let standing = judge(Signs { status, cancelled: false, refunds, gives_access: false });
                assert_eq!(causes(&standing.holds).contains(&Cause::Refunded), status == "refunded");
                assert_eq!(causes(&standing.lifts).contains(&Cause::Refunded), status == "paid" && !refunds);
            }
        }
    }

    #[test]
    fn a_status_of_tomorrow_is_a_question_only_while_nothing_was_given() {
        assert!(judged("escrowed", false).unknown_status);
        assert!(!judged("escrowed", true).unknown_status);
        assert_eq!(judged("escrowed", false).payment, Payment::Undecided);
        for status in STATUSES {
            assert!(!judged(status, false).unknown_status, "{status}");
        }
    }

    #[test]
    fn stages_are_in_the_order_in_which_a_payment_goes() {
        let stages = ["pending", "authorized", "partially_paid", "paid", "partially_refunded", "refunded"].map(stage);
        assert!(stages.is_sorted_by(|one, next| one < next));
    }
}
