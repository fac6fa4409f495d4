//! `orders`: statements about orders and lines, and what the ledger knows of them.
//!
//! Owns the translation only; how statements add up is the [`book`](crate::run::book)'s.

use bursar_domain::statement::{self, Scope};
use wasmtime::{Result, component::Resource};

use super::{KnownLineMark, LineMark, OrderMark, refusal};
use crate::{
    contract::bursar::adapter::{
        orders::{self as wit, Host, HostKnownLine, HostLine, HostOrder},
        types::{Problem, Remedy},
    },
    error::RunErrorKind,
    limits,
    outcome::LogLevel,
    run::{
        book::{self, Refused},
        state::{Phase, RunState},
    },
    shop::KnownLine,
};

type Stated = std::result::Result<(), Problem>;

fn stated(outcome: std::result::Result<(), Refused>) -> Stated {
    outcome.map_err(|(code, message)| refusal(Remedy::None, code, message))
}

impl From<wit::Cause> for statement::Cause {
    fn from(cause: wit::Cause) -> Self {
        match cause {
            wit::Cause::Refunded => Self::Refunded,
            wit::Cause::Cancelled => Self::Cancelled,
            wit::Cause::Deleted => Self::Deleted,
            wit::Cause::Disputed => Self::Disputed,
        }
    }
}

impl From<wit::Payment> for statement::Payment {
    fn from(payment: wit::Payment) -> Self {
        match payment {
            wit::Payment::Paid => Self::Paid,
            wit::Payment::Unpaid => Self::Unpaid,
            wit::Payment::Undecided => Self::Undecided,
        }
    }
}

impl RunState {
    fn open_order(&mut self, scope: Scope, id: String, revision: Vec<u64>) -> Result<Resource<OrderMark>> {
        self.count_call(id.len() + revision.len() * size_of::<u64>())?;
        if self.phase != Phase::Handle {
            return Err(RunErrorKind::Misuse("orders are stated in `handle` only".to_owned()).into());
        }
        Ok(Resource::new_own(self.book.open(scope, id, revision)?))
    }

    fn order(
        &mut self,
        order: &Resource<OrderMark>,
        bytes: usize,
    ) -> std::result::Result<&mut statement::OrderStatement, RunErrorKind> {
        self.count_call(bytes)?;
        self.book.order_mut(order.rep())
    }

    fn line(
        &mut self,
        line: &Resource<LineMark>,
        bytes: usize,
    ) -> std::result::Result<&mut statement::LineStatement, RunErrorKind> {
        self.count_call(bytes)?;
        self.book.line_mut(line.rep())
    }

    /// Counts what a known line hands over beside the call itself.
    fn count_pairs(&mut self, pairs: &[(String, String)]) -> std::result::Result<(), RunErrorKind> {
        self.count_call(pairs.iter().map(|(first, second)| first.len() + second.len()).sum())
    }

    fn known_line(&mut self, line: &Resource<KnownLineMark>) -> std::result::Result<&KnownLine, RunErrorKind> {
        self.count_call(0)?;
        self.known.get(book::index(line.rep())).ok_or_else(book::unknown_handle)
    }
}

impl Host for RunState {
    async fn known(&mut self, order: String) -> Result<Vec<Resource<KnownLineMark>>> {
        self.count_call(order.len())?;
        self.count_look_up()?;
        let (Phase::Handle, Some(surroundings)) = (self.phase, self.surroundings.clone()) else {
            self.log(LogLevel::Warning, "wrong-phase: `known` answers in `handle` only");
            return Ok(Vec::new());
        };
        let lines = self.outside(surroundings.known(&order)).await.map_err(RunErrorKind::from)?;
        if self.known.len() + lines.len() > limits::KNOWN_LINES {
            return Err(book::over("known lines", limits::KNOWN_LINES).into());
        }
        let first = self.known.len();
        self.known.extend(lines);
        (first..self.known.len()).map(|index| Ok(Resource::new_own(book::position(index)?))).collect()
    }
}

