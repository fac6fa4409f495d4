//! Statements: each one is written into the run that is under way.

use super::types::{Problem, Remedy};
use crate::Instant;
use crate::testing::during;
use crate::testing::facts::{self, LineFacts, OrderFacts, StatementKind};
use crate::testing::proofs::problem;

/// Has the shop got the money?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Payment {
    /// Yes, or none is owed.
    Paid,
    /// No.
    Unpaid,
    /// It cannot be told from this: what was known before stays.
    Undecided,
}

/// Why a paid line gives no access for the time being.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// All the money for it went back.
    Refunded,
    /// The sale was called off.
    Cancelled,
    /// Binned or erased in the shop.
    Deleted,
    /// A chargeback or claim is open.
    Disputed,
}

#[derive(Debug)]
pub struct Order {
    place: usize,
}

impl Order {
    pub fn snapshot(id: &str, revision: &[u64]) -> Self {
        Self::begin(OrderFacts::new(id, StatementKind::Snapshot, revision))
    }

    pub fn patch(id: &str, revision: &[u64]) -> Self {
        Self::begin(OrderFacts::new(id, StatementKind::Patch, revision))
    }

    fn begin(facts: OrderFacts) -> Self {
        during(|run| {
            run.orders.push(facts);
            Self { place: run.orders.len() - 1 }
        })
    }

    fn state(&self, act: impl FnOnce(&mut OrderFacts)) {
        during(|run| {
            if let Some(facts) = run.orders.get_mut(self.place) {
                act(facts);
            }
        });
    }

    pub fn number(&self, text: &str) {
        self.state(|order| order.number = Some(text.to_owned()));
    }

    pub fn fingerprint(&self, text: &str) {
        self.state(|order| order.fingerprint = Some(text.to_owned()));
    }

    pub fn origin(&self, address: &str) {
        self.state(|order| order.origin = Some(address.to_owned()));
    }

    pub fn placed_at(&self, at: Instant) {
        self.state(|order| order.placed_at = Some(at));
    }

    pub fn test(&self) {
        self.state(|order| order.test = true);
    }

    pub fn payment(&self, state: Payment) {
        self.state(|order| order.payment = Some(state));
    }

    pub fn hold(&self, cause: Cause, evidence: &str) {
        self.state(|order| order.holds.push((cause, evidence.to_owned())));
    }

    pub fn lift(&self, cause: Cause, evidence: &str) {
        self.state(|order| order.lifts.push((cause, evidence.to_owned())));
    }

    pub fn refunded_amount(&self, amount: &str, currency: &str, total: &str) {
        let stated = (amount.to_owned(), currency.to_owned(), total.to_owned());
        self.state(|order| order.refunded_amount = Some(stated));
    }

    pub fn learner_email(&self, address: &str) -> Result<(), Problem> {
        let learner = email(address)?;
        self.state(|order| order.learner_email = learner);
        Ok(())
    }

    pub fn line(&self, id: &str) -> Line {
        let mut place = 0;
        self.state(|order| {
            place = order.places.get(id).copied().unwrap_or(order.lines.len());
            if place == order.lines.len() {
                order.lines.push(LineFacts { id: id.to_owned(), ..LineFacts::default() });
                order.places.insert(id.to_owned(), place);
            }
        });
        Line { order: self.place, place }
    }

    pub fn review(&self, reason: &str) {
        self.state(|order| order.reviews.push(reason.to_owned()));
    }
}

#[derive(Debug)]
pub struct Line {
    order: usize,
    place: usize,
}

impl Line {
    fn state(&self, act: impl FnOnce(&mut LineFacts)) {
        during(|run| {
            if let Some(facts) = run.orders.get_mut(self.order).and_then(|order| order.lines.get_mut(self.place)) {
                act(facts);
            }
        });
    }

    pub fn product(&self, ids: &[(&str, &str)], title: &str) {
        self.state(|line| {
            line.product = ids.iter().map(|(kind, id)| ((*kind).to_owned(), (*id).to_owned())).collect();
            title.clone_into(&mut line.title);
        });
    }

