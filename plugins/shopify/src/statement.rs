//! A whole order put into statements for the ledger.

use std::borrow::Cow;

use bursar_adapter::field::{self, Field};
use bursar_adapter::orders::{self, Cause, KnownLine};
use bursar_adapter::{Delivery, Problem, Result};

use crate::body::{Item, Order};
use crate::learner;
use crate::refund::{self, Back, Lines};
use crate::revision;
use crate::settings::Settings;
use crate::standing::{self, Signs};

/// States a whole order.
pub(crate) fn state(order: &Order<'_>, settings: &Settings) -> Result<()> {
    let id = Field::new("id", &order.id);
    let id = id.id()?.ok_or_else(|| id.missing())?;
    let status = Field::new("financial_status", &order.financial_status).text()?.ok_or_else(incomplete)?;
    let items = field::items("line_items", &order.line_items)?.ok_or_else(incomplete)?;
    let refunds = field::items("refunds", &order.refunds)?;
    let listed = refunds.unwrap_or_default();
    let returned = Lines::of(listed)?;
    let known = orders::known(&id);
    let standing = standing::judge(Signs {
        status: &status,
        cancelled: Field::new("cancelled_at", &order.cancelled_at).moment()?.is_some(),
        refunds: !returned.is_empty() || !matches!(Back::of(listed)?, Back::Nothing),
        gives_access: known.iter().any(KnownLine::active),
    });

    let stated = orders::snapshot(&id, &revision::of_order(order)?);
    describe(&stated, order)?;
    stated.payment(standing.payment);
    for (cause, evidence) in &standing.lifts {
        stated.lift(*cause, evidence);
    }
    for (cause, evidence) in &standing.holds {
        stated.hold(*cause, evidence);
    }
    if standing.unknown_status {
        stated
            .review("how the payment stands is said in a word unknown here; nothing is given until the order is paid");
    }
    // Where all of it went back there is nothing left to find out.
    if !standing.holds.iter().any(|(cause, _)| *cause == Cause::Refunded) {
        refund::state_amount(&stated, order, listed)?;
    }
    learner::of_order(&stated, order, settings)?;
    for item in items {
        let line = Field::new("line_items.id", &item.id);
        let line = line.id()?.ok_or_else(|| line.missing())?;
        // What was added to a paid order is sold once it is paid as well, and stated then.
        if standing.owed_for_more && !known.iter().any(|known| known.id() == line) {
            continue;
        }
        let by_refunds = refunds.map(|_| returned.count(&line));
        state_line(&stated.line(&line), item, by_refunds, settings)?;
    }
    Ok(())
}

/// States that an order was deleted, of which the shop says nothing but the id: it has no date, so it is as new as the
/// newest that is known. Nothing can be said of the order after it (fact 13).
pub(crate) fn state_deleted(order: &Order<'_>, delivery: &Delivery<'_>) -> Result<()> {
    let id = Field::new("id", &order.id);
    let id = id.id()?.ok_or_else(|| id.missing())?;
    let newest = orders::known(&id).iter().map(KnownLine::revision).max();
    match newest {
        Some(newest) => drop(orders::patch(&id, &newest).hold(Cause::Deleted, "orders/delete")),
        None => delivery.ignored("an order was deleted that was never heard of"),
    }
    Ok(())
}

fn incomplete() -> Problem {
    Problem::rejected(
        "order-incomplete",
        "the order comes without its lines or its financial status: the webhook must not choose fields (include_fields)",
    )
}

fn describe(stated: &orders::Order, order: &Order<'_>) -> Result<()> {
    if let Some(name) = Field::new("name", &order.name).text()? {
        stated.number(&name);
    }
    // An imported order was created here later than it was placed (fact 12).
    let processed = Field::new("processed_at", &order.processed_at).moment()?;
    if let Some(at) = processed.or(Field::new("created_at", &order.created_at).moment()?) {
        stated.placed_at(at.instant());
    }
    if Field::new("test", &order.test).flag()? == Some(true) {
        stated.test();
    }
    Ok(())
}

fn state_line(line: &orders::Line, item: &Item<'_>, by_refunds: Option<u32>, settings: &Settings) -> Result<()> {
    let title = Field::new("line_items.title", &item.title).text()?;
    line.product(products(item, title.as_ref())?, title.as_deref().unwrap_or_default());
    line.quantity(Field::new("line_items.quantity", &item.quantity).count()?.unwrap_or(1));
    // Of two accounts of what went back the larger one is the later one: neither is ever unsaid.
    if let Some(back) = refund::removed(item)?.max(by_refunds) {
        line.refunded_quantity(back);
    }
    learner::of_line(line, item, settings)
}

/// What the catalog may know the product by, most exact first. A product that was deleted since, and a line that somebody
/// typed, have nothing but a title (fact 15).
fn products<'v>(item: &'v Item<'_>, title: Option<&Cow<'v, str>>) -> Result<Vec<(&'static str, Cow<'v, str>)>> {
    let mut ids = Vec::new();
    for (kind, value) in [("variant", &item.variant_id), ("product", &item.product_id), ("sku", &item.sku)] {
        if let Some(id) = Field::new(format_args!("line_items.{kind}"), value).id()? {
            ids.push((kind, id));
        }
    }
    if ids.is_empty() {
        ids.extend(title.map(|title| ("title", title.clone())));
    }
    Ok(ids)
}
