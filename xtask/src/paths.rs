//! Where things are.

use std::env;
use std::path::{Path, PathBuf};

/// The project's directory: this crate's parent.
#[must_use]
pub fn root() -> PathBuf {
    let own = Path::new(env!("CARGO_MANIFEST_DIR"));
    own.parent().unwrap_or(own).to_path_buf()
}

/// Where cargo puts what it builds.
#[must_use]
pub fn target_directory(root: &Path) -> PathBuf {
    env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), |directory| root.join(directory))
}

/// Where the adapters are once they are built.
#[must_use]
pub fn adapters_directory(root: &Path) -> PathBuf {
    target_directory(root).join("adapters")
}

/// A path as it is typed in the project's directory.
#[must_use]
pub fn typed<'p>(root: &Path, path: &'p Path) -> std::path::Display<'p> {
    path.strip_prefix(root).unwrap_or(path).display()
}
