import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pMap from "p-map";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { defaultModelDir } from "../../captioner/bundle.ts";
import { captionResultSchema } from "../../shared/contract.ts";
import { metricsOf, postCaption, problemOf, startService } from "../gpu-service/running-service.ts";
import { type Batch, MutatedImages } from "./mutated/decode-batch.ts";

/** `HOSTILE_SEED=7 npm run test:full -- hostile-images` tries other files. */
const seed = Number(process.env.HOSTILE_SEED ?? 20_080_611);
const files = 20_000;
/** Each is decoded in a thread of its own, which takes a quarter of a second to begin. */
const heicFiles = 240;
const filesOverHttp = 500;
const atOnce = 2;
const limitMs = 600_000;

let folder = "";
let images: MutatedImages;
let usualFormats: string[] = [];

beforeAll(async () => {
  process.stdout.write(`hostile images: seed ${seed}\n`);
  folder = await mkdtemp(join(tmpdir(), "hostile-images-"));
  images = await MutatedImages.make({ seed, folder });
  usualFormats = images.formats.filter((format) => format !== "heic");
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** Shares of the files among the formats, each cut in two. */
function batchesOf(formats: readonly string[], count: number): Batch[] {
  const share = Math.ceil(count / formats.length / atOnce);
  return formats.flatMap((format) =>
    Array.from({ length: atOnce }, (_, part) => ({ format, from: part * share, to: (part + 1) * share })),
  );
}

test.each([
  ["JPEG, PNG, WebP, GIF, AVIF and TIFF", files, () => usualFormats],
  ["HEIC", heicFiles, () => ["heic"]],
])(
  "%s: each of %i mutated files is decoded or refused by the contract, and none ends the process",
  {
    timeout: limitMs,
  },
  async (_, count, formats) => {
    const outcomes = await pMap(
      batchesOf(formats(), count),
      async (batch) => ({ ...batch, ...(await images.decode(batch)) }),
      {
        concurrency: atOnce,
      },
    );
    expect(outcomes.flatMap(({ failures }) => failures)).toEqual([]);
    for (const { format, decoded, refused } of outcomes) {
      expect(decoded, format).toBeGreaterThan(0);
      expect(refused.invalid_image, format).toBeGreaterThan(0);
    }
    const tried = outcomes.map(({ decoded, refused }) =>
      Object.values(refused).reduce((sum, number) => sum + number, decoded),
    );
    expect(tried.reduce((sum, number) => sum + number)).toBeGreaterThanOrEqual(count);
  },
);

test("a file that its decoder dies of is told and kept", async () => {
  const decoder = new URL("mutated/dying-decoder.ts", import.meta.url).href;
  const error: unknown = await images.decode({ format: "png", from: 10, to: 20, decoder }).catch((cause) => cause);
  const [, kept = ""] = /^Error: the decoder ended with SIGSEGV, file (\S+-12\.png)$/.exec(String(error)) ?? [];
  expect(existsSync(kept), String(error)).toBe(true);
  expect(new Uint8Array(await readFile(kept))).toEqual(images.file("png", 12));
  await rm(kept);
});

test(`${filesOverHttp} mutated files over HTTP are each captioned or refused by the shipped model's service, which loses no engine`, {
  timeout: limitMs,
}, async () => {
  const service = await startService({ MODEL_DIR: defaultModelDir, ALLOW_HEIC: "true" });
  onTestFinished(async () => void (await service.stop()));
  const statuses = await pMap(
    Array(filesOverHttp).keys(),
    async (index) => {
      const format = images.formats[index % images.formats.length] ?? "";
      const response = await postCaption(service, images.file(format, index));
      if (response.status === 200) captionResultSchema.parse(await response.json());
      else await problemOf(response);
      return response.status;
    },
    { concurrency: 8 },
  );
  for (const status of [200, 415, 422]) expect(statuses).toContain(status);
  expect(statuses.filter((status) => ![200, 400, 413, 415, 422].includes(status))).toEqual([]);
  expect(await metricsOf(service)).not.toContain("edge_caption_engine_restarts_total{");
  expect(service.complaints).toEqual([]);
  expect(await service.stop()).toBe(0);
});
