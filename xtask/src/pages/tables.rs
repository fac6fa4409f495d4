//! What an adapter says of itself, as tables in Markdown.
//!
//! Texts of adapters are taken as Markdown, so that they may have `code` in them; whatever would end a cell is escaped.

use serde_json::Value;

/// What is written where a table would have no row.
const NONE: &str = "None.\n";

/// One of the tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Table {
    /// What stands under `[shops.settings]`.
    Settings,
    /// What proves that a request is the shop's: secrets, and sets of public keys.
    Secrets,
    /// What the shop may tell.
    Topics,
    /// Permissions, and texts to paste into the shop.
    Needs,
}

impl Table {
    /// All of them.
    pub(super) const ALL: [Self; 4] = [Self::Settings, Self::Secrets, Self::Topics, Self::Needs];

    /// As it is called in a marker.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Settings => "settings",
            Self::Secrets => "secrets",
            Self::Topics => "topics",
            Self::Needs => "needs",
        }
    }

    /// The one of this name.
    pub(super) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|table| table.name() == name)
    }

    /// Has the adapter nothing to say here?
    pub(super) fn is_empty(self, description: &Value) -> bool {
        self.rows(description).is_empty()
    }

    /// The table, by what `bursar --json adapter inspect` prints. Ends with a line's end.
    pub(super) fn written(self, description: &Value) -> String {
        let rows = self.rows(description);
        if rows.is_empty() {
            return NONE.to_owned();
        }
        let head = match self {
            Self::Settings => ["setting", "without it", "meaning"].as_slice(),
            Self::Secrets => &["key of the shop", "needed", "what it is"],
            Self::Topics => &["topic", "means"],
            Self::Needs => &["what", "needed", "what for"],
        };
        let rule = vec!["---"; head.len()].join("|");
        let mut text = format!("| {} |\n|{rule}|\n", head.join(" | "));
        for row in rows {
            let cells: Vec<String> = row.iter().map(|text| cell(text)).collect();
            text.push_str(&format!("| {} |\n", cells.join(" | ")));
        }
        text
    }

    fn rows(self, description: &Value) -> Vec<Vec<String>> {
        match self {
            Self::Settings => settings(description),
            Self::Secrets => secrets(description),
            Self::Topics => {
                named(description, "topics").map(|(name, purpose)| vec![code(name), purpose.to_owned()]).collect()
            }
            Self::Needs => needs(description),
        }
    }
}

fn settings(description: &Value) -> Vec<Vec<String>> {
    let schema = description.get("settings").unwrap_or(&Value::Null);
    let required = list(schema, "required");
    let properties = schema.get("properties").and_then(Value::as_object).into_iter().flatten();
    let row = |(name, property): (&String, &Value)| {
        let without = match property.get("default") {
            Some(default) => code(&toml(default)),
            None if required.iter().any(|required| required.as_str() == Some(name)) => "required".to_owned(),
            None => "not set".to_owned(),
        };
        let meaning = text(property, "description").to_owned();
        vec![code(name), without, [meaning, choice(property)].join(" ").trim().to_owned()]
    };
    properties.map(row).collect()
}

/// The values that there are, where not just any will do.
fn choice(property: &Value) -> String {
    let of_items = property.get("items").unwrap_or(&Value::Null);
    let (before, values) = match (list(property, "enum"), list(of_items, "enum")) {
        ([], []) => return String::new(),
        ([], of_items) => ("Any of", of_items),
        (values, _) => ("One of", values),
    };
    let values: Vec<String> = values.iter().map(|value| code(&toml(value))).collect();
    format!("{before} {}.", values.join(", "))
}

fn secrets(description: &Value) -> Vec<Vec<String>> {
    let rows = |list: &'static str, key: &'static str, needed: &'static str| {
        let row = move |(name, purpose): (&str, &str)| {
            vec![code(&format!("{key}.{name}")), needed.to_owned(), purpose.to_owned()]
        };
        named(description, list).map(row)
    };
    let needed = rows("secrets", "secrets", "yes");
    needed
        .chain(rows("optional_secrets", "secrets", "by some shops"))
        .chain(rows("key_sets", "key_sets", "by some shops"))
        .collect()
}

fn needs(description: &Value) -> Vec<Vec<String>> {
    let granted = |name: &str| code(&format!("permissions = [\"{name}\"]"));
    let optional: Vec<(&str, &str)> = named(description, "optional_permissions").collect();
    let mut rows = Vec::new();
    for permission in list(description, "permissions").iter().filter_map(Value::as_str) {
        // What an adapter imports it says itself; what for, only where it can do without.
        match optional.iter().find(|(name, _)| *name == permission) {
            Some((_, purpose)) => rows.push(vec![granted(permission), "no".to_owned(), (*purpose).to_owned()]),
            None => rows.push(vec![granted(permission), "yes".to_owned(), allows(permission).to_owned()]),
        }
    }
    let platform = text(description, "platform");
    for (name, purpose) in named(description, "documents") {
        let printed = code(&format!("bursar adapter inspect adapters/{platform}.wasm --document {name}"));
        rows.push(vec![printed, "yes, pasted into the shop".to_owned(), purpose.to_owned()]);
    }
    rows
}

/// What a permission allows, where the adapter need not say what it is for.
fn allows(permission: &str) -> &'static str {
    match permission {
        "shop" => "to call the shop's own API, of which `[shops.api]` says where it is and as whom it is called",
        "lms-read" => "to read accounts and enrollments of the shop's LMS",
        "lms-write" => "to have accounts and enrollments of the shop's LMS changed beside the ledger",
        _ => "",
    }
}

