//! What Oscar asks of the enrollment API: a body read into a call, or a reason why it cannot be one.

use std::borrow::Cow;

use bursar_adapter::field::{self, Field, LONGEST_ID};
use bursar_adapter::loose::{List, Loose};
use bursar_adapter::moment::Moment;
use bursar_adapter::{Problem, Result, log};
use serde::Deserialize;

/// The body of a call, with what matters here.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Body<'a> {
    #[serde(borrow)]
    user: Loose<'a>,
    #[serde(borrow)]
    is_active: Loose<'a>,
    #[serde(borrow)]
    mode: Loose<'a>,
    #[serde(borrow)]
    course_details: CourseDetails<'a>,
    #[serde(borrow)]
    enrollment_attributes: List<Attribute<'a>>,
    #[serde(borrow)]
    linked_enterprise_customer: Loose<'a>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct CourseDetails<'a> {
    #[serde(borrow)]
    course_id: Loose<'a>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Attribute<'a> {
    #[serde(borrow)]
    namespace: Loose<'a>,
    #[serde(borrow)]
    name: Loose<'a>,
    #[serde(borrow)]
    value: Loose<'a>,
}

/// What is asked.
#[derive(Debug)]
pub(crate) enum Call<'a> {
    /// A seat was sold.
    Enroll(Sale<'a>),
    /// The money for it went back.
    Revoke(Seat<'a>),
}

/// A place in a course run, for one learner.
#[derive(Debug)]
pub(crate) struct Seat<'a> {
    /// A username of the LMS.
    pub(crate) user: Cow<'a, str>,
    pub(crate) run: Cow<'a, str>,
    pub(crate) mode: Cow<'a, str>,
}

/// A seat and the order that sold it.
#[derive(Debug)]
pub(crate) struct Sale<'a> {
    pub(crate) seat: Seat<'a>,
    pub(crate) order: Cow<'a, str>,
    pub(crate) placed: Option<Moment>,
    /// Paid by a coupon of an enterprise customer.
    pub(crate) enterprise: bool,
}

impl Seat<'_> {
    /// The seat as the catalog knows it.
    pub(crate) fn product(&self) -> String {
        format!("{} {}", self.run, self.mode)
    }
}

impl<'a> Call<'a> {
    /// Reads a call.
    ///
    /// # Errors
    /// Remedy `none`, when it is not one that can be brought into the ledger.
    pub(crate) fn read(body: &'a Body<'a>) -> Result<Self> {
        let id = |place: &'static str, value: &'a Loose<'a>| {
            let field = Field::new(place, value);
            field.id()?.ok_or_else(|| field.missing())
        };
        let seat = Seat {
            user: id("user", &body.user)?,
            run: id("course_details.course_id", &body.course_details.course_id)?,
            mode: id("mode", &body.mode)?,
        };
        let active = Field::new("is_active", &body.is_active);
        if !active.flag()?.ok_or_else(|| active.missing())? {
            return Ok(Self::Revoke(seat));
        }
        let attributes = field::items("enrollment_attributes", &body.enrollment_attributes)?.unwrap_or_default();
        if attribute(attributes, "credit", "provider_id").is_some() || seat.mode == "credit" {
            return Err(Problem::rejected(
                "credit-not-supported",
                "a seat for credit: Bursar sells no credit, and has no way to ask a credit provider",
            ));
        }
        let order = match attribute(attributes, "order", "order_number") {
            Some(number) => Field::new("enrollment_attributes order:order_number", number).id()?,
            None => None,
        };
        let Some(order) = order else {
            return Err(Problem::rejected(
                "order-missing",
                "the call does not say which order it is for: it is not the fulfilment of a seat by the ecommerce service",
            ));
        };
        let noted = order.len() + seat.run.len() + 1;
        if noted > LONGEST_ID {
            return Err(Problem::rejected("field-unexpected", "order number and course run are longer than 255 bytes"));
        }
        let placed = attribute(attributes, "order", "date_placed");
        let placed = placed.map(|at| Field::new("enrollment_attributes order:date_placed", at).moment());
        if placed.as_ref().is_some_and(Result::is_err) {
            log::warning("the call does not say in a way that can be read when the order was placed");
        }
        Ok(Self::Enroll(Sale {
            seat,
            order,
            placed: placed.and_then(Result::ok).flatten(),
            enterprise: body.linked_enterprise_customer != Loose::Absent,
        }))
    }
}

/// The last attribute of this name, as the LMS takes it.
fn attribute<'a>(attributes: &'a [Attribute<'a>], namespace: &str, name: &str) -> Option<&'a Loose<'a>> {
    let is = |value: &Loose<'_>, text: &str| matches!(value, Loose::Text(said) if said == text);
    let found = attributes.iter().rev().find(|given| is(&given.namespace, namespace) && is(&given.name, name))?;
    Some(&found.value)
}
