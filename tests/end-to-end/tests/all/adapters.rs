//! Files that are no adapters: told, and in nobody's way. What comes meanwhile is kept, and judged when it can be.

use std::fs;

use bursar_store::inbox::DeliveryState;
use end_to_end::lms::{CS101, email};
use end_to_end::places;
use end_to_end::plan::{CAMPUS, Plan, Shop};
use end_to_end::site::Site;
use end_to_end::wait::until;
use end_to_end::woocommerce::{Order, headers, signature};

/// What is in a file that is no adapter, and what must be said of it.
fn broken() -> [(&'static str, Vec<u8>, &'static str); 7] {
    let component = fs::read(places::woocommerce()).unwrap();
    let half = component[..component.len() / 2].to_vec();
    let mut damaged = component;
    let middle = damaged.len() / 2;
    damaged[middle..middle + 64].fill(0xff);
    [
        ("text.wasm", b"This is a file of text.\n".to_vec(), "is not webassembly"),
        ("empty.wasm", Vec::new(), "is empty"),
        // The least module there can be: magic and version.
        ("module.wasm", b"\0asm\x01\0\0\0".to_vec(), "core webassembly module"),
        ("half.wasm", half, "cut short"),
        ("compiled.wasm", precompiled(), "precompiled"),
        ("source.wasm", b"(component)".to_vec(), "webassembly text"),
        ("damaged.wasm", damaged, ""),
    ]
}

/// The head of what wasmtime makes of a component: an ELF file of a system of its own.
fn precompiled() -> Vec<u8> {
    const SYSTEM_WASMTIME: u8 = 200;
    const FLAG_COMPONENT: u8 = 1 << 1;
    let mut head = vec![0; 64];
    head[..8].copy_from_slice(&[0x7f, b'E', b'L', b'F', 2, 1, 1, SYSTEM_WASMTIME]);
    // Kind, machine, version of the format; then the flags and the head's own length.
    head[16..24].copy_from_slice(&[1, 0, 62, 0, 1, 0, 0, 0]);
    head[48] = FLAG_COMPONENT;
    head[52] = 64;
    head
}

#[test]
fn broken_files_are_named_and_the_shop_of_the_sound_adapter_is_served() {
    let mut site = Site::at_rest(Plan::new(&["ada"]).shops([Shop::new(CAMPUS), Shop::new("other").adapter("magento")]));
    site.sell();
    for (name, bytes, _) in broken() {
        fs::write(site.path("adapters").join(name), bytes).unwrap();
    }
    fs::write(site.path("adapters/README.txt"), "not looked at").unwrap();
    site.serve();

    let told = site.log().wait_for_all("a file is no adapter that can run", broken().len());
    let listed = site.rows(&["adapter", "list"]);
    assert_eq!(listed.len(), broken().len() + 1);
    for (name, _, why) in broken() {
        let is_it = |file: &serde_json::Value| file.as_str().unwrap().ends_with(name);
        let event = told.iter().find(|event| is_it(&event["file"])).unwrap();
        assert!(event["reason"].as_str().unwrap().contains(why), "{event}");
        let row = listed.iter().find(|row| is_it(&row["file"])).unwrap();
        assert_eq!(row["problem"], event["reason"]);
    }
    let doctor = site.run(&["doctor"]);
    assert_eq!(doctor.status.code(), Some(1));

    site.deliver(&Order::paid(1, &email("ada"), &[11]));
    site.settled_as("ada", CS101, "verified", true);
    site.deliver_to("other", &Order::paid(2, &email("ada"), &[11]));
    assert_eq!(site.ledger.states_of("other"), [DeliveryState::Parked]);
}

