//! Effects: changes that adapters ask for beside the ledger.
//!
//! Owns the order of reading, intending, acting and recording for them, which is that of enrollments: nothing is sent that
//! was not written down before, and nothing is repeated without reading first. Changes of an enrollment are made under that
//! enrollment's claim, before anything is decided about what was bought.
//!
//! | found | the effect |
//! |---|---|
//! | it is as asked, and a request of ours has no answer yet | is found done |
//! | it is as asked otherwise | was so already |
//! | it is not as asked, and a request of ours may still land | waits until it cannot any more |
//! | it is not as asked, and a request of ours surely did not land | is tried again after a growing pause |
//! | its shop is only observed by now, or not configured any more | is not done |
//! | otherwise | is done; a definite no ends it and asks a person, and any other failure has it tried again |

use bursar_domain::{
    CourseRun, Email, Username,
    effect::{AddressChange, Change, EffectEnd, EnrollmentChange, FullName},
    fulfillment::Seen,
    policy::ShopMode,
    reason::{LmsWork, Reason},
    retry,
};
use bursar_lms::{
    AccountLookup, AllowedCreation, AllowedDeletion, Class, Lms, LmsError, Priority, Refusal, Registration, Setback,
};
use bursar_store::{
    effects::{Came, DueEffect, EffectIntent},
    enrollments::DueEnrollment,
};
use futures_util::{StreamExt as _, stream};
use rand::Rng as _;
use secrecy::SecretString;
use tokio::sync::watch;

use super::{
    Fulfillment, Pass, SIDE_BY_SIDE, Trouble, after, enrollments,
    together::{Place, Together},
};

/// How many effects are claimed together, all of which are begun at once: what is not begun would use up its lease by
/// waiting.
const BEGUN_TOGETHER: u32 = 4;
const _: () = assert!(BEGUN_TOGETHER as usize <= SIDE_BY_SIDE);

/// What became of asking the LMS for a change.
enum Told {
    Done,
    AlreadySo,
    AccountExists,
}

impl Fulfillment {
    pub(super) async fn carry_out_effects(self, mut stop: watch::Receiver<bool>) {
        let mut trouble = Trouble::default();
        let mut rung = self.bell.listen();
        while !*stop.borrow() {
            let pass = self.effects_pass().await;
            after(pass, &mut trouble, &mut rung, &mut stop).await;
        }
    }

    /// Carries out the effects that are due now and that no enrollment carries, as many as are begun together.
    pub async fn effects_pass(&self) -> Pass {
        let Some(limit) = self.room_for(BEGUN_TOGETHER) else { return Pass::default() };
        let due = match self.store.claim_effects(&self.name, self.clock.now(), limit, self.lease()).await {
            Ok(due) => due,
            Err(error) => {
                tracing::error!(lms = %self.name, error = %error.chain(), "the effects that are due cannot be read");
                return Pass::default();
            }
        };
        let dealt_with = due.len();
        let carried_out = due.into_iter().map(|effect| self.carry_out(effect));
        let failures: Vec<Option<LmsError>> = stream::iter(carried_out).buffer_unordered(SIDE_BY_SIDE).collect().await;
        let of_use = |failure: &Option<LmsError>| failure.as_ref().is_none_or(|error| error.class() == Class::Definite);
        let trouble = if failures.iter().any(of_use) { None } else { failures.into_iter().flatten().next() };
        self.tell(LmsWork::Effects, dealt_with, trouble.as_ref()).await;
        Pass { dealt_with, trouble }
    }

    /// Carries out an effect that has a claim of its own; answers what went wrong with the LMS, if anything did.
    async fn carry_out(&self, effect: DueEffect) -> Option<LmsError> {
        let lms = self.lms.at(Priority::Upkeep);
        match effect.change.clone() {
            Change::Enrollment(_) if self.is_only_observed(&effect) => {
                self.record_effect(effect, Came::over(EffectEnd::Observed)).await;
                None
            }
            Change::Enrollment(change) => self.find_account(effect, &change.username, &lms).await,
            Change::Address(change) => self.change_address(effect, &change, &lms).await,
        }
    }

