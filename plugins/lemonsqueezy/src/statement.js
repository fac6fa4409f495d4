// @ts-check
/** An order or a subscription put into statements for the ledger. */

import { Problem, fromHundredths, id, instant, log, orders } from "../../sdk-javascript/bursar.js";
import { object, text } from "./body.js";

/** @typedef {import("./body.js").Body} Body */
/** @typedef {import("./settings.js").Settings} Settings */
/** @typedef {import("../../sdk-javascript/bursar.js").Delivery} Delivery */
/** @typedef {import("../../sdk-javascript/bursar.js").Order} Order */
/** @typedef {import("../../sdk-javascript/bursar.js").Line} Line */

/** The second number of a revision: of two states of one second the last one wins. */
const FINAL = 1;
const NOT_FINAL = 0;

/** What a variant is called that a product has only one of. */
const ONLY_VARIANT = "Default";

/**
 * States a whole order.
 *
 * @param {Body} body
 * @param {Settings} settings
 */
export function stateOrder(body, settings) {
  const { attributes: facts } = body;
  const status = text(facts.status) ?? "";
  const refunded = facts.refunded === true || status === "refunded";
  const fraudulent = status === "fraudulent";
  const stated = orders.snapshot(body.id, [modified(body), refunded || fraudulent ? FINAL : NOT_FINAL]);
  if (body.test) stated.test();
  stateLearner(stated, body, settings);
  const number = id(facts.order_number);
  if (number !== null && number !== body.id) stated.number(number);
  const mark = text(facts.identifier);
  if (mark !== null) stated.fingerprint(mark);
  const placed = instant(facts.created_at);
  if (placed !== null) stated.placedAt(placed);

  if (refunded) {
    stated.payment("undecided").hold("refunded", facts.refunded === true ? "refunded=true" : "status=refunded");
  } else if (fraudulent) {
    stated.payment("undecided").hold("disputed", "status=fraudulent");
  } else if (status === "paid" || status === "partial_refund") {
    stated.payment("paid").lift("disputed", `status=${status}`);
  } else if (status === "pending" || status === "failed") {
    stated.payment("unpaid");
  } else {
    stated.payment("undecided");
    if (!orders.known(body.id).some((line) => line.active())) {
      stated.review(`the order's status is none that this adapter knows: ${word(status)}`);
    }
  }
  stateMoneyBack(stated, facts, refunded);

  const item = object(facts.first_order_item);
  const line = id(item.id);
  if (line === null) throw Problem.rejected("order-incomplete", "the order does not say what was sold");
  stateProduct(stated.line(line), item, body, settings).quantity(quantity(item.quantity));
}

/**
 * States what a subscription says about its order: until when it is paid. Payment and learner are the order's to say, which
 * comes by itself; either may come first.
 *
 * @param {Body} body
 * @param {Delivery} delivery
 * @param {Settings} settings
 */
export function stateSubscription(body, delivery, settings) {
  const { attributes: facts } = body;
  const item = id(facts.order_item_id);
  if (body.order === null || item === null) {
    throw Problem.rejected("subscription-incomplete", "the subscription does not say which order and item it belongs to");
  }
  const status = text(facts.status) ?? "";
  const stated = orders.patch(body.order, [modified(body), status === "expired" ? FINAL : NOT_FINAL]);
  if (body.test) stated.test();
  const known = orders.known(body.order).find((line) => line.id() === item);
  const line = stateProduct(stated.line(item), facts, body, settings);
  const seats = object(facts.first_subscription_item).quantity;
  if (seats !== undefined) line.quantity(quantity(seats));

  const end = paidUntil(facts, status);
  if (end !== null) {
    line.until(end);
  } else if (status === "past_due" || status === "unpaid") {
    // The period that was paid is over, and nothing says when it ended: what was said of it before stays.
    if (known?.until() === undefined) line.until(modified(body));
  } else {
    line.review(`the subscription does not say until when it is paid; its status is ${word(status)}`);
  }

  const variant = id(facts.variant_id);
  const sold = known?.product().find(([kind]) => kind === "variant")?.[1];
  if (sold !== undefined && variant !== null && sold !== variant) {
    delivery.review(
      `the subscription was moved from variant ${sold} to ${variant}; the course of the first one stays, so decide about the order by hand if another course is meant`,
    );
  }
  if (body.event === "subscription_paused" && object(facts.pause).mode === "free") {
    delivery.review("payments are paused and the subscription goes on for free: the access ends with what was paid, so give it by hand if it shall last longer");
  }
}

/**
 * States the money that went back for one payment of a subscription, of which the payment does not say for which order.
 *
 * @param {Body} body
 * @param {Delivery} delivery
 */
