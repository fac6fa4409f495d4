//! What lines owe, row by row.

use std::time::Duration;

use super::*;
use crate::{
    decision::Decision,
    ids::{AccountId, DecisionId},
    ledger::{
        self,
        tests::{policy, snapshot},
    },
    names::{Email, ShopName},
    statement::{CourseHint, HoldStatement, OrderStatement},
};

const NOW: Timestamp = Timestamp::from_millis(5_000);

fn run(key: &str) -> CourseRun {
    CourseRun::parse(&format!("course-v1:DemoX+{key}+2026")).unwrap()
}

fn email(address: &str) -> Identity {
    Identity::Email { address: Email::parse(address).unwrap() }
}

/// Product 7 sells one run, product 8 is no course, everything else is unknown.
fn catalog(ids: &[ProductId]) -> CatalogAnswer {
    match ids.first().map(|product| product.id.as_str()) {
        Some("7") => CatalogAnswer::Courses(vec![CatalogCourse {
            entry: CatalogEntryId::new(NOW),
            run: run("CS101"),
            mode: None,
        }]),
        Some("8") => CatalogAnswer::NoCourse,
        _ => CatalogAnswer::Unknown,
    }
}

fn order(statement: &OrderStatement) -> Order {
    let unknown = Order::unknown(ShopName::parse("campus").unwrap(), "42".into(), NOW);
    ledger::record(unknown, statement, &policy(), NOW).order
}

fn derived(order: Order) -> Derived {
    derive(order, catalog, &policy(), NOW)
}

#[test]
fn a_paid_line_owes_what_the_catalog_says_in_the_shops_default_mode() {
    let after = derived(order(&snapshot(1)));
    assert!(after.findings.is_empty());
    let grant = &after.order.lines[0].grants[0];
    assert_eq!((grant.run.clone(), grant.mode.as_str(), grant.ended.clone()), (run("CS101"), "verified", None));
    assert!(after.order.lines[1].grants.is_empty(), "product 8 is no course");
}

#[test]
fn deriving_twice_changes_nothing() {
    let once = derived(order(&snapshot(1))).order;
    assert_eq!(derived(once.clone()).order, once);
}

#[test]
fn a_change_of_the_catalog_moves_no_line_that_was_sold_before() {
    let once = derived(order(&snapshot(1))).order;
    let other = |_: &[ProductId]| {
        CatalogAnswer::Courses(vec![CatalogCourse { entry: CatalogEntryId::new(NOW), run: run("ART1"), mode: None }])
    };
    let later = derive(once.clone(), other, &policy(), NOW).order;
    assert_eq!(later.lines[0].grants, once.lines[0].grants);
}

#[test]
fn a_product_that_was_no_course_when_it_was_sold_stays_none() {
    let once = derived(order(&snapshot(1))).order;
    let other = |_: &[ProductId]| {
        CatalogAnswer::Courses(vec![CatalogCourse { entry: CatalogEntryId::new(NOW), run: run("ART1"), mode: None }])
    };
    assert!(derive(once, other, &policy(), NOW).order.lines[1].grants.is_empty());
}

#[test]
fn a_paid_line_of_an_unknown_product_waits_and_a_person_is_asked() {
    let mut statement = snapshot(1);
    statement.lines[0].products[0].id = "99".into();
    let after = derived(order(&statement));
    assert!(after.order.lines[0].grants.is_empty());
    assert!(matches!(after.findings[0].concern, Concern::ProductUnmapped { .. }));
    statement.payment = Some(crate::statement::Payment::Unpaid);
    assert!(derived(order(&statement)).findings.is_empty(), "nobody is asked about what is not paid");
}

