//! Why a sandbox, an adapter's file or a run failed.
//!
//! Owns the words and classes of failures. A text names the thing, is lower-case, and never holds a secret, a part of a
//! request or personal data; a hint says what to do about it.

use std::{fmt, time::Duration};

use crate::{
    outcome::{Logs, Usage},
    shop::HostFault,
};

/// A sandbox that cannot be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SandboxError {
    /// Wasmtime refused the settings: this machine cannot run adapters safely.
    #[error("the sandbox cannot start: {0}")]
    Engine(String),
    /// The thread that measures guest time could not be started.
    #[error("the sandbox's clock cannot start: {0}")]
    Ticker(String),
    /// The cache of compiled adapters cannot be used.
    #[error("the directory of compiled adapters, {directory}, {problem}")]
    Cache {
        /// Which directory.
        directory: String,
        /// What is wrong with it.
        problem: String,
    },
}

/// Who must act before an adapter can be loaded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LoadErrorClass {
    /// Whoever put the file there: it is not what it should be.
    File,
    /// The adapter's author: it breaks the contract or a limit.
    Adapter,
    /// Whoever runs the host.
    Host,
}

/// Why an adapter's file was refused. `{:#}` shows the hint in a line of its own.
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
pub struct LoadError {
    /// What is wrong.
    pub kind: LoadErrorKind,
    /// What the adapter's stack was, where it trapped.
    pub backtrace: Option<String>,
}

/// What is wrong with an adapter's file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LoadErrorKind {
    /// Nothing in it.
    #[error("the file is empty")]
    Empty,
    /// Over [`Limits::file`](crate::Limits::file).
    #[error("the file has {size} bytes, {max} are allowed")]
    TooLarge {
        /// How many are allowed.
        max: usize,
        /// Its bytes.
        size: usize,
    },
    /// WebAssembly text.
    #[error("the file is webassembly text, not a binary component")]
    Text,
    /// Machine code that wasmtime made earlier.
    #[error("the file is a precompiled artefact: machine code, which no sandbox can hold")]
    Precompiled,
    /// A core module.
    #[error("the file is a core webassembly module, not a component")]
    CoreModule,
    /// Something else altogether.
    #[error("the file is not webassembly")]
    NotWasm,
    /// It ends early.
    #[error("the file is cut short: it ends at byte {at} in the middle of something")]
    Truncated {
        /// Where.
        at: usize,
    },
    /// It uses a part of WebAssembly that is off.
    #[error("the component uses {feature}, which is off in this sandbox")]
    FeatureOff {
        /// Which.
        feature: &'static str,
    },
    /// It is damaged or made by a tool that is wrong.
    #[error("the component is not valid: {0}")]
    Invalid(String),
    /// It wants something that this host does not have.
    #[error("the component imports {import}, which this host does not have")]
    UnknownImport {
        /// The import's name.
        import: String,
    },
    /// It wants the network.
    #[error("the component imports {import}, and adapters have no network")]
    Network {
        /// The import's name.
        import: String,
    },
    /// It was built against another contract.
    #[error("the component was built for {package}@{version}, this host speaks {line}.x", package = crate::inspect::PACKAGE, line = crate::inspect::LINE)]
    OtherVersion {
        /// The version that it was built for.
        version: String,
    },
    /// It uses a function or type of a newer contract that is compatible otherwise.
    #[error("the component uses `{name}` of {interface}, which is newer than this host's contract, {host}", host = crate::inspect::VERSION)]
    NewerFunction {
        /// The function or type, as the contract spells it.
        name: String,
        /// The interface, with the version that the component was built for.
        interface: String,
    },
    /// It does not export the adapter interface.
    #[error("the component does not export {interface}", interface = crate::inspect::ADAPTER)]
    NotAnAdapter,
    /// Its adapter interface is incomplete.
    #[error("the component's {interface} has no function `{function}`", interface = crate::inspect::ADAPTER)]
    MissingFunction {
        /// Which.
        function: &'static str,
    },
    /// It has more of something than may be compiled.
    #[error("the component has more than {limit} {what}")]
    TooComplex {
        /// What was counted.
        what: &'static str,
        /// How many are allowed.
        limit: usize,
    },
    /// Compiling did not end in time; the process that did it was killed.
    #[error("the component takes longer than {} s to compile", .0.as_secs())]
    CompileTime(Duration),
    /// The process that compiled it ended by itself, as it does when it runs out of memory.
    #[error("the component cannot be compiled within {limit} MiB of memory ({end})")]
    CompileMemory {
        /// MiB that there are.
        limit: usize,
        /// How the process ended.
        end: String,
    },
    /// Wasmtime cannot compile it.
    #[error("the component cannot be compiled: {0}")]
    Compile(String),
    /// Its imports or exports have other types than the contract says.
    #[error("the component does not fit the contract: {0}")]
    Link(String),
    /// `describe` failed.
    #[error("the adapter cannot describe itself: {0}")]
    Describe(RunErrorKind),
    /// What it says of itself breaks a rule.
    #[error("the adapter's description is not sound: {0}")]
    Description(String),
    /// The schema of its settings is outside the part of JSON Schema that there is.
    #[error("the adapter's settings schema is not sound: {0}")]
    Settings(String),
    /// The host failed, not the file.
    #[error("the host cannot load adapters now: {0}")]
    Host(String),
}

