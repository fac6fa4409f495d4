//! Every call of fulfillment, struck by every fault of the LMS; each pair is a test of its own.
#![allow(clippy::unwrap_used, missing_docs, reason = "tests fail by panicking")]

use std::process::ExitCode;

use libtest_mimic::{Arguments, Failed, Trial};
use scenarios::matrix::{
    applies,
    call::Call,
    cell,
    fault::{Kind, Lasts},
    wanting,
};

/// How many cells are played at once where nobody says. More than there are processors: a cell mostly waits for the disk.
const AT_ONCE: usize = 6;

fn main() -> ExitCode {
    let mut trials = Vec::new();
    for call in Call::ALL {
        for kind in Kind::ALL {
            for lasts in Lasts::ALL.into_iter().filter(|lasts| applies(call, kind, *lasts)) {
                let name = cell::name(call, kind, lasts);
                let trial = Trial::test(name, move || cell::play(call, kind, lasts).map_err(Failed::from));
                trials.push(trial.with_ignored_flag(wanting(call, kind, lasts).is_some()));
            }
        }
    }
    let mut arguments = Arguments::from_args();
    arguments.test_threads.get_or_insert(AT_ONCE);
    libtest_mimic::run(&arguments, trials).exit_code()
}
