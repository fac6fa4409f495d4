//! Requests, verdicts, deliveries and descriptions.

use std::cell::RefCell;

use super::types::{Problem, Remedy};
use crate::Instant;
use crate::testing::proofs::problem;
use crate::testing::{Answer, Described, Judged, Post, during};

#[derive(Debug)]
pub struct Request(pub(crate) Post);

impl Request {
    pub fn method(&self) -> String {
        "POST".to_owned()
    }

    pub fn path(&self) -> String {
        self.0.path.clone()
    }

    pub fn query(&self) -> String {
        self.0.query.clone()
    }

    pub fn header(&self, name: &str) -> Result<String, Problem> {
        let mut values = self.0.headers.iter().filter(|(other, _)| other.eq_ignore_ascii_case(name));
        let wrong = |code: &str, what: &str| Err(problem(Remedy::None, code, &format!("the header `{name}` {what}")));
        match (values.next(), values.next()) {
            (None, _) => wrong("header-missing", "is missing"),
            (Some(_), Some(_)) => wrong("header-repeated", "is there more than once"),
            (Some((_, value)), None) => match String::from_utf8(value.clone()) {
                Ok(text) => Ok(text),
                Err(_) => wrong("header-not-text", "is not text"),
            },
        }
    }

    pub fn headers(&self) -> Vec<(String, Vec<u8>)> {
        self.0.headers.clone()
    }

    pub fn body(&self) -> Vec<u8> {
        self.0.body.clone()
    }

    pub fn received_at(&self) -> Instant {
        self.0.received_at
    }
}

#[derive(Debug)]
pub struct Verdict {
    pub(crate) said: RefCell<Judged>,
}

impl Verdict {
    fn new(answer: Answer) -> Self {
        let said = Judged { answer, subject: None, key: None, occurred_at: None, reply: None, logs: Vec::new() };
        Self { said: RefCell::new(said) }
    }

    pub fn accept(topic: &str) -> Self {
        Self::new(Answer::Accept { topic: topic.to_owned() })
    }

    pub fn ignore(reason: &str) -> Self {
        Self::new(Answer::Ignore { reason: reason.to_owned() })
    }

    pub fn respond(status: u16, content_type: &str, body: &[u8]) -> Self {
        Self::new(Answer::Respond { status, content_type: content_type.to_owned(), body: body.to_vec() })
    }

    pub fn about(&self, subject: &str) {
        self.said.borrow_mut().subject = Some(subject.to_owned());
    }

    pub fn key(&self, id: &str) {
        self.said.borrow_mut().key = Some(id.to_owned());
    }

    pub fn occurred_at(&self, at: Instant) {
        self.said.borrow_mut().occurred_at = Some(at);
    }

    pub fn answer(&self, status: u16, content_type: &str, body: &[u8]) {
        self.said.borrow_mut().reply = Some((status, content_type.to_owned(), body.to_vec()));
    }
}

#[derive(Debug)]
pub struct Delivery(pub(crate) Post);

impl Delivery {
    pub fn request(&self) -> Request {
        Request(self.0.clone())
    }

    pub fn id(&self) -> String {
        "dlv_test".to_owned()
    }

    pub fn topic(&self) -> String {
        self.0.topic.clone()
    }

    pub fn origin(&self) -> String {
        "webhook".to_owned()
    }

    pub fn attempt(&self) -> u32 {
        1
    }

    pub fn ignored(&self, reason: &str) {
        during(|run| run.ignored.push(reason.to_owned()));
    }

    pub fn review(&self, reason: &str) {
        during(|run| run.reviews.push(reason.to_owned()));
    }

    pub fn forget(&self, subject: &str) {
        during(|run| run.forgets.push(subject.to_owned()));
    }
}

#[derive(Debug)]
pub struct Description {
    pub(crate) said: RefCell<Described>,
}

impl Description {
    pub fn new(platform: &str, version: &str) -> Self {
        let said = Described { platform: platform.to_owned(), version: version.to_owned(), ..Described::default() };
        Self { said: RefCell::new(said) }
    }

    pub fn topic(&self, name: &str, meaning: &str) {
        self.said.borrow_mut().topics.push((name.to_owned(), meaning.to_owned()));
    }

    pub fn secret(&self, name: &str, purpose: &str) {
        self.said.borrow_mut().secrets.push((name.to_owned(), purpose.to_owned()));
    }

    pub fn optional_secret(&self, name: &str, purpose: &str) {
        self.said.borrow_mut().optional_secrets.push((name.to_owned(), purpose.to_owned()));
    }

    pub fn optional_permission(&self, name: &str, purpose: &str) {
        self.said.borrow_mut().optional_permissions.push((name.to_owned(), purpose.to_owned()));
    }

    pub fn key_set(&self, name: &str, purpose: &str) {
        self.said.borrow_mut().key_sets.push((name.to_owned(), purpose.to_owned()));
    }

    pub fn settings(&self, schema: &str) {
        self.said.borrow_mut().settings = Some(schema.to_owned());
    }

    pub fn redact_header(&self, name: &str) {
        self.said.borrow_mut().redacted_headers.push(name.to_owned());
    }

    pub fn redact_body(&self, json_pointer: &str) {
        self.said.borrow_mut().redacted_body.push(json_pointer.to_owned());
    }

    pub fn redact_address(&self) {
        self.said.borrow_mut().redacted_address = true;
    }

    pub fn document(&self, name: &str, purpose: &str, text: &str) {
        self.said.borrow_mut().documents.push((name.to_owned(), purpose.to_owned(), text.to_owned()));
    }
}
