//! The lives of recorded orders, in order, shuffled, and with everything twice: the same ledger at the end.

use std::fs;
use std::path::Path;

use end_to_end::case::Case;
use end_to_end::places;
use end_to_end::plan::{Plan, Shop};
use end_to_end::recorded::{self, Recorded};
use end_to_end::site::Site;
use fastrand::Rng;
use serde_json::{Value, json};

use crate::cases::asked;
use crate::recorded::in_ledger;

/// The order whose life it is.
const ORDER: &str = "42";

/// What happened to it: placed, paid, completed, on hold, cancelled, failed, refunded in four parts.
const LIFE: [&str; 10] = ["03", "04", "05", "06", "07", "08", "11", "12", "13", "14"];

/// Each gives another shuffle. Fixed, so that a failure comes again.
const SEEDS: std::ops::Range<u64> = 1..21;

/// Fewer for each of Saleor's orders.
const SEEDS_OF_SALEOR: std::ops::Range<u64> = 1..6;

fn life() -> Vec<Recorded> {
    let mut all = recorded::woocommerce();
    all.retain(|delivery| LIFE.contains(&delivery.folder.split('-').next().unwrap()));
    all
}

/// The ledger's order, whatever the order in which its lines became known.
fn end(site: &Site, shop: &str, order: &str) -> Value {
    let mut order = in_ledger(&site.ledger.order(shop, order).unwrap());
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

    let in_order = end(&site, "shop-0", ORDER);
    let last = &life.last().unwrap().expected["orders"][0];
    assert_eq!(in_order["refunded_amount"], last["refunded_amount"]);
    assert!(in_order["holds"].as_array().unwrap().contains(&"refunded".into()), "{in_order}");
    for seed in SEEDS {
        assert_eq!(end(&site, &format!("shop-{seed}"), ORDER), in_order, "seed {seed}");
    }
}

/// The orders of a real Saleor that were recorded from their first event to their last.
const SALEOR: [&str; 6] = ["order-1", "order-29", "order-31", "order-35", "order-37", "order-39"];

fn key_set(file: &Path) -> String {
    format!("key_sets.saleor = {{ file = {file:?} }}")
}

/// The headers of a delivery, and its body.
type Step = (Vec<(String, String)>, Vec<u8>);

/// An order of Saleor with everything that was sent of it, in the order of arrival.
struct Life {
    name: &'static str,
    /// A shop that knows what signs.
    shop: Shop,
    steps: Vec<Step>,
    expected: Value,
}

impl Life {
    fn read(name: &'static str, fixtures: &[Case]) -> Self {
        let folder = places::project("tests/recorded/saleor").join(name);
        let json = |file: &str| -> Value { serde_json::from_slice(&fs::read(folder.join(file)).unwrap()).unwrap() };
        let recorded = json("deliveries.json");
        let steps = recorded["deliveries"].as_array().unwrap().iter().map(|step| match step["fixture"].as_str() {
            Some(fixture) => {
                let case = fixtures.iter().find(|case| case.name == fixture).unwrap();
                (case.headers.clone(), case.body.clone())
            }
            None => {
                let headers = step["headers"].as_object().unwrap().iter();
                let headers = headers.map(|(name, value)| (name.clone(), value.as_str().unwrap().to_owned()));
                (headers.collect(), fs::read(folder.join(step["body"].as_str().unwrap())).unwrap())
            }
        });
        let of_the_connection =
            |name: &str| ["connection", "content-length", "host"].contains(&name.to_lowercase().as_str());
        let steps = steps.map(|(mut headers, body): Step| {
            headers.retain(|(name, _)| !of_the_connection(name));
            (headers, body)
        });
        let keys = || Shop { secrets: Vec::new(), ..Shop::new(name) }.line(&key_set(&folder.join("keys.json")));
        let shop = recorded["secret"].as_str().map_or_else(keys, |secret| Shop::new(name).secret(secret));
        Self { name, shop: shop.adapter("saleor"), steps: steps.collect(), expected: json("expected.json") }
    }

    fn shop(&self, seed: u64) -> Shop {
        Shop { name: self.shop_of(seed), ..self.shop.clone() }
    }

    fn shop_of(&self, seed: u64) -> String {
        format!("{}-{seed}", self.name)
    }

    fn order(&self) -> &str {
        self.expected["order"]["id"].as_str().unwrap()
    }
}

#[test]
fn the_lives_of_a_real_saleors_orders_end_as_they_must_in_whatever_order_they_come() {
    let fixtures = Case::all_of("saleor");
    let lives = SALEOR.map(|name| Life::read(name, &fixtures));
    let shops = lives.iter().flat_map(|life| (0..SEEDS_OF_SALEOR.end).map(|seed| life.shop(seed)));
    let mut site = Site::at_rest(Plan::new(&[]).shops(shops));
    fs::copy(places::adapter("saleor.wasm"), site.path("adapters/saleor.wasm")).unwrap();
    site.serve();
    let send = |life: &Life, seed: u64, (headers, body): &Step| {
        assert_eq!(site.post_with(&life.shop_of(seed), headers, body).status, 200, "{}", life.name);
    };
    for life in &lives {
        for step in &life.steps {
            send(life, 0, step);
            site.all_handled();
        }
        for seed in SEEDS_OF_SALEOR {
            let mut shuffled: Vec<_> = life.steps.iter().chain(&life.steps).collect();
            Rng::with_seed(seed).shuffle(&mut shuffled);
            shuffled.into_iter().for_each(|step| send(life, seed, step));
        }
    }
    site.all_handled();
    let asked = asked(&site);
    for life in &lives {
        let in_order = json!({
            "says": life.expected["says"],
            "order": end(&site, &life.shop_of(0), life.order()),
            "asks": asked.get(&life.shop_of(0)).cloned().unwrap_or_default(),
        });
        assert_eq!(in_order, life.expected, "{}", life.name);
        for seed in SEEDS_OF_SALEOR {
            let shuffled = end(&site, &life.shop_of(seed), life.order());
            assert_eq!(shuffled, life.expected["order"], "{} with seed {seed}", life.name);
        }
    }
}
