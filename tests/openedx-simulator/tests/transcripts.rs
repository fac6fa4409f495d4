//! Replays what a running LMS answered, exchange by exchange, and compares every answer.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    unreachable_pub,
    dead_code,
    reason = "tests fail by panicking, and share a client of which each uses a part"
)]

#[path = "shared/client.rs"]
mod client;

use std::sync::Arc;
use std::time::Duration;

use client::{FORM, Reply, form, send, token};
use openedx_simulator::{ManualClock, Options, Simulator, State};
use serde_json::{Value, json};

const FIRST: &str = include_str!("data/lms-transcript.json");
const SECOND: &str = include_str!("data/lms-transcript-2.json");
/// The day of the recording.
const RECORDED: &str = "2026-11-23T08:14:27Z";

fn simulator(state: State) -> Simulator {
    let clock = Arc::new(ManualClock::new(RECORDED.parse().unwrap()));
    Simulator::launch(Options::new(state).with_clock(clock)).unwrap()
}

struct Replay<'a> {
    lms: &'a Simulator,
    /// Whether the recording kept every header that matters, or the content type only.
    all_headers: bool,
    /// Times the recording gives to rows, and the rows' times here: the same row must always show the same time.
    times: Vec<(String, String)>,
    /// Where the last page said the next one is.
    next: Option<String>,
    complaints: Vec<String>,
}

