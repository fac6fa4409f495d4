//! What people decide, carried out: about orders and lines, about reviews, and what only time decides.
//!
//! Owns no table: orders are kept by `orders`, reviews by `reviews`. Each decision is one transaction with everything that
//! follows from it, and leaves an entry in the audit trail with the person's name.

use std::collections::BTreeMap;

use bursar_domain::{
    CourseRun, Mode, ShopName, Timestamp,
    decision::{Answer, Decision, Deed, Ruling},
    grants::FIRST_SEAT,
    ids::{DecisionId, EnrollmentId, LineId, OrderId, ReviewId},
    ledger::Order,
    policy::ShopPolicy,
    reason::{Concern, Reason},
    statement::{Cause, Identity, Learner, LineStatement, OrderStatement, Payment, Revision, Scope},
};
use sqlx::{Row, SqliteConnection};

use crate::{
    Store, brakes, catalog,
    error::{Result, StoreError},
    orders::{self, Occasion},
    reviews, rows,
    trail::{AuditAction, Entry},
    writer::Command,
};

/// Who decides, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// As they are called in the audit trail.
    pub name: String,
    /// Their words.
    pub why: String,
}

impl Person {
    fn actor(&self) -> String {
        format!("operator {}", self.name)
    }
}

/// What a person decides about an order, or one line of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OrderDecision {
    /// It counts as paid.
    Approve,
    /// The cause does not hold.
    Lift {
        /// Which.
        cause: Cause,
    },
    /// It gives no access, whatever the shop says.
    Bar,
    /// It is no longer barred.
    Unbar,
    /// This learner has that seat.
    Seat {
        /// From 1; none for the next free one.
        seat: Option<u32>,
        /// Who.
        learner: Identity,
    },
    /// It sells these.
    Sell {
        /// Which runs, in which modes.
        courses: Vec<(CourseRun, Mode)>,
    },
    /// The order gives its id up: what the shop sends under it from now on is another order.
    SetAside,
}

/// Which order, and which of its lines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderPart {
    /// The shop.
    pub shop: ShopName,
    /// The shop's id of the order, or its number.
    pub order: String,
    /// The shop's id of the line; all lines where there is none.
    pub line: Option<String>,
}

/// Access that a person gives without any shop's order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GrantByHand {
    /// On account of which shop: its policies count.
    pub shop: ShopName,
    /// Who.
    pub learner: Identity,
    /// To which course run.
    pub run: CourseRun,
    /// In which mode.
    pub mode: Mode,
    /// Until when; none for ever.
    pub until: Option<Timestamp>,
}

/// What mapping lines anew changes, or would.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Remapped {
    /// Lines that sell something else then.
    pub lines: u32,
    /// Grants that end.
    pub ended: u32,
    /// Grants that begin.
    pub began: u32,
}

impl Store {
    /// Carries out what a person decided about an order.
    ///
    /// # Errors
    /// When there is no such order or line, or the decision does not fit it.
    pub async fn decide(
        &self,
        part: OrderPart,
        decision: OrderDecision,
        person: Person,
        policy: ShopPolicy,
        now: Timestamp,
    ) -> Result<Order> {
        self.writer.run(Decide { part, decision, person, policy, now }).await
    }

    /// The order as it would be if a person decided so. Changes nothing.
    ///
    /// # Errors
    /// When there is no such order or line, or the decision does not fit it.
    pub async fn rehearse(
        &self,
        part: OrderPart,
        decision: OrderDecision,
        person: Person,
        policy: ShopPolicy,
        now: Timestamp,
    ) -> Result<Order> {
        let mut connection = self.readers.acquire().await?;
        let external_id = orders::find(&mut connection, &part.shop, &part.order).await?;
        let mut order = known_order(&mut connection, &part.shop, &external_id).await?;
        let line = part.line.as_ref().map(|line| line_of(&order, line)).transpose()?;
        apply(&mut order, line, decision, &person, now)?;
        Ok(orders::derived(&mut connection, order, &policy, now).await?.order)
    }

