import type { EncoderBundle } from "../../captioner/bundle.ts";
import type { ConfidenceMap } from "../../shared/confidence-map.ts";
import type { Manifest } from "../../shared/manifest.ts";
import type { Split } from "../dataset.ts";
import { nameSources } from "../dataset.ts";
import { readDetectors } from "../evidence/detector-files.ts";
import { inheritEvidence } from "../evidence/inherit-evidence.ts";
import { evidence as detectors } from "../evidence.ts";
import { readFeatures } from "../features/photo-features.ts";
import { startBackend } from "../fit/backend.ts";
import { readMergeModel } from "../fit/merge-model.ts";
import { chooseRecipe } from "../fit/presets.ts";
import { Scorer } from "../fit/scorer.ts";
import { type ModelFiles, parseModel } from "../layers-format.ts";
import { groupByDataset, type Prepared, preparedFiles } from "../prepared.ts";
import { readRehearsal } from "../rehearsal.ts";
import { fitConfidenceMap } from "../score/confidence.ts";
import { type SearchName, searches, searchNames } from "../score/score-captions.ts";
import { stageFolder, type TrainContext, type TrainRequest } from "../stage.ts";
import { type ChosenSearch, chooseSearch } from "./choose-search.ts";
import { decoderProvenance } from "./provenance.ts";

export const decoderFiles = { topology: "decoder/model.json", weights: "decoder/weights.bin" } as const;

export const evidenceFiles = { topology: "evidence/model.json", weights: "evidence/weights.bin" } as const;

export const rangesPath = "encoder/ranges.json";

const scoredSplits = ["dev", "test"] as const;

/** The search whose confidence is mapped: the service's default. */
const confidenceSearch = "beam 3" satisfies SearchName;

/** The parts of a bundle. */
export interface BundleParts {
  prepared: Prepared;
  source: EncoderBundle;
  decoder: ModelFiles;
}

interface Draft {
  /** The manifest without the sizes and digests of the files. */
  manifest: Omit<Manifest, "files">;
  /** The word detectors that guide the search, where they do. */
  evidence: ModelFiles | undefined;
}

/** Drafts the manifest: chooses the search, and scores the decoder on dev and test. */
export async function draftManifest(context: TrainContext, parts: BundleParts): Promise<Draft> {
  const { prepared, source, decoder } = parts;
  const { sizes } = readMergeModel(parseModel(decoder));
  const { vocabulary } = prepared;
  const chosen = await chooseFor(context, parts);
  const { search, evidence } = chosen;
  const { scores, calibration } = await scoreSplits(context, { ...parts, ...chosen });
  const manifest: Draft["manifest"] = {
    formatVersion: 1,
    id: idOf(context),
    description: `merge LSTM decoder on the encoder of ${source.manifest.id}, trained on ${dataName(context)}`,
    encoder: { ...source.manifest.encoder, ranges: rangesPath },
    decoder: { topology: decoderFiles.topology },
    ...(evidence === undefined ? {} : { evidence: { topology: evidenceFiles.topology } }),
    vocabulary: { path: preparedFiles.vocabulary, size: vocabulary.size },
    preprocessing: source.manifest.preprocessing,
    specialIds: { padding: 0, start: vocabulary.startId, end: vocabulary.endId },
    cleaning: prepared.summary.cleaning,
    maxCaptionLength: sizes.maxCaptionLength,
    ...(calibration === undefined ? {} : { calibration }),
    search,
    scores,
    provenance: [
      ...inheritedProvenance(source, context),
      ...(await decoderProvenance(context, { prepared, recipe: chooseRecipe(context.settings, prepared.summary) })),
      ...describeEvidence(chosen),
    ],
    licence: context.settings.licence ?? source.manifest.licence,
  };
  return { manifest, evidence };
}

