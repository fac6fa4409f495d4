//! Rust: cargo compiles a core module, and it becomes a component here.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use super::{Told, read};
use crate::command::{Needed, cargo, judging, quiet};
use crate::{Error, Project, Result, component};

/// What adapters are compiled for. It has no WASI, so nothing of the machine can be imported.
pub const TARGET: &str = "wasm32-unknown-unknown";

const CARGO: Needed = Needed {
    purpose: "no Rust is compiled without it",
    hint: "get Rust from https://rustup.rs; on Debian: apt-get install rustup, then rustup default stable",
};

const RUSTUP: Needed = Needed {
    purpose: "it is what adds the target wasm32-unknown-unknown, for which adapters are compiled",
    hint: "get it from https://rustup.rs; with Debian's own Rust: apt-get install libstd-rust-dev-wasm32",
};

/// Adds the adapters' target to the toolchain of a folder, if it is not there.
///
/// # Errors
///
/// When `rustup` is not here or cannot.
pub fn add_target(folder: &Path, told: Told<'_>) -> Result<()> {
    let sysroot = quiet(Command::new("rustc").args(["--print", "sysroot"]).current_dir(folder), CARGO)?;
    if Path::new(sysroot.trim()).join("lib/rustlib").join(TARGET).is_dir() {
        return Ok(());
    }
    told(&format!("adding the target {TARGET} to the Rust toolchain"));
    quiet(Command::new("rustup").args(["target", "add", TARGET]).current_dir(folder), RUSTUP).map(drop)
}

/// `cargo build` as adapters want it, to be run in their folder.
#[must_use]
pub fn cargo_build() -> Command {
    let mut command = cargo();
    command.args(["build", "--release", "--target", TARGET]);
    if let Some(home) = cargo_home() {
        // A panic names its place, and the place must not name who built the adapter.
        let remap = format!("--remap-path-prefix={}=cargo", home.display());
        command.args(["--config", &format!("target.{TARGET}.rustflags=[{remap:?}]")]);
    }
    command
}

fn cargo_home() -> Option<PathBuf> {
    let home = || env::home_dir().map(|home| home.join(".cargo"));
    env::var_os("CARGO_HOME").map(PathBuf::from).or_else(home)
}

pub(super) fn component(project: &Project, told: Told<'_>) -> Result<Vec<u8>> {
    add_target(&project.directory, told)?;
    told(&format!("compiling {} with cargo (the first time takes longer)", project.name));
    let mut command = cargo_build();
    // Where the library is built decides which configuration counts: `.cargo` there has flags for the linker.
    command.current_dir(&project.directory).args(["--lib", "--message-format", "json-render-diagnostics"]);
    let said = judging(&mut command, CARGO, &format!("{} does not compile", project.name))?;
    let manifest = super::absolute(&project.directory)?.join(project.language.manifest());
    let manifest = manifest.canonicalize().unwrap_or(manifest);
    let module = said.lines().find_map(|line| module_of(line, &manifest)).ok_or_else(|| {
        Error::new(format!("{} is no dynamic library, which is what a component is made of", project.name))
            .hint("say crate-type = [\"cdylib\", \"rlib\"] under [lib] in Cargo.toml")
    })?;
    component::encode(&read(&module)?)
}

/// The module that cargo says it has made of this very package.
fn module_of(line: &str, manifest: &Path) -> Option<PathBuf> {
    let message: Value = serde_json::from_str(line).ok()?;
    let is_ours = message.get("manifest_path")?.as_str().is_some_and(|path| Path::new(path) == manifest);
    let files = message.get("filenames")?.as_array()?;
    let module = files.iter().filter_map(Value::as_str).find(|file| file.ends_with(".wasm"))?;
    is_ours.then(|| PathBuf::from(module))
}
