//! The format of fixtures: what is read is what is written again, and a fault names its file and what to do.

use std::{collections::BTreeMap, fs, path::PathBuf, sync::Arc};

use bursar_domain::ShopName;
use bursar_fixtures::{folders, probe};
use bursar_sandbox::{FixedKeySets, ShopContext};
use tempfile::TempDir;

use crate::parts::Parts;

/// The files of a case, in the order of the parts.
const FILES: [&str; 6] = [
    "case/request.json",
    "case/expected.json",
    "case/ledger.json",
    "case/shop-api.json",
    "case/shop.json",
    "shop.json",
];

thread_local! {
    /// In memory where the machine has such a folder.
    static PLACE: TempDir = tempfile::tempdir_in(if fs::exists("/dev/shm").unwrap() { PathBuf::from("/dev/shm") } else { std::env::temp_dir() }).unwrap();
}

/// Bytes are the files of a case, and its body last. An empty file is none.
pub fn fixtures(bytes: &[u8]) {
    PLACE.with(|place| {
        let fixtures = place.path().join("fixtures");
        fs::create_dir_all(fixtures.join("case")).unwrap();
        let mut parts = Parts::of(bytes);
        for file in FILES {
            match parts.next() {
                [] => drop(fs::remove_file(fixtures.join(file))),
                text => fs::write(fixtures.join(file), text).unwrap(),
            }
        }
        let body = parts.rest();
        fs::write(fixtures.join("case/body.json"), body).unwrap();

        let [case] = folders(place.path()).unwrap().try_into().unwrap();
        let read = probe::read(&case, &shop());
        match &read {
            Ok((request, expected)) => {
                assert_eq!(request.body, body);
                assert!(!request.method.is_empty() && request.method.bytes().all(|byte| byte.is_ascii_uppercase()));
                assert!(request.path.is_empty() || request.path.starts_with('/'));
                assert!(request.headers.iter().all(|(name, _)| !name.is_empty() && *name == name.to_ascii_lowercase()));
                if let Some(expected) = expected {
                    assert_eq!(probe::difference(expected, expected).unwrap(), None);
                    fs::write(case.expected_file(), probe::written(expected).unwrap()).unwrap();
                    assert_eq!(case.expected().unwrap().as_ref(), Some(expected), "what is written reads otherwise");
                }
            }
            Err(fault) => {
                assert!(fault.file.starts_with(&fixtures), "{fault}");
                assert!(!fault.problem.trim().is_empty() && !fault.hint.trim().is_empty(), "{fault}");
                assert!(!format!("{fault}").contains(SECRET), "{fault}");
            }
        }
    });
}

const SECRET: &str = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

fn shop() -> ShopContext {
    ShopContext {
        name: ShopName::parse("campus").unwrap(),
        secrets: BTreeMap::from([("webhook".to_owned(), vec![SECRET.into()])]),
        key_sets: Arc::new(FixedKeySets::default()),
        settings_json: "{}".to_owned(),
        unsigned: false,
        permissions: Default::default(),
    }
}