export function reportInvoice(body, delivery) {
  const { attributes: facts } = body;
  const back = fromHundredths(facts.refunded_amount);
  if (facts.refunded !== true && facts.status !== "refunded" && (back === null || back === "0.00")) {
    delivery.ignored("a payment of a subscription; until when that is paid comes with the subscription itself");
    return;
  }
  const total = fromHundredths(facts.total);
  const amount = back !== null && total !== null ? ` (${back} of ${total} ${word(text(facts.currency) ?? "")})` : "";
  delivery.review(
    `money of payment ${body.id} of subscription ${word(id(facts.subscription_id) ?? "")} went back${amount}: the access lasts as long as the subscription, so end that in the shop if the access shall end`,
  );
}

/**
 * Until when a subscription is paid, as far as its status says so (fact 11).
 *
 * @param {Record<string, any>} facts
 * @param {string} status
 */
function paidUntil(facts, status) {
  switch (status) {
    case "on_trial":
      return instant(facts.trial_ends_at) ?? instant(facts.renews_at);
    case "active":
    case "paused":
      return instant(facts.renews_at);
    case "cancelled":
    case "expired":
      return instant(facts.ends_at);
    // `past_due` and `unpaid` name the next try to collect, which nobody has paid for.
    default:
      return null;
  }
}

/**
 * Who learns: the custom data of the checkout before the buyer, and never the buyer in place of what cannot be read.
 *
 * @param {Order} stated
 * @param {Body} body
 * @param {Settings} settings
 */
function stateLearner(stated, body, settings) {
  const key = first(body, settings.learner_email_custom_data);
  const [address, place] = key === null ? [text(body.attributes.user_email), "the buyer's address"] : [text(body.custom[key]) ?? "(not text)", `the custom data \`${key}\``];
  if (address === null) return;
  // The host asks a person about a learner who cannot be read, once it is paid; any other problem ends the run.
  attempt("email-malformed", `${place} names a learner who cannot be read`, () => stated.learnerEmail(address));
}

/**
 * What was sold.
 *
 * @param {Line} line
 * @param {Record<string, any>} facts an order's item, or a subscription
 * @param {Body} body
 * @param {Settings} settings
 */
function stateProduct(line, facts, body, settings) {
  /** @type {[string, string][]} */
  const ids = [];
  for (const kind of ["variant", "product"]) {
    const one = id(facts[`${kind}_id`]);
    if (one !== null) ids.push([kind, one]);
  }
  const variant = text(facts.variant_name);
  const names = [text(facts.product_name), variant === ONLY_VARIANT ? null : variant];
  line.product(ids, names.filter((name) => name !== null).join(" – "));
  const key = first(body, settings.course_custom_data);
  if (key !== null) {
    const mode = first(body, settings.mode_custom_data);
    attempt("course-malformed", `the custom data \`${key}\` names no course run`, () =>
      line.course(text(body.custom[key]) ?? "", mode === null ? undefined : (text(body.custom[mode]) ?? undefined)),
    );
  }
  return line;
}

/**
 * @param {Order} stated
 * @param {Record<string, any>} facts
 * @param {boolean} refunded
 */
function stateMoneyBack(stated, facts, refunded) {
  if (facts.refunded_amount === undefined || facts.refunded_amount === null || facts.refunded_amount === 0) return;
  const [back, total] = [fromHundredths(facts.refunded_amount), fromHundredths(facts.total)];
  if (back !== null && total !== null && facts.total > 0) {
    stated.refundedAmount(back, text(facts.currency) ?? "", total);
  } else if (!refunded) {
    stated.review("the shop refunded money, and its amounts cannot be read");
  }
}

/**
 * The first of these keys of the custom data that is filled in.
 *
 * @param {Body} body
 * @param {string[]} keys
 */
function first(body, keys) {
  return keys.find((key) => Object.hasOwn(body.custom, key) && body.custom[key] !== null && body.custom[key] !== "") ?? null;
}

/** @param {Body} body */
function modified(body) {
  if (body.modified === null) throw Problem.rejected("object-undated", "the object does not say when it was last changed");
  return body.modified;
}

/**
 * How many were sold. What is no whole number is one, as where nothing is said.
 *
 * @param {unknown} value
 */
function quantity(value) {
  return typeof value === "number" && Number.isInteger(value) && value >= 0 && value < 2 ** 32 ? value : 1;
}

/**
 * Has something malformed logged in place of ending the run.
 *
 * @param {string} expected
 * @param {string} words
 * @param {() => unknown} statement
 */
function attempt(expected, words, statement) {
  try {
    statement();
  } catch (problem) {
    if (!(problem instanceof Problem) || problem.code !== expected) throw problem;
    log.warning(words);
  }
}

/** What goes into words for people: a short word of letters and digits.
 * @param {string} value */
function word(value) {
  return value.replace(/[^A-Za-z0-9_-]/g, "").slice(0, 64) || "(none)";
}
