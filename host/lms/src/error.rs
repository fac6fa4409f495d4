//! What a call to the LMS can end in, other than well.
//!
//! Owns the four classes of failure and their words. The words are for operators and logs: they never hold an e-mail
//! address, a username, a token or a secret. Which answer becomes which error is decided beside each call and in
//! `classify.rs`.

use std::time::Duration;

use bursar_domain::{Mode, Username};

/// A call that did not end well.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LmsError {
    /// The LMS said no, and will say no again.
    #[error(transparent)]
    Definite(#[from] Refusal),
    /// Not now. Nothing is wrong with the request.
    #[error(transparent)]
    TryAgain(#[from] Setback),
    /// It cannot be told what the LMS did. Read first, then decide.
    #[error(transparent)]
    Unclear(#[from] Doubt),
    /// Bursar's own set-up is wrong, so no other call to this LMS will fare better until an operator acts.
    #[error(transparent)]
    Ours(#[from] Fault),
}

/// The kind of a failure: what to do next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Class {
    /// Do not repeat the call.
    Definite,
    /// Repeat it, without counting an attempt.
    TryAgain {
        /// How long to wait at the least, where the LMS or the budget said so.
        after: Option<Duration>,
    },
    /// Read what the LMS holds, then decide.
    Unclear,
    /// Stop calling this LMS and tell an operator.
    Ours,
}

impl LmsError {
    /// What to do next.
    #[must_use]
    pub fn class(&self) -> Class {
        match self {
            Self::Definite(_) => Class::Definite,
            Self::TryAgain(setback) => Class::TryAgain { after: setback.after() },
            Self::Unclear(_) => Class::Unclear,
            Self::Ours(_) => Class::Ours,
        }
    }

    /// May the LMS have done what it was asked, although the call failed? `false` is certain, `true` is not: the
    /// request surely never reached the LMS, or the LMS surely turned it away before doing anything.
    #[must_use]
    pub fn may_have_had_effect(&self) -> bool {
        match self {
            Self::Definite(_) | Self::Ours(_) => false,
            Self::TryAgain(setback) => matches!(setback, Setback::Unavailable { .. }),
            Self::Unclear(_) => true,
        }
    }

    /// A word for this failure that never changes, for records and metrics: `unknown-user`, `timed-out`, …
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Definite(refusal) => refusal.code(),
            Self::TryAgain(setback) => setback.code(),
            Self::Unclear(doubt) => doubt.code(),
            Self::Ours(fault) => fault.code(),
        }
    }
}

