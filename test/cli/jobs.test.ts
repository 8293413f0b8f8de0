import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { Job } from "../../shared/jobs.ts";
import { temporaryFolder } from "../fixtures/bundles.ts";
import { refusal, startScriptedEdge } from "../shared/scripted-edge.ts";
import { edgeCaptionIn } from "./run-command.ts";

const id = "73e0f491-c719-4971-8794-929d3fdc19c3";

function jobOf(changes: Partial<Job>): Job {
  return {
    id,
    state: "running",
    source: { bucket: "photos", prefix: "2024/", follow: false, sidecars: "none" },
    options: { beam: 3, candidates: 1 },
    listed: 12,
    done: 0,
    cached: 0,
    failed: 0,
    createdAt: "2026-05-01T12:00:00.000Z",
    ...changes,
  };
}

async function run(origin: string, ...args: string[]) {
  return edgeCaptionIn(await temporaryFolder(), "jobs", ...args, "--endpoint", origin, "--key", "ec_key");
}

describe("jobs start", () => {
  test("shows a job that is done in the end, through an edge that restarts meanwhile", async () => {
    const answers = [
      { body: jobOf({ state: "listing", listed: 10, done: 4 }) },
      refusal("upstream_error"),
      { status: 502, body: "no healthy upstream" },
      { body: jobOf({ state: "done", done: 10, cached: 3, failed: 2 }) },
    ];
    const { origin, received } = await startScriptedEdge(({ method }) =>
      method === "POST" ? { status: 202, body: jobOf({ state: "listing", listed: 0 }) } : (answers.shift() ?? "hangs"),
    );
    const { code, stdout, stderr } = await run(
      origin,
      "start",
      "--bucket",
      "photos",
      "--prefix",
      "2024/",
      "--beam",
      "1",
    );
    expect({ code, stdout }).toEqual({ code: 1, stdout: `${id}\n` });
    expect(stderr).toMatch(/captioning: 12 of 12 photos, 3 from the cache, 2 failed/);
    expect(stderr).toContain(
      `${id}  done  2026-05-01 12:00  photos/2024/  10 of 12 captioned, 3 from the cache, 2 failed\n`,
    );
    const [first] = received;
    expect(first?.headers.authorization).toBe("Bearer ec_key");
    expect(JSON.parse(first?.body ?? "")).toEqual({
      source: { bucket: "photos", prefix: "2024/", follow: false, sidecars: "none" },
      beam: 1,
      candidates: 1,
    });
  });

  test("takes addresses, and does not wait where it need not", async () => {
    const { origin, received } = await startScriptedEdge(() => ({ status: 202, body: jobOf({}) }));
    const urls = ["https://example.com/one.jpg", "https://example.com/two.jpg"];
    const forms = ["--candidates", "5", "--max-words", "9", "--sentence", "--neutral", "--keywords"];
    expect(await run(origin, "start", "--no-wait", ...forms, ...urls)).toEqual({
      code: 0,
      stdout: `${id}\n`,
      stderr: "",
    });
    expect(JSON.parse(received[0]?.body ?? "")).toEqual({
      ...{ source: { urls }, beam: 5, candidates: 5 },
      ...{ maxWords: 9, style: "sentence", neutral: true, keywords: true },
    });
    expect(received).toHaveLength(1);
  });

  test.each([[], ["--bucket", "photos", "https://example.com/one.jpg"]])(
    "wants either a bucket or addresses: %j",
    async (...args) => {
      const { origin } = await startScriptedEdge(() => "hangs");
      const { code, stderr } = await run(origin, "start", ...args);
      expect({ code, stderr }).toEqual({
        code: 2,
        stderr: "error: expected either --bucket or addresses of photos\n",
      });
    },
  );
});

test("jobs results puts pages together, and leaves no file where one of them is refused", async () => {
  const link = { Link: `</v1/jobs/${id}/results?cursor=b&limit=10000>; rel="next"` };
  let isWell = true;
  const { origin, received } = await startScriptedEdge(({ target }) => {
    if (target.includes("cursor")) return isWell ? { body: { object: "b" } } : refusal("not_found");
    return { headers: link, body: { object: "a" } };
  });
  const folder = await temporaryFolder();
  const args = ["jobs", "results", id, "--endpoint", origin, "--form", "csv", "--output", "captions.csv"];
  expect((await edgeCaptionIn(folder, ...args)).code).toBe(0);
  expect(await readFile(join(folder, "captions.csv"), "utf8")).toBe('{"object":"a"}{"object":"b"}');
  expect(received.map(({ headers }) => headers.accept)).toEqual(["text/csv", "text/csv"]);
  isWell = false;
  args.push("captions-2.csv");
  args.splice(args.indexOf("captions.csv"), 1);
  expect((await edgeCaptionIn(folder, ...args)).code).toBe(1);
  expect(await readdir(folder)).toEqual(["captions.csv"]);
});
