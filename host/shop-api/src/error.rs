//! What can go wrong with a call of a shop's API, and who can still do something about it.

use std::{net::IpAddr, time::Duration};

/// Who or what turns a failure into a success.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// Time. The shop may have said how much.
    TryAgain {
        /// As the shop asked.
        after: Option<Duration>,
    },
    /// The operator: address, credentials or leave.
    Ours,
    /// Nobody: the same call will end the same way.
    Definite,
}

/// Why a call has no answer. Words name the shop's host, and nothing of what was asked or answered.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ShopApiError {
    /// The shop is busy or away, and stayed so for as long as this host is patient.
    #[error("the shop answered {status}")]
    Busy {
        /// 429, or 500 and above.
        status: u16,
        /// Its `Retry-After`.
        after: Option<Duration>,
    },
    /// No connection.
    #[error("the shop's API cannot be reached: {0}")]
    Unreachable(String),
    /// No whole answer in time. Whether the shop did what it was asked is not known.
    #[error("the shop's API did not answer in time")]
    Silent,
    /// It leads into a private network.
    #[error(
        "the shop's API is at the private address {0}\nhint: if it is meant to be, set `private_addresses = true` beside its address"
    )]
    Private(IpAddr),
    /// Its certificate is not trusted, or TLS cannot be spoken with it.
    #[error(
        "the shop's API cannot be trusted: {0}\nhint: its certificate must be valid for the host in [shops.api] `url`"
    )]
    Tls(String),
    /// No token was given out.
    #[error("the shop gave no token: {0}\nhint: compare `oauth` in [shops.api] with what the shop has registered")]
    Token(String),
    /// Address or credentials that no request can be made of.
    #[error("[shops.api] cannot be used: {0}")]
    Unusable(String),
    /// A path, header or method that no request can be made of, or that leaves the configured address.
    #[error("the call cannot be made: {0}")]
    Call(String),
    /// More than is read.
    #[error("the shop answered with more than {max} bytes")]
    TooLarge {
        /// The most that is.
        max: usize,
    },
    /// What should be there is not.
    #[error("the shop answered {0}\nhint: compare the configured address with what the shop's documentation says")]
    NotThere(u16),
}

impl ShopApiError {
    /// Who or what turns it into a success.
    #[must_use]
    pub fn class(&self) -> Class {
        match self {
            Self::Busy { after, .. } => Class::TryAgain { after: *after },
            Self::Unreachable(_) | Self::Silent => Class::TryAgain { after: None },
            Self::Private(_) | Self::Tls(_) | Self::Token(_) | Self::Unusable(_) | Self::NotThere(_) => Class::Ours,
            Self::Call(_) | Self::TooLarge { .. } => Class::Definite,
        }
    }
}
