//! The command line as an operator meets it.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "helpers of tests count as code otherwise")]

use std::process::{Command, Output};

use bursar_server::cli::Cli;
use clap::CommandFactory as _;

fn bursar(arguments: &[&str]) -> Output {
    let place = tempfile::tempdir().unwrap();
    Command::new(env!("CARGO_BIN_EXE_bursar"))
        .args(arguments)
        .env_remove("BURSAR_CONFIG")
        .current_dir(place.path())
        .output()
        .unwrap()
}

fn words(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

fn check_help(command: &clap::Command, path: &str) {
    assert!(command.get_about().is_some(), "{path} has no help");
    for argument in command.get_arguments() {
        assert!(argument.get_help().is_some(), "{path} {} has no help", argument.get_id());
    }
    if command.has_subcommands() {
        command.get_subcommands().for_each(|inner| check_help(inner, &format!("{path} {}", inner.get_name())));
    } else {
        let after = command.get_after_help().map(ToString::to_string).unwrap_or_default();
        let example = format!("{} ", path.split_once(' ').map_or(path, |(_, rest)| rest));
        assert!(after.contains("bursar") && format!("{after} ").contains(example.trim()), "{path} shows no example");
    }
}

#[test]
fn the_command_line_is_sound() {
    Cli::command().debug_assert();
}

#[test]
fn every_command_and_argument_has_help_and_every_command_an_example() {
    check_help(&Cli::command(), "bursar");
}

/// Prose is wrapped to the terminal; an example that is wrapped cannot be copied.
#[test]
fn examples_fit_the_narrowest_terminal() {
    fn check(command: &clap::Command) {
        let after = command.get_after_help().map(ToString::to_string).unwrap_or_default();
        for line in after.lines().filter(|line| line.starts_with("  ")) {
            assert!(line.chars().count() <= 80, "{line}");
        }
        command.get_subcommands().for_each(check);
    }
    check(&Cli::command());
}

#[test]
fn help_is_data_and_no_failure() {
    let output = bursar(&["webhook", "send", "--help"]);
    assert!(output.status.success());
    assert!(String::from_utf8(output.stdout).unwrap().contains("--forge"));
}

#[test]
fn wrong_usage_ends_with_2() {
    for arguments in [&["frobnicate"][..], &["deliveries", "show", "ord_1"], &["webhook", "send", "campus"], &[]] {
        let output = bursar(arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {output:?}");
        assert!(output.stdout.is_empty());
    }
}

#[test]
fn a_wrong_configuration_ends_with_2_and_says_what_to_do() {
    let output = bursar(&["webhook", "send", "campus", "--order", "1"]);
    assert_eq!(output.status.code(), Some(2));
    let expected =
        "error: bursar.toml: does not exist\n  hint: make one with `bursar init`, or name it with --config\n";
    assert_eq!(words(&output), expected);
    let output = bursar(&["--config", "other.toml", "webhook", "send", "campus", "--order", "1"]);
    assert!(words(&output).starts_with("error: other.toml: does not exist\n"));
}

#[test]
fn the_configuration_may_be_named_by_the_environment() {
    let output = Command::new(env!("CARGO_BIN_EXE_bursar"))
        .args(["webhook", "send", "campus", "--order", "1"])
        .env("BURSAR_CONFIG", "/nowhere/named.toml")
        .output()
        .unwrap();
    assert!(words(&output).starts_with("error: /nowhere/named.toml: does not exist\n"), "{output:?}");
}

#[test]
fn words_that_go_to_no_terminal_have_no_colour() {
    assert!(!words(&bursar(&["webhook", "send", "campus", "--order", "1"])).contains('\u{1b}'));
}
