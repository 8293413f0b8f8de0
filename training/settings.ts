import { defaultModelDir } from "../gpu-service/bundle.ts";
import type { Cleaning } from "../shared/clean-caption.ts";
import type { Split } from "./dataset.ts";

/** Everything on the command line that changes a result. Each stage records those it depends on. */
export interface TrainSettings {
  cleaning: Cleaning;
  /** How often a word must be seen in the training captions to be learnt. */
  minCount: number;
  /** A file in GloVe's text format, with its full path; undefined: none. */
  wordVectors?: string | undefined;
  /** Folder of the bundle to evaluate, with its full path. */
  bundle: string;
  /** What to evaluate it on. */
  split: Split;
}

export const defaultSettings: TrainSettings = {
  cleaning: "natural",
  minCount: 10,
  bundle: defaultModelDir,
  split: "test",
};
