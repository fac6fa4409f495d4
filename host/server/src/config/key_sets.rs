//! `[shops.key_sets]`: where a shop's sets of public keys come from.
//!
//! Owns the keys of the configuration, not those of the shop: nothing is fetched or opened here.

use std::{collections::BTreeMap, path::PathBuf};

use reqwest::Url;

use super::reader::{Value, is_local};

/// Where a set of public keys comes from. Never from a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeySetSource {
    /// The shop publishes it; it is fetched when a signature is first judged by it.
    Url {
        /// Where.
        url: Url,
        /// May that be a private address?
        private_addresses: bool,
    },
    /// A file with a JSON Web Key Set.
    File(PathBuf),
}

/// Reads the table: a name as the adapter gives it, and a source.
pub(super) fn key_sets(value: &Value<'_>) -> Option<BTreeMap<String, KeySetSource>> {
    let read = value.table()?.entries().map(|(name, value)| Some((name.to_owned(), source(&value)?)));
    read.collect::<Vec<_>>().into_iter().collect()
}

fn source(value: &Value<'_>) -> Option<KeySetSource> {
    let mut table = value.table()?;
    let (url, file) = (table.optional("url"), table.optional("file"));
    let private_addresses = table.optional("private_addresses").map_or(Some(false), |value| value.boolean());
    table.finish();
    match (url, file) {
        (Some(url), None) => Some(KeySetSource::Url { url: trusted(&url)?, private_addresses: private_addresses? }),
        (None, Some(file)) => file.text().map(|path| KeySetSource::File(value.reader().secrets.directory.join(path))),
        _ => {
            let hint = "write { url = \"https://shop.example.org/.well-known/jwks.json\" } or { file = \"path\" }";
            value.refuse("must have exactly one of `url` and `file`", Some(hint.to_owned()));
            None
        }
    }
}

/// An address at which nobody on the way can put in keys of their own.
fn trusted(value: &Value<'_>) -> Option<Url> {
    let url = value.url()?;
    if url.scheme() == "http" && !is_local(&url) {
        let message = "is not encrypted, so whoever is on the way could put in keys of their own";
        value.refuse(message, Some("use https".to_owned()));
        return None;
    }
    Some(url)
}
