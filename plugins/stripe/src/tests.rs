//! The adapter as a whole, against the fake host: what fixtures cannot show. What the events mean is in the fixtures.

use bursar_adapter::testing::{ApiAnswer, Handled, OrderFacts, Post, Shop};
use serde_json::{Value, json};

use crate::Stripe;

const NOW: u64 = 1_772_445_641;
const MONTH: u64 = 2_678_400;

fn handled(shop: &Shop, kind: &str, created: u64, object: &Value) -> Handled {
    let body =
        json!({"object": "event", "type": kind, "created": created, "livemode": true, "data": {"object": object}});
    shop.handle::<Stripe>(&Post::new(body.to_string()))
}

fn stated(kind: &str, created: u64, object: &Value) -> Vec<OrderFacts> {
    let handled = handled(&Shop::new().without_api(), kind, created, object);
    handled.result.unwrap();
    handled.orders
}

fn session() -> Value {
    json!({"id": "cs_1", "mode": "payment", "payment_status": "paid", "payment_intent": "pi_1", "amount_total": 4900})
}

fn invoice(from: u64) -> Value {
    json!({
        "id": "in_1",
        "subscription": "sub_1",
        "lines": {"data": [{
            "amount": 1900,
            "period": {"start": from, "end": from + MONTH},
            "price": {"id": "price_1", "product": "prod_1"},
        }]},
    })
}

/// The revision and the end of the one line of a subscription.
fn line(orders: &[OrderFacts]) -> (Vec<u64>, Option<u64>) {
    let order = orders.iter().find(|order| !order.lines.is_empty()).unwrap();
    (order.revision.clone(), order.line("price_1").unwrap().until)
}

fn revision(kind: &str, object: &Value) -> Vec<u64> {
    stated(kind, NOW, object)[0].revision.clone()
}

#[test]
fn of_the_events_of_one_second_the_one_that_follows_is_the_newer() {
    let completed = revision("checkout.session.completed", &session());
    assert!(completed < revision("checkout.session.async_payment_succeeded", &session()));
    assert!(completed < revision("checkout.session.async_payment_failed", &session()));

    let refund = json!({"status": "failed", "charge": "ch_1", "payment_intent": "pi_1"});
    let charge =
        json!({"payment_intent": "pi_1", "currency": "eur", "amount": 4900, "amount_refunded": 4900, "refunded": true});
    assert!(revision("charge.refunded", &charge) < revision("refund.failed", &refund));

    let dispute = |status: &str| json!({"status": status, "payment_intent": "pi_1"});
    let begun = revision("charge.dispute.created", &dispute("needs_response"));
    assert!(begun < revision("charge.dispute.closed", &dispute("won")));
    assert!(begun < revision("charge.dispute.closed", &dispute("lost")));

    let mut first = invoice(NOW);
    first["billing_reason"] = "subscription_create".into();
    assert!(revision("invoice.payment_failed", &first) < revision("invoice.paid", &first));
}

#[test]
fn the_latest_period_counts_in_whatever_order_periods_are_paid() {
    let (late, late_end) = line(&stated("invoice.paid", NOW + 100, &invoice(NOW + MONTH)));
    let (overdue, overdue_end) = line(&stated("invoice.paid", NOW + 200, &invoice(NOW)));
    assert!(late > overdue, "an overdue period that is paid after the next one must not shorten it");
    assert!(late_end > overdue_end);
}

#[test]
fn nothing_extends_a_subscription_that_ended() {
    let subscription = json!({
        "id": "sub_1", "status": "canceled", "ended_at": NOW + 50,
        "items": {"data": [{"price": {"id": "price_1", "product": "prod_1"}}]},
    });
    let (ended, until) = line(&stated("customer.subscription.deleted", NOW + 51, &subscription));
    assert_eq!(until, Some((NOW + 50) * 1000));
    for from in [NOW, NOW + MONTH, NOW + 60 * MONTH] {
        assert!(line(&stated("invoice.paid", NOW + 1000, &invoice(from))).0 < ended);
    }
}

#[test]
fn a_buyer_never_takes_the_place_of_whoever_was_named_before() {
    let mut bought = session();
    bought["subscription"] = "sub_1".into();
    bought["customer_details"] = json!({"email": "ada@learner.example"});
    let orders = stated("checkout.session.completed", NOW, &bought);
    let buyer = orders.iter().find(|order| order.learner_email.is_some()).unwrap();
    bought["metadata"] = json!({"learner_email": "zoe@learner.example"});
    let orders = stated("checkout.session.completed", 1, &bought);
    let named = orders.iter().find(|order| order.learner_email.is_some()).unwrap();
    assert!(buyer.revision < named.revision);
}

#[test]
fn amounts_have_the_places_of_their_currency() {
    for (currency, units, text) in [
        ("eur", 4900, "49.00"),
        ("usd", 5, "0.05"),
        ("jpy", 500, "500"),
        ("xof", 4_900, "4900"),
        ("kwd", 5_120, "5.120"),
        ("isk", 500, "5.00"),
        ("ugx", 500, "5.00"),
        ("huf", 1_045, "10.45"),
    ] {
        let charge = json!({"payment_intent": "pi_1", "currency": currency, "amount": units * 2, "amount_refunded": units, "refunded": false});
        let (amount, stated_currency, _) = stated("charge.refunded", NOW, &charge)[0].refunded_amount.clone().unwrap();
        assert_eq!((amount.as_str(), stated_currency), (text, currency.to_uppercase()));
    }
}

#[test]
fn stripe_is_asked_in_one_version_and_for_the_account_that_is_the_shop() {
    let path = "/v1/checkout/sessions/cs_1/line_items?limit=100&expand%5B%5D=data.price.product";
    let shop = |settings: &str| {
        Shop::new().settings(settings).answers("GET", path, ApiAnswer::new(200, r#"{"data":[],"has_more":false}"#))
    };
    let own = handled(&shop("{}"), "checkout.session.completed", NOW, &session());
    assert_eq!(own.calls[0].headers, [("stripe-version".to_owned(), "2025-03-31.basil".to_owned())]);

    let body = json!({
        "object": "event", "type": "checkout.session.completed", "created": NOW, "account": "acct_1", "data": {"object": session()},
    });
    let connected = shop(r#"{"account":"acct_1"}"#).handle::<Stripe>(&Post::new(body.to_string()));
    assert!(connected.calls[0].headers.contains(&("stripe-account".to_owned(), "acct_1".to_owned())));
}

#[test]
fn the_adapter_describes_every_event_that_it_reads() {
    let described = Shop::describe::<Stripe>();
    assert_eq!(described.platform, "stripe");
    assert_eq!(described.secrets[0].0, "webhook");
    assert_eq!(described.optional_permissions[0].0, "shop");
    for (kind, _) in &described.topics {
        let handled = handled(&Shop::new().without_api(), kind, NOW, &json!({}));
        let passed_over = handled.ignored.iter().any(|reason| reason.contains("which is not read here"));
        assert!(!passed_over, "{kind}");
    }
}
