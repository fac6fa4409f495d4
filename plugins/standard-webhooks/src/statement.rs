//! What an event says about an order, put into statements for the ledger.
//!
//! What the shape says about refunds, flags and left-out fields is told to operators in `docs/shops/standard-webhooks.md`.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt::Display;

use bursar_adapter::moment::Moment;
use bursar_adapter::orders::{self, Cause, Payment};
use bursar_adapter::{Delivery, Problem, Result, log};

use crate::body::{Course, Line, Order};
use crate::settings::Settings;
use bursar_adapter::field::{self, Field};
use bursar_adapter::loose::List;

/// How many seconds an order may have changed after its news arrived, for clocks that differ. A wrong time zone is further off,
/// and would make everything that the shop says later look old.
const CLOCKS_APART: u64 = 600;

/// States a whole order.
pub(crate) fn changed(order: &Order<'_>, delivery: &Delivery<'_>, settings: &Settings) -> Result<()> {
    let (id, revision) = known_by(order, delivery)?;
    let lines = field::items("data.lines", &order.lines)?.ok_or_else(|| field::missing("data.lines"))?;
    distinct(lines)?;

    let stated = orders::snapshot(&id, &revision);
    if let Some(number) = Field::new("data.number", &order.number).id()?
        && number != id
    {
        stated.number(&number);
    }
    if let Some(at) = Field::new("data.placed_at", &order.placed_at).moment()? {
        stated.placed_at(at.instant());
    }
    if Field::new("data.test", &order.test).flag()? == Some(true) {
        stated.test();
    }
    stated.payment(payment(order)?);
    stated.lift(Cause::Deleted, "order.changed");
    for (place, value, cause) in [
        ("cancelled", &order.cancelled, Cause::Cancelled),
        ("refunded", &order.refunded, Cause::Refunded),
        ("disputed", &order.disputed, Cause::Disputed),
    ] {
        match Field::new(format_args!("data.{place}"), value).flag()? {
            Some(true) => drop(stated.hold(cause, &format!("{place}=true"))),
            Some(false) => drop(stated.lift(cause, &format!("{place}=false"))),
            None => {}
        }
    }
    money_back(&stated, order)?;
    if let Some(address) = Field::new("data.learner_email", &order.learner_email).text()?
        && let Err(problem) = stated.learner_email(&address)
    {
        unreadable(problem, "data.learner_email")?;
    }
    let mut courses_passed_over = false;
    for (index, line) in lines.iter().enumerate() {
        let place = Place(index);
        let stated = stated.line(place.id(line)?);
        sold(&stated, line, place)?;
        refunds(&stated, line, place)?;
        if settings.courses_in_orders {
            courses(&stated, &line.courses, place)?;
        } else {
            courses_passed_over |=
                field::items(place.of("courses"), &line.courses)?.is_some_and(|named| !named.is_empty());
        }
    }
    if courses_passed_over {
        log::info("lines name course runs, and the setting courses_in_orders is off: the catalog alone decides");
    }
    Ok(())
}

/// States that an order was deleted in the shop.
pub(crate) fn deleted(order: &Order<'_>, delivery: &Delivery<'_>) -> Result<()> {
    let (id, revision) = known_by(order, delivery)?;
    orders::patch(id, &revision).hold(Cause::Deleted, "order.deleted");
    Ok(())
}

/// States a refund: of the order, of lines, or of an amount.
pub(crate) fn refunded(order: &Order<'_>, delivery: &Delivery<'_>) -> Result<()> {
    let (id, revision) = known_by(order, delivery)?;
    let lines = field::items("data.lines", &order.lines)?.unwrap_or_default();
    distinct(lines)?;

    let stated = orders::patch(id, &revision);
    let whole = Field::new("data.refunded", &order.refunded).flag()?;
    if whole == Some(true) {
        stated.hold(Cause::Refunded, "refunded=true");
    }
    let amount = money_back(&stated, order)?;
    for (index, line) in lines.iter().enumerate() {
        let place = Place(index);
        if !refunds(&stated.line(place.id(line)?), line, place)? {
            return Err(unclear(format!("data.lines[{index}] says neither refunded nor refunded_quantity")));
        }
    }
    if whole != Some(true) && !amount && lines.is_empty() {
        return Err(unclear("it says neither refunded: true, nor lines, nor refunded_amount".to_owned()));
    }
    Ok(())
}

/// Where a line stands in the body.
#[derive(Debug, Clone, Copy)]
struct Place(usize);

impl Place {
    fn of(self, name: &str) -> String {
        format!("data.lines[{}].{name}", self.0)
    }

    fn id<'v>(self, line: &'v Line<'_>) -> Result<Cow<'v, str>> {
        required(&Field::new(self.of("id"), &line.id), Field::id)
    }
}

fn required<'v, P: Display, T>(
    field: &Field<'v, P>,
    read: impl FnOnce(&Field<'v, P>) -> Result<Option<T>>,
) -> Result<T> {
    read(field)?.ok_or_else(|| field.missing())
}

