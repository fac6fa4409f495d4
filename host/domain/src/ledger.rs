//! Orders and their lines: what is known of them, and what a new statement changes.
//!
//! Owns the rule of revisions, holds and payment. Facts that come twice, late or shuffled change nothing. Knows nothing of
//! courses: what a line owes is decided in [`crate::grants`].

use rust_decimal::Decimal;

use crate::{
    grants::{Grant, Pin},
    ids::{HoldId, LineId, OrderId},
    names::ShopName,
    policy::{OnDelete, ShopPolicy},
    reason::{Concern, Reason},
    statement::{
        Cause, CourseHint, HoldStatement, Learner, LineStatement, OrderStatement, Payment, ProductId, RefundedAmount,
        Revision, Scope,
    },
    time::Timestamp,
};

/// One order, as the ledger has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    /// Ours.
    pub id: OrderId,
    /// Whose order it is.
    pub shop: ShopName,
    /// The shop's.
    pub external_id: String,
    /// What people call it.
    pub number: Option<String>,
    /// A mark that never changes.
    pub fingerprint: Option<String>,
    /// When it was placed.
    pub placed_at: Option<Timestamp>,
    /// Is it a test order?
    pub test: bool,
    /// Has the shop got the money? `Undecided` until it is said.
    pub payment: Payment,
    /// How new that is.
    pub payment_revision: Revision,
    /// How new the order's own facts are (number, learner, …).
    pub revision: Revision,
    /// How new the newest snapshot is: a line that only older statements name was not in it.
    pub snapshot_revision: Revision,
    /// Money that went back, of which it is not said for what.
    pub refunded: Option<RefundedAmount>,
    /// Who learns, for lines that do not say.
    pub learner: Option<Learner>,
    /// Causes for the whole order.
    pub holds: Vec<Hold>,
    /// In the order in which they became known.
    pub lines: Vec<Line>,
}

/// One line of an order, as the ledger has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Ours.
    pub id: LineId,
    /// The shop's.
    pub external_id: String,
    /// How new its facts are.
    pub revision: Revision,
    /// Does the shop still name it?
    pub present: bool,
    /// What the shop calls it.
    pub title: Option<String>,
    /// The product, most exact id first.
    pub products: Vec<ProductId>,
    /// Course runs that the order itself names.
    pub courses: Vec<CourseHint>,
    /// The shop's id of the bundle's line.
    pub parent: Option<String>,
    /// Who learns.
    pub learner: Option<Learner>,
    /// How many were sold.
    pub quantity: u32,
    /// How many of them were refunded.
    pub refunded_quantity: u32,
    /// When the right ends.
    pub until: Option<Timestamp>,
    /// Causes for this line.
    pub holds: Vec<Hold>,
    /// The course runs that it sells, once found: none, if it is no course.
    pub pins: Option<Vec<Pin>>,
    /// What it owes or owed.
    pub grants: Vec<Grant>,
}

/// A cause: begun, and perhaps ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hold {
    /// Ours.
    pub id: HoldId,
    /// Which.
    pub cause: Cause,
    /// Does it hold now?
    pub holds: bool,
    /// What showed it last.
    pub evidence: String,
    /// How new that is.
    pub revision: Revision,
    /// When it last changed.
    pub changed_at: Timestamp,
}

/// Something found while recording or deriving, which a person must see.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The line it is about; the whole order where there is none.
    pub line: Option<LineId>,
    /// What was found.
    pub concern: Concern,
}

/// What recording a statement came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recorded {
    /// The order afterwards.
    pub order: Order,
    /// What a person must see.
    pub findings: Vec<Finding>,
    /// Facts that were older than what was known, and changed nothing.
    pub stale: u32,
}

impl Order {
    /// An order of which nothing is known yet.
    #[must_use]
    pub fn unknown(shop: ShopName, external_id: String, now: Timestamp) -> Self {
        Self {
            id: OrderId::new(now),
            shop,
            external_id,
            number: None,
            fingerprint: None,
            placed_at: None,
            test: false,
            payment: Payment::Undecided,
            payment_revision: Revision(Vec::new()),
            revision: Revision(Vec::new()),
            snapshot_revision: Revision(Vec::new()),
            refunded: None,
            learner: None,
            holds: Vec::new(),
            lines: Vec::new(),
        }
    }

