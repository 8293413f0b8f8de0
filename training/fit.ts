import { mkdir } from "node:fs/promises";
import { type Bundle, openBundle, openEncoder } from "../captioner/bundle.ts";
import { type LayersModel, parseLayersModel } from "../captioner/networks/layers-model.ts";
import { digestFile } from "../files/regular-file.ts";
import { say } from "../terminal/progress.ts";
import type { Split } from "./dataset.ts";
import { encoderRevision } from "./encoder-revision.ts";
import { featureSummaryFile, readFeatures } from "./features/photo-features.ts";
import { startBackend } from "./fit/backend.ts";
import { CiderReward } from "./fit/cider-reward.ts";
import { FeatureScaling } from "./fit/feature-scaling.ts";
import { FitRun } from "./fit/fit-run.ts";
import { compareDecoders, type Learnt } from "./fit/learnt.ts";
import { summarize } from "./fit/merge-model.ts";
import { describeEpoch } from "./fit/metrics.ts";
import type { TrainingData } from "./fit/plan-steps.ts";
import { chooseRecipe } from "./fit/presets.ts";
import type { Recipe } from "./fit/recipe.ts";
import { Rehearsing } from "./fit/rehearsing.ts";
import { Scorer } from "./fit/scorer.ts";
import type { Rewarding } from "./fit/self-critical.ts";
import { chooseStart, type Start } from "./fit/start-weights.ts";
import { type Prepared, preparedFiles, readPrepared, readSummary } from "./prepared.ts";
import { type Rehearsal, readRehearsal } from "./rehearsal.ts";
import { encoderBundleOf, searchOf } from "./source-bundle.ts";
import { type Stage, stageFolder, type TrainContext } from "./stage.ts";
import { type Dependencies, isRecorded, readOutputs, writeOutputs } from "./stage-record.ts";

export const fitFiles = {
  /** The decoder in TensorFlow.js' layers format; its weights are those of the epoch that the recipe keeps. */
  topology: "model.json",
  weights: "weights.bin",
  /** `epochMetricsSchema`, a line an epoch. */
  metrics: "metrics.jsonl",
  /** `learntSchema`, where training went on from a bundle. */
  learnt: "learnt.json",
} as const;

/** Of the training photos, those whose captions before and after are compared. */
const photosCompared = 500;

/**
 * In: `prepare`'s captions and vocabulary, `features`' features, word vectors or a bundle to go on from. Out, into
 * `fit/`: `model.json` and `weights.bin`, the decoder; `metrics.jsonl`, what each epoch gave; `learnt.json`, what came of
 * it where it went on from a bundle. On the way `checkpoint.safetensors`, from which an interrupted run goes on.
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
    const recipe = chooseRecipe(context.settings, prepared.summary);
    const scaling = standardize(data, recipe);
    const chosen = await chooseStart(context.settings, { ...prepared, featureSize: data.featureSize });
    const isInherited = context.settings.from !== undefined; // from features as they come
    const start = { ...chosen, start: isInherited ? (scaling?.unfold(chosen.start) ?? chosen.start) : chosen.start };
    say(`fit: on ${await startBackend()}`);
    const origin = await openOrigin(context);
    const rehearsing = startRehearsing(origin, { prepared, start, recipe, scaling, learnt: data.features });
    await mkdir(folder, { recursive: true });
    const run = await FitRun.begin({
      ...{ folder, dependencies, recipe, scaling, ...start },
      data: { ...data, rehearsing },
      seed: context.settings.seed,
      scorer: await devScorer(context, prepared),
    });
    try {
      process.stdout.write(summarize(start.spec));
      for await (const epoch of run.epochs()) process.stdout.write(describeEpoch(epoch));
      const { topology, weights } = await run.keptFiles();
      const learnt =
        origin === undefined
          ? undefined
          : await learntSince(context, {
              origin,
              prepared,
              model: parseLayersModel({ topology, readWeights: () => weights }),
            });
      await writeOutputs(folder, {
        dependencies,
        files: {
          [fitFiles.topology]: [JSON.stringify(topology)],
          [fitFiles.weights]: [weights],
          [fitFiles.metrics]: run.metrics.map((epoch) => `${JSON.stringify(epoch)}\n`),
          ...(learnt === undefined ? {} : { [fitFiles.learnt]: [`${JSON.stringify(learnt, null, 2)}\n`] }),
        },
      });
    } finally {
      run.dispose();
      rehearsing?.dispose();
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
      recipe: JSON.stringify(chooseRecipe(settings, await readSummary(context))),
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
      ...(photo.hasPseudoCaptions === undefined ? {} : { isPseudo: true as const }),
    })),
  );
  const rewarding = (): Rewarding => ({
    reward: new CiderReward(
      read.photos.map(({ captions: own, hasPseudoCaptions }) => (hasPseudoCaptions ? [] : own.map(({ text }) => text))),
    ),
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

/** The bundle that training goes on from, and what it has to rehearse. */
interface Origin {
  bundle: Bundle;
  rehearsal: Rehearsal | undefined;
}

async function openOrigin({ settings: { from } }: TrainContext): Promise<Origin | undefined> {
  if (from === undefined) return undefined;
  const bundle = await openBundle(from);
  return { bundle, rehearsal: await readRehearsal(bundle) };
}

interface RehearsingParts {
  prepared: Prepared;
  start: Start;
  recipe: Recipe;
  scaling: FeatureScaling | undefined;
  /** Of the photos that are learnt, standardized where they are. */
  learnt: Float32Array;
}

/** Undefined where the recipe rehearses nothing, or there is nothing to rehearse, which is told. */
function startRehearsing(
  origin: Origin | undefined,
  { prepared: { vocabulary }, start, recipe, scaling, learnt }: RehearsingParts,
): Rehearsing | undefined {
  if (origin === undefined || recipe.phases.every(({ rehearsal }) => rehearsal === undefined)) return undefined;
  const { bundle, rehearsal } = origin;
  if (rehearsal === undefined) {
    say(
      `fit: ${bundle.folder} carries nothing to rehearse: what it knew is not held; bundles that are exported now carry it`,
    );
    return undefined;
  }
  const features = Float32Array.from(rehearsal.features);
  scaling?.standardize(features);
  return new Rehearsing({ ...rehearsal, features }, { ...start, vocabulary, known: bundle.vocabulary.size, learnt });
}

/** What the decoder says otherwise than that of the bundle that it went on from. */
async function learntSince(
  context: TrainContext,
  { origin, prepared, model }: { origin: Origin; prepared: Prepared; model: LayersModel },
): Promise<Learnt> {
  const { bundle, rehearsal } = origin;
  const ofSplit = (split: Split) => prepared.photos.filter((photo) => photo.split === split);
  return compareDecoders({
    before: { model: bundle.readDecoder(), vocabulary: bundle.vocabulary },
    after: { model, vocabulary: prepared.vocabulary },
    search: await searchOf(context),
    own: await readFeatures(context, { photos: ofSplit("train").slice(0, photosCompared) }),
    dev: await readFeatures(context, { photos: ofSplit("dev") }),
    rehearsal,
  });
}

/** Undefined where there are no dev photos: the last epoch is then kept. */
async function devScorer(context: TrainContext, { photos, vocabulary }: Prepared): Promise<Scorer | undefined> {
  const dev = await readFeatures(context, { photos: photos.filter(({ split }) => split === "dev") });
  return dev.photos.length === 0 ? undefined : new Scorer(dev, { vocabulary, search: await searchOf(context) });
}
