//! What lines owe, row by row.

use super::*;
use crate::{
    ids::AccountId,
    ledger::{
        self,
        tests::{policy, snapshot},
    },
    names::{Email, ShopName},
    statement::{CourseHint, OrderStatement},
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

    let mut given = once;
    given.lines[0].grants[0].account = Some(AccountId::new(NOW));
    let asked = derived(ledger::record(given, &corrected, &policy(), NOW).order);
    assert_eq!(asked.order.lines[0].grants[0].identity, email("ada@example.org"));
    assert_eq!(asked.findings[0].concern, Concern::LearnerChanged);
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
