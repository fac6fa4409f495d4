"""Reading sale orders and what belongs to them by Odoo's JSON-2 API: six calls, however many orders there are.

Owns how Odoo spells things: `false` for empty, relations as a number or with a name beside it, moments in UTC without a
zone. Everything is read afresh; each call is a transaction of its own, so that two of them may see different moments.
"""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import bursar_shop
from bursar import Instant, Problem, decimal, instant

from .settings import Settings

MAX_ORDERS = 50
"""An invoice may be about so many orders; Odoo is asked for no more, and more are asked about by a person."""

Row = dict[str, Any]
Rows = dict[int, Row]


@dataclass(frozen=True)
class Line:
    id: int
    product: Row
    quantity: Decimal
    learner: str | None


@dataclass(frozen=True)
class Invoice:
    credit: bool
    payment: str
    amount: Decimal
    same_currency: bool


@dataclass(frozen=True)
class Order:
    id: int
    name: str | None
    state: str
    created: str | None
    placed: Instant | None
    revision: tuple[Instant, Instant]
    total: Decimal
    currency: str
    """As in ISO 4217; empty where Odoo shows its number only."""
    email: str | None
    lines: list[Line]
    invoices: list[Invoice]
    """Posted ones: what is a draft or was cancelled says nothing."""
    others: Decimal
    """The totals of other orders that these invoices are for as well."""


ORDER = ["name", "state", "create_date", "write_date", "date_order", "partner_id", "order_line", "invoice_ids"]
ORDER += ["amount_total", "currency_id"]
LINE = ["product_id", "product_uom_qty", "display_type", "is_downpayment"]
PRODUCT = ["name", "default_code", "product_tmpl_id"]
PARTNER = ["email", "email_normalized"]
SHARING = ["invoice_ids", "amount_total"]
INVOICE = ["state", "move_type", "payment_state", "amount_total", "currency_id", "write_date"]


def orders(domain: list[Any], settings: Settings) -> list[Order]:
    """The orders of a domain as they are now."""
    rows = _search("sale.order", domain, ORDER, settings, limit=MAX_ORDERS)
    if len(rows) == MAX_ORDERS:
        raise Problem.rejected("too-many-orders", f"the invoice is about {MAX_ORDERS} orders or more")
    lines = _by_id("sale.order.line", _many(rows, "order_line"), LINE + settings.learner_email_fields, settings)
    sold = [line for line in lines.values() if _is_sold(line)]
    products = _by_id("product.product", _one(sold, "product_id"), PRODUCT, settings)
    partners = _by_id("res.partner", _one(rows, "partner_id"), PARTNER, settings)
    invoices = _by_id("account.move", _many(rows, "invoice_ids"), INVOICE, settings)
    posted = [one for one in invoices.values() if _is_posted(one)]
    billed = [["invoice_ids", "in", sorted(one["id"] for one in posted)]]
    sharing = _search("sale.order", billed, SHARING, settings) if posted else []
    return [_order(row, lines, products, partners, invoices, sharing, settings) for row in rows]


def _order(
    row: Row, lines: Rows, products: Rows, partners: Rows, invoices: Rows, sharing: list[Row], settings: Settings
) -> Order:
    own = [invoices[id] for id in row["invoice_ids"]]
    posted = [one for one in own if _is_posted(one)]
    shared = {one["id"] for one in posted}
    others = [one for one in sharing if one["id"] != row["id"] and shared.intersection(one["invoice_ids"])]
    sold = [lines[id] for id in row["order_line"] if _is_sold(lines[id])]
    partner = partners.get(relation(row["partner_id"]) or 0, {})
    return Order(
        id=row["id"],
        name=text(row["name"]),
        state=text(row["state"]) or "",
        created=text(row["create_date"]),
        placed=instant(row["date_order"]),
        revision=(_moment(row), max(map(_moment, own), default=0)),
        total=amount(row["amount_total"]),
        currency=name(row["currency_id"]),
        email=text(partner.get("email_normalized")) or text(partner.get("email")),
        lines=[_line(line, products, settings) for line in sold],
        invoices=[
            Invoice(
                credit=one["move_type"] == "out_refund",
                payment=text(one["payment_state"]) or "",
                amount=amount(one["amount_total"]),
                same_currency=relation(one["currency_id"]) == relation(row["currency_id"]),
            )
            for one in posted
        ],
        others=sum((amount(one["amount_total"]) for one in others), Decimal(0)),
    )


