//! Where an order stands: what its status and its money say about payment and holds.
//!
//! A pure function of the order's own words; the table is in the crate's documentation.

use bursar_adapter::loose::Loose;
use bursar_adapter::money::Amount;
use bursar_adapter::orders::{Cause, Payment};

/// Statuses in which the sale stands (fact 16).
const STANDS: [&str; 6] =
    [UNCONFIRMED, "UNFULFILLED", "PARTIALLY_FULFILLED", "FULFILLED", "PARTIALLY_RETURNED", "RETURNED"];

/// Statuses in which it does not, paid or not (fact 16).
const OVER: [&str; 2] = ["CANCELED", EXPIRED];

const UNCONFIRMED: &str = "UNCONFIRMED";

const EXPIRED: &str = "EXPIRED";

/// Words for a payment of which something has come in at some time.
const MONEY_CAME: [&str; 7] =
    ["PARTIALLY_CHARGED", "FULLY_CHARGED", "PARTIALLY_REFUNDED", "FULLY_REFUNDED", "PARTIAL", "FULL", "OVERCHARGED"];

/// What an order says about itself.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Signs<'a> {
    pub(crate) status: &'a str,
    /// None where the body cannot tell.
    pub(crate) is_paid: Option<bool>,
    pub(crate) payment_status: &'a str,
    pub(crate) charge_status: &'a str,
    pub(crate) total: Option<Amount>,
    /// What the shop has now: refunds are taken off.
    pub(crate) charged: Option<Amount>,
    /// What went back.
    pub(crate) refunded: Option<Amount>,
    /// Does an order wait for the shop's staff?
    pub(crate) wait_for_confirmation: bool,
}

/// What follows.
#[derive(Debug)]
pub(crate) struct Standing {
    pub(crate) payment: Payment,
    pub(crate) holds: Vec<(Cause, String)>,
    pub(crate) lifts: Vec<(Cause, String)>,
    /// Why a person should look.
    pub(crate) review: Option<&'static str>,
    /// The order is paid, and its status is none that was known when this was written.
    pub(crate) unknown_status: bool,
    /// A part of the money went back. Whether all of it had come in before cannot be told.
    pub(crate) part_back: bool,
}

/// Judges the signs.
pub(crate) fn judge(signs: Signs<'_>) -> Standing {
    let Signs { status, is_paid, .. } = signs;
    let stands = STANDS.contains(&status) && !(signs.wait_for_confirmation && status == UNCONFIRMED);
    let over = OVER.contains(&status);
    let payment = match is_paid {
        Some(true) if stands => Payment::Paid,
        Some(false) if !signs.money_came() => Payment::Unpaid,
        _ => Payment::Undecided,
    };

    let all_back = signs.all_back();
    let mut holds = Vec::new();
    let mut lifts = Vec::new();
    if over {
        holds.push((Cause::Cancelled, format!("status={status}")));
    } else if payment == Payment::Paid {
        lifts.push((Cause::Cancelled, format!("status={status}")));
    }
    match (&all_back, signs.refunded) {
        (Some(evidence), _) => holds.push((Cause::Refunded, evidence.clone())),
        (None, Some(refunded)) if refunded.is_zero() && payment == Payment::Paid => {
            lifts.push((Cause::Refunded, format!("isPaid=true totalRefunded={refunded}")));
        }
        _ => {}
    }
    let review = match is_paid {
        Some(true) if status == EXPIRED => Some("the order has expired, and is paid all the same"),
        Some(true) if all_back.is_some() && !over => {
            Some("all the money went back, and the shop says that the order is paid: was it paid once more?")
        }
        _ => None,
    };
    let unknown_status = is_paid == Some(true) && !over && !STANDS.contains(&status);
    let money_back = signs.refunded.is_some_and(|refunded| !refunded.is_zero());
    let part_back = is_paid == Some(false) && stands && money_back && all_back.is_none();
    Standing { payment, holds, lifts, review, unknown_status, part_back }
}

impl Signs<'_> {
    /// Has the shop ever had any money for it? A refund takes `isPaid` away, so that alone does not say that nobody paid (fact 17).
    fn money_came(&self) -> bool {
        let some = |amount: Option<Amount>| amount.is_some_and(|amount| !amount.is_zero());
        some(self.charged)
            || some(self.refunded)
            || [self.payment_status, self.charge_status].iter().any(|word| MONEY_CAME.contains(word))
    }

    /// What shows that all the money went back.
    fn all_back(&self) -> Option<String> {
        if let (Some(refunded), Some(total)) = (self.refunded, self.total)
            && !total.is_zero()
            && refunded.covers(total)
        {
            return Some(format!("totalRefunded={refunded} of {total}"));
        }
        let nothing_left = self.charged.is_none_or(Amount::is_zero);
        (nothing_left && self.payment_status == "FULLY_REFUNDED").then(|| "paymentStatus=FULLY_REFUNDED".to_owned())
    }
}

