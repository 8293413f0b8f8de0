import * as z from "zod";
import type { Bundle } from "../../captioner/bundle.ts";
import type { Candidate } from "../../shared/contract.ts";
import { cleanReferences, referencesOf } from "../fit/scorer.ts";
import { groupByDataset, type PreparedPhoto } from "../prepared.ts";
import { bootstrapIntervals } from "../score/bootstrap.ts";
import { byTenths, type RatedCaption, spearman } from "../score/confidence.ts";
import { contentPrecision, repeatsItself } from "../score/content-words.ts";
import type { SearchName } from "../score/score-captions.ts";
import { captionScoresSchema, prepareReferences, scoreAgainst } from "../score/score-captions.ts";

const intervalSchema = z.tuple([z.number(), z.number()]);

const searchEvaluationSchema = captionScoresSchema.extend({
  /** `greedy` or `beam <n>`. */
  search: z.string(),
  /** 95 % intervals, by bootstrap over the photos. */
  intervals: z.strictObject({
    bleu1: intervalSchema,
    bleu2: intervalSchema,
    bleu3: intervalSchema,
    bleu4: intervalSchema,
    rougeL: intervalSchema,
    cider: intervalSchema,
  }),
  /** Number of distinct captions. */
  captions: z.int(),
  /** Number of distinct words in them. */
  words: z.int(),
  /** Words per caption, on average. */
  meanLength: z.number(),
  /** How well confidence predicts the quality of a caption. */
  confidence: z.strictObject({
    /** Rank correlation of confidence and CIDEr; null if either is constant. */
    spearman: z.number().nullable(),
    /** Means over each tenth of the captions, the least confident first. */
    tenths: z.array(z.strictObject({ confidence: z.number(), contentPrecision: z.number(), cider: z.number() })),
  }),
  /** Share of captions that repeat a content word. */
  repeating: z.number(),
  /** Share of captions that equal a training caption after cleaning, word for word. */
  inTraining: z.number(),
});

const setEvaluationSchema = z.strictObject({
  model: z.string(),
  revision: z.string(),
  /** Name of the data set, if there are several. */
  dataset: z.string().optional(),
  split: z.string(),
  photos: z.int(),
  searches: z.array(searchEvaluationSchema),
});

/** Contents of `scores.json`: the first data set, and each of the others. */
export const evaluationSchema = setEvaluationSchema.extend({ others: z.array(setEvaluationSchema).optional() });

export type SearchEvaluation = z.infer<typeof searchEvaluationSchema>;
export type SetEvaluation = z.infer<typeof setEvaluationSchema>;
export type Evaluation = z.infer<typeof evaluationSchema>;

/** A search's caption of a photo. */
export type SearchedCaption = Pick<Candidate, "caption" | "confidence" | "words">;

interface EvaluationInput {
  /** Captions by search, in the photos' order. */
  captions: ReadonlyMap<SearchName, readonly SearchedCaption[]>;
  bundle: Bundle;
  split: string;
  /** Cleaned training captions, their words joined by spaces. */
  training: ReadonlySet<string>;
}

/**
 * Scores the captions of each search, and how well their confidence predicts their quality. Each data set is scored
 * separately, since CIDEr weights words by their frequency in a data set's references.
 */
export function evaluateCaptions(
  photos: readonly PreparedPhoto[],
  { captions, ...others }: EvaluationInput,
): Evaluation {
  const groups = groupByDataset(photos.map((photo, index) => ({ ...photo, index })));
  const [first, ...rest] = [...groups].map(([dataset, own]): SetEvaluation => {
    const ofSet = [...captions].map(
      ([search, found]) => [search, own.flatMap(({ index }) => found[index] ?? [])] as const,
    );
    const evaluation = evaluateSet(own, { ...others, captions: new Map(ofSet), split: own[0]?.split ?? others.split });
    return { ...evaluation, ...(dataset === "" ? {} : { dataset }) };
  });
  if (first === undefined) throw new Error("expected photos to score, received none");
  return { ...first, ...(rest.length === 0 ? {} : { others: rest }) };
}

function evaluateSet(
  photos: readonly PreparedPhoto[],
  { captions, bundle, split, training }: EvaluationInput,
): SetEvaluation {
  const references = prepareReferences(referencesOf(photos));
  const searches = [...captions].map(([search, found]): SearchEvaluation => {
    const list = found.map(({ caption }) => caption);
    const candidates = new Map(photos.map((photo, index) => [photo.id, list[index] ?? ""]));
    const { perPhoto, ...scores } = scoreAgainst(references, candidates);
    const words = found.map(({ words: all }) => all.filter(({ end }) => end !== true).map(({ word }) => word));
    const rated = photos.map((photo, index): RatedCaption => {
      return {
        confidence: found[index]?.confidence ?? 0,
        contentPrecision: contentPrecision(words[index] ?? [], cleanReferences(photo)),
        cider: perPhoto.get(photo.id)?.cider ?? 0,
      };
    });
    return {
      search,
      ...scores,
      intervals: bootstrapIntervals([...perPhoto.values()]),
      captions: new Set(list).size,
      words: new Set(words.flat()).size,
      meanLength: words.flat().length / list.length,
      confidence: describeRated(rated),
      repeating: words.filter(repeatsItself).length / list.length,
      inTraining: words.filter((caption) => training.has(caption.join(" "))).length / list.length,
    };
  });
  return { model: bundle.manifest.id, revision: bundle.revision, split, photos: photos.length, searches };
}

function describeRated(rated: readonly RatedCaption[]): SearchEvaluation["confidence"] {
  const of = (what: keyof RatedCaption) => rated.map((caption) => caption[what]);
  const correlation = spearman(of("confidence"), of("cider"));
  return { spearman: Number.isNaN(correlation) ? null : correlation, tenths: byTenths(rated) };
}

/** Collects the cleaned training captions, their words joined by spaces. */
export function trainingCaptions(photos: readonly PreparedPhoto[]): Set<string> {
  const training = photos.filter((photo) => photo.split === "train");
  return new Set(training.flatMap(({ captions }) => captions.map(({ words }) => words.join(" "))));
}
