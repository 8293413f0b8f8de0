import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { expect, test } from "vitest";
import { openEncoder } from "../../gpu-service/bundle.ts";
import { createOnnxEncoder } from "../../gpu-service/onnx/engine.ts";
import { temporaryFolder } from "../fixtures/bundles.ts";
import { kerasLayers, madePicture, writeKerasFile } from "../fixtures/keras-weights.ts";
import { cosine } from "../fixtures/vectors.ts";
import { repository, runNode } from "../training/run-prepare.ts";

const command = ["--import", "tsx", "scripts/encoder.ts"];

test("the command makes the same encoder of a file with the classifier, in a group, as of one without", async () => {
  const folder = await temporaryFolder();
  const [plain, whole] = [join(folder, "plain.h5"), join(folder, "whole.h5")];
  await writeKerasFile(plain, await kerasLayers());
  await writeKerasFile(whole, await kerasLayers({ hasClassifier: true, firstNumber: 7 }), { isWholeModel: true });
  const made = await Promise.all(
    [plain, whole].map(async (weights) => {
      const out = `${weights}-encoder`;
      const { code, stdout } = await runNode([...command, "--weights", weights, "--out", out]);
      expect(stdout).toMatch(/^inception-v3, revision [0-9a-f]{12}, 312 layers, 88 MB, in .*-encoder\n$/);
      expect(code).toBe(0);
      return openEncoder(out);
    }),
  );
  expect(made[0]?.manifest.files).toEqual(made[1]?.manifest.files);
}, 120_000);

test("8 bits a weight make a quarter of the size, and features that point the same way", async () => {
  const folder = await temporaryFolder();
  const weights = join(folder, "made.h5");
  await writeKerasFile(weights, await kerasLayers());
  const vectors: Float32Array[] = [];
  for (const flags of [[], ["--uint8"]]) {
    const out = join(folder, `encoder${flags.length}`);
    await runNode([...command, "--weights", weights, "--out", out, ...flags]);
    const bundle = await openEncoder(out);
    const bytes = bundle.manifest.files.find(({ path }) => path.endsWith("weights.bin"))?.bytes;
    expect(bytes).toBe(flags.length === 0 ? 4 * 21_802_784 : 21_957_728);
    const engine = await createOnnxEncoder(bundle);
    vectors.push(await engine.encode(madePicture("noise"), 1));
    await engine.close();
  }
  const [exact = new Float32Array(), rounded = new Float32Array()] = vectors;
  expect(cosine(exact, rounded)).toBeGreaterThan(0.999);
}, 120_000);

test("a kill leaves no half bundle, and the next run makes it", async () => {
  const folder = await temporaryFolder();
  const weights = join(folder, "made.h5");
  await writeKerasFile(weights, await kerasLayers());
  const out = join(folder, "encoder");
  const args = [...command, "--weights", weights, "--out", out];
  for (const delayMs of [0, 30, 60, 120, 240]) {
    await rm(out, { recursive: true, force: true });
    const run = spawn(process.execPath, args, { cwd: repository, stdio: "ignore" });
    const exited = once(run, "exit");
    while (!existsSync(join(out, "encoder", "model.json.partial")) && run.exitCode === null) await setTimeout(1);
    await setTimeout(delayMs);
    run.kill("SIGKILL");
    await exited;
    if (existsSync(join(out, "manifest.json"))) await openEncoder(out); // whole, since its hashes are verified
  }
  expect(await runNode(args)).toMatchObject({ code: 0 });
  expect((await openEncoder(out)).readEncoder().layers).toHaveLength(312);
}, 120_000);
