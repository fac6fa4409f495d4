//! Answers that mean the same whatever was asked.

use std::time::Duration;

use bursar_lms::{Class, Doubt, Fault, LmsError, Refusal, Setback, UserProblem};

use crate::server::{Reply, Server, empty, html, json, lms, purchase, reply, user_refused};

/// What becomes of a change that is answered so.
async fn after(answer: Reply) -> LmsError {
    let (_server, client) = lms([answer]).await;
    client.enroll(&purchase()).await.unwrap_err()
}

#[tokio::test]
async fn a_body_that_was_cut_off_is_unclear() {
    let cut = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 500\r\n\r\n{\"mode\": \"veri";
    let error = after(Reply::Bytes(cut.to_owned())).await;
    assert_eq!(error, Doubt::CutOff.into());
    assert_eq!((error.class(), error.may_have_had_effect()), (Class::Unclear, true));
}

#[tokio::test]
async fn a_connection_that_ends_after_the_request_is_unclear() {
    let error = after(Reply::HangUp).await;
    assert_eq!((error.clone(), error.may_have_had_effect()), (Doubt::CutOff.into(), true));
}

#[tokio::test]
async fn silence_is_unclear() {
    let server = Server::start().await;
    server.answers([Reply::Silence]);
    let error = server.impatient_client().enroll(&purchase()).await.unwrap_err();
    assert_eq!((error.clone(), error.may_have_had_effect()), (Doubt::TimedOut.into(), true));
}

#[tokio::test]
async fn success_with_a_page_is_a_maintenance_page() {
    assert_eq!(after(html(200)).await, Doubt::NotData { status: 200 }.into());
    assert_eq!(
        after(reply(200, "Content-Type: application/json\r\n", "<html>")).await,
        Doubt::NotData { status: 200 }.into()
    );
}

#[tokio::test]
async fn success_without_a_body_is_no_answer_to_a_change() {
    assert_eq!(after(empty(200)).await, Doubt::NotData { status: 200 }.into());
}

#[tokio::test]
async fn success_with_other_data_is_unclear() {
    assert_eq!(after(json(200, r#"{"ok": true}"#)).await, Doubt::Unreadable { what: "an enrollment" }.into());
    assert_eq!(after(json(200, "[]")).await, Doubt::Unreadable { what: "an enrollment" }.into());
}

#[tokio::test]
async fn an_answer_without_an_end_is_not_read_to_it() {
    let body = "x".repeat(3 * 1024 * 1024);
    let error = after(json(200, &body)).await;
    assert_eq!(error.code(), "too-large");
    assert!(error.may_have_had_effect());
}

#[tokio::test]
async fn a_redirect_is_our_mistake_and_is_not_followed() {
    let (server, client) = lms([
        reply(301, "Location: https://lms.example.org/api/?user=bob\r\nContent-Type: text/html\r\n", ""),
        json(200, "[]"),
    ])
    .await;
    let error = client.enroll(&purchase()).await.unwrap_err();
    let location = "https://lms.example.org/api/".to_owned();
    assert_eq!(error, Fault::Redirected { status: 301, location }.into());
    assert_eq!((error.class(), error.may_have_had_effect()), (Class::Ours, false));
    assert_eq!(server.requests().len(), 1);
}

#[tokio::test]
async fn a_404_without_a_body_says_that_our_user_is_no_longer_staff() {
    assert_eq!(after(empty(404)).await, user_refused(UserProblem::LostStaff));
}

#[tokio::test]
async fn a_404_page_says_that_the_url_is_wrong() {
    assert_eq!(after(html(404)).await, Fault::WrongUrl { status: 404, endpoint: "enroll" }.into());
    assert_eq!(after(json(405, r#"{"detail":"Method \"POST\" not allowed."}"#)).await.class(), Class::Ours);
}

#[tokio::test]
async fn a_406_is_about_the_user_or_about_our_accept_header() {
    let user = json(406, r#"{"message":"The user bob does not exist."}"#);
    assert_eq!(after(user).await, Refusal::UnknownUser.into());
    let email = json(406, r#"{"message":"The user with the email address bob@example.com does not exist."}"#);
    assert_eq!(after(email).await, Refusal::UnknownEmail.into());
    let header = json(406, r#"{"detail":"Could not satisfy the request Accept header."}"#);
    assert_eq!(after(header).await, Fault::NotAcceptable.into());
}

#[tokio::test]
async fn a_415_and_a_body_that_cannot_be_parsed_are_our_mistakes() {
    assert_eq!(after(json(415, r#"{"detail":"Unsupported media type"}"#)).await, Fault::UnsupportedMedia.into());
    let error = after(json(400, r#"{"detail":"JSON parse error - Expecting value: line 1 column 10 (char 9)"}"#)).await;
    assert_eq!(error.code(), "bad-request");
}

#[tokio::test]
async fn a_page_with_400_or_403_comes_from_something_in_front_of_the_lms() {
    assert_eq!(after(html(403)).await, Fault::Blocked { status: 403 }.into());
    assert_eq!(after(html(400)).await, Fault::Blocked { status: 400 }.into());
}

#[tokio::test]
async fn a_403_with_detail_says_that_our_user_is_not_staff() {
    let answer = json(403, r#"{"detail":"You do not have permission to perform this action."}"#);
    assert_eq!(after(answer).await, user_refused(UserProblem::NotStaff));
}

#[tokio::test]
async fn a_429_says_how_long_to_wait_or_it_is_a_minute() {
    let body = r#"{"detail":"Request was throttled. Expected available in 37 seconds."}"#;
    let with_header = reply(429, "Content-Type: application/json\r\nRetry-After: 12\r\n", body);
    let cases = [(with_header, 12), (json(429, body), 37), (json(429, "{}"), 60), (html(429), 60)];
    for (answer, seconds) in cases {
        let error = after(answer).await;
        let after = Duration::from_secs(seconds);
        assert_eq!(error, Setback::Throttled { after }.into());
        assert_eq!((error.class(), error.may_have_had_effect()), (Class::TryAgain { after: Some(after) }, false));
    }
}

#[tokio::test]
async fn an_lms_in_trouble_is_unclear_and_one_that_is_away_is_tried_again() {
    assert_eq!(after(html(500)).await, Doubt::ServerError { status: 500 }.into());
    assert_eq!(after(html(521)).await.class(), Class::Unclear);
    for status in [502, 503, 504] {
        let error = after(html(status)).await;
        assert_eq!(error.class(), Class::TryAgain { after: None });
        assert!(error.may_have_had_effect(), "a gateway may give up after the LMS acted");
    }
    let error = after(reply(503, "Retry-After: 120\r\n", "")).await;
    assert_eq!(error.class(), Class::TryAgain { after: Some(Duration::from_secs(120)) });
}

#[tokio::test]
async fn a_refusal_that_nobody_has_seen_before_is_unclear_and_names_nobody() {
    let error = after(json(400, r#"{"message":"Dear 'bob' <bob@example.com>, not on a Sunday"}"#)).await;
    assert_eq!(error, Doubt::Unknown { status: 400, said: "Dear … … not on a Sunday".to_owned() }.into());
    assert_eq!(after(json(418, "{}")).await.class(), Class::Unclear);
}

#[tokio::test]
async fn an_lms_that_nobody_listens_for_was_never_reached() {
    let server = Server::start().await;
    let mut config = server.config();
    // Port 9 of this machine: nobody listens there.
    config.url = "http://127.0.0.1:9".to_owned();
    let client = bursar_lms::Lms::new(config, std::sync::Arc::new(bursar_domain::SystemClock)).unwrap();
    let error = client.enroll(&purchase()).await.unwrap_err();
    assert_eq!(error.code(), "unreachable");
    assert_eq!((error.class(), error.may_have_had_effect()), (Class::TryAgain { after: None }, false));
}

#[tokio::test]
async fn a_connection_that_cannot_be_made_secure_is_our_mistake() {
    let server = Server::start().await;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        tokio::io::AsyncWriteExt::write_all(&mut stream, b"HTTP/1.1 400 Bad Request\r\n\r\n").await.unwrap();
        tokio::time::sleep(Duration::from_secs(5)).await;
    });
    let mut config = server.config();
    config.url = format!("https://{address}");
    let error = match bursar_lms::Lms::new(config, std::sync::Arc::new(bursar_domain::SystemClock)) {
        Ok(client) => client.who_am_i().await.unwrap_err(),
        Err(error) => error,
    };
    assert_eq!((error.code(), error.class()), ("tls", Class::Ours));
}

#[tokio::test]
async fn every_request_says_what_it_is_and_what_it_takes() {
    let (server, client) = lms([json(200, r#"{"username":"commerce_worker"}"#)]).await;
    assert_eq!(client.who_am_i().await.unwrap().as_str(), "commerce_worker");
    let request = &server.requests()[0];
    assert_eq!((request.method.as_str(), request.target.as_str()), ("GET", "/api/user/v1/me"));
    assert_eq!(request.header("authorization"), Some("JWT token-1"));
    assert_eq!(request.header("accept"), Some("application/json"));
    assert_eq!(request.header("user-agent"), Some(concat!("bursar/", env!("CARGO_PKG_VERSION"))));
}
