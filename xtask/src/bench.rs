//! `cargo xtask bench`: builds what is measured as it is released, and starts the program that measures.
//!
//! What is measured, and how, is `bursar-bench`'s; what the figures mean stands in `docs/benchmarks.md`.

use std::path::Path;
use std::process::{Command, ExitCode};

use bursar_toolchain::command::cargo;

use crate::tool::{Result, run as run_tool};
use crate::{adapters, hostile, paths};

/// Measures. What it prints is the program's; its arguments are passed on.
///
/// # Errors
///
/// When something cannot be built or started.
pub fn run(root: &Path, arguments: &[&str]) -> Result<ExitCode> {
    adapters::build(root)?;
    hostile::build(root)?;
    // One after the other: what measures makes time up in places, and what is released cannot.
    let released: &[&str] = &["--package", "bursar", "--package", "openedx-simulator"];
    for packages in [released, &["--package", "bursar-bench"]] {
        let mut build = cargo();
        build.current_dir(root).args(["build", "--locked", "--release", "--bins"]).args(packages);
        run_tool(&mut build)?;
    }

    let release = paths::target_directory(root).join("release");
    let mut measure = Command::new(release.join("bursar-bench"));
    measure.arg("--bursar").arg(release.join("bursar")).arg("--simulator").arg(release.join("openedx-simulator"));
    measure.arg("--adapters").arg(paths::adapters_directory(root)).args(arguments);
    // Where the harness of the tests looks for them, which the hostile guests are measured in.
    measure.env("BURSAR_BIN", release.join("bursar")).env("BURSAR_ADAPTERS", paths::adapters_directory(root));
    let status = measure.status()?;
    Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
