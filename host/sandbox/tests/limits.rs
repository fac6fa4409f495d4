//! Every limit of a run: what reaches it, and that the host goes on as if nothing had been.

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
    sync::Arc,
    time::{Duration, Instant},
};

use bursar_domain::ShopName;
use bursar_sandbox::{
    Adapter, Decision, Limits, RunError, RunErrorClass, RunErrorKind, Sandbox, SandboxConfig, ShopContext, limits,
};
use support::{Known, adapter, delivery, request, request_with, shop, surroundings};

async fn authenticate_error(path: &str) -> RunError {
    let adapter = adapter().await;
    let error = adapter.authenticate(&shop(), request(path)).await.unwrap_err();
    still_works(&adapter).await;
    error
}

async fn handle_error(topic: &str) -> RunError {
    let adapter = adapter().await;
    let error = adapter.handle(&shop(), delivery(topic), surroundings()).await.unwrap_err();
    still_works(&adapter).await;
    error
}

async fn still_works(adapter: &Adapter) {
    let authenticated = adapter.authenticate(&shop(), request("/hmac")).await.unwrap();
    assert!(matches!(authenticated.decision, Decision::Accept { .. }));
}

fn over(what: &'static str, limit: u64) -> RunErrorKind {
    RunErrorKind::Limit { what, limit }
}

async fn with_limits(change: impl FnOnce(&mut Limits)) -> Adapter {
    let mut limits = Limits::default();
    change(&mut limits);
    let sandbox = Sandbox::new(SandboxConfig { limits, ..SandboxConfig::default() }).unwrap();
    sandbox.load(support::minimal()).await.unwrap()
}

#[tokio::test]
async fn a_panic_ends_the_run_as_a_trap_that_names_the_function() {
    let error = authenticate_error("/panic/secret-word").await;
    assert!(matches!(error.kind, RunErrorKind::Trap(_)), "{error:?}");
    assert_eq!((error.class(), error.kind.code()), (RunErrorClass::Adapter, "trap"));
    let backtrace = error.backtrace.clone().unwrap();
    assert!(backtrace.contains("innermost_function"), "{backtrace}");
    assert!(backtrace.lines().count() <= limits::BACKTRACE_FRAMES && backtrace.len() <= limits::BACKTRACE_TEXT);
    assert!(!error.to_string().contains("secret-word"));
    assert_eq!(error.to_string(), "the adapter trapped: wasm `unreachable` instruction executed");
}

#[tokio::test]
async fn a_short_name_that_stands_for_a_long_one_is_shown_as_it_is() {
    // In C++'s encoding, f(A, B<A, …>, B<B<A, …>, …>, …): each level is ten times as long as the one before, for 22 bytes.
    let mut name = format!("_Z1f1A1BI{}E", "S_".repeat(10));
    for level in 1..8 {
        name.push_str(&format!("S0_I{}E", format!("S{level}_").repeat(10)));
    }
    let error = support::sandbox().load(support::trapping_in(&name)).await.unwrap_err();
    let backtrace = error.backtrace.unwrap();
    assert!(backtrace.contains("!_Z1f1A1BIS_") && backtrace.len() <= limits::BACKTRACE_TEXT, "{backtrace}");
}

#[tokio::test]
async fn a_loop_without_end_runs_out_of_cpu_time() {
    let started = Instant::now();
    let error = authenticate_error("/spin").await;
    assert_eq!(error.kind, RunErrorKind::Cpu(limits::AUTHENTICATE_CPU.default));
    assert_eq!(error.class(), RunErrorClass::Adapter);
    assert!(error.backtrace.is_some_and(|backtrace| backtrace.contains("authenticate")));
    assert!(started.elapsed() < limits::AUTHENTICATE_WALL.default + Duration::from_secs(20));
}

#[tokio::test]
async fn a_spinning_guest_lets_other_tasks_run_on_the_same_thread() {
    let adapter = with_limits(|limits| limits.authenticate_cpu = Duration::from_millis(400)).await;
    let spinning = tokio::spawn({
        let adapter = adapter.clone();
        async move { adapter.authenticate(&shop(), request("/spin")).await }
    });
    let mut turns = 0;
    while !spinning.is_finished() {
        tokio::time::sleep(Duration::from_millis(1)).await;
        turns += 1;
    }
    assert_eq!(spinning.await.unwrap().unwrap_err().kind.code(), "cpu");
    assert!(turns > 5, "{turns} turns");
}

