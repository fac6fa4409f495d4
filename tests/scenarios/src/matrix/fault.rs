//! What the LMS does wrong.

use openedx_simulator::FaultKind;

/// A fault. Those without a kind of the simulator's are the whole LMS's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Unplugged,
    Unauthorized,
    Forbidden,
    NotFoundEmpty,
    NotAcceptable,
    NoSuchUser,
    Conflict,
    TooMany,
    TooManyForAMinute,
    ServerErrorBefore,
    ServerErrorAfter,
    BadGateway,
    Maintenance,
    TimeoutBefore,
    TimeoutAfter,
    CutBefore,
    CutAfter,
    OtherMode,
    OtherActivation,
    Redirect,
}

impl Kind {
    pub const ALL: [Self; 20] = [
        Self::Unplugged,
        Self::Unauthorized,
        Self::Forbidden,
        Self::NotFoundEmpty,
        Self::NotAcceptable,
        Self::NoSuchUser,
        Self::Conflict,
        Self::TooMany,
        Self::TooManyForAMinute,
        Self::ServerErrorBefore,
        Self::ServerErrorAfter,
        Self::BadGateway,
        Self::Maintenance,
        Self::TimeoutBefore,
        Self::TimeoutAfter,
        Self::CutBefore,
        Self::CutAfter,
        Self::OtherMode,
        Self::OtherActivation,
        Self::Redirect,
    ];

    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Unplugged => "unplugged",
            Self::Unauthorized => "unauthorized",
            Self::Forbidden => "forbidden",
            Self::NotFoundEmpty => "not-found-empty",
            Self::NotAcceptable => "not-acceptable",
            Self::NoSuchUser => "no-such-user",
            Self::Conflict => "conflict",
            Self::TooMany => "too-many",
            Self::TooManyForAMinute => "too-many-for-a-minute",
            Self::ServerErrorBefore => "server-error-before",
            Self::ServerErrorAfter => "server-error-after",
            Self::BadGateway => "bad-gateway",
            Self::Maintenance => "maintenance",
            Self::TimeoutBefore => "timeout-before",
            Self::TimeoutAfter => "timeout-after",
            Self::CutBefore => "cut-before",
            Self::CutAfter => "cut-after",
            Self::OtherMode => "other-mode",
            Self::OtherActivation => "other-activation",
            Self::Redirect => "redirect",
        }
    }

    /// The simulator's word for it; none for the one that is no fault of a call.
    #[must_use]
    pub fn of_simulator(self, lasts: Lasts, gives: bool) -> Option<FaultKind> {
        // A call that really times out takes a second of the test's own time. One does; of many, the connection is cut soon.
        let hold_ms = (lasts == Lasts::UntilCleared).then_some(HELD_MS);
        Some(match self {
            Self::Unplugged => return None,
            Self::Unauthorized => FaultKind::Unauthorized,
            Self::Forbidden => FaultKind::Forbidden,
            Self::NotFoundEmpty => FaultKind::NotFoundEmpty,
            Self::NotAcceptable => FaultKind::NotAcceptable,
            Self::NoSuchUser => FaultKind::NoSuchUser,
            Self::Conflict => FaultKind::Conflict,
            Self::TooMany => FaultKind::TooManyRequests { retry_after: None },
            Self::TooManyForAMinute => FaultKind::TooManyRequests { retry_after: Some(60) },
            Self::ServerErrorBefore => FaultKind::ServerErrorBefore,
            Self::ServerErrorAfter => FaultKind::ServerErrorAfter,
            Self::BadGateway => FaultKind::BadGateway,
            Self::Maintenance => FaultKind::Maintenance,
            Self::TimeoutBefore => FaultKind::TimeoutBefore { hold_ms },
            Self::TimeoutAfter => FaultKind::TimeoutAfter { hold_ms },
            Self::CutBefore => FaultKind::CutBefore,
            Self::CutAfter => FaultKind::CutAfter,
            Self::OtherMode => FaultKind::WrongEcho { mode: Some("honor".to_owned()), is_active: None },
            Self::OtherActivation => FaultKind::WrongEcho { mode: None, is_active: Some(!gives) },
            Self::Redirect => FaultKind::Redirect { location: None },
        })
    }
}

/// How long a connection is held, in milliseconds of the test's own time, before it is cut.
const HELD_MS: u64 = 5;

/// How long the LMS is at fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lasts {
    Once,
    UntilCleared,
}

impl Lasts {
    pub const ALL: [Self; 2] = [Self::Once, Self::UntilCleared];

    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Once => "once",
            Self::UntilCleared => "until-cleared",
        }
    }
}
