// @ts-check
/**
 * What Lemon Squeezy sends: one object of JSON:API, with the event's name beside it, all of it signed.
 *
 * The object decides, not the event: every event carries the whole object as it was then (fact 6).
 */

import { Problem, id, instant } from "../../sdk-javascript/bursar.js";

/**
 * @typedef {object} Body
 * @property {string} event as the body names it; the header that names it too is not signed
 * @property {string} type
 * @property {string} id
 * @property {string | null} order the id of the order that it is about; null where the object does not say
 * @property {boolean} test
 * @property {number | null} modified milliseconds
 * @property {Record<string, unknown>} custom
 * @property {Record<string, any>} attributes
 */

/**
 * @param {import("../../sdk-javascript/bursar.js").Request} request
 * @returns {Body}
 */
export function read(request) {
  const { meta, data } = object(request.json());
  const { event_name: event, custom_data: custom, test_mode: test } = object(meta);
  const { type, id: own, attributes } = object(data);
  const facts = object(attributes);
  const ownId = id(own);
  if (typeof event !== "string" || typeof type !== "string" || ownId === null) {
    throw Problem.rejected("body-unexpected", "the body is no object of Lemon Squeezy: it names no event, no type or no id");
  }
  return {
    event,
    type,
    id: ownId,
    order: type === "orders" ? ownId : id(facts.order_id),
    test: test === true || facts.test_mode === true,
    modified: instant(facts.updated_at),
    custom: object(custom),
    attributes: facts,
  };
}

/**
 * What is no object holds nothing.
 *
 * @param {unknown} value
 * @returns {Record<string, any>}
 */
export function object(value) {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? value : {};
}

/**
 * The text that is there, if it is filled in. Numbers count: custom data may hold them.
 *
 * @param {unknown} value
 * @returns {string | null}
 */
export function text(value) {
  if (typeof value === "number") return String(value);
  return typeof value === "string" && value.trim() !== "" ? value : null;
}
