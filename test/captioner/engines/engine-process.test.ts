import { existsSync } from "node:fs";
import { expect, test } from "vitest";
import { startEngineProcess } from "../../../captioner/engines/engine-process.ts";
import { tinyBundle } from "../../fixtures/bundles.ts";

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
