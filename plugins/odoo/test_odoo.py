"""The adapter's rules, against the kit's fake host: `PYTHONPATH=../sdk-python python -m unittest`."""

import unittest

import bursar_testing as host
from bursar_testing import Refused, Sent, World

from app import Adapter
from bursar_odoo import api
from bursar_odoo.settings import SCHEMA

SETTINGS = {name: setting["default"] for name, setting in SCHEMA["properties"].items()}
BODY = {"_action": "Send Webhook Notification(#7)", "_id": 55, "_model": "sale.order"}
EUR = [1, "EUR"]


def order(**changed):
    row = {"id": 55, "name": "S00055", "state": "sale", "create_date": "2026-03-02 09:58:00"}
    row |= {"write_date": "2026-03-02 10:00:41", "date_order": "2026-03-02 10:00:40", "partner_id": [12, "Zoé"]}
    return row | {"order_line": [91], "invoice_ids": [], "amount_total": 49.0, "currency_id": EUR} | changed


def invoice(id, type="out_invoice", **changed):
    row = {"id": id, "state": "posted", "move_type": type, "payment_state": "paid", "amount_total": 49.0}
    return row | {"currency_id": EUR, "write_date": "2026-03-02 10:05:00"} | changed


LINE = {"id": 91, "product_id": [20, "[SAIL] Sailing"], "product_uom_qty": 1.0, "display_type": False, "is_downpayment": False}
PRODUCT = {"id": 20, "name": "Sailing", "default_code": "SAIL", "product_tmpl_id": [10, "Sailing"]}
PARTNER = {"id": 12, "email": "Zoé <zoe@learner.example>", "email_normalized": "zoe@learner.example"}


def answers(row, *invoices, lines=(LINE,), sharing=()):
    rows = [[row], list(lines), [PRODUCT], [PARTNER]] + ([list(invoices)] if row["invoice_ids"] else [])
    if any(one["state"] == "posted" and one["move_type"] != "in_invoice" for one in invoices):
        rows.append([row, *sharing])
    return [(200, rows) for rows in rows]


def stated(row, *invoices, lines=(LINE,), sharing=(), **settings):
    world = World(settings=SETTINGS | settings, answers=answers(row, *invoices, lines=lines, sharing=sharing))
    [order] = host.handle(Adapter, Sent(BODY, topic="sale.order"), world).orders
    return order


class Gate(unittest.TestCase):
    WORLD = World(secrets={"token": ["t0ken"]})

    def test_the_token_is_all_of_the_rest_of_the_path(self):
        said = host.authenticate(Adapter, Sent(BODY, path="/t0ken"), self.WORLD)
        self.assertEqual(said, {"verdict": "accept", "topic": "sale.order", "subject": "55"})
        for path in ["/T0ken", "/t0ken/", "//t0ken", "/x/t0ken", "/t0ke"]:
            with self.assertRaisesRegex(Refused, "signature-mismatch"):
                host.authenticate(Adapter, Sent(BODY, path=path), self.WORLD)
        for path in ["", "/"]:
            with self.assertRaisesRegex(Refused, "signature-missing"):
                host.authenticate(Adapter, Sent(BODY, path=path, query="t0ken"), self.WORLD)

    def test_the_body_is_read_only_once_the_token_is_right(self):
        with self.assertRaisesRegex(Refused, "signature-mismatch"):
            host.authenticate(Adapter, Sent("no json", path="/x"), self.WORLD)
        with self.assertRaisesRegex(Refused, "body-not-json"):
            host.authenticate(Adapter, Sent("no json", path="/t0ken"), self.WORLD)

    def test_a_record_is_a_whole_number(self):
        for id in [0, -1, True, None, 5.5, "x", "5 or 1=1", "٣", [5]]:
            with self.assertRaisesRegex(Refused, "body-unexpected"):
                host.authenticate(Adapter, Sent(BODY | {"_id": id}, path="/t0ken"), self.WORLD)


