//! Measures what the project claims, each figure beside a baseline that is measured in the same run.
//!
//! Started by `cargo xtask bench`, which builds what is measured. How each figure is taken, and what was measured on which
//! machine, stands in `docs/benchmarks.md`.

mod accept;
mod arguments;
mod bare;
mod burst;
mod enroll;
mod figure;
mod fulfill;
mod hostile;
mod languages;
mod load;
mod made_up_time;
mod module;
mod native;
mod orders;
mod process;
mod runs;
mod servers;
mod statistics;
mod swap;

use std::error::Error;
use std::process::ExitCode;

use self::arguments::{Arguments, Task};
use self::figure::{Figure, Print};

/// What can go wrong is shown to the developer as it is.
pub(crate) type Result<T, E = Box<dyn Error + Send + Sync>> = std::result::Result<T, E>;

fn main() -> ExitCode {
    let task = arguments::parse(std::env::args().skip(1));
    let done = match task {
        Ok(Task::Measure(arguments)) => measure(&arguments),
        Ok(Task::ServeBare { directory, address }) => bare::serve(&directory, address).map(|()| true),
        Err(error) => Err(error),
    };
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            figure::words(&format!("bursar-bench: {error}"));
            ExitCode::FAILURE
        }
    }
}

/// Measures what was asked for, and says whether every limit was kept.
fn measure(arguments: &Arguments) -> Result<bool> {
    // One thread: the generator leaves the rest of the machine to what it measures.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let print = Print::begin(arguments.json);
    let mut all_kept = true;
    let mut show = |figures: Vec<Figure>| {
        for figure in figures.iter().filter(|figure| arguments.wants(figure.name)) {
            all_kept &= figure.ok();
            print.figure(figure);
        }
    };
    if arguments.wants_any(process::NAMES) {
        show(runtime.block_on(process::measure(arguments))?);
    }
    if arguments.wants_any(runs::NAMES) {
        show(runtime.block_on(runs::measure(arguments))?);
    }
    if arguments.wants_any(languages::NAMES) {
        show(runtime.block_on(languages::measure())?);
    }
    if arguments.wants_any(swap::NAMES) {
        show(runtime.block_on(swap::measure(arguments))?);
    }
    if arguments.wants_any(enroll::NAMES) {
        show(runtime.block_on(enroll::measure(arguments))?);
    }
    if arguments.wants_any(burst::NAMES) {
        show(burst::measure(arguments)?);
    }
    if arguments.wants_any(fulfill::NAMES) {
        show(fulfill::measure(&runtime, arguments)?);
    }
    if arguments.wants_any(accept::LATE_NAMES) {
        show(runtime.block_on(accept::latency(arguments))?);
    }
    if arguments.wants_any(accept::THROUGHPUT_NAMES) {
        show(runtime.block_on(accept::throughput(arguments))?);
    }
    // Nobody wants to wait for all of them who did not ask.
    for guest in hostile::guests().filter(|name| arguments.names(name)) {
        show(vec![hostile::measure(&runtime, guest)?]);
    }
    Ok(all_kept)
}
