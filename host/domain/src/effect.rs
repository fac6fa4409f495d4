//! Effects: changes of the LMS that an adapter asks for beside the ledger, because no order line can say them.
//!
//! Owns the changes of the contract's `lms-write` (`wit/0.1.0/lms.wit`) in the host's own types, when an enrollment is as
//! one of them asks, and what has to be sent for it. Reading the LMS, writing to it and doing each change once are done by
//! those who call this.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{
    fulfillment::Seen,
    names::{CourseRun, Email, Malformed, Mode, Username},
};

/// A change, and the key under which it is done once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EffectStatement {
    /// The adapter's own name for it, unique in its shop.
    pub key: String,
    /// What to change.
    pub change: Change,
}

/// What an adapter asks for. Each is one operation of the LMS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// Make an enrollment, or change it.
    Enrollment(EnrollmentChange),
    /// Something about whoever owns an address.
    Address(AddressChange),
}

/// A change about whoever owns an address, with or without an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AddressChange {
    /// Let the owner of an address enroll.
    Allow {
        /// Whose address.
        email: Email,
        /// In which course run.
        run: CourseRun,
        /// Have the LMS enroll them by itself, in its default mode, once a new account of theirs is activated.
        auto_enroll: bool,
    },
    /// Take that leave away again.
    Disallow {
        /// Whose address.
        email: Email,
        /// In which course run.
        run: CourseRun,
    },
    /// Register an account.
    Register {
        /// The address.
        email: Email,
        /// The username wanted.
        username: Username,
        /// The full name.
        name: FullName,
    },
}

/// An enrollment to make or to change: at least a mode or an activation is given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EnrollmentChange {
    /// Whose, as the LMS calls them.
    pub username: Username,
    /// In which course run.
    pub run: CourseRun,
    /// The mode to have; with `active: Some(false)`, the mode that the enrollment must have to be ended.
    pub mode: Option<Mode>,
    /// To give access, or to end it.
    pub active: Option<bool>,
    /// Enroll although the course run is closed or by invitation only.
    pub force: bool,
    /// Notes for the LMS.
    pub attributes: Vec<Attribute>,
}

impl EnrollmentChange {
    /// Does the LMS say what is asked for already? Then nothing is sent.
    ///
    /// | asked for | it is so where the enrollment is |
    /// |---|---|
    /// | to end | absent or inactive, whatever the mode |
    /// | to give, with or without a mode | active, in that mode if one is named |
    /// | a mode only | in that mode, active or not |
    #[must_use]
    pub fn is_so(&self, seen: &Seen) -> bool {
        let is_mode = |mode: &Mode| self.mode.as_ref().is_none_or(|wanted| wanted == mode);
        match (self.active, seen) {
            (Some(false), Seen::Absent | Seen::Inactive { .. }) => true,
            (Some(false), Seen::Active { .. }) | (_, Seen::Absent) | (Some(true), Seen::Inactive { .. }) => false,
            (_, Seen::Active { mode }) | (None, Seen::Inactive { mode }) => is_mode(mode),
        }
    }

    /// The activation to send. The LMS takes a call that names a mode only for two different things, the second time it
    /// comes (`docs/lms.md`, 4.2), so the activation is said wherever it can be: as it is, and active where nothing is.
    #[must_use]
    pub fn activation(&self, seen: &Seen) -> Option<bool> {
        match (self.active, seen) {
            (Some(active), _) => Some(active),
            (None, Seen::Absent | Seen::Active { .. }) => Some(true),
            // Saying "inactive" beside another mode is refused as a mismatch.
            (None, Seen::Inactive { .. }) => None,
        }
    }
}

impl Change {
    /// The change without the person.
    #[must_use]
    pub fn asked(&self) -> Asked {
        match self {
            Self::Enrollment(change) => {
                Asked::Enrollment { run: change.run.clone(), mode: change.mode.clone(), active: change.active }
            }
            Self::Address(AddressChange::Allow { run, .. }) => Asked::Allow { run: run.clone() },
            Self::Address(AddressChange::Disallow { run, .. }) => Asked::Disallow { run: run.clone() },
            Self::Address(AddressChange::Register { .. }) => Asked::Register,
        }
    }
}

