//! Every adapter that misbehaves, as `tests/hostile/guests.toml` lists them, in the real program, beside a shop that is served well.
//!
//! A binary of its own, so that nothing else is tested while they do their worst.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr,
    missing_docs,
    reason = "tests fail by panicking"
)]

use std::collections::BTreeSet;
use std::fs;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use bursar_store::inbox::DeliveryState;
use bursar_store::people::DeliverySummary;
use end_to_end::hostile::neighbours::Neighbours;
use end_to_end::hostile::{self, Guest, HARMLESS, REFUSED, Where, guests};
use end_to_end::lms::CS101;
use end_to_end::plan::{API_KEY, CAMPUS, Plan, SECRET, Shop};
use end_to_end::site::{Site, request};
use end_to_end::wait::{until, until_some};
use end_to_end::woocommerce::{Order, headers, signature};
use end_to_end::{http, lms};

/// How many requests each guest gets, all at once. Fewer than an adapter is quarantined after, so that each shows how it ends.
const STRIKES: usize = 2;

/// How many it gets in a crowd: more than there are places for all shops together.
const CROWD: usize = 40;

/// Those that are sent a crowd: each keeps something for as long as it can that others need.
const IN_CROWDS: [&str; 6] = [
    "sleeps-in-authenticate",
    "spins-in-authenticate",
    "grows-in-authenticate",
    "keeps-many-rooms",
    "spins-in-handle",
    "grows-in-handle",
];

/// What one run may take, in KiB, and what everything else that goes on may take meanwhile.
const RUN_KIB: u64 = 64 << 10;
const SLACK_KIB: u64 = 128 << 10;

/// What an attempt of a guest may have the process take: a run for each request, of each of the two calls.
const BUDGET_KIB: u64 = 2 * (STRIKES as u64) * RUN_KIB + SLACK_KIB;

/// What a crowd may: as many runs as one shop has at a time.
const CROWD_BUDGET_KIB: u64 = 2 * 8 * RUN_KIB + SLACK_KIB;

/// A request's time is the longest that may be: who else uses this machine is not what is tested. A delivery's is left as it is, though
/// what runs into that end is waited for: whatever computes until it is stopped takes turns with its like, and where many do they need
/// most of the time that there is.
const LIMITS: &str = "[limits]\nauthenticate_wall = \"4s\"\n";

/// At a start one file is loaded after the other. Compiling a guest that is small takes a moment, also where everything else is more
/// urgent.
const LIMITS_OF_LOADING: &str = "[limits]\nauthenticate_wall = \"4s\"\nhandle_wall = \"15s\"\ncompile_time = \"15s\"\n";

/// One site at a time, so that each is only harmed by its own guests.
static ALONE: Mutex<()> = Mutex::new(());

/// The learners of the shop that is served well.
const LEARNERS: usize = 20;

/// How often that shop sends an order.
const EVERY: Duration = Duration::from_millis(100);

#[test]
fn every_guest_has_a_row_and_every_row_a_guest() {
    let rows: Vec<String> = guests().into_iter().map(|guest| guest.name).collect();
    let named: BTreeSet<String> = rows.iter().cloned().collect();
    assert_eq!(named.len(), rows.len(), "a guest has two rows");
    assert_eq!(named, hostile::known());
    assert!(rows.len() >= 30);
}

#[test]
fn what_misbehaves_when_it_is_loaded_is_refused() {
    play(Where::Load);
}

#[test]
fn what_misbehaves_while_a_shop_waits_is_stopped() {
    play(Where::Authenticate);
}

#[test]
fn what_misbehaves_when_a_delivery_is_handled_is_stopped() {
    play(Where::Handle);
}

#[test]
fn a_crowd_at_one_shop_leaves_the_others_what_they_need() {
    let guests: Vec<Guest> = guests().into_iter().filter(|guest| IN_CROWDS.contains(&guest.name.as_str())).collect();
    assert_eq!(guests.len(), IN_CROWDS.len());
    beside_a_good_shop(&guests, LIMITS, |site, neighbours| {
        let mut wrong = Vec::new();
        for guest in &guests {
            let taken = taken(site, || {
                answers(site, neighbours, guest, CROWD);
            });
            wrong.extend(over_budget(guest, taken, CROWD_BUDGET_KIB));
        }
        wrong
    });
}

