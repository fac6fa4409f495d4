//! The form of a case's file. What is misspelt in it is an error.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::{
    Result,
    action::Action,
    expectation::{Command, Expectation},
};

/// The shop of a case that names none, and the one that sentences mean that name none.
pub const CAMPUS: &str = "campus";

/// What the shop sells where a case does not say.
const SOLD: [&str; 2] = ["BIO: CS101 verified", "CHEM: CS102 verified"];

/// Course runs of the LMS where a case does not say.
const COURSES: [&str; 2] =
    ["CS101: audit, honor, verified, professional", "CS102: audit, honor, verified, professional"];

/// Who has an account where a case does not say.
const LEARNERS: [&str; 2] = ["ada", "ben"];

/// A case as it is written.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Written {
    /// What happens, in a line.
    pub title: String,
    /// Why it matters.
    pub why: String,
    #[serde(default)]
    pub lms: LmsWritten,
    #[serde(default)]
    pub shops: BTreeMap<String, ShopWritten>,
    pub steps: Vec<StepWritten>,
    /// Why the deliveries are not all sent once more at the end, where that would change something for a good reason.
    pub not_again: Option<String>,
}

/// The LMS before anything happens.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LmsWritten {
    pub courses: Vec<String>,
    pub learners: Vec<String>,
    pub enrolled: Vec<String>,
    /// More keys of `[[lms]]` in the host's configuration.
    pub set: toml::Table,
}

impl Default for LmsWritten {
    fn default() -> Self {
        let texts = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
        Self { courses: texts(&COURSES), learners: texts(&LEARNERS), enrolled: Vec::new(), set: toml::Table::new() }
    }
}

/// A connected shop.
#[derive(Debug, Clone, Deserialize)]
pub struct ShopWritten {
    #[serde(default = "facts")]
    pub adapter: String,
    #[serde(default = "sold")]
    pub sells: Vec<String>,
    /// More keys of `[[shops]]` in the host's configuration, which knows the misspelt ones.
    #[serde(flatten)]
    pub keys: toml::Table,
}

impl Default for ShopWritten {
    fn default() -> Self {
        Self { adapter: facts(), sells: sold(), keys: toml::Table::new() }
    }
}

fn facts() -> String {
    "facts".to_owned()
}

fn sold() -> Vec<String> {
    SOLD.map(str::to_owned).to_vec()
}

/// A step: what happens, and what must be so then.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StepWritten {
    /// Sentences.
    #[serde(rename = "do")]
    pub happens: Option<toml::Value>,
    /// Sentences and tables.
    pub then: Option<toml::Value>,
}

/// A list, or the one thing that would be in it.
fn list(value: Option<&toml::Value>) -> &[toml::Value] {
    match value {
        None => &[],
        Some(toml::Value::Array(many)) => many,
        Some(one) => std::slice::from_ref(one),
    }
}

/// A case that was read.
#[derive(Debug, Clone)]
pub struct Case {
    pub written: Written,
    pub shops: BTreeMap<String, ShopWritten>,
    pub steps: Vec<Step>,
}

/// A step that was read.
#[derive(Debug, Clone)]
pub struct Step {
    /// Each with its own words.
    pub happens: Vec<(String, Action)>,
    pub then: Vec<(String, Expectation)>,
}

impl Case {
    /// Reads a case.
    pub fn parse(text: &str) -> Result<Self> {
        let written: Written = toml::from_str(text).map_err(|error| error.to_string())?;
        if written.title.trim().is_empty() || written.why.trim().is_empty() {
            return Err("a case needs a title, and a why".to_owned());
        }
        if written.not_again.as_ref().is_some_and(|why| why.trim().is_empty()) {
            return Err("not_again needs its reason".to_owned());
        }
        let mut shops = written.shops.clone();
        if shops.is_empty() {
            shops.insert(CAMPUS.to_owned(), ShopWritten::default());
        }
        let shop = if shops.contains_key(CAMPUS) { CAMPUS } else { shops.keys().next().map_or(CAMPUS, String::as_str) };
        let shop = shop.to_owned();
        let steps = written
            .steps
            .iter()
            .zip(1..)
            .map(|(step, number)| Step::read(step, &shop).map_err(|error| format!("step {number}: {error}")));
        let steps = steps.collect::<Result<Vec<_>>>()?;
        if steps.iter().all(|step| step.then.is_empty()) {
            return Err("nothing is expected: no step has a `then`".to_owned());
        }
        Ok(Self { written, shops, steps })
    }
}

impl Step {
    fn read(written: &StepWritten, shop: &str) -> Result<Self> {
        let happens = list(written.happens.as_ref()).iter().map(|item| {
            let text = item.as_str().ok_or_else(|| format!("{item} is no sentence"))?;
            Ok((text.to_owned(), Action::parse(text, shop)?))
        });
        let then = list(written.then.as_ref()).iter().map(|item| {
            if let Some(text) = item.as_str() {
                return Ok((text.to_owned(), Expectation::parse(text, shop)?));
            }
            let command: Command = item.clone().try_into().map_err(|error| format!("{item}: {error}"))?;
            if command.prints.is_empty() && command.never_prints.is_empty() && !command.fails {
                return Err(format!("nothing is expected of bursar {}", command.bursar));
            }
            Ok((format!("bursar {}", command.bursar), Expectation::Command(command)))
        });
        let step = Self { happens: happens.collect::<Result<_>>()?, then: then.collect::<Result<_>>()? };
        if step.happens.is_empty() && step.then.is_empty() {
            return Err("nothing happens, and nothing is expected".to_owned());
        }
        Ok(step)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(text: &str) -> String {
        Case::parse(text).unwrap_err()
    }

    #[test]
    fn a_case_without_expectation_or_with_a_misspelt_one_is_none() {
        let case = |step: &str| format!("title = \"t\"\nwhy = \"w\"\n[[steps]]\n{step}");
        assert!(Case::parse(&case("do = \"wait 1 day\"\nthen = \"no writes\"")).is_ok());
        assert!(error(&case("do = \"wait 1 day\"")).contains("nothing is expected"));
        assert!(error(&case("do = \"wait 1 day\"\nthan = \"no writes\"")).contains("than"));
        assert!(error(&case("then = \"no writs\"")).contains("nothing that can be expected"));
        assert!(error(&case("then = { bursar = \"review list\" }")).contains("nothing is expected"));
        assert!(error(&case("then = { bursar = \"review list\", print = [\"x\"] }")).contains("unknown field `print`"));
        assert!(error("title = \"t\"\nwhy = \"\"\nsteps = []").contains("why"));
    }
}
