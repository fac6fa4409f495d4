//! What people decide, by the commands that they have: each is carried out in the LMS, and no later webhook undoes it.

use std::time::Duration;

use end_to_end::lms::{CS101, CS102, email, state_with};
use end_to_end::plan::{CAMPUS, Plan, Shop};
use end_to_end::site::{Site, said};
use end_to_end::wait::{throughout, until};
use end_to_end::woocommerce::Order;
use openedx_simulator::Endpoint;
use serde_json::Value;

/// For so long nothing must happen that should not: many times what it takes where it should.
const A_WHILE: Duration = Duration::from_millis(1_500);

/// What every decision of these tests is made with.
const BECAUSE: [&str; 4] = ["--reason", "ticket 512", "--as", "rosa"];

/// A command that a person decides by.
fn decide(site: &Site, arguments: &[&str]) -> Value {
    site.json(&[arguments, &BECAUSE].concat())
}

/// A command that is refused; gives what was said.
fn refused(site: &Site, arguments: &[&str]) -> String {
    let output = site.run(&[arguments, &BECAUSE].concat());
    assert!(!output.status.success(), "{arguments:?} was not refused");
    assert!(output.stdout.is_empty(), "{output:?}");
    said(&output)
}

/// The shop sends an order that must change nothing in the LMS.
fn sent_in_vain(site: &Site, order: &Order, who: &str, run: &str) {
    let (before, changes) = (site.enrolled(who, run), site.lms.count(Endpoint::EnrollmentPost));
    site.deliver(order);
    site.all_handled();
    site.at_peace();
    throughout(A_WHILE, "nothing moves", || site.lms.count(Endpoint::EnrollmentPost) == changes);
    assert_eq!(site.enrolled(who, run), before);
}

/// The first line that `learner show` prints.
fn answer(site: &Site, who: &str) -> String {
    let output = site.run(&["learner", "show", who]);
    assert!(output.status.success(), "{}", said(&output));
    String::from_utf8_lossy(&output.stdout).lines().next().unwrap_or_default().to_owned()
}

/// What was done at an order, by the audit trail: the words of people's deeds.
fn deeds(site: &Site, order: &str) -> Vec<String> {
    let shown = site.json(&["orders", "show", CAMPUS, order]);
    let trail = shown["trail"].as_array().unwrap().iter();
    let decided = trail.filter(|entry| entry["action"] == "decided");
    decided.map(|entry| format!("{} {}", entry["actor"].as_str().unwrap(), entry["words"].as_str().unwrap())).collect()
}

fn open_review(site: &Site, code: &str) -> String {
    let open = site.rows(&["review", "list"]);
    let review = open.iter().find(|review| review["code"] == code).unwrap_or_else(|| panic!("no {code} in {open:?}"));
    review["id"].as_str().unwrap().to_owned()
}

#[test]
fn an_approved_invoice_enrolls_its_buyer_whatever_the_shop_says_of_the_money() {
    let site = Site::selling(Plan::new(&["ada"]));
    let order = Order::placed(1, &email("ada"), &[11]);
    site.deliver(&order);
    site.all_handled();
    let rehearsed = decide(&site, &["orders", "approve", CAMPUS, "1", "--dry-run"]);
    assert_eq!((&rehearsed["dry_run"], &rehearsed["began"][0]["course_run"]), (&true.into(), &CS101.into()));
    throughout(A_WHILE, "a rehearsal changes nothing", || site.enrolled("ada", CS101).is_none());

    let approved = decide(&site, &["orders", "approve", CAMPUS, "1"]);
    assert_eq!((&approved["dry_run"], &approved["began"]), (&false.into(), &rehearsed["began"]));
    site.settled_as("ada", CS101, "verified", true);
    assert_eq!(
        answer(&site, &email("ada")),
        format!("ada@example.com has verified in {CS101} because rosa approved order campus/1 (ticket 512)")
    );
    assert_eq!(deeds(&site, "1"), ["operator rosa approved the order: ticket 512"]);

    sent_in_vain(&site, &order.later(), "ada", CS101);
    let shown = site.json(&["orders", "show", CAMPUS, "1"]);
    assert_eq!(shown["decisions"][0]["but"], "the shop says that it is not paid", "what contradicts it is shown");
    // Paid twice is no matter, and a refund still takes.
    site.deliver(&Order::paid(1, &email("ada"), &[11]).later().refunded());
    site.settled_as("ada", CS101, "verified", false);
}

