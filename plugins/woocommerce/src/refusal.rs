//! Errors that the shop signed in place of an order: genuine, and nothing to apply (fact 19).
//!
//! None of them says which order it was about. WooCommerce counts them as delivered and will not say it again, so what
//! a person can do about it is put into words here.

use bursar_adapter::Delivery;

use crate::api::printable;
use crate::body::Refusal;

/// The status that goes with an owner who no longer exists.
const UNAUTHENTICATED: u64 = 401;

pub(crate) fn report(delivery: &Delivery<'_>, refusal: &Refusal<'_>) {
    match refusal.code.as_ref() {
        "woocommerce_rest_shop_order_invalid_id" => delivery.ignored(
            "an order was erased in the shop before its news went out; the shop does not say which one, and there is \
             nothing to apply",
        ),
        "woocommerce_rest_invalid_shop_order_id" => delivery.review(
            "the webhook's API version cannot read this shop's orders, so an error came in place of an order. Set the \
             webhook's API version to v3, then look for orders that changed meanwhile",
        ),
        "woocommerce_rest_cannot_view" if refusal.status == Some(UNAUTHENTICATED) => delivery.review(
            "the user who owned the webhook is gone, so the shop sent an error in place of an order. Have a shop manager \
             open the webhook and save it, then look for orders that changed meanwhile",
        ),
        "woocommerce_rest_cannot_view" => delivery.review(
            "the user who owns the webhook may no longer read orders, so the shop sent an error in place of an order. \
             Make that user a shop manager again, then look for orders that changed meanwhile",
        ),
        "rest_no_route" => delivery.review(
            "the shop tried to deliver inside the checkout and lost the order on the way. Turn synchronous webhook \
             delivery off in the shop (the filter woocommerce_webhook_deliver_async), then look for orders that were \
             placed meanwhile",
        ),
        code => delivery.review(&format!(
            "the shop sent the error `{}` in place of an order. Look at the webhook and its owner in the shop, then for \
             orders that changed meanwhile",
            printable(code),
        )),
    }
}
