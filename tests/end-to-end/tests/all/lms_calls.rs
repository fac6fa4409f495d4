//! What an adapter may ask of its LMS, and have it told: every operation, from a component that calls it to the LMS.

use std::fs;
use std::time::Duration;

use bursar_store::inbox::DeliveryState;
use end_to_end::lms::{CS101, CS102, email, state_with};
use end_to_end::places;
use end_to_end::plan::{CAMPUS, Plan, SECRET, Shop};
use end_to_end::site::Site;
use end_to_end::wait::{throughout, until, until_some};
use end_to_end::woocommerce::hmac;
use openedx_simulator::{Endpoint, Fault, FaultKind};
use serde_json::{Value, json};

/// Shorter than any test waits, longer than the simulated LMS takes to answer.
const LMS_TIMEOUT: &str = "1s";

const READ: &str = "permissions = [\"lms-read\"]";
const BOTH: &str = "permissions = [\"lms-read\", \"lms-write\"]";

fn shop() -> Shop {
    Shop::new(CAMPUS).adapter("lms-calls")
}

fn plan(learners: &[&str]) -> Plan {
    Plan::new(learners).shops([shop().line(BOTH)])
}

fn start(plan: Plan) -> Site {
    let mut site = Site::at_rest(plan);
    fs::copy(places::test_adapter("lms-calls"), site.path("adapters/lms-calls.wasm")).unwrap();
    site.serve();
    site
}

/// Sends a body, and gives the delivery's id.
fn send(site: &Site, body: &Value) -> String {
    send_to(site, CAMPUS, body)
}

fn send_to(site: &Site, shop: &str, body: &Value) -> String {
    let body = body.to_string().into_bytes();
    let headers = [("X-Signature".to_owned(), hex::encode(hmac(&body, SECRET)))];
    let before = site.ledger.deliveries_of(shop).len();
    assert_eq!(site.post_with(shop, &headers, &body).status, 200);
    let deliveries = until_some("the delivery is there", || {
        Some(site.ledger.deliveries_of(shop)).filter(|deliveries| deliveries.len() > before)
    });
    deliveries[0].id.to_string()
}

fn calls(calls: Value) -> Value {
    json!({ "calls": calls })
}

/// What the runs of a delivery logged: the answers of the LMS, and the codes of problems.
fn answers(site: &Site, id: &str) -> Vec<Value> {
    let shown = site.json(&["deliveries", "show", id]);
    let attempts = shown["attempts"].as_array().unwrap().clone();
    let lines = attempts.iter().flat_map(|attempt| attempt["notes"]["log"].as_array().cloned().unwrap_or_default());
    lines.map(|line| serde_json::from_str(line[1].as_str().unwrap()).unwrap()).collect()
}

/// What followed from a delivery: what was done, how it ended, and in which words.
fn trail(site: &Site, id: &str) -> Vec<(String, String, String)> {
    let shown = site.json(&["deliveries", "show", id]);
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let entries = shown["trail"].as_array().unwrap().clone();
    entries.iter().map(|entry| (text(&entry["action"]), text(&entry["reason"]["end"]), text(&entry["words"]))).collect()
}

/// How what was asked for in a delivery ended.
fn ends(site: &Site, id: &str) -> Vec<String> {
    trail(site, id).into_iter().map(|(_, end, _)| end).filter(|end| !end.is_empty()).collect()
}

/// Waits until the delivery is handled and nothing that it asked for is open.
fn settled(site: &Site, id: &str) {
    until("nothing is under way", || {
        let backlog = site.ledger.backlog();
        (backlog.deliveries, backlog.learners, backlog.enrollments, backlog.effects) == (0, 0, 0, 0)
    });
    let shown = site.json(&["deliveries", "show", id]);
    assert_eq!(shown["delivery"]["state"], "done", "{shown}");
}

fn problem_of(site: &Site, id: &str) -> (String, String) {
    let shown = until_some("the delivery was tried", || {
        Some(site.json(&["deliveries", "show", id])).filter(|shown| shown["delivery"]["problem_code"].is_string())
    });
    let text = |key: &str| shown["delivery"][key].as_str().unwrap().to_owned();
    (text("state"), text("problem_code"))
}

