//! The client against a whole LMS: the simulator, which does what a real one was seen to do (`docs/lms.md`).

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "tests fail by panicking"
)]

use std::{num::NonZeroU32, sync::Arc, time::Duration};

use bursar_domain::{CourseRun, Email, Mode, SystemClock, Username};
use bursar_lms::{
    AccountLookup, AllowedCreation, AllowedDeletion, Attribute, CallKind, Class, Doubt, EnrollmentChange,
    EnrollmentFilter, Fault, Lms, LmsConfig, LmsError, Priority, Privilege, Refusal, Registration, ServiceUser,
    Setback, UserProblem,
};
use openedx_simulator::{CourseSpec, Date, Endpoint, FaultKind, Options, Simulator, State, UserSpec};

const CS101: &str = "course-v1:DemoX+CS101+2026";
const CLOSED: &str = "course-v1:DemoX+CLOSED1+2025";
const EXPIRED: &str = "course-v1:DemoX+EXP1+2026";
const INVITED: &str = "course-v1:DemoX+INVITE1+2026";
const FULL: &str = "course-v1:DemoX+FULL1+2026";

fn state() -> State {
    State::with_worker()
        .learner("bob", "bob@example.com")
        .learner("carol", "Carol.Case@Example.com")
        .user(UserSpec { email: Some("old@example.com".to_owned()), ..UserSpec::new("gone") }.as_retired())
        .user(UserSpec::new("load000 … load149"))
        .course(CourseSpec::new(CS101, "Computing 101").mode("audit", 0).mode("verified", 49))
        .course(
            CourseSpec::new(CLOSED, "Closed")
                .mode("audit", 0)
                .mode("verified", 49)
                .window(Some(Date::days(-400)), Some(Date::days(-100))),
        )
        .course(CourseSpec::new(EXPIRED, "Too late").mode("audit", 0).mode_until("verified", 49, Date::days(-10)))
        .course(CourseSpec::new(INVITED, "By invitation").mode("audit", 0).invitation_only())
        .course(CourseSpec::new(FULL, "One seat").mode("honor", 0).seats(1))
        .enrollment("carol", FULL, "honor")
}

/// An LMS with its throttle as it is, and a client that does not spare it.
fn start() -> (Simulator, Lms) {
    let simulator = Simulator::launch(Options::new(state())).unwrap();
    let client = client(&simulator, |_| {});
    (simulator, client)
}

fn client(simulator: &Simulator, adjust: impl FnOnce(&mut LmsConfig)) -> Lms {
    let mut config = LmsConfig::new(simulator.url(), "worker-key", "worker-secret".into());
    config.calls_per_minute = None;
    adjust(&mut config);
    Lms::new(config, Arc::new(SystemClock)).unwrap()
}

fn run(key: &str) -> CourseRun {
    CourseRun::parse(key).unwrap()
}

fn user(name: &str) -> Username {
    Username::parse(name).unwrap()
}

fn email(address: &str) -> Email {
    Email::parse(address).unwrap()
}

fn change(name: &str, key: &str, mode: Option<&str>, is_active: Option<bool>) -> EnrollmentChange {
    let mut change = EnrollmentChange::new(user(name), run(key));
    change.mode = mode.map(|slug| Mode::parse(slug).unwrap());
    change.is_active = is_active;
    change
}

/// `audit+` is active, `audit-` is not.
async fn held(client: &Lms, name: &str, key: &str) -> Option<String> {
    let enrollment = client.enrollment(&user(name), &run(key)).await.unwrap()?;
    Some(format!("{}{}", enrollment.mode, if enrollment.is_active { "+" } else { "-" }))
}

