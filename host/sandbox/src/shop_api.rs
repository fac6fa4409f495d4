//! The shop's own API as a run may call it.
//!
//! Owns the trait that the server implements, calls that were found sound, and answers. Sends nothing itself, and knows
//! neither the origin nor the credentials.

use std::{fmt, time::Duration};

use async_trait::async_trait;
use bytes::Bytes;

/// How a call asks. There are no others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ShopMethod {
    /// Read.
    Get,
    /// Ask or do, by a body.
    Post,
    /// Replace.
    Put,
    /// Change in part.
    Patch,
    /// Take away.
    Delete,
}

impl ShopMethod {
    /// All there are.
    pub const ALL: [Self; 5] = [Self::Get, Self::Post, Self::Put, Self::Patch, Self::Delete];

    /// As in HTTP: `GET`, `POST`, `PUT`, `PATCH`, `DELETE`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
        }
    }

    /// The method of this name, upper-case.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|method| method.as_str() == name)
    }
}

/// What a call hands over.
#[derive(Clone, PartialEq, Eq)]
pub struct ShopBody {
    /// Its media type, visible ASCII and blanks.
    pub content_type: String,
    /// At most [`SHOP_BODY`](crate::limits::SHOP_BODY).
    pub bytes: Bytes,
}

impl fmt::Debug for ShopBody {
    /// Its size only.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ShopBody").field("bytes", &self.bytes.len()).finish_non_exhaustive()
    }
}

/// A call that the sandbox found sound: it cannot leave the origin, and sets no header that is the host's.
#[derive(Clone, PartialEq, Eq)]
pub struct ShopCall {
    /// How it asks.
    pub method: ShopMethod,
    /// Begins with one `/`; visible ASCII, percent-encoded already, without `.` and `..` segments, `//` or a fragment before
    /// the `?`. To be appended to the configured origin as it is.
    pub path_and_query: String,
    /// Names in lower case, each once. Where the configured credentials are a header of such a name, the credentials win.
    pub headers: Vec<(String, String)>,
    /// None of a call without a body, and never with `GET`.
    pub body: Option<ShopBody>,
}

impl fmt::Debug for ShopCall {
    /// Without query, headers and body, which may hold personal data.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = self.path_and_query.split('?').next().unwrap_or_default();
        f.debug_struct("ShopCall").field("method", &self.method).field("path", &path).finish_non_exhaustive()
    }
}

/// An answer of the shop, whatever its status; also a redirect, which is not followed.
#[derive(Clone, PartialEq, Eq)]
pub struct ShopAnswer {
    /// As the shop gave it.
    pub status: u16,
    /// Names in any case; repeated ones repeated. `set-cookie` is never shown to an adapter.
    pub headers: Vec<(String, String)>,
    /// At most [`SHOP_ANSWER`](crate::limits::SHOP_ANSWER), decoded if it was compressed.
    pub body: Bytes,
}

impl fmt::Debug for ShopAnswer {
    /// Sizes only: headers and body may hold personal data.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ShopAnswer")
            .field("status", &self.status)
            .field("body_bytes", &self.body.len())
            .finish_non_exhaustive()
    }
}

/// Why there is no answer. The sentences are shown to adapters and people: lower-case, without a secret, a credential or
/// personal data.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ShopFault {
    /// Time helps: no connection, no answer in time, an answer that breaks off, or 429 and 5xx that outlast the host's own
    /// patience. The adapter is told `shop-unavailable`.
    #[error("{message}")]
    Unavailable {
        /// What happened.
        message: String,
        /// How long the shop asked to be left alone, if it said so.
        retry_after: Option<Duration>,
    },
    /// A person must mend something: the origin's address is one that the host never calls, its certificate is not
    /// trusted, the credentials cannot be read or no token is given for them. The adapter is told `shop-misconfigured`.
    #[error("{0}")]
    Misconfigured(String),
    /// The answer's body is over [`SHOP_ANSWER`](crate::limits::SHOP_ANSWER); it need not have been read to its end. The
    /// adapter is told `shop-answer-too-large`.
    #[error("the shop's answer is larger than what may be read of one")]
    TooLarge,
}

/// The API of one shop, at its configured origin and with its configured credentials.
#[async_trait]
pub trait ShopApi: Send + Sync {
    /// Sends the call and waits for the answer. Follows no redirect. Should give up in a third of what a run has, so that
    /// the adapter can still say what it makes of there being no answer.
    ///
    /// # Errors
    /// When there is no answer.
    async fn send(&self, call: ShopCall) -> Result<ShopAnswer, ShopFault>;
}
