//! The published schema and the reader say the same: each field by name, and every example as a whole.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use serde::Deserialize;
use serde::de::value::Error;
use serde::de::{Deserializer, Error as _, Visitor};
use serde::forward_to_deserialize_any;
use serde_json::Value;

use super::PROJECT;
use crate::body::{Course, Glance, Line, Message, Order};

/// Fewer bodies than this, and some were lost.
const EXAMPLES: usize = 30;

/// The same of those that are rejected.
const REJECTED: usize = 25;

fn schema() -> Value {
    let path = Path::new(PROJECT).join("docs/shops/standard-webhooks.schema.json");
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

/// Is told by a type which fields it reads, and gives it none.
struct Fields<'l>(&'l mut BTreeSet<&'static str>);

impl<'de> Deserializer<'de> for Fields<'_> {
    type Error = Error;

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        _: V,
    ) -> Result<V::Value, Error> {
        self.0.extend(fields);
        Err(Error::custom("only the names were wanted"))
    }

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Error> {
        Err(Error::custom("not a struct"))
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple tuple_struct map enum identifier ignored_any
    }
}

fn read_by<'de, T: Deserialize<'de>>() -> BTreeSet<&'static str> {
    let mut fields = BTreeSet::new();
    assert!(T::deserialize(Fields(&mut fields)).is_err());
    assert!(!fields.is_empty());
    fields
}

fn properties(part: &Value) -> BTreeSet<&str> {
    part["properties"].as_object().unwrap().keys().map(String::as_str).collect()
}

#[test]
fn every_field_of_the_schema_is_read_and_every_field_that_is_read_is_in_the_schema() {
    let schema = schema();
    let parts = &schema["$defs"];
    let envelope: BTreeSet<&str> = read_by::<Glance<'_>>().union(&read_by::<Message<'_>>()).copied().collect();
    assert_eq!(properties(&schema), envelope);
    assert_eq!(properties(&parts["order"]), read_by::<Order<'_>>());
    assert_eq!(properties(&parts["line"]), read_by::<Line<'_>>());
    assert_eq!(properties(&parts["course"]), read_by::<Course<'_>>());
    for part in [&parts["refund"], &parts["deletion"]] {
        assert!(properties(part).is_subset(&read_by::<Order<'_>>()));
    }
    assert!(properties(&parts["refund"]["properties"]["lines"]["items"]).is_subset(&read_by::<Line<'_>>()));
}

/// Does the value fit? As much of JSON Schema as the schema uses, but for `pattern` and `format`, which the reader's own tests
/// stand for.
fn fits(root: &Value, schema: &Value, value: &Value) -> bool {
    let list = |rule: &'_ Value| rule.as_array().unwrap().clone();
    schema.as_object().unwrap().iter().all(|(keyword, rule)| match keyword.as_str() {
        "$schema" | "$defs" | "title" | "description" | "pattern" | "format" => true,
        "$ref" => fits(root, root.pointer(rule.as_str().unwrap().strip_prefix('#').unwrap()).unwrap(), value),
        "type" => match rule {
            Value::Array(kinds) => kinds.iter().any(|kind| is_a(kind.as_str().unwrap(), value)),
            kind => is_a(kind.as_str().unwrap(), value),
        },
        "const" => rule == value,
        "enum" => list(rule).contains(value),
        "required" => list(rule).iter().all(|name| value.get(name.as_str().unwrap()).is_some()),
        "properties" => rule.as_object().unwrap().iter().all(|(name, part)| {
            let given = value.get(name);
            given.is_none_or(|given| fits(root, part, given))
        }),
        "items" => value.as_array().is_none_or(|items| items.iter().all(|item| fits(root, rule, item))),
        "anyOf" => list(rule).iter().any(|part| fits(root, part, value)),
        "oneOf" => list(rule).iter().filter(|part| fits(root, part, value)).count() == 1,
        "minLength" => value.as_str().is_none_or(|text| text.len() >= length(rule)),
        "maxLength" => value.as_str().is_none_or(|text| text.len() <= length(rule)),
        "minimum" => value.as_i64().is_none_or(|number| number >= rule.as_i64().unwrap()),
        "maximum" => value.as_i64().is_none_or(|number| number <= rule.as_i64().unwrap()),
        other => panic!("the schema uses `{other}`, which nothing here understands"),
    })
}

fn length(rule: &Value) -> usize {
    usize::try_from(rule.as_u64().unwrap()).unwrap()
}

fn is_a(kind: &str, value: &Value) -> bool {
    match kind {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "integer" => value.is_i64() || value.is_u64(),
        "null" => value.is_null(),
        other => panic!("the schema uses the type `{other}`, which nothing here understands"),
    }
}

/// Names of fixtures, and their bodies.
type Examples = Vec<(String, Value)>;

/// The bodies of the fixtures that state an order, and of those that are rejected for what a schema can say.
fn examples() -> (Examples, Examples) {
    let (mut good, mut bad) = (Vec::new(), Vec::new());
    let folders = fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures")).unwrap();
    for folder in folders.map(|entry| entry.unwrap().path()).filter(|path| path.is_dir()) {
        let read = |name: &str| Some(serde_json::from_slice::<Value>(&fs::read(folder.join(name)).ok()?).unwrap());
        let (Some(expected), Some(body)) = (read("expected.json"), read("body.json")) else { continue };
        let name = folder.file_name().unwrap().to_string_lossy().into_owned();
        if expected["handle"]["orders"].is_array() {
            good.push((name, body));
        } else if ["field-missing", "field-unexpected", "refund-unclear", "body-unexpected"]
            .iter()
            .any(|code| expected["handle"]["problem"]["code"] == *code)
        {
            bad.push((name, body));
        }
    }
    (good, bad)
}

/// Rejected for what only `pattern` or `format` says, for what depends on another field, or for what a flag is worth.
const BEYOND: [&str; 4] = [
    "amount-with-a-comma-is-rejected",
    "moment-without-a-zone-is-rejected",
    "refunded-amount-without-a-total-is-rejected",
    "refund-that-is-none-is-rejected",
];

#[test]
fn every_example_that_states_an_order_fits_the_schema() {
    let schema = schema();
    let (good, _) = examples();
    assert!(good.len() >= EXAMPLES, "only {} examples are left", good.len());
    for (name, body) in good {
        assert!(fits(&schema, &schema, &body), "{name}");
    }
}

#[test]
fn examples_that_are_rejected_do_not_fit_the_schema() {
    let schema = schema();
    let (_, bad) = examples();
    assert!(bad.len() >= REJECTED, "only {} examples are left", bad.len());
    for (name, body) in bad {
        assert_eq!(fits(&schema, &schema, &body), BEYOND.contains(&name.as_str()), "{name}");
    }
}
