//! Orders in a few words: `42: ada buys BIO`, `42: refunded`.
//!
//! Owns the sentence and what a shop remembers of an order between two of them, because a shop always sends the whole.

use std::{collections::BTreeMap, time::Duration};

use crate::{Result, words};

/// A sentence about an order.
#[derive(Debug, Clone, PartialEq)]
pub struct Sentence {
    pub shop: String,
    pub id: String,
    /// Only what is said here is sent, and not the whole order.
    pub alone: bool,
    pub facts: Vec<Fact>,
}

/// One thing that is said of an order.
#[derive(Debug, Clone, PartialEq)]
pub enum Fact {
    Buys { who: Option<String>, lines: Vec<(Option<u32>, String, Option<Who>)> },
    For(Option<String>),
    Payment(Payment),
    Hold(Cause, bool),
    Money { amount: String, total: String, currency: String },
    Test,
    Number(String),
    Fingerprint(String),
    Placed(Duration),
    Status(String),
    Revision(u64),
    Review(String),
    NoLines,
    Line(String, LineFact),
}

/// One thing that is said of a line.
#[derive(Debug, Clone, PartialEq)]
pub enum LineFact {
    Is { quantity: Option<u32>, product: String, who: Option<Who> },
    Gone,
    Hold(Cause, bool),
    For(Who),
    Quantity(u32),
    RefundedQuantity(u32),
    Inside(String),
    Until(Duration),
    Course(String),
}

/// A learner, as a line may name them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Who {
    Address(String),
    Username(String),
    External(String, String),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Payment {
    Paid,
    Unpaid,
    Undecided,
}

impl Payment {
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Paid => "paid",
            Self::Unpaid => "unpaid",
            Self::Undecided => "undecided",
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Cause {
    Refunded,
    Cancelled,
    Deleted,
    Disputed,
}

impl Cause {
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Refunded => "refunded",
            Self::Cancelled => "cancelled",
            Self::Deleted => "deleted",
            Self::Disputed => "disputed",
        }
    }

    fn of(word: &str) -> Option<Self> {
        [Self::Refunded, Self::Cancelled, Self::Deleted, Self::Disputed].into_iter().find(|cause| cause.word() == word)
    }
}

/// An order as the shop has it.
#[derive(Debug, Clone, Default)]
pub struct Order {
    pub id: String,
    pub who: Option<String>,
    pub payment: Option<Payment>,
    /// Money came in once. It may have gone back since.
    pub was_paid: bool,
    pub holds: BTreeMap<Cause, bool>,
    pub money: Option<(String, String, String)>,
    pub test: bool,
    pub number: Option<String>,
    pub fingerprint: Option<String>,
    /// How long before the beginning of the case it was placed.
    pub placed_before: Duration,
    pub status: Option<String>,
    pub review: Option<String>,
    pub revision: u64,
    pub lines: Vec<Line>,
}

/// A line as the shop has it.
#[derive(Debug, Clone, Default)]
pub struct Line {
    pub id: String,
    pub product: Option<String>,
    pub who: Option<Who>,
    pub quantity: Option<u32>,
    pub refunded_quantity: Option<u32>,
    pub parent: Option<String>,
    /// From the beginning of the case.
    pub until: Option<Duration>,
    pub courses: Vec<String>,
    pub holds: BTreeMap<Cause, bool>,
}

impl Sentence {
    /// Reads `42 at library alone: fact; fact`.
    pub fn parse(text: &str, default_shop: &str) -> Result<Self> {
        let (head, facts) = text.split_once(": ").ok_or_else(|| format!("{text:?} must be \"NUMBER: what is so\""))?;
        let (head, alone) = match head.strip_suffix(" alone") {
            Some(head) => (head, true),
            None => (head, false),
        };
        let (id, shop) = match head.split_once(" at ") {
            Some((id, shop)) => (words::one(id)?, words::one(shop)?),
            None => (words::one(head)?, default_shop.to_owned()),
        };
        let facts = facts.split(';').map(|fact| fact_of(fact.trim())).collect::<Result<_>>()?;
        Ok(Self { shop, id, alone, facts })
    }
}

