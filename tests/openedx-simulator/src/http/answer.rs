//! Owns the shapes of answers: JSON, pages, and nothing at all; must never decide which one is due.

use serde_json::{Value, json};

use super::request::Request;

/// An answer before it becomes bytes.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: Body,
}

/// What an answer carries.
#[derive(Debug, Clone)]
pub(crate) enum Body {
    /// Nothing, and no content type either.
    Empty,
    Json(Value),
    /// A page, possibly without a letter on it.
    Html(String),
}

/// The content type of every page.
pub(crate) const HTML: &str = "text/html; charset=utf-8";
/// The content type of everything else.
pub(crate) const JSON: &str = "application/json";

impl Answer {
    pub(crate) fn json(status: u16, body: Value) -> Self {
        Self { status, headers: Vec::new(), body: Body::Json(body) }
    }

    pub(crate) fn empty(status: u16) -> Self {
        Self { status, headers: Vec::new(), body: Body::Empty }
    }

    pub(crate) fn message(status: u16, message: impl Into<String>) -> Self {
        Self::json(status, json!({"message": message.into()}))
    }

    pub(crate) fn page(status: u16, title: &str) -> Self {
        let page = format!(
            "<!DOCTYPE html>\n<html lang=\"en\">\n<head><title>{title}</title></head>\n<body><h1>{title}</h1></body>\n</html>\n"
        );
        Self { status, headers: Vec::new(), body: Body::Html(page) }
    }

    /// What an exception nobody caught becomes.
    pub(crate) fn crash() -> Self {
        Self::page(500, "There has been a 500 error on the servers")
    }

    /// The redirect to the address with its slash, whatever the method.
    pub(crate) fn missing_slash(request: &Request) -> Self {
        let query = request.raw_query.as_ref().map(|query| format!("?{query}")).unwrap_or_default();
        let answer = Self { status: 301, headers: Vec::new(), body: Body::Html(String::new()) };
        answer.with("location", format!("{}/{query}", request.raw_path))
    }

    pub(crate) fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    pub(crate) fn content_type(&self) -> Option<&'static str> {
        match self.body {
            Body::Empty => None,
            Body::Json(_) => Some(JSON),
            Body::Html(_) => Some(HTML),
        }
    }

    pub(crate) fn bytes(&self) -> Vec<u8> {
        match &self.body {
            Body::Empty => Vec::new(),
            Body::Json(value) => value.to_string().into_bytes(),
            Body::Html(page) => page.clone().into_bytes(),
        }
    }
}
