import { appendFile, mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { temporaryFolder, tinyBundle } from "../fixtures/bundles.ts";
import { madePhotos } from "../fixtures/made-images.ts";
import { runNode } from "../support/run-node.ts";
import { captionTiny, commandLine, edgeCaptionIn } from "./run-command.ts";

const photoCount = 12;

/** Makes a folder `photos` of photos, all different, some of them below it. */
async function folderOfPhotos(): Promise<string> {
  const folder = await temporaryFolder();
  await mkdir(join(folder, "photos", "below"), { recursive: true });
  for (const [index, bytes] of (await madePhotos(photoCount)).entries()) {
    await writeFile(join(folder, "photos", index % 3 === 0 ? "below" : "", `${index}.jpg`), bytes);
  }
  return folder;
}

async function linesOf(folder: string, name: string): Promise<string[]> {
  return (await readFile(join(folder, name), "utf8")).split("\n").filter((line) => line !== "");
}

test("two shards caption each photo once, and joined they are one run's captions", async () => {
  const folder = await folderOfPhotos();
  await captionTiny(folder, "photos", "--jsonl", "whole.jsonl");
  const counts: number[] = [];
  for (const shard of ["1/2", "2/2"]) {
    const { code, stderr } = await captionTiny(folder, "photos", "--shard", shard, "--jsonl", "captions.jsonl");
    expect(code, stderr).toBe(0);
    counts.push((await linesOf(folder, `captions-shard-${shard.replace("/", "-of-")}.jsonl`)).length);
  }
  expect(Math.min(...counts)).toBeGreaterThan(0);
  const { code, stderr } = await edgeCaptionIn(folder, "join", "captions.jsonl");
  expect(code, stderr).toBe(0);
  expect(stderr).toContain(`captions.jsonl: ${photoCount} lines of 2 parts`);
  expect((await linesOf(folder, "captions.jsonl")).sort()).toEqual((await linesOf(folder, "whole.jsonl")).sort());
});

test("a shard continues where it was, in a state of its own, and captions what was added to it", async () => {
  const folder = await folderOfPhotos();
  const run = () => captionTiny(folder, "photos", "--shard", "1/2", "--jsonl", "captions.jsonl");
  await run();
  const before = await linesOf(folder, "captions-shard-1-of-2.jsonl");
  expect(await readdir(folder)).toContain(".edge-caption-shard-1-of-2.jsonl");
  expect((await run()).stderr).toContain(`${before.length} had their caption already`);
  expect(await linesOf(folder, "captions-shard-1-of-2.jsonl")).toEqual(before);
});

test("more shards than photos leave no part missing", async () => {
  const folder = await temporaryFolder();
  await mkdir(join(folder, "photos"));
  const [bytes = new Uint8Array()] = await madePhotos(1);
  await writeFile(join(folder, "photos", "1.jpg"), bytes);
  for (const number of [1, 2, 3]) {
    const { code } = await captionTiny(folder, "photos", "--shard", `${number}/3`, "--jsonl", "captions.jsonl");
    expect(code).toBe(0);
  }
  expect((await edgeCaptionIn(folder, "join", "captions.jsonl")).code).toBe(0);
  expect(await linesOf(folder, "captions.jsonl")).toHaveLength(1);
});

test("auto is the part of this pod of an Indexed Job", async () => {
  const folder = await folderOfPhotos();
  const environment = { JOB_COMPLETION_INDEX: "1", JOB_COMPLETION_COUNT: "2" };
  const args = [...commandLine, "caption", "--model-dir", tinyBundle, "photos", "--shard", "auto", "--dry-run"];
  const run = (env: NodeJS.ProcessEnv) => runNode(args, { cwd: folder, env: { ...process.env, ...env } });
  const { stdout } = await run(environment);
  const { stdout: named } = await captionTiny(folder, "photos", "--shard", "2/2", "--dry-run");
  expect(stdout).toBe(named);
  const elsewhere = await run({ JOB_COMPLETION_INDEX: "2", JOB_COMPLETION_COUNT: "2" });
  expect([elsewhere.code, elsewhere.stderr]).toEqual([2, expect.stringContaining("JOB_COMPLETION_INDEX below")]);
});

test("join leaves out what a kill cut off, and says which part is missing, foreign or of another run", async () => {
  const folder = await folderOfPhotos();
  const joined = () => edgeCaptionIn(folder, "join", "--force", "captions.jsonl");
  expect((await joined()).stderr).toContain(
    "expected parts beside it, such as captions-shard-1-of-2.jsonl, found none",
  );
  await captionTiny(folder, "photos", "--shard", "1/2", "--jsonl", "captions.jsonl");
  expect((await joined()).stderr).toContain("expected 2 parts, found 1: captions-shard-2-of-2.jsonl is missing");
  await captionTiny(folder, "photos", "--shard", "2/2", "--jsonl", "captions.jsonl");
  await appendFile(join(folder, "captions-shard-1-of-2.jsonl"), '{"path":"photos/12.jp');
  expect((await joined()).stderr).toContain(`${photoCount} lines of 2 parts`);
  const whole = await linesOf(folder, "captions.jsonl");
  await writeFile(join(folder, "captions-shard-1-of-3.jsonl"), "");
  expect((await joined()).stderr).toMatch(/expected parts of one run, found parts of [23] and of [23]/);
  await rm(join(folder, "captions-shard-1-of-3.jsonl"));
  await appendFile(join(folder, "captions-shard-2-of-2.jsonl"), "path,caption\n");
  expect(await joined()).toMatchObject({
    code: 1,
    stderr: expect.stringContaining("captions-shard-2-of-2.jsonl, line"),
  });
  expect(await linesOf(folder, "captions.jsonl")).toEqual(whole);
});

test.each([["0/2"], ["3/2"], ["1"], ["auto"], ["a/b"]])("refuses the shard %s", async (shard) => {
  const { code, stderr } = await captionTiny(await temporaryFolder(), ".", "--shard", shard);
  expect([code, stderr]).toEqual([2, expect.stringContaining("--shard")]);
});

test.each([
  ["--csv", ["captions.csv"]],
  ["--txt", []],
  ["--embed", []],
])("refuses %s, which nothing would join and other machines might break", async (flag, value) => {
  const { code, stderr } = await captionTiny(await temporaryFolder(), ".", "--shard", "1/2", flag, ...value);
  expect([code, stderr]).toEqual([2, expect.stringContaining(`cannot be used with option '${flag}'`)]);
});

test("every shard fails where a folder is missing, and leaves no part that join would take", async () => {
  const folder = await temporaryFolder();
  for (const shard of ["1/2", "2/2"]) {
    const { code, stderr } = await captionTiny(folder, "unmounted", "--shard", shard, "--jsonl", "captions.jsonl");
    expect([code, stderr]).toEqual([1, expect.stringContaining("unmounted")]);
  }
  expect(await readdir(folder)).toEqual([]);
});

test("a part has a state of its own where --state names one, and join replaces no file unasked", async () => {
  const folder = await folderOfPhotos();
  for (const shard of ["1/2", "2/2"]) {
    await captionTiny(folder, "photos", "--shard", shard, "--state", "known.jsonl", "--jsonl", "captions.jsonl");
  }
  const states = (await readdir(folder)).filter((name) => name.startsWith("known"));
  expect(states.sort()).toEqual(["known-shard-1-of-2.jsonl", "known-shard-2-of-2.jsonl"]);
  await writeFile(join(folder, "captions.jsonl"), "mine");
  const refused = await edgeCaptionIn(folder, "join", "captions.jsonl");
  expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining("already exists")]);
  expect(await readFile(join(folder, "captions.jsonl"), "utf8")).toBe("mine");
  expect((await edgeCaptionIn(folder, "join", "captions.jsonl", "--force")).code).toBe(0);
  expect(await linesOf(folder, "captions.jsonl")).toHaveLength(photoCount);
});

