//! The process's log: lines on standard error, for people or for programs, times in UTC.
//!
//! Owns starting it. Never logs a body, a secret or personal data; that is up to each line.

use tracing_subscriber::{
    EnvFilter,
    fmt::{format::Writer, time::FormatTime},
};

use crate::{
    cli::CliError,
    config::{Environment, LogConfig, LogFormat},
};

/// Decides what is logged where it is set: a level, or directives like `info,bursar_sandbox=debug`.
pub const LOG_VARIABLE: &str = "BURSAR_LOG";

/// Starts the log. Once in a process.
///
/// # Errors
/// When `BURSAR_LOG` cannot be understood, or a log has been started before.
pub fn start(config: LogConfig, environment: &Environment) -> Result<(), CliError> {
    let filter = filter(config, environment)?;
    let lines = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_timer(Utc);
    let started = match config.format {
        LogFormat::Text => lines.with_ansi(false).try_init(),
        LogFormat::Json => lines.json().flatten_event(true).try_init(),
    };
    started.map_err(|error| CliError::failed(format!("the log cannot be started: {error}")))
}

fn filter(config: LogConfig, environment: &Environment) -> Result<EnvFilter, CliError> {
    let Some(directives) = environment.variable(LOG_VARIABLE).filter(|value| !value.is_empty()) else {
        return Ok(EnvFilter::new(config.level.to_string()));
    };
    EnvFilter::try_new(&directives).map_err(|error| {
        CliError::usage(format!("{LOG_VARIABLE}: {error}"))
            .hint("write a level, \"debug\", or \"info,bursar_sandbox=debug\"")
    })
}

#[derive(Debug, Clone, Copy)]
struct Utc;

impl FormatTime for Utc {
    fn format_time(&self, writer: &mut Writer<'_>) -> std::fmt::Result {
        // The log's lines are for people and their tools; nothing is decided by this reading of the clock.
        write!(writer, "{:.3}", jiff::Timestamp::now())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_variable_decides_over_the_configuration() {
        let environment = Environment::Given([(LOG_VARIABLE.to_owned(), "bursar_server=debug".to_owned())].into());
        let chosen = filter(LogConfig::default(), &environment).unwrap();
        assert_eq!(chosen.to_string(), "bursar_server=debug");
        let unset = filter(LogConfig::default(), &Environment::Given(Default::default())).unwrap();
        assert_eq!(unset.to_string(), "info");
    }

    #[test]
    fn a_variable_that_cannot_be_understood_is_refused() {
        let environment = Environment::Given([(LOG_VARIABLE.to_owned(), "a=b=c".to_owned())].into());
        let error = filter(LogConfig::default(), &environment).unwrap_err();
        assert_eq!(error.exit_code(), 2);
    }
}
