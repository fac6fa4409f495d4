/// <reference path="./types/bursar.d.ts" />
// @ts-check
/**
 * The shop's own API. To import this module asks for the permission `shop`; build for a world that has it.
 *
 * An adapter names a path, the host adds origin and credentials. Only during `handle`.
 *
 * @module
 */

import { Call } from "bursar:adapter/shop@0.1.0";

import { Problem, asked } from "./bursar.js";

/**
 * Sends JSON to the shop's API and reads its JSON answer.
 *
 * An answer of the shop is an answer, whatever its status. Problems: `shop-unavailable` (later), `wrong-phase`.
 *
 * @param {string} method
 * @param {string} pathAndQuery joined to the configured origin
 * @param {unknown} [body] nothing is sent where it is left out
 * @param {Record<string, string>} [headers] credentials are not among them: the host adds those
 * @returns {{ status: number, json: () => any }} `json` throws `shop-unexpected` where the answer is none
 */
export function call(method, pathAndQuery, body, headers = {}) {
  const request = new Call(method, pathAndQuery);
  for (const [name, value] of Object.entries({ accept: "application/json", ...headers })) request.header(name, value);
  if (body !== undefined) request.body("application/json", new TextEncoder().encode(JSON.stringify(body)));
  const answer = asked(() => request.send());
  return {
    status: answer.status(),
    json() {
      try {
        return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(answer.body()));
      } catch {
        throw Problem.later("shop-unexpected", `the shop's API answered ${answer.status()} with something that is not JSON`);
      }
    },
  };
}
