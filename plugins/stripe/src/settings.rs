//! What the operator may set for a shop, and what is meant where nothing is set.

use serde::Deserialize;

use crate::api::Stripe;

/// The schema that the host checks the settings against.
pub(crate) const SCHEMA: &str = include_str!("settings.schema.json");

/// The settings of one shop, with the schema's defaults.
#[derive(Debug, Deserialize)]
#[serde(default)]
pub(crate) struct Settings {
    /// The connected account that is this shop; empty for the endpoint's own.
    pub(crate) account: String,
    /// Keys of custom fields and metadata that hold the learner's address.
    pub(crate) learner_email_metadata: Vec<String>,
    /// Keys of metadata that hold a product's sku.
    pub(crate) sku_metadata: Vec<String>,
    /// Keys of metadata that name a course run.
    pub(crate) course_metadata: Vec<String>,
    /// Keys of metadata that name its mode.
    pub(crate) mode_metadata: Vec<String>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            account: String::new(),
            learner_email_metadata: vec!["learner_email".to_owned(), "learneremail".to_owned()],
            sku_metadata: vec!["sku".to_owned()],
            course_metadata: Vec::new(),
            mode_metadata: Vec::new(),
        }
    }
}

impl Settings {
    /// The API of this shop's account. Not every shop grants it: [`bursar_adapter::shop_api::if_granted`].
    pub(crate) fn stripe(&self) -> Stripe<'_> {
        Stripe::of(&self.account)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn schema_and_code_have_the_same_defaults() {
        let schema: serde_json::Value = serde_json::from_str(SCHEMA).unwrap();
        let properties = schema["properties"].as_object().unwrap();
        let default = |name: &str| properties[name]["default"].clone();
        let settings = Settings::default();
        assert_eq!(default("account"), settings.account);
        for (name, keys) in [
            ("learner_email_metadata", settings.learner_email_metadata),
            ("sku_metadata", settings.sku_metadata),
            ("course_metadata", settings.course_metadata),
            ("mode_metadata", settings.mode_metadata),
        ] {
            assert_eq!(default(name), serde_json::json!(keys), "{name}");
        }
        assert_eq!(properties.len(), 5);
    }
}
