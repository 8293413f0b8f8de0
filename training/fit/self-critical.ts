import type { RandomGenerator } from "pure-rand/types/RandomGenerator";
import { joinRows, rowsOf } from "../../captioner/vectors.ts";
import type { Vocabulary } from "../../shared/vocabulary.ts";
import { endWord } from "../../shared/vocabulary.ts";
import { type CiderVector, ciderOf, countDocuments, type DocumentFrequencies, weighNgrams } from "../score/cider.ts";
import { countNgrams } from "../score/ngrams.ts";
import { scoredTokens, splitAtSpaces } from "../score/ptb-tokenize.ts";
import { layOut, showPhotos, type TrainingFeatures } from "./batches.ts";
import { sampleCaptions } from "./sample-captions.ts";
import type { Batch, MergeVariables } from "./teacher-forcing.ts";

/** What rewards for drawn captions are computed with. */
export interface RewardInputs {
  reward: CiderReward;
  vocabulary: Vocabulary;
  maxWords: number;
}

interface DrawSettings extends RewardInputs {
  /** Captions per photo. */
  samples: number;
  random: RandomGenerator;
}

/**
 * Draws captions of photos and weights their words by how much better each is than the photo's others: the gradient of
 * the batch's loss is then that of minus the expected CIDEr. Self-critical sequence training (Rennie et al. 2017), with
 * the mean of the other samples as baseline (Luo 2020). Also returns the mean reward.
 */
export function drawCaptions(
  variables: MergeVariables,
  data: TrainingFeatures,
  { photos, settings }: { photos: readonly number[]; settings: DrawSettings },
): { batch: Batch; reward: number } {
  const { samples, random, reward, vocabulary, maxWords } = settings;
  const rows = photos.flatMap((photo) => new Array<number>(samples).fill(photo));
  const featureSize = variables["image_dense/kernel"].shape[0] ?? 0;
  const shown = showPhotos(data, { photos, featureSize, random });
  const features = joinRows(rowsOf(shown, photos.length).flatMap((row) => new Array<Float32Array>(samples).fill(row)));
  const { startId, endId } = vocabulary;
  const drawn = sampleCaptions(variables, { features, rows: rows.length, startId, endId, maxWords, random });
  const wordsOf = (ids: readonly number[]) => ids.slice(1).map((id) => vocabulary.words[id] ?? "");
  const rewards = drawn.map((ids, row) => reward.of(rows[row] ?? 0, wordsOf(ids)));
  const laidOut = layOut(drawn.map((ids, row) => ({ photo: rows[row] ?? 0, ids })));
  const advantages = advantagesOf(rewards, samples);
  const weights = laidOut.weights.map((weight, place) => weight * (advantages[place % laidOut.rows] ?? 0));
  return { batch: { ...laidOut, weights, features }, reward: mean(rewards) };
}

/** Computes each reward minus the mean of its photo's other rewards; rewards of a photo are adjacent. */
export function advantagesOf(rewards: readonly number[], samples: number): number[] {
  return rewards.map((reward, index) => {
    const first = index - (index % samples);
    const others = rewards.slice(first, first + samples).reduce((sum, other) => sum + other, -reward);
    return reward - others / (samples - 1);
  });
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/**
 * CIDEr of drawn captions against the references of training photos. Unlike in the score, the end counts as a word on
 * both sides; otherwise captions would learn to stop in the middle.
 */
export class CiderReward {
  readonly #references: readonly (readonly CiderVector[])[];
  readonly #documents: DocumentFrequencies;

  /** Takes the captions of each photo, as written; none for photos that are not rewarded. */
  constructor(references: readonly (readonly string[])[]) {
    const ngrams = references.map((captions) =>
      captions.map((caption) => countNgrams([...splitAtSpaces(scoredTokens(caption)), endWord])),
    );
    this.#documents = countDocuments(ngrams.filter(({ length }) => length > 0));
    this.#references = ngrams.map((ofPhoto) => ofPhoto.map((counts) => weighNgrams(counts, this.#documents)));
  }

  /** Returns the reward in [0, 10]. `words` include the end word if the caption ended by itself. */
  of(photo: number, words: readonly string[]): number {
    return ciderOf(weighNgrams(countNgrams(words), this.#documents), this.#references[photo] ?? []);
  }
}
