import { execFile, spawn } from "node:child_process";
import { cp, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { captionResultSchema } from "../../shared/contract.ts";
import { tinyBundle } from "../fixtures/bundles.ts";
import { chelseaCaption, chelseaConfidence, heicPath, photoPath } from "../fixtures/real-photos.ts";
import { postCaption, secret, startService } from "../gpu-service/running-service.ts";
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
  await run("npm", ["install", tarball, "--omit=dev", "--ignore-scripts"], { cwd: folder });
}, 300_000);

afterAll(() => rm(folder, { recursive: true, force: true }));

/** Runs one of the installed commands in the folder, as a shell would. */
const runCommand = (name: string, ...args: string[]) =>
  run(join(folder, "node_modules/.bin", name), args, { cwd: folder });

test("the tarball holds the programs with their style sheets, the model, types and docs, and no sources", async () => {
  const installed = join(folder, "node_modules/edge-caption");
  const [names, programs] = [await readdir(installed), await readdir(join(installed, "lib"))];
  expect(names.sort()).toEqual(["LICENSE", "NOTICE", "README.md", "docs", "lib", "models", "package.json", "types"]);
  expect(programs.filter((name) => !/\.(?:css|js)$/.test(name))).toEqual([]);
  expect(tarballBytes / mebibyte).toBeLessThan(32); // 30.8 of them; the model is 34.5 before it is packed
  const packages = await readdir(join(folder, "node_modules"));
  expect(packages).not.toContain("tsx");
  expect(packages).not.toContain("esbuild");
  expect(await readdir(join(folder, "node_modules/@tensorflow"))).not.toContain("tfjs-node-gpu");
});

test("the installed command captions photos, a HEIC one in its worker too, and names itself in its help", async () => {
  await cp(photoPath("chelsea"), join(folder, "chelsea.jpg"));
  await cp(heicPath, join(folder, "coffee.heic"));
  const { stdout } = await runCommand("edge-caption", "caption", "chelsea.jpg", "coffee.heic", "--json");
  const captions = stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line).result?.caption);
  expect(captions[0]).toBe(chelseaCaption);
  expect(captions[1]).toMatch(/\w+ \w+/);
  const help = await runCommand("edge-caption", "--help");
  expect(help.stdout).toMatch(/^Usage: edge-caption /);
});

test("the installed library captions, and a strict consumer type-checks against its declarations", async () => {
  const program = `
    import { createCaptioner, type CaptionOutcome } from "edge-caption";
    const captioner = await createCaptioner({ beam: 3, candidates: 1 });
    const { caption, confidence, model } = await captioner.caption("chelsea.jpg");
    const [text, share, id]: [string, number, string] = [caption, confidence, model.id];
    const outcomes: CaptionOutcome[] = [];
    for await (const outcome of captioner.captionMany(["chelsea.jpg"])) outcomes.push(outcome);
    // @ts-expect-error: a beam is a number
    export const refused = () => createCaptioner({ beam: "3" });
    console.log(JSON.stringify({ text, share, id, outcomes: outcomes.length }));
    await captioner.close();`;
  await cp(photoPath("chelsea"), join(folder, "chelsea.jpg"));
  await writeFile(join(folder, "consumer.mts"), program);
  for (const [module, moduleResolution] of [
    ["nodenext", "nodenext"],
    ["esnext", "bundler"],
  ] as const) {
    const compilerOptions = {
      ...{ module, moduleResolution, target: "es2023", strict: true, exactOptionalPropertyTypes: true },
      ...{ skipLibCheck: false, outDir: ".", types: ["node"], typeRoots: [join(repository, "node_modules/@types")] },
    };
    await writeFile(join(folder, "tsconfig.json"), JSON.stringify({ compilerOptions, files: ["consumer.mts"] }));
    await run(process.execPath, [join(repository, "node_modules/typescript/bin/tsc"), "-p", folder]);
  }
  const { stdout } = await run(process.execPath, ["consumer.mjs"], { cwd: folder });
  expect(JSON.parse(stdout)).toEqual({
    text: chelseaCaption,
    share: expect.closeTo(chelseaConfidence, 2),
    id: "everyday-merge",
    outcomes: 1,
  });
});

test("the installed service answers over HTTP with its own model, and drains", async () => {
  const env = { PATH: process.env.PATH, PORT: "0", SERVICE_SECRETS: secret };
  const program = join(folder, "node_modules/.bin/edge-caption-service");
  const service = await startService({}, spawn(program, { env, stdio: ["ignore", "pipe", "pipe"] }));
  try {
    const response = await postCaption(service, new Uint8Array(await readFile(photoPath("chelsea"))));
    const { caption, model } = captionResultSchema.parse(await response.json());
    expect(caption).toBe(chelseaCaption);
    expect(model.id).toBe("everyday-merge");
  } finally {
    expect(await service.stop()).toBe(0);
  }
});

test("the installed training prepares, trains and scores a model, and names itself where it is used wrongly", async () => {
  const data = await makeFlickr8k({ train: ["one.jpg"], dev: ["two.jpg"], test: ["two.jpg"] });
  const places = ["--data", data, "--out", join(folder, "run")];
  const tiny = ["--encoder", tinyBundle, "--units", "16", "--embedding-size", "8", "--epochs", "1", "--min-count", "2"];
  await runCommand("edge-caption-train", ...places, ...tiny);
  const bundle = join(folder, "run/bundle");
  expect(await readdir(bundle)).toContain("manifest.json");
  const { stdout } = await runCommand("edge-caption-train", "evaluate", ...places, ...tiny, "--bundle", bundle);
  expect(stdout).toMatch(/^\S+ [0-9a-f]{12}, 1 test photos\n/);
  const help = await runCommand("edge-caption-train", "--help");
  expect(help.stdout).toMatch(/^Usage: edge-caption-train /);
  expect(help.stdout).not.toContain("npm run train");
});