/** Chooses the search, and the word detectors that guide it: the bundle's that training continues from, where it does. */
async function chooseFor(context: TrainContext, { prepared, decoder }: BundleParts): Promise<ChosenSearch> {
  const { photos, vocabulary } = prepared;
  const from = await context.bundles.from();
  await startBackend(); // the evidence is written by TensorFlow.js
  const chosen = await chooseSearch(context, {
    dev: await readFeatures(context, { photos: photos.filter(({ split }) => split === "dev") }),
    training: photos.filter(({ split }) => split === "train"),
    detectors:
      detectors.isWanted?.(context) === false ? undefined : await readDetectors(stageFolder(context, "evidence")),
    decoder,
    vocabulary,
  });
  if (from === undefined) return chosen;
  const inherited = { bundle: from, rehearsal: await readRehearsal(from), prepared };
  return { ...chosen, evidence: await inheritEvidence(context, inherited) };
}

/** Describes the word detectors that were trained here; those of a bundle that training continues from have their line. */
function describeEvidence({ strength, concepts }: ChosenSearch): string[] {
  if (strength === undefined) return [];
  return [
    `Word detectors: ${concepts} linear ones on the encoder's features, trained on the same photos; their evidence counts ` +
      `${strength} times in the search.`,
  ];
}

/**
 * Selects the source bundle's provenance: the encoder's, where it is marked as such, and the decoder's too, where
 * training continues from it.
 */
function inheritedProvenance({ manifest: { provenance } }: EncoderBundle, { settings }: TrainContext): string[] {
  const ofEncoder = provenance.filter((line) => line.startsWith("Encoder"));
  return settings.from === undefined && ofEncoder.length > 0 ? ofEncoder : provenance;
}

/** Scores the decoder on dev and test with the chosen search, and fits the confidence map on dev. */
async function scoreSplits(
  context: TrainContext,
  { prepared, decoder, search, evidence: files }: BundleParts & ChosenSearch,
): Promise<Pick<Manifest, "scores" | "calibration">> {
  const { photos, vocabulary } = prepared;
  const rounded = (score: number) => Math.round(1000 * score) / 10;
  const featuresOf = (split: Split) =>
    readFeatures(context, { photos: photos.filter((photo) => photo.split === split) });
  const guide = files === undefined ? undefined : parseModel(files);
  const scores: Manifest["scores"] = [];
  let confidenceMap: ConfidenceMap | undefined;
  for (const split of scoredSplits) {
    const own = await featuresOf(split);
    if (own.photos.length === 0) continue;
    const sizes = groupByDataset(own.photos);
    const scorer = new Scorer(own, { vocabulary, search, evidence: guide });
    for (const name of searchNames) {
      const found = await scorer.score(decoder, searches[name]);
      if (split === "dev" && name === confidenceSearch) confidenceMap = fitConfidenceMap(found.rated);
      for (const [set, { bleu1, bleu2, bleu3, bleu4, rougeL, cider }] of found.sets) {
        scores.push({
          dataset: `${set || dataName(context)} ${split}, ${sizes.get(set)?.length} photos`,
          search: name,
          bleu1: rounded(bleu1),
          bleu2: rounded(bleu2),
          bleu3: rounded(bleu3),
          bleu4: rounded(bleu4),
          rougeL: rounded(rougeL),
          cider: rounded(cider),
        });
      }
    }
  }
  return { scores, ...(confidenceMap === undefined ? {} : { calibration: confidenceMap }) };
}

/** Returns the bundle's id, like `flickr8k-merge`: named after the data unless set. */
export function idOf(request: Pick<TrainRequest, "data" | "settings">): string {
  const name = dataName(request)
    .toLowerCase()
    .replace(/[^a-z0-9.-]+/g, "-")
    .replace(/^[-.]+/, "");
  return request.settings.id ?? `${name === "" ? "my" : name}-merge`;
}

/** Returns the name of the first data source. */
function dataName({ data }: Pick<TrainRequest, "data">): string {
  return nameSources(data)[0] ?? "sentences";
}
