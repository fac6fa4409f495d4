//! New projects: the templates, and what belongs into every folder beside them.
//!
//! Owns what a new folder holds. Writes all of it or nothing.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use crate::contract::{
    CONTRACT, FOLDER, KIT_JAVASCRIPT, KIT_PYTHON, KIT_RUST, TEMPLATE_JAVASCRIPT, TEMPLATE_PYTHON, TEMPLATE_RUST,
    TEMPLATE_SHARED,
};
use crate::{Error, Language, Project, Result};

/// A path inside a folder, and what is there.
pub(crate) type File = (&'static str, &'static [u8]);

/// Where the kit goes: no registry has it, so every project carries its own.
const KIT_FOLDER: &str = "vendor/bursar-adapter";

/// What is replaced by the platform's name, in every file of a template.
const PLATFORM: &str = "{{platform}}";

/// A platform whose package would have the same name as the kit's.
const KIT: &str = "adapter";

/// Writes a new project into a folder, which must be empty or not be there. The platform's name is taken to be valid.
///
/// # Errors
///
/// When the folder holds something or cannot be written; it is then as it was.
pub fn write(language: Language, platform: &str, directory: &Path) -> Result<Project> {
    if platform == KIT {
        return Err(Error::new(format!("an adapter cannot be called {KIT}: its package would have the kit's name"))
            .hint("call it what the platform is called"));
    }
    // A draft lies beside its folder, and `.` has no name to lie beside.
    let directory = &std::path::absolute(directory)
        .map_err(|error| Error::new(format!("{} cannot be found: {error}", directory.display())))?;
    refuse_if_taken(directory)?;
    let unwritable = |error: std::io::Error| Error::new(format!("{} cannot be written: {error}", directory.display()));
    // Beside it, and moved to its place when it is whole.
    let draft = draft_of(directory);
    let written = files(language, platform).into_iter().try_for_each(|(name, text)| {
        let file = draft.join(name);
        file.parent().map_or(Ok(()), fs::create_dir_all)?;
        fs::write(file, text)
    });
    if let Err(error) = written.and_then(|()| put_in_place(&draft, directory)) {
        // There is nothing more that could be done about a draft that cannot be taken away.
        let _ = fs::remove_dir_all(&draft);
        return Err(unwritable(error));
    }
    Project::read(directory)
}

fn refuse_if_taken(directory: &Path) -> Result<()> {
    let folder = directory.display();
    match fs::read_dir(directory) {
        Ok(mut entries) => match entries.next() {
            None => Ok(()),
            Some(_) => Err(Error::new(format!("{folder} is there already, and is not empty"))
                .hint("give another folder with --directory, or move that one away")),
        },
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        Err(error) => Err(Error::new(format!("{folder} cannot be used: {error}"))),
    }
}

/// A folder that is there is filled, not exchanged: somebody's shell may be in it.
fn put_in_place(draft: &Path, directory: &Path) -> std::io::Result<()> {
    if !directory.exists() {
        return fs::rename(draft, directory);
    }
    for entry in fs::read_dir(draft)? {
        let entry = entry?;
        fs::rename(entry.path(), directory.join(entry.file_name()))?;
    }
    fs::remove_dir(draft)
}

fn draft_of(directory: &Path) -> PathBuf {
    let name = directory.file_name().unwrap_or_default().to_string_lossy();
    directory.with_file_name(format!(".{name}.new-{}", std::process::id()))
}

/// Everything that a new folder holds.
fn files(language: Language, platform: &str) -> Vec<(String, Vec<u8>)> {
    let (template, kit) = match language {
        Language::Rust => (TEMPLATE_RUST, KIT_RUST),
        Language::JavaScript => (TEMPLATE_JAVASCRIPT, KIT_JAVASCRIPT),
        Language::Python => (TEMPLATE_PYTHON, KIT_PYTHON),
    };
    let named = template.iter().chain(TEMPLATE_SHARED).map(|(name, bytes)| {
        let text = String::from_utf8_lossy(bytes).replace(PLATFORM, platform);
        ((*name).to_owned(), text.into_bytes())
    });
    let under = |folder: &'static str| move |(name, bytes): &File| (format!("{folder}/{name}"), bytes.to_vec());
    named.chain(kit.iter().map(under(KIT_FOLDER))).chain(CONTRACT.iter().map(under(FOLDER))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).unwrap();
        let mut names: Vec<String> =
            entries.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        names
    }

    #[test]
    fn every_template_is_complete_and_bears_the_platforms_name() {
        for language in Language::ALL {
            let folder = tempfile::tempdir().unwrap();
            let project = write(language, "made-up", &folder.path().join("made-up")).unwrap();
            assert_eq!((project.language, project.name.as_str()), (language, "made-up"));
            for name in [".gitignore", "README.md", "fixtures/shop.json", "wit/0.1.0/world.wit"] {
                assert!(project.directory.join(name).is_file(), "{} lacks {name}", language.name());
            }
            for (name, text) in files(language, "made-up") {
                let text = String::from_utf8(text).unwrap();
                assert!(!text.contains(PLATFORM), "{name} of {} has a placeholder left", language.name());
            }
            assert_eq!(names(folder.path()), ["made-up"]);
        }
    }

    #[test]
    fn an_empty_folder_is_used_and_a_full_one_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        write(Language::Python, "made-up", folder.path()).unwrap();
        let before = names(folder.path());
        let error = write(Language::Rust, "other", folder.path()).unwrap_err().to_string();
        assert!(error.contains("is there already, and is not empty\nhint: "), "{error}");
        assert_eq!(names(folder.path()), before);
    }

    #[test]
    fn what_cannot_be_written_leaves_nothing_behind() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("file"), "").unwrap();
        write(Language::Rust, "made-up", &folder.path().join("file/made-up")).unwrap_err();
        assert_eq!(names(folder.path()), ["file"]);
    }

    #[test]
    fn no_adapter_has_the_name_of_the_kit() {
        let folder = tempfile::tempdir().unwrap();
        write(Language::Rust, "adapter", &folder.path().join("adapter")).unwrap_err();
        assert!(names(folder.path()).is_empty());
    }
}
