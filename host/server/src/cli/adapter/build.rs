//! `bursar adapter build`: from an author's source to a component.

use std::{path::PathBuf, time::Instant};

use bursar_toolchain::{
    Project,
    build::{Tools, build},
};
use clap::Args;
use serde_json::json;

use crate::{
    cli::{CliError, Context},
    output::human,
};

/// Arguments of `bursar adapter build`.
#[derive(Debug, Args)]
#[command(after_help = "\
The manifest tells the language: Cargo.toml, package.json or pyproject.toml. Tools that a language needs are fetched into
the folder as its lock file says; what the machine itself lacks is named.

Example: bursar adapter build adapters/acme-shop")]
pub struct BuildArgs {
    /// The adapter's folder.
    #[arg(value_name = "DIR", default_value = ".")]
    pub directory: PathBuf,
    /// Where to write the component; otherwise DIR/dist/NAME.wasm.
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
}

/// Builds it.
///
/// # Errors
/// When a tool is missing or fails, or the component imports what an adapter cannot have.
pub fn run(context: &Context, args: &BuildArgs) -> Result<(), CliError> {
    let project = Project::read(&args.directory)?;
    let file = args.out.clone().unwrap_or_else(|| project.component());
    let began = Instant::now();
    let built = build(&project, &file, Tools::Own, &|step| context.output.say(step))?;
    let took = began.elapsed();
    let path = built.file.strip_prefix(".").unwrap_or(&built.file).display().to_string();
    let data = json!({
        "file": path, "name": project.name, "version": project.version, "language": project.language.name(),
        "bytes": built.size, "imports": built.imports, "unchanged": built.unchanged,
    });
    context.output.item(&data, |_| {
        format!(
            "{path}: {} {}, {}, in {}.{} s{}",
            project.name,
            project.version,
            human::size(u64::try_from(built.size).unwrap_or(u64::MAX)),
            took.as_secs(),
            took.subsec_millis() / 100,
            if built.unchanged { ", as it was" } else { "" },
        )
    })
}
