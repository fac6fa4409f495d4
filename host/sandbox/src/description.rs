//! What an adapter says it is.
//!
//! Owns the checks of a description: names that stand in configurations and tables must have the form that those take.
//! Knows nothing of how it was obtained.

use std::collections::BTreeSet;

use bursar_domain::AdapterName;

use crate::{limits, settings::SettingsSchema, text};

/// A name and what it is for, in words for operators.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named {
    /// The name.
    pub name: String,
    /// What it means or is for.
    pub purpose: String,
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
}

/// A description as the guest filled it in.
#[derive(Debug, Default)]
pub(crate) struct Draft {
    pub(crate) platform: String,
    pub(crate) version: String,
    pub(crate) topics: Vec<(String, String)>,
    pub(crate) secrets: Vec<(String, String)>,
    pub(crate) optional_secrets: Vec<(String, String)>,
    pub(crate) key_sets: Vec<(String, String)>,
    pub(crate) settings: Option<String>,
    pub(crate) redact_headers: Vec<String>,
    pub(crate) redact_body: Vec<String>,
    pub(crate) redact_address: bool,
}

impl Draft {
    /// Checks the draft. The error is a sentence without a subject's end: it follows "the description is not sound:".
    pub(crate) fn check(self) -> Result<Description, String> {
        let platform = AdapterName::parse(&self.platform)
            .map_err(|malformed| format!("the platform's name {}", malformed.problem))?;
        if !is_semantic_version(&self.version) {
            return Err(format!("the version {:?} is not like 1.2.3", text::words(&self.version, limits::CODE)));
        }
        let settings = match &self.settings {
            Some(schema) => {
                SettingsSchema::parse(schema).map_err(|problem| format!("the settings schema: {problem}"))?
            }
            None => SettingsSchema::none(),
        };
        let mut names = BTreeSet::new();
        let secrets = named("secret", self.secrets, Some(&mut names))?;
        let optional_secrets = named("secret", self.optional_secrets, Some(&mut names))?;
        Ok(Description {
            platform,
            version: self.version,
            topics: named("topic", self.topics, None)?,
            secrets,
            optional_secrets,
            key_sets: named("key set", self.key_sets, Some(&mut BTreeSet::new()))?,
            settings,
            redact_headers: redacted_headers(self.redact_headers)?,
            redact_body: redacted_body(self.redact_body)?,
            redact_address: self.redact_address,
        })
    }
}

/// Entries with their words cleaned. With `names` they stand in the configuration: each must be a plain word, once.
fn named(
    what: &str,
    entries: Vec<(String, String)>,
    mut names: Option<&mut BTreeSet<String>>,
) -> Result<Vec<Named>, String> {
    at_most(what, entries.len())?;
    entries
        .into_iter()
        .map(|(name, purpose)| {
            let shown = text::words(&name, limits::CODE);
            if let Some(names) = names.as_deref_mut() {
                if !text::is_code(&name, limits::CODE) {
                    return Err(format!("the {what} {shown:?} is not lower-case letters, digits and hyphens"));
                }
                if !names.insert(name.clone()) {
                    return Err(format!("the {what} {shown:?} is there twice"));
                }
            } else if name.is_empty() || name != text::words(&name, limits::ID) {
                return Err(format!("the {what} {shown:?} is empty, too long or holds control characters"));
            }
            Ok(Named { name, purpose: text::words(&purpose, limits::WORDS) })
        })
        .collect()
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
    fn names_that_no_configuration_could_hold_are_refused() {
        for draft in [
            Draft { platform: "Woo Commerce".into(), ..draft() },
            Draft { version: "one".into(), ..draft() },
            Draft { secrets: vec![("Web Hook".into(), String::new())], ..draft() },
            Draft {
                secrets: vec![("a".into(), String::new())],
                optional_secrets: vec![("a".into(), String::new())],
                ..draft()
            },
            Draft { redact_headers: vec!["a b".into()], ..draft() },
            Draft { redact_body: vec!["a".into()], ..draft() },
            Draft { redact_body: vec!["/a~2".into()], ..draft() },
            Draft { topics: vec![("t".into(), String::new()); limits::DESCRIBED + 1], ..draft() },
        ] {
            assert!(draft.check().is_err());
        }
    }
}
