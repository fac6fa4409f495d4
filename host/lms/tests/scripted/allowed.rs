//! Enrollment-allowed records.

use bursar_lms::{AllowedCreation, AllowedDeletion, Doubt, Refusal};
use serde_json::json as value;

use crate::server::{email, empty, html, json, lms, reply, run};

const RECORD: &str = r#"{"email":"new.person@example.com","course_id":"course-v1:DemoX+CS101+2026","auto_enroll":true,"created":"2026-11-23T08:15:37Z","user":null}"#;

#[tokio::test]
async fn a_record_is_made_once() {
    let duplicate = json(409, r#"{"message":"An enrollment allowed with email x and course y already exists."}"#);
    let (server, client) = lms([json(201, RECORD), duplicate]).await;
    let address = email("New.Person@example.com");
    let wanted = run();
    let create = || client.create_enrollment_allowed(&address, &wanted, true);
    assert_eq!(create().await.unwrap(), AllowedCreation::Created);
    assert_eq!(create().await.unwrap(), AllowedCreation::Existed);
    let request = &server.requests()[0];
    assert_eq!((request.method.as_str(), request.target.as_str()), ("POST", "/api/enrollment/v1/enrollment_allowed/"));
    let body = value!({"email": "New.Person@example.com", "course_id": run().as_str(), "auto_enroll": true});
    assert_eq!(request.json(), body);
}

#[tokio::test]
async fn a_record_about_somebody_else_is_unclear() {
    let (_server, client) = lms([json(201, RECORD), html(201)]).await;
    let address = email("a@example.com");
    let error = client.create_enrollment_allowed(&address, &run(), true).await.unwrap_err();
    assert_eq!(error, Doubt::WrongEcho { what: "e-mail address" }.into());
    let error = client.create_enrollment_allowed(&address, &run(), true).await.unwrap_err();
    assert_eq!(error.code(), "not-data");
}

#[tokio::test]
async fn a_record_is_deleted_with_a_body_and_may_be_gone_already() {
    let absent = json(404, r#"{"message":"An enrollment allowed with email x and course y doesn't exists."}"#);
    let (server, client) = lms([empty(204), absent]).await;
    let address = email("a@example.com");
    assert_eq!(client.delete_enrollment_allowed(&address, &run()).await.unwrap(), AllowedDeletion::Deleted);
    assert_eq!(client.delete_enrollment_allowed(&address, &run()).await.unwrap(), AllowedDeletion::Absent);
    let request = &server.requests()[0];
    assert_eq!(request.method, "DELETE");
    assert_eq!(request.json(), value!({"email": "a@example.com", "course_id": run().as_str()}));
}

#[tokio::test]
async fn a_body_that_got_lost_on_the_way_is_our_mistake() {
    let answer = r#"{"message":"Please provide a value for 'email' and 'course_id' in the request data."}"#;
    let (_server, client) = lms([json(400, answer)]).await;
    let error = client.delete_enrollment_allowed(&email("a@example.com"), &run()).await.unwrap_err();
    assert_eq!(error.code(), "bad-request");
}

#[tokio::test]
async fn the_records_of_an_address_are_listed_and_others_left_out() {
    let other = RECORD.replace("new.person", "other").replace("\"user\":null", "\"user\":12");
    let odd = RECORD.replace("course-v1:DemoX+CS101+2026", "nope");
    let (server, client) = lms([json(200, &format!("[{RECORD},{other},{odd}]"))]).await;
    let records = client.enrollment_allowed(&email("NEW.person@example.com")).await.unwrap();
    assert_eq!(records.len(), 1);
    assert_eq!((records[0].auto_enroll, records[0].user_id), (true, None));
    let target = "/api/enrollment/v1/enrollment_allowed/?email=NEW.person%40example.com";
    assert_eq!(server.requests()[0].target, target);
}

#[tokio::test]
async fn an_old_lms_has_no_records_and_says_so_with_a_page() {
    let (_server, client) = lms([html(404), reply(404, "Content-Type: text/html\r\n", "")]).await;
    for _ in 0..2 {
        let error = client.enrollment_allowed(&email("a@example.com")).await.unwrap_err();
        assert_eq!(error, Refusal::Unsupported { what: "enrollment-allowed records" }.into());
    }
}
