import assert from "node:assert/strict";
import { test } from "node:test";

import { authenticate, describe, handle, sign } from "../../sdk-javascript/testing/host.js";
import { adapter } from "../src/adapter.js";
import { SCHEMA } from "../src/settings.js";

const SETTINGS = Object.fromEntries(Object.entries(SCHEMA.properties).map(([name, { default: value }]) => [name, value]));
const TOLD = { secrets: { webhook: ["s"] }, settings: SETTINGS };

/** @param {object} attributes @param {object} [custom] */
function order(attributes, custom) {
  const item = { id: 7, variant_id: 20, product_id: 10 };
  const facts = { status: "paid", updated_at: "2026-03-02T10:00:42.000000Z", total: 4900, first_order_item: item, ...attributes };
  return { meta: { event_name: "order_created", custom_data: custom }, data: { type: "orders", id: "5", attributes: facts } };
}

/** @param {object} attributes */
function subscription(attributes) {
  const facts = { order_id: 5, order_item_id: 7, updated_at: "2026-03-02T10:00:44.000000Z", ...attributes };
  return { meta: { event_name: "subscription_updated" }, data: { type: "subscriptions", id: "61", attributes: facts } };
}

/** @param {object} body @param {object} [told] */
function one(body, told = {}) {
  const { orders } = handle(adapter, { body }, { ...TOLD, ...told });
  assert.equal(orders?.length, 1);
  return orders?.[0];
}

test("settings have the defaults that the schema says", () => {
  assert.deepEqual(describe(adapter).settings, JSON.parse(JSON.stringify(SCHEMA)));
  assert.deepEqual(SETTINGS, { learner_email_custom_data: ["learner_email"], course_custom_data: [], mode_custom_data: [] });
});

test("only what is signed decides which event it is", () => {
  const body = JSON.stringify(order({ refunded: true }));
  const headers = { "x-signature": sign("s", body), "x-event-name": "order_refunded" };
  assert.equal(authenticate(adapter, { body, headers }, TOLD).verdict.topic, "order_created");
  assert.deepEqual(one(order({ refunded: true })).holds, [{ cause: "refunded", evidence: "refunded=true" }]);
});

test("two events of one object in one second are two keys", () => {
  const keys = ["order_created", "order_refunded"].map((event) => {
    const sent = order({});
    sent.meta.event_name = event;
    const body = JSON.stringify(sent);
    return authenticate(adapter, { body, headers: { "x-signature": sign("s", body) } }, TOLD).verdict.key;
  });
  assert.equal(new Set(keys).size, 2);
});

test("of two states of one second the one that ends things has the greater revision", () => {
  const [paid, refunded] = [one(order({})), one(order({ status: "refunded" }))];
  assert.equal(paid.revision[0], refunded.revision[0]);
  assert.ok(paid.revision[1] < refunded.revision[1]);
});

test("a subscription says nothing of payment and learner, whatever its status", () => {
  for (const status of ["on_trial", "active", "paused", "past_due", "unpaid", "cancelled", "expired"]) {
    const stated = one(subscription({ status, user_email: "zoe@learner.example", renews_at: "2026-04-02T10:00:41.000000Z", ends_at: "2026-04-02T10:00:41.000000Z" }));
    assert.equal(stated.statement, "patch");
    assert.deepEqual([stated.payment, stated.learnerEmail, stated.holds], [undefined, undefined, undefined], status);
    assert.equal(typeof stated.lines[0].until, "number", status);
  }
});

test("an overdue payment does not move the end to the next try to collect", () => {
  const body = subscription({ status: "past_due", renews_at: "2026-04-05T10:00:41.000000Z" });
  const known = { 5: [{ id: "7", until: Date.UTC(2026, 3, 2) }] };
  assert.equal(one(body, { known }).lines[0].until, undefined);
  assert.equal(one(body).lines[0].until, Date.UTC(2026, 2, 2, 10, 0, 44));
});

test("cents become exact text, and what is none is never guessed", () => {
  assert.deepEqual(one(order({ refunded_amount: 5, currency: "EUR" })).refundedAmount, { amount: "0.05", currency: "EUR", total: "49.00" });
  for (const amount of ["5", 5.5, true]) {
    const stated = one(order({ refunded_amount: amount }));
    assert.equal(stated.refundedAmount, undefined);
    assert.equal(stated.reviews.length, 1);
  }
});

test("a key of the custom data is the object's own, not its prototype's", () => {
  const stated = one(order({ user_email: "zoe@learner.example" }, {}), { settings: { ...SETTINGS, learner_email_custom_data: ["constructor", "__proto__"] } });
  assert.equal(stated.learnerEmail, "zoe@learner.example");
});

test("words for people hold nothing but a short word of what the shop sent", () => {
  const stated = one(order({ status: `<b>odd ${"x".repeat(500)}` }));
  assert.match(stated.reviews[0], /knows: [A-Za-z0-9_-]{1,64}$/);
});
