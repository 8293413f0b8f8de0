import { pMapIterable } from "p-map";
import { describeFileError, isLastingFileError, UnfitForCaption } from "../../files/file-error.ts";
import type { FoundPhoto } from "../../files/find/search-result.ts";
import { isRawPhoto } from "../../files/raw-preview.ts";
import { formResult } from "../../shared/caption-form.ts";
import type { FormOptions } from "../../shared/caption-options.ts";
import { cleanCaption } from "../../shared/clean-caption.ts";
import { keywordsOf } from "../../shared/keywords.ts";
import type { CaptionToList, CaptionToWrite, Listing, PhotoWriter, WriteOutcome } from "../outputs/output.ts";
import { jpegStemsIn } from "../outputs/sidecar-path.ts";
import { type EndedPhoto, PhotoCounts } from "./run-progress.ts";
import { type CaptionOrigin, captionPhotos, type FinishedPhoto, type ScheduledRun } from "./scheduler.ts";

/** Photos whose captions are written beside them or into them at once. */
const writersAtOnce = 4;

/** Ways to treat captions below a confidence. */
export const unsureChoices = ["leave-out", "mark"] as const;

export interface ConfidenceLimit {
  least: number;
  below: (typeof unsureChoices)[number];
}

interface PipelineRun extends ScheduledRun {
  listings: readonly Listing[];
  writers: readonly PhotoWriter[];
  confidence?: ConfidenceLimit | undefined;
  /** The form in which captions are told: what is remembered is the search's result. */
  form: FormOptions;
  /** Called once for each photo, in their order. */
  report(ended: EndedPhoto, counts: PhotoCounts): void;
}

type Step =
  | EndedPhoto
  | { kind: "ready"; photo: CaptionToList; origin: CaptionOrigin }
  | { kind: "fatal"; error: unknown };

/**
 * Captions photos and passes the captions to the outputs: to listings in the order of the photos, and then to the writers
 * beside photos and into them, several at once, while the next photos are captioned.
 */
export async function runPipeline(photos: readonly FoundPhoto[], run: PipelineRun): Promise<PhotoCounts> {
  const counts = new PhotoCounts();
  let isComplete = false;
  try {
    const listed = listPhotos(photos, run, counts);
    const ended = pMapIterable(listed, (step) => writeCaption(step, run.writers, counts), {
      concurrency: writersAtOnce,
      backpressure: 4 * writersAtOnce,
    });
    for await (const step of ended) {
      if (step.kind === "fatal") throw step.error;
      counts[step.kind] += 1;
      run.report(step, counts);
    }
    isComplete = !run.signal.aborted;
  } catch (error) {
    await Promise.allSettled(run.listings.map((listing) => listing.end({ isComplete: false }))); // what they have so far
    throw error;
  }
  for (const listing of run.listings) await listing.end({ isComplete });
  return counts;
}

async function* listPhotos(photos: readonly FoundPhoto[], run: PipelineRun, counts: PhotoCounts): AsyncGenerator<Step> {
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
      if (outcome.isUnread) counts.unread += 1;
      const photo = toCaptionedPhoto(outcome, run);
      if (photo === undefined) {
        yield { kind: "unsure", path: outcome.path, hasTakenWork: outcome.origin === "new" };
        continue;
      }
      if (photo.model !== undefined && photo.caption !== outcome.result.caption) {
        await run.state?.rememberForm(photo.photo, photo.caption);
      }
      for (const listing of run.listings) await listing.add(photo);
      yield { kind: "ready", photo, origin: outcome.origin };
    }
  }
}

/** Returns undefined for a photo whose confidence is too low. What a person wrote counts as certain. */
function toCaptionedPhoto(
  { path, file, result: found, thumbnail }: FinishedPhoto,
  { state, confidence, form }: PipelineRun,
): CaptionToList | undefined {
  const result = formResult(found, { ...found.options, ...form });
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
    keywords:
      correction === undefined ? result.keywords?.map(({ keyword }) => keyword) : form.keywords && wordsOf(correction),
    model: correction === undefined ? result.model : undefined,
    isUnsure: isBelow,
    ...(thumbnail === undefined ? {} : { thumbnail }),
  };
}

/** The keywords of a person's caption. */
function wordsOf(caption: string): string[] {
  const words = cleanCaption(caption, "natural").map((word) => ({ word, probability: 1 }));
  return keywordsOf([{ words, confidence: 1 }]).map(({ keyword }) => keyword);
}

/** Writes a caption to all places. Returns the outcomes, and counts those that the last line of a run reports. */
export async function writeToAll(
  caption: CaptionToWrite,
  writers: readonly PhotoWriter[],
  counts: PhotoCounts,
): Promise<ReadonlySet<WriteOutcome>> {
  const outcomes = new Set<WriteOutcome>();
  for (const writer of writers) {
    for (const outcome of await writer.write(caption)) outcomes.add(outcome);
  }
  if (outcomes.has("kept")) counts.kept += 1;
  if (outcomes.has("shared")) counts.shared += 1;
  return outcomes;
}

/** Never rejects: an error that ends the run is a step of its own, so that no rejection goes unhandled. */
async function writeCaption(
  step: Step,
  writers: readonly PhotoWriter[],
  counts: PhotoCounts,
): Promise<EndedPhoto | { kind: "fatal"; error: unknown }> {
  if (step.kind !== "ready") return step;
  const { photo, origin } = step;
  const { path, thumbnail } = photo;
  if (isRawPhoto(photo.file)) counts.raw += 1;
  try {
    const isWritten = (await writeToAll(photo, writers, counts)).has("written");
    const hasTakenWork = origin === "new" || isWritten || thumbnail !== undefined;
    const kinds = { new: "captioned", copy: "copies", earlier: isWritten ? "written" : "skipped" } as const;
    return { kind: kinds[origin], path, hasTakenWork };
  } catch (error) {
    const reason = error instanceof UnfitForCaption ? error.message : describeFileError(error);
    if (reason === undefined || isLastingFileError(error)) return { kind: "fatal", error };
    return { kind: "failed", path, error: reason, hasTakenWork: false };
  }
}
