//! What a new author does: begin an adapter in an empty folder, build it, check it, test it.
//!
//! One test a language, with the commands of `docs/authors.md`, word for word. Nothing is skipped: a tool that is missing fails the test,
//! and `cargo xtask test` gets it first.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs, reason = "tests fail by panicking")]

use std::path::PathBuf;
use std::process::{Command, Output};
use std::{env, fs};

use bursar_toolchain::command::cargo;
use end_to_end::places;
use serde_json::Value;
use tempfile::TempDir;

/// The platform of every adapter here, as the guide has it.
const NAME: &str = "my-shop";

/// What `bursar adapter check` looks at, each found right.
const CHECKS: [&str; 7] = [
    "ok     file",
    "ok     contract",
    "ok     imports",
    "ok     types",
    "ok     description",
    "ok     settings",
    "ok     identity",
];

/// A folder that `bursar adapter new` has written into an empty one.
struct Author {
    place: TempDir,
}

impl Author {
    fn begins(language: &str) -> Self {
        let place = tempfile::tempdir().unwrap();
        let mut command = Command::new(places::binary());
        command.args(["adapter", "new", "--lang", language, NAME]).current_dir(place.path());
        let told = succeeds(&mut command);
        assert!(told.contains("bursar adapter build"), "the next step is not told:\n{told}");
        Self { place }
    }

    /// Types what the guide says under this heading, in an empty folder, and gives what is printed.
    fn follows_the_guide(heading: &str) -> (Self, String) {
        let place = tempfile::tempdir().unwrap();
        let printed = succeeds(in_shell(&guide(heading)).current_dir(place.path()));
        let verdicts = printed.lines().filter(|line| CHECKS.iter().any(|check| line.starts_with(check))).count();
        assert_eq!(verdicts, CHECKS.len(), "{printed}");
        assert!(printed.contains("4 passed, 0 failed"), "{printed}");
        (Self { place }, printed)
    }

    fn folder(&self) -> PathBuf {
        self.place.path().join(NAME)
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder().join(name)
    }

    /// `bursar adapter …` in the folder.
    fn adapter(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(places::binary());
        command.arg("adapter").args(arguments).current_dir(self.folder());
        // Rust's crates are compiled once for all runs of this test.
        command.env("CARGO_TARGET_DIR", rust_target());
        command
    }

    fn component(&self) -> String {
        format!("dist/{NAME}.wasm")
    }

    fn inspected(&self) -> Value {
        let said = succeeds(&mut self.adapter(&["inspect", &self.component(), "--json"]));
        serde_json::from_str(&said).unwrap()
    }

    /// Has the adapter describe a text to paste into the shop, which is then printed as it is, and alone.
    fn has_a_document(&self, file: &str) {
        let before = ".secret(SECRET, \"the";
        let document = ".document(\"query\", \"paste it\", \"{\\n\\torder\\n}\\n\")";
        self.replaces(file, before, &format!("{document}{before}"));
        succeeds(&mut self.adapter(&["build"]));
        let document = |name: &str| self.adapter(&["inspect", &self.component(), "--document", name]);
        assert_eq!(succeeds(&mut document("query")), "{\n\torder\n}\n");
        let unknown = fails(&mut document("queries"));
        assert!(unknown.contains("no document `queries`") && unknown.contains("it has query"), "{unknown}");
        let shown = succeeds(&mut self.adapter(&["inspect", &self.component()]));
        assert!(shown.contains("document query, to paste into the shop: paste it\n  {\n      order\n  }\n"), "{shown}");
        let text = self.inspected().pointer("/documents/0/text").cloned();
        assert_eq!(text, Some("{\n\torder\n}\n".into()));
    }

    /// Changes the source.
    fn replaces(&self, file: &str, what: &str, with: &str) {
        let text = fs::read_to_string(self.file(file)).unwrap();
        assert!(text.contains(what), "{file} has no {what}");
        fs::write(self.file(file), text.replace(what, with)).unwrap();
    }
}

/// The commands that the author guide gives for a language.
fn guide(heading: &str) -> String {
    let page = fs::read_to_string(places::project("docs/authors.md")).unwrap();
    let section = page.split("\n### ").find(|section| section.starts_with(heading));
    let section = section.unwrap_or_else(|| panic!("docs/authors.md has no section {heading}"));
    let block = section.split("```sh\n").nth(1).and_then(|rest| rest.split("```").next());
    block.unwrap_or_else(|| panic!("docs/authors.md gives no commands for {heading}")).to_owned()
}

