//! The adapter for {{platform}}: for now, for a shop that is made up.
//!
//! Its webhooks are JSON, signed by the hex HMAC-SHA256 of the body in the header `X-Shop-Signature`. Each carries the whole
//! order, and the moment at which it last changed.

use bursar_adapter::orders::{self, Payment};
use bursar_adapter::{Adapter, Delivery, Description, Problem, Request, Result, Verdict, schemes};
use serde::Deserialize;

/// The operator gives the shop's secret under this name. The adapter never sees the secret itself.
const SECRET: &str = "webhook";

const PAID: &str = "order.paid";
const REFUNDED: &str = "order.refunded";

#[derive(Deserialize)]
struct Webhook {
    event: String,
    order: Option<Order>,
}

#[derive(Deserialize)]
struct Order {
    id: u64,
    /// Milliseconds since 1970.
    changed_at: u64,
    learner: String,
    lines: Vec<Line>,
}

#[derive(Deserialize)]
struct Line {
    id: u64,
    sku: String,
    title: String,
    quantity: u32,
    /// How many of them were refunded.
    refunded: u32,
}

impl Webhook {
    fn order(&self) -> Result<&Order> {
        self.order.as_ref().ok_or_else(|| Problem::rejected("body-unexpected", "the webhook carries no order"))
    }
}

struct Shop;

impl Adapter for Shop {
    fn describe() -> Description {
        Description::new("{{platform}}", env!("CARGO_PKG_VERSION"))
            .topic(PAID, "an order was paid")
            .topic(REFUNDED, "lines of an order were refunded")
            .secret(SECRET, "the secret of the shop's webhooks")
    }

    /// Is it the shop's? The proof comes first: what is read before it may be anybody's.
    fn authenticate(request: &Request<'_>) -> Result<Verdict> {
        schemes::body_hex(request, "x-shop-signature", SECRET)?;
        let webhook: Webhook = request.json()?;
        match webhook.event.as_str() {
            PAID | REFUNDED => Ok(Verdict::accept(&webhook.event).about(webhook.order()?.id)),
            other => Ok(Verdict::ignore(&format!("event {other}"))),
        }
    }

    /// What does it say? Facts only: who may have which course follows from them in the host.
    fn handle(delivery: &Delivery<'_>) -> Result<()> {
        let webhook: Webhook = delivery.request().json()?;
        let sold = webhook.order()?;
        // The moment decides which of two statements is newer, in whatever order they arrive.
        let order = orders::snapshot(sold.id, &[sold.changed_at]);
        order.payment(Payment::Paid).learner_email(&sold.learner)?;
        for line in &sold.lines {
            let stated = order.line(line.id);
            stated.product([("sku", &line.sku)], &line.title);
            stated.quantity(line.quantity).refunded_quantity(line.refunded);
        }
        Ok(())
    }
}

bursar_adapter::export!(Shop);

/// Rules without a component. Genuine signatures are tested by `fixtures/`, which the host signs.
#[cfg(test)]
mod tests {
    use bursar_adapter::testing::{self, Post};

    use super::*;

    fn webhook(event: &str, refunded: u32) -> Post {
        Post::new(format!(
            r#"{{"event": "{event}", "order": {{"id": 1042, "changed_at": 5, "learner": "zoe@learner.example",
                "lines": [{{"id": 1, "sku": "SAIL-101", "title": "Sailing", "quantity": 1, "refunded": {refunded}}}]}}}}"#
        ))
    }

    #[test]
    fn a_forged_request_is_refused() {
        let shop = testing::Shop::new().secret(SECRET, "a secret for tests");
        let forged = webhook(PAID, 0).header("x-shop-signature", "0".repeat(64));
        assert_eq!(shop.authenticate::<Shop>(&forged).unwrap_err().code, "signature-mismatch");
    }

    #[test]
    fn a_paid_order_is_stated_with_its_lines() {
        let handled = testing::Shop::new().handle::<Shop>(&webhook(PAID, 0));
        let order = &handled.orders[0];
        assert_eq!((order.id.as_str(), order.payment), ("1042", Some(Payment::Paid)));
        assert_eq!(order.line("1").unwrap().product, [("sku".to_owned(), "SAIL-101".to_owned())]);
    }

    #[test]
    fn a_refund_is_stated_by_line() {
        let handled = testing::Shop::new().handle::<Shop>(&webhook(REFUNDED, 1));
        assert_eq!(handled.orders[0].line("1").unwrap().refunded_quantity, Some(1));
    }

    #[test]
    fn a_webhook_without_an_order_is_rejected() {
        let handled = testing::Shop::new().handle::<Shop>(&Post::new(r#"{"event": "order.paid"}"#));
        assert_eq!(handled.outcome(), "rejected");
    }
}
