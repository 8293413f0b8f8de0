import { spawn } from "node:child_process";
import { once } from "node:events";
import { createRequire } from "node:module";
import { dirname, sep } from "node:path";
import { ready, setBackend } from "@tensorflow/tfjs-core";
import { libraryEnvironment, type NativeSetup, readNativeSetup } from "../../captioner/engines/native-setup.ts";
import { deviceOf, loadTensorFlow } from "../../captioner/tensorflow/binding.ts";

/**
 * Starts TensorFlow.js for training in this process and returns a description of the backend. Throws if TensorFlow
 * is set up but cannot be loaded.
 */
export async function startBackend(): Promise<string> {
  if (readNativeSetup() === undefined) {
    await startWasm();
    return "WebAssembly, one thread: npm run setup:native adds TensorFlow, which is many times faster";
  }
  const device = deviceOf(loadTensorFlow());
  await setBackend("tensorflow");
  return `TensorFlow (${device})`;
}

/** Starts the WebAssembly backend, which is imported only when needed. */
async function startWasm(): Promise<void> {
  const { setWasmPaths } = await import("@tensorflow/tfjs-backend-wasm");
  setWasmPaths(dirname(createRequire(import.meta.url).resolve("@tensorflow/tfjs-backend-wasm")) + sep);
  await setBackend("wasm");
  await ready();
}

/**
 * Returns the environment in which this process would find TensorFlow's CUDA libraries; undefined if it already does.
 */
export function missingEnvironment(
  setup: Pick<NativeSetup, "libraryPath"> | undefined,
  environment: NodeJS.ProcessEnv = process.env,
): NodeJS.ProcessEnv | undefined {
  const found = environment.LD_LIBRARY_PATH ?? "";
  if (setup === undefined || setup.libraryPath.every((folder) => found.includes(folder))) return undefined;
  return libraryEnvironment(setup, environment);
}

/**
 * Restarts this program if it was started without TensorFlow's libraries. Returns its exit code, or undefined if no
 * restart was needed.
 */
export async function restartWithLibraries(): Promise<number | undefined> {
  const environment = missingEnvironment(readNativeSetup());
  if (environment === undefined) return undefined;
  const child = spawn(process.execPath, [...process.execArgv, ...process.argv.slice(1)], {
    env: environment,
    stdio: "inherit",
  });
  process.on("SIGINT", () => {}); // Ctrl-C reaches the child directly
  process.on("SIGTERM", () => child.kill("SIGTERM"));
  const [code] = await once(child, "exit");
  return typeof code === "number" ? code : 1;
}
