//! The fault matrix: every call that fulfillment makes, struck by every fault of the LMS.
//!
//! Owns what must come of each pair, worked out from what the LMS said and never from what the host does: whatever is no
//! definite answer comes right by itself, a definite "no" asks a person, and nothing is ever given or taken that should not
//! be. Each cell is one short story ([`call`]) with one fault ([`fault`]) in it, played by [`cell`].

pub mod call;
pub mod cell;
pub mod fault;

use self::{
    call::Call,
    fault::{Kind, Lasts},
};

/// How a cell ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Right, by itself.
    Right,
    /// A person is asked this, nothing was done before, and their answer makes it right.
    Asked(&'static str),
    /// A person is told this after days, and nothing was done: the LMS said something definite that was not true.
    Told(&'static str),
    /// The LMS said that what is wanted is there already, and not Bursar's. Nothing is done, and nothing is lost.
    Believed,
}

/// What must come of a fault at a call.
///
/// | the LMS | then |
/// |---|---|
/// | said nothing, or nothing that this call can be answered with | it is asked again until it says something |
/// | said that we may not, in whatever form | as before, and a person is told while it lasts |
/// | said that the learner is unknown, to a change of an enrollment | a person is asked |
/// | refused the site's key | a person is asked: other ways were tried before |
/// | said that an account is unknown | there is none, and it is waited for |
/// | said that a record is there already | it is somebody else's |
/// | said that what is registered is taken | another name is tried; in the end a person is told, and it is tried again in a day |
#[must_use]
pub fn outcome(call: Call, kind: Kind, lasts: Lasts) -> Outcome {
    match (call, kind, lasts) {
        (Call::Unenroll | Call::Restore, Kind::NoSuchUser, _) => Outcome::Asked("revoke"),
        (call, Kind::NoSuchUser, _) if call.is_change() => Outcome::Asked("enrollment-refused"),
        (Call::WithKey, Kind::Unauthorized | Kind::Forbidden, _) => Outcome::Asked("enrollment-refused"),
        (Call::AccountByAddress, Kind::NotFoundEmpty, _) => Outcome::Told("no-account"),
        (Call::AllowedCreate, Kind::Conflict, _) => Outcome::Believed,
        _ => Outcome::Right,
    }
}

/// Is it something that a person must mend, and must be told of while it lasts?
#[must_use]
pub fn is_ours(call: Call, kind: Kind) -> bool {
    match kind {
        Kind::Redirect | Kind::NotAcceptable => true,
        // A key that is not taken is a definite "no" to that one change.
        Kind::Unauthorized | Kind::Forbidden => call != Call::WithKey,
        // Of an account it is the plain answer that there is none.
        Kind::NotFoundEmpty => !matches!(call, Call::AccountByName | Call::AccountByAddress),
        _ => false,
    }
}

/// What is not so yet, and why. These cells are played by `--ignored` only.
#[must_use]
pub fn wanting(call: Call, kind: Kind, lasts: Lasts) -> Option<&'static str> {
    let of_records = matches!(call, Call::AllowedGet | Call::AllowedCreate | Call::AllowedDelete);
    (of_records && is_ours(call, kind) && lasts == Lasts::UntilCleared)
        .then_some("nobody is told that the LMS refuses records of who may enroll, while look-ups go on well")
}

/// Can the fault be told from a sound answer of this call at all?
#[must_use]
pub fn applies(call: Call, kind: Kind, lasts: Lasts) -> bool {
    match kind {
        // Only changes are answered with what is so now.
        Kind::OtherMode | Kind::OtherActivation => call.is_change(),
        // There is no machine that is away for one call, and none that is away from the second call on.
        Kind::Unplugged => lasts == Lasts::UntilCleared && call.is_first(),
        _ => true,
    }
}
