import { execFile } from "node:child_process";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import { join } from "node:path";
import { promisify } from "node:util";
import { build } from "esbuild";
import { expect, onTestFinished, test } from "vitest";
import { repository } from "../../scripts/repository.ts";
import { preferFree, startServers, waitUntilReady } from "../../scripts/start/local-servers.ts";
import { edgeCaptionIn } from "../cli/run-command.ts";
import { temporaryFolder, tinyBundle } from "../fixtures/bundles.ts";
import { chromiumPath } from "../fixtures/chromium.ts";
import { madePhotos } from "../fixtures/made-images.ts";
import { pizzaPath } from "../fixtures/real-photos.ts";
import { launchBrowser } from "../page/browser.ts";
import { keepOutput } from "../support/kept-output.ts";
import { MadeBucket } from "../support/made-bucket.ts";
import { enoughCaptions } from "../training/made-dataset.ts";

const run = (program: string, ...args: string[]) => promisify(execFile)(program, args, { cwd: repository });

async function folderOfPhotos(count: number): Promise<string> {
  const folder = join(await temporaryFolder(), "photos");
  await mkdir(folder);
  for (const [index, bytes] of (await madePhotos(count)).entries())
    await writeFile(join(folder, `${index}.jpg`), bytes);
  return folder;
}

test("fine-tune.sh makes a bundle from thirty captioned photos, and captions them with it", {
  timeout: 600_000,
}, async () => {
  const photos = await folderOfPhotos(30);
  const lines = Array.from({ length: 30 }, (_, index) => ({ image: `${index}.jpg`, captions: enoughCaptions }));
  const captions = join(photos, "captions.jsonl");
  await writeFile(captions, lines.map((line) => `${JSON.stringify(line)}\n`).join(""));
  const out = join(await temporaryFolder(), "run");
  const { stdout } = await run("examples/fine-tune.sh", captions, out, tinyBundle);
  expect(stdout).toContain(`MODEL_DIR=${out}/bundle npm start`);
  expect(await readdir(join(out, "bundle"))).toContain("manifest.json");
  const rows = (await readFile(join(out, "captions.csv"), "utf8")).trim().split("\n");
  expect(rows).toHaveLength(31);
});

test("caption-bucket.sh captions each photo of a bucket in one of two parts, which join", {
  timeout: 300_000,
}, async () => {
  const photos = await madePhotos(6);
  const bucket = await MadeBucket.start(Object.fromEntries(photos.map((bytes, index) => [`2026/${index}.jpg`, bytes])));
  const folder = await temporaryFolder();
  const table = join(folder, "captions.jsonl");
  for (const part of ["1/2", "2/2"]) {
    await promisify(execFile)("examples/caption-bucket.sh", ["s3://photos/2026/", part, table], {
      cwd: repository,
      env: bucket.environment,
    });
  }
  const { code, stderr } = await edgeCaptionIn(folder, "join", "captions.jsonl");
  expect(code, stderr).toBe(0);
  const lines = (await readFile(table, "utf8")).trim().split("\n");
  const paths = lines.map((line) => JSON.parse(line).path).sort();
  expect(paths).toEqual(Array.from({ length: 6 }, (_, index) => `s3://photos/2026/${index}.jpg`));
});

test.skipIf(chromiumPath === undefined)(
  "the page shows a caption for each chosen photo, and why one has none (needs Chromium)",
  {
    timeout: 180_000,
  },
  async () => {
    const folder = join(repository, "examples/page");
    const { outputFiles } = await build({
      entryPoints: [join(folder, "main.js")],
      ...{ bundle: true, format: "esm", write: false },
    });
    const site = createServer(async (request, response) => {
      if (request.url === "/main.js") response.setHeader("Content-Type", "text/javascript").end(outputFiles[0]?.text);
      else response.setHeader("Content-Type", "text/html").end(await readFile(join(folder, "index.html")));
    });
    const port = await preferFree(0);
    await new Promise<void>((resolve) => site.listen({ port, host: "127.0.0.1" }, resolve));
    onTestFinished(() => void site.close());
    const servers = startServers({
      edgePort: await preferFree(0),
      servicePort: await preferFree(0),
      modelDir: tinyBundle,
      stateDir: await temporaryFolder(),
      variables: { CORS_ORIGINS: `http://127.0.0.1:${port}` },
      listen: keepOutput,
    });
    onTestFinished(() => servers.stop());
    await waitUntilReady(servers, AbortSignal.timeout(120_000));
    const browser = await launchBrowser();
    onTestFinished(() => browser.close());
    const page = await browser.newPage();
    await page.goto(`http://127.0.0.1:${port}/?origin=${servers.edge}`);
    await page.getByLabel("Photos").setInputFiles([pizzaPath, join(repository, "README.md")]);
    await page.locator("li").nth(1).waitFor();
    const shown = (await page.locator("li").allTextContents()).sort();
    expect(shown[0]).toMatch(/^README\.md: expected a JPEG, /);
    expect(shown[1]).toMatch(/^pizza\.jpg: \w+ \w+/);
  },
);
