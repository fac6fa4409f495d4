//! Dealing with one enrollment: read, decide, write the intent down, act, record.
//!
//! Owns that order. Nothing is sent to the LMS that was not written down before; nothing is repeated without reading first.

use std::time::Duration;

use bursar_domain::{
    Mode, Timestamp, brake,
    decision::Answer,
    fulfillment::{self, Action, LiveGrant, Next, Obstacle, Purchase, Refused, Seen, Way},
    policy::{Force, OnRevoke, ShopMode},
    reason::{Concern, Reason},
    retry,
};
use bursar_lms::{Attribute, Class, Enrollment, EnrollmentChange, EnrollmentFilter, Lms, LmsError, Priority, Refusal};
use bursar_store::{
    StoreError,
    enrollments::{DueEnrollment, GrantRow, Intent, Settled, Urgency},
    trail::AuditAction,
};

use futures_util::{StreamExt as _, stream};

use super::{
    Fulfillment, SIDE_BY_SIDE, is_outage,
    together::{Place, Together},
};

impl Fulfillment {
    /// What the LMS says of each of these, in their order.
    pub(super) async fn read(&self, due: &[DueEnrollment]) -> Vec<Result<Seen, LmsError>> {
        // All that are claimed together are of one urgency.
        let lms = self.lms.at(due.first().map_or(Priority::Upkeep, |due| priority(due.urgency)));
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
    pub(super) async fn deal_with(
        &self,
        due: DueEnrollment,
        read: Result<Seen, LmsError>,
        together: &Together,
    ) -> Option<LmsError> {
        if let Some(effect) = self.effect_in_turn(&due) {
            return self.change_enrollment(effect, read, together).await;
        }
        let now = self.clock.now();
        let counted = self.counted(&due, now);
        let lms = self.lms.at(if counted.live.is_empty() { Priority::Removal } else { Priority::Purchase });
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
        let mut action = fulfillment::decide(&counted.live, &history, &seen, &self.ladder, counted.on_revoke);
        if counted.removals_paused && takes(&action) {
            action = Action::Nothing { reason: Reason::RemovalsPaused };
        }
        let look_again_at = self.look_again_at(&counted, now);
        let settled = match action {
            Action::Nothing { reason: Reason::RemovalsPaused } => Settled {
                seen: Some(seen),
                gave,
                due_at: counted.next_look,
                ..Settled::new(AuditAction::LeftAlone, Reason::RemovalsPaused)
            },
            Action::Nothing { reason } => {
                let (action, reason) = match found_done {
                    Some(intent) if intent.active => (AuditAction::Enrolled, Reason::FoundDone),
                    Some(_) => (AuditAction::Unenrolled, Reason::FoundDone),
                    None if reason == Reason::Kept && due.answer == Some(Answer::Keep) => {
                        (AuditAction::LeftAlone, Reason::KeptByPerson)
                    }
                    None => (AuditAction::LeftAlone, reason),
                };
                Settled {
                    satisfied: !counted.live.is_empty() && seen.active_mode().is_some(),
                    seen: Some(seen),
                    gave,
                    due_at: counted.next_look,
                    look_again_at,
                    closed: counted.live.is_empty(),
                    ..Settled::new(action, reason)
                }
            }
            Action::Ask { concern, reason } => {
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
                let intent = Intent { mode, active: true, way: Way::Plain, reason, at: now };
                return self.act(due, counted, seen, gave, intent, (&lms, together)).await;
            }
            Action::Unenroll { mode, reason } => {
                let intent = Intent { mode, active: false, way: Way::Plain, reason, at: now };
                return self.act(due, counted, seen, gave, intent, (&lms, together)).await;
            }
        };
        self.record(due, settled).await;
        None
    }

    /// Does what was decided; where the LMS refuses, tries the ways round that there are, each once.
    async fn act(
        &self,
        due: DueEnrollment,
        counted: Counted,
        before: Seen,
        mut gave: Vec<Mode>,
        mut intent: Intent,
        (lms, together): (&Lms, &Together),
    ) -> Option<LmsError> {
        loop {
            if let Err(error) = self.store.record_intent(&due, before.clone(), intent.clone()).await {
                log_unrecorded(&due, &error);
                return None;
            }
            let place = match together.place().await {
                Place::Free(place) => place,
                Place::Outage(outage) => {
                    let settled = Settled { gave, ..self.postponed(&due, &outage, Some(before), false) };
                    self.record(due, settled).await;
                    return Some(outage);
                }
                // It keeps its claim, and its intent says that it must be read, as after a crash.
                Place::Stopping => return None,
            };
            if self.clock.now().since(intent.at) > INTENT_SERVES {
                intent.at = self.clock.now();
                if let Err(error) = self.store.record_intent(&due, before.clone(), intent.clone()).await {
                    log_unrecorded(&due, &error);
                    return None;
                }
            }
            let change = change(&due, &counted, &intent);
            let answered = match intent.way {
                Way::Plain | Way::KeepMode | Way::Force => lms.enroll(&change).await,
                Way::ApiKey => lms.enroll_with_api_key(&change).await,
            };
            together.note(answered.as_ref().err());
            drop(place);
            let refusal = match answered {
                Ok(enrollment) => {
                    let settled = self.done(&counted, &enrollment, gave, intent);
                    self.record(due, settled).await;
                    return None;
                }
                Err(LmsError::Definite(refusal)) => refusal,
                Err(error) => {
                    let postponed = self.postponed(&due, &error, Some(before), error.may_have_had_effect());
                    let settled = Settled { gave, ..postponed };
                    self.record(due, settled).await;
                    return Some(error);
                }
            };
            let next = match self.way_round(&due, &counted, &before, &intent, &refusal).await {
                Ok(next) => next,
                Err(error) => {
                    let settled = Settled { gave, ..self.postponed(&due, &error, Some(before), false) };
                    self.record(due, settled).await;
                    return Some(error);
                }
            };
            match next {
                Next::Try(way) => intent = Intent { way, at: self.clock.now(), ..intent },
                Next::WaitUntil(opens) => {
                    let reason = Reason::NotOpenYet { opens };
                    let due_at = Some(opens.plus(AFTER_OPENING));
                    let postponed = Settled::new(AuditAction::Postponed, reason);
                    self.record(due, Settled { seen: Some(before), gave, due_at, ..postponed }).await;
                    return None;
                }
                Next::GiveUp(obstacle) => {
                    if let Refusal::ModeMismatch { active, .. } = &refusal {
                        // Somebody changed it between our reading and our request. What is there now is not ours.
                        gave.clear();
                        let settled = Settled {
                            seen: Some(Seen::Active { mode: active.clone() }),
                            closed: counted.live.is_empty(),
                            ..Settled::new(AuditAction::LeftAlone, Reason::NotOurs { mode: active.clone() })
                        };
                        self.record(due, settled).await;
                        return None;
                    }
                    let reason = Reason::LmsRefused { obstacle: obstacle.clone() };
                    let settled = Settled {
                        seen: Some(before),
                        gave,
                        concern: Some(if gives(&intent) {
                            Concern::EnrollmentRefused { obstacle }
                        } else {
                            Concern::Revoke { reason: Box::new(reason.clone()) }
                        }),
                        due_at: counted.next_look,
                        ..Settled::new(AuditAction::Refused, reason)
                    };
                    self.record(due, settled).await;
                    return Some(LmsError::Definite(refusal));
                }
            }
        }
    }

    fn done(&self, counted: &Counted, enrollment: &Enrollment, mut gave: Vec<Mode>, intent: Intent) -> Settled {
        let action = if intent.active { AuditAction::Enrolled } else { AuditAction::Unenrolled };
        if intent.active {
            gave.push(intent.mode);
        }
        Settled {
            seen: Some(seen(Some(enrollment))),
            gave,
            satisfied: intent.active && !counted.live.is_empty(),
            due_at: counted.next_look,
            look_again_at: self.look_again_at(counted, self.clock.now()),
            closed: counted.live.is_empty(),
            ..Settled::new(action, intent.reason)
        }
    }

    /// What to do after the LMS refused.
    async fn way_round(
        &self,
        due: &DueEnrollment,
        counted: &Counted,
        before: &Seen,
        intent: &Intent,
        refusal: &Refusal,
    ) -> Result<Next, LmsError> {
        let refused = match refusal {
            Refusal::ModeUnavailable { .. } => Refused::Mode,
            Refusal::EnrollmentRefused => Refused::Enrollment,
            other => {
                let refusal = LmsError::Definite(other.clone()).code().to_owned();
                return Ok(Next::GiveUp(Obstacle::Other { refusal }));
            }
        };
        let facts = match self.run_facts(&due.run).await {
            Ok(facts) => facts,
            Err(LmsError::Definite(other)) => {
                let refusal = LmsError::Definite(other).code().to_owned();
                return Ok(Next::GiveUp(Obstacle::Other { refusal }));
            }
            Err(error) => return Err(error),
        };
        let now = self.clock.now();
        // Going back to what was there before is no purchase, and opens nothing.
        let (sold_at, force) =
            if gives(intent) { (counted.sold_at(&intent.mode), counted.force) } else { (now, Force::Never) };
        let has_api_key = self.lms.has_api_key();
        let purchase = Purchase { mode: &intent.mode, sold_at, force, has_api_key };
        Ok(fulfillment::after_refusal(intent.way, refused, before, &facts, &purchase, now))
    }

    /// When to see whether what is right still is.
    fn look_again_at(&self, counted: &Counted, now: Timestamp) -> Option<Timestamp> {
        let pause = self.look_again.filter(|_| !counted.live.is_empty() && !counted.observed)?;
        // Spread, so that what was bought together is not looked at together for ever.
        Some(now.plus(retry::spread(pause, fastrand::u32(..))))
    }

    fn postponed(&self, due: &DueEnrollment, error: &LmsError, seen: Option<Seen>, keep_intent: bool) -> Settled {
        let problem = error.to_string();
        let (reason, concern) = match error.class() {
            Class::Ours => (Reason::LmsMisconfigured { problem }, None),
            Class::Definite => {
                let obstacle = Obstacle::Other { refusal: error.code().to_owned() };
                (Reason::LmsRefused { obstacle }, None)
            }
            Class::TryAgain { .. } => (Reason::LmsUnavailable { problem }, None),
            Class::Unclear => {
                // It is tried for ever, but not in silence.
                let obstacle = Obstacle::Other { refusal: error.code().to_owned() };
                let concern = (due.attempts >= UNCLEAR_TOLD_AFTER).then_some(Concern::EnrollmentRefused { obstacle });
                (Reason::LmsUnavailable { problem }, concern)
            }
        };
        // While the LMS is left alone everything keeps its place: who has waited longest goes first when it is back.
        let rests = self.lms.rests().is_some() && is_outage(error);
        let due_at = if rests { due.due_at } else { self.again_at(error, due.attempts + 1, self.clock.now()) };
        Settled { seen, due_at: Some(due_at), keep_intent, concern, ..Settled::new(AuditAction::Postponed, reason) }
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
        // What ended before everything was last undone has nothing to do with what is there now.
        let past = |grant: &GrantRow| grant.ended.as_ref().is_some_and(|ended| due.closed_at > Some(ended.at));
        let counts = move |grant: &&GrantRow| (observed || !observes(grant).unwrap_or(false)) && !past(grant);
        let grants = || due.grants.iter().filter(counts);
        let live = || grants().filter(|grant| grant.ended.is_none() || quiet_until(grant).is_some());
        Counted {
            live: live()
                .map(|grant| LiveGrant {
                    mode: grant.mode.clone(),
                    since: grant.since,
                    earlier_sale: self.is_earlier_sale(grant),
                })
                .collect(),
            sold: live().map(|grant| (grant.mode.clone(), grant.placed_at.unwrap_or(grant.since))).collect(),
            order: live().max_by_key(|grant| grant.since).map(|grant| format!("{}/{}", grant.shop, grant.order_name)),
            next_look: grants().filter_map(quiet_until).min(),
            on_revoke: match due.answer {
                Some(Answer::Take) => OnRevoke::Restore,
                Some(Answer::Keep) => OnRevoke::Keep,
                Some(Answer::Noted | Answer::Again) | None => self.takes_least(grants()),
            },
            // The purchase that opens most counts: it was paid for.
            force: live()
                .filter_map(|grant| self.policy(&grant.shop))
                .map(|policy| policy.force)
                .max_by_key(|force| match force {
                    Force::Never => 0,
                    Force::IfPaidWhileOpen => 1,
                    Force::Always => 2,
                })
                .unwrap_or(Force::Never),
            removals_paused: grants().any(|grant| {
                grant.removals_paused && grant.ended.as_ref().is_some_and(|ended| brake::counts(&ended.reason))
            }),
            observed,
        }
    }

    /// Of the policies about what is left behind, the one that takes least. A shop that is configured no more takes nothing.
    fn takes_least<'a>(&self, grants: impl Iterator<Item = &'a GrantRow>) -> OnRevoke {
        let policy = |grant: &GrantRow| {
            let expired = grant.ended.as_ref().is_some_and(|ended| ended.reason == Reason::Expired);
            self.policy(&grant.shop)
                .map_or(OnRevoke::Keep, |policy| if expired { policy.on_expiry } else { policy.on_revoke })
        };
        grants
            .map(policy)
            .max_by_key(|on_revoke| match on_revoke {
                OnRevoke::Unenroll => 0,
                OnRevoke::Downgrade => 1,
                OnRevoke::Restore => 2,
                OnRevoke::Review => 3,
                OnRevoke::Keep => 4,
            })
            .unwrap_or(OnRevoke::Keep)
    }

