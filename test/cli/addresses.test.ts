import { execFile } from "node:child_process";
import { readdir, readFile, writeFile } from "node:fs/promises";
import type { ServerResponse } from "node:http";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { temporaryFolder, tinyBundle } from "../fixtures/bundles.ts";
import { madePhotos } from "../fixtures/made-images.ts";
import { MadeBucket } from "../support/made-bucket.ts";
import { type Run, runNode } from "../support/run-node.ts";
import { commandLine, edgeCaptionIn } from "./run-command.ts";

const captionCommand = [...commandLine, "caption", "--model-dir", tinyBundle];

/** What a presigned address has for whoever knows it. */
const secret = "X-Amz-Signature=s3cr3t-of-a-test";

/** A bucket of small photos, `0.jpg` and so on. */
async function bucketOf(count: number): Promise<MadeBucket> {
  const photos = await madePhotos(count, { width: 60, height: 40 });
  return MadeBucket.start(Object.fromEntries(photos.map((bytes, index) => [`${index}.jpg`, bytes])));
}

function addressOf(bucket: MadeBucket, key: string): string {
  return `${bucket.origin}/photos/${key}?${secret}`;
}

/** Captions with the leave to read from the bucket's host, which is this machine. */
function captionWith(bucket: MadeBucket, folder: string, ...args: string[]): Promise<Run> {
  const hosts = ["--source-hosts", new URL(bucket.origin).host];
  return runNode([...captionCommand, ...hosts, ...args], { cwd: folder, env: bucket.environment });
}

async function writeList(folder: string, lines: readonly string[]): Promise<void> {
  await writeFile(join(folder, "list.txt"), `${lines.join("\n")}\n`);
}

async function pathsIn(folder: string, name: string): Promise<string[]> {
  const lines = (await readFile(join(folder, name), "utf8")).split("\n").filter((line) => line !== "");
  return lines.map((line) => JSON.parse(line).path).sort();
}

test("a list of presigned addresses is captioned in shards, and their queries are written nowhere", async () => {
  const [bucket, folder] = [await bucketOf(8), await temporaryFolder()];
  const keys = [...bucket.objects.keys()];
  bucket.objects.set("broken.jpg", Buffer.from("no photo"));
  await writeList(
    folder,
    [...keys, "broken.jpg", "gone.jpg"].map((key) => addressOf(bucket, key)),
  );
  const outputs: string[] = [];
  for (const shard of ["1/2", "2/2"]) {
    const args = ["--list", "list.txt", "--shard", shard, "--jsonl", "a.jsonl", "--json", "--exit-zero"];
    const { code, stdout, stderr } = await captionWith(bucket, folder, ...args);
    expect(code, stderr).toBe(0);
    outputs.push(stdout, stderr);
  }
  expect((await edgeCaptionIn(folder, "join", "a.jsonl")).stderr).toContain("8 lines of 2 parts");
  expect(await pathsIn(folder, "a.jsonl")).toEqual(keys.map((key) => `${bucket.origin}/photos/${key}`).sort());
  expect(outputs.join("")).toContain(
    `"${bucket.origin}/photos/gone.jpg","error":"there is no such photo (status 404)"`,
  );

  await captionWith(bucket, folder, addressOf(bucket, "0.jpg"), "--html", "a.html", "--csv", "a.csv");
  for (const name of await readdir(folder)) {
    if (name !== "list.txt") outputs.push(await readFile(join(folder, name), "utf8"));
  }
  expect(outputs.join("")).toContain("/photos/0.jpg");
  expect(outputs.filter((text) => text.includes("X-Amz") || text.includes("s3cr3t"))).toEqual([]);
});

