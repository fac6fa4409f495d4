//! An LMS that misbehaves in every way it can: a learner ends up enrolled exactly as bought, or a person is told.

use std::time::Duration;

use bursar_store::trail::AuditAction;
use end_to_end::lms::{CS101, email, state};
use end_to_end::plan::{CAMPUS, Plan, Shop};
use end_to_end::site::Site;
use end_to_end::wait::{throughout, until};
use end_to_end::woocommerce::Order;
use openedx_simulator::{Endpoint, Fault, FaultKind, State};

/// Shorter than any test waits, longer than the simulated LMS takes to answer.
const LMS_TIMEOUT: &str = "1s";

/// How long a connection is held that gets no answer: longer than [`LMS_TIMEOUT`].
const HELD: Option<u64> = Some(2_000);

/// How often the LMS may be told to enroll one learner, when the first time goes wrong: once more, and once for a token.
const POSTS_MAX: usize = 2;

/// How often it may be read for that: before each request, and while an old one may still land.
const READS_MAX: usize = 6;

/// Answers after which it is certain that nothing was done.
fn before_the_effect() -> Vec<FaultKind> {
    vec![
        FaultKind::ServerErrorBefore,
        FaultKind::TimeoutBefore { hold_ms: HELD },
        FaultKind::CutBefore,
        FaultKind::TooManyRequests { retry_after: Some(1) },
        FaultKind::Unauthorized,
        FaultKind::Forbidden,
        FaultKind::NotFoundEmpty,
        FaultKind::Conflict,
        FaultKind::BadGateway,
        FaultKind::Maintenance,
        FaultKind::Redirect { location: None },
        FaultKind::Redirect { location: Some("http://127.0.0.1:9/elsewhere".to_owned()) },
    ]
}

/// Answers that hide that it was done.
fn after_the_effect() -> Vec<FaultKind> {
    vec![
        FaultKind::ServerErrorAfter,
        FaultKind::TimeoutAfter { hold_ms: HELD },
        FaultKind::CutAfter,
        FaultKind::WrongEcho { mode: Some("audit".to_owned()), is_active: None },
        FaultKind::WrongEcho { mode: None, is_active: Some(false) },
        FaultKind::Slow { delay_ms: 500 },
    ]
}

fn learners(count: usize) -> State {
    (0..count).fold(state(), |state, index| state.learner(&learner(index), &email(&learner(index))))
}

fn learner(index: usize) -> String {
    format!("learner{index}")
}

/// Has each fault strike one enrollment, one after the other, and says how many requests that took.
fn strike(faults: &[FaultKind], posts_max: usize) {
    let site = Site::selling(Plan::new(&[]).state(learners(faults.len())).lms_timeout(LMS_TIMEOUT));
    for (index, fault) in faults.iter().enumerate() {
        let who = learner(index);
        site.lms.forget_requests();
        site.lms.add_fault(Fault::next(Endpoint::EnrollmentPost, 1, fault.clone()));
        site.deliver(&Order::paid(u64::try_from(index).unwrap() + 1, &email(&who), &[11]));
        site.settled_as(&who, CS101, "verified", true);
        assert!(site.lms.faults().is_empty(), "{fault:?} did not strike");
        let (posts, reads) = (site.lms.count(Endpoint::EnrollmentPost), site.lms.count(Endpoint::EnrollmentGet));
        let trail = site.ledger.trail(&email(&who), CS101);
        assert!(posts <= posts_max, "{fault:?}: {posts} requests to enroll; {trail:?}");
        assert!(reads <= READS_MAX, "{fault:?}: {reads} reads; {trail:?}");
        assert_eq!(trail.last().unwrap().0, AuditAction::Enrolled, "{fault:?}: {trail:?}");
    }
    let enrolled = site.lms.snapshot().enrollments;
    assert_eq!(enrolled.len(), faults.len());
    assert!(enrolled.iter().all(|e| e.mode == "verified" && e.is_active && e.course == CS101), "{enrolled:?}");
    // That the LMS works again is recorded a moment after what it was needed for.
    until("nobody is asked", || site.ledger.reviews().is_empty());
}

#[test]
fn a_request_to_enroll_that_failed_before_its_effect_is_made_again() {
    strike(&before_the_effect(), POSTS_MAX);
}

#[test]
fn a_request_to_enroll_whose_effect_was_hidden_is_not_made_again() {
    strike(&after_the_effect(), 1);
}

#[test]
fn a_request_that_lands_after_bursar_gave_up_on_it_is_found_done() {
    let site = Site::selling(Plan::new(&["ada"]).lms_timeout(LMS_TIMEOUT));
    // Later than the timeout, and before the next look could be certain that it will not land.
    site.lms.add_fault(Fault::next(Endpoint::EnrollmentPost, 1, FaultKind::Slow { delay_ms: 1_200 }));
    site.deliver(&Order::paid(1, &email("ada"), &[11]));
    site.settled_as("ada", CS101, "verified", true);
    assert_eq!(site.lms.count(Endpoint::EnrollmentPost), 1, "{:?}", site.ledger.trail(&email("ada"), CS101));
}

