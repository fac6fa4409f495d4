//! The shop's own API: which calls of an adapter are sent, and what it is told.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "tests fail by panicking"
)]
#![allow(dead_code, unreachable_pub, reason = "each test crate uses a part of the support")]

mod support;

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use bursar_domain::statement::ProductId;
use bursar_sandbox::{
    Adapter, Handled, HostFault, KnownLine, Limits, Problem, Remedy, RunErrorKind, Sandbox, SandboxConfig, ShopAnswer,
    ShopApi, ShopCall, ShopFault, ShopMethod, Surroundings, limits,
};
use bytes::Bytes;
use support::{delivery, everything, granting_everything, sandbox, shop};

/// A shop that answers each call alike, after a while.
struct Shop {
    answer: Result<ShopAnswer, ShopFault>,
    delay: Duration,
    calls: Mutex<Vec<ShopCall>>,
}

#[async_trait]
impl ShopApi for Shop {
    async fn send(&self, call: ShopCall) -> Result<ShopAnswer, ShopFault> {
        self.calls.lock().unwrap().push(call);
        tokio::time::sleep(self.delay).await;
        self.answer.clone()
    }
}

struct WithShop(Arc<Shop>);

#[async_trait]
impl Surroundings for WithShop {
    async fn known(&self, _: &str) -> Result<Vec<KnownLine>, HostFault> {
        Ok(Vec::new())
    }

    async fn courses(&self, _: &[ProductId]) -> Result<Vec<(String, String)>, HostFault> {
        Ok(Vec::new())
    }

    fn shop_api(&self) -> Option<Arc<dyn ShopApi>> {
        Some(Arc::clone(&self.0) as Arc<dyn ShopApi>)
    }
}

fn answering(answer: Result<ShopAnswer, ShopFault>) -> Arc<Shop> {
    Arc::new(Shop { answer, delay: Duration::ZERO, calls: Mutex::default() })
}

fn page() -> ShopAnswer {
    ShopAnswer {
        status: 404,
        headers: vec![
            ("x-pages".to_owned(), "1".to_owned()),
            ("X-Pages".to_owned(), "2".to_owned()),
            ("Set-Cookie".to_owned(), "session=secret".to_owned()),
        ],
        body: Bytes::from_static(b"{}"),
    }
}

async fn adapter() -> Adapter {
    sandbox().load(everything()).await.unwrap()
}

async fn handle(shop: &Arc<Shop>, topic: &str) -> Handled {
    let surroundings = Arc::new(WithShop(Arc::clone(shop)));
    adapter().await.handle(&granting_everything(), delivery(topic), surroundings).await.unwrap()
}

async fn problem(shop: &Arc<Shop>, topic: &str) -> Problem {
    handle(shop, topic).await.result.unwrap_err()
}

