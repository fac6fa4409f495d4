//! WooCommerce's webhooks as shops send them, the same bytes and the same signature; and the command that sends them, which is
//! the same for all platforms.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "helpers of tests count as code otherwise")]

use std::{
    io::{Read as _, Write as _},
    net::TcpListener,
    process::{Command, Output},
    thread,
    time::Duration,
};

use bursar_domain::{Email, Timestamp, statement::ProductId};
use bursar_server::webhook::{self, Event, Line, Order, PLATFORMS, Platform, Sender, platform};
use rust_decimal::Decimal;
use serde_json::Value;

/// Signed by WooCommerce's own code with the secret that a merchant typed.
const MADE_BODY: &[u8] = include_bytes!("data/woocommerce.order.updated.json");
/// Sent by a shop.
const RECORDED_BODY: &[u8] = include_bytes!("data/woocommerce.payment-complete.json");

fn order() -> Order {
    Order {
        id: 1001,
        event: Event::Paid,
        status: None,
        placed_at: Timestamp::from_millis(1_795_422_684_000),
        modified_at: Timestamp::from_millis(1_795_422_686_000),
        email: Some(Email::parse("ada@example.org").unwrap()),
        lines: vec![Line {
            products: vec![
                ProductId { kind: "variation".to_owned(), id: "17".to_owned() },
                ProductId { kind: "product".to_owned(), id: "15".to_owned() },
                ProductId { kind: "sku".to_owned(), id: "CS101/V".to_owned() },
            ],
            title: "Вступ 🎓".to_owned(),
            quantity: 2,
            price: Decimal::new(79_90, 2),
            learner: Some(Email::parse("bo@example.org").unwrap()),
        }],
    }
}

fn woocommerce() -> &'static dyn Platform {
    platform("woocommerce").unwrap()
}

fn body(order: &Order) -> Value {
    serde_json::from_slice(&woocommerce().body(order, "order.updated").unwrap()).unwrap()
}

/// Every key of a value, with those of the first of a list: `line_items.sku`.
fn keys(value: &Value, path: &str, found: &mut Vec<String>) {
    match value {
        Value::Object(entries) => {
            for (key, value) in entries {
                found.push(format!("{path}.{key}"));
                keys(value, &format!("{path}.{key}"), found);
            }
        }
        Value::Array(items) => items.iter().take(1).for_each(|item| keys(item, path, found)),
        _ => {}
    }
}

fn signature(body: &[u8], secret: &str) -> String {
    let sender = Sender { secret: &secret.into(), settings: &Value::Null, at: Timestamp::from_millis(0) };
    let message = woocommerce().sign(body.to_vec(), "order.updated", &sender).unwrap();
    message.headers.into_iter().find(|(name, _)| *name == "X-WC-Webhook-Signature").unwrap().1
}

#[test]
fn a_body_is_signed_as_woocommerce_signs_it() {
    assert_eq!(signature(MADE_BODY, "woo & test <secret>"), "dQ0/hkjk3LjK+2ioNT+6aZf2B9dQCdPmW06fhDm/li4=");
    assert_eq!(signature(RECORDED_BODY, "lab-secret-plain-1"), "cQkwgnbgoPz/C8GEQOxtkv48pj1orhL0MZPStQqY9DM=");
}

#[test]
fn a_made_up_order_has_the_keys_of_a_real_one_and_no_others() {
    let recorded: Value = serde_json::from_slice(RECORDED_BODY).unwrap();
    let (mut real, mut ours) = (Vec::new(), Vec::new());
    keys(&recorded, "", &mut real);
    // A line with a learner's address has a key that the recorded order lacks.
    let mut order = order();
    order.lines[0].learner = None;
    keys(&body(&order), "", &mut ours);
    // The recorded order was taxed, and its links name more than this platform's readers use.
    let beside = |key: &String| key.starts_with(".tax_lines.") || key.starts_with("._links.");
    let is_tax = |key: &String| key.starts_with(".line_items.taxes.");
    real.retain(|key| !beside(key) && !is_tax(key));
    ours.retain(|key| !beside(key));
    assert_eq!(ours, real);
}

