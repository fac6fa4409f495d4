//! Python: componentize-py puts the interpreter and the modules into a component.
//!
//! The interpreter imports WASI whatever an adapter does; the host gives it an empty one.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::{Told, Tools, Workbench, absolute, read};
use crate::command::{Needed, judging, quiet};
use crate::{Error, Project, Result};

/// The module that exports `Adapter`.
const MODULE: &str = "app";

/// The folder of the environment that has the tools.
const ENVIRONMENT: &str = ".venv";

/// What names the tools, and libraries if there are any.
const LIST: &str = "requirements.txt";

/// The oldest Python that componentize-py and the kit's tests run in: major and minor.
const PYTHON: (u32, u32) = (3, 10);

const PYTHON_NEEDED: Needed = Needed {
    purpose: "the tools that make a component of Python run in it",
    hint: "Python 3.10 or newer is needed: https://www.python.org; on Debian: apt-get install python3 python3-venv",
};

const VENV_HINT: &str = "python3 lacks what makes environments; on Debian: apt-get install python3-venv";

/// Makes an environment in a folder's `.venv`, with what its `requirements.txt` names.
///
/// # Errors
///
/// When Python or its module venv is not here, or pip cannot fetch them.
pub fn install(folder: &Path, told: Told<'_>) -> Result<()> {
    check_machine()?;
    told("fetching the tools for Python with pip (about 60 MB, once)");
    let environment = folder.join(ENVIRONMENT);
    let mut make = Command::new("python3");
    make.args(["-m", "venv"]).arg(absolute(&environment)?);
    quiet(&mut make, PYTHON_NEEDED)?;
    let mut fetch = Command::new(absolute(&environment)?.join("bin/python"));
    fetch.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--requirement", LIST]);
    quiet(fetch.current_dir(folder), PYTHON_NEEDED)?;
    let fetched = fetched_list(folder);
    std::fs::copy(folder.join(LIST), &fetched)
        .map(drop)
        .map_err(|error| Error::new(format!("{} cannot be written: {error}", fetched.display())))
}

/// Are they there, and are they those that the list names?
#[must_use]
pub fn installed(folder: &Path) -> bool {
    let read = |file: &Path| std::fs::read(file).ok();
    tool(folder).is_file() && read(&fetched_list(folder)) == read(&folder.join(LIST))
}

/// What was fetched last.
fn fetched_list(folder: &Path) -> PathBuf {
    folder.join(ENVIRONMENT).join(LIST)
}

fn tool(folder: &Path) -> PathBuf {
    folder.join(ENVIRONMENT).join("bin/componentize-py")
}

/// Has the machine what the tools need?
///
/// # Errors
///
/// When Python is missing or too old, or cannot make environments.
pub fn check_machine() -> Result<()> {
    check_python()?;
    // Debian's Python has the one without the other.
    quiet(Command::new("python3").args(["-c", "import ensurepip, venv"]), PYTHON_NEEDED)
        .map(drop)
        .map_err(|error| error.hint(VENV_HINT))
}

fn check_python() -> Result<()> {
    let mut command = Command::new("python3");
    let said = quiet(command.args(["-c", "import sys; print(*sys.version_info[:2])"]), PYTHON_NEEDED)?;
    let mut numbers = said.split_whitespace().map_while(|number| number.parse().ok());
    let version = (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0));
    if version >= PYTHON {
        return Ok(());
    }
    Err(Error::new(format!("python3 is {}.{}, which is too old", version.0, version.1)).hint(PYTHON_NEEDED.hint))
}

pub(super) fn component(project: &Project, tools: Tools<'_>, told: Told<'_>) -> Result<Vec<u8>> {
    let directory = absolute(&project.directory)?;
    let folder = match tools {
        Tools::In(folder) => absolute(folder)?,
        Tools::Own => directory.clone(),
    };
    if !installed(&folder) {
        install(&folder, told)?;
    }
    if !installed(&folder) {
        return Err(Error::new("requirements.txt does not name componentize-py")
            .hint("add it as the template has it, with its version and hashes"));
    }
    let workbench = Workbench::set_up()?;
    let (wit, made) = (absolute(&workbench.wit(project)?)?, workbench.path().join("component.wasm"));
    told(&format!("making a component of {} with componentize-py (about 10 seconds)", project.name));
    let mut command = Command::new(tool(&folder));
    command.current_dir(&directory).env("VIRTUAL_ENV", folder.join(ENVIRONMENT));
    command.arg("--wit-path").arg(wit).args(["--world", &project.world, "componentize", "--python-path", "."]);
    for folder in &project.module_folders {
        command.arg("--python-path").arg(absolute(folder)?);
    }
    command.arg("--output").arg(&made).arg(MODULE);
    judging(&mut command, PYTHON_NEEDED, &format!("{} cannot become a component", project.name))?;
    read(&made)
}
