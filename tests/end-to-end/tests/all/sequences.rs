//! The life of one recorded order, in order, shuffled, and with everything twice: the same ledger at the end.

use end_to_end::plan::{Plan, Shop};
use end_to_end::recorded::{self, Recorded};
use end_to_end::site::Site;
use fastrand::Rng;
use serde_json::Value;

use crate::recorded::in_ledger;

/// The order whose life it is.
const ORDER: &str = "42";

/// What happened to it: placed, paid, completed, on hold, cancelled, failed, refunded in four parts.
const LIFE: [&str; 10] = ["03", "04", "05", "06", "07", "08", "11", "12", "13", "14"];

/// Each gives another shuffle. Fixed, so that a failure comes again.
const SEEDS: std::ops::Range<u64> = 1..21;

fn life() -> Vec<Recorded> {
    let mut all = recorded::woocommerce();
    all.retain(|delivery| LIFE.contains(&delivery.folder.split('-').next().unwrap()));
    all
}

/// The ledger's order, whatever the order in which its lines became known.
fn end(site: &Site, shop: &str) -> Value {
    let mut order = in_ledger(&site.ledger.order(shop, ORDER).unwrap());
    order["lines"].as_array_mut().unwrap().sort_by_key(|line| line["id"].to_string());
    order
}

#[test]
fn the_life_of_an_order_shuffled_and_doubled_ends_in_the_same_ledger() {
    let life = life();
    assert_eq!(life.len(), LIFE.len() + 1, "the first step has two webhooks");
    let secret = life[0].secret.clone().unwrap();
    let shop = |seed: u64| Shop::new(&format!("shop-{seed}")).secret(&secret);
    let site = Site::start(Plan::new(&[]).shops((0..SEEDS.end).map(shop)));

    let send = |shop: &str, delivery: &Recorded| {
        let mut headers = delivery.headers.clone();
        headers.retain(|(name, _)| !["host", "content-length"].contains(&name.to_lowercase().as_str()));
        assert_eq!(site.post_with(shop, &headers, &delivery.body).status, 200, "{}", delivery.folder);
    };
    for delivery in &life {
        send("shop-0", delivery);
        // Each step ends before the next begins: nothing here is left to chance.
        site.all_handled();
    }
    for seed in SEEDS {
        let mut shuffled: Vec<&Recorded> = life.iter().chain(&life).collect();
        Rng::with_seed(seed).shuffle(&mut shuffled);
        for delivery in shuffled {
            send(&format!("shop-{seed}"), delivery);
        }
    }
    site.all_handled();

    let in_order = end(&site, "shop-0");
    let last = &life.last().unwrap().expected["orders"][0];
    assert_eq!(in_order["refunded_amount"], last["refunded_amount"]);
    assert!(in_order["holds"].as_array().unwrap().contains(&"refunded".into()), "{in_order}");
    for seed in SEEDS {
        assert_eq!(end(&site, &format!("shop-{seed}")), in_order, "seed {seed}");
    }
}
