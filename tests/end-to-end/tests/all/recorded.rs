//! Every delivery that a real shop sent, sent again byte for byte: answer, end of the delivery, ledger, reviews.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use bursar_domain::ledger::{Hold, Line, Order};
use bursar_domain::reason::Concern;
use bursar_domain::statement::Learner;
use end_to_end::http;
use end_to_end::plan::{Plan, Shop};
use end_to_end::recorded::{self, Recorded};
use end_to_end::site::Site;
use serde_json::{Value, json};

/// Fewer folders than this, and some were lost.
const RECORDED: usize = 120;

/// What a paid order may bring up besides the adapter's own words: no catalog is imported here, so that no product is
/// known, and the rest is the ledger's own business, which is tested where it is decided.
const LEDGER_CONCERNS: [&str; 3] = ["product-unmapped", "refund-unassigned", "learner-missing"];

/// A shop of its own for each, so that none meets an order that another one left.
fn shop_of(index: usize) -> String {
    format!("shop-{index}")
}

/// The bytes as they were recorded; only the address is another.
fn request(shop: &str, delivery: &Recorded, address: &str) -> Vec<u8> {
    let headers = delivery.headers.iter().map(|(name, value)| {
        let host = name.eq_ignore_ascii_case("host");
        (name.as_str(), if host { address } else { value.as_str() })
    });
    let headers: Vec<_> = headers.collect();
    let mut bytes = http::head("POST", &format!("/webhooks/{shop}"), &headers);
    bytes.extend_from_slice(&delivery.body);
    bytes
}

fn causes(holds: &[Hold]) -> Value {
    sorted(&holds.iter().filter(|hold| hold.holds).map(|hold| json!(hold.cause)).collect())
}

fn sorted(list: &Value) -> Value {
    let words = list.as_array().unwrap().iter().map(|word| word.as_str().unwrap());
    words.collect::<BTreeSet<_>>().into_iter().collect()
}

fn learner(learner: Option<&Learner>) -> Value {
    match learner {
        None => Value::Null,
        Some(Learner::Malformed) => json!("(malformed)"),
        Some(Learner::Known(identity)) => json!(identity.written()),
    }
}

/// What the ledger holds of an order, in the words of `expected.json`.
pub(crate) fn in_ledger(order: &Order) -> Value {
    let mut said = json!({
        "id": order.external_id,
        "payment": order.payment,
        "holds": causes(&order.holds),
        "learner": learner(order.learner.as_ref()),
        "test": order.test,
        "lines": order.lines.iter().map(line_in_ledger).collect::<Vec<_>>(),
    });
    if let Some(refunded) = &order.refunded {
        said["refunded_amount"] = json!({
            "amount": refunded.amount.to_string(), "currency": refunded.currency, "total": refunded.total.to_string(),
        });
    }
    said
}

fn line_in_ledger(line: &Line) -> Value {
    let products = line.products.iter().map(|product| json!([product.kind, product.id]));
    json!({
        "id": line.external_id,
        "product": products.collect::<Vec<_>>(),
        "quantity": line.quantity,
        "refunded_quantity": line.refunded_quantity,
        "holds": causes(&line.holds),
        "learner": learner(line.learner.as_ref()),
    })
}

/// What `expected.json` says, as a ledger must hold it that knew nothing before.
fn expected_order(stated: &Value) -> Value {
    let mut expected = stated.clone();
    let order = expected.as_object_mut().unwrap();
    // Of what a ledger knows nothing there is nothing to lift; and what nobody ever said of a payment is undecided.
    order.remove("lifts");
    order.remove("kind");
    if order["payment"].is_null() {
        order.insert("payment".to_owned(), json!("undecided"));
    }
    order["holds"] = sorted(&order["holds"]);
    for line in order["lines"].as_array_mut().unwrap() {
        line["holds"] = sorted(&line["holds"]);
        if line.get("learner").is_none() {
            line["learner"] = Value::Null;
        }
    }
    expected
}

fn expected(delivery: &Recorded) -> Value {
    let said = &delivery.expected;
    let nothing = json!([]);
    let stored = said["delivery"] == "stored";
    json!({
        "answer": said["answer"],
        "states": if stored { json!([said["outcome"]]) } else { json!([]) },
        "orders": said.get("orders").unwrap_or(&nothing).as_array().unwrap().iter().map(expected_order).collect::<Vec<_>>(),
    })
}

