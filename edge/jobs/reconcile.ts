import { isOver } from "../../shared/jobs.ts";
import { hasKey } from "../access.ts";
import { describeError, log } from "../log.ts";
import { hasJobs } from "../settings.ts";
import type { JobRow } from "./job-store.ts";
import { type Jobs, openJobs, startListing } from "./jobs.ts";
import { sendPhotos } from "./messages.ts";

const jobsPerRun = 100;
/** Photos that one run sends again, per job: a thousand messages. */
const maxResent = 10_000;
const photosPerCall = 1000;
/** While some job gets on, a photo that was sent may just wait its turn, unless it has waited for this many intervals. */
const intervalsInTurn = 30;
/** A listing without progress for this many intervals gets another Workflow. */
const intervalsOfListing = 3;
/** KV may say for some minutes that a new key is not there, so jobs that are younger have it. */
const newKeyMs = 5 * 60_000;
/** Keys that one run looks up: a request each, of the thousand that it may make. */
const keysPerRun = 200;
const purgedPerRun = 20;
const rowsPerPurge = 2000;

/**
 * Brings jobs on that stand still: sends photos again that the queue has lost, and starts the Workflow of a listing again.
 * Cancels jobs whose key is no more, and deletes what deleted jobs have left. The cron trigger calls it each minute.
 */
export async function reconcileJobs(environment: unknown): Promise<void> {
  if (!hasJobs(environment)) return;
  const jobs = openJobs(environment);
  const begunBeforeMs = Date.now() - newKeyMs;
  for (const owner of await jobs.store.ownersUnderWay({ begunBeforeMs, limit: keysPerRun })) {
    try {
      await expectKey(jobs, owner);
    } catch (error) {
      log("warn", "the key of a job cannot be looked up", { key: owner, error: describeError(error) });
    }
  }
  for (const job of await jobs.store.findUnderWay({ limit: jobsPerRun })) {
    try {
      if (job.state === "listing") await renewListing(jobs, job);
      else await resendLost(jobs, job.id);
    } catch (error) {
      log("warn", "a job could not be reconciled", { job: job.id, error: describeError(error) });
    }
  }
  for (let run = 0; run < purgedPerRun && (await jobs.store.purge({ limit: rowsPerPurge })); run++);
}

/** Sends a job's photos again that no consumer has settled in the time it should take. Returns whether the job is over. */
export async function resendLost({ store, photos, queue, resendSeconds }: Jobs, id: string): Promise<boolean> {
  const job = await store.find(id);
  if (job === null || isOver(job)) return true;
  const now = Date.now();
  const resendMs = resendSeconds * 1000;
  const isQueueBusy = now - (await store.lastProgressMs()) < resendMs;
  const ms = now - resendMs * (isQueueBusy ? intervalsInTurn : 1);
  let sent = 0;
  while (sent < maxResent) {
    const numbers = await photos.sentBefore(id, { ms, limit: photosPerCall });
    if (numbers.length === 0) break;
    await sendPhotos(queue, numbers);
    await photos.noteSent(numbers);
    sent += numbers.length;
  }
  if (sent > 0) log("info", "photos were sent again", { job: id, sent });
  return false;
}

/** Cancels a key's jobs if the key was revoked, or may have none any more. */
async function expectKey({ store, keys }: Jobs, owner: string): Promise<void> {
  if (await hasKey(keys, { id: owner, scope: "jobs" })) return;
  const cancelled = await store.cancelAllOf(owner, { reason: "its key was revoked" });
  if (cancelled > 0) log("info", "jobs were cancelled, since their key was revoked", { key: owner, jobs: cancelled });
}

async function renewListing(jobs: Jobs, job: JobRow): Promise<void> {
  if (Date.now() - job.progress_at_ms < jobs.resendSeconds * 1000 * intervalsOfListing) return;
  const listing = await jobs.store.renewListing(job);
  if (listing !== null) await startListing(jobs, job.id, listing);
}