    /// Why the line gives no access, or none if it does.
    ///
    /// | the order or line | access |
    /// |---|---|
    /// | is not named by the shop any more | no |
    /// | is not paid, or it was never said | no |
    /// | is held by a cause, itself, by its order, or by its bundle's line | no |
    /// | is held by `deleted` only, and the shop's `on_delete` is not `revoke` | yes |
    /// | has no quantity left | no |
    #[must_use]
    pub fn why_no_access(&self, line: &Line, on_delete: OnDelete) -> Option<Reason> {
        if !line.present {
            return Some(Reason::LineGone);
        }
        if self.payment != Payment::Paid {
            return Some(Reason::NotPaid);
        }
        let parent_holds = line
            .parent
            .as_ref()
            .and_then(|parent| self.lines.iter().find(|candidate| candidate.external_id == *parent))
            .map(|parent| parent.holds.as_slice())
            .unwrap_or_default();
        let holding = self
            .holds
            .iter()
            .chain(&line.holds)
            .chain(parent_holds)
            .filter(|hold| hold.holds)
            .find(|hold| hold.cause != Cause::Deleted || on_delete == OnDelete::Revoke);
        if let Some(hold) = holding {
            return Some(Reason::Held { cause: hold.cause });
        }
        if line.quantity <= line.refunded_quantity {
            return Some(Reason::QuantityRefunded);
        }
        None
    }

    /// Does a cause hold the whole order?
    #[must_use]
    pub fn is_held(&self, cause: Cause) -> bool {
        self.holds.iter().any(|hold| hold.cause == cause && hold.holds)
    }
}

/// Records what an adapter stated about an order.
///
/// | the statement | what becomes of it |
/// |---|---|
/// | carries another fingerprint than the one known | nothing is applied; a person is asked |
/// | is a fact older than the same fact known | stale: nothing changes |
/// | is as new or newer | applied |
/// | says payment `undecided` | what was known of the payment stays |
/// | is a snapshot without a known line | the line is gone |
/// | names a line that a newer snapshot did not | the line was gone before it was known |
/// | is a snapshot that leaves nothing of an order that had something, without a cause | lines stay; a person is asked |
/// | says that all the money went back | the whole order is held as refunded |
/// | says that a part of the money went back | access stays; a person is told |
#[must_use]
pub fn record(order: Order, statement: &OrderStatement, policy: &ShopPolicy, now: Timestamp) -> Recorded {
    let mut recording = Recorded { order, findings: Vec::new(), stale: 0 };
    let known = recording.order.fingerprint.as_ref();
    if let (Some(known), Some(stated)) = (known, &statement.fingerprint)
        && known != stated
    {
        recording.find(None, Concern::OrderIdentityChanged);
        return recording;
    }
    recording.own_facts(statement);
    recording.payment(statement);
    recording.refund(statement, now);
    for hold in &statement.holds {
        recording.stale += u32::from(!set_hold(&mut recording.order.holds, hold, &statement.revision, now));
    }
    if policy.on_delete == OnDelete::Review
        && statement.holds.iter().any(|hold| hold.cause == Cause::Deleted && hold.holds)
        && recording.order.lines.iter().any(|line| recording.order.why_no_access(line, policy.on_delete).is_none())
    {
        recording.find(None, Concern::OrderDeleted);
    }
    for line in &statement.lines {
        recording.line(line, statement, now);
    }
    if statement.scope == Scope::Snapshot {
        recording.lines_gone(statement, policy);
    }
    for words in &statement.reviews {
        recording.find(None, Concern::Adapter { words: words.clone() });
    }
    recording
}

impl Recorded {
    fn find(&mut self, line: Option<LineId>, concern: Concern) {
        self.findings.push(Finding { line, concern });
    }

    fn own_facts(&mut self, statement: &OrderStatement) {
        let order = &mut self.order;
        if statement.revision < order.revision {
            self.stale += 1;
            return;
        }
        order.revision = statement.revision.clone();
        order.test |= statement.test;
        replace_if_stated(&mut order.number, &statement.number);
        replace_if_stated(&mut order.fingerprint, &statement.fingerprint);
        replace_if_stated(&mut order.placed_at, &statement.placed_at);
        match statement.scope {
            Scope::Snapshot => order.learner.clone_from(&statement.learner),
            Scope::Patch => replace_if_stated(&mut order.learner, &statement.learner),
        }
    }

    fn payment(&mut self, statement: &OrderStatement) {
        let order = &mut self.order;
        match statement.payment {
            None | Some(Payment::Undecided) => {}
            Some(_) if statement.revision < order.payment_revision => self.stale += 1,
            Some(payment) => {
                order.payment = payment;
                order.payment_revision = statement.revision.clone();
            }
        }
    }

    fn refund(&mut self, statement: &OrderStatement, now: Timestamp) {
        let Some(refunded) = &statement.refunded else { return };
        // More money back than before is news whatever its revision; less is an older account of it.
        let news = self.order.refunded.as_ref().is_none_or(|known| known.amount < refunded.amount);
        if news {
            self.order.refunded = Some(refunded.clone());
        }
        if refunded.amount >= refunded.total && refunded.total > Decimal::ZERO {
            let hold =
                HoldStatement { cause: Cause::Refunded, holds: true, evidence: "all the money went back".into() };
            set_hold(&mut self.order.holds, &hold, &statement.revision, now);
        } else if news && refunded.amount > Decimal::ZERO {
            let RefundedAmount { amount, total, currency } = refunded.clone();
            let (amount, total) = (amount.to_string(), total.to_string());
            self.find(None, Concern::RefundUnassigned { amount, total, currency });
        }
    }

