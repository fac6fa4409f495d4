//! The admin listener: who may look, and what they see, by machine and by browser.

use std::fs;
use std::net::SocketAddr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use end_to_end::http::{Answer, exchange};
use end_to_end::plan::{ADMIN_TOKEN, CAMPUS, Plan};
use end_to_end::site::Site;
use end_to_end::wait::until_some;
use serde_json::Value;

const ADMIN: &str = "[admin]\nlisten = \"127.0.0.1:0\"\ntoken = { env = \"TEST_ADMIN_TOKEN\" }\n";
const EVERYTHING: [&str; 5] = ["/", "/adapters", "/style.css", "/readyz", "/metrics"];

fn site() -> (Site, SocketAddr) {
    let site = Site::selling(Plan::new(&["ada"]).top(ADMIN));
    let listening = site.log().wait_for("admin listening", |_| true);
    let address = listening["address"].as_str().unwrap().parse().unwrap();
    (site, address)
}

fn ask(address: SocketAddr, path: &str, host: &str, authorization: Option<&str>) -> Answer {
    let authorization = authorization.map(|value| format!("Authorization: {value}\r\n")).unwrap_or_default();
    let request = format!("GET {path} HTTP/1.1\r\nHost: {host}\r\n{authorization}Connection: close\r\n\r\n");
    exchange(address, request.as_bytes())
}

fn read(address: SocketAddr, path: &str) -> String {
    let answer = ask(address, path, "localhost", Some(&format!("Bearer {ADMIN_TOKEN}")));
    assert_eq!(answer.status, 200, "{path}");
    String::from_utf8(answer.body).unwrap()
}

fn page_with(address: SocketAddr, words: &str) -> String {
    until_some(&format!("the page says {words}"), || {
        Some(read(address, "/adapters")).filter(|page| page.contains(words))
    })
}

#[test]
fn who_has_no_token_sees_nothing_and_a_browser_asks_its_person_for_it() {
    let (_site, address) = site();
    let basic = |pair: String| format!("Basic {}", BASE64.encode(pair));
    for path in EVERYTHING {
        for wrong in [None, Some("Bearer another"), Some(&*basic(format!("{ADMIN_TOKEN}:"))), Some("Basic %")] {
            let answer = ask(address, path, "localhost", wrong);
            assert_eq!((answer.status, answer.body.len()), (401, 0), "{path} {wrong:?}");
            assert!(answer.header("www-authenticate").unwrap().starts_with("Basic realm="), "{path}");
        }
        let right = ask(address, path, "localhost", Some(&basic(format!("ida:{ADMIN_TOKEN}"))));
        assert_eq!(right.status, if path == "/" { 307 } else { 200 }, "{path}");
        // A name of somebody else's that leads here.
        let elsewhere = ask(address, path, "evil.example", Some(&format!("Bearer {ADMIN_TOKEN}")));
        assert_eq!((elsewhere.status, elsewhere.body.len()), (421, 0), "{path}");
    }
}

#[test]
fn the_page_says_how_adapters_and_shops_are_doing_and_why() {
    let (site, address) = site();
    let page = page_with(address, "1 ready; nothing is wrong.");
    for part in
        ["<strong>woocommerce</strong>", "class=\"state ready\"", "<strong>campus</strong>", "class=\"state served\""]
    {
        assert!(page.contains(part), "{part} is not in\n{page}");
    }
    // A file's name is not to be believed either.
    fs::write(site.path("adapters/<img src=x>.wasm"), b"no component").unwrap();
    let page = page_with(address, "1 ready, 0 quarantined, 1 refused.");
    assert!(page.contains("&lt;img src=x&gt;.wasm") && !page.contains("<img"), "{page}");
    assert!(page.contains("class=\"state refused\"") && page.contains("hint: "), "{page}");
    fs::remove_file(site.path("adapters/woocommerce.wasm")).unwrap();
    let page = page_with(address, "class=\"state waits\"");
    assert!(page.contains("there is no adapter woocommerce"), "{page}");
}

#[test]
fn machines_read_the_same_and_a_browser_runs_and_loads_nothing() {
    let (site, address) = site();
    let state =
        |state: &str| format!("bursar_adapter_state{{adapter=\"woocommerce\",version=\"0.1.0\",state=\"{state}\"}}");
    until_some("the metrics say it", || {
        Some(()).filter(|()| read(address, "/metrics").contains(&format!("{} 1", state("ready"))))
    });
    assert!(read(address, "/metrics").contains("bursar_shop_served{shop=\"campus\"} 1"));
    fs::remove_file(site.path("adapters/woocommerce.wasm")).unwrap();
    until_some("the metrics say it", || {
        Some(()).filter(|()| read(address, "/metrics").contains("bursar_shop_served{shop=\"campus\"} 0"))
    });
    let ready: Value = serde_json::from_str(&read(address, "/readyz")).unwrap();
    assert_eq!((&ready["ready"], &ready["shops_waiting"][0]["shop"]), (&Value::from(true), &Value::from(CAMPUS)));

    let page = ask(address, "/adapters", "localhost", Some(&format!("Bearer {ADMIN_TOKEN}")));
    assert_eq!(page.header("cache-control"), Some("no-store"));
    let policy = page.header("content-security-policy").unwrap();
    assert!(policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"), "{policy}");
}
