//! What must be so, what is so, and what is wrong with that, in words.
//!
//! Owns the strictness: what a case does not mention must not be there. What was expected stays expected in the steps that
//! follow, until they say otherwise.

use std::collections::{BTreeMap, BTreeSet};

use openedx_simulator::{Endpoint, Received};

use crate::{expectation::Expectation, lms::Place, words::short_run};

/// An enrollment as it must be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Enrolled {
    Active(String),
    /// In any mode, if none is said.
    Inactive(Option<String>),
}

/// Everything that must be so, and nothing else.
#[derive(Debug, Clone, Default)]
pub struct Expected {
    pub enrollments: BTreeMap<Place, Enrolled>,
    pub allowed: BTreeSet<Place>,
    /// Code, and words that it contains.
    pub reviews: Vec<(String, Option<String>)>,
    /// By number; those that are not here are done.
    pub deliveries: BTreeMap<usize, (String, Option<String>)>,
}

/// What is so.
#[derive(Debug, Clone, Default)]
pub struct Found {
    pub enrollments: BTreeMap<Place, (String, bool)>,
    pub allowed: BTreeSet<Place>,
    /// Code and words.
    pub reviews: Vec<(String, String)>,
    /// State and problem, the first delivery first.
    pub deliveries: Vec<(String, String)>,
}

impl Expected {
    /// What an LMS holds at the beginning must stay.
    #[must_use]
    pub fn unchanged(found: &Found) -> Self {
        let enrollments = found.enrollments.iter().map(|(place, (mode, active))| {
            let row = if *active { Enrolled::Active(mode.clone()) } else { Enrolled::Inactive(Some(mode.clone())) };
            (place.clone(), row)
        });
        Self { enrollments: enrollments.collect(), allowed: found.allowed.clone(), ..Self::default() }
    }

    /// From now on all this must be so, too.
    pub fn add<'e>(&mut self, expectations: impl IntoIterator<Item = &'e Expectation>) {
        let mut named = vec![false; self.reviews.len()];
        for expectation in expectations {
            match expectation.clone() {
                Expectation::In { who, run, mode } => {
                    self.enrollments.insert((who, run), Enrolled::Active(mode));
                }
                Expectation::Out { who, run, mode } => {
                    self.enrollments.insert((who, run), Enrolled::Inactive(mode));
                }
                Expectation::Never { who, run } => {
                    self.enrollments.remove(&(who, run));
                }
                Expectation::MayEnroll { address, run } => {
                    self.allowed.insert((address, run));
                }
                Expectation::MayNotEnroll { address, run } => {
                    self.allowed.remove(&(address, run));
                }
                Expectation::Review { code, words } => {
                    let known = (0..self.reviews.len()).find(|at| !named[*at] && self.reviews[*at].0 == code);
                    let at = known.unwrap_or_else(|| {
                        self.reviews.push((code, None));
                        named.push(false);
                        self.reviews.len() - 1
                    });
                    named[at] = true;
                    self.reviews[at].1 = words.or_else(|| self.reviews[at].1.take());
                }
                Expectation::NoReview(code) => {
                    let keep: Vec<bool> = self.reviews.iter().map(|(known, _)| *known != code).collect();
                    let mut kept = keep.iter();
                    self.reviews.retain(|_| *kept.next().unwrap_or(&true));
                    let mut kept = keep.iter();
                    named.retain(|_| *kept.next().unwrap_or(&true));
                }
                Expectation::Delivery { number, state, words } => {
                    self.deliveries.insert(number, (state, words));
                }
                // Judged by themselves, at the step that they stand in.
                Expectation::Answered(_)
                | Expectation::Calls { .. }
                | Expectation::NoWrites
                | Expectation::Owes { .. }
                | Expectation::OwesNothing { .. }
                | Expectation::Command(_) => {}
            }
        }
    }
}

