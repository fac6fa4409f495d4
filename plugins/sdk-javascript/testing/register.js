/**
 * Lets node load an adapter outside a component: `node --import bursar-adapter/testing/register.js --test`, or with the
 * path of this file. Every interface of `bursar:adapter` is then the fake host in `host.js`.
 */

import { register } from "node:module";

const host = new URL("./host.js", import.meta.url).href;
const hooks = `
  export function resolve(name, context, next) {
    return name.startsWith("bursar:adapter/") ? { url: ${JSON.stringify(host)}, shortCircuit: true } : next(name, context);
  }
`;
register(`data:text/javascript,${encodeURIComponent(hooks)}`);
