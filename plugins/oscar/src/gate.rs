//! Is it Oscar that calls, and is it a call that can be taken over? Both are answered while Oscar waits, because its answer
//! decides whether Oscar tells the buyer that all is well.

use bursar_adapter::{Problem, Request, Result, Verdict, schemes};
use serde_json::json;

use crate::call::{Body, Call, Seat};
use crate::seats;

/// The name of the shop's one secret.
pub(crate) const SECRET: &str = "api-key";

/// Holds the key as it is (fact 2).
pub(crate) const HEADER: &str = "x-edx-api-key";

/// The topic of a sale.
pub(crate) const ENROLL: &str = "enroll";

/// The topic of a refund.
pub(crate) const REVOKE: &str = "revoke";

/// Where the LMS takes enrollments.
const ENROLLMENT: &str = "/api/enrollment/v1/enrollment";

/// Part of every address of course entitlements.
const ENTITLEMENTS: &str = "/entitlements/";

/// How Bursar calls itself where it calls an LMS.
const OURSELVES: &str = "bursar/";

pub(crate) fn authenticate(request: &Request<'_>) -> Result<Verdict> {
    schemes::key_in_header(request, HEADER, SECRET)?;
    if request.header("user-agent").is_ok_and(|agent| agent.to_ascii_lowercase().starts_with(OURSELVES)) {
        return Err(Problem::rejected(
            "own-call",
            "Bursar's own call to the LMS was brought back to it: the rule of the proxy must leave out what says `bursar/` in User-Agent",
        ));
    }
    address(&request.path())?;
    let body: Body<'_> = request.json()?;
    let call = Call::read(&body)?;
    let (topic, subject, seat, active) = match &call {
        Call::Enroll(sale) => (ENROLL, sale.order.to_string(), &sale.seat, true),
        Call::Revoke(seat) => (REVOKE, seats::noted_under(&seat.user), seat, false),
    };
    Ok(Verdict::accept(topic).about(subject).answer(200, "application/json", &answer(seat, active)))
}

/// Is it the address of enrollments? The rule of the proxy may leave it as it was or take it away.
fn address(path: &str) -> Result<()> {
    match path.trim_end_matches('/') {
        "" | ENROLLMENT => Ok(()),
        entitlements if entitlements.contains(ENTITLEMENTS.trim_end_matches('/')) => Err(Problem::rejected(
            "entitlements-not-supported",
            "a course entitlement: it names a course and no course run, so Bursar cannot fulfil it; the rule of the proxy must leave \
             this address to the LMS",
        )),
        _ => Err(Problem::rejected(
            "call-unknown",
            "a call of another API than enrollment: the rule of the proxy must leave its address to the LMS",
        )),
    }
}

/// What the LMS would answer, as far as it is known here. Oscar looks at the status alone (fact 5).
fn answer(seat: &Seat<'_>, active: bool) -> Vec<u8> {
    let Seat { user, run, mode } = seat;
    json!({ "user": user, "mode": mode, "is_active": active, "course_details": { "course_id": run } })
        .to_string()
        .into_bytes()
}
