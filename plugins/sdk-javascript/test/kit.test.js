import assert from "node:assert/strict";
import { test } from "node:test";

import { Description, Problem, Verdict, decimal, defineAdapter, fromHundredths, id, instant, orders, signatures } from "../bursar.js";
import { authenticate, describe, handle, logged, sign } from "../testing/host.js";

/** An adapter whose `authenticate` does this one thing.
 * @param {(request: import("../bursar.js").Request) => unknown} check */
function gate(check) {
  return defineAdapter({
    describe: () => new Description("test", "1.0.0"),
    authenticate: (request) => Verdict.accept(String(check(request) ?? "ok")),
    handle: () => {},
  });
}

/** @param {(delivery: import("../bursar.js").Delivery) => void} run */
function handler(run) {
  return defineAdapter({ describe: () => new Description("test", "1.0.0"), authenticate: () => Verdict.ignore(""), handle: run });
}

const BODY = '{"type":"order.paid","timestamp":"2026-03-02T10:00:41Z","data":{"order_id":"A-7","email":"zoe@learner.example","items":[{"sku":"CS101-V","quantity":1}]}}';

test("a moment is read in every spelling that shops use", () => {
  const at = Date.UTC(2026, 2, 2, 10, 0, 41);
  for (const text of [
    "2026-03-02T10:00:41Z",
    "2026-03-02T10:00:41.000000Z",
    "2026-03-02 10:00:41",
    "2026-03-02T10:00:41",
    "2026-03-02T11:00:41+01:00",
    "2026-03-02T04:30:41-0530",
  ]) {
    assert.equal(instant(text), at, text);
  }
  assert.equal(instant("2026-03-02T10:00:41.1299Z"), at + 129);
});

test("what is no moment is null", () => {
  for (const text of ["", "2026-02-29T00:00:00Z", "2026-13-01 00:00:00", "2026-03-02", "2026-03-02T24:00:00Z", "1969-12-31T23:59:59Z", 5, null]) {
    assert.equal(instant(text), null, String(text));
  }
});

test("an amount keeps its digits or is none", () => {
  assert.equal(decimal("49.00"), "49.00");
  assert.equal(decimal(JSON.parse("49.10")), "49.1");
  assert.equal(decimal(JSON.parse("1234567890123.45")), "1234567890123.45");
  assert.equal(decimal(JSON.parse("12345678901234567.89")), null);
  for (const value of ["1e3", "1,50", "", "EUR 5", null, undefined, {}, NaN, Infinity, 1e21]) assert.equal(decimal(value), null, String(value));
});

test("hundredths become decimal text", () => {
  assert.deepEqual([4900, 5, 0, -150, 100].map(fromHundredths), ["49.00", "0.05", "0.00", "-1.50", "1.00"]);
  for (const value of [49.5, "4900", null, 2 ** 53]) assert.equal(fromHundredths(value), null);
});

test("an id is exact or none", () => {
  assert.equal(id(5500000000001), "5500000000001");
  assert.equal(id("A-7"), "A-7");
  for (const value of [0, -1, 1.5, 2 ** 53, "", " ", null, undefined, {}]) assert.equal(id(value), null, String(value));
});

test("a problem reaches the host as the contract's error", () => {
  const later = handler(() => {
    throw Problem.later("shop-busy", "the shop is busy", 30);
  });
  assert.deepEqual(handle(later, {}).problem, { remedy: "later", code: "shop-busy", message: "the shop is busy", retryAfter: 30 });
});

test("any other error is logged with its place and ends the run", () => {
  const broken = handler(() => {
    /** @type {any} */ (null).trouble();
  });
  assert.throws(() => handle(broken, {}), TypeError);
  const [[level, message]] = logged();
  assert.equal(level, "error");
  assert.match(message, /^TypeError: .*trouble/);
  assert.match(message, /kit\.test\.js/);
});

test("what is thrown and is no error does not become a problem", () => {
  const odd = handler(() => {
    throw { remedy: "none", code: "x", message: "y" };
  });
  assert.throws(() => handle(odd, {}), /no error/);
});

test("a problem of the host is thrown as a problem", () => {
  const caught = gate((request) => {
    try {
      request.header("x-none");
    } catch (problem) {
      return problem instanceof Problem && problem.code;
    }
  });
  assert.equal(authenticate(caught, {}).verdict.topic, "header-missing");
});

test("an optional header is null where missing and refused where repeated", () => {
  const asking = gate((request) => request.optionalHeader("x-one"));
  assert.equal(authenticate(gate((request) => request.optionalHeader("x-none") === null), {}).verdict.topic, "true");
  assert.equal(authenticate(asking, { headers: { "X-One": "1" } }).verdict.topic, "1");
  assert.equal(authenticate(asking, { headers: { "X-One": ["1", "1"] } }).problem.code, "header-repeated");
});

test("a body that is not JSON is refused without a word of it", () => {
  const reading = gate((request) => request.json());
  const { problem } = authenticate(reading, { body: "zoe@learner.example" });
  assert.equal(problem.code, "body-not-json");
  assert.doesNotMatch(problem.message, /zoe/);
});