    /// Finds whose enrollment is to be changed. A username goes on working after its owner asked to be forgotten
    /// (`docs/lms.md`, 7.4), so this is the last chance to hear of it.
    async fn find_account(&self, effect: DueEffect, username: &Username, lms: &Lms) -> Option<LmsError> {
        let refused = |refusal: &str| Came::over(EffectEnd::Refused { refusal: refusal.to_owned() });
        let (came, failure) = match lms.account_by_username(username).await {
            Ok(AccountLookup::Found(account)) => {
                (Came::Account { lms_user_id: account.id, username: account.username }, None)
            }
            Ok(AccountLookup::Unknown) => (refused("unknown-user"), None),
            Ok(AccountLookup::Retired) => (refused("account-retired"), None),
            Ok(AccountLookup::Unusable) => (refused("unusable-username"), None),
            Err(error) => (self.failed(&effect, &error, None, false), Some(error)),
        };
        self.record_effect(effect, came).await;
        failure
    }

    /// Makes a change about whoever owns an address.
    async fn change_address(&self, effect: DueEffect, change: &AddressChange, lms: &Lms) -> Option<LmsError> {
        let now = self.clock.now();
        if let Some(intent) = &effect.intent {
            match is_so(change, lms).await {
                Err(error) => {
                    let came = self.failed(&effect, &error, None, true);
                    self.record_effect(effect, came).await;
                    return Some(error);
                }
                Ok(true) => {
                    self.record_effect(effect, Came::over(EffectEnd::FoundDone)).await;
                    return None;
                }
                Ok(false) if now < intent.at.plus(self.call_timeout) => {
                    let came = self.waits_for(intent, None);
                    self.record_effect(effect, came).await;
                    return None;
                }
                Ok(false) => {}
            }
        }
        if self.is_only_observed(&effect) {
            self.record_effect(effect, Came::over(EffectEnd::Observed)).await;
            return None;
        }
        if let Err(error) = self.store.record_effect_intent(&effect, EffectIntent { at: now, before: None }).await {
            tracing::error!(effect = %effect.id, error = %error.chain(), "an intent could not be recorded, so nothing was sent");
            return None;
        }
        let (came, failure) = match tell(change, lms).await {
            Ok(Told::Done) => (Came::over(EffectEnd::Done), None),
            Ok(Told::AlreadySo) => (Came::over(EffectEnd::AlreadySo), None),
            Ok(Told::AccountExists) => (Came::over(EffectEnd::AccountExists), None),
            Err(error) => (self.failed(&effect, &error, None, error.may_have_had_effect()), Some(error)),
        };
        self.record_effect(effect, came).await;
        failure
    }

    /// The effect that an enrollment carries, if it is to be dealt with before anything that was bought: its time has come,
    /// or it may still be under way. A request of fulfillment's own whose answer is missing comes first.
    pub(super) fn effect_in_turn(&self, due: &DueEnrollment) -> Option<DueEffect> {
        let effect = due.effect.as_ref().filter(|_| due.intent.is_none())?;
        (effect.intent.is_some() || effect.due_at <= self.clock.now()).then(|| effect.clone())
    }

    /// Makes a change of an enrollment, of which the LMS says this, under the enrollment's claim. Answers what went wrong
    /// with the LMS, if anything did.
    pub(super) async fn change_enrollment(
        &self,
        effect: DueEffect,
        read: Result<Seen, LmsError>,
        together: &Together,
    ) -> Option<LmsError> {
        let (came, failure) = self.try_enrollment(&effect, read, together).await?;
        self.record_effect(effect, came).await;
        failure
    }

