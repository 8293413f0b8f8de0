import { InferenceSession, type Tensor } from "onnxruntime-node";
import type { OnnxDevice } from "../engine.ts";
import { lacksVnni } from "./cpu-features.ts";
import "./telemetry.ts";

/** What to do where ONNX Runtime has no such device. */
const remedies = {
  cuda: "it needs an NVIDIA driver, CUDA 12, cuDNN 9, and ONNX Runtime's own part, see docs/native.md",
  webgpu: "it needs a GPU with a driver for Vulkan, Metal or Direct3D 12, see docs/native.md",
};

/**
 * A decoder runs on one thread: a step takes about a millisecond, and a second thread that the scheduler has taken away
 * holds it up for several.
 */
export function createDecoderSession(model: Uint8Array): Promise<InferenceSession> {
  return createSession(model, { threads: 1 });
}

/** On the CPU, with so many threads, none of which spins. Caller releases. */
export function createSession(model: Uint8Array, { threads }: { threads: number }): Promise<InferenceSession> {
  return InferenceSession.create(model, {
    executionProviders: ["cpu"],
    graphOptimizationLevel: "all",
    intraOpNumThreads: threads,
    extra: {
      session: {
        intra_op: { allow_spinning: "0" }, // a thread that waits must not take a core from the server
        x64quantprecision: lacksVnni() ? "1" : "0", // slower kernels with the right numbers
      },
    },
  });
}

/** On a GPU, with every step of the model there or not at all. Throws a sentence where there is no such device. */
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
    const reason = said.split(". ").at(-1); // before it come places in ONNX Runtime's sources
    throw new Error(`device ${device}: ONNX Runtime cannot use it (${reason}): ${remedies[device]}`, { cause });
  }
}

/** Throws where the tensor is not one of float32. */
export function floatsOf(tensor: Tensor | undefined): Float32Array {
  if (tensor?.data instanceof Float32Array) return tensor.data;
  throw new Error(`expected a float32 tensor, received ${tensor?.type ?? "none"}`);
}
