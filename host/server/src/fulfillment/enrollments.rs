//! Dealing with one enrollment: read, decide, write the intent down, act, record.
//!
//! Owns that order. Nothing is sent to the LMS that was not written down before; nothing is repeated without reading first.

use bursar_domain::{
    Mode, Timestamp,
    fulfillment::{self, Action, LiveGrant, Seen},
    policy::{OnRevoke, ShopMode},
    reason::{Concern, Reason},
};
use bursar_lms::{Class, Enrollment, EnrollmentChange, LmsError, Priority};
use bursar_store::{
    StoreError,
    enrollments::{DueEnrollment, GrantRow, Intent, Settled},
    trail::AuditAction,
};

use super::Fulfillment;

impl Fulfillment {
    /// Deals with an enrollment; answers what went wrong with the LMS, if anything did.
    pub(super) async fn deal_with(&self, due: DueEnrollment) -> Option<LmsError> {
        let now = self.clock.now();
        let counted = self.counted(&due, now);
        let priority = if counted.live.is_empty() { Priority::Removal } else { Priority::Purchase };
        let lms = self.lms.at(priority);
        let seen = match lms.enrollment(&due.username, &due.run).await {
            Ok(enrollment) => seen(enrollment.as_ref()),
            Err(error) => {
                let settled = self.postponed(&due, &error, None, due.intent.is_some());
                self.record(due, settled).await;
                return Some(error);
            }
        };
        // An answer that never came: did the request have its effect?
        let found_done = due.intent.as_ref().filter(|intent| matches(&seen, intent)).cloned();
        let mut history = due.history.clone();
        if let Some(intent) = found_done.as_ref().filter(|intent| intent.active) {
            history.given.push(intent.mode.clone());
        }
        if found_done.is_none()
            && let Some(intent) = &due.intent
            && now < intent.at.plus(self.call_timeout)
        {
            // The old request may still land. Sending another one now could cross it.
            let settled = Settled {
                seen: Some(seen),
                due_at: Some(intent.at.plus(self.call_timeout)),
                keep_intent: true,
                ..Settled::new(AuditAction::Postponed, in_doubt())
            };
            self.record(due, settled).await;
            return None;
        }
        let action = fulfillment::decide(&counted.live, &history, &seen, &self.ladder, counted.on_revoke);
        let settled = match action {
            Action::Nothing { reason } => {
                let gave = found_done
                    .as_ref()
                    .filter(|intent| intent.active && !counted.live.is_empty())
                    .map(|intent| intent.mode.clone());
                let (action, reason) = match found_done {
                    Some(intent) if intent.active => (AuditAction::Enrolled, Reason::FoundDone),
                    Some(_) => (AuditAction::Unenrolled, Reason::FoundDone),
                    None => (AuditAction::LeftAlone, reason),
                };
                let satisfied = !counted.live.is_empty() && seen.active_mode().is_some();
                Settled { seen: Some(seen), gave, satisfied, due_at: counted.next_look, ..Settled::new(action, reason) }
            }
            Action::Ask { concern } => {
                let reason = Reason::AskBeforeRevoke;
                Settled { seen: Some(seen), concern: Some(concern), ..Settled::new(AuditAction::LeftAlone, reason) }
            }
            Action::Enroll { .. } | Action::Unenroll { .. } if counted.observed => {
                Settled { seen: Some(seen), ..Settled::new(AuditAction::LeftAlone, Reason::ObserveOnly) }
            }
            Action::Enroll { mode, reason } => {
                let intent = Intent { mode, active: true, reason, at: now };
                return self.act(due, counted, seen, intent, &lms).await;
            }
            Action::Unenroll { mode, reason } => {
                let intent = Intent { mode, active: false, reason, at: now };
                return self.act(due, counted, seen, intent, &lms).await;
            }
        };
        self.record(due, settled).await;
        None
    }

