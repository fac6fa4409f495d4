//! What the body of a genuine request is. The body alone tells: topic, resource and event headers are not signed
//! (docs/shops/woocommerce.md fact 5).

use bursar_adapter::{Problem, Request, Result};
use serde::{Deserialize, de::IgnoredAny};

use crate::loose::{self, Loose};

/// Statuses of an order that is not placed yet: an opened checkout page, an admin's empty form.
pub(crate) const DRAFTS: [&str; 2] = ["checkout-draft", "auto-draft"];

/// No body of the shape `{"id":123}` is longer.
const LONGEST_TRASHED: usize = 64;

/// The kinds of body that a WooCommerce shop signs.
#[derive(Debug)]
pub(crate) enum Body<'a> {
    /// A whole order.
    Order(Box<Order<'a>>),
    /// `{"id":123}` and nothing else: that order went to the bin.
    Trashed(u64),
    /// The error that the shop met when it built the body.
    Refusal(Refusal<'a>),
    /// What a webhook on a hook sends: a name and an argument.
    Action(String),
    /// A subscription of the Subscriptions extension.
    Subscription,
    /// An object of another kind, or an order stripped of its lines.
    Foreign,
}

/// An order as the shop's REST API (v2, v3) shows it, as far as it matters here.
#[derive(Debug)]
pub(crate) struct Order<'a> {
    pub(crate) id: u64,
    pub(crate) status: String,
    pub(crate) number: Loose<'a>,
    pub(crate) order_key: Loose<'a>,
    /// The order's address in the shop's REST API.
    pub(crate) address: Loose<'a>,
    pub(crate) currency: Loose<'a>,
    pub(crate) total: Loose<'a>,
    pub(crate) payment_method: Loose<'a>,
    pub(crate) created: Loose<'a>,
    pub(crate) modified: Loose<'a>,
    pub(crate) paid: Loose<'a>,
    pub(crate) billing: Billing<'a>,
    pub(crate) meta: Vec<Meta<'a>>,
    pub(crate) items: Vec<Item<'a>>,
    /// None where the body has no list of refunds at all.
    pub(crate) refunds: Option<Vec<Refund<'a>>>,
}

/// Who pays.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Billing<'a> {
    #[serde(borrow)]
    pub(crate) email: Loose<'a>,
}

/// A custom field.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Meta<'a> {
    #[serde(borrow)]
    pub(crate) key: Loose<'a>,
    #[serde(borrow)]
    pub(crate) value: Loose<'a>,
}

/// A line.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Item<'a> {
    #[serde(borrow)]
    pub(crate) id: Loose<'a>,
    #[serde(borrow)]
    pub(crate) name: Loose<'a>,
    #[serde(borrow)]
    pub(crate) product_id: Loose<'a>,
    #[serde(borrow)]
    pub(crate) variation_id: Loose<'a>,
    #[serde(borrow)]
    pub(crate) sku: Loose<'a>,
    #[serde(borrow)]
    pub(crate) quantity: Loose<'a>,
    /// After coupons, without tax.
    #[serde(borrow)]
    pub(crate) total: Loose<'a>,
    #[serde(borrow)]
    pub(crate) total_tax: Loose<'a>,
    #[serde(borrow)]
    pub(crate) bundled_by: Loose<'a>,
    #[serde(borrow)]
    pub(crate) composite_parent: Loose<'a>,
    #[serde(borrow, deserialize_with = "loose::list")]
    pub(crate) meta_data: Option<Vec<Meta<'a>>>,
}

impl Item<'_> {
    pub(crate) fn meta(&self) -> &[Meta<'_>] {
        self.meta_data.as_deref().unwrap_or_default()
    }
}

/// Money that went back. The body does not say for what (fact 25); `refunds` asks.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Refund<'a> {
    #[serde(borrow)]
    pub(crate) id: Loose<'a>,
    #[serde(borrow)]
    pub(crate) total: Loose<'a>,
}