/// Names with their purposes.
fn named<'d>(description: &'d Value, key: &str) -> impl Iterator<Item = (&'d str, &'d str)> {
    list(description, key).iter().map(|item| (text(item, "name"), text(item, "purpose")))
}

fn list<'d>(value: &'d Value, key: &str) -> &'d [Value] {
    value.get(key).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}

fn text<'d>(value: &'d Value, key: &str) -> &'d str {
    value.get(key).and_then(Value::as_str).unwrap_or_default()
}

/// A value as the configuration has it.
fn toml(value: &Value) -> String {
    match value {
        Value::Array(items) => format!("[{}]", items.iter().map(toml).collect::<Vec<_>>().join(", ")),
        Value::Object(fields) => {
            let fields: Vec<String> = fields.iter().map(|(name, value)| format!("{name} = {}", toml(value))).collect();
            if fields.is_empty() { "{}".to_owned() } else { format!("{{ {} }}", fields.join(", ")) }
        }
        // Texts of JSON are texts of TOML, but for signs that no default has.
        other => other.to_string(),
    }
}

fn code(text: &str) -> String {
    format!("`{text}`")
}

/// A text as it may stand in a cell: in one line, and without what ends the cell.
fn cell(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ").replace('|', "\\|")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn description() -> Value {
        json!({
            "platform": "acme",
            "topics": [{"name": "order.paid", "purpose": "the money is there"}],
            "secrets": [{"name": "webhook", "purpose": "the text under the webhook"}],
            "optional_secrets": [{"name": "old", "purpose": "of older shops"}],
            "key_sets": [{"name": "platform", "purpose": "keys of the platform"}],
            "permissions": ["lms-read", "shop"],
            "optional_permissions": [{"name": "shop", "purpose": "to ask what was sold"}],
            "documents": [{"name": "query", "purpose": "what the webhook must have", "text": "{}"}],
            "settings": {
                "type": "object",
                "required": ["domain"],
                "properties": {
                    "domain": {"type": "string", "description": "The shop's address."},
                    "fields": {"type": "array", "default": ["a", "b_c"], "description": "Keys: `x`,\n  or y."},
                    "note": {"type": "string"},
                    "when": {"enum": ["paid", "sent"], "default": "paid", "description": "When it counts."},
                    "which": {"type": "array", "items": {"enum": ["one", "two"]}, "default": [], "description": "Which."},
                    "wait": {"type": "boolean", "default": false, "description": "a|b"},
                },
            },
        })
    }

    #[test]
    fn settings_have_their_defaults_as_the_configuration_has_them_and_say_what_may_be_chosen() {
        assert_eq!(
            Table::Settings.written(&description()),
            "| setting | without it | meaning |\n\
             |---|---|---|\n\
             | `domain` | required | The shop's address. |\n\
             | `fields` | `[\"a\", \"b_c\"]` | Keys: `x`, or y. |\n\
             | `note` | not set |  |\n\
             | `wait` | `false` | a\\|b |\n\
             | `when` | `\"paid\"` | When it counts. One of `\"paid\"`, `\"sent\"`. |\n\
             | `which` | `[]` | Which. Any of `\"one\"`, `\"two\"`. |\n"
        );
    }

    #[test]
    fn secrets_are_named_as_in_the_configuration_with_key_sets_beside_them() {
        assert_eq!(
            Table::Secrets.written(&description()),
            "| key of the shop | needed | what it is |\n\
             |---|---|---|\n\
             | `secrets.webhook` | yes | the text under the webhook |\n\
             | `secrets.old` | by some shops | of older shops |\n\
             | `key_sets.platform` | by some shops | keys of the platform |\n"
        );
    }

    #[test]
    fn a_permission_that_can_be_done_without_says_what_it_is_for() {
        assert_eq!(
            Table::Needs.written(&description()),
            "| what | needed | what for |\n\
             |---|---|---|\n\
             | `permissions = [\"lms-read\"]` | yes | to read accounts and enrollments of the shop's LMS |\n\
             | `permissions = [\"shop\"]` | no | to ask what was sold |\n\
             | `bursar adapter inspect adapters/acme.wasm --document query` | yes, pasted into the shop | what the webhook must have |\n"
        );
    }

    #[test]
    fn topics_are_listed_with_what_they_mean() {
        let table = Table::Topics.written(&description());
        assert_eq!(table, "| topic | means |\n|---|---|\n| `order.paid` | the money is there |\n");
    }

    #[test]
    fn an_adapter_with_nothing_to_say_has_no_empty_table() {
        for table in Table::ALL {
            assert!(table.is_empty(&json!({})));
            assert_eq!(table.written(&json!({})), "None.\n");
            assert!(!table.is_empty(&description()));
        }
    }

    #[test]
    fn every_row_has_as_many_cells_as_the_head() {
        for table in Table::ALL {
            let written = table.written(&description());
            let bars = |line: &str| line.replace("\\|", "").matches('|').count();
            let head = bars(written.lines().next().unwrap());
            assert!(written.lines().all(|line| bars(line) == head), "{written}");
        }
    }

    #[test]
    fn a_table_is_found_by_the_name_it_has() {
        for table in Table::ALL {
            assert_eq!(Table::named(table.name()), Some(table));
        }
        assert_eq!(Table::named("colours"), None);
    }
}
