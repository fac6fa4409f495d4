"""Rules without a component: `python3 -m unittest`."""

import json
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "vendor/bursar-adapter"))

# Before the adapter: it stands in for the bindings, which only a component has.
from bursar_testing import Refused, Sent, World, authenticate, handle, sign  # noqa: E402

from app import Adapter  # noqa: E402

SECRET = "a secret for tests"


def webhook(event: str, refunded: int = 0) -> str:
    lines = [{"id": 1, "sku": "SAIL-101", "title": "Sailing", "quantity": 1, "refunded": refunded}]
    order = {"id": 1042, "changed_at": 5, "learner": "zoe@learner.example", "lines": lines}
    return json.dumps({"event": event, "order": order})


def judged(body: str, secret: str = SECRET) -> dict:
    sent = Sent(body=body, headers={"x-shop-signature": sign(secret, body)})
    return authenticate(Adapter, sent, World(secrets={"webhook": [SECRET]}))


class Rules(unittest.TestCase):
    def test_a_request_that_the_shop_has_signed_is_accepted(self) -> None:
        verdict = judged(webhook("order.paid"))
        self.assertEqual((verdict["topic"], verdict["subject"]), ("order.paid", "1042"))

    def test_a_forged_request_is_refused(self) -> None:
        with self.assertRaises(Refused) as refused:
            judged(webhook("order.paid"), secret="a guess")
        self.assertEqual(refused.exception.code, "signature-mismatch")

    def test_another_event_is_ignored(self) -> None:
        self.assertEqual(judged(webhook("customer.created"))["reason"], "event customer.created")

    def test_a_paid_order_is_stated_with_its_lines(self) -> None:
        [order] = handle(Adapter, Sent(body=webhook("order.paid"))).orders
        self.assertEqual(order["payment"], "paid")
        self.assertEqual(order["lines"][0]["product"], [("sku", "SAIL-101")])

    def test_a_refund_is_stated_by_line(self) -> None:
        [order] = handle(Adapter, Sent(body=webhook("order.refunded", refunded=1))).orders
        self.assertEqual(order["lines"][0]["refunded_quantity"], 1)

    def test_a_webhook_without_an_order_is_rejected(self) -> None:
        with self.assertRaises(Refused) as refused:
            handle(Adapter, Sent(body='{"event": "order.paid"}'))
        self.assertEqual(refused.exception.code, "body-unexpected")
