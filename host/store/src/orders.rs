//! Orders as the ledger has them: loading one whole, saving what changed, and waking fulfillment where it matters.
//!
//! Owns `orders`, `lines`, `holds`, `decisions`, `pins`, `grants` and `identities`. What changes is decided by `bursar-domain`; here it
//! is only kept.

use std::collections::{HashMap, HashSet};

use bursar_domain::{
    CourseRun, Mode, ShopName, Timestamp, brake,
    decision::{Decision, Ruling, RulingKind},
    grants::{self, Derived, Ended, Grant, Pin},
    ids::{DeliveryId, IdentityId, LineId, OrderId},
    ledger::{Finding, Hold, Line, Order},
    policy::ShopPolicy,
    reason::{Concern, Reason},
    statement::{Cause, Identity, Learner, Payment, ProductId, RefundedAmount},
};
use sqlx::{Row, SqliteConnection, sqlite::SqliteRow};

use crate::{
    Store, brakes, catalog,
    enrollments::{self, Urgency},
    error::{Result, StoreError},
    resolutions, reviews, rows,
    trail::{AuditAction, Entry},
};

impl Store {
    /// An order of a shop, whole, by the shop's id of it.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn order(&self, shop: &ShopName, external_id: &str) -> Result<Option<Order>> {
        let mut connection = self.readers.acquire().await?;
        load(&mut connection, shop, external_id).await
    }
}

/// Who changes an order, and on what occasion.
pub(crate) struct Occasion<'a> {
    pub(crate) now: Timestamp,
    pub(crate) actor: &'a str,
    pub(crate) delivery: Option<DeliveryId>,
}

/// Derives what the order owes now, saves it and what was found, and wakes fulfillment.
pub(crate) async fn settle(
    connection: &mut SqliteConnection,
    before: Option<&Order>,
    order: Order,
    findings: Vec<Finding>,
    policy: &ShopPolicy,
    occasion: &Occasion<'_>,
) -> Result<()> {
    let derived = derived(connection, order, policy, occasion.now).await?;
    settle_derived(connection, before, derived, findings, policy, occasion).await
}

/// What the order owes now, by the catalog as it is.
pub(crate) async fn derived(
    connection: &mut SqliteConnection,
    order: Order,
    policy: &ShopPolicy,
    now: Timestamp,
) -> Result<Derived> {
    let products: Vec<ProductId> = order.lines.iter().flat_map(|line| line.products.iter().cloned()).collect();
    let answers = catalog::answers(connection, &order.shop, &products).await?;
    Ok(grants::derive(order, |ids| catalog::answer(&answers, ids), policy, now))
}

/// Saves what an order owes by now and what was found, and wakes fulfillment.
pub(crate) async fn settle_derived(
    connection: &mut SqliteConnection,
    before: Option<&Order>,
    derived: Derived,
    mut findings: Vec<Finding>,
    policy: &ShopPolicy,
    occasion: &Occasion<'_>,
) -> Result<()> {
    findings.extend(derived.findings);
    let after = derived.order;
    if before != Some(&after) {
        save(connection, before, &after, &findings, occasion).await?;
    }
    let mut removals = false;
    let known_lines = lines_by_id(before);
    for line in &after.lines {
        let known = known_lines.get(&line.id).copied();
        removals |= grants_changed(connection, &after, line, known, policy, occasion).await?;
    }
    if removals {
        brakes::check(connection, policy, occasion.now).await?;
    }
    if !after.is_held(Cause::Deleted) {
        reviews::settle_deleted(connection, after.id, occasion.now).await?;
    }
    reviews::settle_unfound(connection, after.id, &findings, occasion.now).await?;
    for finding in &findings {
        let about = reviews::About {
            delivery: occasion.delivery,
            order: Some(after.id),
            line: finding.line,
            ..reviews::About::default()
        };
        reviews::open(connection, Some(&after.shop), &finding.concern, &about, occasion.now).await?;
    }
    Ok(())
}