#[test]
fn what_came_while_the_adapter_was_broken_is_judged_when_it_is_whole_again() {
    let mut site = Site::at_rest(Plan::new(&["ada"]));
    site.sell();
    let place = site.path("adapters/woocommerce.wasm");
    let component = fs::read(&place).unwrap();
    fs::write(&place, &component[..component.len() / 3]).unwrap();
    site.serve();

    let genuine = Order::paid(1, &email("ada"), &[11]);
    site.deliver(&genuine);
    let forged = Order::paid(2, &email("ada"), &[12]).body();
    let wrong = headers("order.updated", &signature(&forged, "not-the-secret"));
    assert_eq!(site.post_with(CAMPUS, &wrong, &forged).status, 200, "nobody can judge it, so nobody may refuse it");
    let form = [("Content-Type".to_owned(), "application/x-www-form-urlencoded".to_owned())];
    assert_eq!(site.post_with(CAMPUS, &form, b"webhook_id=7").status, 200);
    assert_eq!(site.ledger.states_of(CAMPUS), [DeliveryState::Parked; 3]);
    // Looked at, and put off until somebody has mended it.
    until("each was tried once", || {
        site.ledger.deliveries_of(CAMPUS).iter().all(|delivery| delivery.due_at > Some(delivery.received_at))
    });
    assert_eq!(site.lms.requests().len(), 0);

    site.stop();
    fs::write(&place, &component).unwrap();
    site.serve();
    site.settled_as("ada", CS101, "verified", true);
    until("all three are judged", || site.ledger.states_of(CAMPUS).iter().all(|state| state.is_final()));
    let mut states: Vec<_> = site.ledger.deliveries_of(CAMPUS).into_iter().map(|d| (d.id, d.state)).collect();
    states.sort();
    let states: Vec<_> = states.into_iter().map(|(_, state)| state).collect();
    assert_eq!(states, [DeliveryState::Done, DeliveryState::Refused, DeliveryState::Ignored]);
    assert!(site.ledger.order(CAMPUS, "2").is_none(), "the forged order was never handled");

    // Nor is it, or the greeting that nobody signed, when somebody has them run again.
    let ids: Vec<String> =
        site.ledger.deliveries_of(CAMPUS).iter().rev().map(|delivery| delivery.id.to_string()).collect();
    assert_eq!(site.run(&["deliveries", "retry", &ids[1]]).status.code(), Some(1));
    let attempts = |id: &str| site.json(&["deliveries", "show", id])["attempts"].clone();
    let judged = attempts(&ids[2]).as_array().unwrap().len();
    assert_eq!(site.json(&["deliveries", "retry", &ids[2]])["id"], ids[2].as_str());
    until("the greeting was judged again", || attempts(&ids[2]).as_array().unwrap().len() > judged);
    assert_eq!(attempts(&ids[2]).as_array().unwrap().last().unwrap()["outcome"], "ignored");
    assert_eq!(site.ledger.states_of(CAMPUS)[0], DeliveryState::Ignored);
}

#[test]
fn of_two_files_that_call_themselves_the_same_neither_runs() {
    let mut site = Site::at_rest(Plan::new(&[]));
    fs::copy(site.path("adapters/woocommerce.wasm"), site.path("adapters/copy.wasm")).unwrap();
    site.serve();
    let told = site.log().wait_for_all("a file is no adapter that can run", 2);
    assert!(told.iter().all(|event| event["reason"].as_str().unwrap().contains("calls itself woocommerce")));
    site.deliver(&Order::paid(1, &email("ada"), &[11]));
    assert_eq!(site.ledger.states_of(CAMPUS), [DeliveryState::Parked]);
}

#[test]
fn a_shop_whose_adapter_is_not_the_pinned_one_waits() {
    let pin = "0".repeat(64);
    let site = Site::start(Plan::new(&[]).shops([Shop::new(CAMPUS).line(&format!("pin = \"{pin}\""))]));
    let told = site.log().wait_for_all("a shop cannot be served; what it sends is kept", 1);
    assert_eq!(told[0]["code"], "adapter-changed");
    site.deliver(&Order::paid(1, &email("ada"), &[11]));
    assert_eq!(site.ledger.states_of(CAMPUS), [DeliveryState::Parked]);
}
