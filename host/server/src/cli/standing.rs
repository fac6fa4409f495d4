//! How lines, grants and enrollments stand, in sentences: the same ones for an order and for a learner.
//!
//! Owns words only. Whether a line gives access is asked of `bursar_domain`.

use bursar_domain::{
    Timestamp,
    decision::{Decision, Ruling},
    fulfillment::Seen,
    grants::CatalogAnswer,
    ids::LineId,
    ledger::{Hold, Line, Order},
    policy::{OnDelete, ShopPolicy},
    reason::Reason,
    statement::{Cause, Learner, Payment},
};
use bursar_store::people::PurchaseGrant;

use crate::output::human;

/// How an order is called by people: `campus/1001`. What was given by hand has no number.
#[must_use]
pub fn order_name(order: &Order) -> String {
    name(order.shop.as_str(), order.number.as_deref(), &order.external_id)
}

/// The same of its parts. The id is the shorter one where the number is none of the shop's.
#[must_use]
pub fn name(shop: &str, number: Option<&str>, external_id: &str) -> String {
    match number {
        Some(number) if !is_ours(external_id) => format!("{shop}/{number}"),
        _ => format!("{shop}/{external_id}"),
    }
}

/// Is the order's id one that Bursar made, and no shop's? What was set aside or given by hand is called by the whole of it.
fn is_ours(external_id: &str) -> bool {
    external_id.contains(' ')
}

/// Does a line give access, and why?
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// Does it?
    pub gives: bool,
    /// Why, or why not.
    pub why: String,
}

/// How a line stands. The policy is none where the shop is configured no more.
#[must_use]
pub fn line(
    order: &Order,
    line: &Line,
    policy: Option<&ShopPolicy>,
    catalog: Option<&CatalogAnswer>,
    now: Timestamp,
) -> Standing {
    let no = |why: String| Standing { gives: false, why };
    let on_delete = policy.map_or(OnDelete::Keep, |policy| policy.on_delete);
    if let Some(reason) = order.why_no_access(line, on_delete) {
        return no(why_not(order, line, &reason));
    }
    if order.test && policy.is_some_and(|policy| !policy.accept_test) {
        return no(Reason::TestOrder.to_string());
    }
    if policy.is_some_and(|policy| line.is_over(policy, now)) {
        return no(Reason::Expired.to_string());
    }
    let Some(pins) = &line.pins else {
        let product = line.products.first().map(ToString::to_string).unwrap_or_default();
        return no(match catalog {
            Some(CatalogAnswer::Courses(_) | CatalogAnswer::NoCourse) => {
                format!(
                    "{}, and the catalog knows {product} by now: `bursar deliveries retry` has it looked at",
                    paid(order)
                )
            }
            _ => format!("{}, and waits: the catalog has no course for {product}", paid(order)),
        });
    };
    if pins.is_empty() {
        return no("the product is no course".to_owned());
    }
    let seated = decisions_of(order, line.id).any(|decision| matches!(decision.ruling, Ruling::Seated { seat: 1, .. }));
    match line.learner.as_ref().or(order.learner.as_ref()) {
        None if !seated => return no(format!("{}, but the order names no learner", paid(order))),
        Some(Learner::Malformed) if !seated => {
            return no(format!("{}, but the learner given is no address and no username", paid(order)));
        }
        _ => {}
    }
    let lifted: Vec<String> = holds_of(order, line)
        .filter(|hold| hold.holds)
        .filter_map(|hold| lifted_by(order, hold.cause, Some(line.id)).map(|by| (hold, by)))
        .map(|(hold, by)| format!("{} lifted that it is {}", by.by, cause(hold.cause)))
        .collect();
    let deleted = order.is_held(Cause::Deleted).then(|| "it is in the shop's bin, which ends nothing here".to_owned());
    let but: Vec<String> = lifted.into_iter().chain(deleted).collect();
    let but = if but.is_empty() { String::new() } else { format!("; {}", but.join("; ")) };
    Standing { gives: true, why: format!("{}{but}", paid(order)) }
}

/// Why a line that is no longer to give access does not.
fn why_not(order: &Order, line: &Line, reason: &Reason) -> String {
    match reason {
        Reason::NotPaid => match order.payment {
            Payment::Unpaid => "the shop says that the order is not paid".to_owned(),
            Payment::Paid | Payment::Undecided => "the shop never said that the order is paid".to_owned(),
        },
        Reason::Held { cause: held } => {
            let mut holds = holds_of(order, line).filter(|hold| hold.holds && hold.cause == *held);
            let since = holds.next().map(|hold| format!(" ({}, {})", hold.evidence, human::moment(hold.changed_at)));
            format!("{reason}{}", since.unwrap_or_default())
        }
        other => other.to_string(),
    }
}

fn paid(order: &Order) -> String {
    match approval(order) {
        Some(decision) if order.payment != Payment::Paid => format!("{} approved the order", decision.by),
        _ => "the order is paid".to_owned(),
    }
}

/// The decision by which the order counts as paid.
#[must_use]
pub fn approval(order: &Order) -> Option<&Decision> {
    order.decisions.iter().find(|decision| decision.ruling == Ruling::Approved)
}

