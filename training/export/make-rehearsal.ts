import { joinRows } from "../../captioner/vectors.ts";
import type { Manifest } from "../../shared/manifest.ts";
import { readFeatures } from "../features/photo-features.ts";
import { captionFeatures } from "../fit/decode-features.ts";
import { type ModelFiles, parseModel } from "../layers-format.ts";
import type { Prepared } from "../prepared.ts";
import { type Rehearsal, readRehearsal, roundToLevels } from "../rehearsal.ts";
import { searches } from "../score/score-captions.ts";
import type { TrainContext } from "../stage.ts";
import type { BundleParts } from "./draft-manifest.ts";

/** Maximum number of photos; with the shipped encoder's 2048 features they take a megabyte. */
const mostPhotos = 500;
const mostBytes = 1.1e6;

interface RehearsalParts extends Pick<BundleParts, "decoder"> {
  prepared: Prepared;
  search: Manifest["search"];
  /** The word detectors that guide the search, where there are some. */
  evidence: ModelFiles | undefined;
}

interface Candidate extends RehearsalCandidate {
  features: Float32Array;
}

/**
 * Makes the rehearsal for training that continues from this decoder: training photos, and photos of the rehearsal that
 * this decoder itself was trained with, chosen from both, with its own captions.
 */
export async function makeRehearsal(
  context: TrainContext,
  { prepared, decoder, search, evidence }: RehearsalParts,
): Promise<Rehearsal> {
  const { vocabulary } = prepared;
  const candidates = [...(await ownCandidates(context, prepared)), ...(await inheritedCandidates(context))];
  const featureSize = candidates[0]?.features.length ?? 0;
  const chosen = chooseRehearsal(candidates, Math.min(mostPhotos, Math.floor(mostBytes / featureSize)));
  const features = roundToLevels(joinRows(chosen.map((photo) => photo.features)), featureSize); // as they will be read back
  const beam = searches["beam 3"];
  const settings = { vocabulary, search, beam, evidence: evidence === undefined ? undefined : parseModel(evidence) };
  const said = await captionFeatures(parseModel(decoder), { features, featureSize }, settings);
  return { featureSize, features, captions: said.map((words) => [words]) };
}

/**
 * Lists each training photo once, even if it has several names; its words are those of its captions that the model
 * knows.
 */
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

/** A photo that may be rehearsed. */
interface RehearsalCandidate {
  /** A key in which order is random but reproducible, such as the photo's SHA-256. */
  key: string;
  /** Data set that it comes from; each contributes its share. */
  group: string;
  /** Words of its captions. */
  words: ReadonlySet<string>;
}

/**
 * Chooses `count` photos. Each group contributes equally, or all it has. Half of a group's photos are drawn at random,
 * to be representative; the other half are those whose words the previous ones cover least, so that few words are
 * forgotten.
 */
export function chooseRehearsal<Candidate extends RehearsalCandidate>(
  candidates: readonly Candidate[],
  count: number,
): Candidate[] {
  const groups = new Map<string, Candidate[]>();
  for (const candidate of candidates) groups.set(candidate.group, [...(groups.get(candidate.group) ?? []), candidate]);
  const smallestFirst = [...groups.values()].toSorted((one, other) => one.length - other.length);
  const chosen: Candidate[] = [];
  const said = new Map<string, number>();
  for (const [index, own] of smallestFirst.entries()) {
    const share = Math.floor((count - chosen.length) / (smallestFirst.length - index));
    chosen.push(...chooseFrom(own, { share, said }));
  }
  return chosen;
}

function chooseFrom<Candidate extends RehearsalCandidate>(
  candidates: readonly Candidate[],
  { share, said }: { share: number; said: Map<string, number> },
): Candidate[] {
  const byKey = candidates.toSorted((one, other) => (one.key < other.key ? -1 : 1));
  const chosen = byKey.slice(0, Math.ceil(share / 2));
  const say = ({ words }: Candidate) => {
    for (const word of words) said.set(word, (said.get(word) ?? 0) + 1);
  };
  for (const candidate of chosen) say(candidate);
  const left = new Set(byKey.slice(chosen.length));
  while (chosen.length < share && left.size > 0) {
    const best = mostNew(left, said);
    left.delete(best);
    chosen.push(best);
    say(best);
  }
  return chosen;
}

/** Finds the candidate whose words were said least: the sum of 1 / (1 + times said)². The first of equals wins. */
function mostNew<Candidate extends RehearsalCandidate>(
  candidates: ReadonlySet<Candidate>,
  said: ReadonlyMap<string, number>,
): Candidate {
  let best: { candidate: Candidate; worth: number } | undefined;
  for (const candidate of candidates) {
    let worth = 0;
    for (const word of candidate.words) worth += 1 / (1 + (said.get(word) ?? 0)) ** 2;
    if (best === undefined || worth > best.worth) best = { candidate, worth };
  }
  if (best === undefined) throw new Error("expected something to choose from, found nothing");
  return best.candidate;
}