test("a hex signature holds for its body only", () => {
  const signed = gate((request) => signatures.hmacHex(request, "x-signature", "webhook", { prefix: "sha256=" }));
  const told = { secrets: { webhook: ["new", "old"] } };
  const send = (/** @type {string} */ proof, body = BODY) => authenticate(signed, { headers: { "x-signature": proof }, body }, told);
  assert.equal(send(`sha256=${sign("old", BODY)}`).verdict.verdict, "accept");
  assert.equal(send(`sha256=${sign("old", BODY)}`, BODY + " ").problem.code, "signature-mismatch");
  assert.equal(send(sign("old", BODY)).problem.code, "signature-malformed");
  assert.equal(send(`sha256=${sign("old", BODY).toUpperCase()}`).problem.code, "signature-malformed");
  assert.equal(authenticate(signed, { body: BODY }, told).problem.code, "header-missing");
});

test("Standard Webhooks: the published vector holds, another secret's form does not", () => {
  const signed = gate((request) => signatures.standardWebhooks(request, "webhook"));
  const told = { secrets: { webhook: ["whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="] } };
  const send = (/** @type {string} */ signature, at = 1700000000000) =>
    authenticate(signed, { headers: { "webhook-id": "msg_test_0001", "webhook-timestamp": "1700000000", "webhook-signature": signature }, body: BODY, receivedAt: at }, told);
  const right = "v1,RKyjXYpRC5xisuntwbVPbtt0//KCdE8SIhsJuFvz17k=";
  assert.equal(send(right).verdict.topic, "msg_test_0001");
  assert.equal(send(`v1,AAAA v1a,x ${right}`).verdict.verdict, "accept");
  assert.equal(send("v1,W5HjUO9hdJjjR9uvYxHlwGZu9pTUB9xVasZF/AiE/e0=").problem.code, "signature-mismatch");
  assert.equal(send("v1a,x").problem.code, "signature-missing");
  assert.equal(send(right, 1700000301000).problem.code, "too-old");
  assert.equal(send(right, 1699999699000).problem.code, "too-new");
});

test("Stripe's header: every v1 is tried, and its time must be near", () => {
  const signed = gate((request) => signatures.stripe(request, "webhook"));
  const told = { secrets: { webhook: ["whsec_test"] } };
  const right = sign("whsec_test", `1700000000.${BODY}`);
  const send = (/** @type {string} */ header, at = 1700000000000) => authenticate(signed, { headers: { "stripe-signature": header }, body: BODY, receivedAt: at }, told);
  assert.equal(send(`t=1700000000,v1=${"0".repeat(64)},v1=${right},v0=x`).verdict.verdict, "accept");
  assert.equal(send(`t=1700000001,v1=${right}`).problem.code, "signature-mismatch");
  assert.equal(send(`t=1700000000,t=1700000000,v1=${right}`).problem.code, "signature-malformed");
  assert.equal(send("t=1700000000").problem.code, "signature-missing");
  assert.equal(send(`t=1700000000,v1=${right}`, 1700000301000).problem.code, "too-old");
});

test("a missing secret is the operator's, whichever signature is tried", () => {
  const signed = gate((request) => signatures.stripe(request, "webhook"));
  assert.equal(authenticate(signed, { headers: { "stripe-signature": "t=1,v1=00" } }).problem.remedy, "operator");
});

test("statements arrive as they were made", () => {
  const stating = handler(() => {
    const order = orders.snapshot(7, [Date.UTC(2026, 0, 1), 2n]).number("S7").test().payment("paid").learnerEmail("zoe@learner.example");
    order.line("1").product([["variant", 20], ["sku", "SAIL"]], "Sailing").quantity(2).until(5);
    order.line("1").hold("refunded", "x");
  });
  assert.deepEqual(handle(stating, {}).orders, [
    {
      id: "7",
      statement: "snapshot",
      revision: [Date.UTC(2026, 0, 1), 2],
      number: "S7",
      test: true,
      payment: "paid",
      learnerEmail: "zoe@learner.example",
      lines: [{ id: "1", product: [["variant", "20"], ["sku", "SAIL"]], title: "Sailing", quantity: 2, until: 5, holds: [{ cause: "refunded", evidence: "x" }] }],
    },
  ]);
});

test("subjects to forget are text", () => {
  const forgetting = defineAdapter({
    describe: () => new Description("test", "1.0.0"),
    authenticate: () => Verdict.ignore(""),
    handle: (delivery) => {
      delivery.forget(7);
      delivery.forget("customer 7");
    },
  });
  assert.deepEqual(handle(forgetting, {}).forgets, ["7", "customer 7"]);
});

test("an adapter describes itself", () => {
  const described = defineAdapter({
    describe: () => new Description("test", "1.0.0").secret("webhook", "x").topic("sale", "y").settings({ type: "object" }).redactHeader("x-key").document("query", "paste it", "{ order }\n"),
    authenticate: () => Verdict.ignore(""),
    handle: () => {},
  });
  const said = describe(described);
  assert.deepEqual([said.platform, said.secrets, said.topics, said.settings, said.redacted], ["test", ["webhook"], ["sale"], { type: "object" }, ["x-key"]]);
  assert.deepEqual(said.documents, { query: "{ order }\n" });
});

test("an adapter says which permission it can do without", () => {
  const described = defineAdapter({
    describe: () => new Description("test", "1.0.0").optionalPermission("shop", "x"),
    authenticate: () => Verdict.ignore(""),
    handle: () => {},
  });
  assert.deepEqual(describe(described).optionalPermissions, ["shop"]);
});
