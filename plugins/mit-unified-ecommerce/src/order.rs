//! An order put into statements for the ledger.

use std::collections::BTreeSet;

use bursar_adapter::field::{self, Field};
use bursar_adapter::orders::{self, Cause, Payment};
use bursar_adapter::{Problem, Result};

use crate::body::{Line, Message, Order, Product};
use crate::learner;
use crate::refunds::{Refunds, Share};
use crate::settings::Settings;

/// Does a body tell everything about the order, or only some of its lines?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scope {
    Whole,
    Part,
}

/// What the state of an order says (fact 7). See the table in `lib`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Paid, and nothing went back.
    Fulfilled,
    /// Paid, and some or all of the money went back.
    Refunded,
    Unpaid,
    Undecided,
    Canceled,
    Unknown,
}

impl State {
    fn read(text: &str) -> Self {
        match text {
            "fulfilled" => Self::Fulfilled,
            "refunded" | "partially_refunded" => Self::Refunded,
            "pending" | "declined" => Self::Unpaid,
            "review" | "errored" => Self::Undecided,
            "canceled" => Self::Canceled,
            _ => Self::Unknown,
        }
    }

    fn payment(self) -> Payment {
        match self {
            Self::Fulfilled | Self::Refunded => Payment::Paid,
            Self::Unpaid => Payment::Unpaid,
            Self::Undecided | Self::Canceled | Self::Unknown => Payment::Undecided,
        }
    }

    /// The first number of the revision: an order never goes back to a smaller one.
    fn stage(self) -> u64 {
        match self {
            Self::Unpaid | Self::Undecided | Self::Canceled | Self::Unknown => 0,
            Self::Fulfilled => 1,
            Self::Refunded => 2,
        }
    }
}

/// States an order, or the part of it that a refund is about.
pub(crate) fn state(message: &Message<'_, Order<'_>>, scope: Scope, settings: &Settings) -> Result<()> {
    let Some(order) = &message.data else { return Err(field::missing("data")) };
    let reference = Field::new("data.reference_number", &order.reference_number);
    let reference = reference.id()?.ok_or_else(|| reference.missing())?;
    let said = Field::new("data.state", &order.state);
    let said = match (said.text()?, scope) {
        (Some(text), _) => text,
        // It is sent because money went back; nobody has documented what it holds (fact 10).
        (None, Scope::Part) => "refunded".into(),
        (None, Scope::Whole) => return Err(said.missing()),
    };
    let state = State::read(&said);
    let lines = field::items("data.lines", &order.lines)?;
    let lines = match scope {
        Scope::Whole => lines.ok_or_else(|| field::missing("data.lines"))?,
        Scope::Part => lines.unwrap_or_default(),
    };
    let ids = distinct(lines)?;
    let refunds = Refunds::read(&order.refunds, state == State::Refunded)?;

    let revision = [state.stage(), refunds.count()];
    let stated = match scope {
        Scope::Whole => orders::snapshot(&reference, &revision),
        Scope::Part => orders::patch(&reference, &revision),
    };
    // Numbers begin anew when the shop's database does, and then somebody else is behind one.
    if let Some(user) = Field::new("user.id", &message.user.id).id()? {
        stated.fingerprint(&format!("user {user}"));
    }
    if settings.test_orders.iter().any(|beginning| !beginning.is_empty() && reference.starts_with(beginning)) {
        stated.test();
    }
    stated.payment(state.payment());
    let evidence = format!("state={said}");
    match state {
        State::Fulfilled | State::Refunded => drop(stated.lift(Cause::Cancelled, &evidence)),
        State::Canceled => drop(stated.hold(Cause::Cancelled, &evidence)),
        State::Unknown => drop(stated.review("the order is in a state that is not unified-ecommerce's own")),
        State::Unpaid | State::Undecided => {}
    }
    learner::of_order(&stated, &message.user)?;

    let mut assigned = false;
    if refunds.name_no_line() {
        let paid = Field::new("data.total_price_paid", &order.total_price_paid).amount()?;
        assigned = true;
        match refunds.of_order(paid.as_deref()) {
            Share::All(evidence) => drop(stated.hold(Cause::Refunded, &evidence)),
            Share::Part(words) => drop(stated.review(&words)),
        }
    }
    for (index, (line, id)) in lines.iter().zip(&ids).enumerate() {
        let place = |name: &str| format!("data.lines[{index}].{name}");
        let stated = stated.line(id);
        stated.product(self::ids(&line.product)?, &line_title(line, &place("item_description"))?);
        stated.quantity(Field::new(place("quantity"), &line.quantity).count()?.unwrap_or(1));
        if let Some(run) = course_run(&line.product, settings)? {
            course(&stated, &run, None)?;
        }
        learner::of_line(&stated, &message.user, settings)?;
        if let Some(back) = refunds.of_line(id) {
            let price = Field::new(place("total_price"), &line.total_price).amount()?;
            assigned |= of_line(&stated, back.of(price.as_deref()));
        }
    }
    if scope == Scope::Part {
        for (id, back) in refunds.lines().filter(|(id, _)| !ids.contains(*id)) {
            assigned |= of_line(&stated.line(id), back.of(None));
        }
    }
    for question in refunds.questions() {
        stated.review(question);
    }
    if state == State::Refunded && !assigned && refunds.questions().is_empty() {
        stated.review("money went back for the order, and its refunds name none of its lines; access stays");
    }
    Ok(())
}

