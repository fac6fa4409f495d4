//! Every fixture of every adapter, sent to the real listener: what the shop is answered, why a request is refused, how the
//! delivery ends, what the ledger holds then, and what a person is asked. All of it is in `expected.json` of the fixture, which
//! was written for the adapter alone; here it must come true with everything around the adapter.
//!
//! Many fixtures are recorded requests and known signatures; the page of each shop says which. What signs a moment is signed
//! again with the moment moved to today; byte for byte, it is refused for its age.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bursar_domain::ledger::Order as LedgerOrder;
use bursar_domain::reason::Concern;
use bursar_domain::statement::RefundedAmount;
use bursar_store::inbox::DeliveryState;
use bursar_store::people::DeliverySummary;
use end_to_end::case::Case;
use end_to_end::plan::{Plan, Shop};
use end_to_end::site::{self, Site};
use end_to_end::wait::until_some;
use end_to_end::{http, places};
use serde_json::{Value, json};
use sqlx::ConnectOptions as _;
use sqlx::sqlite::SqliteConnectOptions;

use crate::recorded::in_ledger;
use crate::renewed::{self, Headers, Known};
use crate::scripted::Apis;

/// What the log says of every request that is refused.
const REFUSED: &str = "a request was refused as not authentic";

/// Headers of the connection that a request was recorded on, not of this one.
const OF_THE_CONNECTION: [&str; 3] = ["connection", "content-length", "host"];

/// Every adapter, and how many of its fixtures are sent. Fewer, and some were lost.
const FIXTURES: [(&str, usize); 9] = [
    ("lemonsqueezy", 56),
    ("mit-unified-ecommerce", 94),
    ("odoo", 60),
    ("oscar", 53),
    ("saleor", 146),
    ("shopify", 115),
    ("standard-webhooks", 111),
    ("stripe", 151),
    ("woocommerce", 83),
];

/// What comes true at the moment of the fixture only: a proof that is as old as it may be, to the millisecond, and a body that
/// was of the future then.
const OF_ITS_MOMENT: [&str; 2] = ["changed-in-the-future-is-rejected", "vector-at-the-end-of-the-tolerance"];

fn shop_of(number: usize) -> String {
    format!("shop-{number}")
}

/// The file of a shop's key set, beside the configuration.
fn key_set_of(number: usize) -> String {
    format!("keys-{number}.json")
}

/// The platforms that sign a moment with the body.
const OF_A_MOMENT: [&str; 2] = ["standard-webhooks", "stripe"];

/// As whom a request is sent that was signed with a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Signed {
    /// Byte for byte.
    Then,
    /// Anew, with the moment moved to today.
    Today,
}

fn shop(adapter: &str, number: usize, case: &Case, apis: &Apis) -> Shop {
    let mut shop = Shop { secrets: Vec::new(), ..Shop::new(&shop_of(number)) }.adapter(adapter);
    if let Some((name, secrets)) = case.secrets() {
        shop = Shop { secrets, ..shop.secret_named(&name) };
    }
    for name in case.shop.get("key_sets").and_then(Value::as_object).into_iter().flatten().map(|(name, _)| name) {
        shop = shop.line(&format!("key_sets.{name} = {{ file = {:?} }}", key_set_of(number)));
    }
    if let Some(settings) = case.shop.get("settings") {
        shop = shop.line(&format!("settings = {}", toml::Value::try_from(settings).unwrap()));
    }
    match case.shop.get("permissions") {
        Some(permissions) if *permissions != json!([]) => shop
            .line(&format!("permissions = {permissions}"))
            .line(&format!("[shops.api]\nurl = \"{}/\"\nprivate_addresses = true", apis.url(number)))
            .line("bearer = { env = \"TEST_API_KEY\" }"),
        _ => shop,
    }
}

/// The key set of a shop, as its file.
fn key_set(adapter: &str, case: &Case, signed: Signed) -> Option<Value> {
    let set = case.shop.get("key_sets")?.as_object().unwrap().values().next()?;
    Some(if signed == Signed::Today && OF_A_MOMENT.contains(&adapter) { renewed::key_set() } else { set.clone() })
}

