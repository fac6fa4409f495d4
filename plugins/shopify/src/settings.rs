//! What the operator may set for a shop, and what is meant where nothing is set.

use serde::Deserialize;

/// The schema that the host checks the settings against.
pub(crate) const SCHEMA: &str = include_str!("settings.schema.json");

/// The settings of one shop, with the schema's defaults.
#[derive(Debug, Deserialize)]
#[serde(default)]
pub(crate) struct Settings {
    shop_domain: String,
    pub(crate) learner_email_properties: Vec<String>,
}

impl Settings {
    /// Is this the shop's own domain? People paste addresses, so a scheme before it and a slash behind it do no harm.
    pub(crate) fn is_own(&self, domain: &str) -> bool {
        let own = self.shop_domain.trim();
        let own = own.strip_prefix("https://").unwrap_or(own).trim_end_matches('/');
        !own.is_empty() && own.eq_ignore_ascii_case(domain.trim())
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            shop_domain: String::new(),
            learner_email_properties: ["learner_email", "_learner_email"].map(str::to_owned).to_vec(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn schema_and_code_have_the_same_defaults() {
        let schema: serde_json::Value = serde_json::from_str(SCHEMA).unwrap();
        let stated: Vec<String> =
            serde_json::from_value(schema["properties"]["learner_email_properties"]["default"].clone()).unwrap();
        assert_eq!(stated, Settings::default().learner_email_properties);
        assert_eq!(schema["required"], serde_json::json!(["shop_domain"]));
        assert_eq!(schema["properties"].as_object().unwrap().len(), 2);
    }

    #[test]
    fn a_shop_is_known_by_its_domain_however_the_operator_wrote_it() {
        for written in ["campus.myshopify.com", "https://campus.myshopify.com/", " Campus.MyShopify.com "] {
            let settings = Settings { shop_domain: written.to_owned(), ..Settings::default() };
            assert!(settings.is_own("campus.myshopify.com"), "{written}");
            for other in ["", "campus", "campus.myshopify.com.example.org", "x.campus.myshopify.com"] {
                assert!(!settings.is_own(other), "{written}: {other}");
            }
        }
    }

    #[test]
    fn without_a_domain_no_shop_is_its_own() {
        assert!(!Settings::default().is_own(""));
    }
}