impl LoadErrorKind {
    /// Who must act.
    #[must_use]
    pub fn class(&self) -> LoadErrorClass {
        match self {
            Self::Empty
            | Self::TooLarge { .. }
            | Self::Text
            | Self::Precompiled
            | Self::CoreModule
            | Self::NotWasm
            | Self::Truncated { .. } => LoadErrorClass::File,
            Self::FeatureOff { .. }
            | Self::Invalid(_)
            | Self::UnknownImport { .. }
            | Self::Network { .. }
            | Self::OtherVersion { .. }
            | Self::NewerFunction { .. }
            | Self::NotAnAdapter
            | Self::MissingFunction { .. }
            | Self::TooComplex { .. }
            | Self::CompileTime(_)
            | Self::CompileMemory { .. }
            | Self::Compile(_)
            | Self::Link(_)
            | Self::Description(_)
            | Self::Settings(_) => LoadErrorClass::Adapter,
            Self::Describe(run) => match run.class() {
                RunErrorClass::Adapter => LoadErrorClass::Adapter,
                RunErrorClass::Host => LoadErrorClass::Host,
            },
            Self::Host(_) => LoadErrorClass::Host,
        }
    }

    /// What to do about it. None where the host is at fault: its log says more.
    #[must_use]
    pub fn hint(&self) -> Option<&'static str> {
        Some(match self {
            Self::Empty | Self::Truncated { .. } => "copy the file again; write it beside and rename it when complete",
            Self::TooLarge { .. } => "build without debug information and optimise for size",
            Self::Text => "build the adapter with a component toolchain, or convert the text to binary first",
            Self::Precompiled => "use the .wasm file that the author published; this host compiles it by itself",
            Self::CoreModule => "turn it into a component: `bursar adapter build`, or `wasm-tools component new`",
            Self::NotWasm => "put only adapters' .wasm files into this directory",
            Self::FeatureOff { .. } => "build the adapter without that feature; docs/sandbox.md lists what is on",
            Self::TooComplex { .. } | Self::CompileTime(_) | Self::CompileMemory { .. } => {
                "if you trust the adapter, raise the limit in `[limits]`; docs/sandbox.md has its name"
            }
            Self::Invalid(_) | Self::Compile(_) => "build the adapter again with released tools",
            Self::UnknownImport { .. } => "import nothing but interfaces of the contract",
            Self::Network { .. } => "ask the shop through `bursar:adapter/shop`, and the host makes the call",
            Self::OtherVersion { .. } => "build the adapter against this host's contract, or update the host",
            Self::NewerFunction { .. } => "update the host, or build the adapter without it",
            Self::NotAnAdapter | Self::MissingFunction { .. } | Self::Link(_) => {
                "build the adapter against the contract's `minimal` world"
            }
            Self::Describe(run) if run.class() == RunErrorClass::Host => return None,
            Self::Describe(_) => "`describe` must only fill its description in; try `bursar adapter check`",
            Self::Settings(_) => {
                "use `type: object` with properties of the types string, boolean, integer and array of strings"
            }
            Self::Description(_) => "correct what `describe` says and build the adapter again",
            Self::Host(_) => return None,
        })
    }
}