/// Writes down what began and ended, and wakes whoever has to do with it. Says whether something ended that the brake
/// counts.
async fn grants_changed(
    connection: &mut SqliteConnection,
    order: &Order,
    line: &Line,
    before: Option<&Line>,
    policy: &ShopPolicy,
    occasion: &Occasion<'_>,
) -> Result<bool> {
    let mut removals = false;
    for grant in &line.grants {
        let known = before.and_then(|line| line.grants.iter().find(|known| known.id == grant.id));
        if known == Some(grant) {
            continue;
        }
        let was_live = known.is_some_and(|known| known.ended.is_none());
        let (action, reason) = match &grant.ended {
            None if order.payment == Payment::Paid => (AuditAction::GrantBegan, &Reason::LinePaid),
            None => (AuditAction::GrantBegan, &Reason::OrderApproved),
            Some(ended) => (AuditAction::GrantEnded, &ended.reason),
        };
        if was_live != grant.ended.is_none() {
            let entry = Entry {
                at: occasion.now,
                actor: occasion.actor,
                action,
                reason,
                delivery: occasion.delivery,
                order: Some(order.id),
                line: Some(line.id),
                grant: Some(grant.id),
                enrollment: None,
            };
            entry.write(connection).await?;
            removals |= grant.ended.as_ref().is_some_and(|ended| brake::counts(&ended.reason));
        }
        // A grant that went over to another learner leaves behind the account that it was found to be of.
        if let Some(left) = known.and_then(|known| known.account).filter(|account| Some(*account) != grant.account) {
            let urgency = Urgency::Removal;
            enrollments::wake(connection, &grant.lms, left, &grant.run, urgency, occasion.now, occasion.now).await?;
        }
        match (&grant.ended, grant.account) {
            (None, Some(account)) => {
                let urgency = Urgency::Purchase;
                enrollments::wake(connection, &grant.lms, account, &grant.run, urgency, occasion.now, occasion.now)
                    .await?;
            }
            (None, None) => resolutions::want(connection, &grant.lms, &grant.identity, occasion.now).await?,
            // Giving is immediate, taking waits.
            (Some(_), Some(account)) => {
                let (urgency, due) = (Urgency::Removal, occasion.now.plus(policy.quiet_time));
                enrollments::wake(connection, &grant.lms, account, &grant.run, urgency, due, occasion.now).await?;
            }
            (Some(_), None) => {}
        }
    }
    // Whichever of its ids the catalog knows it by, the question was asked by the first.
    if line.pins.is_some()
        && before.is_none_or(|before| before.pins.is_none())
        && let Some(product) = line.products.first()
    {
        reviews::settle_product(connection, &order.shop, &product.to_string(), occasion.now).await?;
    }
    Ok(removals)
}

/// An order may have thousands of lines, each of which is looked for.
fn lines_by_id(order: Option<&Order>) -> HashMap<LineId, &Line> {
    order.into_iter().flat_map(|order| &order.lines).map(|line| (line.id, line)).collect()
}

// Loading ------------------------------------------------------------------------------------------------------------

/// The shop's id of the order that people call so: by its id, else by its number where one order only has it.
pub(crate) async fn find(connection: &mut SqliteConnection, shop: &ShopName, name: &str) -> Result<String> {
    let rows = sqlx::query(
        "SELECT external_id FROM orders WHERE shop = ?1 AND (external_id = ?2 OR number = ?2)
         ORDER BY external_id = ?2 DESC LIMIT 2",
    )
    .bind(shop.as_str())
    .bind(name)
    .fetch_all(connection)
    .await?;
    match rows.as_slice() {
        [] => Err(StoreError::NotFound { what: "order", id: name.to_owned() }),
        [first, second] => {
            let (first, second): (String, String) = (first.try_get("external_id")?, second.try_get("external_id")?);
            if first == name {
                return Ok(first);
            }
            Err(StoreError::Refused(format!(
                "several orders are called {name}\nhint: use their ids: {first}, {second}"
            )))
        }
        [only, ..] => Ok(only.try_get("external_id")?),
    }
}

