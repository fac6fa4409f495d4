//! Builds the adapters in `plugins/` and writes each as a component to `target/adapters/<name>.wasm`; likewise those of
//! `tests/adapters/` to `target/adapters/tests/`, where nobody takes them for real ones.
//!
//! Owns which adapters there are and when one is built anew. How a component is made of source is `bursar-toolchain`'s.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use bursar_toolchain::build::{self, Tools, rust};
use bursar_toolchain::command::cargo;
use bursar_toolchain::component::{self, Wasi};
use bursar_toolchain::{Language, Project};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::paths::{adapters_directory, target_directory};
use crate::tool::{Result, output, run};
use crate::{machine, say};

/// What adapters are compiled for.
pub const TARGET: &str = rust::TARGET;

/// Begins the name of every adapter's package; what follows names its file.
const PACKAGE_PREFIX: &str = "bursar-";

/// Begins the names of the folders in `plugins/` that hold kits, which no component is made of.
const KIT_PREFIX: &str = "sdk";

/// What lies in an adapter's folder and has no part in its component.
const NO_INPUTS: [&str; 7] = ["dist", "fixtures", "node_modules", ".venv", "__pycache__", "test", "tests"];

/// The ending of the file beside a component that holds the hash of all that it was made of.
const INPUTS_ENDING: &str = "inputs";

/// An adapter that was built.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Built {
    /// `woocommerce`, say.
    pub name: String,
    /// The package's version.
    pub version: String,
    /// The component.
    pub path: PathBuf,
}

/// Builds every adapter of the project at `root` that is written in Rust, in the order of their names. Needs nothing but
/// Rust, so the demo needs nothing else.
///
/// # Errors
///
/// When the target cannot be added, the code does not compile, or a component imports what it must not.
pub fn build(root: &Path) -> Result<Vec<Built>> {
    build_workspace(&root.join("plugins"), &plugins_target_directory(root), &adapters_directory(root))
}

/// Builds those in other languages, unless nothing has changed. Fetches their tools, and what the machine lacks for them.
///
/// # Errors
///
/// When a tool cannot be had, or as [`build()`].
pub fn build_others(root: &Path) -> Result<Vec<Built>> {
    others(root)?.iter().map(|project| build_other(root, project)).collect()
}

/// An adapter that could not be built.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Missing {
    /// `odoo`, say.
    pub name: String,
    /// Why, and what would help.
    pub why: String,
}

/// The same with what the machine has: nothing is installed on it. Answers those that cannot be built so.
///
/// # Errors
///
/// When a manifest cannot be read.
pub fn build_what_can_be(root: &Path) -> Result<Vec<Missing>> {
    let mut missing = Vec::new();
    for project in others(root)? {
        let built = machine::check(project.language).and_then(|()| build_other(root, &project));
        if let Err(error) = built {
            let why = error.to_string();
            tell(&format!("{} is left out: {why}", project.name));
            missing.push(Missing { name: project.name, why });
        }
    }
    Ok(missing)
}

/// Builds every adapter that only tests use.
///
/// # Errors
///
/// As [`build()`].
pub fn build_for_tests(root: &Path) -> Result<Vec<Built>> {
    let target = test_adapters_target_directory(root);
    build_workspace(&root.join("tests/adapters"), &target, &adapters_directory(root).join("tests"))
}

fn build_workspace(workspace: &Path, target: &Path, out: &Path) -> Result<Vec<Built>> {
    add_target(workspace)?;
    let packages = packages(workspace)?;
    tell(&format!("compiling {} adapter(s) for {TARGET}", packages.len()));
    compile(workspace, target, &packages)?;
    packages.iter().map(|package| encode(package, target, out)).collect()
}

/// Where cargo puts what it builds of `plugins/`. Not the host's directory, where two cargos would wait for one another.
#[must_use]
pub fn plugins_target_directory(root: &Path) -> PathBuf {
    target_directory(root).join("plugins")
}

/// The same for `tests/adapters/`.
#[must_use]
pub fn test_adapters_target_directory(root: &Path) -> PathBuf {
    target_directory(root).join("test-adapters")
}

/// The adapters in `plugins/` that are not written in Rust, in the order of their names.
///
/// # Errors
///
/// When a manifest cannot be read.
pub fn others(root: &Path) -> Result<Vec<Project>> {
    let mut projects = Vec::new();
    for folder in other_folders(root)? {
        if !folder.file_name().is_some_and(|name| name.to_string_lossy().starts_with(KIT_PREFIX)) {
            projects.push(Project::read(&folder)?);
        }
    }
    Ok(projects)
}