    fn line(&mut self, statement: &LineStatement, order: &OrderStatement, now: Timestamp) {
        let revision = &order.revision;
        let index = match self.order.lines.iter().position(|line| line.external_id == statement.id) {
            Some(index) => index,
            None => {
                let mut line = Line::unknown(statement.id.clone(), now);
                if *revision < self.order.snapshot_revision {
                    line.present = false;
                    line.revision = self.order.snapshot_revision.clone();
                }
                self.order.lines.push(line);
                self.order.lines.len() - 1
            }
        };
        let Some(line) = self.order.lines.get_mut(index) else { return };
        let id = line.id;
        for hold in &statement.holds {
            self.stale += u32::from(!set_hold(&mut line.holds, hold, revision, now));
        }
        if *revision < line.revision {
            self.stale += 1;
            return;
        }
        let left_before = line.quantity.saturating_sub(line.refunded_quantity);
        line.apply(statement, order.scope, revision);
        let left = line.quantity.saturating_sub(line.refunded_quantity);
        if line.refunded_quantity > 0 && left > 0 && left < left_before {
            self.find(Some(id), Concern::QuantityPartlyRefunded { left });
        }
        for words in &statement.reviews {
            self.find(Some(id), Concern::Adapter { words: words.clone() });
        }
    }

    fn lines_gone(&mut self, statement: &OrderStatement, policy: &ShopPolicy) {
        let named = |line: &Line| statement.lines.iter().any(|stated| stated.id == line.external_id);
        let cause_given = statement.holds.iter().any(|hold| hold.holds) || statement.payment == Some(Payment::Unpaid);
        let had_something =
            self.order.lines.iter().any(|line| self.order.why_no_access(line, policy.on_delete).is_none());
        if statement.lines.is_empty() && had_something && !cause_given {
            self.find(None, Concern::OrderEmptied);
            return;
        }
        if statement.revision >= self.order.snapshot_revision {
            self.order.snapshot_revision = statement.revision.clone();
        }
        // Lines that were gone before are gone as of now: what named them in between is older than this.
        for line in self.order.lines.iter_mut().filter(|line| !named(line)) {
            if statement.revision >= line.revision {
                line.present = false;
                line.revision = statement.revision.clone();
            } else {
                self.stale += u32::from(line.present);
            }
        }
    }
}

impl Line {
    fn unknown(external_id: String, now: Timestamp) -> Self {
        Self {
            id: LineId::new(now),
            external_id,
            revision: Revision(Vec::new()),
            present: true,
            title: None,
            products: Vec::new(),
            courses: Vec::new(),
            parent: None,
            learner: None,
            quantity: 1,
            refunded_quantity: 0,
            until: None,
            holds: Vec::new(),
            pins: None,
            grants: Vec::new(),
        }
    }

    fn apply(&mut self, statement: &LineStatement, scope: Scope, revision: &Revision) {
        self.revision = revision.clone();
        self.present = true;
        if !statement.products.is_empty() {
            self.products.clone_from(&statement.products);
        }
        if !statement.courses.is_empty() {
            self.courses.clone_from(&statement.courses);
        }
        match scope {
            // All of it was said, so a learner who is not named is named no more. Refunds are not unsaid like that.
            Scope::Snapshot => {
                self.learner.clone_from(&statement.learner);
                self.parent.clone_from(&statement.parent);
            }
            Scope::Patch => {
                replace_if_stated(&mut self.learner, &statement.learner);
                replace_if_stated(&mut self.parent, &statement.parent);
            }
        }
        replace_if_stated(&mut self.title, &statement.title);
        replace_if_stated(&mut self.until, &statement.until);
        if let Some(quantity) = statement.quantity {
            self.quantity = quantity;
        }
        if let Some(refunded) = statement.refunded_quantity {
            self.refunded_quantity = refunded;
        }
    }
}

fn replace_if_stated<T: Clone>(known: &mut Option<T>, stated: &Option<T>) {
    if stated.is_some() {
        known.clone_from(stated);
    }
}

/// Sets or lifts one cause; false if what is known of it is newer.
fn set_hold(holds: &mut Vec<Hold>, stated: &HoldStatement, revision: &Revision, now: Timestamp) -> bool {
    match holds.iter_mut().find(|hold| hold.cause == stated.cause) {
        Some(known) if *revision < known.revision => false,
        Some(known) => {
            if known.holds != stated.holds {
                known.changed_at = now;
                known.evidence.clone_from(&stated.evidence);
            }
            known.holds = stated.holds;
            known.revision = revision.clone();
            true
        }
        // A cause that never held needs no lifting, but its revision must be remembered: an older hold may still come.
        None => {
            holds.push(Hold {
                id: HoldId::new(now),
                cause: stated.cause,
                holds: stated.holds,
                evidence: stated.evidence.clone(),
                revision: revision.clone(),
                changed_at: now,
            });
            true
        }
    }
}

#[cfg(test)]
pub(crate) mod tests;
