//! From a project's source to its component.
//!
//! Owns which tools each language takes, and what is said where one is missing. What a tool prints is shown only if it fails.

pub mod javascript;
pub mod python;
pub mod rust;

use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::component::{self, Wasi};
use crate::{Error, Language, Project, Result, contract};

/// Is told of each step, in words for whoever waits.
pub type Told<'t> = &'t dyn Fn(&str);

/// A component that was built.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Built {
    /// Its file.
    pub file: PathBuf,
    /// Its bytes.
    pub size: usize,
    /// The interfaces that it imports.
    pub imports: Vec<String>,
    /// The file was there already with the very same bytes.
    pub unchanged: bool,
}

/// Where a project's tools are: `node_modules` for JavaScript, `.venv` for Python. Rust's are wherever cargo is.
#[derive(Debug, Clone, Copy)]
pub enum Tools<'p> {
    /// In the project's own folder. They are fetched as its lock file says when they are not there.
    Own,
    /// In this folder, made by [`javascript::install`] or [`python::install`].
    In(&'p Path),
}

/// Builds a project's component and writes it to `file`.
///
/// # Errors
///
/// When a tool is missing or fails, or the component imports what it must not.
pub fn build(project: &Project, file: &Path, tools: Tools<'_>, told: Told<'_>) -> Result<Built> {
    let (component, wasi) = match project.language {
        Language::Rust => (rust::component(project, told)?, Wasi::Refused),
        Language::JavaScript => (javascript::component(project, tools, told)?, Wasi::Refused),
        Language::Python => (python::component(project, tools, told)?, Wasi::Empty),
    };
    let component = component::finish(&component, &project.name, &project.version, project.licence.as_deref(), wasi)?;
    write(&component, file)
}

/// Writes a finished component, if the file does not hold it already.
///
/// # Errors
///
/// When it cannot be written.
pub fn write(component: &[u8], file: &Path) -> Result<Built> {
    let unchanged = fs::read(file).is_ok_and(|existing| existing == component);
    if !unchanged {
        let unwritable = |error: std::io::Error| Error::new(format!("{} cannot be written: {error}", file.display()));
        file.parent().map_or(Ok(()), fs::create_dir_all).map_err(unwritable)?;
        fs::write(file, component).map_err(unwritable)?;
    }
    let imports = component::imports(component)?;
    Ok(Built { file: file.to_owned(), size: component.len(), imports, unchanged })
}

/// A place for what a build needs in between; gone when this is dropped.
#[derive(Debug)]
struct Workbench(TempDir);

impl Workbench {
    /// A folder that nobody else can have made first.
    fn set_up() -> Result<Self> {
        let place = tempfile::Builder::new().prefix("bursar-build-").tempdir();
        place.map(Self).map_err(|error| Error::new(format!("a folder for the build cannot be made: {error}")))
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    /// Where the project's world is: its own `wit/`, the contract's text in it, or that text as it is known here.
    fn wit(&self, project: &Project) -> Result<PathBuf> {
        let own = project.directory.join("wit");
        let holds_text = |folder: &Path| {
            let entries = fs::read_dir(folder).into_iter().flatten().flatten();
            entries.into_iter().any(|entry| entry.path().extension().is_some_and(|ending| ending == "wit"))
        };
        let carried = project.directory.join(contract::FOLDER);
        if holds_text(&own) {
            return Ok(own);
        }
        if holds_text(&carried) {
            return Ok(carried);
        }
        let written = self.path().join("wit");
        contract::write(&written)?;
        Ok(written)
    }
}

fn read(file: &Path) -> Result<Vec<u8>> {
    fs::read(file).map_err(|error| Error::new(format!("{} cannot be read: {error}", file.display())))
}

/// As other programs are to be given it, wherever they run.
fn absolute(path: &Path) -> Result<PathBuf> {
    std::path::absolute(path).map_err(|error| Error::new(format!("{} cannot be used: {error}", path.display())))
}
