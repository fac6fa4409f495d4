//! The program itself: how large, how soon ready, how much memory when nothing happens.

use std::time::Duration;

use crate::Result;
use crate::arguments::Arguments;
use crate::figure::{Figure, Limit};
use crate::servers::{Server, Shop};
use crate::statistics::{median, nanoseconds};

pub(crate) const NAMES: &[&str] = &["binary.mb", "startup.ms", "idle.memory_mb"];

/// Starts of each server.
const STARTS: usize = 5;
/// After it answers, what starting needed is given back.
const SETTLING: Duration = Duration::from_secs(2);
/// Bytes of a thousandth of a megabyte.
const KILOBYTE: u64 = 1_000;

/// Measures them.
pub(crate) async fn measure(arguments: &Arguments) -> Result<Vec<Figure>> {
    let binary = std::fs::metadata(&arguments.bursar)?.len() / KILOBYTE;
    let lms = Server::simulator(arguments, "on", 1).await?;
    let shop = Shop { mode: "live", lms: lms.address, calls_per_minute: "90" };
    let (mut started, mut bare_started) = (Vec::new(), Vec::new());
    for _ in 0..STARTS {
        started.push(nanoseconds(Server::bursar(arguments, "startup", shop).await?.started_in) / 1_000);
        bare_started.push(nanoseconds(Server::bare(arguments, "startup-bare").await?.started_in) / 1_000);
    }
    let bursar = Server::bursar(arguments, "idle", shop).await?;
    let bare = Server::bare(arguments, "idle-bare").await?;
    tokio::time::sleep(SETTLING).await;
    let kilobytes = |kib: u64| kib * 1_024 / KILOBYTE;
    let (memory, bare_memory) = (kilobytes(bursar.resident_kib()?), kilobytes(bare.resident_kib()?));
    let figure = |name, unit, value, baseline, limit| Figure { name, unit, value, baseline, limit };
    Ok(vec![
        figure("binary.mb", "MB", binary, None, Limit::AtMost(60.0)),
        figure("startup.ms", "ms", median(&started), Some(median(&bare_started)), Limit::None),
        figure("idle.memory_mb", "MB", memory, Some(bare_memory), Limit::AtMost(80.0)),
    ])
}
