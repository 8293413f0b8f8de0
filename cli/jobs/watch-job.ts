import { setTimeout } from "node:timers/promises";
import type { CaptionClient } from "../../shared/client.ts";
import { CaptionError, errorFacts } from "../../shared/errors.ts";
import { isOver, type Job } from "../../shared/jobs.ts";
import { type Progress, showProgress } from "../../terminal/progress.ts";

const askEveryMs = 1_000;
/** How long the edge may be away before its absence is an error: longer than a restart. */
const patienceMs = 120_000;

interface Watch {
  signal: AbortSignal;
  /** Whether progress is shown. */
  isShown: boolean;
}

/**
 * Follows a job until nothing is left to do, with a progress bar. For a job that follows its bucket, that is when all its
 * photos have been captioned. Throws the signal's reason, which ends the watching and not the job.
 */
export async function watchJob(client: CaptionClient, job: Job, { signal, isShown }: Watch): Promise<Job> {
  let latest = job;
  let progress: Progress | undefined;
  const settledOf = ({ done, failed }: Job) => done + failed;
  const isFinished = () => isOver(latest) || (latest.state === "following" && settledOf(latest) >= latest.listed);
  let seen = settledOf(job);
  try {
    for (;;) {
      if (isShown && latest.listed > 0) {
        progress ??= showProgress("captioning", {
          total: latest.listed,
          unit: "photos",
          done: seen,
          more: () => describeMore(latest),
        });
        progress.expect(latest.listed);
        progress.advance(settledOf(latest) - seen);
        seen = settledOf(latest);
      }
      if (isFinished()) return latest;
      await setTimeout(askEveryMs, undefined, { signal }).catch(() => signal.throwIfAborted());
      latest = await askPatiently(client, job.id, signal);
    }
  } finally {
    progress?.end();
  }
}

/** Describes a job in one line. */
export function describeJob({ id, state, source, listed, done, cached, failed, reason, createdAt }: Job): string {
  const what = "bucket" in source ? `${source.bucket}/${source.prefix}` : `${source.urls} addresses`;
  const counts = `${done} of ${listed} captioned, ${cached} from the cache, ${failed} failed`;
  const why = reason === undefined ? "" : ` (${reason})`;
  return `${id}  ${state}${why}  ${createdAt.slice(0, 16).replace("T", " ")}  ${what}  ${counts}`;
}

function describeMore({ state, cached, failed }: Job): string {
  const parts = [
    state === "listing" ? "more to be listed" : "",
    cached > 0 ? `${cached} from the cache` : "",
    failed > 0 ? `${failed} failed` : "",
  ];
  return parts.filter((part) => part !== "").join(", ");
}

/** Asks how far a job is; while the edge is away for a moment, again and again. */
async function askPatiently(client: CaptionClient, id: string, signal: AbortSignal): Promise<Job> {
  for (const endMs = Date.now() + patienceMs; ; ) {
    try {
      return await client.job(id, { signal });
    } catch (error) {
      const mayPass = error instanceof CaptionError && error.status >= 500 && errorFacts[error.code].retry !== "never";
      if (!mayPass || Date.now() > endMs) throw error;
      await setTimeout(askEveryMs, undefined, { signal }).catch(() => signal.throwIfAborted());
    }
  }
}
