import { mkdir, readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import * as z from "zod";
import { digestFile, type FileDigest } from "../files/regular-file.ts";
import { writeTogether } from "../files/write-whole.ts";

const recordName = "settings.json";

/** `settings.json`, beside a stage's outputs and written last: what they were made with, and what they are. */
const recordSchema = z.strictObject({
  /** Raised when a stage's outputs mean something else than before. */
  formatVersion: z.literal(1),
  settings: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])),
  /** What was read, by name: SHA-256 of contents, or of names, sizes and times where reading all would take long. */
  inputs: z.record(z.string(), z.string()),
  outputs: z.record(z.string(), z.strictObject({ bytes: z.number(), sha256: z.string() })),
});

type StageRecord = z.infer<typeof recordSchema>;

/** What a stage's outputs depend on. */
export type Dependencies = Pick<StageRecord, "settings" | "inputs">;

/** Whether a stage's outputs are whole and made from just this. */
export async function isRecorded(folder: string, { settings, inputs }: Dependencies): Promise<boolean> {
  const record = await readRecord(folder);
  return (
    record !== undefined &&
    isDeepStrictEqual({ ...record.settings }, { ...settings }) &&
    isDeepStrictEqual({ ...record.inputs }, { ...inputs }) &&
    (await isWhole(folder, record))
  );
}

/** What a stage has recorded of its outputs. Throws a sentence where they are not all there, unchanged. */
export async function readOutputs(folder: string, stageName: string): Promise<StageRecord["outputs"]> {
  const record = await readRecord(folder);
  if (record !== undefined && (await isWhole(folder, record))) return record.outputs;
  throw new Error(
    `${folder}: expected what ${stageName} writes, found none or part of it: run the stage ${stageName} first`,
  );
}

/**
 * Writes a stage's outputs and the record of what they depend on. They take their names only when all are on disk, the
 * record last: a kill between two renames leaves files that the record does not fit, which counts as not done.
 */
export async function writeOutputs(
  folder: string,
  {
    dependencies,
    files,
    written = [],
  }: {
    dependencies: Dependencies;
    files: Record<string, Iterable<string | Uint8Array>>;
    /** Outputs that are on the disk already. */
    written?: readonly string[];
  },
): Promise<void> {
  for (const name of Object.keys(files)) await mkdir(dirname(join(folder, name)), { recursive: true });
  await writeTogether(async (write) => {
    const outputs: Record<string, FileDigest> = {};
    for (const [name, contents] of Object.entries(files)) outputs[name] = await write(join(folder, name), contents);
    for (const name of written) outputs[name] = await digestFile(join(folder, name));
    const record: StageRecord = { formatVersion: 1, ...dependencies, outputs };
    await write(join(folder, recordName), [`${JSON.stringify(record, null, 2)}\n`]);
  });
}

async function readRecord(folder: string): Promise<StageRecord | undefined> {
  try {
    return recordSchema.parse(JSON.parse(await readFile(join(folder, recordName), "utf8")));
  } catch {
    return undefined; // none, or none that this version wrote: either way the stage is to be run
  }
}

async function isWhole(folder: string, { outputs }: StageRecord): Promise<boolean> {
  for (const [name, recorded] of Object.entries(outputs)) {
    try {
      if (!isDeepStrictEqual(await digestFile(join(folder, name)), { ...recorded })) return false;
    } catch {
      return false; // it is gone
    }
  }
  return true;
}
