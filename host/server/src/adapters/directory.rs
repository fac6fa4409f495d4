//! The adapters' directory: which files there are, which of them can run, and what of them is put into service.
//!
//! Owns looking. A file is read once it has stayed the same from one look to the next; what is wrong with one file never keeps
//! another from running; and what serves goes on serving until something sound takes its place.

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
    time::SystemTime,
};

use bursar_domain::{AdapterName, Clock};
use bursar_sandbox::Sandbox;

use super::{
    Adapters, Broken, Loaded,
    health::Health,
    trust::{Trust, signature_of},
    versions::{Version, Versions},
};

/// The ending of an adapter's file.
const ENDING: &str = "wasm";

/// A directory of adapters, looked at again and again.
#[derive(Debug)]
pub struct Directory {
    sandbox: Sandbox,
    path: PathBuf,
    trust: Trust,
    /// Where earlier versions are kept, if they are.
    versions: Option<Versions>,
    clock: Arc<dyn Clock>,
    files: BTreeMap<PathBuf, Known>,
    settling: BTreeMap<PathBuf, Stamp>,
}

/// A file as it was read.
#[derive(Debug)]
struct Known {
    stamp: Stamp,
    held: Result<Loaded, String>,
}

/// What changes when a file does.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Stamp {
    itself: Mark,
    signature: Option<Mark>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Mark {
    length: u64,
    modified: Option<SystemTime>,
}

/// What a look brought.
#[derive(Debug)]
pub struct Looked {
    /// What is to serve now.
    pub adapters: Adapters,
    /// Files were read, or are gone.
    pub changed: bool,
    /// A file has changed since the last look, and is read if it is the same at the next.
    pub unsettled: bool,
}

impl Directory {
    /// A directory that nothing is known of yet.
    #[must_use]
    pub fn new(sandbox: Sandbox, path: &Path, trust: Trust, versions: Option<Versions>, clock: Arc<dyn Clock>) -> Self {
        Self {
            sandbox,
            path: path.to_owned(),
            trust,
            versions,
            clock,
            files: BTreeMap::new(),
            settling: BTreeMap::new(),
        }
    }

    /// The directory's path.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Reads every file, as it is. Where one cannot run and an earlier version of it was kept, that one serves.
    ///
    /// # Errors
    /// When the directory itself cannot be read.
    pub async fn open(&mut self) -> io::Result<Adapters> {
        let mut in_service = BTreeMap::new();
        for (file, stamp) in self.stamps()? {
            let held = self.load(&file).await;
            if held.is_err()
                && let Some((name, loaded)) = self.earlier(&file).await
            {
                in_service.insert(name, loaded);
            }
            self.files.insert(file, Known { stamp, held });
        }
        Ok(resolve(&self.held(), &in_service))
    }

    /// Looks whether anything has changed since the last look, and reads what has and has settled.
    ///
    /// # Errors
    /// When the directory itself cannot be read.
    pub async fn look(&mut self, in_service: &BTreeMap<AdapterName, Loaded>) -> io::Result<Looked> {
        let stamps = self.stamps()?;
        let before = self.files.len();
        self.files.retain(|file, _| stamps.contains_key(file));
        self.settling.retain(|file, _| stamps.contains_key(file));
        let mut changed = self.files.len() != before;
        for (file, stamp) in stamps {
            if self.files.get(&file).is_some_and(|known| known.stamp == stamp) {
                self.settling.remove(&file);
                continue;
            }
            if self.settling.insert(file.clone(), stamp.clone()) != Some(stamp.clone()) {
                continue;
            }
            let held = self.load(&file).await;
            // Written to while it was read: what was read may be half of it.
            if stamp_of(&file).ok().as_ref() != Some(&stamp) {
                continue;
            }
            self.settling.remove(&file);
            self.files.insert(file, Known { stamp, held });
            changed = true;
        }
        let mut adapters = resolve(&self.held(), in_service);
        let being_written = |file: &PathBuf| Broken {
            file: file.clone(),
            reason: "is being written\nhint: it is read once it stays the same; write beside it and rename".to_owned(),
            instead: None,
        };
        // Of a file that is being replaced, what it was is said until it is known what it will be.
        let new = self.settling.keys().filter(|file| !self.files.contains_key(*file));
        adapters.broken.extend(new.map(being_written));
        Ok(Looked { adapters, changed, unsettled: !self.settling.is_empty() })
    }

