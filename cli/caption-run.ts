import { pMapIterable } from "p-map";
import { type CaptionRun, captionPhotos, type FinishedPhoto } from "./caption-photos.ts";
import type { CaptionedPhoto, CaptionToWrite } from "./captioned-photo.ts";
import type { FoundPhoto } from "./find-photos.ts";
import { type Listing, type PhotoWriter, UnfitForCaption } from "./outputs/output.ts";
import { Tally } from "./tally.ts";

/** Captions written beside photos and into them at once. */
const writersAtOnce = 4;

/** What becomes of captions below a confidence. */
export const unsureChoices = ["leave-out", "mark"] as const;

export interface ConfidenceLimit {
  least: number;
  below: (typeof unsureChoices)[number];
}

interface WholeRun extends CaptionRun {
  listings: readonly Listing[];
  writers: readonly PhotoWriter[];
  confidence?: ConfidenceLimit | undefined;
  /** Called for each photo at its end, in their order. */
  tell(ended: EndedPhoto, tally: Tally): void;
}

/** How a photo ended. */
export type EndedPhoto =
  | { kind: "captioned" | "skipped" | "unsure" | "left"; path: string }
  | { kind: "failed"; path: string; error: string };

type Step = EndedPhoto | { kind: "ready"; photo: CaptionedPhoto; isNew: boolean } | { kind: "fatal"; error: unknown };

/**
 * Captions photos and hands the captions to the outputs: to listings in the order of the photos, and then to what writes
 * beside photos and into them, several at once, while the next photos are captioned.
 */
export async function runCaptions(photos: Iterable<FoundPhoto>, run: WholeRun): Promise<Tally> {
  const tally = new Tally();
  let isComplete = false;
  try {
    const listed = listPhotos(photos, run);
    const ended = pMapIterable(listed, (step) => writeCaption(step, run.writers, tally), {
      concurrency: writersAtOnce,
      backpressure: 4 * writersAtOnce,
    });
    for await (const step of ended) {
      if (step.kind === "fatal") throw step.error;
      tally[step.kind] += 1;
      run.tell(step, tally);
    }
    isComplete = !run.signal.aborted;
  } catch (error) {
    await Promise.allSettled(run.listings.map((listing) => listing.end({ isComplete: false }))); // what they have so far
    throw error;
  }
  for (const listing of run.listings) await listing.end({ isComplete });
  return tally;
}

async function* listPhotos(photos: Iterable<FoundPhoto>, run: WholeRun): AsyncGenerator<Step> {
  for await (const outcome of captionPhotos(photos, run)) {
    if (outcome.kind !== "captioned") {
      if (outcome.kind === "failed") for (const listing of run.listings) listing.miss?.(outcome);
      yield outcome;
      continue;
    }
    const photo = toCaptionedPhoto(outcome, run);
    if (photo === undefined) {
      yield { kind: "unsure", path: outcome.path };
      continue;
    }
    for (const listing of run.listings) await listing.add(photo);
    yield { kind: "ready", photo, isNew: outcome.isNew };
  }
}

/** Undefined where its confidence is too low. What a person wrote is sure. */
function toCaptionedPhoto(
  { path, file, result, thumbnail }: FinishedPhoto,
  { state, confidence }: WholeRun,
): CaptionedPhoto | undefined {
  const correction = state?.correctionOf(result);
  const isBelow = correction === undefined && confidence !== undefined && result.confidence < confidence.least;
  if (isBelow && confidence.below === "leave-out") return undefined;
  return {
    path,
    file,
    result,
    photo: result,
    format: result.image.format,
    caption: correction ?? result.caption,
    model: correction === undefined ? result.model : undefined,
    isUnsure: isBelow,
    ...(thumbnail === undefined ? {} : { thumbnail }),
  };
}

/** Returns whether what a person wrote stays somewhere. */
export async function writeEverywhere(caption: CaptionToWrite, writers: readonly PhotoWriter[]): Promise<boolean> {
  let isKept = false;
  for (const writer of writers) isKept = (await writer.write(caption)) === "kept" || isKept;
  return isKept;
}

/** Never rejects: what cannot go on is a step of its own, so that nothing is left behind unheard. */
async function writeCaption(
  step: Step,
  writers: readonly PhotoWriter[],
  tally: Tally,
): Promise<EndedPhoto | { kind: "fatal"; error: unknown }> {
  if (step.kind !== "ready") return step;
  const { photo, isNew } = step;
  const { path } = photo;
  try {
    if (await writeEverywhere(photo, writers)) tally.kept += 1;
    return { kind: isNew ? "captioned" : "skipped", path };
  } catch (error) {
    return error instanceof UnfitForCaption ? { kind: "failed", path, error: error.message } : { kind: "fatal", error };
  }
}
