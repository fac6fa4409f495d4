//! Adapters come, are replaced and go while the server runs, and nobody loses anything by it.

use std::fs;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use bursar_store::inbox::DeliveryState;
use end_to_end::lms::{CS101, CS102, email};
use end_to_end::places;
use end_to_end::plan::{CAMPUS, Plan, SECRET, Shop};
use end_to_end::site::Site;
use end_to_end::wait::until;
use end_to_end::woocommerce::{Order, hmac};
use ring::signature::{Ed25519KeyPair, KeyPair as _};
use serde_json::Value;

const WOOCOMMERCE: &str = "adapters/woocommerce.wasm";

/// The adapter as another build of it: what is added is passed over, and the SHA-256 is another.
fn another_build(mark: &str) -> Vec<u8> {
    let mut component = fs::read(places::woocommerce()).unwrap();
    // A custom section: its id, its length, the length of its name, and the name.
    let length = u8::try_from(mark.len()).unwrap();
    component.extend([0, length + 1, length]);
    component.extend(mark.as_bytes());
    component
}

/// Written beside and renamed, as an operator should.
fn put(site: &Site, name: &str, bytes: &[u8]) {
    let beside = site.path("adapters/beside");
    fs::write(&beside, bytes).unwrap();
    fs::rename(&beside, site.path(name)).unwrap();
}

fn rows(site: &Site) -> Vec<Value> {
    site.rows(&["adapter", "list"])
}

fn row_of(site: &Site, file: &str) -> Value {
    let is_it = |row: &Value| Path::new(row["file"].as_str().unwrap()).ends_with(file);
    rows(site).into_iter().find(is_it).unwrap_or(Value::Null)
}

fn is_served(site: &Site, order: u64, learner: &str) {
    site.deliver(&Order::paid(order, &email(learner), &[11]));
    site.settled_as(learner, CS101, "verified", true);
}

#[test]
fn an_adapter_that_is_copied_in_serves_what_has_waited_for_it() {
    let mut site = Site::at_rest(Plan::new(&["ada"]));
    site.sell();
    fs::remove_file(site.path(WOOCOMMERCE)).unwrap();
    site.serve();
    site.deliver(&Order::paid(1, &email("ada"), &[11]));
    assert_eq!(site.ledger.states_of(CAMPUS), [DeliveryState::Parked]);
    // In two pieces, as a slow copy writes it.
    let component = fs::read(places::woocommerce()).unwrap();
    fs::write(site.path(WOOCOMMERCE), &component[..component.len() / 2]).unwrap();
    until("the half of it is seen", || row_of(&site, WOOCOMMERCE)["state"] == "refused");
    fs::write(site.path(WOOCOMMERCE), &component).unwrap();
    site.settled_as("ada", CS101, "verified", true);
    let row = row_of(&site, WOOCOMMERCE);
    assert_eq!((&row["adapter"], &row["state"]), (&Value::from("woocommerce"), &Value::from("ready")));
}

#[test]
fn an_adapter_that_is_taken_away_leaves_what_comes_waiting_with_every_try_it_had() {
    let site = Site::selling(Plan::new(&["ada", "bob"]));
    is_served(&site, 1, "ada");
    fs::remove_file(site.path(WOOCOMMERCE)).unwrap();
    site.log().wait_for("adapter removed; what its shops send is kept", |_| true);
    site.deliver(&Order::paid(2, &email("bob"), &[11]));
    until("it was looked at", || {
        site.ledger.deliveries_of(CAMPUS)[0].due_at > Some(site.ledger.deliveries_of(CAMPUS)[0].received_at)
    });
    let waiting = site.ledger.deliveries_of(CAMPUS)[0].clone();
    assert_eq!((waiting.state, waiting.attempts), (DeliveryState::Parked, 0));
    put(&site, WOOCOMMERCE, &fs::read(places::woocommerce()).unwrap());
    site.settled_as("bob", CS101, "verified", true);
}

