//! The rules of `docs/lms.md` that no recorded exchange shows, over real HTTP.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    unreachable_pub,
    dead_code,
    reason = "tests fail by panicking, and share a client of which each uses a part"
)]

#[path = "shared/client.rs"]
mod client;

use std::sync::Arc;
use std::time::Duration;

use client::{FORM, JSON, Reply, form, send, token};
use openedx_simulator::{
    CourseSpec, Date, Endpoint, EventKind, Fault, FaultKind, ManualClock, Options, Simulator, State, UserSpec,
};
use serde_json::{Value, json};

const SAIL: &str = "course-v1:Acme+SAIL101+2027_T1";
const SHUT: &str = "course-v1:Acme+SHUT101+2027_T1";
const PAID: &str = "course-v1:Acme+PAID101+2027_T1";
const ENROLL: &str = "/api/enrollment/v1/enrollment";
const LIST: &str = "/api/enrollment/v1/enrollments";
const ALLOWED: &str = "/api/enrollment/v1/enrollment_allowed/";
const REGISTER: &str = "/api/user/v1/account/registration/";

fn state() -> State {
    State::with_worker()
        .learner("ada", "ada@example.org")
        .learner("grace", "grace@example.org")
        .user(UserSpec::new("root").as_staff())
        .application("ada-key", "ada-secret", "ada")
        .course(CourseSpec::new(SAIL, "Sailing").mode("audit", 0).mode("verified", 49))
        .course(CourseSpec::new(SHUT, "Shut").mode("audit", 0).window(None, Some(Date::days(-1))))
        .course(CourseSpec::new(PAID, "Paid only").mode("professional", 99))
}

fn options() -> Options {
    let clock = ManualClock::new("2027-01-15T09:30:00Z".parse().unwrap());
    Options::new(state()).with_clock(Arc::new(clock))
}

struct Lms(Simulator);

impl Lms {
    fn start() -> Self {
        Self(Simulator::launch(options()).unwrap())
    }

    fn staff(&self) -> String {
        format!("JWT {}", token(self.0.address(), "worker-key", "worker-secret", false))
    }

    fn learner(&self) -> String {
        format!("JWT {}", token(self.0.address(), "ada-key", "ada-secret", false))
    }

    fn get(&self, auth: &str, path: &str) -> Reply {
        send(self.0.address(), "GET", path, &[("Authorization", auth)], None).unwrap()
    }

    fn call(&self, auth: &str, method: &str, path: &str, body: &Value) -> Reply {
        let body = body.to_string();
        send(self.0.address(), method, path, &[("Authorization", auth), JSON], Some(body.as_bytes())).unwrap()
    }

    fn enroll(&self, auth: &str, body: Value) -> Reply {
        self.call(auth, "POST", ENROLL, &body)
    }

    fn register(&self, pairs: &[(&str, &str)]) -> Reply {
        send(self.0.address(), "POST", REGISTER, &[FORM], Some(&form(pairs))).unwrap()
    }
}

fn place(user: &str, course: &str, more: Value) -> Value {
    let mut body = json!({"user": user, "course_details": {"course_id": course}});
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    body
}

#[test]
fn a_signed_token_expires_after_an_hour_and_an_opaque_one_after_ten() {
    let lms = Lms::start();
    let (signed, opaque) =
        (lms.staff(), format!("Bearer {}", token(lms.0.address(), "worker-key", "worker-secret", true)));
    lms.0.advance(Duration::from_secs(3599));
    assert_eq!(lms.get(&signed, "/api/user/v1/me").status, 200);
    lms.0.advance(Duration::from_secs(1));
    let refused = lms.get(&signed, "/api/user/v1/me");
    assert_eq!((refused.status, refused.json()), (401, json!({"detail": "Invalid token."})));
    assert_eq!(lms.get(&opaque, "/api/user/v1/me").status, 200);
    lms.0.advance(Duration::from_secs(9 * 3600 + 1));
    assert_eq!(lms.get(&opaque, "/api/user/v1/me").json()["error_code"], "token_expired");
}