impl Replay<'_> {
    fn exchange(&mut self, exchange: &Value, label: &str) {
        let request = &exchange["request"];
        let reply = self.send(request);
        let expected = &exchange["response"];
        let mut problems = Vec::new();
        if Some(u64::from(reply.status)) != expected["status"].as_u64() {
            problems.push(format!("status {} instead of {}: {}", reply.status, expected["status"], reply.body));
        }
        let headers = expected["headers"].as_object().unwrap();
        let kept: &[&str] = if self.all_headers {
            &["content-type", "www-authenticate", "location", "retry-after"]
        } else {
            &["content-type"]
        };
        for name in kept.iter().copied() {
            let recorded = headers.get(name).map(|value| value.as_str().unwrap());
            if reply.header(name) != recorded {
                problems.push(format!("{name} {:?} instead of {recorded:?}", reply.header(name)));
            }
        }
        if let Some(allow) = headers.get("allow")
            && reply.header("allow") != allow.as_str()
        {
            problems.push(format!("allow {:?} instead of {allow}", reply.header("allow")));
        }
        match expected.get("json") {
            Some(json) => {
                let before = problems.len();
                let got: Value = serde_json::from_str(&reply.body).unwrap_or(Value::Null);
                self.compare(json, &got, "", &mut problems);
                if problems.len() == before {
                    self.next = got.get("next").and_then(Value::as_str).map(str::to_owned);
                }
            }
            None if expected["body"] == "" && !reply.body.is_empty() => {
                problems.push(format!("a body: {}", reply.body));
            }
            None if expected["body"] != "" && !reply.body.starts_with('<') => problems.push("no page".to_owned()),
            None => {}
        }
        self.complaints.extend(problems.into_iter().map(|problem| format!("{label}: {problem}")));
    }

    fn send(&self, request: &Value) -> Reply {
        let to = self.lms.address();
        let mut headers: Vec<(String, String)> = vec![("Accept".to_owned(), "*/*".to_owned())];
        if let Some(auth) = request.get("auth") {
            headers.push(("Authorization".to_owned(), self.authorization(auth.as_str().unwrap())));
        }
        let body = self.body(request, &mut headers);
        let headers: Vec<(&str, &str)> = headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let mut path = request["path"].as_str().unwrap().to_owned();
        if path.contains("?cursor=") {
            let next = self.next.as_ref().expect("a page said where the next one is");
            path = next.split_once("/api/").map(|(_, rest)| format!("/api/{rest}")).unwrap();
        }
        send(to, request["method"].as_str().unwrap(), &path, &headers, body.as_deref()).unwrap()
    }

    fn authorization(&self, auth: &str) -> String {
        let to = self.lms.address();
        let staff = |bearer| token(to, "commerce-key", "commerce-secret", bearer);
        match auth {
            "staff-jwt" => format!("JWT {}", staff(false)),
            "staff-bearer" => format!("Bearer {}", staff(true)),
            "learner-jwt" => format!("JWT {}", token(to, "alice-key", "alice-secret", false)),
            other => {
                let literal = other.strip_prefix("other: ").unwrap();
                match literal {
                    // A signature of the right form, but of something else.
                    "JWT <jwt>" => {
                        let (signed, signature) =
                            staff(false).rsplit_once('.').map(|(a, b)| (a.to_owned(), b.to_owned())).unwrap();
                        format!("JWT {signed}.{}", signature.chars().rev().collect::<String>())
                    }
                    "Bearer <jwt>" => format!("Bearer {}", staff(false)),
                    // A token that was valid on the day.
                    valid if valid.len() == "Bearer ".len() + 30 => format!("Bearer {}", staff(true)),
                    literal => literal.to_owned(),
                }
            }
        }
    }

    fn body(&self, request: &Value, headers: &mut Vec<(String, String)>) -> Option<Vec<u8>> {
        if let Some(pairs) = request.get("form") {
            headers.push((FORM.0.to_owned(), FORM.1.to_owned()));
            let pairs: Vec<(&str, &str)> = pairs
                .as_array()
                .unwrap()
                .iter()
                .map(|pair| (pair[0].as_str().unwrap(), pair[1].as_str().unwrap()))
                .collect();
            return Some(form(&pairs));
        }
        let content_type = request.get("content_type").and_then(Value::as_str).unwrap_or("application/json");
        let body = match (request.get("raw"), request.get("json")) {
            (Some(raw), _) => raw.as_str().unwrap().as_bytes().to_vec(),
            (None, Some(json)) => json.to_string().into_bytes(),
            // The list body of the recording did not survive its own writing down.
            (None, None) if request.get("content_type").is_some() => b"[]".to_vec(),
            (None, None) => return None,
        };
        headers.push(("Content-Type".to_owned(), content_type.to_owned()));
        Some(body)
    }

    /// Compares, apart from what differs from one site and one day to another.
    fn compare(&mut self, recorded: &Value, got: &Value, at: &str, problems: &mut Vec<String>) {
        match (recorded, got) {
            (Value::Object(recorded), Value::Object(got)) => {
                for key in recorded.keys().chain(got.keys()) {
                    match (recorded.get(key), got.get(key)) {
                        (Some(recorded), Some(got)) => {
                            self.member(key, recorded, got, &format!("{at}.{key}"), problems)
                        }
                        (Some(_), None) => problems.push(format!("{at}.{key} is missing")),
                        (None, _) => problems.push(format!("{at}.{key} is too much")),
                    }
                }
            }
            (Value::Array(recorded), Value::Array(got)) => {
                if recorded.len() != got.len() {
                    problems.push(format!("{at} has {} items instead of {}", got.len(), recorded.len()));
                }
                for (index, (recorded, got)) in recorded.iter().zip(got).enumerate() {
                    self.compare(recorded, got, &format!("{at}[{index}]"), problems);
                }
            }
            (recorded, got) if recorded == got => {}
            (recorded, got) => problems.push(format!("{at} is {got} instead of {recorded}")),
        }
    }

    fn member(&mut self, key: &str, recorded: &Value, got: &Value, at: &str, problems: &mut Vec<String>) {
        let same_kind = std::mem::discriminant(recorded) == std::mem::discriminant(got);
        let fine = match key {
            "created" => self.same_row(recorded.as_str().unwrap(), got.as_str().unwrap_or_default()),
            "access_token" | "date_joined" | "last_login" | "activation_key" => same_kind,
            "next" | "previous" => same_kind && without_cursor(recorded) == without_cursor(got),
            "username_suggestions" => same_kind && got.as_array().unwrap().len() == recorded.as_array().unwrap().len(),
            "email" if recorded.as_str().is_some_and(|email| email.starts_with("retired__user_")) => {
                let form = |email: &Value| {
                    email.as_str().map(|email| (email.len(), email.get(..14) == Some("retired__user_")))
                };
                form(recorded) == form(got)
            }
            _ => {
                self.compare(recorded, got, at, problems);
                true
            }
        };
        if !fine {
            problems.push(format!("{at} is {got} instead of {recorded}"));
        }
    }

    /// Whether a time stands for the same row in both worlds.
    fn same_row(&mut self, recorded: &str, got: &str) -> bool {
        match self.times.iter().find(|(known, _)| known == recorded) {
            Some((_, known)) => known == got,
            None => {
                let new = self.times.iter().all(|(_, known)| known != got);
                self.times.push((recorded.to_owned(), got.to_owned()));
                new && got.ends_with('Z')
            }
        }
    }
}