#[test]
fn a_bad_file_leaves_the_last_good_one_serving_also_after_a_restart_and_rollback_puts_it_back() {
    let mut site = Site::selling(Plan::new(&["ada", "bob", "eve"]));
    let good = row_of(&site, WOOCOMMERCE)["sha256"].clone();
    put(&site, WOOCOMMERCE, b"not an adapter");
    until("the bad file is told", || row_of(&site, WOOCOMMERCE)["adapter"].is_string() && rows(&site).len() == 2);
    let bad = rows(&site).into_iter().find(|row| row["state"] == "refused").unwrap();
    assert!(bad["problem"].as_str().unwrap().contains("; version 0.1.0 goes on\nhint: "), "{bad}");
    is_served(&site, 1, "ada");

    site.restart();
    is_served(&site, 2, "bob");
    put(&site, WOOCOMMERCE, &another_build("newer"));
    until("the newer one serves", || rows(&site).len() == 1 && row_of(&site, WOOCOMMERCE)["sha256"] != good);
    let said = site.json(&["adapter", "rollback", "woocommerce"]);
    assert_eq!(said["sha256"], good);
    until("the earlier one serves again", || row_of(&site, WOOCOMMERCE)["sha256"] == good);
    assert_eq!(fs::read(site.path(WOOCOMMERCE)).unwrap(), fs::read(places::woocommerce()).unwrap());
    is_served(&site, 3, "eve");
    assert_eq!(site.run(&["adapter", "rollback", "woocommerce", "--to", "9.9.9"]).status.code(), Some(1));
}

#[test]
fn a_second_file_of_the_same_name_is_refused_and_the_first_goes_on() {
    let site = Site::selling(Plan::new(&["ada"]));
    put(&site, "adapters/copy.wasm", &another_build("copy"));
    until("the copy is told", || {
        let copy = row_of(&site, "adapters/copy.wasm");
        copy["problem"].as_str().is_some_and(|problem| {
            problem.contains("calls itself woocommerce, and so does ") && problem.contains("woocommerce.wasm")
        })
    });
    is_served(&site, 1, "ada");
    fs::remove_file(site.path(WOOCOMMERCE)).unwrap();
    until("the copy serves alone", || row_of(&site, "adapters/copy.wasm")["state"] == "ready");
}

#[test]
fn an_adapter_that_fails_again_and_again_is_quarantined_and_what_comes_waits_for_a_better_one() {
    let mut site = Site::at_rest(Plan::new(&["ada"]).shops([Shop::new(CAMPUS), Shop::new("facts").adapter("facts")]));
    site.sell();
    let facts = places::test_adapter("facts");
    fs::copy(&facts, site.path("adapters/facts.wasm")).unwrap();
    site.serve();
    let state = |body: &str| {
        let signature = hex::encode(hmac(body.as_bytes(), SECRET));
        let headers = [("X-Facts-Signature".to_owned(), signature)];
        assert_eq!(site.post_with("facts", &headers, body.as_bytes()).status, 200);
    };
    for _ in 0..5 {
        state("{\"trap\": true}");
    }
    let told = site.log().wait_for("adapter quarantined; what its shops send is kept", |_| true);
    assert_eq!(told["adapter"], "facts");
    assert!(told["why"].as_str().unwrap().contains("failed 5 times in a row, last as trap"), "{told}");
    state("{\"ignored\": \"a good one\"}");
    until("it is said", || row_of(&site, "adapters/facts.wasm")["state"] == "quarantined");
    until("the good one waits", || {
        let newest = site.ledger.deliveries_of("facts")[0].clone();
        newest.state == DeliveryState::Parked && newest.due_at > Some(newest.received_at)
    });
    assert_eq!(site.ledger.deliveries_of("facts")[0].attempts, 0);
    is_served(&site, 1, "ada");

    assert_eq!(site.run(&["adapter", "release", "woocommerce"]).status.code(), Some(1), "it is not quarantined");
    assert_eq!(site.json(&["adapter", "release", "facts"])["adapter"], "facts");
    until("the good one is handled", || site.ledger.deliveries_of("facts")[0].state == DeliveryState::Ignored);
}