#[test]
fn the_staff_bucket_takes_120_calls_of_all_enrollment_views_in_any_minute_and_accounts_are_free() {
    let lms = Lms::start();
    let staff = lms.staff();
    for call in 0..120 {
        let path = if call % 2 == 0 { LIST.to_owned() } else { format!("{ENROLL}/ada,{SAIL}") };
        assert_eq!(lms.get(&staff, &path).status, 200, "call {call}");
    }
    lms.0.advance(Duration::from_secs(13));
    let refused = lms.enroll(&staff, place("ada", SAIL, json!({})));
    assert_eq!((refused.status, refused.header("retry-after")), (429, Some("47")));
    assert_eq!(refused.json(), json!({"detail": "Request was throttled. Expected available in 47 seconds."}));
    let listed = lms.get(&staff, LIST);
    assert_eq!((listed.status, listed.header("retry-after")), (429, None));
    assert!(listed.json()["developer_message"].is_string());
    assert_eq!(lms.get(&staff, "/api/user/v1/accounts?username=ada").status, 200);
    lms.0.advance(Duration::from_millis(46_500));
    assert_eq!(lms.get(&staff, ALLOWED).json()["detail"], "Request was throttled. Expected available in 1 second.");
    lms.0.advance(Duration::from_millis(500));
    assert_eq!(lms.get(&staff, LIST).status, 200);
}

#[test]
fn others_have_40_calls_a_minute_and_refusals_by_permission_cost_nothing() {
    let lms = Lms::start();
    let learner = lms.learner();
    for _ in 0..60 {
        assert_eq!(lms.get(&learner, LIST).status, 403);
    }
    let passed = (0..60).filter(|_| lms.get(&learner, ENROLL).status == 200).count();
    assert_eq!(passed, 40);
    assert_eq!(lms.get(&lms.staff(), LIST).status, 200);
}

#[test]
fn the_public_view_of_a_course_counts_by_address_even_for_staff_and_is_remembered_for_a_minute() {
    let lms = Lms::start();
    let staff = lms.staff();
    let path = format!("/api/enrollment/v1/course/{SAIL}");
    let modes = |reply: &Reply| reply.json()["course_modes"].as_array().unwrap().len();
    assert_eq!(modes(&lms.get(&staff, &path)), 2);
    lms.0.expire_mode(SAIL, "verified").unwrap();
    assert_eq!(modes(&lms.get(&staff, &path)), 2);
    assert_eq!(modes(&lms.get(&staff, &format!("{path}?include_expired="))), 2);
    let refused = lms.enroll(&staff, place("ada", SAIL, json!({"mode": "verified"})));
    assert_eq!(refused.status, 400);
    lms.0.advance(Duration::from_secs(60));
    assert_eq!(modes(&lms.get(&staff, &path)), 1);
    assert_eq!(modes(&lms.get(&staff, &format!("{path}?include_expired=0"))), 2);
    let passed = (0..60).filter(|_| lms.get(&staff, &path).status == 200).count();
    assert_eq!(passed, 38);
}

#[test]
fn the_token_endpoint_takes_120_calls_a_minute_and_then_shows_a_page() {
    let lms = Lms::start();
    let call = || send(lms.0.address(), "POST", "/oauth2/access_token", &[FORM], Some(b"grant_type=x")).unwrap();
    assert_eq!((0..120).filter(|_| call().status == 400).count(), 120);
    let refused = call();
    assert_eq!((refused.status, refused.header("content-type")), (429, Some("text/html; charset=utf-8")));
    assert_eq!(refused.header("retry-after"), None);
    lms.0.advance(Duration::from_secs(60));
    assert_eq!(call().status, 400);
}

