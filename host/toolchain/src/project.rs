//! What an adapter's folder holds: its language, name, version and licence.
//!
//! Owns how manifests are read. The manifest decides the language, so there must be exactly one.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value as Json;
use toml::{Table, Value as Toml};

use crate::{Error, Result, contract};

/// Begins the names of packages that are adapters; what follows names the adapter.
pub(crate) const PACKAGE_PREFIX: &str = "bursar-";

/// A language that adapters can be written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Language {
    /// By `Cargo.toml`.
    Rust,
    /// By `package.json`. Whatever compiles to JavaScript with types cut out is as good.
    JavaScript,
    /// By `pyproject.toml`.
    Python,
}

impl Language {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Rust, Self::JavaScript, Self::Python];

    /// The file by which a folder's language is known.
    #[must_use]
    pub fn manifest(self) -> &'static str {
        match self {
            Self::Rust => "Cargo.toml",
            Self::JavaScript => "package.json",
            Self::Python => "pyproject.toml",
        }
    }

    /// As people write it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Rust => "Rust",
            Self::JavaScript => "JavaScript",
            Self::Python => "Python",
        }
    }
}

/// An adapter's folder, by its manifest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Project {
    /// Where it is.
    pub directory: PathBuf,
    /// What it is written in.
    pub language: Language,
    /// The package's name without `bursar-` before it: the platform, and the name of the component's file.
    pub name: String,
    /// The package's version.
    pub version: String,
    /// The package's licence, as in SPDX where its author keeps to that.
    pub licence: Option<String>,
    /// The world that the component is made for. Rust does not need one: what is not called is not imported.
    pub world: String,
    /// Where modules are looked for besides the folder itself. Python only.
    pub module_folders: Vec<PathBuf>,
}

impl Project {
    /// Reads a folder's manifest.
    ///
    /// # Errors
    ///
    /// When there is none or more than one, or it lacks name or version.
    pub fn read(directory: &Path) -> Result<Self> {
        let language = language(directory)?;
        let file = directory.join(language.manifest());
        let text = fs::read_to_string(&file).map_err(|error| unreadable(&file, &error.to_string()))?;
        let said = match language {
            Language::Rust => rust(&file, &text)?,
            Language::JavaScript => javascript(&file, &text)?,
            Language::Python => python(&file, &text)?,
        };
        let required = |value: Option<String>, what: &str| {
            value.filter(|value| !value.is_empty()).ok_or_else(|| unreadable(&file, &format!("it says no {what}")))
        };
        let package = required(said.name, "name")?;
        Ok(Self {
            directory: directory.to_owned(),
            language,
            name: package.strip_prefix(PACKAGE_PREFIX).unwrap_or(&package).to_owned(),
            version: required(said.version, "version")?,
            licence: said.licence,
            world: said.world.unwrap_or_else(|| contract::MINIMAL.to_owned()),
            module_folders: said.module_folders.iter().map(|folder| directory.join(folder)).collect(),
        })
    }

    /// Where its component is written, and where it is looked for.
    #[must_use]
    pub fn component(&self) -> PathBuf {
        self.directory.join("dist").join(format!("{}.wasm", self.name))
    }
}

/// What a manifest says.
#[derive(Debug, Default)]
struct Said {
    name: Option<String>,
    version: Option<String>,
    licence: Option<String>,
    world: Option<String>,
    module_folders: Vec<String>,
}

fn language(directory: &Path) -> Result<Language> {
    let there: Vec<Language> =
        Language::ALL.into_iter().filter(|language| directory.join(language.manifest()).is_file()).collect();
    let folder = match directory.to_str() {
        Some(".") => "this folder".to_owned(),
        _ => directory.display().to_string(),
    };
    match there.as_slice() {
        [language] => Ok(*language),
        [] if !directory.is_dir() => Err(Error::new(format!("there is no folder {folder}"))
            .hint("give the folder of an adapter, or make one: bursar adapter new --lang rust NAME")),
        [] => {
            Err(Error::new(format!("{folder} holds no adapter: it has no Cargo.toml, package.json or pyproject.toml"))
                .hint("give the folder of an adapter, or make one: bursar adapter new --lang rust NAME"))
        }
        several => {
            let names: Vec<&str> = several.iter().map(|language| language.manifest()).collect();
            Err(Error::new(format!("{folder} has {}, so its language cannot be told", names.join(" and ")))
                .hint("keep one of them; what belongs to another tool can move into a folder of its own"))
        }
    }
}

fn unreadable(file: &Path, problem: &str) -> Error {
    Error::new(format!("{} cannot be used: {problem}", file.display()))
}

fn rust(file: &Path, text: &str) -> Result<Said> {
    let manifest = table(file, text)?;
    let Some(package) = manifest.get("package").and_then(Toml::as_table) else {
        return Err(unreadable(file, "it is a workspace's and describes no package")
            .hint("give the folder of one of its packages"));
    };
    let workspace = || workspace_package(file).unwrap_or_default();
    let field = |key: &str| match package.get(key) {
        Some(Toml::String(text)) => Some(text.clone()),
        // `version.workspace = true`
        Some(Toml::Table(_)) => string(&workspace(), key),
        _ => None,
    };
    Ok(Said { name: field("name"), version: field("version"), licence: field("license"), ..Said::default() })
}

