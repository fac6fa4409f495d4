//! Where an order stands: what its status, its date of payment and its refunds say about money and holds.
//!
//! A pure function of the order's own words; the table is in the crate's documentation.

use bursar_adapter::orders::{Cause, Payment};

/// Statuses that hold an order, and so never count as paid whatever the settings say.
const HELD: [&str; 4] = ["cancelled", "failed", "refunded", "trash"];

/// Statuses whose meaning is WooCommerce's own.
const WAITING: [&str; 2] = ["pending", "on-hold"];

/// What an order says about itself.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Signs<'a> {
    pub(crate) status: &'a str,
    /// Statuses that count as paid in this shop.
    pub(crate) paid_statuses: &'a [String],
    /// The shop has dated the payment.
    pub(crate) dated: bool,
    /// The order's total is zero.
    pub(crate) free: bool,
    pub(crate) refunds: Refunds<'a>,
}

/// How much of the money went back.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Refunds<'a> {
    /// The shop lists none.
    None,
    /// Some, or it cannot be told how much.
    Some,
    /// All of it, and what shows it.
    All(&'a str),
}

/// What follows.
#[derive(Debug)]
pub(crate) struct Standing {
    pub(crate) payment: Payment,
    pub(crate) holds: Vec<(Cause, String)>,
    pub(crate) lifts: Vec<(Cause, String)>,
    /// The status is one of another plugin, and money has come in: somebody must say what it means.
    pub(crate) unknown_status: bool,
}

/// Judges the signs.
pub(crate) fn judge(signs: Signs<'_>) -> Standing {
    let Signs { status, paid_statuses, dated, free, refunds } = signs;
    let held = HELD.contains(&status);
    let counts_as_paid = !held && paid_statuses.iter().any(|paid| paid == status);
    let settled = dated || free;
    let payment = match (settled, counts_as_paid) {
        (true, true) => Payment::Paid,
        (true, false) => Payment::Undecided,
        (false, _) => Payment::Unpaid,
    };

    let evidence = format!("status={status}");
    let mut holds = Vec::new();
    let mut lifts = Vec::new();
    match status {
        "trash" => holds.push((Cause::Deleted, evidence.clone())),
        "cancelled" => holds.push((Cause::Cancelled, evidence.clone())),
        // A first payment that fails leaves nothing to call off: the buyer may try again.
        "failed" if dated => holds.push((Cause::Cancelled, evidence.clone())),
        _ => {}
    }
    match refunds {
        _ if status == "refunded" => holds.push((Cause::Refunded, evidence.clone())),
        Refunds::All(sum) => holds.push((Cause::Refunded, sum.to_owned())),
        _ => {}
    }

    if status != "trash" {
        lifts.push((Cause::Deleted, evidence.clone()));
    }
    if payment == Payment::Paid {
        lifts.push((Cause::Cancelled, evidence));
        if matches!(refunds, Refunds::None) {
            lifts.push((Cause::Refunded, format!("status={status}, no refund listed")));
        }
    }

    let unknown_status = dated && !held && !counts_as_paid && !is_own(status);
    Standing { payment, holds, lifts, unknown_status }
}

