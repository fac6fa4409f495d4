//! What the operator configured for the shop that this run serves.

use serde::de::DeserializeOwned;

use crate::host::settings as host;
use crate::{Problem, Result};

/// The shop's name, as in `/webhooks/{shop}`.
#[must_use]
pub fn shop_name() -> String {
    host::shop_name()
}

/// The shop's settings. The host has checked them against the adapter's schema and filled in the defaults.
///
/// # Errors
///
/// `settings-unexpected` with remedy `operator`, when schema and type disagree.
pub fn read<T: DeserializeOwned>() -> Result<T> {
    serde_json::from_str(&host::json())
        .map_err(|error| Problem::operator("settings-unexpected", format!("the shop's settings: {error}")))
}
