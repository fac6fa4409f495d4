//! Why a command was not carried out, in words for the person who gave it.
//!
//! Owns the exit codes.

use std::{borrow::Cow, fmt};

use bursar_fixtures::Fault;
use bursar_sandbox::{LoadError, SandboxError};
use bursar_store::StoreError;
use bursar_toolchain::Error as ToolchainError;

use crate::{
    config::{ConfigError, SecretUnread},
    serve::ServeError,
};

/// Done.
pub const EXIT_OK: u8 = 0;
/// It was tried and failed.
pub const EXIT_FAILED: u8 = 1;
/// The configuration or the arguments are wrong; nothing was tried.
pub const EXIT_USAGE: u8 = 2;

/// Why a command was not carried out.
#[derive(Debug)]
pub enum CliError {
    /// The configuration cannot be used.
    Config(ConfigError),
    /// The arguments make no sense.
    Usage(Words),
    /// It was tried and failed.
    Failed(Words),
    /// It failed, and the command's own output says why.
    Reported,
    /// Whoever read the output stopped reading. Nothing is left to say, and nobody to say it to.
    OutputClosed,
}

/// What is wrong, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Words {
    /// Lower-case, without a final stop.
    pub message: Cow<'static, str>,
    /// What to do about it.
    pub hint: Option<Cow<'static, str>>,
}

impl CliError {
    /// It was tried and failed.
    #[must_use]
    pub fn failed(message: impl Into<Cow<'static, str>>) -> Self {
        Self::Failed(Words { message: message.into(), hint: None })
    }

    /// The arguments make no sense.
    #[must_use]
    pub fn usage(message: impl Into<Cow<'static, str>>) -> Self {
        Self::Usage(Words { message: message.into(), hint: None })
    }

    /// The same with a hint. A wrong configuration has hints of its own.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<Cow<'static, str>>) -> Self {
        if let Self::Usage(words) | Self::Failed(words) = &mut self {
            words.hint = Some(hint.into());
        }
        self
    }

    /// What the process ends with.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Config(_) | Self::Usage(_) => EXIT_USAGE,
            Self::Failed(_) | Self::Reported => EXIT_FAILED,
            Self::OutputClosed => EXIT_OK,
        }
    }

    /// Messages with their hints, as they are to be printed one after the other.
    #[must_use]
    pub fn words(&self) -> Vec<Words> {
        match self {
            Self::Config(error) => {
                let words = error.problems.iter().map(|problem| Words {
                    message: problem.headline().into(),
                    hint: problem.hint.clone().map(Cow::from),
                });
                words.collect()
            }
            Self::Usage(words) | Self::Failed(words) => vec![words.clone()],
            Self::Reported | Self::OutputClosed => Vec::new(),
        }
    }
}

impl fmt::Display for CliError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Config(error) => fmt::Display::fmt(error, f),
            Self::Usage(words) | Self::Failed(words) => f.write_str(&words.message),
            Self::Reported => f.write_str("the command's output says what is wrong"),
            Self::OutputClosed => f.write_str("the reader of the output is gone"),
        }
    }
}

impl std::error::Error for CliError {}

impl From<ConfigError> for CliError {
    fn from(error: ConfigError) -> Self {
        Self::Config(error)
    }
}

impl From<SecretUnread> for CliError {
    fn from(error: SecretUnread) -> Self {
        Self::failed(error.to_string())
    }
}

/// A text of which the last line may be a hint: the form of the errors of the other crates.
fn with_hint(text: &str) -> CliError {
    match text.split_once("\nhint: ") {
        Some((message, hint)) => CliError::failed(message.to_owned()).hint(hint.to_owned()),
        None => CliError::failed(text.to_owned()),
    }
}

impl From<StoreError> for CliError {
    fn from(error: StoreError) -> Self {
        with_hint(&error.chain())
    }
}

impl From<LoadError> for CliError {
    fn from(error: LoadError) -> Self {
        with_hint(&format!("{error:#}"))
    }
}

impl From<SandboxError> for CliError {
    fn from(error: SandboxError) -> Self {
        with_hint(&error.to_string())
    }
}

impl From<ToolchainError> for CliError {
    fn from(error: ToolchainError) -> Self {
        with_hint(&error.to_string())
    }
}

impl From<Fault> for CliError {
    fn from(fault: Fault) -> Self {
        with_hint(&fault.to_string())
    }
}

impl From<ServeError> for CliError {
    fn from(error: ServeError) -> Self {
        let words = with_hint(&error.to_string());
        match (&error, words) {
            // The configuration is wrong, though it takes the adapters to see it.
            (ServeError::Shop { .. }, Self::Failed(words)) => Self::Usage(words),
            (_, words) => words,
        }
    }
}
