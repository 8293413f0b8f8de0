import { spawn } from "node:child_process";
import { once } from "node:events";
import { basename, dirname } from "node:path";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { readNativeSetup } from "../../captioner/engines/native-setup.ts";
import { defaultVersion } from "../../scripts/setup-native/checksums.ts";
import { runFinalCheck } from "../../scripts/setup-native/final-check.ts";

const script = fileURLToPath(new URL("../../scripts/setup-native.ts", import.meta.url));
const setup = readNativeSetup() ?? { tensorflow: "", kind: "cpu", root: "", libraryPath: [] };
const isPinned = basename(setup.root).startsWith(`${setup.kind}-${defaultVersion}-`);

describe.skipIf(setup.root === "")("what npm run setup:native sets up (needs the native engine)", () => {
  test("convolves and trains", async () => {
    const { libraryPath, tensorflow } = setup;
    const report = await runFinalCheck({ libraryPath, signal: new AbortController().signal });

    expect(report.tensorflow).toBe(tensorflow);
    expect(report.trainingStepMs).toBeGreaterThan(0);
  });

  test.skipIf(!isPinned)("is only checked when it is set up once more", async () => {
    const cache = dirname(dirname(setup.root));
    const args = ["--import", import.meta.resolve("tsx"), script, `--${setup.kind}`, "--cache", cache];
    const child = spawn(process.execPath, args);
    const [stdout, stderr, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, "close")]);

    expect(stderr).toContain(`set up already in ${setup.root}\n`);
    expect(stdout).toMatch(
      /^TensorFlow \S+ runs on the [CG]PU: a convolution in \d+ ms, an LSTM training step in \d+ ms\n$/,
    );
    expect(code).toBe(0);
    expect(readNativeSetup()).toEqual(setup);
  });
});
