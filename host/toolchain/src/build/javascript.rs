//! JavaScript: esbuild puts the modules together, componentize-js makes a component of the engine and the result.
//!
//! All features of the engine that need WASI are off, so that none of it is imported. TypeScript is as good: esbuild cuts
//! the types out.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::{Told, Tools, Workbench, absolute, read};
use crate::command::{Needed, judging, quiet};
use crate::{Error, Project, Result};

/// Runs in node; takes the entry, the world's folder and name, where the tools are, and where the component goes.
const SCRIPT: &str = include_str!("componentize.mjs");

/// The oldest node that componentize-js and the kit's tests run in: major and minor.
const NODE: (u32, u32) = (20, 6);

/// By these it is known whether the tools are there.
const PACKAGES: [&str; 2] = ["@bytecodealliance/componentize-js", "esbuild"];

const NODE_NEEDED: Needed = Needed {
    purpose: "the tools that make a component of JavaScript run in it",
    hint: "node 20.6 or newer is needed: https://nodejs.org; on Debian: apt-get install nodejs npm",
};

const NPM_NEEDED: Needed = Needed {
    purpose: "it fetches the tools that make a component of JavaScript",
    hint: "it comes with node: https://nodejs.org; on Debian: apt-get install npm",
};

/// Fetches what `package.json` and `package-lock.json` in a folder name into its `node_modules`.
///
/// # Errors
///
/// When `npm` is not here or cannot.
pub fn install(folder: &Path, told: Told<'_>) -> Result<()> {
    check_node()?;
    let locked = folder.join("package-lock.json").is_file();
    told("fetching the tools for JavaScript with npm (about 110 MB, once)");
    let mut command = Command::new("npm");
    command.arg(if locked { "ci" } else { "install" }).args(["--no-audit", "--no-fund"]).current_dir(folder);
    quiet(&mut command, NPM_NEEDED).map(drop)
}

/// Are they there?
#[must_use]
pub fn installed(folder: &Path) -> bool {
    PACKAGES.iter().all(|package| folder.join("node_modules").join(package).join("package.json").is_file())
}

/// Has the machine what the tools need?
///
/// # Errors
///
/// When node is missing or too old, or npm is missing.
pub fn check_machine() -> Result<()> {
    check_node()?;
    quiet(Command::new("npm").arg("--version"), NPM_NEEDED).map(drop)
}

fn check_node() -> Result<()> {
    let said = quiet(Command::new("node").arg("--version"), NODE_NEEDED)?;
    let mut numbers = said.trim().trim_start_matches('v').split('.').map_while(|number| number.parse().ok());
    let version = (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0));
    if version >= NODE {
        return Ok(());
    }
    Err(Error::new(format!("node {} is too old", said.trim())).hint(NODE_NEEDED.hint))
}

pub(super) fn component(project: &Project, tools: Tools<'_>, told: Told<'_>) -> Result<Vec<u8>> {
    let directory = absolute(&project.directory)?;
    let tools = match tools {
        Tools::In(folder) => absolute(folder)?,
        Tools::Own => own_tools(&directory, told)?,
    };
    check_node()?;
    let workbench = Workbench::set_up()?;
    let (wit, made) = (absolute(&workbench.wit(project)?)?, workbench.path().join("component.wasm"));
    told(&format!("making a component of {} with componentize-js (about 15 seconds)", project.name));
    let script = workbench.path().join("componentize.mjs");
    fs::write(&script, SCRIPT)
        .map_err(|error| Error::new(format!("{} cannot be written: {error}", script.display())))?;
    let mut command = Command::new("node");
    command
        .current_dir(&directory)
        .arg(script)
        .arg(&tools)
        .arg(workbench.path())
        .arg(wit)
        .arg(&project.world)
        .arg(&made);
    // Its temporary files are this build's too.
    command.env("TMPDIR", workbench.path());
    judging(&mut command, NODE_NEEDED, &format!("{} cannot become a component", project.name))?;
    read(&made)
}

/// The folder whose `node_modules` has the tools: the project's or one around it, as node looks for packages.
fn own_tools(directory: &Path, told: Told<'_>) -> Result<PathBuf> {
    if let Some(folder) = directory.ancestors().find(|folder| installed(folder)) {
        return Ok(folder.to_owned());
    }
    install(directory, told)?;
    if installed(directory) {
        return Ok(directory.to_owned());
    }
    Err(Error::new(format!("package.json names no {} among its devDependencies", PACKAGES.join(" and ")))
        .hint(format!("npm install --save-dev --save-exact {}", PACKAGES.join(" "))))
}
