//! Looks for files, variables, arguments and input of the machine.

use hostile_guests::wasi::cli::{environment, stdin};
use hostile_guests::wasi::filesystem::preopens;
use hostile_guests::{Delivery, Hostile, Result, tried};

/// The guest.
#[derive(Debug)]
pub struct LooksForFiles;

impl Hostile for LooksForFiles {
    fn handle(delivery: &Delivery<'_>) -> Result<()> {
        let found = [
            ("directories", preopens::get_directories().len()),
            ("variables", environment::get_environment().len()),
            ("arguments", environment::get_arguments().len()),
            ("a directory to be in", usize::from(environment::initial_cwd().is_some())),
            ("bytes of input", stdin::get_stdin().blocking_read(100).map_or(0, |bytes| bytes.len())),
        ];
        let gained: Vec<String> =
            found.iter().filter(|(_, count)| *count > 0).map(|(what, count)| format!("{count} {what}")).collect();
        tried(delivery, &gained)
    }
}

hostile_guests::guest!(LooksForFiles);
