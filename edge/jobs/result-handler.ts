import type { Context } from "hono";
import { accepts } from "hono/accepts";
import * as z from "zod";
import { csvRow } from "../../shared/csv.ts";
import { CaptionError, quote } from "../../shared/errors.ts";
import {
  defaultResultRows,
  type JobResult,
  jobResultSchema,
  maxResultRows,
  type ResultForm,
  resultColumns,
  resultTypes,
} from "../../shared/jobs.ts";
import type { EdgeEnv } from "../context.ts";
import { ask, findJob, fresh } from "./job-handlers.ts";
import { openJobs } from "./jobs.ts";
import { expectQuery, readCursor, writeCursor } from "./page-cursor.ts";

/** Rows that are read from D1 at once. */
const rowsPerRead = 250;

const rowSchema = z.object({
  object: z.string(),
  state: z.enum(["queued", "done", "failed"]),
  caption: z.string().nullable(),
  confidence: z.number().nullable(),
  candidates: z.string().nullable(),
  keywords: z.string().nullable(),
  is_cached: z.int().nullable(),
  photo_id: z.string().nullable(),
  content_id: z.string().nullable(),
  revision: z.string().nullable(),
  code: z.string().nullable(),
  detail: z.string().nullable(),
});

/**
 * `GET /v1/jobs/{id}/results`: a page of a job's photos by their keys, as JSON lines or CSV, streamed. `Link` names the next
 * page. Photos that wait are in it too, so pages read while the job runs miss none.
 */
export async function handleJobResults(c: Context<EdgeEnv>): Promise<Response> {
  expectQuery(c, ["cursor", "limit"]);
  const limit = readLimit(c.req.query("limit"));
  const cursor = c.req.query("cursor");
  const after = readCursor(cursor, z.string()) ?? "";
  const { id, ended_at_ms } = await findJob(c);
  const reader = new ResultReader({ db: openJobs(c.env).db, id, isOver: ended_at_ms !== null });
  const { last, isMore } = await ask(() => reader.measure({ after, limit }));
  const form = readForm(c);
  const next = `/v1/jobs/${id}/results?cursor=${writeCursor(last)}&limit=${limit}`;
  const head = form === "csv" && cursor === undefined ? csvRow(resultColumns, { lineEnd: "\r\n" }) : "";
  return new Response(streamOf(head, reader.rows({ after, last }), form === "csv" ? csvLine : jsonLine), {
    headers: {
      ...fresh,
      "Content-Type":
        form === "csv"
          ? `${resultTypes.csv}; charset=utf-8; header=${cursor === undefined ? "present" : "absent"}`
          : resultTypes.jsonl,
      Vary: "Accept",
      ...(isMore && { Link: `<${next}>; rel="next"` }),
    },
  });
}

/** Reads one job's rows in the order of their keys. */
class ResultReader {
  readonly #db: D1Database;
  readonly #id: string;
  readonly #isOver: boolean;

  constructor({ db, id, isOver }: { db: D1Database; id: string; isOver: boolean }) {
    this.#db = db;
    this.#id = id;
    this.#isOver = isOver;
  }

  /** Finds a page's last key, and whether there are more after it. */
  async measure({ after, limit }: { after: string; limit: number }): Promise<{ last: string; isMore: boolean }> {
    const { results } = await this.#db
      .prepare(
        `SELECT max(object) AS last, count(*) AS count FROM
           (SELECT object FROM photos WHERE job = ?1 AND object > ?2 ORDER BY object LIMIT ?3)
         UNION ALL
         SELECT max(object), count(*) FROM
           (SELECT object FROM photos WHERE job = ?1 AND object > ?2 ORDER BY object LIMIT ?3 + 1)`,
      )
      .bind(this.#id, after, limit)
      .all<{ last: string | null; count: number }>();
    const [page, longer] = results;
    return { last: page?.last ?? after, isMore: (longer?.count ?? 0) > (page?.count ?? 0) };
  }

  async *rows({ after, last }: { after: string; last: string }): AsyncGenerator<JobResult[]> {
    for (let from = after; from < last || from === after; ) {
      const { results } = await this.#db
        .prepare("SELECT * FROM photos WHERE job = ?1 AND object > ?2 AND object <= ?3 ORDER BY object LIMIT ?4")
        .bind(this.#id, from, last, rowsPerRead)
        .all();
      const rows = results.map((row) => rowSchema.parse(row));
      const end = rows.at(-1);
      if (end === undefined) return;
      yield rows.map((row) => this.#describe(row));
      if (rows.length < rowsPerRead) return;
      from = end.object;
    }
  }

  #describe({ object, state, candidates, keywords, code, detail, ...row }: z.infer<typeof rowSchema>): JobResult {
    return jobResultSchema.parse({
      object,
      state: state === "queued" && this.#isOver ? "cancelled" : state,
      caption: row.caption ?? undefined,
      confidence: row.confidence ?? undefined,
      candidates: candidates === null ? undefined : JSON.parse(candidates),
      keywords: keywords === null ? undefined : JSON.parse(keywords),
      isCached: row.is_cached === null ? undefined : row.is_cached === 1,
      id: row.photo_id ?? undefined,
      contentId: row.content_id ?? undefined,
      revision: row.revision ?? undefined,
      error: code === null ? undefined : { code, detail },
    });
  }
}

function readForm(c: Context<EdgeEnv>): ResultForm {
  const type = accepts(c, { header: "Accept", supports: Object.values(resultTypes), default: resultTypes.jsonl });
  return type === resultTypes.csv ? "csv" : "jsonl";
}

function readLimit(text: string | undefined): number {
  if (text === undefined) return defaultResultRows;
  const limit = Number(text);
  if (/^[1-9]\d{0,4}$/.test(text) && limit <= maxResultRows) return limit;
  throw new CaptionError(
    "invalid_request",
    `expected limit to be a whole number from 1 to ${maxResultRows}, received ${quote(text)}`,
  );
}

/** Writes rows as they are read, so that a page needs little memory however long it is. */
function streamOf(head: string, pages: AsyncGenerator<JobResult[]>, write: (row: JobResult) => string) {
  const encoder = new TextEncoder();
  return new ReadableStream<Uint8Array>({
    start(controller) {
      if (head !== "") controller.enqueue(encoder.encode(head));
    },
    async pull(controller) {
      const { value, done } = await pages.next();
      if (done) controller.close();
      else controller.enqueue(encoder.encode(value.map(write).join("")));
    },
    async cancel() {
      await pages.return(undefined);
    },
  });
}

function jsonLine(row: JobResult): string {
  return `${JSON.stringify(row)}\n`;
}

function csvLine({ object, state, caption, confidence, isCached, id, contentId, revision, error }: JobResult): string {
  const cells = {
    ...{ object, state, caption: caption ?? "", confidence: confidence ?? "", isCached: String(isCached ?? "") },
    ...{ id: id ?? "", contentId: contentId ?? "", revision: revision ?? "" },
    ...{ code: error?.code ?? "", detail: error?.detail ?? "" },
  };
  return csvRow(
    resultColumns.map((column) => cells[column]),
    { lineEnd: "\r\n" },
  );
}