    /// Gives access without any shop's order. The answer is the order that stands for it in the ledger.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn grant_by_hand(
        &self,
        grant: GrantByHand,
        person: Person,
        policy: ShopPolicy,
        now: Timestamp,
    ) -> Result<Order> {
        self.writer.run(Give { grant, person, policy, now }).await
    }

    /// Answers a review.
    ///
    /// # Errors
    /// When there is no such open review, or the answer does not fit it.
    pub async fn answer_review(
        &self,
        review: ReviewId,
        answer: Answer,
        person: Person,
        policies: BTreeMap<ShopName, ShopPolicy>,
        now: Timestamp,
    ) -> Result<Concern> {
        self.writer.run(AnswerReview { review, answer, person, policies, now }).await
    }

    /// Maps the lines of a shop's orders anew, by the catalog as it is now; `product` as in `sku:bio` confines it to lines of
    /// that product. It is done only if it concerns as many lines as `expected`; with none it is a rehearsal, which counts and
    /// changes nothing.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn remap(
        &self,
        product: Option<String>,
        expected: Option<u32>,
        person: Person,
        policy: ShopPolicy,
        now: Timestamp,
    ) -> Result<Remapped> {
        self.writer.run(Remap { product, expected, person, policy, now }).await
    }

    /// Ends grants whose time and grace are over; answers how many orders that concerned.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn expire(&self, policies: &BTreeMap<ShopName, ShopPolicy>, now: Timestamp) -> Result<u32> {
        let mut over = Vec::new();
        for policy in policies.values() {
            let until = now.as_millis().saturating_sub(i64::try_from(policy.grace.as_millis()).unwrap_or(i64::MAX));
            let rows = sqlx::query(
                "SELECT DISTINCT o.external_id FROM grants g JOIN lines l ON l.id = g.line_id JOIN orders o ON o.id = l.order_id
                 WHERE g.until <= ? AND g.until IS NOT NULL AND g.ended_at IS NULL AND g.shop = ? LIMIT ?",
            )
            .bind(until)
            .bind(policy.shop.as_str())
            .bind(EXPIRED_TOGETHER)
            .fetch_all(&self.readers)
            .await?;
            for row in &rows {
                over.push((policy.clone(), row.try_get::<String, _>("external_id")?));
            }
        }
        if over.is_empty() {
            return Ok(0);
        }
        self.writer.run(Expire { over, now }).await
    }
}

/// How many orders are looked at in one transaction because their time is over; more follow in the next.
const EXPIRED_TOGETHER: i64 = 100;

struct Decide {
    part: OrderPart,
    decision: OrderDecision,
    person: Person,
    policy: ShopPolicy,
    now: Timestamp,
}

impl Command for Decide {
    type Output = Order;

    async fn execute(self, connection: &mut SqliteConnection) -> Result<Order> {
        let Self { part, decision, person, policy, now } = self;
        let external_id = orders::find(connection, &part.shop, &part.order).await?;
        let before = known_order(connection, &part.shop, &external_id).await?;
        let line = part.line.as_ref().map(|line| line_of(&before, line)).transpose()?;
        if decision == OrderDecision::SetAside {
            return set_aside(connection, &before, &person, now).await;
        }
        let mut order = before.clone();
        let deed = deed(&decision);
        apply(&mut order, line, decision, &person, now)?;
        note(connection, About { order: Some(order.id), line, ..About::default() }, deed, &person, now).await?;
        let actor = person.actor();
        let occasion = Occasion { now, actor: &actor, delivery: None };
        orders::settle(connection, Some(&before), order, Vec::new(), &policy, &occasion).await?;
        known_order(connection, &part.shop, &external_id).await
    }
}

/// Writes a decision into the order.
fn apply(
    order: &mut Order,
    line: Option<LineId>,
    decision: OrderDecision,
    person: &Person,
    now: Timestamp,
) -> Result<()> {
    for (line, ruling) in rulings(order, line, decision, person, now)? {
        let (by, why) = (person.name.clone(), person.why.clone());
        order.decide(Decision { id: DecisionId::new(now), line, ruling, by, why, at: now });
    }
    Ok(())
}

