//! Where things are that were built or recorded before the tests began. What is missing ends the tests; nothing is skipped.

use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::{env, fs};

/// Names the binary where it is not beside the tests.
const BINARY_VARIABLE: &str = "BURSAR_BIN";
/// Names the directory of the built adapters where it is not beside the tests.
const ADAPTERS_VARIABLE: &str = "BURSAR_ADAPTERS";

/// The binary `bursar`.
#[must_use]
pub fn binary() -> PathBuf {
    let path = env::var_os(BINARY_VARIABLE).map_or_else(|| profile_directory().join("bursar"), PathBuf::from);
    assert!(path.is_file(), "there is no {}: run `cargo xtask test`, which builds it", path.display());
    path
}

/// The component that understands WooCommerce.
#[must_use]
pub fn woocommerce() -> PathBuf {
    adapter("woocommerce.wasm")
}

/// A component that only tests use.
#[must_use]
pub fn test_adapter(name: &str) -> PathBuf {
    adapter(&format!("tests/{name}.wasm"))
}

/// Has a site's cache hold the compiled adapters of all sites: compiling takes long, and is the same for all. They are beside the
/// binary, so that a cleaned project compiles anew. Everything else in a cache stays the site's own.
pub fn share_compiled(cache: &Path) {
    let shared = binary().parent().unwrap().join("compiled-adapters");
    fs::create_dir_all(cache).unwrap();
    for part in ["compiled", "known"] {
        fs::create_dir_all(shared.join(part)).unwrap();
        symlink(shared.join(part), cache.join(part)).unwrap();
    }
}

/// A component by its file in the directory of the built adapters.
#[must_use]
pub fn adapter(file: &str) -> PathBuf {
    let directory = env::var_os(ADAPTERS_VARIABLE)
        .map_or_else(|| profile_directory().parent().unwrap().join("adapters"), PathBuf::from);
    let path = directory.join(file);
    assert!(path.is_file(), "there is no {}: run `cargo xtask test`, which builds it", path.display());
    path
}

/// A file or folder of the project's, by its path from the root.
#[must_use]
pub fn project(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(path)
}

/// Where cargo puts binaries of this profile: the executable of a test is in `deps` below it.
fn profile_directory() -> PathBuf {
    env::current_exe().unwrap().parent().unwrap().parent().unwrap().to_path_buf()
}
