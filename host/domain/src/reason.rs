//! Why something was done or not done: a code and its parameters, put into words only when shown.
//!
//! Owns every reason the ledger and fulfillment can give. Parameters name things by id, never by e-mail address, so a
//! reason may stand in logs and in the audit trail.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{
    decision::{Answer, Deed, RulingKind},
    effect::{Asked, EffectEnd},
    fulfillment::Obstacle,
    ids::DeliveryId,
    names::{LmsName, Mode},
    statement::{Cause, ProductId},
    time::Timestamp,
};

/// A reason. The code is the serialised tag; both are stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "code", rename_all = "kebab-case")]
pub enum Reason {
    // Lines and grants.
    /// A paid line owes this access.
    LinePaid,
    /// The order is not paid, and a person approved it.
    OrderApproved,
    /// The order is not paid.
    NotPaid,
    /// The cause holds the line.
    Held {
        /// Which.
        cause: Cause,
    },
    /// All of the line was refunded.
    QuantityRefunded,
    /// The shop no longer names the line.
    LineGone,
    /// A test order, and the shop does not accept them.
    TestOrder,
    /// The line sells another course run or mode now, by a person's decision.
    Remapped,
    /// The seat has another learner now, by a person's decision.
    Transferred,
    /// The time that was paid for is over.
    Expired,

    // Enrollments.
    /// The learner bought it and did not have it.
    Bought,
    /// The learner had less than was bought.
    Upgraded {
        /// What they had.
        from: Mode,
    },
    /// The LMS already says what is owed.
    AlreadyRight,
    /// The LMS already says it, and the record of our own request was missing: it did take effect.
    FoundDone,
    /// The learner has more than was bought, not by us.
    HasBetter {
        /// What they have.
        mode: Mode,
    },
    /// A mode outside the ladder is never changed.
    ModeOutsideLadder {
        /// Which.
        mode: Mode,
    },
    /// The last grant ended; back to what was there before.
    Restored,
    /// The last grant ended; the shop's policy says to leave the enrollment.
    Kept,
    /// One grant ended; another one still gives this much.
    LoweredToRemaining,
    /// The mode is no longer one that we gave.
    NotOurs {
        /// What the LMS says.
        mode: Mode,
    },
    /// The learner left the course by themselves, or was taken out by the course's staff.
    Left,
    /// Nothing had been given yet.
    NothingGiven,
    /// The enrollment is inactive or absent already.
    AlreadyGone,
    /// The shop is only observed: this is what would have been done.
    ObserveOnly {
        /// The mode that would have been set, or taken.
        mode: Mode,
        /// Would it have been switched on, or off?
        active: bool,
    },
    /// The policy asks a person before anything is taken.
    AskBeforeRevoke,
    /// The shop takes more away than can be meant, so nothing is taken until a person has looked.
    RemovalsPaused,
    /// A person decided that it stays.
    KeptByPerson,
    /// A person decided so.
    Person {
        /// In their words.
        words: String,
    },
    /// A person did something.
    Decided {
        /// What.
        deed: Deed,
        /// Why, in their words.
        words: String,
    },
    /// Enrollment in the course run has not begun; it is asked again then.
    NotOpenYet {
        /// When it begins.
        opens: Timestamp,
    },

    // Accounts.
    /// The LMS knows no such learner yet.
    NoAccount,
    /// The account exists.
    AccountFound,
    /// There was no account, and the shop's policy is to register one.
    AccountRegistered,
    /// The shop is only observed: an account would have been registered.
    WouldRegister,
    /// A person said whose the identity is.
    LinkedByPerson {
        /// The LMS's id of the user.
        lms_user_id: i64,
        /// The person's words.
        why: String,
    },
    /// Somebody else had given the learner leave to enroll, so that is theirs to take back.
    AllowanceNotOurs,
    /// The learner has enrolled, or nothing is owed any more.
    AllowanceOver,
    /// The account belongs to somebody who asked the LMS to forget them.
    AccountRetired,
    /// Bursar cannot look this kind of identity up.
    IdentityUnsupported,

    // Deliveries.
    /// The shop asked that somebody be forgotten.
    ShopForgets {
        /// So many stored requests were blanked.
        blanked: u32,
        /// So many more will be, once they are finished.
        later: u32,
    },
    /// What came is blanked, because the shop asked for it.
    Forgotten {
        /// In this delivery.
        asked_in: DeliveryId,
    },

