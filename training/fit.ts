import { mkdir } from "node:fs/promises";
import type { Bundle } from "../captioner/bundle.ts";
import type { LayersModel } from "../captioner/networks/layers-model.ts";
import { digestFile } from "../files/regular-file.ts";
import { say } from "../terminal/progress.ts";
import { encoderRevision, searchOf } from "./bundles.ts";
import type { Split } from "./dataset.ts";
import { inheritEvidence } from "./evidence/inherit-evidence.ts";
import { featureSummaryFile, readFeatures } from "./features/photo-features.ts";
import { features } from "./features.ts";
import { startBackend } from "./fit/backend.ts";
import { compareDecoders, type DecoderComparison } from "./fit/compare-decoders.ts";
import { Distillation } from "./fit/distillation.ts";
import { FeatureScaling } from "./fit/feature-scaling.ts";
import { FitRun } from "./fit/fit-run.ts";
import { summarize } from "./fit/merge-model.ts";
import { describeEpoch } from "./fit/metrics.ts";
import type { TrainingData } from "./fit/plan-steps.ts";
import { chooseRecipe } from "./fit/presets.ts";
import type { Recipe } from "./fit/recipe.ts";
import { Scorer } from "./fit/scorer.ts";
import type { RewardInputs } from "./fit/self-critical.ts";
import { CiderReward } from "./fit/self-critical.ts";
import { chooseStart, type Start } from "./fit/start-weights.ts";
import { parseModel } from "./layers-format.ts";
import { prepare } from "./prepare.ts";
import { type Prepared, preparedFiles, readPrepared, readSummary } from "./prepared.ts";
import { type Rehearsal, readRehearsal } from "./rehearsal.ts";
import type { Stage, TrainContext } from "./stage.ts";
import type { Dependencies } from "./stage-record.ts";

export const fitFiles = {
  /** The decoder in TensorFlow.js' layers format, with the weights of the epoch that the recipe keeps. */
  topology: "model.json",
  weights: "weights.bin",
  /** `epochMetricsSchema`, one line per epoch. */
  metrics: "metrics.jsonl",
  /** `decoderComparisonSchema`; written if training continues from a bundle. */
  learnt: "learnt.json",
} as const;

/** Maximum number of training photos whose captions before and after are compared. */
const photosCompared = 500;

/**
 * Reads `prepare`'s captions and vocabulary, `features`' features, word vectors or a bundle to continue from. Writes
 * into `fit/`: `model.json` and `weights.bin`, the decoder; `metrics.jsonl`, the result of each epoch; `learnt.json`,
 * what changed since the bundle that training continued from. While it runs it keeps `checkpoint.safetensors`, from
 * which an interrupted run continues.
 */
export const fit: Stage = {
  name: "fit",
  about: "trains the decoder on captions and features; resumes where it was interrupted",

  needs: [
    { stage: prepare, files: { captions: preparedFiles.captions, vocabulary: preparedFiles.vocabulary } },
    { stage: features, files: { features: featureSummaryFile } },
  ],
  dependencies: dependenciesOf,

  async run(context) {
    const { folder, dependencies } = context;
    const prepared = await readPrepared(context);
    const data = await readTrainingData(context, prepared);
    const recipe = chooseRecipe(context.settings, prepared.summary);
    const scaling = standardize(data, recipe);
    const origin = await openOrigin(context);
    const { featureSize } = data;
    const chosen = await chooseStart(context.settings, { ...prepared, featureSize, from: origin?.bundle });
    const isInherited = origin !== undefined; // its weights take unscaled features
    const start = { ...chosen, start: isInherited ? (scaling?.unfold(chosen.start) ?? chosen.start) : chosen.start };
    say(`fit: on ${await startBackend()}`);
    const distillation = startDistillation(origin, { prepared, start, recipe, scaling, learnt: data.features });
    await mkdir(folder, { recursive: true });
    const run = await FitRun.begin({
      ...{ folder, dependencies, recipe, scaling, ...start },
      data: { ...data, distillation },
      seed: context.settings.seed,
      scorer: await devScorer(context, prepared),
    });
    try {
      process.stdout.write(summarize(start.spec));
      for await (const epoch of run.epochs()) process.stdout.write(describeEpoch(epoch));
      const kept = await run.keptFiles();
      const learnt =
        origin === undefined
          ? undefined
          : await compareWithOrigin(context, {
              origin,
              prepared,
              model: parseModel(kept),
            });
      await context.save({
        files: {
          [fitFiles.topology]: [JSON.stringify(kept.topology)],
          [fitFiles.weights]: [kept.weights],
          [fitFiles.metrics]: run.metrics.map((epoch) => `${JSON.stringify(epoch)}\n`),
          ...(learnt === undefined ? {} : { [fitFiles.learnt]: [`${JSON.stringify(learnt, null, 2)}\n`] }),
        },
      });
    } finally {
      run.dispose();
      distillation?.dispose();
    }
  },
};

