//! Requests that no shop should send, and a ledger that cannot be written: the right status, and nothing lost or kept.

use std::time::{Duration, Instant};

use bursar_store::inbox::DeliveryState;
use end_to_end::http::{self, Connection, exchange};
use end_to_end::lms::email;
use end_to_end::plan::{CAMPUS, Plan, SECRET};
use end_to_end::site::Site;
use end_to_end::woocommerce::{Order, filled_up, headers, signature};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions as _, Connection as _, Executor as _};

/// The least cap that can be configured.
const CAP: usize = 64 * 1024;

fn capped() -> Site {
    Site::start(Plan::new(&[]).server("max_body = \"64 KiB\""))
}

fn signed(body: &[u8]) -> Vec<(String, String)> {
    headers("order.updated", &signature(body, SECRET))
}

/// The head of a delivery with these headers more.
fn head(headers: Vec<(String, String)>, more: &[(&str, &str)]) -> Vec<u8> {
    let mut all = vec![("Host".to_owned(), "bursar.example".to_owned())];
    all.extend(headers);
    all.extend(more.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
    http::head("POST", &format!("/webhooks/{CAMPUS}"), &all)
}

#[test]
fn an_unknown_shop_is_answered_404() {
    let site = Site::start(Plan::new(&[]));
    let body = Order::paid(1, &email("ada"), &[11]).body();
    for shop in ["nobody", "CAMPUS", "campus%00", "..", "campus.toml"] {
        assert_eq!(site.post_with(shop, &signed(&body), &body).status, 404, "{shop}");
    }
    for path in ["/", "/webhooks", "/webhooks/", "/admin", "/readyz", "/metrics"] {
        let answer = exchange(site.address(), &http::head("GET", path, &[("Host", "bursar.example")]));
        assert_eq!(answer.status, 404, "{path}");
    }
    assert!(site.ledger.deliveries().is_empty());
}

#[test]
fn a_slash_behind_the_shops_address_changes_nothing() {
    let site = Site::start(Plan::new(&[]));
    let body = Order::paid(1, &email("ada"), &[11]).body();
    assert_eq!(site.post_with("campus/", &signed(&body), &body).status, 200);
    site.all_handled();
    assert_eq!(site.ledger.states_of(CAMPUS), [DeliveryState::Done]);
    assert_eq!(site.post_with("nobody/", &signed(&body), &body).status, 404);
    assert_eq!(site.post_with("campus/", &[], &body).status, 401);
}

#[test]
fn the_health_page_says_ok_and_nothing_else() {
    let site = Site::start(Plan::new(&[]));
    let answer = exchange(site.address(), &http::head("GET", "/healthz", &[("Host", "bursar.example")]));
    assert_eq!((answer.status, answer.body.as_slice()), (200, &b"ok\n"[..]));
    assert_eq!(answer.header("server"), None);
}

#[test]
fn a_webhook_is_posted_and_every_other_method_is_told_so() {
    let site = Site::start(Plan::new(&[]));
    for method in ["GET", "PUT", "DELETE", "PATCH", "OPTIONS", "BREW"] {
        let headers = [("Host", "bursar.example"), ("Content-Length", "0")];
        let answer = exchange(site.address(), &http::head(method, "/webhooks/campus", &headers));
        assert_eq!((answer.status, answer.header("allow")), (405, Some("POST")), "{method}");
    }
}

#[test]
fn a_body_over_the_cap_is_answered_413_and_its_connection_closed() {
    let site = capped();
    let body = filled_up(&Order::paid(1, &email("ada"), &[11]), CAP + 1);

    // Announced: not one byte of it need be sent.
    let length = body.len().to_string();
    let mut connection = Connection::open(site.address());
    assert!(connection.send(&head(signed(&body), &[("Content-Length", &length)])));
    assert_eq!(connection.answer().unwrap().status, 413);
    assert!(connection.is_closed());

    // Announced, and asked for leave to send it: none is given.
    let mut connection = Connection::open(site.address());
    let expect = [("Content-Length", length.as_str()), ("Expect", "100-continue")];
    assert!(connection.send(&head(signed(&body), &expect)));
    assert_eq!(connection.answer().unwrap().status, 413);
    assert!(connection.is_closed());

    // Not announced: found out when it is too much.
    let mut connection = Connection::open(site.address());
    connection.send(&head(signed(&body), &[("Transfer-Encoding", "chunked")]));
    for chunk in body.chunks(8 * 1024) {
        connection.send(format!("{:x}\r\n", chunk.len()).as_bytes());
        connection.send(chunk);
        connection.send(b"\r\n");
    }
    assert_eq!(connection.answer().unwrap().status, 413);

    // A length that no machine could hold: whether that is too large or no length at all is the HTTP library's to say.
    let mut connection = Connection::open(site.address());
    assert!(connection.send(&head(signed(&body), &[("Content-Length", "18446744073709551615")])));
    let status = connection.answer().map(|answer| answer.status);
    assert!(matches!(status, Some(413 | 400 | 431)), "{status:?}");
    assert!(site.ledger.deliveries().is_empty());
}

#[test]
fn a_body_exactly_at_the_cap_is_judged_like_any_other() {
    let site = capped();
    let body = filled_up(&Order::paid(1, &email("ada"), &[11]), CAP);
    assert_eq!(site.post_with(CAMPUS, &headers("order.updated", &signature(&body, "wrong")), &body).status, 401);
    assert_eq!(site.post("order.updated", &body).status, 200);

    // In chunks, too.
    let mut connection = Connection::open(site.address());
    assert!(connection.send(&head(signed(&body), &[("Transfer-Encoding", "chunked")])));
    for chunk in body.chunks(10_000) {
        assert!(connection.send(format!("{:x}\r\n", chunk.len()).as_bytes()));
        assert!(connection.send(chunk) && connection.send(b"\r\n"));
    }
    assert!(connection.send(b"0\r\n\r\n"));
    assert_eq!(connection.answer().unwrap().status, 200);
    site.all_handled();
    assert_eq!(site.ledger.states_of(CAMPUS), [DeliveryState::Done; 2]);
}

#[test]
fn an_order_of_more_than_a_megabyte_is_taken_when_the_shop_asks_first() {
    let site = Site::start(Plan::new(&[]));
    let body = filled_up(&Order::paid(1, &email("ada"), &[11]), 1_200_000);
    let mut connection = Connection::open(site.address());
    let length = body.len().to_string();
    // curl, and so WooCommerce, asks before it sends a body of this size.
    let expect = [("Content-Length", length.as_str()), ("Expect", "100-continue")];
    assert!(connection.send(&head(signed(&body), &expect)));
    assert_eq!(connection.answer().unwrap().status, 100);
    assert!(connection.send(&body));
    assert_eq!(connection.answer().unwrap().status, 200);
    site.all_handled();
    assert_eq!(site.ledger.states_of(CAMPUS), [DeliveryState::Done]);
    assert_eq!(site.order("1").lines.len(), 1);
}

#[test]
fn a_body_that_breaks_off_is_not_kept_and_harms_nobody() {
    let site = Site::start(Plan::new(&[]));
    let body = Order::paid(1, &email("ada"), &[11]).body();
    let length = body.len().to_string();
    for sent in [0, 1, body.len() / 2, body.len() - 1] {
        let mut connection = Connection::open(site.address());
        assert!(connection.send(&head(signed(&body), &[("Content-Length", &length)])));
        assert!(connection.send(&body[..sent]));
        connection.end_sending();
        let status = connection.answer().map(|answer| answer.status);
        assert!(matches!(status, None | Some(400)), "{sent} bytes: {status:?}");
    }
    // A chunk that never comes.
    let mut connection = Connection::open(site.address());
    assert!(connection.send(&head(signed(&body), &[("Transfer-Encoding", "chunked")])));
    assert!(connection.send(b"10\r\n{\"id\":1"));
    connection.end_sending();
    assert!(matches!(connection.answer().map(|answer| answer.status), None | Some(400)));
    assert!(site.ledger.deliveries().is_empty());
    assert_eq!(site.post("order.updated", &body).status, 200);
}

#[test]
fn who_says_how_long_a_body_is_in_two_ways_is_not_believed() {
    let site = Site::start(Plan::new(&[]));
    let body = Order::paid(1, &email("ada"), &[11]).body();
    let length = body.len().to_string();
    let smuggled: [&[(&str, &str)]; 3] = [
        &[("Content-Length", &length), ("Content-Length", "5")],
        &[("Content-Length", "-1")],
        &[("Content-Length", "12abc")],
    ];
    for more in smuggled {
        let mut bytes = head(signed(&body), more);
        bytes.extend_from_slice(&body);
        let status = http::try_exchange(site.address(), &bytes).map(|answer| answer.status);
        assert!(matches!(status, None | Some(400)), "{more:?}: {status:?}");
    }
    assert!(site.ledger.deliveries().is_empty());
}

#[test]
fn a_sender_who_dawdles_is_cut_off_while_others_are_served() {
    /// The server gives a head 15 seconds and a body 30; a test may not wait for ever if it does not.
    const LONGEST: Duration = Duration::from_secs(40);

    let site = Site::start(Plan::new(&[]));
    let body = Order::paid(1, &email("ada"), &[11]).body();
    let length = body.len().to_string();
    let began = Instant::now();
    let mut slow_head = Connection::open(site.address());
    assert!(slow_head.send(b"POST /webhooks/campus HTTP/1.1\r\nHost: bursar"));
    let mut slow_body = Connection::open(site.address());
    assert!(slow_body.send(&head(signed(&body), &[("Content-Length", &length)])));
    assert!(slow_body.send(&body[..1]));

    assert_eq!(site.post("order.updated", &body).status, 200, "others do not wait");
    let answer = slow_head.answer();
    assert!(answer.is_none_or(|answer| answer.status == 408));
    assert_eq!(slow_body.answer().unwrap().status, 408);
    assert!(slow_body.is_closed());
    assert!(began.elapsed() < LONGEST);
    site.all_handled();
    assert_eq!(site.ledger.states_of(CAMPUS), [DeliveryState::Done]);
}

#[test]
fn what_the_shop_signed_and_is_no_order_is_answered_200_and_rejected_with_a_reason() {
    let site = Site::start(Plan::new(&[]));
    let bodies: [&[u8]; 6] = [b"", b"this is no JSON", b"[]", b"null", b"{\"id\":1,\"status\":", b"\xff\xfe\x00"];
    for body in bodies {
        assert_eq!(site.post("order.updated", body).status, 200, "{body:?}");
    }
    site.all_handled();
    let deliveries = site.ledger.deliveries_of(CAMPUS);
    assert_eq!(deliveries.len(), bodies.len());
    for delivery in deliveries {
        assert_eq!(delivery.state, DeliveryState::Rejected, "{delivery:?}");
        let (code, message) = delivery.problem.unwrap();
        assert!(!code.is_empty() && !message.is_empty());
    }
}

#[test]
fn a_ledger_that_cannot_be_written_is_answered_503_and_never_with_a_refusal() {
    let site = Site::start(Plan::new(&[]));
    let body = Order::paid(1, &email("ada"), &[11]).body();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let options = SqliteConnectOptions::new().filename(site.path("bursar.db"));
    let mut other = runtime.block_on(options.connect()).unwrap();
    runtime.block_on(other.execute("BEGIN IMMEDIATE")).unwrap();

    let answer = site.post("order.updated", &body);
    assert_eq!(answer.status, 503);
    assert!(answer.header("retry-after").unwrap().parse::<u32>().unwrap() > 0);
    assert!(site.ledger.deliveries().is_empty());

    runtime.block_on(other.execute("ROLLBACK")).unwrap();
    runtime.block_on(other.close()).unwrap();
    assert_eq!(site.post("order.updated", &body).status, 200, "it goes on by itself");
    site.all_handled();
    assert_eq!(site.ledger.states_of(CAMPUS), [DeliveryState::Done]);
}