/// The order of this shop with this id of the shop's.
pub(crate) async fn load(
    connection: &mut SqliteConnection,
    shop: &ShopName,
    external_id: &str,
) -> Result<Option<Order>> {
    let row = sqlx::query(
        "SELECT o.*, i.kind, i.provider, i.written FROM orders o LEFT JOIN identities i ON i.id = o.learner_id
         WHERE o.shop = ? AND o.external_id = ?",
    )
    .bind(shop.as_str())
    .bind(external_id)
    .fetch_optional(&mut *connection)
    .await?;
    let Some(row) = row else { return Ok(None) };
    let mut order = Order {
        id: rows::parsed(&row, "id")?,
        shop: shop.clone(),
        external_id: external_id.to_owned(),
        number: row.try_get("number")?,
        fingerprint: row.try_get("fingerprint")?,
        origin: row.try_get("origin")?,
        placed_at: rows::time_option(&row, "placed_at")?,
        test: row.try_get("test")?,
        payment: rows::word(&row, "payment")?,
        payment_revision: rows::json(&row, "payment_revision")?,
        revision: rows::json(&row, "revision")?,
        snapshot_revision: rows::json(&row, "snapshot_revision")?,
        refunded: refunded(&row)?,
        learner: learner(&row)?,
        holds: Vec::new(),
        lines: lines(connection, rows::parsed(&row, "id")?).await?,
        decisions: decisions(connection, rows::parsed(&row, "id")?).await?,
    };
    let holds = sqlx::query("SELECT * FROM holds WHERE order_id = ? ORDER BY id")
        .bind(order.id.to_string())
        .fetch_all(&mut *connection)
        .await?;
    let mut holds_of_lines: HashMap<LineId, Vec<Hold>> = HashMap::new();
    for row in holds {
        let hold = Hold {
            id: rows::parsed(&row, "id")?,
            cause: rows::word(&row, "cause")?,
            holds: row.try_get("holds")?,
            evidence: row.try_get("evidence")?,
            revision: rows::json(&row, "revision")?,
            changed_at: rows::time(&row, "changed_at")?,
        };
        let line_id: Option<LineId> = rows::parsed_option(&row, "line_id")?;
        match line_id {
            None => order.holds.push(hold),
            Some(id) => holds_of_lines.entry(id).or_default().push(hold),
        }
    }
    for line in &mut order.lines {
        line.holds = holds_of_lines.remove(&line.id).unwrap_or_default();
    }
    Ok(Some(order))
}

async fn lines(connection: &mut SqliteConnection, order: OrderId) -> Result<Vec<Line>> {
    let line_rows = sqlx::query(
        "SELECT l.*, i.kind, i.provider, i.written FROM lines l LEFT JOIN identities i ON i.id = l.learner_id
         WHERE l.order_id = ? ORDER BY l.id",
    )
    .bind(order.to_string())
    .fetch_all(&mut *connection)
    .await?;
    let mut lines = Vec::with_capacity(line_rows.len());
    for row in line_rows {
        lines.push(Line {
            id: rows::parsed(&row, "id")?,
            external_id: row.try_get("external_id")?,
            revision: rows::json(&row, "revision")?,
            present: row.try_get("present")?,
            title: row.try_get("title")?,
            products: rows::json(&row, "products")?,
            courses: rows::json(&row, "courses")?,
            parent: row.try_get("parent")?,
            learner: learner(&row)?,
            quantity: rows::count(&row, "quantity")?,
            refunded_quantity: rows::count(&row, "refunded_quantity")?,
            until: rows::time_option(&row, "until")?,
            holds: Vec::new(),
            pins: row.try_get::<bool, _>("pinned")?.then(Vec::new),
            grants: Vec::new(),
        });
    }
    let mut by_id: HashMap<LineId, &mut Line> = lines.iter_mut().map(|line| (line.id, line)).collect();
    let pins = sqlx::query(
        "SELECT p.* FROM pins p JOIN lines l ON l.id = p.line_id WHERE l.order_id = ? ORDER BY p.course_run, p.mode",
    )
    .bind(order.to_string())
    .fetch_all(&mut *connection)
    .await?;
    for row in pins {
        if let Some(line) = by_id.get_mut(&rows::parsed(&row, "line_id")?) {
            line.pins.get_or_insert_default().push(Pin {
                run: rows::parsed(&row, "course_run")?,
                mode: rows::parsed(&row, "mode")?,
                entry: rows::parsed_option(&row, "catalog_id")?,
                pinned_at: rows::time(&row, "pinned_at")?,
            });
        }
    }
    let grant_rows = sqlx::query(
        "SELECT g.*, i.kind, i.provider, i.written
         FROM grants g JOIN lines l ON l.id = g.line_id JOIN identities i ON i.id = g.identity_id
         WHERE l.order_id = ? ORDER BY g.id",
    )
    .bind(order.to_string())
    .fetch_all(&mut *connection)
    .await?;
    for row in grant_rows {
        let grant = grant(&row)?;
        if let Some(line) = by_id.get_mut(&rows::parsed(&row, "line_id")?) {
            line.grants.push(grant);
        }
    }
    Ok(lines)
}

