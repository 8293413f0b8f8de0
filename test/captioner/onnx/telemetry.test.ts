import { readdir } from "node:fs/promises";
import { expect, onTestFinished, test, vi } from "vitest";
import { startEngineProcess } from "../../../captioner/engines/engine-process.ts";
import { temporaryFolder, tinyBundle } from "../../fixtures/bundles.ts";

// The folder exists as soon as a session does, if nothing is switched off (1.30 on Linux). No control here does that:
// it would report whoever runs the tests.
test("an engine keeps no id and no reports of ONNX Runtime's in the user's cache folder", async () => {
  const cache = await temporaryFolder();
  vi.stubEnv("XDG_CACHE_HOME", cache);
  for (const name of ["ORT_DISABLE_TELEMETRY", "ORT_RUNNING_UNIT_TESTS", "CI"]) vi.stubEnv(name, undefined);
  onTestFinished(() => void vi.unstubAllEnvs());
  const engine = await startEngineProcess(tinyBundle, "onnx");
  onTestFinished(() => engine.close());
  expect(await readdir(cache)).not.toContain("Microsoft");
});