test("a photo that has not changed is not sent again, whatever its query, and by its date where it has no ETag", async () => {
  const [bucket, folder] = [await bucketOf(2), await temporaryFolder()];
  const conditions: unknown[] = [];
  bucket.fault = ({ key, headers }, response) => {
    if (key !== "dated.jpg") return false;
    conditions.push(headers["if-modified-since"]);
    response.writeHead(headers["if-modified-since"] === undefined ? 200 : 304, {
      "Last-Modified": "Thu, 01 Jan 2026 00:00:00 GMT",
    });
    response.end(headers["if-modified-since"] === undefined ? bucket.objects.get("1.jpg") : undefined);
    return true;
  };
  const run = (query: string, ...args: string[]) => {
    const addresses = ["0.jpg", "dated.jpg"].map((key) => `${bucket.origin}/photos/${key}?${query}`);
    return captionWith(bucket, folder, ...addresses, "--jsonl", "a.jsonl", ...args);
  };
  await run("signed=1");
  const second = await run("signed=2");
  expect(second.stderr).toContain("2 had their caption already; 2 unchanged and not read again");
  expect(bucket.reads).toEqual([
    { key: "0.jpg", status: 200 },
    { key: "0.jpg", status: 304 },
  ]);
  expect(conditions).toEqual([undefined, "Thu, 01 Jan 2026 00:00:00 GMT"]);
  expect((await run("signed=3", "--dry-run")).stderr).toContain("2 had their caption already");

  bucket.objects.set("0.jpg", bucket.objects.get("1.jpg") ?? Buffer.of());
  expect((await run("signed=4")).stderr).toContain("2 had their caption already; 1 unchanged"); // 0.jpg is a copy now
  expect(await pathsIn(folder, "a.jsonl")).toHaveLength(3);
});

test("what is wrong with an address is said of it, and a busy server is asked again", async () => {
  const [bucket, folder] = [await bucketOf(1), await temporaryFolder()];
  const photo = bucket.objects.get("0.jpg") ?? Buffer.of();
  let busy = 0;
  const redirect = (response: ServerResponse, location: string) =>
    response.writeHead(302, { Location: location }).end();
  const answers: Record<string, (response: ServerResponse) => unknown> = {
    "denied.jpg": (response) => response.writeHead(403).end(),
    "busy.jpg": (response) =>
      busy++ === 0 ? response.writeHead(503, { "Retry-After": "1" }).end() : response.end(photo),
    "moved.jpg": (response) => redirect(response, `/photos/0.jpg?${secret}`),
    "elsewhere.jpg": (response) => redirect(response, `https://elsewhere.example/a.jpg?${secret}`),
    "around.jpg": (response) => redirect(response, "around.jpg"),
    "long.jpg": (response) => response.writeHead(200, { "Content-Length": 99_999_999 }).end(photo),
    "endless.jpg": (response) => {
      const more = () => {
        while (!response.destroyed && response.write(Buffer.alloc(100_000)));
      };
      response.on("drain", more);
      more();
    },
    "torn.jpg": (response) => {
      response.writeHead(200, { "Content-Length": photo.length });
      response.write(photo.subarray(0, 100), () => response.destroy());
    },
  };
  bucket.fault = ({ key }, response) => {
    answers[key]?.(response);
    return key in answers;
  };
  const { port } = new URL(bucket.origin);
  const odd = [
    "http://127.0.0.1/a.jpg?key=s3cr3t",
    `https://user:s3cr3t@127.0.0.1:${port}/a.jpg`,
    `https://localhost:${port}/photos/0.jpg`,
    "ftp://user:s3cr3t@host/a.jpg",
    `https://127.0.0.1:${port}/photos/0.jpg?id=2`,
  ];
  await writeList(folder, [...["0.jpg", ...Object.keys(answers)].map((key) => addressOf(bucket, key)), ...odd]);
  const { code, stdout, stderr } = await captionWith(bucket, folder, "--list", "list.txt", "--json");
  expect(code, stderr).toBe(1);
  const lines = stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
  const errors = lines.flatMap(({ path, error }) =>
    error === undefined ? [] : [[path.split("/").slice(2).join("/"), error]],
  );
  const here = (key: string) => `127.0.0.1:${port}/photos/${key}`;
  const notHttps = "expected an address like https://host/photo.jpg or s3://bucket/photo.jpg";
  expect(errors).toEqual([
    [here("denied.jpg"), "access is denied (status 403): a presigned address may have expired"],
    [here("elsewhere.jpg"), "it redirects to https://elsewhere.example/a.jpg: name that address instead"],
    [here("around.jpg"), "it redirects more than 5 times"],
    [here("long.jpg"), "expected a photo of at most 20971520 bytes, received 99999999; --max-bytes allows more"],
    [here("endless.jpg"), "expected a photo of at most 20971520 bytes, received more; --max-bytes allows more"],
    [here("torn.jpg"), "the connection broke off"],
    ["127.0.0.1/a.jpg", notHttps],
    [`127.0.0.1:${port}/a.jpg`, "expected an address without a user name or password"],
    [`localhost:${port}/photos/0.jpg`, expect.stringContaining(`--source-hosts localhost:${port} allows it`)],
    ["host/a.jpg", notHttps],
    [here("0.jpg"), expect.stringContaining("differs in the query alone")],
  ]);
  const captioned = lines.flatMap(({ path, result }) => (result === undefined ? [] : [path]));
  expect(captioned).toEqual(["0.jpg", "busy.jpg", "moved.jpg"].map((key) => `${bucket.origin}/photos/${key}`));
  expect(stdout + stderr).not.toMatch(/s3cr3t|id=2/);
});

