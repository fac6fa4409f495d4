//! A burst: a thousand learners buy at once, and the LMS takes 120 calls a minute.
//!
//! Owns the proof that the budget is spent on changes. The host runs in this process, in made-up time, from `serve::Parts`;
//! the simulator's own throttle is on.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use bursar_domain::{Clock as _, CourseRun, Email, Mode, Username};
use bursar_lms::{AccountLookup, EnrollmentChange, Lms, LmsConfig, Priority};
use bursar_sandbox::{Sandbox, SandboxConfig};
use bursar_server::adapters::Adapters;
use bursar_server::config::{Config, Environment, SecretUse};
use bursar_server::gateway;
use bursar_server::serve::{self, Parts};
use openedx_simulator::{Options, STAFF_CALLS_PER_MINUTE, Simulator, State};
use tokio::net::TcpListener;
use tokio::sync::watch;

use crate::Result;
use crate::arguments::Arguments;
use crate::figure::{Figure, Limit, words};
use crate::load::Connection;
use crate::made_up_time::{self, MadeUpClock};
use crate::orders;
use crate::servers::{CLIENT, CONFIGURATION, KEY, MODE, RUN, Shop, WOOCOMMERCE, address_of, buyer, lms_state, set_up};
use crate::statistics::nanoseconds;

pub(crate) const NAMES: &[&str] =
    &["burst.lms_calls_per_line", "burst.naive_calls_per_line", "burst.minutes", "burst.naive_minutes"];

/// Orders of one line that sells a course, each of a learner of its own.
const ORDERS: u64 = 1_000;
/// Calls a minute that the host allows itself unless it is told otherwise.
const BUDGET: u64 = bursar_lms::CALLS_PER_MINUTE.get() as u64;
/// How often the ledger is looked at. This is the precision of minutes.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// After so long something hangs.
const PATIENCE: Duration = Duration::from_secs(2 * 3_600);

/// What a burst came to.
struct Burst {
    calls: u64,
    took: Duration,
}

/// Measures it.
pub(crate) fn measure(arguments: &Arguments) -> Result<Vec<Figure>> {
    let subject = made_up_time::run(|clock| bursar(arguments, clock))?;
    let naive = made_up_time::run(naive)?;
    words(&format!(
        "burst: {ORDERS} changes alone take {} min at {BUDGET} calls a minute and {} min at the LMS's {STAFF_CALLS_PER_MINUTE}",
        in_minutes(minutes_of_changes(BUDGET)),
        in_minutes(minutes_of_changes(u64::try_from(STAFF_CALLS_PER_MINUTE)?)),
    ));
    let per_line = |burst: &Burst| burst.calls * 1_000 / ORDERS;
    let minutes = |burst: &Burst| nanoseconds(burst.took) / 60_000_000;
    let figure = |name, unit, value, baseline, limit| Figure { name, unit, value, baseline, limit };
    let (calls, naive_calls) = (per_line(&subject), per_line(&naive));
    Ok(vec![
        figure("burst.lms_calls_per_line", "calls", calls, Some(naive_calls), Limit::AtMost(1.1)),
        figure("burst.naive_calls_per_line", "calls", naive_calls, None, Limit::None),
        figure("burst.minutes", "min", minutes(&subject), Some(minutes_of_changes(BUDGET)), Limit::None),
        figure("burst.naive_minutes", "min", minutes(&naive), Some(minutes_of_changes(BUDGET)), Limit::None),
    ])
}

/// What the changes alone take at this many calls a minute, in thousandths of a minute.
fn minutes_of_changes(calls_per_minute: u64) -> u64 {
    ORDERS * 1_000 / calls_per_minute
}

fn in_minutes(thousandths: u64) -> String {
    format!("{}.{:02}", thousandths / 1_000, thousandths % 1_000 / 10)
}

fn simulator(clock: &Arc<MadeUpClock>) -> Result<Simulator> {
    let state = State::from_json(&lms_state(ORDERS))?;
    Ok(Simulator::launch(Options::new(state).with_clock(Arc::clone(clock) as Arc<_>))?)
}

