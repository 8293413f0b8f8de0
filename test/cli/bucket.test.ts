import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { expect, onTestFinished, test } from "vitest";
import { temporaryFolder, tinyBundle } from "../fixtures/bundles.ts";
import { madePhotos } from "../fixtures/made-images.ts";
import { isProgramThere } from "../fixtures/programs.ts";
import { freePort } from "../support/free-port.ts";
import { MadeBucket, refuse } from "../support/made-bucket.ts";
import { type Run, runNode } from "../support/run-node.ts";
import { commandLine, edgeCaptionIn } from "./run-command.ts";

const captionCommand = [...commandLine, "caption", "--model-dir", tinyBundle];

/** Photos below `2026/`, all different, by their keys. */
async function photosFor(count: number): Promise<Record<string, Uint8Array>> {
  const photos = await madePhotos(count, { width: 60, height: 40 });
  return Object.fromEntries(
    photos.map((bytes, index) => [`2026/${index % 3 === 0 ? "below/" : ""}${index}.jpg`, bytes]),
  );
}

function captionFrom(bucket: MadeBucket, folder: string, ...args: string[]): Promise<Run> {
  return runNode([...captionCommand, ...args], { cwd: folder, env: bucket.environment });
}

async function linesOf(folder: string, name: string): Promise<string[]> {
  return (await readFile(join(folder, name), "utf8")).split("\n").filter((line) => line !== "");
}

async function pathsIn(folder: string, name: string): Promise<string[]> {
  return (await linesOf(folder, name)).map((line) => JSON.parse(line).path);
}

test("two shards of a bucket make the captions of one run, and of the same photos in a folder", async () => {
  const photos = await photosFor(12);
  const [bucket, folder] = [await MadeBucket.start(photos), await temporaryFolder()];
  const whole = await captionFrom(bucket, folder, "s3://photos/2026/", "--jsonl", "whole.jsonl");
  expect(whole.code, whole.stderr).toBe(0);
  for (const shard of ["1/2", "2/2"]) {
    const { code, stderr } = await captionFrom(
      bucket,
      folder,
      "s3://photos/2026",
      "--shard",
      shard,
      "--jsonl",
      "a.jsonl",
    );
    expect(code, stderr).toBe(0);
  }
  expect((await edgeCaptionIn(folder, "join", "a.jsonl")).stderr).toContain("12 lines of 2 parts");
  expect((await linesOf(folder, "a.jsonl")).sort()).toEqual((await linesOf(folder, "whole.jsonl")).sort());

  await mkdir(join(folder, "2026/below"), { recursive: true });
  for (const [key, bytes] of Object.entries(photos)) await writeFile(join(folder, key), bytes);
  await captionFrom(bucket, folder, "2026", "--jsonl", "files.jsonl");
  const here = (await linesOf(folder, "files.jsonl")).map((line) => line.replace('"path":"', '"path":"s3://photos/'));
  expect(here.sort()).toEqual((await linesOf(folder, "whole.jsonl")).sort());
});

test("an object that has not changed is not read again; a replaced one is, and all are by another search", async () => {
  const photos = await photosFor(7);
  const [bucket, folder] = [await MadeBucket.start(photos), await temporaryFolder()];
  const run = (...args: string[]) => captionFrom(bucket, folder, "s3://photos/", "--jsonl", "a.jsonl", ...args);
  await run();
  expect(bucket.takeReads()).toHaveLength(7);
  expect((await run()).stderr).toContain("7 had their caption already; 7 unchanged and not read again");
  expect(bucket.takeReads()).toEqual([]);

  const [replacement = new Uint8Array()] = await madePhotos(1, { width: 90, height: 90 });
  bucket.objects.set("2026/1.jpg", replacement);
  expect((await run("--dry-run")).stdout).toBe("s3://photos/2026/1.jpg\n");
  expect((await run()).stderr).toContain("1 captioned, 6 had their caption already; 6 unchanged");
  expect(bucket.takeReads()).toEqual(["2026/1.jpg"]);

  await run("--beam", "5");
  expect(bucket.takeReads()).toHaveLength(7);
});

