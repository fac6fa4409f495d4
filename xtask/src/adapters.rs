//! Builds the adapters in `plugins/` and writes each as a component to `target/adapters/<name>.wasm`; likewise those of
//! `tests/adapters/` to `target/adapters/tests/`, where nobody takes them for real ones.
//!
//! Owns the way from source to component. It must never let one out that imports anything but the interfaces of
//! `bursar:adapter`: what an adapter imports is what it may do.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

use serde_json::Value;
use wasm_encoder::{ComponentSection as _, CustomSection};
use wasm_metadata::{AddMetadata, AddMetadataField};
use wasmparser::{Parser, Payload};
use wit_component::ComponentEncoder;

use crate::paths::{adapters_directory, target_directory};
use crate::say;
use crate::tool::{Result, cargo, output, run};

/// What adapters are compiled for. It has no WASI, so nothing of the machine can be imported.
pub const TARGET: &str = "wasm32-unknown-unknown";

/// Begins the name of every adapter's package; what follows names its file.
const PACKAGE_PREFIX: &str = "bursar-";

/// The section that holds a component's version, by the convention of its registries.
const VERSION_SECTION: &str = "version";

/// Begins the name of every interface that an adapter may import.
const CONTRACT: &str = "bursar:adapter/";

/// An adapter that was built.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Built {
    /// `woocommerce`, say.
    pub name: String,
    /// The package's version.
    pub version: String,
    /// The component.
    pub path: PathBuf,
    /// The interfaces that it imports.
    pub imports: Vec<String>,
}

/// Builds every adapter of the project at `root`, in the order of their names.
///
/// # Errors
///
/// When the target cannot be added, the code does not compile, or a component imports what it must not.
pub fn build(root: &Path) -> Result<Vec<Built>> {
    build_workspace(&root.join("plugins"), &plugins_target_directory(root), &adapters_directory(root))
}

/// Builds every adapter that only tests use.
///
/// # Errors
///
/// As [`build`].
pub fn build_for_tests(root: &Path) -> Result<Vec<Built>> {
    let target = test_adapters_target_directory(root);
    build_workspace(&root.join("tests/adapters"), &target, &adapters_directory(root).join("tests"))
}

fn build_workspace(workspace: &Path, target: &Path, out: &Path) -> Result<Vec<Built>> {
    fs::create_dir_all(out)?;
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

/// A package that becomes a component.
#[derive(Debug)]
struct Package {
    package: String,
    library: String,
    version: String,
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
    let sysroot = output(Command::new("rustc").args(["--print", "sysroot"]).current_dir(workspace))?;
    if Path::new(sysroot.trim()).join("lib/rustlib").join(TARGET).is_dir() {
        return Ok(());
    }
    tell(&format!("adding the target {TARGET}"));
    run(Command::new("rustup").args(["target", "add", TARGET]).current_dir(workspace))
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
    })
}

fn list<'v>(value: &'v Value, key: &str) -> &'v [Value] {
    value.get(key).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}

fn text(value: &Value, key: &str) -> Option<String> {
    value.get(key).and_then(Value::as_str).map(str::to_owned)
}

fn compile(workspace: &Path, target: &Path, packages: &[Package]) -> Result<()> {
    let mut command = cargo();
    // Where the library is built decides which configuration counts: `.cargo` there has flags for the linker.
    command.current_dir(workspace).env("CARGO_TARGET_DIR", target);
    command.args(["build", "--release", "--locked", "--target", TARGET]);
    if let Some(home) = cargo_home() {
        // A panic names its place, and the place must not name who built the adapter.
        let remap = format!("--remap-path-prefix={}=cargo", home.display());
        command.args(["--config", &format!("target.{TARGET}.rustflags=[{remap:?}]")]);
    }
    for package in packages {
        command.args(["--package", &package.package]);
    }
    run(&mut command)
}

fn cargo_home() -> Option<PathBuf> {
    let home = || env::home_dir().map(|home| home.join(".cargo"));
    env::var_os("CARGO_HOME").map(PathBuf::from).or_else(home)
}