#[tokio::test]
async fn an_enrollment_is_bought_upgraded_taken_back_and_restored() {
    let (simulator, client) = start();
    assert_eq!(held(&client, "bob", CS101).await, None);
    client.enroll(&change("bob", CS101, Some("audit"), Some(true))).await.unwrap();
    assert_eq!(held(&client, "bob", CS101).await.unwrap(), "audit+");

    let mut upgrade = change("bob", CS101, Some("verified"), Some(true));
    upgrade.attributes = vec![Attribute::new("bursar", "order", "campus/7").unwrap()];
    let upgraded = client.enroll(&upgrade).await.unwrap();
    assert_eq!((upgraded.mode.as_str(), upgraded.is_active), ("verified", true));
    assert_eq!(simulator.enrollment("bob", CS101).unwrap().attributes.len(), 1);

    let guarded = client.enroll(&change("bob", CS101, Some("audit"), Some(false))).await.unwrap_err();
    let (active, requested) = (Mode::parse("verified").unwrap(), Mode::parse("audit").unwrap());
    assert_eq!(guarded, Refusal::ModeMismatch { active, requested }.into());

    client.enroll(&change("bob", CS101, Some("audit"), Some(true))).await.unwrap();
    assert_eq!(held(&client, "bob", CS101).await.unwrap(), "audit+");
    client.enroll(&change("bob", CS101, Some("audit"), Some(false))).await.unwrap();
    assert_eq!(held(&client, "bob", CS101).await.unwrap(), "audit-");
    client.enroll(&change("bob", CS101, None, Some(true))).await.unwrap();
    assert_eq!(held(&client, "bob", CS101).await.unwrap(), "audit+");
}

#[tokio::test]
async fn an_inactive_enrollment_is_not_activated_by_another_mode_alone() {
    let (_simulator, client) = start();
    client.enroll(&change("bob", CS101, Some("audit"), Some(true))).await.unwrap();
    client.enroll(&change("bob", CS101, Some("audit"), Some(false))).await.unwrap();
    let answer = client.enroll(&change("bob", CS101, Some("verified"), None)).await.unwrap();
    assert!(!answer.is_active);
    client.enroll(&change("bob", CS101, Some("verified"), Some(true))).await.unwrap();
    assert_eq!(held(&client, "bob", CS101).await.unwrap(), "verified+");
}

#[tokio::test]
async fn a_name_and_a_run_in_another_case_are_the_same_to_the_lms_and_to_us() {
    let (_simulator, client) = start();
    let shouted = CS101.replace("DemoX", "DEMOX");
    client.enroll(&change("bob", CS101, Some("audit"), Some(true))).await.unwrap();
    client.enroll(&change("BOB", &shouted, Some("verified"), Some(true))).await.unwrap();
    assert_eq!(held(&client, "Bob", &shouted).await.unwrap(), "verified+");
    let filter = EnrollmentFilter::user(user("BOB")).within(run(&shouted));
    assert_eq!(client.enrollments(&filter).await.unwrap().len(), 1);
}

#[tokio::test]
async fn the_lms_refuses_what_it_refuses() {
    let (_simulator, client) = start();
    let cases: [(EnrollmentChange, LmsError); 6] = [
        (change("nobody", CS101, Some("audit"), Some(true)), Refusal::UnknownUser.into()),
        (change("bob", "course-v1:DemoX+NOPE+2026", Some("audit"), Some(true)), Refusal::UnknownCourse.into()),
        (
            change("bob", CS101, Some("platinum"), Some(true)),
            Refusal::ModeUnavailable { mode: Some(Mode::parse("platinum").unwrap()) }.into(),
        ),
        (change("bob", CLOSED, Some("audit"), Some(true)), Refusal::EnrollmentRefused.into()),
        (change("bob", INVITED, Some("audit"), Some(true)), Refusal::EnrollmentRefused.into()),
        (change("bob", FULL, Some("honor"), Some(true)), Refusal::EnrollmentRefused.into()),
    ];
    for (change, expected) in cases {
        assert_eq!(client.enroll(&change).await.unwrap_err(), expected);
    }
    let mut forced = change("bob", FULL, Some("honor"), Some(true));
    forced.force = true;
    assert_eq!(client.enroll(&forced).await.unwrap_err(), Refusal::EnrollmentRefused.into());
}

