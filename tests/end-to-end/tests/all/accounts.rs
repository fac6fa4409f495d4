//! Learners without an account, and who a learner is.

use std::process::Output;
use std::time::Duration;

use bursar_store::trail::AuditAction;
use end_to_end::http::{Answer, exchange, head};
use end_to_end::lms::{CS101, CS102, email, state, state_with};
use end_to_end::plan::{CAMPUS, NOTICE_TOKEN, Plan, Shop};
use end_to_end::site::{Site, said};
use end_to_end::wait::{throughout, until, until_some};
use end_to_end::woocommerce::Order;
use openedx_simulator::{AllowedSpec, Endpoint, Fault, FaultKind};
use serde_json::Value;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions as _, Connection as _, Executor as _};

/// For so long nothing must happen that should not: longer than it takes where it should.
const A_WHILE: Duration = Duration::from_millis(1_500);

/// How many registrations the LMS takes in seven days.
const LMS_LIMIT: usize = 60;

fn shop(line: &str) -> Shop {
    Shop::new(CAMPUS).line(line)
}

/// A shop that registers its learners.
fn registering() -> Plan {
    Plan::new(&[]).shops([shop("no_account = \"register\"")])
}

/// A shop that gives leave to enroll beforehand.
fn allowing() -> Plan {
    Plan::new(&[]).shops([shop("enrollment_allowed_records = true")])
}

fn waits(site: &Site, who: &str) -> bool {
    let purchases = site.ledger.learner(who).purchases;
    purchases.iter().any(|p| p.grant.as_ref().is_some_and(|grant| grant.resolution.as_deref() == Some("waiting")))
}

fn codes(site: &Site) -> Vec<&'static str> {
    site.ledger.reviews().iter().map(|review| review.concern.code()).collect()
}

fn is_enrolled(site: &Site, who: &str, run: &str) -> bool {
    site.enrolled(who, run) == Some(("verified".to_owned(), true))
}

/// The addresses that have leave to enroll in a course run.
fn allowed(site: &Site, run: &str) -> Vec<(String, bool)> {
    let records = site.lms.snapshot().enrollment_allowed;
    records.into_iter().filter(|record| record.course == run).map(|record| (record.email, record.auto_enroll)).collect()
}

// Registering --------------------------------------------------------------------------------------------------------

#[test]
fn a_buyer_whom_nobody_knows_is_registered_and_enrolled_though_the_address_is_not_confirmed() {
    let site = Site::selling(registering());
    site.deliver(&Order::paid(1, "New.Guest+shop@example.com", &[11, 12]));
    until("the buyer is enrolled", || is_enrolled(&site, "New_Guest", CS101) && is_enrolled(&site, "New_Guest", CS102));
    let users = site.lms.snapshot().users;
    let user = users.iter().find(|user| user.username == "New_Guest").unwrap();
    assert_eq!((user.email.as_str(), user.name.as_str()), ("New.Guest+shop@example.com", "New Guest"));
    assert!(!user.activated, "its owner confirms the address and chooses a password");
    assert_eq!(site.lms.count(Endpoint::Registration), 1);
    until("it is told", || {
        site.ledger
            .trail("New_Guest", CS101)
            .first()
            .is_some_and(|(action, _)| *action == AuditAction::AccountRegistered)
    });
    let log = site.log().lines().join("\n");
    assert!(!log.to_lowercase().contains("guest"), "the log names nobody: {log}");
    assert!(codes(&site).is_empty());
}

#[test]
fn a_buyer_whose_name_is_taken_gets_one_that_the_lms_proposes() {
    let state = state().learner("guest", "somebody.else@example.com");
    let site = Site::selling(registering().state(state));
    site.deliver(&Order::paid(1, &email("guest"), &[11]));
    until("the buyer is enrolled", || is_enrolled(&site, "guest_1", CS101));
    assert_eq!(site.lms.count(Endpoint::Registration), 2);
    assert_eq!(site.enrolled("guest", CS101), None);
}

