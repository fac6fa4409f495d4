//! The calls that fulfillment makes, each with a short story in which it is made.

use openedx_simulator::{Endpoint, Fault, FaultKind};

use super::fault::Lasts;

/// A call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Call {
    Token,
    SearchEmails,
    AccountByName,
    AccountByAddress,
    EnrollmentList,
    OneEnrollment,
    Enroll,
    Upgrade,
    Unenroll,
    Restore,
    Forced,
    WithoutMode,
    WithKey,
    CourseDetails,
    AllowedGet,
    AllowedCreate,
    AllowedDelete,
    Registration,
}

/// A story in which a call is made.
#[derive(Debug, Clone, Copy, Default)]
pub struct Story {
    /// `[lms]` and `[shops]` of a case.
    pub stage: &'static str,
    /// What happens before the fault.
    pub before: &'static [&'static str],
    /// What makes the call be made.
    pub happens: &'static [&'static str],
    /// What the LMS holds until the call had its effect.
    pub untouched: &'static [&'static str],
    /// What it must hold in the end, and the reviews that are open then.
    pub right: &'static [&'static str],
    /// Somebody without an account is looked for every few seconds, which is no trouble of the LMS's.
    pub looks_for_somebody: bool,
}

const CLOSED: &str = r#"
lms.courses = ["CS101: audit, verified; closed"]
shops.campus = { sells = ["BIO: CS101 verified"], force = "always" }
"#;

const WAITING: &str = r#"
lms.courses = ["CS101: audit, verified"]
shops.campus = { sells = ["BIO: CS101 verified"], enrollment_allowed_records = true }
"#;

const BOUGHT: Story = Story {
    stage: "",
    before: &[],
    happens: &["order 42: ada buys BIO"],
    untouched: &[],
    right: &["ada in CS101 as verified"],
    looks_for_somebody: false,
};