impl HostOrder for RunState {
    fn snapshot(&mut self, id: String, revision: Vec<u64>) -> Result<Resource<OrderMark>> {
        self.open_order(Scope::Snapshot, id, revision)
    }

    fn patch(&mut self, id: String, revision: Vec<u64>) -> Result<Resource<OrderMark>> {
        self.open_order(Scope::Patch, id, revision)
    }

    fn number(&mut self, order: Resource<OrderMark>, text: String) -> Result<()> {
        book::set_number(self.order(&order, text.len())?, &text);
        Ok(())
    }

    fn origin(&mut self, order: Resource<OrderMark>, address: String) -> Result<()> {
        Ok(book::set_origin(self.order(&order, address.len())?, address)?)
    }

    fn fingerprint(&mut self, order: Resource<OrderMark>, text: String) -> Result<()> {
        Ok(book::set_fingerprint(self.order(&order, text.len())?, text)?)
    }

    fn placed_at(&mut self, order: Resource<OrderMark>, at: u64) -> Result<()> {
        self.order(&order, 0)?.placed_at = Some(book::moment(at));
        Ok(())
    }

    fn test(&mut self, order: Resource<OrderMark>) -> Result<()> {
        self.order(&order, 0)?.test = true;
        Ok(())
    }

    fn payment(&mut self, order: Resource<OrderMark>, state: wit::Payment) -> Result<()> {
        self.order(&order, 0)?.payment = Some(state.into());
        Ok(())
    }

    fn hold(&mut self, order: Resource<OrderMark>, cause: wit::Cause, evidence: String) -> Result<()> {
        self.book.count_fact()?;
        Ok(book::hold(&mut self.order(&order, evidence.len())?.holds, cause.into(), true, &evidence)?)
    }

    fn lift(&mut self, order: Resource<OrderMark>, cause: wit::Cause, evidence: String) -> Result<()> {
        self.book.count_fact()?;
        Ok(book::hold(&mut self.order(&order, evidence.len())?.holds, cause.into(), false, &evidence)?)
    }

    fn refunded_amount(
        &mut self,
        order: Resource<OrderMark>,
        amount: String,
        currency: String,
        total: String,
    ) -> Result<()> {
        let order = self.order(&order, amount.len() + currency.len() + total.len())?;
        Ok(book::refunded(order, &amount, &currency, &total)?)
    }

    fn learner_email(&mut self, order: Resource<OrderMark>, address: String) -> Result<Stated> {
        Ok(stated(book::email(&mut self.order(&order, address.len())?.learner, &address)))
    }

    fn line(&mut self, order: Resource<OrderMark>, id: String) -> Result<Resource<LineMark>> {
        self.count_call(id.len())?;
        Ok(Resource::new_own(self.book.line(order.rep(), id)?))
    }

    fn review(&mut self, order: Resource<OrderMark>, reason: String) -> Result<()> {
        self.book.count_fact()?;
        Ok(book::add_review(&mut self.order(&order, reason.len())?.reviews, &reason)?)
    }

    fn drop(&mut self, _: Resource<OrderMark>) -> Result<()> {
        Ok(())
    }
}

impl HostLine for RunState {
    fn product(&mut self, line: Resource<LineMark>, ids: Vec<(String, String)>, title: String) -> Result<()> {
        let bytes: usize = ids.iter().map(|(kind, id)| kind.len() + id.len()).sum();
        Ok(book::set_products(self.line(&line, bytes + title.len())?, ids, &title)?)
    }

    fn course(&mut self, line: Resource<LineMark>, run: String, mode: Option<String>) -> Result<Stated> {
        let bytes = run.len() + mode.as_ref().map_or(0, String::len);
        self.book.count_fact()?;
        Ok(stated(book::add_course(self.line(&line, bytes)?, &run, mode.as_deref())?))
    }