#[test]
fn a_revoked_order_leaves_what_was_there_before_until_it_is_restored() {
    let state = state_with(&["ada"]).enrollment("ada", CS101, "audit");
    let site = Site::selling(Plan::new(&[]).state(state));
    let order = Order::paid(1, &email("ada"), &[11]);
    site.deliver(&order);
    site.settled_as("ada", CS101, "verified", true);

    decide(&site, &["orders", "revoke", CAMPUS, "1"]);
    site.settled_as("ada", CS101, "audit", true);
    until("the history is closed", || site.ledger.enrollment(&email("ada"), CS101).unwrap().closed_at.is_some());
    sent_in_vain(&site, &order.later(), "ada", CS101);
    let told = answer(&site, "ada");
    assert!(
        told.contains("has audit") && told.contains("a person revoked order campus/1 (ticket 512)"),
        "a closed history still tells: {told}"
    );
    let shown = site.json(&["orders", "show", CAMPUS, "1"]);
    assert_eq!((&shown["decisions"][0]["by"], &shown["lines"][0]["gives"]), (&"rosa".into(), &false.into()));
    assert!(refused(&site, &["orders", "revoke", CAMPUS, "1"]).contains("revoked before"));

    decide(&site, &["orders", "restore", CAMPUS, "1"]);
    site.settled_as("ada", CS101, "verified", true);
    assert_eq!(
        deeds(&site, "1"),
        ["operator rosa revoked the access: ticket 512", "operator rosa restored the access: ticket 512"]
    );
    assert!(refused(&site, &["orders", "restore", CAMPUS, "1"]).contains("was not revoked"));
}

#[test]
fn one_line_is_revoked_and_the_other_stays() {
    let site = Site::selling(Plan::new(&["ada"]));
    site.deliver(&Order::paid(1, &email("ada"), &[11, 12]));
    site.settled_as("ada", CS101, "verified", true);
    site.settled_as("ada", CS102, "verified", true);
    assert!(refused(&site, &["orders", "revoke", CAMPUS, "1", "--line", "7"]).contains("it has: 101, 102"));
    decide(&site, &["orders", "revoke", CAMPUS, "1", "--line", "102"]);
    site.settled_as("ada", CS102, "verified", false);
    assert_eq!(site.enrolled("ada", CS101), Some(("verified".to_owned(), true)));
    assert!(refused(&site, &["orders", "restore", CAMPUS, "1"]).contains("--line 102"));
}

#[test]
fn what_was_moved_to_another_course_run_is_not_moved_back_by_the_shop() {
    let site = Site::selling(Plan::new(&["ada"]));
    let order = Order::paid(1, &email("ada"), &[11]);
    site.deliver(&order);
    site.settled_as("ada", CS101, "verified", true);
    decide(&site, &["orders", "transfer", CAMPUS, "1", "--to-run", CS102]);
    site.settled_as("ada", CS102, "verified", true);
    site.settled_as("ada", CS101, "verified", false);

    sent_in_vain(&site, &order.later(), "ada", CS102);
    assert_eq!(site.enrolled("ada", CS101), Some(("verified".to_owned(), false)));
    let shown = site.json(&["orders", "show", CAMPUS, "1"]);
    assert_eq!(
        (&shown["lines"][0]["courses"][0]["course_run"], &shown["lines"][0]["courses"][0]["from"]),
        (&CS102.into(), &"rosa".into())
    );
    assert_eq!(shown["decisions"][0]["but"], format!("the catalog says {CS101}"));
    // And it is still this order's: a refund takes it.
    site.deliver(&order.later().refunded());
    site.settled_as("ada", CS102, "verified", false);
}

#[test]
fn what_was_moved_to_another_learner_stays_theirs() {
    let site = Site::selling(Plan::new(&["ada", "bo"]));
    let order = Order::paid(1, &email("ada"), &[11]);
    site.deliver(&order);
    site.settled_as("ada", CS101, "verified", true);
    decide(&site, &["orders", "transfer", CAMPUS, "1", "--to-learner", &email("bo")]);
    site.settled_as("bo", CS101, "verified", true);
    site.settled_as("ada", CS101, "verified", false);
    sent_in_vain(&site, &order.later(), "bo", CS101);
    assert!(answer(&site, "ada").contains("gave the seat of order campus/1 to another learner"));
    assert!(answer(&site, "bo").contains("because order campus/1 is paid, and rosa gave them seat 1"));
}

