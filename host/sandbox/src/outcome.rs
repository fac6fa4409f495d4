//! What a run gives back: the decision or the statements, the log, and what it used.
//!
//! Owns the types that the server reads. Nothing here runs anything.

use std::time::Duration;

use bursar_domain::{Timestamp, statement::Statements};

use crate::proof::FailedCheck;

/// Who or what can still turn a problem into a success.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Remedy {
    /// Nothing can: the answer is definite.
    None,
    /// Time.
    Later,
    /// A person: a secret, a permission or a setting is missing or wrong.
    Operator,
}

impl Remedy {
    /// As the contract spells it: `none`, `later`, `operator`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Later => "later",
            Self::Operator => "operator",
        }
    }
}

/// Why something could not be done, by the adapter's word or the host's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message} ({code})")]
pub struct Problem {
    /// Who can turn it into a success.
    pub remedy: Remedy,
    /// A stable word for programs: lower-case letters, digits and hyphens, at most [`CODE`](crate::limits::CODE) bytes.
    pub code: String,
    /// One sentence for people, without control characters, at most [`MESSAGE`](crate::limits::MESSAGE) bytes.
    pub message: String,
    /// How long the adapter thinks waiting makes sense. A wish.
    pub retry_after: Option<Duration>,
}

/// What to answer a shop in place of 200 with an empty body. Its bounds were checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// 200 to 299.
    pub status: u16,
    /// `text/plain` or `application/json`.
    pub content_type: String,
    /// At most [`ANSWER`](crate::limits::ANSWER) bytes.
    pub body: Vec<u8>,
}

/// What becomes of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// Genuine, and to be handled. A signature was checked, or the shop is unsigned.
    Accept {
        /// For people and `handle`.
        topic: String,
        /// What the delivery is about. Deliveries about one subject are never handled at the same time.
        subject: Option<String>,
        /// A signed id of the event.
        key: Option<String>,
        /// When the shop says that it happened.
        occurred_at: Option<Timestamp>,
        /// What to answer once it is stored.
        answer: Option<Answer>,
    },
    /// Genuine, but of no interest.
    Ignore {
        /// Why.
        reason: String,
    },
    /// A handshake that wants a particular answer.
    Respond(Answer),
    /// It cannot be accepted; the remedy says what follows.
    Problem(Problem),
}

/// How `authenticate` ended.
#[derive(Debug)]
pub struct Authenticated {
    /// What becomes of the request.
    pub decision: Decision,
    /// What the adapter logged.
    pub logs: Logs,
    /// What the run used.
    pub usage: Usage,
    /// The last HMAC check that failed, if no later check succeeded. [`FailedCheck::diagnose`] looks for the usual
    /// mistakes.
    pub failed_check: Option<FailedCheck>,
}

/// How `handle` ended.
#[derive(Debug)]
pub struct Handled {
    /// What the adapter stated, or why it could not.
    pub result: Result<Statements, Problem>,
    /// What the adapter logged.
    pub logs: Logs,
    /// What the run used.
    pub usage: Usage,
}

/// How important a logged line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum LogLevel {
    /// For the author.
    Debug,
    /// Worth knowing.
    Info,
    /// Likely wrong.
    Warning,
    /// Wrong.
    Error,
}

impl LogLevel {
    /// `debug`, `info`, `warning`, `error`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Debug => "debug",
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

/// One logged line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogLine {
    /// How important it is.
    pub level: LogLevel,
    /// Its text, control characters replaced, at most [`LOG_LINE`](crate::limits::LOG_LINE) bytes.
    pub message: String,
}

/// What an adapter logged in one run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Logs {
    /// The lines kept.
    pub lines: Vec<LogLine>,
    /// How many more there were, beyond [`LOG_LINES`](crate::limits::LOG_LINES) or
    /// [`LOG_BYTES`](crate::limits::LOG_BYTES).
    pub dropped: u64,
}

/// What a run used.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Usage {
    /// From having a place until the end, host calls included.
    pub wall: Duration,
    /// Time in the guest, counted in whole ticks of [`TICK`](crate::limits::TICK): zero for most runs.
    pub cpu: Duration,
    /// The most bytes that all memories held together.
    pub memory_peak: u64,
    /// How often growth of a memory or table was refused.
    pub refused_growth: u32,
    /// Calls of the host.
    pub host_calls: u64,
    /// Bytes handed over between guest and host, both ways.
    pub host_bytes: u64,
    /// Bytes of the log lines kept.
    pub logged_bytes: u64,
    /// Calls of the shop's API that were sent.
    pub shop_calls: u64,
    /// Calls of the LMS.
    pub lms_calls: u64,
    /// WebAssembly instructions executed, roughly (wasmtime's fuel). Only of a sandbox that counts it
    /// ([`SandboxConfig::count_fuel`](crate::SandboxConfig::count_fuel)); the same run uses the same. Of a run that
    /// was ended it may be less than it burnt.
    pub fuel: Option<u64>,
}
