//! Adapters that call their shop's API, and those in other languages than Rust, from a webhook to an enrollment: Lemon Squeezy in
//! JavaScript, Odoo in Python, and WooCommerce where its operator lets the shop be asked.
//!
//! What each adapter reads is shown by its fixtures; here each is used for real.

use std::collections::VecDeque;
use std::fs;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::thread;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use end_to_end::lms::{CS101, CS102, email};
use end_to_end::places;
use end_to_end::plan::{API_KEY, CAMPUS, Plan, SECRET, Shop};
use end_to_end::site::Site;
use end_to_end::woocommerce::{Order, hmac};
use serde_json::{Value, json};

/// A site with one live shop of this platform. Compiling an adapter with an interpreter in it takes longer than a start may, so
/// the command that looks over everything compiles it into the cache first.
fn start(adapter: &str, shop: Shop) -> Site {
    let plan = Plan::new(&["ada"]).shops([shop.adapter(adapter)]);
    let mut site = Site::at_rest(plan);
    fs::copy(places::adapter(&format!("{adapter}.wasm")), site.path(&format!("adapters/{adapter}.wasm"))).unwrap();
    let listed = site.rows(&["adapter", "list"]);
    assert!(listed.iter().any(|row| row["adapter"] == adapter && row["problem"].is_null()), "{listed:?}");
    site.serve();
    site
}

fn lemon_squeezy(site: &Site, event: &str, order: &Value) {
    let body = json!({
        "meta": { "event_name": event, "test_mode": false },
        "data": { "type": "orders", "id": "7", "attributes": order },
    });
    let body = body.to_string().into_bytes();
    let headers =
        [("X-Event-Name".to_owned(), event.to_owned()), ("X-Signature".to_owned(), hex::encode(hmac(&body, SECRET)))];
    assert_eq!(site.post_with(CAMPUS, &headers, &body).status, 200);
}

#[test]
fn a_lemon_squeezy_order_enrolls_and_its_refund_takes_the_course_away() {
    let site = start("lemonsqueezy", Shop::new(CAMPUS));
    site.import(CAMPUS, &format!("variant:20,{CS101},verified\n"));
    let order = |status: &str, updated_at: &str, refunded: u32| {
        json!({
            "store_id": 1, "order_number": 7, "user_email": email("ada"), "currency": "USD", "status": status,
            "refunded": refunded > 0, "refunded_amount": refunded, "total": 4900,
            "created_at": "2026-03-02T10:00:40.000000Z", "updated_at": updated_at,
            "first_order_item": { "id": 3, "product_id": 10, "variant_id": 20, "quantity": 1, "product_name": "Sailing" },
        })
    };
    lemon_squeezy(&site, "order_created", &order("paid", "2026-03-02T10:00:41.000000Z", 0));
    site.settled_as("ada", CS101, "verified", true);
    lemon_squeezy(&site, "order_refunded", &order("refunded", "2026-03-03T10:00:41.000000Z", 4900));
    site.settled_as("ada", CS101, "verified", false);
}

/// The API of a shop: the answers of one path in their order, the last one again and again.
#[derive(Debug, Clone)]
struct Api {
    address: SocketAddr,
    state: Arc<Mutex<Played>>,
}

#[derive(Debug)]
struct Played {
    answers: Vec<(String, VecDeque<Value>)>,
    /// `Authorization` of every call.
    keys: Vec<String>,
}

impl Api {
    /// One that answers what an Odoo answers in a fixture.
    fn of_odoo(fixture: &str, learner: &str) -> Self {
        let file = places::project("plugins/odoo/fixtures").join(fixture).join("shop-api.json");
        let text = fs::read_to_string(file).unwrap().replace("zoe@learner.example", learner);
        let recorded: Vec<Value> = serde_json::from_str(&text).unwrap();
        assert!(text.contains(learner), "the fixture has another learner");
        let answer = |call: Value| (call["path"].as_str().unwrap().to_owned(), call["answer"]["body"].clone());
        Self::open(recorded.into_iter().map(answer))
    }

    fn open(given: impl IntoIterator<Item = (String, Value)>) -> Self {
        let mut answers: Vec<(String, VecDeque<Value>)> = Vec::new();
        for (path, answer) in given {
            match answers.iter_mut().find(|(known, _)| *known == path) {
                Some((_, queue)) => queue.push_back(answer),
                None => answers.push((path, VecDeque::from([answer]))),
            }
        }
        let state = Arc::new(Mutex::new(Played { answers, keys: Vec::new() }));
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        let router = Router::new().fallback(answer).with_state(Arc::clone(&state));
        thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let listener = tokio::net::TcpListener::from_std(listener).unwrap();
                axum::serve(listener, router).await.unwrap();
            });
        });
        Self { address, state }
    }

    fn keys(&self) -> Vec<String> {
        self.state.lock().unwrap().keys.clone()
    }
}

async fn answer(State(state): State<Arc<Mutex<Played>>>, request: Request) -> (StatusCode, String) {
    let mut played = state.lock().unwrap();
    let key = request.headers().get("authorization").map_or("", |value| value.to_str().unwrap()).to_owned();
    played.keys.push(key);
    match played.answers.iter_mut().find(|(path, _)| path == request.uri().path()) {
        Some((_, queue)) if queue.len() > 1 => (StatusCode::OK, queue.pop_front().unwrap().to_string()),
        Some((_, queue)) => (StatusCode::OK, queue[0].to_string()),
        None => (StatusCode::NOT_FOUND, "{}".to_owned()),
    }
}

