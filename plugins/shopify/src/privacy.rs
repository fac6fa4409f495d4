//! Shopify's requests about personal data. They are signed like everything else, and every app must answer them (fact 21).
//!
//! No word to people holds personal data: what was asked for is named by ids.

use std::borrow::Cow;

use bursar_adapter::field::{self, Field};
use bursar_adapter::loose::{List, Loose};
use bursar_adapter::{Delivery, Result};

use crate::body::Privacy;

/// How many orders one request can have erased: a run may forget a thousand subjects, and the customer is one. Beyond it a
/// person is asked.
const ORDERS_MAX: usize = 999;

/// How many orders are named to people. More do not fit into a sentence.
const NAMED_MAX: usize = 20;

/// A customer's data must be erased within thirty days: what is stored of the requests about their orders, and about the
/// customer, this one too. What the ledger and the LMS keep is a person's to erase, because access hangs on it.
pub(crate) fn redact(request: &Privacy<'_>, delivery: &Delivery<'_>) -> Result<()> {
    let orders = ids("orders_to_redact", &request.orders_to_redact)?;
    if let Some(customer) = &request.customer {
        delivery.forget(customer.subject());
    }
    for order in orders.iter().take(ORDERS_MAX) {
        delivery.forget(order);
    }
    if orders.len() > ORDERS_MAX {
        delivery.review("the request names more orders than can be erased at once; see to the last of them by hand");
    }
    delivery.review(&format!(
        "the shop asks for a customer's data to be erased within 30 days: {}. What the shop had sent about them is erased; \
         learners' addresses in the ledger and accounts in the LMS are not. Erase those, unless the law wants them kept",
        named(&orders),
    ));
    Ok(())
}

/// A customer wants to know what is stored.
pub(crate) fn data_request(request: &Privacy<'_>, delivery: &Delivery<'_>) -> Result<()> {
    let orders = ids("orders_requested", &request.orders_requested)?;
    delivery.review(&format!(
        "a customer asks the shop what is stored about them: {}. Give the shop's owner what is kept of them within 30 days",
        named(&orders),
    ));
    Ok(())
}

/// The app was uninstalled.
pub(crate) fn shop_redact(delivery: &Delivery<'_>) {
    delivery.review(
        "the app was uninstalled from the shop two days ago, and Shopify asks for all data of the shop's customers to be \
         erased. No orders come any more; decide what becomes of what was sold",
    );
}

fn ids<'v>(place: &str, list: &'v List<Loose<'_>>) -> Result<Vec<Cow<'v, str>>> {
    let ids = field::items(place, list)?.unwrap_or_default();
    ids.iter().filter_map(|id| Field::new(place, id).id().transpose()).collect()
}

fn named(orders: &[Cow<'_, str>]) -> String {
    if orders.is_empty() {
        return "no order is named".to_owned();
    }
    let named = orders.iter().take(NAMED_MAX).map(Cow::as_ref).collect::<Vec<_>>().join(", ");
    match orders.len().saturating_sub(NAMED_MAX) {
        0 => format!("orders {named}"),
        more => format!("orders {named} and {more} more"),
    }
}