/// What the workspace around a package says for all of its packages.
fn workspace_package(file: &Path) -> Option<Table> {
    let folder = file.parent()?.canonicalize().ok()?;
    folder.ancestors().find_map(|folder| {
        let text = fs::read_to_string(folder.join(Language::Rust.manifest())).ok()?;
        text.parse::<Table>().ok()?.get("workspace")?.get("package")?.as_table().cloned()
    })
}

fn javascript(file: &Path, text: &str) -> Result<Said> {
    let manifest: Json = serde_json::from_str(text).map_err(|error| unreadable(file, &error.to_string()))?;
    let field = |key: &str| manifest.get(key).and_then(Json::as_str).map(str::to_owned);
    let world = manifest.get("bursar").and_then(|own| own.get("world")).and_then(Json::as_str).map(str::to_owned);
    Ok(Said { name: field("name"), version: field("version"), licence: field("license"), world, ..Said::default() })
}

fn python(file: &Path, text: &str) -> Result<Said> {
    let manifest = table(file, text)?;
    let project = manifest.get("project").and_then(Toml::as_table).cloned().unwrap_or_default();
    let own = manifest.get("tool").and_then(|tool| tool.get("bursar")).and_then(Toml::as_table).cloned();
    let own = own.unwrap_or_default();
    let folders = own.get("path").and_then(Toml::as_array).map(Vec::as_slice).unwrap_or_default();
    Ok(Said {
        name: string(&project, "name"),
        version: string(&project, "version"),
        // Older manifests say `license = {text = "…"}`.
        licence: string(&project, "license")
            .or_else(|| project.get("license")?.get("text")?.as_str().map(str::to_owned)),
        world: string(&own, "world"),
        module_folders: folders.iter().filter_map(Toml::as_str).map(str::to_owned).collect(),
    })
}

fn table(file: &Path, text: &str) -> Result<Table> {
    text.parse().map_err(|error: toml::de::Error| unreadable(file, error.message()))
}

fn string(table: &Table, key: &str) -> Option<String> {
    table.get(key).and_then(Toml::as_str).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use tempfile::TempDir;

    use super::*;

    fn folder(files: &[(&str, &str)]) -> TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let file = folder.path().join(name);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, text).unwrap();
        }
        folder
    }

    #[test]
    fn each_manifest_says_the_same_in_its_own_way() {
        let manifests = [
            ("Cargo.toml", "[package]\nname = 'bursar-made-up'\nversion = '1.2.3'\nlicense = 'MIT'\n"),
            (
                "package.json",
                r#"{"name": "made-up", "version": "1.2.3", "license": "MIT", "bursar": {"world": "minimal"}}"#,
            ),
            ("pyproject.toml", "[project]\nname = 'bursar-made-up'\nversion = '1.2.3'\nlicense = {text = 'MIT'}\n"),
        ];
        for ((name, text), language) in manifests.into_iter().zip(Language::ALL) {
            let folder = folder(&[(name, text)]);
            let project = Project::read(folder.path()).unwrap();
            assert_eq!((project.language, project.name.as_str()), (language, "made-up"));
            assert_eq!((project.version.as_str(), project.licence.as_deref()), ("1.2.3", Some("MIT")));
            assert_eq!(project.world, "minimal");
            assert!(project.component().ends_with("dist/made-up.wasm"));
        }
    }

    #[test]
    fn what_a_package_leaves_to_its_workspace_is_read_there() {
        let folder = folder(&[
            ("Cargo.toml", "[workspace]\n[workspace.package]\nversion = '4.5.6'\nlicense = 'MIT'\n"),
            ("one/Cargo.toml", "[package]\nname = 'one'\nversion.workspace = true\nlicense.workspace = true\n"),
        ]);
        let project = Project::read(&folder.path().join("one")).unwrap();
        assert_eq!((project.version.as_str(), project.licence.as_deref()), ("4.5.6", Some("MIT")));
        let error = Project::read(folder.path()).unwrap_err().to_string();
        assert!(error.contains("describes no package\nhint: "), "{error}");
    }

    #[test]
    fn a_folder_without_a_manifest_or_with_two_is_refused_with_a_hint() {
        let none = Project::read(folder(&[]).path()).unwrap_err().to_string();
        assert!(none.contains("holds no adapter") && none.contains("\nhint: "), "{none}");
        let missing = Project::read(Path::new("no-such-folder")).unwrap_err().to_string();
        assert!(missing.contains("there is no folder"), "{missing}");
        let two = folder(&[("package.json", "{}"), ("pyproject.toml", "")]);
        let two = Project::read(two.path()).unwrap_err().to_string();
        assert!(two.contains("has package.json and pyproject.toml") && two.contains("\nhint: "), "{two}");
    }

    #[test]
    fn a_manifest_without_name_or_version_is_refused() {
        let nameless = Project::read(folder(&[("package.json", "{}")]).path()).unwrap_err().to_string();
        assert!(nameless.ends_with("package.json cannot be used: it says no name"), "{nameless}");
        let folder = folder(&[("pyproject.toml", "[project]\nname = 'one'\n")]);
        let versionless = Project::read(folder.path()).unwrap_err().to_string();
        assert!(versionless.ends_with("it says no version"), "{versionless}");
    }
}
