import { env } from "cloudflare:workers";
import { beforeEach, describe, expect, test } from "vitest";
import { jobListSchema, jobSchema } from "../../../shared/jobs.ts";
import { callWorker, freshPhoto, readProblem, watchWarnings } from "../call-worker.ts";
import { madeKey } from "../made-keys.ts";
import { bucket, deliver, jobsCaller, jobsEnvironment, messagesOf, startWithoutJobs } from "./made-job.ts";

beforeEach(startWithoutJobs);

const urls = (count: number, length = 20) =>
  Array.from({ length: count }, (_, index) => `http://127.0.0.1/${String(index).padEnd(length, "x")}`);

test.each(["GET /v1/jobs", "POST /v1/jobs", "PUT /v1/jobs", "GET /v1/jobs/one/results"])(
  "where the bindings are missing there are no jobs: %s",
  async (route) => {
    const [method = "", path = ""] = route.split(" ");
    const { headers } = await madeKey({ scopes: ["jobs"] });
    await readProblem(await callWorker(path, { method, headers }), "not_found");
  },
);

test("a key with the scope jobs is required, however open the deployment is", async () => {
  const environment = { ...jobsEnvironment(), ACCESS: "public" };
  await readProblem(await callWorker("/v1/jobs", { environment }), "unauthorized");
  const { headers } = await madeKey({ scopes: ["caption", "admin"] });
  await readProblem(await callWorker("/v1/jobs", { environment, headers }), "forbidden");
});

describe("starting", () => {
  test("answers 202 with the job and where it is", async () => {
    await bucket.put("one.jpg", freshPhoto());
    const caller = await jobsCaller();
    const source = { bucket: "photos" };
    const response = await caller.call("/v1/jobs", { method: "POST", body: { source, beam: 1 } });
    expect(response.status).toBe(202);
    const job = jobSchema.parse(await response.json());
    expect(response.headers.get("Location")).toBe(`/v1/jobs/${job.id}`);
    expect(job).toMatchObject({ options: { beam: 1, candidates: 1 }, done: 0, failed: 0 });
    expect(job.source).toEqual({ bucket: "photos", prefix: "", follow: false, sidecars: "none" });
  });

  test("takes the options of a caption's form, and tells those that are no defaults", async () => {
    const caller = await jobsCaller();
    const asked = { beam: 4, maxWords: 9, style: "sentence", neutral: true, keywords: true };
    const { options } = await caller.start({ bucket: "photos" }, asked);
    expect(options).toEqual({ ...asked, candidates: 1 });
    const plain = await caller.start({ bucket: "photos" }, { style: "plain", neutral: false, keywords: false });
    expect(plain.options).toEqual({ beam: 3, candidates: 1 });
  });

  test.each([
    [{}, 'source: expected {"bucket": "photos", "prefix": "2024/"} or {"urls": […]}'],
    [{ source: { bucket: "Photos" } }, "source.bucket: expected a bucket's name: 3 to 63 of a-z, 0-9 and -"],
    [{ source: { bucket: "others" } }, 'expected a bucket that jobs may read here (photos), received "others"'],
    [{ source: { urls: [] } }, "source.urls: expected at least one address"],
    [{ source: { urls: urls(1001) } }, "source: urls: expected at most 1000 addresses"],
    [{ source: { urls: ["dog.jpg"] } }, "source.urls.0: expected an http or https address"],
    [{ source: { bucket: "photos" }, maxWords: 4 }, "maxWords: Too small: expected number to be >=5"],
    [{ source: { bucket: "photos" }, candidates: 5 }, "the JSON body: expected candidates to be at most beam"],
    [
      { source: { bucket: "photos", follow: "yes" } },
      "source: follow: Invalid input: expected boolean, received string",
    ],
  ])("refuses what is no order for a job: %j", async (body, detail) => {
    const caller = await jobsCaller();
    const problem = await readProblem(await caller.call("/v1/jobs", { method: "POST", body }), "invalid_request");
    expect(problem.detail).toBe(detail);
  });

  test("refuses addresses from which photos are not fetched, and lists of more than 256 KiB", async () => {
    const caller = await jobsCaller();
    const start = (list: string[]) => caller.call("/v1/jobs", { method: "POST", body: { source: { urls: list } } });
    await readProblem(await start(["http://127.0.0.1/", "http://169.254.169.254/"]), "source_unreachable");
    await readProblem(await start(urls(1000, 300)), "payload_too_large");
    expect(jobListSchema.parse(await (await caller.call("/v1/jobs")).json()).jobs).toEqual([]);
  });

  test("a key has at most twenty jobs under way", async () => {
    const caller = await jobsCaller();
    const start = () =>
      caller.call("/v1/jobs", { method: "POST", body: { source: { bucket: "photos", follow: true } } });
    const statuses = [];
    for (let number = 1; number <= 20; number++) statuses.push((await start()).status);
    expect(new Set(statuses)).toEqual(new Set([202]));
    await readProblem(await start(), "rate_limited");
  });

  test("leaves no job behind when its Workflow cannot be started", async () => {
    watchWarnings();
    const { headers } = await madeKey({ scopes: ["jobs"] });
    const create = () => Promise.reject(new Error("Workflows are overloaded"));
    const environment = { ...jobsEnvironment(), JOBS_WORKFLOW: { create } };
    const body = JSON.stringify({ source: { bucket: "photos" } });
    const response = await callWorker("/v1/jobs", { method: "POST", headers, body, environment });
    expect(response.headers.get("Retry-After")).toBe("5");
    await readProblem(response, "overloaded");
    const list = await callWorker("/v1/jobs", { headers, environment });
    expect(jobListSchema.parse(await list.json()).jobs).toEqual([]);
  });
});

