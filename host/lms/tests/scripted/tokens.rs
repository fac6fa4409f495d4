//! Getting, keeping and renewing the token.

use std::{sync::Arc, time::Duration};

use bursar_lms::{CallKind, Class, Fault, Lms, LmsError, Setback, UserProblem};

use crate::server::{Reply, Server, TestClock, empty, html, json, lms, purchase, reply, token, user_refused};

fn me() -> Reply {
    json(200, r#"{"username":"commerce_worker"}"#)
}

fn unauthorized() -> Reply {
    json(401, r#"{"detail":"Invalid token."}"#)
}

/// What becomes of a call whose token call is answered so.
async fn after(answer: Reply) -> LmsError {
    let (server, client) = lms([me()]).await;
    server.answers_tokens([answer]);
    let error = client.enroll(&purchase()).await.unwrap_err();
    assert!(server.requests().is_empty(), "the call was sent without a token");
    assert!(!error.may_have_had_effect());
    error
}

#[tokio::test]
async fn the_token_is_asked_for_with_a_form_and_as_a_jwt() {
    let (server, client) = lms([me()]).await;
    client.who_am_i().await.unwrap();
    let request = &server.token_requests()[0];
    assert_eq!(request.method, "POST");
    assert_eq!(request.header("content-type"), Some("application/x-www-form-urlencoded"));
    assert_eq!(
        request.body,
        "grant_type=client_credentials&client_id=commerce-key&client_secret=commerce-secret&token_type=jwt"
    );
}

#[tokio::test]
async fn one_token_serves_many_calls_and_is_renewed_a_minute_early() {
    let server = Server::start().await;
    server.answers((0..4).map(|_| me()));
    let clock = Arc::new(TestClock::default());
    let client = Lms::new(server.config(), Arc::clone(&clock) as Arc<dyn bursar_domain::Clock>).unwrap();
    client.who_am_i().await.unwrap();
    clock.advance(Duration::from_secs(3539));
    client.who_am_i().await.unwrap();
    assert_eq!(server.token_requests().len(), 1);
    clock.advance(Duration::from_secs(1));
    client.who_am_i().await.unwrap();
    assert_eq!(server.token_requests().len(), 2);
    assert_eq!(server.requests()[2].header("authorization"), Some("JWT token-2"));
}

#[tokio::test]
async fn a_token_with_a_short_life_is_used_for_half_of_it() {
    let server = Server::start().await;
    server.answers((0..3).map(|_| me()));
    server.answers_tokens([token("short", 40)]);
    let clock = Arc::new(TestClock::default());
    let client = Lms::new(server.config(), Arc::clone(&clock) as Arc<dyn bursar_domain::Clock>).unwrap();
    client.who_am_i().await.unwrap();
    clock.advance(Duration::from_secs(19));
    client.who_am_i().await.unwrap();
    assert_eq!(server.token_requests().len(), 1);
    clock.advance(Duration::from_secs(1));
    client.who_am_i().await.unwrap();
    assert_eq!(server.token_requests().len(), 2);
}

#[tokio::test]
async fn a_refused_token_is_renewed_once_and_the_call_repeated() {
    let (server, client) = lms([unauthorized(), me()]).await;
    client.who_am_i().await.unwrap();
    let used: Vec<_> =
        server.requests().iter().map(|request| request.header("authorization").unwrap().to_owned()).collect();
    assert_eq!(used, ["JWT token-1", "JWT token-2"]);
}

#[tokio::test]
async fn a_new_token_that_is_refused_as_well_is_our_mistake() {
    let server = Server::start().await;
    server.answers([unauthorized(), unauthorized(), me()]);
    let clock = Arc::new(TestClock::default());
    let client = Lms::new(server.config(), Arc::clone(&clock) as Arc<dyn bursar_domain::Clock>).unwrap();
    let error = client.who_am_i().await.unwrap_err();
    assert_eq!(error, user_refused(UserProblem::TokenRejected));
    assert_eq!(server.requests().len(), 2);
    clock.advance(Duration::from_secs(2));
    client.who_am_i().await.unwrap();
    assert_eq!(server.token_requests().len(), 3, "the refused token was kept");
}

#[tokio::test]
async fn many_calls_at_once_fetch_one_token() {
    let (server, client) = lms((0..20).map(|_| me())).await;
    let calls: Vec<_> = (0..20)
        .map(|_| {
            let client = client.clone();
            tokio::spawn(async move { client.who_am_i().await })
        })
        .collect();
    for call in calls {
        call.await.unwrap().unwrap();
    }
    assert_eq!(server.token_requests().len(), 1);
    assert_eq!(client.counts().of(CallKind::Token), 1);
    assert_eq!(client.counts().of(CallKind::WhoAmI), 20);
    assert_eq!(client.counts().total(), 21);
}

#[tokio::test]
async fn many_calls_at_once_share_one_failure_to_get_a_token() {
    let server = Server::start().await;
    server.answers_tokens((0..20).map(|_| Reply::Silence));
    let client = server.impatient_client();
    let calls: Vec<_> = (0..20)
        .map(|_| {
            let client = client.clone();
            tokio::spawn(async move { client.who_am_i().await })
        })
        .collect();
    for call in calls {
        assert_eq!(call.await.unwrap().unwrap_err().code(), "no-token");
    }
    assert_eq!(server.token_requests().len(), 1);
}

#[tokio::test]
async fn a_failure_is_forgotten_by_the_next_call() {
    let (server, client) = lms([me()]).await;
    server.answers_tokens([html(502)]);
    assert_eq!(client.who_am_i().await.unwrap_err().code(), "no-token");
    client.who_am_i().await.unwrap();
}

#[tokio::test]
async fn a_wrong_secret_is_our_mistake() {
    let error = after(json(401, r#"{"error":"invalid_client"}"#)).await;
    assert_eq!((error.clone(), error.class()), (user_refused(UserProblem::UnknownClient), Class::Ours));
    assert!(error.to_string().contains("hint:"));
    assert!(!error.to_string().contains("commerce-secret"));
}

#[tokio::test]
async fn other_refusals_of_a_token_are_our_mistakes() {
    let error = "unauthorized_client".to_owned();
    assert_eq!(
        after(json(400, r#"{"error":"unauthorized_client"}"#)).await,
        user_refused(UserProblem::TokenRefused { error })
    );
    let opaque = r#"{"access_token":"x","expires_in":36000,"token_type":"Bearer"}"#;
    assert_eq!(after(json(200, opaque)).await, user_refused(UserProblem::UnusableToken { problem: "is not a JWT" }));
    assert_eq!(
        after(token("x", -1)).await,
        user_refused(UserProblem::UnusableToken { problem: "has expired already" })
    );
    assert_eq!(after(token("", 60)).await, user_refused(UserProblem::UnusableToken { problem: "is missing" }));
    assert_eq!(after(html(404)).await, Fault::WrongUrl { status: 404, endpoint: "token" }.into());
    assert_eq!(after(empty(404)).await, Fault::WrongUrl { status: 404, endpoint: "token" }.into());
    assert_eq!(after(html(403)).await, Fault::Blocked { status: 403 }.into());
    assert_eq!(after(html(401)).await, Fault::Blocked { status: 401 }.into());
    assert_eq!(after(reply(302, "Location: /login?next=x\r\n", "")).await.code(), "redirected");
}

#[tokio::test]
async fn a_token_endpoint_in_trouble_is_tried_again() {
    for answer in [html(500), html(503), html(200), Reply::HangUp] {
        let error = after(answer).await;
        assert_eq!((error.code(), error.class()), ("no-token", Class::TryAgain { after: None }));
    }
}

#[tokio::test]
async fn a_token_endpoint_that_had_enough_is_left_alone_for_a_minute() {
    let server = Server::start().await;
    server.answers([me()]);
    server.answers_tokens([html(429)]);
    let clock = Arc::new(TestClock::default());
    let client = Lms::new(server.config(), Arc::clone(&clock) as Arc<dyn bursar_domain::Clock>).unwrap();
    let minute = Duration::from_secs(60);
    assert_eq!(client.who_am_i().await.unwrap_err(), Setback::Throttled { after: minute }.into());
    clock.advance(Duration::from_secs(20));
    let rest = Duration::from_secs(40);
    assert_eq!(client.who_am_i().await.unwrap_err(), Setback::Throttled { after: rest }.into());
    assert_eq!(server.token_requests().len(), 1);
    assert_eq!(client.counts().throttled, 1);
    clock.advance(rest);
    client.who_am_i().await.unwrap();
}
