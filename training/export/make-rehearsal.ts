import { joinRows } from "../../captioner/vectors.ts";
import type { Manifest } from "../../shared/manifest.ts";
import { readFeatures } from "../features/photo-features.ts";
import { captionFeatures } from "../fit/decode-features.ts";
import type { Prepared } from "../prepared.ts";
import { quantised, type Rehearsal, readRehearsal } from "../rehearsal.ts";
import { searches } from "../searches.ts";
import type { TrainContext } from "../stage.ts";
import { chooseRehearsal, type RehearsalCandidate } from "./choose-rehearsal.ts";
import { type BundleParts, parseDecoder } from "./draft-manifest.ts";

/** Of photos; with the 2048 features of the encoder that ships a megabyte. */
const mostPhotos = 500;
const mostBytes = 1.1e6;

interface RehearsalParts extends Pick<BundleParts, "decoder"> {
  prepared: Prepared;
  search: Manifest["search"];
}

interface Candidate extends RehearsalCandidate {
  features: Float32Array;
}

/**
 * What the decoder is to rehearse when training goes on from it: training photos and, where it went on from another itself,
 * photos of that one's, spread over both, with its own captions.
 */
export async function makeRehearsal(
  context: TrainContext,
  { prepared, decoder, search }: RehearsalParts,
): Promise<Rehearsal> {
  const { vocabulary } = prepared;
  const candidates = [...(await ownCandidates(context, prepared)), ...(await inheritedCandidates(context))];
  const featureSize = candidates[0]?.features.length ?? 0;
  const chosen = chooseRehearsal(candidates, Math.min(mostPhotos, Math.floor(mostBytes / featureSize)));
  const features = quantised(joinRows(chosen.map((photo) => photo.features)), featureSize); // as it will be read back
  const beam = searches["beam 3"];
  const said = await captionFeatures(parseDecoder(decoder), { features, featureSize }, { vocabulary, search, beam });
  return { featureSize, features, captions: said.map((words) => [words]) };
}

/** Each training photo once, under whatever names; its words are those of its captions that the model knows. */
async function ownCandidates(context: TrainContext, { photos, vocabulary }: Prepared): Promise<Candidate[]> {
  const training = new Map(photos.filter(({ split }) => split === "train").map((photo) => [photo.sha256, photo]));
  const read = await readFeatures(context, { photos: [...training.values()] });
  return read.photos.map(({ sha256, dataset = "", captions }, index) => ({
    key: sha256,
    group: dataset,
    words: new Set(captions.flatMap(({ words }) => words).filter((word) => vocabulary.idOf(word) !== undefined)),
    features: rowOf(read, index),
  }));
}

async function inheritedCandidates({ bundles }: TrainContext): Promise<Candidate[]> {
  const from = await bundles.from();
  const rehearsal = from === undefined ? undefined : await readRehearsal(from);
  if (rehearsal === undefined) return [];
  return rehearsal.captions.map((captions, index) => ({
    key: String(index).padStart(9, "0"),
    group: "of the bundle gone on from",
    words: new Set(captions.flat()),
    features: rowOf(rehearsal, index),
  }));
}

function rowOf(
  { features, featureSize }: { features: Float32Array; featureSize: number },
  index: number,
): Float32Array {
  return features.subarray(index * featureSize, (index + 1) * featureSize);
}
