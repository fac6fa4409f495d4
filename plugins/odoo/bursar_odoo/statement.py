"""An order of Odoo put into statements for the ledger."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from bursar import Delivery, Line, Order, Payment, Problem, log, orders

from . import api
from .settings import Settings

CONFIRMED = ("sale", "done")
"""`done` is a locked order in versions before 17, and in databases that came from one."""

MAX_QUANTITY = 2**32 - 1


def state(order: api.Order, settings: Settings) -> None:
    """States a whole order."""
    stated = orders.snapshot(order.id, order.revision)
    if order.name and order.name != str(order.id):
        stated.number(order.name)
    if order.created:
        stated.fingerprint(f"created {order.created}")
    if order.placed is not None:
        stated.placed_at(order.placed)
    _state_money(stated, order, settings)
    if order.email:
        _learner(stated, order.email, "the customer's address")
    for line in order.lines:
        _state_line(stated.line(line.id), line)


def state_gone(order: str, delivery: Delivery) -> None:
    """States that an order is no longer there. Odoo lets only quotations and cancelled orders be deleted.

    What is gone has no date. It takes the newest revision that is known, so that it takes effect on what came before it.
    """
    known = orders.known(order)
    if not known:
        return delivery.ignored("there is no such sale order any more, and nothing is known of it")
    newest = max(tuple(line.revision()) for line in known)
    orders.patch(order, newest).hold("deleted", "the order is gone from Odoo")


def _state_money(stated: Order, order: api.Order, settings: Settings) -> None:
    money = Money.of(order, settings)
    if order.state in ("draft", "sent"):
        stated.payment("unpaid")
    elif order.state == "cancel":
        stated.payment("undecided").hold("cancelled", "state=cancel")
    elif order.state in CONFIRMED:
        payment = money.payment(settings)
        stated.payment(payment).lift("cancelled", f"state={order.state}")
        if payment == "undecided":
            stated.review("what was paid for the order cannot be told: its invoices are for other orders too, or in another currency")
        if payment == "paid" and (money.back == 0 or money.kept >= money.due > 0):
            stated.lift("refunded", f"paid={money.paid} back={money.back} due={money.due}")
    else:
        stated.payment("undecided").review("the order's state is none of Odoo's own")
    if money.back > 0 and money.kept < money.due:
        if money.others > 0 and money.kept > 0:
            stated.review("a credit note was made for invoices of several orders, so it cannot be told for which")
        else:
            stated.refunded_amount(str(money.back), order.currency, str(max(order.total, money.paid)))


@dataclass(frozen=True)
class Money:
    """What was paid for an order and went back, by its posted invoices."""

    total: Decimal
    others: Decimal
    """The totals of other orders that share an invoice with it."""
    paid: Decimal
    back: Decimal
    complete: bool
    """Could every invoice be counted?"""

    @classmethod
    def of(cls, order: api.Order, settings: Settings) -> "Money":
        counted = [invoice for invoice in order.invoices if invoice.same_currency]
        paid = _sum(one for one in counted if not one.credit and one.payment in settings.paid_states)
        # An invoice that a credit note undid was never paid, or not any more: no money went back for it.
        undone = _sum(one for one in counted if not one.credit and one.payment == "reversed")
        back = max(_sum(one for one in counted if one.credit) - undone, Decimal(0))
        return cls(order.total, order.others, paid, back, len(counted) == len(order.invoices))

    @property
    def due(self) -> Decimal:
        """What all the orders cost that the invoices are for: an invoice does not say how much of it is for which."""
        return self.total + self.others

    @property
    def kept(self) -> Decimal:
        return self.paid - self.back

    def payment(self, settings: Settings) -> Payment:
        if settings.paid_when == "confirmed" or self.total <= 0 or self.paid >= self.due:
            return "paid"
        return "unpaid" if self.complete and self.paid < self.total else "undecided"


def _sum(invoices: Iterable[api.Invoice]) -> Decimal:
    return sum((invoice.amount for invoice in invoices), Decimal(0))


def _state_line(stated: Line, line: api.Line) -> None:
    ids: list[tuple[str, str | int]] = [("product", line.product["id"])]
    template = api.relation(line.product["product_tmpl_id"])
    if template is not None:
        ids.append(("template", template))
    sku = api.text(line.product["default_code"])
    if sku is not None:
        ids.append(("sku", sku))
    stated.product(ids, api.text(line.product["name"]) or "")
    if line.quantity == line.quantity.to_integral_value() and 0 <= line.quantity <= MAX_QUANTITY:
        stated.quantity(int(line.quantity))
    else:
        stated.review("the quantity is no whole number of seats")
    if line.learner:
        _learner(stated, line.learner, "the order's line")


def _learner(stated: Order | Line, address: str, place: str) -> None:
    """The host asks a person about an unreadable learner, once it is paid; any other problem ends the run."""
    try:
        stated.learner_email(address)
    except Problem as problem:
        if problem.code != "email-malformed":
            raise
        log.warning(f"{place} names a learner who cannot be read")