    async fn act(
        &self,
        due: DueEnrollment,
        counted: Counted,
        before: Seen,
        intent: Intent,
        lms: &bursar_lms::Lms,
    ) -> Option<LmsError> {
        if let Err(error) = self.store.record_intent(&due, before.clone(), intent.clone()).await {
            log_unrecorded(&due, &error);
            return None;
        }
        let change = EnrollmentChange {
            mode: Some(intent.mode.clone()),
            is_active: Some(intent.active),
            ..EnrollmentChange::new(due.username.clone(), due.run.clone())
        };
        match lms.enroll(&change).await {
            Ok(enrollment) => {
                let action = if intent.active { AuditAction::Enrolled } else { AuditAction::Unenrolled };
                let settled = Settled {
                    seen: Some(seen(Some(&enrollment))),
                    gave: (intent.active && !counted.live.is_empty()).then(|| intent.mode.clone()),
                    satisfied: intent.active && !counted.live.is_empty(),
                    due_at: counted.next_look,
                    closed: counted.live.is_empty(),
                    ..Settled::new(action, intent.reason)
                };
                self.record(due, settled).await;
                None
            }
            Err(LmsError::Definite(refusal)) => {
                let error = LmsError::Definite(refusal);
                let refusal = error.code().to_owned();
                let settled = Settled {
                    seen: Some(before),
                    concern: intent.active.then(|| Concern::EnrollmentRefused { refusal: refusal.clone() }),
                    due_at: counted.next_look,
                    ..Settled::new(AuditAction::Refused, Reason::LmsRefused { refusal })
                };
                self.record(due, settled).await;
                Some(error)
            }
            Err(error) => {
                let settled = self.postponed(&due, &error, Some(before), error.may_have_had_effect());
                self.record(due, settled).await;
                Some(error)
            }
        }
    }

    fn postponed(&self, due: &DueEnrollment, error: &LmsError, seen: Option<Seen>, keep_intent: bool) -> Settled {
        let problem = error.to_string();
        let reason = match error.class() {
            Class::Ours => Reason::LmsMisconfigured { problem },
            Class::Definite => Reason::LmsRefused { refusal: error.code().to_owned() },
            Class::TryAgain { .. } | Class::Unclear => Reason::LmsUnavailable { problem },
        };
        let due_at = Some(self.again_at(error, due.attempts + 1, self.clock.now()));
        Settled { seen, due_at, keep_intent, ..Settled::new(AuditAction::Postponed, reason) }
    }

    async fn record(&self, due: DueEnrollment, settled: Settled) {
        tracing::info!(
            lms = %self.name, enrollment = %due.id, run = %due.run, action = %settled.action,
            mode = settled.seen.as_ref().and_then(Seen::active_mode).map(Mode::as_str), reason = %settled.reason,
            "enrollment"
        );
        let id = due.id;
        if let Err(error) = self.store.record_settled(due, settled, self.clock.now()).await {
            tracing::error!(enrollment = %id, error = %error.chain(), "what was done could not be recorded; it is read again");
        }
    }

    /// The grants that count now. One that ended a moment ago still counts: taking waits.
    fn counted(&self, due: &DueEnrollment, now: Timestamp) -> Counted {
        let quiet_until = |grant: &GrantRow| {
            let ended = grant.ended.as_ref()?;
            Some(ended.at.plus(self.policy(&grant.shop)?.quiet_time)).filter(|until| *until > now)
        };
        let live = due
            .grants
            .iter()
            .filter(|grant| grant.ended.is_none() || quiet_until(grant).is_some())
            .map(|grant| LiveGrant { mode: grant.mode.clone(), since: grant.since })
            .collect();
        let policies = || due.grants.iter().map(|grant| self.policy(&grant.shop));
        Counted {
            live,
            next_look: due.grants.iter().filter_map(quiet_until).min(),
            // Of several shops, the one that takes least decides; one that is configured no more takes nothing.
            on_revoke: policies()
                .map(|policy| policy.map_or(OnRevoke::Keep, |policy| policy.on_revoke))
                .max_by_key(|on_revoke| match on_revoke {
                    OnRevoke::Unenroll => 0,
                    OnRevoke::Downgrade => 1,
                    OnRevoke::Restore => 2,
                    OnRevoke::Review => 3,
                    OnRevoke::Keep => 4,
                })
                .unwrap_or(OnRevoke::Keep),
            observed: policies().all(|policy| policy.is_none_or(|policy| policy.mode == ShopMode::Observe)),
        }
    }
}

struct Counted {
    live: Vec<LiveGrant>,
    next_look: Option<Timestamp>,
    on_revoke: OnRevoke,
    observed: bool,
}

fn in_doubt() -> Reason {
    Reason::LmsUnavailable {
        problem: "an earlier request has not been answered, and may still have its effect".to_owned(),
    }
}

fn seen(enrollment: Option<&Enrollment>) -> Seen {
    match enrollment {
        None => Seen::Absent,
        Some(enrollment) if enrollment.is_active => Seen::Active { mode: enrollment.mode.clone() },
        Some(enrollment) => Seen::Inactive { mode: enrollment.mode.clone() },
    }
}

fn matches(seen: &Seen, intent: &Intent) -> bool {
    match seen {
        Seen::Active { mode } => intent.active && *mode == intent.mode,
        Seen::Inactive { .. } => !intent.active,
        Seen::Absent => false,
    }
}

fn log_unrecorded(due: &DueEnrollment, error: &StoreError) {
    tracing::error!(enrollment = %due.id, error = %error.chain(), "an intent could not be recorded, so nothing was sent");
}