    // Effects.
    /// An adapter asked for a change beside the ledger.
    Effect {
        /// Which.
        #[serde(flatten)]
        asked: Asked,
        /// What became of it.
        #[serde(flatten)]
        end: EffectEnd,
    },

    // What went wrong.
    /// The LMS refused, definitely.
    LmsRefused {
        /// What stands in the way.
        obstacle: Obstacle,
    },
    /// The LMS could not answer; it is asked again.
    LmsUnavailable {
        /// What happened.
        problem: String,
    },
    /// The LMS answers this host wrongly or not at all until a person mends something.
    LmsMisconfigured {
        /// What is wrong.
        problem: String,
    },
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::LinePaid => f.write_str("the line is paid"),
            Self::OrderApproved => f.write_str("the order is not paid, and a person approved it"),
            Self::NotPaid => f.write_str("the order is not paid"),
            Self::Held { cause } => f.write_str(match cause {
                Cause::Refunded => "it was refunded",
                Cause::Cancelled => "the order was cancelled",
                Cause::Deleted => "the order was deleted in the shop",
                Cause::Disputed => "the payment is disputed",
                Cause::Operator => "an operator put it on hold",
            }),
            Self::QuantityRefunded => f.write_str("all of the line was refunded"),
            Self::LineGone => f.write_str("the line is no longer in the order"),
            Self::TestOrder => f.write_str("it is a test order, and this shop does not accept them"),
            Self::Remapped => f.write_str("the line was mapped to another course run"),
            Self::Bought => f.write_str("bought, and not enrolled before"),
            Self::Upgraded { from } => write!(f, "bought, and had {from} before"),
            Self::AlreadyRight => f.write_str("the LMS already says so"),
            Self::FoundDone => f.write_str("an earlier request had taken effect before its record was written"),
            Self::HasBetter { mode } => write!(f, "the learner already has {mode}, which is more"),
            Self::ModeOutsideLadder { mode } => write!(f, "the learner has mode {mode}, which Bursar never changes"),
            Self::Restored => f.write_str("nothing bought is left, so back to what was there before"),
            Self::Kept => f.write_str("nothing bought is left, and the shop's policy keeps the enrollment"),
            Self::LoweredToRemaining => f.write_str("a purchase ended, and another one gives this much"),
            Self::NotOurs { mode } => write!(f, "the learner has mode {mode} now, which Bursar did not give"),
            Self::Left => f.write_str("the learner left the course after it was given"),
            Self::NothingGiven => f.write_str("nothing had been given yet"),
            Self::AlreadyGone => f.write_str("the enrollment is inactive already"),
            Self::ObserveOnly { mode, active: true } => {
                write!(f, "the shop is only observed; {mode} would have been given")
            }
            Self::ObserveOnly { mode, active: false } => {
                write!(f, "the shop is only observed; {mode} would have been taken")
            }
            Self::Transferred => f.write_str("a person gave the seat to another learner"),
            Self::Expired => f.write_str("the time that was paid for is over"),
            Self::RemovalsPaused => f.write_str(
                "access should end, but the shop takes away more than can be meant; removals pause until a person has looked",
            ),
            Self::KeptByPerson => f.write_str("nothing bought is left, and a person decided that the access stays"),
            Self::NotOpenYet { opens } => write!(f, "enrollment in the course run begins {opens}; it is asked again then"),
            Self::Person { words } => f.write_str(words),
            Self::Decided { deed, words } => write!(f, "{}: {words}", deed.words()),
            Self::AskBeforeRevoke => f.write_str("the shop's policy asks a person before access is taken"),
            Self::NoAccount => f.write_str("the LMS knows no account for this learner yet"),
            Self::AccountFound => f.write_str("the account exists"),
            Self::AccountRegistered => f.write_str("the LMS knew no account, and the shop's policy is to register one"),
            Self::WouldRegister => f.write_str(
                "the LMS knows no account for this learner yet; the shop is only observed, one would have been registered",
            ),
            Self::LinkedByPerson { lms_user_id, why } => {
                write!(f, "a person joined the learner to LMS user {lms_user_id}: {why}")
            }
            Self::AllowanceNotOurs => f.write_str("the learner had leave to enroll already, not by Bursar"),
            Self::AllowanceOver => f.write_str("the learner is enrolled, or nothing is owed any more"),
            Self::AccountRetired => f.write_str("the account was retired"),
            Self::IdentityUnsupported => f.write_str("this kind of identity cannot be looked up"),
            Self::ShopForgets { blanked, later } => {
                write!(
                    f,
                    "the shop asked for it; requests that were blanked: {blanked}, that will be once they are finished: {later}"
                )
            }
            Self::Forgotten { asked_in } => {
                write!(f, "the shop asked in {asked_in} that what it is about be forgotten")
            }
            Self::Effect { asked, end } => match end {
                EffectEnd::Done => write!(f, "the adapter asked {asked}"),
                EffectEnd::FoundDone => write!(
                    f,
                    "the adapter asked {asked}; an earlier request had taken effect before its record was written"
                ),
                EffectEnd::AlreadySo => write!(f, "the adapter asked {asked}, and it is so already"),
                EffectEnd::AccountExists => {
                    write!(f, "the adapter asked {asked}, and there is one of this e-mail address already")
                }
                EffectEnd::Refused { refusal } => {
                    write!(f, "the adapter asked {asked}; refused: {refusal}")
                }
                EffectEnd::Observed => write!(f, "the shop is only observed; the adapter asked {asked}"),
                EffectEnd::Repeated => write!(f, "the adapter asked {asked} under a key that it had used before"),
            },
            Self::LmsRefused { obstacle } => write!(f, "the LMS refused: {obstacle}"),
            Self::LmsUnavailable { problem } => write!(f, "the LMS did not answer usefully: {problem}"),
            Self::LmsMisconfigured { problem } => write!(f, "the LMS connection needs mending: {problem}"),
        }
    }
}

