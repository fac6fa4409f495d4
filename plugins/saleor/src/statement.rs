//! An order put into statements for the ledger.

use bursar_adapter::field::Field;
use bursar_adapter::loose::Loose;
use bursar_adapter::moment::Moment;
use bursar_adapter::orders::{self, Payment};
use bursar_adapter::{Delivery, Problem, Request, Result};

use crate::body::Order;
use crate::refunds::Refunds;
use crate::settings::Settings;
use crate::standing::{self, Signs, Standing};
use crate::{learner, lines};

/// Names the instance of Saleor, as `https://shop.example.org/graphql/`.
const API_URL: &str = "saleor-api-url";

/// What the address of the API ends in.
const API_PATH: &str = "/graphql";

/// A draft may still become an order, and has no buyer yet.
const DRAFT: &str = "DRAFT";

/// States a whole order.
pub(crate) fn state(
    order: &Order<'_>,
    is_paid: Option<bool>,
    issued_at: &Loose<'_>,
    delivery: &Delivery<'_>,
    settings: &Settings,
) -> Result<()> {
    let id = Field::new("order.id", &order.id);
    let id = id.id()?.ok_or_else(|| id.missing())?;
    let status = standing::word(&order.status);
    if status.is_empty() {
        return Err(Field::new("order.status", &order.status).missing());
    }
    if status == DRAFT {
        delivery.ignored("a draft, not an order");
        return Ok(());
    }
    let gross = order.total.as_ref().and_then(|total| total.gross.as_ref());
    let total = gross.and_then(|gross| gross.amount);
    let refunded = order.total_refunded.as_ref().and_then(|refunded| refunded.amount);
    let standing = standing::judge(Signs {
        status: &status,
        is_paid,
        payment_status: &standing::word(&order.payment_status),
        charge_status: &standing::word(&order.charge_status),
        total,
        charged: order.total_charged.as_ref().and_then(|charged| charged.amount),
        refunded,
        wait_for_confirmation: settings.wait_for_confirmation,
    });
    let refunds = Refunds::of(order, refunded)?;

    let stated = orders::snapshot(&id, &revision(order, issued_at)?);
    describe(&stated, &id, order, delivery.request(), settings)?;
    apply(&stated, &standing);
    // Of refunds that name their lines the amount is no news, unless it is all there was.
    if let (Some(refunded), Some(total)) = (refunded, total)
        && !refunded.is_zero()
        && !total.is_zero()
        && (!refunds.are_named() || refunded.covers(total))
    {
        let currency = gross.map(|gross| Field::new("order.total.gross.currency", &gross.currency).currency());
        let currency = currency.transpose()?.flatten().unwrap_or_default();
        stated.refunded_amount(&refunded.to_string(), &currency, &total.to_string());
    }
    learner::of_order(&stated, order, settings)?;
    let left = lines::state(&stated, order, &refunds, standing.payment != Payment::Unpaid, settings)?;
    ask(&stated, &id, &status, &standing, left);
    Ok(())
}

/// Asks a person where the shop does not say enough and nothing that was known of the order says it.
fn ask(stated: &orders::Order, id: &str, status: &str, standing: &Standing, left: bool) {
    if let Some(words) = standing.review {
        stated.review(words);
    }
    let words = if standing.unknown_status {
        format!("the order is paid, but its status `{}` is not known here", shown(status))
    } else if standing.part_back && left {
        "a part of the money went back, of an order that was not heard of as paid: was the rest of it paid?".to_owned()
    } else {
        return;
    };
    if !orders::known(id).iter().any(orders::KnownLine::active) {
        stated.review(&words);
    }
}

/// `[changed, made]`, in microseconds: when the order changed last, and when the body was made. The first alone does not tell
/// all states apart, and the second alone would let a body win that was made of an outdated copy (facts 13, 15).
fn revision(order: &Order<'_>, issued_at: &Loose<'_>) -> Result<[u64; 2]> {
    let changed = Field::new("order.updatedAt", &order.updated_at).moment()?;
    let made = Field::new("issuedAt", issued_at).moment()?;
    let (changed, made) = match (changed, made) {
        (Some(changed), Some(made)) => (changed, made),
        (Some(only), None) | (None, Some(only)) => (only, only),
        (None, None) => {
            return Err(Problem::rejected(
                "order-undated",
                "the body says neither order.updatedAt nor issuedAt: give the webhook the adapter's own query",
            ));
        }
    };
    Ok([microseconds(changed), microseconds(made)])
}

fn microseconds(moment: Moment) -> u64 {
    moment.seconds * 1_000_000 + u64::from(moment.nanoseconds / 1_000)
}

fn describe(
    stated: &orders::Order,
    id: &str,
    order: &Order<'_>,
    request: &Request<'_>,
    settings: &Settings,
) -> Result<()> {
    if let Some(number) = Field::new("order.number", &order.number).id()?
        && number != id
    {
        stated.number(&number);
    }
    if let Some(origin) = origin(request) {
        stated.origin(&origin);
    }
    if let Some(at) = Field::new("order.created", &order.created).moment()? {
        stated.placed_at(at.instant());
    }
    if let Some(channel) = &order.channel
        && let Loose::Text(slug) = &channel.slug
        && settings.test_channels.iter().any(|test| test == slug)
    {
        stated.test();
    }
    Ok(())
}

/// The instance that sent it. Nothing that is signed names one (fact 6), so an honest copy of the shop is all that this tells
/// apart; it can have an order asked about, and never believed.
fn origin(request: &Request<'_>) -> Option<String> {
    let address = request.header(API_URL).ok()?;
    let address = address.trim().trim_end_matches('/');
    let origin = address.strip_suffix(API_PATH).unwrap_or(address);
    Some(origin.to_owned()).filter(|origin| !origin.is_empty())
}

fn apply(stated: &orders::Order, standing: &Standing) {
    stated.payment(standing.payment);
    for (cause, evidence) in &standing.lifts {
        stated.lift(*cause, evidence);
    }
    for (cause, evidence) in &standing.holds {
        stated.hold(*cause, evidence);
    }
}

/// A status as it may be shown to people.
fn shown(status: &str) -> String {
    status.chars().filter(|letter| letter.is_ascii_alphanumeric() || *letter == '_').take(LONGEST_STATUS).collect()
}

/// The longest status that is repeated to people.
const LONGEST_STATUS: usize = 64;
