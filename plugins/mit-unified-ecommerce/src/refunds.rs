//! What of the money went back, line by line (facts 8 and 9).
//!
//! | a refund, or else its line, has the status | it counts |
//! |---|---|
//! | none (a body that says refunds in brief) | yes |
//! | `approved`, `approved-complete` and the like | once the order's state says that money went back |
//! | `created`, `pending`, `denied`, `failed` | no |
//! | any other | no, and a person is asked |
//!
//! A line is refunded when what went back for it is its price. Less keeps access and asks a person; nothing at all, which is how
//! the platform says that a line of the request was not granted, is passed over.

use std::collections::BTreeMap;
use std::fmt::Display;

use bursar_adapter::Result;
use bursar_adapter::field::{self, Field};
use bursar_adapter::loose::{List, Loose};
use bursar_adapter::money::Amount;

use crate::body::{Refund, RefundLine};

/// Prices are rounded to cents when they are sent, and what went back is not (fact 9): so much may be missing.
const HALF_A_CENT: &str = "0.005";

/// All refunds of an order that count.
#[derive(Debug, Default)]
pub(crate) struct Refunds {
    lines: BTreeMap<String, Back>,
    /// What each refund says that names no line, where it says anything.
    without_lines: Vec<Option<Amount>>,
    count: u64,
    questions: Vec<&'static str>,
}

/// What went back for something.
#[derive(Debug, Clone, Default)]
pub(crate) struct Back {
    amount: Option<Amount>,
    /// Named without an amount: all of it.
    all: bool,
    /// Named with an amount for it and others that is too small for all of them.
    unclear: bool,
}

/// How much of something went back.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Share {
    /// All of it, and what shows that.
    All(String),
    /// A part, or it cannot be told; in words for people.
    Part(String),
}

/// Does a refund of this status count?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Status {
    Counts,
    Not,
    Unknown,
}

impl Refunds {
    /// Reads the refunds of an order, of which its state says whether any of its money went back.
    pub(crate) fn read(refunds: &List<Refund<'_>>, money_went_back: bool) -> Result<Self> {
        let mut read = Self::default();
        for (index, refund) in field::items("data.refunds", refunds)?.unwrap_or_default().iter().enumerate() {
            read.add(refund, index, money_went_back)?;
        }
        read.questions.dedup();
        Ok(read)
    }

    /// How many lines were refunded, and refunds that name none: the more, the newer the account.
    pub(crate) fn count(&self) -> u64 {
        self.count
    }

    pub(crate) fn of_line(&self, id: &str) -> Option<&Back> {
        self.lines.get(id)
    }

    pub(crate) fn lines(&self) -> impl Iterator<Item = (&String, &Back)> {
        self.lines.iter()
    }

    /// Is there a refund that names no line?
    pub(crate) fn name_no_line(&self) -> bool {
        !self.without_lines.is_empty()
    }

    /// What of the price of the whole order, as it is written, went back by refunds that name no line.
    pub(crate) fn of_order(&self, price: Option<&str>) -> Share {
        let sum = self.without_lines.iter().try_fold(Amount::ZERO, |sum, amount| sum.plus((*amount)?));
        sum.and_then(|back| share(back, price)).unwrap_or_else(|| {
            Share::Part("a refund of the order says neither for which line nor how much; access stays".to_owned())
        })
    }

    /// What a person should look at.
    pub(crate) fn questions(&self) -> &[&'static str] {
        &self.questions
    }

    fn add(&mut self, refund: &Refund<'_>, index: usize, money_went_back: bool) -> Result<()> {
        let place = |name: &str| format!("data.refunds[{index}].{name}");
        let own = Field::new(place("status"), &refund.status).text()?;
        let lines = field::items(place("lines"), &refund.lines)?.unwrap_or_default();
        let total = total(refund, &place)?;
        if lines.is_empty() {
            if self.counts(own.as_deref(), money_went_back) {
                self.count += 1;
                self.without_lines.push(total);
            }
            return Ok(());
        }

        let brief = lines.iter().all(|line| matches!(line.refunded_amount, Loose::Absent));
        let too_small = brief && !covers_all(total, lines);
        for (line_index, line) in lines.iter().enumerate() {
            let place = |name: &str| format!("data.refunds[{index}].lines[{line_index}].{name}");
            let status = Field::new(place("status"), &line.status).text()?;
            if !self.counts(status.as_deref().or(own.as_deref()), money_went_back) {
                continue;
            }
            let (name, value) = if line.line == Loose::Absent { ("id", &line.id) } else { ("line", &line.line) };
            let id = Field::new(place(name), value);
            let id = id.id()?.ok_or_else(|| id.missing())?.into_owned();
            let amount = amount(place("refunded_amount"), &line.refunded_amount)?;
            self.count += 1;
            let back = self.lines.entry(id).or_default();
            back.unclear |= too_small;
            if !too_small {
                back.add(amount);
            }
        }
        Ok(())
    }

