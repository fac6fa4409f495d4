//! Secrets: named in the configuration by where they are kept, read from there, never written down in it.
//!
//! Owns reading them and where they came from. A secret's text leaves through [`Secret::get`] only and never reaches an
//! error, a log line or a `{:?}`.

use std::{
    collections::BTreeMap,
    fmt,
    path::{Path, PathBuf},
};

use secrecy::{ExposeSecret, SecretString};

use super::reader::Value;

/// Most bytes that a secret's file may have: enough for any key, and a wrong path to a large file is noticed.
const SECRET_FILE_MAX: u64 = 64 * 1024;

/// The environment variables that a configuration may name.
#[derive(Clone)]
pub enum Environment {
    /// Those of this process.
    Process,
    /// These and no others.
    Given(BTreeMap<String, String>),
}

impl Environment {
    /// The variable's text, if it is set and is text.
    #[must_use]
    pub fn variable(&self, name: &str) -> Option<String> {
        match self {
            Self::Process => std::env::var(name).ok(),
            Self::Given(variables) => variables.get(name).cloned(),
        }
    }
}

impl fmt::Debug for Environment {
    /// The kind only: values are secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Process => "Process",
            Self::Given(_) => "Given(***)",
        })
    }
}

/// Where a secret is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SecretOrigin {
    /// In an environment variable of this name.
    Env(String),
    /// In this file.
    File(PathBuf),
}

impl fmt::Display for SecretOrigin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Env(name) => write!(f, "environment variable {name}"),
            Self::File(path) => write!(f, "file {}", path.display()),
        }
    }
}

/// A secret of the configuration.
#[derive(Debug, Clone)]
pub struct Secret {
    origin: SecretOrigin,
    value: Option<SecretString>,
}

impl Secret {
    /// Where it is kept.
    #[must_use]
    pub fn origin(&self) -> &SecretOrigin {
        &self.origin
    }

    /// The secret.
    ///
    /// # Errors
    /// When the configuration was loaded without its secrets.
    pub fn get(&self) -> Result<&SecretString, SecretUnread> {
        self.value.as_ref().ok_or_else(|| SecretUnread { origin: self.origin.clone() })
    }
}

/// A secret was asked for in a configuration that had been loaded without its secrets.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the secret in {origin} was not read")]
pub struct SecretUnread {
    /// Where it is kept.
    pub origin: SecretOrigin,
}

/// How the secrets of one configuration are to be read.
#[derive(Debug)]
pub(super) struct Secrets<'a> {
    pub(super) environment: &'a Environment,
    pub(super) directory: &'a Path,
    /// Whether they are read at all: whoever only looks at the store needs none of them.
    pub(super) read: bool,
}

/// One secret, or a list of them.
pub(super) fn secrets(value: &Value<'_>) -> Option<Vec<Secret>> {
    if !value.raw().is_array() {
        return secret(value).map(|secret| vec![secret]);
    }
    let values = value.list()?;
    if values.is_empty() {
        value.refuse("names no secret", Some(hint()));
        return None;
    }
    let found: Vec<_> = values.iter().map(secret).collect();
    found.into_iter().collect()
}

/// One secret: `{ env = "…" }` or `{ file = "…" }`.
pub(super) fn secret(value: &Value<'_>) -> Option<Secret> {
    if value.raw().is_str() {
        value.refuse("a secret must not stand in the configuration itself", Some(hint()));
        return None;
    }
    let mut table = value.table()?;
    let (env, file) = (table.optional("env"), table.optional("file"));
    table.finish();
    match (env, file) {
        (Some(env), None) => from_env(&env),
        (None, Some(file)) => from_file(&file),
        _ => {
            value.refuse("must have exactly one of `env` and `file`", Some(hint()));
            None
        }
    }
}

fn hint() -> String {
    "write { env = \"NAME\" } or { file = \"path\" }".to_owned()
}

fn from_env(value: &Value<'_>) -> Option<Secret> {
    let name = value.text()?;
    let secrets = value.reader().secrets;
    let origin = SecretOrigin::Env(name.to_owned());
    if !secrets.read {
        return Some(Secret { origin, value: None });
    }
    let Some(text) = secrets.environment.variable(name) else {
        value.refuse(
            format!("environment variable {name} is not set"),
            Some(format!("set {name} where bursar is started, or keep the secret in a file: {{ file = \"…\" }}")),
        );
        return None;
    };
    checked(value, origin, text)
}

fn from_file(value: &Value<'_>) -> Option<Secret> {
    let secrets = value.reader().secrets;
    let path = secrets.directory.join(value.text()?);
    let origin = SecretOrigin::File(path.clone());
    if !secrets.read {
        return Some(Secret { origin, value: None });
    }
    match read_file(&path) {
        Ok((mut text, readable_by_all)) => {
            if readable_by_all {
                let hint = format!("chmod 600 {}", path.display());
                value.warn(format!("secret file {} can be read by every user", path.display()), Some(hint));
            }
            // Editors and `echo` end a file with a newline that is no part of the secret.
            if text.ends_with('\n') {
                text.pop();
                if text.ends_with('\r') {
                    text.pop();
                }
            }
            checked(value, origin, text)
        }
        Err(problem) => {
            value.refuse(format!("secret file {} {problem}", path.display()), None);
            None
        }
    }
}

fn read_file(path: &Path) -> Result<(String, bool), String> {
    let metadata = std::fs::metadata(path).map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => "does not exist".to_owned(),
        _ => format!("cannot be read: {error}"),
    })?;
    if metadata.len() > SECRET_FILE_MAX {
        return Err("is too long to be a secret (more than 64 KiB)".to_owned());
    }
    let text = std::fs::read_to_string(path).map_err(|error| format!("cannot be read: {error}"))?;
    Ok((text, is_readable_by_all(&metadata)))
}

#[cfg(unix)]
fn is_readable_by_all(metadata: &std::fs::Metadata) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    metadata.permissions().mode() & 0o004 != 0
}

#[cfg(not(unix))]
fn is_readable_by_all(_: &std::fs::Metadata) -> bool {
    false
}

fn checked(value: &Value<'_>, origin: SecretOrigin, text: String) -> Option<Secret> {
    let secret = SecretString::from(text);
    if secret.expose_secret().trim().is_empty() {
        // An empty key signs like any other, so anybody could sign.
        value.refuse(format!("the secret in {origin} is empty"), None);
        return None;
    }
    Some(Secret { origin, value: Some(secret) })
}
