import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { repository } from "../../../scripts/repository.ts";
import { temporaryFolder, tinyBundle } from "../../fixtures/bundles.ts";
import { runNode } from "../../support/run-node.ts";

/** Asks an engine for more than it answers at once, and is killed, as Ctrl-C ends `npm run train` in the midst of photos. */
const owner = `
import { fork } from "node:child_process";
const [engine, tsx, start] = process.argv.slice(2);
const child = fork(engine, [start], { execArgv: ["--import", tsx], serialization: "advanced" });
child.once("message", () => {
  let sent = 0;
  for (let call = 0; call < 2000; call++) {
    child.send({ call, kind: "ping" }, () => { if (++sent === 2000) process.kill(process.pid, "SIGKILL"); });
  }
});
`;

test("an engine whose owner was killed ends without a word", async () => {
  const program = join(await temporaryFolder(), "owner.mjs");
  await writeFile(program, owner);
  const engine = join(repository, "captioner/engines/engine-child.ts");
  const start = JSON.stringify({ folder: tinyBundle, choice: "onnx", cpu: {}, device: "cpu" });
  const { stdout, stderr } = await runNode([program, engine, import.meta.resolve("tsx"), start]); // its pipes end with the engine
  expect({ stdout, stderr }).toEqual({ stdout: "", stderr: "" });
});
