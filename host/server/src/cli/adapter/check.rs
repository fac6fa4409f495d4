//! `bursar adapter check`: is a file an adapter that this host would run?
//!
//! Owns the list of checks and their words. What is checked is the sandbox's business; it stops at the first thing that is
//! wrong, so what would have come after is not known.

use std::path::PathBuf;

use bursar_sandbox::{Adapter, Inspection, Limits, LoadError, LoadErrorKind, PACKAGE, Permission, inspect};
use bursar_toolchain::component::Identity;
use clap::Args;
use serde::Serialize;
use serde_json::json;

use super::sandbox::sandbox;
use crate::{
    cli::{CliError, Context},
    output::human,
};

/// Columns that verdicts and names of checks take.
const VERDICT_WIDTH: usize = 7;
const NAME_WIDTH: usize = 13;

/// Arguments of `bursar adapter check`.
#[derive(Debug, Args)]
#[command(after_help = "\
The file is loaded as the server would load it, and asked to describe itself. Exit code 1 if anything is wrong.

Example: bursar adapter check dist/acme-shop.wasm")]
pub struct CheckArgs {
    /// The adapter's `.wasm` file.
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
}

/// What is looked at, in the order in which it is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Subject {
    /// A valid component, not too large, without features that are off.
    File,
    /// The version of the contract, and that an adapter is exported.
    Contract,
    /// Nothing is imported that the host does not have.
    Imports,
    /// Imports and exports have the contract's types.
    Types,
    /// What the adapter says of itself.
    Description,
    /// The schema of its settings.
    Settings,
    /// What the file says of itself is what the adapter says.
    Identity,
}

impl Subject {
    const ALL: [Self; 7] =
        [Self::File, Self::Contract, Self::Imports, Self::Types, Self::Description, Self::Settings, Self::Identity];