fn deed(decision: &OrderDecision) -> Deed {
    match decision {
        OrderDecision::Approve => Deed::Approved,
        OrderDecision::Lift { cause: Cause::Operator } | OrderDecision::Unbar => Deed::Restored,
        OrderDecision::Lift { .. } => Deed::Lifted,
        OrderDecision::Bar => Deed::Revoked,
        OrderDecision::Seat { .. } => Deed::Seated,
        OrderDecision::Sell { .. } => Deed::Moved,
        OrderDecision::SetAside => Deed::SetAside,
    }
}

/// The rulings that a decision comes to. What is a hold and no ruling is done to the order here.
fn rulings(
    order: &mut Order,
    line: Option<LineId>,
    decision: OrderDecision,
    person: &Person,
    now: Timestamp,
) -> Result<Vec<(Option<LineId>, Ruling)>> {
    let one_line = |order: &Order| match (line, order.lines.as_slice()) {
        (Some(line), _) => Ok(line),
        (None, [only]) => Ok(only.id),
        (None, lines) => {
            let names: Vec<&str> = lines.iter().map(|line| line.external_id.as_str()).collect();
            Err(refused(format!("the order has {} lines\nhint: name one: {}", lines.len(), names.join(", "))))
        }
    };
    Ok(match decision {
        OrderDecision::Approve => vec![(None, Ruling::Approved)],
        OrderDecision::Lift { cause: Cause::Operator } | OrderDecision::Unbar => {
            order.bar(line, false, &person.why, now);
            Vec::new()
        }
        OrderDecision::Lift { cause } => vec![(line, Ruling::Lifted { cause })],
        OrderDecision::Bar => {
            order.bar(line, true, &person.why, now);
            Vec::new()
        }
        OrderDecision::Seat { seat, learner } => {
            let line = one_line(order)?;
            let seat = match seat {
                Some(seat) => seat,
                None => free_seat(order, line),
            };
            let quantity = order.lines.iter().find(|known| known.id == line).map_or(0, |line| line.quantity);
            if seat == 0 || seat > quantity {
                return Err(refused(format!(
                    "the line has {quantity} seats, and {seat} is none of them\nhint: a seat that is taken is given to somebody else by its number"
                )));
            }
            vec![(Some(line), Ruling::Seated { seat, learner })]
        }
        OrderDecision::Sell { courses } => vec![(Some(one_line(order)?), Ruling::Sells { courses })],
        OrderDecision::SetAside => Vec::new(),
    })
}

/// The first seat that nobody has. The first of all is the learner's whom the order names, if it names one.
fn free_seat(order: &Order, line: LineId) -> u32 {
    let named = order.lines.iter().find(|known| known.id == line).and_then(|line| line.learner.as_ref());
    let named = matches!(named.or(order.learner.as_ref()), Some(Learner::Known(_)));
    let taken = |seat: u32| {
        (seat == FIRST_SEAT && named)
            || order.decisions.iter().any(|decision| {
                decision.line == Some(line)
                    && matches!(decision.ruling, Ruling::Seated { seat: taken, .. } if taken == seat)
            })
    };
    (FIRST_SEAT..).find(|seat| !taken(*seat)).unwrap_or(u32::MAX)
}

/// The order keeps what it gave, under an id that no shop sends.
async fn set_aside(connection: &mut SqliteConnection, order: &Order, person: &Person, now: Timestamp) -> Result<Order> {
    let aside = format!("{} set aside {}", order.external_id, order.id);
    sqlx::query("UPDATE orders SET external_id = ?, changed_at = ? WHERE id = ?")
        .bind(&aside)
        .bind(now.as_millis())
        .bind(order.id.to_string())
        .execute(&mut *connection)
        .await?;
    let about = About { order: Some(order.id), ..About::default() };
    note(connection, about, Deed::SetAside, person, now).await?;
    reviews::settle_set_aside(connection, order.id, now).await?;
    known_order(connection, &order.shop, &aside).await
}

/// What a decision is about.
#[derive(Debug, Clone, Copy, Default)]
struct About {
    order: Option<OrderId>,
    line: Option<LineId>,
    enrollment: Option<EnrollmentId>,
}