    fn parent(&mut self, line: Resource<LineMark>, id: String) -> Result<()> {
        Ok(book::set_parent(self.line(&line, id.len())?, id)?)
    }

    fn learner_email(&mut self, line: Resource<LineMark>, address: String) -> Result<Stated> {
        Ok(stated(book::email(&mut self.line(&line, address.len())?.learner, &address)))
    }

    fn learner_username(&mut self, line: Resource<LineMark>, name: String) -> Result<Stated> {
        Ok(stated(book::username(&mut self.line(&line, name.len())?.learner, &name)))
    }

    fn learner_external(&mut self, line: Resource<LineMark>, provider: String, id: String) -> Result<Stated> {
        let line = self.line(&line, provider.len() + id.len())?;
        Ok(stated(book::external(&mut line.learner, &provider, &id)))
    }

    fn quantity(&mut self, line: Resource<LineMark>, count: u32) -> Result<()> {
        self.line(&line, 0)?.quantity = Some(count);
        Ok(())
    }

    fn refunded_quantity(&mut self, line: Resource<LineMark>, count: u32) -> Result<()> {
        self.line(&line, 0)?.refunded_quantity = Some(count);
        Ok(())
    }

    fn until(&mut self, line: Resource<LineMark>, at: u64) -> Result<()> {
        self.line(&line, 0)?.until = Some(book::moment(at));
        Ok(())
    }

    fn hold(&mut self, line: Resource<LineMark>, cause: wit::Cause, evidence: String) -> Result<()> {
        self.book.count_fact()?;
        Ok(book::hold(&mut self.line(&line, evidence.len())?.holds, cause.into(), true, &evidence)?)
    }

    fn lift(&mut self, line: Resource<LineMark>, cause: wit::Cause, evidence: String) -> Result<()> {
        self.book.count_fact()?;
        Ok(book::hold(&mut self.line(&line, evidence.len())?.holds, cause.into(), false, &evidence)?)
    }

    fn review(&mut self, line: Resource<LineMark>, reason: String) -> Result<()> {
        self.book.count_fact()?;
        Ok(book::add_review(&mut self.line(&line, reason.len())?.reviews, &reason)?)
    }

    fn drop(&mut self, _: Resource<LineMark>) -> Result<()> {
        Ok(())
    }
}

impl HostKnownLine for RunState {
    fn id(&mut self, line: Resource<KnownLineMark>) -> Result<String> {
        Ok(self.known_line(&line)?.id.clone())
    }

    fn active(&mut self, line: Resource<KnownLineMark>) -> Result<bool> {
        Ok(self.known_line(&line)?.active)
    }

    fn quantity(&mut self, line: Resource<KnownLineMark>) -> Result<u32> {
        Ok(self.known_line(&line)?.quantity)
    }

    fn refunded_quantity(&mut self, line: Resource<KnownLineMark>) -> Result<u32> {
        Ok(self.known_line(&line)?.refunded_quantity)
    }

    fn product(&mut self, line: Resource<KnownLineMark>) -> Result<Vec<(String, String)>> {
        let products: Vec<_> =
            self.known_line(&line)?.products.iter().map(|id| (id.kind.clone(), id.id.clone())).collect();
        self.count_pairs(&products)?;
        Ok(products)
    }

    fn courses(&mut self, line: Resource<KnownLineMark>) -> Result<Vec<(String, String)>> {
        let courses = self.known_line(&line)?.courses.clone();
        self.count_pairs(&courses)?;
        Ok(courses)
    }

    fn revision(&mut self, line: Resource<KnownLineMark>) -> Result<Vec<u64>> {
        Ok(self.known_line(&line)?.revision.0.clone())
    }

    fn until(&mut self, line: Resource<KnownLineMark>) -> Result<Option<u64>> {
        Ok(self.known_line(&line)?.until.map(|until| u64::try_from(until.as_millis()).unwrap_or(0)))
    }

    fn drop(&mut self, _: Resource<KnownLineMark>) -> Result<()> {
        Ok(())
    }
}
