//! What was sold, to whom, and whether it still stands.
//!
//! Statements are gathered during the run and take effect together when `handle` returns ok.

use std::fmt::Display;

use crate::host::orders as host;
use crate::{Instant, Result};

pub use host::{Cause, Payment};

/// The whole order: a line known from before and not named now is gone.
#[must_use]
pub fn snapshot(id: impl Display, revision: &[u64]) -> Order {
    Order(host::Order::snapshot(&id.to_string(), revision))
}

/// A part of the order: only what is named is stated. May arrive before anything else about the order.
#[must_use]
pub fn patch(id: impl Display, revision: &[u64]) -> Order {
    Order(host::Order::patch(&id.to_string(), revision))
}

/// The lines of an order as the ledger has them; none if it is unknown.
#[must_use]
pub fn known(id: impl Display) -> Vec<KnownLine> {
    host::known(&id.to_string()).into_iter().map(KnownLine).collect()
}

/// A statement about one order.
#[derive(Debug)]
pub struct Order(host::Order);

impl Order {
    /// What people call the order, where that is not its id.
    pub fn number(&self, text: &str) -> &Self {
        self.0.number(text);
        self
    }

    /// A mark of the order that never changes, such as its key.
    pub fn fingerprint(&self, text: &str) -> &Self {
        self.0.fingerprint(text);
        self
    }

    /// Where the order says that it was sold: the shop's address, out of what the platform signs.
    pub fn origin(&self, address: &str) -> &Self {
        self.0.origin(address);
        self
    }

    /// When it was placed.
    pub fn placed_at(&self, at: Instant) -> &Self {
        self.0.placed_at(at);
        self
    }

    /// A test order: it touches a live LMS only where the operator accepts test orders.
    pub fn test(&self) -> &Self {
        self.0.test();
        self
    }

    /// Has the shop got the money?
    pub fn payment(&self, state: Payment) -> &Self {
        self.0.payment(state);
        self
    }

    /// The cause holds every line, known now or later.
    pub fn hold(&self, cause: Cause, evidence: &str) -> &Self {
        self.0.hold(cause, evidence);
        self
    }

    /// The cause no longer holds, and what shows it.
    pub fn lift(&self, cause: Cause, evidence: &str) -> &Self {
        self.0.lift(cause, evidence);
        self
    }

    /// Money went back, and the shop does not say for what: decimal text, `amount` out of `total`.
    pub fn refunded_amount(&self, amount: &str, currency: &str, total: &str) -> &Self {
        self.0.refunded_amount(amount, currency, total);
        self
    }

    /// Who learns, for lines that do not say. Blank counts as not given.
    ///
    /// # Errors
    ///
    /// `email-malformed`.
    pub fn learner_email(&self, address: &str) -> Result<&Self> {
        self.0.learner_email(address)?;
        Ok(self)
    }

    /// One line of the order, by the id that the shop gives it. The same id again continues the same line.
    #[must_use]
    pub fn line(&self, id: impl Display) -> Line {
        Line(self.0.line(&id.to_string()))
    }

    /// A person should look at this order, and why.
    pub fn review(&self, reason: &str) -> &Self {
        self.0.review(reason);
        self
    }
}

/// A statement about one line of an order.
#[derive(Debug)]
pub struct Line(host::Line);

impl Line {
    /// The product, as the catalog may know it, most exact first, and its title for people.
    pub fn product<K: AsRef<str>, I: AsRef<str>>(&self, ids: impl IntoIterator<Item = (K, I)>, title: &str) -> &Self {
        let ids: Vec<(K, I)> = ids.into_iter().collect();
        let ids: Vec<(&str, &str)> = ids.iter().map(|(kind, id)| (kind.as_ref(), id.as_ref())).collect();
        self.0.product(&ids, title);
        self
    }

    /// A course run that the order itself names, for when the catalog does not know the product.
    ///
    /// # Errors
    ///
    /// `course-malformed`.
    pub fn course(&self, run: &str, mode: Option<&str>) -> Result<&Self> {
        self.0.course(run, mode)?;
        Ok(self)
    }

    /// The line that this one came with: what holds the parent holds this line.
    pub fn parent(&self, id: impl Display) -> &Self {
        self.0.parent(&id.to_string());
        self
    }

    /// Who learns. Blank counts as not given.
    ///
    /// # Errors
    ///
    /// `email-malformed`.
    pub fn learner_email(&self, address: &str) -> Result<&Self> {
        self.0.learner_email(address)?;
        Ok(self)
    }

    /// Who learns, by username.
    ///
    /// # Errors
    ///
    /// `username-malformed`.
    pub fn learner_username(&self, name: &str) -> Result<&Self> {
        self.0.learner_username(name)?;
        Ok(self)
    }

    /// Who learns, as a login provider of the site knows them.
    ///
    /// # Errors
    ///
    /// `identity-malformed`.
    pub fn learner_external(&self, provider: &str, id: &str) -> Result<&Self> {
        self.0.learner_external(provider, id)?;
        Ok(self)
    }

    /// How many were sold; 1 if not said.
    pub fn quantity(&self, count: u32) -> &Self {
        self.0.quantity(count);
        self
    }

    /// How many of them were refunded; 0 if not said.
    pub fn refunded_quantity(&self, count: u32) -> &Self {
        self.0.refunded_quantity(count);
        self
    }

    /// The right ends at that moment unless a later statement extends it.
    pub fn until(&self, at: Instant) -> &Self {
        self.0.until(at);
        self
    }

    /// As [`Order::hold`], for this line only.
    pub fn hold(&self, cause: Cause, evidence: &str) -> &Self {
        self.0.hold(cause, evidence);
        self
    }

    /// As [`Order::lift`], for this line only.
    pub fn lift(&self, cause: Cause, evidence: &str) -> &Self {
        self.0.lift(cause, evidence);
        self
    }

    /// A person should look at this line, and why.
    pub fn review(&self, reason: &str) -> &Self {
        self.0.review(reason);
        self
    }
}

/// A line as the ledger has it: what earlier deliveries stated, this run left out.
#[derive(Debug)]
pub struct KnownLine(host::KnownLine);

impl KnownLine {
    /// The id that the shop gives the line.
    #[must_use]
    pub fn id(&self) -> String {
        self.0.id()
    }

    /// Paid, still in the order and free of holds.
    #[must_use]
    pub fn active(&self) -> bool {
        self.0.active()
    }

    /// How many were sold.
    #[must_use]
    pub fn quantity(&self) -> u32 {
        self.0.quantity()
    }

    /// How many of them were refunded.
    #[must_use]
    pub fn refunded_quantity(&self) -> u32 {
        self.0.refunded_quantity()
    }

    /// The newest revision stated of it.
    #[must_use]
    pub fn revision(&self) -> Vec<u64> {
        self.0.revision()
    }

    /// As given to [`Line::product`].
    #[must_use]
    pub fn product(&self) -> Vec<(String, String)> {
        self.0.product()
    }

    /// The course runs kept for the line, each with its mode.
    #[must_use]
    pub fn courses(&self) -> Vec<(String, String)> {
        self.0.courses()
    }

    /// When the right ends, where it does.
    #[must_use]
    pub fn until(&self) -> Option<Instant> {
        self.0.until()
    }
}
