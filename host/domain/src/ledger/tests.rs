//! The rules of revisions, holds and payment, row by row; and that the order of arrival does not matter.

use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::{
    names::{Email, LmsName, Mode},
    policy::{NoAccount, OnRevoke, ShopMode},
    statement::Identity,
};

const NOW: Timestamp = Timestamp::from_millis(1_000);

pub(crate) fn policy() -> ShopPolicy {
    ShopPolicy {
        shop: ShopName::parse("campus").unwrap(),
        lms: LmsName::parse("main").unwrap(),
        mode: ShopMode::Live,
        default_mode: Mode::parse("verified").unwrap(),
        no_account: NoAccount::Wait,
        enrollment_allowed: false,
        on_revoke: OnRevoke::Restore,
        on_delete: OnDelete::Review,
        quiet_time: Duration::ZERO,
        accept_test: false,
        sold_before: None,
    }
}

fn unknown() -> Order {
    Order::unknown(ShopName::parse("campus").unwrap(), "42".into(), NOW)
}

pub(crate) fn snapshot(revision: u64) -> OrderStatement {
    let mut order = OrderStatement::new("42".into(), Scope::Snapshot, Revision(vec![revision]));
    order.payment = Some(Payment::Paid);
    order.fingerprint = Some("wc_order_a".into());
    order.learner = Some(Learner::Known(Identity::Email { address: Email::parse("ada@example.org").unwrap() }));
    order.lines = vec![line("1", "7"), line("2", "8")];
    order
}

fn line(id: &str, product: &str) -> LineStatement {
    LineStatement {
        id: id.into(),
        products: vec![ProductId { kind: "product".into(), id: product.into() }],
        quantity: Some(1),
        ..LineStatement::default()
    }
}

fn patch(revision: u64) -> OrderStatement {
    OrderStatement::new("42".into(), Scope::Patch, Revision(vec![revision]))
}

fn hold(cause: Cause, holds: bool) -> HoldStatement {
    HoldStatement { cause, holds, evidence: "test".into() }
}

fn after(order: Order, statement: &OrderStatement) -> Recorded {
    record(order, statement, &policy(), NOW)
}

fn access(order: &Order) -> Vec<Option<Reason>> {
    order.lines.iter().map(|line| order.why_no_access(line, OnDelete::Review)).collect()
}

#[test]
fn a_paid_order_gives_access_and_an_unpaid_one_does_not() {
    let paid = after(unknown(), &snapshot(1)).order;
    assert_eq!(access(&paid), [None, None]);
    let mut unpaid = snapshot(2);
    unpaid.payment = Some(Payment::Unpaid);
    assert_eq!(access(&after(paid, &unpaid).order), [Some(Reason::NotPaid), Some(Reason::NotPaid)]);
}

#[test]
fn undecided_changes_nothing_that_was_known() {
    let mut undecided = snapshot(2);
    undecided.payment = Some(Payment::Undecided);
    let order = after(after(unknown(), &snapshot(1)).order, &undecided).order;
    assert_eq!(order.payment, Payment::Paid);
}

#[test]
fn an_older_fact_is_stale_and_an_equal_one_wins_by_coming_later() {
    let mut newer = snapshot(5);
    newer.lines = vec![line("1", "7")];
    let order = after(unknown(), &newer).order;
    let recorded = after(order.clone(), &snapshot(4));
    assert!(recorded.stale > 0);
    assert_eq!(access(&recorded.order), [None, Some(Reason::LineGone)], "the newer snapshot did not have line 2");
    let equal = after(order, &snapshot(5)).order;
    assert_eq!(equal.lines.iter().filter(|line| line.present).count(), 2);
}

#[test]
fn each_cause_holds_by_itself_and_only_its_own_lifting_ends_it() {
    let mut held = snapshot(2);
    held.holds = vec![hold(Cause::Refunded, true), hold(Cause::Cancelled, true)];
    let mut lifted = snapshot(3);
    lifted.holds = vec![hold(Cause::Cancelled, false)];
    let order = after(after(unknown(), &held).order, &lifted).order;
    assert_eq!(access(&order), vec![Some(Reason::Held { cause: Cause::Refunded }); 2]);
}

