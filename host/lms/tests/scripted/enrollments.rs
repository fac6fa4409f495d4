//! One enrollment: reading and changing it.

use bursar_lms::{Attribute, Class, Doubt, EnrollmentChange, LmsError, Refusal, UserProblem};
use serde_json::json as value;

use crate::server::{Reply, bob, empty, enrollment, html, json, lms, mode, purchase, reply, run, user, user_refused};

async fn refused(change: &EnrollmentChange, status: u16, message: &str) -> LmsError {
    let body = value!({ "message": message }).to_string();
    let (_server, client) = lms([json(status, &body)]).await;
    client.enroll(change).await.unwrap_err()
}

fn removal() -> EnrollmentChange {
    let mut change = EnrollmentChange::new(bob(), run());
    change.is_active = Some(false);
    change.mode = Some(mode("audit"));
    change
}

#[tokio::test]
async fn a_purchase_is_sent_and_its_echo_returned() {
    let (server, client) = lms([enrollment("Bob", "verified", true)]).await;
    let mut change = purchase();
    change.attributes = vec![Attribute::new("bursar", "order", "campus/7").unwrap()];
    let enrolled = client.enroll(&change).await.unwrap();
    assert_eq!((enrolled.username.as_str(), enrolled.mode.as_str(), enrolled.is_active), ("Bob", "verified", true));
    assert_eq!(enrolled.created.unwrap().to_string(), "2026-11-23T08:14:27.613Z");
    let request = &server.requests()[0];
    assert_eq!((request.method.as_str(), request.target.as_str()), ("POST", "/api/enrollment/v1/enrollment"));
    assert_eq!(request.header("content-type"), Some("application/json"));
    assert_eq!(
        request.json(),
        value!({"user": "bob", "course_details": {"course_id": "course-v1:DemoX+CS101+2026"}, "mode": "verified",
                "is_active": true,
                "enrollment_attributes": [{"namespace": "bursar", "name": "order", "value": "campus/7"}]})
    );
}

#[tokio::test]
async fn success_with_something_else_than_was_asked_for_is_unclear() {
    for (answer, what) in [
        (enrollment("bob", "audit", true), "mode"),
        (enrollment("bob", "verified", false), "activation"),
        (enrollment("commerce_worker", "verified", true), "user"),
    ] {
        let (_server, client) = lms([answer]).await;
        let error = client.enroll(&purchase()).await.unwrap_err();
        assert_eq!(error, Doubt::WrongEcho { what }.into());
        assert!(error.may_have_had_effect());
    }
    let elsewhere = r#"{"created":null,"mode":"verified","is_active":true,"user":"bob",
        "course_details":{"course_id":"course-v1:DemoX+ART1+2026"}}"#;
    let (_server, client) = lms([json(200, elsewhere)]).await;
    assert_eq!(client.enroll(&purchase()).await.unwrap_err(), Doubt::WrongEcho { what: "course run" }.into());
}

#[tokio::test]
async fn a_change_that_leaves_something_open_takes_what_the_lms_holds() {
    let (_server, client) = lms([enrollment("bob", "audit", false)]).await;
    let enrolled = client.enroll(&EnrollmentChange::new(bob(), run())).await.unwrap();
    assert_eq!((enrolled.mode, enrolled.is_active), (mode("audit"), false));
}

#[tokio::test]
async fn the_enrollment_of_a_deleted_course_is_that_of_the_run_asked_for() {
    let body =
        r#"{"created":"2026-11-23T08:14:27Z","mode":"verified","is_active":true,"user":"bob","course_details":null}"#;
    let (_server, client) = lms([json(200, body)]).await;
    assert_eq!(client.enrollment(&bob(), &run()).await.unwrap().unwrap().run, run());
}

