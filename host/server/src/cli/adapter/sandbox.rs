//! The sandbox of the commands for authors.
//!
//! Owns where their compiled adapters are kept. It is as the server's in everything else.

use std::path::PathBuf;

use bursar_sandbox::{Sandbox, SandboxConfig, SandboxError};

use crate::cli::{CliError, Context};

/// A sandbox as the server's, with a cache of compiled adapters that is the user's own. Not the server's, which belongs to
/// the user that it runs as.
pub(super) fn sandbox(context: &Context, count_fuel: bool) -> Result<Sandbox, CliError> {
    let config =
        |cache_directory, compiler| SandboxConfig { cache_directory, compiler, count_fuel, ..SandboxConfig::default() };
    match Sandbox::new(config(cache_directory(context), context.compiler.clone())) {
        // It only saves time.
        Err(SandboxError::Cache { .. }) => Ok(Sandbox::new(config(None, None))?),
        made => Ok(made?),
    }
}

/// As the XDG Base Directory Specification has it: a relative path in the variable counts as none.
fn cache_directory(context: &Context) -> Option<PathBuf> {
    let absolute = |name: &str| {
        let path = context.environment.variable(name).map(PathBuf::from);
        path.filter(|path| path.is_absolute())
    };
    let cache = absolute("XDG_CACHE_HOME").or_else(|| Some(absolute("HOME")?.join(".cache")))?;
    Some(cache.join("bursar/compiled-for-tests"))
}