/// The order's id, and how new what is said of it is: seconds and nanoseconds of the moment at which it changed.
fn known_by(order: &Order<'_>, delivery: &Delivery<'_>) -> Result<(String, [u64; 2])> {
    let id = required(&Field::new("data.id", &order.id), Field::id)?.into_owned();
    let changed: Moment = required(&Field::new("data.changed_at", &order.changed_at), Field::moment)?;
    if changed.seconds > delivery.request().received_at() / 1000 + CLOCKS_APART {
        return Err(Problem::rejected(
            "changed-in-the-future",
            "data.changed_at is later than the moment at which the request arrived: is its time zone right?",
        ));
    }
    Ok((id, [changed.seconds, u64::from(changed.nanoseconds)]))
}

/// Two lines of one id would be taken for one.
fn distinct(lines: &[Line<'_>]) -> Result<()> {
    let mut seen = BTreeSet::new();
    for (index, line) in lines.iter().enumerate() {
        let place = Place(index);
        if !seen.insert(place.id(line)?) {
            return Err(Problem::rejected(
                "line-twice",
                format!("{} is the id of an earlier line, too", place.of("id")),
            ));
        }
    }
    Ok(())
}

fn payment(order: &Order<'_>) -> Result<Payment> {
    let field = Field::new("data.status", &order.status);
    match required(&field, Field::text)?.as_ref() {
        "paid" => Ok(Payment::Paid),
        "unpaid" => Ok(Payment::Unpaid),
        "pending" => Ok(Payment::Undecided),
        _ => Err(field.unexpected("paid, unpaid or pending")),
    }
}

/// States the money that went back, if that is said.
fn money_back(stated: &orders::Order, order: &Order<'_>) -> Result<bool> {
    let currency = Field::new("data.currency", &order.currency);
    let total = Field::new("data.total", &order.total);
    let (said_currency, said_total) = (currency.currency()?, total.amount()?);
    let Some(back) = Field::new("data.refunded_amount", &order.refunded_amount).amount()? else { return Ok(false) };
    let said_currency = said_currency.ok_or_else(|| currency.missing())?;
    let said_total = said_total.ok_or_else(|| total.missing())?;
    stated.refunded_amount(&back, &said_currency, &said_total);
    Ok(true)
}

/// What was sold to whom, and until when.
fn sold(stated: &orders::Line, line: &Line<'_>, place: Place) -> Result<()> {
    let mut ids = Vec::new();
    for (kind, value) in [("variant", &line.variant), ("product", &line.product), ("sku", &line.sku)] {
        if let Some(id) = Field::new(place.of(kind), value).id()? {
            ids.push((kind, id));
        }
    }
    let title = Field::new(place.of("title"), &line.title).text()?;
    stated.product(ids, title.as_deref().unwrap_or_default());
    stated.quantity(Field::new(place.of("quantity"), &line.quantity).count()?.unwrap_or(1));
    if let Some(address) = Field::new(place.of("learner_email"), &line.learner_email).text()?
        && let Err(problem) = stated.learner_email(&address)
    {
        unreadable(problem, &place.of("learner_email"))?;
    }
    if let Some(at) = Field::new(place.of("until"), &line.until).moment()? {
        stated.until(at.instant());
    }
    Ok(())
}

/// States what a line says about its refund. Does it say anything?
fn refunds(stated: &orders::Line, line: &Line<'_>, place: Place) -> Result<bool> {
    let count = Field::new(place.of("refunded_quantity"), &line.refunded_quantity).count()?;
    if let Some(count) = count {
        stated.refunded_quantity(count);
    }
    let whole = Field::new(place.of("refunded"), &line.refunded).flag()?;
    match whole {
        Some(true) => drop(stated.hold(Cause::Refunded, "refunded=true")),
        Some(false) => drop(stated.lift(Cause::Refunded, "refunded=false")),
        None => {}
    }
    Ok(count.is_some() || whole.is_some())
}

/// States the course runs that a line names.
fn courses(stated: &orders::Line, named: &List<Course<'_>>, place: Place) -> Result<()> {
    for (index, course) in field::items(place.of("courses"), named)?.unwrap_or_default().iter().enumerate() {
        let run = Field::new(place.of(&format!("courses[{index}].run")), &course.run);
        let run = required(&run, Field::id)?;
        let mode = Field::new(place.of(&format!("courses[{index}].mode")), &course.mode).id()?;
        if let Err(problem) = stated.course(&run, mode.as_deref()) {
            if problem.code != "course-malformed" {
                return Err(problem);
            }
            stated.review("the line names a course run or a mode that cannot be read");
        }
    }
    Ok(())
}

fn unclear(words: String) -> Problem {
    Problem::rejected("refund-unclear", format!("the refund does not say what went back: {words}"))
}

/// The host asks a person about an unreadable learner, once it is paid; any other problem ends the run.
fn unreadable(problem: Problem, place: &str) -> Result<()> {
    if problem.code != "email-malformed" {
        return Err(problem);
    }
    log::warning(&format!("{place} names a learner who cannot be read"));
    Ok(())
}
