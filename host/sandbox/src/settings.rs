//! An adapter's settings: the small part of JSON Schema that it may use, and the check of what an operator gave.
//!
//! Owns that part and its words. The part is small so that every problem can be said with a path and a sentence.

use serde_json::{Map, Value};

use crate::{limits, text};

/// Words of JSON Schema that say something to people only; they are allowed everywhere.
const ANNOTATIONS: [&str; 4] = ["title", "description", "examples", "$comment"];

/// The settings that an adapter takes: a JSON object with named members.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SettingsSchema {
    text: String,
    properties: Vec<Property>,
}

/// One setting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Property {
    /// Its name.
    pub name: String,
    /// What it holds.
    pub kind: Kind,
    /// Must it be given?
    pub required: bool,
    /// What it is where it is not given.
    pub default: Option<Value>,
    /// What it is for; empty where the adapter does not say.
    pub description: String,
}

/// What a setting holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// Text; one of the choices where there are any.
    Text {
        /// What it may be; empty: anything.
        choices: Vec<String>,
    },
    /// Yes or no.
    Boolean,
    /// A whole number.
    Integer {
        /// At least.
        minimum: Option<i64>,
        /// At most.
        maximum: Option<i64>,
    },
    /// A list of texts, each one of the choices where there are any.
    Texts {
        /// What each may be; empty: anything.
        choices: Vec<String>,
    },
}

/// A setting that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{path}: {message}")]
pub struct SettingsProblem {
    /// Where: `statuses[2]`; `settings` for all of them.
    pub path: String,
    /// What is wrong, without the value, which may be private.
    pub message: String,
}

impl SettingsSchema {
    /// The schema of an adapter without settings.
    #[must_use]
    pub fn none() -> Self {
        Self {
            text: r#"{"type":"object","properties":{},"additionalProperties":false}"#.to_owned(),
            properties: Vec::new(),
        }
    }

    /// Reads a schema. Understood are `type: object` with `properties` of the types `string`, `boolean`, `integer` and
    /// `array` of strings, `enum`, `minimum`, `maximum`, `default`, `required` and `additionalProperties: false`.
    ///
    /// # Errors
    /// A sentence about the first thing that is not understood: where it stands, as a JSON Pointer, and the word.
    pub fn parse(schema: &str) -> Result<Self, String> {
        if schema.len() > limits::SCHEMA {
            return Err(format!("it has more than {} bytes", limits::SCHEMA));
        }
        let value: Value = serde_json::from_str(schema).map_err(|error| format!("it is not JSON: {error}"))?;
        let root = value.as_object().ok_or("it is not an object")?;
        only(root, &["$schema", "type", "properties", "required", "additionalProperties"], "")?;
        if root.get("type").and_then(Value::as_str) != Some("object") {
            return Err(at("/type", "`type` is not \"object\""));
        }
        if root.get("additionalProperties").is_some_and(|value| value != &Value::Bool(false)) {
            return Err(at("/additionalProperties", "`additionalProperties` may only be false"));
        }
        let empty = Map::new();
        let members = match root.get("properties") {
            Some(value) => value.as_object().ok_or_else(|| at("/properties", "`properties` is not an object"))?,
            None => &empty,
        };
        let required = match root.get("required") {
            Some(value) => texts(value).ok_or_else(|| at("/required", "`required` is not a list of names"))?,
            None => Vec::new(),
        };
        if let Some(missing) = required.iter().find(|name| !members.contains_key(*name)) {
            return Err(at("/required", &format!("`required` names {}, which is no property", shown(missing))));
        }
        let properties = members
            .iter()
            .map(|(name, schema)| Property::parse(name, schema, required.contains(name)))
            .collect::<Result<_, _>>()?;
        Ok(Self { text: schema.to_owned(), properties })
    }

    /// The schema as the adapter gave it.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The settings, sorted by name.
    #[must_use]
    pub fn properties(&self) -> &[Property] {
        &self.properties
    }
}

/// Checks what an operator gave and returns it as JSON text, defaults filled in.
///
/// # Errors
/// The first setting that is wrong, and why.
pub fn check_settings(schema: &SettingsSchema, value: &Value) -> Result<String, SettingsProblem> {
    let problem = |path: &str, message: String| SettingsProblem { path: path.to_owned(), message };
    let given = value.as_object().ok_or_else(|| problem("settings", "must be a table".to_owned()))?;
    if let Some(unknown) = given.keys().find(|name| !schema.properties.iter().any(|known| &known.name == *name)) {
        return Err(problem(&shown(unknown), format!("is not a setting of this adapter; {}", known_names(schema))));
    }
    let mut filled = Map::new();
    for property in &schema.properties {
        match (given.get(&property.name), &property.default) {
            (Some(value), _) => {
                property
                    .kind
                    .check(value)
                    .map_err(|(place, message)| problem(&format!("{}{place}", property.name), message))?;
                filled.insert(property.name.clone(), value.clone());
            }
            (None, Some(default)) => {
                filled.insert(property.name.clone(), default.clone());
            }
            (None, None) if property.required => return Err(problem(&property.name, "is required".to_owned())),
            (None, None) => {}
        }
    }
    Ok(Value::Object(filled).to_string())
}