fn grant(row: &SqliteRow) -> Result<Grant> {
    Ok(Grant {
        id: rows::parsed(row, "id")?,
        lms: rows::parsed(row, "lms")?,
        run: rows::parsed(row, "course_run")?,
        mode: rows::parsed(row, "mode")?,
        seat: rows::count(row, "seat")?,
        identity: identity(row)?.ok_or_else(|| corrupt("grant", "has no learner"))?,
        account: rows::parsed_option(row, "account_id")?,
        until: rows::time_option(row, "until")?,
        since: rows::time(row, "since")?,
        ended: ended(row)?,
        fulfilled: rows::time_option(row, "fulfilled_at")?.is_some(),
    })
}

async fn decisions(connection: &mut SqliteConnection, order: OrderId) -> Result<Vec<Decision>> {
    let rows = sqlx::query(
        "SELECT d.*, i.kind AS identity_kind, i.provider, i.written FROM decisions d
         LEFT JOIN identities i ON i.id = d.identity_id
         WHERE d.order_id = ? AND d.withdrawn_at IS NULL ORDER BY d.id",
    )
    .bind(order.to_string())
    .fetch_all(connection)
    .await?;
    rows.iter().map(decision).collect()
}

fn decision(row: &SqliteRow) -> Result<Decision> {
    let incomplete = || corrupt("decision", "is incomplete");
    Ok(Decision {
        id: rows::parsed(row, "id")?,
        line: rows::parsed_option(row, "line_id")?,
        ruling: match rows::word(row, "kind")? {
            RulingKind::Approved => Ruling::Approved,
            RulingKind::Lifted => Ruling::Lifted { cause: rows::word(row, "cause")? },
            RulingKind::Seated => Ruling::Seated {
                seat: rows::count(row, "seat")?,
                learner: identity_of_kind(row, "identity_kind")?.ok_or_else(incomplete)?,
            },
            RulingKind::Sells => {
                let courses: Vec<(CourseRun, Mode)> = rows::json_option(row, "courses")?.ok_or_else(incomplete)?;
                Ruling::Sells { courses }
            }
        },
        by: row.try_get("decided_by")?,
        why: row.try_get("why")?,
        at: rows::time(row, "decided_at")?,
    })
}

/// Whether and why a grant ended.
pub(crate) fn ended(row: &SqliteRow) -> Result<Option<Ended>> {
    let at = rows::time_option(row, "ended_at")?;
    let reason: Option<Reason> = rows::json_option(row, "ended_reason")?;
    Ok(at.zip(reason).map(|(at, reason)| Ended { at, reason }))
}

fn refunded(row: &SqliteRow) -> Result<Option<RefundedAmount>> {
    let amount = rows::parsed_option(row, "refunded_amount")?;
    let total = rows::parsed_option(row, "refunded_total")?;
    let currency: Option<String> = row.try_get("refunded_currency")?;
    Ok(match (amount, total, currency) {
        (Some(amount), Some(total), Some(currency)) => Some(RefundedAmount { amount, total, currency }),
        _ => None,
    })
}

