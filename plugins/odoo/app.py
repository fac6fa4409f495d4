"""Bursar's adapter for Odoo 19 and newer.

An Odoo webhook proves nothing but that its sender knows the token in its address, and says little but which record it is
about. So the token is checked, the record's number is taken, and everything else is read from Odoo by the JSON-2 API: what
is stated is what Odoo says when it is asked. The facts that it rests on are numbered in `docs/shops/odoo.md`.

# Money and holds

*Paid* means, by the setting `paid_when`: `invoice-paid`, the posted customer invoices of the order that are paid reach its
total and that of every order that they are for as well; or `confirmed`, the order is one. An order whose total is zero is
paid when it is confirmed.

| the order's state | payment | holds | lifts |
|---|---|---|---|
| draft, sent | unpaid | | |
| sale, done | paid or unpaid, as above; undecided, and review, if the invoices do not say it | | cancelled; refunded, if it is paid and no less than its total was kept |
| cancel | undecided | cancelled | |
| any other | undecided; review | | |
| gone | | deleted | |

Credit notes that stand, less the invoices that they only undid, are money back. It is stated as an amount, because Odoo
does not name the lines of the order in a way that every credit note keeps.

# Revision

`[the order's write_date, the newest write_date of its invoices]`, in milliseconds. Both have whole seconds; of two readings
of one second the later counts, which is right because a reading is always of the present.
"""

from bursar import Delivery, Description, Problem, Request, Rules, Verdict, export, id_text, settings, signatures

from bursar_odoo import api, statement
from bursar_odoo.settings import SCHEMA, Settings

TOKEN = "token"
"""The name of the shop's one secret."""

ORDER = "sale.order"
INVOICE = "account.move"


class Odoo(Rules):
    def describe(self) -> Description:
        return (
            Description("odoo", "0.1.0")
            .topic(ORDER, "a sale order was made or changed")
            .topic(INVOICE, "an invoice or credit note changed, was paid above all")
            .secret(TOKEN, "what stands behind the last slash of the webhook's address; letters, digits, `-` and `_` only")
            .redact_address()
            .settings(SCHEMA)
        )

    def authenticate(self, request: Request) -> Verdict:
        token = request.path().removeprefix("/")
        if not token:
            raise Problem.rejected("signature-missing", "the webhook's address ends without the token")
        signatures.shared_key(TOKEN, token)
        model, record = read(request)
        if model == ORDER:
            return Verdict.accept(ORDER).about(record)
        if model == INVOICE:
            return Verdict.accept(INVOICE).about(f"invoice {record}")
        return Verdict.ignore("neither a sale order nor an invoice")

    def handle(self, delivery: Delivery) -> None:
        model, record = read(delivery.request())
        given = Settings.read(settings.read())
        if model == ORDER:
            orders = api.orders([["id", "=", int(record)]], given)
            if not orders:
                return statement.state_gone(record, delivery)
        else:
            orders = api.orders([["invoice_ids", "in", [int(record)]]], given)
            if not orders:
                return delivery.ignored("the invoice belongs to no sale order")
        for order in orders:
            statement.state(order, given)


def read(request: Request) -> tuple[str, str]:
    """The model and the number of the record that the webhook is about. The rest of the body may be old, and is not read."""
    body = request.json()
    model, record = (body.get("_model"), body.get("_id")) if isinstance(body, dict) else (None, None)
    number = id_text(record)
    if not isinstance(model, str) or number is None or not (number.isascii() and number.isdigit()):
        raise Problem.rejected("body-unexpected", "the body names no model and record, as Odoo's webhooks do")
    return model, number


Adapter = export(Odoo)
