//! `cargo xtask pages`: the tables in `docs/shops` that say what an adapter needs, written from what it says of itself.
//!
//! Owns which pages and adapters there are, and what is said where they differ. What one looks like is `tables`',
//! where it stands in a page is `page`'s.

mod page;
mod tables;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use self::page::{Block, Page};
use self::tables::Table;
use crate::tool::{Result, output};
use crate::{adapters, demo, paths, say};

/// What is typed to bring the pages up to date.
const COMMAND: &str = "cargo xtask pages";

/// What is done about a page that is not as the adapters say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// It is written anew.
    Write,
    /// It is shown, and counts as a failure.
    Check,
}

/// Goes through all pages, by what `cargo xtask adapters` and the build of the host have left there.
///
/// # Errors
///
/// When nothing is built, a marker is not understood, a table of an adapter is on no page; with [`Mode::Check`], when a
/// table is not as the adapter says.
pub fn run(root: &Path, mode: Mode) -> Result<()> {
    let described: BTreeMap<String, Value> = adapters::names(root)?
        .into_iter()
        .map(|name| Ok((name.clone(), inspect(root, &name)?)))
        .collect::<Result<_>>()?;
    let folder = root.join("docs/shops");
    let mut pages: Vec<PathBuf> = fs::read_dir(&folder)?.map(|entry| Ok(entry?.path())).collect::<Result<_>>()?;
    pages.retain(|path| path.extension().is_some_and(|ending| ending == "md"));
    pages.sort();

    let mut there = Vec::new();
    let mut stale = 0_usize;
    for path in pages {
        let text = fs::read_to_string(&path)?;
        let shown = paths::typed(root, &path).to_string();
        let page = Page::read(&text).map_err(|wrong| format!("{shown}:{wrong}"))?;
        let tables: Vec<String> = page.blocks().map(|block| table(&described, block)).collect::<Result<_>>()?;
        there.extend(page.blocks().map(|block| (block.adapter.clone(), block.table)));
        let written = page.with(&tables);
        if written == text {
            continue;
        }
        stale += 1;
        match mode {
            Mode::Write => {
                fs::write(&path, written)?;
                say::words(&format!("pages: {shown} is written"));
            }
            Mode::Check => say::words(&page.differences(&shown, &tables)),
        }
    }
    all_are_there(&described, &there)?;
    match (mode, stale) {
        (Mode::Check, 1..) => {
            Err(format!("{stale} page(s) do not say what the adapters say; hint: {COMMAND} writes them").into())
        }
        _ => Ok(()),
    }
}

/// What an adapter says of itself.
fn inspect(root: &Path, name: &str) -> Result<Value> {
    let component = adapters::component_of(root, name);
    if !component.is_file() {
        return Err(format!("{} is not there; hint: cargo xtask adapters", component.display()).into());
    }
    let mut bursar = Command::new(demo::binary(root, "bursar"));
    Ok(serde_json::from_str(&output(bursar.args(["--json", "adapter", "inspect"]).arg(component))?)?)
}

fn table(described: &BTreeMap<String, Value>, block: &Block<'_>) -> Result<String> {
    let description = described.get(&block.adapter).ok_or_else(|| {
        let names: Vec<&str> = described.keys().map(String::as_str).collect();
        format!("there is no adapter `{}`; hint: there are {}", block.adapter, names.join(", "))
    })?;
    Ok(block.table.written(description))
}

/// Every table that has something in it is on a page: no operator should have to look for a setting in a `.wasm` file.
fn all_are_there(described: &BTreeMap<String, Value>, there: &[(String, Table)]) -> Result<()> {
    for (name, description) in described {
        for table in Table::ALL {
            if !table.is_empty(description) && !there.contains(&(name.clone(), table)) {
                let (begin, end) = page::markers(name, table);
                return Err(format!(
                    "no page says the {} of the adapter `{name}`; hint: write `{begin}` and `{end}`, a line each, into its \
                     page, then {COMMAND}",
                    table.name()
                )
                .into());
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn described() -> BTreeMap<String, Value> {
        BTreeMap::from([(
            "acme".to_owned(),
            json!({
                "secrets": [{"name": "webhook", "purpose": "the text under the webhook"}],
                "topics": [], "settings": {"properties": {}},
            }),
        )])
    }

    #[test]
    fn a_table_with_something_in_it_must_be_on_a_page_and_an_empty_one_need_not() {
        let error = all_are_there(&described(), &[]).unwrap_err().to_string();
        assert!(error.contains("the secrets of the adapter `acme`"), "{error}");
        assert!(error.contains("`<!-- adapter:acme:secrets -->`"), "{error}");
        all_are_there(&described(), &[("acme".to_owned(), Table::Secrets)]).unwrap();
    }

    #[test]
    fn an_adapter_that_is_not_there_is_named_with_those_that_are() {
        let page = Page::read("<!-- adapter:acne:secrets -->\n<!-- /adapter -->\n").unwrap();
        let error = table(&described(), page.blocks().next().unwrap()).unwrap_err().to_string();
        assert_eq!(error, "there is no adapter `acne`; hint: there are acme");
    }
}
