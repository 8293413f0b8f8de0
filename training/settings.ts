import { defaultModelDir } from "../captioner/bundle.ts";
import type { Precision } from "../captioner/engine.ts";
import type { Shard } from "../files/shard.ts";
import type { Cleaning } from "../shared/clean-caption.ts";
import type { Split } from "./dataset.ts";
import type { Preset } from "./fit/recipe.ts";

/**
 * Everything on the command line that changes a result. Each stage records the settings it depends on. Paths are
 * absolute.
 */
export interface TrainSettings {
  cleaning: Cleaning;
  /** Folders to search for the photos that caption files name, after the files' own. */
  images: readonly string[];
  /** Minimum count of a word in the training captions; undefined: by their number, `minCountOf`. */
  minCount?: number | undefined;
  /** Files of sentences without photos, one per line. */
  text: readonly string[];
  /** Files of photos with words and without captions; they are learnt from sentences of the text. */
  words: readonly string[];
  /** Folders of photos with keywords, learnt from in the same way. */
  keywords: readonly string[];
  /** Weight of a pseudo-caption relative to a written caption. */
  sentenceWeight: number;
  /** File of word vectors in GloVe's text format. */
  wordVectors?: string | undefined;
  /** Folder of the bundle whose encoder is used. */
  encoder: string;
  /** Folder of a bundle to continue from: its encoder, its words, its decoder's weights. */
  from?: string | undefined;
  /** Whether the training photos' mirror images are learnt from, too. */
  flips: boolean;
  /** Part of the features to make; undefined: all. */
  shard?: Shard | undefined;
  /** Recipe; undefined: `default`, or `fine-tune` if training continues from a bundle. */
  preset?: Preset | undefined;
  /** Seed of weights, order and dropout. */
  seed: number;
  /** Replaces the preset's number of epochs; `batch` and `learningRate` likewise. */
  epochs?: number | undefined;
  batch?: number | undefined;
  learningRate?: number | undefined;
  /** Dimension of word vectors, if none are read. */
  embeddingSize: number;
  /** Width of the merge model's layers. */
  units: number;
  /** Whether word vectors that were read are trained further. */
  tuneEmbeddings: boolean;
  /** Maximum length of captions that the search finds. */
  maxWords: number;
  /** Id of the exported bundle; undefined: after the data. */
  id?: string | undefined;
  /** Licence of the exported bundle; undefined: that of the bundle whose encoder is used. */
  licence?: string | undefined;
  /** Folder of the bundle to evaluate. */
  bundle: string;
  /** Split to evaluate it on. */
  split: Split;
  /** Precision of its encoder during evaluation. */
  precision: Precision;
  /** Whether to score its captions with neutral words. */
  neutral: boolean;
}

export const defaultSettings: TrainSettings = {
  cleaning: "natural",
  images: [],
  text: [],
  words: [],
  keywords: [],
  sentenceWeight: 0.2,
  encoder: defaultModelDir,
  flips: false,
  seed: 1,
  embeddingSize: 256,
  units: 384,
  tuneEmbeddings: false,
  maxWords: 20,
  bundle: defaultModelDir,
  split: "test",
  precision: "float32",
  neutral: false,
};
