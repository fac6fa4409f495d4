//! `cargo xtask test`: everything that must pass.
//!
//! Owns the list and its order: what is quick and fails often comes first. The first failure ends it.

use std::path::Path;
use std::process::{Command, Stdio};

use crate::pages::Mode;
use crate::stages::Stages;
use bursar_toolchain::Language;
use bursar_toolchain::command::cargo;

use crate::tool::{Result, run as run_tool};
use crate::{adapters, demo, hostile, machine, pages, paths, say};

/// How much of it is run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extent {
    /// All of it.
    Whole,
    /// Without documentation and demo.
    Quick,
}

/// The workspaces, by directory: the host, the adapters, and those that tests use.
const WORKSPACES: [&str; 6] =
    ["", "fuzz", "plugins", "tests/adapters", hostile::WORKSPACE, "host/sandbox/tests/guests"];

/// The toolchain's parts beside the compiler, and the subcommand by which each is known to be there.
const COMPONENTS: [(&str, &str); 2] = [("rustfmt", "fmt"), ("clippy", "clippy")];

/// Runs it.
///
/// # Errors
///
/// With the command that failed.
pub fn run(root: &Path, extent: Extent) -> Result<()> {
    let mut stages = Stages::begin();
    let result = all(root, extent, &mut stages);
    say::words(&format!("\n{}", stages.summary()));
    result
}

fn all(root: &Path, extent: Extent, stages: &mut Stages) -> Result<()> {
    let plugins = root.join("plugins");
    stages.run("what is needed", || {
        adapters::add_target(&plugins)?;
        Language::ALL.into_iter().try_for_each(machine::prepare)?;
        COMPONENTS.iter().try_for_each(|(component, subcommand)| add_component(root, component, subcommand))
    })?;
    stages.run("format", || {
        WORKSPACES.iter().try_for_each(|workspace| {
            let mut command = cargo();
            run_tool(command.current_dir(root.join(workspace)).args(["fmt", "--all", "--check"]))
        })
    })?;
    // As the tests are built: with all targets, so that dependencies have the same features and are built once.
    stages.run("clippy, host", || clippy(&mut in_root(root), &["--all-targets"]))?;
    stages.run("clippy, adapters", || {
        for workspace in [in_plugins, in_test_adapters] {
            clippy(&mut workspace(root), &["--all-targets"])?;
            clippy(&mut workspace(root), &["--target", adapters::TARGET])?;
        }
        // There is no machine but the sandbox that they are made for.
        clippy(&mut in_hostile(root), &["--release", "--lib", "--examples", "--target", adapters::TARGET])
    })?;
    stages.run("building the adapters", || {
        adapters::build(root)?;
        adapters::build_others(root)?;
        adapters::build_for_tests(root)?;
        hostile::build(root)
    })?;
    stages.run("building the host", || {
        run_tool(in_root(root).args(["build", "--locked", "--workspace", "--all-targets"]))
    })?;
    stages.run("tests, host", || {
        let mut command = in_root(root);
        command.env("BURSAR_BIN", demo::binary(root, "bursar"));
        command.env("BURSAR_ADAPTERS", paths::adapters_directory(root));
        run_tool(command.args(["test", "--locked", "--workspace"]))
    })?;
    stages.run("tests, adapters", || {
        let arguments = ["test", "--locked", "--workspace"];
        run_tool(in_plugins(root).args(arguments))?;
        run_tool(in_test_adapters(root).args(arguments))?;
        adapters::other_folders(root)?.iter().try_for_each(|folder| unit_tests(folder))
    })?;
    stages.run("fixtures", || fixtures(root))?;
    stages.run("pages", || pages::run(root, Mode::Check))?;
    if extent == Extent::Quick {
        return Ok(());
    }
    stages.run("documentation", || {
        let arguments = ["doc", "--locked", "--workspace", "--no-deps"];
        run_tool(in_root(root).env("RUSTDOCFLAGS", "-D warnings").args(arguments))?;
        run_tool(in_plugins(root).env("RUSTDOCFLAGS", "-D warnings").args(arguments))
    })?;
    stages.run("demo", || demo::run_built(root))
}

/// The unit tests of a package in JavaScript or Python, with the command that its author would type.
fn unit_tests(folder: &Path) -> Result<()> {
    let mut command = if folder.join(Language::JavaScript.manifest()).is_file() {
        let mut npm = Command::new("npm");
        npm.args(["test", "--silent"]);
        npm
    } else {
        let mut python = Command::new("python3");
        python.args(["-m", "unittest", "--quiet"]);
        // The kit is beside the adapters, where the manifest of each says so.
        python.env("PYTHONPATH", folder.with_file_name("sdk-python"));
        python
    };
    run_tool(command.current_dir(folder))
}

/// Runs the fixtures of every adapter against its component.
fn fixtures(root: &Path) -> Result<()> {
    adapters::names(root)?.iter().try_for_each(|name| {
        let mut command = Command::new(demo::binary(root, "bursar"));
        command.args(["adapter", "test"]).arg(root.join("plugins").join(name));
        run_tool(command.arg("--component").arg(adapters::component_of(root, name)))
    })
}

fn in_root(root: &Path) -> Command {
    let mut command = cargo();
    command.current_dir(root);
    command
}

fn in_plugins(root: &Path) -> Command {
    let mut command = cargo();
    command.current_dir(root.join("plugins")).env("CARGO_TARGET_DIR", adapters::plugins_target_directory(root));
    command
}

fn in_test_adapters(root: &Path) -> Command {
    let mut command = cargo();
    command.current_dir(root.join("tests/adapters"));
    command.env("CARGO_TARGET_DIR", adapters::test_adapters_target_directory(root));
    command
}

fn in_hostile(root: &Path) -> Command {
    let mut command = cargo();
    command.current_dir(root.join(hostile::WORKSPACE));
    command.env("CARGO_TARGET_DIR", hostile::guests_target_directory(root));
    command
}

fn clippy(command: &mut Command, arguments: &[&str]) -> Result<()> {
    command.args(["clippy", "--locked", "--workspace"]).args(arguments);
    run_tool(command.args(["--", "-D", "warnings"]))
}

fn add_component(root: &Path, component: &str, subcommand: &str) -> Result<()> {
    let mut command = in_root(root);
    command.args([subcommand, "--version"]).stdout(Stdio::null()).stderr(Stdio::null());
    if command.status().is_ok_and(|status| status.success()) {
        return Ok(());
    }
    say::words(&format!("adding {component} to the toolchain"));
    run_tool(Command::new("rustup").args(["component", "add", component]).current_dir(root))
}
