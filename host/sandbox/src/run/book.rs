//! What a run of `handle` stated, while it states it.
//!
//! Owns the rules of the contract's `orders` on how statements add up, and their caps; and what was handed in to
//! `lms-write`, and what is to be forgotten. Reads nothing and decides nothing
//! about access.

use std::{
    collections::{BTreeSet, HashMap},
    str::FromStr,
};

use bursar_domain::{
    CourseRun, Email, Mode, Timestamp, Username,
    effect::{Change, EffectStatement},
    statement::{
        Cause, CourseHint, HoldStatement, Identity, Learner, LineStatement, OrderStatement, ProductId, RefundedAmount,
        Revision, Scope, Statements,
    },
};
use rust_decimal::Decimal;

use crate::{error::RunErrorKind, limits, text};

/// A word of the adapter that names nobody or no course: the problem's code, its message.
pub(crate) type Refused = (&'static str, &'static str);

/// Statements being gathered. Orders and lines are known by their position, which the guest cannot forge.
#[derive(Debug, Default)]
pub(crate) struct Book {
    orders: Vec<OrderStatement>,
    lines: Vec<(usize, LineStatement)>,
    line_by_id: HashMap<(usize, String), usize>,
    effects: Vec<EffectStatement>,
    forgets: BTreeSet<String>,
    ignored: Vec<String>,
    reviews: Vec<String>,
    facts: usize,
}

impl Book {
    /// Counts a fact that the ledger keeps a row for.
    pub(crate) fn count_fact(&mut self) -> Result<(), RunErrorKind> {
        within(self.facts, limits::FACTS, "lines, course runs, holds and reviews")?;
        self.facts += 1;
        Ok(())
    }

    /// Begins a statement about an order and returns its position.
    pub(crate) fn open(&mut self, scope: Scope, id: String, revision: Vec<u64>) -> Result<u32, RunErrorKind> {
        let id = required_id("order", id)?;
        if revision.is_empty() || revision.len() > limits::REVISION {
            return Err(RunErrorKind::Misuse(format!("a revision has 1 to {} numbers", limits::REVISION)));
        }
        within(self.orders.len(), limits::ORDERS, "orders")?;
        self.orders.push(OrderStatement::new(id, scope, Revision(revision)));
        position(self.orders.len() - 1)
    }

    /// The line of this id within the order, begun if it is new.
    pub(crate) fn line(&mut self, order: u32, id: String) -> Result<u32, RunErrorKind> {
        let order = index(order);
        let id = required_id("line", id)?;
        if let Some(&known) = self.line_by_id.get(&(order, id.clone())) {
            return position(known);
        }
        within(self.lines.len(), limits::LINES, "lines")?;
        self.count_fact()?;
        self.lines.push((order, LineStatement { id: id.clone(), ..LineStatement::default() }));
        self.line_by_id.insert((order, id), self.lines.len() - 1);
        position(self.lines.len() - 1)
    }

    pub(crate) fn order_mut(&mut self, order: u32) -> Result<&mut OrderStatement, RunErrorKind> {
        self.orders.get_mut(index(order)).ok_or_else(unknown_handle)
    }

    pub(crate) fn line_mut(&mut self, line: u32) -> Result<&mut LineStatement, RunErrorKind> {
        self.lines.get_mut(index(line)).map(|(_, line)| line).ok_or_else(unknown_handle)
    }

    /// Hands a change of the LMS in under its key.
    pub(crate) fn hand_in(&mut self, key: String, change: Change) -> Result<(), RunErrorKind> {
        let key = required_id("change of the LMS", key)?;
        within(self.effects.len(), limits::EFFECTS, "changes of the LMS")?;
        self.effects.push(EffectStatement { key, change });
        Ok(())
    }

    pub(crate) fn forget(&mut self, subject: String) -> Result<(), RunErrorKind> {
        let subject = required_id("subject", subject)?;
        if !self.forgets.contains(&subject) {
            within(self.forgets.len(), limits::FORGETS, "subjects to forget")?;
            self.forgets.insert(subject);
        }
        Ok(())
    }

    pub(crate) fn ignored(&mut self, reason: &str) -> Result<(), RunErrorKind> {
        add_words(&mut self.ignored, reason, "reasons to ignore a delivery")
    }

    pub(crate) fn review(&mut self, reason: &str) -> Result<(), RunErrorKind> {
        add_words(&mut self.reviews, reason, "reviews of a delivery")
    }

