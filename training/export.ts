import { readFile } from "node:fs/promises";
import { basename, extname, join } from "node:path";
import { type EncoderBundle, openBundle, openEncoder, sha256Of } from "../gpu-service/bundle.ts";
import { parseLayersModel } from "../gpu-service/layers-model.ts";
import { type Manifest, manifestSchema } from "../shared/manifest.ts";
import { encoderFiles, encoderRevision } from "./encoder-revision.ts";
import type { ModelFiles } from "./fit/layers-format.ts";
import { readMergeModel } from "./fit/merge-reader.ts";
import { chooseRecipe } from "./fit/recipe.ts";
import { Scorer } from "./fit/scorer.ts";
import { fitFiles } from "./fit.ts";
import { describeModel } from "./model-card.ts";
import { encoderBundleOf, featureFiles, readFeatures } from "./photo-features.ts";
import { type Prepared, preparedFiles, readPrepared } from "./prepared.ts";
import { decoderProvenance } from "./provenance.ts";
import { searchOf } from "./settings.ts";
import { type Stage, stageFolder, type TrainContext } from "./stage.ts";
import { type Dependencies, isRecorded, readOutputs, writeOutputs } from "./stage-record.ts";

const decoderFiles = { topology: "decoder/model.json", weights: "decoder/weights.bin" } as const;

/** Beams of the searches whose scores a bundle states; 1 is greedy. */
const beams = [1, 3, 5];
const scoredSplits = ["dev", "test"] as const;

/**
 * In: `fit`'s decoder, `prepare`'s vocabulary, the encoder of a bundle, features of the dev and test photos. Out, into
 * `bundle/`: a model bundle with its manifest, provenance and scores, and its model card, `README.md`.
 */
export const exportBundle: Stage = {
  name: "export",
  folder: "bundle",
  about: "scores the decoder and makes a bundle of it, with its model card",

  async isUpToDate(context) {
    return isRecorded(bundleFolder(context), await dependenciesOf(context));
  },

  async run(context) {
    const dependencies = await dependenciesOf(context);
    const prepared = await readPrepared(context);
    const source = await openEncoder(encoderBundleOf(context));
    const decoder = await readDecoder(context);
    const draft = await draftManifest(context, { prepared, source, decoder });
    const files = await bundleFiles(source, { prepared, decoder });
    const sizes = [...files].map(([path, contents]) => ({ path, bytes: contents.length, sha256: sha256Of(contents) }));
    const inOrder = sizes.toSorted((one, other) => (one.path < other.path ? -1 : 1));
    const manifest = manifestSchema.parse({ ...draft, files: inOrder });
    await writeOutputs(bundleFolder(context), {
      dependencies,
      files: {
        ...Object.fromEntries([...files].map(([path, contents]) => [path, [contents]])),
        "README.md": [describeModel(manifest, { prepared, decoder: readMergeModel(parseDecoder(decoder)) })],
        "manifest.json": [`${JSON.stringify(manifest, null, 2)}\n`],
      },
    });
    const { revision } = await openBundle(bundleFolder(context)); // as whoever uses it will, hashes and all
    process.stdout.write(`${manifest.id}, revision ${revision}, in ${bundleFolder(context)}\n`);
    process.stdout.write(describeScores(manifest.scores));
  },
};

/** The bundle's own folder is what people point `MODEL_DIR` at. */
function bundleFolder(context: TrainContext): string {
  return stageFolder(context, "bundle");
}

async function dependenciesOf(context: TrainContext): Promise<Dependencies> {
  const outputs = {
    ...(await readOutputs(stageFolder(context, "prepare"), "prepare")),
    ...(await readOutputs(stageFolder(context, "fit"), "fit")),
  };
  const { manifest } = await openEncoder(encoderBundleOf(context));
  const features = await readOutputs(stageFolder(context, "features"), "features");
  const { [featureFiles.summary]: summary } = features;
  const ofFile = (name: string) => outputs[name]?.sha256 ?? "";
  return {
    settings: { id: idOf(context), maxWords: context.settings.maxWords },
    inputs: {
      captions: ofFile(preparedFiles.captions),
      vocabulary: ofFile(preparedFiles.vocabulary),
      features: summary?.sha256 ?? "",
      encoder: encoderRevision(manifest),
      decoder: ofFile(fitFiles.weights),
    },
  };
}

/** Like `flickr8k-merge`, after the data. */
function idOf(context: TrainContext): string {
  const name = dataName(context)
    .toLowerCase()
    .replace(/[^a-z0-9.-]+/g, "-")
    .replace(/^[-.]+/, "");
  return context.settings.id ?? `${name === "" ? "my" : name}-merge`;
}

