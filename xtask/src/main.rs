//! The project's own commands: `cargo xtask <command>`.

pub mod adapters;
pub mod bench;
pub mod demo;
pub mod fuzz;
pub mod hostile;
pub mod machine;
pub mod pages;
pub mod paths;
pub mod say;
pub mod stages;
pub mod suite;
pub mod tool;

use std::process::ExitCode;

const USAGE: &str = "\
usage: cargo xtask <command>

  adapters [--rust|--hostile]
                         build every adapter in plugins/ into target/adapters, those of tests and
                         the hostile guests into folders below it; fetches the tools for JavaScript and Python into target/toolchains;
                         --rust builds those in Rust only, for which Rust is enough; --hostile the hostile guests only
  demo [--once]          build everything, send webhooks, show what became of them, and stay up to try things by hand;
                         --once ends then: 0 if all is as it must be, 1 otherwise
  test [--quick]         everything that must pass; --quick leaves out the documentation and the demo
  pages [--check]        write the tables in docs/shops that adapters say themselves, by what is built in target/;
                         --check fails where they are not as the adapters say, and shows what differs
  fuzz [--seconds N] [TARGET…]
                         every fuzz target, or those named, for N seconds each; needs a nightly toolchain and cargo-fuzz
  bench [NAME…] [--json] measure what the project claims; NAME begins the name of a figure: accept, sandbox.handle";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let result = match arguments.split_first() {
        Some((command, rest)) => run(command, rest),
        None => Err(USAGE.into()),
    };
    result.unwrap_or_else(|error| {
        say::words(&format!("xtask: {error}"));
        ExitCode::FAILURE
    })
}

fn run(command: &str, rest: &[String]) -> tool::Result<ExitCode> {
    let root = paths::root();
    let rest: Vec<&str> = rest.iter().map(String::as_str).collect();
    match (command, rest.as_slice()) {
        ("adapters", []) => {
            adapters::build(&root)?;
            adapters::build_others(&root)?;
            adapters::build_for_tests(&root)?;
            hostile::build(&root)?;
            Ok(ExitCode::SUCCESS)
        }
        ("adapters", ["--hostile"]) => hostile::build(&root).map(|()| ExitCode::SUCCESS),
        ("adapters", ["--rust"]) => adapters::build(&root).map(|_| ExitCode::SUCCESS),
        ("demo", []) => demo::run(&root, demo::Length::UntilStopped),
        ("demo", ["--once"]) => demo::run(&root, demo::Length::Once),
        ("test", []) => suite::run(&root, suite::Extent::Whole).map(|()| ExitCode::SUCCESS),
        ("test", ["--quick"]) => suite::run(&root, suite::Extent::Quick).map(|()| ExitCode::SUCCESS),
        ("pages", []) => pages::run(&root, pages::Mode::Write).map(|()| ExitCode::SUCCESS),
        ("pages", ["--check"]) => pages::run(&root, pages::Mode::Check).map(|()| ExitCode::SUCCESS),
        ("fuzz", arguments) => fuzz::run(&root, arguments),
        ("bench", arguments) => bench::run(&root, arguments),
        ("help" | "--help" | "-h", _) => {
            say::data(USAGE);
            Ok(ExitCode::SUCCESS)
        }
        _ => Err(USAGE.into()),
    }
}
