/// <reference path="./types/bursar.d.ts" />
// @ts-check
/**
 * The kit for writing Bursar adapters in JavaScript.
 *
 * An adapter is an object with three functions, exported under the name `adapter`:
 *
 *     import { Description, Verdict, defineAdapter, orders, signatures } from "./bursar.js";
 *
 *     export const adapter = defineAdapter({
 *       describe: () => new Description("example", "1.0.0").secret("webhook", "the secret of the webhook form"),
 *
 *       authenticate(request) {
 *         signatures.hmacHex(request, "x-example-signature", "webhook");
 *         return Verdict.accept("sale").about(request.json().number);
 *       },
 *
 *       handle(delivery) {
 *         const sale = delivery.request().json();
 *         const order = orders.snapshot(sale.number, [sale.changed]);
 *         order.payment("paid").learnerEmail(sale.learner);
 *         order.line("1").product([["sku", sale.course]], "A course");
 *       },
 *     });
 *
 * Problems are thrown. Anything else that is thrown is a mistake in the adapter: it is logged with its message and place,
 * and ends the instance, as a panic does in Rust. The host then keeps the delivery until there is a better adapter.
 *
 * The kit must never hold a rule of its own about orders: what is said here is said by the adapter. It depends on
 * nothing, and imports what world `minimal` has; the shop's API is in `shop.js`, because to import it asks for a permission.
 *
 * @module
 */

import { courses } from "bursar:adapter/catalog@0.1.0";
import { Description as HostDescription, Verdict as HostVerdict } from "bursar:adapter/incoming@0.1.0";
import { log as hostLog } from "bursar:adapter/logging@0.1.0";
import { Order as HostOrder, known } from "bursar:adapter/orders@0.1.0";
import { json as hostSettings, shopName } from "bursar:adapter/settings@0.1.0";
import {
  detachedJws as hostDetachedJws,
  ed25519 as hostEd25519,
  fresh as hostFresh,
  hmac as hostHmac,
  sharedKey as hostSharedKey,
} from "bursar:adapter/signatures@0.1.0";

/** @typedef {import("bursar:adapter/incoming@0.1.0").Request} HostRequest */
/** @typedef {import("bursar:adapter/incoming@0.1.0").Delivery} HostDelivery */
/** @typedef {import("bursar:adapter/orders@0.1.0").Line} HostLine */
/** @typedef {import("bursar:adapter/orders@0.1.0").KnownLine} HostKnownLine */
/** @typedef {import("bursar:adapter/orders@0.1.0").Cause} Cause `"refunded"`, `"cancelled"`, `"deleted"` or `"disputed"`. */
/** @typedef {import("bursar:adapter/orders@0.1.0").Payment} Payment `"paid"`, `"unpaid"` or `"undecided"`. */
/** @typedef {import("bursar:adapter/signatures@0.1.0").Hash} Hash */
/** @typedef {import("bursar:adapter/signatures@0.1.0").KeyForm} KeyForm */
/** @typedef {import("bursar:adapter/types@0.1.0").Remedy} Remedy */
/** @typedef {import("bursar:adapter/types@0.1.0").Problem} HostProblem */
/** @typedef {number} Instant Milliseconds since 1970-01-01T00:00:00Z. */
/** @typedef {string | number | bigint} Id An id as the platform writes it; a number must be a safe integer. */
/** @typedef {readonly (number | bigint)[]} Revision One to eight whole numbers, compared from the left. */

/**
 * What an adapter does. Each call runs in an instance of its own: nothing is remembered from one to the next.
 *
 * @typedef {object} Rules
 * @property {() => Description} describe Say what this adapter is. Called once, when the file is loaded.
 * @property {(request: Request) => Verdict} authenticate Is this request the shop's? Called while the shop waits.
 * @property {(delivery: Delivery) => void} handle What does it say? Called after the shop got its 200.
 */

