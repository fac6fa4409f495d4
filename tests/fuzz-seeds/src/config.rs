//! The configuration: every fault has a place in the text, and none shows a secret.

use std::{collections::BTreeSet, path::Path};

use bursar_server::config::{Config, Environment, Problem, SecretUse, units};

/// What the secrets are, where the configuration names a variable.
const SECRET: &str = "{s3cret of the environment}";

/// Longest text that is tried as a duration or size.
const UNIT_MAX: usize = 64;

/// Bytes are the text of `bursar.toml`.
pub fn config(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if text.len() <= UNIT_MAX {
        units_round_trip(text);
    }
    let file = Path::new("/etc/bursar/bursar.toml");
    let environment =
        Environment::Given(["BURSAR_LMS_SECRET", "SECRET"].map(|name| (name.into(), SECRET.into())).into());
    // Nothing that an input names is opened.
    let secrets = if text.contains("file") || text.contains('\\') { SecretUse::Leave } else { SecretUse::Read };
    match Config::parse(file, text, &environment, secrets) {
        Err(error) => {
            assert!(!error.problems.is_empty(), "refused without a word");
            assert!(error.problems.is_sorted_by_key(|problem| problem.position), "{error}");
            error.problems.iter().for_each(|problem| told(problem, file, text));
        }
        Ok(config) => {
            config.warnings.iter().for_each(|warning| told(warning, file, text));
            assert!(!config.lms.is_empty());
            let sites: BTreeSet<_> = config.lms.iter().map(|lms| &lms.name).collect();
            assert_eq!(sites.len(), config.lms.len(), "two LMSs of one name");
            let shops: BTreeSet<_> = config.shops.iter().map(|shop| &shop.name).collect();
            assert_eq!(shops.len(), config.shops.len(), "two shops of one name");
            for shop in &config.shops {
                assert!(sites.contains(&shop.lms), "a shop of an LMS that there is not");
                assert!(config.shop(shop.name.as_str()).is_some());
            }
            assert!(!format!("{config:?}").contains(SECRET));
        }
    }
}

fn told(problem: &Problem, file: &Path, text: &str) {
    assert_eq!(problem.file, file);
    assert!(!problem.message.trim().is_empty(), "{problem:?}");
    assert!(!problem.headline().contains(['\n', '\r', '\u{1b}']), "more than a line: {problem:?}");
    assert!(!problem.to_string().contains(SECRET), "{problem:?}");
    let position = problem.position.unwrap_or_else(|| panic!("without a place: {problem:?}"));
    let line = text.split('\n').nth(position.line - 1).unwrap_or_else(|| panic!("no such line: {problem:?}"));
    assert!((1..=line.chars().count() + 1).contains(&position.column), "no such column: {problem:?}");
}

fn units_round_trip(text: &str) {
    if let Some(duration) = units::parse_duration(text) {
        assert_eq!(units::parse_duration(&units::format_duration(duration)), Some(duration), "{text:?}");
    }
    if let Some(size) = units::parse_size(text) {
        assert_eq!(units::parse_size(&units::format_size(size)), Some(size), "{text:?}");
    }
}
