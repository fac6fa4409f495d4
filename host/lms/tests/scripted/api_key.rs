//! The site's API key.

use std::sync::Arc;

use bursar_lms::{CallKind, Class, Lms, Refusal};

use crate::server::{Server, TestClock, enrollment, json, lms, purchase};

async fn with_key() -> (Server, Lms) {
    let server = Server::start().await;
    let mut config = server.config();
    config.api_key = Some("site-key".into());
    let client = Lms::new(config, Arc::new(TestClock::default())).unwrap();
    (server, client)
}

#[tokio::test]
async fn the_key_goes_alone_without_a_token_and_without_force() {
    let (server, client) = with_key().await;
    server.answers([enrollment("bob", "verified", true)]);
    let mut change = purchase();
    change.force = true;
    client.enroll_with_api_key(&change).await.unwrap();
    let request = &server.requests()[0];
    assert_eq!((request.method.as_str(), request.target.as_str()), ("POST", "/api/enrollment/v1/enrollment"));
    assert_eq!((request.header("x-edx-api-key"), request.header("authorization")), (Some("site-key"), None));
    assert_eq!(request.json().get("force_enrollment"), None);
    assert!(server.token_requests().is_empty());
    assert_eq!(client.counts().of(CallKind::ChangeEnrollmentWithApiKey), 1);
    assert_eq!(client.counts().of(CallKind::ChangeEnrollment), 0);
}

#[tokio::test]
async fn no_other_call_shows_the_key() {
    let (server, client) = with_key().await;
    server.answers([enrollment("bob", "verified", true)]);
    client.enroll(&purchase()).await.unwrap();
    assert_eq!(server.requests()[0].header("x-edx-api-key"), None);
    assert!(!format!("{client:?}").contains("site-key"));
}

#[tokio::test]
async fn a_key_that_is_not_taken_is_a_refusal_of_this_call_and_stops_no_other() {
    let (server, client) = with_key().await;
    let refusal = || json(401, r#"{"detail":"Authentication credentials were not provided."}"#);
    server.answers((0..20).map(|_| refusal()));
    for _ in 0..20 {
        let error = client.enroll_with_api_key(&purchase()).await.unwrap_err();
        assert_eq!((error.clone(), error.class()), (Refusal::ApiKeyRefused.into(), Class::Definite));
        assert!(!error.may_have_had_effect());
    }
    assert_eq!(client.outage(), None);
}

#[tokio::test]
async fn without_a_key_nothing_is_sent() {
    let (server, client) = lms([]).await;
    assert!(!client.has_api_key());
    assert_eq!(client.enroll_with_api_key(&purchase()).await.unwrap_err(), Refusal::NoApiKey.into());
    assert!(server.requests().is_empty() && server.token_requests().is_empty());
}

#[tokio::test]
async fn an_answer_about_something_else_is_unclear() {
    let (server, client) = with_key().await;
    server.answers([enrollment("bob", "audit", true)]);
    assert_eq!(client.enroll_with_api_key(&purchase()).await.unwrap_err().code(), "wrong-echo");
}
