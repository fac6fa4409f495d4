//! Lines for the log of this run. Never log a secret or personal data.

use crate::host::logging::{self, Level};

/// For the adapter's author.
pub fn debug(message: &str) {
    logging::log(Level::Debug, message);
}

/// For whoever reads along.
pub fn info(message: &str) {
    logging::log(Level::Info, message);
}

/// Something odd that was coped with.
pub fn warning(message: &str) {
    logging::log(Level::Warning, message);
}

/// Something that went wrong.
pub fn error(message: &str) {
    logging::log(Level::Error, message);
}
