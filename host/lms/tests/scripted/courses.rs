//! Details and modes of course runs.

use bursar_domain::Timestamp;
use bursar_lms::{Doubt, Refusal};

use crate::server::{html, json, lms, mode, run};

const DETAILS: &str = r#"{"course_id":"course-v1:DemoX+CS101+2026","course_name":"Computing 101",
    "enrollment_start":"2026-01-01T00:00:00Z","enrollment_end":"2026-02-01T00:00:00Z","course_start":null,
    "course_end":null,"invite_only":true,"pacing_type":"Self Paced","course_modes":[
    {"slug":"audit","name":"Audit","min_price":0,"suggested_prices":"","currency":"usd","expiration_datetime":null},
    {"slug":"verified","name":"Verified","min_price":49,"expiration_datetime":"2026-01-15T00:00:00Z"}]}"#;

fn at(text: &str) -> Timestamp {
    Timestamp::from_millis(text.parse::<jiff::Timestamp>().unwrap().as_millisecond())
}

#[tokio::test]
async fn details_say_whether_a_run_is_open_and_what_it_offers() {
    let (server, client) = lms([json(200, DETAILS)]).await;
    let details = client.course_details(&run()).await.unwrap();
    assert!(details.invitation_only);
    assert!(!details.is_open(at("2025-12-31T23:59:59Z")));
    assert!(details.is_open(at("2026-01-01T00:00:00Z")));
    assert!(!details.is_open(at("2026-02-01T00:00:00Z")));
    let verified = &details.modes[1];
    assert_eq!(verified.mode, mode("verified"));
    assert!(verified.is_offered(at("2026-01-14T23:59:59Z")) && !verified.is_offered(at("2026-01-15T00:00:00Z")));
    let request = &server.requests()[0];
    assert_eq!(request.target, "/api/enrollment/v1/course/course-v1:DemoX+CS101+2026?include_expired=1");
    assert_eq!(request.header("authorization"), None, "the LMS ignores it, so it is not shown");
}

#[tokio::test]
async fn an_unknown_run_is_a_400_and_another_run_an_unclear_answer() {
    let unknown = json(400, r#"{"message":"No course found for course ID 'course-v1:DemoX+CS101+2026'"}"#);
    let (_server, client) = lms([unknown, json(200, &DETAILS.replace("CS101", "ART1")), html(200)]).await;
    assert_eq!(client.course_details(&run()).await.unwrap_err(), Refusal::UnknownCourse.into());
    assert_eq!(client.course_details(&run()).await.unwrap_err(), Doubt::WrongEcho { what: "course run" }.into());
    assert_eq!(client.course_details(&run()).await.unwrap_err().code(), "not-data");
}

#[tokio::test]
async fn modes_are_read_as_staff_see_them() {
    let body = r#"[{"course_id":"course-v1:DemoX+CS101+2026","mode_slug":"verified","mode_display_name":"Verified",
        "min_price":49,"currency":"usd","expiration_datetime":null,"sku":"X"}]"#;
    let (server, client) = lms([json(200, body), html(404)]).await;
    let modes = client.course_modes(&run()).await.unwrap();
    assert_eq!((modes.len(), modes[0].mode.clone(), modes[0].expires), (1, mode("verified"), None));
    assert_eq!(server.requests()[0].target, "/api/course_modes/v1/courses/course-v1:DemoX+CS101+2026/");
    let error = client.course_modes(&run()).await.unwrap_err();
    assert_eq!(error, Refusal::Unsupported { what: "list of course modes" }.into());
}