#[test]
fn no_more_learners_are_registered_than_the_limit_also_after_a_restart_and_a_person_is_told_once() {
    let mut site = Site::selling(registering().lms("registrations_per_week = 2"));
    for (id, name) in ["one", "two", "three", "four"].into_iter().enumerate() {
        site.deliver(&Order::paid(u64::try_from(id).unwrap() + 1, &email(name), &[11]));
    }
    until("the first are enrolled and a person is told of the others", || {
        site.lms.snapshot().enrollments.len() == 2 && codes(&site) == ["registration-limit"]
    });
    assert!(site.ledger.reviews()[0].concern.to_string().contains("2 learners"), "{:?}", site.ledger.reviews());
    site.restart();
    let looks = site.lms.count(Endpoint::SearchEmails);
    until("those who wait are looked up again", || site.lms.count(Endpoint::SearchEmails) > looks + 1);
    assert_eq!(site.lms.count(Endpoint::Registration), 2);
    assert_eq!((codes(&site), site.ledger.reviews()[0].times), (vec!["registration-limit"], 1));

    // Whoever is not registered is waited for.
    let waiting = site.rows(&["learner", "waiting"]);
    assert_eq!(waiting.len(), 2);
    let address = waiting[0]["learner"]["address"].as_str().unwrap().to_owned();
    site.lms.register("myself", &address, "My Self").unwrap();
    until("who registered themselves is enrolled", || is_enrolled(&site, "myself", CS101));
}

#[test]
fn many_who_are_over_the_limit_are_looked_up_together_and_at_the_usual_pace() {
    /// More than are registered in a row.
    const BUYERS: u64 = 12;
    /// The pace is five seconds for those who have just begun to wait, and each may have a pace of their own.
    const FOR: Duration = Duration::from_secs(4);

    let site = Site::selling(registering().lms("registrations_per_week = 1"));
    for id in 1..=BUYERS {
        site.deliver(&Order::paid(id, &email(&format!("guest{id}")), &[11]));
    }
    until("all but one wait", || (1..=BUYERS).filter(|id| waits(&site, &email(&format!("guest{id}")))).count() == 11);
    let looks = site.lms.count(Endpoint::SearchEmails);
    throughout(FOR, "nobody is looked up again and again", || {
        site.lms.count(Endpoint::SearchEmails) <= looks + usize::try_from(BUYERS).unwrap()
    });
    assert_eq!(site.lms.count(Endpoint::Registration), 1);
}

#[test]
fn an_lms_that_registers_nobody_else_is_not_asked_again_and_a_person_is_told() {
    let site = Site::selling(registering().throttled());
    let form = b"email=nobody";
    for _ in 0..LMS_LIMIT {
        let headers =
            [("Host", "lms"), ("Content-Type", "application/x-www-form-urlencoded"), ("Content-Length", "12")];
        let mut request = head("POST", "/api/user/v1/account/registration/", &headers);
        request.extend_from_slice(form);
        assert_eq!(exchange(site.lms.address(), &request).status, 400);
    }
    site.deliver(&Order::paid(1, &email("guest"), &[11]));
    until("a person is told", || codes(&site) == ["registration-limit"]);
    assert!(site.ledger.reviews()[0].concern.to_string().contains("the LMS registers nobody else"));
    site.deliver(&Order::paid(2, &email("other"), &[11]));
    until("the other one is waited for", || waits(&site, &email("other")));
    assert_eq!(site.lms.count(Endpoint::Registration), LMS_LIMIT + 1);
}

#[test]
fn a_form_that_asks_for_more_is_a_persons_matter_and_mended_by_the_configuration() {
    let mut site = Site::selling(registering().lms("registration = { country = \"Portugal\" }"));
    site.deliver(&Order::paid(1, &email("one"), &[11]));
    until("a person is told", || codes(&site) == ["registration-refused"]);
    let words = site.ledger.reviews()[0].concern.to_string();
    assert!(words.contains("invalid-country (country)"), "{words}");
    site.deliver(&Order::paid(2, &email("two"), &[11]));
    until("the second is waited for", || waits(&site, &email("two")));
    assert_eq!(site.lms.count(Endpoint::Registration), 1, "what all learners lack is not tried with each");

    site.replan(|plan| Plan { lms: String::new(), ..plan }.lms("registration = { country = \"PT\" }"));
    site.restart();
    until("both are enrolled", || is_enrolled(&site, "one", CS101) && is_enrolled(&site, "two", CS101));
    until("the question is settled", || codes(&site).is_empty());
}