#[tokio::test]
async fn every_refusal_of_a_change_is_told_apart() {
    let generic = "An error occurred while creating the new course enrollment for user 'bob' in course 'c'";
    let cases: [(EnrollmentChange, u16, &str, LmsError); 9] = [
        (purchase(), 406, "The user bob does not exist.", Refusal::UnknownUser.into()),
        (purchase(), 400, "No course 'c' found for enrollment", Refusal::UnknownCourse.into()),
        (
            purchase(),
            400,
            "The [verified] course mode is expired or otherwise unavailable for course run [c].",
            Refusal::ModeUnavailable { mode: Some(mode("verified")) }.into(),
        ),
        (
            removal(),
            400,
            "Enrollment mode mismatch: active mode=verified, requested mode=audit. Won't deactivate.",
            Refusal::ModeMismatch { active: mode("verified"), requested: mode("audit") }.into(),
        ),
        (purchase(), 400, generic, Refusal::EnrollmentRefused.into()),
        (
            purchase(),
            400,
            "Missing enrollment attributes: requested mode=credit required attributes=['credit:provider_id']",
            Refusal::CreditAttributesMissing.into(),
        ),
        (purchase(), 403, "Users from this location cannot access the course 'c'.", Refusal::Embargo.into()),
        (
            purchase(),
            403,
            "User does not have permission to create enrollment with mode [verified].",
            Refusal::PaidModeForbidden.into(),
        ),
        (purchase(), 403, "Ask bob's teacher", Refusal::Vetoed { said: "Ask … teacher".to_owned() }.into()),
    ];
    for (change, status, message, expected) in cases {
        let error = refused(&change, status, message).await;
        assert_eq!(error, expected);
        assert_eq!((error.class(), error.may_have_had_effect()), (Class::Definite, false));
        assert!(!error.to_string().contains("bob"), "{error}");
    }
}

#[tokio::test]
async fn a_refusal_after_the_effect_is_unclear() {
    for message in ["An error occured while adding to cohort [nope]", "'value' not in enrollment attribute"] {
        let error = refused(&purchase(), 400, message).await;
        assert_eq!((error.code(), error.class()), ("after-the-effect", Class::Unclear));
        assert!(error.may_have_had_effect());
    }
}

#[tokio::test]
async fn a_request_that_only_we_can_have_spoilt_is_our_mistake() {
    for message in [
        "Course ID must be specified to create a new enrollment.",
        "'true' is an invalid enrollment activation status.",
        "'true' is an invalid force enrollment status.",
    ] {
        assert_eq!(refused(&purchase(), 400, message).await.class(), Class::Ours, "{message}");
    }
}

#[tokio::test]
async fn two_hundred_without_a_body_is_no_enrollment() {
    let (server, client) = lms([reply(200, "Allow: GET, HEAD, OPTIONS\r\n", "")]).await;
    assert_eq!(client.enrollment(&bob(), &run()).await.unwrap(), None);
    assert_eq!(server.requests()[0].target, "/api/enrollment/v1/enrollment/bob,course-v1:DemoX+CS101+2026");
}

#[tokio::test]
async fn an_empty_page_is_not_taken_for_no_enrollment() {
    for answer in [reply(200, "Content-Type: text/html\r\n", ""), html(200), empty(204)] {
        let (_server, client) = lms([answer]).await;
        assert_eq!(client.enrollment(&bob(), &run()).await.unwrap_err().code(), "not-data");
    }
}

#[tokio::test]
async fn an_enrollment_is_read_active_or_not() {
    let (_server, client) = lms([enrollment("bob", "verified", false)]).await;
    let read = client.enrollment(&user("BOB"), &run()).await.unwrap().unwrap();
    assert_eq!((read.username, read.mode, read.is_active), (bob(), mode("verified"), false));
}

#[tokio::test]
async fn somebody_elses_enrollment_is_not_taken_for_an_answer() {
    let (_server, client) = lms([enrollment("alice", "verified", true)]).await;
    assert_eq!(client.enrollment(&bob(), &run()).await.unwrap_err(), Doubt::WrongEcho { what: "user" }.into());
}

#[tokio::test]
async fn reading_without_being_staff_any_longer_stops_the_lms() {
    let (_server, client) = lms([empty(404)]).await;
    assert_eq!(client.enrollment(&bob(), &run()).await.unwrap_err(), user_refused(UserProblem::LostStaff));
}

#[tokio::test]
async fn a_run_that_would_climb_out_of_the_url_is_not_sent() {
    let (server, client) = lms([Reply::HangUp]).await;
    let run = bursar_domain::CourseRun::parse("Org/../Run").unwrap();
    assert_eq!(client.enrollment(&bob(), &run).await.unwrap_err(), Refusal::UnknownCourse.into());
    assert!(server.requests().is_empty());
}
