import { execFile, spawn } from "node:child_process";
import { cp, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { build } from "esbuild";
import { Miniflare } from "miniflare";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { captionResultSchema } from "../../shared/contract.ts";
import { tinyBundle } from "../fixtures/bundles.ts";
import { chromiumPath } from "../fixtures/chromium.ts";
import { heicPath, pizzaCaption, pizzaConfidence, pizzaPath } from "../fixtures/real-photos.ts";
import { postCaption, secret, startService } from "../gpu-service/running-service.ts";
import { launchBrowser } from "../page/browser.ts";
import { captionOf, idOf, refusal, startScriptedEdge } from "../shared/scripted-edge.ts";
import { startCollector } from "../support/otlp-collector.ts";
import { makeFlickr8k } from "../training/made-dataset.ts";

const repository = fileURLToPath(new URL("../..", import.meta.url));
const run = promisify(execFile);
const mebibyte = 2 ** 20;

let folder: string;
let tarballBytes: number;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "edge-caption-installed-"));
  await run("npm", ["run", "build"], { cwd: repository });
  await run("npm", ["pack", "./dist", "--pack-destination", folder], { cwd: repository });
  const [tarball = ""] = await readdir(folder);
  tarballBytes = (await stat(join(folder, tarball))).size;
  await writeFile(join(folder, "package.json"), JSON.stringify({ private: true }));
  await run("npm", ["install", tarball, "--omit=dev"], { cwd: folder });
}, 300_000);

afterAll(() => rm(folder, { recursive: true, force: true }));

/** Runs one of the installed commands in the folder, as a shell would. */
const runCommand = (name: string, ...args: string[]) =>
  run(join(folder, "node_modules/.bin", name), args, { cwd: folder });

test("the tarball holds the programs with their style sheets, the model, types and docs, and no sources", async () => {
  const installed = join(folder, "node_modules/edge-caption");
  const [names, programs] = [await readdir(installed), await readdir(join(installed, "lib"))];
  expect(names.sort()).toEqual([
    "LICENSE",
    "NOTICE",
    "README.md",
    "docs",
    "lib",
    "models",
    "node_modules",
    "package.json",
    "types",
  ]);
  expect(programs.filter((name) => !/\.(?:css|js)$/.test(name))).toEqual([]);
  expect(tarballBytes / mebibyte).toBeLessThan(52); // 47.9 of them: the model 28, ONNX Runtime 16
  const packages = await readdir(join(folder, "node_modules"));
  expect(packages).not.toContain("tsx");
  expect(packages).not.toContain("esbuild");
  expect(packages).not.toContain("@tensorflow");
  expect(await readdir(join(folder, "node_modules/@opentelemetry"))).toEqual(["api"]);
});

test("what is published imports no source, and what is installed is at most 250 MB, for one system", async () => {
  const installed = join(folder, "node_modules/edge-caption");
  const published = (await readdir(installed, { recursive: true })).filter((name) =>
    /^(lib|types)\/.*\.[jt]s$/.test(name),
  );
  for (const name of published) {
    const text = await readFile(join(installed, name), "utf8");
    expect(text, name).not.toMatch(/(from |import\(?)\s*["'][^"']+\.ts["']/);
  }
  const { stdout } = await run("du", ["-sm", "node_modules"], { cwd: folder });
  expect(Number.parseInt(stdout, 10)).toBeLessThanOrEqual(250); // 222
  const [version = ""] = await readdir(join(installed, "node_modules/onnxruntime-node/bin"));
  expect(await readdir(join(installed, "node_modules/onnxruntime-node/bin", version))).toEqual([process.platform]);
});

test("the installed command captions photos, a HEIC one in its worker too, and names itself in its help", async () => {
  await cp(pizzaPath, join(folder, "pizza.jpg"));
  await cp(heicPath, join(folder, "coffee.heic"));
  const { stdout } = await runCommand("edge-caption", "caption", "pizza.jpg", "coffee.heic", "--json");
  const captions = stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line).result?.caption);
  expect(captions[0]).toBe(pizzaCaption);
  expect(captions[1]).toMatch(/\w+ \w+/);
  const help = await runCommand("edge-caption", "--help");
  expect(help.stdout).toMatch(/^Usage: edge-caption /);
});

test("the installed library captions, and a strict consumer type-checks against its declarations", async () => {
  const program = `
    import { createCaptioner, type CaptionOutcome } from "edge-caption";
    const captioner = await createCaptioner({ beam: 3, candidates: 1 });
    const { caption, confidence, model } = await captioner.caption("pizza.jpg");
    const [text, share, id]: [string, number, string] = [caption, confidence, model.id];
    const outcomes: CaptionOutcome[] = [];
    for await (const outcome of captioner.captionMany(["pizza.jpg"])) outcomes.push(outcome);
    // @ts-expect-error: a beam is a number
    export const refused = () => createCaptioner({ beam: "3" });
    console.log(JSON.stringify({ text, share, id, outcomes: outcomes.length }));
    await captioner.close();`;
  await cp(pizzaPath, join(folder, "pizza.jpg"));
  await writeFile(join(folder, "consumer.mts"), program);
  await compile("consumer.mts", { types: ["node"], typeRoots: [join(repository, "node_modules/@types")] });
  const { stdout } = await run(process.execPath, ["consumer.mjs"], { cwd: folder });
  expect(JSON.parse(stdout)).toEqual({
    text: pizzaCaption,
    share: expect.closeTo(pizzaConfidence, 1), // in int8 it differs in the second decimal
    id: "everyday-merge",
    outcomes: 1,
  });
});

