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

/** A run at the end of an epoch: all that the next epoch and the choice among epochs depend on. */
export interface Checkpoint {
  state: TrainerState;
  /** The weights of the epoch that is to be kept, so far. */
  best: MergeValues;
  /** An entry an epoch done. */
  metrics: EpochMetrics[];
}

/** Next to the arrays, in the file's metadata. */
const notesSchema = z.strictObject({
  /** What the run depends on, as its stage records it: a run goes on only from one of its own. */
  dependencies: z.string(),
  steps: z.string().transform(Number).pipe(z.int().nonnegative()),
  metrics: z.string().transform((text) => z.array(epochMetricsSchema).parse(JSON.parse(text))),
});

/** Replaces the folder's checkpoint at once: whenever a kill comes, the last one or this one is there. */
export async function writeCheckpoint(
  folder: string,
  { state, best, metrics }: Checkpoint,
  { spec, dependencies }: { spec: MergeSpec; dependencies: Dependencies },
): Promise<void> {
  const { weights, average, moments } = state;
  const groups = { weights, average, "adam/first": moments.first, "adam/second": moments.second, best };
  const shapes = weightShapes(spec);
  const values = new Map<string, { shape: readonly number[]; data: Float32Array }>();
  for (const [group, own] of Object.entries(groups)) {
    for (const name of weightNames) {
      const data = own?.[name];
      if (data !== undefined) values.set(`${group}/${name}`, { shape: shapes[name], data });
    }
  }
  const metadata = {
    dependencies: JSON.stringify(dependencies),
    steps: String(state.steps),
    metrics: JSON.stringify(metrics),
  };
  await writeWhole(join(folder, fileName), encodeSafetensors({ values, metadata }));
}

/** The folder's checkpoint, if it has one of a run with these dependencies. */
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
    return { state, best: wholeGroup(tensors, "best"), metrics: notes.metrics };
  } catch (cause) {
    throw new Error(`${path}: is damaged: delete it to begin anew`, { cause });
  }
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