    fn counts(&mut self, status: Option<&str>, money_went_back: bool) -> bool {
        let status = status.map_or(Status::Counts, |status| Status::read(status, money_went_back));
        if status == Status::Unknown {
            self.questions.push("a refund of the order is in a status that is not unified-ecommerce's own");
        }
        status == Status::Counts
    }
}

impl Status {
    fn read(text: &str, money_went_back: bool) -> Self {
        match text {
            "created" | "pending" | "denied" | "failed" => Self::Not,
            // How the last status is spelled is not verified (fact 9).
            _ if text == "complete" || text.starts_with("approved") => {
                if money_went_back {
                    Self::Counts
                } else {
                    Self::Not
                }
            }
            _ => Self::Unknown,
        }
    }
}

impl Back {
    fn add(&mut self, amount: Option<Amount>) {
        match amount {
            Some(amount) => match self.amount.unwrap_or(Amount::ZERO).plus(amount) {
                Some(sum) => self.amount = Some(sum),
                None => self.unclear = true,
            },
            None => self.all = true,
        }
    }

    /// What that is of a price, as it is written; nothing if nothing of it went back.
    pub(crate) fn of(&self, price: Option<&str>) -> Option<Share> {
        if self.unclear {
            return Some(Share::Part(
                "money went back for several lines, and less than they cost together; access stays".to_owned(),
            ));
        }
        if self.all {
            return Some(Share::All("named in a refund".to_owned()));
        }
        share(self.amount?, price)
    }
}

fn share(back: Amount, price: Option<&str>) -> Option<Share> {
    let whole = price.and_then(Amount::parse);
    match (whole, price) {
        (Some(whole), Some(price)) if covers(back, whole) => Some(Share::All(format!("refunds={back} of {price}"))),
        _ if back.is_zero() => None,
        (Some(_), Some(price)) => Some(Share::Part(format!("{back} of {price} went back, and access stays"))),
        _ => Some(Share::Part(format!("{back} went back, of a price that is not said; access stays"))),
    }
}

fn covers(back: Amount, whole: Amount) -> bool {
    Amount::parse(HALF_A_CENT).and_then(|rounding| back.plus(rounding)).is_some_and(|back| back.covers(whole))
}

/// What the refund says of its sum. Zero is what the platform writes before it knows, and says nothing.
fn total(refund: &Refund<'_>, place: &impl Fn(&str) -> String) -> Result<Option<Amount>> {
    for (name, value) in
        [("total_price_refunded", &refund.total_price_refunded), ("total_refunded", &refund.total_refunded)]
    {
        if let Some(total) = amount(place(name), value)?.filter(|total| !total.is_zero()) {
            return Ok(Some(total));
        }
    }
    Ok(None)
}

/// Is the sum of a refund as much as its lines cost? So it is as long as nothing says otherwise.
fn covers_all(total: Option<Amount>, lines: &[RefundLine<'_>]) -> bool {
    let price = |line: &RefundLine<'_>| {
        let price = Field::new("total_price", &line.total_price).amount().ok().flatten()?;
        Amount::parse(&price)
    };
    let prices = lines.iter().try_fold(Amount::ZERO, |sum, line| sum.plus(price(line)?));
    match (total, prices) {
        (Some(total), Some(prices)) => covers(total, prices),
        _ => true,
    }
}

fn amount(place: impl Display, value: &Loose<'_>) -> Result<Option<Amount>> {
    Ok(Field::new(place, value).amount()?.and_then(|text| Amount::parse(&text)))
}
