//! Is the request the shop's? Which of the two means has to prove it is the shop's to say, never the request's.
//!
//! A signature says by its form how it was made. It counts if the shop has something to check that form by: a secret for an
//! HMAC, a set of public keys for a JWS. No header says where keys come from, because none is signed (fact 6).
//!
//! Deliveries get no key. Saleor has no id of them (fact 3), and the same body counts for something else with another address
//! in its headers: whoever altered that must not have the true one dropped as a repetition.

use bursar_adapter::field::Field;
use bursar_adapter::moment::Moment;
use bursar_adapter::signatures::{self, Hash, KeyForm, Part, Proof};
use bursar_adapter::{Problem, Remedy, Request, Result, Verdict};

use crate::body::Glance;

/// The name of the secret that an HMAC is made with.
pub(crate) const SECRET: &str = "webhook";

/// The name of the set of public keys that a JWS is checked by.
pub(crate) const KEYS: &str = "saleor";

/// Holds the signature.
const SIGNATURE: &str = "saleor-signature";

/// The same under its old name, beside the new one until Saleor 4 (fact 1).
const OLD_SIGNATURE: &str = "x-saleor-signature";

/// Neither is signed: shown to people where the body does not name its event.
const EVENTS: [&str; 2] = ["saleor-event", "x-saleor-event"];

/// What a delivery is called whose event nobody named.
const NO_EVENT: &str = "unknown";

/// The longest name of an event that is repeated to people.
const LONGEST_EVENT: usize = 64;

/// How Saleor signs (fact 4). Another algorithm is an attempt to have a public key taken for a secret.
const ALGORITHMS: [&str; 1] = ["RS256"];

/// A JWS of the right form that nobody made, `{"alg":"RS256","b64":false}` and a byte: to ask whether there are keys.
const NOBODYS_JWS: &str = "eyJhbGciOiJSUzI1NiIsImI2NCI6ZmFsc2V9..AA";

/// An HMAC of the right form that nobody made: to ask whether there is a secret.
const NOBODYS_HMAC: [u8; 32] = [0; 32];

/// What the host says of a secret or key set that the shop does not have.
const NOT_THERE: [&str; 2] = ["secret-missing", "key-set-missing"];

pub(crate) fn authenticate(request: &Request<'_>) -> Result<Verdict> {
    prove(request)?;

    let glance = Glance::at(request);
    let event = match glance.event.as_deref() {
        Some(event) => word(event).to_owned(),
        None => EVENTS
            .iter()
            .find_map(|name| request.header(name).ok())
            .map_or_else(|| NO_EVENT.to_owned(), |event| word(&event).to_owned()),
    };
    let mut verdict = Verdict::accept(&event);
    if let Ok(Some(at)) = Field::new("issuedAt", &glance.issued).moment() {
        verdict = verdict.occurred_at(Moment::instant(at));
    }
    if let [order] = glance.orders.as_slice()
        && let Ok(Some(id)) = Field::new("order.id", &order.id).id()
    {
        verdict = verdict.about(&id);
    }
    Ok(verdict)
}

fn prove(request: &Request<'_>) -> Result<()> {
    let signature = match request.header(SIGNATURE) {
        Err(missing) if missing.code == "header-missing" => match request.header(OLD_SIGNATURE) {
            Err(problem) if problem.code == "header-missing" => return Err(missing),
            old => old?,
        },
        new => new?,
    };
    let is_jws = signature.contains('.');
    let checked = if is_jws { by_keys(&signature) } else { by_secret(Proof::Hex(&signature)) };
    match checked {
        Err(problem) if NOT_THERE.contains(&problem.code.as_str()) => Err(match is_jws {
            true => lacking(problem, by_secret(Proof::Bytes(&NOBODYS_HMAC))),
            false => lacking(problem, by_keys(NOBODYS_JWS)),
        }),
        checked => checked,
    }
}

fn by_keys(signature: &str) -> Result<()> {
    signatures::detached_jws(KEYS, &ALGORITHMS, signature)
}

fn by_secret(proof: Proof<'_>) -> Result<()> {
    signatures::hmac(SECRET, KeyForm::Text, Hash::Sha256, &[Part::Body], proof)
}

/// What to say where the shop lacks what this form of signature is checked by.
///
/// If it has the other, nothing will make the request genuine. If it has neither, the operator is not done yet: the request is
/// kept, because Saleor never sends again what was answered 401 (fact 9).
fn lacking(problem: Problem, other: Result<()>) -> Problem {
    match other {
        Err(other) if NOT_THERE.contains(&other.code.as_str()) => Problem {
            remedy: Remedy::Operator,
            message: format!("the shop has neither the key set `{KEYS}` nor the secret `{SECRET}` to check by"),
            ..problem
        },
        _ => Problem::rejected(
            "signature-of-another-kind",
            format!(
                "the request is signed in a way for which the shop has nothing to check it by: {}",
                problem.message
            ),
        ),
    }
}

/// The name of an event as it may be shown to people: letters, digits and underscores. Anything else could be anything.
fn word(text: &str) -> &str {
    let is_word = (1..=LONGEST_EVENT).contains(&text.len())
        && text.bytes().all(|letter| letter.is_ascii_alphanumeric() || letter == b'_');
    if is_word { text } else { NO_EVENT }
}
