//! The answer to "has this learner got the course, and why (not)?", in a sentence for support staff.
//!
//! Owns the choice of the sentence. It decides nothing: what is owed is the ledger's, what is so is the LMS's.

use std::collections::BTreeSet;

use bursar_domain::{
    CourseRun, LmsName, Mode, Timestamp,
    decision::{Decision, Ruling},
    fulfillment::Seen,
    grants::Grant,
    ledger::{Line, Order},
    reason::Reason,
    statement::{Cause, Payment},
};
use bursar_store::people::{EnrollmentSummary, Purchase, PurchaseGrant};

use crate::{cli::standing, output::human};

/// What a learner bought of one course run, in one LMS, under one account.
#[derive(Debug)]
pub(super) struct Topic<'a> {
    pub(super) lms: LmsName,
    pub(super) run: CourseRun,
    /// None while nobody knows the account.
    pub(super) username: Option<String>,
    pub(super) bought: Vec<Bought<'a>>,
    pub(super) enrollment: Option<&'a EnrollmentSummary>,
    /// What the LMS says now, if it was asked.
    pub(super) now: Option<Seen>,
}

/// One grant, and where it comes from.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bought<'a> {
    pub(super) purchase: &'a Purchase,
    pub(super) grant: &'a PurchaseGrant,
    pub(super) order: Option<&'a Order>,
}

/// The answer about one course run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Answer {
    /// Is the learner enrolled?
    pub(super) has: bool,
    pub(super) words: String,
}

impl<'a> Bought<'a> {
    fn line(&self) -> Option<&'a Line> {
        self.order?.lines.iter().find(|line| line.external_id == self.purchase.line)
    }

    fn owed(&self) -> Option<&'a Grant> {
        self.line()?.grants.iter().find(|grant| grant.id == self.grant.id)
    }

    /// `order campus/1001`.
    pub(super) fn order_name(&self) -> String {
        if self.is_by_hand() {
            return format!("what was given by hand on account of {}", self.purchase.shop);
        }
        let name = standing::name(self.purchase.shop.as_str(), Some(&self.purchase.order), &self.purchase.order_id);
        format!("order {name}")
    }

    /// Did a person give it, without any shop's order?
    fn is_by_hand(&self) -> bool {
        self.purchase.order_id.starts_with("by hand ")
    }

    fn decisions(&self) -> impl Iterator<Item = &'a Decision> {
        let line = self.line().map(|line| line.id);
        let decisions = self.order.map(|order| order.decisions.as_slice()).unwrap_or_default();
        decisions.iter().filter(move |decision| decision.line.is_none() || decision.line == line)
    }

    /// Why it is owed.
    fn because(&self) -> String {
        let name = self.order_name();
        let sells = self.decisions().find(|decision| matches!(decision.ruling, Ruling::Sells { .. }));
        if let (true, Some(decision)) = (self.is_by_hand(), sells) {
            return format!("{} gave it by hand ({})", decision.by, decision.why);
        }
        let approval = self.order.filter(|order| order.payment != Payment::Paid).and_then(standing::approval);
        let paid = match approval {
            Some(decision) => format!("{} approved {name} ({})", decision.by, decision.why),
            None => format!("{name} is paid"),
        };
        let seat = self.owed().map(|grant| (grant.seat, &grant.identity));
        let also = self.decisions().filter_map(|decision| match &decision.ruling {
            Ruling::Lifted { cause } => Some(format!("{} lifted that it is {}", decision.by, standing::cause(*cause))),
            Ruling::Sells { .. } => Some(format!("{} moved it to this course run", decision.by)),
            Ruling::Seated { seat: number, learner } if Some((*number, learner)) == seat => {
                Some(format!("{} gave them seat {number}", decision.by))
            }
            Ruling::Seated { .. } | Ruling::Approved => None,
        });
        std::iter::once(paid).chain(also).collect::<Vec<_>>().join(", and ")
    }

    /// Why it is owed no more.
    fn because_ended(&self, reason: &Reason) -> String {
        let name = self.order_name();
        match reason {
            Reason::Held { cause: Cause::Refunded } => format!("{name} was refunded"),
            Reason::Held { cause: Cause::Cancelled } => format!("{name} was cancelled"),
            Reason::Held { cause: Cause::Deleted } => format!("{name} was deleted in the shop"),
            Reason::Held { cause: Cause::Disputed } => format!("the payment of {name} is disputed"),
            Reason::Held { cause: Cause::Operator } => {
                let holds = self.order.map(|order| order.holds.as_slice()).unwrap_or_default();
                let mut holds = holds.iter().chain(self.line().map(|line| line.holds.as_slice()).unwrap_or_default());
                let why = holds.find(|hold| hold.cause == Cause::Operator && hold.holds);
                let why = why.map(|hold| format!(" ({})", hold.evidence)).unwrap_or_default();
                format!("a person revoked {name}{why}")
            }
            Reason::NotPaid => format!("{name} is not paid"),
            Reason::QuantityRefunded => format!("all of the line was refunded in {name}"),
            Reason::LineGone => format!("{name} has the line no more"),
            Reason::Remapped => format!("{name} sells another course run or mode now"),
            Reason::Transferred => format!("a person gave the seat of {name} to another learner"),
            Reason::Expired => format!("the time that {name} paid for is over"),
            Reason::TestOrder => format!("{name} is a test order"),
            other => format!("{name}: {other}"),
        }
    }
}

