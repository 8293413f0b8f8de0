import { readFileSync } from "node:fs";
import { arch } from "node:os";
import { InferenceSession, type Tensor } from "onnxruntime-node";
import type { OnnxDevice } from "../engine.ts";
import "./telemetry.ts";

/** What a device needs, for the message when ONNX Runtime cannot use it. */
const remedies = {
  cuda: "it needs an NVIDIA driver, CUDA 12, cuDNN 9, and ONNX Runtime's own part, see docs/native.md",
  webgpu: "it needs a GPU with a driver for Vulkan, Metal or Direct3D 12, see docs/native.md",
};

/**
 * Creates a session for a decoder, on one thread: a step takes about a millisecond, and waiting for a second thread that is
 * not scheduled takes several.
 */
export function createDecoderSession(model: Uint8Array): Promise<InferenceSession> {
  return createSession(model, { threads: 1 });
}

/** Creates a session on the CPU, whose threads do not spin. Caller releases. */
export function createSession(model: Uint8Array, { threads }: { threads: number }): Promise<InferenceSession> {
  return InferenceSession.create(model, {
    executionProviders: ["cpu"],
    graphOptimizationLevel: "all",
    intraOpNumThreads: threads,
    extra: {
      session: {
        intra_op: { allow_spinning: "0" }, // a waiting thread must not take a core from the server
        x64quantprecision: lacksVnni() ? "1" : "0", // slower kernels without saturation
      },
    },
  });
}

/** Creates a session that runs entirely on a GPU. Throws if there is no such device. */
export async function createGpuSession(
  model: Uint8Array,
  device: Exclude<OnnxDevice, "cpu">,
): Promise<InferenceSession> {
  try {
    return await InferenceSession.create(model, {
      executionProviders: [device],
      graphOptimizationLevel: "all",
      extra: { session: { disable_cpu_ep_fallback: "1" } },
    });
  } catch (cause) {
    const [said = ""] = (cause instanceof Error ? cause.message : String(cause)).trim().split("\n");
    const reason = said.split(". ").at(-1); // after locations in ONNX Runtime's sources
    throw new Error(`device ${device}: ONNX Runtime cannot use it (${reason}): ${remedies[device]}`, { cause });
  }
}

/** A tensor's values. Throws if they are not float32. */
export function floatsOf(tensor: Tensor | undefined): Float32Array {
  if (tensor?.data instanceof Float32Array) return tensor.data;
  throw new Error(`expected a float32 tensor, received ${tensor?.type ?? "none"}`);
}

/**
 * Whether int8 matrix products may be wrong on this CPU: without VNNI, x64 accumulates them in 16 bits, which saturate.
 * An x64 CPU whose features cannot be read counts as one without.
 */
export function lacksVnni(cpuInfo = readCpuInfo(), architecture = arch()): boolean {
  return architecture === "x64" && !/^flags\s*:.*\b(avx512_vnni|avx_vnni)\b/m.test(cpuInfo);
}

/** Only Linux has this file. */
function readCpuInfo(): string {
  try {
    return readFileSync("/proc/cpuinfo", "utf8");
  } catch {
    return "";
  }
}