#[test]
fn a_bad_order_date_makes_every_later_unenrollment_fall_over_and_change_nothing() {
    let lms = Lms::start();
    let staff = lms.staff();
    let dated = |user: &str, date: &str| {
        let attributes = json!([{"namespace": "order", "name": "date_placed", "value": date}]);
        lms.enroll(&staff, place(user, SAIL, json!({"mode": "verified", "enrollment_attributes": attributes})))
    };
    assert_eq!(dated("ada", "2027-01-15T09:29:58.123Z").status, 200);
    assert_eq!(dated("grace", "2027-01-15T09:29:58Z").status, 200);
    for _ in 0..2 {
        let fallen = lms.enroll(&staff, place("ada", SAIL, json!({"is_active": false})));
        assert_eq!((fallen.status, fallen.header("content-type")), (500, Some("text/html; charset=utf-8")));
        assert!(lms.0.enrollment("ada", SAIL).unwrap().is_active);
    }
    assert_eq!(lms.enroll(&staff, place("grace", SAIL, json!({"is_active": false}))).status, 200);
    assert!(!lms.0.enrollment("grace", SAIL).unwrap().is_active);
}

#[test]
fn an_order_number_without_a_date_calls_the_old_commerce_service() {
    let lms = Lms::start();
    let staff = lms.staff();
    let attributes = json!([{"namespace": "order", "name": "order_number", "value": "1001"}]);
    lms.enroll(&staff, place("ada", SAIL, json!({"mode": "verified", "enrollment_attributes": attributes})));
    assert_eq!(lms.enroll(&staff, place("ada", SAIL, json!({"is_active": false}))).status, 200);
    assert_eq!(lms.0.snapshot().commerce_calls, 1);
}

#[test]
fn attributes_replace_all_and_are_ignored_when_nothing_changes() {
    let lms = Lms::start();
    let staff = lms.staff();
    let note = |value: &str| json!([{"namespace": "shop", "name": "order", "value": value}]);
    let stored = || {
        let row = lms.0.enrollment("ada", SAIL).unwrap();
        row.attributes.into_iter().map(|attribute| attribute.value).collect::<Vec<_>>()
    };
    lms.enroll(&staff, place("ada", SAIL, json!({"mode": "audit", "enrollment_attributes": note("1")})));
    lms.enroll(&staff, place("ada", SAIL, json!({"mode": "audit", "enrollment_attributes": note("2")})));
    assert_eq!(stored(), ["1"]);
    lms.enroll(&staff, place("ada", SAIL, json!({"mode": "verified", "enrollment_attributes": note("3")})));
    assert_eq!(stored(), ["3"]);
    lms.enroll(&staff, place("ada", SAIL, json!({"mode": "audit"})));
    assert_eq!(stored(), ["3"]);
}

#[test]
fn a_token_loses_its_power_with_the_rights_of_its_owner_but_not_with_its_activation() {
    let lms = Lms::start();
    let staff = lms.staff();
    lms.0.set_active("worker", false).unwrap();
    assert_eq!(lms.enroll(&staff, place("ada", SAIL, json!({"mode": "verified"}))).status, 200);
    lms.0.set_staff("worker", false).unwrap();
    let refused = lms.enroll(&staff, place("ada", SAIL, json!({"mode": "audit"})));
    assert_eq!((refused.status, refused.body.as_str(), refused.header("content-type")), (404, "", None));
    assert_eq!(lms.get(&staff, &format!("{ENROLL}/ada,{SAIL}")).status, 404);
}

#[test]
fn activation_of_a_new_account_enrolls_it_in_the_default_mode_even_where_enrollment_is_shut() {
    let lms = Lms::start();
    let staff = lms.staff();
    for course in [SAIL, SHUT] {
        let record = json!({"email": "New@example.org", "course_id": course, "auto_enroll": true});
        assert_eq!(lms.call(&staff, "POST", ALLOWED, &record).status, 201);
    }
    let id = lms.0.register("newbie", "new@example.org", "New").unwrap();
    assert_eq!(lms.0.enrollment("newbie", SAIL), None);
    lms.0.activate("newbie").unwrap();
    for course in [SAIL, SHUT] {
        let row = lms.0.enrollment("newbie", course).unwrap();
        assert_eq!((row.mode.as_str(), row.is_active), ("audit", true));
    }
    let records = lms.get(&staff, &format!("{ALLOWED}?email=new@example.org")).json();
    assert_eq!(
        records.as_array().unwrap().iter().map(|record| record["user"].as_u64()).collect::<Vec<_>>(),
        [Some(id); 2]
    );
}

