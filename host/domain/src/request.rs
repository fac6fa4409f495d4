//! A shop's request as the host read it.
//!
//! Owns the one shape in which a request travels from the gateway into the sandbox and the inbox. Knows nothing of any
//! HTTP library.

use bytes::Bytes;

use crate::time::Timestamp;

/// What stands in place of what was blanked.
pub const BLANK: &str = "***";

/// [`BLANK`] as a path.
pub const BLANK_PATH: &str = "/***";

/// One HTTP request, complete and unchanged.
#[derive(Clone, PartialEq, Eq)]
pub struct Request {
    /// Upper-case.
    pub method: String,
    /// What follows `/webhooks/{shop}`: empty, or beginning with `/`. Not decoded.
    pub path: String,
    /// What follows `?`, without it; empty where there is none. Not decoded.
    pub query: String,
    /// In the order of arrival; names in lower case.
    pub headers: Vec<(String, Bytes)>,
    /// Byte for byte.
    pub body: Bytes,
    /// When it had been read.
    pub received_at: Timestamp,
}

impl Request {
    /// The value of the first header of this name (lower-case).
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&Bytes> {
        self.headers.iter().find(|(candidate, _)| candidate == name).map(|(_, value)| value)
    }
}

impl std::fmt::Debug for Request {
    /// Sizes only: headers and body hold secrets and personal data.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Request")
            .field("method", &self.method)
            .field("headers", &self.headers.len())
            .field("body_bytes", &self.body.len())
            .field("received_at", &self.received_at)
            .finish_non_exhaustive()
    }
}
