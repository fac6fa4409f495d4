//! Plays the rows on a running site, and looks what became of them.
//!
//! Owns how a step is done and how long it may take. It looks at the LMS itself: what Bursar says of itself is compared, too,
//! but proves nothing alone.

use std::fmt::Display;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::sleep;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::http;
use super::outcome::{self, Outcome};
use super::rows::{Row, Sends, Step};
use super::shops::CAMPUS;
use super::site::{QUIET_TIME, RUN, Site};
use crate::tool::Result;

/// How long a row may take to come to what it must: a learner who is waited for is looked up every five seconds, and a busy
/// machine is slow.
const PATIENCE: Duration = Duration::from_secs(30);
/// How often the LMS is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(5);
/// How often Bursar is asked: each time starts a process.
const ASK_EVERY: Duration = Duration::from_millis(50);
/// After the last row: taking away waits this long, so whoever was to lose access wrongly has lost it by then.
const SETTLING: Duration = QUIET_TIME.saturating_add(Duration::from_secs(2));
/// What was recorded at a real shop: a paid order with three lines.
const RECORDED: &str = "tests/recorded/woocommerce/04-payment-complete-to-processing/body.bin";

/// A row that was played.
#[derive(Debug)]
pub(super) struct Played {
    /// Which.
    pub(super) row: Row,
    /// From the last webhook, or from the registration, until what was waited for was seen. None: it never was.
    pub(super) took: Option<Duration>,
    /// What became of it.
    pub(super) outcome: Outcome,
    /// What of it is not as it must be.
    pub(super) differences: Vec<String>,
}

/// Plays every row, one after the other, and looks at all of them when everything has settled.
///
/// # Errors
///
/// When something fails that is no row's fault, or `stop` is set.
pub(super) fn play(site: &mut Site, rows: &[Row], stop: &AtomicBool, told: impl Fn(&Row)) -> Result<Vec<Played>> {
    let mut passed = Vec::new();
    for row in rows {
        told(row);
        passed.push((*row, steps(site, row, stop)?));
    }
    wait(SETTLING, stop)?;
    let state = lms(site, "state")?;
    let requests = lms(site, "requests")?;
    let reviews = site.bursar(&["review", "list"])?;
    passed.into_iter().map(|(row, passed)| judge(site, row, passed, &state, &requests, &reviews)).collect()
}

/// How the steps of a row went.
#[derive(Debug, Default)]
struct Passed {
    answers: Vec<u64>,
    took: Option<Duration>,
}

fn judge(
    site: &mut Site,
    row: Row,
    passed: Passed,
    state: &Value,
    requests: &Value,
    reviews: &[Value],
) -> Result<Played> {
    let orders: Vec<String> = row.orders.iter().map(|order| (*order).to_owned()).collect();
    let outcome = Outcome {
        answers: passed.answers,
        enrollment: outcome::enrollment(state, &row.email(), RUN).ok_or("the LMS's state cannot be read")?,
        changes: outcome::changes(requests, row.username),
        purchases: purchases(site, &row)?,
        reviews: outcome::reviews(reviews, &orders),
    };
    let mut differences = outcome.differences(&row.must_be());
    if passed.took.is_none() {
        differences.push(format!("it was not so within {} s", PATIENCE.as_secs()));
    }
    Ok(Played { row, took: passed.took, outcome, differences })
}

fn steps(site: &mut Site, row: &Row, stop: &AtomicBool) -> Result<Passed> {
    let mut passed = Passed::default();
    let mut since = Instant::now();
    for step in row.steps {
        let reached = match step {
            Step::Sends(sends) => {
                let (answer, took) = send(site, row, sends)?;
                passed.answers.push(answer);
                // What counts is the moment of sending, not that at which the sending program had ended.
                since = Instant::now().checked_sub(took).unwrap_or(since);
                true
            }
            Step::SendsRecorded => {
                let body = site.root.join(RECORDED).display().to_string();
                let (answer, took) = sent(&site.bursar(&["webhook", "send", CAMPUS.name, "--body", &body])?)?;
                passed.answers.push(answer);
                since = Instant::now().checked_sub(took).unwrap_or(since);
                true
            }
            Step::Registers => {
                since = Instant::now();
                let person = json!({ "username": row.username, "email": row.email(), "activate": true });
                let (status, answer) = http::post(site.lms_address, "/_simulator/people/register", &person)?;
                if status != 201 {
                    return Err(format!("{} cannot be registered: {answer}", row.username).into());
                }
                true
            }
            Step::Comes(seen) => {
                let wanted = Some(seen.enrollment());
                until(stop, LOOK_EVERY, || Ok(outcome::enrollment(&lms(site, "state")?, &row.email(), RUN) == wanted))?
            }
            Step::Stands(wanted) => until(stop, ASK_EVERY, || Ok(purchases(site, row)? == *wanted))?,
        };
        passed.took = reached.then(|| since.elapsed());
        if !reached {
            break;
        }
    }
    Ok(passed)
}

fn send(site: &mut Site, row: &Row, sends: &Sends) -> Result<(u64, Duration)> {
    let email = row.email();
    let mut arguments = vec!["webhook", "send", row.shop.name, "--order", sends.order];
    match sends.product.or(row.shop.product) {
        Some(product) => arguments.extend(["--product", product, "--event", sends.event, "--email", &email]),
        // Such a webhook only says that something happened; what, its shop says when it is asked.
        None => site.odoo.turn(sends.event),
    }
    if let Some(status) = sends.status {
        arguments.extend(["--status", status]);
    }
    if sends.forged {
        arguments.push("--forge");
    }
    sent(&site.bursar(&arguments)?)
}

/// Status and time of an answer, by `bursar --json webhook send`.
fn sent(printed: &[Value]) -> Result<(u64, Duration)> {
    let number = |key: &str| printed.first().and_then(|answer| answer.get(key)).and_then(Value::as_u64);
    let status = number("status").ok_or("a webhook got no answer")?;
    Ok((status, Duration::from_millis(number("milliseconds").unwrap_or_default())))
}

/// How the row's purchases stand. Nobody who is unknown has any.
fn purchases(site: &mut Site, row: &Row) -> Result<Vec<String>> {
    let learner = if row.shop.names_usernames { row.username.to_owned() } else { row.email() };
    let shown = site.bursar(&["learner", "show", &learner])?;
    Ok(shown.first().map(outcome::purchases).unwrap_or_default())
}

fn lms(site: &Site, page: impl Display) -> Result<Value> {
    let (status, body) = http::get(site.lms_address, &format!("/_simulator/{page}"))?;
    if status != 200 {
        return Err(format!("the simulator answered {status} when asked for its {page}").into());
    }
    Ok(serde_json::from_str(&body)?)
}

fn until(stop: &AtomicBool, every: Duration, mut is_so: impl FnMut() -> Result<bool>) -> Result<bool> {
    let end = Instant::now() + PATIENCE;
    while Instant::now() < end {
        if is_so()? {
            return Ok(true);
        }
        wait(every, stop)?;
    }
    Ok(false)
}

/// Waits, unless told to stop.
///
/// # Errors
///
/// When told to stop.
pub(super) fn wait(duration: Duration, stop: &AtomicBool) -> Result<()> {
    let end = Instant::now() + duration;
    loop {
        if stop.load(Ordering::Relaxed) {
            return Err("stopped".into());
        }
        let left = end.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Ok(());
        }
        sleep(left.min(ASK_EVERY));
    }
}
