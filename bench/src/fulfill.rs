//! Fulfillment where the LMS sets no limit: how many learners who wait are enrolled in a second.
//!
//! Owns the state to begin in: every order is handled and every account known, in a shop that only observes. When the host is
//! started again with the shop live, everything is due at once.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bursar_domain::{CourseRun, SystemClock, Username};
use bursar_lms::{Lms, LmsConfig, Priority};
use bursar_store::{Purpose, Store};
use tokio::runtime::Runtime;
use tokio::task::JoinSet;

use crate::Result;
use crate::arguments::Arguments;
use crate::burst::change;
use crate::figure::{Figure, Limit, words};
use crate::load;
use crate::orders;
use crate::servers::{CLIENT, KEY, RUN, Server, Shop, WOOCOMMERCE, buyer, enrolled, get};
use crate::statistics::{median, nanoseconds};

pub(crate) const NAMES: &[&str] = &["fulfillment.per_second"];

/// Learners who wait in one round.
const ORDERS: u64 = 5_000;
/// Rounds of subject and baseline, in turn.
const ROUNDS: u64 = 3;
/// Connections that bring the orders.
const CONNECTIONS: usize = 64;
/// Calls that the bare client has under way at a time: as many as the host has at an LMS.
const SIDE_BY_SIDE: u64 = 4;
/// How often the ledger is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(10);
/// How long a round may take before the measurement is given up.
const PATIENCE: Duration = Duration::from_secs(120);
/// No budget.
const UNLIMITED: &str = "\"unlimited\"";

/// Measures it.
pub(crate) fn measure(runtime: &Runtime, arguments: &Arguments) -> Result<Vec<Figure>> {
    let (mut subject, mut bare) = (Vec::new(), Vec::new());
    for round in 1..=ROUNDS {
        bare.push(bare_client(runtime, arguments)?);
        subject.push(runtime.block_on(host(arguments))?);
        words(&format!("fulfillment: round {round} of {ROUNDS}"));
    }
    Ok(vec![Figure {
        name: "fulfillment.per_second",
        unit: "/s",
        value: median(&subject),
        baseline: Some(median(&bare)),
        limit: Limit::AtLeast(1_000.0),
    }])
}

/// From the first answer of the host until everything that was due then is settled.
async fn host(arguments: &Arguments) -> Result<u64> {
    let lms = Server::simulator(arguments, "off", ORDERS).await?;
    let shop = |mode| Shop { mode, lms: lms.address, calls_per_minute: UNLIMITED, adapters: WOOCOMMERCE };
    let observing = Server::bursar(arguments, "fulfill", shop("observe")).await?;
    let store = Store::open(&observing.ledger(), Purpose::Tool).await?;
    let requests = orders::batch(1, ORDERS, KEY, observing.address)?;
    load::open(observing.address, requests.into(), CONNECTIONS, Duration::ZERO).await?;
    rest(&store).await?;
    if enrolled(&get(lms.address, "/_simulator/state").await?.1)? > 0 {
        return Err("a shop that observes has enrolled somebody".into());
    }

    let live = observing.again(arguments, shop("live")).await?;
    let began = Instant::now();
    let due = store.backlog().await?.enrollments;
    rest(&store).await?;
    let took = began.elapsed();
    store.close().await;
    drop(live);
    let enrolled = enrolled(&get(lms.address, "/_simulator/state").await?.1)?;
    if u64::try_from(enrolled)? != ORDERS {
        return Err(format!("{enrolled} of {ORDERS} learners were enrolled").into());
    }
    per_second(due, took)
}

/// Waits until nothing is to be done.
async fn rest(store: &Store) -> Result<()> {
    let began = Instant::now();
    loop {
        let backlog = store.backlog().await?;
        if backlog.deliveries + backlog.learners + backlog.enrollments == 0 {
            return Ok(());
        }
        if began.elapsed() > PATIENCE {
            return Err(format!("after {PATIENCE:?} this is still to be done: {backlog:?}").into());
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

/// The host's own HTTP client makes the same changes, and nothing else is done.
fn bare_client(runtime: &Runtime, arguments: &Arguments) -> Result<u64> {
    let server = runtime.block_on(Server::simulator(arguments, "off", ORDERS))?;
    // As many threads as the host has.
    let threads = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let config = LmsConfig {
        calls_per_minute: None,
        ..LmsConfig::new(format!("http://{}", server.address), CLIENT, KEY.into())
    };
    let lms = Lms::new(config, Arc::new(SystemClock))?.at(Priority::Purchase);
    let run = CourseRun::parse(RUN)?;
    let took = threads.block_on(async {
        lms.who_am_i().await?;
        let began = Instant::now();
        let mut workers: JoinSet<Result<()>> = JoinSet::new();
        for first in 1..=SIDE_BY_SIDE {
            let (lms, run) = (lms.clone(), run.clone());
            workers.spawn(async move {
                for number in (first..=ORDERS).step_by(usize::try_from(SIDE_BY_SIDE)?) {
                    lms.enroll(&change(Username::parse(&buyer(number))?, &run)?).await?;
                }
                Ok(())
            });
        }
        while let Some(done) = workers.join_next().await {
            done??;
        }
        Ok::<_, Box<dyn std::error::Error + Send + Sync>>(began.elapsed())
    })?;
    per_second(ORDERS, took)
}

/// In thousandths.
fn per_second(done: u64, took: Duration) -> Result<u64> {
    let thousandths = u128::from(done) * 1_000 * 1_000_000_000 / u128::from(nanoseconds(took).max(1));
    Ok(u64::try_from(thousandths)?)
}
