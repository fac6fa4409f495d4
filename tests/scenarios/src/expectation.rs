//! What may be expected in a case: one sentence each.

use openedx_simulator::Endpoint;
use serde::Deserialize;

use crate::{Result, action::endpoint_of, words};

#[derive(Debug, Clone, PartialEq)]
pub enum Expectation {
    In { who: String, run: String, mode: String },
    Out { who: String, run: String, mode: Option<String> },
    Never { who: String, run: String },
    MayEnroll { address: String, run: String },
    MayNotEnroll { address: String, run: String },
    Review { code: String, words: Option<String> },
    NoReview(String),
    Delivery { number: usize, state: String, words: Option<String> },
    Answered(u16),
    Calls { endpoint: Endpoint, count: usize, at_most: bool },
    NoWrites,
    Owes { shop: String, order: String, run: String, mode: String },
    OwesNothing { shop: String, order: String },
    Command(Command),
}

/// A command, and what it prints.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Command {
    /// What follows `bursar`.
    pub bursar: String,
    /// What its output, data and words together, contains.
    #[serde(default)]
    pub prints: Vec<String>,
    /// What it does not contain.
    #[serde(default)]
    pub never_prints: Vec<String>,
    /// It ends badly.
    #[serde(default)]
    pub fails: bool,
}

/// What can be written, for whoever wrote something else.
const KNOWN: &str = "\
X in COURSE as MODE | X out of COURSE [as MODE] | X never in COURSE
ADDRESS may enroll in COURSE | ADDRESS may not enroll in COURSE
review CODE [: WORDS] | no review CODE
delivery N STATE [: WORDS] | answered STATUS
order N [at SHOP] owes COURSE MODE | order N [at SHOP] owes nothing
calls ENDPOINT: N | calls ENDPOINT: at most N | no writes
or a table: { bursar = \"learner show ada\", prints = [\"owed to ada\"] }";

impl Expectation {
    /// Reads a sentence. `shop` is meant where none is named.
    pub fn parse(text: &str, shop: &str) -> Result<Self> {
        let text = text.trim();
        read(text, shop)?.ok_or_else(|| format!("{text:?} is nothing that can be expected; what can:\n{KNOWN}"))
    }
}

fn read(text: &str, shop: &str) -> Result<Option<Expectation>> {
    let (head, said) = match text.split_once(": ") {
        Some((head, words)) => (head, Some(words.to_owned())),
        None => (text, None),
    };
    let parts: Vec<&str> = head.split_whitespace().collect();
    let number = |text: &str| text.parse::<usize>().map_err(|_| format!("{text:?} is no number"));
    let owned = |word: &str| word.to_owned();
    let expectation = match (parts.as_slice(), said) {
        (["review", code], words) => Expectation::Review { code: owned(code), words },
        (["delivery", n, state], words) => Expectation::Delivery { number: number(n)?, state: owned(state), words },
        (["calls", endpoint], Some(count)) => {
            let (count, at_most) = match count.strip_prefix("at most ") {
                Some(count) => (count, true),
                None => (count.as_str(), false),
            };
            Expectation::Calls { endpoint: endpoint_of(endpoint)?, count: number(count)?, at_most }
        }
        (_, Some(_)) => return Ok(None),
        (["no", "review", code], None) => Expectation::NoReview(owned(code)),
        (["no", "writes"], None) => Expectation::NoWrites,
        (["answered", status], None) => {
            Expectation::Answered(status.parse().map_err(|_| format!("{status:?} is no status"))?)
        }
        ([who, "in", run, "as", mode], None) => {
            Expectation::In { who: owned(who), run: words::run(run), mode: owned(mode) }
        }
        ([who, "out", "of", run], None) => Expectation::Out { who: owned(who), run: words::run(run), mode: None },
        ([who, "out", "of", run, "as", mode], None) => {
            Expectation::Out { who: owned(who), run: words::run(run), mode: Some(owned(mode)) }
        }
        ([who, "never", "in", run], None) => Expectation::Never { who: owned(who), run: words::run(run) },
        ([who, "may", "enroll", "in", run], None) => {
            Expectation::MayEnroll { address: words::address(who), run: words::run(run) }
        }
        ([who, "may", "not", "enroll", "in", run], None) => {
            Expectation::MayNotEnroll { address: words::address(who), run: words::run(run) }
        }
        (["order", order, rest @ ..], None) => {
            let (shop, rest) = match rest {
                ["at", shop, rest @ ..] => (owned(shop), rest),
                rest => (shop.to_owned(), rest),
            };
            match rest {
                ["owes", "nothing"] => Expectation::OwesNothing { shop, order: owned(order) },
                ["owes", run, mode] => {
                    Expectation::Owes { shop, order: owned(order), run: words::run(run), mode: owned(mode) }
                }
                _ => return Ok(None),
            }
        }
        _ => return Ok(None),
    };
    Ok(Some(expectation))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sentences_are_read() {
        let parse = |text| Expectation::parse(text, "campus").unwrap();
        let run = words::run("CS101");
        assert_eq!(
            parse("ada in CS101 as verified"),
            Expectation::In { who: "ada".into(), run, mode: "verified".into() }
        );
        assert_eq!(
            parse("review product-unmapped: no course for"),
            Expectation::Review { code: "product-unmapped".into(), words: Some("no course for".into()) }
        );
        assert_eq!(
            parse("calls enrollment_post: at most 2"),
            Expectation::Calls { endpoint: Endpoint::EnrollmentPost, count: 2, at_most: true }
        );
        assert_eq!(
            parse("order 42 at library owes nothing"),
            Expectation::OwesNothing { shop: "library".into(), order: "42".into() }
        );
    }

    #[test]
    fn what_cannot_be_expected_is_refused() {
        for wrong in [
            "ada in CS101",
            "ada in CS101 in verified",
            "revew x",
            "calls enrollments_post: 1",
            "calls enrollment_post",
            "order 42 owes",
            "ada in CS101 as verified: yes",
            "",
        ] {
            assert!(Expectation::parse(wrong, "campus").is_err(), "{wrong:?}");
        }
    }
}
