import { type Bundle, withFileName } from "../../captioner/bundle.ts";
import type { Vocabulary } from "../../shared/vocabulary.ts";
import type { Summary } from "../prepared.ts";
import type { TrainSettings } from "../settings.ts";
import { readWordVectors } from "../word-vectors.ts";
import type { DataSize } from "./fine-tune.ts";
import { initialValues, type MergeSpec, type MergeValues, readMergeModel } from "./merge-model.ts";
import { chooseRecipe } from "./presets.ts";

/** The model to train, and its weights before the first step. */
export interface Start {
  spec: MergeSpec;
  start: MergeValues;
  /** Whether word vectors are trained, too: always, unless they were read from a file. */
  isEmbeddingTuned: boolean;
  /** Number of words that its weights know, the first of the vocabulary; undefined if all were drawn. */
  known?: number;
}

interface Given {
  vocabulary: Vocabulary;
  summary: Pick<Summary, "longestCaption"> & DataSize;
  featureSize: number;
  /** The bundle that training continues from, if any. */
  from: Bundle | undefined;
}

/** Draws weights, with the word vectors that were read, or takes those of the bundle that training continues from. */
export async function chooseStart(
  settings: TrainSettings,
  { vocabulary, summary, featureSize, from }: Given,
): Promise<Start> {
  const { seed, tuneEmbeddings, units } = settings;
  const { dropout } = chooseRecipe(settings, summary);
  const common = { featureSize, vocabularySize: vocabulary.size, maxCaptionLength: summary.longestCaption, dropout };
  if (from !== undefined) {
    const { known, sizes, values } = inheritFrom(from, vocabulary);
    const maxCaptionLength = Math.max(common.maxCaptionLength, sizes.maxCaptionLength);
    const spec = { ...common, ...sizes, vocabularySize: vocabulary.size, maxCaptionLength };
    return { spec, start: values(spec, seed), isEmbeddingTuned: true, known };
  }
  if (settings.wordVectors === undefined) {
    const spec = { ...common, units, embeddingSize: settings.embeddingSize };
    return { spec, start: initialValues(spec, seed), isEmbeddingTuned: true };
  }
  const { dimension, vectors } = await readWordVectors(settings.wordVectors, vocabulary.words);
  const spec = { ...common, units, embeddingSize: dimension };
  const start = { ...initialValues(spec, seed), "embedding/embeddings": vectors };
  return { spec, start, isEmbeddingTuned: tuneEmbeddings };
}

interface Inherited {
  /** Number of known words, padding included. */
  known: number;
  sizes: Omit<MergeSpec, "dropout">;
  /**
   * Returns its weights: known words keep theirs, new ones get drawn vectors and the mean of the known words' output
   * weights. With drawn output weights, new words would be used everywhere before the first step.
   */
  values(spec: MergeSpec, seed: number): MergeValues;
}

/** Reads the decoder of a bundle, whose words must be the first of the vocabulary. */
function inheritFrom(bundle: Bundle, vocabulary: Vocabulary): Inherited {
  const { folder } = bundle;
  const known = bundle.vocabulary.size;
  if (bundle.vocabulary.words.some((word, id) => vocabulary.words[id] !== word)) {
    throw new Error(`${folder}: its words are not the first of the vocabulary: run prepare with the same --from`);
  }
  const { sizes, values: inherited } = withFileName(folder, () => readMergeModel(bundle.readDecoder()));
  return {
    known,
    sizes,
    values(spec, seed) {
      const drawn = initialValues(spec, seed);
      const bias = inherited["word_probabilities/bias"];
      drawn["word_probabilities/bias"].fill(meanOf(bias)).set(bias);
      drawn["embedding/embeddings"].set(inherited["embedding/embeddings"]);
      const kernel = drawn["word_probabilities/kernel"];
      for (let unit = 0; unit < spec.units; unit++) {
        const row = inherited["word_probabilities/kernel"].subarray(unit * known, (unit + 1) * known);
        const wider = kernel.subarray(unit * spec.vocabularySize, (unit + 1) * spec.vocabularySize);
        wider.fill(meanOf(row)).set(row);
      }
      return {
        ...inherited,
        "embedding/embeddings": drawn["embedding/embeddings"],
        "word_probabilities/kernel": kernel,
        "word_probabilities/bias": drawn["word_probabilities/bias"],
      };
    },
  };
}

function meanOf(values: Float32Array): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