#[test]
fn a_refund_once_seen_is_not_unseen_by_an_older_fact() {
    let mut refunded = snapshot(9);
    refunded.holds = vec![hold(Cause::Refunded, true)];
    let mut older = snapshot(8);
    older.holds = vec![hold(Cause::Refunded, false)];
    let order = after(after(unknown(), &refunded).order, &older).order;
    assert!(order.is_held(Cause::Refunded));
}

#[test]
fn a_refund_that_comes_before_its_order_holds_it() {
    let mut refund = patch(9);
    refund.holds = vec![hold(Cause::Refunded, true)];
    let order = after(after(unknown(), &refund).order, &snapshot(8)).order;
    assert_eq!(access(&order), vec![Some(Reason::Held { cause: Cause::Refunded }); 2]);
}

#[test]
fn all_the_money_back_holds_the_order_and_a_part_of_it_is_only_told() {
    let refunded = |amount: &str| {
        let mut order = patch(2);
        order.refunded = Some(RefundedAmount {
            amount: amount.parse().unwrap(),
            total: "49.00".parse().unwrap(),
            currency: "EUR".into(),
        });
        order
    };
    let order = after(unknown(), &snapshot(1)).order;
    let part = after(order, &refunded("10.00"));
    assert_eq!(access(&part.order), [None, None]);
    assert!(matches!(part.findings[0].concern, Concern::RefundUnassigned { .. }));
    let told_again = after(part.order.clone(), &refunded("10.00"));
    assert!(told_again.findings.is_empty());
    let all = after(part.order, &refunded("49.00")).order;
    assert_eq!(access(&all), vec![Some(Reason::Held { cause: Cause::Refunded }); 2]);
}

#[test]
fn all_the_money_back_holds_again_after_it_was_lifted() {
    let mut all = patch(2);
    let refunded =
        RefundedAmount { amount: "49".parse().unwrap(), total: "49".parse().unwrap(), currency: "EUR".into() };
    all.refunded = Some(refunded);
    let mut lifted = patch(3);
    lifted.holds = vec![hold(Cause::Refunded, false)];
    let order = after(after(after(unknown(), &snapshot(1)).order, &all).order, &lifted).order;
    assert_eq!(access(&order), [None, None]);
    all.revision = Revision(vec![4]);
    assert!(after(order, &all).order.is_held(Cause::Refunded));
}

#[test]
fn a_bundles_parent_holds_its_children() {
    let mut bundle = snapshot(1);
    bundle.lines[1].parent = Some("1".into());
    bundle.lines[0].holds = vec![hold(Cause::Refunded, true)];
    let order = after(unknown(), &bundle).order;
    assert_eq!(access(&order), vec![Some(Reason::Held { cause: Cause::Refunded }); 2]);
}

#[test]
fn a_learner_whom_a_newer_snapshot_no_longer_names_is_named_no_more() {
    let mut gift = snapshot(1);
    gift.lines[0].learner = Some(Learner::Malformed);
    let order = after(after(unknown(), &gift).order, &snapshot(2)).order;
    assert_eq!(order.lines[0].learner, None);
}

#[test]
fn a_snapshot_that_does_not_speak_of_refunded_seats_does_not_take_them_back() {
    let mut refunded = snapshot(1);
    refunded.lines[0].refunded_quantity = Some(1);
    let order = after(after(unknown(), &refunded).order, &snapshot(2)).order;
    assert_eq!(access(&order)[0], Some(Reason::QuantityRefunded));
}

#[test]
fn a_line_that_a_snapshot_no_longer_names_is_gone() {
    let mut edited = snapshot(2);
    edited.lines = vec![line("1", "7"), line("3", "9")];
    let order = after(after(unknown(), &snapshot(1)).order, &edited).order;
    assert_eq!(access(&order), [None, Some(Reason::LineGone), None]);
}

#[test]
fn a_snapshot_that_empties_an_order_without_a_cause_asks_a_person() {
    let mut empty = snapshot(2);
    empty.lines.clear();
    let recorded = after(after(unknown(), &snapshot(1)).order, &empty);
    assert_eq!(access(&recorded.order), [None, None]);
    assert_eq!(recorded.findings[0].concern, Concern::OrderEmptied);
}

