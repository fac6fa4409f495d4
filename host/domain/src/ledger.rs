//! Orders and their lines: what is known of them, and what a new statement changes.
//!
//! Owns the rule of revisions, holds and payment. Facts that come twice, late or shuffled change nothing. Knows nothing of
//! courses: what a line owes is decided in [`crate::grants`].

use std::collections::{HashMap, HashSet};

use rust_decimal::Decimal;

use crate::{
    decision::{Decision, Ruling, RulingKind},
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
    /// Where it says that it was sold.
    pub origin: Option<String>,
    /// When it was placed.
    pub placed_at: Option<Timestamp>,
    /// Is it a test order?
    pub test: bool,
    /// Has the shop got the money? `Undecided` until it is said.
    pub payment: Payment,
    /// How new that is.
    pub payment_revision: Revision,
    /// How new it is who learns.
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
    /// What people decided about it and its lines, the oldest first; what was replaced or withdrawn is left out.
    pub decisions: Vec<Decision>,
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
            origin: None,
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
            decisions: Vec::new(),
        }
    }

    /// Why the line gives no access, or none if it does.
    ///
    /// | the order or line | access |
    /// |---|---|
    /// | is not named by the shop any more | no |
    /// | is not paid, or it was never said, and nobody approved it | no |
    /// | is held by a cause, itself, by its order, or by a bundle's line that it came with | no |
    /// | is held by a cause that a person lifted | yes |
    /// | is held by `deleted` only, and the shop's `on_delete` is not `revoke` | yes |
    /// | has no quantity left, or a bundle's line that it came with has none | no |
    #[must_use]
    pub fn why_no_access(&self, line: &Line, on_delete: OnDelete) -> Option<Reason> {
        if !line.present {
            return Some(Reason::LineGone);
        }
        if self.payment != Payment::Paid && !self.is_approved() {
            return Some(Reason::NotPaid);
        }
        let bundles = self.bundles(line);
        let holds_by_line = std::iter::once(line).chain(bundles.iter().copied()).flat_map(|holder| {
            let id = Some(holder.id);
            holder.holds.iter().filter(move |hold| !self.is_lifted(hold.cause, id))
        });
        let holding = self
            .holds
            .iter()
            .filter(|hold| !self.is_lifted(hold.cause, Some(line.id)))
            .chain(holds_by_line)
            .filter(|hold| hold.holds)
            .find(|hold| hold.cause != Cause::Deleted || on_delete == OnDelete::Revoke);
        if let Some(hold) = holding {
            return Some(Reason::Held { cause: hold.cause });
        }
        if std::iter::once(line).chain(bundles).any(|line| line.quantity_left() == 0) {
            return Some(Reason::QuantityRefunded);
        }
        None
    }

    /// The bundle's line that this line came with, the line that that one came with, and so on.
    fn bundles(&self, line: &Line) -> Vec<&Line> {
        let mut bundles: Vec<&Line> = Vec::new();
        let mut next = line.parent.as_ref();
        while let Some(parent) = next.and_then(|id| self.lines.iter().find(|candidate| candidate.external_id == *id)) {
            // A shop may name two lines as each other's bundle.
            if parent.id == line.id || bundles.iter().any(|known| known.id == parent.id) {
                break;
            }
            bundles.push(parent);
            next = parent.parent.as_ref();
        }
        bundles
    }

    /// Did a person decide that the order counts as paid?
    #[must_use]
    pub fn is_approved(&self) -> bool {
        self.decisions.iter().any(|decision| decision.ruling == Ruling::Approved)
    }

    /// Did a person decide that the cause does not hold the line, or, where no line is given, the order?
    #[must_use]
    pub fn is_lifted(&self, cause: Cause, line: Option<LineId>) -> bool {
        self.decisions.iter().any(|decision| {
            decision.ruling == Ruling::Lifted { cause } && (decision.line.is_none() || decision.line == line)
        })
    }

    /// Was it sold before Bursar was there, as the shop's policy has it?
    #[must_use]
    pub fn is_earlier_sale(&self, policy: &ShopPolicy) -> bool {
        self.placed_at.zip(policy.sold_before).is_some_and(|(placed_at, sold_before)| placed_at < sold_before)
    }

    /// Adds a decision, in the place of older ones about the same thing.
    pub fn decide(&mut self, decision: Decision) {
        self.decisions.retain(|older| older.line != decision.line || !decision.ruling.replaces(&older.ruling));
        self.decisions.push(decision);
    }

    /// A person bars the order, or one line of it, or no longer does. No fact of the shop changes that.
    pub fn bar(&mut self, line: Option<LineId>, barred: bool, why: &str, now: Timestamp) {
        let stated = HoldStatement { cause: Cause::Operator, holds: barred, evidence: why.to_owned() };
        let holds = match line {
            None => Some(&mut self.holds),
            Some(id) => self.lines.iter_mut().find(|line| line.id == id).map(|line| &mut line.holds),
        };
        if let Some(holds) = holds {
            set_hold(holds, &stated, &Revision(Vec::new()), now);
        }
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
/// | carries another fingerprint or origin than the one known, or another origin than the shop's | nothing is applied; a person is asked |
/// | is a fact older than the same fact known | stale: nothing changes |
/// | is older than a patch, but says what nobody has said | that is filled in |
/// | is as new or newer | applied |
/// | says payment `undecided` | what was known of the payment stays |
/// | is a snapshot without a known line | the line is gone |
/// | names a line that a newer snapshot did not | the line was gone before it was known |
/// | is a snapshot that leaves nothing of an order that had something, without a cause | lines stay; a person is asked |
/// | says that all the money went back | the whole order is held as refunded |
/// | says that a part of the money went back | access stays; a person is told |
/// | begins to say what a person decided otherwise | it is recorded, the decision stands, and a person is told |
#[must_use]
pub fn record(order: Order, statement: &OrderStatement, policy: &ShopPolicy, now: Timestamp) -> Recorded {
    let mut recording = Recorded { order, findings: Vec::new(), stale: 0 };
    if let Some(concern) = another_order(&recording.order, statement, policy) {
        recording.find(None, concern);
        return recording;
    }
    recording.own_facts(statement);
    recording.payment(statement);
    recording.refund(statement, now);
    for hold in &statement.holds {
        recording.hold(hold, &statement.revision, now);
    }
    if policy.on_delete == OnDelete::Review
        && statement.holds.iter().any(|hold| hold.cause == Cause::Deleted && hold.holds)
        && recording.order.lines.iter().any(|line| recording.order.why_no_access(line, policy.on_delete).is_none())
    {
        recording.find(None, Concern::OrderDeleted);
    }
    recording.lines(statement, now);
    if statement.scope == Scope::Snapshot {
        recording.lines_gone(statement, policy);
    }
    for words in &statement.reviews {
        recording.find(None, Concern::Adapter { words: words.clone() });
    }
    recording
}

/// Is the statement about another order than the one that is known by this id?
fn another_order(order: &Order, statement: &OrderStatement, policy: &ShopPolicy) -> Option<Concern> {
    if let (Some(known), Some(stated)) = (&order.fingerprint, &statement.fingerprint)
        && known != stated
    {
        return Some(Concern::OrderIdentityChanged);
    }
    let stated = statement.origin.as_ref()?;
    let expected = policy.origin.as_ref().or(order.origin.as_ref())?;
    (!same_origin(expected, stated))
        .then(|| Concern::OriginChanged { expected: expected.clone(), stated: stated.clone() })
}

/// Two spellings of one address: hosts have no case, and whether it ends in a slash says nothing.
fn same_origin(one: &str, other: &str) -> bool {
    one.trim_end_matches('/').eq_ignore_ascii_case(other.trim_end_matches('/'))
}

impl Recorded {
    fn find(&mut self, line: Option<LineId>, concern: Concern) {
        self.findings.push(Finding { line, concern });
    }

    fn own_facts(&mut self, statement: &OrderStatement) {
        let order = &mut self.order;
        // What is known of a test order never makes it a real one, however late it comes.
        order.test |= statement.test;
        // These never change, so that even an older statement may fill in what was never said.
        fill(&mut order.fingerprint, &statement.fingerprint);
        fill(&mut order.origin, &statement.origin);
        fill(&mut order.placed_at, &statement.placed_at);
        fill(&mut order.number, &statement.number);
        if statement.revision < order.revision {
            self.stale += 1;
            return;
        }
        replace_if_stated(&mut order.number, &statement.number);
        // A patch that says nothing of the learner must not make the sale that names one look old.
        if statement.scope == Scope::Snapshot || statement.learner.is_some() {
            order.revision = statement.revision.clone();
            order.learner.clone_from(&statement.learner);
        }
    }

    fn payment(&mut self, statement: &OrderStatement) {
        let order = &mut self.order;
        match statement.payment {
            None | Some(Payment::Undecided) => {}
            Some(_) if statement.revision < order.payment_revision => self.stale += 1,
            Some(payment) => {
                let withdrawn = order.payment == Payment::Paid && payment == Payment::Unpaid;
                order.payment = payment;
                order.payment_revision = statement.revision.clone();
                if withdrawn && order.is_approved() {
                    self.find(None, Concern::AgainstDecision { ruling: RulingKind::Approved });
                }
            }
        }
    }

    fn hold(&mut self, hold: &HoldStatement, revision: &Revision, now: Timestamp) {
        match set_hold(&mut self.order.holds, hold, revision, now) {
            HoldChange::Stale => self.stale += 1,
            HoldChange::Began if self.order.is_lifted(hold.cause, None) => {
                self.find(None, Concern::AgainstDecision { ruling: RulingKind::Lifted });
            }
            HoldChange::Began | HoldChange::Other => {}
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
            // An older account of it is no stale fact: the same statement may be the newest about everything else.
            let stale = self.stale;
            self.hold(&hold, &statement.revision, now);
            self.stale = stale;
        } else if news && refunded.amount > Decimal::ZERO {
            let RefundedAmount { amount, total, currency } = refunded.clone();
            let (amount, total) = (amount.to_string(), total.to_string());
            self.find(None, Concern::RefundUnassigned { amount, total, currency });
        }
    }

    /// An order may have thousands of lines: each is found by its id, not by looking through them all.
    fn lines(&mut self, statement: &OrderStatement, now: Timestamp) {
        let ids = self.order.lines.iter().map(|line| line.external_id.clone());
        let mut positions: HashMap<String, usize> = ids.zip(0..).collect();
        for stated in &statement.lines {
            let position = *positions.entry(stated.id.clone()).or_insert_with(|| {
                let mut line = Line::unknown(stated.id.clone(), now);
                if statement.revision < self.order.snapshot_revision {
                    line.present = false;
                    line.revision = self.order.snapshot_revision.clone();
                }
                self.order.lines.push(line);
                self.order.lines.len() - 1
            });
            self.line(position, stated, statement, now);
        }
    }

    fn line(&mut self, position: usize, statement: &LineStatement, order: &OrderStatement, now: Timestamp) {
        let revision = &order.revision;
        let Some(line) = self.order.lines.get_mut(position) else { return };
        let id = line.id;
        let changes: Vec<(Cause, HoldChange)> =
            statement.holds.iter().map(|hold| (hold.cause, set_hold(&mut line.holds, hold, revision, now))).collect();
        let applies = *revision >= line.revision;
        // A patch may overtake the sale that says what the line is. What it did not say is still news.
        let described = *revision < self.order.snapshot_revision;
        if applies {
            line.apply(statement, order.scope, revision);
        } else if !described {
            line.fill_in(statement);
        }
        for (cause, change) in changes {
            match change {
                HoldChange::Stale => self.stale += 1,
                HoldChange::Began if self.order.is_lifted(cause, Some(id)) => {
                    self.find(Some(id), Concern::AgainstDecision { ruling: RulingKind::Lifted });
                }
                HoldChange::Began | HoldChange::Other => {}
            }
        }
        if !applies {
            self.stale += 1;
            return;
        }
        for words in &statement.reviews {
            self.find(Some(id), Concern::Adapter { words: words.clone() });
        }
    }

    fn lines_gone(&mut self, statement: &OrderStatement, policy: &ShopPolicy) {
        let named: HashSet<&str> = statement.lines.iter().map(|stated| stated.id.as_str()).collect();
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
        for line in self.order.lines.iter_mut().filter(|line| !named.contains(line.external_id.as_str())) {
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
    /// How many were sold and not refunded.
    #[must_use]
    pub fn quantity_left(&self) -> u32 {
        self.quantity.saturating_sub(self.refunded_quantity)
    }

    /// Is its time over, and the grace after it too?
    #[must_use]
    pub fn is_over(&self, policy: &ShopPolicy, now: Timestamp) -> bool {
        self.until.is_some_and(|until| until.plus(policy.grace) <= now)
    }

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
            quantity: QUANTITY_UNSAID,
            refunded_quantity: 0,
            until: None,
            holds: Vec::new(),
            pins: None,
            grants: Vec::new(),
        }
    }

    /// Takes over what nobody has said yet from a statement that a newer patch overtook.
    fn fill_in(&mut self, statement: &LineStatement) {
        if self.products.is_empty() {
            self.products.clone_from(&statement.products);
        }
        if self.courses.is_empty() {
            self.courses.clone_from(&statement.courses);
        }
        fill(&mut self.title, &statement.title);
        fill(&mut self.parent, &statement.parent);
        fill(&mut self.learner, &statement.learner);
        fill(&mut self.until, &statement.until);
        if self.quantity == QUANTITY_UNSAID {
            self.quantity = statement.quantity.unwrap_or(QUANTITY_UNSAID);
        }
        if self.refunded_quantity == 0 {
            self.refunded_quantity = statement.refunded_quantity.unwrap_or(0);
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

fn fill<T: Clone>(known: &mut Option<T>, stated: &Option<T>) {
    if known.is_none() {
        known.clone_from(stated);
    }
}

fn replace_if_stated<T: Clone>(known: &mut Option<T>, stated: &Option<T>) {
    if stated.is_some() {
        known.clone_from(stated);
    }
}

/// How many a line sells of which nobody says it (`wit/0.1.0/orders.wit`).
const QUANTITY_UNSAID: u32 = 1;

/// What setting a cause came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum HoldChange {
    /// What is known of it is newer.
    Stale,
    /// It did not hold and does now.
    Began,
    /// It ended, or is as it was.
    Other,
}

/// Sets or lifts one cause.
fn set_hold(holds: &mut Vec<Hold>, stated: &HoldStatement, revision: &Revision, now: Timestamp) -> HoldChange {
    match holds.iter_mut().find(|hold| hold.cause == stated.cause) {
        Some(known) if *revision < known.revision => HoldChange::Stale,
        Some(known) => {
            let change = if stated.holds && !known.holds { HoldChange::Began } else { HoldChange::Other };
            if known.holds != stated.holds {
                known.changed_at = now;
                known.evidence.clone_from(&stated.evidence);
            }
            known.holds = stated.holds;
            known.revision = revision.clone();
            change
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
            if stated.holds { HoldChange::Began } else { HoldChange::Other }
        }
    }
}

#[cfg(test)]
pub(crate) mod tests;
