//! Registering learners whom the LMS does not know, where a shop's policy is to do so.
//!
//! Owns when that may be, under which username, and what the LMS's answer means. Every try is written down before it is
//! made; after one whose outcome is not known the learner is looked up before the next. The password is random and thrown
//! away: the owner of the address sets their own.

use bursar_domain::{
    Email, ShopName, Username,
    policy::{NoAccount, ShopMode},
    reason::{Concern, Reason},
    registration::{can_be_registered, full_name, username},
};
use bursar_lms::{AccountLookup, LmsError, Priority, Refusal, Registered, Registration, Setback};
use bursar_store::{
    StoreError,
    registrations::{Bounds, Permit, Tried},
    resolutions::{Found, Unresolved},
};
use rand::Rng as _;
use secrecy::SecretString;

use super::{Fulfillment, accounts};

/// How many learners are registered before others are looked up again: the LMS takes about a second for each.
const REGISTERED_IN_A_ROW: usize = 4;

/// How many usernames are tried for one learner: ours, one that the LMS proposes, and one with a random number. Each costs
/// one of the LMS's limit. If none is free the learner is waited for and a person is told.
const USERNAMES_TRIED: usize = 3;

/// Letters of a random password, after a beginning that has one of each kind that sites ask for. Far from any address or
/// name, and shorter than any site's longest password.
const PASSWORD_LETTERS: usize = 40;
const PASSWORD_BEGINNING: &str = "Aa1-";

/// The fields that are the learner's own. A complaint about any other one concerns everybody.
const FIELDS_OF_ONE: [&str; 3] = ["email", "name", "username"];

/// How learners are registered in one LMS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RegistrationForm {
    /// What else the site's form asks for.
    pub extra: Vec<(String, String)>,
    /// How many may be tried in seven days.
    pub per_week: u32,
}

impl Fulfillment {
    /// Is it the policy of a live shop to register this learner? Only addresses can be registered.
    pub(super) fn registers(&self, learner: &Unresolved) -> bool {
        accounts::email(&learner.identity).is_some() && !self.registering(learner).is_empty()
    }

    fn registering(&self, learner: &Unresolved) -> Vec<ShopName> {
        let policies = self
            .policies_of(learner)
            .filter(|policy| policy.no_account == NoAccount::Register && policy.mode == ShopMode::Live);
        policies.map(|policy| policy.shop.clone()).collect()
    }

    /// Registers these, whom the LMS definitely does not know, a few at a time.
    ///
    /// # Errors
    /// The first failure of the LMS. Whoever comes after is left for the next time.
    pub(super) async fn register_all(&self, unknown: Vec<Unresolved>) -> Result<(), LmsError> {
        let mut trouble = None;
        let mut later = Vec::new();
        let mut sent = 0;
        for learner in unknown {
            if sent >= REGISTERED_IN_A_ROW || trouble.is_some() {
                // Looked up again first: they may have registered themselves meanwhile.
                let Found::Nobody { reason, tell, .. } = self.nobody(&learner, Vec::new()) else { continue };
                later.push((learner, Found::Nobody { due_at: self.clock.now(), reason, tell }));
                continue;
            }
            let found = match self.register(&learner, &mut sent).await {
                Ok(found) => found,
                Err(Failure::Lms(error)) => {
                    tracing::warn!(lms = %self.name, learner = %learner.identity_id, code = error.code(), %error, "a learner could not be registered");
                    let found = self.not_told(&error, learner.failures + 1);
                    trouble = Some(error);
                    found
                }
                Err(Failure::Store(error)) => {
                    tracing::error!(lms = %self.name, error = %error.chain(), "a registration could not be recorded");
                    continue;
                }
            };
            self.record_found(vec![(learner, found)]).await;
        }
        self.record_found(later).await;
        trouble.map_or(Ok(()), Err)
    }

