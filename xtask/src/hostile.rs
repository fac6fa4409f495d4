//! Builds the guests in `tests/hostile/` and writes each as a component to `target/adapters/hostile/<name>.wasm`, where nobody takes
//! them for adapters that one would run.
//!
//! Owns how a guest's file becomes a component. Which guests there are say the files alone; what becomes of each is said in
//! `tests/hostile/guests.toml`, and a test compares the two.

use std::fs;
use std::path::{Path, PathBuf};

use bursar_toolchain::build::{self, rust};
use bursar_toolchain::component;
use wit_component::{StringEncoding, embed_component_metadata};
use wit_parser::Resolve;

use crate::adapters::add_target;
use crate::paths::{adapters_directory, target_directory};
use crate::say;
use crate::tool::{Result, run};

/// The workspace of the guests.
pub const WORKSPACE: &str = "tests/hostile";

/// Where cargo puts what it builds of the guests.
#[must_use]
pub fn guests_target_directory(root: &Path) -> PathBuf {
    target_directory(root).join("hostile-guests")
}

/// Builds every guest.
///
/// # Errors
///
/// When one does not compile or cannot become a component.
pub fn build(root: &Path) -> Result<()> {
    let (workspace, target) = (root.join(WORKSPACE), guests_target_directory(root));
    add_target(&workspace)?;
    say::words("adapters: compiling the hostile guests");
    run(rust::cargo_build().current_dir(&workspace).env("CARGO_TARGET_DIR", &target).args(["--locked", "--examples"]))?;
    let modules = target.join(rust::TARGET).join("release/examples");
    let out = adapters_directory(root).join("hostile");
    fs::create_dir_all(&out)?;
    let mut names = Vec::new();
    for file in files(&workspace.join("guests"))? {
        let stem = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let module = match file.extension().and_then(|ending| ending.to_str()) {
            Some("rs") => read(&modules.join(format!("{stem}.wasm")))?,
            Some("wat") => of_text(root, &file)?,
            _ => continue,
        };
        let component = component::encode(&module).map_err(|error| format!("{}: {error}", file.display()))?;
        let name = stem.replace('_', "-");
        build::write(&component, &out.join(format!("{name}.wasm")))?;
        names.push(format!("{name}.wasm"));
    }
    // A guest whose file is gone is none any more.
    for file in files(&out)? {
        if !names.iter().any(|name| file.ends_with(name)) {
            fs::remove_file(file)?;
        }
    }
    say::words(&format!("adapters: {} hostile guests in {}", names.len(), out.display()));
    Ok(())
}

/// A core module out of text, marked as made for the contract.
fn of_text(root: &Path, file: &Path) -> Result<Vec<u8>> {
    let wrong = |error: &dyn std::fmt::Display| format!("{}: {error}", file.display());
    let mut module = wat::parse_file(file).map_err(|error| wrong(&error))?;
    let mut resolve = Resolve::default();
    let (package, _) = resolve.push_dir(root.join("wit/0.1.0")).map_err(|error| wrong(&format!("{error:#}")))?;
    let world = resolve.select_world(&[package], Some("minimal")).map_err(|error| wrong(&format!("{error:#}")))?;
    embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8)
        .map_err(|error| wrong(&format!("{error:#}")))?;
    Ok(module)
}

fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut files: Vec<PathBuf> =
        fs::read_dir(folder)?.map(|entry| entry.map(|entry| entry.path())).collect::<std::io::Result<_>>()?;
    files.sort();
    Ok(files)
}

fn read(file: &Path) -> Result<Vec<u8>> {
    fs::read(file)
        .map_err(|error| format!("{}: {error}\nhint: name the guest in {WORKSPACE}/Cargo.toml", file.display()).into())
}
