//! The adapter against the fake host of the kit, and so the kit's fake of the LMS.

use bursar_adapter::lms_read::{Account, Enrollment};
use bursar_adapter::testing::{AskedChange, Handled, LmsFacts, Post, Shop};
use bursar_adapter::{Problem, Remedy};
use serde_json::{Value, json};

use crate::LmsCalls;

const RUN: &str = "course-v1:A+B+C";

fn lms() -> LmsFacts {
    let (username, email, json) = ("ada".to_owned(), "ada@example.org".to_owned(), r#"{"bio":null}"#.to_owned());
    let enrollment = Enrollment { course: RUN.to_owned(), mode: "audit".to_owned(), active: true, json: json.clone() };
    LmsFacts::new()
        .account(Account { id: 7, username, email, active: true, json })
        .enrollment("ada", enrollment)
        .allowed("bo@example.org", r#"[{"auto_enroll":true}]"#)
        .course(RUN, r#"{"course_id":"course-v1:A+B+C"}"#)
}

fn handle(lms: LmsFacts, body: &Value) -> Handled {
    Shop::new().lms(lms).handle::<LmsCalls>(&Post::new(body.to_string()))
}

fn answers(handled: &Handled) -> Vec<Value> {
    handled.logs.iter().map(|(_, line)| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn every_read_answers_what_the_test_made_up() {
    let handled = handle(
        lms(),
        &json!({"calls": [
            {"call": "accounts_by_email", "emails": ["ADA@example.org", "nobody@example.org"]},
            {"call": "account_by_username", "username": "nobody"},
            {"call": "enrollments_of", "username": "ada"},
            {"call": "enrollment_of", "username": "ada", "course": RUN},
            {"call": "enrollments_allowed", "email": "bo@example.org"},
            {"call": "course_details", "run": RUN},
        ]}),
    );
    handled.result.clone().unwrap();
    let answers = answers(&handled);
    let ada = json!({"id": 7, "username": "ada", "email": "ada@example.org", "active": true, "json": {"bio": null}});
    assert_eq!((&answers[0], &answers[1]), (&json!([ada]), &Value::Null));
    assert_eq!((&answers[2][0], &answers[3]["mode"]), (&answers[3], &json!("audit")));
    assert_eq!((&answers[4][0]["auto_enroll"], &answers[5]["course_id"]), (&json!(true), &json!(RUN)));
}

#[test]
fn every_change_is_kept_under_its_key_and_the_first_of_two_counts() {
    let handled = handle(
        lms(),
        &json!({"calls": [
            {"call": "change", "key": "1", "username": "ada", "course": RUN, "mode": "honor", "active": false,
             "force": true, "attributes": [["shop", "order", "7"]]},
            {"call": "change", "key": "1", "username": "bo", "course": RUN},
            {"call": "change", "key": "2", "username": "bo", "course": RUN},
            {"call": "allow", "key": "3", "email": "bo@example.org", "course": RUN, "auto_enroll": true},
            {"call": "disallow", "key": "4", "email": "bo@example.org", "course": RUN},
            {"call": "register", "key": "5", "email": "cy@example.org", "username": "cy", "name": "Cy"},
        ]}),
    );
    assert_eq!(handled.outcome(), "done");
    assert_eq!(handled.effects.iter().map(|(key, _)| key.as_str()).collect::<Vec<_>>(), ["1", "2", "3", "4", "5"]);
    let AskedChange::Enrollment { username, mode, active, force, attributes, .. } = &handled.effects[0].1 else {
        panic!("{:?}", handled.effects)
    };
    assert_eq!((username.as_str(), mode.as_deref(), *active, *force), ("ada", Some("honor"), Some(false), true));
    assert_eq!(attributes.len(), 1);
    let AskedChange::Enrollment { active, .. } = &handled.effects[1].1 else { panic!("{:?}", handled.effects) };
    assert_eq!(*active, Some(true), "a change that says nothing else enrolls");
    let course = RUN.to_owned();
    assert_eq!(handled.effects[3].1, AskedChange::Disallow { email: "bo@example.org".to_owned(), course });
}

#[test]
fn what_names_nobody_is_refused_and_an_lms_that_is_away_asks_for_time() {
    for (call, code) in [
        (json!({"call": "accounts_by_email", "emails": ["  "]}), "email-malformed"),
        (json!({"call": "enrollment_of", "username": "a,b", "course": RUN}), "username-malformed"),
        (json!({"call": "change", "key": "1", "username": "ada", "course": ""}), "course-malformed"),
        (json!({"call": "register", "key": "1", "email": "a@b.org", "username": "a", "name": " "}), "name-malformed"),
    ] {
        assert_eq!(handle(lms(), &json!({"calls": [call]})).result.unwrap_err().code, code);
    }
    let away = lms().failing(Problem::later("lms-unavailable", "the LMS did not answer"));
    let handled = handle(away, &json!({"calls": [{"call": "course_details", "run": RUN}]}));
    assert_eq!(handled.result.unwrap_err().remedy, Remedy::Later);
}

#[test]
fn after_a_problem_nothing_was_asked_for() {
    let allow = json!({"call": "allow", "key": "1", "email": "bo@example.org", "course": RUN});
    let handled = handle(lms(), &json!({"calls": [allow], "fail_once": "told"}));
    assert_eq!((handled.outcome(), handled.effects.len()), ("later", 0));
}
