//! What the body of a genuine request is. The body alone tells: topic, shop and every other header are not signed
//! (docs/shops/shopify.md fact 3).
//!
//! What a value must be is checked where it is used; fields that are not named here are passed over.

use bursar_adapter::field::Field;
use bursar_adapter::loose::{List, Loose};
use bursar_adapter::moment::Moment;
use bursar_adapter::money::Written;
use bursar_adapter::{Problem, Request, Result};
use serde::Deserialize;
use serde::de::IgnoredAny;

/// No body of the shape `{"id":123}` is longer.
const LONGEST_DELETION: usize = 64;

/// Something stands there; what it is is read elsewhere.
type Seen = Option<IgnoredAny>;

/// The kinds of body that Shopify signs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A whole order.
    Order,
    /// Money or lines of an order that went back.
    Refund,
    /// A chargeback or an inquiry.
    Dispute,
    /// How an order was edited, as differences.
    Edit,
    /// `{"id":123}` and nothing else: something was deleted.
    Deletion,
    /// A customer's data must be erased.
    CustomerRedact,
    /// A customer wants to know what is stored.
    DataRequest,
    /// The app was uninstalled; the shop's data must be erased.
    ShopRedact,
    /// A subscription contract.
    Subscription,
    /// A delivery of Events, Shopify's other mechanism: it names fields and holds no order.
    Event,
    /// Anything else.
    Other,
}

/// As much of a body as tells what it is and what it is about.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Glance<'a> {
    #[serde(borrow)]
    id: Loose<'a>,
    #[serde(borrow)]
    order_id: Loose<'a>,
    #[serde(borrow)]
    admin_graphql_api_id: Loose<'a>,
    financial_status: Seen,
    line_items: Seen,
    refund_line_items: Seen,
    #[serde(borrow)]
    status: Loose<'a>,
    #[serde(borrow)]
    initiated_at: Loose<'a>,
    #[serde(borrow)]
    order_edit: Option<Edit<'a>>,
    shop_id: Seen,
    #[serde(borrow)]
    pub(crate) shop_domain: Loose<'a>,
    #[serde(borrow)]
    customer: Option<Customer<'a>>,
    data_request: Seen,
    fields_changed: Seen,
    #[serde(borrow)]
    updated_at: Loose<'a>,
    #[serde(borrow)]
    created_at: Loose<'a>,
    #[serde(skip)]
    is_deletion: bool,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct OnlyId {
    #[serde(rename = "id")]
    _id: IgnoredAny,
}

impl<'a> Glance<'a> {
    /// Reads the body, which is an object in UTF-8 whatever it says.
    pub(crate) fn at(request: &'a Request<'_>) -> Result<Self> {
        let mut glance: Self = request.json()?;
        // What is passed over is not looked at by the parser, and a list would do for an object without fields.
        let text = std::str::from_utf8(request.body());
        if !text.is_ok_and(|text| text.trim_start().starts_with('{')) {
            return Err(Problem::rejected("body-unexpected", "the body is no JSON object in UTF-8"));
        }
        glance.is_deletion = request.body().len() <= LONGEST_DELETION && request.json::<OnlyId>().is_ok();
        Ok(glance)
    }

    /// Where Shopify names the type itself (`gid://shopify/Order/7`) that decides, otherwise the fields that only one
    /// kind has.
    pub(crate) fn kind(&self) -> Kind {
        if self.order_edit.is_some() {
            return Kind::Edit;
        }
        if self.shop_id.is_some() && self.shop_domain != Loose::Absent {
            return match (&self.customer, &self.data_request) {
                (_, Some(_)) => Kind::DataRequest,
                (Some(_), None) => Kind::CustomerRedact,
                (None, None) => Kind::ShopRedact,
            };
        }
        let named = self.named_type();
        match named.as_deref() {
            Some("Order") => Kind::Order,
            Some("Refund") => Kind::Refund,
            Some("SubscriptionContract") => Kind::Subscription,
            Some(_) => Kind::Other,
            None if self.fields_changed.is_some() => Kind::Event,
            None if self.financial_status.is_some() && self.line_items.is_some() => Kind::Order,
            None if self.order_id != Loose::Absent && self.refund_line_items.is_some() => Kind::Refund,
            None if self.initiated_at != Loose::Absent && self.status != Loose::Absent => Kind::Dispute,
            None if self.is_deletion => Kind::Deletion,
            None => Kind::Other,
        }
    }