test("private hosts are read from only if they are named, and a certificate has to be trusted", async () => {
  const [bucket, folder] = [await bucketOf(1), await temporaryFolder()];
  const address = addressOf(bucket, "0.jpg");
  const unnamed = await runNode([...captionCommand, address, "--json"], { cwd: folder, env: bucket.environment });
  expect([unnamed.code, unnamed.stderr]).toEqual([
    1,
    `${bucket.origin}/photos/0.jpg: photos are not fetched from private addresses such as "127.0.0.1"; --source-hosts ${new URL(bucket.origin).host} allows it\n`,
  ]);
  const { NODE_EXTRA_CA_CERTS: _, ...env } = bucket.environment;
  const hosts = ["--source-hosts", "127.0.0.1"];
  const untrusted = await runNode([...captionCommand, ...hosts, address], { cwd: folder, env });
  expect([untrusted.code, untrusted.stderr]).toEqual([1, expect.stringContaining("its certificate is not trusted (")]);
});

test("a list mixes paths and addresses, on standard input or in a file, and has to be there", async () => {
  const [bucket, folder] = [await bucketOf(3), await temporaryFolder()];
  await writeFile(join(folder, "here.jpg"), bucket.objects.get("0.jpg") ?? "");
  await writeList(folder, ["here.jpg", addressOf(bucket, "1.jpg"), "s3://photos/2.jpg"]);
  const paths = ["here.jpg", `${bucket.origin}/photos/1.jpg`, "s3://photos/2.jpg"];
  const printed = (stdout: string) =>
    stdout.split("\n").map((line) => paths.find((path) => line.startsWith(`${path}: `)));
  const { stdout } = await captionWith(bucket, folder, "--list", "list.txt");
  expect(printed(stdout)).toEqual([...paths, undefined]);
  const command = [process.execPath, ...captionCommand, "--source-hosts", new URL(bucket.origin).host, "--list", "-"];
  const piped = await promisify(execFile)("sh", ["-c", '"$@" < list.txt', "sh", ...command], {
    cwd: folder,
    env: bucket.environment,
  });
  expect(piped.stdout).toBe(stdout);
  const missing = await captionWith(bucket, folder, "--list", "nowhere.txt");
  expect([missing.code, missing.stderr]).toEqual([
    1,
    `${join(folder, "nowhere.txt")}: there is no such file or folder\n`,
  ]);
  const nothing = await captionWith(bucket, folder);
  expect([nothing.code, nothing.stderr]).toEqual([2, "error: missing required argument 'paths'\n"]);
});
