//! What the operator may set for a shop, and what is meant where nothing is set.

use serde::Deserialize;

/// The schema that the host checks the settings against.
pub(crate) const SCHEMA: &str = include_str!("settings.schema.json");

/// The settings of one shop, with the schema's defaults.
#[derive(Debug, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub(crate) struct Settings {
    pub(crate) learner_email_metadata: Vec<String>,
    pub(crate) learner_username_metadata: Vec<String>,
    pub(crate) course_metadata: Vec<String>,
    pub(crate) mode_metadata: Vec<String>,
    pub(crate) wait_for_confirmation: bool,
    pub(crate) test_channels: Vec<String>,
}

impl Default for Settings {
    fn default() -> Self {
        let one = |text: &str| vec![text.to_owned()];
        Self {
            learner_email_metadata: one("learner_email"),
            learner_username_metadata: Vec::new(),
            course_metadata: one("openedx.course_id"),
            mode_metadata: one("openedx.mode"),
            wait_for_confirmation: false,
            test_channels: Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn schema_and_code_have_the_same_defaults() {
        let schema: serde_json::Value = serde_json::from_str(SCHEMA).unwrap();
        let properties = schema["properties"].as_object().unwrap();
        let defaults: serde_json::Map<_, _> =
            properties.iter().map(|(name, property)| (name.clone(), property["default"].clone())).collect();
        assert_eq!(defaults.len(), 6);
        assert!(defaults.values().all(|default| !default.is_null()));
        assert_eq!(serde_json::from_value::<Settings>(defaults.into()).unwrap(), Settings::default());
    }
}