fn learner(row: &SqliteRow) -> Result<Option<Learner>> {
    if row.try_get("learner_malformed")? {
        return Ok(Some(Learner::Malformed));
    }
    Ok(identity(row)?.map(Learner::Known))
}

/// The identity of a row that joins `identities`.
pub(crate) fn identity(row: &SqliteRow) -> Result<Option<Identity>> {
    identity_of_kind(row, "kind")
}

fn identity_of_kind(row: &SqliteRow, column: &str) -> Result<Option<Identity>> {
    let Some(kind) = row.try_get::<Option<String>, _>(column)? else { return Ok(None) };
    Ok(Some(match kind.as_str() {
        "email" => Identity::Email { address: rows::parsed(row, "written")? },
        "username" => Identity::Username { name: rows::parsed(row, "written")? },
        "external" => Identity::External { provider: row.try_get("provider")?, id: row.try_get("written")? },
        other => return Err(corrupt("identity", &format!("is of kind {other}"))),
    }))
}

fn corrupt(what: &'static str, problem: &str) -> StoreError {
    StoreError::Corrupt { what, problem: problem.to_owned() }
}

// Saving -------------------------------------------------------------------------------------------------------------

async fn save(
    connection: &mut SqliteConnection,
    before: Option<&Order>,
    order: &Order,
    findings: &[Finding],
    occasion: &Occasion<'_>,
) -> Result<()> {
    save_order(connection, order, occasion.now).await?;
    let known_lines = lines_by_id(before);
    let unmapped: HashSet<LineId> = findings
        .iter()
        .filter(|finding| matches!(finding.concern, Concern::ProductUnmapped { .. }))
        .filter_map(|finding| finding.line)
        .collect();
    for line in &order.lines {
        let known = known_lines.get(&line.id).copied();
        save_line(connection, order.id, line, unmapped.contains(&line.id), occasion.now).await?;
        for hold in &line.holds {
            save_hold(connection, order.id, Some(line.id), hold).await?;
        }
        if known.is_none_or(|known| known.pins != line.pins) {
            save_pins(connection, line).await?;
        }
        for grant in &line.grants {
            if !known.is_some_and(|known| known.grants.contains(grant)) {
                save_grant(connection, order, line, grant, occasion).await?;
            }
        }
    }
    for hold in &order.holds {
        save_hold(connection, order.id, None, hold).await?;
    }
    let known: &[Decision] = before.map(|order| order.decisions.as_slice()).unwrap_or_default();
    for decision in known.iter().filter(|known| !order.decisions.contains(known)) {
        sqlx::query("UPDATE decisions SET withdrawn_at = ? WHERE id = ?")
            .bind(occasion.now.as_millis())
            .bind(decision.id.to_string())
            .execute(&mut *connection)
            .await?;
    }
    for decision in order.decisions.iter().filter(|decision| !known.contains(decision)) {
        save_decision(connection, order.id, decision, occasion.now).await?;
    }
    Ok(())
}

