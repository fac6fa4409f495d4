//! Is the request the shop's? Signature, shop, subject: what is decided while the shop waits.
//!
//! The signature covers the body alone, and all shops that one app is installed in share its secret (facts 2 to 4). So the
//! shop that a request names must be the operator's, by the header that is not signed and, where there is one, by the body.

use bursar_adapter::field::Field;
use bursar_adapter::loose::Loose;
use bursar_adapter::moment::Moment;
use bursar_adapter::{Problem, Request, Result, Verdict, schemes};

use crate::body::Glance;
use crate::settings::Settings;

/// The name of the shop's one secret.
pub(crate) const SECRET: &str = "webhook";

/// How the names of Shopify's own headers begin: of webhooks, and of deliveries of Events, which may carry both (fact 1).
const FAMILIES: [&str; 2] = ["x-shopify", "shopify"];

pub(crate) fn authenticate(request: &Request<'_>) -> Result<Verdict> {
    let settings: Settings = bursar_adapter::settings::read()?;
    let topic = prove(request, &settings)?;
    if request.body().is_empty() {
        return Err(Problem::rejected("body-empty", "the request has a right signature and no body"));
    }

    let mut verdict = Verdict::accept(&topic);
    // What is no JSON object is kept for a person to see; `handle` will say so.
    let Ok(glance) = Glance::at(request) else { return Ok(verdict) };
    if glance.shop_domain != Loose::Absent {
        own_shop(&settings, &Field::new("shop_domain", &glance.shop_domain).text()?.unwrap_or_default())?;
    }
    if let Some(subject) = glance.subject() {
        verdict = verdict.about(subject);
    }
    if let Some(at) = glance.occurred_at() {
        verdict = verdict.occurred_at(Moment::instant(at));
    }
    Ok(verdict)
}

/// Checks each family that signs, so that neither gets past the other. Answers the topic, for people.
fn prove(request: &Request<'_>, settings: &Settings) -> Result<String> {
    let mut proven = Err(Problem::rejected("header-missing", "the request has no header X-Shopify-Hmac-Sha256"));
    for family in FAMILIES {
        let signature = format!("{family}-hmac-sha256");
        if request.header(&signature).is_err_and(|problem| problem.code == "header-missing") {
            continue;
        }
        schemes::body_base64(request, &signature, SECRET)?;
        own_shop(settings, &request.header(&format!("{family}-shop-domain"))?)?;
        let topic = request.header(&format!("{family}-topic"))?;
        proven = proven.or(Ok(topic));
    }
    proven
}

fn own_shop(settings: &Settings, domain: &str) -> Result<()> {
    if settings.is_own(domain) {
        return Ok(());
    }
    Err(Problem::rejected(
        "another-shop",
        "the request names another shop than the setting shop_domain: does the webhook's address belong to this shop?",
    ))
}