class Money(unittest.TestCase):
    def payment(self, *invoices, total=49.0, state="sale", **settings):
        ids = [one["id"] for one in invoices]
        return stated(order(invoice_ids=ids, amount_total=total, state=state), *invoices, **settings)

    def test_a_confirmed_order_is_not_paid_by_that(self):
        self.assertEqual(self.payment()["payment"], "unpaid")
        self.assertEqual(self.payment(paid_when="confirmed")["payment"], "paid")

    def test_no_state_but_a_confirmed_one_is_ever_paid(self):
        for state in ["draft", "sent"]:
            self.assertEqual(self.payment(invoice(5), state=state, paid_when="confirmed")["payment"], "unpaid", state)
        for state in ["cancel", "odd"]:
            self.assertEqual(self.payment(invoice(5), state=state, paid_when="confirmed")["payment"], "undecided", state)

    def test_invoices_count_when_they_are_posted_and_paid(self):
        for paid in ["paid", "in_payment"]:
            self.assertEqual(self.payment(invoice(5, payment_state=paid))["payment"], "paid", paid)
        for unpaid in ["not_paid", "partial", "reversed", "blocked", "invoicing_legacy", False]:
            self.assertEqual(self.payment(invoice(5, payment_state=unpaid))["payment"], "unpaid", unpaid)
        for state in ["draft", "cancel"]:
            self.assertEqual(self.payment(invoice(5, state=state))["payment"], "unpaid", state)
        self.assertEqual(self.payment(invoice(5, "in_invoice"))["payment"], "unpaid")

    def test_the_operator_may_wait_for_the_bank(self):
        self.assertEqual(self.payment(invoice(5, payment_state="in_payment"), paid_states=["paid"])["payment"], "unpaid")

    def test_a_down_payment_does_not_pay_the_order_and_the_rest_does(self):
        self.assertEqual(self.payment(invoice(5, amount_total=14.7))["payment"], "unpaid")
        self.assertEqual(self.payment(invoice(5, amount_total=14.7), invoice(6, amount_total=34.3))["payment"], "paid")

    def test_cents_that_no_float_can_hold_add_up(self):
        parts = [invoice(id, amount_total=0.1) for id in range(5, 15)]
        self.assertEqual(self.payment(*parts, total=1.0)["payment"], "paid")

    def test_a_free_order_is_paid_when_it_is_confirmed(self):
        self.assertEqual(self.payment(total=0.0)["payment"], "paid")

    def test_a_credit_note_is_money_back(self):
        credit = invoice(6, "out_refund", amount_total=20.0)
        said = self.payment(invoice(5), credit)
        self.assertEqual((said["payment"], said["refunded_amount"]), ("paid", ("20.0", "EUR", "49.0")))
        said = self.payment(invoice(5), invoice(6, "out_refund"))
        self.assertEqual(said["refunded_amount"], ("49.0", "EUR", "49.0"))
        self.assertNotIn("refunded", [cause for cause, _ in said["lifts"]])

    def test_a_draft_credit_note_is_not(self):
        self.assertNotIn("refunded_amount", self.payment(invoice(5), invoice(6, "out_refund", state="draft")))

    def test_a_credit_note_that_only_undid_an_invoice_is_not(self):
        undone, credit = invoice(5, payment_state="reversed"), invoice(6, "out_refund")
        self.assertEqual(self.payment(undone, credit)["payment"], "unpaid")
        self.assertNotIn("refunded_amount", self.payment(undone, credit))
        again = self.payment(undone, credit, invoice(7))
        self.assertEqual(again["payment"], "paid")
        self.assertNotIn("refunded_amount", again)
        self.assertIn("refunded", [cause for cause, _ in again["lifts"]])

    def test_what_is_paid_again_after_a_refund_is_no_longer_refunded(self):
        said = self.payment(invoice(5), invoice(6, "out_refund"), invoice(7))
        self.assertNotIn("refunded_amount", said)
        self.assertIn("refunded", [cause for cause, _ in said["lifts"]])

    def test_an_order_emptied_after_its_refund_stays_refunded(self):
        said = self.payment(invoice(5), invoice(6, "out_refund"), total=0.0)
        self.assertNotIn("refunded", [cause for cause, _ in said["lifts"]])

    def test_an_invoice_for_several_orders_counts_when_it_pays_them_all(self):
        sharing = ({"id": 56, "amount_total": 98.0, "invoice_ids": [5]},)
        self.assertEqual(self.payment(invoice(5, amount_total=147.0), sharing=sharing)["payment"], "paid")
        said = self.payment(invoice(5, amount_total=98.0), sharing=sharing)
        self.assertEqual((said["payment"], len(said["reviews"])), ("undecided", 1))
        self.assertEqual(self.payment(invoice(5, payment_state="not_paid"), sharing=sharing)["payment"], "unpaid")

    def test_a_credit_note_for_invoices_of_several_orders_asks_a_person_unless_all_went_back(self):
        sharing = ({"id": 56, "amount_total": 49.0, "invoice_ids": [5]},)
        one = invoice(5, amount_total=98.0)
        said = self.payment(one, invoice(6, "out_refund"), sharing=sharing)
        self.assertEqual((said.get("refunded_amount"), len(said["reviews"])), (None, 1))
        said = self.payment(one, invoice(6, "out_refund", amount_total=98.0), sharing=sharing)
        self.assertEqual(said["refunded_amount"], ("98.0", "EUR", "98.0"))

    def test_invoices_in_another_currency_are_not_added_up(self):
        said = self.payment(invoice(5, currency_id=[2, "USD"]))
        self.assertEqual((said["payment"], len(said["reviews"])), ("undecided", 1))


