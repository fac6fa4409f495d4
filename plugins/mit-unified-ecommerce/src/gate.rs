//! Is the request the shop's? The key stands in the body, so the body is read before it is known to be genuine; nothing of it
//! is believed, or repeated to anybody, until the host has compared the key.

use bursar_adapter::field::Field;
use bursar_adapter::loose::Loose;
use bursar_adapter::{Problem, Request, Result, Verdict, signatures};

use crate::body::{About, Glance};
use crate::settings::{Presale, Settings};
use crate::{NO_TYPE, basket, word};

/// The name of the shop's one secret.
pub(crate) const SECRET: &str = "system-key";

pub(crate) fn authenticate(request: &Request<'_>) -> Result<Verdict> {
    // A list of values would be read like an object, and its key would not be blanked.
    if request.body().trim_ascii_start().first().is_some_and(|first| *first != b'{') {
        return Err(Problem::rejected("body-unexpected", "the body is no JSON object"));
    }
    let glance: Glance<'_> = request.json()?;
    prove(&glance)?;
    let settings: Settings = bursar_adapter::settings::read()?;
    let slug = Field::new("system_slug", &glance.system_slug).text().ok().flatten();
    if !settings.system_slug.is_empty() && slug.as_deref() != Some(settings.system_slug.as_str()) {
        return Err(Problem::rejected(
            "system-slug-mismatch",
            "the key is right, and the request is for another system than the setting system_slug says",
        ));
    }

    let kind = Field::new("type", &glance.kind).text().ok().flatten();
    let kind = kind.as_deref().map_or(NO_TYPE, word);
    if kind == "presale" && settings.presale == Presale::None {
        return Ok(Verdict::ignore("a basket: the setting presale gives nothing for one"));
    }
    let about: About<'_> = request.json().unwrap_or_default();
    let subject = match kind {
        "presale" => Field::new("user.id", &about.user.id).id().ok().flatten().map(|user| basket::order_id(&user)),
        _ => Field::new("data.reference_number", &about.data.reference_number).id().ok().flatten().map(Into::into),
    };
    let verdict = Verdict::accept(kind);
    Ok(match subject {
        Some(subject) => verdict.about(subject),
        None => verdict,
    })
}

/// The key as it stands in the body, blanks and all: it is compared and never read.
fn prove(glance: &Glance<'_>) -> Result<()> {
    match &glance.system_key {
        Loose::Text(key) => signatures::shared_key(SECRET, key.as_bytes()),
        Loose::Absent => Err(Problem::rejected("signature-missing", "the body has no system_key")),
        _ => Err(Problem::rejected("signature-malformed", "the body's system_key is not text")),
    }
}