/// The headers as they were sent then, or would be today.
fn headers(adapter: &str, case: &Case, signed: Signed) -> Headers {
    let mut headers = case.headers.clone();
    headers.retain(|(name, _)| !OF_THE_CONNECTION.contains(&name.to_lowercase().as_str()));
    if signed == Signed::Then {
        return headers;
    }
    let later = jiff::Timestamp::now().as_second() - case.received_unix;
    let secrets = case.secrets().map(|(_, secrets)| secrets).unwrap_or_default();
    match adapter {
        "stripe" => renewed::stripe(&headers, &case.body, &secrets, later),
        "standard-webhooks" => {
            let sets = case.shop.get("key_sets").and_then(Value::as_object).into_iter().flatten();
            let keys = sets.flat_map(|(_, set)| set["keys"].as_array().unwrap());
            let public_keys = keys.filter_map(|key| URL_SAFE_NO_PAD.decode(key["x"].as_str()?).ok()).collect();
            renewed::standard(&headers, &case.body, &Known { secrets, public_keys }, later)
        }
        _ => headers,
    }
}

/// A site with a shop for each case, so that none meets what another one left.
fn start(adapter: &str, cases: &[Case], apis: &Apis, signed: Signed) -> Site {
    let shops = cases.iter().enumerate().map(|(number, case)| shop(adapter, number, case, apis));
    let mut site = Site::at_rest(Plan::new(&[]).shops(shops));
    fs::copy(places::adapter(&format!("{adapter}.wasm")), site.path(&format!("adapters/{adapter}.wasm"))).unwrap();
    for (number, case) in cases.iter().enumerate() {
        if let Some(set) = key_set(adapter, case, signed) {
            fs::write(site.path(&key_set_of(number)), set.to_string()).unwrap();
        }
    }
    // Compiling an adapter with an interpreter in it takes longer than a start may; this puts it into the cache.
    let listed = site.rows(&["adapter", "list"]);
    assert!(listed.iter().any(|row| row["adapter"] == adapter && row["problem"].is_null()), "{listed:?}");
    site.serve();
    site
}

/// Did it come to an end, or to where it waits?
fn is_handled(delivery: &DeliverySummary) -> bool {
    delivery.state.is_final() || delivery.problem.is_some()
}

fn list<'a>(value: &'a Value, key: &str) -> impl Iterator<Item = &'a Value> {
    value[key].as_array().into_iter().flatten()
}

/// In one order, and each once, as one who is asked would see it.
fn sorted<'a>(words: impl Iterator<Item = &'a str>) -> Value {
    words.collect::<BTreeSet<_>>().into_iter().collect()
}

fn expected(case: &Case) -> Value {
    let authenticate = &case.expected["authenticate"];
    let problem = &authenticate["problem"];
    let answer = authenticate["answer"]["status"].as_u64().unwrap_or(200);
    match (authenticate["verdict"].as_str(), problem["remedy"].as_str()) {
        (Some("accept"), None) => {
            let handle = &case.expected["handle"];
            let mut expected = json!({
                "answer": answer,
                "delivery": [authenticate["topic"], authenticate["subject"]],
            });
            if !case.is_later {
                expected["ends"] = ends(handle);
                expected["orders"] = orders(handle);
                expected["asks"] = asks(handle);
            }
            expected
        }
        (Some("ignore" | "respond"), None) => json!({ "answer": answer }),
        (None, Some("none")) => json!({ "answer": 401, "code": problem["code"] }),
        (None, Some(_)) => json!({
            "answer": 200, "delivery": ["", null], "ends": ["parked", problem["code"]], "orders": [], "asks": [],
        }),
        other => panic!("{}: {other:?}", case.name),
    }
}

/// The state in which the delivery stays, and why if it is no good one.
fn ends(handle: &Value) -> Value {
    let state = match handle["problem"]["remedy"].as_str() {
        Some("none") => DeliveryState::Rejected,
        Some("later") => DeliveryState::Queued,
        Some(_) => DeliveryState::Waiting,
        None if list(handle, "orders")
            .chain(list(handle, "reviews"))
            .chain(list(handle, "forgets"))
            .next()
            .is_none() =>
        {
            DeliveryState::Ignored
        }
        None => DeliveryState::Done,
    };
    json!([state.as_str(), handle["problem"]["code"]])
}