#[test]
fn a_made_up_order_says_what_it_was_told_to() {
    let body = body(&order());
    assert_eq!(body["id"], 1001);
    assert_eq!(body["date_modified_gmt"], "2026-11-23T08:31:26");
    assert_eq!(body["date_paid_gmt"], "2026-11-23T08:31:24");
    assert_eq!(body["billing"]["email"], "ada@example.org");
    assert_eq!(body["total"], "159.80");
    let line = &body["line_items"][0];
    assert_eq!((&line["product_id"], &line["variation_id"], &line["sku"]), (&15.into(), &17.into(), &"CS101/V".into()));
    assert_eq!((&line["quantity"], &line["price"], &line["name"]), (&2.into(), &79.9.into(), &"Вступ 🎓".into()));
    assert_eq!(line["meta_data"][0]["value"], "bo@example.org");
}

#[test]
fn a_made_up_body_is_written_as_php_writes_it() {
    let text = String::from_utf8(woocommerce().body(&order(), "order.updated").unwrap()).unwrap();
    assert!(text.is_ascii());
    assert!(text.contains(r#""sku":"CS101\/V""#), "{text}");
    assert!(text.contains(r#""name":"\u0412\u0441\u0442\u0443\u043f \ud83c\udf93""#), "{text}");
}

#[test]
fn what_is_unpaid_has_no_date_of_payment_and_what_is_refunded_has_a_refund() {
    let unpaid = body(&Order { event: Event::Unpaid, ..order() });
    assert_eq!((&unpaid["date_paid_gmt"], &unpaid["transaction_id"]), (&Value::Null, &"".into()));
    assert_eq!(unpaid["status"], "pending");
    let refunded = body(&Order { event: Event::Refunded, ..order() });
    assert_eq!((&refunded["status"], &refunded["refunds"][0]["total"]), (&"refunded".into(), &"-159.80".into()));
}

#[test]
fn a_status_in_woocommerces_words_stands_in_the_order_whatever_happened() {
    let on_delivery = body(&Order { event: Event::Unpaid, status: Some("processing".to_owned()), ..order() });
    assert_eq!((&on_delivery["status"], &on_delivery["date_paid_gmt"]), (&"processing".into(), &Value::Null));
    let told = ["on-hold", "refunded", "cancelled", "completed"].map(|status| woocommerce().event_of(status).unwrap());
    assert_eq!(told, [Event::Unpaid, Event::Refunded, Event::Cancelled, Event::Paid]);
}

#[test]
fn two_webhooks_about_one_order_agree_on_what_never_changes() {
    let (first, later) = (body(&order()), body(&Order { status: Some("completed".to_owned()), ..order() }));
    for key in ["order_key", "date_created_gmt", "number"] {
        assert_eq!(first[key], later[key], "{key}");
    }
    assert_eq!(first["line_items"][0]["id"], later["line_items"][0]["id"]);
    assert_ne!(first["order_key"], body(&Order { id: 1002, ..order() })["order_key"]);
}

#[test]
fn a_deleted_order_is_only_a_number() {
    assert_eq!(woocommerce().body(&order(), "order.deleted").unwrap(), br#"{"id":1001}"#);
}

#[test]
fn what_cannot_be_imitated_is_refused() {
    let error = woocommerce().body(&order(), "coupon.created").unwrap_err();
    assert_eq!(error.to_string(), "there is no order in a webhook \"coupon.created\"; give its body");
    let mut order = order();
    order.lines[0].products = vec![ProductId { kind: "product".to_owned(), id: "x".to_owned() }];
    assert_eq!(woocommerce().body(&order, "order.updated").unwrap_err().to_string(), "product \"x\" is not a number");
    order.lines[0].products[0].kind = "plan".to_owned();
    let error = webhook::body(woocommerce(), &order, "order.updated").unwrap_err().to_string();
    assert_eq!(error, "a product of woocommerce has no \"plan\"; it has: product, variation, sku");
}

/// A listener that takes one request and answers it.
fn listener(answer: &'static str) -> (u16, thread::JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let served = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        let mut request = Vec::new();
        while !is_complete(&request) {
            let mut piece = [0; 4096];
            let read = stream.read(&mut piece).unwrap();
            request.extend_from_slice(&piece[..read]);
        }
        stream.write_all(answer.as_bytes()).unwrap();
        String::from_utf8(request).unwrap()
    });
    (port, served)
}

fn is_complete(request: &[u8]) -> bool {
    let text = String::from_utf8_lossy(request);
    let Some((head, body)) = text.split_once("\r\n\r\n") else { return false };
    let length = head.lines().find_map(|line| line.to_lowercase().strip_prefix("content-length: ").map(str::to_owned));
    length.is_some_and(|length| body.len() == length.parse::<usize>().unwrap())
}

fn send(port: u16, arguments: &[&str]) -> Output {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("bursar.toml");
    let text = format!(
        r#"
        [server]
        listen = "0.0.0.0:{port}"
        [[lms]]
        name = "main"
        url = "https://lms.example.org"
        client_id = "bursar"
        client_secret = {{ env = "LMS_SECRET" }}
        [[shops]]
        name = "campus"
        adapter = "woocommerce"
        lms = "main"
        mode = "live"
        secrets.webhook = {{ env = "WOO_SECRET" }}
        [[shops]]
        name = "store"
        adapter = "facts"
        lms = "main"
        mode = "live"
        [[shops]]
        name = "office"
        adapter = "odoo"
        lms = "main"
        mode = "live"
        secrets.token = {{ env = "ODOO_TOKEN" }}
        "#
    );
    std::fs::write(&file, text).unwrap();
    Command::new(env!("CARGO_BIN_EXE_bursar"))
        .args(["--config", file.to_str().unwrap(), "webhook", "send"])
        .args(arguments)
        .env("LMS_SECRET", "secret")
        .env("WOO_SECRET", "woo & test <secret>")
        .env("ODOO_TOKEN", "a-token-of-the-office")
        .output()
        .unwrap()
}

const OK: &str = "HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
const FORBIDDEN: &str = "HTTP/1.1 401 Unauthorized\r\ncontent-length: 2\r\nconnection: close\r\n\r\nno";
const RECORDED_FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/woocommerce.order.updated.json");

#[test]
fn a_file_is_sent_as_it_is_with_the_shops_signature() {
    let (port, served) = listener(OK);
    let output = send(port, &["campus", "--body", RECORDED_FILE]);
    let request = served.join().unwrap();
    assert!(output.status.success(), "{output:?}");
    assert!(String::from_utf8(output.stdout).unwrap().starts_with("200 in "));
    assert!(request.starts_with("POST /webhooks/campus HTTP/1.1\r\n"), "{request}");
    let head = request.to_lowercase();
    assert!(head.contains("x-wc-webhook-topic: order.updated\r\n"), "{request}");
    assert!(request.contains("dQ0/hkjk3LjK+2ioNT+6aZf2B9dQCdPmW06fhDm/li4="), "{request}");
    assert!(request.as_bytes().ends_with(MADE_BODY));
}

#[test]
fn a_made_up_order_reaches_the_listener() {
    let (port, served) = listener(OK);
    let order = ["campus", "--order", "1001", "--product", "sku:CS101-V", "--email", "ada@example.org"];
    let output = send(port, &order);
    let request = served.join().unwrap();
    assert!(output.status.success(), "{output:?}");
    assert!(request.contains(r#""sku":"CS101-V""#), "{request}");
}

#[test]
fn a_refusal_is_a_failure_and_the_answer_is_shown() {
    let (port, _served) = listener(FORBIDDEN);
    let output = send(port, &["campus", "--order", "1001"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8(output.stdout).unwrap().ends_with("\nno\n"));
    assert_eq!(String::from_utf8(output.stderr).unwrap(), "error: the webhook was answered 401\n");
}

#[test]
fn a_forged_webhook_that_is_refused_is_a_success_and_one_that_is_taken_is_not() {
    let (port, served) = listener(FORBIDDEN);
    let output = send(port, &["campus", "--body", RECORDED_FILE, "--forge"]);
    assert!(output.status.success(), "{output:?}");
    assert!(!served.join().unwrap().contains("dQ0/hkjk3LjK+2ioNT+6aZf2B9dQCdPmW06fhDm/li4="));
    let (port, _served) = listener(OK);
    let output = send(port, &["campus", "--body", RECORDED_FILE, "--forge"]);
    assert_eq!(output.status.code(), Some(1));
}

#[test]
fn nobody_listening_a_strange_shop_and_a_strange_platform_are_told_plainly() {
    let told = |arguments: &[&str]| {
        let output = send(1, arguments);
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    };
    let (code, words) = told(&["campus", "--order", "1"]);
    let expected =
        "error: nothing listens at 127.0.0.1:1\n  hint: start `bursar serve`, or name another address with --url\n";
    assert_eq!((code, words.as_str()), (Some(1), expected));
    let (code, words) = told(&["campsu", "--order", "1"]);
    assert_eq!(code, Some(2));
    assert!(
        words.contains("there is no shop \"campsu\"") && words.contains("there are: campus, store, office"),
        "{words}"
    );
    let (code, words) = told(&["store", "--order", "1"]);
    assert_eq!(code, Some(1));
    assert!(
        words.starts_with("error: webhooks of \"facts\" cannot be imitated\n  hint: those of woocommerce, "),
        "{words}"
    );
}

#[test]
fn what_a_platform_cannot_tell_is_refused_with_what_it_can() {
    let refused = |arguments: &[&str]| {
        let output = send(1, arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        String::from_utf8(output.stderr).unwrap()
    };
    let words = refused(&["campus", "--order", "1", "--event", "disputed"]);
    assert!(
        words.contains("a webhook of woocommerce cannot tell that an order is disputed; it can tell: paid, unpaid, ")
    );
    let words = refused(&["office", "--order", "1", "--status", "sale"]);
    assert!(words.contains("a status cannot be chosen for odoo: say with --event what happened"), "{words}");
    let words = refused(&["office", "--order", "1", "--email", "ada@example.org"]);
    assert!(words.contains("a webhook of odoo only names the order"), "{words}");
}

#[test]
fn a_token_in_the_address_is_sent_there_and_not_printed() {
    let (port, served) = listener(OK);
    let output = send(port, &["office", "--order", "55"]);
    let request = served.join().unwrap();
    assert!(output.status.success(), "{output:?}");
    assert!(request.starts_with("POST /webhooks/office/a-token-of-the-office HTTP/1.1\r\n"), "{request}");
    let (port, served) = listener(FORBIDDEN);
    let output = send(port, &["office", "--order", "55", "--forge"]);
    assert!(output.status.success() && !served.join().unwrap().contains("a-token-of-the-office"), "{output:?}");
    let (port, _served) = listener(FORBIDDEN);
    let output = send(port, &["office", "--order", "55"]);
    let printed = [output.stdout, output.stderr].concat();
    assert!(!String::from_utf8(printed).unwrap().contains("a-token-of-the-office"));
}

#[test]
fn the_help_lists_every_platform_with_what_it_can_tell() {
    let help = String::from_utf8(send(1, &["--help"]).stdout).unwrap();
    for platform in PLATFORMS {
        assert!(help.contains(platform.name()), "{help}");
        let events: Vec<_> = platform.events().iter().map(|(event, _)| event.as_str()).collect();
        assert!(help.contains(&events.join(" ")) && help.contains(&platform.products().join(" ")), "{help}");
    }
}
