//! Grants: what the lines of an order owe to whom.
//!
//! Owns the mapping of lines to course runs and the deriving of grants. Knows nothing of the LMS beyond its name: whether
//! an enrollment matches is decided in [`crate::fulfillment`].

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::{
    decision::Ruling,
    ids::{AccountId, CatalogEntryId, GrantId},
    ledger::{Finding, Line, Order},
    names::{CourseRun, LmsName, Mode},
    policy::ShopPolicy,
    reason::{Concern, Reason},
    statement::{Cause, Identity, Learner, ProductId},
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
    /// Which of the line's seats it is, from 1.
    pub seat: u32,
    /// To whom, as the order or a person says it.
    pub identity: Identity,
    /// To whom, once it is known. A grant stays with that account for good.
    pub account: Option<AccountId>,
    /// When the right ends.
    pub until: Option<Timestamp>,
    /// When it began, or began again.
    pub since: Timestamp,
    /// Whether and why it ended.
    pub ended: Option<Ended>,
    /// Has the LMS given what it owes since it began?
    pub fulfilled: bool,
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
/// | that a person moved to other course runs | a grant for each of those |
/// | of a product that the catalog knows | a grant for each course run of it, pinned |
/// | of a product that the catalog calls no course | nothing |
/// | of an unknown product, with courses named by the order | a grant for each of those, pinned |
/// | of an unknown product otherwise | nothing yet; a person is asked, once a product |
/// | that names a learner | to that learner, else the order's; to nobody, and a person is asked, if malformed or absent |
/// | of several | a seat to the learner, and one to each whom a person named; for the others a person is asked |
/// | of several, of which more were refunded than seats are free | as before, and a person is asked |
/// | whose time and grace are over | nothing |
/// | of a test order, in a shop that does not accept them | nothing |
/// | sold before Bursar, that was refunded, cancelled or disputed | nothing, and a person is asked: it was given by somebody else |
///
/// A grant that the LMS has not given yet follows a corrected learner; afterwards a person is asked, and may decide.
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
        let id = line.id;
        let mut find = |concern| findings.push(Finding { line: Some(id), concern });
        let refusal = match whole.why_no_access(line, policy.on_delete) {
            Some(reason) => Some(reason),
            None if whole.test && !policy.accept_test => Some(Reason::TestOrder),
            None => None,
        };
        if let Some(reason) = refusal {
            if whole.is_earlier_sale(policy) && takes_money_back(&reason) {
                find(Concern::EarlierSale { reason: Box::new(reason.clone()) });
            }
            end_all(&mut line.grants, &reason, now);
            continue;
        }
        if line.is_over(policy, now) {
            end_all(&mut line.grants, &Reason::Expired, now);
        }
        pin(line, &whole, &catalog, policy, now);
        let Some(pins) = &line.pins else {
            let products = line.products.clone();
            find(Concern::ProductUnmapped { products, title: line.title.clone().unwrap_or_default() });
            continue;
        };
        if pins.is_empty() {
            end_all(&mut line.grants, &Reason::Remapped, now);
            continue;
        }
        let seats = match seats(line, &whole) {
            Ok(seats) => seats,
            Err(concern) => {
                find(concern);
                continue;
            }
        };
        let taken = u32::try_from(seats.len()).unwrap_or(u32::MAX);
        let left = line.quantity_left();
        if left < taken {
            find(Concern::QuantityPartlyRefunded { left });
        } else if left > taken {
            find(Concern::SeatsFree { free: left - taken });
        }
        if give(line, &seats, policy, now) == Given::LearnerChanged {
            find(Concern::LearnerChanged);
        }
    }
    order.lines = lines;
    Derived { order, findings }
}

/// What an order owes when those of its lines that `concerned` picks are mapped anew, by the catalog as it is now. Lines that
/// a person moved stay.
#[must_use]
pub fn remap(
    mut order: Order,
    catalog: impl Fn(&[ProductId]) -> CatalogAnswer,
    concerned: impl Fn(&Line) -> bool,
    policy: &ShopPolicy,
    now: Timestamp,
) -> Derived {
    for line in order.lines.iter_mut().filter(|line| concerned(line)) {
        if let Some(pins) = find_pins(line, &catalog, policy, now)
            && line.pins.as_ref().is_some_and(|known| !same_courses(known, &pins))
        {
            line.pins = Some(pins);
        }
    }
    derive(order, catalog, policy, now)
}

fn same_courses(known: &[Pin], found: &[Pin]) -> bool {
    let courses = |pins: &[Pin]| pins.iter().map(|pin| (pin.run.clone(), pin.mode.clone())).collect::<BTreeSet<_>>();
    courses(known) == courses(found)
}

fn takes_money_back(reason: &Reason) -> bool {
    match reason {
        Reason::Held { cause } => matches!(cause, Cause::Refunded | Cause::Cancelled | Cause::Disputed),
        Reason::QuantityRefunded => true,
        _ => false,
    }
}

