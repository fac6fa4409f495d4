/**
 * Writes the types of the contract's interfaces, as `bursar.d.ts` and `interfaces/`, out of the package's text:
 *
 *     npm install --no-save @bytecodealliance/jco@1.35.0 && npm run types
 *
 * The text is handed over in one piece, because jco's own reading of folders depends on its version.
 */

import { mkdirSync, readFileSync, readdirSync, writeFileSync } from "node:fs";

const bindgen = await import(import.meta.resolve("@bytecodealliance/jco-transpile/vendor/js-component-bindgen-component.js"));
await bindgen.$init;

const here = new URL("./", import.meta.url);
const wit = new URL("../../../wit/0.1.0/", here);
const header = "package bursar:adapter@0.1.0;\n";
const files = readdirSync(wit).filter((name) => name.endsWith(".wit"));
const text = files.sort().map((name) => readFileSync(new URL(name, wit), "utf8").replace(header, ""));
const features = { tag: "list", val: [] };
const source = { tag: "source", val: header + text.join("\n") };
mkdirSync(new URL("interfaces", here), { recursive: true });
for (const [name, types] of bindgen.generateTypes("bursar", { wit: source, world: "everything", guest: true, features })) {
  writeFileSync(new URL(name, here), types);
}
