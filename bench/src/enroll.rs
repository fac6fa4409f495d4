//! From a webhook to the course: how long a learner waits.

use std::time::{Duration, Instant};

use crate::Result;
use crate::arguments::Arguments;
use crate::figure::{Figure, Limit};
use crate::load::Connection;
use crate::orders;
use crate::servers::{KEY, Server, Shop, WOOCOMMERCE, enrolled, get};
use crate::statistics::{at, median, nanoseconds};

pub(crate) const NAMES: &[&str] = &["enroll.latency_ms", "enroll.latency_p99_ms"];

/// Orders, one after the other; each learner is new.
const ORDERS: u64 = 50;
/// Before them, not counted.
const WARM_UP: u64 = 3;
/// How often the LMS is looked at. This is the precision.
const LOOK_EVERY: Duration = Duration::from_millis(2);
/// How long one may take before the measurement is given up.
const PATIENCE: Duration = Duration::from_secs(20);

/// Measures it. The LMS is a simulator that answers at once, so this is Bursar's own part.
pub(crate) async fn measure(arguments: &Arguments) -> Result<Vec<Figure>> {
    let lms = Server::simulator(arguments, "off", WARM_UP + ORDERS).await?;
    let shop = Shop { mode: "live", lms: lms.address, calls_per_minute: "\"unlimited\"", adapters: WOOCOMMERCE };
    let bursar = Server::bursar(arguments, "enroll", shop).await?;
    let mut took = Vec::new();
    let mut connection = Connection::open(bursar.address).await?;
    let requests = orders::batch(1, WARM_UP + ORDERS, KEY, bursar.address)?;
    for (before, request) in requests.iter().enumerate() {
        let began = Instant::now();
        let (status, _) = connection.exchange(request).await?;
        if status != 200 {
            return Err(format!("a webhook was answered {status}").into());
        }
        while enrolled(&get(lms.address, "/_simulator/state").await?.1)? <= before {
            if began.elapsed() > PATIENCE {
                return Err("a learner was not enrolled".into());
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
        took.push(nanoseconds(began.elapsed()) / 1_000);
    }
    let counted = took.get(usize::try_from(WARM_UP)?..).unwrap_or_default();
    let figure = |name, value| Figure { name, unit: "ms", value, baseline: None, limit: Limit::AtMost(1_000.0) };
    Ok(vec![figure("enroll.latency_ms", median(counted)), figure("enroll.latency_p99_ms", at(counted, 990))])
}