    fn name(self) -> &'static str {
        match self {
            Self::File => "file",
            Self::Contract => "contract",
            Self::Imports => "imports",
            Self::Types => "types",
            Self::Description => "description",
            Self::Settings => "settings",
            Self::Identity => "identity",
        }
    }

    /// What must have been right for the sandbox to find something wrong with this. Contract and imports are looked at
    /// together.
    fn after(self) -> &'static [Self] {
        match self {
            Self::File => &[],
            Self::Contract | Self::Imports => &[Self::File],
            Self::Types => &[Self::File, Self::Contract, Self::Imports],
            Self::Description => &[Self::File, Self::Contract, Self::Imports, Self::Types],
            Self::Settings | Self::Identity => &Self::ALL,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Verdict {
    Ok,
    Wrong,
    Unknown,
}

#[derive(Debug, Serialize)]
struct Check {
    check: Subject,
    verdict: Verdict,
    words: String,
    hint: Option<String>,
}

impl Check {
    fn ok(check: Subject, words: impl Into<String>) -> Self {
        Self { check, verdict: Verdict::Ok, words: words.into(), hint: None }
    }

    fn wrong(check: Subject, words: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { check, verdict: Verdict::Wrong, words: words.into(), hint: Some(hint.into()) }
    }
}

/// Checks it.
///
/// # Errors
/// When anything is wrong with the file, or it cannot be read.
pub async fn run(context: &Context, args: &CheckArgs) -> Result<(), CliError> {
    let file = args.file.display();
    let bytes = std::fs::read(&args.file).map_err(|error| {
        CliError::failed(format!("{file} cannot be read: {error}"))
            .hint("build it first: bursar adapter build writes dist/NAME.wasm")
    })?;
    let identity = Identity::read(&bytes);
    let checks = match load(context, bytes).await? {
        Ok((adapter, inspection)) => sound(&adapter, &inspection, &identity),
        Err(error) => failed(&error)?,
    };
    let is_sound = checks.iter().all(|check| check.verdict == Verdict::Ok);
    let data = json!({ "file": file.to_string(), "sound": is_sound, "checks": checks });
    context.output.item(&data, |_| checks.iter().map(words).collect())?;
    if is_sound { Ok(()) } else { Err(CliError::Reported) }
}

async fn load(context: &Context, bytes: Vec<u8>) -> Result<Result<(Adapter, Inspection), LoadError>, CliError> {
    let inspection = match inspect(&bytes, &Limits::default()) {
        Ok(inspection) => inspection,
        Err(error) => return Ok(Err(error)),
    };
    Ok(sandbox(context, false)?.load(bytes).await.map(|adapter| (adapter, inspection)))
}

fn sound(adapter: &Adapter, inspection: &Inspection, identity: &Identity) -> Vec<Check> {
    let description = adapter.description();
    let size = human::size(u64::try_from(inspection.size).unwrap_or(u64::MAX));
    let described = format!(
        "{} {}, {} topic(s), {} secret(s)",
        description.platform,
        description.version,
        description.topics.len(),
        description.secrets.len() + description.optional_secrets.len(),
    );
    vec![
        Check::ok(Subject::File, format!("a component of {size}")),
        Check::ok(Subject::Contract, format!("made for {PACKAGE}@{}", inspection.contract)),
        Check::ok(Subject::Imports, imported(adapter, inspection)),
        Check::ok(Subject::Types, "as the contract has them"),
        Check::ok(Subject::Description, described),
        Check::ok(
            Subject::Settings,
            match description.settings.properties().len() {
                0 => "it has none".to_owned(),
                count => format!("{count} of them, in a schema that can be checked"),
            },
        ),
        compared(description.platform.as_str(), &description.version, identity),
    ]
}

fn imported(adapter: &Adapter, inspection: &Inspection) -> String {
    let needed: Vec<&str> = adapter.needed_permissions().map(Permission::name).collect();
    let optional: Vec<&str> =
        adapter.description().optional_permissions.keys().copied().map(Permission::name).collect();
    let mut words = if needed.is_empty() {
        "it needs no permission".to_owned()
    } else {
        format!("a shop must grant it permissions = {needed:?}")
    };
    if !optional.is_empty() {
        words.push_str(&format!("; it can do without {optional:?}"));
    }
    if !inspection.wasi.is_empty() {
        words.push_str("; WASI, which is empty here: no files, no network, no environment");
    }
    words
}

/// Does the file say of itself what the adapter says? Operators go by the one, the host by the other.
fn compared(platform: &str, version: &str, identity: &Identity) -> Check {
    let subject = Subject::Identity;
    match (&identity.name, &identity.version) {
        (Some(name), _) if name != platform => Check::wrong(
            subject,
            format!("the description lies about the adapter's name: it says {platform}, the file says {name}"),
            format!("describe it as {name}, or call the package {platform} or bursar-{platform}; then build it again"),
        ),
        (_, Some(own)) if own != version => Check::wrong(
            subject,
            format!("the description lies about the adapter's version: it says {version}, the file says {own}"),
            "say the same version in the manifest and in describe; then build it again",
        ),
        (None, _) | (_, None) => Check::ok(subject, "the file does not say what it is"),
        (Some(name), Some(version)) => Check::ok(
            subject,
            match &identity.licence {
                Some(licence) => format!("the file says {name} {version} too, licensed as {licence}"),
                None => format!("the file says {name} {version} too, and no licence"),
            },
        ),
    }
}

/// What is known when the sandbox has refused the file.
fn failed(error: &LoadError) -> Result<Vec<Check>, CliError> {
    let wrong = match &error.kind {
        // Nothing is known about the file then.
        LoadErrorKind::Host(_) => return Err(error.clone().into()),
        LoadErrorKind::Empty
        | LoadErrorKind::TooLarge { .. }
        | LoadErrorKind::TooComplex { .. }
        | LoadErrorKind::Text
        | LoadErrorKind::Precompiled
        | LoadErrorKind::CoreModule
        | LoadErrorKind::NotWasm
        | LoadErrorKind::Truncated { .. }
        | LoadErrorKind::FeatureOff { .. }
        | LoadErrorKind::Invalid(_) => Subject::File,
        LoadErrorKind::OtherVersion { .. } | LoadErrorKind::NotAnAdapter => Subject::Contract,
        LoadErrorKind::UnknownImport { .. } | LoadErrorKind::Network { .. } => Subject::Imports,
        LoadErrorKind::MissingFunction { .. }
        | LoadErrorKind::NewerFunction { .. }
        | LoadErrorKind::Compile(_)
        | LoadErrorKind::CompileTime(_)
        | LoadErrorKind::CompileMemory { .. }
        | LoadErrorKind::Link(_) => Subject::Types,
        LoadErrorKind::Description(_) | LoadErrorKind::Describe(_) => Subject::Description,
        LoadErrorKind::Settings(_) => Subject::Settings,
    };
    let checks = Subject::ALL.map(|subject| {
        if subject == wrong {
            let words = CliError::from(error.clone()).words().into_iter().next();
            let (words, hint) = words.map(|words| (words.message, words.hint)).unwrap_or_default();
            return Check {
                check: subject,
                verdict: Verdict::Wrong,
                words: words.into_owned(),
                hint: hint.map(Into::into),
            };
        }
        let is_right = wrong.after().contains(&subject) && subject != Subject::Identity;
        let (verdict, words) = if is_right { (Verdict::Ok, "") } else { (Verdict::Unknown, "not looked at") };
        Check { check: subject, verdict, words: words.to_owned(), hint: None }
    });
    Ok(checks.into())
}

fn words(check: &Check) -> String {
    let verdict = match check.verdict {
        Verdict::Ok => "ok",
        Verdict::Wrong => "wrong",
        Verdict::Unknown => "?",
    };
    let margin = " ".repeat(VERDICT_WIDTH + NAME_WIDTH);
    let indented = |text: &str| text.replace('\n', &format!("\n{margin}"));
    let line = format!("{verdict:VERDICT_WIDTH$}{:NAME_WIDTH$}{}", check.check.name(), indented(&check.words));
    match &check.hint {
        Some(hint) => format!("{}\n{margin}hint: {}\n", line.trim_end(), indented(hint)),
        None => format!("{}\n", line.trim_end()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn identity(name: Option<&str>, version: Option<&str>) -> Identity {
        Identity { name: name.map(str::to_owned), version: version.map(str::to_owned), ..Identity::default() }
    }

    #[test]
    fn what_authors_build_for_is_what_the_sandbox_speaks() {
        assert_eq!(bursar_toolchain::contract::VERSION, bursar_sandbox::VERSION);
    }

    #[test]
    fn a_description_that_lies_about_name_or_version_is_wrong() {
        let verdict = |name, version| compared("acme", "1.0.0", &identity(name, version)).verdict;
        assert_eq!(verdict(Some("acme"), Some("1.0.0")), Verdict::Ok);
        assert_eq!(verdict(Some("other"), Some("1.0.0")), Verdict::Wrong);
        assert_eq!(verdict(Some("acme"), Some("1.0.1")), Verdict::Wrong);
        // Made with other tools.
        assert_eq!(verdict(None, None), Verdict::Ok);
    }

    #[test]
    fn what_comes_after_the_first_wrong_thing_is_not_known() {
        let error = LoadError { kind: LoadErrorKind::NotAnAdapter, backtrace: None };
        let verdicts: Vec<Verdict> = failed(&error).unwrap().iter().map(|check| check.verdict).collect();
        use Verdict::{Ok, Unknown, Wrong};
        assert_eq!(verdicts, [Ok, Wrong, Unknown, Unknown, Unknown, Unknown, Unknown]);
    }

    #[test]
    fn a_wrong_line_ends_in_its_hint() {
        let kind = LoadErrorKind::Settings("it is not an object".to_owned());
        let checks = failed(&LoadError { kind, backtrace: None }).unwrap();
        let text: String = checks.iter().map(words).collect();
        assert!(text.contains("ok     description\nwrong  settings     the adapter's settings schema"), "{text}");
        assert!(text.contains("\n                    hint: "), "{text}");
    }
}
