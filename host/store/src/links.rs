//! A person says which account a learner is.
//!
//! Owns that act. It is pinned: the learner is never looked up again. It gives what waits to the account, and moves nothing
//! that was given to another one.

use bursar_domain::{LmsName, Timestamp, Username, reason::Reason, statement::Identity};
use sqlx::SqliteConnection;

use crate::{
    Store,
    error::{Result, StoreError},
    orders,
    resolutions::{self, Given},
    reviews,
    trail::{AuditAction, Entry},
    writer::Command,
};

/// Which account a learner is.
#[derive(Debug, Clone)]
pub struct Link {
    /// The learner, as orders name them.
    pub identity: Identity,
    /// Where.
    pub lms: LmsName,
    /// The LMS's id of the user.
    pub lms_user_id: i64,
    /// Their name there.
    pub username: Username,
    /// Why, in the person's words.
    pub why: String,
    /// Who says so: `operator NAME`.
    pub actor: String,
}

/// What followed from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Linked {
    /// Grants that waited, and have the account now.
    pub grants: usize,
}

impl Store {
    /// Joins a learner to an account, for good.
    ///
    /// # Errors
    /// [`StoreError::Refused`] when the learner was given something under another account that has not ended.
    pub async fn link(&self, link: Link, now: Timestamp) -> Result<Linked> {
        self.writer.run(Join { link, now }).await
    }
}

struct Join {
    link: Link,
    now: Timestamp,
}

impl Command for Join {
    type Output = Linked;

    async fn execute(self, connection: &mut SqliteConnection) -> Result<Linked> {
        let Self { link, now } = self;
        let identity = orders::intern(connection, &link.identity, now).await?;
        let elsewhere: Option<String> = sqlx::query_scalar(
            "SELECT a.username FROM grants g JOIN accounts a ON a.id = g.account_id
             WHERE g.identity_id = ? AND g.lms = ? AND g.ended_at IS NULL AND a.lms_user_id <> ? LIMIT 1",
        )
        .bind(identity.to_string())
        .bind(link.lms.as_str())
        .bind(link.lms_user_id)
        .fetch_optional(&mut *connection)
        .await?;
        if let Some(username) = elsewhere {
            return Err(StoreError::Refused(format!(
                "what this learner bought was given to {username} already, and joining moves nothing\n\
                 hint: `bursar orders transfer` is the way to move it to another account"
            )));
        }
        let account = resolutions::account(connection, &link.lms, link.lms_user_id, &link.username, now).await?;
        resolutions::resolve(connection, identity, &link.lms, account, "person", now).await?;
        let reason = Reason::LinkedByPerson { lms_user_id: link.lms_user_id, why: link.why };
        let given = Given { by: &link.actor, action: AuditAction::AccountLinked, reason };
        let grants = resolutions::give_account(connection, identity, &link.lms, account, &given, now).await?;
        if grants == 0 {
            // Nothing waits, so there is no grant to tell it of; it is told all the same.
            let entry = Entry {
                at: now,
                actor: given.by,
                action: given.action,
                reason: &given.reason,
                delivery: None,
                order: None,
                line: None,
                grant: None,
                enrollment: None,
            };
            entry.write(connection).await?;
        }
        reviews::settle_learner(connection, &link.lms, identity, "a person said which account it is", now).await?;
        Ok(Linked { grants })
    }
}
