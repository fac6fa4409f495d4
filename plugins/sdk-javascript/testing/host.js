/**
 * A fake host, for unit tests of an adapter in node. It keeps what an adapter says, and it checks proofs with real keys.
 *
 * It is smaller than the host: addresses and course keys are not judged, limits are not kept, permissions and phases not
 * asked for. What decides is `bursar adapter test` with the adapter's fixtures, which runs the component in the host itself.
 */

import { createHmac, timingSafeEqual } from "node:crypto";

/**
 * What an adapter said, and what it is told.
 *
 * @typedef {object} World
 * @property {string} shop
 * @property {Record<string, string[]>} secrets
 * @property {object} settings
 * @property {Record<string, any[]>} known lines by order: `id`, `active`, `quantity`, `refundedQuantity`, `revision`, `product`, `courses`, `until`
 * @property {Record<string, [string, string][]>} catalog course runs by `kind:id`
 * @property {{ status: number, body: unknown }[]} answers what the shop's API answers, in order
 */

/** @type {World} */
let world = blank();
/** @type {{ orders: any[], log: [string, string][], calls: any[] }} */
let said = { orders: [], log: [], calls: [] };
/** @type {Request | undefined} */
let judged;

/** @returns {World} */
function blank() {
  return { shop: "test", secrets: {}, settings: {}, known: {}, catalog: {}, answers: [] };
}

/**
 * A request as a test gives it: texts, with header names in lower case.
 *
 * @typedef {object} Sent
 * @property {string} [method]
 * @property {string} [path]
 * @property {string} [query]
 * @property {Record<string, string | string[]>} [headers]
 * @property {string | object} [body] text as it is, anything else as JSON
 * @property {number} [receivedAt]
 */

/**
 * Asks the adapter whether a request is the shop's.
 *
 * @param {any} adapter what `defineAdapter` returned
 * @param {Sent} sent
 * @param {Partial<World>} [told]
 * @returns {{ verdict?: any, problem?: any, log: [string, string][] }}
 */
export function authenticate(adapter, sent, told = {}) {
  begin(told);
  judged = new Request(sent);
  return run(() => ({ verdict: adapter.authenticate(judged).said }));
}

/**
 * Has the adapter handle a request that was accepted.
 *
 * @param {any} adapter what `defineAdapter` returned
 * @param {Sent & { topic?: string, origin?: string, attempt?: number }} sent
 * @param {Partial<World>} [told]
 * @returns {{ orders?: any[], ignored?: string[], reviews?: string[], forgets?: string[], calls: any[], problem?: any, log: [string, string][] }}
 */
export function handle(adapter, sent, told = {}) {
  begin(told);
  const delivery = new Delivery(sent);
  return run(() => {
    adapter.handle(delivery);
    return { orders: said.orders, ignored: delivery.reasons, reviews: delivery.reviews, forgets: delivery.forgets };
  });
}

/**
 * What the adapter says that it is.
 *
 * @param {any} adapter what `defineAdapter` returned
 */
export function describe(adapter) {
  begin({});
  return adapter.describe().said;
}

/** What the latest run logged: for a run that did not end well, of which there is nothing else. */
export function logged() {
  return said.log;
}

/**
 * The header that signs a body.
 *
 * @param {string} secret
 * @param {string} text
 * @param {"hex" | "base64"} [as]
 */
export function sign(secret, text, as = "hex") {
  return createHmac("sha256", secret).update(text).digest(as);
}

/** @param {Partial<World>} told */
function begin(told) {
  world = { ...blank(), ...told };
  said = { orders: [], log: [], calls: [] };
}

/**
 * @template T
 * @param {() => T} call
 */
function run(call) {
  try {
    return { ...call(), calls: said.calls, log: said.log };
  } catch (thrown) {
    const problem = /** @type {any} */ (thrown)?.payload;
    if (problem === undefined) throw thrown;
    return { problem, calls: said.calls, log: said.log };
  }
}

/**
 * @param {string} remedy
 * @param {string} code
 * @param {string} message
 */
function fail(remedy, code, message) {
  return Object.assign(new Error(message), { payload: { remedy, code, message, retryAfter: undefined } });
}