#[test]
fn a_course_named_by_the_order_serves_where_the_catalog_is_silent() {
    let mut statement = snapshot(1);
    statement.lines[0].products[0].id = "99".into();
    statement.lines[0].courses = vec![CourseHint { run: run("ART1"), mode: Some(Mode::parse("audit").unwrap()) }];
    let after = derived(order(&statement));
    assert_eq!(after.order.lines[0].grants[0].run, run("ART1"));
    assert_eq!(after.order.lines[0].grants[0].mode.as_str(), "audit");
}

#[test]
fn the_lines_own_learner_comes_before_the_orders() {
    let mut statement = snapshot(1);
    statement.lines[0].learner = Some(Learner::Known(email("grace@example.org")));
    let after = derived(order(&statement));
    assert_eq!(after.order.lines[0].grants[0].identity, email("grace@example.org"));
}

#[test]
fn a_malformed_learner_is_never_replaced_by_the_buyer() {
    let mut statement = snapshot(1);
    statement.lines[0].learner = Some(Learner::Malformed);
    let after = derived(order(&statement));
    assert!(after.order.lines[0].grants.is_empty());
    assert_eq!(after.findings[0].concern, Concern::LearnerMalformed);
}

#[test]
fn a_paid_line_without_any_learner_asks_a_person() {
    let mut statement = snapshot(1);
    statement.learner = None;
    assert_eq!(derived(order(&statement)).findings[0].concern, Concern::LearnerMissing);
}

#[test]
fn a_corrected_learner_moves_the_grant_before_fulfillment_and_asks_a_person_after_it() {
    let once = derived(order(&snapshot(1))).order;
    let mut corrected = snapshot(2);
    corrected.learner = Some(Learner::Known(email("grace@example.org")));
    let moved = derived(ledger::record(once.clone(), &corrected, &policy(), NOW).order);
    assert_eq!(moved.order.lines[0].grants[0].identity, email("grace@example.org"));
    assert!(moved.findings.is_empty());

    let mut found = once;
    found.lines[0].grants[0].account = Some(AccountId::new(NOW));
    let mut given = found.clone();
    let moved = derived(ledger::record(found, &corrected, &policy(), NOW).order).order;
    assert_eq!(moved.lines[0].grants[0].identity, email("grace@example.org"));
    assert_eq!(moved.lines[0].grants[0].account, None, "whose it is now has to be found out");

    given.lines[0].grants[0].fulfilled = true;
    let asked = derived(ledger::record(given, &corrected, &policy(), NOW).order);
    assert_eq!(asked.order.lines[0].grants[0].identity, email("ada@example.org"));
    assert_eq!(asked.findings[0].concern, Concern::LearnerChanged);
}

fn decided(mut order: Order, line: usize, ruling: Ruling) -> Order {
    let line = Some(order.lines[line].id);
    let id = DecisionId::new(NOW);
    order.decide(Decision { id, line, ruling, by: "operator rosa".into(), why: "test".into(), at: NOW });
    order
}

/// Run, seat, learner and whether it is live, of every grant of the first line.
fn owed(order: &Order) -> Vec<(String, u32, String, bool)> {
    let grants = order.lines[0].grants.iter();
    grants
        .map(|grant| (grant.run.to_string(), grant.seat, grant.identity.written().to_owned(), grant.ended.is_none()))
        .collect()
}

#[test]
fn a_line_that_a_person_moved_stays_moved_when_the_shop_sends_it_again() {
    let bought = derived(order(&snapshot(1))).order;
    let courses = vec![(run("ART1"), Mode::parse("verified").unwrap())];
    let moved = derived(decided(bought, 0, Ruling::Sells { courses })).order;
    let expected = [
        (run("CS101").to_string(), 1, "ada@example.org".to_owned(), false),
        (run("ART1").to_string(), 1, "ada@example.org".to_owned(), true),
    ];
    assert_eq!(owed(&moved), expected);
    let again = derived(ledger::record(moved, &snapshot(2), &policy(), NOW).order).order;
    assert_eq!(owed(&again), expected);
}