/// Something that needs a person, as found by a decision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "code", rename_all = "kebab-case")]
pub enum Concern {
    /// A paid line sells a product that the catalog does not know.
    ProductUnmapped {
        /// The product's ids, most exact first.
        products: Vec<ProductId>,
        /// What the shop calls it.
        title: String,
    },
    /// A paid line names no learner at all.
    LearnerMissing,
    /// A paid line names a learner in a form that names nobody.
    LearnerMalformed,
    /// The order names somebody else now, after access was given.
    LearnerChanged,
    /// A snapshot left nothing of the order and gave no cause.
    OrderEmptied,
    /// The order's fingerprint is not the one known.
    OrderIdentityChanged,
    /// The order says that it was sold elsewhere.
    OriginChanged {
        /// Where it should have been.
        expected: String,
        /// Where it says it was.
        stated: String,
    },
    /// What was sold before Bursar was there is to end, and Bursar cannot tell what to take.
    EarlierSale {
        /// Why it ends.
        reason: Box<Reason>,
    },
    /// The shop says now what a person decided otherwise.
    AgainstDecision {
        /// Which kind of decision.
        ruling: RulingKind,
    },
    /// The shop takes more away than can be meant.
    RemovalsPaused {
        /// So many within an hour.
        ended: u32,
        /// So many are left.
        live: u32,
    },
    /// The LMS cannot be used until a person mends something.
    LmsMisconfigured {
        /// Which.
        lms: LmsName,
        /// For what.
        work: LmsWork,
        /// What is wrong.
        problem: String,
    },
    /// The shop deleted the order.
    OrderDeleted,
    /// A part of the money went back, and it is not known for what.
    RefundUnassigned {
        /// Decimal text.
        amount: String,
        /// Decimal text.
        total: String,
        /// ISO 4217.
        currency: String,
    },
    /// More of a line was sold than learners are named.
    SeatsFree {
        /// For so many nobody is named.
        free: u32,
    },
    /// More of a line was refunded than seats were free; the access stays.
    QuantityPartlyRefunded {
        /// How many are left.
        left: u32,
    },
    /// The adapter asks, in its own words.
    Adapter {
        /// The words.
        words: String,
    },
    /// The enrollment could not be brought about.
    EnrollmentRefused {
        /// What stands in the way.
        obstacle: Obstacle,
    },
    /// A change that the adapter asked for could not be brought about.
    EffectRefused {
        /// Which.
        #[serde(flatten)]
        asked: Asked,
        /// The refusal's code.
        refusal: String,
    },
    /// A removal needs a person's word.
    Revoke {
        /// Why.
        reason: Box<Reason>,
    },
    /// The LMS has no account for a learner, and the shop's policy is to ask.
    NoAccount,
    /// The learner's account was retired.
    AccountRetired,
    /// The learner is given in a way that cannot be looked up.
    IdentityUnsupported,
    /// The LMS does not register learners for us; they are waited for.
    RegistrationRefused {
        /// The refusal's code.
        refusal: String,
        /// The fields that it complains of.
        fields: Vec<String>,
    },
    /// No more learners are registered for now; they are waited for.
    RegistrationLimit {
        /// Registrations in seven days that this host allows itself; none: the LMS itself said that it was enough.
        own: Option<u32>,
    },
}

