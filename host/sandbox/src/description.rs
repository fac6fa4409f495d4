//! What an adapter says it is.
//!
//! Owns the checks of a description: names that stand in configurations and tables must have the form that those take.
//! Knows nothing of how it was obtained.

use std::collections::{BTreeMap, BTreeSet};

use bursar_domain::AdapterName;

use crate::{limits, settings::SettingsSchema, shop::Permission, text};

/// A name and what it is for, in words for operators.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named {
    /// The name.
    pub name: String,
    /// What it means or is for.
    pub purpose: String,
}

/// A text that an operator pastes into the shop.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    /// What it is asked for by.
    pub name: String,
    /// What it is for.
    pub purpose: String,
    /// The text, byte for byte: at most [`DOCUMENT`](crate::limits::DOCUMENT) bytes, and nothing that a terminal would do
    /// something with but line ends and tabs.
    pub text: String,
}

/// What an adapter is. Everything in it was checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Description {
    /// What the configuration calls the adapter.
    pub platform: AdapterName,
    /// The adapter's own version, as in Semantic Versioning.
    pub version: String,
    /// Topics that it understands.
    pub topics: Vec<Named>,
    /// Secrets without which a shop cannot be served.
    pub secrets: Vec<Named>,
    /// Secrets that some shops have.
    pub optional_secrets: Vec<Named>,
    /// Permissions that it can do without, and what it gains by them.
    pub optional_permissions: BTreeMap<Permission, String>,
    /// Sets of public keys.
    pub key_sets: Vec<Named>,
    /// The settings that an operator may give.
    pub settings: SettingsSchema,
    /// Headers to blank before anything is stored, in lower case.
    pub redact_headers: Vec<String>,
    /// Parts of a JSON body to blank likewise, as JSON Pointers (RFC 6901).
    pub redact_body: Vec<String>,
    /// Are path and query to be blanked, too?
    pub redact_address: bool,
    /// Texts that an operator pastes into the shop.
    pub documents: Vec<Document>,
}

impl Description {
    /// Is anything to be blanked?
    #[must_use]
    pub fn redacts(&self) -> bool {
        self.redact_address || !self.redact_headers.is_empty() || !self.redact_body.is_empty()
    }
}

/// What is wrong with a description: a sentence without its beginning.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Unsound {
    /// It follows "the adapter's description is not sound:".
    Word(String),
    /// It follows "the adapter's settings schema is not sound:".
    Settings(String),
}

impl From<String> for Unsound {
    fn from(words: String) -> Self {
        Self::Word(words)
    }
}

/// A description as the guest filled it in.
#[derive(Debug, Default)]
pub(crate) struct Draft {
    pub(crate) platform: String,
    pub(crate) version: String,
    pub(crate) topics: Vec<(String, String)>,
    pub(crate) secrets: Vec<(String, String)>,
    pub(crate) optional_secrets: Vec<(String, String)>,
    pub(crate) optional_permissions: Vec<(String, String)>,
    pub(crate) key_sets: Vec<(String, String)>,
    pub(crate) settings: Option<String>,
    pub(crate) redact_headers: Vec<String>,
    pub(crate) redact_body: Vec<String>,
    pub(crate) redact_address: bool,
    pub(crate) documents: Vec<(String, String, String)>,
}

impl Draft {
    /// Checks the draft.
    pub(crate) fn check(self) -> Result<Description, Unsound> {
        let platform = AdapterName::parse(&self.platform)
            .map_err(|malformed| format!("the platform's name {}", malformed.problem))?;
        if !is_semantic_version(&self.version) {
            let version = text::words(&self.version, limits::CODE);
            return Err(Unsound::Word(format!("the version {version:?} is not like 1.2.3")));
        }
        let settings = match &self.settings {
            Some(schema) => SettingsSchema::parse(schema).map_err(Unsound::Settings)?,
            None => SettingsSchema::none(),
        };
        let mut names = BTreeSet::new();
        let secrets = named("secret", Form::Word, self.secrets, &mut names)?;
        let optional_secrets = named("secret", Form::Word, self.optional_secrets, &mut names)?;
        Ok(Description {
            platform,
            version: self.version,
            topics: named("topic", Form::Text, self.topics, &mut BTreeSet::new())?,
            secrets,
            optional_secrets,
            optional_permissions: permissions(self.optional_permissions)?,
            key_sets: named("key set", Form::Word, self.key_sets, &mut BTreeSet::new())?,
            settings,
            redact_headers: redacted_headers(self.redact_headers)?,
            redact_body: redacted_body(self.redact_body)?,
            redact_address: self.redact_address,
            documents: documents(self.documents)?,
        })
    }
}

