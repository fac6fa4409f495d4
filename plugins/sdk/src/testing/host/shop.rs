//! The shop's API that the test made up.

use std::cell::RefCell;

use super::types::{Problem, Remedy};
use crate::testing::proofs::problem;
use crate::testing::{ApiAnswer, ApiCall, during};

/// A call that is put together.
#[derive(Debug)]
pub struct Call(RefCell<ApiCall>);

impl Call {
    pub fn new(method: &str, path_and_query: &str) -> Self {
        Self(RefCell::new(ApiCall::new(method, path_and_query)))
    }

    pub fn header(&self, name: &str, value: &str) {
        self.0.borrow_mut().headers.push((name.to_ascii_lowercase(), value.to_owned()));
    }

    pub fn body(&self, content_type: &str, bytes: &[u8]) {
        let mut call = self.0.borrow_mut();
        call.headers.push(("content-type".to_owned(), content_type.to_owned()));
        call.body = bytes.to_vec();
    }

    /// The first unused answer that the test gave for this method and path.
    pub fn send(&self) -> Result<Answer, Problem> {
        let call = self.0.borrow().clone();
        during(|run| {
            if !run.handling {
                return Err(problem(Remedy::Operator, "wrong-phase", "`shop` works in `handle` only"));
            }
            if run.shop.api_refused {
                return Err(problem(Remedy::Operator, "not-granted", "the shop does not grant the permission `shop`"));
            }
            let fits = |(wanted, _): &(ApiCall, _)| wanted.method == call.method && wanted.path == call.path;
            let place = run.shop.api.iter().position(fits);
            run.calls.push(call);
            match place.map(|place| run.shop.api.remove(place)) {
                Some((_, answer)) => Ok(Answer(answer)),
                None => Err(problem(Remedy::Later, "shop-unavailable", "the test gave no answer for this call")),
            }
        })
    }
}

/// What the test had the shop answer.
#[derive(Debug)]
pub struct Answer(ApiAnswer);

impl Answer {
    pub fn status(&self) -> u16 {
        self.0.status
    }

    pub fn header(&self, name: &str) -> Option<String> {
        let named = |(said, _): &&(String, String)| said.eq_ignore_ascii_case(name);
        self.0.headers.iter().find(named).map(|(_, value)| value.clone())
    }

    pub fn body(&self) -> Vec<u8> {
        self.0.body.clone()
    }
}
