import { mkdir, readFile, writeFile } from "node:fs/promises";
import { availableParallelism, cpus, totalmem } from "node:os";
import { dirname, join } from "node:path";
import * as z from "zod";
import { repository } from "../repository.ts";

/** What measuring commands write with `--record`, and `npm run docs` makes tables of. */
const resultsFolder = join(repository, "docs/results");

const originSchema = z.strictObject({ machine: z.string(), date: z.iso.date() });

const countsSchema = z.record(z.string(), z.int());

const benchResultSchema = z.strictObject({
  name: z.string(),
  about: z.string(),
  number: z.number(),
  ours: z.string(),
  peer: z.string(),
  /** Where and when, if not in the whole run. */
  apart: originSchema.optional(),
});

/** `bench.json`, of a whole `npm run bench`, and of benches that were run apart since. */
export const benchResultsSchema = originSchema.extend({ results: z.array(benchResultSchema) });

const loadResultSchema = z.strictObject({
  load: z.string(),
  clients: z.int(),
  seconds: z.number(),
  captionsPerSecond: z.number(),
  p50Ms: z.number(),
  p99Ms: z.number(),
  longestMs: z.number(),
  /** Share of the captions that came from a cache. */
  hits: z.number(),
  refused: countsSchema,
  lost: z.int(),
});

/** `load.json`, of `npm run tool -- load`. */
export const loadResultsSchema = originSchema.extend({ loads: z.array(loadResultSchema) });

/** Resident MiB. */
const memorySchema = z.strictObject({ edge: z.number(), wrangler: z.number(), service: z.number() });

/** `soak.json`, of `npm run tool -- load soak`: memory at the end of each tenth of the time, and by how much it has grown. */
export const soakResultsSchema = originSchema.extend({
  load: loadResultSchema,
  tenths: z.array(memorySchema.extend({ minute: z.number() })),
  growth: memorySchema,
});

const tallySchema = z.strictObject({
  sent: z.int(),
  answered: z.int(),
  refused: countsSchema,
  lost: z.int(),
  cutOff: z.int(),
});

/** `chaos.json`, of a whole `npm run chaos`. */
export const chaosResultsSchema = originSchema.extend({
  faults: z.array(
    z.strictObject({
      name: z.string(),
      about: z.string(),
      promise: z.string(),
      known: tallySchema,
      new: tallySchema,
      /** Seconds until new photos were captioned again; null if they never were. */
      recoverySeconds: z.number().nullable(),
      broken: z.array(z.string()),
    }),
  ),
});

export type BenchResults = z.infer<typeof benchResultsSchema>;
export type LoadResult = z.infer<typeof loadResultSchema>;
export type SoakResults = z.infer<typeof soakResultsSchema>;
export type FaultResult = z.infer<typeof chaosResultsSchema>["faults"][number];

/** Describes this machine, like `2 cores of …, 24 GiB, Node 20.20.2`. */
export function describeMachine(): string {
  const [processor] = cpus();
  const memory = Math.round(totalmem() / 2 ** 30);
  return `${availableParallelism()} cores of ${processor?.model.trim()}, ${memory} GiB, Node ${process.versions.node}`;
}

/** Describes where and when something is being measured. */
export function originNow(): z.infer<typeof originSchema> {
  return { machine: describeMachine(), date: new Date().toISOString().slice(0, 10) };
}

/** Writes what a command has measured, by default here and now. */
export async function writeResults(name: string, results: object, origin = originNow()): Promise<void> {
  const path = join(resultsFolder, name);
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, `${JSON.stringify({ ...origin, ...results }, null, 2)}\n`);
  console.log(`\nrecorded: ${path}; npm run docs brings the tables up to date`);
}

/** Reads results. Throws an error that names the file if they are not of the schema. */
export async function readResults<T>(name: string, schema: z.ZodType<T>): Promise<T> {
  const path = join(resultsFolder, name);
  const parsed = schema.safeParse(JSON.parse(await readFile(path, "utf8")));
  if (parsed.success) return parsed.data;
  throw new Error(`${path}: ${z.prettifyError(parsed.error)}`);
}
