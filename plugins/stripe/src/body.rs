//! The shapes of what Stripe sends and answers, of the API versions from 2022-11-15 on (docs/shops/stripe.md facts 6 to
//! 9).
//!
//! What a value must be is checked where it is used; fields that are not named here are passed over.

use std::collections::BTreeMap;

use bursar_adapter::loose::{List, Loose};
use bursar_adapter::money::Written;
use serde::Deserialize;

/// What every event says, whatever it is about.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Envelope<'a> {
    #[serde(borrow)]
    pub(crate) id: Loose<'a>,
    #[serde(borrow)]
    pub(crate) object: Loose<'a>,
    #[serde(borrow, rename = "type")]
    pub(crate) kind: Loose<'a>,
    #[serde(borrow)]
    pub(crate) created: Loose<'a>,
    #[serde(borrow)]
    pub(crate) livemode: Loose<'a>,
    /// The connected account that it happened in.
    #[serde(borrow)]
    pub(crate) account: Loose<'a>,
}

/// The object that an event is about.
#[derive(Debug, Deserialize)]
pub(crate) struct Carrying<T> {
    pub(crate) data: Data<T>,
}

/// See [`Carrying`].
#[derive(Debug, Deserialize)]
pub(crate) struct Data<T> {
    pub(crate) object: T,
}

/// As much of an object as tells which order it belongs to.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct About<'a> {
    #[serde(borrow)]
    pub(crate) id: Loose<'a>,
    #[serde(borrow)]
    pub(crate) object: Loose<'a>,
    #[serde(borrow)]
    pub(crate) payment_intent: Reference<'a>,
    #[serde(borrow)]
    pub(crate) subscription: Reference<'a>,
    #[serde(borrow)]
    pub(crate) parent: Option<Parent<'a>>,
}

/// Another object: by its id, or whole where the API was asked to expand it.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(crate) enum Expandable<'a, T> {
    Whole(T),
    Id(#[serde(borrow)] Loose<'a>),
}

impl<T> Default for Expandable<'_, T> {
    fn default() -> Self {
        Self::Id(Loose::Absent)
    }
}

/// Another object of which only the id matters.
pub(crate) type Reference<'a> = Expandable<'a, OnlyId<'a>>;

impl<'a> Reference<'a> {
    pub(crate) fn id(&self) -> &Loose<'a> {
        match self {
            Self::Whole(object) => &object.id,
            Self::Id(id) => id,
        }
    }
}

/// See [`Reference`].
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct OnlyId<'a> {
    #[serde(borrow)]
    pub(crate) id: Loose<'a>,
}

/// Keys and values that the merchant attached.
pub(crate) type Metadata<'a> = Option<BTreeMap<String, Loose<'a>>>;

/// A part of a list.
#[derive(Debug, Deserialize)]
#[serde(bound(deserialize = "T: Deserialize<'de>"), default)]
pub(crate) struct Page<T> {
    pub(crate) data: Vec<T>,
    pub(crate) has_more: bool,
}

impl<T> Default for Page<T> {
    fn default() -> Self {
        Self { data: Vec::new(), has_more: false }
    }
}

/// A visit to the checkout page.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Session<'a> {
    #[serde(borrow)]
    pub(crate) id: Loose<'a>,
    #[serde(borrow)]
    pub(crate) mode: Loose<'a>,
    #[serde(borrow)]
    pub(crate) created: Loose<'a>,
    #[serde(borrow)]
    pub(crate) payment_status: Loose<'a>,
    #[serde(borrow)]
    pub(crate) amount_total: Loose<'a>,
    #[serde(borrow)]
    pub(crate) payment_intent: Reference<'a>,
    #[serde(borrow)]
    pub(crate) subscription: Reference<'a>,
    #[serde(borrow)]
    pub(crate) payment_link: Reference<'a>,
    #[serde(borrow)]
    pub(crate) customer_email: Loose<'a>,
    #[serde(borrow)]
    pub(crate) customer_details: Option<CustomerDetails<'a>>,
    #[serde(borrow)]
    pub(crate) custom_fields: List<CustomField<'a>>,
    #[serde(borrow)]
    pub(crate) metadata: Metadata<'a>,
}

/// What the buyer typed.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct CustomerDetails<'a> {
    #[serde(borrow)]
    pub(crate) email: Loose<'a>,
}

/// A field that the merchant added to the checkout page.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct CustomField<'a> {
    #[serde(borrow)]
    pub(crate) key: Loose<'a>,
    #[serde(borrow)]
    pub(crate) text: Option<Typed<'a>>,
}

/// See [`CustomField`].
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Typed<'a> {
    #[serde(borrow)]
    pub(crate) value: Loose<'a>,
}

/// A line of a checkout.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Item<'a> {
    #[serde(borrow)]
    pub(crate) id: Loose<'a>,
    #[serde(borrow)]
    pub(crate) description: Loose<'a>,
    #[serde(borrow)]
    pub(crate) quantity: Loose<'a>,
    #[serde(borrow)]
    pub(crate) price: Option<Price<'a>>,
}

/// What something costs, and of which product it is the price.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Price<'a> {
    #[serde(borrow)]
    pub(crate) id: Loose<'a>,
    #[serde(borrow)]
    pub(crate) metadata: Metadata<'a>,
    #[serde(borrow)]
    pub(crate) product: Expandable<'a, Product<'a>>,
}

/// See [`Price`].
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Product<'a> {
    #[serde(borrow)]
    pub(crate) id: Loose<'a>,
    #[serde(borrow)]
    pub(crate) name: Loose<'a>,
    #[serde(borrow)]
    pub(crate) metadata: Metadata<'a>,
}

