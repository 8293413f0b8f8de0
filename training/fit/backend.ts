import { createRequire } from "node:module";
import { dirname, sep } from "node:path";
import { ready, setBackend } from "@tensorflow/tfjs-core";
import { readNativeSetup } from "../../captioner/engines/native-setup.ts";
import { deviceOf, loadTensorFlow } from "../../captioner/tensorflow/binding.ts";

/** Readies TensorFlow.js for training in this process. Returns what it runs on, in words. Throws where TensorFlow is set up but cannot be loaded. */
export async function startBackend(): Promise<string> {
  if (readNativeSetup() === undefined) {
    await startWasm();
    return "WebAssembly, one thread: npm run setup:native adds TensorFlow, which is many times faster";
  }
  const device = deviceOf(loadTensorFlow());
  await setBackend("tensorflow");
  return `TensorFlow (${device})`;
}

/** Loaded only where it is needed. */
async function startWasm(): Promise<void> {
  const { setWasmPaths } = await import("@tensorflow/tfjs-backend-wasm");
  setWasmPaths(dirname(createRequire(import.meta.url).resolve("@tensorflow/tfjs-backend-wasm")) + sep);
  await setBackend("wasm");
  await ready();
}
