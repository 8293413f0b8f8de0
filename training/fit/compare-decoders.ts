import * as z from "zod";
import type { LayersModel } from "../../captioner/networks/layers-model.ts";
import type { Manifest } from "../../shared/manifest.ts";
import type { Vocabulary } from "../../shared/vocabulary.ts";
import type { PhotoFeatures } from "../features/photo-features.ts";
import type { Rehearsal } from "../rehearsal.ts";
import { searches } from "../score/score-captions.ts";
import { captionFeatures } from "./decode-features.ts";
import { Scorer } from "./scorer.ts";

const beam = searches["beam 3"];
const countSchema = z.int().nonnegative();
const changeSchema = z.strictObject({ photos: countSchema, changed: countSchema });

/** Contents of `learnt.json`: how training that continued from a bundle changed the captions, with beam 3. */
export const decoderComparisonSchema = z.strictObject({
  /** Number of training photos, and how many of them have a different caption now. */
  own: changeSchema,
  /** New words: how many training captions contain each, and how many photos' captions now use it. */
  newWords: z.array(z.strictObject({ word: z.string(), captions: countSchema, said: countSchema })),
  /** Number of rehearsed photos, and how many of them have a different caption now. */
  rehearsal: changeSchema.optional(),
  /** CIDEr as a fraction, for each data set with dev photos. */
  dev: z.array(z.strictObject({ dataset: z.string(), photos: countSchema, before: z.number(), after: z.number() })),
});

export type DecoderComparison = z.infer<typeof decoderComparisonSchema>;

/** A decoder, its vocabulary, and the word detectors that guide its search, where there are some. */
interface Speaker {
  model: LayersModel;
  vocabulary: Vocabulary;
  evidence: LayersModel | undefined;
}

interface Compared {
  before: Speaker;
  after: Speaker;
  search: Manifest["search"];
  own: PhotoFeatures;
  dev: PhotoFeatures;
  rehearsal: Rehearsal | undefined;
}

/** Captions photos with the decoder before and after training, and compares. */
export async function compareDecoders({
  before,
  after,
  search,
  own,
  dev,
  rehearsal,
}: Compared): Promise<DecoderComparison> {
  const say = ({ model, ...others }: Speaker, photos: Pick<PhotoFeatures, "features" | "featureSize">) =>
    captionFeatures(model, photos, { ...others, search, beam });
  const [then, now] = [await say(before, own), await say(after, own)];
  const learnt = own.photos.flatMap(({ captions }) => captions.map(({ words }) => new Set(words)));
  const newWords = after.vocabulary.words.slice(before.vocabulary.size).map((word) => ({
    word,
    captions: learnt.filter((words) => words.has(word)).length,
    said: now.filter((words) => words.includes(word)).length,
  }));
  return {
    own: changeOf(then, now),
    newWords: newWords.toSorted((one, other) => other.captions - one.captions),
    ...(rehearsal === undefined
      ? {}
      : { rehearsal: changeOf(await say(before, rehearsal), await say(after, rehearsal)) }),
    dev: dev.photos.length === 0 ? [] : await compareScores(dev, { before, after, search }),
  };
}

async function compareScores(
  dev: PhotoFeatures,
  { before, after, search }: Pick<Compared, "before" | "after" | "search">,
): Promise<DecoderComparison["dev"]> {
  const score = async ({ model, ...others }: Speaker) =>
    (await new Scorer(dev, { ...others, search }).scoreModel(model, beam)).sets;
  const [then, now] = [await score(before), await score(after)];
  return [...now].map(([dataset, { cider }]) => ({
    dataset,
    photos: dev.photos.filter((photo) => (photo.dataset ?? "") === dataset).length,
    before: then.get(dataset)?.cider ?? 0,
    after: cider,
  }));
}

function changeOf(then: readonly string[][], now: readonly string[][]): z.infer<typeof changeSchema> {
  return {
    photos: now.length,
    changed: now.filter((words, photo) => words.join(" ") !== then[photo]?.join(" ")).length,
  };
}

/** Number of new words that are printed; the file has all. */
const wordsTold = 12;

/** Formats what was learnt and what it cost. */
export function describeComparison({ own, newWords, rehearsal, dev }: DecoderComparison): string {
  const told = newWords
    .slice(0, wordsTold)
    .map(
      ({ word, captions, said }) => `${word} (in ${captions} captions learnt; said of ${said} of ${own.photos} photos)`,
    );
  const more = newWords.length > wordsTold ? ` and ${newWords.length - wordsTold} more` : "";
  const lines = [
    `learnt: ${own.changed} of ${own.photos} training photos have another caption than before`,
    newWords.length === 0 ? "no new words" : `new words: ${told.join(", ")}${more}`,
    ...(rehearsal === undefined
      ? []
      : [`elsewhere: ${rehearsal.changed} of ${rehearsal.photos} rehearsed photos have another caption than before`]),
    ...dev.map(({ dataset, photos, before, after }) => {
      const figures = `CIDEr ${(100 * before).toFixed(1)} before, ${(100 * after).toFixed(1)} now`;
      return `${dataset === "" ? "dev" : `${dataset} dev`}, ${photos} photos: ${figures}`;
    }),
  ];
  return lines.map((line) => `${line}\n`).join("");
}

/** Returns advice if nothing was learnt; undefined if something was. */
export function describeNoChange({ own }: DecoderComparison): string | undefined {
  if (own.changed > 0) return undefined;
  return (
    `nothing was learnt: all ${own.photos} training photos have the captions that they had before. ` +
    "Add photos, or captions that say something new, or raise --epochs or --learning-rate"
  );
}
