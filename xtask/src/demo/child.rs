//! Programs that run beside this one, and their end.
//!
//! Owns that none of them is left behind: a [`Child`] that goes out of scope is stopped.

use std::fs::File;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};
use std::{fs, process};

use crate::say;
use crate::tool::Result;

/// How long one that was asked to stop may take. The server ends what is under way first.
const PATIENCE: Duration = Duration::from_secs(15);
/// How often there is a look whether something has happened.
const LOOK_EVERY: Duration = Duration::from_millis(20);
/// How many of its last lines are shown of one that ended by itself.
const LAST_LINES: usize = 15;

/// A program that runs.
#[derive(Debug)]
pub(super) struct Child {
    name: &'static str,
    process: process::Child,
    log: PathBuf,
}

impl Child {
    /// Starts it; what it writes goes to the file `log`.
    ///
    /// # Errors
    ///
    /// When it cannot be started.
    pub(super) fn start(name: &'static str, command: &mut Command, log: &Path) -> Result<Self> {
        let file = File::create(log).map_err(|error| format!("{}: {error}", log.display()))?;
        command.stdin(Stdio::null()).stdout(file.try_clone()?).stderr(file);
        // A group of its own: Ctrl-C reaches this program alone, which then stops the others in good order.
        let process = command.process_group(0).spawn().map_err(|error| format!("{name} cannot be started: {error}"))?;
        Ok(Self { name, process, log: log.to_owned() })
    }

    /// Waits until `ready` answers something.
    ///
    /// # Errors
    ///
    /// When it ends before, or is not ready in time.
    pub(super) fn wait_until<T>(&mut self, longest: Duration, mut ready: impl FnMut(&str) -> Option<T>) -> Result<T> {
        let until = Instant::now() + longest;
        loop {
            self.still_runs()?;
            if let Some(answer) = ready(&fs::read_to_string(&self.log).unwrap_or_default()) {
                return Ok(answer);
            }
            if Instant::now() >= until {
                return Err(
                    format!("{} was not ready in {longest:?}; it wrote:\n{}", self.name, self.last_lines()).into()
                );
            }
            sleep(LOOK_EVERY);
        }
    }

    /// Does it still run?
    ///
    /// # Errors
    ///
    /// When it has ended.
    pub(super) fn still_runs(&mut self) -> Result<()> {
        match self.process.try_wait()? {
            None => Ok(()),
            Some(status) => Err(format!("{} ended with {status}; it wrote:\n{}", self.name, self.last_lines()).into()),
        }
    }

    fn last_lines(&self) -> String {
        let text = fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<&str> = text.lines().collect();
        lines.get(lines.len().saturating_sub(LAST_LINES)..).unwrap_or_default().join("\n")
    }

    fn stop(&mut self) {
        if !matches!(self.process.try_wait(), Ok(None)) {
            return;
        }
        // The standard library can only kill; every shell knows how to ask.
        let asked = Command::new("sh").args(["-c", &format!("kill -TERM {}", self.process.id())]).status();
        let until = Instant::now() + PATIENCE;
        while asked.as_ref().is_ok_and(|status| status.success()) && Instant::now() < until {
            if !matches!(self.process.try_wait(), Ok(None)) {
                return;
            }
            sleep(LOOK_EVERY);
        }
        say::words(&format!("{} did not stop and is killed", self.name));
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        self.stop();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn log() -> PathBuf {
        std::env::temp_dir().join(format!("bursar-xtask-{}-{:?}", process::id(), std::thread::current().id()))
    }

    #[test]
    fn a_child_that_goes_out_of_scope_is_gone() {
        let log = log();
        let child = Child::start("sleep", Command::new("sleep").arg("600"), &log).unwrap();
        let id = child.process.id();
        drop(child);
        let alive = Command::new("sh").args(["-c", &format!("kill -0 {id} 2>/dev/null")]).status().unwrap();
        assert!(!alive.success());
        fs::remove_file(log).unwrap();
    }

    #[test]
    fn one_that_ends_before_it_is_ready_is_a_failure_with_its_words() {
        let log = log();
        let mut child = Child::start("sh", Command::new("sh").args(["-c", "echo no port; exit 3"]), &log).unwrap();
        let error = child.wait_until(Duration::from_secs(60), |_| None::<()>).unwrap_err().to_string();
        assert!(error.contains("no port") && error.contains('3'), "{error}");
        fs::remove_file(log).unwrap();
    }
}
