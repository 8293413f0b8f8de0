import { existsSync } from "node:fs";
import { expect, test } from "vitest";
import { startEngineProcess } from "../../../captioner/engines/engine-process.ts";
import { tinyBundle } from "../../fixtures/bundles.ts";
import { aliveOf } from "../../support/process-table.ts";

const isGpuThere = existsSync("/dev/nvidia0");

test.skipIf(isGpuThere)("a start on CUDA without it fails and says what is missing (needs no GPU)", async () => {
  await expect(startEngineProcess(tinyBundle, "onnx", { device: "cuda" })).rejects.toThrow(
    /^device cuda: ONNX Runtime cannot use it \(.+\): it needs an NVIDIA driver, CUDA 12, cuDNN 9/,
  );
});

test("a device is the onnx engine's alone", async () => {
  const asked = "device webgpu: expected the engine onnx beside it, received auto";
  await expect(startEngineProcess(tinyBundle, "auto", { device: "webgpu" })).rejects.toThrow(asked);
});

test("an engine that was killed takes no call again before its end is heard of", async () => {
  const engine = await startEngineProcess(tinyBundle, "onnx");
  process.kill(engine.pid ?? 0, "SIGKILL");
  while (isRunning(engine.pid ?? 0)); // the system closes its channel; this process cannot hear of its end meanwhile
  const call = engine.search(new Float32Array(8), [{ beam: 1, candidates: 1 }]);

  await expect(call).rejects.toMatchObject({ name: "EngineLost" });
  expect(engine.isAlive).toBe(false);
  expect(await engine.lost).toMatchObject({ message: "the engine ended with SIGKILL", reason: "died" });
  await engine.close();
});

/** A process that has ended and that nobody has asked about is a zombie, and no longer runs. */
function isRunning(pid: number): boolean {
  return aliveOf([pid]).length > 0;
}