    /// What comes of it; none where that could not be recorded, so that nothing was done.
    async fn try_enrollment(
        &self,
        effect: &DueEffect,
        read: Result<Seen, LmsError>,
        together: &Together,
    ) -> Option<(Came, Option<LmsError>)> {
        let Change::Enrollment(change) = &effect.change else { return None };
        let now = self.clock.now();
        let seen = match read {
            Ok(seen) => seen,
            Err(error) => return Some((self.failed(effect, &error, None, effect.intent.is_some()), Some(error))),
        };
        let is_so = change.is_so(&seen);
        match &effect.intent {
            Some(intent) if is_so => {
                let changed = intent.before.as_ref().is_none_or(|before| *before != seen);
                return Some((Came::Over { end: EffectEnd::FoundDone, seen: Some(seen), changed }, None));
            }
            Some(intent) if now < intent.at.plus(self.call_timeout) => {
                return Some((self.waits_for(intent, Some(seen)), None));
            }
            // It surely did not land. What was bought has its turn before it is tried again.
            Some(_) => {
                let due_at = now.plus(retry::LMS.pause(effect.attempts.max(1), fastrand::u32(..), None));
                return Some((Came::Again { due_at, failed: None, seen: Some(seen), keep_intent: false }, None));
            }
            None => {}
        }
        if self.is_only_observed(effect) {
            return Some((Came::Over { end: EffectEnd::Observed, seen: Some(seen), changed: false }, None));
        }
        if is_so {
            return Some((Came::Over { end: EffectEnd::AlreadySo, seen: Some(seen), changed: false }, None));
        }
        let _place = match together.place().await {
            Place::Free(place) => place,
            Place::Outage(outage) => return Some((self.failed(effect, &outage, Some(seen), false), Some(outage))),
            Place::Stopping => return None,
        };
        let intent = EffectIntent { at: self.clock.now(), before: Some(seen.clone()) };
        if let Err(error) = self.store.record_effect_intent(effect, intent).await {
            tracing::error!(effect = %effect.id, error = %error.chain(), "an intent could not be recorded, so nothing was sent");
            return None;
        }
        Some(match self.lms.at(Priority::Upkeep).enroll(&request(change, &seen)).await {
            Ok(enrollment) => {
                let now_seen = enrollments::seen(Some(&enrollment));
                (Came::Over { end: EffectEnd::Done, changed: now_seen != seen, seen: Some(now_seen) }, None)
            }
            Err(error) => (self.failed(effect, &error, Some(seen), error.may_have_had_effect()), Some(error)),
        })
    }

    fn is_only_observed(&self, effect: &DueEffect) -> bool {
        self.policy(&effect.shop).is_none_or(|policy| policy.mode == ShopMode::Observe)
    }

    /// What a failure of the LMS means for an effect.
    fn failed(&self, effect: &DueEffect, error: &LmsError, seen: Option<Seen>, keep_intent: bool) -> Came {
        let problem = error.to_string();
        let reason = match error.class() {
            Class::Definite => {
                let end = EffectEnd::Refused { refusal: error.code().to_owned() };
                return Came::Over { end, seen, changed: false };
            }
            Class::Ours => Reason::LmsMisconfigured { problem },
            Class::TryAgain { .. } | Class::Unclear => Reason::LmsUnavailable { problem },
        };
        let now = self.clock.now();
        let due_at = match error {
            // Every try counts against the limit, so it is left alone for as long as the client says.
            LmsError::TryAgain(Setback::RegistrationLimit { after }) => now.plus(*after),
            _ => self.again_at(error, effect.attempts + 1, now),
        };
        Came::Again { due_at, failed: Some(reason), seen, keep_intent }
    }

    /// The old request may still land. Sending another one now could cross it.
    fn waits_for(&self, intent: &EffectIntent, seen: Option<Seen>) -> Came {
        Came::Again { due_at: intent.at.plus(self.call_timeout), failed: None, seen, keep_intent: true }
    }

