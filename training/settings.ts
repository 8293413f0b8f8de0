import { defaultModelDir } from "../captioner/bundle.ts";
import type { Precision } from "../captioner/engine.ts";
import type { Cleaning } from "../shared/clean-caption.ts";
import type { Split } from "./dataset.ts";
import type { Preset } from "./fit/recipe.ts";

/** Everything on the command line that changes a result. Each stage records those it depends on. Paths are absolute. */
export interface TrainSettings {
  cleaning: Cleaning;
  /** Folders to look for the photos in that caption files name, after the files' own. */
  images: readonly string[];
  /** How often a word must be seen in the training captions to be learnt; undefined: by their number, `minCountOf`. */
  minCount?: number | undefined;
  /** Files of sentences without photos, a line a sentence. */
  text: readonly string[];
  /** Files of photos with words and without captions; they are learnt from sentences of the text. */
  words: readonly string[];
  /** Folders of photos with keywords of their own, learnt from in the same way. */
  keywords: readonly string[];
  /** What a sentence that was chosen for a photo counts beside a caption that somebody wrote for it. */
  sentenceWeight: number;
  /** A file in GloVe's text format. */
  wordVectors?: string | undefined;
  /** Folder of the bundle whose encoder is used. */
  encoder: string;
  /** Folder of a bundle to go on from: its encoder, its words, its decoder's weights. */
  from?: string | undefined;
  /** Whether the training photos' mirror images are learnt from, too. */
  flips: boolean;
  /** Which part of the features to make; undefined: all. */
  shard?: Shard | undefined;
  /** undefined: `default`, and `fine-tune` for training that goes on from a bundle. */
  preset?: Preset | undefined;
  /** Draws weights, order and dropout. */
  seed: number;
  /** In the place of the preset's, where given. */
  epochs?: number | undefined;
  batch?: number | undefined;
  learningRate?: number | undefined;
  /** Numbers a word vector has, where none are read. */
  embeddingSize: number;
  /** Width of the merge model's layers. */
  units: number;
  /** Whether word vectors that were read are learnt on. */
  tuneEmbeddings: boolean;
  /** Longest caption that the search makes. */
  maxWords: number;
  /** The exported bundle's; undefined: after the data. */
  id?: string | undefined;
  /** The exported bundle's; undefined: that of the bundle whose encoder is used. */
  licence?: string | undefined;
  /** Folder of the bundle to evaluate. */
  bundle: string;
  /** What to evaluate it on. */
  split: Split;
  /** What its encoder is computed in while it is evaluated. */
  precision: Precision;
}

/** The `number`th of `of` parts, from 1. */
export interface Shard {
  number: number;
  of: number;
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
};