/// Plays all guests that misbehave there, in one process.
fn play(place: Where) {
    let guests: Vec<Guest> = guests().into_iter().filter(|guest| guest.place == place).collect();
    let limits = if place == Where::Load { LIMITS_OF_LOADING } else { LIMITS };
    beside_a_good_shop(&guests, limits, |site, neighbours| strike_all(site, neighbours, &guests));
}

/// Has something happen at a site of these guests, while a good shop sends orders to it. What happens says what went wrong.
fn beside_a_good_shop(guests: &[Guest], limits: &str, happens: impl FnOnce(&Site, &Neighbours) -> Vec<String>) {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let learners: Vec<String> = (0..LEARNERS).map(learner).collect();
    let learners: Vec<&str> = learners.iter().map(String::as_str).collect();
    let neighbours = Neighbours::open();
    let shops = guests.iter().map(|guest| guest.shop(&neighbours));
    let shops = [Shop::new(CAMPUS)].into_iter().chain(shops);
    let mut site = Site::at_rest(Plan::new(&learners).top(limits).shops(shops).lms(&neighbours.silent_lms()));
    site.sell();
    for guest in guests {
        guest.settle(&site);
    }
    site.serve();
    assert!(site.process().peak_kib() < 2 * SLACK_KIB, "loading took {} MiB", site.process().peak_kib() >> 10);

    let (address, stop) = (site.address(), AtomicBool::new(false));
    let (wrong, sent) = thread::scope(|scope| {
        let well = scope.spawn(|| serve_well(address, &stop));
        let stopping = Stopping(&stop);
        let wrong = happens(&site, &neighbours);
        drop(stopping);
        (wrong, well.join().unwrap())
    });
    assert!(wrong.is_empty(), "{} things are wrong:\n{}", wrong.len(), wrong.join("\n"));
    served_well(&site, sent);
    assert_eq!(neighbours.private.asked(), 0, "somebody reached a private address");
    nothing_leaked(&site);
}

/// Has every guest do its worst, one after the other, and says what was not as its row says. Those that only wait are begun first
/// and judged last.
fn strike_all(site: &Site, neighbours: &Neighbours, guests: &[Guest]) -> Vec<String> {
    let mut wrong = Vec::new();
    let (waiting, others): (Vec<&Guest>, Vec<&Guest>) =
        guests.iter().partition(|guest| guest.place == Where::Handle && guest.ends == "time");
    for guest in &waiting {
        wrong.extend(strike(site, neighbours, guest));
    }
    for guest in others {
        let taken = taken(site, || {
            wrong.extend(strike(site, neighbours, guest));
            wrong.extend(came_to(site, guest));
        });
        wrong.extend(over_budget(guest, taken, BUDGET_KIB));
    }
    for guest in waiting {
        wrong.extend(came_to(site, guest));
    }
    wrong
}

/// The most memory that the process took more than before while something happened, in KiB.
fn taken(site: &Site, happens: impl FnOnce()) -> u64 {
    site.process().forget_peak();
    let before = site.process().resident_kib();
    happens();
    site.process().peak_kib().saturating_sub(before)
}

fn over_budget(guest: &Guest, taken: u64, budget: u64) -> Option<String> {
    eprintln!("{} took {} MiB", guest.name, taken >> 10);
    (taken > budget).then(|| format!("{}: took {} MiB", guest.name, taken >> 10))
}

fn strike(site: &Site, neighbours: &Neighbours, guest: &Guest) -> Option<String> {
    let stop = AtomicBool::new(false);
    let answers = thread::scope(|scope| {
        let _stopping = Stopping(&stop);
        scope.spawn(|| guest.be_restless(site, &stop));
        answers(site, neighbours, guest, STRIKES)
    });
    (answers != [guest.answered; STRIKES]).then(|| format!("{}: its shop was answered {answers:?}", guest.name))
}

/// What so many requests are answered, all sent at once.
fn answers(site: &Site, neighbours: &Neighbours, guest: &Guest, count: usize) -> Vec<u16> {
    let (address, bytes) = (site.address(), guest.request(neighbours));
    thread::scope(|scope| {
        let strikes: Vec<_> = (0..count).map(|_| scope.spawn(|| http::exchange(address, &bytes).status)).collect();
        strikes.into_iter().map(|strike| strike.join().unwrap()).collect()
    })
}