#[test]
fn a_seat_that_a_person_gave_away_ends_one_grant_and_begins_another() {
    let mut bought = derived(order(&snapshot(1))).order;
    bought.lines[0].grants[0].fulfilled = true;
    let given = Ruling::Seated { seat: FIRST_SEAT, learner: email("grace@example.org") };
    let moved = derived(decided(bought, 0, given)).order;
    let cs101 = || run("CS101").to_string();
    assert_eq!(
        owed(&moved),
        [(cs101(), 1, "ada@example.org".into(), false), (cs101(), 1, "grace@example.org".into(), true)]
    );
    assert_eq!(moved.lines[0].grants[0].ended.as_ref().unwrap().reason, Reason::Transferred);
    let again = derived(ledger::record(moved.clone(), &snapshot(2), &policy(), NOW).order);
    assert_eq!(owed(&again.order), owed(&moved));
    assert!(again.findings.is_empty());
}

#[test]
fn seats_beyond_the_first_are_free_until_a_person_names_learners() {
    let mut three = snapshot(1);
    three.lines[0].quantity = Some(3);
    let bought = derived(order(&three));
    assert_eq!(bought.findings[0].concern, Concern::SeatsFree { free: 2 });
    let seated = Ruling::Seated { seat: 2, learner: email("grace@example.org") };
    let seated = derived(decided(bought.order, 0, seated));
    assert_eq!(seated.findings[0].concern, Concern::SeatsFree { free: 1 });
    assert_eq!(owed(&seated.order).len(), 2);

    let mut refunded = three.clone();
    refunded.revision = crate::statement::Revision(vec![2]);
    refunded.lines[0].refunded_quantity = Some(1);
    let one_back = derived(ledger::record(seated.order, &refunded, &policy(), NOW).order);
    assert!(one_back.findings.is_empty(), "the free seat was the one that went back");
    refunded.lines[0].refunded_quantity = Some(2);
    let two_back = derived(ledger::record(one_back.order, &refunded, &policy(), NOW).order);
    assert_eq!(two_back.findings[0].concern, Concern::QuantityPartlyRefunded { left: 1 });
    assert!(owed(&two_back.order).iter().all(|(.., live)| *live), "nobody is thrown out by guessing");
}

fn until(revision: u64, moment: i64) -> OrderStatement {
    let mut statement = snapshot(revision);
    statement.lines[0].until = Some(Timestamp::from_millis(moment));
    statement
}

#[test]
fn a_grant_ends_when_its_time_and_the_grace_are_over_and_a_renewal_leaves_no_gap() {
    let graceful = ShopPolicy { grace: Duration::from_millis(100), ..policy() };
    let at = |order: Order, millis| derive(order, catalog, &graceful, Timestamp::from_millis(millis)).order;
    let bought = at(order(&until(1, 6_000)), 5_000);
    let live = |order: &Order| order.lines[0].grants[0].ended.is_none();
    assert!(live(&at(bought.clone(), 6_099)), "within the grace");
    let renewed = ledger::record(bought.clone(), &until(2, 9_000), &graceful, NOW).order;
    assert!(live(&at(renewed, 6_100)));
    let over = at(bought, 6_100);
    assert_eq!(over.lines[0].grants[0].ended.as_ref().unwrap().reason, Reason::Expired);
    assert!(!live(&at(over.clone(), 6_200)), "what is over does not begin again by itself");
    let late = at(ledger::record(over, &until(3, 9_000), &graceful, NOW).order, 7_000);
    assert!(live(&late));
    assert_eq!(late.lines[0].grants.len(), 1);
}

#[test]
fn what_is_over_when_it_is_first_heard_of_owes_nothing() {
    assert!(derived(order(&until(1, 4_000))).order.lines[0].grants.is_empty());
}