#[test]
fn a_registration_that_took_effect_before_the_power_went_is_found_and_not_made_again() {
    let mut site = Site::selling(registering().lms_timeout("30s"));
    let held = FaultKind::TimeoutAfter { hold_ms: None };
    site.lms.add_fault(Fault::next(Endpoint::Registration, 1, held));
    site.deliver(&Order::paid(1, &email("guest"), &[11]));
    until("the LMS has registered, and holds its answer back", || {
        site.lms.snapshot().users.iter().any(|user| user.username == "guest")
    });
    site.kill();
    site.serve();
    site.settled_as("guest", CS101, "verified", true);
    assert_eq!(site.lms.count(Endpoint::Registration), 1);
    assert_eq!(site.lms.count(Endpoint::EnrollmentPost), 1);
    let trail: Vec<_> = site.ledger.trail(&email("guest"), CS101).into_iter().map(|(action, _)| action).collect();
    assert_eq!(trail, [AuditAction::AccountRegistered, AuditAction::Enrolled]);
}

#[test]
fn a_registration_that_failed_is_made_again_and_one_that_may_still_land_is_waited_for() {
    let site = Site::selling(registering().lms_timeout("2s"));
    let faults = [
        FaultKind::ServerErrorBefore,
        FaultKind::ServerErrorAfter,
        FaultKind::TimeoutBefore { hold_ms: Some(3_000) },
        FaultKind::TimeoutAfter { hold_ms: Some(3_000) },
        FaultKind::CutAfter,
        FaultKind::BadGateway,
    ];
    for (index, fault) in faults.into_iter().enumerate() {
        let who = format!("guest{index}");
        site.lms.forget_requests();
        site.lms.add_fault(Fault::next(Endpoint::Registration, 1, fault.clone()));
        site.deliver(&Order::paid(u64::try_from(index).unwrap() + 1, &email(&who), &[11]));
        site.settled_as(&who, CS101, "verified", true);
        let tries = site.lms.count(Endpoint::Registration);
        assert!(tries <= 2, "{fault:?}: {tries} registrations");
    }
    let users = site.lms.snapshot().users;
    assert_eq!(users.iter().filter(|user| user.username.starts_with("guest")).count(), 6, "{users:?}");
    assert!(codes(&site).is_empty());
}

#[test]
fn nobody_is_registered_for_a_shop_that_is_only_observed_and_it_says_so() {
    let site = Site::selling(registering().shops([shop("no_account = \"register\"").mode("observe")]));
    site.deliver(&Order::paid(1, &email("guest"), &[11]));
    until("the buyer is waited for", || waits(&site, &email("guest")));
    let id = site.ledger.deliveries()[0].id.to_string();
    let shown = site.json(&["deliveries", "show", &id]).to_string();
    assert!(shown.contains("one would have been registered"), "{shown}");
    throughout(A_WHILE, "nobody is registered", || site.lms.count(Endpoint::Registration) == 0);
}

#[test]
fn nobody_is_registered_under_the_address_of_somebody_who_asked_to_be_forgotten() {
    let site = Site::selling(registering().state(state_with(&["ada"])));
    site.lms.retire("ada").unwrap();
    site.deliver(&Order::paid(1, &email("ada"), &[11]));
    until("a person is told", || codes(&site) == ["account-retired"]);
    assert_eq!(site.lms.count(Endpoint::Registration), 0);
    assert_eq!(site.lms.count(Endpoint::EnrollmentPost), 0);
}

// Leave to enroll beforehand -----------------------------------------------------------------------------------------

#[test]
fn leave_to_enroll_is_given_while_a_learner_is_waited_for_and_taken_back_once_they_are_enrolled() {
    let site = Site::selling(allowing());
    site.deliver(&Order::paid(1, &email("guest"), &[11]));
    until("leave is given, and the LMS is not to enroll by itself", || {
        allowed(&site, CS101) == [(email("guest"), false)]
    });
    // Closed meanwhile: the leave opens it.
    site.lms.close_course(CS101).unwrap();
    site.lms.register("guest", &email("guest"), "A Guest").unwrap();
    until("the learner is enrolled", || is_enrolled(&site, "guest", CS101));
    until("leave is taken back", || allowed(&site, CS101).is_empty());
    let made: Vec<_> = allowance_calls(&site);
    assert_eq!(made, ["GET", "POST", "DELETE"]);
}