/// The decision by which a cause does not hold the line, or, where no line is given, the order.
#[must_use]
pub fn lifted_by(order: &Order, cause: Cause, line: Option<LineId>) -> Option<&Decision> {
    order.decisions.iter().find(|decision| {
        decision.ruling == Ruling::Lifted { cause } && (decision.line.is_none() || decision.line == line)
    })
}

/// The decisions about one line.
pub fn decisions_of(order: &Order, line: LineId) -> impl Iterator<Item = &Decision> {
    order.decisions.iter().filter(move |decision| decision.line == Some(line))
}

fn holds_of<'a>(order: &'a Order, line: &'a Line) -> impl Iterator<Item = &'a Hold> {
    order.holds.iter().chain(&line.holds)
}

/// A cause as an adjective.
#[must_use]
pub fn cause(cause: Cause) -> &'static str {
    match cause {
        Cause::Refunded => "refunded",
        Cause::Cancelled => "cancelled",
        Cause::Deleted => "deleted",
        Cause::Disputed => "disputed",
        Cause::Operator => "revoked",
    }
}

/// What a person decided, in words that follow their name.
#[must_use]
pub fn ruling(ruling: &Ruling) -> String {
    match ruling {
        Ruling::Approved => "approved the order".to_owned(),
        Ruling::Lifted { cause: lifted } => format!("lifted that it is {}", cause(*lifted)),
        Ruling::Seated { seat, learner } => format!("gave seat {seat} to {}", learner.written()),
        Ruling::Sells { courses } => {
            let courses: Vec<String> = courses.iter().map(|(run, mode)| format!("{mode} in {run}")).collect();
            format!("had it sell {}", courses.join(" and "))
        }
    }
}

/// What speaks against a person's decision by now, if anything does.
#[must_use]
pub fn against(order: &Order, decision: &Decision, catalog: Option<&CatalogAnswer>) -> Option<String> {
    let line = decision.line.and_then(|id| order.lines.iter().find(|line| line.id == id));
    match &decision.ruling {
        Ruling::Approved => match order.payment {
            Payment::Paid => None,
            Payment::Unpaid => Some("the shop says that it is not paid".to_owned()),
            Payment::Undecided => Some("the shop never said that it is paid".to_owned()),
        },
        Ruling::Lifted { cause: lifted } => {
            let lines = order.lines.iter().filter(|line| decision.line.is_none_or(|id| line.id == id));
            let mut holds = order.holds.iter().chain(lines.flat_map(|line| &line.holds));
            let hold = holds.find(|hold| hold.cause == *lifted && hold.holds)?;
            Some(format!("the shop says so since {}: {}", human::moment(hold.changed_at), hold.evidence))
        }
        Ruling::Seated { seat: 1, learner } => match line?.learner.as_ref().or(order.learner.as_ref())? {
            Learner::Known(named) if named.normalized() != learner.normalized() => {
                Some(format!("the order names {}", named.written()))
            }
            _ => None,
        },
        Ruling::Seated { .. } => None,
        Ruling::Sells { courses } => match catalog? {
            CatalogAnswer::Courses(known)
                if !known.iter().all(|known| courses.iter().any(|(run, _)| *run == known.run)) =>
            {
                let runs: Vec<&str> = known.iter().map(|course| course.run.as_str()).collect();
                Some(format!("the catalog says {}", runs.join(", ")))
            }
            CatalogAnswer::NoCourse => Some("the catalog says that it is no course".to_owned()),
            CatalogAnswer::Courses(_) | CatalogAnswer::Unknown => None,
        },
    }
}

/// How a grant stands.
#[must_use]
pub fn grant(grant: &PurchaseGrant) -> String {
    match (&grant.ended, &grant.username, grant.resolution.as_deref()) {
        (Some(ended), ..) => format!("owed no more since {}: {}", human::moment(ended.at), ended.reason),
        (None, Some(username), _) => format!("owed to {username}"),
        (None, None, Some("waiting")) => {
            let since = grant.waiting_since.map(human::moment).unwrap_or_default();
            format!("owed, and waits since {since}: the LMS has no account for this learner yet")
        }
        (None, None, Some("retired")) => "owed, but the learner's account was retired".to_owned(),
        (None, None, Some("unsupported")) => {
            "owed, but the learner is named in a way that cannot be looked up".to_owned()
        }
        (None, None, _) => "owed; the account is being looked up".to_owned(),
    }
}

/// What the LMS says, in words.
#[must_use]
pub fn seen(seen: &Seen) -> String {
    match seen {
        Seen::Absent => "not enrolled".to_owned(),
        Seen::Inactive { mode } => format!("enrolled once as {mode}, switched off"),
        Seen::Active { mode } => format!("enrolled as {mode}"),
    }
}

/// `2026-11-23 09:15:00 UTC (3 min ago)`.
#[must_use]
pub fn when(at: Timestamp, now: Timestamp) -> String {
    format!("{} ({})", human::moment(at), human::relative(at, now))
}
