import { execFile } from "node:child_process";
import { promisify } from "node:util";

/** The GPUs of this machine as `CUDA_VISIBLE_DEVICES` names them, or those that it leaves; none where there is no driver. */
export async function visibleGpus(environment: NodeJS.ProcessEnv = process.env): Promise<string[]> {
  const { CUDA_VISIBLE_DEVICES } = environment;
  if (CUDA_VISIBLE_DEVICES !== undefined) return namesIn(CUDA_VISIBLE_DEVICES.split(","));
  try {
    const query = ["--query-gpu=uuid", "--format=csv,noheader"];
    const { stdout } = await promisify(execFile)("nvidia-smi", query, { env: environment });
    return namesIn(stdout.split("\n"));
  } catch {
    return []; // the engine says so when it finds no GPU
  }
}

function namesIn(texts: readonly string[]): string[] {
  return texts.map((text) => text.trim()).filter((text) => text !== "");
}