/// The error that the shop met when it built the body (fact 19).
#[derive(Debug)]
pub(crate) struct Refusal<'a> {
    pub(crate) code: std::borrow::Cow<'a, str>,
    pub(crate) status: Option<u64>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Shown<'a> {
    #[serde(borrow)]
    id: Loose<'a>,
    #[serde(borrow)]
    status: Loose<'a>,
    #[serde(borrow)]
    number: Loose<'a>,
    #[serde(borrow)]
    order_key: Loose<'a>,
    #[serde(borrow)]
    currency: Loose<'a>,
    #[serde(borrow)]
    total: Loose<'a>,
    #[serde(borrow)]
    payment_method: Loose<'a>,
    #[serde(borrow)]
    date_created_gmt: Loose<'a>,
    #[serde(borrow)]
    date_modified_gmt: Loose<'a>,
    #[serde(borrow)]
    date_paid_gmt: Loose<'a>,
    #[serde(borrow)]
    billing_period: Loose<'a>,
    #[serde(borrow)]
    billing: Option<Billing<'a>>,
    #[serde(borrow, deserialize_with = "loose::list")]
    meta_data: Option<Vec<Meta<'a>>>,
    #[serde(borrow, deserialize_with = "loose::list")]
    line_items: Option<Vec<Item<'a>>>,
    #[serde(borrow, deserialize_with = "loose::list")]
    refunds: Option<Vec<Refund<'a>>>,
    #[serde(borrow, rename = "_links")]
    links: Links<'a>,
    #[serde(borrow)]
    code: Loose<'a>,
    #[serde(borrow)]
    data: Option<Data<'a>>,
    #[serde(borrow)]
    action: Loose<'a>,
}

/// Where the shop's REST API shows the order and what belongs to it. A plugin that strips it may leave an empty list.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Links<'a> {
    Some {
        #[serde(borrow, rename = "self")]
        own: Vec<Link<'a>>,
    },
    Other(IgnoredAny),
}

impl Default for Links<'_> {
    fn default() -> Self {
        Self::Other(IgnoredAny)
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Link<'a> {
    #[serde(borrow)]
    href: Loose<'a>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Data<'a> {
    #[serde(borrow)]
    status: Loose<'a>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct OnlyId {
    id: u64,
}

impl<'a> Body<'a> {
    /// Reads the body.
    pub(crate) fn read(request: &'a Request<'_>) -> Result<Self> {
        if request.body().len() <= LONGEST_TRASHED
            && let Ok(trashed) = request.json::<OnlyId>()
            && trashed.id > 0
        {
            return Ok(Self::Trashed(trashed.id));
        }
        let shown: Shown<'a> = request.json()?;
        if shown.billing_period.text().is_some() {
            return Ok(Self::Subscription);
        }
        match (shown.id.id(), shown.status.text(), &shown.line_items) {
            (Some(id), Some(status), Some(_)) => {
                let status = status.into_owned();
                Ok(Self::Order(Box::new(shown.into_order(id, status))))
            }
            (None, ..) => shown.into_message(),
            _ => Ok(Self::Foreign),
        }
    }
}

impl<'a> Order<'a> {
    /// The order that the shop's REST API shows; none for anything else. Where it is sold is not read from it: the address was
    /// asked at is the operator's word for that, and links follow the scheme of whoever asked (fact 6).
    pub(crate) fn shown(answer: &'a [u8]) -> Option<Self> {
        let shown: Shown<'a> = serde_json::from_slice(answer).ok()?;
        let (id, status) = (shown.id.id()?, shown.status.text()?.into_owned());
        shown.line_items.as_ref()?;
        Some(Self { address: Loose::Absent, ..shown.into_order(id, status) })
    }
}

impl<'a> Shown<'a> {
    fn into_order(self, id: u64, status: String) -> Order<'a> {
        Order {
            id,
            status,
            number: self.number,
            order_key: self.order_key,
            address: match self.links {
                Links::Some { own } => own.into_iter().next().map(|link| link.href).unwrap_or_default(),
                Links::Other(_) => Loose::Absent,
            },
            currency: self.currency,
            total: self.total,
            payment_method: self.payment_method,
            created: self.date_created_gmt,
            modified: self.date_modified_gmt,
            paid: self.date_paid_gmt,
            billing: self.billing.unwrap_or_default(),
            meta: self.meta_data.unwrap_or_default(),
            items: self.line_items.unwrap_or_default(),
            refunds: self.refunds,
        }
    }

    fn into_message(self) -> Result<Body<'a>> {
        if let Loose::Text(code) = self.code {
            return Ok(Body::Refusal(Refusal { code, status: self.data.and_then(|data| data.status.whole()) }));
        }
        if let Some(action) = self.action.text() {
            return Ok(Body::Action(action.into_owned()));
        }
        Err(Problem::rejected(
            "body-unexpected",
            "the body is neither an order nor anything else that WooCommerce sends",
        ))
    }
}