#[test]
fn every_read_returns_what_the_lms_holds() {
    let state = state_with(&["ada", "bo"]).enrollment("ada", CS101, "verified").enrollment("ada", CS102, "audit");
    let site = start(plan(&[]).state(state));
    site.lms.unenroll("ada", CS102).unwrap();
    site.lms.retire("bo").unwrap();
    let allowed =
        json!({"call": "allow", "key": "leave", "email": "new@example.com", "course": CS102, "auto_enroll": true});
    settled(&site, &send(&site, &calls(json!([allowed]))));

    let id = send(
        &site,
        &calls(json!([
            {"call": "accounts_by_email", "emails": ["ADA@example.com", "nobody@example.com", email("bo")]},
            {"call": "account_by_username", "username": "Ada"},
            {"call": "account_by_username", "username": "nobody"},
            {"call": "account_by_username", "username": "bo"},
            {"call": "enrollments_of", "username": "ada"},
            {"call": "enrollments_of", "username": "nobody"},
            {"call": "enrollment_of", "username": "ada", "course": CS101},
            {"call": "enrollment_of", "username": "ada", "course": "course-v1:No+Such+Run"},
            {"call": "enrollments_allowed", "email": "new@example.com"},
            {"call": "course_details", "run": CS101},
            {"call": "course_details", "run": "course-v1:No+Such+Run"},
        ])),
    );
    settled(&site, &id);
    let answers = answers(&site, &id);
    let ada = &answers[0][0];
    assert_eq!((answers[0].as_array().unwrap().len(), &answers[1]), (1, ada));
    assert_eq!((&ada["username"], &ada["email"], &ada["active"]), (&json!("ada"), &json!(email("ada")), &json!(true)));
    assert_eq!(ada["json"]["id"], ada["id"]);
    assert_eq!((&answers[2], &answers[3]), (&Value::Null, &Value::Null));
    let mut held: Vec<_> =
        answers[4].as_array().unwrap().iter().map(|row| (&row["course"], &row["mode"], &row["active"])).collect();
    held.sort_by_key(|(course, ..)| course.to_string());
    let expected = [(json!(CS101), json!("verified"), json!(true)), (json!(CS102), json!("audit"), json!(false))];
    assert_eq!(held, expected.iter().map(|(a, b, c)| (a, b, c)).collect::<Vec<_>>());
    assert_eq!(answers[5], json!([]));
    assert_eq!(
        (&answers[6]["mode"], &answers[6]["json"]["course_details"]["course_id"]),
        (&json!("verified"), &json!(CS101))
    );
    assert_eq!(answers[7], Value::Null);
    assert_eq!((&answers[8][0]["course_id"], &answers[8][0]["auto_enroll"]), (&json!(CS102), &json!(true)));
    assert_eq!((&answers[9]["course_id"], answers[9]["course_modes"].as_array().unwrap().len()), (&json!(CS101), 4));
    assert_eq!(answers[10], Value::Null);
}

#[test]
fn words_that_name_nobody_are_never_sent() {
    let site = start(plan(&["ada"]));
    let id = send(
        &site,
        &json!({"go_on": true, "calls": [
            {"call": "accounts_by_email", "emails": [email("ada"), " "]},
            {"call": "accounts_by_email", "emails": []},
            {"call": "account_by_username", "username": ""},
            {"call": "enrollments_of", "username": "ada,bo"},
            {"call": "enrollment_of", "username": "ada", "course": "CS101"},
            {"call": "enrollments_allowed", "email": "nobody"},
            {"call": "course_details", "run": ""},
            {"call": "change", "key": "1", "username": " ", "course": CS101},
            {"call": "change", "key": "2", "username": "ada", "course": CS101, "attributes": [["order", "date_placed", "now"]]},
            {"call": "allow", "key": "3", "email": "", "course": CS101},
            {"call": "disallow", "key": "4", "email": "a@b", "course": CS101},
            {"call": "register", "key": "5", "email": "cy@example.com", "username": "cy", "name": " "},
        ]}),
    );
    settled(&site, &id);
    let codes: Vec<String> =
        answers(&site, &id).iter().map(|answer| answer["problem"].as_str().unwrap_or("answered").to_owned()).collect();
    assert_eq!(
        codes,
        [
            "email-malformed",
            "answered",
            "username-malformed",
            "username-malformed",
            "course-malformed",
            "email-malformed",
            "course-malformed",
            "username-malformed",
            "attribute-malformed",
            "email-malformed",
            "email-malformed",
            "name-malformed",
        ]
    );
    assert_eq!(site.lms.requests().len(), 0);
}

