//! `cargo xtask fuzz`: every fuzz target for a while, with libFuzzer.
//!
//! What is fuzzed, and what must hold, is `tests/fuzz-seeds`'; `cargo xtask test` replays the seeds there without any of what
//! this needs. Inputs that were made up on the way are kept in the target directory and taken up the next time.

use std::fs;
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};

use crate::tool::{Result, run as run_tool};
use crate::{paths, say, stages::Stages};

/// How long each target is run, unless something else is said.
const SECONDS: u64 = 60;

/// Longest input in bytes: what is longer is slower, and finds nothing more.
const LONGEST: usize = 40 << 10;

/// Memory beyond which an input counts as a fault, in MiB: a compiled adapter takes its part.
const MEMORY: usize = 4 << 10;

/// Seconds after which a single input counts as a fault.
const PATIENCE: u64 = 20;

/// Runs the targets named, or all; the first fault ends it.
///
/// # Errors
///
/// When the tools are missing, or with the command that failed.
pub fn run(root: &Path, arguments: &[&str]) -> Result<ExitCode> {
    let (seconds, named) = read(arguments)?;
    let targets = targets(root)?;
    if let Some(unknown) = named.iter().find(|name| !targets.iter().any(|target| target == *name)) {
        return Err(format!("there is no fuzz target {unknown}; there are {}", targets.join(", ")).into());
    }
    look_for_tools()?;
    let mut stages = Stages::begin();
    let result = targets
        .iter()
        .filter(|target| named.is_empty() || named.contains(&target.as_str()))
        .try_for_each(|target| stages.run(target, || fuzz(root, target, seconds)));
    say::words(&format!("\n{}", stages.summary()));
    result.map(|()| ExitCode::SUCCESS)
}

fn read<'a>(arguments: &[&'a str]) -> Result<(u64, Vec<&'a str>)> {
    let (mut seconds, mut named) = (SECONDS, Vec::new());
    let mut rest = arguments.iter();
    while let Some(argument) = rest.next() {
        match *argument {
            "--seconds" => {
                let number = rest.next().and_then(|number| number.parse().ok());
                seconds = number.ok_or("--seconds needs a whole number")?;
            }
            option if option.starts_with('-') => return Err(format!("unknown option {option}").into()),
            target => named.push(target),
        }
    }
    Ok((seconds, named))
}

/// The targets, by the names of their files.
fn targets(root: &Path) -> Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(root.join("fuzz/fuzz_targets"))? {
        let path = entry?.path();
        names.extend(path.file_stem().map(|name| name.to_string_lossy().into_owned()));
    }
    names.sort();
    Ok(names)
}

fn look_for_tools() -> Result<()> {
    let is_there = |arguments: &[&str]| {
        let mut command = nightly();
        command.args(arguments).stdout(Stdio::null()).stderr(Stdio::null());
        command.status().is_ok_and(|status| status.success())
    };
    if !is_there(&["--version"]) {
        return Err(
            "fuzzing needs a nightly toolchain\nhint: rustup toolchain install nightly --profile minimal".into()
        );
    }
    if !is_there(&["fuzz", "--version"]) {
        return Err("fuzzing needs cargo-fuzz, and a C++ compiler\nhint: cargo install cargo-fuzz --locked".into());
    }
    Ok(())
}

fn nightly() -> Command {
    let mut command = Command::new("rustup");
    command.args(["run", "nightly", "cargo"]);
    command
}

fn fuzz(root: &Path, target: &str, seconds: u64) -> Result<()> {
    let own = paths::target_directory(root).join("fuzz");
    let corpus = own.join("corpus").join(target);
    fs::create_dir_all(&corpus)?;
    let mut command = nightly();
    command.current_dir(root).env("CARGO_TARGET_DIR", &own).env("CARGO_INCREMENTAL", "0");
    // Without a sanitizer: there is no unsafe code of ours, and without it more is tried in the same time.
    command.args(["fuzz", "run", "--sanitizer", "none", "--debug-assertions", target]);
    command.arg(corpus).arg(root.join("fuzz/seeds").join(target)).arg("--");
    command.arg(format!("-max_total_time={seconds}")).arg(format!("-max_len={LONGEST}"));
    command.arg(format!("-rss_limit_mb={MEMORY}")).arg(format!("-timeout={PATIENCE}")).arg("-print_final_stats=1");
    run_tool(&mut command)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_and_targets_are_read_in_any_order() {
        assert_eq!(read(&["config", "--seconds", "5", "hmac"]).unwrap(), (5, vec!["config", "hmac"]));
        assert_eq!(read(&[]).unwrap(), (SECONDS, vec![]));
        assert!(read(&["--seconds"]).is_err());
        assert!(read(&["--second", "5"]).is_err());
    }

    #[test]
    fn every_target_is_in_the_manifest_of_cargo_fuzz() {
        let manifest = fs::read_to_string(paths::root().join("fuzz/Cargo.toml")).unwrap();
        let targets = targets(&paths::root()).unwrap();
        assert!(targets.len() > 1);
        for target in targets {
            assert!(manifest.contains(&format!("name = \"{target}\"")), "{target}");
        }
    }
}