test("a single object is asked for with the version that is known", async () => {
  const [bucket, folder] = [await MadeBucket.start(await photosFor(2)), await temporaryFolder()];
  const run = () => captionFrom(bucket, folder, "s3://photos/2026/1.jpg", "--jsonl", "a.jsonl");
  await run();
  expect((await run()).stderr).toContain("1 had their caption already; 1 unchanged and not read again");
  expect(bucket.reads.map(({ status }) => status)).toEqual([200, 304]);
});

test("a run that is killed continues, and reads no photo again whose line is in its state", async () => {
  const photos = await photosFor(60);
  const [bucket, folder] = [await MadeBucket.start(photos), await temporaryFolder()];
  const args = ["s3://photos/", "--shard", "1/1", "--jsonl", "a.jsonl"];
  const run = spawn(process.execPath, [...captionCommand, ...args], {
    cwd: folder,
    env: bucket.environment,
    stdio: "ignore",
  });
  let answered = 0;
  bucket.fault = () => {
    answered += 1;
    if (answered === 40) run.kill("SIGKILL");
    return false;
  };
  expect(await once(run, "exit")).toEqual([null, "SIGKILL"]);
  const state = await readFile(join(folder, ".edge-caption-shard-1-of-1.jsonl"), "utf8").catch(() => "");
  const known = state.split('{"kind":"object"').length - 1;
  bucket.takeReads();
  bucket.fault = () => false;

  const second = await captionFrom(bucket, folder, ...args);
  expect(second.code, second.stderr).toBe(0);
  expect(bucket.takeReads().length).toBeLessThanOrEqual(60 - Math.max(0, known - 1)); // its last line may be cut off
  expect((await pathsIn(folder, "a-shard-1-of-1.jsonl")).sort()).toEqual(
    Object.keys(photos)
      .map((key) => `s3://photos/${key}`)
      .sort(),
  );
});

test("what is wrong with one object is said of it, and the others continue", async () => {
  const [photo = new Uint8Array()] = await madePhotos(1, { width: 60, height: 40 });
  const objects = { "good.jpg": photo, "gone.jpg": photo, "denied.jpg": photo, "archived.jpg": photo };
  const bucket = await MadeBucket.start({
    ...objects,
    "broken.jpg": Buffer.from("no photo"),
    "busy.jpg": photo,
    "large.jpg": Buffer.concat([photo, Buffer.alloc(50_000)]),
  });
  let busy = 0;
  bucket.fault = ({ key }, response) => {
    if (key === "gone.jpg") bucket.objects.delete(key);
    else if (key === "denied.jpg") refuse(response, 403, "AccessDenied");
    else if (key === "archived.jpg") refuse(response, 403, "InvalidObjectState");
    else if (key === "busy.jpg" && busy++ < 4) refuse(response, 503, "SlowDown");
    return response.headersSent;
  };
  const folder = await temporaryFolder();
  const { code, stdout, stderr } = await captionFrom(
    bucket,
    folder,
    ...["s3://photos", "--max-bytes", "50000", "--json", "--jsonl", "a.jsonl"],
  );
  expect(code).toBe(1);
  expect(stderr).toContain("1 captioned, 1 copy of another photo, 5 failed");
  const lines = stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
  const errors = Object.fromEntries(lines.flatMap(({ path, error }) => (error === undefined ? [] : [[path, error]])));
  expect(errors).toEqual({
    "s3://photos/gone.jpg": "it was deleted after it was listed",
    "s3://photos/denied.jpg": "access is denied: the credentials need s3:GetObject",
    "s3://photos/archived.jpg": "it is archived: restore it first",
    "s3://photos/broken.jpg": expect.stringContaining("expected a JPEG"),
    "s3://photos/large.jpg": expect.stringMatching(/at most 50000 bytes, received \d+; --max-bytes allows more$/),
  });
  expect((await pathsIn(folder, "a.jsonl")).sort()).toEqual(["s3://photos/busy.jpg", "s3://photos/good.jpg"]);
});

