//! The audit trail: every change and every deliberate non-change, with its reason.
//!
//! Owns `audit`. Written only together with what it tells of, in the same transaction; never altered, never personal.

use bursar_domain::{
    Timestamp,
    ids::{AuditId, DeliveryId, EnrollmentId, GrantId, LineId, OrderId},
    reason::Reason,
};
use serde::{Deserialize, Serialize};
use sqlx::SqliteConnection;

use crate::{error::Result, rows};

/// What was done, or deliberately not done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AuditAction {
    /// A line began to owe access.
    GrantBegan,
    /// A line ceased to owe access.
    GrantEnded,
    /// A learner's account was found.
    AccountFound,
    /// The learner has no account yet.
    AccountMissing,
    /// An account was registered for the learner.
    AccountRegistered,
    /// A person said which account the learner is.
    AccountLinked,
    /// The learner was given leave to enroll before they have an account.
    AllowanceMade,
    /// That leave was taken back.
    AllowanceRemoved,
    /// The LMS was told to enroll, or to change the mode.
    Enrolled,
    /// The LMS was told to switch the enrollment off.
    Unenrolled,
    /// The LMS was told something else that an adapter asked for.
    Changed,
    /// It was left as it is.
    LeftAlone,
    /// The LMS refused.
    Refused,
    /// The LMS could not be reached or understood; it is tried again.
    Postponed,
    /// The shop asked that somebody be forgotten.
    Forgot,
    /// What the shop sent was blanked.
    Blanked,
    /// A person decided.
    Decided,
}

impl std::fmt::Display for AuditAction {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::GrantBegan => "grant began",
            Self::GrantEnded => "grant ended",
            Self::AccountFound => "account found",
            Self::AccountMissing => "no account yet",
            Self::AccountRegistered => "account registered",
            Self::AccountLinked => "account linked",
            Self::AllowanceMade => "allowed beforehand",
            Self::AllowanceRemoved => "no longer allowed beforehand",
            Self::Enrolled => "enrolled",
            Self::Unenrolled => "unenrolled",
            Self::Changed => "changed",
            Self::LeftAlone => "left alone",
            Self::Refused => "refused",
            Self::Postponed => "postponed",
            Self::Forgot => "forgot",
            Self::Blanked => "blanked",
            Self::Decided => "decided",
        })
    }
}

/// An entry about to be written.
#[derive(Debug)]
pub(crate) struct Entry<'a> {
    pub(crate) at: Timestamp,
    pub(crate) actor: &'a str,
    pub(crate) action: AuditAction,
    pub(crate) reason: &'a Reason,
    pub(crate) delivery: Option<DeliveryId>,
    pub(crate) order: Option<OrderId>,
    pub(crate) line: Option<LineId>,
    pub(crate) grant: Option<GrantId>,
    pub(crate) enrollment: Option<EnrollmentId>,
}

impl Entry<'_> {
    pub(crate) async fn write(self, connection: &mut SqliteConnection) -> Result<()> {
        sqlx::query(
            "INSERT INTO audit (id, at, actor, action, reason, delivery_id, order_id, line_id, grant_id, enrollment_id)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        )
        .bind(AuditId::new(self.at).to_string())
        .bind(self.at.as_millis())
        .bind(self.actor)
        .bind(rows::to_word(&self.action)?)
        .bind(rows::to_json(self.reason)?)
        .bind(self.delivery.map(|id| id.to_string()))
        .bind(self.order.map(|id| id.to_string()))
        .bind(self.line.map(|id| id.to_string()))
        .bind(self.grant.map(|id| id.to_string()))
        .bind(self.enrollment.map(|id| id.to_string()))
        .execute(connection)
        .await?;
        Ok(())
    }
}