    /// Everything that was stated.
    pub(crate) fn close(self) -> Statements {
        let mut orders = self.orders;
        for (order, line) in self.lines {
            if let Some(order) = orders.get_mut(order) {
                order.lines.push(line);
            }
        }
        Statements {
            orders,
            effects: self.effects,
            forgets: self.forgets.into_iter().collect(),
            ignored: self.ignored,
            reviews: self.reviews,
        }
    }
}

pub(crate) fn set_number(order: &mut OrderStatement, number: &str) {
    order.number = given(text::words(number, limits::ID));
}

pub(crate) fn set_fingerprint(order: &mut OrderStatement, mark: String) -> Result<(), RunErrorKind> {
    order.fingerprint = given(id("fingerprint", mark)?);
    Ok(())
}

pub(crate) fn set_origin(order: &mut OrderStatement, address: String) -> Result<(), RunErrorKind> {
    order.origin = given(id("origin", address)?);
    Ok(())
}

pub(crate) fn refunded(
    order: &mut OrderStatement,
    amount: &str,
    currency: &str,
    total: &str,
) -> Result<(), RunErrorKind> {
    let currency = currency.trim().to_ascii_uppercase();
    let is_currency = currency.len() == 3 && currency.bytes().all(|byte| byte.is_ascii_uppercase());
    match (decimal(amount), decimal(total)) {
        (Some(amount), Some(total)) if is_currency => {
            order.refunded = Some(RefundedAmount { amount, total, currency });
            Ok(())
        }
        _ => add_words(&mut order.reviews, "money went back, but the amount cannot be read", "reviews of an order"),
    }
}

pub(crate) fn set_products(
    line: &mut LineStatement,
    ids: Vec<(String, String)>,
    title: &str,
) -> Result<(), RunErrorKind> {
    line.products = products(ids)?;
    line.title = given(text::words(title, limits::WORDS));
    Ok(())
}

/// Ids of a product; entries without a kind or an id name nothing and are left out.
pub(crate) fn products(ids: Vec<(String, String)>) -> Result<Vec<ProductId>, RunErrorKind> {
    if ids.len() > limits::PRODUCT_IDS {
        return Err(over("ids of a product", limits::PRODUCT_IDS));
    }
    let mut products = Vec::with_capacity(ids.len());
    for (kind, product) in ids {
        let (kind, product) = (id("kind of a product id", kind)?, id("product id", product)?);
        if !kind.trim().is_empty() && !product.trim().is_empty() {
            products.push(ProductId { kind, id: product });
        }
    }
    Ok(products)
}

pub(crate) fn add_course(
    line: &mut LineStatement,
    run: &str,
    mode: Option<&str>,
) -> Result<Result<(), Refused>, RunErrorKind> {
    within(line.courses.len(), limits::COURSES, "course runs of a line")?;
    let Ok(run) = CourseRun::parse(run) else {
        return Ok(Err(("course-malformed", "the course run must look like course-v1:Org+Course+Run")));
    };
    let mode = match mode.map(Mode::parse).transpose() {
        Ok(mode) => mode,
        Err(_) => return Ok(Err(("course-malformed", "the mode is not letters, digits and hyphens"))),
    };
    let hint = CourseHint { run, mode };
    if !line.courses.contains(&hint) {
        line.courses.push(hint);
    }
    Ok(Ok(()))
}

pub(crate) fn set_parent(line: &mut LineStatement, parent: String) -> Result<(), RunErrorKind> {
    line.parent = given(id("line id", parent)?);
    Ok(())
}

/// Sets the learner by e-mail address. Once malformed it stays so: nobody else may take the place.
pub(crate) fn email(learner: &mut Option<Learner>, address: &str) -> Result<(), Refused> {
    if address.trim().is_empty() {
        return Ok(());
    }
    let parsed = Email::parse(address).map(|address| Identity::Email { address });
    set_learner(learner, parsed.ok(), ("email-malformed", "the learner's e-mail address is not one"))
}

/// As [`email`], by username.
pub(crate) fn username(learner: &mut Option<Learner>, name: &str) -> Result<(), Refused> {
    if name.trim().is_empty() {
        return Ok(());
    }
    let parsed = Username::parse(name).map(|name| Identity::Username { name });
    set_learner(learner, parsed.ok(), ("username-malformed", "the learner's username is not one"))
}