fn known_names(schema: &SettingsSchema) -> String {
    if schema.properties.is_empty() {
        return "it has none".to_owned();
    }
    let names: Vec<_> = schema.properties.iter().map(|property| property.name.as_str()).collect();
    format!("it has {}", names.join(", "))
}

impl Property {
    fn parse(name: &str, schema: &Value, required: bool) -> Result<Self, String> {
        let shown_name = shown(name);
        let soundly_named = !name.is_empty()
            && name.len() <= limits::CODE
            && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-'));
        if !soundly_named {
            let message = format!("the name {shown_name:?} is not letters, digits, `_` and `-`");
            return Err(at("/properties", &message));
        }
        let place = format!("/properties/{name}");
        let schema = schema.as_object().ok_or_else(|| at(&place, "it is not an object"))?;
        let kind = Kind::parse(&place, schema)?;
        let default = schema.get("default").cloned();
        if let Some(default) = &default {
            kind.check(default)
                .map_err(|(_, message)| at(&format!("{place}/default"), &format!("the default {message}")))?;
        }
        let description = schema.get("description").and_then(Value::as_str).unwrap_or_default();
        Ok(Self {
            name: name.to_owned(),
            kind,
            required,
            default,
            description: text::words(description, limits::WORDS),
        })
    }
}

impl Kind {
    fn parse(place: &str, schema: &Map<String, Value>) -> Result<Self, String> {
        let choices = |schema: &Map<String, Value>, place: &str| match schema.get("enum") {
            None => Ok(Vec::new()),
            Some(value) => texts(value)
                .filter(|choices| !choices.is_empty())
                .ok_or_else(|| at(&format!("{place}/enum"), "`enum` is not a list of texts")),
        };
        let bound = |word: &str| match schema.get(word) {
            None => Ok(None),
            Some(value) => value
                .as_i64()
                .map(Some)
                .ok_or_else(|| at(&format!("{place}/{word}"), &format!("`{word}` is not a whole number"))),
        };
        match schema.get("type").and_then(Value::as_str) {
            Some("string") => {
                only(schema, &["type", "enum", "default"], place)?;
                Ok(Self::Text { choices: choices(schema, place)? })
            }
            Some("boolean") => {
                only(schema, &["type", "default"], place)?;
                Ok(Self::Boolean)
            }
            Some("integer") => {
                only(schema, &["type", "minimum", "maximum", "default"], place)?;
                Ok(Self::Integer { minimum: bound("minimum")?, maximum: bound("maximum")? })
            }
            Some("array") => {
                only(schema, &["type", "items", "default"], place)?;
                let inner = format!("{place}/items");
                let items = schema
                    .get("items")
                    .and_then(Value::as_object)
                    .ok_or_else(|| at(&inner, "`items` is missing or not an object"))?;
                only(items, &["type", "enum"], &inner)?;
                if items.get("type").and_then(Value::as_str) != Some("string") {
                    return Err(at(&format!("{inner}/type"), "`type` is not \"string\""));
                }
                Ok(Self::Texts { choices: choices(items, &inner)? })
            }
            _ => Err(at(&format!("{place}/type"), "`type` is none of \"string\", \"boolean\", \"integer\", \"array\"")),
        }
    }

    /// Where in the value (`[2]`, or nothing) and what is wrong.
    fn check(&self, value: &Value) -> Result<(), (String, String)> {
        let wrong = |message: &str| Err((String::new(), message.to_owned()));
        match self {
            Self::Text { choices } => check_text(value, choices).map_err(|message| (String::new(), message)),
            Self::Boolean if value.is_boolean() => Ok(()),
            Self::Boolean => wrong("must be true or false"),
            Self::Integer { minimum, maximum } => {
                let Some(number) = value.as_i64() else { return wrong("must be a whole number") };
                match (minimum, maximum) {
                    (Some(minimum), _) if number < *minimum => wrong(&format!("must be at least {minimum}")),
                    (_, Some(maximum)) if number > *maximum => wrong(&format!("must be at most {maximum}")),
                    _ => Ok(()),
                }
            }
            Self::Texts { choices } => {
                let Some(items) = value.as_array() else { return wrong("must be a list of texts") };
                for (index, item) in items.iter().enumerate() {
                    check_text(item, choices).map_err(|message| (format!("[{index}]"), message))?;
                }
                Ok(())
            }
        }
    }
}

fn check_text(value: &Value, choices: &[String]) -> Result<(), String> {
    let Some(text) = value.as_str() else { return Err("must be text".to_owned()) };
    if choices.is_empty() || choices.iter().any(|choice| choice == text) {
        return Ok(());
    }
    Err(format!("must be one of {}", choices.join(", ")))
}

