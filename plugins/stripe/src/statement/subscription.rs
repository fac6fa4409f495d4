//! Subscriptions: what was paid for ends when its period does, and every period that is paid extends it.
//!
//! A line is a price of the subscription: the same for as long as it is renewed, another one once the subscription
//! moves to another price. What was paid for the old one then ends by itself.

use std::collections::BTreeMap;

use bursar_adapter::field::{self, Field};
use bursar_adapter::loose::Loose;
use bursar_adapter::money::{Amount, Written};
use bursar_adapter::orders::{self, Payment};
use bursar_adapter::{Delivery, Result, shop_api};

use super::goods::Goods;
use super::learner::{self, Learner};
use super::{END_OF_PERIODS, Event, Stage, id, instant, seconds};
use crate::api;
use crate::body::{Invoice, InvoiceLine, Page, Subscription, subscription_of};
use crate::settings::Settings;
use crate::word;

pub(super) use learner::state_of_subscription as state_learner;

/// Why an invoice was made that is the first of its subscription.
const FIRST_INVOICE: &str = "subscription_create";

/// States a period that was paid.
pub(crate) fn paid(invoice: &Invoice<'_>, event: &Event, delivery: &Delivery<'_>, settings: &Settings) -> Result<()> {
    let Some(order) = subscription(invoice, delivery)? else { return Ok(()) };
    let bought = bought(invoice, delivery, settings)?;
    let learner = learner_of(invoice, &order, settings)?;
    let stated = event.patch(&order, Stage::Second);
    stated.payment(Payment::Paid);
    state_learner(&stated, &order, &learner)?;
    let mut periods: BTreeMap<u64, orders::Order> = BTreeMap::new();
    for (price, bought) in &bought {
        let line = match &bought.period {
            Some(period) => {
                let stated = periods.entry(period.end).or_insert_with(|| event.patch_period(&order, period.end));
                let line = stated.line(price);
                line.until(instant(if bought.credited { period.start } else { period.end }));
                line
            }
            None => stated.line(price),
        };
        bought.goods.state(&line)?;
        if let Some(quantity) = bought.quantity {
            line.quantity(quantity);
        }
    }
    Ok(())
}

/// States a first payment that failed. What was paid before a later one stays paid.
pub(crate) fn payment_failed(invoice: &Invoice<'_>, event: &Event, delivery: &Delivery<'_>) -> Result<()> {
    let Some(order) = subscription(invoice, delivery)? else { return Ok(()) };
    if Field::new("data.object.billing_reason", &invoice.billing_reason).text()?.as_deref() == Some(FIRST_INVOICE) {
        event.patch(&order, Stage::First).payment(Payment::Unpaid);
    } else {
        delivery.ignored(
            "a payment for a subscription failed: the access lasts as long as what was paid, and the shop's grace",
        );
    }
    Ok(())
}

/// States a trial. Of every other subscription its invoices tell what was paid.
pub(crate) fn changed(
    subscription: &Subscription<'_>,
    event: &Event,
    delivery: &Delivery<'_>,
    settings: &Settings,
) -> Result<()> {
    let status = Field::new("data.object.status", &subscription.status).text()?.unwrap_or_default();
    if status != "trialing" {
        delivery.ignored(&format!(
            "a subscription whose status is `{}`; until when it is paid its invoices say",
            word(&status)
        ));
        return Ok(());
    }
    let order = id("data.object.id", &subscription.id)?;
    let end = seconds("data.object.trial_end", &subscription.trial_end)?;
    let end = end.ok_or_else(|| field::missing("data.object.trial_end"))?;
    let stated = event.patch(&order, Stage::First);
    stated.payment(Payment::Paid);
    state_learner(&stated, &order, &learner::of_metadata(&subscription.metadata, settings)?)?;
    state_items(&event.patch_period(&order, end), subscription, end, settings)
}

/// States the end of a subscription, after which nothing extends it.
pub(crate) fn ended(subscription: &Subscription<'_>, event: &Event, settings: &Settings) -> Result<()> {
    let order = id("data.object.id", &subscription.id)?;
    let ended = seconds("data.object.ended_at", &subscription.ended_at)?.unwrap_or(event.created);
    state_items(&event.patch_period(&order, END_OF_PERIODS), subscription, ended, settings)
}