/// As [`email`], by what a login provider knows.
pub(crate) fn external(learner: &mut Option<Learner>, provider: &str, id: &str) -> Result<(), Refused> {
    let (provider, id) = (provider.trim(), id.trim());
    if id.is_empty() {
        return Ok(());
    }
    let sound = |text: &str| !text.is_empty() && text.len() <= limits::ID && !text.chars().any(char::is_control);
    let identity =
        (sound(provider) && sound(id)).then(|| Identity::External { provider: provider.to_owned(), id: id.to_owned() });
    set_learner(learner, identity, ("identity-malformed", "the learner's identity at the login provider is not one"))
}

fn set_learner(learner: &mut Option<Learner>, identity: Option<Identity>, refused: Refused) -> Result<(), Refused> {
    match identity {
        Some(identity) => {
            if learner != &Some(Learner::Malformed) {
                *learner = Some(Learner::Known(identity));
            }
            Ok(())
        }
        None => {
            *learner = Some(Learner::Malformed);
            Err(refused)
        }
    }
}

pub(crate) fn hold(
    holds: &mut Vec<HoldStatement>,
    cause: Cause,
    holds_now: bool,
    evidence: &str,
) -> Result<(), RunErrorKind> {
    within(holds.len(), limits::HOLDS, "holds of an order or line")?;
    holds.push(HoldStatement { cause, holds: holds_now, evidence: text::words(evidence, limits::WORDS) });
    Ok(())
}

pub(crate) fn add_review(reviews: &mut Vec<String>, reason: &str) -> Result<(), RunErrorKind> {
    add_words(reviews, reason, "reviews of an order or line")
}

/// A moment of the contract; what lies beyond the far end of time is that end.
pub(crate) fn moment(millis: u64) -> Timestamp {
    Timestamp::from_millis(i64::try_from(millis).unwrap_or(i64::MAX))
}

/// An id as it is, unless it is too long to be kept whole.
pub(crate) fn id(what: &str, text: String) -> Result<String, RunErrorKind> {
    if text.len() > limits::ID {
        return Err(RunErrorKind::Misuse(format!("a {what} has more than {} bytes", limits::ID)));
    }
    if text.contains('\0') {
        return Err(RunErrorKind::Misuse(format!("a {what} holds a zero byte")));
    }
    Ok(text)
}

fn required_id(what: &str, text: String) -> Result<String, RunErrorKind> {
    let text = id(&format!("{what} id"), text)?;
    if text.trim().is_empty() {
        return Err(RunErrorKind::Misuse(format!("a {what} without an id")));
    }
    Ok(text)
}

fn given(text: String) -> Option<String> {
    (!text.trim().is_empty()).then_some(text)
}

fn decimal(text: &str) -> Option<Decimal> {
    Decimal::from_str(text.trim()).ok().filter(|amount| !amount.is_sign_negative() || amount.is_zero())
}

fn add_words(list: &mut Vec<String>, words: &str, what: &'static str) -> Result<(), RunErrorKind> {
    within(list.len(), limits::REVIEWS, what)?;
    list.push(text::words(words, limits::WORDS));
    Ok(())
}

/// May one more be added?
pub(crate) fn within(count: usize, max: usize, what: &'static str) -> Result<(), RunErrorKind> {
    if count < max { Ok(()) } else { Err(over(what, max)) }
}

pub(crate) fn over(what: &'static str, max: usize) -> RunErrorKind {
    RunErrorKind::Limit { what, limit: u64::try_from(max).unwrap_or(u64::MAX) }
}

pub(crate) fn unknown_handle() -> RunErrorKind {
    RunErrorKind::Host("a handle stands for nothing".to_owned())
}

pub(crate) fn index(position: u32) -> usize {
    usize::try_from(position).unwrap_or(usize::MAX)
}

