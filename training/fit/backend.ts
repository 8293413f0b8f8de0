import { createRequire } from "node:module";
import { dirname, sep } from "node:path";
import { ready, setBackend } from "@tensorflow/tfjs-core";
import { deviceOf, loadTensorFlow } from "../../gpu-service/tensorflow/binding.ts";

/** Readies TensorFlow.js for training in this process. Returns what it runs on, in words. */
export async function startBackend(): Promise<string> {
  const device = tensorFlowDevice();
  if (device === undefined) {
    await startWasm();
    return "WebAssembly, one thread: npm run setup:native adds TensorFlow, which is many times faster";
  }
  await setBackend("tensorflow");
  return `TensorFlow (${device})`;
}

/** Undefined where its native library is not set up. */
function tensorFlowDevice(): string | undefined {
  try {
    return deviceOf(loadTensorFlow());
  } catch {
    return undefined;
  }
}

/** Loaded only where it is needed. */
async function startWasm(): Promise<void> {
  const { setWasmPaths } = await import("@tensorflow/tfjs-backend-wasm");
  setWasmPaths(dirname(createRequire(import.meta.url).resolve("@tensorflow/tfjs-backend-wasm")) + sep);
  await setBackend("wasm");
  await ready();
}