/** Every interface has one module here, so every name is the host's. */
export class Request {
  /** @param {Sent} sent */
  constructor(sent) {
    this.sent = sent;
  }
  method() {
    return this.sent.method ?? "POST";
  }
  path() {
    return this.sent.path ?? "";
  }
  query() {
    return this.sent.query ?? "";
  }
  headers() {
    const all = Object.entries(this.sent.headers ?? {}).flatMap(([name, value]) => [value].flat().map((one) => [name.toLowerCase(), one]));
    return all.map(([name, value]) => [name, new TextEncoder().encode(value)]);
  }
  /** @param {string} name */
  header(name) {
    const all = Object.entries(this.sent.headers ?? {});
    const values = all.filter(([one]) => one.toLowerCase() === name.toLowerCase()).flatMap(([, value]) => value);
    if (values.length === 0) throw fail("none", "header-missing", `the request has no header ${name}`);
    if (values.length > 1) throw fail("none", "header-repeated", `the request has the header ${name} more than once`);
    return values[0];
  }
  body() {
    const { body = "" } = this.sent;
    return new TextEncoder().encode(typeof body === "string" ? body : JSON.stringify(body));
  }
  receivedAt() {
    return BigInt(this.sent.receivedAt ?? Date.UTC(2026, 2, 2, 10, 0, 45));
  }
}

export class Delivery {
  /** @type {string[]} */
  reasons = [];
  /** @type {string[]} */
  reviews = [];
  /** @type {string[]} */
  forgets = [];
  /** @param {Sent & { topic?: string, origin?: string, attempt?: number }} sent */
  constructor(sent) {
    this.sent = sent;
  }
  request() {
    return new Request(this.sent);
  }
  id() {
    return "dlv_test";
  }
  topic() {
    return this.sent.topic ?? "";
  }
  origin() {
    return this.sent.origin ?? "webhook";
  }
  attempt() {
    return this.sent.attempt ?? 1;
  }
  /** @param {string} reason */
  ignored(reason) {
    this.reasons.push(reason);
  }
  /** @param {string} reason */
  review(reason) {
    this.reviews.push(reason);
  }
  /** @param {string} subject */
  forget(subject) {
    this.forgets.push(subject);
  }
}

export class Verdict {
  /** @param {object} said */
  constructor(said) {
    /** @type {any} */
    this.said = said;
  }
  /** @param {string} topic */
  static accept(topic) {
    return new Verdict({ verdict: "accept", topic });
  }
  /** @param {string} reason */
  static ignore(reason) {
    return new Verdict({ verdict: "ignore", reason });
  }
  /**
   * @param {number} status
   * @param {string} contentType
   * @param {Uint8Array} body
   */
  static respond(status, contentType, body) {
    return new Verdict({ verdict: "respond", status, contentType, body: new TextDecoder().decode(body) });
  }
  /** @param {string} subject */
  about(subject) {
    this.said.subject = subject;
  }
  /** @param {string} id */
  key(id) {
    this.said.key = id;
  }
  /** @param {bigint} at */
  occurredAt(at) {
    this.said.occurredAt = Number(at);
  }
  /**
   * @param {number} status
   * @param {string} contentType
   * @param {Uint8Array} body
   */
  answer(status, contentType, body) {
    this.said.answer = { status, contentType, body: new TextDecoder().decode(body) };
  }
}

export class Description {
  /**
   * @param {string} platform
   * @param {string} version
   */
  constructor(platform, version) {
    /** @type {any} */
    this.said = { platform, version, topics: [], secrets: [], optionalSecrets: [], optionalPermissions: [], keySets: [], redacted: [], settings: {}, documents: {} };
  }
  /** @param {string} name */
  topic(name) {
    this.said.topics.push(name);
  }
  /** @param {string} name */
  secret(name) {
    this.said.secrets.push(name);
  }
  /** @param {string} name */
  optionalSecret(name) {
    this.said.optionalSecrets.push(name);
  }
  /** @param {string} name */
  optionalPermission(name) {
    this.said.optionalPermissions.push(name);
  }
  /** @param {string} name */
  keySet(name) {
    this.said.keySets.push(name);
  }
  /** @param {string} schema */
  settings(schema) {
    this.said.settings = JSON.parse(schema);
  }
  /** @param {string} name */
  redactHeader(name) {
    this.said.redacted.push(name);
  }
  /** @param {string} pointer */
  redactBody(pointer) {
    this.said.redacted.push(pointer);
  }
  redactAddress() {
    this.said.redacted.push("address");
  }
  /**
   * @param {string} name
   * @param {string} _purpose
   * @param {string} text
   */
  document(name, _purpose, text) {
    this.said.documents[name] = text;
  }
}

