//! The request as an adapter reads it: headers one by one, the body as bytes or as JSON.

use std::cell::OnceCell;

use serde::de::Deserialize;

use crate::host::incoming;
use crate::{Instant, Problem, Result};

/// One HTTP request from a shop. What is not asked for is not copied into the instance.
#[derive(Debug)]
pub struct Request<'a> {
    handle: Handle<'a>,
    body: OnceCell<Vec<u8>>,
}

#[derive(Debug)]
enum Handle<'a> {
    Lent(&'a incoming::Request),
    Owned(incoming::Request),
}

impl<'a> Request<'a> {
    pub(crate) fn lent(request: &'a incoming::Request) -> Self {
        Self { handle: Handle::Lent(request), body: OnceCell::new() }
    }

    pub(crate) fn owned(request: incoming::Request) -> Self {
        Self { handle: Handle::Owned(request), body: OnceCell::new() }
    }

    fn handle(&self) -> &incoming::Request {
        match &self.handle {
            Handle::Lent(request) => request,
            Handle::Owned(request) => request,
        }
    }

    /// Upper-case.
    #[must_use]
    pub fn method(&self) -> String {
        self.handle().method()
    }

    /// What follows `/webhooks/{shop}`, undecoded: empty, or beginning with `/`.
    #[must_use]
    pub fn path(&self) -> String {
        self.handle().path()
    }

    /// What follows `?`, undecoded.
    #[must_use]
    pub fn query(&self) -> String {
        self.handle().query()
    }

    /// The value of the one header of this name.
    ///
    /// # Errors
    ///
    /// `header-missing`, `header-repeated` or `header-not-text`, each with remedy `none`.
    pub fn header(&self, name: &str) -> Result<String> {
        Ok(self.handle().header(name)?)
    }

    /// Every header in the order of arrival, names in lower case.
    #[must_use]
    pub fn headers(&self) -> Vec<(String, Vec<u8>)> {
        self.handle().headers()
    }

    /// Does the request say that its body is of this media type? Parameters such as a charset do not matter.
    #[must_use]
    pub fn is_media_type(&self, media_type: &str) -> bool {
        let Ok(said) = self.header("content-type") else { return false };
        said.split(';').next().is_some_and(|said| said.trim().eq_ignore_ascii_case(media_type))
    }

    /// The body, byte for byte. Copied in at the first call.
    #[must_use]
    pub fn body(&self) -> &[u8] {
        self.body.get_or_init(|| self.handle().body())
    }

    /// The body read as JSON. What is read may borrow from the body.
    ///
    /// # Errors
    ///
    /// `body-not-json` or `body-unexpected`, with remedy `none`; the message holds a place and nothing of the body.
    pub fn json<'b, T: Deserialize<'b>>(&'b self) -> Result<T> {
        let body = self.body();
        // What is text as a whole need not be looked at string by string.
        match str::from_utf8(body) {
            Ok(text) => serde_json::from_str(text),
            Err(_) => serde_json::from_slice(body),
        }
        .map_err(|error| unreadable(&error))
    }

    /// When the host had read the request, by the host's clock.
    #[must_use]
    pub fn received_at(&self) -> Instant {
        self.handle().received_at()
    }
}

fn unreadable(error: &serde_json::Error) -> Problem {
    let place = format!("line {} column {}", error.line(), error.column());
    // The library's own words may quote the body, and the body may be somebody's address.
    match error.classify() {
        serde_json::error::Category::Data => {
            Problem::rejected("body-unexpected", format!("the body is JSON of another shape than expected, at {place}"))
        }
        _ => Problem::rejected("body-not-json", format!("the body is not JSON, at {place}")),
    }
}