#[test]
fn seats_of_a_line_are_given_one_by_one_and_not_more_than_were_sold() {
    let site = Site::selling(Plan::new(&["ada", "bo", "cy"]));
    let order = Order::paid(1, &email("ada"), &[11]).quantity(2);
    site.deliver(&order);
    site.settled_as("ada", CS101, "verified", true);
    assert!(site.rows(&["review", "list"]).iter().any(|review| review["code"] == "seats-free"));

    decide(&site, &["orders", "seat", CAMPUS, "1", &email("bo")]);
    site.settled_as("bo", CS101, "verified", true);
    assert_eq!(site.rows(&["review", "list"]), Vec::<Value>::new(), "every seat has somebody");
    assert!(refused(&site, &["orders", "seat", CAMPUS, "1", "cy"]).contains("has 2 seats"));
    sent_in_vain(&site, &order.later(), "bo", CS101);

    decide(&site, &["orders", "seat", CAMPUS, "1", "--seat", "2", &email("cy")]);
    site.settled_as("cy", CS101, "verified", true);
    site.settled_as("bo", CS101, "verified", false);
    assert_eq!(site.enrolled("ada", CS101), Some(("verified".to_owned(), true)));
    site.deliver(&order.later().refunded());
    site.settled_as("ada", CS101, "verified", false);
    site.settled_as("cy", CS101, "verified", false);
}

#[test]
fn an_order_that_names_nobody_is_given_to_somebody() {
    let site = Site::selling(Plan::new(&["ada"]));
    site.deliver(&Order::paid(1, "", &[11]));
    site.all_handled();
    open_review(&site, "learner-missing");
    decide(&site, &["orders", "seat", CAMPUS, "1", "ada"]);
    until("ada is enrolled", || site.enrolled("ada", CS101) == Some(("verified".to_owned(), true)));
    assert!(answer(&site, "ada").ends_with("because order campus/1 is paid, and rosa gave them seat 1"));
    assert_eq!(site.rows(&["review", "list"]), Vec::<Value>::new());
}

#[test]
fn access_by_hand_is_given_and_taken_by_name() {
    let site = Site::selling(Plan::new(&["ada"]));
    let given = decide(&site, &["learner", "grant", &email("ada"), CS101, "--shop", CAMPUS, "--mode", "honor"]);
    site.settled_as("ada", CS101, "honor", true);
    assert_eq!(
        answer(&site, &email("ada")),
        format!("ada@example.com has honor in {CS101} because rosa gave it by hand (ticket 512)")
    );
    let order = given["order"].as_str().unwrap();
    assert!(deeds(&site, order).contains(&"operator rosa gave access by hand: ticket 512".to_owned()));
    decide(&site, &["orders", "revoke", CAMPUS, order]);
    site.settled_as("ada", CS101, "honor", false);
    let over = ["learner", "grant", "ada", CS101, "--shop", CAMPUS, "--until", "2020-01-31"];
    assert!(refused(&site, &over).contains("is over since"));
    assert!(refused(&site, &["learner", "grant", "ada", CS101, "--shop", "nowhere"]).contains("there are: campus"));
}

#[test]
fn a_refund_that_is_lifted_gives_the_course_back_for_good() {
    let site = Site::selling(Plan::new(&["ada"]));
    let order = Order::paid(1, &email("ada"), &[11]);
    site.deliver(&order);
    site.settled_as("ada", CS101, "verified", true);
    assert!(refused(&site, &["orders", "lift", CAMPUS, "1", "refunded"]).contains("nothing to lift"));
    site.deliver(&order.refunded());
    site.settled_as("ada", CS101, "verified", false);

    decide(&site, &["orders", "lift", CAMPUS, "1", "refunded"]);
    site.settled_as("ada", CS101, "verified", true);
    sent_in_vain(&site, &order.refunded().later(), "ada", CS101);
    let shown = site.json(&["orders", "show", CAMPUS, "1"]);
    let refunded = shown["holds"].as_array().unwrap().iter().find(|hold| hold["cause"] == "refunded").unwrap();
    assert_eq!((&refunded["holds"], &refunded["lifted_by"]), (&true.into(), &"rosa".into()));
    assert!(shown["decisions"][0]["but"].as_str().unwrap().starts_with("the shop says so since "), "{shown}");
}

