//! An order put into statements for the ledger.

use bursar_adapter::orders::{self, Cause, Payment};
use bursar_adapter::{Delivery, Problem, Result, shop_api};

use crate::api;
use crate::body::{DRAFTS, Order};
use crate::learner;
use crate::lines;
use crate::moment;
use crate::refunds::Refunded;
use crate::settings::Settings;
use crate::standing::{self, Refunds, Signs, Standing};
use bursar_adapter::money::Amount;

/// States a whole order.
pub(crate) fn state(order: &Order<'_>, delivery: &Delivery<'_>, settings: &Settings) -> Result<()> {
    if DRAFTS.contains(&order.status.as_str()) {
        delivery.ignored("a checkout that was opened, not an order");
        return Ok(());
    }
    let money = Money::of(order);
    let evidence = money.all_back();
    let standing = standing::judge(Signs {
        status: &order.status,
        paid_statuses: &settings.paid_statuses,
        dated: is_dated(order),
        free: money.is_free(),
        refunds: match (&order.refunds, &evidence) {
            (_, Some(evidence)) => Refunds::All(evidence),
            (Some(refunds), None) if refunds.is_empty() => Refunds::None,
            _ => Refunds::Some,
        },
    });

    let stated = orders::snapshot(order.id, &revision(order)?);
    describe(&stated, order, settings);
    apply(&stated, &standing);
    if standing.unknown_status && !orders::known(order.id).iter().any(orders::KnownLine::active) {
        stated.review(&format!(
            "the order is dated as paid, but its status `{}` is not WooCommerce's own: add it to `paid_statuses` if it \
             means that the sale stands",
            order.status,
        ));
    }
    let refunded = refunded(order, &standing)?;
    money.state(&stated, order, &standing, &refunded);
    learner::of_order(&stated, order, settings)?;
    lines::state(&stated, order, &refunded, settings)
}

/// Which lines the money was for that went back. Where the whole order is held for it, there is nothing left to find out.
fn refunded(order: &Order<'_>, standing: &Standing) -> Result<Refunded> {
    match &order.refunds {
        None => Ok(Refunded::Unsaid),
        Some(refunds) if refunds.is_empty() => Ok(Refunded::nothing(order)),
        Some(_) if is_held_as_refunded(standing) => Ok(Refunded::Unsaid),
        Some(_) => Refunded::of(order),
    }
}

fn is_held_as_refunded(standing: &Standing) -> bool {
    standing.holds.iter().any(|(cause, _)| *cause == Cause::Refunded)
}

/// States that an order went to the bin, of which the shop says nothing but the id, and asks for the order where it may: such a
/// body stays the same for ever, so that one that comes late or again says nothing of the order as it is now.
pub(crate) fn state_trashed(id: u64, delivery: &Delivery<'_>, settings: &Settings) -> Result<()> {
    match shop_api::if_granted(api::order(id))? {
        None => hold_deleted(id, "moved to the bin", delivery),
        Some(Some(shown)) => return state(&shown.order(id)?, delivery, settings),
        Some(None) if orders::known(id).is_empty() => {
            delivery.ignored("the shop has no such order any more, and nothing is known of it");
        }
        Some(None) => hold_deleted(id, "the shop has no such order any more", delivery),
    }
    Ok(())
}

/// States that an order was deleted, without a date.
///
/// It takes the newest revision that is known of the order, but none newer than the moment at which the webhook
/// came: so it takes effect on what came before it, gives way to whatever comes after it (an order taken out
/// of the bin is modified by that), and to have an old one run again does not undo what is newer. For an order that is not known it
/// gives way to everything.
fn hold_deleted(id: u64, evidence: &str, delivery: &Delivery<'_>) {
    let newest = orders::known(id).iter().map(orders::KnownLine::revision).max().unwrap_or_default();
    let [modified, dated, refund] = [0, 1, 2].map(|place| newest.get(place).copied().unwrap_or_default());
    let latest = delivery.request().received_at() / 1000 + CLOCKS_APART;
    let revision = [modified.min(latest), dated, refund, IN_BIN];
    orders::patch(id, &revision).hold(Cause::Deleted, evidence);
}

/// How many seconds the shop's clock may be ahead of the host's without a bin being taken for older than it is.
const CLOCKS_APART: u64 = 300;

