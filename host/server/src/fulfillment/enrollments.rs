//! Dealing with one enrollment: read, decide, write the intent down, act, record.
//!
//! Owns that order. Nothing is sent to the LMS that was not written down before; nothing is repeated without reading first.

use bursar_domain::{
    Mode, Timestamp,
    fulfillment::{self, Action, LiveGrant, Seen},
    policy::{OnRevoke, ShopMode},
    reason::{Concern, Reason},
};
use bursar_lms::{Class, Enrollment, EnrollmentChange, EnrollmentFilter, LmsError, Priority};
use bursar_store::{
    StoreError,
    enrollments::{DueEnrollment, GrantRow, Intent, Settled},
    trail::AuditAction,
};

use futures_util::{StreamExt as _, stream};

use super::{Fulfillment, SIDE_BY_SIDE};

impl Fulfillment {
    /// What the LMS says of each of these, in their order.
    pub(super) async fn read(&self, due: &[DueEnrollment]) -> Vec<Result<Seen, LmsError>> {
        let lms = self.lms.at(Priority::Purchase);
        if let [_, _, ..] = due
            && let Some(filter) = EnrollmentFilter::users(due.iter().map(|due| due.username.clone()))
        {
            match lms.enrollments(&filter).await {
                Ok(listed) => return due.iter().map(|due| Ok(seen(find(&listed, due)))).collect(),
                // A name that the list cannot be asked for, or a list that is too long: each is read by itself.
                Err(error) if matches!(error.class(), Class::Definite | Class::Unclear) => {
                    tracing::debug!(lms = %self.name, code = error.code(), "the list does not serve, so each is read by itself");
                }
                Err(error) => return due.iter().map(|_| Err(error.clone())).collect(),
            }
        }
        let reads = due.iter().map(|due| {
            let (lms, username, run) = (lms.clone(), due.username.clone(), due.run.clone());
            async move { lms.enrollment(&username, &run).await.map(|enrollment| seen(enrollment.as_ref())) }
        });
        let reads: Vec<_> = reads.collect();
        stream::iter(reads).buffered(SIDE_BY_SIDE).collect().await
    }

    /// Deals with an enrollment of which the LMS says this; answers what went wrong with the LMS, if anything did.
    pub(super) async fn deal_with(&self, due: DueEnrollment, read: Result<Seen, LmsError>) -> Option<LmsError> {
        if let Some(effect) = self.effect_in_turn(&due) {
            return self.change_enrollment(effect, read).await;
        }
        let now = self.clock.now();
        let counted = self.counted(&due, now);
        let priority = if counted.live.is_empty() { Priority::Removal } else { Priority::Purchase };
        let lms = self.lms.at(priority);
        let seen = match read {
            Ok(seen) => seen,
            Err(error) => {
                let settled = self.postponed(&due, &error, None, due.intent.is_some());
                self.record(due, settled).await;
                return Some(error);
            }
        };
        // An answer that never came: did the request have its effect?
        let found_done = due.intent.as_ref().filter(|intent| matches(&seen, intent)).cloned();
        let gave: Vec<Mode> =
            found_done.iter().filter(|intent| intent.active).map(|intent| intent.mode.clone()).collect();
        let mut history = due.history.clone();
        history.given.extend(gave.iter().cloned());
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
                let (action, reason) = match found_done {
                    Some(intent) if intent.active => (AuditAction::Enrolled, Reason::FoundDone),
                    Some(_) => (AuditAction::Unenrolled, Reason::FoundDone),
                    None => (AuditAction::LeftAlone, reason),
                };
                let satisfied = !counted.live.is_empty() && seen.active_mode().is_some();
                let closed = counted.live.is_empty();
                let due_at = counted.next_look;
                Settled { seen: Some(seen), gave, satisfied, due_at, closed, ..Settled::new(action, reason) }
            }
            Action::Ask { concern } => {
                let reason = Reason::AskBeforeRevoke;
                Settled { seen: Some(seen), concern: Some(concern), ..Settled::new(AuditAction::LeftAlone, reason) }
            }
            Action::Enroll { mode, .. } if counted.observed => {
                let reason = Reason::ObserveOnly { mode, active: true };
                Settled { seen: Some(seen), ..Settled::new(AuditAction::LeftAlone, reason) }
            }
            Action::Unenroll { mode, .. } if counted.observed => {
                let reason = Reason::ObserveOnly { mode, active: false };
                Settled { seen: Some(seen), ..Settled::new(AuditAction::LeftAlone, reason) }
            }
            Action::Enroll { mode, reason } => {
                let intent = Intent { mode, active: true, reason, at: now };
                return self.act(due, counted, seen, gave, intent, &lms).await;
            }
            Action::Unenroll { mode, reason } => {
                let intent = Intent { mode, active: false, reason, at: now };
                return self.act(due, counted, seen, gave, intent, &lms).await;
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
        mut gave: Vec<Mode>,
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
                if intent.active {
                    gave.push(intent.mode);
                }
                let settled = Settled {
                    seen: Some(seen(Some(&enrollment))),
                    gave,
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
                    gave,
                    concern: Some(if intent.active {
                        Concern::EnrollmentRefused { refusal: refusal.clone() }
                    } else {
                        Concern::Revoke { reason: Box::new(Reason::LmsRefused { refusal: refusal.clone() }) }
                    }),
                    due_at: counted.next_look,
                    ..Settled::new(AuditAction::Refused, Reason::LmsRefused { refusal })
                };
                self.record(due, settled).await;
                Some(error)
            }
            Err(error) => {
                let postponed = self.postponed(&due, &error, Some(before), error.may_have_had_effect());
                let settled = Settled { gave, ..postponed };
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
        let observes = |grant: &GrantRow| self.policy(&grant.shop).map(|policy| policy.mode == ShopMode::Observe);
        // What only observed shops owe is worked out and not done; beside a shop that is live they do not count. What a shop
        // that is configured no more still owes protects the learner, and is not given.
        let observed = due.grants.iter().all(|grant| observes(grant).unwrap_or(true));
        let counts = move |grant: &&GrantRow| observed || !observes(grant).unwrap_or(false);
        let grants = || due.grants.iter().filter(counts);
        let policies = || grants().map(|grant| self.policy(&grant.shop));
        Counted {
            live: grants()
                .filter(|grant| grant.ended.is_none() || quiet_until(grant).is_some())
                .map(|grant| LiveGrant { mode: grant.mode.clone(), since: grant.since })
                .collect(),
            next_look: grants().filter_map(quiet_until).min(),
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
            observed,
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

pub(super) fn seen(enrollment: Option<&Enrollment>) -> Seen {
    match enrollment {
        None => Seen::Absent,
        Some(enrollment) if enrollment.is_active => Seen::Active { mode: enrollment.mode.clone() },
        Some(enrollment) => Seen::Inactive { mode: enrollment.mode.clone() },
    }
}

/// The one of these that is of this learner and run. The LMS ignores case in both (`docs/lms.md`).
fn find<'a>(listed: &'a [Enrollment], due: &DueEnrollment) -> Option<&'a Enrollment> {
    listed.iter().find(|enrollment| {
        enrollment.username.normalized() == due.username.normalized()
            && enrollment.run.as_str().eq_ignore_ascii_case(due.run.as_str())
    })
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
