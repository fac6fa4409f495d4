//! Arguments. `cargo xtask bench` gives those that name files.

use std::net::SocketAddr;
use std::path::PathBuf;

use crate::Result;

const USAGE: &str =
    "usage: cargo xtask bench [NAME…] [--json]\nhint: NAME begins the name of a figure: accept, sandbox.handle";

/// What this process is to do.
#[derive(Debug)]
pub(crate) enum Task {
    /// Measure.
    Measure(Arguments),
    /// Be the baseline's server.
    ServeBare {
        /// Where its ledger is.
        directory: PathBuf,
        /// Where to listen.
        address: SocketAddr,
    },
}

/// What is measured.
#[derive(Debug)]
pub(crate) struct Arguments {
    pub(crate) bursar: PathBuf,
    pub(crate) simulator: PathBuf,
    pub(crate) adapters: PathBuf,
    pub(crate) json: bool,
    names: Vec<String>,
}

impl Arguments {
    /// Was this figure asked for? All were if none is named.
    pub(crate) fn wants(&self, name: &str) -> bool {
        self.names.is_empty() || self.names.iter().any(|wanted| name.starts_with(wanted.as_str()))
    }

    /// Was this figure asked for by name?
    pub(crate) fn names(&self, name: &str) -> bool {
        !self.names.is_empty() && self.wants(name)
    }

    pub(crate) fn wants_any(&self, names: &[&str]) -> bool {
        names.iter().any(|name| self.wants(name))
    }
}

/// The subcommand of the baseline's server. Only this program itself uses it.
pub(crate) const SERVE_BARE: &str = "serve-bare";

pub(crate) fn parse(given: impl Iterator<Item = String>) -> Result<Task> {
    let mut given = given.peekable();
    if given.peek().is_some_and(|word| word == SERVE_BARE) {
        let (Some(directory), Some(address)) = (given.nth(1), given.next()) else { return Err(USAGE.into()) };
        return Ok(Task::ServeBare { directory: directory.into(), address: address.parse()? });
    }
    let (mut bursar, mut simulator, mut adapters) = (None, None, None);
    let (mut json, mut names) = (false, Vec::new());
    while let Some(word) = given.next() {
        match word.as_str() {
            "--bursar" => bursar = given.next().map(PathBuf::from),
            "--simulator" => simulator = given.next().map(PathBuf::from),
            "--adapters" => adapters = given.next().map(PathBuf::from),
            "--json" => json = true,
            option if option.starts_with('-') => return Err(USAGE.into()),
            _ => names.push(word),
        }
    }
    match (bursar, simulator, adapters) {
        (Some(bursar), Some(simulator), Some(adapters)) => {
            let arguments = Arguments { bursar, simulator, adapters, json, names };
            check_names(&arguments)?;
            Ok(Task::Measure(arguments))
        }
        _ => Err(USAGE.into()),
    }
}

/// A name that measures nothing is a mistake, not a success.
fn check_names(arguments: &Arguments) -> Result<()> {
    let known: Vec<&str> = [
        crate::hostile::guests().collect::<Vec<_>>().as_slice(),
        crate::process::NAMES,
        crate::runs::NAMES,
        crate::languages::NAMES,
        crate::swap::NAMES,
        crate::enroll::NAMES,
        crate::burst::NAMES,
        crate::fulfill::NAMES,
        crate::accept::LATE_NAMES,
        crate::accept::THROUGHPUT_NAMES,
    ]
    .concat();
    match arguments.names.iter().find(|name| !known.iter().any(|known| known.starts_with(name.as_str()))) {
        Some(unknown) => Err(format!("there is no figure {unknown}\nhint: there are {}", known.join(", ")).into()),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(words: &[&str]) -> Result<Task> {
        let files = ["--bursar", "b", "--simulator", "s", "--adapters", "a"];
        parse(files.iter().chain(words).map(|word| (*word).to_owned()))
    }

    #[test]
    fn a_name_chooses_the_figures_that_begin_with_it() {
        let Ok(Task::Measure(arguments)) = parsed(&["accept.p99", "--json"]) else { panic!("not understood") };
        assert!(arguments.json);
        assert!(arguments.wants("accept.p99_ms_at_200"));
        assert!(!arguments.wants("accept.per_second"));
    }

    #[test]
    fn a_name_that_measures_nothing_is_refused() {
        assert!(parsed(&["acept"]).unwrap_err().to_string().contains("no figure acept"));
    }
}