#[test]
fn a_person_who_is_asked_takes_or_keeps_the_access() {
    let site = Site::selling(Plan::new(&["ada", "bo"]).shops([Shop::new(CAMPUS).line("on_revoke = \"review\"")]));
    for (id, who, answer, active) in [(1, "ada", "--take", false), (2, "bo", "--keep", true)] {
        let order = Order::paid(id, &email(who), &[11]);
        site.deliver(&order);
        site.settled_as(who, CS101, "verified", true);
        site.deliver(&order.refunded());
        until("a person is asked", || site.rows(&["review", "list"]).iter().any(|review| review["code"] == "revoke"));
        assert_eq!(site.enrolled(who, CS101), Some(("verified".to_owned(), true)));
        assert!(self::answer(&site, who).contains("a person decides"), "{}", self::answer(&site, who));
        let review = open_review(&site, "revoke");
        assert!(refused(&site, &["review", "resolve", &review, "--noted"]).contains("keep, take"));
        assert_eq!(decide(&site, &["review", "resolve", &review, answer])["code"], "revoke");
        site.settled_as(who, CS101, "verified", active);
        until("the history is closed", || site.ledger.enrollment(who, CS101).unwrap().closed_at.is_some());
        assert!(refused(&site, &["review", "resolve", &review, answer]).contains("settled already"));
    }
    assert_eq!(site.rows(&["review", "list"]), Vec::<Value>::new());
    assert!(answer(&site, "bo").contains("a person decided that the access stays"), "{}", answer(&site, "bo"));
}

#[test]
fn more_refunds_than_can_be_meant_take_nothing_until_a_person_has_looked() {
    let learners: Vec<String> = (1..=21).map(|number| format!("learner{number}")).collect();
    let names: Vec<&str> = learners.iter().map(String::as_str).collect();
    let mut shop = Shop::new(CAMPUS);
    // Long enough for the brake to see all of them before the first is taken.
    shop.more = "quiet_time = \"6s\"\n".to_owned();
    let site = Site::selling(Plan::new(&names).shops([shop]));
    let orders: Vec<Order> = (1..).zip(&names).map(|(id, name)| Order::paid(id, &email(name), &[11])).collect();
    orders.iter().for_each(|order| site.deliver(order));
    names.iter().for_each(|name| site.settled_as(name, CS101, "verified", true));
    let enrolled = || names.iter().filter(|name| site.enrolled(name, CS101).is_some_and(|(_, active)| active)).count();

    orders.iter().for_each(|order| site.deliver(&order.refunded()));
    site.all_handled();
    let review = open_review(&site, "removals-paused");
    until("the removals pause", || {
        names.iter().all(|name| {
            let enrollment = site.ledger.enrollment(name, CS101).unwrap();
            enrollment.state == "waiting" && enrollment.due_at.is_none()
        })
    });
    assert_eq!(enrolled(), 21, "nothing was taken");
    assert!(answer(&site, names[0]).contains("removals of campus pause"), "{}", answer(&site, names[0]));

    decide(&site, &["review", "resolve", &review, "--again"]);
    until("what was paused is taken", || enrolled() == 0);
    site.at_peace();
    assert_eq!(site.rows(&["review", "list"]), Vec::<Value>::new());
}

#[test]
fn an_id_that_a_restored_shop_uses_again_is_two_orders_when_the_old_one_is_set_aside() {
    let site = Site::selling(Plan::new(&["ada", "bo"]));
    let old = Order::paid(1, &email("ada"), &[11]);
    site.deliver(&old);
    site.settled_as("ada", CS101, "verified", true);
    let new = Order::paid(1, &email("bo"), &[12]).under_another_key().later();
    site.deliver(&new);
    site.all_handled();
    let review = open_review(&site, "order-identity-changed");
    assert_eq!(site.enrolled("bo", CS102), None, "nothing of it was applied");

    let aside = decide(&site, &["orders", "set-aside", CAMPUS, "1"]);
    assert!(!site.rows(&["review", "list"]).iter().any(|open| open["id"] == review.as_str()), "that is settled");
    let delivery = aside["deliveries"][0].as_str().unwrap();
    assert_eq!(site.json(&["deliveries", "retry", delivery])["state"], "queued");
    site.settled_as("bo", CS102, "verified", true);
    assert_eq!(site.enrolled("ada", CS101), Some(("verified".to_owned(), true)), "the old one keeps what it gave");

    let name = aside["order"].as_str().unwrap();
    assert_eq!(deeds(&site, name), ["operator rosa set the order aside: ticket 512"]);
    assert_eq!(site.json(&["orders", "show", CAMPUS, "1"])["learner"]["written"], email("bo"));
    site.deliver(&new.refunded());
    site.settled_as("bo", CS102, "verified", false);
    assert_eq!(site.enrolled("ada", CS101), Some(("verified".to_owned(), true)));
}