async function dependenciesOf(context: TrainContext): Promise<Dependencies> {
  const { settings } = context;
  const { flips, seed, embeddingSize, units, tuneEmbeddings, maxWords } = settings;
  const source = await context.bundles.source();
  return {
    settings: {
      ...{ flips, seed, embeddingSize, units, tuneEmbeddings, maxWords },
      recipe: JSON.stringify(chooseRecipe(settings, await readSummary(context))),
    },
    inputs: {
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
      ...(photo.hasPseudoCaptions === undefined ? {} : { isPseudo: true as const }),
    })),
  );
  const rewardInputs = (): RewardInputs => ({
    reward: new CiderReward(
      read.photos.map(({ captions: own, hasPseudoCaptions }) => (hasPseudoCaptions ? [] : own.map(({ text }) => text))),
    ),
    vocabulary,
    maxWords: context.settings.maxWords,
  });
  return { ...read, captions, rewardInputs };
}

/** Standardizes the features if the recipe asks for it. */
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

/** The bundle that training continues from, with its rehearsal. */
interface Origin {
  bundle: Bundle;
  rehearsal: Rehearsal | undefined;
}

async function openOrigin({ bundles }: TrainContext): Promise<Origin | undefined> {
  const bundle = await bundles.from();
  return bundle === undefined ? undefined : { bundle, rehearsal: await readRehearsal(bundle) };
}

interface DistillationParts {
  prepared: Prepared;
  start: Start;
  recipe: Recipe;
  scaling: FeatureScaling | undefined;
  /** Features of the training photos, standardized if the recipe asks for it. */
  learnt: Float32Array;
}

/** Prepares the rehearsal. Undefined if the recipe has none, or if the bundle carries none, which is reported. */
function startDistillation(
  origin: Origin | undefined,
  { prepared: { vocabulary }, start, recipe, scaling, learnt }: DistillationParts,
): Distillation | undefined {
  if (origin === undefined || recipe.phases.every(({ rehearsal }) => rehearsal === undefined)) return undefined;
  const { bundle, rehearsal } = origin;
  if (rehearsal === undefined) {
    say(
      `fit: ${bundle.folder} carries nothing to rehearse, so that training may forget what it knew; bundles exported by this version carry a rehearsal`,
    );
    return undefined;
  }
  const features = Float32Array.from(rehearsal.features);
  scaling?.standardize(features);
  return new Distillation({ ...rehearsal, features }, { ...start, vocabulary, known: bundle.vocabulary.size, learnt });
}

/** Compares the decoder's captions with those of the bundle that training continued from. */
async function compareWithOrigin(
  context: TrainContext,
  { origin, prepared, model }: { origin: Origin; prepared: Prepared; model: LayersModel },
): Promise<DecoderComparison> {
  const { bundle, rehearsal } = origin;
  const evidence = await inheritEvidence(context, { ...origin, prepared });
  const ofSplit = (split: Split) => prepared.photos.filter((photo) => photo.split === split);
  return compareDecoders({
    before: { model: bundle.readDecoder(), vocabulary: bundle.vocabulary, evidence: bundle.readEvidence() },
    after: {
      model,
      vocabulary: prepared.vocabulary,
      evidence: evidence === undefined ? undefined : parseModel(evidence),
    },
    search: await searchOf(context),
    own: await readFeatures(context, { photos: ofSplit("train").slice(0, photosCompared) }),
    dev: await readFeatures(context, { photos: ofSplit("dev") }),
    rehearsal,
  });
}

/** Makes the scorer of dev photos; undefined if there are none, so that the last epoch is kept. */
async function devScorer(context: TrainContext, { photos, vocabulary }: Prepared): Promise<Scorer | undefined> {
  const dev = await readFeatures(context, { photos: photos.filter(({ split }) => split === "dev") });
  return dev.photos.length === 0 ? undefined : new Scorer(dev, { vocabulary, search: await searchOf(context) });
}
