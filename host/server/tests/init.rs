//! What `bursar init` leaves behind.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "helpers of tests count as code otherwise")]

use std::{
    fs,
    io::{self, Write},
    os::unix::fs::PermissionsExt as _,
    path::Path,
    sync::{Arc, Mutex},
};

use bursar_domain::SystemClock;
use bursar_server::{
    cli::{
        CliError, Context,
        init::{InitArgs, run},
    },
    config::{Config, DEFAULT_TEXT, Environment, FILE_NAME, SecretUse},
    output::Output,
};
use secrecy::ExposeSecret as _;

/// A stream that can be read afterwards.
#[derive(Clone, Default)]
struct Captured(Arc<Mutex<Vec<u8>>>);

impl Write for Captured {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Captured {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

async fn init(directory: &Path, json: bool) -> (Result<(), CliError>, String, String) {
    let (data, words) = (Captured::default(), Captured::default());
    let context = Context {
        config: None,
        output: Output::to(Box::new(data.clone()), Box::new(words.clone()), json, None),
        environment: Environment::Given(Default::default()),
        clock: Arc::new(SystemClock),
        compiler: None,
    };
    let done = run(&context, &InitArgs { directory: Some(directory.to_owned()) }).await;
    (done, data.text(), words.text())
}

fn permissions(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[tokio::test]
async fn it_writes_what_is_needed_to_begin() {
    let place = tempfile::tempdir().unwrap();
    let directory = place.path().join("etc/bursar");
    let (done, data, words) = init(&directory, false).await;
    done.unwrap();
    let written = fs::read_to_string(directory.join(FILE_NAME)).unwrap();
    let differs: Vec<_> = written.lines().zip(DEFAULT_TEXT.lines()).filter(|(line, default)| line != default).collect();
    assert_eq!(differs.len(), 1, "{differs:?}");
    assert!(differs[0].0.starts_with("sold_before = \"20"), "{differs:?}");
    assert!(differs[0].0.ends_with("# orders placed earlier were sold before Bursar was connected"), "{differs:?}");
    assert!(directory.join("adapters").is_dir());
    assert!(directory.join("bursar.db").is_file());
    assert_eq!(data.lines().next().unwrap(), directory.join(FILE_NAME).display().to_string());
    assert!(words.contains("bursar catalog import"), "{words}");
}

#[tokio::test]
async fn its_configuration_works_once_the_lms_secret_is_set() {
    let directory = tempfile::tempdir().unwrap();
    init(directory.path(), false).await.0.unwrap();
    let environment = Environment::Given([("BURSAR_LMS_SECRET".to_owned(), "s".to_owned())].into());
    let config = Config::load(&directory.path().join(FILE_NAME), &environment, SecretUse::Read).unwrap();
    assert!(config.warnings.is_empty(), "{:?}", config.warnings);
    let secret = config.shop("campus").unwrap().secrets["webhook"][0].get().unwrap().expose_secret().to_owned();
    assert_eq!(secret.len(), 48);
    assert!(secret.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-'), "{secret}");
}

#[tokio::test]
async fn its_secret_is_for_its_owner_only_and_never_printed() {
    let directory = tempfile::tempdir().unwrap();
    let (_, data, words) = init(directory.path(), false).await;
    let file = directory.path().join("secrets/campus-webhook");
    assert_eq!(permissions(&file), 0o600);
    assert_eq!(permissions(file.parent().unwrap()), 0o700);
    let secret = fs::read_to_string(&file).unwrap();
    assert!(!format!("{data}{words}").contains(secret.trim()));
}

#[tokio::test]
async fn two_secrets_are_never_the_same() {
    let (one, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    for directory in [&one, &other] {
        init(directory.path(), false).await.0.unwrap();
    }
    let read = |directory: &tempfile::TempDir| fs::read(directory.path().join("secrets/campus-webhook")).unwrap();
    assert_ne!(read(&one), read(&other));
}

#[tokio::test]
async fn it_overwrites_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let store = directory.path().join("bursar.db");
    fs::write(&store, "the ledger").unwrap();
    let error = init(directory.path(), false).await.0.unwrap_err();
    assert_eq!(error.to_string(), format!("there already: {}; nothing was written", store.display()));
    assert_eq!(fs::read_to_string(&store).unwrap(), "the ledger");
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
}

#[tokio::test]
async fn a_configuration_that_is_there_is_kept_and_what_it_names_is_made() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join(FILE_NAME);
    let text = DEFAULT_TEXT.replace("# directory = \"adapters\"", "directory = \"plugins\"");
    fs::write(&file, &text).unwrap();
    init(directory.path(), false).await.0.unwrap();
    assert_eq!(fs::read_to_string(&file).unwrap(), text);
    assert!(directory.path().join("plugins").is_dir());
    assert!(directory.path().join("bursar.db").is_file());
    assert!(!directory.path().join("secrets").exists());
    let again = init(directory.path(), false).await.0.unwrap_err();
    assert!(again.to_string().contains("bursar.db; nothing was written"), "{again}");
}

#[tokio::test]
async fn a_failure_leaves_nothing_in_the_way_of_the_next_try() {
    let directory = tempfile::tempdir().unwrap();
    // SQLite wants to make a file of this name.
    let in_the_way = directory.path().join("bursar.db-wal");
    fs::create_dir(&in_the_way).unwrap();
    init(directory.path(), false).await.0.unwrap_err();
    fs::remove_dir(&in_the_way).unwrap();
    init(directory.path(), false).await.0.unwrap();
}

#[tokio::test]
async fn programs_get_the_paths_as_json() {
    let directory = tempfile::tempdir().unwrap();
    let (_, data, _) = init(directory.path(), true).await;
    let written: serde_json::Value = serde_json::from_str(&data).unwrap();
    assert_eq!(written["config"], directory.path().join(FILE_NAME).display().to_string());
}