impl LoadError {
    /// Who must act.
    #[must_use]
    pub fn class(&self) -> LoadErrorClass {
        self.kind.class()
    }

    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> Option<&'static str> {
        self.kind.hint()
    }
}

impl From<LoadErrorKind> for LoadError {
    fn from(kind: LoadErrorKind) -> Self {
        Self { kind, backtrace: None }
    }
}

impl fmt::Display for LoadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.kind)?;
        match self.hint() {
            Some(hint) if f.alternate() => write!(f, "\nhint: {hint}"),
            _ => Ok(()),
        }
    }
}

impl fmt::Debug for LoadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "LoadError({self})")
    }
}

/// Whose fault a failed run is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RunErrorClass {
    /// The adapter's: running it again on the same request will most likely fail again.
    Adapter,
    /// The host's or its load: it may be tried again, and says nothing about the adapter.
    Host,
}

/// How a run ended that came to no decision.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RunErrorKind {
    /// The guest trapped: a panic, an access out of bounds, a stack that ran over.
    #[error("the adapter trapped: {0}")]
    Trap(String),
    /// The guest broke the contract.
    #[error("the adapter broke the contract: {0}")]
    Misuse(String),
    /// Out of guest time.
    #[error("the adapter used more than {} ms of cpu time", .0.as_millis())]
    Cpu(Duration),
    /// Out of wall-clock time.
    #[error("the adapter took longer than {} ms", .0.as_millis())]
    Time(Duration),
    /// Out of memory: a growth was refused and the guest could not go on.
    #[error("the adapter needs more than {0} bytes of memory")]
    Memory(usize),
    /// One of the counted limits.
    #[error("the adapter went over the limit of {limit} {what}")]
    Limit {
        /// What was counted.
        what: &'static str,
        /// How many are allowed.
        limit: u64,
    },
    /// No place became free in time, or all runs together hold all memory there is; nothing was run to its end.
    #[error("the sandbox is busy")]
    Busy,
    /// The host failed.
    #[error("the host failed: {0}")]
    Host(String),
}

impl RunErrorKind {
    /// Whose fault it is. Wall-clock time is the host's, because slow look-ups count too.
    #[must_use]
    pub fn class(&self) -> RunErrorClass {
        match self {
            Self::Trap(_) | Self::Misuse(_) | Self::Cpu(_) | Self::Memory(_) | Self::Limit { .. } => {
                RunErrorClass::Adapter
            }
            Self::Time(_) | Self::Busy | Self::Host(_) => RunErrorClass::Host,
        }
    }

    /// A stable word for programs and metric labels: `trap`, `misuse`, `cpu`, `time`, `memory`, `limit`, `busy`, `host`.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Trap(_) => "trap",
            Self::Misuse(_) => "misuse",
            Self::Cpu(_) => "cpu",
            Self::Time(_) => "time",
            Self::Memory(_) => "memory",
            Self::Limit { .. } => "limit",
            Self::Busy => "busy",
            Self::Host(_) => "host",
        }
    }
}

impl From<HostFault> for RunErrorKind {
    fn from(fault: HostFault) -> Self {
        Self::Host(fault.0)
    }
}

/// A run that came to no decision. Nothing that it stated holds.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{kind}")]
pub struct RunError {
    /// How it ended.
    pub kind: RunErrorKind,
    /// The guest's functions at the end, the innermost first, one a line; none where the guest was not running. At most
    /// [`BACKTRACE_FRAMES`](crate::limits::BACKTRACE_FRAMES) of them.
    pub backtrace: Option<String>,
    /// What the adapter logged until then.
    pub logs: Logs,
    /// What the run used until then.
    pub usage: Usage,
}

impl RunError {
    /// Whose fault it is.
    #[must_use]
    pub fn class(&self) -> RunErrorClass {
        self.kind.class()
    }
}
