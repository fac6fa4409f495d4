//! Money that goes back: refunds and disputes. They name the payment that they are about, and not what it was for.

use bursar_adapter::field::Field;
use bursar_adapter::money::Amount;
use bursar_adapter::orders::{self, Cause};
use bursar_adapter::{Delivery, Result, shop_api};

use super::{Event, Stage, money};
use crate::body::{Charge, Dispute, Reference, Refund};
use crate::settings::Settings;
use crate::word;

/// What is asked of a person where it cannot be told what a payment was for.
const UNKNOWN: &str = "nothing is known of the payment yet, and Stripe is not asked what it was for: if it paid for a subscription, \
                       decide about that by hand";

/// What a payment paid for.
enum PaidFor {
    /// A checkout: the payment is the order.
    Order,
    /// A period of this subscription.
    Subscription(String),
    /// It cannot be told.
    Unknown,
}

impl PaidFor {
    fn find(payment: &str, settings: &Settings) -> Result<Self> {
        if !orders::known(payment).is_empty() {
            return Ok(Self::Order);
        }
        Ok(match shop_api::if_granted(settings.stripe().subscription_paid_by(payment))? {
            Some(Some(subscription)) => Self::Subscription(subscription),
            Some(None) => Self::Order,
            None => Self::Unknown,
        })
    }
}

/// States what a charge says of the money that went back.
pub(crate) fn charge(charge: &Charge<'_>, event: &Event, delivery: &Delivery<'_>, settings: &Settings) -> Result<()> {
    state_charge(charge, Standing::Sent, event, delivery, settings)
}

/// States what a refund says, which is no more than that the charge has something new to say.
pub(crate) fn refund(refund: &Refund<'_>, event: &Event, delivery: &Delivery<'_>, settings: &Settings) -> Result<()> {
    let status = Field::new("data.object.status", &refund.status).text()?.unwrap_or_default();
    let standing = if matches!(status.as_ref(), "failed" | "canceled") { Standing::Undone } else { Standing::Sent };
    let Some(charge) = Field::new("data.object.charge", refund.charge.id()).id()? else {
        delivery.ignored("a refund without a charge: no checkout is paid by such");
        return Ok(());
    };
    let asked = settings.stripe().charge(&charge, |charge| state_charge(charge, standing, event, delivery, settings));
    match (shop_api::if_granted(asked)?, standing) {
        (Some(()), _) => {}
        (None, Standing::Undone) => {
            if let Some(payment) = payment(&refund.payment_intent, delivery)? {
                event.patch(&payment, Stage::Second).lift(Cause::Refunded, &format!("refund status={}", word(&status)));
            }
        }
        (None, Standing::Sent) => {
            delivery.ignored("a refund does not say how much of the payment it is; `charge.refunded` does");
        }
    }
    Ok(())
}

/// What became of a refund.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Standing {
    /// The money is on its way, or there.
    Sent,
    /// The money stays after all.
    Undone,
}

fn state_charge(
    charge: &Charge<'_>,
    standing: Standing,
    event: &Event,
    delivery: &Delivery<'_>,
    settings: &Settings,
) -> Result<()> {
    let Some(payment) = payment(&charge.payment_intent, delivery)? else { return Ok(()) };
    let back = Back::of(charge)?;
    match PaidFor::find(&payment, settings)? {
        PaidFor::Subscription(order) if standing == Standing::Undone => {
            delivery.ignored(&format!("a refund of a payment for subscription {} came to nothing", word(&order)));
        }
        PaidFor::Subscription(order) => {
            event.patch(&order, Stage::First).review(&format!(
                "{} of payment {} for the subscription went back: the access lasts as long as what was paid, so cancel the \
                 subscription at once in Stripe if it shall end",
                back.words(),
                word(&payment),
            ));
        }
        paid_for => {
            let stage = if standing == Standing::Undone { Stage::Second } else { Stage::First };
            back.state(&event.patch(&payment, stage), standing);
            if standing == Standing::Sent && matches!(paid_for, PaidFor::Unknown) {
                delivery.review(&format!("money went back: {UNKNOWN}"));
            }
        }
    }
    Ok(())
}

/// The money of a charge that went back.
struct Back {
    all: bool,
    back: Option<Amount>,
    total: Option<Amount>,
    currency: String,
}