impl Call {
    pub const ALL: [Self; 18] = [
        Self::Token,
        Self::SearchEmails,
        Self::AccountByName,
        Self::AccountByAddress,
        Self::EnrollmentList,
        Self::OneEnrollment,
        Self::Enroll,
        Self::Upgrade,
        Self::Unenroll,
        Self::Restore,
        Self::Forced,
        Self::WithoutMode,
        Self::WithKey,
        Self::CourseDetails,
        Self::AllowedGet,
        Self::AllowedCreate,
        Self::AllowedDelete,
        Self::Registration,
    ];

    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Token => "token",
            Self::SearchEmails => "search-emails",
            Self::AccountByName => "account-by-name",
            Self::AccountByAddress => "account-by-address",
            Self::EnrollmentList => "enrollment-list",
            Self::OneEnrollment => "one-enrollment",
            Self::Enroll => "enroll",
            Self::Upgrade => "upgrade",
            Self::Unenroll => "unenroll",
            Self::Restore => "restore",
            Self::Forced => "forced",
            Self::WithoutMode => "without-mode",
            Self::WithKey => "with-key",
            Self::CourseDetails => "course-details",
            Self::AllowedGet => "allowed-get",
            Self::AllowedCreate => "allowed-create",
            Self::AllowedDelete => "allowed-delete",
            Self::Registration => "registration",
        }
    }

    /// Is it a change of an enrollment?
    #[must_use]
    pub fn is_change(self) -> bool {
        matches!(
            self,
            Self::Enroll
                | Self::Upgrade
                | Self::Unenroll
                | Self::Restore
                | Self::Forced
                | Self::WithoutMode
                | Self::WithKey
        )
    }

    /// Does it leave an enrollment active?
    #[must_use]
    pub fn gives(self) -> bool {
        self != Self::Unenroll
    }

    /// Is it the first call of its kind in its story?
    #[must_use]
    pub fn is_first(self) -> bool {
        !matches!(self, Self::Forced | Self::WithoutMode | Self::WithKey)
    }

    /// The fault that strikes this call, and not those before it.
    #[must_use]
    pub fn struck(self, kind: FaultKind, lasts: Lasts) -> Fault {
        let endpoint = match self {
            Self::Token => Endpoint::Token,
            Self::SearchEmails => Endpoint::SearchEmails,
            Self::AccountByName | Self::AccountByAddress => Endpoint::Accounts,
            Self::EnrollmentList => Endpoint::EnrollmentList,
            Self::OneEnrollment => Endpoint::EnrollmentGet,
            Self::CourseDetails => Endpoint::CourseDetails,
            Self::AllowedGet | Self::AllowedCreate | Self::AllowedDelete => Endpoint::EnrollmentAllowed,
            Self::Registration => Endpoint::Registration,
            _ => Endpoint::EnrollmentPost,
        };
        let fault = match lasts {
            Lasts::Once => Fault::next(endpoint, 1, kind),
            Lasts::UntilCleared => Fault::always(endpoint, kind),
        };
        let fault = match self {
            Self::AllowedGet => fault.of_method("GET"),
            Self::AllowedCreate => fault.of_method("POST"),
            Self::AllowedDelete => fault.of_method("DELETE"),
            _ => fault,
        };
        // The plain request comes first and is refused by the LMS itself.
        if self.is_first() { fault } else { fault.after(1) }
    }

    #[must_use]
    pub fn story(self) -> Story {
        match self {
            Self::Token | Self::SearchEmails | Self::OneEnrollment | Self::Enroll => BOUGHT,
            Self::AccountByName => Story { happens: &["order 42: nobody buys BIO; line 1 for username ada"], ..BOUGHT },
            Self::AccountByAddress => Story {
                stage: r#"lms.learners = ["ada", "eve: retired"]"#,
                happens: &["order 42: eve buys BIO"],
                right: &["review account-retired"],
                ..BOUGHT
            },
            Self::EnrollmentList => Story {
                happens: &["order 42: ada buys BIO, BIO for ben"],
                right: &["ada in CS101 as verified", "ben in CS101 as verified"],
                ..BOUGHT
            },
            Self::Upgrade => Story {
                stage: r#"lms.enrolled = ["ada in CS101 as audit"]"#,
                untouched: &["ada in CS101 as audit"],
                ..BOUGHT
            },
            Self::Unenroll => Story {
                before: &["order 42: ada buys BIO", "order 42: refunded"],
                happens: &["wait 16 minutes"],
                untouched: &["ada in CS101 as verified"],
                right: &["ada out of CS101 as verified"],
                ..BOUGHT
            },
            Self::Restore => Story {
                stage: r#"lms.enrolled = ["ada in CS101 as audit"]"#,
                before: &["order 42: ada buys BIO", "order 42: refunded"],
                happens: &["wait 16 minutes"],
                untouched: &["ada in CS101 as verified"],
                right: &["ada in CS101 as audit"],
                ..BOUGHT
            },
            Self::Forced | Self::CourseDetails => Story { stage: CLOSED, ..BOUGHT },
            Self::WithoutMode => Story {
                stage: r#"
                    lms.courses = ["CS101: audit, verified"]
                    lms.enrolled = ["ada out of CS101 as verified"]
                    shops.campus.sells = ["BIO: CS101 verified"]
                "#,
                before: &["CS101 stops offering verified"],
                untouched: &["ada out of CS101 as verified"],
                ..BOUGHT
            },
            Self::WithKey => Story {
                stage: r#"
                    lms.courses = ["CS101: audit, verified"]
                    lms.enrolled = ["ada in CS101 as audit"]
                    lms.set.api_key = { env = "LMS_KEY" }
                    shops.campus = { sells = ["BIO: CS101 verified"], force = "always" }
                "#,
                before: &["CS101 stops offering verified"],
                untouched: &["ada in CS101 as audit"],
                ..BOUGHT
            },
            Self::AllowedGet | Self::AllowedCreate => Story {
                stage: WAITING,
                happens: &["order 42: gwen buys BIO"],
                right: &["gwen may enroll in CS101"],
                looks_for_somebody: true,
                ..BOUGHT
            },
            Self::AllowedDelete => Story {
                stage: WAITING,
                before: &["order 42: gwen buys BIO"],
                happens: &["order 42: refunded", "wait 16 minutes"],
                untouched: &["gwen may enroll in CS101"],
                right: &[],
                looks_for_somebody: true,
            },
            Self::Registration => Story {
                stage: r#"
                    lms.courses = ["CS101: audit, verified"]
                    shops.campus = { sells = ["BIO: CS101 verified"], no_account = "register" }
                "#,
                happens: &["order 42: gwen buys BIO"],
                right: &["gwen in CS101 as verified"],
                looks_for_somebody: true,
                ..BOUGHT
            },
        }
    }
}