#[test]
fn a_permission_used_by_one_account_does_not_open_the_course_for_another() {
    let lms = Lms::start();
    let staff = lms.staff();
    lms.call(&staff, "POST", ALLOWED, &json!({"email": "ada@example.org", "course_id": SHUT}));
    assert_eq!(lms.enroll(&staff, place("ada", SHUT, json!({}))).status, 200);
    lms.0.change_email("ada", "ada@elsewhere.example").unwrap();
    lms.0.change_email("grace", "ada@example.org").unwrap();
    assert_eq!(lms.enroll(&staff, place("grace", SHUT, json!({}))).status, 400);
}

#[test]
fn registrations_run_out_after_sixty_tries_in_a_week_and_come_back() {
    let lms = Lms::start();
    let good = |name: &str| {
        let email = format!("{name}@example.org");
        lms.register(&[
            ("username", name),
            ("email", &email),
            ("name", "N"),
            ("password", "Spike-pass-1"),
            ("honor_code", "true"),
        ])
    };
    assert_eq!(good("first").status, 200);
    assert_eq!((0..59).filter(|_| lms.register(&[]).status == 400).count(), 59);
    let refused = good("second");
    assert_eq!((refused.status, refused.json()), (403, json!({"error_code": "forbidden-request"})));
    lms.0.advance(Duration::from_secs(7 * 24 * 3600));
    assert_eq!(good("second").status, 200);
    assert_eq!(lms.0.snapshot().users.iter().filter(|user| !user.activated).count(), 2);
    assert_eq!(lms.enroll(&lms.staff(), place("second", SAIL, json!({"mode": "verified"}))).status, 200);
}

#[test]
fn unenrolling_somebody_never_enrolled_tells_of_an_enrollment_and_its_end() {
    let lms = Lms::start();
    assert_eq!(lms.enroll(&lms.staff(), place("ada", SAIL, json!({"is_active": false}))).status, 200);
    let told: Vec<EventKind> = lms.0.snapshot().events.into_iter().map(|event| event.what).collect();
    assert_eq!(told, [EventKind::Enrolled, EventKind::Unenrolled]);
}

#[test]
fn a_course_whose_paid_modes_have_all_expired_offers_itself_for_nothing() {
    let lms = Lms::start();
    let staff = lms.staff();
    let no_default = lms.enroll(&staff, place("ada", PAID, json!({})));
    assert_eq!(no_default.status, 400);
    assert!(no_default.json()["message"].as_str().unwrap().starts_with("The [audit] course mode"));
    lms.0.expire_mode(PAID, "professional").unwrap();
    assert_eq!(lms.enroll(&staff, place("ada", PAID, json!({}))).json()["mode"], "audit");
}

#[test]
fn eight_identical_calls_at_once_make_one_row() {
    let lms = Lms::start();
    let staff = lms.staff();
    let statuses: Vec<u16> = std::thread::scope(|scope| {
        let calls: Vec<_> = (0..8)
            .map(|_| {
                scope.spawn(|| {
                    lms.enroll(&staff, place("ada", SAIL, json!({"mode": "verified", "is_active": true}))).status
                })
            })
            .collect();
        calls.into_iter().map(|call| call.join().unwrap()).collect()
    });
    assert_eq!(statuses, [200; 8]);
    assert_eq!(lms.0.snapshot().enrollments.len(), 1);
}

#[test]
fn the_shared_key_enrolls_into_expired_modes_by_update_only_and_is_never_throttled() {
    let lms = Lms(Simulator::launch(options().with_api_key("shared")).unwrap());
    let call = |body: &Value| {
        send(lms.0.address(), "POST", ENROLL, &[("X-Edx-Api-Key", "shared"), JSON], Some(body.to_string().as_bytes()))
            .unwrap()
    };
    assert_eq!(call(&place("ada", SAIL, json!({}))).status, 200);
    lms.0.expire_mode(SAIL, "verified").unwrap();
    assert_eq!(call(&place("ada", SAIL, json!({"mode": "verified"}))).json()["mode"], "verified");
    assert_eq!(call(&place("grace", SAIL, json!({"mode": "verified", "force_enrollment": true}))).status, 400);
    assert_eq!(call(&json!({"course_details": {"course_id": SAIL}})).json()["message"], "The user  does not exist.");
    assert_eq!((0..150).filter(|_| call(&place("ada", SAIL, json!({"mode": "verified"}))).status == 429).count(), 0);
    let list = send(lms.0.address(), "GET", LIST, &[("X-Edx-Api-Key", "shared")], None).unwrap();
    assert_eq!(list.status, 401);
}