/// The names of all adapters in `plugins/`, in order, which are those of their folders: what has fixtures is one.
///
/// # Errors
///
/// When the folder cannot be read.
pub fn names(root: &Path) -> Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(root.join("plugins"))? {
        let entry = entry?;
        if entry.path().join("fixtures").is_dir() {
            names.push(entry.file_name().to_string_lossy().into_owned());
        }
    }
    names.sort();
    Ok(names)
}

/// Where the component of this name is once it is built.
#[must_use]
pub fn component_of(root: &Path, name: &str) -> PathBuf {
    adapters_directory(root).join(format!("{name}.wasm"))
}

/// The folders in `plugins/` with a package in another language than Rust, kits included.
///
/// # Errors
///
/// When the folder cannot be read.
pub fn other_folders(root: &Path) -> Result<Vec<PathBuf>> {
    let mut folders = Vec::new();
    for entry in fs::read_dir(root.join("plugins"))? {
        let folder = entry?.path();
        let is_other = |language: &Language| *language != Language::Rust && folder.join(language.manifest()).is_file();
        if Language::ALL.iter().any(is_other) {
            folders.push(folder);
        }
    }
    folders.sort();
    Ok(folders)
}

fn build_other(root: &Path, project: &Project) -> Result<Built> {
    let path = component_of(root, &project.name);
    let built = Built { name: project.name.clone(), version: project.version.clone(), path: path.clone() };
    let stamp = path.with_extension(format!("wasm.{INPUTS_ENDING}"));
    let inputs = inputs(root, project)?;
    // What is there must be what was made: the stamp holds its hash too.
    let stamp_of = |component: &[u8]| format!("{inputs} {}\n", hex::encode(Sha256::digest(component)));
    let made = fs::read(&path).map(|component| stamp_of(&component));
    if made.is_ok_and(|made| fs::read_to_string(&stamp).is_ok_and(|stamped| stamped == made)) {
        tell(&format!("{} {} {} (unchanged)", project.name, project.version, path.display()));
        return Ok(built);
    }
    let tools = machine::tools(root, project.language)?;
    let made = build::build(project, &path, Tools::In(&tools), &tell)?;
    fs::write(&stamp, stamp_of(&fs::read(&path)?))?;
    report(&built, &made);
    Ok(built)
}

/// A hash of everything that such a component is made of: its folder, its kit, the contract, and what makes it.
fn inputs(root: &Path, project: &Project) -> Result<String> {
    let language = project.language.name().to_lowercase();
    let kit = format!("plugins/{KIT_PREFIX}-{language}");
    let places = [kit, "wit/0.1.0".to_owned(), format!("templates/{language}"), "host/toolchain/src".to_owned()];
    let mut files = Vec::new();
    collect(&project.directory, &mut files)?;
    for place in places {
        collect(&root.join(place), &mut files)?;
    }
    let mut hash = Sha256::new();
    for file in files {
        let name = file.strip_prefix(root).unwrap_or(&file).to_string_lossy().into_owned();
        let bytes = fs::read(&file)?;
        // With their lengths, so that no two lists of files read the same.
        hash.update(format!("{} {name} {}\n", name.len(), bytes.len()));
        hash.update(bytes);
    }
    Ok(hex::encode(hash.finalize()))
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    let mut entries: Vec<PathBuf> =
        fs::read_dir(folder)?.map(|entry| entry.map(|entry| entry.path())).collect::<std::io::Result<_>>()?;
    entries.sort();
    for path in entries {
        if path.file_name().is_some_and(|name| NO_INPUTS.iter().any(|other| name == *other)) {
            continue;
        }
        if path.is_dir() { collect(&path, files)? } else { files.push(path) }
    }
    Ok(())
}

/// A package that becomes a component.
#[derive(Debug)]
struct Package {
    package: String,
    library: String,
    version: String,
    licence: Option<String>,
}

impl Package {
    fn name(&self) -> &str {
        self.package.strip_prefix(PACKAGE_PREFIX).unwrap_or(&self.package)
    }
}

