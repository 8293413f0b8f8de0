import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { describe, expect, test } from "vitest";
import { isSoftwareVulkanThere, softwareVulkan } from "../fixtures/software-vulkan.ts";
import { runService } from "../gpu-service/running-service.ts";

describe.skipIf(!isSoftwareVulkanThere)("WebGPU on a driver made of software (needs Debian's Chromium)", () => {
  test("gives the features of the CPU, and refuses a model that is not all on the device", async () => {
    const program = fileURLToPath(new URL("./webgpu-child.ts", import.meta.url));
    const { stdout } = await promisify(execFile)(process.execPath, ["--import", "tsx", program], {
      env: { ...process.env, ...softwareVulkan },
    });
    const { cosines, refusal } = JSON.parse(stdout);
    expect(cosines).toHaveLength(4);
    for (const cosine of cosines) expect(cosine).toBeGreaterThan(0.99999);
    expect(refusal).toMatch(/^device webgpu: ONNX Runtime cannot use it \(.*CPU/);
  });

  test("is not taken for a GPU: the service does not start on it", async () => {
    const { code, stderr } = await runService({ ...softwareVulkan, ENGINE: "onnx", DEVICE: "webgpu" });
    expect(code).toBe(1);
    expect(stderr).toMatch(/device webgpu: expected a GPU, found one emulated in software \(\d+ ms a photo/);
  });
});