/** Why something could not be done, and who can still do something about it. Thrown. */
export class Problem extends Error {
  /**
   * @param {Remedy} remedy who or what can still turn it into a success
   * @param {string} code a stable lower-case word for programs
   * @param {string} message one sentence for people: lower-case, without a secret or personal data
   * @param {number} [retryAfter] how long waiting makes sense, in seconds
   */
  constructor(remedy, code, message, retryAfter) {
    super(message);
    this.name = "Problem";
    this.remedy = remedy;
    this.code = code;
    this.retryAfter = retryAfter;
    /** The bindings of componentize-js take for the contract's error what a thrown value has under this very name. */
    this.payload = /** @type {HostProblem} */ ({ remedy, code, message, retryAfter });
  }

  /** Nothing can be done: the request is refused, or the delivery rejected for a person to see.
   * @param {string} code
   * @param {string} message */
  static rejected(code, message) {
    return new Problem("none", code, message);
  }

  /** Time will help: it is tried again.
   * @param {string} code
   * @param {string} message
   * @param {number} [retryAfter] seconds */
  static later(code, message, retryAfter) {
    return new Problem("later", code, message, retryAfter);
  }

  /** A person must act first: a secret, a permission or a setting is missing or wrong.
   * @param {string} code
   * @param {string} message */
  static operator(code, message) {
    return new Problem("operator", code, message);
  }
}

/**
 * Calls the host, and throws its problems as this kit's.
 *
 * @template T
 * @param {() => T} call
 * @returns {T}
 */
export function asked(call) {
  try {
    return call();
  } catch (thrown) {
    const problem = /** @type {{ payload?: HostProblem }} */ (thrown)?.payload;
    if (thrown instanceof Problem || problem?.remedy === undefined) throw thrown;
    throw new Problem(problem.remedy, problem.code, problem.message, problem.retryAfter);
  }
}

/**
 * Makes of three functions what the component exports.
 *
 * @param {Rules} rules
 * @returns {{ describe(): HostDescription, authenticate(request: HostRequest): HostVerdict, handle(delivery: HostDelivery): void }}
 */
export function defineAdapter(rules) {
  return {
    describe: () => reported(() => rules.describe().host),
    authenticate: (request) => reported(() => rules.authenticate(new Request(request)).host),
    handle: (delivery) => reported(() => rules.handle(new Delivery(delivery))),
  };
}

/**
 * Without this an unexpected error is a bare trap, and its message is lost.
 *
 * @template T
 * @param {() => T} run
 * @returns {T}
 */
function reported(run) {
  try {
    return run();
  } catch (thrown) {
    if (thrown instanceof Problem) throw thrown;
    const error = thrown instanceof Error ? thrown : new Error(`something that is no error was thrown: ${typeof thrown}`);
    hostLog("error", `${error.name}: ${error.message}\n${error.stack ?? ""}`);
    // Not `thrown`: what is no error would reach the host as a problem that is none.
    throw error;
  }
}

/** One HTTP request from a shop. What is not asked for is not copied into the instance. */
export class Request {
  /** @type {Uint8Array | undefined} */
  #body;
  #host;

  /** @param {HostRequest} host */
  constructor(host) {
    this.#host = host;
  }

  /** Upper-case. */
  method() {
    return this.#host.method();
  }

  /** What follows `/webhooks/{shop}`, undecoded: empty, or beginning with `/`. */
  path() {
    return this.#host.path();
  }

  /** What follows `?`, undecoded. */
  query() {
    return this.#host.query();
  }