test.each([
  ["there are no credentials", { AWS_ACCESS_KEY_ID: "" }, "s3://photos/", "no AWS credentials are found"],
  ["there is no region", { AWS_REGION: "" }, "s3://photos/", "no region is set: set AWS_REGION"],
  ["there is no bucket", {}, "s3://elsewhere/", "there is no bucket elsewhere"],
  ["nothing is below the prefix", {}, "s3://photos/2025", "there is nothing below it; name an object"],
  ["nothing begins with the prefix", {}, "s3://photos/2025/", "there is no object whose key begins with it"],
  ["the endpoint is gone", { AWS_ENDPOINT_URL_S3: "http://127.0.0.1:9" }, "s3://photos/", "S3 cannot be reached"],
])("one sentence says that %s, also with --exit-zero", async (_, environment, address, sentence) => {
  const bucket = await MadeBucket.start(await photosFor(1));
  const folder = await temporaryFolder();
  const { code, stderr } = await runNode([...captionCommand, address, "--exit-zero", "--jsonl", "a.jsonl"], {
    cwd: folder,
    env: { ...bucket.environment, ...environment },
  });
  expect(code).toBe(1);
  expect(stderr).toMatch(new RegExp(`^${address}: ${sentence}[^\\n]*\\n$`));
  expect(await readdir(folder)).toEqual([]);
});

test("a listing that breaks off is asked for again, and if it stays so, what it had is captioned and the run fails", async () => {
  const [bucket, folder] = [await MadeBucket.start(await photosFor(12)), await temporaryFolder()];
  const run = () => captionFrom(bucket, folder, "s3://photos/2026/", "--jsonl", "a.jsonl", "--exit-zero");
  let pages = 0;
  bucket.fault = ({ key }, response) => {
    if (key === "") pages += 1;
    if (key === "" && pages > 1) refuse(response, 403, "AccessDenied");
    return response.headersSent;
  };
  const denied = await run();
  expect([denied.code, denied.stderr]).toEqual([
    1,
    expect.stringContaining("s3://photos/2026/: access is denied: the credentials need s3:ListBucket"),
  ]);
  expect(await pathsIn(folder, "a.jsonl")).toHaveLength(5);

  pages = 0;
  bucket.fault = ({ key }, response) => {
    if (key === "") pages += 1;
    if (key === "" && pages >= 2 && pages <= 5) refuse(response, 503, "SlowDown"); // more often than the SDK tries
    return response.headersSent;
  };
  expect(await run()).toMatchObject({ code: 0, stderr: expect.stringContaining("7 captioned, 5 had their caption") });
});

test("credentials that expire end the run, which keeps what it has and can be continued", async () => {
  const bucket = await MadeBucket.start(await photosFor(3));
  const folder = await temporaryFolder();
  await writeFile(join(folder, "list.txt"), "s3://photos/2026/1.jpg\ns3://photos/2026/2.jpg\n");
  bucket.fault = ({ key }, response) => {
    if (key === "2026/2.jpg") refuse(response, 400, "ExpiredToken");
    return response.headersSent;
  };
  const run = () => captionFrom(bucket, folder, "--list", "list.txt", "--jsonl", "a.jsonl");
  const expired = await run();
  expect([expired.code, expired.stderr]).toEqual([1, expect.stringContaining("not accepted (ExpiredToken)")]);
  bucket.fault = () => false;
  expect((await run()).code).toBe(0);
  expect((await pathsIn(folder, "a.jsonl")).sort()).toEqual(["s3://photos/2026/1.jpg", "s3://photos/2026/2.jpg"]);
});