#[test]
fn every_change_has_its_effect_once_also_when_it_is_asked_for_again_and_again() {
    let site = start(plan(&["ada", "bo"]));
    let body = calls(json!([
        {"call": "change", "key": "enroll", "username": "ada", "course": CS101, "mode": "honor",
         "attributes": [["shop", "order", "7"]]},
        {"call": "change", "key": "switch", "username": "ada", "course": CS101, "mode": "verified"},
        {"call": "change", "key": "plain", "username": "bo", "course": CS102},
        {"call": "change", "key": "end", "username": "bo", "course": CS102, "active": false},
        {"call": "register", "key": "account", "email": "cy@example.com", "username": "cy", "name": "Cy Twombly"},
        {"call": "change", "key": "cy", "username": "cy", "course": CS101, "mode": "audit", "active": true, "force": true},
        {"call": "allow", "key": "leave", "email": "di@example.com", "course": CS101},
        {"call": "allow", "key": "leave for a while", "email": "ed@example.com", "course": CS102, "auto_enroll": true},
        {"call": "disallow", "key": "no leave", "email": "ed@example.com", "course": CS102},
    ]));
    let id = send(&site, &body);
    settled(&site, &id);
    let held = |who: &str, run: &str| site.enrolled(who, run);
    let check = || {
        assert_eq!(held("ada", CS101), Some(("verified".to_owned(), true)));
        assert_eq!(held("bo", CS102), Some(("audit".to_owned(), false)));
        assert_eq!(held("cy", CS101), Some(("audit".to_owned(), true)));
        let snapshot = site.lms.snapshot();
        assert!(snapshot.users.iter().any(|user| user.username == "cy" && user.name == "Cy Twombly"));
        let allowed: Vec<_> =
            snapshot.enrollment_allowed.iter().map(|leave| (leave.email.as_str(), leave.course.as_str())).collect();
        assert_eq!(allowed, [("di@example.com", CS101)]);
    };
    check();
    assert_eq!(ends(&site, &id), ["done"; 9], "{:?}", trail(&site, &id));
    let changes = || {
        let changing = |endpoint| {
            site.lms
                .requests()
                .into_iter()
                .filter(move |request| request.endpoint == endpoint && request.method != "GET")
        };
        [Endpoint::EnrollmentPost, Endpoint::EnrollmentAllowed, Endpoint::Registration]
            .map(|endpoint| changing(endpoint).count())
    };
    assert_eq!(changes(), [5, 3, 1]);

    // Sent twice, run again by a person, and asked for in other words under the same key.
    let again = send(&site, &body);
    settled(&site, &again);
    assert_eq!(ends(&site, &again), ["repeated"; 9]);
    let _ = site.json(&["deliveries", "retry", &id]);
    settled(&site, &id);
    let other = calls(json!([{"call": "change", "key": "enroll", "username": "bo", "course": CS101}]));
    settled(&site, &send(&site, &other));
    assert_eq!(held("bo", CS101), None);
    check();
    assert_eq!(changes(), [5, 3, 1]);

    // A run that does not end well asked for nothing; the next try of it asks once.
    let later = json!({"fail_once": "not-yet", "calls": [{"call": "change", "key": "later", "username": "bo", "course": CS101}]});
    let id = send(&site, &later);
    assert_eq!(problem_of(&site, &id), ("queued".to_owned(), "not-yet".to_owned()));
    assert_eq!(site.ledger.backlog().effects, 0);
    settled(&site, &id);
    assert_eq!((held("bo", CS101), changes()[0]), (Some(("audit".to_owned(), true)), 6));
}

#[test]
fn what_is_so_already_is_not_asked_for() {
    let state = state_with(&["ada"]).enrollment("ada", CS101, "verified");
    let site = start(plan(&[]).state(state));
    let id = send(
        &site,
        &calls(json!([
            {"call": "change", "key": "1", "username": "ada", "course": CS101, "active": true},
            {"call": "change", "key": "2", "username": "ada", "course": CS102, "active": false},
            {"call": "allow", "key": "3", "email": "di@example.com", "course": CS101},
            {"call": "allow", "key": "4", "email": "di@example.com", "course": CS101, "auto_enroll": true},
            {"call": "disallow", "key": "5", "email": "nobody@example.com", "course": CS101},
            {"call": "register", "key": "6", "email": email("ada"), "username": "lovelace", "name": "Ada"},
        ])),
    );
    settled(&site, &id);
    assert_eq!(ends(&site, &id), ["already-so", "already-so", "done", "already-so", "already-so", "account-exists"]);
    assert_eq!(site.lms.count(Endpoint::EnrollmentPost), 0);
    assert_eq!(site.enrolled("ada", CS102), None);
    assert!(site.ledger.reviews().is_empty());
}

