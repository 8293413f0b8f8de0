import type { Manifest } from "../../shared/manifest.ts";
import type { Vocabulary } from "../../shared/vocabulary.ts";
import type { PhotoFeatures } from "../features/photo-features.ts";
import type { ModelFiles } from "../fit/layers-format.ts";
import { Scorer } from "../fit/scorer.ts";
import { searches } from "../searches.ts";
import { searchOf } from "../source-bundle.ts";
import type { TrainContext } from "../stage.ts";

/** Powers of the length that a caption's log-probability may be divided by. Epochs are compared at the usual 0.7. */
const lengthPenalties = [0.5, 0.7, 0.9, 1.1, 1.3];

/** With fewer dev photos the differences would be chance. */
const fewestPhotos = 200;

/**
 * How whoever uses the bundle searches: with the length penalty whose captions have the highest CIDEr on dev, by the
 * service's default beam. Where there is little dev to tell, or training went on from a bundle, it stays as it was.
 */
export async function chooseSearch(
  context: TrainContext,
  { dev, decoder, vocabulary }: { dev: PhotoFeatures; decoder: ModelFiles; vocabulary: Vocabulary },
): Promise<Manifest["search"]> {
  const usual = await searchOf(context);
  if (dev.photos.length < fewestPhotos || context.settings.from !== undefined) return usual;
  let best = { search: usual, cider: Number.NEGATIVE_INFINITY };
  for (const lengthPenalty of lengthPenalties) {
    const search = { ...usual, lengthPenalty };
    const { scores } = await new Scorer(dev, { vocabulary, search }).score(decoder, searches["beam 3"]);
    if (scores.cider > best.cider) best = { search, cider: scores.cider };
  }
  return best.search;
}
