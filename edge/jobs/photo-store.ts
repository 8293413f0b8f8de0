import * as z from "zod";
import type { CaptionResult } from "../../shared/contract.ts";
import type { ErrorCode } from "../../shared/errors.ts";

/** A bound text may have 2 MB; as JSON, a key of 1,024 bytes may have six times as many. */
const photosPerStatement = 200;

/** A photo before it has a row. */
export interface ListedPhoto {
  object: string;
  /** Of the object; null for an address. */
  etag: string | null;
}

const queuedPhotoSchema = z.object({
  number: z.int(),
  job: z.string(),
  object: z.string(),
  etag: z.string().nullable(),
  tries: z.int(),
});

/** A photo that waits for its caption. */
export type QueuedPhoto = z.infer<typeof queuedPhotoSchema>;

/** What became of a photo for good. */
export type Outcome = { photo: QueuedPhoto } & (
  | { result: CaptionResult; isCached: boolean }
  | { code: ErrorCode; detail: string }
);

/** Photos to try again later. */
export interface Deferral {
  photos: readonly QueuedPhoto[];
  seconds: number;
  /** Whether it counts as one of their tries: whether they may be at fault. */
  isTry: boolean;
}

/** The photos of jobs in D1. A photo is named by its job and its object, so whatever is written twice stays one row. */
export class PhotoStore {
  readonly #db: D1Database;

  constructor(db: D1Database) {
    this.#db = db;
  }

  /** Makes the statements that add photos, each once, and count those that are new. */
  adding(job: string, photos: readonly ListedPhoto[]): D1PreparedStatement[] {
    return chunksOf(photos, photosPerStatement).flatMap((chunk) => {
      const json = JSON.stringify(chunk);
      return [
        this.#db
          .prepare(
            `UPDATE jobs SET listed = listed + (
               SELECT count(DISTINCT value ->> 'object') FROM json_each(?2) WHERE NOT EXISTS (
                 SELECT 1 FROM photos WHERE job = ?1 AND object = value ->> 'object'))
             WHERE id = ?1`,
          )
          .bind(job, json),
        this.#db
          .prepare(
            `INSERT INTO photos (job, object, etag, sent_at_ms)
             SELECT ?1, value ->> 'object', value ->> 'etag', ?3 FROM json_each(?2) WHERE true
             ON CONFLICT (job, object) DO NOTHING`,
          )
          .bind(job, json, Date.now()),
      ];
    });
  }

  /** Adds a page of photos. */
  async addPage(job: string, photos: readonly ListedPhoto[]): Promise<void> {
    const progress = this.#db.prepare("UPDATE jobs SET progress_at_ms = ?2 WHERE id = ?1").bind(job, Date.now());
    await this.#db.batch([...this.adding(job, photos), progress]);
  }