pub(crate) fn position(index: usize) -> Result<u32, RunErrorKind> {
    u32::try_from(index).map_err(|_| unknown_handle())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn book() -> (Book, u32) {
        let mut book = Book::default();
        let order = book.open(Scope::Snapshot, "1".to_owned(), vec![7]).unwrap();
        (book, order)
    }

    #[test]
    fn the_same_line_id_continues_the_same_line_within_one_statement() {
        let (mut book, order) = book();
        let first = book.line(order, "a".to_owned()).unwrap();
        let second = book.open(Scope::Patch, "1".to_owned(), vec![8]).unwrap();
        let elsewhere = book.line(second, "a".to_owned()).unwrap();
        assert_eq!(book.line(order, "a".to_owned()).unwrap(), first);
        assert_ne!(first, elsewhere);
        let orders = book.close().orders;
        assert_eq!(orders.iter().map(|order| order.lines.len()).collect::<Vec<_>>(), [1, 1]);
        assert_eq!(orders[1].revision, Revision(vec![8]));
    }

    #[test]
    fn a_blank_address_says_nothing_and_a_malformed_one_stays() {
        let mut learner = None;
        email(&mut learner, "  ").unwrap();
        assert_eq!(learner, None);
        assert_eq!(email(&mut learner, "not an address").unwrap_err().0, "email-malformed");
        assert_eq!(learner, Some(Learner::Malformed));
        email(&mut learner, "buyer@example.org").unwrap();
        username(&mut learner, "buyer").unwrap();
        assert_eq!(learner, Some(Learner::Malformed));
    }

    #[test]
    fn the_later_of_two_sound_learners_holds() {
        let mut learner = None;
        email(&mut learner, "ada@example.org").unwrap();
        external(&mut learner, "saml-uni", "ada7").unwrap();
        assert_eq!(
            learner,
            Some(Learner::Known(Identity::External { provider: "saml-uni".to_owned(), id: "ada7".to_owned() }))
        );
        assert_eq!(external(&mut None, "", "ada7").unwrap_err().0, "identity-malformed");
        assert_eq!(username(&mut None, "a,b").unwrap_err().0, "username-malformed");
    }

    #[test]
    fn a_malformed_course_is_refused_and_not_recorded() {
        let mut line = LineStatement::default();
        assert_eq!(add_course(&mut line, "CS101", None).unwrap().unwrap_err().0, "course-malformed");
        assert_eq!(add_course(&mut line, "course-v1:A+B+C", Some("a b")).unwrap().unwrap_err().0, "course-malformed");
        assert!(line.courses.is_empty());
        add_course(&mut line, "course-v1:A+B+C", Some("verified")).unwrap().unwrap();
        add_course(&mut line, "course-v1:A+B+C", Some("verified")).unwrap().unwrap();
        assert_eq!(line.courses.len(), 1);
    }

    #[test]
    fn an_amount_that_cannot_be_read_asks_a_person() {
        let (mut book, order) = book();
        let order = book.order_mut(order).unwrap();
        for (amount, currency, total) in
            [("ten", "EUR", "20"), ("10", "Euro", "20"), ("-1", "EUR", "20"), ("1e3", "EUR", ""), ("", "EUR", "1")]
        {
            order.reviews.clear();
            refunded(order, amount, currency, total).unwrap();
            assert_eq!((order.reviews.len(), &order.refunded), (1, &None), "{amount} {currency} {total}");
        }
        order.reviews.clear();
        refunded(order, " 10.50 ", "eur", "21.00").unwrap();
        assert!(order.reviews.is_empty());
        assert_eq!(order.refunded.as_ref().unwrap().amount.to_string(), "10.50");
    }

    #[test]
    fn ids_are_never_cut() {
        let mut book = Book::default();
        let long = "x".repeat(limits::ID + 1);
        assert!(matches!(book.open(Scope::Patch, long, vec![1]), Err(RunErrorKind::Misuse(_))));
        assert!(matches!(book.open(Scope::Patch, " ".to_owned(), vec![1]), Err(RunErrorKind::Misuse(_))));
        assert!(matches!(book.open(Scope::Patch, "1".to_owned(), vec![]), Err(RunErrorKind::Misuse(_))));
        assert!(matches!(book.open(Scope::Patch, "1".to_owned(), vec![1; 9]), Err(RunErrorKind::Misuse(_))));
    }

    #[test]
    fn every_list_has_an_end() {
        let mut book = Book::default();
        for id in 0..limits::ORDERS {
            book.open(Scope::Patch, id.to_string(), vec![1]).unwrap();
        }
        assert!(matches!(book.open(Scope::Patch, "x".to_owned(), vec![1]), Err(RunErrorKind::Limit { .. })));
        for id in 0..limits::LINES {
            book.line(u32::try_from(id % limits::ORDERS).unwrap(), id.to_string()).unwrap();
        }
        assert!(matches!(book.line(0, "x".to_owned()), Err(RunErrorKind::Limit { what: "lines", .. })));
        let mut holds = Vec::new();
        for _ in 0..limits::HOLDS {
            hold(&mut holds, Cause::Refunded, true, "").unwrap();
        }
        assert!(hold(&mut holds, Cause::Refunded, true, "").is_err());
        assert!(products(vec![("sku".to_owned(), "1".to_owned()); limits::PRODUCT_IDS + 1]).is_err());
    }

    #[test]
    fn the_far_end_of_time_is_the_last_moment() {
        assert_eq!(moment(u64::MAX).as_millis(), i64::MAX);
    }
}