/// A change without the person whom it is about, for reasons.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum Asked {
    /// [`Change::Enrollment`].
    Enrollment {
        /// In which course run.
        run: CourseRun,
        /// The mode asked for.
        mode: Option<Mode>,
        /// The activation asked for.
        active: Option<bool>,
    },
    /// [`AddressChange::Allow`].
    Allow {
        /// In which course run.
        run: CourseRun,
    },
    /// [`AddressChange::Disallow`].
    Disallow {
        /// In which course run.
        run: CourseRun,
    },
    /// [`AddressChange::Register`].
    Register,
}

impl Asked {
    /// `enrollment`, `allow`, `disallow` or `register`.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Enrollment { .. } => "enrollment",
            Self::Allow { .. } => "allow",
            Self::Disallow { .. } => "disallow",
            Self::Register => "register",
        }
    }
}

impl fmt::Display for Asked {
    /// What follows "the adapter asked …".
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Enrollment { run, mode: Some(mode), active: Some(false) } => {
                write!(f, "to end the enrollment in {run} if it is {mode}")
            }
            Self::Enrollment { run, mode: None, active: Some(false) } => write!(f, "to end the enrollment in {run}"),
            Self::Enrollment { run, mode: Some(mode), active: Some(true) } => write!(f, "to enroll in {run} as {mode}"),
            Self::Enrollment { run, mode: None, .. } => write!(f, "to enroll in {run}"),
            Self::Enrollment { run, mode: Some(mode), active: None } => {
                write!(f, "to set the mode in {run} to {mode}")
            }
            Self::Allow { run } => write!(f, "to let an address enroll in {run}"),
            Self::Disallow { run } => write!(f, "to let an address enroll in {run} no more"),
            Self::Register => f.write_str("to register an account"),
        }
    }
}

/// What became of an effect.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "end", rename_all = "kebab-case")]
pub enum EffectEnd {
    /// The LMS was told, and did it.
    Done,
    /// An earlier request of ours, whose record was missing, had done it.
    FoundDone,
    /// It was so already.
    AlreadySo,
    /// To be registered, and an account of this address exists.
    AccountExists,
    /// The LMS refused, definitely.
    Refused {
        /// The refusal's code.
        refusal: String,
    },
    /// The shop is only observed: this is what would have been done.
    Observed,
    /// Its key was used before, so nothing more is done.
    Repeated,
}

impl EffectEnd {
    /// Its word, as it is stored.
    #[must_use]
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::FoundDone => "found-done",
            Self::AlreadySo => "already-so",
            Self::AccountExists => "account-exists",
            Self::Refused { .. } => "refused",
            Self::Observed => "observed",
            Self::Repeated => "repeated",
        }
    }
}

/// Longest part of an enrollment attribute that the LMS stores, in characters; more ends in a 500.
pub const ATTRIBUTE_MAX: usize = 255;

/// Something noted on an enrollment. The LMS never shows attributes again, and replaces all of them when it takes new
/// ones.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attribute {
    namespace: String,
    name: String,
    value: String,
}

impl Attribute {
    /// Checks an attribute.
    ///
    /// # Errors
    /// When a part is blank or longer than the LMS stores, and for an `order` / `date_placed` that is not of the form
    /// `2026-11-23T09:15:00Z`: with such a one the LMS fails every later unenrollment (`docs/lms.md`).
    pub fn new(namespace: &str, name: &str, value: &str) -> Result<Self, Malformed> {
        let malformed = |problem| Malformed { what: "enrollment attribute", problem };
        for part in [namespace, name, value] {
            if part.trim().is_empty() {
                return Err(malformed("has a blank part"));
            }
            if part.chars().count() > ATTRIBUTE_MAX {
                return Err(malformed("has a part longer than 255 characters"));
            }
        }
        if (namespace, name) == ("order", "date_placed") && !is_whole_second_utc(value) {
            return Err(malformed("order/date_placed must look like 2026-11-23T09:15:00Z"));
        }
        Ok(Self { namespace: namespace.to_owned(), name: name.to_owned(), value: value.to_owned() })
    }

    /// Whose names these are.
    #[must_use]
    pub fn namespace(&self) -> &str {
        &self.namespace
    }

