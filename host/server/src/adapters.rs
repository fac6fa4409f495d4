//! Adapters in service: from the files of a directory to what shops are served by, while the server runs.
//!
//! Owns which adapter serves. What a component may do, and whether it is sound, is the sandbox's business. An adapter's name
//! is what its own description says; the file's name is for people.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::Arc,
};

use bursar_domain::{AdapterName, Clock, SystemClock};
use bursar_sandbox::{Adapter, CompilerProcess, Sandbox, SandboxConfig, SandboxError};
use sha2::{Digest as _, Sha256};

use crate::config::Config;

mod directory;
pub mod health;
pub mod keeper;
pub mod status;
pub mod trust;
pub mod versions;

pub use self::directory::{Directory, Looked};
use self::{health::Health, trust::Trust, versions::Versions};

/// Every adapter of a directory.
#[derive(Debug, Default)]
pub struct Adapters {
    /// Those that serve.
    pub sound: BTreeMap<AdapterName, Loaded>,
    /// Files that hold none, and why.
    pub broken: Vec<Broken>,
}

/// An adapter that can run.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// Where it came from.
    pub file: PathBuf,
    /// The adapter.
    pub adapter: Arc<Adapter>,
    /// How it has been doing.
    pub health: Arc<Health>,
}

/// A file that holds no adapter that can run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Broken {
    /// The file.
    pub file: PathBuf,
    /// Why, with a hint.
    pub reason: String,
    /// The version that the file held before, if it serves in its place.
    pub instead: Option<String>,
}

impl Adapters {
    /// Reads a directory once, and takes every file in it as it is: for whoever serves no shop.
    ///
    /// # Errors
    /// When the directory cannot be read.
    pub async fn read(sandbox: Sandbox, path: &Path) -> std::io::Result<Self> {
        Directory::new(sandbox, path, Trust::default(), None, Arc::new(SystemClock)).open().await
    }
}

impl Broken {
    /// Why, and what goes on instead.
    #[must_use]
    pub fn words(&self) -> String {
        match (&self.instead, self.reason.split_once('\n')) {
            (None, _) => self.reason.clone(),
            (Some(version), None) => format!("{}; version {version} goes on", self.reason),
            (Some(version), Some((what, hint))) => format!("{what}; version {version} goes on\n{hint}"),
        }
    }
}

impl Loaded {
    fn is(&self, bytes: &[u8]) -> bool {
        hex::encode(Sha256::digest(bytes)) == self.adapter.sha256()
    }
}

/// The sandbox as the configuration wants it. Whoever looks at the directory uses the same cache of compiled adapters, so that
/// what `doctor` has compiled need not be compiled at the start.
///
/// # Errors
/// When this machine cannot run adapters safely, or the cache cannot be used.
pub fn serving_sandbox(config: &Config, compiler: Option<CompilerProcess>) -> Result<Sandbox, SandboxError> {
    Sandbox::new(SandboxConfig {
        limits: config.limits.clone(),
        cache_directory: Some(config.adapters.cache.clone()),
        compiler,
        count_fuel: false,
    })
}

/// The configured directory, not yet looked at.
#[must_use]
pub fn directory(config: &Config, sandbox: Sandbox, clock: Arc<dyn Clock>) -> Directory {
    let adapters = &config.adapters;
    Directory::new(sandbox, &adapters.directory, Trust::new(adapters), Some(Versions::within(&adapters.cache)), clock)
}
