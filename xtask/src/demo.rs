//! `cargo xtask demo`: a shop, Bursar and an LMS on this machine, and what becomes of the shop's webhooks.
//!
//! Owns the order of things: build, set up, play, show, stay, stop. Both servers are the real binaries; only the LMS is
//! simulated, and the one API of a shop that an adapter asks.

mod child;
mod http;
mod odoo;
mod outcome;
mod play;
mod report;
mod rows;
mod shops;
mod site;

use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

use self::shops::{CAMPUS, OTHERS, Shop};
pub(crate) use self::site::binary;
use self::site::{RUN, Site};
use crate::stages::Stages;
use bursar_toolchain::command::cargo;

use crate::adapters::{self, Missing};
use crate::tool::{Result, run as run_tool};
use crate::{paths, say};

/// Where a demo that stays up keeps its files: short, because it is typed.
const DIRECTORY: &str = "demo";
/// Where one that does not stay up keeps them, out of the way.
const DIRECTORY_ONCE: &str = "demo-once";
/// How often there is a look whether everything still runs.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// How long the demo stays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Length {
    /// Until Ctrl-C.
    UntilStopped,
    /// Until the table is shown.
    Once,
}

/// Builds everything and shows it.
///
/// # Errors
///
/// When it cannot be built or shown. A row that is wrong is no error but a failure.
pub fn run(root: &Path, length: Length) -> Result<ExitCode> {
    let stop = stop_on_signals()?;
    let mut stages = Stages::begin();
    stages.run("building the adapters", || adapters::build(root))?;
    let missing = stages.run("building the adapters in JavaScript and Python", || adapters::build_what_can_be(root))?;
    stages.run("building bursar and the LMS simulator (the first time takes minutes)", || build(root))?;
    show(root, length, &missing, &mut stages, &stop)
}

/// Shows it with what has been built already.
///
/// # Errors
///
/// As [`run`].
pub fn run_built(root: &Path) -> Result<()> {
    let stop = stop_on_signals()?;
    let code = show(root, Length::Once, &[], &mut Stages::begin(), &stop)?;
    if code == ExitCode::SUCCESS { Ok(()) } else { Err("a row of the demo is not as it must be".into()) }
}

fn build(root: &Path) -> Result<()> {
    // The whole workspace, as `cargo xtask test` builds it: of fewer packages, wasmtime would have other features, and
    // whoever runs both would build it twice.
    run_tool(cargo().current_dir(root).args(["build", "--locked", "--workspace", "--bins"]))
}

/// Shows it, without the shops whose adapters are missing.
fn show(root: &Path, length: Length, missing: &[Missing], stages: &mut Stages, stop: &AtomicBool) -> Result<ExitCode> {
    let directory = match length {
        Length::UntilStopped => root.join(DIRECTORY),
        Length::Once => paths::target_directory(root).join(DIRECTORY_ONCE),
    };
    let others: Vec<&'static Shop> =
        OTHERS.iter().filter(|shop| !missing.iter().any(|adapter| adapter.name == shop.adapter)).collect();
    let mut site = stages.run("setting up shops, Bursar and an LMS (the first time compiles every adapter)", || {
        Site::start(root, &directory, &others)
    })?;
    let rows: Vec<_> = rows::ROWS.into_iter().chain(others.iter().map(|shop| rows::there_and_back(shop))).collect();
    let told = |row: &rows::Row| say::words(&format!("   {}: {}", row.shop.name, row.title));
    let played = stages.run("sending webhooks", || play::play(&mut site, &rows, stop, told))?;
    say::data(&format!("\n{}", report::report(&played)));
    for Missing { name, why } in missing {
        say::data(&format!("not played: {name}, because its adapter was not built: {why}"));
    }
    let code = if played.iter().all(|row| row.differences.is_empty()) { ExitCode::SUCCESS } else { ExitCode::FAILURE };
    if length == Length::UntilStopped {
        say::data(&by_hand(&site));
        while play::wait(LOOK_EVERY, stop).is_ok() {
            site.still_runs()?;
        }
        say::words("stopping");
    }
    drop(site);
    Ok(code)
}

fn by_hand(site: &Site) -> String {
    let Site { shop_address, lms_address, .. } = site;
    let send = |rest: &str| site.typed(&format!("webhook send {} --order 201 {rest}", CAMPUS.name));
    let product = format!("--product {} --email mallory@example.com", site::PRODUCT);
    format!(
        "
It stays up until Ctrl-C. In another terminal, in this directory, try:

  an order is paid          {}
  … and refunded            {}
  why has she the course?   {}
  what needs a person?      {}
  what did the shop send?   {}
  is all well?              {}

  webhooks go to            http://{shop_address}/webhooks/{}
  the server's readiness    {}
  the LMS's enrollments     curl http://{lms_address}/_simulator/state
  register somebody         curl http://{lms_address}/_simulator/people/register -d '{{\"username\": \"zoe\", \"email\": \"zoe@example.com\", \"activate\": true}}'
  logs and files            {}
  the course run is         {RUN}",
        send(&product),
        send(&format!("{product} --event refunded")),
        site.typed("learner show mallory@example.com"),
        site.typed("review list"),
        site.typed("deliveries list"),
        site.typed("doctor"),
        CAMPUS.name,
        site.typed_readiness(),
        paths::typed(&site.root, &site.directory),
    )
}

/// From now on these signals end the demo in good order.
fn stop_on_signals() -> Result<Arc<AtomicBool>> {
    let stop = Arc::new(AtomicBool::new(false));
    for signal in [SIGINT, SIGTERM, SIGHUP] {
        signal_hook::flag::register(signal, Arc::clone(&stop))?;
    }
    Ok(stop)
}