#[test]
fn what_the_lms_refuses_is_a_persons_matter_and_holds_up_nothing_else() {
    let site = start(plan(&["ada", "gone"]));
    site.lms.retire("gone").unwrap();
    site.lms.close_course(CS102).unwrap();
    let body = calls(json!([
        {"call": "change", "key": "1", "username": "nobody", "course": CS101},
        {"call": "change", "key": "2", "username": "gone", "course": CS101},
        {"call": "change", "key": "3", "username": "ada", "course": CS102, "mode": "no-such-mode"},
        {"call": "register", "key": "4", "email": "other@example.com", "username": "ada", "name": "Another Ada"},
        {"call": "change", "key": "5", "username": "ada", "course": CS101, "mode": "honor"},
    ]));
    let id = send(&site, &body);
    settled(&site, &id);
    assert_eq!(ends(&site, &id), ["refused", "refused", "refused", "refused", "done"], "{:?}", trail(&site, &id));
    let words: Vec<String> = site.ledger.reviews().iter().map(|review| review.concern.to_string()).collect();
    assert_eq!(words.len(), 4, "{words:?}");
    for (words, refusal) in words.iter().zip(["unknown-user", "account-retired", "mode-unavailable", "account-exists"])
    {
        assert!(words.ends_with(refusal), "{words}");
        assert!(!words.contains('@'), "{words}");
    }
    assert_eq!(site.enrolled("ada", CS101), Some(("honor".to_owned(), true)));

    // When a person has it run again, what was refused is asked for again; what was done is not.
    site.lms.register("nobody", "nobody@example.com", "Nobody").unwrap();
    let _ = site.json(&["deliveries", "retry", &id]);
    until("it is done when it can be", || site.enrolled("nobody", CS101) == Some(("audit".to_owned(), true)));
    settled(&site, &id);
    assert_eq!(site.ledger.reviews().len(), 3);
    assert_eq!(ends(&site, &id).iter().filter(|end| *end == "done").count(), 2);
}

#[test]
fn faults_of_the_lms_delay_a_change_and_never_double_it() {
    let hidden = [FaultKind::ServerErrorAfter, FaultKind::TimeoutAfter { hold_ms: Some(2_000) }, FaultKind::CutAfter];
    let undone = [
        FaultKind::ServerErrorBefore,
        FaultKind::TimeoutBefore { hold_ms: Some(2_000) },
        FaultKind::TooManyRequests { retry_after: Some(1) },
        FaultKind::BadGateway,
        FaultKind::Maintenance,
    ];
    let site = start(plan(&["ada"]).lms_timeout(LMS_TIMEOUT));
    for (index, fault) in hidden.into_iter().chain(undone).enumerate() {
        let mode = if index % 2 == 0 { "honor" } else { "verified" };
        let address = format!("learner{index}@example.com");
        for endpoint in [Endpoint::EnrollmentPost, Endpoint::EnrollmentAllowed, Endpoint::Registration] {
            site.lms.add_fault(Fault::next(endpoint, 1, fault.clone()));
        }
        site.lms.forget_requests();
        let id = send(
            &site,
            &calls(json!([
                {"call": "change", "key": format!("{index} mode"), "username": "ada", "course": CS101, "mode": mode},
                {"call": "allow", "key": format!("{index} leave"), "email": address, "course": CS101},
                {"call": "register", "key": format!("{index} account"), "email": address, "username": format!("learner{index}"), "name": "L"},
            ])),
        );
        settled(&site, &id);
        assert!(site.lms.faults().is_empty(), "{fault:?} did not strike");
        assert_eq!(site.enrolled("ada", CS101), Some((mode.to_owned(), true)), "{fault:?}");
        let was_hidden = index < 3;
        let ends = ends(&site, &id);
        assert_eq!(
            ends,
            if was_hidden { ["found-done"; 3] } else { ["done"; 3] },
            "{fault:?}: {:?}",
            trail(&site, &id)
        );
        let (posts, registered) = (site.lms.count(Endpoint::EnrollmentPost), site.lms.count(Endpoint::Registration));
        assert_eq!((posts, registered), if was_hidden { (1, 1) } else { (2, 2) }, "{fault:?}");
        let leaves = site.lms.snapshot().enrollment_allowed.iter().filter(|leave| leave.email == address).count();
        assert_eq!(leaves, 1, "{fault:?}");
    }
    assert!(site.ledger.reviews().is_empty(), "{:?}", site.ledger.reviews());
}

