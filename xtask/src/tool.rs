//! Running cargo and other programs so that the developer sees what they say.

use std::error::Error;
use std::process::{Command, Stdio};

use bursar_toolchain::command::typed;

/// What can go wrong is shown to the developer as it is.
pub type Result<T, E = Box<dyn Error + Send + Sync>> = std::result::Result<T, E>;

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