#[test]
fn what_was_sold_before_follows_the_catalog_only_by_the_count_that_was_shown() {
    let site = Site::selling(Plan::new(&["ada", "bo"]));
    for (id, who) in [(1, "ada"), (2, "bo")] {
        site.deliver(&Order::paid(id, &email(who), &[11]));
        site.settled_as(who, CS101, "verified", true);
    }
    site.import(CAMPUS, &format!("product:11,{CS102},verified\n"));
    let planned = decide(&site, &["catalog", "remap", CAMPUS, "--product", "product:11", "--dry-run"]);
    assert_eq!((&planned["lines"], &planned["ended"], &planned["began"]), (&2.into(), &2.into(), &2.into()));
    throughout(A_WHILE, "a rehearsal changes nothing", || site.enrolled("ada", CS102).is_none());
    let remap = ["catalog", "remap", CAMPUS, "--product", "product:11", "--expect"];
    assert!(refused(&site, &[&remap[..], &["3"]].concat()).contains("nothing was changed: 3 lines were expected"));
    assert!(refused(&site, &remap[..remap.len() - 1]).contains("--expect"), "not without a count");

    assert_eq!(decide(&site, &[&remap[..], &["2"]].concat())["lines"], 2);
    for who in ["ada", "bo"] {
        site.settled_as(who, CS102, "verified", true);
        site.settled_as(who, CS101, "verified", false);
    }
    assert_eq!(deeds(&site, "1"), ["operator rosa had the line mapped anew: ticket 512"]);
    let again = decide(&site, &["catalog", "remap", CAMPUS, "--dry-run"]);
    assert_eq!(again["lines"], 0);
}

#[test]
fn what_the_lms_lost_is_given_again_when_everything_is_reconciled() {
    let site = Site::selling(Plan::new(&["ada"]));
    site.deliver(&Order::paid(1, &email("ada"), &[11]));
    site.settled_as("ada", CS101, "verified", true);
    // As from a backup of the day before.
    site.lms.reset(&state_with(&["ada"])).unwrap();
    assert_eq!(site.enrolled("ada", CS101), None);
    let told = answer(&site, "ada");
    assert!(told.contains("has not verified") && told.contains("bursar reconcile"), "{told}");
    assert!(
        String::from_utf8_lossy(&site.run(&["learner", "show", "ada", "--recorded"]).stdout).contains("has verified"),
        "what it said last is not what it says now"
    );

    assert_eq!(site.json(&["reconcile", "--lms", "main"])["enrollments"], 1);
    site.settled_as("ada", CS101, "verified", true);
    assert!(answer(&site, "ada").contains("has verified"));
    assert_eq!(site.run(&["reconcile", "--lms", "other"]).status.code(), Some(2));
}

#[test]
fn a_learners_page_says_so_when_the_lms_cannot_be_asked_and_is_no_failure() {
    let site = Site::selling(Plan::new(&["ada"]));
    site.deliver(&Order::paid(1, &email("ada"), &[11]));
    site.settled_as("ada", CS101, "verified", true);
    site.lms.unplug();
    let output = site.run(&["learner", "show", "ada"]);
    assert!(output.status.success());
    assert!(said(&output).contains("the LMS main could not be asked"), "{}", said(&output));
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(told.contains("because order campus/1 is paid") && told.contains("the LMS said"), "{told}");
    assert_eq!(said(&site.run(&["learner", "show", "ada", "--recorded"])), "");
}

#[test]
fn every_decision_wants_a_reason_and_a_name() {
    let site = Site::selling(Plan::new(&["ada"]));
    site.deliver(&Order::placed(1, &email("ada"), &[11]));
    site.all_handled();
    let without = site.run(&["orders", "approve", CAMPUS, "1"]);
    assert_eq!(without.status.code(), Some(2));
    assert!(said(&without).contains("--reason"));
    assert_eq!(site.run(&["orders", "approve", CAMPUS, "1", "--reason", " "]).status.code(), Some(2));
    let unknown = refused(&site, &["orders", "approve", CAMPUS, "77"]);
    assert!(unknown.contains("no shop ever sent order 77") && unknown.contains("hint:"), "{unknown}");
    let listed = site.rows(&["orders", "list", "--learner", "ADA@example.com"]);
    assert_eq!((listed.len(), &listed[0]["order"], &listed[0]["payment"]), (1, &"1".into(), &"unpaid".into()));
    assert_eq!(site.rows(&["orders", "list", "--shop", "other"]), Vec::<Value>::new());
}