/// States what went back for a line. Did anything?
fn of_line(stated: &orders::Line, share: Option<Share>) -> bool {
    match share {
        Some(Share::All(evidence)) => drop(stated.hold(Cause::Refunded, &evidence)),
        Some(Share::Part(words)) => drop(stated.review(&words)),
        None => return false,
    }
    true
}

/// The ids of the lines. Two lines of one id would be taken for one.
fn distinct(lines: &[Line<'_>]) -> Result<Vec<String>> {
    let mut seen = BTreeSet::new();
    let mut ids = Vec::with_capacity(lines.len());
    for (index, line) in lines.iter().enumerate() {
        let place = format!("data.lines[{index}].id");
        let field = Field::new(&place, &line.id);
        let id = field.id()?.ok_or_else(|| field.missing())?.into_owned();
        if !seen.insert(id.clone()) {
            return Err(Problem::rejected("line-twice", format!("{place} is the id of an earlier line, too")));
        }
        ids.push(id);
    }
    Ok(ids)
}

/// What the catalog may know the product by, most exact first.
pub(crate) fn ids(product: &Product<'_>) -> Result<Vec<(&'static str, String)>> {
    let mut ids = Vec::new();
    for (kind, place, value) in [("product", "product.id", &product.id), ("sku", "product.sku", &product.sku)] {
        if let Some(id) = Field::new(place, value).id()? {
            ids.push((kind, id.into_owned()));
        }
    }
    Ok(ids)
}

/// The product's name, for people.
pub(crate) fn title(product: &Product<'_>) -> Result<String> {
    Ok(Field::new("product.name", &product.name).text()?.unwrap_or_default().into_owned())
}

fn line_title(line: &Line<'_>, place: &str) -> Result<String> {
    let title = title(&line.product)?;
    if title.is_empty() {
        return Ok(Field::new(place, &line.item_description).text()?.unwrap_or_default().into_owned());
    }
    Ok(title)
}

/// The course run that the SKU names, by the platform's own convention (fact 6) and as far as the operator goes along with it.
pub(crate) fn course_run(product: &Product<'_>, settings: &Settings) -> Result<Option<String>> {
    let sku = Field::new("product.sku", &product.sku).id()?.filter(|_| settings.sku_is_course_run);
    let reads_like_one =
        |sku: &str| sku.starts_with("course-v1:") || sku.split('/').filter(|part| !part.is_empty()).count() == 3;
    Ok(sku.filter(|sku| reads_like_one(sku)).map(Into::into))
}

/// States a course run. One that only looks like it is none, and a person is asked.
pub(crate) fn course(stated: &orders::Line, run: &str, mode: Option<&str>) -> Result<()> {
    match stated.course(run, mode) {
        Err(problem) if problem.code == "course-malformed" => {
            stated.review("the SKU begins like a course run, and is none");
            Ok(())
        }
        Err(problem) => Err(problem),
        Ok(_) => Ok(()),
    }
}