fn only(schema: &Map<String, Value>, words: &[&str], place: &str) -> Result<(), String> {
    match schema.keys().find(|word| !words.contains(&word.as_str()) && !ANNOTATIONS.contains(&word.as_str())) {
        Some(word) => {
            let pointer = format!("{place}/{}", shown(word).replace('~', "~0").replace('/', "~1"));
            Err(at(&pointer, &format!("the keyword `{}` is not understood", shown(word))))
        }
        None => Ok(()),
    }
}

/// A sentence and its place in the schema, as a JSON Pointer (RFC 6901).
fn at(pointer: &str, message: &str) -> String {
    format!("at {pointer}: {message}")
}

fn texts(value: &Value) -> Option<Vec<String>> {
    value.as_array()?.iter().map(|item| item.as_str().map(str::to_owned)).collect()
}

fn shown(name: &str) -> String {
    text::words(name, limits::CODE)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn schema() -> SettingsSchema {
        SettingsSchema::parse(
            &json!({
                "type": "object",
                "properties": {
                    "meta-key": {"type": "string", "description": "where the course is"},
                    "paid": {"type": "array", "items": {"type": "string", "enum": ["processing", "completed"]},
                             "default": ["processing"]},
                    "days": {"type": "integer", "minimum": 1, "maximum": 9, "default": 3},
                    "strict": {"type": "boolean", "default": false},
                },
                "required": ["meta-key"],
                "additionalProperties": false,
            })
            .to_string(),
        )
        .unwrap()
    }

    #[test]
    fn defaults_are_filled_in() {
        let filled = check_settings(&schema(), &json!({"meta-key": "k", "days": 9})).unwrap();
        let filled: Value = serde_json::from_str(&filled).unwrap();
        assert_eq!(filled, json!({"meta-key": "k", "days": 9, "paid": ["processing"], "strict": false}));
    }

    #[test]
    fn every_problem_names_its_place() {
        for (given, path) in [
            (json!([]), "settings"),
            (json!({}), "meta-key"),
            (json!({"meta-key": 1}), "meta-key"),
            (json!({"meta-key": "k", "days": 0}), "days"),
            (json!({"meta-key": "k", "days": 1.5}), "days"),
            (json!({"meta-key": "k", "paid": ["completed", "open"]}), "paid[1]"),
            (json!({"meta-key": "k", "strict": "yes"}), "strict"),
            (json!({"meta-key": "k", "unknown": 1}), "unknown"),
        ] {
            assert_eq!(check_settings(&schema(), &given).unwrap_err().path, path, "{given}");
        }
    }

    #[test]
    fn an_adapter_without_settings_takes_none() {
        assert_eq!(check_settings(&SettingsSchema::none(), &json!({})).unwrap(), "{}");
        let problem = check_settings(&SettingsSchema::none(), &json!({"a": 1})).unwrap_err();
        assert_eq!(problem.to_string(), "a: is not a setting of this adapter; it has none");
        assert_eq!(SettingsSchema::parse(SettingsSchema::none().text()).unwrap(), SettingsSchema::none());
    }

    #[test]
    fn a_schema_that_is_not_understood_is_refused_with_the_place_and_the_word() {
        for (schema, expected) in [
            (json!([]), "it is not an object"),
            (json!({"type": "array"}), "at /type: `type` is not \"object\""),
            (
                json!({"type": "object", "additionalProperties": true}),
                "at /additionalProperties: `additionalProperties` may only be false",
            ),
            (
                json!({"type": "object", "patternProperties": {}}),
                "at /patternProperties: the keyword `patternProperties` is not understood",
            ),
            (json!({"type": "object", "a/b": {}}), "at /a~1b: the keyword `a/b` is not understood"),
            (
                json!({"type": "object", "properties": {"a": {"type": "number"}}}),
                "at /properties/a/type: `type` is none of \"string\", \"boolean\", \"integer\", \"array\"",
            ),
            (
                json!({"type": "object", "properties": {"a": {"type": "string", "pattern": ".*"}}}),
                "at /properties/a/pattern: the keyword `pattern` is not understood",
            ),
            (
                json!({"type": "object", "properties": {"a": {"type": "integer", "default": "x"}}}),
                "at /properties/a/default: the default must be a whole number",
            ),
            (
                json!({"type": "object", "properties": {"a b": {"type": "string"}}}),
                "at /properties: the name \"a b\" is not letters, digits, `_` and `-`",
            ),
            (
                json!({"type": "object", "properties": {"a": {"type": "array", "items": {"type": "integer"}}}}),
                "at /properties/a/items/type: `type` is not \"string\"",
            ),
            (json!({"type": "object", "required": ["a"]}), "at /required: `required` names a, which is no property"),
        ] {
            assert_eq!(SettingsSchema::parse(&schema.to_string()).unwrap_err(), expected);
        }
        assert!(SettingsSchema::parse("{").unwrap_err().starts_with("it is not JSON"));
    }
}