/** Has a program of the folder checked and translated, as both kinds of consumers resolve packages. */
async function compile(file: string, surroundings: object): Promise<void> {
  for (const [module, moduleResolution] of [
    ["nodenext", "nodenext"],
    ["esnext", "bundler"],
  ] as const) {
    const compilerOptions = {
      ...{ module, moduleResolution, target: "es2023", strict: true, exactOptionalPropertyTypes: true },
      ...{ skipLibCheck: false, outDir: ".", ...surroundings },
    };
    await writeFile(join(folder, "tsconfig.json"), JSON.stringify({ compilerOptions, files: [file] }));
    await run(process.execPath, [join(repository, "node_modules/typescript/bin/tsc"), "-p", folder]);
  }
}

describe("edge-caption/client", () => {
  /** Captions two photos, of which the edge knows one, and returns what became of them, with the code of a refusal. */
  const program = `
    import { CaptionClient, CaptionError, type CaptionResult, captionAll } from "edge-caption/client";
    export async function captionTwo(origin: string): Promise<string> {
      const client = new CaptionClient({ origin });
      const captions: Record<string, string> = {};
      for await (const outcome of captionAll(client, [new Blob(["known"]), new Blob(["new"])])) {
        if ("error" in outcome) throw outcome.error;
        const result: CaptionResult = outcome.result;
        captions[await outcome.photo.text()] = \`\${result.caption}\${outcome.isHit ? ", known" : ""}\`;
      }
      const refused = await client.caption(new Blob(["broken"])).catch((error: unknown) => error);
      return JSON.stringify({ ...captions, code: refused instanceof CaptionError ? refused.code : "none" });
    }
    // @ts-expect-error: a beam is a number
    export const refused = (client: CaptionClient) => client.caption(new Blob(["new"]), { beam: "3" });`;
  const expected = { known: "known, known", new: "new", code: "invalid_image" };

  beforeAll(() => writeFile(join(folder, "captions.mts"), program));

  /** An edge that knows one photo and refuses another; beside it, what a browser asks for. */
  const startEdge = (files: Record<string, { type: string; text: string }> = {}) =>
    startScriptedEdge(({ method, target, body }) => {
      const file = files[target];
      if (method === "GET" && file !== undefined) return { headers: { "Content-Type": file.type }, body: file.text };
      if (body === "broken") return refusal("invalid_image");
      if (!target.startsWith("/v1/captions/lookup")) return { body: captionOf(body, target) };
      const missing: string[] = JSON.parse(body).ids.filter((id: string) => id !== idOf("known"));
      return { body: { found: { [idOf("known")]: captionOf("known", target) }, missing } };
    });

  test("captions in Node, and type-checks with Node's types, a browser's and a Worker's", async () => {
    await compile("captions.mts", { types: [], lib: ["es2023", "dom", "dom.iterable"] });
    await compile("captions.mts", {
      ...{ types: ["@cloudflare/workers-types"], lib: ["es2023"] },
      typeRoots: [join(repository, "node_modules")],
    });
    await compile("captions.mts", { types: ["node"], typeRoots: [join(repository, "node_modules/@types")] });
    const { origin } = await startEdge();
    const main = `import { captionTwo } from "./captions.mjs"; console.log(await captionTwo("${origin}"));`;
    await writeFile(join(folder, "main.mjs"), main);
    const { stdout } = await run(process.execPath, ["main.mjs"], { cwd: folder });
    expect(JSON.parse(stdout)).toEqual(expected);
  });

  test("has zod as its only dependency", async () => {
    const stdin = { contents: 'export * from "edge-caption/client"', resolveDir: folder };
    const { metafile } = await build({ stdin, bundle: true, format: "esm", write: false, metafile: true });
    const packages = Object.keys(metafile.inputs).flatMap(
      (path) => /.*node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path)?.[1] ?? [],
    );
    expect([...new Set(packages)].sort()).toEqual(["edge-caption", "zod"]);
  });

  test("captions in a Worker", async () => {
    const contents = `import { captionTwo } from "./captions.mts";
      export default { fetch: async (request) => new Response(await captionTwo(await request.text())) };`;
    const stdin = { contents, resolveDir: folder };
    const { outputFiles } = await build({
      stdin,
      bundle: true,
      format: "esm",
      conditions: ["workerd", "worker"],
      write: false,
    });
    const worker = new Miniflare({
      modules: true,
      script: outputFiles[0]?.text ?? "",
      compatibilityDate: "2025-05-01",
    });
    onTestFinished(() => worker.dispose());
    const { origin } = await startEdge();
    const answer = await worker.dispatchFetch("http://worker", { method: "POST", body: origin });
    expect(await answer.json()).toEqual(expected);
  });

  test.skipIf(chromiumPath === undefined)(
    "captions in a browser, from an app that Vite built (needs Chromium)",
    async () => {
      await mkdir(join(folder, "app"), { recursive: true });
      await writeFile(join(folder, "app/index.html"), '<!doctype html><script type="module" src="/main.ts"></script>');
      const main =
        'import { captionTwo } from "../captions.mts"; captionTwo(location.origin).then((text) => { document.title = text; });';
      await writeFile(join(folder, "app/main.ts"), main);
      const vite = join(createRequire(import.meta.url).resolve("vite/package.json"), "../bin/vite.js");
      await run(process.execPath, [vite, "build", "app", "--logLevel", "error"], { cwd: folder });
      const built = join(folder, "app/dist");
      const [script = ""] = await readdir(join(built, "assets"));
      const { origin } = await startEdge({
        "/": { type: "text/html", text: await readFile(join(built, "index.html"), "utf8") },
        [`/assets/${script}`]: { type: "text/javascript", text: await readFile(join(built, "assets", script), "utf8") },
      });
      const browser = await launchBrowser();
      onTestFinished(() => browser.close());
      const page = await browser.newPage();
      await page.goto(origin);
      await page.waitForFunction("document.title !== ''");
      expect(JSON.parse(await page.title())).toEqual(expected);
    },
  );
});

