//! `kill -9` at every bad moment: what was answered 200 is there, and nobody is enrolled twice.

use std::collections::BTreeSet;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use bursar_domain::statement::Payment;
use bursar_store::inbox::DeliveryState;
use bursar_store::trail::AuditAction;
use end_to_end::http::try_exchange;
use end_to_end::lms::{CS101, email};
use end_to_end::plan::{CAMPUS, Plan, SECRET};
use end_to_end::site::{Site, request};
use end_to_end::wait::until;
use end_to_end::woocommerce::{Order, headers, signature};
use openedx_simulator::{Endpoint, Fault, FaultKind};

/// What the trail says of a request that took effect without a record.
const FOUND_DONE: &str = "an earlier request had taken effect before its record was written";

fn actions(trail: &[(AuditAction, String)]) -> Vec<AuditAction> {
    trail.iter().map(|(action, _)| *action).collect()
}

#[test]
fn a_paid_order_that_was_answered_200_before_the_power_went_is_fulfilled_after_it_is_back() {
    let mut site = Site::selling(Plan::new(&["ada"]));
    site.lms.unplug();
    site.deliver(&Order::paid(1, &email("ada"), &[11]));
    site.kill();
    site.lms.plug_in().unwrap();
    site.serve();

    site.settled_as("ada", CS101, "verified", true);
    assert_eq!(site.lms.count(Endpoint::EnrollmentPost), 1);
    assert_eq!(site.ledger.states_of(CAMPUS), [DeliveryState::Done]);
    let trail = site.ledger.trail(&email("ada"), CS101);
    assert_eq!(trail.last().unwrap(), &(AuditAction::Enrolled, "bought, and not enrolled before".to_owned()));
}

#[test]
fn an_enrollment_that_took_effect_before_the_power_went_is_found_done_and_not_asked_for_again() {
    let mut site = Site::selling(Plan::new(&["ada"]).lms_timeout("30s"));
    let held = FaultKind::TimeoutAfter { hold_ms: None };
    site.lms.add_fault(Fault::next(Endpoint::EnrollmentPost, 1, held));
    site.deliver(&Order::paid(1, &email("ada"), &[11]));
    until("the LMS has enrolled, and holds its answer back", || {
        site.enrolled("ada", CS101) == Some(("verified".to_owned(), true))
    });
    site.kill();
    site.serve();

    site.settled_as("ada", CS101, "verified", true);
    assert_eq!(site.lms.count(Endpoint::EnrollmentPost), 1);
    let trail = site.ledger.trail(&email("ada"), CS101);
    assert_eq!(actions(&trail), [AuditAction::AccountFound, AuditAction::Enrolled]);
    assert_eq!(trail.last().unwrap().1, FOUND_DONE);

    // What Bursar found done is Bursar's, so that a refund takes it away again.
    site.deliver(&Order::paid(1, &email("ada"), &[11]).refunded());
    site.settled_as("ada", CS101, "verified", false);
    assert_eq!(site.lms.count(Endpoint::EnrollmentPost), 2);
}

#[test]
fn a_removal_that_took_effect_before_the_power_went_is_found_done_too() {
    let mut site = Site::selling(Plan::new(&["ada"]).lms_timeout("30s"));
    site.deliver(&Order::paid(1, &email("ada"), &[11]));
    site.settled_as("ada", CS101, "verified", true);
    let held = FaultKind::TimeoutAfter { hold_ms: None };
    site.lms.add_fault(Fault::next(Endpoint::EnrollmentPost, 1, held));
    site.deliver(&Order::paid(1, &email("ada"), &[11]).refunded());
    until("the LMS has taken it away, and holds its answer back", || {
        site.enrolled("ada", CS101) == Some(("verified".to_owned(), false))
    });
    site.kill();
    site.serve();

    site.settled_as("ada", CS101, "verified", false);
    assert_eq!(site.lms.count(Endpoint::EnrollmentPost), 2);
    let trail = site.ledger.trail(&email("ada"), CS101);
    assert_eq!(trail.last().unwrap(), &(AuditAction::Unenrolled, FOUND_DONE.to_owned()));
}

#[test]
fn a_request_that_may_still_be_on_its_way_is_not_sent_a_second_time_before_its_time_is_over() {
    /// Nearly the four seconds in which the first request might still land: it was written down a moment before it came.
    const APART: Duration = Duration::from_secs(3);

    let mut site = Site::selling(Plan::new(&["ada"]).lms_timeout("4s"));
    let held = FaultKind::TimeoutBefore { hold_ms: None };
    site.lms.add_fault(Fault::next(Endpoint::EnrollmentPost, 1, held));
    site.deliver(&Order::paid(1, &email("ada"), &[11]));
    until("the LMS has the request, and does nothing", || site.lms.count(Endpoint::EnrollmentPost) == 1);
    site.kill();
    site.serve();

    site.settled_as("ada", CS101, "verified", true);
    let posts = site.lms.requests().into_iter().filter(|request| request.endpoint == Endpoint::EnrollmentPost);
    let came: Vec<jiff::Timestamp> = posts.map(|request| request.at.parse().unwrap()).collect();
    assert_eq!(came.len(), 2);
    let apart = Duration::try_from(came[1].duration_since(came[0])).unwrap();
    assert!(apart >= APART, "the second request crossed the first: only {apart:?} between them");
    assert_eq!(site.ledger.trail(&email("ada"), CS101).last().unwrap().0, AuditAction::Enrolled);
}

#[test]
fn every_webhook_of_a_burst_that_was_answered_200_is_there_after_a_kill() {
    /// How many webhooks the burst has.
    const BURST: u64 = 200;
    /// How many shops' servers send at the same time.
    const SENDERS: usize = 8;
    /// After so many answers the process is killed, in the middle of the rest.
    const ENOUGH: usize = 80;

    let mut site = Site::selling(Plan::new(&[]));
    let mut process = site.take_process();
    let address = process.address();
    let (next, answered) = (AtomicU64::new(1), AtomicUsize::new(0));
    let safe = Mutex::new(BTreeSet::new());
    thread::scope(|scope| {
        for _ in 0..SENDERS {
            scope.spawn(|| {
                loop {
                    let id = next.fetch_add(1, Ordering::Relaxed);
                    if id > BURST {
                        return;
                    }
                    let body = Order::paid(id, &email(&format!("learner{id}")), &[11]).body();
                    let headers = headers("order.updated", &signature(&body, SECRET));
                    if let Some(answer) = try_exchange(address, &request(CAMPUS, &headers, &body)) {
                        assert_eq!(answer.status, 200);
                        safe.lock().unwrap().insert(id.to_string());
                        answered.fetch_add(1, Ordering::Relaxed);
                    }
                }
            });
        }
        until("the burst is under way", || answered.load(Ordering::Relaxed) >= ENOUGH);
        process.kill();
    });
    let safe = safe.into_inner().unwrap();
    assert!(safe.len() >= ENOUGH && safe.len() < usize::try_from(BURST).unwrap(), "{} were answered", safe.len());

    site.serve();
    let stored: BTreeSet<String> =
        site.ledger.deliveries_of(CAMPUS).into_iter().filter_map(|delivery| delivery.subject).collect();
    let lost: Vec<_> = safe.difference(&stored).collect();
    assert!(lost.is_empty(), "answered 200, and lost: {lost:?}");
    site.all_handled();
    for id in &safe {
        assert_eq!(site.order(id).payment, Payment::Paid, "order {id}");
    }
    assert!(site.ledger.states_of(CAMPUS).iter().all(|state| *state == DeliveryState::Done));
}