#[test]
fn a_refund_of_what_was_sold_before_bursar_asks_a_person() {
    let mut refund = snapshot(1);
    refund.placed_at = Some(Timestamp::from_millis(10));
    refund.holds = vec![HoldStatement { cause: Cause::Refunded, holds: true, evidence: "status=refunded".into() }];
    let earlier = ShopPolicy { sold_before: Some(Timestamp::from_millis(11)), ..policy() };
    let asked = derive(order(&refund), catalog, &earlier, NOW);
    assert!(matches!(asked.findings[0].concern, Concern::EarlierSale { .. }));
    assert!(derived(order(&refund)).findings.is_empty(), "no sale is an earlier one unless the shop's policy says so");
}

#[test]
fn mapping_anew_moves_lines_but_none_that_a_person_moved() {
    let other = |_: &[ProductId]| {
        CatalogAnswer::Courses(vec![CatalogCourse { entry: CatalogEntryId::new(NOW), run: run("ART1"), mode: None }])
    };
    let bought = derived(order(&snapshot(1))).order;
    let moved = remap(bought.clone(), other, |_| true, &policy(), NOW).order;
    assert_eq!(owed(&moved).iter().filter(|(.., live)| *live).count(), 1);
    assert_eq!(owed(&moved)[1].0, run("ART1").to_string());
    let same = remap(bought.clone(), catalog, |_| true, &policy(), NOW).order;
    assert_eq!(same, bought, "the catalog says what it said");
    let courses = vec![(run("BIO1"), Mode::parse("verified").unwrap())];
    let by_hand = derived(decided(bought, 0, Ruling::Sells { courses })).order;
    assert_eq!(owed(&remap(by_hand.clone(), other, |_| true, &policy(), NOW).order), owed(&by_hand));
}

#[test]
fn what_ended_and_began_again_before_anything_was_taken_never_ended() {
    let patient = ShopPolicy { quiet_time: Duration::from_millis(1_000), ..policy() };
    let at = |order: Order, millis| derive(order, catalog, &patient, Timestamp::from_millis(millis)).order;
    let bought = at(order(&snapshot(1)), 5_000);
    let mut cancelled = snapshot(2);
    cancelled.holds = vec![HoldStatement { cause: Cause::Cancelled, holds: true, evidence: "x".into() }];
    let mut restored = snapshot(3);
    restored.holds = vec![HoldStatement { cause: Cause::Cancelled, holds: false, evidence: "x".into() }];
    let ended = at(ledger::record(bought, &cancelled, &patient, NOW).order, 6_000);
    let restored = ledger::record(ended, &restored, &patient, NOW).order;
    assert_eq!(at(restored.clone(), 6_999).lines[0].grants[0].since, Timestamp::from_millis(5_000));
    assert_eq!(at(restored, 7_000).lines[0].grants[0].since, Timestamp::from_millis(7_000));
}

#[test]
fn a_test_order_owes_nothing_unless_the_shop_accepts_them() {
    let mut statement = snapshot(1);
    statement.test = true;
    assert!(derived(order(&statement)).order.lines[0].grants.is_empty());
    let accepting = ShopPolicy { accept_test: true, ..policy() };
    let after = derive(order(&statement), catalog, &accepting, NOW).order;
    assert_eq!(after.lines[0].grants.len(), 1);
}

#[test]
fn a_grant_ends_with_the_lines_reason_and_begins_again_with_its_access() {
    let paid = derived(order(&snapshot(1))).order;
    let mut unpaid = snapshot(2);
    unpaid.payment = Some(crate::statement::Payment::Unpaid);
    let ended = derived(ledger::record(paid, &unpaid, &policy(), NOW).order).order;
    assert_eq!(ended.lines[0].grants[0].ended, Some(Ended { at: NOW, reason: Reason::NotPaid }));
    let again = derived(ledger::record(ended, &snapshot(3), &policy(), NOW).order).order;
    assert_eq!(again.lines[0].grants.len(), 1, "the same grant, not another one");
    assert_eq!(again.lines[0].grants[0].ended, None);
}