test("the installed service answers over HTTP with its own model, and drains", async () => {
  const env = { PATH: process.env.PATH, PORT: "0", SERVICE_SECRETS: secret };
  const program = join(folder, "node_modules/.bin/edge-caption-service");
  const service = await startService({}, spawn(program, { env, stdio: ["ignore", "pipe", "pipe"] }));
  try {
    const response = await postCaption(service, new Uint8Array(await readFile(pizzaPath)));
    const { caption, model } = captionResultSchema.parse(await response.json());
    expect(caption).toBe(pizzaCaption);
    expect(model.id).toBe("everyday-merge");
  } finally {
    expect(await service.stop()).toBe(0);
  }
});

test("the installed service says in a sentence what traces need, and with that sends them", async () => {
  const collector = await startCollector();
  onTestFinished(() => collector.close());
  const env = { PATH: process.env.PATH, PORT: "0", SERVICE_SECRETS: secret, MODEL_DIR: tinyBundle };
  const traced = { ...env, OTEL_EXPORTER_OTLP_ENDPOINT: collector.endpoint };
  const program = join(folder, "node_modules/.bin/edge-caption-service");
  const refusal = await run(program, [], { env: traced }).catch((error) => error);
  expect(refusal).toMatchObject({ code: 1, stdout: "" });
  const sentence =
    /^edge-caption service: traces need OpenTelemetry's SDK, which is not installed: npm install (.+)\n$/;
  const [, names = ""] = sentence.exec(refusal.stderr) ?? [];
  expect(names.split(" ")).toHaveLength(4);
  await run("npm", ["install", ...names.split(" ")], { cwd: folder });
  const service = await startService({}, spawn(program, { env: traced, stdio: ["ignore", "pipe", "pipe"] }));
  expect((await postCaption(service, new Uint8Array(await readFile(pizzaPath)))).status).toBe(200);
  expect(await service.stop()).toBe(0);
  expect(collector.spans.map(({ name }) => name)).toContain("POST /v1/captions");
});

test("the installed training says in a sentence what to install, and with that prepares, trains and scores a model, and names itself where it is used wrongly", async () => {
  const data = await makeFlickr8k({ train: ["one.jpg"], dev: ["two.jpg"], test: ["two.jpg"] });
  const places = ["--data", data, "--out", join(folder, "run")];
  const tiny = ["--encoder", tinyBundle, "--units", "16", "--embedding-size", "8", "--epochs", "1", "--min-count", "2"];
  const refusal = await runCommand("edge-caption-train", ...places).catch((error) => error);
  expect(refusal).toMatchObject({ code: 1, stdout: "" });
  const [, names = ""] =
    /^training needs TensorFlow\.js, which is not installed: npm install (.+)\n$/.exec(refusal.stderr) ?? [];
  expect(names.split(" ")).toHaveLength(3);
  await run("npm", ["install", ...names.split(" ")], { cwd: folder });
  await runCommand("edge-caption-train", ...places, ...tiny);
  const bundle = join(folder, "run/bundle");
  expect(await readdir(bundle)).toContain("manifest.json");
  const { stdout } = await runCommand("edge-caption-train", "evaluate", ...places, ...tiny, "--bundle", bundle);
  expect(stdout).toMatch(/^\S+ [0-9a-f]{12}, 1 test photos\n/);
  const help = await runCommand("edge-caption-train", "--help");
  expect(help.stdout).toMatch(/^Usage: edge-caption-train /);
  expect(help.stdout).not.toContain("npm run train");
});
