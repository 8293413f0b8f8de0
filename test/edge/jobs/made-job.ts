import {
  applyD1Migrations,
  createExecutionContext,
  createMessageBatch,
  createScheduledController,
  getQueueResult,
  waitOnExecutionContext,
} from "cloudflare:test";
import { env } from "cloudflare:workers";
import { expect, inject, vi } from "vitest";
import worker from "../../../edge/worker.ts";
import { type Job, type JobResult, jobResultSchema, jobSchema } from "../../../shared/jobs.ts";
import { callWorker, usualEnvironment } from "../call-worker.ts";
import { madeKey } from "../made-keys.ts";

declare global {
  namespace Cloudflare {
    interface Env {
      JOBS_DB: D1Database;
      JOBS_QUEUE: Queue<unknown>;
      JOBS_WORKFLOW: Workflow<unknown>;
      JOBS_BUCKET_PHOTOS: R2Bucket;
    }
  }
}

export const bucket = env.JOBS_BUCKET_PHOTOS;

/** A message that was put on the queue, and its delay. */
interface SentMessage {
  body: unknown;
  delaySeconds: number;
}

/** A queue that keeps what is put on it. */
class KeptQueue {
  readonly sent: SentMessage[] = [];

  async sendBatch(messages: Iterable<MessageSendRequest<unknown>>, { delaySeconds = 0 } = {}): Promise<void> {
    for (const { body } of messages) this.sent.push({ body, delaySeconds });
  }

  async send(): Promise<never> {
    throw new Error("expected batches");
  }
}

export const queue = new KeptQueue();

/** Settings and bindings with which jobs are on. */
export function jobsEnvironment(): Record<string, unknown> {
  const { JOBS_DB, JOBS_WORKFLOW, JOBS_BUCKET_PHOTOS } = env;
  return { JOBS_DB, JOBS_QUEUE: queue, JOBS_WORKFLOW, JOBS_BUCKET_PHOTOS, SOURCE_HOSTS: "127.0.0.1" };
}

/** Prepares the database; empties database, bucket and queue. */
export async function startWithoutJobs(): Promise<void> {
  await applyD1Migrations(env.JOBS_DB, inject("jobsMigrations"));
  await env.JOBS_DB.batch([env.JOBS_DB.prepare("DELETE FROM photos"), env.JOBS_DB.prepare("DELETE FROM jobs")]);
  for (let objects = (await bucket.list()).objects; objects.length > 0; objects = (await bucket.list()).objects) {
    await bucket.delete(objects.map(({ key }) => key));
  }
  queue.sent.splice(0);
}

/** A caller with a key, and what it may do with jobs. */
export async function jobsCaller() {
  const { headers, id, path: keyPath } = await madeKey({ scopes: ["jobs"] });
  const call = (
    path: string,
    { method = "GET", body, accept }: { method?: string; body?: unknown; accept?: string } = {},
  ) =>
    callWorker(path, {
      method,
      headers: { ...headers, ...(accept === undefined ? {} : { Accept: accept }) },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      environment: jobsEnvironment(),
    });
  const read = async (job: string): Promise<Job> => jobSchema.parse(await (await call(`/v1/jobs/${job}`)).json());
  return {
    owner: id,
    keyPath,
    call,
    read,
    /** Starts a job and waits until its photos are listed. */
    async start(source: unknown, options: object = {}): Promise<Job> {
      const response = await call("/v1/jobs", { method: "POST", body: { source, ...options } });
      expect(response.status).toBe(202);
      const { id: job } = jobSchema.parse(await response.json());
      return vi.waitFor(
        async () => {
          const listed = await read(job);
          expect(listed.state).not.toBe("listing");
          return listed;
        },
        { timeout: 15_000, interval: 50 },
      );
    },
    async results(job: string, query = ""): Promise<JobResult[]> {
      const text = await (await call(`/v1/jobs/${job}/results${query}`)).text();
      return text.split("\n").flatMap((line) => (line === "" ? [] : jobResultSchema.parse(JSON.parse(line))));
    },
  };
}

/** Delivers messages to the worker in one batch, and returns what it acknowledged and what is to be delivered again. */
export async function deliver(bodies: readonly unknown[], environment: Record<string, unknown> = {}) {
  const messages = bodies.map((body, index) => ({ id: `message ${index}`, timestamp: new Date(), attempts: 1, body }));
  const batch = createMessageBatch("jobs", messages);
  const context = createExecutionContext();
  await worker.queue(batch, { ...usualEnvironment(), ...jobsEnvironment(), ...environment }, context);
  const { explicitAcks, retryMessages } = await getQueueResult(batch, context);
  return { acked: explicitAcks, retried: retryMessages };
}

/** The messages that a job's queued photos would be in. */
export async function messagesOf(job: string): Promise<{ photos: number[] }[]> {
  const { results } = await env.JOBS_DB.prepare("SELECT number FROM photos WHERE job = ?1 AND state = 'queued'")
    .bind(job)
    .all<{ number: number }>();
  return results.length === 0 ? [] : [{ photos: results.map(({ number }) => number) }];
}

/** Runs the cron trigger. */
export async function runCron(environment: Record<string, unknown> = {}): Promise<void> {
  const context = createExecutionContext();
  await worker.scheduled(createScheduledController(), { ...usualEnvironment(), ...jobsEnvironment(), ...environment });
  await waitOnExecutionContext(context);
}

/** Lets a job's clocks show that nothing has happened for a time. */
export async function age(job: string, { seconds }: { seconds: number }): Promise<void> {
  const ms = seconds * 1000;
  await env.JOBS_DB.batch([
    env.JOBS_DB.prepare(
      "UPDATE jobs SET created_at_ms = created_at_ms - ?2, progress_at_ms = progress_at_ms - ?2 WHERE id = ?1",
    ).bind(job, ms),
    env.JOBS_DB.prepare("UPDATE photos SET sent_at_ms = sent_at_ms - ?2 WHERE job = ?1").bind(job, ms),
  ]);
}
