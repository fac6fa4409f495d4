//! What becomes of a request.

use std::fmt::Display;

use crate::Instant;
use crate::host::incoming;

/// What becomes of a request. Without a check in [`signatures`](crate::signatures) that succeeded, the host refuses
/// an `accept`.
#[derive(Debug)]
pub struct Verdict(incoming::Verdict);

impl Verdict {
    /// Genuine, and to be handled: stored, then answered 200. A topic is mostly unsigned: it must decide nothing that
    /// the body can decide.
    #[must_use]
    pub fn accept(topic: &str) -> Self {
        Self(incoming::Verdict::accept(topic))
    }

    /// Genuine, but of no interest: answered 200 and counted under the reason, never stored.
    #[must_use]
    pub fn ignore(reason: &str) -> Self {
        Self(incoming::Verdict::ignore(reason))
    }

    /// A handshake that wants a particular answer; nothing is stored.
    #[must_use]
    pub fn respond(status: u16, content_type: &str, body: &[u8]) -> Self {
        Self(incoming::Verdict::respond(status, content_type, body))
    }

    /// What the delivery is about, an order id say. Deliveries about one subject are never handled at the same time.
    #[must_use]
    pub fn about(self, subject: impl Display) -> Self {
        self.0.about(&subject.to_string());
        self
    }

    /// An id that is *covered by the signature* and names this event.
    #[must_use]
    pub fn key(self, id: impl Display) -> Self {
        self.0.key(&id.to_string());
        self
    }

    /// When the shop says that it happened. For people.
    #[must_use]
    pub fn occurred_at(self, at: Instant) -> Self {
        self.0.occurred_at(at);
        self
    }

    /// What to answer, once the delivery is stored, in place of 200 with an empty body.
    #[must_use]
    pub fn answer(self, status: u16, content_type: &str, body: &[u8]) -> Self {
        self.0.answer(status, content_type, body);
        self
    }

    pub(crate) fn into_host(self) -> incoming::Verdict {
        self.0
    }
}