#[test]
fn pages_lead_forward_and_back_through_all_rows() {
    let lms = Lms::start();
    let staff = lms.staff();
    for user in ["ada", "grace", "root", "worker"] {
        lms.enroll(&staff, place(user, SAIL, json!({})));
    }
    lms.enroll(&staff, place("ada", SHUT, json!({"force_enrollment": true})));
    let page = |path: &str| lms.get(&staff, path).json();
    let users = |page: &Value| -> Vec<String> {
        page["results"].as_array().unwrap().iter().map(|row| row["user"].as_str().unwrap().to_owned()).collect()
    };
    let first = page(&format!("{LIST}?page_size=2"));
    let path =
        |link: &Value| link.as_str().unwrap().split_once("/api/").map(|(_, rest)| format!("/api/{rest}")).unwrap();
    let second = page(&path(&first["next"]));
    let third = page(&path(&second["next"]));
    assert_eq!(
        [users(&first), users(&second), users(&third)],
        [vec!["ada", "worker"], vec!["root", "grace"], vec!["ada"]]
    );
    assert_eq!((&first["previous"], &third["next"]), (&Value::Null, &Value::Null));
    assert_eq!(users(&page(&path(&third["previous"]))), users(&second));
    assert_eq!(users(&page(&path(&page(&path(&third["previous"]))["previous"]))), users(&first));
    assert_eq!(lms.get(&staff, &format!("{LIST}?cursor=garbage")).status, 404);
    assert_eq!(page(&format!("{LIST}?course_ids=shut101"))["results"].as_array().unwrap().len(), 1);
}

#[test]
fn methods_types_and_tongues_the_framework_does_not_take_are_refused_in_its_own_words() {
    let lms = Lms::start();
    let staff = lms.staff();
    let to = lms.0.address();
    let auth = ("Authorization", staff.as_str());
    let wrong_method = lms.call(&staff, "PATCH", LIST, &json!({}));
    assert_eq!(
        (wrong_method.status, wrong_method.json()),
        (405, json!({"developer_message": "Method \"PATCH\" not allowed."}))
    );
    let anonymous = send(to, "PUT", ENROLL, &[], None).unwrap();
    assert_eq!(anonymous.status, 401);
    let plain = send(to, "POST", ENROLL, &[auth, ("Content-Type", "text/plain")], Some(b"{}")).unwrap();
    assert_eq!(
        (plain.status, plain.json()),
        (415, json!({"detail": "Unsupported media type \"text/plain\" in request."}))
    );
    let untyped = send(to, "POST", ENROLL, &[auth], Some(b"{}")).unwrap();
    assert_eq!(untyped.json()["detail"], "Unsupported media type \"\" in request.");
    let nothing = send(to, "POST", ENROLL, &[auth, JSON], Some(b"")).unwrap();
    assert_eq!(nothing.json()["message"], "Course ID must be specified to create a new enrollment.");
    let page = send(to, "GET", ENROLL, &[auth, ("Accept", "text/html")], None).unwrap();
    assert_eq!((page.status, page.json()), (406, json!({"detail": "Could not satisfy the request Accept header."})));
    let head = send(to, "HEAD", ENROLL, &[auth], None).unwrap();
    assert_eq!((head.status, head.body.as_str()), (200, ""));
    let form_to_json =
        send(to, "POST", "/api/user/v1/accounts/search_emails", &[auth, FORM], Some(b"emails=a")).unwrap();
    assert_eq!(form_to_json.status, 415);
    let get_token = send(to, "GET", "/oauth2/access_token", &[], None).unwrap();
    assert_eq!((get_token.status, get_token.header("allow")), (405, Some("POST, OPTIONS")));
    let one_word = lms.get("JWT", ENROLL);
    assert_eq!(one_word.json()["error_code"], "token_not_provided");
    assert_eq!(lms.get("JWT a b", LIST).json()["developer_message"]["error_code"], "token_malformed");
    let slash = lms.get(&staff, "/api/enrollment/v1/enrollment_allowed?email=a%40b.c");
    assert_eq!(
        (slash.status, slash.header("location")),
        (301, Some("/api/enrollment/v1/enrollment_allowed/?email=a%40b.c"))
    );
}

