import { mkdir, readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import * as z from "zod";
import { digestFile, type FileDigest } from "../files/regular-file.ts";
import { writeTogether } from "../files/write-whole.ts";

const recordName = "settings.json";

/**
 * Contents of `settings.json`, which is written last, beside a stage's outputs: what they were made with, and their
 * digests.
 */
const recordSchema = z.strictObject({
  /** Raised when a stage's outputs change their meaning. */
  formatVersion: z.literal(1),
  settings: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])),
  /** Inputs by name: SHA-256 of contents, or of names, sizes and times if reading everything would take long. */
  inputs: z.record(z.string(), z.string()),
  outputs: z.record(z.string(), z.strictObject({ bytes: z.number(), sha256: z.string() })),
});

type StageRecord = z.infer<typeof recordSchema>;

/** What a stage's outputs depend on. */
export type Dependencies = Pick<StageRecord, "settings" | "inputs">;

/** What a stage hands over for writing. */
export interface StageOutputs {
  /** Contents of files by name. */
  files: Record<string, Iterable<string | Uint8Array>>;
  /** Names of outputs that are on disk already. */
  written?: readonly string[];
}

/**
 * Records of stages during a run. Outputs are hashed only once, since hashing the features of many photos takes a
 * while.
 */
export class StageRecords {
  readonly #read = new Map<string, Promise<StageRecord | undefined>>();

  /** Reads the record in a folder; undefined unless all outputs are there, unchanged. */
  read(folder: string): Promise<StageRecord | undefined> {
    const known = this.#read.get(folder) ?? readWhole(folder);
    this.#read.set(folder, known);
    return known;
  }

  /** Returns the outputs that a stage has recorded. Throws a sentence unless all are there, unchanged. */
  async outputsOf(stageName: string, folder: string): Promise<StageRecord["outputs"]> {
    const record = await this.read(folder);
    if (record !== undefined) return record.outputs;
    throw new Error(
      `${folder}: expected what ${stageName} writes, found none or part of it: run the stage ${stageName} first`,
    );
  }

  /** Forgets a folder's record, after its stage has written a new one. */
  forget(folder: string): void {
    this.#read.delete(folder);
  }
}

/** Whether a record was made with exactly these dependencies. */
export function isMadeWith(record: StageRecord, { settings, inputs }: Dependencies): boolean {
  return (
    isDeepStrictEqual({ ...record.settings }, { ...settings }) && isDeepStrictEqual({ ...record.inputs }, { ...inputs })
  );
}

/**
 * Writes a stage's outputs and the record of what they depend on. They take their names only when all are on disk, the
 * record last: a kill between two renames leaves files that do not match the record, which counts as not done.
 */
export async function writeOutputs(
  folder: string,
  { dependencies, files, written = [] }: StageOutputs & { dependencies: Dependencies },
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

async function readWhole(folder: string): Promise<StageRecord | undefined> {
  try {
    const record = recordSchema.parse(JSON.parse(await readFile(join(folder, recordName), "utf8")));
    return (await isWhole(folder, record)) ? record : undefined;
  } catch {
    return undefined; // there is none, or none that this version wrote: either way the stage has to run
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
