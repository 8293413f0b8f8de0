import { mkdir } from "node:fs/promises";
import { say } from "../cli/progress.ts";
import { openEncoder } from "../gpu-service/bundle.ts";
import { encoderRevision } from "./encoder-revision.ts";
import { featureSummaryFile, readFeatures } from "./features/photo-features.ts";
import { startBackend } from "./fit/backend.ts";
import { CiderReward } from "./fit/cider-reward.ts";
import { FeatureScaling } from "./fit/feature-scaling.ts";
import { FitRun } from "./fit/fit-run.ts";
import { summarize } from "./fit/merge-model.ts";
import { describeEpoch } from "./fit/metrics.ts";
import { chooseRecipe, type Recipe } from "./fit/recipe.ts";
import { Scorer } from "./fit/scorer.ts";
import type { Rewarding } from "./fit/self-critical.ts";
import { chooseStart } from "./fit/start-weights.ts";
import type { TrainingData } from "./fit/trainer.ts";
import { digestFile } from "./output-file.ts";
import { type Prepared, preparedFiles, readPrepared } from "./prepared.ts";
import { encoderBundleOf, searchOf } from "./source-bundle.ts";
import { type Stage, stageFolder, type TrainContext } from "./stage.ts";
import { type Dependencies, isRecorded, readOutputs, writeOutputs } from "./stage-record.ts";

export const fitFiles = {
  /** The decoder in TensorFlow.js' layers format; its weights are those of the epoch that the recipe keeps. */
  topology: "model.json",
  weights: "weights.bin",
  /** `epochMetricsSchema`, a line an epoch. */
  metrics: "metrics.jsonl",
} as const;

/**
 * In: `prepare`'s captions and vocabulary, `features`' features, word vectors or a bundle to go on from. Out, into
 * `fit/`: `model.json` and `weights.bin`, the decoder; `metrics.jsonl`, what each epoch gave. On the way
 * `checkpoint.safetensors`, from which an interrupted run goes on.
 */
export const fit: Stage = {
  name: "fit",
  about: "learns the decoder from captions and features; goes on where it was interrupted",

  async isUpToDate(context) {
    return isRecorded(stageFolder(context, "fit"), await dependenciesOf(context));
  },

  async run(context) {
    const folder = stageFolder(context, "fit");
    const dependencies = await dependenciesOf(context);
    const prepared = await readPrepared(context);
    const data = await readTrainingData(context, prepared);
    const recipe = chooseRecipe(context.settings);
    const scaling = standardize(data, recipe);
    const { start, ...model } = await chooseStart(context.settings, { ...prepared, featureSize: data.featureSize });
    say(`fit: on ${await startBackend()}`);
    await mkdir(folder, { recursive: true });
    const run = await FitRun.begin({
      ...{ folder, dependencies, data, recipe, scaling, ...model },
      start: context.settings.from === undefined ? start : (scaling?.unfold(start) ?? start),
      seed: context.settings.seed,
      scorer: await devScorer(context, prepared),
    });
    try {
      process.stdout.write(summarize(model.spec));
      for await (const epoch of run.epochs()) process.stdout.write(describeEpoch(epoch));
      const { topology, weights } = await run.keptFiles();
      await writeOutputs(folder, {
        dependencies,
        files: {
          [fitFiles.topology]: [JSON.stringify(topology)],
          [fitFiles.weights]: [weights],
          [fitFiles.metrics]: run.metrics.map((epoch) => `${JSON.stringify(epoch)}\n`),
        },
      });
    } finally {
      run.dispose();
    }
  },
};

async function dependenciesOf(context: TrainContext): Promise<Dependencies> {
  const { settings } = context;
  const { flips, seed, embeddingSize, units, tuneEmbeddings, maxWords } = settings;
  const prepared = await readOutputs(stageFolder(context, "prepare"), "prepare");
  const made = await readOutputs(stageFolder(context, "features"), "features");
  const source = await openEncoder(encoderBundleOf(context));
  const ofFiles = (outputs: typeof prepared, name: string) => outputs[name]?.sha256 ?? "";
  return {
    settings: {
      ...{ flips, seed, embeddingSize, units, tuneEmbeddings, maxWords },
      recipe: JSON.stringify(chooseRecipe(settings)),
    },
    inputs: {
      captions: ofFiles(prepared, preparedFiles.captions),
      vocabulary: ofFiles(prepared, preparedFiles.vocabulary),
      features: ofFiles(made, featureSummaryFile),
      encoder: await encoderRevision(source),
      ...(settings.from === undefined ? {} : { from: source.revision }),
      ...(settings.wordVectors === undefined ? {} : { wordVectors: (await digestFile(settings.wordVectors)).sha256 }),
    },
  };
}

async function readTrainingData(
  context: TrainContext,
  { photos, vocabulary }: Prepared,
): Promise<TrainingData & { featureSize: number }> {
  const training = photos.filter(({ split }) => split === "train");
  const read = await readFeatures(context, { photos: training, mirrored: context.settings.flips });
  if (read.photos.length === 0) {
    throw new Error("expected training photos that can be decoded, found none: see features/summary.json");
  }
  const captions = read.photos.flatMap((photo, index) =>
    photo.captions.map(({ words }) => ({
      photo: index,
      ids: vocabulary.encode(words),
      ...(photo.weight === undefined ? {} : { weight: photo.weight }),
    })),
  );
  const rewarding = (): Rewarding => ({
    reward: new CiderReward(read.photos.map((photo) => photo.captions.map(({ text }) => text))),
    vocabulary,
    maxWords: context.settings.maxWords,
  });
  return { ...read, captions, rewarding };
}

/** Standardizes the features where the recipe says so. */
function standardize(
  { features, mirrored, featureSize }: TrainingData & { featureSize: number },
  { featureFloor }: Recipe,
): FeatureScaling | undefined {
  if (featureFloor === undefined) return undefined;
  const scaling = new FeatureScaling(features, { featureSize, floor: featureFloor });
  scaling.standardize(features);
  if (mirrored !== undefined) scaling.standardize(mirrored);
  return scaling;
}

/** Undefined where there are no dev photos: the last epoch is then kept. */
async function devScorer(context: TrainContext, { photos, vocabulary }: Prepared): Promise<Scorer | undefined> {
  const dev = await readFeatures(context, { photos: photos.filter(({ split }) => split === "dev") });
  return dev.photos.length === 0 ? undefined : new Scorer(dev, { vocabulary, search: await searchOf(context) });
}