/// A link, without its host and what no two sites have in common.
fn without_cursor(link: &Value) -> Option<Vec<String>> {
    let (_, path) = link.as_str()?.split_once("/api/")?;
    Some(path.split(['?', '&']).map(|part| part.split_once("cursor=").map_or(part, |_| "cursor").to_owned()).collect())
}

#[test]
fn every_recorded_exchange_is_answered_as_the_running_lms_answered_it() {
    let transcript: Value = serde_json::from_str(FIRST).unwrap();
    let exchanges = transcript["exchanges"].as_array().unwrap();
    let lms = simulator(State::from_json(FIRST).unwrap());
    let mut replay = Replay { lms: &lms, all_headers: true, times: Vec::new(), next: None, complaints: Vec::new() };
    for exchange in exchanges {
        let number = exchange["n"].as_u64().unwrap();
        // The recording paused for the throttle, so half a second between calls keeps below it here as well.
        lms.advance(Duration::from_millis(600));
        if exchange["section"].as_str().unwrap().starts_with("Registration rate limit") {
            use_up_registrations(&lms);
        }
        if exchange["title"].as_str().unwrap().starts_with("another endpoint of the same API") {
            lms.advance(Duration::from_secs(60));
            use_up_calls(&lms);
            // The recording asked ten seconds into the minute.
            lms.advance(Duration::from_secs(10));
        }
        replay.exchange(exchange, &format!("#{number} {}", exchange["title"].as_str().unwrap()));
    }
    assert_eq!(replay.complaints, Vec::<String>::new());
    assert_eq!(exchanges.len(), 187);
}

#[test]
fn the_exchanges_about_a_retiring_account_are_answered_as_the_running_lms_answered_them() {
    let transcript: Value = serde_json::from_str(SECOND).unwrap();
    let exchanges = transcript["exchanges"].as_array().unwrap();
    let lms = simulator(State::from_json(FIRST).unwrap());
    lms.retire("load250").unwrap();
    let mut replay = Replay { lms: &lms, all_headers: false, times: Vec::new(), next: None, complaints: Vec::new() };
    for (index, exchange) in exchanges.iter().enumerate() {
        replay.exchange(exchange, &format!("#{} {}", index + 1, exchange["title"].as_str().unwrap()));
    }
    assert_eq!(replay.complaints, Vec::<String>::new());
    assert_eq!(exchanges.len(), 33);
}

#[test]
fn a_retirement_can_be_part_of_the_state() {
    let mut state: Value = serde_json::from_str::<Value>(FIRST).unwrap()["state"].clone();
    state["users"].as_array_mut().unwrap().push(json!({"username": "load250", "retired": true}));
    let lms = simulator(State::from_json(&state.to_string()).unwrap());
    let users = lms.snapshot().users;
    let retiring: Vec<_> = users.iter().filter(|user| user.retiring).collect();
    assert_eq!(retiring.len(), 1);
    assert_eq!((retiring[0].id, retiring[0].username.as_str()), (259, "load250"));
    assert!(retiring[0].email.starts_with("retired__user_"));
    assert_eq!(users.len(), 306);
}

fn use_up_registrations(lms: &Simulator) {
    let tries = (0..100).find(|_| {
        let reply = send(lms.address(), "POST", "/api/user/v2/account/registration/", &[FORM], Some(b"")).unwrap();
        reply.status == 403
    });
    assert!(tries.is_some_and(|tries| tries > 0));
}

fn use_up_calls(lms: &Simulator) {
    let staff = format!("JWT {}", token(lms.address(), "commerce-key", "commerce-secret", false));
    let calls = (0..200).find(|_| {
        let path = "/api/enrollment/v1/enrollment/bob,course-v1:DemoX+CS101+2026";
        send(lms.address(), "GET", path, &[("Authorization", &staff)], None).unwrap().status == 429
    });
    assert!(calls.is_some_and(|calls| calls > 0));
}