describe("a key's jobs", () => {
  test("are seen by that key alone", async () => {
    const caller = await jobsCaller();
    const other = await jobsCaller();
    const { id } = await caller.start({ bucket: "photos", prefix: "none/" });
    for (const path of [`/v1/jobs/${id}`, `/v1/jobs/${id}/results`]) {
      await readProblem(await other.call(path), "not_found");
      expect((await caller.call(path)).status).toBe(200);
    }
    await readProblem(await other.call(`/v1/jobs/${id}/cancel`, { method: "POST" }), "not_found");
    await readProblem(await other.call(`/v1/jobs/${id}`, { method: "DELETE" }), "not_found");
    expect(jobListSchema.parse(await (await other.call("/v1/jobs")).json())).toEqual({ jobs: [] });
    await readProblem(await caller.call("/v1/jobs/' OR 1=1 --"), "not_found");
  });

  test("are listed a hundred at a time, the newest first", async () => {
    const caller = await jobsCaller();
    const insert = env.JOBS_DB.prepare(
      `INSERT INTO jobs (id, owner, tier, host, prefix, follow, sidecars, beam, candidates, state, created_at_ms, progress_at_ms, ended_at_ms)
       VALUES (?1, ?2, 'standard', 'edge.test', '', 0, 'none', 3, 1, 'done', ?3, ?3, ?3)`,
    );
    const ids = Array.from({ length: 130 }, () => crypto.randomUUID());
    await env.JOBS_DB.batch(ids.map((id, index) => insert.bind(id, caller.owner, Math.floor(index / 3))));
    const first = jobListSchema.parse(await (await caller.call("/v1/jobs")).json());
    expect(first.jobs).toHaveLength(100);
    const rest = jobListSchema.parse(await (await caller.call(`/v1/jobs?cursor=${first.cursor}`)).json());
    expect(rest.cursor).toBeUndefined();
    const seen = [...first.jobs, ...rest.jobs];
    expect(new Set(seen.map(({ id }) => id))).toEqual(new Set(ids));
    expect(seen.map(({ createdAt }) => createdAt)).toEqual(
      seen
        .map(({ createdAt }) => createdAt)
        .toSorted()
        .toReversed(),
    );
  });

  test.each(["?cursor=%00", "?cursor=bm9uc2Vuc2U", "?page=2"])("a list is not asked for with %s", async (query) => {
    const caller = await jobsCaller();
    await readProblem(await caller.call(`/v1/jobs${query}`), "invalid_request");
  });

  test("are cancelled once, and one that is over stays as it is", async () => {
    await bucket.put("one.jpg", freshPhoto());
    const caller = await jobsCaller();
    const { id } = await caller.start({ bucket: "photos" });
    await deliver(await messagesOf(id));
    const cancelled = await caller.call(`/v1/jobs/${id}/cancel`, { method: "POST" });
    expect(jobSchema.parse(await cancelled.json()).state).toBe("done");
  });

  test("are deleted with their results", async () => {
    await bucket.put("one.jpg", freshPhoto());
    const caller = await jobsCaller();
    const { id } = await caller.start({ bucket: "photos" });
    expect((await caller.call(`/v1/jobs/${id}`, { method: "DELETE" })).status).toBe(204);
    await readProblem(await caller.call(`/v1/jobs/${id}`), "not_found");
    expect(await env.JOBS_DB.prepare("SELECT count(*) AS count FROM photos").first("count")).toBe(0);
    expect(await env.JOBS_DB.prepare("SELECT count(*) AS count FROM jobs").first("count")).toBe(0);
  });

  test("cannot be asked about while D1 refuses, which says when to come back", async () => {
    watchWarnings();
    const { headers } = await madeKey({ scopes: ["jobs"] });
    const refuse = () => {
      throw new Error("D1 is overloaded");
    };
    const environment = { ...jobsEnvironment(), JOBS_DB: { prepare: refuse } };
    await readProblem(await callWorker("/v1/jobs", { headers, environment }), "overloaded");
  });
});