#[tokio::test]
async fn wall_clock_time_ends_a_run_that_has_cpu_time_left() {
    let adapter = with_limits(|limits| {
        limits.handle_cpu = Duration::from_secs(60);
        limits.handle_wall = Duration::from_millis(200);
    })
    .await;
    let error = adapter.handle(&shop(), delivery("spin"), surroundings()).await.unwrap_err();
    assert!(matches!(error.kind, RunErrorKind::Time(_)), "{error:?}");
    assert_eq!(error.class(), RunErrorClass::Host);
    still_works(&adapter).await;
}

#[tokio::test]
async fn waiting_for_the_ledger_counts_as_wall_clock_time_but_not_as_cpu_time() {
    let adapter = with_limits(|limits| {
        limits.handle_cpu = Duration::from_millis(20);
        limits.handle_wall = Duration::from_millis(300);
    })
    .await;
    let slow = Arc::new(Known { delay: Duration::from_secs(5), broken: false });
    let error = adapter.handle(&shop(), delivery("known/1"), slow).await.unwrap_err();
    assert!(matches!(error.kind, RunErrorKind::Time(_)), "{error:?}");
    let patient = Arc::new(Known { delay: Duration::from_millis(150), broken: false });
    let handled = adapter.handle(&shop(), delivery("known/1"), patient).await.unwrap();
    assert!(handled.usage.wall >= Duration::from_millis(150) && handled.usage.cpu <= Duration::from_millis(20));
}

#[tokio::test]
async fn memory_has_an_end_and_the_run_says_so() {
    let error = authenticate_error("/grow/100").await;
    assert_eq!(error.kind, RunErrorKind::Memory(limits::MEMORY.default));
    assert!(error.usage.refused_growth > 0);
    assert!(error.usage.memory_peak <= limits::MEMORY.default as u64);
}

#[tokio::test]
async fn memory_is_given_back_after_every_run() {
    let sandbox = support::sandbox();
    let adapter = sandbox.load(support::minimal()).await.unwrap();
    for path in ["/grow/20", "/grow/100", "/panic", "/hmac"] {
        let _ = adapter.authenticate(&shop(), request(path)).await;
        assert_eq!(sandbox.status().memory, 0, "{path}");
    }
}

#[tokio::test]
async fn recursion_without_end_is_a_trap_whichever_stack_runs_over() {
    for (path, word) in [("/recurse-lean", "call stack exhausted"), ("/recurse", "out of bounds memory access")] {
        let error = authenticate_error(path).await;
        assert!(matches!(&error.kind, RunErrorKind::Trap(message) if message.contains(word)), "{error:?}");
    }
}

#[tokio::test]
async fn a_log_flood_is_cut_with_a_count_and_harms_nobody() {
    let authenticated = adapter().await.authenticate(&shop(), request("/log/3000")).await.unwrap();
    assert_eq!(authenticated.logs.lines.len(), limits::LOG_LINES.default);
    assert_eq!(authenticated.logs.dropped, 3_000 - limits::LOG_LINES.default as u64);
}

#[tokio::test]
async fn one_giant_string_is_refused_before_the_host_copies_it() {
    let error = authenticate_error("/giant-string").await;
    assert_eq!(error.kind.code(), "trap", "{error:?}");
    assert_eq!(error.usage.host_bytes, "/giant-string".len() as u64);
}

#[tokio::test]
async fn host_calls_are_counted() {
    let error = with_limits(|limits| limits.authenticate_cpu = Duration::from_secs(60))
        .await
        .authenticate(&shop(), request("/calls"))
        .await
        .unwrap_err();
    assert_eq!(error.kind, over("host calls", limits::HOST_CALLS.default));
}