/** What order and line have in common. A blank learner counts as not given, as it does for the host. */
class Stated {
  /** @param {any} said */
  constructor(said) {
    this.said = said;
  }
  /**
   * @param {string} cause
   * @param {string} evidence
   */
  hold(cause, evidence) {
    (this.said.holds ??= []).push({ cause, evidence });
  }
  /**
   * @param {string} cause
   * @param {string} evidence
   */
  lift(cause, evidence) {
    (this.said.lifts ??= []).push({ cause, evidence });
  }
  /** @param {string} reason */
  review(reason) {
    (this.said.reviews ??= []).push(reason);
  }
  /** @param {string} address */
  learnerEmail(address) {
    if (address.trim() === "") return;
    if (!/^[^\s@]+@[^\s@]+$/.test(address)) throw fail("none", "email-malformed", "not an e-mail address");
    this.said.learnerEmail = address;
  }
}

export class Line extends Stated {
  /**
   * @param {[string, string][]} product
   * @param {string} title
   */
  product(product, title) {
    Object.assign(this.said, { product, title });
  }
  /**
   * @param {string} run
   * @param {string} [mode]
   */
  course(run, mode) {
    if (!/^course-v1:[^+\s]+\+[^+\s]+\+[^+\s]+$/.test(run)) throw fail("none", "course-malformed", "not the key of a course run");
    (this.said.courses ??= []).push(mode === undefined ? [run] : [run, mode]);
  }
  /** @param {string} id */
  parent(id) {
    this.said.parent = id;
  }
  /** @param {string} name */
  learnerUsername(name) {
    this.said.learnerUsername = name;
  }
  /**
   * @param {string} provider
   * @param {string} id
   */
  learnerExternal(provider, id) {
    this.said.learnerExternal = [provider, id];
  }
  /** @param {number} count */
  quantity(count) {
    this.said.quantity = count;
  }
  /** @param {number} count */
  refundedQuantity(count) {
    this.said.refundedQuantity = count;
  }
  /** @param {bigint} at */
  until(at) {
    this.said.until = Number(at);
  }
}

export class Order extends Stated {
  /**
   * @param {string} id
   * @param {BigUint64Array} revision
   */
  static snapshot(id, revision) {
    return Order.#begin("snapshot", id, revision);
  }
  /**
   * @param {string} id
   * @param {BigUint64Array} revision
   */
  static patch(id, revision) {
    return Order.#begin("patch", id, revision);
  }
  /**
   * @param {string} statement
   * @param {string} id
   * @param {BigUint64Array} revision
   */
  static #begin(statement, id, revision) {
    const order = new Order({ id, statement, revision: Array.from(revision, Number) });
    said.orders.push(order.said);
    return order;
  }
  /** @param {string} number */
  number(number) {
    this.said.number = number;
  }
  /** @param {string} fingerprint */
  fingerprint(fingerprint) {
    this.said.fingerprint = fingerprint;
  }
  /** @param {string} origin */
  origin(origin) {
    this.said.origin = origin;
  }
  /** @param {bigint} at */
  placedAt(at) {
    this.said.placedAt = Number(at);
  }
  test() {
    this.said.test = true;
  }
  /** @param {string} payment */
  payment(payment) {
    this.said.payment = payment;
  }
  /**
   * @param {string} amount
   * @param {string} currency
   * @param {string} total
   */
  refundedAmount(amount, currency, total) {
    this.said.refundedAmount = { amount, currency, total };
  }
  /** @param {string} id */
  line(id) {
    const lines = (this.said.lines ??= []);
    let line = lines.find((/** @type {any} */ one) => one.id === id);
    if (line === undefined) lines.push((line = { id }));
    return new Line(line);
  }
}