/// What a name may be.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    /// A plain word, because it stands in the configuration.
    Word,
    /// Whatever the shop calls it.
    Text,
}

/// Entries with their words cleaned; each name once among `names`.
fn named(
    what: &str,
    form: Form,
    entries: Vec<(String, String)>,
    names: &mut BTreeSet<String>,
) -> Result<Vec<Named>, String> {
    at_most(what, entries.len())?;
    entries
        .into_iter()
        .map(|(name, purpose)| {
            let shown = text::words(&name, limits::CODE);
            if form == Form::Word && !text::is_code(&name, limits::CODE) {
                return Err(format!("the {what} {shown:?} is not lower-case letters, digits and hyphens"));
            }
            if name.is_empty() || name != text::words(&name, limits::ID) {
                return Err(format!("the {what} {shown:?} is empty, too long or holds control characters"));
            }
            if !names.insert(name.clone()) {
                return Err(format!("the {what} {shown:?} is there twice"));
            }
            Ok(Named { name, purpose: text::words(&purpose, limits::WORDS) })
        })
        .collect()
}

fn permissions(entries: Vec<(String, String)>) -> Result<BTreeMap<Permission, String>, String> {
    let entries = named("permission", Form::Word, entries, &mut BTreeSet::new())?;
    let known = |Named { name, purpose }| match Permission::from_name(&name) {
        Some(permission) => Ok((permission, purpose)),
        None => Err(format!("there is no permission {name:?}")),
    };
    entries.into_iter().map(known).collect()
}

fn at_most(what: &str, count: usize) -> Result<(), String> {
    if count > limits::DESCRIBED {
        return Err(format!("more than {} entries of the kind {what}", limits::DESCRIBED));
    }
    Ok(())
}

fn redacted_headers(headers: Vec<String>) -> Result<Vec<String>, String> {
    at_most("redacted header", headers.len())?;
    headers
        .into_iter()
        .map(|name| {
            let name = name.to_ascii_lowercase();
            let is_token = !name.is_empty()
                && name.len() <= limits::ID
                && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte));
            if is_token { Ok(name) } else { Err("a redacted header's name is none".to_owned()) }
        })
        .collect()
}

fn redacted_body(pointers: Vec<String>) -> Result<Vec<String>, String> {
    at_most("redacted part", pointers.len())?;
    for pointer in &pointers {
        let escapes_are_sound =
            pointer.split('~').skip(1).all(|after| after.starts_with('0') || after.starts_with('1'));
        if !pointer.starts_with('/') || pointer.len() > limits::WORDS || !escapes_are_sound {
            return Err(format!(
                "the redacted part {:?} is not a JSON pointer like /a/b",
                text::words(pointer, limits::CODE)
            ));
        }
    }
    Ok(pointers)
}

fn documents(entries: Vec<(String, String, String)>) -> Result<Vec<Document>, String> {
    let (entries, texts): (Vec<_>, Vec<_>) =
        entries.into_iter().map(|(name, purpose, text)| ((name, purpose), text)).unzip();
    let named = named("document", Form::Word, entries, &mut BTreeSet::new())?;
    named
        .into_iter()
        .zip(texts)
        .map(|(Named { name, purpose }, text)| {
            let problem = if text.is_empty() {
                "is empty".to_owned()
            } else if text.len() > limits::DOCUMENT {
                format!("has more than {} bytes", limits::DOCUMENT)
            } else if !text::is_plain(&text) {
                "holds control characters or marks of direction".to_owned()
            } else {
                return Ok(Document { name, purpose, text });
            };
            Err(format!("the document {name:?} {problem}"))
        })
        .collect()
}

/// `MAJOR.MINOR.PATCH`, then `-pre` and `+build` if any (semver.org 2.0.0, without its rule on leading zeros in `pre`).
fn is_semantic_version(text: &str) -> bool {
    let identifiers = |text: &str| {
        text.split('.').all(|part| !part.is_empty() && part.chars().all(|c| c.is_ascii_alphanumeric() || c == '-'))
    };
    let (text, build) = text.split_once('+').map_or((text, None), |(text, build)| (text, Some(build)));
    let (core, pre) = text.split_once('-').map_or((text, None), |(core, pre)| (core, Some(pre)));
    let number = |part: &str| {
        !part.is_empty()
            && part.len() <= 10
            && part.chars().all(|c| c.is_ascii_digit())
            && (part == "0" || !part.starts_with('0'))
    };
    core.split('.').count() == 3
        && core.split('.').all(number)
        && pre.is_none_or(identifiers)
        && build.is_none_or(identifiers)
        && text.len() <= limits::CODE
}