#[test]
fn a_kill_between_the_lms_and_the_record_of_it_is_found_done() {
    let changes = [
        (
            Endpoint::EnrollmentPost,
            json!({"call": "change", "key": "1", "username": "ada", "course": CS101, "mode": "honor"}),
        ),
        (Endpoint::EnrollmentAllowed, json!({"call": "allow", "key": "2", "email": "di@example.com", "course": CS101})),
        (
            Endpoint::EnrollmentAllowed,
            json!({"call": "disallow", "key": "3", "email": "di@example.com", "course": CS101}),
        ),
        (
            Endpoint::Registration,
            json!({"call": "register", "key": "4", "email": "cy@example.com", "username": "cy", "name": "Cy"}),
        ),
    ];
    let mut site = start(plan(&["ada"]).lms_timeout("30s"));
    for (endpoint, change) in changes {
        site.lms.forget_requests();
        site.lms.add_fault(Fault::next(endpoint, 1, FaultKind::TimeoutAfter { hold_ms: None }));
        let id = send(&site, &calls(json!([change])));
        until("the LMS has done it, and holds its answer back", || site.lms.faults().is_empty());
        std::thread::sleep(Duration::from_millis(100));
        site.kill();
        site.serve();
        settled(&site, &id);
        assert_eq!(ends(&site, &id), ["found-done"], "{change}");
        let sent =
            site.lms.requests().into_iter().filter(|request| request.endpoint == endpoint && request.method != "GET");
        assert_eq!(sent.count(), 1, "{change}");
    }
    let snapshot = site.lms.snapshot();
    assert_eq!(site.enrolled("ada", CS101), Some(("honor".to_owned(), true)));
    assert!(snapshot.enrollment_allowed.is_empty() && snapshot.users.iter().any(|user| user.username == "cy"));
}

#[test]
fn what_an_adapter_set_is_not_a_purchases_to_take() {
    let site = start(plan(&["ada", "bo"]));
    let order = |id: &str, revision: u64, username: &str, paid: bool| json!({"id": id, "revision": revision, "paid": paid, "username": username, "course": CS101, "mode": "verified"});
    let is = |who: &str, mode: &str, active: bool| {
        until(&format!("{who} is {mode}, active: {active}"), || {
            let backlog = site.ledger.backlog();
            (backlog.learners, backlog.enrollments) == (0, 0)
                && site.enrolled(who, CS101) == Some((mode.to_owned(), active))
        });
    };
    // Set before the purchase, and the other way round.
    let set = |key: &str, username: &str| json!({"call": "change", "key": key, "username": username, "course": CS101, "mode": "honor", "active": true});
    settled(&site, &send(&site, &calls(json!([set("1", "ada")]))));
    settled(&site, &send(&site, &json!({"calls": [], "order": order("1", 1, "ada", true)})));
    is("ada", "verified", true);
    settled(&site, &send(&site, &json!({"calls": [], "order": order("2", 1, "bo", true)})));
    is("bo", "verified", true);
    settled(&site, &send(&site, &calls(json!([set("2", "bo")]))));
    is("bo", "verified", true);

    for (id, username) in [("1", "ada"), ("2", "bo")] {
        settled(&site, &send(&site, &json!({"calls": [], "order": order(id, 2, username, false)})));
        is(username, "honor", true);
    }

    // Ended by an adapter while it is owed: as if the learner had left, until the next purchase.
    settled(&site, &send(&site, &json!({"calls": [], "order": order("3", 1, "ada", true)})));
    is("ada", "verified", true);
    let end = json!([{"call": "change", "key": "3", "username": "ada", "course": CS101, "active": false}]);
    settled(&site, &send(&site, &calls(end)));
    is("ada", "verified", false);
}

