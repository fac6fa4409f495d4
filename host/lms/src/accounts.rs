//! Accounts by e-mail address and by username.
//!
//! Owns the difference between "there is no such account" and "it cannot be told". An empty question is never sent: the
//! LMS answers it with the service user's own account (`docs/lms.md`).

use std::collections::HashMap;

use bursar_domain::{Email, Username};
use reqwest::Method;
use serde_json::{Value, json};

use crate::{
    answer::Content,
    classify,
    client::Lms,
    counts::CallKind,
    error::{Doubt, LmsError},
    transport::{Call, Payload},
    wire::pairs,
};

/// How many addresses go into one search. The LMS took 300 (`docs/lms.md`); a smaller answer is a quicker one.
const SEARCH_MAX: usize = 100;

/// How many usernames go into one question. Fifty of the longest that a registration makes stay below the request line of
/// 4 kB that common servers in front of the LMS take.
const NAMES_MAX: usize = 50;

/// What the LMS makes of a retired account's address by default: `retired__user_<hash>@retired.invalid`.
const RETIRED_PREFIX: &str = "retired__user_";
const RETIRED_DOMAIN: &str = "@retired.invalid";

/// An LMS user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// The LMS's id of the user, which never changes.
    pub id: i64,
    /// As the LMS spells it.
    pub username: Username,
    /// As the LMS spells it; `None` where it holds none that is one.
    pub email: Option<Email>,
    /// Has the user confirmed the address? `None`: this call does not say.
    pub is_active: Option<bool>,
}

/// What became of looking somebody up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AccountLookup {
    /// Here they are.
    Found(Account),
    /// The LMS has no such account: definitely.
    Unknown,
    /// The account is being retired or has been. [`Lms::search_emails`] never says so: there it is unknown.
    Retired,
    /// There is one, but with a username that cannot be used in calls.
    Unusable,
}

impl Lms {
    /// Looks up many addresses, a hundred a call, without regard to case. Every address asked for is answered once, in
    /// the order of asking; none asked for sends nothing. Not throttled.
    ///
    /// An address that the database takes for equal but that is spelled otherwise (`josé@…` for `jose@…`) is unknown: it
    /// may be somebody else's.
    ///
    /// # Errors
    /// Of any class but definite. [`crate::Fault::ServiceUser`] if the service user is not staff.
    pub async fn search_emails(&self, emails: &[Email]) -> Result<Vec<(Email, AccountLookup)>, LmsError> {
        let mut found: HashMap<String, AccountLookup> = HashMap::new();
        for chunk in emails.chunks(SEARCH_MAX) {
            let addresses: Vec<&str> = chunk.iter().map(Email::as_str).collect();
            let payload = Payload::Json(json!({ "emails": addresses }));
            let call = Call::send(CallKind::SearchEmails, Method::POST, "/api/user/v1/accounts/search_emails", payload);
            self.send(&call, |answer| {
                let Some(rows) = answer.data().and_then(Value::as_array).filter(|_| answer.is_success()) else {
                    return Err(classify::leftover(answer, CallKind::SearchEmails, &[]));
                };
                for row in rows {
                    let Some(email) = row.get("email").and_then(Value::as_str) else { return Err(unreadable()) };
                    found.insert(email.to_lowercase(), read(row)?);
                }
                Ok(())
            })
            .await?;
        }
        let answered = |email: &Email| found.get(&email.normalized()).cloned().unwrap_or(AccountLookup::Unknown);
        Ok(emails.iter().map(|email| (email.clone(), answered(email))).collect())
    }

    /// Looks up one address. Unlike [`Lms::search_emails`] it tells a retired account from none. Not throttled.
    ///
    /// # Errors
    /// Of any class but definite.
    pub async fn account_by_email(&self, email: &Email) -> Result<AccountLookup, LmsError> {
        let found = self.account("email", email.as_str()).await?;
        match &found {
            AccountLookup::Found(account)
                if account.email.as_ref().is_none_or(|other| other.normalized() != email.normalized()) =>
            {
                Err(Doubt::WrongEcho { what: "e-mail address" }.into())
            }
            _ => Ok(found),
        }
    }

    /// Looks up one username. An account that is being retired still has its username, but is reported as retired. Not
    /// throttled.
    ///
    /// # Errors
    /// Of any class but definite.
    pub async fn account_by_username(&self, username: &Username) -> Result<AccountLookup, LmsError> {
        let found = self.account("username", username.as_str()).await?;
        match &found {
            AccountLookup::Found(account) if account.username.normalized() != username.normalized() => {
                Err(Doubt::WrongEcho { what: "user" }.into())
            }
            _ => Ok(found),
        }
    }

