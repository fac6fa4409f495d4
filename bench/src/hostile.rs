//! What adapters that misbehave cost a shop that does not: how late its answers are beside each, and undisturbed.
//!
//! Owns how hard each guest is driven. Which guests there are, and what their shops need, says `tests/hostile/guests.toml`; what must
//! become of each is the tests' matter.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::rc::Rc;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use end_to_end::hostile::{Guest, guests as rows, neighbours::Neighbours};
use end_to_end::plan::{Plan, Shop};
use end_to_end::site::Site;
use tokio::runtime::Runtime;

use crate::Result;
use crate::figure::{Figure, Limit, words};
use crate::load;
use crate::orders;
use crate::servers::{KEY, MODE, buyer};
use crate::statistics::{at, nanoseconds};

/// What the names of its figures begin with.
const NAME: &str = "hostile.";

/// Requests of the well-behaved shop in each phase; each is of a learner of its own.
const ORDERS: u64 = 600;
/// As many as that before them, not counted.
const WARM_UP: u64 = 200;
/// One after this long, for ever. A busy shop sends some in a minute.
const EVERY: Duration = Duration::from_millis(10);
/// Connections that bring them.
const CONNECTIONS: usize = 16;
/// How many of the guest's requests are sent in a second, each on a connection of its own.
const STRIKES_PER_SECOND: u32 = 10;
/// How long the guest has been at it when measuring begins.
const LEAD: Duration = Duration::from_secs(1);
/// How long whoever strikes waits for an answer.
const PATIENCE: Duration = Duration::from_secs(5);

static GUESTS: LazyLock<Vec<(&'static str, Guest)>> = LazyLock::new(|| {
    let named = |guest: Guest| (&*format!("{NAME}{}.p99_ms", guest.name).leak(), guest);
    rows().into_iter().map(named).collect()
});

/// The names of all figures.
pub(crate) fn guests() -> impl Iterator<Item = &'static str> {
    GUESTS.iter().map(|(name, _)| *name)
}

/// Measures beside one guest.
pub(crate) fn measure(runtime: &Runtime, name: &'static str) -> Result<Figure> {
    let (_, guest) = GUESTS.iter().find(|(known, _)| *known == name).ok_or("there is no such guest")?;
    let neighbours = Neighbours::open();
    let site = site(guest, &neighbours);
    let batch = |first| orders::batch(first, ORDERS, KEY, site.address()).map(Rc::new);
    let send = |requests| runtime.block_on(load::open(site.address(), requests, CONNECTIONS, EVERY));
    let warm_up = orders::batch(1, WARM_UP, KEY, site.address())?;
    send(Rc::new(warm_up))?;
    let undisturbed = send(batch(WARM_UP + 1)?)?;
    let stop = AtomicBool::new(false);
    let beside = thread::scope(|scope| {
        let strikes = scope.spawn(|| strike(&site, guest, &neighbours, &stop));
        thread::sleep(LEAD);
        let beside = batch(WARM_UP + ORDERS + 1).and_then(send);
        stop.store(true, Ordering::Relaxed);
        // It cannot panic, and nothing is made of what it did.
        let _ = strikes.join();
        beside
    });
    let micros = |took: &[Duration]| nanoseconds(at(took, 990)) / 1_000;
    let value = beside.map_or_else(
        |error| {
            words(&format!("{name}: the shop beside it was not served: {error}"));
            u64::MAX
        },
        |took| micros(&took),
    );
    Ok(Figure { name, unit: "ms", value, baseline: Some(micros(&undisturbed)), limit: Limit::RatioAtMost(2.0) })
}

/// A site with the well-behaved shop and the guest's.
fn site(guest: &Guest, neighbours: &Neighbours) -> Site {
    let learners: Vec<String> = (1..=WARM_UP + 2 * ORDERS).map(buyer).collect();
    let learners: Vec<&str> = learners.iter().map(String::as_str).collect();
    let plan = Plan::new(&learners)
        .shops([Shop::new(orders::SHOP).secret(KEY), guest.shop(neighbours)])
        .lms(&neighbours.silent_lms());
    let mut site = Site::at_rest(plan);
    site.import(
        orders::SHOP,
        &format!("sku:{},{},{MODE}\nsku:BOOK-1,,\nsku:BOOK-2,,\n", orders::PRODUCT, end_to_end::lms::CS101),
    );
    guest.settle(&site);
    site.serve();
    site
}

/// Sends the guest's requests until told to stop. What they are answered is the tests' matter.
fn strike(site: &Site, guest: &Guest, neighbours: &Neighbours, stop: &AtomicBool) {
    let (address, bytes) = (site.address(), guest.request(neighbours));
    thread::scope(|scope| {
        while !stop.load(Ordering::Relaxed) {
            scope.spawn(|| {
                let Ok(mut stream) = TcpStream::connect(address) else { return };
                let _ = stream.set_read_timeout(Some(PATIENCE));
                let _ = stream.write_all(&bytes);
                let _ = stream.read(&mut [0; 1_024]);
            });
            thread::sleep(Duration::from_secs(1) / STRIKES_PER_SECOND);
        }
    });
}
