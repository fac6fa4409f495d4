//! What is wrong with a configuration, told so that the operator can mend it: file, line, column, key, fault and hint.
//!
//! Owns the wording's form and the collecting of several problems. Never holds the value of a secret.

use std::{
    cell::RefCell,
    fmt,
    ops::Range,
    path::{Path, PathBuf},
};

/// A place in a file, counted from 1, columns in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// Line.
    pub line: usize,
    /// Column.
    pub column: usize,
}

/// One thing that is wrong, or that the operator should know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The configuration file, as it was named.
    pub file: PathBuf,
    /// Where in it; none for a file that could not be read.
    pub position: Option<Position>,
    /// The key: `shops[campus].mode`. Empty where it concerns the file as a whole.
    pub key: String,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
}

impl Problem {
    /// Everything but the hint, on one line.
    #[must_use]
    pub fn headline(&self) -> String {
        let mut line = self.file.display().to_string();
        if let Some(Position { line: row, column }) = self.position {
            line.push_str(&format!(":{row}:{column}"));
        }
        if !self.key.is_empty() {
            line.push_str(": ");
            line.push_str(&self.key);
        }
        line.push_str(": ");
        line.push_str(&self.message);
        line
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.headline())?;
        match &self.hint {
            Some(hint) => write!(f, "\n  hint: {hint}"),
            None => Ok(()),
        }
    }
}

/// A configuration that cannot be used, with everything that is wrong with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigError {
    /// In the order of the file; at least one.
    pub problems: Vec<Problem>,
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.problems.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            write!(f, "{problem}")?;
        }
        Ok(())
    }
}

impl std::error::Error for ConfigError {}

/// The text of a configuration and what was found wrong with it so far.
#[derive(Debug)]
pub(super) struct Findings<'a> {
    file: &'a Path,
    text: &'a str,
    problems: RefCell<Vec<Problem>>,
    warnings: RefCell<Vec<Problem>>,
}

impl<'a> Findings<'a> {
    pub(super) fn new(file: &'a Path, text: &'a str) -> Self {
        Self { file, text, problems: RefCell::default(), warnings: RefCell::default() }
    }

    /// Notes a problem; the configuration will be refused.
    pub(super) fn refuse(&self, span: &Range<usize>, key: &str, message: impl Into<String>, hint: Option<String>) {
        self.problems.borrow_mut().push(self.problem(span, key, message.into(), hint));
    }

    /// Notes something that the operator should know; the configuration can be used.
    pub(super) fn warn(&self, span: &Range<usize>, key: &str, message: impl Into<String>, hint: Option<String>) {
        self.warnings.borrow_mut().push(self.problem(span, key, message.into(), hint));
    }

    /// The problems, if there are any; otherwise the warnings.
    pub(super) fn conclude(self) -> Result<Vec<Problem>, ConfigError> {
        let mut problems = self.problems.into_inner();
        if problems.is_empty() {
            let mut warnings = self.warnings.into_inner();
            warnings.sort_by_key(|warning| warning.position);
            return Ok(warnings);
        }
        problems.sort_by_key(|problem| problem.position);
        Err(ConfigError { problems })
    }

    fn problem(&self, span: &Range<usize>, key: &str, message: String, hint: Option<String>) -> Problem {
        Problem {
            file: self.file.to_owned(),
            position: Some(position(self.text, span.start)),
            key: key.to_owned(),
            message,
            hint,
        }
    }
}

fn position(text: &str, offset: usize) -> Position {
    let before = text.get(..offset).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    Position { line, column }
}
