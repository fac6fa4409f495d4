"""The kit's own parts, against the fake host."""

import unittest
from decimal import Decimal

import bursar_testing as host
from bursar_testing import Refused, Sent, World

import bursar
from bursar import Delivery, Description, Problem, Request, Rules, Verdict, export, instant, orders, signatures

BODY = (
    '{"type":"order.paid","timestamp":"2026-03-02T10:00:41Z","data":{"order_id":"A-7",'
    '"email":"zoe@learner.example","items":[{"sku":"CS101-V","quantity":1}]}}'
)


def gate(check):
    """An adapter whose `authenticate` does this one thing."""

    class Gate(Rules):
        def describe(self) -> Description:
            return Description("test", "1.0.0").secret("webhook", "x").settings({"type": "object"}).redact_header("x-key").document("query", "paste it", "{ order }\n")

        def authenticate(self, request: Request) -> Verdict:
            return Verdict.accept(str(check(request)))

        def handle(self, delivery: Delivery) -> None:
            check(delivery)

    return export(Gate)


class Pure(unittest.TestCase):
    def test_a_moment_is_read_in_every_spelling_that_shops_use(self):
        at = 1_772_445_641_000
        for text in [
            "2026-03-02T10:00:41Z",
            "2026-03-02T10:00:41.000000Z",
            "2026-03-02 10:00:41",
            "2026-03-02T11:00:41+01:00",
            "2026-03-02T04:30:41-0530",
        ]:
            self.assertEqual(instant(text), at, text)
        self.assertEqual(instant("2026-03-02T10:00:41.1299Z"), at + 129)

    def test_what_is_no_moment_is_none(self):
        for text in ["", "2026-02-29T00:00:00Z", "2026-13-01 00:00:00", "2026-03-02", "1969-12-31T23:59:59Z", "2026-03-02 24:00:00", 5, None, False]:
            self.assertIsNone(instant(text), text)

    def test_an_amount_keeps_its_digits_or_is_none(self):
        read = bursar.read_json('[49.10, 12345678901234567.89, 49, "49.00", 1e3]')
        self.assertEqual([bursar.decimal(one) for one in read], ["49.10", "12345678901234567.89", "49", "49.00", "1000"])
        for value in ["1e3", "1,50", "", None, True, 1.5, Decimal("NaN")]:
            self.assertIsNone(bursar.decimal(value), value)

    def test_hundredths_become_decimal_text(self):
        self.assertEqual([bursar.from_hundredths(one) for one in [4900, 5, 0, -150]], ["49.00", "0.05", "0.00", "-1.50"])
        for value in [Decimal("49.5"), "4900", None, True]:
            self.assertIsNone(bursar.from_hundredths(value), value)

    def test_an_id_is_a_whole_number_or_text(self):
        self.assertEqual([bursar.id_text(one) for one in [55, "A-7"]], ["55", "A-7"])
        for value in [0, -1, Decimal("1.5"), "", " ", None, False, True, {}]:
            self.assertIsNone(bursar.id_text(value), value)