async fn save_decision(
    connection: &mut SqliteConnection,
    order: OrderId,
    decision: &Decision,
    now: Timestamp,
) -> Result<()> {
    let (mut cause, mut seat, mut identity, mut courses) = (None, None, None, None);
    match &decision.ruling {
        Ruling::Approved => {}
        Ruling::Lifted { cause: lifted } => cause = Some(rows::to_word(lifted)?),
        Ruling::Seated { seat: number, learner } => {
            seat = Some(i64::from(*number));
            identity = Some(intern(connection, learner, now).await?.to_string());
        }
        Ruling::Sells { courses: sold } => courses = Some(rows::to_json(sold)?),
    }
    sqlx::query(
        "INSERT INTO decisions (id, order_id, line_id, kind, cause, seat, identity_id, courses, decided_by, why, decided_at)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    )
    .bind(decision.id.to_string())
    .bind(order.to_string())
    .bind(decision.line.map(|id| id.to_string()))
    .bind(rows::to_word(&decision.ruling.kind())?)
    .bind(cause)
    .bind(seat)
    .bind(identity)
    .bind(courses)
    .bind(&decision.by)
    .bind(&decision.why)
    .bind(decision.at.as_millis())
    .execute(connection)
    .await?;
    Ok(())
}

async fn save_order(connection: &mut SqliteConnection, order: &Order, now: Timestamp) -> Result<()> {
    let (learner, malformed) = learner_columns(connection, order.learner.as_ref(), now).await?;
    let refunded = order.refunded.as_ref();
    sqlx::query(
        "INSERT INTO orders (id, shop, external_id, number, fingerprint, placed_at, test, payment, payment_revision, revision,
             snapshot_revision, refunded_amount, refunded_total, refunded_currency, learner_id, learner_malformed,
             first_seen_at, changed_at, origin)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?17, ?18)
         ON CONFLICT (id) DO UPDATE SET number = ?4, fingerprint = ?5, placed_at = ?6, test = ?7, payment = ?8,
             payment_revision = ?9, revision = ?10, snapshot_revision = ?11, refunded_amount = ?12, refunded_total = ?13,
             refunded_currency = ?14, learner_id = ?15, learner_malformed = ?16, changed_at = ?17, origin = ?18",
    )
    .bind(order.id.to_string())
    .bind(order.shop.as_str())
    .bind(&order.external_id)
    .bind(&order.number)
    .bind(&order.fingerprint)
    .bind(order.placed_at.map(Timestamp::as_millis))
    .bind(order.test)
    .bind(rows::to_word(&order.payment)?)
    .bind(rows::to_json(&order.payment_revision)?)
    .bind(rows::to_json(&order.revision)?)
    .bind(rows::to_json(&order.snapshot_revision)?)
    .bind(refunded.map(|refunded| refunded.amount.to_string()))
    .bind(refunded.map(|refunded| refunded.total.to_string()))
    .bind(refunded.map(|refunded| refunded.currency.clone()))
    .bind(learner)
    .bind(malformed)
    .bind(now.as_millis())
    .bind(&order.origin)
    .execute(connection)
    .await?;
    Ok(())
}

async fn save_line(
    connection: &mut SqliteConnection,
    order: OrderId,
    line: &Line,
    unmapped: bool,
    now: Timestamp,
) -> Result<()> {
    let (learner, malformed) = learner_columns(connection, line.learner.as_ref(), now).await?;
    sqlx::query(
        "INSERT INTO lines (id, order_id, external_id, revision, present, title, products, courses, parent, learner_id,
             learner_malformed, quantity, refunded_quantity, until, unmapped, pinned)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16)
         ON CONFLICT (id) DO UPDATE SET revision = ?4, present = ?5, title = ?6, products = ?7, courses = ?8, parent = ?9,
             learner_id = ?10, learner_malformed = ?11, quantity = ?12, refunded_quantity = ?13, until = ?14, unmapped = ?15,
             pinned = ?16",
    )
    .bind(line.id.to_string())
    .bind(order.to_string())
    .bind(&line.external_id)
    .bind(rows::to_json(&line.revision)?)
    .bind(line.present)
    .bind(&line.title)
    .bind(rows::to_json(&line.products)?)
    .bind(rows::to_json(&line.courses)?)
    .bind(&line.parent)
    .bind(learner)
    .bind(malformed)
    .bind(i64::from(line.quantity))
    .bind(i64::from(line.refunded_quantity))
    .bind(line.until.map(Timestamp::as_millis))
    .bind(unmapped)
    .bind(line.pins.is_some())
    .execute(connection)
    .await?;
    Ok(())
}

