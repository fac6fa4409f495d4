//! The program itself: how large, how soon ready with ten adapters, how much memory when nothing happens.

use std::time::Duration;

use crate::Result;
use crate::arguments::Arguments;
use crate::figure::{Figure, Limit, words};
use crate::servers::{Server, Shop, WOOCOMMERCE};
use crate::statistics::{median, nanoseconds};

pub(crate) const NAMES: &[&str] = &["binary.mb", "startup.ms", "idle.memory_mb", "idle.adapter_mb"];

/// Starts of each server.
const STARTS: usize = 5;
/// After it answers, what starting needed is given back.
const SETTLING: Duration = Duration::from_secs(2);
/// Bytes of a thousandth of a megabyte.
const KILOBYTE: u64 = 1_000;

/// Ten adapters in Rust: those of this project, and those of its tests.
const TEN: &[&str] = &[
    "woocommerce.wasm",
    "standard-webhooks.wasm",
    "saleor.wasm",
    "shopify.wasm",
    "stripe.wasm",
    "oscar.wasm",
    "mit-unified-ecommerce.wasm",
    "tests/facts.wasm",
    "tests/lms-calls.wasm",
    concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/components/0.1.0/rust.wasm"),
];

/// Measures them.
pub(crate) async fn measure(arguments: &Arguments) -> Result<Vec<Figure>> {
    let binary = std::fs::metadata(&arguments.bursar)?.len() / KILOBYTE;
    let lms = Server::simulator(arguments, "on", 1).await?;
    let shop = Shop { mode: "live", lms: lms.address, calls_per_minute: "90", adapters: WOOCOMMERCE };
    let ten = Shop { adapters: TEN, ..shop };
    let warm = Server::bursar(arguments, "startup", ten).await?;
    words(&format!("startup: {} ms where nothing is compiled yet, or what is left of it", warm.started_in.as_millis()));
    drop(warm);
    let (mut started, mut bare_started) = (Vec::new(), Vec::new());
    for _ in 0..STARTS {
        started.push(nanoseconds(Server::bursar(arguments, "startup", ten).await?.started_in) / 1_000);
        bare_started.push(nanoseconds(Server::bare(arguments, "startup-bare").await?.started_in) / 1_000);
    }
    let bursar = Server::bursar(arguments, "idle", shop).await?;
    let laden = Server::bursar(arguments, "idle-laden", ten).await?;
    let bare = Server::bare(arguments, "idle-bare").await?;
    tokio::time::sleep(SETTLING).await;
    let kilobytes = |kib: u64| kib * 1_024 / KILOBYTE;
    let (memory, bare_memory) = (kilobytes(bursar.resident_kib()?), kilobytes(bare.resident_kib()?));
    let more = u64::try_from(TEN.len() - WOOCOMMERCE.len())?;
    let of_one = kilobytes(laden.resident_kib()?).saturating_sub(memory) / more;
    let figure = |name, unit, value, baseline, limit| Figure { name, unit, value, baseline, limit };
    Ok(vec![
        figure("binary.mb", "MB", binary, None, Limit::AtMost(60.0)),
        figure("startup.ms", "ms", median(&started), Some(median(&bare_started)), Limit::AtMost(200.0)),
        figure("idle.memory_mb", "MB", memory, Some(bare_memory), Limit::AtMost(80.0)),
        figure("idle.adapter_mb", "MB", of_one, None, Limit::AtMost(2.0)),
    ])
}
