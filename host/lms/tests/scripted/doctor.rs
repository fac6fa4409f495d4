//! Proving the service user's privileges.

use bursar_lms::{Lms, Privilege, Refusal, ServiceUser, UserProblem};

use std::sync::Arc;

use crate::server::{Server, TestClock, json, lms, user_refused, user_refused_of};

const ME: &str = r#"{"username":"commerce_worker"}"#;

#[tokio::test]
async fn a_staff_user_passes_every_check() {
    let list = r#"{"next":null,"previous":null,"results":[]}"#;
    let (server, client) = lms([json(200, ME), json(200, "[]"), json(200, list), json(200, "[]")]).await;
    let findings = client.check_privileges().await;
    let labels: Vec<_> = findings.iter().map(|finding| finding.privilege.label()).collect();
    assert_eq!(labels, ["token", "identity", "accounts", "list of enrollments", "enrollment-allowed records"]);
    assert!(findings.iter().all(|finding| finding.outcome.is_ok()));
    assert_eq!(findings[1].outcome, Ok("the service user is commerce_worker".to_owned()));
    assert!(
        server
            .requests()
            .iter()
            .all(|request| matches!(request.method.as_str(), "GET") || request.target.ends_with("search_emails"))
    );
}

#[tokio::test]
async fn a_user_who_is_not_staff_is_found_out() {
    let (_server, client) = lms([
        json(200, ME),
        json(404, r#"{"developer_message":"not_found","user_message":"Not Found"}"#),
        json(403, r#"{"developer_message":"You do not have permission to perform this action."}"#),
        json(403, r#"{"detail":"You do not have permission to perform this action."}"#),
    ])
    .await;
    let findings = client.check_privileges().await;
    for finding in &findings[2..] {
        assert_eq!(finding.outcome, Err(user_refused(UserProblem::NotStaff)), "{:?}", finding.privilege);
    }
}

#[tokio::test]
async fn without_a_token_nothing_else_is_asked() {
    let server = Server::start().await;
    server.answers_tokens([json(401, r#"{"error":"invalid_client"}"#)]);
    let findings = server.client().check_privileges().await;
    assert_eq!(findings.len(), 1);
    assert_eq!(
        (findings[0].privilege, &findings[0].outcome),
        (Privilege::Token, &Err(user_refused(UserProblem::UnknownClient)))
    );
    assert!(server.requests().is_empty());
}

#[tokio::test]
async fn every_service_user_is_examined_and_two_of_one_owner_are_found_out() {
    let list = r#"{"next":null,"previous":null,"results":[]}"#;
    let sound = || [json(200, ME), json(200, "[]"), json(200, list), json(200, "[]")];
    let server = Server::start().await;
    server.answers(sound().into_iter().chain(sound()));
    let mut config = server.config();
    config.more_users = vec![ServiceUser { client_id: "second".to_owned(), client_secret: "s".into() }];
    let findings = Lms::new(config, Arc::new(TestClock::default())).unwrap().check_privileges().await;
    let wrong: Vec<_> = findings.iter().filter(|finding| finding.outcome.is_err()).collect();
    assert_eq!((findings.len(), wrong.len()), (10, 1));
    assert_eq!((wrong[0].client_id.as_deref(), wrong[0].privilege), (Some("second"), Privilege::Identity));
    let shared = UserProblem::SharedOwner { other: "commerce-key".to_owned() };
    assert_eq!(wrong[0].outcome, Err(user_refused_of("second", shared)));
}

#[tokio::test]
async fn the_api_key_is_examined_where_there_is_one_and_nothing_else_stops_that() {
    let server = Server::start().await;
    server.answers_tokens([json(401, r#"{"error":"invalid_client"}"#)]);
    server.answers([json(401, r#"{"detail":"Authentication credentials were not provided."}"#)]);
    let mut config = server.config();
    config.api_key = Some("site-key".into());
    let findings = Lms::new(config, Arc::new(TestClock::default())).unwrap().check_privileges().await;
    let last = findings.last().unwrap();
    assert_eq!((last.client_id.as_deref(), last.privilege), (None, Privilege::ApiKey));
    assert_eq!(last.outcome, Err(Refusal::ApiKeyRefused.into()));
    assert_eq!(server.requests()[0].target, "/api/enrollment/v1/enrollment?user=bursar-doctor");
}
