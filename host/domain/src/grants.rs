//! Grants: what the lines of an order owe to whom.
//!
//! Owns the mapping of lines to course runs and the deriving of grants. Knows nothing of the LMS beyond its name: whether
//! an enrollment matches is decided in [`crate::fulfillment`].

use serde::{Deserialize, Serialize};

use crate::{
    ids::{AccountId, CatalogEntryId, GrantId},
    ledger::{Finding, Line, Order},
    names::{CourseRun, LmsName, Mode},
    policy::ShopPolicy,
    reason::{Concern, Reason},
    statement::{Identity, Learner, ProductId},
    time::Timestamp,
};

/// A course run that a line sells. Found once and kept: a change of the catalog moves no line that was sold before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pin {
    /// Which.
    pub run: CourseRun,
    /// In which mode.
    pub mode: Mode,
    /// The catalog's entry that said so; none where the order itself did.
    pub entry: Option<CatalogEntryId>,
    /// When it was found.
    pub pinned_at: Timestamp,
}

/// Access to one course run in one mode for one learner, owed by one line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    /// Ours.
    pub id: GrantId,
    /// Where.
    pub lms: LmsName,
    /// To which course run.
    pub run: CourseRun,
    /// In which mode.
    pub mode: Mode,
    /// To whom, as the order says it.
    pub identity: Identity,
    /// To whom, once it is known. A grant stays with that account for good.
    pub account: Option<AccountId>,
    /// When the right ends.
    pub until: Option<Timestamp>,
    /// When it began, or began again.
    pub since: Timestamp,
    /// Whether and why it ended.
    pub ended: Option<Ended>,
}

/// The end of a grant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ended {
    /// When.
    pub at: Timestamp,
    /// Why.
    pub reason: Reason,
}

/// What the catalog of a shop says of a product.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CatalogAnswer {
    /// Nothing.
    Unknown,
    /// That it is no course.
    NoCourse,
    /// That it sells these.
    Courses(Vec<CatalogCourse>),
}

/// A course run that a product sells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CatalogCourse {
    /// The entry.
    pub entry: CatalogEntryId,
    /// Which run.
    pub run: CourseRun,
    /// In which mode; the shop's default where none is said.
    pub mode: Option<Mode>,
}

/// What deriving came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Derived {
    /// The order afterwards: lines with their pins and grants.
    pub order: Order,
    /// What a person must see.
    pub findings: Vec<Finding>,
}

/// Derives what an order owes.
///
/// | a line | owes |
/// |---|---|
/// | that gives no access ([`Order::why_no_access`]) | nothing; its grants end with that reason |
/// | of a product that the catalog knows | a grant for each course run of it, pinned |
/// | of a product that the catalog calls no course | nothing |
/// | of an unknown product, with courses named by the order | a grant for each of those, pinned |
/// | of an unknown product otherwise | nothing yet; a person is asked, once a product |
/// | that names a learner | to that learner, else the order's; to nobody, and a person is asked, if malformed or absent |
/// | of a test order, in a shop that does not accept them | nothing |
///
/// A grant whose learner is not resolved yet follows a corrected learner; afterwards a person is asked.
#[must_use]
pub fn derive(
    mut order: Order,
    catalog: impl Fn(&[ProductId]) -> CatalogAnswer,
    policy: &ShopPolicy,
    now: Timestamp,
) -> Derived {
    let mut findings = Vec::new();
    let mut lines = std::mem::take(&mut order.lines);
    // The rule about bundles looks at other lines, so it looks at the order as it was.
    let whole = Order { lines: lines.clone(), ..order.clone() };
    for line in &mut lines {
        let mut find = |concern| findings.push(Finding { line: Some(line.id), concern });
        let refusal = match whole.why_no_access(line, policy.on_delete) {
            Some(reason) => Some(reason),
            None if whole.test && !policy.accept_test => Some(Reason::TestOrder),
            None => None,
        };
        match refusal {
            Some(reason) => end_all(&mut line.grants, &reason, now),
            None => {
                if line.pins.is_none() {
                    line.pins = find_pins(line, &catalog, policy, now);
                    if line.pins.is_none() {
                        find(Concern::ProductUnmapped {
                            products: line.products.clone(),
                            title: line.title.clone().unwrap_or_default(),
                        });
                    }
                }
                if line.pins.as_ref().is_some_and(|pins| !pins.is_empty()) {
                    match line.learner.as_ref().or(whole.learner.as_ref()) {
                        Some(Learner::Known(identity)) => {
                            let identity = identity.clone();
                            if give(line, &identity, policy, now) == Given::LearnerChanged {
                                findings.push(Finding { line: Some(line.id), concern: Concern::LearnerChanged });
                            }
                        }
                        Some(Learner::Malformed) => find(Concern::LearnerMalformed),
                        None => find(Concern::LearnerMissing),
                    }
                }
            }
        }
    }
    order.lines = lines;
    Derived { order, findings }
}