/** Of their folder, or of the JSONL file. */
export function dataName({ data }: Pick<TrainContext, "data">): string {
  return basename(data, extname(data));
}

async function readDecoder(context: TrainContext): Promise<ModelFiles> {
  const folder = stageFolder(context, "fit");
  return {
    topology: JSON.parse(await readFile(join(folder, fitFiles.topology), "utf8")),
    weights: await readFile(join(folder, fitFiles.weights)),
  };
}

function parseDecoder({ topology, weights }: ModelFiles) {
  return parseLayersModel({ topology, readWeights: () => weights });
}

interface Parts {
  prepared: Prepared;
  source: EncoderBundle;
  decoder: ModelFiles;
}

async function draftManifest(context: TrainContext, parts: Parts): Promise<Omit<Manifest, "files">> {
  const { prepared, source, decoder } = parts;
  const { sizes } = readMergeModel(parseDecoder(decoder));
  const { vocabulary } = prepared;
  return {
    formatVersion: 1,
    id: idOf(context),
    description: `merge LSTM decoder on the encoder of ${source.manifest.id}, trained on ${dataName(context)}`,
    encoder: source.manifest.encoder,
    decoder: { topology: decoderFiles.topology },
    vocabulary: { path: preparedFiles.vocabulary, size: vocabulary.size },
    preprocessing: source.manifest.preprocessing,
    specialIds: { padding: 0, start: vocabulary.startId, end: vocabulary.endId },
    cleaning: prepared.summary.cleaning,
    maxCaptionLength: sizes.maxCaptionLength,
    search: searchOf(context.settings),
    scores: await scoreSplits(context, parts),
    provenance: [
      ...inheritedProvenance(source, context),
      ...(await decoderProvenance(context, { prepared, recipe: chooseRecipe(context.settings) })),
    ],
    licence: source.manifest.licence,
  };
}

/** Of the encoder alone where the bundle tells it apart, and of the decoder, too, where training went on from it. */
function inheritedProvenance({ manifest: { provenance } }: EncoderBundle, { settings }: TrainContext): string[] {
  const ofEncoder = provenance.filter((line) => line.startsWith("Encoder"));
  return settings.from === undefined && ofEncoder.length > 0 ? ofEncoder : provenance;
}

async function scoreSplits(context: TrainContext, { prepared, decoder }: Parts): Promise<Manifest["scores"]> {
  const { photos, vocabulary } = prepared;
  const rounded = (score: number) => Math.round(1000 * score) / 10;
  const scores: Manifest["scores"] = [];
  for (const split of scoredSplits) {
    const own = await readFeatures(context, { photos: photos.filter((photo) => photo.split === split) });
    if (own.photos.length === 0) continue;
    const scorer = new Scorer(own, { vocabulary, search: searchOf(context.settings) });
    for (const beam of beams) {
      const { bleu1, bleu2, bleu3, bleu4, rougeL, cider } = (await scorer.score(decoder, beam)).scores;
      scores.push({
        dataset: `${dataName(context)} ${split}`,
        search: beam === 1 ? "greedy" : `beam ${beam}`,
        bleu1: rounded(bleu1),
        bleu2: rounded(bleu2),
        bleu3: rounded(bleu3),
        bleu4: rounded(bleu4),
        rougeL: rounded(rougeL),
        cider: rounded(cider),
      });
    }
  }
  return scores;
}

/** Everything but manifest and card, by path. */
async function bundleFiles(
  source: EncoderBundle,
  { prepared, decoder }: Omit<Parts, "source">,
): Promise<Map<string, Uint8Array>> {
  const files = new Map<string, Uint8Array>([
    [decoderFiles.topology, Buffer.from(JSON.stringify(decoder.topology))],
    [decoderFiles.weights, decoder.weights],
    [preparedFiles.vocabulary, Buffer.from(JSON.stringify(prepared.vocabulary.words))],
  ]);
  for (const { path } of encoderFiles(source.manifest)) files.set(path, await readFile(join(source.folder, path)));
  return files;
}

function describeScores(scores: Manifest["scores"]): string {
  const lines = scores.map(({ dataset, search, bleu1, bleu4, rougeL, cider }) => {
    const figures = { "BLEU-1": bleu1, "BLEU-4": bleu4, "ROUGE-L": rougeL, CIDEr: cider };
    return `${dataset}, ${search}: ${Object.entries(figures)
      .map(([name, score]) => `${name} ${score.toFixed(1)}`)
      .join(", ")}\n`;
  });
  return lines.join("");
}