/// What a ledger holds that knew nothing before, by order: what is stated later fills in what was not.
fn orders(handle: &Value) -> Value {
    let mut orders: BTreeMap<String, Value> = BTreeMap::new();
    for stated in list(handle, "orders") {
        let order = orders.entry(stated["id"].as_str().unwrap().to_owned()).or_insert_with(|| {
            json!({ "id": stated["id"], "payment": "undecided", "holds": [], "learner": null, "test": false, "lines": [] })
        });
        for key in ["payment", "test", "refunded_amount"] {
            if let Some(value) = stated.get(key) {
                order[key] = value.clone();
            }
        }
        if !learner(stated).is_null() {
            order["learner"] = learner(stated);
        }
        let begun = causes(stated);
        let holds = list(order, "holds").chain(begun.as_array().unwrap()).map(|cause| cause.as_str().unwrap());
        order["holds"] = sorted(holds.chain(is_all_back(stated).then_some("refunded")));
        let lines: Vec<_> = list(stated, "lines").map(line).collect();
        let kept = |known: &&Value| lines.iter().all(|line| line["id"] != known["id"]);
        order["lines"] = list(order, "lines").filter(kept).chain(&lines).cloned().collect();
    }
    orders.into_values().collect()
}

/// All the money back means every line, whoever says so.
fn is_all_back(stated: &Value) -> bool {
    let refunded = stated.get("refunded_amount").map(|refunded| serde_json::from_value(refunded.clone()).unwrap());
    refunded.is_some_and(|refunded: RefundedAmount| refunded.amount >= refunded.total)
}

fn line(stated: &Value) -> Value {
    json!({
        "id": stated["id"],
        "product": stated.get("product").cloned().unwrap_or(json!([])),
        "quantity": stated["quantity"].as_u64().unwrap_or(1),
        "refunded_quantity": stated["refunded_quantity"].as_u64().unwrap_or(0),
        "holds": causes(stated),
        "learner": learner(stated),
    })
}

fn causes(stated: &Value) -> Value {
    list(stated, "holds").map(|hold| hold["cause"].as_str().unwrap()).collect::<BTreeSet<_>>().into_iter().collect()
}

fn learner(stated: &Value) -> Value {
    if stated["learner_malformed"] == true {
        return json!("(malformed)");
    }
    let known = ["learner_email", "learner_username"].iter().find_map(|key| stated.get(key));
    known.or(stated["learner_external"].get("id")).map_or(Value::Null, in_small_letters)
}

/// A person is written once in a ledger, as whoever came first wrote them.
fn in_small_letters(written: &Value) -> Value {
    written.as_str().map_or(Value::Null, |written| json!(written.to_lowercase()))
}

/// An order in the ledger, in the words of [`orders`].
fn known(order: &LedgerOrder) -> Value {
    let mut known = in_ledger(order);
    known["learner"] = in_small_letters(&known["learner"]);
    for line in known["lines"].as_array_mut().unwrap() {
        line["learner"] = in_small_letters(&line["learner"]);
    }
    known
}

/// What the adapter asks a person, by shop. From the table itself, because no list of reviews holds as many.
pub(crate) fn asked(site: &Site) -> BTreeMap<String, Vec<String>> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let rows: Vec<(String, String)> = runtime.block_on(async {
        let options = SqliteConnectOptions::new().filename(site.path("bursar.db")).read_only(true);
        let mut ledger = options.connect().await.unwrap();
        sqlx::query_as("SELECT shop, concern FROM reviews WHERE shop IS NOT NULL").fetch_all(&mut ledger).await.unwrap()
    });
    let mut asked: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (shop, concern) in rows {
        if let Concern::Adapter { words } = serde_json::from_str(&concern).unwrap() {
            asked.entry(shop).or_default().push(words);
        }
    }
    asked
}

fn asks(handle: &Value) -> Value {
    let orders = || list(handle, "orders");
    let of_orders = orders().flat_map(|order| list(order, "reviews"));
    let of_lines = orders().flat_map(|order| list(order, "lines")).flat_map(|line| list(line, "reviews"));
    sorted(list(handle, "reviews").chain(of_orders).chain(of_lines).map(|words| words.as_str().unwrap()))
}