#[test]
fn another_fingerprint_under_a_known_id_changes_nothing_and_asks_a_person() {
    let order = after(unknown(), &snapshot(1)).order;
    let mut other = snapshot(2);
    other.fingerprint = Some("wc_order_b".into());
    other.payment = Some(Payment::Unpaid);
    let recorded = after(order.clone(), &other);
    assert_eq!(recorded.order, order);
    assert_eq!(recorded.findings[0].concern, Concern::OrderIdentityChanged);
}

#[test]
fn deleting_is_housekeeping_unless_the_shop_says_otherwise() {
    let mut deleted = patch(2);
    deleted.holds = vec![hold(Cause::Deleted, true)];
    let recorded = after(after(unknown(), &snapshot(1)).order, &deleted);
    let line = &recorded.order.lines[0];
    assert_eq!(recorded.order.why_no_access(line, OnDelete::Review), None);
    assert_eq!(recorded.order.why_no_access(line, OnDelete::Revoke), Some(Reason::Held { cause: Cause::Deleted }));
    assert_eq!(recorded.findings[0].concern, Concern::OrderDeleted);
}

#[test]
fn a_line_is_refunded_when_nothing_is_left_of_its_quantity() {
    let mut order = snapshot(1);
    order.lines[0].quantity = Some(3);
    let known = after(unknown(), &order).order;
    let refunded = |count: u32| {
        let mut order = patch(2);
        order.lines =
            vec![LineStatement { id: "1".into(), refunded_quantity: Some(count), ..LineStatement::default() }];
        order
    };
    let part = after(known.clone(), &refunded(1));
    assert_eq!(access(&part.order)[0], None);
    assert_eq!(part.findings[0].concern, Concern::QuantityPartlyRefunded { left: 2 });
    assert_eq!(access(&after(known, &refunded(3)).order)[0], Some(Reason::QuantityRefunded));
}

/// What matters of an order, without ids and moments of our own.
#[derive(Debug, PartialEq, Eq)]
struct Essence {
    payment: Payment,
    /// Id, present, quantity, refunded quantity.
    lines: Vec<(String, bool, u32, u32)>,
    holds: Vec<(Cause, bool)>,
}

fn essence(order: &Order) -> Essence {
    let mut lines: Vec<_> = order
        .lines
        .iter()
        .map(|line| match line.present {
            true => (line.external_id.clone(), true, line.quantity, line.refunded_quantity),
            // What a line was before it was gone matters to nobody.
            false => (line.external_id.clone(), false, 0, 0),
        })
        .collect();
    lines.sort();
    let mut holds: Vec<_> = order.holds.iter().map(|hold| (hold.cause, hold.holds)).collect();
    holds.sort();
    Essence { payment: order.payment, lines, holds }
}

/// The states of one order as a shop would send them, each newer than the one before.
fn life(steps: &[(bool, bool, u8, u8)]) -> Vec<OrderStatement> {
    steps
        .iter()
        .enumerate()
        .map(|(index, (paid, cancelled, quantity, lines))| {
            let mut order = snapshot(u64::try_from(index).unwrap() + 1);
            order.payment = Some(if *paid { Payment::Paid } else { Payment::Unpaid });
            order.holds = vec![hold(Cause::Cancelled, *cancelled)];
            for line in &mut order.lines {
                line.quantity = Some(u32::from(*quantity) + 1);
            }
            // Never none at all: that asks a person, who sees it in the order in which it came.
            order.lines.truncate(usize::from(*lines) % 2 + 1);
            order
        })
        .collect()
}

proptest! {
    #[test]
    fn facts_that_come_twice_late_or_shuffled_change_nothing(
        steps in prop::collection::vec((any::<bool>(), any::<bool>(), 0_u8..4, any::<u8>()), 1..6),
        arrivals in prop::collection::vec(any::<prop::sample::Index>(), 0..12),
    ) {
        let life = life(&steps);
        let in_order = life.iter().fold(unknown(), |order, statement| after(order, statement).order);
        // Anything in any order, any number of times; in the end every fact has come at least once.
        let mut shuffled: Vec<&OrderStatement> = arrivals.iter().map(|index| index.get(&life)).collect();
        shuffled.extend(life.iter().rev());
        let out_of_order = shuffled.into_iter().fold(unknown(), |order, statement| after(order, statement).order);
        prop_assert_eq!(essence(&in_order), essence(&out_of_order));
    }
}
