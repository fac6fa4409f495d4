//! Why a project could not be written, read or built, in words for its author.

use std::fmt;

/// What this crate's calls end in.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why it could not be done: a sentence, what a tool said if one failed, and a hint in a last line of its own.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct Error {
    message: String,
    output: Option<String>,
    hint: Option<String>,
}

impl Error {
    /// Did a tool run, and fail?
    pub(crate) fn is_of_tool(&self) -> bool {
        self.output.is_some()
    }

    /// Lower-case, without a final stop.
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), output: None, hint: None }
    }

    /// What to do about it.
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The same under other words, where a command that failed means nothing to whoever reads them.
    pub(crate) fn told_as(mut self, message: impl Into<String>) -> Self {
        self.message = message.into();
        self
    }

    /// What the tool that failed had to say.
    pub(crate) fn output(mut self, output: &str) -> Self {
        let output = output.trim_end();
        self.output = (!output.is_empty()).then(|| output.to_owned());
        self
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        if let Some(output) = &self.output {
            write!(f, "\n\n{output}\n")?;
        }
        match &self.hint {
            Some(hint) => write!(f, "\nhint: {hint}"),
            None => Ok(()),
        }
    }
}