test("with --exit-zero a broken photo is reported and fails no job, and a missing path still does", async () => {
  const folder = await folderOfPhotos();
  await writeFile(join(folder, "photos", "broken.jpg"), "no photo");
  const broken = await captionTiny(folder, "photos", "--jsonl", "a.jsonl", "--exit-zero");
  expect([broken.code, broken.stderr]).toEqual([0, expect.stringContaining("broken.jpg: ")]);
  expect(await linesOf(folder, "a.jsonl")).toHaveLength(photoCount);
  expect((await captionTiny(folder, "photos", "--jsonl", "b.jsonl")).code).toBe(1);
  expect((await captionTiny(folder, "photos", "gone", "--jsonl", "c.jsonl", "--exit-zero")).code).toBe(1);
});

test("files that only look like parts, and a folder that is not there, are no parts", async () => {
  const folder = await temporaryFolder();
  for (const name of ["0-of-0", "1-of-999999999", "1-of-0"]) {
    await writeFile(join(folder, `captions-shard-${name}.jsonl`), "");
  }
  const none = await edgeCaptionIn(folder, "join", "captions.jsonl");
  expect([none.code, none.stderr]).toEqual([1, expect.stringContaining("found none")]);
  const nowhere = await edgeCaptionIn(folder, "join", "nowhere/captions.jsonl");
  expect([nowhere.code, nowhere.stderr]).toEqual([1, expect.not.stringContaining("scandir")]);
});