fn allowance_calls(site: &Site) -> Vec<String> {
    let requests = site.lms.requests().into_iter().filter(|request| request.endpoint == Endpoint::EnrollmentAllowed);
    requests.map(|request| request.method).collect()
}

#[test]
fn leave_to_enroll_ends_with_what_was_bought() {
    let site = Site::selling(allowing());
    let order = Order::paid(1, &email("guest"), &[11]);
    site.deliver(&order);
    until("leave is given", || allowed(&site, CS101).len() == 1);
    site.deliver(&order.refunded());
    until("leave is taken back", || allowed(&site, CS101).is_empty());
    site.deliver(&Order::paid(2, &email("guest"), &[11]));
    until("leave is given again", || allowed(&site, CS101).len() == 1);
}

#[test]
fn leave_that_somebody_else_gave_is_left_alone() {
    let mut state = state();
    let theirs = AllowedSpec { email: email("guest"), course: CS101.to_owned(), auto_enroll: true };
    state.enrollment_allowed.push(theirs);
    let site = Site::selling(allowing().state(state));
    let order = Order::paid(1, &email("guest"), &[11]);
    site.deliver(&order);
    until("it was looked at", || allowance_calls(&site) == ["GET"]);
    site.deliver(&order.refunded());
    site.all_handled();
    throughout(2 * A_WHILE, "it is as it was", || allowed(&site, CS101) == [(email("guest"), true)]);
    assert_eq!(allowance_calls(&site), ["GET"]);
}

#[test]
fn leave_whose_giving_was_not_answered_is_known_for_ours_and_taken_back() {
    let mut site = Site::selling(allowing().lms_timeout("3s"));
    // The second call: the first one reads.
    let held = Fault::next(Endpoint::EnrollmentAllowed, 1, FaultKind::TimeoutAfter { hold_ms: None });
    site.lms.add_fault(Fault { after: 1, ..held });
    let order = Order::paid(1, &email("guest"), &[11]);
    site.deliver(&order);
    until("leave is given, and the answer held back", || allowed(&site, CS101).len() == 1);
    site.kill();
    site.serve();
    site.deliver(&order.refunded());
    until("leave is taken back", || allowed(&site, CS101).is_empty());
}

#[test]
fn a_shop_that_is_only_observed_gives_no_leave() {
    let observed = shop("enrollment_allowed_records = true").mode("observe");
    let site = Site::selling(allowing().shops([observed]));
    site.deliver(&Order::paid(1, &email("guest"), &[11]));
    until("the buyer is waited for", || waits(&site, &email("guest")));
    throughout(2 * A_WHILE, "no leave is given", || site.lms.count(Endpoint::EnrollmentAllowed) == 0);
}

// Notices ------------------------------------------------------------------------------------------------------------

fn noticing() -> Plan {
    Plan::new(&[]).lms("notice_token = { env = \"TEST_NOTICE_TOKEN\" }")
}

fn notice(site: &Site, path: &str, token: Option<&str>, body: &str) -> Answer {
    let mut headers =
        vec![("Host".to_owned(), "bursar".to_owned()), ("Content-Length".to_owned(), body.len().to_string())];
    headers.extend(token.map(|token| ("Authorization".to_owned(), format!("Bearer {token}"))));
    let mut request = head("POST", path, &headers);
    request.extend_from_slice(body.as_bytes());
    exchange(site.address(), &request)
}

#[test]
fn a_notice_has_the_learner_looked_up_at_once() {
    /// A learner who has just begun to be waited for is looked up every five seconds.
    const PACE: Duration = Duration::from_millis(4_500);

    let site = Site::selling(noticing());
    for (id, who, body) in [
        (1, "named", format!("{{\"user\": {{\"pii\": {{\"email\": \"{}\"}}}}}}", email("NAMED"))),
        (2, "somebody", String::new()),
    ] {
        site.deliver(&Order::paid(id, &email(who), &[11]));
        until("the buyer is waited for", || waits(&site, &email(who)));
        let looks = site.lms.count(Endpoint::SearchEmails);
        until("there was a look", || site.lms.count(Endpoint::SearchEmails) > looks);
        let last = last_look(&site);
        site.lms.register(who, &email(who), "Some Body").unwrap();
        assert_eq!(notice(&site, "/lms/main/notices", Some(NOTICE_TOKEN), &body).status, 202);
        let next = until_some("there is another look", || Some(last_look(&site)).filter(|at| *at > last));
        let apart = Duration::try_from(next.duration_since(last)).unwrap();
        assert!(apart < PACE, "{who} was looked up {apart:?} after the look before");
        until("the buyer is enrolled", || is_enrolled(&site, who, CS101));
    }
}

