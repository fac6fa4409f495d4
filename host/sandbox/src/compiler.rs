//! Compiling in a process of its own.
//!
//! Owns that process: what it is given, what it may use, and what its end means. Compiling is the one thing that wasmtime does
//! not promise to bound, so whoever serves shops has it done where it can be killed. The process is this program, called anew;
//! it puts machine code into the cache and hands nothing else back. What it writes is trusted as far as the cache is.
//!
//! An adapter that was compiled once with the same settings leaves a mark beside the cache, and needs no process again: it is
//! known to fit the limits, whether the cache still has it or not.

use std::{
    ffi::OsString,
    hash::{DefaultHasher, Hash as _, Hasher as _},
    io::Read,
    path::{Path, PathBuf},
    process::{ExitCode, Stdio},
    sync::Arc,
};

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use tokio::{io::AsyncWriteExt as _, process::Command, time::timeout};
use wasmtime::{Engine, component::Component};

use crate::{
    engine,
    error::{LoadErrorKind, SandboxError},
    inspect::inspect,
    limits::{self, Limits},
    text,
};

/// The process ended like this where the file is no adapter; whoever asked looks into it again for the words.
const NO_ADAPTER: u8 = 2;
/// And like this where wasmtime refused it, with the words on standard error.
const NOT_COMPILED: u8 = 3;
/// And like this where the process could not do its work, with the words on standard error.
const OUT_OF_ORDER: u8 = 4;

/// Where compiled code is kept within the cache directory.
const COMPILED: &str = "compiled";
/// Where the marks are. Wasmtime keeps its own directory tidy, so they must not be in there.
const MARKS: &str = "known";

/// By how much the process gives way to others: serving is more urgent than compiling.
const NICENESS: i32 = 10;

/// The program that compiles, and how it is called. It must end by [`compile_from_input`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CompilerProcess {
    /// The program.
    pub program: PathBuf,
    /// Its arguments, before the last one, which says what to do.
    pub arguments: Vec<OsString>,
}

/// What the process is told.
#[derive(Debug, Serialize, Deserialize)]
struct Job {
    cache: PathBuf,
    limits: Limits,
    count_fuel: bool,
}

/// The directory of compiled code within a cache directory.
pub(crate) fn compiled(cache: &Path) -> PathBuf {
    cache.join(COMPILED)
}

/// Compiles elsewhere.
pub(crate) struct Apart {
    process: CompilerProcess,
    job: Arc<str>,
    limits: Arc<Limits>,
    marks: PathBuf,
    settings: u64,
}

impl Apart {
    /// Everything that compiling takes, but for the adapter.
    ///
    /// # Errors
    /// When there is no cache directory, or none that can be used.
    pub(crate) fn new(
        process: CompilerProcess,
        cache: Option<PathBuf>,
        limits: &Arc<Limits>,
        count_fuel: bool,
        engine: &Engine,
    ) -> Result<Self, SandboxError> {
        let refused = |directory: &Path, problem: String| SandboxError::Cache {
            directory: directory.display().to_string(),
            problem,
        };
        let cache =
            cache.ok_or_else(|| refused(Path::new(""), "is needed to compile in a process of its own".into()))?;
        let cache = cache.canonicalize().map_err(|error| refused(&cache, format!("cannot be found: {error}")))?;
        let marks = cache.join(MARKS);
        std::fs::create_dir_all(&marks).map_err(|error| refused(&marks, format!("cannot be made: {error}")))?;
        let job = Job { cache, limits: Limits::clone(limits), count_fuel };
        let job = serde_json::to_string(&job).map_err(|error| refused(&marks, format!("cannot be named: {error}")))?;
        let mut settings = DefaultHasher::new();
        engine.precompile_compatibility_hash().hash(&mut settings);
        Ok(Self { process, job: job.into(), limits: Arc::clone(limits), marks, settings: settings.finish() })
    }

