import { createRequire } from "node:module";
import type * as tfjs from "@tensorflow/tfjs-node-gpu";

/** TensorFlow.js on TensorFlow's own library. */
export type TensorFlow = typeof tfjs;

/**
 * Loads the native binding into this process. It is an optional dependency whose native part `npm run setup:native`
 * installs, and it crashes in worker threads. Throws if it is not installed.
 */
export function loadTensorFlow(): TensorFlow {
  process.env.TF_CPP_MIN_LOG_LEVEL ??= "2"; // errors only: by default TensorFlow prints a page of remarks
  try {
    return createRequire(import.meta.url)("@tensorflow/tfjs-node-gpu");
  } catch (cause) {
    throw new Error("TensorFlow's native library is not set up: npm run setup:native does it", { cause });
  }
}

/** `gpu` if TensorFlow found one that it can use. */
export function deviceOf(tf: TensorFlow): "gpu" | "cpu" {
  const backend = tf.backend();
  return "isUsingGpuDevice" in backend && backend.isUsingGpuDevice === true ? "gpu" : "cpu";
}