fn last_look(site: &Site) -> jiff::Timestamp {
    let mut looks = site.lms.requests().into_iter().filter(|request| request.endpoint == Endpoint::SearchEmails);
    looks.next_back().unwrap().at.parse().unwrap()
}

#[test]
fn a_notice_is_answered_alike_whether_or_not_anybody_waits_and_only_with_the_token() {
    let site = Site::selling(noticing());
    site.deliver(&Order::paid(1, &email("guest"), &[11]));
    until("the buyer is waited for", || waits(&site, &email("guest")));
    let send = |path: &str, token: Option<&str>, body: &str| notice(&site, path, token, body);
    let path = "/lms/main/notices";
    let answers = [email("guest"), email("nobody")]
        .map(|address| send(path, Some(NOTICE_TOKEN), &format!("{{\"email\": \"{address}\"}}")));
    assert_eq!(answers[0].status, 202);
    let plain = |answer: &Answer| {
        let mut headers = answer.headers.clone();
        headers.retain(|(name, _)| !name.eq_ignore_ascii_case("date"));
        (answer.status, headers, answer.body.clone())
    };
    assert_eq!(plain(&answers[0]), plain(&answers[1]));
    assert_eq!(send(path, Some(NOTICE_TOKEN), "not JSON").status, 202);
    for token in [None, Some(""), Some("wrong"), Some(&NOTICE_TOKEN[1..])] {
        assert_eq!(send(path, token, "").status, 401, "{token:?}");
    }
    assert_eq!(send(path, Some(NOTICE_TOKEN), &"x".repeat(65 << 10)).status, 413);
    for elsewhere in ["/lms/other/notices", "/lms/main", "/lms/MAIN/notices", "/lms/main/notices/x"] {
        assert_eq!(send(elsewhere, Some(NOTICE_TOKEN), "").status, 404, "{elsewhere}");
    }
    let get = head("GET", path, &[("Host", "bursar"), ("Authorization", &format!("Bearer {NOTICE_TOKEN}"))]);
    assert_eq!(exchange(site.address(), &get).status, 405);
}

#[test]
fn a_notice_that_cannot_be_kept_is_answered_503() {
    let site = Site::selling(noticing());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let options = SqliteConnectOptions::new().filename(site.path("bursar.db"));
    let mut other = runtime.block_on(options.connect()).unwrap();
    runtime.block_on(other.execute("BEGIN IMMEDIATE")).unwrap();
    let answer = notice(&site, "/lms/main/notices", Some(NOTICE_TOKEN), "");
    assert_eq!(answer.status, 503);
    assert!(answer.header("retry-after").is_some());
    runtime.block_on(other.execute("ROLLBACK")).unwrap();
    runtime.block_on(other.close()).unwrap();
    let named = format!("{{\"email\": \"{}\"}}", email("ada"));
    assert_eq!(notice(&site, "/lms/main/notices", Some(NOTICE_TOKEN), &named).status, 202);
}

#[test]
fn without_a_token_there_is_no_address_for_notices() {
    let site = Site::start(Plan::new(&[]));
    assert_eq!(notice(&site, "/lms/main/notices", Some(NOTICE_TOKEN), "").status, 404);
}

// Who a learner is ---------------------------------------------------------------------------------------------------

#[test]
fn an_account_whose_address_is_not_confirmed_is_enrolled() {
    let site = Site::selling(Plan::new(&[]));
    site.lms.register("guest", &email("guest"), "A Guest").unwrap();
    site.deliver(&Order::paid(1, &email("guest"), &[11]));
    site.settled_as("guest", CS101, "verified", true);
}