    /// The accounts of many addresses in full, each with the LMS's own words for it. Left out are addresses that the LMS does
    /// not know, and accounts that are retired or cannot be used in calls. Not throttled.
    ///
    /// # Errors
    /// As [`Lms::search_emails`].
    pub async fn accounts_by_email_verbatim(&self, emails: &[Email]) -> Result<Vec<(Account, Value)>, LmsError> {
        let mut usernames: Vec<Username> = Vec::new();
        for (_, lookup) in self.search_emails(emails).await? {
            // One account is found twice where an address was asked for twice.
            if let AccountLookup::Found(account) = lookup
                && !usernames.contains(&account.username)
            {
                usernames.push(account.username);
            }
        }
        let mut accounts = Vec::with_capacity(usernames.len());
        for chunk in usernames.chunks(NAMES_MAX) {
            let names: Vec<&str> = chunk.iter().map(Username::as_str).collect();
            for row in self.account_rows("username", &names.join(",")).await?.unwrap_or_default() {
                let AccountLookup::Found(account) = read(&row)? else { continue };
                let is_asked_for = |asked: &Email| {
                    account.email.as_ref().is_some_and(|email| email.normalized() == asked.normalized())
                };
                // Whoever changed the address between the two calls is not who was asked for.
                if emails.iter().any(is_asked_for) {
                    accounts.push((account, row));
                }
            }
        }
        Ok(accounts)
    }

    /// As [`Lms::account_by_username`], with the LMS's own words for it. `None` for an account that there is not, that is
    /// retired, or that cannot be used in calls.
    ///
    /// # Errors
    /// As there.
    pub async fn account_by_username_verbatim(
        &self,
        username: &Username,
    ) -> Result<Option<(Account, Value)>, LmsError> {
        let Some(rows) = self.account_rows("username", username.as_str()).await? else { return Ok(None) };
        for row in rows {
            if let AccountLookup::Found(account) = read(&row)? {
                if account.username.normalized() != username.normalized() {
                    return Err(Doubt::WrongEcho { what: "user" }.into());
                }
                return Ok(Some((account, row)));
            }
        }
        Ok(None)
    }

    async fn account(&self, by: &str, value: &str) -> Result<AccountLookup, LmsError> {
        let call = Call::get(CallKind::ReadAccount, "/api/user/v1/accounts").query(pairs([(by, value)]));
        self.send(&call, |answer| {
            if answer.status == 404 {
                return match &answer.content {
                    Content::Empty => Ok(AccountLookup::Unknown),
                    Content::Data(data) if data.get("error_msg").is_some() => Ok(AccountLookup::Retired),
                    _ => Err(classify::leftover(answer, CallKind::ReadAccount, &[value])),
                };
            }
            match answer.data().and_then(Value::as_array).filter(|_| answer.is_success()).map(Vec::as_slice) {
                Some([row]) => read(row),
                Some(_) => Err(unreadable()),
                None => Err(classify::leftover(answer, CallKind::ReadAccount, &[value])),
            }
        })
        .await
    }

    /// Every account that the question finds; `None` where it finds none.
    async fn account_rows(&self, by: &str, value: &str) -> Result<Option<Vec<Value>>, LmsError> {
        let call = Call::get(CallKind::ReadAccount, "/api/user/v1/accounts").query(pairs([(by, value)]));
        self.send(&call, |answer| match (&answer.content, answer.data().and_then(Value::as_array)) {
            (Content::Empty, _) if answer.status == 404 => Ok(None),
            (_, Some(rows)) if answer.is_success() => Ok(Some(rows.clone())),
            _ => Err(classify::leftover(answer, CallKind::ReadAccount, &[value])),
        })
        .await
    }
}

fn read(row: &Value) -> Result<AccountLookup, LmsError> {
    let text = |key| row.get(key).and_then(Value::as_str);
    let (Some(id), Some(username)) = (row.get("id").and_then(Value::as_i64), text("username")) else {
        return Err(unreadable());
    };
    let email = text("email").unwrap_or_default();
    if email.starts_with(RETIRED_PREFIX) || email.ends_with(RETIRED_DOMAIN) {
        return Ok(AccountLookup::Retired);
    }
    let Ok(username) = Username::parse(username) else { return Ok(AccountLookup::Unusable) };
    let is_active = row.get("is_active").and_then(Value::as_bool);
    Ok(AccountLookup::Found(Account { id, username, email: Email::parse(email).ok(), is_active }))
}

fn unreadable() -> LmsError {
    Doubt::Unreadable { what: "an account" }.into()
}