#[tokio::test]
async fn force_opens_a_closed_run_and_an_expired_mode_for_a_new_enrollment_only() {
    let (_simulator, client) = start();
    let forced = |name, key, mode| {
        let mut change = change(name, key, Some(mode), Some(true));
        change.force = true;
        change
    };
    client.enroll(&forced("bob", CLOSED, "audit")).await.unwrap();
    client.enroll(&forced("bob", INVITED, "audit")).await.unwrap();
    client.enroll(&forced("bob", EXPIRED, "verified")).await.unwrap();
    assert_eq!(held(&client, "bob", EXPIRED).await.unwrap(), "verified+");
    client.enroll(&change("carol", EXPIRED, Some("audit"), Some(true))).await.unwrap();
    let error = client.enroll(&forced("carol", EXPIRED, "verified")).await.unwrap_err();
    assert_eq!(error.code(), "mode-unavailable");
    // The way back into an expired mode names no mode.
    client.enroll(&change("bob", EXPIRED, Some("verified"), Some(false))).await.unwrap();
    let named = change("bob", EXPIRED, Some("verified"), Some(true));
    assert_eq!(client.enroll(&named).await.unwrap_err().code(), "mode-unavailable");
    client.enroll(&change("bob", EXPIRED, None, Some(true))).await.unwrap();
    assert_eq!(held(&client, "bob", EXPIRED).await.unwrap(), "verified+");
}

#[tokio::test]
async fn accounts_are_found_by_address_and_name_and_a_retired_one_is_told_apart() {
    let (_simulator, client) = start();
    let asked = [email("CAROL.case@example.com"), email("nobody@example.com"), email("old@example.com")];
    let answers = client.search_emails(&asked).await.unwrap();
    let AccountLookup::Found(carol) = &answers[0].1 else { panic!("carol is unknown") };
    assert_eq!((carol.username.as_str(), carol.email.as_ref().unwrap().as_str()), ("carol", "Carol.Case@Example.com"));
    assert_eq!((&answers[1].1, &answers[2].1), (&AccountLookup::Unknown, &AccountLookup::Unknown));

    let AccountLookup::Found(found) = client.account_by_email(&asked[0]).await.unwrap() else { panic!("unknown") };
    assert_eq!((found.id, found.is_active), (carol.id, Some(true)));
    assert_eq!(client.account_by_email(&asked[1]).await.unwrap(), AccountLookup::Unknown);
    assert_eq!(client.account_by_email(&asked[2]).await.unwrap(), AccountLookup::Retired);
    assert_eq!(client.account_by_username(&user("gone")).await.unwrap(), AccountLookup::Retired);
    assert_eq!(client.account_by_username(&user("nobody")).await.unwrap(), AccountLookup::Unknown);
    assert!(matches!(client.account_by_username(&user("BOB")).await.unwrap(), AccountLookup::Found(_)));
}

#[tokio::test]
async fn enrollments_of_many_are_listed_with_few_calls() {
    let (_simulator, client) = start();
    // More than a page, and with what follows less than the 120 calls a minute that the LMS allows.
    for n in 0..101 {
        client.enroll(&change(&format!("load{n:03}"), CS101, Some("audit"), Some(true))).await.unwrap();
    }
    let everyone = EnrollmentFilter::users((0..100).map(|n| user(&format!("load{n:03}")))).unwrap();
    assert_eq!(client.enrollments(&everyone).await.unwrap().len(), 100);
    let in_run = EnrollmentFilter::run(run(CS101));
    assert_eq!(client.enrollments(&in_run).await.unwrap().len(), 101);
    assert_eq!(client.counts().of(CallKind::ListEnrollments), 3);
    let nobody = EnrollmentFilter::user(user("nobody")).within(run(CS101));
    assert!(client.enrollments(&nobody).await.unwrap().is_empty());
}