test("keys are names as they are, and those of folders, other files and hidden ones are passed over", async () => {
  const photos = Object.values(await photosFor(4));
  const keys = ["a b+c%20?.jpg", "línea\nzwei.JPG", "2024-01/x.jpg", "2024-02/y.jpg"];
  const named = Object.fromEntries(keys.map((key, index) => [key, photos[index] ?? Buffer.of()]));
  const others = [".hidden/a.jpg", "@eaDir/b.jpg", "folder.jpg/", "_SUCCESS", "film.mp4"];
  const bucket = await MadeBucket.start({ ...named, ...Object.fromEntries(others.map((key) => [key, Buffer.of()])) });
  const folder = await temporaryFolder();
  const { code, stderr } = await captionFrom(bucket, folder, "s3://photos/", "--jsonl", "a.jsonl");
  expect(code, stderr).toBe(0);
  expect(stderr).toContain(
    "passed over: 1 hidden, 1 folder of trash, thumbnails or previews, 1 video, 1 object without a photo's extension",
  );
  expect((await pathsIn(folder, "a.jsonl")).sort()).toEqual(keys.map((key) => `s3://photos/${key}`).sort());
  const dry = await captionFrom(bucket, folder, "s3://photos/2024-*", "--dry-run");
  expect(dry.stdout).toBe("s3://photos/2024-01/x.jpg\ns3://photos/2024-02/y.jpg\n");
  const recent = await captionFrom(bucket, folder, "s3://photos/2024-*", "--dry-run", "--since", "2026-02-01");
  expect(recent.stderr).toContain("passed over: 2 older than --since");
});

test("--limit leaves further objects unread", async () => {
  const [bucket, folder] = [await MadeBucket.start(await photosFor(6)), await temporaryFolder()];
  const { stderr } = await captionFrom(bucket, folder, "s3://photos/", "--limit", "2", "--jsonl", "a.jsonl");
  expect(stderr).toContain("2 captioned, 4 left for the next run");
  expect(bucket.takeReads()).toHaveLength(2);
});

test("outputs beside photos are refused, and a table and a page name the objects", async () => {
  const [bucket, folder] = [await MadeBucket.start(await photosFor(1)), await temporaryFolder()];
  const refused = await captionFrom(bucket, folder, "s3://photos/", "--txt");
  expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining("write beside photos on this machine")]);
  expect((await captionFrom(bucket, folder, "s3://photos/", "--csv", "a.csv", "--html", "a.html")).code).toBe(0);
  expect(await readFile(join(folder, "a.csv"), "utf8")).toContain("\ns3://photos/2026/below/0.jpg,");
  const page = await readFile(join(folder, "a.html"), "utf8");
  expect(page).toContain("s3://photos/2026/below/0.jpg");
  expect(page).toContain("data:image/webp;base64,");
});

/** What stands for S3 elsewhere, of PyPI's `moto[server]`. */
const isMotoThere = isProgramThere("moto_server");

test.skipIf(!isMotoThere)(
  "another server of S3's protocol gives the same captions (needs moto_server)",
  async () => {
    const photos = await photosFor(12);
    const port = await freePort();
    const endpoint = `http://127.0.0.1:${port}`;
    const moto = spawn("moto_server", ["-p", String(port)], { stdio: "ignore" });
    onTestFinished(async () => {
      moto.kill();
      await once(moto, "exit");
    });
    while (!(await fetch(endpoint).catch(() => undefined))) await setTimeout(100);
    const put = (path: string, body: Uint8Array<ArrayBuffer> | null) =>
      fetch(`${endpoint}/${path}`, { method: "PUT", body });
    await put("photos", null);
    for (const [key, bytes] of Object.entries(photos)) await put(`photos/${key}`, new Uint8Array(bytes));

    const bucket = await MadeBucket.start(photos);
    const folder = await temporaryFolder();
    const env = { ...bucket.environment, AWS_REGION: "us-east-1", AWS_ENDPOINT_URL_S3: endpoint };
    for (const shard of ["1/2", "2/2"]) {
      const args = ["s3://photos/", "--shard", shard, "--jsonl", "a.jsonl"];
      const { code, stderr } = await runNode([...captionCommand, ...args], { cwd: folder, env });
      expect(code, stderr).toBe(0);
      const again = await runNode([...captionCommand, ...args], { cwd: folder, env });
      expect(again.stderr).toContain("unchanged and not read again");
    }
    await edgeCaptionIn(folder, "join", "a.jsonl");
    await captionFrom(bucket, folder, "s3://photos/", "--jsonl", "made.jsonl");
    expect((await linesOf(folder, "a.jsonl")).sort()).toEqual((await linesOf(folder, "made.jsonl")).sort());
  },
  120_000,
);
