//! Running other programs.
//!
//! Owns what is told of one that failed: the command as it can be typed again, and all that it said.

use std::env;
use std::ffi::OsStr;
use std::io::ErrorKind;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use crate::{Error, Result};

/// What `cargo run` tells a program about itself. Build scripts of dependencies watch some of these, so passing them on
/// would have cargo build those dependencies anew each time it is started from there and from a shell in turn.
const OWN_PREFIX: &str = "CARGO_PKG_";
const OWN: [&str; 5] =
    ["CARGO_MANIFEST_DIR", "CARGO_MANIFEST_PATH", "CARGO_CRATE_NAME", "CARGO_BIN_NAME", "CARGO_PRIMARY_PACKAGE"];

/// Cargo, as if started from a shell.
#[must_use]
pub fn cargo() -> Command {
    let mut command = Command::new(env::var_os("CARGO").map_or_else(|| PathBuf::from("cargo"), PathBuf::from));
    for (name, _) in env::vars_os() {
        if name.to_str().is_some_and(|name| name.starts_with(OWN_PREFIX) || OWN.contains(&name)) {
            command.env_remove(name);
        }
    }
    command
}

/// The command as it can be typed into a shell.
#[must_use]
pub fn typed(command: &Command) -> String {
    let mut text = String::new();
    if let Some(directory) = command.get_current_dir() {
        text.push_str(&format!("cd {} && ", quoted(directory.as_os_str())));
    }
    for (name, value) in command.get_envs() {
        if let Some(value) = value {
            text.push_str(&format!("{}={} ", name.display(), quoted(value)));
        }
    }
    text.push_str(&quoted(command.get_program()));
    for argument in command.get_args() {
        text.push(' ');
        text.push_str(&quoted(argument));
    }
    text
}

fn quoted(word: &OsStr) -> String {
    let word = word.to_string_lossy();
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./=:,+@%".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.into_owned()
    } else {
        format!("'{}'", word.replace('\'', "'\\''"))
    }
}

/// A program that may not be there: what it is for, and how to get it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Needed {
    /// Follows "… is not here, and".
    pub(crate) purpose: &'static str,
    /// How to get it.
    pub(crate) hint: &'static str,
}

/// Runs it quietly and answers what it wrote to its standard output; all that it said is in the error.
pub(crate) fn quiet(command: &mut Command, needed: Needed) -> Result<String> {
    let output = command.stdin(Stdio::null()).output().map_err(|error| unstarted(command, needed, &error))?;
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    if output.status.success() {
        return Ok(said);
    }
    let both = format!("{said}{}", String::from_utf8_lossy(&output.stderr));
    Err(Error::new(format!("{} ended with {}", typed(command), output.status)).output(&both))
}

/// As [`quiet`], for a tool that looks at an author's source: what it says of that is what counts, not how it was started.
pub(crate) fn judging(command: &mut Command, needed: Needed, verdict: &str) -> Result<String> {
    quiet(command, needed).map_err(|error| if error.is_of_tool() { error.told_as(verdict) } else { error })
}

fn unstarted(command: &Command, needed: Needed, error: &std::io::Error) -> Error {
    let program = command.get_program().display();
    if error.kind() != ErrorKind::NotFound {
        return Error::new(format!("{} cannot be started: {error}", typed(command)));
    }
    Error::new(format!("{program} is not here, and {}", needed.purpose)).hint(needed.hint)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHELL: Needed = Needed { purpose: "nothing can be tested", hint: "get one" };

    #[test]
    fn a_failure_names_the_command_so_that_it_can_be_typed_again_and_says_all_that_it_said() {
        let mut command = Command::new("sh");
        command.args(["-c", "echo out; echo err >&2; exit 3"]).current_dir("/").env("NAME", "it's");
        let error = quiet(&mut command, SHELL).unwrap_err().to_string();
        assert!(
            error.starts_with("cd / && NAME='it'\\''s' sh -c 'echo out; echo err >&2; exit 3' ended with"),
            "{error}"
        );
        assert!(error.contains("\n\nout\nerr\n"), "{error}");
    }

    #[test]
    fn what_is_not_there_is_named_with_what_it_is_for() {
        let error = quiet(&mut Command::new("no-such-program"), SHELL).unwrap_err().to_string();
        assert_eq!(error, "no-such-program is not here, and nothing can be tested\nhint: get one");
    }
}
