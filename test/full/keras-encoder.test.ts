import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type EncoderBundle, openEncoder } from "../../captioner/bundle.ts";
import { createOnnxEncoder } from "../../captioner/onnx/engine.ts";
import { cosine } from "../../captioner/vectors.ts";
import { repository } from "../../scripts/repository.ts";
import { kerasLayers, madePicture, writeKerasFile } from "../fixtures/keras-weights.ts";
import { runNode } from "../support/run-node.ts";

const command = ["--import", "tsx", "scripts/encoder.ts"];

describe("npm run tool -- encoder", () => {
  let folder: string;
  let weights: string;
  let encoder: EncoderBundle;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "edge-caption-keras-"));
    weights = join(folder, "made.h5");
    await writeKerasFile(weights, await kerasLayers());
    encoder = await makeEncoder(["--weights", weights]);
  }, 120_000);

  afterAll(() => rm(folder, { recursive: true, force: true }));

  async function makeEncoder(args: readonly string[]): Promise<EncoderBundle> {
    const out = await mkdtemp(join(folder, "encoder-"));
    const { code, stdout } = await runNode([...command, ...args, "--out", out]);
    expect(stdout).toMatch(/^inception-v3, revision [0-9a-f]{12}, 312 layers, \d+ MB, in .*\n$/);
    expect(code).toBe(0);
    return openEncoder(out);
  }

  test("makes the same of a whole model's file, with the classifier and other numbers, as of the weights alone", async () => {
    const whole = join(folder, "whole.h5");
    const layers = await kerasLayers({ hasClassifier: true, firstNumber: 7 });
    await writeKerasFile(whole, layers, { isWholeModel: true });
    expect((await makeEncoder(["--weights", whole])).manifest.files).toEqual(encoder.manifest.files);
  }, 120_000);

  test("makes with --uint8 a quarter of the size, and features that point the same way", async () => {
    const rounded = await makeEncoder(["--weights", weights, "--uint8"]);
    expect(weightBytes(encoder)).toBe(4 * 21_802_784);
    expect(weightBytes(rounded)).toBe(21_957_728);
    expect(cosine(await encode(rounded), await encode(encoder))).toBeGreaterThan(0.999);
  }, 120_000);

  test("leaves no half bundle when it is killed, and makes it the next time", async () => {
    const out = join(folder, "killed");
    const args = [...command, "--weights", weights, "--out", out];
    for (const delayMs of [0, 60, 180]) {
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
    expect((await openEncoder(out)).manifest.files).toEqual(encoder.manifest.files);
  }, 120_000);
});

function weightBytes({ manifest }: EncoderBundle): number | undefined {
  return manifest.files.find(({ path }) => path.endsWith("weights.bin"))?.bytes;
}

async function encode(bundle: EncoderBundle): Promise<Float32Array> {
  const engine = await createOnnxEncoder(bundle);
  const features = await engine.encode(madePicture("noise"), 1);
  await engine.close();
  return features;
}
