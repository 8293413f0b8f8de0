import { InferenceSession, type Tensor } from "onnxruntime-node";

/**
 * A decoder runs on one thread: a step takes about a millisecond, and a second thread that the scheduler has taken away
 * holds it up for several.
 */
export function createDecoderSession(model: Uint8Array): Promise<InferenceSession> {
  return createSession(model, { threads: 1 });
}

export function createSession(model: Uint8Array, { threads }: { threads: number }): Promise<InferenceSession> {
  return InferenceSession.create(model, {
    executionProviders: ["cpu"],
    graphOptimizationLevel: "all",
    intraOpNumThreads: threads,
    extra: { session: { intra_op: { allow_spinning: "0" } } }, // a thread that waits must not take a core from the server
  });
}

/** Throws where the tensor is not one of float32. */
export function floatsOf(tensor: Tensor | undefined): Float32Array {
  if (tensor?.data instanceof Float32Array) return tensor.data;
  throw new Error(`expected a float32 tensor, received ${tensor?.type ?? "none"}`);
}