/// Leaves the decision in the audit trail.
async fn note(
    connection: &mut SqliteConnection,
    about: About,
    deed: Deed,
    person: &Person,
    now: Timestamp,
) -> Result<()> {
    let About { order, line, enrollment } = about;
    let reason = Reason::Decided { deed, words: person.why.clone() };
    let actor = person.actor();
    let action = AuditAction::Decided;
    let entry =
        Entry { at: now, actor: &actor, action, reason: &reason, delivery: None, order, line, grant: None, enrollment };
    entry.write(connection).await
}

async fn known_order(connection: &mut SqliteConnection, shop: &ShopName, external_id: &str) -> Result<Order> {
    orders::load(connection, shop, external_id)
        .await?
        .ok_or_else(|| StoreError::NotFound { what: "order", id: external_id.to_owned() })
}

fn line_of(order: &Order, external_id: &str) -> Result<LineId> {
    order
        .lines
        .iter()
        .find(|line| line.external_id == external_id)
        .map(|line| line.id)
        .ok_or_else(|| StoreError::NotFound { what: "line", id: external_id.to_owned() })
}

fn refused(words: String) -> StoreError {
    StoreError::Refused(words)
}

struct Give {
    grant: GrantByHand,
    person: Person,
    policy: ShopPolicy,
    now: Timestamp,
}

impl Command for Give {
    type Output = Order;

    async fn execute(self, connection: &mut SqliteConnection) -> Result<Order> {
        let Self { grant, person, policy, now } = self;
        let mut order = Order::unknown(grant.shop.clone(), String::new(), now);
        // An id that no shop has, so that no shop can speak of it.
        order.external_id = format!("by hand {}", order.id);
        let external_id = order.external_id.clone();
        let mut statement = OrderStatement::new(external_id.clone(), Scope::Snapshot, Revision(Vec::new()));
        statement.number = Some("by hand".to_owned());
        statement.payment = Some(Payment::Paid);
        statement.placed_at = Some(now);
        statement.lines = vec![LineStatement {
            id: "1".to_owned(),
            title: Some(grant.run.to_string()),
            learner: Some(Learner::Known(grant.learner)),
            until: grant.until,
            ..LineStatement::default()
        }];
        // A person's word: what the shop says of itself (its address, what was sold before) is no matter here.
        let policy = ShopPolicy { origin: None, sold_before: None, ..policy };
        let recorded = bursar_domain::ledger::record(order, &statement, &policy, now);
        let mut order = recorded.order;
        let line = order.lines.first().map(|line| line.id);
        let ruling = Ruling::Sells { courses: vec![(grant.run, grant.mode)] };
        let (by, why) = (person.name.clone(), person.why.clone());
        order.decide(Decision { id: DecisionId::new(now), line, ruling, by, why, at: now });
        let actor = person.actor();
        let occasion = Occasion { now, actor: &actor, delivery: None };
        orders::settle(connection, None, order, recorded.findings, &policy, &occasion).await?;
        let order = known_order(connection, &policy.shop, &external_id).await?;
        let about = About { order: Some(order.id), line, ..About::default() };
        note(connection, about, Deed::Gave, &person, now).await?;
        Ok(order)
    }
}

struct AnswerReview {
    review: ReviewId,
    answer: Answer,
    person: Person,
    policies: BTreeMap<ShopName, ShopPolicy>,
    now: Timestamp,
}

impl Command for AnswerReview {
    type Output = Concern;

