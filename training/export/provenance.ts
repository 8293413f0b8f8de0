import { basename } from "node:path";
import { openBundle } from "../../gpu-service/bundle.ts";
import { nameSources } from "../data-source.ts";
import type { Recipe } from "../fit/recipe.ts";
import { digestFile } from "../output-file.ts";
import type { Prepared } from "../prepared.ts";
import type { TrainContext } from "../stage.ts";

/** Where a decoder comes from, for its manifest: data with digests, recipe, word vectors, what it went on from. */
export async function decoderProvenance(
  { data, settings }: TrainContext,
  { prepared, recipe }: { prepared: Prepared; recipe: Recipe },
): Promise<string[]> {
  const { trainingPhotos, trainingCaptions, cleaning, minCount, sources } = prepared.summary;
  const digests = Object.entries(sources).map(([name, sha256]) => `${name} sha256 ${sha256}`);
  const { seed, flips } = settings;
  return [
    `Decoder: merge model of Tanti et al. 2018, trained on ${trainingCaptions} captions of ${trainingPhotos} photos of ` +
      `${nameSources(data).join(", ")}${flips ? " and their mirror images" : ""}, ${cleaning} cleaning, words seen ${minCount} times or more.`,
    `Data: ${digests.join(", ")}.`,
    `Recipe: ${JSON.stringify(recipe)}, seed ${seed}.`,
    ...(await wordVectorProvenance(settings.wordVectors, settings.tuneEmbeddings)),
    ...(settings.from === undefined ? [] : [await origin(settings.from)]),
  ];
}

async function wordVectorProvenance(path: string | undefined, isTuned: boolean): Promise<string[]> {
  if (path === undefined) return [];
  const { sha256 } = await digestFile(path);
  const source = /glove/i.test(basename(path)) ? "GloVe (Pennington, Socher, Manning 2014; PDDL)" : "Word vectors";
  return [`${source}: ${basename(path)} sha256 ${sha256}${isTuned ? ", learnt on" : ""}.`];
}

async function origin(folder: string): Promise<string> {
  const { manifest, revision } = await openBundle(folder);
  return `Went on from ${manifest.id}, revision ${revision}.`;
}