/// Commands as they are typed, with `bursar` at hand; the first that fails is the last.
fn in_shell(commands: &str) -> Command {
    let mut paths = vec![places::binary().parent().unwrap().to_path_buf()];
    paths.extend(env::split_paths(&env::var_os("PATH").unwrap()));
    let mut command = Command::new("sh");
    command.args(["-e", "-c", commands]).env("PATH", env::join_paths(paths).unwrap());
    command.env("CARGO_TARGET_DIR", rust_target());
    command
}

/// Where these tests have Rust compiled.
fn rust_target() -> PathBuf {
    let profile = places::binary();
    profile.parent().unwrap().parent().unwrap().join("authors")
}

fn run(command: &mut Command) -> Output {
    command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"))
}

/// What a command that must succeed prints.
fn succeeds(command: &mut Command) -> String {
    let output = run(command);
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (data, words) = (text(&output.stdout), text(&output.stderr));
    assert!(output.status.success(), "{command:?} ended with {}:\n{data}{words}", output.status);
    data
}

/// What a command that must fail prints.
fn fails(command: &mut Command) -> String {
    let output = run(command);
    let text = [output.stdout, output.stderr].concat();
    let text = String::from_utf8_lossy(&text).into_owned();
    assert_eq!(output.status.code(), Some(1), "{command:?} ended with {}:\n{text}", output.status);
    text
}

#[test]
fn an_adapter_in_rust() {
    let (author, _) = Author::follows_the_guide("Rust");
    succeeds(cargo().args(["fmt", "--check"]).current_dir(author.folder()));
    let metadata = &author.inspected()["metadata"];
    assert_eq!(metadata["name"], NAME);
    assert_eq!(metadata["licence"], "Apache-2.0");
    assert_eq!(metadata["contract"], "0.1.0");
    // The template's lock file is the one that it needs.
    let template = fs::read_to_string(places::project("templates/rust/Cargo.lock")).unwrap();
    let packages = |text: &str| {
        let mut packages: Vec<String> =
            text.split("[[package]]").skip(1).map(|package| package.replace("{{platform}}", NAME)).collect();
        packages.iter_mut().for_each(|package| package.truncate(package.trim_end().len()));
        packages.sort();
        packages
    };
    let used = fs::read_to_string(author.file("Cargo.lock")).unwrap();
    assert_eq!(packages(&used), packages(&template), "templates/rust/Cargo.lock is not up to date");

    let first = fs::read(author.file(&author.component())).unwrap();
    let other = Author::begins("rust");
    succeeds(&mut other.adapter(&["build"]));
    assert!(fs::read(other.file(&other.component())).unwrap() == first, "the same source gives other bytes");

    // A description that lies about its name is found out.
    author.replaces("src/lib.rs", &format!("\"{NAME}\""), "\"another\"");
    succeeds(&mut author.adapter(&["build"]));
    let checked = fails(&mut author.adapter(&["check", &author.component()]));
    assert!(checked.contains("wrong  identity     the description lies about the adapter's name"), "{checked}");

    author.has_a_document("src/lib.rs");
    author.replaces("src/lib.rs", "impl Adapter for Shop", "impl Adaptor for Shop");
    let error = fails(&mut author.adapter(&["build"]));
    assert!(error.contains("cannot find trait `Adaptor`"), "cargo's words are not shown:\n{error}");
}

#[test]
fn an_adapter_in_javascript() {
    let (author, printed) = Author::follows_the_guide("JavaScript");
    assert!(!printed.contains("WASI"), "{printed}");

    author.has_a_document("adapter.js");
    author.replaces("adapter.js", "describe: () =>", "describe: () => =>");
    let error = fails(&mut author.adapter(&["build"]));
    assert!(error.contains("adapter.js:"), "the place is not shown:\n{error}");
}

#[test]
fn an_adapter_in_python() {
    let (author, printed) = Author::follows_the_guide("Python");
    assert!(printed.contains("WASI, which is empty here"), "{printed}");

    author.has_a_document("app.py");
    author.replaces("app.py", "def describe(self)", "def describe(self");
    let error = fails(&mut author.adapter(&["build"]));
    assert!(error.contains("SyntaxError"), "the interpreter's words are not shown:\n{error}");
}

#[test]
fn a_folder_that_holds_something_is_left_alone() {
    let place = tempfile::tempdir().unwrap();
    fs::create_dir(place.path().join(NAME)).unwrap();
    fs::write(place.path().join(NAME).join("diary"), "dear diary").unwrap();
    let mut command = Command::new(places::binary());
    command.args(["adapter", "new", "--lang", "python", NAME]).current_dir(place.path());
    let error = fails(&mut command);
    assert!(error.contains("is not empty"), "{error}");
    assert_eq!(fs::read_dir(place.path().join(NAME)).unwrap().count(), 1);
}
