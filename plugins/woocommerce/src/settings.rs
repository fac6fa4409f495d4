//! What the operator may set for a shop, and what is meant where nothing is set.

use serde::Deserialize;

/// The schema that the host checks the settings against.
pub(crate) const SCHEMA: &str = include_str!("settings.schema.json");

/// The settings of one shop, with the schema's defaults.
#[derive(Debug, Deserialize)]
#[serde(default)]
pub(crate) struct Settings {
    pub(crate) learner_email_meta: Vec<String>,
    pub(crate) learner_username_meta: Vec<String>,
    pub(crate) paid_statuses: Vec<String>,
    pub(crate) test_payment_methods: Vec<String>,
    pub(crate) course_run_meta: Vec<String>,
    pub(crate) course_mode_meta: Vec<String>,
    pub(crate) course_run_in_sku: bool,
}

impl Settings {
    /// Do they want something that only the shop's REST API tells of a product?
    pub(crate) fn asks_for_products(&self) -> bool {
        !self.course_run_meta.is_empty() || !self.course_mode_meta.is_empty()
    }
}

impl Default for Settings {
    fn default() -> Self {
        let texts = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
        Self {
            learner_email_meta: texts(&["learner_email", "_learner_email"]),
            learner_username_meta: Vec::new(),
            paid_statuses: texts(&["processing", "completed"]),
            test_payment_methods: Vec::new(),
            course_run_meta: Vec::new(),
            course_mode_meta: Vec::new(),
            course_run_in_sku: false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn schema_and_code_have_the_same_defaults() {
        let schema: serde_json::Value = serde_json::from_str(SCHEMA).unwrap();
        let defaults = Settings::default();
        let stated = |name: &str| -> Vec<String> {
            serde_json::from_value(schema["properties"][name]["default"].clone()).unwrap()
        };
        assert_eq!(stated("learner_email_meta"), defaults.learner_email_meta);
        assert_eq!(stated("learner_username_meta"), defaults.learner_username_meta);
        assert_eq!(stated("paid_statuses"), defaults.paid_statuses);
        assert_eq!(stated("test_payment_methods"), defaults.test_payment_methods);
        assert_eq!(stated("course_run_meta"), defaults.course_run_meta);
        assert_eq!(stated("course_mode_meta"), defaults.course_mode_meta);
        assert_eq!(schema["properties"]["course_run_in_sku"]["default"], defaults.course_run_in_sku);
        assert_eq!(schema["properties"].as_object().unwrap().len(), 7);
    }
}