    /// Has an adapter compiled into the cache, unless it is known.
    ///
    /// # Errors
    /// When it cannot be compiled within the limits, or the process cannot be had.
    pub(crate) async fn compile(&self, bytes: &[u8]) -> Result<(), LoadErrorKind> {
        let mark = self.marks.join(format!("{}-{:016x}", hex::encode(Sha256::digest(bytes)), self.settings));
        if mark.exists() {
            return Ok(());
        }
        let out_of_order = |words: String| LoadErrorKind::Host(format!("the compiler {words}"));
        let mut child = Command::new(&self.process.program)
            .args(&self.process.arguments)
            .arg(self.job.as_ref())
            // Nothing of this process is its business, secrets in the environment least of all.
            .env_clear()
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| out_of_order(format!("cannot be started: {error}")))?;
        let input = child.stdin.take();
        let work = async move {
            if let Some(mut input) = input {
                // It may end before it has read everything; how it ended says more than that.
                let _ = input.write_all(bytes).await;
            }
            child.wait_with_output().await
        };
        let output = match timeout(self.limits.compile_time, work).await {
            Ok(ended) => ended.map_err(|error| out_of_order(format!("cannot be waited for: {error}")))?,
            Err(_) => return Err(LoadErrorKind::CompileTime(self.limits.compile_time)),
        };
        let said = || text::words(String::from_utf8_lossy(&output.stderr).trim(), limits::MESSAGE);
        match output.status.code().map(u8::try_from) {
            Some(Ok(0)) => std::fs::write(&mark, b"").map_err(|error| out_of_order(format!("left no mark: {error}"))),
            // It was found out within the limits, so it can be found out again here, and be told in full.
            Some(Ok(NO_ADAPTER)) => Ok(()),
            Some(Ok(NOT_COMPILED)) => Err(LoadErrorKind::Compile(said())),
            Some(_) => Err(out_of_order(format!("failed: {}", said()))),
            None => Err(LoadErrorKind::CompileMemory {
                limit: self.limits.compile_memory >> 20,
                end: output.status.to_string(),
            }),
        }
    }
}

/// The process's own work: compiles what comes in, as the last argument says. Never returns to anything else.
///
/// The bytes are read from `input` to its end.
#[must_use]
pub fn compile_from_input(job: &str, mut input: impl Read) -> ExitCode {
    let done = prepare(job).and_then(|job| {
        let mut bytes = Vec::new();
        input.read_to_end(&mut bytes).map_err(|error| Failure::OutOfOrder(format!("cannot read: {error}")))?;
        compile(&job, &bytes)
    });
    let (code, words) = match done {
        Ok(()) => return ExitCode::SUCCESS,
        Err(Failure::NoAdapter) => (NO_ADAPTER, String::new()),
        Err(Failure::NotCompiled(words)) => (NOT_COMPILED, words),
        Err(Failure::OutOfOrder(words)) => (OUT_OF_ORDER, words),
    };
    // Nobody is left to tell if even that fails.
    let _ = std::io::Write::write_all(&mut std::io::stderr(), words.as_bytes());
    ExitCode::from(code)
}

enum Failure {
    NoAdapter,
    NotCompiled(String),
    OutOfOrder(String),
}

/// Reads the job and gives up what it does not need.
fn prepare(job: &str) -> Result<Job, Failure> {
    let job: Job =
        serde_json::from_str(job).map_err(|error| Failure::OutOfOrder(format!("was told nonsense: {error}")))?;
    confine(&job.limits).map_err(|error| Failure::OutOfOrder(format!("cannot be confined: {error}")))?;
    Ok(job)
}

#[cfg(unix)]
fn confine(limits: &Limits) -> std::io::Result<()> {
    use rustix::process::{Resource, Rlimit, setrlimit};
    let exactly = |figure: u64| Rlimit { current: Some(figure), maximum: Some(figure) };
    let memory = u64::try_from(limits.compile_memory).unwrap_or(u64::MAX);
    setrlimit(Resource::As, exactly(memory))?;
    setrlimit(Resource::Core, exactly(0))?;
    // In case whoever asked is gone and nobody is left to kill it.
    let processors = u64::try_from(std::thread::available_parallelism().map_or(1, usize::from)).unwrap_or(1);
    setrlimit(Resource::Cpu, exactly(limits.compile_time.as_secs().saturating_mul(processors)))?;
    rustix::process::nice(NICENESS)?;
    Ok(())
}

#[cfg(not(unix))]
fn confine(_: &Limits) -> std::io::Result<()> {
    Ok(())
}

fn compile(job: &Job, bytes: &[u8]) -> Result<(), Failure> {
    inspect(bytes, &job.limits).map_err(|_| Failure::NoAdapter)?;
    let engine = engine::compiling(&job.limits, &job.cache, job.count_fuel)
        .map_err(|error| Failure::OutOfOrder(error.to_string()))?;
    Component::from_binary(&engine, bytes)
        .map(drop)
        .map_err(|error| Failure::NotCompiled(text::words(&format!("{error:#}"), limits::MESSAGE)))
}
