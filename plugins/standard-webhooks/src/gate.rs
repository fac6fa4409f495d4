//! Is the request the shop's? Which of the two means has to prove it is the shop's to say, never the request's.
//!
//! A request may carry proofs of both means. It is genuine if one of them is right by what the shop has: a secret for `v1`, a
//! set of public keys for `v1a`. A proof by a means that the shop has nothing for counts for nothing, so naming another means
//! gets nobody past a check.

use bursar_adapter::moment::Moment;
use bursar_adapter::schemes::{self, StandardKey};
use bursar_adapter::{Problem, Remedy, Request, Result, Verdict};

use crate::body::{About, Glance};
use crate::{NO_TYPE, word};
use bursar_adapter::field::{Field, LONGEST_ID};

/// The name of the secret for `v1`, and of the set of public keys for `v1a`.
pub(crate) const KEY: &str = "webhook";

/// What the host says of a secret or key set that the shop does not have.
const NOT_THERE: [&str; 2] = ["secret-missing", "key-set-missing"];

pub(crate) fn authenticate(request: &Request<'_>) -> Result<Verdict> {
    let event = prove(request)?;
    let glance: Glance<'_> = request.json().unwrap_or_default();
    let about: About<'_> = request.json().unwrap_or_default();
    let kind = Field::new("type", &glance.kind).text().ok().flatten();
    let mut verdict = Verdict::accept(kind.as_deref().map_or(NO_TYPE, word));
    if event.len() <= LONGEST_ID {
        verdict = verdict.key(event);
    }
    if let Ok(Some(order)) = Field::new("data.id", &about.data.id).id() {
        verdict = verdict.about(order);
    }
    if let Ok(Some(at)) = Field::new("timestamp", &glance.timestamp).moment() {
        verdict = verdict.occurred_at(Moment::instant(at));
    }
    Ok(verdict)
}

/// Answers the id of the event, which is signed.
fn prove(request: &Request<'_>) -> Result<String> {
    let by_secret = match schemes::standard_webhooks(request, StandardKey::Secret(KEY)) {
        Ok(event) => return Ok(event),
        Err(problem) => problem,
    };
    let by_keys = match schemes::standard_webhooks(request, StandardKey::KeySet(KEY)) {
        Ok(event) => return Ok(event),
        Err(problem) => problem,
    };
    Err(answer(by_secret, by_keys))
}

/// What to say when neither means proves anything: of the two problems the one that can still become a success, then the
/// one of a proof that was really compared.
///
/// That the shop lacks a means is no reason to keep the request for later: anybody could fill the store with such.
fn answer(by_secret: Problem, by_keys: Problem) -> Problem {
    let is_there = |problem: &Problem| !NOT_THERE.contains(&problem.code.as_str());
    let rank = |problem: &Problem| match (problem.remedy, problem.code.as_str()) {
        _ if !is_there(problem) => 1,
        (Remedy::None, "signature-malformed") => 0,
        (Remedy::None, _) => 2,
        _ => 3,
    };
    let problem = if rank(&by_keys) > rank(&by_secret) { by_keys } else { by_secret };
    if is_there(&problem) {
        return problem;
    }
    Problem::rejected(
        "signature-of-another-kind",
        format!("the request is signed in a way for which the shop has nothing to check it by: {}", problem.message),
    )
}