/// Everything that is not as it must be.
#[must_use]
pub fn complaints(expected: &Expected, found: &Found) -> Vec<String> {
    let mut wrong = enrollments(&expected.enrollments, &found.enrollments);
    for (who, run) in expected.allowed.difference(&found.allowed) {
        wrong.push(format!("expected that {who} may enroll in {}; there is no such permission", short_run(run)));
    }
    for (who, run) in found.allowed.difference(&expected.allowed) {
        wrong.push(format!("nobody expected that {who} may enroll in {}; there is such a permission", short_run(run)));
    }
    let mut open: Vec<&(String, String)> = found.reviews.iter().collect();
    for (code, words) in &expected.reviews {
        let is_it = |review: &&(String, String)| {
            review.0 == *code && words.as_ref().is_none_or(|words| review.1.contains(words))
        };
        match open.iter().position(is_it) {
            Some(at) => drop(open.remove(at)),
            None => {
                let words = words.as_ref().map(|words| format!(" with {words:?}")).unwrap_or_default();
                wrong.push(format!("expected an open review {code}{words}; open are: {}", listed(&found.reviews)));
            }
        }
    }
    for (code, words) in open {
        wrong.push(format!("nobody expected the open review {code} ({words})"));
    }
    for ((state, problem), number) in found.deliveries.iter().zip(1..) {
        let done = ("done".to_owned(), None);
        let (must, words) = expected.deliveries.get(&number).unwrap_or(&done);
        if state != must {
            wrong.push(format!("expected delivery {number} {must}; it is {state} ({problem})"));
        } else if let Some(words) = words.as_ref().filter(|words| !problem.contains(words.as_str())) {
            wrong.push(format!("expected delivery {number} to say {words:?}; it says {problem:?}"));
        }
    }
    for number in expected.deliveries.keys().filter(|number| **number == 0 || **number > found.deliveries.len()) {
        wrong.push(format!("there is no delivery {number}; there are {}", found.deliveries.len()));
    }
    wrong
}

fn enrollments(expected: &BTreeMap<Place, Enrolled>, found: &BTreeMap<Place, (String, bool)>) -> Vec<String> {
    let mut wrong = Vec::new();
    let shown = |row: Option<&(String, bool)>| match row {
        None => "no enrollment at all".to_owned(),
        Some((mode, true)) => format!("active as {mode}"),
        Some((mode, false)) => format!("inactive as {mode}"),
    };
    for (place, must) in expected {
        let (who, run) = (&place.0, short_run(&place.1));
        let row = found.get(place);
        let right = match (must, row) {
            (Enrolled::Active(mode), Some((has, true))) => mode == has,
            (Enrolled::Inactive(mode), Some((has, false))) => mode.as_ref().is_none_or(|mode| mode == has),
            _ => false,
        };
        if !right {
            let must = match must {
                Enrolled::Active(mode) => format!("{who} in {run} as {mode}"),
                Enrolled::Inactive(Some(mode)) => format!("{who} out of {run} as {mode}"),
                Enrolled::Inactive(None) => format!("{who} out of {run}"),
            };
            wrong.push(format!("expected {must}; the LMS has {}", shown(row)));
        }
    }
    for ((who, run), row) in found.iter().filter(|(place, _)| !expected.contains_key(*place)) {
        let run = short_run(run);
        wrong.push(format!("nobody expected {who} in {run}; the LMS has {}", shown(Some(row))));
    }
    wrong
}

fn listed(reviews: &[(String, String)]) -> String {
    if reviews.is_empty() {
        return "none".to_owned();
    }
    reviews.iter().map(|(code, words)| format!("{code} ({words})")).collect::<Vec<_>>().join(", ")
}

