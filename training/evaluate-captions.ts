import type { Bundle } from "../gpu-service/bundle.ts";
import { cleanCaption } from "../shared/clean-caption.ts";
import type { Candidate } from "../shared/contract.ts";
import type { Evaluation, SearchEvaluation } from "./describe-evaluation.ts";
import { cleanReferences, referencesOf } from "./fit/scorer.ts";
import type { PreparedPhoto } from "./prepared.ts";
import { bootstrapIntervals } from "./score/bootstrap.ts";
import { byTenths, type RatedCaption, spearman } from "./score/confidence.ts";
import { contentPrecision } from "./score/content-words.ts";
import { prepareReferences, scoreAgainst } from "./score/score-captions.ts";
import type { SearchName } from "./searches.ts";

/** What a search says of a photo. */
export type Caption = Pick<Candidate, "caption" | "confidence">;

interface Captioned {
  /** In the photos' order. */
  captions: ReadonlyMap<SearchName, readonly Caption[]>;
  bundle: Bundle;
  split: string;
  /** Cleaned, their words joined by spaces. */
  training: ReadonlySet<string>;
}

/** Scores the captions of each search, and whether their confidence is worth something. */
export function evaluateCaptions(
  photos: readonly PreparedPhoto[],
  { captions, bundle, split, training }: Captioned,
): Evaluation {
  const references = prepareReferences(referencesOf(photos));
  const { cleaning, id } = bundle.manifest;
  const searches = [...captions].map(([search, found]): SearchEvaluation => {
    const list = found.map(({ caption }) => caption);
    const candidates = new Map(photos.map((photo, index) => [photo.id, list[index] ?? ""]));
    const { perPhoto, ...scores } = scoreAgainst(references, candidates);
    const words = list.map((caption) => cleanCaption(caption, cleaning));
    const rated = photos.map((photo, index): RatedCaption => {
      return {
        confidence: found[index]?.confidence ?? 0,
        precision: contentPrecision(words[index] ?? [], cleanReferences(photo)),
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
      inTraining: words.filter((caption) => training.has(caption.join(" "))).length / list.length,
    };
  });
  return { model: id, revision: bundle.revision, split, photos: photos.length, searches };
}

function describeRated(rated: readonly RatedCaption[]): SearchEvaluation["confidence"] {
  const of = (what: keyof RatedCaption) => rated.map((caption) => caption[what]);
  const correlation = spearman(of("confidence"), of("cider"));
  return { spearman: Number.isNaN(correlation) ? null : correlation, tenths: byTenths(rated) };
}

/** The cleaned training captions, their words joined by spaces. */
export function trainingCaptions(photos: readonly PreparedPhoto[]): Set<string> {
  const training = photos.filter((photo) => photo.split === "train");
  return new Set(training.flatMap(({ captions }) => captions.map(({ words }) => words.join(" "))));
}
