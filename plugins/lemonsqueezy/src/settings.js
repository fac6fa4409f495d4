// @ts-check
/** What the operator may set for a shop. The host checks it against this schema and fills in the defaults. */

import { settings } from "../../sdk-javascript/bursar.js";

/**
 * @typedef {object} Settings
 * @property {string[]} learner_email_custom_data
 * @property {string[]} course_custom_data
 * @property {string[]} mode_custom_data
 */

const keys = (/** @type {string} */ description, /** @type {string[]} */ defaults) => ({
  description,
  type: "array",
  items: { type: "string" },
  default: defaults,
});

export const SCHEMA = {
  type: "object",
  additionalProperties: false,
  properties: {
    learner_email_custom_data: keys(
      "Keys of the checkout's custom data that hold the learner's e-mail address. The first that is filled in counts; without one the buyer learns. What is filled in and no address asks a person; it is never replaced by the buyer.",
      ["learner_email"],
    ),
    course_custom_data: keys(
      "Keys of the checkout's custom data that name a course run, for products that the catalog does not know. Whoever buys can write custom data into the link of a checkout: set this only where every checkout is made by your own server.",
      [],
    ),
    mode_custom_data: keys("Keys of the checkout's custom data that name the mode of that course run.", []),
  },
};

/** @returns {Settings} */
export const read = () => settings.read();