#[tokio::test]
async fn leave_to_enroll_is_given_once_opens_a_closed_run_and_is_taken_back() {
    let (_simulator, client) = start();
    let (bob, closed) = (email("bob@example.com"), run(CLOSED));
    assert_eq!(client.create_enrollment_allowed(&bob, &closed, false).await.unwrap(), AllowedCreation::Created);
    assert_eq!(client.create_enrollment_allowed(&bob, &closed, true).await.unwrap(), AllowedCreation::Existed);
    let records = client.enrollment_allowed(&bob).await.unwrap();
    assert_eq!((records.len(), records[0].auto_enroll, records[0].user_id), (1, false, None));
    client.enroll(&change("bob", CLOSED, Some("audit"), Some(true))).await.unwrap();
    assert!(client.enrollment_allowed(&bob).await.unwrap()[0].user_id.is_some());
    assert_eq!(client.delete_enrollment_allowed(&bob, &closed).await.unwrap(), AllowedDeletion::Deleted);
    assert_eq!(client.delete_enrollment_allowed(&bob, &closed).await.unwrap(), AllowedDeletion::Absent);
}

#[tokio::test]
async fn somebody_new_is_registered_once_and_can_be_enrolled_at_once() {
    let (_simulator, client) = start();
    let mut registration = Registration {
        email: email("new.person@example.com"),
        username: user("newone"),
        name: "New Person".to_owned(),
        password: "Spike-pass-1".into(),
        extra: Vec::new(),
    };
    let registered = client.register(&registration).await.unwrap();
    assert_eq!(registered.username, user("newone"));
    let AccountLookup::Found(account) = client.account_by_email(&registration.email).await.unwrap() else {
        panic!("unknown")
    };
    assert_eq!((Some(account.id), account.is_active), (registered.id, Some(false)));
    client.enroll(&change("newone", CS101, Some("verified"), Some(true))).await.unwrap();

    let again = client.register(&registration).await.unwrap_err();
    assert!(matches!(again, LmsError::Definite(Refusal::AccountExists { email: true, username: true, .. })), "{again}");
    registration.email = email("another@example.com");
    registration.username = user("another");
    registration.password = "a".into();
    let weak = client.register(&registration).await.unwrap_err();
    assert!(matches!(weak, LmsError::Definite(Refusal::RegistrationInvalid { .. })), "{weak}");
}

#[tokio::test]
async fn course_details_and_modes_say_what_is_on_offer() {
    let (_simulator, client) = start();
    let now = bursar_domain::Clock::now(&SystemClock);
    let details = client.course_details(&run(EXPIRED)).await.unwrap();
    let offered: Vec<_> = details.modes.iter().map(|mode| (mode.mode.as_str(), mode.is_offered(now))).collect();
    assert_eq!(offered, [("audit", true), ("verified", false)]);
    assert!(details.is_open(now) && !client.course_details(&run(CLOSED)).await.unwrap().is_open(now));
    assert!(client.course_details(&run(INVITED)).await.unwrap().invitation_only);
    let unknown = client.course_details(&run("course-v1:DemoX+NOPE+2026")).await.unwrap_err();
    assert_eq!(unknown, Refusal::UnknownCourse.into());
    let modes = client.course_modes(&run(CS101)).await.unwrap();
    assert_eq!(modes.iter().map(|mode| mode.mode.as_str()).collect::<Vec<_>>(), ["audit", "verified"]);
}

fn refused(problem: UserProblem) -> LmsError {
    Fault::ServiceUser { client_id: "worker-key".to_owned(), problem }.into()
}

