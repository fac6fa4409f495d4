//! Several service users who share the load.

use std::{collections::BTreeSet, num::NonZeroU32, sync::Arc, time::Duration};

use bursar_domain::Clock;
use bursar_lms::{Class, Lms, ServiceUser, UserProblem};

use crate::server::{Server, TestClock, bob, email, empty, json, reply, run, user_refused, user_refused_of};

/// `commerce-key`, `second` and so on; each with this budget.
fn client(server: &Server, more: &[&str], calls_per_minute: Option<u32>, clock: &Arc<TestClock>) -> Lms {
    let mut config = server.config();
    let user = |id: &&str| ServiceUser { client_id: (*id).to_owned(), client_secret: format!("{id}-secret").into() };
    config.more_users = more.iter().map(user).collect();
    config.calls_per_minute = calls_per_minute.and_then(NonZeroU32::new);
    config.turn_timeout = Duration::from_secs(1);
    Lms::new(config, Arc::clone(clock) as Arc<dyn Clock>).unwrap()
}

fn tokens_used(server: &Server) -> Vec<String> {
    server.requests().iter().map(|request| request.header("authorization").unwrap().to_owned()).collect()
}

#[tokio::test]
async fn each_has_a_token_of_its_own_and_they_take_turns() {
    let server = Server::start().await;
    server.answers_otherwise(empty(200));
    let client = client(&server, &["second", "third"], Some(90), &Arc::default());
    for _ in 0..9 {
        client.enrollment(&bob(), &run()).await.unwrap();
    }
    let used = tokens_used(&server);
    for token in ["JWT token-1", "JWT token-2", "JWT token-3"] {
        assert_eq!(used.iter().filter(|used| *used == token).count(), 3, "{used:?}");
    }
    let bodies: Vec<_> = server.token_requests().iter().map(|request| request.body.clone()).collect();
    assert_eq!(bodies.len(), 3);
    assert!(bodies[1].contains("client_id=second&client_secret=second-secret&"), "{}", bodies[1]);
}

#[tokio::test]
async fn a_429_slows_only_the_user_that_it_struck() {
    let server = Server::start().await;
    server.answers([reply(429, "Content-Type: application/json\r\nRetry-After: 600\r\n", "{}")]);
    server.answers_otherwise(empty(200));
    let client = client(&server, &["second"], Some(6_000), &Arc::default());
    assert_eq!(client.enrollment(&bob(), &run()).await.unwrap_err().code(), "throttled");
    for _ in 0..20 {
        client.enrollment(&bob(), &run()).await.unwrap();
    }
    let others: BTreeSet<_> = tokens_used(&server).into_iter().skip(1).collect();
    assert_eq!(others, ["JWT token-2".to_owned()].into());
}

#[tokio::test]
async fn a_wrong_secret_of_one_stops_the_whole_lms_until_it_is_mended_and_says_whose_it_is() {
    let server = Server::start().await;
    server.answers_otherwise(empty(200));
    let clock = Arc::new(TestClock::default());
    let client = client(&server, &["second"], Some(6_000), &clock);
    client.enrollment(&bob(), &run()).await.unwrap();
    server.answers_tokens((0..3).map(|_| json(401, r#"{"error":"invalid_client"}"#)));
    let error = client.enrollment(&bob(), &run()).await.unwrap_err();
    assert_eq!((error.clone(), error.class()), (user_refused_of("second", UserProblem::UnknownClient), Class::Ours));
    assert!(error.to_string().contains("second") && error.to_string().contains("hint:"), "{error}");
    assert!(!error.to_string().contains("second-secret"));
    assert_eq!(client.outage().unwrap().why, error);
    for _ in 0..2 {
        assert_eq!(client.search_emails(&[email("a@example.com")]).await.unwrap_err().code(), "resting");
        clock.advance(Duration::from_secs(300));
        // The probe goes in the name of whom the LMS refused: the success of the other one would hide it.
        assert_eq!(client.enrollment(&bob(), &run()).await.unwrap_err(), error);
    }
    assert_eq!(server.requests().len(), 1);
    clock.advance(Duration::from_secs(300));
    assert!(client.wants_probe());
    client.enrollment(&bob(), &run()).await.unwrap();
    assert_eq!(client.outage(), None);
    client.enrollment(&bob(), &run()).await.unwrap();
}

#[tokio::test]
async fn one_who_lost_staff_stops_the_others_too() {
    let server = Server::start().await;
    server.answers([empty(404)]);
    server.answers_otherwise(empty(200));
    let client = client(&server, &["second"], Some(6_000), &Arc::default());
    assert_eq!(client.enrollment(&bob(), &run()).await.unwrap_err(), user_refused(UserProblem::LostStaff));
    assert_eq!(client.enrollment(&bob(), &run()).await.unwrap_err().code(), "resting");
    assert_eq!(server.requests().len(), 1);
}

#[tokio::test]
async fn a_token_endpoint_that_had_enough_is_asked_by_none_of_them() {
    let server = Server::start().await;
    server.answers_otherwise(empty(200));
    let clock = Arc::new(TestClock::default());
    let client = client(&server, &["second"], Some(6_000), &clock);
    server.answers_tokens([crate::server::html(429)]);
    for _ in 0..10 {
        assert_eq!(client.enrollment(&bob(), &run()).await.unwrap_err().code(), "throttled");
    }
    assert_eq!((server.token_requests().len(), client.outage()), (1, None));
    clock.advance(Duration::from_secs(60));
    client.enrollment(&bob(), &run()).await.unwrap();
    client.enrollment(&bob(), &run()).await.unwrap();
    assert_eq!(server.token_requests().len(), 3);
}
