//! Every folder in `cases/` is a test of its own, named as the folder.
#![allow(clippy::unwrap_used, missing_docs, reason = "tests fail by panicking")]

use std::{env, fs, path::Path, process::ExitCode};

use libtest_mimic::{Arguments, Failed, Trial};
use scenarios::play;

/// Names another folder of cases than `cases`.
const CASES_VARIABLE: &str = "BURSAR_CASES";

/// How many cases are played at once where nobody says. More than there are processors: a case mostly waits for the disk.
const AT_ONCE: usize = 4;

fn main() -> ExitCode {
    let cases = env::var(CASES_VARIABLE).unwrap_or_else(|_| "cases".to_owned());
    let cases = Path::new(env!("CARGO_MANIFEST_DIR")).join(cases);
    let mut folders: Vec<_> = fs::read_dir(&cases).unwrap().map(|entry| entry.unwrap().path()).collect();
    folders.retain(|path| path.is_dir());
    folders.sort();
    let trials = folders.into_iter().map(|folder| {
        let name = folder.file_name().unwrap().to_string_lossy().into_owned();
        let shown = name.clone();
        Trial::test(name, move || play::folder(&folder).map_err(|wrong| Failed::from(format!("{shown}: {wrong}"))))
    });
    let mut arguments = Arguments::from_args();
    arguments.test_threads.get_or_insert(AT_ONCE);
    libtest_mimic::run(&arguments, trials.collect()).exit_code()
}
