import { readFile } from "node:fs/promises";
import { join } from "node:path";
import * as z from "zod";
import { writeWhole } from "../../files/write-whole.ts";
import type { Dependencies } from "../stage-record.ts";
import { type MergeSpec, type MergeValues, type WeightName, weightNames, weightShapes } from "./merge-model.ts";
import { type EpochMetrics, epochMetricsSchema } from "./metrics.ts";
import { decodeSafetensors, encodeSafetensors, type Tensors } from "./safetensors.ts";
import type { TrainerState } from "./trainer.ts";

const fileName = "checkpoint.safetensors";

/** A run's state at the end of an epoch: everything that the next epoch and the choice among epochs depend on. */
export interface Checkpoint {
  state: TrainerState;
  /** For each phase that has begun, the weights of the epoch of it that would be kept so far. */
  best: MergeValues[];
  /** One entry per finished epoch. */
  metrics: EpochMetrics[];
}

/** The file's metadata, beside the arrays. */
const notesSchema = z.strictObject({
  /** The run's dependencies as its stage records them: a run only continues from its own checkpoint. */
  dependencies: z.string(),
  steps: z.string().transform(Number).pipe(z.int().nonnegative()),
  /** How many phases have begun. */
  phases: z.string().transform(Number).pipe(z.int().positive()),
  metrics: z.string().transform((text) => z.array(epochMetricsSchema).parse(JSON.parse(text))),
});

/** Replaces the folder's checkpoint atomically: after a kill at any time, the last one or this one is there. */
export async function writeCheckpoint(
  folder: string,
  { state, best, metrics }: Checkpoint,
  { spec, dependencies }: { spec: MergeSpec; dependencies: Dependencies },
): Promise<void> {
  const { weights, average, moments } = state;
  const groups = {
    ...{ weights, average, "adam/first": moments.first, "adam/second": moments.second },
    ...Object.fromEntries(best.map((values, phase) => [bestOf(phase), values])),
  };
  const shapes = weightShapes(spec);
  const values = new Map<string, { shape: readonly number[]; data: Float32Array }>();
  for (const [group, own] of Object.entries<Partial<MergeValues> | undefined>(groups)) {
    for (const name of weightNames) {
      const data = own?.[name];
      if (data !== undefined) values.set(`${group}/${name}`, { shape: shapes[name], data });
    }
  }
  const metadata = {
    dependencies: JSON.stringify(dependencies),
    steps: String(state.steps),
    phases: String(best.length),
    metrics: JSON.stringify(metrics),
  };
  await writeWhole(join(folder, fileName), encodeSafetensors({ values, metadata }));
}

/** Reads the folder's checkpoint, if it belongs to a run with these dependencies. */
export async function readCheckpoint(folder: string, dependencies: Dependencies): Promise<Checkpoint | undefined> {
  const path = join(folder, fileName);
  const bytes = await readFile(path).catch(() => undefined);
  if (bytes === undefined) return undefined;
  try {
    const tensors = decodeSafetensors(bytes);
    const notes = notesSchema.parse(tensors.metadata);
    if (notes.dependencies !== JSON.stringify(dependencies)) return undefined;
    const average = groupOf(tensors, "average");
    const state: TrainerState = {
      weights: wholeGroup(tensors, "weights"),
      ...(average["dense/bias"] === undefined ? {} : { average: wholeGroup(tensors, "average") }),
      steps: notes.steps,
      moments: { first: groupOf(tensors, "adam/first"), second: groupOf(tensors, "adam/second") },
    };
    const best = Array.from({ length: notes.phases }, (_, phase) => wholeGroup(tensors, bestOf(phase)));
    return { state, best, metrics: notes.metrics };
  } catch (cause) {
    throw new Error(`${path}: is damaged: delete it to start over`, { cause });
  }
}

/** The group of a phase's best weights. */
function bestOf(phase: number): string {
  return `best/${phase}`;
}

function groupOf({ values }: Tensors, group: string): Partial<MergeValues> {
  return Object.fromEntries(
    weightNames.flatMap((name): [WeightName, Float32Array][] => {
      const found = values.get(`${group}/${name}`);
      return found === undefined ? [] : [[name, found.data]];
    }),
  );
}

function wholeGroup(tensors: Tensors, group: string): MergeValues {
  const values = groupOf(tensors, group);
  const missing = weightNames.find((name) => values[name] === undefined);
  if (missing !== undefined) throw new Error(`expected ${group}/${missing}, found none`);
  return values as MergeValues; // none is missing
}
