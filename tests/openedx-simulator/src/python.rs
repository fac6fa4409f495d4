//! Owns how Python prints values, because the LMS pastes the caller's JSON into its messages; must never be used to
//! produce JSON.

pub(crate) mod json;

use serde_json::Value;

/// What `str(value)` gives in Python for a decoded JSON value.
pub(crate) fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => repr(other),
    }
}

/// What `repr(value)` gives in Python for a decoded JSON value.
pub(crate) fn repr(value: &Value) -> String {
    match value {
        Value::Null => "None".to_owned(),
        Value::Bool(true) => "True".to_owned(),
        Value::Bool(false) => "False".to_owned(),
        Value::Number(number) => number.to_string(),
        Value::String(text) => quoted(text),
        Value::Array(items) => format!("[{}]", items.iter().map(repr).collect::<Vec<_>>().join(", ")),
        Value::Object(members) => {
            let members: Vec<_> =
                members.iter().map(|(key, value)| format!("{}: {}", quoted(key), repr(value))).collect();
            format!("{{{}}}", members.join(", "))
        }
    }
}

/// Whether Python's `if value:` would take the branch.
pub(crate) fn truthy(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(flag) => *flag,
        Value::Number(number) => number.as_f64().is_none_or(|number| number != 0.0),
        Value::String(text) => !text.is_empty(),
        Value::Array(items) => !items.is_empty(),
        Value::Object(members) => !members.is_empty(),
    }
}

/// `str.title()`: a capital after everything that is not a letter.
pub(crate) fn title(text: &str) -> String {
    let mut after_letter = false;
    text.chars()
        .flat_map(|letter| {
            let cased: Vec<char> =
                if after_letter { letter.to_lowercase().collect() } else { letter.to_uppercase().collect() };
            after_letter = letter.is_alphabetic();
            cased
        })
        .collect()
}

fn quoted(text: &str) -> String {
    let quote = if text.contains('\'') && !text.contains('"') { '"' } else { '\'' };
    let mut out = String::from(quote);
    for letter in text.chars() {
        match letter {
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            letter if letter == quote => {
                out.push('\\');
                out.push(letter);
            }
            letter => out.push(letter),
        }
    }
    out.push(quote);
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn values_print_as_python_prints_them() {
        assert_eq!(text(&json!("true")), "true");
        assert_eq!(text(&json!(null)), "None");
        assert_eq!(text(&json!({"a": [true, "it's", 1]})), "{'a': [True, \"it's\", 1]}");
    }

    #[test]
    fn a_title_has_a_capital_after_every_non_letter() {
        assert_eq!(title("commerce_worker"), "Commerce_Worker");
        assert_eq!(title("no-id-professional"), "No-Id-Professional");
        assert_eq!(title("load250"), "Load250");
    }
}