#[tokio::test]
async fn a_service_user_who_lost_staff_stops_the_lms() {
    let (simulator, client) = start();
    assert!(client.check_privileges().await.iter().all(|finding| finding.outcome.is_ok()));
    simulator.set_staff("worker", false).unwrap();
    let error = client.enroll(&change("bob", CS101, Some("audit"), Some(true))).await.unwrap_err();
    assert_eq!((error.clone(), error.class()), (refused(UserProblem::LostStaff), Class::Ours));
    assert_eq!(client.outage().unwrap().why, error);
    assert_eq!(client.who_am_i().await.unwrap_err().code(), "resting");
    // Each by a client of its own, which does not know yet.
    let fresh = || self::client(&simulator, |_| {});
    let (bob, email) = (user("bob"), email("bob@example.com"));
    assert_eq!(fresh().enrollment(&bob, &run(CS101)).await.unwrap_err(), refused(UserProblem::LostStaff));
    assert_eq!(fresh().search_emails(std::slice::from_ref(&email)).await.unwrap_err(), refused(UserProblem::NotStaff));
    assert_eq!(fresh().account_by_email(&email).await.unwrap_err(), refused(UserProblem::NotStaff));
    assert_eq!(fresh().enrollment_allowed(&email).await.unwrap_err(), refused(UserProblem::NotStaff));
    let findings = client.check_privileges().await;
    assert!(findings[..2].iter().all(|finding| finding.outcome.is_ok()));
    assert!(findings[2..].iter().all(|finding| finding.outcome == Err(refused(UserProblem::NotStaff))));
}

#[tokio::test]
async fn the_api_key_alone_upgrades_an_enrollment_into_an_expired_mode() {
    let simulator = Simulator::launch(Options::new(state()).with_api_key("site-key")).unwrap();
    let without = client(&simulator, |_| {});
    let with = client(&simulator, |config| config.api_key = Some("site-key".into()));
    assert!(with.has_api_key() && !without.has_api_key());
    let upgrade = change("bob", EXPIRED, Some("verified"), Some(true));
    for is_active in [true, false] {
        without.enroll(&change("bob", EXPIRED, Some("audit"), Some(is_active))).await.unwrap();
        assert_eq!(with.enroll(&upgrade).await.unwrap_err().code(), "mode-unavailable");
        assert_eq!(without.enroll_with_api_key(&upgrade).await.unwrap_err(), Refusal::NoApiKey.into());
        let upgraded = with.enroll_with_api_key(&upgrade).await.unwrap();
        assert_eq!((upgraded.mode.as_str(), upgraded.is_active), ("verified", true));
        assert_eq!(held(&without, "bob", EXPIRED).await.unwrap(), "verified+");
        without.enroll(&change("bob", EXPIRED, Some("audit"), Some(true))).await.unwrap();
    }
    // A first enrollment into an expired mode is what force is for.
    let first = change("carol", EXPIRED, Some("verified"), Some(true));
    assert_eq!(with.enroll_with_api_key(&first).await.unwrap_err().code(), "mode-unavailable");
    let wrong = client(&simulator, |config| config.api_key = Some("another".into()));
    assert_eq!(wrong.enroll_with_api_key(&upgrade).await.unwrap_err(), Refusal::ApiKeyRefused.into());
    assert_eq!(wrong.outage(), None, "a wrong key stopped the calls that need none");
    for (client, taken) in [(&with, true), (&wrong, false)] {
        let findings = client.check_privileges().await;
        let finding = findings.last().unwrap();
        assert_eq!((finding.privilege, finding.outcome.is_ok()), (Privilege::ApiKey, taken));
    }
}

#[tokio::test]
async fn the_api_key_is_not_throttled() {
    let simulator = Simulator::launch(Options::new(state()).with_api_key("site-key")).unwrap();
    let client = client(&simulator, |config| {
        config.api_key = Some("site-key".into());
        config.calls_per_minute = NonZeroU32::new(1);
    });
    client.enroll(&change("bob", CS101, Some("audit"), Some(true))).await.unwrap();
    for n in 0..130 {
        let mode = if n % 2 == 0 { "verified" } else { "audit" };
        client.enroll_with_api_key(&change("bob", CS101, Some(mode), Some(true))).await.unwrap();
    }
    let counts = client.counts();
    assert_eq!((counts.of(CallKind::ChangeEnrollmentWithApiKey), counts.of(CallKind::ChangeEnrollment)), (130, 1));
}

