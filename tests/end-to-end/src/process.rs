//! `bursar serve` as a process: started, listened to, ended gently or not.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};

use crate::log::Log;
use crate::places;
use crate::wait::until_some;

/// A running `bursar serve`. It is killed when it is dropped.
#[derive(Debug)]
pub struct Serve {
    child: Child,
    log: Log,
    address: SocketAddr,
}

/// A `bursar` that ended by itself, or was told to.
#[derive(Debug)]
pub struct Ended {
    pub status: ExitStatus,
    pub log: Log,
}

impl Serve {
    /// Starts it and waits until it listens.
    ///
    /// # Panics
    /// When it ends instead.
    #[must_use]
    pub fn start(config: &Path, environment: &[(String, String)]) -> Self {
        let (mut child, log) = spawn(config, environment);
        let address = until_some("bursar listens", || {
            let listening = log.events_of("listening");
            if let Some(status) = child.try_wait().unwrap() {
                panic!("bursar ended at its start with {status}:\n{}", log.tail());
            }
            listening.first().map(|event| event["address"].as_str().unwrap().parse().unwrap())
        });
        Self { child, log, address }
    }

    /// Starts it where it cannot start, and waits until it has ended.
    #[must_use]
    pub fn start_in_vain(config: &Path, environment: &[(String, String)]) -> Ended {
        let (child, log) = spawn(config, environment);
        end(child, log)
    }

    /// Where the public listener is.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its log.
    #[must_use]
    pub fn log(&self) -> &Log {
        &self.log
    }

    /// The most memory that it has had in use at a time, in KiB, since [`Serve::forget_peak`]. Linux only.
    #[must_use]
    pub fn peak_kib(&self) -> u64 {
        self.memory("VmHWM:")
    }

    /// The memory that it has in use now, in KiB. Linux only.
    #[must_use]
    pub fn resident_kib(&self) -> u64 {
        self.memory("VmRSS:")
    }

    fn memory(&self, name: &str) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
        line.trim().trim_end_matches(" kB").parse().unwrap()
    }

    /// Counts the most memory anew.
    pub fn forget_peak(&self) {
        /// What the kernel takes for "the peak is what there is now" (proc_pid_clear_refs(5)).
        const PEAK: &str = "5";
        fs::write(format!("/proc/{}/clear_refs", self.child.id()), PEAK).unwrap();
    }

    /// Does it still run?
    #[must_use]
    pub fn is_alive(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// Kills it as a power cut would.
    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        self.log.finish();
    }

    /// Asks it to stop, and returns at once.
    pub fn ask_to_stop(&self) {
        let pid = self.child.id();
        let asked = Command::new("sh").arg("-c").arg(format!("kill -TERM {pid}")).status().unwrap();
        assert!(asked.success(), "the signal could not be sent");
    }

    /// Waits until it has ended.
    #[must_use]
    pub fn ended(mut self) -> Ended {
        let status = until_some("bursar has ended", || self.child.try_wait().unwrap());
        let mut log = std::mem::replace(&mut self.log, Log::read(std::io::empty()));
        log.finish();
        Ended { status, log }
    }
}

impl Drop for Serve {
    fn drop(&mut self) {
        // Fails where it has ended already, which is as good.
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            eprintln!("the log of bursar ended with:\n{}", self.log.tail());
        }
    }
}

fn spawn(config: &Path, environment: &[(String, String)]) -> (Child, Log) {
    let mut child = command(config, environment).arg("serve").stderr(Stdio::piped()).spawn().unwrap();
    let log = Log::read(child.stderr.take().unwrap());
    (child, log)
}

fn end(mut child: Child, mut log: Log) -> Ended {
    let status = until_some("bursar has ended", || child.try_wait().unwrap());
    log.finish();
    Ended { status, log }
}

/// `bursar --config …` with nothing of this process's environment that it would read.
#[must_use]
pub fn command(config: &Path, environment: &[(String, String)]) -> Command {
    let mut command = Command::new(places::binary());
    command.arg("--config").arg(config);
    command.env_remove("BURSAR_LOG").env_remove("BURSAR_CONFIG").env("NO_COLOR", "1");
    command.env("USER", "tester");
    command.envs(environment.iter().map(|(name, value)| (name, value)));
    command.stdin(Stdio::null());
    command
}