/// The LMS said no, and will say no again.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// No user of this username.
    #[error("the LMS has no user of this name")]
    UnknownUser,
    /// No user of this e-mail address.
    #[error("the LMS has no user of this e-mail address")]
    UnknownEmail,
    /// No such course run.
    #[error("the LMS has no such course run; hint: compare the key with the one in Studio")]
    UnknownCourse,
    /// The mode is not offered by the run, or its upgrade deadline has passed. `None`: no mode was asked for and the
    /// run has no default one.
    #[error("the course run does not offer the mode {}, or no longer", .mode.as_ref().map_or("(default)", |mode| mode.as_str()))]
    ModeUnavailable {
        /// The mode asked for.
        mode: Option<Mode>,
    },
    /// A deactivation named another mode than the one the learner holds. Nothing was changed.
    #[error("the learner is enrolled as {active}, not as {requested}, so the LMS left the enrollment alone")]
    ModeMismatch {
        /// What the LMS holds.
        active: Mode,
        /// What was named.
        requested: Mode,
    },
    /// The LMS's one answer for enrollment closed, not yet open, invitation only, course full, and a plugin's veto.
    #[error(
        "the LMS refused the enrollment; hint: enrollment may be closed, by invitation only, full, or vetoed by a plugin"
    )]
    EnrollmentRefused,
    /// The course may not be taken from the learner's country, or not from this server's address.
    #[error(
        "the course is under embargo; hint: the LMS checks the learner's profile country and this server's own address"
    )]
    Embargo,
    /// The service user asked for a paid mode without being staff.
    #[error("only staff may enroll in this mode; hint: make the service user staff")]
    PaidModeForbidden,
    /// A plugin of the LMS said no.
    #[error("a plugin of the LMS refused: {said}")]
    Vetoed {
        /// In the plugin's words, what is personal struck out.
        said: String,
    },
    /// Credit mode needs the attribute `credit:provider_id`.
    #[error("credit mode needs the enrollment attribute credit:provider_id")]
    CreditAttributesMissing,
    /// The staff list takes no filter by a username of this form, and refuses the whole call for one of them.
    #[error("the LMS's list of enrollments cannot be asked for one of these usernames; hint: ask for each alone")]
    UnusableUsername,
    /// Registration: there is such an account.
    #[error("the LMS has an account with this {}", match (.email, .username) { (true, true) => "e-mail address and username", (true, false) => "e-mail address", _ => "username" })]
    AccountExists {
        /// The address is taken.
        email: bool,
        /// The username is taken.
        username: bool,
        /// Usernames that are free, as the LMS proposes them.
        suggestions: Vec<Username>,
    },
    /// Registration: the LMS does not take these fields.
    #[error("the LMS does not take the registration ({error_code}); hint: look at {}", .fields.join(", "))]
    RegistrationInvalid {
        /// The LMS's own word: `validation-error`, `invalid-country`, …
        error_code: String,
        /// The names of the fields, sorted; never their values.
        fields: Vec<String>,
    },
    /// Registration is switched off, or goes through a login provider only.
    #[error("the LMS registers nobody this way; hint: registration may be off or left to a login provider")]
    RegistrationClosed,
    /// The change can only be made with the site's API key, and there is none.
    #[error("this change needs the LMS's api key; hint: set api_key, or make the change in the LMS's admin")]
    NoApiKey,
    /// The LMS does not take the API key.
    #[error("the LMS does not take the api key; hint: compare it with EDX_API_KEY of the LMS, which may have none")]
    ApiKeyRefused,
    /// The LMS is too old, or has the feature switched off.
    #[error("the LMS has no {what}; hint: it may be too old for it")]
    Unsupported {
        /// What it has not.
        what: &'static str,
    },
}

impl Refusal {
    fn code(&self) -> &'static str {
        match self {
            Self::UnknownUser => "unknown-user",
            Self::UnknownEmail => "unknown-email",
            Self::UnknownCourse => "unknown-course",
            Self::ModeUnavailable { .. } => "mode-unavailable",
            Self::ModeMismatch { .. } => "mode-mismatch",
            Self::EnrollmentRefused => "enrollment-refused",
            Self::Embargo => "embargo",
            Self::PaidModeForbidden => "paid-mode-forbidden",
            Self::Vetoed { .. } => "vetoed",
            Self::CreditAttributesMissing => "credit-attributes-missing",
            Self::UnusableUsername => "unusable-username",
            Self::AccountExists { .. } => "account-exists",
            Self::RegistrationInvalid { .. } => "registration-invalid",
            Self::RegistrationClosed => "registration-closed",
            Self::NoApiKey => "no-api-key",
            Self::ApiKeyRefused => "api-key-refused",
            Self::Unsupported { .. } => "unsupported",
        }
    }
}

/// Not now.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Setback {
    /// The LMS had enough calls (429). The budget pauses by itself.
    #[error("the LMS takes no more calls for {} s", .after.as_secs())]
    Throttled {
        /// As the LMS said, else a minute.
        after: Duration,
    },
    /// Our own budget would not have given this call a turn soon enough; nothing was sent.
    #[error("the budget of calls has no turn for {} s", .after.as_secs())]
    NoTurn {
        /// How long until there may be one.
        after: Duration,
    },
    /// Nothing was sent: the last calls failed in a way that says that the LMS is away, or that it has something against
    /// us, and it is left alone for a while ([`crate::Lms::outage`] says why).
    #[error("the LMS is left alone for {} s", .after.as_secs())]
    Resting {
        /// How long until a call may go.
        after: Duration,
    },
    /// 502, 503 or 504. The request may have been carried out all the same.
    #[error("the LMS is not available (status {status})")]
    Unavailable {
        /// The status.
        status: u16,
        /// Its `Retry-After`, if it had one.
        after: Option<Duration>,
    },
    /// No connection came about; nothing was sent.
    #[error("the LMS cannot be reached: {problem}")]
    Unreachable {
        /// What went wrong, in the network's words.
        problem: String,
    },
    /// No token could be had, so the call itself was not sent.
    #[error("no token: {why}")]
    NoToken {
        /// What the token endpoint did.
        why: String,
    },
    /// The LMS registers no more people from this address for now: by default 60 tries in seven days, failed ones too.
    #[error("the LMS registers nobody else from this address for now")]
    RegistrationLimit {
        /// A guess: the LMS does not say.
        after: Duration,
    },
}

