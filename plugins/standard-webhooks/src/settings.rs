//! What the operator may set for a shop, and what is meant where nothing is set.

use serde::Deserialize;

/// The schema that the host checks the settings against.
pub(crate) const SCHEMA: &str = include_str!("settings.schema.json");

/// The settings of one shop, with the schema's defaults.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Settings {
    /// Are course runs that a line names used where the catalog does not know the product?
    pub(crate) courses_in_orders: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn schema_and_code_have_the_same_defaults() {
        let schema: serde_json::Value = serde_json::from_str(SCHEMA).unwrap();
        let properties = schema["properties"].as_object().unwrap();
        assert_eq!(properties["courses_in_orders"]["default"], Settings::default().courses_in_orders);
        assert_eq!(properties.len(), 1);
    }
}
