import { execFile, spawnSync } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { build } from "esbuild";
import { Miniflare } from "miniflare";
import { afterAll, beforeAll, expect, test } from "vitest";
import * as z from "zod";
import { repository } from "../../scripts/repository.ts";
import type { Deployment } from "../../scripts/start/local-servers.ts";
import { captionResultSchema } from "../../shared/contract.ts";
import { photoPath, pizzaPath } from "../fixtures/real-photos.ts";
import { startTinyDeployment } from "../support/deployment.ts";

const hasPython = spawnSync("python3", ["--version"]).status === 0;

let deployment: Deployment;

beforeAll(async () => {
  deployment = await startTinyDeployment();
});
afterAll(() => deployment?.stop());

/** Runs a program of `examples/` against the deployment, as its comment says. */
const run = (program: string, ...args: string[]) =>
  promisify(execFile)(program, args, { cwd: repository, env: { ...process.env, ORIGIN: deployment.edge } });

/** What the deployment says of a photo. */
async function captionOf(path: string): Promise<string> {
  const reply = await fetch(`${deployment.edge}/v1/captions`, { method: "POST", body: await readFile(path) });
  return captionResultSchema.parse(await reply.json()).caption;
}

test("curl.sh prints a photo's result twice, uploaded and looked up, and fails with a problem document", async () => {
  const { stdout } = await run("examples/curl.sh", pizzaPath);
  const [uploaded, stored] = stdout.trim().split("\n");
  expect(captionResultSchema.parse(JSON.parse(uploaded ?? "")).caption).toBe(await captionOf(pizzaPath));
  expect(stored).toBe(uploaded);
  await expect(run("examples/curl.sh", "README.md")).rejects.toMatchObject({
    code: 22,
    stdout: expect.stringContaining('"code":"unsupported_media_type"'),
  });
});

test.skipIf(!hasPython)(
  "caption.py captions the photos that it can, and names the others (needs python3)",
  async () => {
    const paths = [pizzaPath, "README.md", photoPath("coffee")];
    const failure = await run("python3", "examples/caption.py", ...paths).catch((error: unknown) => error);
    const [pizza, coffee] = [await captionOf(pizzaPath), await captionOf(photoPath("coffee"))];
    expect(failure).toMatchObject({
      code: 1,
      stdout: expect.stringMatching(
        new RegExp(`^${pizzaPath}: ${pizza} \\(0\\.\\d\\d\\)\n${photoPath("coffee")}: ${coffee} \\(0\\.\\d\\d\\)\n$`),
      ),
      stderr: expect.stringMatching(/^README\.md: expected a JPEG, /),
    });
  },
);

test("the Worker answers an upload with an alt text, and says what is wrong with one that is no photo", async () => {
  const { outputFiles } = await build({
    entryPoints: [join(repository, "examples/worker/worker.ts")],
    ...{ bundle: true, format: "esm", conditions: ["workerd"], write: false },
  });
  const worker = new Miniflare({
    modules: true,
    script: outputFiles[0]?.text ?? "",
    compatibilityDate: "2026-04-26",
    bindings: { CAPTION_ORIGIN: deployment.edge },
  });
  try {
    const post = async (path: string) =>
      worker.dispatchFetch("http://alt-texts.test/", { method: "POST", body: await readFile(path) });
    const reply = z.strictObject({ alt: z.string(), isDraft: z.boolean() }).parse(await (await post(pizzaPath)).json());
    expect(reply.alt).toBe(await captionOf(pizzaPath));
    const refused = await post(join(repository, "README.md"));
    expect(refused.status).toBe(422);
    expect(await refused.json()).toMatchObject({ code: "unsupported_media_type" });
    expect((await worker.dispatchFetch("http://alt-texts.test/")).status).toBe(405);
  } finally {
    await worker.dispose();
  }
});