impl Setback {
    /// How long to wait at the least, if known.
    #[must_use]
    pub fn after(&self) -> Option<Duration> {
        match self {
            Self::Throttled { after }
            | Self::NoTurn { after }
            | Self::Resting { after }
            | Self::RegistrationLimit { after } => Some(*after),
            Self::Unavailable { after, .. } => *after,
            Self::Unreachable { .. } | Self::NoToken { .. } => None,
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::Throttled { .. } => "throttled",
            Self::NoTurn { .. } => "no-turn",
            Self::Resting { .. } => "resting",
            Self::Unavailable { .. } => "unavailable",
            Self::Unreachable { .. } => "unreachable",
            Self::NoToken { .. } => "no-token",
            Self::RegistrationLimit { .. } => "registration-limit",
        }
    }
}

/// It cannot be told what the LMS did.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Doubt {
    /// No answer in time; the request may still be carried out.
    #[error("the LMS did not answer in time")]
    TimedOut,
    /// The connection broke after the request had begun to be sent.
    #[error("the connection to the LMS broke before the answer was complete")]
    CutOff,
    /// 500, or another status of a server in trouble.
    #[error("the LMS failed (status {status})")]
    ServerError {
        /// The status.
        status: u16,
    },
    /// Success without JSON: a maintenance page, or a proxy's.
    #[error("the LMS answered {status} with a page instead of data; hint: it may be in maintenance")]
    NotData {
        /// The status.
        status: u16,
    },
    /// Success, but the answer is too large to be meant.
    #[error("the LMS's answer is larger than {limit} bytes")]
    TooLarge {
        /// The limit.
        limit: usize,
    },
    /// Success, but the answer is about something else than what was asked.
    #[error("the LMS answered success with another {what} than was asked for")]
    WrongEcho {
        /// What differs: `mode`, `activation`, `user`, `course run`, `e-mail address`.
        what: &'static str,
    },
    /// Success, but the answer does not read as it should.
    #[error("the LMS's answer does not read as {what}")]
    Unreadable {
        /// What it should be.
        what: &'static str,
    },
    /// A 400 that the LMS sends when the learner is enrolled already (`docs/lms.md`).
    #[error("the LMS enrolled the learner and then refused {what}")]
    AfterTheEffect {
        /// What it refused: `the cohort`, `an attribute`.
        what: &'static str,
    },
    /// An answer that nobody has seen before.
    #[error("the LMS answered {status}: {said}")]
    Unknown {
        /// The status.
        status: u16,
        /// Its words, shortened, what is personal struck out.
        said: String,
    },
    /// A list that does not end.
    #[error("the LMS's list goes on after {pages} pages; hint: ask for less at once")]
    TooManyPages {
        /// How many were read.
        pages: usize,
    },
}

impl Doubt {
    fn code(&self) -> &'static str {
        match self {
            Self::TimedOut => "timed-out",
            Self::CutOff => "cut-off",
            Self::ServerError { .. } => "server-error",
            Self::NotData { .. } => "not-data",
            Self::TooLarge { .. } => "too-large",
            Self::WrongEcho { .. } => "wrong-echo",
            Self::Unreadable { .. } => "unreadable",
            Self::AfterTheEffect { .. } => "after-the-effect",
            Self::Unknown { .. } => "unknown-answer",
            Self::TooManyPages { .. } => "too-many-pages",
        }
    }
}

