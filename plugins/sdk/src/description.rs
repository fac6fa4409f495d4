//! What an adapter is, as the host reads it once.

use crate::host::incoming;

/// What an adapter is.
#[derive(Debug)]
pub struct Description(incoming::Description);

impl Description {
    /// `platform` names the adapter in the configuration; `version` is the adapter's own, as in Semantic Versioning.
    #[must_use]
    pub fn new(platform: &str, version: &str) -> Self {
        Self(incoming::Description::new(platform, version))
    }

    /// A topic that the adapter understands, and what it means in a few words.
    #[must_use]
    pub fn topic(self, name: &str, meaning: &str) -> Self {
        self.0.topic(name, meaning);
        self
    }

    /// A secret without which the shop cannot be served, and what it is for in the operator's words.
    #[must_use]
    pub fn secret(self, name: &str, purpose: &str) -> Self {
        self.0.secret(name, purpose);
        self
    }

    /// A secret that some shops have.
    #[must_use]
    pub fn optional_secret(self, name: &str, purpose: &str) -> Self {
        self.0.optional_secret(name, purpose);
        self
    }

    /// A permission (`shop`, `lms-read`, `lms-write`) that the adapter can do without, and what it gains by it. Where a shop does
    /// not grant it, its calls are the problem `not-granted`.
    #[must_use]
    pub fn optional_permission(self, name: &str, purpose: &str) -> Self {
        self.0.optional_permission(name, purpose);
        self
    }

    /// A set of public keys; where it is fetched from is the operator's configuration.
    #[must_use]
    pub fn key_set(self, name: &str, purpose: &str) -> Self {
        self.0.key_set(name, purpose);
        self
    }

    /// The settings an operator may give, as a JSON Schema of type `object`.
    #[must_use]
    pub fn settings(self, schema: &str) -> Self {
        self.0.settings(schema);
        self
    }

    /// A header to blank before anything is stored or logged.
    #[must_use]
    pub fn redact_header(self, name: &str) -> Self {
        self.0.redact_header(name);
        self
    }

    /// A part of a JSON body to blank likewise, as a JSON Pointer (RFC 6901).
    #[must_use]
    pub fn redact_body(self, json_pointer: &str) -> Self {
        self.0.redact_body(json_pointer);
        self
    }

    /// Path and query to blank likewise: for platforms that prove themselves by the address that they know.
    #[must_use]
    pub fn redact_address(self) -> Self {
        self.0.redact_address();
        self
    }

    /// A text that the operator pastes into the shop, the query of a subscription say: `bursar adapter inspect FILE --document
    /// NAME` prints it. At most 64 KiB, with line ends as `\n`.
    #[must_use]
    pub fn document(self, name: &str, purpose: &str, text: &str) -> Self {
        self.0.document(name, purpose, text);
        self
    }

    pub(crate) fn into_host(self) -> incoming::Description {
        self.0
    }
}