impl Topic<'_> {
    /// What the LMS says: now, or the last time that Bursar asked.
    pub(super) fn seen(&self) -> Option<&Seen> {
        self.now.as_ref().or_else(|| self.enrollment?.seen.as_ref())
    }

    fn live(&self) -> Vec<Bought<'_>> {
        self.bought.iter().filter(|bought| bought.grant.ended.is_none()).copied().collect()
    }

    fn reason(&self) -> Option<&Reason> {
        self.enrollment?.reason.as_ref()
    }

    /// Is Bursar to look at it in the next moments?
    fn is_due(&self) -> bool {
        self.enrollment.is_none_or(|enrollment| enrollment.state == "due")
    }

    /// What ended last, and why, in words.
    fn ended(&self) -> Option<(Bought<'_>, Timestamp, String)> {
        let ended = |bought: &Bought<'_>| bought.grant.ended.as_ref().map(|ended| ended.at);
        let newest = self.bought.iter().filter(|bought| ended(bought).is_some()).max_by_key(|bought| ended(bought))?;
        let ended = newest.grant.ended.as_ref()?;
        Some((*newest, ended.at, newest.because_ended(&ended.reason)))
    }

    /// The answer.
    pub(super) fn answer(&self, who: &str, now: Timestamp) -> Answer {
        let live = self.live();
        let mode = self.seen().and_then(Seen::active_mode);
        let words = match (mode, live.is_empty()) {
            (Some(mode), false) => self.has_and_is_owed(who, mode, &live, now),
            (Some(mode), true) => self.has_and_is_not_owed(who, mode, now),
            (None, false) => self.has_not_and_is_owed(who, &live, now),
            (None, true) => self.has_not(who),
        };
        Answer { has: mode.is_some(), words }
    }

    fn has_and_is_owed(&self, who: &str, mode: &Mode, live: &[Bought<'_>], now: Timestamp) -> String {
        let run = &self.run;
        let backing: Vec<Bought<'_>> = live.iter().filter(|bought| bought.grant.mode == *mode).copied().collect();
        if !backing.is_empty() {
            return format!("{who} has {mode} in {run} because {}", because(&backing));
        }
        let (owed, paid) = (modes(live), because(live));
        let due = self.enrollment.and_then(|enrollment| enrollment.due_at);
        if let (Some((ended, _, why)), Some(due)) = (self.ended(), due)
            && ended.grant.mode == *mode
        {
            let when = human::relative(due, now);
            return format!("{who} still has {mode} in {run}: {why}; {owed} is left {when}, because {paid}");
        }
        match self.reason() {
            Some(Reason::HasBetter { .. }) => {
                format!("{who} has {mode} in {run}, not from Bursar, which is more than {owed}; {paid}")
            }
            _ if self.changed_since() => {
                format!("{who} has {mode} in {run} and not {owed}, though {paid}: {}", self.changed())
            }
            Some(reason) if !self.is_due() => {
                format!("{who} has {mode} in {run} and not {owed}, though {paid}: {reason}")
            }
            _ => format!("{who} has {mode} in {run} and gets {owed} in the next moments, because {paid}"),
        }
    }

    fn has_and_is_not_owed(&self, who: &str, mode: &Mode, now: Timestamp) -> String {
        let run = &self.run;
        let Some((bought, at, ended)) = self.ended() else {
            return format!("{who} has {mode} in {run}, not from Bursar");
        };
        let closed = self.enrollment.and_then(|enrollment| enrollment.closed_at).is_some_and(|closed| closed >= at);
        let due = self.enrollment.and_then(|enrollment| enrollment.due_at);
        match (self.reason(), due) {
            (Some(Reason::RemovalsPaused), _) => format!(
                "{who} still has {mode} in {run}: {ended}, but removals of {} pause until a person has looked: bursar review list",
                bought.purchase.shop
            ),
            (Some(Reason::AskBeforeRevoke), None) => {
                format!(
                    "{who} still has {mode} in {run}: {ended}, and a person decides whether it is taken: bursar review list"
                )
            }
            (_, Some(due)) if !closed => {
                format!("{who} still has {mode} in {run}: {ended}, and it is taken away {}", human::relative(due, now))
            }
            (Some(Reason::Restored | Reason::AlreadyRight | Reason::NothingGiven), _) | (None, _) => {
                format!("{who} has {mode} in {run}, as without Bursar: {ended}")
            }
            (Some(reason), _) => format!("{who} has {mode} in {run}, though {ended}: {reason}"),
        }
    }

    fn has_not_and_is_owed(&self, who: &str, live: &[Bought<'_>], now: Timestamp) -> String {
        let run = &self.run;
        let (owed, paid) = (modes(live), because(live));
        let why = match (self.username.is_some(), live.first()) {
            (false, Some(bought)) => self.no_account(bought.grant, now),
            _ if self.changed_since() => self.changed(),
            _ => match self.reason() {
                Some(reason) if !self.is_due() => reason.to_string(),
                _ => "Bursar is about to enroll them".to_owned(),
            },
        };
        format!("{who} has not {owed} in {run}, though {paid}: {why}")
    }

    fn has_not(&self, who: &str) -> String {
        let run = &self.run;
        let Some((bought, _, ended)) = self.ended() else {
            return format!("{who} is not enrolled in {run}, and bought it nowhere");
        };
        format!("{who} has not {} in {run}, because {ended}", bought.grant.mode)
    }

    fn no_account(&self, grant: &PurchaseGrant, now: Timestamp) -> String {
        let lms = &self.lms;
        match grant.resolution.as_deref() {
            Some("waiting") => {
                let next = grant.looked_for_next.map(|at| format!("; looked for again {}", human::relative(at, now)));
                format!("the LMS {lms} has no account for this learner yet{}", next.unwrap_or_default())
            }
            Some("retired") => format!("the account in {lms} was retired"),
            Some("unsupported") => "the learner is named in a way that cannot be looked up".to_owned(),
            _ => format!("the account in {lms} is being looked up"),
        }
    }

    /// Was it right when Bursar looked last, and is it something else now?
    fn changed_since(&self) -> bool {
        let recorded = self.enrollment.and_then(|enrollment| enrollment.seen.as_ref());
        self.now.is_some() && recorded.is_some_and(|seen| seen.active_mode().is_some()) && self.now.as_ref() != recorded
    }

    fn changed(&self) -> String {
        let at = self.enrollment.and_then(|enrollment| enrollment.seen_at).map(human::moment).unwrap_or_default();
        format!("somebody changed it in the LMS after {at}; `bursar reconcile` has Bursar look at it")
    }
}

/// Everything for which it is owed.
fn because(bought: &[Bought<'_>]) -> String {
    let mut reasons: Vec<String> = bought.iter().map(Bought::because).collect();
    reasons.dedup();
    reasons.join("; and ")
}

fn modes(bought: &[Bought<'_>]) -> String {
    let modes: BTreeSet<&str> = bought.iter().map(|bought| bought.grant.mode.as_str()).collect();
    modes.into_iter().collect::<Vec<_>>().join(" and ")
}

#[cfg(test)]
mod tests {
    use bursar_domain::{
        grants::Ended,
        ids::{EnrollmentId, GrantId},
    };

    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_795_422_685_000);

    fn at(seconds_ago: i64) -> Timestamp {
        Timestamp::from_millis(NOW.as_millis() - seconds_ago * 1_000)
    }

    fn mode(text: &str) -> Mode {
        Mode::parse(text).unwrap()
    }

    fn active(text: &str) -> Seen {
        Seen::Active { mode: mode(text) }
    }

    fn purchase(order: &str, owed: &str, username: Option<&str>, ended: Option<Reason>) -> Purchase {
        Purchase {
            shop: bursar_domain::ShopName::parse("campus").unwrap(),
            order: order.to_owned(),
            order_id: order.to_owned(),
            line: "1".to_owned(),
            title: None,
            payment: Payment::Paid,
            grant: Some(PurchaseGrant {
                id: GrantId::new(NOW),
                lms: LmsName::parse("main").unwrap(),
                run: CourseRun::parse("course-v1:X+Y+Z").unwrap(),
                mode: mode(owed),
                since: at(600),
                until: None,
                ended: ended.map(|reason| Ended { at: at(60), reason }),
                username: username.map(str::to_owned),
                resolution: Some(if username.is_some() { "resolved" } else { "waiting" }.to_owned()),
                waiting_since: Some(at(600)),
                looked_for_next: Some(NOW.plus(std::time::Duration::from_secs(300))),
            }),
            unmapped: false,
        }
    }

    fn enrollment(seen: Seen, state: &str, reason: Reason, due_in: Option<u64>, closed: bool) -> EnrollmentSummary {
        EnrollmentSummary {
            id: EnrollmentId::new(NOW),
            lms: LmsName::parse("main").unwrap(),
            username: "ada".to_owned(),
            run: CourseRun::parse("course-v1:X+Y+Z").unwrap(),
            baseline: None,
            seen: Some(seen),
            seen_at: Some(at(30)),
            state: state.to_owned(),
            reason: Some(reason),
            due_at: due_in.map(|seconds| NOW.plus(std::time::Duration::from_secs(seconds))),
            closed_at: closed.then(|| at(30)),
            trail: Vec::new(),
        }
    }

    /// The answer for purchases, what is recorded, and what the LMS says now.
    fn told(purchases: &[Purchase], enrollment: Option<&EnrollmentSummary>, now: Option<Seen>) -> String {
        let bought = |purchase| -> Bought<'_> {
            let purchase: &Purchase = purchase;
            Bought { purchase, grant: purchase.grant.as_ref().unwrap(), order: None }
        };
        let topic = Topic {
            lms: LmsName::parse("main").unwrap(),
            run: CourseRun::parse("course-v1:X+Y+Z").unwrap(),
            username: purchases.first().and_then(|purchase| purchase.grant.as_ref()?.username.clone()),
            bought: purchases.iter().map(bought).collect(),
            enrollment,
            now,
        };
        topic.answer("ada", NOW).words
    }

    #[test]
    fn what_was_bought_and_is_there_is_there_because_it_is_paid() {
        let recorded = enrollment(active("verified"), "settled", Reason::AlreadyRight, None, false);
        let bought = [purchase("1", "verified", Some("ada"), None), purchase("2", "audit", Some("ada"), None)];
        let expected = "ada has verified in course-v1:X+Y+Z because order campus/1 is paid";
        assert_eq!(told(&bought, Some(&recorded), Some(active("verified"))), expected);
        assert_eq!(told(&bought, Some(&recorded), None), expected, "what was recorded serves where nobody was asked");
    }

    #[test]
    fn somebody_without_an_account_is_told_of_when_it_is_looked_for_again() {
        assert_eq!(
            told(&[purchase("1", "verified", None, None)], None, None),
            "ada has not verified in course-v1:X+Y+Z, though order campus/1 is paid: \
             the LMS main has no account for this learner yet; looked for again in 5 min"
        );
    }

    #[test]
    fn a_refund_still_leaves_the_course_while_taking_waits() {
        let refunded = Some(Reason::Held { cause: Cause::Refunded });
        let recorded = enrollment(active("verified"), "due", Reason::Bought, Some(840), false);
        let first = purchase("1", "verified", Some("ada"), refunded);
        assert_eq!(
            told(std::slice::from_ref(&first), Some(&recorded), None),
            "ada still has verified in course-v1:X+Y+Z: order campus/1 was refunded, and it is taken away in 14 min"
        );
        assert_eq!(
            told(&[first, purchase("2", "audit", Some("ada"), None)], Some(&recorded), None),
            "ada still has verified in course-v1:X+Y+Z: order campus/1 was refunded; \
             audit is left in 14 min, because order campus/2 is paid"
        );
    }

    #[test]
    fn a_closed_history_tells_why_it_was_closed() {
        let refunded = Some(Reason::Held { cause: Cause::Refunded });
        let bought = [purchase("1", "verified", Some("ada"), refunded)];
        let off = Seen::Inactive { mode: mode("verified") };
        let recorded = enrollment(off, "settled", Reason::Restored, None, true);
        assert_eq!(
            told(&bought, Some(&recorded), None),
            "ada has not verified in course-v1:X+Y+Z, because order campus/1 was refunded"
        );
        let recorded = enrollment(active("audit"), "settled", Reason::Restored, None, true);
        assert_eq!(
            told(&bought, Some(&recorded), None),
            "ada has audit in course-v1:X+Y+Z, as without Bursar: order campus/1 was refunded"
        );
    }

    #[test]
    fn who_left_has_left_and_who_has_more_keeps_it() {
        let bought = [purchase("1", "verified", Some("ada"), None)];
        let off = Seen::Inactive { mode: mode("verified") };
        let recorded = enrollment(off, "settled", Reason::Left, None, false);
        assert_eq!(
            told(&bought, Some(&recorded), None),
            "ada has not verified in course-v1:X+Y+Z, though order campus/1 is paid: \
             the learner left the course after it was given"
        );
        let better = Reason::HasBetter { mode: mode("professional") };
        let recorded = enrollment(active("professional"), "settled", better, None, false);
        assert_eq!(
            told(&bought, Some(&recorded), None),
            "ada has professional in course-v1:X+Y+Z, not from Bursar, which is more than verified; order campus/1 is paid"
        );
    }

    #[test]
    fn what_the_lms_says_now_goes_before_what_it_said() {
        let bought = [purchase("1", "verified", Some("ada"), None)];
        let recorded = enrollment(active("verified"), "settled", Reason::Bought, Some(60), false);
        let told = told(&bought, Some(&recorded), Some(Seen::Absent));
        assert!(told.starts_with("ada has not verified") && told.contains("somebody changed it"), "{told}");
    }
}