fn is_own(status: &str) -> bool {
    WAITING.contains(&status) || status == "processing" || status == "completed"
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(status: &str, dated: bool, refunds: Refunds<'_>) -> Standing {
        let paid_statuses = ["processing".to_owned(), "completed".to_owned()];
        judge(Signs { status, paid_statuses: &paid_statuses, dated, free: false, refunds })
    }

    fn causes(said: &[(Cause, String)]) -> Vec<Cause> {
        said.iter().map(|(cause, _)| *cause).collect()
    }

    #[test]
    fn paid_needs_both_the_date_and_a_status_that_counts() {
        for status in ["processing", "completed"] {
            assert_eq!(judged(status, true, Refunds::None).payment, Payment::Paid);
            assert_eq!(judged(status, false, Refunds::None).payment, Payment::Unpaid);
        }
    }

    #[test]
    fn cash_on_delivery_is_unpaid_until_the_money_is_there() {
        assert_eq!(judged("processing", false, Refunds::None).payment, Payment::Unpaid);
        assert_eq!(judged("completed", true, Refunds::None).payment, Payment::Paid);
    }

    #[test]
    fn a_date_of_payment_alone_decides_nothing() {
        for status in ["pending", "on-hold", "cancelled", "failed", "refunded", "trash", "shipped"] {
            assert_eq!(judged(status, true, Refunds::None).payment, Payment::Undecided, "{status}");
        }
    }

    #[test]
    fn without_a_date_nothing_was_paid_in_any_status() {
        for status in ["pending", "on-hold", "cancelled", "failed", "refunded", "trash", "shipped"] {
            assert_eq!(judged(status, false, Refunds::None).payment, Payment::Unpaid, "{status}");
        }
    }

    #[test]
    fn a_free_order_is_paid_once_it_is_in_a_status_that_counts() {
        let paid_statuses = ["processing".to_owned()];
        let free = |status| {
            judge(Signs { status, paid_statuses: &paid_statuses, dated: false, free: true, refunds: Refunds::None })
        };
        assert_eq!(free("processing").payment, Payment::Paid);
        assert_eq!(free("on-hold").payment, Payment::Undecided);
    }

    #[test]
    fn a_cancelled_order_is_held_and_lifted_when_it_is_paid_again() {
        assert_eq!(causes(&judged("cancelled", true, Refunds::None).holds), [Cause::Cancelled]);
        assert!(causes(&judged("processing", true, Refunds::None).lifts).contains(&Cause::Cancelled));
        assert!(!causes(&judged("on-hold", true, Refunds::None).lifts).contains(&Cause::Cancelled));
        assert!(!causes(&judged("processing", false, Refunds::None).lifts).contains(&Cause::Cancelled));
    }

    #[test]
    fn a_first_payment_that_fails_holds_nothing() {
        assert!(judged("failed", false, Refunds::None).holds.is_empty());
        assert_eq!(causes(&judged("failed", true, Refunds::None).holds), [Cause::Cancelled]);
    }

    #[test]
    fn a_refund_is_lifted_only_by_a_paid_order_that_lists_none() {
        assert_eq!(causes(&judged("refunded", true, Refunds::Some).holds), [Cause::Refunded]);
        assert!(!causes(&judged("processing", true, Refunds::Some).lifts).contains(&Cause::Refunded));
        assert!(!causes(&judged("on-hold", true, Refunds::None).lifts).contains(&Cause::Refunded));
        assert!(causes(&judged("processing", true, Refunds::None).lifts).contains(&Cause::Refunded));
    }

    #[test]
    fn all_the_money_back_holds_whatever_the_status_says() {
        let standing = judged("processing", true, Refunds::All("refunds=49.00 of 49.00"));
        assert_eq!(standing.holds, [(Cause::Refunded, "refunds=49.00 of 49.00".to_owned())]);
        assert!(!causes(&standing.lifts).contains(&Cause::Refunded));
    }

    #[test]
    fn every_whole_order_outside_the_bin_shows_that_it_is_not_deleted() {
        for status in ["pending", "on-hold", "processing", "completed", "cancelled", "failed", "refunded", "shipped"] {
            assert!(causes(&judged(status, true, Refunds::None).lifts).contains(&Cause::Deleted), "{status}");
        }
        let trashed = judged("trash", true, Refunds::None);
        assert_eq!(causes(&trashed.holds), [Cause::Deleted]);
        assert!(trashed.lifts.is_empty());
    }

    #[test]
    fn a_foreign_status_is_a_question_only_when_money_has_come_in() {
        assert!(judged("shipped", true, Refunds::None).unknown_status);
        assert!(!judged("shipped", false, Refunds::None).unknown_status);
        assert!(!judged("on-hold", true, Refunds::None).unknown_status);
    }

    #[test]
    fn the_operator_says_which_foreign_statuses_count() {
        let paid_statuses = ["shipped".to_owned(), "refunded".to_owned()];
        let with = |status| {
            judge(Signs { status, paid_statuses: &paid_statuses, dated: true, free: false, refunds: Refunds::None })
        };
        assert_eq!(with("shipped").payment, Payment::Paid);
        assert!(!with("shipped").unknown_status);
        assert_eq!(with("processing").payment, Payment::Undecided);
        assert_eq!(with("refunded").payment, Payment::Undecided);
    }
}