    async fn execute(self, connection: &mut SqliteConnection) -> Result<Concern> {
        let Self { review, answer, person, policies, now } = self;
        let row = sqlx::query("SELECT * FROM reviews WHERE id = ?")
            .bind(review.to_string())
            .fetch_optional(&mut *connection)
            .await?
            .ok_or_else(|| StoreError::NotFound { what: "review", id: review.to_string() })?;
        if let Some(resolution) = row.try_get::<Option<String>, _>("resolution")? {
            return Err(refused(format!("{review} is settled already: {resolution}")));
        }
        let concern: Concern = rows::json(&row, "concern")?;
        let answers = concern.answers();
        if answers.is_empty() {
            return Err(refused(
                "a product without a course is settled by the catalog\nhint: `bursar catalog import` says what it sells, or that it is no course"
                    .to_owned(),
            ));
        }
        if !answers.contains(&answer) {
            let words: Vec<&str> = answers.iter().map(|answer| answer.as_str()).collect();
            return Err(refused(format!(
                "{answer} is no answer to this\nhint: it can be answered: {}",
                words.join(", ")
            )));
        }
        let shop: Option<ShopName> = rows::parsed_option(&row, "shop")?;
        let order: Option<OrderId> = rows::parsed_option(&row, "order_id")?;
        let line: Option<LineId> = rows::parsed_option(&row, "line_id")?;
        let enrollment: Option<EnrollmentId> = rows::parsed_option(&row, "enrollment_id")?;
        match (answer, &concern) {
            (Answer::Again, Concern::RemovalsPaused { .. }) => {
                if let Some(shop) = &shop {
                    brakes::release(connection, shop, now).await?;
                }
            }
            (Answer::Again, _) => wake_again(connection, enrollment, order, now).await?,
            (Answer::Take | Answer::Keep, Concern::Revoke { .. }) => {
                answer_enrollment(connection, enrollment, answer, now).await?;
            }
            (Answer::Take, _) => {
                let policy = shop.as_ref().and_then(|shop| policies.get(shop));
                let (Some(order), Some(policy)) = (order, policy) else {
                    return Err(refused(
                        "the shop of this review is configured no more, so nothing can be taken".to_owned(),
                    ));
                };
                bar(connection, order, line, &person, policy, now).await?;
            }
            (Answer::Keep | Answer::Noted, _) => {}
        }
        note(connection, About { order, line, enrollment }, answer.into(), &person, now).await?;
        reviews::answer(connection, review, answer, &format!("{answer}, {}: {}", person.name, person.why), now).await?;
        Ok(concern)
    }
}

async fn bar(
    connection: &mut SqliteConnection,
    order: OrderId,
    line: Option<LineId>,
    person: &Person,
    policy: &ShopPolicy,
    now: Timestamp,
) -> Result<()> {
    let external_id: String = sqlx::query_scalar("SELECT external_id FROM orders WHERE id = ?")
        .bind(order.to_string())
        .fetch_one(&mut *connection)
        .await?;
    let before = known_order(connection, &policy.shop, &external_id).await?;
    let mut order = before.clone();
    order.bar(line, true, &person.why, now);
    let actor = person.actor();
    let occasion = Occasion { now, actor: &actor, delivery: None };
    orders::settle(connection, Some(&before), order, Vec::new(), policy, &occasion).await
}

/// Whatever waits because of it is looked at again: the enrollment, or all that the order has to do with.
async fn wake_again(
    connection: &mut SqliteConnection,
    enrollment: Option<EnrollmentId>,
    order: Option<OrderId>,
    now: Timestamp,
) -> Result<()> {
    sqlx::query(
        "UPDATE enrollments SET state = 'due', due_at = ?1, attempts = 0, wakes = wakes + 1
         WHERE id = ?2 OR (?2 IS NULL AND EXISTS (SELECT 1 FROM grants g JOIN lines l ON l.id = g.line_id
             WHERE l.order_id = ?3 AND g.account_id = enrollments.account_id AND g.course_run = enrollments.course_run))",
    )
    .bind(now.as_millis())
    .bind(enrollment.map(|id| id.to_string()))
    .bind(order.map(|id| id.to_string()))
    .execute(&mut *connection)
    .await?;
    sqlx::query(
        "UPDATE resolutions SET due_at = ?1 WHERE account_id IS NULL AND state IN ('open', 'waiting')
             AND EXISTS (SELECT 1 FROM grants g JOIN lines l ON l.id = g.line_id
                 WHERE l.order_id = ?2 AND g.identity_id = resolutions.identity_id AND g.lms = resolutions.lms)",
    )
    .bind(now.as_millis())
    .bind(order.map(|id| id.to_string()))
    .execute(connection)
    .await?;
    Ok(())
}

