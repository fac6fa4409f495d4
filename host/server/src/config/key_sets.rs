//! `[shops.key_sets]`: where a shop's sets of public keys come from.
//!
//! Owns the keys of the configuration, not those of the shop: nothing is fetched or opened here.

use std::{collections::BTreeMap, path::PathBuf};

use reqwest::Url;

use super::reader::Value;

/// Where a set of public keys comes from. Never from a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeySetSource {
    /// The shop publishes it; it is fetched when a signature is first judged by it.
    Url(Url),
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
    table.finish();
    match (url, file) {
        (Some(url), None) => url.url().map(KeySetSource::Url),
        (None, Some(file)) => file.text().map(|path| KeySetSource::File(value.reader().secrets.directory.join(path))),
        _ => {
            let hint = "write { url = \"https://shop.example.org/.well-known/jwks.json\" } or { file = \"path\" }";
            value.refuse("must have exactly one of `url` and `file`", Some(hint.to_owned()));
            None
        }
    }
}