#[tokio::test]
async fn two_service_users_have_two_throttles() {
    let state = state().application("second-key", "second-secret", "second").user(UserSpec::new("second").as_staff());
    let simulator = Simulator::launch(Options::new(state)).unwrap();
    let second = ServiceUser { client_id: "second-key".to_owned(), client_secret: "second-secret".into() };
    let client = client(&simulator, |config| {
        config.more_users = vec![second];
        config.calls_per_minute = NonZeroU32::new(1_000);
        config.turn_timeout = Duration::from_secs(1);
    });
    for _ in 0..240 {
        client.enrollment(&user("bob"), &run(CS101)).await.unwrap();
    }
    assert_eq!((client.counts().throttled, client.counts().of(CallKind::Token)), (0, 2));
    assert_eq!(client.enrollment(&user("bob"), &run(CS101)).await.unwrap_err().code(), "throttled");
    assert!(client.outage().is_none(), "a 429 is no outage");
}

#[tokio::test]
async fn a_wrong_secret_and_revoked_tokens_are_two_things() {
    let (simulator, client) = start();
    assert_eq!(client.who_am_i().await.unwrap(), user("worker"));
    simulator.revoke_tokens();
    assert_eq!(client.who_am_i().await.unwrap(), user("worker"));
    assert_eq!(client.counts().of(CallKind::Token), 2);
    let stranger = self::client(&simulator, |config| config.user.client_secret = "wrong".into());
    assert_eq!(stranger.who_am_i().await.unwrap_err(), refused(UserProblem::UnknownClient));
}

#[tokio::test]
async fn the_lms_throttles_a_client_that_does_not_spare_it() {
    let (_simulator, client) = start();
    let client = client.at(Priority::Purchase);
    let mut answered = 0;
    let error = loop {
        match client.enrollment(&user("bob"), &run(CS101)).await {
            Ok(_) => answered += 1,
            Err(error) => break error,
        }
    };
    assert_eq!(answered, 120);
    let LmsError::TryAgain(Setback::Throttled { after }) = error else { panic!("{error}") };
    assert!(after > Duration::from_secs(30) && after <= Duration::from_secs(60), "{after:?}");
    // The pause is longer than a call may wait for its turn.
    let next = client.enroll(&change("bob", CS101, Some("audit"), Some(true))).await.unwrap_err();
    assert_eq!(next.code(), "no-turn");
    client.search_emails(&[email("bob@example.com")]).await.unwrap();
}

#[tokio::test]
async fn a_client_with_its_budget_is_not_throttled() {
    let (simulator, _) = start();
    let client = client(&simulator, |config| config.calls_per_minute = NonZeroU32::new(1_800));
    for _ in 0..60 {
        client.enrollment(&user("bob"), &run(CS101)).await.unwrap();
    }
    assert_eq!(client.counts().throttled, 0);
}

#[tokio::test]
async fn what_was_done_although_the_call_failed_is_called_unclear() {
    let (simulator, _) = start();
    let client = client(&simulator, |config| config.call_timeout = Duration::from_millis(700));
    let faults = [
        (FaultKind::ServerErrorAfter, Doubt::ServerError { status: 500 }, true),
        (FaultKind::TimeoutAfter { hold_ms: None }, Doubt::TimedOut, true),
        (FaultKind::CutAfter, Doubt::CutOff, true),
        (FaultKind::WrongEcho { mode: None, is_active: Some(false) }, Doubt::WrongEcho { what: "activation" }, true),
        (FaultKind::ServerErrorBefore, Doubt::ServerError { status: 500 }, false),
        (FaultKind::CutBefore, Doubt::CutOff, false),
        (FaultKind::Maintenance, Doubt::NotData { status: 200 }, false),
    ];
    for (number, (kind, doubt, done)) in faults.into_iter().enumerate() {
        let name = format!("load{number:03}");
        simulator.add_fault(openedx_simulator::Fault::next(Endpoint::EnrollmentPost, 1, kind));
        let error = client.enroll(&change(&name, CS101, Some("verified"), Some(true))).await.unwrap_err();
        assert_eq!(error, doubt.into());
        assert!(error.may_have_had_effect());
        assert_eq!(held(&client, &name, CS101).await.is_some(), done, "{error}");
    }
}