/// The last number of the revision of an order in the bin.
const IN_BIN: u64 = 1;

/// The last number of the revision of any other order.
const NOT_IN_BIN: u64 = 0;

/// `[modified, dated, newest refund, bin]`: seconds of the last change; 1 once the payment is dated, which is never
/// taken back; the highest id of a refund; 1 in the bin. The last three tell states of the same second apart.
fn revision(order: &Order<'_>) -> Result<[u64; 4]> {
    let modified = order.modified.text().and_then(|text| moment::seconds(&text)).ok_or_else(|| {
        Problem::rejected(
            "order-undated",
            "the order does not say when it was modified: set the webhook's API version to v3 in the shop",
        )
    })?;
    let newest_refund = order.refunds.iter().flatten().filter_map(|refund| refund.id.id()).max().unwrap_or_default();
    let bin = if order.status == "trash" { IN_BIN } else { NOT_IN_BIN };
    Ok([modified, u64::from(is_dated(order)), newest_refund, bin])
}

fn is_dated(order: &Order<'_>) -> bool {
    order.paid.text().and_then(|text| moment::seconds(&text)).is_some()
}

fn describe(stated: &orders::Order, order: &Order<'_>, settings: &Settings) {
    if let Some(number) = order.number.text()
        && number != order.id.to_string()
    {
        stated.number(&number);
    }
    if let Some(key) = order.order_key.text() {
        stated.fingerprint(&key);
    }
    if let Some(address) = order.address.text()
        && let Some(origin) = origin(&address)
    {
        stated.origin(origin);
    }
    if let Some(at) = order.created.text().and_then(|text| moment::instant(&text)) {
        stated.placed_at(at);
    }
    if let Some(method) = order.payment_method.text()
        && settings.test_payment_methods.iter().any(|test| *test == method)
    {
        stated.test();
    }
}

/// The shop's address, of an address in its REST API: with pretty permalinks `…/wp-json/…`, without them `…/?rest_route=…`.
fn origin(address: &str) -> Option<&str> {
    let (origin, _) = address.split_once("/wp-json/").or_else(|| address.split_once("?rest_route="))?;
    Some(origin.trim_end_matches("index.php").trim_end_matches('/')).filter(|origin| !origin.is_empty())
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

/// What the order cost, and what of it went back; none where the shop's text is no amount.
struct Money {
    total: Option<Amount>,
    back: Option<Amount>,
}

impl Money {
    fn of(order: &Order<'_>) -> Self {
        let back = order
            .refunds
            .iter()
            .flatten()
            .try_fold(Amount::ZERO, |sum, refund| sum.plus(Amount::parse(&refund.total.text()?)?.absolute()));
        Self { total: order.total.text().and_then(|text| Amount::parse(&text)), back }
    }

    fn is_free(&self) -> bool {
        self.total.is_some_and(Amount::is_zero)
    }

    /// What shows that all the money went back. Of a free order that cannot be told by money.
    fn all_back(&self) -> Option<String> {
        let (total, back) = (self.total?, self.back?);
        let all = !total.is_zero() && back.covers(total);
        all.then(|| format!("refunds={back} of {total}"))
    }

    fn state(&self, stated: &orders::Order, order: &Order<'_>, standing: &Standing, refunded: &Refunded) {
        if order.refunds.as_ref().is_none_or(Vec::is_empty) {
            return;
        }
        let back = match refunded {
            Refunded::Unsaid => self.back,
            Refunded::Seats { other, .. } if other.is_zero() => return,
            Refunded::Seats { other, .. } => Some(*other),
        };
        match (back, self.total) {
            (Some(back), Some(total)) if !total.is_zero() => {
                let currency = order.currency.text().unwrap_or_default();
                stated.refunded_amount(&back.to_string(), &currency, &total.to_string());
            }
            // Where the order is held as refunded anyway there is nothing left to find out.
            _ if is_held_as_refunded(standing) => {}
            _ if standing.payment == Payment::Unpaid => {}
            (_, Some(_)) => {
                stated.review("the shop refunded an order that cost nothing, and does not say which line is meant");
            }
            _ => {
                stated.review("the shop refunded money, and its amounts cannot be read");
            }
        }
    }
}