/// Adds the adapters' target to the toolchain, if it is not there.
///
/// # Errors
///
/// When `rustup` cannot.
pub fn add_target(workspace: &Path) -> Result<()> {
    Ok(rust::add_target(workspace, &tell)?)
}

/// Every package of the workspace with a dynamic library, which is what a component is made of.
fn packages(workspace: &Path) -> Result<Vec<Package>> {
    let arguments = ["metadata", "--no-deps", "--format-version", "1", "--locked"];
    let metadata: Value = serde_json::from_str(&output(cargo().args(arguments).current_dir(workspace))?)?;
    let mut packages: Vec<Package> = list(&metadata, "packages").iter().filter_map(adapter_of).collect();
    packages.sort_by(|one, other| one.package.cmp(&other.package));
    Ok(packages)
}

fn adapter_of(package: &Value) -> Option<Package> {
    let is_dynamic = |target: &&Value| list(target, "crate_types").iter().any(|kind| kind == "cdylib");
    let library = list(package, "targets").iter().find(is_dynamic)?;
    Some(Package {
        package: text(package, "name")?,
        library: text(library, "name")?.replace('-', "_"),
        version: text(package, "version")?,
        licence: text(package, "license"),
    })
}

fn list<'v>(value: &'v Value, key: &str) -> &'v [Value] {
    value.get(key).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}

fn text(value: &Value, key: &str) -> Option<String> {
    value.get(key).and_then(Value::as_str).map(str::to_owned)
}

fn compile(workspace: &Path, target: &Path, packages: &[Package]) -> Result<()> {
    let mut command: Command = rust::cargo_build();
    // Where the library is built decides which configuration counts: `.cargo` there has flags for the linker.
    command.current_dir(workspace).env("CARGO_TARGET_DIR", target).arg("--locked");
    for package in packages {
        command.args(["--package", &package.package]);
    }
    run(&mut command)
}

fn encode(package: &Package, target: &Path, out: &Path) -> Result<Built> {
    let wrong = |error: bursar_toolchain::Error| format!("{}: {error}", package.package);
    let module = target.join(TARGET).join("release").join(format!("{}.wasm", package.library));
    let module = fs::read(&module).map_err(|error| format!("{}: {error}", module.display()))?;
    let component = component::encode(&module).map_err(wrong)?;
    let (name, version) = (package.name(), package.version.as_str());
    let component =
        component::finish(&component, name, version, package.licence.as_deref(), Wasi::Refused).map_err(wrong)?;
    let path = out.join(format!("{name}.wasm"));
    let made = build::write(&component, &path).map_err(wrong)?;
    let built = Built { name: name.to_owned(), version: version.to_owned(), path };
    report(&built, &made);
    Ok(built)
}

fn report(built: &Built, made: &build::Built) {
    tell(&format!(
        "{} {} {} ({} KiB, {} interfaces){}",
        built.name,
        built.version,
        built.path.display(),
        made.size.div_ceil(1024),
        made.imports.len(),
        if made.unchanged { ", unchanged" } else { "" },
    ));
}

fn tell(line: &str) {
    say::words(&format!("adapters: {line}"));
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_package_without_a_dynamic_library_is_no_adapter() {
        let of = |kind: &str| {
            json!({"name": "bursar-example", "version": "1.0.0",
                   "targets": [{"name": "bursar_example", "crate_types": [kind]}]})
        };
        assert!(adapter_of(&of("rlib")).is_none());
        assert_eq!(adapter_of(&of("cdylib")).unwrap().name(), "example");
    }

    #[test]
    fn what_a_component_is_made_of_changes_with_its_source_and_not_with_its_fixtures() {
        let root = tempfile::tempdir().unwrap();
        let file = |path: &str, text: &str| {
            let path = root.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        file("plugins/one/package.json", r#"{"name": "one", "version": "1.0.0"}"#);
        for place in ["plugins/sdk-javascript", "wit/0.1.0", "templates/javascript", "host/toolchain/src"] {
            file(&format!("{place}/file"), "");
        }
        let project = Project::read(&root.path().join("plugins/one")).unwrap();
        let hash = || inputs(root.path(), &project).unwrap();
        let first = hash();
        file("plugins/one/fixtures/case/body.json", "{}");
        assert_eq!(hash(), first);
        file("plugins/one/adapter.js", "1");
        let second = hash();
        assert_ne!(second, first);
        file("plugins/sdk-javascript/file", "other");
        assert_ne!(hash(), second);
    }
}
