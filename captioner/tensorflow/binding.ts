import { createRequire } from "node:module";
import util from "node:util";
import type * as tfjs from "@tensorflow/tfjs-node-gpu";

/** TensorFlow.js on TensorFlow's own library. */
export type TensorFlow = typeof tfjs;

/**
 * Loads the native binding into this process. It is an optional dependency whose native part `npm run setup:native`
 * installs, and it crashes in worker threads. Throws if it is not installed.
 */
export function loadTensorFlow(): TensorFlow {
  process.env.TF_CPP_MIN_LOG_LEVEL ??= "2"; // errors only: by default TensorFlow prints a page of remarks
  giveBackRemoved();
  try {
    return createRequire(import.meta.url)("@tensorflow/tfjs-node-gpu");
  } catch (cause) {
    throw new Error("TensorFlow's native library is not set up: npm run setup:native does it", { cause });
  }
}

/** Gives `node:util` the two functions that the package calls and Node 23 removed, as they were. */
export function giveBackRemoved(): void {
  const removed = {
    isArray: Array.isArray,
    isNullOrUndefined: (value: unknown) => value === null || value === undefined,
  };
  for (const [name, value] of Object.entries(removed)) {
    if (!(name in util)) Object.defineProperty(util, name, { value, configurable: true });
  }
}

/** `gpu` if TensorFlow found one that it can use. */
export function deviceOf(tf: TensorFlow): "gpu" | "cpu" {
  const backend = tf.backend();
  return "isUsingGpuDevice" in backend && backend.isUsingGpuDevice === true ? "gpu" : "cpu";
}