    /// What is noted.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The note.
    #[must_use]
    pub fn value(&self) -> &str {
        &self.value
    }
}

fn is_whole_second_utc(text: &str) -> bool {
    text.len() == "2026-11-23T09:15:00Z".len() && text.ends_with('Z') && text.parse::<jiff::Timestamp>().is_ok()
}

/// Longest full name that the LMS stores, in characters.
pub const FULL_NAME_MAX: usize = 255;

/// A learner's full name, blanks around it removed.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct FullName(String);

impl FullName {
    /// Checks a name.
    ///
    /// # Errors
    /// When it is blank or longer than the LMS stores.
    pub fn parse(text: &str) -> Result<Self, Malformed> {
        let malformed = |problem| Malformed { what: "full name", problem };
        let text = text.trim();
        if text.is_empty() {
            return Err(malformed("is blank"));
        }
        if text.chars().count() > FULL_NAME_MAX {
            return Err(malformed("is longer than 255 characters"));
        }
        if text.chars().any(char::is_control) {
            return Err(malformed("holds a control character"));
        }
        Ok(Self(text.to_owned()))
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for FullName {
    /// Nothing personal.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FullName(***)")
    }
}

impl TryFrom<String> for FullName {
    type Error = Malformed;
    fn try_from(text: String) -> Result<Self, Malformed> {
        Self::parse(&text)
    }
}

impl From<FullName> for String {
    fn from(name: FullName) -> Self {
        name.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode(mode: &str) -> Mode {
        Mode::parse(mode).unwrap()
    }

    fn change(mode: Option<&str>, active: Option<bool>) -> EnrollmentChange {
        EnrollmentChange {
            username: Username::parse("ada").unwrap(),
            run: CourseRun::parse("course-v1:A+B+C").unwrap(),
            mode: mode.map(self::mode),
            active,
            force: false,
            attributes: Vec::new(),
        }
    }

    fn everything_that_can_be_seen() -> [Seen; 5] {
        let [verified, audit] = ["verified", "audit"].map(mode);
        [
            Seen::Absent,
            Seen::Inactive { mode: verified.clone() },
            Seen::Inactive { mode: audit.clone() },
            Seen::Active { mode: verified },
            Seen::Active { mode: audit },
        ]
    }

    #[test]
    fn a_change_is_made_where_the_enrollment_is_not_as_asked() {
        for (asked, is_so) in [
            (change(Some("verified"), Some(true)), [false, false, false, true, false]),
            (change(None, Some(true)), [false, false, false, true, true]),
            (change(Some("verified"), None), [false, true, false, true, false]),
            (change(None, Some(false)), [true, true, true, false, false]),
            (change(Some("verified"), Some(false)), [true, true, true, false, false]),
        ] {
            assert_eq!(everything_that_can_be_seen().map(|seen| asked.is_so(&seen)), is_so, "{asked:?}");
        }
    }

    #[test]
    fn a_mode_alone_moves_the_activation_of_nothing_that_is_there() {
        let asked = change(Some("verified"), None);
        let sent = everything_that_can_be_seen().map(|seen| asked.activation(&seen));
        assert_eq!(sent, [Some(true), None, None, Some(true), Some(true)]);
        assert_eq!(change(None, Some(false)).activation(&Seen::Absent), Some(false));
    }

    #[test]
    fn attributes_that_would_make_the_lms_fail_are_refused() {
        assert!(Attribute::new("bursar", "", "x").is_err());
        assert!(Attribute::new("bursar", "order", " ").is_err());
        assert!(Attribute::new("bursar", "order", &"x".repeat(256)).is_err());
        for value in ["2026-11-23", "2026-11-23T09:15:00+00:00", "2026-11-23T09:15:00.1Z", "2026-11-23 09:15:00Zx"] {
            assert!(Attribute::new("order", "date_placed", value).is_err(), "{value:?} passed");
        }
        assert!(Attribute::new("order", "date_placed", "2026-11-23T09:15:00Z").is_ok());
    }

    #[test]
    fn a_name_never_shows_in_debug_output() {
        assert_eq!(format!("{:?}", FullName::parse(" Ada Lovelace ").unwrap()), "FullName(***)");
        assert!(FullName::parse("  ").is_err());
    }
}