    fn named_type(&self) -> Option<String> {
        let Loose::Text(name) = &self.admin_graphql_api_id else { return None };
        name.strip_prefix("gid://shopify/")?.split('/').next().map(str::to_owned)
    }

    /// The order's id, and for a request about a customer the customer.
    pub(crate) fn subject(&self) -> Option<String> {
        match self.kind() {
            Kind::Order | Kind::Deletion => id(&self.id),
            Kind::Refund | Kind::Dispute => id(&self.order_id),
            Kind::Edit => id(&self.order_edit.as_ref()?.order_id),
            Kind::CustomerRedact | Kind::DataRequest => self.customer.as_ref().map(Customer::subject),
            Kind::ShopRedact | Kind::Subscription | Kind::Event | Kind::Other => None,
        }
    }

    /// When it happened, as far as the body says.
    pub(crate) fn occurred_at(&self) -> Option<Moment> {
        let edit = self.order_edit.iter().flat_map(|edit| [&edit.committed_at, &edit.created_at]);
        [&self.updated_at, &self.created_at, &self.initiated_at].into_iter().chain(edit).find_map(moment)
    }
}

fn id(value: &Loose<'_>) -> Option<String> {
    Field::new("id", value).id().ok().flatten().map(Into::into)
}

/// The moment that stands there, where one does: for what is shown to people, and for dates that say nothing by themselves.
pub(crate) fn moment(value: &Loose<'_>) -> Option<Moment> {
    Field::new("moment", value).moment().ok().flatten()
}

/// An order, as `orders/…` webhooks show it.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Order<'a> {
    #[serde(borrow)]
    pub(crate) id: Loose<'a>,
    #[serde(borrow)]
    pub(crate) name: Loose<'a>,
    #[serde(borrow)]
    pub(crate) financial_status: Loose<'a>,
    #[serde(borrow)]
    pub(crate) cancelled_at: Loose<'a>,
    #[serde(borrow)]
    pub(crate) created_at: Loose<'a>,
    #[serde(borrow)]
    pub(crate) processed_at: Loose<'a>,
    #[serde(borrow)]
    pub(crate) updated_at: Loose<'a>,
    #[serde(borrow)]
    pub(crate) test: Loose<'a>,
    #[serde(borrow)]
    pub(crate) email: Loose<'a>,
    #[serde(borrow)]
    pub(crate) contact_email: Loose<'a>,
    #[serde(borrow)]
    pub(crate) customer: Option<Customer<'a>>,
    #[serde(borrow)]
    pub(crate) currency: Loose<'a>,
    #[serde(borrow)]
    pub(crate) presentment_currency: Loose<'a>,
    #[serde(borrow)]
    pub(crate) total_price: Option<Written<'a>>,
    #[serde(borrow)]
    pub(crate) total_price_set: Option<MoneySet<'a>>,
    #[serde(borrow)]
    pub(crate) note_attributes: List<Property<'a>>,
    #[serde(borrow)]
    pub(crate) line_items: List<Item<'a>>,
    #[serde(borrow)]
    pub(crate) refunds: List<Refund<'a>>,
}

/// Who bought. Null in orders without one, without an address where the app may not see it (fact 20).
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Customer<'a> {
    #[serde(borrow)]
    id: Loose<'a>,
    #[serde(borrow)]
    pub(crate) email: Loose<'a>,
}

