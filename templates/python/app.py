"""The adapter for {{platform}}: for now, for a shop that is made up.

Its webhooks are JSON, signed by the hex HMAC-SHA256 of the body in the header `X-Shop-Signature`. Each carries the whole
order, and the moment at which it last changed.
"""

from typing import Any

from bursar import Delivery, Description, Problem, Request, Rules, Verdict, export, orders, signatures

VERSION = "0.1.0"
"""As in pyproject.toml: `bursar adapter check` compares the two."""

SECRET = "webhook"
"""The operator gives the shop's secret under this name. The adapter never sees the secret itself."""

PAID = "order.paid"
REFUNDED = "order.refunded"


def order_of(webhook: Any) -> dict[str, Any]:
    order = webhook.get("order") if isinstance(webhook, dict) else None
    if not isinstance(order, dict) or not isinstance(order.get("lines"), list):
        raise Problem.rejected("body-unexpected", "the webhook carries no order")
    return order


class Shop(Rules):
    def describe(self) -> Description:
        return (
            Description("{{platform}}", VERSION)
            .topic(PAID, "an order was paid")
            .topic(REFUNDED, "lines of an order were refunded")
            .secret(SECRET, "the secret of the shop's webhooks")
        )

    def authenticate(self, request: Request) -> Verdict:
        """Is it the shop's? The proof comes first: what is read before it may be anybody's."""
        signatures.hmac_hex(request, "x-shop-signature", SECRET)
        webhook = request.json()
        event = webhook.get("event") if isinstance(webhook, dict) else None
        if event not in (PAID, REFUNDED):
            return Verdict.ignore(f"event {event}")
        return Verdict.accept(event).about(order_of(webhook)["id"])

    def handle(self, delivery: Delivery) -> None:
        """What does it say? Facts only: who may have which course follows from them in the host."""
        sold = order_of(delivery.request().json())
        # The moment decides which of two statements is newer, in whatever order they arrive.
        order = orders.snapshot(sold["id"], [sold["changed_at"]])
        order.payment("paid").learner_email(sold["learner"])
        for line in sold["lines"]:
            stated = order.line(line["id"]).product([("sku", line["sku"])], line["title"])
            stated.quantity(line["quantity"]).refunded_quantity(line["refunded"])


Adapter = export(Shop)