#[test]
fn somebody_without_rights_sees_only_what_others_share() {
    let lms = Lms::start();
    let learner = lms.learner();
    let other = lms.get(&learner, "/api/user/v1/accounts/grace").json();
    let mut keys: Vec<&String> = other.as_object().unwrap().keys().collect();
    keys.sort();
    assert_eq!(keys, ["account_privacy", "profile_image", "username"]);
    assert_eq!(lms.get(&learner, "/api/user/v1/accounts/ada").json()["email"], "ada@example.org");
    let search = lms.call(&learner, "POST", "/api/user/v1/accounts/search_emails", &json!({"emails": []}));
    assert_eq!(
        (search.status, search.json()),
        (404, json!({"developer_message": "not_found", "user_message": "Not Found"}))
    );
    assert_eq!(lms.get(&learner, &format!("{ENROLL}?user=grace")).json(), json!([]));
}

#[test]
fn a_fault_after_the_effect_leaves_the_learner_enrolled_and_one_before_does_not() {
    let lms = Lms::start();
    let staff = lms.staff();
    let strike = |user: &str, kind: FaultKind| {
        lms.0.add_fault(Fault::next(Endpoint::EnrollmentPost, 1, kind));
        let body = place(user, SAIL, json!({"mode": "verified"})).to_string();
        let reply = send(lms.0.address(), "POST", ENROLL, &[("Authorization", &staff), JSON], Some(body.as_bytes()));
        (reply.ok().map(|reply| reply.status), lms.0.enrollment(user, SAIL).is_some())
    };
    assert_eq!(strike("ada", FaultKind::ServerErrorBefore), (Some(500), false));
    assert_eq!(strike("ada", FaultKind::TimeoutBefore { hold_ms: Some(20) }), (None, false));
    assert_eq!(strike("ada", FaultKind::CutBefore), (None, false));
    assert_eq!(strike("ada", FaultKind::TooManyRequests { retry_after: Some(7) }), (Some(429), false));
    assert_eq!(strike("ada", FaultKind::Maintenance), (Some(200), false));
    assert_eq!(strike("ada", FaultKind::Redirect { location: None }), (Some(301), false));
    assert_eq!(strike("ada", FaultKind::NotAcceptable), (Some(406), false));
    assert_eq!(strike("ada", FaultKind::NoSuchUser), (Some(406), false));
    assert_eq!(strike("ada", FaultKind::ServerErrorAfter), (Some(500), true));
    assert_eq!(strike("grace", FaultKind::CutAfter), (None, true));
    assert_eq!(strike("root", FaultKind::TimeoutAfter { hold_ms: Some(20) }), (None, true));
    let echo = FaultKind::WrongEcho { mode: Some("audit".to_owned()), is_active: None };
    lms.0.add_fault(Fault::next(Endpoint::EnrollmentPost, 1, echo));
    let said = lms.enroll(&staff, place("worker", SAIL, json!({"mode": "verified"})));
    assert_eq!(said.json()["mode"], "audit");
    assert_eq!(lms.0.enrollment("worker", SAIL).unwrap().mode, "verified");
    assert_eq!(lms.0.count(Endpoint::EnrollmentPost), 12);
    assert_eq!(lms.0.faults(), []);
}