    async fn record_effect(&self, effect: DueEffect, came: Came) {
        let (id, kind) = (effect.id, effect.change.asked().kind());
        let (end, why) = match &came {
            Came::Over { end: EffectEnd::Refused { refusal }, .. } => ("refused", Some(refusal.clone())),
            Came::Over { end, .. } => (end.as_str(), None),
            Came::Account { .. } => ("account-found", None),
            Came::Again { failed, .. } => ("postponed", failed.as_ref().map(ToString::to_string)),
        };
        tracing::info!(lms = %self.name, effect = %id, kind, end, why, "effect");
        if let Err(error) = self.store.record_effect(effect, came, self.clock.now()).await {
            tracing::error!(effect = %id, error = %error.chain(), "what was done could not be recorded; it is read again");
        }
        // The next one of the same delivery or learner may begin, and so may the enrollment that carries this one.
        self.bell.ring();
    }
}

fn request(change: &EnrollmentChange, seen: &Seen) -> bursar_lms::EnrollmentChange {
    bursar_lms::EnrollmentChange {
        mode: change.mode.clone(),
        is_active: change.activation(seen),
        force: change.force,
        attributes: change.attributes.clone(),
        ..bursar_lms::EnrollmentChange::new(change.username.clone(), change.run.clone())
    }
}

/// Does the LMS say what is asked for already?
async fn is_so(change: &AddressChange, lms: &Lms) -> Result<bool, LmsError> {
    let is_allowed = async |email: &Email, run: &CourseRun| {
        let records = lms.enrollment_allowed(email).await?;
        Ok::<_, LmsError>(records.iter().any(|record| record.run.as_str().eq_ignore_ascii_case(run.as_str())))
    };
    match change {
        AddressChange::Allow { email, run, .. } => is_allowed(email, run).await,
        AddressChange::Disallow { email, run } => Ok(!is_allowed(email, run).await?),
        AddressChange::Register { email, .. } => {
            Ok(matches!(lms.account_by_email(email).await?, AccountLookup::Found(_) | AccountLookup::Unusable))
        }
    }
}

async fn tell(change: &AddressChange, lms: &Lms) -> Result<Told, LmsError> {
    match change {
        AddressChange::Allow { email, run, auto_enroll } => {
            Ok(match lms.create_enrollment_allowed(email, run, *auto_enroll).await? {
                AllowedCreation::Created => Told::Done,
                AllowedCreation::Existed => Told::AlreadySo,
            })
        }
        AddressChange::Disallow { email, run } => Ok(match lms.delete_enrollment_allowed(email, run).await? {
            AllowedDeletion::Deleted => Told::Done,
            AllowedDeletion::Absent => Told::AlreadySo,
        }),
        AddressChange::Register { email, username, name } => register(email, username, name, lms).await,
    }
}

async fn register(email: &Email, username: &Username, name: &FullName, lms: &Lms) -> Result<Told, LmsError> {
    let registration = Registration {
        email: email.clone(),
        username: username.clone(),
        name: name.as_str().to_owned(),
        password: password(),
        extra: Vec::new(),
    };
    match lms.register(&registration).await {
        Ok(_) => Ok(Told::Done),
        // Only the address says that it is the learner's account; a username may be anybody's.
        Err(LmsError::Definite(Refusal::AccountExists { email: true, .. })) => Ok(Told::AccountExists),
        Err(error) => Err(error),
    }
}

/// How long passwords are that nobody is told, in characters. An LMS takes 75 at most.
const PASSWORD_LENGTH: usize = 40;

/// A password that nobody knows. It begins with one of each kind of character that sites ask for.
fn password() -> SecretString {
    let mut random = rand::rng();
    let letters = (0..PASSWORD_LENGTH).map(|_| char::from(random.sample(rand::distr::Alphanumeric)));
    let text: String = "aA1!".chars().chain(letters).collect();
    text.into()
}