impl Customer<'_> {
    /// What deliveries about the customer, and not about an order, are about. Those without an id (fact 21) share a subject,
    /// so that they can be forgotten.
    pub(crate) fn subject(&self) -> String {
        id(&self.id).map_or_else(|| "customer".to_owned(), |id| format!("customer {id}"))
    }
}

/// An amount in the currency that was paid in.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct MoneySet<'a> {
    #[serde(borrow)]
    pub(crate) presentment_money: Option<Money<'a>>,
}

/// See [`MoneySet`].
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Money<'a> {
    #[serde(borrow)]
    pub(crate) amount: Option<Written<'a>>,
}

/// What buyer, theme or app wrote to a line or to the order.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Property<'a> {
    #[serde(borrow)]
    pub(crate) name: Loose<'a>,
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
    pub(crate) product_id: Loose<'a>,
    #[serde(borrow)]
    pub(crate) variant_id: Loose<'a>,
    #[serde(borrow)]
    pub(crate) sku: Loose<'a>,
    #[serde(borrow)]
    pub(crate) title: Loose<'a>,
    #[serde(borrow)]
    pub(crate) quantity: Loose<'a>,
    #[serde(borrow)]
    pub(crate) current_quantity: Loose<'a>,
    #[serde(borrow)]
    pub(crate) properties: List<Property<'a>>,
}

/// A refund: by itself, or among the refunds of an order.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Refund<'a> {
    #[serde(borrow)]
    pub(crate) id: Loose<'a>,
    #[serde(borrow)]
    pub(crate) order_id: Loose<'a>,
    #[serde(borrow)]
    pub(crate) created_at: Loose<'a>,
    #[serde(borrow)]
    pub(crate) refund_line_items: List<Returned<'a>>,
    #[serde(borrow)]
    pub(crate) transactions: List<Transaction<'a>>,
}

/// How many of a line went back with one refund.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Returned<'a> {
    #[serde(borrow)]
    pub(crate) line_item_id: Loose<'a>,
    #[serde(borrow)]
    pub(crate) quantity: Loose<'a>,
    #[serde(borrow)]
    pub(crate) line_item: Option<Item<'a>>,
}

/// Money that moved with a refund.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Transaction<'a> {
    #[serde(borrow)]
    pub(crate) kind: Loose<'a>,
    #[serde(borrow)]
    pub(crate) status: Loose<'a>,
    #[serde(borrow)]
    pub(crate) amount: Option<Written<'a>>,
    #[serde(borrow)]
    pub(crate) currency: Loose<'a>,
}

/// A chargeback or an inquiry.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Dispute<'a> {
    #[serde(borrow)]
    pub(crate) order_id: Loose<'a>,
    #[serde(borrow)]
    pub(crate) status: Loose<'a>,
    #[serde(borrow)]
    pub(crate) initiated_at: Loose<'a>,
    #[serde(borrow)]
    pub(crate) evidence_sent_on: Loose<'a>,
    #[serde(borrow)]
    pub(crate) finalized_on: Loose<'a>,
}

/// The body of `orders/edited`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Edited<'a> {
    #[serde(borrow)]
    pub(crate) order_edit: Edit<'a>,
}

/// When which order was edited. What changed is given as differences, which nothing here reads (fact 17).
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Edit<'a> {
    #[serde(borrow)]
    pub(crate) order_id: Loose<'a>,
    #[serde(borrow)]
    pub(crate) created_at: Loose<'a>,
    #[serde(borrow)]
    pub(crate) committed_at: Loose<'a>,
}

/// A request about a customer's data.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Privacy<'a> {
    #[serde(borrow)]
    pub(crate) customer: Option<Customer<'a>>,
    #[serde(borrow)]
    pub(crate) orders_to_redact: List<Loose<'a>>,
    #[serde(borrow)]
    pub(crate) orders_requested: List<Loose<'a>>,
}
