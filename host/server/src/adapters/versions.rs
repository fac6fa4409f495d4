//! Earlier versions of adapters, kept to go back to.
//!
//! Owns a directory of its own beside the compiled code: a folder for each adapter with its last files and a list of them, the
//! newest first. What is in it was sound when it was put there. It is read where the adapters' directory has a file that
//! cannot run, and by `bursar adapter rollback`.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use bursar_domain::{AdapterName, Timestamp};
use serde::{Deserialize, Serialize};

/// How many versions of an adapter are kept, the one that runs included. Enough to go back past one that was bad and its
/// hasty correction; the oldest is deleted.
pub const KEPT: usize = 3;

/// Where they are within the cache directory.
const DIRECTORY: &str = "versions";

/// What the list is called.
const LIST: &str = "list.json";

/// The versions kept.
#[derive(Debug, Clone)]
pub struct Versions(PathBuf);

/// A version that is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Version {
    /// As the adapter says.
    pub version: String,
    /// SHA-256 of its file, in hexadecimal digits.
    pub sha256: String,
    /// The file that it came from.
    pub file: PathBuf,
    /// When it was last put into service.
    pub since: Timestamp,
}

impl Versions {
    /// Those within a cache directory.
    #[must_use]
    pub fn within(cache: &Path) -> Self {
        Self(cache.join(DIRECTORY))
    }

    /// The versions of an adapter, the newest first; none if none was kept.
    ///
    /// # Errors
    /// When the list is there and cannot be read.
    pub fn of(&self, adapter: &AdapterName) -> io::Result<Vec<Version>> {
        match fs::read(self.0.join(adapter.as_str()).join(LIST)) {
            Ok(list) => Ok(serde_json::from_slice(&list)?),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
            Err(error) => Err(error),
        }
    }

    /// The bytes of a version.
    ///
    /// # Errors
    /// When they cannot be read.
    pub fn read(&self, adapter: &AdapterName, version: &Version) -> io::Result<Vec<u8>> {
        fs::read(self.file(adapter, &version.sha256))
    }

    /// Keeps the version that goes into service, as the newest.
    ///
    /// # Errors
    /// When it cannot be written. What was kept before is kept.
    pub fn keep(&self, adapter: &AdapterName, version: Version, bytes: &[u8]) -> io::Result<()> {
        let mut list = self.of(adapter)?;
        if list.first().is_some_and(|newest| newest.sha256 == version.sha256 && newest.file == version.file) {
            return Ok(());
        }
        fs::create_dir_all(self.0.join(adapter.as_str()))?;
        write_whole(&self.file(adapter, &version.sha256), bytes)?;
        list.retain(|kept| kept.sha256 != version.sha256);
        list.insert(0, version);
        let dropped = list.split_off(list.len().min(KEPT));
        write_whole(&self.0.join(adapter.as_str()).join(LIST), &serde_json::to_vec_pretty(&list)?)?;
        for version in dropped {
            fs::remove_file(self.file(adapter, &version.sha256))?;
        }
        Ok(())
    }

    /// The newest version that came from this file, and whose it is.
    ///
    /// # Errors
    /// When the lists cannot be read.
    pub fn last_of_file(&self, file: &Path) -> io::Result<Option<(AdapterName, Version)>> {
        let folders = match fs::read_dir(&self.0) {
            Ok(folders) => folders,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let mut last: Option<(AdapterName, Version)> = None;
        for folder in folders {
            let name = folder?.file_name();
            let Some(adapter) = name.to_str().and_then(|name| AdapterName::parse(name).ok()) else { continue };
            let Some(newest) = self.of(&adapter)?.into_iter().find(|version| version.file == file) else { continue };
            if last.as_ref().is_none_or(|(_, other)| other.since < newest.since) {
                last = Some((adapter, newest));
            }
        }
        Ok(last)
    }

    fn file(&self, adapter: &AdapterName, sha256: &str) -> PathBuf {
        self.0.join(adapter.as_str()).join(format!("{sha256}.wasm"))
    }
}

/// Writes a file so that nobody ever sees half of it.
///
/// # Errors
/// When it cannot be written; the file is what it was then.
pub fn write_whole(file: &Path, bytes: &[u8]) -> io::Result<()> {
    let directory = file.parent().unwrap_or(Path::new("."));
    let mut beside = tempfile::NamedTempFile::new_in(directory)?;
    io::Write::write_all(&mut beside, bytes)?;
    beside.as_file().sync_all()?;
    beside.persist(file).map_err(|error| error.error)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name() -> AdapterName {
        AdapterName::parse("acme").unwrap()
    }

    fn version(number: u8) -> Version {
        Version {
            version: format!("1.0.{number}"),
            sha256: hex::encode([number; 32]),
            file: "adapters/acme.wasm".into(),
            since: Timestamp::from_millis(i64::from(number)),
        }
    }

    #[test]
    fn the_newest_versions_are_kept_and_the_oldest_goes() {
        let directory = tempfile::tempdir().unwrap();
        let versions = Versions::within(directory.path());
        assert!(versions.of(&name()).unwrap().is_empty());
        for number in 1..=4 {
            versions.keep(&name(), version(number), &[number]).unwrap();
        }
        assert_eq!(versions.of(&name()).unwrap(), [version(4), version(3), version(2)]);
        assert_eq!(versions.read(&name(), &version(2)).unwrap(), [2]);
        assert!(versions.read(&name(), &version(1)).is_err());
    }

    #[test]
    fn going_back_makes_an_old_version_the_newest() {
        let directory = tempfile::tempdir().unwrap();
        let versions = Versions::within(directory.path());
        versions.keep(&name(), version(1), &[1]).unwrap();
        versions.keep(&name(), version(2), &[2]).unwrap();
        versions.keep(&name(), version(1), &[1]).unwrap();
        assert_eq!(versions.of(&name()).unwrap(), [version(1), version(2)]);
    }

    #[test]
    fn the_last_version_of_a_file_is_found_by_the_file() {
        let directory = tempfile::tempdir().unwrap();
        let versions = Versions::within(directory.path());
        assert_eq!(versions.last_of_file(Path::new("adapters/acme.wasm")).unwrap(), None);
        versions.keep(&name(), version(1), &[1]).unwrap();
        versions.keep(&name(), version(2), &[2]).unwrap();
        assert_eq!(versions.last_of_file(Path::new("adapters/acme.wasm")).unwrap(), Some((name(), version(2))));
        assert_eq!(versions.last_of_file(Path::new("adapters/other.wasm")).unwrap(), None);
    }
}