    /// Keeps what serves, to go back to. A version that cannot be kept serves all the same.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn keep(&self, name: &AdapterName, loaded: &Loaded) -> io::Result<()> {
        let Some(versions) = &self.versions else { return Ok(()) };
        let bytes = fs::read(&loaded.file)?;
        if !loaded.is(&bytes) {
            return Ok(());
        }
        let version = Version {
            version: loaded.adapter.description().version.clone(),
            sha256: loaded.adapter.sha256().to_owned(),
            file: loaded.file.clone(),
            since: self.clock.now(),
        };
        versions.keep(name, version, &bytes)
    }

    fn held(&self) -> BTreeMap<&Path, &Result<Loaded, String>> {
        self.files.iter().map(|(file, known)| (file.as_path(), &known.held)).collect()
    }

    fn stamps(&self) -> io::Result<BTreeMap<PathBuf, Stamp>> {
        let mut stamps = BTreeMap::new();
        for entry in fs::read_dir(&self.path)? {
            let file = entry?.path();
            if file.extension().is_some_and(|ending| ending == ENDING)
                && file.is_file()
                // It may be gone by now.
                && let Ok(stamp) = stamp_of(&file)
            {
                stamps.insert(file, stamp);
            }
        }
        Ok(stamps)
    }

    async fn load(&self, file: &Path) -> Result<Loaded, String> {
        let (path, signature) = (file.to_owned(), signature_of(file));
        let read = tokio::task::spawn_blocking(move || fs::read(path).map(|bytes| (bytes, fs::read(signature).ok())));
        let (bytes, signature) = read.await.map_err(io::Error::other).and_then(|read| read).map_err(|error| {
            format!("cannot be read: {error}\nhint: the user that runs bursar must be able to read it")
        })?;
        self.trust.check_signature(&bytes, signature.as_deref())?;
        self.loaded(file, bytes).await
    }

    async fn loaded(&self, file: &Path, bytes: Vec<u8>) -> Result<Loaded, String> {
        let adapter = self.sandbox.load(bytes).await.map_err(|error| format!("{error:#}"))?;
        self.trust.check_pin(&adapter.description().platform, adapter.sha256())?;
        Ok(Loaded { file: file.to_owned(), adapter: Arc::new(adapter), health: Arc::new(Health::default()) })
    }

    /// The last version of a file that could run. Where files must be signed there is none, because no signature of it is kept.
    async fn earlier(&self, file: &Path) -> Option<(AdapterName, Loaded)> {
        self.trust.check_signature(&[], None).ok()?;
        let (name, version) = self.versions.as_ref()?.last_of_file(file).ok()??;
        let bytes = self.versions.as_ref()?.read(&name, &version).ok()?;
        let loaded = self.loaded(file, bytes).await.ok()?;
        (loaded.adapter.description().platform == name).then_some((name, loaded))
    }
}

fn stamp_of(file: &Path) -> io::Result<Stamp> {
    let mark = |path: &Path| {
        let metadata = fs::metadata(path)?;
        Ok::<_, io::Error>(Mark { length: metadata.len(), modified: metadata.modified().ok() })
    };
    Ok(Stamp { itself: mark(file)?, signature: mark(&signature_of(file)).ok() })
}

/// Which of the files serve, and what is wrong with the others.
fn resolve(files: &BTreeMap<&Path, &Result<Loaded, String>>, in_service: &BTreeMap<AdapterName, Loaded>) -> Adapters {
    let mut by_name: BTreeMap<&AdapterName, Vec<&Loaded>> = BTreeMap::new();
    for loaded in files.values().filter_map(|held| held.as_ref().ok()) {
        by_name.entry(&loaded.adapter.description().platform).or_default().push(loaded);
    }
    let mut adapters = Adapters::default();
    for (name, candidates) in by_name {
        // Which of several is meant cannot be told. The one that serves goes on; if none does, none begins.
        let chosen = match (candidates.as_slice(), in_service.get(name)) {
            ([only], _) => Some(*only),
            (several, Some(incumbent)) => several.iter().copied().find(|loaded| loaded.file == incumbent.file),
            (_, None) => None,
        };
        for refused in candidates.iter().filter(|loaded| chosen.is_none_or(|chosen| chosen.file != loaded.file)) {
            let others = candidates.iter().filter(|other| other.file != refused.file);
            let others: Vec<String> = others.map(|other| other.file.display().to_string()).collect();
            adapters.broken.push(Broken {
                file: refused.file.clone(),
                reason: format!(
                    "calls itself {name}, and so does {}\nhint: take all but one of them away",
                    others.join(" and ")
                ),
                instead: None,
            });
        }
        if let Some(chosen) = chosen {
            adapters.sound.insert(name.clone(), chosen.clone());
        }
    }
    for (file, reason) in files.iter().filter_map(|(file, held)| Some((file, held.as_ref().err()?))) {
        let incumbent =
            in_service.iter().find(|(name, loaded)| loaded.file == **file && !adapters.sound.contains_key(*name));
        let instead = incumbent.map(|(_, loaded)| loaded.adapter.description().version.clone());
        if let Some((name, loaded)) = incumbent {
            adapters.sound.insert(name.clone(), loaded.clone());
        }
        adapters.broken.push(Broken { file: file.to_path_buf(), reason: reason.clone(), instead });
    }
    adapters
}
