//! Proving the service user's privileges.

use bursar_lms::{Fault, Privilege};

use crate::server::{Server, json, lms};

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
        assert_eq!(finding.outcome, Err(Fault::NotStaff.into()), "{:?}", finding.privilege);
    }
}

#[tokio::test]
async fn without_a_token_nothing_else_is_asked() {
    let server = Server::start().await;
    server.answers_tokens([json(401, r#"{"error":"invalid_client"}"#)]);
    let findings = server.client().check_privileges().await;
    assert_eq!(findings.len(), 1);
    assert_eq!((findings[0].privilege, &findings[0].outcome), (Privilege::Token, &Err(Fault::UnknownClient.into())));
    assert!(server.requests().is_empty());
}
