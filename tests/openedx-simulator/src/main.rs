//! Runs the simulated LMS as a process; must never do more than read its arguments, start it and wait.

use std::io::Write as _;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use clap::{Parser, ValueEnum};
use openedx_simulator::{Options, Settings, Simulator, StartError, State, StateError, SystemClock};
use tokio::signal::unix::{SignalKind, signal};

/// A stand-in for an Open edX LMS.
#[derive(Debug, Parser)]
#[command(name = "openedx-simulator", about)]
struct Arguments {
    /// Where to listen; port 0 for any free one.
    #[arg(long, default_value = "127.0.0.1:0")]
    listen: SocketAddr,
    /// The file with the state to start in.
    #[arg(long)]
    state: PathBuf,
    /// Whether calls are throttled as in an LMS.
    #[arg(long, value_enum, default_value = "on")]
    throttle: Switch,
    /// The value of X-Edx-Api-Key to accept; without it the feature is off.
    #[arg(long)]
    api_key: Option<String>,
    /// How the site calls itself in the addresses it makes up.
    #[arg(long, default_value = "http://lms.example")]
    public_url: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Switch {
    On,
    Off,
}

#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error("cannot read the state file")]
    Read(#[source] std::io::Error),
    #[error("cannot use the state file")]
    State(#[from] StateError),
    #[error("cannot start")]
    Start(#[from] StartError),
    #[error("cannot wait for a signal or tell the address")]
    Wait(#[from] std::io::Error),
}

fn main() -> ExitCode {
    match run(Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            let mut text = failure.to_string();
            let mut cause = std::error::Error::source(&failure);
            while let Some(error) = cause {
                text = format!("{text}: {error}");
                cause = error.source();
            }
            // Nobody is left to tell when this fails.
            let _ = writeln!(std::io::stderr(), "openedx-simulator: {text}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: Arguments) -> Result<(), Failure> {
    let text = std::fs::read_to_string(&arguments.state).map_err(Failure::Read)?;
    let settings = Settings {
        throttle: arguments.throttle == Switch::On,
        api_key: arguments.api_key,
        public_url: arguments.public_url.trim_end_matches('/').to_owned(),
        ..Settings::default()
    };
    let simulator = Simulator::launch(Options {
        state: State::from_json(&text)?,
        settings,
        clock: Arc::new(SystemClock::default()),
        listen: arguments.listen,
    })?;
    let waiting = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    waiting.block_on(async {
        let mut terminate = signal(SignalKind::terminate())?;
        let mut interrupt = signal(SignalKind::interrupt())?;
        // Told only now, so that whoever reads it may already send the signal.
        let mut stdout = std::io::stdout();
        writeln!(stdout, "listening on {}", simulator.url())?;
        stdout.flush()?;
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        Ok(())
    })
}