  /**
   * The value of the one header of this name. Problems: `header-missing`, `header-repeated`, `header-not-text`.
   *
   * @param {string} name in any case
   * @returns {string}
   */
  header(name) {
    return asked(() => this.#host.header(name));
  }

  /**
   * The same, and null where there is none. One that is repeated is a problem all the same.
   *
   * @param {string} name in any case
   * @returns {string | null}
   */
  optionalHeader(name) {
    try {
      return this.header(name);
    } catch (problem) {
      if (problem instanceof Problem && problem.code === "header-missing") return null;
      throw problem;
    }
  }

  /** Every header in the order of arrival, names in lower case. */
  headers() {
    return this.#host.headers();
  }

  /** Does the request say that its body is of this media type? Parameters such as a charset do not matter.
   * @param {string} mediaType */
  isMediaType(mediaType) {
    const said = this.optionalHeader("content-type") ?? "";
    return said.split(";", 1)[0].trim().toLowerCase() === mediaType.toLowerCase();
  }

  /** The body, byte for byte. Copied in at the first call. */
  body() {
    this.#body ??= this.#host.body();
    return this.#body;
  }

  /** The body as text. Problem: `body-unexpected` where it is not UTF-8. */
  text() {
    try {
      return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(this.body());
    } catch {
      throw Problem.rejected("body-unexpected", "the body is not UTF-8");
    }
  }

  /**
   * The body read as JSON. Problem: `body-not-json`, which holds nothing of the body.
   *
   * Numbers become doubles: see `decimal` and `id` for how to read one without losing digits.
   *
   * @returns {any}
   */
  json() {
    const text = this.text();
    try {
      return JSON.parse(text);
    } catch {
      // The engine's own words may quote the body, and the body may be somebody's address.
      throw Problem.rejected("body-not-json", "the body is not JSON");
    }
  }

  /** When the host had read the request, by the host's clock.
   * @returns {Instant} */
  receivedAt() {
    return Number(this.#host.receivedAt());
  }
}

/** A stored request whose turn has come. */
export class Delivery {
  /** @type {Request | undefined} */
  #request;
  #host;

  /** @param {HostDelivery} host */
  constructor(host) {
    this.#host = host;
  }

  /** The request, with the redacted parts reading `***`. */
  request() {
    this.#request ??= new Request(this.#host.request());
    return this.#request;
  }

  /** `dlv_…`, unique for ever. */
  id() {
    return this.#host.id();
  }

  /** As given to `Verdict.accept`. */
  topic() {
    return this.#host.topic();
  }

  /** `"webhook"`: the shop sent it. `"backfill"`: Bursar asked the shop. `"operator"`: a person had it run again. */
  origin() {
    return this.#host.origin();
  }

  /** Which try this is, from 1. */
  attempt() {
    return this.#host.attempt();
  }

  /** There is nothing to do, and why.
   * @param {string} reason */
  ignored(reason) {
    this.#host.ignored(reason);
  }

  /** A person should look at this delivery. Facts that are stated hold all the same.
   * @param {string} reason */
  review(reason) {
    this.#host.review(reason);
  }

  /** The shop asks that somebody be forgotten: what is stored of its requests about this subject, as it was given to `Verdict.about`, is
   * blanked once they are finished. Orders stay, and the access that was paid for. At most 1,000 subjects a run.
   * @param {Id} subject */
  forget(subject) {
    this.#host.forget(idText(subject));
  }
}

/** What becomes of a request. */
export class Verdict {
  /** @param {HostVerdict} host */
  constructor(host) {
    this.host = host;
  }

  /** Genuine, and to be handled. The topic is shown to people; mostly it is not signed, so it must decide nothing.
   * @param {string} topic */
  static accept(topic) {
    return new Verdict(HostVerdict.accept(topic));
  }

  /** Genuine, but of no interest: answered 200 and counted under the reason, never stored.
   * @param {string} reason */
  static ignore(reason) {
    return new Verdict(HostVerdict.ignore(reason));
  }

  /** A handshake that wants a particular answer; nothing is stored. Status 200 to 299, text or JSON of at most 4 KiB.
   * @param {number} status
   * @param {"text/plain" | "application/json"} contentType
   * @param {string | Uint8Array} body */
  static respond(status, contentType, body) {
    return new Verdict(HostVerdict.respond(status, contentType, bytes(body)));
  }

  /** What the delivery is about, an order's id say: of those about one subject only one is handled at a time.
   * @param {Id} subject */
  about(subject) {
    this.host.about(idText(subject));
    return this;
  }

  /** An id of this event that is covered by the signature: a second one with the same body is dropped.
   * @param {Id} id */
  key(id) {
    this.host.key(idText(id));
    return this;
  }

  /** When the shop says that it happened. For people.
   * @param {Instant} at */
  occurredAt(at) {
    this.host.occurredAt(BigInt(at));
    return this;
  }

  /** What to answer, once the delivery is stored, in place of 200 with an empty body.
   * @param {number} status
   * @param {"text/plain" | "application/json"} contentType
   * @param {string | Uint8Array} body */
  answer(status, contentType, body) {
    this.host.answer(status, contentType, bytes(body));
    return this;
  }
}

/** What an adapter is, as the host reads it once. */
export class Description {
  /**
   * @param {string} platform names the adapter in the configuration
   * @param {string} version the adapter's own, as in Semantic Versioning
   */
  constructor(platform, version) {
    this.host = new HostDescription(platform, version);
  }

  /** A topic that the adapter understands, and what it means in a few words.
   * @param {string} name
   * @param {string} meaning */
  topic(name, meaning) {
    this.host.topic(name, meaning);
    return this;
  }

  /** A secret without which the shop cannot be served, and what it is for in the operator's words.
   * @param {string} name
   * @param {string} purpose */
  secret(name, purpose) {
    this.host.secret(name, purpose);
    return this;
  }

  /** A secret that some shops have.
   * @param {string} name
   * @param {string} purpose */
  optionalSecret(name, purpose) {
    this.host.optionalSecret(name, purpose);
    return this;
  }

  /** A permission (`shop`, `lms-read`, `lms-write`) that the adapter can do without, and what it gains by it. Where a shop does not
   * grant it, its calls are the problem `not-granted`.
   * @param {string} name
   * @param {string} purpose */
  optionalPermission(name, purpose) {
    this.host.optionalPermission(name, purpose);
    return this;
  }

  /** A set of public keys; where it is fetched from is the operator's configuration.
   * @param {string} name
   * @param {string} purpose */
  keySet(name, purpose) {
    this.host.keySet(name, purpose);
    return this;
  }

  /** The settings an operator may give, as a JSON Schema of type `object`.
   * @param {object} schema */
  settings(schema) {
    this.host.settings(JSON.stringify(schema));
    return this;
  }

  /** A header to blank before anything is stored or logged.
   * @param {string} name */
  redactHeader(name) {
    this.host.redactHeader(name);
    return this;
  }

  /** A part of a JSON body to blank likewise, as a JSON Pointer (RFC 6901).
   * @param {string} jsonPointer */
  redactBody(jsonPointer) {
    this.host.redactBody(jsonPointer);
    return this;
  }

  /** Path and query to blank likewise: for platforms that prove themselves by the address that they know. */
  redactAddress() {
    this.host.redactAddress();
    return this;
  }

  /** A text that the operator pastes into the shop, the query of a subscription say: `bursar adapter inspect FILE --document NAME`
   * prints it. At most 64 KiB, with line ends as `\n`.
   * @param {string} name
   * @param {string} purpose
   * @param {string} text */
  document(name, purpose, text) {
    this.host.document(name, purpose, text);
    return this;
  }
}

/** A statement about one order. */
export class Order {
  #host;

  /** @param {HostOrder} host */
  constructor(host) {
    this.#host = host;
  }

  /** What people call the order, where that is not its id.
   * @param {Id} text */
  number(text) {
    this.#host.number(idText(text));
    return this;
  }

  /** A mark of the order that never changes, such as its key.
   * @param {string} text */
  fingerprint(text) {
    this.#host.fingerprint(text);
    return this;
  }

  /** Where the order says that it was sold: the shop's address, out of what the platform signs.
   * @param {string} address */
  origin(address) {
    this.#host.origin(address);
    return this;
  }

  /** When it was placed.
   * @param {Instant} at */
  placedAt(at) {
    this.#host.placedAt(BigInt(at));
    return this;
  }

  /** A test order: it touches a live LMS only where the operator accepts test orders. */
  test() {
    this.#host.test();
    return this;
  }

  /** Has the shop got the money?
   * @param {Payment} state */
  payment(state) {
    this.#host.payment(state);
    return this;
  }

  /** The cause holds every line, known now or later.
   * @param {Cause} cause
   * @param {string} evidence what shows it, `status=cancelled` say */
  hold(cause, evidence) {
    this.#host.hold(cause, evidence);
    return this;
  }

  /** The cause no longer holds, and what shows it.
   * @param {Cause} cause
   * @param {string} evidence */
  lift(cause, evidence) {
    this.#host.lift(cause, evidence);
    return this;
  }

  /** Money went back, and the shop does not say for what: decimal text, `amount` out of `total`.
   * @param {string} amount
   * @param {string} currency ISO 4217
   * @param {string} total */
  refundedAmount(amount, currency, total) {
    this.#host.refundedAmount(amount, currency, total);
    return this;
  }

  /** Who learns, for lines that do not say. Blank counts as not given. Problem: `email-malformed`.
   * @param {string} address */
  learnerEmail(address) {
    asked(() => this.#host.learnerEmail(address));
    return this;
  }

  /** One line of the order, by the id that the shop gives it. The same id again continues the same line.
   * @param {Id} id */
  line(id) {
    return new Line(this.#host.line(idText(id)));
  }

  /** A person should look at this order, and why.
   * @param {string} reason */
  review(reason) {
    this.#host.review(reason);
    return this;
  }
}

/** A statement about one line of an order. */
export class Line {
  #host;

  /** @param {HostLine} host */
  constructor(host) {
    this.#host = host;
  }

  /** The product, as the catalog may know it, most exact first, and its title for people.
   * @param {readonly (readonly [kind: string, id: Id])[]} ids
   * @param {string} title */
  product(ids, title) {
    this.#host.product(
      ids.map(([kind, id]) => [kind, idText(id)]),
      title,
    );
    return this;
  }

  /** A course run that the order itself names, for when the catalog does not know the product. Problem: `course-malformed`.
   * @param {string} run
   * @param {string} [mode] */
  course(run, mode) {
    asked(() => this.#host.course(run, mode));
    return this;
  }

  /** The line that this one came with: what holds the parent holds this line.
   * @param {Id} id */
  parent(id) {
    this.#host.parent(idText(id));
    return this;
  }

  /** Who learns. Blank counts as not given. Problem: `email-malformed`.
   * @param {string} address */
  learnerEmail(address) {
    asked(() => this.#host.learnerEmail(address));
    return this;
  }

  /** Who learns, by the LMS's username. Problem: `username-malformed`.
   * @param {string} name */
  learnerUsername(name) {
    asked(() => this.#host.learnerUsername(name));
    return this;
  }

  /** Who learns, as a login provider of the site knows them. Problem: `identity-malformed`.
   * @param {string} provider
   * @param {string} id */
  learnerExternal(provider, id) {
    asked(() => this.#host.learnerExternal(provider, id));
    return this;
  }

  /** How many were sold; 1 if not said.
   * @param {number} count */
  quantity(count) {
    this.#host.quantity(count);
    return this;
  }

  /** How many of them were refunded; 0 if not said.
   * @param {number} count */
  refundedQuantity(count) {
    this.#host.refundedQuantity(count);
    return this;
  }

  /** The right ends at that moment unless a later statement extends it.
   * @param {Instant} at */
  until(at) {
    this.#host.until(BigInt(at));
    return this;
  }

  /** As `Order.hold`, for this line only.
   * @param {Cause} cause
   * @param {string} evidence */
  hold(cause, evidence) {
    this.#host.hold(cause, evidence);
    return this;
  }

  /** As `Order.lift`, for this line only.
   * @param {Cause} cause
   * @param {string} evidence */
  lift(cause, evidence) {
    this.#host.lift(cause, evidence);
    return this;
  }

  /** A person should look at this line, and why.
   * @param {string} reason */
  review(reason) {
    this.#host.review(reason);
    return this;
  }
}

/** Statements about orders. They are gathered during the run and take effect together when `handle` returns. */
export const orders = {
  /** The whole order: a line known from before and not named now is gone.
   * @param {Id} id
   * @param {Revision} revision */
  snapshot: (id, revision) => new Order(HostOrder.snapshot(idText(id), numbers(revision))),

  /** A part of the order: only what is named is stated. May arrive before anything else about the order.
   * @param {Id} id
   * @param {Revision} revision */
  patch: (id, revision) => new Order(HostOrder.patch(idText(id), numbers(revision))),

  /** The lines of an order as the ledger has them; none if it is unknown. Read when asked: `line.revision()`.
   * @param {Id} id
   * @returns {HostKnownLine[]} */
  known: (id) => known(idText(id)),
};

/** The operator's catalog of this shop. */
export const catalog = {
  /** Course runs and modes of the first id that the catalog knows.
   * @param {readonly (readonly [kind: string, id: Id])[]} product */
  courses: (product) => courses(product.map(([kind, id]) => [kind, idText(id)])),
};

/** What the operator configured for the shop that this run serves. */
export const settings = {
  /** The shop's name, as in `/webhooks/{shop}`. */
  shopName: () => shopName(),

  /** The shop's settings: checked against the adapter's schema, defaults filled in.
   * @returns {any} */
  read: () => JSON.parse(hostSettings()),
};

/** Lines for the log of this run. Never log a secret or personal data. */
export const log = {
  /** For the adapter's author.
   * @param {string} message */
  debug: (message) => hostLog("debug", message),
  /** For whoever reads along.
   * @param {string} message */
  info: (message) => hostLog("info", message),
  /** Something odd that was coped with.
   * @param {string} message */
  warning: (message) => hostLog("warning", message),
  /** Something that went wrong.
   * @param {string} message */
  error: (message) => hostLog("error", message),
};

/** A Standard Webhooks request may carry this many signatures; more are not looked at. */
const MAX_SIGNATURES = 8;

/** How far apart, in seconds, sender and receiver may be by the Standard Webhooks text and Stripe's libraries. */
const TOLERANCE = 300;

/**
 * Proofs that a request is the shop's. The host checks them; no secret enters the adapter. Each returns when the proof
 * holds, and throws `signature-mismatch`, `signature-malformed`, `secret-missing` or a problem of the header when it does not.
 */
export const signatures = {
  /**
   * A header that holds the lower-case hex of an HMAC of the body.
   *
   * @param {Request} request
   * @param {string} header
   * @param {string} secret its name
   * @param {{ hash?: Hash, prefix?: string }} [form] `sha256` if not said; `prefix` stands before the hex, `"sha256="` say
   */
  hmacHex(request, header, secret, { hash = "sha256", prefix = "" } = {}) {
    const val = withoutPrefix(request.header(header), prefix);
    asked(() => hostHmac(secret, "text", hash, [{ tag: "body" }], { tag: "hex", val }));
  },

  /**
   * A header that holds the base64 of an HMAC of the body.
   *
   * @param {Request} request
   * @param {string} header
   * @param {string} secret its name
   * @param {{ hash?: Hash, prefix?: string }} [form] as for `hmacHex`
   */
  hmacBase64(request, header, secret, { hash = "sha256", prefix = "" } = {}) {
    const val = withoutPrefix(request.header(header), prefix);
    asked(() => hostHmac(secret, "text", hash, [{ tag: "body" }], { tag: "base64", val }));
  },

  /**
   * Standard Webhooks, `v1`: `webhook-id`, `webhook-timestamp`, `webhook-signature`. The secret is base64, with or without
   * `whsec_`. Returns the id, which is signed and the same for every try: what `Verdict.key` wants.
   *
   * @param {Request} request
   * @param {string} secret its name
   * @param {{ prefix?: string, tolerance?: number }} [form] `prefix` of the three headers, `"webhook-"` if not said; seconds
   * @returns {string}
   */
  standardWebhooks(request, secret, { prefix = "webhook-", tolerance = TOLERANCE } = {}) {
    const id = request.header(`${prefix}id`);
    const time = request.header(`${prefix}timestamp`);
    const proofs = request.header(`${prefix}signature`).split(" ").flatMap((one) => (one.startsWith("v1,") ? [one.slice(3)] : []));
    oneHolds(proofs, (val) =>
      hostHmac(secret, "base64", "sha256", [{ tag: "text", val: `${id}.${time}.` }, { tag: "body" }], { tag: "base64", val }),
    );
    signatures.fresh(unixSeconds(time), tolerance);
    return id;
  },

  /**
   * Stripe's way: `t=1700000000,v1=…`, an HMAC of the time, a point and the body; several `v1` while a secret is replaced.
   *
   * @param {Request} request
   * @param {string} secret its name
   * @param {{ header?: string, tolerance?: number }} [form] `"stripe-signature"` if not said; seconds
   */
  stripe(request, secret, { header = "stripe-signature", tolerance = TOLERANCE } = {}) {
    const fields = request.header(header).split(",").map((field) => field.trim());
    const values = (/** @type {string} */ name) =>
      fields.flatMap((field) => (field.startsWith(`${name}=`) ? [field.slice(name.length + 1)] : []));
    const [time, ...others] = values("t");
    if (time === undefined || others.length > 0) throw malformed("the signature's header has no one time");
    oneHolds(values("v1"), (val) =>
      hostHmac(secret, "text", "sha256", [{ tag: "text", val: `${time}.` }, { tag: "body" }], { tag: "hex", val }),
    );
    signatures.fresh(unixSeconds(time), tolerance);
  },

  /**
   * A key that the shop sends along as it is, in a header, the path or the body.
   *
   * @param {string} secret its name
   * @param {string | Uint8Array} presented
   */
  sharedKey(secret, presented) {
    asked(() => hostSharedKey(secret, bytes(presented)));
  },

  /** Any other HMAC: the parts are joined without anything between them.
   * @type {typeof hostHmac} */
  hmac: (secret, form, hash, signed, proof) => asked(() => hostHmac(secret, form, hash, signed, proof)),

  /** An Ed25519 signature by one of the set's keys.
   * @type {typeof hostEd25519} */
  ed25519: (keySet, signed, proof) => asked(() => hostEd25519(keySet, signed, proof)),

  /** A compact JWS with a detached payload over the body as it is.
   * @type {typeof hostDetachedJws} */
  detachedJws: (keySet, algorithms, jws) => asked(() => hostDetachedJws(keySet, algorithms, jws)),

  /**
   * Lies `at` within the tolerance of the moment of receipt, before or after? Otherwise `too-old`, `too-new`.
   *
   * @param {Instant} at
   * @param {number} toleranceSeconds
   */
  fresh: (at, toleranceSeconds) => asked(() => hostFresh(BigInt(at), toleranceSeconds)),
};

/**
 * A moment as shops write it, `2026-03-02T10:00:41.120Z` or `2026-03-02 10:00:41`; without a zone it is UTC. Null for what
 * is no moment from 1970 on. What is finer than a millisecond is cut off.
 *
 * @param {unknown} text
 * @returns {Instant | null}
 */
export function instant(text) {
  if (typeof text !== "string") return null;
  const match = /^(\d{4})-(\d\d)-(\d\d)[T ](\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:?\d\d)?$/.exec(text);
  if (match === null) return null;
  const [year, month, day, hour, minute, second] = match.slice(1, 7).map(Number);
  const date = new Date(Date.UTC(year, month - 1, day, hour, minute, second));
  const same = date.getUTCFullYear() === year && date.getUTCMonth() === month - 1 && date.getUTCDate() === day;
  if (!same || hour > 23 || minute > 59 || second > 59) return null;
  const at = date.getTime() + Number((match[7] ?? "").padEnd(3, "0").slice(0, 3)) - offset(match[8] ?? "Z");
  return at >= 0 ? at : null;
}

/** Milliseconds that a zone is ahead of UTC.
 * @param {string} zone */
function offset(zone) {
  if (zone === "Z") return 0;
  const minutes = Number(zone.slice(1, 3)) * 60 + Number(zone.slice(-2));
  return (zone.startsWith("-") ? -minutes : minutes) * 60_000;
}

/** No double keeps more decimal digits than this, whichever they are. */
const EXACT_DIGITS = 15;

/**
 * An amount as exact decimal text, from text or from a number of JSON. Null for what is no amount.
 *
 * `JSON.parse` makes a double of a number. A decimal of up to 15 digits is the shortest text of its double, so it
 * comes back as it was, trailing zeros aside; one of more digits might not, and is none. Never add such numbers: add integers of the
 * smallest unit, or text.
 *
 * @param {unknown} value
 * @returns {string | null}
 */
export function decimal(value) {
  const text = typeof value === "number" || typeof value === "bigint" ? String(value) : value;
  if (typeof text !== "string" || !/^-?\d{1,30}(\.\d{1,30})?$/.test(text)) return null;
  const digits = text.replace(/[-.]/g, "").replace(/^0+/, "").length;
  return typeof value === "number" && digits > EXACT_DIGITS ? null : text;
}

/**
 * Whole hundredths (cents) as exact decimal text: 4900 is `49.00`. Null for what is no whole number.
 *
 * @param {unknown} hundredths
 * @returns {string | null}
 */
export function fromHundredths(hundredths) {
  if (typeof hundredths !== "number" || !Number.isSafeInteger(hundredths)) return null;
  const digits = String(Math.abs(hundredths)).padStart(3, "0");
  return `${hundredths < 0 ? "-" : ""}${digits.slice(0, -2)}.${digits.slice(-2)}`;
}

/**
 * An id as text, from text or from a number of JSON. Null for what is no id: blank, zero, or a number too great to be exact.
 *
 * @param {unknown} value
 * @returns {string | null}
 */
export function id(value) {
  if (typeof value === "number") return Number.isSafeInteger(value) && value > 0 ? String(value) : null;
  return typeof value === "string" && value.trim() !== "" ? value : null;
}

/** @param {Id} value */
function idText(value) {
  if (typeof value === "number" && !Number.isSafeInteger(value)) {
    throw Problem.rejected("body-unexpected", "an id is no whole number, or too great a number to be exact");
  }
  return String(value);
}

/** @param {Revision} revision */
function numbers(revision) {
  return BigUint64Array.from(revision, (number) => BigInt(number));
}

/** @param {string | Uint8Array} body */
function bytes(body) {
  return typeof body === "string" ? new TextEncoder().encode(body) : body;
}

/**
 * @param {string} text
 * @param {string} prefix
 */
function withoutPrefix(text, prefix) {
  if (!text.startsWith(prefix)) throw malformed("the signature does not begin as it must");
  return text.slice(prefix.length);
}

/** Seconds since 1970, as milliseconds.
 * @param {string} seconds */
function unixSeconds(seconds) {
  if (!/^\d{1,12}$/.test(seconds)) throw malformed("the signature's time is no number of seconds");
  return Number(seconds) * 1000;
}

/**
 * Does one of the proofs hold? Otherwise throws what the last one met.
 *
 * @param {string[]} proofs
 * @param {(proof: string) => void} check
 */
function oneHolds(proofs, check) {
  /** @type {unknown} */
  let met = Problem.rejected("signature-missing", "there is no signature of the expected version");
  for (const proof of proofs.slice(0, MAX_SIGNATURES)) {
    try {
      asked(() => check(proof));
      return;
    } catch (problem) {
      if (!(problem instanceof Problem) || problem.remedy !== "none") throw problem;
      met = problem;
    }
  }
  throw met;
}

/** @param {string} message */
function malformed(message) {
  return Problem.rejected("signature-malformed", message);
}
