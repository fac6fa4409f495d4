//! Keeping enrollment-allowed records: leave to enroll, given to an address that has no account yet.
//!
//! Owns what is asked of the LMS for it. A record is read before it is made, so that one that was there before is told from
//! ours and is never deleted; a request is written down before it is sent. Purchases go first.

use std::time::Duration;

use bursar_domain::{
    Timestamp,
    policy::ShopMode,
    reason::{LmsWork, Reason},
};
use bursar_lms::{AllowedCreation, Class, Lms, LmsError, Priority};
use bursar_store::{
    allowances::{AllowanceSettled, AllowanceShops, AllowanceState, DueAllowance},
    trail::AuditAction,
};
use futures_util::future::join_all;
use tokio::sync::watch;

use super::{Fulfillment, Pass, Trouble, pause_unless_stopped};

/// How many records are dealt with side by side. They wait behind purchases anyway.
const TOGETHER: u32 = 4;

/// How often there is a look for records that should be otherwise. Nobody waits for one.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// When to ask again an LMS that definitely has no such records: it may have been brought up to date.
const UNSUPPORTED_PAUSE: Duration = Duration::from_secs(86_400);

impl Fulfillment {
    pub(super) async fn keep_allowances(self, mut stop: watch::Receiver<bool>) {
        let mut trouble = Trouble::default();
        while !*stop.borrow() {
            match self.allowances_pass().await {
                Pass { dealt_with: 0, .. } => pause_unless_stopped(&mut stop, LOOK_EVERY).await,
                Pass { trouble: None, .. } => trouble.over(),
                Pass { trouble: Some(error), .. } => pause_unless_stopped(&mut stop, trouble.another(&error)).await,
            }
        }
    }

    /// Deals with the records that should be otherwise, as many as are dealt with together.
    pub async fn allowances_pass(&self) -> Pass {
        let Some(limit) = self.room_for(TOGETHER) else { return Pass::default() };
        let shops = self.allowance_shops();
        // A record, the request for it, and taking it back, each after a wait for a turn.
        let lease = self.lms.longest_call().saturating_mul(3).saturating_add(Duration::from_secs(30));
        let due = match self.store.claim_allowances(&self.name, &shops, self.clock.now(), limit, lease).await {
            Ok(due) => due,
            Err(error) => {
                tracing::error!(lms = %self.name, error = %error.chain(), "the records of who may enroll cannot be read");
                return Pass::default();
            }
        };
        let dealt_with = due.len();
        let failures = join_all(due.into_iter().map(|due| self.keep_allowance(due))).await;
        let trouble = failures.into_iter().flatten().next();
        if let Some(error) = &trouble {
            tracing::warn!(lms = %self.name, code = error.code(), %error, "who may enroll could not be told to the LMS");
        }
        self.tell(LmsWork::Allowances, dealt_with, trouble.as_ref()).await;
        Pass { dealt_with, trouble }
    }

    fn allowance_shops(&self) -> AllowanceShops {
        let policies = || self.policies.values().filter(|policy| policy.lms == self.name);
        let named = |policy: &bursar_domain::policy::ShopPolicy| policy.shop.clone();
        AllowanceShops {
            live: policies().filter(|p| p.enrollment_allowed && p.mode == ShopMode::Live).map(named).collect(),
            without: policies().filter(|p| !p.enrollment_allowed).map(named).collect(),
            idle: policies().filter(|p| p.mode != ShopMode::Live).map(named).collect(),
        }
    }

    /// Deals with one record; answers what went wrong with the LMS, if anything did.
    async fn keep_allowance(&self, due: DueAllowance) -> Option<LmsError> {
        let lms = self.lms.at(Priority::Upkeep);
        let (settled, failure) = match self.tend(&due, &lms).await {
            Ok(Some(settled)) => (settled, None),
            // Somebody else has taken over.
            Ok(None) => return None,
            Err((state, error)) => {
                let due_at = match error.class() {
                    Class::Definite => self.clock.now().plus(UNSUPPORTED_PAUSE),
                    Class::TryAgain { .. } | Class::Unclear | Class::Ours => {
                        self.again_at(&error, due.attempts + 1, self.clock.now())
                    }
                };
                (AllowanceSettled { state, due_at: Some(due_at), told: None }, Some(error))
            }
        };
        let id = due.id;
        if let Err(error) = self.store.record_allowance(due, settled, self.clock.now()).await {
            tracing::error!(lms = %self.name, allowance = %id, error = %error.chain(), "what was done could not be recorded; it is read again");
        }
        failure
    }