/// What came of a case, in the words of [`expected`].
fn came(site: &Site, told: &Told, number: usize, case: &Case, answer: u16) -> Value {
    let shop = shop_of(number);
    let [delivery] = &site.ledger.deliveries_of(&shop)[..] else {
        assert!(site.ledger.orders_of(&shop).is_empty(), "{}: an order without a delivery", case.name);
        let refused = told.refused.iter().find(|event| event["shop"] == shop.as_str());
        return refused.map_or(json!({ "answer": answer }), |event| json!({ "answer": answer, "code": event["code"] }));
    };
    let mut came = json!({ "answer": answer, "delivery": [delivery.topic, delivery.subject] });
    if !case.is_later {
        came["ends"] = json!([delivery.state.as_str(), delivery.problem.as_ref().map(|(code, _)| code)]);
        came["orders"] = site.ledger.orders_of(&shop).iter().map(known).collect();
        came["asks"] = sorted(told.asked.get(&shop).into_iter().flatten().map(String::as_str));
    }
    came
}

/// What is told of all cases in one place.
struct Told {
    /// Every refusal, from the log.
    refused: Vec<Value>,
    /// What adapters asked, by shop.
    asked: BTreeMap<String, Vec<String>>,
}

/// Sends every case to the shop of its number, and gives the answers once all is handled.
fn send(site: &Site, adapter: &str, cases: &[Case], signed: Signed) -> Vec<u16> {
    let post = |(number, case): (usize, &Case)| {
        let shop = format!("{}{}", shop_of(number), case.path);
        let request = site::request(&shop, &headers(adapter, case, signed), &case.body);
        http::exchange(site.address(), &request).status
    };
    let answers = cases.iter().enumerate().map(post).collect();
    until_some("every delivery has come to where it stays", || {
        site.ledger.deliveries().iter().all(is_handled).then_some(())
    });
    answers
}

/// Every refusal, from the log.
fn refusals(site: &Site, answers: &[u16]) -> Vec<Value> {
    site.log().wait_for_all(REFUSED, answers.iter().filter(|status| **status == 401).count())
}

/// What is not as the `expected.json` of its case has it.
fn wrong(adapter: &str, cases: &[Case]) -> Vec<String> {
    let apis = Apis::open(cases.iter().map(|case| case.calls.clone()));
    let site = start(adapter, cases, &apis, Signed::Today);
    let answers = send(&site, adapter, cases, Signed::Today);
    let told = Told { refused: refusals(&site, &answers), asked: asked(&site) };
    let wrong = cases.iter().zip(answers).enumerate().filter_map(|(number, (case, answer))| {
        let (expected, came) = (expected(case), came(&site, &told, number, case, answer));
        let calls = if case.is_later { None } else { apis.wrong(number) };
        let as_it_must = expected == came && calls.is_none();
        let calls = calls.unwrap_or_default();
        (!as_it_must).then(|| format!("{}\n  expected  {expected}\n  came      {came}\n  {calls}", case.name))
    });
    wrong.collect()
}

fn every_case_comes_true(adapter: &str) {
    let (_, at_least) = FIXTURES.into_iter().find(|(name, _)| *name == adapter).unwrap();
    let mut cases = Case::all_of(adapter);
    cases.retain(|case| !OF_ITS_MOMENT.contains(&case.name.as_str()));
    assert!(cases.len() >= at_least, "only {} fixtures are left", cases.len());
    let wrong = wrong(adapter, &cases);
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), cases.len(), wrong.join("\n"));
}

#[test]
fn no_adapter_is_left_out() {
    let folders = fs::read_dir(places::project("plugins")).unwrap().map(|entry| entry.unwrap());
    let with_fixtures = folders.filter(|folder| folder.path().join("fixtures").is_dir());
    let adapters: BTreeSet<_> = with_fixtures.map(|folder| folder.file_name().into_string().unwrap()).collect();
    assert_eq!(adapters, FIXTURES.map(|(name, _)| name.to_owned()).into());
}

#[test]
fn every_fixture_of_lemon_squeezy_comes_true_at_the_listener() {
    every_case_comes_true("lemonsqueezy");
}

#[test]
fn every_fixture_of_mit_unified_ecommerce_comes_true_at_the_listener() {
    every_case_comes_true("mit-unified-ecommerce");
}

#[test]
fn every_fixture_of_odoo_comes_true_at_the_listener() {
    every_case_comes_true("odoo");
}

#[test]
fn every_fixture_of_oscar_comes_true_at_the_listener() {
    every_case_comes_true("oscar");
}