#[test]
fn a_refund_that_comes_while_the_enrollment_is_on_its_way_takes_it_back() {
    // Once while the LMS is slow, and once while it is not known whether it did it.
    let faults = [FaultKind::Slow { delay_ms: 700 }, FaultKind::TimeoutAfter { hold_ms: HELD }];
    let site = Site::selling(Plan::new(&[]).state(learners(faults.len())).lms_timeout(LMS_TIMEOUT));
    for (index, fault) in faults.into_iter().enumerate() {
        let who = learner(index);
        let order = Order::paid(u64::try_from(index).unwrap() + 1, &email(&who), &[11]);
        site.lms.forget_requests();
        site.lms.add_fault(Fault::next(Endpoint::EnrollmentPost, 1, fault.clone()));
        site.deliver(&order);
        until("the request is on its way", || site.lms.count(Endpoint::EnrollmentPost) == 1);
        site.deliver(&order.refunded());
        site.settled_as(&who, CS101, "verified", false);
        site.at_peace();
        assert_eq!(site.lms.count(Endpoint::EnrollmentPost), 2, "{fault:?}: one to give, one to take");
    }
}

#[test]
fn faults_of_every_other_call_only_delay_a_purchase() {
    let endpoints = [Endpoint::Token, Endpoint::SearchEmails, Endpoint::EnrollmentGet];
    let kinds = [
        FaultKind::ServerErrorBefore,
        FaultKind::CutBefore,
        FaultKind::BadGateway,
        FaultKind::Maintenance,
        FaultKind::TooManyRequests { retry_after: Some(1) },
    ];
    let site = Site::selling(Plan::new(&[]).state(learners(endpoints.len() * kinds.len())).lms_timeout(LMS_TIMEOUT));
    let mut index = 0;
    for kind in kinds {
        for endpoint in endpoints {
            let who = learner(index);
            index += 1;
            if endpoint == Endpoint::Token {
                // Otherwise there is no need for a new one.
                site.lms.revoke_tokens();
            }
            site.lms.add_fault(Fault::next(endpoint, 1, kind.clone()));
            site.deliver(&Order::paid(u64::try_from(index).unwrap(), &email(&who), &[11]));
            site.settled_as(&who, CS101, "verified", true);
            assert!(site.lms.faults().is_empty(), "{kind:?} of {endpoint:?} did not strike");
        }
    }
    assert_eq!(site.lms.count(Endpoint::EnrollmentPost), index);
}

#[test]
fn an_enrollment_that_the_lms_refuses_for_good_is_a_persons_matter_and_asked_once() {
    let shop = Shop::new(CAMPUS).line("force = \"never\"");
    let site = Site::selling(Plan::new(&["ada"]).shops([shop]));
    site.lms.expire_mode(CS101, "verified").unwrap();
    site.deliver(&Order::paid(1, &email("ada"), &[11]));
    until("a person is told", || {
        site.ledger.reviews().iter().any(|review| review.concern.code() == "enrollment-refused")
    });
    throughout(Duration::from_secs(2), "it is not asked again and again", || {
        site.lms.count(Endpoint::EnrollmentPost) == 1
    });
    assert_eq!(site.enrolled("ada", CS101), None);
}

#[test]
fn a_service_user_that_lost_its_rights_is_told_of_and_purchases_go_on_when_it_has_them_back() {
    let site = Site::selling(Plan::new(&["ada"]));
    site.lms.set_staff("worker", false).unwrap();
    site.deliver(&Order::paid(1, &email("ada"), &[11]));
    until("the log says what is wrong", || {
        site.log().lines().iter().any(|line| line.contains("make the application's owner staff"))
    });
    assert_eq!(site.enrolled("ada", CS101), None);
    site.lms.set_staff("worker", true).unwrap();
    site.settled_as("ada", CS101, "verified", true);
    until("the LMS was what needed mending, and it is mended", || site.ledger.reviews().is_empty());
}

#[test]
fn rights_that_are_lost_between_look_up_and_enrollment_enroll_nobody_and_count_nobody_as_unknown() {
    let site = Site::selling(Plan::new(&["ada", "bo"]));
    site.deliver(&Order::paid(1, &email("ada"), &[11]));
    site.settled_as("ada", CS101, "verified", true);
    // Bo's account is looked up; from then on the service user may not act for others.
    site.lms.add_fault(Fault::always(Endpoint::EnrollmentGet, FaultKind::NotFoundEmpty));
    site.lms.add_fault(Fault::always(Endpoint::EnrollmentPost, FaultKind::NotFoundEmpty));
    site.deliver(&Order::paid(2, &email("bo"), &[11]));
    until("it is told", || {
        let trail = site.ledger.trail(&email("bo"), CS101);
        trail.iter().any(|(action, words)| *action == AuditAction::Postponed && words.contains("staff again"))
    });
    site.lms.clear_faults();
    site.settled_as("bo", CS101, "verified", true);
}

#[test]
fn an_lms_that_is_down_at_the_start_is_served_when_it_comes_back() {
    let mut site = Site::at_rest(Plan::new(&["ada"]));
    site.sell();
    site.lms.unplug();
    site.serve();
    site.deliver(&Order::paid(1, &email("ada"), &[11]));
    site.all_handled();
    until("the log says that it cannot be reached", || {
        site.log().lines().iter().any(|line| line.contains("the LMS cannot be reached"))
    });
    site.lms.plug_in().unwrap();
    site.settled_as("ada", CS101, "verified", true);
    assert_eq!(site.lms.count(Endpoint::EnrollmentPost), 1);
}
