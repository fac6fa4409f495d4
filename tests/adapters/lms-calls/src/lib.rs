//! An adapter that calls the LMS as its requests say.
//!
//! Its platform does not exist. A request's body names, as JSON, functions of `wit/0.1.0/lms.wit` and what to call them
//! with, so that a test can have any of them called; what a read answers is written to the log of the run. It must never
//! judge: what the body says is called.

#[cfg(test)]
mod tests;

use bursar_adapter::lms_read::{self, Account, Enrollment};
use bursar_adapter::lms_write::{self, EnrollmentChange};
use bursar_adapter::orders::{self, Payment};
use bursar_adapter::signatures::{self, Hash, KeyForm, Part, Proof};
use bursar_adapter::{Adapter, Delivery, Description, Problem, Request, Result, Verdict, log};
use serde::Deserialize;
use serde_json::{Value, json};

/// The name of the shop's one secret.
const SECRET: &str = "webhook";

/// Holds the hexadecimal HMAC-SHA256 of the body.
const SIGNATURE: &str = "x-signature";

/// The adapter.
#[derive(Debug)]
pub struct LmsCalls;

/// A body.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Body {
    /// What to call, in this order.
    calls: Vec<Call>,
    /// Call in `authenticate` already.
    #[serde(default)]
    early: bool,
    /// A problem is written to the log, and the next function is called. Otherwise the run ends in it.
    #[serde(default)]
    go_on: bool,
    /// An order to state beside it.
    order: Option<Order>,
    /// End in this problem, with the remedy `later`, after everything was called, if this is the first try.
    fail_once: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Order {
    id: String,
    revision: u64,
    paid: bool,
    username: String,
    course: String,
    mode: String,
}

/// A function and what to call it with.
#[derive(Debug, Deserialize)]
#[serde(tag = "call", rename_all = "snake_case", deny_unknown_fields)]
enum Call {
    AccountsByEmail {
        emails: Vec<String>,
    },
    AccountByUsername {
        username: String,
    },
    EnrollmentsOf {
        username: String,
    },
    EnrollmentOf {
        username: String,
        course: String,
    },
    EnrollmentsAllowed {
        email: String,
    },
    CourseDetails {
        run: String,
    },
    Change {
        key: String,
        username: String,
        course: String,
        mode: Option<String>,
        active: Option<bool>,
        #[serde(default)]
        force: bool,
        #[serde(default)]
        attributes: Vec<(String, String, String)>,
    },
    Allow {
        key: String,
        email: String,
        course: String,
        #[serde(default)]
        auto_enroll: bool,
    },
    Disallow {
        key: String,
        email: String,
        course: String,
    },
    Register {
        key: String,
        email: String,
        username: String,
        name: String,
    },
}

impl Adapter for LmsCalls {
    fn describe() -> Description {
        Description::new("lms-calls", env!("CARGO_PKG_VERSION"))
            .topic("calls", "what the body says")
            .secret(SECRET, "what requests are signed with")
    }

    fn authenticate(request: &Request<'_>) -> Result<Verdict> {
        let proof = request.header(SIGNATURE)?;
        signatures::hmac(SECRET, KeyForm::Text, Hash::Sha256, &[Part::Body], Proof::Hex(&proof))?;
        let body: Body = request.json()?;
        if body.early {
            for call in &body.calls {
                make(call)?;
            }
        }
        Ok(Verdict::accept("calls"))
    }

    fn handle(delivery: &Delivery<'_>) -> Result<()> {
        let body: Body = delivery.request().json()?;
        if let Some(order) = &body.order {
            let payment = if order.paid { Payment::Paid } else { Payment::Unpaid };
            let stated = orders::snapshot(&order.id, &[order.revision]);
            let line = stated.payment(payment).line("1");
            line.course(&order.course, Some(&order.mode))?.learner_username(&order.username)?;
        }
        for call in &body.calls {
            match make(call) {
                Ok(answer) => log::info(&answer.to_string()),
                Err(problem) if body.go_on => log::info(&json!({ "problem": problem.code }).to_string()),
                Err(problem) => return Err(problem),
            }
        }
        match &body.fail_once {
            Some(code) if delivery.attempt() == 1 => Err(Problem::later(code, "told to").retry_after(1)),
            _ => Ok(()),
        }
    }
}

fn make(call: &Call) -> Result<Value> {
    Ok(match call {
        Call::AccountsByEmail { emails } => lms_read::accounts_by_email(emails)?.iter().map(account).collect(),
        Call::AccountByUsername { username } => json!(lms_read::account_by_username(username)?.as_ref().map(account)),
        Call::EnrollmentsOf { username } => lms_read::enrollments_of(username)?.iter().map(enrollment).collect(),
        Call::EnrollmentOf { username, course } => {
            json!(lms_read::enrollment_of(username, course)?.as_ref().map(enrollment))
        }
        Call::EnrollmentsAllowed { email } => parsed(&lms_read::enrollments_allowed(email)?),
        Call::CourseDetails { run } => json!(lms_read::course_details(run)?.as_deref().map(parsed)),
        Call::Change { key, username, course, mode, active, force, attributes } => {
            let mut change = EnrollmentChange::new(username, course);
            if let Some(mode) = mode {
                change = change.mode(mode);
            }
            if let Some(active) = active {
                change = change.active(*active);
            }
            if *force {
                change = change.force();
            }
            for (namespace, name, value) in attributes {
                change = change.attribute(namespace, name, value);
            }
            change.submit(key)?;
            Value::Null
        }
        Call::Allow { key, email, course, auto_enroll } => {
            lms_write::allow_enrollment(key, email, course, *auto_enroll)?;
            Value::Null
        }
        Call::Disallow { key, email, course } => {
            lms_write::disallow_enrollment(key, email, course)?;
            Value::Null
        }
        Call::Register { key, email, username, name } => {
            lms_write::register_account(key, email, username, name)?;
            Value::Null
        }
    })
}

fn account(account: &Account) -> Value {
    let Account { id, username, email, active, json } = account;
    json!({ "id": id, "username": username, "email": email, "active": active, "json": parsed(json) })
}

fn enrollment(enrollment: &Enrollment) -> Value {
    let Enrollment { course, mode, active, json } = enrollment;
    json!({ "course": course, "mode": mode, "active": active, "json": parsed(json) })
}

/// The LMS's own answer; null where it is no JSON.
fn parsed(json: &str) -> Value {
    serde_json::from_str(json).unwrap_or_default()
}

bursar_adapter::export!(LmsCalls);