#[test]
fn every_fixture_of_saleor_comes_true_at_the_listener() {
    every_case_comes_true("saleor");
}

#[test]
fn every_fixture_of_shopify_comes_true_at_the_listener() {
    every_case_comes_true("shopify");
}

#[test]
fn every_fixture_of_standard_webhooks_comes_true_at_the_listener() {
    every_case_comes_true("standard-webhooks");
}

#[test]
fn every_fixture_of_stripe_comes_true_at_the_listener() {
    every_case_comes_true("stripe");
}

#[test]
fn every_fixture_of_woocommerce_comes_true_at_the_listener() {
    every_case_comes_true("woocommerce");
}

/// What the libraries of senders of Standard Webhooks signed, and the code of each that must be refused.
fn of_libraries() -> Vec<(Case, Option<String>)> {
    let folder = places::project("tests/vectors/standard-webhooks");
    let recorded: Value = serde_json::from_slice(&fs::read(folder.join("recorded.json")).unwrap()).unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let case = |request: &Value| Case {
        name: format!("{} {}", text(&request["sender"]), text(&request["case"])),
        shop: json!({ "secrets": { "webhook": request["secret"] } }).as_object().unwrap().clone(),
        path: String::new(),
        received_unix: request["received_unix"].as_i64().unwrap(),
        headers: list(request, "headers").map(|pair| (text(&pair[0]), text(&pair[1]))).collect(),
        body: fs::read(folder.join(text(&request["body"]))).unwrap(),
        calls: Vec::new(),
        is_later: false,
        expected: Value::Null,
    };
    let code = |request: &Value| request["code"].as_str().map(str::to_owned);
    recorded["requests"].as_array().unwrap().iter().map(|request| (case(request), code(request))).collect()
}

#[test]
fn what_libraries_of_standard_webhooks_signed_is_taken_or_refused_and_none_of_it_is_an_order() {
    let (cases, codes): (Vec<_>, Vec<_>) = of_libraries().into_iter().unzip();
    assert!(cases.len() >= 52, "only {} requests are left", cases.len());
    let apis = Apis::open([]);
    let site = start("standard-webhooks", &cases, &apis, Signed::Today);
    let answers = send(&site, "standard-webhooks", &cases, Signed::Today);
    let refused = refusals(&site, &answers);
    for (number, ((case, code), answer)) in cases.iter().zip(codes).zip(answers).enumerate() {
        let shop = shop_of(number);
        let told = refused.iter().find(|event| event["shop"] == shop.as_str()).map(|event| &event["code"]);
        let ends = site.ledger.states_of(&shop);
        match code {
            Some(code) => assert_eq!((answer, told, ends.len()), (401, Some(&json!(code)), 0), "{}", case.name),
            None => assert_eq!((answer, told, &ends[..]), (200, None, &[DeliveryState::Ignored][..]), "{}", case.name),
        }
        assert!(site.ledger.orders_of(&shop).is_empty(), "{}", case.name);
    }
}

#[test]
fn what_signs_a_moment_is_refused_for_its_age_when_it_is_sent_again_byte_for_byte() {
    for adapter in OF_A_MOMENT {
        let mut cases = Case::all_of(adapter);
        if adapter == "standard-webhooks" {
            let of_libraries = of_libraries().into_iter().filter(|(_, code)| code.is_none()).map(|(case, _)| case);
            cases.retain(|case| case.expected["authenticate"]["verdict"] == "accept");
            cases.extend(of_libraries);
        }
        cases.retain(|case| case.expected["authenticate"]["problem"].is_null());
        let apis = Apis::open([]);
        let site = start(adapter, &cases, &apis, Signed::Then);
        let answers = send(&site, adapter, &cases, Signed::Then);
        let refused = refusals(&site, &answers);
        assert_eq!(refused.len(), cases.len(), "{adapter}");
        for (number, case) in cases.iter().enumerate() {
            let event = refused.iter().find(|event| event["shop"] == shop_of(number).as_str()).unwrap();
            // Where a shop has two ways of proof, the log says why the second one failed.
            let ways = ["secrets", "key_sets"].iter().filter(|way| case.shop.contains_key(**way)).count();
            assert!(event["code"] == "too-old" || ways == 2, "{adapter}: {}: {event}", case.name);
        }
        assert!(site.ledger.deliveries().is_empty());
    }
}