/// What is not as the guest's row says.
fn came_to(site: &Site, guest: &Guest) -> Option<String> {
    let wrong = |what: String| Some(format!("{}: {what}", guest.name));
    let says = guest.says.as_deref().unwrap_or_default();
    if guest.ends == REFUSED {
        let file = format!("/{}.wasm", guest.name);
        let told = site.log().events_of("a file is no adapter that can run");
        let told = told.iter().find(|event| event["file"].as_str().unwrap().ends_with(&file));
        let Some(told) = told else { return wrong("was loaded".to_owned()) };
        if !told["reason"].as_str().unwrap().contains(says) {
            return wrong(format!("was refused, because {}", told["reason"]));
        }
        let states = site.ledger.states_of(&guest.name);
        return (states != [DeliveryState::Parked; STRIKES]).then(|| format!("{}: {states:?}", guest.name));
    }
    if guest.answered != 200 {
        // Nothing is kept of it, so the log says it.
        let of_shop = |event: &serde_json::Value| event["shop"] == guest.name.as_str();
        let event = until_some(&format!("{} is told", guest.name), || {
            site.log().events().into_iter().find(|event| of_shop(event) && event["code"].is_string())
        });
        return (event["code"] != guest.ends.as_str()).then(|| format!("{}: {event}", guest.name));
    }
    let deliveries = ended(site, guest);
    let codes: Vec<(String, String)> = deliveries.iter().map(end).collect();
    let as_told = |(code, words): &(String, String)| *code == guest.ends && words.contains(says);
    (!codes.iter().all(as_told)).then(|| format!("{}: {codes:?}", guest.name))
}

/// The guest's deliveries, once each has been tried.
fn ended(site: &Site, guest: &Guest) -> Vec<DeliverySummary> {
    until_some(&format!("{} has done its worst", guest.name), || {
        let deliveries = site.ledger.deliveries_of(&guest.name);
        let tried = |delivery: &DeliverySummary| delivery.state.is_final() || delivery.problem.is_some();
        (deliveries.len() == STRIKES && deliveries.iter().all(tried)).then_some(deliveries)
    })
}

/// The code of an end, and the words for it.
fn end(delivery: &DeliverySummary) -> (String, String) {
    match (&delivery.problem, delivery.state) {
        (_, DeliveryState::Done | DeliveryState::Ignored) => (HARMLESS.to_owned(), String::new()),
        (Some((code, words)), _) => (code.clone(), words.clone()),
        (None, state) => (state.to_string(), String::new()),
    }
}

/// Says stop when it is dropped, also by a panic: a thread that goes on for ever would be waited for.
struct Stopping<'a>(&'a AtomicBool);

impl Drop for Stopping<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

fn learner(number: usize) -> String {
    format!("learner{number}")
}

/// Sends orders as an ordinary shop would until told to stop, and gives how many. Every answer must be 200.
fn serve_well(address: SocketAddr, stop: &AtomicBool) -> usize {
    let mut sent = 0;
    while !stop.load(Ordering::Relaxed) {
        sent += 1;
        let order = Order::paid(u64::try_from(sent).unwrap(), &lms::email(&learner(sent % LEARNERS)), &[11]).body();
        let headers = headers("order.updated", &signature(&order, SECRET));
        assert_eq!(http::exchange(address, &request(CAMPUS, &headers, &order)).status, 200, "order {sent}");
        thread::sleep(EVERY);
    }
    sent
}

/// Every order was handled, and every learner has what they bought.
fn served_well(site: &Site, sent: usize) {
    until("every order is handled", || {
        let states = site.ledger.states_of(CAMPUS);
        states.len() == sent.min(1_000) && states.iter().all(|state| *state == DeliveryState::Done)
    });
    let learners: BTreeSet<usize> = (1..=sent).map(|order| order % LEARNERS).collect();
    for number in learners {
        site.settled_as(&learner(number), CS101, "verified", true);
    }
    assert!(site.ledger.reviews().iter().all(|review| review.shop.as_ref().is_none_or(|shop| shop.as_str() != CAMPUS)));
}

/// No secret stands where somebody may read it.
fn nothing_leaked(site: &Site) {
    let mut places = vec![("the log".to_owned(), site.log().lines().join("\n").into_bytes())];
    for file in ["bursar.db", "bursar.db-wal"] {
        places.push((file.to_owned(), fs::read(site.path(file)).unwrap_or_default()));
    }
    for (place, bytes) in places {
        for secret in [SECRET, API_KEY, lms::CLIENT_SECRET] {
            assert!(!bytes.windows(secret.len()).any(|part| part == secret.as_bytes()), "a secret is in {place}");
        }
    }
}
