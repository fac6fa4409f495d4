//! The contract's text, as every new project gets it.

use std::fs;
use std::path::Path;

use crate::template::File;
use crate::{Error, Result};

include!(concat!(env!("OUT_DIR"), "/embedded.rs"));

/// The version of the contract that adapters are built for.
pub const VERSION: &str = "0.1.0";

/// Begins the name of every interface of the contract.
pub const PREFIX: &str = "bursar:adapter/";

/// The interface that every adapter exports, without its version.
pub(crate) const EXPORTED: &str = "bursar:adapter/adapter";

/// What the names of all WASI interfaces begin with.
pub(crate) const WASI: &str = "wasi:";

/// Where the text lies in a project.
pub(crate) const FOLDER: &str = "wit/0.1.0";

/// The world that needs no permission.
pub(crate) const MINIMAL: &str = "minimal";

/// Writes the text into a folder.
pub(crate) fn write(folder: &Path) -> Result<()> {
    let failed = |error: std::io::Error| Error::new(format!("{} cannot be written: {error}", folder.display()));
    fs::create_dir_all(folder).map_err(failed)?;
    CONTRACT.iter().try_for_each(|(name, text)| fs::write(folder.join(name), text).map_err(failed))
}