#[cfg(test)]
mod tests {
    use super::*;

    fn draft() -> Draft {
        Draft { platform: "woocommerce".into(), version: "1.2.3".into(), ..Draft::default() }
    }

    #[test]
    fn a_sound_description_passes() {
        let description = Draft {
            secrets: vec![("webhook".into(), "the secret of the form".into())],
            redact_headers: vec!["Authorization".into()],
            redact_body: vec!["/a~1b/0".into()],
            ..draft()
        }
        .check()
        .unwrap();
        assert_eq!(description.redact_headers, ["authorization"]);
        assert_eq!(description.secrets[0].name, "webhook");
    }

    #[test]
    fn versions_are_semantic() {
        for good in ["0.1.0", "10.20.30-rc.1+build.5"] {
            assert!(is_semantic_version(good), "{good} was refused");
        }
        for bad in ["", "1", "1.2", "v1.2.3", "1.2.3.4", "01.2.3", "1.2.3-", "1.2.x"] {
            assert!(!is_semantic_version(bad), "{bad} passed");
        }
    }

    #[test]
    fn names_that_no_configuration_could_hold_are_refused_by_name() {
        let twice = vec![("a".to_owned(), String::new()); 2];
        for (draft, words) in [
            (Draft { platform: "Woo Commerce".into(), ..draft() }, "the platform's name"),
            (Draft { version: "one".into(), ..draft() }, "the version \"one\" is not like 1.2.3"),
            (
                Draft { secrets: vec![("Web Hook".into(), String::new())], ..draft() },
                "the secret \"Web Hook\" is not lower-case letters, digits and hyphens",
            ),
            (
                Draft {
                    secrets: vec![("a".into(), String::new())],
                    optional_secrets: vec![("a".into(), String::new())],
                    ..draft()
                },
                "the secret \"a\" is there twice",
            ),
            (
                Draft { optional_permissions: vec![("files".into(), String::new())], ..draft() },
                "there is no permission \"files\"",
            ),
            (
                Draft { optional_permissions: vec![("shop".into(), String::new()); 2], ..draft() },
                "the permission \"shop\" is there twice",
            ),
            (Draft { topics: twice.clone(), ..draft() }, "the topic \"a\" is there twice"),
            (Draft { key_sets: twice, ..draft() }, "the key set \"a\" is there twice"),
            (Draft { redact_headers: vec!["a b".into()], ..draft() }, "a redacted header's name is none"),
            (Draft { redact_body: vec!["a".into()], ..draft() }, "the redacted part \"a\" is not a JSON pointer"),
            (Draft { redact_body: vec!["/a~2".into()], ..draft() }, "the redacted part \"/a~2\" is not a JSON pointer"),
            (
                Draft { topics: vec![("t".into(), String::new()); limits::DESCRIBED + 1], ..draft() },
                "more than 64 entries of the kind topic",
            ),
        ] {
            let Err(Unsound::Word(said)) = draft.check() else { panic!("{words}") };
            assert!(said.starts_with(words), "{said}");
        }
        let document = |text: &str| Draft { documents: vec![("query".into(), String::new(), text.into())], ..draft() };
        assert_eq!(document("a {\n\tb\n}\n").check().unwrap().documents[0].text, "a {\n\tb\n}\n");
        for (text, words) in [
            ("", "the document \"query\" is empty"),
            ("\u{1b}[2J", "the document \"query\" holds control characters"),
            ("a\r\n", "the document \"query\" holds control characters"),
            ("\u{202e}a", "the document \"query\" holds control characters or marks of direction"),
            (&"x".repeat(limits::DOCUMENT + 1), "the document \"query\" has more than 65536 bytes"),
        ] {
            let Err(Unsound::Word(said)) = document(text).check() else { panic!("{words}") };
            assert!(said.starts_with(words), "{said}");
        }
        let schema = Draft { settings: Some(r#"{"type":"object","allOf":[]}"#.into()), ..draft() };
        let words = "at /allOf: the keyword `allOf` is not understood".to_owned();
        assert_eq!(schema.check(), Err(Unsound::Settings(words)));
    }
}
