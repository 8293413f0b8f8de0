import { pMapIterable } from "p-map";
import { describeFileError, isLastingFileError, UnfitForCaption } from "../../files/file-error.ts";
import type { FoundPhoto } from "../../files/find/walk-folder.ts";
import type { Listing, PhotoWriter, Written } from "../outputs/output.ts";
import { jpegStemsIn } from "../outputs/sidecar-path.ts";
import { type CaptionOrigin, type CaptionRun, captionPhotos, type FinishedPhoto } from "./caption-photos.ts";
import type { CaptionedPhoto, CaptionToWrite } from "./captioned-photo.ts";
import { PhotoCounts } from "./counts.ts";

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
  tell(ended: EndedPhoto, counts: PhotoCounts): void;
}

/** How a photo ended. */
export type EndedPhoto = { path: string; hasTakenWork: boolean } & (
  | { kind: "captioned" | "copies" | "written" | "cleared" | "skipped" | "unsure" | "left" | "paired" }
  | { kind: "failed"; error: string }
);

type Step =
  | EndedPhoto
  | { kind: "ready"; photo: CaptionedPhoto; origin: CaptionOrigin }
  | { kind: "fatal"; error: unknown };

/**
 * Captions photos and hands the captions to the outputs: to listings in the order of the photos, and then to what writes
 * beside photos and into them, several at once, while the next photos are captioned.
 */
export async function runCaptions(photos: readonly FoundPhoto[], run: WholeRun): Promise<PhotoCounts> {
  const counts = new PhotoCounts();
  let isComplete = false;
  try {
    const listed = listPhotos(photos, run);
    const ended = pMapIterable(listed, (step) => writeCaption(step, run.writers, counts), {
      concurrency: writersAtOnce,
      backpressure: 4 * writersAtOnce,
    });
    for await (const step of ended) {
      if (step.kind === "fatal") throw step.error;
      counts[step.kind] += 1;
      run.tell(step, counts);
    }
    isComplete = !run.signal.aborted;
  } catch (error) {
    await Promise.allSettled(run.listings.map((listing) => listing.end({ isComplete: false }))); // what they have so far
    throw error;
  }
  for (const listing of run.listings) await listing.end({ isComplete });
  return counts;
}

async function* listPhotos(photos: readonly FoundPhoto[], run: WholeRun): AsyncGenerator<Step> {
  const hasJpegBeside = jpegStemsIn(photos);
  for await (const outcome of captionPhotos(photos, run)) {
    if (outcome.kind === "fatal") {
      yield outcome;
    } else if (outcome.kind === "left") {
      yield { ...outcome, hasTakenWork: false };
    } else if (outcome.kind === "failed") {
      if (outcome.isHeicRefused && hasJpegBeside(outcome.path)) {
        yield { kind: "paired", path: outcome.path, hasTakenWork: false };
        continue;
      }
      for (const listing of run.listings) listing.miss?.(outcome);
      yield { ...outcome, hasTakenWork: false };
    } else {
      const photo = toCaptionedPhoto(outcome, run);
      if (photo === undefined) {
        yield { kind: "unsure", path: outcome.path, hasTakenWork: outcome.origin === "new" };
        continue;
      }
      for (const listing of run.listings) await listing.add(photo);
      yield { kind: "ready", photo, origin: outcome.origin };
    }
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

/** Returns what has become of the caption in all places, and counts what is to be told of it. */
export async function writeEverywhere(
  caption: CaptionToWrite,
  writers: readonly PhotoWriter[],
  counts: PhotoCounts,
): Promise<ReadonlySet<Written>> {
  const outcomes = new Set<Written>();
  for (const writer of writers) outcomes.add(await writer.write(caption));
  if (outcomes.has("kept")) counts.kept += 1;
  if (outcomes.has("shared")) counts.shared += 1;
  return outcomes;
}

/** Never rejects: what cannot go on is a step of its own, so that nothing is left behind unheard. */
async function writeCaption(
  step: Step,
  writers: readonly PhotoWriter[],
  counts: PhotoCounts,
): Promise<EndedPhoto | { kind: "fatal"; error: unknown }> {
  if (step.kind !== "ready") return step;
  const { photo, origin } = step;
  const { path, thumbnail } = photo;
  try {
    const isWritten = (await writeEverywhere(photo, writers, counts)).has("written");
    const hasTakenWork = origin === "new" || isWritten || thumbnail !== undefined;
    const kinds = { new: "captioned", copy: "copies", earlier: isWritten ? "written" : "skipped" } as const;
    return { kind: kinds[origin], path, hasTakenWork };
  } catch (error) {
    const reason = error instanceof UnfitForCaption ? error.message : describeFileError(error);
    if (reason === undefined || isLastingFileError(error)) return { kind: "fatal", error };
    return { kind: "failed", path, error: reason, hasTakenWork: false };
  }
}