#[tokio::test]
async fn what_was_surely_not_done_is_not_called_unclear() {
    let (simulator, client) = start();
    for kind in [
        FaultKind::Redirect { location: None },
        FaultKind::Forbidden,
        FaultKind::NotFoundEmpty,
        FaultKind::TooManyRequests { retry_after: Some(1) },
    ] {
        simulator.add_fault(openedx_simulator::Fault::next(Endpoint::EnrollmentPost, 1, kind));
        // A new client each time, because some of these make calls rest.
        let client = self::client(&simulator, |_| {});
        let error = client.enroll(&change("bob", CS101, Some("audit"), Some(true))).await.unwrap_err();
        assert!(!error.may_have_had_effect(), "{error}");
    }
    assert_eq!(held(&client, "bob", CS101).await, None);
    simulator.unplug();
    // A new client, because a connection that is kept may break after it took the request, which is unclear indeed.
    let client = self::client(&simulator, |_| {});
    let error = client.enroll(&change("bob", CS101, Some("audit"), Some(true))).await.unwrap_err();
    assert!(matches!(error.class(), Class::TryAgain { .. }) && !error.may_have_had_effect(), "{error}");
    simulator.plug_in().unwrap();
    client.enroll(&change("bob", CS101, Some("audit"), Some(true))).await.unwrap();
}

#[tokio::test]
async fn what_is_read_verbatim_is_the_lmss_own_answer() {
    let (_simulator, client) = start();
    let asked = [email("CAROL.case@example.com"), email("nobody@example.com"), email("old@example.com")];
    let accounts = client.accounts_by_email_verbatim(&asked).await.unwrap();
    let [(account, json)] = accounts.as_slice() else { panic!("{accounts:?}") };
    assert_eq!((account.username.as_str(), &json["email"]), ("carol", &"Carol.Case@Example.com".into()));
    assert_eq!((account.is_active, &json["username"]), (Some(true), &"carol".into()));
    assert!(client.accounts_by_email_verbatim(&[]).await.unwrap().is_empty());

    let (account, json) = client.account_by_username_verbatim(&user("BOB")).await.unwrap().unwrap();
    assert_eq!((account.username.as_str(), &json["id"]), ("bob", &account.id.into()));
    for nobody in ["nobody", "gone"] {
        assert_eq!(client.account_by_username_verbatim(&user(nobody)).await.unwrap(), None, "{nobody}");
    }

    let listed = client.enrollments_verbatim(&EnrollmentFilter::user(user("carol"))).await.unwrap();
    assert_eq!((listed.len(), &listed[0].1["course_id"]), (1, &FULL.into()));
    let (_, json) = client.enrollment_verbatim(&user("carol"), &run(FULL)).await.unwrap().unwrap();
    assert_eq!(json["course_details"]["course_id"], FULL);

    let ada = email("ada@example.com");
    client.create_enrollment_allowed(&ada, &run(CS101), true).await.unwrap();
    let records = client.enrollment_allowed_verbatim(&ada).await.unwrap();
    assert_eq!((records.len(), &records[0].1["auto_enroll"]), (1, &true.into()));
    let (details, json) = client.course_details_verbatim(&run(CS101)).await.unwrap();
    assert_eq!((details.name.as_deref(), &json["course_name"]), (Some("Computing 101"), &"Computing 101".into()));
}