    fn is_earlier_sale(&self, grant: &GrantRow) -> bool {
        let sold_before = self.policy(&grant.shop).and_then(|policy| policy.sold_before);
        grant.placed_at.zip(sold_before).is_some_and(|(placed_at, sold_before)| placed_at < sold_before)
    }
}

struct Counted {
    live: Vec<LiveGrant>,
    /// What was sold when, of what is live.
    sold: Vec<(Mode, Timestamp)>,
    /// The newest order that is owed for, as the LMS is told: `campus/1001`.
    order: Option<String>,
    next_look: Option<Timestamp>,
    on_revoke: OnRevoke,
    force: Force,
    removals_paused: bool,
    observed: bool,
}

impl Counted {
    /// When this mode was first sold; of a mode that nobody sold, when anything was.
    fn sold_at(&self, mode: &Mode) -> Timestamp {
        let sold =
            |of_mode: bool| self.sold.iter().filter(|(sold, _)| !of_mode || sold == mode).map(|(_, at)| *at).min();
        sold(true).or_else(|| sold(false)).unwrap_or(Timestamp::from_millis(i64::MAX))
    }
}

/// Does it give what was bought? Otherwise it takes something away.
fn gives(intent: &Intent) -> bool {
    intent.active && !matches!(intent.reason, Reason::Restored | Reason::LoweredToRemaining)
}

