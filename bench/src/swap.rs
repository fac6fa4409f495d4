//! Replacing an adapter while webhooks come at a steady rate.
//!
//! Owns the builds that take each other's place: the same adapter with another mark at its end, so that each is compiled.

use std::fs;
use std::rc::Rc;
use std::time::Duration;

use crate::Result;
use crate::arguments::Arguments;
use crate::figure::{Figure, Limit, words};
use crate::servers::{KEY, Server, Shop, WOOCOMMERCE};
use crate::statistics::{at, median, nanoseconds};
use crate::{load, orders};

pub(crate) const NAMES: &[&str] = &["swap.p99_ms_at_200"];

/// Webhooks under way at most.
const CONNECTIONS: usize = 64;
/// The steady rate, one each 5 ms.
const EVERY: Duration = Duration::from_millis(5);
/// Webhooks of a round: eight seconds of them.
const ORDERS: u64 = 1_600;
/// Rounds with and without swaps, in turn.
const ROUNDS: u64 = 3;
/// Between two swaps: a file is read after it was the same for 400 ms, and compiled then.
const BETWEEN: Duration = Duration::from_secs(2);
/// Swaps of a round.
const SWAPS: u64 = 3;

/// Measures it. A webhook that is not answered 200 is an error.
pub(crate) async fn measure(arguments: &Arguments) -> Result<Vec<Figure>> {
    let lms = Server::simulator(arguments, "on", 1).await?;
    let shop = Shop { mode: "paused", lms: lms.address, calls_per_minute: "90", adapters: WOOCOMMERCE };
    let server = Server::bursar(arguments, "swap", shop).await?;
    let (mut undisturbed, mut swapped) = (Vec::new(), Vec::new());
    for round in 0..ROUNDS {
        for swaps in [false, true] {
            let first = 1 + (2 * round + u64::from(swaps)) * ORDERS;
            let requests = Rc::new(orders::batch(first, ORDERS, KEY, server.address)?);
            let sending = load::open(server.address, requests, CONNECTIONS, EVERY);
            let took = if swaps { tokio::try_join!(sending, swap(&server, round))?.0 } else { sending.await? };
            if swaps { &mut swapped } else { &mut undisturbed }.push(at(&took, 990));
        }
        words(&format!("swap: round {} of {ROUNDS}", round + 1));
    }
    let micros = |late: &[Duration]| nanoseconds(median(late)) / 1_000;
    Ok(vec![Figure {
        name: "swap.p99_ms_at_200",
        unit: "ms",
        value: micros(&swapped),
        baseline: Some(micros(&undisturbed)),
        limit: Limit::RatioAtMost(2.0),
    }])
}

async fn swap(server: &Server, round: u64) -> Result<()> {
    let file = server.adapters().join("woocommerce.wasm");
    let beside = server.adapters().join("beside");
    for number in 0..SWAPS {
        tokio::time::sleep(BETWEEN).await;
        let mut component = fs::read(&file)?;
        // An empty custom section of its own: id, length, length of the name, name.
        component.extend([0, 3, 2, u8::try_from(round)?, u8::try_from(number)?]);
        fs::write(&beside, component)?;
        fs::rename(&beside, &file)?;
    }
    Ok(())
}
