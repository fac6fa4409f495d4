//! Calls of a shop over real sockets: credentials, patience, size, and where they must not lead.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests fail by panicking")]

use std::{
    collections::VecDeque,
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{
    Router,
    body::{Body, Bytes},
    extract::{Request, State},
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
};
use bursar_domain::{Clock, Timestamp};
use bursar_shop_api::{
    ANSWER_MAX, Call, Class, Credentials, DOCUMENT_MAX, Document, ShopApi, ShopApiConfig, ShopApiError,
};
use secrecy::SecretString;

/// What a request of the client looked like to the shop.
#[derive(Debug, Clone)]
struct Seen {
    line: String,
    headers: HeaderMap,
    body: Bytes,
}

impl Seen {
    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

/// A shop that gives the answers it was told, and then 200 with `{}`.
#[derive(Debug, Clone)]
struct Shop {
    address: SocketAddr,
    state: Arc<Mutex<Played>>,
}

#[derive(Debug, Default)]
struct Played {
    answers: VecDeque<Response>,
    seen: Vec<Seen>,
}

impl Shop {
    async fn open(answers: impl IntoIterator<Item = Response>) -> Self {
        let state = Arc::new(Mutex::new(Played { answers: answers.into_iter().collect(), seen: Vec::new() }));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let router = Router::new().fallback(play).with_state(Arc::clone(&state));
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { address, state }
    }

    fn seen(&self) -> Vec<Seen> {
        self.state.lock().unwrap().seen.clone()
    }

    fn config(&self) -> ShopApiConfig {
        ShopApiConfig {
            url: format!("http://{}/wp", self.address).parse().unwrap(),
            credentials: Credentials::Bearer(SecretString::from("sesame")),
            headers: Vec::new(),
            private_addresses: true,
        }
    }

    fn api(&self) -> ShopApi {
        ShopApi::new(self.config(), Arc::new(Stopped)).unwrap()
    }
}

async fn play(State(state): State<Arc<Mutex<Played>>>, request: Request<Body>) -> Response {
    let (parts, body) = request.into_parts();
    let body = axum::body::to_bytes(body, 1 << 20).await.unwrap();
    let line = format!("{} {}", parts.method, parts.uri);
    let mut played = state.lock().unwrap();
    played.seen.push(Seen { line, headers: parts.headers, body });
    played.answers.pop_front().unwrap_or_else(|| "{}".into_response())
}

/// A clock that stands at the beginning of 2026.
#[derive(Debug)]
struct Stopped;

impl Clock for Stopped {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(1_767_225_600_000)
    }
}

fn get(path: &str) -> Call {
    Call { method: "GET".to_owned(), path_and_query: path.to_owned(), headers: Vec::new(), body: Bytes::new() }
}

fn post(path: &str) -> Call {
    Call { method: "POST".to_owned(), body: Bytes::from_static(b"{}"), ..get(path) }
}

fn answer(status: u16) -> Response {
    StatusCode::from_u16(status).unwrap().into_response()
}

fn busy(status: u16, retry_after: &'static str) -> Response {
    // A date is counted by the clock of whoever names it, and the server's own would be today's.
    let date = ("date", "Thu, 01 Jan 2026 00:00:00 GMT");
    (StatusCode::from_u16(status).unwrap(), [("retry-after", retry_after), date]).into_response()
}

#[tokio::test]
async fn a_call_goes_to_the_configured_address_with_credentials_and_headers() {
    let shop = Shop::open([]).await;
    let mut config = shop.config();
    config.headers = vec![("X-Database".to_owned(), "prod".to_owned())];
    let api = ShopApi::new(config, Arc::new(Stopped)).unwrap();
    let call = Call { headers: vec![("accept".to_owned(), "application/json".to_owned())], ..post("/orders?x=1") };
    let answer = api.send(&call).await.unwrap();
    assert_eq!((answer.status, &answer.body[..]), (200, &b"{}"[..]));
    let seen = &shop.seen()[0];
    assert_eq!(seen.line, "POST /wp/orders?x=1");
    assert_eq!(seen.header("authorization"), "Bearer sesame");
    assert_eq!((seen.header("x-database"), seen.header("accept")), ("prod", "application/json"));
    assert_eq!(&seen.body[..], b"{}");
}

#[tokio::test]
async fn basic_credentials_and_a_header_of_the_platforms_own_are_sent() {
    let secret = |text: &str| SecretString::from(text);
    for (credentials, name, value) in [
        (Credentials::Basic { user: secret("ck"), password: secret("cs") }, "authorization", "Basic Y2s6Y3M="),
        (Credentials::Header { name: "X-Api-Key".to_owned(), value: secret("k") }, "x-api-key", "k"),
    ] {
        let shop = Shop::open([]).await;
        let api = ShopApi::new(ShopApiConfig { credentials, ..shop.config() }, Arc::new(Stopped)).unwrap();
        api.send(&get("/")).await.unwrap();
        assert_eq!(shop.seen()[0].header(name), value);
    }
}

#[tokio::test]
async fn what_the_operator_configured_is_not_the_adapters_to_say() {
    let shop = Shop::open([]).await;
    let mut config = shop.config();
    config.headers = vec![("X-Database".to_owned(), "prod".to_owned())];
    let api = ShopApi::new(config, Arc::new(Stopped)).unwrap();
    let forged = [("x-database", "other"), ("Authorization", "Bearer guess"), ("accept", "text/plain")];
    let headers = forged.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
    api.send(&Call { headers, ..get("/orders") }).await.unwrap();
    let told = |name: &str| shop.seen()[0].headers.get_all(name).iter().cloned().collect::<Vec<_>>();
    assert_eq!(told("x-database"), ["prod"]);
    assert_eq!(told("authorization"), ["Bearer sesame"]);
    assert_eq!(told("accept"), ["text/plain"]);
}

#[tokio::test]
async fn a_token_is_fetched_once_kept_and_fetched_again_when_it_is_refused() {
    let token = |text: &str| format!(r#"{{"access_token":"{text}","expires_in":3600}}"#).into_response();
    let answers = [token("one"), answer(200), answer(200), answer(401), token("two"), answer(200)];
    let shop = Shop::open(answers).await;
    let credentials = Credentials::OAuth {
        token_url: format!("http://{}/token", shop.address).parse().unwrap(),
        client_id: SecretString::from("me"),
        client_secret: SecretString::from("s3cret"),
        scope: Some("orders:read".to_owned()),
    };
    let api = ShopApi::new(ShopApiConfig { credentials, ..shop.config() }, Arc::new(Stopped)).unwrap();
    for _ in 0..3 {
        assert_eq!(api.send(&get("/orders")).await.unwrap().status, 200);
    }
    let seen = shop.seen();
    let told: Vec<String> = seen.iter().map(|seen| format!("{} {}", seen.line, seen.header("authorization"))).collect();
    assert_eq!(
        told,
        [
            "POST /token Basic bWU6czNjcmV0",
            "GET /wp/orders Bearer one",
            "GET /wp/orders Bearer one",
            "GET /wp/orders Bearer one",
            "POST /token Basic bWU6czNjcmV0",
            "GET /wp/orders Bearer two",
        ]
    );
    assert_eq!(&seen[0].body[..], b"grant_type=client_credentials&scope=orders%3Aread");
}

#[tokio::test]
async fn a_refused_client_is_the_operators_to_mend() {
    let shop = Shop::open([answer(401)]).await;
    let credentials = Credentials::OAuth {
        token_url: format!("http://{}/token", shop.address).parse().unwrap(),
        client_id: SecretString::from("me"),
        client_secret: SecretString::from("old"),
        scope: None,
    };
    let api = ShopApi::new(ShopApiConfig { credentials, ..shop.config() }, Arc::new(Stopped)).unwrap();
    let error = api.send(&get("/orders")).await.unwrap_err();
    assert_eq!(error.class(), Class::Ours);
    assert!(error.to_string().starts_with("the shop gave no token: the token address answered 401\nhint: "), "{error}");
}

#[tokio::test]
async fn an_answer_of_refusal_is_an_answer() {
    for status in [301, 400, 401, 403, 404, 422] {
        let shop = Shop::open([answer(status)]).await;
        assert_eq!(shop.api().send(&get("/orders")).await.unwrap().status, status);
        assert_eq!(shop.seen().len(), 1, "{status}");
    }
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let elsewhere = Shop::open([]).await;
    let to = format!("http://{}/", elsewhere.address);
    let shop = Shop::open([(StatusCode::TEMPORARY_REDIRECT, [("location", to.as_str())]).into_response()]).await;
    assert_eq!(shop.api().send(&get("/orders")).await.unwrap().status, 307);
    assert!(elsewhere.seen().is_empty());
}

#[tokio::test]
async fn a_busy_shop_is_asked_again_after_the_pause_that_it_names() {
    let shop = Shop::open([busy(429, "1"), busy(503, "Thu, 01 Jan 2026 00:00:01 GMT")]).await;
    let began = std::time::Instant::now();
    assert_eq!(shop.api().send(&post("/orders")).await.unwrap().status, 200);
    assert!(began.elapsed() >= Duration::from_millis(1_900), "both pauses were kept: {:?}", began.elapsed());
    assert_eq!(shop.seen().len(), 3);
}

#[tokio::test]
async fn a_pause_beyond_the_patience_is_handed_on() {
    let shop = Shop::open([busy(429, "3600")]).await;
    let error = shop.api().send(&get("/orders")).await.unwrap_err();
    assert_eq!(error.class(), Class::TryAgain { after: Some(Duration::from_secs(3_600)) });
    assert_eq!(shop.seen().len(), 1);
}

#[tokio::test]
async fn a_pause_without_end_is_no_pause() {
    let shop = Shop::open([busy(429, "18446744073709551615")]).await;
    let error = shop.api().send(&get("/orders")).await.unwrap_err();
    assert_eq!(error.class(), Class::TryAgain { after: Some(Duration::from_secs(u64::MAX)) });
}

#[tokio::test]
async fn what_may_have_been_carried_out_is_not_asked_for_twice() {
    let shop = Shop::open([answer(500), answer(200)]).await;
    let error = shop.api().send(&post("/orders")).await.unwrap_err();
    assert_eq!(error, ShopApiError::Busy { status: 500, after: None });
    assert_eq!(shop.seen().len(), 1);
    let shop = Shop::open([answer(500), answer(200)]).await;
    assert_eq!(shop.api().send(&get("/orders")).await.unwrap().status, 200, "reading twice does no harm");
}

#[tokio::test]
async fn an_answer_without_end_is_not_read_to_it() {
    let shop = Shop::open([vec![b'x'; ANSWER_MAX].into_response(), vec![b'x'; ANSWER_MAX + 1].into_response()]).await;
    let api = shop.api();
    assert_eq!(api.send(&get("/orders")).await.unwrap().body.len(), ANSWER_MAX);
    assert_eq!(api.send(&get("/orders")).await.unwrap_err(), ShopApiError::TooLarge { max: ANSWER_MAX });
}

#[tokio::test]
async fn a_shop_that_says_nothing_is_not_waited_for_without_end() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let shop = Shop { address: listener.local_addr().unwrap(), state: Arc::default() };
    let api = shop.api();
    tokio::time::pause();
    assert_eq!(api.send(&get("/orders")).await.unwrap_err(), ShopApiError::Silent);
    drop(listener);
}

#[tokio::test]
async fn a_shop_that_is_not_there_is_worth_another_try_later() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let shop = Shop { address: listener.local_addr().unwrap(), state: Arc::default() };
    drop(listener);
    let error = shop.api().send(&post("/orders")).await.unwrap_err();
    assert!(matches!(error, ShopApiError::Unreachable(_)), "{error}");
}