fn takes(action: &Action) -> bool {
    match action {
        Action::Unenroll { .. } => true,
        Action::Ask { concern, .. } => matches!(concern, Concern::Revoke { .. }),
        Action::Enroll { reason, .. } => matches!(reason, Reason::Restored | Reason::LoweredToRemaining),
        Action::Nothing { .. } => false,
    }
}

/// The request for what is intended.
fn change(due: &DueEnrollment, counted: &Counted, intent: &Intent) -> EnrollmentChange {
    let mut change = EnrollmentChange::new(due.username.clone(), due.run.clone());
    change.is_active = Some(intent.active);
    change.mode = (intent.way != Way::KeepMode).then(|| intent.mode.clone());
    change.force = intent.way == Way::Force;
    if gives(intent)
        && let Some(order) = &counted.order
    {
        // An order's name that the LMS would not store is no reason not to enroll.
        change.attributes.extend(Attribute::new(ATTRIBUTE_NAMESPACE, ATTRIBUTE_ORDER, order));
    }
    change
}

/// Attributes tell the LMS's staff where an enrollment comes from. The namespace is our own: to what is in `order` the LMS
/// attaches refunds of its own old shop (`docs/lms.md`).
const ATTRIBUTE_NAMESPACE: &str = "bursar";

/// The shop and its name of the order, `campus/1001`.
const ATTRIBUTE_ORDER: &str = "order";

/// After so many tries that nobody knows the outcome of, a person is told. That is after about ten minutes.
const UNCLEAR_TOLD_AFTER: u32 = 8;

/// How long after a course run opens it is asked again: the LMS's clock may be a little behind.
const AFTER_OPENING: Duration = Duration::from_secs(60);

/// How long an intent may wait for a place at the LMS. It is written again after that: it tells from when on the request may
/// have had its effect.
const INTENT_SERVES: Duration = Duration::from_secs(5);

fn priority(urgency: Urgency) -> Priority {
    match urgency {
        Urgency::Purchase => Priority::Purchase,
        Urgency::Removal => Priority::Removal,
        Urgency::Upkeep => Priority::Upkeep,
    }
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