/// The host: everything that `bursar serve` starts.
async fn bursar(arguments: &Arguments, clock: Arc<MadeUpClock>) -> Result<Burst> {
    let lms = simulator(&clock)?;
    let budget = BUDGET.to_string();
    let shop = Shop { mode: "live", lms: lms.address(), calls_per_minute: &budget, adapters: WOOCOMMERCE };
    let directory = set_up(arguments, "burst", shop).await?;
    let config = Config::load(&directory.join(CONFIGURATION), &Environment::Process, SecretUse::Read)?;
    let sandbox = Sandbox::new(SandboxConfig::default())?;
    let adapters = Adapters::read(sandbox.clone(), &directory.join("adapters")).await?;
    let Parts { store, gateway, dispatcher, fulfillments, .. } =
        Parts::assemble(&config, &adapters, Arc::clone(&clock) as Arc<_>).await?;
    let listener = TcpListener::bind(config.server.listen).await?;
    let address = listener.local_addr()?;
    let (stop, stopped) = watch::channel(false);
    let router = gateway::router(Arc::new(gateway));
    let listening = tokio::spawn(serve::accept(listener, router, stopped.clone(), Duration::from_secs(5)));

    let began = clock.now();
    let mut shop = Connection::open(address).await?;
    for request in orders::batch(1, ORDERS, KEY, address)? {
        let (status, _) = shop.exchange(&request).await?;
        if status != 200 {
            return Err(format!("a webhook was answered {status}").into());
        }
    }
    drop(shop);
    // In made-up time all of this is one moment. Were learners looked up while it lasts, it would depend on the machine how
    // many of them one search is about.
    while dispatcher.pass().await > 0 {}
    let workers: Vec<_> = fulfillments.into_iter().map(|of| tokio::spawn(of.work(stopped.clone()))).collect();
    loop {
        let backlog = store.backlog().await?;
        if backlog.reviews > 0 {
            return Err("somebody is asked about an order".into());
        }
        if backlog.deliveries + backlog.learners + backlog.enrollments == 0 {
            break;
        }
        if clock.now().since(began) > PATIENCE {
            return Err(format!("after {PATIENCE:?} this is still to be done: {backlog:?}").into());
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
    let took = clock.now().since(began);
    stop.send_replace(true);
    for worker in workers.into_iter().chain([listening]) {
        worker.await?;
    }
    store.close().await;
    let calls = check(&lms)?;
    Ok(Burst { calls, took })
}

/// The least that a client does who knows nothing of the other lines: find the learner, look, change.
async fn naive(clock: Arc<MadeUpClock>) -> Result<Burst> {
    let simulator = simulator(&clock)?;
    let config = LmsConfig::new(simulator.url(), CLIENT, KEY.into());
    let lms = Lms::new(config, Arc::clone(&clock) as Arc<_>)?.at(Priority::Purchase);
    let run = CourseRun::parse(RUN)?;
    let began = clock.now();
    for number in 1..=ORDERS {
        let AccountLookup::Found(account) = lms.account_by_email(&Email::parse(&address_of(number))?).await? else {
            return Err("the LMS does not know a learner".into());
        };
        if lms.enrollment(&account.username, &run).await?.is_none() {
            lms.enroll(&change(account.username, &run)?).await?;
        }
    }
    let took = clock.now().since(began);
    Ok(Burst { calls: check(&simulator)?, took })
}

/// Gives what every order sells.
pub(crate) fn change(username: Username, run: &CourseRun) -> Result<EnrollmentChange> {
    let change = EnrollmentChange::new(username, run.clone());
    Ok(EnrollmentChange { mode: Some(Mode::parse(MODE)?), is_active: Some(true), ..change })
}

/// Everybody is enrolled as they paid, nobody else is, and the LMS never had to say that it was too much. Answers the
/// number of requests, all of them.
fn check(lms: &Simulator) -> Result<u64> {
    let wanted: BTreeSet<String> = (1..=ORDERS).map(buyer).collect();
    let rows = lms.snapshot().enrollments;
    let right = rows.iter().filter(|row| row.is_active && row.course == RUN && row.mode == MODE);
    let right: BTreeSet<String> = right.map(|row| row.username.clone()).collect();
    if right != wanted || rows.len() != wanted.len() {
        return Err(format!("{} of {} enrollments are right", right.intersection(&wanted).count(), rows.len()).into());
    }
    let requests = lms.requests();
    let throttled = requests.iter().filter(|request| request.status == Some(429)).count();
    if throttled > 0 {
        return Err(format!("{throttled} calls were answered 429").into());
    }
    Ok(u64::try_from(requests.len())?)
}