#[tokio::test]
async fn a_call_is_sent_and_any_status_is_an_answer() {
    let shop = answering(Ok(page()));
    let handled = handle(&shop, "call/POST /orders?page=2").await;
    handled.result.unwrap();
    assert_eq!(handled.logs.lines[0].message, r#"404 Some("1, 2") None 2"#);
    assert_eq!((handled.usage.shop_calls, handled.usage.lms_calls), (1, 0));
    assert!(handled.usage.logged_bytes == handled.logs.lines[0].message.len() as u64);
    let call = shop.calls.lock().unwrap().remove(0);
    assert_eq!((call.method, call.path_and_query.as_str()), (ShopMethod::Post, "/orders?page=2"));
    assert_eq!(call.headers, [("accept".to_owned(), "application/json".to_owned())]);
    assert_eq!(call.body.unwrap().bytes, Bytes::from_static(b"{}"));
}

#[tokio::test]
async fn nothing_is_sent_that_could_leave_the_origin() {
    let shop = answering(Ok(page()));
    for topic in ["call/GET //elsewhere.example.org/", "call/GET https://elsewhere.example.org/", "call/CONNECT /"] {
        let problem = problem(&shop, topic).await;
        assert_eq!((problem.code.as_str(), problem.remedy), ("call-malformed", Remedy::None));
        assert!(!problem.message.contains("elsewhere"), "{problem}");
    }
    assert!(shop.calls.lock().unwrap().is_empty());
}

#[tokio::test]
async fn what_is_not_configured_or_granted_says_so() {
    let shop_api = answering(Ok(page()));
    let adapter = adapter().await;
    let known = support::surroundings();
    let handled = adapter.handle(&granting_everything(), delivery("call/GET /"), known).await.unwrap();
    let problem = handled.result.unwrap_err();
    assert_eq!((problem.code.as_str(), problem.remedy), ("not-available", Remedy::Operator));
    assert!(problem.message.contains("hint: a table [shops.api]"), "{problem}");

    let handled =
        adapter.handle(&shop(), delivery("call/GET /"), Arc::new(WithShop(Arc::clone(&shop_api)))).await.unwrap();
    assert_eq!(handled.result.unwrap_err().code, "not-granted");
    assert!(shop_api.calls.lock().unwrap().is_empty());
}

#[tokio::test]
async fn faults_reach_the_adapter_as_problems() {
    let unavailable =
        ShopFault::Unavailable { message: "no answer in 10 s".to_owned(), retry_after: Some(Duration::from_secs(30)) };
    for (fault, code, remedy) in [
        (unavailable, "shop-unavailable", Remedy::Later),
        (ShopFault::Misconfigured("no token is given".to_owned()), "shop-misconfigured", Remedy::Operator),
        (ShopFault::TooLarge, "shop-answer-too-large", Remedy::None),
    ] {
        let words = fault.to_string();
        let problem = problem(&answering(Err(fault)), "call/GET /").await;
        assert_eq!((problem.code.as_str(), problem.remedy, problem.message), (code, remedy, words));
    }
    let large = ShopAnswer { body: Bytes::from(vec![b'x'; limits::SHOP_ANSWER.default + 1]), ..page() };
    assert_eq!(problem(&answering(Ok(large)), "call/GET /").await.code, "shop-answer-too-large");
}

#[tokio::test]
async fn calls_have_an_end_sent_or_only_prepared() {
    let shop = answering(Ok(page()));
    for (topic, what, limit) in [
        ("calls/GET /", "calls of the shop's API", limits::SHOP_CALLS.default),
        ("prepared-calls", "prepared calls of the shop's API", limits::SHOP_DRAFTS as u64),
    ] {
        let surroundings = Arc::new(WithShop(Arc::clone(&shop)));
        let error = adapter().await.handle(&granting_everything(), delivery(topic), surroundings).await.unwrap_err();
        assert_eq!(error.kind, RunErrorKind::Limit { what, limit });
    }
    assert_eq!(shop.calls.lock().unwrap().len() as u64, limits::SHOP_CALLS.default);
}

#[tokio::test]
async fn waiting_for_the_shop_is_wall_clock_time_and_not_the_guests() {
    let slow = Arc::new(Shop { answer: Ok(page()), delay: Duration::from_millis(400), calls: Mutex::default() });
    let limits = Limits { handle_cpu: Duration::from_millis(100), ..Limits::default() };
    let sandbox = Sandbox::new(SandboxConfig { limits, ..SandboxConfig::default() }).unwrap();
    let adapter = sandbox.load(everything()).await.unwrap();
    let surroundings = Arc::new(WithShop(slow));
    let handled = adapter.handle(&granting_everything(), delivery("call/GET /"), surroundings).await.unwrap();
    handled.result.unwrap();
    assert!(handled.usage.wall >= Duration::from_millis(400));
}

#[tokio::test]
async fn fuel_is_counted_where_it_is_asked_for_and_is_the_same_each_time() {
    let counting = Sandbox::new(SandboxConfig { count_fuel: true, ..SandboxConfig::default() }).unwrap();
    let adapter = counting.load(everything()).await.unwrap();
    let mut used = Vec::new();
    for topic in ["order", "order", "lines/100"] {
        let handled = adapter.handle(&shop(), delivery(topic), support::surroundings()).await.unwrap();
        used.push(handled.usage.fuel.unwrap());
    }
    assert!(used[0] > 1_000 && used[0] == used[1] && used[2] > 2 * used[0], "{used:?}");

    // The limits hold as without it.
    let error = adapter.authenticate(&shop(), support::request("/spin")).await.unwrap_err();
    assert_eq!(error.kind, RunErrorKind::Cpu(limits::AUTHENTICATE_CPU.default));
    assert!(error.usage.fuel.is_some());

    let plain = self::adapter().await;
    assert_eq!(plain.handle(&shop(), delivery("order"), support::surroundings()).await.unwrap().usage.fuel, None);
}
