//! Is there what the documents point to: pages, sections, tests, scenarios, fixtures?
//!
//! Reads text only, and needs nothing built. `cargo test -p documents` runs it alone.
#![allow(clippy::unwrap_used, missing_docs, reason = "tests fail by panicking")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Where names of files in a document begin, so that `a/b` of a shop's API is not taken for one.
const TOP: [&str; 4] = ["host/", "plugins/", "tests/", "docs/"];

fn project() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Every page that people read: those at the top, and those below `docs` and `wit`.
fn pages() -> Vec<PathBuf> {
    let mut folders = vec![project(), project().join("wit"), project().join("docs")];
    for entry in fs::read_dir(project().join("docs")).unwrap() {
        folders.extend(Some(entry.unwrap().path()).filter(|path| path.is_dir()));
    }
    let files = folders.iter().flat_map(|folder| fs::read_dir(folder).unwrap()).map(|entry| entry.unwrap().path());
    files.filter(|path| path.extension().is_some_and(|extension| extension == "md")).collect()
}

/// The text without blocks of code, in which `[a](b)` is no link.
fn prose(page: &Path) -> String {
    let text = fs::read_to_string(page).unwrap();
    let mut code = false;
    let mut kept = Vec::new();
    for line in text.lines() {
        let fence = line.trim_start().starts_with("```");
        if !fence && !code {
            kept.push(line);
        }
        code ^= fence;
    }
    kept.join("\n")
}

/// What stands between two marks, each time.
fn between<'t>(text: &'t str, begin: &str, end: &str) -> Vec<&'t str> {
    text.split(begin).skip(1).filter_map(|rest| Some(rest.split_once(end)?.0)).collect()
}

/// The addresses of a page's sections, as the sites that show Markdown make them of headings.
fn sections(page: &Path) -> BTreeSet<String> {
    let headings = prose(page);
    let headings = headings.lines().filter(|line| line.starts_with('#'));
    headings
        .map(|line| {
            let kept = line.trim_start_matches('#').trim().to_lowercase();
            kept.chars().filter(|c| c.is_alphanumeric() || " -_".contains(*c)).collect::<String>().replace(' ', "-")
        })
        .collect()
}

#[test]
fn every_link_leads_to_a_page_and_a_section_that_are_there() {
    let mut broken = Vec::new();
    for page in pages() {
        let text = prose(&page);
        for target in between(&text, "](", ")").into_iter().filter(|target| !target.contains(':')) {
            let (file, section) = target.split_once('#').unwrap_or((target, ""));
            let file = if file.is_empty() { page.clone() } else { page.parent().unwrap().join(file) };
            if !file.exists() || !(section.is_empty() || sections(&file).contains(section)) {
                broken.push(format!("{}: {target}", page.display()));
            }
        }
    }
    assert!(broken.is_empty(), "these lead nowhere:\n{}", broken.join("\n"));
}

#[test]
fn every_test_and_folder_that_the_map_of_the_wiki_names_is_there() {
    let text = prose(&project().join("docs/wiki-map.md"));
    let named: Vec<&str> =
        text.split('`').skip(1).step_by(2).filter(|name| TOP.iter().any(|top| name.starts_with(top))).collect();
    let missing: Vec<&&str> = named.iter().filter(|name| !is_there(name)).collect();
    assert!(missing.is_empty(), "these are not there: {missing:#?}");
    assert!(named.len() > 40, "only {} names were found: are they still written in the same way?", named.len());
}

/// Is there such a file or folder, and in the file, behind `::`, a test of this name?
fn is_there(name: &str) -> bool {
    let (file, test) = name.split_once("::").unwrap_or((name, ""));
    let path = project().join(file);
    if test.is_empty() {
        return path.exists();
    }
    let source = fs::read_to_string(path).unwrap_or_default();
    let mut lines = source.lines().map(str::trim_start);
    // The attribute of a test may have others below it.
    let mut in_test = false;
    lines.any(|line| {
        let function = line.strip_prefix("async ").unwrap_or(line).strip_prefix("fn ");
        let found =
            in_test && function.is_some_and(|rest| rest.strip_prefix(test).is_some_and(|rest| rest.starts_with('(')));
        in_test =
            line.starts_with("#[test]") || line.starts_with("#[tokio::test") || (in_test && line.starts_with("#["));
        found
    })
}

#[test]
fn a_name_that_no_test_has_is_noticed() {
    let own = "tests/documents/tests/pages.rs";
    assert!(is_there(own));
    assert!(is_there(&format!("{own}::a_name_that_no_test_has_is_noticed")));
    assert!(!is_there(&format!("{own}::a_name_that_no_test_has")), "a part of a name is none");
    assert!(!is_there(&format!("{own}::prose")), "a function that is no test");
    assert!(!is_there("tests/documents/tests/nowhere.rs::prose"));
}
