//! An adapter that repeats what its requests say.
//!
//! Its platform does not exist. A request's body says, as JSON, exactly what can be said with `wit/0.1.0/orders.wit`, so
//! that a test can have the host hear any fact at all, in any order, without the peculiarities of a real shop. It stands
//! for every platform that has no adapter yet. It must never judge: what the body says is stated.

mod body;
#[cfg(test)]
mod tests;

use bursar_adapter::orders::{self, Payment};
use bursar_adapter::signatures::{self, Hash, KeyForm, Part, Proof};
use bursar_adapter::{Adapter, Delivery, Description, Problem, Request, Result, Verdict};

use body::{Body, Failure, LineFacts, OrderFacts, Remedy, Scope};

/// The name of the shop's one secret.
const SECRET: &str = "webhook";

/// Holds the hexadecimal HMAC-SHA256 of the body.
const SIGNATURE: &str = "x-facts-signature";

/// The adapter.
#[derive(Debug)]
pub struct Facts;

impl Adapter for Facts {
    fn describe() -> Description {
        Description::new("facts", env!("CARGO_PKG_VERSION"))
            .topic("facts", "what the body says")
            .secret(SECRET, "what requests are signed with")
    }

    fn authenticate(request: &Request<'_>) -> Result<Verdict> {
        let proof = request.header(SIGNATURE)?;
        signatures::hmac(SECRET, KeyForm::Text, Hash::Sha256, &[Part::Body], Proof::Hex(&proof))?;
        let body: Body = request.json()?;
        let mut verdict = Verdict::accept("facts");
        // Only what is about one order has a lane.
        if let [order] = body.orders.as_slice() {
            verdict = verdict.about(&order.id);
        }
        Ok(match &body.key {
            Some(key) => verdict.key(key),
            None => verdict,
        })
    }

    fn handle(delivery: &Delivery<'_>) -> Result<()> {
        let body: Body = delivery.request().json()?;
        if body.trap {
            std::process::abort();
        }
        for order in &body.orders {
            state(order)?;
        }
        if let Some(reason) = &body.review {
            delivery.review(reason);
        }
        if let Some(reason) = &body.ignored {
            delivery.ignored(reason);
        }
        body.problem.map_or(Ok(()), |failure| Err(problem(failure)))
    }
}

fn problem(failure: Failure) -> Problem {
    let Failure { remedy, code, message, retry_after } = failure;
    let problem = match remedy {
        Remedy::None => Problem::rejected(&code, message),
        Remedy::Later => Problem::later(&code, message),
        Remedy::Operator => Problem::operator(&code, message),
    };
    match retry_after {
        Some(seconds) => problem.retry_after(seconds),
        None => problem,
    }
}

fn state(facts: &OrderFacts) -> Result<()> {
    let order = match facts.scope {
        Scope::Snapshot => orders::snapshot(&facts.id, &facts.revision),
        Scope::Patch => orders::patch(&facts.id, &facts.revision),
    };
    if let Some(number) = &facts.number {
        order.number(number);
    }
    if let Some(fingerprint) = &facts.fingerprint {
        order.fingerprint(fingerprint);
    }
    if let Some(origin) = &facts.origin {
        order.origin(origin);
    }
    if let Some(at) = facts.placed_at {
        order.placed_at(at);
    }
    if facts.test {
        order.test();
    }
    if let Some(payment) = facts.payment {
        order.payment(Payment::from(payment));
    }
    for hold in &facts.holds {
        order.hold(hold.cause.into(), &hold.evidence);
    }
    for lift in &facts.lifts {
        order.lift(lift.cause.into(), &lift.evidence);
    }
    if let Some(money) = &facts.refunded {
        order.refunded_amount(&money.amount, &money.currency, &money.total);
    }
    if let Some(address) = &facts.learner {
        // A malformed address is stated as such by this very call; it is no reason not to state the rest.
        let _ = order.learner_email(address);
    }
    for line in &facts.lines {
        state_line(&order, line)?;
    }
    if let Some(reason) = &facts.review {
        order.review(reason);
    }
    Ok(())
}

fn state_line(order: &orders::Order, facts: &LineFacts) -> Result<()> {
    let line = order.line(&facts.id);
    if !facts.products.is_empty() {
        let products = facts.products.iter().map(|product| product.split_once(':').unwrap_or(("sku", product)));
        line.product(products, &facts.title);
    }
    for course in &facts.courses {
        match course.split_once(' ') {
            Some((run, mode)) => line.course(run, Some(mode))?,
            None => line.course(course, None)?,
        };
    }
    if let Some(parent) = &facts.parent {
        line.parent(parent);
    }
    // As for the order: malformed is a fact, too.
    if let Some(address) = &facts.learner {
        let _ = line.learner_email(address);
    }
    if let Some(name) = &facts.learner_username {
        let _ = line.learner_username(name);
    }
    if let Some((provider, id)) = &facts.learner_external {
        let _ = line.learner_external(provider, id);
    }
    if let Some(quantity) = facts.quantity {
        line.quantity(quantity);
    }
    if let Some(quantity) = facts.refunded_quantity {
        line.refunded_quantity(quantity);
    }
    if let Some(at) = facts.until {
        line.until(at);
    }
    for hold in &facts.holds {
        line.hold(hold.cause.into(), &hold.evidence);
    }
    for lift in &facts.lifts {
        line.lift(lift.cause.into(), &lift.evidence);
    }
    if let Some(reason) = &facts.review {
        line.review(reason);
    }
    Ok(())
}

bursar_adapter::export!(Facts);