/** @param {string} order */
export function known(order) {
  return (world.known[order] ?? []).map((line) => ({
    id: () => line.id,
    active: () => line.active ?? false,
    quantity: () => line.quantity ?? 1,
    refundedQuantity: () => line.refundedQuantity ?? 0,
    revision: () => BigUint64Array.from(line.revision ?? [], (/** @type {number} */ one) => BigInt(one)),
    product: () => line.product ?? [],
    courses: () => line.courses ?? [],
    until: () => (line.until === undefined ? undefined : BigInt(line.until)),
  }));
}

/** @param {[string, string][]} product */
export function courses(product) {
  for (const [kind, id] of product) {
    const found = world.catalog[`${kind}:${id}`];
    if (found !== undefined) return found;
  }
  return [];
}

export function shopName() {
  return world.shop;
}

export function json() {
  return JSON.stringify(world.settings);
}

/**
 * @param {string} level
 * @param {string} message
 */
export function log(level, message) {
  said.log.push([level, message]);
}

/**
 * @param {string} secret
 * @param {"text" | "base64" | "hex"} form
 * @param {string} hash
 * @param {any[]} signed
 * @param {any} proof
 */
export function hmac(secret, form, hash, signed, proof) {
  const presented = proof.tag === "bytes" ? Buffer.from(proof.val) : decoded(proof.val, proof.tag);
  const holds = ofName(secret).some((text) => {
    const key = form === "text" ? Buffer.from(text) : Buffer.from(form === "base64" ? text.replace(/^whsec_/, "") : text, form);
    const mac = createHmac(hash, key);
    for (const part of signed) mac.update(part.tag === "body" ? (judged?.body() ?? "") : part.val);
    return same(mac.digest(), presented);
  });
  if (!holds) throw fail("none", "signature-mismatch", "no active secret gives this signature");
}

/**
 * @param {string} secret
 * @param {Uint8Array} presented
 */
export function sharedKey(secret, presented) {
  if (!ofName(secret).some((text) => same(Buffer.from(text), Buffer.from(presented)))) {
    throw fail("none", "signature-mismatch", "no active secret is this key");
  }
}

/**
 * @param {bigint} at
 * @param {number} toleranceSeconds
 */
export function fresh(at, toleranceSeconds) {
  const age = Number((judged?.receivedAt() ?? 0n) - at) / 1000;
  if (age > toleranceSeconds) throw fail("none", "too-old", "signed too long before it came");
  if (-age > toleranceSeconds) throw fail("none", "too-new", "signed too long after it came");
}

export function ed25519() {
  throw new Error("the fake host checks no Ed25519 signature: use a fixture");
}

export function detachedJws() {
  throw new Error("the fake host checks no JWS: use a fixture");
}

export class Call {
  /**
   * @param {string} method
   * @param {string} path
   */
  constructor(method, path) {
    /** @type {any} */
    this.said = { method, path };
  }
  /**
   * @param {string} name
   * @param {string} value
   */
  header(name, value) {
    (this.said.headers ??= {})[name] = value;
  }
  /**
   * @param {string} _contentType
   * @param {Uint8Array} bytes
   */
  body(_contentType, bytes) {
    this.said.body = JSON.parse(new TextDecoder().decode(bytes));
  }
  send() {
    said.calls.push(this.said);
    const answer = world.answers.shift();
    if (answer === undefined) throw fail("later", "shop-unavailable", "the test has no answer for this call");
    const body = typeof answer.body === "string" ? answer.body : JSON.stringify(answer.body);
    return { status: () => answer.status, header: () => undefined, body: () => new TextEncoder().encode(body) };
  }
}

/** @param {string} secret */
function ofName(secret) {
  const texts = world.secrets[secret];
  if (texts === undefined) throw fail("operator", "secret-missing", `the shop has no secret ${secret}`);
  return texts;
}

/**
 * @param {string} text
 * @param {"hex" | "base64"} as
 */
function decoded(text, as) {
  const bytes = Buffer.from(text, as);
  if (bytes.length === 0 || bytes.toString(as) !== text) throw fail("none", "signature-malformed", `the signature is not ${as}`);
  return bytes;
}

/**
 * @param {Buffer} one
 * @param {Buffer} other
 */
function same(one, other) {
  return one.length === other.length && timingSafeEqual(one, other);
}