  /** Returns the numbers of those among a job's objects that wait for their captions. */
  async queuedAmong(job: string, objects: readonly string[]): Promise<number[]> {
    if (objects.length === 0) return [];
    const answers = await this.#db.batch<{ number: number }>(
      chunksOf(objects, photosPerStatement).map((chunk) =>
        this.#db
          .prepare(
            `SELECT number FROM photos
             WHERE job = ?1 AND object IN (SELECT value FROM json_each(?2)) AND state = 'queued'`,
          )
          .bind(job, JSON.stringify(chunk)),
      ),
    );
    return answers.flatMap(({ results }) => results.map(({ number }) => number));
  }

  /** Reads photos that still wait for their captions and whose job is under way. */
  async readQueued(numbers: readonly number[]): Promise<QueuedPhoto[]> {
    const { results } = await this.#db
      .prepare(
        `SELECT number, job, object, etag, tries FROM photos WHERE number IN (SELECT value FROM json_each(?1))
         AND state = 'queued' AND job IN (SELECT id FROM jobs WHERE ended_at_ms IS NULL)`,
      )
      .bind(JSON.stringify(numbers))
      .all();
    return results.map((row) => queuedPhotoSchema.parse(row));
  }

  /** Returns the numbers of a job's queued photos that were sent before a time, those that wait the longest first. */
  async sentBefore(job: string, { ms, limit }: { ms: number; limit: number }): Promise<number[]> {
    const { results } = await this.#db
      .prepare(
        `SELECT number FROM photos WHERE job = ?1 AND state = 'queued' AND sent_at_ms < ?2 ORDER BY sent_at_ms LIMIT ?3`,
      )
      .bind(job, ms, limit)
      .all<{ number: number }>();
    return results.map(({ number }) => number);
  }

  async noteSent(numbers: readonly number[]): Promise<void> {
    await this.#db
      .prepare("UPDATE photos SET sent_at_ms = ?2 WHERE number IN (SELECT value FROM json_each(?1))")
      .bind(JSON.stringify(numbers), Date.now())
      .run();
  }

  /** Notes that photos come back later. */
  async noteDeferred(deferrals: readonly Deferral[]): Promise<void> {
    if (deferrals.length === 0) return;
    await this.#db.batch(
      deferrals.map(({ photos, seconds, isTry }) =>
        this.#db
          .prepare(
            "UPDATE photos SET tries = tries + ?2, sent_at_ms = ?3 WHERE number IN (SELECT value FROM json_each(?1))",
          )
          .bind(JSON.stringify(photos.map(({ number }) => number)), Number(isTry), Date.now() + seconds * 1000),
      ),
    );
  }

  /**
   * Notes what became of photos, and ends the job with its last one. A photo that has an outcome already, or whose object
   * was replaced meanwhile, stays as it is, so it does no harm to say the same twice.
   */
  async settle(job: string, outcomes: readonly Outcome[]): Promise<void> {
    if (outcomes.length === 0) return;
    const json = JSON.stringify(outcomes.map(rowOf));
    const settled = (condition: string) =>
      `(SELECT count(*) FROM json_each(?2) AS outcome JOIN photos ON photos.number = outcome.value ->> 'number'
        WHERE photos.state = 'queued' AND photos.etag IS outcome.value ->> 'etag' AND ${condition})`;
    await this.#db.batch([
      this.#db
        .prepare(
          `UPDATE jobs SET
             done = done + ${settled("outcome.value ->> 'state' = 'done'")},
             cached = cached + ${settled("outcome.value ->> 'isCached'")},
             failed = failed + ${settled("outcome.value ->> 'state' = 'failed'")},
             progress_at_ms = ?3
           WHERE id = ?1`,
        )
        .bind(job, json, Date.now()),
      this.#db
        .prepare(
          `UPDATE photos SET
             state = value ->> 'state', caption = value ->> 'caption', confidence = value ->> 'confidence',
             candidates = value ->> 'candidates', keywords = value ->> 'keywords', is_cached = value ->> 'isCached',
             photo_id = value ->> 'id', content_id = value ->> 'contentId', revision = value ->> 'revision', code = value ->> 'code',
             detail = value ->> 'detail'
           FROM json_each(?1)
           WHERE photos.number = value ->> 'number' AND photos.state = 'queued' AND photos.etag IS value ->> 'etag'`,
        )
        .bind(json),
      this.#db
        .prepare(
          `UPDATE jobs SET state = 'done', ended_at_ms = ?2
           WHERE id = ?1 AND state = 'running' AND done + failed >= listed`,
        )
        .bind(job, Date.now()),
    ]);
  }

  /** Queues a photo that is new or was replaced. Returns its number, or null if that version is known already. */
  async queueVersion(job: string, { object, etag }: ListedPhoto): Promise<number | null> {
    await this.#db.batch([
      this.#forgetCount(job, { object, unless: etag }),
      this.#db
        .prepare(
          `UPDATE photos SET state = 'queued', etag = ?3, tries = 0, sent_at_ms = ?4, caption = NULL, confidence = NULL,
             candidates = NULL, keywords = NULL, is_cached = NULL, photo_id = NULL, content_id = NULL, revision = NULL,
             code = NULL, detail = NULL
           WHERE job = ?1 AND object = ?2 AND etag IS NOT ?3`,
        )
        .bind(job, object, etag, Date.now()),
      ...this.adding(job, [{ object, etag }]),
    ]);
    const [number] = await this.queuedAmong(job, [object]);
    return number ?? null;
  }

  /** Deletes the row of a photo that is gone. */
  async forget(job: string, object: string): Promise<void> {
    await this.#db.batch([
      this.#forgetCount(job, { object, unless: null }),
      this.#db
        .prepare(
          `UPDATE jobs SET listed = listed - (SELECT count(*) FROM photos WHERE job = ?1 AND object = ?2) WHERE id = ?1`,
        )
        .bind(job, object),
      this.#db.prepare("DELETE FROM photos WHERE job = ?1 AND object = ?2").bind(job, object),
    ]);
  }

  /** Takes a photo's outcome out of its job's counts, unless it is about this version. */
  #forgetCount(job: string, { object, unless }: { object: string; unless: string | null }): D1PreparedStatement {
    const of = (condition: string) =>
      `(SELECT count(*) FROM photos WHERE job = ?1 AND object = ?2 AND (?3 IS NULL OR etag IS NOT ?3) AND ${condition})`;
    return this.#db
      .prepare(
        `UPDATE jobs SET done = done - ${of("state = 'done'")}, cached = cached - ${of("is_cached = 1")},
           failed = failed - ${of("state = 'failed'")}, progress_at_ms = ?4
         WHERE id = ?1`,
      )
      .bind(job, object, unless, Date.now());
  }
}

/** Splits a list into parts of at most `size`. */
export function chunksOf<T>(items: readonly T[], size: number): T[][] {
  const count = Math.ceil(items.length / size);
  return Array.from({ length: count }, (_, index) => items.slice(index * size, (index + 1) * size));
}

function rowOf(outcome: Outcome) {
  const { number, etag } = outcome.photo;
  if (!("result" in outcome)) return { number, etag, state: "failed", code: outcome.code, detail: outcome.detail };
  const { result, isCached } = outcome;
  const candidates = result.candidates.map(({ caption, confidence }) => ({ caption, confidence }));
  return {
    number,
    etag,
    state: "done",
    caption: result.caption,
    confidence: result.confidence,
    candidates: candidates.length > 1 ? JSON.stringify(candidates) : null,
    keywords: result.keywords === undefined ? null : JSON.stringify(result.keywords),
    isCached: Number(isCached),
    id: result.id,
    contentId: result.contentId ?? null,
    revision: result.model.revision,
  };
}
