import { createHash } from "node:crypto";
import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { availableParallelism, cpus } from "node:os";
import { dirname, join } from "node:path";
import { env } from "onnxruntime-node";
import * as z from "zod";
import { precisions } from "../../shared/contract.ts";
import type { EncoderBundle } from "../bundle.ts";
import type { EngineChoice, OnnxDevice, Precision, PrecisionChoice } from "../engine.ts";
import { cacheFolder, readNativeSetup } from "../engines/native-setup.ts";

const memorySchema = z.strictObject({ precision: z.enum(precisions) });

/** The precision of a single engine on this machine; undefined if it has yet to be measured. */
export async function expectedPrecision(
  bundle: EncoderBundle,
  { engine, device, precision }: { engine: EngineChoice; device: OnnxDevice; precision: PrecisionChoice },
): Promise<Precision | undefined> {
  if (precision !== "auto") return precision;
  const isTensorFlow = engine === "tensorflow" || (engine === "auto" && readNativeSetup()?.kind === "gpu");
  if (isTensorFlow || device !== "cpu" || bundle.manifest.encoder.ranges === undefined) return "float32";
  return recallPrecision(bundle, availableParallelism());
}

/** The precision that was measured to be better on this machine; undefined if none was, or it cannot be read. */
export async function recallPrecision(bundle: EncoderBundle, threads: number): Promise<Precision | undefined> {
  try {
    return memorySchema.parse(JSON.parse(await readFile(pathOf(bundle, threads), "utf8"))).precision;
  } catch {
    return undefined;
  }
}

/** Keeps a measured precision for the next start; on a read-only disk that start measures again. */
export async function rememberPrecision(
  bundle: EncoderBundle,
  { threads, precision }: { threads: number; precision: Precision },
): Promise<void> {
  const path = pathOf(bundle, threads);
  const partial = `${path}.${process.pid}.partial`;
  try {
    await mkdir(dirname(path), { recursive: true });
    await writeFile(partial, JSON.stringify({ precision } satisfies z.infer<typeof memorySchema>));
    await rename(partial, path);
  } catch {
    // the next start measures again
  }
}

function pathOf({ revision }: EncoderBundle, threads: number): string {
  const machine = JSON.stringify([cpus().map(({ model }) => model), threads, env.versions, process.versions.modules]);
  const name = createHash("sha256").update(`${revision} ${machine}`).digest("hex").slice(0, 16);
  return join(cacheFolder(), "precision", `${name}.json`);
}
