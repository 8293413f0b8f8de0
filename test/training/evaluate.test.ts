import { readFile, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { expect, test } from "vitest";
import { evaluationSchema } from "../../training/evaluate/evaluate-captions.ts";
import { evaluate } from "../../training/evaluate.ts";
import { prepare } from "../../training/prepare.ts";
import { runStages } from "../../training/run-stages.ts";
import { defaultSettings } from "../../training/settings.ts";
import type { TrainRequest } from "../../training/stage.ts";
import { temporaryFolder, tinyBundle } from "../fixtures/bundles.ts";
import { madePhotos } from "../fixtures/made-images.ts";
import { enoughCaptions, makeJsonl } from "./made-dataset.ts";
import { listen } from "./run-prepare.ts";

/** Three photos of these splits, with captions of their own; `offset` tells them from those of other calls. */
async function makeData(splits: readonly string[], offset: number): Promise<string> {
  const names = splits.map((_, index) => `${index}.jpg`);
  const path = await makeJsonl(
    names.map((image, index) => ({ image, captions: enoughCaptions.slice(index % 2), split: splits[index] })),
  );
  const photos = (await madePhotos(offset + names.length)).slice(offset);
  for (const [index, bytes] of photos.entries()) await writeFile(join(dirname(path), names[index] ?? ""), bytes);
  return path;
}

async function evaluated(data: TrainRequest["data"]) {
  const context: TrainRequest = {
    data,
    out: await temporaryFolder(),
    settings: { ...defaultSettings, minCount: 1, encoder: tinyBundle, bundle: tinyBundle },
  };
  const heard = listen();
  await runStages([prepare, evaluate], context);
  const scores = evaluationSchema.parse(JSON.parse(await readFile(join(context.out, "evaluate/scores.json"), "utf8")));
  return { said: heard(), scores };
}

test("each of several data sets is scored by itself, one without test photos on its dev photos", async () => {
  const [one, other] = [await makeData(["train", "test", "test"], 0), await makeData(["train", "dev", "dev"], 3)];
  const source = (path: string, isDev = false) => ({ path, weight: 1, isDev });
  const both = await evaluated([source(one), source(other, true)]);
  const alone = await evaluated([source(one)]);

  const { others = [], dataset, ...first } = both.scores;
  expect(dataset).toBe(nameOf(one));
  expect(first).toEqual(alone.scores);
  expect(others.map(({ dataset: name, split, photos }) => [name, split, photos])).toEqual([[nameOf(other), "dev", 3]]);
  expect(both.said).toMatch(
    new RegExp(`, 2 test photos of ${nameOf(one)}\n(.*\n)+.*, 3 dev photos of ${nameOf(other)}\n`),
  );
});

/** Of a data set in a file `captions.jsonl`. */
function nameOf(path: string): string {
  return basename(dirname(path));
}
