import { captionParts } from "../context.ts";
import type { CaptionScope } from "../find-or-make-caption.ts";
import { describeError, log } from "../log.ts";
import { readSettings } from "../settings.ts";
import { captionPhoto, type PhotoOutcome } from "./caption-photo.ts";
import { followBucket } from "./follow-bucket.ts";
import type { JobRow } from "./job-store.ts";
import { type Jobs, openJobs } from "./jobs.ts";
import { messageSchema, sendPhotos } from "./messages.ts";
import type { Deferral, Outcome, QueuedPhoto } from "./photo-store.ts";

/** Photos of one batch under way at once: each needs memory, and a Worker has six connections. */
const photosAtOnce = 4;
/** Wait while no service is ready. */
const absentSeconds = 15;
/** Before the queue delivers a message again that could not be worked on. */
const redeliverySeconds = 10;

/**
 * Works on a batch of the queue, message by message, and acknowledges each by itself. What has to wait is put on the queue as
 * a new message with a delay: to retry a message would use up its attempts.
 */
export async function consumeBatch(batch: MessageBatch<unknown>, environment: unknown, context: ExecutionContext) {
  const consumer = new Consumer(environment, (work) => context.waitUntil(work));
  for (const message of batch.messages) {
    try {
      await consumer.work(message.body);
      message.ack();
    } catch (error) {
      log("warn", "a message of a job could not be worked on", {
        attempts: message.attempts,
        error: describeError(error),
      });
      message.retry({ delaySeconds: redeliverySeconds });
    }
  }
}

class Consumer {
  readonly #jobs: Jobs;
  readonly #scope: Omit<CaptionScope, "startedAtMs" | "caller">;
  /** Set when a service asked to wait: what follows in this batch waits too. */
  #pauseSeconds: number | null = null;

  constructor(environment: unknown, waitUntil: (work: Promise<unknown>) => void) {
    this.#jobs = openJobs(environment);
    const parts = captionParts(readSettings(environment), {
      waitUntil,
      traceHeaders: { "X-Request-Id": crypto.randomUUID() },
    });
    this.#scope = { ...parts, waitUntil, time: (_, work) => work };
  }

  /** Throws when D1 or the queue refuses; all that was done until then stays done. */
  async work(body: unknown): Promise<void> {
    const message = messageSchema.safeParse(body);
    if (!message.success) return log("warn", "a message on the jobs' queue is none of ours", { body });
    if ("action" in message.data) return followBucket(this.#jobs, message.data);
    const photos = await this.#jobs.photos.readQueued(message.data.photos);
    for (const id of new Set(photos.map(({ job }) => job))) {
      const job = await this.#jobs.store.find(id);
      const ofJob = photos.filter((photo) => photo.job === id);
      if (job !== null) await this.#captionAll(job, ofJob);
    }
  }

  async #captionAll(job: JobRow, photos: readonly QueuedPhoto[]): Promise<void> {
    const settled: Outcome[] = [];
    const deferred: Deferral[] = [];
    const left = [...photos];
    await this.#checkService();
    const takeNext = async () => {
      for (let photo = left.shift(); photo !== undefined; photo = left.shift()) {
        const outcome = await this.#caption(job, photo);
        if (outcome.kind === "done") settled.push({ photo, ...outcome });
        else if (outcome.kind === "failed") {
          settled.push({ photo, code: outcome.error.code, detail: outcome.error.message });
        } else deferred.push({ photos: [photo], ...outcome });
      }
    };
    await Promise.all(Array.from({ length: photosAtOnce }, takeNext));
    await this.#jobs.photos.settle(job.id, settled);
    await this.#defer(deferred);
    log("info", "photos of a job", { job: job.id, settled: settled.length, deferred: deferred.length });
  }

  async #caption(job: JobRow, photo: QueuedPhoto): Promise<PhotoOutcome> {
    if (this.#pauseSeconds !== null) return { kind: "later", seconds: this.#pauseSeconds, isTry: false };
    const bucket = job.bucket === null ? undefined : this.#jobs.buckets.get(job.bucket);
    const caller = `${job.tier} ${job.owner}`;
    const scope: CaptionScope = { ...this.#scope, startedAtMs: Date.now(), caller, priority: "bulk" };
    const outcome = await captionPhoto(scope, { photo, job, bucket });
    if (outcome.kind === "later" && !outcome.isTry) this.#pauseSeconds = outcome.seconds;
    return outcome;
  }

  /** Has photos wait while no service is ready, so that none spends a try on a restart. */
  async #checkService(): Promise<void> {
    if (this.#pauseSeconds !== null) return;
    try {
      await this.#scope.service.readiness();
    } catch {
      this.#pauseSeconds = absentSeconds;
    }
  }

  /** Puts photos back on the queue: those that may be at fault alone, the others together. */
  async #defer(deferrals: readonly Deferral[]): Promise<void> {
    if (deferrals.length === 0) return;
    await this.#jobs.photos.noteDeferred(deferrals);
    const waiting = deferrals.filter(({ isTry }) => !isTry);
    const seconds = Math.max(0, ...waiting.map((deferral) => deferral.seconds));
    const together = waiting.flatMap(({ photos }) => photos.map(({ number }) => number));
    await sendPhotos(this.#jobs.queue, together, { delaySeconds: seconds });
    for (const { photos, seconds: delaySeconds, isTry } of deferrals) {
      if (!isTry) continue;
      await sendPhotos(
        this.#jobs.queue,
        photos.map(({ number }) => number),
        { delaySeconds },
      );
    }
  }
}
