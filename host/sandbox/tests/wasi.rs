//! WASI is there, so that runtimes of languages find it, and it is empty.

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

use std::time::{Duration, Instant};

use bursar_sandbox::{Adapter, LogLevel, Logs, RunError, RunErrorClass, RunErrorKind, Sandbox, SandboxConfig, limits};
use support::{everything, request, request_with, sandbox, shop};

async fn adapter() -> Adapter {
    sandbox().load(everything()).await.unwrap()
}

async fn logs(what: &str) -> Logs {
    adapter().await.authenticate(&shop(), request(&format!("/wasi/{what}"))).await.unwrap().logs
}

async fn error(what: &str) -> RunError {
    adapter().await.authenticate(&shop(), request(&format!("/wasi/{what}"))).await.unwrap_err()
}

fn lines(logs: &Logs) -> Vec<(LogLevel, &str)> {
    logs.lines.iter().map(|line| (line.level, line.message.as_str())).collect()
}

#[tokio::test]
async fn there_is_no_environment_argument_directory_or_input() {
    assert_eq!(lines(&logs("what-there-is").await), [(LogLevel::Info, "0 0 None 0 true")]);
}

#[tokio::test]
async fn what_is_printed_is_logged_line_by_line_in_its_order_and_cleaned() {
    assert_eq!(
        lines(&logs("print").await),
        [
            (LogLevel::Info, "first"),
            (LogLevel::Warning, "a warning"),
            (LogLevel::Info, "logged"),
            (LogLevel::Info, "second \u{fffd}[31m"),
            (LogLevel::Info, "unfinished"),
        ]
    );
}

#[tokio::test]
async fn what_is_printed_counts_against_the_log() {
    let logs = logs("print-much/600").await;
    assert_eq!((logs.lines.len(), logs.dropped), (limits::LOG_LINES.default, 100));
}

#[tokio::test]
async fn the_clock_stands_at_the_moment_of_receipt() {
    let seconds = support::RECEIVED / 1_000;
    assert_eq!(lines(&logs("clocks").await), [(LogLevel::Info, format!("{seconds} 0").as_str())]);
}

#[tokio::test]
async fn sleeping_passes_the_time_without_using_the_guests() {
    let authenticated = adapter().await.authenticate(&shop(), request("/wasi/sleep/300")).await.unwrap();
    let slept: u64 = authenticated.logs.lines[0].message.parse().unwrap();
    assert!((290..2_000).contains(&slept), "{slept} ms");
    assert!(authenticated.usage.cpu < Duration::from_millis(150), "{:?}", authenticated.usage);
}

#[tokio::test]
async fn sleeping_ends_with_the_runs_wall_clock_time() {
    let mut config = SandboxConfig::default();
    config.limits.authenticate_wall = Duration::from_millis(200);
    let adapter = Sandbox::new(config).unwrap().load(everything()).await.unwrap();
    let started = Instant::now();
    let error = adapter.authenticate(&shop(), request("/wasi/sleep/3600000")).await.unwrap_err();
    assert_eq!(error.kind, RunErrorKind::Time(Duration::from_millis(200)));
    assert!(started.elapsed() < Duration::from_secs(10));
}

#[tokio::test]
async fn randomness_is_the_same_for_the_same_request_and_differs_otherwise() {
    let adapter = adapter().await;
    let mut seen = Vec::new();
    for body in ["a", "a", "b"] {
        let request = request_with("/wasi/random/16", body.as_bytes(), |_| {});
        let logs = adapter.authenticate(&shop(), request).await.unwrap().logs;
        seen.push(logs.lines[0].message.clone());
    }
    assert!(seen[0].len() == 32 && seen[0] == seen[1] && seen[0] != seen[2], "{seen:?}");
}

#[tokio::test]
async fn randomness_has_an_end_and_so_have_pollables() {
    for what in [format!("random/{}", limits::RANDOM_BYTES + 1), "pollables".to_owned()] {
        let error = error(&what).await;
        assert_eq!((error.kind.code(), error.class()), ("trap", RunErrorClass::Adapter), "{what}: {error}");
    }
}

#[tokio::test]
async fn exit_ends_the_run_and_says_so() {
    for (what, status) in [("exit/0", 0), ("exit/1", 1)] {
        let error = error(what).await;
        assert_eq!(error.to_string(), format!("the adapter trapped: it called `exit` with status {status}"));
        assert_eq!(error.class(), RunErrorClass::Adapter);
    }
}