impl Back {
    fn of(charge: &Charge<'_>) -> Result<Self> {
        let currency = money::currency(&charge.currency)?;
        Ok(Self {
            all: Field::new("data.object.refunded", &charge.refunded).flag()? == Some(true),
            back: money::amount("amount_refunded", &charge.amount_refunded, &currency)?.filter(|back| !back.is_zero()),
            total: money::amount("amount", &charge.amount, &currency)?,
            currency,
        })
    }

    fn state(&self, stated: &orders::Order, standing: Standing) {
        if let (Some(back), Some(total)) = (self.back, self.total) {
            stated.refunded_amount(&back.to_string(), &self.currency, &total.to_string());
        }
        match (self.all, standing) {
            (true, Standing::Sent) => drop(stated.hold(Cause::Refunded, "refunded=true")),
            (false, Standing::Sent) => {}
            (false, Standing::Undone) => drop(stated.lift(Cause::Refunded, "refunded=false after a refund that failed")),
            (true, Standing::Undone) => drop(stated.review(
                "a refund failed or was cancelled, and yet Stripe says that all of the payment went back: was another refund made?",
            )),
        }
    }

    fn words(&self) -> String {
        match (self.back, self.total) {
            (Some(back), Some(total)) => format!("{back} {currency} of {total}", currency = self.currency),
            _ => "money".to_owned(),
        }
    }
}

/// The payment that a reversal is about.
fn payment(reference: &Reference<'_>, delivery: &Delivery<'_>) -> Result<Option<String>> {
    let payment = Field::new("data.object.payment_intent", reference.id()).id()?;
    if payment.is_none() {
        delivery.ignored("a charge that belongs to no payment: no checkout makes such");
    }
    Ok(payment.map(Into::into))
}

/// States what a dispute says, by its status: events of several types carry the same (fact 19).
pub(crate) fn dispute(
    dispute: &Dispute<'_>,
    event: &Event,
    delivery: &Delivery<'_>,
    settings: &Settings,
) -> Result<()> {
    let Some(payment) = disputed_payment(dispute, delivery, settings)? else { return Ok(()) };
    let status = Field::new("data.object.status", &dispute.status);
    let status = status.text()?.ok_or_else(|| status.missing())?;
    let evidence = format!("dispute status={}", word(&status));
    let paid_for = PaidFor::find(&payment, settings)?;
    let order = match &paid_for {
        PaidFor::Subscription(order) => order,
        PaidFor::Order | PaidFor::Unknown => &payment,
    };
    match status.as_ref() {
        "needs_response" | "under_review" => {
            event.patch(order, Stage::First).hold(Cause::Disputed, &evidence);
        }
        "lost" => {
            event.patch(order, Stage::Second).hold(Cause::Disputed, &evidence);
        }
        "won" | "warning_closed" | "prevented" => {
            event.patch(order, Stage::Second).lift(Cause::Disputed, &evidence);
            return Ok(());
        }
        "warning_needs_response" | "warning_under_review" => {
            if event.kind != "charge.dispute.created" {
                delivery.ignored("an inquiry of the buyer's bank goes on; no money was taken");
                return Ok(());
            }
            event.patch(order, Stage::First).review(
                "the buyer's bank inquires about the payment: answer it in Stripe, or it may become a dispute; no money was taken",
            );
        }
        _ => {
            event.patch(order, Stage::First).review(&format!(
                "the payment is disputed, and the dispute's status `{}` is none that this adapter knows",
                word(&status)
            ));
        }
    }
    if matches!(paid_for, PaidFor::Unknown) {
        delivery.review(&format!("a payment is disputed: {UNKNOWN}"));
    }
    Ok(())
}

/// The payment that a dispute is about: its own field, else that of the charge.
fn disputed_payment(dispute: &Dispute<'_>, delivery: &Delivery<'_>, settings: &Settings) -> Result<Option<String>> {
    if let Some(payment) = Field::new("data.object.payment_intent", dispute.payment_intent.id()).id()? {
        return Ok(Some(payment.into_owned()));
    }
    let charge = Field::new("data.object.charge", dispute.charge.id());
    let charge = charge.id()?.ok_or_else(|| charge.missing())?;
    let asked = settings.stripe().charge(&charge, |charge| payment(&charge.payment_intent, delivery));
    let Some(payment) = shop_api::if_granted(asked)? else {
        delivery
            .review(&format!("charge {} is disputed, and the dispute does not say which payment it is", word(&charge)));
        return Ok(None);
    };
    Ok(payment)
}