    /// Counts in `sent` if anything was.
    async fn register(&self, learner: &Unresolved, sent: &mut usize) -> Result<Found, Failure> {
        let Some(email) = accounts::email(&learner.identity) else { return Ok(self.nobody(learner, Vec::new())) };
        let shops = self.registering(learner);
        let tell = |concern: Concern| -> Vec<_> { shops.iter().map(|shop| (shop.clone(), concern.clone())).collect() };
        let bounds = Bounds {
            per_window: self.registration.per_week,
            shops: shops.clone(),
            started_at: self.started_at,
            call_timeout: self.call_timeout,
        };
        let mut name = username(email, None);
        for tries_left in (0..USERNAMES_TRIED).rev() {
            let Some(wished) = name.take() else { break };
            let permit =
                self.store.begin_registration(learner, &wished, &bounds, self.lease(), self.clock.now()).await?;
            let id = match permit {
                Permit::Given(id) => {
                    *sent += 1;
                    id
                }
                Permit::NotWanted | Permit::Paused => return Ok(self.nobody(learner, Vec::new())),
                Permit::Limit => {
                    let own = Some(bounds.per_window);
                    return Ok(self.nobody(learner, tell(Concern::RegistrationLimit { own })));
                }
                Permit::InDoubt { until } => {
                    let problem = "an earlier registration has not been answered, and may still be made".to_owned();
                    return Ok(Found::Unknown { due_at: until, reason: Reason::LmsUnavailable { problem } });
                }
            };
            let (tried, found) = match self.lms.register(&self.form(email, &wished)).await {
                Ok(Registered { username, id: Some(lms_user_id) }) => {
                    tracing::info!(lms = %self.name, learner = %learner.identity_id, "account registered");
                    return Ok(Found::Account { lms_user_id, username });
                }
                // Older LMSs do not say the id.
                Ok(Registered { id: None, .. }) => return Ok(self.meaning(learner, self.look_up_one(email).await?)),
                Err(LmsError::Definite(Refusal::AccountExists { email: true, .. })) => {
                    match self.look_up_one(email).await? {
                        // The LMS keeps the address from everybody for a reason that it does not tell.
                        AccountLookup::Unknown => {
                            (Tried::Refused, self.nobody(learner, tell(refused("account-exists", ["email"]))))
                        }
                        known => (Tried::Found, self.meaning(learner, known)),
                    }
                }
                Err(LmsError::Definite(Refusal::AccountExists { suggestions, .. })) if tries_left > 0 => {
                    self.store.end_registration(id, Tried::Taken).await?;
                    let proposed = suggestions.into_iter().find(can_be_registered);
                    name = proposed.filter(|_| tries_left > 1).or_else(|| username(email, Some(fastrand::u32(..))));
                    continue;
                }
                Err(LmsError::Definite(refusal)) => {
                    let (tried, concern) = judge(refusal);
                    (tried, self.nobody(learner, tell(concern)))
                }
                Err(LmsError::TryAgain(Setback::RegistrationLimit { .. })) => {
                    (Tried::Limit, self.nobody(learner, tell(Concern::RegistrationLimit { own: None })))
                }
                Err(error) => {
                    if !error.may_have_had_effect() {
                        self.store.end_registration(id, Tried::Unsent).await?;
                    }
                    return Err(error.into());
                }
            };
            self.store.end_registration(id, tried).await?;
            return Ok(found);
        }
        Ok(self.nobody(learner, Vec::new()))
    }

    fn form(&self, email: &Email, username: &Username) -> Registration {
        Registration {
            email: email.clone(),
            username: username.clone(),
            name: full_name(email),
            password: password(),
            extra: self.registration.extra.clone(),
        }
    }

    async fn look_up_one(&self, email: &Email) -> Result<AccountLookup, LmsError> {
        self.lms.at(Priority::Purchase).account_by_email(email).await
    }
}

/// Why a learner was not registered.
enum Failure {
    /// The LMS was no help; it is asked again.
    Lms(LmsError),
    /// It could not be recorded. If it was the claim that was lost, somebody else has taken over.
    Store(StoreError),
}

impl From<LmsError> for Failure {
    fn from(error: LmsError) -> Self {
        Self::Lms(error)
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// Does the refusal concern this learner, or everybody? And what should a person know?
fn judge(refusal: Refusal) -> (Tried, Concern) {
    match refusal {
        Refusal::RegistrationInvalid { error_code, fields } => {
            let of_one = !fields.is_empty() && fields.iter().all(|field| FIELDS_OF_ONE.contains(&field.as_str()));
            let tried = if of_one { Tried::Refused } else { Tried::Closed };
            (tried, Concern::RegistrationRefused { refusal: error_code, fields })
        }
        Refusal::RegistrationClosed => {
            (Tried::Closed, refused(LmsError::from(Refusal::RegistrationClosed).code(), [""; 0]))
        }
        other => (Tried::Refused, refused(LmsError::from(other).code(), [""; 0])),
    }
}

fn refused<const N: usize>(refusal: &str, fields: [&str; N]) -> Concern {
    Concern::RegistrationRefused { refusal: refusal.to_owned(), fields: fields.map(str::to_owned).to_vec() }
}

fn password() -> SecretString {
    let letters = rand::rng().sample_iter(rand::distr::Alphanumeric).take(PASSWORD_LETTERS).map(char::from);
    PASSWORD_BEGINNING.chars().chain(letters).collect::<String>().into()
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret as _;

    use super::*;

    #[test]
    fn no_two_passwords_are_alike_and_each_has_every_kind_of_letter() {
        let (one, other) = (password(), password());
        assert_ne!(one.expose_secret(), other.expose_secret());
        assert_eq!(one.expose_secret().len(), PASSWORD_BEGINNING.len() + PASSWORD_LETTERS);
        for kind in [char::is_ascii_uppercase, char::is_ascii_lowercase, char::is_ascii_digit] {
            assert!(one.expose_secret().chars().any(|letter| kind(&letter)));
        }
    }

    #[test]
    fn a_field_that_every_learner_lacks_stops_registering_and_a_bad_address_stops_one() {
        let invalid = |fields: &[&str]| Refusal::RegistrationInvalid {
            error_code: "validation-error".to_owned(),
            fields: fields.iter().map(|field| (*field).to_owned()).collect(),
        };
        assert_eq!(judge(invalid(&["email"])).0, Tried::Refused);
        assert_eq!(judge(invalid(&["country", "email"])).0, Tried::Closed);
        assert_eq!(judge(invalid(&["password"])).0, Tried::Closed);
        assert_eq!(judge(Refusal::RegistrationClosed).0, Tried::Closed);
    }
}