class Lines(unittest.TestCase):
    def test_headings_notes_and_down_payments_are_not_sold(self):
        lines = (
            LINE,
            LINE | {"id": 92, "display_type": "line_section", "product_id": False},
            LINE | {"id": 93, "is_downpayment": True},
        )
        said = stated(order(order_line=[91, 92, 93]), lines=lines)
        self.assertEqual([line["id"] for line in said["lines"]], ["91"])
        self.assertEqual(said["lines"][0]["product"], [("product", "20"), ("template", "10"), ("sku", "SAIL")])

    def test_half_a_seat_asks_a_person(self):
        [line] = stated(order(), lines=(LINE | {"product_uom_qty": 1.5},))["lines"]
        self.assertEqual((line.get("quantity"), len(line["reviews"])), (None, 1))

    def test_a_line_set_to_nothing_is_no_seat(self):
        [line] = stated(order(), lines=(LINE | {"product_uom_qty": 0.0},))["lines"]
        self.assertEqual(line["quantity"], 0)

    def test_a_field_of_the_line_names_the_learner(self):
        fields = ["x_learner", "x_other"]
        [line] = stated(order(), lines=(LINE | {"x_learner": False, "x_other": "gift@learner.example"},), learner_email_fields=fields)["lines"]
        self.assertEqual(line["learner_email"], "gift@learner.example")


class Reading(unittest.TestCase):
    def handle(self, *answers, body=BODY, known=None):
        world = World(settings=SETTINGS, answers=list(answers), known=known or {})
        return host.handle(Adapter, Sent(body), world)

    def test_relations_are_read_in_every_shape(self):
        self.assertEqual([api.relation(one) for one in [12, [12, "x"], {"id": 12}]], [12, 12, 12])
        self.assertEqual([api.relation(one) for one in [False, None, [], {}, 0, True, "12"]], [None] * 7)

    def test_archived_records_are_asked_for_too(self):
        said = self.handle(*answers(order()))
        self.assertEqual([call["body"]["context"] for call in said.calls], [{"active_test": False}] * 4)

    def test_an_order_of_which_a_part_is_hidden_is_not_stated(self):
        with self.assertRaisesRegex(Refused, "shop-hides") as refused:
            self.handle((200, [order()]), (200, []))
        self.assertEqual(refused.exception.remedy, "operator")

    def test_a_refusal_waits_for_a_person_and_quotes_nothing(self):
        for status in [401, 403, 404, 422]:
            with self.assertRaises(Refused) as refused:
                self.handle((status, {"name": "odoo.exceptions.AccessError", "message": "zoe@learner.example"}))
            self.assertEqual((refused.exception.remedy, refused.exception.code), ("operator", "shop-refused"))
            self.assertNotIn("zoe", refused.exception.message)

    def test_what_is_no_json_is_tried_again(self):
        with self.assertRaises(Refused) as refused:
            self.handle((200, "<html>maintenance</html>"))
        self.assertEqual(refused.exception.remedy, "later")

    def test_an_order_that_is_gone_is_held_at_its_newest_revision(self):
        known = {"55": [{"id": "91", "revision": [5, 6]}, {"id": "92", "revision": [5, 9]}]}
        [said] = self.handle((200, []), known=known).orders
        self.assertEqual((said["statement"], said["revision"], said["holds"][0][0]), ("patch", [5, 9], "deleted"))
        self.assertEqual(self.handle((200, [])).orders, [])

    def test_an_invoice_is_about_every_order_that_it_names(self):
        other = order(id=56, name="S00056", order_line=[94])
        rows = ([order(), other], [LINE, LINE | {"id": 94}], [PRODUCT], [PARTNER])
        said = self.handle(*[(200, one) for one in rows], body=BODY | {"_model": "account.move", "_id": 7})
        self.assertEqual([one["id"] for one in said.orders], ["55", "56"])
        self.assertEqual(said.calls[0]["body"]["domain"], [["invoice_ids", "in", [7]]])
        self.assertEqual(len(said.calls), 4)


if __name__ == "__main__":
    unittest.main()
