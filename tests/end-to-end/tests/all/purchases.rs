//! What buyers, learners and shops do on ordinary days, from the webhook to the LMS.

use std::time::Duration;

use bursar_store::inbox::DeliveryState;
use bursar_store::trail::AuditAction;
use end_to_end::lms::{CS101, CS102, email, state_with};
use end_to_end::plan::{CAMPUS, Plan, Shop};
use end_to_end::site::Site;
use end_to_end::wait::{throughout, until};
use end_to_end::woocommerce::Order;
use openedx_simulator::Endpoint;

/// For so long nothing must happen that should not: many times what it takes where it should.
const A_WHILE: Duration = Duration::from_millis(1_500);

#[test]
fn a_paid_order_enrolls_its_buyer_once_and_a_refund_takes_it_back_to_nothing() {
    let site = Site::selling(Plan::new(&["ada"]));
    let order = Order::paid(1, &email("ada"), &[11]);
    site.deliver(&order);
    site.settled_as("ada", CS101, "verified", true);

    site.deliver(&order);
    site.all_handled();
    site.at_peace();
    assert_eq!(site.lms.count(Endpoint::EnrollmentPost), 1, "a second delivery of the same changes nothing");

    site.deliver(&order.refunded());
    site.settled_as("ada", CS101, "verified", false);
    // What is there from now on is the learner's own, and what another purchase would go back to.
    until("the history is closed", || site.ledger.enrollment(&email("ada"), CS101).unwrap().baseline.is_none());

    // An old webhook that comes late does not give it back.
    site.deliver(&order);
    site.all_handled();
    site.at_peace();
    assert_eq!(site.enrolled("ada", CS101), Some(("verified".to_owned(), false)));
    assert_eq!(site.lms.count(Endpoint::EnrollmentPost), 2);
}

#[test]
fn a_refund_leaves_the_learner_with_the_audit_place_from_before() {
    let state = state_with(&["ada"]).enrollment("ada", CS101, "audit");
    let site = Site::selling(Plan::new(&[]).state(state));
    let order = Order::paid(1, &email("ada"), &[11]);
    site.deliver(&order);
    site.settled_as("ada", CS101, "verified", true);
    site.deliver(&order.refunded());
    site.settled_as("ada", CS101, "audit", true);
}

#[test]
fn a_learner_who_has_more_than_was_bought_keeps_it_also_after_a_refund() {
    let state = state_with(&["ada"]).enrollment("ada", CS101, "professional");
    let site = Site::selling(Plan::new(&[]).state(state));
    let order = Order::paid(1, &email("ada"), &[11]);
    site.deliver(&order);
    site.settled_as("ada", CS101, "professional", true);
    site.deliver(&order.refunded());
    site.all_handled();
    site.at_peace();
    assert_eq!(site.enrolled("ada", CS101), Some(("professional".to_owned(), true)));
    assert_eq!(site.lms.count(Endpoint::EnrollmentPost), 0);
}

#[test]
fn an_unpaid_order_gives_nothing_until_it_is_paid() {
    let site = Site::selling(Plan::new(&["ada"]));
    site.deliver(&Order::placed(1, &email("ada"), &[11]));
    site.all_handled();
    throughout(A_WHILE, "nobody is enrolled", || site.enrolled("ada", CS101).is_none());
    assert_eq!(site.lms.requests().len(), 0, "the LMS is not even asked");
    site.deliver(&Order::paid(1, &email("ada"), &[11]));
    site.settled_as("ada", CS101, "verified", true);
}

#[test]
fn a_product_that_is_mapped_while_bursar_serves_enrolls_those_who_had_paid_for_it() {
    let site = Site::start(Plan::new(&["ada", "bo"]));
    site.deliver(&Order::paid(1, &email("ada"), &[11]));
    site.deliver(&Order::paid(2, &email("bo"), &[11]));
    site.all_handled();
    let reviews = site.ledger.reviews();
    assert_eq!(reviews.len(), 1, "one product is one question: {reviews:?}");
    assert_eq!((reviews[0].concern.code(), reviews[0].times), ("product-unmapped", 2));
    assert_eq!(site.lms.requests().len(), 0);

    let imported = site.import(CAMPUS, &format!("product:11,{CS101},verified\n"));
    assert_eq!((&imported["added"], &imported["orders_waiting"]), (&1.into(), &2.into()));
    site.settled_as("ada", CS101, "verified", true);
    site.settled_as("bo", CS101, "verified", true);
    assert!(site.ledger.reviews().is_empty());
}

#[test]
fn a_buyer_without_an_account_gets_the_course_when_they_have_registered() {
    let site = Site::selling(Plan::new(&[]));
    site.deliver(&Order::paid(1, "New.Learner@example.com", &[11]));
    until("the account is waited for", || {
        let access = site.ledger.learner("new.learner@example.com");
        access.purchases.iter().any(|p| p.grant.as_ref().is_some_and(|g| g.resolution.as_deref() == Some("waiting")))
    });
    site.lms.register("newlearner", "new.learner@example.com", "New Learner").unwrap();
    site.lms.activate("newlearner").unwrap();
    until("the learner is enrolled", || site.enrolled("newlearner", CS101) == Some(("verified".to_owned(), true)));
    until("it is recorded", || site.ledger.enrollment("newlearner", CS101).is_some_and(|e| e.state == "settled"));
    assert_eq!(site.lms.count(Endpoint::EnrollmentPost), 1);
}