/// Bursar's own set-up is wrong.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// The LMS's URL cannot be used.
    #[error("the LMS's url {problem}; hint: it looks like https://lms.example.org")]
    Url {
        /// What is wrong with it.
        problem: &'static str,
    },
    /// The HTTP client cannot be made, or there is no trust between it and the LMS.
    #[error(
        "no secure connection to the LMS: {problem}; hint: check the certificate, the url and this machine's clock"
    )]
    Tls {
        /// In the library's words.
        problem: String,
    },
    /// 3xx. Following it would turn a POST into a GET, whose success means nothing.
    #[error("the LMS redirects ({status}) to {location}; hint: set url to the LMS's final address")]
    Redirected {
        /// The status.
        status: u16,
        /// Where to, without its query.
        location: String,
    },
    /// There is no such page: the URL is not an LMS's, or not its root.
    #[error("the url does not lead to an LMS (status {status} from the {endpoint}); hint: set url to the LMS's root")]
    WrongUrl {
        /// The status.
        status: u16,
        /// Which endpoint is missing.
        endpoint: &'static str,
    },
    /// A proxy, a firewall or Django's list of hosts turned the request away.
    #[error(
        "something in front of the LMS refused the request (status {status}); hint: a firewall, or ALLOWED_HOSTS of the LMS"
    )]
    Blocked {
        /// The status.
        status: u16,
    },
    /// The LMS has something against one of our service users.
    #[error("service user of client {client_id}: {problem}")]
    ServiceUser {
        /// The client id that names the user in the configuration.
        client_id: String,
        /// What it has.
        problem: UserProblem,
    },
    /// 406 with `detail`: about our `Accept` header, not about a user.
    #[error("the LMS cannot answer in JSON; hint: something in front of it may change the Accept header")]
    NotAcceptable,
    /// 415.
    #[error("the LMS does not take the body's type; hint: something in front of it may change the Content-Type header")]
    UnsupportedMedia,
    /// The LMS found our request malformed.
    #[error("the LMS found the request malformed: {said}; hint: something in front of it may change requests")]
    BadRequest {
        /// Its words, shortened, what is personal struck out.
        said: String,
    },
}

impl Fault {
    fn code(&self) -> &'static str {
        match self {
            Self::Url { .. } => "url",
            Self::Tls { .. } => "tls",
            Self::Redirected { .. } => "redirected",
            Self::WrongUrl { .. } => "wrong-url",
            Self::Blocked { .. } => "blocked",
            Self::ServiceUser { problem, .. } => problem.code(),
            Self::NotAcceptable => "not-acceptable",
            Self::UnsupportedMedia => "unsupported-media",
            Self::BadRequest { .. } => "bad-request",
        }
    }
}

/// What the LMS has against a service user of ours. It stops all calls to the LMS, those of other service users as well:
/// every learner must be as well off as every other.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UserProblem {
    /// `invalid_client`.
    #[error(
        "the LMS does not know this client id and secret; hint: compare them with the application in the LMS's admin"
    )]
    UnknownClient,
    /// The token endpoint said no for another reason.
    #[error("the LMS gives no token: {error}; hint: the application must allow the grant type client credentials")]
    TokenRefused {
        /// OAuth's word: `unauthorized_client`, `invalid_scope`, …
        error: String,
    },
    /// A token that is not a JWT, or one that had expired when it was made.
    #[error("the LMS gives a token that cannot be used: {problem}; hint: the application must not be a restricted one")]
    UnusableToken {
        /// What is wrong with it.
        problem: &'static str,
    },
    /// 401, also with a new token.
    #[error(
        "the LMS refuses a token that it has just made; hint: check its JWT settings, and that nothing in front of it asks for a password"
    )]
    TokenRejected,
    /// The user is not staff.
    #[error("the service user is not staff; hint: make the application's owner staff in the LMS's admin")]
    NotStaff,
    /// 404 without a body: for a service user that was staff, this says that it no longer is (`docs/lms.md`).
    #[error("the service user may not act for others, or no longer; hint: make the application's owner staff again")]
    LostStaff,
    /// Two clients have one owner, so they share one budget in the LMS, and Bursar would plan with two.
    #[error("the client {other} acts as the same user; hint: give each application an owner of its own")]
    SharedOwner {
        /// The other client.
        other: String,
    },
}

impl UserProblem {
    fn code(&self) -> &'static str {
        match self {
            Self::UnknownClient => "unknown-client",
            Self::TokenRefused { .. } => "token-refused",
            Self::UnusableToken { .. } => "unusable-token",
            Self::TokenRejected => "token-rejected",
            Self::NotStaff => "not-staff",
            Self::LostStaff => "lost-staff",
            Self::SharedOwner { .. } => "shared-owner",
        }
    }
}