/// Money taken once.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Charge<'a> {
    #[serde(borrow)]
    pub(crate) payment_intent: Reference<'a>,
    #[serde(borrow)]
    pub(crate) currency: Loose<'a>,
    #[serde(borrow)]
    pub(crate) amount: Loose<'a>,
    #[serde(borrow)]
    pub(crate) amount_refunded: Loose<'a>,
    #[serde(borrow)]
    pub(crate) refunded: Loose<'a>,
}

/// Money sent back, in part or in full: a refund does not say which.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Refund<'a> {
    #[serde(borrow)]
    pub(crate) status: Loose<'a>,
    #[serde(borrow)]
    pub(crate) charge: Reference<'a>,
    #[serde(borrow)]
    pub(crate) payment_intent: Reference<'a>,
}

/// A buyer's bank wants the money back.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Dispute<'a> {
    #[serde(borrow)]
    pub(crate) status: Loose<'a>,
    #[serde(borrow)]
    pub(crate) charge: Reference<'a>,
    #[serde(borrow)]
    pub(crate) payment_intent: Reference<'a>,
}

/// What is charged for a period of a subscription, or for anything else.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Invoice<'a> {
    #[serde(borrow)]
    pub(crate) id: Loose<'a>,
    #[serde(borrow)]
    pub(crate) billing_reason: Loose<'a>,
    #[serde(borrow)]
    pub(crate) customer_email: Loose<'a>,
    /// Before the API version 2025-03-31.
    #[serde(borrow)]
    pub(crate) subscription: Reference<'a>,
    /// Before the API version 2025-03-31.
    #[serde(borrow)]
    pub(crate) subscription_details: Option<SubscriptionDetails<'a>>,
    /// From the API version 2025-03-31 on.
    #[serde(borrow)]
    pub(crate) parent: Option<Parent<'a>>,
    #[serde(borrow)]
    pub(crate) lines: Page<InvoiceLine<'a>>,
}

impl<'a> Invoice<'a> {
    /// The metadata of the subscription as it was when the invoice was made.
    pub(crate) fn metadata(&self) -> Option<&Metadata<'a>> {
        let parent = self.parent.as_ref().and_then(|parent| parent.subscription_details.as_ref());
        parent.or(self.subscription_details.as_ref()).map(|details| &details.metadata)
    }
}

/// As much of an invoice as tells which subscription it is for.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Origin<'a> {
    #[serde(borrow)]
    pub(crate) subscription: Reference<'a>,
    #[serde(borrow)]
    pub(crate) parent: Option<Parent<'a>>,
}

/// What an invoice was made for.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Parent<'a> {
    #[serde(borrow)]
    pub(crate) subscription_details: Option<SubscriptionDetails<'a>>,
}

/// See [`Parent`].
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct SubscriptionDetails<'a> {
    #[serde(borrow)]
    pub(crate) subscription: Reference<'a>,
    #[serde(borrow)]
    pub(crate) metadata: Metadata<'a>,
}

/// The subscription of an invoice, wherever its API version writes it.
pub(crate) fn subscription_of<'v, 'a>(own: &'v Reference<'a>, parent: Option<&'v Parent<'a>>) -> &'v Loose<'a> {
    let details = parent.and_then(|parent| parent.subscription_details.as_ref());
    details.map_or(own, |details| &details.subscription).id()
}

/// A line of an invoice.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct InvoiceLine<'a> {
    #[serde(borrow)]
    pub(crate) amount: Option<Written<'a>>,
    #[serde(borrow)]
    pub(crate) description: Loose<'a>,
    #[serde(borrow)]
    pub(crate) quantity: Loose<'a>,
    #[serde(borrow)]
    pub(crate) period: Option<Period<'a>>,
    /// Before the API version 2025-03-31.
    #[serde(borrow)]
    pub(crate) price: Option<Price<'a>>,
    /// From the API version 2025-03-31 on.
    #[serde(borrow)]
    pub(crate) pricing: Option<Pricing<'a>>,
}

/// From when to when a line of an invoice pays, in seconds since 1970; one moment for what is sold once.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Period<'a> {
    #[serde(borrow)]
    pub(crate) start: Loose<'a>,
    #[serde(borrow)]
    pub(crate) end: Loose<'a>,
}

/// See [`InvoiceLine`].
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Pricing<'a> {
    #[serde(borrow)]
    pub(crate) price_details: Option<PriceDetails<'a>>,
}

/// See [`InvoiceLine`].
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct PriceDetails<'a> {
    #[serde(borrow)]
    pub(crate) price: Reference<'a>,
    #[serde(borrow)]
    pub(crate) product: Reference<'a>,
}

/// A payment of an invoice.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct InvoicePayment<'a> {
    #[serde(borrow)]
    pub(crate) invoice: Expandable<'a, Origin<'a>>,
}

/// A subscription.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Subscription<'a> {
    #[serde(borrow)]
    pub(crate) id: Loose<'a>,
    #[serde(borrow)]
    pub(crate) status: Loose<'a>,
    #[serde(borrow)]
    pub(crate) trial_end: Loose<'a>,
    #[serde(borrow)]
    pub(crate) ended_at: Loose<'a>,
    #[serde(borrow)]
    pub(crate) metadata: Metadata<'a>,
    #[serde(borrow)]
    pub(crate) items: Page<SubscriptionItem<'a>>,
}

/// What a subscription sells again and again.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct SubscriptionItem<'a> {
    #[serde(borrow)]
    pub(crate) quantity: Loose<'a>,
    #[serde(borrow)]
    pub(crate) price: Option<Price<'a>>,
}
