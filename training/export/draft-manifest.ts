import type { EncoderBundle } from "../../captioner/bundle.ts";
import { parseLayersModel } from "../../captioner/networks/layers-model.ts";
import type { ConfidenceMap } from "../../shared/confidence-map.ts";
import type { Manifest } from "../../shared/manifest.ts";
import type { Split } from "../dataset.ts";
import { nameSources } from "../dataset.ts";
import { readFeatures } from "../features/photo-features.ts";
import { readMergeModel } from "../fit/merge-model.ts";
import { chooseRecipe } from "../fit/presets.ts";
import { Scorer } from "../fit/scorer.ts";
import type { ModelFiles } from "../layers-format.ts";
import { groupByDataset, type Prepared, preparedFiles } from "../prepared.ts";
import { fitConfidenceMap } from "../score/confidence.ts";
import { type SearchName, searches, searchNames } from "../score/score-captions.ts";
import type { TrainContext, TrainRequest } from "../stage.ts";
import { chooseSearch } from "./choose-search.ts";
import { decoderProvenance } from "./provenance.ts";

export const decoderFiles = { topology: "decoder/model.json", weights: "decoder/weights.bin" } as const;

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

/** Drafts the manifest, without the sizes and digests of the files; scores the decoder on dev and test. */
export async function draftManifest(context: TrainContext, parts: BundleParts): Promise<Omit<Manifest, "files">> {
  const { prepared, source, decoder } = parts;
  const { sizes } = readMergeModel(parseDecoder(decoder));
  const { vocabulary } = prepared;
  const { search, scores, calibration } = await scoreSplits(context, parts);
  return {
    formatVersion: 1,
    id: idOf(context),
    description: `merge LSTM decoder on the encoder of ${source.manifest.id}, trained on ${dataName(context)}`,
    encoder: { ...source.manifest.encoder, ranges: rangesPath },
    decoder: { topology: decoderFiles.topology },
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
    ],
    licence: context.settings.licence ?? source.manifest.licence,
  };
}

/**
 * Selects the source bundle's provenance: the encoder's, where it is marked as such, and the decoder's too, where
 * training continues from it.
 */
function inheritedProvenance({ manifest: { provenance } }: EncoderBundle, { settings }: TrainContext): string[] {
  const ofEncoder = provenance.filter((line) => line.startsWith("Encoder"));
  return settings.from === undefined && ofEncoder.length > 0 ? ofEncoder : provenance;
}

/** Scores the decoder on dev and test with the search that does best on dev, and fits the confidence map on dev. */
async function scoreSplits(
  context: TrainContext,
  { prepared, decoder }: BundleParts,
): Promise<Pick<Manifest, "search" | "scores" | "calibration">> {
  const { photos, vocabulary } = prepared;
  const rounded = (score: number) => Math.round(1000 * score) / 10;
  const featuresOf = (split: Split) =>
    readFeatures(context, { photos: photos.filter((photo) => photo.split === split) });
  const search = await chooseSearch(context, {
    dev: await featuresOf("dev"),
    training: photos.filter((photo) => photo.split === "train"),
    decoder,
    vocabulary,
  });
  const scores: Manifest["scores"] = [];
  let confidenceMap: ConfidenceMap | undefined;
  for (const split of scoredSplits) {
    const own = await featuresOf(split);
    if (own.photos.length === 0) continue;
    const sizes = groupByDataset(own.photos);
    const scorer = new Scorer(own, { vocabulary, search });
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
  return { search, scores, ...(confidenceMap === undefined ? {} : { calibration: confidenceMap }) };
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

/** Parses what `fit` wrote, as the service reads a decoder. */
export function parseDecoder({ topology, weights }: ModelFiles) {
  return parseLayersModel({ topology, readWeights: () => weights });
}
