import { basename } from "node:path";
import type { Bundle } from "../../captioner/bundle.ts";
import { digestFile } from "../../files/regular-file.ts";
import { nameSources } from "../dataset.ts";
import type { Recipe } from "../fit/recipe.ts";
import type { Prepared } from "../prepared.ts";
import { knownWordsBeside } from "../sentences/read-words.ts";
import type { TrainSettings } from "../settings.ts";
import type { TrainContext } from "../stage.ts";

/**
 * Describes where a decoder comes from, for its manifest: data with digests, recipe, word vectors, the bundle that
 * training continued from.
 */
export async function decoderProvenance(
  { data, settings, bundles }: TrainContext,
  { prepared, recipe }: { prepared: Prepared; recipe: Recipe },
): Promise<string[]> {
  const { cleaning, minCount, sources } = prepared.summary;
  const digests = Object.entries(sources).map(([name, sha256]) => `${name} sha256 ${sha256}`);
  const { seed, flips } = settings;
  const from = await bundles.from();
  return [
    `Decoder: merge model of Tanti et al. 2018, trained on ${trainingOf(prepared, data)}${flips ? " and their mirror images" : ""}, ` +
      `${cleaning} cleaning, words seen ${minCount} times or more.`,
    `Data: ${digests.join(", ")}.`,
    ...(await sentenceProvenance(settings)),
    `Recipe: ${JSON.stringify(recipe)}, seed ${seed}.`,
    ...(await wordVectorProvenance(settings.wordVectors, settings.tuneEmbeddings)),
    ...(from === undefined ? [] : [describeOrigin(from)]),
  ];
}

/**
 * Describes the training data, like `30000 captions of 6000 photos of flickr8k`, and how many sentences were chosen for
 * how many photos.
 */
function trainingOf({ photos }: Prepared, data: TrainContext["data"]): string {
  const training = photos.filter(({ split }) => split === "train");
  const written = training.filter(({ hasPseudoCaptions }) => hasPseudoCaptions === undefined);
  const others = training.filter(({ hasPseudoCaptions }) => hasPseudoCaptions === true);
  const captionsOf = (some: typeof photos) => some.reduce((sum, { captions }) => sum + captions.length, 0);
  const names = nameSources(data).filter((_, index) => data[index]?.isDev === false);
  const parts = [
    ...(written.length === 0
      ? []
      : [`${captionsOf(written)} captions of ${written.length} photos of ${names.join(", ")}`]),
    ...(others.length === 0 ? [] : [`${captionsOf(others)} sentences chosen for ${others.length} photos`]),
  ];
  return parts.join(" and ");
}

async function sentenceProvenance({ text, words, keywords, sentenceWeight }: TrainSettings): Promise<string[]> {
  if (words.length + keywords.length === 0) return [];
  const named = async (paths: readonly string[]) => {
    const digests = paths.map(async (path) => `${basename(path)} sha256 ${(await digestFile(path)).sha256}`);
    return Promise.all(digests);
  };
  const chosenBy = [
    ...(await named([...words, ...knownWordsBeside(words)])),
    ...(keywords.length === 0 ? [] : ["keywords in the photos"]),
  ];
  return [
    `Sentences, at weight ${sentenceWeight}: of ${(await named(text)).join(", ")}; chosen by ${chosenBy.join(", ")}.`,
  ];
}

async function wordVectorProvenance(path: string | undefined, isTuned: boolean): Promise<string[]> {
  if (path === undefined) return [];
  const { sha256 } = await digestFile(path);
  const source = /glove/i.test(basename(path)) ? "GloVe (Pennington, Socher, Manning 2014; PDDL)" : "Word vectors";
  return [`${source}: ${basename(path)} sha256 ${sha256}${isTuned ? ", learnt on" : ""}.`];
}

function describeOrigin({ manifest, revision }: Bundle): string {
  return `Went on from ${manifest.id}, revision ${revision}.`;
}
