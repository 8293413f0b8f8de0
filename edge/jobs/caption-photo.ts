import { formResult } from "../../shared/caption-form.ts";
import { searchOf } from "../../shared/caption-options.ts";
import type { CaptionResult } from "../../shared/contract.ts";
import { CaptionError, errorFacts } from "../../shared/errors.ts";
import { hasOwnDescription } from "../../shared/own-description.ts";
import { resultForFile } from "../caption-cache.ts";
import { fetchSource } from "../fetch-source.ts";
import { type CaptionScope, findOrMakeCaption } from "../find-or-make-caption.ts";
import { isolateState } from "../isolate-state.ts";
import { describeError, log } from "../log.ts";
import { readBytes, tooManyBytes } from "../read-body.ts";
import { checkPhoto } from "../upload.ts";
import { captionOptionsOf, type JobRow } from "./job-store.ts";
import type { QueuedPhoto } from "./photo-store.ts";
import { writeSidecar } from "./sidecar.ts";

/** Tries of one photo while the services run. One that fails them all fails for good, so that it cannot keep its job open. */
const maxTries = 5;
/** Before the second try; doubled before each further one. */
const firstRetrySeconds = 10;
/** When a refusal says nothing about how long to wait. */
const usualWaitSeconds = 15;

export type PhotoOutcome =
  | { kind: "done"; result: CaptionResult; isCached: boolean }
  | { kind: "failed"; error: CaptionError }
  | { kind: "later"; seconds: number; isTry: boolean };

interface PhotoOrder {
  photo: QueuedPhoto;
  job: JobRow;
  /** Of a job that reads a bucket. */
  bucket: R2Bucket | undefined;
}

/** Captions one photo of a job, as an upload of its bytes would. Never throws for the photo. */
export async function captionPhoto(scope: CaptionScope, order: PhotoOrder): Promise<PhotoOutcome> {
  const { photo, job } = order;
  const hold = isolateState.uploads.holdFor(`job ${job.owner}`);
  try {
    const bytes = await readPhoto(scope, { ...order, hold });
    const checked = await checkPhoto(bytes, scope.settings);
    const options = captionOptionsOf(job);
    const caption = await findOrMakeCaption(scope, { photo: checked, options: searchOf(options) });
    const found = resultForFile(caption.result, { id: checked.id, bytes: checked.bytes.length });
    const result = formResult(found, options);
    await addSidecar(order, { bytes, result });
    return { kind: "done", result, isCached: caption.from === "cache-api" || caption.from === "kv" };
  } catch (error) {
    return outcomeOf(error, photo);
  } finally {
    hold.release();
  }
}

async function readPhoto(
  { settings }: CaptionScope,
  { photo, job, bucket, hold }: PhotoOrder & { hold: ReturnType<typeof isolateState.uploads.holdFor> },
): Promise<Uint8Array<ArrayBuffer>> {
  const { maxBytes, sourceHosts, serviceOrigins, sourceTimeoutMs, minBytesPerSecond } = settings;
  if (job.bucket === null) {
    const ownHosts = [job.host, ...serviceOrigins.map((origin) => new URL(origin).hostname)];
    const arrival = { timeoutMs: sourceTimeoutMs, minBytesPerSecond };
    return fetchSource(photo.object, { rules: { hosts: sourceHosts, ownHosts }, arrival, maxBytes, hold });
  }
  if (bucket === undefined) throw new CaptionError("not_found", `the bucket ${job.bucket} is not bound any more`);
  const object = await bucket.get(photo.object);
  if (object === null) throw new CaptionError("not_found", "the object is gone");
  const sizeLimit = { maxBytes, kind: "an image" } as const;
  try {
    if (object.size > maxBytes) throw tooManyBytes(sizeLimit, object.size);
    hold.expectRoomFor(object.size);
    return await readBytes(object.body, { maxBytes, tooLarge: () => tooManyBytes(sizeLimit, "more"), hold });
  } catch (error) {
    await object.body.cancel().catch(() => undefined);
    throw error;
  }
}

/** Writes the sidecar that the job asks for, unless it would hide what somebody wrote into the photo. */
async function addSidecar(
  { photo, job: { sidecars }, bucket }: PhotoOrder,
  { bytes, result }: { bytes: Uint8Array; result: CaptionResult },
): Promise<void> {
  if (bucket === undefined || sidecars === "none") return;
  if (sidecars === "xmp" && hasOwnDescription(bytes)) return;
  await writeSidecar(bucket, { key: photo.object, form: sidecars }, result);
}

/** Decides whether a failure is the photo's for good, or passes. */
function outcomeOf(error: unknown, { number, object, tries }: QueuedPhoto): PhotoOutcome {
  const known =
    error instanceof CaptionError
      ? error
      : new CaptionError("internal", "something went wrong on our side", { cause: error });
  const { retry } = errorFacts[known.code];
  if (retry === "never" || known.code === "not_found") return { kind: "failed", error: known };
  if (retry === "later") {
    return { kind: "later", seconds: Math.max(1, known.retryAfterSeconds ?? usualWaitSeconds), isTry: false };
  }
  log("warn", "a job's photo failed", { photo: number, object, tries: tries + 1, error: describeError(known) });
  if (tries + 1 >= maxTries) return { kind: "failed", error: known };
  return { kind: "later", seconds: firstRetrySeconds * 2 ** tries, isTry: true };
}
