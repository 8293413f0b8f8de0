import type { Context } from "hono";
import { createMiddleware } from "hono/factory";
import { CaptionError, quote } from "../../shared/errors.ts";
import { type Job, type JobRequest, jobRequestSchema } from "../../shared/jobs.ts";
import type { EdgeEnv } from "../context.ts";
import { isolateState } from "../isolate-state.ts";
import { describeError, log } from "../log.ts";
import { readJson } from "../read-body.ts";
import { hasJobs } from "../settings.ts";
import { expectFetchable } from "../source-address.ts";
import { describeJob, type JobRow, type JobStore, listPlaceSchema, type NewJob } from "./job-store.ts";
import { type Jobs, openJobs, startListing } from "./jobs.ts";
import { expectQuery, readCursor, writeCursor } from "./page-cursor.ts";

/** Limit of a list of addresses as JSON. */
const maxJobBytes = 256 * 1024;
/** Jobs of one key that are under way at once: each may list a bucket. */
const maxJobsUnderWay = 20;
const jobsPerPage = 100;
/** When D1 or the Workflow refuses. */
const retryAfterSeconds = 5;

export const fresh = { "Cache-Control": "no-store, no-transform" };

/** Answers 404 unless the deployment has what jobs need. */
export const requireJobs = createMiddleware<EdgeEnv>(async (c, next) => (areJobsOff(c) ? c.notFound() : next()));

/** Whether a request is for jobs in a deployment that has none. */
export function areJobsOff(c: Context<EdgeEnv>): boolean {
  return /^\/v1\/jobs(?:\/|$)/.test(c.req.path) && !hasJobs(c.env);
}

/** `POST /v1/jobs`: starts a job, whose photos are listed and captioned in the background. */
export async function handleJobStart(c: Context<EdgeEnv>): Promise<Response> {
  const jobs = openJobs(c.env);
  const request = await readRequest(c);
  expectSource(c, jobs, request);
  const owner = c.get("caller");
  const isRoom = (await ask(() => jobs.store.countUnderWay(owner))) < maxJobsUnderWay;
  if (!isRoom) {
    const message = `expected at most ${maxJobsUnderWay} jobs under way per key: wait for one, or cancel it`;
    throw new CaptionError("rate_limited", message, { retryAfterSeconds: 60 });
  }
  const job = await ask(() => createJob(jobs, { request, owner, tier: c.get("tier") ?? "", host: hostOf(c) }));
  return c.json(describe(job), 202, { ...fresh, Location: `/v1/jobs/${job.id}` });
}

/** `GET /v1/jobs`. */
export async function handleJobList(c: Context<EdgeEnv>): Promise<Response> {
  expectQuery(c, ["cursor"]);
  const after = readCursor(c.req.query("cursor"), listPlaceSchema);
  const rows = await ask(() => openJobs(c.env).store.list(c.get("caller"), { after, limit: jobsPerPage + 1 }));
  const shown = rows.slice(0, jobsPerPage);
  const last = shown.at(-1);
  const isMore = rows.length > shown.length && last !== undefined;
  const cursor = isMore && writeCursor({ createdAtMs: last.created_at_ms, id: last.id });
  return c.json({ jobs: shown.map(describe), ...(cursor && { cursor }) }, 200, fresh);
}

/** `GET /v1/jobs/{id}`. */
export async function handleJob(c: Context<EdgeEnv>): Promise<Response> {
  return c.json(describe(await findJob(c)), 200, fresh);
}

/** `POST /v1/jobs/{id}/cancel`: lets photos that are being captioned finish, and begins no others. */
export async function handleJobCancel(c: Context<EdgeEnv>): Promise<Response> {
  const { store } = openJobs(c.env);
  const { id } = await findJob(c);
  await ask(() => store.end(id, { state: "cancelled" }));
  return c.json(describe(await findJob(c)), 200, fresh);
}

/** `DELETE /v1/jobs/{id}`: cancels the job if it is under way, and deletes it with its results. */
export async function handleJobDeletion(c: Context<EdgeEnv>): Promise<Response> {
  const { store } = openJobs(c.env);
  const { id } = await findJob(c);
  await ask(() => store.hide(id));
  c.executionCtx.waitUntil(purgeSome(store));
  return c.body(null, 204, fresh);
}

/** Finds the job of a request's path among those of the caller's key. Throws `not_found`. */
export async function findJob(c: Context<EdgeEnv>): Promise<JobRow> {
  const id = c.req.param("id") ?? "";
  const job = await ask(() => openJobs(c.env).store.find(id, { owner: c.get("caller") }));
  if (job !== null) return job;
  throw new CaptionError("not_found", `this key has no job ${quote(id)}`);
}

/** Turns a failure of D1 or of the Workflow into `overloaded`: they may do it the next time. */
export async function ask<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    throw new CaptionError("overloaded", "jobs cannot be reached at present", { cause, retryAfterSeconds });
  }
}

async function readRequest(c: Context<EdgeEnv>): Promise<JobRequest> {
  const { bodyTimeoutMs: timeoutMs, minBytesPerSecond } = c.get("settings");
  const hold = isolateState.jsonBodies.holdFor(c.get("caller"));
  const arrival = { timeoutMs, minBytesPerSecond };
  const request = readJson(c.req.raw, { schema: jobRequestSchema, maxBytes: maxJobBytes, arrival, hold });
  const held = request.finally(() => hold.release());
  c.executionCtx.waitUntil(held.catch(() => undefined)); // or a client that leaves would skip `finally`
  return held;
}

/** Refuses a bucket that is not bound, and addresses from which photos are not fetched, before anything is started. */
function expectSource(c: Context<EdgeEnv>, { buckets }: Jobs, { source }: JobRequest): void {
  if ("bucket" in source) {
    if (buckets.has(source.bucket)) return;
    const known = [...buckets.keys()].join(", ") || "none";
    const message = `expected a bucket that jobs may read here (${known}), received ${quote(source.bucket)}`;
    throw new CaptionError("invalid_request", message);
  }
  const { sourceHosts: hosts, serviceOrigins } = c.get("settings");
  const ownHosts = [hostOf(c), ...serviceOrigins.map((origin) => new URL(origin).hostname)];
  for (const address of source.urls) expectFetchable(new URL(address), { hosts, ownHosts });
}

/** Adds a job with its addresses, if it has any, and starts its Workflow. Leaves nothing where that fails. */
async function createJob(jobs: Jobs, about: Omit<NewJob, "id">): Promise<JobRow> {
  const id = crypto.randomUUID();
  const { source } = about.request;
  const addresses = "urls" in source ? source.urls.map((object) => ({ object, etag: null })) : [];
  await jobs.db.batch([jobs.store.adding({ id, ...about }), ...jobs.photos.adding(id, addresses)]);
  try {
    await startListing(jobs, id, 0);
  } catch (error) {
    await jobs.store.hide(id);
    throw error;
  }
  const job = await jobs.store.find(id);
  if (job === null) throw new Error("the job that was added is not there");
  return job;
}

/** Deletes what it can of deleted jobs at once; `reconcileJobs` deletes the rest. */
async function purgeSome(store: JobStore): Promise<void> {
  try {
    await store.purge({ limit: 2000 });
  } catch (error) {
    log("warn", "a deleted job is still to be purged", { error: describeError(error) });
  }
}

function describe(row: JobRow): Job {
  return describeJob(row, { nowMs: Date.now() });
}

function hostOf(c: Context<EdgeEnv>): string {
  return new URL(c.req.url).hostname;
}