async fn save_hold(connection: &mut SqliteConnection, order: OrderId, line: Option<LineId>, hold: &Hold) -> Result<()> {
    sqlx::query(
        "INSERT INTO holds (id, order_id, line_id, cause, holds, evidence, revision, changed_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
         ON CONFLICT (id) DO UPDATE SET holds = ?5, evidence = ?6, revision = ?7, changed_at = ?8",
    )
    .bind(hold.id.to_string())
    .bind(order.to_string())
    .bind(line.map(|id| id.to_string()))
    .bind(rows::to_word(&hold.cause)?)
    .bind(hold.holds)
    .bind(&hold.evidence)
    .bind(rows::to_json(&hold.revision)?)
    .bind(hold.changed_at.as_millis())
    .execute(connection)
    .await?;
    Ok(())
}

async fn save_pins(connection: &mut SqliteConnection, line: &Line) -> Result<()> {
    sqlx::query("DELETE FROM pins WHERE line_id = ?").bind(line.id.to_string()).execute(&mut *connection).await?;
    for pin in line.pins.iter().flatten() {
        sqlx::query("INSERT INTO pins (line_id, course_run, mode, catalog_id, pinned_at) VALUES (?, ?, ?, ?, ?)")
            .bind(line.id.to_string())
            .bind(pin.run.as_str())
            .bind(pin.mode.as_str())
            .bind(pin.entry.map(|id| id.to_string()))
            .bind(pin.pinned_at.as_millis())
            .execute(&mut *connection)
            .await?;
    }
    Ok(())
}

async fn save_grant(
    connection: &mut SqliteConnection,
    order: &Order,
    line: &Line,
    grant: &Grant,
    occasion: &Occasion<'_>,
) -> Result<()> {
    let identity = intern(connection, &grant.identity, occasion.now).await?;
    let ended_reason = grant.ended.as_ref().map(|ended| rows::to_json(&ended.reason)).transpose()?;
    sqlx::query(
        "INSERT INTO grants (id, line_id, shop, lms, course_run, mode, identity_id, account_id, until, since, ended_at,
             ended_reason, delivery_id, seat)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)
         ON CONFLICT (id) DO UPDATE SET identity_id = ?7, account_id = ?8, until = ?9, since = ?10, ended_at = ?11,
             ended_reason = ?12, delivery_id = COALESCE(?13, delivery_id),
             fulfilled_at = CASE WHEN ?15 THEN fulfilled_at END",
    )
    .bind(grant.id.to_string())
    .bind(line.id.to_string())
    .bind(order.shop.as_str())
    .bind(grant.lms.as_str())
    .bind(grant.run.as_str())
    .bind(grant.mode.as_str())
    .bind(identity.to_string())
    .bind(grant.account.map(|id| id.to_string()))
    .bind(grant.until.map(Timestamp::as_millis))
    .bind(grant.since.as_millis())
    .bind(grant.ended.as_ref().map(|ended| ended.at.as_millis()))
    .bind(ended_reason)
    .bind(occasion.delivery.map(|id| id.to_string()))
    .bind(i64::from(grant.seat))
    .bind(grant.fulfilled)
    .execute(connection)
    .await?;
    Ok(())
}

async fn learner_columns(
    connection: &mut SqliteConnection,
    learner: Option<&Learner>,
    now: Timestamp,
) -> Result<(Option<String>, bool)> {
    Ok(match learner {
        None => (None, false),
        Some(Learner::Malformed) => (None, true),
        Some(Learner::Known(identity)) => (Some(intern(connection, identity, now).await?.to_string()), false),
    })
}

/// The id of an identity, which is the same for every spelling of it. The newest spelling is kept.
pub(crate) async fn intern(
    connection: &mut SqliteConnection,
    identity: &Identity,
    now: Timestamp,
) -> Result<IdentityId> {
    let row = sqlx::query(
        "INSERT INTO identities (id, kind, provider, written, normalized, created_at) VALUES (?, ?, ?, ?, ?, ?)
         ON CONFLICT (kind, provider, normalized) DO UPDATE SET written = excluded.written RETURNING id",
    )
    .bind(IdentityId::new(now).to_string())
    .bind(identity.kind())
    .bind(identity.provider())
    .bind(identity.written())
    .bind(identity.normalized())
    .bind(now.as_millis())
    .fetch_one(connection)
    .await?;
    rows::parsed(&row, "id")
}