#[test]
fn where_adapters_must_be_signed_an_unsigned_one_is_refused_until_its_signature_is_there() {
    let author = Ed25519KeyPair::from_seed_unchecked(&[7; 32]).unwrap();
    let key = BASE64.encode(author.public_key().as_ref());
    let site = Site::selling(Plan::new(&["ada"]).adapters(&format!("signed_by = [\"{key}\"]")));
    let refused = row_of(&site, WOOCOMMERCE);
    assert!(refused["problem"].as_str().unwrap().contains("has no signature"), "{refused}");
    let component = fs::read(places::woocommerce()).unwrap();
    fs::write(site.path("adapters/woocommerce.wasm.sig"), author.sign(&component).as_ref()).unwrap();
    until("it is trusted", || row_of(&site, WOOCOMMERCE)["state"] == "ready");
    is_served(&site, 1, "ada");
    // Another file under the old signature is not the author's.
    put(&site, WOOCOMMERCE, &another_build("forged"));
    until("the forged one is refused", || rows(&site).len() == 2);
    assert!(rows(&site)[1]["problem"].as_str().unwrap().contains("is not signed by a key"), "{:?}", rows(&site));
}

#[test]
fn a_pinned_adapter_serves_as_that_one_file_only() {
    let mut site = Site::at_rest(Plan::new(&["ada"]));
    let sha256 = row_of(&site, WOOCOMMERCE)["sha256"].as_str().unwrap().to_owned();
    site.replan(|plan| plan.adapters(&format!("pins = {{ woocommerce = \"{sha256}\" }}")));
    site.sell();
    site.serve();
    is_served(&site, 1, "ada");
    put(&site, WOOCOMMERCE, &another_build("other"));
    until("the other one is refused", || rows(&site).len() == 2);
    assert!(rows(&site)[1]["problem"].as_str().unwrap().contains("that [adapters.pins] names"), "{:?}", rows(&site));
}

#[test]
fn what_takes_too_long_or_too_much_to_compile_is_refused_and_told_how_to_allow_it() {
    let mut site = Site::at_rest(Plan::new(&[]));
    // Nothing is known to compile here yet.
    fs::remove_file(site.path("cache/compiled")).unwrap();
    fs::remove_file(site.path("cache/known")).unwrap();
    fs::remove_file(site.path(WOOCOMMERCE)).unwrap();
    fs::copy(places::adapter("odoo.wasm"), site.path("adapters/odoo.wasm")).unwrap();
    let refused = |site: &Site| rows(site)[0]["problem"].as_str().unwrap().to_owned();
    for (limit, words) in [
        ("compile_time = \"5s\"", "takes longer than 5 s to compile"),
        ("compile_memory = \"512 MiB\"", "cannot be compiled within 512 MiB of memory"),
        ("functions = 10000", "more than 10000 functions"),
    ] {
        site.replan(|plan| plan.top(&format!("[limits]\n{limit}")));
        let problem = refused(&site);
        assert!(problem.contains(words) && problem.contains("hint: if you trust the adapter"), "{problem}");
    }
}

#[test]
fn limits_beyond_their_ceiling_are_refused_with_the_ceiling() {
    let mut site = Site::at_rest(Plan::new(&[]));
    for (limit, ceiling) in [
        ("memory = \"1 GiB\"", "256 MiB"),
        ("authenticate_wall = \"5s\"", "4s"),
        ("host_calls = 99000000", "10000000"),
        ("places_of_shop = 0", "1"),
    ] {
        site.replan(|plan| plan.top(&format!("[limits]\n{limit}")));
        let ended = site.run(&["doctor", "--offline"]);
        let said = String::from_utf8_lossy(&ended.stderr).into_owned();
        assert_eq!(ended.status.code(), Some(2), "{said}");
        assert!(said.contains(ceiling), "{said}");
    }
}

#[test]
fn a_swap_under_load_loses_no_request() {
    let site = Site::selling(Plan::new(&["ada", "bob"]));
    let first = row_of(&site, WOOCOMMERCE)["sha256"].clone();
    let order =
        |number: u64| Order::paid(number, &email(if number.is_multiple_of(2) { "ada" } else { "bob" }), &[11, 12]);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for number in 1..=60 {
                site.deliver(&order(number));
            }
        });
        for build in ["one", "two", "three"] {
            put(&site, WOOCOMMERCE, &another_build(build));
            std::thread::sleep(std::time::Duration::from_millis(700));
        }
    });
    until("another build serves", || row_of(&site, WOOCOMMERCE)["sha256"] != first);
    site.all_handled();
    assert_eq!(site.ledger.states_of(CAMPUS), [DeliveryState::Done; 60]);
    site.settled_as("ada", CS102, "verified", true);
}
