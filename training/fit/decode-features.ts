import { type FoundCaption, type SearchSettings, searchCaptions } from "../../captioner/beam-search.ts";
import type { LayersModel } from "../../captioner/networks/layers-model.ts";
import { compileDecoder } from "../../captioner/onnx/decoder.ts";
import { createOnnxDecoder } from "../../captioner/onnx/decoder-session.ts";
import type { Manifest } from "../../shared/manifest.ts";
import { paddingId, type Vocabulary } from "../../shared/vocabulary.ts";

/** Photos that are searched together: enough to fill the matrices, few enough to stay in the caches. */
const photosAtOnce = 100;

interface BeamSettings extends SearchSettings {
  /** The network of word detectors, if they guide the search. */
  evidence?: LayersModel | undefined;
  featureSize: number;
  vocabularySize: number;
  beam: number;
}

interface CaptionSettings {
  vocabulary: Vocabulary;
  evidence?: LayersModel | undefined;
  search: Manifest["search"];
  beam: number;
}

/** Finds the words of each photo's best caption with the service's own search. */
export async function captionFeatures(
  model: LayersModel,
  { features, featureSize }: { features: Float32Array; featureSize: number },
  { vocabulary, search, beam, evidence }: CaptionSettings,
): Promise<string[][]> {
  const { size: vocabularySize, startId, endId } = vocabulary;
  const settings = { ...search, featureSize, beam, vocabularySize, startId, endId, evidence };
  const found = await decodeFeatures(model, features, settings);
  return found.map(({ words }) => vocabulary.wordsOf(words));
}

/** Finds each photo's best caption with the service's own search. `features` is float32 [photos, featureSize]. */
export async function decodeFeatures(
  model: LayersModel,
  features: Float32Array,
  { featureSize, vocabularySize, beam, evidence, ...settings }: BeamSettings,
): Promise<FoundCaption[]> {
  const spec = { featureSize, vocabularySize, suppressedIds: [paddingId, settings.startId], evidence };
  const decoder = await createOnnxDecoder(compileDecoder(model, spec), spec);
  try {
    const captions: FoundCaption[] = [];
    const block = photosAtOnce * featureSize;
    for (let from = 0; from < features.length; from += block) {
      const some = features.subarray(from, from + block);
      const options = Array.from({ length: some.length / featureSize }, () => ({ beam, candidates: 1 }));
      captions.push(...(await searchCaptions(decoder, { features: some, options }, settings)).flat());
    }
    return captions;
  } finally {
    await decoder.close();
  }
}
