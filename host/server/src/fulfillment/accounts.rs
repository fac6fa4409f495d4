//! Looking learners up in the LMS.
//!
//! Owns what an answer means for those who wait. Only a definite "unknown" is no account; anything else is asked again.

use bursar_domain::{Email, policy::NoAccount, reason::Reason, retry, statement::Identity};
use bursar_lms::{AccountLookup, Class, LmsError, Priority};
use bursar_store::resolutions::{Found, Unresolved};

use super::Fulfillment;

impl Fulfillment {
    /// Looks up everybody in `due` and records what was found.
    ///
    /// # Errors
    /// The first failure of the LMS; what it concerned is asked again.
    pub(super) async fn look_up(&self, due: Vec<Unresolved>) -> Result<(), LmsError> {
        let lms = self.lms.at(Priority::Purchase);
        let mut found = Vec::with_capacity(due.len());
        let mut trouble = None;
        let emails: Vec<Email> = due.iter().filter_map(|learner| email(&learner.identity)).cloned().collect();
        let searched = if emails.is_empty() { Ok(Vec::new()) } else { lms.search_emails(&emails).await };
        for learner in due {
            let looked_up = match &learner.identity {
                Identity::External { .. } => {
                    found.push((learner, Found::Unsupported));
                    continue;
                }
                Identity::Username { name } => lms.account_by_username(name).await,
                Identity::Email { address } => match &searched {
                    Err(error) => Err(error.clone()),
                    Ok(accounts) => match accounts.iter().find(|(asked, _)| asked == address) {
                        // The search calls a retired account unknown. It is worth one more question, once.
                        Some((_, AccountLookup::Unknown)) if learner.misses == 0 => lms.account_by_email(address).await,
                        Some((_, lookup)) => Ok(lookup.clone()),
                        None => Ok(AccountLookup::Unknown),
                    },
                },
            };
            let outcome = match looked_up {
                Ok(lookup) => self.meaning(&learner, lookup),
                Err(error) => {
                    let outcome = self.not_told(&error, learner.misses);
                    trouble.get_or_insert(error);
                    outcome
                }
            };
            found.push((learner, outcome));
        }
        for (learner, outcome) in &found {
            if let Found::Account { .. } = outcome {
                tracing::info!(lms = %self.name, learner = %learner.identity_id, "account found");
            }
        }
        if let Err(error) = self.store.record_found(found, self.clock.now()).await {
            tracing::error!(lms = %self.name, error = %error.chain(), "what was found could not be recorded; it is looked up again");
        }
        self.bell.ring();
        trouble.map_or(Ok(()), Err)
    }

    fn meaning(&self, learner: &Unresolved, lookup: AccountLookup) -> Found {
        match lookup {
            AccountLookup::Found(account) => Found::Account { lms_user_id: account.id, username: account.username },
            AccountLookup::Unknown => self.nobody(learner),
            AccountLookup::Retired => Found::Retired,
            AccountLookup::Unusable => Found::Unsupported,
        }
    }

    fn nobody(&self, learner: &Unresolved) -> Found {
        let now = self.clock.now();
        let waited = now.since(learner.waiting_since.unwrap_or(now));
        let asks = learner
            .shops
            .iter()
            .filter_map(|shop| self.policy(shop))
            .any(|policy| policy.no_account == NoAccount::Review && learner.waiting_since.is_none());
        // Told once: at the first look-up after the time is over.
        let pause = retry::account_pause(waited);
        let tell = waited >= retry::ACCOUNT_TELL_AFTER && waited < retry::ACCOUNT_TELL_AFTER + 2 * pause;
        Found::Nobody { due_at: now.plus(pause), tell: asks || tell }
    }

    fn not_told(&self, error: &LmsError, tries: u32) -> Found {
        let problem = error.to_string();
        let reason = match error.class() {
            Class::Ours => Reason::LmsMisconfigured { problem },
            Class::Definite | Class::TryAgain { .. } | Class::Unclear => Reason::LmsUnavailable { problem },
        };
        let now = self.clock.now();
        Found::Unknown { due_at: self.again_at(error, tries, now), reason }
    }
}

fn email(identity: &Identity) -> Option<&Email> {
    match identity {
        Identity::Email { address } => Some(address),
        Identity::Username { .. } | Identity::External { .. } => None,
    }
}