    /// | the record | a live shop's grant waits | it may still be needed | otherwise |
    /// |---|---|---|---|
    /// | wanted | read; there: theirs; not there: made | gone | gone |
    /// | making, or ours and in doubt | read; there: ours; not there: made | read; there: ours | deleted |
    /// | ours | – | – | deleted |
    ///
    /// The error has what is known of the record then.
    async fn tend(
        &self,
        due: &DueAllowance,
        lms: &Lms,
    ) -> Result<Option<AllowanceSettled>, (AllowanceState, LmsError)> {
        let now = self.clock.now();
        let settled = |state, told| Ok(Some(AllowanceSettled { state, due_at: None, told }));
        match due.state {
            AllowanceState::Wanted if !due.wanted => return settled(AllowanceState::Gone, None),
            AllowanceState::Theirs | AllowanceState::Gone => return settled(due.state, None),
            AllowanceState::Ours if !due.kept => return self.take_back(due, lms).await.map(Some),
            AllowanceState::Wanted | AllowanceState::Making | AllowanceState::Ours => {}
        }
        let known = |error| (due.state, error);
        let records = lms.enrollment_allowed(&due.email).await.map_err(known)?;
        let there = records.iter().any(|record| record.run.as_str().eq_ignore_ascii_case(due.run.as_str()));
        if there {
            return match due.state {
                AllowanceState::Wanted => {
                    settled(AllowanceState::Theirs, Some((AuditAction::LeftAlone, Reason::AllowanceNotOurs)))
                }
                _ if due.kept => settled(AllowanceState::Ours, made_if(due.state == AllowanceState::Making)),
                _ => self.take_back(due, lms).await.map(Some),
            };
        }
        if let Some(until) = self.may_land_until(due, now) {
            return Ok(Some(AllowanceSettled { state: AllowanceState::Making, due_at: Some(until), told: None }));
        }
        if !due.wanted {
            return settled(AllowanceState::Gone, None);
        }
        if let Err(error) = self.store.intend_allowance(due, now).await {
            tracing::error!(lms = %self.name, allowance = %due.id, error = %error.chain(), "an intent could not be recorded, so nothing was sent");
            return Ok(None);
        }
        // Bursar enrolls the learner itself, in the mode that was bought; the LMS would do it in its default mode.
        let auto_enroll = false;
        match lms.create_enrollment_allowed(&due.email, &due.run, auto_enroll).await {
            Ok(AllowedCreation::Created) => settled(AllowanceState::Ours, made_if(true)),
            Ok(AllowedCreation::Existed) => {
                settled(AllowanceState::Theirs, Some((AuditAction::LeftAlone, Reason::AllowanceNotOurs)))
            }
            Err(error) if error.may_have_had_effect() => Err((AllowanceState::Making, error)),
            Err(error) => Err((AllowanceState::Wanted, error)),
        }
    }

    async fn take_back(&self, due: &DueAllowance, lms: &Lms) -> Result<AllowanceSettled, (AllowanceState, LmsError)> {
        // Deleted or gone already: either way there is none.
        lms.delete_enrollment_allowed(&due.email, &due.run).await.map_err(|error| (AllowanceState::Ours, error))?;
        let told = Some((AuditAction::AllowanceRemoved, Reason::AllowanceOver));
        Ok(AllowanceSettled { state: AllowanceState::Gone, due_at: None, told })
    }

    /// An unanswered request may still have its effect until then.
    fn may_land_until(&self, due: &DueAllowance, now: Timestamp) -> Option<Timestamp> {
        let sent = due.intent_at.filter(|_| due.state == AllowanceState::Making)?;
        Some(sent.plus(self.call_timeout)).filter(|until| *until > now)
    }
}

fn made_if(made: bool) -> Option<(AuditAction, Reason)> {
    made.then_some((AuditAction::AllowanceMade, Reason::NoAccount))
}