#[test]
fn a_shop_that_is_only_observed_reads_and_changes_nothing() {
    let mut site = start(plan(&["ada"]).shops([shop().line(BOTH).mode("observe")]));
    let body = calls(json!([
        {"call": "account_by_username", "username": "ada"},
        {"call": "change", "key": "1", "username": "ada", "course": CS101, "mode": "honor"},
        {"call": "register", "key": "2", "email": "cy@example.com", "username": "cy", "name": "Cy"},
    ]));
    let id = send(&site, &body);
    settled(&site, &id);
    assert_eq!(answers(&site, &id)[0]["username"], "ada");
    assert_eq!(ends(&site, &id), ["observed", "observed"]);
    let (_, _, words) = trail(&site, &id).remove(0);
    assert_eq!(words, format!("the shop is only observed; the adapter asked to set the mode in {CS101} to honor"));

    // Going live does nothing by itself; the key is free for whoever has it run again.
    site.stop();
    site.replan(|plan| plan.shops([shop().line(BOTH)]));
    site.serve();
    throughout(Duration::from_secs(1), "nothing is changed", || site.enrolled("ada", CS101).is_none());
    let _ = site.json(&["deliveries", "retry", &id]);
    until("it is done now", || site.enrolled("ada", CS101) == Some(("honor".to_owned(), true)));
}

#[test]
fn without_the_permission_the_shop_waits_and_says_which_one_it_wants() {
    let mut site = start(plan(&["ada"]).shops([shop().line(READ)]));
    let told = site.log().wait_for_all("a shop cannot be served; what it sends is kept", 1);
    assert_eq!(told[0]["code"], "not-granted");
    assert!(told[0]["why"].as_str().unwrap().contains("lms-write"), "{}", told[0]);
    let change = json!([{"call": "change", "key": "1", "username": "ada", "course": CS101}]);
    let id = send(&site, &calls(change));
    assert_eq!(site.ledger.states_of(CAMPUS), [DeliveryState::Parked]);
    assert_eq!(site.lms.requests().len(), 0);

    site.stop();
    site.replan(|plan| plan.shops([shop().line(BOTH)]));
    site.serve();
    until("it is done when it is granted", || site.enrolled("ada", CS101) == Some(("audit".to_owned(), true)));
    settled(&site, &id);
}

#[test]
fn nothing_may_be_called_while_a_request_is_only_judged() {
    let site = start(plan(&["ada"]));
    for call in [
        json!({"call": "account_by_username", "username": "ada"}),
        json!({"call": "change", "key": "1", "username": "ada", "course": CS101}),
    ] {
        let id = send(&site, &json!({"early": true, "calls": [call]}));
        assert_eq!(problem_of(&site, &id), ("parked".to_owned(), "wrong-phase".to_owned()));
    }
    assert_eq!(site.lms.requests().len(), 0);
}

#[test]
fn what_goes_wrong_with_a_read_is_a_problem_with_its_remedy() {
    let site = start(plan(&["ada"]).lms_timeout(LMS_TIMEOUT));
    let read = || calls(json!([{"call": "enrollment_of", "username": "ada", "course": CS101}]));
    for (fault, state, code) in [
        (FaultKind::TooManyRequests { retry_after: Some(2) }, "queued", "lms-unavailable"),
        (FaultKind::TimeoutBefore { hold_ms: Some(2_000) }, "queued", "lms-unavailable"),
        (FaultKind::ServerErrorBefore, "queued", "lms-unavailable"),
        (FaultKind::NotFoundEmpty, "waiting", "lms-misconfigured"),
    ] {
        site.lms.add_fault(Fault::next(Endpoint::EnrollmentGet, 1, fault.clone()));
        let id = send(&site, &read());
        assert_eq!(problem_of(&site, &id), (state.to_owned(), code.to_owned()), "{fault:?}");
    }
}

#[test]
fn so_many_calls_and_no_more() {
    let site = start(plan(&["ada"]));
    let read = json!({"call": "account_by_username", "username": "ada"});
    let id = send(&site, &calls(Value::Array(vec![read.clone(); 32])));
    settled(&site, &id);
    let id = send(&site, &calls(Value::Array(vec![read; 33])));
    assert_eq!(problem_of(&site, &id), ("queued".to_owned(), "limit".to_owned()));
}