    pub fn course(&self, run: &str, mode: Option<&str>) -> Result<(), Problem> {
        if run.trim().is_empty() || run.contains(char::is_whitespace) {
            return Err(problem(Remedy::None, "course-malformed", "that is no key of a course run"));
        }
        self.state(|line| line.courses.push((run.to_owned(), mode.map(str::to_owned))));
        Ok(())
    }

    pub fn parent(&self, id: &str) {
        self.state(|line| line.parent = Some(id.to_owned()));
    }

    pub fn learner_email(&self, address: &str) -> Result<(), Problem> {
        let learner = email(address)?;
        self.state(|line| line.learner_email = learner);
        Ok(())
    }

    pub fn learner_username(&self, name: &str) -> Result<(), Problem> {
        if name.trim().is_empty() || name.contains(char::is_whitespace) {
            return Err(problem(Remedy::None, "username-malformed", "that is no username"));
        }
        self.state(|line| line.learner_username = Some(name.to_owned()));
        Ok(())
    }

    pub fn learner_external(&self, provider: &str, id: &str) -> Result<(), Problem> {
        if provider.trim().is_empty() || id.trim().is_empty() {
            return Err(problem(Remedy::None, "identity-malformed", "provider or id is blank"));
        }
        self.state(|line| line.learner_external = Some((provider.to_owned(), id.to_owned())));
        Ok(())
    }

    pub fn quantity(&self, count: u32) {
        self.state(|line| line.quantity = Some(count));
    }

    pub fn refunded_quantity(&self, count: u32) {
        self.state(|line| line.refunded_quantity = Some(count));
    }

    pub fn until(&self, at: Instant) {
        self.state(|line| line.until = Some(at));
    }

    pub fn hold(&self, cause: Cause, evidence: &str) {
        self.state(|line| line.holds.push((cause, evidence.to_owned())));
    }

    pub fn lift(&self, cause: Cause, evidence: &str) {
        self.state(|line| line.lifts.push((cause, evidence.to_owned())));
    }

    pub fn review(&self, reason: &str) {
        self.state(|line| line.reviews.push(reason.to_owned()));
    }
}

#[derive(Debug)]
pub struct KnownLine(facts::KnownLine);

impl KnownLine {
    pub fn id(&self) -> String {
        self.0.id.clone()
    }

    pub fn active(&self) -> bool {
        self.0.active
    }

    pub fn quantity(&self) -> u32 {
        self.0.quantity
    }

    pub fn refunded_quantity(&self) -> u32 {
        self.0.refunded_quantity
    }

    pub fn revision(&self) -> Vec<u64> {
        self.0.revision.clone()
    }

    pub fn product(&self) -> Vec<(String, String)> {
        self.0.product.clone()
    }

    pub fn courses(&self) -> Vec<(String, String)> {
        self.0.courses.clone()
    }

    pub fn until(&self) -> Option<Instant> {
        self.0.until
    }
}

pub fn known(order: &str) -> Vec<KnownLine> {
    during(|run| run.shop.known.get(order).cloned().unwrap_or_default().into_iter().map(KnownLine).collect())
}

/// Blank is not given; otherwise one `@` with something before it and a dotted name after it.
pub(crate) fn email(address: &str) -> Result<Option<String>, Problem> {
    let address = address.trim();
    if address.is_empty() {
        return Ok(None);
    }
    let plausible = address.split_once('@').is_some_and(|(local, domain)| {
        !local.is_empty()
            && domain.contains('.')
            && !domain.starts_with('.')
            && !domain.ends_with('.')
            && !address.contains(|letter: char| letter.is_whitespace() || ",;<>".contains(letter))
            && !domain.contains('@')
    });
    if plausible {
        Ok(Some(address.to_owned()))
    } else {
        Err(problem(Remedy::None, "email-malformed", "that is no e-mail address"))
    }
}
