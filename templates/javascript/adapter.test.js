/** Rules without a component: `npm test`. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { adapter } from "./adapter.js";
import { authenticate, handle, sign } from "./vendor/bursar-adapter/testing/host.js";

const SECRETS = { webhook: ["a secret for tests"] };

function webhook(event, refunded = 0) {
  const lines = [{ id: 1, sku: "SAIL-101", title: "Sailing", quantity: 1, refunded }];
  return JSON.stringify({ event, order: { id: 1042, changed_at: 5, learner: "zoe@learner.example", lines } });
}

function signed(body, secret = SECRETS.webhook[0]) {
  return { body, headers: { "x-shop-signature": sign(secret, body) } };
}

test("a request that the shop has signed is accepted", () => {
  const { verdict } = authenticate(adapter, signed(webhook("order.paid")), { secrets: SECRETS });
  assert.equal(verdict.topic, "order.paid");
  assert.equal(verdict.subject, "1042");
});

test("a forged request is refused", () => {
  const { problem } = authenticate(adapter, signed(webhook("order.paid"), "a guess"), { secrets: SECRETS });
  assert.equal(problem.code, "signature-mismatch");
});

test("another event is ignored", () => {
  const { verdict } = authenticate(adapter, signed(webhook("customer.created")), { secrets: SECRETS });
  assert.equal(verdict.reason, "event customer.created");
});

test("a paid order is stated with its lines", () => {
  const [order] = handle(adapter, { body: webhook("order.paid") }).orders;
  assert.equal(order.payment, "paid");
  assert.deepEqual(order.lines[0].product, [["sku", "SAIL-101"]]);
});

test("a refund is stated by line", () => {
  const [order] = handle(adapter, { body: webhook("order.refunded", 1) }).orders;
  assert.equal(order.lines[0].refundedQuantity, 1);
});

test("a webhook without an order is rejected", () => {
  assert.equal(handle(adapter, { body: '{"event": "order.paid"}' }).problem.code, "body-unexpected");
});
