//! The stored request whose turn has come.

use std::cell::OnceCell;
use std::fmt::Display;

use crate::Request;
use crate::host::incoming;

/// A stored request whose turn has come.
#[derive(Debug)]
pub struct Delivery<'a> {
    handle: &'a incoming::Delivery,
    request: OnceCell<Request<'a>>,
}

/// Where a delivery came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// The shop sent it.
    Webhook,
    /// Bursar asked the shop.
    Backfill,
    /// A person had it run again.
    Operator,
    /// Something that this kit is too old to know.
    Other,
}

impl<'a> Delivery<'a> {
    pub(crate) fn lent(delivery: &'a incoming::Delivery) -> Self {
        Self { handle: delivery, request: OnceCell::new() }
    }

    /// The request, with the redacted parts reading `***`.
    #[must_use]
    pub fn request(&self) -> &Request<'a> {
        self.request.get_or_init(|| Request::owned(self.handle.request()))
    }

    /// `dlv_…`, unique for ever.
    #[must_use]
    pub fn id(&self) -> String {
        self.handle.id()
    }

    /// As given to [`Verdict::accept`](crate::Verdict::accept).
    #[must_use]
    pub fn topic(&self) -> String {
        self.handle.topic()
    }

    /// Where it came from.
    #[must_use]
    pub fn origin(&self) -> Origin {
        match self.handle.origin().as_str() {
            "webhook" => Origin::Webhook,
            "backfill" => Origin::Backfill,
            "operator" => Origin::Operator,
            _ => Origin::Other,
        }
    }

    /// Which try this is, from 1.
    #[must_use]
    pub fn attempt(&self) -> u32 {
        self.handle.attempt()
    }

    /// There is nothing to do, and why.
    pub fn ignored(&self, reason: &str) {
        self.handle.ignored(reason);
    }

    /// A person should look at this delivery. Facts that are stated hold all the same.
    pub fn review(&self, reason: &str) {
        self.handle.review(reason);
    }

    /// The shop asks that somebody be forgotten: what is stored of its requests about this subject, as it was given to
    /// [`Verdict::about`](crate::Verdict::about), is blanked once they are finished. Orders stay, and the access that was paid
    /// for. At most 1,000 subjects a run.
    pub fn forget(&self, subject: impl Display) {
        self.handle.forget(&subject.to_string());
    }
}
