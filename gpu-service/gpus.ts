import { execFile } from "node:child_process";
import { promisify } from "node:util";
import type { EngineChoice } from "./engine.ts";
import { readNativeSetup } from "./native-setup.ts";

/** The GPUs that engines of this choice would see, as `CUDA_VISIBLE_DEVICES` names them; none where they would use none. */
export async function visibleGpus(
  choice: EngineChoice,
  environment: NodeJS.ProcessEnv = process.env,
): Promise<string[]> {
  if (choice === "onnx" || readNativeSetup()?.kind !== "gpu") return [];
  const { CUDA_VISIBLE_DEVICES } = environment;
  if (CUDA_VISIBLE_DEVICES !== undefined) return CUDA_VISIBLE_DEVICES.split(",").filter((gpu) => gpu !== "");
  try {
    const { stdout } = await promisify(execFile)("nvidia-smi", ["--query-gpu=uuid", "--format=csv,noheader"]);
    return stdout.split("\n").filter((uuid) => uuid !== "");
  } catch {
    return []; // no driver: the engine says so when it finds no GPU
  }
}