#[tokio::test]
async fn a_private_address_needs_the_operators_leave_as_a_literal_and_as_a_name() {
    let shop = Shop::open([]).await;
    let refused = |url: String| ShopApiConfig { url: url.parse().unwrap(), private_addresses: false, ..shop.config() };
    let literal = ShopApi::new(refused(format!("http://{}/", shop.address)), Arc::new(Stopped)).unwrap_err();
    assert_eq!(literal, ShopApiError::Private([127, 0, 0, 1].into()));
    assert!(literal.to_string().contains("hint: "), "{literal}");
    let name = format!("http://localhost:{}/", shop.address.port());
    let api = ShopApi::new(refused(name), Arc::new(Stopped)).unwrap();
    let error = api.send(&get("/orders")).await.unwrap_err();
    assert!(matches!(error, ShopApiError::Private(address) if address.is_loopback()), "{error}");
    assert_eq!(error.class(), Class::Ours);
    assert!(shop.seen().is_empty());
}

#[tokio::test]
async fn a_shop_without_a_trusted_certificate_is_not_talked_to() {
    let shop = Shop::open([]).await;
    let url = format!("https://{}/", shop.address).parse().unwrap();
    let api = ShopApi::new(ShopApiConfig { url, ..shop.config() }, Arc::new(Stopped)).unwrap();
    let error = api.send(&get("/orders")).await.unwrap_err();
    assert_eq!(error.class(), Class::Ours, "{error}");
    assert!(shop.seen().is_empty());
}

#[tokio::test]
async fn a_public_document_is_fetched_without_credentials_and_no_further_than_its_limit() {
    let answers = ["{\"keys\":[]}".into_response(), answer(404), vec![b' '; DOCUMENT_MAX + 1].into_response()];
    let shop = Shop::open(answers).await;
    let url = format!("http://{}/.well-known/jwks.json", shop.address);
    let document = Document::new(url.parse().unwrap(), true).unwrap();
    assert_eq!(document.fetch().await.unwrap(), "{\"keys\":[]}");
    assert_eq!(document.fetch().await.unwrap_err(), ShopApiError::NotThere(404));
    assert_eq!(document.fetch().await.unwrap_err(), ShopApiError::TooLarge { max: DOCUMENT_MAX });
    assert_eq!(shop.seen()[0].header("authorization"), "");
    assert_eq!(Document::new(url.parse().unwrap(), false).unwrap_err(), ShopApiError::Private([127, 0, 0, 1].into()));
}
