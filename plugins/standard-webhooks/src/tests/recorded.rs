//! Requests that the libraries of real senders signed: taken, or refused, as the same libraries verify them.
//!
//! Where those differ from each other, or are laxer than the specification, the request is refused. Signatures by Ed25519 are
//! fixtures, since only the real host checks them.

use std::fs;
use std::path::Path;

use bursar_adapter::testing::{Answer, Post, Shop};
use serde_json::Value;

use super::PROJECT;
use crate::StandardWebhooks;

/// Fewer requests than this, and some were lost.
const RECORDED: usize = 52;

fn read(name: &str) -> Vec<u8> {
    fs::read(Path::new(PROJECT).join("tests/vectors/standard-webhooks").join(name)).unwrap()
}

fn requests() -> Vec<Value> {
    let recorded: Value = serde_json::from_slice(&read("recorded.json")).unwrap();
    recorded["requests"].as_array().unwrap().clone()
}

fn post(request: &Value, body: Vec<u8>) -> Post {
    let mut post = Post::new(body).received_at(request["received_unix"].as_u64().unwrap() * 1000);
    for header in request["headers"].as_array().unwrap() {
        post = post.header(header[0].as_str().unwrap(), header[1].as_str().unwrap());
    }
    post
}

#[test]
fn every_recorded_request_is_taken_or_refused_as_it_should_be() {
    let requests = requests();
    assert!(requests.len() >= RECORDED, "only {} requests are left", requests.len());
    for request in &requests {
        let post = post(request, read(request["body"].as_str().unwrap()));
        let shop = Shop::new().secret("webhook", request["secret"].as_str().unwrap());
        let (who, why) = (&request["sender"], &request["why"]);
        match (shop.authenticate::<StandardWebhooks>(&post), request["code"].as_str()) {
            (Ok(judged), None) => {
                assert!(matches!(judged.answer, Answer::Accept { .. }), "{who}: {why}");
                assert!(judged.key.is_some_and(|key| key.starts_with("msg_")), "{who}: {why}");
            }
            (Err(problem), Some(code)) => assert_eq!(problem.code, code, "{who}: {why}"),
            (came, _) => panic!("{who}: {why}: {came:?}"),
        }
    }
}

#[test]
fn nothing_that_the_libraries_refuse_is_taken_and_what_they_all_take_is_refused_only_for_a_fraction_of_a_second() {
    for request in requests() {
        match (request["libraries_say"].as_str().unwrap(), request["code"].as_str()) {
            ("valid", Some(_)) => assert_eq!(request["case"], "timestamp-float"),
            ("valid", None) => {}
            (_, code) => assert!(code.is_some(), "{}: {}", request["sender"], request["case"]),
        }
    }
}

#[test]
fn a_changed_byte_is_refused() {
    for request in requests().iter().filter(|request| request["code"].is_null()) {
        let mut body = read(request["body"].as_str().unwrap());
        *body.last_mut().unwrap() ^= 1;
        let shop = Shop::new().secret("webhook", request["secret"].as_str().unwrap());
        let refused = shop.authenticate::<StandardWebhooks>(&post(request, body)).unwrap_err();
        assert_eq!(refused.code, "signature-mismatch", "{}", request["case"]);
    }
}

#[test]
fn no_event_of_another_platform_is_taken_for_an_order() {
    for request in requests().iter().filter(|request| request["code"].is_null()) {
        let body = read(request["body"].as_str().unwrap());
        let handled = Shop::new().settings("{}").handle::<StandardWebhooks>(&post(request, body));
        assert_eq!(handled.outcome(), "ignored", "{}", request["case"]);
    }
}
