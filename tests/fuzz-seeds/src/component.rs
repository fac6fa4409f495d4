//! The reader of components: what it takes, it describes truly; what it refuses, it refuses in words that may be shown.

use bursar_sandbox::{Limits, inspect};
use sha2::{Digest, Sha256};

/// Longest error: a few cut names and sentences.
const WORDS_MAX: usize = 4_000;

/// Bytes are a file that somebody calls an adapter.
pub fn component(bytes: &[u8]) {
    let limits = Limits::default();
    match inspect(bytes, &limits) {
        Ok(inspection) => {
            assert_eq!(inspection.sha256, hex::encode(Sha256::digest(bytes)));
            assert_eq!(inspection.size, bytes.len());
            assert!(bytes.len() <= limits.file);
            let adapter = format!("{}/adapter@{}", bursar_sandbox::PACKAGE, inspection.contract);
            assert!(inspection.exports.contains(&adapter), "{inspection:?}");
            assert!(inspection.contract.starts_with(bursar_sandbox::LINE), "{inspection:?}");
            assert!(inspection.wasi.iter().all(|import| inspection.imports.contains(import)), "{inspection:?}");
            for permission in &inspection.permissions {
                let named = format!("/{}@", permission.name());
                assert!(inspection.imports.iter().any(|import| import.contains(&named)), "{inspection:?}");
            }
            // What is left is nothing but what needs no permission.
            assert!(inspection.imports.len() >= inspection.permissions.len() + inspection.wasi.len());
            let smaller = Limits { file: bytes.len() - 1, ..limits };
            assert!(inspect(bytes, &smaller).is_err(), "a file over the limit was taken");
        }
        Err(error) => {
            let words = error.to_string();
            assert!(!words.is_empty() && words.len() <= WORDS_MAX, "{words:?}");
            assert!(!words.chars().any(|c| c.is_control() && c != '\n'), "{words:?}");
        }
    }
}
