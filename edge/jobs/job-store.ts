import * as z from "zod";
import { keyTiers } from "../../shared/api-key.ts";
import { type CaptionOptions, captionOptionsSchema } from "../../shared/caption-options.ts";
import { type Job, type JobRequest, jobStates, sidecarChoices } from "../../shared/jobs.ts";

const rowSchema = z.object({
  id: z.string(),
  owner: z.string(),
  tier: z.enum(keyTiers),
  host: z.string(),
  bucket: z.string().nullable(),
  prefix: z.string(),
  follow: z.int(),
  sidecars: z.enum(sidecarChoices),
  beam: z.int(),
  candidates: z.int(),
  more_options: z.string(),
  state: z.enum(jobStates),
  reason: z.string().nullable(),
  cursor: z.string().nullable(),
  listing: z.int(),
  listed: z.int(),
  done: z.int(),
  cached: z.int(),
  failed: z.int(),
  created_at_ms: z.int(),
  progress_at_ms: z.int(),
  ended_at_ms: z.int().nullable(),
});

export type JobRow = z.infer<typeof rowSchema>;

export interface NewJob {
  id: string;
  owner: string;
  tier: string;
  host: string;
  request: JobRequest;
}

/** A place in a key's list of jobs, which begins with the newest. */
export const listPlaceSchema = z.object({ createdAtMs: z.int(), id: z.string() });

/** The jobs in D1, which is the truth about them: queue and Workflow may lose what they hold. */
export class JobStore {
  readonly #db: D1Database;

  constructor(db: D1Database) {
    this.#db = db;
  }

  /** Makes the statement that adds a job. */
  adding({ id, owner, tier, host, request }: NewJob): D1PreparedStatement {
    const { source } = request;
    const { beam, candidates, ...more } = optionsOf(request);
    const bucket = "bucket" in source ? source : { bucket: null, prefix: "", follow: false, sidecars: "none" };
    return this.#db
      .prepare(
        `INSERT INTO jobs (id, owner, tier, host, bucket, prefix, follow, sidecars, beam, candidates,
           more_options, state, created_at_ms, progress_at_ms)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, 'listing', ?12, ?12)`,
      )
      .bind(
        id,
        owner,
        tier,
        host,
        bucket.bucket,
        bucket.prefix,
        Number(bucket.follow),
        bucket.sidecars,
        beam,
        candidates,
        JSON.stringify(more),
        Date.now(),
      );
  }

  /** Finds a job; null where there is none, or it was deleted, or it is another key's. */
  async find(id: string, { owner }: { owner?: string } = {}): Promise<JobRow | null> {
    const row = await this.#db
      .prepare("SELECT * FROM jobs WHERE id = ?1 AND deleted_at_ms IS NULL AND owner = coalesce(?2, owner)")
      .bind(id, owner ?? null)
      .first();
    return row === null ? null : rowSchema.parse(row);
  }

  /** Lists a key's jobs, the newest first. */
  async list(
    owner: string,
    { after, limit }: { after: z.infer<typeof listPlaceSchema> | undefined; limit: number },
  ): Promise<JobRow[]> {
    const { results } = await this.#db
      .prepare(
        `SELECT * FROM jobs WHERE owner = ?1 AND deleted_at_ms IS NULL AND (created_at_ms, id) < (?2, ?3)
         ORDER BY created_at_ms DESC, id DESC LIMIT ?4`,
      )
      .bind(owner, after?.createdAtMs ?? Number.MAX_SAFE_INTEGER, after?.id ?? "", limit)
      .all();
    return results.map((row) => rowSchema.parse(row));
  }

  /** Counts a key's jobs that are not over. */
  async countUnderWay(owner: string): Promise<number> {
    const count = await this.#db
      .prepare("SELECT count(*) AS count FROM jobs WHERE owner = ?1 AND ended_at_ms IS NULL")
      .bind(owner)
      .first<number>("count");
    return count ?? 0;
  }

  /** Finds jobs that are not over, those without progress for the longest time first, and those that may just wait last. */
  async findUnderWay({ limit }: { limit: number }): Promise<JobRow[]> {
    const { results } = await this.#db
      .prepare("SELECT * FROM jobs WHERE ended_at_ms IS NULL ORDER BY state = 'following', progress_at_ms LIMIT ?1")
      .bind(limit)
      .all();
    return results.map((row) => rowSchema.parse(row));
  }

  /** Lists keys that have jobs under way which began before a time, in any order. */
  async ownersUnderWay({ begunBeforeMs, limit }: { begunBeforeMs: number; limit: number }): Promise<string[]> {
    const { results } = await this.#db
      .prepare(
        `SELECT owner FROM jobs WHERE ended_at_ms IS NULL AND created_at_ms < ?1
         GROUP BY owner ORDER BY random() LIMIT ?2`,
      )
      .bind(begunBeforeMs, limit)
      .all<{ owner: string }>();
    return results.map(({ owner }) => owner);
  }

  /** Cancels what a key has under way. Returns the number of jobs. */
  async cancelAllOf(owner: string, { reason }: { reason: string }): Promise<number> {
    const { meta } = await this.#db
      .prepare(
        "UPDATE jobs SET state = 'cancelled', reason = ?2, ended_at_ms = ?3 WHERE owner = ?1 AND ended_at_ms IS NULL",
      )
      .bind(owner, reason, Date.now())
      .run();
    return meta.changes;
  }

