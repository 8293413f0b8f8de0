import { writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { exportBundle } from "../../training/export.ts";
import { features } from "../../training/features.ts";
import { fit } from "../../training/fit.ts";
import { prepare } from "../../training/prepare.ts";
import { runStages } from "../../training/run-stages.ts";
import { defaultSettings, type TrainSettings } from "../../training/settings.ts";
import type { Stage, TrainRequest } from "../../training/stage.ts";
import { temporaryFolder, tinyBundle } from "../fixtures/bundles.ts";
import { madePhotos } from "../fixtures/made-images.ts";
import { makeJsonl, oneSource } from "./made-dataset.ts";
import { listen } from "./run-prepare.ts";

const learnt = [
  "A brown dog runs over the green grass .",
  "A zebra and a brown dog stand on the green grass .",
  "A zebra sits in the grass .",
];

/** Photos with three captions each, by the splits given. */
export async function makeData(
  splits: readonly string[],
  captions: readonly string[] = learnt,
  { seed = 1 } = {},
): Promise<string> {
  const data = await makeJsonl(splits.map((split, index) => ({ image: `${index}.jpg`, captions, split })));
  for (const [index, bytes] of (await madePhotos(splits.length, { width: 60, height: 40, seed })).entries()) {
    await writeFile(join(dirname(data), `${index}.jpg`), bytes);
  }
  return data;
}

export interface Asked extends Partial<TrainSettings> {
  data?: string;
  stages?: readonly Stage[];
}

/** Runs stages, all of them if none are named, and returns the output folder and what they said. */
export async function train({ data, stages, ...settings }: Asked): Promise<TrainRequest & { said: string }> {
  const heard = listen();
  const context = {
    data: oneSource(data ?? (await makeData(["train", "train", "dev"]))),
    out: await temporaryFolder(),
    settings: { ...defaultSettings, ...{ minCount: 2, encoder: tinyBundle, epochs: 2, units: 16, embeddingSize: 8 } },
  };
  Object.assign(context.settings, settings);
  await runStages(stages ?? [prepare, features, fit, exportBundle], context);
  return { ...context, said: heard() };
}