/// Finds what the line sells, once; but a person's word goes before everything.
fn pin(
    line: &mut Line,
    order: &Order,
    catalog: &impl Fn(&[ProductId]) -> CatalogAnswer,
    policy: &ShopPolicy,
    now: Timestamp,
) {
    let decided = order.decisions.iter().filter(|decision| decision.line == Some(line.id)).find_map(|decision| {
        let Ruling::Sells { courses } = &decision.ruling else { return None };
        let pin = |(run, mode): &(CourseRun, Mode)| Pin {
            run: run.clone(),
            mode: mode.clone(),
            entry: None,
            pinned_at: decision.at,
        };
        Some(courses.iter().map(pin).collect())
    });
    match decided {
        Some(decided) => line.pins = Some(decided),
        None if line.pins.is_none() => line.pins = find_pins(line, catalog, policy, now),
        None => {}
    }
}

/// Somebody who has a seat of a line.
struct Seat {
    number: u32,
    learner: Identity,
    /// By a person: then it counts whatever was given before.
    decided: bool,
}

/// Who has the seats of a line: the learner whom the order names, and whom people named.
///
/// # Errors
/// The concern, if the order names nobody for the first seat and no person did.
fn seats(line: &Line, order: &Order) -> Result<Vec<Seat>, Concern> {
    let decided = order.decisions.iter().filter(|decision| decision.line == Some(line.id)).filter_map(|decision| {
        let Ruling::Seated { seat, learner } = &decision.ruling else { return None };
        Some(Seat { number: *seat, learner: learner.clone(), decided: true })
    });
    let mut seats: Vec<Seat> = decided.collect();
    if !seats.iter().any(|seat| seat.number == FIRST_SEAT) {
        match line.learner.as_ref().or(order.learner.as_ref()) {
            Some(Learner::Known(learner)) => {
                seats.push(Seat { number: FIRST_SEAT, learner: learner.clone(), decided: false });
            }
            Some(Learner::Malformed) => return Err(Concern::LearnerMalformed),
            None => return Err(Concern::LearnerMissing),
        }
    }
    seats.sort_by_key(|seat| seat.number);
    Ok(seats)
}

/// The seat of the learner whom the order names.
pub const FIRST_SEAT: u32 = 1;

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

/// Makes the line's grants match its pins and seats.
fn give(line: &mut Line, seats: &[Seat], policy: &ShopPolicy, now: Timestamp) -> Given {
    let over = line.is_over(policy, now);
    let Line { pins, grants, until, .. } = line;
    let pins = pins.as_deref().unwrap_or_default();
    let mut given = Given::AsStated;
    let unpinned = |grant: &Grant| !pins.iter().any(|pin| pin.run == grant.run && pin.mode == grant.mode);
    for grant in grants.iter_mut().filter(|grant| grant.ended.is_none() && unpinned(grant)) {
        grant.ended = Some(Ended { at: now, reason: Reason::Remapped });
    }
    for (pin, seat) in pins.iter().flat_map(|pin| seats.iter().map(move |seat| (pin, seat))) {
        let is_this = |grant: &Grant| grant.run == pin.run && grant.mode == pin.mode && grant.seat == seat.number;
        if let Some(grant) = grants.iter_mut().find(|grant| is_this(grant) && grant.ended.is_none()) {
            let same = grant.identity == seat.learner;
            if !same && seat.decided {
                grant.ended = Some(Ended { at: now, reason: Reason::Transferred });
            } else {
                if !same && grant.fulfilled {
                    given = Given::LearnerChanged;
                } else if !same {
                    grant.identity = seat.learner.clone();
                    grant.account = None;
                }
                grant.until = *until;
                continue;
            }
        }
        if over {
            continue;
        }
        match grants.iter_mut().find(|grant| is_this(grant) && grant.identity == seat.learner) {
            Some(grant) => begin_again(grant, *until, policy, now),
            None => grants.push(Grant {
                id: GrantId::new(now),
                lms: policy.lms.clone(),
                run: pin.run.clone(),
                mode: pin.mode.clone(),
                seat: seat.number,
                identity: seat.learner.clone(),
                account: None,
                until: *until,
                since: now,
                ended: None,
                fulfilled: false,
            }),
        }
    }
    given
}

/// An ended grant is owed again. If nothing was taken yet, it is as if it had never ended: who left meanwhile has left.
fn begin_again(grant: &mut Grant, until: Option<Timestamp>, policy: &ShopPolicy, now: Timestamp) {
    let Some(ended) = grant.ended.take() else { return };
    if ended.at.plus(policy.quiet_time) <= now {
        grant.since = now;
        grant.fulfilled = false;
    }
    grant.until = until;
}

#[cfg(test)]
mod tests;
