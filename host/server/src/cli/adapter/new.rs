//! `bursar adapter new`: an author's first step.

use std::path::PathBuf;

use bursar_domain::AdapterName;
use bursar_toolchain::{Language, template};
use clap::{Args, ValueEnum};
use serde_json::json;

use crate::cli::{CliError, Context};

/// Arguments of `bursar adapter new`.
#[derive(Debug, Args)]
#[command(after_help = "\
The folder has source, unit tests, fixtures, the kit and the contract's text: it builds as it is. NAME is what the
configuration will call the adapter: lower-case letters, digits and hyphens, beginning with a letter, at most 64.

Example: bursar adapter new --lang python lemonsqueezy")]
pub struct NewArgs {
    /// What to write it in.
    #[arg(long, value_name = "LANGUAGE")]
    pub lang: Lang,
    /// The platform that it will understand.
    #[arg(value_name = "NAME")]
    pub name: String,
    /// The folder to write; otherwise ./NAME. It must be empty or not be there.
    #[arg(long, value_name = "DIR")]
    pub directory: Option<PathBuf>,
}

/// A language, as it is written in an argument.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Lang {
    /// Small and fast components.
    Rust,
    /// Or TypeScript.
    #[value(alias = "js", alias = "typescript")]
    Javascript,
    /// 3.10 or newer.
    Python,
}

impl From<Lang> for Language {
    fn from(lang: Lang) -> Self {
        match lang {
            Lang::Rust => Self::Rust,
            Lang::Javascript => Self::JavaScript,
            Lang::Python => Self::Python,
        }
    }
}

/// Writes the folder.
///
/// # Errors
/// When the name is none, or the folder holds something or cannot be written.
pub fn run(context: &Context, args: &NewArgs) -> Result<(), CliError> {
    let name = AdapterName::parse(&args.name).map_err(|malformed| {
        CliError::usage(format!("{:?} cannot name an adapter: it {}", args.name, malformed.problem))
            .hint("lower-case letters, digits and hyphens, beginning with a letter: acme-shop, say")
    })?;
    let directory = args.directory.clone().unwrap_or_else(|| PathBuf::from(name.as_str()));
    let project = template::write(args.lang.into(), name.as_str(), &directory)?;
    let folder = project.directory.display().to_string();
    let data = json!({ "name": project.name, "language": project.language.name(), "directory": folder });
    context.output.item(&data, |_| {
        format!(
            "{folder} is written, an adapter in {} for a shop that is made up. Next:\n\n  \
             cd {folder}\n  bursar adapter build\n  bursar adapter check {}\n  bursar adapter test .\n\n\
             README.md there says what is where.",
            project.language.name(),
            project.component().strip_prefix(&project.directory).unwrap_or(&project.component()).display()
        )
    })
}
