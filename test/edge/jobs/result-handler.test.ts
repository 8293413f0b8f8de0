import { beforeEach, expect, test } from "vitest";
import { freshPhoto, image, readProblem } from "../call-worker.ts";
import { bucket, deliver, jobsCaller, messagesOf, startWithoutJobs } from "./made-job.ts";

beforeEach(startWithoutJobs);

/** In the order of their UTF-8. */
const hostileKeys = [
  "\u0001 control",
  "\nline\r\nbreaks",
  "\"quotes\", 'apostrophes'; DROP TABLE photos; --",
  '=HYPERLINK("http://example.com")',
  "\\backslash\\u0000",
  "a/../b",
  `long/${"ü".repeat(509)}k`,
  "nul\u0000here",
  "\u{1F415}.jpg",
];

/** Some of them as cells that no spreadsheet takes for a formula. */
const hostileCells = [
  "\u0001 control",
  '"\nline\r\nbreaks"',
  `"""quotes"", 'apostrophes'; DROP TABLE photos;' --"`,
  `"'=HYPERLINK(""http://example.com"")"`,
  "\u{1F415}.jpg",
];

async function nextOf(response: Response): Promise<string | undefined> {
  return /^<([^>]+)>; rel="next"$/.exec(response.headers.get("Link") ?? "")?.[1];
}

test("keys of any characters come back as they are, in JSON lines and in CSV", async () => {
  for (const key of hostileKeys) await bucket.put(key, key.startsWith("a/") ? freshPhoto() : image("text"));
  const caller = await jobsCaller();
  const job = await caller.start({ bucket: "photos" });
  await deliver(await messagesOf(job.id));
  expect((await caller.results(job.id)).map(({ object }) => object)).toEqual(hostileKeys);

  const csv = await caller.call(`/v1/jobs/${job.id}/results`, { accept: "text/csv" });
  expect(csv.headers.get("Content-Type")).toBe("text/csv; charset=utf-8; header=present");
  const text = await csv.text();
  expect(text).toMatch(/^object,state,caption,confidence,isCached,id,contentId,revision,code,detail\r\n/);
  for (const cell of hostileCells) expect(text).toContain(`\r\n${cell},failed,,,,,,,unsupported_media_type,`);
});

test("pages miss nothing and repeat nothing while the job runs", async () => {
  const keys = Array.from({ length: 23 }, (_, index) => `${String(index).padStart(2, "0")}.jpg`);
  for (const key of keys) await bucket.put(key, image("text"));
  const caller = await jobsCaller();
  const job = await caller.start({ bucket: "photos" });
  const seen: string[] = [];
  const lines: string[] = [];
  for (let path: string | undefined = `/v1/jobs/${job.id}/results?limit=5`; path !== undefined; ) {
    const response: Response = await caller.call(path, { accept: "text/csv" });
    const rows = (await response.text()).split("\r\n").slice(0, -1);
    lines.push(...rows);
    seen.push(...rows.map((row) => row.split(",")[1] ?? ""));
    path = await nextOf(response);
    if (seen.length === 6) await deliver(await messagesOf(job.id));
  }
  expect(lines.map((line) => line.split(",")[0])).toEqual(["object", ...keys]);
  expect(seen).toEqual(["state", ...Array(5).fill("queued"), ...Array(18).fill("failed")]);
});

test("a page may be longer than what is read from D1 at once", async () => {
  const caller = await jobsCaller();
  const urls = Array.from({ length: 600 }, (_, index) => `http://127.0.0.1/${index}`);
  const job = await caller.start({ urls });
  expect((await caller.results(job.id)).map(({ object }) => object)).toEqual(urls.toSorted());
  const whole = await caller.call(`/v1/jobs/${job.id}/results?limit=600`);
  expect(whole.headers.get("Link")).toBeNull();
  expect((await whole.text()).split("\n")).toHaveLength(601);
});

test.each(["?limit=0", "?limit=10001", "?limit=ten", "?cursor=x", "?after=a"])("refuses %s", async (query) => {
  const caller = await jobsCaller();
  const { id } = await caller.start({ bucket: "photos" });
  await readProblem(await caller.call(`/v1/jobs/${id}/results${query}`), "invalid_request");
});