#[test]
fn an_unplugged_lms_refuses_connections_and_forgets_nothing() {
    let lms = Lms::start();
    lms.enroll(&lms.staff(), place("ada", SAIL, json!({})));
    lms.0.unplug();
    assert!(send(lms.0.address(), "GET", ENROLL, &[], None).is_err());
    lms.0.plug_in().unwrap();
    assert_eq!(lms.get(&lms.staff(), &format!("{ENROLL}/ada,{SAIL}")).json()["is_active"], true);
}

#[test]
fn odd_values_are_quoted_as_python_prints_them_and_odd_shapes_make_the_view_fall_over() {
    let lms = Lms::start();
    let staff = lms.staff();
    let said = |more: Value| {
        let reply = lms.enroll(&staff, place("ada", SAIL, more));
        assert_eq!(reply.status, 400, "{}", reply.body);
        reply.json()["message"].as_str().unwrap().to_owned()
    };
    assert_eq!(said(json!({"is_active": 0})), "'0' is an invalid enrollment activation status.");
    assert_eq!(said(json!({"is_active": {"a": true}})), "'{'a': True}' is an invalid enrollment activation status.");
    assert_eq!(said(json!({"force_enrollment": []})), "'[]' is an invalid force enrollment status.");
    assert!(said(json!({"mode": ""})).starts_with("The [] course mode"));
    assert!(said(json!({"mode": "Verified"})).starts_with("The [Verified] course mode"));
    let fallen = [
        json!([]),
        json!(null),
        json!("text"),
        json!({"user": "ada", "course_details": null}),
        json!({"user": "ada", "course_details": {"course_id": 5}}),
        place("ada", SAIL, json!({"enrollment_attributes": "text"})),
        place("ada", SAIL, json!({"enrollment_attributes": [{"name": "n", "value": "v"}]})),
        place(
            "ada",
            SAIL,
            json!({"enrollment_attributes": [{"namespace": "s", "name": "n", "value": "v".repeat(256)}]}),
        ),
    ];
    for body in &fallen {
        assert_eq!(lms.enroll(&staff, body.clone()).status, 500, "{body}");
    }
    assert_eq!(fallen.len(), 8);
    assert_eq!(lms.0.snapshot().enrollments, []);
    assert_eq!(lms.0.snapshot().events, []);
}

#[test]
fn the_credit_mode_asks_for_a_provider_only_when_an_enrollment_changes_and_attributes_came_along() {
    let course = "course-v1:Acme+CREDIT+2027";
    let spec = CourseSpec::new(course, "Credit").mode("audit", 0).mode("credit", 99);
    let lms = Lms(Simulator::start(state().course(spec).enrollment("ada", course, "audit")).unwrap());
    let staff = lms.staff();
    let other = json!([{"namespace": "shop", "name": "order", "value": "1"}]);
    let with_other = json!({"mode": "credit", "enrollment_attributes": other});
    let refused = lms.enroll(&staff, place("ada", course, with_other.clone()));
    assert_eq!(
        refused.json()["message"],
        "Missing enrollment attributes: requested mode=credit required attributes=['credit:provider_id']"
    );
    assert_eq!(lms.enroll(&staff, place("grace", course, with_other)).status, 200);
    assert_eq!(lms.enroll(&staff, place("ada", course, json!({"mode": "credit"}))).json()["mode"], "credit");
}

#[test]
fn somebody_without_rights_gets_an_inactive_row_but_cannot_force_look_up_or_act_for_others() {
    let lms = Lms::start();
    let learner = lms.learner();
    let by_email = json!({"email": "ada@example.org", "course_details": {"course_id": SAIL}});
    assert_eq!(lms.enroll(&learner, by_email).status, 404);
    assert_eq!(lms.enroll(&learner, place("ADA", SAIL, json!({}))).status, 404);
    assert_eq!(lms.enroll(&learner, place("ada", SHUT, json!({"force_enrollment": true}))).status, 400);
    assert_eq!(lms.enroll(&learner, place("ada", SAIL, json!({"is_active": false}))).json()["is_active"], false);
    assert_eq!(lms.enroll(&learner, place("ada", SAIL, json!({"is_active": true}))).json()["is_active"], true);
    assert_eq!(lms.call(&learner, "POST", ALLOWED, &json!({})).status, 403);
}