fn end_all(grants: &mut [Grant], reason: &Reason, now: Timestamp) {
    for grant in grants.iter_mut().filter(|grant| grant.ended.is_none()) {
        grant.ended = Some(Ended { at: now, reason: reason.clone() });
    }
}

/// The line's course runs: none if nobody knows any, empty if it is no course.
fn find_pins(
    line: &Line,
    catalog: &impl Fn(&[ProductId]) -> CatalogAnswer,
    policy: &ShopPolicy,
    now: Timestamp,
) -> Option<Vec<Pin>> {
    let mode = |mode: Option<Mode>| mode.unwrap_or_else(|| policy.default_mode.clone());
    match catalog(&line.products) {
        CatalogAnswer::NoCourse => Some(Vec::new()),
        CatalogAnswer::Courses(courses) => Some(
            courses
                .into_iter()
                .map(|course| Pin {
                    run: course.run,
                    mode: mode(course.mode),
                    entry: Some(course.entry),
                    pinned_at: now,
                })
                .collect(),
        ),
        CatalogAnswer::Unknown if line.courses.is_empty() => None,
        CatalogAnswer::Unknown => Some(
            line.courses
                .iter()
                .map(|hint| Pin { run: hint.run.clone(), mode: mode(hint.mode.clone()), entry: None, pinned_at: now })
                .collect(),
        ),
    }
}

#[derive(PartialEq, Eq)]
enum Given {
    AsStated,
    LearnerChanged,
}

/// Makes the line's grants match its pins and learner.
fn give(line: &mut Line, identity: &Identity, policy: &ShopPolicy, now: Timestamp) -> Given {
    let Line { pins, grants, until, .. } = line;
    let pins = pins.as_deref().unwrap_or_default();
    let mut given = Given::AsStated;
    for grant in grants.iter_mut().filter(|grant| grant.ended.is_none()) {
        if !pins.iter().any(|pin| pin.run == grant.run && pin.mode == grant.mode) {
            grant.ended = Some(Ended { at: now, reason: Reason::Remapped });
        }
    }
    for pin in pins {
        match grants.iter_mut().find(|grant| grant.run == pin.run && grant.mode == pin.mode) {
            Some(grant) => {
                grant.until = *until;
                if grant.ended.is_some() {
                    grant.ended = None;
                    grant.since = now;
                }
                if grant.identity != *identity {
                    if grant.account.is_none() {
                        grant.identity = identity.clone();
                    } else {
                        given = Given::LearnerChanged;
                    }
                }
            }
            None => grants.push(Grant {
                id: GrantId::new(now),
                lms: policy.lms.clone(),
                run: pin.run.clone(),
                mode: pin.mode.clone(),
                identity: identity.clone(),
                account: None,
                until: *until,
                since: now,
                ended: None,
            }),
        }
    }
    given
}

#[cfg(test)]
mod tests;
