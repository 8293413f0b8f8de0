import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import * as z from "zod";
import { runProgram } from "../terminal/run-program.ts";

expectTensorFlowJs();
const { trainCommand } = await import("./command.ts");
const { restartWithLibraries } = await import("./fit/backend.ts");
const { runStages } = await import("./run-stages.ts");
const { stages } = await import("./stages.ts");

/** Entry point of `npm run train`. Exit codes: 0 done, 1 failed, 2 wrong usage. */
const program = trainCommand({ stages, train: runStages });
program.hook("preAction", async () => {
  const code = await restartWithLibraries();
  if (code !== undefined) process.exit(code);
});
await runProgram(program);

/** Ends with a sentence where the package was installed without TensorFlow.js, which is an optional part of it. */
function expectTensorFlowJs(): void {
  const { peerDependencies: wanted = {} } = z
    .object({ peerDependencies: z.record(z.string(), z.string()).optional() })
    .parse(JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8")));
  const require = createRequire(import.meta.url);
  const packages = Object.entries(wanted).filter(([name]) => name.startsWith("@tensorflow/"));
  const missing = packages.filter(([name]) => !canResolve(name, require));
  if (missing.length === 0) return;
  const names = missing.map(([name, version]) => `${name}@${version}`).join(" ");
  process.stderr.write(`training needs TensorFlow.js, which is not installed: npm install ${names}\n`);
  process.exit(1);
}

function canResolve(name: string, { resolve }: NodeJS.Require): boolean {
  try {
    resolve(name);
    return true;
  } catch {
    return false;
  }
}
