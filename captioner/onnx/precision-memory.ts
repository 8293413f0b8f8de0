import { createHash } from "node:crypto";
import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { cpus } from "node:os";
import { dirname, join } from "node:path";
import { env } from "onnxruntime-node";
import * as z from "zod";
import { precisions } from "../../shared/contract.ts";
import type { EncoderBundle } from "../bundle.ts";
import { cacheFolder } from "../cache-folder.ts";
import type { Precision } from "../engine.ts";

const memorySchema = z.strictObject({ precision: z.enum(precisions) });

/** What was measured on this machine with this bundle; undefined where nothing was, or it cannot be read. */
export async function recallPrecision(bundle: EncoderBundle, threads: number): Promise<Precision | undefined> {
  try {
    return memorySchema.parse(JSON.parse(await readFile(pathOf(bundle, threads), "utf8"))).precision;
  } catch {
    return undefined;
  }
}

/** Keeps it for the next start, where there is a folder to keep it in: on a read-only disk it is measured again. */
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
    // the next start measures
  }
}

function pathOf({ revision }: EncoderBundle, threads: number): string {
  const machine = JSON.stringify([cpus().map(({ model }) => model), threads, env.versions, process.versions.modules]);
  const name = createHash("sha256").update(`${revision} ${machine}`).digest("hex").slice(0, 16);
  return join(cacheFolder(), "precision", `${name}.json`);
}