class Calls(unittest.TestCase):
    def refused(self, code, adapter, sent, world=None):
        with self.assertRaises(Refused) as refused:
            host.authenticate(adapter, sent, world)
        self.assertEqual(refused.exception.code, code)
        return refused.exception

    def test_a_problem_reaches_the_host_as_the_contracts_error(self):
        def busy(_):
            raise Problem.later("shop-busy", "the shop is busy", 30)

        refused = self.refused("shop-busy", gate(busy), Sent())
        self.assertEqual((refused.remedy, refused.message, refused.retry_after), ("later", "the shop is busy", 30))

    def test_any_other_exception_is_logged_with_its_place_and_ends_the_run(self):
        with self.assertRaises(ZeroDivisionError):
            host.authenticate(gate(lambda _: 1 // 0), Sent())
        [(level, message)] = host.logged
        self.assertEqual(level, "error")
        self.assertRegex(message, r"^ZeroDivisionError: .*\n.*test_kit\.py:\d+ in <lambda>")

    def test_an_optional_header_is_none_where_missing_and_refused_where_repeated(self):
        asking = gate(lambda request: request.optional_header("x-one"))
        self.assertEqual(host.authenticate(asking, Sent())["topic"], "None")
        self.assertEqual(host.authenticate(asking, Sent(headers={"X-One": "1"}))["topic"], "1")
        self.refused("header-repeated", asking, Sent(headers={"X-One": ["1", "1"]}))

    def test_a_body_that_is_not_json_is_refused_without_a_word_of_it(self):
        for body in ["zoe@learner.example", "", '{"a":NaN}']:
            refused = self.refused("body-not-json", gate(lambda request: request.json()), Sent(body=body))
            self.assertNotIn("zoe", refused.message)

    def test_a_hex_signature_holds_for_its_body_only(self):
        signed = gate(lambda request: signatures.hmac_hex(request, "x-signature", "webhook", prefix="sha256="))
        world = World(secrets={"webhook": ["new", "old"]})
        proof = "sha256=" + host.sign("old", BODY)
        self.assertEqual(host.authenticate(signed, Sent(BODY, {"x-signature": proof}), world)["verdict"], "accept")
        self.refused("signature-mismatch", signed, Sent(BODY + " ", {"x-signature": proof}), world)
        self.refused("signature-malformed", signed, Sent(BODY, {"x-signature": proof[7:]}), world)
        self.refused("signature-malformed", signed, Sent(BODY, {"x-signature": "sha256=" + proof[7:].upper()}), world)
        self.refused("header-missing", signed, Sent(BODY), world)
        self.assertEqual(self.refused("secret-missing", signed, Sent(BODY, {"x-signature": proof})).remedy, "operator")

    def test_standard_webhooks_the_published_vector_holds(self):
        signed = gate(lambda request: signatures.standard_webhooks(request, "webhook"))
        world = World(secrets={"webhook": ["whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="]})
        right = "v1,RKyjXYpRC5xisuntwbVPbtt0//KCdE8SIhsJuFvz17k="

        def sent(signature, at=1_700_000_000_000):
            headers = {"webhook-id": "msg_test_0001", "webhook-timestamp": "1700000000", "webhook-signature": signature}
            return Sent(BODY, headers, received_at=at)

        self.assertEqual(host.authenticate(signed, sent(f"v1,AAAA v1a,x {right}"), world)["topic"], "msg_test_0001")
        self.refused("signature-mismatch", signed, sent("v1,W5HjUO9hdJjjR9uvYxHlwGZu9pTUB9xVasZF/AiE/e0="), world)
        self.refused("signature-missing", signed, sent("v1a,x"), world)
        self.refused("too-old", signed, sent(right, 1_700_000_301_000), world)
        self.refused("too-new", signed, sent(right, 1_699_999_699_000), world)

    def test_stripes_header_every_v1_is_tried_and_its_time_must_be_near(self):
        signed = gate(lambda request: signatures.stripe(request, "webhook"))
        world = World(secrets={"webhook": ["whsec_test"]})
        right = host.sign("whsec_test", f"1700000000.{BODY}")

        def sent(header, at=1_700_000_000_000):
            return Sent(BODY, {"stripe-signature": header}, received_at=at)

        self.assertEqual(host.authenticate(signed, sent(f"t=1700000000,v1={'0' * 64}, v1={right}"), world)["verdict"], "accept")
        self.refused("signature-mismatch", signed, sent(f"t=1700000001,v1={right}"), world)
        self.refused("signature-malformed", signed, sent(f"t=1700000000,t=1700000000,v1={right}"), world)
        self.refused("signature-missing", signed, sent("t=1700000000"), world)
        self.refused("too-old", signed, sent(f"t=1700000000,v1={right}", 1_700_000_301_000), world)

    def test_statements_arrive_as_they_were_made(self):
        def state(_):
            order = orders.snapshot(7, [5, 2]).number("S7").test().payment("paid").learner_email("zoe@learner.example")
            order.line("1").product([("variant", 20)], "Sailing").quantity(2).until(5)
            order.line("1").hold("refunded", "x")

        line = {"id": "1", "product": [("variant", "20")], "title": "Sailing", "quantity": 2, "until": 5, "holds": [("refunded", "x")]}
        order = {"id": "7", "statement": "snapshot", "revision": [5, 2], "number": "S7", "test": True, "payment": "paid"}
        self.assertEqual(host.handle(gate(state), Sent()).orders, [order | {"learner_email": "zoe@learner.example", "lines": [line]}])

    def test_subjects_to_forget_are_text(self):
        def forget(delivery: Delivery) -> None:
            delivery.forget(7)
            delivery.forget("customer 7")

        self.assertEqual(host.handle(gate(forget), Sent()).forgets, ["7", "customer 7"])

    def test_an_adapter_describes_itself(self):
        said = host.describe(gate(print))
        self.assertEqual((said["platform"], said["secrets"], said["settings"], said["redacted"]), ("test", ["webhook"], {"type": "object"}, ["x-key"]))
        self.assertEqual(said["documents"], {"query": "{ order }\n"})

    def test_an_adapter_says_which_permission_it_can_do_without(self):
        class Choosy(Rules):
            def describe(self) -> Description:
                return Description("test", "1.0.0").optional_permission("shop", "x")

            def authenticate(self, request: Request) -> Verdict:
                return Verdict.accept("")

            def handle(self, delivery: Delivery) -> None:
                pass

        self.assertEqual(host.describe(export(Choosy))["optional_permissions"], ["shop"])


if __name__ == "__main__":
    unittest.main()