fn state_items(stated: &orders::Order, subscription: &Subscription<'_>, until: u64, settings: &Settings) -> Result<()> {
    for item in &subscription.items.data {
        let Some(price) = &item.price else { continue };
        let line = stated.line(id("data.object.items.price", &price.id)?);
        Goods::of_price(price, &Loose::Absent, settings)?.state(&line)?;
        if let Some(quantity) = Field::new("data.object.items.quantity", &item.quantity).count()? {
            line.quantity(quantity);
        }
        line.until(instant(until));
    }
    Ok(())
}

/// The subscription that an invoice is for, which is the order.
fn subscription(invoice: &Invoice<'_>, delivery: &Delivery<'_>) -> Result<Option<String>> {
    let order = subscription_of(&invoice.subscription, invoice.parent.as_ref());
    let order = Field::new("data.object.subscription", order).id()?;
    if order.is_none() {
        delivery.ignored("an invoice that is for no subscription; where a checkout made it, the checkout tells");
    }
    Ok(order.map(Into::into))
}

/// Who learns: whom the subscription's metadata names, else whom the checkout that began it names, else the customer.
fn learner_of(invoice: &Invoice<'_>, order: &str, settings: &Settings) -> Result<Learner> {
    let named = match invoice.metadata() {
        Some(metadata) => learner::of_metadata(metadata, settings)?,
        None => Learner::Nobody,
    };
    let Learner::Nobody = named else { return Ok(named) };
    let customer = Field::new("data.object.customer_email", &invoice.customer_email).text()?.map(String::from);
    let asked = settings.stripe().session_of(order, |session| match session {
        Some(session) => Ok(learner::of_session(session, settings)?.or_buyer(customer)),
        None => Ok(Learner::Nobody.or_buyer(customer)),
    });
    // Where the checkout is not known it may have named somebody else than the customer: then its own event tells.
    Ok(shop_api::if_granted(asked)?.unwrap_or(Learner::Nobody))
}

/// What an invoice paid for of one price.
struct Bought {
    goods: Goods,
    quantity: Option<u32>,
    /// None for what is sold once.
    period: Option<Period>,
    /// Money was only given back for a period that had been paid.
    credited: bool,
}

/// In seconds since 1970.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Period {
    end: u64,
    start: u64,
}

/// What an invoice paid for, by price.
///
/// A change in the middle of a period makes two lines, of one price or of two: one that gives back what is left of the
/// period, one that charges for it anew (fact 27). Of the lines of one price the latest period counts; where money was
/// only given back, the time ends where that period begins.
fn bought(invoice: &Invoice<'_>, delivery: &Delivery<'_>, settings: &Settings) -> Result<BTreeMap<String, Bought>> {
    let mut bought = BTreeMap::new();
    if !invoice.lines.has_more {
        add(&mut bought, &invoice.lines.data, settings)?;
        return Ok(bought);
    }
    let asked = settings.stripe().invoice_lines(&id("data.object.id", &invoice.id)?, |page| {
        add(&mut bought, &api::read::<Page<InvoiceLine<'_>>>(page)?.data, settings)
    });
    if shop_api::if_granted(asked)?.is_none() {
        add(&mut bought, &invoice.lines.data, settings)?;
        delivery.review("the invoice has more lines than the webhook names, and Stripe is not asked for them");
    }
    Ok(bought)
}

fn add(bought: &mut BTreeMap<String, Bought>, lines: &[InvoiceLine<'_>], settings: &Settings) -> Result<()> {
    for line in lines {
        let Some((price, mut goods)) = Goods::of_invoice_line(line, settings)? else { continue };
        let amount = line.amount.as_ref().and_then(Written::amount);
        let credited = amount.is_some_and(|amount| !amount.covers(Amount::ZERO));
        let period = period(line)?;
        if credited {
            if period.is_none() {
                continue;
            }
            goods.forget_title();
        }
        let quantity = Field::new("lines.quantity", &line.quantity).count()?;
        let new = Bought { goods, quantity, period, credited };
        if bought.get(&price).is_none_or(|known| new.is_as_late_as(known)) {
            bought.insert(price, new);
        }
    }
    Ok(())
}

fn period(line: &InvoiceLine<'_>) -> Result<Option<Period>> {
    let Some(period) = &line.period else { return Ok(None) };
    let start = seconds("lines.period.start", &period.start)?;
    let end = seconds("lines.period.end", &period.end)?;
    Ok(start.zip(end).filter(|(start, end)| end > start).map(|(start, end)| Period { end, start }))
}

impl Bought {
    fn is_as_late_as(&self, known: &Self) -> bool {
        (!self.credited, self.period) >= (!known.credited, known.period)
    }
}