#[tokio::test]
async fn bytes_handed_over_are_counted() {
    let body = vec![b'x'; 4 << 20];
    let adapter = adapter().await;
    let within = adapter.authenticate(&shop(), request_with("/bodies/5", &body, |_| {})).await;
    assert!(within.is_ok(), "{within:?}");
    let beyond = adapter.authenticate(&shop(), request_with("/bodies/9", &body, |_| {})).await.unwrap_err();
    assert_eq!(beyond.kind, over("bytes handed over", limits::HOST_BYTES.default));
}

#[tokio::test]
async fn signature_checks_are_counted() {
    assert_eq!(authenticate_error("/checks").await.kind, over("signature checks", limits::CHECKS));
}

#[tokio::test]
async fn verdicts_are_counted() {
    assert_eq!(authenticate_error("/verdicts").await.kind, over("verdicts", limits::VERDICTS as u64));
}

#[tokio::test]
async fn look_ups_are_counted() {
    assert_eq!(handle_error("look-ups").await.kind, over("look-ups", limits::LOOK_UPS));
}

#[tokio::test]
async fn statements_have_an_end() {
    assert_eq!(handle_error("orders").await.kind, over("orders", limits::ORDERS as u64));
    assert_eq!(handle_error("lines/5001").await.kind, over("lines", limits::LINES as u64));
    assert_eq!(handle_error("forgets").await.kind, over("subjects to forget", limits::FORGETS as u64));
    let facts = over("lines, course runs, holds and reviews", limits::FACTS as u64);
    assert_eq!(handle_error("facts-without-end").await.kind, facts);
    assert_eq!(handle_error("holds").await.kind, over("holds of an order or line", limits::HOLDS as u64));
}

#[tokio::test]
async fn the_largest_run_of_statements_fits_into_the_limits() {
    let handled = adapter().await.handle(&shop(), delivery("lines/5000"), surroundings()).await.unwrap();
    assert_eq!(handled.result.unwrap().orders[0].lines.len(), limits::LINES);
    assert!(handled.usage.host_calls < limits::HOST_CALLS.default);
}

#[tokio::test]
async fn breaking_the_contract_ends_the_run_as_misuse() {
    for error in [
        authenticate_error("/long-subject").await,
        authenticate_error("/state-order").await,
        handle_error("empty-revision").await,
        handle_error("long-id").await,
    ] {
        assert!(matches!(error.kind, RunErrorKind::Misuse(_)), "{error:?}");
        assert_eq!(error.class(), RunErrorClass::Adapter);
    }
}

#[tokio::test]
async fn a_ledger_out_of_reach_is_the_hosts_fault() {
    let broken = Arc::new(Known { broken: true, ..Known::default() });
    let error = adapter().await.handle(&shop(), delivery("known/1"), broken).await.unwrap_err();
    assert_eq!(error.kind, RunErrorKind::Host("the ledger is out of reach".to_owned()));
    assert_eq!(error.class(), RunErrorClass::Host);
}

#[tokio::test]
async fn what_was_logged_before_the_end_is_kept() {
    let adapter = with_limits(|limits| limits.handle_wall = Duration::from_millis(300)).await;
    let error = adapter.handle(&shop(), delivery("spin"), surroundings()).await.unwrap_err();
    assert_eq!(error.kind.code(), "time");
    assert!(error.usage.wall >= Duration::from_millis(300) && error.usage.host_calls == 1, "{:?}", error.usage);
}

#[tokio::test]
async fn a_run_that_finds_no_place_is_busy_and_harms_none_that_run() {
    let sandbox = Sandbox::new(SandboxConfig {
        limits: Limits {
            handle_wall: Duration::from_millis(700),
            places_of_adapter: limits::HANDLE_PLACES.default,
            places_of_shop: limits::HANDLE_PLACES.default,
            ..Limits::default()
        },
        ..SandboxConfig::default()
    })
    .unwrap();
    let adapter = sandbox.load(support::minimal()).await.unwrap();
    let slow = Arc::new(Known { delay: Duration::from_secs(60), broken: false });
    let waiting: Vec<_> = (0..limits::HANDLE_PLACES.default)
        .map(|_| {
            let (adapter, slow) = (adapter.clone(), Arc::clone(&slow));
            tokio::spawn(async move { adapter.handle(&shop(), delivery("known/1"), slow).await })
        })
        .collect();
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert_eq!(sandbox.status().handle_places, 0);
    still_works(&adapter).await;
    let error = adapter.handle(&shop(), delivery("known/1"), slow).await.unwrap_err();
    assert!(matches!(error.kind, RunErrorKind::Busy | RunErrorKind::Time(_)), "{error:?}");
    for run in waiting {
        assert_eq!(run.await.unwrap().unwrap_err().kind.code(), "time");
    }
    assert_eq!(sandbox.status().handle_places, limits::HANDLE_PLACES.default);
}