/// Is the request meant to change something?
#[must_use]
pub fn is_write(request: &Received) -> bool {
    match request.endpoint {
        Endpoint::EnrollmentPost | Endpoint::Registration => true,
        Endpoint::EnrollmentAllowed | Endpoint::Catalogue | Endpoint::Other => request.method != "GET",
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(who: &str) -> Place {
        (who.to_owned(), crate::words::run("CS101"))
    }

    fn expected(sentences: &[&str]) -> Expected {
        let mut expected = Expected::default();
        let read: Vec<Expectation> = sentences.iter().map(|text| Expectation::parse(text, "campus").unwrap()).collect();
        expected.add(&read);
        expected
    }

    fn found(rows: &[(&str, &str, bool)]) -> Found {
        let rows = rows.iter().map(|(who, mode, active)| (place(who), ((*mode).to_owned(), *active)));
        Found { enrollments: rows.collect(), ..Found::default() }
    }

    fn wrong(sentences: &[&str], found: &Found) -> Vec<String> {
        complaints(&expected(sentences), found)
    }

    #[test]
    fn what_is_as_expected_is_no_complaint() {
        let found = found(&[("ada", "verified", true), ("ben", "audit", false)]);
        assert!(wrong(&["ada in CS101 as verified", "ben out of CS101"], &found).is_empty());
        assert!(wrong(&["ada in CS101 as verified", "ben out of CS101 as audit"], &found).is_empty());
    }

    #[test]
    fn another_mode_another_state_and_no_enrollment_are_told_apart() {
        let ada = found(&[("ada", "audit", true)]);
        assert_eq!(
            wrong(&["ada in CS101 as verified"], &ada),
            ["expected ada in CS101 as verified; the LMS has active as audit"]
        );
        assert_eq!(wrong(&["ada out of CS101"], &ada), ["expected ada out of CS101; the LMS has active as audit"]);
        assert_eq!(
            wrong(&["ada in CS101 as verified"], &found(&[])),
            ["expected ada in CS101 as verified; the LMS has no enrollment at all"]
        );
        let out = found(&[("ada", "verified", false)]);
        assert_eq!(wrong(&["ada in CS101 as verified"], &out).len(), 1);
        assert_eq!(wrong(&["ada out of CS101 as audit"], &out).len(), 1);
    }

    #[test]
    fn what_nobody_mentioned_must_not_be_there() {
        let found = Found {
            allowed: BTreeSet::from([place("ada@example.org")]),
            reviews: vec![("no-account".into(), "paid, but".into())],
            deliveries: vec![("rejected".into(), "why".into())],
            ..found(&[("ada", "audit", false)])
        };
        let wrong = wrong(&[], &found);
        assert_eq!(wrong.len(), 4, "{wrong:?}");
        assert!(wrong[0].starts_with("nobody expected ada in CS101"));
        assert!(wrong[3].starts_with("expected delivery 1 done; it is rejected (why)"));
    }

    #[test]
    fn what_was_expected_once_stays_expected() {
        let mut expected = expected(&["ada in CS101 as verified", "review no-account"]);
        expected.add(&[Expectation::parse("ben in CS101 as audit", "campus").unwrap()]);
        let wrong = complaints(&expected, &found(&[("ben", "audit", true)]));
        assert_eq!(wrong.len(), 2, "{wrong:?}");
        expected.add(&[
            Expectation::parse("ada never in CS101", "campus").unwrap(),
            Expectation::parse("no review no-account", "campus").unwrap(),
        ]);
        assert!(complaints(&expected, &found(&[("ben", "audit", true)])).is_empty());
    }

    #[test]
    fn a_review_that_is_named_again_is_the_same_and_one_named_twice_is_two() {
        let open = |count: usize| Found {
            reviews: vec![("revoke".into(), "access should".into()); count],
            ..Found::default()
        };
        let mut expected = expected(&["review revoke"]);
        expected.add(&[Expectation::parse("review revoke: access", "campus").unwrap()]);
        assert!(complaints(&expected, &open(1)).is_empty());
        assert_eq!(complaints(&expected, &open(2)).len(), 1);
        assert!(wrong(&["review revoke", "review revoke"], &open(2)).is_empty());
        assert_eq!(wrong(&["review revoke", "review revoke"], &open(1)).len(), 1);
        assert_eq!(wrong(&["review revoke: something else"], &open(1)).len(), 2);
    }

    #[test]
    fn a_delivery_that_is_not_there_is_a_complaint() {
        assert_eq!(wrong(&["delivery 2 rejected"], &found(&[])), ["there is no delivery 2; there are 0"]);
    }
}