async fn answer_enrollment(
    connection: &mut SqliteConnection,
    enrollment: Option<EnrollmentId>,
    answer: Answer,
    now: Timestamp,
) -> Result<()> {
    sqlx::query(
        "UPDATE enrollments SET answer = ?1, state = 'due', due_at = ?2, attempts = 0, wakes = wakes + 1 WHERE id = ?3",
    )
    .bind(answer.as_str())
    .bind(now.as_millis())
    .bind(enrollment.map(|id| id.to_string()))
    .execute(connection)
    .await?;
    Ok(())
}

struct Remap {
    product: Option<String>,
    expected: Option<u32>,
    person: Person,
    policy: ShopPolicy,
    now: Timestamp,
}

impl Command for Remap {
    type Output = Remapped;

    async fn execute(self, connection: &mut SqliteConnection) -> Result<Remapped> {
        let shop = &self.policy.shop;
        let rows = sqlx::query(
            "SELECT DISTINCT o.external_id FROM lines l JOIN orders o ON o.id = l.order_id
             WHERE o.shop = ?1 AND l.pinned AND (?2 IS NULL OR EXISTS (SELECT 1 FROM json_each(l.products) p
                 WHERE json_extract(p.value, '$.kind') || ':' || json_extract(p.value, '$.id') = ?2))
             ORDER BY o.id",
        )
        .bind(shop.as_str())
        .bind(&self.product)
        .fetch_all(&mut *connection)
        .await?;
        let actor = self.person.actor();
        let occasion = Occasion { now: self.now, actor: &actor, delivery: None };
        let mut remapped = Remapped::default();
        for row in rows {
            let before = known_order(connection, shop, row.try_get("external_id")?).await?;
            let products: Vec<_> = before.lines.iter().flat_map(|line| line.products.iter().cloned()).collect();
            let answers = catalog::answers(connection, shop, &products).await?;
            let after = bursar_domain::grants::remap(
                before.clone(),
                |ids| catalog::answer(&answers, ids),
                |line| {
                    self.product
                        .as_ref()
                        .is_none_or(|product| line.products.iter().any(|id| id.to_string() == *product))
                },
                &self.policy,
                self.now,
            );
            remapped.add(&before, &after.order);
            if self.expected.is_some() && after.order != before {
                orders::settle_derived(connection, Some(&before), after, Vec::new(), &self.policy, &occasion).await?;
                let about = About { order: Some(before.id), ..About::default() };
                note(connection, about, Deed::Remapped, &self.person, self.now).await?;
            }
        }
        if let Some(expected) = self.expected
            && expected != remapped.lines
        {
            // What was done up to here is undone with this error.
            return Err(StoreError::Refused(format!(
                "nothing was changed: {expected} lines were expected, and it would be {remapped}\nhint: look at it with --dry-run"
            )));
        }
        Ok(remapped)
    }
}

impl std::fmt::Display for Remapped {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { lines, ended, began } = self;
        write!(f, "{lines} lines that sell something else, {ended} grants that end, {began} that begin")
    }
}

impl Remapped {
    fn add(&mut self, before: &Order, after: &Order) {
        for (before, after) in before.lines.iter().zip(&after.lines) {
            self.lines += u32::from(before.pins != after.pins);
            let live = |line: &bursar_domain::ledger::Line, id| {
                line.grants.iter().any(|grant| grant.id == id && grant.ended.is_none())
            };
            let count = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
            let ended = before.grants.iter().filter(|grant| grant.ended.is_none() && !live(after, grant.id));
            self.ended += count(ended.count());
            let began = after.grants.iter().filter(|grant| grant.ended.is_none() && !live(before, grant.id));
            self.began += count(began.count());
        }
    }
}

struct Expire {
    over: Vec<(ShopPolicy, String)>,
    now: Timestamp,
}

impl Command for Expire {
    type Output = u32;

    async fn execute(self, connection: &mut SqliteConnection) -> Result<u32> {
        let occasion = Occasion { now: self.now, actor: "host", delivery: None };
        let mut orders = 0;
        for (policy, external_id) in &self.over {
            let before = known_order(connection, &policy.shop, external_id).await?;
            orders::settle(connection, Some(&before), before.clone(), Vec::new(), policy, &occasion).await?;
            orders += 1;
        }
        Ok(orders)
    }
}