fn encode(package: &Package, target: &Path, out: &Path) -> Result<Built> {
    let module = target.join(TARGET).join("release").join(format!("{}.wasm", package.library));
    let module = fs::read(&module).map_err(|error| format!("{}: {error}", module.display()))?;
    let component = ComponentEncoder::default()
        .validate(true)
        .module(&module)
        .and_then(|mut encoder| encoder.encode())
        .map_err(|error| format!("{}: {error:#}", package.package))?;
    let component = describe(package, &component)?;
    let imports = imports(&component)?;
    within_contract(&imports).map_err(|error| format!("{}: {error}", package.package))?;

    let path = out.join(format!("{}.wasm", package.name()));
    let fresh = fs::read(&path).is_ok_and(|existing| existing == component);
    if !fresh {
        fs::write(&path, &component).map_err(|error| format!("{}: {error}", path.display()))?;
    }
    tell(&format!(
        "{} {} {} ({} KiB, {} interfaces){}",
        package.name(),
        package.version,
        path.display(),
        component.len().div_ceil(1024),
        imports.len(),
        if fresh { ", unchanged" } else { "" },
    ));
    Ok(Built { name: package.name().to_owned(), version: package.version.clone(), path, imports })
}

/// Writes name and version into the component, where tools look for them.
fn describe(package: &Package, component: &[u8]) -> Result<Vec<u8>> {
    let mut metadata = AddMetadata::default();
    metadata.name = AddMetadataField::Set(package.name().to_owned());
    let mut described = metadata.to_wasm(component).map_err(|error| format!("{}: {error:#}", package.package))?;
    let version = CustomSection { name: VERSION_SECTION.into(), data: package.version.as_bytes().into() };
    version.append_to_component(&mut described);
    Ok(described)
}

/// What the component itself imports; what its parts import from one another does not count.
fn imports(component: &[u8]) -> Result<Vec<String>> {
    let mut names = Vec::new();
    let mut depth = 0_usize;
    for payload in Parser::new(0).parse_all(component) {
        match payload? {
            Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => depth += 1,
            Payload::End(_) => depth = depth.saturating_sub(1),
            Payload::ComponentImportSection(section) if depth == 0 => {
                for import in section {
                    names.push(import?.name.name.to_owned());
                }
            }
            _ => {}
        }
    }
    Ok(names)
}

fn within_contract(imports: &[String]) -> Result<()> {
    match imports.iter().find(|import| !import.starts_with(CONTRACT)) {
        Some(foreign) => Err(format!("imports `{foreign}`, which is no interface of {CONTRACT}").into()),
        None => Ok(()),
    }
}

fn tell(line: &str) {
    say::words(&format!("adapters: {line}"));
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use wasm_encoder::{
        Component, ComponentImportSection, ComponentTypeRef, ComponentTypeSection, InstanceType, NestedComponentSection,
    };

    use super::*;

    fn importing(name: &str) -> Component {
        let mut types = ComponentTypeSection::new();
        types.instance(&InstanceType::new());
        let mut imports = ComponentImportSection::new();
        imports.import(name, ComponentTypeRef::Instance(0));
        let mut component = Component::new();
        component.section(&types).section(&imports);
        component
    }

    #[test]
    fn only_what_the_component_itself_imports_counts() {
        let mut component = importing("bursar:adapter/orders@0.1.0");
        component.section(&NestedComponentSection(&importing("wasi:cli/environment@0.2.0")));
        let imports = imports(&component.finish()).unwrap();
        assert_eq!(imports, ["bursar:adapter/orders@0.1.0"]);
        within_contract(&imports).unwrap();
    }

    #[test]
    fn a_component_that_imports_anything_else_does_not_get_out() {
        let imports = imports(&importing("wasi:cli/environment@0.2.0").finish()).unwrap();
        assert!(within_contract(&imports).unwrap_err().to_string().contains("wasi:cli/environment"));
    }

    #[test]
    fn name_and_version_are_written_into_the_component() {
        let package = Package {
            package: "bursar-example".to_owned(),
            library: "example".to_owned(),
            version: "1.2.3".to_owned(),
        };
        let described = describe(&package, &importing("bursar:adapter/types@0.1.0").finish()).unwrap();
        let sections: Vec<(String, Vec<u8>)> = Parser::new(0)
            .parse_all(&described)
            .filter_map(|payload| match payload.unwrap() {
                Payload::CustomSection(section) => Some((section.name().to_owned(), section.data().to_vec())),
                _ => None,
            })
            .collect();
        assert!(sections.iter().any(|(name, data)| name == "version" && data == b"1.2.3"));
        assert!(sections.iter().any(|(name, data)| name == "component-name" && data.ends_with(b"example")));
    }

    #[test]
    fn a_package_without_a_dynamic_library_is_no_adapter() {
        let of = |kind: &str| {
            json!({"name": "bursar-example", "version": "1.0.0",
                   "targets": [{"name": "bursar_example", "crate_types": [kind]}]})
        };
        assert!(adapter_of(&of("rlib")).is_none());
        assert_eq!(adapter_of(&of("cdylib")).unwrap().name(), "example");
    }
}
