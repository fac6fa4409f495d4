//! The rules of revisions, holds and payment, row by row; and that the order of arrival does not matter.

use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::{
    ids::DecisionId,
    names::{Email, LmsName, Mode},
    statement::Identity,
};

const NOW: Timestamp = Timestamp::from_millis(1_000);

pub(crate) fn policy() -> ShopPolicy {
    let (shop, lms) = (ShopName::parse("campus").unwrap(), LmsName::parse("main").unwrap());
    ShopPolicy {
        quiet_time: Duration::ZERO,
        grace: Duration::ZERO,
        ..ShopPolicy::new(shop, lms, Mode::parse("verified").unwrap())
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
fn what_only_the_sale_says_is_taken_from_it_though_a_patch_overtook_it() {
    let mut refund = patch(9);
    refund.lines = vec![LineStatement {
        id: "1".into(),
        holds: vec![hold(Cause::Refunded, true)],
        refunded_quantity: Some(0),
        ..LineStatement::default()
    }];
    let mut sale = snapshot(8);
    sale.test = true;
    sale.lines[0].quantity = Some(3);
    let order = after(after(unknown(), &refund).order, &sale).order;
    assert!(order.test);
    assert_eq!(order.learner, sale.learner);
    assert_eq!(order.fingerprint, sale.fingerprint);
    assert_eq!((order.lines[0].products.clone(), order.lines[0].quantity), (sale.lines[0].products.clone(), 3));
    assert_eq!(access(&order), [Some(Reason::Held { cause: Cause::Refunded }), None]);
    let mut older = snapshot(7);
    older.learner = Some(Learner::Malformed);
    assert_eq!(after(order, &older).order.learner, sale.learner, "an older sale is older");
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
fn a_bundle_within_a_bundle_is_held_by_the_outer_one() {
    let mut bundle = snapshot(1);
    bundle.lines.push(line("3", "9"));
    bundle.lines[1].parent = Some("1".into());
    bundle.lines[2].parent = Some("2".into());
    bundle.lines[0].holds = vec![hold(Cause::Refunded, true)];
    assert_eq!(access(&after(unknown(), &bundle).order), vec![Some(Reason::Held { cause: Cause::Refunded }); 3]);
}

#[test]
fn lines_that_are_each_others_bundle_are_not_gone_round_for_ever() {
    let mut circle = snapshot(1);
    circle.lines[0].parent = Some("2".into());
    circle.lines[1].parent = Some("1".into());
    assert_eq!(access(&after(unknown(), &circle).order), [None, None]);
}

#[test]
fn a_bundle_of_which_nothing_is_left_takes_its_children_along() {
    let mut bundle = snapshot(1);
    bundle.lines[1].parent = Some("1".into());
    bundle.lines[0].refunded_quantity = Some(1);
    assert_eq!(access(&after(unknown(), &bundle).order), vec![Some(Reason::QuantityRefunded); 2]);
}

fn decision(line: Option<LineId>, ruling: Ruling) -> Decision {
    Decision { id: DecisionId::new(NOW), line, ruling, by: "operator rosa".into(), why: "test".into(), at: NOW }
}

#[test]
fn an_approved_order_counts_as_paid_and_stays_so_whatever_the_shop_says() {
    let mut unpaid = snapshot(1);
    unpaid.payment = Some(Payment::Unpaid);
    let mut order = after(unknown(), &unpaid).order;
    order.decide(decision(None, Ruling::Approved));
    assert_eq!(access(&order), [None, None]);
    unpaid.revision = Revision(vec![2]);
    let again = after(order, &unpaid);
    assert_eq!(access(&again.order), [None, None]);
    assert!(again.findings.is_empty(), "unpaid is what it was before");
    let paid = after(again.order, &snapshot(3)).order;
    unpaid.revision = Revision(vec![4]);
    let withdrawn = after(paid, &unpaid);
    assert_eq!(access(&withdrawn.order), [None, None]);
    assert_eq!(withdrawn.findings[0].concern, Concern::AgainstDecision { ruling: RulingKind::Approved });
}

#[test]
fn a_cause_that_a_person_lifted_holds_no_more_and_its_return_is_shown() {
    let mut refunded = snapshot(2);
    refunded.holds = vec![hold(Cause::Refunded, true)];
    let mut order = after(after(unknown(), &snapshot(1)).order, &refunded).order;
    order.decide(decision(None, Ruling::Lifted { cause: Cause::Refunded }));
    assert_eq!(access(&order), [None, None]);
    let same = after(order.clone(), &refunded);
    assert_eq!((access(&same.order), same.findings.len()), (vec![None, None], 0));
    let mut undone = snapshot(3);
    undone.holds = vec![hold(Cause::Refunded, false)];
    refunded.revision = Revision(vec![4]);
    let returned = after(after(order, &undone).order, &refunded);
    assert_eq!(access(&returned.order), [None, None]);
    assert_eq!(returned.findings[0].concern, Concern::AgainstDecision { ruling: RulingKind::Lifted });
}

#[test]
fn a_person_bars_one_line_and_no_fact_of_the_shop_opens_it() {
    let mut order = after(unknown(), &snapshot(1)).order;
    let first = order.lines[0].id;
    order.bar(Some(first), true, "cheated", NOW);
    let order = after(order, &snapshot(2)).order;
    assert_eq!(access(&order), [Some(Reason::Held { cause: Cause::Operator }), None]);
    let mut order = order;
    order.bar(Some(first), false, "a mistake", NOW);
    assert_eq!(access(&order), [None, None]);
}

#[test]
fn of_two_decisions_about_one_thing_the_newer_counts() {
    let mut order = after(unknown(), &snapshot(1)).order;
    let line = order.lines[0].id;
    let sells = |slug: &str| Ruling::Sells {
        courses: vec![(crate::CourseRun::parse("course-v1:A+B+1").unwrap(), Mode::parse(slug).unwrap())],
    };
    order.decide(decision(Some(line), sells("audit")));
    order.decide(decision(Some(line), sells("verified")));
    order.decide(decision(None, Ruling::Lifted { cause: Cause::Deleted }));
    order.decide(decision(None, Ruling::Lifted { cause: Cause::Refunded }));
    assert_eq!(order.decisions.len(), 3);
    assert_eq!(order.decisions[0].ruling, sells("verified"));
}

#[test]
fn an_order_that_says_it_was_sold_elsewhere_changes_nothing_and_asks_a_person() {
    let mut statement = snapshot(1);
    statement.origin = Some("https://Shop.example.org/".into());
    let order = after(unknown(), &statement).order;
    let mut spelled = snapshot(2);
    spelled.origin = Some("https://shop.example.org".into());
    assert!(after(order.clone(), &spelled).findings.is_empty());
    let mut copy = snapshot(3);
    copy.origin = Some("https://staging.example.org".into());
    copy.payment = Some(Payment::Unpaid);
    let recorded = after(order.clone(), &copy);
    assert_eq!(recorded.order, order);
    assert!(matches!(recorded.findings[0].concern, Concern::OriginChanged { .. }));
    let strict = ShopPolicy { origin: Some("https://shop.example.org".into()), ..policy() };
    let recorded = record(unknown(), &copy, &strict, NOW);
    assert!(recorded.order.lines.is_empty(), "an unknown order of a copy is not taken for the shop's");
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
    assert_eq!(access(&after(known.clone(), &refunded(1)).order)[0], None);
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
