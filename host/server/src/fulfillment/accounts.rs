//! Looking learners up in the LMS.
//!
//! Owns what an answer means for those who wait. Only a definite "unknown" is no account; anything else is asked again.

use bursar_domain::{
    Email, ShopName,
    policy::{NoAccount, ShopMode, ShopPolicy},
    reason::{Concern, Reason},
    retry,
    statement::Identity,
};
use bursar_lms::{AccountLookup, Class, LmsError, Priority};
use bursar_store::resolutions::{Found, Unresolved};

use super::{Fulfillment, is_outage};

impl Fulfillment {
    /// Looks up everybody in `due`, records what was found, and registers those whom nobody knows and a shop registers.
    ///
    /// # Errors
    /// The first failure of the LMS; what it concerned is asked again.
    pub(super) async fn look_up(&self, due: Vec<Unresolved>) -> Result<(), LmsError> {
        let lms = self.lms.at(Priority::Purchase);
        let mut found = Vec::with_capacity(due.len());
        let mut unknown = Vec::new();
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
            match looked_up {
                Ok(AccountLookup::Unknown) if self.registers(&learner) => unknown.push(learner),
                Ok(lookup) => {
                    let outcome = self.meaning(&learner, lookup);
                    found.push((learner, outcome));
                }
                Err(error) => {
                    let outcome = self.not_told(&error, learner.failures + 1);
                    trouble.get_or_insert(error);
                    found.push((learner, outcome));
                }
            }
        }
        // One learner who cannot be looked up says nothing about the LMS, if others can.
        let of_use = found.iter().any(|(_, outcome)| !matches!(outcome, Found::Unknown { .. }));
        let trouble = trouble.filter(|error: &LmsError| !of_use || error.class() == Class::Ours);
        self.record_found(found).await;
        // Whoever has an account does not wait for those who get one.
        match self.register_all(unknown).await {
            Err(error) if trouble.is_none() => Err(error),
            Ok(()) | Err(_) => trouble.map_or(Ok(()), Err),
        }
    }

    pub(super) async fn record_found(&self, found: Vec<(Unresolved, Found)>) {
        for (learner, outcome) in &found {
            if let Found::Account { .. } = outcome {
                tracing::info!(lms = %self.name, learner = %learner.identity_id, "account found");
            }
        }
        if found.is_empty() {
            return;
        }
        if let Err(error) = self.store.record_found(found, self.clock.now()).await {
            tracing::error!(lms = %self.name, error = %error.chain(), "what was found could not be recorded; it is looked up again");
        }
        self.bell.ring();
    }

    pub(super) fn meaning(&self, learner: &Unresolved, lookup: AccountLookup) -> Found {
        match lookup {
            AccountLookup::Found(account) => Found::Account { lms_user_id: account.id, username: account.username },
            AccountLookup::Unknown => self.nobody(learner, Vec::new()),
            AccountLookup::Retired => Found::Retired,
            AccountLookup::Unusable => Found::Unsupported,
        }
    }

    /// There is no account. `tell` is what a person should know beside the waiting itself.
    pub(super) fn nobody(&self, learner: &Unresolved, mut tell: Vec<(ShopName, Concern)>) -> Found {
        let now = self.clock.now();
        let waited = now.since(learner.waiting_since.unwrap_or(now));
        // Whom the LMS has just told of is about to appear.
        let recently = learner.noticed_at.map_or(waited, |noticed| now.since(noticed).min(waited));
        if !learner.told {
            let all = waited >= retry::ACCOUNT_TELL_AFTER;
            let asks = |policy: &ShopPolicy| all || policy.no_account == NoAccount::Review;
            let shops = self.policies_of(learner).filter(|policy| asks(policy));
            tell.extend(shops.map(|policy| (policy.shop.clone(), Concern::NoAccount)));
        }
        let would_register =
            |policy: &ShopPolicy| policy.no_account == NoAccount::Register && policy.mode == ShopMode::Observe;
        let observed = !self.registers(learner) && self.policies_of(learner).any(would_register);
        let reason = if observed { Reason::WouldRegister } else { Reason::NoAccount };
        Found::Nobody { due_at: now.plus(retry::account_pause(recently)), reason, tell }
    }

    /// The policies of the shops whose grants wait for the learner.
    pub(super) fn policies_of<'a>(&'a self, learner: &'a Unresolved) -> impl Iterator<Item = &'a ShopPolicy> {
        learner.shops.iter().filter_map(|shop| self.policy(shop))
    }

    pub(super) fn not_told(&self, error: &LmsError, tries: u32) -> Found {
        let problem = error.to_string();
        let reason = match error.class() {
            Class::Ours => Reason::LmsMisconfigured { problem },
            Class::Definite | Class::TryAgain { .. } | Class::Unclear => Reason::LmsUnavailable { problem },
        };
        let now = self.clock.now();
        // While the LMS is left alone everybody keeps their place.
        let rests = self.lms.rests().is_some() && is_outage(error);
        let due_at = if rests { now } else { self.again_at(error, tries, now) };
        Found::Unknown { due_at, reason }
    }
}

pub(super) fn email(identity: &Identity) -> Option<&Email> {
    match identity {
        Identity::Email { address } => Some(address),
        Identity::Username { .. } | Identity::External { .. } => None,
    }
}
