import { rawConfidence } from "../../gpu-service/candidate.ts";
import { parseLayersModel } from "../../gpu-service/networks/layers-model.ts";
import type { Vocabulary } from "../../shared/vocabulary.ts";
import type { PreparedPhoto } from "../prepared.ts";
import type { RatedCaption } from "../score/confidence.ts";
import { contentPrecision } from "../score/content-words.ts";
import {
  type CaptionScores,
  type PreparedReferences,
  prepareReferences,
  scoreAgainst,
} from "../score/score-captions.ts";
import { decodeFeatures } from "./decode-features.ts";
import type { ModelFiles } from "./layers-format.ts";

/** Photos to caption and to score, in one order. */
export interface ScoredPhotos {
  photos: readonly PreparedPhoto[];
  featureSize: number;
  /** float32 [photos, featureSize]. */
  features: Float32Array;
}

interface ScorerSettings {
  vocabulary: Vocabulary;
  search: { lengthPenalty: number; maxWords: number };
}

/** Captions photos from their features and scores them. What their references contribute is worked out once. */
export class Scorer {
  readonly #photos: ScoredPhotos;
  readonly #settings: ScorerSettings;
  readonly #references: PreparedReferences;

  constructor(photos: ScoredPhotos, settings: ScorerSettings) {
    this.#photos = photos;
    this.#settings = settings;
    this.#references = prepareReferences(referencesOf(photos.photos));
  }

  /** The id of the photo at a place. */
  photoAt(index: number): string {
    return this.#photos.photos[index]?.id ?? "";
  }

  async score({ topology, weights }: ModelFiles, beam: number): Promise<Scored> {
    const { vocabulary, search } = this.#settings;
    const { photos, features, featureSize } = this.#photos;
    const found = await decodeFeatures(parseLayersModel({ topology, readWeights: () => weights }), features, {
      ...search,
      featureSize,
      beam,
      vocabularySize: vocabulary.size,
      startId: vocabulary.startId,
      endId: vocabulary.endId,
    });
    const captions = found.map(({ words }) => vocabulary.decode(words));
    const candidates = new Map(photos.map(({ id }, index) => [id, captions[index] ?? ""]));
    const { perPhoto, ...scores } = scoreAgainst(this.#references, candidates);
    const rated = photos.map((photo, index): RatedCaption => {
      const { words = [], logProb = 0 } = found[index] ?? {};
      return {
        confidence: rawConfidence({ words, logProb }),
        precision: contentPrecision(vocabulary.wordsOf(words), cleanReferences(photo)),
        cider: perPhoto.get(photo.id)?.cider ?? 0,
      };
    });
    return { scores, captions, rated };
  }
}

interface Scored {
  scores: CaptionScores;
  /** Each photo's best caption. */
  captions: string[];
  /** Its confidence as the model has it, and how it came out. */
  rated: RatedCaption[];
}

/** The words of a photo's captions. */
export function cleanReferences({ captions }: Pick<PreparedPhoto, "captions">): string[][] {
  return captions.map(({ words }) => words);
}

/** The captions of photos as they were written. */
export function referencesOf(photos: readonly PreparedPhoto[]): Map<string, string[]> {
  return new Map(photos.map(({ id, captions }) => [id, captions.map(({ text }) => text)]));
}