#[test]
fn an_odoo_knocks_and_the_order_is_read_by_its_api() {
    let odoo = Api::of_odoo("order-with-a-paid-invoice", &email("ada"));
    let shop = Shop::new(CAMPUS)
        .secret_named("token")
        .line("permissions = [\"shop\"]")
        .line("sold_before = \"2026-01-01\"")
        .line(&format!("[shops.api]\nurl = \"http://{}/\"\nprivate_addresses = true", odoo.address))
        .line("bearer = { env = \"TEST_API_KEY\" }");
    let site = start("odoo", shop);
    site.import(CAMPUS, &format!("sku:SAIL,{CS101},verified\n"));
    let body = fs::read(places::project("plugins/odoo/fixtures/order-with-a-paid-invoice/body.json")).unwrap();
    let forged = site.post_with(&format!("{CAMPUS}/{}", SECRET.to_uppercase()), &[], &body);
    assert_eq!(forged.status, 401);
    assert!(odoo.keys().is_empty(), "a knock that nobody proved asks nothing");
    assert_eq!(site.post_with(&format!("{CAMPUS}/{SECRET}"), &[], &body).status, 200);
    site.settled_as("ada", CS101, "verified", true);
    assert!(odoo.keys().iter().all(|key| *key == format!("Bearer {API_KEY}")), "{:?}", odoo.keys());
    // The token is the shop's only proof, and the address was all that held it.
    let ledger = fs::read(site.path("bursar.db")).unwrap();
    let journal = fs::read(site.path("bursar.db-wal")).unwrap_or_default();
    for bytes in [ledger, journal] {
        assert!(!bytes.windows(SECRET.len()).any(|window| window == SECRET.as_bytes()), "the token was stored");
    }
}

/// A live WooCommerce shop that may be asked.
fn asked(api: &Api) -> Site {
    let shop = Shop::new(CAMPUS)
        .line("permissions = [\"shop\"]")
        .line("on_delete = \"revoke\"")
        .line(&format!("[shops.api]\nurl = \"http://{}/\"\nprivate_addresses = true", api.address))
        .line("basic = { user = { env = \"TEST_API_KEY\" }, password = { env = \"TEST_API_KEY\" } }");
    Site::selling(Plan::new(&["ada"]).shops([shop]))
}

#[test]
fn a_woocommerce_refund_takes_away_the_course_of_the_line_that_the_shop_names_when_it_is_asked() {
    let order = Order::paid(7, &email("ada"), &[11, 12]);
    let back = json!({ "id": 1, "quantity": -1, "total": "-49.00", "total_tax": "0.00",
                       "meta_data": [{ "key": "_refunded_item_id", "value": "702" }] });
    let api = Api::open([(
        "/wp-json/wc/v3/orders/7/refunds".to_owned(),
        json!([{ "id": 799, "amount": "49.00", "line_items": [back] }]),
    )]);
    let site = asked(&api);
    site.deliver(&order);
    site.settled_as("ada", CS101, "verified", true);
    site.settled_as("ada", CS102, "verified", true);
    assert!(api.keys().is_empty(), "there was nothing to ask");

    let mut body: Value = serde_json::from_slice(&order.later().body()).unwrap();
    body["refunds"] = json!([{ "id": 799, "reason": "", "total": "-49.00" }]);
    assert_eq!(site.post("order.updated", body.to_string().as_bytes()).status, 200);
    site.settled_as("ada", CS102, "verified", false);
    site.settled_as("ada", CS101, "verified", true);
    let basic = format!("Basic {}", STANDARD.encode(format!("{API_KEY}:{API_KEY}")));
    assert_eq!(api.keys(), [basic]);
    assert_eq!(site.rows(&["review", "list"]), Vec::<Value>::new(), "nobody has to say which line was meant");
}

#[test]
fn a_binned_woocommerce_order_that_is_told_again_after_the_restore_stays_restored() {
    let order = Order::paid(7, &email("ada"), &[11]);
    let shown = |order: &Order| serde_json::from_slice::<Value>(&order.body()).unwrap();
    let mut binned = shown(&order.later());
    binned["status"] = json!("trash");
    let restored = order.later().later();
    let api = Api::open([
        ("/wp-json/wc/v3/orders/7".to_owned(), binned),
        ("/wp-json/wc/v3/orders/7".to_owned(), shown(&restored)),
    ]);
    let site = asked(&api);
    site.deliver(&order);
    site.settled_as("ada", CS101, "verified", true);
    assert_eq!(site.post("order.deleted", br#"{"id":7}"#).status, 200);
    site.settled_as("ada", CS101, "verified", false);
    site.deliver(&restored);
    site.settled_as("ada", CS101, "verified", true);
    assert_eq!(site.post("order.deleted", br#"{"id":7}"#).status, 200);
    site.all_handled();
    site.at_peace();
    site.settled_as("ada", CS101, "verified", true);
    assert_eq!(api.keys().len(), 2);
}
