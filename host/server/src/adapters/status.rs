//! How the adapters of a running server are doing, for commands that run beside it.
//!
//! Owns one small file in the cache directory: the server writes it whenever something changes, and the command line reads it.
//! It is news, not truth: what a server does is decided in its memory, and a server that is gone leaves the file behind.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use bursar_domain::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Adapters, versions::write_whole};

/// What the file is called.
const FILE: &str = "status.json";

/// Everything that is said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Status {
    /// When it was written.
    pub at: Timestamp,
    /// The server's process.
    pub process: u32,
    /// A row for each adapter that serves and each file that does not.
    pub adapters: Vec<Row>,
}

/// An adapter, or a file that is none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Row {
    /// The adapter's name, where the file says one.
    pub adapter: Option<String>,
    /// Its version.
    pub version: Option<String>,
    /// SHA-256 of its file.
    pub sha256: Option<String>,
    /// The file.
    pub file: PathBuf,
    /// How it is doing.
    pub state: State,
    /// Why, where it is not ready, with a hint.
    pub reason: Option<String>,
}

/// How an adapter is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// It serves.
    Ready,
    /// It failed again and again and is given nothing; what comes waits.
    Quarantined,
    /// The file cannot run.
    Refused,
}

impl State {
    /// Every state.
    pub const ALL: [Self; 3] = [Self::Ready, Self::Quarantined, Self::Refused];

    /// As it is written.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ready => "ready",
            Self::Quarantined => "quarantined",
            Self::Refused => "refused",
        }
    }
}

/// A row for everything there is.
#[must_use]
pub fn rows(adapters: &Adapters) -> Vec<Row> {
    let serving = adapters.sound.iter().map(|(name, loaded)| {
        let quarantine = loaded.health.quarantine();
        Row {
            adapter: Some(name.to_string()),
            version: Some(loaded.adapter.description().version.clone()),
            sha256: Some(loaded.adapter.sha256().to_owned()),
            file: loaded.file.clone(),
            state: if quarantine.is_some() { State::Quarantined } else { State::Ready },
            reason: quarantine.map(|quarantine| quarantine.words()),
        }
    });
    let broken = adapters.broken.iter().map(|broken| Row {
        adapter: None,
        version: None,
        sha256: None,
        file: broken.file.clone(),
        state: State::Refused,
        reason: Some(broken.words()),
    });
    serving.chain(broken).collect()
}

impl Status {
    /// Writes it for others to read.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn write(&self, cache: &Path) -> io::Result<()> {
        write_whole(&cache.join(FILE), &serde_json::to_vec_pretty(self)?)
    }

    /// What the server says that runs now; none if none does.
    #[must_use]
    pub fn of_running(cache: &Path) -> Option<Self> {
        // A file that cannot be read says as little as none.
        let status = Self::read(cache).ok().flatten()?;
        Path::new("/proc").join(status.process.to_string()).exists().then_some(status)
    }

    /// Reads what a server wrote last; none if none ever did.
    ///
    /// # Errors
    /// When the file is there and cannot be read.
    pub fn read(cache: &Path) -> io::Result<Option<Self>> {
        match fs::read(cache.join(FILE)) {
            Ok(text) => Ok(Some(serde_json::from_slice(&text)?)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }
}
