//! What an outage costs.

use std::{sync::Arc, time::Duration};

use bursar_domain::{Clock, Timestamp};
use bursar_lms::{Class, Doubt, Lms, Setback};

use crate::server::{Reply, Server, TestClock, bob, empty, html, json, purchase, reply, run};

const SECOND: Duration = Duration::from_secs(1);
/// The longest rest.
const LONGEST: Duration = Duration::from_secs(300);

async fn start() -> (Server, Arc<TestClock>, Lms) {
    let server = Server::start().await;
    let clock = Arc::new(TestClock::default());
    let client = Lms::new(server.config(), Arc::clone(&clock) as Arc<dyn Clock>).unwrap();
    (server, clock, client)
}

/// Calls until calls rest; answers how many were sent.
async fn until_it_rests(client: &Lms) -> usize {
    for sent in 0..100 {
        if client.rests().is_some() {
            return sent;
        }
        client.enrollment(&bob(), &run()).await.unwrap_err();
    }
    panic!("a hundred failures opened nothing");
}

#[tokio::test]
async fn an_outage_of_an_hour_costs_a_few_dozen_calls_and_then_calls_go_on() {
    let (server, clock, client) = start().await;
    server.answers_otherwise(empty(200));
    client.enrollment(&bob(), &run()).await.unwrap();
    let before = server.requests().len();
    server.answers_otherwise(html(503));
    for _ in 0..3_600 {
        for _ in 0..4 {
            let error = client.enrollment(&bob(), &run()).await.unwrap_err();
            assert!(matches!(error.class(), Class::TryAgain { .. }), "{error}");
        }
        clock.advance(SECOND);
    }
    let cost = server.requests().len() - before;
    assert!((10..=40).contains(&cost), "{cost} calls");
    // Back again: found out within the longest rest, and then everything goes.
    server.answers_otherwise(empty(200));
    clock.advance(LONGEST);
    for _ in 0..20 {
        client.enrollment(&bob(), &run()).await.unwrap();
    }
    assert_eq!(client.outage(), None);
}

#[tokio::test]
async fn a_token_endpoint_that_is_away_costs_as_little() {
    let (server, clock, client) = start().await;
    server.answers_tokens((0..3_600).map(|_| html(502)));
    for _ in 0..3_600 {
        client.enrollment(&bob(), &run()).await.unwrap_err();
        clock.advance(SECOND);
    }
    let cost = server.token_requests().len();
    assert!((10..=40).contains(&cost), "{cost} calls");
}

#[tokio::test]
async fn while_calls_rest_each_is_refused_at_once_and_unsent_and_says_for_how_long() {
    let (server, clock, client) = start().await;
    server.answers_otherwise(html(200));
    clock.advance(SECOND);
    assert_eq!(until_it_rests(&client).await, 5);
    let error = client.enroll(&purchase()).await.unwrap_err();
    let rests = client.rests().unwrap();
    assert_eq!(error, Setback::Resting { after: rests }.into());
    assert_eq!((error.class(), error.may_have_had_effect()), (Class::TryAgain { after: Some(rests) }, false));
    assert_eq!((server.requests().len(), client.wants_probe()), (5, false));
    let outage = client.outage().unwrap();
    assert_eq!((outage.since, outage.why), (Timestamp::from_millis(1_000), Doubt::NotData { status: 200 }.into()));
    // Those who wait in another priority, and calls without a token, rest as well.
    assert_eq!(client.at(bursar_lms::Priority::Purchase).rests(), Some(rests));
    assert_eq!(client.course_details(&run()).await.unwrap_err().code(), "resting");
    clock.advance(2 * SECOND);
    assert_eq!((client.rests(), client.wants_probe()), (None, true));
}

#[tokio::test]
async fn one_call_is_the_probe_and_the_others_wait_for_its_end() {
    let (server, clock, client) = start().await;
    server.answers_otherwise(html(503));
    let spent = until_it_rests(&client).await;
    server.answers([Reply::Silence]);
    server.answers_otherwise(empty(200));
    clock.advance(2 * SECOND);
    let probing = client.clone();
    let probe = tokio::spawn(async move { probing.enrollment(&bob(), &run()).await });
    while server.requests().len() == spent {
        tokio::task::yield_now().await;
    }
    for _ in 0..10 {
        assert_eq!(client.enrollment(&bob(), &run()).await.unwrap_err().code(), "resting");
    }
    assert_eq!((server.requests().len(), client.wants_probe()), (spent + 1, false));
    // Whoever sent it gives up: there is another rest, and then another probe.
    probe.abort();
    assert!(probe.await.unwrap_err().is_cancelled());
    assert!(client.rests().is_some());
    clock.advance(2 * SECOND);
    client.enrollment(&bob(), &run()).await.unwrap();
    assert_eq!(client.outage(), None);
}

#[tokio::test]
async fn silence_broken_connections_and_a_moved_site_are_outages() {
    for answer in [Reply::HangUp, html(521), html(404), html(403), reply(302, "Location: /maintenance\r\n", "")] {
        let (server, _, client) = start().await;
        server.answers_otherwise(answer);
        assert_eq!(until_it_rests(&client).await, 5);
    }
    let server = Server::start().await;
    server.answers_otherwise(Reply::Silence);
    let mut config = server.config();
    config.call_timeout = Duration::from_millis(50);
    let client = Lms::new(config, Arc::new(TestClock::default())).unwrap();
    assert_eq!(until_it_rests(&client).await, 5);
}

#[tokio::test]
async fn answers_of_the_lms_are_no_outage_whatever_they_say() {
    let answers = [
        json(406, r#"{"message":"The user bob does not exist."}"#),
        json(400, r#"{"message":"Dear me"}"#),
        json(400, r#"{"detail":"JSON parse error - Expecting value"}"#),
        json(403, r#"{"message":"No."}"#),
        // One crash over one request; it must not keep others from what they paid for.
        html(500),
    ];
    for answer in answers {
        let (server, _, client) = start().await;
        server.answers_otherwise(answer);
        for _ in 0..30 {
            assert_ne!(client.enroll(&purchase()).await.unwrap_err().code(), "resting");
        }
        assert_eq!((server.requests().len(), client.outage()), (30, None));
    }
}

#[tokio::test]
async fn a_refusal_of_the_probe_ends_the_rest() {
    let (server, clock, client) = start().await;
    server.answers_otherwise(html(504));
    until_it_rests(&client).await;
    server.answers_otherwise(json(406, r#"{"message":"The user bob does not exist."}"#));
    clock.advance(2 * SECOND);
    assert_eq!(client.enroll(&purchase()).await.unwrap_err().code(), "unknown-user");
    assert_eq!(client.outage(), None);
}

#[tokio::test]
async fn a_call_that_waited_for_its_turn_while_the_others_failed_is_not_sent() {
    let server = Server::start().await;
    server.answers_otherwise(html(503));
    let mut config = server.config();
    config.calls_per_minute = 300.try_into().ok();
    let client = Lms::new(config, Arc::new(TestClock::default())).unwrap();
    // Ten go at once; the others wait, and find when their turn comes that calls rest.
    let calls: Vec<_> = (0..15)
        .map(|_| {
            let client = client.clone();
            tokio::spawn(async move { client.enrollment(&bob(), &run()).await.unwrap_err().code() })
        })
        .collect();
    let mut resting = 0;
    for call in calls {
        resting += usize::from(call.await.unwrap() == "resting");
    }
    assert_eq!(resting + server.requests().len(), 15);
    assert!(resting >= 5, "{resting} were held back");
}