#[tokio::test]
async fn a_shop_whose_runs_are_slow_leaves_places_for_another_and_so_does_an_adapter() {
    let limits = Limits {
        handle_wall: Duration::from_millis(1_500),
        handle_places: 3,
        places_of_adapter: 2,
        places_of_shop: 1,
        ..Limits::default()
    };
    let sandbox = Sandbox::new(SandboxConfig { limits, ..SandboxConfig::default() }).unwrap();
    let (slow, other) =
        (sandbox.load(support::minimal()).await.unwrap(), sandbox.load(support::minimal()).await.unwrap());
    let named = |name: &str| {
        let shop = shop();
        Arc::new(ShopContext {
            name: ShopName::parse(name).unwrap(),
            secrets: shop.secrets.clone(),
            key_sets: Arc::clone(&shop.key_sets),
            settings_json: shop.settings_json.clone(),
            unsigned: shop.unsigned,
            permissions: shop.permissions.clone(),
        })
    };
    let lasting = Arc::new(Known { delay: Duration::from_secs(60), broken: false });
    let begin = |adapter: &Adapter, shop: &Arc<ShopContext>| {
        let (adapter, shop, lasting) = (adapter.clone(), Arc::clone(shop), Arc::clone(&lasting));
        tokio::spawn(async move { adapter.handle(&shop, delivery("known/1"), lasting).await })
    };
    let (one, two, three) = (named("one"), named("two"), named("three"));
    let under_way = [begin(&slow, &one), begin(&slow, &one), begin(&slow, &two), begin(&slow, &three)];
    tokio::time::sleep(Duration::from_millis(100)).await;
    // Shop one has its one place, shop two the adapter's second; the others wait without taking a place of all.
    assert_eq!(sandbox.status().handle_places, 1);
    let handled = other.handle(&three, delivery("nothing"), surroundings()).await;
    assert!(handled.is_ok(), "{handled:?}");
    for run in under_way {
        assert!(matches!(run.await.unwrap().unwrap_err().kind, RunErrorKind::Busy | RunErrorKind::Time(_)));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_runs_at_once_share_the_places_and_all_end() {
    let sandbox = support::sandbox();
    let adapter = sandbox.load(support::minimal()).await.unwrap();
    let runs: Vec<_> = (0..500)
        .map(|run| {
            let adapter = adapter.clone();
            let path = if run % 5 == 0 { "/panic" } else { "/hmac" };
            tokio::spawn(async move { adapter.authenticate(&shop(), request(path)).await })
        })
        .collect();
    let mut accepted = 0;
    for run in runs {
        match run.await.unwrap() {
            Ok(authenticated) => {
                assert!(matches!(authenticated.decision, Decision::Accept { .. }));
                accepted += 1;
            }
            Err(error) => assert_eq!(error.kind.code(), "trap"),
        }
    }
    assert_eq!(accepted, 400);
    assert_eq!(sandbox.status().authenticate_places, limits::AUTHENTICATE_PLACES.default);
}

#[tokio::test]
async fn dropping_a_run_ends_it_and_frees_its_place() {
    let sandbox = support::sandbox();
    let adapter = sandbox.load(support::minimal()).await.unwrap();
    let slow = Arc::new(Known { delay: Duration::from_secs(60), broken: false });
    let shop = shop();
    let run = adapter.handle(&shop, delivery("known/1"), slow);
    assert!(tokio::time::timeout(Duration::from_millis(100), run).await.is_err());
    let status = sandbox.status();
    assert_eq!((status.handle_places, status.memory), (limits::HANDLE_PLACES.default, 0));
    assert!(status.ticking);
}