fn fact_of(text: &str) -> Result<Fact> {
    if let Some((who, lines)) = words::around(text, "buys") {
        let who = if who == "nobody" { None } else { Some(words::address(who)) };
        let lines = lines.split(',').map(|line| goods(line.trim())).collect::<Result<_>>()?;
        return Ok(Fact::Buys { who, lines });
    }
    let hold = |word: &str| match word.strip_prefix("not ") {
        Some(word) => Cause::of(word).map(|cause| (cause, false)),
        None => Cause::of(word).map(|cause| (cause, true)),
    };
    if let Some((cause, holds)) = hold(text) {
        return Ok(Fact::Hold(cause, holds));
    }
    if let Some(rest) = text.strip_prefix("line ") {
        let (id, rest) = rest.split_once([' ', ':']).ok_or_else(|| format!("{text:?} says nothing of the line"))?;
        let rest = rest.trim();
        if let Some((cause, holds)) = hold(rest) {
            return Ok(Fact::Line(id.to_owned(), LineFact::Hold(cause, holds)));
        }
        return Ok(Fact::Line(id.to_owned(), line_fact(rest)?));
    }
    let (first, rest) = text.split_once(' ').map_or((text, ""), |(first, rest)| (first, rest.trim()));
    Ok(match (first, rest) {
        ("paid", "") => Fact::Payment(Payment::Paid),
        ("unpaid", "") => Fact::Payment(Payment::Unpaid),
        ("undecided", "") => Fact::Payment(Payment::Undecided),
        ("test", "") => Fact::Test,
        ("no", "lines") => Fact::NoLines,
        ("for", "nobody") => Fact::For(None),
        ("for", who) => Fact::For(Some(words::address(who))),
        ("called", number) => Fact::Number(number.to_owned()),
        ("fingerprint", mark) => Fact::Fingerprint(mark.to_owned()),
        ("placed", rest) => {
            let before = rest.strip_suffix(" before").ok_or("placed must be \"placed 3 days before\"")?;
            Fact::Placed(words::duration(before)?)
        }
        ("status", status) => Fact::Status(words::one(status)?),
        ("revision", number) => Fact::Revision(number.parse().map_err(|_| format!("{number:?} is no number"))?),
        ("asks", words) => Fact::Review(words::address(words)),
        (amount, rest) => {
            let money: Vec<&str> = rest.split(' ').collect();
            let ["of", total, currency, "back"] = money.as_slice() else {
                return Err(format!("{text:?} is nothing that can be said of an order"));
            };
            Fact::Money { amount: amount.to_owned(), total: (*total).to_owned(), currency: (*currency).to_owned() }
        }
    })
}

/// `3 BIO for ben`.
fn goods(text: &str) -> Result<(Option<u32>, String, Option<Who>)> {
    let (goods, who) = match words::around(text, "for") {
        Some((goods, name)) => (goods, Some(who(name)?)),
        None => (text, None),
    };
    let (quantity, product) = match goods.split_once(' ') {
        Some((quantity, product)) => {
            (Some(quantity.parse().map_err(|_| format!("{quantity:?} is no quantity"))?), product)
        }
        None => (None, goods),
    };
    Ok((quantity, words::product(&words::one(product)?), who))
}

fn who(text: &str) -> Result<Who> {
    Ok(match text.split(' ').collect::<Vec<_>>().as_slice() {
        ["username", name] => Who::Username((*name).to_owned()),
        ["external", provider, id] => Who::External((*provider).to_owned(), (*id).to_owned()),
        _ => Who::Address(words::address(text)),
    })
}

fn line_fact(text: &str) -> Result<LineFact> {
    let number = |text: &str| text.parse().map_err(|_| format!("{text:?} is no number"));
    if let Some(name) = text.strip_prefix("for ") {
        return Ok(LineFact::For(who(name)?));
    }
    if let Some(course) = text.strip_prefix("course ") {
        return Ok(LineFact::Course(match course.split_once(' ') {
            Some((run, mode)) => format!("{} {mode}", words::run(run)),
            None => words::run(course),
        }));
    }
    if let Some(until) = text.strip_prefix("until ") {
        return Ok(LineFact::Until(words::duration(until)?));
    }
    Ok(match text.split(' ').collect::<Vec<_>>().as_slice() {
        ["gone"] => LineFact::Gone,
        ["quantity", count] => LineFact::Quantity(number(count)?),
        ["refunded", "quantity", count] => LineFact::RefundedQuantity(number(count)?),
        ["inside", parent] => LineFact::Inside((*parent).to_owned()),
        _ => {
            let (quantity, product, who) = goods(text)?;
            LineFact::Is { quantity, product, who }
        }
    })
}

