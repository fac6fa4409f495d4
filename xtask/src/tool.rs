//! Running cargo and other programs.
//!
//! Owns what is told of one that failed: the command as it can be typed again.

use std::env;
use std::error::Error;
use std::ffi::OsStr;
use std::path::PathBuf;
use std::process::{Command, Stdio};

/// What can go wrong is shown to the developer as it is.
pub type Result<T, E = Box<dyn Error + Send + Sync>> = std::result::Result<T, E>;

/// What `cargo run` tells this program about itself. Build scripts of dependencies watch some of these, so passing them on
/// would have cargo build those dependencies anew each time it is started from here and from a shell in turn.
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

/// Runs it; its output is the developer's to see.
///
/// # Errors
///
/// When it cannot be started or fails.
pub fn run(command: &mut Command) -> Result<()> {
    let status = command.status().map_err(|error| format!("{}: {error}", typed(command)))?;
    if status.success() { Ok(()) } else { Err(format!("{} ended with {status}", typed(command)).into()) }
}

/// Runs it and answers what it wrote to its standard output.
///
/// # Errors
///
/// When it cannot be started or fails.
pub fn output(command: &mut Command) -> Result<String> {
    let output = command.stderr(Stdio::inherit()).output().map_err(|error| format!("{}: {error}", typed(command)))?;
    if !output.status.success() {
        return Err(format!("{} ended with {}", typed(command), output.status).into());
    }
    Ok(String::from_utf8(output.stdout)?)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_names_the_command_so_that_it_can_be_typed_again() {
        let mut command = Command::new("sh");
        command.args(["-c", "exit 3"]).current_dir("/").env("NAME", "it's");
        let error = run(&mut command).unwrap_err().to_string();
        assert!(error.starts_with("cd / && NAME='it'\\''s' sh -c 'exit 3' ended with"), "{error}");
    }
}
