//! What this machine must have for adapters in JavaScript and Python, and how it gets it.
//!
//! Owns where the tools go: `target/toolchains/`, fetched as the templates' lock files say, once for all adapters.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use bursar_toolchain::Language;
use bursar_toolchain::build::{javascript, python};

use crate::paths::target_directory;
use crate::say;
use crate::tool::{Result, output, run};

/// What says that a system is Debian, or is made of it.
const DEBIAN: &str = "/etc/debian_version";

/// What the tools of a language are fetched by: from its template, whose project every author begins with.
fn lists(language: Language) -> &'static [&'static str] {
    match language {
        Language::Rust => &[],
        Language::JavaScript => &["package.json", "package-lock.json"],
        Language::Python => &["requirements.txt"],
    }
}

/// Debian's packages for a language.
fn debian_packages(language: Language) -> &'static [&'static str] {
    match language {
        Language::Rust => &[],
        Language::JavaScript => &["nodejs", "npm"],
        Language::Python => &["python3", "python3-venv"],
    }
}

/// The folder with a language's tools, which are fetched if they are not there or not those of the lists.
///
/// # Errors
///
/// When they cannot be fetched.
pub fn tools(root: &Path, language: Language) -> Result<PathBuf> {
    prepare(language)?;
    let name = language.name().to_lowercase();
    let folder = target_directory(root).join("toolchains").join(&name);
    let installed = match language {
        Language::Rust => true,
        Language::JavaScript => javascript::installed(&folder),
        Language::Python => python::installed(&folder),
    };
    let mut current = installed;
    for list in lists(language) {
        let wanted = fs::read(root.join("templates").join(&name).join(list))?;
        current &= fs::read(folder.join(list)).is_ok_and(|there| there == wanted);
    }
    if current {
        return Ok(folder);
    }
    if folder.is_dir() {
        fs::remove_dir_all(&folder)?;
    }
    fs::create_dir_all(&folder)?;
    let copied = lists(language)
        .iter()
        .try_for_each(|list| fs::copy(root.join("templates").join(&name).join(list), folder.join(list)).map(drop));
    copied?;
    let tell = |line: &str| say::words(line);
    match language {
        Language::Rust => {}
        Language::JavaScript => javascript::install(&folder, &tell)?,
        Language::Python => python::install(&folder, &tell)?,
    }
    Ok(folder)
}

/// Has the machine get what a language needs, where this may be done without asking.
///
/// # Errors
///
/// When something is missing and cannot be installed: what, and how to get it.
pub fn prepare(language: Language) -> Result<()> {
    let Err(missing) = check(language) else { return Ok(()) };
    if !Path::new(DEBIAN).is_file() || output(Command::new("id").arg("-u"))?.trim() != "0" {
        return Err(missing);
    }
    let packages = debian_packages(language);
    say::words(&format!("installing {} with apt-get", packages.join(" and ")));
    let apt = || {
        let mut command = Command::new("apt-get");
        command.env("DEBIAN_FRONTEND", "noninteractive");
        command
    };
    run(apt().args(["update", "--quiet"]))?;
    run(apt().args(["install", "--yes", "--quiet", "--no-install-recommends"]).args(packages))?;
    check(language)
}

/// Has the machine what a language needs?
///
/// # Errors
///
/// When something is missing: what, and how to get it.
pub fn check(language: Language) -> Result<()> {
    match language {
        Language::Rust => {}
        Language::JavaScript => javascript::check_machine()?,
        Language::Python => python::check_machine()?,
    }
    Ok(())
}
