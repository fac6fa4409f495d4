//! How long `authenticate` takes on a small Rust adapter that checks an HMAC-SHA256 over a body of 3 KB.
//!
//! `cargo run -p bursar-sandbox --release --example authenticate_speed`

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    dead_code,
    unreachable_pub,
    missing_docs,
    reason = "a measurement prints, fails by panicking and uses a part of the tests' support"
)]

#[path = "../tests/support/mod.rs"]
mod support;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use bursar_sandbox::Decision;

const RUNS: usize = 20_000;
const WARM_UP: usize = 2_000;
const BODY: usize = 3 << 10;

fn main() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let started = Instant::now();
        let adapter = support::sandbox().load(support::minimal()).await.unwrap();
        println!("load (build, inspect, compile, describe): {:?}", started.elapsed());
        let shop = support::shop();
        for (name, path) in [("ignore", "/ignore"), ("hmac over 3 KB", "/hmac")] {
            let request = support::request_with(path, &vec![b'x'; BODY], |_| {});
            let mut took = Vec::with_capacity(RUNS);
            for run in 0..WARM_UP + RUNS {
                let started = Instant::now();
                let authenticated = adapter.authenticate(&shop, Arc::clone(&request)).await.unwrap();
                let elapsed = started.elapsed();
                assert!(!matches!(authenticated.decision, Decision::Problem(_)));
                if run >= WARM_UP {
                    took.push(elapsed);
                }
            }
            took.sort_unstable();
            let at = |per_mille: usize| took.get(RUNS * per_mille / 1_000).copied().unwrap_or(Duration::MAX);
            println!("{name}: median {:?}, p95 {:?}, p99 {:?}, fastest {:?}", at(500), at(950), at(990), took[0]);
        }
    });
}
