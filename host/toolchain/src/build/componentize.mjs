// Makes a component of an adapter in JavaScript or TypeScript. Started in the adapter's folder by `bursar adapter build`.
//
// The modules are put together first: the engine inside a component knows no packages, and reads no TypeScript.

import { readFile, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const [tools, workbench, witPath, worldName, output] = process.argv.slice(-5);

const package_ = JSON.parse(await readFile("package.json", "utf8"));
const resolve = createRequire(join(tools, "package.json")).resolve;
const { build } = await import(pathToFileURL(resolve("esbuild")).href);
// By its path: it offers itself to `import` only, and `resolve` asks for `require`.
const componentizer = join(tools, "node_modules/@bytecodealliance/componentize-js/src/componentize.js");
const { componentize } = await import(pathToFileURL(componentizer).href);

const bundle = join(workbench, "adapter.js");
try {
  await build({
    entryPoints: [package_.main ?? "adapter.js"],
    outfile: bundle,
    bundle: true,
    format: "esm",
    platform: "neutral",
    mainFields: ["module", "main"],
    target: "es2022",
    external: ["bursar:*"],
    charset: "utf8",
    legalComments: "none",
    logLevel: "warning",
  });
  process.chdir(workbench);
  const { component } = await componentize({
    sourcePath: bundle,
    witPath,
    worldName,
    disableFeatures: ["stdio", "random", "clocks", "http", "fetch-event"],
  });
  await writeFile(output, component);
} catch (error) {
  // esbuild has said what it found, with the place.
  if (error.errors === undefined) console.error(error.message ?? error);
  process.exit(1);
}
