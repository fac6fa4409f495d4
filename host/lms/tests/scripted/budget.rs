//! What the budget does to calls.

use std::{num::NonZeroU32, sync::Arc, time::Duration};

use bursar_domain::SystemClock;
use bursar_lms::{CallKind, Class, Lms, Priority, Setback};

use crate::server::{Server, bob, email, empty, json, purchase, reply, run};

fn client(server: &Server, calls_per_minute: u32, patience: Duration) -> Lms {
    let mut config = server.config();
    config.calls_per_minute = NonZeroU32::new(calls_per_minute);
    config.turn_timeout = patience;
    Lms::new(config, Arc::new(SystemClock)).unwrap()
}

#[tokio::test]
async fn a_429_stops_enrollment_calls_before_they_are_sent_but_not_those_of_accounts() {
    let server = Server::start().await;
    server.answers([
        reply(429, "Content-Type: application/json\r\nRetry-After: 30\r\n", "{}"),
        json(200, "[]"),
        empty(404),
    ]);
    let client = client(&server, 90, Duration::from_secs(5));
    let error = client.enroll(&purchase()).await.unwrap_err();
    assert_eq!(error, Setback::Throttled { after: Duration::from_secs(30) }.into());
    let error = client.at(Priority::Purchase).enrollment(&bob(), &run()).await.unwrap_err();
    assert_eq!((error.code(), error.may_have_had_effect()), ("no-turn", false));
    assert!(matches!(error.class(), Class::TryAgain { after: Some(after) } if after > Duration::from_secs(25)));
    client.search_emails(&[email("a@example.com")]).await.unwrap();
    client.account_by_email(&email("a@example.com")).await.unwrap();
    let counts = client.counts();
    assert_eq!(counts.throttled, 1);
    assert_eq!(counts.of(CallKind::ChangeEnrollment), 1);
    assert_eq!(counts.of(CallKind::ReadEnrollment), 0);
    assert_eq!(counts.of(CallKind::SearchEmails), 1);
}

#[tokio::test]
async fn a_client_of_few_calls_a_minute_waits_for_its_turn() {
    let server = Server::start().await;
    server.answers((0..13).map(|_| empty(200)));
    let client = client(&server, 600, Duration::from_secs(5));
    let began = std::time::Instant::now();
    for _ in 0..13 {
        client.enrollment(&bob(), &run()).await.unwrap();
    }
    assert!(began.elapsed() >= Duration::from_millis(250), "{:?}", began.elapsed());
}

#[tokio::test]
async fn the_longest_call_covers_waiting_renewing_and_repeating() {
    let server = Server::start().await;
    let client = client(&server, 90, Duration::from_secs(5));
    assert_eq!(client.longest_call(), Duration::from_secs(5 + 10 * 6));
}