crate::words! {
    /// What an LMS is needed for. Each may go on while another cannot.
    LmsWork {
        /// Finding accounts, and registering them.
        Accounts = "accounts",
        /// Reading and changing enrollments.
        Enrollments = "enrollments",
        /// Records of who may enroll.
        Allowances = "enrollment-allowed records",
        /// What adapters ask for.
        Effects = "adapters' changes",
    }
}

impl Concern {
    /// The code that programs, tables and the command line know it by.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::ProductUnmapped { .. } => "product-unmapped",
            Self::LearnerMissing => "learner-missing",
            Self::LearnerMalformed => "learner-malformed",
            Self::LearnerChanged => "learner-changed",
            Self::OrderEmptied => "order-emptied",
            Self::OrderIdentityChanged => "order-identity-changed",
            Self::OriginChanged { .. } => "origin-changed",
            Self::EarlierSale { .. } => "earlier-sale",
            Self::AgainstDecision { .. } => "against-decision",
            Self::RemovalsPaused { .. } => "removals-paused",
            Self::LmsMisconfigured { .. } => "lms-misconfigured",
            Self::SeatsFree { .. } => "seats-free",
            Self::OrderDeleted => "order-deleted",
            Self::RefundUnassigned { .. } => "refund-unassigned",
            Self::QuantityPartlyRefunded { .. } => "quantity-partly-refunded",
            Self::Adapter { .. } => "adapter",
            Self::EnrollmentRefused { .. } => "enrollment-refused",
            Self::EffectRefused { .. } => "effect-refused",
            Self::Revoke { .. } => "revoke",
            Self::NoAccount => "no-account",
            Self::AccountRetired => "account-retired",
            Self::IdentityUnsupported => "identity-unsupported",
            Self::RegistrationRefused { .. } => "registration-refused",
            Self::RegistrationLimit { .. } => "registration-limit",
        }
    }
}

impl Concern {
    /// What a person may answer.
    ///
    /// | the concern is that | answers |
    /// |---|---|
    /// | a product is not mapped | none: mapping it settles it |
    /// | something of an order speaks for taking access away | keep, take |
    /// | a removal waits for a person | keep, take |
    /// | removals pause | again |
    /// | the LMS refuses, or cannot be used | again, noted |
    /// | anything else | noted |
    #[must_use]
    pub fn answers(&self) -> &'static [Answer] {
        match self {
            Self::ProductUnmapped { .. } => &[],
            Self::OrderEmptied
            | Self::OrderDeleted
            | Self::RefundUnassigned { .. }
            | Self::QuantityPartlyRefunded { .. }
            | Self::AgainstDecision { .. }
            | Self::Revoke { .. } => &[Answer::Keep, Answer::Take],
            Self::RemovalsPaused { .. } => &[Answer::Again],
            Self::EnrollmentRefused { .. }
            | Self::EffectRefused { .. }
            | Self::LmsMisconfigured { .. }
            | Self::NoAccount
            | Self::RegistrationRefused { .. }
            | Self::RegistrationLimit { .. } => &[Answer::Again, Answer::Noted],
            Self::LearnerMissing
            | Self::LearnerMalformed
            | Self::LearnerChanged
            | Self::OrderIdentityChanged
            | Self::OriginChanged { .. }
            | Self::EarlierSale { .. }
            | Self::SeatsFree { .. }
            | Self::Adapter { .. }
            | Self::AccountRetired
            | Self::IdentityUnsupported => &[Answer::Noted],
        }
    }
}

