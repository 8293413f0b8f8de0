import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type LocalServers, preferFree, startServers, waitUntilReady } from "../../scripts/start/local-servers.ts";
import { CaptionClient } from "../../shared/client.ts";
import { isOver, type Job, type JobResult } from "../../shared/jobs.ts";
import { edgeCaptionIn } from "../cli/run-command.ts";
import { tinyBundle } from "../fixtures/bundles.ts";
import { addJobPhotos } from "../fixtures/job-photos.ts";
import { madePhotos, textFile, truncatedJpeg } from "../fixtures/made-images.ts";
import { keepOutput } from "../support/kept-output.ts";

const [distinct, twins, broken, texts] = [1500, 300, 100, 100];
const objects = distinct + twins + broken + texts;
const waitMs = 600_000;

let stateDir = "";
let servers: LocalServers;
let client: CaptionClient;
let apiKey = "";

beforeAll(async () => {
  stateDir = await mkdtemp(join(tmpdir(), "jobs-"));
  apiKey = await addJobPhotos(stateDir, await madeObjects());
  servers = startServers({
    edgePort: await preferFree(0),
    servicePort: await preferFree(0),
    modelDir: tinyBundle,
    stateDir,
    variables: { JOBS_RESEND_SECONDS: "5" },
    listen: keepOutput,
  });
  await waitUntilReady(servers, AbortSignal.timeout(120_000));
  client = new CaptionClient({ origin: servers.edge, apiKey });
}, 240_000);

afterAll(async () => {
  await servers.stop();
  await rm(stateDir, { recursive: true, force: true });
});

async function madeObjects(): Promise<[key: string, bytes: Uint8Array][]> {
  const photos = await madePhotos(distinct, { width: 64, height: 48 });
  const [cutShort, text] = [await truncatedJpeg(), await textFile()];
  return photos.flatMap((photo, index): [string, Uint8Array][] => [
    [`photos/${index}.jpg`, photo],
    ...(index < twins ? [[`twins/${index}.jpg`, photo] as [string, Uint8Array]] : []),
    ...(index < broken ? [[`broken/${index}.jpg`, cutShort] as [string, Uint8Array]] : []),
    ...(index < texts ? [[`texts/"${index}", a note.txt`, text] as [string, Uint8Array]] : []),
  ]);
}

/** Asks how far a job is, again and again, whatever the edge says meanwhile. */
async function until(id: string, isSo: (job: Job) => boolean): Promise<Job> {
  for (const endMs = Date.now() + waitMs; Date.now() < endMs; await setTimeout(200)) {
    const job = await client.job(id).catch(() => undefined); // while it is away
    if (job !== undefined && isSo(job)) return job;
  }
  throw new Error(`the job did not get there: ${JSON.stringify(await client.job(id))}`);
}

async function collect<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const all: Item[] = [];
  for await (const item of items) all.push(item);
  return all;
}

function resultsOf(id: string): Promise<JobResult[]> {
  return collect(client.jobResults(id));
}

test(
  "a job whose edge is killed in the middle, its queue with it, ends with a row per object",
  async () => {
    const { id } = await client.startJob({ source: { bucket: "photos" } });
    await until(id, ({ done }) => done > 150);
    const meanwhile = await resultsOf(id);
    expect(new Set(meanwhile.map(({ object }) => object)).size).toBe(meanwhile.length);
    process.kill(-servers.pids.edge, "SIGKILL");
    const job = await until(id, isOver);
    expect(job).toMatchObject({ state: "done", listed: objects, done: distinct + twins, failed: broken + texts });

    const results = await resultsOf(id);
    const objectsOf = (folder: string) => results.filter(({ object }) => object.startsWith(`${folder}/`));
    expect(results).toHaveLength(objects);
    expect(new Set(results.map(({ object }) => object)).size).toBe(objects);
    expect(new Set(objectsOf("photos").map(({ state }) => state))).toEqual(new Set(["done"]));
    expect(new Set(objectsOf("broken").map(({ error }) => error?.code))).toEqual(new Set(["invalid_image"]));
    expect(new Set(objectsOf("texts").map(({ error }) => error?.code))).toEqual(new Set(["unsupported_media_type"]));
    const captions = new Map(objectsOf("photos").map(({ id: photo, caption }) => [photo, caption]));
    expect(captions.size).toBe(distinct);
    for (const { id: photo, caption } of objectsOf("twins")) expect(caption).toBe(captions.get(photo));
  },
  2 * waitMs,
);

test(
  "a second job over the same bucket needs no model, and makes the same rows",
  async () => {
    const [first] = await collect(client.jobs());
    const { id } = await client.startJob({ source: { bucket: "photos" } });
    const job = await until(id, isOver);
    expect(job).toMatchObject({ state: "done", done: distinct + twins, cached: distinct + twins });
    const withoutCache = (results: JobResult[]) => results.map(({ isCached, ...result }) => result);
    expect(withoutCache(await resultsOf(id))).toEqual(withoutCache(await resultsOf(first?.id ?? "")));
  },
  2 * waitMs,
);

test(
  "the command starts a job, shows its progress and writes its results",
  async () => {
    const edge = ["--endpoint", servers.edge, "--key", apiKey];
    const run = (...args: string[]) => edgeCaptionIn(stateDir, "jobs", ...args, ...edge);
    const start = await run("start", "--bucket", "photos", "--prefix", "twins/");
    const id = start.stdout.trim();
    expect(start.code).toBe(0);
    expect(start.stderr).toMatch(/captioning: 300 of 300 photos, 300 from the cache/);
    expect(start.stderr).toContain("done");
    const csv = await run("results", id, "--form", "csv", "--output", "captions.csv");
    expect(csv).toEqual({ code: 0, stdout: "", stderr: "" });
    const lines = (await readFile(join(stateDir, "captions.csv"), "utf8")).trimEnd().split("\r\n");
    expect(lines).toHaveLength(301);
    const jsonl = await run("results", id);
    expect(
      jsonl.stdout
        .trimEnd()
        .split("\n")
        .map((line) => JSON.parse(line).state),
    ).toEqual(Array(300).fill("done"));
    expect((await run("status")).stdout.split("\n")[0]).toContain(`${id}  done`);
    const broken = await run("start", "--bucket", "photos", "--prefix", "broken/1");
    expect(broken.code).toBe(1);
    expect((await run("cancel", id)).stderr).toContain("done");
    expect((await run("delete", id)).code).toBe(0);
    expect(await run("status", id)).toMatchObject({ code: 1, stderr: expect.stringContaining("this key has no job") });
  },
  waitMs,
);

test(
  "a cancelled job stops within a batch",
  async () => {
    const { id } = await client.startJob({ source: { bucket: "photos" }, beam: 1 });
    await until(id, ({ done }) => done > 20);
    const { done, failed } = await client.cancelJob(id);
    await setTimeout(5_000);
    const later = await client.job(id);
    expect(later.state).toBe("cancelled");
    expect(later.done + later.failed - done - failed).toBeLessThanOrEqual(50);
    const states = new Set((await resultsOf(id)).map(({ state }) => state));
    expect(states).toContain("cancelled");
    expect(states).not.toContain("queued");
    await client.deleteJob(id);
    await expect(client.job(id)).rejects.toMatchObject({ code: "not_found" });
  },
  waitMs,
);
