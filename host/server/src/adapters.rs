//! The adapters' directory: which adapters there are, and which files are none.
//!
//! Owns reading the directory and the names' uniqueness. What a component may do, and whether it is sound, is the sandbox's
//! business. An adapter's name is what its own description says; the file's name is for people.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::Arc,
};

use bursar_domain::AdapterName;
use bursar_sandbox::{Adapter, Sandbox, SandboxConfig, SandboxError};

use crate::config::AdaptersConfig;

/// The ending of an adapter's file.
const ENDING: &str = "wasm";

/// Every adapter of a directory.
#[derive(Debug, Default)]
pub struct Adapters {
    /// Those that can run.
    pub sound: BTreeMap<AdapterName, Loaded>,
    /// Files that hold no adapter that can run, and why.
    pub broken: Vec<Broken>,
}

/// An adapter that can run.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// Where it came from.
    pub file: PathBuf,
    /// The adapter.
    pub adapter: Arc<Adapter>,
}

/// A file that holds no adapter that can run.
#[derive(Debug, Clone)]
pub struct Broken {
    /// The file.
    pub file: PathBuf,
    /// Why, with a hint.
    pub reason: String,
}

impl Adapters {
    /// Loads every `.wasm` file of the directory. What is wrong with one file never keeps another from loading.
    ///
    /// # Errors
    /// When the directory itself cannot be read.
    pub async fn load(sandbox: &Sandbox, directory: &Path) -> std::io::Result<Self> {
        let mut adapters = Self::default();
        let mut twins = Vec::new();
        for file in files(directory)? {
            match load(sandbox, &file).await {
                Ok(adapter) => {
                    let name = adapter.description().platform.clone();
                    let loaded = Loaded { file: file.clone(), adapter: Arc::new(adapter) };
                    if let Some(other) = adapters.sound.insert(name.clone(), loaded) {
                        twins.push((name, other.file, file));
                    }
                }
                Err(reason) => adapters.broken.push(Broken { file, reason }),
            }
        }
        // Which of two is meant cannot be told, so neither runs.
        for (name, one, other) in twins {
            adapters.sound.remove(&name);
            for (file, twin) in [(&one, &other), (&other, &one)] {
                let reason = format!(
                    "calls itself {name}, and so does {}\nhint: take one of the two files away",
                    twin.display()
                );
                adapters.broken.push(Broken { file: file.clone(), reason });
            }
        }
        Ok(adapters)
    }
}

/// The sandbox as the configuration wants it. Whoever looks at the directory uses the same cache of compiled adapters, so that
/// what `doctor` has compiled need not be compiled at the start.
///
/// # Errors
/// When this machine cannot run adapters safely, or the cache cannot be used.
pub fn sandbox(config: &AdaptersConfig) -> Result<Sandbox, SandboxError> {
    Sandbox::new(SandboxConfig { cache_directory: config.cache.clone(), ..SandboxConfig::default() })
}

fn files(directory: &Path) -> std::io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(directory)? {
        let path = entry?.path();
        if path.extension().is_some_and(|ending| ending == ENDING) && path.is_file() {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

async fn load(sandbox: &Sandbox, file: &Path) -> Result<Adapter, String> {
    let bytes = std::fs::read(file)
        .map_err(|error| format!("cannot be read: {error}\nhint: the user that runs bursar must be able to read it"))?;
    sandbox.load(bytes).await.map_err(|error| error.to_string())
}