fn came(site: &Site, shop: &str, delivery: &Recorded, answer: u16) -> Value {
    let states: Vec<_> = site.ledger.states_of(shop).iter().map(|state| state.as_str()).collect();
    let ids = delivery.expected.get("orders").and_then(Value::as_array).into_iter().flatten();
    let orders = ids.map(|order| {
        site.ledger.order(shop, order["id"].as_str().unwrap()).map_or(json!("not in the ledger"), |o| in_ledger(&o))
    });
    json!({ "answer": answer, "states": states, "orders": orders.collect::<Vec<_>>() })
}

/// What is wrong with the reviews of a shop, if anything is.
fn wrong_reviews(site: &Site, shop: &str, delivery: &Recorded) -> Option<String> {
    let reviews: Vec<_> = site
        .ledger
        .reviews()
        .into_iter()
        .filter(|review| review.shop.as_ref().is_some_and(|known| known.as_str() == shop))
        .collect();
    let words = |concern: &Concern| match concern {
        Concern::Adapter { words } => Some(words.clone()),
        _ => None,
    };
    let asked: Vec<String> = reviews.iter().filter_map(|review| words(&review.concern)).collect();
    let strange = reviews
        .iter()
        .any(|review| words(&review.concern).is_none() && !LEDGER_CONCERNS.contains(&review.concern.code()));
    let nothing = json!([]);
    let expected = delivery.expected.get("reviews").unwrap_or(&nothing).as_array().unwrap();
    let as_expected = expected.len() == asked.len()
        && expected.iter().all(|reason| asked.iter().any(|words| words.contains(reason.as_str().unwrap())));
    (strange || !as_expected).then(|| format!("reviews {reviews:?}, not {expected:?}"))
}

#[test]
fn every_recorded_delivery_ends_as_a_person_who_knows_the_shop_would_expect() {
    let deliveries = recorded::woocommerce();
    assert!(deliveries.len() >= RECORDED, "only {} deliveries are left", deliveries.len());
    let shops = deliveries.iter().enumerate().map(|(index, delivery)| {
        let shop = Shop::new(&shop_of(index));
        // Nobody can configure an empty secret, and what nothing signs needs none; any other secret will do.
        match delivery.secret.as_deref() {
            None | Some("") => shop,
            Some(secret) => shop.secret(secret),
        }
    });
    let site = Site::start(Plan::new(&[]).shops(shops));
    let address = site.address().to_string();

    let answers: Vec<u16> = deliveries
        .iter()
        .enumerate()
        .map(|(index, delivery)| http::exchange(site.address(), &request(&shop_of(index), delivery, &address)).status)
        .collect();
    site.all_handled();

    let mut wrong = String::new();
    let mut checked = 0;
    for (index, (delivery, answer)) in deliveries.iter().zip(&answers).enumerate() {
        let shop = shop_of(index);
        let (expected, came) = (expected(delivery), came(&site, &shop, delivery, *answer));
        let reviews = wrong_reviews(&site, &shop, delivery);
        checked += 1;
        if expected != came || reviews.is_some() {
            writeln!(
                wrong,
                "{}\n  says      {}\n  expected  {expected}\n  came      {came}\n  {}",
                delivery.folder,
                delivery.expected["says"].as_str().unwrap(),
                reviews.unwrap_or_default(),
            )
            .unwrap();
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
    assert_eq!(checked, deliveries.len());
}

#[test]
fn a_recorded_delivery_with_one_byte_changed_is_refused_and_leaves_nothing() {
    let signed: Vec<_> = recorded::woocommerce()
        .into_iter()
        .filter(|delivery| delivery.secret.as_ref().is_some_and(|secret| !secret.is_empty()))
        .collect();
    assert!(signed.len() > RECORDED - 20, "only {} deliveries are signed", signed.len());
    let shops = signed.iter().enumerate();
    let shops = shops.map(|(index, delivery)| Shop::new(&shop_of(index)).secret(delivery.secret.as_ref().unwrap()));
    let site = Site::start(Plan::new(&[]).shops(shops));
    for (index, mut delivery) in signed.into_iter().enumerate() {
        let middle = delivery.body.len() / 2;
        delivery.body[middle] ^= 1;
        let bytes = request(&shop_of(index), &delivery, "bursar.example");
        let answer = http::exchange(site.address(), &bytes);
        assert_eq!((answer.status, answer.body.len()), (401, 0), "{}", delivery.folder);
    }
    assert!(site.ledger.deliveries().is_empty());
}
