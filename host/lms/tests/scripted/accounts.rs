//! Looking accounts up.

use bursar_lms::{AccountLookup, Doubt, LmsError, UserProblem};

use crate::server::{Reply, email, empty, html, json, lms, user, user_refused};

fn account(username: &str, address: &str) -> Reply {
    json(200, &format!(r#"[{{"username":"{username}","email":"{address}","id":7,"is_active":false,"name":"X"}}]"#))
}

async fn by_email(answer: Reply) -> Result<AccountLookup, LmsError> {
    let (_server, client) = lms([answer]).await;
    client.account_by_email(&email("carol.case@example.com")).await
}

#[tokio::test]
async fn addresses_are_searched_a_hundred_a_call_and_every_one_is_answered() {
    let found = r#"[{"email":"Carol.Case@Example.com","id":7,"username":"carol"}]"#;
    let (server, client) = lms([json(200, found), json(200, "[]")]).await;
    let mut asked = vec![email("CAROL.case@example.com"), email("nobody@example.com"), email("carol.case@example.com")];
    asked.extend((0..120).map(|n| email(&format!("load{n}@example.com"))));
    let answers = client.search_emails(&asked).await.unwrap();
    assert_eq!(answers.len(), asked.len());
    for (index, (address, lookup)) in answers.iter().enumerate() {
        assert_eq!(*address, asked[index]);
        let username = match lookup {
            AccountLookup::Found(account) => Some((account.id, account.username.as_str())),
            _ => None,
        };
        assert_eq!(username, matches!(index, 0 | 2).then_some((7, "carol")));
    }
    let sizes: Vec<_> =
        server.requests().iter().map(|request| request.json()["emails"].as_array().unwrap().len()).collect();
    assert_eq!(sizes, [100, 23]);
    assert_eq!(server.requests()[0].target, "/api/user/v1/accounts/search_emails");
}

#[tokio::test]
async fn searching_for_nobody_sends_nothing() {
    let (server, client) = lms([]).await;
    assert!(client.search_emails(&[]).await.unwrap().is_empty());
    assert!(server.requests().is_empty() && server.token_requests().is_empty());
}

#[tokio::test]
async fn a_search_by_somebody_who_is_not_staff_is_our_mistake() {
    let (_server, client) = lms([json(404, r#"{"developer_message":"not_found","user_message":"Not Found"}"#)]).await;
    assert_eq!(client.search_emails(&[email("a@example.com")]).await.unwrap_err(), user_refused(UserProblem::NotStaff));
}

#[tokio::test]
async fn a_search_answered_with_something_else_is_unclear_and_not_unknown() {
    for answer in [html(200), json(200, "{}"), json(200, r#"[{"id": 1}]"#), empty(200)] {
        let (_server, client) = lms([answer]).await;
        let error = client.search_emails(&[email("a@example.com")]).await.unwrap_err();
        assert!(matches!(error, LmsError::Unclear(_)), "{error}");
    }
}

#[tokio::test]
async fn an_account_whose_name_cannot_be_used_is_not_unknown() {
    let (_server, client) = lms([json(200, r#"[{"email":"a@example.com","id":7,"username":"a b"}]"#)]).await;
    let answers = client.search_emails(&[email("a@example.com")]).await.unwrap();
    assert_eq!(answers[0].1, AccountLookup::Unusable);
}

#[tokio::test]
async fn an_account_is_found_by_its_address_in_any_case() {
    let AccountLookup::Found(found) = by_email(account("carol", "Carol.Case@Example.com")).await.unwrap() else {
        panic!("not found")
    };
    assert_eq!((found.id, found.username, found.is_active), (7, user("carol"), Some(false)));
}

#[tokio::test]
async fn the_plus_of_an_address_is_escaped() {
    let (server, client) = lms([empty(404)]).await;
    client.account_by_email(&email("ada+shop@example.com")).await.unwrap();
    assert_eq!(server.requests()[0].target, "/api/user/v1/accounts?email=ada%2Bshop%40example.com");
}

#[tokio::test]
async fn unknown_retired_and_broken_are_three_answers() {
    assert_eq!(by_email(empty(404)).await.unwrap(), AccountLookup::Unknown);
    let retired = r#"{"error_msg":"This email is associated to a retired account.","can_cancel_retirement":true,"retirement_id":1}"#;
    assert_eq!(by_email(json(404, retired)).await.unwrap(), AccountLookup::Retired);
    assert_eq!(by_email(html(404)).await.unwrap_err().code(), "wrong-url");
    assert_eq!(by_email(json(200, "[]")).await.unwrap_err().code(), "unreadable");
    assert_eq!(by_email(html(500)).await.unwrap_err().code(), "server-error");
    let forbidden = r#"{"detail":"You do not have permission to perform this action."}"#;
    assert_eq!(by_email(json(403, forbidden)).await.unwrap_err(), user_refused(UserProblem::NotStaff));
}

#[tokio::test]
async fn the_service_users_own_account_is_not_taken_for_the_learners() {
    let error = by_email(account("commerce_worker", "commerce@example.com")).await.unwrap_err();
    assert_eq!(error, Doubt::WrongEcho { what: "e-mail address" }.into());
    let (_server, client) = lms([account("commerce_worker", "commerce@example.com")]).await;
    let error = client.account_by_username(&user("bob")).await.unwrap_err();
    assert_eq!(error, Doubt::WrongEcho { what: "user" }.into());
}

#[tokio::test]
async fn a_retiring_account_is_known_by_its_address_when_asked_by_name() {
    let answer = account("load250", "retired__user_f418e56267c0eea6e7189a8bd84a1ce5189bd8a0@retired.invalid");
    let (server, client) = lms([answer]).await;
    assert_eq!(client.account_by_username(&user("load250")).await.unwrap(), AccountLookup::Retired);
    assert_eq!(server.requests()[0].target, "/api/user/v1/accounts?username=load250");
}