  /** Finds jobs that follow a bucket and have listed it, or do so now, as far as they concern one of its keys. */
  async findFollowers({ bucket, key }: { bucket: string; key: string }): Promise<JobRow[]> {
    const { results } = await this.#db
      .prepare("SELECT * FROM jobs WHERE ended_at_ms IS NULL AND bucket = ?1 AND follow = 1")
      .bind(bucket)
      .all();
    return results.map((row) => rowSchema.parse(row)).filter(({ prefix }) => key.startsWith(prefix));
  }

  /** Moves a listing on to its next page. */
  async moveOn(id: string, cursor: string): Promise<void> {
    await this.#db.prepare("UPDATE jobs SET cursor = ?2 WHERE id = ?1").bind(id, cursor).run();
  }

  /** Returns when any job that is not over has got on last; 0 where there is none. */
  async lastProgressMs(): Promise<number> {
    const ms = await this.#db
      .prepare("SELECT max(progress_at_ms) AS ms FROM jobs WHERE ended_at_ms IS NULL")
      .first<number | null>("ms");
    return ms ?? 0;
  }

  /** Ends the listing: the job runs on, or is over if all its photos have been captioned meanwhile. */
  async endListing(id: string): Promise<void> {
    await this.#db
      .prepare(
        `UPDATE jobs SET
           state = CASE WHEN follow = 1 THEN 'following' WHEN done + failed >= listed THEN 'done' ELSE 'running' END,
           ended_at_ms = CASE WHEN follow = 0 AND done + failed >= listed THEN ?2 END,
           progress_at_ms = ?2
         WHERE id = ?1 AND state = 'listing'`,
      )
      .bind(id, Date.now())
      .run();
  }

  /** Gives the listing to a new Workflow. Returns its number, or null if another caller was faster. */
  async renewListing({ id, listing }: Pick<JobRow, "id" | "listing">): Promise<number | null> {
    return this.#db
      .prepare(
        `UPDATE jobs SET listing = listing + 1, progress_at_ms = ?3
         WHERE id = ?1 AND listing = ?2 AND ended_at_ms IS NULL RETURNING listing`,
      )
      .bind(id, listing, Date.now())
      .first<number>("listing");
  }

  /** Ends a job before its photos are all captioned. Changes nothing about one that is over. */
  async end(id: string, { state, reason }: { state: "cancelled" | "failed"; reason?: string }): Promise<void> {
    await this.#db
      .prepare("UPDATE jobs SET state = ?2, reason = ?3, ended_at_ms = ?4 WHERE id = ?1 AND ended_at_ms IS NULL")
      .bind(id, state, reason ?? null, Date.now())
      .run();
  }

  /** Hides a job from everybody; `purge` deletes it with its photos, which may take long. */
  async hide(id: string): Promise<void> {
    await this.#db
      .prepare("UPDATE jobs SET deleted_at_ms = ?2, ended_at_ms = coalesce(ended_at_ms, ?2) WHERE id = ?1")
      .bind(id, Date.now())
      .run();
  }

  /** Deletes at most `limit` photos of hidden jobs, and the jobs that have none left. Returns whether there are more. */
  async purge({ limit }: { limit: number }): Promise<boolean> {
    const [photos] = await this.#db.batch([
      this.#db
        .prepare(
          `DELETE FROM photos WHERE number IN
             (SELECT number FROM photos WHERE job IN (SELECT id FROM jobs WHERE deleted_at_ms IS NOT NULL) LIMIT ?1)`,
        )
        .bind(limit),
      this.#db.prepare(
        "DELETE FROM jobs WHERE deleted_at_ms IS NOT NULL AND NOT EXISTS (SELECT 1 FROM photos WHERE job = jobs.id)",
      ),
    ]);
    return (photos?.meta.changes ?? 0) >= limit;
  }
}

/** Returns the options of a job's captions. */
export function captionOptionsOf({ beam, candidates, more_options }: JobRow): CaptionOptions {
  return captionOptionsSchema.parse({ beam, candidates, ...JSON.parse(more_options) });
}

/** Leaves out what is the default, as the options of a caption do. */
function optionsOf({ beam, candidates, maxWords, style, neutral, keywords }: JobRequest): CaptionOptions {
  return {
    beam,
    candidates,
    ...(maxWords !== undefined && { maxWords }),
    ...(style === "sentence" && { style }),
    ...(neutral && { neutral }),
    ...(keywords && { keywords }),
  };
}

/** Describes a job as its caller sees it. */
export function describeJob(row: JobRow, { nowMs }: { nowMs: number }): Job {
  const { bucket, prefix, sidecars, listed, done, cached, failed, ended_at_ms } = row;
  const seconds = Math.max(0.001, ((ended_at_ms ?? nowMs) - row.created_at_ms) / 1000);
  const photosPerSecond = Math.round(((done + failed) / seconds) * 1000) / 1000;
  const left = listed - done - failed;
  const hasTimeLeft = photosPerSecond > 0 && (row.state === "running" || row.state === "following");
  return {
    id: row.id,
    state: row.state,
    ...(row.reason !== null && { reason: row.reason }),
    source: bucket === null ? { urls: Math.max(1, listed) } : { bucket, prefix, follow: row.follow === 1, sidecars },
    options: captionOptionsOf(row),
    ...{ listed, done, cached, failed },
    ...(done + failed > 0 && { photosPerSecond }),
    ...(hasTimeLeft && { secondsLeft: Math.ceil(left / photosPerSecond) }),
    createdAt: new Date(row.created_at_ms).toISOString(),
    ...(ended_at_ms !== null && { endedAt: new Date(ended_at_ms).toISOString() }),
  };
}
