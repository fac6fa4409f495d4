//! Stopping in good order, and two that would serve one ledger.

use bursar_store::trail::AuditAction;
use end_to_end::lms::{CS101, email};
use end_to_end::plan::Plan;
use end_to_end::site::Site;
use end_to_end::wait::until;
use end_to_end::woocommerce::Order;
use openedx_simulator::{Endpoint, Fault, FaultKind};

#[test]
fn a_stop_waits_for_a_slow_lms_and_records_its_answer() {
    let mut site = Site::selling(Plan::new(&["ada"]));
    site.lms.add_fault(Fault::next(Endpoint::EnrollmentPost, 1, FaultKind::Slow { delay_ms: 1_500 }));
    site.deliver(&Order::paid(1, &email("ada"), &[11]));
    until("the LMS is at it", || site.lms.count(Endpoint::EnrollmentPost) == 1);
    let ended = site.stop();

    assert_eq!(ended.status.code(), Some(0));
    assert_eq!(ended.log.events_of("stopped").len(), 1, "{}", ended.log.tail());
    assert_eq!(site.enrolled("ada", CS101), Some(("verified".to_owned(), true)));
    let enrollment = site.ledger.enrollment(&email("ada"), CS101).unwrap();
    assert_eq!(enrollment.state, "settled");
    assert_eq!(enrollment.trail.last().unwrap().action, AuditAction::Enrolled);

    site.serve();
    site.at_peace();
    assert_eq!(site.lms.count(Endpoint::EnrollmentPost), 1);
}

#[test]
fn a_server_that_is_stopping_takes_no_new_connections() {
    let mut site = Site::selling(Plan::new(&["ada"]));
    let address = site.address();
    site.lms.add_fault(Fault::next(Endpoint::EnrollmentPost, 1, FaultKind::Slow { delay_ms: 2_000 }));
    site.deliver(&Order::paid(1, &email("ada"), &[11]));
    until("the LMS is at it", || site.lms.count(Endpoint::EnrollmentPost) == 1);
    let process = site.take_process();
    process.ask_to_stop();
    until("nothing listens any more", || std::net::TcpStream::connect(address).is_err());
    assert!(process.ended().status.success());
}

#[test]
fn a_second_server_of_the_same_ledger_is_refused_and_the_first_goes_on() {
    let site = Site::selling(Plan::new(&["ada"]));
    let second = site.serve_in_vain();
    assert_eq!(second.status.code(), Some(1));
    let said = second.log.tail();
    assert!(said.contains("bursar.db") && said.contains("hint: "), "{said}");
    assert!(second.log.events_of("listening").is_empty());

    site.deliver(&Order::paid(1, &email("ada"), &[11]));
    site.settled_as("ada", CS101, "verified", true);
}
