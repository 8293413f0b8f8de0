import { rawConfidence } from "../../captioner/candidate.ts";
import { type LayersModel, parseLayersModel } from "../../captioner/networks/layers-model.ts";
import type { Manifest } from "../../shared/manifest.ts";
import type { Vocabulary } from "../../shared/vocabulary.ts";
import type { ModelFiles } from "../layers-format.ts";
import { groupByDataset, type PreparedPhoto } from "../prepared.ts";
import type { RatedCaption } from "../score/confidence.ts";
import { contentPrecision } from "../score/content-words.ts";
import {
  type CaptionScores,
  type PreparedReferences,
  prepareReferences,
  scoreAgainst,
} from "../score/score-captions.ts";
import { decodeFeatures } from "./decode-features.ts";

/** Photos to caption and score, all fields in the same order. */
export interface ScoredPhotos {
  photos: readonly PreparedPhoto[];
  featureSize: number;
  /** float32 [photos, featureSize]. */
  features: Float32Array;
}

interface ScorerSettings {
  vocabulary: Vocabulary;
  search: Manifest["search"];
  /** The network of word detectors, where they guide the search. */
  evidence?: LayersModel | undefined;
}

/**
 * Captions photos from their features and scores them. Each data set is scored separately, since CIDEr weights words by
 * their frequency in a data set's references. The references are processed once.
 */
export class Scorer {
  readonly #photos: ScoredPhotos;
  readonly #settings: ScorerSettings;
  readonly #sets: ReadonlyMap<string, PreparedReferences>;

  constructor(photos: ScoredPhotos, settings: ScorerSettings) {
    this.#photos = photos;
    this.#settings = settings;
    const sets = [...groupByDataset(photos.photos)];
    this.#sets = new Map(sets.map(([name, own]) => [name, prepareReferences(referencesOf(own))]));
  }

  /** Returns the id of the photo at an index. */
  photoAt(index: number): string {
    return this.#photos.photos[index]?.id ?? "";
  }

  score({ topology, weights }: ModelFiles, beam: number): Promise<Scored> {
    return this.scoreModel(parseLayersModel({ topology, readWeights: () => weights }), beam);
  }

  async scoreModel(model: LayersModel, beam: number): Promise<Scored> {
    const { vocabulary, search, evidence } = this.#settings;
    const { photos, features, featureSize } = this.#photos;
    const found = await decodeFeatures(model, features, {
      ...search,
      featureSize,
      evidence,
      beam,
      vocabularySize: vocabulary.size,
      startId: vocabulary.startId,
      endId: vocabulary.endId,
    });
    const captions = found.map(({ words }) => vocabulary.decode(words));
    const captionOf = new Map(photos.map(({ id }, index) => [id, captions[index] ?? ""]));
    const sets = [...this.#sets].map(([name, references]) => {
      const candidates = new Map([...references.photos.keys()].map((id) => [id, captionOf.get(id) ?? ""]));
      return { name, ...scoreAgainst(references, candidates) };
    });
    const perPhoto = new Map(sets.flatMap((set) => [...set.perPhoto]));
    const ratedOf = new Map<string, RatedCaption>();
    for (const [index, photo] of photos.entries()) {
      const caption = found[index] ?? { words: [], wordLogProbs: [], logProb: 0, evidence: 0 };
      ratedOf.set(photo.id, {
        confidence: rawConfidence(caption),
        contentPrecision: contentPrecision(vocabulary.wordsOf(caption.words), cleanReferences(photo)),
        cider: perPhoto.get(photo.id)?.cider ?? 0,
      });
    }
    return {
      scores: meanOf(sets),
      sets: new Map(sets.map(({ name, perPhoto: _, ...scores }) => [name, scores])),
      captions,
      rated: [...this.#sets.values()].map((set) => [...set.photos.keys()].flatMap((id) => ratedOf.get(id) ?? [])),
    };
  }
}

interface Scored {
  /** Means over the data sets. */
  scores: CaptionScores;
  /** Scores of each data set, by name. */
  sets: ReadonlyMap<string, CaptionScores>;
  /** Best caption of each photo. */
  captions: string[];
  /** Raw confidence and scores of the captions of each data set. */
  rated: RatedCaption[][];
}

function meanOf(sets: readonly CaptionScores[]): CaptionScores {
  const mean = (name: keyof CaptionScores) => sets.reduce((sum, scores) => sum + scores[name], 0) / sets.length;
  return {
    bleu1: mean("bleu1"),
    bleu2: mean("bleu2"),
    bleu3: mean("bleu3"),
    bleu4: mean("bleu4"),
    rougeL: mean("rougeL"),
    cider: mean("cider"),
  };
}

/** Returns the cleaned words of a photo's captions. */
export function cleanReferences({ captions }: Pick<PreparedPhoto, "captions">): string[][] {
  return captions.map(({ words }) => words);
}

/** Returns the captions of photos as written, by id. */
export function referencesOf(photos: readonly PreparedPhoto[]): Map<string, string[]> {
  return new Map(photos.map(({ id, captions }) => [id, captions.map(({ text }) => text)]));
}