def _is_posted(invoice: Row) -> bool:
    return invoice["state"] == "posted" and invoice["move_type"] in ("out_invoice", "out_refund")


def _is_sold(line: Row) -> bool:
    """Headings, notes and down payments are lines too."""
    return not line["display_type"] and not line["is_downpayment"] and relation(line["product_id"]) is not None


def _line(row: Row, products: Rows, settings: Settings) -> Line:
    learner = next((found for field in settings.learner_email_fields if (found := text(row.get(field)))), None)
    return Line(row["id"], products[relation(row["product_id"]) or 0], amount(row["product_uom_qty"]), learner)


def _by_id(model: str, ids: list[int], fields: list[str], settings: Settings) -> Rows:
    """All of these records, the archived ones too."""
    if not ids:
        return {}
    found = {row["id"]: row for row in _search(model, [["id", "in", ids]], fields, settings)}
    if missing := len(set(ids) - set(found)):
        # A record that a rule hides looks like one that is gone, and an order that is read in part would be stated wrongly.
        message = f"Odoo does not show {missing} records of {model} that an order names: may the API's user read them?"
        raise Problem.operator("shop-hides", message)
    return found


def _search(model: str, domain: list[Any], fields: list[str], settings: Settings, limit: int | None = None) -> list[Row]:
    query: Row = {"domain": domain, "fields": fields, "context": {"active_test": False}}
    if limit is not None:
        query["limit"] = limit
    database = {"x-odoo-database": settings.database} if settings.database else {}
    answer = bursar_shop.call("POST", f"/json/2/{model}/search_read", query, database)
    status = answer.status()
    if status == 200:
        rows = answer.json()
        if isinstance(rows, list) and all(isinstance(row, dict) and isinstance(row.get("id"), int) for row in rows):
            return rows
        raise Problem.later("shop-unexpected", f"Odoo answered a question for {model} with something else than records")
    if status in (401, 403):
        message = f"Odoo refuses to show {model} ({status}): is the API key valid, and may its user read that?"
    elif status == 404:
        message = f"Odoo does not know {model} here (404): it takes Odoo 19, its apps, and the right address and database"
    else:
        message = f"Odoo cannot answer a question for {model} ({status}); its log says why"
    raise Problem.operator("shop-refused", message)


def _many(rows: list[Row], field: str) -> list[int]:
    return sorted({id for row in rows for id in row[field]})


def _one(rows: list[Row], field: str) -> list[int]:
    return sorted({id for row in rows if (id := relation(row[field])) is not None})


def _moment(row: Row) -> Instant:
    at = instant(row["write_date"])
    if at is None:
        raise Problem.rejected("record-undated", "a record of Odoo does not say when it was changed")
    return at


def relation(value: Any) -> int | None:
    """The number of a related record: `12`, `[12, "name"]` or `{"id": 12, …}`; `false` is none."""
    if isinstance(value, list) and value:
        value = value[0]
    elif isinstance(value, dict):
        value = value.get("id")
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else None


def name(value: Any) -> str:
    """What a related record is called, where that is said beside its number."""
    if isinstance(value, list) and len(value) > 1:
        return text(value[1]) or ""
    return text(value.get("display_name") or value.get("name")) or "" if isinstance(value, dict) else ""


def text(value: Any) -> str | None:
    """Text that is filled in; `false` is none."""
    return value if isinstance(value, str) and value.strip() else None


def amount(value: Any) -> Decimal:
    """An exact amount or quantity."""
    exact = decimal(value)
    if exact is None:
        raise Problem.rejected("amount-unreadable", "an amount of Odoo is no number")
    return Decimal(exact)
