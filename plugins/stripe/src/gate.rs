//! Is the request Stripe's, and which order is it about?

use bursar_adapter::field::Field;
use bursar_adapter::{Request, Result, Verdict, schemes};

use crate::body::{About, Carrying, Envelope, subscription_of};
use crate::{NO_TYPE, word};

/// The name of the endpoint's signing secret.
pub(crate) const SECRET: &str = "webhook";

/// Moment and proofs (fact 1).
const SIGNATURE: &str = "stripe-signature";

pub(crate) fn authenticate(request: &Request<'_>) -> Result<Verdict> {
    schemes::timestamped(request, SIGNATURE, schemes::STRIPE, SECRET, schemes::TOLERANCE)?;
    let envelope: Envelope<'_> = request.json().unwrap_or_default();
    let kind = Field::new("type", &envelope.kind).text().ok().flatten();
    let mut verdict = Verdict::accept(kind.as_deref().map_or(NO_TYPE, word));
    if let Ok(Some(event)) = Field::new("id", &envelope.id).id() {
        verdict = verdict.key(event);
    }
    if let Ok(carrying) = request.json::<Carrying<About<'_>>>()
        && let Some(order) = subject(&carrying.data.object)
    {
        verdict = verdict.about(order);
    }
    if let Some(at) =
        Field::new("created", &envelope.created).whole().ok().flatten().and_then(|at| at.checked_mul(1000))
    {
        verdict = verdict.occurred_at(at);
    }
    Ok(verdict)
}

/// The id of the order, as far as the object itself says it.
fn subject(object: &About<'_>) -> Option<String> {
    let id = |value| Field::new("id", value).id().ok().flatten().map(String::from);
    let subscription = || id(subscription_of(&object.subscription, object.parent.as_ref()));
    match Field::new("object", &object.object).text().ok()??.as_ref() {
        "checkout.session" => id(object.payment_intent.id()).or_else(subscription).or_else(|| id(&object.id)),
        "charge" | "refund" | "dispute" => id(object.payment_intent.id()),
        "invoice" => subscription(),
        "subscription" => id(&object.id),
        _ => None,
    }
}
