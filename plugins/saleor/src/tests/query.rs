//! The query that is shipped, beside what the code reads and what a real Saleor answered.

use std::collections::BTreeSet;

use bursar_adapter::testing::Shop;

use super::RECORDED;
use crate::{QUERY, Saleor};

/// What the code reads of an order. A name that is missing in the query would never be there.
const READ: [&str; 38] = [
    "__typename",
    "issuedAt",
    "order",
    "orders",
    "id",
    "number",
    "status",
    "isPaid",
    "paymentStatus",
    "chargeStatus",
    "userEmail",
    "created",
    "updatedAt",
    "channel",
    "slug",
    "metadata",
    "key",
    "value",
    "user",
    "total",
    "gross",
    "amount",
    "currency",
    "totalCharged",
    "totalRefunded",
    "lines",
    "quantity",
    "productSku",
    "sku",
    "productVariantId",
    "productName",
    "variantName",
    "variant",
    "product",
    "fulfillments",
    "orderLine",
    "grantedRefunds",
    "event",
];

/// Names of the query's fields: words that are neither types nor keywords.
fn fields() -> BTreeSet<&'static str> {
    let said = QUERY.lines().filter(|line| !line.starts_with('#'));
    let words = said.flat_map(|line| line.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_'));
    words
        .filter(|word| word.starts_with(|letter: char| letter.is_ascii_lowercase() || letter == '_'))
        .filter(|word| !["subscription", "fragment", "on"].contains(word))
        .collect()
}

#[test]
fn the_query_asks_for_what_is_read_and_for_nothing_else() {
    assert_eq!(fields(), READ.into_iter().collect());
}

#[test]
fn a_real_saleor_knows_every_field_of_the_query() {
    // `event` is the query's own root, and a body has one order or many.
    for field in fields().into_iter().filter(|field| !["event", "orders"].contains(field)) {
        assert!(RECORDED.contains(&format!("\"{field}\": ")), "{field}");
    }
}

#[test]
fn the_query_asks_for_the_order_of_every_topic() {
    for (topic, _) in Shop::describe::<Saleor>().topics {
        let kind: String = topic.split('_').map(|word| word[..1].to_ascii_uppercase() + &word[1..]).collect();
        let holds = if topic == "order_bulk_created" { "orders" } else { "order" };
        assert!(QUERY.contains(&format!("... on {kind} {{ {holds} {{ ...Order }} }}")), "{kind}");
    }
}

#[test]
fn a_shop_needs_a_key_set_or_a_secret_and_neither_is_forced_on_it() {
    let described = Shop::describe::<Saleor>();
    assert!(described.secrets.is_empty());
    assert_eq!(described.optional_secrets.first().map(|(name, _)| name.as_str()), Some("webhook"));
    assert_eq!(described.key_sets.first().map(|(name, _)| name.as_str()), Some("saleor"));
}