/// A word of Saleor's in the spelling of its API: `partially fulfilled` and `fully-charged` are the same words elsewhere (fact 10).
pub(crate) fn word(value: &Loose<'_>) -> String {
    match value {
        Loose::Text(text) => text.trim().to_ascii_uppercase().replace([' ', '-'], "_"),
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An order of 98.00 in this status, with so much of the money there and so much gone back.
    fn judged(status: &str, is_paid: bool, charged: &str, refunded: &str) -> Standing {
        judge(Signs {
            status,
            is_paid: Some(is_paid),
            payment_status: "",
            charge_status: "",
            total: Amount::parse("98.00"),
            charged: Amount::parse(charged),
            refunded: Amount::parse(refunded),
            wait_for_confirmation: false,
        })
    }

    fn causes(said: &[(Cause, String)]) -> Vec<Cause> {
        said.iter().map(|(cause, _)| *cause).collect()
    }

    #[test]
    fn paid_is_what_the_shop_calls_paid_while_the_sale_stands() {
        for status in STANDS {
            assert_eq!(judged(status, true, "98", "0").payment, Payment::Paid, "{status}");
        }
        for status in OVER {
            let standing = judged(status, true, "98", "0");
            assert_eq!(standing.payment, Payment::Undecided, "{status}");
            assert_eq!(causes(&standing.holds), [Cause::Cancelled], "{status}");
            assert!(standing.lifts.is_empty(), "{status}");
        }
    }

    #[test]
    fn handing_over_is_no_payment() {
        assert_eq!(judged("FULFILLED", false, "0", "0").payment, Payment::Unpaid);
    }

    #[test]
    fn a_part_of_the_money_decides_nothing_before_it_is_whole_or_after() {
        assert_eq!(judged("UNFULFILLED", false, "49", "0").payment, Payment::Undecided);
        let part_back = judged("FULFILLED", false, "49", "49");
        assert_eq!(part_back.payment, Payment::Undecided);
        assert!(part_back.holds.is_empty() && part_back.lifts.is_empty());
        assert!(part_back.part_back && !judged("UNFULFILLED", false, "49", "0").part_back);
    }

    #[test]
    fn money_that_is_gone_and_was_not_refunded_is_unpaid() {
        assert_eq!(judged("FULFILLED", false, "0.0", "0.0").payment, Payment::Unpaid);
    }

    #[test]
    fn words_of_a_payment_are_enough_where_amounts_are_torn() {
        for (payment_status, charge_status) in [("FULLY_CHARGED", "NONE"), ("NOT_CHARGED", "PARTIAL")] {
            let standing = judge(Signs {
                status: "UNFULFILLED",
                is_paid: Some(false),
                payment_status,
                charge_status,
                total: Amount::parse("98"),
                charged: Amount::parse("0"),
                refunded: Amount::parse("0"),
                wait_for_confirmation: false,
            });
            assert_eq!(standing.payment, Payment::Undecided, "{payment_status} {charge_status}");
        }
    }

    #[test]
    fn all_the_money_back_holds_and_only_a_paid_order_without_refund_lifts_it() {
        let back = judged("FULFILLED", false, "0", "98.0");
        assert_eq!(back.holds, [(Cause::Refunded, "totalRefunded=98.0 of 98.00".to_owned())]);
        assert!(!causes(&judged("FULFILLED", true, "98", "10").lifts).contains(&Cause::Refunded));
        assert!(!causes(&judged("FULFILLED", false, "0", "0").lifts).contains(&Cause::Refunded));
        assert!(causes(&judged("FULFILLED", true, "98", "0").lifts).contains(&Cause::Refunded));
    }

    #[test]
    fn what_is_both_refunded_and_paid_is_held_and_asked_about() {
        let standing = judged("FULFILLED", true, "98", "98");
        assert_eq!(causes(&standing.holds), [Cause::Refunded]);
        assert!(standing.review.is_some_and(|words| words.contains("once more")));
    }

    #[test]
    fn an_order_that_expired_and_was_paid_all_the_same_is_asked_about() {
        assert!(judged("EXPIRED", true, "98", "0").review.is_some());
        assert!(judged("EXPIRED", false, "0", "0").review.is_none());
        assert!(judged("CANCELED", true, "98", "98").review.is_none());
    }

    #[test]
    fn a_status_of_tomorrow_gives_nothing_by_itself() {
        let standing = judged("ON_HOLD", true, "98", "0");
        assert_eq!(standing.payment, Payment::Undecided);
        assert!(standing.unknown_status && standing.holds.is_empty() && standing.lifts.is_empty());
        assert!(!judged("ON_HOLD", false, "0", "0").unknown_status);
    }

    #[test]
    fn words_are_the_same_in_every_spelling() {
        for (spelled, said) in [("partially fulfilled", "PARTIALLY_FULFILLED"), ("fully-charged", "FULLY_CHARGED")] {
            assert_eq!(word(&Loose::Text(spelled.into())), said);
        }
        assert_eq!(word(&Loose::Whole(1)), "");
    }
}
