//! What a new author does: begin an adapter in an empty folder, build it, check it, test it.
//!
//! One test a language, with the commands of the template's README. Nothing is skipped: a tool that is missing fails the test,
//! and `cargo xtask test` gets it first.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs, reason = "tests fail by panicking")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use bursar_toolchain::command::cargo;
use end_to_end::places;
use serde_json::Value;
use tempfile::TempDir;

/// The platform of every adapter here.
const NAME: &str = "made-up";

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

    /// Answers what the check said.
    fn builds_checks_and_tests(&self) -> String {
        succeeds(&mut self.adapter(&["build"]));
        let checked = succeeds(&mut self.adapter(&["check", &self.component()]));
        let verdicts: Vec<&str> = checked.lines().filter_map(|line| line.split_whitespace().next()).collect();
        assert_eq!(verdicts, ["ok"; 7], "{checked}");
        let tested = succeeds(&mut self.adapter(&["test", "."]));
        assert!(tested.contains("4 passed, 0 failed"), "{tested}");
        checked
    }

    fn component(&self) -> String {
        format!("dist/{NAME}.wasm")
    }

    fn inspected(&self) -> Value {
        let said = succeeds(&mut self.adapter(&["inspect", &self.component(), "--json"]));
        serde_json::from_str(&said).unwrap()
    }

    /// Changes the source, so that it is wrong in a way that the author must be told of.
    fn replaces(&self, file: &str, what: &str, with: &str) {
        let text = fs::read_to_string(self.file(file)).unwrap();
        assert!(text.contains(what), "{file} has no {what}");
        fs::write(self.file(file), text.replace(what, with)).unwrap();
    }
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

fn in_folder(folder: &Path, mut command: Command, arguments: &[&str]) {
    succeeds(command.args(arguments).current_dir(folder).env("CARGO_TARGET_DIR", rust_target()));
}

#[test]
fn an_adapter_in_rust() {
    let author = Author::begins("rust");
    in_folder(&author.folder(), cargo(), &["fmt", "--check"]);
    author.builds_checks_and_tests();
    in_folder(&author.folder(), cargo(), &["test", "--quiet"]);
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

    author.replaces("src/lib.rs", "impl Adapter for Shop", "impl Adaptor for Shop");
    let error = fails(&mut author.adapter(&["build"]));
    assert!(error.contains("cannot find trait `Adaptor`"), "cargo's words are not shown:\n{error}");
}

#[test]
fn an_adapter_in_javascript() {
    let author = Author::begins("javascript");
    let checked = author.builds_checks_and_tests();
    assert!(!checked.contains("WASI"), "{checked}");
    in_folder(&author.folder(), Command::new("npm"), &["test"]);

    author.replaces("adapter.js", "describe: () =>", "describe: () => =>");
    let error = fails(&mut author.adapter(&["build"]));
    assert!(error.contains("adapter.js:"), "the place is not shown:\n{error}");
}

#[test]
fn an_adapter_in_python() {
    let author = Author::begins("python");
    author.builds_checks_and_tests();
    in_folder(&author.folder(), Command::new("python3"), &["-m", "unittest"]);

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