#[test]
fn two_addresses_of_one_account_are_one_learner() {
    let site = Site::selling(Plan::new(&["ada"]));
    let first = Order::paid(1, &email("ada"), &[11]);
    site.deliver(&first);
    site.settled_as("ada", CS101, "verified", true);
    site.lms.change_email("ada", "ada.new@example.com").unwrap();
    let second = Order::paid(2, "Ada.New@Example.com", &[11]);
    site.deliver(&second);
    until("both are known", || site.ledger.learner(&email("ada")).purchases.len() == 2);
    site.at_peace();
    site.deliver(&first.refunded());
    site.all_handled();
    site.at_peace();
    assert_eq!(site.enrolled("ada", CS101), Some(("verified".to_owned(), true)), "the second order still gives it");
    site.deliver(&second.refunded());
    site.settled_as("ada", CS101, "verified", false);
    assert_eq!(site.lms.count(Endpoint::EnrollmentPost), 2);
}

/// Has every look-up so far be long ago.
fn much_later(site: &mut Site) {
    while_stopped(site, "UPDATE resolutions SET found_at = 0");
}

/// Changes the ledger as time would.
fn while_stopped(site: &mut Site, change: &'static str) {
    site.stop();
    let options = SqliteConnectOptions::new().filename(site.path("bursar.db"));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let mut ledger = options.connect().await.unwrap();
        ledger.execute(change).await.unwrap();
        ledger.close().await.unwrap();
    });
    site.serve();
}

#[test]
fn after_seven_days_of_waiting_a_person_is_told_once_and_it_is_settled_when_the_learner_registers() {
    let mut site = Site::selling(Plan::new(&[]));
    site.deliver(&Order::paid(1, &email("guest"), &[11]));
    until("the buyer is waited for", || waits(&site, &email("guest")));
    assert!(codes(&site).is_empty());
    while_stopped(&mut site, "UPDATE resolutions SET waiting_since = waiting_since - 8 * 86400000");
    until("a person is told", || codes(&site) == ["no-account"]);
    // Also those who were told of are looked up, and nobody is told again.
    let looks = site.lms.count(Endpoint::SearchEmails);
    while_stopped(&mut site, "UPDATE resolutions SET due_at = 0");
    until("there was another look", || site.lms.count(Endpoint::SearchEmails) > looks);
    site.lms.register("guest", &email("guest"), "A Guest").unwrap();
    while_stopped(&mut site, "UPDATE resolutions SET due_at = 0 WHERE due_at IS NOT NULL");
    site.settled_as("guest", CS101, "verified", true);
    assert!(codes(&site).is_empty());
    let closed = site.rows(&["review", "list", "--all"]);
    assert_eq!((closed.len(), &closed[0]["times"]), (1, &1.into()));
}

#[test]
fn a_shop_that_wants_to_be_asked_is_asked_at_once() {
    let site = Site::selling(Plan::new(&[]).shops([shop("no_account = \"review\"")]));
    site.deliver(&Order::paid(1, &email("guest"), &[11]));
    until("a person is told", || codes(&site) == ["no-account"]);
    assert!(waits(&site, &email("guest")));
    assert_eq!(site.lms.count(Endpoint::Registration), 0);
}

#[test]
fn an_address_that_changed_hands_gives_later_orders_to_its_new_owner_and_refunds_take_from_the_old_one() {
    let mut site = Site::selling(Plan::new(&["ada"]));
    let first = Order::paid(1, &email("ada"), &[11]);
    site.deliver(&first);
    site.settled_as("ada", CS101, "verified", true);
    much_later(&mut site);
    site.lms.change_email("ada", "ada.new@example.com").unwrap();
    site.lms.register("heir", &email("ada"), "An Heir").unwrap();

    site.deliver(&Order::paid(2, &email("ada"), &[12]));
    until("the new owner has it", || is_enrolled(&site, "heir", CS102));
    assert_eq!(site.enrolled("ada", CS102), None);
    site.deliver(&first.refunded());
    until("the old owner has it no more", || site.enrolled("ada", CS101) == Some(("verified".to_owned(), false)));
    assert_eq!(site.enrolled("heir", CS101), None);
}

#[test]
fn an_account_that_retired_since_gets_nothing_more_and_what_it_had_is_still_its_own() {
    let mut site = Site::selling(Plan::new(&["ada"]));
    let first = Order::paid(1, &email("ada"), &[11]);
    site.deliver(&first);
    site.settled_as("ada", CS101, "verified", true);
    much_later(&mut site);
    site.lms.retire("ada").unwrap();
    site.deliver(&Order::paid(2, &email("ada"), &[12]));
    until("a person is told", || codes(&site) == ["account-retired"]);
    assert_eq!(site.enrolled("ada", CS102), None);
    site.deliver(&first.refunded());
    until("the refund takes what was given", || site.enrolled("ada", CS101) == Some(("verified".to_owned(), false)));
}