impl fmt::Display for Concern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ProductUnmapped { products, title } => {
                write!(f, "paid, but the catalog has no course for {title:?}")?;
                for product in products {
                    write!(f, " {product}")?;
                }
                Ok(())
            }
            Self::LearnerMissing => f.write_str("paid, but the order names no learner"),
            Self::LearnerMalformed => f.write_str("paid, but the learner given is not an address or a username"),
            Self::LearnerChanged => f.write_str("the order names another learner than the one who was given access"),
            Self::OrderEmptied => f.write_str("the shop sent the order without any lines and without saying why"),
            Self::OrderIdentityChanged => {
                f.write_str("another order came under a known id; was the shop restored or copied?")
            }
            Self::OrderDeleted => {
                f.write_str("the order was deleted in the shop; the access stays until a person decides")
            }
            Self::RefundUnassigned { amount, total, currency } => {
                write!(
                    f,
                    "{amount} of {total} {currency} went back, and the shop does not say for which line; the access stays"
                )
            }
            Self::QuantityPartlyRefunded { left } => {
                write!(f, "more of the line was refunded than seats were free, {left} left; the access stays")
            }
            Self::SeatsFree { free: 1 } => f.write_str("one more of the line was sold than learners are named"),
            Self::SeatsFree { free } => write!(f, "{free} more of the line were sold than learners are named"),
            Self::OriginChanged { expected, stated } => {
                write!(
                    f,
                    "the order says that it was sold at {stated} and not at {expected}; is it a copy of the shop?"
                )
            }
            Self::EarlierSale { reason } => {
                write!(f, "sold before Bursar was there, and now {reason}; look at the enrollment in the LMS")
            }
            Self::AgainstDecision { ruling } => f.write_str(match ruling {
                RulingKind::Approved => "the shop says unpaid, but a person approved the order; it counts as paid",
                RulingKind::Lifted => "the shop holds the order again, but a person lifted that; the access stays",
                RulingKind::Seated => "the shop names another learner than a person did; the person's word counts",
                RulingKind::Sells => "the shop names another course than a person did; the person's word counts",
            }),
            Self::RemovalsPaused { ended, live } => write!(
                f,
                "{ended} purchases ended within an hour and {live} are left; nothing is taken away until a person has looked"
            ),
            Self::LmsMisconfigured { lms, work, problem } => {
                write!(f, "the LMS {lms} cannot be used for {work} until it is mended: {problem}")
            }
            Self::Adapter { words } => f.write_str(words),
            Self::EnrollmentRefused { obstacle } => write!(f, "paid, but the LMS refuses the enrollment: {obstacle}"),
            Self::EffectRefused { asked, refusal } => {
                write!(f, "the adapter asked {asked}; refused: {refusal}")
            }
            Self::Revoke { reason } => write!(f, "access should end and a person decides: {reason}"),
            Self::NoAccount => f.write_str("paid, but the LMS has no account for the learner"),
            Self::AccountRetired => f.write_str("paid, but the learner's account was retired"),
            Self::IdentityUnsupported => {
                f.write_str("paid, but the learner is named in a way that cannot be looked up")
            }
            Self::RegistrationRefused { refusal, fields } => {
                write!(f, "paid, and the LMS does not register the learner: {refusal}")?;
                if !fields.is_empty() {
                    write!(f, " ({})", fields.join(", "))?;
                }
                f.write_str("; whoever has no account is waited for")
            }
            Self::RegistrationLimit { own: Some(limit) } => write!(
                f,
                "paid, and {limit} learners were registered in seven days, which is the limit; whoever has no account is waited for"
            ),
            Self::RegistrationLimit { own: None } => {
                f.write_str("paid, and the LMS registers nobody else for now; whoever has no account is waited for")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_concern_is_stored_under_the_code_it_is_shown_by() {
        let concern = Concern::RefundUnassigned { amount: "1".into(), total: "2".into(), currency: "EUR".into() };
        let stored = format!("{:?}", serde_code(&concern));
        assert_eq!(stored, format!("{:?}", concern.code()));
        assert_eq!(serde_code(&Concern::LearnerMissing), Concern::LearnerMissing.code());
    }

    #[test]
    fn the_reason_of_an_effect_reads_back_and_names_nobody() {
        let run = crate::CourseRun::parse("course-v1:A+B+C").unwrap();
        let end = EffectEnd::Refused { refusal: "unknown-user".into() };
        let reason = Reason::Effect { asked: Asked::Enrollment { run, mode: None, active: Some(true) }, end };
        let json = serde_json::to_value(&reason).unwrap();
        assert_eq!(
            (&json["code"], &json["kind"], &json["end"]),
            (&"effect".into(), &"enrollment".into(), &"refused".into())
        );
        assert_eq!(serde_json::from_value::<Reason>(json).unwrap(), reason);
        assert_eq!(reason.to_string(), "the adapter asked to enroll in course-v1:A+B+C; refused: unknown-user");
    }

    fn serde_code(concern: &Concern) -> String {
        let json = serde_json::to_value(concern).unwrap();
        json["code"].as_str().unwrap().to_owned()
    }
}
