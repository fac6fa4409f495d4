//! Checkouts: by Checkout, Payment Links, pricing tables and buy buttons, which are one to whoever hears of them.

use bursar_adapter::field::Field;
use bursar_adapter::loose::Loose;
use bursar_adapter::orders::{self, Payment};
use bursar_adapter::{Delivery, Result, shop_api};

use super::goods::Goods;
use super::{Event, Stage, id, instant, learner, seconds, subscription};
use crate::api;
use crate::body::{Item, Page, Session};
use crate::settings::Settings;
use crate::word;

/// The line of a checkout whose lines are not known.
const ONLY_LINE: &str = "1";

/// States what a checkout says: a whole order, or the beginning of a subscription.
pub(crate) fn state(session: &Session<'_>, event: &Event, delivery: &Delivery<'_>, settings: &Settings) -> Result<()> {
    if Field::new("data.object.mode", &session.mode).text()?.as_deref() == Some("setup") {
        delivery.ignored("a checkout that sold nothing: it only kept a means of payment for later");
        return Ok(());
    }
    let stage = if event.kind == "checkout.session.completed" { Stage::First } else { Stage::Second };
    if let Some(order) = Field::new("data.object.subscription", session.subscription.id()).id()? {
        let stated = event.patch(&order, stage);
        describe(&stated, &order, session)?;
        let learner = learner::of_session(session, settings)?;
        return subscription::state_learner(&stated, &order, &learner);
    }
    let own = id("data.object.id", &session.id)?;
    let paid_by = Field::new("data.object.payment_intent", session.payment_intent.id()).id()?;
    let order = paid_by.as_deref().unwrap_or(&own);
    let mut lines = Vec::new();
    let asked = settings.stripe().session_lines(&own, |page| {
        for item in &api::read::<Page<Item<'_>>>(page)?.data {
            lines.push(sold(item, settings)?);
        }
        Ok(())
    });
    if shop_api::if_granted(asked)?.is_none() {
        lines.push((ONLY_LINE.to_owned(), Goods::of_session(session, settings)?, None));
    }
    let stated = event.snapshot(order, stage);
    describe(&stated, order, session)?;
    learner::state(&stated, &learner::of_session(session, settings)?)?;
    for (id, goods, quantity) in &lines {
        let line = stated.line(id);
        goods.state(&line)?;
        if let Some(quantity) = quantity {
            line.quantity(*quantity);
        }
    }
    Ok(())
}

/// A line of a checkout: its id, what it sold, and how many.
fn sold(item: &Item<'_>, settings: &Settings) -> Result<(String, Goods, Option<u32>)> {
    let goods = match &item.price {
        Some(price) => Goods::of_price(price, &item.description, settings)?,
        None => Goods::default(),
    };
    Ok((id("data.id", &item.id)?, goods, Field::new("data.quantity", &item.quantity).count()?))
}

fn describe(stated: &orders::Order, order: &str, session: &Session<'_>) -> Result<()> {
    let own = id("data.object.id", &session.id)?;
    if own != order {
        stated.number(&own);
    }
    if let Some(at) = seconds("data.object.created", &session.created)? {
        stated.placed_at(instant(at));
    }
    state_payment(stated, order, session)
}

/// Has the money come in? (facts 10 and 11)
fn state_payment(stated: &orders::Order, order: &str, session: &Session<'_>) -> Result<()> {
    let status = Field::new("data.object.payment_status", &session.payment_status);
    let status = status.text()?.ok_or_else(|| status.missing())?;
    let total = Field::new("data.object.amount_total", &session.amount_total).whole()?;
    let subscribed = *session.subscription.id() != Loose::Absent;
    let payment = match status.as_ref() {
        "paid" => Payment::Paid,
        "unpaid" => Payment::Unpaid,
        "no_payment_required" if subscribed || total.unwrap_or_default() == 0 => Payment::Paid,
        other => {
            // Where it gave access before, that stays, and there is nothing to ask.
            if !orders::known(order).iter().any(orders::KnownLine::active) {
                stated.review(&format!(
                    "it cannot be told whether the checkout was paid: its payment status is `{}`",
                    word(other)
                ));
            }
            Payment::Undecided
        }
    };
    stated.payment(payment);
    Ok(())
}