#[test]
fn of_two_orders_for_one_course_run_the_refund_of_one_takes_nothing() {
    let site = Site::selling(Plan::new(&["ada"]));
    let (first, second) = (Order::paid(1, &email("ada"), &[11]), Order::paid(2, &email("ada"), &[11, 12]));
    site.deliver(&first);
    site.deliver(&second);
    site.settled_as("ada", CS101, "verified", true);
    site.settled_as("ada", CS102, "verified", true);
    site.deliver(&first.refunded());
    site.all_handled();
    site.at_peace();
    assert_eq!(site.enrolled("ada", CS101), Some(("verified".to_owned(), true)));
    assert_eq!(site.lms.count(Endpoint::EnrollmentPost), 2);

    site.deliver(&second.refunded());
    site.settled_as("ada", CS101, "verified", false);
    site.settled_as("ada", CS102, "verified", false);
}

#[test]
fn a_shop_that_is_only_observed_changes_nothing_in_the_lms_and_says_why() {
    let site = Site::selling(Plan::new(&["ada"]).shops([Shop::new(CAMPUS).mode("observe")]));
    site.deliver(&Order::paid(1, &email("ada"), &[11]));
    site.all_handled();
    until("the enrollment was looked at", || {
        let left_alone =
            (AuditAction::LeftAlone, "the shop is only observed; verified would have been given".to_owned());
        site.ledger.trail(&email("ada"), CS101).last() == Some(&left_alone)
    });
    site.at_peace();
    assert_eq!(site.lms.count(Endpoint::EnrollmentPost), 0);
    assert_eq!(site.enrolled("ada", CS101), None);
}

#[test]
fn what_was_only_observed_is_given_when_the_shop_goes_live() {
    let mut site = Site::selling(Plan::new(&["ada"]).shops([Shop::new(CAMPUS).mode("observe")]));
    site.deliver(&Order::paid(1, &email("ada"), &[11]));
    until("the enrollment was looked at", || {
        site.ledger.trail(&email("ada"), CS101).iter().any(|(action, _)| *action == AuditAction::LeftAlone)
    });
    site.replan(|plan| plan.shops([Shop::new(CAMPUS)]));
    site.restart();
    site.settled_as("ada", CS101, "verified", true);
    assert_eq!(site.lms.count(Endpoint::EnrollmentPost), 1);
}

#[test]
fn a_learner_who_left_is_not_brought_back_by_an_old_order_but_by_a_new_one() {
    let site = Site::selling(Plan::new(&["ada"]));
    site.deliver(&Order::paid(1, &email("ada"), &[11]));
    site.settled_as("ada", CS101, "verified", true);
    site.lms.unenroll("ada", CS101).unwrap();

    let id = site.ledger.deliveries()[0].id.to_string();
    assert_eq!(site.json(&["deliveries", "retry", &id])["state"], "queued");
    until("it has run again", || site.json(&["deliveries", "show", &id])["attempts"][1].is_object());
    site.at_peace();
    assert_eq!(site.enrolled("ada", CS101), Some(("verified".to_owned(), false)));

    site.deliver(&Order::paid(2, &email("ada"), &[11]));
    site.settled_as("ada", CS101, "verified", true);
}

#[test]
fn a_buyer_who_asked_the_lms_to_be_forgotten_is_a_persons_matter() {
    let site = Site::selling(Plan::new(&["ada"]));
    site.lms.retire("ada").unwrap();
    site.deliver(&Order::paid(1, &email("ada"), &[11]));
    until("a person is told", || site.ledger.reviews().iter().any(|review| review.concern.code() == "account-retired"));
    assert_eq!(site.lms.count(Endpoint::EnrollmentPost), 0);
}

#[test]
fn a_paused_shop_is_answered_200_and_handled_when_it_is_live_again() {
    let mut site = Site::selling(Plan::new(&["ada"]).shops([Shop::new(CAMPUS).mode("paused")]));
    site.deliver(&Order::paid(1, &email("ada"), &[11]));
    throughout(A_WHILE, "it is kept and not handled", || site.ledger.states_of(CAMPUS) == [DeliveryState::Queued]);
    assert_eq!(site.lms.requests().len(), 0);
    site.replan(|plan| plan.shops([Shop::new(CAMPUS)]));
    site.restart();
    site.settled_as("ada", CS101, "verified", true);
    assert_eq!(site.ledger.states_of(CAMPUS), [DeliveryState::Done]);
}

#[test]
fn taking_waits_for_the_quiet_time_and_giving_does_not() {
    let mut shop = Shop::new(CAMPUS);
    shop.more = "quiet_time = \"1h\"\n".to_owned();
    let site = Site::selling(Plan::new(&["ada"]).shops([shop]));
    let order = Order::paid(1, &email("ada"), &[11]);
    site.deliver(&order);
    site.settled_as("ada", CS101, "verified", true);
    site.deliver(&order.refunded());
    site.all_handled();
    throughout(A_WHILE, "the refunded course is still there", || {
        site.enrolled("ada", CS101) == Some(("verified".to_owned(), true))
    });
}

#[test]
fn an_enrollment_and_an_upgrade_say_which_order_they_are_for() {
    let state = state_with(&["ada", "ben"]).enrollment("ben", CS101, "audit");
    let site = Site::selling(Plan::new(&[]).state(state));
    site.deliver(&Order::paid(1, &email("ada"), &[11]));
    site.deliver(&Order::paid(2, &email("ben"), &[11]));
    site.settled_as("ada", CS101, "verified", true);
    site.settled_as("ben", CS101, "verified", true);
    for (who, order) in [("ada", "campus/1"), ("ben", "campus/2")] {
        let noted = site.lms.enrollment(who, CS101).unwrap().attributes;
        let noted: Vec<_> = noted.iter().map(|note| (&*note.namespace, &*note.name, &*note.value)).collect();
        assert_eq!(noted, [("bursar", "order", order)], "{who}");
    }
}
