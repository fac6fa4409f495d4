//! Accepting webhooks: how many a second, and how late at a steady rate.

use std::collections::BTreeSet;
use std::rc::Rc;
use std::time::Duration;

use crate::Result;
use crate::arguments::Arguments;
use crate::figure::{Figure, Limit, words};
use crate::servers::{KEY, Server, Shop, WOOCOMMERCE, subjects};
use crate::statistics::{at, median, nanoseconds};
use crate::{load, orders};

pub(crate) const THROUGHPUT_NAMES: &[&str] = &["accept.per_second", "accept.per_second_while_handling"];
pub(crate) const LATE_NAMES: &[&str] = &["accept.p99_ms_at_200", "accept.median_ms_at_200"];

/// Requests under way at a time: enough for the group commit to have something to group.
const CONNECTIONS: usize = 64;
/// Rounds of each server, in turn, so that whatever else the machine does concerns all of them.
const ROUNDS: u64 = 5;
const ROUND: Duration = Duration::from_secs(3);
/// Before the first round, not counted.
const WARM_UP: Duration = Duration::from_secs(1);
/// Different orders in a round. They come round again; every webhook is a row all the same.
const ORDERS: u64 = 4_096;

/// The steady rate, one each 5 ms.
const EVERY: Duration = Duration::from_millis(5);
const LATE_ROUNDS: u64 = 3;
const LATE_ORDERS: u64 = 1_600;

/// The budget that an operator has by default.
const CALLS: &str = "90";

/// A thousandth of the unit is what figures are kept in.
const THOUSANDTHS: u128 = 1_000;

/// How many webhooks a second each server takes.
pub(crate) async fn throughput(arguments: &Arguments) -> Result<Vec<Figure>> {
    let lms = Server::simulator(arguments, "on", 1).await?;
    let shop = |mode| Shop { mode, lms: lms.address, calls_per_minute: CALLS, adapters: WOOCOMMERCE };
    let bare = Server::bare(arguments, "accept-bare").await?;
    let paused = Server::bursar(arguments, "accept-paused", shop("paused")).await?;
    let mut taken = [Vec::new(), Vec::new()];
    let mut answered = [0_u64; 2];
    for server in [&bare, &paused] {
        round(server, WARM_UP).await?;
    }
    let before = [subjects(&bare.ledger()).await?.len(), subjects(&paused.ledger()).await?.len()];
    for number in 1..=ROUNDS {
        for ((server, taken), answered) in [&bare, &paused].into_iter().zip(&mut taken).zip(&mut answered) {
            let done = round(server, ROUND).await?;
            *answered += done.answered;
            taken.push(per_second(done));
        }
        words(&format!("accept: round {number} of {ROUNDS}"));
    }
    for ((server, answered), before) in [&bare, &paused].into_iter().zip(answered).zip(before) {
        let kept = subjects(&server.ledger()).await?.len() - before;
        if u64::try_from(kept)? != answered {
            return Err(format!("{answered} webhooks were answered 200 and {kept} are in the ledger").into());
        }
    }
    let [bare_taken, paused_taken] = taken;
    drop(paused);

    let live = Server::bursar(arguments, "accept-live", shop("live")).await?;
    let mut live_taken = Vec::new();
    for _ in 0..ROUNDS {
        live_taken.push(per_second(round(&live, ROUND).await?));
    }
    let figure = |name, value: &[u64], limit| Figure {
        name,
        unit: "/s",
        value: median(value),
        baseline: Some(median(&bare_taken)),
        limit,
    };
    Ok(vec![
        figure("accept.per_second", &paused_taken, Limit::RatioAtLeast(0.5)),
        figure("accept.per_second_while_handling", &live_taken, Limit::None),
    ])
}

async fn round(server: &Server, duration: Duration) -> Result<load::Closed> {
    let requests = orders::batch(1, ORDERS, KEY, server.address)?;
    load::closed(server.address, Rc::new(requests), CONNECTIONS, duration).await
}

fn per_second(done: load::Closed) -> u64 {
    let thousandths = u128::from(done.answered) * THOUSANDTHS * 1_000_000_000 / done.took.as_nanos().max(1);
    u64::try_from(thousandths).unwrap_or(u64::MAX)
}

/// How late answers are at 200 webhooks a second, while everything that follows from them goes on.
pub(crate) async fn latency(arguments: &Arguments) -> Result<Vec<Figure>> {
    let lms = Server::simulator(arguments, "on", 1).await?;
    let shop = Shop { mode: "live", lms: lms.address, calls_per_minute: CALLS, adapters: WOOCOMMERCE };
    let bare = Server::bare(arguments, "late-bare").await?;
    let live = Server::bursar(arguments, "late-live", shop).await?;
    let mut late = [Vec::new(), Vec::new()];
    let mut usual = [Vec::new(), Vec::new()];
    for number in 0..LATE_ROUNDS {
        for ((server, late), usual) in [&bare, &live].into_iter().zip(&mut late).zip(&mut usual) {
            let first = 1 + number * LATE_ORDERS;
            let requests = orders::batch(first, LATE_ORDERS, KEY, server.address)?;
            let took = load::open(server.address, Rc::new(requests), CONNECTIONS, EVERY).await?;
            late.push(at(&took, 990));
            usual.push(median(&took));
        }
        words(&format!("accept at 200 a second: round {} of {LATE_ROUNDS}", number + 1));
    }
    for server in [&bare, &live] {
        let kept = subjects(&server.ledger()).await?;
        let different: BTreeSet<&String> = kept.iter().collect();
        let sent = usize::try_from(LATE_ROUNDS * LATE_ORDERS)?;
        if different.len() != sent || kept.len() != sent {
            return Err(
                format!("{sent} orders were sent; {} are kept, {} different", kept.len(), different.len()).into()
            );
        }
    }
    let figure = |name, [bare, live]: [Vec<Duration>; 2], limit| Figure {
        name,
        unit: "ms",
        value: micros(median(&live)),
        baseline: Some(micros(median(&bare))),
        limit,
    };
    Ok(vec![
        figure("accept.p99_ms_at_200", late, Limit::AtMost(20.0)),
        figure("accept.median_ms_at_200", usual, Limit::None),
    ])
}

/// Thousandths of a millisecond.
fn micros(duration: Duration) -> u64 {
    nanoseconds(duration) / 1_000
}