fn link(site: &Site, arguments: &[&str]) -> Output {
    let fixed = ["learner", "link"];
    site.run(&[&fixed[..], arguments, &["--reason", "ticket 4711"]].concat())
}

#[test]
fn a_person_joins_a_learner_to_an_account_and_what_waited_is_given_at_once_and_for_good() {
    let mut site = Site::selling(Plan::new(&["ada", "bo"]));
    let order = Order::paid(1, "ada@work.example", &[11]);
    site.deliver(&order);
    until("the buyer is waited for", || waits(&site, "ada@work.example"));

    for (username, words) in [("nobody", "has no account nobody"), ("bursar,x", "")] {
        let output = link(&site, &["ada@work.example", username]);
        assert!(!output.status.success() && said(&output).contains(words), "{}", said(&output));
    }
    let dry = link(&site, &["ada@work.example", "ada", "--dry-run"]);
    let told = String::from_utf8_lossy(&dry.stdout).into_owned();
    assert!(told.contains("would be ada") && told.contains(&email("ada")), "{told}");
    assert!(waits(&site, "ada@work.example"));

    let linked = site.json(&["learner", "link", "Ada@work.example", "ADA", "--reason", "ticket 4711"]);
    assert_eq!((&linked["username"], &linked["grants"]), (&"ada".into(), &1.into()));
    until("it is given", || is_enrolled(&site, "ada", CS101));
    let trail = site.ledger.trail("ada", CS101);
    assert_eq!(trail[0].0, AuditAction::AccountLinked);
    assert!(trail[0].1.contains("ticket 4711"), "{trail:?}");

    // A later order is the account's without asking, however long ago that was.
    much_later(&mut site);
    let looks = site.lms.count(Endpoint::SearchEmails);
    site.deliver(&Order::paid(2, "ada@work.example", &[12]));
    until("the second is given", || is_enrolled(&site, "ada", CS102));
    assert_eq!(site.lms.count(Endpoint::SearchEmails), looks);

    let moved = link(&site, &["ada@work.example", "bo"]);
    assert_eq!(moved.status.code(), Some(1));
    assert!(said(&moved).contains("given to ada already") && said(&moved).contains("transfer"), "{}", said(&moved));
    site.lms.retire("bo").unwrap();
    let retired = link(&site, &["bo@work.example", "bo"]);
    assert!(said(&retired).contains("was retired"), "{}", said(&retired));
}

#[test]
fn who_waits_is_listed_and_the_letter_tells_them_what_to_do() {
    let site = Site::selling(Plan::new(&["ada"]));
    site.deliver(&Order::paid(7, &email("guest"), &[11]));
    site.deliver(&Order::paid(8, &email("ada"), &[11]));
    until("the guest is waited for", || waits(&site, &email("guest")));
    site.settled_as("ada", CS101, "verified", true);

    let rows = site.rows(&["learner", "waiting", "--shop", CAMPUS]);
    assert_eq!(rows.len(), 1, "{rows:?}");
    assert_eq!((&rows[0]["order"], &rows[0]["why"]), (&"7".into(), &"no account yet".into()));
    assert_eq!(rows[0]["learner"]["address"], email("guest"));
    let csv = site.run(&["learner", "waiting", "--csv"]);
    let csv = String::from_utf8(csv.stdout).unwrap();
    assert!(csv.lines().nth(1).unwrap().starts_with("guest@example.com,"), "{csv}");
    assert!(site.rows(&["learner", "waiting", "--shop", "other"]).is_empty());

    let letter: Value = site.json(&["learner", "letter", "Guest@example.com"]);
    let body = letter["body"].as_str().unwrap();
    for part in ["/register", "Guest@example.com", CS101, "order 7", "under another address"] {
        assert!(body.contains(part), "{part} is not in: {body}");
    }
    let none = site.run(&["learner", "letter", &email("ada")]);
    assert_eq!(none.status.code(), Some(1));
    assert!(said(&none).contains("nothing waits"), "{}", said(&none));
}