impl Order {
    #[must_use]
    pub fn blank(id: &str) -> Self {
        Self { id: id.to_owned(), ..Self::default() }
    }

    /// The shop takes note of what is said.
    pub fn apply(&mut self, facts: &[Fact]) {
        for fact in facts {
            match fact.clone() {
                Fact::Buys { who, lines } => {
                    self.who = who;
                    self.payment.get_or_insert(Payment::Paid);
                    let lines = lines.into_iter().zip(1..).map(|((quantity, product, who), number)| Line {
                        id: number.to_string(),
                        product: Some(product),
                        quantity,
                        who,
                        ..Line::default()
                    });
                    self.lines = lines.collect();
                }
                Fact::For(who) => self.who = who,
                Fact::Payment(payment) => self.payment = Some(payment),
                Fact::Hold(cause, holds) => {
                    self.holds.insert(cause, holds);
                }
                Fact::Money { amount, total, currency } => self.money = Some((amount, total, currency)),
                Fact::Test => self.test = true,
                Fact::Number(number) => self.number = Some(number),
                Fact::Fingerprint(mark) => self.fingerprint = Some(mark),
                Fact::Placed(before) => self.placed_before = before,
                Fact::Status(status) => self.status = Some(status),
                Fact::Revision(revision) => self.revision = revision,
                Fact::Review(words) => self.review = Some(words),
                Fact::NoLines => self.lines.clear(),
                Fact::Line(id, LineFact::Gone) => self.lines.retain(|line| line.id != id),
                Fact::Line(id, fact) => self.line(&id).apply(fact),
            }
        }
        self.was_paid |= self.payment == Some(Payment::Paid);
    }

    fn line(&mut self, id: &str) -> &mut Line {
        let at = self.lines.iter().position(|line| line.id == id).unwrap_or_else(|| {
            self.lines.push(Line { id: id.to_owned(), ..Line::default() });
            self.lines.len() - 1
        });
        &mut self.lines[at]
    }
}

impl Line {
    fn apply(&mut self, fact: LineFact) {
        match fact {
            LineFact::Is { quantity, product, who } => {
                (self.quantity, self.product, self.who) = (quantity, Some(product), who);
            }
            LineFact::Gone => {}
            LineFact::Hold(cause, holds) => {
                self.holds.insert(cause, holds);
            }
            LineFact::For(who) => self.who = Some(who),
            LineFact::Quantity(count) => self.quantity = Some(count),
            LineFact::RefundedQuantity(count) => self.refunded_quantity = Some(count),
            LineFact::Inside(parent) => self.parent = Some(parent),
            LineFact::Until(until) => self.until = Some(until),
            LineFact::Course(course) => self.courses.push(course),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(sentences: &[&str]) -> Order {
        let mut order = Order::blank("42");
        for sentence in sentences {
            order.apply(&Sentence::parse(sentence, "campus").unwrap().facts);
        }
        order
    }

    #[test]
    fn an_order_is_built_up_by_sentences() {
        let order = after(&["42: ada buys BIO, 3 CHEM for ben", "42: line 2 refunded; 5.00 of 10.00 EUR back"]);
        assert_eq!(order.who.as_deref(), Some("ada@example.org"));
        assert_eq!((order.payment, order.was_paid), (Some(Payment::Paid), true));
        assert_eq!(order.lines[0].product.as_deref(), Some("sku:BIO"));
        assert_eq!(
            (order.lines[1].quantity, &order.lines[1].who),
            (Some(3), &Some(Who::Address("ben@example.org".into())))
        );
        assert!(order.lines[1].holds[&Cause::Refunded]);
        assert_eq!(order.money, Some(("5.00".into(), "10.00".into(), "EUR".into())));
        assert!(after(&["42: ada buys BIO", "42: line 1 gone"]).lines.is_empty());
    }

    #[test]
    fn the_head_names_order_and_shop() {
        let sentence = Sentence::parse("42 at library alone: not refunded", "campus").unwrap();
        assert_eq!((sentence.shop.as_str(), sentence.id.as_str(), sentence.alone), ("library", "42", true));
        assert_eq!(sentence.facts, [Fact::Hold(Cause::Refunded, false)]);
    }

    #[test]
    fn what_cannot_be_said_is_refused() {
        for wrong in ["42: refundet", "42", "42: line 1", "42: ada buys", "42: 5.00 from 10.00 EUR back", "4 2: paid"] {
            assert!(Sentence::parse(wrong, "campus").is_err(), "{wrong}");
        }
    }
}
