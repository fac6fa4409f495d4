//! What the operator may set for a shop, and what is meant where nothing is set.

use serde::Deserialize;

/// The schema that the host checks the settings against.
pub(crate) const SCHEMA: &str = include_str!("settings.schema.json");

/// The settings of one shop, with the schema's defaults.
#[derive(Debug, Deserialize)]
#[serde(default)]
pub(crate) struct Settings {
    /// The slug that a request must name; empty for any.
    pub(crate) system_slug: String,
    pub(crate) presale: Presale,
    pub(crate) sku_is_course_run: bool,
    /// Empty where learners are known by their address.
    pub(crate) sso_provider: String,
    pub(crate) sso_id: SsoId,
    /// Beginnings of reference numbers.
    pub(crate) test_orders: Vec<String>,
}

/// What a basket gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Presale {
    None,
    Audit,
    Honor,
}

impl Presale {
    /// The mode, if it gives one. Only modes that cost nothing can be named.
    pub(crate) fn mode(self) -> Option<&'static str> {
        match self {
            Self::None => None,
            Self::Audit => Some("audit"),
            Self::Honor => Some("honor"),
        }
    }
}

/// Where the id at the login provider stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum SsoId {
    GlobalId,
    Username,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            system_slug: String::new(),
            presale: Presale::None,
            sku_is_course_run: true,
            sso_provider: String::new(),
            sso_id: SsoId::GlobalId,
            test_orders: Vec::new(),
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
        let stated: serde_json::Map<_, _> =
            properties.iter().map(|(name, property)| (name.clone(), property["default"].clone())).collect();
        let stated: Settings = serde_json::from_value(stated.into()).unwrap();
        assert_eq!(format!("{stated:?}"), format!("{:?}", Settings::default()));
        assert_eq!(properties.len(), 6);
    }

    #[test]
    fn a_basket_can_give_what_the_schema_names_and_nothing_else() {
        let schema: serde_json::Value = serde_json::from_str(SCHEMA).unwrap();
        for name in schema["properties"]["presale"]["enum"].as_array().unwrap() {
            let presale: Presale = serde_json::from_value(name.clone()).unwrap();
            assert_eq!(presale.mode().unwrap_or("none"), name);
        }
        assert!(serde_json::from_value::<Presale>("verified".into()).is_err());
    }
}
